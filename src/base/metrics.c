#include "base/metrics.h"

#include "base/assert.h"

#include <pthread.h>

static const int64_t bucket_limits_us[METRIC_BUCKETS - 1] = {
        50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000};
static const char *const bucket_limit_texts[METRIC_BUCKETS] = {
        "0.00005", "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01",
        "0.025",   "0.05",   "0.1",     "0.25",   "0.5",   "1",      "2.5",   "+Inf"};

/* Registered one at a time, read by anybody: a metric is complete before the list shows it, and never goes. */
static struct metric *_Atomic metrics;
static pthread_mutex_t metrics_mutex = PTHREAD_MUTEX_INITIALIZER;

static void metrics_add(struct metric *metric) {
        struct metric *_Atomic *place = NULL, *_Atomic *end = &metrics;
        for (; *end; end = &(*end)->next) {
                if (*end == metric)
                        return;
                if (strcmp((*end)->name, metric->name) == 0) {
                        PRE((*end)->kind == metric->kind);
                        place = &(*end)->next;
                }
        }
        if (!place)
                place = end;
        metric->next = *place;
        *place = metric;
}

void metrics_register(struct metric *metric) {
        pthread_mutex_lock(&metrics_mutex);
        metrics_add(metric);
        pthread_mutex_unlock(&metrics_mutex);
}

void metric_observe(struct metric *metric, int64_t microseconds) {
        PRE(metric->kind == METRIC_HISTOGRAM);
        size_t bucket = 0;
        while (bucket < METRIC_BUCKETS - 1 && microseconds > bucket_limits_us[bucket])
                bucket++;
        atomic_fetch_add_explicit(&metric->buckets[bucket], 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&metric->value, microseconds, memory_order_relaxed);
}

/* name_suffix{labels,more} and a blank */
static void write_name(struct buffer *out, const struct metric *metric, const char *suffix, const char *limit) {
        buffer_add_string(out, metric->name);
        buffer_add_string(out, suffix);
        if (metric->labels || limit) {
                buffer_add_string(out, "{");
                if (metric->labels)
                        buffer_add_string(out, metric->labels);
                if (limit)
                        buffer_printf(out, "%sle=\"%s\"", metric->labels ? "," : "", limit);
                buffer_add_string(out, "}");
        }
        buffer_add_string(out, " ");
}

static void write_number(struct buffer *out, int64_t number) {
        buffer_add_number(out, number);
        buffer_add_string(out, "\n");
}

static void write_histogram(struct buffer *out, struct metric *metric) {
        /* The count is the sum of what was read here: the buckets of one answer always agree with it. */
        int64_t count = 0;
        for (size_t i = 0; i < METRIC_BUCKETS; i++) {
                count += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
                write_name(out, metric, "_bucket", bucket_limit_texts[i]);
                write_number(out, count);
        }
        int64_t sum_us = atomic_load_explicit(&metric->value, memory_order_relaxed);
        write_name(out, metric, "_sum", NULL);
        buffer_printf(out, "%.6f\n", (double)sum_us / 1e6);
        write_name(out, metric, "_count", NULL);
        write_number(out, count);
}

void metrics_write(struct buffer *out) {
        static const char *const kinds[] = {"counter", "gauge", "histogram"};
        const char *name = NULL;
        for (struct metric *metric = metrics; metric; metric = metric->next) {
                if (!name || strcmp(name, metric->name) != 0) {
                        name = metric->name;
                        buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, metric->help, name,
                                      kinds[metric->kind]);
                }
                if (metric->kind == METRIC_HISTOGRAM) {
                        write_histogram(out, metric);
                } else {
                        write_name(out, metric, "", NULL);
                        write_number(out, atomic_load_explicit(&metric->value, memory_order_relaxed));
                }
        }
}
