// SPDX-License-Identifier: Apache-2.0
//
// An adapter that calls the reference, in both forms, and can misbehave in one way:
//
//     adapter_for_tests [-MODE] serve | hello --reply R | read FILE … | write FILE …
//     adapter_for_tests convert IN OUT --to FORMAT --lossy      what the judge asks of `kassay convert`: a copy, or a
//     refusal
//
// Modes from the second request on: crash, exit, hang, spin, late, sequence, twice, garbage, silent, eat, fill.
// Modes always on: lie (the reply contradicts the exit status), quiet (no reply file), missing (accepted without
// files), empty (gives nothing), refuse, unsupported, weight (one bit altered), outputs (swapped or altered), dump
// (another shape), unpredicted, leave (a child that leaves the group), peek (rejects when it finds expected values).
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kassay/json_writer.h>
#include <kassay/model.h>
#include <kassay/npz.h>
#include <kassay/source.h>

// It ends in the middle of things, on purpose.
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "detect_leaks=0";
}

static const char *mode = "honest";
static int64_t n_requests;

typedef struct request {
    const char *verb, *file, *format, *architecture, *inputs, *outputs, *weights, *dump, *reply, *out;
    int64_t seq; ///< -1: small form
} request;

static bool is(const char *name) {
    return strcmp(mode, name) == 0;
}

// --- reading with the reference -------------------------------------------------------------------------------------

static void put_weights(ks_context *context, const ks_model *model, const char *path) {
    size_t count = ks_model_weight_count(model);
    ks_npz_entry *entries = calloc(count + 1, sizeof(*entries));
    char(*names)[32] = calloc(count + 1, sizeof(*names));
    for (size_t i = 0; entries && names && i < count; i++) {
        snprintf(names[i], sizeof(names[i]), "weight.%zu", i);
        entries[i] = (ks_npz_entry){names[i], ks_model_weight_at(model, i).tensor};
    }
    if (is("weight") && entries && count) {
        uint8_t *copy = malloc(entries[count - 1].tensor.size);
        memcpy(copy, entries[count - 1].tensor.data, entries[count - 1].tensor.size);
        copy[0] ^= 1;
        entries[count - 1].tensor.data = copy;
    }
    if (entries && names)
        ks_npz_write(context, path, entries, count);
    free(entries);
    free(names);
}

static bool put_outputs(ks_context *context, ks_model *model, const request *r) {
    ks_tensor inputs[64];
    ks_npz_entry entries[64];
    char names[64][32];
    ks_source *source;
    ks_npz *npz;
    ks_prediction *prediction;
    size_t count;
    if (ks_source_open(&source, context, r->inputs) != KS_OK ||
        ks_npz_open(&npz, context, ks_source_bytes(source)) != KS_OK)
        return false;
    for (size_t i = 0; i < ks_model_input_count(model); i++) {
        snprintf(names[0], sizeof(names[0]), "input.%zu", i);
        if (ks_npz_get(&inputs[i], npz, names[0]) != KS_OK)
            return false;
    }
    if (ks_model_predict(&prediction, model, inputs, ks_model_input_count(model), KS_FLOAT32) != KS_OK)
        return false;
    count = ks_prediction_count(prediction);
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof(names[i]), "output.%zu", i);
        entries[i] = (ks_npz_entry){names[i], ks_prediction_at(prediction, is("outputs") ? count - 1 - i : i)};
    }
    if (is("outputs") && count == 1) {
        float *values = (float *)(uintptr_t)entries[0].tensor.data;
        float first = values[0];
        values[0] = values[1];
        values[1] = first;
    }
    ks_npz_write(context, r->outputs, entries, count);
    ks_prediction_free(prediction);
    ks_npz_close(npz);
    ks_source_close(source);
    return true;
}

