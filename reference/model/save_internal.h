// SPDX-License-Identifier: Apache-2.0
#ifndef KASSAY_MODEL_SAVE_INTERNAL_H
#define KASSAY_MODEL_SAVE_INTERNAL_H

#include <kassay/output.h>
#include <kassay/save.h>
#include <kassay/writer.h>

#include "model/model_internal.h"

/// One run of ks_model_save.
typedef struct ks__save {
    ks_model *model;
    ks_context *context;
    ks_losses *losses;
    ks_save_options options;
    ks_arena arena;                ///< made values and texts
    struct ks__compiled *compiled; ///< how the model was compiled, in the words of Keras 3; once it was asked for
} ks__save;

/// The version of Keras whose words the writers use.
#define KS_SAVED_KERAS_3 "3.15.1"
#define KS_SAVED_KERAS_2 "2.21.0"
#define KS_SAVED_KERAS_2_3 "2.3.1"
#define KS_SAVED_BACKEND "tensorflow"
#define KS_SAVE_ALIGNMENT 64

/// The version that the older formats say.
const char *ks__saved_version(const ks__save *save);
/// The model's record in the words of Keras 3; `keras2`: with the keys that only Keras 2 writes. It lives in the save's
/// arena and borrows from the model.
ks_code ks__save_record(ks_value *out, ks__save *save, bool keras2, ks_write_words words);
/// config.json and to_json() of Keras 3. Free with ks_free.
ks_code ks__save_config_v3(ks_text *out, ks__save *save, ks_write_words words);
/// Puts the compile_config of the model's file into a record of Keras 3.
ks_code ks__save_compile(ks__save *save, ks_value *record);
/// The optimizer's variables, as the model's file has them.
ks_code ks__save_optimizer(ks__save *save, ks_hdf5_writer *writer);
/// Writes training_config and optimizer_weights of Keras 2.
ks_code ks__save_training_legacy(ks__save *save, ks_hdf5_writer *writer);
/// compile_config and optimizer of an older file, or of Keras 3's own in the older form, in the words of Keras 3.
ks_code ks__save_compile_of_hdf5(ks__save *save, ks_value *record);
ks_code ks__save_optimizer_of_hdf5(ks__save *save, ks_hdf5_writer *writer);
/// Tells what this format cannot carry: the optimizer's variables, and of whole models how they were compiled.
ks_code ks__lose_training(ks__save *save, bool whole);
/// Files of layers, "assets/…": into an archive; into a folder that is being made; out of it again; or lost by name.
ks_code ks__save_assets(ks__save *save, ks_zip_writer *zip);
ks_code ks__save_assets_in(ks__save *save, const char *folder);
void ks__remove_assets(ks__save *save, const char *folder);
ks_code ks__lose_assets(ks__save *save);
/// metadata.json.
ks_bytes ks__save_metadata(void);
/// to_json() of Keras 2, and the config that its HDF5 files hold (without versions). Free with ks_free.
ks_code ks__save_config_legacy(ks_text *out, ks__save *save, bool versions);
ks_code ks__fill_json_legacy(ks__save *save, ks_output *output);
ks_code ks__fill_h5_legacy(ks__save *save, ks_output *output);
ks_code ks__fill_h5_weights_legacy(ks__save *save, ks_output *output);
/// Variables and optimizer of Keras 3 into an open HDF5 writer.
ks_code ks__save_weights_v3(ks__save *save, ks_hdf5_writer *writer);
/// A whole HDF5 file at `offset` of an output. `*size` is its length.
typedef ks_code ks__save_hdf5(ks__save *save, ks_hdf5_writer *writer);
ks_code ks__save_hdf5_at(uint64_t *size, ks__save *save, ks_output *output, uint64_t offset, ks__save_hdf5 *fill);
/// The folder form of Keras 3.
ks_code ks__save_directory(ks__save *save, const char *path);
/// Shards and index.
ks_code ks__save_sharded(ks__save *save, const char *path);

#endif
