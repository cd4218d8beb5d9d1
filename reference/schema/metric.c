// SPDX-License-Identifier: Apache-2.0
//
// Metrics. Described only. Source of the keys: Keras 3 metrics/*.py.
#include "base/value_make.h"
#include "schema/key_row.h"

#define METRIC(symbol, class_name, key_table)                                                                          \
    const ks_class ks_class_##symbol = {                                                                               \
        .name = class_name,                                                                                            \
        .module = "keras.metrics",                                                                                     \
        .kind = KS_KIND_METRIC,                                                                                        \
        KS_KEYS(key_table),                                                                                            \
    }

// What each of them has.
#define METRIC_KEYS(metric_name, type)                                                                                 \
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, metric_name), KS_ROW_LOOSE(dtype, ANY, KS_NULLABLE, type)

static const ks_key auc_keys[] = {
    METRIC_KEYS("\"auc\"", "\"float32\""),
    KS_ROW_LOOSE(num_thresholds, INT, 0, "200"),
    KS_ROW_LOOSE(curve, TEXT, 0, "\"ROC\""),
    KS_ROW_LOOSE(summation_method, TEXT, 0, "\"interpolation\""),
    KS_ROW_LOOSE(multi_label, BOOL, 0, "false"),
    KS_ROW_LOOSE(num_labels, INT, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(label_weights, ANY, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(from_logits, BOOL, 0, "false"),
    KS_ROW_LOOSE(thresholds, ANY, KS_NULLABLE | KS_NOT_NULL, "null"),
};

// Thresholds of one's own have one beyond each end.
static bool auc_adjust(ks_value *config, ks_arena *arena, const ks_object *object) {
    const ks_value *thresholds = ks_value_get(config, "thresholds");
    ks_value *count = (ks_value *)(uintptr_t)ks_value_get(config, "num_thresholds"); // the config is being made here
    (void)arena;
    (void)object;
    if (thresholds && thresholds->type == KS_VALUE_LIST)
        *count = ks_value_int((int64_t)thresholds->as.list.count + 2);
    return true;
}

const ks_class ks_class_MetricAUC = {
    .name = "AUC",
    .module = "keras.metrics",
    .kind = KS_KIND_METRIC,
    KS_KEYS(auc_keys),
    .adjust = auc_adjust,
};

static const ks_key accuracy_keys[] = {
    METRIC_KEYS("\"accuracy\"", "\"float32\""),
};

METRIC(MetricAccuracy, "Accuracy", accuracy_keys);

static const ks_key binary_accuracy_keys[] = {
    METRIC_KEYS("\"binary_accuracy\"", "\"float32\""),
    KS_ROW_LOOSE(threshold, FLOAT, 0, "0.5"),
};

METRIC(MetricBinaryAccuracy, "BinaryAccuracy", binary_accuracy_keys);

static const ks_key binary_crossentropy_keys[] = {
    METRIC_KEYS("\"binary_crossentropy\"", "\"float32\""),
    KS_ROW_LOOSE(from_logits, BOOL, 0, "false"),
    KS_ROW_LOOSE(label_smoothing, FLOAT, 0, "0"),
};

METRIC(MetricBinaryCrossentropy, "BinaryCrossentropy", binary_crossentropy_keys);

static const ks_key binary_io_u_keys[] = {
    KS_ROW_LOOSE(target_class_ids, ANY, 0, "[0, 1]"),
    KS_ROW_LOOSE(threshold, FLOAT, 0, "0.5"),
    METRIC_KEYS("\"binary_io_u\"", "\"int64\""),
};

METRIC(MetricBinaryIoU, "BinaryIoU", binary_io_u_keys);

static const ks_key categorical_accuracy_keys[] = {
    METRIC_KEYS("\"categorical_accuracy\"", "\"float32\""),
};

METRIC(MetricCategoricalAccuracy, "CategoricalAccuracy", categorical_accuracy_keys);

static const ks_key categorical_crossentropy_keys[] = {
    METRIC_KEYS("\"categorical_crossentropy\"", "\"float32\""),
    KS_ROW_LOOSE(from_logits, BOOL, 0, "false"),
    KS_ROW_LOOSE(label_smoothing, FLOAT, 0, "0"),
    KS_ROW_LOOSE(axis, INT, 0, "-1"),
};

METRIC(MetricCategoricalCrossentropy, "CategoricalCrossentropy", categorical_crossentropy_keys);

static const ks_key categorical_hinge_keys[] = {
    METRIC_KEYS("\"categorical_hinge\"", "\"float32\""),
};

METRIC(MetricCategoricalHinge, "CategoricalHinge", categorical_hinge_keys);

static const ks_key concordance_correlation_keys[] = {
    METRIC_KEYS("\"concordance_correlation\"", "\"float32\""),
    KS_ROW_LOOSE(axis, INT, 0, "-1"),
};

METRIC(MetricConcordanceCorrelation, "ConcordanceCorrelation", concordance_correlation_keys);

static const ks_key cosine_similarity_keys[] = {
    METRIC_KEYS("\"cosine_similarity\"", "\"float32\""),
    KS_ROW_LOOSE(axis, INT, KS_OLD, "-1"),
};

METRIC(MetricCosineSimilarity, "CosineSimilarity", cosine_similarity_keys);

static const ks_key f1_score_keys[] = {
    METRIC_KEYS("\"f1_score\"", "\"float32\""),
    KS_ROW_LOOSE(average, TEXT, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(threshold, FLOAT, KS_NULLABLE, "null"),
};

METRIC(MetricF1Score, "F1Score", f1_score_keys);

static const ks_key f_beta_score_keys[] = {
    METRIC_KEYS("\"fbeta_score\"", "\"float32\""),
    KS_ROW_LOOSE(average, TEXT, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(beta, FLOAT, 0, "1.0"),
    KS_ROW_LOOSE(threshold, FLOAT, KS_NULLABLE, "null"),
};

METRIC(MetricFBetaScore, "FBetaScore", f_beta_score_keys);

static const ks_key false_negatives_keys[] = {
    METRIC_KEYS("\"false_negatives\"", "\"float32\""),
    KS_ROW_LOOSE(thresholds, ANY, KS_NULLABLE, "null"),
};

METRIC(MetricFalseNegatives, "FalseNegatives", false_negatives_keys);

static const ks_key false_positives_keys[] = {
    METRIC_KEYS("\"false_positives\"", "\"float32\""),
    KS_ROW_LOOSE(thresholds, ANY, KS_NULLABLE, "null"),
};

METRIC(MetricFalsePositives, "FalsePositives", false_positives_keys);

static const ks_key hinge_keys[] = {
    METRIC_KEYS("\"hinge\"", "\"float32\""),
};

METRIC(MetricHinge, "Hinge", hinge_keys);

static const ks_key io_u_keys[] = {
    METRIC_KEYS("\"io_u\"", "\"int64\""),
    KS_ROW_LOOSE(num_classes, INT, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(target_class_ids, ANY, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(ignore_class, INT, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(sparse_y_true, BOOL, 0, "true"),
    KS_ROW_LOOSE(sparse_y_pred, BOOL, 0, "true"),
    KS_ROW_LOOSE(axis, INT, 0, "-1"),
};

METRIC(MetricIoU, "IoU", io_u_keys);

static const ks_key kl_divergence_keys[] = {
    METRIC_KEYS("\"kl_divergence\"", "\"float32\""),
};

METRIC(MetricKLDivergence, "KLDivergence", kl_divergence_keys);

static const ks_key log_cosh_error_keys[] = {
    METRIC_KEYS("\"logcosh\"", "\"float32\""),
};

METRIC(MetricLogCoshError, "LogCoshError", log_cosh_error_keys);

static const ks_key mean_keys[] = {
    METRIC_KEYS("\"mean\"", "\"float32\""),
};

METRIC(MetricMean, "Mean", mean_keys);

static const ks_key mean_absolute_error_keys[] = {
    METRIC_KEYS("\"mean_absolute_error\"", "\"float32\""),
};

METRIC(MetricMeanAbsoluteError, "MeanAbsoluteError", mean_absolute_error_keys);

static const ks_key mean_absolute_percentage_error_keys[] = {
    METRIC_KEYS("\"mean_absolute_percentage_error\"", "\"float32\""),
};

METRIC(MetricMeanAbsolutePercentageError, "MeanAbsolutePercentageError", mean_absolute_percentage_error_keys);

static const ks_key mean_io_u_keys[] = {
    KS_ROW_LOOSE(num_classes, INT, KS_REQUIRED, NULL),    METRIC_KEYS("\"mean_io_u\"", "\"int64\""),
    KS_ROW_LOOSE(ignore_class, INT, KS_NULLABLE, "null"), KS_ROW_LOOSE(sparse_y_true, BOOL, 0, "true"),
    KS_ROW_LOOSE(sparse_y_pred, BOOL, 0, "true"),         KS_ROW_LOOSE(axis, INT, 0, "-1"),
};

METRIC(MetricMeanIoU, "MeanIoU", mean_io_u_keys);

static const ks_key mean_metric_wrapper_keys[] = {
    METRIC_KEYS("\"mean_metric_wrapper\"", "\"float32\""),
    KS_ROW_LOOSE(fn, ANY, KS_REQUIRED, NULL),
};

METRIC(MetricMeanMetricWrapper, "MeanMetricWrapper", mean_metric_wrapper_keys);

static const ks_key mean_squared_error_keys[] = {
    METRIC_KEYS("\"mean_squared_error\"", "\"float32\""),
};

METRIC(MetricMeanSquaredError, "MeanSquaredError", mean_squared_error_keys);

static const ks_key mean_squared_logarithmic_error_keys[] = {
    METRIC_KEYS("\"mean_squared_logarithmic_error\"", "\"float32\""),
};

METRIC(MetricMeanSquaredLogarithmicError, "MeanSquaredLogarithmicError", mean_squared_logarithmic_error_keys);

static const ks_key metric_keys[] = {
    METRIC_KEYS("\"metric\"", "\"float32\""),
};

const ks_class ks_class_MetricBase = {
    .name = "Metric",
    .module = "keras",
    .kind = KS_KIND_METRIC,
    KS_KEYS(metric_keys),
};

static const ks_key one_hot_io_u_keys[] = {
    KS_ROW_LOOSE(num_classes, INT, KS_REQUIRED, NULL), KS_ROW_LOOSE(target_class_ids, ANY, KS_REQUIRED, NULL),
    METRIC_KEYS("\"one_hot_io_u\"", "\"int64\""),      KS_ROW_LOOSE(ignore_class, INT, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(sparse_y_pred, BOOL, 0, "false"),     KS_ROW_LOOSE(axis, INT, 0, "-1"),
};

METRIC(MetricOneHotIoU, "OneHotIoU", one_hot_io_u_keys);

static const ks_key one_hot_mean_io_u_keys[] = {
    KS_ROW_LOOSE(num_classes, INT, KS_REQUIRED, NULL),  KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"one_hot_mean_io_u\""),
    KS_ROW_LOOSE(dtype, ANY, KS_NULLABLE, "\"int64\""), KS_ROW_LOOSE(ignore_class, INT, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(sparse_y_pred, BOOL, 0, "false"),      KS_ROW_LOOSE(axis, INT, 0, "-1"),
};

METRIC(MetricOneHotMeanIoU, "OneHotMeanIoU", one_hot_mean_io_u_keys);

static const ks_key pearson_correlation_keys[] = {
    METRIC_KEYS("\"pearson_correlation\"", "\"float32\""),
    KS_ROW_LOOSE(axis, INT, 0, "-1"),
};

METRIC(MetricPearsonCorrelation, "PearsonCorrelation", pearson_correlation_keys);

static const ks_key poisson_keys[] = {
    METRIC_KEYS("\"poisson\"", "\"float32\""),
};

METRIC(MetricPoisson, "Poisson", poisson_keys);

static const ks_key precision_keys[] = {
    METRIC_KEYS("\"precision\"", "\"float32\""),
    KS_ROW_LOOSE(thresholds, ANY, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(top_k, INT, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(class_id, INT, KS_NULLABLE, "null"),
};

METRIC(MetricPrecision, "Precision", precision_keys);

static const ks_key precision_at_recall_keys[] = {
    METRIC_KEYS("\"precision_at_recall\"", "\"float32\""),
    KS_ROW_LOOSE(class_id, INT, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(num_thresholds, INT, 0, "200"),
    KS_ROW_LOOSE(recall, FLOAT, KS_REQUIRED, NULL),
};

METRIC(MetricPrecisionAtRecall, "PrecisionAtRecall", precision_at_recall_keys);

static const ks_key r2_score_keys[] = {
    METRIC_KEYS("\"r2_score\"", "\"float32\""),
    KS_ROW_LOOSE(class_aggregation, TEXT, KS_NULLABLE, "\"uniform_average\""),
    KS_ROW_LOOSE(num_regressors, INT, 0, "0"),
};

METRIC(MetricR2Score, "R2Score", r2_score_keys);

static const ks_key recall_keys[] = {
    METRIC_KEYS("\"recall\"", "\"float32\""),
    KS_ROW_LOOSE(thresholds, ANY, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(top_k, INT, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(class_id, INT, KS_NULLABLE, "null"),
};

METRIC(MetricRecall, "Recall", recall_keys);

static const ks_key recall_at_precision_keys[] = {
    METRIC_KEYS("\"recall_at_precision\"", "\"float32\""),
    KS_ROW_LOOSE(class_id, INT, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(num_thresholds, INT, 0, "200"),
    KS_ROW_LOOSE(precision, FLOAT, KS_REQUIRED, NULL),
};

METRIC(MetricRecallAtPrecision, "RecallAtPrecision", recall_at_precision_keys);

static const ks_key root_mean_squared_error_keys[] = {
    METRIC_KEYS("\"root_mean_squared_error\"", "\"float32\""),
};

METRIC(MetricRootMeanSquaredError, "RootMeanSquaredError", root_mean_squared_error_keys);

static const ks_key sensitivity_at_specificity_keys[] = {
    METRIC_KEYS("\"sensitivity_at_specificity\"", "\"float32\""),
    KS_ROW_LOOSE(class_id, INT, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(num_thresholds, INT, 0, "200"),
    KS_ROW_LOOSE(specificity, FLOAT, KS_REQUIRED, NULL),
};

METRIC(MetricSensitivityAtSpecificity, "SensitivityAtSpecificity", sensitivity_at_specificity_keys);

static const ks_key sparse_categorical_accuracy_keys[] = {
    METRIC_KEYS("\"sparse_categorical_accuracy\"", "\"float32\""),
};

METRIC(MetricSparseCategoricalAccuracy, "SparseCategoricalAccuracy", sparse_categorical_accuracy_keys);

static const ks_key sparse_categorical_crossentropy_keys[] = {
    METRIC_KEYS("\"sparse_categorical_crossentropy\"", "\"float32\""),
    KS_ROW_LOOSE(from_logits, BOOL, 0, "false"),
    KS_ROW_LOOSE(ignore_class, INT, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(axis, INT, 0, "-1"),
};

METRIC(MetricSparseCategoricalCrossentropy, "SparseCategoricalCrossentropy", sparse_categorical_crossentropy_keys);

static const ks_key sparse_top_k_categorical_accuracy_keys[] = {
    METRIC_KEYS("\"sparse_top_k_categorical_accuracy\"", "\"float32\""),
    KS_ROW_LOOSE(k, INT, 0, "5"),
    KS_ROW_LOOSE(from_sorted_ids, BOOL, KS_NULLABLE | KS_NOT_NULL, "null"),
};

METRIC(MetricSparseTopKCategoricalAccuracy, "SparseTopKCategoricalAccuracy", sparse_top_k_categorical_accuracy_keys);

static const ks_key specificity_at_sensitivity_keys[] = {
    METRIC_KEYS("\"specificity_at_sensitivity\"", "\"float32\""),
    KS_ROW_LOOSE(class_id, INT, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(num_thresholds, INT, 0, "200"),
    KS_ROW_LOOSE(sensitivity, FLOAT, KS_REQUIRED, NULL),
};

METRIC(MetricSpecificityAtSensitivity, "SpecificityAtSensitivity", specificity_at_sensitivity_keys);

static const ks_key squared_hinge_keys[] = {
    METRIC_KEYS("\"squared_hinge\"", "\"float32\""),
};

METRIC(MetricSquaredHinge, "SquaredHinge", squared_hinge_keys);

static const ks_key sum_keys[] = {
    METRIC_KEYS("\"sum\"", "\"float32\""),
};

METRIC(MetricSum, "Sum", sum_keys);

static const ks_key top_k_categorical_accuracy_keys[] = {
    METRIC_KEYS("\"top_k_categorical_accuracy\"", "\"float32\""),
    KS_ROW_LOOSE(k, INT, 0, "5"),
};

METRIC(MetricTopKCategoricalAccuracy, "TopKCategoricalAccuracy", top_k_categorical_accuracy_keys);

static const ks_key true_negatives_keys[] = {
    METRIC_KEYS("\"true_negatives\"", "\"float32\""),
    KS_ROW_LOOSE(thresholds, ANY, KS_NULLABLE, "null"),
};

METRIC(MetricTrueNegatives, "TrueNegatives", true_negatives_keys);

static const ks_key true_positives_keys[] = {
    METRIC_KEYS("\"true_positives\"", "\"float32\""),
    KS_ROW_LOOSE(thresholds, ANY, KS_NULLABLE, "null"),
};

METRIC(MetricTruePositives, "TruePositives", true_positives_keys);

// --- of Keras 2 only ------------------------------------------------------------------------------------------------

#define OLD_METRIC(symbol, class_name, key_table)                                                                      \
    const ks_class ks_class_##symbol = {                                                                               \
        .name = class_name,                                                                                            \
        .module = "keras2.metrics",                                                                                    \
        .kind = KS_KIND_METRIC,                                                                                        \
        KS_KEYS(key_table),                                                                                            \
    }

static const ks_key mean_tensor_keys[] = {
    METRIC_KEYS("\"mean_tensor\"", "\"float32\""),
    KS_ROW_LOOSE(shape, ANY, KS_NULLABLE | KS_NOT_NULL, "null"),
};

OLD_METRIC(MetricMeanTensor, "MeanTensor", mean_tensor_keys);

static const ks_key mean_relative_error_keys[] = {
    METRIC_KEYS("\"mean_relative_error\"", "\"float32\""),
    KS_ROW_LOOSE(normalizer, ANY, KS_REQUIRED, NULL),
};

OLD_METRIC(MetricMeanRelativeError, "MeanRelativeError", mean_relative_error_keys);
