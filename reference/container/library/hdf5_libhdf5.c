// SPDX-License-Identifier: Apache-2.0
//
// The HDF5 interface over libhdf5: the file is an image in memory that the core driver reads in place, without a copy.
//
// A node is the address of its object header. Links are walked one by one: only hard links are followed, whatever
// libhdf5 itself would do with the others. Filters never come from plugins. The library is never closed between files:
// that costs more than a load (facts measured with 1.10.8: 205 µs against 420 µs).
#include "container/library/libhdf5_internal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void prepare_once(void) {
    H5open();
    H5PLset_loading_state(0);
    H5Lunregister(H5L_TYPE_EXTERNAL);
}

// The error stack, and whether it prints itself, belong to a thread.
void ks__libhdf5_prepare_thread(void) {
    pthread_once(&once, prepare_once);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static herr_t keep_innermost(unsigned n, const H5E_error2_t *error, void *data) {
    (void)n;
    const char **text = data;
    *text = error->desc;
    return 0;
}

ks_code ks__libhdf5_refuse(ks_context *context, const char *what) {
    const char *text = NULL;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep_innermost, (void *)&text);
    return ks_fail(context, KS_E_LIBRARY_HDF5, KS_STAGE_HDF5, KS_NO_OFFSET, NULL, "%s; libhdf5 says: %s", what,
                   text ? text : "nothing");
}

static size_t bucket_of(ks_hdf5_node node) {
    return (size_t)((node * 0x9E3779B97F4A7C15u) >> 54) % NODE_BUCKETS;
}

ks__node_entry *ks__node_find(const ks__node_table *table, ks_hdf5_node node) {
    for (ks__node_entry *entry = table->buckets[bucket_of(node)]; entry; entry = entry->next)
        if (entry->node == node)
            return entry;
    return NULL;
}

ks__node_entry *ks__node_add(ks__node_table *table, ks_arena *arena, ks_hdf5_node node) {
    ks__node_entry *entry = ks_arena_get(arena, 1, sizeof *entry);
    if (!entry)
        return NULL;
    ks__node_entry **bucket = &table->buckets[bucket_of(node)];
    entry->node = node;
    entry->next = *bucket;
    *bucket = entry;
    return entry;
}

hid_t ks__libhdf5_object(ks__libhdf5 *self, ks_hdf5_node node) {
    hid_t object = H5Oopen_by_addr(self->file, (haddr_t)node);
    if (object < 0)
        ks__libhdf5_refuse(self->base.context, "an object cannot be opened");
    return object;
}

void ks__libhdf5_close_object(hid_t object) {
    if (object >= 0)
        H5Oclose(object);
}

// --- the image -------------------------------------------------------------------------------------------------------
// libhdf5 asks for memory and copies the image at each step; these callbacks hand it the caller's bytes every time.

static void *image_malloc(size_t size, H5FD_file_image_op_t operation, void *data) {
    (void)operation;
    ks__libhdf5 *self = data;
    // The library never writes: the file is opened read-only.
    return size == self->bytes.size ? (void *)(uintptr_t)self->bytes.data : NULL;
}

static void *image_memcpy(void *to, const void *from, size_t size, H5FD_file_image_op_t operation, void *data) {
    (void)size;
    (void)operation;
    (void)data;
    return to == from ? to : NULL;
}

static void *image_realloc(void *memory, size_t size, H5FD_file_image_op_t operation, void *data) {
    (void)memory;
    (void)size;
    (void)operation;
    (void)data;
    return NULL;
}

static herr_t image_free(void *memory, H5FD_file_image_op_t operation, void *data) {
    (void)memory;
    (void)operation;
    (void)data;
    return 0;
}

static void *same_data(void *data) {
    return data;
}

static herr_t keep_data(void *data) {
    (void)data;
    return 0;
}

static hid_t access_list(ks__libhdf5 *self) {
    H5FD_file_image_callbacks_t callbacks = {
        image_malloc, image_memcpy, image_realloc, image_free, same_data, keep_data, self,
    };
    hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    if (list < 0)
        return list;
    // The increment only counts when a file grows. Any object that is still open when the file closes is closed with
    // it.
    if (H5Pset_fapl_core(list, 65536, false) < 0 || H5Pset_fclose_degree(list, H5F_CLOSE_STRONG) < 0 ||
        H5Pset_file_image_callbacks(list, &callbacks) < 0 ||
        H5Pset_file_image(list, (void *)(uintptr_t)self->bytes.data, self->bytes.size) < 0) {
        H5Pclose(list);
        return -1;
    }
    return list;
}

