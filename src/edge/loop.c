/* loop.c: one thread with its own epoll, listener, connections and pools.
 *
 * A turn: wait → events (each connection goes as far as it can, and sends) → parcels of other threads, all of them →
 * connections that were answered by them, or had more to do → deadlines.
 *
 * Deadlines. All connections of one kind have the same patience, so a list per kind, in the order in which they began
 * to wait, is sorted by itself: setting one is a few pointers, and only the oldest of each list is looked at.
 *
 * Parcels. Any thread pushes onto a stack; the loop takes the whole stack at once and turns it round. The poster wakes
 * the loop only if it may be asleep: the loop says so before it looks at the stack for the last time, the poster looks
 * whether it said so after it has pushed, and both in one total order, so one of them sees the other. */
#include "edge/edge_private.h"

#include "base/assert.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { ACCEPTS_MAX = 64, LAST_ACCEPTS_MAX = 4096 };

/* --- pools --- */

void loop_buffer_take(struct edge_loop *loop, struct buffer *buffer) {
        if (buffer->at)
                return;
        if (loop->buffer_count > 0) {
                *buffer = loop->buffers[--loop->buffer_count];
                return;
        }
        buffer_init(buffer, BUFFER_MAX);
        (void)buffer_reserve(buffer, BUFFER_FIRST);
}

void loop_buffer_give(struct edge_loop *loop, struct buffer *buffer) {
        if (!buffer->at)
                return;
        buffer_clear(buffer);
        if (buffer->capacity > BUFFER_KEPT_MAX || loop->buffer_count == POOL_MAX)
                buffer_deinit(buffer);
        else
                loop->buffers[loop->buffer_count++] = *buffer;
        *buffer = (struct buffer){0};
}

/* --- deadlines --- */

static void list_remove(struct edge_loop *loop, struct connection *connection) {
        if (connection->deadline == DEADLINES)
                return;
        struct connection_list *list = &loop->lists[connection->deadline];
        if (connection->older)
                connection->older->newer = connection->newer;
        else
                list->oldest = connection->newer;
        if (connection->newer)
                connection->newer->older = connection->older;
        else
                list->newest = connection->older;
        connection->older = connection->newer = NULL;
}

static void list_add(struct edge_loop *loop, struct connection *connection) {
        if (connection->deadline == DEADLINES)
                return;
        struct connection_list *list = &loop->lists[connection->deadline];
        connection->older = list->newest;
        connection->newer = NULL;
        if (list->newest)
                list->newest->newer = connection;
        else
                list->oldest = connection;
        list->newest = connection;
}

void loop_expect(struct edge_loop *loop, struct connection *connection, enum deadline deadline) {
        if (deadline == connection->deadline) {
                /* A busy connection needs no new place in its list for each request: a 64th of its patience is not
                 * worth the walk through other connections' memory. */
                int64_t waited = loop->now_us - connection->since_us;
                if (!connection->progress || waited <= loop->edge->deadlines_us[deadline] / 64)
                        return;
        }
        connection->progress = false;
        list_remove(loop, connection);
        connection->deadline = deadline;
        connection->since_us = loop->now_us;
        list_add(loop, connection);
}

static int64_t nearest_deadline(const struct edge_loop *loop) {
        int64_t nearest = INT64_MAX;
        for (unsigned i = DEADLINE_NONE + 1; i < DEADLINES; i++) {
                const struct connection *oldest = loop->lists[i].oldest;
                if (oldest && oldest->since_us + loop->edge->deadlines_us[i] < nearest)
                        nearest = oldest->since_us + loop->edge->deadlines_us[i];
        }
        return nearest;
}

static void loop_expire(struct edge_loop *loop) {
        for (unsigned i = DEADLINE_NONE + 1; i < DEADLINES; i++) {
                int64_t limit = loop->now_us - loop->edge->deadlines_us[i];
                struct connection *oldest;
                while ((oldest = loop->lists[i].oldest) != NULL && oldest->since_us <= limit)
                        connection_expire(oldest);
        }
}

/* --- what other threads say --- */

void loop_wake(struct edge_loop *loop) {
        uint64_t one = 1;
        ssize_t n;
        do {
                n = write(loop->wake, &one, sizeof one);
        } while (n < 0 && errno == EINTR);
}

void edge_post(struct edge_loop *loop, struct edge_parcel *parcel) {
        struct edge_parcel *newest = atomic_load_explicit(&loop->parcels, memory_order_relaxed);
        do {
                parcel->next = newest;
        } while (!atomic_compare_exchange_weak(&loop->parcels, &newest, parcel));
        if (atomic_load(&loop->sleeping) && atomic_exchange(&loop->sleeping, false))
                loop_wake(loop);
}

