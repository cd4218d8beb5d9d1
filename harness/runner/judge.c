// SPDX-License-Identifier: Apache-2.0
#include "runner/judge.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include <kassay/model.h>
#include <kassay/npz.h>
#include <kassay/source.h>

#include "base/cast.h"
#include "runner/road_compare.h"

typedef struct judging {
    ks_result *out;
    const ks_case *c;
    ks_context context; ///< of the model
    ks_model *model;
    ks_context files; ///< of the golden files
    ks_source *weights_source, *io_source;
    ks_npz *weights, *io;
} judging;

// --- results --------------------------------------------------------------------------------------------------------

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static void
fail_case(judging *j, const char *kind, const char *format, ...) {
    va_list list;
    j->out->outcome = KS_OUTCOME_FAIL;
    snprintf(j->out->kind, sizeof(j->out->kind), "%s", kind);
    va_start(list, format);
    vsnprintf(j->out->message, sizeof(j->out->message), format, list);
    va_end(list);
}

static void harness_error(ks_result *out, const ks_error *error) {
    out->outcome = KS_OUTCOME_HARNESS_ERROR;
    ks_error_format(error, out->message, sizeof(out->message));
}

static bool going_on(const judging *j) {
    return j->out->outcome == KS_OUTCOME_NOT_RUN;
}

static bool open_npz(judging *j, ks_source **source, ks_npz **npz, const char *name) {
    char path[2048];
    ks_case_file(path, j->c, name);
    if (ks_source_open(source, &j->files, path) == KS_OK &&
        ks_npz_open(npz, &j->files, ks_source_bytes(*source)) == KS_OK)
        return true;
    harness_error(j->out, &j->files.error);
    return false;
}

static bool file_exists(const judging *j, const char *name) {
    struct stat status;
    char path[2048];
    ks_case_file(path, j->c, name);
    return stat(path, &status) == 0;
}

// --- structure ------------------------------------------------------------------------------------------------------

static void put_path(char *path, size_t size, const char *key) {
    size_t used = strlen(path);
    snprintf(path + used, size - used, "/%s", key);
}

static void show(char *text, size_t size, const ks_value *value) {
    switch (value->type) {
    case KS_VALUE_NULL:
        snprintf(text, size, "null");
        break;
    case KS_VALUE_BOOL:
        snprintf(text, size, "%s", value->as.boolean ? "true" : "false");
        break;
    case KS_VALUE_INT:
    case KS_VALUE_FLOAT:
        snprintf(text, size, "%.60s", value->text.data);
        break;
    case KS_VALUE_STRING:
        snprintf(text, size, "\"%.80s\"", value->text.data);
        break;
    case KS_VALUE_LIST:
        snprintf(text, size, "a list of %zu", value->as.list.count);
        break;
    case KS_VALUE_DICT:
        snprintf(text, size, "an object of %zu keys", value->as.dict.count);
        break;
    }
}

// False at the first difference, whose place is left in `path`.
static bool same_value(judging *j, char path[512], const ks_value *expected, const ks_value *got) {
    size_t used = strlen(path);
    char key[32];
    if (expected->type == KS_VALUE_DICT && got->type == KS_VALUE_DICT) {
        for (size_t i = 0; i < expected->as.dict.count; i++) {
            const ks_member *member = &expected->as.dict.members[i];
            const ks_value *other = ks_value_get(got, member->key.data);
            put_path(path, 512, member->key.data);
            if (!other) {
                fail_case(j, "wrong-structure", "%s: missing", path);
                return false;
            }
            if (!same_value(j, path, &member->value, other))
                return false;
            path[used] = 0;
        }
        for (size_t i = 0; i < got->as.dict.count; i++)
            if (!ks_value_get(expected, got->as.dict.members[i].key.data)) {
                fail_case(j, "wrong-structure", "%s/%s: not expected", path, got->as.dict.members[i].key.data);
                return false;
            }
        return true;
    }
    if (expected->type == KS_VALUE_LIST && got->type == KS_VALUE_LIST &&
        expected->as.list.count == got->as.list.count) {
        for (size_t i = 0; i < expected->as.list.count; i++) {
            snprintf(key, sizeof(key), "%zu", i);
            put_path(path, 512, key);
            if (!same_value(j, path, &expected->as.list.items[i], &got->as.list.items[i]))
                return false;
            path[used] = 0;
        }
        return true;
    }
    if (expected->type != KS_VALUE_LIST && expected->type != KS_VALUE_DICT && ks_value_equal(expected, got))
        return true;
    {
        char a[128], b[128];
        show(a, sizeof(a), expected);
        show(b, sizeof(b), got);
        fail_case(j, "wrong-structure", "%s: got %s, expected %s", path, b, a);
    }
    return false;
}

