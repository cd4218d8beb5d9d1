// SPDX-License-Identifier: Apache-2.0
//
// What the comparisons of the three families share.
#ifndef KASSAY_HARNESS_RUNNER_ROAD_COMPARE_INTERNAL_H
#define KASSAY_HARNESS_RUNNER_ROAD_COMPARE_INTERNAL_H

#include "runner/road_compare.h"

#include <kassay/archive.h>

typedef struct ks__comparison {
    ks_roads_result *result;
    ks_roads_options options;
    ks_context *context; ///< the caller's: memory of the comparison itself
    ks_context strict;   ///< of the strict road
    ks_context library;  ///< of the library road in this process
    ks_bytes bytes;
    ks_road_family family;
    char place[256]; ///< of what is being compared
    size_t place_size;
} ks__comparison;

/// Opens `bytes` with one road and reads all there is. The error is in `context`.
typedef ks_code ks__walk(ks_context *context, ks_bytes bytes, ks_road road);

void ks__comparison_begin(ks__comparison *self, ks_roads_result *out, ks_context *context,
                          const ks_roads_options *options, ks_road_family family, ks_bytes bytes);
/// Lets the library road walk what the strict road refused, in a child, and judges the answer.
ks_code ks__comparison_refused(ks__comparison *self, ks__walk *walk);
/// Checks that both roads gave all memory back, and sets the outcome.
void ks__comparison_end(ks__comparison *self);

/// The two roads differ here as a row says.
void ks__comparison_listed(ks__comparison *self, ks_road_difference_id id);
/// The two roads differ here, and no row says so. Only the first call counts.
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void
ks__comparison_differ(ks__comparison *self, const char *format, ...);
bool ks__comparison_failed(const ks__comparison *self);

/// Adds a step to the place; ks__comparison_leave takes it away again.
size_t ks__comparison_enter(ks__comparison *self, const char *separator, ks_text step);
void ks__comparison_leave(ks__comparison *self, size_t mark);

/// Compares two runs of bytes and names the first byte that differs.
void ks__comparison_bytes(ks__comparison *self, const char *what, ks_bytes strict, ks_bytes library);

/// The row for an input that the strict road refused with this record and the library road answered so; NULL when there
/// is none. `accepted` is false when the library road crashed or hung.
const ks_road_difference *ks__refused_row(ks_road_family family, const ks_error *strict, ks_bytes bytes, bool accepted);

#endif
