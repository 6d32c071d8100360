#include "service/gateway/gateway_service.h"

#include "base/assert.h"
#include "base/fault.h"
#include "port/random.h"
#include "service/gateway/gateway_limiter.h"
#include "service/gateway/gateway_tokens.h"

#include <stdatomic.h>
#include <stdlib.h>

struct gateway_loop {
        _Alignas(64) _Atomic(const void *) owner; /* NULL: nobody's yet */
        struct token_table tokens;                /* the owner's thread only */
};

struct gateway {
        const struct token_key *key;
        struct clock *clock;
        struct gateway_limit limits[LIMIT_CLASSES];
        struct gcra rates[LIMIT_CLASSES];
        uint64_t seed; /* so that nobody can aim at a place of the limiter */
        struct limiter *limiter;
        unsigned loop_count;
        struct gateway_loop loops[];
};

static int gateway_fill(struct gateway *gateway, const struct gateway_config *config) {
        for (unsigned i = 0; i < LIMIT_CLASSES; i++) {
                gateway->limits[i] = config->limits[i];
                if (gateway->limits[i].per_minute)
                        gateway->rates[i] = gcra_of(gateway->limits[i].per_minute, gateway->limits[i].burst);
        }
        uint8_t hash_key[CRYPTO_SHORT_HASH_KEY_BYTES];
        struct random_source *random = crypto_random();
        random->fill(random, hash_key, sizeof hash_key);
        random->fill(random, &gateway->seed, sizeof gateway->seed);
        int fault = limiter_new(&gateway->limiter);
        while (!fault && gateway->loop_count < config->loops) {
                fault = token_table_init(&gateway->loops[gateway->loop_count].tokens, GATEWAY_TOKENS_MAX, hash_key);
                if (!fault)
                        gateway->loop_count++;
        }
        return fault;
}

int gateway_new(struct gateway **ret_gateway, const struct gateway_config *config) {
        PRE(config->loops > 0);
        size_t bytes = sizeof(struct gateway) + config->loops * sizeof(struct gateway_loop);
        struct gateway *gateway = aligned_alloc(64, (bytes + 63) / 64 * 64);
        if (!gateway)
                return -ENOMEM;
        memset(gateway, 0, bytes);
        gateway->key = config->key;
        gateway->clock = config->clock;
        int fault = gateway_fill(gateway, config);
        if (fault) {
                gateway_free(gateway);
                return fault;
        }
        *ret_gateway = gateway;
        return 0;
}

struct gateway *gateway_free(struct gateway *gateway) {
        if (!gateway)
                return NULL;
        for (unsigned i = 0; i < gateway->loop_count; i++)
                token_table_deinit(&gateway->loops[i].tokens);
        limiter_free(gateway->limiter);
        free(gateway);
        return NULL;
}

/* A loop takes the first free place when it comes for the first time, and keeps it. */
static struct token_table *tokens_of(struct gateway *gateway, const void *loop) {
        for (unsigned i = 0; i < gateway->loop_count; i++) {
                const void *owner = atomic_load_explicit(&gateway->loops[i].owner, memory_order_relaxed);
                if (owner == loop || (!owner && atomic_compare_exchange_strong(&gateway->loops[i].owner, &owner, loop)))
                        return &gateway->loops[i].tokens;
        }
        IMPOSSIBLE("more loops than the gateway was configured for");
}

int gateway_identify(struct gateway *gateway, const void *loop, struct text token, struct token_claims *ret_claims) {
        int64_t now = gateway->clock->now_ms(gateway->clock);
        return token_table_verify(tokens_of(gateway, loop), gateway->key, token, now, ret_claims);
}

bool gateway_permits(enum access access, enum role role) {
        switch (access) {
        case ACCESS_PUBLIC:
        case ACCESS_ACCOUNT:
        case ACCESS_OPTIONAL:
                return true;
        case ACCESS_ORGANISER:
                return role == ROLE_ORGANISER || role == ROLE_OPERATOR;
        case ACCESS_GATE:
                return role == ROLE_GATE || role == ROLE_ORGANISER || role == ROLE_OPERATOR;
        case ACCESS_OPERATOR:
                return role == ROLE_OPERATOR;
        }
        IMPOSSIBLE("a route with an unknown access word");
}

int64_t gateway_pace(struct gateway *gateway, enum limit_class limit, account_id account, uint64_t address_hash) {
        PRE(limit < LIMIT_CLASSES);
        if (gateway->limits[limit].per_minute == 0)
                return 0;
        /* Signing in is counted by address: nobody is signed in yet, or that is what shall be stopped. */
        bool by_account = account != 0 && limit != LIMIT_SIGN_IN;
        uint64_t name[3] = {limit, by_account, by_account ? account : address_hash};
        uint64_t key = text_hash(name, sizeof name, gateway->seed);
        int64_t now_us = gateway->clock->now_ms(gateway->clock) * 1000;
        return limiter_admit(gateway->limiter, &gateway->rates[limit], key ? key : 1, now_us);
}

struct gateway_limit gateway_limit_of(const struct gateway *gateway, enum limit_class limit) {
        return gateway->limits[limit];
}
