// SPDX-License-Identifier: Apache-2.0
//
// Random compiled models with an optimizer's state: what `.keras` says about training is there after a save, and after
// the way through the older HDF5 form, which says it in the words of Keras 2, with nothing lost. A second time through
// it gives the same file, byte for byte.
//
//   prop_training [--models N] [--seed S] [--write FOLDER]
//
// A failure is made smaller, and printed with the seed and the smallest config. With --write each model is saved as
// FOLDER/NNNN.keras, and as NNNN.h5 where Keras 2 has words for it, with NNNN.in.npz and NNNN.out.npz, for
// check_with_keras.py.
#include "property/compile_generator.h"
#include "property/trial.h"

#include <kassay/archive.h>
#include <kassay/hdf5.h>
#include <kassay/json.h>
#include <kassay/save.h>
#include <kassay/writer.h>
#include <stdio.h>
#include <string.h>

#define SHRINK_BUDGET 500

static size_t n_legacy; ///< models that Keras 2 has words for
static size_t n_slots;  ///< optimizer's variables that were compared

// --- the parts of a `.keras` file ------------------------------------------------------------------------------------

typedef struct parts {
    ks_archive *archive;
    ks_json *config;
    ks_hdf5 *weights;
} parts;

static ks_code read_member(ks_bytes *out, ks_context *context, ks_archive *archive, const char *name) {
    const ks_archive_member *member = ks_archive_find(archive, name);
    return member ? ks_archive_read(out, archive, member, true)
                  : ks_fail(context, KS_E_INTERNAL, KS_STAGE_SAVE, KS_NO_OFFSET, name, "there is no such member");
}

static ks_code open_parts(parts *out, ks_context *context, ks_bytes file) {
    ks_bytes config, weights;
    ks_code code;
    KS_TRY(ks_archive_open_zip(&out->archive, context, file, KS_ROAD_STRICT));
    KS_TRY(read_member(&config, context, out->archive, "config.json"));
    KS_TRY(read_member(&weights, context, out->archive, "model.weights.h5"));
    KS_TRY(ks_json_parse(&out->config, context, config, KS_ROAD_STRICT));
    KS_TRY(ks_hdf5_open(&out->weights, context, weights, KS_ROAD_STRICT));
done:
    return code;
}

static void close_parts(parts *held) {
    ks_hdf5_close(held->weights);
    ks_json_free(held->config);
    ks_archive_close(held->archive);
}

/// One variable; false where there is none of this number. Free `out->data` with ks_free.
static ks_code read_variable(ks_tensor *out, bool *found, ks_context *context, ks_hdf5 *file, size_t number) {
    char path[64];
    ks_hdf5_node node;
    ks_hdf5_type type;
    uint64_t elements = 0;
    ks_code code;
    snprintf(path, sizeof path, "optimizer/vars/%zu", number);
    KS_TRY(ks_hdf5_find(&node, found, file, ks_hdf5_root(file), path));
    if (!*found)
        return KS_OK;
    KS_TRY(ks_hdf5_dataset(&type, file, node));
    ks_shape_elements(&type.shape, &elements);
    size_t size = (size_t)elements * ks_dtype_size(type.dtype);
    void *data = ks_allocate(context, size + 1, 1);
    if (!data)
        return context->error.code;
    *out = (ks_tensor){type.dtype, type.shape, data, size};
    code = ks_hdf5_read(data, size, file, node);
done:
    return code;
}

static bool same_variable(ks_trial *test, ks_context *context, bool *found, const parts *a, const parts *b,
                          size_t number, const char *what) {
    ks_tensor first = {0}, second = {0};
    bool second_found = false;
    ks_code code = read_variable(&first, found, context, a->weights, number);
    if (code == KS_OK)
        code = read_variable(&second, &second_found, context, b->weights, number);
    bool same = code == KS_OK && *found == second_found && (!*found || ks_trial_same_tensor(&first, &second));
    ks_free(context, (void *)(uintptr_t)first.data);
    ks_free(context, (void *)(uintptr_t)second.data);
    return same ||
           ks_trial_failed(test, code == KS_OK ? NULL : context, "%s: the optimizer's variable %zu", what, number);
}

static bool same_training(ks_trial *test, ks_context *context, ks_bytes a, ks_bytes b, const char *what) {
    parts first = {0}, second = {0};
    bool found = true;
    bool good = (open_parts(&first, context, a) == KS_OK && open_parts(&second, context, b) == KS_OK) ||
                ks_trial_failed(test, context, "%s:", what);
    if (good) {
        const ks_value *wanted = ks_value_get(ks_json_root(first.config), "compile_config");
        const ks_value *got = ks_value_get(ks_json_root(second.config), "compile_config");
        good = (wanted && got && ks_value_equal(wanted, got)) ||
               ks_trial_failed(test, NULL, "%s: another compile_config", what);
    }
    for (size_t i = 0; good && found; i++, n_slots++)
        good = same_variable(test, context, &found, &first, &second, i, what);
    close_parts(&first);
    close_parts(&second);
    return good;
}

// --- one model -------------------------------------------------------------------------------------------------------

static void drop(ks_context *context, ks_bytes bytes) {
    ks_free(context, (void *)(uintptr_t)bytes.data);
}

