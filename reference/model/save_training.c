// SPDX-License-Identifier: Apache-2.0
//
// How a model was compiled and its optimizer's state, between Keras 3 and the older HDF5 form:
//
//   attribute training_config   JSON: loss, metrics, optimizer_config (config/training.h)
//   group optimizer_weights     attribute weight_names; datasets "iteration:0", "adam/m/dense/kernel:0", …, in the
//   order
//                               of optimizer.variables, which is all that counts (weights/optimizer.h)
//
// A state is written only whole: optimizers pass over one that does not fit. From one file of Keras 2 to another both
// pass as they are. Source: tf_keras saving/legacy/hdf5_format.py (save_optimizer_weights_to_hdf5_group,
// load_optimizer_weights_from_hdf5_group), Keras 3 optimizers/base_optimizer.py.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/value_make.h"
#include "config/training.h"
#include "model/save_internal.h"
#include "model/training.h"
#include "weights/write.h"

typedef struct ks__compiled {
    bool found;                   ///< something to be saved; false: never compiled, or lost
    ks_value compile;             ///< compile_config of Keras 3
    ks_value optimizer;           ///< its optimizer's record
    ks_optimizer_weights weights; ///< of the source, in its order
    bool keras3;                  ///< whose order that is
} ks__compiled;

static bool is_hdf5(const ks_model *model) {
    return strcmp(model->format, "h5-legacy") == 0;
}

/// Whose words the architecture is in. The compile state is in the same.
static bool is_keras3(const ks_model *model) {
    return !model->root->original || model->root->original == model->root->source;
}

// --- what the source has --------------------------------------------------------------------------------------------

/// A training_config that cannot be read is a loss: no load asks for it.
static ks_code read_config(const ks_value **out, ks__save *save) {
    ks_code code = ks__training_config(out, save->model);
    ks_error error = save->context->error;
    if (code == KS_OK || ks_code_verdict(code) != KS_MALFORMED)
        return code;
    memset(&save->context->error, 0, sizeof save->context->error);
    save->context->error.offset = KS_NO_OFFSET;
    *out = NULL;
    return ks_lose(save->losses, "training-config", "training_config", "how the model was compiled: %s", error.message);
}

/// Sets the learning rate that the state holds, where the config says another one ("adam" is all that older versions
/// write).
static ks_code take_rate(ks__save *save, ks__compiled *c) {
    ks_value *config = (ks_value *)(uintptr_t)ks_value_get(&c->optimizer, "config"); // made by us
    ks_value *rate = (ks_value *)(uintptr_t)ks_value_get(config, "learning_rate");
    double number;
    ks_tensor tensor;
    ks_code code;
    if (!c->keras3 || !rate || !ks_value_number(rate, &number) || c->weights.count < 2 ||
        c->weights.items[1].type.dtype != KS_FLOAT32 || c->weights.items[1].type.shape.rank != 0)
        return KS_OK;
    KS_TRY(ks__optimizer_read(&tensor, save->model, &c->weights.items[1]));
    if (*(const float *)tensor.data != (float)number)
        *rate = ks_value_float((double)*(const float *)tensor.data);
done:
    return code;
}

static ks_code lose_state(ks__save *save, ks__compiled *c, const char *why) {
    size_t count = c->weights.count;
    c->weights.count = 0;
    return count ? ks_lose(save->losses, "optimizer-state", is_hdf5(save->model) ? "optimizer_weights" : "optimizer",
                           "the optimizer's variables: %s", why)
                 : KS_OK;
}

static ks_code compile_of(ks__save *save, ks__compiled *c, const ks_value *config) {
    ks_training t = {.context = save->context,
                     .arena = &save->arena,
                     .losses = save->losses,
                     .keras_version = save->model->keras_version,
                     .registry = save->model->options.registry};
    ks_code code = KS_OK;
    if (is_hdf5(save->model))
        KS_TRY(ks_training_upgrade(&c->compile, &t, config));
    else
        c->compile = *config;
    if (!t.lost)
        KS_TRY(ks_training_optimizer(&c->optimizer, &t, &c->compile));
    c->found = !t.lost;
    if (!c->found)
        KS_TRY(lose_state(save, c, "of no use without its optimizer"));
    else if (c->optimizer.type == KS_VALUE_DICT)
        KS_TRY(take_rate(save, c));
done:
    return code;
}

