// SPDX-License-Identifier: Apache-2.0
//
// The C half of parts.py, for readers of guide.c: layers with several tensors in and out (`call_all`), layers that read
// and make masks, and the other kinds of objects. Those that train are only described: what they have in their configs.
#include <stdio.h>
#include <string.h>

#include <kassay/plugin.h>

#define KEYS(table) .keys = (table), .n_keys = sizeof(table) / sizeof((table)[0])

typedef const ks_plugin_host host;
typedef ks_plugin_call pass;
typedef ks_plugin_object object;
typedef ks_plugin_array array;
typedef ks_plugin_value value;

static size_t elements(const ks_shape *shape) {
    size_t count = 1;
    for (int i = 0; i < shape->rank; i++)
        count *= (size_t)shape->dims[i];
    return count;
}

static int64_t last(const ks_shape *shape) {
    return shape->rank ? shape->dims[shape->rank - 1] : 1;
}

// Elements are floats or doubles: host->bits. Here they pass through double, which keeps both.
static double get(host *h, pass *p, const void *data, size_t i) {
    return h->bits(p) == 64 ? ((const double *)data)[i] : (double)((const float *)data)[i];
}

static void set(host *h, pass *p, void *data, size_t i, double number) {
    if (h->bits(p) == 64)
        ((double *)data)[i] = number;
    else
        ((float *)data)[i] = (float)number;
}

// --- SumAndProduct: a list in, a list out ---------------------------------------------------------------------------

static array *item(host *h, const value *list, size_t i) {
    return h->tensor(h->item(list, i));
}

static ks_code sum_build(host *h, pass *p, object *self, value *const *arguments) {
    array *first = item(h, arguments[0], 0);
    ks_shape scale = {1, {0}};
    if (!first || !item(h, arguments[0], 1) || h->items(arguments[0]) != 2)
        return h->fail(p, self, "expected a list of two tensors");
    scale.dims[0] = last(h->shape(first));
    return h->add_variable(p, self, "scale", &scale, true, "\"ones\"");
}

static ks_code sum_call(host *h, pass *p, const object *self, value *const *arguments, value **output) {
    array *first = item(h, arguments[0], 0), *second = item(h, arguments[0], 1);
    array *sum, *product;
    value *results[2];
    size_t width;
    if (!first || !second)
        return h->fail(p, self, "expected a list of two tensors");
    sum = h->array(p, h->shape(first));
    product = h->array(p, h->shape(first));
    if (!sum || !product)
        return KS_E_NO_MEMORY;
    width = (size_t)last(h->shape(first));
    for (size_t i = 0; h->data(sum) && i < elements(h->shape(first)); i++) {
        // Without numbers only shapes are asked.
        double a = get(h, p, h->data(first), i), b = get(h, p, h->data(second), i);
        set(h, p, h->data(sum), i, a + b);
        set(h, p, h->data(product), i, a * b * get(h, p, h->variable(p, self, "scale"), i % width));
    }
    results[0] = h->value(p, sum);
    results[1] = h->value(p, product);
    *output = h->list(p, results, 2);
    return *output ? KS_OK : KS_E_NO_MEMORY;
}

static const ks_plugin_class sum_and_product = {KS_PLUGIN_CLASS,         .package = "golden",
                                                .name = "SumAndProduct", .kind = KS_PLUGIN_LAYER,
                                                .build_all = sum_build,  .call_all = sum_call};

// --- Compare: two arguments and a plain one, a dict out, layers inside ----------------------------------------------

static const ks_plugin_key compare_keys[] = {{"units", KS_PLUGIN_INTEGER, NULL}};
static const char *const compare_arguments[] = {"query", "value", "gain", "training", NULL};

static ks_code add_dense(host *h, pass *p, object *self, const char *name, const char *activation, object **out) {
    char record[256];
    int64_t units = 0;
    h->integer(self, "units", &units);
    snprintf(record, sizeof(record),
             "{\"module\": \"keras.layers\", \"class_name\": \"Dense\", \"config\": {\"name\": \"%s\", \"units\": "
             "%lld, \"activation\": %s}}",
             name, (long long)units, activation);
    return h->add_layer(p, self, name, false, record, out);
}

