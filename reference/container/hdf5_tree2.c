// SPDX-License-Identifier: Apache-2.0
//
// Version 2 B-trees: names of links and attributes, large objects of fractal heaps, chunks.
//
//   header:   "BTHD" 4, version 1 (0), type 1, bytes of a node 4, bytes of a record 2, depth 2, split 1, merge 1,
//             root address O, records of the root 2, all records L, checksum 4
//   internal: "BTIN" 4, version 1 (0), type 1, records, for each child: address O, its records, [all records below it,
//             depth > 1], checksum 4
//   leaf:     "BTLF" 4, version 1 (0), type 1, records, checksum 4
//
// The records of a child have as many bytes as the most that a leaf can hold; all records below a child as many as the
// most that a tree of that depth can.
#include "container/hdf5_internal.h"

#define MAX_DEPTH 64
#define NODE_PREFIX 6
#define NODE_OVERHEAD 10 // with the checksum

typedef struct tree {
    ks__h5 *self;
    const ks__h5_tree2 *what;
    uint64_t node_size;
    size_t record_size;
    unsigned depth;
    uint64_t n_left;                   ///< nodes that fit into the file and were not visited yet
    uint64_t n_records;                ///< visited so far
    size_t count_bytes;                ///< of a child's records
    uint64_t most[MAX_DEPTH + 1];      ///< records of a node at each depth
    size_t total_bytes[MAX_DEPTH + 1]; ///< of all records below a child at each depth
} tree;

typedef struct place {
    uint64_t address;
    uint64_t count; ///< records
    uint64_t all;   ///< records, with those of all nodes below
} place;

static ks_code bad(tree *t, uint64_t at, const char *expected) {
    return ks__h5_fail(t->self, KS_E_HDF5_TREE, at, "expected %s", expected);
}

/// How many records fit, level by level from the leaves up.
static ks_code set_levels(tree *t, uint64_t at) {
    t->most[0] = (t->node_size - NODE_OVERHEAD) / t->record_size;
    t->count_bytes = ks__h5_bytes_for(t->most[0]);
    t->total_bytes[0] = 0;
    uint64_t all = t->most[0];
    for (unsigned u = 1; u <= t->depth; u++) {
        uint64_t pointer = t->self->offset_size + t->count_bytes + t->total_bytes[u - 1];
        if (t->node_size < NODE_OVERHEAD + pointer)
            return bad(t, at, "nodes that hold a record and two children");
        t->most[u] = (t->node_size - NODE_OVERHEAD - pointer) / (t->record_size + pointer);
        if (!ks_mul_u64(t->most[u] + 1, all, &all) || !ks_add_u64(all, t->most[u], &all))
            all = UINT64_MAX;
        t->total_bytes[u] = ks__h5_bytes_for(all);
    }
    return KS_OK;
}

static ks_code read_header(tree *t, place *root, uint64_t at) {
    ks__h5 *self = t->self;
    uint64_t size = 16 + self->offset_size + 2 + self->length_size;
    ks_code code = ks__h5_signature(self, at, "BTHD");
    if (code == KS_OK)
        code = ks__h5_checksum(self, at, size, "a B-tree");
    if (code != KS_OK)
        return code;
    ks_reader reader = ks__h5_reader(self, (ks__h5_span){at + 4, size - 4});
    unsigned version = ks_read_u8(&reader);
    unsigned type = ks_read_u8(&reader);
    t->node_size = ks_read_u32(&reader);
    t->record_size = ks_read_u16(&reader);
    t->depth = ks_read_u16(&reader);
    ks_read_skip(&reader, 2);
    root->address = ks__h5_address(self, &reader);
    root->count = ks_read_u16(&reader);
    root->all = ks__h5_length(self, &reader);
    if (version != 0)
        return ks__h5_fail(self, KS_E_HDF5_VERSION, at, "expected a B-tree of version 0, found %u", version);
    if (type != t->what->type || t->record_size == 0 || t->node_size < NODE_OVERHEAD + t->record_size)
        return ks__h5_fail(self, KS_E_HDF5_TREE, at, "expected records of type %u, found type %u of %zu bytes",
                           t->what->type, type, t->record_size);
    uint64_t limit = self->base.context->limits.hdf5_depth;
    if (t->depth > limit || t->depth > MAX_DEPTH)
        return ks__h5_fail(self, KS_E_OVER_DEPTH, at, "expected at most %llu levels, found %u",
                           (unsigned long long)limit, t->depth);
    t->n_left = self->bytes.size / t->node_size + 1;
    return set_levels(t, at);
}

