// SPDX-License-Identifier: Apache-2.0
//
// Load, save, load: whatever is accepted can be saved in every format that has words for it, is accepted again, has the
// same weights, and saved once more gives the same bytes.
#include "common/fuzz_common.h"

#include <kassay/model.h>
#include <kassay/save.h>

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM ((uint64_t)512 << 20) ///< bytes for a model and its files

/// The formats that are one file and have a config, and whose words they are in.
typedef struct form {
    const char *format;
    ks_save_target target;
} form;

static const form forms[] = {
    {"keras-v3", KS_FOR_TF_KERAS},    {"h5-legacy", KS_FOR_TF_KERAS},  {"json-v3", KS_FOR_TF_KERAS},
    {"json-legacy", KS_FOR_TF_KERAS}, {"h5-legacy", KS_FOR_KERAS_2_3},
};

static bool is_allowed(ks_code code) {
    ks_verdict verdict = ks_code_verdict(code);
    return code == KS_E_SAVE_NO_WORD || code == KS_E_SAVE_LOSS || code == KS_E_SAVE_NO_WEIGHTS ||
           verdict == KS_OVER_LIMIT;
}

static bool save(ks_bytes *out, ks_context *context, ks_model *model, form words) {
    ks_save_options options = {.format = words.format, .target = words.target};
    ks_code code = ks_model_save_bytes(out, model, &options, NULL);
    ks_fuzz_assert_with(context, code == KS_OK || is_allowed(code));
    return code == KS_OK;
}

static void drop(ks_context *context, ks_bytes bytes) {
    ks_free(context, (void *)(uintptr_t)bytes.data);
}

static void same_bytes(ks_bytes a, ks_bytes b) {
    ks_fuzz_assert(a.size == b.size && memcmp(a.data, b.data, a.size) == 0);
}

/// Saves both models' weights by the paths of Keras 3 and compares the files.
static void compare(ks_context *context, ks_model *first, ks_context *other, ks_model *second) {
    ks_bytes a = {NULL, 0};
    ks_bytes b = {NULL, 0};
    const form weights = {"weights-v3", KS_FOR_TF_KERAS};
    if (save(&a, context, first, weights) && save(&b, other, second, weights))
        same_bytes(a, b);
    ks_context_clear(context);
    drop(context, a);
    drop(other, b);
}

/// A model that went through a format, and the file it came from.
typedef struct passage {
    ks_context context;
    ks_model *model; ///< NULL: the format has no words for it, or it is over a limit
    ks_bytes file;
} passage;

static void pass(passage *out, ks_context *context, ks_model *model, form words) {
    ks_model_options options = {.format = words.format};
    *out = (passage){.model = NULL};
    ks_context_init(&out->context, NULL);
    bool saved = save(&out->file, context, model, words);
    ks_context_clear(context);
    if (!saved)
        return;
    ks_code code = ks_model_load_bytes(&out->model, &out->context, out->file, "saved", &options);
    ks_fuzz_assert_with(&out->context, code == KS_OK || ks_code_verdict(code) == KS_OVER_LIMIT);
    ks_context_clear(&out->context);
    out->context.memory.limit = ROOM;
}

static void end_passage(passage *held, ks_context *owner) {
    ks_model_free(held->model);
    drop(owner, held->file);
    ks_fuzz_assert(held->context.memory.n_live == 0);
}

/// Keras 1 and the first versions of Keras 3 order the layers of some models in their own way, so that the first file
/// may differ from the later ones.
static bool keeps_order(const ks_model *model) {
    const char *version = ks_model_keras_version(model);
    return version[0] == '2' || strncmp(version, "3.1", 3) == 0;
}

static void go_through(ks_context *context, ks_model *model, form words) {
    bool document = strncmp(words.format, "json", 4) == 0;
    passage first;
    passage second = {.model = NULL};
    pass(&first, context, model, words);
    if (first.model)
        pass(&second, &first.context, first.model, words);
    if (first.model && keeps_order(model) && !document)
        compare(context, model, &first.context, first.model);
    if (first.model && keeps_order(model) && second.file.data)
        same_bytes(first.file, second.file);
    if (second.model && !document)
        compare(&first.context, first.model, &second.context, second.model);
    if (first.model)
        end_passage(&second, &first.context);
    end_passage(&first, context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ks_context context;
    ks_model *model = NULL;
    ks_fuzz_begin(&context, size);
    ks_code code = ks_model_load_bytes(&model, &context, (ks_bytes){data, size}, "input", NULL);
    ks_fuzz_check_error(&context, code, SIZE_MAX);
    if (code == KS_OK) {
        context.memory.limit = ROOM;
        for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
            go_through(&context, model, forms[i]);
    }
    ks_model_free(model);
    ks_fuzz_assert(context.memory.n_live == 0);
    return 0;
}
