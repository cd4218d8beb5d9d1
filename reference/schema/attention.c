// SPDX-License-Identifier: Apache-2.0
//
// MultiHeadAttention, GroupQueryAttention, Attention, AdditiveAttention. Source of the rules: Keras 3
// layers/attention/*.py.
//
// The projections of the multi-head layers are EinsumDense layers of their own, with names but without a record in the
// file. MultiHeadAttention keeps them as public attributes ("query_dense"; "_query_dense" until 3.0.2),
// GroupQueryAttention as private ones in every version.
#include "schema/attention.h"

#include <string.h>

#include "schema/key_row.h"

#define HEADS ks_multi_head

#define PROJECTION_ROWS                                                                                                \
    KS_ROW_INITIALIZER(HEADS, kernel_initializer, "\"glorot_uniform\""),                                               \
        KS_ROW_INITIALIZER(HEADS, bias_initializer, "\"zeros\""), KS_ROW_REGULARIZER(HEADS, kernel_regularizer),       \
        KS_ROW_REGULARIZER(HEADS, bias_regularizer), KS_ROW_REGULARIZER(HEADS, activity_regularizer),                  \
        KS_ROW_CONSTRAINT(HEADS, kernel_constraint), KS_ROW_CONSTRAINT(HEADS, bias_constraint),                        \
        KS_ROW_SINCE(HEADS, seed, ANY, KS_NULLABLE | KS_INERT, "null", "3.4"),                                         \
        KS_ROW_SINCE(HEADS, flash_attention, ANY, KS_NULLABLE | KS_INERT | KS_READ_ONLY, "null", "3.7")

static const ks_key multi_head_keys[] = {
    KS_ROW_INTS(HEADS, num_heads, INT, KS_REQUIRED | KS_NUMERIC, NULL, 0, 1),
    KS_ROW_INTS(HEADS, key_dim, INT, KS_REQUIRED | KS_NUMERIC, NULL, 0, 1),
    KS_ROW_INTS(HEADS, value_dim, INT, KS_NULLABLE | KS_NUMERIC, "null", 0, 1),
    KS_ROW(HEADS, dropout, FLOAT, KS_INERT, "0.0"),
    KS_ROW(HEADS, use_bias, BOOL, KS_NUMERIC, "true"),
    KS_ROW_SINCE(HEADS, use_gate, BOOL, KS_NUMERIC, "false", "3.14"),
    KS_ROW_INTS(HEADS, output_shape, INTS, KS_NULLABLE | KS_NUMERIC, "null", 0, 1),
    KS_ROW_INTS(HEADS, attention_axes, INTS, KS_NULLABLE | KS_NUMERIC, "null", 0, -KS_MAX_RANK),
    KS_ROW_INTS(HEADS, sliding_window, INT, KS_NULLABLE | KS_NUMERIC, "null", 0, 1),
    PROJECTION_ROWS,
};

static const ks_key grouped_keys[] = {
    {KS_NAMED("head_dim"), .type = KS_KEY_INT, .flags = KS_REQUIRED | KS_NUMERIC, .offset = offsetof(HEADS, key_dim),
     .minimum = 1, .maximum = INT32_MAX},
    {KS_NAMED("num_query_heads"), .type = KS_KEY_INT, .flags = KS_REQUIRED | KS_NUMERIC,
     .offset = offsetof(HEADS, num_heads), .minimum = 1, .maximum = INT32_MAX},
    KS_ROW_INTS(HEADS, num_key_value_heads, INT, KS_REQUIRED | KS_NUMERIC, NULL, 0, 1),
    KS_ROW(HEADS, use_bias, BOOL, KS_NUMERIC, "true"),
    KS_ROW_SINCE(HEADS, use_gate, BOOL, KS_NUMERIC, "false", "3.14"),
    KS_ROW_INTS(HEADS, sliding_window, INT, KS_NULLABLE | KS_NUMERIC, "null", 0, 1),
    KS_ROW(HEADS, dropout, FLOAT, KS_INERT, "0.0"),
    PROJECTION_ROWS,
};

