// SPDX-License-Identifier: Apache-2.0
//
// Builds an HDF5 file with libhdf5, in memory or in a part of a file, in h5py's default flavour: superblock 0,
// symbol-table groups, contiguous datasets, no times of modification. Elements of datasets are aligned.
#include "container/library/libhdf5_internal.h"

#include "base/checked.h"

#include <stdlib.h>

#define GROW_BY ((size_t)1 << 20)
#define ALIGNMENT 64 ///< of everything that is at least this large

typedef struct libhdf5_writer {
    ks_hdf5_writer base;
    hid_t file;      ///< negative when finished
    int descriptor;  ///< of the file that it is written to; negative: in memory
    uint64_t offset; ///< where it begins in that file
    uint8_t *image;  ///< the finished file
    size_t image_size;
} libhdf5_writer;

static ks_code failed(ks_context *context, const char *path, const char *what) {
    int failure = ks__libhdf5_part_failure();
    if (failure)
        return ks_fail(context, KS_E_IO, KS_STAGE_SAVE, KS_NO_OFFSET, path, "writing failed: %s", strerror(failure));
    ks_code code = ks__libhdf5_refuse(context, what);
    if (code == KS_E_LIBRARY_HDF5) {
        context->error.code = KS_E_LIBRARY_WRITE;
        context->error.stage = KS_STAGE_SAVE;
        ks_error_prefix_place(context, path);
    }
    return context->error.code;
}

static ks_code misuse(ks_context *context, const char *path, const char *what) {
    return ks_fail(context, KS_E_USAGE, KS_STAGE_SAVE, KS_NO_OFFSET, path, "%s", what);
}

static void close_writer(ks_hdf5_writer *writer) {
    libhdf5_writer *self = (libhdf5_writer *)writer;
    if (self->file >= 0)
        H5Fclose(self->file);
    ks_free(writer->context, self->image);
    ks_free(writer->context, self);
}

// --- types -----------------------------------------------------------------------------------------------------------

static hid_t half_type(void) {
    hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    if (type < 0 || H5Tset_fields(type, 15, 10, 5, 0, 10) < 0 || H5Tset_size(type, 2) < 0 || H5Tset_ebias(type, 15) < 0)
        return -1;
    return type;
}

static hid_t bool_type(void) {
    hid_t type = H5Tenum_create(H5T_STD_I8LE);
    int8_t no = 0;
    int8_t yes = 1;
    if (type < 0 || H5Tenum_insert(type, "FALSE", &no) < 0 || H5Tenum_insert(type, "TRUE", &yes) < 0)
        return -1;
    return type;
}

static hid_t opaque_type(size_t size) {
    hid_t type = H5Tcreate(H5T_OPAQUE, size);
    return type < 0 || H5Tset_tag(type, "") < 0 ? -1 : type;
}

static hid_t complex_type(hid_t part, size_t size) {
    hid_t type = H5Tcreate(H5T_COMPOUND, 2 * size);
    return type < 0 || H5Tinsert(type, "r", 0, part) < 0 || H5Tinsert(type, "i", size, part) < 0 ? -1 : type;
}

/// `size` 0: variable length, UTF-8. Otherwise fixed, padded with NUL, ASCII: what h5py makes of numpy's byte strings.
static hid_t string_type(size_t size) {
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type < 0 || H5Tset_size(type, size ? size : H5T_VARIABLE) < 0 ||
        H5Tset_cset(type, size ? H5T_CSET_ASCII : H5T_CSET_UTF8) < 0 ||
        H5Tset_strpad(type, size ? H5T_STR_NULLPAD : H5T_STR_NULLTERM) < 0)
        return -1;
    return type;
}

