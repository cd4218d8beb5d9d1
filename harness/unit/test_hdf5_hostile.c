// SPDX-License-Identifier: Apache-2.0
//
// The strict HDF5 reader on files that are broken: each byte changed, each length cut, each allocation failing, and
// each refusal by its name.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hdf5_files.h"

#include <dirent.h>

#define FOLDER KASSAY_SOURCE_DIR "/corpus/hdf5/"
#define SMALL 12000 ///< bytes of the files whose every byte is changed

static ks_bytes load(const char *name) {
    char path[400];
    snprintf(path, sizeof path, "%s%s", FOLDER, name);
    ks_bytes bytes = hdf5_file_read(path);
    assert_non_null(bytes.data);
    return bytes;
}

static uint8_t *writable(ks_bytes bytes) {
    return (uint8_t *)(uintptr_t)bytes.data;
}

/// Walks a file and checks what must hold for any bytes.
static ks_code walk_any(ks_bytes bytes, ks_error *error) {
    ks_context context;
    ks_context_init(&context, NULL);
    ks_context_budget(&context, bytes.size);
    ks_code code = hdf5_walk_file(NULL, &context, bytes, KS_ROAD_STRICT);
    assert_int_equal(context.memory.n_live, 0);
    assert_int_equal(context.memory.held, 0);
    assert_true(context.memory.peak <= context.memory.limit);
    assert_int_equal(context.error.code, code);
    if (code != KS_OK) {
        assert_int_equal(context.error.stage == KS_STAGE_HDF5 || context.error.stage == KS_STAGE_NONE, 1);
        assert_true(context.error.offset == KS_NO_OFFSET || context.error.offset <= bytes.size);
        assert_true(context.error.message[0] != 0);
        assert_true(ks_code_verdict(code) < KS_VERDICT_USAGE);
    }
    if (error)
        *error = context.error;
    return code;
}

static size_t change_bytes(ks_bytes bytes, uint8_t mask) {
    size_t n_refused = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        writable(bytes)[i] ^= mask;
        n_refused += walk_any(bytes, NULL) != KS_OK;
        writable(bytes)[i] ^= mask;
    }
    return n_refused;
}

static void changed_bytes_never_hurt(void **state) {
    (void)state;
    struct dirent **names = NULL;
    int count = scandir(FOLDER, &names, NULL, alphasort);
    assert_true(count > 30);
    for (int i = 0; i < count; i++) {
        if (strstr(names[i]->d_name, ".h5")) {
            ks_bytes bytes = load(names[i]->d_name);
            if (bytes.size <= SMALL) {
                assert_true(change_bytes(bytes, 0xff) > 0);
                assert_true(change_bytes(bytes, 0x01) > 0);
            }
            free(writable(bytes));
        }
        free(names[i]);
    }
    free(names);
}

static void cut_files_are_refused(void **state) {
    (void)state;
    static const char *const files[] = {"keras-earliest.h5", "keras-v110.h5", "userblock.h5"};
    for (size_t f = 0; f < sizeof files / sizeof files[0]; f++) {
        ks_bytes bytes = load(files[f]);
        for (size_t size = 0; size < bytes.size; size += 7) {
            // Exactly as long, so that a sanitizer sees the first byte behind it.
            uint8_t *copy = malloc(size ? size : 1);
            memcpy(copy, bytes.data, size);
            ks_code code = walk_any((ks_bytes){copy, size}, NULL);
            assert_true(code == KS_E_HDF5_TRUNCATED || code == KS_E_HDF5_NO_SIGNATURE);
            free(copy);
        }
        free(writable(bytes));
    }
}

static void failing_allocations_leave_nothing(void **state) {
    (void)state;
    static const char *const files[] = {"keras-earliest.h5", "legacy-v110.h5",     "layouts-v110.h5",
                                        "types-v108.h5",     "links-v108.h5",      "attributes-v110.h5",
                                        "many-earliest.h5",  "index-extensible.h5"};
    for (size_t f = 0; f < sizeof files / sizeof files[0]; f++) {
        ks_bytes bytes = load(files[f]);
        ks_code code = KS_E_NO_MEMORY;
        uint64_t k = 1;
        for (; code == KS_E_NO_MEMORY; k++) {
            ks_context context;
            ks_context_init(&context, NULL);
            ks_context_budget(&context, bytes.size);
            context.memory.fail_at = k;
            code = hdf5_walk_file(NULL, &context, bytes, KS_ROAD_STRICT);
            assert_int_equal(context.memory.n_live, 0);
        }
        assert_int_equal(code, KS_OK);
        assert_true(k > 5);
        free(writable(bytes));
    }
}

