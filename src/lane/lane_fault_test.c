/* lane_fault_test.c: what a lane promises when something goes wrong: a command, an event, a tick, the store. Each time
 * only the culprit pays, everybody is answered exactly once, and memory, tables and answers agree. */
#include "kit/kit_db_fault.h"
#include "kit/kit_notes.h"

#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { MANY = 10 };

static void only_the_poison_command_gets_the_fault(void **state) {
        (void)state;
        struct lane *lane = kit_lane_open(NULL);
        struct notes notes;
        notes_init(&notes, lane);
        struct note_command adds[MANY], count = note_command(&notes, &note_count, 0);
        for (int i = 0; i < MANY; i++) {
                adds[i] = note_command(&notes, &note_add, i == 6 ? 3 : i); /* 3 again */
                assert_int_equal(lane_submit(lane, &adds[i].command), 0);
        }
        assert_int_equal(lane_submit(lane, &count.command), 0);
        kit_lane_run(lane);
        for (int i = 0; i < MANY; i++) {
                assert_int_equal(adds[i].answers, 1);
                assert_int_equal(adds[i].command.outcome, i == 6 ? 0 : NOTE_STORED);
                assert_int_equal(adds[i].command.fault, i == 6 ? FAULT_CONSTRAINT : 0);
        }
        assert_int_equal(count.command.outcome, NOTE_FOUND);
        assert_true(notes.rollbacks > 0);
        assert_int_equal(notes.count, MANY - 1);
        assert_int_equal(notes.published, MANY - 1);
        assert_int_equal(notes_ask(lane, NOTES_STORED), MANY - 1);
        assert_int_equal(notes_ask(lane, NOTES_HEARD), MANY - 1);
        assert_int_equal(notes_ask(lane, NOTES_JOURNALED), MANY - 1);
        lane_free(lane);
}

static void poison_commands_do_not_keep_consumers_from_their_turn(void **state) {
        (void)state;
        struct lane *lane = kit_lane_open(NULL);
        struct notes notes;
        notes_init(&notes, lane);
        struct note_command first = note_command(&notes, &note_add, 1), again;
        assert_int_equal(lane_submit(lane, &first.command), 0);
        assert_true(lane_step(lane));
        again = note_command(&notes, &note_add, 1);
        assert_int_equal(lane_submit(lane, &again.command), 0);
        assert_true(lane_step(lane));
        assert_int_equal(again.command.fault, FAULT_CONSTRAINT);
        assert_int_equal(notes_ask(lane, NOTES_HEARD), 1);
        lane_free(lane);
}

static void a_poison_event_is_buried_after_three_tries_and_the_rest_goes_on(void **state) {
        (void)state;
        struct lane *lane = kit_lane_open(NULL);
        struct notes notes;
        notes_init(&notes, lane);
        notes.refused = 4;
        struct note_command adds[MANY];
        for (int i = 0; i < MANY; i++) {
                adds[i] = note_command(&notes, &note_add, i + 1);
                assert_int_equal(lane_submit(lane, &adds[i].command), 0);
        }
        kit_lane_run(lane);
        for (int i = 0; i < MANY; i++)
                assert_int_equal(adds[i].command.outcome, NOTE_STORED);
        assert_int_equal(notes_ask(lane, NOTES_HEARD), MANY - 1);
        assert_int_equal(notes_ask(lane, NOTES_UNHEARD), 1);
        assert_int_equal(notes.echoes, MANY - 1);
        assert_int_equal(notes_ask(lane, NOTES_DEAD), 1);
        assert_int_equal(
                notes_ask(lane, "SELECT count(*) FROM dead_letter JOIN journal ON id = event_id WHERE subject_id = 4 "
                                "AND attempts = 3 AND length(reason) > 0 AND consumer = 'notes.listener'"),
                1);
        assert_true(lane_is_idle(lane));
        struct lane_figures figures;
        lane_figures(lane, &figures);
        assert_int_equal(figures.dead_letters, 1);

        /* All of it is forgotten: later ones run together again. */
        struct note_command later = note_command(&notes, &note_add, 100);
        assert_int_equal(kit_submit_and_run(lane, &later.command), NOTE_STORED);
        assert_int_equal(notes_ask(lane, NOTES_HEARD), MANY);
        lane_free(lane);
}