/// The compile state in the words of Keras 3, with the source's list of variables.
static ks_code get_compiled(ks__compiled **out, ks__save *save) {
    ks__compiled *c = save->compiled;
    const ks_value *config = NULL;
    ks_code code = KS_OK;
    *out = c;
    if (c)
        return KS_OK;
    *out = c = save->compiled = ks_arena_get(&save->arena, 1, sizeof *c);
    if (!c)
        return save->context->error.code;
    KS_TRY(read_config(&config, save));
    KS_TRY(ks__optimizer_weights(&c->weights, save->model));
    c->keras3 = is_keras3(save->model);
    if (!config)
        KS_TRY(lose_state(save, c, "nothing says which optimizer they belong to"));
    else
        KS_TRY(compile_of(save, c, config));
done:
    return code;
}

// --- matching -------------------------------------------------------------------------------------------------------

typedef struct matching {
    ks__save *save;
    ks__compiled *compiled;
    ks_state_plan from, to;
    int64_t iteration;
} matching;

static bool is_integer(ks_dtype dtype) {
    return dtype == KS_INT32 || dtype == KS_INT64;
}

static bool fits(const ks_state_plan *plan, const ks_optimizer_weights *weights) {
    for (size_t i = 0; i < plan->count && i < weights->count; i++) {
        const ks_hdf5_type *type = &weights->items[i].type;
        bool same = is_integer(plan->items[i].dtype) ? is_integer(type->dtype) : type->dtype == plan->items[i].dtype;
        if (!same || !ks_shape_equal(&type->shape, &plan->items[i].shape))
            return false;
    }
    return plan->count == weights->count;
}

static ks_code make_plans(matching *m, bool built) {
    ks_context *context = m->save->context;
    ks_arena *arena = &m->save->arena;
    ks_weight_map *map = &m->save->model->map;
    bool keras3 = m->compiled->keras3;
    ks_trained first = {0}, second = {0};
    ks_code code = KS_OK;
    if (built) {
        KS_TRY(ks_weights_trained(&first, map, context, arena, keras3 ? KS_WRITER_KERAS3 : KS_WRITER_TF_KERAS));
        KS_TRY(ks_weights_trained(&second, map, context, arena, keras3 ? KS_WRITER_TF_KERAS : KS_WRITER_KERAS3));
    }
    KS_TRY(ks_state_plan_make(&m->from, context, arena, &m->compiled->optimizer, &first, keras3));
    KS_TRY(ks_state_plan_make(&m->to, context, arena, &m->compiled->optimizer, &second, !keras3));
done:
    return code;
}

static ks_code read_part(ks_tensor *out, matching *m, size_t i) {
    return ks__optimizer_read(out, m->save->model, &m->compiled->weights.items[i]);
}

static ks_code read_iteration(matching *m) {
    ks_tensor tensor;
    ks_code code;
    KS_TRY(read_part(&tensor, m, 0));
    m->iteration = tensor.dtype == KS_INT32 ? *(const int32_t *)tensor.data : *(const int64_t *)tensor.data;
done:
    return code;
}

/// Why the other generation could not go on from this state; NULL: it can.
static ks_code obstacle(const char **out, matching *m) {
    size_t near = 0;
    size_t at = ks_state_plan_find(&m->from, &(ks_state_part){.slot = "u_product"}, &near);
    ks_tensor tensor;
    ks_code code = KS_OK;
    *out = NULL;
    if (at < m->from.count) {
        KS_TRY(read_part(&tensor, m, at));
        if (*(const float *)tensor.data != 1.0F)
            *out = "the older form does not hold the product of Nadam's momenta";
    }
    near = 0;
    if (ks_state_plan_find(&m->to, &(ks_state_part){.slot = "u_product"}, &near) < m->to.count && m->iteration != 0)
        *out = "the older form does not hold the product of Nadam's momenta";
    if (m->compiled->keras3 && m->iteration == 0 &&
        ks_value_get(ks_value_get(&m->compiled->optimizer, "config"), "use_ema")->as.boolean)
        *out = "averages of Keras 2 begin with the weights, these with nothing";
done:
    return code;
}

