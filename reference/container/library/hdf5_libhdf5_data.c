// SPDX-License-Identifier: Apache-2.0
//
// Elements of datasets and attributes through libhdf5.
#include "container/library/libhdf5_internal.h"

#include "base/checked.h"

#include <stdlib.h>

ks_code ks__libhdf5_check_storage(ks__libhdf5 *self, hid_t dataset) {
    ks_context *context = self->base.context;
    hid_t list = H5Dget_create_plist(dataset);
    if (list < 0)
        return ks__libhdf5_refuse(context, "the layout cannot be read");
    ks_code code = KS_OK;
    if (H5Pget_layout(list) == H5D_VIRTUAL)
        code = ks_fail(context, KS_E_LIBRARY_HDF5_STORAGE, KS_STAGE_HDF5, KS_NO_OFFSET, NULL, "a virtual dataset");
    else if (H5Pget_external_count(list) != 0)
        code =
            ks_fail(context, KS_E_LIBRARY_HDF5_STORAGE, KS_STAGE_HDF5, KS_NO_OFFSET, NULL, "elements in other files");
    int n_filters = H5Pget_nfilters(list);
    if (n_filters < 0 && code == KS_OK)
        code = ks__libhdf5_refuse(context, "the filters cannot be read");
    for (int i = 0; i < n_filters && code == KS_OK; i++) {
        unsigned flags = 0;
        size_t n_values = 0;
        H5Z_filter_t filter = H5Pget_filter2(list, (unsigned)i, &flags, &n_values, NULL, 0, NULL, NULL);
        if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_FLETCHER32)
            code = ks_fail(context, KS_E_LIBRARY_HDF5_FILTER, KS_STAGE_HDF5, KS_NO_OFFSET, NULL,
                           "expected deflate, shuffle or fletcher32, found filter %d", (int)filter);
    }
    H5Pclose(list);
    return code;
}

// --- one holder ------------------------------------------------------------------------------------------------------

