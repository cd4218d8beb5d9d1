// SPDX-License-Identifier: Apache-2.0
#include "property/compile_generator.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SIZE 4096
#define NO_COMPILE "\"compile_config\": {}}"

typedef struct writer {
    ks_choices *choices;
    ks_generated_optimizer *optimizer;
    char text[TEXT_SIZE];
    size_t size;
} writer;

__attribute__((format(printf, 2, 3))) static void put(writer *w, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(w->text + w->size, sizeof w->text - w->size, format, arguments);
    va_end(arguments);
    w->size += size > 0 ? (size_t)size : 0; // what has not found room is seen at the end
}

static const char *one_of(writer *w, const char *const *texts, uint32_t count) {
    return texts[ks_choose(w->choices, count)];
}

#define ONE_OF(w, ...)                                                                                                 \
    one_of(w, (const char *const[]){__VA_ARGS__}, sizeof(const char *const[]){__VA_ARGS__} / sizeof(const char *))

/// For every trained variable in turn, `slots` of its own.
static void keep(writer *w, int slots) {
    w->optimizer->passes[w->optimizer->n_passes++] = slots;
}

// --- optimizers: the keys behind those that all have, and the slots in the order in which they are made
// -----------------

static void sgd(writer *w) {
    bool momentum = ks_choose(w->choices, 2);
    put(w, "\"momentum\": %s, \"nesterov\": %s", momentum ? "0.75" : "0.0", ONE_OF(w, "false", "true"));
    if (momentum)
        keep(w, 1);
}

static void adam(writer *w) {
    bool amsgrad = ks_choose(w->choices, 2);
    put(w, "\"beta_1\": %s, \"beta_2\": 0.99, \"epsilon\": 1e-06, \"amsgrad\": %s", ONE_OF(w, "0.9", "0.8"),
        amsgrad ? "true" : "false");
    keep(w, 2);
    if (amsgrad)
        keep(w, 1);
}

static void rmsprop(writer *w) {
    bool momentum = ks_choose(w->choices, 2), centered = ks_choose(w->choices, 2);
    put(w, "\"rho\": %s, \"momentum\": %s, \"epsilon\": 1e-06, \"centered\": %s", ONE_OF(w, "0.9", "0.8"),
        momentum ? "0.5" : "0.0", centered ? "true" : "false");
    keep(w, 1);
    if (momentum)
        keep(w, 1);
    if (centered)
        keep(w, 1);
}

static void adagrad(writer *w) {
    put(w, "\"initial_accumulator_value\": %s, \"epsilon\": 1e-06", ONE_OF(w, "0.1", "0.25"));
    keep(w, 1);
}

static void adadelta(writer *w) {
    put(w, "\"rho\": %s, \"epsilon\": 1e-06", ONE_OF(w, "0.95", "0.75"));
    keep(w, 2);
}

static void adamax(writer *w) {
    put(w, "\"beta_1\": %s, \"beta_2\": 0.99, \"epsilon\": 1e-06", ONE_OF(w, "0.9", "0.8"));
    keep(w, 2);
}

static void ftrl(writer *w) {
    put(w,
        "\"learning_rate_power\": %s, \"initial_accumulator_value\": 0.25, \"l1_regularization_strength\": 0.125, "
        "\"l2_regularization_strength\": 0.5, \"l2_shrinkage_regularization_strength\": 0.0625, \"beta\": 0.75",
        ONE_OF(w, "-0.5", "-0.75"));
    keep(w, 2);
}

static void lion(writer *w) {
    put(w, "\"beta_1\": %s, \"beta_2\": 0.98", ONE_OF(w, "0.9", "0.8"));
    keep(w, 1);
}

static const struct {
    const char *class_name, *name;
    void (*write)(writer *w);
} optimizers[] = {
    {"SGD", "sgd", sgd},
    {"Adam", "adam", adam},
    {"AdamW", "adam_w", adam},
    {"RMSprop", "rm_sprop", rmsprop},
    {"Adagrad", "adagrad", adagrad},
    {"Adadelta", "adadelta", adadelta},
    {"Adamax", "adamax", adamax},
    {"Ftrl", "ftrl", ftrl},
    {"Lion", "lion", lion},
};

static void put_schedule(writer *w) {
    put(w, "{\"module\": \"keras.optimizers.schedules\", \"class_name\": ");
    if (ks_choose(w->choices, 2))
        put(w, "\"CosineDecay\", \"config\": {\"initial_learning_rate\": 0.1, \"decay_steps\": 10, \"alpha\": 0.25, "
               "\"name\": \"CosineDecay\", \"warmup_target\": null, \"warmup_steps\": 0}");
    else
        put(w,
            "\"ExponentialDecay\", \"config\": {\"initial_learning_rate\": 0.1, \"decay_steps\": 10, \"decay_rate\": "
            "0.5, \"staircase\": %s, \"name\": \"ExponentialDecay\"}",
            ONE_OF(w, "false", "true"));
    put(w, ", \"registered_name\": null}");
}