static ks_code compare_build(host *h, pass *p, object *self, value *const *arguments) {
    array *query = h->tensor(arguments[0]), *values = h->tensor(arguments[1]);
    object *left, *right;
    ks_code code;
    if (!query || !values)
        return h->fail(p, self, "expected two tensors");
    code = add_dense(h, p, self, "left", "null", &left);
    if (code == KS_OK)
        code = add_dense(h, p, self, "right", "\"tanh\"", &right);
    if (code == KS_OK)
        code = h->build_layer(p, left, h->shape(query));
    return code == KS_OK ? h->build_layer(p, right, h->shape(values)) : code;
}

static ks_code compare_call(host *h, pass *p, const object *self, value *const *arguments, value **output) {
    static const char *const keys[] = {"gap", "sum"};
    array *left, *right, *gap, *sum;
    value *results[2];
    double gain = 1;
    ks_code code = h->apply(p, h->layer(self, "left", 0), h->tensor(arguments[0]), &left);
    if (code == KS_OK)
        code = h->apply(p, h->layer(self, "right", 0), h->tensor(arguments[1]), &right);
    if (code != KS_OK)
        return code;
    h->plain_number(arguments[2], &gain);
    gap = h->array(p, h->shape(left));
    sum = h->array(p, h->shape(left));
    if (!gap || !sum)
        return KS_E_NO_MEMORY;
    for (size_t i = 0; h->data(gap) && i < elements(h->shape(left)); i++) {
        double a = get(h, p, h->data(left), i) * (h->truth(arguments[3], false) ? 2 : 1);
        double b = get(h, p, h->data(right), i);
        set(h, p, h->data(gap), i, (a - b) * gain);
        set(h, p, h->data(sum), i, a + b);
    }
    results[0] = h->value(p, gap);
    results[1] = h->value(p, sum);
    *output = h->dict(p, keys, results, 2);
    return *output ? KS_OK : KS_E_NO_MEMORY;
}

static const ks_plugin_class compare = {KS_PLUGIN_CLASS,
                                        .name = "Compare",
                                        .kind = KS_PLUGIN_LAYER,
                                        KEYS(compare_keys),
                                        .arguments = compare_arguments,
                                        .build_all = compare_build,
                                        .call_all = compare_call};

// --- TwoTowers: a subclassed model of two inputs --------------------------------------------------------------------

static ks_code towers_dense(host *h, pass *p, object *self, const char *name, const char *activation) {
    char record[256];
    int64_t units = 0;
    h->integer(self, "units", &units);
    snprintf(record, sizeof(record),
             "{\"module\": \"keras.layers\", \"class_name\": \"Dense\", \"config\": {\"name\": \"%s\", \"units\": "
             "%lld, \"activation\": %s}}",
             name, (long long)units, activation);
    // Keras saves by attribute, in the order of their names: "layers", the list of all, comes before "left".
    return h->add_layer(p, self, "layers", true, record, NULL);
}

static ks_code towers_build(host *h, pass *p, object *self, value *const *arguments) {
    ks_code code = towers_dense(h, p, self, "left", "\"tanh\"");
    (void)arguments;
    return code == KS_OK ? towers_dense(h, p, self, "right", "null") : code;
}

static ks_code towers_call(host *h, pass *p, const object *self, value *const *arguments, value **output) {
    static const char *const keys[] = {"total", "difference"};
    array *left, *right, *total, *difference;
    value *results[2];
    ks_code code;
    if (h->items(arguments[0]) != 2)
        return h->fail(p, self, "expected a list of two tensors");
    code = h->apply(p, h->layer(self, "layers", 0), item(h, arguments[0], 0), &left);
    if (code == KS_OK)
        code = h->apply(p, h->layer(self, "layers", 1), item(h, arguments[0], 1), &right);
    if (code != KS_OK)
        return code;
    total = h->array(p, h->shape(left));
    difference = h->array(p, h->shape(left));
    if (!total || !difference)
        return KS_E_NO_MEMORY;
    for (size_t i = 0; h->data(total) && i < elements(h->shape(left)); i++) {
        double a = get(h, p, h->data(left), i), b = get(h, p, h->data(right), i);
        set(h, p, h->data(total), i, a + b);
        set(h, p, h->data(difference), i, a - b);
    }
    results[0] = h->value(p, total);
    results[1] = h->value(p, difference);
    *output = h->dict(p, keys, results, 2);
    return *output ? KS_OK : KS_E_NO_MEMORY;
}

