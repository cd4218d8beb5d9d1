// SPDX-License-Identifier: Apache-2.0
//
// Object headers: the list of messages that describe one object, in one or more chunks.
//
// Version 1:
//   version 1, reserved 1, messages 2, reference count 4, size of the first chunk 4, padding 4, first chunk
//   message: type 2, size 2 (a multiple of 8), flags 1, reserved 3, body
//   continuation: messages only
//
// Version 2:
//   "OHDR", version 1, flags 1 (bits 0-1: bytes of the chunk size, 2: creation order kept, 4: attribute limits, 5:
//   times), [times 16], [attribute limits 4], size of the first chunk 1-8, first chunk, checksum 4 message: type 1,
//   size 2, flags 1, [creation order 2], body continuation: "OCHK", messages, checksum 4 fewer bytes than a message's
//   header may be left at the end of a chunk
//
// Continuation message: address O, size L.
//
// Message flags: bit 1 the body is elsewhere ("shared"), 2 must not be shared, 3 and 7 must be understood, 4 to be
// marked when not understood, 5 was not understood, 6 may be shared.
//
// Shared body: version 1, type 1, then
//   version 1: reserved 6, a length to be skipped L, header address O
//   version 2: header address O
//   version 3: type 1: heap id 8 (of a table of shared messages), type 2: header address O
#include "container/hdf5_internal.h"

#define FIRST_BUCKETS 64
#define FIRST_SCRATCH 64

enum { DONT_SHARE = 0x04, FAIL_ON_WRITE = 0x08, MARK = 0x10, WAS_UNKNOWN = 0x20, SHAREABLE = 0x40, FAIL_ALWAYS = 0x80 };

/// Places of shared messages.
enum { IN_TABLE = 1, COMMITTED = 2 };

/// The header being read: chunks waiting and messages found.
typedef struct header {
    ks__h5 *self;
    uint64_t address;
    unsigned version;
    unsigned flags;
    uint32_t types; ///< bit for each type of message that was met
    size_t message_header_size;
    size_t n_announced;   ///< messages that a version 1 header says it has
    size_t n_messages;    ///< in self->scratch
    size_t n_seen;        ///< continuations among them already followed
    uint64_t chunk_total; ///< bytes of all chunks
} header;

static ks_code grow_scratch(ks__h5 *self) {
    size_t capacity = self->scratch_capacity ? self->scratch_capacity * 2 : FIRST_SCRATCH;
    ks__h5_message *larger = ks_arena_room(&self->arena, capacity, sizeof *larger);
    if (!larger)
        return self->base.context->error.code;
    if (self->scratch_capacity)
        memcpy(larger, self->scratch, self->scratch_capacity * sizeof *larger);
    self->scratch = larger;
    self->scratch_capacity = capacity;
    return KS_OK;
}

static bool may_be_shared(unsigned type) {
    return type == KS__H5_DATASPACE || type == KS__H5_DATATYPE || type == KS__H5_FILL_OLD || type == KS__H5_FILL ||
           type == KS__H5_FILTERS || type == KS__H5_ATTRIBUTE;
}

static ks_code check_flags(header *h, uint64_t at, unsigned type, unsigned flags) {
    if (flags <= 1) // nothing, or that the message is constant
        return KS_OK;
    bool unknown = type >= KS__H5_MESSAGE_TYPES || type == KS__H5_BOGUS;
    if (unknown && (flags & FAIL_ALWAYS))
        return ks__h5_fail(h->self, KS_E_HDF5_MESSAGE_UNKNOWN, at, "expected a known message, found type %u", type);
    if (((flags & KS__H5_MESSAGE_IS_SHARED) && (flags & DONT_SHARE)) ||
        ((flags & WAS_UNKNOWN) && ((flags & FAIL_ON_WRITE) || !(flags & MARK))) ||
        (!unknown && (flags & (KS__H5_MESSAGE_IS_SHARED | SHAREABLE)) && !may_be_shared(type)))
        return ks__h5_fail(h->self, KS_E_HDF5_MESSAGE, at, "expected possible flags of message type %u, found 0x%02X",
                           type, flags);
    return KS_OK;
}

