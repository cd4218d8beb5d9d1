// SPDX-License-Identifier: Apache-2.0
#ifndef KASSAY_CLI_NPZ_WEIGHTS_H
#define KASSAY_CLI_NPZ_WEIGHTS_H

#include <kassay/model.h>

/// All weights of the model as weight.0, weight.1, … and names; "-" is standard output.
ks_code ks_weights_write(ks_context *context, ks_model *model, const char *path);
/// Gives the model the values of such a file.
ks_code ks_weights_read(ks_context *context, ks_model *model, const char *path);

#endif
