/* histogram.c: see histogram.h for the buckets. */
#include "rehearse/histogram.h"

#include "base/assert.h"

enum { SUB_BITS = 6, SUB_BUCKETS = 1 << SUB_BITS };

static unsigned bucket_of(uint64_t value) {
        if (value < 2 * SUB_BUCKETS)
                return (unsigned)value;
        unsigned shift = 63U - (unsigned)__builtin_clzll(value) - SUB_BITS;
        return shift * SUB_BUCKETS + (unsigned)(value >> shift);
}

static int64_t bucket_bound(unsigned bucket) {
        if (bucket < 2 * SUB_BUCKETS)
                return bucket;
        unsigned shift = bucket / SUB_BUCKETS - 1;
        uint64_t top = bucket - shift * SUB_BUCKETS;
        return (int64_t)(((top + 1) << shift) - 1);
}

void histogram_add(struct histogram *histogram, int64_t value) {
        if (value < 0)
                value = 0;
        if (value > HISTOGRAM_VALUE_MAX)
                value = HISTOGRAM_VALUE_MAX;
        unsigned bucket = bucket_of((uint64_t)value);
        INVARIANT(bucket < HISTOGRAM_BUCKETS);
        histogram->buckets[bucket]++;
        histogram->count++;
        if (value > histogram->max)
                histogram->max = value;
}

int64_t histogram_quantile(const struct histogram *histogram, unsigned permille) {
        PRE(permille <= 1000);
        uint64_t wanted = (histogram->count * permille + 999) / 1000, seen = 0;
        for (unsigned bucket = 0; wanted && bucket < HISTOGRAM_BUCKETS; bucket++) {
                seen += histogram->buckets[bucket];
                if (seen >= wanted)
                        return bucket_bound(bucket) < histogram->max ? bucket_bound(bucket) : histogram->max;
        }
        return 0;
}
