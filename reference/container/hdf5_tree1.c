// SPDX-License-Identifier: Apache-2.0
//
// Version 1 B-trees: the names of an old-style group, and the chunks of a dataset.
//
//   "TREE" 4, type 1 (0 group, 1 chunks), level 1 (0: leaf), entries 2, left sibling O, right sibling O,
//   key 0, child 0 O, key 1, child 1 O, ..., key N (room for 2K entries)
//   key of a group: offset of a name in the local heap L; names of child i are > key i and <= key i + 1
//   key of chunks: stored size 4, filter mask 4, offset along each axis 8, and along the bytes of an element 8; chunks
//   of child i are >= key i and < key i + 1
//
// libhdf5 lists by walking and looks up by keys: only where keys are in order and tell the truth both find the same.
#include "container/hdf5_internal.h"

/// Addresses of the keys between which all entries of a subtree lie; 0: no bound.
typedef struct bounds {
    uint64_t low;
    uint64_t high;
} bounds;

typedef struct tree {
    ks__h5 *self;
    unsigned type;
    size_t key_size;
    uint64_t node_size; ///< bytes
    uint64_t n_left;    ///< nodes that fit into the file and were not visited yet
    ks_code (*leaf)(struct tree *tree, uint64_t key, uint64_t child, const bounds *within);
    ks_code (*compare)(int *out, struct tree *tree, uint64_t a, uint64_t b); ///< the keys at two addresses
    // groups
    ks__h5_span heap;
    ks__h5_symbol_node *visit_symbols;
    // chunks
    const ks__h5_layout *layout;
    ks__h5_visit_chunk *visit_chunk;
    ks__h5_chunk chunk; ///< the last one
    bool has_chunk;
    void *data;
} tree;

typedef struct node {
    unsigned level;
    size_t count;
    uint64_t first_key; ///< address
} node;

static ks_code open_node(node *out, tree *t, uint64_t address) {
    ks__h5 *self = t->self;
    ks_code code = ks__h5_signature(self, address, "TREE");
    if (code == KS_OK)
        code = ks__h5_need(self, address, t->node_size, "a B-tree node");
    if (code != KS_OK)
        return code;
    if (t->visit_chunk && (code = ks__h5_claim_node(self, address)) != KS_OK)
        return code;
    if (t->n_left-- == 0)
        return ks__h5_fail(self, KS_E_HDF5_CYCLE, address, "expected a tree, found more nodes than the file can hold");
    unsigned type = (unsigned)ks__h5_field(self, address + 4, 1);
    out->level = (unsigned)ks__h5_field(self, address + 5, 1);
    out->count = (size_t)ks__h5_field(self, address + 6, 2);
    out->first_key = address + 8 + 2 * self->offset_size;
    if (type != t->type)
        return ks__h5_fail(self, KS_E_HDF5_TREE, address, "expected a B-tree of type %u, found %u", t->type, type);
    if (out->count > (t->node_size - 8 - 2 * self->offset_size) / (t->key_size + self->offset_size))
        return ks__h5_fail(self, KS_E_HDF5_TREE, address, "expected entries that fit into the node, found %zu",
                           out->count);
    return KS_OK;
}

static void prepare(tree *t, ks__h5 *self, unsigned type, size_t k, size_t key_size) {
    t->self = self;
    t->type = type;
    t->key_size = key_size;
    t->node_size = 8 + 2 * self->offset_size + 2 * k * (key_size + self->offset_size) + key_size;
    t->visit_chunk = NULL;
    t->n_left = UINT64_MAX; // a way down is as long as the root's level says
    t->has_chunk = false;
}

static void prepare_walk(tree *t, ks__h5 *self, unsigned type, size_t k, size_t key_size) {
    prepare(t, self, type, k, key_size);
    t->n_left = self->bytes.size / t->node_size + 1;
}

static uint64_t key_at(const tree *t, const node *n, size_t index) {
    return n->first_key + index * (t->key_size + t->self->offset_size);
}

static uint64_t child_at(const tree *t, const node *n, size_t index) {
    return ks__h5_address_at(t->self, key_at(t, n, index) + t->key_size);
}

/// Levels count down, so a path cannot be longer than the root's level says.
static ks_code check_level(tree *t, uint64_t address, const node *n, unsigned expected) {
    if (n->level != expected)
        return ks__h5_fail(t->self, KS_E_HDF5_TREE, address, "expected a node of level %u, found %u", expected,
                           n->level);
    return KS_OK;
}

