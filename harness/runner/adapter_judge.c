// SPDX-License-Identifier: Apache-2.0
#include "runner/adapter_judge.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <kassay/model.h>

#include "runner/comparison.h"
#include "runner/scratch.h"

#define CONVERT_SECONDS 60

typedef struct asking {
    ks_result *out;
    ks_comparison golden;
    const ks_case *c;
    const char *root;
    ks_adapter *adapter;
    const ks_adapter_run *run;
    const char *format; ///< of what the adapter reads
    char scratch[1024];
    char file[2048], architecture[2048], initial[2048], inputs[2048], outputs[2048], weights[2048], dump[2048];
    ks_context context; ///< of what the adapter gave
    unsigned n_compared, n_comparable;
} asking;

static bool going_on(const asking *a) {
    return ks_comparison_going_on(&a->golden);
}

static void inside(char path[2048], const asking *a, const char *name) {
    snprintf(path, 2048, "%s/%s", a->scratch, name);
}

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static void
set(asking *a, ks_outcome outcome, const char *format, ...) {
    va_list list;
    a->out->outcome = outcome;
    va_start(list, format);
    vsnprintf(a->out->message, sizeof(a->out->message), format, list);
    va_end(list);
}

// --- what the adapter is given --------------------------------------------------------------------------------------

/// False: a harness error is in the result.
static bool give_copy(asking *a, char path[2048], const char *name) {
    char from[2048];
    ks_case_file(from, a->c, name);
    inside(path, a, name);
    if (ks_scratch_copy(&a->context, from, path) == KS_OK)
        return true;
    ks_result_harness_error(a->out, &a->context.error);
    return false;
}

/// Writes the inputs of `npz`, and nothing else of it.
static ks_code write_inputs(asking *a, ks_npz *npz) {
    ks_npz_entry entries[KS_CASE_MAX_OUTPUTS];
    char names[KS_CASE_MAX_OUTPUTS][32];
    size_t count = 0;
    ks_code code = KS_OK;
    for (; count < KS_CASE_MAX_OUTPUTS; count++) {
        snprintf(names[count], sizeof(names[count]), "input.%zu", count);
        if (!ks_npz_has(npz, names[count]))
            break;
        KS_TRY(ks_npz_get(&entries[count].tensor, npz, names[count]));
        entries[count].name = names[count];
    }
    KS_TRY(ks_npz_write(&a->context, a->inputs, entries, count));
done:
    return code;
}

/// The inputs of the case, or of its twin: that there are inputs tells nothing about what is expected.
static bool give_inputs(asking *a) {
    char path[2048];
    struct stat status;
    ks_source *source = NULL;
    ks_npz *npz = NULL;
    ks_code code;
    ks_case_file(path, a->c, "io.npz");
    if (stat(path, &status) != 0 && a->c->twin)
        snprintf(path, sizeof(path), "%s/%s/io.npz", a->root, a->c->twin);
    a->inputs[0] = 0;
    if (stat(path, &status) != 0)
        return true;
    inside(a->inputs, a, "in.npz");
    KS_TRY(ks_source_open(&source, &a->context, path));
    KS_TRY(ks_npz_open(&npz, &a->context, ks_source_bytes(source)));
    KS_TRY(write_inputs(a, npz));
done:
    ks_npz_close(npz);
    ks_source_close(source);
    if (code != KS_OK)
        ks_result_harness_error(a->out, &a->context.error);
    return code == KS_OK;
}

// --- through another format -----------------------------------------------------------------------------------------

/// The names by which Keras knows the forms.
static const char *file_name(const char *format) {
    static const struct {
        const char *format, *name;
    } names[] = {{"keras-v3", "model.keras"},        {"keras-v3-dir", "model"},
                 {"weights-v3", "model.weights.h5"}, {"weights-v3-sharded", "model.weights.json"},
                 {"h5-legacy", "model.h5"},          {"h5-weights-legacy", "weights.h5"},
                 {"json-v3", "model.json"},          {"json-legacy", "model.json"},
                 {"tf-checkpoint", "checkpoint"},    {"savedmodel", "saved"},
                 {"savedmodel-graph", "saved"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i].format, format) == 0)
            return names[i].name;
    return "model";
}

