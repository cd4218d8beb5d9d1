// SPDX-License-Identifier: Apache-2.0
//
// EinsumDense, Embedding, Masking, Identity. Source of the rules: Keras 3 layers/core/{einsum_dense,embedding,masking,
// identity}.py.
#include "schema/core_layers.h"

#include <ctype.h>
#include <string.h>

#include "schema/broadcast.h"
#include "schema/core.h"
#include "schema/key_row.h"

// --- equations ------------------------------------------------------------------------------------------------------

static const char *take_letters(char *out, const char *at) {
    size_t count = 0;
    while (isalpha((unsigned char)at[count]) && count < KS_MAX_RANK) {
        out[count] = at[count];
        count++;
    }
    out[count] = 0;
    return at + count;
}

static bool take(const char **at, const char *text) {
    size_t size = strlen(text);
    if (strncmp(*at, text, size) != 0)
        return false;
    *at += size;
    return true;
}

// [X],[Y]->[Z], ...[X],[Y]->...[Z], or [X]...,[Y]->[Z]...
static bool parse_equation(ks_equation *out, const char *at) {
    memset(out, 0, sizeof(*out));
    out->left_elided = take(&at, "...");
    at = take_letters(out->input, at);
    out->right_elided = !out->left_elided && take(&at, "...");
    if (!take(&at, ","))
        return false;
    at = take_letters(out->kernel, at);
    if (!take(&at, "->") || (out->left_elided && !take(&at, "...")))
        return false;
    at = take_letters(out->output, at);
    if (out->right_elided && !take(&at, "..."))
        return false;
    return *at == 0 && out->input[0] && out->kernel[0] && out->output[0] &&
           (!out->right_elided || strlen(out->input) >= 2);
}

static ks_code check_letters(ks_context *context, const ks_object *object) {
    const ks_einsum_dense *params = object->params;
    const ks_equation *e = &params->parsed;
    for (const char *c = e->output; *c; c++)
        if (!strchr(e->input, *c) && !strchr(e->kernel, *c))
            return ks_key_error(context, KS_E_CONFIG_VALUE, object, "equation",
                                "dimension '%c' of the output is in neither operand", *c);
    for (const char *c = e->kernel; *c; c++)
        if (!strchr(e->input, *c) && !strchr(e->output, *c))
            return ks_key_error(context, KS_E_CONFIG_VALUE, object, "equation",
                                "dimension '%c' of the kernel is in neither input nor output", *c);
    for (size_t i = 0; i < params->bias_axes.size; i++)
        if (!strchr(e->output, params->bias_axes.data[i]))
            return ks_key_error(context, KS_E_CONFIG_VALUE, object, "bias_axes", "dimension '%c' is not in the output",
                                params->bias_axes.data[i]);
    return KS_OK;
}

ks_code ks_einsum_dense_parse(ks_context *context, ks_object *object) {
    ks_einsum_dense *params = object->params;
    if (!parse_equation(&params->parsed, params->equation.data))
        return ks_key_error(context, KS_E_CONFIG_VALUE, object, "equation",
                            "expected [X],[Y]->[Z], ...[X],[Y]->...[Z] or [X]...,[Y]->[Z]..., found \"%.60s\"",
                            params->equation.data);
    return check_letters(context, object);
}

void ks_equation_labels(char *labels, const ks_equation *equation, const char *spec, int rank) {
    int letters = (int)strlen(spec), elided = rank - letters, at = 0;
    for (int i = 0; equation->left_elided && i < elided; i++)
        labels[at++] = (char)(1 + i);
    for (int i = 0; i < letters; i++)
        labels[at++] = spec[i];
    for (int i = 0; !equation->left_elided && i < elided; i++)
        labels[at++] = (char)(1 + i);
}

// --- EinsumDense ----------------------------------------------------------------------------------------------------

