/* histogram.h: latencies, counted in buckets that grow with the value, so that a quantile is within one percent.
 *
 * Log-linear, like an HDR histogram: values below 128 have a bucket each; above, every doubling is cut into 64 buckets.
 * Adding costs an increment, memory does not depend on the number of values. One thread. */
#ifndef TICKETRUSH_REHEARSE_HISTOGRAM_H
#define TICKETRUSH_REHEARSE_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 36 * 64 };
#define HISTOGRAM_VALUE_MAX ((INT64_C(1) << 41) - 1)

struct histogram {
        uint64_t count;
        int64_t max;
        uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Negative values count as 0, values above HISTOGRAM_VALUE_MAX as that. All zeros is an empty histogram. */
void histogram_add(struct histogram *histogram, int64_t value);
/* The smallest bound that at least permille of the values are not above, at most the largest value; 0 if empty. */
int64_t histogram_quantile(const struct histogram *histogram, unsigned permille);

#endif
