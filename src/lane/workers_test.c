/* workers_test.c: every job that was taken runs once, also at the end; a full queue refuses. */
#include "lane/workers.h"

#include "base/fault.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { JOBS = 1000, QUEUE = 8 };

struct job {
        struct worker_job job; /* first */
        _Atomic unsigned runs;
        sem_t *gate, *began; /* or NULL */
};

static void run(struct worker_job *base) {
        struct job *job = (struct job *)(void *)base;
        if (job->began)
                sem_post(job->began);
        if (job->gate)
                sem_wait(job->gate);
        atomic_fetch_add(&job->runs, 1);
}

static void every_job_runs_once_before_the_pool_goes(void **state) {
        (void)state;
        static struct job jobs[JOBS];
        struct workers *workers = NULL;
        assert_int_equal(workers_new(&workers, "test", 3, JOBS), 0);
        for (int i = 0; i < JOBS; i++) {
                jobs[i] = (struct job){.job.run = run};
                assert_int_equal(workers_submit(workers, &jobs[i].job), 0);
        }
        assert_null(workers_free(workers));
        for (int i = 0; i < JOBS; i++)
                assert_int_equal(jobs[i].runs, 1);
}

static void a_full_queue_refuses(void **state) {
        (void)state;
        sem_t gate, began;
        sem_init(&gate, 0, 0);
        sem_init(&began, 0, 0);
        struct workers *workers = NULL;
        assert_int_equal(workers_new(&workers, "test", 1, QUEUE), 0);
        struct job first = {.job.run = run, .gate = &gate, .began = &began}, jobs[QUEUE + 1];
        assert_int_equal(workers_submit(workers, &first.job), 0);
        sem_wait(&began); /* the only thread is busy now, and the queue is empty */
        for (int i = 0; i <= QUEUE; i++) {
                jobs[i] = (struct job){.job.run = run};
                assert_int_equal(workers_submit(workers, &jobs[i].job), i < QUEUE ? 0 : FAULT_BUSY);
        }
        sem_post(&gate);
        workers_free(workers);
        assert_int_equal(first.runs, 1);
        for (int i = 0; i <= QUEUE; i++)
                assert_int_equal(jobs[i].runs, i < QUEUE);
        sem_destroy(&gate);
        sem_destroy(&began);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_job_runs_once_before_the_pool_goes),
                cmocka_unit_test(a_full_queue_refuses),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
