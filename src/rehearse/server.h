/* server.h: a server of our own for a rehearsal: this very program as a child process, on a port of its own. */
#ifndef TICKETRUSH_REHEARSE_SERVER_H
#define TICKETRUSH_REHEARSE_SERVER_H

#include <sys/types.h>

#include "rehearse/http_client.h"
#include "rehearse/options.h"

enum { SERVER_PATH_BYTES = 4096 };

struct server {
        pid_t pid; /* 0: not running */
        int output;
        struct http_place place;
        char data[SERVER_PATH_BYTES];
        bool temporary;                 /* the folder goes away with server_close */
        int64_t cpu_us, peak_rss_bytes; /* of its whole life; known when it has stopped */
};

/* Makes the folder, starts the server and waits until it says where it serves. Negative fault, a sentence in problem.
 */
int server_start(struct server *server, const struct rehearse_options *options, struct buffer *problem);
/* Processor time up to now, user and system; 0 if it does not run. */
int64_t server_cpu_us(const struct server *server);
/* Asks it to stop (SIGTERM) and waits. 0, or negative: it did not end well. */
int server_stop(struct server *server);
/* Removes a temporary folder. The server has been stopped. */
void server_close(struct server *server);

#endif