static void loop_deliver(struct edge_loop *loop) {
        if (!atomic_load_explicit(&loop->parcels, memory_order_relaxed))
                return;
        struct edge_parcel *newest = atomic_exchange(&loop->parcels, NULL), *oldest = NULL;
        while (newest) {
                struct edge_parcel *next = newest->next;
                newest->next = oldest;
                oldest = newest;
                newest = next;
        }
        while (oldest) {
                struct edge_parcel *next = oldest->next; /* the parcel is gone when it has been delivered */
                oldest->deliver(oldest);
                oldest = next;
        }
}

/* --- connections --- */

void loop_ready(struct edge_loop *loop, struct connection *connection) {
        if (connection->ready)
                return;
        connection->ready = true;
        connection->ready_next = NULL;
        *loop->ready_end = connection;
        loop->ready_end = &connection->ready_next;
}

/* Those that are in the list now; who gets ready meanwhile has its turn after the next look at the events. */
static void loop_run_ready(struct edge_loop *loop) {
        struct connection *connection = loop->ready;
        loop->ready = NULL;
        loop->ready_end = &loop->ready;
        while (connection) {
                struct connection *next = connection->ready_next;
                connection->ready = false;
                if (connection->fd < 0)
                        connection_forget(connection);
                else
                        connection_run(connection);
                connection = next;
        }
}

/* As many connections as there may be: says so, and reads what has come, so that closing does not undo the answer. */
static void loop_turn_away(struct edge_loop *loop, int fd) {
        struct buffer out = {0};
        loop_buffer_take(loop, &out);
        answer_turn_away(loop, &out);
        (void)send(fd, out.at, out.length, MSG_NOSIGNAL);
        (void)shutdown(fd, SHUT_WR);
        (void)recv(fd, loop->waste, sizeof loop->waste, 0);
        close(fd);
        loop_buffer_give(loop, &out);
        atomic_store_explicit(&loop->refused_connections,
                              atomic_load_explicit(&loop->refused_connections, memory_order_relaxed) + 1,
                              memory_order_relaxed);
}

