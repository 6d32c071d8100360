/* engine.c: one epoll set, edge-triggered; see engine.h.
 *
 * A connection is free (on the list), taken, or busy (one request under way). An answer that fits one recv is parsed
 * where it was received; the beginning of a longer one is kept by its connection until the rest has come. */
#include "rehearse/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"

enum { EVENTS_AT_ONCE = 512, RECEIVE_BYTES = 256 * 1024 };

struct engine_connection {
        int fd; /* -1: closed */
        bool busy, sent_again;
        uint32_t who;
        unsigned tag;
        struct buffer in, out; /* the beginning of an answer; the end of a request that did not fit */
        struct engine_connection *next_free;
};

struct engine {
        struct http_place place;
        engine_on_answer on_answer;
        void *context;
        int epoll;
        unsigned count, busy;
        bool down;
        uint64_t answers;
        struct engine_connection *connections, *free;
        struct epoll_event events[EVENTS_AT_ONCE];
        char received[RECEIVE_BYTES];
};

static int connection_open(struct engine *engine, struct engine_connection *connection) {
        int fd = http_connect(&engine->place);
        if (fd < 0)
                return fd;
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = connection};
        if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || epoll_ctl(engine->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
                int fault = -errno;
                close(fd);
                return fault;
        }
        connection->fd = fd;
        return 0;
}

static void connection_close(struct engine_connection *connection) {
        if (connection->fd >= 0)
                close(connection->fd);
        connection->fd = -1;
        buffer_clear(&connection->in);
        buffer_clear(&connection->out);
}

int engine_new(struct engine **ret_engine, const struct http_place *place, unsigned connections,
               engine_on_answer on_answer, void *context) {
        PRE(connections > 0);
        struct engine *engine = calloc(1, sizeof *engine);
        if (!engine)
                return -ENOMEM;
        engine->place = *place;
        engine->on_answer = on_answer;
        engine->context = context;
        engine->connections = calloc(connections, sizeof *engine->connections);
        engine->epoll = epoll_create1(EPOLL_CLOEXEC);
        int fault = !engine->connections ? -ENOMEM : engine->epoll < 0 ? -errno : 0;
        for (; !fault && engine->count < connections; engine->count++) {
                struct engine_connection *connection = &engine->connections[engine->count];
                connection->fd = -1;
                buffer_init(&connection->in, HTTP_CALL_BODY_MAX);
                buffer_init(&connection->out, HTTP_CALL_BODY_MAX);
                fault = connection_open(engine, connection);
                engine_give_back(engine, connection);
        }
        if (fault) {
                engine_free(engine);
                return fault;
        }
        *ret_engine = engine;
        return 0;
}

struct engine *engine_free(struct engine *engine) {
        if (!engine)
                return 0;
        for (unsigned i = 0; i < engine->count; i++) {
                connection_close(&engine->connections[i]);
                buffer_deinit(&engine->connections[i].in);
                buffer_deinit(&engine->connections[i].out);
        }
        if (engine->epoll >= 0)
                close(engine->epoll);
        free(engine->connections);
        free(engine);
        return 0;
}

struct engine_connection *engine_take(struct engine *engine) {
        struct engine_connection *connection = engine->free;
        if (!connection || engine->down)
                return 0;
        if (connection->fd < 0 && connection_open(engine, connection) != 0) {
                engine->down = true;
                return 0;
        }
        engine->free = connection->next_free;
        return connection;
}

void engine_give_back(struct engine *engine, struct engine_connection *connection) {
        PRE(!connection->busy);
        connection->next_free = engine->free;
        engine->free = connection;
}

static void hear(struct engine *engine, struct engine_connection *connection, const struct http_answer *answer) {
        connection->busy = false;
        connection->sent_again = false;
        engine->busy--;
        engine->answers++;
        engine->on_answer(engine->context, connection, connection->who, connection->tag, answer);
        if (!connection->sent_again)
                engine_give_back(engine, connection);
}