static void a_lone_poison_event_is_tried_exactly_three_times(void **state) {
        (void)state;
        struct lane *lane = kit_lane_open(NULL);
        struct notes notes;
        notes_init(&notes, lane);
        notes.refused = 4;
        struct note_command add = note_command(&notes, &note_add, 4);
        assert_int_equal(kit_submit_and_run(lane, &add.command), NOTE_STORED);
        assert_int_equal(notes.refused_tries, LANE_CONSUMER_ATTEMPTS_MAX);
        assert_int_equal(notes_ask(lane, NOTES_DEAD), 1);
        lane_free(lane);
}

static void an_event_that_recovers_is_not_buried(void **state) {
        (void)state;
        struct lane *lane = kit_lane_open(NULL);
        struct notes notes;
        notes_init(&notes, lane);
        notes.refused = 4;
        struct note_command add = note_command(&notes, &note_add, 4);
        assert_int_equal(lane_submit(lane, &add.command), 0);
        while (notes.refused_tries < LANE_CONSUMER_ATTEMPTS_MAX - 1)
                assert_true(lane_step(lane));
        notes.refused = 0;
        kit_lane_run(lane);
        assert_int_equal(notes_ask(lane, NOTES_HEARD), 1);
        assert_int_equal(notes_ask(lane, NOTES_DEAD), 0);
        lane_free(lane);
}

static void a_tick_that_fails_waits_and_disturbs_nobody(void **state) {
        (void)state;
        struct lane *lane = kit_lane_open(NULL);
        struct notes notes;
        notes_init(&notes, lane);
        notes.ticks_refused = 1;
        notes.tick_at = kit_now();
        struct note_command add = note_command(&notes, &note_add, 1);
        assert_int_equal(kit_submit_and_run(lane, &add.command), NOTE_STORED);
        assert_int_equal(notes.ticks, 1);
        assert_int_equal(notes_ask(lane, NOTES_STORED), 1);
        kit_clock_add(LANE_RETRY_MS - 1);
        kit_lane_run(lane);
        assert_int_equal(notes.ticks, 1);
        kit_clock_add(1);
        kit_lane_run(lane);
        assert_int_equal(notes.ticks, 2);
        assert_int_equal(notes_ask(lane, NOTES_STORED), 2);
        assert_int_equal(notes_ask(lane, NOTES_HEARD), 2);
        lane_free(lane);
}

/* A stopped clock and a full disk: whoever only reads is served, whoever writes is told, nothing spins. */
static void without_room_in_the_store_reads_go_on(void **state) {
        (void)state;
        struct db *db = kit_db_fault_new(kit_db_open(NULL));
        struct lane *lane = kit_lane_open_on(db);
        struct notes notes;
        notes_init(&notes, lane);
        struct note_command before = note_command(&notes, &note_add, 1);
        assert_int_equal(lane_submit(lane, &before.command), 0);
        assert_true(lane_step(lane)); /* said, not yet consumed */
        kit_db_fault_always(db, FAULT_STORAGE);

        struct note_command add = note_command(&notes, &note_add, 2), count = note_command(&notes, &note_count, 0);
        assert_int_equal(lane_submit(lane, &add.command), 0);
        assert_int_equal(lane_submit(lane, &count.command), 0);
        kit_lane_run(lane);
        assert_int_equal(add.command.fault, FAULT_STORAGE);
        assert_int_equal(add.answers, 1);
        assert_int_equal(count.command.outcome, NOTE_FOUND);
        assert_int_equal(count.found, 1);
        struct lane_figures figures;
        lane_figures(lane, &figures);
        assert_true(figures.storage_refuses);
        assert_false(lane_is_idle(lane));
        assert_false(lane_step(lane)); /* consumers wait for better times */
        for (int i = 0; i < 5; i++) {  /* and are not blamed for the bad ones */
                kit_clock_add(LANE_RETRY_MS);
                assert_true(lane_step(lane));
                assert_false(lane_step(lane));
        }

        kit_db_fault_arm(db, 0, 0);
        kit_clock_add(LANE_RETRY_MS);
        kit_lane_run(lane);
        lane_figures(lane, &figures);
        assert_false(figures.storage_refuses);
        assert_int_equal(notes_ask(lane, NOTES_HEARD), 1);
        assert_int_equal(notes_ask(lane, NOTES_DEAD), 0);
        assert_true(lane_is_idle(lane));
        lane_free(lane);
}

