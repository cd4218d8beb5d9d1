// SPDX-License-Identifier: Apache-2.0
#include "runner/adapter.h"

#include <kassay/json_writer.h>
#include <kassay/source.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/scratch.h"

#define PROTOCOL "kassay-adapter/1"
#define FIRST_EXIT 10 // 10 accepted, 11 rejected, 12 unsupported
#define BYE_SECONDS 5
#define MAX_FAILED_STARTS 3 // in a row; then no more are tried

static const char *const part_names[KS_ADAPTER_N_PARTS] = {"weights", "outputs", "dump"};
static const char *const answer_names[] = {"accepted", "rejected", "unsupported"};

const char *ks_adapter_part_name(ks_adapter_part part) {
    return part_names[part];
}

const char *ks_adapter_answer_name(ks_adapter_answer answer) {
    return answer_names[answer];
}

// --- requests -------------------------------------------------------------------------------------------------------

static void put_text(ks_json_writer *w, const char *key, const char *text) {
    ks_json_put_key(w, key);
    ks_json_put_string(w, text);
}

/// Options of the load. The model that it goes into is the architecture.
static bool is_for_adapter(const ks_member *option) {
    return !ks_text_is(option->key, "into");
}

static void put_options(ks_json_writer *w, const ks_value *options) {
    ks_json_put_key(w, "options");
    ks_json_begin_object(w);
    for (size_t i = 0; options && i < options->as.dict.count; i++)
        if (is_for_adapter(&options->as.dict.members[i])) {
            ks_json_put_key_text(w, options->as.dict.members[i].key);
            ks_json_put_value(w, &options->as.dict.members[i].value);
        }
    ks_json_end_object(w);
}

static void put_names(ks_json_writer *w, const char *key, const ks_value *list) {
    ks_json_put_key(w, key);
    if (list) {
        ks_json_put_value(w, list);
        return;
    }
    ks_json_begin_list(w);
    ks_json_end_list(w);
}

static void put_request(ks_json_writer *w, const ks_adapter_request *r) {
    put_text(w, "file", r->file);
    put_text(w, "format", r->format);
    put_text(w, "architecture", r->architecture);
    put_names(w, "custom_objects", r->custom_objects);
    put_text(w, "initial", r->initial);
    put_options(w, r->options);
    if (strcmp(r->verb, "write") == 0) {
        put_text(w, "to", r->to);
        put_text(w, "out", r->out);
        return;
    }
    put_text(w, "inputs", r->inputs);
    put_text(w, "outputs", r->outputs);
    put_text(w, "weights", r->weights);
    put_text(w, "dump", r->dump);
}

/// One line; free with ks_free.
static ks_code request_line(ks_text *out, ks_context *context, int64_t seq, const char *verb,
                            const ks_adapter_request *request) {
    ks_json_writer w;
    char *line;
    ks_code code;
    ks_json_writer_init(&w, context, (ks_json_style){0, true});
    ks_json_begin_object(&w);
    ks_json_put_key(&w, "seq");
    ks_json_put_int(&w, seq);
    put_text(&w, "verb", verb);
    if (strcmp(verb, "hello") == 0)
        put_text(&w, "protocol", PROTOCOL);
    if (request)
        put_request(&w, request);
    ks_json_end_object(&w);
    KS_TRY(ks_json_writer_finish(out, &w));
    line = (char *)(uintptr_t)out->data;
    line[out->size++] = '\n'; // over the NUL: lines are counted
done:
    return code;
}

// --- replies --------------------------------------------------------------------------------------------------------

typedef struct parsed {
    ks_context *context;
    ks_json *json;
    const ks_value *root;
    char problem[300]; ///< empty: fine
} parsed;

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static bool
bad(parsed *r, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(r->problem, sizeof(r->problem), format, list);
    va_end(list);
    return false;
}

static bool parse_reply(parsed *r, ks_context *context, ks_bytes text) {
    char error[200];
    memset(r, 0, sizeof(*r));
    r->context = context;
    if (ks_json_parse(&r->json, context, text, KS_ROAD_STRICT) != KS_OK) {
        ks_error_format(&context->error, error, sizeof(error));
        ks_context_clear(context);
        return bad(r, "a malformed reply: %s", error);
    }
    r->root = ks_json_root(r->json);
    return r->root->type == KS_VALUE_DICT ? true : bad(r, "a malformed reply: no object");
}

