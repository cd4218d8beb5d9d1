// SPDX-License-Identifier: Apache-2.0
//
// The strict HDF5 reader's file object: opening, paths, and the failures of everything below.
//
// A node is the address of an object header. Only hard links are followed; a path that meets another link is refused by
// that link's name.
#include "container/hdf5_internal.h"

#include <stdarg.h>
#include <stdio.h>

#define PLACE_LEVELS 64   // of a place, from the object up to the root
#define PLACE_LINKS 20000 // looked at for one error, so that a file of errors costs no square
#define FIRST_SET_CAPACITY 64
#define MOST_EXPECTED ((size_t)16384) // bytes for what is kept of a small file's objects, in one piece

// --- failures --------------------------------------------------------------------------------------------------------

/// The listed group with a link to `node`, and the link.
static const ks__h5_object *parent_of(const ks_hdf5_link **link, const ks__h5 *self, ks_hdf5_node node,
                                      size_t *links_left) {
    for (size_t b = 0; b < self->n_buckets; b++) {
        for (const ks__h5_object *o = self->buckets[b]; o; o = o->next) {
            for (size_t i = 0; i < o->n_links; i++) {
                if (*links_left == 0)
                    return NULL;
                --*links_left;
                if (o->links[i].type == KS_LINK_HARD && o->links[i].node == node) {
                    *link = &o->links[i];
                    return o;
                }
            }
        }
    }
    return NULL;
}

static void put_before(char *place, size_t place_size, const char *name) {
    size_t size = strlen(name);
    size_t used = strlen(place);
    if (size + 1 + used + 1 > place_size)
        return;
    memmove(place + size + 1, place, used + 1);
    place[0] = '/';
    memcpy(place + 1, name, size);
}

/// The lookup that led to `node`, or NULL.
static const ks__h5_lookup *lookup_of(const ks__h5 *self, ks_hdf5_node node) {
    if (self->name.path[0] && node == self->name.node)
        return &self->name;
    return self->path.path[0] && node == self->path.node ? &self->path : NULL;
}

/// The current object's path as far as it is known: from the last lookups, and from the groups that were listed.
static void find_place(char *place, size_t place_size, const ks__h5 *self) {
    size_t links_left = PLACE_LINKS;
    ks_hdf5_node node = self->current;
    place[0] = '\0';
    for (int level = 0; level < PLACE_LEVELS && node != self->root; level++) {
        const ks_hdf5_link *link = NULL;
        const ks__h5_lookup *lookup = lookup_of(self, node);
        if (lookup) {
            put_before(place, place_size, lookup->path + (lookup->path[0] == '/'));
            if (node == lookup->from)
                break;
            node = lookup->from;
            continue;
        }
        const ks__h5_object *parent = parent_of(&link, self, node, &links_left);
        if (!parent)
            break;
        put_before(place, place_size, link->name.data);
        node = parent->address;
    }
    if (!place[0])
        snprintf(place, place_size, "/");
}

ks_code ks__h5_fail(ks__h5 *self, ks_code code, uint64_t at, const char *format, ...) {
    ks_context *context = self->base.context;
    if (context->error.code != KS_OK)
        return code;
    char place[sizeof context->error.place];
    char message[sizeof context->error.message];
    find_place(place, sizeof place, self);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    // An address outside the file is told in the message; the record's offset stays inside.
    uint64_t offset = at <= self->bytes.size ? at + self->base_offset : KS_NO_OFFSET;
    return ks_fail(context, code, KS_STAGE_HDF5, offset, place, "%s", message);
}

ks_code ks__h5_outside(ks__h5 *self, uint64_t at, uint64_t size, const char *what) {
    return ks__h5_fail(self, KS_E_HDF5_ADDRESS, at,
                       "expected %llu bytes of %s at address 0x%llX, found %zu in the file", (unsigned long long)size,
                       what, (unsigned long long)at, self->bytes.size);
}

ks_code ks__h5_other_signature(ks__h5 *self, uint64_t at, const char *signature) {
    ks_code code = ks__h5_need(self, at, 4, signature);
    if (code != KS_OK)
        return code;
    const uint8_t *p = self->bytes.data + at;
    return ks__h5_fail(self, KS_E_HDF5_SIGNATURE, at, "expected \"%s\", found bytes %02X %02X %02X %02X", signature,
                       p[0], p[1], p[2], p[3]);
}

/// One number for a run of bytes, 0 when it cannot be kept.
static uint64_t verified_key(uint64_t at, uint64_t size) {
    return at >> 36 == 0 && size >> 28 == 0 ? at | size << 36 : 0;
}

bool ks__h5_is_verified(const ks__h5 *self, uint64_t at, uint64_t size) {
    uint64_t key = verified_key(at, size);
    return key != 0 && ks__h5_set_has(&self->verified, key);
}

ks_code ks__h5_set_verified(ks__h5 *self, uint64_t at, uint64_t size) {
    bool added = false;
    uint64_t key = verified_key(at, size);
    return key != 0 ? ks__h5_set_add(&added, &self->verified, self->base.context, key) : KS_OK;
}