/// The form of the architecture that goes with weights alone; NULL: the format says its own.
static const char *architecture_format(const char *format) {
    if (strcmp(format, "h5-weights-legacy") == 0)
        return "json-legacy";
    return strcmp(format, "weights-v3") == 0 || strcmp(format, "weights-v3-sharded") == 0 ||
                   strcmp(format, "tf-checkpoint") == 0
               ? "json-v3"
               : NULL;
}

static bool is_json(const char *format) {
    return strncmp(format, "json-", 5) == 0;
}

/// Runs the converter; false with a result that says why there is no such file.
static bool convert(asking *a, const char *to, const char *format) {
    char from[2048], architecture[2048], tail[400];
    // What a format cannot say of the training is no concern here; that no number depends on what is lost is judged.
    const char *arguments[16] = {"convert", from, to, "--to", format, "--lossy"};
    const ks_value *custom = ks_value_get(ks_json_root(a->c->json), "custom_objects");
    size_t count = 6;
    ks_adapter_process process;
    ks_adapter_event event;
    ks_adapter_limits limits = a->adapter->limits;
    char command[4200];
    ks_case_file(from, a->c, a->c->artifact);
    if (a->c->architecture) {
        ks_case_file(architecture, a->c, a->c->architecture);
        arguments[count++] = "--architecture";
        arguments[count++] = architecture;
    }
    if (custom && custom->type == KS_VALUE_LIST && custom->as.list.count) { // a case uses one file of golden/custom/
        arguments[count++] = "--custom";
        arguments[count++] = custom->as.list.items[0].text.data;
    }
    if (a->run->target) {
        arguments[count++] = "--for";
        arguments[count++] = a->run->target;
    }
    if (a->c->backend != KS_BACKEND_AUTO) {
        arguments[count++] = "--backend";
        arguments[count++] = ks_backend_name(a->c->backend);
    }
    snprintf(command, sizeof(command), "'%s'", a->run->converter);
    if (ks_adapter_process_start(&process, &a->context, command, arguments, a->scratch, false, &limits) != KS_OK) {
        ks_result_harness_error(a->out, &a->context.error);
        return false;
    }
    event = ks_adapter_process_wait(&process, a->scratch, CONVERT_SECONDS, &limits);
    ks_adapter_process_tail(tail, sizeof(tail), &process);
    ks_adapter_process_end(&process, false);
    remove(process.log);
    if (event == KS_ADAPTER_ENDED && WIFEXITED(process.status) && WEXITSTATUS(process.status) == 0)
        return true;
    if (event == KS_ADAPTER_ENDED && WIFEXITED(process.status) && WEXITSTATUS(process.status) == 2)
        set(a, KS_OUTCOME_UNSUPPORTED, "cannot be written as %s: %s", format, tail);
    else
        set(a, KS_OUTCOME_HARNESS_ERROR, "the conversion to %s failed: %s", format, tail);
    return false;
}

/// Weights of Keras 2 are written for the writer's own architecture, when it is there: that, an older Keras
/// understands, unless it gets words of its own.
static bool keeps_architecture(const asking *a) {
    return a->c->architecture && !a->run->target && strcmp(a->run->through, "h5-weights-legacy") == 0 &&
           strcmp(a->c->format, "h5-weights-legacy") == 0 && strncmp(a->c->writer, "2.", 2) == 0;
}

static bool give_converted(asking *a) {
    const char *format = a->run->through, *architecture = architecture_format(format);
    inside(a->file, a, file_name(format));
    if (!convert(a, a->file, format))
        return false;
    if (!architecture)
        return true;
    if (keeps_architecture(a))
        return give_copy(a, a->architecture, a->c->architecture);
    inside(a->architecture, a, "architecture.json");
    return convert(a, a->architecture, architecture);
}

/// An index of shards is given together with every shard beside it.
static bool give_shards(asking *a) {
    char path[2048];
    struct dirent *entry;
    bool fine = true;
    DIR *stream = opendir(a->c->folder);
    while (fine && stream && (entry = readdir(stream)) != NULL)
        if (ks_glob("*.weights.h5", entry->d_name) && strcmp(entry->d_name, a->c->artifact) != 0)
            fine = give_copy(a, path, entry->d_name);
    if (stream)
        closedir(stream);
    return fine;
}

