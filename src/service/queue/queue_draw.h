/* queue_draw.h: the drawn order of a lobby: a pure function of the seed and the entry numbers.
 *
 * Everybody's key is SHA-256(seed || entry number as 8 bytes big endian); the smallest key is first. The seed's own
 * SHA-256 was published before the first could enter, so nobody could choose the order, and anyone can recompute it. */
#ifndef TICKETRUSH_SERVICE_QUEUE_DRAW_H
#define TICKETRUSH_SERVICE_QUEUE_DRAW_H

#include "port/crypto.h"

enum { DRAW_SEED_BYTES = 32 };

void draw_key(uint8_t out[static CRYPTO_HASH_BYTES], const uint8_t seed[static DRAW_SEED_BYTES], uint32_t number);
/* Numbers 1 … last of which those with ranks[number - 1] != 0 take part. Afterwards order[0 … n) has their numbers, first
 * one first, and ranks their ranks 1 … n; *ret_count is n. order has room for all who take part. -ENOMEM changes nothing. */
int draw_order(const uint8_t seed[static DRAW_SEED_BYTES], uint32_t *ranks, uint32_t last, uint32_t *order, uint32_t *ret_count);

#endif
