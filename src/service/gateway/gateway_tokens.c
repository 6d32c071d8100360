#include "service/gateway/gateway_tokens.h"

#include "base/assert.h"
#include "base/fault.h"
#include "service/limits.h"

#include <sys/mman.h>

struct token_place {
        uint64_t key[2];
        account_id account;    /* 0: free */
        uint64_t end_and_role; /* expires_at << 8 | role: the token that ends first is the smallest */
};
_Static_assert(sizeof(struct token_place) == 32, "two places to a cache line");
_Static_assert(sizeof(uint64_t[2]) == CRYPTO_SHORT_HASH_BYTES, "a whole hash is kept");

struct metric tokens_verified = {.name = "ticketrush_tokens_verified_total",
                                 .help = "Access tokens whose signature had to be checked."};

static size_t table_bytes(const struct token_table *table) {
        return table->sets * GATEWAY_TOKEN_WAYS * sizeof(struct token_place);
}

int token_table_init(struct token_table *table, size_t places,
                     const uint8_t hash_key[static CRYPTO_SHORT_HASH_KEY_BYTES]) {
        PRE(places >= GATEWAY_TOKEN_WAYS && places % GATEWAY_TOKEN_WAYS == 0);
        struct token_table made = {.sets = places / GATEWAY_TOKEN_WAYS};
        /* mmap, because it promises pages that are not there before they are used; calloc may clear them. */
        void *memory = mmap(NULL, table_bytes(&made), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
                return -errno;
        made.places = memory;
        memcpy(made.hash_key, hash_key, sizeof made.hash_key);
        *table = made;
        return 0;
}

void token_table_deinit(struct token_table *table) {
        if (table->places)
                munmap(table->places, table_bytes(table));
        table->places = NULL;
}

static struct token_place *set_of(const struct token_table *table, const uint64_t key[static 2]) {
        return &table->places[key[0] % table->sets * GATEWAY_TOKEN_WAYS];
}

static const struct token_place *place_find(const struct token_place *set, const uint64_t key[static 2]) {
        for (unsigned i = 0; i < GATEWAY_TOKEN_WAYS; i++) {
                if (set[i].key[1] == key[1] && set[i].key[0] == key[0] && set[i].account)
                        return &set[i];
        }
        return NULL;
}

/* A free place, or the one whose token ends first. */
static struct token_place *place_to_fill(struct token_place *set) {
        struct token_place *chosen = &set[0];
        for (unsigned i = 0; i < GATEWAY_TOKEN_WAYS && chosen->account; i++) {
                if (!set[i].account || set[i].end_and_role < chosen->end_and_role)
                        chosen = &set[i];
        }
        return chosen;
}

int token_table_verify(struct token_table *table, const struct token_key *key, struct text token, int64_t now,
                       struct token_claims *ret_claims) {
        if (token.length > TOKEN_BYTES_MAX)
                return TOKEN_MALFORMED;
        uint64_t hash[2];
        crypto_short_hash((uint8_t *)hash, table->hash_key, token.at, token.length);
        struct token_place *set = set_of(table, hash);
        const struct token_place *known = place_find(set, hash);
        if (known) {
                int64_t expires_at = (int64_t)(known->end_and_role >> 8);
                if (now >= expires_at)
                        return TOKEN_EXPIRED;
                *ret_claims =
                        (struct token_claims){known->account, (enum role)(known->end_and_role & 0xff), expires_at};
                return TOKEN_OK;
        }

        metric_add(&tokens_verified, 1);
        struct token_claims claims;
        int outcome = token_verify(key, token, now, &claims);
        if (outcome != TOKEN_OK)
                return outcome;
        *place_to_fill(set) = (struct token_place){
                .key = {hash[0], hash[1]},
                .account = claims.account,
                .end_and_role = (uint64_t)claims.expires_at << 8 | claims.role,
        };
        *ret_claims = claims;
        return TOKEN_OK;
}
