// SPDX-License-Identifier: Apache-2.0
//
// Conversions between element types. Floating to floating rounds to nearest even, as numpy and TensorFlow; floating to
// integer truncates, and what an int32 or an int64 cannot hold (NaN too) becomes the least of them; anything to bool
// asks whether it is not zero.
#ifndef KASSAY_BASE_CAST_H
#define KASSAY_BASE_CAST_H

#include <kassay/tensor.h>

float ks_half_to_float(uint16_t bits);
uint16_t ks_float_to_half(float value);
uint16_t ks_double_to_half(double value);
float ks_bfloat16_to_float(uint16_t bits);
uint16_t ks_float_to_bfloat16(float value);
/// `out` and `in` are aligned for their types and do not overlap. False for strings and complex numbers.
bool ks_cast(void *out, ks_dtype to, const void *in, ks_dtype from, size_t count);

#endif
