/* edge.h: an HTTP server without product words: one event loop per core, routes, requests and answers.
 *
 * Threads. A loop owns its connections and requests; `ask` and `answer` of a route run on the loop's thread and must not
 * block. Whoever finishes a request from another thread posts a parcel to the loop (edge_post), and the loop calls it.
 * One connection's requests are answered in order, one at a time; the next is parsed when the last has been answered.
 *
 * Memory. A request has an arena (request->arena) that lives until it is answered, also when its client has gone away:
 * a command may live there while a lane works on it. A request that is not answered at once stays alive until it is. */
#ifndef TICKETRUSH_EDGE_EDGE_H
#define TICKETRUSH_EDGE_EDGE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/json_writer.h"
#include "edge/http1.h"

enum {
        EDGE_LOOPS_MAX = 64,
        EDGE_CONNECTIONS_MAX = 65536,      /* per process, by default; then accept and 503 */
        EDGE_PARAMETERS_MAX = 4,
        EDGE_ROUTES_MAX = 256,
        EDGE_ARENA_MAX = 64 * 1024 * 1024, /* of one request */
        EDGE_HEAD_SECONDS = 10,            /* deadline for a whole head */
        EDGE_BODY_SECONDS = 30,
        EDGE_IDLE_SECONDS = 75,
        EDGE_WRITE_SECONDS = 20,           /* a reader that takes nothing for so long is cut */
        EDGE_OUT_MAX = 64 * 1024 * 1024,   /* of one answer */
        EDGE_TRACE_LENGTH = 32,
};

struct edge;
struct edge_loop;
struct connection;
struct request;

struct edge_parcel {
        void (*deliver)(struct edge_parcel *parcel); /* on the loop's thread */
        struct edge_parcel *next;
};

/* Who asks; filled by the edge's gate (below). account 0: nobody signed in. */
struct caller {
        uint64_t account;
        int role;
        int64_t expires_at; /* ms: of the token */
};

struct route {
        const char *operation; /* operationId in the OpenAPI document */
        enum http_method method;
        const char *path;      /* /api/v1/schedules/{scheduleId}/holds */
        int access;            /* the gate's word for who may; 0: everybody */
        unsigned limit_class;  /* the gate's word for how often; 0: not limited */
        size_t body_max;       /* 0: no body allowed (413) */
        /* Answers the request at once (edge_answer…), or sees to it that it will be answered. */
        void (*ask)(void *service, struct request *request);
};

struct request {
        const struct route *route;
        void *service;
        struct http_head head;
        struct text body;
        struct text parameters[EDGE_PARAMETERS_MAX]; /* in the order of the path's braces, not decoded */
        struct caller caller;
        char trace[EDGE_TRACE_LENGTH];               /* 32 hex letters; of traceparent if the client sent one */
        char peer[46];                               /* the client's address, terminated */
        uint64_t peer_hash;
        int64_t arrived_us;                          /* monotonic, for latency metrics */
        struct arena arena;
        struct edge_loop *loop;
        struct connection *connection;               /* NULL: the client has gone */
        struct buffer body_out;                      /* the answer's body is built here */
        struct request *next;
};

/* Before a route's ask, and before the body is read (request->body is empty): fills request->caller, refuses what may
 * not pass. 0: go on; 1: it has answered. */
struct edge_gate {
        int (*admit)(void *context, struct request *request);
        void *context;
};

struct edge_config {
        const char *host;
        uint16_t port;             /* 0: any free one */
        unsigned loops;            /* 1 … EDGE_LOOPS_MAX */
        unsigned connections_max;
        const char *server_name;   /* for the Server header; NULL: none */
        int64_t (*now_ms)(void *context); /* wall clock for the Date header */
        void *now_context;
        int64_t (*monotonic_us)(void); /* for deadlines and latency; NULL: made of now_ms */
        void (*trace_fill)(void *context, void *bytes, size_t n); /* random bytes for trace ids */
        void *trace_context;
};

int edge_new(struct edge **ret_edge, const struct edge_config *config); /* binds and listens; -EADDRINUSE, -EACCES, … */
struct edge *edge_free(struct edge *edge);
void edge_add_route(struct edge *edge, const struct route *route, void *service); /* before edge_start */
void edge_set_gate(struct edge *edge, const struct edge_gate *gate);
size_t edge_routes(const struct edge *edge, const struct route **ret_routes, size_t capacity); /* for the test against OpenAPI */
uint16_t edge_port(const struct edge *edge);
int edge_start(struct edge *edge);
/* Stops accepting, lets requests finish (at most so many seconds), closes connections, ends the loops. */
void edge_stop(struct edge *edge, unsigned drain_seconds);
/* Wakes the loop if needed; any thread. */
void edge_post(struct edge_loop *loop, struct edge_parcel *parcel);

/* Answers. Each is called exactly once per request, on the loop's thread; the request is gone afterwards. Headers that
 * are common (Date, Content-Length, X-Trace-Id, Connection, Cache-Control: no-store unless told) are added. */
struct answer_header { const char *name; struct text value; };
void edge_answer(struct request *request, int status, const char *content_type, struct text body,
                 const struct answer_header *headers, size_t header_count);
/* JSON: json writes into request->body_out, edge_answer_json sends it. Hot path. */
struct json_writer edge_json(struct request *request);
void edge_answer_json(struct request *request, int status);
void edge_answer_json_with(struct request *request, int status, const struct answer_header *headers, size_t header_count);
void edge_answer_empty(struct request *request, int status, const struct answer_header *headers, size_t header_count);
/* 304 if If-None-Match has the tag (with quotes), else false and nothing is sent. */
bool edge_answer_not_modified(struct request *request, struct text etag);
/* Does Accept-Encoding take gzip? */
bool edge_accepts_gzip(const struct request *request);
/* application/problem+json (RFC 9457): {"type":"about:blank","title":…,"status":…,"code":…,"detail":…,"traceId":…}.
 * code is stable, upper case, e.g. SEAT_TAKEN; detail is a sentence a person can act on. retry_after_seconds 0: no
 * Retry-After. */
void edge_answer_problem(struct request *request, int status, const char *code, const char *detail, unsigned retry_after_seconds);
void edge_answer_problem_with(struct request *request, int status, const char *code, const char *detail,
                              unsigned retry_after_seconds, const struct answer_header *headers, size_t header_count);

/* The header's value, or {NULL,0}. */
static inline struct text request_header(const struct request *request, const char *lower_case_name) {
        return http_header_of(&request->head, lower_case_name);
}

struct edge_figures {
        uint64_t accepted, open, requests, refused_connections, bad_requests;
};
void edge_figures(const struct edge *edge, struct edge_figures *ret_figures);

#endif
