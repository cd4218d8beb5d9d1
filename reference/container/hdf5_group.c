// SPDX-License-Identifier: Apache-2.0
//
// Groups: names and what they lead to. Three forms:
//
// - symbol table message: B-tree address O, local heap address O. The tree's leaves are symbol table nodes:
//   "SNOD" 4, version 1 (1), reserved 1, entries 2, entries (room for 2K), each: name offset L, header address O,
//   cache type 4 (0 nothing, 1 group, 2 soft link), reserved 4, scratch 16
// - link messages in the group's own header
// - link info message: version 1 (0), flags 1 (bit 0: creation order kept, 1: indexed), [largest creation order 8],
//   fractal heap address O, name index O, [creation order index O]; the heap holds link messages, the name index is a
//   version 2 B-tree of type 5: hash of the name 4 (lookup3), heap id 7
#include "container/hdf5_internal.h"

#include <stdlib.h>

#define LINK_ID_SIZE 7
#define FIRST_LINKS 16

enum { CACHE_SOFT_LINK = 2 };

/// Links as they are found; sorted at the end.
typedef struct list {
    ks__h5_object *group;
    ks__h5_span heap;
    ks__h5_heap fractal;
    ks__h5_last_name last; ///< in the name index
    ks_hdf5_link *links;
    size_t count;
    size_t capacity;
    ks_hdf5_link *few; ///< room for FIRST_LINKS of them, before memory is asked for
    // a search for one name
    ks_text name;
    uint32_t hash;
    ks_hdf5_link *found_link;
    bool found;
} list;

static int by_name(const void *a, const void *b) {
    return ks__h5_compare(((const ks_hdf5_link *)a)->name, ((const ks_hdf5_link *)b)->name);
}

/// `copy`: the name is a view that no NUL follows.
static ks_code add_link(list *l, ks__h5 *self, const ks_hdf5_link *link, bool copy) {
    ks_context *context = self->base.context;
    if (l->count >= context->limits.hdf5_objects)
        return ks__h5_fail(self, KS_E_OVER_COUNT, l->group->address, "expected at most %llu links, found more",
                           (unsigned long long)context->limits.hdf5_objects);
    if (l->count == l->capacity) {
        size_t capacity = l->capacity * 2;
        ks_hdf5_link *larger = ks_allocate(context, capacity, sizeof *larger);
        if (!larger)
            return context->error.code;
        memcpy(larger, l->links, l->count * sizeof *larger);
        if (l->links != l->few)
            ks_free(context, l->links);
        l->links = larger;
        l->capacity = capacity;
    }
    l->links[l->count] = *link;
    if (copy) {
        l->links[l->count].name = ks_arena_text(&self->arena, link->name.data, link->name.size);
        if (!l->links[l->count].name.data)
            return context->error.code;
    }
    l->count++;
    return KS_OK;
}

// --- symbol tables ---------------------------------------------------------------------------------------------------

typedef struct symbols {
    uint64_t tree;
    uint64_t heap;
} symbols;

static size_t symbol_size(const ks__h5 *self) {
    return self->length_size + self->offset_size + 24;
}

static ks_code open_symbols(symbols *out, ks__h5 *self, ks__h5_object *group, const ks__h5_message *message) {
    ks_reader reader = ks__h5_reader(self, ks__h5_message_span(message));
    out->tree = ks__h5_address(self, &reader);
    out->heap = ks__h5_address(self, &reader);
    if (reader.failed)
        return ks__h5_fail(self, KS_E_HDF5_MESSAGE, message->at, "expected the addresses of a tree and a heap");
    if (group->heap_known)
        return KS_OK;
    ks_code code = ks__h5_local_heap(&group->heap, self, out->heap);
    group->heap_known = code == KS_OK;
    return code;
}

static ks_code symbol_count(size_t *out, ks__h5 *self, uint64_t address) {
    uint64_t size = 8 + 2 * self->leaf_k * symbol_size(self);
    ks_code code = ks__h5_signature(self, address, "SNOD");
    if (code == KS_OK)
        code = ks__h5_need(self, address, size, "a symbol table node");
    if (code != KS_OK)
        return code;
    unsigned version = (unsigned)ks__h5_field(self, address + 4, 1);
    *out = (size_t)ks__h5_field(self, address + 6, 2);
    if (version != 1)
        return ks__h5_fail(self, KS_E_HDF5_VERSION, address, "expected a symbol table node of version 1, found %u",
                           version);
    if (*out > 2 * self->leaf_k)
        return ks__h5_fail(self, KS_E_HDF5_SYMBOL, address, "expected at most %zu symbols in a node, found %zu",
                           2 * self->leaf_k, *out);
    return KS_OK;
}

