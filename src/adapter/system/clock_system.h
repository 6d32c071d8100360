/* clock_system.h: the clock port on the system's clock. */
#ifndef TICKETRUSH_ADAPTER_SYSTEM_CLOCK_SYSTEM_H
#define TICKETRUSH_ADAPTER_SYSTEM_CLOCK_SYSTEM_H

#include "port/clock.h"

/* One per process; never freed. */
struct clock *clock_system(void);
/* Monotonic microseconds, for measuring. */
int64_t clock_monotonic_us(void);
void clock_sleep_ms(int64_t ms);

#endif
