// SPDX-License-Identifier: Apache-2.0
//
// What R keras makes, as a plugin: the C half of r_edition.py. Functions are called "python_function", classes have
// names in snake case, numbers are floats. guide.c is the tutorial.
#include <math.h>

#include <kassay/plugin.h>

typedef const ks_plugin_host host;
typedef ks_plugin_call pass;
typedef ks_plugin_object object;

static size_t elements(const ks_shape *shape) {
    size_t count = 1;
    for (int i = 0; i < shape->rank; i++)
        count *= (size_t)shape->dims[i];
    return count;
}

#define BOTH(name, ...)                                                                                                \
    static ks_code name##_float(host *h, pass *p, const object *self, float *out, const ks_shape *output,              \
                                const float *in, const ks_shape *input) {                                              \
        typedef float real;                                                                                            \
        (void)h, (void)p, (void)self, (void)output;                                                                    \
        __VA_ARGS__ return KS_OK;                                                                                      \
    }                                                                                                                  \
    static ks_code name##_double(host *h, pass *p, const object *self, double *out, const ks_shape *output,            \
                                 const double *in, const ks_shape *input) {                                            \
        typedef double real;                                                                                           \
        (void)h, (void)p, (void)self, (void)output;                                                                    \
        __VA_ARGS__ return KS_OK;                                                                                      \
    }

BOTH(square_of_tanh, {
    for (size_t i = 0; i < elements(input); i++) {
        real t = (real)tanh((double)in[i]);
        out[i] = t * t;
    }
})

static const ks_plugin_class python_function = {KS_PLUGIN_CLASS, .name = "python_function", .kind = KS_PLUGIN_FUNCTION,
                                                .forward_float = square_of_tanh_float,
                                                .forward_double = square_of_tanh_double};

// --- my_dense_layer: its number of units is a float ------------------------------------------------------------------

static const ks_plugin_key my_dense_keys[] = {{"output_dim", KS_PLUGIN_INTEGER, NULL}};

static ks_code my_dense_check(host *h, pass *p, const object *self) {
    int64_t units;
    return h->integer(self, "output_dim", &units) && units > 0
               ? KS_OK
               : h->fail(p, self, "output_dim must be a positive whole number");
}

static ks_code my_dense_build(host *h, pass *p, object *self, const ks_shape *input) {
    ks_shape kernel = {2, {input->rank ? input->dims[input->rank - 1] : 1, 0}};
    h->integer(self, "output_dim", &kernel.dims[1]);
    return h->add_variable(p, self, "kernel", &kernel, true, "\"random_normal\"");
}

static ks_code my_dense_infer(host *h, pass *p, const object *self, ks_shape *output, const ks_shape *input) {
    (void)p;
    *output = *input;
    h->integer(self, "output_dim", &output->dims[output->rank - 1]);
    return KS_OK;
}

BOTH(my_dense, {
    const real *kernel = h->variable(p, self, "kernel");
    size_t width = (size_t)input->dims[input->rank - 1];
    size_t units = (size_t)output->dims[output->rank - 1];
    size_t rows = width ? elements(input) / width : 0;
    for (size_t r = 0; r < rows; r++)
        for (size_t u = 0; u < units; u++) {
            real sum = 0;
            for (size_t i = 0; i < width; i++)
                sum += in[r * width + i] * kernel[i * units + u];
            out[r * units + u] = sum;
        }
})

static const ks_plugin_class my_dense_layer = {KS_PLUGIN_CLASS,
                                               .name = "my_dense_layer",
                                               .kind = KS_PLUGIN_LAYER,
                                               .keys = my_dense_keys,
                                               .n_keys = 1,
                                               .check = my_dense_check,
                                               .build = my_dense_build,
                                               .infer = my_dense_infer,
                                               .forward_float = my_dense_float,
                                               .forward_double = my_dense_double};

// --- antirectifier: both halves of the centred input -----------------------------------------------------------------

static ks_code antirectifier_infer(host *h, pass *p, const object *self, ks_shape *output, const ks_shape *input) {
    *output = *input;
    if (input->rank < 1 || input->dims[input->rank - 1] < 1)
        return h->fail(p, self, "the last dimension must be known");
    output->dims[output->rank - 1] *= 2;
    return KS_OK;
}

BOTH(antirectifier, {
    size_t width = (size_t)input->dims[input->rank - 1];
    size_t rows = elements(input) / width;
    for (size_t r = 0; r < rows; r++) {
        real mean = 0;
        for (size_t i = 0; i < width; i++)
            mean += in[r * width + i];
        mean /= (real)width;
        for (size_t i = 0; i < width; i++) {
            real x = in[r * width + i] - mean;
            out[2 * r * width + i] = x > 0 ? x : 0;
            out[2 * r * width + width + i] = x < 0 ? -x : 0;
        }
    }
})

static const ks_plugin_class antirectifier = {KS_PLUGIN_CLASS,
                                              .name = "antirectifier",
                                              .kind = KS_PLUGIN_LAYER,
                                              .infer = antirectifier_infer,
                                              .forward_float = antirectifier_float,
                                              .forward_double = antirectifier_double};

bool ks_plugin_register(const ks_plugin_host *h, ks_registry *registry) {
    static const ks_plugin_class *const passed[] = {&python_function, &my_dense_layer, &antirectifier};
    if (h->abi != KS_PLUGIN_ABI)
        return false;
    for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
        if (h->pass(registry, passed[i]->name, passed[i]) != KS_OK)
            return false;
    return true;
}
