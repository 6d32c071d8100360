/* workers.h: a bounded pool of threads behind a bounded queue, for what may block: password hashing, providers, mail. */
#ifndef TICKETRUSH_LANE_WORKERS_H
#define TICKETRUSH_LANE_WORKERS_H

#include <stddef.h>

struct worker_job {
        void (*run)(struct worker_job *job); /* on a worker's thread; owns the job from then on */
        struct worker_job *next;
};

struct workers;

int workers_new(struct workers **ret_workers, const char *name, unsigned threads, size_t queue_max);
/* Runs what is queued, then ends the threads. NULL is fine; returns NULL. */
struct workers *workers_free(struct workers *workers);
/* Any thread. FAULT_BUSY when the queue is full. */
int workers_submit(struct workers *workers, struct worker_job *job);

#endif
