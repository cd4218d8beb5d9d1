// SPDX-License-Identifier: Apache-2.0
#include <kassay/losses.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ks_losses_init(ks_losses *losses, ks_context *context, bool allowed) {
    *losses = (ks_losses){.context = context, .allowed = allowed};
}

void ks_losses_fini(ks_losses *losses) {
    while (losses->first) {
        ks_loss *next = losses->first->next;
        ks_free(losses->context, losses->first);
        losses->first = next;
    }
    losses->last = NULL;
    losses->count = 0;
}

/// One block: the record, then its two texts.
static ks_code add(ks_losses *losses, const char *name, const char *place, const char *text) {
    size_t place_size = strlen(place) + 1;
    size_t text_size = strlen(text) + 1;
    ks_loss *loss = ks_allocate(losses->context, 1, sizeof *loss + place_size + text_size);
    if (!loss)
        return losses->context->error.code;
    char *texts = (char *)(loss + 1);
    memcpy(texts, place, place_size);
    memcpy(texts + place_size, text, text_size);
    *loss = (ks_loss){NULL, name, texts, texts + place_size};
    if (losses->last)
        losses->last->next = loss;
    else
        losses->first = loss;
    losses->last = loss;
    losses->count++;
    return KS_OK;
}

ks_code ks_lose(ks_losses *losses, const char *name, const char *place, const char *format, ...) {
    char text[280];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (losses->allowed)
        return add(losses, name, place ? place : "", text);
    return ks_fail(losses->context, KS_E_SAVE_LOSS, KS_STAGE_SAVE, KS_NO_OFFSET, place, "%s: %s", name, text);
}