static ks_code open_node(tree *t, const place *node, unsigned depth) {
    ks__h5 *self = t->self;
    uint64_t pointer = self->offset_size + t->count_bytes + (depth ? t->total_bytes[depth - 1] : 0);
    uint64_t size = NODE_PREFIX + node->count * t->record_size + (depth ? (node->count + 1) * pointer : 0);
    ks_code code = ks__h5_signature(self, node->address, depth ? "BTIN" : "BTLF");
    if (code == KS_OK)
        code = ks__h5_need(self, node->address, t->node_size, "a B-tree node");
    if (code != KS_OK)
        return code;
    if (node->count > t->most[depth])
        return bad(t, node->address, "records that fit into the node");
    if (!t->what->place && (code = ks__h5_claim_node(self, node->address)) != KS_OK)
        return code;
    if (t->n_left-- == 0)
        return ks__h5_fail(self, KS_E_HDF5_CYCLE, node->address,
                           "expected a tree, found more nodes than the file can hold");
    code = ks__h5_checksum(self, node->address, size, "a B-tree node");
    const uint8_t *p = self->bytes.data + node->address;
    if (code == KS_OK && (p[4] != 0 || p[5] != t->what->type))
        return bad(t, node->address, "a node of the tree's version and type");
    return code;
}

static ks__h5_span record_at(const tree *t, const place *node, uint64_t index) {
    return (ks__h5_span){node->address + NODE_PREFIX + index * t->record_size, t->record_size};
}

static ks__h5_order place_of(tree *t, const place *node, uint64_t index) {
    return t->what->place ? t->what->place(t->what->data, t->self, record_at(t, node, index)) : KS__H5_INSIDE;
}

static place child_of(const tree *t, const place *node, unsigned depth, uint64_t index) {
    ks__h5 *self = t->self;
    uint64_t pointer = self->offset_size + t->count_bytes + t->total_bytes[depth - 1];
    uint64_t at = record_at(t, node, node->count).at + index * pointer;
    ks_reader reader = ks__h5_reader(self, (ks__h5_span){at, pointer});
    place child;
    child.address = ks__h5_address(self, &reader);
    child.count = ks_read_uint(&reader, t->count_bytes);
    child.all = depth > 1 ? ks_read_uint(&reader, t->total_bytes[depth - 1]) : child.count;
    return child;
}

/// The first record that is not before what is sought.
static uint64_t first_inside(tree *t, const place *node) {
    uint64_t low = 0;
    uint64_t high = node->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (place_of(t, node, middle) == KS__H5_BEFORE)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the limit on levels
static ks_code walk(tree *t, const place *node, unsigned depth) {
    uint64_t before = t->n_records;
    ks_code code = open_node(t, node, depth);
    if (code != KS_OK)
        return code;
    for (uint64_t i = t->what->place ? first_inside(t, node) : 0; code == KS_OK; i++) {
        if (depth > 0) {
            place child = child_of(t, node, depth, i);
            code = walk(t, &child, depth - 1);
        }
        if (code != KS_OK || i == node->count || place_of(t, node, i) == KS__H5_BEHIND)
            break;
        t->n_records++;
        code = t->what->visit(t->what->data, t->self, record_at(t, node, i));
    }
    // libhdf5 makes room for as many records as the header says.
    if (code == KS_OK && !t->what->place && t->n_records - before != node->all)
        return ks__h5_fail(t->self, KS_E_HDF5_TREE, node->address, "expected %llu records below a node, found %llu",
                           (unsigned long long)node->all, (unsigned long long)(t->n_records - before));
    return code;
}

ks_code ks__h5_check_name(ks__h5_last_name *last, ks__h5 *self, uint64_t at, ks_text name, uint32_t hash) {
    uint32_t computed = ks__h5_lookup3((const uint8_t *)name.data, name.size);
    if (hash != computed)
        return ks__h5_fail(self, KS_E_HDF5_TREE, at, "expected the hash 0x%08X of a name, found 0x%08X", computed,
                           hash);
    if (last->name.data && (hash < last->hash || (hash == last->hash && ks__h5_compare(last->name, name) >= 0)))
        return ks__h5_fail(self, KS_E_HDF5_TREE, at, "expected names in the order of their hashes, found another");
    *last = (ks__h5_last_name){name, hash};
    return KS_OK;
}

ks_code ks__h5_tree2_walk(ks__h5 *self, uint64_t header, const ks__h5_tree2 *what) {
    tree t = {.self = self, .what = what};
    place root;
    ks_code code = read_header(&t, &root, header);
    if (code == KS_OK && root.address == KS__H5_UNDEFINED && (root.count != 0 || root.all != 0))
        code = bad(&t, header, "a tree without a root to have no records");
    if (code != KS_OK || root.address == KS__H5_UNDEFINED)
        return code;
    return walk(&t, &root, t.depth);
}
