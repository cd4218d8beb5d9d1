// SPDX-License-Identifier: Apache-2.0
//
// Weights into a model that is there already, as Keras's load_weights and set_weights. Either all that was asked for
// is done or nothing. Source: Keras 3 saving/saving_api.py (load_weights), saving/saving_lib.py (load_weights_only);
// tf_keras engine/training.py (load_weights).
#include <kassay/json_writer.h>

#include <stdio.h>
#include <string.h>

#include "model/open_internal.h"

typedef struct work {
    ks_model *m;
    const char *path;
    const ks_load_options *options;
    ks_weights_options weights;
    ks_weights_report report;
    ks_source *source;
    ks_archive *archive;
    ks_json *index;
    ks__sharded *sharded;
    ks_hdf5 *file;
    const char *format;
} work;

static ks_code fail_option(const work *w, const char *text) {
    return ks_fail(w->m->context, KS_E_WEIGHTS_OPTION, KS_STAGE_WEIGHTS, KS_NO_OFFSET, w->path, "%s", text);
}

// --- values as they were ---------------------------------------------------------------------------------------------

/// What a variable held before; `size` is its last dimension, which may be that of the file.
typedef struct kept_value {
    const void *data;
    int64_t size;
} kept_value;

static ks_variable *variable_at(const ks_model *m, size_t index) {
    return index < m->map.n_variables ? m->map.variables[index] : m->map.kept[index - m->map.n_variables];
}

static int64_t *last_dimension(ks_variable *v) {
    return v->shape.rank ? &v->shape.dims[v->shape.rank - 1] : NULL;
}

static kept_value *keep_values(const ks_model *m) {
    size_t count = m->map.n_variables + m->map.n_kept;
    kept_value *values = ks_allocate(m->context, count + 1, sizeof(*values));
    for (size_t i = 0; values && i < count; i++) {
        ks_variable *v = variable_at(m, i);
        const int64_t *size = last_dimension(v);
        values[i] = (kept_value){v->data, size ? *size : 0};
        v->loaded = false;
    }
    return values;
}

static void restore_values(const ks_model *m, const kept_value *values) {
    for (size_t i = 0; i < m->map.n_variables + m->map.n_kept; i++) {
        ks_variable *v = variable_at(m, i);
        int64_t *size = last_dimension(v);
        v->data = values[i].data;
        v->real[0] = v->real[1] = NULL;
        if (size)
            *size = values[i].size;
    }
}

// --- formats --------------------------------------------------------------------------------------------------------

static ks_code set_format(work *w, const char *format) {
    bool older = strncmp(format, "h5-", 3) == 0;
    w->format = format;
    if (w->options->format && strcmp(w->options->format, format) != 0)
        return ks_fail(w->m->context, KS_E_UNKNOWN_FORMAT, KS_STAGE_MODEL, KS_NO_OFFSET, w->path,
                       "expected the format %s, found %s", w->options->format, format);
    if (w->options->by_name && !older)
        return fail_option(w, "only weights in the older HDF5 form can be loaded by name");
    if (older && w->options->skip_mismatch && !w->options->by_name && w->m->dialect != KS_DIALECT_KERAS3)
        return fail_option(w, "Keras 2 skips what does not match only when it loads by name");
    return KS_OK;
}

static ks_code load_hdf5(work *w, ks_bytes bytes, const char *document) {
    ks_model *m = w->m;
    ks_legacy_group group;
    ks__hdf5_form_name form;
    ks_code code;
    KS_TRY(ks_hdf5_open(&w->file, m->context, bytes, w->options->road));
    KS_TRY(ks__hdf5_form(&form, m, w->file, w->path));
    if (form == KS__HDF5_WEIGHTS) {
        if (!w->archive)
            KS_TRY(set_format(w, "weights-v3"));
        return ks__load_v3(m, w->file, document, &w->weights);
    }
    if (w->archive)
        return ks__model_fail(m, KS_E_WEIGHTS_STORE, document, "the archive's weights are in the older form");
    KS_TRY(set_format(w, form == KS__HDF5_MODEL ? "h5-legacy" : "h5-weights-legacy"));
    KS_TRY(ks_legacy_group_open(&group, m->context, &m->arena, w->file, document,
                                form == KS__HDF5_LEGACY_WEIGHTS ? "" : "model_weights"));
    KS_TRY(ks_weights_load_legacy(&m->map, m->context, &m->arena, w->file, document, &group, &w->weights));
done:
    return code;
}

