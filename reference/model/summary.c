// SPDX-License-Identifier: Apache-2.0
//
// The table of Keras 3's summary() in a terminal of 80 columns: same columns, widths, wrapping and totals. Source:
// Keras 3 utils/summary_utils.py and the column arithmetic of its table library: the widths it asks for are reduced
// evenly until the table is 76 wide.
#include <stdio.h>

#include "model/model_internal.h"

#define LINE 76
#define MAX_COLUMNS 4

typedef struct summary {
    ks_model *model;
    ks_arena *arena;
    char *text;
    size_t size, room;
    bool failed;
    int n_columns;
    int widths[MAX_COLUMNS]; ///< characters of content
    const ks_node **givers;  ///< [slot]: the call that gave the tensor
    size_t *tensors;         ///< [slot]: and as which of its results
    size_t *first_call;      ///< [layer's index]: in graph->nodes
    size_t *last_call;
} summary;

typedef struct row {
    const char *cells[MAX_COLUMNS];
} row;

// --- text -----------------------------------------------------------------------------------------------------------

static void put(summary *s, const char *text) {
    size_t size = strlen(text);
    if (s->size + size + 1 > s->room && !s->failed) {
        size_t room = 2 * (s->size + size + 512);
        char *bigger = ks_allocate(s->model->context, room, 1);
        s->failed = !bigger;
        if (bigger && s->size)
            memcpy(bigger, s->text, s->size);
        if (bigger) {
            ks_free(s->model->context, s->text);
            s->text = bigger;
            s->room = room;
        }
    }
    if (s->failed)
        return;
    memcpy(s->text + s->size, text, size + 1);
    s->size += size;
}

static void put_many(summary *s, const char *text, int count) {
    for (int i = 0; i < count; i++)
        put(s, text);
}

