// SPDX-License-Identifier: Apache-2.0
#include "runner/road_differences.h"

static const ks_road_difference differences[] = {
#define KS_ROAD_DIFFERENCE(symbol, name, family, input, strict, library, reason, test)                                 \
    {KS_DIFFERENCE_##symbol, name, KS_ROADS_##family, input, strict, library, reason, #test},
#include "runner/road_differences.def"
#undef KS_ROAD_DIFFERENCE
};

const ks_road_difference *ks_road_difference_row(ks_road_difference_id id) {
    return &differences[id];
}

const char *ks_road_family_name(ks_road_family family) {
    static const char *const names[] = {"archive", "hdf5", "json"};
    return names[family];
}
