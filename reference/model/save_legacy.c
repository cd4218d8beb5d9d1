// SPDX-License-Identifier: Apache-2.0
//
// The formats of Keras 2, as tf_keras 2.21 writes them:
//
//   JSON   {"class_name", "config", "keras_version", "backend"}
//   HDF5   attributes keras_version, backend, model_config of the root, weights by layer in the group model_weights
//
// Source: tf_keras saving/legacy/hdf5_format.py (save_model_to_hdf5), engine/training.py (to_json).
#include "model/save_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/value_make.h"
#include "config/downgrade.h"
#include "weights/write.h"

static ks_code put_text(ks__save *save, ks_value *dict, const char *key, const char *text) {
    ks_value *place = ks_value_put(dict, key);
    if (!place)
        return save->context->error.code;
    *place = ks_value_string(text);
    return KS_OK;
}

ks_code ks__save_config_legacy(ks_text *out, ks__save *save, bool versions) {
    ks_value record;
    ks_value value;
    ks_code code;
    *out = (ks_text){NULL, 0};
    KS_TRY(ks__save_record(&record, save));
    KS_TRY(ks_config_downgrade(&value, &save->arena, &record, save->losses, "config.json"));
    if (versions) { // the record has room for two more
        KS_TRY(put_text(save, &value, "keras_version", KS_SAVED_KERAS_2));
        KS_TRY(put_text(save, &value, "backend", KS_SAVED_BACKEND));
    }
    KS_TRY(ks_json_write(out, save->context, &value, (ks_json_style){0, true}));
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
    return ks_weights_write_legacy(&save->model->map, save->context, &save->arena, writer, group, KS_SAVED_KERAS_2,
                                   KS_SAVED_BACKEND);
}

static ks_code write_weights_alone(ks__save *save, ks_hdf5_writer *writer) {
    return write_weights(save, writer, "");
}

static ks_code write_model(ks__save *save, ks_hdf5_writer *writer) {
    ks_text config = {NULL, 0};
    ks_code code;
    KS_TRY(ks__lose_training(save, true));
    KS_TRY(ks__save_config_legacy(&config, save, false));
    KS_TRY(ks_hdf5_writer_text(writer, "", "keras_version", ks_text_from(KS_SAVED_KERAS_2)));
    KS_TRY(ks_hdf5_writer_text(writer, "", "backend", ks_text_from(KS_SAVED_BACKEND)));
    KS_TRY(ks_hdf5_writer_text(writer, "", "model_config", config));
    KS_TRY(write_weights(save, writer, "model_weights"));
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
