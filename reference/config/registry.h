// SPDX-License-Identifier: Apache-2.0
#ifndef KASSAY_CONFIG_REGISTRY_H
#define KASSAY_CONFIG_REGISTRY_H

#include <kassay/registry.h>

#include "schema/class.h"

/// The custom class of a record: by its registered name ("package>name"), else by its own; NULL when there is none.
const ks_class *ks_registry_find_record(const ks_registry *registry, const ks_value *record);
/// What Keras 2 calls the class or function of a record: "package>name" when it was registered, else its name.
ks_text ks_registry_old_name(const ks_value *record);
/// The custom class of this name: in scope, in `registry` (may be NULL), registered; NULL when there is none.
const ks_class *ks_registry_find(const ks_registry *registry, ks_text name);

#define KS_CUSTOM_BASE_KEYS 12

/// Makes the two rows of a custom class; `keys` has room for as many rows as the class has keys and
/// KS_CUSTOM_BASE_KEYS more.
void ks_custom_rows(ks_class out[2], ks_key *keys, const ks_plugin_class *custom);

#endif
