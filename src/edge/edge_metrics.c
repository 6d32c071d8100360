/* edge_metrics.c: what the edge counts. Each loop has metrics of its own (label loop), so that loops do not pull one
 * cache line to and fro. */
#include "base/metrics.h"
#include "edge/edge_private.h"

#include <stdio.h>

enum { CLASSES = 4, LABEL_MAX = 32 };

struct loop_metrics {
        _Alignas(64) struct metric requests[CLASSES];
        struct metric seconds, bad, open;
        char request_labels[CLASSES][LABEL_MAX];
        char loop_label[LABEL_MAX];
};

static struct loop_metrics loops[EDGE_LOOPS_MAX];

static void metric_set_up(struct metric *metric, enum metric_kind kind, const char *name, const char *help,
                          const char *labels) {
        if (metric->name)
                return; /* an earlier edge of this process had this loop, too */
        metric->name = name;
        metric->help = help;
        metric->labels = labels;
        metric->kind = kind;
        metrics_register(metric);
}

void metrics_of_loop_register(unsigned loop) {
        struct loop_metrics *metrics = &loops[loop];
        (void)snprintf(metrics->loop_label, LABEL_MAX, "loop=\"%u\"", loop);
        for (unsigned i = 0; i < CLASSES; i++) {
                (void)snprintf(metrics->request_labels[i], LABEL_MAX, "class=\"%uxx\",loop=\"%u\"", i + 2, loop);
                metric_set_up(&metrics->requests[i], METRIC_COUNTER, "ticketrush_http_requests_total",
                              "Requests answered, by class of status.", metrics->request_labels[i]);
        }
        metric_set_up(&metrics->seconds, METRIC_HISTOGRAM, "ticketrush_http_request_seconds",
                      "From the last byte of a request's head to its answer.", metrics->loop_label);
        metric_set_up(&metrics->bad, METRIC_COUNTER, "ticketrush_http_bad_requests_total",
                      "Requests that were not HTTP as we want it.", metrics->loop_label);
        metric_set_up(&metrics->open, METRIC_GAUGE, "ticketrush_http_connections", "Open connections.", metrics->loop_label);
}

void metrics_count(unsigned loop, int status, int64_t duration_us) {
        unsigned class = status < 300 ? 0 : (unsigned)status / 100 - 2;
        metric_add(&loops[loop].requests[class < CLASSES ? class : CLASSES - 1], 1);
        metric_observe(&loops[loop].seconds, duration_us);
}

void metrics_count_bad(unsigned loop) {
        metric_add(&loops[loop].bad, 1);
}

void metrics_set_open(unsigned loop, int64_t open) {
        metric_set(&loops[loop].open, open);
}
