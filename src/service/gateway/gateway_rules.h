/* gateway_rules.h: how often somebody may ask: the generic cell rate algorithm (GCRA), pure.
 *
 * One number per asker, the theoretical arrival time (TAT): when the last admitted request would have come if requests
 * came evenly. A request may come earlier than its TAT by the tolerance, which is what allows a burst. Times are
 * microseconds. A TAT that is over means "has not asked for long", so forgetting such an asker changes nothing. */
#ifndef TICKETRUSH_SERVICE_GATEWAY_RULES_H
#define TICKETRUSH_SERVICE_GATEWAY_RULES_H

#include <stdint.h>

struct gcra {
        int64_t interval_us;  /* between requests that come evenly */
        int64_t tolerance_us; /* how much earlier one may come */
};

/* per_minute > 0; burst 0 counts as 1. */
struct gcra gcra_of(uint32_t per_minute, uint32_t burst);
/* 0: admitted, *tat has moved; otherwise how long to wait, in microseconds, and nothing has changed. */
int64_t gcra_admit(const struct gcra *gcra, int64_t *tat, int64_t now);
/* How many more requests would be admitted at once. */
uint32_t gcra_remaining(const struct gcra *gcra, int64_t tat, int64_t now);

#endif
