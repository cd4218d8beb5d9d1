// SPDX-License-Identifier: Apache-2.0
#include "property/choices.h"

#include <string.h>

/// splitmix64: any seed is a good one.
static uint64_t next_number(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

void ks_choices_random(ks_choices *choices, uint64_t seed) {
    choices->state = seed;
    choices->replaying = false;
    choices->at = 0;
    choices->count = 0;
}

void ks_choices_replay(ks_choices *choices) {
    choices->replaying = true;
    choices->at = 0;
}

uint32_t ks_choose(ks_choices *choices, uint32_t n) {
    size_t at = choices->at++;
    uint32_t chosen = 0;
    if (n < 2)
        n = 1;
    if (choices->replaying)
        return at < choices->count ? choices->list[at] % n : 0;
    chosen = (uint32_t)(next_number(&choices->state) >> 33) % n;
    if (at < KS_MAX_CHOICES) {
        choices->list[at] = chosen;
        choices->count = at + 1;
        return chosen;
    }
    return 0; // a list cannot say more: the rest is as simple as can be
}

double ks_trial_unit(uint64_t *state) {
    return (double)(int64_t)next_number(state) * 0x1p-63;
}

// --- shrinking -------------------------------------------------------------------------------------------------------

typedef struct shrinking {
    ks_choices best;
    ks_choices trial;
    bool (*fails)(void *argument, ks_choices *choices);
    void *argument;
    size_t budget;
} shrinking;

/// Keeps the trial when it still fails. What it did not read is cut off.
static bool try_it(shrinking *state) {
    if (state->budget == 0)
        return false;
    state->budget--;
    ks_choices_replay(&state->trial);
    if (!state->fails(state->argument, &state->trial))
        return false;
    if (state->trial.at < state->trial.count)
        state->trial.count = state->trial.at;
    while (state->trial.count > 0 && state->trial.list[state->trial.count - 1] == 0)
        state->trial.count--;
    state->best = state->trial;
    return true;
}

static void remove_from(ks_choices *choices, size_t at, size_t size) {
    memmove(choices->list + at, choices->list + at + size, (choices->count - at - size) * sizeof choices->list[0]);
    choices->count -= size;
}

static bool remove_blocks(shrinking *state) {
    bool smaller = false;
    for (size_t size = state->best.count / 2; size > 0; size /= 2) {
        for (size_t at = 0; at + size <= state->best.count;) {
            state->trial = state->best;
            remove_from(&state->trial, at, size);
            if (try_it(state))
                smaller = true;
            else
                at += size;
        }
    }
    return smaller;
}

static bool lower_numbers(shrinking *state) {
    bool smaller = false;
    for (size_t at = 0; at < state->best.count; at++) {
        uint32_t tries[] = {0, state->best.list[at] / 2, state->best.list[at] - 1};
        for (size_t i = 0; i < 3 && at < state->best.count && state->best.list[at] > 0; i++) {
            if (tries[i] >= state->best.list[at])
                continue;
            state->trial = state->best;
            state->trial.list[at] = tries[i];
            if (try_it(state)) {
                smaller = true;
                break;
            }
        }
    }
    return smaller;
}

/// A lower number often asks for fewer decisions behind it: both at once.
static bool lower_and_remove(shrinking *state) {
    for (size_t at = 0; at < state->best.count; at++) {
        if (state->best.list[at] == 0)
            continue;
        for (size_t from = at + 1; from < state->best.count; from++) {
            for (size_t size = 1; size <= 6 && from + size <= state->best.count; size++) {
                state->trial = state->best;
                state->trial.list[at]--;
                remove_from(&state->trial, from, size);
                if (try_it(state))
                    return true;
            }
        }
    }
    return false;
}

void ks_choices_shrink(ks_choices *choices, bool (*fails)(void *argument, ks_choices *choices), void *argument,
                       size_t budget) {
    static shrinking state; // too large for a stack; property programs have one thread
    state = (shrinking){.best = *choices, .fails = fails, .argument = argument, .budget = budget};
    while (state.budget > 0) {
        bool removed = remove_blocks(&state);
        bool lowered = lower_numbers(&state);
        if (!removed && !lowered && !lower_and_remove(&state))
            break;
    }
    *choices = state.best;
}