static void lose(struct engine *engine, struct engine_connection *connection) {
        connection_close(connection);
        if (connection->busy)
                hear(engine, connection, &(struct http_answer){0});
}

/* What the socket does not take now is sent when it can be written again. */
static void flush(struct engine_connection *connection, struct text bytes) {
        ssize_t sent = send(connection->fd, bytes.at, bytes.length, MSG_NOSIGNAL);
        if (sent == (ssize_t)bytes.length) {
                buffer_clear(&connection->out);
                return;
        }
        size_t rest = bytes.length - (size_t)(sent > 0 ? sent : 0);
        if (bytes.at == connection->out.at) {
                memmove(connection->out.at, bytes.at + (bytes.length - rest), rest);
                connection->out.length = rest;
        } else {
                buffer_add(&connection->out, bytes.at + (bytes.length - rest), rest);
        }
}

void engine_send(struct engine *engine, struct engine_connection *connection, struct text request, uint32_t who,
                 unsigned tag) {
        PRE(!connection->busy);
        connection->who = who;
        connection->tag = tag;
        connection->busy = true;
        connection->sent_again = true;
        engine->busy++;
        if (connection->fd < 0 && connection_open(engine, connection) != 0) {
                engine->down = true; /* heard as lost in engine_wait, never inside the caller */
                return;
        }
        flush(connection, request);
}

/* The beginning that is kept and what came now, as one text. */
static bool gather(struct engine *engine, struct engine_connection *connection, size_t n, struct text *ret_bytes) {
        *ret_bytes = (struct text){engine->received, n};
        if (!connection->in.length)
                return true;
        buffer_add(&connection->in, engine->received, n);
        *ret_bytes = buffer_text(&connection->in);
        return !connection->in.overflowed;
}

static void receive(struct engine *engine, struct engine_connection *connection) {
        for (;;) {
                ssize_t n = recv(connection->fd, engine->received, sizeof engine->received, 0);
                if (n < 0 && errno == EAGAIN)
                        return;
                struct text bytes;
                struct http_answer answer;
                if (n <= 0 || !connection->busy || !gather(engine, connection, (size_t)n, &bytes)) {
                        lose(engine, connection);
                        return;
                }
                int64_t length = http_answer_parse(&answer, bytes.at, bytes.length);
                if (length == 0) {
                        if (!connection->in.length)
                                buffer_add(&connection->in, bytes.at, bytes.length);
                        continue;
                }
                if (length != (int64_t)bytes.length) { /* no HTTP, or more than was asked for */
                        lose(engine, connection);
                        return;
                }
                if (answer.close) {
                        close(connection->fd);
                        connection->fd = -1;
                }
                struct buffer whole = connection->in; /* the answer may live there until it has been heard */
                buffer_init(&connection->in, HTTP_CALL_BODY_MAX);
                hear(engine, connection, &answer);
                buffer_deinit(&whole);
                return;
        }
}

static void lose_what_cannot_come(struct engine *engine) {
        for (unsigned i = 0; i < engine->count; i++)
                if (engine->connections[i].busy && engine->connections[i].fd < 0)
                        lose(engine, &engine->connections[i]);
}

void engine_wait(struct engine *engine, int milliseconds) {
        if (engine->down)
                lose_what_cannot_come(engine);
        int count = epoll_wait(engine->epoll, engine->events, EVENTS_AT_ONCE, milliseconds);
        for (int i = 0; i < count; i++) {
                struct engine_connection *connection = engine->events[i].data.ptr;
                uint32_t events = engine->events[i].events;
                if (connection->fd < 0)
                        continue;
                if (connection->out.length && (events & EPOLLOUT))
                        flush(connection, buffer_text(&connection->out));
                if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
                        receive(engine, connection);
        }
}

unsigned engine_busy(const struct engine *engine) {
        return engine->busy;
}
bool engine_is_down(const struct engine *engine) {
        return engine->down;
}
uint64_t engine_answers(const struct engine *engine) {
        return engine->answers;
}
