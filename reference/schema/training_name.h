// SPDX-License-Identifier: Apache-2.0
//
// The names by which compile() takes losses and metrics without a record: "mse", "KLD", "accuracy".
#ifndef KASSAY_SCHEMA_TRAINING_NAME_H
#define KASSAY_SCHEMA_TRAINING_NAME_H

#include <kassay/text.h>

/// Who knows a name, and as what.
enum { KS_LOSS3 = 1, KS_METRIC3 = 2, KS_LOSS2 = 4, KS_METRIC2 = 8 };

typedef struct ks_training_name {
    const char *name;
    unsigned known;       ///< KS_LOSS3 | … : by Keras 3.15.1, by tf_keras 2.21
    const char *function; ///< what it stands for: "mean_squared_error"; NULL: a class, or the model's output decides
} ks_training_name;

/// NULL when neither knows it.
const ks_training_name *ks_training_name_find(ks_text name);

#endif
