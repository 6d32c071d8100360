/* queue_draw.c: see queue_draw.h. The first 8 bytes of a key decide nearly always; only if they are equal the whole
 * keys are made again, so a million people need 16 MB for a moment and not 40. */
#include "service/queue/queue_draw.h"

#include "base/assert.h"
#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

struct lot {
        uint64_t key;
        uint32_t number;
};

static uint64_t big_endian(const uint8_t *bytes) {
        uint64_t number = 0;
        for (unsigned i = 0; i < 8; i++)
                number = number << 8 | bytes[i];
        return number;
}

void draw_key(uint8_t out[static CRYPTO_HASH_BYTES], const uint8_t seed[static DRAW_SEED_BYTES], uint32_t number) {
        uint8_t text[DRAW_SEED_BYTES + 8] = {0};
        memcpy(text, seed, DRAW_SEED_BYTES);
        for (unsigned i = 0; i < 4; i++)
                text[DRAW_SEED_BYTES + 7 - i] = (uint8_t)(number >> 8 * i);
        crypto_sha256(out, text, sizeof text);
}

static int lot_compare(const void *a, const void *b, void *seed) {
        const struct lot *one = a, *other = b;
        if (one->key != other->key)
                return one->key < other->key ? -1 : 1;
        uint8_t whole_one[CRYPTO_HASH_BYTES], whole_other[CRYPTO_HASH_BYTES];
        draw_key(whole_one, seed, one->number);
        draw_key(whole_other, seed, other->number);
        return memcmp(whole_one, whole_other, CRYPTO_HASH_BYTES);
}

int draw_order(const uint8_t seed[static DRAW_SEED_BYTES], uint32_t *ranks, uint32_t last, uint32_t *order,
               uint32_t *ret_count) {
        struct lot *lots = malloc(((size_t)last + 1) * sizeof *lots);
        if (!lots)
                return -ENOMEM;
        uint32_t count = 0;
        for (uint32_t number = 1; number <= last; number++) {
                if (ranks[number - 1] == 0)
                        continue;
                uint8_t key[CRYPTO_HASH_BYTES];
                draw_key(key, seed, number);
                lots[count++] = (struct lot){big_endian(key), number};
        }
        uint8_t seed_copy[DRAW_SEED_BYTES];
        memcpy(seed_copy, seed, sizeof seed_copy);
        qsort_r(lots, count, sizeof *lots, lot_compare, seed_copy);
        for (uint32_t i = 0; i < count; i++) {
                order[i] = lots[i].number;
                ranks[lots[i].number - 1] = i + 1;
        }
        free(lots);
        *ret_count = count;
        return 0;
}
