// SPDX-License-Identifier: Apache-2.0
#include "runner/results.h"

#include <kassay/json_writer.h>
#include <kassay/source.h>
#include <kassay/writer.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/name_table.h"
#include "base/sha256.h"

// --- writing --------------------------------------------------------------------------------------------------------

typedef struct lines {
    ks_context *context;
    char *data;
    size_t size, room;
    ks_code code;
} lines;

static void put(lines *l, const char *text, size_t size) {
    if (l->code != KS_OK)
        return;
    if (l->size + size + 2 > l->room) {
        size_t room = 2 * (l->size + size) + 4096;
        char *bigger = ks_allocate(l->context, room, 1);
        if (!bigger) {
            l->code = l->context->error.code;
            return;
        }
        if (l->size)
            memcpy(bigger, l->data, l->size);
        ks_free(l->context, l->data);
        l->data = bigger;
        l->room = room;
    }
    memcpy(l->data + l->size, text, size);
    l->size += size;
}

static void end_line(lines *l, ks_json_writer *w) {
    ks_text text = {0};
    ks_code code = ks_json_writer_finish(&text, w);
    if (code != KS_OK) {
        l->code = code;
        return;
    }
    put(l, text.data, text.size);
    put(l, "\n", 1);
    ks_free(l->context, (void *)(uintptr_t)text.data);
}

static void begin_line(lines *l, ks_json_writer *w) {
    ks_json_writer_init(w, l->context, (ks_json_style){0, true});
    ks_json_begin_object(w);
}

static const char *implementation_of(const ks_plan *plan) {
    return plan->implementation ? plan->implementation : "kassay";
}

static const char *version_of(const ks_plan *plan) {
    return plan->version ? plan->version : KASSAY_VERSION;
}

static void put_header(lines *l, const ks_plan *plan) {
    ks_json_writer w;
    begin_line(l, &w);
    ks_json_put_key(&w, "kassay");
    ks_json_put_string(&w, "results/1");
    ks_json_put_key(&w, "implementation");
    ks_json_put_string(&w, implementation_of(plan));
    ks_json_put_key(&w, "version");
    ks_json_put_string(&w, version_of(plan));
    ks_json_put_key(&w, "started");
    ks_json_put_int(&w, (int64_t)time(NULL));
    ks_json_end_object(&w);
    end_line(l, &w);
}

static void put_plan(lines *l, const ks_plan *plan) {
    ks_json_writer w;
    begin_line(l, &w);
    ks_json_put_key(&w, "plan");
    ks_json_begin_list(&w);
    for (size_t i = 0; i < plan->count; i++)
        ks_json_put_string(&w, plan->items[i].id);
    ks_json_end_list(&w);
    ks_json_end_object(&w);
    end_line(l, &w);
}

static void put_result(lines *l, const char *id, const ks_result *result) {
    char text[KS_OUTCOME_TEXT_SIZE];
    ks_json_writer w;
    begin_line(l, &w);
    ks_json_put_key(&w, "id");
    ks_json_put_string(&w, id);
    ks_json_put_key(&w, "outcome");
    ks_json_put_string(&w, ks_outcome_text(text, result));
    ks_json_put_key(&w, "message");
    ks_json_put_string(&w, result->message);
    ks_json_put_key(&w, "verdict");
    ks_json_put_string(&w, result->verdict);
    ks_json_put_key(&w, "code");
    ks_json_put_string(&w, result->code);
    ks_json_put_key(&w, "ns");
    ks_json_put_uint(&w, result->nanoseconds);
    ks_json_end_object(&w);
    end_line(l, &w);
}

static void put_footer(lines *l, const ks_result *results, size_t n_results) {
    size_t counts[KS_N_OUTCOMES] = {0};
    char digest[65];
    ks_json_writer w;
    if (l->code != KS_OK)
        return;
    ks_sha256_hex(digest, l->data, l->size);
    for (size_t i = 0; i < n_results; i++)
        counts[results[i].outcome]++;
    begin_line(l, &w);
    ks_json_put_key(&w, "counts");
    ks_json_begin_object(&w);
    for (int i = 0; i < KS_N_OUTCOMES; i++)
        if (counts[i]) {
            ks_json_put_key(&w, ks_outcome_name((ks_outcome)i));
            ks_json_put_uint(&w, counts[i]);
        }
    ks_json_end_object(&w);
    ks_json_put_key(&w, "sha256");
    ks_json_put_string(&w, digest);
    ks_json_end_object(&w);
    end_line(l, &w);
}

