/* metrics.h: counters, gauges and latency histograms, written out in the Prometheus text format 0.0.4.
 *
 * A metric is a static object that registers itself once (metrics_register, any thread, usually at the start). Updates are
 * relaxed atomics: cheap, and never a lock. */
#ifndef TICKETRUSH_BASE_METRICS_H
#define TICKETRUSH_BASE_METRICS_H

#include "base/buffer.h"
#include <stdatomic.h>

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };
enum { METRIC_BUCKETS = 16 }; /* upper bounds in microseconds: 50 100 250 500 1000 2500 5000 10^4 25 50 100 250 500 ms 1 s 2.5 s, +Inf */

struct metric {
        const char *name;   /* ticketrush_holds_total; a histogram is given in seconds: …_seconds */
        const char *help;
        const char *labels; /* NULL or outcome="taken" */
        enum metric_kind kind;
        _Atomic int64_t value;                    /* counter, gauge; sum of microseconds of a histogram */
        _Atomic int64_t buckets[METRIC_BUCKETS];  /* not cumulative here, cumulative when written */
        struct metric *_Atomic next;
};

void metrics_register(struct metric *metric);
static inline void metric_add(struct metric *metric, int64_t n) { atomic_fetch_add_explicit(&metric->value, n, memory_order_relaxed); }
static inline void metric_set(struct metric *metric, int64_t n) { atomic_store_explicit(&metric->value, n, memory_order_relaxed); }
void metric_observe(struct metric *metric, int64_t microseconds);
/* Every registered metric, one HELP and TYPE per name; metrics of one name with other labels stand together. */
void metrics_write(struct buffer *out);

#endif