static void check_structure(judging *j) {
    ks_source *source = NULL;
    ks_json *expected = NULL, *got = NULL;
    ks_text text = {0};
    char path[2048], place[512] = "";
    if (!file_exists(j, "structure.json"))
        return;
    ks_case_file(path, j->c, "structure.json");
    if (ks_source_open(&source, &j->files, path) != KS_OK ||
        ks_json_parse(&expected, &j->files, ks_source_bytes(source), KS_ROAD_STRICT) != KS_OK) {
        harness_error(j->out, &j->files.error);
    } else if (ks_model_dump(&text, j->model) != KS_OK) {
        harness_error(j->out, &j->context.error);
    } else {
        ks_context_budget(&j->files, text.size * 16);
        if (ks_json_parse(&got, &j->files, (ks_bytes){(const uint8_t *)text.data, text.size}, KS_ROAD_STRICT) != KS_OK)
            harness_error(j->out, &j->files.error);
        else
            same_value(j, place, ks_json_root(expected), ks_json_root(got));
    }
    ks_free(&j->context, (void *)(uintptr_t)text.data);
    ks_json_free(expected);
    ks_json_free(got);
    ks_source_close(source);
}

// --- weights --------------------------------------------------------------------------------------------------------

static void check_weight(judging *j, size_t index) {
    ks_model_weight got = ks_model_weight_at(j->model, index);
    ks_tensor expected;
    char name[32], a[256], b[256];
    const uint8_t *left, *right;
    snprintf(name, sizeof(name), "weight.%zu", index);
    if (ks_npz_get(&expected, j->weights, name) != KS_OK) {
        fail_case(j, "wrong-weights", "%s (%s): not expected", name, got.path);
        return;
    }
    if (got.tensor.dtype != expected.dtype || !ks_shape_equal(&got.tensor.shape, &expected.shape)) {
        fail_case(j, "wrong-weights", "%s (%s): got %s %s, expected %s %s", name, got.path,
                  ks_dtype_name(got.tensor.dtype), ks_shape_format(&got.tensor.shape, a, sizeof(a)),
                  ks_dtype_name(expected.dtype), ks_shape_format(&expected.shape, b, sizeof(b)));
        return;
    }
    left = got.tensor.data;
    right = expected.data;
    for (size_t i = 0; i < expected.size; i++)
        if (left[i] != right[i]) {
            fail_case(j, "wrong-weights", "%s (%s): element %zu has other bits", name, got.path,
                      i / ks_dtype_size(expected.dtype));
            return;
        }
}

static void check_weight_names(judging *j) {
    ks_tensor names;
    const ks_text *texts;
    if (!ks_npz_has(j->weights, "names") || ks_npz_get(&names, j->weights, "names") != KS_OK)
        return;
    texts = names.data;
    for (size_t i = 0; i < ks_model_weight_count(j->model) && going_on(j); i++) {
        const char *path = ks_model_weight_at(j->model, i).path;
        if (i >= names.size / sizeof(ks_text) || !ks_text_is(texts[i], path))
            fail_case(j, "wrong-weights", "weight.%zu: got the path %s, expected %s", i, path,
                      i < names.size / sizeof(ks_text) ? texts[i].data : "none");
    }
}

static void check_weights(judging *j) {
    size_t count = ks_model_weight_count(j->model), expected = 0;
    if (!file_exists(j, "weights.npz") || !open_npz(j, &j->weights_source, &j->weights, "weights.npz"))
        return;
    for (size_t i = 0; i < ks_npz_count(j->weights); i++)
        expected += strncmp(ks_npz_name(j->weights, i), "weight.", 7) == 0;
    check_weight_names(j);
    for (size_t i = 0; i < count && going_on(j); i++)
        check_weight(j, i);
    if (going_on(j) && count != expected)
        fail_case(j, "wrong-weights", "got %zu weights, expected %zu", count, expected);
}

// --- outputs --------------------------------------------------------------------------------------------------------

static double element(const ks_tensor *tensor, size_t index) {
    double value = 0;
    ks_cast(&value, KS_FLOAT64, (const char *)tensor->data + index * ks_dtype_size(tensor->dtype), tensor->dtype, 1);
    return value;
}