static int characters(const char *text, size_t size) {
    int count = 0;
    for (size_t i = 0; i < size; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

// Bytes of the first `count` characters.
static size_t bytes_of(const char *text, size_t size, int count) {
    size_t at = 0;
    while (at < size && count > 0) {
        at++;
        while (at < size && ((unsigned char)text[at] & 0xc0) == 0x80)
            at++;
        count--;
    }
    return at;
}

// Cuts the next line from a cell: as many words as fit; a word that is too long stands alone and is cut with "…".
static const char *next_line(const char *text, int width, size_t *line) {
    size_t size = strlen(text), end = 0;
    for (size_t at = 0; at < size;) {
        size_t word = at;
        while (word < size && text[word] == ' ')
            word++;
        while (word < size && text[word] != ' ')
            word++;
        if (end && characters(text, word) > width)
            break;
        end = word;
        at = word;
    }
    *line = end;
    while (end < size && text[end] == ' ')
        end++;
    return text + end;
}

static void put_cell(summary *s, const char *text, size_t size, int width, bool right) {
    char piece[512];
    int count = characters(text, size);
    bool cut = count > width;
    size_t shown = cut ? bytes_of(text, size, width - 1) : size;
    if (shown > sizeof(piece) - 8)
        shown = sizeof(piece) - 8;
    snprintf(piece, sizeof(piece), "%.*s%s", (int)shown, text, cut ? "…" : "");
    if (cut)
        count = width;
    put(s, " ");
    put_many(s, " ", right ? width - count : 0);
    put(s, piece);
    put_many(s, " ", right ? 0 : width - count);
    put(s, " ");
}

static void put_rule(summary *s, const char *left, const char *line, const char *cross, const char *right) {
    put(s, left);
    for (int i = 0; i < s->n_columns; i++) {
        put_many(s, line, s->widths[i] + 2);
        put(s, i + 1 < s->n_columns ? cross : right);
    }
    put(s, "\n");
}

static void put_row(summary *s, const row *r, const char *bar) {
    const char *rest[MAX_COLUMNS];
    bool more = true;
    for (int i = 0; i < s->n_columns; i++)
        rest[i] = r->cells[i] ? r->cells[i] : "";
    while (more) {
        more = false;
        put(s, bar);
        for (int i = 0; i < s->n_columns; i++) {
            size_t line;
            const char *text = rest[i];
            rest[i] = next_line(text, s->widths[i], &line);
            put_cell(s, text, line, s->widths[i], i == 2);
            put(s, bar);
            more |= rest[i][0] != 0;
        }
        put(s, "\n");
    }
}

// --- widths ---------------------------------------------------------------------------------------------------------

// Python's round: half to even.
static int divide_rounded(int a, int b) {
    int quotient = a / b, twice = 2 * (a % b);
    return twice > b || (twice == b && (quotient & 1)) ? quotient + 1 : quotient;
}

static void compute_widths(summary *s) {
    static const double three[] = {0.45, 0.80, 1.0}, four[] = {0.3, 0.56, 0.74, 1.0};
    const double *positions = s->n_columns == 3 ? three : four;
    int current = 0, excess;
    for (int i = 0; i < s->n_columns; i++) {
        s->widths[i] = (int)(positions[i] * LINE) - current;
        current += s->widths[i];
    }
    excess = current + 2 * s->n_columns - (LINE - s->n_columns - 1); // padding and borders count too
    for (int i = 0; i < s->n_columns; i++) {
        int share = divide_rounded(excess, s->n_columns - i);
        s->widths[i] -= share;
        excess -= share;
    }
}

// --- cells ----------------------------------------------------------------------------------------------------------

static const char *with_commas(ks_arena *arena, uint64_t number) {
    char digits[32], *out = ks_arena_get(arena, 1, 48);
    int size = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number), at = 0;
    for (int i = 0; out && i < size; i++) {
        if (i && (size - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    return out ? out : "";
}

typedef struct totals {
    uint64_t count, bytes;
} totals;

static void add_variables(totals *sum, const ks_variable *first) {
    for (const ks_variable *v = first; v; v = v->next) {
        uint64_t elements = 0;
        ks_shape_elements(&v->shape, &elements);
        sum->count += elements;
        sum->bytes += elements * ks_dtype_size(v->dtype);
    }
}

static uint64_t count_params(const ks_object *object, int depth) {
    totals sum = {0, 0};
    uint64_t count;
    add_variables(&sum, object->trainable_variables);
    add_variables(&sum, object->other_variables);
    count = sum.count;
    for (const ks_child *child = object->children; child && depth < 64; child = child->next)
        count += count_params(child->object, depth + 1);
    return count;
}

static const char *shape_cell(summary *s, const ks_node *node) {
    const ks_graph *graph = s->model->root->graph;
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

static const char *connections(summary *s, const ks_object *layer) {
    const ks_graph *graph = s->model->root->graph;
    size_t n_arguments = ks_class_argument_count(layer->row);
    const char *text = NULL;
    for (size_t i = s->first_call[layer->index]; i < graph->n_nodes; i++) {
        if (graph->nodes[i].layer != layer)
            continue;
        for (size_t a = 0; a < n_arguments; a++) {
            size_t slots[64], count = ks_tree_slots(&graph->nodes[i].arguments[a], slots, 64);
            for (size_t k = 0; k < count && k < 64; k++) {
                const ks_node *source = s->givers[slots[k]];
                if (source)
                    text = ks_arena_format(s->arena, "%s%s%s[%zu][%zu]", text ? text : "", text ? ", " : "",
                                           source->layer->name, source->index, s->tensors[slots[k]]);
            }
        }
        if (i == s->last_call[layer->index])
            break;
    }
    return text ? text : "-";
}

// --- who gave what --------------------------------------------------------------------------------------------------

// For every tensor the call that gave it, for every layer its first and last call.
static ks_code index_calls(summary *s) {
    const ks_graph *graph = s->model->root->graph;
    size_t n_layers = 0;
    for (size_t i = 0; i < graph->n_nodes; i++)
        if (graph->nodes[i].layer->index >= n_layers)
            n_layers = graph->nodes[i].layer->index + 1;
    for (size_t i = 0; i < graph->n_operations; i++)
        if (graph->operations[i]->index >= n_layers)
            n_layers = graph->operations[i]->index + 1;
    s->givers = ks_arena_get(s->arena, graph->n_slots + 1, sizeof(*s->givers));
    s->tensors = ks_arena_get(s->arena, graph->n_slots + 1, sizeof(*s->tensors));
    s->first_call = ks_arena_get(s->arena, n_layers + 1, sizeof(*s->first_call));
    s->last_call = ks_arena_get(s->arena, n_layers + 1, sizeof(*s->last_call));
    if (!s->givers || !s->tensors || !s->first_call || !s->last_call)
        return s->model->context->error.code;
    for (size_t i = 0; i <= n_layers; i++)
        s->first_call[i] = s->last_call[i] = graph->n_nodes;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const ks_node *node = &graph->nodes[i];
        size_t slots[64], count = ks_tree_slots(&node->result, slots, 64);
        for (size_t k = 0; k < count && k < 64; k++) {
            s->givers[slots[k]] = node;
            s->tensors[slots[k]] = k;
        }
        if (s->first_call[node->layer->index] == graph->n_nodes)
            s->first_call[node->layer->index] = i;
        s->last_call[node->layer->index] = i;
    }
    return KS_OK;
}

// One input, no call with several tensors, no tensor read twice, no layer called twice.
static bool is_sequential_like(const summary *s) {
    const ks_graph *graph = s->model->root->graph;
    bool *read;
    if (s->model->root->row == &ks_class_Sequential)
        return true;
    read = ks_arena_get(s->arena, graph->n_nodes + 1, sizeof(*read));
    if (!read || ks_tree_count(&graph->inputs) != 1)
        return false;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const ks_node *node = &graph->nodes[i];
        size_t n_tensors = 0, slot = 0;
        for (size_t a = 0; a < ks_class_argument_count(node->layer->row); a++) {
            n_tensors += ks_tree_count(&node->arguments[a]);
            ks_tree_slots(&node->arguments[a], &slot, 1);
        }
        if (n_tensors > 1 || s->first_call[node->layer->index] != s->last_call[node->layer->index])
            return false;
        if (n_tensors && s->givers[slot]) {
            size_t giver = (size_t)(s->givers[slot] - graph->nodes);
            if (read[giver])
                return false;
            read[giver] = true;
        }
    }
    return true;
}

// --- the table ------------------------------------------------------------------------------------------------------

static void put_table(summary *s) {
    const ks_graph *graph = s->model->root->graph;
    row header = {{"Layer (type)", "Output Shape", "Param #", "Connected to"}};
    put_rule(s, "┏", "━", "┳", "┓");
    put_row(s, &header, "┃");
    put_rule(s, "┡", "━", "╇", "┩");
    for (size_t i = 0; i < graph->n_operations; i++) {
        const ks_object *layer = graph->operations[i];
        row r = {{0}};
        if (i)
            put_rule(s, "├", "─", "┼", "┤");
        r.cells[0] = ks_arena_format(s->arena, "%s (%s)", layer->name, ks_class_python_name(layer->row));
        r.cells[1] = shape_cell(
            s, s->last_call[layer->index] < graph->n_nodes ? &graph->nodes[s->last_call[layer->index]] : NULL);
        r.cells[2] = with_commas(s->arena, count_params(layer, 0));
        if (!layer->built && layer->row->build)
            r.cells[2] = "0 (unbuilt)";
        r.cells[3] = s->n_columns == 4 ? connections(s, layer) : "";
        put_row(s, &r, "│");
    }
    put_rule(s, "└", "─", "┴", "┘");
}

static void put_total(summary *s, const char *label, const totals *sum) {
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB"};
    double size = (double)sum->bytes;
    char line[160];
    int unit = 0;
    while (size / 1024 >= 1 && unit < 5) {
        size /= 1024;
        unit++;
    }
    snprintf(line, sizeof(line), " %s: %s (%.2f %s)\n", label, with_commas(s->arena, sum->count), size, units[unit]);
    put(s, line);
}

// A layer that is not trainable freezes everything below it.
static void add_totals(totals sums[2], const ks_object *object, bool trainable, int depth) {
    trainable = trainable && object->trainable;
    add_variables(&sums[!trainable], object->trainable_variables);
    add_variables(&sums[1], object->other_variables);
    for (const ks_child *child = object->children; child && depth < 64; child = child->next)
        add_totals(sums, child->object, trainable, depth + 1);
}

ks_code ks_model_summary(ks_text *out, ks_model *m) {
    ks_arena arena;
    summary s = {.model = m, .arena = &arena, .n_columns = 4};
    totals sums[2] = {{0, 0}, {0, 0}}, all;
    memset(out, 0, sizeof(*out));
    ks_arena_init(&arena, m->context);
    if (index_calls(&s) != KS_OK) {
        ks_arena_fini(&arena);
        return m->context->error.code;
    }
    if (is_sequential_like(&s))
        s.n_columns = 3;
    compute_widths(&s);
    put(&s, "Model: \"");
    put(&s, m->root->name);
    put(&s, "\"\n");
    put_table(&s);
    add_totals(sums, m->root, true, 0);
    all = (totals){sums[0].count + sums[1].count, sums[0].bytes + sums[1].bytes};
    put_total(&s, "Total params", &all);
    put_total(&s, "Trainable params", &sums[0]);
    put_total(&s, "Non-trainable params", &sums[1]);
    ks_arena_fini(&arena);
    if (s.failed || m->context->error.code != KS_OK) {
        ks_free(m->context, s.text);
        return m->context->error.code;
    }
    *out = (ks_text){s.text, s.size};
    return KS_OK;
}
