// SPDX-License-Identifier: Apache-2.0
//
// Lists of words in the tables of old and new names: "axis newshape=shape initial!", one space between two.
#ifndef KASSAY_CONFIG_WORD_LIST_H
#define KASSAY_CONFIG_WORD_LIST_H

#include <string.h>

#include <kassay/text.h>

/// Takes the first word off the list; false when there is none.
static inline bool ks__next_word(ks_text *word, const char **list) {
    *word = (ks_text){*list, strcspn(*list, " ")};
    *list += word->size + strspn(*list + word->size, " ");
    return word->size > 0;
}

/// Word number `index`, from 0; false when there are fewer.
static inline bool ks__word_at(ks_text *word, const char *list, size_t index) {
    while (ks__next_word(word, &list))
        if (index-- == 0)
            return true;
    return false;
}

/// The word that is `key`, or that begins with it and a sign: `*rest` is the sign and what follows. False when there is
/// none.
static inline bool ks__find_word(ks_text *rest, const char *list, ks_text key) {
    ks_text word;
    while (ks__next_word(&word, &list)) {
        size_t size = strcspn(word.data, " =~>-");
        *rest = (ks_text){word.data + size, word.size - size};
        if (size == key.size && memcmp(word.data, key.data, size) == 0)
            return true;
    }
    *rest = (ks_text){"", 0};
    return false;
}

#endif
