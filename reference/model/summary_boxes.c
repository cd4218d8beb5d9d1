// SPDX-License-Identifier: Apache-2.0
//
// The table of Keras 3's summary() in a terminal of 80 columns: same columns, widths, wrapping and totals. Source:
// Keras 3 utils/summary_utils.py and the column arithmetic of its table library: the widths it asks for are reduced
// evenly until the table is 76 wide.
#include <stdio.h>

#include "model/summary_internal.h"

#define LINE 76

typedef enum align { LEFT, RIGHT, CENTER } align;

typedef struct table {
    ks__summary *s;
    int n_columns;
    int widths[KS__MAX_COLUMNS]; ///< characters of content
    align aligns[KS__MAX_COLUMNS];
    int connected, trainable; ///< columns, -1: not shown
    bool started;
} table;

typedef struct row {
    const char *cells[KS__MAX_COLUMNS];
} row;

// Cuts the next line from a cell: as many words as fit; a word that is too long stands alone and is cut with "…".
static const char *next_line(const char *text, int width, size_t *line) {
    size_t size = strlen(text), end = 0;
    for (size_t at = 0; at < size;) {
        size_t word = at;
        while (word < size && text[word] == ' ')
            word++;
        while (word < size && text[word] != ' ')
            word++;
        if (end && ks__characters(text, word) > width)
            break;
        end = word;
        at = word;
    }
    *line = end;
    while (end < size && text[end] == ' ')
        end++;
    return text + end;
}

static void put_cell(ks__summary *s, const char *text, size_t size, int width, align aligned) {
    char piece[512];
    int count = ks__characters(text, size), before;
    bool cut = count > width;
    size_t shown = cut ? ks__bytes_of(text, size, width - 1) : size;
    if (shown > sizeof(piece) - 8)
        shown = sizeof(piece) - 8;
    snprintf(piece, sizeof(piece), "%.*s%s", (int)shown, text, cut ? "…" : "");
    if (cut)
        count = width;
    before = aligned == LEFT ? 0 : aligned == RIGHT ? width - count : (width - count) / 2;
    ks__put(s, " ");
    ks__put_many(s, " ", before);
    ks__put(s, piece);
    ks__put_many(s, " ", width - count - before);
    ks__put(s, " ");
}

static void put_rule(table *t, const char *left, const char *line, const char *cross, const char *right) {
    ks__put(t->s, left);
    for (int i = 0; i < t->n_columns; i++) {
        ks__put_many(t->s, line, t->widths[i] + 2);
        ks__put(t->s, i + 1 < t->n_columns ? cross : right);
    }
    ks__put(t->s, "\n");
}

static int count_lines(const char *text, int width) {
    size_t line;
    int count = 0;
    do {
        text = next_line(text, width, &line);
        count++;
    } while (text[0]);
    return count;
}

// Rows start at the top of their cells, the header ends at the bottom.
static void put_row(table *t, const row *r, const char *bar, bool at_bottom) {
    const char *rest[KS__MAX_COLUMNS];
    int lines[KS__MAX_COLUMNS], height = 1;
    for (int i = 0; i < t->n_columns; i++) {
        rest[i] = r->cells[i] ? r->cells[i] : "";
        lines[i] = count_lines(rest[i], t->widths[i]);
        height = lines[i] > height ? lines[i] : height;
    }
    for (int at = 0; at < height; at++) {
        ks__put(t->s, bar);
        for (int i = 0; i < t->n_columns; i++) {
            bool waits = at_bottom && at < height - lines[i];
            const char *text = waits ? "" : rest[i];
            size_t line = 0;
            if (!waits)
                rest[i] = next_line(text, t->widths[i], &line);
            put_cell(t->s, text, line, t->widths[i], t->aligns[i]);
            ks__put(t->s, bar);
        }
        ks__put(t->s, "\n");
    }
}

// --- widths ---------------------------------------------------------------------------------------------------------

// Python's round: half to even.
static int divide_rounded(int a, int b) {
    int quotient = a / b, twice = 2 * (a % b);
    return twice > b || (twice == b && (quotient & 1)) ? quotient + 1 : quotient;
}

static void lay_out(table *t) {
    static const double three[] = {0.45, 0.80, 1.0}, four[] = {0.3, 0.56, 0.74, 1.0};
    const ks_summary_options *options = t->s->options;
    int n = t->s->sequential_like ? 3 : 4, current = 0, excess;
    int line = options->line_length ? options->line_length : LINE;
    const double *positions = n == 3 ? three : four;
    t->connected = n == 4 ? 3 : -1;
    t->trainable = options->show_trainable ? n : -1;
    t->n_columns = n + options->show_trainable;
    for (int i = 0; i < t->n_columns; i++) {
        double position = i == n ? 1.0 : options->show_trainable ? positions[i] * 0.90 : positions[i];
        t->widths[i] = (int)(position * line) - current;
        t->aligns[i] = i == 2 ? RIGHT : i == t->trainable ? CENTER : LEFT;
        current += t->widths[i];
    }
    excess = current + 2 * t->n_columns - (line - t->n_columns - 1); // padding and borders count too
    for (int i = 0; i < t->n_columns; i++) {
        int share = divide_rounded(excess, t->n_columns - i);
        t->widths[i] -= share;
        excess -= share;
        if (t->widths[i] < 1)
            t->widths[i] = 1;
    }
}