ks_code ks__h5_checksum(ks__h5 *self, uint64_t at, uint64_t size, const char *what) {
    uint64_t whole = 0;
    if (!ks_add_u64(size, 4, &whole))
        whole = UINT64_MAX;
    ks_code code = ks__h5_need(self, at, whole, what);
    if (code != KS_OK || ks__h5_is_verified(self, at, size))
        return code;
    ks__h5_span end = {at + size, 4};
    ks_reader reader = ks__h5_reader(self, end);
    uint32_t stored = ks_read_u32(&reader);
    uint32_t computed = ks__h5_lookup3(self->bytes.data + at, (size_t)size);
    if (stored != computed)
        return ks__h5_fail(self, KS_E_HDF5_CHECKSUM, at + size, "expected checksum 0x%08X of %s, found 0x%08X",
                           computed, what, stored);
    return ks__h5_set_verified(self, at, size);
}

ks_code ks__h5_claim(ks__h5 *self, uint64_t at, const char *what) {
    bool added = false;
    ks_code code = KS_OK;
    if (at != 0 && !ks__h5_object_is_known(self, at))
        code = ks__h5_set_add(&added, &self->claimed, self->base.context, at);
    if (code == KS_OK && !added)
        return ks__h5_fail(self, KS_E_HDF5_CYCLE, at, "expected %s of its own, found what belongs to another structure",
                           what);
    return code;
}

ks_code ks__h5_claim_node(ks__h5 *self, uint64_t at) {
    bool added = true;
    ks_code code = self->nodes ? ks__h5_set_add(&added, self->nodes, self->base.context, at) : KS_OK;
    if (code == KS_OK && !added)
        return ks__h5_fail(self, KS_E_HDF5_CYCLE, at, "expected a node of one tree, found it a second time");
    return code;
}

// --- sets of addresses -----------------------------------------------------------------------------------------------

static size_t slot_of(const ks__h5_set *set, uint64_t address) {
    size_t slot = (size_t)((address * 0x9E3779B97F4A7C15U) >> 32) & (set->capacity - 1);
    while (set->slots[slot] != 0 && set->slots[slot] != address)
        slot = (slot + 1) & (set->capacity - 1);
    return slot;
}

static ks_code grow_set(ks__h5_set *set, ks_context *context) {
    ks__h5_set larger = {NULL, set->capacity ? set->capacity * 2 : FIRST_SET_CAPACITY, set->count};
    larger.slots = ks_allocate(context, larger.capacity, sizeof *larger.slots);
    if (!larger.slots)
        return context->error.code;
    for (size_t i = 0; i < set->capacity; i++)
        if (set->slots[i])
            larger.slots[slot_of(&larger, set->slots[i])] = set->slots[i];
    ks_free(context, set->slots);
    *set = larger;
    return KS_OK;
}

bool ks__h5_set_has(const ks__h5_set *set, uint64_t address) {
    return set->capacity && set->slots[slot_of(set, address)] != 0;
}

ks_code ks__h5_set_add(bool *added, ks__h5_set *set, ks_context *context, uint64_t address) {
    *added = false;
    if (set->count * 2 >= set->capacity) {
        ks_code code = grow_set(set, context);
        if (code != KS_OK)
            return code;
    }
    size_t slot = slot_of(set, address);
    if (set->slots[slot] == 0) {
        set->slots[slot] = address;
        set->count++;
        *added = true;
    }
    return KS_OK;
}

void ks__h5_set_free(ks__h5_set *set, ks_context *context) {
    ks_free(context, set->slots);
    *set = (ks__h5_set){NULL, 0, 0};
}

// --- paths -----------------------------------------------------------------------------------------------------------

static ks_code refuse_link(ks__h5 *self, const ks_hdf5_link *link, ks_text name) {
    int size = name.size < 100 ? (int)name.size : 100;
    switch (link->type) {
    case KS_LINK_SOFT:
        return ks__h5_fail(self, KS_E_HDF5_SOFT_LINK, self->current, "expected a hard link \"%.*s\", found a soft one",
                           size, name.data);
    case KS_LINK_EXTERNAL:
        return ks__h5_fail(self, KS_E_HDF5_EXTERNAL_LINK, self->current,
                           "expected a hard link \"%.*s\", found one into another file", size, name.data);
    default:
        return ks__h5_fail(self, KS_E_HDF5_USER_LINK, self->current,
                           "expected a hard link \"%.*s\", found a user-defined one", size, name.data);
    }
}

/// One step of a path. `*found` is false when `*node` is no group or has no such link.
static ks_code step(ks_hdf5_node *node, bool *found, ks__h5 *self, ks_text name) {
    ks__h5_object *object = NULL;
    ks_hdf5_link link;
    *found = false;
    self->current = *node;
    ks_code code = ks__h5_object_get(&object, self, *node);
    if (code != KS_OK || !ks__h5_is_group(object))
        return code;
    code = ks__h5_group_find(&link, found, self, object, name);
    if (code != KS_OK || !*found)
        return code;
    if (link.type != KS_LINK_HARD) {
        *found = false;
        return refuse_link(self, &link, name);
    }
    *node = link.node;
    return KS_OK;
}

