// SPDX-License-Identifier: Apache-2.0
//
// Names by which a config may call an object without a record: "glorot_uniform", "l2", "nonneg", or the class name
// itself. Source of the rule: Keras 3 initializers/regularizers/constraints `get`: class names and their snake_case
// forms; losses and metrics: training_name.c; optimizers/__init__.py.
#include <pthread.h>
#include <string.h>
#include <strings.h>

#include "schema/class.h"
#include "schema/training_name.h"

static bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

size_t ks_snake_case(char *out, size_t room, const char *name) {
    size_t size = 0;
    for (size_t i = 0; name[i] && size + 2 < room; i++) {
        char c = name[i];
        if (is_upper(c)) {
            if (i && (is_lower(name[i + 1]) || is_lower(name[i - 1])))
                out[size++] = '_';
            c = (char)(c | 0x20);
        } else if (!is_lower(c) && !(c >= '0' && c <= '9') && c != '_' && !((unsigned char)c & 0x80)) {
            continue;
        }
        out[size++] = c;
    }
    out[size] = 0;
    return size;
}

// Names that are no form of the class's own name.
static const struct {
    ks_kind kind;
    const char *alias;
    const ks_class *row;
} other_names[] = {
    {KS_KIND_INITIALIZER, "normal", &ks_class_RandomNormal},
    {KS_KIND_INITIALIZER, "uniform", &ks_class_RandomUniform},
    {KS_KIND_INITIALIZER, "one", &ks_class_Ones},
    {KS_KIND_INITIALIZER, "zero", &ks_class_Zeros},
    {KS_KIND_INITIALIZER, "stft", &ks_class_STFT},
    {KS_KIND_REGULARIZER, "l1l2", &ks_class_L1L2},
    {KS_KIND_REGULARIZER, "l1_l2", &ks_class_L1L2},
};

// --- by the class's own name or its snake_case form ------------------------------------------------------------------

#define TABLE_SIZE 2048 ///< a power of two, more than twice the classes

// Every row, in the order of classes.def along each probe. Written once under `table_once`, read-only afterwards.
static const ks_class *table[TABLE_SIZE];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

enum {
    N_CLASSES = 0
#define KS_LAYER(name) +1
#define KS_MASKED_LAYER(name) +1
#define KS_OBJECT(name) +1
#include "schema/classes.def"
#undef KS_LAYER
#undef KS_MASKED_LAYER
#undef KS_OBJECT
};
_Static_assert(2 * N_CLASSES <= TABLE_SIZE, "the table of class names is too small");

/// The same for a class name and its snake_case form: neither case nor underscores count.
static size_t hash_form(const char *name, size_t size) {
    uint32_t hash = 2166136261U; // FNV-1a
    for (size_t i = 0; i < size; i++) {
        uint32_t byte = (uint8_t)name[i];
        if (byte >= 'A' && byte <= 'Z')
            byte |= 0x20;
        if (byte != '_')
            hash = (hash ^ byte) * 16777619U;
    }
    return (hash ^ hash >> 15) & (TABLE_SIZE - 1);
}

static void fill_table(void) {
    for (const ks_class *const *row = ks_classes(); *row; row++) {
        size_t at = hash_form((*row)->name, strlen((*row)->name));
        while (table[at])
            at = (at + 1) & (TABLE_SIZE - 1);
        table[at] = *row;
    }
}

static bool is_form(const ks_class *row, ks_text name) {
    char snake[128];
    if (ks_text_is(name, row->name))
        return true;
    ks_snake_case(snake, sizeof(snake), row->name);
    return ks_text_is(name, snake);
}

static const ks_class *find_form(ks_kind kind, ks_text name) {
    pthread_once(&table_once, fill_table);
    for (size_t at = hash_form(name.data, name.size); table[at]; at = (at + 1) & (TABLE_SIZE - 1))
        if (table[at]->kind == kind && is_form(table[at], name))
            return table[at];
    return NULL;
}

// Of losses and metrics Keras knows the names of functions too ("mse", "KLD"), and not every form of every class.
static const ks_class *find_training(ks_kind kind, ks_text name) {
    const ks_training_name *known = ks_training_name_find(name);
    const ks_class *row = find_form(kind, name);
    if (row && ks_text_is(name, row->name))
        return row;
    if (!known || !(known->known & (kind == KS_KIND_LOSS ? KS_LOSS3 : KS_METRIC3)))
        return NULL;
    return row ? row : known->function ? find_form(kind, ks_text_from(known->function)) : NULL;
}

// Optimizers are found by the names of their classes, in upper or lower case.
static const ks_class *find_optimizer(ks_text name) {
    pthread_once(&table_once, fill_table);
    for (size_t at = hash_form(name.data, name.size); table[at]; at = (at + 1) & (TABLE_SIZE - 1))
        if (table[at]->kind == KS_KIND_OPTIMIZER && strlen(table[at]->name) == name.size &&
            strncasecmp(table[at]->name, name.data, name.size) == 0)
            return table[at];
    return NULL;
}

const ks_class *ks_class_by_alias(ks_kind kind, ks_text name) {
    if (kind == KS_KIND_LOSS || kind == KS_KIND_METRIC)
        return find_training(kind, name);
    if (kind == KS_KIND_OPTIMIZER)
        return find_optimizer(name);
    for (size_t i = 0; i < sizeof(other_names) / sizeof(other_names[0]); i++)
        if (other_names[i].kind == kind && ks_text_is(name, other_names[i].alias))
            return other_names[i].row;
    return find_form(kind, name);
}