static const ks_key einsum_dense_keys[] = {
    KS_ROW(ks_einsum_dense, output_shape, SHAPE, KS_REQUIRED | KS_NUMERIC, NULL),
    KS_ROW(ks_einsum_dense, equation, TEXT, KS_REQUIRED | KS_NUMERIC, NULL),
    KS_ROW(ks_einsum_dense, activation, ACTIVATION, KS_NULLABLE | KS_NUMERIC, "null"),
    KS_ROW(ks_einsum_dense, bias_axes, TEXT, KS_NULLABLE | KS_NUMERIC, "null"),
    KS_ROW_INITIALIZER(ks_einsum_dense, kernel_initializer, "\"glorot_uniform\""),
    KS_ROW_INITIALIZER(ks_einsum_dense, bias_initializer, "\"zeros\""),
    KS_ROW_REGULARIZER(ks_einsum_dense, kernel_regularizer),
    KS_ROW_REGULARIZER(ks_einsum_dense, bias_regularizer),
    KS_ROW_REGULARIZER(ks_einsum_dense, activity_regularizer),
    KS_ROW_CONSTRAINT(ks_einsum_dense, kernel_constraint),
    KS_ROW_CONSTRAINT(ks_einsum_dense, bias_constraint),
    KS_ROW_SINCE(ks_einsum_dense, quantization_config, ANY, KS_NULLABLE, "null", "3.13"),
    KS_ROW_SINCE(ks_einsum_dense, lora_rank, INT, KS_NULLABLE | KS_INERT | KS_NOT_NULL, "null", "3.1"),
    KS_ROW_SINCE(ks_einsum_dense, lora_alpha, INT, KS_NULLABLE | KS_INERT | KS_NOT_NULL, "null", "3.10"),
    KS_ROW_SINCE(ks_einsum_dense, gptq_unpacked_column_size, ANY, KS_NULLABLE | KS_INERT | KS_NOT_NULL, "null", "3.11"),
};

static ks_code einsum_dense_check(ks_context *context, ks_object *object) {
    const ks_einsum_dense *params = object->params;
    ks_code code;
    KS_TRY(ks_check_not_quantized(context, object, params->quantization_config));
    KS_TRY(ks_einsum_dense_parse(context, object));
done:
    return code;
}

static int letter_at(const char *spec, char letter) {
    const char *found = strchr(spec, letter);
    return found ? (int)(found - spec) : -1;
}

// The whole output shape: batch, what the ellipsis stands for, and the config's dimensions, which may be unknown.
static ks_code full_output(ks_shape *out, ks_call *call, const ks_object *object, const ks_shape *input) {
    const ks_einsum_dense *params = object->params;
    const ks_equation *e = &params->parsed;
    int elided = input->rank - (int)strlen(e->input);
    bool whole = e->left_elided || e->right_elided ? elided >= 0 : elided == 0;
    if (!whole || input->rank < 1 || (e->left_elided && elided < 1))
        return ks_shape_error(call->context, object, "equation \"%.60s\" does not fit an input of rank %d",
                              params->equation.data, input->rank);
    if (params->output_shape.rank + input->rank > KS_MAX_RANK)
        return ks_shape_error(call->context, object, "more than %d dimensions", KS_MAX_RANK);
    *out = params->output_shape;
    ks_shape_insert(out, 0, input->dims[0]);
    for (int i = 1; e->left_elided && i < elided; i++)
        ks_shape_insert(out, 1, input->dims[i]); // each before the one before it, as Keras does
    for (int i = input->rank - elided; e->right_elided && i < input->rank; i++)
        ks_shape_insert(out, out->rank, input->dims[i]);
    if (out->rank != (int)strlen(e->output) + elided)
        return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "output_shape",
                            "the output would have rank %d, its equation says %d", out->rank,
                            (int)strlen(e->output) + elided);
    return KS_OK;
}

