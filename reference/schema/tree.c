// SPDX-License-Identifier: Apache-2.0
#include "schema/tree.h"

#include <string.h>

size_t ks_tree_count(const ks_tree *tree) {
    size_t count = 0;
    switch (tree->type) {
    case KS_TREE_ARRAY:
    case KS_TREE_SLOT:
        return 1;
    case KS_TREE_LIST:
    case KS_TREE_DICT:
        for (size_t i = 0; i < tree->as.list.count; i++)
            count += ks_tree_count(&tree->as.list.items[i]);
        return count;
    case KS_TREE_NONE:
    case KS_TREE_VALUE:
        return 0;
    }
    return 0;
}

static int compare_text(ks_text a, ks_text b) {
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

// The item whose key comes next after `last` in sorted order; count when there is none. Dicts of tensors are small.
static size_t next_by_key(const ks_tree *tree, const ks_text *last) {
    size_t best = tree->as.list.count;
    for (size_t i = 0; i < tree->as.list.count; i++) {
        ks_text key = tree->as.list.keys[i];
        if (last && compare_text(key, *last) <= 0)
            continue;
        if (best == tree->as.list.count || compare_text(key, tree->as.list.keys[best]) < 0)
            best = i;
    }
    return best;
}

typedef struct leaves {
    ks_tree_type type;
    ks_array **arrays;
    size_t *slots;
    size_t room;
    size_t count;
} leaves;

static void collect(leaves *found, const ks_tree *tree) {
    if (tree->type == found->type) {
        if (found->count < found->room) {
            if (found->arrays)
                found->arrays[found->count] = tree->as.array;
            else
                found->slots[found->count] = tree->as.slot;
        }
        found->count++;
    } else if (tree->type == KS_TREE_LIST) {
        for (size_t i = 0; i < tree->as.list.count; i++)
            collect(found, &tree->as.list.items[i]);
    } else if (tree->type == KS_TREE_DICT) {
        const ks_text *last = NULL;
        for (size_t i; (i = next_by_key(tree, last)) < tree->as.list.count; last = &tree->as.list.keys[i])
            collect(found, &tree->as.list.items[i]);
    }
}

size_t ks_tree_flatten(const ks_tree *tree, ks_array **out, size_t room) {
    leaves found = {.type = KS_TREE_ARRAY, .arrays = out, .room = room};
    collect(&found, tree);
    return found.count;
}

size_t ks_tree_slots(const ks_tree *tree, size_t *out, size_t room) {
    leaves found = {.type = KS_TREE_SLOT, .slots = out, .room = room};
    collect(&found, tree);
    return found.count;
}

size_t ks_tree_number(ks_tree *tree, size_t first) {
    size_t next = first;
    if (tree->type == KS_TREE_ARRAY) {
        tree->type = KS_TREE_SLOT;
        tree->as.slot = next++;
    } else if (tree->type == KS_TREE_LIST) {
        for (size_t i = 0; i < tree->as.list.count; i++)
            next = ks_tree_number(&tree->as.list.items[i], next);
    } else if (tree->type == KS_TREE_DICT) {
        const ks_text *last = NULL;
        for (size_t i; (i = next_by_key(tree, last)) < tree->as.list.count; last = &tree->as.list.keys[i])
            next = ks_tree_number(&tree->as.list.items[i], next);
    }
    return next;
}

ks_tree ks_tree_list(ks_arena *arena, size_t count) {
    ks_tree tree = {.type = KS_TREE_LIST};
    tree.as.list.items = ks_arena_get(arena, count ? count : 1, sizeof(ks_tree));
    tree.as.list.count = tree.as.list.items ? count : 0;
    return tree;
}

ks_array *ks_array_new(ks_arena *arena, ks_dtype dtype, const ks_shape *shape) {
    ks_array *array = ks_arena_get(arena, 1, sizeof(*array));
    if (!array)
        return NULL;
    array->dtype = dtype;
    ks_shape_copy(&array->shape, shape);
    return array;
}

void ks_array_join(ks_array *a, ks_array *b) {
    a->mask = b->mask;
    a->same = b->same ? b->same : b;
    b->same = a;
}

void ks_array_set_mask(ks_array *array, ks_array *mask) {
    array->mask = mask;
    for (ks_array *each = array->same; each && each != array; each = each->same)
        each->mask = mask;
}

size_t ks_array_elements(const ks_array *array) {
    size_t count = 1;
    for (int i = 0; i < array->shape.rank; i++)
        count *= (size_t)array->shape.dims[i];
    return count;
}

int ks_axis(int64_t axis, int rank) {
    if (axis < 0)
        axis += rank;
    return axis < 0 || axis >= rank ? -1 : (int)axis;
}