// --- one fault each --------------------------------------------------------------------------------------------------

/// Where the `index`-th occurrence of `pattern` starts.
static size_t position(ks_bytes bytes, const void *pattern, size_t size, size_t index) {
    for (size_t i = 0; i + size <= bytes.size; i++)
        if (memcmp(bytes.data + i, pattern, size) == 0 && index-- == 0)
            return i;
    fail_msg("no such bytes");
    return 0;
}

typedef struct fault {
    const char *file;
    const char *after; ///< the fault stands `offset` bytes behind the start of this signature
    size_t index;      ///< which of them
    size_t offset;
    uint8_t value;
    ks_code code;
} fault;

static void check_fault(const fault *f, size_t number, ks_code (*walk)(ks_bytes bytes, ks_error *error)) {
    ks_bytes bytes = load(f->file);
    size_t at = position(bytes, f->after, strlen(f->after), f->index) + f->offset;
    ks_error error;
    assert_true(bytes.data[at] != f->value);
    writable(bytes)[at] = f->value;
    ks_code code = walk(bytes, &error);
    if (code != f->code)
        fail_msg("fault %zu (%s, %s + %zu): expected %s, found %s: %s", number, f->file, f->after, f->offset,
                 ks_code_name(f->code), ks_code_name(code), error.message);
    free(writable(bytes));
}

