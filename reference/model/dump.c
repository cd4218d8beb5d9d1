// SPDX-License-Identifier: Apache-2.0
//
// The canonical description of a model, schema "kassay-dump/1" (harness/dump.schema.json): the serialized object as the
// file has it without what differs from save to save (shared_object_id), inputs and outputs, layers with their v3 paths
// and result shapes, variables with the SHA-256 of their bytes.
#include <kassay/json_writer.h>

#include "base/sha256.h"
#include "model/model_internal.h"

// A copy of the members' heads without any shared_object_id; the leaves are shared.
static ks_code strip(ks_value *out, ks_arena *arena, const ks_value *value, int depth) {
    ks_code code = KS_OK;
    *out = *value;
    if (depth > 1000)
        return ks_fail(arena->context, KS_E_OVER_DEPTH, KS_STAGE_MODEL, value->offset, NULL,
                       "the config is nested too deeply");
    if (value->type == KS_VALUE_LIST && value->as.list.count) {
        out->as.list.items = ks_arena_get(arena, value->as.list.count, sizeof(ks_value));
        if (!out->as.list.items)
            return arena->context->error.code;
        for (size_t i = 0; i < value->as.list.count; i++)
            KS_TRY(strip(&out->as.list.items[i], arena, &value->as.list.items[i], depth + 1));
    } else if (value->type == KS_VALUE_DICT && value->as.dict.count) {
        out->as.dict.members = ks_arena_get(arena, value->as.dict.count, sizeof(ks_member));
        out->as.dict.count = 0;
        if (!out->as.dict.members)
            return arena->context->error.code;
        for (size_t i = 0; i < value->as.dict.count; i++) {
            ks_member *member = &out->as.dict.members[out->as.dict.count];
            if (ks_text_is(value->as.dict.members[i].key, "shared_object_id"))
                continue;
            *member = value->as.dict.members[i];
            KS_TRY(strip(&member->value, arena, &value->as.dict.members[i].value, depth + 1));
            out->as.dict.count++;
        }
    }
done:
    return code;
}

static void put_shape(ks_json_writer *w, const ks_shape *shape) {
    if (shape->rank < 0) {
        ks_json_put_null(w);
        return;
    }
    ks_json_begin_list(w);
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dims[i] == KS_UNKNOWN_DIM)
            ks_json_put_null(w);
        else
            ks_json_put_int(w, shape->dims[i]);
    }
    ks_json_end_list(w);
}

static void put_port(ks_json_writer *w, const ks_shape *shape, ks_dtype dtype, const char *name) {
    ks_json_begin_object(w);
    if (name) {
        ks_json_put_key(w, "name");
        ks_json_put_string(w, name);
    }
    ks_json_put_key(w, "shape");
    put_shape(w, shape);
    ks_json_put_key(w, "dtype");
    ks_json_put_string(w, ks_dtype_name(dtype));
    ks_json_end_object(w);
}

static void put_ports(ks_json_writer *w, const ks_model *m) {
    ks_json_put_key(w, "inputs");
    ks_json_begin_list(w);
    for (size_t i = 0; i < ks_model_input_count(m); i++) {
        ks_model_port port = ks_model_input_at(m, i);
        put_port(w, &port.shape, port.dtype, port.name);
    }
    ks_json_end_list(w);
    ks_json_put_key(w, "outputs");
    ks_json_begin_list(w);
    for (size_t i = 0; i < ks_model_output_count(m); i++) {
        ks_model_port port = ks_model_output_at(m, i);
        put_port(w, &port.shape, port.dtype, NULL);
    }
    ks_json_end_list(w);
}

// Results of the layer's first call in this model.
static void put_results(ks_json_writer *w, const ks_graph *graph, const ks_node *node) {
    size_t slots[64];
    size_t count = node ? ks_tree_slots(&node->result, slots, 64) : 0;
    ks_json_begin_list(w);
    for (size_t i = 0; i < count && i < 64; i++)
        put_port(w, &graph->symbols[slots[i]].shape, graph->symbols[slots[i]].dtype, NULL);
    ks_json_end_list(w);
}

// The first call of every layer, by the layers' numbers.
static const ks_node **first_calls(ks_arena *arena, const ks_graph *graph, size_t *count) {
    const ks_node **calls;
    *count = 0;
    for (size_t i = 0; i < graph->n_nodes; i++)
        if (graph->nodes[i].layer->index >= *count)
            *count = graph->nodes[i].layer->index + 1;
    calls = ks_arena_get(arena, *count + 1, sizeof(*calls));
    for (size_t i = graph->n_nodes; calls && i-- > 0;)
        calls[graph->nodes[i].layer->index] = &graph->nodes[i];
    return calls;
}

