// SPDX-License-Identifier: Apache-2.0
//
// The names by which a config may call an object without a record.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "schema/class.h"

static ks_text text(const char *name) {
    return (ks_text){name, strlen(name)};
}

/// The first class of this kind with this name or snake_case form, found by looking at all.
static const ks_class *first(ks_kind kind, const char *name) {
    char snake[128];
    for (const ks_class *const *row = ks_classes(); *row; row++) {
        ks_snake_case(snake, sizeof snake, (*row)->name);
        if ((*row)->kind == kind && (strcmp((*row)->name, name) == 0 || strcmp(snake, name) == 0))
            return *row;
    }
    return NULL;
}

/// Keys are found by their size first, and the names that all layers share before those of their rows.
static void test_keys(void **state) {
    (void)state;
    for (const ks_class *const *row = ks_classes(); *row; row++) {
        ks_kind kind = (*row)->kind;
        bool is_layer = kind == KS_KIND_LAYER || kind == KS_KIND_MODEL || kind == KS_KIND_OPERATION;
        for (size_t i = 0; i < (*row)->n_keys; i++) {
            const ks_key *key = &(*row)->keys[i];
            assert_int_equal(key->name_size, strlen(key->name));
            assert_false(is_layer && (strcmp(key->name, "name") == 0 || strcmp(key->name, "trainable") == 0));
        }
    }
}

/// Losses, metrics and optimizers: see below.
static bool has_names_of_its_own(ks_kind kind) {
    return kind == KS_KIND_LOSS || kind == KS_KIND_METRIC || kind == KS_KIND_OPTIMIZER;
}

/// Every class is found by both its names, and is not found under another kind that has no such class.
static void test_all_classes(void **state) {
    (void)state;
    size_t count = 0;
    for (const ks_class *const *row = ks_classes(); *row; row++, count++) {
        char names[2][128];
        strcpy(names[0], (*row)->name);
        ks_snake_case(names[1], sizeof names[1], (*row)->name);
        for (int n = 0; n < 2; n++)
            for (ks_kind kind = KS_KIND_LAYER; kind <= KS_KIND_SPEC; kind++)
                if (has_names_of_its_own(kind))
                    continue;
                else if (ks_class_by_alias(kind, text(names[n])) != first(kind, names[n]))
                    fail_msg("\"%s\" as a %s finds another class", names[n], ks_kind_name(kind));
        if (!has_names_of_its_own((*row)->kind))
            assert_non_null(ks_class_by_alias((*row)->kind, text(names[1])));
        else
            assert_non_null(ks_class_by_alias((*row)->kind, text(names[0])));
    }
    assert_true(count > 200);
}

static void test_other_forms(void **state) {
    (void)state;
    static const char *const unknown[] = {
        "",       "_",      "glorotuniform", "Glorot_Uniform", "GLOROTUNIFORM", "glorot__uniform",
        "_zeros", "zeros_", "zeros ",        "zeroes",         "HeNormaL",      "conv2d"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        assert_null(ks_class_by_alias(KS_KIND_INITIALIZER, text(unknown[i])));
    // The text need not end where its name does.
    assert_ptr_equal(ks_class_by_alias(KS_KIND_INITIALIZER, (ks_text){"zeros_like", 5}), &ks_class_Zeros);
    assert_null(ks_class_by_alias(KS_KIND_INITIALIZER, (ks_text){"zeros\0like", 10}));
    assert_null(ks_class_by_alias(KS_KIND_INITIALIZER, (ks_text){NULL, 0}));
}

static void test_names_of_their_own(void **state) {
    (void)state;
    assert_ptr_equal(ks_class_by_alias(KS_KIND_INITIALIZER, text("normal")), &ks_class_RandomNormal);
    assert_ptr_equal(ks_class_by_alias(KS_KIND_INITIALIZER, text("one")), &ks_class_Ones);
    assert_ptr_equal(ks_class_by_alias(KS_KIND_REGULARIZER, text("l1_l2")), &ks_class_L1L2);
    assert_null(ks_class_by_alias(KS_KIND_REGULARIZER, text("normal")));
}

static void *find_many(void *unused) {
    (void)unused;
    for (const ks_class *const *row = ks_classes(); *row; row++)
        if (ks_class_by_alias((*row)->kind, text((*row)->name)) == NULL)
            return "missing";
    return NULL;
}

/// Runs first, so that the threads meet at the making of the table.
static void test_threads(void **state) {
    (void)state;
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, find_many, NULL), 0);
    for (size_t i = 0; i < 4; i++) {
        void *missing = NULL;
        assert_int_equal(pthread_join(threads[i], &missing), 0);
        assert_null(missing);
    }
}