static ks_code load_archive(work *w, ks_bytes bytes) {
    const ks_archive_member *member;
    ks_code code;
    KS_TRY(ks_archive_open_zip(&w->archive, w->m->context, bytes, w->options->road));
    KS_TRY(set_format(w, "keras-v3"));
    member = ks_archive_find(w->archive, "model.weights.h5");
    if (!member)
        return ks__refuse_pickles(w->m, w->archive);
    KS_TRY(ks_archive_read(&bytes, w->archive, member, true));
    KS_TRY(load_hdf5(w, bytes, "model.weights.h5"));
done:
    return code;
}

static ks_code load_index(work *w, ks_bytes bytes) {
    ks_code code;
    KS_TRY(ks_json_parse(&w->index, w->m->context, bytes, w->options->road));
    if (!ks__is_shard_index(ks_json_root(w->index)))
        return ks__model_fail(w->m, KS_E_UNKNOWN_FORMAT, w->path, "this document is no index of sharded weights");
    KS_TRY(set_format(w, "weights-v3-sharded"));
    KS_TRY(ks__load_sharded(&w->sharded, w->m, &w->m->map, ks_json_root(w->index), w->path, &w->weights));
done:
    return code;
}

static ks_code load_bytes(void *argument) {
    work *w = argument;
    ks_bytes bytes = ks_source_bytes(w->source);
    switch (ks__detect(bytes, w->path)) {
    case KS__ZIP:
        return load_archive(w, bytes);
    case KS__HDF5:
        return load_hdf5(w, bytes, "weights");
    case KS__JSON:
        return load_index(w, bytes);
    case KS__UNKNOWN:
        break;
    }
    return ks__model_fail(w->m, KS_E_UNKNOWN_FORMAT, w->path, "neither a zip archive nor HDF5 nor JSON");
}

static void close_all(work *w) {
    ks_hdf5_close(w->file);
    ks__sharded_close(w->sharded);
    ks_json_free(w->index);
    ks_archive_close(w->archive);
}

// --- the report -----------------------------------------------------------------------------------------------------

static void put_entry(ks_json_writer *w, const ks_object *layer, const ks_variable *v, const char *source,
                      const char *reason) {
    ks_json_begin_object(w);
    ks_json_put_key(w, "layer");
    ks_json_put_string(w, layer ? layer->name : NULL);
    ks_json_put_key(w, "variable");
    ks_json_put_string(w, v ? v->name : NULL);
    if (source) {
        ks_json_put_key(w, "source");
        ks_json_put_string(w, source);
    }
    if (reason) {
        ks_json_put_key(w, "reason");
        ks_json_put_string(w, reason);
    }
    ks_json_end_object(w);
}

static void put_notes(ks_json_writer *w, const ks_weights_report *report, const char *key, bool skipped) {
    ks_json_put_key(w, key);
    ks_json_begin_list(w);
    for (size_t i = 0; i < report->count; i++) {
        const ks_weights_note *note = &report->items[i];
        if (skipped == (note->reason != NULL))
            put_entry(w, note->layer, note->variable, note->source, note->reason);
    }
    ks_json_end_list(w);
}

static ks_code write_report(ks_text *out, const work *w) {
    ks_json_writer writer;
    ks_json_writer_init(&writer, w->m->context, (ks_json_style){1, true});
    ks_json_begin_object(&writer);
    ks_json_put_key(&writer, "schema");
    ks_json_put_string(&writer, "kassay-load/1");
    ks_json_put_key(&writer, "format");
    ks_json_put_string(&writer, w->format);
    put_notes(&writer, &w->report, "loaded", false);
    put_notes(&writer, &w->report, "skipped", true);
    ks_json_put_key(&writer, "left");
    ks_json_begin_list(&writer);
    for (size_t i = 0; i < w->m->map.n_variables; i++) {
        const ks_variable *v = w->m->map.variables[i];
        if (!v->loaded)
            put_entry(&writer, v->owner, v, NULL, NULL);
    }
    ks_json_end_list(&writer);
    ks_json_end_object(&writer);
    return ks_json_writer_finish(out, &writer);
}