static void keep_lookup(ks__h5_lookup *out, ks_hdf5_node from, ks_hdf5_node node, const char *path, size_t size) {
    size_t kept = size < sizeof out->path ? size : sizeof out->path - 1;
    out->from = from;
    out->node = node;
    memcpy(out->path, path, kept);
    out->path[kept] = '\0';
}

/// How many steps of the last path begin this one too. Paths come in an order in which neighbours share groups.
static size_t shared_steps(const ks__h5 *self, ks_hdf5_node from, const char *path) {
    size_t count = 0;
    size_t at = 0;
    while (from == self->path.from && count < self->n_steps) {
        size_t end = self->steps[count].end;
        if (strncmp(path + at, self->path.path + at, end - at) != 0 || (path[end] != '/' && path[end] != '\0'))
            break;
        at = end;
        count++;
    }
    return count;
}

static size_t name_size(const char *path) {
    return (size_t)(strchrnul(path, '/') - path);
}

static ks_code find_name(ks_hdf5_node *out, bool *found, ks__h5 *self, ks_hdf5_node from, ks_text name) {
    *out = from;
    ks_code code = name.size > 0 ? step(out, found, self, name) : KS_OK;
    if (code == KS_OK && *found)
        keep_lookup(&self->name, from, *out, name.data, name.size);
    return code;
}

static ks_code find(ks_hdf5_node *out, bool *found, ks_hdf5 *file, ks_hdf5_node from, const char *path) {
    ks__h5 *self = (ks__h5 *)file;
    size_t at = name_size(path);
    *found = true;
    if (path[at] == '\0')
        return find_name(out, found, self, from, (ks_text){path, at});
    self->n_steps = shared_steps(self, from, path);
    *out = self->n_steps ? self->steps[self->n_steps - 1].node : from;
    at = self->n_steps ? self->steps[self->n_steps - 1].end : 0;
    size_t n_steps = self->n_steps;
    while (path[at]) {
        size_t size = name_size(path + at);
        if (size > 0) {
            ks_code code = step(out, found, self, (ks_text){path + at, size});
            if (code != KS_OK || !*found)
                return code;
        }
        at += size;
        if (size > 0 && n_steps < KS__H5_STEPS && at < sizeof self->path.path)
            self->steps[n_steps++] = (ks__h5_step){at, *out};
        at += path[at] == '/';
    }
    keep_lookup(&self->path, from, *out, path, at);
    self->n_steps = n_steps;
    return KS_OK;
}

static ks_code links(const ks_hdf5_link **out, size_t *count, ks_hdf5 *file, ks_hdf5_node node) {
    ks__h5 *self = (ks__h5 *)file;
    ks__h5_object *object = NULL;
    *out = NULL;
    *count = 0;
    self->current = node;
    ks_code code = ks__h5_object_get(&object, self, node);
    if (code == KS_OK)
        code = ks__h5_group_list(self, object);
    if (code != KS_OK)
        return code;
    *out = object->links;
    *count = object->n_links;
    return KS_OK;
}

static ks_code object_type(ks_hdf5_object_type *out, ks_hdf5 *file, ks_hdf5_node node) {
    ks__h5 *self = (ks__h5 *)file;
    ks__h5_object *object = NULL;
    self->current = node;
    ks_code code = ks__h5_object_get(&object, self, node);
    return code == KS_OK ? ks__h5_object_type(out, self, object) : code;
}

// --- open and close --------------------------------------------------------------------------------------------------

static ks_hdf5_node root(const ks_hdf5 *file) {
    return ((const ks__h5 *)file)->root;
}

static void close_file(ks_hdf5 *file) {
    ks__h5 *self = (ks__h5 *)file;
    ks_context *context = file->context;
    ks_free(context, self->inflater_keeper);
    ks__h5_set_free(&self->verified, context);
    ks__h5_set_free(&self->claimed, context);
    ks_arena_fini(&self->arena);
    ks_free(context, self);
}

static const ks_hdf5_ops strict_ops = {
    .close = close_file,
    .root = root,
    .find = find,
    .object = object_type,
    .links = links,
    .dataset = ks__h5_dataset,
    .view = ks__h5_view,
    .read = ks__h5_read,
    .read_text = ks__h5_read_text,
    .attributes = ks__h5_attributes,
    .attribute = ks__h5_attribute,
    .attribute_read = ks__h5_attribute_read,
    .attribute_text = ks__h5_attribute_text,
    .verify = ks__h5_verify,
};

ks_code ks__hdf5_open(ks_hdf5 **out, ks_context *context, ks_bytes bytes) {
    *out = NULL;
    ks__h5 *self = ks_allocate(context, 1, sizeof *self);
    if (!self)
        return context->error.code;
    self->base.ops = &strict_ops;
    self->base.context = context;
    self->bytes = bytes;
    ks_arena_init(&self->arena, context);
    ks_arena_expect(&self->arena, bytes.size < MOST_EXPECTED ? bytes.size : MOST_EXPECTED);
    ks_code code = ks__h5_superblock(self);
    if (code != KS_OK) {
        close_file(&self->base);
        return code;
    }
    *out = &self->base;
    return KS_OK;
}
