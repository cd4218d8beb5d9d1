// SPDX-License-Identifier: Apache-2.0
//
// Datatype messages.
//
//   class and version 1 (low and high four bits), bits 3, size of an element 4, then by class
//   0 integer:   bits: 0 big-endian, 1-2 padding, 3 signed; bit offset 2, precision 2
//   1 float:     bits: 0 and (version 3) 6 byte order, 1-3 padding, 4-5 normalisation (2: first bit implied), 8-15 sign
//   position;
//                bit offset 2, precision 2, exponent position 1 and size 1, mantissa position 1 and size 1, bias 4
//   2 time:      precision 2
//   3 string:    bits: 0-3 padding (0 NUL ends it, 1 NULs, 2 blanks), 4-7 character set
//   4 bit field: bit offset 2, precision 2
//   5 opaque:    bits 0-7: size of the tag, filled with NULs to a multiple of 8; tag
//   6 compound:  bits 0-15: members; each: name (version 1, 2: filled to a multiple of 8), offset (version 3: as many
//                bytes as the size needs, else 4), version 1: rank 1, reserved 3, permutation 4, reserved 4, 4
//                dimensions of 4; type
//   7 reference: nothing
//   8 enum:      bits 0-15: members; base type, names (as above), values
//   9 variable:  bits: 0-3 kind (0 sequence, 1 string), 4-7 padding, 8-11 character set; base type
//   10 array:    rank 1, version 2: reserved 3; dimensions 4 each, version 2: permutation 4 each; base type
//
// Types are understood as far as Keras and h5py use them: what else is valid is of class "other".
#include "container/hdf5_internal.h"

#include <stdlib.h>

#define LEAST_MEMBER 10 ///< bytes of the shortest member: an empty name, an offset, a type without properties

enum { INTEGER, FLOAT, TIME, STRING, BIT_FIELD, OPAQUE, COMPOUND, REFERENCE, ENUM, VARIABLE, ARRAY };

/// The members that tell a bool or a complex number from other types.
typedef struct member {
    ks_text name;
    uint64_t offset;
    ks__h5_type type;
} member;

/// The bytes of an element that a member takes.
typedef struct place {
    uint64_t offset;
    uint64_t size;
} place;

typedef struct parser {
    ks__h5 *self;
    ks_reader reader;
    unsigned depth;
} parser;

static ks_code parse(ks__h5_type *out, parser *p);

static ks_code bad(parser *p, const char *expected) {
    return ks__h5_fail(p->self, KS_E_HDF5_DATATYPE, p->reader.at, "expected %s, found another or the end", expected);
}

/// A name, NUL, and in versions 1 and 2 NULs up to a multiple of 8.
static ks_code read_name(ks_text *out, parser *p, unsigned version) {
    const char *name = (const char *)p->reader.bytes.data + p->reader.at;
    size_t left = (size_t)ks__h5_left(&p->reader);
    const char *end = left ? memchr(name, 0, left) : NULL;
    if (!end)
        return bad(p, "a member's name that ends");
    *out = (ks_text){name, (size_t)(end - name)};
    size_t size = out->size + 1;
    ks_read_skip(&p->reader, version < 3 ? (size + 7) & ~(size_t)7 : size);
    return p->reader.failed ? bad(p, "a member's name, filled up to a multiple of 8") : KS_OK;
}

static ks_code parse_integer(ks__h5_type *out, parser *p, uint32_t bits) {
    static const ks_dtype dtypes[2][4] = {{KS_UINT8, KS_UINT16, KS_UINT32, KS_UINT64},
                                          {KS_INT8, KS_INT16, KS_INT32, KS_INT64}};
    uint32_t offset = ks_read_u16(&p->reader);
    uint32_t precision = ks_read_u16(&p->reader);
    if (p->reader.failed || precision == 0 || offset + precision > 8 * (uint64_t)out->size)
        return bad(p, "bits that fit into the integer");
    bool plain = offset == 0 && precision == 8 * out->size && out->size <= 8 && (out->size & (out->size - 1)) == 0;
    if (plain) {
        out->type_class = KS_HDF5_INTEGER;
        out->dtype = dtypes[bits >> 3 & 1][ks__h5_log2(out->size)];
        out->big_endian = bits & 1;
    }
    return KS_OK;
}