/// How many links lead to the object: version 0, count 4. Only headers of version 2 have it, and nothing here needs it.
static ks_code check_reference_count(header *h, ks_reader reader) {
    uint64_t at = reader.at;
    unsigned version = ks_read_u8(&reader);
    ks_read_skip(&reader, 4);
    if (h->version == 1 || reader.failed || version != 0)
        return ks__h5_fail(h->self, KS_E_HDF5_MESSAGE, at,
                           "expected a reference count of version 0 in a header of version 2, found another");
    return KS_OK;
}

/// A message whose body begins at `at`, with `left` bytes to its chunk's end.
static ks_code add_message(header *h, uint64_t at, uint64_t left, unsigned type, unsigned flags, uint64_t size) {
    ks__h5 *self = h->self;
    if (size > left)
        return ks__h5_fail(self, KS_E_HDF5_MESSAGE, at, "expected a message of %llu bytes, found the end of its chunk",
                           (unsigned long long)size);
    if (h->version == 1 && size % 8 != 0)
        return ks__h5_fail(self, KS_E_HDF5_MESSAGE, at, "expected a size that 8 divides, found %llu",
                           (unsigned long long)size);
    ks_code code = check_flags(h, at, type, flags);
    if (code == KS_OK && type == KS__H5_REFERENCE_COUNT)
        code = check_reference_count(h, ks__h5_reader(self, (ks__h5_span){at, size}));
    if (code != KS_OK || type == KS__H5_NIL)
        return code;
    h->types |= type < 32 ? (uint32_t)1 << type : 0;
    if (h->n_messages == self->scratch_capacity && (code = grow_scratch(self)) != KS_OK)
        return code;
    self->scratch[h->n_messages++] = (ks__h5_message){at, (uint32_t)size, (uint16_t)type, (uint8_t)flags};
    return KS_OK;
}

/// The messages of one chunk, which lies inside the file.
static ks_code read_chunk(header *h, ks__h5_span chunk) {
    const ks__h5 *self = h->self;
    size_t header_size = h->message_header_size;
    size_t type_size = h->version == 1 ? 2 : 1;
    uint64_t end = chunk.at + chunk.size;
    h->chunk_total += chunk.size;
    if (h->chunk_total > h->self->bytes.size)
        return ks__h5_fail(h->self, KS_E_HDF5_CYCLE, chunk.at,
                           "expected chunks of a header apart, found them overlapping");
    for (uint64_t at = chunk.at; at < end;) {
        if (end - at < header_size) {
            if (h->version == 2 && at != chunk.at)
                return KS_OK; // a gap
            return ks__h5_fail(h->self, KS_E_HDF5_MESSAGE, at, "expected a message, found %llu bytes",
                               (unsigned long long)(end - at));
        }
        uint32_t head = (uint32_t)ks__h5_field(self, at, 4);
        unsigned type = type_size == 2 ? head & 0xffff : head & 0xff;
        uint64_t size = type_size == 2 ? head >> 16 : head >> 8 & 0xffff;
        unsigned flags = (unsigned)ks__h5_field(self, at + type_size + 2, 1);
        at += header_size;
        ks_code code = add_message(h, at, end - at, type, flags, size);
        if (code != KS_OK)
            return code;
        at += size;
    }
    return KS_OK;
}

