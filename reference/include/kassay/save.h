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
// The words that a lookup was adapted to are in a file of their own in the first two, and in the config of
// the others, where Keras leaves them out.
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

/// Whose words the older formats have. Keras 2 became tf.keras, which went on to have others.
typedef enum ks_save_target {
    KS_FOR_TF_KERAS, ///< tf_keras 2.21, and tf.keras since 2.4 or so, where a model needs no newer class or key
    KS_FOR_KERAS_2_3 ///< Keras 2.3.1, the last one before; it takes no key that it does not know
} ks_save_target;

typedef struct ks_save_options {
    const char *format;    ///< NULL: that of the file's name, see ks_format_of_name
    uint64_t shard_bytes;  ///< weights-v3-sharded: bytes of variables in one shard; 0: all in one
    ks_save_target target; ///< h5-legacy, h5-weights-legacy and json-legacy; others have the words of Keras 3
} ks_save_options;

/// "tf_keras-2.21", "keras-2.3"
const char *ks_save_target_name(ks_save_target target);
/// -1 when the name is none of these.
int ks_save_target_by_name(const char *name);

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