typedef struct float_form {
    uint32_t offset, precision, sign, exponent, exponent_size, mantissa, mantissa_size, bias;
} float_form;

static bool overlap(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size) {
    return a < b + b_size && b < a + a_size;
}

static bool possible(const float_form *f, size_t size) {
    uint32_t end = f->offset + f->precision;
    return f->precision > 0 && end <= 8 * (uint64_t)size && f->exponent_size > 0 && f->mantissa_size > 0 &&
           f->sign < f->precision && f->exponent + f->exponent_size <= f->precision &&
           f->mantissa + f->mantissa_size <= f->precision &&
           !overlap(f->exponent, f->exponent_size, f->mantissa, f->mantissa_size) &&
           !overlap(f->sign, 1, f->exponent, f->exponent_size) && !overlap(f->sign, 1, f->mantissa, f->mantissa_size);
}

static ks_code parse_float(ks__h5_type *out, parser *p, unsigned version, uint32_t bits) {
    static const struct {
        ks_dtype dtype;
        float_form form;
    } ieee[] = {{KS_FLOAT16, {0, 16, 15, 10, 5, 0, 10, 15}},
                {KS_FLOAT32, {0, 32, 31, 23, 8, 0, 23, 127}},
                {KS_FLOAT64, {0, 64, 63, 52, 11, 0, 52, 1023}}};
    float_form form;
    memset(&form, 0, sizeof form);
    form.offset = ks_read_u16(&p->reader);
    form.precision = ks_read_u16(&p->reader);
    form.sign = bits >> 8 & 0xff;
    form.exponent = ks_read_u8(&p->reader);
    form.exponent_size = ks_read_u8(&p->reader);
    form.mantissa = ks_read_u8(&p->reader);
    form.mantissa_size = ks_read_u8(&p->reader);
    form.bias = ks_read_u32(&p->reader);
    bool vax = bits & 0x40;
    unsigned normal = bits >> 4 & 3;
    if (p->reader.failed || normal == 3 || (vax && (version < 3 || !(bits & 1))) || !possible(&form, out->size))
        return bad(p, "fields that fit into the float");
    for (size_t i = 0; i < sizeof ieee / sizeof ieee[0] && !vax && normal == 2; i++) {
        if (8 * out->size == ieee[i].form.precision && memcmp(&form, &ieee[i].form, sizeof form) == 0) {
            out->type_class = KS_HDF5_FLOAT;
            out->dtype = ieee[i].dtype;
            out->big_endian = bits & 1;
        }
    }
    return KS_OK;
}

static ks_code parse_string(ks__h5_type *out, parser *p, uint32_t bits) {
    if ((bits & 0xf) > 2 || (bits >> 4 & 0xf) > 1)
        return bad(p, "a known padding and character set");
    out->type_class = KS_HDF5_STRING_FIXED;
    out->dtype = KS_STRING;
    out->padding = bits & 0xf;
    return KS_OK;
}

static ks_code parse_opaque(ks__h5_type *out, parser *p, uint32_t bits) {
    if (bits & 7)
        return bad(p, "a tag filled up to a multiple of 8");
    ks_read_skip(&p->reader, bits & 0xff);
    out->type_class = KS_HDF5_OPAQUE;
    return p->reader.failed ? bad(p, "the tag of an opaque type") : KS_OK;
}

static ks_code read_member(member *out, place *taken, parser *p, unsigned version, size_t size) {
    ks_code code = read_name(&out->name, p, version);
    if (code != KS_OK)
        return code;
    out->offset = ks_read_uint(&p->reader, version < 3 ? 4 : ks__h5_bytes_for(size));
    uint64_t elements = 1;
    unsigned rank = 0;
    if (version == 1) {
        rank = ks_read_u8(&p->reader);
        ks_read_skip(&p->reader, 11);
        for (unsigned i = 0; i < 4; i++) {
            uint32_t dim = ks_read_u32(&p->reader);
            if (i < rank && !ks_mul_u64(elements, dim, &elements))
                return bad(p, "fewer elements of a member");
        }
        if (rank > 4)
            return bad(p, "a member of rank 4 or less");
    }
    code = parse(&out->type, p);
    if (code == KS_OK && rank > 0)
        out->type.dtype = KS_DTYPE_NONE; // an array, even if of one element
    if (code == KS_OK &&
        (!ks_mul_u64(elements, out->type.size, &elements) || !ks_range_inside(out->offset, elements, size)))
        return bad(p, "members that fit into the compound");
    *taken = (place){out->offset, elements};
    return code;
}

