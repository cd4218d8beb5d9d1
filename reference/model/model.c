// SPDX-License-Identifier: Apache-2.0
//
// Loading a model: finds the format, opens the containers, reads config and weights.
#include "model/model_internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "config/config.h"

static ks_code fail(ks_model *m, ks_code code, const char *place, const char *text) {
    return ks_fail(m->context, code, KS_STAGE_MODEL, KS_NO_OFFSET, place, "%s", text);
}

// --- members of a .keras file ---------------------------------------------------------------------------------------

static ks_code read_member(ks_bytes *out, ks_model *m, const char *name, bool *found) {
    const ks_archive_member *member = ks_archive_find(m->archive, name);
    ks_code code = KS_OK;
    *found = member != NULL;
    if (member) {
        code = ks_archive_read(out, m->archive, member, true);
        if (code != KS_OK)
            ks_error_prefix_place(m->context, "");
    }
    return code;
}

static ks_code read_json(ks_json **out, ks_model *m, ks_bytes bytes, const char *name) {
    char prefix[80];
    ks_code code = ks_json_parse(out, m->context, bytes, m->options.road);
    if (code != KS_OK) {
        snprintf(prefix, sizeof(prefix), "%s:", name);
        ks_error_prefix_place(m->context, prefix);
    }
    return code;
}

static ks_code read_metadata(ks_model *m) {
    const ks_value *version;
    ks_json *json = NULL;
    ks_bytes bytes;
    bool found;
    ks_code code;
    KS_TRY(read_member(&bytes, m, "metadata.json", &found));
    if (!found) {
        ks_warn(m->context, "metadata-missing", "metadata.json");
        return KS_OK;
    }
    KS_TRY(read_json(&json, m, bytes, "metadata.json"));
    version = ks_value_get(ks_json_root(json), "keras_version");
    if (version && version->type == KS_VALUE_STRING) {
        m->keras_version = ks_arena_text(&m->arena, version->text.data, version->text.size).data;
        if (!m->keras_version)
            code = m->context->error.code;
    }
done:
    ks_json_free(json);
    return code;
}

static ks_code read_config(ks_model *m, ks_bytes bytes, const char *name) {
    ks_config_options options = {m->options.dialect, m->keras_version};
    ks_code code;
    KS_TRY(read_json(&m->config, m, bytes, name));
    KS_TRY(ks_config_read(&m->root, m->context, &m->arena, ks_json_root(m->config), name, &options));
    if (m->root->row->kind != KS_KIND_MODEL)
        return ks_fail(m->context, KS_E_CONFIG_RECORD, KS_STAGE_CONFIG, 0, name, "expected a model, found the %s %s",
                       ks_kind_name(m->root->row->kind), m->root->row->name);
    KS_TRY(ks_weights_map(&m->map, m->context, &m->arena, m->root));
done:
    return code;
}

static ks_code read_weights(ks_model *m, ks_bytes bytes, const char *name) {
    char prefix[80];
    ks_code code;
    snprintf(prefix, sizeof(prefix), "%s:", name);
    code = ks_hdf5_open(&m->weights, m->context, bytes, m->options.road);
    if (code == KS_OK && m->options.check_only)
        code = ks_hdf5_verify(m->weights);
    if (code != KS_OK) {
        ks_error_prefix_place(m->context, prefix);
        return code;
    }
    KS_TRY(ks_weights_load_v3(&m->map, m->context, &m->arena, m->weights, name,
                              m->options.check_only ? KS_WEIGHTS_CHECK : KS_WEIGHTS_LOAD));
    m->has_weights = true;
done:
    return code;
}

static ks_code refuse_pickles(ks_model *m) {
    if (ks_archive_find(m->archive, "model.weights.npz"))
        return ks_fail(m->context, KS_E_WEIGHTS_PICKLE, KS_STAGE_WEIGHTS, KS_NO_OFFSET, "model.weights.npz",
                       "weights in this form are pickled objects, which would run code when they are read");
    return fail(m, KS_E_MODEL_MEMBER, "model.weights.h5", "the archive has no such member");
}

static ks_code load_keras(ks_model *m) {
    ks_bytes bytes;
    bool found;
    ks_code code;
    KS_TRY(read_metadata(m));
    KS_TRY(read_member(&bytes, m, "config.json", &found));
    if (!found)
        return fail(m, KS_E_MODEL_MEMBER, "config.json", "the archive has no such member");
    KS_TRY(read_config(m, bytes, "config.json"));
    KS_TRY(read_member(&bytes, m, "model.weights.h5", &found));
    if (!found)
        return refuse_pickles(m);
    KS_TRY(read_weights(m, bytes, "model.weights.h5"));
    for (size_t i = 0; m->options.check_only && i < ks_archive_count(m->archive); i++)
        KS_TRY(ks_archive_read(&bytes, m->archive, ks_archive_member_at(m->archive, i), true));
done:
    return code;
}