// What losses.get and metrics.get of Keras 3.15.1 give: a class, or a function that is named here by its class.
static const struct {
    const char *name, *loss, *metric;
} training_names[] = {
    {"AUC", NULL, "AUC"},
    {"Accuracy", NULL, "Accuracy"},
    {"BCE", "BinaryCrossentropy", "BinaryCrossentropy"},
    {"BinaryAccuracy", NULL, "BinaryAccuracy"},
    {"BinaryCrossentropy", "BinaryCrossentropy", "BinaryCrossentropy"},
    {"BinaryFocalCrossentropy", "BinaryFocalCrossentropy", NULL},
    {"BinaryIoU", NULL, "BinaryIoU"},
    {"CTC", "CTC", NULL},
    {"CategoricalAccuracy", NULL, "CategoricalAccuracy"},
    {"CategoricalCrossentropy", "CategoricalCrossentropy", "CategoricalCrossentropy"},
    {"CategoricalFocalCrossentropy", "CategoricalFocalCrossentropy", NULL},
    {"CategoricalHinge", "CategoricalHinge", "CategoricalHinge"},
    {"Circle", "Circle", NULL},
    {"ConcordanceCorrelation", NULL, "ConcordanceCorrelation"},
    {"CosineSimilarity", "CosineSimilarity", "CosineSimilarity"},
    {"Dice", "Dice", NULL},
    {"F1Score", NULL, "F1Score"},
    {"FBetaScore", NULL, "FBetaScore"},
    {"FalseNegatives", NULL, "FalseNegatives"},
    {"FalsePositives", NULL, "FalsePositives"},
    {"Hinge", "Hinge", "Hinge"},
    {"Huber", "Huber", NULL},
    {"KLD", "KLDivergence", NULL},
    {"KLDivergence", "KLDivergence", "KLDivergence"},
    {"LogCosh", "LogCosh", NULL},
    {"LogCoshError", NULL, "LogCoshError"},
    {"MAE", "MeanAbsoluteError", "MeanAbsoluteError"},
    {"MAPE", "MeanAbsolutePercentageError", "MeanAbsolutePercentageError"},
    {"MSE", "MeanSquaredError", "MeanSquaredError"},
    {"MSLE", "MeanSquaredLogarithmicError", "MeanSquaredLogarithmicError"},
    {"Mean", NULL, "Mean"},
    {"MeanAbsoluteError", "MeanAbsoluteError", "MeanAbsoluteError"},
    {"MeanAbsolutePercentageError", "MeanAbsolutePercentageError", "MeanAbsolutePercentageError"},
    {"MeanSquaredError", "MeanSquaredError", "MeanSquaredError"},
    {"MeanSquaredLogarithmicError", "MeanSquaredLogarithmicError", "MeanSquaredLogarithmicError"},
    {"PearsonCorrelation", NULL, "PearsonCorrelation"},
    {"Poisson", "Poisson", "Poisson"},
    {"Precision", NULL, "Precision"},
    {"R2Score", NULL, "R2Score"},
    {"Recall", NULL, "Recall"},
    {"RootMeanSquaredError", NULL, "RootMeanSquaredError"},
    {"SparseCategoricalAccuracy", NULL, "SparseCategoricalAccuracy"},
    {"SparseCategoricalCrossentropy", "SparseCategoricalCrossentropy", "SparseCategoricalCrossentropy"},
    {"SparseTopKCategoricalAccuracy", NULL, "SparseTopKCategoricalAccuracy"},
    {"SquaredHinge", "SquaredHinge", "SquaredHinge"},
    {"Sum", NULL, "Sum"},
    {"TopKCategoricalAccuracy", NULL, "TopKCategoricalAccuracy"},
    {"TrueNegatives", NULL, "TrueNegatives"},
    {"TruePositives", NULL, "TruePositives"},
    {"Tversky", "Tversky", NULL},
    {"acc", NULL, NULL},
    {"accuracy", NULL, "Accuracy"},
    {"auc", NULL, "AUC"},
    {"bce", "BinaryCrossentropy", "BinaryCrossentropy"},
    {"binary_accuracy", NULL, "BinaryAccuracy"},
    {"binary_crossentropy", "BinaryCrossentropy", "BinaryCrossentropy"},
    {"binary_focal_crossentropy", "BinaryFocalCrossentropy", NULL},
    {"binary_io_u", NULL, "BinaryIoU"},
    {"categorical_accuracy", NULL, "CategoricalAccuracy"},
    {"categorical_crossentropy", "CategoricalCrossentropy", "CategoricalCrossentropy"},
    {"categorical_focal_crossentropy", "CategoricalFocalCrossentropy", NULL},
    {"categorical_hinge", "CategoricalHinge", "CategoricalHinge"},
    {"ce", NULL, NULL},
    {"circle", "Circle", NULL},
    {"concordance_correlation", NULL, "ConcordanceCorrelation"},
    {"cosine_proximity", NULL, NULL},
    {"cosine_similarity", "CosineSimilarity", "CosineSimilarity"},
    {"crossentropy", NULL, NULL},
    {"ctc", "CTC", NULL},
    {"dice", "Dice", NULL},
    {"f1_score", NULL, "F1Score"},
    {"f_beta_score", NULL, "FBetaScore"},
    {"false_negatives", NULL, "FalseNegatives"},
    {"false_positives", NULL, "FalsePositives"},
    {"hinge", "Hinge", "Hinge"},
    {"huber", "Huber", NULL},
    {"huber_loss", NULL, NULL},
    {"io_u", NULL, NULL},
    {"kl_divergence", "KLDivergence", "KLDivergence"},
    {"kld", "KLDivergence", NULL},
    {"log_cosh", "LogCosh", NULL},
    {"log_cosh_error", NULL, "LogCoshError"},
    {"logcosh", NULL, NULL},
    {"mae", "MeanAbsoluteError", "MeanAbsoluteError"},
    {"mape", "MeanAbsolutePercentageError", "MeanAbsolutePercentageError"},
    {"mean", NULL, "Mean"},
    {"mean_absolute_error", "MeanAbsoluteError", "MeanAbsoluteError"},
    {"mean_absolute_percentage_error", "MeanAbsolutePercentageError", "MeanAbsolutePercentageError"},
    {"mean_io_u", NULL, NULL},
    {"mean_squared_error", "MeanSquaredError", "MeanSquaredError"},
    {"mean_squared_logarithmic_error", "MeanSquaredLogarithmicError", "MeanSquaredLogarithmicError"},
    {"mse", "MeanSquaredError", "MeanSquaredError"},
    {"msle", "MeanSquaredLogarithmicError", "MeanSquaredLogarithmicError"},
    {"one_hot_io_u", NULL, NULL},
    {"pearson_correlation", NULL, "PearsonCorrelation"},
    {"poisson", "Poisson", "Poisson"},
    {"precision", NULL, "Precision"},
    {"precision_at_recall", NULL, NULL},
    {"r2_score", NULL, "R2Score"},
    {"recall", NULL, "Recall"},
    {"root_mean_squared_error", NULL, "RootMeanSquaredError"},
    {"sparse_categorical_accuracy", NULL, "SparseCategoricalAccuracy"},
    {"sparse_categorical_crossentropy", "SparseCategoricalCrossentropy", "SparseCategoricalCrossentropy"},
    {"sparse_top_k_categorical_accuracy", NULL, "SparseTopKCategoricalAccuracy"},
    {"squared_hinge", "SquaredHinge", "SquaredHinge"},
    {"sum", NULL, "Sum"},
    {"top_k_categorical_accuracy", NULL, "TopKCategoricalAccuracy"},
    {"true_negatives", NULL, "TrueNegatives"},
    {"true_positives", NULL, "TruePositives"},
    {"tversky", "Tversky", NULL},
};

