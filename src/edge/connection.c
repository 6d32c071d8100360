/* connection.c: one client.
 *
 *   IDLE ──bytes──► HEAD ──whole head: route, limits, gate──► BODY ──whole body──► ASKED ──answer──► IDLE …
 *                    │ wrong, late                │ refused                            └─► LINGER ─► closed
 *
 * connection_run goes as far as the bytes reach: it takes requests one after the other, and sends once, when there is
 * nothing more to do. Events come edge-triggered, and the descriptor is never changed in epoll after it was added:
 * `readable`, `hung_up` and `blocked` remember what the last event said. A connection that we end lingers until the
 * client has ended it, too: closing with unread bytes would reset it, and the client might lose the answer. */
#include "edge/edge_private.h"

#include "base/assert.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

enum { READ_ROOM_MIN = 256, READ_ROOM_MORE = 1024 };

/* --- open and close --- */

static void address_note(struct connection *connection, const struct sockaddr_storage *address) {
        const void *bytes = NULL;
        size_t n = 0;
        int family = address->ss_family;
        if (family == AF_INET) {
                bytes = &((const struct sockaddr_in *)address)->sin_addr;
                n = 4;
        } else if (family == AF_INET6) {
                const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
                bytes = six;
                n = 8; /* who has one address of a /64 has them all */
                if (IN6_IS_ADDR_V4MAPPED(six)) {
                        family = AF_INET;
                        bytes = six->s6_addr + 12;
                        n = 4;
                }
        }
        if (!bytes || !inet_ntop(family, bytes, connection->peer, PEER_MAX))
                connection->peer[0] = 0;
        connection->peer_hash = text_hash(bytes ? bytes : "", n, 0);
}

static void open_note(struct edge_loop *loop, int change) {
        uint64_t open = atomic_load_explicit(&loop->open, memory_order_relaxed) + (uint64_t)change;
        atomic_store_explicit(&loop->open, open, memory_order_relaxed);
        atomic_fetch_add_explicit(&loop->edge->open, change, memory_order_relaxed);
        metrics_set_open(loop->number, (int64_t)open);
}

void connection_open(struct edge_loop *loop, int fd, const struct sockaddr_storage *address) {
        struct connection *connection = loop->connection_pool;
        if (connection) {
                loop->connection_pool = connection->newer;
                loop->connection_pool_count--;
        } else if (!(connection = malloc(sizeof *connection))) {
                close(fd);
                return;
        }
        *connection = (struct connection){.loop = loop, .fd = fd, .deadline = DEADLINES};
        address_note(connection, address);
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = connection};
        if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
                close(fd);
                free(connection);
                return;
        }
        open_note(loop, 1);
        loop_expect(loop, connection, DEADLINE_IDLE);
}

void connection_forget(struct connection *connection) {
        struct edge_loop *loop = connection->loop;
        if (loop->connection_pool_count == POOL_MAX) {
                free(connection);
                return;
        }
        connection->newer = loop->connection_pool;
        loop->connection_pool = connection;
        loop->connection_pool_count++;
}

void connection_close(struct connection *connection) {
        struct edge_loop *loop = connection->loop;
        PRE(!connection->running && connection->fd >= 0);
        if (connection->request) {
                struct request *request = connection->request;
                request_orphan(request);
                if (!connection->asked)
                        request_end(request); /* nobody has seen it yet */
        }
        loop_buffer_give(loop, &connection->in);
        loop_buffer_give(loop, &connection->out);
        loop_expect(loop, connection, DEADLINES);
        close(connection->fd);
        connection->fd = -1;
        open_note(loop, -1);
        if (!connection->ready)
                connection_forget(connection); /* else the ready list does it */
}

/* --- bytes out --- */

static size_t pending(const struct connection *connection) {
        return connection->out.length - connection->sent;
}

