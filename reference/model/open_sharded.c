// SPDX-License-Identifier: Apache-2.0
//
// Sharded weights: an index X.weights.json
//
//   {"metadata": {"total_size": 34304.0},
//    "weight_map": {"/layers/dense/vars": ["X_00000.weights.h5", "X_00001.weights.h5"], …}}
//
// and beside it the shards, HDF5 files of groups PATH/vars. Keras 3.10 writes one name where later versions write a
// list. Names may not lead out of the index's directory. Source: Keras 3 saving/saving_lib.py (ShardedH5IOStore).
#include <stdio.h>
#include <string.h>

#include "base/name_table.h"
#include "model/open_internal.h"

#define MAX_SHARDS 256

typedef struct shard {
    ks_text name;
    ks_source *source;
    ks_hdf5 *file;
} shard;

struct ks__sharded {
    ks_model *m;
    const char *folder; ///< path before the names, "" or ends with "/"
    const ks_value *weight_map;
    ks_name_table names; ///< of shards
    shard shards[MAX_SHARDS];
    size_t n_shards;
    ks_name_table groups; ///< numbers in weight_map
    ks_hdf5 **found;      ///< answer of the last `find`
};

static ks_code fail(const ks__sharded *s, ks_code code, const ks_value *value, const char *what, ks_text name) {
    return ks_fail(s->m->context, code, KS_STAGE_WEIGHTS, value ? value->offset : KS_NO_OFFSET, "index:/weight_map",
                   "\"%.80s\" %s", name.data ? name.data : "", what);
}

bool ks__is_shard_index(const ks_value *root) {
    return root->type == KS_VALUE_DICT && ks_value_get(root, "weight_map") && !ks_value_get(root, "class_name");
}

// --- the index ------------------------------------------------------------------------------------------------------

static ks_code check_name(ks__sharded *s, const ks_value *name) {
    if (name->type != KS_VALUE_STRING)
        return fail(s, KS_E_WEIGHTS_INDEX, name, "where the name of a file is expected",
                    ks_text_from(ks_value_type_name(name->type)));
    if (name->text.size == 0 || strlen(name->text.data) != name->text.size || name->text.size > 255)
        return fail(s, KS_E_WEIGHTS_INDEX, name, "cannot be the name of a file", name->text);
    if (strpbrk(name->text.data, "/\\") || strcmp(name->text.data, ".") == 0 || strcmp(name->text.data, "..") == 0)
        return fail(s, KS_E_WEIGHTS_SHARD, name, "is no name in the index's own directory", name->text);
    return KS_OK;
}

static ks_code add_shard(ks__sharded *s, const ks_value *name) {
    ks_named *place;
    ks_code code;
    KS_TRY(check_name(s, name));
    place = ks_name_table_place(&s->names, name->text);
    if (place->number != KS_NO_NUMBER)
        return KS_OK;
    if (s->n_shards == MAX_SHARDS)
        return fail(s, KS_E_OVER_COUNT, name, "is one shard too many", name->text);
    *place = (ks_named){name->text, s->n_shards};
    s->shards[s->n_shards++].name = name->text;
done:
    return code;
}

static const ks_value *names_of(const ks_value *value, size_t *count) {
    *count = value->type == KS_VALUE_LIST ? value->as.list.count : 1;
    return value->type == KS_VALUE_LIST ? value->as.list.items : value;
}

static ks_code read_index(ks__sharded *s, const ks_value *root) {
    ks_code code;
    s->weight_map = ks_value_get(root, "weight_map");
    if (s->weight_map->type != KS_VALUE_DICT)
        return fail(s, KS_E_WEIGHTS_INDEX, s->weight_map, "where an object is expected",
                    ks_text_from(ks_value_type_name(s->weight_map->type)));
    KS_TRY(ks_name_table_init(&s->names, &s->m->arena, MAX_SHARDS));
    KS_TRY(ks_name_table_init(&s->groups, &s->m->arena, s->weight_map->as.dict.count));
    s->found = ks_arena_get(&s->m->arena, MAX_SHARDS, sizeof(ks_hdf5 *));
    if (!s->found)
        return s->m->context->error.code;
    for (size_t i = 0; i < s->weight_map->as.dict.count; i++) {
        const ks_member *member = &s->weight_map->as.dict.members[i];
        size_t count;
        const ks_value *names = names_of(&member->value, &count);
        *ks_name_table_place(&s->groups, member->key) = (ks_named){member->key, i};
        if (count == 0)
            return fail(s, KS_E_WEIGHTS_INDEX, &member->value, "is in no file", member->key);
        for (size_t k = 0; k < count; k++)
            KS_TRY(add_shard(s, &names[k]));
    }
done:
    return code;
}