static bool give_artifact(asking *a) {
    if (!give_copy(a, a->file, a->c->artifact))
        return false;
    if (strcmp(a->c->format, "weights-v3-sharded") == 0 && !give_shards(a))
        return false;
    if (a->c->architecture && !give_copy(a, a->architecture, a->c->architecture))
        return false;
    // A model that weights are loaded into takes the place of an architecture.
    if (a->c->into && !give_copy(a, a->architecture, a->c->into))
        return false;
    return !a->c->initial || give_copy(a, a->initial, a->c->initial);
}

// --- what it gave ---------------------------------------------------------------------------------------------------

/// Does the adapter owe this part? Counts what could be compared.
static bool owes(asking *a, const ks_adapter_reply *reply, ks_adapter_part part, const char *kind) {
    a->n_comparable++;
    if (!going_on(a) || !a->adapter->hello.gives[part])
        return false;
    a->n_compared++;
    if (!reply->failed[part][0])
        return true;
    ks_comparison_fail(&a->golden, kind, "no %s: %s", ks_adapter_part_name(part), reply->failed[part]);
    return false;
}

/// The file that the adapter should have written; a missing or broken one is the adapter's fault. Looked at with lstat:
/// a link out of the folder is no answer.
static bool open_given(asking *a, ks_source **source, const char *path, const char *kind) {
    struct stat status;
    *source = NULL;
    if (lstat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
        ks_comparison_fail(&a->golden, kind, "the reply says accepted, but there is no %s", strrchr(path, '/') + 1);
        return false;
    }
    if (ks_source_open(source, &a->context, path) == KS_OK)
        return true;
    ks_result_harness_error(a->out, &a->context.error);
    return false;
}

static void fail_given(asking *a, const char *kind, const char *path) {
    char text[400];
    ks_error_format(&a->context.error, text, sizeof(text));
    ks_comparison_fail(&a->golden, kind, "%s: %s", strrchr(path, '/') + 1, text);
}

static ks_npz *open_given_npz(asking *a, ks_source **source, const char *path, const char *kind) {
    ks_npz *npz = NULL;
    if (!open_given(a, source, path, kind))
        return NULL;
    ks_context_budget(&a->context, ks_source_bytes(*source).size);
    if (ks_npz_open(&npz, &a->context, ks_source_bytes(*source)) != KS_OK)
        fail_given(a, kind, path);
    return npz;
}

/// `weight.N` and, when they are there, `names`. False: a failure is in the result.
static bool take_weights(asking *a, ks_npz *npz, ks_given_weight *given, size_t *count) {
    ks_tensor names = {0};
    char name[32];
    if (ks_npz_has(npz, "names") && (ks_npz_get(&names, npz, "names") != KS_OK || names.dtype != KS_STRING)) {
        ks_comparison_fail(&a->golden, "wrong-weights", "w.npz: names should be strings");
        return false;
    }
    for (*count = 0;; (*count)++) {
        snprintf(name, sizeof(name), "weight.%zu", *count);
        if (!ks_npz_has(npz, name))
            return true;
        if (ks_npz_get(&given[*count].tensor, npz, name) != KS_OK) {
            fail_given(a, "wrong-weights", a->weights);
            return false;
        }
        given[*count].path =
            names.data && *count < names.size / sizeof(ks_text) ? ((const ks_text *)names.data)[*count].data : NULL;
    }
}

/// Are names, layouts and orders of what the adapter reads those of the case's writer?
static bool same_generation(const asking *a) {
    bool legacy = strstr(a->c->format, "legacy") != NULL;
    return !a->run->through || (legacy == (strstr(a->run->through, "legacy") != NULL) &&
                                strncmp(a->c->writer, legacy ? "2." : "3.", 2) == 0);
}

/// All weights of a model, in order; free with ks_free.
static ks_given_weight *weights_of(asking *a, const ks_model *model) {
    size_t count = ks_model_weight_count(model);
    ks_given_weight *list = ks_allocate(&a->context, count + 1, sizeof(*list));
    for (size_t i = 0; list && i < count; i++)
        list[i] = (ks_given_weight){NULL, ks_model_weight_at(model, i).tensor};
    if (!list)
        ks_result_harness_error(a->out, &a->context.error);
    return list;
}

