// SPDX-License-Identifier: Apache-2.0
//
// Where masks go in a model for Keras 2.3. Most of its layers refuse an input that has one, where tf.keras and Keras 3
// let it end there; and its Softmax does not look at it. Followed in the record in the words of Keras 2.3, from layer
// to layer. Source: Keras 2.3.1 supports_masking and compute_mask of every class, engine/base_layer.py (compute_mask).
#include <string.h>

#include "config/downgrade_internal.h"

/// What becomes of a mask. Layers that are not named let it through.
typedef enum mask_rule {
    PASSES,
    REFUSED,
    ENDS,
    MADE,     ///< Masking
    BY_ZEROS, ///< Embedding: made by mask_zero; a mask of its own input ends
    FIRST,    ///< recurrent: that of the first input, with return_sequences
    IGNORED   ///< passed on, without being looked at
} mask_rule;

static const struct {
    const char *class_name;
    mask_rule rule;
} rules[] = {
    {"AveragePooling1D", REFUSED},
    {"AveragePooling2D", REFUSED},
    {"AveragePooling3D", REFUSED},
    {"Bidirectional", FIRST},
    {"Conv1D", REFUSED},
    {"Conv2D", REFUSED},
    {"Conv2DTranspose", REFUSED},
    {"Conv3D", REFUSED},
    {"Conv3DTranspose", REFUSED},
    {"ConvLSTM2D", FIRST},
    {"Cropping1D", REFUSED},
    {"Cropping2D", REFUSED},
    {"Cropping3D", REFUSED},
    {"DepthwiseConv2D", REFUSED},
    {"Dot", ENDS},
    {"Embedding", BY_ZEROS},
    {"Flatten", REFUSED},
    {"GRU", FIRST},
    {"GlobalAveragePooling1D", ENDS},
    {"GlobalAveragePooling2D", REFUSED},
    {"GlobalAveragePooling3D", REFUSED},
    {"GlobalMaxPooling1D", REFUSED},
    {"GlobalMaxPooling2D", REFUSED},
    {"GlobalMaxPooling3D", REFUSED},
    {"LSTM", FIRST},
    {"LocallyConnected1D", REFUSED},
    {"LocallyConnected2D", REFUSED},
    {"Masking", MADE},
    {"MaxPooling1D", REFUSED},
    {"MaxPooling2D", REFUSED},
    {"MaxPooling3D", REFUSED},
    {"Permute", REFUSED},
    {"RNN", FIRST},
    {"RepeatVector", REFUSED},
    {"Reshape", REFUSED},
    {"SeparableConv1D", REFUSED},
    {"SeparableConv2D", REFUSED},
    {"SimpleRNN", FIRST},
    {"Softmax", IGNORED},
    {"UpSampling1D", REFUSED},
    {"UpSampling2D", REFUSED},
    {"UpSampling3D", REFUSED},
    {"ZeroPadding1D", REFUSED},
    {"ZeroPadding2D", REFUSED},
    {"ZeroPadding3D", REFUSED},
};

static mask_rule rule_of(const ks_value *class_name) {
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (ks_value_is_text(class_name, rules[i].class_name))
            return rules[i].rule;
    return PASSES;
}

static bool is_true(const ks_value *value) {
    return value && value->type == KS_VALUE_BOOL && value->as.boolean;
}

/// Of one call: whether the output has a mask, when an input has one (`any`), or the first one (`first`).
static ks_code after_layer(bool *out, ks__downgrade *d, const ks_value *record, bool any, bool first,
                           const char *place) {
    const ks_value *name = ks_value_get(record, "class_name"), *config = ks_value_get(record, "config");
    const ks_value *run =
        ks_value_is_text(name, "Bidirectional") ? ks_value_get(ks_value_get(config, "layer"), "config") : config;
    switch (rule_of(name)) {
    case REFUSED:
        *out = false;
        return any ? ks__no_word(d, place, "%s of Keras 2.3 refuses an input with a mask", name->text.data) : KS_OK;
    case IGNORED:
        *out = any;
        return any ? ks__no_word(d, place, "%s of Keras 2.3 does not look at masks", name->text.data) : KS_OK;
    case ENDS:
        *out = false;
        return KS_OK;
    case MADE:
        *out = true;
        return KS_OK;
    case BY_ZEROS:
        *out = is_true(ks_value_get(config, "mask_zero"));
        return KS_OK;
    case FIRST:
        *out = first && is_true(ks_value_get(run, "return_sequences"));
        return KS_OK;
    default:
        *out = any;
        return KS_OK;
    }
}

static ks_code after_model(bool *out, ks__downgrade *d, const ks_value *config, bool masked, const char *place);

/// Models in models are followed again for each call, so there must be an end.
#define MAX_VISITS 2000000

