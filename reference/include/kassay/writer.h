// SPDX-License-Identifier: Apache-2.0
//
// Writing: HDF5 files and zip archives through libhdf5 and libzip (in the module of the library road), and saving bytes
// atomically. What is written depends on nothing but what was given: no clock, no addresses, no order of hashing.
#ifndef KASSAY_WRITER_H
#define KASSAY_WRITER_H

#include <kassay/context.h>
#include <kassay/output.h>
#include <kassay/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/// An HDF5 file that is being built, in the flavour that h5py writes by default: superblock 0, symbol-table groups,
/// contiguous datasets, variable-length UTF-8 attributes. Elements of datasets begin at multiples of 64 bytes.
typedef struct ks_hdf5_writer ks_hdf5_writer;

ks_code ks_hdf5_writer_open(ks_hdf5_writer **out, ks_context *context);
/// The same in an open file, from `offset` on, which is a multiple of 64: elements go from the tensors into the file
/// without a copy in between.
ks_code ks_hdf5_writer_open_at(ks_hdf5_writer **out, ks_context *context, int descriptor, uint64_t offset);
void ks_hdf5_writer_close(ks_hdf5_writer *writer); ///< NULL is allowed

/// Paths are as "a/b/c"; "" is the root. Groups on the way are made when missing; making one twice is not an error.
ks_code ks_hdf5_writer_group(ks_hdf5_writer *writer, const char *path);
/// One dataset with the tensor's dtype and shape. KS_STRING: variable-length UTF-8 strings. KS_BFLOAT16: as Keras does,
/// opaque with an attribute dtype = "bfloat16". A path that exists is KS_E_USAGE.
ks_code ks_hdf5_writer_dataset(ks_hdf5_writer *writer, const char *path, const ks_tensor *tensor);
/// A variable-length UTF-8 string on the group or dataset at `path`. Text with a NUL byte is KS_E_USAGE.
ks_code ks_hdf5_writer_text(ks_hdf5_writer *writer, const char *path, const char *name, ks_text text);
/// The same, marked ASCII: what h5py makes of Python's bytes, and gives back as bytes where it knows both (before 3.0).
ks_code ks_hdf5_writer_bytes(ks_hdf5_writer *writer, const char *path, const char *name, ks_text text);
/// An attribute with the tensor's dtype and shape; KS_STRING as fixed-length strings, padded with NUL, as h5py stores
/// numpy's byte strings (layer_names of the legacy format).
ks_code ks_hdf5_writer_attribute(ks_hdf5_writer *writer, const char *path, const char *name, const ks_tensor *tensor);
/// The whole file. The bytes live until the writer is closed; nothing may be added afterwards. Of a writer that writes
/// to an open file `out->data` is NULL, and `out->size` says how long its part is.
ks_code ks_hdf5_writer_finish(ks_bytes *out, ks_hdf5_writer *writer);

typedef struct ks_zip_item {
    const char *name; ///< UTF-8
    ks_bytes bytes;
    uint32_t alignment; ///< 0 or a power of two up to 4096: the first byte of the content lies at a multiple of it
    bool deflate;       ///< false: stored, as Keras does
} ks_zip_item;

/// An archive of these members in this order, dated 1980-01-01, mode 0600. Free `out->data` with ks_free.
/// Alignment is made with an extra field of type 0xD935 in the local header (the one Android's zipalign writes);
/// members before an aligned one must be stored.
ks_code ks_zip_write(ks_bytes *out, ks_context *context, const ks_zip_item *items, size_t count);

/// An archive that is written member by member, all stored, dated 1980-01-01, mode 0600, in an output that holds
/// nothing else. The content of a large member is written straight to where it stays.
typedef struct ks_zip_writer ks_zip_writer;

ks_code ks_zip_writer_open(ks_zip_writer **out, ks_context *context, ks_output *output);
void ks_zip_writer_close(ks_zip_writer *writer); ///< NULL is allowed
/// `alignment` as in ks_zip_item. `name` is copied.
ks_code ks_zip_writer_add(ks_zip_writer *writer, const char *name, ks_bytes content, uint32_t alignment);
/// A member whose content the caller writes into the output, from `*offset` on. Ended by ks_zip_writer_end, which is
/// told how many bytes it became and reads them back for their CRC-32.
ks_code ks_zip_writer_begin(uint64_t *offset, ks_zip_writer *writer, const char *name, uint32_t alignment);
ks_code ks_zip_writer_end(ks_zip_writer *writer, uint64_t size);
/// Writes the central directory. The output is still to be committed.
ks_code ks_zip_writer_finish(ks_zip_writer *writer);

/// Puts `bytes` into the file `path` so that a reader sees the old file or the new one, whole: temporary file in the
/// same directory, fsync, rename, fsync of the directory. An existing file keeps its mode. See output.h.
ks_code ks_save_bytes(ks_context *context, const char *path, ks_bytes bytes);

#ifdef __cplusplus
}
#endif
#endif
