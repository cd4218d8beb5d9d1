// SPDX-License-Identifier: Apache-2.0
//
// Source of the rules: Keras 3 initializers/{random_initializers,constant_initializers}.py; which initializer a
// variable has: the build methods of the layers.
#include "weights/initialize.h"

#include <math.h>
#include <string.h>

#include "base/cast.h"
#include "schema/class.h"
#include "schema/custom.h"
#include "schema/initializer.h"
#include "schema/recurrent.h"

// Standard deviation of a standard normal that is cut at two.
#define TRUNCATED_DEVIATION 0.87962566103423978

static size_t count_of(const ks_shape *shape) {
    uint64_t elements = 0;
    return ks_shape_elements(shape, &elements) ? (size_t)elements : 0;
}

static ks_code refuse(ks_context *context, const ks_object *initializer, const char *text) {
    return ks_fail(context, KS_E_CONFIG_UNSUPPORTED_VALUE, KS_STAGE_WEIGHTS, KS_NO_OFFSET, initializer->place, "%s: %s",
                   initializer->row->name, text);
}

void ks_initializer_fans(double *fan_in, double *fan_out, const ks_shape *shape) {
    double field = 1;
    *fan_in = *fan_out = shape->rank ? (double)shape->dims[0] : 1;
    if (shape->rank < 2)
        return;
    for (int i = 0; i + 2 < shape->rank; i++)
        field *= (double)shape->dims[i];
    *fan_in = field * (double)shape->dims[shape->rank - 2];
    *fan_out = field * (double)shape->dims[shape->rank - 1];
}

// --- distributions --------------------------------------------------------------------------------------------------

static void fill_uniform(double *out, size_t count, double low, double high, ks_random *random) {
    for (size_t i = 0; i < count; i++)
        out[i] = low + (high - low) * ks_random_unit(random);
}

static void fill_normal(double *out, size_t count, double mean, double deviation, bool truncated, ks_random *random) {
    for (size_t i = 0; i < count; i++)
        out[i] = mean + deviation * (truncated ? ks_random_truncated_gauss(random) : ks_random_gauss(random));
}

static void fill_all(double *out, size_t count, double value) {
    for (size_t i = 0; i < count; i++)
        out[i] = value;
}

enum { FAN_IN, FAN_OUT, FAN_AVERAGE };                          // choices of "mode"
enum { TRUNCATED_NORMAL, UNTRUNCATED_NORMAL, UNIFORM, NORMAL }; // choices of "distribution"

static void fill_scaled(double *out, const ks_shape *shape, double scale, int mode, int distribution,
                        ks_random *random) {
    double in, to, fan;
    ks_initializer_fans(&in, &to, shape);
    fan = mode == FAN_IN ? in : mode == FAN_OUT ? to : (in + to) / 2;
    scale /= fan > 1 ? fan : 1;
    if (distribution == UNIFORM)
        fill_uniform(out, count_of(shape), -sqrt(3 * scale), sqrt(3 * scale), random);
    else if (distribution == UNTRUNCATED_NORMAL)
        fill_normal(out, count_of(shape), 0, sqrt(scale), false, random);
    else
        fill_normal(out, count_of(shape), 0, sqrt(scale) / TRUNCATED_DEVIATION, true, random);
}

// --- orthogonal matrices ---------------------------------------------------------------------------------------------

static double dot(const double *a, const double *b, size_t rows, size_t columns) {
    double sum = 0;
    for (size_t i = 0; i < rows; i++)
        sum += a[i * columns] * b[i * columns];
    return sum;
}

// Orthonormal columns in place of random ones: Gram-Schmidt, each column twice, which is Q of a QR factorization whose
// R has a positive diagonal. False: a column vanished.
static bool orthonormalize(double *matrix, size_t rows, size_t columns) {
    for (size_t c = 0; c < columns; c++) {
        double length;
        for (int again = 0; again < 2; again++)
            for (size_t other = 0; other < c; other++) {
                double along = dot(matrix + c, matrix + other, rows, columns);
                for (size_t i = 0; i < rows; i++)
                    matrix[i * columns + c] -= along * matrix[i * columns + other];
            }
        length = sqrt(dot(matrix + c, matrix + c, rows, columns));
        if (!(length > 0))
            return false;
        for (size_t i = 0; i < rows; i++)
            matrix[i * columns + c] /= length;
    }
    return true;
}

static ks_code fill_orthogonal(double *out, const ks_shape *shape, const ks_object *initializer, ks_context *context,
                               ks_arena *arena, ks_random *random) {
    const ks_orthogonal *params = initializer->params;
    size_t columns = shape->rank ? (size_t)shape->dims[shape->rank - 1] : 1, count = count_of(shape);
    size_t rows = columns ? count / columns : 0, high = rows > columns ? rows : columns;
    size_t low = rows > columns ? columns : rows;
    double *matrix;
    if (shape->rank < 2)
        return refuse(context, initializer, "a variable of fewer than two dimensions cannot be orthogonal");
    matrix = ks_arena_get(arena, count ? count : 1, sizeof(*matrix));
    if (!matrix)
        return context->error.code;
    do
        fill_normal(matrix, count, 0, 1, false, random);
    while (!orthonormalize(matrix, high, low));
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            out[r * columns + c] = params->gain * (rows < columns ? matrix[c * low + r] : matrix[r * low + c]);
    return KS_OK;
}

