/* edge_private.h: what the files of the edge share. Nobody else includes it (but the edge's own tests).
 *
 *   edge.c        the server: listeners, threads, start and stop
 *   loop.c        one thread: epoll, accept, deadlines, parcels from other threads
 *   connection.c  one client: bytes in, requests one after the other, bytes out
 *   request.c     a request's memory and its trace
 *   answer.c      heads and bodies of answers; problem.c: problem documents
 *
 * A loop's memory comes from its own pools, last given back first taken, so that what is used next is still in the
 * cache. A connection has no buffer while it waits for a request: ten thousand idle ones cost a few megabytes. */
#ifndef TICKETRUSH_EDGE_PRIVATE_H
#define TICKETRUSH_EDGE_PRIVATE_H

#include "edge/edge.h"
#include "edge/router.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

enum {
        LOOP_EVENTS_MAX = 256,
        POOL_MAX = 1024,            /* buffers or requests that a loop keeps for later */
        BUFFER_FIRST = 2048,        /* bytes of a new buffer */
        BUFFER_KEPT_MAX = 16384,    /* a larger one is given back to the system */
        ANSWER_JOINED_MAX = 16384,  /* a larger body is sent from where it lies, not copied behind its head */
        UNREAD_BODY_MAX = 65536,    /* of a refused request: more is not read, the connection ends */
        PENDING_OUT_MAX = 262144,   /* unsent bytes beyond which a connection's next request waits */
        BUFFER_MAX = EDGE_OUT_MAX + PENDING_OUT_MAX + 65536,
        READS_MAX = 16,             /* of one connection before the next one has its turn */
        PEER_MAX = 46,
};

/* What a connection waits for, and until when. */
enum deadline { DEADLINE_NONE, DEADLINE_IDLE, DEADLINE_HEAD, DEADLINE_BODY, DEADLINE_WRITE, DEADLINE_LINGER, DEADLINES };

struct connection {
        struct edge_loop *loop;
        struct connection *older, *newer; /* of its deadline's list */
        struct connection *ready_next;
        int64_t since_us;                 /* of the deadline */
        struct request *request;          /* its body is being read, or it is being answered */
        struct buffer in, out;            /* taken from the pool only while there is something in them */
        size_t start;                     /* in `in`: where the next request begins, or this one until it is asked */
        size_t body_at;                   /* in `in`: where the body of `request` begins */
        size_t scanned;                   /* in `in`: up to here no head is complete */
        size_t skip;                      /* bytes of a refused request's body that are still to come */
        size_t sent;                      /* of `out` */
        struct http1_chunks chunks;
        uint64_t peer_hash;
        int fd;
        enum deadline deadline;
        bool readable;     /* there may be something to read */
        bool hung_up;      /* the client sends no more: read until the end shows */
        bool ended;        /* the end has shown */
        bool blocked;      /* the client takes no more for now */
        bool broken;       /* sending failed: close */
        bool asked;        /* `request` is with its route */
        bool running;      /* connection_run is on the stack */
        bool ready;        /* in the loop's ready list */
        bool keep;         /* the client wants to go on after this request */
        bool cut;          /* an answer now leaves a body unread that cannot be skipped */
        bool closing;      /* the last answer has been made */
        bool lingering;    /* it has been sent; what the client still sends is thrown away */
        bool progress;     /* since the deadline was set */
        char peer[PEER_MAX];
};

/* A request with what only the edge knows of it. The request comes first. */
struct request_box {
        struct request request;
        struct buffer in; /* the bytes that request's texts point into, once the client has gone */
        struct request_box *before, *after; /* of the loop's requests in flight */
};

struct connection_list {
        struct connection *oldest, *newest;
};

struct edge_loop {
        struct edge *edge;
        unsigned number;
        int epoll, listener, wake;
        int spare; /* a descriptor to give up when there are no more, so that a client can be refused */
        pthread_t thread;