static ks_code read_continuation(header *h, const ks__h5_message *message) {
    ks__h5 *self = h->self;
    ks_reader reader = ks__h5_reader(self, ks__h5_message_span(message));
    uint64_t at = ks__h5_address(self, &reader);
    uint64_t size = ks__h5_length(self, &reader);
    if (reader.failed || size == 0)
        return ks__h5_fail(self, KS_E_HDF5_MESSAGE, message->at, "expected a continuation's address and size");
    ks_code code = ks__h5_need(self, at, size, "a continued object header");
    if (code != KS_OK)
        return code;
    code = ks__h5_claim(self, at, "a continued object header");
    if (code != KS_OK)
        return code;
    if (h->version == 1)
        return read_chunk(h, (ks__h5_span){at, size});
    if (size < 8)
        return ks__h5_fail(self, KS_E_HDF5_HEADER, message->at,
                           "expected 8 bytes of a continuation or more, found %llu", (unsigned long long)size);
    code = ks__h5_signature(self, at, "OCHK");
    if (code == KS_OK)
        code = ks__h5_checksum(self, at, size - 4, "a continued object header");
    return code == KS_OK ? read_chunk(h, (ks__h5_span){at + 4, size - 8}) : code;
}

static ks_code read_version1(header *h) {
    ks__h5 *self = h->self;
    ks_code code = ks__h5_need(self, h->address, 16, "an object header");
    if (code != KS_OK)
        return code;
    ks_reader reader = ks__h5_reader(self, (ks__h5_span){h->address, 16});
    ks_read_skip(&reader, 2);
    h->n_announced = ks_read_u16(&reader);
    ks_read_skip(&reader, 4);
    uint64_t size = ks_read_u32(&reader);
    if (h->n_announced ? size < 8 : size > 0)
        return ks__h5_fail(self, KS_E_HDF5_HEADER, h->address, "expected room for %zu messages, found %llu bytes",
                           h->n_announced, (unsigned long long)size);
    code = ks__h5_need(self, h->address + 16, size, "an object header");
    h->message_header_size = 8;
    return code == KS_OK ? read_chunk(h, (ks__h5_span){h->address + 16, size}) : code;
}

static ks_code read_version2(header *h) {
    ks__h5 *self = h->self;
    ks_reader reader = ks_reader_from(self->bytes, (size_t)h->address + 4);
    unsigned version = ks_read_u8(&reader);
    h->flags = ks_read_u8(&reader);
    if (!reader.failed && version != 2)
        return ks__h5_fail(self, KS_E_HDF5_VERSION, h->address, "expected an object header of version 2, found %u",
                           version);
    if (h->flags & 0xC0)
        return ks__h5_fail(self, KS_E_HDF5_HEADER, h->address, "expected known flags, found 0x%02X", h->flags);
    if (h->flags & 0x20)
        ks_read_skip(&reader, 16);
    if (h->flags & 0x10) {
        unsigned most_compact = ks_read_u16(&reader);
        unsigned least_dense = ks_read_u16(&reader);
        if (most_compact < least_dense)
            return ks__h5_fail(self, KS_E_HDF5_HEADER, h->address,
                               "expected attributes in a heap from %u on at most, found %u", most_compact, least_dense);
    }
    uint64_t size = ks_read_uint(&reader, (size_t)1 << (h->flags & 3));
    if (reader.failed)
        return ks__h5_fail(self, KS_E_HDF5_ADDRESS, h->address, "expected an object header, found the end of the file");
    uint64_t at = reader.at;
    ks_code code = ks__h5_need(self, at, size, "an object header");
    if (code == KS_OK)
        code = ks__h5_checksum(self, h->address, at + size - h->address, "an object header");
    h->message_header_size = h->flags & 0x04 ? 6 : 4;
    return code == KS_OK ? read_chunk(h, (ks__h5_span){at, size}) : code;
}