static void describe_index(char *text, size_t size, const ks_shape *shape, size_t index) {
    size_t positions[KS_MAX_RANK], used = 0;
    for (int i = shape->rank; i-- > 0;) {
        positions[i] = index % (size_t)shape->dims[i];
        index /= (size_t)shape->dims[i];
    }
    used += (size_t)snprintf(text, size, "[");
    for (int i = 0; i < shape->rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%zu", i ? ", " : "", positions[i]);
    if (used < size)
        snprintf(text + used, size - used, "]");
}

static void check_output(judging *j, const ks_tensor *got, const char *name, const char *layer, double atol,
                         double rtol, const char *type) {
    ks_tensor expected;
    char a[256], b[256];
    uint64_t count;
    if (ks_npz_get(&expected, j->io, name) != KS_OK) {
        harness_error(j->out, &j->files.error);
        return;
    }
    if (!ks_shape_equal(&got->shape, &expected.shape) || !ks_shape_elements(&expected.shape, &count)) {
        fail_case(j, "wrong-value", "%s: got shape %s, expected %s", name, ks_shape_format(&got->shape, a, sizeof(a)),
                  ks_shape_format(&expected.shape, b, sizeof(b)));
        return;
    }
    if (got->dtype != expected.dtype) {
        fail_case(j, "wrong-value", "%s: got dtype %s, expected %s", name, ks_dtype_name(got->dtype),
                  ks_dtype_name(expected.dtype));
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        double x = element(got, (size_t)i), y = element(&expected, (size_t)i);
        double bound = atol + rtol * fabs(y);
        if (fabs(x - y) <= bound || (isnan(x) && isnan(y)) || x == y)
            continue;
        describe_index(a, sizeof(a), &expected.shape, (size_t)i);
        fail_case(j, "wrong-value", "%s%s of layer \"%s\" in %s: got %.9g, expected %.9g, off by %.3g, bound %.3g",
                  name, a, layer, type, x, y, fabs(x - y), bound);
        return;
    }
}

static void check_run(judging *j, const ks_tensor *inputs, size_t n_inputs, ks_dtype real) {
    bool wide = real == KS_FLOAT64;
    ks_prediction *prediction;
    char name[32];
    if (ks_model_predict(&prediction, j->model, inputs, n_inputs, real) != KS_OK) {
        char text[512];
        ks_error_format(&j->context.error, text, sizeof(text));
        if (ks_code_verdict(j->context.error.code) == KS_UNSUPPORTED) {
            j->out->outcome = KS_OUTCOME_UNSUPPORTED;
            snprintf(j->out->message, sizeof(j->out->message), "%s", text);
        } else {
            fail_case(j, "wrong-value", "no prediction: %s", text);
        }
        return;
    }
    if (ks_prediction_count(prediction) != j->c->n_outputs)
        fail_case(j, "wrong-value", "got %zu outputs, expected %zu", ks_prediction_count(prediction), j->c->n_outputs);
    for (size_t i = 0; i < j->c->n_outputs && going_on(j); i++) {
        ks_tensor got = ks_prediction_at(prediction, i);
        snprintf(name, sizeof(name), wide ? "float64.%zu" : "output.%zu", i);
        check_output(j, &got, name, ks_model_output_at(j->model, i).name, wide ? j->c->float64_atol[i] : j->c->atol[i],
                     wide ? 0 : j->c->rtol, wide ? "float64" : "float32");
    }
    ks_prediction_free(prediction);
}

static void check_outputs(judging *j) {
    ks_tensor inputs[KS_CASE_MAX_OUTPUTS];
    size_t n_inputs = ks_model_input_count(j->model);
    char name[32];
    if (!j->c->predict || !open_npz(j, &j->io_source, &j->io, "io.npz"))
        return;
    if (n_inputs > KS_CASE_MAX_OUTPUTS) {
        fail_case(j, "wrong-structure", "more inputs than a case can have");
        return;
    }
    for (size_t i = 0; i < n_inputs; i++) {
        snprintf(name, sizeof(name), "input.%zu", i);
        if (ks_npz_get(&inputs[i], j->io, name) != KS_OK) {
            harness_error(j->out, &j->files.error);
            return;
        }
    }
    check_run(j, inputs, n_inputs, KS_FLOAT32);
    if (going_on(j))
        check_run(j, inputs, n_inputs, KS_FLOAT64);
}

// --- the other road -------------------------------------------------------------------------------------------------

static void model_options(ks_model_options *options, char path[2048], const ks_case *c, ks_road road) {
    memset(options, 0, sizeof(*options));
    options->road = road;
    options->format = c->format;
    if (c->architecture) {
        ks_case_file(path, c, c->architecture);
        options->architecture = path;
    }
}

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
    if (ks_source_open(&source, &j->files, path) != KS_OK) {
        harness_error(j->out, &j->files.error);
        return false;
    }
    if (strcmp(j->c->format, "keras-v3") == 0)
        code = ks_roads_compare_archive(&result, &j->files, NULL, ks_source_bytes(source));
    else if (strcmp(j->c->format, "weights-v3") == 0)
        code = ks_roads_compare_hdf5(&result, &j->files, NULL, ks_source_bytes(source));
    else
        code = ks_roads_compare_json(&result, &j->files, NULL, ks_source_bytes(source));
    ks_source_close(source);
    if (code != KS_OK) {
        harness_error(j->out, &j->files.error);
        return false;
    }
    *listed = result.outcome == KS_ROADS_LISTED;
    if (result.outcome == KS_ROADS_DIFFER)
        fail_case(j, "wrong-structure", "the roads differ at %s: %s", result.where, result.message);
    return result.outcome != KS_ROADS_DIFFER;
}

