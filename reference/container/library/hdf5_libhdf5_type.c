// SPDX-License-Identifier: Apache-2.0
//
// What libhdf5 says about element types and dataspaces, in the terms of hdf5.h.
#include "container/library/libhdf5_internal.h"

ks_code ks__holder_open(ks__holder *out, ks__libhdf5 *self, hid_t id, bool attribute) {
    out->id = id;
    out->attribute = attribute;
    out->type = attribute ? H5Aget_type(id) : H5Dget_type(id);
    out->space = attribute ? H5Aget_space(id) : H5Dget_space(id);
    if (out->type < 0 || out->space < 0) {
        ks__holder_close(out);
        return ks__libhdf5_refuse(self->base.context, "type and shape cannot be read");
    }
    return KS_OK;
}

void ks__holder_close(ks__holder *holder) {
    if (holder->type >= 0)
        H5Tclose(holder->type);
    if (holder->space >= 0)
        H5Sclose(holder->space);
}

static bool plain_order(hid_t type, bool *big_endian) {
    H5T_order_t order = H5Tget_order(type);
    *big_endian = order == H5T_ORDER_BE;
    return order == H5T_ORDER_LE || order == H5T_ORDER_BE;
}

static ks_dtype integer_dtype(hid_t type, size_t size) {
    if (H5Tget_precision(type) != 8 * size || H5Tget_offset(type) != 0)
        return KS_DTYPE_NONE;
    bool is_signed = H5Tget_sign(type) == H5T_SGN_2;
    switch (size) {
    case 1:
        return is_signed ? KS_INT8 : KS_UINT8;
    case 2:
        return is_signed ? KS_INT16 : KS_UINT16;
    case 4:
        return is_signed ? KS_INT32 : KS_UINT32;
    case 8:
        return is_signed ? KS_INT64 : KS_UINT64;
    default:
        return KS_DTYPE_NONE;
    }
}

/// One of the three IEEE layouts, bit for bit.
static ks_dtype float_dtype(hid_t type, size_t size) {
    static const struct {
        ks_dtype dtype;
        size_t size, sign, exponent, exponent_size, mantissa_size, bias;
    } ieee[] = {
        {KS_FLOAT16, 2, 15, 10, 5, 10, 15},
        {KS_FLOAT32, 4, 31, 23, 8, 23, 127},
        {KS_FLOAT64, 8, 63, 52, 11, 52, 1023},
    };
    size_t sign, exponent, exponent_size, mantissa, mantissa_size;
    if (H5Tget_fields(type, &sign, &exponent, &exponent_size, &mantissa, &mantissa_size) < 0 ||
        H5Tget_norm(type) != H5T_NORM_IMPLIED || H5Tget_precision(type) != 8 * size || H5Tget_offset(type) != 0)
        return KS_DTYPE_NONE;
    for (size_t i = 0; i < sizeof ieee / sizeof ieee[0]; i++)
        if (ieee[i].size == size && ieee[i].sign == sign && ieee[i].exponent == exponent &&
            ieee[i].exponent_size == exponent_size && mantissa == 0 && ieee[i].mantissa_size == mantissa_size &&
            H5Tget_ebias(type) == ieee[i].bias)
            return ieee[i].dtype;
    return KS_DTYPE_NONE;
}

static bool member_is(hid_t type, unsigned index, const char *name) {
    char *found = H5Tget_member_name(type, index);
    bool same = found && strcmp(found, name) == 0;
    H5free_memory(found);
    return same;
}

static bool is_bool(hid_t type) {
    if (H5Tget_size(type) != 1 || H5Tget_nmembers(type) != 2)
        return false;
    hid_t base = H5Tget_super(type);
    bool is_int8 = base >= 0 && H5Tget_class(base) == H5T_INTEGER && integer_dtype(base, 1) == KS_INT8;
    if (base >= 0)
        H5Tclose(base);
    int8_t value[2] = {-1, -1};
    if (!is_int8 || H5Tget_member_value(type, 0, &value[0]) < 0 || H5Tget_member_value(type, 1, &value[1]) < 0)
        return false;
    return (member_is(type, 0, "FALSE") && member_is(type, 1, "TRUE") && value[0] == 0 && value[1] == 1) ||
           (member_is(type, 0, "TRUE") && member_is(type, 1, "FALSE") && value[0] == 1 && value[1] == 0);
}

/// A complex number of two such floats, or NONE.
static ks_dtype part_dtype(hid_t part, size_t size, bool *big_endian) {
    if (part < 0 || H5Tget_class(part) != H5T_FLOAT || H5Tget_size(part) * 2 != size || !plain_order(part, big_endian))
        return KS_DTYPE_NONE;
    ks_dtype dtype = float_dtype(part, size / 2);
    return dtype == KS_FLOAT32 ? KS_COMPLEX64 : dtype == KS_FLOAT64 ? KS_COMPLEX128 : KS_DTYPE_NONE;
}

static ks_dtype complex_dtype(hid_t type, size_t size, bool *big_endian) {
    if (H5Tget_nmembers(type) != 2 || !member_is(type, 0, "r") || !member_is(type, 1, "i") ||
        H5Tget_member_offset(type, 0) != 0 || H5Tget_member_offset(type, 1) * 2 != size)
        return KS_DTYPE_NONE;
    hid_t real = H5Tget_member_type(type, 0);
    hid_t imaginary = H5Tget_member_type(type, 1);
    bool other = false;
    ks_dtype dtype = part_dtype(real, size, big_endian);
    if (dtype != part_dtype(imaginary, size, &other) || other != *big_endian) // how unused bits are filled may differ
        dtype = KS_DTYPE_NONE;
    if (real >= 0)
        H5Tclose(real);
    if (imaginary >= 0)
        H5Tclose(imaginary);
    return dtype;
}

