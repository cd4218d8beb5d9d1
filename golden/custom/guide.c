// SPDX-License-Identifier: Apache-2.0
//
// The classes of the Keras guides as a plugin: the C half of guide.py, and the tutorial for plugin authors. It needs
// <kassay/plugin.h> alone:
//
//     cc -shared -fPIC -I reference/include golden/custom/guide.c -o guide.so -lm
//     kassay predict model.keras --custom guide.so --inputs in.npz --outputs out.npz
//
// Every table begins with KS_PLUGIN_CLASS, its size, by which later programs know what it has. parts.c goes on from
// here: several tensors in and out, masks, initializers and other objects. Three kinds of class are here: layers that
// compute (CustomLayer, MyDense, …: `infer` and two `forward`s), layers and models that only call other layers (Tower,
// CustomModel, …: `call`), and functions (custom_activation).
#include <math.h>
#include <stdio.h>

#include <kassay/plugin.h>

#define KEYS(table) .keys = (table), .n_keys = sizeof(table) / sizeof((table)[0])

typedef const ks_plugin_host host;
typedef ks_plugin_call pass;
typedef ks_plugin_object object;

static size_t elements(const ks_shape *shape) {
    size_t count = 1;
    for (int i = 0; i < shape->rank; i++)
        count *= (size_t)shape->dims[i];
    return count;
}

static int64_t last(const ks_shape *shape) {
    return shape->rank ? shape->dims[shape->rank - 1] : 1;
}

// A class computes the same in both element types: its arithmetic is written once, for `real`.
#define BOTH(name, ...)                                                                                                \
    static ks_code name##_float(host *h, pass *p, const object *self, float *out, const ks_shape *output,              \
                                const float *in, const ks_shape *input) {                                              \
        typedef float real;                                                                                            \
        (void)output;                                                                                                  \
        __VA_ARGS__ return KS_OK;                                                                                      \
    }                                                                                                                  \
    static ks_code name##_double(host *h, pass *p, const object *self, double *out, const ks_shape *output,            \
                                 const double *in, const ks_shape *input) {                                            \
        typedef double real;                                                                                           \
        (void)output;                                                                                                  \
        __VA_ARGS__ return KS_OK;                                                                                      \
    }

// --- CustomLayer(a): times a variable that starts as a ---------------------------------------------------------------

static const ks_plugin_key custom_layer_keys[] = {{"a", KS_PLUGIN_NUMBER, NULL}};

static ks_code custom_layer_build(host *h, pass *p, object *self, const ks_shape *input) {
    ks_shape scalar = {.rank = 0};
    char start[128];
    double a = 0;
    (void)input;
    h->number(self, "a", &a);
    snprintf(start, sizeof(start),
             "{\"module\": \"keras.initializers\", \"class_name\": \"Constant\", \"config\": {\"value\": %.17g}}", a);
    return h->add_variable(p, self, "var_a", &scalar, true, start);
}

BOTH(custom_layer, {
    const real *a = h->variable(p, self, "var_a");
    for (size_t i = 0; i < elements(input); i++)
        out[i] = in[i] * a[0];
})

static const ks_plugin_class custom_layer = {KS_PLUGIN_CLASS,
                                             .name = "CustomLayer",
                                             .kind = KS_PLUGIN_LAYER,
                                             KEYS(custom_layer_keys),
                                             .build = custom_layer_build,
                                             .forward_float = custom_layer_float,
                                             .forward_double = custom_layer_double};

// --- MyDense: a config that holds objects ----------------------------------------------------------------------------

static const ks_plugin_key my_dense_keys[] = {{"units", KS_PLUGIN_INTEGER, NULL},
                                              {"kernel_initializer", KS_PLUGIN_OBJECT, "\"glorot_uniform\""},
                                              {"kernel_regularizer", KS_PLUGIN_OBJECT, "null"},
                                              {"kernel_constraint", KS_PLUGIN_OBJECT, "null"}};

static ks_code my_dense_check(host *h, pass *p, const object *self) {
    int64_t units;
    return h->integer(self, "units", &units) && units > 0 ? KS_OK
                                                          : h->fail(p, self, "units must be a positive integer");
}