/* What has been sent is forgotten when it is the larger part. */
static void out_compact(struct connection *connection) {
        if (connection->sent <= connection->out.length / 2)
                return;
        connection->out.length -= connection->sent;
        memmove(connection->out.at, connection->out.at + connection->sent, connection->out.length);
        connection->sent = 0;
}

size_t connection_send(struct connection *connection, struct text more) {
        size_t own = pending(connection);
        struct iovec pieces[2] = {
                {.iov_base = connection->out.at + connection->sent, .iov_len = own},
                {.iov_base = (char *)more.at, .iov_len = more.length},
        };
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
        ssize_t n;
        do {
                n = more.length > 0 ? sendmsg(connection->fd, &message, MSG_NOSIGNAL)
                                    : send(connection->fd, pieces[0].iov_base, own, MSG_NOSIGNAL);
        } while (n < 0 && errno == EINTR);
        if (n < 0) {
                connection->blocked = true;
                connection->broken = connection->broken || errno != EAGAIN;
                return 0;
        }
        size_t sent = (size_t)n;
        connection->progress = true;
        connection->blocked = sent < own + more.length;
        if (sent < own) {
                connection->sent += sent;
                out_compact(connection);
                return 0;
        }
        connection->sent = 0;
        buffer_clear(&connection->out);
        return sent - own;
}

bool connection_ends(const struct connection *connection) {
        return !connection->keep || connection->cut || connection->loop->draining;
}

void connection_answered(struct connection *connection, bool ends) {
        connection->request = NULL;
        connection->asked = false;
        connection->progress = true;
        connection->closing = ends;
        connection->broken = connection->broken || connection->out.overflowed;
        if (!connection->running)
                loop_ready(connection->loop, connection);
}

/* --- requests --- */