// Axis of a letter within a whole shape.
static int axis_of(const ks_equation *e, const char *spec, char letter, int rank) {
    int at = letter_at(spec, letter);
    return at < 0 ? -1 : e->left_elided ? at + rank - (int)strlen(spec) : at;
}

static ks_code check_shared(ks_call *call, const ks_object *object, const ks_shape *input, const ks_shape *output) {
    const ks_einsum_dense *params = object->params;
    const ks_equation *e = &params->parsed;
    for (const char *c = e->input; *c; c++) {
        int out = axis_of(e, e->output, *c, output->rank), in = axis_of(e, e->input, *c, input->rank);
        if (out >= 0 && output->dims[out] != KS_UNKNOWN_DIM && output->dims[out] != input->dims[in])
            return ks_shape_error(call->context, object, "dimension '%c' is %lld in the input and %lld in the output",
                                  *c, (long long)input->dims[in], (long long)output->dims[out]);
    }
    return KS_OK;
}

static void bias_shape(ks_shape *out, const ks_einsum_dense *params, const ks_shape *output, int elided) {
    const ks_equation *e = &params->parsed;
    int first = (int)strlen(e->output);
    for (size_t i = 0; i < params->bias_axes.size; i++)
        if (letter_at(e->output, params->bias_axes.data[i]) < first)
            first = letter_at(e->output, params->bias_axes.data[i]);
    out->rank = 0;
    for (const char *c = e->output + first; *c; c++) {
        bool own = memchr(params->bias_axes.data, *c, params->bias_axes.size) != NULL;
        out->dims[out->rank++] = own ? output->dims[axis_of(e, e->output, *c, output->rank)] : 1;
    }
    for (int i = 0; e->right_elided && i < elided; i++)
        out->dims[out->rank++] = 1;
}

static ks_code einsum_dense_build(ks_call *call, ks_object *object) {
    const ks_einsum_dense *params = object->params;
    const ks_equation *e = &params->parsed;
    ks_array *input = ks_call_input(call, object);
    ks_shape output, kernel = {.rank = 0}, bias;
    ks_code code;
    if (!input)
        return call->context->error.code;
    KS_TRY(full_output(&output, call, object, &input->shape));
    KS_TRY(check_shared(call, object, &input->shape, &output));
    for (const char *c = e->kernel; *c; c++) {
        int out = axis_of(e, e->output, *c, output.rank), in = axis_of(e, e->input, *c, input->shape.rank);
        kernel.dims[kernel.rank++] = out >= 0 ? output.dims[out] : input->shape.dims[in];
    }
    KS_TRY(ks_add_variable(call, object, "kernel", &kernel, KS_DTYPE_NONE, true));
    if (params->bias_axes.data && params->bias_axes.size) {
        bias_shape(&bias, params, &output, input->shape.rank - (int)strlen(e->input));
        KS_TRY(ks_add_variable(call, object, "bias", &bias, KS_DTYPE_NONE, true));
    }
done:
    return code;
}

// A numeric call knows every dimension: from the input where the letter is there, else from the kernel.
static ks_code numeric_output(ks_shape *output, ks_call *call, const ks_object *object, const ks_shape *input) {
    const ks_einsum_dense *params = object->params;
    const ks_equation *e = &params->parsed;
    const ks_shape *kernel = &object->trainable_variables->shape;
    for (const char *c = e->kernel; *c; c++) {
        int in = axis_of(e, e->input, *c, input->rank);
        if (in >= 0 && kernel->dims[c - e->kernel] != input->dims[in])
            return ks_shape_error(call->context, object, "expected %lld in dimension %d of the input, found %lld",
                                  (long long)kernel->dims[c - e->kernel], in, (long long)input->dims[in]);
    }
    for (const char *c = e->output; *c; c++) {
        int in = axis_of(e, e->input, *c, input->rank);
        output->dims[axis_of(e, e->output, *c, output->rank)] =
            in >= 0 ? input->dims[in] : kernel->dims[letter_at(e->kernel, *c)];
    }
    for (int i = 1; e->left_elided && i < input->rank - (int)strlen(e->input); i++)
        output->dims[i] = input->dims[i];
    return KS_OK;
}

