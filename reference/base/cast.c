// SPDX-License-Identifier: Apache-2.0
#include "base/cast.h"

#include <math.h>

static float float_from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static uint32_t bits_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

float ks_half_to_float(uint16_t bits) {
    uint32_t sign = (uint32_t)(bits & 0x8000) << 16;
    uint32_t exponent = bits >> 10 & 31;
    uint32_t fraction = bits & 0x3ff;
    if (exponent == 31)
        return float_from_bits(sign | 0x7f800000U | fraction << 13);
    if (exponent)
        return float_from_bits(sign | (exponent + 112) << 23 | fraction << 13);
    {
        float value = ldexpf((float)fraction, -24);
        return sign ? -value : value;
    }
}

uint16_t ks_double_to_half(double value) {
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    double magnitude = fabs(value);
    int exponent;
    double steps;
    if (isnan(value))
        return (uint16_t)(sign | 0x7e00);
    if (magnitude >= 65520.0)
        return (uint16_t)(sign | 0x7c00);
    if (magnitude < ldexp(1.0, -14)) // subnormal: units of 2^-24; 1024 of them are the smallest normal number
        return (uint16_t)(sign | (uint16_t)nearbyint(ldexp(magnitude, 24)));
    frexp(magnitude, &exponent);                        // magnitude = m * 2^exponent, m in [0.5, 1)
    steps = nearbyint(ldexp(magnitude, 11 - exponent)); // 1024 … 2048
    return (uint16_t)(sign | (uint16_t)((uint32_t)(exponent + 14) * 1024 + (uint32_t)steps - 1024));
}

uint16_t ks_float_to_half(float value) {
    return ks_double_to_half((double)value);
}

float ks_bfloat16_to_float(uint16_t bits) {
    return float_from_bits((uint32_t)bits << 16);
}

uint16_t ks_float_to_bfloat16(float value) {
    uint32_t bits = bits_of_float(value);
    if (isnan(value))
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// --- casts ----------------------------------------------------------------------------------------------------------

static bool is_float(ks_dtype dtype) {
    return dtype == KS_FLOAT16 || dtype == KS_BFLOAT16 || dtype == KS_FLOAT32 || dtype == KS_FLOAT64;
}

static double get_float(const void *in, ks_dtype from, size_t i) {
    switch (from) {
    case KS_FLOAT16:
        return (double)ks_half_to_float(((const uint16_t *)in)[i]);
    case KS_BFLOAT16:
        return (double)ks_bfloat16_to_float(((const uint16_t *)in)[i]);
    case KS_FLOAT32:
        return (double)((const float *)in)[i];
    default:
        return ((const double *)in)[i];
    }
}

static int64_t get_integer(const void *in, ks_dtype from, size_t i) {
    switch (from) {
    case KS_BOOL8:
        return ((const uint8_t *)in)[i] != 0;
    case KS_INT8:
        return ((const int8_t *)in)[i];
    case KS_INT16:
        return ((const int16_t *)in)[i];
    case KS_INT32:
        return ((const int32_t *)in)[i];
    case KS_UINT8:
        return ((const uint8_t *)in)[i];
    case KS_UINT16:
        return ((const uint16_t *)in)[i];
    case KS_UINT32:
        return ((const uint32_t *)in)[i];
    default:
        return ((const int64_t *)in)[i]; // uint64 in two's complement
    }
}

static void put_float(void *out, ks_dtype to, size_t i, double value) {
    switch (to) {
    case KS_FLOAT16:
        ((uint16_t *)out)[i] = ks_double_to_half(value);
        break;
    case KS_BFLOAT16:
        ((uint16_t *)out)[i] = ks_float_to_bfloat16((float)value);
        break;
    case KS_FLOAT32:
        ((float *)out)[i] = (float)value;
        break;
    default:
        ((double *)out)[i] = value;
        break;
    }
}

static void put_integer(void *out, ks_dtype to, size_t i, int64_t value) {
    switch (to) {
    case KS_BOOL8:
        ((uint8_t *)out)[i] = value != 0;
        break;
    case KS_INT8:
    case KS_UINT8:
        ((uint8_t *)out)[i] = (uint8_t)value;
        break;
    case KS_INT16:
    case KS_UINT16:
        ((uint16_t *)out)[i] = (uint16_t)value;
        break;
    case KS_INT32:
    case KS_UINT32:
        ((uint32_t *)out)[i] = (uint32_t)value;
        break;
    default:
        ((int64_t *)out)[i] = value;
        break;
    }
}

// A C cast of an out-of-range number is undefined; the processor's answer (the least int32 or int64) is what numpy and
// TensorFlow give. To narrower types TensorFlow's own answers depend on its version and on the number's place in the
// tensor: here they go through int64.
static int64_t truncate_to_integer(double value, ks_dtype to) {
    if (to == KS_INT32 && !(value > -2147483649.0 && value < 2147483648.0))
        return INT32_MIN;
    return value >= -9223372036854775808.0 && value < 9223372036854775808.0 ? (int64_t)value : INT64_MIN;
}

bool ks_cast(void *out, ks_dtype to, const void *in, ks_dtype from, size_t count) {
    if (ks_dtype_size(to) == 0 || ks_dtype_size(from) == 0 || to >= KS_COMPLEX64 || from >= KS_COMPLEX64)
        return false;
    if (to == from) {
        if (count)
            memcpy(out, in, count * ks_dtype_size(to));
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_float(from)) {
            double value = get_float(in, from, i);
            if (is_float(to))
                put_float(out, to, i, value);
            else if (to == KS_BOOL8)
                put_integer(out, to, i, value != 0);
            else
                put_integer(out, to, i, truncate_to_integer(value, to));
        } else {
            int64_t value = get_integer(in, from, i);
            if (!is_float(to))
                put_integer(out, to, i, value);
            else if (from == KS_UINT64)
                put_float(out, to, i, (double)(uint64_t)value);
            else
                put_float(out, to, i, (double)value);
        }
    }
    return true;
}