static const ks_plugin_class two_towers = {KS_PLUGIN_CLASS,        .name = "TwoTowers", .kind = KS_PLUGIN_MODEL,
                                           KEYS(compare_keys),     .bare_config = true, .build_all = towers_build,
                                           .call_all = towers_call};

// --- OnlyPositive: makes a mask -------------------------------------------------------------------------------------

static ks_code same_call(host *h, pass *p, const object *self, value *const *arguments, value **output) {
    array *input = h->tensor(arguments[0]);
    if (!input)
        return h->fail(p, self, "expected one tensor");
    *output = h->value(p, input);
    return *output ? KS_OK : KS_E_NO_MEMORY;
}

static ks_code positive_mask(host *h, pass *p, const object *self, value *const *arguments, array **masks,
                             size_t count) {
    array *input = h->tensor(arguments[0]), *before = h->mask(input);
    ks_shape shape = *h->shape(input);
    size_t width = (size_t)last(&shape);
    unsigned char *out;
    (void)self;
    if (count != 1)
        return h->fail(p, self, "expected one result");
    shape.rank--;
    masks[0] = h->typed_array(p, "bool", &shape);
    if (!masks[0])
        return KS_E_NO_MEMORY;
    out = h->data(masks[0]);
    for (size_t i = 0; out && i < elements(&shape); i++)
        out[i] = get(h, p, h->data(input), i * width) > 0 && (!before || ((unsigned char *)h->data(before))[i]);
    return KS_OK;
}

static const ks_plugin_class only_positive = {KS_PLUGIN_CLASS, .name = "OnlyPositive", .kind = KS_PLUGIN_LAYER,
                                              .call_all = same_call, .compute_mask = positive_mask};

// --- MaskedMean: takes a mask, hands none on ------------------------------------------------------------------------

static const char *const mean_arguments[] = {"inputs", "mask", NULL};

static ks_code mean_call(host *h, pass *p, const object *self, value *const *arguments, value **output) {
    array *input = h->tensor(arguments[0]), *mask = h->tensor(arguments[1]), *result;
    ks_shape shape;
    size_t batch, steps, width;
    if (!input || h->shape(input)->rank != 3)
        return h->fail(p, self, "expected a tensor of rank 3");
    shape = (ks_shape){2, {h->shape(input)->dims[0], h->shape(input)->dims[2]}};
    result = h->array(p, &shape);
    if (!result)
        return KS_E_NO_MEMORY;
    *output = h->value(p, result);
    if (!*output || !h->data(result))
        return *output ? KS_OK : KS_E_NO_MEMORY;
    batch = (size_t)shape.dims[0];
    steps = (size_t)h->shape(input)->dims[1];
    width = (size_t)shape.dims[1];
    for (size_t b = 0; b < batch; b++)
        for (size_t c = 0; c < width; c++) {
            double sum = 0, weight = 0;
            for (size_t t = 0; t < steps; t++)
                if (!mask || ((unsigned char *)h->data(mask))[b * steps + t]) {
                    sum += get(h, p, h->data(input), (b * steps + t) * width + c);
                    weight += 1;
                }
            set(h, p, h->data(result), b * width + c, sum / (mask ? weight + 0.5 : weight));
        }
    return KS_OK;
}

static const ks_plugin_class masked_mean = {KS_PLUGIN_CLASS, .name = "MaskedMean", .kind = KS_PLUGIN_LAYER,
                                            .arguments = mean_arguments, .call_all = mean_call};

// --- initializers, regularizers, constraints ------------------------------------------------------------------------

static const ks_plugin_key ramp_keys[] = {{"start", KS_PLUGIN_NUMBER, "0.0"}, {"step", KS_PLUGIN_NUMBER, "0.125"}};

static ks_code ramp_fill(host *h, pass *p, const object *self, double *out, const ks_shape *shape) {
    double start = 0, step = 0.125;
    (void)p;
    h->number(self, "start", &start);
    h->number(self, "step", &step);
    for (size_t i = 0; i < elements(shape); i++)
        out[i] = start + step * (double)i;
    return KS_OK;
}