ks_code ks_results_text(ks_text *out, ks_context *context, const ks_plan *plan, const ks_result *results,
                        size_t n_results) {
    lines l = {.context = context};
    put_header(&l, plan);
    put_plan(&l, plan);
    for (size_t i = 0; i < n_results; i++)
        put_result(&l, plan->items[i].id, &results[i]);
    put_footer(&l, results, n_results);
    *out = (ks_text){l.data, l.size};
    if (l.code != KS_OK)
        ks_free(context, l.data);
    return l.code;
}

ks_code ks_results_write(ks_context *context, const char *path, const ks_plan *plan, const ks_result *results) {
    ks_text text;
    ks_code code = ks_results_text(&text, context, plan, results, plan->count);
    if (code != KS_OK)
        return code;
    if (strcmp(path, "-") == 0)
        code = fwrite(text.data, 1, text.size, stdout) == text.size ? KS_OK : KS_E_IO;
    else
        code = ks_save_bytes(context, path, (ks_bytes){(const uint8_t *)text.data, text.size});
    ks_free(context, (void *)(uintptr_t)text.data);
    return code;
}

// --- the journal ----------------------------------------------------------------------------------------------------

static ks_code append(ks_results_journal *journal, lines *l) {
    ks_code code = l->code;
    if (code == KS_OK && (fwrite(l->data, 1, l->size, journal->file) != l->size || fflush(journal->file) != 0))
        code = ks_fail(journal->context, KS_E_IO, KS_STAGE_NONE, KS_NO_OFFSET, journal->path, "cannot be written: %s",
                       strerror(errno));
    ks_free(journal->context, l->data);
    return code;
}

static bool same_run(const ks_results *old, const ks_plan *plan) {
    if (!old->implementation || strcmp(old->implementation, implementation_of(plan)) != 0 || !old->version ||
        strcmp(old->version, version_of(plan)) != 0 || old->n_planned != plan->count)
        return false;
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(old->plan[i], plan->items[i].id) != 0)
            return false;
    return true;
}

static int compare_ids(const void *id, const void *item) {
    return strcmp(id, ((const ks_plan_item *)item)->id);
}

// The last line may be torn, and there is no footer: `problem` of what was read does not matter, each line is looked
// at.
static ks_code take_journal(ks_result *results, const ks_results_journal *journal, const ks_plan *plan) {
    ks_results old = {0};
    ks_code code;
    KS_TRY(ks_results_read(&old, journal->context, journal->path));
    if (!same_run(&old, plan)) {
        ks_fail(journal->context, KS_E_USAGE, KS_STAGE_NONE, KS_NO_OFFSET, journal->path,
                "is of another plan or another implementation: it cannot be continued");
        code = KS_E_USAGE;
        goto done;
    }
    for (size_t i = 0; i < old.n_lines; i++) {
        const ks_results_line *line = &old.lines[i];
        const ks_plan_item *item = bsearch(line->id, plan->items, plan->count, sizeof(*item), compare_ids);
        if (item && line->result.outcome != KS_OUTCOME_HARNESS_ERROR)
            results[item - plan->items] = line->result;
    }
done:
    ks_results_free(&old);
    return code;
}

ks_code ks_results_journal_open(ks_results_journal *out, ks_context *context, const char *path, const ks_plan *plan,
                                ks_result *results, bool resume) {
    lines l = {.context = context};
    FILE *there;
    memset(out, 0, sizeof(*out));
    out->context = context;
    snprintf(out->path, sizeof(out->path), "%s.partial", path);
    there = resume ? fopen(out->path, "rb") : NULL;
    if (there) {
        ks_code code;
        fclose(there);
        code = take_journal(results, out, plan);
        if (code != KS_OK)
            return code;
    }
    out->file = fopen(out->path, "wbe");
    if (!out->file)
        return ks_fail(context, KS_E_IO, KS_STAGE_NONE, KS_NO_OFFSET, out->path, "cannot be written: %s",
                       strerror(errno));
    put_header(&l, plan);
    put_plan(&l, plan);
    for (size_t i = 0; i < plan->count; i++)
        if (results[i].outcome != KS_OUTCOME_NOT_RUN)
            put_result(&l, plan->items[i].id, &results[i]);
    return append(out, &l);
}

