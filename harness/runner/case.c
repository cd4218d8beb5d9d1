// SPDX-License-Identifier: Apache-2.0
#include "runner/case.h"

#include <kassay/registry.h>
#include <kassay/source.h>

#include <pthread.h>
#include <stdio.h>

static const char *const formats[] = {"keras-v3",      "keras-v3-dir",      "weights-v3",       "weights-v3-sharded",
                                      "h5-legacy",     "h5-weights-legacy", "json-v3",          "json-legacy",
                                      "tf-checkpoint", "savedmodel",        "savedmodel-graph", NULL};
static const char *const required[] = {"schema", "title",  "format",  "since",  "revision",       "artifact",
                                       "load",   "writer", "level",   "expect", "reason",         "clauses",
                                       "tags",   "cves",   "predict", "train",  "custom_objects", "twin",
                                       "edit",   "kills",  "budget",  NULL};

void ks_case_file(char path[2048], const ks_case *c, const char *name) {
    snprintf(path, 2048, "%s/%s", c->folder, name);
}

static ks_code wrong(const ks_case *c, const char *key, const char *what) {
    return ks_fail(c->context, KS_E_USAGE, KS_STAGE_NONE, KS_NO_OFFSET, c->id, "case.json: \"%s\" %s", key, what);
}

static ks_code get_text(const char **out, const ks_case *c, const ks_value *object, const char *key, bool nullable) {
    const ks_value *value = ks_value_get(object, key);
    *out = NULL;
    if (value && value->type == KS_VALUE_STRING)
        *out = value->text.data;
    else if (!value || value->type != KS_VALUE_NULL || !nullable)
        return wrong(c, key, "should be a string");
    return KS_OK;
}

static bool is_one_of(const char *const *list, const char *text) {
    while (*list && strcmp(*list, text) != 0)
        list++;
    return *list != NULL;
}

static ks_code check_keys(const ks_case *c, const ks_value *root) {
    if (root->type != KS_VALUE_DICT)
        return wrong(c, "", "should be an object");
    for (size_t i = 0; required[i]; i++)
        if (!ks_value_get(root, required[i]))
            return wrong(c, required[i], "is missing");
    for (size_t i = 0; i < root->as.dict.count; i++)
        if (!is_one_of(required, root->as.dict.members[i].key.data))
            return wrong(c, root->as.dict.members[i].key.data, "is not known");
    if (!ks_value_is_text(ks_value_get(root, "schema"), "kassay-case/1"))
        return wrong(c, "schema", "should be \"kassay-case/1\"");
    return KS_OK;
}

static ks_code get_expect(ks_case *c, const ks_value *root) {
    const ks_value *expect = ks_value_get(root, "expect");
    c->reason = ks_value_get(root, "reason");
    if (c->reason->type != KS_VALUE_LIST)
        c->reason = NULL;
    if (ks_value_is_text(expect, "accept"))
        c->expect = KS_EXPECT_ACCEPT;
    else if (ks_value_is_text(expect, "reject"))
        c->expect = KS_EXPECT_REJECT;
    else if (ks_value_is_text(expect, "either"))
        c->expect = KS_EXPECT_EITHER;
    else
        return wrong(c, "expect", "should be accept, reject or either");
    if (c->expect != KS_EXPECT_ACCEPT && !c->reason)
        return wrong(c, "reason", "should list the acceptable answers");
    if (c->expect == KS_EXPECT_REJECT && !c->twin)
        return wrong(c, "twin", "should name the accepted sibling");
    return KS_OK;
}

static ks_code get_numbers(double *out, size_t *count, const ks_case *c, const ks_value *predict, const char *key) {
    const ks_value *list = ks_value_get(predict, key);
    if (!list || list->type != KS_VALUE_LIST || list->as.list.count > KS_CASE_MAX_OUTPUTS)
        return wrong(c, key, "should be a list of numbers, one per output");
    for (size_t i = 0; i < list->as.list.count; i++)
        if (!ks_value_number(&list->as.list.items[i], &out[i]) || !(out[i] >= 0))
            return wrong(c, key, "should hold numbers that are not negative");
    *count = list->as.list.count;
    return KS_OK;
}

static ks_code get_predict(ks_case *c, const ks_value *root) {
    const ks_value *predict = ks_value_get(root, "predict");
    size_t n_doubles;
    ks_code code;
    if (predict->type == KS_VALUE_NULL)
        return KS_OK;
    if (!ks_value_get(predict, "bound") || !ks_value_is_text(ks_value_get(predict, "bound"), "stated"))
        return wrong(c, "predict", "should have the bound \"stated\": computed bounds are not known yet");
    KS_TRY(get_numbers(c->atol, &c->n_outputs, c, predict, "atol"));
    KS_TRY(get_numbers(c->float64_atol, &n_doubles, c, predict, "float64_atol"));
    if (n_doubles != c->n_outputs)
        return wrong(c, "float64_atol", "should have as many numbers as atol");
    if (!ks_value_get(predict, "rtol") || !ks_value_number(ks_value_get(predict, "rtol"), &c->rtol))
        return wrong(c, "rtol", "should be a number");
    c->predict = true;
done:
    return code;
}