static void faults_have_names(void **state) {
    (void)state;
    static const fault faults[] = {
        {"keras-earliest.h5", "\x89HDF", 0, 0, 'x', KS_E_HDF5_NO_SIGNATURE},
        {"keras-earliest.h5", "\x89HDF", 0, 8, 9, KS_E_HDF5_VERSION},
        {"keras-earliest.h5", "\x89HDF", 0, 9, 1, KS_E_HDF5_VERSION},
        {"keras-earliest.h5", "\x89HDF", 0, 13, 16, KS_E_HDF5_SIZES},
        {"keras-earliest.h5", "\x89HDF", 0, 16, 0, KS_E_HDF5_SUPERBLOCK},
        {"keras-earliest.h5", "\x89HDF", 0, 20, 8, KS_E_HDF5_SUPERBLOCK},
        {"keras-earliest.h5", "\x89HDF", 0, 36, 0, KS_E_HDF5_SUPERBLOCK},
        {"keras-earliest.h5", "\x89HDF", 0, 42, 0xff, KS_E_HDF5_TRUNCATED},
        {"keras-earliest.h5", "\x89HDF", 0, 54, 0, KS_E_HDF5_DRIVER},
        {"keras-earliest.h5", "\x89HDF", 0, 66, 0xff, KS_E_HDF5_ADDRESS},
        {"keras-earliest.h5", "TREE", 0, 0, 'x', KS_E_HDF5_SIGNATURE},
        {"keras-earliest.h5", "TREE", 0, 4, 1, KS_E_HDF5_TREE},
        {"keras-earliest.h5", "TREE", 0, 5, 1, KS_E_HDF5_SIGNATURE},
        {"keras-earliest.h5", "TREE", 0, 5, 200, KS_E_OVER_DEPTH},
        {"keras-earliest.h5", "TREE", 0, 7, 9, KS_E_HDF5_TREE},
        {"keras-earliest.h5", "TREE", 0, 40, 0, KS_E_HDF5_TREE},
        {"found-name-keys.h5", "TREE", 0, 40, 16, KS_OK},
        {"found-inner-chunk-keys.h5", "TREE", 1, 64, 56, KS_E_HDF5_CHUNK_INDEX},
        {"found-inner-chunk-keys.h5", "TREE", 1, 64, 57, KS_OK},
        {"found-inner-chunk-keys.h5", "TREE", 1, 96, 68, KS_E_HDF5_CHUNK_INDEX},
        {"found-overlapping-members.h5", "\x16\x02", 0, 16, 3, KS_E_HDF5_DATATYPE},
        {"found-overlapping-members.h5", "\x16\x02", 0, 16, 4, KS_OK}, // apart, in another order
        {"keras-earliest.h5", "HEAP", 0, 4, 3, KS_E_HDF5_VERSION},
        {"keras-earliest.h5", "HEAP", 0, 16, 3, KS_E_HDF5_LOCAL_HEAP},
        {"keras-earliest.h5", "HEAP", 0, 30, 3, KS_E_HDF5_ADDRESS},
        {"keras-earliest.h5", "SNOD", 0, 4, 3, KS_E_HDF5_VERSION},
        {"keras-earliest.h5", "SNOD", 0, 6, 9, KS_E_HDF5_SYMBOL},
        {"keras-earliest.h5", "SNOD", 0, 24, 7, KS_E_HDF5_SYMBOL},
        {"keras-earliest.h5", "SNOD", 0, 9, 1, KS_E_HDF5_LOCAL_HEAP},
        {"keras-earliest.h5", "SNOD", 0, 24, 2, KS_E_HDF5_LOCAL_HEAP}, // a soft link with a path outside the heap
        {"types-earliest.h5", "\x11!\x0f", 0, 1, 0x61, KS_E_HDF5_DATATYPE},
        {"layouts-earliest.h5", "\x02\x02\x02\x01", 0, 1, 4, KS_E_HDF5_FILL},
        {"layouts-earliest.h5", "\x02\x02\x02\x01", 0, 2, 3, KS_E_HDF5_FILL},
        {"layouts-earliest.h5", "\x02\x02\x02\x01", 2, 2, 1, KS_E_HDF5_UNWRITTEN},
        {"layouts-earliest.h5", "\x02\x02\x02\x01", 2, 3, 0, KS_E_HDF5_UNWRITTEN},
        {"layouts-earliest.h5", "\x02\x02\x02\x01", 2, 7, 0x80, KS_E_HDF5_FILL},
        {"legacy-earliest.h5", "GCOL", 0, 0, 'x', KS_E_HDF5_SIGNATURE},
        {"legacy-earliest.h5", "GCOL", 0, 4, 2, KS_E_HDF5_VERSION},
        {"legacy-earliest.h5", "GCOL", 0, 9, 0, KS_E_HDF5_GLOBAL_HEAP},
        {"legacy-earliest.h5", "GCOL", 0, 16, 77, KS_E_HDF5_GLOBAL_HEAP},
        {"legacy-earliest.h5", "GCOL", 0, 24, 1, KS_E_HDF5_GLOBAL_HEAP},
        {"legacy-earliest.h5", "GCOL", 0, 27, 1, KS_E_HDF5_GLOBAL_HEAP},
        {"keras-v110.h5", "\x89HDF", 0, 11, 1, KS_E_HDF5_CHECKSUM},
        {"keras-v110.h5", "OHDR", 0, 4, 1, KS_E_HDF5_VERSION},
        {"keras-v110.h5", "OHDR", 0, 5, 0xff, KS_E_HDF5_HEADER},
        {"keras-v110.h5", "OHDR", 0, 7, 1, KS_E_HDF5_CHECKSUM},
        {"many-v108.h5", "FRHP", 0, 4, 1, KS_E_HDF5_VERSION},
        {"many-v108.h5", "FRHP", 0, 7, 1, KS_E_HDF5_HEAP_FILTER},
        {"many-v108.h5", "FRHP", 0, 40, 1, KS_E_HDF5_CHECKSUM},
        {"many-v108.h5", "FHIB", 0, 4, 1, KS_E_HDF5_HEAP},
        {"many-v108.h5", "FHDB", 0, 4, 1, KS_E_HDF5_HEAP},
        {"many-v108.h5", "FHDB", 0, 40, 1, KS_E_HDF5_CHECKSUM},
        {"many-v108.h5", "BTHD", 0, 10, 1, KS_E_HDF5_CHECKSUM},
        {"many-v108.h5", "BTIN", 0, 10, 1, KS_E_HDF5_CHECKSUM},
        {"many-v108.h5", "BTLF", 0, 10, 1, KS_E_HDF5_CHECKSUM},
        {"index-fixed-paged.h5", "FAHD", 0, 6, 1, KS_E_HDF5_CHECKSUM},
        {"index-fixed-paged.h5", "FADB", 0, 5, 1, KS_E_HDF5_CHECKSUM},
        {"index-extensible.h5", "EAHD", 0, 6, 1, KS_E_HDF5_CHECKSUM},
        {"index-extensible.h5", "EAIB", 0, 20, 1, KS_E_HDF5_CHECKSUM},
        {"index-extensible.h5", "EASB", 0, 20, 1, KS_E_HDF5_CHECKSUM},
        {"index-extensible.h5", "EADB", 0, 20, 1, KS_E_HDF5_CHECKSUM},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        check_fault(&faults[i], i, walk_any);
}

/// Sets every checksum right that does not fit.
static ks_code walk_mended(ks_bytes bytes, ks_error *error) {
    ks_code code = KS_OK;
    unsigned computed = 0;
    while ((code = walk_any(bytes, error)) == KS_E_HDF5_CHECKSUM) {
        assert_true(error->offset + 4 <= bytes.size);
        assert_int_equal(sscanf(error->message, "expected checksum 0x%8X", &computed), 1);
        for (size_t i = 0; i < 4; i++)
            writable(bytes)[error->offset + i] = (uint8_t)(computed >> (8 * i));
    }
    return code;
}

/// Faults that a checksum would hide. libhdf5 refuses these files, reads something else from them, or crashes.
static void faults_behind_checksums_have_names(void **state) {
    (void)state;
    static const fault faults[] = {
        {"many-v108.h5", "BTHD", 0, 24, 19, KS_E_HDF5_TREE},         // records of the root
        {"many-v108.h5", "BTHD", 0, 26, 21, KS_E_HDF5_TREE},         // of the tree, whose root is a leaf
        {"many-v108.h5", "BTHD", 1, 26, 0x59, KS_E_HDF5_TREE},       // of the tree, whose root has children
        {"many-v108.h5", "BTLF", 0, 6, 0xa2, KS_E_HDF5_TREE},        // hash of a link's name
        {"attributes-v110.h5", "BTLF", 0, 20, 0x42, KS_E_HDF5_TREE}, // hash of an attribute's name
        {"many-v108.h5", "FRHP", 0, 22, 0, KS_E_HDF5_HEAP},          // a tree of huge objects, but none
        {"many-v108.h5", "FRHP", 0, 11, 0, KS_E_HDF5_HEAP},          // bytes of the largest object
        {"many-v108.h5", "FRHP", 0, 47, 0, KS_E_HDF5_HEAP},          // bytes of the heap
        {"index-fixed-paged.h5", "FADB", 0, 5, 1, KS_E_HDF5_CHUNK_INDEX},
        {"index-fixed-paged.h5", "FAHD", 0, 8, 0xc5, KS_E_HDF5_CHUNK_INDEX},
        {"index-fixed-paged.h5", "\x01\x02\x03\x0a", 0, 3, 0, KS_E_HDF5_LAYOUT},
        {"index-fixed-paged.h5", "\x01\x02\x03\x0a", 0, 3, 11, KS_OK}, // the layout repeats what the index says
        {"index-extensible.h5", "EAHD", 0, 51, 1, KS_E_OVER_COUNT},    // number of the largest entry
        {"index-extensible.h5", "EAIB", 0, 5, 1, KS_E_HDF5_CHUNK_INDEX},
        {"index-extensible.h5", "EADB", 0, 5, 1, KS_E_HDF5_CHUNK_INDEX},
        {"index-extensible.h5", "\x04\x20\x04\x04\x10\x0a", 0, 4, 0, KS_E_HDF5_LAYOUT},
        {"keras-v110.h5", "\x03\x0a\x08\x12", 0, 1, 0x4a, KS_E_HDF5_FILL}, // an unknown flag
        {"keras-v110.h5", "\x03\x0a\x08\x12", 0, 1, 0x0e, KS_E_HDF5_FILL}, // an unknown time
        {"keras-v110.h5", "\x03\x0a\x08\x12", 0, 1, 0x1a, KS_OK},          // undefined, but all was written
        {"keras-v110.h5", "\x03\x0a\x08\x12", 0, 1, 0x06, KS_OK},          // never, but all was written
        {"layouts-v110.h5", "\x03\x0a\x08\x12", 1, 1, 0x1a, KS_E_HDF5_UNWRITTEN},
        {"layouts-v110.h5", "\x03\x0a\x08\x12", 1, 1, 0x06, KS_E_HDF5_UNWRITTEN},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        check_fault(&faults[i], i, walk_mended);
}

static ks_code verify_any(ks_bytes bytes) {
    ks_context context;
    ks_hdf5 *file = NULL;
    ks_context_init(&context, NULL);
    ks_code code = ks_hdf5_open(&file, &context, bytes, KS_ROAD_STRICT);
    if (code == KS_OK)
        code = ks_hdf5_verify(file);
    ks_hdf5_close(file);
    return code;
}

/// One structure for two: libhdf5 keeps what it read first at an address.
static void shared_structures_are_refused(void **state) {
    (void)state;
    ks_error error;
    ks_bytes bytes = load("keras-earliest.h5");
    size_t first = position(bytes, "HEAP", 4, 0);
    size_t second = position(bytes, "HEAP", 4, 1);
    memcpy(writable(bytes) + second + 24, bytes.data + first + 24, 8); // the data of another group's heap
    assert_int_equal(walk_any(bytes, &error), KS_E_HDF5_CYCLE);
    free(writable(bytes));
    bytes = load("layouts-earliest.h5");
    first = position(bytes, "\x03\x02\x03\x28\x1f", 5, 0);
    second = position(bytes, "\x03\x02\x03\x70\x2a", 5, 0);
    memcpy(writable(bytes) + first + 3, bytes.data + second + 3, 8); // the tree of another dataset's chunks
    assert_int_equal(verify_any(bytes), KS_E_HDF5_CYCLE);
    free(writable(bytes));
}

/// What fuzzing found: libhdf5 refuses these files, or reads something else from them.
static void found_files_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *file;
        ks_code code;
    } files[] = {
        {"found-superblock-flags.h5", KS_E_HDF5_SUPERBLOCK},   {"found-name-keys.h5", KS_E_HDF5_LINK_ORDER},
        {"found-inner-chunk-keys.h5", KS_E_HDF5_CHUNK_INDEX},  {"found-empty-string-address.h5", KS_E_HDF5_ADDRESS},
        {"found-free-space-address.h5", KS_E_HDF5_SUPERBLOCK}, {"found-overlapping-members.h5", KS_E_HDF5_DATATYPE},
        {"found-reference-count.h5", KS_E_HDF5_MESSAGE},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        ks_bytes bytes = load(files[i].file);
        assert_int_equal(walk_any(bytes, NULL), files[i].code);
        free(writable(bytes));
    }
}