static ks_code symbol_name(ks_text *out, ks__h5 *self, ks__h5_span heap, uint64_t node, size_t index) {
    return ks__h5_local_name(out, self, heap, ks__h5_length_at(self, node + 8 + index * symbol_size(self)));
}

static ks_code read_symbol(ks_hdf5_link *out, ks__h5 *self, ks__h5_span heap, uint64_t node, size_t index) {
    uint64_t at = node + 8 + index * symbol_size(self);
    uint64_t name = ks__h5_length_at(self, at);
    uint64_t address = ks__h5_address_at(self, at + self->length_size);
    uint64_t cache_at = at + self->length_size + self->offset_size;
    uint32_t cache = (uint32_t)ks__h5_field(self, cache_at, 4);
    memset(out, 0, sizeof *out);
    if (cache > CACHE_SOFT_LINK)
        return ks__h5_fail(self, KS_E_HDF5_SYMBOL, at, "expected a cache type of 0, 1 or 2, found %u", cache);
    out->type = cache == CACHE_SOFT_LINK ? KS_LINK_SOFT : KS_LINK_HARD;
    out->node = out->type == KS_LINK_HARD ? address : 0;
    ks_code code = ks__h5_local_name(&out->name, self, heap, name);
    if (code == KS_OK && out->type == KS_LINK_SOFT) {
        ks_text path;
        code = ks__h5_local_name(&path, self, heap, ks__h5_field(self, cache_at + 8, 4));
    }
    if (code == KS_OK && (out->name.size == 0 || memchr(out->name.data, '/', out->name.size)))
        return ks__h5_fail(self, KS_E_HDF5_SYMBOL, at, "expected a name without a slash, found none");
    return code;
}

static ks_code list_symbols(void *data, ks__h5 *self, uint64_t address, ks_text low, ks_text high) {
    list *l = data;
    size_t count = 0;
    ks_code code = symbol_count(&count, self, address);
    for (size_t i = 0; i < count && code == KS_OK; i++) {
        ks_hdf5_link link;
        code = read_symbol(&link, self, l->heap, address, i);
        if (code == KS_OK && l->count && ks__h5_compare(l->links[l->count - 1].name, link.name) >= 0)
            code = ks__h5_fail(self, KS_E_HDF5_LINK_ORDER, address, "expected names in order, found \"%.60s\" too late",
                               link.name.data);
        if (code == KS_OK && (ks__h5_compare(link.name, low) <= 0 || ks__h5_compare(link.name, high) > 0))
            code = ks__h5_fail(self, KS_E_HDF5_LINK_ORDER, address,
                               "expected names between the keys of the tree, found \"%.60s\"", link.name.data);
        if (code == KS_OK)
            code = add_link(l, self, &link, false);
    }
    return code;
}