static bool check_keys(parsed *r, const char *const *known) {
    for (size_t i = 0; i < r->root->as.dict.count; i++) {
        const char *key = r->root->as.dict.members[i].key.data;
        size_t k = 0;
        while (known[k] && strcmp(known[k], key) != 0)
            k++;
        if (!known[k])
            return bad(r, "a malformed reply: the key \"%.60s\" is not known", key);
    }
    return true;
}

static bool check_seq(parsed *r, int64_t seq) {
    const ks_value *got = ks_value_get(r->root, "seq");
    if (!got || got->type != KS_VALUE_INT)
        return bad(r, "a malformed reply: no \"seq\"");
    if (!got->fits || got->as.integer != seq)
        return bad(r, "a reply out of sequence: seq %.30s to request %lld", got->text.data, (long long)seq);
    return true;
}

static bool take_text(parsed *r, char *out, size_t size, const ks_value *object, const char *key, bool needed) {
    const ks_value *value = ks_value_get(object, key);
    out[0] = 0;
    if ((!value || value->type == KS_VALUE_NULL) && !needed)
        return true;
    if (!value || value->type != KS_VALUE_STRING)
        return bad(r, "a malformed reply: \"%s\" should be a string", key);
    snprintf(out, size, "%s", value->text.data);
    return true;
}

static bool take_names(parsed *r, char *out, size_t size, const char *key, bool needed) {
    const ks_value *list = ks_value_get(r->root, key);
    size_t used = 1;
    snprintf(out, size, " ");
    if (!list && !needed)
        return true;
    if (!list || list->type != KS_VALUE_LIST)
        return bad(r, "a malformed reply: \"%s\" should be a list of names", key);
    for (size_t i = 0; i < list->as.list.count && used < size; i++) {
        if (list->as.list.items[i].type != KS_VALUE_STRING)
            return bad(r, "a malformed reply: \"%s\" should be a list of names", key);
        used += (size_t)snprintf(out + used, size - used, "%s ", list->as.list.items[i].text.data);
    }
    return used < size ? true : bad(r, "a malformed reply: \"%s\" is too long", key);
}

static bool take_answer(parsed *r, ks_adapter_answer *out) {
    const ks_value *answer = ks_value_get(r->root, "answer");
    for (int i = 0; i < 3; i++)
        if (answer && ks_value_is_text(answer, answer_names[i])) {
            *out = (ks_adapter_answer)i;
            return true;
        }
    return bad(r, "a malformed reply: \"answer\" should be accepted, rejected or unsupported");
}

static bool take_failed(parsed *r, ks_adapter_reply *out) {
    const ks_value *failed = ks_value_get(r->root, "failed");
    if (!failed)
        return true;
    if (failed->type != KS_VALUE_DICT)
        return bad(r, "a malformed reply: \"failed\" should be an object");
    for (size_t i = 0; i < failed->as.dict.count; i++) {
        const char *key = failed->as.dict.members[i].key.data;
        int part = 0;
        while (part < KS_ADAPTER_N_PARTS && strcmp(part_names[part], key) != 0)
            part++;
        if (part == KS_ADAPTER_N_PARTS)
            return bad(r, "a malformed reply: \"failed\" names \"%.60s\"", key);
        if (!take_text(r, out->failed[part], sizeof(out->failed[part]), failed, key, true))
            return false;
        if (!out->failed[part][0])
            return bad(r, "a malformed reply: \"failed\" gives no reason");
    }
    return true;
}

/// `seq` -1: the small form, which has none.
static bool read_answer(ks_adapter_reply *out, parsed *r, int64_t seq) {
    static const char *const long_keys[] = {"seq", "answer", "reason", "failed", NULL};
    return check_keys(r, seq < 0 ? long_keys + 1 : long_keys) && (seq < 0 || check_seq(r, seq)) &&
           take_answer(r, &out->answer) && take_failed(r, out) &&
           take_text(r, out->message, sizeof(out->message), r->root, "reason", out->answer != KS_ADAPTER_ACCEPTED);
}

static bool take_gives(ks_adapter_hello *out, parsed *r) {
    char gives[128], name[32];
    if (!take_names(r, gives, sizeof(gives), "gives", true))
        return false;
    for (int i = 0; i < KS_ADAPTER_N_PARTS; i++) {
        snprintf(name, sizeof(name), " %s ", part_names[i]);
        out->gives[i] = strstr(gives, name) != NULL;
    }
    return true;
}

