// SPDX-License-Identifier: Apache-2.0
//
// What every fuzz target asserts besides not crashing: the memory budget of a load, and that nothing is left behind.
#ifndef KASSAY_FUZZ_COMMON_H
#define KASSAY_FUZZ_COMMON_H

#include <kassay/context.h>
#include <kassay/text.h>

/// Ends the program, loudly, when `condition` is false: the input is a finding.
#define ks_fuzz_assert(condition) ((condition) ? (void)0 : ks_fuzz_fail(#condition, __FILE__, __LINE__, NULL))
/// The same, with the context's error record in the message.
#define ks_fuzz_assert_with(context, condition)                                                                        \
    ((condition) ? (void)0 : ks_fuzz_fail(#condition, __FILE__, __LINE__, (context)))

_Noreturn void ks_fuzz_fail(const char *condition, const char *file, int line, const ks_context *context);

/// A context with the default limits and the budget of a file of `size` bytes.
void ks_fuzz_begin(ks_context *context, size_t size);
/// Call when everything is freed: no allocation lives, the peak kept to 64 MiB + 4 bytes for each byte of the input,
/// and no failure was internal.
void ks_fuzz_end(const ks_context *context, size_t size);
/// A verdict and its error record belong together: a failure is recorded with the code that was returned, a place that
/// ends, and an offset inside the input when `size` is not SIZE_MAX; a success leaves the record empty.
void ks_fuzz_check_error(const ks_context *context, ks_code code, size_t size);

#endif
