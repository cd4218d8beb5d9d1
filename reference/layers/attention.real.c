// SPDX-License-Identifier: Apache-2.0
//
// Attention. A position that the mask forbids gets no weight; where a mask forbids every position the weights are
// equal, or 0 where Keras 3 computes the scores by themselves. Attention and AdditiveAttention instead subtract 1e9
// from forbidden scores.
#include <string.h>

#include "layers/layer.h"
#include "ops/activation.h"
#include "ops/product.h"
#include "schema/attention.h"

// --- multi-head -----------------------------------------------------------------------------------------------------

/// A projected tensor [axes…][heads][width] seen as [batch][positions]: offsets in elements.
typedef struct view {
    ks_real *data;
    size_t *batches; ///< [n_batches]
    size_t *positions;
    size_t n_batches, n_positions;
    size_t heads, width;
} view;

/// Who may look at whom. Strides of 0 repeat a size of 1.
typedef struct allowed {
    const uint8_t *query, *value, *key;                         ///< [batch][positions], NULL: all
    const uint8_t *explicit_mask;                               ///< NULL: all
    size_t batch_stride, head_stride, query_stride, key_stride; ///< of explicit_mask
    bool causal;
    int64_t window; ///< KS_NULL_INT: none
    bool adds;      ///< Keras 2 takes 1e9 from a forbidden score, instead of putting -1e9 in its place
    bool empties;   ///< weights of a query that may look at nothing are 0, not equal
} allowed;

static ks_code project(ks_run *run, ks_real **out, const ks_array *input, const ks_object *dense, bool sigmoid) {
    const ks_variable *kernel = ks_variable_at(dense, 0), *bias = ks_variable_at(dense, 1);
    size_t inner = (size_t)kernel->shape.dims[0], rows = ks_array_elements(input) / inner;
    size_t columns = (size_t)(kernel->shape.dims[1] * kernel->shape.dims[2]);
    const ks_real *x = KS_REAL(ks_as_real)(run, input);
    *out = ks_run_memory(run, rows * columns, sizeof(ks_real));
    if (!x || !*out)
        return run->context->error.code;
    KS_REAL(ks_matmul)(*out, x, ks_variable_real(kernel), bias ? ks_variable_real(bias) : NULL, rows, inner, columns);
    if (sigmoid)
        KS_REAL(ks_activation_apply)(KS_ACTIVATION_SIGMOID, *out, *out, rows, columns);
    return KS_OK;
}

// Offsets of every combination of the chosen axes, in row-major order, in units of whole positions.
static size_t *offsets_of(ks_run *run, const ks_shape *shape, const bool *chosen, bool wanted, size_t *count) {
    size_t strides[KS_MAX_RANK], *out;
    int n_axes = shape->rank - 1;
    *count = 1;
    for (int i = n_axes; i-- > 0;)
        strides[i] = i + 1 < n_axes ? strides[i + 1] * (size_t)shape->dims[i + 1] : 1;
    for (int i = 0; i < n_axes; i++)
        if (chosen[i] == wanted)
            *count *= (size_t)shape->dims[i];
    out = ks_run_memory(run, *count, sizeof(*out));
    for (size_t k = 0; out && k < *count; k++) {
        size_t rest = k, offset = 0;
        for (int i = n_axes; i-- > 0;) {
            if (chosen[i] != wanted)
                continue;
            offset += rest % (size_t)shape->dims[i] * strides[i];
            rest /= (size_t)shape->dims[i];
        }
        out[k] = offset;
    }
    return out;
}

static ks_code make_view(ks_run *run, view *out, const ks_array *input, ks_real *data, const bool *attended,
                         size_t heads, size_t width) {
    *out = (view){.data = data, .heads = heads, .width = width};
    out->batches = offsets_of(run, &input->shape, attended, false, &out->n_batches);
    out->positions = offsets_of(run, &input->shape, attended, true, &out->n_positions);
    return out->batches && out->positions ? KS_OK : run->context->error.code;
}

static ks_real *row_of(const view *v, size_t batch, size_t position, size_t head) {
    return v->data + ((v->batches[batch] + v->positions[position]) * v->heads + head) * v->width;
}

static bool is_allowed(const allowed *a, size_t batch, size_t n_queries, size_t n_keys, size_t head, size_t t,
                       size_t s) {
    if (a->query && !a->query[batch * n_queries + t])
        return false;
    if (a->value && !a->value[batch * n_keys + s])
        return false;
    if (a->key && !a->key[batch * n_keys + s])
        return false;
    if (a->causal && s > t)
        return false;
    if (a->window != KS_NULL_INT && (int64_t)(t > s ? t - s : s - t) >= a->window)
        return false;
    return !a->explicit_mask ||
           a->explicit_mask[batch * a->batch_stride + head * a->head_stride + t * a->query_stride + s * a->key_stride];
}