static herr_t read_elements(const ks__holder *holder, hid_t memory, void *data) {
    return holder->attribute ? H5Aread(holder->id, memory, data)
                             : H5Dread(holder->id, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
}

static ks_code count_elements(uint64_t *out, const ks_hdf5_type *type) {
    *out = 0;
    if (!type->null_dataspace)
        (void)ks_shape_elements(&type->shape, out); // checked when the shape was read
    return KS_OK;
}

static ks_code read_numbers(void *data, size_t data_size, ks__libhdf5 *self, const ks__holder *holder,
                            const ks_hdf5_type *type) {
    ks_context *context = self->base.context;
    uint64_t elements = 0;
    uint64_t size = 0;
    count_elements(&elements, type);
    if (type->dtype == KS_DTYPE_NONE || type->dtype == KS_STRING)
        return ks_fail(context, KS_E_LIBRARY_HDF5_TYPE, KS_STAGE_HDF5, KS_NO_OFFSET, NULL,
                       "expected numbers, found another type");
    if (!ks_mul_u64(elements, ks_dtype_size(type->dtype), &size) || size != data_size)
        return ks_fail(context, KS_E_USAGE, KS_STAGE_HDF5, KS_NO_OFFSET, NULL,
                       "expected room for %llu bytes, found %zu", (unsigned long long)size, data_size);
    if (size == 0)
        return KS_OK;
    hid_t memory = ks__libhdf5_memory_type(self, holder, type);
    if (memory < 0)
        return context->error.code;
    herr_t status = read_elements(holder, memory, data);
    H5Tclose(memory);
    return status < 0 ? ks__libhdf5_refuse(context, "elements cannot be read") : KS_OK;
}

static ks_code copy_variable(ks_text *texts, size_t count, ks__libhdf5 *self, const ks__holder *holder, hid_t memory) {
    ks_context *context = self->base.context;
    char **pointers = ks_allocate(context, count, sizeof *pointers);
    if (!pointers)
        return context->error.code;
    ks_code code = KS_OK;
    if (read_elements(holder, memory, pointers) < 0) {
        code = ks__libhdf5_refuse(context, "strings cannot be read");
    } else {
        for (size_t i = 0; i < count && code == KS_OK; i++) {
            const char *text = pointers[i] ? pointers[i] : "";
            texts[i] = ks_arena_text(&self->arena, text, strlen(text));
            code = texts[i].data ? KS_OK : context->error.code;
        }
        H5Dvlen_reclaim(memory, holder->space, H5P_DEFAULT, pointers);
    }
    ks_free(context, pointers);
    return code;
}

static ks_code copy_fixed(ks_text *texts, size_t count, size_t size, ks__libhdf5 *self, const ks__holder *holder,
                          hid_t memory) {
    ks_context *context = self->base.context;
    char *data = ks_allocate(context, count, size);
    if (!data)
        return context->error.code;
    ks_code code = KS_OK;
    if (read_elements(holder, memory, data) < 0)
        code = ks__libhdf5_refuse(context, "strings cannot be read");
    for (size_t i = 0; i < count && code == KS_OK; i++) {
        size_t length = size;
        while (length > 0 && data[i * size + length - 1] == '\0')
            length--;
        texts[i] = ks_arena_text(&self->arena, data + i * size, length);
        code = texts[i].data ? KS_OK : context->error.code;
    }
    ks_free(context, data);
    return code;
}

static ks_code read_texts(const ks_text **out, size_t *count, ks__libhdf5 *self, const ks__holder *holder,
                          const ks_hdf5_type *type) {
    ks_context *context = self->base.context;
    uint64_t elements = 0;
    count_elements(&elements, type);
    if (type->dtype != KS_STRING)
        return ks_fail(context, KS_E_LIBRARY_HDF5_TYPE, KS_STAGE_HDF5, KS_NO_OFFSET, NULL,
                       "expected strings, found another type");
    ks_text *texts = ks_arena_get(&self->arena, (size_t)elements, sizeof *texts);
    if (!texts)
        return context->error.code;
    *out = texts;
    *count = (size_t)elements;
    if (elements == 0)
        return KS_OK;
    hid_t memory = ks__libhdf5_memory_type(self, holder, type);
    if (memory < 0)
        return context->error.code;
    ks_code code = type->type_class == KS_HDF5_STRING_VARIABLE
                       ? copy_variable(texts, (size_t)elements, self, holder, memory)
                       : copy_fixed(texts, (size_t)elements, type->size, self, holder, memory);
    H5Tclose(memory);
    return code;
}

// --- attributes ------------------------------------------------------------------------------------------------------

typedef struct name_list {
    ks__libhdf5 *self;
    ks_text *names;
    size_t count;
    size_t capacity;
} name_list;

/// libhdf5 counts no attributes where an object header of version 2 has some without an attribute info message.
static bool grow_names(name_list *list) {
    ks_context *context = list->self->base.context;
    size_t capacity = list->capacity ? 2 * list->capacity : 16;
    if (list->count >= context->limits.hdf5_objects) {
        ks_fail(context, KS_E_OVER_COUNT, KS_STAGE_HDF5, KS_NO_OFFSET, NULL, "more than %zu attributes", list->count);
        return false;
    }
    ks_text *larger = ks_arena_get(&list->self->arena, capacity, sizeof *larger);
    if (!larger)
        return false;
    if (list->count)
        memcpy(larger, list->names, list->count * sizeof *larger);
    list->names = larger;
    list->capacity = capacity;
    return true;
}

static herr_t add_name(hid_t object, const char *name, const H5A_info_t *info, void *data) {
    (void)object;
    (void)info;
    name_list *list = data;
    if (list->count == list->capacity && !grow_names(list))
        return -1;
    ks_text text = ks_arena_text(&list->self->arena, name, strlen(name));
    if (!text.data)
        return -1;
    list->names[list->count++] = text;
    return 0;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(((const ks_text *)a)->data, ((const ks_text *)b)->data);
}

static ks_code list_names(name_list *list, hid_t object) {
    ks_context *context = list->self->base.context;
    H5O_info_t info;
    if (H5Oget_info2(object, &info, H5O_INFO_NUM_ATTRS) < 0)
        return ks__libhdf5_refuse(context, "attributes cannot be counted");
    if (info.num_attrs > context->limits.hdf5_objects)
        return ks_fail(context, KS_E_OVER_COUNT, KS_STAGE_HDF5, KS_NO_OFFSET, NULL, "%llu attributes",
                       (unsigned long long)info.num_attrs);
    list->capacity = (size_t)info.num_attrs;
    list->names = ks_arena_get(&list->self->arena, list->capacity, sizeof *list->names);
    if (!list->names)
        return context->error.code;
    hsize_t at = 0;
    if (H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &at, add_name, list) < 0)
        return context->error.code != KS_OK ? context->error.code
                                            : ks__libhdf5_refuse(context, "attributes cannot be listed");
    if (list->count > 1)
        qsort(list->names, list->count, sizeof *list->names, by_bytes);
    return KS_OK;
}