/// Loads `file`, which is in the format `from`, and saves it as `to`. Nothing may be lost.
static bool convert(ks_bytes *out, ks_trial *test, ks_context *context, ks_bytes file, const char *from,
                    const char *to) {
    ks_model_options load = {.format = from};
    ks_save_options save = {.format = to};
    ks_model *model = NULL;
    bool good = (ks_model_load_bytes(&model, context, file, "generated", &load) == KS_OK &&
                 ks_model_save_bytes(out, model, &save, NULL) == KS_OK) ||
                ks_trial_failed(test, context, "from %s to %s:", from, to);
    ks_model_free(model);
    return good;
}

static bool has_words(ks_trial *test, bool *out, ks_context *context, ks_bytes file) {
    ks_model_options load = {.format = "keras-v3"};
    ks_save_options save = {.format = "json-legacy"};
    ks_losses losses;
    ks_bytes config = {NULL, 0};
    ks_model *model = NULL;
    ks_losses_init(&losses, context, true);
    ks_code code = ks_model_load_bytes(&model, context, file, "generated", &load);
    if (code == KS_OK)
        code = ks_model_save_bytes(&config, model, &save, &losses);
    ks_model_free(model);
    ks_losses_fini(&losses);
    drop(context, config);
    *out = code == KS_OK;
    if (code != KS_OK && code != KS_E_SAVE_NO_WORD)
        return ks_trial_failed(test, context, "as json-legacy:");
    if (code != KS_OK)
        ks_context_clear(context);
    return true;
}

static bool same_file(ks_trial *test, ks_bytes a, ks_bytes b, const char *what) {
    return (a.size == b.size && memcmp(a.data, b.data, a.size) == 0) || ks_trial_failed(test, NULL, "%s", what);
}

static bool write_file(ks_trial *test, ks_context *context, ks_bytes file, const char *suffix) {
    char path[600];
    snprintf(path, sizeof path, "%s/%04llu.%s", test->folder, (unsigned long long)test->number, suffix);
    return ks_save_bytes(context, path, file) == KS_OK || ks_trial_failed(test, context, "%s", path);
}

static bool through_legacy(ks_trial *test, ks_context *context, ks_bytes file) {
    ks_bytes legacy = {NULL, 0}, copy = {NULL, 0}, back = {NULL, 0}, again = {NULL, 0};
    bool good = convert(&legacy, test, context, file, "keras-v3", "h5-legacy") &&
                convert(&copy, test, context, legacy, "h5-legacy", "h5-legacy") &&
                same_file(test, legacy, copy, "a copy of h5-legacy is another file") &&
                convert(&back, test, context, legacy, "h5-legacy", "keras-v3") &&
                same_training(test, context, file, back, "through h5-legacy") &&
                convert(&again, test, context, back, "keras-v3", "h5-legacy") &&
                same_file(test, legacy, again, "the second time through h5-legacy gives another file") &&
                (!test->folder || write_file(test, context, legacy, "h5"));
    drop(context, legacy);
    drop(context, copy);
    drop(context, back);
    drop(context, again);
    return good;
}

static bool write_sample(ks_trial *test, ks_context *context, const ks_generated_model *generated, ks_bytes file) {
    ks_model_options load = {.format = "keras-v3"};
    ks_trial_inputs in = {.count = 0};
    ks_prediction *prediction = NULL;
    ks_model *model = NULL;
    bool good = ks_trial_make_inputs(&in, context, generated, 3, test->seed) &&
                ((ks_model_load_bytes(&model, context, file, "generated", &load) == KS_OK &&
                  ks_model_predict(&prediction, model, in.tensors, in.count, KS_FLOAT32) == KS_OK) ||
                 ks_trial_failed(test, context, "cannot be run:")) &&
                write_file(test, context, file, "keras") && ks_trial_write_io(test, context, &in, prediction);
    ks_prediction_free(prediction);
    ks_model_free(model);
    ks_trial_drop_inputs(&in, context);
    return good;
}

static bool holds(ks_trial *test, ks_choices *choices) {
    ks_context context;
    ks_generated_model model = {.n_layers = 0};
    ks_bytes file = {NULL, 0}, copy = {NULL, 0};
    bool legacy = false;
    ks_context_init(&context, NULL);
    context.memory.limit = (uint64_t)1 << 30;
    test->message[0] = '\0';
    bool good = (ks_generate_config(&model, &context, choices, ks_trial_knows_class) == KS_OK &&
                 ks_generate_compile(&model, &context, choices) == KS_OK &&
                 ks_generate_file(&file, &context, &model, test->seed) == KS_OK) ||
                ks_trial_failed(test, &context, "no file:");
    test->n_layers = model.n_layers;
    good = good && convert(&copy, test, &context, file, "keras-v3", "keras-v3") &&
           same_training(test, &context, file, copy, "saved") && has_words(test, &legacy, &context, file) &&
           (!legacy || through_legacy(test, &context, file)) &&
           (!test->folder || write_sample(test, &context, &model, file));
    n_legacy += good && legacy;
    if (!good) { // what was put in is at the end
        size_t room = sizeof test->config - 1, size = model.config.size;
        snprintf(test->config, sizeof test->config, "%s", model.config.data + (size > room ? size - room : 0));
    }
    drop(&context, file);
    drop(&context, copy);
    ks_free(&context, (void *)(uintptr_t)model.config.data);
    if (good && context.memory.n_live != 0)
        good = ks_trial_failed(test, NULL, "memory is left");
    return good;
}

int main(int argc, char **argv) {
    int status = ks_trial_main(argc, argv, holds, SHRINK_BUDGET);
    printf("%zu of them through the older HDF5 form, %zu of the optimizers' variables compared\n", n_legacy, n_slots);
    return status;
}
