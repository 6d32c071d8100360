/* gateway_limiter.h: who has asked how often: one number per asker (gateway_rules.h), in a bounded table.
 *
 * 65,536 places, four to a set (one cache line), shared by all loops because one account may have connections on several;
 * a lock covers every 64th set. A full set forgets whoever is nearest to having his burst back. */
#ifndef TICKETRUSH_SERVICE_GATEWAY_LIMITER_H
#define TICKETRUSH_SERVICE_GATEWAY_LIMITER_H

#include "service/gateway/gateway_rules.h"

enum { GATEWAY_ASKERS_MAX = 65536, GATEWAY_ASKER_WAYS = 4, GATEWAY_LOCKS = 64 };

struct limiter;

int limiter_new(struct limiter **ret_limiter);
struct limiter *limiter_free(struct limiter *limiter);
/* As gcra_admit for the asker whose hashed name is key (not 0). Any thread. */
int64_t limiter_admit(struct limiter *limiter, const struct gcra *gcra, uint64_t key, int64_t now_us);

#endif