ks_code ks__libhdf5_attributes(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node node) {
    name_list list = {.self = (ks__libhdf5 *)file};
    hid_t object = ks__libhdf5_object(list.self, node);
    if (object < 0)
        return file->context->error.code;
    ks_code code = list_names(&list, object);
    ks__libhdf5_close_object(object);
    *out = list.names;
    *count = list.count;
    return code;
}

/// What is done with an attribute or a dataset once it is open. One of the three wishes.
typedef struct wish {
    ks_hdf5_type *type;
    void *data;
    size_t data_size;
    const ks_text **texts;
    size_t *n_texts;
} wish;

static ks_code check_attribute_size(ks__libhdf5 *self, const ks_hdf5_type *type, const char *name) {
    ks_context *context = self->base.context;
    uint64_t elements = 0;
    uint64_t size = 0;
    count_elements(&elements, type);
    if (!ks_mul_u64(elements, type->size, &size) || size > context->limits.hdf5_attribute_size)
        return ks_fail(context, KS_E_OVER_SIZE, KS_STAGE_HDF5, KS_NO_OFFSET, name,
                       "an attribute is larger than the limit %llu bytes",
                       (unsigned long long)context->limits.hdf5_attribute_size);
    return KS_OK;
}

static ks_code grant(const wish *wanted, ks__libhdf5 *self, const ks__holder *holder, const ks_hdf5_type *type) {
    if (wanted->type)
        *wanted->type = *type;
    else if (wanted->texts)
        return read_texts(wanted->texts, wanted->n_texts, self, holder, type);
    else
        return read_numbers(wanted->data, wanted->data_size, self, holder, type);
    return KS_OK;
}

static ks_code with_open_attribute(const wish *wanted, ks__libhdf5 *self, hid_t id, const char *name) {
    ks__holder holder;
    ks_hdf5_type type;
    ks_code code = ks__holder_open(&holder, self, id, true);
    if (code != KS_OK)
        return code;
    KS_TRY(ks__libhdf5_describe(&type, self, &holder));
    type.has_storage = true;
    type.stored_size = H5Aget_storage_size(id);
    KS_TRY(check_attribute_size(self, &type, name));
    KS_TRY(grant(wanted, self, &holder, &type));
done:
    ks__holder_close(&holder);
    return code;
}

static ks_code with_attribute(const wish *wanted, bool *found, ks__libhdf5 *self, ks_hdf5_node node, const char *name) {
    ks_context *context = self->base.context;
    *found = false;
    hid_t object = ks__libhdf5_object(self, node);
    if (object < 0)
        return context->error.code;
    ks_code code = KS_OK;
    htri_t exists = H5Aexists(object, name);
    if (exists < 0) {
        code = ks__libhdf5_refuse(context, "an attribute cannot be looked up");
    } else if (exists) {
        hid_t id = H5Aopen(object, name, H5P_DEFAULT);
        *found = id >= 0;
        code = id < 0 ? ks__libhdf5_refuse(context, "an attribute cannot be opened")
                      : with_open_attribute(wanted, self, id, name);
        if (id >= 0)
            H5Aclose(id);
    }
    ks__libhdf5_close_object(object);
    return code;
}

static ks_code must_exist(ks_code code, bool found, ks_hdf5 *file, const char *name) {
    if (code == KS_OK && !found)
        return ks_fail(file->context, KS_E_USAGE, KS_STAGE_HDF5, KS_NO_OFFSET, name, "there is no such attribute");
    return code;
}

ks_code ks__libhdf5_attribute(ks_hdf5_type *out, bool *found, ks_hdf5 *file, ks_hdf5_node node, const char *name) {
    wish wanted = {.type = out};
    return with_attribute(&wanted, found, (ks__libhdf5 *)file, node, name);
}

ks_code ks__libhdf5_attribute_read(void *data, size_t data_size, ks_hdf5 *file, ks_hdf5_node node, const char *name) {
    wish wanted = {.data = data, .data_size = data_size};
    bool found = false;
    ks_code code = with_attribute(&wanted, &found, (ks__libhdf5 *)file, node, name);
    return must_exist(code, found, file, name);
}

ks_code ks__libhdf5_attribute_text(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node node,
                                   const char *name) {
    wish wanted = {.texts = out, .n_texts = count};
    bool found = false;
    ks_code code = with_attribute(&wanted, &found, (ks__libhdf5 *)file, node, name);
    return must_exist(code, found, file, name);
}

// --- datasets --------------------------------------------------------------------------------------------------------