static ks_code get_flag(bool *out, const ks_case *c, const ks_member *member) {
    if (member->value.type != KS_VALUE_BOOL)
        return wrong(c, member->key.data, "should be true or false");
    *out = member->value.as.boolean;
    return KS_OK;
}

static ks_code get_backend(ks_case *c, const ks_value *value) {
    int backend = value->type == KS_VALUE_STRING ? ks_backend_by_name(value->text.data) : -1;
    if (backend < 0)
        return wrong(c, "backend", "should be tensorflow or theano");
    c->backend = (ks_backend)backend;
    return KS_OK;
}

static ks_code get_options(ks_case *c, const ks_value *options) {
    ks_code code = KS_OK;
    if (!options || options->type != KS_VALUE_DICT)
        return wrong(c, "options", "should be an object");
    for (size_t i = 0; i < options->as.dict.count; i++) {
        const ks_member *member = &options->as.dict.members[i];
        if (ks_text_is(member->key, "by_name"))
            KS_TRY(get_flag(&c->by_name, c, member));
        else if (ks_text_is(member->key, "skip_mismatch"))
            KS_TRY(get_flag(&c->skip_mismatch, c, member));
        else if (ks_text_is(member->key, "backend"))
            KS_TRY(get_backend(c, &member->value));
        else if (ks_text_is(member->key, "into"))
            KS_TRY(get_text(&c->into, c, options, "into", false));
        else
            return wrong(c, member->key.data, "is no option of a load");
    }
done:
    return code;
}

bool ks_case_loads_into(const ks_case *c) {
    return c->into || c->initial || c->by_name || c->skip_mismatch;
}

static ks_code read_case(ks_case *c) {
    const ks_value *root = ks_json_root(c->json);
    ks_code code;
    KS_TRY(check_keys(c, root));
    KS_TRY(get_text(&c->title, c, root, "title", false));
    KS_TRY(get_text(&c->format, c, root, "format", false));
    if (!is_one_of(formats, c->format))
        return wrong(c, "format", "is none of the formats");
    KS_TRY(get_text(&c->artifact, c, root, "artifact", false));
    if (strchr(c->artifact, '/') || c->artifact[0] == '.')
        return wrong(c, "artifact", "should be a name in the case's folder");
    KS_TRY(get_text(&c->architecture, c, ks_value_get(root, "load"), "architecture", true));
    KS_TRY(get_text(&c->initial, c, ks_value_get(root, "load"), "initial", true));
    KS_TRY(get_options(c, ks_value_get(ks_value_get(root, "load"), "options")));
    KS_TRY(get_text(&c->writer, c, ks_value_get(root, "writer"), "keras", false));
    KS_TRY(get_text(&c->twin, c, root, "twin", true));
    KS_TRY(get_expect(c, root));
    KS_TRY(get_predict(c, root));
done:
    return code;
}

ks_code ks_case_open(ks_case *out, ks_context *context, const char *root, const char *id) {
    ks_source *source = NULL;
    char path[2048];
    ks_code code;
    memset(out, 0, sizeof(*out));
    out->context = context;
    snprintf(out->id, sizeof(out->id), "%s", id);
    snprintf(out->folder, sizeof(out->folder), "%s/%s", root, id);
    ks_case_file(path, out, "case.json");
    KS_TRY(ks_source_open(&source, context, path));
    KS_TRY(ks_json_parse(&out->json, context, ks_source_bytes(source), KS_ROAD_STRICT));
    KS_TRY(read_case(out));
done:
    ks_source_close(source);
    if (code != KS_OK)
        ks_case_close(out);
    return code;
}

void ks_case_close(ks_case *c) {
    ks_json_free(c->json);
    c->json = NULL;
}

bool ks_case_allows(const ks_case *c, const char *answer) {
    for (size_t i = 0; c->reason && i < c->reason->as.list.count; i++)
        if (ks_value_is_text(&c->reason->as.list.items[i], answer))
            return true;
    return false;
}

// --- custom objects -------------------------------------------------------------------------------------------------

const ks_registry *ks_case_custom_objects(ks_context *context, const ks_case *c) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct {
        char name[64];
        ks_registry *registry;
    } loaded[8];
    const ks_value *names = ks_value_get(ks_json_root(c->json), "custom_objects");
    const char *name;
    const ks_registry *found = NULL;
    if (!names || names->type != KS_VALUE_LIST || names->as.list.count == 0)
        return NULL;
    name = names->as.list.items[0].text.data; // a case uses one file of golden/custom/
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < sizeof(loaded) / sizeof(loaded[0]) && !found; i++) {
        if (!loaded[i].registry) {
            loaded[i].registry = ks_registry_new();
            snprintf(loaded[i].name, sizeof(loaded[i].name), "%s", name ? name : "");
            if (loaded[i].registry)
                ks_registry_load_named(loaded[i].registry, context, loaded[i].name);
        }
        if (loaded[i].registry && name && strcmp(loaded[i].name, name) == 0)
            found = loaded[i].registry;
    }
    pthread_mutex_unlock(&lock);
    return found;
}
