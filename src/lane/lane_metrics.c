/* lane_metrics.c: see lane_metrics.h. Kinds are met one by one, on the lanes' threads: their counters stand in a table
 * that only grows, under a mutex that is taken once a kind and lane. */
#include "lane/lane_metrics.h"

#include <pthread.h>
#include <stdio.h>

enum { LABEL_BYTES_MAX = 64 };

static struct metric turns = {
        .name = "ticketrush_lane_turns_total", .help = "Transactions that were committed.", .kind = METRIC_COUNTER};
static struct metric failed_turns = {.name = "ticketrush_lane_failed_turns_total",
                                     .help = "Transactions that were rolled back.",
                                     .kind = METRIC_COUNTER};
static struct metric events_consumed = {
        .name = "ticketrush_lane_events_total", .help = "Events given to consumers.", .kind = METRIC_COUNTER};
static struct metric dead_letters = {.name = "ticketrush_lane_dead_letters_total",
                                     .help = "Events that a consumer gave up.",
                                     .kind = METRIC_COUNTER};
static struct metric commit_seconds = {
        .name = "ticketrush_lane_commit_seconds", .help = "How long a commit takes.", .kind = METRIC_HISTOGRAM};
static struct metric lag_now = {
        .name = "ticketrush_lane_journal_lag", .help = "Events before the slowest consumer.", .kind = METRIC_GAUGE};
static struct metric waiting_now = {
        .name = "ticketrush_lane_waiting_commands", .help = "Commands that are answered later.", .kind = METRIC_GAUGE};

#define BATCH(size)                                                                                   \
        {                                                                                             \
                .name = "ticketrush_lane_batches_total", .help = "Turns with commands, by how many.", \
                .labels = "commands=\"" size "\"", .kind = METRIC_COUNTER                             \
        }
static struct metric batches[] = {BATCH("1"), BATCH("2-15"), BATCH("16-127"), BATCH("128-1023"), BATCH("1024-4096")};

static struct of_kind {
        const struct lane_kind *kind;
        char label[LABEL_BYTES_MAX];
        struct metric commands;
} kinds[LANE_KINDS_MAX];
static size_t kind_count;
static pthread_mutex_t kinds_mutex = PTHREAD_MUTEX_INITIALIZER;

void lane_metrics_register(void) {
        struct metric *all[] = {&turns,          &failed_turns, &events_consumed, &dead_letters,
                                &commit_seconds, &lag_now,      &waiting_now};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
                metrics_register(all[i]);
        for (size_t i = 0; i < sizeof batches / sizeof *batches; i++)
                metrics_register(&batches[i]);
}

struct metric *lane_metrics_of_kind(const struct lane_kind *kind) {
        struct of_kind *of = NULL;
        pthread_mutex_lock(&kinds_mutex);
        for (size_t i = 0; !of && i < kind_count; i++) {
                if (kinds[i].kind == kind)
                        of = &kinds[i];
        }
        if (!of && kind_count < LANE_KINDS_MAX) {
                of = &kinds[kind_count++];
                snprintf(of->label, sizeof of->label, "kind=\"%s\"", kind->name);
                of->kind = kind;
                of->commands = (struct metric){.name = "ticketrush_lane_commands_total",
                                               .help = "Commands carried out, by kind.",
                                               .labels = of->label,
                                               .kind = METRIC_COUNTER};
                metrics_register(&of->commands);
        }
        pthread_mutex_unlock(&kinds_mutex);
        return of ? &of->commands : NULL;
}

void lane_metrics_turn(size_t commands, size_t events) {
        static const size_t smallest[] = {1, 2, 16, 128, 1024};
        metric_add(&turns, 1);
        metric_add(&events_consumed, (int64_t)events);
        for (size_t i = sizeof smallest / sizeof *smallest; i-- > 0;) {
                if (commands >= smallest[i]) {
                        metric_add(&batches[i], 1);
                        break;
                }
        }
}

void lane_metrics_failed_turn(void) {
        metric_add(&failed_turns, 1);
}

void lane_metrics_dead_letter(void) {
        metric_add(&dead_letters, 1);
}

void lane_metrics_commit(int64_t microseconds) {
        metric_observe(&commit_seconds, microseconds);
}

void lane_metrics_now(uint64_t journal_lag, size_t waiting) {
        metric_set(&lag_now, (int64_t)journal_lag);
        metric_set(&waiting_now, (int64_t)waiting);
}