// Weights of one query position over all keys, into `weights`.
static void weigh(ks_real *weights, const view *query, const view *key, const allowed *a, size_t batch, size_t head,
                  size_t t, ks_real scale) {
    const ks_real *q = row_of(query, batch, t, head);
    size_t repeats = query->heads / key->heads, n = key->n_positions;
    bool seen, nothing = true;
    for (size_t s = 0; s < n; s++) {
        const ks_real *k = row_of(key, batch, s, head / repeats);
        ks_real sum = 0;
        for (size_t i = 0; i < query->width; i++)
            sum += q[i] * scale * k[i];
        seen = is_allowed(a, batch, query->n_positions, n, head, t, s);
        weights[s] = seen ? sum : a->adds ? sum - KS_C(1e9) : KS_C(-1e9);
        nothing &= !seen;
    }
    if (n && nothing && a->empties)
        memset(weights, 0, n * sizeof(*weights));
    else if (n)
        KS_REAL(ks_softmax_row)(weights, weights, n);
}

static void combine(ks_real *out, const ks_real *weights, const view *value, size_t batch, size_t head,
                    size_t n_heads) {
    size_t repeats = n_heads / value->heads;
    memset(out, 0, value->width * sizeof(*out));
    for (size_t s = 0; s < value->n_positions; s++) {
        const ks_real *v = row_of(value, batch, s, head / repeats);
        for (size_t i = 0; i < value->width; i++)
            out[i] += weights[s] * v[i];
    }
}

static const uint8_t *mask_data(const ks_call *call, size_t index) {
    const ks_array *mask = ks_call_array(call, index);
    return mask && mask->dtype == KS_BOOL8 ? mask->data : NULL;
}

// MultiHeadAttention of Keras 3 (3.9.2; not yet 3.6.0) looks at the mask that its query has when it runs, whatever it
// is given as query_mask. GroupQueryAttention does not.
static const uint8_t *query_mask(const ks_call *call, const ks_object *object) {
    const ks_array *query = ks_call_array(call, KS_MHA_QUERY);
    if (ks_is_old(object) || !object->row->takes_masks)
        return mask_data(call, KS_MHA_QUERY_MASK);
    return query->mask && query->mask->dtype == KS_BOOL8 ? query->mask->data : NULL;
}

static ks_code mask_error(ks_run *run, const ks_object *object) {
    return ks_fail(run->context, KS_E_MODEL_RUN, KS_STAGE_RUN, KS_NO_OFFSET, object->place,
                   "%s \"%s\": a mask of this shape or type cannot be run by this reference", object->row->name,
                   object->name);
}

// An attention_mask is [batch][T][S] or [batch][heads][T][S] of numbers or bools; sizes of 1 repeat.
static ks_code explicit_mask(ks_run *run, const ks_call *call, const ks_object *object, allowed *a, const view *query,
                             const view *key) {
    const ks_array *mask = ks_call_array(call, KS_MHA_ATTENTION_MASK);
    size_t sizes[4] = {query->n_batches, query->heads, query->n_positions, key->n_positions}, strides[4] = {0},
           stride = 1;
    uint8_t *bytes;
    const ks_real *numbers;
    if (!mask)
        return KS_OK;
    if (mask->shape.rank < 2 || mask->shape.rank > 4)
        return mask_error(run, object);
    for (int axis = 4, i = mask->shape.rank; i-- > 0;) {
        size_t dim = (size_t)mask->shape.dims[i];
        axis = i == 0 && mask->shape.rank == 3 ? 0 : axis - 1;
        if (dim != 1 && dim != sizes[axis])
            return mask_error(run, object);
        strides[axis] = dim == 1 ? 0 : stride;
        stride *= dim;
    }
    bytes = ks_run_memory(run, stride, 1);
    numbers = mask->dtype == KS_BOOL8 ? NULL : KS_REAL(ks_as_real)(run, mask);
    if (!bytes || (mask->dtype != KS_BOOL8 && !numbers))
        return run->context->error.code;
    for (size_t i = 0; i < stride; i++)
        bytes[i] = numbers ? numbers[i] != 0 : ((const uint8_t *)mask->data)[i] != 0;
    a->explicit_mask = bytes;
    a->batch_stride = strides[0];
    a->head_stride = strides[1];
    a->query_stride = strides[2];
    a->key_stride = strides[3];
    return KS_OK;
}

