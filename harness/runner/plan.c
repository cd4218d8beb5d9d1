// SPDX-License-Identifier: Apache-2.0
#include "runner/plan.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "runner/case.h"
#include "runner/outcome.h"

typedef struct search {
    ks_plan *plan;
    ks_context *context;
    const char *root;
    size_t room;
} search;

static ks_code add(search *s, const char *id) {
    ks_plan *plan = s->plan;
    if (plan->count == s->room) {
        size_t room = s->room ? 2 * s->room : 256;
        ks_plan_item *bigger = ks_arena_get(&plan->arena, room, sizeof(*bigger));
        if (!bigger)
            return s->context->error.code;
        if (plan->count)
            memcpy(bigger, plan->items, plan->count * sizeof(*bigger));
        plan->items = bigger;
        s->room = room;
    }
    plan->items[plan->count++] = (ks_plan_item){id, NULL};
    return KS_OK;
}

static ks_code walk(search *s, const char *id, int depth) {
    char path[2048];
    struct dirent *entry;
    DIR *stream;
    ks_code code = KS_OK;
    snprintf(path, sizeof(path), "%s%s%s", s->root, id[0] ? "/" : "", id);
    stream = opendir(path);
    if (!stream)
        return ks_fail(s->context, KS_E_IO, KS_STAGE_NONE, KS_NO_OFFSET, path, "cannot be listed: %s", strerror(errno));
    while (code == KS_OK && (entry = readdir(stream)) != NULL) {
        struct stat status;
        char inner[2400];
        const char *name;
        if (entry->d_name[0] == '.')
            continue;
        if (strcmp(entry->d_name, "case.json") == 0) {
            code = add(s, id);
            continue;
        }
        snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
        if (depth > 12 || lstat(inner, &status) != 0 || !S_ISDIR(status.st_mode))
            continue;
        name = ks_arena_format(&s->plan->arena, "%s%s%s", id, id[0] ? "/" : "", entry->d_name);
        code = name ? walk(s, name, depth + 1) : s->context->error.code;
    }
    closedir(stream);
    return code;
}

static int compare(const void *a, const void *b) {
    return strcmp(((const ks_plan_item *)a)->id, ((const ks_plan_item *)b)->id);
}

// Drops what the options do not ask for; fills in twins.
static ks_code choose(search *s, const ks_plan_options *options) {
    ks_plan *plan = s->plan;
    size_t kept = 0;
    for (size_t i = 0; i < plan->count; i++) {
        ks_plan_item item = plan->items[i];
        ks_context context;
        ks_case c;
        bool wanted;
        if (i && strcmp(item.id, plan->items[i - 1].id) == 0)
            continue; // two suites overlap
        if (options->only && !ks_glob(options->only, item.id))
            continue;
        ks_context_init(&context, NULL);
        if (ks_case_open(&c, &context, s->root, item.id) == KS_OK) {
            bool json = strncmp(c.format, "json-", 5) == 0;
            wanted = (!options->format || strcmp(options->format, c.format) == 0) &&
                     (!options->accepted_only || (c.expect == KS_EXPECT_ACCEPT && !ks_case_loads_into(&c))) &&
                     !(options->with_weights && json);
            if (wanted && c.expect == KS_EXPECT_REJECT && c.twin)
                item.twin = ks_arena_text(&plan->arena, c.twin, strlen(c.twin)).data;
            ks_case_close(&c);
            if (!wanted)
                continue;
        } // a case that cannot be read stays in the plan: judging it tells what is wrong
        plan->items[kept++] = item;
    }
    plan->count = kept;
    if (options->n_shards > 1) {
        kept = 0;
        for (size_t i = 0; i < plan->count; i++)
            if (i % options->n_shards == options->shard - 1)
                plan->items[kept++] = plan->items[i];
        plan->count = kept;
    }
    if (options->sample && plan->count > options->sample) {
        for (size_t i = 0; i < options->sample; i++)
            plan->items[i] = plan->items[i * plan->count / options->sample];
        plan->count = options->sample;
    }
    return s->context->error.code;
}

ks_code ks_plan_make(ks_plan *out, ks_context *context, const char *root, const char *const *suites, size_t n_suites,
                     const ks_plan_options *options) {
    search s = {.plan = out, .context = context, .root = root};
    ks_code code = KS_OK;
    memset(out, 0, sizeof(*out));
    ks_arena_init(&out->arena, context);
    if (n_suites == 0)
        KS_TRY(walk(&s, "", 0));
    for (size_t i = 0; i < n_suites; i++)
        KS_TRY(walk(&s, suites[i], 0));
    if (out->count)
        qsort(out->items, out->count, sizeof(*out->items), compare);
    KS_TRY(choose(&s, options));
done:
    if (code != KS_OK)
        ks_plan_free(out);
    return code;
}

void ks_plan_free(ks_plan *plan) {
    ks_arena_fini(&plan->arena);
    plan->count = 0;
}
