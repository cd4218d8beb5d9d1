// SPDX-License-Identifier: Apache-2.0
#include "schema/promotion.h"

#include "schema/broadcast.h"

static bool is_signed(ks_dtype dtype) {
    return dtype >= KS_INT8 && dtype <= KS_INT64;
}

bool ks_dtype_is_integer(ks_dtype dtype) {
    return dtype >= KS_INT8 && dtype <= KS_UINT64;
}

static ks_dtype wider(ks_dtype a, ks_dtype b) {
    return ks_dtype_size(a) >= ks_dtype_size(b) ? a : b;
}

// An unsigned integer and a signed one need a signed type that holds both; above 64 bits that is a float.
static ks_dtype mixed_signs(ks_dtype with_sign, ks_dtype without) {
    switch (without) {
    case KS_UINT8:
        return wider(with_sign, KS_INT16);
    case KS_UINT16:
        return wider(with_sign, KS_INT32);
    case KS_UINT32:
        return KS_INT64;
    default:
        return KS_FLOAT32;
    }
}

static ks_dtype floats(ks_dtype a, ks_dtype b) {
    if (a == b)
        return a;
    if (ks_dtype_size(a) == ks_dtype_size(b)) // float16 with bfloat16
        return KS_FLOAT32;
    return wider(a, b);
}

ks_dtype ks_promote(ks_dtype a, ks_dtype b) {
    bool a_floats = ks_dtype_is_floating(a), b_floats = ks_dtype_is_floating(b);
    if (a == b)
        return a;
    if (a_floats || b_floats)
        return a_floats && b_floats ? floats(a, b) : a_floats ? a : b;
    if (a == KS_BOOL8 || b == KS_BOOL8)
        return a == KS_BOOL8 ? b : a;
    if (is_signed(a) == is_signed(b))
        return wider(a, b);
    return is_signed(a) ? mixed_signs(a, b) : mixed_signs(b, a);
}

ks_dtype ks_promote_weak(ks_dtype tensor, ks_value_type number) {
    if (number == KS_VALUE_FLOAT && !ks_dtype_is_floating(tensor))
        return KS_FLOAT32;
    if (number == KS_VALUE_INT && tensor == KS_BOOL8)
        return KS_INT32;
    return tensor;
}