static ks_code collect_masks(ks_run *run, const ks_call *call, const ks_object *object, allowed *a, const view *query,
                             const view *key, const ks_array *query_input) {
    const ks_multi_head *params = object->params;
    if (!ks_is_before(object, 210)) { // masks of its inputs were not looked at before 2.10
        a->query = query_mask(call, object);
        a->value = mask_data(call, KS_MHA_VALUE_MASK);
        a->key = ks_call_array(call, KS_MHA_KEY) ? mask_data(call, KS_MHA_KEY_MASK) : NULL;
    }
    a->causal = ks_call_flag(call, KS_MHA_USE_CAUSAL_MASK, false);
    a->window = params->sliding_window;
    a->adds = ks_is_old(object);
    // Keras 3 has another way to the same numbers where it needs the scores or drops some of them.
    a->empties = !ks_is_old(object) && (params->dropout > 0 || ks_call_flag(call, KS_MHA_RETURN_SCORES, false));
    if (query_input->shape.rank != 3 && (a->query || a->value || a->key || a->causal || a->window != KS_NULL_INT ||
                                         ks_call_array(call, KS_MHA_ATTENTION_MASK)))
        return mask_error(run, object);
    return explicit_mask(run, call, object, a, query, key);
}

static ks_code run_multi_head(ks_run *run, ks_call *call, ks_object *object, ks_tree *out) {
    const ks_multi_head *params = object->params;
    const ks_projections p = ks_multi_head_projections(object);
    const ks_array *inputs[3] = {ks_call_array(call, KS_MHA_QUERY), ks_call_array(call, KS_MHA_KEY),
                                 ks_call_array(call, KS_MHA_VALUE)};
    ks_array *result = out->type == KS_TREE_LIST ? out->as.list.items[0].as.array : out->as.array;
    ks_array *scores = out->type == KS_TREE_LIST ? out->as.list.items[1].as.array : NULL;
    size_t heads = (size_t)params->num_heads, groups = (size_t)params->num_key_value_heads;
    size_t key_width = (size_t)params->key_dim, value_width = (size_t)params->value_dim, columns, rows;
    ks_real scale = 1 / KS_MATH(sqrt)((ks_real)params->key_dim), *data[3], *gate = NULL, *context, *weights;
    const ks_variable *kernel = ks_variable_at(p.output, 0), *bias = ks_variable_at(p.output, 1);
    bool attended[KS_MAX_RANK];
    allowed a = {0};
    view query, key, value, mixed;
    ks_code code;
    if (!inputs[1])
        inputs[1] = inputs[2];
    ks_attention_axes(attended, params, inputs[0]->shape.rank - 1);
    KS_TRY(project(run, &data[0], inputs[0], p.query, false));
    KS_TRY(project(run, &data[1], inputs[1], p.key, false));
    KS_TRY(project(run, &data[2], inputs[2], p.value, false));
    if (p.gate)
        KS_TRY(project(run, &gate, inputs[0], p.gate, true));
    KS_TRY(make_view(run, &query, inputs[0], data[0], attended, heads, key_width));
    KS_TRY(make_view(run, &key, inputs[1], data[1], attended, groups, key_width));
    KS_TRY(make_view(run, &value, inputs[2], data[2], attended, groups, value_width));
    KS_TRY(collect_masks(run, call, object, &a, &query, &key, inputs[0]));
    rows = query.n_batches * query.n_positions;
    context = ks_run_memory(run, rows * heads * value_width, sizeof(*context));
    weights = ks_run_memory(run, key.n_positions, sizeof(*weights));
    if (!context || !weights)
        return run->context->error.code;
    mixed = query;
    mixed.data = context;
    mixed.width = value_width;
    if (key.n_batches != query.n_batches || value.n_batches != query.n_batches)
        return ks_shape_error(run->context, object, "query, key and value have different batch axes");
    for (size_t b = 0; b < query.n_batches; b++)
        for (size_t h = 0; h < heads; h++)
            for (size_t t = 0; t < query.n_positions; t++) {
                ks_real *w =
                    scores ? ks_reals(scores) + ((b * heads + h) * query.n_positions + t) * key.n_positions : weights;
                weigh(w, &query, &key, &a, b, h, t, scale);
                combine(row_of(&mixed, b, t, h), w, &value, b, h, heads);
            }
    for (size_t i = 0; gate && i < rows * heads * value_width; i++)
        context[i] *= gate[i];
    columns = rows ? ks_array_elements(result) / rows : 0;
    KS_REAL(ks_matmul)(ks_reals(result), context, ks_variable_real(kernel), bias ? ks_variable_real(bias) : NULL, rows,
                       heads * value_width, columns);
done:
    return code;
}

KS_FORWARD(MultiHeadAttention) {
    return run_multi_head(run, call, object, out);
}

KS_FORWARD(GroupQueryAttention) {
    return run_multi_head(run, call, object, out);
}

// --- Attention and AdditiveAttention --------------------------------------------------------------------------------

