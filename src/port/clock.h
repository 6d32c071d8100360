/* clock.h: the time of day, and waiting. The simulator brings its own. */
#ifndef TICKETRUSH_PORT_CLOCK_H
#define TICKETRUSH_PORT_CLOCK_H

#include <stdint.h>

struct clock {
        /* Milliseconds since 1970-01-01T00:00:00Z. Never steps back within a process. Thread-safe, never blocks. */
        int64_t (*now_ms)(struct clock *clock);
        /* Microseconds since some moment, to measure how long something took; NULL: nothing is measured. */
        int64_t (*now_us)(struct clock *clock);
};

#endif
