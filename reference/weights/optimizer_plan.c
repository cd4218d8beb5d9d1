// SPDX-License-Identifier: Apache-2.0
//
// What an optimizer keeps, in its order.
//
//   both       iteration (int64); Keras 3: learning_rate, unless a schedule gives it; with use_ema an average of every
//              variable; then the class's own, below
//   SGD        a momentum for each variable; Keras 3 has none while momentum is 0
//   Adafactor  of matrices and more: means of rows and columns and the whole; of others Keras 3 keeps two integers
//              in place of the means
//   Nadam      Keras 3 keeps the product of its momenta behind all others, tf_keras does not save it
//
// Source: Keras 3 optimizers/*.py, tf_keras optimizers/*.py (build).
#include <string.h>

#include "weights/optimizer.h"

/// Slots of one class: those of a group are kept together for each variable, group after group.
typedef struct state_layout {
    const char *class_name;
    const char *group[3][3];
} state_layout;

static const state_layout layouts[] = {
    {"SGD", {{"m"}}},
    {"RMSprop", {{"velocity"}, {"momentum"}, {"average_gradient"}}},
    {"Adam", {{"m", "v"}, {"vhat"}}},
    {"AdamW", {{"m", "v"}, {"vhat"}}},
    {"Nadam", {{"m", "v"}}},
    {"Adamax", {{"m", "u"}}},
    {"Adagrad", {{"accumulator"}}},
    {"Adadelta", {{"accumulated_grad", "accumulated_delta_var"}}},
    {"Ftrl", {{"accumulator", "linear"}}},
    {"Lion", {{"m"}}},
    {"Adafactor", {{"r", "c", "v"}}},
};

typedef struct planning {
    ks_context *context;
    ks_arena *arena;
    ks_state_plan *plan;
    const ks_value *config;
    const ks_trained *trained;
    bool keras3;
} planning;

static ks_code add(planning *p, const char *slot, const ks_trained *trained, size_t i, ks_dtype dtype,
                   const ks_shape *shape) {
    if (p->plan->count == p->plan->room) {
        size_t room = 2 * p->plan->room + 16;
        ks_state_part *bigger = ks_arena_get(p->arena, room, sizeof *bigger);
        if (!bigger)
            return p->context->error.code;
        if (p->plan->count)
            memcpy(bigger, p->plan->items, p->plan->count * sizeof *bigger);
        p->plan->items = bigger;
        p->plan->room = room;
    }
    p->plan->items[p->plan->count++] =
        (ks_state_part){slot, trained ? trained->variables[i] : NULL, trained ? trained->names[i] : NULL, dtype,
                        shape ? *shape : (ks_shape){0, {0}}};
    return KS_OK;
}

static bool is_true(const planning *p, const char *key) {
    const ks_value *value = ks_value_get(p->config, key);
    return value && value->type == KS_VALUE_BOOL && value->as.boolean;
}

static double number(const planning *p, const char *key) {
    double result;
    return ks_value_number(ks_value_get(p->config, key), &result) ? result : 0;
}

/// Whether the optimizer has this slot at all.
static bool has_slot(const planning *p, const char *class_name, const char *slot) {
    if (strcmp(slot, "vhat") == 0)
        return is_true(p, "amsgrad");
    if (strcmp(class_name, "RMSprop") == 0 && strcmp(slot, "momentum") == 0)
        return number(p, "momentum") > 0;
    if (strcmp(slot, "average_gradient") == 0)
        return is_true(p, "centered");
    if (strcmp(class_name, "SGD") == 0)
        return !p->keras3 || number(p, "momentum") != 0;
    return true;
}

/// The mean over the last axis ("r") or the one before it ("c").
static ks_shape without_axis(const ks_shape *shape, int axis) {
    ks_shape result = {shape->rank - 1, {0}};
    for (int i = 0, k = 0; i < shape->rank; i++)
        if (i != axis)
            result.dims[k++] = shape->dims[i];
    return result;
}

static ks_code add_slot(planning *p, const char *slot, size_t i) {
    const ks_variable *variable = p->trained->variables[i];
    ks_shape shape = variable->shape;
    bool mean = strcmp(slot, "r") == 0 || strcmp(slot, "c") == 0;
    if (mean && shape.rank < 2)
        return p->keras3 ? add(p, slot, p->trained, i, KS_INT32, NULL) : KS_OK;
    if (mean)
        shape = without_axis(&shape, shape.rank - (slot[0] == 'r' ? 1 : 2));
    return add(p, slot, p->trained, i, variable->dtype, &shape);
}

static ks_code add_group(planning *p, const state_layout *layout, const char *const group[3]) {
    ks_code code = KS_OK;
    for (size_t i = 0; i < p->trained->count; i++)
        for (size_t k = 0; k < 3 && group[k] && code == KS_OK; k++)
            if (has_slot(p, layout->class_name, group[k]))
                code = add_slot(p, group[k], i);
    return code;
}

static ks_code add_common(planning *p) {
    const ks_value *rate = ks_value_get(p->config, "learning_rate");
    ks_code code;
    KS_TRY(add(p, "iteration", NULL, 0, KS_INT64, NULL));
    if (p->keras3 && rate && rate->type != KS_VALUE_DICT)
        KS_TRY(add(p, "learning_rate", NULL, 0, KS_FLOAT32, NULL));
    for (size_t i = 0; i < p->trained->count && is_true(p, "use_ema"); i++)
        KS_TRY(add(p, "average", p->trained, i, p->trained->variables[i]->dtype, &p->trained->variables[i]->shape));
done:
    return code;
}

static const state_layout *find_layout(const ks_value *record) {
    const ks_value *name = ks_value_get(record, "class_name");
    for (size_t i = 0; name && i < sizeof layouts / sizeof layouts[0]; i++)
        if (ks_value_is_text(name, layouts[i].class_name))
            return &layouts[i];
    return NULL;
}

bool ks_state_plan_known(const ks_value *record) {
    return find_layout(record) != NULL;
}

ks_code ks_state_plan_make(ks_state_plan *out, ks_context *context, ks_arena *arena, const ks_value *record,
                           const ks_trained *trained, bool keras3) {
    planning p = {context, arena, out, ks_value_get(record, "config"), trained, keras3};
    const state_layout *found = find_layout(record);
    ks_code code;
    memset(out, 0, sizeof *out);
    if (!found)
        return ks_fail(context, KS_E_SAVE_NO_WORD, KS_STAGE_SAVE, KS_NO_OFFSET, "optimizer",
                       "what this optimizer keeps is not known");
    KS_TRY(add_common(&p));
    for (size_t i = 0; i < 3; i++)
        KS_TRY(add_group(&p, found, found->group[i]));
    if (keras3 && strcmp(found->class_name, "Nadam") == 0)
        KS_TRY(add(&p, "u_product", NULL, 0, KS_FLOAT32, NULL));
done:
    return code;
}

size_t ks_state_plan_find(const ks_state_plan *plan, const ks_state_part *wanted, size_t *near) {
    for (size_t i = 0; i < plan->count; i++) {
        size_t at = (*near + i) % plan->count;
        if (plan->items[at].variable == wanted->variable && strcmp(plan->items[at].slot, wanted->slot) == 0) {
            *near = at + 1;
            return at;
        }
    }
    return plan->count;
}