static hid_t number_type(ks_dtype dtype) {
    switch (dtype) {
    case KS_BOOL8:
        return bool_type();
    case KS_INT8:
        return H5Tcopy(H5T_STD_I8LE);
    case KS_INT16:
        return H5Tcopy(H5T_STD_I16LE);
    case KS_INT32:
        return H5Tcopy(H5T_STD_I32LE);
    case KS_INT64:
        return H5Tcopy(H5T_STD_I64LE);
    case KS_UINT8:
        return H5Tcopy(H5T_STD_U8LE);
    case KS_UINT16:
        return H5Tcopy(H5T_STD_U16LE);
    case KS_UINT32:
        return H5Tcopy(H5T_STD_U32LE);
    case KS_UINT64:
        return H5Tcopy(H5T_STD_U64LE);
    case KS_FLOAT16:
        return half_type();
    case KS_BFLOAT16:
        return opaque_type(2);
    case KS_FLOAT32:
        return H5Tcopy(H5T_IEEE_F32LE);
    case KS_FLOAT64:
        return H5Tcopy(H5T_IEEE_F64LE);
    case KS_COMPLEX64:
        return complex_type(H5T_IEEE_F32LE, 4);
    case KS_COMPLEX128:
        return complex_type(H5T_IEEE_F64LE, 8);
    default:
        return -1;
    }
}

static hid_t space_of(const ks_shape *shape) {
    if (shape->rank == 0)
        return H5Screate(H5S_SCALAR);
    hsize_t dims[KS_MAX_RANK];
    for (int32_t i = 0; i < shape->rank; i++)
        dims[i] = (hsize_t)shape->dims[i];
    return H5Screate_simple(shape->rank, dims, NULL);
}

// --- objects ---------------------------------------------------------------------------------------------------------

static hid_t creation_list(hid_t list_class) {
    hid_t list = H5Pcreate(list_class);
    if (list >= 0 && H5Pset_obj_track_times(list, false) < 0) {
        H5Pclose(list);
        list = -1;
    }
    return list;
}

static hid_t intermediate_groups(void) {
    hid_t list = H5Pcreate(H5P_LINK_CREATE);
    if (list >= 0)
        H5Pset_create_intermediate_group(list, 1);
    return list;
}

static bool exists(hid_t file, const char *path) {
    if (!*path)
        return true;
    char part[4096];
    for (size_t at = 0; path[at]; at++) { // every prefix in turn: libhdf5 fails when one on the way is missing
        bool end = path[at + 1] == '\0';
        size_t size = end ? at + 1 : at;
        if ((!end && path[at] != '/') || size == 0)
            continue;
        if (size >= sizeof part)
            return false;
        memcpy(part, path, size);
        part[size] = '\0';
        if (H5Lexists(file, part, H5P_DEFAULT) <= 0)
            return false;
    }
    return true;
}

static ks_code make_group(ks_hdf5_writer *writer, const char *path) {
    libhdf5_writer *self = (libhdf5_writer *)writer;
    if (self->file < 0)
        return misuse(writer->context, path, "the file is finished");
    if (exists(self->file, path))
        return KS_OK;
    hid_t links = intermediate_groups();
    hid_t list = creation_list(H5P_GROUP_CREATE);
    hid_t group = H5Gcreate2(self->file, path, links, list, H5P_DEFAULT);
    if (group >= 0)
        H5Gclose(group);
    if (links >= 0)
        H5Pclose(links);
    if (list >= 0)
        H5Pclose(list);
    return group < 0 ? failed(writer->context, path, "a group cannot be made") : KS_OK;
}

/// Elements as libhdf5 wants them. Strings: pointers (variable) or one padded block (fixed).
static ks_code gather_strings(void **out, ks_context *context, const char *path, const ks_tensor *tensor, size_t count,
                              size_t fixed) {
    const ks_text *texts = tensor->data;
    *out = ks_allocate(context, count, fixed ? fixed : sizeof(char *));
    if (!*out)
        return context->error.code;
    for (size_t i = 0; i < count; i++) {
        if (!fixed && memchr(texts[i].data, 0, texts[i].size))
            return misuse(context, path, "a variable-length string cannot hold a NUL byte");
        if (fixed)
            memcpy((char *)*out + i * fixed, texts[i].data, texts[i].size);
        else
            ((const char **)*out)[i] = texts[i].data;
    }
    return KS_OK;
}

static size_t longest(const ks_tensor *tensor, size_t count) {
    const ks_text *texts = tensor->data;
    size_t size = 1;
    for (size_t i = 0; i < count; i++)
        size = texts[i].size > size ? texts[i].size : size;
    return size;
}