/// With what the reference reads from the very file that the adapter read: bits as they were written, in the order and
/// layout of that format.
static void compare_with_converted(asking *a, const ks_given_weight *given, size_t count) {
    ks_model_options options = {.format = a->format,
                                .architecture = a->architecture[0] ? a->architecture : NULL,
                                .registry = ks_case_custom_objects(&a->context, a->c)};
    ks_given_weight *expected = NULL;
    ks_model *model = NULL;
    if (ks_model_load(&model, &a->context, a->file, &options) != KS_OK)
        ks_result_harness_error(a->out, &a->context.error);
    else if ((expected = weights_of(a, model)) != NULL)
        ks_compare_weights_with(&a->golden, given, count, expected, ks_model_weight_count(model));
    ks_free(&a->context, expected);
    ks_model_free(model);
}

static void check_weights(asking *a, const ks_adapter_reply *reply) {
    ks_source *source = NULL;
    ks_given_weight *given = NULL;
    ks_npz *npz;
    size_t count;
    if (!ks_case_has_file(a->c, "weights.npz") || is_json(a->format) ||
        !owes(a, reply, KS_ADAPTER_WEIGHTS, "wrong-weights"))
        return;
    npz = open_given_npz(a, &source, a->weights, "wrong-weights");
    if (npz && (given = ks_allocate(&a->context, ks_npz_count(npz) + 1, sizeof(*given))) == NULL)
        ks_result_harness_error(a->out, &a->context.error);
    if (!given || !take_weights(a, npz, given, &count))
        count = 0;
    else if (same_generation(a))
        ks_compare_weights(&a->golden, given, count);
    else
        compare_with_converted(a, given, count);
    ks_free(&a->context, given);
    ks_npz_close(npz);
    ks_source_close(source);
}

static void check_outputs(asking *a, const ks_adapter_reply *reply) {
    ks_given_output given[KS_CASE_MAX_OUTPUTS];
    ks_source *source = NULL;
    ks_npz *npz;
    char name[32];
    size_t count = 0;
    if (!a->c->predict || is_json(a->format) || !owes(a, reply, KS_ADAPTER_OUTPUTS, "wrong-value"))
        return;
    npz = open_given_npz(a, &source, a->outputs, "wrong-value");
    for (; npz && going_on(a) && count < KS_CASE_MAX_OUTPUTS; count++) {
        snprintf(name, sizeof(name), "output.%zu", count);
        if (!ks_npz_has(npz, name))
            break;
        given[count].layer = NULL;
        if (ks_npz_get(&given[count].tensor, npz, name) != KS_OK)
            fail_given(a, "wrong-value", a->outputs);
    }
    if (npz && going_on(a))
        ks_compare_outputs(&a->golden, given, count, KS_FLOAT32);
    ks_npz_close(npz);
    ks_source_close(source);
}

static void check_dump(asking *a, const ks_adapter_reply *reply) {
    ks_source *source;
    ks_json *json = NULL;
    if (!ks_case_has_file(a->c, "structure.json") || !same_generation(a) ||
        !owes(a, reply, KS_ADAPTER_DUMP, "wrong-structure") || !open_given(a, &source, a->dump, "wrong-structure"))
        return;
    ks_context_budget(&a->context, ks_source_bytes(source).size * 16);
    if (ks_json_parse(&json, &a->context, ks_source_bytes(source), KS_ROAD_STRICT) != KS_OK)
        fail_given(a, "wrong-structure", a->dump);
    else
        ks_compare_structure(&a->golden, ks_json_root(json), true);
    ks_json_free(json);
    ks_source_close(source);
}

// --- the verdict ----------------------------------------------------------------------------------------------------

/// Does an `either` case list any refusal? Implementations have their own words for reasons.
static bool allows_refusal(const ks_case *c) {
    for (size_t i = 0; c->reason && i < c->reason->as.list.count; i++)
        if (!ks_value_is_text(&c->reason->as.list.items[i], "accepted"))
            return true;
    return false;
}

static void judge_refusal(asking *a, const ks_adapter_reply *reply) {
    bool unsupported = reply->answer == KS_ADAPTER_UNSUPPORTED;
    bool allowed =
        a->c->expect != KS_EXPECT_ACCEPT && (unsupported ? ks_case_allows(a->c, "unsupported") : allows_refusal(a->c));
    if (allowed)
        a->out->outcome = KS_OUTCOME_PASS;
    else if (unsupported)
        set(a, KS_OUTCOME_UNSUPPORTED, "%s", reply->message);
    else
        ks_comparison_fail(&a->golden, "rejected-good", "%s", reply->message);
}

