// SPDX-License-Identifier: Apache-2.0
//
// Running a loaded model on tensors.
#include <stdio.h>
#include <string.h>

#include "base/cast.h"
#include "layers/run.h"
#include "model/model_internal.h"

struct ks_prediction {
    ks_context *context;
    ks_arena arena;
    ks_array **outputs;
    size_t count;
};

static ks_code input_error(ks_context *context, size_t index, const char *what, const char *expected,
                           const char *found) {
    char place[32];
    snprintf(place, sizeof(place), "input.%zu", index);
    return ks_fail(context, KS_E_MODEL_INPUTS, KS_STAGE_RUN, KS_NO_OFFSET, place, "expected %s %s, found %s", what,
                   expected, found);
}

static bool shape_fits(const ks_shape *pattern, const ks_shape *shape) {
    if (pattern->rank < 0)
        return true;
    if (pattern->rank != shape->rank)
        return false;
    for (int i = 0; i < shape->rank; i++)
        if (pattern->dims[i] != KS_UNKNOWN_DIM && pattern->dims[i] != shape->dims[i])
            return false;
    return true;
}

static bool is_floating(ks_dtype dtype) {
    return dtype == KS_FLOAT16 || dtype == KS_BFLOAT16 || dtype == KS_FLOAT32 || dtype == KS_FLOAT64;
}

// Casts as Keras does: to the input's declared type; a floating one but float64 goes on in the type the arithmetic is
// done in.
// Values of a narrower declared type are rounded to it first.
static ks_code make_input(ks_array **out, ks_prediction *p, const ks_model_port *port, const ks_tensor *tensor,
                          size_t index, ks_dtype real) {
    ks_dtype declared = port->dtype;
    ks_dtype type = is_floating(declared) && declared != KS_FLOAT64 ? real : declared;
    const void *data = tensor->data;
    char expected[256], found[256];
    uint64_t elements;
    ks_array *array;

    if (!shape_fits(&port->shape, &tensor->shape)) {
        ks_shape_format(&port->shape, expected, sizeof(expected));
        ks_shape_format(&tensor->shape, found, sizeof(found));
        return input_error(p->context, index, "shape", expected, found);
    }
    if (!ks_shape_elements(&tensor->shape, &elements))
        return input_error(p->context, index, "shape", "known dimensions", "others");
    array = ks_array_new(&p->arena, type, &tensor->shape);
    if (!array)
        return p->context->error.code;
    array->data = ks_arena_get(&p->arena, (size_t)elements + 1, ks_dtype_size(type));
    if (!array->data)
        return p->context->error.code;
    if ((declared == KS_STRING) != (tensor->dtype == KS_STRING))
        return input_error(p->context, index, "elements of type", ks_dtype_name(declared),
                           ks_dtype_name(tensor->dtype));
    if (declared == KS_STRING) {
        memcpy(array->data, data, (size_t)elements * sizeof(ks_text));
    } else if (is_floating(declared) && declared != KS_FLOAT32 && declared != real && declared != tensor->dtype) {
        void *rounded = ks_arena_get(&p->arena, (size_t)elements + 1, ks_dtype_size(declared));
        if (!rounded)
            return p->context->error.code;
        if (!ks_cast(rounded, declared, data, tensor->dtype, (size_t)elements))
            return input_error(p->context, index, "numbers of type", ks_dtype_name(declared),
                               ks_dtype_name(tensor->dtype));
        if (!ks_cast(array->data, type, rounded, declared, (size_t)elements))
            return KS_E_INTERNAL;
    } else if (!ks_cast(array->data, type, data, tensor->dtype, (size_t)elements)) {
        return input_error(p->context, index, "numbers of type", ks_dtype_name(declared), ks_dtype_name(tensor->dtype));
    }
    *out = array;
    return KS_OK;
}

// The model's argument: its inputs' structure filled with arrays.
static void fill(ks_tree *tree, const ks_tree *pattern, const size_t *slots, ks_array **arrays, size_t count) {
    if (pattern->type == KS_TREE_SLOT) {
        for (size_t i = 0; i < count; i++)
            if (slots[i] == pattern->as.slot)
                *tree = ks_tree_of(arrays[i]);
    } else if (pattern->type == KS_TREE_LIST || pattern->type == KS_TREE_DICT) {
        for (size_t i = 0; i < pattern->as.list.count; i++)
            fill(&tree->as.list.items[i], &pattern->as.list.items[i], slots, arrays, count);
    }
}

static ks_code copy_tree(ks_tree *out, ks_arena *arena, const ks_tree *pattern) {
    *out = *pattern;
    if (pattern->type != KS_TREE_LIST && pattern->type != KS_TREE_DICT)
        return KS_OK;
    out->as.list.items = ks_arena_get(arena, pattern->as.list.count + 1, sizeof(ks_tree));
    if (!out->as.list.items)
        return arena->context->error.code;
    for (size_t i = 0; i < pattern->as.list.count; i++) {
        ks_code code = copy_tree(&out->as.list.items[i], arena, &pattern->as.list.items[i]);
        if (code != KS_OK)
            return code;
    }
    return KS_OK;
}