// --- cells ----------------------------------------------------------------------------------------------------------

static const char *shape_cell(ks__summary *s, const ks__calls *calls, const ks_object *layer) {
    const ks_graph *graph = calls->graph;
    size_t last = calls->last_call[layer->index];
    const ks_node *node = last < graph->n_nodes ? &graph->nodes[last] : NULL;
    const char *text = "";
    size_t slots[64], count = node ? ks_tree_slots(&node->result, slots, 64) : 0;
    char shape[256];
    if (count == 0 || count > 64 || graph->symbols[slots[0]].shape.rank < 0)
        return "?";
    for (size_t i = 0; i < count && text; i++) {
        ks_shape_format(&graph->symbols[slots[i]].shape, shape, sizeof(shape));
        if (graph->symbols[slots[i]].shape.rank == 1) // Keras joins the sizes: "(4)", where Python prints "(4,)"
            shape[strlen(shape) - 2] = ')', shape[strlen(shape) - 1] = 0;
        text = ks_arena_format(s->arena, "%s%s%s", text, i ? ", " : "", shape);
    }
    return count == 1 || !text ? text : ks_arena_format(s->arena, "[%s]", text);
}

static const char *connections_cell(ks__summary *s, const ks_object *layer, int level) {
    const char *names[256], *text = NULL;
    size_t count =
        level ? 0 : ks__connections(names, 256, s, layer); // calls inside a nested model are not its holder's
    for (size_t i = 0; i < count; i++)
        text = ks_arena_format(s->arena, "%s%s%s", text ? text : "", text ? ", " : "", names[i]);
    return text ? text : "-";
}

static bool has_variables(const ks_object *object, int depth) {
    if (object->trainable_variables || object->other_variables)
        return true;
    for (const ks_child *child = object->children; child && depth < 64; child = child->next)
        if (has_variables(child->object, depth + 1))
            return true;
    return false;
}

static void put_layer(table *t, const ks__calls *calls, const ks_object *layer, int level) {
    ks__summary *s = t->s;
    const ks_graph *nested = s->options->expand_nested && level < 64 ? ks__nested_graph(layer) : NULL;
    char indent[256];
    ks__calls inner;
    row r = {{0}};
    snprintf(indent, sizeof(indent), "%*s%s", 3 * level, "", level ? "└ " : "");
    if (t->started)
        put_rule(t, "├", "─", "┼", "┤");
    t->started = true;
    r.cells[0] = ks_arena_format(s->arena, "%s%s (%s)", indent, layer->name, ks_class_python_name(layer->row));
    r.cells[1] = shape_cell(s, calls, layer);
    r.cells[2] = ks__with_commas(s->arena, ks__count_params(layer, 0));
    if (!layer->built && layer->row->build)
        r.cells[2] = "0 (unbuilt)";
    if (t->connected >= 0)
        r.cells[t->connected] = connections_cell(s, layer, level);
    if (t->trainable >= 0)
        r.cells[t->trainable] = !has_variables(layer, 0) ? "-" : ks__shown_trainable(layer) ? "Y" : "N";
    put_row(t, &r, "│", false);
    if (nested && ks__index_calls(&inner, s, nested) == KS_OK)
        for (size_t i = 0; i < nested->n_layers; i++)
            put_layer(t, &inner, nested->layers[i], level + 1);
}

static void put_total(ks__summary *s, const char *label, const ks__params *sum) {
    char size[32], line[160];
    ks__readable_size(size, sizeof(size), sum->bytes, "B");
    snprintf(line, sizeof(line), " %s: %s (%s)\n", label, ks__with_commas(s->arena, sum->count), size);
    ks__put(s, line);
}

void ks__summary_boxes(ks__summary *s) {
    const ks_graph *graph = s->calls.graph;
    table t = {.s = s};
    row header = {{"Layer (type)", "Output Shape", "Param #"}};
    ks__params sums[2] = {{0, 0}, {0, 0}}, all;
    lay_out(&t);
    if (t.connected >= 0)
        header.cells[t.connected] = "Connected to";
    if (t.trainable >= 0)
        header.cells[t.trainable] = "Trainable";
    ks__put(s, "Model: \"");
    ks__put(s, s->model->root->name);
    ks__put(s, "\"\n");
    put_rule(&t, "┏", "━", "┳", "┓");
    put_row(&t, &header, "┃", true);
    put_rule(&t, "┡", "━", "╇", "┩");
    for (size_t i = 0; i < graph->n_operations; i++)
        put_layer(&t, &s->calls, graph->operations[i], 0);
    put_rule(&t, "└", "─", "┴", "┘");
    ks__sum_params(sums, s->model);
    all = (ks__params){sums[0].count + sums[1].count, sums[0].bytes + sums[1].bytes};
    put_total(s, "Total params", &all);
    put_total(s, "Trainable params", &sums[0]);
    put_total(s, "Non-trainable params", &sums[1]);
}
