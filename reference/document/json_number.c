// SPDX-License-Identifier: Apache-2.0
//
// Numbers between text and machine, independent of the process's locale.
#include "document/json_internal.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#if FLT_EVAL_METHOD != 0
#error "the exact path of ks__json_float needs arithmetic in double"
#endif

bool ks__json_integer(ks_text text, int64_t *out) {
    bool negative = text.data[0] == '-';
    int64_t value = 0;
    if (text.size <= 18) { // fits whatever the digits are
        for (size_t i = negative; i < text.size; i++)
            value = value * 10 + (text.data[i] - '0');
        *out = negative ? -value : value;
        return true;
    }
    for (size_t i = negative; i < text.size; i++) {
        int64_t digit = text.data[i] - '0';
        // Built downwards: the most negative number has no positive twin.
        if (__builtin_mul_overflow(value, (int64_t)10, &value) || __builtin_sub_overflow(value, digit, &value))
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *out = negative ? value : -value;
    return true;
}

/// Up to 2^53 and 10^22 both factors are exact, so that one operation rounds correctly.
static bool exact_float(ks_text text, double *out) {
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    size_t at = text.data[0] == '-';
    uint64_t digits = 0;
    int exponent = 0;
    bool fraction = false;
    if (text.size > 24)
        return false;
    for (; at < text.size && text.data[at] != 'e' && text.data[at] != 'E'; at++) {
        if (text.data[at] == '.') {
            fraction = true;
            continue;
        }
        digits = digits * 10 + (uint64_t)(text.data[at] - '0');
        exponent -= fraction;
        if (digits >= (uint64_t)1 << 53)
            return false;
    }
    if (at < text.size) {
        at++;
        bool minus = text.data[at] == '-';
        at += minus || text.data[at] == '+';
        int written = 0;
        for (; at < text.size && written < 1000; at++)
            written = written * 10 + (text.data[at] - '0');
        exponent += minus ? -written : written;
    }
    if (exponent < -22 || exponent > 22)
        return false;
    double value = exponent < 0 ? (double)digits / powers[-exponent] : (double)digits * powers[exponent];
    *out = text.data[0] == '-' ? -value : value;
    return true;
}

double ks__json_float(ks_text text, locale_t *c_locale) {
    double value = 0;
    if (exact_float(text, &value))
        return value;
    if (!*c_locale)
        *c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return strtod_l(text.data, NULL, *c_locale);
}

/// A positive number as `count` digits and a decimal exponent: 0.d1d2d3… × 10^point.
typedef struct decimal {
    char digits[20];
    int count;
    int point;
} decimal;

static double decimal_value(const decimal *number, locale_t c_locale) {
    char text[40];
    snprintf(text, sizeof text, "0.%se%d", number->digits, number->point);
    return strtod_l(text, NULL, c_locale);
}

/// The correctly rounded form with `count` digits. Runs under the C locale.
static decimal decimal_round(double value, int count) {
    decimal number = {.count = count};
    char text[40];
    snprintf(text, sizeof text, "%.*e", count - 1, value);
    const char *at = text;
    for (int i = 0; i < count; at++)
        if (*at != '.')
            number.digits[i++] = *at;
    number.point = (int)strtol(at + 1, NULL, 10) + 1;
    return number;
}

/// The next larger number with the same count of digits.
static decimal decimal_next(decimal number) {
    int i = number.count - 1;
    for (; i >= 0 && number.digits[i] == '9'; i--)
        number.digits[i] = '0';
    if (i >= 0) {
        number.digits[i]++;
    } else {
        number.digits[0] = '1';
        number.point++;
    }
    return number;
}

/// The shortest digits that read back as `value`. Beside a power of two the numbers below lie closer than those above:
/// there the next larger text may read back although the nearest does not.
static decimal shortest(double value, locale_t c_locale) {
    decimal number = {.count = 0};
    // Fifteen digits always survive the way through a normal double, so nothing shorter needs a try of its own.
    for (int count = value < DBL_MIN ? 1 : 15; count <= 17; count++) {
        number = decimal_round(value, count);
        if (decimal_value(&number, c_locale) == value)
            break;
        decimal next = decimal_next(number);
        if (decimal_value(&next, c_locale) == value) {
            number = next;
            break;
        }
    }
    while (number.count > 1 && number.digits[number.count - 1] == '0')
        number.digits[--number.count] = 0;
    return number;
}

static size_t lay_out(char text[KS__JSON_DOUBLE_SIZE], const decimal *number, bool negative) {
    const char *sign = negative ? "-" : "";
    const char *digits = number->digits;
    int count = number->count;
    int point = number->point;
    int size = 0;
    if (point > 16 || point < -3) // repr leaves the plain form below 1e-4 and from 1e16 on
        size = snprintf(text, KS__JSON_DOUBLE_SIZE, "%s%c%s%se%c%02d", sign, digits[0], count > 1 ? "." : "",
                        digits + 1, point > 0 ? '+' : '-', abs(point - 1));
    else if (point <= 0)
        size = snprintf(text, KS__JSON_DOUBLE_SIZE, "%s0.%.*s%s", sign, -point, "000", digits);
    else if (point >= count)
        size = snprintf(text, KS__JSON_DOUBLE_SIZE, "%s%s%.*s.0", sign, digits, point - count, "0000000000000000");
    else
        size = snprintf(text, KS__JSON_DOUBLE_SIZE, "%s%.*s.%s", sign, point, digits, digits + point);
    return (size_t)size;
}

size_t ks__json_double_text(char text[KS__JSON_DOUBLE_SIZE], double number) {
    if (isnan(number))
        return (size_t)snprintf(text, KS__JSON_DOUBLE_SIZE, "NaN");
    if (isinf(number))
        return (size_t)snprintf(text, KS__JSON_DOUBLE_SIZE, number < 0 ? "-Infinity" : "Infinity");
    if (number == 0)
        return (size_t)snprintf(text, KS__JSON_DOUBLE_SIZE, signbit(number) ? "-0.0" : "0.0");
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = uselocale(c_locale);
    decimal digits = shortest(fabs(number), c_locale);
    uselocale(before);
    freelocale(c_locale);
    return lay_out(text, &digits, number < 0);
}
