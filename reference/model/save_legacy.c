// SPDX-License-Identifier: Apache-2.0
//
// The formats of Keras 2, as tf_keras 2.21 writes them, or as Keras 2.3.1 does:
//
//   JSON   {"class_name", "config", "keras_version", "backend"}
//   HDF5   attributes keras_version, backend, model_config of the root, weights by layer in the group model_weights,
//          how the model was compiled (save_training.c)
//
// Source: tf_keras saving/legacy/hdf5_format.py (save_model_to_hdf5), engine/training.py (to_json).
#include "model/save_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/value_make.h"
#include "config/config.h"
#include "config/downgrade.h"
#include "weights/write.h"

static bool is_early(const ks__save *save) {
    return save->options.target == KS_FOR_KERAS_2_3;
}

const char *ks__saved_version(const ks__save *save) {
    return is_early(save) ? KS_SAVED_KERAS_2_3 : KS_SAVED_KERAS_2;
}

static ks_code put_text(ks__save *save, ks_value *dict, const char *key, const char *text) {
    ks_value *place = ks_value_put(dict, key);
    if (!place)
        return save->context->error.code;
    *place = ks_value_string(text);
    return KS_OK;
}

/// Keras 2 builds a layer when it is called, from the shapes of that call alone; Keras 3 may have built it with others,
/// which build_config keeps. What was written is read to see that the shapes are enough.
static ks_code check_shapes(ks__save *save, ks_text written) {
    ks_config_options options = {.dialect = KS_DIALECT_KERAS2,
                                 .keras_version = ks__saved_version(save),
                                 .registry = save->model->options.registry};
    ks_context *context = save->context;
    ks_object *object;
    ks_json *json = NULL;
    ks_arena arena;
    ks_code code;
    ks_arena_init(&arena, context);
    code = ks_json_parse(&json, context, (ks_bytes){(const uint8_t *)written.data, written.size}, KS_ROAD_STRICT);
    if (code == KS_OK)
        code = ks_config_read(&object, context, &arena, ks_json_root(json), "config.json", &options);
    ks_json_free(json);
    ks_arena_fini(&arena);
    if (code == KS_E_CONFIG_SHAPE) {
        ks_error error = context->error;
        ks_context_clear(context);
        return ks_fail(context, KS_E_SAVE_NO_WORD, KS_STAGE_SAVE, KS_NO_OFFSET, error.place,
                       "Keras 2 does not keep the shapes a layer was built with: %.200s", error.message);
    }
    if (code == KS_E_NO_MEMORY || ks_code_verdict(code) == KS_OVER_LIMIT)
        return code;
    ks_context_clear(context); // other things are not asked here
    return KS_OK;
}

static ks_code downgrade(ks_value *out, ks__save *save, const ks_value *record) {
    const struct ks_registry *registry = save->model->options.registry;
    return (is_early(save) ? ks_config_downgrade_early : ks_config_downgrade)(out, &save->arena, record, save->losses,
                                                                              "config.json", registry);
}

ks_code ks__save_config_legacy(ks_text *out, ks__save *save, bool versions) {
    ks_value record;
    ks_value value;
    ks_code code;
    *out = (ks_text){NULL, 0};
    KS_TRY(ks__save_record(&record, save, true, KS_WRITE_WORDS_ALL));
    KS_TRY(downgrade(&value, save, &record));
    if (versions) { // the record has room for two more
        KS_TRY(put_text(save, &value, "keras_version", ks__saved_version(save)));
        KS_TRY(put_text(save, &value, "backend", KS_SAVED_BACKEND));
    }
    KS_TRY(ks_json_write(out, save->context, &value, (ks_json_style){0, true}));
    KS_TRY(check_shapes(save, *out));
done:
    return code;
}

ks_code ks__fill_json_legacy(ks__save *save, ks_output *output) {
    ks_text config;
    ks_code code;
    KS_TRY(ks__save_config_legacy(&config, save, true));
    KS_TRY(ks_output_write(output, 0, (ks_bytes){(const uint8_t *)config.data, config.size}));
done:
    ks_free(save->context, (void *)(uintptr_t)config.data);
    return code;
}

static ks_code write_weights(ks__save *save, ks_hdf5_writer *writer, const char *group) {
    return ks_weights_write_legacy(&save->model->map, save->context, &save->arena, writer, group,
                                   ks__saved_version(save), KS_SAVED_BACKEND);
}

static ks_code write_weights_alone(ks__save *save, ks_hdf5_writer *writer) {
    return write_weights(save, writer, "");
}

static ks_code write_model(ks__save *save, ks_hdf5_writer *writer) {
    ks_text config = {NULL, 0};
    ks_code code;
    KS_TRY(ks__lose_assets(save));
    KS_TRY(ks__save_config_legacy(&config, save, false));
    // Keras before 2.4 decodes these three, so they must come as bytes.
    KS_TRY(ks_hdf5_writer_bytes(writer, "", "keras_version", ks_text_from(ks__saved_version(save))));
    KS_TRY(ks_hdf5_writer_bytes(writer, "", "backend", ks_text_from(KS_SAVED_BACKEND)));
    KS_TRY(ks_hdf5_writer_bytes(writer, "", "model_config", config));
    KS_TRY(write_weights(save, writer, "model_weights"));
    KS_TRY(ks__save_training_legacy(save, writer));
done:
    ks_free(save->context, (void *)(uintptr_t)config.data);
    return code;
}

ks_code ks__fill_h5_legacy(ks__save *save, ks_output *output) {
    uint64_t size;
    return ks__save_hdf5_at(&size, save, output, 0, write_model);
}

ks_code ks__fill_h5_weights_legacy(ks__save *save, ks_output *output) {
    uint64_t size;
    return ks__save_hdf5_at(&size, save, output, 0, write_weights_alone);
}
