/* request.c: a request's memory, from the loop's pool and back, and its trace id.
 *
 * A request that is with its route is in the loop's list of requests in flight. When its client goes away it takes
 * over the bytes that its texts point into, and lives on until it is answered. */
#include "edge/edge_private.h"

#include <stdlib.h>

enum { TRACEPARENT_LENGTH = 55, BODY_OUT_KEPT_MAX = BUFFER_KEPT_MAX };

static struct request_box *box_of(struct request *request) {
        return (struct request_box *)request; /* the first member */
}

struct request *request_take(struct edge_loop *loop) {
        struct request_box *box = loop->request_pool;
        if (box) {
                loop->request_pool = box->after;
                loop->request_pool_count--;
                return &box->request;
        }
        box = malloc(sizeof *box);
        if (!box)
                return NULL;
        box->in = (struct buffer){0};
        box->request.loop = loop;
        arena_init(&box->request.arena, EDGE_ARENA_MAX);
        buffer_init(&box->request.body_out, EDGE_OUT_MAX);
        return &box->request;
}

void request_untake(struct request *request) {
        struct edge_loop *loop = request->loop;
        struct request_box *box = box_of(request);
        if (loop->request_pool_count == POOL_MAX) {
                arena_deinit(&request->arena);
                buffer_deinit(&request->body_out);
                free(box);
                return;
        }
        box->after = loop->request_pool;
        loop->request_pool = box;
        loop->request_pool_count++;
}

void request_begin(struct request *request, struct connection *connection) {
        struct edge_loop *loop = request->loop;
        request->route = NULL;
        request->service = NULL;
        request->body = (struct text){0};
        request->caller = (struct caller){0};
        memcpy(request->peer, connection->peer, sizeof request->peer);
        request->peer_hash = connection->peer_hash;
        request->arrived_us = loop->now_us;
        request->connection = connection;
        request->next = NULL;
        if (!trace_parse(request_header(request, "traceparent"), request->trace))
                trace_next(loop, request->trace);

        struct request_box *box = box_of(request);
        box->before = NULL;
        box->after = loop->requests;
        if (box->after)
                box->after->before = box;
        loop->requests = box;
}

void request_orphan(struct request *request) {
        struct connection *connection = request->connection;
        box_of(request)->in = connection->in;
        connection->in = (struct buffer){0};
        connection->request = NULL;
        request->connection = NULL;
}

void request_end(struct request *request) {
        struct edge_loop *loop = request->loop;
        struct request_box *box = box_of(request);
        if (box->before)
                box->before->after = box->after;
        else
                loop->requests = box->after;
        if (box->after)
                box->after->before = box->before;

        loop_buffer_give(loop, &box->in);
        if (request->arena.used > 0 || request->arena.overflowed)
                arena_reset(&request->arena);
        if (request->body_out.capacity > BODY_OUT_KEPT_MAX)
                buffer_deinit(&request->body_out);
        buffer_clear(&request->body_out);
        request_untake(request);
}

/* xoroshiro128+ (Blackman and Vigna), seeded from the system: a trace id must be unlikely to repeat, not be secret. */
static uint64_t random_next(uint64_t state[static 2]) {
        uint64_t a = state[0], b = state[1], result = a + b;
        b ^= a;
        state[0] = ((a << 24) | (a >> 40)) ^ b ^ (b << 16);
        state[1] = (b << 37) | (b >> 27);
        return result;
}

void trace_next(struct edge_loop *loop, char trace[static EDGE_TRACE_LENGTH]) {
        uint64_t id[2] = {random_next(loop->random), random_next(loop->random)};
        text_hex(trace, id, sizeof id);
}

/* n lower-case hexadecimal digits, not all of them 0? */
static bool is_hex_id(const char *at, size_t n) {
        bool other_than_zero = false;
        for (size_t i = 0; i < n; i++) {
                if (!((at[i] >= '0' && at[i] <= '9') || (at[i] >= 'a' && at[i] <= 'f')))
                        return false;
                other_than_zero = other_than_zero || at[i] != '0';
        }
        return other_than_zero;
}

bool trace_parse(struct text traceparent, char trace[static EDGE_TRACE_LENGTH]) {
        const char *at = traceparent.at;
        if (traceparent.length < TRACEPARENT_LENGTH || at[2] != '-' || at[35] != '-' || at[52] != '-')
                return false;
        /* version "-" trace id "-" parent id "-" flags; only later versions may go on behind it. */
        bool first_version = at[0] == '0' && at[1] == '0';
        if (!first_version && (!is_hex_id(at, 2) || (at[0] == 'f' && at[1] == 'f')))
                return false;
        if (traceparent.length > TRACEPARENT_LENGTH && (first_version || at[TRACEPARENT_LENGTH] != '-'))
                return false;
        bool flags = (at[53] == '0' && at[54] == '0') || is_hex_id(at + 53, 2);
        if (!flags || !is_hex_id(at + 3, EDGE_TRACE_LENGTH) || !is_hex_id(at + 36, 16))
                return false;
        memcpy(trace, at + 3, EDGE_TRACE_LENGTH);
        return true;
}
