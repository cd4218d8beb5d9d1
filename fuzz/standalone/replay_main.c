// SPDX-License-Identifier: Apache-2.0
//
// A main() for fuzz targets built without a fuzzing engine: every file named on the command line, and every file below
// a folder named there, goes through the target once (sorted by name, so that two runs do the same).
//
//   TARGET [--runs-per-second SECONDS] FILE|FOLDER...
//
// With the option the inputs are replayed again and again for that many seconds, and the rate is printed.
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

typedef struct input {
    char *path;
    uint8_t *data;
    size_t size;
} input;

typedef struct inputs {
    input *items;
    size_t count;
    size_t capacity;
} inputs;

static void *need(void *memory) {
    if (memory)
        return memory;
    fprintf(stderr, "replay: out of memory\n");
    exit(70);
}

static int add_file(inputs *all, const char *path, size_t size) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
        return 1;
    }
    // Exactly as long as the file, so that a sanitizer sees the first byte read behind it.
    uint8_t *data = need(malloc(size ? size : 1));
    size_t n_read = fread(data, 1, size, file);
    fclose(file);
    if (n_read != size) {
        fprintf(stderr, "replay: %s: the file shrank\n", path);
        free(data);
        return 1;
    }
    if (all->count == all->capacity) {
        all->capacity = all->capacity ? all->capacity * 2 : 64;
        all->items = need(realloc(all->items, all->capacity * sizeof *all->items));
    }
    all->items[all->count++] = (input){need(strdup(path)), data, size};
    return 0;
}

static int add_path(inputs *all, const char *path);

static int add_folder(inputs *all, const char *path) {
    struct dirent **names = NULL;
    int count = scandir(path, &names, NULL, alphasort);
    if (count < 0) {
        fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
        return 1;
    }
    int failed = 0;
    for (int i = 0; i < count; i++) {
        const char *name = names[i]->d_name;
        char *inner = NULL;
        if (name[0] != '.' && asprintf(&inner, "%s/%s", path, name) > 0) {
            failed |= add_path(all, inner);
            free(inner);
        }
        free(names[i]);
    }
    free(names);
    return failed;
}

static int add_path(inputs *all, const char *path) {
    struct stat status;
    if (stat(path, &status) != 0) {
        fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
        return 1;
    }
    return S_ISDIR(status.st_mode) ? add_folder(all, path) : add_file(all, path, (size_t)status.st_size);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void run_all(const inputs *all, bool verbose) {
    for (size_t i = 0; i < all->count; i++) {
        if (verbose) {
            fprintf(stderr, "replay: %s\n", all->items[i].path);
            fflush(stderr);
        }
        LLVMFuzzerTestOneInput(all->items[i].data, all->items[i].size);
    }
}

static void measure(const inputs *all, double seconds) {
    double start = now();
    double passed = 0;
    uint64_t n_runs = 0;
    do {
        run_all(all, false);
        n_runs += all->count;
        passed = now() - start;
    } while (passed < seconds && all->count);
    printf("replay: %.0f runs per second (%llu runs in %.2f s)\n", (double)n_runs / passed, (unsigned long long)n_runs,
           passed);
}

static void free_all(inputs *all) {
    for (size_t i = 0; i < all->count; i++) {
        free(all->items[i].path);
        free(all->items[i].data);
    }
    free(all->items);
}

int main(int argc, char **argv) {
    inputs all = {NULL, 0, 0};
    double seconds = 0;
    int failed = 0;
    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--runs-per-second") == 0 && i + 1 < argc)
            seconds = strtod(argv[++i], NULL);
        else
            failed |= add_path(&all, argv[i]);
    }
    // The name goes to standard error before each run: when one crashes, the last line says which.
    run_all(&all, true);
    printf("replay: %zu inputs\n", all.count);
    if (seconds > 0)
        measure(&all, seconds);
    free_all(&all);
    return failed;
}
