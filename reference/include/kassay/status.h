// SPDX-License-Identifier: Apache-2.0
//
// Result codes, verdicts and the error record.
//
// Every fallible function returns a ks_code; KS_OK is zero. On failure the context's error record says where and why.
// The codes come from one table (codes/*.def, one file per family, numbers with gaps); files and programs name a code
// by its text ("zip-bad-crc"), never by its number.
#ifndef KASSAY_STATUS_H
#define KASSAY_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What a file is worth. I/O failure, out of memory, misuse and internal faults are not verdicts on a file.
typedef enum ks_verdict {
    KS_ACCEPTED = 0,
    KS_MALFORMED = 1,   ///< breaks a rule of its format
    KS_UNSUPPORTED = 2, ///< valid, but outside this reference
    KS_OVER_LIMIT = 3,  ///< needs more than the limits allow
    KS_UNSAFE = 4,      ///< would run code, read other files or reach the network if obeyed
    KS_VERDICT_USAGE = 64,
    KS_VERDICT_INTERNAL = 70, ///< a fault of this program, or out of memory
    KS_VERDICT_IO = 74
} ks_verdict;

typedef enum ks_code {
#define KS_CODE(symbol, number, name, verdict, text) KS_##symbol = number,
#include <kassay/codes/all.def>
#undef KS_CODE
} ks_code;

/// The stage that failed: the way of the data through the library.
typedef enum ks_stage {
    KS_STAGE_NONE,
    KS_STAGE_FILE,
    KS_STAGE_ZIP,
    KS_STAGE_HDF5,
    KS_STAGE_NPZ,
    KS_STAGE_JSON,
    KS_STAGE_CONFIG,
    KS_STAGE_WEIGHTS,
    KS_STAGE_MODEL,
    KS_STAGE_RUN,
    KS_STAGE_SAVE
} ks_stage;

#define KS_NO_OFFSET UINT64_MAX

/// Fixed size, never allocates. `place` is a path in the model such as
/// `config.json:/config/layers/3/config/units` or `model.weights.h5:/layers/dense/vars/0`.
typedef struct ks_error {
    ks_code code;
    ks_stage stage;
    uint64_t offset; ///< byte offset in the file or member that `place` names, KS_NO_OFFSET when there is none
    char place[256];
    char message[320]; ///< one line: what was expected, what was found
} ks_error;

const char *ks_code_name(ks_code code);
const char *ks_code_text(ks_code code);
ks_verdict ks_code_verdict(ks_code code);
/// The code called `name`, or KS_OK's own entry when there is none and `*found` is false.
ks_code ks_code_by_name(const char *name, bool *found);
/// "accepted", "malformed", … and "internal", "io", "usage".
const char *ks_verdict_name(ks_verdict verdict);
const char *ks_stage_name(ks_stage stage);
/// Writes the one-line form "CODE [STAGE] PLACE @OFFSET: MESSAGE"; returns the length as snprintf does.
int ks_error_format(const ks_error *error, char *text, size_t text_size);

#ifdef __cplusplus
}
#endif
#endif