static ks_code einsum_dense_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_array *input = ks_call_input(call, object);
    ks_shape output;
    ks_code code;
    if (!input)
        return call->context->error.code;
    KS_TRY(full_output(&output, call, object, &input->shape));
    if (call->symbolic)
        KS_TRY(check_shared(call, object, &input->shape, &output));
    else
        KS_TRY(numeric_output(&output, call, object, &input->shape));
    code = ks_result(out, call, KS_DTYPE_NONE, &output);
done:
    return code;
}

static const char *const training_arguments[] = {"inputs", "training", NULL};

const ks_class ks_class_EinsumDense = {
    .name = "EinsumDense",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(einsum_dense_keys),
    .params_size = sizeof(ks_einsum_dense),
    .arguments = training_arguments,
    .mask = KS_MASK_NONE,
    .check = einsum_dense_check,
    .build = einsum_dense_build,
    .infer = einsum_dense_infer,
};

// --- Embedding ------------------------------------------------------------------------------------------------------

static const ks_key embedding_keys[] = {
    KS_ROW_INTS(ks_embedding, input_dim, INT, KS_REQUIRED | KS_NUMERIC, NULL, 0, 1),
    KS_ROW_INTS(ks_embedding, output_dim, INT, KS_REQUIRED | KS_NUMERIC, NULL, 0, 1),
    KS_ROW_INITIALIZER(ks_embedding, embeddings_initializer, "\"uniform\""),
    KS_ROW_REGULARIZER(ks_embedding, embeddings_regularizer),
    KS_ROW_REGULARIZER(ks_embedding, activity_regularizer),
    KS_ROW_CONSTRAINT(ks_embedding, embeddings_constraint),
    KS_ROW(ks_embedding, mask_zero, BOOL, KS_NUMERIC, "false"),
    KS_ROW(ks_embedding, weights, ANY, KS_NULLABLE | KS_READ_ONLY, "null"),
    KS_ROW(ks_embedding, input_length, ANY, KS_NULLABLE | KS_READ_ONLY | KS_INERT, "null"),
    KS_ROW_SINCE(ks_embedding, quantization_config, ANY, KS_NULLABLE, "null", "3.13"),
    KS_ROW_SINCE(ks_embedding, lora_rank, INT, KS_NULLABLE | KS_INERT | KS_NOT_NULL, "null", "3.1"),
    KS_ROW_SINCE(ks_embedding, lora_alpha, INT, KS_NULLABLE | KS_INERT | KS_NOT_NULL, "null", "3.10"),
};

static ks_code embedding_check(ks_context *context, ks_object *object) {
    const ks_embedding *params = object->params;
    if (params->weights && params->weights->type != KS_VALUE_NULL)
        return ks_key_error(context, KS_E_CONFIG_UNSUPPORTED_VALUE, object, "weights",
                            "initial weights in a config cannot be read by this reference");
    return ks_check_not_quantized(context, object, params->quantization_config);
}

static ks_code embedding_build(ks_call *call, ks_object *object) {
    const ks_embedding *params = object->params;
    ks_shape shape = {2, {params->input_dim, params->output_dim}};
    return ks_add_variable(call, object, "embeddings", &shape, KS_DTYPE_NONE, true);
}

static ks_code embedding_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_embedding *params = object->params;
    ks_array *input = ks_call_input(call, object);
    ks_shape shape;
    if (!input)
        return call->context->error.code;
    if (input->shape.rank >= KS_MAX_RANK)
        return ks_shape_error(call->context, object, "more than %d dimensions", KS_MAX_RANK);
    shape = input->shape;
    ks_shape_insert(&shape, shape.rank, params->output_dim);
    return ks_result(out, call, KS_DTYPE_NONE, &shape);
}