static hid_t create_dataset(hid_t file, const char *path, hid_t type, hid_t space) {
    hid_t links = intermediate_groups();
    hid_t list = creation_list(H5P_DATASET_CREATE);
    hid_t id = links < 0 || list < 0 ? -1 : H5Dcreate2(file, path, type, space, links, list, H5P_DEFAULT);
    if (links >= 0)
        H5Pclose(links);
    if (list >= 0)
        H5Pclose(list);
    return id;
}

static hid_t create_attribute(hid_t file, const char *path, const char *name, hid_t type, hid_t space) {
    hid_t object = H5Oopen(file, *path ? path : "/", H5P_DEFAULT);
    if (object < 0)
        return -1;
    hid_t id = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Oclose(object);
    return id;
}

/// A dataset when `name` is NULL, else an attribute of that name.
static ks_code put(libhdf5_writer *self, const char *path, const char *name, hid_t type, const ks_tensor *tensor,
                   const void *data, uint64_t count) {
    ks_context *context = self->base.context;
    hid_t space = space_of(&tensor->shape);
    hid_t id = -1;
    if (space >= 0)
        id = name ? create_attribute(self->file, path, name, type, space)
                  : create_dataset(self->file, path, type, space);
    herr_t status = id < 0 ? -1 : 0;
    if (id >= 0 && count > 0)
        status = name ? H5Awrite(id, type, data) : H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    ks_code code = status < 0
                       ? failed(context, path, name ? "an attribute cannot be written" : "a dataset cannot be written")
                       : KS_OK;
    if (id >= 0 && name)
        H5Aclose(id);
    else if (id >= 0)
        H5Dclose(id);
    if (space >= 0)
        H5Sclose(space);
    return code;
}

static ks_code write_tensor(libhdf5_writer *self, const char *path, const char *name, const ks_tensor *tensor) {
    ks_context *context = self->base.context;
    uint64_t count = 0;
    uint64_t size = 0;
    if (self->file < 0)
        return misuse(context, path, "the file is finished");
    if (!ks_shape_elements(&tensor->shape, &count) || !ks_mul_u64(count, ks_dtype_size(tensor->dtype), &size) ||
        size != tensor->size)
        return misuse(context, path, "a tensor's shape and size do not fit together");
    bool strings = tensor->dtype == KS_STRING;
    size_t fixed = strings && name ? longest(tensor, (size_t)count) : 0;
    hid_t type = strings ? string_type(fixed) : number_type(tensor->dtype);
    if (type < 0)
        return misuse(context, path, "no HDF5 type for this dtype");
    void *gathered = NULL;
    ks_code code = strings ? gather_strings(&gathered, context, path, tensor, (size_t)count, fixed) : KS_OK;
    if (code == KS_OK)
        code = put(self, path, name, type, tensor, strings ? gathered : tensor->data, count);
    ks_free(context, gathered);
    H5Tclose(type);
    return code;
}

static ks_code write_text(ks_hdf5_writer *writer, const char *path, const char *name, ks_text text, bool ascii) {
    libhdf5_writer *self = (libhdf5_writer *)writer;
    if (self->file < 0)
        return misuse(writer->context, path, "the file is finished");
    if (!exists(self->file, path))
        return misuse(writer->context, path, "an attribute needs an object");
    ks_tensor tensor = {.dtype = KS_STRING, .data = &text, .size = sizeof text};
    void *gathered = NULL;
    hid_t type = string_type(0);
    if (type >= 0 && ascii && H5Tset_cset(type, H5T_CSET_ASCII) < 0) {
        H5Tclose(type);
        type = -1;
    }
    ks_code code = gather_strings(&gathered, writer->context, path, &tensor, 1, 0);
    if (code == KS_OK)
        code = put(self, path, name, type, &tensor, gathered, 1);
    ks_free(writer->context, gathered);
    H5Tclose(type);
    return code;
}