static bool read_hello(ks_adapter_hello *out, parsed *r, int64_t seq) {
    static const char *const keys[] = {"seq",    "protocol", "name",    "version",      "formats", "gives",
                                       "writes", "layers",   "choices", "accumulation", NULL};
    const ks_value *protocol = ks_value_get(r->root, "protocol");
    memset(out, 0, sizeof(*out));
    if (!check_keys(r, keys) || (seq >= 0 && !check_seq(r, seq)))
        return false;
    if (!protocol || !ks_value_is_text(protocol, PROTOCOL))
        return bad(r, "a malformed reply: \"protocol\" should be \"" PROTOCOL "\"");
    return take_text(r, out->name, sizeof(out->name), r->root, "name", true) &&
           take_text(r, out->version, sizeof(out->version), r->root, "version", true) &&
           take_names(r, out->formats, sizeof(out->formats), "formats", true) &&
           take_names(r, out->writes, sizeof(out->writes), "writes", false) && take_gives(out, r);
}

// --- what went wrong ------------------------------------------------------------------------------------------------

static void add_tail(char *text, size_t size, const ks_adapter_process *process) {
    char tail[240];
    size_t used = strlen(text);
    ks_adapter_process_tail(tail, sizeof(tail), process);
    if (tail[0] && used < size)
        snprintf(text + used, size - used, "; it printed: %s", tail);
}

static void tell_status(char *text, size_t size, const ks_adapter_process *process) {
    if (process->pid)
        snprintf(text, size, "closed its channel without ending");
    else if (WIFSIGNALED(process->status))
        snprintf(text, size, "ended by signal %d (%s)", WTERMSIG(process->status),
                 strsignal(WTERMSIG(process->status)));
    else
        snprintf(text, size, "ended with status %d without an answer", WEXITSTATUS(process->status));
}

static void tell_event(ks_adapter_reply *out, const ks_adapter *adapter, ks_adapter_event event) {
    const ks_adapter_limits *limits = &adapter->limits;
    switch (event) {
    case KS_ADAPTER_LATE:
        out->outcome = KS_OUTCOME_HANG;
        snprintf(out->message, sizeof(out->message), "no answer within %u s", limits->case_seconds);
        break;
    case KS_ADAPTER_OVER_CPU:
        out->outcome = KS_OUTCOME_HANG;
        snprintf(out->message, sizeof(out->message), "no answer within %u s of processor time", limits->cpu_seconds);
        break;
    case KS_ADAPTER_OVER_MEMORY:
        out->outcome = KS_OUTCOME_OVER_MEMORY;
        snprintf(out->message, sizeof(out->message), "more than %llu MiB resident",
                 (unsigned long long)(limits->memory >> 20));
        break;
    case KS_ADAPTER_OVER_DISK:
        out->outcome = KS_OUTCOME_OVER_DISK;
        snprintf(out->message, sizeof(out->message), "more than %llu MiB of files",
                 (unsigned long long)(limits->disk >> 20));
        break;
    case KS_ADAPTER_ENDED:
    case KS_ADAPTER_LINE:
        out->outcome = KS_OUTCOME_CRASH;
        tell_status(out->message, sizeof(out->message), &adapter->process);
        break;
    }
}

static void tell_problem(ks_adapter_reply *out, const char *problem) {
    out->outcome = KS_OUTCOME_CRASH;
    snprintf(out->message, sizeof(out->message), "%s", problem);
}

// --- the long-lived form --------------------------------------------------------------------------------------------