ks_code ks_results_journal_put(ks_results_journal *journal, const char *id, const ks_result *result) {
    lines l = {.context = journal->context};
    if (!journal->file)
        return KS_OK;
    put_result(&l, id, result);
    return append(journal, &l);
}

void ks_results_journal_close(ks_results_journal *journal, bool done) {
    if (!journal->file)
        return;
    fclose(journal->file);
    journal->file = NULL;
    if (done)
        remove(journal->path);
}

// --- reading --------------------------------------------------------------------------------------------------------

typedef struct parsing {
    ks_results *out;
    ks_context *context;
    ks_bytes text;
    size_t counts[KS_N_OUTCOMES];
    bool footer;
} parsing;

static void problem(parsing *p, const char *what, const char *name) {
    if (!p->out->problem[0])
        snprintf(p->out->problem, sizeof(p->out->problem), "%.120s%.120s", what, name);
}

static const char *keep(parsing *p, const ks_value *value) {
    if (!value || value->type != KS_VALUE_STRING)
        return NULL;
    return ks_arena_text(&p->out->arena, value->text.data, value->text.size).data;
}

static void take_header(parsing *p, const ks_value *root) {
    p->out->implementation = keep(p, ks_value_get(root, "implementation"));
    p->out->version = keep(p, ks_value_get(root, "version"));
}

static ks_code take_plan(parsing *p, const ks_value *list) {
    if (list->type != KS_VALUE_LIST) {
        problem(p, "the plan is no list", "");
        return KS_OK;
    }
    p->out->plan = ks_arena_get(&p->out->arena, list->as.list.count + 1, sizeof(*p->out->plan));
    p->out->lines = ks_arena_get(&p->out->arena, list->as.list.count + 1, sizeof(*p->out->lines));
    if (!p->out->plan || !p->out->lines)
        return p->context->error.code;
    for (size_t i = 0; i < list->as.list.count; i++) {
        const char *id = keep(p, &list->as.list.items[i]);
        if (!id) {
            problem(p, "the plan holds something that is no id", "");
            return KS_OK;
        }
        p->out->plan[p->out->n_planned++] = id;
    }
    return KS_OK;
}

static void take_text(char *out, size_t size, const ks_value *value) {
    if (value && value->type == KS_VALUE_STRING)
        snprintf(out, size, "%s", value->text.data);
}

static void take_result(parsing *p, const ks_value *root) {
    const ks_value *outcome = ks_value_get(root, "outcome"), *message = ks_value_get(root, "message");
    const ks_value *nanoseconds = ks_value_get(root, "ns");
    const char *id = keep(p, ks_value_get(root, "id"));
    ks_results_line *line;
    if (!id || p->out->n_lines >= p->out->n_planned) {
        problem(p, "a result without a plan, or more results than planned: ", id ? id : "");
        return;
    }
    line = &p->out->lines[p->out->n_lines++];
    line->id = id;
    if (!outcome || outcome->type != KS_VALUE_STRING || !ks_outcome_parse(&line->result, outcome->text.data))
        problem(p, "no outcome: ", id);
    take_text(line->result.message, sizeof(line->result.message), message);
    take_text(line->result.verdict, sizeof(line->result.verdict), ks_value_get(root, "verdict"));
    take_text(line->result.code, sizeof(line->result.code), ks_value_get(root, "code"));
    line->result.accepted = strcmp(line->result.verdict, "accepted") == 0;
    if (nanoseconds && nanoseconds->type == KS_VALUE_INT && nanoseconds->as.integer >= 0)
        line->result.nanoseconds = (uint64_t)nanoseconds->as.integer;
    p->counts[line->result.outcome]++;
}

