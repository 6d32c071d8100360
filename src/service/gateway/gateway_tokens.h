/* gateway_tokens.h: tokens that have been verified once, remembered.
 *
 * A table of 131,072 places, four to a set (two cache lines), found by a 128-bit keyed hash of the token's text: nobody
 * can aim at a set, and nobody can find a text that is taken for another. A full set forgets the token that ends first.
 * One loop owns a table, so there is no lock. Untouched pages cost no memory. */
#ifndef TICKETRUSH_SERVICE_GATEWAY_TOKENS_H
#define TICKETRUSH_SERVICE_GATEWAY_TOKENS_H

#include "base/metrics.h"
#include "port/crypto.h"
#include "service/user/user.h"

enum { GATEWAY_TOKENS_MAX = 131072, GATEWAY_TOKEN_WAYS = 4 };

struct token_place;

struct token_table {
        struct token_place *places;
        size_t sets;
        uint8_t hash_key[CRYPTO_SHORT_HASH_KEY_BYTES];
};

extern struct metric tokens_verified; /* how often a signature had to be checked */

/* `places` is a multiple of GATEWAY_TOKEN_WAYS: GATEWAY_TOKENS_MAX, but fewer in tests. */
int token_table_init(struct token_table *table, size_t places, const uint8_t hash_key[static CRYPTO_SHORT_HASH_KEY_BYTES]);
void token_table_deinit(struct token_table *table);
/* As token_verify, but a token that was seen before costs a look. */
int token_table_verify(struct token_table *table, const struct token_key *key, struct text token, int64_t now,
                       struct token_claims *ret_claims);

#endif