static ks_code my_dense_build(host *h, pass *p, object *self, const ks_shape *input) {
    ks_shape kernel = {2, {last(input), 0}};
    h->integer(self, "units", &kernel.dims[1]);
    return h->add_variable(p, self, "kernel", &kernel, true, "@kernel_initializer");
}

static ks_code my_dense_infer(host *h, pass *p, const object *self, ks_shape *output, const ks_shape *input) {
    (void)p;
    *output = *input;
    h->integer(self, "units", &output->dims[output->rank - 1]);
    return KS_OK;
}

BOTH(my_dense, {
    const real *kernel = h->variable(p, self, "kernel");
    size_t width = (size_t)last(input), units = (size_t)last(output), rows = elements(input) / (width ? width : 1);
    for (size_t r = 0; r < rows; r++)
        for (size_t u = 0; u < units; u++) {
            real sum = 0;
            for (size_t i = 0; i < width; i++)
                sum += in[r * width + i] * kernel[i * units + u];
            out[r * units + u] = sum;
        }
})

static const ks_plugin_class my_dense = {KS_PLUGIN_CLASS,
                                         .name = "MyDense",
                                         .kind = KS_PLUGIN_LAYER,
                                         KEYS(my_dense_keys),
                                         .check = my_dense_check,
                                         .build = my_dense_build,
                                         .infer = my_dense_infer,
                                         .forward_float = my_dense_float,
                                         .forward_double = my_dense_double};

// --- ScaleAndShift: a layer without get_config -----------------------------------------------------------------------

static const ks_plugin_key scale_keys[] = {{"scale", KS_PLUGIN_NUMBER, "1.0"}, {"shift", KS_PLUGIN_NUMBER, "0.0"}};

BOTH(scale, {
    double scale = 1, shift = 0;
    (void)p;
    h->number(self, "scale", &scale);
    h->number(self, "shift", &shift);
    for (size_t i = 0; i < elements(input); i++)
        out[i] = in[i] * (real)scale + (real)shift;
})

static const ks_plugin_class scale_and_shift = {
    KS_PLUGIN_CLASS,          .name = "ScaleAndShift",      .kind = KS_PLUGIN_LAYER,       KEYS(scale_keys),
    .automatic_config = true, .forward_float = scale_float, .forward_double = scale_double};

// --- Tower: layers found by attribute, and a variable of its own -----------------------------------------------------

static const ks_plugin_key tower_keys[] = {{"width", KS_PLUGIN_INTEGER, NULL}};

static ks_code dense(host *h, pass *p, object *self, const char *attribute, bool member, const char *name,
                     int64_t units, const char *activation, object **out) {
    char record[256];
    snprintf(
        record, sizeof(record),
        "{\"module\": \"keras.layers\", \"class_name\": \"Dense\", \"config\": {\"name\": \"%s\", \"units\": %lld, "
        "\"activation\": %s}}",
        name, (long long)units, activation);
    return h->add_layer(p, self, attribute, member, record, out);
}

static ks_code tower_build(host *h, pass *p, object *self, const ks_shape *input) {
    static const char norm[] = "{\"module\": \"keras.layers\", \"class_name\": \"BatchNormalization\", "
                               "\"config\": {\"name\": \"norm\"}}";
    ks_shape gate = {1, {0}}, inner = *input;
    object *up, *middle, *down;
    int64_t width = 0;
    ks_code code;
    h->integer(self, "width", &width);
    gate.dims[0] = width;
    inner.dims[inner.rank - 1] = 2 * width;
    // In the order in which the Python class makes them.
    if ((code = dense(h, p, self, "up", false, "up", 2 * width, "\"tanh\"", &up)) != KS_OK ||
        (code = h->add_layer(p, self, "norm", false, norm, &middle)) != KS_OK ||
        (code = dense(h, p, self, "down", false, "down", width, "null", &down)) != KS_OK ||
        (code = h->add_variable(p, self, "gate", &gate, true, "\"ones\"")) != KS_OK ||
        (code = h->build_layer(p, up, input)) != KS_OK || (code = h->build_layer(p, middle, &inner)) != KS_OK)
        return code;
    return h->build_layer(p, down, &inner);
}