static void judge_acceptance(asking *a, const ks_adapter_reply *reply) {
    if (a->c->expect == KS_EXPECT_REJECT || (a->c->expect == KS_EXPECT_EITHER && !ks_case_allows(a->c, "accepted"))) {
        ks_comparison_fail(&a->golden, "accepted-bad", "the file was accepted");
        return;
    }
    check_weights(a, reply);
    check_dump(a, reply);
    check_outputs(a, reply);
    if (going_on(a) && a->n_comparable && !a->n_compared)
        set(a, KS_OUTCOME_UNDECIDED, "accepted, but the adapter gives nothing that could be compared");
    else if (going_on(a))
        a->out->outcome = KS_OUTCOME_PASS;
}

static void take_reply(asking *a, const ks_adapter_reply *reply) {
    const char *answer = ks_adapter_answer_name(reply->answer);
    if (reply->outcome != KS_OUTCOME_NOT_RUN) {
        set(a, reply->outcome, "%s", reply->message);
        return;
    }
    a->out->accepted = reply->answer == KS_ADAPTER_ACCEPTED;
    snprintf(a->out->verdict, sizeof(a->out->verdict), "%s", answer);
    if (reply->answer != KS_ADAPTER_ACCEPTED)
        judge_refusal(a, reply);
    else
        judge_acceptance(a, reply);
}

// --- reading --------------------------------------------------------------------------------------------------------

static ks_adapter_request request_of(const asking *a, const char *verb) {
    const ks_value *root = ks_json_root(a->c->json);
    return (ks_adapter_request){.verb = verb,
                                .file = a->file,
                                .format = a->format,
                                .architecture = a->architecture[0] ? a->architecture : NULL,
                                .initial = a->initial[0] ? a->initial : NULL,
                                // How the artifact is read; what it was converted to needs none.
                                .options = a->run->through ? NULL : ks_value_get(ks_value_get(root, "load"), "options"),
                                .custom_objects = ks_value_get(root, "custom_objects")};
}

static void judge_reading(asking *a) {
    ks_adapter_request request;
    ks_adapter_reply reply;
    if (!(a->run->through ? give_converted(a) : give_artifact(a)) || !give_inputs(a))
        return;
    inside(a->outputs, a, "out.npz");
    inside(a->weights, a, "w.npz");
    inside(a->dump, a, "dump.json");
    request = request_of(a, "read");
    request.inputs = a->inputs[0] ? a->inputs : NULL;
    request.outputs = a->outputs;
    request.weights = a->weights;
    request.dump = a->dump;
    ks_adapter_ask(&reply, a->adapter, &request, a->scratch);
    take_reply(a, &reply);
}

// --- rewriting ------------------------------------------------------------------------------------------------------

static void compare_model(asking *a, ks_model *model) {
    ks_given_weight *given = NULL;
    ks_given_output outputs[KS_CASE_MAX_OUTPUTS];
    ks_tensor inputs[KS_CASE_MAX_OUTPUTS];
    ks_prediction *prediction = NULL;
    size_t count = ks_model_weight_count(model), n_inputs = ks_model_input_count(model);
    if (ks_case_has_file(a->c, "weights.npz")) {
        given = weights_of(a, model);
        if (given)
            ks_compare_weights(&a->golden, given, count);
        ks_free(&a->context, given);
    }
    if (!a->c->predict || !going_on(a))
        return;
    for (size_t i = 0; i < n_inputs && i < KS_CASE_MAX_OUTPUTS; i++)
        if (!ks_golden_input(&inputs[i], &a->golden, i))
            return;
    if (ks_model_predict(&prediction, model, inputs, n_inputs, KS_FLOAT32) != KS_OK) {
        fail_given(a, "wrong-value", a->file);
        return;
    }
    for (size_t i = 0; i < ks_prediction_count(prediction) && i < KS_CASE_MAX_OUTPUTS; i++)
        outputs[i] = (ks_given_output){ks_model_output_at(model, i).name, ks_prediction_at(prediction, i)};
    ks_compare_outputs(&a->golden, outputs, ks_prediction_count(prediction), KS_FLOAT32);
    ks_prediction_free(prediction);
}