// --- constants -------------------------------------------------------------------------------------------------------

static ks_code fill_constant(double *out, const ks_shape *shape, const ks_object *initializer, ks_context *context) {
    const ks_numbers *value = &((const ks_constant *)initializer->params)->value;
    size_t count = count_of(shape);
    if (value->shape.rank == 0 || value->count == 1) {
        fill_all(out, count, value->count ? value->items[0] : 0);
        return KS_OK;
    }
    if (value->count == 0 || count % value->count != 0 || value->shape.rank > shape->rank)
        return refuse(context, initializer, "the value does not fit the variable");
    for (int i = 0; i < value->shape.rank; i++)
        if (value->shape.dims[i] != shape->dims[shape->rank - value->shape.rank + i])
            return refuse(context, initializer, "the value does not fit the variable");
    for (size_t i = 0; i < count; i++) // broadcast over the first dimensions
        out[i] = value->items[i % value->count];
    return KS_OK;
}

static ks_code fill_identity(double *out, const ks_shape *shape, const ks_object *initializer, ks_context *context) {
    const ks_identity *params = initializer->params;
    if (shape->rank != 2)
        return refuse(context, initializer, "only a matrix can be an identity");
    fill_all(out, count_of(shape), 0);
    for (int64_t i = 0; i < shape->dims[0] && i < shape->dims[1]; i++)
        out[i * shape->dims[1] + i] = params->gain;
    return KS_OK;
}

// --- by class --------------------------------------------------------------------------------------------------------

static bool is_given(const ks_value *value) {
    return value && value->type != KS_VALUE_NULL;
}

// All of Glorot, He and LeCun: "scale", "mode" and "distribution" of VarianceScaling.
typedef struct scaling {
    const ks_class *row;
    double scale;
    int mode, distribution;
} scaling;

static const scaling scalings[] = {
    {&ks_class_GlorotUniform, 1, FAN_AVERAGE, UNIFORM}, {&ks_class_GlorotNormal, 1, FAN_AVERAGE, TRUNCATED_NORMAL},
    {&ks_class_HeUniform, 2, FAN_IN, UNIFORM},          {&ks_class_HeNormal, 2, FAN_IN, TRUNCATED_NORMAL},
    {&ks_class_LecunUniform, 1, FAN_IN, UNIFORM},       {&ks_class_LecunNormal, 1, FAN_IN, TRUNCATED_NORMAL},
};

static ks_code fill_variance(double *out, const ks_shape *shape, const ks_object *initializer, ks_context *context,
                             ks_random *random) {
    for (size_t i = 0; i < sizeof(scalings) / sizeof(scalings[0]); i++) {
        const ks_glorot_uniform *params = initializer->params; // all six have these keys
        if (scalings[i].row != initializer->row)
            continue;
        if (is_given(params->input_axes) || is_given(params->output_axes))
            return refuse(context, initializer, "axes of its own cannot be sampled by this reference");
        fill_scaled(out, shape, scalings[i].scale, scalings[i].mode, scalings[i].distribution, random);
        return KS_OK;
    }
    if (initializer->row == &ks_class_VarianceScaling) {
        const ks_variance_scaling *params = initializer->params;
        if (is_given(params->input_axes) || is_given(params->output_axes))
            return refuse(context, initializer, "axes of its own cannot be sampled by this reference");
        fill_scaled(out, shape, params->scale, params->mode, params->distribution, random);
        return KS_OK;
    }
    return refuse(context, initializer, "it cannot be sampled by this reference");
}

static ks_code fill_custom(double *out, const ks_shape *shape, const ks_object *initializer, ks_context *context,
                           ks_arena *arena, ks_random *random) {
    const ks_plugin_class *custom = initializer->row->custom;
    ks_call none = {.context = context, .arena = arena, .real = KS_FLOAT64};
    ks_plugin_call call = {
        .context = context, .call = &none, .registry = initializer->registry, .bits = 64, .random = random};
    if (!custom->fill)
        return refuse(context, initializer, "the plugin has no fill function for it");
    return custom->fill(&ks_plugin_functions, &call, (const ks_plugin_object *)initializer, out, shape);
}

