// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "property/model_generator.h"
#include <kassay/json.h>
#include <stdio.h>
#include <string.h>

static ks_choices choices;
static ks_context context;

static int setup(void **state) {
    (void)state;
    ks_context_init(&context, NULL);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    return context.memory.n_live == 0 ? 0 : -1;
}

static void a_seed_says_everything(void **state) {
    (void)state;
    ks_generated_model first;
    ks_generated_model again;
    ks_choices_random(&choices, 7);
    assert_int_equal(ks_generate_config(&first, &context, &choices, NULL), KS_OK);
    ks_choices_replay(&choices);
    assert_int_equal(ks_generate_config(&again, &context, &choices, NULL), KS_OK);
    assert_string_equal(first.config.data, again.config.data);
    ks_free(&context, (void *)(uintptr_t)again.config.data);
    ks_choices_random(&choices, 8);
    assert_int_equal(ks_generate_config(&again, &context, &choices, NULL), KS_OK);
    assert_string_not_equal(first.config.data, again.config.data);
    ks_free(&context, (void *)(uintptr_t)first.config.data);
    ks_free(&context, (void *)(uintptr_t)again.config.data);
}

static void every_config_is_json(void **state) {
    (void)state;
    bool seen[128] = {false};
    for (uint64_t seed = 0; seed < 400; seed++) {
        ks_generated_model model;
        ks_json *json = NULL;
        ks_choices_random(&choices, seed);
        assert_int_equal(ks_generate_config(&model, &context, &choices, NULL), KS_OK);
        assert_int_equal(model.config.size, strlen(model.config.data));
        assert_in_range(model.n_inputs, 1, KS_GENERATED_INPUTS);
        assert_int_equal(ks_json_parse(&json, &context,
                                       (ks_bytes){(const uint8_t *)model.config.data, model.config.size},
                                       KS_ROAD_STRICT),
                         KS_OK);
        for (size_t i = 0; ks_generator_classes()[i]; i++) {
            char quoted[64];
            snprintf(quoted, sizeof quoted, "\"class_name\": \"%s\"", ks_generator_classes()[i]);
            seen[i] |= strstr(model.config.data, quoted) != NULL;
        }
        ks_json_free(json);
        ks_free(&context, (void *)(uintptr_t)model.config.data);
    }
    for (size_t i = 0; ks_generator_classes()[i]; i++)
        if (!seen[i])
            fail_msg("no model has a %s", ks_generator_classes()[i]);
}

static void no_choices_give_the_smallest_model(void **state) {
    (void)state;
    ks_generated_model model;
    ks_choices_random(&choices, 0);
    ks_choices_replay(&choices);
    assert_int_equal(ks_generate_config(&model, &context, &choices, NULL), KS_OK);
    assert_int_equal(model.n_layers, 2); // an input and a Dense
    ks_free(&context, (void *)(uintptr_t)model.config.data);
}

static bool has_gru(void *argument, ks_choices *from) {
    size_t *tries = argument;
    ks_generated_model model;
    ++*tries;
    assert_int_equal(ks_generate_config(&model, &context, from, NULL), KS_OK);
    bool found = strstr(model.config.data, "\"GRU\"") != NULL;
    ks_free(&context, (void *)(uintptr_t)model.config.data);
    return found;
}

/// A planted fault, "the model has a GRU", shrinks to an input and a GRU.
static void a_failure_shrinks(void **state) {
    (void)state;
    size_t tries = 0;
    uint64_t seed = 0;
    ks_generated_model model;
    do
        ks_choices_random(&choices, ++seed);
    while (!has_gru(&tries, &choices));
    tries = 0;
    ks_choices_shrink(&choices, has_gru, &tries, 3000);
    assert_in_range(tries, 1, 3000);
    ks_choices_replay(&choices);
    assert_int_equal(ks_generate_config(&model, &context, &choices, NULL), KS_OK);
    assert_int_equal(model.n_layers, 2);
    assert_non_null(strstr(model.config.data, "\"GRU\""));
    ks_free(&context, (void *)(uintptr_t)model.config.data);
}

static bool only_dense(const char *class_name) {
    return strcmp(class_name, "Dense") == 0;
}

static void the_filter_is_obeyed(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        ks_generated_model model;
        ks_choices_random(&choices, seed);
        assert_int_equal(ks_generate_config(&model, &context, &choices, only_dense), KS_OK);
        for (const char *const *name = ks_generator_classes(); *name; name++) {
            char quoted[64];
            snprintf(quoted, sizeof quoted, "\"class_name\": \"%s\"", *name);
            bool nested = strcmp(*name, "Functional") == 0 || strcmp(*name, "Sequential") == 0;
            if (!nested && !only_dense(*name))
                assert_null(strstr(model.config.data, quoted));
        }
        ks_free(&context, (void *)(uintptr_t)model.config.data);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_seed_says_everything), TEST(every_config_is_json), TEST(no_choices_give_the_smallest_model),
        TEST(a_failure_shrinks),      TEST(the_filter_is_obeyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