/// The two plans, when there is a state and it fits; else none, and the loss is told.
static ks_code match(matching *m, ks__save *save, ks__compiled *c) {
    const char *why = NULL;
    ks_code code;
    *m = (matching){.save = save, .compiled = c};
    if (c->weights.count == 0)
        return KS_OK;
    if (!ks_state_plan_known(&c->optimizer))
        return lose_state(save, c, "what an optimizer of someone's own keeps is not known");
    KS_TRY(make_plans(m, true));
    if (!fits(&m->from, &c->weights))
        KS_TRY(make_plans(m, false)); // compiled, and not yet built
    if (!fits(&m->from, &c->weights))
        return lose_state(save, c, "they do not fit the weights that are trained");
    KS_TRY(read_iteration(m));
    KS_TRY(obstacle(&why, m));
    if (why)
        KS_TRY(lose_state(save, c, why));
done:
    return code;
}

/// What the source does not keep, at the value that it has there.
static ks_code fill_part(ks_tensor *out, matching *m, const ks_state_part *part) {
    uint64_t elements = 0;
    double rate = 0;
    ks_shape_elements(&part->shape, &elements);
    size_t size = (size_t)elements * ks_dtype_size(part->dtype);
    void *data = ks_arena_get(&m->save->arena, size + 1, 1);
    if (!data)
        return m->save->context->error.code;
    if (strcmp(part->slot, "learning_rate") == 0) {
        ks_value_number(ks_value_get(ks_value_get(&m->compiled->optimizer, "config"), "learning_rate"), &rate);
        *(float *)data = (float)rate;
    } else if (strcmp(part->slot, "u_product") == 0) {
        *(float *)data = 1;
    } // else: SGD's momentum while it is 0, Adafactor's places without a mean
    *out = (ks_tensor){part->dtype, part->shape, data, size};
    return KS_OK;
}

static ks_code get_part(ks_tensor *out, matching *m, const ks_state_part *part, size_t *near) {
    size_t at = ks_state_plan_find(&m->from, part, near);
    ks_code code;
    if (at == m->from.count)
        return fill_part(out, m, part);
    KS_TRY(read_part(out, m, at));
    if (strcmp(part->slot, "iteration") == 0)
        *out = (ks_tensor){KS_INT64, {0, {0}}, &m->iteration, sizeof m->iteration};
done:
    return code;
}

// --- to the older form ----------------------------------------------------------------------------------------------

static ks_code put_config(ks__save *save, ks_hdf5_writer *writer, const ks_value *config) {
    ks_text text = {NULL, 0};
    ks_code code;
    KS_TRY(ks_json_write(&text, save->context, config, (ks_json_style){0, true}));
    // Keras before 2.4 decodes it.
    KS_TRY((save->options.target == KS_FOR_KERAS_2_3 ? ks_hdf5_writer_bytes
                                                     : ks_hdf5_writer_text)(writer, "", "training_config", text));
done:
    ks_free(save->context, (void *)(uintptr_t)text.data);
    return code;
}

static ks_code put_weight(ks__save *save, ks_hdf5_writer *writer, const char *name, const ks_tensor *tensor) {
    const char *path = ks_arena_format(&save->arena, "optimizer_weights/%s", name);
    return path ? ks_hdf5_writer_dataset(writer, path, tensor) : save->context->error.code;
}

static ks_code put_names(ks__save *save, ks_hdf5_writer *writer, const ks_text *names, size_t count) {
    return ks_weights_write_names(save->context, &save->arena, writer, "optimizer_weights", "weight_names", names,
                                  count);
}

