// SPDX-License-Identifier: Apache-2.0
#include "runner/judge.h"

#include <stdio.h>
#include <time.h>

#include <kassay/model.h>

#include "runner/comparison.h"
#include "runner/road_compare.h"
#include "runner/road_explain.h"

typedef struct judging {
    ks_comparison golden; ///< holds the result too
    ks_result *out;
    const ks_case *c;
    ks_context context; ///< of the model
    ks_model *model;
} judging;

static bool going_on(const judging *j) {
    return ks_comparison_going_on(&j->golden);
}

// --- what the reference gives ---------------------------------------------------------------------------------------

static void check_structure(judging *j) {
    ks_context *files = &j->golden.files;
    ks_json *got = NULL;
    ks_text text = {0};
    if (!ks_case_has_file(j->c, "structure.json"))
        return;
    if (ks_model_dump(&text, j->model) != KS_OK) {
        ks_result_harness_error(j->out, &j->context.error);
        return;
    }
    ks_context_budget(files, text.size * 16);
    if (ks_json_parse(&got, files, (ks_bytes){(const uint8_t *)text.data, text.size}, KS_ROAD_STRICT) != KS_OK)
        ks_result_harness_error(j->out, &files->error);
    else
        ks_compare_structure(&j->golden, ks_json_root(got), false);
    ks_free(&j->context, (void *)(uintptr_t)text.data);
    ks_json_free(got);
}

static void check_weights(judging *j) {
    size_t count = ks_model_weight_count(j->model);
    ks_given_weight *given;
    if (!ks_case_has_file(j->c, "weights.npz"))
        return;
    given = ks_allocate(&j->context, count + 1, sizeof(*given));
    if (!given) {
        ks_result_harness_error(j->out, &j->context.error);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        ks_model_weight weight = ks_model_weight_at(j->model, i);
        given[i] = (ks_given_weight){weight.path, weight.tensor};
    }
    ks_compare_weights(&j->golden, given, count);
    ks_free(&j->context, given);
}

static void check_run(judging *j, const ks_tensor *inputs, size_t n_inputs, ks_dtype real) {
    ks_given_output given[KS_CASE_MAX_OUTPUTS];
    ks_prediction *prediction;
    if (ks_model_predict(&prediction, j->model, inputs, n_inputs, real) != KS_OK) {
        char text[512];
        ks_error_format(&j->context.error, text, sizeof(text));
        if (ks_code_verdict(j->context.error.code) == KS_UNSUPPORTED) {
            j->out->outcome = KS_OUTCOME_UNSUPPORTED;
            snprintf(j->out->message, sizeof(j->out->message), "%s", text);
        } else {
            ks_comparison_fail(&j->golden, "wrong-value", "no prediction: %s", text);
        }
        return;
    }
    for (size_t i = 0; i < ks_prediction_count(prediction) && i < KS_CASE_MAX_OUTPUTS; i++)
        given[i] = (ks_given_output){ks_model_output_at(j->model, i).name, ks_prediction_at(prediction, i)};
    ks_compare_outputs(&j->golden, given, ks_prediction_count(prediction), real);
    ks_prediction_free(prediction);
}

static void check_outputs(judging *j) {
    ks_tensor inputs[KS_CASE_MAX_OUTPUTS];
    size_t n_inputs = ks_model_input_count(j->model);
    if (!j->c->predict)
        return;
    if (n_inputs > KS_CASE_MAX_OUTPUTS) {
        ks_comparison_fail(&j->golden, "wrong-structure", "more inputs than a case can have");
        return;
    }
    for (size_t i = 0; i < n_inputs; i++)
        if (!ks_golden_input(&inputs[i], &j->golden, i))
            return;
    check_run(j, inputs, n_inputs, KS_FLOAT32);
    if (going_on(j))
        check_run(j, inputs, n_inputs, KS_FLOAT64);
}

// --- loads ----------------------------------------------------------------------------------------------------------

static ks_code set_initial(ks_model *model, ks_context *context, const ks_case *c) {
    ks_source *source = NULL;
    ks_tensor *values = NULL;
    ks_npz *npz = NULL;
    char path[2048], name[32];
    size_t count = ks_model_weight_count(model);
    ks_code code;
    ks_case_file(path, c, c->initial);
    KS_TRY(ks_source_open_copy(&source, context, path));
    context->memory.limit = UINT64_MAX; // golden files are no one's budget
    KS_TRY(ks_npz_open(&npz, context, ks_source_bytes(source)));
    values = ks_allocate(context, count + 1, sizeof(*values));
    code = values ? KS_OK : context->error.code;
    for (size_t i = 0; code == KS_OK && i < count; i++) {
        snprintf(name, sizeof(name), "weight.%zu", i);
        code = ks_npz_get(&values[i], npz, name);
    }
    if (code == KS_OK)
        code = ks_model_set_weights(model, values, count);
done:
    ks_free(context, values);
    ks_npz_close(npz);
    ks_source_close(source);
    return code;
}