/// Weights alone go into the model of the case: its own file, whatever became of the adapter's copy.
static void judge_written(asking *a, const char *path) {
    ks_model_options options = {.format = a->run->rewrite, .registry = ks_case_custom_objects(&a->context, a->c)};
    char architecture[2048];
    ks_model *model = NULL;
    if (architecture_format(a->run->rewrite)) {
        ks_case_file(architecture, a->c, a->c->architecture ? a->c->architecture : a->c->artifact);
        options.architecture = architecture;
    }
    if (ks_model_load(&model, &a->context, path, &options) != KS_OK)
        fail_given(a, "wrong-structure", path);
    else
        compare_model(a, model);
    if (going_on(a))
        a->out->outcome = KS_OUTCOME_PASS;
    ks_model_free(model);
}

static void judge_rewriting(asking *a) {
    ks_adapter_request request;
    ks_adapter_reply reply;
    char path[2048], folder[2048];
    if (!give_artifact(a))
        return;
    inside(folder, a, "written");
    snprintf(path, sizeof(path), "%.1000s/written/%s", a->scratch, file_name(a->run->rewrite));
    if (mkdir(folder, 0700) != 0) {
        set(a, KS_OUTCOME_HARNESS_ERROR, "no folder to write to: %s", strerror(errno));
        return;
    }
    request = request_of(a, "write");
    request.to = a->run->rewrite;
    request.out = path;
    ks_adapter_ask(&reply, a->adapter, &request, a->scratch);
    if (reply.outcome != KS_OUTCOME_NOT_RUN || reply.answer != KS_ADAPTER_ACCEPTED)
        take_reply(a, &reply);
    else
        judge_written(a, path);
}

// --- a case ---------------------------------------------------------------------------------------------------------

static bool is_declared(asking *a) {
    if (!ks_adapter_reads(a->adapter, a->format))
        set(a, KS_OUTCOME_UNSUPPORTED, "the adapter does not declare %s", a->format);
    else if (a->run->rewrite && !ks_adapter_writes(a->adapter, a->run->rewrite))
        set(a, KS_OUTCOME_UNSUPPORTED, "the adapter does not declare to write %s", a->run->rewrite);
    return going_on(a);
}

static void keep(const asking *a) {
    char path[2048], name[512];
    snprintf(name, sizeof(name), "%s", a->c->id);
    for (char *at = name; *at; at++)
        if (*at == '/')
            *at = '_';
    snprintf(path, sizeof(path), "%s/%s", a->run->keep, name);
    ks_scratch_remove(path);
    if (rename(a->scratch, path) != 0)
        ks_scratch_remove(a->scratch);
}

static void judge_case(asking *a) {
    a->format = a->run->through ? a->run->through : a->c->format;
    ks_comparison_open(&a->golden, a->out, a->c);
    ks_context_init(&a->context, NULL);
    if (!is_declared(a)) {
        ks_comparison_close(&a->golden);
        return;
    }
    if (ks_scratch_make(a->scratch, &a->context, a->run->keep ? a->run->keep : a->adapter->folder, "case") != KS_OK)
        ks_result_harness_error(a->out, &a->context.error);
    else if (a->run->rewrite)
        judge_rewriting(a);
    else
        judge_reading(a);
    ks_comparison_close(&a->golden);
    if (a->run->keep && a->out->outcome != KS_OUTCOME_PASS)
        keep(a);
    else
        ks_scratch_remove(a->scratch);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

void ks_adapter_judge(ks_result *out, ks_adapter *worker, const ks_adapter_run *run, const char *root, const char *id) {
    uint64_t start = now();
    ks_context context;
    ks_case c;
    asking *a = calloc(1, sizeof(*a));
    memset(out, 0, sizeof(*out));
    ks_context_init(&context, NULL);
    if (!a) {
        out->outcome = KS_OUTCOME_HARNESS_ERROR;
    } else if (ks_case_open(&c, &context, root, id) != KS_OK) {
        ks_result_harness_error(out, &context.error);
    } else {
        *a = (asking){.out = out, .c = &c, .root = root, .adapter = worker, .run = run};
        judge_case(a);
        ks_case_close(&c);
    }
    free(a);
    out->nanoseconds = now() - start;
}