static ks_code open_image(ks__libhdf5 *self) {
    ks_context *context = self->base.context;
    if (self->bytes.size == 0)
        return ks_fail(context, KS_E_LIBRARY_HDF5, KS_STAGE_HDF5, 0, NULL, "expected an HDF5 file, found no bytes");
    hid_t list = access_list(self);
    if (list < 0)
        return ks__libhdf5_refuse(context, "the file image cannot be set");
    // The core driver tries the name on disk first; this one cannot exist. Two images that are open at once need two
    // names: libhdf5 would take equal ones for the same file.
    char name[64];
    snprintf(name, sizeof(name), "/dev/null/kassay-image-%p", (void *)self);
    self->file = H5Fopen(name, H5F_ACC_RDONLY, list);
    if (self->file < 0)
        ks__libhdf5_refuse(context, "not an HDF5 file that libhdf5 opens");
    H5Pclose(list);
    if (self->file < 0)
        return context->error.code;
    H5O_info_t info; // no more of it than needed: the rest means a walk through every tree of the group
    if (H5Oget_info2(self->file, &info, H5O_INFO_BASIC) < 0)
        return ks__libhdf5_refuse(context, "the root group cannot be opened");
    self->root = (ks_hdf5_node)info.addr;
    return KS_OK;
}

// --- links -----------------------------------------------------------------------------------------------------------

typedef struct link_list {
    ks__libhdf5 *self;
    ks_hdf5_link *links;
    size_t count;
    size_t capacity;
} link_list;

static ks_hdf5_link_type link_type(const H5L_info_t *info) {
    switch (info->type) {
    case H5L_TYPE_HARD:
        return KS_LINK_HARD;
    case H5L_TYPE_SOFT:
        return KS_LINK_SOFT;
    case H5L_TYPE_EXTERNAL:
        return KS_LINK_EXTERNAL;
    default:
        return KS_LINK_USER;
    }
}

static herr_t add_link(hid_t group, const char *name, const H5L_info_t *info, void *data) {
    (void)group;
    link_list *list = data;
    if (list->count == list->capacity)
        return -1; // more links than the group said it has
    ks_hdf5_link *link = &list->links[list->count];
    link->name = ks_arena_text(&list->self->arena, name, strlen(name));
    if (!link->name.data)
        return -1;
    link->type = link_type(info);
    link->node = link->type == KS_LINK_HARD ? (ks_hdf5_node)info->u.address : 0;
    list->count++;
    return 0;
}

static int by_name(const void *a, const void *b) {
    const ks_hdf5_link *first = a;
    const ks_hdf5_link *second = b;
    size_t common = first->name.size < second->name.size ? first->name.size : second->name.size;
    int order = memcmp(first->name.data, second->name.data, common);
    if (order != 0)
        return order;
    return first->name.size < second->name.size ? -1 : first->name.size > second->name.size;
}

static ks_code list_links(link_list *list, hid_t group) {
    ks__libhdf5 *self = list->self;
    ks_context *context = self->base.context;
    H5G_info_t info;
    if (H5Gget_info(group, &info) < 0)
        return ks__libhdf5_refuse(context, "a group cannot be counted");
    if (info.nlinks > context->limits.hdf5_objects)
        return ks_fail(context, KS_E_OVER_COUNT, KS_STAGE_HDF5, KS_NO_OFFSET, NULL,
                       "%llu links are more than the limit %llu", (unsigned long long)info.nlinks,
                       (unsigned long long)context->limits.hdf5_objects);
    list->capacity = (size_t)info.nlinks;
    list->links = ks_arena_get(&self->arena, list->capacity, sizeof *list->links);
    if (!list->links)
        return context->error.code;
    hsize_t at = 0;
    if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, &at, add_link, list) < 0)
        return context->error.code != KS_OK ? context->error.code
                                            : ks__libhdf5_refuse(context, "a group cannot be listed");
    if (list->count > 1)
        qsort(list->links, list->count, sizeof *list->links, by_name);
    return KS_OK;
}

static ks_code links(const ks_hdf5_link **out, size_t *count, ks_hdf5 *file, ks_hdf5_node node) {
    ks__libhdf5 *self = (ks__libhdf5 *)file;
    ks__node_entry *known = ks__node_find(&self->groups, node);
    if (!known) {
        hid_t group = ks__libhdf5_object(self, node);
        if (group < 0)
            return file->context->error.code;
        link_list list = {.self = self};
        ks_code code = H5Iget_type(group) == H5I_GROUP
                           ? list_links(&list, group)
                           : ks_fail(file->context, KS_E_LIBRARY_HDF5, KS_STAGE_HDF5, node, NULL, "not a group");
        ks__libhdf5_close_object(group);
        if (code != KS_OK)
            return code;
        known = ks__node_add(&self->groups, &self->arena, node);
        if (!known)
            return file->context->error.code;
        known->links = list.links;
        known->count = list.count;
    }
    *out = known->links;
    *count = known->count;
    return KS_OK;
}

