// SPDX-License-Identifier: Apache-2.0
//
// A whole `.keras` file, from the archive to ready weights. The mutator repairs the checksums of stored members, so
// that a change inside config.json or model.weights.h5 is not stopped at the door.
#include "common/fuzz_common.h"

#include <kassay/model.h>

#include <libdeflate.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ks_model_options options = {.format = "keras-v3"};
    ks_model *model = NULL;
    ks_context context;
    ks_code code;
    ks_fuzz_begin(&context, size);
    code = ks_model_load_bytes(&model, &context, (ks_bytes){data, size}, "input.keras", &options);
    ks_fuzz_check_error(&context, code, SIZE_MAX);
    for (size_t i = 0; model && i < ks_model_weight_count(model); i++) {
        ks_model_weight weight = ks_model_weight_at(model, i);
        uint64_t elements;
        ks_fuzz_assert(ks_shape_elements(&weight.tensor.shape, &elements));
        ks_fuzz_assert(weight.tensor.data || elements == 0);
    }
    ks_model_free(model);
    ks_fuzz_end(&context, size);
    return 0;
}

// --- the mutator ----------------------------------------------------------------------------------------------------

static uint32_t get(const uint8_t *data, size_t bytes) {
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint32_t)data[i] << (8 * i);
    return value;
}

static void put_crc(uint8_t *data, uint32_t crc) {
    for (size_t i = 0; i < 4; i++)
        data[i] = (uint8_t)(crc >> (8 * i));
}

// Writes the right CRC-32 into both headers of every stored member that can be found.
static void repair(uint8_t *data, size_t size) {
    for (size_t at = 0; at + 46 <= size; at++) {
        size_t stored, header, start;
        uint32_t crc;
        if (memcmp(data + at, "PK\1\2", 4) != 0 || get(data + at + 10, 2) != 0)
            continue;
        stored = get(data + at + 20, 4);
        header = get(data + at + 42, 4);
        if (header > size || size - header < 30 || memcmp(data + header, "PK\3\4", 4) != 0)
            continue;
        start = header + 30 + get(data + header + 26, 2) + get(data + header + 28, 2);
        if (start > size || stored > size - start)
            continue;
        crc = libdeflate_crc32(0, data + start, stored);
        put_crc(data + at + 16, crc);
        put_crc(data + header + 14, crc);
    }
}

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed) {
    // Mostly in place: a file whose members move has wrong offsets, which is one kind of damage among many.
    size_t changed = seed % 8 ? LLVMFuzzerMutate(data, size, size) : LLVMFuzzerMutate(data, size, max_size);
    if (seed % 16)
        repair(data, changed);
    return changed;
}
#else
// Replay does not mutate.
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed) {
    (void)max_size;
    (void)seed;
    repair(data, size);
    return size;
}
#endif
