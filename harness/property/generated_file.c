// SPDX-License-Identifier: Apache-2.0
//
// A generated config becomes a `.keras` file.
#include "property/model_generator.h"

#include <kassay/model.h>
#include <kassay/writer.h>
#include <stdio.h>
#include <string.h>

#define METADATA "{\"keras_version\": \"3.15.1\", \"date_saved\": \"1980-01-01@00:00:00\"}"
#define HDF5_ALIGNMENT 64

/// Values that show a mistake: no zeros and ones, variances above zero, nothing that explodes in a deep model.
static void fill(float *data, size_t count, const char *name, uint64_t *state) {
    bool variance = strstr(name, "variance") != NULL;
    bool gain = strcmp(name, "gamma") == 0 || strcmp(name, "scale") == 0;
    for (size_t i = 0; i < count; i++) {
        double unit = ks_trial_unit(state);
        data[i] = (float)(variance ? 1.0 + 0.5 * unit : gain ? 1.0 + 0.3 * unit : 0.6 * unit);
    }
}

static ks_code put_weight(ks_hdf5_writer *writer, ks_context *context, const ks_model_weight *weight, uint64_t *state) {
    uint64_t elements = 0;
    if (weight->tensor.dtype != KS_FLOAT32 || !ks_shape_elements(&weight->tensor.shape, &elements))
        return ks_fail(context, KS_E_INTERNAL, KS_STAGE_SAVE, KS_NO_OFFSET, weight->path,
                       "a generated model has a variable that is not float32");
    float *data = ks_allocate(context, (size_t)elements, sizeof *data);
    if (!data)
        return context->error.code;
    fill(data, (size_t)elements, weight->name, state);
    ks_tensor tensor = weight->tensor;
    tensor.data = data;
    tensor.size = (size_t)elements * sizeof *data;
    ks_code code = ks_hdf5_writer_dataset(writer, weight->path, &tensor);
    ks_free(context, data);
    return code;
}

/// The attribute that Keras puts on each group "vars": the object's name.
static ks_code put_name(ks_hdf5_writer *writer, ks_context *context, const ks_model_weight *weight) {
    const char *slash = strrchr(weight->path, '/');
    char group[512];
    int size = snprintf(group, sizeof group, "%.*s", slash ? (int)(slash - weight->path) : 0, weight->path);
    if (size < 0 || (size_t)size >= sizeof group)
        return ks_fail(context, KS_E_INTERNAL, KS_STAGE_SAVE, KS_NO_OFFSET, weight->path, "the path is too long");
    return ks_hdf5_writer_text(writer, group, "name", ks_text_from(weight->layer));
}

static ks_code put_weights(ks_hdf5_writer *writer, ks_context *context, const ks_model *model, uint64_t seed) {
    uint64_t state = seed;
    ks_code code = ks_hdf5_writer_group(writer, "vars");
    for (size_t i = 0; i < ks_model_weight_count(model) && code == KS_OK; i++) {
        ks_model_weight weight = ks_model_weight_at(model, i);
        const char *slash = strrchr(weight.path, '/');
        code = put_weight(writer, context, &weight, &state);
        if (code == KS_OK && slash && strcmp(slash, "/0") == 0)
            code = put_name(writer, context, &weight);
    }
    return code;
}

// --- the optimizer ---------------------------------------------------------------------------------------------------

typedef struct state_writer {
    ks_hdf5_writer *writer;
    ks_context *context;
    uint64_t random;
    size_t next; ///< number of the variable
} state_writer;

static ks_code put_variable(state_writer *w, ks_tensor tensor, const void *data, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "optimizer/vars/%zu", w->next++);
    tensor.data = data;
    tensor.size = size;
    return ks_hdf5_writer_dataset(w->writer, path, &tensor);
}

static ks_code put_slot(state_writer *w, const ks_model_weight *weight) {
    uint64_t elements = 0;
    ks_code code;
    ks_shape_elements(&weight->tensor.shape, &elements);
    float *data = ks_allocate(w->context, (size_t)elements, sizeof *data);
    if (!data)
        return w->context->error.code;
    for (size_t i = 0; i < elements; i++)
        data[i] = (float)ks_trial_unit(&w->random);
    code = put_variable(w, weight->tensor, data, (size_t)elements * sizeof *data);
    ks_free(w->context, data);
    return code;
}

static ks_code put_pass(state_writer *w, const ks_model *model, int slots) {
    ks_code code = KS_OK;
    for (size_t i = 0; i < ks_model_weight_count(model); i++) {
        ks_model_weight weight = ks_model_weight_at(model, i);
        for (int k = 0; k < slots && weight.trainable && code == KS_OK; k++)
            code = put_slot(w, &weight);
    }
    return code;
}

static ks_code put_optimizer(ks_hdf5_writer *writer, ks_context *context, const ks_model *model,
                             const ks_generated_optimizer *optimizer, uint64_t seed) {
    state_writer w = {writer, context, seed + 1, 0};
    ks_code code;
    if (optimizer->iteration == 0)
        return KS_OK;
    KS_TRY(put_variable(&w, (ks_tensor){.dtype = KS_INT64}, &optimizer->iteration, sizeof optimizer->iteration));
    if (optimizer->has_rate)
        KS_TRY(put_variable(&w, (ks_tensor){.dtype = KS_FLOAT32}, &optimizer->learning_rate, sizeof(float)));
    for (int i = 0; i < optimizer->n_passes; i++)
        KS_TRY(put_pass(&w, model, optimizer->passes[i]));
done:
    return code;
}

static ks_code zip_it(ks_bytes *out, ks_context *context, ks_text config, ks_bytes weights) {
    const ks_zip_item items[] = {
        {"metadata.json", {(const uint8_t *)METADATA, sizeof METADATA - 1}, 0, false},
        {"config.json", {(const uint8_t *)config.data, config.size}, 0, false},
        {"model.weights.h5", weights, HDF5_ALIGNMENT, false},
    };
    return ks_zip_write(out, context, items, sizeof items / sizeof items[0]);
}

ks_code ks_generate_file(ks_bytes *out, ks_context *context, const ks_generated_model *model, uint64_t seed) {
    ks_model *architecture = NULL;
    ks_hdf5_writer *writer = NULL;
    ks_bytes weights;
    ks_model_options options = {.road = KS_ROAD_STRICT, .format = "json-v3"};
    ks_bytes config = {(const uint8_t *)model->config.data, model->config.size};
    ks_code code = ks_model_load_bytes(&architecture, context, config, "config.json", &options);
    if (code != KS_OK)
        return code;
    KS_TRY(ks_hdf5_writer_open(&writer, context));
    KS_TRY(put_weights(writer, context, architecture, seed));
    KS_TRY(put_optimizer(writer, context, architecture, &model->optimizer, seed));
    KS_TRY(ks_hdf5_writer_finish(&weights, writer));
    KS_TRY(zip_it(out, context, model->config, weights));
done:
    ks_hdf5_writer_close(writer);
    ks_model_free(architecture);
    return code;
}
