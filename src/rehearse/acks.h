/* acks.h: a list of everything that the server acknowledged, one JSON line each, for whoever checks after a crash that
 * nothing of it was lost. A line is written after its answer came in, and before anything else is asked that follows.
 */
#ifndef TICKETRUSH_REHEARSE_ACKS_H
#define TICKETRUSH_REHEARSE_ACKS_H

#include "base/buffer.h"
#include "service/vocabulary.h"

struct acks {
        int fd; /* -1: nobody wants them */
        struct buffer lines;
};

/* path NULL: nobody wants them. Negative fault. */
int acks_open(struct acks *acks, const char *path);
void acks_close(struct acks *acks);
/* {"what":…,"account":…,"id":…,"state":…,"number":…,"seats":[…],"tickets":…}; what is 0, NULL or empty is left out. */
struct ack {
        const char *what;
        account_id account;
        const char *prefix; /* of id */
        uint64_t id;
        struct text state, tickets; /* tickets: a JSON array */
        uint64_t number;
        const uint32_t *seats;
        uint32_t seat_count;
};
void acks_add(struct acks *acks, const struct ack *ack);
/* write(2) of what has been added. */
void acks_flush(struct acks *acks);

#endif