static ks_code after(bool *out, ks__downgrade *d, const ks_value *record, bool any, bool first, const char *place) {
    if (++d->visits > MAX_VISITS)
        return ks_fail(d->context, KS_E_OVER_DEPTH, KS_STAGE_SAVE, KS_NO_OFFSET, place,
                       "the masks of this model go through more than %d calls", MAX_VISITS);
    return ks__early_is_model(record) ? after_model(out, d, ks_value_get(record, "config"), any, place)
                                      : after_layer(out, d, record, any, first, place);
}

// --- graphs ---------------------------------------------------------------------------------------------------------

typedef struct flow {
    ks__downgrade *d;
    const ks_value *layers;
    ks_name_table names;
    bool *masked; ///< whether an output of a layer has a mask, by its number
    const char *place;
} flow;

static bool tensor_is_masked(const flow *f, const ks_value *tensor) {
    size_t at = ks_name_table_place(&f->names, tensor->as.list.items[0].text)->number;
    return at != KS_NO_NUMBER && f->masked[at];
}

/// Every call of one layer. `*changed`: one of its outputs has a mask now.
static ks_code follow_layer(bool *changed, flow *f, size_t i) {
    const ks_value *record = &f->layers->as.list.items[i], *calls = ks_value_get(record, "inbound_nodes");
    const char *place = ks_arena_format(f->d->arena, "%s/layers/%zu", f->place, i);
    ks_code code = place ? KS_OK : f->d->context->error.code;
    for (size_t k = 0; code == KS_OK && k < calls->as.list.count; k++) {
        const ks_value *call = &calls->as.list.items[k];
        bool any = false, out = false;
        for (size_t n = 0; n < call->as.list.count && !any; n++)
            any = tensor_is_masked(f, &call->as.list.items[n]);
        code = after(&out, f->d, record, any, call->as.list.count > 0 && tensor_is_masked(f, &call->as.list.items[0]),
                     place);
        *changed = *changed || (out && !f->masked[i]);
        f->masked[i] = f->masked[i] || out;
    }
    return code;
}

/// Layers may stand in any order: there and back, until nothing changes.
static ks_code follow(flow *f) {
    ks_code code = KS_OK;
    for (bool changed = true; changed && code == KS_OK;) {
        size_t count = f->layers->as.list.count;
        changed = false;
        for (size_t i = 0; i < count && code == KS_OK; i++)
            code = follow_layer(&changed, f, i);
        for (size_t i = count; i-- > 0 && code == KS_OK && changed;)
            code = follow_layer(&changed, f, i);
    }
    return code;
}

static ks_code after_graph(bool *out, ks__downgrade *d, const ks_value *config, bool masked, const char *place) {
    const ks_value *layers = ks_value_get(config, "layers"), *ends = ks_value_get(config, "output_layers");
    size_t count = layers->as.list.count;
    flow f = {.d = d, .layers = layers, .place = place};
    ks_code code;
    f.masked = ks_arena_get(d->arena, count + 1, sizeof *f.masked);
    if (!f.masked)
        return d->context->error.code;
    KS_TRY(ks_name_table_init(&f.names, d->arena, count));
    for (size_t i = 0; i < count; i++) {
        const ks_value *record = &layers->as.list.items[i];
        ks_text name = ks_value_get(record, "name")->text;
        *ks_name_table_place(&f.names, name) = (ks_named){name, i};
        f.masked[i] = masked && ks_value_is_text(ks_value_get(record, "class_name"), "InputLayer");
    }
    KS_TRY(follow(&f));
    *out = false;
    for (size_t i = 0; i < ends->as.list.count; i++)
        *out = *out || tensor_is_masked(&f, &ends->as.list.items[i]);
done:
    return code;
}

static ks_code after_sequence(bool *out, ks__downgrade *d, const ks_value *config, bool masked, const char *place) {
    const ks_value *layers = ks_value_get(config, "layers");
    ks_code code = KS_OK;
    *out = masked;
    for (size_t i = 0; i < layers->as.list.count && code == KS_OK; i++) {
        const char *inner = ks_arena_format(d->arena, "%s/layers/%zu", place, i);
        code = inner ? after(out, d, &layers->as.list.items[i], *out, *out, inner) : d->context->error.code;
    }
    return code;
}

static ks_code after_model(bool *out, ks__downgrade *d, const ks_value *config, bool masked, const char *place) {
    const char *inner = ks_arena_format(d->arena, "%s/config", place);
    if (!inner)
        return d->context->error.code;
    return (ks_value_get(config, "output_layers") ? after_graph : after_sequence)(out, d, config, masked, inner);
}

ks_code ks__early_masks(ks__downgrade *d, const ks_value *model, const char *document) {
    const char *place = ks_arena_format(d->arena, "%s:", document);
    bool out;
    if (!place)
        return d->context->error.code;
    return ks__early_is_model(model) ? after_model(&out, d, ks_value_get(model, "config"), false, place) : KS_OK;
}
