// SPDX-License-Identifier: Apache-2.0
//
// Names by which a config may call an object without a record: "glorot_uniform", "l2", "nonneg", or the class name
// itself. Source of the rule: Keras 3 initializers/regularizers/constraints `get`: class names and their snake_case
// forms.
#include <ctype.h>
#include <string.h>

#include "schema/class.h"

size_t ks_snake_case(char *out, size_t room, const char *name) {
    size_t size = 0;
    for (size_t i = 0; name[i] && size + 2 < room; i++) {
        bool upper = isupper((unsigned char)name[i]);
        bool starts_word = upper && i && islower((unsigned char)name[i + 1]);
        bool after_lower = upper && i && islower((unsigned char)name[i - 1]);
        if (!isalnum((unsigned char)name[i]) && name[i] != '_' && !((unsigned char)name[i] & 0x80))
            continue;
        if (starts_word || after_lower)
            out[size++] = '_';
        out[size++] = (char)tolower((unsigned char)name[i]);
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

const ks_class *ks_class_by_alias(ks_kind kind, ks_text name) {
    char snake[128];
    for (size_t i = 0; i < sizeof(other_names) / sizeof(other_names[0]); i++)
        if (other_names[i].kind == kind && ks_text_is(name, other_names[i].alias))
            return other_names[i].row;
    for (const ks_class *const *row = ks_classes(); *row; row++) {
        if ((*row)->kind != kind)
            continue;
        ks_snake_case(snake, sizeof(snake), (*row)->name);
        if (ks_text_is(name, (*row)->name) || ks_text_is(name, snake))
            return *row;
    }
    return NULL;
}
