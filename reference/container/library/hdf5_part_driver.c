// SPDX-License-Identifier: Apache-2.0
//
// A driver of libhdf5 that puts an HDF5 file into a part of an open file: address A stands at offset + A. With it the
// HDF5 member of an archive is written where it will stay.
//
// A write that fails is remembered and not told to libhdf5, which cannot close a file whose last pages it cannot write:
// it would keep the file half open and crash when the process ends. Whoever writes asks ks__libhdf5_part_failure.
#include "container/library/libhdf5_internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct part_place {
    int descriptor;
    uint64_t offset;
} part_place;

typedef struct part_file {
    H5FD_t base; ///< first: libhdf5's own fields
    part_place place;
    haddr_t end_of_addresses;
    haddr_t end; ///< of what was written
} part_file;

/// Why a write of this thread failed, since it was last asked; nothing more is written then. 0: none did.
static _Thread_local int last_failure;

static H5FD_t *open_part(const char *name, unsigned flags, hid_t access, haddr_t largest) {
    const part_place *place = H5Pget_driver_info(access);
    (void)name;
    (void)flags;
    (void)largest;
    part_file *file = place ? calloc(1, sizeof *file) : NULL;
    if (file)
        file->place = *place;
    return (H5FD_t *)file;
}

static herr_t close_part(H5FD_t *base) {
    free(base);
    return 0;
}

static herr_t query(const H5FD_t *base, unsigned long *flags) {
    (void)base;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA;
    return 0;
}

static haddr_t get_end_of_addresses(const H5FD_t *base, H5FD_mem_t type) {
    (void)type;
    return ((const part_file *)base)->end_of_addresses;
}

static herr_t set_end_of_addresses(H5FD_t *base, H5FD_mem_t type, haddr_t address) {
    (void)type;
    ((part_file *)base)->end_of_addresses = address;
    return 0;
}

static haddr_t get_end(const H5FD_t *base, H5FD_mem_t type) {
    (void)type;
    return ((const part_file *)base)->end;
}

static herr_t read_part(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size, void *buffer) {
    const part_file *file = (const part_file *)base;
    uint8_t *to = buffer;
    size_t at = 0;
    (void)type;
    (void)transfer;
    while (at < size) {
        size_t left = size - at;
        ssize_t got = 0;
        if (address + at < file->end) {
            size_t whole = file->end - (address + at) < left ? (size_t)(file->end - (address + at)) : left;
            got = pread(file->place.descriptor, to + at, whole, (off_t)(file->place.offset + address + at));
        }
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0) { // beyond what was written there are zeros
            memset(to + at, 0, left);
            break;
        }
        at += (size_t)got;
    }
    return 0;
}

static herr_t write_part(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size,
                         const void *buffer) {
    part_file *file = (part_file *)base;
    const uint8_t *from = buffer;
    size_t at = 0;
    (void)type;
    (void)transfer;
    while (at < size && !last_failure) {
        ssize_t wrote =
            pwrite(file->place.descriptor, from + at, size - at, (off_t)(file->place.offset + address + at));
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0) {
            last_failure = wrote < 0 ? errno : ENOSPC;
            break;
        }
        at += (size_t)wrote;
    }
    if (address + size > file->end)
        file->end = address + size;
    return 0;
}

/// The last addresses of a file may never be written: the file gets its whole length all the same.
static herr_t truncate_part(H5FD_t *base, hid_t transfer, hbool_t closing) {
    part_file *file = (part_file *)base;
    (void)transfer;
    (void)closing;
    if (file->end < file->end_of_addresses) {
        if (!last_failure &&
            ftruncate(file->place.descriptor, (off_t)(file->place.offset + file->end_of_addresses)) != 0)
            last_failure = errno;
        file->end = file->end_of_addresses;
    }
    return 0;
}

static const H5FD_class_t part_driver = {
    .name = "kassay-part",
    .maxaddr = ((haddr_t)1 << 62),
    .fc_degree = H5F_CLOSE_WEAK,
    .fapl_size = sizeof(part_place),
    .open = open_part,
    .close = close_part,
    .query = query,
    .get_eoa = get_end_of_addresses,
    .set_eoa = set_end_of_addresses,
    .get_eof = get_end,
    .read = read_part,
    .write = write_part,
    .truncate = truncate_part,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

bool ks__libhdf5_part_failed(void) {
    return last_failure != 0;
}

int ks__libhdf5_part_failure(void) {
    int failure = last_failure;
    last_failure = 0;
    return failure;
}

static hid_t driver = -1;

static void register_driver(void) {
    driver = H5FDregister(&part_driver);
}

/// The driver stays registered: libhdf5 lets go of it before it closes the file with it.
bool ks__libhdf5_set_part_driver(hid_t access, int descriptor, uint64_t offset) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    part_place place = {descriptor, offset};
    pthread_once(&once, register_driver);
    return driver >= 0 && H5Pset_driver(access, driver, &place) >= 0;
}
