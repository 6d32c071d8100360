/* random.h: unpredictable bytes. The simulator brings a seeded source. */
#ifndef TICKETRUSH_PORT_RANDOM_H
#define TICKETRUSH_PORT_RANDOM_H

#include <stddef.h>

struct random_source {
        /* Fills n bytes. Thread-safe, never blocks for long, never fails. */
        void (*fill)(struct random_source *source, void *bytes, size_t n);
};

#endif