/// An opaque of two bytes is a bfloat16 when the dataset's attribute "dtype" says so, as Keras writes it.
static ks_code recognise_bfloat16(ks_hdf5_type *type, ks__libhdf5 *self, ks_hdf5_node node) {
    if (type->type_class != KS_HDF5_OPAQUE || type->size != 2)
        return KS_OK;
    ks_hdf5_type attribute;
    bool found = false;
    ks_code code = ks__libhdf5_attribute(&attribute, &found, &self->base, node, "dtype");
    if (code != KS_OK || !found || attribute.dtype != KS_STRING)
        return code;
    const ks_text *texts = NULL;
    size_t count = 0;
    code = ks__libhdf5_attribute_text(&texts, &count, &self->base, node, "dtype");
    if (code == KS_OK && count == 1 && ks_text_is(texts[0], "bfloat16"))
        type->dtype = KS_BFLOAT16;
    return code;
}

static void describe_storage(ks_hdf5_type *type, hid_t dataset) {
    H5D_space_status_t status = H5D_SPACE_STATUS_NOT_ALLOCATED;
    type->has_storage = H5Dget_space_status(dataset, &status) >= 0 && status != H5D_SPACE_STATUS_NOT_ALLOCATED;
    type->stored_size = H5Dget_storage_size(dataset);
    hid_t list = H5Dget_create_plist(dataset);
    if (list < 0)
        return;
    if (H5Pget_layout(list) == H5D_CONTIGUOUS && type->has_storage) {
        haddr_t offset = H5Dget_offset(dataset);
        if (offset != HADDR_UNDEF) {
            type->offset = (uint64_t)offset;
            type->native_view =
                type->dtype != KS_DTYPE_NONE && type->dtype != KS_STRING && (!type->big_endian || type->size == 1);
        }
    }
    H5Pclose(list);
}

static ks_code with_open_dataset(const wish *wanted, ks__libhdf5 *self, hid_t id, ks_hdf5_node node) {
    ks__holder holder;
    ks_hdf5_type type;
    ks_code code = ks__libhdf5_check_storage(self, id);
    if (code == KS_OK)
        code = ks__holder_open(&holder, self, id, false);
    if (code != KS_OK)
        return code;
    KS_TRY(ks__libhdf5_describe(&type, self, &holder));
    KS_TRY(recognise_bfloat16(&type, self, node));
    describe_storage(&type, id);
    KS_TRY(grant(wanted, self, &holder, &type));
done:
    ks__holder_close(&holder);
    return code;
}

static ks_code with_dataset(const wish *wanted, ks_hdf5 *file, ks_hdf5_node node) {
    ks__libhdf5 *self = (ks__libhdf5 *)file;
    hid_t id = ks__libhdf5_object(self, node);
    if (id < 0)
        return file->context->error.code;
    ks_code code = H5Iget_type(id) == H5I_DATASET
                       ? with_open_dataset(wanted, self, id, node)
                       : ks_fail(file->context, KS_E_LIBRARY_HDF5, KS_STAGE_HDF5, node, NULL, "not a dataset");
    ks__libhdf5_close_object(id);
    return code;
}

ks_code ks__libhdf5_dataset(ks_hdf5_type *out, ks_hdf5 *file, ks_hdf5_node dataset) {
    wish wanted = {.type = out};
    return with_dataset(&wanted, file, dataset);
}

ks_code ks__libhdf5_view(ks_bytes *out, ks_hdf5 *file, ks_hdf5_node dataset) {
    ks__libhdf5 *self = (ks__libhdf5 *)file;
    ks_hdf5_type type;
    ks_code code = ks__libhdf5_dataset(&type, file, dataset);
    if (code != KS_OK)
        return code;
    uint64_t elements = 0;
    uint64_t size = 0;
    count_elements(&elements, &type);
    if (!type.native_view || !ks_mul_u64(elements, type.size, &size) ||
        !ks_range_inside(type.offset, size, self->bytes.size))
        return ks_fail(file->context, KS_E_USAGE, KS_STAGE_HDF5, type.offset, NULL, "the dataset has no view");
    *out = (ks_bytes){self->bytes.data + type.offset, (size_t)size};
    return KS_OK;
}

ks_code ks__libhdf5_read(void *data, size_t data_size, ks_hdf5 *file, ks_hdf5_node dataset) {
    wish wanted = {.data = data, .data_size = data_size};
    return with_dataset(&wanted, file, dataset);
}

ks_code ks__libhdf5_read_text(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node dataset) {
    wish wanted = {.texts = out, .n_texts = count};
    return with_dataset(&wanted, file, dataset);
}