static ks_code embedding_compute_mask(ks_array **masks, const ks_tree *result, ks_call *call, ks_object *object) {
    const ks_embedding *params = object->params;
    ks_array *input = ks_call_input(call, object);
    (void)result;
    if (!input)
        return call->context->error.code;
    if (!params->mask_zero)
        return KS_OK;
    masks[0] = ks_array_new(call->arena, KS_BOOL8, &input->shape);
    return masks[0] ? KS_OK : call->context->error.code;
}

const ks_class ks_class_Embedding = {
    .name = "Embedding",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    KS_KEYS(embedding_keys),
    .params_size = sizeof(ks_embedding),
    .mask = KS_MASK_CUSTOM,
    .check = embedding_check,
    .build = embedding_build,
    .infer = embedding_infer,
    .compute_mask = embedding_compute_mask,
};

// --- Masking, Identity ----------------------------------------------------------------------------------------------

static const ks_key masking_keys[] = {
    KS_ROW(ks_masking, mask_value, NUMBERS, KS_NUMERIC, "0.0"),
};

static ks_code masking_infer(ks_tree *out, ks_call *call, ks_object *object) {
    const ks_masking *params = object->params;
    ks_array *input = ks_call_input(call, object);
    ks_shape shape;
    ks_code code;
    if (!input)
        return call->context->error.code;
    KS_TRY(ks_call_check_rank(call, object, input, 1, -1));
    if (!ks_shape_broadcast(&shape, &input->shape, &params->mask_value.shape) || shape.rank != input->shape.rank)
        return ks_key_error(call->context, KS_E_CONFIG_SHAPE, object, "mask_value",
                            "the value cannot be broadcast to the input");
    code = ks_result(out, call, KS_DTYPE_NONE, &input->shape);
done:
    return code;
}

static ks_code masking_compute_mask(ks_array **masks, const ks_tree *result, ks_call *call, ks_object *object) {
    ks_shape shape = result->as.array->shape;
    (void)object;
    ks_shape_drop(&shape, shape.rank - 1);
    masks[0] = ks_array_new(call->arena, KS_BOOL8, &shape);
    return masks[0] ? KS_OK : call->context->error.code;
}

const ks_class ks_class_Masking = {
    .name = "Masking",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    .integers = KS_INTEGERS_REFUSED,
    KS_KEYS(masking_keys),
    .params_size = sizeof(ks_masking),
    .mask = KS_MASK_CUSTOM,
    .infer = masking_infer,
    .compute_mask = masking_compute_mask,
};

// The structure as it came, with its own element types.
static ks_code copy_structure(ks_tree *out, ks_call *call, const ks_tree *in) {
    ks_code code = KS_OK;
    *out = *in;
    if (in->type == KS_TREE_ARRAY)
        return ks_result(out, call, ks_dtype_is_floating(in->as.array->dtype) ? KS_DTYPE_NONE : in->as.array->dtype,
                         &in->as.array->shape);
    if (in->type != KS_TREE_LIST && in->type != KS_TREE_DICT)
        return KS_OK;
    out->as.list.items = ks_arena_get(call->arena, in->as.list.count + 1, sizeof(ks_tree));
    if (!out->as.list.items)
        return call->context->error.code;
    for (size_t i = 0; i < in->as.list.count && code == KS_OK; i++)
        code = copy_structure(&out->as.list.items[i], call, &in->as.list.items[i]);
    return code;
}

static ks_code identity_infer(ks_tree *out, ks_call *call, ks_object *object) {
    (void)object;
    return copy_structure(out, call, &call->arguments[0]);
}

const ks_class ks_class_IdentityLayer = {
    .name = "Identity",
    .module = "keras.layers",
    .kind = KS_KIND_LAYER,
    .mask = KS_MASK_PASS,
    .mask_since = KS_SINCE_KERAS3,
    .returns_input = true,
    .infer = identity_infer,
};