// Weights into a model: the case's `into` or its architecture, whose own weights are the initial ones if it says so.
static ks_code load_into(ks_model **out, ks_context *context, const ks_case *c, ks_road road) {
    ks_load_options options = {road, c->format, c->by_name, c->skip_mismatch, c->backend};
    ks_model_options model_options = {
        .road = road, .backend = c->backend, .registry = ks_case_custom_objects(context, c)};
    ks_model *model = NULL;
    char path[2048], artifact[2048];
    ks_code code;
    *out = NULL;
    ks_case_file(path, c, c->into ? c->into : c->architecture ? c->architecture : c->artifact);
    ks_case_file(artifact, c, c->artifact);
    KS_TRY(ks_model_load(&model, context, path, &model_options));
    if (c->initial)
        KS_TRY(set_initial(model, context, c));
    KS_TRY(ks_model_load_weights(NULL, model, artifact, &options));
    *out = model;
    return KS_OK;
done:
    ks_model_free(model);
    return code;
}

// A reject case is judged by `check`, which looks at everything; an accept case by a load.
static ks_code load_case(ks_model **out, ks_context *context, const ks_case *c, ks_road road) {
    ks_model_options options = {
        .road = road, .format = c->format, .backend = c->backend, .registry = ks_case_custom_objects(context, c)};
    char artifact[2048], architecture[2048];
    *out = NULL;
    if (ks_case_loads_into(c))
        return load_into(out, context, c, road);
    ks_case_file(artifact, c, c->artifact);
    if (c->architecture) {
        ks_case_file(architecture, c, c->architecture);
        options.architecture = architecture;
    }
    if (c->expect == KS_EXPECT_REJECT)
        return ks_model_check(context, artifact, &options);
    return ks_model_load(out, context, artifact, &options);
}

// --- the other road -------------------------------------------------------------------------------------------------

// A difference that the reviewed table lists is agreement; then the model is not asked of the other road again.
static bool containers_agree(judging *j, bool *listed) {
    ks_roads_result result;
    ks_source *source = NULL;
    char path[2048];
    ks_code code = KS_OK;
    *listed = false;
    ks_case_file(path, j->c, j->c->artifact);
    if (strcmp(j->c->format, "keras-v3-dir") == 0)
        return true;
    memset(&result, 0, sizeof(result));
    if (ks_source_open(&source, &j->golden.files, path) != KS_OK) {
        ks_result_harness_error(j->out, &j->golden.files.error);
        return false;
    }
    if (strcmp(j->c->format, "keras-v3") == 0)
        code = ks_roads_compare_archive(&result, &j->golden.files, NULL, ks_source_bytes(source));
    else if (strcmp(j->c->format, "weights-v3") == 0 || strncmp(j->c->format, "h5-", 3) == 0)
        code = ks_roads_compare_hdf5(&result, &j->golden.files, NULL, ks_source_bytes(source));
    else
        code = ks_roads_compare_json(&result, &j->golden.files, NULL, ks_source_bytes(source));
    ks_source_close(source);
    if (code != KS_OK) {
        ks_result_harness_error(j->out, &j->golden.files.error);
        return false;
    }
    *listed = result.outcome == KS_ROADS_LISTED;
    if (result.outcome == KS_ROADS_DIFFER)
        ks_comparison_fail(&j->golden, "wrong-structure", "the roads differ at %s: %s", result.where, result.message);
    return result.outcome != KS_ROADS_DIFFER;
}

static void compare_models(judging *j, const ks_model *other) {
    size_t count = ks_model_weight_count(j->model);
    if (ks_model_weight_count(other) != count)
        ks_comparison_fail(&j->golden, "wrong-weights", "the roads differ: %zu and %zu weights", count,
                           ks_model_weight_count(other));
    for (size_t i = 0; i < count && going_on(j); i++) {
        ks_model_weight a = ks_model_weight_at(j->model, i), b = ks_model_weight_at(other, i);
        if (strcmp(a.path, b.path) != 0 || a.tensor.size != b.tensor.size ||
            (a.tensor.size && a.tensor.data && memcmp(a.tensor.data, b.tensor.data, a.tensor.size) != 0))
            ks_comparison_fail(&j->golden, "wrong-weights", "the roads differ in %s", a.path);
    }
}

