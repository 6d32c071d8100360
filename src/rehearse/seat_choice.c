/* seat_choice.c: see seat_choice.h. */
#include "rehearse/seat_choice.h"

#include <stdlib.h>

#include "base/assert.h"

uint64_t mix_random(uint64_t seed, uint64_t n) {
        uint64_t mixed = seed + (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
        mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
        return mixed ^ (mixed >> 31);
}

/* Groups in shuffled order, the seats of a group side by side; the last group may be smaller and is taken last. */
static void fill_shuffled(struct seat_choice *choice, uint32_t group, uint64_t seed) {
        uint32_t groups = choice->seats / group, rest = choice->seats % group;
        for (uint32_t i = 0; i < rest; i++)
                choice->free[i] = groups * group + i;
        uint32_t *first = choice->free + rest;
        for (uint32_t i = 0; i < groups; i++)
                first[i * group] = i * group;
        for (uint32_t i = groups; i > 1; i--) {
                uint32_t other = (uint32_t)(mix_random(seed, i) % i), seat = first[(i - 1) * group];
                first[(i - 1) * group] = first[other * group];
                first[other * group] = seat;
        }
        for (uint32_t i = 0; i < groups; i++)
                for (uint32_t j = group; j-- > 0;)
                        first[i * group + j] = first[i * group] + (group - 1 - j);
        choice->free_count = choice->seats;
}

bool seat_choice_init(struct seat_choice *choice, uint32_t seats, uint32_t group, uint64_t seed) {
        PRE(seats > 0 && group > 0);
        *choice = (struct seat_choice){.seats = seats};
        choice->free = calloc(seats, sizeof *choice->free);
        choice->claimed = calloc(seats, 1);
        choice->states = malloc(seats);
        if (!choice->free || !choice->claimed || !choice->states) {
                seat_choice_deinit(choice);
                return false;
        }
        memset(choice->states, 'A', seats);
        fill_shuffled(choice, group, seed);
        return true;
}

void seat_choice_deinit(struct seat_choice *choice) {
        free(choice->free);
        free(choice->claimed);
        free(choice->states);
        *choice = (struct seat_choice){0};
}

bool seat_choice_take(struct seat_choice *choice, uint32_t n, uint32_t *ret_seats) {
        uint32_t found = 0;
        while (found < n && choice->free_count) {
                uint32_t seat = choice->free[--choice->free_count];
                if (choice->claimed[seat])
                        continue;
                choice->claimed[seat] = 1;
                ret_seats[found++] = seat;
        }
        if (found == n)
                return true;
        seat_choice_drop(choice, ret_seats, found, true);
        return false;
}

void seat_choice_any(const struct seat_choice *choice, uint32_t n, uint64_t random, uint32_t *ret_seats) {
        PRE(n <= choice->seats);
        uint32_t first = (uint32_t)(random % choice->seats);
        for (uint32_t i = 0; i < n; i++)
                ret_seats[i] = (first + i) % choice->seats;
}

void seat_choice_claim(struct seat_choice *choice, const uint32_t *seats, uint32_t n) {
        for (uint32_t i = 0; i < n; i++)
                choice->claimed[seats[i]] = 1;
}

void seat_choice_drop(struct seat_choice *choice, const uint32_t *seats, uint32_t n, bool known_free) {
        for (uint32_t i = 0; i < n; i++) {
                choice->claimed[seats[i]] = 0;
                if (known_free && choice->free_count < choice->seats)
                        choice->free[choice->free_count++] = seats[i];
        }
}

void seat_choice_see(struct seat_choice *choice, uint32_t seat, char state) {
        if (seat < choice->seats)
                choice->states[seat] = state;
}

uint32_t seat_choice_renew(struct seat_choice *choice) {
        uint32_t left = 0;
        choice->free_count = 0;
        for (uint32_t seat = choice->seats; seat-- > 0;) {
                char state = choice->states[seat];
                left += state == 'A' || state == 'H';
                if (state == 'A' && !choice->claimed[seat])
                        choice->free[choice->free_count++] = seat;
        }
        return left;
}