/// h5py's complex number: two equal floats "r" and "i", one behind the other.
static void recognise_complex(ks__h5_type *out, const member *real, const member *imaginary) {
    if (!ks_text_is(real->name, "r") || !ks_text_is(imaginary->name, "i") || real->offset != 0 ||
        imaginary->offset * 2 != out->size || real->type.type_class != KS_HDF5_FLOAT ||
        real->type.dtype != imaginary->type.dtype || real->type.big_endian != imaginary->type.big_endian ||
        real->type.size * 2 != out->size)
        return;
    ks_dtype dtype = real->type.dtype == KS_FLOAT32   ? KS_COMPLEX64
                     : real->type.dtype == KS_FLOAT64 ? KS_COMPLEX128
                                                      : KS_DTYPE_NONE;
    if (dtype == KS_DTYPE_NONE)
        return;
    out->type_class = KS_HDF5_COMPLEX;
    out->dtype = dtype;
    out->big_endian = real->type.big_endian;
}

/// By offset; of two at the same offset the larger is first, so that a member without bytes inside it counts as
/// overlap.
static int by_offset(const void *left, const void *right) {
    const place *a = left;
    const place *b = right;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return (a->size < b->size) - (a->size > b->size);
}

/// Members may stand in any order, but no byte may belong to two. Sorts `places`.
static ks_code check_apart(parser *p, place *places, size_t count) {
    if (count > 1)
        qsort(places, count, sizeof *places, by_offset);
    for (size_t i = 1; i < count; i++)
        if (places[i].offset < places[i - 1].offset + places[i - 1].size)
            return bad(p, "members of a compound that do not overlap");
    return KS_OK;
}

static ks_code parse_compound(ks__h5_type *out, parser *p, unsigned version, uint32_t bits) {
    size_t count = bits & 0xffff;
    member members[2];
    member other;
    if (count == 0 || count > ks__h5_left(&p->reader) / LEAST_MEMBER)
        return bad(p, "members of a compound");
    place *places = ks_allocate(p->self->base.context, count, sizeof *places);
    if (!places)
        return p->self->base.context->error.code;
    ks_code code = KS_OK;
    for (size_t i = 0; i < count && code == KS_OK; i++)
        code = read_member(i < 2 ? &members[i] : &other, &places[i], p, version, out->size);
    if (code == KS_OK)
        code = check_apart(p, places, count);
    if (code == KS_OK && count == 2)
        recognise_complex(out, &members[0], &members[1]);
    ks_free(p->self->base.context, places);
    return code;
}

/// h5py's bool: FALSE = 0 and TRUE = 1 over int8, in either order.
static ks_code parse_enum(ks__h5_type *out, parser *p, unsigned version, uint32_t bits) {
    size_t count = bits & 0xffff;
    ks__h5_type base;
    ks_text names[2];
    ks_text other;
    ks_code code = parse(&base, p);
    if (code == KS_OK && (base.size != out->size || count == 0))
        return bad(p, "members of an enumeration and a base type of its size");
    for (size_t i = 0; i < count && code == KS_OK; i++)
        code = read_name(i < 2 ? &names[i] : &other, p, version);
    if (code != KS_OK)
        return code;
    uint64_t size = 0;
    ks_bytes values = {NULL, 0};
    if (ks_mul_u64(count, base.size, &size))
        values = ks_read_bytes(&p->reader, (size_t)size);
    else
        p->reader.failed = true;
    if (p->reader.failed)
        return bad(p, "the values of an enumeration");
    if (count == 2 && base.dtype == KS_INT8) {
        size_t off = ks_text_is(names[0], "FALSE") ? 0 : 1;
        if (ks_text_is(names[off], "FALSE") && ks_text_is(names[1 - off], "TRUE") && values.data[off] == 0 &&
            values.data[1 - off] == 1) {
            out->type_class = KS_HDF5_BOOL;
            out->dtype = KS_BOOL8;
        }
    }
    return KS_OK;
}

