// SPDX-License-Identifier: Apache-2.0
//
// What both JSON readers share: the document that owns the values.
#ifndef KASSAY_DOCUMENT_JSON_INTERNAL_H
#define KASSAY_DOCUMENT_JSON_INTERNAL_H

#include "base/arena.h"
#include <kassay/json.h>

struct ks_json {
    ks_context *context;
    ks_arena arena; ///< all values and text
    ks_value root;
};

#endif