static const char *allow_text(unsigned methods, char out[static 64]) {
        static const char *const names[] = {[HTTP_GET] = "GET",     [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",
                                            [HTTP_PUT] = "PUT",     [HTTP_PATCH] = "PATCH",   [HTTP_DELETE] = "DELETE",
                                            [HTTP_OPTIONS] = "OPTIONS"};
        char *to = out;
        for (unsigned method = HTTP_GET; method <= HTTP_OPTIONS; method++) {
                if (methods & (1u << method)) {
                        to = stpcpy(to, to > out ? ", " : "");
                        to = stpcpy(to, names[method]);
                }
        }
        return out;
}

/* Nobody answers this method and path: 404, 405, or what OPTIONS asks for. */
static void answer_no_route(struct request *request, unsigned allowed) {
        char allow[64];
        bool options = request->head.method == HTTP_OPTIONS;
        if (request->head.path.at[0] == '*')
                allowed = (1u << (HTTP_OPTIONS + 1)) - (1u << HTTP_GET);
        if (allowed == 0) {
                edge_answer_problem(request, 404, "NOT_FOUND", "There is nothing here. Check the address.", 0);
                return;
        }
        struct answer_header header = {"Allow", text_of(allow_text(allowed | 1u << HTTP_OPTIONS, allow))};
        if (options)
                edge_answer_empty(request, 204, &header, 1);
        else
                edge_answer_problem_with(request, 405, "METHOD_NOT_ALLOWED",
                                         "This address does not know the method. Use one that Allow lists.", 0, &header, 1);
}

static void answer_refusal(struct request *request, int status) {
        static const struct { int status; const char *code, *detail; } refusals[] = {
                {400, "MALFORMED_REQUEST", "The request is not well-formed HTTP/1.1."},
                {408, "REQUEST_TIMEOUT", "The request did not arrive in time. Send it again."},
                {413, "BODY_TOO_LARGE", "The body is larger than this address takes."},
                {414, "URI_TOO_LONG", "The request line is too long."},
                {417, "EXPECTATION_FAILED", "The only expectation that can be met is 100-continue."},
                {431, "HEAD_TOO_LARGE", "The request's headers are too many or too long."},
                {501, "METHOD_NOT_IMPLEMENTED", "No address here knows the method."},
                {505, "HTTP_VERSION_NOT_SUPPORTED", "Use HTTP/1.1."},
        };
        size_t i = 0;
        while (i + 1 < sizeof refusals / sizeof *refusals && refusals[i].status != status)
                i++;
        edge_answer_problem(request, status, refusals[i].code, refusals[i].detail, 0);
}

/* The request cannot be understood or has not come in time: the last answer of this connection. */
static void connection_refuse(struct connection *connection, int status) {
        struct edge_loop *loop = connection->loop;
        if (!connection->request) {
                struct request *request = request_take(loop);
                if (!request) {
                        connection->broken = true;
                        return;
                }
                request->head = (struct http_head){0};
                request_begin(request, connection);
                connection->request = request;
        }
        connection->cut = true;
        connection->start = connection->in.length;
        metrics_count_bad(loop->number);
        atomic_store_explicit(&loop->bad_requests, atomic_load_explicit(&loop->bad_requests, memory_order_relaxed) + 1,
                              memory_order_relaxed);
        answer_refusal(connection->request, status);
}

/* The head is there: route, limits, gate. May answer. */
static void request_admit(struct connection *connection, struct request *request) {
        const struct edge *edge = connection->loop->edge;
        const struct http_head *head = &request->head;
        struct router_match match;
        router_find(&edge->router, head->method, head->path, &match);
        if (!match.entry) {
                answer_no_route(request, match.allowed);
                return;
        }
        const struct route *route = match.entry->route;
        request->route = route;
        request->service = match.entry->service;
        memcpy(request->parameters, match.parameters, sizeof match.parameters);
        if (head->content_length > route->body_max || (head->chunked && route->body_max == 0)) {
                answer_refusal(request, 413);
                return;
        }
        if (edge->gate.admit && edge->gate.admit(edge->gate.context, request) != 0)
                return;
        if (head->expect_continue && connection->cut) {
                loop_buffer_take(connection->loop, &connection->out);
                buffer_add_text(&connection->out, TEXT("HTTP/1.1 100 Continue\r\n\r\n"));
        }
}

static void head_done(struct connection *connection, struct request *request) {
        struct edge_loop *loop = connection->loop;
        const struct http_head *head = &request->head;
        size_t have = connection->in.length - connection->start - head->length;
        uint64_t length = head->content_length;
        request_begin(request, connection);
        atomic_store_explicit(&loop->asked, atomic_load_explicit(&loop->asked, memory_order_relaxed) + 1,
                              memory_order_relaxed);
        connection->request = request;
        connection->keep = head->keep_alive;
        connection->body_at = connection->start + head->length;
        connection->chunks = (struct http1_chunks){0};
        connection->cut = head->chunked || (have < length && (head->expect_continue || length > UNREAD_BODY_MAX));
        request_admit(connection, request);
        if (connection->request)
                return;
        /* Answered before its body was read: what is there is dropped, the rest is when it comes. */
        size_t here = have < length ? have : (size_t)length;
        connection->start = connection->body_at + here;
        connection->skip = (size_t)(length - here);
}

static bool head_step(struct connection *connection) {
        size_t n = connection->in.length - connection->start;
        size_t skip = n < connection->skip ? n : connection->skip;
        connection->start += skip;
        connection->skip -= skip;
        n -= skip;
        if (n == 0)
                return false;
        const char *bytes = connection->in.at + connection->start;
        size_t scanned = connection->scanned;
        connection->scanned = n;
        if (scanned > 0 && n < HTTP_LINE_MAX && !memchr(bytes + scanned, '\n', n - scanned))
                return false; /* no line has been completed: nothing new to see */
        struct request *request = request_take(connection->loop);
        if (!request) {
                connection->broken = true;
                return false;
        }
        int length = http1_parse_head(&request->head, bytes, n);
        if (length > 0) {
                connection->scanned = 0;
                head_done(connection, request);
                return true;
        }
        request_untake(request);
        if (length < 0)
                connection_refuse(connection, -length);
        return false;
}

static bool body_step(struct connection *connection) {
        struct request *request = connection->request;
        size_t have = connection->in.length - connection->body_at;
        char *bytes = connection->in.at + connection->body_at;
        size_t length = (size_t)request->head.content_length, used = length;
        if (request->head.chunked) {
                struct http1_chunks *chunks = &connection->chunks;
                int result = http1_join_chunks(chunks, bytes, have, request->route->body_max);
                if (result < 0) {
                        connection_refuse(connection, -result);
                        return false;
                }
                if (result == 0) {
                        chunks->read = chunks->written; /* the bytes between are used up */
                        connection->in.length = connection->body_at + chunks->written;
                        return false;
                }
                length = chunks->written;
                used = chunks->read;
        } else if (have < length) {
                return false;
        }
        request->body = (struct text){bytes, length};
        connection->start = connection->body_at + used;
        connection->cut = false;
        connection->asked = true;
        request->route->ask(request->service, request);
        return true;
}

static void connection_advance(struct connection *connection) {
        bool moved = true;
        while (moved && !connection->asked && !connection->closing && !connection->broken) {
                if (pending(connection) >= PENDING_OUT_MAX) {
                        if (!connection->blocked)
                                connection_send(connection, (struct text){0});
                        if (connection->blocked)
                                return; /* the event that unblocks it goes on here */
                }
                moved = connection->request ? body_step(connection) : head_step(connection);
        }
}

/* --- bytes in --- */

static void text_move(struct text *text, const char *from, const char *to, size_t length) {
        size_t offset = (size_t)((uintptr_t)text->at - (uintptr_t)from);
        if (text->at && offset <= length)
                text->at = to + offset;
}

/* The buffer has grown and moved while the body is being read: the texts of the head follow it. `from` is compared
 * only, never read. */
static void request_move(struct request *request, const char *from, const char *to, size_t length) {
        struct http_head *head = &request->head;
        text_move(&head->path, from, to, length);
        text_move(&head->query, from, to, length);
        text_move(&head->host, from, to, length);
        for (unsigned i = 0; i < head->header_count; i++) {
                text_move(&head->headers[i].name, from, to, length);
                text_move(&head->headers[i].value, from, to, length);
        }
        for (unsigned i = 0; i < EDGE_PARAMETERS_MAX; i++)
                text_move(&request->parameters[i], from, to, length);
}

static char *read_room(struct connection *connection, size_t *ret_room) {
        struct buffer *in = &connection->in;
        loop_buffer_take(connection->loop, in);
        if (connection->start > 0 && !connection->request) {
                in->length -= connection->start;
                memmove(in->at, in->at + connection->start, in->length);
                connection->start = 0;
        }
        const char *before = in->at;
        if (in->capacity - in->length < READ_ROOM_MIN && !buffer_reserve(in, READ_ROOM_MORE))
                return NULL;
        if (in->at != before && connection->request)
                request_move(connection->request, before, in->at, in->length);
        *ret_room = in->capacity - in->length;
        return in->at + in->length;
}

static void connection_receive(struct connection *connection) {
        size_t room;
        char *at = read_room(connection, &room);
        if (!at) {
                connection->broken = true;
                return;
        }
        ssize_t n = recv(connection->fd, at, room, 0);
        if (n > 0) {
                connection->in.length += (size_t)n;
                connection->readable = (size_t)n == room || connection->hung_up;
        } else if (n == 0) {
                connection->ended = true;
                connection->readable = false;
        } else if (errno == EAGAIN) {
                connection->readable = false;
        } else if (errno != EINTR) {
                connection->broken = true;
        }
}

static bool wants_bytes(const struct connection *connection) {
        return connection->readable && !connection->ended && !connection->broken && !connection->asked &&
               !connection->closing && pending(connection) < PENDING_OUT_MAX;
}

/* Until the client has ended the connection, too. */
static void connection_waste(struct connection *connection) {
        for (unsigned reads = 0; connection->readable && reads < READS_MAX; reads++) {
                ssize_t n = recv(connection->fd, connection->loop->waste, sizeof connection->loop->waste, 0);
                if (n < 0 && errno == EAGAIN)
                        connection->readable = false;
                else if (n <= 0)
                        connection->broken = true;
                connection->readable = connection->readable && !connection->broken;
        }
}

/* --- the whole --- */

static enum deadline deadline_of(const struct connection *connection) {
        if (connection->lingering)
                return DEADLINE_LINGER;
        if (pending(connection) > 0)
                return DEADLINE_WRITE;
        if (connection->asked)
                return DEADLINE_NONE;
        if (connection->request || connection->skip > 0)
                return DEADLINE_BODY;
        return connection->in.length > connection->start ? DEADLINE_HEAD : DEADLINE_IDLE;
}

/* The last answer has been sent. False: closed. */
static bool connection_finish(struct connection *connection) {
        bool clean = !connection->keep && !connection->cut && connection->in.length == connection->start;
        if (clean || connection->ended || shutdown(connection->fd, SHUT_WR) < 0) {
                connection_close(connection);
                return false;
        }
        connection->lingering = true;
        connection->readable = true;
        connection->start = connection->in.length;
        return true;
}

/* Nothing more can be done now: send, give back what is not needed, wait. */
static void connection_rest(struct connection *connection) {
        struct edge_loop *loop = connection->loop;
        if (pending(connection) > 0 && !connection->blocked)
                connection_send(connection, (struct text){0});
        if (connection->broken) {
                connection_close(connection);
                return;
        }
        if (pending(connection) == 0) {
                loop_buffer_give(loop, &connection->out);
                if (connection->closing && !connection->lingering && !connection_finish(connection))
                        return;
                bool idle = !connection->asked && !connection->readable;
                if (idle && (connection->ended || (loop->draining && deadline_of(connection) == DEADLINE_IDLE))) {
                        connection_close(connection);
                        return;
                }
        }
        if (!connection->request && connection->in.length == connection->start) {
                loop_buffer_give(loop, &connection->in);
                connection->start = connection->scanned = 0;
        }
        loop_expect(loop, connection, deadline_of(connection));
        if (wants_bytes(connection) || (connection->lingering && connection->readable))
                loop_ready(loop, connection);
}

void connection_run(struct connection *connection) {
        connection->running = true;
        if (pending(connection) > 0 && !connection->blocked)
                connection_send(connection, (struct text){0});
        if (connection->lingering) {
                connection_waste(connection);
        } else {
                connection_advance(connection);
                for (unsigned reads = 0; reads < READS_MAX && wants_bytes(connection); reads++) {
                        connection_receive(connection);
                        connection_advance(connection);
                }
        }
        connection->running = false;
        connection_rest(connection);
}

void connection_on_event(struct connection *connection, uint32_t events) {
        if (events & (EPOLLERR | EPOLLHUP)) {
                connection_close(connection);
                return;
        }
        if (events & (EPOLLIN | EPOLLRDHUP))
                connection->readable = true;
        if (events & EPOLLRDHUP)
                connection->hung_up = true;
        if (events & EPOLLOUT)
                connection->blocked = false;
        connection_run(connection);
}

void connection_expire(struct connection *connection) {
        bool late = connection->deadline == DEADLINE_HEAD || (connection->deadline == DEADLINE_BODY && connection->request);
        if (!late) {
                connection_close(connection);
                return;
        }
        connection->running = true;
        connection_refuse(connection, 408);
        connection->running = false;
        connection_rest(connection);
}

void connection_drain(struct connection *connection) {
        connection->readable = true;
        connection_run(connection);
}
