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

// What each of them has.
#define LOSS_KEYS(loss_name)                                                                                           \
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, loss_name), KS_ROW_LOOSE(reduction, TEXT, 0, "\"sum_over_batch_size\"")

static const ks_key binary_crossentropy_keys[] = {
    LOSS_KEYS("\"binary_crossentropy\""),
    KS_ROW_LOOSE(from_logits, BOOL, 0, "false"),
    KS_ROW_LOOSE(label_smoothing, FLOAT, 0, "0.0"),
    KS_ROW_LOOSE(axis, INT, 0, "-1"),
};

LOSS(LossBinaryCrossentropy, "BinaryCrossentropy", binary_crossentropy_keys);

static const ks_key binary_focal_crossentropy_keys[] = {
    LOSS_KEYS("\"binary_focal_crossentropy\""),
    KS_ROW_LOOSE(from_logits, BOOL, 0, "false"),
    KS_ROW_LOOSE(label_smoothing, FLOAT, 0, "0.0"),
    KS_ROW_LOOSE(axis, INT, 0, "-1"),
    KS_ROW_LOOSE(apply_class_balancing, BOOL, 0, "false"),
    KS_ROW_LOOSE(alpha, FLOAT, 0, "0.25"),
    KS_ROW_LOOSE(gamma, FLOAT, 0, "2.0"),
};

LOSS(LossBinaryFocalCrossentropy, "BinaryFocalCrossentropy", binary_focal_crossentropy_keys);

static const ks_key ctc_keys[] = {
    LOSS_KEYS("\"ctc\""),
};

LOSS(LossCTC, "CTC", ctc_keys);

static const ks_key categorical_crossentropy_keys[] = {
    LOSS_KEYS("\"categorical_crossentropy\""),
    KS_ROW_LOOSE(from_logits, BOOL, 0, "false"),
    KS_ROW_LOOSE(label_smoothing, FLOAT, 0, "0.0"),
    KS_ROW_LOOSE(axis, INT, 0, "-1"),
};

LOSS(LossCategoricalCrossentropy, "CategoricalCrossentropy", categorical_crossentropy_keys);

static const ks_key categorical_focal_crossentropy_keys[] = {
    LOSS_KEYS("\"categorical_focal_crossentropy\""), KS_ROW_LOOSE(from_logits, BOOL, 0, "false"),
    KS_ROW_LOOSE(label_smoothing, FLOAT, 0, "0.0"),  KS_ROW_LOOSE(axis, INT, 0, "-1"),
    KS_ROW_LOOSE(alpha, FLOAT, 0, "0.25"),           KS_ROW_LOOSE(gamma, FLOAT, 0, "2.0"),
};

LOSS(LossCategoricalFocalCrossentropy, "CategoricalFocalCrossentropy", categorical_focal_crossentropy_keys);

static const ks_key categorical_generalized_cross_entropy_keys[] = {
    LOSS_KEYS("\"categorical_generalized_cross_entropy\""),
    KS_ROW_LOOSE(q, FLOAT, 0, "0.5"),
};

LOSS(LossCategoricalGeneralizedCrossEntropy, "CategoricalGeneralizedCrossEntropy",
     categorical_generalized_cross_entropy_keys);

static const ks_key categorical_hinge_keys[] = {
    LOSS_KEYS("\"categorical_hinge\""),
};

LOSS(LossCategoricalHinge, "CategoricalHinge", categorical_hinge_keys);

static const ks_key circle_keys[] = {
    LOSS_KEYS("\"circle\""),
    KS_ROW_LOOSE(gamma, FLOAT, 0, "80.0"),
    KS_ROW_LOOSE(margin, FLOAT, 0, "0.4"),
    KS_ROW_LOOSE(remove_diagonal, BOOL, 0, "true"),
};

LOSS(LossCircle, "Circle", circle_keys);

static const ks_key cosine_similarity_keys[] = {
    LOSS_KEYS("\"cosine_similarity\""),
    KS_ROW_LOOSE(axis, INT, KS_OLD, "-1"),
};

LOSS(LossCosineSimilarity, "CosineSimilarity", cosine_similarity_keys);

static const ks_key dice_keys[] = {
    LOSS_KEYS("\"dice\""),
    KS_ROW_LOOSE(axis, ANY, KS_NULLABLE, "null"),
};

LOSS(LossDice, "Dice", dice_keys);

static const ks_key hinge_keys[] = {
    LOSS_KEYS("\"hinge\""),
};

LOSS(LossHinge, "Hinge", hinge_keys);

static const ks_key huber_keys[] = {
    LOSS_KEYS("\"huber_loss\""),
    KS_ROW_LOOSE(delta, FLOAT, KS_OLD, "1.0"),
};

LOSS(LossHuber, "Huber", huber_keys);

static const ks_key kl_divergence_keys[] = {
    LOSS_KEYS("\"kl_divergence\""),
};

LOSS(LossKLDivergence, "KLDivergence", kl_divergence_keys);

static const ks_key log_cosh_keys[] = {
    LOSS_KEYS("\"log_cosh\""),
};

LOSS(LossLogCosh, "LogCosh", log_cosh_keys);

static const ks_key loss_keys[] = {
    LOSS_KEYS("\"loss\""),
};

const ks_class ks_class_LossBase = {
    .name = "Loss",
    .module = "keras",
    .kind = KS_KIND_LOSS,
    KS_KEYS(loss_keys),
};

static const ks_key mean_absolute_error_keys[] = {
    LOSS_KEYS("\"mean_absolute_error\""),
};

LOSS(LossMeanAbsoluteError, "MeanAbsoluteError", mean_absolute_error_keys);

static const ks_key mean_absolute_percentage_error_keys[] = {
    LOSS_KEYS("\"mean_absolute_percentage_error\""),
};

LOSS(LossMeanAbsolutePercentageError, "MeanAbsolutePercentageError", mean_absolute_percentage_error_keys);

static const ks_key mean_squared_error_keys[] = {
    LOSS_KEYS("\"mean_squared_error\""),
};

LOSS(LossMeanSquaredError, "MeanSquaredError", mean_squared_error_keys);

static const ks_key mean_squared_logarithmic_error_keys[] = {
    LOSS_KEYS("\"mean_squared_logarithmic_error\""),
};

LOSS(LossMeanSquaredLogarithmicError, "MeanSquaredLogarithmicError", mean_squared_logarithmic_error_keys);

static const ks_key poisson_keys[] = {
    LOSS_KEYS("\"poisson\""),
};

LOSS(LossPoisson, "Poisson", poisson_keys);

static const ks_key sparse_categorical_crossentropy_keys[] = {
    LOSS_KEYS("\"sparse_categorical_crossentropy\""),
    KS_ROW_LOOSE(from_logits, BOOL, 0, "false"),
    KS_ROW_LOOSE(ignore_class, INT, KS_NULLABLE, "null"),
};

LOSS(LossSparseCategoricalCrossentropy, "SparseCategoricalCrossentropy", sparse_categorical_crossentropy_keys);

static const ks_key squared_hinge_keys[] = {
    LOSS_KEYS("\"squared_hinge\""),
};

LOSS(LossSquaredHinge, "SquaredHinge", squared_hinge_keys);

static const ks_key tversky_keys[] = {
    LOSS_KEYS("\"tversky\""),
    KS_ROW_LOOSE(alpha, FLOAT, 0, "0.5"),
    KS_ROW_LOOSE(beta, FLOAT, 0, "0.5"),
    KS_ROW_LOOSE(axis, ANY, KS_NULLABLE, "null"),
};

LOSS(LossTversky, "Tversky", tversky_keys);
