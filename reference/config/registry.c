// SPDX-License-Identifier: Apache-2.0
//
// Registries of custom classes. Source of the rules: Keras 3 saving/object_registration.py.
#include "config/registry.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/module.h"
#include "schema/custom.h"

#define MAX_SCOPES 16

typedef struct entry {
    struct entry *next;
    char *name;
    ks_plugin_class custom; ///< its table, with zeros where it ends
    ks_class rows[2];       ///< as a layer, and of a model as the root of a file
    ks_key keys[];          ///< those of its kind's base class and one per key of the class
} entry;

struct ks_registry {
    entry *entries;
    const char *refused; ///< why the newest class was not taken, a static text; NULL: it was
};

static ks_registry registered;
static pthread_mutex_t registered_lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local const ks_registry *scopes[MAX_SCOPES];
static _Thread_local size_t n_scopes;

ks_registry *ks_registry_new(void) {
    return calloc(1, sizeof(ks_registry));
}

static void free_entries(ks_registry *registry) {
    while (registry->entries) {
        entry *e = registry->entries;
        registry->entries = e->next;
        free(e->name);
        free(e);
    }
}

void ks_registry_free(ks_registry *registry) {
    if (!registry || registry == &registered)
        return;
    free_entries(registry);
    free(registry);
}

ks_registry *ks_registry_registered(void) {
    return &registered;
}

static const entry *find(const ks_registry *registry, ks_text name) {
    for (const entry *e = registry->entries; e; e = e->next)
        if (ks_text_is(name, e->name))
            return e;
    return NULL;
}

#define LARGEST_TABLE 4096 ///< of any version to come: a table of version 1 begins with a pointer or NULL instead
#define MAX_CUSTOM_KEYS 48 ///< with those of the base class a bit for each fits into 64

static const char *refusal(const ks_registry *registry, const char *name, const ks_plugin_class *custom) {
    if (custom->size < sizeof(ks_plugin_class) || custom->size > LARGEST_TABLE)
        return "a class of an older version of the interface <kassay/plugin.h>; compile the plugin again";
    if (custom->kind < KS_PLUGIN_LAYER || custom->kind > KS_PLUGIN_SCHEDULE)
        return "a class of an unknown kind";
    if (custom->n_keys > MAX_CUSTOM_KEYS)
        return "a class of more than 48 keys";
    return find(registry, ks_text_from(name)) ? "two classes of one name" : NULL;
}

static ks_code put(ks_registry *registry, const char *name, const ks_plugin_class *custom) {
    entry *e;
    registry->refused = refusal(registry, name, custom);
    if (registry->refused)
        return KS_E_USAGE;
    e = calloc(1, sizeof(*e) + (custom->n_keys + KS_CUSTOM_BASE_KEYS) * sizeof(ks_key));
    if (!e)
        return KS_E_NO_MEMORY;
    memcpy(&e->custom, custom, custom->size < sizeof(e->custom) ? custom->size : sizeof(e->custom));
    e->name = strdup(name);
    if (!e->name) {
        free(e);
        return KS_E_NO_MEMORY;
    }
    ks_custom_rows(e->rows, e->keys, &e->custom);
    e->next = registry->entries;
    registry->entries = e;
    return KS_OK;
}

ks_code ks_registry_pass(ks_registry *registry, const char *name, const ks_plugin_class *custom) {
    ks_code code;
    pthread_mutex_lock(&registered_lock);
    code = put(registry, name, custom);
    pthread_mutex_unlock(&registered_lock);
    return code;
}

ks_code ks_registry_add(ks_registry *registry, const ks_plugin_class *custom) {
    char name[256];
    int size = snprintf(name, sizeof(name), "%s>%s", custom->package ? custom->package : "Custom", custom->name);
    return size > 0 && (size_t)size < sizeof(name) ? ks_registry_pass(registry, name, custom) : KS_E_USAGE;
}

ks_code ks_registry_push(const ks_registry *registry) {
    if (n_scopes == MAX_SCOPES)
        return KS_E_USAGE;
    scopes[n_scopes++] = registry;
    return KS_OK;
}

void ks_registry_pop(void) {
    if (n_scopes)
        n_scopes--;
}

const ks_class *ks_registry_find(const ks_registry *registry, ks_text name) {
    const entry *e = NULL;
    for (size_t i = n_scopes; i-- > 0 && !e;)
        e = find(scopes[i], name);
    if (!e && registry)
        e = find(registry, name);
    if (!e && registered.entries)
        e = find(&registered, name);
    return e ? &e->rows[0] : NULL;
}

const ks_class *ks_registry_find_record(const ks_registry *registry, const ks_value *record) {
    const ks_value *full = ks_value_get(record, "registered_name"), *name = ks_value_get(record, "class_name");
    const ks_class *row = NULL;
    if (full && full->type == KS_VALUE_STRING)
        row = ks_registry_find(registry, full->text);
    return row || !name || name->type != KS_VALUE_STRING ? row : ks_registry_find(registry, name->text);
}

ks_text ks_registry_old_name(const ks_value *record) {
    const ks_value *full = ks_value_get(record, "registered_name"), *name = ks_value_get(record, "class_name");
    if (full && full->type == KS_VALUE_STRING && memchr(full->text.data, '>', full->text.size))
        return full->text;
    return (ks_value_is_text(name, "function") ? ks_value_get(record, "config") : name)->text;
}

typedef union entry_point {
    void *object;
    ks_plugin_register_function *function;
} entry_point;

static ks_code call_plugin(ks_registry *registry, ks_context *context, const char *path, entry_point found,
                           const char *reason) {
    if (!found.object)
        return ks_fail(context, KS_E_IO, KS_STAGE_FILE, KS_NO_OFFSET, path, "%s", reason ? reason : "dlopen failed");
    registry->refused = NULL;
    if (found.function(&ks_plugin_functions, registry))
        return KS_OK;
    if (registry->refused)
        return ks_fail(context, KS_E_IO, KS_STAGE_FILE, KS_NO_OFFSET, path, "the plugin could not register itself: %s",
                       registry->refused);
    return ks_fail(context, KS_E_IO, KS_STAGE_FILE, KS_NO_OFFSET, path,
                   "the plugin could not register itself; this program has version %d of the interface "
                   "<kassay/plugin.h>",
                   KS_PLUGIN_ABI);
}

ks_code ks_registry_load(ks_registry *registry, ks_context *context, const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char *reason = library ? "it has no ks_plugin_register" : dlerror();
    entry_point found = {library ? dlsym(library, "ks_plugin_register") : NULL};
    return call_plugin(registry, context, path, found, reason);
}

ks_code ks_registry_load_named(ks_registry *registry, ks_context *context, const char *name) {
    char file[128], reason[256] = "";
    entry_point found;
    snprintf(file, sizeof(file), "custom/%.100s.so", name);
    found.object = ks_module_find(file, "ks_plugin_register", reason, sizeof(reason));
    return call_plugin(registry, context, file, found, reason);
}
