// SPDX-License-Identifier: Apache-2.0
#include "cli/npz_inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// Read, not mapped: the arrays are used while the model runs, where nothing guards against a file that shrinks.
static ks_code read_file(ks_inputs *out, const char *path) {
    int descriptor = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    ks_code code;
    if (descriptor < 0)
        return ks_fail(&out->context, KS_E_IO, KS_STAGE_FILE, KS_NO_OFFSET, path, "cannot be opened: %s",
                       strerror(errno));
    code = ks_source_read(&out->source, &out->context, descriptor);
    close(descriptor);
    return code;
}

ks_code ks_inputs_open(ks_inputs *out, const char *path, const ks_model *model) {
    char name[32];
    ks_code code;
    memset(out, 0, sizeof(*out));
    ks_context_init(&out->context, NULL);
    KS_TRY(read_file(out, path));
    KS_TRY(ks_npz_open(&out->npz, &out->context, ks_source_bytes(out->source)));
    out->count = ks_model_input_count(model);
    if (out->count > KS_MAX_PORTS)
        return ks_fail(&out->context, KS_E_OVER_COUNT, KS_STAGE_RUN, KS_NO_OFFSET, path, "the model has %zu inputs",
                       out->count);
    for (size_t i = 0; i < out->count; i++) {
        snprintf(name, sizeof(name), "input.%zu", i);
        KS_TRY(ks_npz_get(&out->tensors[i], out->npz, name));
    }
    // An input left over means inputs of another model, of which the first may fit by chance. Keras 2.0 to 2.3 saves a
    // model without the inputs that no output needs.
    snprintf(name, sizeof(name), "input.%zu", out->count);
    if (ks_npz_has(out->npz, name))
        return ks_fail(&out->context, KS_E_MODEL_INPUTS, KS_STAGE_RUN, KS_NO_OFFSET, name,
                       "expected %zu inputs, found more", out->count);
done:
    return code;
}

void ks_inputs_close(ks_inputs *inputs) {
    ks_npz_close(inputs->npz);
    ks_source_close(inputs->source);
}
