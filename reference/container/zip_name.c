// SPDX-License-Identifier: Apache-2.0
//
// Names of zip members: UTF-8 when the entry says so, else code page 437; and which names are safe to extract.
#include <string.h>

#include "container/zip_internal.h"

// Unicode of the upper half of code page 437, as Python's cp437 codec has it.
static const uint16_t code_page_437[128] = {
    0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee,
    0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9, 0x00ff, 0x00d6,
    0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa,
    0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb, 0x2591, 0x2592, 0x2593, 0x2502,
    0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514,
    0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550,
    0x256c, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c,
    0x2588, 0x2584, 0x258c, 0x2590, 0x2580, 0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4,
    0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320,
    0x2321, 0x00f7, 0x2248, 0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0};

static bool is_utf8(ks_bytes text) {
    for (size_t i = 0; i < text.size;) {
        uint8_t c = text.data[i];
        size_t extra = c < 0x80                ? 0
                       : c >= 0xc2 && c < 0xe0 ? 1
                       : c >= 0xe0 && c < 0xf0 ? 2
                       : c >= 0xf0 && c < 0xf5 ? 3
                                               : 9;
        if (extra == 9 || extra >= text.size - i)
            return false;
        for (size_t k = 1; k <= extra; k++)
            if ((text.data[i + k] & 0xc0) != 0x80)
                return false;
        if ((c == 0xe0 && text.data[i + 1] < 0xa0) || (c == 0xed && text.data[i + 1] >= 0xa0) ||
            (c == 0xf0 && text.data[i + 1] < 0x90) || (c == 0xf4 && text.data[i + 1] >= 0x90))
            return false;
        i += extra + 1;
    }
    return true;
}

ks_code ks__zip_decode_name(ks__zip *z, ks_text *out, ks_bytes raw, bool utf8, uint64_t offset) {
    char *text;
    size_t size = 0;
    if (raw.size == 0 || memchr(raw.data, 0, raw.size))
        return ks__zip_fail(z, KS_E_ZIP_NAME, offset, NULL, "a member's name is empty or holds NUL");
    if (utf8 && !is_utf8(raw))
        return ks__zip_fail(z, KS_E_ZIP_NAME, offset, NULL, "a member's name is marked as UTF-8 and is not");
    text = ks_arena_get(&z->arena, 3 * raw.size + 1, 1);
    if (!text)
        return z->base.context->error.code;
    for (size_t i = 0; i < raw.size; i++) {
        uint16_t code = raw.data[i];
        if (utf8 || code < 0x80) {
            text[size++] = (char)code;
            continue;
        }
        code = code_page_437[code - 0x80];
        if (code < 0x800) {
            text[size++] = (char)(0xc0 | code >> 6);
        } else {
            text[size++] = (char)(0xe0 | code >> 12);
            text[size++] = (char)(0x80 | (code >> 6 & 0x3f));
        }
        text[size++] = (char)(0x80 | (code & 0x3f));
    }
    *out = (ks_text){text, size};
    return KS_OK;
}

bool ks__name_is_safe(ks_text name) {
    size_t start = 0;
    if (name.data[0] == '/' || memchr(name.data, '\\', name.size))
        return false;
    if (name.size >= 2 && name.data[1] == ':')
        return false;
    for (size_t i = 0; i <= name.size; i++) {
        if (i < name.size && name.data[i] != '/')
            continue;
        if (i - start == 2 && name.data[start] == '.' && name.data[start + 1] == '.')
            return false;
        start = i + 1;
    }
    return true;
}
