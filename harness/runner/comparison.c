// SPDX-License-Identifier: Apache-2.0
#include "runner/comparison.h"

#include <fnmatch.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cast.h"

// --- results --------------------------------------------------------------------------------------------------------

void ks_result_harness_error(ks_result *out, const ks_error *error) {
    out->outcome = KS_OUTCOME_HARNESS_ERROR;
    ks_error_format(error, out->message, sizeof(out->message));
}

void ks_comparison_fail(ks_comparison *j, const char *kind, const char *format, ...) {
    va_list list;
    j->out->outcome = KS_OUTCOME_FAIL;
    snprintf(j->out->kind, sizeof(j->out->kind), "%s", kind);
    va_start(list, format);
    vsnprintf(j->out->message, sizeof(j->out->message), format, list);
    va_end(list);
}

bool ks_comparison_going_on(const ks_comparison *j) {
    return j->out->outcome == KS_OUTCOME_NOT_RUN;
}

// --- golden files ---------------------------------------------------------------------------------------------------

void ks_comparison_open(ks_comparison *out, ks_result *result, const ks_case *c) {
    memset(out, 0, sizeof(*out));
    out->out = result;
    out->c = c;
    ks_context_init(&out->files, NULL);
}

void ks_comparison_close(ks_comparison *j) {
    ks_npz_close(j->weights);
    ks_npz_close(j->io);
    ks_source_close(j->weights_source);
    ks_source_close(j->io_source);
    j->weights = j->io = NULL;
    j->weights_source = j->io_source = NULL;
}

bool ks_case_has_file(const ks_case *c, const char *name) {
    struct stat status;
    char path[2048];
    ks_case_file(path, c, name);
    return stat(path, &status) == 0;
}