/// Sends a request and waits for its line. False: `out` tells what happened.
static bool exchange(ks_adapter_reply *out, ks_adapter *a, const char *verb, const ks_adapter_request *request,
                     const char *scratch, unsigned seconds) {
    ks_adapter_event event;
    ks_context context;
    ks_text line;
    bool sent;
    ks_context_init(&context, NULL);
    if (ks_adapter_process_chatters(&a->process)) {
        tell_problem(out, "a line that nobody asked for");
        return false;
    }
    if (request_line(&line, &context, a->seq, verb, request) != KS_OK) {
        out->outcome = KS_OUTCOME_HARNESS_ERROR;
        ks_error_format(&context.error, out->message, sizeof(out->message));
        return false;
    }
    ks_adapter_process_mark(&a->process);
    sent = ks_adapter_process_send(&a->process, line);
    ks_free(&context, (void *)(uintptr_t)line.data);
    if (!sent && ks_adapter_process_chatters(&a->process))
        sent = true; // it said something before it went
    event = ks_adapter_process_wait(&a->process, scratch, seconds, &a->limits);
    if (event == KS_ADAPTER_LINE)
        return true;
    tell_event(out, a, event);
    if (event == KS_ADAPTER_LATE && !request)
        snprintf(out->message, sizeof(out->message), "no answer to %s within %u s", verb, seconds);
    return false;
}

/// The line as a reply; checks that it is one line and no more.
static bool open_reply(parsed *r, ks_context *context, ks_adapter_process *process) {
    char *end = memchr(process->line, '\n', process->line_size);
    memset(r, 0, sizeof(*r));
    if (!end)
        return bad(r, "a malformed reply: a line of more than %zu bytes", KS_ADAPTER_MAX_LINE);
    if ((size_t)(end - process->line) + 1 != process->line_size)
        return bad(r, "more than one line to one request");
    process->line_size = 0;
    return parse_reply(r, context, (ks_bytes){(const uint8_t *)process->line, (size_t)(end - process->line)});
}

static bool start_long(ks_adapter_reply *out, ks_adapter *a, ks_adapter_hello *hello) {
    static const char *const arguments[] = {"serve", NULL};
    ks_context context;
    parsed r;
    bool fine;
    ks_context_init(&context, NULL);
    if (ks_adapter_process_start(&a->process, &context, a->command, arguments, a->folder, true, &a->limits) != KS_OK) {
        out->outcome = KS_OUTCOME_HARNESS_ERROR;
        ks_error_format(&context.error, out->message, sizeof(out->message));
        return false;
    }
    a->seq = 0;
    if (!exchange(out, a, "hello", NULL, a->folder, a->limits.start_seconds))
        return false;
    fine = open_reply(&r, &context, &a->process) && read_hello(hello, &r, a->seq);
    if (!fine)
        tell_problem(out, r.problem);
    ks_json_free(r.json);
    return fine;
}

static void stop(ks_adapter *a) {
    ks_adapter_process_end(&a->process, a->sweep);
}

static void ask_long(ks_adapter_reply *out, ks_adapter *a, const ks_adapter_request *request, const char *scratch) {
    ks_adapter_hello hello;
    ks_context context;
    parsed r;
    if (!a->process.pid && (a->failed_starts >= MAX_FAILED_STARTS || !start_long(out, a, &hello))) {
        if (!out->message[0])
            snprintf(out->message, sizeof(out->message), "the adapter does not start any more");
        out->outcome = KS_OUTCOME_HARNESS_ERROR; // no fault of this case
        a->failed_starts++;
        return;
    }
    a->failed_starts = 0;
    a->seq++;
    if (!exchange(out, a, request->verb, request, scratch, a->limits.case_seconds))
        return;
    ks_context_init(&context, NULL);
    if (!open_reply(&r, &context, &a->process) || !read_answer(out, &r, a->seq))
        tell_problem(out, r.problem);
    ks_json_free(r.json);
    if (out->outcome == KS_OUTCOME_NOT_RUN && ks_scratch_size(scratch) > a->limits.disk)
        tell_event(out, a, KS_ADAPTER_OVER_DISK);
}

// --- the small form -------------------------------------------------------------------------------------------------

/// Runs one process to its end. False: `out` tells what happened instead.
static bool run_small(ks_adapter_reply *out, ks_adapter *a, const char *const *arguments, const char *scratch,
                      unsigned seconds) {
    ks_adapter_event event;
    ks_context context;
    ks_context_init(&context, NULL);
    if (ks_adapter_process_start(&a->process, &context, a->command, arguments, scratch, false, &a->limits) != KS_OK) {
        out->outcome = KS_OUTCOME_HARNESS_ERROR;
        ks_error_format(&context.error, out->message, sizeof(out->message));
        return false;
    }
    event = ks_adapter_process_wait(&a->process, scratch, seconds, &a->limits);
    if (event == KS_ADAPTER_ENDED && WIFEXITED(a->process.status) && WEXITSTATUS(a->process.status) >= FIRST_EXIT &&
        WEXITSTATUS(a->process.status) <= FIRST_EXIT + 2)
        return true;
    tell_event(out, a, event);
    return false;
}

