/* saga_steps_test.c: the saga's world step by step, on one thread: workers whose jobs run when the test says so. */
#include "saga_world_test.h"

#include "lane/workers.h"

struct workers {
        struct worker_job *first, **end;
};
static struct workers the_workers;
static struct payment_call *calls[256]; /* all that there are, so that a crash can free those under way */
static size_t call_count;

/* The process ends: calls that are on their way, in a job or in the lane's queue, are nobody's any more. */
static void free_lost_calls(void) {
        for (size_t i = 0; i < call_count; i++) {
                struct payment_call *idle = world.payment->free_calls;
                while (idle && idle != calls[i])
                        idle = idle->next_free;
                if (!idle)
                        free(calls[i]);
        }
        call_count = 0;
}

int workers_new(struct workers **ret_workers, const char *name, unsigned threads, size_t queue_max) {
        (void)name, (void)threads, (void)queue_max;
        world_before_close = free_lost_calls;
        the_workers = (struct workers){.end = &the_workers.first};
        *ret_workers = &the_workers;
        return 0;
}

struct workers *workers_free(struct workers *workers) {
        (void)workers;
        return NULL;
}

int workers_submit(struct workers *workers, struct worker_job *job) {
        struct payment_call *call = (struct payment_call *)(void *)((char *)job - offsetof(struct payment_call, job));
        size_t i = 0;
        while (i < call_count && calls[i] != call)
                i++;
        assert_true(i < sizeof calls / sizeof calls[0]);
        calls[i] = call;
        call_count = i == call_count ? i + 1 : call_count;
        job->next = NULL;
        *workers->end = job;
        workers->end = &job->next;
        return 0;
}

static bool run_a_job(void) {
        struct worker_job *job = the_workers.first;
        if (!job)
                return false;
        the_workers.first = job->next;
        if (!the_workers.first)
                the_workers.end = &the_workers.first;
        job->run(job);
        return true;
}

void world_reverse_jobs(void) {
        struct worker_job *reversed = NULL, *job = the_workers.first;
        the_workers.end = job ? &job->next : &the_workers.first;
        while (job) {
                struct worker_job *next = job->next;
                job->next = reversed;
                reversed = job;
                job = next;
        }
        the_workers.first = reversed;
}

bool world_step(void) {
        return run_a_job() || lane_step(world.lane);
}

void world_rest(void) {
        for (unsigned hours = 0; hours < 5000; hours++) {
                while (world_step())
                        ;
                if (world.payment->store.open.count == 0 && lane_is_idle(world.lane))
                        return;
                kit_clock_add(1000);
        }
        fail_msg("the world does not come to rest");
}
