#include "service/gateway/gateway_rules.h"

#include "base/assert.h"

#define MINUTE_US INT64_C(60000000)

struct gcra gcra_of(uint32_t per_minute, uint32_t burst) {
        PRE(per_minute > 0);
        int64_t interval = MINUTE_US / per_minute;
        if (interval == 0)
                interval = 1;
        return (struct gcra){.interval_us = interval, .tolerance_us = burst > 1 ? interval * ((int64_t)burst - 1) : 0};
}

int64_t gcra_admit(const struct gcra *gcra, int64_t *tat, int64_t now) {
        int64_t expected = *tat > now ? *tat : now;
        int64_t wait = expected - gcra->tolerance_us - now;
        if (wait > 0)
                return wait;
        *tat = expected + gcra->interval_us;
        return 0;
}

uint32_t gcra_remaining(const struct gcra *gcra, int64_t tat, int64_t now) {
        int64_t ahead = tat > now ? tat - now : 0;
        int64_t room = gcra->tolerance_us - ahead;
        return room < 0 ? 0 : (uint32_t)(room / gcra->interval_us + 1);
}
