// SPDX-License-Identifier: Apache-2.0
//
// Which chunks a dataset has, by any of the indexes of layout version 4 or by the version 1 B-tree.
//
//   single:    the address of the only chunk; its size and mask are in the layout when it is filtered
//   implicit:  all chunks one behind the other, in the order of the largest shape
//   fixed array, extensible array: entries in the order of the largest shape (extensible: the unlimited axis counts
//              slowest); entry: address O, [size, mask 4, when filtered]
//   B-tree:    records of type 10: address O, chunk number along each axis 8; type 11: address O, size, mask 4, numbers
//
// The size of a filtered chunk has one byte more than the size of an unfiltered one needs.
#include "container/hdf5_internal.h"

/// Between an index and the caller: leaves out chunks behind the shape, and checks what all indexes have in common.
typedef struct gate {
    const ks__h5_layout *layout;
    ks__h5_visit_chunk *visit;
    void *data;
    uint64_t stored; ///< bytes of all chunks so far
    ks__h5_chunk last;
    bool has_last;
} gate;

static ks_code pass(void *data, ks__h5 *self, const ks__h5_chunk *chunk) {
    gate *g = data;
    for (size_t i = 0; i < g->layout->rank; i++)
        if (chunk->scaled[i] >= g->layout->n_chunks[i])
            return KS_OK;
    ks_code code = ks__h5_need(self, chunk->address, chunk->size, "a chunk");
    g->stored += chunk->size;
    if (code == KS_OK && g->stored > self->bytes.size)
        return ks__h5_fail(self, KS_E_HDF5_CYCLE, chunk->address, "expected chunks apart, found them overlapping");
    return code == KS_OK ? g->visit(g->data, self, chunk) : code;
}

static size_t size_bytes(const ks__h5_layout *layout) {
    size_t size = 1 + (ks__h5_log2(layout->chunk_size) + 8) / 8;
    return size > 8 ? 8 : size;
}

size_t ks__h5_entry_size(const ks__h5 *self, const ks__h5_layout *layout) {
    return self->offset_size + (layout->filtered ? size_bytes(layout) + 4 : 0);
}

// --- arrays ----------------------------------------------------------------------------------------------------------

/// The chunk with this number when axis `swap` counts slowest and the others in their order.
static void locate(ks__h5_chunk *chunk, const ks__h5_layout *layout, size_t swap, uint64_t number) {
    for (size_t i = layout->rank; i-- > 0;) {
        if (i == swap)
            continue;
        chunk->scaled[i] = number % layout->max_chunks[i];
        number /= layout->max_chunks[i];
    }
    chunk->scaled[swap] = number;
}

ks_code ks__h5_entries_take(ks__h5_entries *e, ks__h5 *self, uint64_t at, uint64_t count) {
    ks_reader reader = ks__h5_reader(self, (ks__h5_span){at, count * e->entry_size});
    for (uint64_t i = 0; i < count && e->next < e->end; i++, e->next++) {
        ks__h5_chunk chunk;
        chunk.address = ks__h5_address(self, &reader);
        chunk.size = e->layout->chunk_size;
        chunk.mask = 0;
        if (e->layout->filtered) {
            chunk.size = ks_read_uint(&reader, e->entry_size - self->offset_size - 4);
            chunk.mask = ks_read_u32(&reader);
        }
        if (chunk.address == KS__H5_UNDEFINED)
            continue;
        locate(&chunk, e->layout, e->swap, e->next);
        ks_code code = e->visit(e->data, self, &chunk);
        if (code != KS_OK)
            return code;
    }
    return KS_OK;
}

/// All chunks that there may be; false when one axis is unlimited or there are too many.
static bool count_chunks(uint64_t *out, const ks__h5_layout *layout, size_t without) {
    *out = 1;
    for (size_t i = 0; i < layout->rank; i++)
        if (i != without && (layout->max_chunks[i] == UINT64_MAX || !ks_mul_u64(*out, layout->max_chunks[i], out)))
            return false;
    return true;
}

