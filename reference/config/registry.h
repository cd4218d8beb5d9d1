// SPDX-License-Identifier: Apache-2.0
#ifndef KASSAY_CONFIG_REGISTRY_H
#define KASSAY_CONFIG_REGISTRY_H

#include <kassay/registry.h>

#include "schema/class.h"

/// The custom class of this name: in scope, in `registry` (may be NULL), registered; NULL when there is none.
const ks_class *ks_registry_find(const ks_registry *registry, ks_text name);

/// Makes the two rows of a custom class; `keys` has room for as many rows as the class has keys.
void ks_custom_rows(ks_class out[2], ks_key *keys, const ks_plugin_class *custom);

#endif