static ks_code tower_call(host *h, pass *p, const object *self, ks_plugin_array *input, ks_plugin_array **output) {
    const char *const attributes[] = {"up", "norm", "down"};
    ks_plugin_array *x = input, *y;
    size_t count, width;
    ks_code code;
    for (int i = 0; i < 3; i++) {
        code = h->apply(p, h->layer(self, attributes[i], 0), x, &x);
        if (code != KS_OK)
            return code;
    }
    *output = x;
    if (!h->data(x)) // only its shape is asked
        return KS_OK;
    y = h->array(p, h->shape(x));
    if (!y)
        return KS_E_NO_MEMORY;
    count = elements(h->shape(x));
    width = (size_t)last(h->shape(x));
    for (size_t i = 0; i < count; i++)
        if (h->bits(p) == 64)
            ((double *)h->data(y))[i] =
                ((const double *)h->data(x))[i] * ((const double *)h->variable(p, self, "gate"))[i % width];
        else
            ((float *)h->data(y))[i] =
                ((const float *)h->data(x))[i] * ((const float *)h->variable(p, self, "gate"))[i % width];
    *output = y;
    return KS_OK;
}

static const ks_plugin_class tower = {KS_PLUGIN_CLASS,  .name = "Tower",      .kind = KS_PLUGIN_LAYER,
                                      KEYS(tower_keys), .build = tower_build, .call = tower_call};

// --- CustomModel: a subclassed model with a list of layers -----------------------------------------------------------

static const ks_plugin_key custom_model_keys[] = {{"hidden_units", KS_PLUGIN_VALUE, NULL}};

static ks_code custom_model_build(host *h, pass *p, object *self, const ks_shape *input) {
    (void)input;
    for (size_t i = 0; i < h->count(self, "hidden_units"); i++) {
        char key[48], name[32];
        int64_t units = 0;
        ks_code code;
        snprintf(key, sizeof(key), "hidden_units/%zu", i);
        if (!h->integer(self, key, &units))
            return h->fail(p, self, "hidden_units must be integers");
        snprintf(name, sizeof(name), i ? "dense_%zu" : "dense", i);
        code = dense(h, p, self, "dense_layers", true, name, units, "\"tanh\"", NULL);
        if (code != KS_OK)
            return code;
    }
    return KS_OK;
}

static ks_code custom_model_call(host *h, pass *p, const object *self, ks_plugin_array *input,
                                 ks_plugin_array **output) {
    object *layer;
    *output = input;
    for (size_t i = 0; (layer = h->layer(self, "dense_layers", i)) != NULL; i++) {
        ks_code code = h->apply(p, layer, *output, output);
        if (code != KS_OK)
            return code;
    }
    return KS_OK;
}

static const ks_plugin_class custom_model = {
    KS_PLUGIN_CLASS,     .name = "CustomModel",       .kind = KS_PLUGIN_MODEL,  KEYS(custom_model_keys),
    .bare_config = true, .build = custom_model_build, .call = custom_model_call};

// --- ModelWithCustomConfig: a config that is not the constructor's arguments -----------------------------------------

static const ks_plugin_key with_config_keys[] = {{"sizes", KS_PLUGIN_VALUE, NULL},
                                                 {"note", KS_PLUGIN_TEXT, "\"as written\""}};

static ks_code with_config_build(host *h, pass *p, object *self, const ks_shape *input) {
    static const char function[] = "{\"module\": \"builtins\", \"class_name\": \"function\", \"config\": "
                                   "\"custom_activation\", \"registered_name\": \"custom_activation\"}";
    int64_t hidden = 0, out = 0;
    ks_code code;
    (void)input;
    if (!h->integer(self, "sizes/hidden", &hidden) || !h->integer(self, "sizes/out", &out))
        return h->fail(p, self, "sizes needs \"hidden\" and \"out\"");
    // Keras saves attributes by name; "layers", the list of all layers in the order of their making, comes before
    // "out".
    code = dense(h, p, self, "layers", true, "out", out, "null", NULL);
    return code == KS_OK ? dense(h, p, self, "hidden", false, "hidden", hidden, function, NULL) : code;
}

