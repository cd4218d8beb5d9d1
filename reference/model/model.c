// SPDX-License-Identifier: Apache-2.0
//
// A model: its entry points and what it says of itself. The roads from a file to a model are in open_*.c.
#include <string.h>
#include <sys/stat.h>

#include "model/open_internal.h"
#include "weights/legacy.h"

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
    ks__sharded_close(m->sharded);
    ks_json_free(m->config);
    ks_json_free(m->training);
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
        return ks__model_fail(m, KS_E_UNKNOWN_FORMAT, m->path, "a directory is not of the format that was asked for");
    KS_TRY(ks_archive_open_directory(&m->archive, m->context, m->path));
    KS_TRY(ks__open_keras(m));
done:
    return code;
}

static ks_code open_bytes(void *argument) {
    return ks__open_bytes(argument);
}

static ks_code load_file(ks_model *m) {
    ks_model before;
    ks_code code;
    m->bytes = ks_source_bytes(m->source);
    before = *m;
    code = ks_source_guard(m->source, m->context, open_bytes, m);
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
    KS_TRY(ks__open_bytes(m));
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
    return m->map.listed ? m->map.n_listed : m->map.n_variables;
}

static ks_tensor tensor_of(ks_dtype dtype, const ks_shape *shape, const void *data) {
    ks_tensor tensor = {.dtype = dtype, .shape = *shape, .data = data};
    uint64_t elements = 0;
    ks_shape_elements(shape, &elements);
    tensor.size = (size_t)elements * ks_dtype_size(dtype);
    return tensor;
}

ks_model_weight ks_model_weight_at(const ks_model *m, size_t index) {
    const ks_slot *slot = m->map.listed ? m->map.listed[index] : NULL;
    const ks_variable *v = slot ? slot->variable : m->map.variables[index];
    ks_model_weight weight = {
        .path = v->path,
        .name = v->name,
        .layer = v->owner->name,
        .layer_class = v->owner->row->name,
        .trainable = v->trainable,
    };
    if (slot && slot->present) {
        weight.path = slot->path;
        weight.name = slot->name;
        weight.tensor = tensor_of(slot->type.dtype, &slot->type.shape, slot->data);
    } else if (slot && (slot->parts > 1 || slot->layout)) {
        ks_shape shape = ks_slot_shape(slot);
        weight.tensor = tensor_of(v->dtype, &shape, slot->data);
    } else {
        weight.tensor = tensor_of(v->dtype, &v->shape, v->data);
    }
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