static const char *name_of(ks__save *save, const ks__compiled *c, const ks_state_part *part) {
    const ks_value *name = ks_value_get(ks_value_get(&c->optimizer, "config"), "name");
    bool named =
        name && name->type == KS_VALUE_STRING && name->text.size && !memchr(name->text.data, '/', name->text.size);
    if (!part->variable)
        return ks_arena_format(&save->arena, "%s:0", part->slot);
    return ks_arena_format(&save->arena, "%s/%s/%s:0", named ? name->text.data : "optimizer", part->slot, part->name);
}

static ks_code put_state(ks__save *save, ks_hdf5_writer *writer, ks__compiled *c) {
    matching m;
    ks_text *names;
    size_t near = 0;
    ks_code code;
    KS_TRY(match(&m, save, c));
    if (c->weights.count == 0)
        return KS_OK;
    names = ks_arena_get(&save->arena, m.to.count + 1, sizeof *names);
    if (!names)
        return save->context->error.code;
    KS_TRY(ks_hdf5_writer_group(writer, "optimizer_weights"));
    for (size_t i = 0; i < m.to.count; i++) {
        const char *name = name_of(save, c, &m.to.items[i]);
        ks_tensor tensor;
        if (!name)
            return save->context->error.code;
        names[i] = ks_text_from(name);
        KS_TRY(get_part(&tensor, &m, &m.to.items[i], &near));
        KS_TRY(put_weight(save, writer, name, &tensor));
    }
    KS_TRY(put_names(save, writer, names, m.to.count));
done:
    return code;
}

/// Keras 2 into Keras 2: as it is.
static ks_code copy_training(ks__save *save, ks_hdf5_writer *writer) {
    const ks_value *config;
    ks_optimizer_weights weights;
    ks_text *names;
    ks_code code;
    KS_TRY(read_config(&config, save));
    KS_TRY(ks__optimizer_weights(&weights, save->model));
    if (config)
        KS_TRY(put_config(save, writer, config));
    if (weights.count == 0)
        return KS_OK;
    names = ks_arena_get(&save->arena, weights.count, sizeof *names);
    if (!names)
        return save->context->error.code;
    for (size_t i = 0; i < weights.count; i++) {
        ks_tensor tensor;
        names[i] = ks_text_from(weights.items[i].name);
        KS_TRY(ks__optimizer_read(&tensor, save->model, &weights.items[i]));
        KS_TRY(put_weight(save, writer, weights.items[i].name, &tensor));
    }
    KS_TRY(put_names(save, writer, names, weights.count));
done:
    return code;
}

/// Whether every weight is written as the source has it: the state has the same layout.
static bool same_layout(ks__save *save) {
    const ks_weight_map *map = &save->model->map;
    ks_hdf5 *file = save->model->weights;
    ks_hdf5_type type;
    const ks_text *texts;
    size_t count;
    bool found;
    if (save->model->dialect != KS_DIALECT_KERAS2)
        return false;
    for (size_t i = 0; i < map->n_objects; i++) {
        const ks_value *name = ks_value_get(map->objects[i].object->original, "class_name");
        if (name && name->type == KS_VALUE_STRING && strncmp(name->text.data, "CuDNN", 5) == 0)
            return false;
    }
    if (ks_hdf5_attribute(&type, &found, file, ks_hdf5_root(file), "backend") != KS_OK)
        return false;
    if (!found || type.dtype != KS_STRING)
        return true;
    return ks_hdf5_attribute_text(&texts, &count, file, ks_hdf5_root(file), "backend") == KS_OK && count == 1 &&
           ks_text_is(texts[0], "tensorflow");
}