static bool open_npz(ks_comparison *j, ks_source **source, ks_npz **npz, const char *name) {
    char path[2048];
    if (*npz)
        return true;
    ks_case_file(path, j->c, name);
    if (ks_source_open(source, &j->files, path) == KS_OK &&
        ks_npz_open(npz, &j->files, ks_source_bytes(*source)) == KS_OK)
        return true;
    ks_result_harness_error(j->out, &j->files.error);
    return false;
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

// What the dump of an adapter need not have.
static bool may_be_missing(const char *path) {
    static const char *const patterns[] = {"/*",
                                           "/inputs/*/name",
                                           "/layers/*/path",
                                           "/layers/*/class",
                                           "/variables/*/path",
                                           "/variables/*/name",
                                           "/variables/*/sha256",
                                           NULL};
    for (size_t i = 0; patterns[i]; i++)
        if (fnmatch(patterns[i], path, FNM_PATHNAME) == 0)
            return true;
    return false;
}

// False at the first difference, whose place is left in `path`.
static bool same_value(ks_comparison *j, char path[512], const ks_value *expected, const ks_value *got, bool partial) {
    size_t used = strlen(path);
    char key[32];
    if (expected->type == KS_VALUE_DICT && got->type == KS_VALUE_DICT) {
        for (size_t i = 0; i < expected->as.dict.count; i++) {
            const ks_member *member = &expected->as.dict.members[i];
            const ks_value *other = ks_value_get(got, member->key.data);
            put_path(path, 512, member->key.data);
            if (!other && partial && may_be_missing(path)) {
                path[used] = 0;
                continue;
            }
            if (!other) {
                ks_comparison_fail(j, "wrong-structure", "%s: missing", path);
                return false;
            }
            if (!same_value(j, path, &member->value, other, partial))
                return false;
            path[used] = 0;
        }
        for (size_t i = 0; i < got->as.dict.count; i++)
            if (!ks_value_get(expected, got->as.dict.members[i].key.data)) {
                ks_comparison_fail(j, "wrong-structure", "%s/%s: not expected", path, got->as.dict.members[i].key.data);
                return false;
            }
        return true;
    }
    if (expected->type == KS_VALUE_LIST && got->type == KS_VALUE_LIST &&
        expected->as.list.count == got->as.list.count) {
        for (size_t i = 0; i < expected->as.list.count; i++) {
            snprintf(key, sizeof(key), "%zu", i);
            put_path(path, 512, key);
            if (!same_value(j, path, &expected->as.list.items[i], &got->as.list.items[i], partial))
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
        ks_comparison_fail(j, "wrong-structure", "%s: got %s, expected %s", path, b, a);
    }
    return false;
}

void ks_compare_structure(ks_comparison *j, const ks_value *got, bool partial) {
    ks_source *source = NULL;
    ks_json *expected = NULL;
    char path[2048], place[512] = "";
    ks_case_file(path, j->c, "structure.json");
    if (ks_source_open(&source, &j->files, path) != KS_OK ||
        ks_json_parse(&expected, &j->files, ks_source_bytes(source), KS_ROAD_STRICT) != KS_OK)
        ks_result_harness_error(j->out, &j->files.error);
    else
        same_value(j, place, ks_json_root(expected), got, partial);
    ks_json_free(expected);
    ks_source_close(source);
}

// --- weights --------------------------------------------------------------------------------------------------------

static const char *shown_path(const ks_given_weight *weight) {
    return weight->path ? weight->path : "no path said";
}

static void compare_weight(ks_comparison *j, const ks_given_weight *got, const ks_tensor *expected, size_t index) {
    char a[256], b[256];
    const uint8_t *left = got->tensor.data, *right = expected->data;
    if (got->tensor.dtype != expected->dtype || !ks_shape_equal(&got->tensor.shape, &expected->shape)) {
        ks_comparison_fail(j, "wrong-weights", "weight.%zu (%s): got %s %s, expected %s %s", index, shown_path(got),
                           ks_dtype_name(got->tensor.dtype), ks_shape_format(&got->tensor.shape, a, sizeof(a)),
                           ks_dtype_name(expected->dtype), ks_shape_format(&expected->shape, b, sizeof(b)));
        return;
    }
    if (!left && expected->size) {
        ks_comparison_fail(j, "wrong-weights", "weight.%zu (%s): has no data", index, shown_path(got));
        return;
    }
    for (size_t i = 0; i < expected->size; i++)
        if (left[i] != right[i]) {
            ks_comparison_fail(j, "wrong-weights", "weight.%zu (%s): element %zu has other bits", index,
                               shown_path(got), i / ks_dtype_size(expected->dtype));
            return;
        }
}

void ks_compare_weights_with(ks_comparison *j, const ks_given_weight *given, size_t count,
                             const ks_given_weight *expected, size_t n_expected) {
    for (size_t i = 0; i < count && i < n_expected && ks_comparison_going_on(j); i++)
        compare_weight(j, &given[i], &expected[i].tensor, i);
    if (ks_comparison_going_on(j) && count != n_expected)
        ks_comparison_fail(j, "wrong-weights", "got %zu weights, expected %zu", count, n_expected);
}

static void compare_golden(ks_comparison *j, const ks_given_weight *got, size_t index) {
    ks_tensor expected;
    char name[32];
    snprintf(name, sizeof(name), "weight.%zu", index);
    if (ks_npz_get(&expected, j->weights, name) == KS_OK)
        compare_weight(j, got, &expected, index);
    else
        ks_comparison_fail(j, "wrong-weights", "%s (%s): not expected", name, shown_path(got));
}

static void compare_paths(ks_comparison *j, const ks_given_weight *given, size_t count) {
    ks_tensor names;
    const ks_text *texts;
    if (!ks_npz_has(j->weights, "names") || ks_npz_get(&names, j->weights, "names") != KS_OK)
        return;
    texts = names.data;
    for (size_t i = 0; i < count && ks_comparison_going_on(j); i++) {
        const char *path = given[i].path;
        if (path && (i >= names.size / sizeof(ks_text) || !ks_text_is(texts[i], path)))
            ks_comparison_fail(j, "wrong-weights", "weight.%zu: got the path %s, expected %s", i, path,
                               i < names.size / sizeof(ks_text) ? texts[i].data : "none");
    }
}

void ks_compare_weights(ks_comparison *j, const ks_given_weight *given, size_t count) {
    size_t expected = 0;
    if (!open_npz(j, &j->weights_source, &j->weights, "weights.npz"))
        return;
    for (size_t i = 0; i < ks_npz_count(j->weights); i++)
        expected += strncmp(ks_npz_name(j->weights, i), "weight.", 7) == 0;
    compare_paths(j, given, count);
    for (size_t i = 0; i < count && ks_comparison_going_on(j); i++)
        compare_golden(j, &given[i], i);
    if (ks_comparison_going_on(j) && count != expected)
        ks_comparison_fail(j, "wrong-weights", "got %zu weights, expected %zu", count, expected);
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

static const char *layer_of(char *text, size_t size, const ks_given_output *got) {
    snprintf(text, size, "%s%s%s", got->layer ? " of layer \"" : "", got->layer ? got->layer : "",
             got->layer ? "\"" : "");
    return text;
}

// As one line of plain text, whatever bytes an adapter gave.
static const char *shown_text(char *out, size_t size, ks_text text) {
    size_t used = 0;
    for (size_t i = 0; i < text.size && used + 1 < size; i++)
        out[used++] = (uint8_t)text.data[i] < ' ' || text.data[i] == 0x7f ? '?' : text.data[i];
    out[used] = '\0';
    return out;
}

// Strings are equal or not.
static void compare_strings(ks_comparison *j, const ks_given_output *got, const char *name, const ks_tensor *expected,
                            size_t count) {
    const ks_text *x = got->tensor.data, *y = expected->data;
    char index[256], layer[256], a[81], b[81];
    for (size_t i = 0; i < count; i++) {
        if (ks_text_equal(x[i], y[i]))
            continue;
        describe_index(index, sizeof(index), &expected->shape, i);
        ks_comparison_fail(j, "wrong-value", "%s%s%s: got \"%s\", expected \"%s\"", name, index,
                           layer_of(layer, sizeof(layer), got), shown_text(a, sizeof(a), x[i]),
                           shown_text(b, sizeof(b), y[i]));
        return;
    }
}

static void compare_output(ks_comparison *j, const ks_given_output *got, const char *name, double atol, double rtol,
                           const char *type) {
    const ks_tensor *tensor = &got->tensor;
    ks_tensor expected;
    char a[256], b[256], layer[256];
    uint64_t count;
    if (ks_npz_get(&expected, j->io, name) != KS_OK) {
        ks_result_harness_error(j->out, &j->files.error);
        return;
    }
    if (!ks_shape_equal(&tensor->shape, &expected.shape) || !ks_shape_elements(&expected.shape, &count)) {
        ks_comparison_fail(j, "wrong-value", "%s: got shape %s, expected %s", name,
                           ks_shape_format(&tensor->shape, a, sizeof(a)),
                           ks_shape_format(&expected.shape, b, sizeof(b)));
        return;
    }
    if (tensor->dtype != expected.dtype) {
        ks_comparison_fail(j, "wrong-value", "%s: got dtype %s, expected %s", name, ks_dtype_name(tensor->dtype),
                           ks_dtype_name(expected.dtype));
        return;
    }
    if (expected.dtype == KS_STRING) {
        compare_strings(j, got, name, &expected, (size_t)count);
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        double x = element(tensor, (size_t)i), y = element(&expected, (size_t)i);
        double bound = atol + rtol * fabs(y);
        if (fabs(x - y) <= bound || (isnan(x) && isnan(y)) || x == y)
            continue;
        describe_index(a, sizeof(a), &expected.shape, (size_t)i);
        ks_comparison_fail(j, "wrong-value", "%s%s%s in %s: got %.9g, expected %.9g, off by %.3g, bound %.3g", name, a,
                           layer_of(layer, sizeof(layer), got), type, x, y, fabs(x - y), bound);
        return;
    }
}

void ks_compare_outputs(ks_comparison *j, const ks_given_output *given, size_t count, ks_dtype real) {
    bool wide = real == KS_FLOAT64;
    char name[32];
    if (!open_npz(j, &j->io_source, &j->io, "io.npz"))
        return;
    if (count != j->c->n_outputs)
        ks_comparison_fail(j, "wrong-value", "got %zu outputs, expected %zu", count, j->c->n_outputs);
    for (size_t i = 0; i < j->c->n_outputs && ks_comparison_going_on(j); i++) {
        snprintf(name, sizeof(name), wide ? "float64.%zu" : "output.%zu", i);
        compare_output(j, &given[i], name, wide ? j->c->float64_atol[i] : j->c->atol[i], wide ? 0 : j->c->rtol,
                       wide ? "float64" : "float32");
    }
}

bool ks_golden_input(ks_tensor *out, ks_comparison *j, size_t index) {
    char name[32];
    snprintf(name, sizeof(name), "input.%zu", index);
    if (!open_npz(j, &j->io_source, &j->io, "io.npz"))
        return false;
    if (ks_npz_get(out, j->io, name) == KS_OK)
        return true;
    ks_result_harness_error(j->out, &j->files.error);
    return false;
}
