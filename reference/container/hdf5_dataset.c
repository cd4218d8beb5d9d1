// SPDX-License-Identifier: Apache-2.0
//
// Datasets: messages put together, and elements read.
//
//   datatype, dataspace, layout: needed; filters, fill value, external files: may be there
//
//   fill value, type 4:  size 4, value
//   fill value, type 5:  version 1, 2: version 1, when allocated 1, when written 1, defined 1, [size 4 (-1: undefined),
//                        value; when defined]
//                        version 3: version 1, flags 1 (bits 0-1: when allocated, 2-3: when written, 4: undefined, 5:
//                        size 4 and value follow)
//
// Elements that were never written are the fill value, or zeros. Without any message, when it is undefined or never
// written they could be anything: they are refused.
#include "container/hdf5_internal.h"

typedef ks__h5_dataset_parts dataset;

// --- messages --------------------------------------------------------------------------------------------------------

static ks_code find_span(ks__h5_span *out, bool *found, dataset *d, unsigned type) {
    const ks__h5_message *message = ks__h5_find_message(d->object, type);
    *found = message != NULL;
    if (!message)
        return KS_OK;
    *out = ks__h5_message_span(message);
    return message->flags & KS__H5_MESSAGE_IS_SHARED ? ks__h5_shared_span(out, d->self, *out, true, type) : KS_OK;
}

static ks_code need_span(ks__h5_span *out, dataset *d, unsigned type, const char *what) {
    bool found = false;
    ks_code code = find_span(out, &found, d, type);
    if (code == KS_OK && !found)
        return ks__h5_fail(d->self, KS_E_HDF5_MESSAGE_MISSING, d->object->address,
                           "expected the %s of a dataset, found none", what);
    return code;
}

enum { FILL_NEVER = 1, FILL_IF_SET = 2 }; // when the fill value is written; 0: when room is made
enum { FILL_UNDEFINED = 0x10, FILL_VALUE = 0x20, FILL_FLAGS = 0x3f };

/// A fill value message taken apart.
typedef struct fill {
    unsigned made;    ///< when room is made: 0 to 3
    unsigned written; ///< when the value is written: 0 to 2
    bool defined;
    int64_t size; ///< bytes of the value; 0: zeros
} fill;

/// Up to the size of the value.
static ks_code read_fill(fill *out, ks__h5 *self, ks_reader *reader, uint64_t at) {
    unsigned version = ks_read_u8(reader);
    unsigned flags = ks_read_u8(reader);
    unsigned known = 0;
    if (!reader->failed && (version < 1 || version > 3))
        return ks__h5_fail(self, KS_E_HDF5_VERSION, at, "expected a fill value of version 1 to 3, found %u", version);
    if (version == 3) {
        *out = (fill){flags & 3, flags >> 2 & 3, !(flags & FILL_UNDEFINED), 0};
        known = (flags & FILL_UNDEFINED) && (flags & FILL_VALUE) ? 0 : FILL_FLAGS;
        if (flags & FILL_VALUE)
            out->size = ks_read_u32(reader);
        if (flags & FILL_VALUE && out->size == 0 && !reader->failed)
            return ks__h5_fail(self, KS_E_HDF5_FILL, at, "expected a fill value, found no bytes");
        flags &= ~known;
    } else {
        *out = (fill){flags, ks_read_u8(reader), ks_read_u8(reader), 0};
        flags = 0;
        if (out->defined)
            out->size = (int32_t)ks_read_u32(reader);
        out->defined = out->defined && out->size != -1;
    }
    if (!reader->failed && (flags || out->made > 3 || out->written > FILL_IF_SET || out->size < -1))
        return ks__h5_fail(self, KS_E_HDF5_FILL, at, "expected known flags, times and size of a fill value");
    return KS_OK;
}

static ks_code parse_fill(dataset *d, ks__h5_span message, bool old) {
    ks_reader reader = ks__h5_reader(d->self, message);
    fill found = {2, FILL_IF_SET, false, 0};
    ks_code code = KS_OK;
    if (old) {
        found.size = ks_read_u32(&reader);
        found.defined = found.size > 0;
    } else {
        code = read_fill(&found, d->self, &reader, message.at);
    }
    if (code == KS_OK && found.size > 0) {
        d->fill = (ks__h5_span){reader.at, (uint64_t)found.size};
        ks_read_skip(&reader, (size_t)found.size);
    }
    d->has_fill = found.defined && found.written != FILL_NEVER;
    if (code == KS_OK && reader.failed)
        return ks__h5_fail(d->self, KS_E_HDF5_FILL, message.at, "expected a fill value, found the message's end");
    return code;
}

