// SPDX-License-Identifier: Apache-2.0
//
// What a file says about training besides the weights: the compile_config of the record, and the optimizer's variables
// in the group `optimizer` of the weights of Keras 3. Both pass unread from one file of Keras 3 to another; between it
// and the older HDF5 form they are said in other words (save_training.c); anywhere else they are a loss.
#include "model/save_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 32

/// The compile_config of a file of Keras 3, NULL when there is none.
static const ks_value *compile_config(const ks_model *model) {
    const ks_object *root = model->root;
    const ks_value *config = root->source ? ks_value_get(root->source, "compile_config") : NULL;
    return config && config->type == KS_VALUE_DICT && config->as.dict.count > 0 ? config : NULL;
}

static bool is_keras3(const ks_model *model) {
    const ks_object *root = model->root;
    return !root->original || root->original == root->source;
}

ks_code ks__save_compile(ks__save *save, ks_value *record) {
    const ks_value *config = compile_config(save->model);
    if (strcmp(save->model->format, "h5-legacy") == 0)
        return ks__save_compile_of_hdf5(save, record);
    if (!config)
        return KS_OK;
    if (!is_keras3(save->model))
        return ks_lose(save->losses, "compile-config", "config.json:/compile_config",
                       "how the model was compiled, in the words of Keras 2");
    for (size_t i = 0; i < record->as.dict.count; i++)
        if (ks_text_is(record->as.dict.members[i].key, "compile_config"))
            record->as.dict.members[i].value = *config;
    return KS_OK;
}

/// The group of the source that holds an optimizer's variables.
static ks_code find_state(ks_hdf5_node *out, bool *found, ks__save *save, const char *name) {
    ks_hdf5 *file = save->model->weights;
    *found = false;
    return file ? ks_hdf5_find(out, found, file, ks_hdf5_root(file), name) : KS_OK;
}

ks_code ks__lose_training(ks__save *save, bool whole) {
    static const char *const groups[] = {"optimizer", "optimizer_weights"};
    ks_hdf5_node node;
    ks_hdf5_type type;
    bool found = false;
    ks_code code = KS_OK;
    if (whole && compile_config(save->model))
        KS_TRY(ks_lose(save->losses, "compile-config", "config.json:/compile_config",
                       "how the model was compiled; this format says it in other words"));
    for (size_t i = 0; i < 2; i++) {
        KS_TRY(find_state(&node, &found, save, groups[i]));
        if (found)
            KS_TRY(ks_lose(save->losses, "optimizer-state", groups[i], "the optimizer's variables"));
    }
    if (save->model->weights)
        KS_TRY(ks_hdf5_attribute(&type, &found, save->model->weights, ks_hdf5_root(save->model->weights),
                                 "training_config"));
    if (whole && found && save->model->weights)
        KS_TRY(ks_lose(save->losses, "training-config", "training_config", "how the model was compiled"));
done:
    return code;
}

// --- the optimizer's variables ---------------------------------------------------------------------------------------

static ks_code copy_dataset(ks__save *save, ks_hdf5_writer *writer, ks_hdf5_node node, const char *path) {
    ks_hdf5 *file = save->model->weights;
    ks_hdf5_type type;
    uint64_t elements;
    ks_code code;
    KS_TRY(ks_hdf5_dataset(&type, file, node));
    if (type.null_dataspace || ks_dtype_size(type.dtype) == 0 || type.dtype == KS_STRING ||
        !ks_shape_elements(&type.shape, &elements))
        return ks_lose(save->losses, "optimizer-state", path, "a variable that is no array of numbers");
    size_t size = (size_t)elements * ks_dtype_size(type.dtype);
    void *data = ks_arena_get(&save->arena, size + 1, 1);
    if (!data)
        return save->context->error.code;
    KS_TRY(ks_hdf5_read(data, size, file, node));
    ks_tensor tensor = {type.dtype, type.shape, data, size};
    KS_TRY(ks_hdf5_writer_dataset(writer, path, &tensor));
done:
    return code;
}

static ks_code copy_name(ks__save *save, ks_hdf5_writer *writer, ks_hdf5_node group, const char *path) {
    ks_hdf5_type type;
    const ks_text *texts;
    size_t count;
    bool found;
    ks_code code;
    KS_TRY(ks_hdf5_attribute(&type, &found, save->model->weights, group, "name"));
    if (!found || type.dtype != KS_STRING)
        return KS_OK;
    KS_TRY(ks_hdf5_attribute_text(&texts, &count, save->model->weights, group, "name"));
    if (count == 1)
        KS_TRY(ks_hdf5_writer_text(writer, path, "name", texts[0]));
done:
    return code;
}

static ks_code copy_group(ks__save *save, ks_hdf5_writer *writer, ks_hdf5_node group, const char *path, int depth) {
    ks_hdf5 *file = save->model->weights;
    const ks_hdf5_link *links;
    size_t count;
    ks_code code;
    if (depth > MAX_DEPTH)
        return ks_fail(save->context, KS_E_OVER_DEPTH, KS_STAGE_SAVE, KS_NO_OFFSET, path, "groups nested too deep");
    KS_TRY(ks_hdf5_writer_group(writer, path));
    KS_TRY(copy_name(save, writer, group, path));
    KS_TRY(ks_hdf5_links(&links, &count, file, group));
    for (size_t i = 0; i < count; i++) {
        const char *inner = ks_arena_format(&save->arena, "%s/%.*s", path, (int)links[i].name.size, links[i].name.data);
        ks_hdf5_object_type type;
        if (!inner)
            return save->context->error.code;
        if (links[i].type != KS_LINK_HARD)
            continue; // leads out of the group, which no loader follows
        KS_TRY(ks_hdf5_object(&type, file, links[i].node));
        if (type == KS_HDF5_GROUP)
            KS_TRY(copy_group(save, writer, links[i].node, inner, depth + 1));
        else if (type == KS_HDF5_DATASET)
            KS_TRY(copy_dataset(save, writer, links[i].node, inner));
    }
done:
    return code;
}

ks_code ks__save_optimizer(ks__save *save, ks_hdf5_writer *writer) {
    ks_hdf5_node group;
    bool found;
    ks_code code;
    if (strcmp(save->model->format, "h5-legacy") == 0)
        return ks__save_optimizer_of_hdf5(save, writer);
    KS_TRY(find_state(&group, &found, save, "optimizer"));
    if (found && is_keras3(save->model))
        return copy_group(save, writer, group, "optimizer", 0);
    KS_TRY(ks__lose_training(save, false));
done:
    return code;
}
