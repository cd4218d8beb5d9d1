// SPDX-License-Identifier: Apache-2.0
//
// Finds the format of a file from its bytes and sends them on.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "model/open_internal.h"

#define SMALL_CONFIG 16384 ///< bytes of a config whose objects get one piece of memory
#define OBJECT_SHARE 8     ///< bytes of objects for one byte of it
#define NEWEST_MINOR 15    ///< of the versions of Keras 3 that this reference was compared with

ks_code ks__model_fail(ks_model *m, ks_code code, const char *place, const char *text) {
    return ks_fail(m->context, code, KS_STAGE_MODEL, KS_NO_OFFSET, place, "%s", text);
}

ks_code ks__model_format(ks_model *m, const char *format) {
    m->format = format;
    if (!m->options.format || strcmp(m->options.format, format) == 0)
        return KS_OK;
    return ks_fail(m->context, KS_E_UNKNOWN_FORMAT, KS_STAGE_MODEL, KS_NO_OFFSET, m->path,
                   "expected the format %s, found %s", m->options.format, format);
}

ks_code ks__model_json(ks_json **out, ks_model *m, ks_bytes bytes, const char *name) {
    char prefix[80];
    ks_code code = ks_json_parse(out, m->context, bytes, m->options.road);
    if (code != KS_OK) {
        snprintf(prefix, sizeof(prefix), "%s:", name);
        ks_error_prefix_place(m->context, prefix);
    }
    return code;
}

// Keras 1 and 2 write their version into the JSON.
static ks_code note_version(ks_model *m, ks_config_options *options) {
    const char *version = ks_config_keras_version(ks_json_root(m->config), options);
    m->keras_version = ks_arena_text(&m->arena, version, strlen(version)).data;
    options->keras_version = m->keras_version ? m->keras_version : "";
    return m->keras_version ? KS_OK : m->context->error.code;
}

// What a later generation means by the same words is not known. Versions of Keras 3 that are newer than this reference
// change few meanings, so they only warn.
static ks_code check_version(ks_model *m) {
    char *end;
    long major = strtol(m->keras_version, &end, 10), minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    if (m->options.dialect != KS_DIALECT_AUTO)
        return KS_OK;
    if (major > 3)
        return ks_fail(m->context, KS_E_MODEL_VERSION, KS_STAGE_MODEL, KS_NO_OFFSET, "keras_version",
                       "expected a version of Keras 1, 2 or 3, found \"%.40s\"", m->keras_version);
    if (major == 3 && minor > NEWEST_MINOR)
        ks_warn(m->context, "keras-version-newer", "keras_version");
    return KS_OK;
}

// TensorFlow 1.13 says it is Keras 2.2.4-tf, as 1.14 to 2.0 do, but lists nested models as Keras 2 before it. Only it
// writes this class, and only models that hold it have another order.
static bool is_tensorflow_1_13(ks_bytes config) {
    static const char mark[] = "\"BatchNormalizationV1\"";
    for (size_t i = 0; i + sizeof(mark) - 1 <= config.size; i++)
        if (config.data[i] == '"' && memcmp(config.data + i, mark, sizeof(mark) - 1) == 0)
            return true;
    return false;
}

// Whose lists of weights the model has: the writer's, but that of the newest Keras 2 when only the generation is known.
static ks_writer writer_of(const ks_model *m, ks_bytes config) {
    ks_writer named = ks_writer_of(m->keras_version);
    if (strcmp(m->keras_version, "2.2.4-tf") == 0 && is_tensorflow_1_13(config))
        named = KS_WRITER_KERAS2;
    switch (m->dialect) {
    case KS_DIALECT_KERAS1:
        return KS_WRITER_KERAS1;
    case KS_DIALECT_KERAS2:
        return ks_writer_is_keras2(named) ? named : KS_WRITER_TF_KERAS;
    case KS_DIALECT_AUTO:
    case KS_DIALECT_KERAS3:
        break;
    }
    return KS_WRITER_KERAS3;
}

static ks_code read_config(ks_model *m, ks_bytes bytes, const char *name) {
    ks_config_options options = {.dialect = m->options.dialect,
                                 .keras_version = m->keras_version,
                                 .registry = m->options.registry,
                                 .backend = m->options.backend};
    ks_code code;
    ks_arena_expect(&m->arena, bytes.size < SMALL_CONFIG ? OBJECT_SHARE * bytes.size : 0);
    KS_TRY(note_version(m, &options));
    KS_TRY(check_version(m));
    m->dialect = ks_config_dialect(ks_json_root(m->config), &options);
    KS_TRY(ks_config_read(&m->root, m->context, &m->arena, ks_json_root(m->config), name, &options));
    if (m->root->row->kind != KS_KIND_MODEL)
        return ks_fail(m->context, KS_E_CONFIG_RECORD, KS_STAGE_CONFIG, 0, name, "expected a model, found the %s %s",
                       ks_kind_name(m->root->row->kind), m->root->row->name);
    KS_TRY(ks_weights_map(&m->map, m->context, &m->arena, m->root));
    m->writer = writer_of(m, bytes);
    KS_TRY(ks_weights_list(&m->map, m->context, &m->arena, m->writer));
done:
    return code;
}