static ks_code find_fill(dataset *d) {
    ks__h5_span message;
    bool found = false;
    bool old = false;
    d->fill = (ks__h5_span){0, 0};
    d->has_fill = false;
    ks_code code = find_span(&message, &found, d, KS__H5_FILL);
    if (code == KS_OK && !found) {
        old = true;
        code = find_span(&message, &found, d, KS__H5_FILL_OLD);
    }
    if (code == KS_OK && found)
        code = parse_fill(d, message, old);
    if (code == KS_OK && d->fill.size != 0 && d->fill.size != d->type.size)
        return ks__h5_fail(d->self, KS_E_HDF5_FILL, d->fill.at, "expected a fill value of %zu bytes, found %llu",
                           d->type.size, (unsigned long long)d->fill.size);
    return code;
}

static ks_code check_chunks(dataset *d) {
    ks__h5_layout *layout = &d->layout;
    const ks__h5_space *space = &d->space;
    if (layout->rank != (size_t)space->shape.rank || layout->element_size != d->type.size)
        return ks__h5_fail(d->self, KS_E_HDF5_LAYOUT, d->object->address,
                           "expected chunks of rank %d with elements of %zu bytes, found rank %zu and %llu bytes",
                           (int)space->shape.rank, d->type.size, layout->rank,
                           (unsigned long long)layout->element_size);
    for (size_t i = 0; i < layout->rank; i++) {
        uint64_t dim = (uint64_t)space->shape.dims[i];
        layout->dims[i] = dim;
        layout->n_chunks[i] = dim / layout->chunk[i] + (dim % layout->chunk[i] != 0);
        layout->max_chunks[i] = UINT64_MAX;
        if (space->max[i] != UINT64_MAX)
            layout->max_chunks[i] = space->max[i] / layout->chunk[i] + (space->max[i] % layout->chunk[i] != 0);
    }
    if (layout->index != KS__H5_INDEX_SINGLE)
        layout->filtered = d->filters.count > 0;
    else if (layout->filtered != (d->filters.count > 0) && !layout->whole_edges)
        return ks__h5_fail(d->self, KS_E_HDF5_LAYOUT, d->object->address,
                           "expected layout and filters to agree on whether chunks are filtered");
    return KS_OK;
}

static ks_code check_room(dataset *d) {
    const ks__h5_layout *layout = &d->layout;
    if (layout->layout_class == KS__H5_CHUNKED)
        return d->space.null ? KS_OK : check_chunks(d);
    if (layout->address == KS__H5_UNDEFINED)
        return KS_OK;
    if (layout->size != KS__H5_NO_SIZE && layout->size < d->size)
        return ks__h5_fail(d->self, KS_E_HDF5_STORAGE, d->object->address, "expected room for %llu bytes, found %llu",
                           (unsigned long long)d->size, (unsigned long long)layout->size);
    return ks__h5_need(d->self, layout->address, d->size, "a dataset's elements");
}

static ks_code read_messages(dataset *d, ks__h5 *self) {
    ks__h5_span span;
    bool found = false;
    ks_code code;
    KS_TRY(need_span(&span, d, KS__H5_LAYOUT, "layout"));
    KS_TRY(ks__h5_layout_parse(&d->layout, self, span));
    KS_TRY(find_span(&span, &found, d, KS__H5_FILTERS));
    d->filters.count = 0;
    if (found)
        KS_TRY(ks__h5_filters_parse(&d->filters, self, span));
    KS_TRY(need_span(&span, d, KS__H5_DATATYPE, "datatype"));
    KS_TRY(ks__h5_type_parse(&d->type, self, span));
    KS_TRY(need_span(&span, d, KS__H5_DATASPACE, "dataspace"));
    KS_TRY(ks__h5_space_parse(&d->space, self, span));
    if (!ks_mul_u64(d->space.elements, d->type.size, &d->size))
        return ks__h5_fail(self, KS_E_OVER_SIZE, d->object->address, "expected fewer bytes of elements");
    KS_TRY(find_fill(d));
    KS_TRY(check_room(d));
done:
    return code;
}

