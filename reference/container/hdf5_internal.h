// SPDX-License-Identifier: Apache-2.0
//
// What the files of the strict HDF5 reader share. It follows the HDF5 File Format Specification, version 3.0, and what
// libhdf5 1.10 accepts where the specification leaves a choice.
//
// An address is a byte offset from the superblock, and an index into `bytes`. Nothing is read before it is asked for;
// object headers, listed groups and heap collections are kept in the file's arena once they were read.
#ifndef KASSAY_CONTAINER_HDF5_INTERNAL_H
#define KASSAY_CONTAINER_HDF5_INTERNAL_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "container/container_internal.h"

#define KS__H5_UNDEFINED UINT64_MAX ///< the address of nothing
#define KS__H5_NO_SIZE UINT64_MAX
#define KS__H5_MAX_FILTERS 32
#define KS__H5_STEPS 16      ///< of a path that are remembered
#define KS__H5_TYPE_DEPTH 32 ///< datatypes nested in each other

/// Message types of object headers.
enum {
    KS__H5_NIL = 0x00,
    KS__H5_DATASPACE = 0x01,
    KS__H5_LINK_INFO = 0x02,
    KS__H5_DATATYPE = 0x03,
    KS__H5_FILL_OLD = 0x04,
    KS__H5_FILL = 0x05,
    KS__H5_LINK = 0x06,
    KS__H5_EXTERNAL_FILES = 0x07,
    KS__H5_LAYOUT = 0x08,
    KS__H5_BOGUS = 0x09, // libhdf5's own tests write it; a reader does not know it
    KS__H5_FILTERS = 0x0B,
    KS__H5_ATTRIBUTE = 0x0C,
    KS__H5_SHARED_TABLE = 0x0F,
    KS__H5_CONTINUATION = 0x10,
    KS__H5_SYMBOL_TABLE = 0x11,
    KS__H5_TREE_K = 0x13,
    KS__H5_DRIVER_INFO = 0x14,
    KS__H5_ATTRIBUTE_INFO = 0x15,
    KS__H5_REFERENCE_COUNT = 0x16,
    KS__H5_SPACE_INFO = 0x17,
    KS__H5_CACHE_IMAGE = 0x18,
    KS__H5_MESSAGE_TYPES = 0x19
};

#define KS__H5_MESSAGE_IS_SHARED 0x02

/// A run of bytes of the file that is known to lie inside it.
typedef struct ks__h5_span {
    uint64_t at;
    uint64_t size; ///< bytes
} ks__h5_span;

typedef struct ks__h5_message {
    uint64_t at;   ///< address of the body
    uint32_t size; ///< bytes of the body
    uint16_t type;
    uint8_t flags;
} ks__h5_message;

/// An attribute that was found: where its message lies.
typedef struct ks__h5_named {
    ks_text name;
    ks__h5_span message;
} ks__h5_named;

typedef struct ks__h5_object {
    struct ks__h5_object *next; ///< in its bucket
    uint64_t address;
    const ks__h5_message *messages; ///< all but NIL and continuations
    uint32_t n_messages;
    uint32_t types;  ///< a bit for each type of message in it
    uint8_t version; ///< of the header: 1 or 2
    bool links_listed;
    bool attributes_listed;
    bool heap_known;           ///< `heap` is set
    ks__h5_span heap;          ///< names of an old-style group: the local heap's data
    const ks_hdf5_link *links; ///< sorted by name
    size_t n_links;
    const ks__h5_named *attributes; ///< sorted by name
    const ks_text *attribute_names;
    size_t n_attributes;
} ks__h5_object;

/// Addresses in a hash table that grows; address 0 cannot be kept.
typedef struct ks__h5_set {
    uint64_t *slots;
    size_t capacity; ///< a power of two, or 0
    size_t count;
} ks__h5_set;

/// A collection of the global heap that was read once.
typedef struct ks__h5_collection {
    struct ks__h5_collection *next;
    uint64_t address;
    const ks__h5_span *objects; ///< by index; address 0 where there is none
    size_t n_objects;
} ks__h5_collection;

typedef struct ks__h5 ks__h5;

typedef struct ks__h5_space {
    bool null;
    ks_shape shape;
    uint64_t elements;
    uint64_t max[KS_MAX_RANK]; ///< UINT64_MAX: unlimited
} ks__h5_space;