/// Binary search by name; only the symbol that is found is read whole.
static ks_code find_symbol(ks_hdf5_link *out, bool *found, ks__h5 *self, ks__h5_span heap, uint64_t node,
                           ks_text name) {
    size_t high = 0;
    ks_code code = symbol_count(&high, self, node);
    for (size_t low = 0; code == KS_OK && low < high;) {
        size_t middle = low + (high - low) / 2;
        ks_text probed;
        code = symbol_name(&probed, self, heap, node, middle);
        if (code != KS_OK)
            return code;
        int order = ks__h5_compare(probed, name);
        if (order == 0) {
            *found = true;
            return read_symbol(out, self, heap, node, middle);
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return code;
}

static ks_code find_in_symbols(ks_hdf5_link *out, bool *found, ks__h5 *self, ks__h5_object *group,
                               const ks__h5_message *message, ks_text name) {
    symbols where;
    uint64_t node = KS__H5_UNDEFINED;
    ks_code code = open_symbols(&where, self, group, message);
    if (code == KS_OK)
        code = ks__h5_tree1_descend(&node, self, where.tree, group->heap, name);
    if (code != KS_OK || node == KS__H5_UNDEFINED)
        return code;
    return find_symbol(out, found, self, group->heap, node, name);
}

// --- links in a fractal heap -----------------------------------------------------------------------------------------

typedef struct link_info {
    uint64_t heap;
    uint64_t names;
    uint64_t order; ///< creation order index
} link_info;

static ks_code read_link_info(link_info *out, ks__h5 *self, const ks__h5_object *group) {
    const ks__h5_message *message = ks__h5_find_message(group, KS__H5_LINK_INFO);
    ks_reader reader = ks__h5_reader(self, ks__h5_message_span(message));
    unsigned version = ks_read_u8(&reader);
    unsigned flags = ks_read_u8(&reader);
    if (flags & 0x01)
        ks_read_skip(&reader, 8);
    out->heap = ks__h5_address(self, &reader);
    out->names = ks__h5_address(self, &reader);
    out->order = flags & 0x02 ? ks__h5_address(self, &reader) : KS__H5_UNDEFINED;
    if (reader.failed || (flags & ~0x03U))
        return ks__h5_fail(self, KS_E_HDF5_MESSAGE, message->at, "expected link info, found flags 0x%02X or its end",
                           flags);
    if (version != 0)
        return ks__h5_fail(self, KS_E_HDF5_VERSION, message->at, "expected link info of version 0, found %u", version);
    return KS_OK;
}

static ks_code link_of_record(ks_hdf5_link *out, list *l, ks__h5 *self, ks__h5_span record) {
    ks__h5_span where;
    if (record.size < 4 + LINK_ID_SIZE || l->fractal.id_size != LINK_ID_SIZE)
        return ks__h5_fail(self, KS_E_HDF5_TREE, record.at, "expected a name's hash and a heap id of 7 bytes");
    ks_code code = ks__h5_heap_object(&where, self, &l->fractal, (ks__h5_span){record.at + 4, LINK_ID_SIZE});
    return code == KS_OK ? ks__h5_link_parse(out, self, where) : code;
}

static uint32_t hash_of_record(ks__h5 *self, ks__h5_span record) {
    ks_reader reader = ks__h5_reader(self, record);
    return ks_read_u32(&reader);
}

static ks_code list_record(void *data, ks__h5 *self, ks__h5_span record) {
    list *l = data;
    ks_hdf5_link link;
    ks_code code = link_of_record(&link, l, self, record);
    if (code == KS_OK)
        code = ks__h5_check_name(&l->last, self, record.at, link.name, hash_of_record(self, record));
    return code == KS_OK ? add_link(l, self, &link, true) : code;
}

static ks__h5_order place_hash(void *data, ks__h5 *self, ks__h5_span record) {
    const list *l = data;
    uint32_t hash = hash_of_record(self, record);
    return hash < l->hash ? KS__H5_BEFORE : hash > l->hash ? KS__H5_BEHIND : KS__H5_INSIDE;
}

static ks_code match_record(void *data, ks__h5 *self, ks__h5_span record) {
    list *l = data;
    ks_hdf5_link link;
    ks_code code = l->found ? KS_OK : link_of_record(&link, l, self, record);
    if (code == KS_OK && !l->found && ks_text_equal(link.name, l->name)) {
        *l->found_link = link;
        l->found = true;
    }
    return code;
}

static ks_code walk_dense(list *l, ks__h5 *self, const link_info *info, bool search) {
    ks__h5_tree2 what = {.type = 5, .visit = search ? match_record : list_record, .data = l};
    if (search) {
        what.place = place_hash;
        l->hash = ks__h5_lookup3((const uint8_t *)l->name.data, l->name.size);
    }
    ks_code code = ks__h5_heap_open(&l->fractal, self, info->heap);
    return code == KS_OK ? ks__h5_tree2_walk(self, info->names, &what) : code;
}

// --- both ------------------------------------------------------------------------------------------------------------

static ks_code find_in_messages(list *l, ks__h5 *self) {
    for (uint32_t i = 0; i < l->group->n_messages && !l->found; i++) {
        const ks__h5_message *message = &l->group->messages[i];
        if (message->type != KS__H5_LINK)
            continue;
        ks_code code = ks__h5_link_parse(l->found_link, self, ks__h5_message_span(message));
        if (code != KS_OK)
            return code;
        l->found = ks_text_equal(l->found_link->name, l->name);
    }
    return KS_OK;
}

static bool find_listed(ks_hdf5_link *out, const ks__h5_object *group, ks_text name) {
    ks_hdf5_link wanted = {.name = name};
    const ks_hdf5_link *found =
        group->n_links ? bsearch(&wanted, group->links, group->n_links, sizeof *found, by_name) : NULL;
    if (found)
        *out = *found;
    return found != NULL;
}

ks_code ks__h5_group_find(ks_hdf5_link *out, bool *found, ks__h5 *self, ks__h5_object *group, ks_text name) {
    *found = false;
    if (group->links_listed) {
        *found = find_listed(out, group, name);
        return KS_OK;
    }
    const ks__h5_message *message = ks__h5_find_message(group, KS__H5_SYMBOL_TABLE);
    if (message)
        return find_in_symbols(out, found, self, group, message, name);
    link_info info;
    list l = {.group = group, .name = name, .found_link = out};
    ks_code code = read_link_info(&info, self, group);
    if (code == KS_OK)
        code = info.heap == KS__H5_UNDEFINED ? find_in_messages(&l, self) : walk_dense(&l, self, &info, true);
    *found = code == KS_OK && l.found;
    return code;
}

static ks_code list_messages(list *l, ks__h5 *self) {
    ks_code code = KS_OK;
    for (uint32_t i = 0; i < l->group->n_messages && code == KS_OK; i++) {
        const ks__h5_message *message = &l->group->messages[i];
        ks_hdf5_link link;
        if (message->type != KS__H5_LINK)
            continue;
        code = ks__h5_link_parse(&link, self, ks__h5_message_span(message));
        if (code == KS_OK)
            code = add_link(l, self, &link, true);
    }
    return code;
}

static ks_code list_any(list *l, ks__h5 *self) {
    const ks__h5_message *message = ks__h5_find_message(l->group, KS__H5_SYMBOL_TABLE);
    ks_code code = KS_OK;
    if (message) {
        symbols where;
        code = open_symbols(&where, self, l->group, message);
        l->heap = l->group->heap;
        return code == KS_OK ? ks__h5_tree1_group(self, where.tree, l->heap, list_symbols, l) : code;
    }
    link_info info;
    code = read_link_info(&info, self, l->group);
    if (code == KS_OK)
        code = info.heap == KS__H5_UNDEFINED ? list_messages(l, self) : walk_dense(l, self, &info, false);
    if (l->count > 1 && code == KS_OK)
        qsort(l->links, l->count, sizeof *l->links, by_name);
    for (size_t i = 1; i < l->count && code == KS_OK; i++)
        if (ks__h5_compare(l->links[i - 1].name, l->links[i].name) == 0)
            code = ks__h5_fail(self, KS_E_HDF5_LINK_ORDER, l->group->address,
                               "expected each name once, found \"%.60s\" twice", l->links[i].name.data);
    return code;
}

ks_code ks__h5_group_list(ks__h5 *self, ks__h5_object *group) {
    ks_context *context = self->base.context;
    if (group->links_listed)
        return KS_OK;
    if (!ks__h5_is_group(group))
        return ks__h5_fail(self, KS_E_HDF5_NOT_GROUP, group->address, "expected a group, found another object");
    ks_hdf5_link few[FIRST_LINKS];
    list l = {.group = group, .links = few, .few = few, .capacity = FIRST_LINKS};
    ks_code code = list_any(&l, self);
    if (code == KS_OK) {
        ks_hdf5_link *links = ks_arena_room(&self->arena, l.count, sizeof *links);
        if (links) {
            if (l.count)
                memcpy(links, l.links, l.count * sizeof *links);
            group->links = links;
            group->n_links = l.count;
            group->links_listed = true;
        } else {
            code = context->error.code;
        }
    }
    if (l.links != few)
        ks_free(context, l.links);
    return code;
}

static ks_code pass_record(void *data, ks__h5 *self, ks__h5_span record) {
    (void)data;
    (void)self;
    (void)record;
    return KS_OK;
}

ks_code ks__h5_group_verify(ks__h5 *self, const ks__h5_object *group) {
    ks__h5_tree2 what = {.type = 6, .visit = pass_record};
    link_info info;
    if (ks__h5_find_message(group, KS__H5_SYMBOL_TABLE))
        return KS_OK;
    ks_code code = read_link_info(&info, self, group);
    return code == KS_OK && info.order != KS__H5_UNDEFINED ? ks__h5_tree2_walk(self, info.order, &what) : code;
}
