// SPDX-License-Identifier: Apache-2.0
//
// The table of summary() of Keras 1 and 2, as each version prints it:
//   1.x          four columns always, 100 wide
//   2.0 – 2.2.2  three columns, 65 wide, or four, 98 wide
//   2.2.4 – 2.6  under a line with the model's name
//   2.7 – 2.12   cells wrap, blank lines between the layers, nested models expanded, trainable column
//   2.13         other columns, sizes in bytes
// Source: utils/layer_utils.py (print_summary, print_row) of each.
#include <stdio.h>
#include <stdlib.h>

#include "model/summary_internal.h"

typedef struct layout {
    int major, minor, patch; ///< first version that prints so
    int line[2];             ///< width with three and with four columns
    double positions[2][4];  ///< where columns end, as parts of the line
    bool names_model;
    bool wraps;     ///< cells wrap and layers are parted by blank lines
    bool separates; ///< one column is left free between cells, and sizes are printed
} layout;

static const layout layouts[] = {
    {2, 13, 0, {65, 98}, {{.45, .85, 1}, {.3, .6, .7, 1}}, true, true, true},
    {2, 7, 0, {65, 98}, {{.45, .85, 1}, {.33, .55, .67, 1}}, true, true, false},
    {2, 2, 4, {65, 98}, {{.45, .85, 1}, {.33, .55, .67, 1}}, true, false, false},
    {2, 0, 0, {65, 98}, {{.45, .85, 1}, {.33, .55, .67, 1}}, false, false, false},
    {0, 0, 0, {100, 100}, {{.33, .55, .67, 1}, {.33, .55, .67, 1}}, false, false, false},
};

typedef struct printer {
    ks__summary *s;
    const layout *layout;
    bool tensorflow; ///< tf.keras: an InputLayer's shape is a list
    int n_columns;
    int positions[KS__MAX_COLUMNS];
    int line;
    bool connected;
} printer;

// --- rows -----------------------------------------------------------------------------------------------------------

static void put_line(printer *p, const char *edge, int edges, const char *fill) {
    ks__put_many(p->s, edge, edges);
    ks__put_many(p->s, fill, p->line - 2 * edges);
    ks__put_many(p->s, edge, edges);
    ks__put(p->s, "\n");
}

// A cell that is too long is cut, with one blank before the next.
static void put_row_cut(printer *p, const char *const *cells) {
    char line[1200] = "";
    for (int i = 0; i < p->n_columns; i++) {
        size_t size = strlen(line);
        int count;
        if (i)
            snprintf(line + ks__bytes_of(line, size, ks__characters(line, size) - 1), 2, " ");
        size = strlen(line);
        snprintf(line + size, sizeof(line) - 400 - size, "%s", cells[i] ? cells[i] : "");
        size = ks__bytes_of(line, strlen(line), p->positions[i]);
        line[size] = 0;
        count = ks__characters(line, size);
        snprintf(line + size, sizeof(line) - size, "%*s", p->positions[i] - count, "");
    }
    ks__put(p->s, line);
    ks__put(p->s, "\n");
}

// How many characters of a cell stand in this line: up to the end of a tuple, dict, list or string in a list.
static int fitting(const char *text, int cutoff) {
    static const char *const ends[] = {"),", "},", "],", "',"};
    size_t size = ks__bytes_of(text, strlen(text), cutoff < 0 ? 0 : cutoff), best = SIZE_MAX;
    for (int i = 0; i < 4; i++) {
        const char *found = strstr(text, ends[i]);
        if (found && (size_t)(found - text) + 2 <= size && (size_t)(found - text) + 2 < best)
            best = (size_t)(found - text) + 2;
    }
    return ks__characters(text, best == SIZE_MAX ? size : best);
}

