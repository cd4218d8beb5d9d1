// SPDX-License-Identifier: Apache-2.0
#include "cli/npz_weights.h"

#include <stdio.h>
#include <string.h>

#include <kassay/npz.h>
#include <kassay/source.h>

ks_code ks_weights_write(ks_context *context, ks_model *model, const char *path) {
    size_t count = ks_model_weight_count(model);
    ks_npz_entry *entries = ks_allocate(context, count + 1, sizeof(*entries));
    ks_text *names = ks_allocate(context, count + 1, sizeof(*names));
    char(*labels)[32] = ks_allocate(context, count + 1, sizeof(*labels));
    ks_code code = context->error.code;
    for (size_t i = 0; code == KS_OK && i < count; i++) {
        ks_model_weight weight = ks_model_weight_at(model, i);
        snprintf(labels[i], sizeof(labels[i]), "weight.%zu", i);
        entries[i] = (ks_npz_entry){labels[i], weight.tensor};
        names[i] = ks_text_from(weight.path);
        if (!weight.tensor.data && weight.tensor.size)
            code = ks_fail(context, KS_E_WEIGHTS_MISSING, KS_STAGE_WEIGHTS, KS_NO_OFFSET, weight.path,
                           "the file has an architecture and no weights");
    }
    if (code == KS_OK) {
        ks_shape shape = {1, {(int64_t)count}};
        entries[count] = (ks_npz_entry){"names", {KS_STRING, shape, names, count * sizeof(*names)}};
        code = ks_npz_write(context, path, entries, count + 1);
    }
    ks_free(context, entries);
    ks_free(context, names);
    ks_free(context, labels);
    return code;
}

static ks_code set_weights(ks_context *context, ks_model *model, ks_npz *npz) {
    size_t count = 0;
    ks_tensor *values;
    char name[32];
    ks_code code = KS_OK;
    for (size_t i = 0; i < ks_npz_count(npz); i++)
        count += strncmp(ks_npz_name(npz, i), "weight.", 7) == 0;
    values = ks_allocate(context, count + 1, sizeof(*values));
    if (!values)
        return context->error.code;
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "weight.%zu", i);
        KS_TRY(ks_npz_get(&values[i], npz, name));
    }
    KS_TRY(ks_model_set_weights(model, values, count));
done:
    ks_free(context, values);
    return code;
}

ks_code ks_weights_read(ks_context *context, ks_model *model, const char *path) {
    uint64_t limit = context->memory.limit;
    ks_source *source = NULL;
    ks_npz *npz = NULL;
    ks_code code;
    // Read, not mapped: the arrays are used where nothing guards against a file that shrinks.
    code = ks_source_open_copy(&source, context, path);
    context->memory.limit += limit; // both files count
    if (code != KS_OK)
        goto done;
    KS_TRY(ks_npz_open(&npz, context, ks_source_bytes(source)));
    KS_TRY(set_weights(context, model, npz));
done:
    ks_npz_close(npz);
    ks_source_close(source);
    return code;
}