/// Opens a dataset, or gives the last one again: who asks for a dataset's type asks for its elements next.
static ks_code open_dataset(dataset **out, ks__h5 *self, ks_hdf5_node node) {
    dataset *d = &self->dataset;
    ks_hdf5_object_type kind = KS_HDF5_GROUP;
    ks_code code;
    *out = d;
    d->self = self;
    self->current = node;
    if (d->object && d->object->address == node)
        return KS_OK;
    KS_TRY(ks__h5_object_get(&d->object, self, node));
    KS_TRY(ks__h5_object_type(&kind, self, d->object));
    if (kind != KS_HDF5_DATASET)
        code = ks__h5_fail(self, KS_E_HDF5_NOT_DATASET, node, "expected a dataset, found another object");
    else if (ks__h5_find_message(d->object, KS__H5_EXTERNAL_FILES))
        code = ks__h5_fail(self, KS_E_HDF5_EXTERNAL, node, "expected elements in this file, found a list of others");
    else
        code = read_messages(d, self);
done:
    if (code != KS_OK)
        d->object = NULL;
    return code;
}

// --- description -----------------------------------------------------------------------------------------------------

static ks_code add_size(void *data, ks__h5 *self, const ks__h5_chunk *chunk) {
    (void)self;
    *(uint64_t *)data += chunk->size;
    return KS_OK;
}

static bool has_chunks(const dataset *d) {
    return d->layout.address != KS__H5_UNDEFINED && !d->space.null && d->space.elements > 0;
}

/// Chunks that hold elements; as many as there are elements at most.
static uint64_t count_chunks(const dataset *d) {
    uint64_t count = 1;
    for (size_t i = 0; i < d->layout.rank; i++)
        count *= d->layout.n_chunks[i];
    return count;
}

/// `n_chunks` of them were written.
static ks_code need_written(const dataset *d, uint64_t n_chunks) {
    bool chunked = d->layout.layout_class == KS__H5_CHUNKED;
    bool whole = chunked ? n_chunks == count_chunks(d) : d->layout.address != KS__H5_UNDEFINED;
    if (d->has_fill || d->size == 0 || whole || d->type.dtype == KS_DTYPE_NONE) // such elements are never read
        return KS_OK;
    return ks__h5_fail(d->self, KS_E_HDF5_UNWRITTEN, d->object->address,
                       "expected elements or a fill value, found some that were never written");
}

/// Elements that lie in the file as the host has them.
static bool is_native(const dataset *d) {
    const ks__h5_type *type = &d->type;
    return d->layout.layout_class == KS__H5_CONTIGUOUS && d->layout.address != KS__H5_UNDEFINED &&
           type->dtype != KS_DTYPE_NONE && type->dtype != KS_STRING && (!type->big_endian || type->size == 1);
}

static ks_code describe_storage(ks_hdf5_type *out, dataset *d) {
    const ks__h5_layout *layout = &d->layout;
    if (layout->layout_class == KS__H5_CHUNKED) {
        ks_code code = KS_OK;
        if (has_chunks(d))
            code = ks__h5_chunks(d->self, layout, add_size, &out->stored_size);
        out->has_storage = out->stored_size > 0;
        return code;
    }
    out->has_storage = layout->address != KS__H5_UNDEFINED;
    if (out->has_storage)
        out->stored_size = layout->size != KS__H5_NO_SIZE ? layout->size : d->size;
    if (layout->layout_class == KS__H5_CONTIGUOUS && out->has_storage)
        out->offset = layout->address + d->self->base_offset;
    out->native_view = is_native(d);
    return KS_OK;
}

/// An opaque of two bytes is a bfloat16 when the attribute "dtype" says so.
static ks_code recognise_bfloat16(dataset *d) {
    if (d->type.type_class != KS_HDF5_OPAQUE || d->type.size != 2)
        return KS_OK;
    ks_hdf5 *file = &d->self->base;
    ks_hdf5_type attribute;
    bool found = false;
    const ks_text *texts = NULL;
    size_t count = 0;
    ks_code code = ks__h5_attribute(&attribute, &found, file, d->object->address, "dtype");
    if (code != KS_OK || !found || attribute.dtype != KS_STRING)
        return code;
    code = ks__h5_attribute_text(&texts, &count, file, d->object->address, "dtype");
    if (code == KS_OK && count == 1 && ks_text_is(texts[0], "bfloat16"))
        d->type.dtype = KS_BFLOAT16;
    return code;
}