static ks_code multi_head_check(ks_context *context, ks_object *object) {
    ks_multi_head *params = object->params;
    (void)context;
    if (params->value_dim == KS_NULL_INT)
        params->value_dim = params->key_dim;
    params->num_key_value_heads = params->num_heads;
    return KS_OK;
}

static ks_code grouped_check(ks_context *context, ks_object *object) {
    ks_multi_head *params = object->params;
    params->value_dim = params->key_dim;
    if (params->num_heads % params->num_key_value_heads)
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "num_query_heads",
                            "expected a multiple of num_key_value_heads (%lld), found %lld",
                            (long long)params->num_key_value_heads, (long long)params->num_heads);
    return KS_OK;
}

// --- projections ----------------------------------------------------------------------------------------------------

ks_projections ks_multi_head_projections(const ks_object *object) {
    const ks_multi_head *params = object->params;
    const ks_child *child = object->children;
    ks_projections out = {0};
    if (!object->built || !child)
        return out;
    out.query = child->object;
    child = child->next;
    out.key = child->object;
    child = child->next;
    if (params->use_gate) {
        out.gate = child->object;
        child = child->next;
    }
    out.value = child->object;
    out.output = child->next->object;
    return out;
}

bool ks_attention_axes(bool *attended, const ks_multi_head *params, int n_axes) {
    for (int i = 0; i < n_axes; i++)
        attended[i] = params->attention_axes.count == 0 && i > 0;
    for (int i = 0; i < params->attention_axes.count; i++) {
        int axis = ks_axis(params->attention_axes.items[i], n_axes);
        if (axis < 1 || attended[axis])
            return false;
        attended[axis] = true;
    }
    return true;
}

// An EinsumDense with kernel [inputs…, outputs…] and bias [outputs…].
static ks_code add_projection(ks_call *call, ks_object *object, const char *attribute, const char *name,
                              const ks_shape *kernel, int n_inputs) {
    const ks_multi_head *params = object->params;
    bool private_names = object->row == &ks_class_GroupQueryAttention;
    ks_shape bias = {.rank = kernel->rank - n_inputs};
    ks_object *child;
    ks_code code;
    for (int i = 0; i < bias.rank; i++)
        bias.dims[i] = kernel->dims[n_inputs + i];
    KS_TRY(ks_make_child(&child, call, object, private_names ? attribute : attribute + 1, name, &ks_class_EinsumDense));
    KS_TRY(ks_add_variable(call, child, "kernel", kernel, KS_DTYPE_NONE, true));
    if (params->use_bias)
        KS_TRY(ks_add_variable(call, child, "bias", &bias, KS_DTYPE_NONE, true));
    child->built = true;
done:
    return code;
}

static ks_code add_head_projection(ks_call *call, ks_object *object, const char *attribute, const char *name,
                                   const ks_array *input, int64_t heads, int64_t width) {
    ks_shape kernel = {3, {input->shape.dims[input->shape.rank - 1], heads, width}};
    return add_projection(call, object, attribute, name, &kernel, 1);
}

static ks_array *key_or_value(const ks_call *call) {
    ks_array *key = ks_call_array(call, KS_MHA_KEY);
    return key ? key : ks_call_array(call, KS_MHA_VALUE);
}

static ks_code check_inputs(ks_call *call, const ks_object *object, ks_array **query, ks_array **value,
                            ks_array **key) {
    ks_code code;
    *query = ks_call_array(call, KS_MHA_QUERY);
    *value = ks_call_array(call, KS_MHA_VALUE);
    *key = key_or_value(call);
    if (!*query || !*value)
        return ks_fail(call->context, KS_E_CONFIG_ARGUMENT, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place,
                       "%s \"%s\": expected tensors as query and value", object->row->name, object->name);
    KS_TRY(ks_call_check_rank(call, object, *query, 3, KS_MAX_RANK - 1));
    KS_TRY(ks_call_check_rank(call, object, *value, (*query)->shape.rank, (*query)->shape.rank));
    KS_TRY(ks_call_check_rank(call, object, *key, (*query)->shape.rank, (*query)->shape.rank));
    for (int i = 1; i + 1 < (*value)->shape.rank; i++)
        if ((*value)->shape.dims[i] != (*key)->shape.dims[i])
            return ks_shape_error(call->context, object, "value and key differ in axis %d", i);
done:
    return code;
}

