// SPDX-License-Identifier: Apache-2.0
#ifndef KASSAY_MODEL_MODEL_INTERNAL_H
#define KASSAY_MODEL_MODEL_INTERNAL_H

#include <kassay/json.h>
#include <kassay/model.h>
#include <kassay/source.h>

#include "base/arena.h"
#include "config/serialize.h"
#include "schema/class.h"
#include "weights/legacy.h"

typedef struct ks__sharded ks__sharded;

struct ks_model {
    ks_context *context;
    ks_arena arena; ///< objects, graphs, copied tensors
    ks_model_options options;
    const char *path;
    const char *format;
    const char *keras_version;
    ks_dialect dialect; ///< of the config: never AUTO once it is read
    ks_writer writer;   ///< whose get_weights() order the model has
    ks_source *source;  ///< the file; NULL when the bytes are the caller's
    ks_bytes bytes;
    ks_archive *archive; ///< of a .keras file or directory
    ks_json *config;     ///< the architecture's document
    ks_json *training;   ///< training_config of an older file, once it was asked for
    ks_hdf5 *weights;
    ks__sharded *sharded;
    ks_model *architecture; ///< model file that the config came from, for weights-only formats
    ks_object *root;
    ks_weight_map map;
    bool has_weights;
};

/// Keras 3's record of the model, as text. Free with ks_free.
ks_code ks__model_record(ks_text *out, ks_model *m, const ks_write_options *options);

#endif
