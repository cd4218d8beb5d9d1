// SPDX-License-Identifier: Apache-2.0
#ifndef KASSAY_CLI_NPZ_INPUTS_H
#define KASSAY_CLI_NPZ_INPUTS_H

#include <kassay/model.h>
#include <kassay/npz.h>
#include <kassay/source.h>

#define KS_MAX_PORTS 256

/// `input.0`, `input.1`, … of an npz; the tensors live as long as it is open.
typedef struct ks_inputs {
    ks_context context;
    ks_source *source;
    ks_npz *npz;
    ks_tensor tensors[KS_MAX_PORTS];
    size_t count;
} ks_inputs;

/// Reads the inputs of the model; another `input.N` is an error (model-inputs), arrays of other names may be there.
/// "-" is standard input. On failure the context's error says why.
ks_code ks_inputs_open(ks_inputs *out, const char *path, const ks_model *model);
void ks_inputs_close(ks_inputs *inputs);

#endif