        _Atomic(struct edge_parcel *) parcels; /* newest first */
        atomic_bool sleeping;                  /* a parcel needs a wake-up */

        int64_t now_us;     /* of this turn of the loop */
        int64_t dated_us;   /* when the wall clock was asked */
        int64_t date_s;
        uint64_t random[2];
        char common[192];   /* the head's part that is the same for every answer of this second, up to the trace id */
        size_t common_length;

        struct connection_list lists[DEADLINES];
        struct connection *ready, **ready_end;
        struct request_box *requests; /* in flight */
        struct request_box *request_pool;
        struct connection *connection_pool;
        struct buffer buffers[POOL_MAX];
        size_t request_pool_count, connection_pool_count, buffer_count;
        bool draining;

        /* Written by this loop only. */
        _Atomic uint64_t accepted, open, asked, refused_connections, bad_requests;
        char waste[16384]; /* what nobody wants to read is read into this */
};

struct edge {
        struct edge_config config;
        struct router router;
        struct edge_gate gate;
        int64_t deadlines_us[DEADLINES];
        uint16_t port;
        bool started;
        _Atomic int64_t open; /* connections of all loops */
        atomic_bool stopping;
        int64_t drain_us;
        struct edge_loop *loops[EDGE_LOOPS_MAX];
};

/* edge.c */
int64_t edge_now_us(const struct edge *edge);

/* loop.c */
int loop_new(struct edge_loop **ret_loop, struct edge *edge, unsigned number, int listener);
struct edge_loop *loop_free(struct edge_loop *loop);
void *loop_run(void *loop);
void loop_wake(struct edge_loop *loop);
void loop_ready(struct edge_loop *loop, struct connection *connection);
void loop_expect(struct edge_loop *loop, struct connection *connection, enum deadline deadline);
/* Takes a buffer from the pool, if it has none yet. */
void loop_buffer_take(struct edge_loop *loop, struct buffer *buffer);
void loop_buffer_give(struct edge_loop *loop, struct buffer *buffer);

/* connection.c */
void connection_open(struct edge_loop *loop, int fd, const struct sockaddr_storage *address);
void connection_on_event(struct connection *connection, uint32_t events);
/* Goes on as far as the bytes reach; may close. */
void connection_run(struct connection *connection);
void connection_expire(struct connection *connection);
void connection_close(struct connection *connection);
void connection_forget(struct connection *connection); /* closed, and in no list any more */
/* The loop drains: an idle connection ends, unless a request has just come. */
void connection_drain(struct connection *connection);
/* Is this the last answer? */
bool connection_ends(const struct connection *connection);
/* `out` has the answer. */
void connection_answered(struct connection *connection, bool ends);
/* Sends `out` and then `more`; returns how many bytes of `more` have gone. */
size_t connection_send(struct connection *connection, struct text more);

/* request.c */
struct request *request_take(struct edge_loop *loop);      /* not begun; NULL without memory */
void request_untake(struct request *request);
void request_begin(struct request *request, struct connection *connection);
void request_orphan(struct request *request); /* the client has gone */
void request_end(struct request *request);
void trace_next(struct edge_loop *loop, char trace[static EDGE_TRACE_LENGTH]);
/* The trace id of a well-formed W3C traceparent. */
bool trace_parse(struct text traceparent, char trace[static EDGE_TRACE_LENGTH]);

/* answer.c */
struct text answer_reason(int status);
/* A whole answer without a request, for a client that is turned away at the door. */
void answer_turn_away(struct edge_loop *loop, struct buffer *out);
void loop_date(struct edge_loop *loop);
/* problem.c */
void problem_write(struct json_writer *json, int status, const char *code, const char *detail, struct text trace);

/* edge_metrics.c */
void metrics_of_loop_register(unsigned loop);
void metrics_count(unsigned loop, int status, int64_t duration_us);
void metrics_count_bad(unsigned loop);
void metrics_set_open(unsigned loop, int64_t open);

#endif