/// A rate is kept as a variable too, which is float32: the config has its very value.
static void put_rate(writer *w) {
    static const float rates[] = {0.001F, 0.01F, 0.1F, 0.5F};
    w->optimizer->has_rate = ks_choose(w->choices, 4) != 3;
    w->optimizer->learning_rate = rates[ks_choose(w->choices, sizeof rates / sizeof *rates)];
    if (w->optimizer->has_rate)
        put(w, "%.17g", (double)w->optimizer->learning_rate);
    else
        put_schedule(w);
}

static void put_optimizer(writer *w) {
    uint32_t which = ks_choose(w->choices, sizeof optimizers / sizeof *optimizers);
    bool decay = strcmp(optimizers[which].class_name, "AdamW") == 0 || ks_choose(w->choices, 2);
    uint32_t clip = ks_choose(w->choices, 4);
    bool average = ks_choose(w->choices, 3) == 2;
    put(w,
        "{\"module\": \"keras.optimizers\", \"class_name\": \"%s\", \"config\": {\"name\": \"%s\", \"learning_rate\": ",
        optimizers[which].class_name, ONE_OF(w, optimizers[which].name, "mine"));
    put_rate(w);
    put(w, ", \"weight_decay\": %s, \"clipnorm\": %s, \"global_clipnorm\": %s, \"clipvalue\": %s, ",
        decay ? "0.004" : "null", clip == 1 ? "1.5" : "null", clip == 2 ? "2.5" : "null", clip == 3 ? "0.5" : "null");
    put(w, "\"use_ema\": %s, \"ema_momentum\": 0.75, \"ema_overwrite_frequency\": %s, ", average ? "true" : "false",
        average ? ONE_OF(w, "null", "7") : "null");
    put(w, "\"loss_scale_factor\": null, \"gradient_accumulation_steps\": null, ");
    if (average)
        keep(w, 1);
    optimizers[which].write(w);
    put(w, "}, \"registered_name\": null}");
}

// --- losses and metrics ----------------------------------------------------------------------------------------------

#define RECORD(module, class_name, config)                                                                             \
    "{\"module\": \"keras." module "\", \"class_name\": \"" class_name "\", \"config\": {" config                      \
    "}, \"registered_name\": null}"

static void put_compile(writer *w) {
    put(w, "\"compile_config\": {\"optimizer\": ");
    put_optimizer(w);
    put(w, ", \"loss\": %s, \"loss_weights\": null",
        ONE_OF(w, "\"mse\"", "\"mean_absolute_error\"",
               RECORD("losses", "MeanSquaredError", "\"name\": \"own\", \"reduction\": \"sum\""),
               RECORD("losses", "CategoricalCrossentropy",
                      "\"name\": \"categorical_crossentropy\", \"reduction\": \"sum_over_batch_size\", "
                      "\"from_logits\": true, \"label_smoothing\": 0.25, \"axis\": -1")));
    put(w, ", \"metrics\": %s",
        ONE_OF(w, "null", "[\"mae\"]", "[\"mae\", \"mse\"]",
               "[" RECORD("metrics", "BinaryAccuracy",
                          "\"name\": \"right\", \"dtype\": \"float32\", \"threshold\": 0.75") ", \"mse\"]"));
    put(w, ", \"weighted_metrics\": %s", ONE_OF(w, "null", "[\"mse\"]"));
    put(w, ", \"run_eagerly\": false, \"steps_per_execution\": 1, \"jit_compile\": false}}");
}

ks_code ks_generate_compile(ks_generated_model *model, ks_context *context, ks_choices *choices) {
    static writer w; // too large for a stack
    size_t end = strlen(NO_COMPILE), before = model->config.size - end;
    if (model->config.size < end || strcmp(model->config.data + before, NO_COMPILE) != 0)
        return ks_fail(context, KS_E_INTERNAL, KS_STAGE_SAVE, KS_NO_OFFSET, NULL, "the config ends otherwise");
    model->optimizer = (ks_generated_optimizer){.iteration = 1 + ks_choose(choices, 100)};
    w = (writer){.choices = choices, .optimizer = &model->optimizer};
    put_compile(&w);
    if (w.size >= sizeof w.text)
        return ks_fail(context, KS_E_INTERNAL, KS_STAGE_SAVE, KS_NO_OFFSET, NULL, "the compile_config has no room");
    char *text = ks_allocate(context, before + w.size + 1, 1);
    if (!text)
        return context->error.code;
    memcpy(text, model->config.data, before);
    memcpy(text + before, w.text, w.size + 1);
    ks_free(context, (void *)(uintptr_t)model->config.data);
    model->config = (ks_text){text, before + w.size};
    return KS_OK;
}