static void compare_models(judging *j, const ks_model *other) {
    size_t count = ks_model_weight_count(j->model);
    if (ks_model_weight_count(other) != count)
        fail_case(j, "wrong-weights", "the roads differ: %zu and %zu weights", count, ks_model_weight_count(other));
    for (size_t i = 0; i < count && going_on(j); i++) {
        ks_model_weight a = ks_model_weight_at(j->model, i), b = ks_model_weight_at(other, i);
        if (strcmp(a.path, b.path) != 0 || a.tensor.size != b.tensor.size ||
            (a.tensor.size && a.tensor.data && memcmp(a.tensor.data, b.tensor.data, a.tensor.size) != 0))
            fail_case(j, "wrong-weights", "the roads differ in %s", a.path);
    }
}

static void check_other_road(judging *j) {
    ks_model_options options;
    ks_context context;
    ks_model *other = NULL;
    char artifact[2048], architecture[2048];
    bool listed;
    if (!containers_agree(j, &listed) || listed)
        return;
    ks_context_init(&context, NULL);
    model_options(&options, architecture, j->c, KS_ROAD_LIBRARY);
    ks_case_file(artifact, j->c, j->c->artifact);
    if (ks_model_load(&other, &context, artifact, &options) == KS_OK) {
        compare_models(j, other);
    } else {
        char text[512];
        ks_error_format(&context.error, text, sizeof(text));
        fail_case(j, "rejected-good", "the roads differ: the library road answers %s", text);
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
        harness_error(j->out, &j->context.error);
        return;
    }
    if (j->c->expect != KS_EXPECT_ACCEPT) {
        if (ks_case_allows(j->c, j->out->verdict) || ks_case_allows(j->c, j->out->code))
            j->out->outcome = KS_OUTCOME_PASS;
        else
            fail_case(j, "accepted-bad", "refused for another reason than the case lists: %s", text);
        return;
    }
    if (ks_code_verdict(code) == KS_UNSUPPORTED) {
        j->out->outcome = KS_OUTCOME_UNSUPPORTED;
        snprintf(j->out->message, sizeof(j->out->message), "%s", text);
        return;
    }
    fail_case(j, "rejected-good", "%s", text);
}

static void judge_acceptance(judging *j, ks_roads roads) {
    if (j->c->expect == KS_EXPECT_REJECT) {
        fail_case(j, "accepted-bad", "the file was accepted");
        return;
    }
    if (j->c->expect == KS_EXPECT_EITHER && !ks_case_allows(j->c, "accepted")) {
        fail_case(j, "accepted-bad", "the file was accepted, which is none of the answers the case lists");
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
    ks_model_options options;
    char artifact[2048], architecture[2048];
    ks_code code;
    ks_context_init(&j->context, NULL);
    ks_context_init(&j->files, NULL);
    model_options(&options, architecture, j->c, roads == KS_ROADS_LIBRARY ? KS_ROAD_LIBRARY : KS_ROAD_STRICT);
    ks_case_file(artifact, j->c, j->c->artifact);
    // A reject case is judged by `check`, which looks at everything; an accept case by a load.
    if (j->c->expect == KS_EXPECT_REJECT) {
        code = ks_model_check(&j->context, artifact, &options);
    } else {
        code = ks_model_load(&j->model, &j->context, artifact, &options);
    }
    note_answer(j, code);
    if (code == KS_OK)
        judge_acceptance(j, roads);
    else
        judge_refusal(j, code);
    ks_npz_close(j->weights);
    ks_npz_close(j->io);
    ks_source_close(j->weights_source);
    ks_source_close(j->io_source);
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
        harness_error(out, &context.error);
    } else {
        judge_case(&j, roads);
        ks_case_close(&c);
    }
    out->nanoseconds = now() - start;
}