/// The reply file, opened. False: `r->problem` tells.
static bool open_reply_file(parsed *r, ks_context *context, ks_source **source, const char *path) {
    struct stat status;
    memset(r, 0, sizeof(*r));
    *source = NULL;
    if (lstat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return bad(r, "a missing reply: there is no file");
    if ((uint64_t)status.st_size > KS_ADAPTER_MAX_LINE)
        return bad(r, "a malformed reply: more than %zu bytes", KS_ADAPTER_MAX_LINE);
    if (ks_source_open(source, context, path) != KS_OK) {
        ks_context_clear(context);
        return bad(r, "a missing reply: the file cannot be read");
    }
    return parse_reply(r, context, ks_source_bytes(*source));
}

static void read_reply_file(ks_adapter_reply *out, const ks_adapter *a, const char *path) {
    int exit_status = WEXITSTATUS(a->process.status);
    ks_source *source;
    ks_context context;
    parsed r;
    ks_context_init(&context, NULL);
    if (!open_reply_file(&r, &context, &source, path) || !read_answer(out, &r, -1))
        tell_problem(out, r.problem);
    else if (exit_status != FIRST_EXIT + (int)out->answer) {
        snprintf(r.problem, sizeof(r.problem), "exit status %d (%s), but the reply says %s", exit_status,
                 answer_names[exit_status - FIRST_EXIT], answer_names[out->answer]);
        tell_problem(out, r.problem);
    }
    ks_json_free(r.json);
    ks_source_close(source);
}

typedef struct command_line {
    const char *items[60];
    size_t count;
    ks_context context; ///< of texts that are made
} command_line;

static void add(command_line *a, const char *name, const char *value) {
    if (!value || a->count + 3 > sizeof(a->items) / sizeof(a->items[0]))
        return;
    if (name)
        a->items[a->count++] = name;
    a->items[a->count++] = value;
}

/// --option KEY=VALUE, the value as JSON.
static void add_options(command_line *a, const ks_value *options) {
    for (size_t i = 0; options && i < options->as.dict.count; i++) {
        const ks_member *member = &options->as.dict.members[i];
        ks_text text;
        char *option;
        size_t size;
        if (!is_for_adapter(member))
            continue;
        if (ks_json_write(&text, &a->context, &member->value, (ks_json_style){0, true}) != KS_OK)
            return;
        size = member->key.size + text.size + 2;
        option = ks_allocate(&a->context, size, 1);
        if (option)
            snprintf(option, size, "%s=%s", member->key.data, text.data);
        add(a, "--option", option);
    }
}

static void ask_small(ks_adapter_reply *out, ks_adapter *a, const ks_adapter_request *request, const char *scratch) {
    command_line list = {.count = 0};
    char path[2048];
    uint64_t mark;
    ks_context_init(&list.context, NULL);
    mark = ks_context_mark(&list.context);
    snprintf(path, sizeof(path), "%s/reply.json", scratch);
    add(&list, NULL, request->verb);
    add(&list, NULL, request->file);
    add(&list, "--format", request->format);
    add(&list, "--architecture", request->architecture);
    add(&list, "--initial", request->initial);
    add_options(&list, request->options);
    for (size_t i = 0; request->custom_objects && i < request->custom_objects->as.list.count; i++)
        add(&list, "--custom", request->custom_objects->as.list.items[i].text.data);
    add(&list, "--inputs", request->inputs);
    add(&list, "--outputs", request->inputs ? request->outputs : NULL);
    add(&list, "--weights", request->weights);
    add(&list, "--dump", request->dump);
    add(&list, "--to", request->to);
    add(&list, "--out", request->out);
    add(&list, "--reply", path);
    if (list.context.error.code != KS_OK) {
        out->outcome = KS_OUTCOME_HARNESS_ERROR;
        ks_error_format(&list.context.error, out->message, sizeof(out->message));
    } else if (run_small(out, a, list.items, scratch, a->limits.case_seconds)) {
        read_reply_file(out, a, path);
    }
    ks_context_release_since(&list.context, mark);
}

static bool hello_small(ks_adapter_reply *out, ks_adapter *a) {
    char path[2048];
    const char *const arguments[] = {"hello", "--reply", path, NULL};
    ks_source *source;
    ks_context context;
    parsed r;
    bool fine;
    ks_context_init(&context, NULL);
    snprintf(path, sizeof(path), "%s/hello.json", a->folder);
    if (!run_small(out, a, arguments, a->folder, a->limits.start_seconds))
        return false;
    fine = open_reply_file(&r, &context, &source, path) && read_hello(&a->hello, &r, -1);
    if (!fine)
        tell_problem(out, r.problem);
    ks_json_free(r.json);
    ks_source_close(source);
    return fine;
}

// --- the adapter ----------------------------------------------------------------------------------------------------

static ks_code prepare(ks_adapter *out, ks_context *context, const char *command, const ks_adapter_limits *limits) {
    memset(out, 0, sizeof(*out));
    out->command = command;
    out->limits = *limits;
    out->process.request = out->process.reply = -1;
    return ks_scratch_make(out->folder, context, NULL, "kassay-adapter");
}

ks_code ks_adapter_open(ks_adapter *out, ks_context *context, const char *command, ks_adapter_form form,
                        const ks_adapter_limits *limits) {
    ks_adapter_reply first = {0}, second = {0};
    ks_code code = prepare(out, context, command, limits);
    if (code != KS_OK)
        return code;
    if (form != KS_ADAPTER_SMALL && start_long(&first, out, &out->hello)) {
        out->form = KS_ADAPTER_LONG;
        return KS_OK;
    }
    if (form != KS_ADAPTER_SMALL)
        add_tail(first.message, sizeof(first.message), &out->process);
    stop(out);
    // A program that hangs or answers nonsense in the long-lived form is not one of the small form.
    if (form != KS_ADAPTER_LONG && (form == KS_ADAPTER_SMALL || first.outcome == KS_OUTCOME_CRASH)) {
        if (hello_small(&second, out)) {
            out->form = KS_ADAPTER_SMALL;
            stop(out);
            return KS_OK;
        }
        add_tail(second.message, sizeof(second.message), &out->process);
        stop(out);
    }
    ks_scratch_remove(out->folder);
    return ks_fail(context, KS_E_IO, KS_STAGE_NONE, KS_NO_OFFSET, command, "the adapter gives no hello: %s%s%s",
                   first.message, first.message[0] && second.message[0] ? "; as small form: " : "", second.message);
}

ks_code ks_adapter_open_like(ks_adapter *out, ks_context *context, const ks_adapter *like) {
    ks_code code = prepare(out, context, like->command, &like->limits);
    out->form = like->form;
    out->hello = like->hello;
    return code;
}

void ks_adapter_rest(ks_adapter *a) {
    ks_adapter_reply reply = {0};
    if (a->process.pid && a->form == KS_ADAPTER_LONG) {
        a->seq++;
        if (exchange(&reply, a, "bye", NULL, a->folder, BYE_SECONDS)) // what it says does not matter any more
            ks_adapter_process_wait(&a->process, a->folder, BYE_SECONDS, &a->limits);
    }
    stop(a);
}

void ks_adapter_close(ks_adapter *a) {
    ks_adapter_rest(a);
    if (a->folder[0])
        ks_scratch_remove(a->folder);
}

static bool has_name(const char *names, const char *name) {
    char padded[64];
    snprintf(padded, sizeof(padded), " %s ", name);
    return strstr(names, padded) != NULL;
}

bool ks_adapter_reads(const ks_adapter *adapter, const char *format) {
    return has_name(adapter->hello.formats, format);
}

bool ks_adapter_writes(const ks_adapter *adapter, const char *format) {
    return has_name(adapter->hello.writes, format);
}

void ks_adapter_ask(ks_adapter_reply *out, ks_adapter *adapter, const ks_adapter_request *request,
                    const char *scratch) {
    memset(out, 0, sizeof(*out));
    if (adapter->form == KS_ADAPTER_LONG)
        ask_long(out, adapter, request, scratch);
    else
        ask_small(out, adapter, request, scratch);
    if (out->outcome != KS_OUTCOME_NOT_RUN)
        add_tail(out->message, sizeof(out->message), &adapter->process);
    if (out->outcome != KS_OUTCOME_NOT_RUN || adapter->form == KS_ADAPTER_SMALL)
        stop(adapter);
}
