// SPDX-License-Identifier: Apache-2.0
//
// From the words of Keras 1 to those of Keras 2.
#include "config/upgrade.h"

bool ks__looks_like_keras1(const ks_value *document, int depth) {
    (void)document;
    (void)depth;
    return false;
}

ks_code ks__upgrade_keras1(ks__upgrade *u, ks__dict *record, ks__dict *config, const char *place) {
    (void)u;
    (void)record;
    (void)config;
    (void)place;
    return KS_OK;
}
