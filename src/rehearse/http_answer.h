/* http_answer.h: an HTTP/1.1 answer from bytes, as a pure function. Strict: it fails loudly where a browser would
 * guess, for this client is also a judge of the server. Only framing by Content-Length is known, as our server
 * promises. */
#ifndef TICKETRUSH_REHEARSE_HTTP_ANSWER_H
#define TICKETRUSH_REHEARSE_HTTP_ANSWER_H

#include "base/text.h"

enum { HTTP_ANSWER_HEAD_MAX = 16384, HTTP_ANSWER_BODY_MAX = 64 * 1024 * 1024 };

struct http_answer {
        int status;           /* 0: the connection was lost before the answer was complete */
        bool close;           /* the server will close the connection */
        unsigned retry_after; /* seconds; 0: not said */
        struct text body;     /* borrowed from the bytes */
};

/* > 0: the answer is complete and that long; 0: need more bytes; < 0: this is not an answer. */
int64_t http_answer_parse(struct http_answer *ret_answer, const char *bytes, size_t n);

#endif
