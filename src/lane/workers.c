/* workers.c: see workers.h. One mutex, one condition: jobs take milliseconds, the queue is not where time goes. */
#include "lane/workers.h"

#include "base/assert.h"
#include "base/fault.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct workers {
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        struct worker_job *oldest, **end; /* the queue */
        size_t count, count_max;
        bool stopping;
        char name[16];
        unsigned thread_count;
        pthread_t threads[];
};

/* The next job, or NULL when the queue is empty and nothing comes any more. */
static struct worker_job *take(struct workers *workers) {
        pthread_mutex_lock(&workers->mutex);
        while (!workers->oldest && !workers->stopping)
                pthread_cond_wait(&workers->changed, &workers->mutex);
        struct worker_job *job = workers->oldest;
        if (job) {
                workers->oldest = job->next;
                if (!workers->oldest)
                        workers->end = &workers->oldest;
                workers->count--;
        }
        pthread_mutex_unlock(&workers->mutex);
        return job;
}

static void *work(void *context) {
        struct workers *workers = context;
        struct worker_job *job;
        while ((job = take(workers)))
                job->run(job);
        return NULL;
}

static int start_threads(struct workers *workers, unsigned threads) {
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        int code = 0;
        while (code == 0 && workers->thread_count < threads) {
                code = pthread_create(&workers->threads[workers->thread_count], NULL, work, workers);
                if (code == 0)
                        pthread_setname_np(workers->threads[workers->thread_count++], workers->name);
        }
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return -code;
}

int workers_new(struct workers **ret_workers, const char *name, unsigned threads, size_t queue_max) {
        PRE(threads > 0 && queue_max > 0);
        struct workers *workers = calloc(1, sizeof *workers + threads * sizeof(pthread_t));
        if (!workers)
                return -ENOMEM;
        pthread_mutex_init(&workers->mutex, NULL);
        pthread_cond_init(&workers->changed, NULL);
        workers->end = &workers->oldest;
        workers->count_max = queue_max;
        snprintf(workers->name, sizeof workers->name, "%s", name);
        int fault = start_threads(workers, threads);
        if (fault) {
                workers_free(workers);
                return fault;
        }
        *ret_workers = workers;
        return 0;
}

struct workers *workers_free(struct workers *workers) {
        if (!workers)
                return NULL;
        pthread_mutex_lock(&workers->mutex);
        workers->stopping = true;
        pthread_cond_broadcast(&workers->changed);
        pthread_mutex_unlock(&workers->mutex);
        for (unsigned i = 0; i < workers->thread_count; i++)
                pthread_join(workers->threads[i], NULL);
        pthread_cond_destroy(&workers->changed);
        pthread_mutex_destroy(&workers->mutex);
        free(workers);
        return NULL;
}

int workers_submit(struct workers *workers, struct worker_job *job) {
        PRE(job->run);
        pthread_mutex_lock(&workers->mutex);
        bool taken = workers->count < workers->count_max && !workers->stopping;
        if (taken) {
                job->next = NULL;
                *workers->end = job;
                workers->end = &job->next;
                workers->count++;
                pthread_cond_signal(&workers->changed);
        }
        pthread_mutex_unlock(&workers->mutex);
        return taken ? 0 : FAULT_BUSY;
}