static ks_code read_header(header *h) {
    ks__h5 *self = h->self;
    ks_code code = ks__h5_need(self, h->address, 4, "an object header");
    if (code != KS_OK)
        return code;
    if (ks__h5_set_has(&self->claimed, h->address))
        return ks__h5_fail(self, KS_E_HDF5_CYCLE, h->address,
                           "expected an object header, found a part of another structure");
    const uint8_t *p = self->bytes.data + h->address;
    if (memcmp(p, "OHDR", 4) == 0) {
        h->version = 2;
        code = read_version2(h);
    } else if (p[0] == 1) {
        h->version = 1;
        code = read_version1(h);
    } else {
        code = ks__h5_fail(self, KS_E_HDF5_SIGNATURE, h->address, "expected an object header, found bytes %02X %02X",
                           p[0], p[1]);
    }
    // Continuations are followed in the order in which they are found, also inside each other.
    for (size_t i = 0; i < h->n_messages && code == KS_OK; i++)
        if (self->scratch[i].type == KS__H5_CONTINUATION) {
            ks__h5_message message = self->scratch[i]; // the array may move
            code = read_continuation(h, &message);
        }
    const uint32_t groups = (uint32_t)1 << KS__H5_SYMBOL_TABLE | (uint32_t)1 << KS__H5_LINK_INFO;
    if (code == KS_OK && (h->types & groups) == groups)
        return ks__h5_fail(self, KS_E_HDF5_OBJECT, h->address, "expected one list of links, found two");
    return code;
}

// --- the table of objects --------------------------------------------------------------------------------------------

static ks__h5_object **bucket_of(const ks__h5 *self, uint64_t address) {
    return &self->buckets[(size_t)((address * 0x9E3779B97F4A7C15U) >> 32) & (self->n_buckets - 1)];
}

static ks_code grow_buckets(ks__h5 *self) {
    size_t n_old = self->n_buckets;
    ks__h5_object **old = self->buckets;
    size_t count = n_old ? n_old * 4 : FIRST_BUCKETS;
    ks__h5_object **larger = ks_arena_get(&self->arena, count, sizeof *larger);
    if (!larger)
        return self->base.context->error.code;
    self->buckets = larger;
    self->n_buckets = count;
    for (size_t i = 0; i < n_old; i++) {
        for (ks__h5_object *o = old[i], *next = NULL; o; o = next) {
            ks__h5_object **bucket = bucket_of(self, o->address);
            next = o->next;
            o->next = *bucket;
            *bucket = o;
        }
    }
    return KS_OK;
}

/// Keeps what was read: the messages, without the continuations among them.
static ks_code keep(ks__h5_object **out, const header *h) {
    ks__h5 *self = h->self;
    ks_context *context = self->base.context;
    if (self->n_objects >= context->limits.hdf5_objects)
        return ks__h5_fail(self, KS_E_OVER_COUNT, h->address, "expected at most %llu objects, found more",
                           (unsigned long long)context->limits.hdf5_objects);
    if (self->n_objects >= self->n_buckets) {
        ks_code code = grow_buckets(self);
        if (code != KS_OK)
            return code;
    }
    ks__h5_object *object = ks_arena_get(&self->arena, 1, sizeof *object);
    ks__h5_message *messages = ks_arena_room(&self->arena, h->n_messages, sizeof *messages);
    if (!object || !messages)
        return context->error.code;
    for (size_t i = 0; i < h->n_messages; i++)
        if (self->scratch[i].type != KS__H5_CONTINUATION)
            messages[object->n_messages++] = self->scratch[i];
    object->address = h->address;
    object->types = h->types & ~((uint32_t)1 << KS__H5_CONTINUATION);
    object->version = (uint8_t)h->version;
    object->messages = messages;
    ks__h5_object **bucket = bucket_of(self, h->address);
    object->next = *bucket;
    *bucket = object;
    self->n_objects++;
    *out = object;
    return KS_OK;
}

static ks__h5_object *known_object(const ks__h5 *self, uint64_t address) {
    for (ks__h5_object *o = self->n_buckets ? *bucket_of(self, address) : NULL; o; o = o->next)
        if (o->address == address)
            return o;
    return NULL;
}