static ks_code open_recognised(dataset **d, ks__h5 *self, ks_hdf5_node node) {
    ks_code code = open_dataset(d, self, node);
    return code == KS_OK ? recognise_bfloat16(*d) : code;
}

static ks_code open_and_describe(ks_hdf5_type *out, dataset **d, ks__h5 *self, ks_hdf5_node node) {
    ks_code code = open_recognised(d, self, node);
    if (code != KS_OK)
        return code;
    ks__h5_describe(out, &(*d)->type, &(*d)->space);
    return describe_storage(out, *d);
}

ks_code ks__h5_dataset(ks_hdf5_type *out, ks_hdf5 *file, ks_hdf5_node node) {
    dataset *d;
    return open_and_describe(out, &d, (ks__h5 *)file, node);
}

ks_code ks__h5_view(ks_bytes *out, ks_hdf5 *file, ks_hdf5_node node) {
    dataset *d;
    ks_code code = open_recognised(&d, (ks__h5 *)file, node);
    if (code != KS_OK)
        return code;
    if (!is_native(d))
        return ks__h5_fail(d->self, KS_E_USAGE, node, "expected elements that can be seen in place, found others");
    *out = (ks_bytes){d->self->bytes.data + d->layout.address, (size_t)d->size};
    return KS_OK;
}

// --- chunks ----------------------------------------------------------------------------------------------------------

typedef struct sink {
    dataset *dataset;
    uint8_t *data;  ///< NULL: only decode
    uint64_t count; ///< chunks so far
    uint8_t *buffers[2];
} sink;

/// Copies the part of a chunk that lies inside the shape to its place.
static void scatter(uint8_t *data, const uint8_t *from, const dataset *d, const ks__h5_chunk *chunk) {
    const ks__h5_layout *layout = &d->layout;
    size_t rank = layout->rank;
    uint64_t count[KS_MAX_RANK];
    uint64_t at[KS_MAX_RANK] = {0};
    uint64_t to_stride[KS_MAX_RANK];
    uint64_t from_stride[KS_MAX_RANK];
    uint64_t to = 0;
    uint64_t source = 0;
    uint64_t run = d->type.size;
    to_stride[rank - 1] = from_stride[rank - 1] = run;
    for (size_t i = rank - 1; i > 0; i--) {
        to_stride[i - 1] = to_stride[i] * layout->dims[i];
        from_stride[i - 1] = from_stride[i] * layout->chunk[i];
    }
    for (size_t i = 0; i < rank; i++) {
        uint64_t start = chunk->scaled[i] * layout->chunk[i];
        uint64_t left = layout->dims[i] - start;
        count[i] = left < layout->chunk[i] ? left : layout->chunk[i];
        to += start * to_stride[i];
    }
    // Axes that the chunk covers whole make longer runs.
    size_t inner = rank;
    while (inner > 0 && run == to_stride[inner - 1] && run == from_stride[inner - 1])
        run *= count[--inner];
    for (;;) {
        memcpy(data + to, from + source, (size_t)run);
        size_t axis = inner;
        while (axis > 0) {
            axis--;
            to += to_stride[axis];
            source += from_stride[axis];
            if (++at[axis] < count[axis])
                break;
            to -= at[axis] * to_stride[axis];
            source -= at[axis] * from_stride[axis];
            at[axis] = 0;
            if (axis == 0)
                return;
        }
        if (inner == 0)
            return;
    }
}

static bool over_edge(const ks__h5_layout *layout, const ks__h5_chunk *chunk) {
    for (size_t i = 0; i < layout->rank; i++)
        if (layout->dims[i] - chunk->scaled[i] * layout->chunk[i] < layout->chunk[i])
            return true;
    return false;
}

