// SPDX-License-Identifier: Apache-2.0
//
// What a format cannot carry. A writer that meets such a thing tells it here: either that is an error with its name, or
// it is allowed, and the list says afterwards what was left out.
#ifndef KASSAY_LOSSES_H
#define KASSAY_LOSSES_H

#include <kassay/context.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ks_loss ks_loss;

struct ks_loss {
    ks_loss *next;
    const char *name;  ///< static text: "config-key", "operation", "optimizer-state", …
    const char *place; ///< "config.json:/config/layers/3/config/groups"
    const char *text;  ///< what is lost, one line
};

typedef struct ks_losses {
    ks_context *context;
    bool allowed;   ///< false: the first loss is a failure
    ks_loss *first; ///< in the order in which they were met
    ks_loss *last;
    size_t count;
} ks_losses;

void ks_losses_init(ks_losses *losses, ks_context *context, bool allowed);
void ks_losses_fini(ks_losses *losses);
/// Adds to the list, or fails with KS_E_SAVE_LOSS. `place` may be NULL.
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
ks_code
ks_lose(ks_losses *losses, const char *name, const char *place, const char *format, ...);

#ifdef __cplusplus
}
#endif
#endif