/* No descriptors left: the spare one lets the client be taken and dropped, instead of knocking for ever. */
static bool loop_drop_one(struct edge_loop *loop) {
        if (loop->spare < 0)
                return false;
        close(loop->spare);
        int fd = accept4(loop->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
                loop_turn_away(loop, fd);
        loop->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return fd >= 0;
}

static void loop_accept(struct edge_loop *loop, unsigned most) {
        struct edge *edge = loop->edge;
        for (unsigned i = 0; i < most; i++) {
                struct sockaddr_storage address;
                socklen_t length = sizeof address;
                int fd = accept4(loop->listener, (struct sockaddr *)&address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fd < 0) {
                        bool again = errno == EINTR || errno == ECONNABORTED ||
                                     ((errno == EMFILE || errno == ENFILE) && loop_drop_one(loop));
                        if (!again)
                                return;
                        continue;
                }
                if (atomic_load_explicit(&edge->open, memory_order_relaxed) >= edge->config.connections_max) {
                        loop_turn_away(loop, fd);
                        continue;
                }
                atomic_store_explicit(&loop->accepted, atomic_load_explicit(&loop->accepted, memory_order_relaxed) + 1,
                                      memory_order_relaxed);
                connection_open(loop, fd, &address);
        }
}

/* --- the thread --- */

static void loop_tick(struct edge_loop *loop) {
        loop->now_us = edge_now_us(loop->edge);
        loop_date(loop);
}

static int loop_patience_ms(struct edge_loop *loop, int64_t until_us) {
        if (loop->ready)
                return 0;
        int64_t nearest = nearest_deadline(loop);
        if (until_us < nearest)
                nearest = until_us;
        if (nearest == INT64_MAX)
                return -1;
        int64_t ms = (nearest - loop->now_us) / 1000 + 1;
        return ms < 0 ? 0 : ms > 60000 ? 60000 : (int)ms;
}

static void loop_wait(struct edge_loop *loop, int patience_ms) {
        struct epoll_event events[LOOP_EVENTS_MAX];
        atomic_store(&loop->sleeping, patience_ms != 0);
        if (patience_ms != 0 && atomic_load(&loop->parcels))
                patience_ms = 0;
        int count = epoll_wait(loop->epoll, events, LOOP_EVENTS_MAX, patience_ms);
        atomic_store_explicit(&loop->sleeping, false, memory_order_relaxed);
        loop_tick(loop);
        for (int i = 0; i < count; i++) {
                void *who = events[i].data.ptr;
                uint64_t wakes;
                if (who == &loop->listener)
                        loop_accept(loop, ACCEPTS_MAX);
                else if (who == &loop->wake)
                        (void)!read(loop->wake, &wakes, sizeof wakes);
                else
                        connection_on_event(who, events[i].events);
        }
}

static void loop_turn(struct edge_loop *loop, int patience_ms) {
        loop_wait(loop, patience_ms);
        loop_deliver(loop);
        loop_run_ready(loop);
        loop_expire(loop);
}

/* Whoever has connected is served, nobody else is taken, and idle connections end. */
static void loop_start_draining(struct edge_loop *loop) {
        loop_accept(loop, LAST_ACCEPTS_MAX);
        close(loop->listener);
        loop->listener = -1;
        loop->draining = true;
        while (loop->lists[DEADLINE_IDLE].oldest)
                connection_drain(loop->lists[DEADLINE_IDLE].oldest);
}

static bool loop_is_drained(const struct edge_loop *loop) {
        if (loop->requests)
                return false;
        for (unsigned i = 0; i < DEADLINES; i++) {
                if (i != DEADLINE_LINGER && loop->lists[i].oldest)
                        return false;
        }
        return true;
}

static void loop_close_all(struct edge_loop *loop) {
        for (unsigned i = 0; i < DEADLINES; i++) {
                while (loop->lists[i].oldest)
                        connection_close(loop->lists[i].oldest);
        }
        loop_run_ready(loop);
}

void *loop_run(void *context) {
        struct edge_loop *loop = context;
        loop_tick(loop);
        while (!atomic_load(&loop->edge->stopping))
                loop_turn(loop, loop_patience_ms(loop, INT64_MAX));
        int64_t until_us = loop->now_us + loop->edge->drain_us;
        loop_start_draining(loop);
        while (!loop_is_drained(loop) && loop->now_us < until_us)
                loop_turn(loop, loop_patience_ms(loop, until_us));
        loop_close_all(loop);
        return NULL;
}

static int loop_watch(struct edge_loop *loop, int *fd, uint32_t events) {
        struct epoll_event event = {.events = events, .data.ptr = fd};
        return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, *fd, &event) < 0 ? -errno : 0;
}

int loop_new(struct edge_loop **ret_loop, struct edge *edge, unsigned number, int listener) {
        struct edge_loop *loop = calloc(1, sizeof *loop);
        if (!loop)
                return -ENOMEM;
        loop->edge = edge;
        loop->number = number;
        loop->listener = -1;
        loop->ready_end = &loop->ready;
        loop->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
        loop->epoll = epoll_create1(EPOLL_CLOEXEC);
        loop->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        edge->config.trace_fill(edge->config.trace_context, loop->random, sizeof loop->random);
        loop->random[0] |= 1; /* all zeros would stay so */
        int result = loop->epoll < 0 || loop->wake < 0 ? -errno : 0;
        if (result == 0)
                result = loop_watch(loop, &loop->wake, EPOLLIN);
        if (result == 0) {
                loop->listener = listener;
                result = loop_watch(loop, &loop->listener, EPOLLIN);
                if (result < 0)
                        loop->listener = -1; /* still the caller's */
        }
        if (result < 0) {
                loop_free(loop);
                return result;
        }
        *ret_loop = loop;
        return 0;
}

static void close_if_open(int fd) {
        if (fd >= 0)
                close(fd);
}

struct edge_loop *loop_free(struct edge_loop *loop) {
        if (!loop)
                return NULL;
        /* The thread has ended: what was posted since is delivered here, and what is never answered is dropped. */
        loop_deliver(loop);
        while (loop->requests)
                request_end(&loop->requests->request);
        while (loop->request_pool) {
                struct request_box *box = loop->request_pool;
                loop->request_pool = box->after;
                arena_deinit(&box->request.arena);
                buffer_deinit(&box->request.body_out);
                free(box);
        }
        while (loop->connection_pool) {
                struct connection *connection = loop->connection_pool;
                loop->connection_pool = connection->newer;
                free(connection);
        }
        while (loop->buffer_count > 0)
                buffer_deinit(&loop->buffers[--loop->buffer_count]);
        close_if_open(loop->listener);
        close_if_open(loop->spare);
        close_if_open(loop->wake);
        close_if_open(loop->epoll);
        free(loop);
        return NULL;
}