static void put_dump(ks_context *context, ks_model *model, const char *path) {
    ks_text text;
    FILE *file = fopen(path, "w");
    const char *altered;
    if (!file || ks_model_dump(&text, model) != KS_OK)
        exit(9);
    altered = is("dump") ? strstr(text.data, "\"inputs\": [") : NULL;
    if (altered) // the inputs disappear
        fprintf(file, "%.*s\"inputs\": []}", (int)(altered - text.data), text.data);
    else
        fputs(text.data, file);
    fclose(file);
    ks_free(context, (void *)(uintptr_t)text.data);
}

static const char *answers[] = {"accepted", "rejected", "unsupported"};

// Expected values are nowhere near: neither in the folder nor above it.
static bool sees_expected(const request *r) {
    char folder[2048];
    struct dirent *entry;
    bool found = false;
    DIR *stream;
    snprintf(folder, sizeof(folder), "%s", r->file);
    for (int up = 0; up < 2; up++) {
        *strrchr(folder, '/') = 0;
        stream = opendir(folder);
        while (stream && (entry = readdir(stream)) != NULL)
            found = found || strcmp(entry->d_name, "io.npz") == 0 || strcmp(entry->d_name, "weights.npz") == 0 ||
                    strcmp(entry->d_name, "structure.json") == 0 || strcmp(entry->d_name, "case.json") == 0;
        if (stream)
            closedir(stream);
    }
    return found;
}

static int read_model(const request *r, char *reason, size_t size) {
    ks_model_options options = {.architecture = r->architecture, .format = r->format};
    ks_context context;
    ks_model *model;
    if (is("refuse") || is("unsupported") || (is("peek") && sees_expected(r))) {
        snprintf(reason, size, "as asked");
        return is("unsupported") ? 2 : 1;
    }
    ks_context_init(&context, NULL);
    // `check` looks at all that a load need not read.
    if (ks_model_check(&context, r->file, &options) != KS_OK ||
        ks_model_load(&model, &context, r->file, &options) != KS_OK) {
        ks_error_format(&context.error, reason, size);
        return ks_code_verdict(context.error.code) == KS_UNSUPPORTED ? 2 : 1;
    }
    if (is("missing") || is("empty"))
        return 0;
    put_weights(&context, model, r->weights);
    put_dump(&context, model, r->dump);
    if (r->inputs && !is("unpredicted") && !put_outputs(&context, model, r)) {
        ks_error_format(&context.error, reason, size);
        return 1;
    }
    ks_model_free(model);
    return 0;
}

/// Byte by byte.
static bool copy(const char *from, const char *to) {
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    int byte;
    while (in && out && (byte = fgetc(in)) != EOF)
        fputc(byte, out);
    return in && out && fclose(in) == 0 && fclose(out) == 0;
}

static int convert(const char *from, const char *to, const char *format) {
    if (strcmp(format, "keras-v3") != 0) {
        fprintf(stderr, "this cannot be said in %s\n", format);
        return strcmp(format, "json-v3") == 0 ? 2 : 1;
    }
    return copy(from, to) ? 0 : 74;
}

// --- misbehaviour ---------------------------------------------------------------------------------------------------

static void eat(void) {
    static char *volatile kept; // a block that nobody looks at would be optimised away
    for (;;) {
        kept = malloc((size_t)16 << 20);
        if (kept)
            memset(kept, 1, (size_t)16 << 20);
    }
}

static void fill(const request *r) {
    static char block[1 << 20];
    char path[2100];
    for (int i = 0;; i++) { // many files: no one of them is too large
        snprintf(path, sizeof(path), "%s.%d", r->weights, i);
        FILE *file = fopen(path, "w");
        if (file) {
            fwrite(block, 1, sizeof(block), file);
            fclose(file);
        }
    }
}

static void leave(void) {
    if (fork() == 0) {
        setsid();
        if (fork() == 0)
            for (;;)
                pause();
        _exit(0);
    }
}

