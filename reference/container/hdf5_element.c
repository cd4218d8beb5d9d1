// SPDX-License-Identifier: Apache-2.0
//
// Elements as the file has them to elements of the host: byte order, and strings.
//
//   variable-length string: size 4, collection O (0: no string), index 4; its bytes are in the global heap
#include "container/hdf5_internal.h"

static void swap_items(uint8_t *data, uint64_t count, size_t size) {
    for (uint64_t i = 0; i < count; i++, data += size) {
        for (size_t low = 0, high = size - 1; low < high; low++, high--) {
            uint8_t byte = data[low];
            data[low] = data[high];
            data[high] = byte;
        }
    }
}

void ks__h5_elements_swap(void *data, uint64_t count, const ks__h5_type *type) {
    if (!type->big_endian || type->size < 2)
        return;
    if (type->type_class == KS_HDF5_COMPLEX)
        swap_items(data, 2 * count, type->size / 2);
    else
        swap_items(data, count, type->size);
}

void ks__h5_describe(ks_hdf5_type *out, const ks__h5_type *type, const ks__h5_space *space) {
    out->type_class = type->type_class;
    out->dtype = type->dtype;
    out->size = type->size;
    out->big_endian = type->big_endian;
    out->null_dataspace = space->null;
    ks_shape_copy(&out->shape, &space->shape);
    out->has_storage = true;
    out->native_view = false;
    out->stored_size = 0;
    out->offset = KS_NO_OFFSET;
}

ks_code ks__h5_check_numbers(ks__h5 *self, const ks__h5_type *type, uint64_t elements, size_t data_size) {
    uint64_t size = 0;
    if (type->dtype == KS_DTYPE_NONE || type->dtype == KS_STRING)
        return ks__h5_fail(self, KS_E_HDF5_TYPE, self->current, "expected numbers, found elements of another type");
    if (!ks_mul_u64(elements, ks_dtype_size(type->dtype), &size) || size != data_size)
        return ks__h5_fail(self, KS_E_USAGE, self->current, "expected room for %llu bytes, found %zu",
                           (unsigned long long)size, data_size);
    return KS_OK;
}

static ks_code variable_text(ks_bytes *out, ks__h5 *self, const uint8_t *element, size_t size) {
    ks_reader reader = ks_reader_from((ks_bytes){element, size}, 0);
    uint32_t length = ks_read_u32(&reader);
    uint64_t collection = ks__h5_address(self, &reader);
    uint32_t index = ks_read_u32(&reader);
    *out = (ks_bytes){(const uint8_t *)"", 0};
    if (collection == 0)
        return KS_OK; // libhdf5 goes to the heap at every other address, also for no bytes
    ks__h5_span object;
    ks_code code = ks__h5_global_object(&object, self, collection, index);
    if (code != KS_OK)
        return code;
    if (object.size != length)
        return ks__h5_fail(self, KS_E_HDF5_GLOBAL_HEAP, object.at, "expected a string of %u bytes, found %llu", length,
                           (unsigned long long)object.size);
    const uint8_t *data = self->bytes.data + object.at;
    const uint8_t *end = memchr(data, 0, length);
    *out = (ks_bytes){data, end ? (size_t)(end - data) : length};
    return KS_OK;
}

/// What is left of a fixed string without its padding, as numpy shows it.
static size_t fixed_size(const uint8_t *data, size_t size, unsigned padding) {
    if (padding == 0) {
        const uint8_t *end = memchr(data, 0, size);
        return end ? (size_t)(end - data) : size;
    }
    while (padding == 2 && size > 0 && data[size - 1] == ' ')
        size--;
    while (size > 0 && data[size - 1] == 0)
        size--;
    return size;
}

ks_code ks__h5_elements_text(const ks_text **out, ks__h5 *self, const uint8_t *data, uint64_t count,
                             const ks__h5_type *type) {
    *out = NULL;
    if (type->dtype != KS_STRING)
        return ks__h5_fail(self, KS_E_HDF5_TYPE, self->current, "expected strings, found elements of another type");
    ks_text *texts = ks_arena_get(&self->arena, (size_t)count, sizeof *texts);
    if (!texts)
        return self->base.context->error.code;
    for (uint64_t i = 0; i < count; i++, data += type->size) {
        ks_bytes bytes = {data, 0};
        ks_code code = KS_OK;
        if (type->type_class == KS_HDF5_STRING_VARIABLE)
            code = variable_text(&bytes, self, data, type->size);
        else
            bytes.size = fixed_size(data, type->size, type->padding);
        if (code != KS_OK)
            return code;
        texts[i] = ks_arena_text(&self->arena, (const char *)bytes.data, bytes.size);
        if (!texts[i].data)
            return self->base.context->error.code;
    }
    *out = texts;
    return KS_OK;
}