static ks_code multi_head_build(ks_call *call, ks_object *object) {
    const ks_multi_head *params = object->params;
    bool grouped = object->row == &ks_class_GroupQueryAttention, attended[KS_MAX_RANK];
    ks_array *query, *value, *key;
    ks_shape output = {2, {params->num_heads, params->value_dim}};
    ks_code code;
    KS_TRY(check_inputs(call, object, &query, &value, &key));
    if (!ks_attention_axes(attended, params, query->shape.rank - 1))
        return ks_key_error(call->context, KS_E_CONFIG_VALUE, object, "attention_axes", "an axis that is not there");
    if (grouped)
        KS_TRY(ks_call_check_rank(call, object, query, 3, 3));
    KS_TRY(add_head_projection(call, object, "_query_dense", "query", query, params->num_heads, params->key_dim));
    KS_TRY(add_head_projection(call, object, "_key_dense", "key", key, params->num_key_value_heads, params->key_dim));
    if (params->use_gate)
        KS_TRY(add_head_projection(call, object, "_gate_dense", "gate", query, params->num_heads, params->value_dim));
    KS_TRY(add_head_projection(call, object, "_value_dense", "value", value, params->num_key_value_heads,
                               params->value_dim));
    if (params->output_shape.count == 0)
        output.dims[output.rank++] = query->shape.dims[query->shape.rank - 1];
    for (int i = 0; i < params->output_shape.count; i++)
        output.dims[output.rank++] = params->output_shape.items[i];
    KS_TRY(add_projection(call, object, "_output_dense", "attention_output", &output, 2));
done:
    return code;
}

// --- results of the multi-head layers -------------------------------------------------------------------------------

// What Keras announces for the scores of a symbolic call is (batch, heads, T, T) whatever the key's length; the real
// result has the batch axes, the heads, the attended axes of the query and those of the key.
static void scores_shape(ks_shape *out, const ks_call *call, const ks_object *object, const ks_array *query,
                         const ks_array *key) {
    const ks_multi_head *params = object->params;
    bool attended[KS_MAX_RANK];
    int n_axes = query->shape.rank - 1;
    out->rank = 0;
    if (call->symbolic && object->row == &ks_class_MultiHeadAttention) {
        *out = (ks_shape){4, {query->shape.dims[0], params->num_heads, query->shape.dims[1], query->shape.dims[1]}};
        return;
    }
    ks_attention_axes(attended, params, n_axes);
    for (int i = 0; i < n_axes; i++)
        if (!attended[i])
            out->dims[out->rank++] = query->shape.dims[i];
    out->dims[out->rank++] = params->num_heads;
    for (int i = 0; i < n_axes; i++)
        if (attended[i])
            out->dims[out->rank++] = query->shape.dims[i];
    for (int i = 0; i < n_axes; i++)
        if (attended[i])
            out->dims[out->rank++] = key->shape.dims[i];
}

static ks_code with_scores(ks_tree *out, ks_call *call, const ks_shape *result, const ks_shape *scores) {
    ks_code code;
    *out = ks_tree_list(call->arena, 2);
    if (!out->as.list.items)
        return call->context->error.code;
    KS_TRY(ks_result(&out->as.list.items[0], call, KS_DTYPE_NONE, result));
    KS_TRY(ks_result(&out->as.list.items[1], call, KS_DTYPE_NONE, scores));
done:
    return code;
}