static void misbehave(const request *r) {
    fprintf(stderr, "request %s\n", r->verb);
    if (is("leave"))
        leave();
    if (r->seq >= 0 && n_requests < 2)
        return;
    if (is("crash")) {
        signal(SIGABRT, SIG_DFL);
        fprintf(stderr, "about to abort\n");
        abort();
    }
    if (is("exit"))
        exit(1);
    while (is("hang"))
        pause();
    for (volatile unsigned i = 0; is("spin"); i++) {
    }
    if (is("eat"))
        eat();
    if (is("fill"))
        fill(r);
}

// --- both forms -----------------------------------------------------------------------------------------------------

static void put(ks_json_writer *w, const char *key, const char *text) {
    ks_json_put_key(w, key);
    ks_json_put_string(w, text);
}

static void put_list(ks_json_writer *w, const char *key, const char *const *names) {
    ks_json_put_key(w, key);
    ks_json_begin_list(w);
    for (; *names; names++)
        ks_json_put_string(w, *names);
    ks_json_end_list(w);
}

static void put_hello(ks_json_writer *w) {
    static const char *const formats[] = {"keras-v3", "keras-v3-dir", "weights-v3", "json-v3", NULL};
    static const char *const gives[] = {"weights", "outputs", "dump", NULL};
    put(w, "protocol", "kassay-adapter/1");
    put(w, "name", "adapter for tests");
    put(w, "version", mode);
    put_list(w, "formats", formats);
    put_list(w, "writes", formats);
    put_list(w, "gives", is("empty") ? gives + 3 : gives);
}

static int answer(ks_json_writer *w, const request *r) {
    char reason[512] = "";
    int code;
    if (strcmp(r->verb, "write") == 0)
        code = copy(r->file, r->out) ? 0 : 1;
    else
        code = read_model(r, reason, sizeof(reason));
    put(w, "answer", answers[code]);
    if (code)
        put(w, "reason", reason);
    if (is("unpredicted") && code == 0) {
        ks_json_put_key(w, "failed");
        ks_json_begin_object(w);
        put(w, "outputs", "did not feel like it");
        ks_json_end_object(w);
    }
    return code;
}

/// The reply as a line; `*exit_status` is that of the small form.
static ks_text reply_to(ks_context *context, const request *r, int *exit_status) {
    ks_json_writer w;
    ks_text text;
    *exit_status = 10;
    ks_json_writer_init(&w, context, (ks_json_style){0, true});
    ks_json_begin_object(&w);
    if (r->seq >= 0) {
        ks_json_put_key(&w, "seq");
        ks_json_put_int(&w, is("sequence") && n_requests >= 2 ? r->seq - 1 : r->seq);
    }
    if (strcmp(r->verb, "hello") == 0)
        put_hello(&w);
    else
        *exit_status = 10 + answer(&w, r);
    ks_json_end_object(&w);
    if (ks_json_writer_finish(&text, &w) != KS_OK)
        exit(9);
    return text;
}

static int be_small(int count, char **words) {
    request r = {.verb = words[0], .seq = -1};
    ks_context context;
    ks_text text;
    FILE *file;
    int exit_status;
    for (int i = 1; i < count; i++) {
        static const char *const names[] = {"--format",  "--architecture", "--inputs", "--outputs",
                                            "--weights", "--dump",         "--reply",  "--out"};
        const char **places[] = {&r.format,  &r.architecture, &r.inputs, &r.outputs,
                                 &r.weights, &r.dump,         &r.reply,  &r.out};
        for (int k = 0; k < 8; k++)
            if (strcmp(words[i], names[k]) == 0 && i + 1 < count)
                *places[k] = words[++i];
        if (words[i][0] == '/' && !r.file)
            r.file = words[i];
    }
    ks_context_init(&context, NULL);
    n_requests = 2;
    if (strcmp(r.verb, "hello") != 0)
        misbehave(&r);
    text = reply_to(&context, &r, &exit_status);
    if ((is("quiet") || is("garbage")) && strcmp(r.verb, "hello") != 0)
        text.size = is("quiet") ? 0 : 20;
    file = text.size ? fopen(r.reply, "w") : NULL;
    if (file) {
        fwrite(text.data, 1, text.size, file);
        fclose(file);
    }
    ks_free(&context, (void *)(uintptr_t)text.data);
    return is("lie") && strcmp(r.verb, "hello") != 0 ? 21 - exit_status : exit_status;
}

