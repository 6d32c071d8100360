/* clock_system.c: the system's clock, kept from stepping back.
 *
 * The time of day may be set back by its owner (NTP, an operator). Ids and deadlines must not follow, so the highest
 * time that was ever told is kept, for all threads, and told again until the clock has caught up. */
#include "adapter/system/clock_system.h"

#include "base/assert.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>

static int64_t now_ms(struct clock *clock) {
        (void)clock;
        static _Atomic int64_t told;
        struct timespec now;
        int r = clock_gettime(CLOCK_REALTIME, &now);
        POST(r == 0);
        int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
        int64_t highest = atomic_load_explicit(&told, memory_order_relaxed);
        while (highest < ms) {
                if (atomic_compare_exchange_weak_explicit(&told, &highest, ms, memory_order_relaxed,
                                                          memory_order_relaxed))
                        return ms;
        }
        return highest;
}

static int64_t now_us(struct clock *clock) {
        (void)clock;
        return clock_monotonic_us();
}

struct clock *clock_system(void) {
        static struct clock clock = {.now_ms = now_ms, .now_us = now_us};
        return &clock;
}

int64_t clock_monotonic_us(void) {
        struct timespec now;
        int r = clock_gettime(CLOCK_MONOTONIC, &now);
        POST(r == 0);
        return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void clock_sleep_ms(int64_t ms) {
        struct timespec rest = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
        while (ms > 0 && clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, &rest) == EINTR)
                ;
}