static ks_code parse_variable(ks__h5_type *out, parser *p, uint32_t bits) {
    ks__h5_type base;
    unsigned kind = bits & 0xf;
    if (kind > 1 || (kind == 1 && ((bits >> 4 & 0xf) > 2 || (bits >> 8 & 0xf) > 1)))
        return bad(p, "a known kind, padding and character set");
    if (out->size != 8 + p->self->offset_size)
        return bad(p, "an element that is a reference to the global heap");
    ks_code code = parse(&base, p);
    if (code == KS_OK && kind == 1) {
        if (base.size != 1)
            return bad(p, "characters of one byte");
        out->type_class = KS_HDF5_STRING_VARIABLE;
        out->dtype = KS_STRING;
    }
    return code;
}

static ks_code parse_array(ks__h5_type *out, parser *p, unsigned version) {
    ks__h5_type base;
    uint64_t size = 1;
    unsigned rank = ks_read_u8(&p->reader);
    if (version < 3)
        ks_read_skip(&p->reader, 3);
    if (rank == 0 || rank > KS_MAX_RANK)
        return bad(p, "an array of rank 1 to 32");
    for (unsigned i = 0; i < rank; i++)
        if (!ks_mul_u64(size, ks_read_u32(&p->reader), &size))
            return bad(p, "fewer elements of an array");
    if (version < 3)
        ks_read_skip(&p->reader, 4 * rank);
    ks_code code = parse(&base, p);
    if (code == KS_OK && (!ks_mul_u64(size, base.size, &size) || size != out->size))
        return bad(p, "an array of the size of its elements");
    return code;
}

static ks_code parse_class(ks__h5_type *out, parser *p, unsigned type_class, unsigned version, uint32_t bits) {
    switch (type_class) {
    case INTEGER:
        return parse_integer(out, p, bits);
    case FLOAT:
        return parse_float(out, p, version, bits);
    case TIME:
        ks_read_skip(&p->reader, 2);
        break;
    case BIT_FIELD:
        ks_read_skip(&p->reader, 4);
        break;
    case STRING:
        return parse_string(out, p, bits);
    case OPAQUE:
        return parse_opaque(out, p, bits);
    case COMPOUND:
        return parse_compound(out, p, version, bits);
    case REFERENCE:
        break;
    case ENUM:
        return parse_enum(out, p, version, bits);
    case VARIABLE:
        return parse_variable(out, p, bits);
    case ARRAY:
        return parse_array(out, p, version);
    default:
        return ks__h5_fail(p->self, KS_E_HDF5_TYPE, p->reader.at, "expected a datatype of class 0 to 10, found %u",
                           type_class);
    }
    return p->reader.failed ? bad(p, "the properties of a type") : KS_OK;
}

// NOLINTNEXTLINE(misc-no-recursion): KS__H5_TYPE_DEPTH
static ks_code parse(ks__h5_type *out, parser *p) {
    uint64_t at = p->reader.at;
    uint32_t head = ks_read_u32(&p->reader);
    unsigned first = head & 0xff;
    uint32_t bits = head >> 8;
    memset(out, 0, sizeof *out);
    out->type_class = KS_HDF5_OTHER;
    out->size = ks_read_u32(&p->reader);
    unsigned version = first >> 4;
    if (p->reader.failed || out->size == 0)
        return bad(p, "a datatype with elements of some bytes");
    if (version < 1 || version > 3)
        return ks__h5_fail(p->self, KS_E_HDF5_VERSION, at, "expected a datatype of version 1 to 3, found %u", version);
    if (++p->depth > KS__H5_TYPE_DEPTH)
        return ks__h5_fail(p->self, KS_E_OVER_DEPTH, at, "expected at most %d types in each other, found more",
                           KS__H5_TYPE_DEPTH);
    ks_code code = parse_class(out, p, first & 0xf, version, bits);
    p->depth--;
    return code;
}

ks_code ks__h5_type_parse(ks__h5_type *out, ks__h5 *self, ks__h5_span message) {
    parser p = {.self = self, .reader = ks__h5_reader(self, message)};
    return parse(out, &p);
}