typedef struct scorer {
    bool dot;            ///< else a sum of tanh(query + key)
    ks_real scale;       ///< of the dot product, or inside tanh
    ks_real weight;      ///< of the sum
    const ks_real *each; ///< weight of each element of the sum, NULL: 1
} scorer;

static ks_real score(const scorer *s, const ks_real *q, const ks_real *k, size_t width) {
    ks_real sum = 0;
    if (s->dot) {
        for (size_t i = 0; i < width; i++)
            sum += q[i] * k[i];
        return sum * s->scale;
    }
    for (size_t i = 0; i < width; i++) {
        ks_real t = KS_MATH(tanh)(s->scale * (q[i] + k[i]));
        sum += s->each ? s->each[i] * t : t;
    }
    return sum * s->weight;
}

static const uint8_t *listed_mask(const ks_call *call, size_t index) {
    const ks_tree *mask = &call->arguments[KS_ATTENTION_MASK];
    if (mask->type != KS_TREE_LIST || mask->as.list.count <= index || mask->as.list.items[index].type != KS_TREE_ARRAY)
        return NULL;
    return mask->as.list.items[index].as.array->data;
}

static ks_code attend(ks_run *run, ks_call *call, ks_tree *out, const scorer *s) {
    const ks_tree *list = &call->arguments[KS_ATTENTION_INPUTS];
    const ks_array *query = list->as.list.items[0].as.array, *value = list->as.list.items[1].as.array;
    const ks_array *key = list->as.list.count > 2 ? list->as.list.items[2].as.array : value;
    const ks_real *q = KS_REAL(ks_as_real)(run, query), *k = KS_REAL(ks_as_real)(run, key),
                  *v = KS_REAL(ks_as_real)(run, value);
    ks_array *result = out->type == KS_TREE_LIST ? out->as.list.items[0].as.array : out->as.array;
    ks_array *scores = out->type == KS_TREE_LIST ? out->as.list.items[1].as.array : NULL;
    size_t n_batches = (size_t)query->shape.dims[0], n_queries = (size_t)query->shape.dims[1],
           n_keys = (size_t)key->shape.dims[1];
    size_t width = (size_t)query->shape.dims[2], value_width = (size_t)value->shape.dims[2];
    const uint8_t *query_mask = listed_mask(call, 0), *value_mask = listed_mask(call, 1);
    bool causal = ks_call_flag(call, KS_ATTENTION_USE_CAUSAL_MASK, false);
    ks_real *memory = ks_run_memory(run, n_keys, sizeof(*memory));
    if (!q || !k || !v || !memory)
        return run->context->error.code;
    for (size_t b = 0; b < n_batches; b++)
        for (size_t t = 0; t < n_queries; t++) {
            ks_real *w = scores ? ks_reals(scores) + (b * n_queries + t) * n_keys : memory;
            ks_real *to = ks_reals(result) + (b * n_queries + t) * value_width;
            for (size_t i = 0; i < n_keys; i++) {
                w[i] = score(s, q + (b * n_queries + t) * width, k + (b * n_keys + i) * width, width);
                if ((causal && i > t) || (value_mask && !value_mask[b * n_keys + i]))
                    w[i] -= KS_C(1e9);
            }
            if (n_keys)
                KS_REAL(ks_softmax_row)(w, w, n_keys);
            memset(to, 0, value_width * sizeof(*to));
            for (size_t i = 0; i < n_keys; i++)
                for (size_t j = 0; j < value_width && (!query_mask || query_mask[b * n_queries + t]); j++)
                    to[j] += w[i] * v[(b * n_keys + i) * value_width + j];
        }
    return KS_OK;
}

KS_FORWARD(Attention) {
    const ks_attention *params = object->params;
    const ks_variable *scale = ks_variable_named(object, "scale"),
                      *weight = ks_variable_named(object, "concat_score_weight");
    scorer s = {.dot = params->score_mode == 0,
                .scale = scale ? *ks_variable_real(scale) : 1,
                .weight = weight ? *ks_variable_real(weight) : 1};
    return attend(run, call, out, &s);
}

KS_FORWARD(AdditiveAttention) {
    const ks_variable *scale = ks_variable_named(object, "scale");
    scorer s = {.scale = 1, .weight = 1, .each = scale ? ks_variable_real(scale) : NULL};
    return attend(run, call, out, &s);
}

// compute_mask hands the query's own mask on: there is nothing to fill.
KS_FORWARD_MASK(Attention) {
    (void)run, (void)call, (void)object, (void)out, (void)masks;
    return KS_OK;
}

KS_FORWARD_MASK(AdditiveAttention) {
    (void)run, (void)call, (void)object, (void)out, (void)masks;
    return KS_OK;
}