static ks_code take_chunk(void *data, ks__h5 *self, const ks__h5_chunk *chunk) {
    sink *s = data;
    dataset *d = s->dataset;
    ks_context *context = self->base.context;
    size_t size = (size_t)d->layout.chunk_size;
    const uint8_t *elements = NULL;
    ks__h5_chunk plain = *chunk;
    s->count++;
    if (d->layout.whole_edges && over_edge(&d->layout, chunk)) {
        plain.mask = UINT32_MAX;
    }
    size_t room = ks__h5_filter_room(&d->filters, size);
    for (size_t i = 0; i < 2 && d->filters.count > 0; i++) {
        if (!s->buffers[i])
            s->buffers[i] = ks_allocate(context, room, 1);
        if (!s->buffers[i])
            return context->error.code;
    }
    ks_code code = ks__h5_need(self, plain.address, plain.size, "a chunk");
    if (code == KS_OK)
        code = ks__h5_filter_decode(&elements, size, self, &d->filters, &plain, s->buffers);
    if (code == KS_OK && s->data)
        scatter(s->data, elements, d, chunk);
    return code;
}

static ks_code read_chunks(uint8_t *data, dataset *d) {
    sink s = {.dataset = d, .data = data};
    ks_code code = KS_OK;
    if (has_chunks(d))
        code = ks__h5_chunks(d->self, &d->layout, take_chunk, &s);
    ks_free(d->self->base.context, s.buffers[0]);
    ks_free(d->self->base.context, s.buffers[1]);
    return code == KS_OK ? need_written(d, s.count) : code;
}

static void put_fill(uint8_t *data, const dataset *d) {
    const uint8_t *value = d->self->bytes.data + d->fill.at;
    bool zero = true;
    for (uint64_t i = 0; i < d->fill.size; i++)
        zero = zero && value[i] == 0;
    if (zero)
        memset(data, 0, (size_t)d->size);
    else
        for (uint64_t i = 0; i < d->space.elements; i++)
            memcpy(data + i * d->type.size, value, d->type.size);
}

/// All elements as they are stored, `d->size` bytes.
static ks_code read_stored(uint8_t *data, dataset *d) {
    if (d->size == 0)
        return KS_OK;
    if (d->layout.layout_class != KS__H5_CHUNKED && d->layout.address != KS__H5_UNDEFINED) {
        memcpy(data, d->self->bytes.data + d->layout.address, (size_t)d->size);
        return KS_OK;
    }
    put_fill(data, d);
    return d->layout.layout_class == KS__H5_CHUNKED ? read_chunks(data, d) : need_written(d, 0);
}

ks_code ks__h5_read(void *data, size_t data_size, ks_hdf5 *file, ks_hdf5_node node) {
    dataset *d;
    ks_code code = open_recognised(&d, (ks__h5 *)file, node);
    if (code == KS_OK)
        code = ks__h5_check_numbers(d->self, &d->type, d->space.elements, data_size);
    if (code == KS_OK)
        code = read_stored(data, d);
    if (code == KS_OK)
        ks__h5_elements_swap(data, d->space.elements, &d->type);
    return code;
}

ks_code ks__h5_read_text(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node node) {
    dataset *d;
    uint8_t *buffer = NULL;
    ks_code code = open_dataset(&d, (ks__h5 *)file, node);
    if (code != KS_OK)
        return code;
    bool in_place = d->layout.layout_class != KS__H5_CHUNKED && d->layout.address != KS__H5_UNDEFINED;
    const uint8_t *data = in_place ? d->self->bytes.data + d->layout.address : NULL;
    if (!in_place && d->type.dtype == KS_STRING && d->size > 0) {
        buffer = ks_allocate(file->context, (size_t)d->size, 1);
        if (!buffer)
            return file->context->error.code;
        data = buffer;
        KS_TRY(read_stored(buffer, d));
    }
    KS_TRY(ks__h5_elements_text(out, d->self, data, d->space.elements, &d->type));
    *count = (size_t)d->space.elements;
done:
    ks_free(file->context, buffer);
    return code;
}

ks_code ks__h5_dataset_verify(ks_hdf5_type *out, ks__h5 *self, ks_hdf5_node node) {
    dataset *d;
    ks_code code = open_and_describe(out, &d, self, node);
    ks__h5_set *nodes = self->nodes;
    self->nodes = NULL; // the index was walked once
    if (code == KS_OK)
        code = d->layout.layout_class == KS__H5_CHUNKED ? read_chunks(NULL, d) : need_written(d, 0);
    self->nodes = nodes;
    return code;
}
