// SPDX-License-Identifier: Apache-2.0
#include "model/training.h"

#include <string.h>

#include "model/open_internal.h"

static ks_code parse_config(ks_model *m) {
    const ks_text *texts;
    ks_hdf5_node root = ks_hdf5_root(m->weights);
    ks_hdf5_type type;
    size_t count;
    bool found;
    ks_code code;
    KS_TRY(ks_hdf5_attribute(&type, &found, m->weights, root, "training_config"));
    if (!found)
        return KS_OK;
    if (type.dtype != KS_STRING || type.shape.rank != 0)
        return ks__model_fail(m, KS_E_WEIGHTS_NAMES, "training_config",
                              "expected a string as attribute of the file's root");
    KS_TRY(ks_hdf5_attribute_text(&texts, &count, m->weights, root, "training_config"));
    KS_TRY(
        ks__model_json(&m->training, m, (ks_bytes){(const uint8_t *)texts[0].data, texts[0].size}, "training_config"));
done:
    return code;
}

ks_code ks__training_config(const ks_value **out, ks_model *m) {
    const ks_value *compile;
    ks_code code = KS_OK;
    *out = NULL;
    if (strcmp(m->format, "h5-legacy") == 0) {
        if (!m->training)
            KS_TRY(parse_config(m));
        *out = m->training ? ks_json_root(m->training) : NULL;
    } else if (m->config) {
        compile = ks_value_get(ks_json_root(m->config), "compile_config");
        // {} and null: not compiled
        *out = compile && compile->type == KS_VALUE_DICT && compile->as.dict.count ? compile : NULL;
    }
done:
    return code;
}

ks_code ks__optimizer_weights(ks_optimizer_weights *out, ks_model *m) {
    memset(out, 0, sizeof(*out));
    return m->weights ? ks_optimizer_weights_list(out, m->context, &m->arena, m->weights, "weights") : KS_OK;
}

ks_code ks__optimizer_read(ks_tensor *out, ks_model *m, const ks_optimizer_weight *weight) {
    return ks_optimizer_weight_read(out, m->context, &m->arena, m->weights, "weights", weight);
}
