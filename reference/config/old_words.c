// SPDX-License-Identifier: Apache-2.0
//
// What Keras 1 and 2 say of an object and a record of Keras 3 cannot. Most of it is no loss: how to compute (dynamic,
// implementation), what the wiring says again (input_length), or what has no effect (noise_shape of a spatial dropout).
// test_lossless has the list of those; all others are here and in the rows (KS_OLD).
#include "config/serialize_internal.h"

#include <string.h>

#include "schema/hashing.h"
#include "schema/lookup.h"
#include "schema/preprocessing.h"
#include "schema/recurrent.h"

static ks_code lose(ks__serializer *s, const ks_object *object, const char *key, const char *text) {
    const char *generation = s->options.keras2 ? "Keras 2" : "Keras 3";
    const char *place = ks_arena_format(s->arena, "%s/%s", object->place ? object->place : "object:", key);
    ks_losses none;
    if (!place)
        return s->context->error.code;
    ks_losses_init(&none, s->context, false);
    return ks_lose(s->options.losses ? s->options.losses : &none, "config-key", place, "%s of %s %s \"%s\"",
                   object->row->name, generation, text, key);
}

// Keys of layers with which they compute something else; layers that have them are read as single objects only.
static ks_code check_layer(ks__serializer *s, const ks_object *object) {
    static const char *const keys[] = {"time_major",     "virtual_batch_size",     "groups", "sparse",
                                       "robust_masking", "softmax_robust_masking", NULL};
    const ks_value *config = ks_value_get(object->original, "config");
    for (size_t i = 0; keys[i] && object->original != object->source; i++) {
        const ks_value *value = ks_value_get(config, keys[i]);
        bool known = !value || value->type == KS_VALUE_NULL || (value->type == KS_VALUE_BOOL && !value->as.boolean) ||
                     (value->type == KS_VALUE_INT && value->fits && value->as.integer == 1);
        for (size_t k = 0; k < object->row->n_keys && !known; k++)
            known = strcmp(object->row->keys[k].name, keys[i]) == 0;
        if (!known)
            return ks_fail(s->context, KS_E_SAVE_NO_WORD, KS_STAGE_SAVE, KS_NO_OFFSET, object->place,
                           "%s of Keras 3 has no \"%s\"", object->row->name, keys[i]);
    }
    return KS_OK;
}

// Adapted boundaries are in the config of Keras 3, and in a variable of Keras 2.
static ks_code check_boundaries(ks__serializer *s, const ks_object *object) {
    const ks_discretization *params = object->params;
    if (object->row != &ks_class_Discretization || params->bin_boundaries.items ||
        (s->options.keras2 ? ks_is_old(object) : !object->other_variables))
        return KS_OK;
    return ks_fail(s->context, KS_E_SAVE_NO_WORD, KS_STAGE_SAVE, KS_NO_OFFSET, object->place,
                   "Keras %d keeps the %s of a Discretization layer, which %s not there", s->options.keras2 ? 2 : 3,
                   s->options.keras2 ? "summary" : "boundaries", s->options.keras2 ? "is" : "are");
}

// Whole numbers of bins are int64 in Keras 2 and int32 in Keras 3, whatever its policy.
static ks_code check_bins(ks__serializer *s, const ks_object *object) {
    const ks_discretization *params = object->params;
    const ks_value *dtype = ks_value_get(ks_value_get(object->original, "config"), "dtype");
    if (object->row != &ks_class_Discretization || !ks_is_old(object) || params->output_mode != KS_BINS_INT ||
        (dtype && ks_value_is_text(dtype, "int32")))
        return KS_OK;
    return lose(s, object, "dtype", "gives int32 for bins, whatever its");
}

// The other way: Keras 2 could be told of int32, as a dtype that Keras 3 has no policy for and this reference does not
// read.
static ks_code check_bins_in_keras2(ks__serializer *s, const ks_object *object) {
    const ks_discretization *params = object->params;
    if (object->row != &ks_class_Discretization || ks_is_old(object) || params->output_mode != KS_BINS_INT)
        return KS_OK;
    return lose(s, object, "dtype", "gives int64 for bins, whatever its");
}

// Counts and the like are int64 in Keras 3, and of the layer's own floating type in Keras 2, which keeps the weights of
// tf_idf among the layer's weights.
static ks_code check_lookup(ks__serializer *s, const ks_object *object) {
    const ks_object *layer;
    const ks_lookup *lookup = ks_lookup_of(object, &layer);
    bool text = object->row == &ks_class_TextVectorization;
    if (!lookup || lookup->output_mode == KS_LOOKUP_INT || ks_is_old(object) == s->options.keras2)
        return KS_OK;
    if (s->options.keras2 &&
        (lookup->output_mode == KS_LOOKUP_TF_IDF || (text && lookup->output_mode == KS_LOOKUP_ONE_HOT)))
        return ks_fail(s->context, KS_E_SAVE_NO_WORD, KS_STAGE_SAVE, KS_NO_OFFSET, object->place,
                       lookup->output_mode == KS_LOOKUP_TF_IDF
                           ? "Keras 2 keeps the idf_weights of a %s among its weights, Keras 3 does not"
                           : "a %s of Keras 2 has no output_mode \"one_hot\"",
                       object->row->name);
    if (lookup->output_mode == KS_LOOKUP_TF_IDF)
        return KS_OK;
    return lose(s, object, "dtype", s->options.keras2 ? "gives floats, whatever its" : "gives int64, whatever its");
}

static ks_code check_crossing(ks__serializer *s, const ks_object *object) {
    const ks_hashed_crossing *params = object->params;
    if (object->row != &ks_class_HashedCrossing || params->n_crossed <= 2)
        return KS_OK;
    return ks_fail(s->context, KS_E_SAVE_NO_WORD, KS_STAGE_SAVE, KS_NO_OFFSET, object->place,
                   "HashedCrossing of Keras 3 crosses two tensors, not %zu", params->n_crossed);
}

static ks_code check_keys(ks__serializer *s, const ks_object *object) {
    ks_code code = KS_OK;
    for (size_t i = 0; i < object->row->n_keys && code == KS_OK; i++) {
        const ks_key *key = &object->row->keys[i];
        const ks_value *value = key->flags & KS_OLD ? ks_value_get(object->config, key->name) : NULL;
        double number, common;
        if (!value || (ks_value_number(value, &number) &&
                       ks_value_number(ks__default_value(s->arena, key->otherwise), &common) && number == common))
            continue;
        if (!s->options.old_keys)
            code = lose(s, object, key->name, "does not save its");
    }
    return code;
}

ks_code ks__lose_old_words(ks__serializer *s, const ks_object *object) {
    ks_code code;
    KS_TRY(check_boundaries(s, object));
    KS_TRY(check_lookup(s, object));
    if (s->options.keras2)
        return check_bins_in_keras2(s, object);
    KS_TRY(check_layer(s, object));
    KS_TRY(check_crossing(s, object));
    KS_TRY(check_bins(s, object));
    KS_TRY(check_keys(s, object));
done:
    return code;
}
