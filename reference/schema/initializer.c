// SPDX-License-Identifier: Apache-2.0
//
// Initializers. Source of the keys: Keras 3 initializers/*.py.
#include "schema/initializer.h"
static const char *const scaling_modes[] = {"fan_in", "fan_out", "fan_avg", NULL};
static const char *const distributions[] = {"truncated_normal", "untruncated_normal", "uniform", "normal", NULL};
static const char *const sides[] = {"real", "imag", NULL};

static const ks_key constant_keys[] = {
    {KS_NAMED("value"), .type = KS_KEY_NUMBERS, .flags = KS_INERT, .offset = KS_FIELD(ks_constant, value),
     .otherwise = "0.0"},
};

const ks_class ks_class_Constant = {
    .name = "Constant",
    .module = "keras.initializers",
    .kind = KS_KIND_INITIALIZER,
    KS_KEYS(constant_keys),
    .params_size = sizeof(ks_constant),
};

const ks_class ks_class_Zeros = {
    .name = "Zeros",
    .module = "keras.initializers",
    .kind = KS_KIND_INITIALIZER,
};

const ks_class ks_class_Ones = {
    .name = "Ones",
    .module = "keras.initializers",
    .kind = KS_KIND_INITIALIZER,
};

static const ks_key identity_keys[] = {
    {KS_NAMED("gain"), .type = KS_KEY_FLOAT, .flags = KS_INERT | KS_OLD, .offset = KS_FIELD(ks_identity, gain),
     .otherwise = "1.0"},
};

const ks_class ks_class_Identity = {
    .name = "Identity",
    .python_name = "IdentityInitializer",
    .module = "keras.initializers",
    .kind = KS_KIND_INITIALIZER,
    KS_KEYS(identity_keys),
    .params_size = sizeof(ks_identity),
};