/* Three adds, a count and a tick, with the n-th call to the database failing. False: it did not get that far. */
static bool run_with_fault(unsigned n, int fault) {
        struct db *db = kit_db_fault_new(kit_db_open(NULL));
        struct lane *lane = kit_lane_open_on(db);
        struct notes notes;
        notes_init(&notes, lane);
        notes.tick_at = kit_now();
        struct note_command commands[4];
        for (int i = 0; i < 4; i++) {
                commands[i] = note_command(&notes, i < 3 ? &note_add : &note_count, i + 1);
                assert_int_equal(lane_submit(lane, &commands[i].command), 0);
        }
        kit_db_fault_arm(db, n, fault);
        kit_lane_run(lane);
        bool struck = kit_db_fault_struck(db);
        kit_db_fault_arm(db, 0, 0);
        int64_t stored = 0;
        for (int i = 0; i < 4; i++) {
                const struct lane_command *command = &commands[i].command;
                assert_int_equal(commands[i].answers, 1);
                assert_true(command->fault == 0 ? command->outcome > 0 : command->fault == fault);
                stored += command->outcome == NOTE_STORED;
        }
        if (fault != FAULT_STORAGE && struck)
                assert_true(stored >= 2); /* at most one was taken for the culprit */

        kit_clock_add(LANE_RETRY_MS); /* the tick comes again, consumers too */
        kit_lane_run(lane);
        assert_int_equal(notes.ticks > 0, true);
        assert_int_equal(notes_ask(lane, NOTES_STORED), stored + 1);
        assert_int_equal(notes_ask(lane, NOTES_JOURNALED), stored + 1);
        assert_int_equal(notes_ask(lane, NOTES_HEARD), stored + 1);
        assert_int_equal(notes_ask(lane, NOTES_DEAD), 0);
        assert_int_equal(notes.count, stored + 1);
        assert_int_equal(notes.published, stored + 1);
        assert_true(lane_is_idle(lane));
        lane_stop(lane);
        lane_free(lane);
        return struck;
}

static void a_fault_at_any_call_leaves_tables_memory_and_answers_in_agreement(void **state) {
        (void)state;
        static const int faults[] = {FAULT_STORAGE, FAULT_CONSTRAINT, -ENOMEM};
        for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
                unsigned n = 1;
                while (run_with_fault(n, faults[i]))
                        n++;
                assert_true(n > 10);
        }
}

int main(void) {
        log_set_level(LOG_ALARM + 1);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_the_poison_command_gets_the_fault),
                cmocka_unit_test(poison_commands_do_not_keep_consumers_from_their_turn),
                cmocka_unit_test(a_poison_event_is_buried_after_three_tries_and_the_rest_goes_on),
                cmocka_unit_test(a_lone_poison_event_is_tried_exactly_three_times),
                cmocka_unit_test(an_event_that_recovers_is_not_buried),
                cmocka_unit_test(a_tick_that_fails_waits_and_disturbs_nobody),
                cmocka_unit_test(without_room_in_the_store_reads_go_on),
                cmocka_unit_test(a_fault_at_any_call_leaves_tables_memory_and_answers_in_agreement),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
