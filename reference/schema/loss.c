// SPDX-License-Identifier: Apache-2.0
//
// Losses: what compile() may name. Described only: training is not here yet. Source of the keys: Keras 3
// losses/{loss,losses}.py.
#include "schema/key_row.h"

#define LOSS(symbol, class_name, key_table)                                                                            \
    const ks_class ks_class_##symbol = {                                                                               \
        .name = class_name,                                                                                            \
        .module = "keras.losses",                                                                                      \
        .kind = KS_KIND_LOSS,                                                                                          \
        KS_KEYS(key_table),                                                                                            \
    }

static const ks_key binary_crossentropy_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"binary_crossentropy\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
    KS_ROW_LOOSE(from_logits, BOOL, 0, "false"),
    KS_ROW_LOOSE(label_smoothing, FLOAT, 0, "0.0"),
    KS_ROW_LOOSE(axis, INT, 0, "-1"),
};

LOSS(LossBinaryCrossentropy, "BinaryCrossentropy", binary_crossentropy_keys);

static const ks_key binary_focal_crossentropy_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"binary_focal_crossentropy\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
    KS_ROW_LOOSE(from_logits, BOOL, 0, "false"),
    KS_ROW_LOOSE(label_smoothing, FLOAT, 0, "0.0"),
    KS_ROW_LOOSE(axis, INT, 0, "-1"),
    KS_ROW_LOOSE(apply_class_balancing, BOOL, 0, "false"),
    KS_ROW_LOOSE(alpha, FLOAT, 0, "0.25"),
    KS_ROW_LOOSE(gamma, FLOAT, 0, "2.0"),
};

LOSS(LossBinaryFocalCrossentropy, "BinaryFocalCrossentropy", binary_focal_crossentropy_keys);

static const ks_key ctc_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"ctc\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
};

LOSS(LossCTC, "CTC", ctc_keys);

static const ks_key categorical_crossentropy_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"categorical_crossentropy\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
    KS_ROW_LOOSE(from_logits, BOOL, 0, "false"),
    KS_ROW_LOOSE(label_smoothing, FLOAT, 0, "0.0"),
    KS_ROW_LOOSE(axis, INT, 0, "-1"),
};

LOSS(LossCategoricalCrossentropy, "CategoricalCrossentropy", categorical_crossentropy_keys);

static const ks_key categorical_focal_crossentropy_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"categorical_focal_crossentropy\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
    KS_ROW_LOOSE(from_logits, BOOL, 0, "false"),
    KS_ROW_LOOSE(label_smoothing, FLOAT, 0, "0.0"),
    KS_ROW_LOOSE(axis, INT, 0, "-1"),
    KS_ROW_LOOSE(alpha, FLOAT, 0, "0.25"),
    KS_ROW_LOOSE(gamma, FLOAT, 0, "2.0"),
};

LOSS(LossCategoricalFocalCrossentropy, "CategoricalFocalCrossentropy", categorical_focal_crossentropy_keys);

static const ks_key categorical_generalized_cross_entropy_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"categorical_generalized_cross_entropy\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
    KS_ROW_LOOSE(q, FLOAT, 0, "0.5"),
};

LOSS(LossCategoricalGeneralizedCrossEntropy, "CategoricalGeneralizedCrossEntropy",
     categorical_generalized_cross_entropy_keys);

static const ks_key categorical_hinge_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"categorical_hinge\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
};

LOSS(LossCategoricalHinge, "CategoricalHinge", categorical_hinge_keys);

static const ks_key circle_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"circle\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
    KS_ROW_LOOSE(gamma, FLOAT, 0, "80.0"),
    KS_ROW_LOOSE(margin, FLOAT, 0, "0.4"),
    KS_ROW_LOOSE(remove_diagonal, BOOL, 0, "true"),
};

LOSS(LossCircle, "Circle", circle_keys);

static const ks_key cosine_similarity_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"cosine_similarity\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
};

LOSS(LossCosineSimilarity, "CosineSimilarity", cosine_similarity_keys);

static const ks_key dice_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"dice\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
    KS_ROW_LOOSE(axis, ANY, KS_NULLABLE, "null"),
};

LOSS(LossDice, "Dice", dice_keys);

static const ks_key hinge_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"hinge\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
};

LOSS(LossHinge, "Hinge", hinge_keys);

static const ks_key huber_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"huber_loss\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
};

LOSS(LossHuber, "Huber", huber_keys);

static const ks_key kl_divergence_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"kl_divergence\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
};

LOSS(LossKLDivergence, "KLDivergence", kl_divergence_keys);

static const ks_key log_cosh_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"log_cosh\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
};

LOSS(LossLogCosh, "LogCosh", log_cosh_keys);

static const ks_key loss_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"loss\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
};

const ks_class ks_class_LossBase = {
    .name = "Loss",
    .module = "keras",
    .kind = KS_KIND_LOSS,
    KS_KEYS(loss_keys),
};

static const ks_key mean_absolute_error_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"mean_absolute_error\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
};

LOSS(LossMeanAbsoluteError, "MeanAbsoluteError", mean_absolute_error_keys);

static const ks_key mean_absolute_percentage_error_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"mean_absolute_percentage_error\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
};

LOSS(LossMeanAbsolutePercentageError, "MeanAbsolutePercentageError", mean_absolute_percentage_error_keys);

static const ks_key mean_squared_error_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"mean_squared_error\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
};

LOSS(LossMeanSquaredError, "MeanSquaredError", mean_squared_error_keys);

static const ks_key mean_squared_logarithmic_error_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"mean_squared_logarithmic_error\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
};

LOSS(LossMeanSquaredLogarithmicError, "MeanSquaredLogarithmicError", mean_squared_logarithmic_error_keys);

static const ks_key poisson_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"poisson\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
};

LOSS(LossPoisson, "Poisson", poisson_keys);

static const ks_key sparse_categorical_crossentropy_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"sparse_categorical_crossentropy\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
    KS_ROW_LOOSE(from_logits, BOOL, 0, "false"),
    KS_ROW_LOOSE(ignore_class, INT, KS_NULLABLE, "null"),
};

LOSS(LossSparseCategoricalCrossentropy, "SparseCategoricalCrossentropy", sparse_categorical_crossentropy_keys);

static const ks_key squared_hinge_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"squared_hinge\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
};

LOSS(LossSquaredHinge, "SquaredHinge", squared_hinge_keys);

static const ks_key tversky_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"tversky\""),
    KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\""),
    KS_ROW_LOOSE(alpha, FLOAT, 0, "0.5"),
    KS_ROW_LOOSE(beta, FLOAT, 0, "0.5"),
    KS_ROW_LOOSE(axis, ANY, KS_NULLABLE, "null"),
};

LOSS(LossTversky, "Tversky", tversky_keys);