static ks_code multi_head_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_multi_head *params = object->params;
    const ks_projections p = ks_multi_head_projections(object);
    ks_array *query, *value, *key;
    ks_shape shape, scores;
    ks_code code;
    KS_TRY(check_inputs(call, object, &query, &value, &key));
    if (query->shape.dims[query->shape.rank - 1] != p.query->trainable_variables->shape.dims[0] ||
        key->shape.dims[key->shape.rank - 1] != p.key->trainable_variables->shape.dims[0] ||
        value->shape.dims[value->shape.rank - 1] != p.value->trainable_variables->shape.dims[0])
        return ks_shape_error(call->context, object,
                              "query, key or value has another width than the layer was built for");
    for (int i = 0; i < query->shape.rank - 1 && !call->symbolic; i++)
        if (i == 0 && (query->shape.dims[0] != value->shape.dims[0] || query->shape.dims[0] != key->shape.dims[0]))
            return ks_shape_error(call->context, object, "query, key and value have batches of different sizes");
    shape = query->shape;
    if (params->output_shape.count) {
        shape.rank--;
        for (int i = 0; i < params->output_shape.count; i++)
            shape.dims[shape.rank++] = params->output_shape.items[i];
    }
    if (!ks_call_flag(call, KS_MHA_RETURN_SCORES, false))
        return ks_result(out, call, KS_DTYPE_NONE, &shape);
    scores_shape(&scores, call, object, query, key);
    code = with_scores(out, call, &shape, &scores);
done:
    return code;
}

static const char *const multi_head_arguments[] = {"query",
                                                   "value",
                                                   "key",
                                                   "query_mask",
                                                   "value_mask",
                                                   "key_mask",
                                                   "attention_mask",
                                                   "return_attention_scores",
                                                   "training",
                                                   "use_causal_mask",
                                                   NULL};

const ks_class ks_class_MultiHeadAttention = {
    .name = "MultiHeadAttention",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(multi_head_keys),
    .written = "name trainable dtype *",
    .params_size = sizeof(ks_multi_head),
    .arguments = multi_head_arguments,
    .mask = KS_MASK_PASS,
    .mask_since = 210,
    .takes_masks = true,
    .check = multi_head_check,
    .build = multi_head_build,
    .infer = multi_head_infer,
};

const ks_class ks_class_GroupQueryAttention = {
    .name = "GroupQueryAttention",
    .python_name = "GroupedQueryAttention",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(grouped_keys),
    .params_size = sizeof(ks_multi_head),
    .arguments = multi_head_arguments,
    .mask = KS_MASK_PASS,
    .check = grouped_check,
    .build = multi_head_build,
    .infer = multi_head_infer,
};

// --- Attention and AdditiveAttention --------------------------------------------------------------------------------

static const char *const score_modes[] = {"dot", "concat", NULL};

static const ks_key attention_keys[] = {
    KS_ROW(ks_attention, use_scale, BOOL, KS_NUMERIC, "false"),
    KS_ROW_CHOICE(ks_attention, score_mode, KS_NUMERIC, "\"dot\"", score_modes),
    KS_ROW(ks_attention, dropout, FLOAT, KS_INERT, "0.0"),
    KS_ROW_SINCE(ks_attention, seed, ANY, KS_NULLABLE | KS_INERT, "null", "3.4"),
};

static const ks_key additive_keys[] = {
    KS_ROW(ks_attention, use_scale, BOOL, KS_NUMERIC, "true"),
    KS_ROW(ks_attention, dropout, FLOAT, KS_INERT, "0.0"),
    KS_ROW_SINCE(ks_attention, seed, ANY, KS_NULLABLE | KS_INERT, "null", "3.4"),
};

// [query, value] or [query, value, key], each (batch, length, width).
static ks_code listed_inputs(ks_call *call, const ks_object *object, ks_array *inputs[3]) {
    const ks_tree *list = &call->arguments[KS_ATTENTION_INPUTS];
    ks_code code = KS_OK;
    if (list->type != KS_TREE_LIST || list->as.list.count < 2 || list->as.list.count > 3)
        return ks_fail(call->context, KS_E_CONFIG_ARGUMENT, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place,
                       "%s \"%s\": expected a list of two or three tensors", object->row->name, object->name);
    for (size_t i = 0; i < list->as.list.count; i++) {
        if (list->as.list.items[i].type != KS_TREE_ARRAY)
            return ks_fail(call->context, KS_E_CONFIG_ARGUMENT, KS_STAGE_CONFIG, KS_NO_OFFSET, object->place,
                           "%s \"%s\": expected a list of tensors", object->row->name, object->name);
        inputs[i] = list->as.list.items[i].as.array;
        KS_TRY(ks_call_check_rank(call, object, inputs[i], 3, 3));
    }
    if (list->as.list.count == 2)
        inputs[2] = inputs[1];
done:
    return code;
}

