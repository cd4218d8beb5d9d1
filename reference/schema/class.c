// SPDX-License-Identifier: Apache-2.0
#include "schema/class.h"

#include <string.h>

static const ks_class *const all_classes[] = {
#define KS_LAYER(name) &ks_class_##name,
#define KS_MASKED_LAYER(name) &ks_class_##name,
#define KS_OBJECT(name) &ks_class_##name,
#include "schema/classes.def"
#undef KS_LAYER
#undef KS_MASKED_LAYER
#undef KS_OBJECT
    NULL};

const ks_class *const *ks_classes(void) {
    return all_classes;
}

// "keras.src.layers.core.dense" (3.0.0 and 3.0.1) names the same class as "keras.layers": the package's name follows
// "keras.src.". Operations and layers share names ("Add"), so that part decides.
static bool module_fits(const ks_class *row, ks_text module) {
    const char *package = strncmp(row->module, "keras.", 6) == 0 ? row->module + 6 : "models";
    size_t size = strlen(package);
    if (ks_text_is(module, row->module))
        return true;
    return module.size > 10 + size && memcmp(module.data, "keras.src.", 10) == 0 &&
           memcmp(module.data + 10, package, size) == 0 && module.data[10 + size] == '.';
}

const ks_class *ks_class_find(ks_text name, const ks_text *module) {
    for (const ks_class *const *row = all_classes; *row; row++) {
        if (!ks_text_is(name, (*row)->name) && !((*row)->python_name && ks_text_is(name, (*row)->python_name)))
            continue;
        if (!module || module_fits(*row, *module))
            return *row;
    }
    return NULL;
}

const char *ks_kind_name(ks_kind kind) {
    switch (kind) {
    case KS_KIND_LAYER:
        return "layer";
    case KS_KIND_MODEL:
        return "model";
    case KS_KIND_OPERATION:
        return "operation";
    case KS_KIND_INITIALIZER:
        return "initializer";
    case KS_KIND_REGULARIZER:
        return "regularizer";
    case KS_KIND_CONSTRAINT:
        return "constraint";
    case KS_KIND_POLICY:
        return "policy";
    case KS_KIND_OPTIMIZER:
        return "optimizer";
    case KS_KIND_LOSS:
        return "loss";
    case KS_KIND_METRIC:
        return "metric";
    case KS_KIND_SCHEDULE:
        return "schedule";
    }
    return "object";
}

const char *ks_class_python_name(const ks_class *row) {
    return row->python_name ? row->python_name : row->name;
}

size_t ks_class_argument_count(const ks_class *row) {
    size_t count = 0;
    if (!row->arguments)
        return 1;
    while (row->arguments[count])
        count++;
    return count;
}

static const char *const activation_names[] = {
#define KS_ACTIVATION(symbol, name) name,
#include "schema/activations.def"
#undef KS_ACTIVATION
};

ks_activation_id ks_activation_by_name(ks_text name) {
    static const struct {
        const char *alias;
        ks_activation_id id;
    } aliases[] = {{"swish", KS_ACTIVATION_SILU}, {"hard_swish", KS_ACTIVATION_HARD_SILU}};
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        if (ks_text_is(name, aliases[i].alias))
            return aliases[i].id;
    for (int i = 0; i < KS_N_ACTIVATIONS; i++)
        if (ks_text_is(name, activation_names[i]))
            return (ks_activation_id)i;
    return KS_N_ACTIVATIONS;
}

const char *ks_activation_name(ks_activation_id id) {
    return id >= 0 && id < KS_N_ACTIVATIONS ? activation_names[id] : "layer";
}
