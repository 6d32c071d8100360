/* http_client.h: one HTTP call that waits for its answer: for setting the stage, and for the demo. A connection per
 * call. */
#ifndef TICKETRUSH_REHEARSE_HTTP_CLIENT_H
#define TICKETRUSH_REHEARSE_HTTP_CLIENT_H

#include "base/buffer.h"
#include "rehearse/http_answer.h"

enum { HTTP_CALL_SECONDS = 30, HTTP_CALL_BODY_MAX = 40 * 1024 * 1024 };

/* Where the server is. */
struct http_place {
        const char *host; /* name or address, without brackets */
        uint16_t port;
};

/* Connects, blocking; the descriptor or a negative fault (-ENOENT: no such host). */
int http_connect(const struct http_place *place);
/* The Host header, with its CRLF. */
void http_write_host(struct buffer *out, const struct http_place *place);
/* Sends and waits, at most HTTP_CALL_SECONDS between two bytes. token may be NULL; headers are whole lines with their
 * CRLF, or NULL; body at NULL: none. *raw (initialised by the caller) keeps the bytes that ret_answer borrows from.
 * 0, or a negative fault: -EPROTO for what is not HTTP, -ECONNREFUSED, -ETIMEDOUT, … */
int http_call(const struct http_place *place, const char *method, const char *path, struct text token,
              const char *headers, struct text body, struct buffer *raw, struct http_answer *ret_answer);

#endif
