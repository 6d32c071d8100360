/* lane_threads_test.c: a lane with its thread, and many who submit. Run it under ThreadSanitizer, too. */
#include "kit/kit_notes.h"

#include "base/log.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SUBMITTERS = 4, EACH = 3000, WINDOW = 100 };

/* A command that tells its submitter when it has been answered. */
struct ask {
        struct note_command note; /* first */
        sem_t *answered;
        _Atomic unsigned answers;
};

static void tell(struct lane_command *command) {
        struct ask *ask = (struct ask *)(void *)command;
        atomic_fetch_add(&ask->answers, 1);
        sem_post(ask->answered);
}

struct submitter {
        pthread_t thread;
        struct lane *lane;
        struct notes *notes;
        int number;
        struct ask *asks;
        unsigned taken;
        sem_t answered;
};

static void submitter_init(struct submitter *submitter, struct notes *notes, int number) {
        *submitter = (struct submitter){
                .lane = notes->lane, .notes = notes, .number = number, .asks = calloc(EACH, sizeof(struct ask))};
        assert_non_null(submitter->asks);
        sem_init(&submitter->answered, 0, 0);
        for (int i = 0; i < EACH; i++) {
                struct ask *ask = &submitter->asks[i];
                ask->note = note_command(notes, i % 3 == 0 ? &note_count : &note_add, 1 + i + number * EACH);
                ask->note.command.done = tell;
                ask->answered = &submitter->answered;
        }
}

static void submitter_deinit(struct submitter *submitter) {
        sem_destroy(&submitter->answered);
        free(submitter->asks);
}

/* At most WINDOW under way, so that the lane goes to sleep again and again. */
static void *submit_all(void *context) {
        struct submitter *submitter = context;
        for (unsigned i = 0; i < EACH; i++) {
                if (i >= WINDOW)
                        sem_wait(&submitter->answered);
                while (lane_submit(submitter->lane, &submitter->asks[i].note.command) == FAULT_BUSY)
                        sched_yield();
        }
        for (unsigned i = 0; i < WINDOW; i++)
                sem_wait(&submitter->answered);
        return NULL;
}

/* Until the lane takes no more. */
static void *submit_until_refused(void *context) {
        struct submitter *submitter = context;
        while (submitter->taken < EACH &&
               lane_submit(submitter->lane, &submitter->asks[submitter->taken].note.command) == 0)
                submitter->taken++;
        return NULL;
}

static void many_submitters_are_all_answered_once(void **state) {
        (void)state;
        struct lane *lane = kit_lane_open(NULL);
        struct notes notes;
        notes_init(&notes, lane);
        assert_int_equal(lane_start(lane), 0);
        struct submitter submitters[SUBMITTERS];
        for (int i = 0; i < SUBMITTERS; i++)
                submitter_init(&submitters[i], &notes, i);
        for (int i = 0; i < SUBMITTERS; i++)
                pthread_create(&submitters[i].thread, NULL, submit_all, &submitters[i]);
        for (int i = 0; i < SUBMITTERS; i++)
                pthread_join(submitters[i].thread, NULL);
        while (!lane_is_idle(lane))
                sched_yield();
        lane_stop(lane);
        for (int i = 0; i < SUBMITTERS; i++) {
                for (int k = 0; k < EACH; k++)
                        assert_int_equal(submitters[i].asks[k].answers, 1);
                submitter_deinit(&submitters[i]);
        }
        assert_int_equal(notes_ask(lane, NOTES_STORED), SUBMITTERS * EACH * 2 / 3);
        assert_int_equal(notes_ask(lane, NOTES_HEARD), SUBMITTERS * EACH * 2 / 3);
        lane_free(lane);
}

static void stop_in_the_middle_answers_everything_that_was_taken(void **state) {
        (void)state;
        struct lane *lane = kit_lane_open(NULL);
        struct notes notes;
        notes_init(&notes, lane);
        assert_int_equal(lane_start(lane), 0);
        struct submitter submitters[SUBMITTERS];
        for (int i = 0; i < SUBMITTERS; i++)
                submitter_init(&submitters[i], &notes, i);
        for (int i = 0; i < SUBMITTERS; i++)
                pthread_create(&submitters[i].thread, NULL, submit_until_refused, &submitters[i]);
        sem_wait(&submitters[0].answered);
        lane_stop(lane);
        int64_t stored = 0;
        for (int i = 0; i < SUBMITTERS; i++) {
                pthread_join(submitters[i].thread, NULL);
                for (unsigned k = 0; k < EACH; k++) {
                        assert_int_equal(submitters[i].asks[k].answers, k < submitters[i].taken);
                        stored += submitters[i].asks[k].note.command.outcome == NOTE_STORED;
                }
                submitter_deinit(&submitters[i]);
        }
        assert_int_equal(notes_ask(lane, NOTES_STORED), stored);
        assert_int_equal(notes_ask(lane, NOTES_HEARD), stored);
        lane_free(lane);
}

static void one_who_waits_is_woken_by_another(void **state) {
        (void)state;
        struct lane *lane = kit_lane_open(NULL);
        struct notes notes;
        notes_init(&notes, lane);
        assert_int_equal(lane_start(lane), 0);
        sem_t answered;
        sem_init(&answered, 0, 0);
        struct ask waits = {.note = note_command(&notes, &note_wait, 5), .answered = &answered};
        struct ask add = {.note = note_command(&notes, &note_add, 5), .answered = &answered};
        waits.note.command.done = add.note.command.done = tell;
        assert_int_equal(lane_submit(lane, &waits.note.command), 0);
        assert_int_equal(lane_submit(lane, &add.note.command), 0);
        sem_wait(&answered);
        sem_wait(&answered);
        assert_int_equal(waits.note.command.outcome, NOTE_WOKEN);
        lane_stop(lane);
        lane_free(lane);
        sem_destroy(&answered);
}

/* The clock moves while the lane sleeps with a deadline that is far away: a nudge makes it look again. */
static void a_nudge_makes_a_sleeping_lane_look_round(void **state) {
        (void)state;
        struct lane *lane = kit_lane_open(NULL);
        struct notes notes;
        notes_init(&notes, lane);
        sem_t answered;
        sem_init(&answered, 0, 0);
        struct ask waits = {.note = note_command(&notes, &note_wait, 5), .answered = &answered};
        waits.note.command.done = tell;
        waits.note.wait_until = kit_now() + 3600000;
        assert_int_equal(lane_start(lane), 0);
        assert_int_equal(lane_submit(lane, &waits.note.command), 0);
        while (!lane_is_idle(lane))
                sched_yield();
        kit_clock_add(3600000);
        lane_nudge(lane);
        sem_wait(&answered);
        assert_int_equal(waits.note.command.outcome, LANE_WAITED);
        lane_stop(lane);
        lane_free(lane);
        sem_destroy(&answered);
}

int main(void) {
        log_set_level(LOG_ALARM + 1);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(many_submitters_are_all_answered_once),
                cmocka_unit_test(stop_in_the_middle_answers_everything_that_was_taken),
                cmocka_unit_test(one_who_waits_is_woken_by_another),
                cmocka_unit_test(a_nudge_makes_a_sleeping_lane_look_round),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
