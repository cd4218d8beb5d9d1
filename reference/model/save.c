// SPDX-License-Identifier: Apache-2.0
//
// Saving: chooses the format and fills a file that takes its name when it is whole.
#include "model/save_internal.h"

#include <stdlib.h>
#include <string.h>

#include "config/serialize.h"
#include "weights/write.h"

static bool ends_with(const char *text, const char *end) {
    size_t size = strlen(text);
    size_t end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

const char *ks_format_of_name(const char *path) {
    static const char *const table[][2] = {
        {".keras", "keras-v3"}, {".weights.h5", "weights-v3"}, {".weights.json", "weights-v3-sharded"},
        {".h5", "h5-legacy"},   {".hdf5", "h5-legacy"},        {".json", "json-v3"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (ends_with(path, table[i][0]))
            return table[i][1];
    return "keras-v3-dir";
}

// --- Keras 3 ---------------------------------------------------------------------------------------------------------

ks_bytes ks__save_metadata(void) {
    static const char text[] = "{\"keras_version\": \"" KS_SAVED_KERAS_3 "\", \"date_saved\": \"1980-01-01@00:00:00\"}";
    return (ks_bytes){(const uint8_t *)text, sizeof text - 1};
}

ks_code ks__save_record(ks_value *out, ks__save *save, bool keras2, ks_write_words words) {
    ks_write_options options = {.keras2 = keras2,
                                .words = words,
                                .early = keras2 && save->options.target == KS_FOR_KERAS_2_3,
                                .losses = save->losses};
    return ks_config_value(out, save->context, &save->arena, save->model->root, &options);
}

ks_code ks__save_config_v3(ks_text *out, ks__save *save, ks_write_words words) {
    ks_value record;
    ks_code code;
    *out = (ks_text){NULL, 0};
    KS_TRY(ks__save_record(&record, save, false, words));
    KS_TRY(ks_config_check_words(save->context, &save->arena, &record, "config.json:"));
    KS_TRY(ks__save_compile(save, &record)); // of any depth, as the file had it
    KS_TRY(ks_json_write(out, save->context, &record, (ks_json_style){0, true}));
done:
    return code;
}

ks_code ks__save_weights_v3(ks__save *save, ks_hdf5_writer *writer) {
    ks_weights_cursor cursor = {0, 0};
    uint64_t used;
    ks_code code;
    KS_TRY(ks_weights_write_v3(&save->model->map, save->context, writer, &cursor, 0, &used));
    KS_TRY(ks__save_optimizer(save, writer));
done:
    return code;
}

ks_code ks__save_hdf5_at(uint64_t *size, ks__save *save, ks_output *output, uint64_t offset, ks__save_hdf5 *fill) {
    ks_hdf5_writer *writer = NULL;
    ks_bytes written;
    ks_code code;
    KS_TRY(ks_hdf5_writer_open_at(&writer, save->context, ks_output_descriptor(output), offset));
    KS_TRY(fill(save, writer));
    KS_TRY(ks_hdf5_writer_finish(&written, writer));
    *size = written.size;
done:
    ks_hdf5_writer_close(writer);
    return code;
}

static ks_code fill_keras(ks__save *save, ks_output *output) {
    ks_zip_writer *zip = NULL;
    ks_text config = {NULL, 0};
    uint64_t offset;
    uint64_t size;
    ks_code code;
    KS_TRY(ks__save_config_v3(&config, save, KS_WRITE_WORDS_ODD));
    KS_TRY(ks_zip_writer_open(&zip, save->context, output));
    KS_TRY(ks_zip_writer_add(zip, "metadata.json", ks__save_metadata(), 0));
    KS_TRY(ks_zip_writer_add(zip, "config.json", (ks_bytes){(const uint8_t *)config.data, config.size}, 0));
    KS_TRY(ks_zip_writer_begin(&offset, zip, "model.weights.h5", KS_SAVE_ALIGNMENT));
    KS_TRY(ks__save_hdf5_at(&size, save, output, offset, ks__save_weights_v3));
    KS_TRY(ks_zip_writer_end(zip, size));
    KS_TRY(ks__save_assets(save, zip));
    KS_TRY(ks_zip_writer_finish(zip));
done:
    ks_zip_writer_close(zip);
    ks_free(save->context, (void *)(uintptr_t)config.data);
    return code;
}

static ks_code fill_weights(ks__save *save, ks_output *output) {
    uint64_t size;
    return ks__save_hdf5_at(&size, save, output, 0, ks__save_weights_v3);
}

// Keras's to_json() leaves out the words of an asset, and nobody can run the model with the weights alone.
static ks_code fill_json(ks__save *save, ks_output *output) {
    ks_text config = {NULL, 0};
    ks_code code;
    KS_TRY(ks__save_config_v3(&config, save, KS_WRITE_WORDS_ALL));
    KS_TRY(ks_output_write(output, 0, (ks_bytes){(const uint8_t *)config.data, config.size}));
done:
    ks_free(save->context, (void *)(uintptr_t)config.data);
    return code;
}

// --- formats ---------------------------------------------------------------------------------------------------------

typedef struct saver {
    const char *format;
    ks_code (*fill)(ks__save *save, ks_output *output);   ///< one file
    ks_code (*save_as)(ks__save *save, const char *path); ///< several
} saver;

static const saver savers[] = {
    {"keras-v3", fill_keras, NULL},
    {"keras-v3-dir", NULL, ks__save_directory},
    {"weights-v3", fill_weights, NULL},
    {"weights-v3-sharded", NULL, ks__save_sharded},
    {"h5-legacy", ks__fill_h5_legacy, NULL},
    {"h5-weights-legacy", ks__fill_h5_weights_legacy, NULL},
    {"json-v3", fill_json, NULL},
    {"json-legacy", ks__fill_json_legacy, NULL},
};

#define N_SAVERS (sizeof savers / sizeof savers[0])

static const char *const targets[] = {"tf_keras-2.21", "keras-2.3"};

const char *ks_save_target_name(ks_save_target target) {
    return targets[target];
}

int ks_save_target_by_name(const char *name) {
    for (int i = 0; i < (int)(sizeof targets / sizeof targets[0]); i++)
        if (strcmp(targets[i], name) == 0)
            return i;
    return -1;
}

const char *const *ks_save_formats(void) {
    static const char *names[N_SAVERS + 1];
    for (size_t i = 0; i < N_SAVERS; i++)
        names[i] = savers[i].format;
    return names;
}

static ks_code find_saver(const saver **out, ks_context *context, const char *format) {
    for (size_t i = 0; i < N_SAVERS; i++) {
        if (strcmp(savers[i].format, format) == 0) {
            *out = &savers[i];
            return KS_OK;
        }
    }
    return ks_fail(context, KS_E_SAVE_FORMAT, KS_STAGE_SAVE, KS_NO_OFFSET, format, "this format cannot be written");
}

static ks_code check_target(ks__save *save) {
    if (save->options.target == KS_FOR_TF_KERAS || strstr(save->options.format, "legacy"))
        return KS_OK;
    return ks_fail(save->context, KS_E_SAVE_FORMAT, KS_STAGE_SAVE, KS_NO_OFFSET, save->options.format,
                   "%s does not read this format", ks_save_target_name(save->options.target));
}

static ks_code save_file(ks__save *save, const char *path, const saver *how) {
    ks_output *output = NULL;
    ks_code code;
    KS_TRY(ks_output_open(&output, save->context, path));
    KS_TRY(how->fill(save, output));
    KS_TRY(ks_output_commit(output));
done:
    ks_output_close(output);
    return code;
}

static ks_code save_bytes(ks_bytes *out, ks__save *save, const saver *how) {
    ks_output *output = NULL;
    ks_code code;
    if (!how->fill)
        return ks_fail(save->context, KS_E_SAVE_FORMAT, KS_STAGE_SAVE, KS_NO_OFFSET, how->format,
                       "this format is not one file");
    KS_TRY(ks_output_open(&output, save->context, NULL));
    KS_TRY(how->fill(save, output));
    KS_TRY(ks_output_take(out, output));
done:
    ks_output_close(output);
    return code;
}

/// `path` NULL: into `*out`.
static ks_code run(ks_bytes *out, ks_model *model, const char *path, const ks_save_options *options,
                   ks_losses *losses) {
    ks_context *context = model->context;
    ks__save save = {.model = model, .context = context, .losses = losses};
    ks_losses none;
    const saver *how = NULL;
    ks_code code;
    ks_losses_init(&none, context, false);
    if (options)
        save.options = *options;
    if (!losses)
        save.losses = &none;
    if (!save.options.format)
        save.options.format = ks_format_of_name(path ? path : "");
    ks_arena_init(&save.arena, context);
    KS_TRY(find_saver(&how, context, save.options.format));
    KS_TRY(check_target(&save));
    if (!path)
        KS_TRY(save_bytes(out, &save, how));
    else if (how->save_as)
        KS_TRY(how->save_as(&save, path));
    else
        KS_TRY(save_file(&save, path, how));
done:
    ks_arena_fini(&save.arena);
    return code;
}

ks_code ks_model_save(ks_model *model, const char *path, const ks_save_options *options, ks_losses *losses) {
    return run(NULL, model, path, options, losses);
}

ks_code ks_model_save_bytes(ks_bytes *out, ks_model *model, const ks_save_options *options, ks_losses *losses) {
    *out = (ks_bytes){NULL, 0};
    return run(out, model, NULL, options, losses);
}
