// SPDX-License-Identifier: Apache-2.0
//
// Saving a model in any format. Whatever was loaded can be saved in every format that can say it; what a format cannot
// carry is an error with a name, unless losses are allowed.
//
//   keras-v3            .keras            config and weights (and optimizer) of Keras 3, in a zip archive
//   keras-v3-dir        a folder          the same members
//   weights-v3          .weights.h5       weights by the paths of Keras 3
//   weights-v3-sharded  X.weights.json    the same in files of a limited size, with an index
//   h5-legacy           .h5, .hdf5        config in the words of Keras 2, weights by layer
//   h5-weights-legacy                     weights by layer alone
//   json-v3             .json             the config of to_json() of Keras 3
//   json-legacy                           the config of to_json() of Keras 2
//
// The same model gives the same bytes. Nothing stands under the final name before it is whole, and an existing file
// stays when saving fails; of a sharded file each part for itself appears in one step, the index last.
#ifndef KASSAY_SAVE_H
#define KASSAY_SAVE_H

#include <kassay/losses.h>
#include <kassay/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ks_save_options {
    const char *format;   ///< NULL: that of the file's name, see ks_format_of_name
    uint64_t shard_bytes; ///< weights-v3-sharded: bytes of variables in one shard; 0: all in one
} ks_save_options;

/// The format that Keras writes for a path of this name: ".keras", ".weights.h5", ".h5"/".hdf5", ".weights.json",
/// ".json", else a folder.
const char *ks_format_of_name(const char *path);
/// Every format that can be written, NULL-terminated.
const char *const *ks_save_formats(void);

/// `options` may be NULL. `losses` says whether something may be lost and takes what was; NULL: nothing may.
ks_code ks_model_save(ks_model *model, const char *path, const ks_save_options *options, ks_losses *losses);
/// The formats that are one file, in memory. Free `out->data` with ks_free.
ks_code ks_model_save_bytes(ks_bytes *out, ks_model *model, const ks_save_options *options, ks_losses *losses);

#ifdef __cplusplus
}
#endif
#endif
