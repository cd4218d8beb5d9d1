// SPDX-License-Identifier: Apache-2.0
//
// An HDF5 file. What its root holds decides, as in Keras:
//   attribute model_config                       h5-legacy: a whole model
//   attribute layer_names, or group model_weights    h5-weights-legacy: weights of the older form
//   anything else                                weights-v3: groups PATH/vars
// Source: Keras 2 saving/hdf5_format.py, engine/training.py (load_weights); Keras 3 models/model.py.
#include <stdio.h>
#include <string.h>

#include "model/open_internal.h"
#include "weights/legacy.h"

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
    ks_model_options options = {.road = m->options.road,
                                .dialect = m->options.dialect,
                                .backend = m->options.backend,
                                .registry = m->options.registry,
                                .check_only = true};
    uint64_t limit = m->context->memory.limit;
    ks_code code;
    if (!m->options.architecture)
        return ks__model_fail(m, KS_E_MODEL_ARCHITECTURE, m->path,
                              "a weights file needs an architecture to load it into");
    KS_TRY(ks_model_load(&m->architecture, m->context, m->options.architecture, &options));
    m->context->memory.limit += limit; // both files count
    m->root = m->architecture->root;
    m->map = m->architecture->map;
    for (size_t i = 0; i < m->map.n_listed; i++)
        m->map.listed[i]->present = false; // of that file nothing but the architecture counts
    m->keras_version = m->architecture->keras_version;
    m->dialect = m->architecture->dialect;
    m->writer = m->architecture->writer;
done:
    return code;
}

// --- what the root holds --------------------------------------------------------------------------------------------

static ks_code has_attribute(bool *out, ks_hdf5 *file, const char *name) {
    ks_hdf5_type type;
    return ks_hdf5_attribute(&type, out, file, ks_hdf5_root(file), name);
}

ks_code ks__hdf5_form(ks__hdf5_form_name *out, ks_model *m, ks_hdf5 *file, const char *path) {
    ks_hdf5_node group;
    bool config, names, chunks, numbered, weights;
    ks_code code;
    KS_TRY(has_attribute(&config, file, "model_config"));
    KS_TRY(has_attribute(&names, file, "layer_names"));
    KS_TRY(has_attribute(&chunks, file, "layer_names0"));
    KS_TRY(has_attribute(&numbered, file, "nb_layers"));
    if (!config && !names && !chunks && numbered)
        return ks__model_fail(m, KS_E_MODEL_FORMAT, path,
                              "numbered layers (nb_layers), as Keras before 1.0 wrote them, cannot be read by this "
                              "reference");
    KS_TRY(ks_hdf5_find(&group, &weights, file, ks_hdf5_root(file), "model_weights"));
    *out = config            ? KS__HDF5_MODEL
           : names || chunks ? KS__HDF5_LEGACY_WEIGHTS
           : weights         ? KS__HDF5_LEGACY_GROUP
                             : KS__HDF5_WEIGHTS;
done:
    return code;
}

// --- the older forms ------------------------------------------------------------------------------------------------

static ks_code read_text(ks_text *out, bool *found, ks_model *m, const char *name) {
    const ks_text *texts;
    ks_hdf5_type type;
    size_t count;
    ks_code code;
    KS_TRY(ks_hdf5_attribute(&type, found, m->weights, ks_hdf5_root(m->weights), name));
    if (!*found)
        return KS_OK;
    if (type.dtype != KS_STRING || type.shape.rank != 0)
        return ks__model_fail(m, KS_E_WEIGHTS_NAMES, name, "expected a string as attribute of the file's root");
    KS_TRY(ks_hdf5_attribute_text(&texts, &count, m->weights, ks_hdf5_root(m->weights), name));
    *out = texts[0];
done:
    return code;
}