static ks_code make_arguments(ks_tree *arguments, ks_prediction *p, ks_model *m, const ks_tensor *inputs,
                              size_t n_inputs, ks_dtype real) {
    const ks_tree *pattern = &m->root->graph->inputs;
    ks_array **arrays = ks_arena_get(&p->arena, n_inputs + 1, sizeof(*arrays));
    size_t *slots = ks_arena_get(&p->arena, n_inputs + 1, sizeof(*slots));
    ks_code code = KS_OK;
    if (!arrays || !slots)
        return p->context->error.code;
    ks_tree_slots(pattern, slots, n_inputs);
    for (size_t i = 0; i < n_inputs; i++) {
        ks_model_port port = ks_model_input_at(m, i);
        KS_TRY(make_input(&arrays[i], p, &port, &inputs[i], i, real));
    }
    KS_TRY(copy_tree(&arguments[0], &p->arena, pattern));
    fill(&arguments[0], pattern, slots, arrays, n_inputs);
done:
    return code;
}

static ks_code run_model(ks_prediction *p, ks_model *m, const ks_tree *arguments, ks_dtype real) {
    ks_run run = {.context = p->context, .arena = &p->arena};
    ks_tree result;
    ks_code code;
    KS_TRY(real == KS_FLOAT64 ? ks_call_layer_f64(&run, m->root, arguments, &result)
                              : ks_call_layer_f32(&run, m->root, arguments, &result));
    p->count = ks_tree_flatten(&result, NULL, 0);
    p->outputs = ks_arena_get(&p->arena, p->count + 1, sizeof(*p->outputs));
    if (!p->outputs)
        return p->context->error.code;
    ks_tree_flatten(&result, p->outputs, p->count);
done:
    return code;
}

// A Sequential model without the shape of its input may hold layers that have no variables yet.
static ks_code check_built(const ks_model *m) {
    for (size_t i = 0; i < m->map.n_objects; i++) {
        const ks_object *object = m->map.objects[i].object;
        if (!object->built && object->row->build)
            return ks_fail(m->context, KS_E_MODEL_RUN, KS_STAGE_RUN, KS_NO_OFFSET, object->place,
                           "%.60s \"%.60s\" was never built: the file does not say its input's shape",
                           object->row->name, object->name);
    }
    return KS_OK;
}

static ks_code predict(ks_prediction *p, ks_model *m, const ks_tensor *inputs, size_t n_inputs, ks_dtype real) {
    ks_tree arguments[3] = {{0}};
    ks_code code;
    if (real != KS_FLOAT32 && real != KS_FLOAT64)
        return ks_fail(p->context, KS_E_USAGE, KS_STAGE_RUN, KS_NO_OFFSET, NULL, "expected float32 or float64");
    if (n_inputs != ks_model_input_count(m))
        return ks_fail(p->context, KS_E_MODEL_INPUTS, KS_STAGE_RUN, KS_NO_OFFSET, NULL,
                       "the model has %zu inputs, found %zu", ks_model_input_count(m), n_inputs);
    KS_TRY(check_built(m));
    KS_TRY(ks_weights_prepare(&m->map, p->context, &m->arena, real == KS_FLOAT64));
    KS_TRY(make_arguments(arguments, p, m, inputs, n_inputs, real));
    KS_TRY(run_model(p, m, arguments, real));
done:
    return code;
}

typedef struct prediction_work {
    ks_prediction *prediction;
    ks_model *model;
    const ks_tensor *inputs;
    size_t n_inputs;
    ks_dtype real;
} prediction_work;

static ks_code predict_work(void *argument) {
    prediction_work *w = argument;
    return predict(w->prediction, w->model, w->inputs, w->n_inputs, w->real);
}

// Weights may be views into a mapped file. When its pages vanish, what was allocated meanwhile is gone already.
static ks_code guarded(prediction_work *w) {
    ks_model *m = w->model;
    ks_source *source = m->source ? m->source : m->architecture ? m->architecture->source : NULL;
    ks_arena arena = m->arena;
    ks_code code;
    if (!source)
        return predict_work(w);
    code = ks_source_guard(source, m->context, predict_work, w);
    if (code == KS_E_FILE_CHANGED) {
        m->arena = arena;
        ks_arena_init(&w->prediction->arena, m->context);
        for (size_t i = 0; i < m->map.n_variables; i++)
            memset(m->map.variables[i]->real, 0, sizeof(m->map.variables[i]->real));
        for (size_t i = 0; i < m->map.n_kept; i++)
            memset(m->map.kept[i]->real, 0, sizeof(m->map.kept[i]->real));
    }
    return code;
}

ks_code ks_model_predict(ks_prediction **out, ks_model *m, const ks_tensor *inputs, size_t n_inputs, ks_dtype real) {
    ks_context *context = m->context;
    uint64_t limit = context->memory.limit;
    prediction_work work = {NULL, m, inputs, n_inputs, real};
    ks_prediction *p;
    ks_code code;
    *out = NULL;
    context->memory.limit += context->limits.run_memory;
    p = ks_allocate(context, 1, sizeof(*p));
    if (!p) {
        context->memory.limit = limit;
        return context->error.code;
    }
    p->context = context;
    ks_arena_init(&p->arena, context);
    work.prediction = p;
    code = guarded(&work);
    context->memory.limit = limit;
    if (code != KS_OK) {
        ks_prediction_free(p);
        return code;
    }
    *out = p;
    return KS_OK;
}

size_t ks_prediction_count(const ks_prediction *p) {
    return p->count;
}

ks_tensor ks_prediction_at(const ks_prediction *p, size_t index) {
    const ks_array *array = p->outputs[index];
    ks_tensor tensor = {array->dtype, array->shape, array->data,
                        ks_array_elements(array) * ks_dtype_size(array->dtype)};
    return tensor;
}

void ks_prediction_free(ks_prediction *p) {
    if (!p)
        return;
    ks_arena_fini(&p->arena);
    ks_free(p->context, p);
}