/// The narrower bounds of child `index`, whose keys must be in order.
static ks_code narrow(bounds *out, tree *t, const node *n, size_t index, const bounds *outer) {
    uint64_t low = key_at(t, n, index);
    uint64_t high = key_at(t, n, index + 1);
    int order = 0;
    ks_code code;
    *out = (bounds){low, high};
    KS_TRY(t->compare(&order, t, low, high));
    if (order >= 0)
        return ks__h5_fail(t->self, KS_E_HDF5_TREE, high, "expected keys of a tree node in order, found others");
    if (outer->low)
        KS_TRY(t->compare(&order, t, low, outer->low));
    if (outer->low && order < 0)
        out->low = outer->low;
    if (outer->high)
        KS_TRY(t->compare(&order, t, high, outer->high));
    if (outer->high && order > 0)
        out->high = outer->high;
done:
    return code;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the limit on levels
static ks_code walk(tree *t, const node *n, const bounds *outer) {
    for (size_t i = 0; i < n->count; i++) {
        uint64_t child = child_at(t, n, i);
        bounds within;
        ks_code code = narrow(&within, t, n, i, outer);
        if (code == KS_OK && n->level == 0) {
            code = t->leaf(t, key_at(t, n, i), child, &within);
        } else if (code == KS_OK) {
            node below;
            code = open_node(&below, t, child);
            if (code == KS_OK)
                code = check_level(t, child, &below, n->level - 1);
            if (code == KS_OK)
                code = walk(t, &below, &within);
        }
        if (code != KS_OK)
            return code;
    }
    return KS_OK;
}

static ks_code open_root(node *out, tree *t, uint64_t address) {
    ks_code code = open_node(out, t, address);
    if (code == KS_OK && out->level > t->self->base.context->limits.hdf5_depth)
        return ks__h5_fail(t->self, KS_E_OVER_DEPTH, address, "expected at most %llu levels, found %u",
                           (unsigned long long)t->self->base.context->limits.hdf5_depth, out->level);
    return code;
}

// --- groups ----------------------------------------------------------------------------------------------------------

static ks_code key_name(ks_text *out, tree *t, uint64_t key) {
    return ks__h5_local_name(out, t->self, t->heap, ks__h5_length_at(t->self, key));
}

static ks_code compare_names(int *out, tree *t, uint64_t a, uint64_t b) {
    ks_text left;
    ks_text right;
    ks_code code = key_name(&left, t, a);
    if (code == KS_OK)
        code = key_name(&right, t, b);
    if (code == KS_OK)
        *out = ks__h5_compare(left, right);
    return code;
}

static ks_code symbol_leaf(tree *t, uint64_t key, uint64_t child, const bounds *within) {
    ks_text low;
    ks_text high;
    (void)key;
    ks_code code = key_name(&low, t, within->low);
    if (code == KS_OK)
        code = key_name(&high, t, within->high);
    return code == KS_OK ? t->visit_symbols(t->data, t->self, child, low, high) : code;
}

ks_code ks__h5_tree1_group(ks__h5 *self, uint64_t root, ks__h5_span heap, ks__h5_symbol_node *visit, void *data) {
    tree t;
    node n;
    prepare_walk(&t, self, 0, self->group_k, self->length_size);
    t.leaf = symbol_leaf;
    t.compare = compare_names;
    t.heap = heap;
    t.visit_symbols = visit;
    t.data = data;
    ks_code code = open_root(&n, &t, root);
    return code == KS_OK ? walk(&t, &n, &(bounds){0, 0}) : code;
}

/// The child whose names reach up to `name`: the first one whose upper key is not before it.
static ks_code choose_child(size_t *out, tree *t, const node *n, ks_text name) {
    size_t low = 0;
    size_t high = n->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        ks_text key;
        ks_code code = key_name(&key, t, key_at(t, n, middle + 1));
        if (code != KS_OK)
            return code;
        if (ks__h5_compare(key, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *out = low;
    return KS_OK;
}

ks_code ks__h5_tree1_descend(uint64_t *out, ks__h5 *self, uint64_t root, ks__h5_span heap, ks_text name) {
    tree t;
    node n;
    prepare(&t, self, 0, self->group_k, self->length_size);
    t.heap = heap;
    *out = KS__H5_UNDEFINED;
    ks_code code = open_root(&n, &t, root);
    while (code == KS_OK) {
        size_t index = 0;
        code = choose_child(&index, &t, &n, name);
        if (code != KS_OK || index == n.count)
            return code; // behind the last name
        uint64_t child = child_at(&t, &n, index);
        if (n.level == 0) {
            *out = child;
            return KS_OK;
        }
        unsigned expected = n.level - 1;
        code = open_node(&n, &t, child);
        if (code == KS_OK)
            code = check_level(&t, child, &n, expected);
    }
    return code;
}

// --- chunks ----------------------------------------------------------------------------------------------------------

/// Scaled offset `axis` of the key at an address; the last axis is that of an element's bytes.
static uint64_t scaled_at(const tree *t, uint64_t key, size_t axis) {
    ks_reader reader = ks__h5_reader(t->self, (ks__h5_span){key + 8 + 8 * axis, 8});
    uint64_t offset = ks_read_u64(&reader);
    return offset / (axis < t->layout->rank ? t->layout->chunk[axis] : t->layout->element_size);
}

static ks_code compare_offsets(int *out, tree *t, uint64_t a, uint64_t b) {
    *out = 0;
    for (size_t i = 0; i <= t->layout->rank && *out == 0; i++) {
        uint64_t left = scaled_at(t, a, i);
        uint64_t right = scaled_at(t, b, i);
        *out = left < right ? -1 : left > right;
    }
    return KS_OK;
}

/// Chunks must come in the order of their offsets, so that none comes twice.
static bool is_behind(const ks__h5_chunk *a, const ks__h5_chunk *b, size_t rank) {
    for (size_t i = 0; i < rank; i++)
        if (a->scaled[i] != b->scaled[i])
            return a->scaled[i] > b->scaled[i];
    return false;
}

static ks_code chunk_leaf(tree *t, uint64_t key, uint64_t child, const bounds *within) {
    const ks__h5_layout *layout = t->layout;
    ks__h5_chunk chunk;
    int order = 0;
    if (within->low != key) // an outer key lies behind this one
        return ks__h5_fail(t->self, KS_E_HDF5_CHUNK_INDEX, key, "expected a chunk between the keys around it");
    (void)compare_offsets(&order, t, key, within->high);
    if (order >= 0)
        return ks__h5_fail(t->self, KS_E_HDF5_CHUNK_INDEX, key, "expected a chunk between the keys around it");
    ks_reader reader = ks__h5_reader(t->self, (ks__h5_span){key, t->key_size});
    chunk.address = child;
    chunk.size = ks_read_u32(&reader);
    chunk.mask = ks_read_u32(&reader);
    for (size_t i = 0; i < layout->rank; i++) {
        uint64_t offset = ks_read_u64(&reader);
        if (offset % layout->chunk[i] != 0)
            return ks__h5_fail(t->self, KS_E_HDF5_CHUNK_INDEX, key, "expected an offset that %llu divides, found %llu",
                               (unsigned long long)layout->chunk[i], (unsigned long long)offset);
        chunk.scaled[i] = offset / layout->chunk[i];
    }
    if (ks_read_u64(&reader) != 0)
        return ks__h5_fail(t->self, KS_E_HDF5_CHUNK_INDEX, key,
                           "expected an offset of 0 in the element, found another");
    if (t->has_chunk && !is_behind(&chunk, &t->chunk, layout->rank))
        return ks__h5_fail(t->self, KS_E_HDF5_CHUNK_INDEX, key,
                           "expected chunks in order, found one twice or too late");
    t->chunk = chunk;
    t->has_chunk = true;
    return t->visit_chunk(t->data, t->self, &chunk);
}

ks_code ks__h5_tree1_chunks(ks__h5 *self, const ks__h5_layout *layout, ks__h5_visit_chunk *visit, void *data) {
    tree t;
    node n;
    prepare_walk(&t, self, 1, self->chunk_k, 8 + 8 * (layout->rank + 1));
    t.leaf = chunk_leaf;
    t.compare = compare_offsets;
    t.layout = layout;
    t.visit_chunk = visit;
    t.data = data;
    ks_code code = open_root(&n, &t, layout->address);
    return code == KS_OK ? walk(&t, &n, &(bounds){0, 0}) : code;
}