static void put_row_wrapped(printer *p, const char *const *cells, int level) {
    const char *rest[KS__MAX_COLUMNS];
    bool more = true;
    for (int i = 0; i < p->n_columns; i++)
        rest[i] = cells[i] ? cells[i] : "";
    while (more) {
        int at = 0;
        more = false;
        for (int i = 0; i < p->n_columns; i++) {
            bool last = i == p->n_columns - 1;
            int start = i ? p->positions[i - 1] : 0, cutoff = p->positions[i] - start - (last ? 0 : 2), count, pad;
            char piece[512];
            size_t size;
            if (p->layout->separates)
                cutoff -= (last ? 0 : 1) + (i == 0 ? level : 0);
            count = fitting(rest[i], cutoff);
            size = ks__bytes_of(rest[i], strlen(rest[i]), count);
            if (size > sizeof(piece) - 1)
                size = sizeof(piece) - 1;
            if (i == 0) {
                ks__put_many(p->s, "|", level);
                ks__put(p->s, " ");
                at += level + 1;
            }
            snprintf(piece, sizeof(piece), "%.*s", (int)size, rest[i]);
            ks__put(p->s, piece);
            ks__put_many(p->s, " ", last ? 0 : 2);
            at += count + (last ? 0 : 2);
            rest[i] += size;
            pad = p->positions[i] - at - (level && (last || !p->layout->separates) ? level : 0);
            if (pad > 0) {
                ks__put_many(p->s, " ", pad);
                at += pad;
            }
            more |= rest[i][0] && size;
        }
        ks__put_many(p->s, "|", level);
        ks__put(p->s, "\n");
    }
}

static void put_row(printer *p, const char *const *cells, int level) {
    if (p->layout->wraps)
        put_row_wrapped(p, cells, level);
    else
        put_row_cut(p, cells);
}

// --- cells ----------------------------------------------------------------------------------------------------------

// A dict's shapes stand under their keys; anything else flat.
static const char *result_text(ks__summary *s, const ks_graph *graph, const ks_tree *result, bool as_list) {
    const char *text = "";
    char shape[256];
    bool dict = result->type == KS_TREE_DICT, list = result->type == KS_TREE_LIST;
    if (result->type == KS_TREE_SLOT) {
        ks_shape_format(&graph->symbols[result->as.slot].shape, shape, sizeof(shape));
        return ks_arena_format(s->arena, as_list ? "[%s]" : "%s", shape);
    }
    for (size_t i = 0; (dict || list) && text && i < result->as.list.count; i++) {
        const char *item = result_text(s, graph, &result->as.list.items[i], false);
        if (item && dict)
            item = ks_arena_format(s->arena, "'%s': %s", result->as.list.keys[i].data, item);
        text = item ? ks_arena_format(s->arena, "%s%s%s", text, i ? ", " : "", item) : NULL;
    }
    return text ? ks_arena_format(s->arena, dict ? "{%s}" : "[%s]", text) : NULL;
}

// "multiple" when calls of the layer give different shapes.
static const char *shape_cell(printer *p, const ks__calls *calls, const ks_object *layer) {
    const ks_graph *graph = calls->graph;
    bool as_list = p->tensorflow && layer->row == &ks_class_InputLayer;
    const char *text = NULL;
    for (size_t i = calls->first_call[layer->index]; i < graph->n_nodes; i++) {
        const char *other;
        if (graph->nodes[i].layer != layer)
            continue;
        other = result_text(p->s, graph, &graph->nodes[i].result, as_list);
        if (text && other && strcmp(text, other) != 0)
            return "multiple";
        text = other;
        if (i == calls->last_call[layer->index])
            break;
    }
    return text ? text : "multiple";
}

static const char *class_cell(const ks_object *layer) {
    const ks_value *name = layer->original ? ks_value_get(layer->original, "class_name") : NULL;
    return name && name->type == KS_VALUE_STRING ? name->text.data : layer->row->name;
}

static const char *list_text(ks__summary *s, const char **names, size_t count) {
    const char *text = "";
    for (size_t i = 0; i < count && text; i++)
        text = ks_arena_format(s->arena, "%s%s'%s'", text, i ? ", " : "", names[i]);
    return text ? ks_arena_format(s->arena, "[%s]", text) : NULL;
}

