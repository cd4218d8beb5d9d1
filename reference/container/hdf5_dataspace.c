// SPDX-License-Identifier: Apache-2.0
//
// Dataspace messages: the shape of a dataset or attribute.
//
//   version 1: version 1, rank 1, flags 1 (bit 0: largest dimensions, 1: permutation), reserved 5
//   version 2: version 1, rank 1, flags 1, kind 1 (0 scalar, 1 simple, 2 null)
//   dimensions L each, [largest dimensions L each, all ones: unlimited]
#include "container/hdf5_internal.h"

enum { KIND_SCALAR = 0, KIND_SIMPLE = 1, KIND_NULL = 2 };

static uint64_t largest(const ks__h5 *self, ks_reader *reader) {
    uint64_t value = ks__h5_length(self, reader);
    return self->length_size < 8 && value == ((uint64_t)1 << (8 * self->length_size)) - 1 ? UINT64_MAX : value;
}

static ks_code read_dims(ks__h5_space *out, ks__h5 *self, ks_reader *reader, bool has_max, uint64_t at) {
    ks_context *context = self->base.context;
    size_t rank = (size_t)out->shape.rank;
    for (size_t i = 0; i < rank; i++) {
        uint64_t size = ks__h5_length(self, reader);
        if (size > INT64_MAX)
            return ks__h5_fail(self, KS_E_OVER_SIZE, at, "expected a dimension below 2^63, found %llu",
                               (unsigned long long)size);
        out->shape.dims[i] = (int64_t)size;
        out->max[i] = size;
    }
    for (size_t i = 0; i < rank && has_max; i++) {
        out->max[i] = largest(self, reader);
        if (!reader->failed && out->max[i] != UINT64_MAX && out->max[i] > INT64_MAX)
            return ks__h5_fail(self, KS_E_OVER_SIZE, at, "expected a largest dimension below 2^63, found %llu",
                               (unsigned long long)out->max[i]);
        if (!reader->failed && out->max[i] < (uint64_t)out->shape.dims[i])
            return ks__h5_fail(self, KS_E_HDF5_DATASPACE, at, "expected a dimension up to %llu, found %lld",
                               (unsigned long long)out->max[i], (long long)out->shape.dims[i]);
    }
    if (reader->failed)
        return ks__h5_fail(self, KS_E_HDF5_DATASPACE, at, "expected %zu dimensions, found the message's end", rank);
    if (!ks_shape_elements(&out->shape, &out->elements) || out->elements > context->limits.tensor_elements)
        return ks__h5_fail(self, KS_E_OVER_SIZE, at, "expected at most %llu elements, found more",
                           (unsigned long long)context->limits.tensor_elements);
    return KS_OK;
}

ks_code ks__h5_space_parse(ks__h5_space *out, ks__h5 *self, ks__h5_span message) {
    ks_reader reader = ks__h5_reader(self, message);
    out->null = false;
    out->elements = 0;
    unsigned version = ks_read_u8(&reader);
    unsigned rank = ks_read_u8(&reader);
    unsigned flags = ks_read_u8(&reader);
    unsigned kind = rank ? KIND_SIMPLE : KIND_SCALAR;
    if (version == 2)
        kind = ks_read_u8(&reader);
    else
        ks_read_skip(&reader, 5);
    if (!reader.failed && version != 1 && version != 2)
        return ks__h5_fail(self, KS_E_HDF5_VERSION, message.at, "expected a dataspace of version 1 or 2, found %u",
                           version);
    if (reader.failed || rank > KS_MAX_RANK || kind > KIND_NULL || (kind != KIND_SIMPLE && rank != 0) ||
        (flags & ~(version == 1 ? 3U : 1U)))
        return ks__h5_fail(self, KS_E_HDF5_DATASPACE, message.at,
                           "expected a rank up to %d and a known kind, found rank %u, kind %u, flags 0x%02X",
                           KS_MAX_RANK, rank, kind, flags);
    out->shape.rank = (int32_t)rank;
    out->null = kind == KIND_NULL;
    if (out->null)
        return KS_OK;
    return read_dims(out, self, &reader, flags & 1, message.at);
}
