// SPDX-License-Identifier: Apache-2.0
//
// The command `kassay`: finds the subcommand, parses its options, prints help.
#include "cli/command.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define KS_COMMANDS                                                                                                    \
    X(check) X(dump) X(summary) X(layers) X(weights) X(load) X(predict) X(convert) X(bench) X(verify) X(gate) X(report)

#define X(name) extern const ks_command ks_command_##name;
KS_COMMANDS
#undef X

static const ks_command *const commands[] = {
#define X(name) &ks_command_##name,
    KS_COMMANDS
#undef X
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const ks_command *find_command(const char *name) {
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static void print_usage(FILE *out) {
    fprintf(out,
            "usage: kassay COMMAND [OPERANDS] [OPTIONS]\n\nThe assay office for Keras model files.\n\ncommands:\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(out, "  %-8s  %s\n", commands[i]->name, commands[i]->summary);
    fprintf(out, "\n`kassay COMMAND --help` describes one of them; `kassay --version` prints the version.\n");
}

static void print_help(const ks_command *command) {
    printf("NAME\n    kassay %s - %s\n\nSYNOPSIS\n    kassay %s %s\n\nDESCRIPTION\n%s\n", command->name,
           command->summary, command->name, command->synopsis, command->description);
    if (command->options[0].name)
        printf("\nOPTIONS\n");
    for (int i = 0; command->options[i].name; i++)
        printf("    %s%s%s\n        %s\n", command->options[i].name, command->options[i].argument ? " " : "",
               command->options[i].argument ? command->options[i].argument : "", command->options[i].help);
    printf("\nEXIT STATUS\n%s\n\nEXAMPLES\n%s\n", command->exit_codes, command->examples);
}

static int find_option(const ks_command *command, const char *text, size_t size) {
    for (int i = 0; command->options[i].name; i++)
        if (strlen(command->options[i].name) == size && strncmp(command->options[i].name, text, size) == 0)
            return i;
    return -1;
}

// "--name value", "--name=value" and operands in any order; "--" ends the options, "-" is an operand.
static bool parse(const ks_command *command, int count, char **words, ks_arguments *out, const char **operands) {
    bool options = true;
    for (int i = 0; i < count; i++) {
        const char *word = words[i];
        size_t size = strcspn(word, "=");
        int which;
        if (!options || word[0] != '-' || strcmp(word, "-") == 0) {
            operands[out->n_operands++] = word;
            continue;
        }
        if (strcmp(word, "--") == 0) {
            options = false;
            continue;
        }
        which = find_option(command, word, size);
        if (which < 0) {
            fprintf(stderr, "kassay %s: unknown option \"%s\"\n", command->name, word);
            return false;
        }
        if (!command->options[which].argument) {
            out->values[which] = "";
        } else if (word[size] == '=') {
            out->values[which] = word + size + 1;
        } else if (i + 1 < count) {
            out->values[which] = words[++i];
        } else {
            fprintf(stderr, "kassay %s: %s wants %s\n", command->name, word, command->options[which].argument);
            return false;
        }
    }
    out->operands = operands;
    if (out->n_operands >= command->min_operands &&
        (command->max_operands < 0 || out->n_operands <= command->max_operands))
        return true;
    fprintf(stderr, "usage: kassay %s %s\n", command->name, command->synopsis);
    return false;
}

static bool wants_help(int count, char **words) {
    for (int i = 0; i < count && strcmp(words[i], "--") != 0; i++)
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0)
            return true;
    return false;
}

static int run_command(const ks_command *command, int count, char **words) {
    const char *operands[4096];
    ks_arguments arguments = {{0}, NULL, 0};
    if (wants_help(count, words)) {
        print_help(command);
        return 0;
    }
    if (count > 4096) {
        fprintf(stderr, "kassay %s: more than 4096 operands\n", command->name);
        return KS_EXIT_USAGE;
    }
    if (!parse(command, count, words, &arguments, operands))
        return KS_EXIT_USAGE;
    return command->run(&arguments);
}

// What stands on standard output counts only when all of it could be written.
static int finish(int exit_code) {
    if (fflush(stdout) == 0 && !ferror(stdout))
        return exit_code;
    fprintf(stderr, "kassay: standard output cannot be written: %s\n", strerror(errno));
    return KS_EXIT_IO;
}

int main(int count, char **words) {
    const ks_command *command;
    // Memory that one file needed serves the next: giving it back to the system between files costs more than reading
    // them.
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    signal(SIGXFSZ, SIG_IGN); // a file beyond the limit on sizes is an error like others, and is cleaned up
    if (count < 2) {
        print_usage(stderr);
        return KS_EXIT_USAGE;
    }
    if (strcmp(words[1], "--version") == 0) {
        printf("kassay %s\n", KASSAY_VERSION);
        return 0;
    }
    if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0 ||
        (strcmp(words[1], "help") == 0 && count == 2)) {
        print_usage(stdout);
        return 0;
    }
    command = find_command(strcmp(words[1], "help") == 0 ? words[2] : words[1]);
    if (!command) {
        fprintf(stderr, "kassay: unknown command \"%s\"; `kassay --help` lists them\n",
                strcmp(words[1], "help") == 0 ? words[2] : words[1]);
        return KS_EXIT_USAGE;
    }
    if (strcmp(words[1], "help") == 0) {
        print_help(command);
        return 0;
    }
    return finish(run_command(command, count - 2, words + 2));
}