static const ks_key glorot_normal_keys[] = {
    {KS_NAMED("seed"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT, .offset = KS_FIELD(ks_glorot_normal, seed),
     .otherwise = "null"},
    {KS_NAMED("input_axes"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_glorot_normal, input_axes), .otherwise = "null", .since = "3.15"},
    {KS_NAMED("output_axes"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_glorot_normal, output_axes), .otherwise = "null", .since = "3.15"},
};

const ks_class ks_class_GlorotNormal = {
    .name = "GlorotNormal",
    .module = "keras.initializers",
    .kind = KS_KIND_INITIALIZER,
    KS_KEYS(glorot_normal_keys),
    .params_size = sizeof(ks_glorot_normal),
};

static const ks_key glorot_uniform_keys[] = {
    {KS_NAMED("seed"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT, .offset = KS_FIELD(ks_glorot_uniform, seed),
     .otherwise = "null"},
    {KS_NAMED("input_axes"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_glorot_uniform, input_axes), .otherwise = "null", .since = "3.15"},
    {KS_NAMED("output_axes"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_glorot_uniform, output_axes), .otherwise = "null", .since = "3.15"},
};

const ks_class ks_class_GlorotUniform = {
    .name = "GlorotUniform",
    .module = "keras.initializers",
    .kind = KS_KIND_INITIALIZER,
    KS_KEYS(glorot_uniform_keys),
    .params_size = sizeof(ks_glorot_uniform),
};

static const ks_key he_normal_keys[] = {
    {KS_NAMED("seed"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT, .offset = KS_FIELD(ks_he_normal, seed),
     .otherwise = "null"},
    {KS_NAMED("input_axes"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_he_normal, input_axes), .otherwise = "null", .since = "3.15"},
    {KS_NAMED("output_axes"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_he_normal, output_axes), .otherwise = "null", .since = "3.15"},
};

const ks_class ks_class_HeNormal = {
    .name = "HeNormal",
    .module = "keras.initializers",
    .kind = KS_KIND_INITIALIZER,
    KS_KEYS(he_normal_keys),
    .params_size = sizeof(ks_he_normal),
};

static const ks_key he_uniform_keys[] = {
    {KS_NAMED("seed"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT, .offset = KS_FIELD(ks_he_uniform, seed),
     .otherwise = "null"},
    {KS_NAMED("input_axes"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_he_uniform, input_axes), .otherwise = "null", .since = "3.15"},
    {KS_NAMED("output_axes"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_he_uniform, output_axes), .otherwise = "null", .since = "3.15"},
};

const ks_class ks_class_HeUniform = {
    .name = "HeUniform",
    .module = "keras.initializers",
    .kind = KS_KIND_INITIALIZER,
    KS_KEYS(he_uniform_keys),
    .params_size = sizeof(ks_he_uniform),
};

static const ks_key lecun_normal_keys[] = {
    {KS_NAMED("seed"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT, .offset = KS_FIELD(ks_lecun_normal, seed),
     .otherwise = "null"},
    {KS_NAMED("input_axes"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_lecun_normal, input_axes), .otherwise = "null", .since = "3.15"},
    {KS_NAMED("output_axes"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_lecun_normal, output_axes), .otherwise = "null", .since = "3.15"},
};

const ks_class ks_class_LecunNormal = {
    .name = "LecunNormal",
    .module = "keras.initializers",
    .kind = KS_KIND_INITIALIZER,
    KS_KEYS(lecun_normal_keys),
    .params_size = sizeof(ks_lecun_normal),
};

static const ks_key lecun_uniform_keys[] = {
    {KS_NAMED("seed"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT, .offset = KS_FIELD(ks_lecun_uniform, seed),
     .otherwise = "null"},
    {KS_NAMED("input_axes"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_lecun_uniform, input_axes), .otherwise = "null", .since = "3.15"},
    {KS_NAMED("output_axes"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_lecun_uniform, output_axes), .otherwise = "null", .since = "3.15"},
};

const ks_class ks_class_LecunUniform = {
    .name = "LecunUniform",
    .module = "keras.initializers",
    .kind = KS_KIND_INITIALIZER,
    KS_KEYS(lecun_uniform_keys),
    .params_size = sizeof(ks_lecun_uniform),
};

static const ks_key orthogonal_keys[] = {
    {KS_NAMED("gain"), .type = KS_KEY_FLOAT, .flags = KS_INERT, .offset = KS_FIELD(ks_orthogonal, gain),
     .otherwise = "1.0"},
    {KS_NAMED("seed"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT, .offset = KS_FIELD(ks_orthogonal, seed),
     .otherwise = "null"},
};

const ks_class ks_class_Orthogonal = {
    .name = "Orthogonal",
    .python_name = "OrthogonalInitializer",
    .module = "keras.initializers",
    .kind = KS_KIND_INITIALIZER,
    KS_KEYS(orthogonal_keys),
    .written = "seed *",
    .params_size = sizeof(ks_orthogonal),
};

static const ks_key random_normal_keys[] = {
    {KS_NAMED("mean"), .type = KS_KEY_FLOAT, .flags = KS_INERT, .offset = KS_FIELD(ks_random_normal, mean),
     .otherwise = "0.0"},
    {KS_NAMED("stddev"), .type = KS_KEY_FLOAT, .flags = KS_INERT, .offset = KS_FIELD(ks_random_normal, stddev),
     .otherwise = "0.05"},
    {KS_NAMED("seed"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT, .offset = KS_FIELD(ks_random_normal, seed),
     .otherwise = "null"},
};

const ks_class ks_class_RandomNormal = {
    .name = "RandomNormal",
    .module = "keras.initializers",
    .kind = KS_KIND_INITIALIZER,
    KS_KEYS(random_normal_keys),
    .written = "seed *",
    .params_size = sizeof(ks_random_normal),
};

static const ks_key random_uniform_keys[] = {
    {KS_NAMED("minval"), .type = KS_KEY_FLOAT, .flags = KS_INERT, .offset = KS_FIELD(ks_random_uniform, minval),
     .otherwise = "-0.05"},
    {KS_NAMED("maxval"), .type = KS_KEY_FLOAT, .flags = KS_INERT, .offset = KS_FIELD(ks_random_uniform, maxval),
     .otherwise = "0.05"},
    {KS_NAMED("seed"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT, .offset = KS_FIELD(ks_random_uniform, seed),
     .otherwise = "null"},
};

const ks_class ks_class_RandomUniform = {
    .name = "RandomUniform",
    .module = "keras.initializers",
    .kind = KS_KIND_INITIALIZER,
    KS_KEYS(random_uniform_keys),
    .written = "seed *",
    .params_size = sizeof(ks_random_uniform),
};

static const ks_key truncated_normal_keys[] = {
    {KS_NAMED("mean"), .type = KS_KEY_FLOAT, .flags = KS_INERT, .offset = KS_FIELD(ks_truncated_normal, mean),
     .otherwise = "0.0"},
    {KS_NAMED("stddev"), .type = KS_KEY_FLOAT, .flags = KS_INERT, .offset = KS_FIELD(ks_truncated_normal, stddev),
     .otherwise = "0.05"},
    {KS_NAMED("seed"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_truncated_normal, seed), .otherwise = "null"},
};

const ks_class ks_class_TruncatedNormal = {
    .name = "TruncatedNormal",
    .module = "keras.initializers",
    .kind = KS_KIND_INITIALIZER,
    KS_KEYS(truncated_normal_keys),
    .written = "seed *",
    .params_size = sizeof(ks_truncated_normal),
};

static const ks_key variance_scaling_keys[] = {
    {KS_NAMED("scale"), .type = KS_KEY_FLOAT, .flags = KS_INERT, .offset = KS_FIELD(ks_variance_scaling, scale),
     .otherwise = "1.0"},
    {KS_NAMED("mode"), .type = KS_KEY_CHOICE, .flags = KS_INERT, .offset = KS_FIELD(ks_variance_scaling, mode),
     .otherwise = "\"fan_in\"", .choices = scaling_modes},
    {KS_NAMED("distribution"), .type = KS_KEY_CHOICE, .flags = KS_INERT,
     .offset = KS_FIELD(ks_variance_scaling, distribution), .otherwise = "\"truncated_normal\"",
     .choices = distributions},
    {KS_NAMED("seed"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_variance_scaling, seed), .otherwise = "null"},
    {KS_NAMED("input_axes"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_variance_scaling, input_axes), .otherwise = "null", .since = "3.15"},
    {KS_NAMED("output_axes"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT,
     .offset = KS_FIELD(ks_variance_scaling, output_axes), .otherwise = "null", .since = "3.15"},
};

const ks_class ks_class_VarianceScaling = {
    .name = "VarianceScaling",
    .module = "keras.initializers",
    .kind = KS_KIND_INITIALIZER,
    KS_KEYS(variance_scaling_keys),
    .written = "seed *",
    .params_size = sizeof(ks_variance_scaling),
};

static const ks_key stft_keys[] = {
    {KS_NAMED("side"), .type = KS_KEY_CHOICE, .flags = KS_INERT, .offset = KS_FIELD(ks_stft, side),
     .otherwise = "\"real\"", .choices = sides},
    {KS_NAMED("window"), .type = KS_KEY_ANY, .flags = KS_NULLABLE | KS_INERT, .offset = KS_FIELD(ks_stft, window),
     .otherwise = "\"hann\""},
    {KS_NAMED("scaling"), .type = KS_KEY_TEXT, .flags = KS_INERT, .offset = KS_FIELD(ks_stft, scaling),
     .otherwise = "\"density\""},
    {KS_NAMED("periodic"), .type = KS_KEY_BOOL, .flags = KS_INERT, .offset = KS_FIELD(ks_stft, periodic),
     .otherwise = "false"},
};

const ks_class ks_class_STFT = {
    .name = "STFT",
    .python_name = "STFTInitializer",
    .module = "keras.initializers",
    .kind = KS_KIND_INITIALIZER,
    KS_KEYS(stft_keys),
    .written = "side window periodic scaling",
    .params_size = sizeof(ks_stft),
};

// The class that others derive from can be made and written too.
const ks_class ks_class_InitializerBase = {
    .name = "Initializer",
    .module = "keras",
    .kind = KS_KIND_INITIALIZER,
};
