/* edge_kit_test.h: a server on 127.0.0.1 with a few routes, and a client that says and hears raw bytes. */
#ifndef TICKETRUSH_EDGE_EDGE_KIT_TEST_H
#define TICKETRUSH_EDGE_EDGE_KIT_TEST_H

#include "base/unit_test.h"
#include "edge/edge_private.h"

enum { KIT_LARGE_MAX = 4 * 1024 * 1024, KIT_BIG = 8 * 1024 * 1024, KIT_PATIENCE_SECONDS = 20 };

/* Routes: GET /hello/{name}, POST /echo, POST /large (both echo), GET /big, GET /later (held until kit_answer),
 * GET /tag (ETag "v1", Cache-Control given), GET /gzip (taken or not), POST /nothing. A request with X-Refuse is refused by the
 * gate with 401. */
struct kit {
        struct edge *edge;
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        struct later *held; /* oldest first */
};

/* A request of /later; lives in its arena. */
struct later {
        struct edge_parcel parcel;
        struct request *request;
        struct later *next;
};

/* NULL: as it is by default, one loop. */
void kit_new(struct kit *kit, const struct edge_config *config);
void kit_start(struct kit *kit);
/* kit_new and kit_start. */
void kit_open(struct kit *kit);
void kit_close(struct kit *kit);
/* Waits for a request of /later; answered by kit_answer, from the caller's thread. */
struct later *kit_held(struct kit *kit);
void kit_answer(struct later *later);
/* Waits until so many connections are open. */
void kit_wait_open(struct kit *kit, uint64_t open);

int client_open(const struct kit *kit);
void client_say(int fd, struct text bytes);
#define SAY(fd, literal) client_say(fd, TEXT(literal))
/* The client ends its half. */
void client_end(int fd);
/* Gone without a word (RST). */
void client_vanish(int fd);

struct heard {
        int status;
        char head[4096]; /* terminated */
        struct buffer body;
};
/* The next answer. Without body if it is one to HEAD. Fails the test when the connection ends first. */
void client_hear(int fd, struct heard *heard, bool head_only);
/* An answer's status, and that the body contains a text. */
void client_hears(int fd, int status, const char *in_body);
/* The connection ends without another byte. */
void client_hears_end(int fd);
/* The header's value in heard->head, or NULL: terminated by \r. */
const char *heard_header(const struct heard *heard, const char *name);

#endif
