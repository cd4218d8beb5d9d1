// SPDX-License-Identifier: Apache-2.0
#include "schema/class.h"

#include "base/hash.h"

#include <pthread.h>
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
    const char *package;
    size_t size;
    if (ks_text_is(module, row->module))
        return true;
    package = strncmp(row->module, "keras.", 6) == 0 ? row->module + 6 : "models";
    size = strlen(package);
    return module.size > 10 + size && memcmp(module.data, "keras.src.", 10) == 0 &&
           memcmp(module.data + 10, package, size) == 0 && module.data[10 + size] == '.';
}

// --- by name --------------------------------------------------------------------------------------------------------

#define TABLE_SIZE 2048 ///< a power of two, more than twice the names

// Every row under its name and its Python name, in the order of classes.def along each probe. Written once under
// `table_once`, read-only afterwards.
static struct {
    const ks_class *row; ///< NULL: nothing here
    uint32_t hash;       ///< of the name; equal names have equal ones
} table[TABLE_SIZE];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

_Static_assert(4 * sizeof(all_classes) / sizeof(all_classes[0]) <= TABLE_SIZE + 4,
               "the table of class names is too small");

static void put_name(const ks_class *row, const char *name) {
    uint32_t hash = ks_hash_text(name, strlen(name));
    size_t at = hash & (TABLE_SIZE - 1);
    while (table[at].row)
        at = (at + 1) & (TABLE_SIZE - 1);
    table[at].row = row;
    table[at].hash = hash;
}

static void fill_table(void) {
    for (const ks_class *const *row = all_classes; *row; row++) {
        put_name(*row, (*row)->name);
        if ((*row)->python_name && strcmp((*row)->python_name, (*row)->name) != 0)
            put_name(*row, (*row)->python_name);
    }
}

const ks_class *ks_class_find(ks_text name, const ks_text *module) {
    pthread_once(&table_once, fill_table);
    uint32_t hash = ks_hash_text(name.data, name.size);
    for (size_t at = hash & (TABLE_SIZE - 1); table[at].row; at = (at + 1) & (TABLE_SIZE - 1)) {
        const ks_class *row = table[at].row;
        if (table[at].hash != hash ||
            (!ks_text_is(name, row->name) && !(row->python_name && ks_text_is(name, row->python_name))))
            continue;
        if (!module || module_fits(row, *module))
            return row;
    }
    return NULL;
}

bool ks_class_is_old(const ks_class *row) {
    const char *m = row->module; // asked of every record, hence without a call
    return m[0] == 'k' && m[1] == 'e' && m[2] == 'r' && m[3] == 'a' && m[4] == 's' && (m[5] == '1' || m[5] == '2') &&
           m[6] == '.';
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
    case KS_KIND_FUNCTION:
        return "function";
    case KS_KIND_SPEC:
        return "spec";
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
