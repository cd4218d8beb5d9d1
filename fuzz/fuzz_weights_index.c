// SPDX-License-Identifier: Apache-2.0
//
// The index of sharded weights. An input is the index, a NUL byte, and the bytes of the shards x_00000.weights.h5 and
// x_00001.weights.h5 (one file under two names), which lie beside it in a folder of this program's own.
#include "common/fuzz_common.h"

#include <kassay/model.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LAYER(name, units)                                                                                             \
    "{\"module\": \"keras.layers\", \"class_name\": \"Dense\", \"registered_name\": null, \"config\": {\"name\": "     \
    "\"" name "\", \"units\": " units "}}"

static const char architecture[] =
    "{\"module\": \"keras\", \"class_name\": \"Sequential\", \"registered_name\": null, \"config\": {\"name\": \"s\", "
    "\"layers\": [{\"module\": \"keras.layers\", \"class_name\": \"InputLayer\", \"registered_name\": null, "
    "\"config\": "
    "{\"batch_shape\": [null, 2], \"dtype\": \"float32\", \"name\": \"i\"}}, " LAYER("a", "3") ", " LAYER("b",
                                                                                                          "1") "]}}";

static char folder[64], config_path[96], index_path[96], shard_path[96], other_path[96];

static void write_file(const char *path, const void *data, size_t size) {
    FILE *file;
    // ext4 flushes a file that is truncated and written again when it is closed; a new one it does not.
    unlink(path);
    file = fopen(path, "wbx");
    ks_fuzz_assert(file);
    ks_fuzz_assert(fwrite(data, 1, size, file) == size);
    fclose(file);
}

static void clean_up(void) {
    unlink(config_path);
    unlink(shard_path);
    unlink(other_path);
    rmdir(folder);
}

static void set_up(void) {
    if (folder[0])
        return;
    snprintf(folder, sizeof(folder), "/tmp/kassay-index-XXXXXX");
    ks_fuzz_assert(mkdtemp(folder));
    snprintf(config_path, sizeof(config_path), "%s/c.json", folder);
    snprintf(index_path, sizeof(index_path), "%s/x.weights.json", folder); // never written: its bytes are the input's
    snprintf(shard_path, sizeof(shard_path), "%s/x_00000.weights.h5", folder);
    snprintf(other_path, sizeof(other_path), "%s/x_00001.weights.h5", folder);
    write_file(config_path, architecture, sizeof(architecture) - 1);
    write_file(shard_path, "", 0);
    ks_fuzz_assert(symlink(shard_path, other_path) == 0);
    atexit(clean_up);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    size_t index_size = end ? (size_t)(end - data) : size;
    ks_model_options options = {.format = "weights-v3-sharded"};
    ks_model *model = NULL;
    ks_context context;
    ks_code code;
    set_up();
    if (end)
        write_file(shard_path, end + 1, size - index_size - 1);
    options.architecture = config_path;
    ks_fuzz_begin(&context, size);
    code = ks_model_load_bytes(&model, &context, (ks_bytes){data, index_size}, index_path, &options);
    ks_fuzz_check_error(&context, code, SIZE_MAX);
    ks_fuzz_assert_with(&context, code == KS_OK || context.error.code == code);
    for (size_t i = 0; model && i < ks_model_weight_count(model); i++)
        ks_fuzz_assert(ks_model_weight_at(model, i).tensor.data);
    ks_model_free(model);
    ks_fuzz_end(&context, size);
    return 0;
}