static const ks_plugin_class ramp = {KS_PLUGIN_CLASS, .package = "golden",
                                     .name = "Ramp",  .kind = KS_PLUGIN_INITIALIZER,
                                     KEYS(ramp_keys), .fill = ramp_fill};

static ks_code quarters_fill(host *h, pass *p, const object *self, double *out, const ks_shape *shape) {
    (void)h;
    (void)p;
    (void)self;
    for (size_t i = 0; i < elements(shape); i++)
        out[i] = 0.25;
    return KS_OK;
}

static const ks_plugin_class quarters = {KS_PLUGIN_CLASS, .name = "quarters", .kind = KS_PLUGIN_FUNCTION,
                                         .fill = quarters_fill};

static const ks_plugin_key pull_keys[] = {{"target", KS_PLUGIN_NUMBER, NULL}, {"strength", KS_PLUGIN_NUMBER, "0.01"}};

static const ks_plugin_class pull = {KS_PLUGIN_CLASS, .package = "golden", .name = "Pull",
                                     .kind = KS_PLUGIN_REGULARIZER, KEYS(pull_keys)};

static const ks_plugin_key at_least_keys[] = {{"low", KS_PLUGIN_NUMBER, "-1.0"}};

static ks_code at_least_check(host *h, pass *p, const object *self) {
    double low;
    return h->number(self, "low", &low) && low <= 0 ? KS_OK : h->fail(p, self, "low must not be above zero");
}

static const ks_plugin_class at_least = {KS_PLUGIN_CLASS, .name = "AtLeast", .kind = KS_PLUGIN_CONSTRAINT,
                                         KEYS(at_least_keys), .check = at_least_check};

// --- losses, metrics, optimizers ------------------------------------------------------------------------------------

static const ks_plugin_key gap_keys[] = {{"weight", KS_PLUGIN_NUMBER, "2.0"}};

static const ks_plugin_class weighted_gap = {KS_PLUGIN_CLASS, .package = "golden", .name = "WeightedGap",
                                             .kind = KS_PLUGIN_LOSS, KEYS(gap_keys)};

static const ks_plugin_key spread_keys[] = {{"width", KS_PLUGIN_NUMBER, "1.0"}};

static const ks_plugin_class spread = {KS_PLUGIN_CLASS, .name = "Spread", .kind = KS_PLUGIN_METRIC, KEYS(spread_keys)};

// What SGD has besides the keys of every optimizer, and its own.
static const ks_plugin_key warm_keys[] = {
    {"momentum", KS_PLUGIN_NUMBER, "0.0"}, {"nesterov", KS_PLUGIN_BOOL, "false"}, {"warm", KS_PLUGIN_INTEGER, "10"}};

static const ks_plugin_class warm_sgd = {KS_PLUGIN_CLASS, .package = "golden", .name = "WarmSGD",
                                         .kind = KS_PLUGIN_OPTIMIZER, KEYS(warm_keys)};

static const ks_plugin_class cubic_gap = {KS_PLUGIN_CLASS, .name = "cubic_gap", .kind = KS_PLUGIN_FUNCTION};

static const ks_plugin_class largest = {KS_PLUGIN_CLASS, .package = "golden", .name = "largest",
                                        .kind = KS_PLUGIN_FUNCTION};

bool ks_plugin_register(const ks_plugin_host *h, ks_registry *registry) {
    static const ks_plugin_class *const added[] = {&sum_and_product, &ramp, &pull, &weighted_gap, &warm_sgd, &largest};
    static const ks_plugin_class *const passed[] = {&two_towers, &compare,  &only_positive, &masked_mean,
                                                    &quarters,   &at_least, &spread,        &cubic_gap};
    if (h->abi != KS_PLUGIN_ABI)
        return false;
    for (size_t i = 0; i < sizeof(added) / sizeof(added[0]); i++)
        if (h->add(registry, added[i]) != KS_OK)
            return false;
    for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
        if (h->pass(registry, passed[i]->name, passed[i]) != KS_OK)
            return false;
    return true;
}