static void set_class(ks_hdf5_type *out, ks_hdf5_class type_class, ks_dtype dtype) {
    out->type_class = dtype == KS_DTYPE_NONE ? KS_HDF5_OTHER : type_class;
    out->dtype = dtype;
    if (dtype == KS_DTYPE_NONE)
        out->big_endian = false;
}

static void describe_type(ks_hdf5_type *out, hid_t type) {
    bool plain = false;
    out->size = H5Tget_size(type);
    switch (H5Tget_class(type)) {
    case H5T_INTEGER:
        plain = plain_order(type, &out->big_endian);
        set_class(out, KS_HDF5_INTEGER, plain ? integer_dtype(type, out->size) : KS_DTYPE_NONE);
        return;
    case H5T_FLOAT:
        plain = plain_order(type, &out->big_endian);
        set_class(out, KS_HDF5_FLOAT, plain ? float_dtype(type, out->size) : KS_DTYPE_NONE);
        return;
    case H5T_STRING:
        if (H5Tis_variable_str(type) > 0) {
            set_class(out, KS_HDF5_STRING_VARIABLE, KS_STRING);
            out->size = 16; // in the file: length, heap address, index. The library gives the size of a pointer.
        } else {
            set_class(out, KS_HDF5_STRING_FIXED, KS_STRING);
        }
        return;
    case H5T_ENUM:
        set_class(out, KS_HDF5_BOOL, is_bool(type) ? KS_BOOL8 : KS_DTYPE_NONE);
        return;
    case H5T_COMPOUND:
        set_class(out, KS_HDF5_COMPLEX, complex_dtype(type, out->size, &out->big_endian));
        return;
    case H5T_OPAQUE:
        out->type_class = KS_HDF5_OPAQUE;
        return;
    default:
        set_class(out, KS_HDF5_OTHER, KS_DTYPE_NONE);
    }
}

static ks_code describe_space(ks_hdf5_type *out, ks__libhdf5 *self, hid_t space) {
    ks_context *context = self->base.context;
    H5S_class_t kind = H5Sget_simple_extent_type(space);
    if (kind == H5S_NULL) {
        out->null_dataspace = true;
        return KS_OK;
    }
    int rank = H5Sget_simple_extent_ndims(space);
    hsize_t dims[H5S_MAX_RANK];
    if (rank < 0 || rank > KS_MAX_RANK || H5Sget_simple_extent_dims(space, dims, NULL) < 0)
        return ks__libhdf5_refuse(context, "the shape cannot be read");
    out->shape.rank = rank;
    uint64_t elements = 0;
    for (int i = 0; i < rank; i++) {
        if (dims[i] > INT64_MAX)
            return ks_fail(context, KS_E_OVER_SIZE, KS_STAGE_HDF5, KS_NO_OFFSET, NULL, "a dimension of %llu",
                           (unsigned long long)dims[i]);
        out->shape.dims[i] = (int64_t)dims[i];
    }
    if (!ks_shape_elements(&out->shape, &elements) || elements > context->limits.tensor_elements)
        return ks_fail(context, KS_E_OVER_SIZE, KS_STAGE_HDF5, KS_NO_OFFSET, NULL,
                       "a tensor has more elements than the limit %llu",
                       (unsigned long long)context->limits.tensor_elements);
    return KS_OK;
}

ks_code ks__libhdf5_describe(ks_hdf5_type *out, ks__libhdf5 *self, const ks__holder *holder) {
    memset(out, 0, sizeof *out);
    out->offset = KS_NO_OFFSET;
    describe_type(out, holder->type);
    return describe_space(out, self, holder->space);
}

static hid_t host_complex(hid_t type, size_t size) {
    hid_t part = H5Tget_member_type(type, 0);
    hid_t memory = H5Tcreate(H5T_COMPOUND, size);
    if (part < 0 || memory < 0 || H5Tset_order(part, H5Tget_order(H5T_NATIVE_INT)) < 0 ||
        H5Tinsert(memory, "r", 0, part) < 0 || H5Tinsert(memory, "i", size / 2, part) < 0) {
        if (memory >= 0)
            H5Tclose(memory);
        memory = -1;
    }
    if (part >= 0)
        H5Tclose(part);
    return memory;
}

hid_t ks__libhdf5_memory_type(ks__libhdf5 *self, const ks__holder *holder, const ks_hdf5_type *type) {
    hid_t memory = -1;
    if (type->type_class == KS_HDF5_COMPLEX)
        memory = host_complex(holder->type, type->size);
    else
        memory = H5Tcopy(holder->type);
    bool swap = type->type_class == KS_HDF5_INTEGER || type->type_class == KS_HDF5_FLOAT;
    if (memory >= 0 && ((swap && H5Tset_order(memory, H5Tget_order(H5T_NATIVE_INT)) < 0) ||
                        (type->type_class == KS_HDF5_STRING_FIXED && H5Tset_strpad(memory, H5T_STR_NULLPAD) < 0))) {
        H5Tclose(memory);
        memory = -1;
    }
    if (memory < 0)
        ks__libhdf5_refuse(self->base.context, "no type of the host matches that of the file");
    return memory;
}