static ks_code refuse_link(ks_context *context, H5L_type_t type, const char *name) {
    if (type == H5L_TYPE_SOFT)
        return ks_fail(context, KS_E_LIBRARY_HDF5_SOFT_LINK, KS_STAGE_HDF5, KS_NO_OFFSET, name,
                       "expected a hard link, found a soft one");
    return ks_fail(context, KS_E_LIBRARY_HDF5_LINK, KS_STAGE_HDF5, KS_NO_OFFSET, name, "expected a hard link, found %s",
                   type == H5L_TYPE_EXTERNAL ? "an external one" : "a user's one");
}

/// One step of a path. `*found` is false when `group` has no such link or is no group.
static ks_code step(ks_hdf5_node *out, bool *found, ks__libhdf5 *self, ks_hdf5_node from, const char *name) {
    ks_context *context = self->base.context;
    *found = false;
    hid_t group = ks__libhdf5_object(self, from);
    if (group < 0)
        return context->error.code;
    ks_code code = KS_OK;
    if (H5Iget_type(group) == H5I_GROUP) {
        htri_t exists = H5Lexists(group, name, H5P_DEFAULT);
        H5L_info_t info;
        if (exists < 0 || (exists && H5Lget_info(group, name, &info, H5P_DEFAULT) < 0)) {
            code = ks__libhdf5_refuse(context, "a link cannot be looked up");
        } else if (exists && info.type != H5L_TYPE_HARD) {
            code = refuse_link(context, info.type, name);
        } else if (exists) {
            *out = (ks_hdf5_node)info.u.address;
            *found = true;
        }
    }
    ks__libhdf5_close_object(group);
    return code;
}

static ks_code find(ks_hdf5_node *out, bool *found, ks_hdf5 *file, ks_hdf5_node from, const char *path) {
    ks__libhdf5 *self = (ks__libhdf5 *)file;
    *found = true;
    *out = from;
    while (*path) {
        size_t size = strcspn(path, "/");
        if (size > 0) {
            ks_text name = ks_arena_text(&self->arena, path, size);
            if (!name.data)
                return file->context->error.code;
            ks_code code = step(out, found, self, *out, name.data);
            if (code != KS_OK || !*found)
                return code;
        }
        path += size + (path[size] == '/');
    }
    return KS_OK;
}

static ks_code object(ks_hdf5_object_type *out, ks_hdf5 *file, ks_hdf5_node node) {
    hid_t id = ks__libhdf5_object((ks__libhdf5 *)file, node);
    if (id < 0)
        return file->context->error.code;
    H5I_type_t type = H5Iget_type(id);
    ks__libhdf5_close_object(id);
    if (type != H5I_GROUP && type != H5I_DATASET && type != H5I_DATATYPE)
        return ks_fail(file->context, KS_E_LIBRARY_HDF5, KS_STAGE_HDF5, node, NULL, "an object of no known type");
    *out = type == H5I_GROUP ? KS_HDF5_GROUP : type == H5I_DATASET ? KS_HDF5_DATASET : KS_HDF5_NAMED_TYPE;
    return KS_OK;
}

static ks_hdf5_node root(const ks_hdf5 *file) {
    return ((const ks__libhdf5 *)file)->root;
}

static void close_file(ks_hdf5 *file) {
    ks__libhdf5 *self = (ks__libhdf5 *)file;
    if (self->file >= 0)
        H5Fclose(self->file);
    ks_arena_fini(&self->arena);
    ks_free(file->context, self);
}

static const ks_hdf5_ops libhdf5_ops = {
    .close = close_file,
    .root = root,
    .find = find,
    .object = object,
    .links = links,
    .dataset = ks__libhdf5_dataset,
    .view = ks__libhdf5_view,
    .read = ks__libhdf5_read,
    .read_text = ks__libhdf5_read_text,
    .attributes = ks__libhdf5_attributes,
    .attribute = ks__libhdf5_attribute,
    .attribute_read = ks__libhdf5_attribute_read,
    .attribute_text = ks__libhdf5_attribute_text,
    .verify = ks__libhdf5_verify,
};

ks_code ks__libhdf5_open(ks_hdf5 **out, ks_context *context, ks_bytes bytes) {
    ks__libhdf5_prepare_thread();
    ks__libhdf5 *self = ks_allocate(context, 1, sizeof *self);
    if (!self)
        return context->error.code;
    self->base.ops = &libhdf5_ops;
    self->base.context = context;
    self->bytes = bytes;
    self->file = -1;
    ks_arena_init(&self->arena, context);
    ks_code code = open_image(self);
    if (code != KS_OK) {
        close_file(&self->base);
        return code;
    }
    *out = &self->base;
    return KS_OK;
}