/// Keras 2.3 took its own for itself; the optimizers of others keep their variables in another order.
static ks_code save_training_early(ks__save *save, ks_hdf5_writer *writer, ks_training *t) {
    const ks_object *root = save->model->root;
    ks__compiled *c;
    ks_value config;
    ks_code code;
    if (is_hdf5(save->model) && root->multi_backend && same_layout(save))
        return copy_training(save, writer);
    if (root->multi_backend || (!is_keras3(save->model) && !is_hdf5(save->model)))
        return ks__lose_training(save, true);
    KS_TRY(get_compiled(&c, save));
    if (!c->found)
        return KS_OK;
    KS_TRY(ks_training_downgrade(&config, t, &c->compile, &c->optimizer));
    if (!t->lost)
        KS_TRY(ks_training_downgrade_early(&config, t));
    if (t->lost)
        return lose_state(save, c, "of no use without its optimizer");
    KS_TRY(put_config(save, writer, &config));
    KS_TRY(lose_state(save, c, "optimizers of Keras 2.3 keep others"));
done:
    return code;
}

ks_code ks__save_training_legacy(ks__save *save, ks_hdf5_writer *writer) {
    ks_training t = {.context = save->context,
                     .arena = &save->arena,
                     .losses = save->losses,
                     .keras_version = save->model->keras_version,
                     .registry = save->model->options.registry};
    ks__compiled *c;
    ks_value config;
    ks_code code;
    if (save->options.target == KS_FOR_KERAS_2_3)
        return save_training_early(save, writer, &t);
    if (is_hdf5(save->model) && same_layout(save))
        return copy_training(save, writer);
    if (!is_keras3(save->model))
        return ks__lose_training(save, true);
    KS_TRY(get_compiled(&c, save));
    if (!c->found)
        return KS_OK;
    KS_TRY(ks_training_downgrade(&config, &t, &c->compile, &c->optimizer));
    if (t.lost)
        return lose_state(save, c, "of no use without its optimizer");
    KS_TRY(put_config(save, writer, &config));
    KS_TRY(put_state(save, writer, c));
done:
    return code;
}

// --- to Keras 3 -----------------------------------------------------------------------------------------------------

ks_code ks__save_compile_of_hdf5(ks__save *save, ks_value *record) {
    ks__compiled *c;
    ks_code code;
    KS_TRY(get_compiled(&c, save));
    for (size_t i = 0; c->found && i < record->as.dict.count; i++)
        if (ks_text_is(record->as.dict.members[i].key, "compile_config"))
            record->as.dict.members[i].value = c->compile;
done:
    return code;
}

static ks_code put_numbered(ks__save *save, ks_hdf5_writer *writer, size_t i, const ks_tensor *tensor) {
    const char *path = ks_arena_format(&save->arena, "optimizer/vars/%zu", i);
    return path ? ks_hdf5_writer_dataset(writer, path, tensor) : save->context->error.code;
}

static ks_code put_group(ks_hdf5_writer *writer, const ks__compiled *c) {
    const ks_value *name = ks_value_get(ks_value_get(&c->optimizer, "config"), "name");
    ks_code code;
    KS_TRY(ks_hdf5_writer_group(writer, "optimizer/vars"));
    if (name && name->type == KS_VALUE_STRING)
        KS_TRY(ks_hdf5_writer_text(writer, "optimizer/vars", "name", name->text));
done:
    return code;
}

ks_code ks__save_optimizer_of_hdf5(ks__save *save, ks_hdf5_writer *writer) {
    ks__compiled *c;
    ks_optimizer_weights weights;
    matching m = {.save = save};
    size_t near = 0;
    ks_code code;
    KS_TRY(ks__optimizer_weights(&weights, save->model));
    if (weights.count == 0)
        return KS_OK;
    KS_TRY(get_compiled(&c, save));
    if (!c->keras3 && c->weights.count)
        KS_TRY(match(&m, save, c));
    if (!c->found || c->weights.count == 0)
        return KS_OK;
    m.compiled = c;
    KS_TRY(put_group(writer, c));
    for (size_t i = 0; i < (c->keras3 ? c->weights.count : m.to.count); i++) {
        ks_tensor tensor;
        if (c->keras3)
            KS_TRY(read_part(&tensor, &m, i));
        else
            KS_TRY(get_part(&tensor, &m, &m.to.items[i], &near));
        KS_TRY(put_numbered(save, writer, i, &tensor));
    }
done:
    return code;
}