static ks_code write_dataset(ks_hdf5_writer *writer, const char *path, const ks_tensor *tensor) {
    libhdf5_writer *self = (libhdf5_writer *)writer;
    if (self->file >= 0 && exists(self->file, path))
        return misuse(writer->context, path, "there is an object of this name already");
    ks_code code = write_tensor(self, path, NULL, tensor);
    if (code == KS_OK && tensor->dtype == KS_BFLOAT16)
        code = write_text(writer, path, "dtype", ks_text_from("bfloat16"), false);
    return code;
}

static ks_code write_attribute(ks_hdf5_writer *writer, const char *path, const char *name, const ks_tensor *tensor) {
    libhdf5_writer *self = (libhdf5_writer *)writer;
    if (self->file >= 0 && !exists(self->file, path))
        return misuse(writer->context, path, "an attribute needs an object");
    return write_tensor(self, path, name, tensor);
}

static ks_code take_image(libhdf5_writer *self) {
    ks_context *context = self->base.context;
    ssize_t size = H5Fget_file_image(self->file, NULL, 0);
    if (size <= 0)
        return failed(context, "", "the file cannot be finished");
    self->image = ks_allocate(context, (size_t)size, 1);
    if (!self->image)
        return context->error.code;
    if (H5Fget_file_image(self->file, self->image, (size_t)size) != size)
        return failed(context, "", "the file cannot be finished");
    self->image_size = (size_t)size;
    return KS_OK;
}

static ks_code finish_file(libhdf5_writer *self) {
    ks_context *context = self->base.context;
    hsize_t size = 0;
    hid_t file = self->file;
    if (self->descriptor < 0) {
        ks_code code = take_image(self);
        if (code != KS_OK)
            return code;
    } else if (H5Fget_filesize(file, &size) < 0) {
        return failed(context, "", "the file cannot be finished");
    }
    self->file = -1;
    if (H5Fclose(file) < 0 || ks__libhdf5_part_failed())
        return failed(context, "", "the file cannot be finished");
    if (self->descriptor >= 0)
        self->image_size = (size_t)size;
    return KS_OK;
}

static ks_code finish(ks_bytes *out, ks_hdf5_writer *writer) {
    libhdf5_writer *self = (libhdf5_writer *)writer;
    if (self->file >= 0) {
        if (H5Fflush(self->file, H5F_SCOPE_GLOBAL) < 0)
            return failed(writer->context, "", "the file cannot be finished");
        ks_code code = finish_file(self);
        if (code != KS_OK)
            return code;
    }
    *out = (ks_bytes){self->image, self->image_size};
    return KS_OK;
}

static const ks_hdf5_writer_ops writer_ops = {
    .close = close_writer,
    .group = make_group,
    .dataset = write_dataset,
    .text = write_text,
    .attribute = write_attribute,
    .finish = finish,
};

static bool choose_driver(const libhdf5_writer *self, hid_t access) {
    if (self->descriptor >= 0 && ks__libhdf5_part_failure() >= 0) // what failed before is no longer of interest
        return ks__libhdf5_set_part_driver(access, self->descriptor, self->offset);
    return H5Pset_fapl_core(access, GROW_BY, false) >= 0;
}

static ks_code open_file(libhdf5_writer *self) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t creation = creation_list(H5P_FILE_CREATE);
    if (access >= 0 && creation >= 0 && choose_driver(self, access) &&
        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 && H5Pset_alignment(access, ALIGNMENT, ALIGNMENT) >= 0)
        self->file = H5Fcreate("kassay-writer", H5F_ACC_TRUNC, creation, access);
    if (access >= 0)
        H5Pclose(access);
    if (creation >= 0)
        H5Pclose(creation);
    return self->file < 0 ? failed(self->base.context, "", "a file cannot be made") : KS_OK;
}

ks_code ks__libhdf5_writer_open(ks_hdf5_writer **out, ks_context *context, int descriptor, uint64_t offset) {
    ks__libhdf5_prepare_thread();
    libhdf5_writer *self = ks_allocate(context, 1, sizeof *self);
    if (!self)
        return context->error.code;
    self->base.ops = &writer_ops;
    self->base.context = context;
    self->file = -1;
    self->descriptor = descriptor;
    self->offset = offset;
    ks_code code = open_file(self);
    if (code != KS_OK) {
        close_writer(&self->base);
        return code;
    }
    *out = &self->base;
    return KS_OK;
}
