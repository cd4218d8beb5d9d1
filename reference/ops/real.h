// SPDX-License-Identifier: Apache-2.0
//
// Every kernel is written once, in a NAME.real.c, and compiled for float and for double. Inside such a file ks_real is
// the element type, KS_REAL(name) the name with its suffix, KS_MATH(exp) the C library's function of that type, and
// KS_C(0.5) a constant of it.
#ifndef KASSAY_OPS_REAL_H
#define KASSAY_OPS_REAL_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if KS_REAL_BITS == 64
typedef double ks_real;
#define KS_REAL(name) name##_f64
#define KS_MATH(function) function
#define KS_REAL_DTYPE KS_FLOAT64
#define KS_REAL_EPSILON 2.2204460492503131e-16
#elif KS_REAL_BITS == 32
typedef float ks_real;
#define KS_REAL(name) name##_f32
#define KS_MATH(function) function##f
#define KS_REAL_DTYPE KS_FLOAT32
#define KS_REAL_EPSILON 1.1920928955078125e-07F
#else
#error "a .real.c file is compiled with KS_REAL_BITS=32 and 64"
#endif
#define KS_C(constant) ((ks_real)(constant))

#endif
