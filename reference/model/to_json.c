// SPDX-License-Identifier: Apache-2.0
//
// model.to_json(): Keras 3's record of the whole model.
#include "model/model_internal.h"

ks_code ks__model_record(ks_text *out, ks_model *m, const ks_write_options *options) {
    ks_json_writer writer;
    ks_code code;
    *out = (ks_text){NULL, 0};
    ks_json_writer_init(&writer, m->context, (ks_json_style){0, true});
    code = ks_config_write(&writer, m->root, options);
    if (code != KS_OK) {
        ks_json_writer_fini(&writer);
        return code;
    }
    return ks_json_writer_finish(out, &writer);
}

ks_code ks_model_to_json(ks_text *out, ks_model *m) {
    return ks__model_record(out, m, NULL);
}
