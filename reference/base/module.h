// SPDX-License-Identifier: Apache-2.0
//
// Modules: shared objects that are loaded on first use, so that a program maps their libraries only when it needs them.
#ifndef KASSAY_BASE_MODULE_H
#define KASSAY_BASE_MODULE_H

#include <stddef.h>

/// Loads `file` from `directory` and returns the address of `symbol`; NULL with the reason as text.
void *ks_module_load(const char *directory, const char *file, const char *symbol, char *reason, size_t reason_size);
/// The same from the directory that KASSAY_MODULES names or, without it, from beside the running program or ../lib.
void *ks_module_find(const char *file, const char *symbol, char *reason, size_t reason_size);

#endif