typedef struct ks__h5_type {
    ks_hdf5_class type_class;
    ks_dtype dtype;
    size_t size;
    bool big_endian;
    uint8_t padding; ///< of strings: 0 NUL ends them, 1 NULs fill, 2 blanks fill
} ks__h5_type;

typedef enum ks__h5_index {
    KS__H5_INDEX_TREE1,
    KS__H5_INDEX_SINGLE,
    KS__H5_INDEX_IMPLICIT,
    KS__H5_INDEX_FIXED,
    KS__H5_INDEX_EXTENSIBLE,
    KS__H5_INDEX_TREE2
} ks__h5_index;

typedef enum ks__h5_layout_class { KS__H5_COMPACT, KS__H5_CONTIGUOUS, KS__H5_CHUNKED } ks__h5_layout_class;

typedef struct ks__h5_layout {
    ks__h5_layout_class layout_class;
    uint64_t address; ///< of the elements, or of the chunk index; KS__H5_UNDEFINED: nothing was written
    uint64_t size;    ///< bytes of compact or contiguous elements; KS__H5_NO_SIZE: not said
    // chunked
    ks__h5_index index;
    size_t rank; ///< of the dataset
    uint64_t element_size;
    uint64_t chunk_size;  ///< bytes of a chunk before filters
    bool whole_edges;     ///< chunks that reach over the edge are not filtered
    bool filtered;        ///< index entries carry size and mask
    uint64_t single_size; ///< bytes of the only chunk, when filtered
    uint32_t single_mask;
    uint64_t chunk[KS_MAX_RANK];      ///< elements of a chunk along each axis
    uint64_t dims[KS_MAX_RANK];       ///< of the dataset
    uint64_t n_chunks[KS_MAX_RANK];   ///< chunks along each axis that hold elements
    uint64_t max_chunks[KS_MAX_RANK]; ///< chunks along each axis that there may ever be; UINT64_MAX: no bound
} ks__h5_layout;

typedef struct ks__h5_filter {
    uint16_t id;
    uint16_t flags;
    uint32_t value; ///< the first of its values
} ks__h5_filter;

typedef struct ks__h5_filters {
    size_t count;
    ks__h5_filter items[KS__H5_MAX_FILTERS];
} ks__h5_filters;

/// A dataset's messages, put together.
typedef struct ks__h5_dataset_parts {
    ks__h5 *self;
    ks__h5_object *object; ///< NULL: none is open
    ks__h5_type type;
    ks__h5_space space;
    ks__h5_layout layout;
    ks__h5_filters filters;
    ks__h5_span fill; ///< size 0: zeros
    bool has_fill;    ///< elements that were not written are `fill`
    uint64_t size;    ///< bytes of all elements
} ks__h5_dataset_parts;

/// A path that led to something.
typedef struct ks__h5_lookup {
    ks_hdf5_node from;
    ks_hdf5_node node;
    char path[200]; ///< "": none
} ks__h5_lookup;

typedef struct ks__h5_step {
    size_t end; ///< of a name in the path
    ks_hdf5_node node;
} ks__h5_step;

struct ks__h5 {
    ks_hdf5 base;
    ks_arena arena;
    ks_bytes bytes; ///< from the superblock to the end that it gives
    uint64_t base_offset;
    uint64_t root;
    size_t offset_size; ///< bytes of an address
    size_t length_size; ///< bytes of a length
    size_t leaf_k;      ///< half the entries of a symbol table node
    size_t group_k;     ///< half the entries of a group's B-tree node
    size_t chunk_k;     ///< half the entries of a chunk's B-tree node
    ks__h5_object **buckets;
    size_t n_buckets; ///< a power of two
    size_t n_objects;
    ks__h5_collection *collections[64];
    ks__h5_set verified;     ///< runs of bytes whose checksum was verified
    ks__h5_set claimed;      ///< addresses of structures that belong to one other structure
    ks__h5_set *nodes;       ///< of trees that were walked whole, while a file is verified; NULL: not kept
    ks__h5_message *scratch; ///< messages of the header being read
    size_t scratch_capacity;
    uint64_t decoded_size; ///< bytes that came out of filters so far
    struct libdeflate_decompressor *inflater;
    void *inflater_keeper;           ///< frees the inflater
    ks__h5_dataset_parts dataset;    ///< the last one that was opened
    ks_hdf5_node current;            ///< the object that an error is about
    ks__h5_lookup name;              ///< the last single name that was found
    ks__h5_lookup path;              ///< the last path of more names
    ks__h5_step steps[KS__H5_STEPS]; ///< on this path
    size_t n_steps;
};

