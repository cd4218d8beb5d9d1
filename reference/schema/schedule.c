// SPDX-License-Identifier: Apache-2.0
//
// Learning-rate schedules. Described only. Source of the keys: Keras 3 optimizers/schedules/learning_rate_schedule.py.
#include "schema/key_row.h"

#define SCHEDULE(symbol, class_name, key_table)                                                                        \
    const ks_class ks_class_##symbol = {                                                                               \
        .name = class_name,                                                                                            \
        .module = "keras.optimizers.schedules",                                                                        \
        .kind = KS_KIND_SCHEDULE,                                                                                      \
        KS_KEYS(key_table),                                                                                            \
    }

static const ks_key cosine_decay_keys[] = {
    KS_ROW_LOOSE(initial_learning_rate, FLOAT, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(decay_steps, INT, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(alpha, FLOAT, 0, "0.0"),
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"CosineDecay\""),
    KS_ROW_LOOSE(warmup_target, ANY, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(warmup_steps, INT, 0, "0"),
};

SCHEDULE(CosineDecay, "CosineDecay", cosine_decay_keys);

static const ks_key cosine_decay_restarts_keys[] = {
    KS_ROW_LOOSE(initial_learning_rate, FLOAT, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(first_decay_steps, INT, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(t_mul, FLOAT, 0, "2.0"),
    KS_ROW_LOOSE(m_mul, FLOAT, 0, "1.0"),
    KS_ROW_LOOSE(alpha, FLOAT, 0, "0.0"),
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"SGDRDecay\""),
};

SCHEDULE(CosineDecayRestarts, "CosineDecayRestarts", cosine_decay_restarts_keys);

static const ks_key exponential_decay_keys[] = {
    KS_ROW_LOOSE(initial_learning_rate, FLOAT, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(decay_steps, INT, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(decay_rate, FLOAT, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(staircase, BOOL, 0, "false"),
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"ExponentialDecay\""),
};

SCHEDULE(ExponentialDecay, "ExponentialDecay", exponential_decay_keys);

static const ks_key inverse_time_decay_keys[] = {
    KS_ROW_LOOSE(initial_learning_rate, FLOAT, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(decay_steps, INT, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(decay_rate, FLOAT, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(staircase, BOOL, 0, "false"),
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"InverseTimeDecay\""),
};

SCHEDULE(InverseTimeDecay, "InverseTimeDecay", inverse_time_decay_keys);

static const ks_key piecewise_constant_decay_keys[] = {
    KS_ROW_LOOSE(boundaries, ANY, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(values, ANY, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"PiecewiseConstant\""),
};

SCHEDULE(PiecewiseConstantDecay, "PiecewiseConstantDecay", piecewise_constant_decay_keys);

static const ks_key polynomial_decay_keys[] = {
    KS_ROW_LOOSE(initial_learning_rate, FLOAT, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(decay_steps, INT, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(end_learning_rate, FLOAT, 0, "0.0001"),
    KS_ROW_LOOSE(power, FLOAT, 0, "1.0"),
    KS_ROW_LOOSE(cycle, BOOL, 0, "false"),
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"PolynomialDecay\""),
};

SCHEDULE(PolynomialDecay, "PolynomialDecay", polynomial_decay_keys);