static ks_code with_config_call(host *h, pass *p, const object *self, ks_plugin_array *input,
                                ks_plugin_array **output) {
    ks_plugin_array *hidden;
    ks_code code = h->apply(p, h->layer(self, "hidden", 0), input, &hidden);
    return code == KS_OK ? h->apply(p, h->layer(self, "layers", 0), hidden, output) : code;
}

static const ks_plugin_class with_config = {
    KS_PLUGIN_CLASS,     .name = "ModelWithCustomConfig", .kind = KS_PLUGIN_MODEL, KEYS(with_config_keys),
    .bare_config = true, .build = with_config_build,      .call = with_config_call};

// --- registered classes ----------------------------------------------------------------------------------------------

static const ks_plugin_key registered_keys[] = {{"start", KS_PLUGIN_NUMBER, "0.0"}};

static ks_code registered_build(host *h, pass *p, object *self, const ks_shape *input) {
    ks_shape offset = {1, {last(input)}};
    char start[128];
    double value = 0;
    h->number(self, "start", &value);
    snprintf(start, sizeof(start),
             "{\"module\": \"keras.initializers\", \"class_name\": \"Constant\", \"config\": {\"value\": %.17g}}",
             value);
    return h->add_variable(p, self, "offset", &offset, true, start);
}

BOTH(registered, {
    const real *offset = h->variable(p, self, "offset");
    size_t width = (size_t)last(input);
    for (size_t i = 0; i < elements(input); i++)
        out[i] = in[i] + offset[i % width];
})

static const ks_plugin_class registered = {KS_PLUGIN_CLASS,
                                           .package = "golden",
                                           .name = "RegisteredLayer",
                                           .kind = KS_PLUGIN_LAYER,
                                           KEYS(registered_keys),
                                           .build = registered_build,
                                           .forward_float = registered_float,
                                           .forward_double = registered_double};

BOTH(square, {
    (void)h;
    (void)p;
    (void)self;
    for (size_t i = 0; i < elements(input); i++)
        out[i] = (real)in[i] * in[i];
})

static const ks_plugin_class default_package = {KS_PLUGIN_CLASS, .name = "DefaultPackageLayer", .kind = KS_PLUGIN_LAYER,
                                                .forward_float = square_float, .forward_double = square_double};

// --- functions -------------------------------------------------------------------------------------------------------

BOTH(square_of_tanh, {
    (void)h;
    (void)p;
    (void)self;
    for (size_t i = 0; i < elements(input); i++) {
        real t = (real)tanh((double)in[i]);
        out[i] = t * t;
    }
})

static const ks_plugin_class custom_activation = {KS_PLUGIN_CLASS, .name = "custom_activation",
                                                  .kind = KS_PLUGIN_FUNCTION, .forward_float = square_of_tanh_float,
                                                  .forward_double = square_of_tanh_double};

BOTH(half_tanh, {
    (void)h;
    (void)p;
    (void)self;
    for (size_t i = 0; i < elements(input); i++)
        out[i] = (real)(tanh((double)in[i]) * 0.5);
})

static const ks_plugin_class half = {KS_PLUGIN_CLASS,
                                     .package = "golden",
                                     .name = "half",
                                     .kind = KS_PLUGIN_FUNCTION,
                                     .forward_float = half_tanh_float,
                                     .forward_double = half_tanh_double};

// Three are registered under their packages, the others are passed by name, as guide.py has it.
bool ks_plugin_register(const ks_plugin_host *h, ks_registry *registry) {
    static const ks_plugin_class *const added[] = {&registered, &half, &default_package};
    static const ks_plugin_class *const passed[] = {&custom_layer, &my_dense,    &scale_and_shift,  &tower,
                                                    &custom_model, &with_config, &custom_activation};
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