static ks_code attention_build(ks_call *call, ks_object *object) {
    const ks_attention *params = object->params;
    static const ks_shape scalar = {0, {0}};
    ks_array *inputs[3];
    ks_code code;
    KS_TRY(listed_inputs(call, object, inputs));
    if (params->use_scale)
        KS_TRY(ks_add_variable(call, object, "scale", &scalar, KS_DTYPE_NONE, true));
    if (params->score_mode == 1)
        KS_TRY(ks_add_variable(call, object, "concat_score_weight", &scalar, KS_DTYPE_NONE, true));
done:
    return code;
}

static ks_code additive_build(ks_call *call, ks_object *object) {
    const ks_attention *params = object->params;
    ks_array *inputs[3];
    ks_code code;
    KS_TRY(listed_inputs(call, object, inputs));
    if (params->use_scale) {
        ks_shape width = {1, {inputs[0]->shape.dims[2]}};
        KS_TRY(ks_add_variable(call, object, "scale", &width, KS_DTYPE_NONE, true));
    }
done:
    return code;
}

static ks_code attention_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_array *inputs[3];
    ks_shape shape, scores;
    ks_code code;
    KS_TRY(listed_inputs(call, object, inputs));
    if (!call->symbolic &&
        (inputs[0]->shape.dims[0] != inputs[1]->shape.dims[0] || inputs[0]->shape.dims[0] != inputs[2]->shape.dims[0]))
        return ks_shape_error(call->context, object, "query, value and key have batches of different sizes");
    if (inputs[0]->shape.dims[2] != inputs[2]->shape.dims[2])
        return ks_shape_error(call->context, object, "query and key have different widths");
    if (inputs[1]->shape.dims[1] != inputs[2]->shape.dims[1])
        return ks_shape_error(call->context, object, "value and key have different lengths");
    if (object->row == &ks_class_AdditiveAttention && object->trainable_variables &&
        object->trainable_variables->shape.dims[0] != inputs[0]->shape.dims[2])
        return ks_shape_error(call->context, object, "the query has another width than the layer was built for");
    shape = inputs[0]->shape;
    shape.dims[2] = inputs[1]->shape.dims[2];
    if (!ks_call_flag(call, KS_ATTENTION_RETURN_SCORES, false))
        return ks_result(out, call, KS_DTYPE_NONE, &shape);
    scores = (ks_shape){3, {inputs[0]->shape.dims[0], inputs[0]->shape.dims[1], inputs[1]->shape.dims[1]}};
    code = with_scores(out, call, &shape, &scores);
done:
    return code;
}

// The query's mask goes on; the scores have none.
static ks_code attention_mask(ks_array **masks, const ks_tree *result, ks_call *call, ks_object *object) {
    const ks_tree *mask = &call->arguments[KS_ATTENTION_MASK];
    (void)result;
    (void)object;
    if (mask->type == KS_TREE_LIST && mask->as.list.count && mask->as.list.items[0].type == KS_TREE_ARRAY)
        masks[0] = mask->as.list.items[0].as.array;
    return KS_OK;
}

static const char *const attention_arguments[] = {"inputs",          "mask", "training", "return_attention_scores",
                                                  "use_causal_mask", NULL};

const ks_class ks_class_Attention = {
    .name = "Attention",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(attention_keys),
    .params_size = sizeof(ks_attention),
    .arguments = attention_arguments,
    .mask = KS_MASK_CUSTOM,
    .build = attention_build,
    .infer = attention_infer,
    .compute_mask = attention_mask,
};

const ks_class ks_class_AdditiveAttention = {
    .name = "AdditiveAttention",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(additive_keys),
    .params_size = sizeof(ks_attention),
    .arguments = attention_arguments,
    .mask = KS_MASK_CUSTOM,
    .build = additive_build,
    .infer = attention_infer,
    .compute_mask = attention_mask,
};
