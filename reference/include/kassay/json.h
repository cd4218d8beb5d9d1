// SPDX-License-Identifier: Apache-2.0
//
// JSON documents as Python's json.loads reads them from bytes. The strict reader is our own; the other stands on cJSON
// (in a module loaded on first use).
#ifndef KASSAY_JSON_H
#define KASSAY_JSON_H

#include <kassay/archive.h>
#include <kassay/context.h>
#include <kassay/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ks_json ks_json;

/// Parses one document and copies what it needs: `bytes` may go away.
ks_code ks_json_parse(ks_json **out, ks_context *context, ks_bytes bytes, ks_road road);
void ks_json_free(ks_json *json); ///< NULL is allowed
/// The document's value; lives as long as the document.
const ks_value *ks_json_root(const ks_json *json);

/// How ks_json_write lays a value out.
typedef struct ks_json_style {
    int indent; ///< spaces per level; 0: one line with Python's default separators ", " and ": "
    bool ascii; ///< escape everything outside ASCII, as json.dumps does by default
} ks_json_style;

/// Text of a value as Python's json.dumps gives it (numbers as written in the source). The result is allocated from
/// `context`; free it with ks_free.
ks_code ks_json_write(ks_text *out, ks_context *context, const ks_value *value, ks_json_style style);

#ifdef __cplusplus
}
#endif
#endif
