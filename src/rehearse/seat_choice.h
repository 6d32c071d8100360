/* seat_choice.h: the buyers' common idea of which seats are free, as they would see it on the seat map.
 *
 * Groups of neighbours, shuffled, are handed out one after the other, so that buyers seldom want the same seat; what
 * comes back, and what the server's board shows as free, is handed out again. The idea may be wrong: the server
 * decides. */
#ifndef TICKETRUSH_REHEARSE_SEAT_CHOICE_H
#define TICKETRUSH_REHEARSE_SEAT_CHOICE_H

#include "base/text.h"

struct seat_choice {
        uint32_t seats, free_count;
        uint32_t *free;   /* a stack; entries that are claimed meanwhile are skipped */
        uint8_t *claimed; /* wanted, held or bought by one of ours */
        char *states;     /* as the server's board showed them: A available, H held, S sold, B blocked */
};

/* false: no memory. */
bool seat_choice_init(struct seat_choice *choice, uint32_t seats, uint32_t group, uint64_t seed);
void seat_choice_deinit(struct seat_choice *choice);
/* Claims n seats; false: not that many are known to be free. */
bool seat_choice_take(struct seat_choice *choice, uint32_t n, uint32_t *ret_seats);
/* Any n different seats, claimed by nobody in particular (a clash on purpose). n is at most the number of seats. */
void seat_choice_any(const struct seat_choice *choice, uint32_t n, uint64_t random, uint32_t *ret_seats);
void seat_choice_claim(struct seat_choice *choice, const uint32_t *seats, uint32_t n);
/* Claimed no more; known_free: the next may have them, otherwise the board will tell. */
void seat_choice_drop(struct seat_choice *choice, const uint32_t *seats, uint32_t n, bool known_free);
/* What the server's board shows of a seat. */
void seat_choice_see(struct seat_choice *choice, uint32_t seat, char state);
/* Hands out anew what the board shows as available. Returns how many seats are neither sold nor blocked. */
uint32_t seat_choice_renew(struct seat_choice *choice);

/* A number that depends on nothing but these two (SplitMix64). */
uint64_t mix_random(uint64_t seed, uint64_t n);

#endif
