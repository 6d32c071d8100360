/* http1.h: HTTP/1.1 requests from bytes (RFC 9112), as a pure function: bytes in, a request, "need more" or a refusal out.
 *
 * Strict (blueprint section 11): exactly one well-formed Host; Transfer-Encoding together with Content-Length, in HTTP/1.0, or not
 * exactly "chunked" is refused, several or malformed Content-Length too; no folded headers, no blank before the colon,
 * no bare CR, NUL or control character; limits on line, header, count and body; request targets in origin form (or
 * absolute form, or * for OPTIONS). Nothing is copied but chunked bodies, which are joined in place. */
#ifndef TICKETRUSH_EDGE_HTTP1_H
#define TICKETRUSH_EDGE_HTTP1_H

#include "base/text.h"

enum http_method { HTTP_GET = 1, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS };

enum {
        HTTP_LINE_MAX = 8192,
        HTTP_HEAD_MAX = 16384,
        HTTP_HEADERS_MAX = 64,
        HTTP_BODY_MAX = 65536,             /* by default; a route may allow more */
        HTTP_BODY_LARGE_MAX = 33554432,    /* a seating plan */
};

struct http_header {
        struct text name, value;
};

struct http_head {
        enum http_method method;
        struct text path;  /* as sent, not decoded, begins with / */
        struct text query; /* after ?, may be empty */
        struct http_header headers[HTTP_HEADERS_MAX];
        unsigned header_count;
        struct text host;
        uint64_t content_length;
        bool chunked, keep_alive, expect_continue, http_1_0;
        size_t length; /* bytes of the head, including the empty line */
};

/* > 0: the head is complete (its length); 0: need more bytes; < 0: minus the status to answer with before closing (400,
 * 414, 431, 501, 505, 417). ret_head is filled as far as the bytes reach. */
int http1_parse_head(struct http_head *ret_head, const char *bytes, size_t n);
struct text http_header_of(const struct http_head *head, const char *lower_case_name); /* at NULL if absent; the first */
unsigned http_header_times(const struct http_head *head, const char *lower_case_name);

/* A chunked body, joined in place. Starts as zeros. The caller may drop the bytes from `written` to `read` between two
 * calls (and then says read = written). trailer_bytes: of extensions and trailers, HTTP_HEAD_MAX together. */
struct http1_chunks { unsigned state; uint64_t left; size_t read, written; size_t trailer_bytes; };
/* 1: complete (chunks->read bytes used, body is bytes[0 … written)); 0: need more; < 0: minus the status (400, 413, 431). */
int http1_join_chunks(struct http1_chunks *chunks, char *bytes, size_t n, size_t body_max);

/* application/x-www-form-urlencoded query: the value of a parameter, percent-decoded into out. 1 found, 0 absent,
 * -1 malformed escape, too long, or given twice. */
int http_query_value(struct text query, const char *name, char *out, size_t capacity, struct text *ret_value);

#endif