static ks_code walk_array(ks__h5 *self, const ks__h5_layout *layout, gate *g) {
    ks__h5_entries entries = {
        .layout = layout, .entry_size = ks__h5_entry_size(self, layout), .visit = pass, .data = g, .end = UINT64_MAX};
    size_t n_unlimited = 0;
    for (size_t i = 0; i < layout->rank; i++) {
        if (layout->max_chunks[i] == UINT64_MAX) {
            entries.swap = i;
            n_unlimited++;
        }
    }
    bool extensible = layout->index == KS__H5_INDEX_EXTENSIBLE;
    uint64_t inner = 0;
    if (n_unlimited != (extensible ? 1 : 0) || !count_chunks(&inner, layout, extensible ? entries.swap : KS_MAX_RANK))
        return ks__h5_fail(self, KS_E_HDF5_CHUNK_INDEX, layout->address,
                           "expected %s, found %zu unlimited axes or too many chunks",
                           extensible ? "one unlimited axis" : "no unlimited axis", n_unlimited);
    if (!extensible) {
        entries.end = inner;
        return ks__h5_fixed_array(self, &entries);
    }
    // What is behind the shape's last chunk along the unlimited axis does not count.
    if (!ks_mul_u64(inner, layout->n_chunks[entries.swap], &entries.end))
        entries.end = UINT64_MAX;
    return ks__h5_extensible_array(self, &entries);
}

static ks_code walk_implicit(ks__h5 *self, const ks__h5_layout *layout, gate *g) {
    uint64_t count = 0;
    uint64_t size = 0;
    if (layout->filtered || !count_chunks(&count, layout, KS_MAX_RANK) || !ks_mul_u64(count, layout->chunk_size, &size))
        return ks__h5_fail(self, KS_E_HDF5_CHUNK_INDEX, layout->address,
                           "expected no filters and no unlimited axis with an implicit index");
    ks_code code = ks__h5_need(self, layout->address, size, "chunks one behind the other");
    for (uint64_t i = 0; i < count && code == KS_OK; i++) {
        ks__h5_chunk chunk = {.address = layout->address + i * layout->chunk_size, .size = layout->chunk_size};
        locate(&chunk, layout, 0, i);
        code = pass(g, self, &chunk);
    }
    return code;
}

static ks_code walk_single(ks__h5 *self, const ks__h5_layout *layout, gate *g) {
    ks__h5_chunk chunk = {.address = layout->address, .size = layout->chunk_size};
    for (size_t i = 0; i < layout->rank; i++)
        if (layout->n_chunks[i] > 1)
            return ks__h5_fail(self, KS_E_HDF5_CHUNK_INDEX, layout->address,
                               "expected one chunk, found %llu along an axis", (unsigned long long)layout->n_chunks[i]);
    if (layout->filtered) {
        chunk.size = layout->single_size;
        chunk.mask = layout->single_mask;
    }
    return pass(g, self, &chunk);
}

// --- B-tree ----------------------------------------------------------------------------------------------------------

static ks_code take_record(void *data, ks__h5 *self, ks__h5_span record) {
    gate *g = data;
    const ks__h5_layout *layout = g->layout;
    if (record.size != ks__h5_entry_size(self, layout) + 8 * layout->rank)
        return ks__h5_fail(self, KS_E_HDF5_CHUNK_INDEX, record.at, "expected records of %zu bytes, found %llu",
                           ks__h5_entry_size(self, layout) + 8 * layout->rank, (unsigned long long)record.size);
    ks__h5_chunk chunk;
    ks_reader reader = ks__h5_reader(self, record);
    chunk.address = ks__h5_address(self, &reader);
    chunk.size = layout->filtered ? ks_read_uint(&reader, size_bytes(layout)) : layout->chunk_size;
    chunk.mask = layout->filtered ? ks_read_u32(&reader) : 0;
    bool behind = !g->has_last;
    bool equal = true;
    for (size_t i = 0; i < layout->rank; i++) {
        chunk.scaled[i] = ks_read_u64(&reader);
        if (!behind && equal && chunk.scaled[i] != g->last.scaled[i]) {
            equal = false;
            behind = chunk.scaled[i] > g->last.scaled[i];
            if (!behind)
                break;
        }
    }
    if (!behind)
        return ks__h5_fail(self, KS_E_HDF5_CHUNK_INDEX, record.at,
                           "expected chunks in order, found one twice or too late");
    g->last = chunk;
    g->has_last = true;
    return pass(g, self, &chunk);
}

ks_code ks__h5_chunks(ks__h5 *self, const ks__h5_layout *layout, ks__h5_visit_chunk *visit, void *data) {
    gate g = {.layout = layout, .visit = visit, .data = data};
    ks__h5_tree2 records = {.type = layout->filtered ? 11 : 10, .visit = take_record, .data = &g};
    switch (layout->index) {
    case KS__H5_INDEX_TREE1:
        return ks__h5_tree1_chunks(self, layout, pass, &g);
    case KS__H5_INDEX_SINGLE:
        return walk_single(self, layout, &g);
    case KS__H5_INDEX_IMPLICIT:
        return walk_implicit(self, layout, &g);
    case KS__H5_INDEX_TREE2:
        return ks__h5_tree2_walk(self, layout->address, &records);
    default:
        return walk_array(self, layout, &g);
    }
}
