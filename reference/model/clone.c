// SPDX-License-Identifier: Apache-2.0
//
// Fresh weights and fresh models. Source of the rules: Keras 3 models/cloning.py.
#include "model/model_internal.h"
#include "weights/initialize.h"

ks_code ks_model_initialize(ks_model *m, uint64_t seed) {
    ks_code code = ks_weights_initialize(&m->map, m->context, &m->arena, seed);
    m->has_weights = m->has_weights || code == KS_OK;
    return code;
}

bool ks_model_has_weights(const ks_model *m) {
    return m->has_weights;
}

ks_code ks_model_clone(ks_model **out, ks_model *m, uint64_t seed) {
    ks_model_options options = {.road = m->options.road, .dialect = KS_DIALECT_KERAS3, .registry = m->options.registry};
    uint64_t limit = m->context->memory.limit;
    ks_write_options write = {.old_keys = true};
    ks_text json;
    ks_code code;
    *out = NULL;
    KS_TRY(ks__model_record(&json, m, &write));
    code = ks_model_load_bytes(out, m->context, (ks_bytes){(const uint8_t *)json.data, json.size}, "clone", &options);
    m->context->memory.limit += limit; // both models count
    ks_free(m->context, (void *)(uintptr_t)json.data);
    if (code == KS_OK)
        code = ks_model_initialize(*out, seed);
    if (code != KS_OK) {
        ks_model_free(*out);
        *out = NULL;
    }
done:
    return code;
}