static void expect_class(ks_kind kind, const char *name, const char *expected) {
    const ks_class *row = ks_class_by_alias(kind, text(name));
    if (expected ? !row || strcmp(row->name, expected) != 0 : row != NULL)
        fail_msg("\"%s\" as a %s: %s, expected %s", name, ks_kind_name(kind), row ? row->name : "nothing",
                 expected ? expected : "nothing");
}

static void test_losses_and_metrics(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof training_names / sizeof training_names[0]; i++) {
        expect_class(KS_KIND_LOSS, training_names[i].name, training_names[i].loss);
        expect_class(KS_KIND_METRIC, training_names[i].name, training_names[i].metric);
    }
}

static void test_optimizers(void **state) {
    (void)state;
    expect_class(KS_KIND_OPTIMIZER, "adam", "Adam");
    expect_class(KS_KIND_OPTIMIZER, "RMSPROP", "RMSprop");
    expect_class(KS_KIND_OPTIMIZER, "rmsprop", "RMSprop");
    expect_class(KS_KIND_OPTIMIZER, "adamw", "AdamW");
    expect_class(KS_KIND_OPTIMIZER, "rm_sprop", NULL);
    expect_class(KS_KIND_OPTIMIZER, "adam_w", NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_all_classes),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_other_forms),
        cmocka_unit_test(test_names_of_their_own),
        cmocka_unit_test(test_losses_and_metrics),
        cmocka_unit_test(test_optimizers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