// --- hdf5_strict.c: failures and bounded reading ---------------------------------------------------------------------

/// Records a failure at an address of the file, with the place of the current object.
#if defined(__GNUC__)
__attribute__((cold, format(printf, 4, 5)))
#endif
ks_code
ks__h5_fail(ks__h5 *self, ks_code code, uint64_t at, const char *format, ...);
#if defined(__GNUC__)
#define KS__H5_COLD __attribute__((cold))
#else
#define KS__H5_COLD
#endif
KS__H5_COLD ks_code ks__h5_outside(ks__h5 *self, uint64_t at, uint64_t size, const char *what);
KS__H5_COLD ks_code ks__h5_other_signature(ks__h5 *self, uint64_t at, const char *signature);
/// [at, at + size) lies inside the file, else KS_E_HDF5_ADDRESS. `what` names the structure.
static inline ks_code ks__h5_need(ks__h5 *self, uint64_t at, uint64_t size, const char *what) {
    return ks_range_inside(at, size, self->bytes.size) ? KS_OK : ks__h5_outside(self, at, size, what);
}
/// The four bytes of `signature` stand at `at` (which need not be inside the file).
static inline ks_code ks__h5_signature(ks__h5 *self, uint64_t at, const char *signature) {
    if (ks_range_inside(at, 4, self->bytes.size) && memcmp(self->bytes.data + at, signature, 4) == 0)
        return KS_OK;
    return ks__h5_other_signature(self, at, signature);
}
/// The lookup3 checksum behind [at, at + size) fits. Does nothing when this was verified before.
ks_code ks__h5_checksum(ks__h5 *self, uint64_t at, uint64_t size, const char *what);
/// Whether these bytes were verified before, and that they are now.
bool ks__h5_is_verified(const ks__h5 *self, uint64_t at, uint64_t size);
ks_code ks__h5_set_verified(ks__h5 *self, uint64_t at, uint64_t size);
/// The structure at an address belongs to the one that names it here, and was not met before, not as an object header
/// either. libhdf5 keeps one structure for an address: it would take the first one for the second.
ks_code ks__h5_claim(ks__h5 *self, uint64_t at, const char *what);
/// The node at an address is part of one tree. Only looked at while a file is verified: libhdf5 keeps a node as the
/// first tree understood it.
ks_code ks__h5_claim_node(ks__h5 *self, uint64_t at);
/// KS_OK with `*added` false when the address is there already.
ks_code ks__h5_set_add(bool *added, ks__h5_set *set, ks_context *context, uint64_t address);
bool ks__h5_set_has(const ks__h5_set *set, uint64_t address);
void ks__h5_set_free(ks__h5_set *set, ks_context *context);

/// A reader that stands on a span and cannot leave it: its `at` is an address.
static inline ks_reader ks__h5_reader(const ks__h5 *self, ks__h5_span span) {
    ks_bytes bytes = {self->bytes.data, (size_t)(span.at + span.size)};
    return ks_reader_from(bytes, (size_t)span.at);
}
static inline uint64_t ks__h5_left(const ks_reader *reader) {
    return reader->failed ? 0 : reader->bytes.size - reader->at;
}
static inline uint64_t ks__h5_widen(const ks__h5 *self, uint64_t address) {
    return self->offset_size < 8 && address == ((uint64_t)1 << (8 * self->offset_size)) - 1 ? KS__H5_UNDEFINED
                                                                                            : address;
}
static inline uint64_t ks__h5_address(const ks__h5 *self, ks_reader *reader) {
    return ks__h5_widen(self, ks_read_uint(reader, self->offset_size));
}
static inline uint64_t ks__h5_length(const ks__h5 *self, ks_reader *reader) {
    return ks_read_uint(reader, self->length_size);
}
/// A field of 1 to 8 bytes at an address where a structure is known to lie inside the file: what a walk through groups
/// does most.
static inline uint64_t ks__h5_field(const ks__h5 *self, uint64_t at, size_t size) {
    const uint8_t *data = self->bytes.data + at;
    switch (size) { // loads of a known size are one instruction
    case 8:
        return ks__little_endian(data, 8);
    case 4:
        return ks__little_endian(data, 4);
    case 2:
        return ks__little_endian(data, 2);
    default:
        return ks__little_endian(data, size);
    }
}
static inline uint64_t ks__h5_address_at(const ks__h5 *self, uint64_t at) {
    return ks__h5_widen(self, ks__h5_field(self, at, self->offset_size));
}
static inline uint64_t ks__h5_length_at(const ks__h5 *self, uint64_t at) {
    return ks__h5_field(self, at, self->length_size);
}
/// The bytes that a number up to `limit` needs.
static inline size_t ks__h5_bytes_for(uint64_t limit) {
    size_t size = 1;
    while (limit >>= 8)
        size++;
    return size;
}
/// The position of the highest set bit; 0 for 0.
static inline unsigned ks__h5_log2(uint64_t value) {
    return value ? 63 - (unsigned)__builtin_clzll(value) : 0;
}

