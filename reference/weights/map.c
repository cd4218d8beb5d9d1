// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "schema/class.h"
#include "weights/weights.h"

typedef struct walk {
    ks_context *context;
    ks_arena *arena;
    ks_weight_map *map;
    ks_naming naming;
    uint32_t visited; ///< mark of the objects that were reached
    size_t room_objects, room_variables, room_kept;
    int depth;
} walk;

static ks_code grow(walk *w, void **items, size_t *room, size_t count, size_t item_size) {
    void *bigger;
    size_t wanted = *room ? 2 * *room : 64;
    if (count < *room)
        return KS_OK;
    bigger = ks_arena_room(w->arena, wanted, item_size); // items are written when they are added
    if (!bigger)
        return w->context->error.code;
    if (count)
        memcpy(bigger, *items, count * item_size);
    *items = bigger;
    *room = wanted;
    return KS_OK;
}

static ks_code too_deep(walk *w, const ks_object *object) {
    return ks_fail(w->context, KS_E_CONFIG_DEPTH, KS_STAGE_WEIGHTS, KS_NO_OFFSET, object->place,
                   "objects are nested more than %d deep", (int)w->context->limits.model_depth);
}

// --- paths ----------------------------------------------------------------------------------------------------------

static bool is_model(const ks_object *object) {
    return object->row->kind == KS_KIND_MODEL;
}

// Keras's _name_key: plain order, but names that start with "_" come last; a model's layers come before everything.
static int compare_attributes(const ks_object *parent, const ks_child *a, const ks_child *b) {
    if (a->attribute == b->attribute)
        return 0; // a model's layers
    if (is_model(parent)) {
        int first = (strcmp(b->attribute, "layers") == 0) - (strcmp(a->attribute, "layers") == 0);
        if (first)
            return first;
    }
    if ((a->attribute[0] == '_') != (b->attribute[0] == '_'))
        return a->attribute[0] == '_' ? 1 : -1;
    return strcmp(a->attribute, b->attribute);
}

// Stable insertion sort: a model's children are all "layers" and stay as they are in one pass.
static ks_code sorted_children(walk *w, const ks_object *object, const ks_child ***out, size_t *count) {
    size_t n = 0;
    const ks_child **list;
    *count = 0;
    for (const ks_child *child = object->children; child; child = child->next)
        n++;
    list = ks_arena_get(w->arena, n + 1, sizeof(*list));
    if (!list)
        return w->context->error.code;
    for (const ks_child *child = object->children; child; child = child->next) {
        size_t at = (*count)++;
        while (at && compare_attributes(object, list[at - 1], child) > 0) {
            list[at] = list[at - 1];
            at--;
        }
        list[at] = child;
    }
    *out = list;
    return KS_OK;
}

static void name_variables(walk *w, ks_variable *first, const char *path, size_t *number) {
    if (!first)
        return;
    path = ks_arena_path(w->arena, path, "vars");
    for (ks_variable *v = first; v && path; v = v->next)
        v->path = v->key ? ks_arena_path(w->arena, path, v->key) : ks_arena_numbered(w->arena, path, "/", (*number)++);
}

// How often each class name occurred in the container that is walked.
typedef struct used_name {
    const char *name; ///< of a Python class
    const char *path; ///< of its first member
    size_t count;
} used_name;

// Does the object or anything in it hold a variable?
static bool has_weights(walk *w, ks_object *object, uint32_t asked) {
    if (object->trainable_variables || object->other_variables)
        return true;
    if (object->walked[0] == asked || w->depth >= (int)w->context->limits.model_depth)
        return false;
    object->walked[0] = asked;
    w->depth++;
    for (const ks_child *child = object->children; child; child = child->next)
        if (has_weights(w, child->object, asked)) {
            w->depth--;
            return true;
        }
    w->depth--;
    return false;
}

// How many elements of the container one child is: 2.12 and 2.13 list a model's layers twice when they have weights.
static size_t places(walk *w, const ks_object *parent, ks_object *child) {
    if (w->naming != KS_NAMES_DEPENDENCIES_TWICE || !is_model(parent))
        return 1;
    return has_weights(w, child, ++w->map->stamp) ? 2 : 1;
}

// In Keras 2 the operations of a graph are layers of classes of their own.
static const char *python_class(const ks_object *object) {
    const ks_value *name = object->original ? ks_value_get(object->original, "class_name") : NULL;
    bool wrapped = ks_is_old(object) && object->row->kind == KS_KIND_OPERATION;
    return wrapped && name && name->type == KS_VALUE_STRING ? name->text.data : ks_class_python_name(object->row);
}

// "CONTAINER/dense_1"; `container` is the path of the list.
static const char *member_path(walk *w, const char *container, const ks_object *object, used_name *used, size_t *n_used,
                               size_t n_places) {
    const char *name = python_class(object);
    size_t at = 0, number;
    while (at < *n_used && used[at].name != name && strcmp(used[at].name, name) != 0)
        at++;
    if (at == *n_used) {
        char snake[128];
        ks_snake_case(snake, sizeof(snake), name);
        used[(*n_used)++] = (used_name){name, ks_arena_path(w->arena, container, snake), 0};
    }
    number = used[at].count;
    used[at].count += n_places;
    return number && used[at].path ? ks_arena_numbered(w->arena, used[at].path, "_", number) : used[at].path;
}

static ks_code visit(walk *w, ks_object *object, const char *path);

