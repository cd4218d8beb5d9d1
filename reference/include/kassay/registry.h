// SPDX-License-Identifier: Apache-2.0
//
// Names of custom classes and functions. Keras finds them in three places, and so does this library, in this order:
//   in scope          ks_registry_push: an overlay of this thread, the newest first
//   passed at load    the registry in the options of a load
//   registered        ks_registry_registered(): for the whole process, as register_keras_serializable
// A class that is added has the name "package>name" (package "Custom" when it has none); one that is passed has the
// plain name of an entry of custom_objects. Keras's own classes are found before any of them.
#ifndef KASSAY_REGISTRY_H
#define KASSAY_REGISTRY_H

#include <kassay/context.h>
#include <kassay/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/// NULL when memory ran out.
ks_registry *ks_registry_new(void);
void ks_registry_free(ks_registry *registry); ///< NULL is allowed
/// Under "package>name". KS_E_USAGE when the name is taken. The class must outlive the registry.
ks_code ks_registry_add(ks_registry *registry, const ks_plugin_class *custom);
/// Under a plain name.
ks_code ks_registry_pass(ks_registry *registry, const char *name, const ks_plugin_class *custom);
/// The registry of the process; add to it before other threads load.
ks_registry *ks_registry_registered(void);
/// Puts a registry in scope for this thread, until it is popped; at most 16 deep (KS_E_USAGE).
ks_code ks_registry_push(const ks_registry *registry);
void ks_registry_pop(void);
/// Loads a shared library and lets it register its classes. The library stays loaded. KS_E_IO when it cannot be loaded
/// or exports no ks_plugin_register; the context says which.
ks_code ks_registry_load(ks_registry *registry, ks_context *context, const char *path);
/// The same for custom/NAME.so of the directory of this program's modules: the plugins of the golden cases.
ks_code ks_registry_load_named(ks_registry *registry, ks_context *context, const char *name);

#ifdef __cplusplus
}
#endif
#endif
