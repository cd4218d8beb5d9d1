// SPDX-License-Identifier: Apache-2.0
//
// One dataset of a weights file: what it holds, and its elements in the type that is wanted.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cast.h"
#include "weights/weights_internal.h"

ks_code ks__weights_fail(ks__load *load, ks_code code, const char *path, const char *format, ...) {
    char place[256], message[300];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof(message), format, list);
    va_end(list);
    snprintf(place, sizeof(place), "%s:/%s", load->document, path);
    return ks_fail(load->context, code, KS_STAGE_WEIGHTS, KS_NO_OFFSET, place, "%s", message);
}

static bool is_number(ks_dtype dtype) {
    return dtype != KS_DTYPE_NONE && dtype != KS_STRING && dtype != KS_COMPLEX64 && dtype != KS_COMPLEX128;
}

ks_code ks__dataset_type(ks_hdf5_type *out, ks__load *load, ks_hdf5_node dataset, const char *path) {
    ks_hdf5_object_type object_type;
    uint64_t elements;
    ks_code code;
    KS_TRY(ks_hdf5_object(&object_type, load->file, dataset));
    if (object_type != KS_HDF5_DATASET)
        return ks__weights_fail(load, KS_E_WEIGHTS_STORE, path, "expected a dataset, found a group");
    KS_TRY(ks_hdf5_dataset(out, load->file, dataset));
    if (!is_number(out->dtype))
        return ks__weights_fail(load, KS_E_WEIGHTS_DTYPE, path, "the dataset is of %s, which no variable here has",
                                out->dtype == KS_DTYPE_NONE ? "a type without a name" : ks_dtype_name(out->dtype));
    if (!out->null_dataspace && !ks_shape_elements(&out->shape, &elements))
        return ks__weights_fail(load, KS_E_WEIGHTS_SHAPE, path, "more elements than can be counted");
done:
    return code;
}

ks_code ks__dataset_read(const void **out, ks__load *load, ks_hdf5_node dataset, const ks_hdf5_type *type,
                         ks_dtype wanted, const char *path) {
    size_t alignment = ks_dtype_size(wanted), n;
    uint64_t elements = 0;
    ks_bytes view = {NULL, 0};
    void *data, *cast;
    ks_code code;
    if (!ks_shape_elements(&type->shape, &elements))
        return ks__weights_fail(load, KS_E_WEIGHTS_SHAPE, path, "more elements than can be counted");
    n = (size_t)elements;
    if (!load->options.copy && type->native_view && type->dtype == wanted) {
        KS_TRY(ks_hdf5_view(&view, load->file, dataset));
        if ((uintptr_t)view.data % alignment == 0) {
            *out = view.data;
            return KS_OK;
        }
    }
    data = ks_arena_room(load->arena, n + 1, ks_dtype_size(type->dtype));
    if (!data)
        return load->context->error.code;
    if (view.data && view.size == n * alignment) { // misaligned
        *out = memcpy(data, view.data, view.size);
        return KS_OK;
    }
    KS_TRY(ks_hdf5_read(data, n * ks_dtype_size(type->dtype), load->file, dataset));
    *out = data;
    if (type->dtype == wanted)
        return KS_OK;
    cast = ks_arena_room(load->arena, n + 1, ks_dtype_size(wanted));
    if (!cast)
        return load->context->error.code;
    if (!ks_cast(cast, wanted, data, type->dtype, n))
        return ks__weights_fail(load, KS_E_WEIGHTS_DTYPE, path, "the dataset's type cannot be cast to the variable's");
    *out = cast;
done:
    return code;
}

ks_code ks__shape_mismatch(ks__load *load, const ks_variable *variable, const ks_hdf5_type *found, const char *path) {
    char expected[256], got[256];
    ks_shape_format(&variable->shape, expected, sizeof(expected));
    ks_shape_format(&found->shape, got, sizeof(got));
    return ks__weights_fail(load, KS_E_WEIGHTS_SHAPE, path, "%s \"%s\" has shape %s, the file %s",
                            variable->owner->name, variable->name, expected,
                            found->null_dataspace ? "no elements" : got);
}

void ks__set_data(ks_variable *variable, const void *data) {
    variable->data = data;
    variable->real[0] = variable->real[1] = NULL;
}

ks_code ks__weights_note(ks__load *load, const ks_object *layer, ks_variable *variable, const char *source,
                         const char *reason) {
    ks_weights_report *report = load->options.report;
    if (variable && !reason)
        variable->loaded = true;
    if (!report)
        return KS_OK;
    if (report->count == report->room) {
        size_t room = report->room ? 2 * report->room : 32;
        ks_weights_note *bigger = ks_arena_get(load->arena, room, sizeof(*bigger));
        if (!bigger)
            return load->context->error.code;
        if (report->count)
            memcpy(bigger, report->items, report->count * sizeof(*bigger));
        report->items = bigger;
        report->room = room;
    }
    report->items[report->count++] = (ks_weights_note){layer, variable, source, reason};
    return KS_OK;
}
