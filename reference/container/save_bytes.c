// SPDX-License-Identifier: Apache-2.0
//
// Saving a file atomically.
#include <kassay/output.h>
#include <kassay/writer.h>

ks_code ks_save_bytes(ks_context *context, const char *path, ks_bytes bytes) {
    ks_output *output = NULL;
    ks_code code;
    KS_TRY(ks_output_open(&output, context, path));
    KS_TRY(ks_output_write(output, 0, bytes));
    KS_TRY(ks_output_commit(output));
done:
    ks_output_close(output);
    return code;
}