// --- the shards -----------------------------------------------------------------------------------------------------

// Keys are absolute: "/layers/dense/vars".
static ks_code find_files(ks_hdf5 *const **files, size_t *count, void *argument, const char *group) {
    ks__sharded *s = argument;
    const char *key = ks_arena_format(&s->m->arena, "/%s", group);
    const ks_named *place;
    const ks_value *names;
    *count = 0;
    *files = s->found;
    if (!key)
        return s->m->context->error.code;
    place = ks_name_table_place(&s->groups, ks_text_from(key));
    if (place->number == KS_NO_NUMBER)
        return KS_OK;
    names = names_of(&s->weight_map->as.dict.members[place->number].value, count);
    if (*count > MAX_SHARDS)
        return fail(s, KS_E_OVER_COUNT, names, "has more shards than there can be", ks_text_from(key));
    for (size_t i = 0; i < *count; i++) {
        size_t number = ks_name_table_place(&s->names, names[i].text)->number;
        for (size_t k = 0; k < i; k++)
            if (s->found[k] == s->shards[number].file)
                return fail(s, KS_E_WEIGHTS_INDEX, &names[i], "is named twice for one group", names[i].text);
        s->found[i] = s->shards[number].file;
    }
    return KS_OK;
}

static ks_code open_shard(ks__sharded *s, shard *one) {
    const char *path = ks_arena_format(&s->m->arena, "%s%s", s->folder, one->name.data);
    ks_context *context = s->m->context;
    uint64_t limit = context->memory.limit;
    char prefix[100];
    ks_code code;
    if (!path)
        return context->error.code;
    // Read, not mapped: a model that outlives this call then depends on no further files.
    code = ks_source_open_copy(&one->source, context, path);
    context->memory.limit += limit; // all files count
    if (code == KS_E_IO) {
        ks_context_clear(context);
        return fail(s, KS_E_WEIGHTS_MISSING, NULL, "is a shard that cannot be opened", one->name);
    }
    if (code != KS_OK)
        return code;
    code = ks_hdf5_open(&one->file, context, ks_source_bytes(one->source), s->m->options.road);
    if (code == KS_OK && s->m->options.check_only)
        code = ks_hdf5_verify(one->file);
    if (code != KS_OK) {
        snprintf(prefix, sizeof(prefix), "%.80s:", one->name.data);
        ks_error_prefix_place(context, prefix);
    }
    return code;
}

void ks__sharded_close(ks__sharded *s) {
    if (!s)
        return;
    for (size_t i = 0; i < s->n_shards; i++) {
        ks_hdf5_close(s->shards[i].file);
        ks_source_close(s->shards[i].source);
    }
    ks_free(s->m->context, s);
}

ks_code ks__load_sharded(ks__sharded **out, ks_model *m, ks_weight_map *map, const ks_value *root, const char *path,
                         const ks_weights_options *options) {
    const char *slash = strrchr(path, '/');
    ks__sharded *s = ks_allocate(m->context, 1, sizeof(*s));
    ks_weights_store store = {find_files, s};
    ks_code code;
    *out = s;
    if (!s)
        return m->context->error.code;
    s->m = m;
    s->folder = slash ? ks_arena_format(&m->arena, "%.*s", (int)(slash - path + 1), path) : "";
    if (!s->folder)
        return m->context->error.code;
    KS_TRY(read_index(s, root));
    for (size_t i = 0; i < s->n_shards; i++)
        KS_TRY(open_shard(s, &s->shards[i]));
    KS_TRY(ks_weights_load_store(map, m->context, &m->arena, &store, "weights", options));
done:
    return code;
}
