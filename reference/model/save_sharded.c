// SPDX-License-Identifier: Apache-2.0
//
// Weights of Keras 3 in several files: X_00000.weights.h5, X_00001.weights.h5, … and the index X.weights.json
//   {"metadata": {"total_size": 34304.0}, "weight_map": {"/layers/dense/vars": ["X_00000.weights.h5"], …}}
// An object with variables names every shard that holds some of them. Source: Keras 3.15 saving/saving_lib.py
// (ShardedH5IOStore).
#include <kassay/json_writer.h>

#include "model/save_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weights/write.h"

typedef struct shards {
    ks__save *save;
    const char *stem; ///< "folder/X"
    const char *base; ///< "X": what the index says
    ks_output *outputs[1024];
    size_t count;
    ks_json_writer index;
    ks_weights_cursor *starts; ///< [count + 1]
    uint64_t total;
} shards;

static ks_code write_shard(shards *s, ks_weights_cursor *cursor) {
    ks__save *save = s->save;
    ks_hdf5_writer *writer = NULL;
    ks_bytes written;
    uint64_t used;
    ks_code code;
    const char *path = ks_arena_format(&save->arena, "%s_%05zu.weights.h5", s->stem, s->count);
    if (!path)
        return save->context->error.code;
    if (s->count == sizeof s->outputs / sizeof s->outputs[0])
        return ks_fail(save->context, KS_E_OVER_COUNT, KS_STAGE_SAVE, KS_NO_OFFSET, path, "more than %zu shards",
                       s->count);
    KS_TRY(ks_output_open(&s->outputs[s->count], save->context, path));
    ks_output *output = s->outputs[s->count++];
    KS_TRY(ks_hdf5_writer_open_at(&writer, save->context, ks_output_descriptor(output), 0));
    KS_TRY(ks_weights_write_v3(&save->model->map, save->context, writer, cursor, save->options.shard_bytes, &used));
    KS_TRY(ks_hdf5_writer_finish(&written, writer));
    KS_TRY(ks_output_sync(output));
    s->total += used;
done:
    ks_hdf5_writer_close(writer);
    return code;
}

/// The shards of one object: those whose stretch of variables meets the object's own.
static void put_object(shards *s, size_t object, size_t count) {
    const char *path = s->save->model->map.objects[object].path;
    ks_json_put_key(&s->index, ks_arena_format(&s->save->arena, "/%s%svars", path, path[0] ? "/" : ""));
    ks_json_begin_list(&s->index);
    for (size_t i = 0; i < s->count; i++) {
        const ks_weights_cursor *from = &s->starts[i];
        const ks_weights_cursor *to = &s->starts[i + 1];
        size_t first = from->object == object ? from->variable : from->object > object ? count : 0;
        size_t last = to->object == object ? to->variable : to->object > object ? count : 0;
        if (first < last)
            ks_json_put_string(&s->index, ks_arena_format(&s->save->arena, "%s_%05zu.weights.h5", s->base, i));
    }
    ks_json_end_list(&s->index);
}

static ks_code write_index(ks_output **out, shards *s, const char *path) {
    const ks_weight_map *map = &s->save->model->map;
    ks_text text = {NULL, 0};
    ks_code code;
    ks_json_begin_object(&s->index);
    ks_json_put_key(&s->index, "metadata");
    ks_json_begin_object(&s->index);
    ks_json_put_key(&s->index, "total_size");
    ks_json_put_double(&s->index, (double)s->total);
    ks_json_end_object(&s->index);
    ks_json_put_key(&s->index, "weight_map");
    ks_json_begin_object(&s->index);
    for (size_t i = 0; i < map->n_objects; i++) {
        size_t count = ks_weights_count_own(map->objects[i].object);
        if (count)
            put_object(s, i, count);
    }
    ks_json_end_object(&s->index);
    ks_json_end_object(&s->index);
    KS_TRY(ks_json_writer_finish(&text, &s->index));
    KS_TRY(ks_output_open(out, s->save->context, path));
    KS_TRY(ks_output_write(*out, 0, (ks_bytes){(const uint8_t *)text.data, text.size}));
    KS_TRY(ks_output_sync(*out));
done:
    ks_free(s->save->context, (void *)(uintptr_t)text.data);
    return code;
}

/// Everything is on the disk before the first name appears; the index comes last.
static ks_code commit(shards *s, ks_output *index) {
    ks_code code;
    for (size_t i = 0; i < s->count; i++)
        KS_TRY(ks_output_commit(s->outputs[i]));
    KS_TRY(ks_output_commit(index));
done:
    return code;
}

static ks_code name_shards(shards *s, const char *path) {
    static const char ending[] = ".weights.json";
    size_t size = strlen(path);
    const char *slash;
    if (size < sizeof ending || strcmp(path + size - (sizeof ending - 1), ending) != 0)
        return ks_fail(s->save->context, KS_E_SAVE_FORMAT, KS_STAGE_SAVE, KS_NO_OFFSET, path,
                       "the index of sharded weights is called NAME%s", ending);
    s->stem = ks_arena_text(&s->save->arena, path, size - (sizeof ending - 1)).data;
    if (!s->stem)
        return s->save->context->error.code;
    slash = strrchr(s->stem, '/');
    s->base = slash ? slash + 1 : s->stem;
    return KS_OK;
}

static ks_code remember_start(shards *s, const ks_weights_cursor *cursor) {
    ks_weights_cursor *bigger = ks_arena_get(&s->save->arena, s->count + 1, sizeof *bigger);
    if (!bigger)
        return s->save->context->error.code;
    if (s->count)
        memcpy(bigger, s->starts, s->count * sizeof *bigger);
    bigger[s->count] = *cursor;
    s->starts = bigger;
    return KS_OK;
}

ks_code ks__save_sharded(ks__save *save, const char *path) {
    shards *s = ks_allocate(save->context, 1, sizeof *s);
    ks_output *index = NULL;
    ks_weights_cursor cursor = {0, 0};
    ks_code code;
    if (!s)
        return save->context->error.code;
    s->save = save;
    ks_json_writer_init(&s->index, save->context, (ks_json_style){4, true});
    KS_TRY(name_shards(s, path));
    KS_TRY(ks__lose_training(save, false));
    do {
        KS_TRY(remember_start(s, &cursor));
        KS_TRY(write_shard(s, &cursor));
    } while (!ks_weights_at_end(&save->model->map, &cursor));
    KS_TRY(remember_start(s, &cursor));
    KS_TRY(write_index(&index, s, path));
    KS_TRY(commit(s, index));
done:
    ks_json_writer_fini(&s->index);
    ks_output_close(index);
    for (size_t i = 0; i < s->count; i++)
        ks_output_close(s->outputs[i]);
    ks_free(save->context, s);
    return code;
}
