// SPDX-License-Identifier: Apache-2.0
//
// Optimizers. Described only. Source of the keys: Keras 3 optimizers/*.py.
#include "schema/key_row.h"

#define COMMON_KEYS(name_text, rate, decay) KEYS_WITH_RATE(name_text, KS_SINGLE, rate, decay)

// What every optimizer has, in the order of BaseOptimizer.get_config.
#define KEYS_WITH_RATE(name_text, rate_flags, rate, decay)                                                             \
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, name_text), KS_ROW_LOOSE(learning_rate, ANY, rate_flags, rate),              \
        KS_ROW_LOOSE(weight_decay, FLOAT, KS_NULLABLE, decay), KS_ROW_LOOSE(clipnorm, FLOAT, KS_NULLABLE, "null"),     \
        KS_ROW_LOOSE(global_clipnorm, FLOAT, KS_NULLABLE, "null"),                                                     \
        KS_ROW_LOOSE(clipvalue, FLOAT, KS_NULLABLE, "null"), KS_ROW_LOOSE(use_ema, BOOL, 0, "false"),                  \
        KS_ROW_LOOSE(ema_momentum, FLOAT, 0, "0.99"), KS_ROW_LOOSE(ema_overwrite_frequency, INT, KS_NULLABLE, "null"), \
        KS_ROW_LOOSE(loss_scale_factor, FLOAT, KS_NULLABLE, "null"),                                                   \
        KS_ROW_LOOSE(gradient_accumulation_steps, INT, KS_NULLABLE, "null")

#define OPTIMIZER(symbol, class_name, key_table)                                                                       \
    const ks_class ks_class_##symbol = {                                                                               \
        .name = class_name,                                                                                            \
        .module = "keras.optimizers",                                                                                  \
        .kind = KS_KIND_OPTIMIZER,                                                                                     \
        KS_KEYS(key_table),                                                                                            \
    }

static const ks_key adadelta_keys[] = {
    COMMON_KEYS("\"adadelta\"", "0.001", "null"),
    KS_ROW_LOOSE(rho, FLOAT, 0, "0.95"),
    KS_ROW_LOOSE(epsilon, FLOAT, 0, "1e-07"),
};

OPTIMIZER(Adadelta, "Adadelta", adadelta_keys);

static const ks_key adafactor_keys[] = {
    COMMON_KEYS("\"adafactor\"", "0.001", "null"), KS_ROW_LOOSE(beta_2_decay, FLOAT, 0, "-0.8"),
    KS_ROW_LOOSE(epsilon_1, FLOAT, 0, "1e-30"),    KS_ROW_LOOSE(epsilon_2, FLOAT, 0, "0.001"),
    KS_ROW_LOOSE(clip_threshold, FLOAT, 0, "1.0"), KS_ROW_LOOSE(relative_step, BOOL, 0, "true"),
};

OPTIMIZER(Adafactor, "Adafactor", adafactor_keys);

static const ks_key adagrad_keys[] = {
    COMMON_KEYS("\"adagrad\"", "0.001", "null"),
    KS_ROW_LOOSE(initial_accumulator_value, FLOAT, 0, "0.1"),
    KS_ROW_LOOSE(epsilon, FLOAT, 0, "1e-07"),
};

OPTIMIZER(Adagrad, "Adagrad", adagrad_keys);

static const ks_key adam_keys[] = {
    COMMON_KEYS("\"adam\"", "0.001", "null"), KS_ROW_LOOSE(beta_1, FLOAT, 0, "0.9"),
    KS_ROW_LOOSE(beta_2, FLOAT, 0, "0.999"),  KS_ROW_LOOSE(epsilon, FLOAT, 0, "1e-07"),
    KS_ROW_LOOSE(amsgrad, BOOL, 0, "false"),
};

OPTIMIZER(Adam, "Adam", adam_keys);

static const ks_key adam_w_keys[] = {
    COMMON_KEYS("\"adam_w\"", "0.001", "0.004"), KS_ROW_LOOSE(beta_1, FLOAT, 0, "0.9"),
    KS_ROW_LOOSE(beta_2, FLOAT, 0, "0.999"),     KS_ROW_LOOSE(epsilon, FLOAT, 0, "1e-07"),
    KS_ROW_LOOSE(amsgrad, BOOL, 0, "false"),
};

OPTIMIZER(AdamW, "AdamW", adam_w_keys);

static const ks_key adamax_keys[] = {
    COMMON_KEYS("\"adamax\"", "0.001", "null"),
    KS_ROW_LOOSE(beta_1, FLOAT, 0, "0.9"),
    KS_ROW_LOOSE(beta_2, FLOAT, 0, "0.999"),
    KS_ROW_LOOSE(epsilon, FLOAT, 0, "1e-07"),
};

OPTIMIZER(Adamax, "Adamax", adamax_keys);

static const ks_key ftrl_keys[] = {
    COMMON_KEYS("\"ftrl\"", "0.001", "null"),
    KS_ROW_LOOSE(learning_rate_power, FLOAT, 0, "-0.5"),
    KS_ROW_LOOSE(initial_accumulator_value, FLOAT, 0, "0.1"),
    KS_ROW_LOOSE(l1_regularization_strength, FLOAT, 0, "0.0"),
    KS_ROW_LOOSE(l2_regularization_strength, FLOAT, 0, "0.0"),
    KS_ROW_LOOSE(l2_shrinkage_regularization_strength, FLOAT, 0, "0.0"),
    KS_ROW_LOOSE(beta, FLOAT, 0, "0.0"),
};

OPTIMIZER(Ftrl, "Ftrl", ftrl_keys);

