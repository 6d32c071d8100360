/* waiting.h: commands that are answered later: when somebody says turn_wake with their key, or at their deadline. A
 * private part of the lane.
 *
 * By key a chain of commands (a double click waits twice), and a heap of deadlines that names keys, not commands: a
 * deadline whose command has been answered long ago finds nobody, and that is all. */
#ifndef TICKETRUSH_LANE_WAITING_H
#define TICKETRUSH_LANE_WAITING_H

#include "base/heap.h"
#include "base/map.h"
#include "lane/lane.h"

struct waiting {
        struct map chains;     /* wait_key → first struct lane_command */
        struct heap deadlines; /* payload: wait_key */
        size_t count;
};

void waiting_init(struct waiting *waiting);
void waiting_deinit(struct waiting *waiting);
/* 0, or a negative fault: no memory, or LANE_WAITING_MAX are waiting. */
int waiting_add(struct waiting *waiting, struct lane_command *command);
/* Takes out everybody who waits for the key, in order of arrival, chained by next; NULL: nobody. */
struct lane_command *waiting_take(struct waiting *waiting, uint64_t key);
/* Takes out those whose deadline has come. */
struct lane_command *waiting_take_due(struct waiting *waiting, int64_t now);
struct lane_command *waiting_take_all(struct waiting *waiting);

#endif
