/* command_queue.c: see command_queue.h. Every access to `pushed`, `reserved`, `asleep` and `nudged` is sequentially
 * consistent: "push, then look whether the lane sleeps" meets "say that I sleep, then look whether something came". */
#include "lane/command_queue.h"

#include "base/assert.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define CLOSED (UINT32_C(1) << 31)

int command_queue_init(struct command_queue *queue) {
        *queue = (struct command_queue){.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
        return queue->wake_fd < 0 ? -errno : 0;
}

void command_queue_deinit(struct command_queue *queue) {
        if (queue->wake_fd >= 0)
                close(queue->wake_fd);
        queue->wake_fd = -1;
}

static void wake(struct command_queue *queue) {
        if (!atomic_load(&queue->asleep) || !atomic_exchange(&queue->asleep, false))
                return;
        ssize_t written = write(queue->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
        (void)written; /* it fails only when the counter is full: then the lane is awake */
}

int command_queue_push(struct command_queue *queue, struct lane_command *command) {
        uint32_t before = atomic_fetch_add(&queue->reserved, 1);
        if (before >= LANE_QUEUE_MAX) { /* also when closed: the bit is above every count */
                atomic_fetch_sub(&queue->reserved, 1);
                return FAULT_BUSY;
        }
        command->next = atomic_load(&queue->pushed);
        while (!atomic_compare_exchange_weak(&queue->pushed, &command->next, command))
                ;
        wake(queue);
        return 0;
}

void command_queue_nudge(struct command_queue *queue) {
        atomic_store(&queue->nudged, true);
        wake(queue);
}

void command_queue_close(struct command_queue *queue) {
        atomic_fetch_or(&queue->reserved, CLOSED);
        command_queue_nudge(queue);
}

bool command_queue_is_closed(const struct command_queue *queue) {
        return (atomic_load(&queue->reserved) & CLOSED) != 0;
}

size_t command_queue_count(const struct command_queue *queue) {
        return atomic_load(&queue->reserved) & ~CLOSED;
}

/* Everything that was pushed since the last time, oldest first. */
static void fetch(struct command_queue *queue) {
        struct lane_command *stack = atomic_exchange(&queue->pushed, NULL), *line = NULL;
        while (stack) {
                struct lane_command *below = stack->next;
                stack->next = line;
                line = stack;
                stack = below;
        }
        queue->oldest = line;
}

size_t command_queue_take(struct command_queue *queue, struct lane_command **ret_commands, size_t max) {
        size_t n = 0;
        while (n < max) {
                if (!queue->oldest)
                        fetch(queue);
                if (!queue->oldest)
                        break;
                ret_commands[n++] = queue->oldest;
                queue->oldest = queue->oldest->next;
        }
        return n;
}

void command_queue_answered(struct command_queue *queue, size_t n) {
        uint32_t before = atomic_fetch_sub(&queue->reserved, (uint32_t)n);
        PRE((before & ~CLOSED) >= n);
}

void command_queue_sleep(struct command_queue *queue, int milliseconds) {
        atomic_store(&queue->asleep, true);
        if (!queue->oldest && !atomic_load(&queue->pushed) && !atomic_exchange(&queue->nudged, false)) {
                struct pollfd wait = {.fd = queue->wake_fd, .events = POLLIN};
                poll(&wait, 1, milliseconds);
        }
        atomic_store(&queue->asleep, false);
        uint64_t count;
        ssize_t drained = read(queue->wake_fd, &count, sizeof count);
        (void)drained; /* nothing to read: it was the deadline */
}