bool ks__h5_object_is_known(const ks__h5 *self, uint64_t address) {
    return known_object(self, address) != NULL;
}

/// Apart from ks__h5_object_get, which mostly knows the object and then saves no registers.
#if defined(__GNUC__)
__attribute__((noinline))
#endif
static ks_code
read_object(ks__h5_object **out, ks__h5 *self, uint64_t address) {
    header h = {.self = self, .address = address};
    ks_code code = read_header(&h);
    return code == KS_OK ? keep(out, &h) : code;
}

ks_code ks__h5_object_get(ks__h5_object **out, ks__h5 *self, uint64_t address) {
    *out = known_object(self, address);
    return *out ? KS_OK : read_object(out, self, address);
}

// A committed datatype is nothing but its message, so that must be one.
static ks_code check_named_type(ks_hdf5_object_type *out, ks__h5 *self, const ks__h5_object *object) {
    const ks__h5_message *message = ks__h5_find_message(object, KS__H5_DATATYPE);
    ks__h5_type type;
    *out = KS_HDF5_NAMED_TYPE;
    if (message->flags & KS__H5_MESSAGE_IS_SHARED)
        return ks__h5_fail(self, KS_E_HDF5_MESSAGE_SHARED, message->at,
                           "expected a datatype of its own, found a shared one");
    return ks__h5_type_parse(&type, self, ks__h5_message_span(message));
}

ks_code ks__h5_object_type(ks_hdf5_object_type *out, ks__h5 *self, const ks__h5_object *object) {
    bool has_type = ks__h5_has_message(object, KS__H5_DATATYPE);
    if (ks__h5_is_group(object))
        *out = KS_HDF5_GROUP;
    else if (has_type && ks__h5_has_message(object, KS__H5_DATASPACE))
        *out = KS_HDF5_DATASET;
    else if (has_type)
        return check_named_type(out, self, object);
    else
        return ks__h5_fail(self, KS_E_HDF5_OBJECT, object->address,
                           "expected the messages of a group, a dataset or a datatype, found neither");
    return KS_OK;
}

ks_code ks__h5_shared_span(ks__h5_span *out, ks__h5 *self, ks__h5_span body, bool shared, unsigned type) {
    *out = body;
    if (!shared)
        return KS_OK;
    ks_reader reader = ks__h5_reader(self, body);
    unsigned version = ks_read_u8(&reader);
    unsigned kind = ks_read_u8(&reader);
    if (version == 1)
        ks_read_skip(&reader, 6 + self->length_size);
    uint64_t address = ks__h5_address(self, &reader);
    if (version == 0 || version > 3)
        return ks__h5_fail(self, KS_E_HDF5_VERSION, body.at, "expected a shared message of version 1 to 3, found %u",
                           version);
    if ((version == 3 && kind != COMMITTED) || (version == 2 && kind == IN_TABLE))
        return ks__h5_fail(self, KS_E_HDF5_MESSAGE_SHARED, body.at,
                           "expected a message in an object's header, found one in another place (%u)", kind);
    if (reader.failed)
        return ks__h5_fail(self, KS_E_HDF5_MESSAGE, body.at, "expected the address of a shared message");
    ks__h5_object *object = NULL;
    ks_code code = ks__h5_object_get(&object, self, address);
    if (code != KS_OK)
        return code;
    if (type == KS__H5_DATATYPE && (ks__h5_is_group(object) || ks__h5_find_message(object, KS__H5_DATASPACE)))
        return ks__h5_fail(self, KS_E_HDF5_OBJECT, body.at, "expected a committed datatype, found another object");
    const ks__h5_message *message = ks__h5_find_message(object, type);
    if (!message || (message->flags & KS__H5_MESSAGE_IS_SHARED))
        return ks__h5_fail(self, KS_E_HDF5_MESSAGE_MISSING, address, "expected a message of type %u in this header",
                           type);
    *out = ks__h5_message_span(message);
    return KS_OK;
}