static void check_other_road(judging *j) {
    ks_context context;
    ks_model *other = NULL;
    const ks_road_difference *row = NULL;
    bool listed;
    if (!containers_agree(j, &listed) || listed)
        return;
    ks_context_init(&context, NULL);
    if (load_case(&other, &context, j->c, KS_ROAD_LIBRARY) == KS_OK) {
        compare_models(j, other);
    } else {
        char text[512];
        char path[2048];
        ks_error_format(&context.error, text, sizeof(text));
        ks_case_file(path, j->c, j->c->artifact);
        if (ks_roads_explain(&row, &j->golden.files, path, context.error.code) != KS_OK || !row)
            ks_comparison_fail(&j->golden, "rejected-good", "the roads differ: the library road answers %s", text);
    }
    ks_model_free(other);
}

// --- a case ---------------------------------------------------------------------------------------------------------

static void note_answer(judging *j, ks_code code) {
    j->out->accepted = code == KS_OK;
    snprintf(j->out->verdict, sizeof(j->out->verdict), "%s", ks_verdict_name(ks_code_verdict(code)));
    snprintf(j->out->code, sizeof(j->out->code), "%s", code == KS_OK ? "" : ks_code_name(code));
}

static void judge_refusal(judging *j, ks_code code) {
    char text[512];
    ks_error_format(&j->context.error, text, sizeof(text));
    if (ks_code_verdict(code) >= KS_VERDICT_USAGE) {
        ks_result_harness_error(j->out, &j->context.error);
        return;
    }
    if (j->c->expect != KS_EXPECT_ACCEPT) {
        if (ks_case_allows(j->c, j->out->verdict) || ks_case_allows(j->c, j->out->code))
            j->out->outcome = KS_OUTCOME_PASS;
        else
            ks_comparison_fail(&j->golden, "accepted-bad", "refused for another reason than the case lists: %s", text);
        return;
    }
    if (ks_code_verdict(code) == KS_UNSUPPORTED) {
        j->out->outcome = KS_OUTCOME_UNSUPPORTED;
        snprintf(j->out->message, sizeof(j->out->message), "%s", text);
        return;
    }
    ks_comparison_fail(&j->golden, "rejected-good", "%s", text);
}

static void judge_acceptance(judging *j, ks_roads roads) {
    if (j->c->expect == KS_EXPECT_REJECT) {
        ks_comparison_fail(&j->golden, "accepted-bad", "the file was accepted");
        return;
    }
    if (j->c->expect == KS_EXPECT_EITHER && !ks_case_allows(j->c, "accepted")) {
        ks_comparison_fail(&j->golden, "accepted-bad",
                           "the file was accepted, which is none of the answers the case lists");
        return;
    }
    check_weights(j);
    if (going_on(j))
        check_structure(j);
    if (going_on(j))
        check_outputs(j);
    if (going_on(j) && roads == KS_ROADS_BOTH)
        check_other_road(j);
    if (going_on(j))
        j->out->outcome = KS_OUTCOME_PASS;
}

static void judge_case(judging *j, ks_roads roads) {
    ks_code code;
    ks_context_init(&j->context, NULL);
    ks_comparison_open(&j->golden, j->out, j->c);
    code = load_case(&j->model, &j->context, j->c, roads == KS_ROADS_LIBRARY ? KS_ROAD_LIBRARY : KS_ROAD_STRICT);
    note_answer(j, code);
    if (code == KS_OK)
        judge_acceptance(j, roads);
    else
        judge_refusal(j, code);
    ks_comparison_close(&j->golden);
    ks_model_free(j->model);
    if (j->context.memory.n_live && j->out->outcome == KS_OUTCOME_PASS) {
        j->out->outcome = KS_OUTCOME_HARNESS_ERROR;
        snprintf(j->out->message, sizeof(j->out->message), "%llu allocations were not freed",
                 (unsigned long long)j->context.memory.n_live);
    }
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

void ks_judge(ks_result *out, const char *root, const char *id, ks_roads roads) {
    uint64_t start = now();
    ks_context context;
    ks_case c;
    judging j = {.out = out, .c = &c};
    memset(out, 0, sizeof(*out));
    ks_context_init(&context, NULL);
    if (ks_case_open(&c, &context, root, id) != KS_OK) {
        ks_result_harness_error(out, &context.error);
    } else {
        judge_case(&j, roads);
        ks_case_close(&c);
    }
    out->nanoseconds = now() - start;
}