ks_code ks_initializer_fill(double *out, const ks_shape *shape, const ks_object *initializer, ks_context *context,
                            ks_arena *arena, ks_random *random) {
    const ks_class *row = initializer ? initializer->row : &ks_class_GlorotUniform;
    size_t count = count_of(shape);
    if (!initializer)
        fill_scaled(out, shape, 1, FAN_AVERAGE, UNIFORM, random);
    else if (row->custom)
        return fill_custom(out, shape, initializer, context, arena, random);
    else if (row == &ks_class_Zeros || row == &ks_class_Ones)
        fill_all(out, count, row == &ks_class_Ones);
    else if (row == &ks_class_Constant)
        return fill_constant(out, shape, initializer, context);
    else if (row == &ks_class_Identity)
        return fill_identity(out, shape, initializer, context);
    else if (row == &ks_class_Orthogonal)
        return fill_orthogonal(out, shape, initializer, context, arena, random);
    else if (row == &ks_class_RandomNormal)
        fill_normal(out, count, ((const ks_random_normal *)initializer->params)->mean,
                    ((const ks_random_normal *)initializer->params)->stddev, false, random);
    else if (row == &ks_class_TruncatedNormal)
        fill_normal(out, count, ((const ks_truncated_normal *)initializer->params)->mean,
                    ((const ks_truncated_normal *)initializer->params)->stddev, true, random);
    else if (row == &ks_class_RandomUniform)
        fill_uniform(out, count, ((const ks_random_uniform *)initializer->params)->minval,
                     ((const ks_random_uniform *)initializer->params)->maxval, random);
    else
        return fill_variance(out, shape, initializer, context, random);
    return KS_OK;
}

// --- variables -------------------------------------------------------------------------------------------------------

static const ks_object *key_object(const ks_object *object, const char *key, bool *found) {
    for (size_t i = 0; i < object->row->n_keys; i++) {
        const ks_key *k = &object->row->keys[i];
        if (k->type == KS_KEY_INITIALIZER && k->offset != KS_LOOSE && strcmp(k->name, key) == 0) {
            *found = true;
            return *(ks_object *const *)((const char *)object->params + k->offset);
        }
    }
    return NULL;
}

// "recurrent_kernel" has "recurrent_initializer", "kernel" "kernel_initializer".
static const char *key_of(ks_arena *arena, const char *name) {
    size_t size = strlen(name);
    if (size > 7 && strcmp(name + size - 7, "_kernel") == 0)
        size -= 7;
    return ks_arena_format(arena, "%.*s_initializer", (int)size, name);
}

// Variables whose initializer no config names.
static bool fixed_value(double *out, const ks_variable *v) {
    const ks_class *row = v->owner->row;
    static const char *const ones[] = {"gamma", "moving_variance", "variance", "moving_stddev", "renorm_stddev"};
    static const char *const zeros[] = {"beta", "bias", "moving_mean", "mean", "count", "renorm_mean", "summary"};
    if (strcmp(v->name, "scale") == 0 || strcmp(v->name, "concat_score_weight") == 0) {
        *out = 1;
        return row != &ks_class_AdditiveAttention; // glorot_uniform there
    }
    for (size_t i = 0; i < sizeof(ones) / sizeof(ones[0]); i++)
        if (strcmp(v->name, ones[i]) == 0) {
            *out = 1;
            return true;
        }
    for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++)
        if (strcmp(v->name, zeros[i]) == 0) {
            *out = 0;
            return true;
        }
    return false;
}

// The gate that decides what is forgotten starts open.
static void open_forget_gate(double *out, const ks_variable *v) {
    const ks_rnn_cell *cell = v->owner->params;
    if (v->owner->row != &ks_class_LSTMCell || strcmp(v->name, "bias") != 0 || !cell->unit_forget_bias)
        return;
    for (int64_t i = 0; i < cell->units; i++)
        out[cell->units + i] = 1;
}

static ks_code fill_variable(double *out, ks_variable *v, ks_context *context, ks_arena *arena, ks_random *random) {
    const ks_object *initializer = v->initializer;
    const char *key = key_of(arena, v->name);
    bool found = initializer != NULL;
    double value;
    ks_code code;
    if (!key)
        return context->error.code;
    for (const ks_object *at = v->owner; at && !found; at = at->parent) // what a layer makes inside has its settings
        initializer = key_object(at, key, &found);
    if (!initializer && fixed_value(&value, v)) {
        fill_all(out, count_of(&v->shape), value);
        return KS_OK;
    }
    KS_TRY(ks_initializer_fill(out, &v->shape, initializer, context, arena, random));
    open_forget_gate(out, v);
done:
    return code;
}

ks_code ks_weights_initialize(const ks_weight_map *map, ks_context *context, ks_arena *arena, uint64_t seed) {
    ks_random random;
    ks_code code = KS_OK;
    ks_random_seed(&random, seed);
    for (size_t i = 0; i < map->n_variables; i++) {
        ks_variable *v = map->variables[i];
        if (v->key) // the config has it, or nothing does
            continue;
        size_t count = count_of(&v->shape);
        double *numbers = ks_allocate(context, count ? count : 1, sizeof(*numbers));
        void *data = ks_arena_get(arena, count ? count : 1, ks_dtype_size(v->dtype));
        if (!numbers || !data)
            code = context->error.code;
        if (code == KS_OK)
            code = fill_variable(numbers, v, context, arena, &random);
        if (code == KS_OK) {
            ks_cast(data, v->dtype, numbers, KS_FLOAT64, count);
            v->data = data;
            v->real[0] = v->real[1] = NULL;
        }
        ks_free(context, numbers);
        if (code != KS_OK)
            break;
    }
    return code;
}