static void take_footer(parsing *p, const ks_value *root, size_t line_start) {
    const ks_value *digest = ks_value_get(root, "sha256"), *counts = ks_value_get(root, "counts");
    char expected[65];
    p->footer = true;
    ks_sha256_hex(expected, p->text.data, line_start);
    if (!digest || !ks_value_is_text(digest, expected))
        problem(p, "the hash does not fit: the results were altered", "");
    for (int i = 0; i < KS_N_OUTCOMES; i++) {
        const ks_value *count = counts ? ks_value_get(counts, ks_outcome_name((ks_outcome)i)) : NULL;
        if (p->counts[i] != (count && count->type == KS_VALUE_INT ? (uint64_t)count->as.integer : 0))
            problem(p, "the counts do not fit: ", ks_outcome_name((ks_outcome)i));
    }
}

static ks_code take_line(parsing *p, size_t start, size_t size) {
    ks_json *json = NULL;
    const ks_value *root;
    ks_code code = KS_OK;
    if (ks_json_parse(&json, p->context, (ks_bytes){p->text.data + start, size}, KS_ROAD_STRICT) != KS_OK) {
        problem(p, "a line is no JSON: ", p->context->error.message);
        ks_context_clear(p->context);
        return KS_OK;
    }
    root = ks_json_root(json);
    if (p->footer)
        problem(p, "a line after the footer", "");
    else if (ks_value_get(root, "plan"))
        code = take_plan(p, ks_value_get(root, "plan"));
    else if (ks_value_get(root, "id"))
        take_result(p, root);
    else if (ks_value_get(root, "sha256"))
        take_footer(p, root, start);
    else if (!ks_value_get(root, "kassay") || start)
        problem(p, "a line of no known kind", "");
    else
        take_header(p, root);
    ks_json_free(json);
    return code;
}

static ks_code check_completeness(parsing *p) {
    ks_name_table table;
    ks_code code;
    KS_TRY(ks_name_table_init(&table, &p->out->arena, p->out->n_planned));
    for (size_t i = 0; i < p->out->n_planned; i++) {
        ks_text id = ks_text_from(p->out->plan[i]);
        ks_named *place = ks_name_table_place(&table, id);
        if (place->number != KS_NO_NUMBER)
            problem(p, "planned twice: ", id.data);
        *place = (ks_named){id, 0};
    }
    for (size_t i = 0; i < p->out->n_lines; i++) {
        ks_named *place = ks_name_table_place(&table, ks_text_from(p->out->lines[i].id));
        if (place->number == KS_NO_NUMBER)
            problem(p, "a result that was not planned: ", p->out->lines[i].id);
        else if (place->number++)
            problem(p, "two results: ", p->out->lines[i].id);
    }
    for (size_t i = 0; i < p->out->n_planned; i++)
        if (ks_name_table_place(&table, ks_text_from(p->out->plan[i]))->number == 0)
            problem(p, "no result: ", p->out->plan[i]);
    if (!p->footer)
        problem(p, "no footer: the run did not end", "");
done:
    return code;
}

ks_code ks_results_parse(ks_results *out, ks_context *context, ks_bytes text) {
    parsing p = {.out = out, .context = context, .text = text};
    ks_code code = KS_OK;
    memset(out, 0, sizeof(*out));
    ks_arena_init(&out->arena, context);
    for (size_t at = 0; at < text.size;) {
        const uint8_t *end = memchr(text.data + at, '\n', text.size - at);
        size_t size = end ? (size_t)(end - (text.data + at)) : text.size - at;
        KS_TRY(take_line(&p, at, size));
        at += size + 1;
    }
    KS_TRY(check_completeness(&p));
done:
    if (code != KS_OK)
        ks_results_free(out);
    return code;
}

ks_code ks_results_read(ks_results *out, ks_context *context, const char *path) {
    ks_source *source = NULL;
    ks_code code;
    memset(out, 0, sizeof(*out));
    KS_TRY(strcmp(path, "-") == 0 ? ks_source_read(&source, context, 0) : ks_source_open(&source, context, path));
    context->memory.limit *= 8; // a results file is trusted to be large
    KS_TRY(ks_results_parse(out, context, ks_source_bytes(source)));
done:
    ks_source_close(source);
    return code;
}

void ks_results_free(ks_results *results) {
    ks_arena_fini(&results->arena);
}
