// SPDX-License-Identifier: Apache-2.0
//
// The source of random decisions of a generator. Every decision is recorded as a number, so that what was generated can
// be made again from the list, and made smaller by making the list smaller: 0 is always the simplest choice, and a list
// that ends early goes on with zeros.
#ifndef KASSAY_HARNESS_PROPERTY_CHOICES_H
#define KASSAY_HARNESS_PROPERTY_CHOICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KS_MAX_CHOICES 4096

typedef struct ks_choices {
    uint64_t state; ///< of the random numbers
    bool replaying; ///< decisions come from `list`
    size_t at;      ///< decisions made so far
    size_t count;   ///< decisions in `list`
    uint32_t list[KS_MAX_CHOICES];
} ks_choices;

void ks_choices_random(ks_choices *choices, uint64_t seed);
/// Starts again at the first decision, from the list.
void ks_choices_replay(ks_choices *choices);
/// A number below `n`; 0 when n is 0 or 1.
uint32_t ks_choose(ks_choices *choices, uint32_t n);
/// A number in [-1, 1), not recorded: for weights and inputs, which do not have to shrink.
double ks_trial_unit(uint64_t *state);

/// Makes `choices` as small as it can while `fails(argument, choices)` stays true. Runs it at most `budget` times.
void ks_choices_shrink(ks_choices *choices, bool (*fails)(void *argument, ks_choices *choices), void *argument,
                       size_t budget);

#endif
