// SPDX-License-Identifier: Apache-2.0
//
// The tables of golden/objects: what Keras writes of every public class.
#ifndef KASSAY_UNIT_OBJECT_TABLE_H
#define KASSAY_UNIT_OBJECT_TABLE_H

#include <string.h>

#include <kassay/json.h>
#include <kassay/object.h>

// What is read of an entry {"input": record with constructor arguments, "output": what Keras writes}. Records of Keras
// 2 have no module; their "class" says what they are. Their "output" is read, so that every key of it passes through.
static inline const ks_value *object_of_entry(const ks_value *entry, ks_object_options *options) {
    static const char *const kinds[][2] = {
        {"keras.layers.", "layer"},
        {"keras.initializers.", "initializer"},
        {"keras.regularizers.", "regularizer"},
        {"keras.constraints.", "constraint"},
        {"keras.losses.", "loss"},
        {"keras.metrics.", "metric"},
        {"keras.optimizers.schedules.", "schedule"},
        {"keras.optimizers.", "optimizer"},
        {"keras.mixed_precision.LossScaleOptimizer", "optimizer"},
        {"keras.mixed_precision.Policy", "policy"},
    };
    const ks_value *class_name = ks_value_get(entry, "class");
    *options = (ks_object_options){.dialect = class_name ? KS_DIALECT_KERAS2 : KS_DIALECT_AUTO};
    for (size_t i = 0; class_name && !options->kind && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strncmp(class_name->text.data, kinds[i][0], strlen(kinds[i][0])) == 0)
            options->kind = kinds[i][1];
    assert_true(!class_name || options->kind);
    return ks_value_get(entry, class_name ? "output" : "input");
}

/// By their text.
static inline bool same_value(ks_context *context, const ks_value *a, const ks_value *b) {
    ks_text first, second;
    bool same;
    assert_int_equal(ks_json_write(&first, context, a, (ks_json_style){0, true}), KS_OK);
    assert_int_equal(ks_json_write(&second, context, b, (ks_json_style){0, true}), KS_OK);
    same = ks_text_equal(first, second);
    ks_free(context, (void *)(uintptr_t)first.data);
    ks_free(context, (void *)(uintptr_t)second.data);
    return same;
}

#endif
