// SPDX-License-Identifier: Apache-2.0
//
// The JSON interface: chooses the reader.
#include "document/json_internal.h"

#include <kassay/library_road.h>

ks_code ks_json_parse(ks_json **out, ks_context *context, ks_bytes bytes, ks_road road) {
    *out = NULL;
    if (road == KS_ROAD_STRICT)
        return ks__json_parse_strict(out, context, bytes);
    const ks_library_road *library = ks_library_road_get(context);
    return library ? library->json_parse(out, context, bytes) : context->error.code;
}

void ks_json_free(ks_json *json) {
    if (!json)
        return;
    ks_context *context = json->context;
    ks_arena_fini(&json->arena);
    ks_free(context, json);
}

const ks_value *ks_json_root(const ks_json *json) {
    return &json->root;
}