/// Records of an index of names come in the order of their hashes, which must be those of the names; equal hashes in
/// the order of the names, each once.
typedef struct ks__h5_last_name {
    ks_text name; ///< data NULL: none yet
    uint32_t hash;
} ks__h5_last_name;

ks_code ks__h5_check_name(ks__h5_last_name *last, ks__h5 *self, uint64_t at, ks_text name, uint32_t hash);

/// The order of the bytes of two names.
static inline int ks__h5_compare(ks_text a, ks_text b) {
    size_t common = a.size < b.size ? a.size : b.size;
    if (common && a.data[0] != b.data[0]) // mostly
        return (uint8_t)a.data[0] < (uint8_t)b.data[0] ? -1 : 1;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    return order != 0 ? order : a.size < b.size ? -1 : a.size > b.size;
}

// --- hdf5_checksum.c -------------------------------------------------------------------------------------------------

uint32_t ks__h5_lookup3(const uint8_t *data, size_t size);
/// The same with the four bytes at `hole` taken as zero.
uint32_t ks__h5_lookup3_hole(const uint8_t *data, size_t size, size_t hole);
uint32_t ks__h5_fletcher32(const uint8_t *data, size_t size);

// --- hdf5_superblock.c -----------------------------------------------------------------------------------------------

/// Finds the superblock in the file's bytes and sets all that it says.
ks_code ks__h5_superblock(ks__h5 *self);

// --- hdf5_object.c ---------------------------------------------------------------------------------------------------

/// Whether an object header was read at an address.
bool ks__h5_object_is_known(const ks__h5 *self, uint64_t address);
/// The object header at an address; kept as long as the file.
ks_code ks__h5_object_get(ks__h5_object **out, ks__h5 *self, uint64_t address);
static inline bool ks__h5_has_message(const ks__h5_object *object, unsigned type) {
    return object->types >> type & 1;
}
/// Whether the object is a group.
static inline bool ks__h5_is_group(const ks__h5_object *object) {
    return ks__h5_has_message(object, KS__H5_SYMBOL_TABLE) || ks__h5_has_message(object, KS__H5_LINK_INFO);
}
/// The first message of this type, below KS__H5_MESSAGE_TYPES, or NULL.
static inline const ks__h5_message *ks__h5_find_message(const ks__h5_object *object, unsigned type) {
    const ks__h5_message *message = object->messages;
    if (!ks__h5_has_message(object, type))
        return NULL;
    while (message->type != type)
        message++;
    return message;
}
ks_code ks__h5_object_type(ks_hdf5_object_type *out, ks__h5 *self, const ks__h5_object *object);
/// The body of a message that may be shared: of the message it points to, in the header of another object.
ks_code ks__h5_shared_span(ks__h5_span *out, ks__h5 *self, ks__h5_span body, bool shared, unsigned type);
static inline ks__h5_span ks__h5_message_span(const ks__h5_message *message) {
    ks__h5_span span = {message->at, message->size};
    return span;
}

// --- hdf5_local_heap.c -----------------------------------------------------------------------------------------------

/// The data of the local heap at an address.
ks_code ks__h5_local_heap(ks__h5_span *out, ks__h5 *self, uint64_t address);
/// The name at an offset of a heap's data, in place.
ks_code ks__h5_local_name(ks_text *out, ks__h5 *self, ks__h5_span heap, uint64_t offset);

// --- hdf5_tree1.c: version 1 B-trees ---------------------------------------------------------------------------------

