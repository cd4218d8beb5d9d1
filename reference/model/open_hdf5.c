// SPDX-License-Identifier: Apache-2.0
//
// An HDF5 file: weights of Keras 3 (groups PATH/vars), weights of the older form (attribute layer_names), or a whole
// model of that form (attribute model_config). What the root holds decides, as in Keras.
#include <stdio.h>
#include <string.h>

#include "model/open_internal.h"

ks_code ks__model_hdf5(ks_model *m, ks_bytes bytes, const char *name) {
    char prefix[80];
    ks_code code;
    snprintf(prefix, sizeof(prefix), "%s:", name);
    code = ks_hdf5_open(&m->weights, m->context, bytes, m->options.road);
    if (code == KS_OK && m->options.check_only)
        code = ks_hdf5_verify(m->weights);
    if (code != KS_OK)
        ks_error_prefix_place(m->context, prefix);
    return code;
}

ks_code ks__model_architecture(ks_model *m) {
    ks_model_options options = {.road = m->options.road, .check_only = true};
    uint64_t limit = m->context->memory.limit;
    ks_code code;
    if (!m->options.architecture)
        return ks__model_fail(m, KS_E_MODEL_ARCHITECTURE, m->path,
                              "a weights file needs an architecture to load it into");
    KS_TRY(ks_model_load(&m->architecture, m->context, m->options.architecture, &options));
    m->context->memory.limit += limit; // both files count
    m->root = m->architecture->root;
    m->map = m->architecture->map;
done:
    return code;
}

ks_code ks__open_hdf5(ks_model *m) {
    ks_code code;
    KS_TRY(ks__model_format(m, "weights-v3"));
    KS_TRY(ks__model_architecture(m));
    KS_TRY(ks__model_hdf5(m, m->bytes, "weights"));
    KS_TRY(ks_weights_load_v3(&m->map, m->context, &m->arena, m->weights, "weights",
                              m->options.check_only ? KS_WEIGHTS_CHECK : KS_WEIGHTS_LOAD));
    m->has_weights = true;
done:
    return code;
}