// As the file says it: the name of a class may differ between versions.
static void put_class_name(ks_json_writer *w, const ks_object *layer) {
    const ks_value *name = layer->original ? ks_value_get(layer->original, "class_name") : NULL;
    if (name)
        ks_json_put_text(w, name->text);
    else
        ks_json_put_string(w, layer->row->name);
}

// The group of the file that belongs to the layer, whether it has one or not.
static void put_layer_path(ks_json_writer *w, ks_arena *arena, const ks_model *m, const ks_object *layer) {
    const char *prefix = strcmp(m->format, "h5-legacy") == 0 ? "model_weights/" : "";
    if (strcmp(m->format, "json-legacy") == 0)
        ks_json_put_null(w);
    else if (layer->group)
        ks_json_put_string(w, layer->group);
    else if (strncmp(m->format, "h5-", 3) == 0)
        ks_json_put_string(w, ks_arena_format(arena, "%s%s", prefix, layer->name));
    else
        ks_json_put_string(w, layer->path);
}

static ks_code put_layers(ks_json_writer *w, ks_arena *arena, const ks_model *m) {
    const ks_graph *graph = m->root->graph;
    size_t count;
    const ks_node **calls = first_calls(arena, graph, &count);
    if (!calls)
        return arena->context->error.code;
    ks_json_put_key(w, "layers");
    ks_json_begin_list(w);
    for (size_t i = 0; i < graph->n_layers; i++) {
        const ks_object *layer = (graph->in_order ? graph->operations : graph->layers)[i];
        ks_json_begin_object(w);
        ks_json_put_key(w, "name");
        ks_json_put_string(w, layer->name);
        ks_json_put_key(w, "class");
        put_class_name(w, layer);
        ks_json_put_key(w, "path");
        put_layer_path(w, arena, m, layer);
        ks_json_put_key(w, "outputs");
        put_results(w, graph, layer->index < count ? calls[layer->index] : NULL);
        ks_json_end_object(w);
    }
    ks_json_end_list(w);
    return KS_OK;
}

// A model that was never in a file with weights has no paths in one; Keras 3 knows them all the same.
static bool has_paths(const ks_model *m) {
    return strcmp(m->format, "json-legacy") != 0;
}

static void put_text(ks_json_writer *w, const char *text) {
    if (text)
        ks_json_put_string(w, text);
    else
        ks_json_put_null(w);
}

static void put_variable(ks_json_writer *w, const ks_model *m, size_t index) {
    ks_model_weight weight = ks_model_weight_at(m, index);
    char digest[65];
    ks_json_begin_object(w);
    ks_json_put_key(w, "path");
    put_text(w, has_paths(m) ? weight.path : NULL);
    ks_json_put_key(w, "name");
    put_text(w, has_paths(m) ? weight.name : NULL);
    ks_json_put_key(w, "dtype");
    ks_json_put_string(w, ks_dtype_name(weight.tensor.dtype));
    ks_json_put_key(w, "shape");
    put_shape(w, &weight.tensor.shape);
    ks_json_put_key(w, "trainable");
    ks_json_put_bool(w, weight.trainable);
    ks_json_put_key(w, "sha256");
    if (weight.tensor.data) {
        ks_sha256_hex(digest, weight.tensor.data, weight.tensor.size);
        ks_json_put_string(w, digest);
    } else {
        ks_json_put_null(w);
    }
    ks_json_end_object(w);
}

static ks_code put_model(ks_json_writer *w, ks_arena *arena, const ks_model *m) {
    ks_value object;
    ks_code code;
    KS_TRY(strip(&object, arena, m->root->original, 0));
    ks_json_begin_object(w);
    ks_json_put_key(w, "schema");
    ks_json_put_string(w, "kassay-dump/1");
    ks_json_put_key(w, "format");
    ks_json_put_string(w, m->format);
    ks_json_put_key(w, "object");
    ks_json_put_value(w, &object);
    put_ports(w, m);
    KS_TRY(put_layers(w, arena, m));
    ks_json_put_key(w, "variables");
    ks_json_begin_list(w);
    for (size_t i = 0; i < ks_model_weight_count(m); i++)
        put_variable(w, m, i);
    ks_json_end_list(w);
    ks_json_end_object(w);
done:
    return code;
}

ks_code ks_model_dump(ks_text *out, ks_model *m) {
    ks_json_writer writer;
    ks_arena arena;
    ks_code code;
    memset(out, 0, sizeof(*out));
    ks_arena_init(&arena, m->context);
    ks_json_writer_init(&writer, m->context, (ks_json_style){1, true});
    code = put_model(&writer, &arena, m);
    if (code == KS_OK)
        code = ks_json_writer_finish(out, &writer);
    else
        ks_json_writer_fini(&writer);
    ks_arena_fini(&arena);
    return code;
}