/// Names of the node are behind `low` and up to `high`, as the tree's keys say.
typedef ks_code ks__h5_symbol_node(void *data, ks__h5 *self, uint64_t address, ks_text low, ks_text high);
/// Calls `visit` with every symbol table node below a group's tree, in order.
ks_code ks__h5_tree1_group(ks__h5 *self, uint64_t root, ks__h5_span heap, ks__h5_symbol_node *visit, void *data);
/// The one symbol table node that may hold `name`, or KS__H5_UNDEFINED.
ks_code ks__h5_tree1_descend(uint64_t *out, ks__h5 *self, uint64_t root, ks__h5_span heap, ks_text name);

/// One chunk as an index has it.
typedef struct ks__h5_chunk {
    uint64_t address;
    uint64_t size;                ///< bytes as stored
    uint32_t mask;                ///< bit i: filter i was left out
    uint64_t scaled[KS_MAX_RANK]; ///< which chunk along each axis
} ks__h5_chunk;

typedef ks_code ks__h5_visit_chunk(void *data, ks__h5 *self, const ks__h5_chunk *chunk);

ks_code ks__h5_tree1_chunks(ks__h5 *self, const ks__h5_layout *layout, ks__h5_visit_chunk *visit, void *data);

// --- hdf5_tree2.c: version 2 B-trees ---------------------------------------------------------------------------------

typedef enum ks__h5_order { KS__H5_BEFORE = -1, KS__H5_INSIDE = 0, KS__H5_BEHIND = 1 } ks__h5_order;

typedef struct ks__h5_tree2 {
    unsigned type; ///< of the records, as expected
    /// Where a record lies relative to what is sought; NULL: everything is sought.
    ks__h5_order (*place)(void *data, ks__h5 *self, ks__h5_span record);
    ks_code (*visit)(void *data, ks__h5 *self, ks__h5_span record);
    void *data;
} ks__h5_tree2;

/// Visits the records that are sought, in order.
ks_code ks__h5_tree2_walk(ks__h5 *self, uint64_t header, const ks__h5_tree2 *what);

// --- hdf5_fractal_heap.c ---------------------------------------------------------------------------------------------

typedef struct ks__h5_heap {
    uint64_t header;
    size_t id_size;
    unsigned flags;
    uint64_t max_managed_size; ///< bytes of an object
    uint64_t managed_size;     ///< bytes of the heap's space that blocks cover
    uint64_t huge_tree;
    uint64_t n_huge; ///< objects in the tree
    size_t width;
    uint64_t start_size;  ///< of a block in the first row
    uint64_t direct_size; ///< of the largest direct block
    unsigned max_bits;    ///< of the heap's space
    uint64_t root;
    size_t root_rows;    ///< 0: the root is a direct block
    size_t offset_bytes; ///< of an offset in the heap
    size_t length_bytes; ///< of an object's size in an id
    unsigned n_direct_rows;
} ks__h5_heap;

ks_code ks__h5_heap_open(ks__h5_heap *out, ks__h5 *self, uint64_t address);
/// Where the object of an id lies in the file.
ks_code ks__h5_heap_object(ks__h5_span *out, ks__h5 *self, const ks__h5_heap *heap, ks__h5_span id);

// --- hdf5_global_heap.c ----------------------------------------------------------------------------------------------

ks_code ks__h5_global_object(ks__h5_span *out, ks__h5 *self, uint64_t collection, uint32_t index);

// --- hdf5_link.c, hdf5_group.c ---------------------------------------------------------------------------------------

/// A link message: its name is a view in the file, without a NUL behind it.
ks_code ks__h5_link_parse(ks_hdf5_link *out, ks__h5 *self, ks__h5_span message);
/// `*found` is false when the group has no such link.
ks_code ks__h5_group_find(ks_hdf5_link *out, bool *found, ks__h5 *self, ks__h5_object *group, ks_text name);
ks_code ks__h5_group_list(ks__h5 *self, ks__h5_object *group);
/// Verifies the creation order index, which nothing else reads.
ks_code ks__h5_group_verify(ks__h5 *self, const ks__h5_object *group);

// --- hdf5_dataspace.c, hdf5_datatype.c -------------------------------------------------------------------------------

ks_code ks__h5_space_parse(ks__h5_space *out, ks__h5 *self, ks__h5_span message);

ks_code ks__h5_type_parse(ks__h5_type *out, ks__h5 *self, ks__h5_span message);

// --- hdf5_layout.c ---------------------------------------------------------------------------------------------------

