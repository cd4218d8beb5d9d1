// SPDX-License-Identifier: Apache-2.0
//
// The roads from a file's bytes to a model, one file for each container. All of them fill in an empty ks_model.
#ifndef KASSAY_MODEL_OPEN_INTERNAL_H
#define KASSAY_MODEL_OPEN_INTERNAL_H

#include "model/model_internal.h"

/// A failure of the model stage.
ks_code ks__model_fail(ks_model *model, ks_code code, const char *place, const char *text);
/// Says which format it is; fails when the options ask for another.
ks_code ks__model_format(ks_model *model, const char *format);
/// Parses a JSON document and says in errors that it was `name`.
ks_code ks__model_json(ks_json **out, ks_model *model, ks_bytes bytes, const char *name);
/// The architecture from a parsed document: root and map.
ks_code ks__model_config(ks_model *model, ks_bytes bytes, const char *name);
/// Opens an HDF5 file; with `check_only` every checksum in it is verified. `name` goes before the places of errors.
ks_code ks__model_hdf5(ks_model *model, ks_bytes bytes, const char *name);
/// Takes over the architecture that the options name.
ks_code ks__model_architecture(ks_model *model);

typedef enum ks__hdf5_form_name {
    KS__HDF5_MODEL,          ///< a whole model of the older form
    KS__HDF5_LEGACY_WEIGHTS, ///< its weights alone, in the root
    KS__HDF5_LEGACY_GROUP,   ///< its weights alone, in the group model_weights
    KS__HDF5_WEIGHTS         ///< weights of Keras 3
} ks__hdf5_form_name;
/// Loads the groups PATH/vars of a file under whatever names it has for them.
ks_code ks__load_v3(ks_model *model, ks_hdf5 *file, const char *document, const ks_weights_options *options);
/// What an open HDF5 file is, by what its root holds.
ks_code ks__hdf5_form(ks__hdf5_form_name *out, ks_model *model, ks_hdf5 *file, const char *path);

typedef enum ks__container { KS__ZIP, KS__HDF5, KS__JSON, KS__UNKNOWN } ks__container;
/// By the first bytes; the name decides only where a prefix hides them.
ks__container ks__detect(ks_bytes bytes, const char *path);
/// The error for an archive without config.json or model.weights.h5.
ks_code ks__refuse_pickles(ks_model *model, ks_archive *archive);

/// model->bytes in whatever format they are; the options' format, if any, must be theirs.
ks_code ks__open_bytes(ks_model *model);
/// A `.keras` archive or directory; model->archive is open.
ks_code ks__open_keras(ks_model *model);
/// The words that layers keep in assets of the archive; the weights were loaded.
ks_code ks__load_words(ks_model *model);
/// An HDF5 file: decides between its formats by what its root holds.
ks_code ks__open_hdf5(ks_model *model);

/// Is this document an index of sharded weights?
bool ks__is_shard_index(const ks_value *root);
/// Loads sharded weights; `path` is that of the index. `*out` is to be closed also after a failure, and not before the
/// weights are done with.
ks_code ks__load_sharded(ks__sharded **out, ks_model *model, ks_weight_map *map, const ks_value *root, const char *path,
                         const ks_weights_options *options);
void ks__sharded_close(ks__sharded *sharded); ///< NULL is allowed

#endif