static const char *attribute_name(const walk *w, const ks_object *parent, const ks_child *child) {
    bool dependencies = w->naming == KS_NAMES_DEPENDENCIES || w->naming == KS_NAMES_DEPENDENCIES_TWICE;
    return dependencies && is_model(parent) && strcmp(child->attribute, "layers") == 0
               ? "_layer_checkpoint_dependencies"
               : child->attribute;
}

// Keras 2.14 and 2.15 do not count what was reached before; all others do.
static bool skips(const walk *w, const ks_object *object) {
    return (w->naming == KS_NAMES_KERAS2 || w->naming == KS_NAMES_DEPENDENCIES) && object->walked[2] == w->visited;
}

static ks_code visit_children(walk *w, ks_object *object, const char *path) {
    const ks_child **children;
    used_name used[256];
    size_t count, n_used = 0;
    const char *container = NULL, *container_path = NULL;
    ks_code code;
    KS_TRY(sorted_children(w, object, &children, &count));
    for (size_t i = 0; i < count; i++) {
        const ks_child *child = children[i];
        const char *attribute = attribute_name(w, object, child), *inner;
        if (child->member && skips(w, child->object))
            continue;
        if (child->member) {
            if (!container || strcmp(container, child->attribute) != 0) {
                n_used = 0;
                container_path = ks_arena_path(w->arena, path, attribute);
            }
            container = child->attribute;
            if (!container_path)
                return w->context->error.code;
            if (n_used == sizeof(used) / sizeof(used[0]))
                return ks_fail(w->context, KS_E_CONFIG_TOO_MANY, KS_STAGE_WEIGHTS, KS_NO_OFFSET, object->place,
                               "a list of layers has more than %zu classes", n_used);
            inner = member_path(w, container_path, child->object, used, &n_used, places(w, object, child->object));
        } else {
            inner = ks_arena_path(w->arena, path, attribute);
        }
        if (!inner)
            return w->context->error.code;
        KS_TRY(visit(w, child->object, inner));
    }
done:
    return code;
}

static ks_code visit(walk *w, ks_object *object, const char *path) {
    size_t number = 0;
    ks_code code;
    if (object->walked[2] == w->visited)
        return KS_OK; // reached before: the first path counts
    object->walked[2] = w->visited;
    if (++w->depth > (int)w->context->limits.model_depth)
        return too_deep(w, object);
    if (w->naming == KS_NAMES_KERAS3)
        object->path = path;
    KS_TRY(grow(w, (void **)&w->map->objects, &w->room_objects, w->map->n_objects, sizeof(*w->map->objects)));
    w->map->objects[w->map->n_objects++] = (ks_saved_object){object, path};
    name_variables(w, object->trainable_variables, path, &number);
    name_variables(w, object->other_variables, path, &number);
    name_variables(w, object->kept_variables, path, &number);
    KS_TRY(visit_children(w, object, path));
done:
    w->depth--;
    return code;
}

// --- get_weights() order --------------------------------------------------------------------------------------------

static ks_code list_variables(walk *w, ks_variable *first) {
    ks_code code = KS_OK;
    for (ks_variable *v = first; v; v = v->next) {
        if (v->listed)
            continue;
        v->listed = true;
        KS_TRY(grow(w, (void **)&w->map->variables, &w->room_variables, w->map->n_variables, sizeof(ks_variable *)));
        w->map->variables[w->map->n_variables++] = v;
    }
done:
    return code;
}

static ks_code list_kept(walk *w, ks_variable *first) {
    ks_code code = KS_OK;
    for (ks_variable *v = first; v; v = v->next) {
        KS_TRY(grow(w, (void **)&w->map->kept, &w->room_kept, w->map->n_kept, sizeof(ks_variable *)));
        w->map->kept[w->map->n_kept++] = v;
    }
done:
    return code;
}

static ks_code list_weights(walk *w, ks_object *object) {
    ks_code code;
    if (object->walked[0] == w->map->stamp)
        return KS_OK; // shared: all of it is listed
    object->walked[0] = w->map->stamp;
    if (++w->depth > (int)w->context->limits.model_depth)
        return too_deep(w, object);
    KS_TRY(list_variables(w, object->trainable_variables));
    KS_TRY(list_variables(w, object->other_variables));
    KS_TRY(list_kept(w, object->kept_variables));
    for (const ks_child *child = object->children; child; child = child->next)
        KS_TRY(list_weights(w, child->object));
done:
    w->depth--;
    return code;
}

ks_code ks_weights_map(ks_weight_map *out, ks_context *context, ks_arena *arena, ks_object *root) {
    walk w = {.context = context, .arena = arena, .map = out, .naming = KS_NAMES_KERAS3};
    ks_code code;
    memset(out, 0, sizeof(*out));
    w.visited = ++out->stamp;
    KS_TRY(visit(&w, root, ""));
    out->stamp++;
    KS_TRY(list_weights(&w, root));
    if (context->error.code != KS_OK)
        return context->error.code;
done:
    return code;
}

ks_code ks_weights_map_as(ks_weight_map *out, ks_context *context, ks_arena *arena, ks_weight_map *map,
                          ks_naming naming) {
    walk w = {.context = context, .arena = arena, .map = out, .naming = naming};
    ks_code code;
    memset(out, 0, sizeof(*out));
    out->stamp = map->stamp;
    w.visited = ++out->stamp;
    code = visit(&w, map->objects[0].object, "");
    map->stamp = out->stamp;
    return code == KS_OK ? context->error.code : code;
}