ks_code ks__h5_layout_parse(ks__h5_layout *out, ks__h5 *self, ks__h5_span message);

// --- hdf5_filter.c ---------------------------------------------------------------------------------------------------

ks_code ks__h5_filters_parse(ks__h5_filters *out, ks__h5 *self, ks__h5_span message);
/// The `out_size` bytes that a chunk had before the filters: in the file, or in one of the buffers, which hold
/// ks__h5_filter_room bytes each.
ks_code ks__h5_filter_decode(const uint8_t **out, size_t out_size, ks__h5 *self, const ks__h5_filters *filters,
                             const ks__h5_chunk *chunk, uint8_t *buffers[2]);
size_t ks__h5_filter_room(const ks__h5_filters *filters, size_t chunk_size);

// --- hdf5_chunk_index.c, hdf5_fixed_array.c, hdf5_extensible_array.c ------------------------------------------------

/// Calls `visit` with every chunk that was written and lies inside the dataset's shape.
ks_code ks__h5_chunks(ks__h5 *self, const ks__h5_layout *layout, ks__h5_visit_chunk *visit, void *data);

/// Turns the entries of an array of chunks into chunks.
typedef struct ks__h5_entries {
    const ks__h5_layout *layout;
    size_t entry_size; ///< bytes
    size_t swap;       ///< the axis that counts slowest
    uint64_t next;     ///< number of the next entry
    uint64_t end;      ///< entries that there may be
    ks__h5_visit_chunk *visit;
    void *data;
} ks__h5_entries;

/// Bytes of an entry of a fixed or extensible array.
size_t ks__h5_entry_size(const ks__h5 *self, const ks__h5_layout *layout);
/// Takes up to `count` entries from `at`, which the caller has checked.
ks_code ks__h5_entries_take(ks__h5_entries *entries, ks__h5 *self, uint64_t at, uint64_t count);
ks_code ks__h5_fixed_array(ks__h5 *self, ks__h5_entries *entries);
ks_code ks__h5_extensible_array(ks__h5 *self, ks__h5_entries *entries);

// --- hdf5_dataset.c --------------------------------------------------------------------------------------------------

ks_code ks__h5_dataset(ks_hdf5_type *out, ks_hdf5 *file, ks_hdf5_node node);
ks_code ks__h5_view(ks_bytes *out, ks_hdf5 *file, ks_hdf5_node node);
ks_code ks__h5_read(void *data, size_t data_size, ks_hdf5 *file, ks_hdf5_node node);
ks_code ks__h5_read_text(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node node);
/// Describes a dataset and decodes every chunk of it, without keeping the elements.
ks_code ks__h5_dataset_verify(ks_hdf5_type *out, ks__h5 *self, ks_hdf5_node node);

// --- hdf5_element.c: elements as stored to elements of the host ------------------------------------------------------

/// Puts `count` elements of `type` into the host's order, in place.
void ks__h5_elements_swap(void *data, uint64_t count, const ks__h5_type *type);
/// Strings out of `count` stored elements; kept as long as the file.
ks_code ks__h5_elements_text(const ks_text **out, ks__h5 *self, const uint8_t *data, uint64_t count,
                             const ks__h5_type *type);
void ks__h5_describe(ks_hdf5_type *out, const ks__h5_type *type, const ks__h5_space *space);
/// The elements are numbers and `data_size` is their size.
ks_code ks__h5_check_numbers(ks__h5 *self, const ks__h5_type *type, uint64_t elements, size_t data_size);

// --- hdf5_attribute.c ------------------------------------------------------------------------------------------------

ks_code ks__h5_attributes(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node node);
ks_code ks__h5_attribute(ks_hdf5_type *out, bool *found, ks_hdf5 *file, ks_hdf5_node node, const char *name);
ks_code ks__h5_attribute_read(void *data, size_t data_size, ks_hdf5 *file, ks_hdf5_node node, const char *name);
ks_code ks__h5_attribute_text(const ks_text **out, size_t *count, ks_hdf5 *file, ks_hdf5_node node, const char *name);
/// Verifies the creation order index, which nothing else reads.
ks_code ks__h5_attributes_verify(ks__h5 *self, const ks__h5_object *object);

// --- hdf5_verify.c ---------------------------------------------------------------------------------------------------

ks_code ks__h5_verify(ks_hdf5 *file);

#endif