static const ks_key lamb_keys[] = {
    COMMON_KEYS("\"lamb\"", "0.001", "null"),
    KS_ROW_LOOSE(beta_1, FLOAT, 0, "0.9"),
    KS_ROW_LOOSE(beta_2, FLOAT, 0, "0.999"),
    KS_ROW_LOOSE(epsilon, FLOAT, 0, "1e-07"),
};

OPTIMIZER(Lamb, "Lamb", lamb_keys);

static const ks_key lion_keys[] = {
    COMMON_KEYS("\"lion\"", "0.001", "null"),
    KS_ROW_LOOSE(beta_1, FLOAT, 0, "0.9"),
    KS_ROW_LOOSE(beta_2, FLOAT, 0, "0.99"),
};

OPTIMIZER(Lion, "Lion", lion_keys);

static const ks_key loss_scale_optimizer_keys[] = {
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"loss_scale_optimizer\""),
    KS_ROW_LOOSE(inner_optimizer, ANY, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(initial_scale, FLOAT, 0, "32768.0"),
    KS_ROW_LOOSE(dynamic_growth_steps, INT, 0, "2000"),
};

OPTIMIZER(LossScaleOptimizer, "LossScaleOptimizer", loss_scale_optimizer_keys);

static const ks_key muon_keys[] = {
    COMMON_KEYS("\"muon\"", "0.001", "0.004"),
    KS_ROW_LOOSE(adam_beta_1, FLOAT, 0, "0.9"),
    KS_ROW_LOOSE(adam_beta_2, FLOAT, 0, "0.999"),
    KS_ROW_LOOSE(epsilon, FLOAT, 0, "1e-07"),
    KS_ROW_LOOSE(exclude_layers, ANY, 0, "[]"),
    KS_ROW_LOOSE(muon_a, FLOAT, 0, "3.4445"),
    KS_ROW_LOOSE(muon_b, FLOAT, 0, "-4.775"),
    KS_ROW_LOOSE(muon_c, FLOAT, 0, "2.0315"),
    KS_ROW_LOOSE(adam_lr_ratio, INT, 0, "1"),
    KS_ROW_LOOSE(momentum, FLOAT, 0, "0.95"),
    KS_ROW_LOOSE(ns_steps, INT, 0, "5"),
    KS_ROW_LOOSE(nesterov, BOOL, 0, "true"),
    KS_ROW_LOOSE(exclude_embeddings, BOOL, 0, "true"),
    KS_ROW_LOOSE(adam_weight_decay, FLOAT, 0, "0.004"),
    KS_ROW_LOOSE(rms_rate, FLOAT, 0, "0.2"),
};

OPTIMIZER(Muon, "Muon", muon_keys);

static const ks_key nadam_keys[] = {
    COMMON_KEYS("\"nadam\"", "0.001", "null"),
    KS_ROW_LOOSE(beta_1, FLOAT, 0, "0.9"),
    KS_ROW_LOOSE(beta_2, FLOAT, 0, "0.999"),
    KS_ROW_LOOSE(epsilon, FLOAT, 0, "1e-07"),
};

OPTIMIZER(Nadam, "Nadam", nadam_keys);

static const ks_key optimizer_keys[] = {
    KEYS_WITH_RATE("\"optimizer\"", KS_SINGLE | KS_REQUIRED, NULL, "null"),
};

const ks_class ks_class_OptimizerBase = {
    .name = "Optimizer",
    .module = "keras",
    .kind = KS_KIND_OPTIMIZER,
    KS_KEYS(optimizer_keys),
};

static const ks_key rm_sprop_keys[] = {
    COMMON_KEYS("\"rm_sprop\"", "0.001", "null"), KS_ROW_LOOSE(rho, FLOAT, 0, "0.9"),
    KS_ROW_LOOSE(momentum, FLOAT, 0, "0.0"),      KS_ROW_LOOSE(epsilon, FLOAT, 0, "1e-07"),
    KS_ROW_LOOSE(centered, BOOL, 0, "false"),
};

OPTIMIZER(RMSprop, "RMSprop", rm_sprop_keys);

static const ks_key sgd_keys[] = {
    COMMON_KEYS("\"sgd\"", "0.01", "null"),
    KS_ROW_LOOSE(momentum, FLOAT, 0, "0.0"),
    KS_ROW_LOOSE(nesterov, BOOL, 0, "false"),
};

OPTIMIZER(SGD, "SGD", sgd_keys);

static const ks_key schedule_free_adam_w_keys[] = {
    COMMON_KEYS("\"schedule_free_adam_w\"", "0.0025", "null"),
    KS_ROW_LOOSE(beta_1, FLOAT, 0, "0.9"),
    KS_ROW_LOOSE(beta_2, FLOAT, 0, "0.999"),
    KS_ROW_LOOSE(epsilon, FLOAT, 0, "1e-08"),
    KS_ROW_LOOSE(warmup_steps, INT, 0, "0"),
};

OPTIMIZER(ScheduleFreeAdamW, "ScheduleFreeAdamW", schedule_free_adam_w_keys);

static const ks_key optimizer_map_keys[] = {
    KS_ROW_LOOSE(default_optimizer, ANY, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(optimizer_map, ANY, KS_NULLABLE, "{}"),
};

OPTIMIZER(OptimizerMap, "OptimizerMap", optimizer_map_keys);

static const ks_key multi_optimizer_keys[] = {
    KS_ROW_LOOSE(optimizer_map, ANY, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(loss_scale_factor, FLOAT, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(name, TEXT, KS_NULLABLE, "\"multi_optimizer\""),
};

OPTIMIZER(MultiOptimizer, "MultiOptimizer", multi_optimizer_keys);