static void put_layer(printer *p, const ks__calls *calls, const ks_object *layer, int level, bool last) {
    ks__summary *s = p->s;
    const ks_graph *nested =
        p->layout->wraps && s->options->expand_nested && level < 30 ? ks__nested_graph(layer) : NULL;
    const char *names[256], *cells[KS__MAX_COLUMNS] = {0};
    size_t count = p->connected && level == 0 ? ks__connections(names, 256, s, layer) : 0;
    ks__calls inner;
    cells[0] = ks_arena_format(s->arena, "%s (%s)", layer->name, class_cell(layer));
    cells[1] = shape_cell(p, calls, layer);
    cells[2] = ks_arena_format(s->arena, "%llu", (unsigned long long)ks__count_params(layer, 0));
    if (p->connected)
        cells[3] = p->layout->wraps ? list_text(s, names, count) : count ? names[0] : "";
    if (s->options->show_trainable && p->layout->wraps)
        cells[p->n_columns - 1] = ks__shown_trainable(layer) ? "Y" : "N";
    put_row(p, cells, level);
    for (size_t i = 1; i < count && !p->layout->wraps; i++)
        put_row(p, (const char *[KS__MAX_COLUMNS]){"", "", "", names[i]}, level);
    if (nested && ks__index_calls(&inner, s, nested) == KS_OK) {
        put_line(p, "|", level + 1, "¯");
        for (size_t i = 0; i < nested->n_operations; i++)
            put_layer(p, &inner, nested->operations[i], level + 1, i + 1 == nested->n_operations);
        put_line(p, "|", level, "¯");
        last = true;
    }
    if (p->layout->wraps && !last)
        put_line(p, "|", level, " ");
}

// --- the table ------------------------------------------------------------------------------------------------------

static const layout *layout_of(const char *version) {
    int major = 0, minor = 0, patch = 0;
    const layout *l = layouts;
    sscanf(version, "%d.%d.%d", &major, &minor, &patch);
    while (l->major > major || (l->major == major && (l->minor > minor || (l->minor == minor && l->patch > patch))))
        l++;
    return l;
}

static void lay_out(printer *p, const char *version) {
    const ks_summary_options *options = p->s->options;
    bool trainable;
    p->layout = layout_of(version);
    p->tensorflow = strstr(version, "-tf") || p->layout->wraps || strtol(version + 2, NULL, 10) >= 4;
    p->s->first_model_call = strtol(version, NULL, 10) < 2 || strtol(version + 2, NULL, 10) < 4;
    p->connected = !p->s->sequential_like || p->layout->major == 0;
    p->n_columns = 3 + p->connected;
    p->line = options->line_length ? options->line_length : p->layout->line[p->connected];
    for (int i = 0; i < p->n_columns; i++)
        p->positions[i] = (int)(p->line * p->layout->positions[p->connected][i]);
    trainable = options->show_trainable && p->layout->wraps;
    if (trainable) {
        p->line += 11;
        p->positions[p->n_columns++] = p->line;
    }
}

static void put_total(printer *p, const char *label, const ks__params *sum) {
    char size[32], line[160];
    ks__readable_size(size, sizeof(size), sum->bytes, "Byte");
    if (p->layout->separates)
        snprintf(line, sizeof(line), "%s: %llu (%s)\n", label, (unsigned long long)sum->count, size);
    else
        snprintf(line, sizeof(line), "%s: %s\n", label, ks__with_commas(p->s->arena, sum->count));
    ks__put(p->s, line);
}

void ks__summary_plain(ks__summary *s, const char *version) {
    const ks_graph *graph = s->calls.graph;
    printer p = {.s = s};
    const char *header[KS__MAX_COLUMNS] = {"Layer (type)", "Output Shape", "Param #"};
    ks__params sums[2] = {{0, 0}, {0, 0}}, all;
    lay_out(&p, version);
    if (p.connected)
        header[3] = "Connected to";
    if (p.n_columns > 3 + p.connected)
        header[p.n_columns - 1] = "Trainable";
    if (p.layout->names_model) {
        ks__put(s, "Model: \"");
        ks__put(s, s->model->root->name);
        ks__put(s, "\"\n");
    }
    put_line(&p, "", 0, "_");
    put_row(&p, header, 0);
    put_line(&p, "", 0, "=");
    for (size_t i = 0; i < graph->n_operations; i++) {
        put_layer(&p, &s->calls, graph->operations[i], 0, false);
        if (!p.layout->wraps)
            put_line(&p, "", 0, i + 1 == graph->n_operations ? "=" : "_");
    }
    if (p.layout->wraps)
        put_line(&p, "", 0, "=");
    ks__sum_params(sums, s->model);
    all = (ks__params){sums[0].count + sums[1].count, sums[0].bytes + sums[1].bytes};
    put_total(&p, "Total params", &all);
    put_total(&p, "Trainable params", &sums[0]);
    put_total(&p, "Non-trainable params", &sums[1]);
    put_line(&p, "", 0, "_");
}
