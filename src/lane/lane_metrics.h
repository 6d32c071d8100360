/* lane_metrics.h: what a lane counts. A private part of the lane; the lanes of a process share the numbers. */
#ifndef TICKETRUSH_LANE_LANE_METRICS_H
#define TICKETRUSH_LANE_LANE_METRICS_H

#include "base/metrics.h"
#include "lane/lane.h"

/* Those without a kind; the first time only. */
void lane_metrics_register(void);
/* The counter of this kind's commands; NULL when too many kinds are known. */
struct metric *lane_metrics_of_kind(const struct lane_kind *kind);
void lane_metrics_turn(size_t commands, size_t events);
void lane_metrics_failed_turn(void);
void lane_metrics_dead_letter(void);
void lane_metrics_commit(int64_t microseconds);
void lane_metrics_now(uint64_t journal_lag, size_t waiting);

#endif