/// The size of an opaque type's tag counts its filling: where a tag of 5 bytes ends is not said.
static void unfilled_tags_are_refused(void **state) {
    (void)state;
    static const uint8_t opaque[] = {0x15, 8, 0, 0, 4, 0, 0, 0};
    ks_bytes bytes = load("found-overlapping-members.h5");
    uint8_t *compound = writable(bytes) + position(bytes, "\x16\x02", 2, 0);
    uint8_t *second = compound + 8 + 60;
    second[8] = 4; // apart from the first
    memcpy(second + 40, opaque, sizeof opaque);
    assert_int_equal(walk_any(bytes, NULL), KS_OK);
    second[41] = 5;
    assert_int_equal(walk_any(bytes, NULL), KS_E_HDF5_DATATYPE);
    free(writable(bytes));
}

/// Messages that lead where libhdf5 goes another way, or astray.
static void odd_messages_are_refused(void **state) {
    (void)state;
    static const uint8_t attribute[] = {0x0c, 0, 0x40, 0};       // type, size
    static const uint8_t shared[] = {2, 2, 0xb9, 7, 0, 0, 0, 0}; // version, committed, the named type
    static const uint8_t dataset[] = {0xf3, 4};                  // the address of another object
    ks_error error;
    ks_bytes bytes = load("keras-earliest.h5");
    writable(bytes)[position(bytes, attribute, sizeof attribute, 0)] = 2; // link info, in a group with a symbol table
    assert_int_equal(walk_any(bytes, &error), KS_E_HDF5_OBJECT);
    free(writable(bytes));
    bytes = load("types-v108.h5");
    uint8_t *message = writable(bytes) + position(bytes, shared, sizeof shared, 0);
    message[1] = 1; // in a table of shared messages
    assert_int_equal(walk_mended(bytes, &error), KS_E_HDF5_MESSAGE_SHARED);
    message[1] = 2;
    memcpy(message + 2, dataset, sizeof dataset); // a type of its own, but no committed one
    assert_int_equal(walk_mended(bytes, &error), KS_E_HDF5_OBJECT);
    free(writable(bytes));
}