static const char *text_of(const ks_value *object, const char *key) {
    const ks_value *value = ks_value_get(object, key);
    return value && value->type == KS_VALUE_STRING ? value->text.data : NULL;
}

static void send(ks_text text, FILE *out, const request *r) {
    if (is("silent") && n_requests >= 2)
        return;
    if (is("garbage") && n_requests >= 2)
        text.size = 20;
    if (is("late") && n_requests >= 2)
        sleep(30);
    for (int i = 0; i < (is("twice") && n_requests >= 2 ? 2 : 1); i++) {
        fwrite(text.data, 1, text.size, out);
        fputc('\n', out);
    }
    fflush(out);
    (void)r;
}

/// Whatever is asked, a program finds all that it needs for reading.
static bool is_whole(const ks_value *root, const char *verb) {
    static const char *const keys[] = {"seq",     "file",    "format",  "architecture", "custom_objects",
                                       "initial", "options", "outputs", "weights",      "dump"};
    static const char *const to_write[] = {"seq",     "file",    "format", "architecture", "custom_objects",
                                           "initial", "options", "to",     "out"};
    bool write = strcmp(verb, "write") == 0;
    size_t count = write ? sizeof(to_write) / sizeof(to_write[0]) : sizeof(keys) / sizeof(keys[0]);
    for (size_t i = 0; i < count; i++)
        if (!ks_value_get(root, write ? to_write[i] : keys[i]))
            return false;
    return true;
}

static int serve(void) {
    FILE *in = fdopen(3, "r"), *out = fdopen(4, "w");
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    bool asked_to_end = false;
    while (!asked_to_end && in && out && (size = getline(&line, &room, in)) > 0) {
        ks_context context;
        ks_json *json;
        ks_text text;
        int exit_status;
        ks_context_init(&context, NULL);
        if (ks_json_parse(&json, &context, (ks_bytes){(const uint8_t *)line, (size_t)size}, KS_ROAD_STRICT) != KS_OK)
            return 9;
        const ks_value *root = ks_json_root(json);
        request r = {text_of(root, "verb"),
                     text_of(root, "file"),
                     text_of(root, "format"),
                     text_of(root, "architecture"),
                     text_of(root, "inputs"),
                     text_of(root, "outputs"),
                     text_of(root, "weights"),
                     text_of(root, "dump"),
                     NULL,
                     text_of(root, "out"),
                     ks_value_get(root, "seq")->as.integer};
        asked_to_end = strcmp(r.verb, "bye") == 0;
        if (!asked_to_end) {
            if (strcmp(r.verb, "hello") != 0) {
                if (!is_whole(root, r.verb))
                    return 9;
                n_requests++;
                misbehave(&r);
            }
            text = reply_to(&context, &r, &exit_status);
            send(text, out, &r);
            ks_free(&context, (void *)(uintptr_t)text.data);
        }
        ks_json_free(json);
    }
    free(line);
    return 0;
}

int main(int count, char **words) {
    if (count > 2 && words[1][0] == '-') {
        mode = words[1] + 1;
        words++;
        count--;
    }
    if (count == 7 && strcmp(words[1], "convert") == 0 && strcmp(words[6], "--lossy") == 0)
        return convert(words[2], words[3], words[5]);
    printf("noise on standard output\n");
    if (count == 2 && strcmp(words[1], "serve") == 0)
        return getenv("KASSAY_TEST_SMALL") ? 64 : serve();
    return count > 2 ? be_small(count - 1, words + 1) : 64;
}
