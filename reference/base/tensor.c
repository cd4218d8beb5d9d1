// SPDX-License-Identifier: Apache-2.0
#include <kassay/tensor.h>

#include "base/checked.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {
    [KS_DTYPE_NONE] = {"none", 0},
    [KS_BOOL8] = {"bool", 1},
    [KS_INT8] = {"int8", 1},
    [KS_INT16] = {"int16", 2},
    [KS_INT32] = {"int32", 4},
    [KS_INT64] = {"int64", 8},
    [KS_UINT8] = {"uint8", 1},
    [KS_UINT16] = {"uint16", 2},
    [KS_UINT32] = {"uint32", 4},
    [KS_UINT64] = {"uint64", 8},
    [KS_FLOAT16] = {"float16", 2},
    [KS_BFLOAT16] = {"bfloat16", 2},
    [KS_FLOAT32] = {"float32", 4},
    [KS_FLOAT64] = {"float64", 8},
    [KS_COMPLEX64] = {"complex64", 8},
    [KS_COMPLEX128] = {"complex128", 16},
    [KS_STRING] = {"string", sizeof(ks_text)},
};

size_t ks_dtype_size(ks_dtype dtype) {
    return dtypes[dtype].size;
}

const char *ks_dtype_name(ks_dtype dtype) {
    return dtypes[dtype].name;
}

ks_dtype ks_dtype_by_name(ks_text name) {
    for (size_t i = KS_BOOL8; i < sizeof dtypes / sizeof dtypes[0]; i++)
        if (ks_text_is(name, dtypes[i].name))
            return (ks_dtype)i;
    return KS_DTYPE_NONE;
}

bool ks_shape_elements(const ks_shape *shape, uint64_t *out) {
    uint64_t elements = 1;
    if (shape->rank < 0)
        return false;
    for (int32_t i = 0; i < shape->rank; i++)
        if (shape->dims[i] < 0 || !ks_mul_u64(elements, (uint64_t)shape->dims[i], &elements))
            return false;
    *out = elements;
    return true;
}

bool ks_shape_equal(const ks_shape *a, const ks_shape *b) {
    if (a->rank != b->rank)
        return false;
    for (int32_t i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i])
            return false;
    return true;
}

const char *ks_shape_format(const ks_shape *shape, char *text, size_t text_size) {
    if (shape->rank < 0) {
        snprintf(text, text_size, "unknown rank");
        return text;
    }
    size_t at = 0;
    int written = snprintf(text, text_size, "(");
    at = written < 0 ? 0 : (size_t)written;
    for (int32_t i = 0; i < shape->rank && at < text_size; i++) {
        const char *separator = i ? ", " : "";
        if (shape->dims[i] < 0)
            written = snprintf(text + at, text_size - at, "%sNone", separator);
        else
            written = snprintf(text + at, text_size - at, "%s%lld", separator, (long long)shape->dims[i]);
        at += written < 0 ? 0 : (size_t)written;
    }
    if (at < text_size)
        snprintf(text + at, text_size - at, shape->rank == 1 ? ",)" : ")");
    return text;
}
