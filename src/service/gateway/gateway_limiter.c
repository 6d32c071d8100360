#include "service/gateway/gateway_limiter.h"

#include "base/assert.h"
#include "base/fault.h"

#include <pthread.h>
#include <stdlib.h>

struct asker {
        uint64_t key;
        int64_t tat;
};

struct limiter {
        struct asker *askers;
        struct limiter_lock {
                _Alignas(64) pthread_mutex_t mutex;
        } locks[GATEWAY_LOCKS];
};

int limiter_new(struct limiter **ret_limiter) {
        struct limiter *limiter = aligned_alloc(64, sizeof *limiter);
        if (!limiter)
                return -ENOMEM;
        limiter->askers = calloc(GATEWAY_ASKERS_MAX, sizeof *limiter->askers);
        if (!limiter->askers) {
                free(limiter);
                return -ENOMEM;
        }
        for (unsigned i = 0; i < GATEWAY_LOCKS; i++)
                pthread_mutex_init(&limiter->locks[i].mutex, NULL);
        *ret_limiter = limiter;
        return 0;
}

struct limiter *limiter_free(struct limiter *limiter) {
        if (!limiter)
                return NULL;
        for (unsigned i = 0; i < GATEWAY_LOCKS; i++)
                pthread_mutex_destroy(&limiter->locks[i].mutex);
        free(limiter->askers);
        free(limiter);
        return NULL;
}

/* The asker's own place, or the one to give him. */
static struct asker *asker_of(struct asker *set, uint64_t key) {
        struct asker *oldest = &set[0];
        for (unsigned i = 0; i < GATEWAY_ASKER_WAYS; i++) {
                if (set[i].key == key)
                        return &set[i];
                if (set[i].tat < oldest->tat)
                        oldest = &set[i];
        }
        *oldest = (struct asker){.key = key};
        return oldest;
}

int64_t limiter_admit(struct limiter *limiter, const struct gcra *gcra, uint64_t key, int64_t now_us) {
        PRE(key != 0);
        uint64_t set = key % (GATEWAY_ASKERS_MAX / GATEWAY_ASKER_WAYS);
        pthread_mutex_t *mutex = &limiter->locks[set % GATEWAY_LOCKS].mutex;
        pthread_mutex_lock(mutex);
        int64_t wait = gcra_admit(gcra, &asker_of(&limiter->askers[set * GATEWAY_ASKER_WAYS], key)->tat, now_us);
        pthread_mutex_unlock(mutex);
        return wait;
}