// --- weights without architecture -----------------------------------------------------------------------------------

static ks_code load_weights_file(ks_model *m) {
    ks_model_options options = {.road = m->options.road, .check_only = true};
    uint64_t limit = m->context->memory.limit;
    ks_code code;
    if (!m->options.architecture)
        return fail(m, KS_E_MODEL_ARCHITECTURE, m->path, "a weights file needs an architecture to load it into");
    KS_TRY(ks_model_load(&m->architecture, m->context, m->options.architecture, &options));
    m->context->memory.limit += limit; // both files count
    m->root = m->architecture->root;
    m->map = m->architecture->map;
    KS_TRY(read_weights(m, m->bytes, "weights"));
done:
    return code;
}

// --- formats --------------------------------------------------------------------------------------------------------

static bool starts_with(ks_bytes bytes, const char *magic, size_t size) {
    return bytes.size >= size && memcmp(bytes.data, magic, size) == 0;
}

// An HDF5 superblock stands at 0, 512, 1024, …; a zip archive may have anything in front, so its end is asked by the
// reader.
static const char *detect(ks_bytes bytes) {
    if (starts_with(bytes, "\x89HDF\r\n\x1a\n", 8))
        return "weights-v3";
    if (starts_with(bytes, "PK", 2))
        return "keras-v3";
    for (uint64_t at = 512; at + 8 <= bytes.size && at <= (uint64_t)1 << 20; at *= 2)
        if (memcmp(bytes.data + at, "\x89HDF\r\n\x1a\n", 8) == 0)
            return "weights-v3";
    for (size_t i = 0; i < bytes.size && i < 8;
         i++) // JSON in any of its encodings starts with "{" after marks and blanks
        if (bytes.data[i] == '{')
            return "json-v3";
    for (size_t i = 0; i < bytes.size && i < 4096; i++) {
        if (bytes.data[i] == '{' || bytes.data[i] == '[' || bytes.data[i] == '"')
            return "json-v3";
        if (bytes.data[i] != ' ' && bytes.data[i] != '\n' && bytes.data[i] != '\r' && bytes.data[i] != '\t')
            break;
    }
    return NULL;
}