// --- entry points ---------------------------------------------------------------------------------------------------

static ks_code load_source(work *w) {
    ks_arena before = w->m->arena;
    ks_road road = w->m->options.road;
    ks_code code;
    w->m->options.road = w->options->road;
    code = ks_source_guard(w->source, w->m->context, load_bytes, w);
    w->m->options.road = road;
    if (code == KS_E_FILE_CHANGED)
        w->m->arena = before; // what the work had made is gone already
    else
        close_all(w);
    return code;
}

ks_code ks_model_load_weights(ks_text *report, ks_model *m, const char *path, const ks_load_options *options) {
    static const ks_load_options none = {0};
    work w = {.m = m, .path = path, .options = options ? options : &none};
    uint64_t limit = m->context->memory.limit;
    kept_value *values = keep_values(m);
    ks_code code;
    if (report)
        *report = (ks_text){NULL, 0};
    if (!values)
        return m->context->error.code;
    w.weights = (ks_weights_options){.copy = true,
                                     .skip_mismatch = w.options->skip_mismatch,
                                     .by_name = w.options->by_name,
                                     .backend = w.options->backend,
                                     .report = &w.report};
    code = ks_source_open(&w.source, m->context, path);
    m->context->memory.limit += limit; // both files count
    if (code == KS_OK)
        code = load_source(&w);
    if (code == KS_OK)
        code = ks_weights_relist(&m->map, m->context, &m->arena);
    if (code == KS_OK && report)
        code = write_report(report, &w);
    if (code == KS_OK)
        m->has_weights = true;
    else
        restore_values(m, values);
    ks_source_close(w.source);
    ks_free(m->context, values);
    return code;
}

static ks_code check_weight(ks_model *m, size_t index, const ks_tensor *values) {
    ks_model_weight weight = ks_model_weight_at(m, index);
    ks_shape shape = m->map.listed ? ks_slot_shape(m->map.listed[index]) : m->map.variables[index]->shape;
    char expected[256], found[256], place[32];
    if (ks_shape_equal(&shape, &values->shape) && values->dtype != KS_STRING)
        return KS_OK;
    snprintf(place, sizeof(place), "weight.%zu", index);
    return ks_fail(m->context, KS_E_MODEL_WEIGHTS, KS_STAGE_MODEL, KS_NO_OFFSET, place,
                   "%.60s \"%.60s\" has shape %s, the value given %s", weight.layer, weight.name,
                   ks_shape_format(&shape, expected, sizeof(expected)),
                   ks_shape_format(&values->shape, found, sizeof(found)));
}

static ks_code set_weight(ks_model *m, size_t index, const ks_tensor *values) {
    ks_slot whole = {.variable = m->map.listed ? NULL : m->map.variables[index], .parts = 1};
    return ks_slot_store(m->map.listed ? m->map.listed[index] : &whole, m->context, &m->arena, values);
}

ks_code ks_model_set_weights(ks_model *m, const ks_tensor *weights, size_t count) {
    kept_value *values;
    ks_code code = KS_OK;
    if (count != ks_model_weight_count(m))
        return ks_fail(m->context, KS_E_MODEL_WEIGHTS, KS_STAGE_MODEL, KS_NO_OFFSET, m->root->name,
                       "the model has %zu weights, %zu were given", ks_model_weight_count(m), count);
    for (size_t i = 0; i < count; i++)
        KS_TRY(check_weight(m, i, &weights[i]));
    values = keep_values(m);
    if (!values)
        return m->context->error.code;
    for (size_t i = 0; code == KS_OK && i < count; i++)
        code = set_weight(m, i, &weights[i]);
    if (code == KS_OK)
        code = ks_weights_relist(&m->map, m->context, &m->arena);
    if (code == KS_OK)
        m->has_weights = true;
    else
        restore_values(m, values);
    ks_free(m->context, values);
done:
    return code;
}
