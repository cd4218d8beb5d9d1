// SPDX-License-Identifier: Apache-2.0
//
// What the registry knows, as JSON: the source of `kassay layers`, of the support table and of the fuzz dictionaries.
#include <kassay/json_writer.h>
#include <kassay/model.h>

#include "schema/class.h"

static const char *key_type_name(ks_key_type type) {
    static const char *const names[] = {
        [KS_KEY_BOOL] = "bool",
        [KS_KEY_INT] = "int",
        [KS_KEY_FLOAT] = "float",
        [KS_KEY_TEXT] = "string",
        [KS_KEY_CHOICE] = "choice",
        [KS_KEY_INTS] = "ints",
        [KS_KEY_PAIRS] = "pairs",
        [KS_KEY_NUMBERS] = "numbers",
        [KS_KEY_SHAPE] = "shape",
        [KS_KEY_ACTIVATION] = "activation",
        [KS_KEY_INITIALIZER] = "initializer",
        [KS_KEY_REGULARIZER] = "regularizer",
        [KS_KEY_CONSTRAINT] = "constraint",
        [KS_KEY_LAYER] = "layer",
        [KS_KEY_LAYERS] = "layers",
        [KS_KEY_ANY] = "any",
    };
    return names[type];
}

static void put_key_row(ks_json_writer *w, const ks_key *key) {
    ks_json_put_key(w, key->name);
    ks_json_begin_object(w);
    ks_json_put_key(w, "type");
    ks_json_put_string(w, key_type_name(key->type));
    ks_json_put_key(w, "required");
    ks_json_put_bool(w, key->flags & KS_REQUIRED);
    ks_json_put_key(w, "nullable");
    ks_json_put_bool(w, key->flags & KS_NULLABLE);
    ks_json_put_key(w, "numeric");
    ks_json_put_bool(w, key->flags & KS_NUMERIC);
    ks_json_put_key(w, "default");
    ks_json_put_string(w, key->otherwise);
    if (key->type == KS_KEY_CHOICE) {
        ks_json_put_key(w, "choices");
        ks_json_begin_list(w);
        for (int i = 0; key->choices[i]; i++)
            ks_json_put_string(w, key->choices[i]);
        ks_json_end_list(w);
    }
    if (key->since) {
        ks_json_put_key(w, "since");
        ks_json_put_string(w, key->since);
    }
    ks_json_end_object(w);
}

static void put_class(ks_json_writer *w, const ks_class *row) {
    ks_json_begin_object(w);
    ks_json_put_key(w, "class");
    ks_json_put_string(w, row->name);
    ks_json_put_key(w, "module");
    ks_json_put_string(w, row->module);
    ks_json_put_key(w, "kind");
    ks_json_put_string(w, ks_kind_name(row->kind));
    ks_json_put_key(w, "status");
    ks_json_put_string(w, row->unsafe ? "unsafe" : row->unsupported ? "unsupported" : "supported");
    ks_json_put_key(w, "reason");
    ks_json_put_string(w, row->unsafe ? row->unsafe : row->unsupported);
    ks_json_put_key(w, "keys");
    ks_json_begin_object(w);
    for (size_t i = 0; i < row->n_keys; i++)
        put_key_row(w, &row->keys[i]);
    ks_json_end_object(w);
    ks_json_end_object(w);
}

ks_code ks_layers_json(ks_text *out, ks_context *context) {
    ks_json_writer writer;
    ks_json_writer_init(&writer, context, (ks_json_style){1, true});
    ks_json_begin_object(&writer);
    ks_json_put_key(&writer, "layers");
    ks_json_begin_list(&writer);
    for (const ks_class *const *row = ks_classes(); *row; row++)
        put_class(&writer, *row);
    ks_json_end_list(&writer);
    ks_json_end_object(&writer);
    return ks_json_writer_finish(out, &writer);
}