static bool ends_with(const char *text, const char *end) {
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

static void compare_name(ks_model *m) {
    bool keras = ends_with(m->path, ".keras"), hdf5 = ends_with(m->path, ".h5") || ends_with(m->path, ".hdf5");
    bool json = ends_with(m->path, ".json");
    if ((keras && strcmp(m->format, "keras-v3") != 0) || (hdf5 && strcmp(m->format, "weights-v3") != 0) ||
        (json && strcmp(m->format, "json-v3") != 0))
        ks_warn(m->context, "name-and-content-disagree", m->path);
}

static ks_code load_bytes(void *argument) {
    ks_model *m = argument;
    ks_code code;
    m->format = m->options.format ? m->options.format : detect(m->bytes);
    if (!m->format) {
        if (ends_with(m->path, ".keras")) // a prefix before the archive: the zip reader judges
            m->format = "keras-v3";
        else
            return fail(m, KS_E_UNKNOWN_FORMAT, m->path, "neither a zip archive nor HDF5 nor JSON");
    }
    compare_name(m);
    if (strcmp(m->format, "keras-v3") == 0) {
        KS_TRY(ks_archive_open_zip(&m->archive, m->context, m->bytes, m->options.road));
        KS_TRY(load_keras(m));
    } else if (strcmp(m->format, "weights-v3") == 0) {
        KS_TRY(load_weights_file(m));
    } else if (strcmp(m->format, "json-v3") == 0) {
        KS_TRY(read_config(m, m->bytes, "config.json"));
    } else {
        return fail(m, KS_E_MODEL_FORMAT, m->path, "this format cannot be read by this reference");
    }
done:
    return code;
}

// --- entry points ---------------------------------------------------------------------------------------------------

static ks_code new_model(ks_model **out, ks_context *context, const char *path, const ks_model_options *options) {
    ks_model *m = ks_allocate(context, 1, sizeof(*m));
    *out = NULL;
    if (!m)
        return context->error.code;
    m->context = context;
    m->path = path;
    m->keras_version = "";
    if (options)
        m->options = *options;
    ks_arena_init(&m->arena, context);
    *out = m;
    return KS_OK;
}

void ks_model_free(ks_model *m) {
    if (!m)
        return;
    ks_hdf5_close(m->weights);
    ks_json_free(m->config);
    ks_archive_close(m->archive);
    ks_model_free(m->architecture);
    ks_arena_fini(&m->arena);
    ks_source_close(m->source);
    ks_free(m->context, m);
}

static bool is_directory(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static ks_code load_directory(ks_model *m) {
    ks_code code;
    m->format = "keras-v3-dir";
    if (m->options.format && strcmp(m->options.format, m->format) != 0)
        return fail(m, KS_E_UNKNOWN_FORMAT, m->path, "a directory is not of the format that was asked for");
    KS_TRY(ks_archive_open_directory(&m->archive, m->context, m->path));
    KS_TRY(load_keras(m));
done:
    return code;
}

static ks_code load_file(ks_model *m) {
    ks_model before;
    ks_code code;
    m->bytes = ks_source_bytes(m->source);
    before = *m;
    code = ks_source_guard(m->source, m->context, load_bytes, m);
    if (code == KS_E_FILE_CHANGED)
        *m = before; // what the work had made is gone already
    return code;
}

ks_code ks_model_load(ks_model **out, ks_context *context, const char *path, const ks_model_options *options) {
    ks_model *m = NULL;
    ks_code code;
    *out = NULL;
    KS_TRY(new_model(&m, context, path, options));
    code = ks_source_open(&m->source, context, path);
    if (code == KS_OK) {
        KS_TRY(load_file(m));
    } else if (code == KS_E_IO && is_directory(path)) {
        ks_context_clear(context);
        KS_TRY(load_directory(m));
    }
    if (code == KS_OK)
        *out = m;
done:
    if (code != KS_OK)
        ks_model_free(m);
    return code;
}

ks_code ks_model_load_bytes(ks_model **out, ks_context *context, ks_bytes bytes, const char *name,
                            const ks_model_options *options) {
    ks_model *m = NULL;
    ks_code code;
    *out = NULL;
    ks_context_budget(context, bytes.size);
    KS_TRY(new_model(&m, context, name, options));
    m->bytes = bytes;
    KS_TRY(load_bytes(m));
    *out = m;
    return KS_OK;
done:
    ks_model_free(m);
    return code;
}

ks_code ks_model_check(ks_context *context, const char *path, const ks_model_options *options) {
    ks_model_options check = {0};
    ks_model *m;
    ks_code code;
    if (options)
        check = *options;
    check.check_only = true;
    code = ks_model_load(&m, context, path, &check);
    if (code == KS_OK)
        ks_model_free(m);
    return code;
}

// --- what a model says of itself ------------------------------------------------------------------------------------

const char *ks_model_format(const ks_model *m) {
    return m->format;
}

const char *ks_model_keras_version(const ks_model *m) {
    return m->keras_version;
}

const char *ks_model_name(const ks_model *m) {
    return m->root->name;
}

size_t ks_model_weight_count(const ks_model *m) {
    return m->map.n_variables;
}

ks_model_weight ks_model_weight_at(const ks_model *m, size_t index) {
    const ks_variable *v = m->map.variables[index];
    ks_model_weight weight = {v->path, v->name, v->owner->name, v->owner->row->name, v->trainable, {0}};
    uint64_t elements = 0;
    weight.tensor.dtype = v->dtype;
    weight.tensor.shape = v->shape;
    weight.tensor.data = v->data;
    ks_shape_elements(&v->shape, &elements);
    weight.tensor.size = (size_t)elements * ks_dtype_size(v->dtype);
    return weight;
}

static ks_model_port port_at(const ks_model *m, const ks_tree *pattern, size_t index) {
    const ks_graph *graph = m->root->graph;
    ks_model_port port = {.name = ""};
    size_t slots[256];
    size_t count = ks_tree_slots(pattern, slots, 256);
    if (index >= count || index >= 256)
        return port;
    port.shape = graph->symbols[slots[index]].shape;
    port.dtype = graph->symbols[slots[index]].dtype;
    for (size_t i = 0; i < graph->n_nodes; i++)
        if (graph->nodes[i].result.type == KS_TREE_SLOT && graph->nodes[i].result.as.slot == slots[index])
            port.name = graph->nodes[i].layer->name;
    return port;
}

size_t ks_model_input_count(const ks_model *m) {
    return ks_tree_count(&m->root->graph->inputs);
}

ks_model_port ks_model_input_at(const ks_model *m, size_t index) {
    return port_at(m, &m->root->graph->inputs, index);
}

size_t ks_model_output_count(const ks_model *m) {
    return ks_tree_count(&m->root->graph->outputs);
}

ks_model_port ks_model_output_at(const ks_model *m, size_t index) {
    return port_at(m, &m->root->graph->outputs, index);
}
