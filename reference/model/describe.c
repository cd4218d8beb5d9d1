// SPDX-License-Identifier: Apache-2.0
//
// The canonical description for people: one line per layer and per variable.
#include <stdarg.h>
#include <stdio.h>

#include "base/sha256.h"
#include "model/model_internal.h"

typedef struct page {
    ks_context *context;
    char *text;
    size_t size, room;
} page;

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
put(page *p, const char *format, ...) {
    char line[1024];
    va_list list;
    size_t size;
    va_start(list, format);
    vsnprintf(line, sizeof(line), format, list);
    va_end(list);
    size = strlen(line);
    if (p->size + size + 1 > p->room) {
        size_t room = 2 * (p->size + size + 512);
        char *bigger = ks_allocate(p->context, room, 1);
        if (!bigger)
            return;
        if (p->size)
            memcpy(bigger, p->text, p->size);
        ks_free(p->context, p->text);
        p->text = bigger;
        p->room = room;
    }
    memcpy(p->text + p->size, line, size + 1);
    p->size += size;
}

static const char *format_shape(const ks_shape *shape, char *text, size_t size) {
    return shape->rank < 0 ? "?" : ks_shape_format(shape, text, size);
}

ks_code ks_model_describe(ks_text *out, ks_model *m) {
    page p = {.context = m->context};
    char shape[300], digest[65];
    memset(out, 0, sizeof(*out));
    put(&p, "%s \"%s\" (%s%s%s)\n", m->root->row->name, m->root->name, m->format, m->keras_version[0] ? ", Keras " : "",
        m->keras_version);
    for (size_t i = 0; i < ks_model_input_count(m); i++) {
        ks_model_port port = ks_model_input_at(m, i);
        put(&p, "input %zu %s %s %s\n", i, port.name, ks_dtype_name(port.dtype), format_shape(&port.shape, shape, 300));
    }
    for (size_t i = 0; i < ks_model_output_count(m); i++) {
        ks_model_port port = ks_model_output_at(m, i);
        put(&p, "output %zu %s %s\n", i, ks_dtype_name(port.dtype), format_shape(&port.shape, shape, 300));
    }
    for (size_t i = 0; i < m->root->graph->n_layers; i++) {
        const ks_object *layer = m->root->graph->layers[i];
        put(&p, "layer %s %s %s\n", layer->row->name, layer->name, layer->path);
    }
    for (size_t i = 0; i < ks_model_weight_count(m); i++) {
        ks_model_weight w = ks_model_weight_at(m, i);
        if (w.tensor.data)
            ks_sha256_hex(digest, w.tensor.data, w.tensor.size);
        put(&p, "variable %s %s %s %s%s %s\n", w.path, w.name, ks_dtype_name(w.tensor.dtype),
            format_shape(&w.tensor.shape, shape, 300), w.trainable ? "" : " non-trainable",
            w.tensor.data ? digest : "-");
    }
    if (m->context->error.code != KS_OK) {
        ks_free(m->context, p.text);
        return m->context->error.code;
    }
    *out = (ks_text){p.text, p.size};
    return KS_OK;
}