ks_code ks__model_config(ks_model *m, ks_bytes bytes, const char *name) {
    ks_code code;
    KS_TRY(ks__model_json(&m->config, m, bytes, name));
    KS_TRY(read_config(m, bytes, name));
done:
    return code;
}

// An architecture, or the index of sharded weights.
static ks_code open_json(ks_model *m) {
    ks_weights_options options = {.check = m->options.check_only};
    ks_code code;
    KS_TRY(ks__model_json(&m->config, m, m->bytes, "config.json"));
    if (ks__is_shard_index(ks_json_root(m->config))) {
        KS_TRY(ks__model_format(m, "weights-v3-sharded"));
        KS_TRY(ks__model_architecture(m));
        KS_TRY(ks__load_sharded(&m->sharded, m, &m->map, ks_json_root(m->config), m->path, &options));
        KS_TRY(ks_weights_relist(&m->map, m->context, &m->arena));
        m->has_weights = true;
        return KS_OK;
    }
    KS_TRY(read_config(m, m->bytes, "config.json"));
    // Only Keras 3 says of a whole model in which module its class is.
    KS_TRY(ks__model_format(m, ks_value_get(ks_json_root(m->config), "module") ? "json-v3" : "json-legacy"));
done:
    return code;
}

// --- what the bytes are ---------------------------------------------------------------------------------------------

static bool starts_with(ks_bytes bytes, const char *magic, size_t size) {
    return bytes.size >= size && memcmp(bytes.data, magic, size) == 0;
}

// An HDF5 superblock stands at 0, 512, 1024, …; a zip archive may have anything in front, so its end is asked by the
// reader.
static bool is_hdf5(ks_bytes bytes) {
    for (uint64_t at = 0; at + 8 <= bytes.size && at <= (uint64_t)1 << 20; at = at ? at * 2 : 512)
        if (memcmp(bytes.data + at, "\x89HDF\r\n\x1a\n", 8) == 0)
            return true;
    return false;
}

// JSON in any of its encodings starts with "{" after marks and blanks.
static bool is_json(ks_bytes bytes) {
    for (size_t i = 0; i < bytes.size && i < 8; i++)
        if (bytes.data[i] == '{')
            return true;
    for (size_t i = 0; i < bytes.size && i < 4096; i++) {
        if (bytes.data[i] == '{' || bytes.data[i] == '[' || bytes.data[i] == '"')
            return true;
        if (bytes.data[i] != ' ' && bytes.data[i] != '\n' && bytes.data[i] != '\r' && bytes.data[i] != '\t')
            break;
    }
    return false;
}

static bool ends_with(const char *text, const char *end) {
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

ks__container ks__detect(ks_bytes bytes, const char *path) {
    if (starts_with(bytes, "PK", 2))
        return KS__ZIP;
    if (is_hdf5(bytes))
        return KS__HDF5;
    if (is_json(bytes))
        return KS__JSON;
    return ends_with(path, ".keras") ? KS__ZIP : KS__UNKNOWN; // a prefix before the archive: the zip reader judges
}

static ks__container container_of(const char *format) {
    if (strcmp(format, "keras-v3") == 0)
        return KS__ZIP;
    if (strcmp(format, "weights-v3") == 0 || strcmp(format, "h5-legacy") == 0 ||
        strcmp(format, "h5-weights-legacy") == 0)
        return KS__HDF5;
    if (strcmp(format, "json-v3") == 0 || strcmp(format, "json-legacy") == 0 ||
        strcmp(format, "weights-v3-sharded") == 0)
        return KS__JSON;
    return KS__UNKNOWN;
}

static void compare_name(ks_model *m, ks__container found) {
    ks__container named = ends_with(m->path, ".keras")                               ? KS__ZIP
                          : ends_with(m->path, ".h5") || ends_with(m->path, ".hdf5") ? KS__HDF5
                          : ends_with(m->path, ".json")                              ? KS__JSON
                                                                                     : KS__UNKNOWN;
    if (named != KS__UNKNOWN && named != found)
        ks_warn(m->context, "name-and-content-disagree", m->path);
}

ks_code ks__open_bytes(ks_model *m) {
    ks__container found = m->options.format ? container_of(m->options.format) : ks__detect(m->bytes, m->path);
    ks_code code;
    if (m->options.format && found == KS__UNKNOWN)
        return ks__model_fail(m, KS_E_MODEL_FORMAT, m->path, "this format cannot be read by this reference");
    if (found == KS__UNKNOWN)
        return ks__model_fail(m, KS_E_UNKNOWN_FORMAT, m->path, "neither a zip archive nor HDF5 nor JSON");
    compare_name(m, found);
    if (found == KS__ZIP) {
        KS_TRY(ks__model_format(m, "keras-v3"));
        KS_TRY(ks_archive_open_zip(&m->archive, m->context, m->bytes, m->options.road));
        KS_TRY(ks__open_keras(m));
    } else if (found == KS__HDF5) {
        KS_TRY(ks__open_hdf5(m));
    } else {
        KS_TRY(open_json(m));
    }
done:
    return code;
}
