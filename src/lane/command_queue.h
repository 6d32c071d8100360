/* command_queue.h: many submitters, one lane. A private part of the lane.
 *
 * Submitters push onto a stack without a lock; the lane takes the whole stack at once and turns it round, which gives
 * the order of arrival. The lane is woken through an eventfd, but only if it has said that it goes to sleep.
 *
 *   room    how many may still come in: reserved before the push, given back when the command has been answered;
 *           a bit of the same word says that nothing comes in any more, so that what was reserved before can be awaited
 */
#ifndef TICKETRUSH_LANE_COMMAND_QUEUE_H
#define TICKETRUSH_LANE_COMMAND_QUEUE_H

#include "lane/lane.h"

#include <stdatomic.h>

struct command_queue {
        _Atomic(struct lane_command *) pushed; /* newest first */
        _Atomic uint32_t reserved;             /* commands inside, and the closed bit */
        _Atomic bool asleep, nudged;
        int wake_fd;
        struct lane_command *oldest; /* taken from `pushed`, in order of arrival; the lane's own */
};

int command_queue_init(struct command_queue *queue);
void command_queue_deinit(struct command_queue *queue);
/* Any thread. FAULT_BUSY when full or closed. */
int command_queue_push(struct command_queue *queue, struct lane_command *command);
/* Any thread: the lane does not sleep (again) before it has looked round. */
void command_queue_nudge(struct command_queue *queue);
/* Any thread: from here on every push is refused. */
void command_queue_close(struct command_queue *queue);
bool command_queue_is_closed(const struct command_queue *queue);
/* Any thread: commands that were pushed and not yet answered. */
size_t command_queue_count(const struct command_queue *queue);
/* The lane: up to max commands in order of arrival. */
size_t command_queue_take(struct command_queue *queue, struct lane_command **ret_commands, size_t max);
/* The lane: n of those taken have been answered. */
void command_queue_answered(struct command_queue *queue, size_t n);
/* The lane: sleeps until a push, a nudge, a close, or milliseconds have passed (negative: no limit). */
void command_queue_sleep(struct command_queue *queue, int milliseconds);

#endif