// Keras 2 and later write it on the root and on the group, Keras 1 on the root alone or not at all.
static ks_code read_version(ks_model *m, const ks_legacy_group *group) {
    ks_text version;
    bool found;
    ks_code code;
    KS_TRY(read_text(&version, &found, m, "keras_version"));
    if (found)
        m->keras_version = version.data;
    else if (group->keras_version)
        m->keras_version = group->keras_version;
done:
    return code;
}

static ks_code load_group(ks_model *m, const char *path, const char *document) {
    ks_weights_options options = {.check = m->options.check_only, .backend = m->options.backend};
    ks_legacy_group group;
    ks_code code;
    KS_TRY(ks_legacy_group_open(&group, m->context, &m->arena, m->weights, document, path));
    if (group.writer == KS_WRITER_TF_KERAS && m->writer == KS_WRITER_KERAS2)
        group.writer = m->writer; // the config knows more of its version
    KS_TRY(ks_weights_load_legacy(&m->map, m->context, &m->arena, m->weights, document, &group, &options));
    m->writer = group.writer;
    m->has_weights = true;
done:
    return code;
}

static ks_code open_model(ks_model *m) {
    ks_legacy_group group;
    ks_text config;
    bool found;
    ks_code code;
    KS_TRY(ks__model_format(m, "h5-legacy"));
    KS_TRY(ks_legacy_group_open(&group, m->context, &m->arena, m->weights, "model", "model_weights"));
    KS_TRY(read_version(m, &group));
    KS_TRY(read_text(&config, &found, m, "model_config"));
    KS_TRY(ks__model_config(m, (ks_bytes){(const uint8_t *)config.data, config.size}, "model_config"));
    KS_TRY(load_group(m, "model_weights", "model"));
done:
    return code;
}

static ks_code open_legacy_weights(ks_model *m, const char *path) {
    ks_code code;
    KS_TRY(ks__model_format(m, "h5-weights-legacy"));
    KS_TRY(ks__model_architecture(m));
    KS_TRY(load_group(m, path, "weights"));
done:
    return code;
}

ks_code ks__load_v3(ks_model *m, ks_hdf5 *file, const char *document, const ks_weights_options *options) {
    ks_weight_map named = m->map;
    ks_naming naming;
    ks_code code;
    KS_TRY(ks_weights_naming(&naming, m->context, &m->arena, &m->map, file, m->keras_version,
                             m->dialect == KS_DIALECT_KERAS2));
    if (naming != KS_NAMES_KERAS3)
        KS_TRY(ks_weights_map_as(&named, m->context, &m->arena, &m->map, naming));
    KS_TRY(ks_weights_load_v3(&named, m->context, &m->arena, file, document, options));
    // What is described are the file's names; writers take the map's.
    for (size_t i = 0; i < named.n_objects && naming != KS_NAMES_KERAS3; i++)
        named.objects[i].object->path = named.objects[i].path;
done:
    return code;
}

static ks_code open_weights(ks_model *m) {
    ks_weights_options options = {.check = m->options.check_only};
    ks_code code;
    KS_TRY(ks__model_format(m, "weights-v3"));
    KS_TRY(ks__model_architecture(m));
    KS_TRY(ks__load_v3(m, m->weights, "weights", &options));
    KS_TRY(ks_weights_relist(&m->map, m->context, &m->arena));
    m->has_weights = true;
done:
    return code;
}

ks_code ks__open_hdf5(ks_model *m) {
    ks__hdf5_form_name form;
    ks_code code;
    KS_TRY(ks__model_hdf5(m, m->bytes, "weights"));
    KS_TRY(ks__hdf5_form(&form, m, m->weights, m->path));
    switch (form) {
    case KS__HDF5_MODEL:
        return open_model(m);
    case KS__HDF5_LEGACY_WEIGHTS:
        return open_legacy_weights(m, "");
    case KS__HDF5_LEGACY_GROUP:
        return open_legacy_weights(m, "model_weights");
    case KS__HDF5_WEIGHTS:
        return open_weights(m);
    }
done:
    return code;
}
