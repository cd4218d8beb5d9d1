// SPDX-License-Identifier: Apache-2.0
//
// At inference these layers give their input back.
#include <string.h>

#include "layers/layer.h"

static ks_code forward_identity(ks_call *call, ks_object *object, ks_tree *out) {
    const ks_array *input = ks_call_input(call, object);
    memcpy(out->as.array->data, input->data, ks_array_elements(input) * ks_dtype_size(input->dtype));
    return KS_OK;
}

#define IDENTITY(class_name)                                                                                           \
    KS_FORWARD(class_name) {                                                                                           \
        (void)run;                                                                                                     \
        return forward_identity(call, object, out);                                                                    \
    }

IDENTITY(Dropout)
IDENTITY(AlphaDropout)
IDENTITY(GaussianDropout)
IDENTITY(GaussianNoise)
IDENTITY(SpatialDropout1D)
IDENTITY(SpatialDropout2D)
IDENTITY(SpatialDropout3D)
IDENTITY(ActivityRegularization)