/// Changes one byte `behind` the start of some bytes of a chunk, which its filter must notice.
static void broken_chunks_are_refused(void **state) {
    (void)state;
    static const uint8_t fletcher[] = {0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0};
    static const uint8_t level9[] = {0x78, 0xda};
    static const struct {
        const uint8_t *bytes;
        size_t size;
        size_t behind;
        ks_code code;
    } rows[] = {
        {fletcher, sizeof fletcher, 2, KS_E_HDF5_FLETCHER},
        {fletcher, sizeof fletcher, 30, KS_E_HDF5_FLETCHER},
        {level9, sizeof level9, 0, KS_E_HDF5_DEFLATE},
        {level9, sizeof level9, 20, KS_E_HDF5_DEFLATE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ks_bytes bytes = load("layouts-earliest.h5");
        writable(bytes)[position(bytes, rows[i].bytes, rows[i].size, 0) + rows[i].behind] ^= 0x10;
        assert_int_equal(walk_any(bytes, NULL), rows[i].code);
        free(writable(bytes));
    }
}

static void elsewhere_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *file;
        const char *path;
        ks_code code;
        ks_verdict verdict;
    } rows[] = {
        {"links-v110.h5", "soft", KS_E_HDF5_SOFT_LINK, KS_UNSUPPORTED},
        {"links-earliest.h5", "soft", KS_E_HDF5_SOFT_LINK, KS_UNSUPPORTED},
        {"links-v110.h5", "external/x", KS_E_HDF5_EXTERNAL_LINK, KS_UNSAFE},
        {"virtual.h5", "v", KS_E_HDF5_VIRTUAL, KS_UNSAFE},
        {"external.h5", "e", KS_E_HDF5_EXTERNAL, KS_UNSAFE},
        {"filter-unknown.h5", "lzf", KS_E_HDF5_FILTER_UNKNOWN, KS_UNSUPPORTED},
        {"nbit.h5", "scaled", KS_E_HDF5_FILTER_UNKNOWN, KS_UNSUPPORTED},
        {"keras-earliest.h5", "layers", KS_E_HDF5_NOT_DATASET, KS_MALFORMED},
        {"types-v108.h5", "named", KS_E_HDF5_NOT_DATASET, KS_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ks_bytes bytes = load(rows[i].file);
        ks_context context;
        ks_hdf5 *file = NULL;
        ks_hdf5_node node = 0;
        ks_hdf5_type type;
        bool found = true;
        ks_context_init(&context, NULL);
        assert_int_equal(ks_hdf5_open(&file, &context, bytes, KS_ROAD_STRICT), KS_OK);
        ks_code code = ks_hdf5_find(&node, &found, file, ks_hdf5_root(file), rows[i].path);
        if (code == KS_OK) {
            assert_true(found);
            code = ks_hdf5_dataset(&type, file, node);
            char place[64];
            snprintf(place, sizeof place, "/%s", rows[i].path);
            assert_string_equal(context.error.place, place);
        }
        assert_int_equal(code, rows[i].code);
        assert_int_equal(ks_code_verdict(code), rows[i].verdict);
        ks_hdf5_close(file);
        assert_int_equal(context.memory.n_live, 0);
        free(writable(bytes));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changed_bytes_never_hurt),
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(failing_allocations_leave_nothing),
        cmocka_unit_test(faults_have_names),
        cmocka_unit_test(faults_behind_checksums_have_names),
        cmocka_unit_test(shared_structures_are_refused),
        cmocka_unit_test(odd_messages_are_refused),
        cmocka_unit_test(found_files_are_refused),
        cmocka_unit_test(unfilled_tags_are_refused),
        cmocka_unit_test(broken_chunks_are_refused),
        cmocka_unit_test(elsewhere_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
