/* lane_test.c: what a lane promises when nothing goes wrong, and over restarts. Faults: lane_fault_test.c. */
#include "kit/kit_notes.h"

#include "base/log.h"
#include "lane/lane_metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { MANY = 12 };

static void a_lone_command_is_answered_after_its_commit(void **state) {
        (void)state;
        struct lane *lane = kit_lane_open(NULL);
        struct notes notes;
        notes_init(&notes, lane);
        struct note_command add = note_command(&notes, &note_add, 7);
        assert_int_equal(kit_submit_and_run(lane, &add.command), NOTE_STORED);
        assert_int_equal(notes.published, 1);
        assert_int_equal(notes_ask(lane, NOTES_STORED), 1);
        assert_int_equal(notes_ask(lane, NOTES_HEARD), 1);
        assert_int_equal(notes.echoes, 1);
        assert_true(lane_is_idle(lane));
        assert_false(lane_step(lane));
        lane_free(lane);
}

static void kinds_run_by_rank_with_all_of_a_turn_together(void **state) {
        (void)state;
        struct lane *lane = kit_lane_open(NULL);
        struct notes notes;
        notes_init(&notes, lane);
        const struct lane_kind *kinds[] = {&note_wait, &note_add, &note_count, &note_add, &note_add, &note_count};
        struct note_command commands[6];
        for (int i = 0; i < 6; i++) {
                commands[i] = note_command(&notes, kinds[i], 100 + i);
                assert_int_equal(lane_submit(lane, &commands[i].command), 0);
        }
        assert_true(lane_step(lane));
        assert_string_equal(notes.trace, "count:2 add:3 wait:1 ");
        assert_int_equal(commands[2].found, 0);
        assert_int_equal(notes_ask(lane, "SELECT value FROM note ORDER BY id LIMIT 1"), 101); /* order of arrival */
        assert_int_equal(notes_ask(lane, "SELECT value FROM note ORDER BY id DESC LIMIT 1"), 104);
        for (int i = 1; i < 6; i++)
                assert_int_equal(commands[i].answers, 1);
        assert_int_equal(commands[0].answers, 0);
        lane_free(lane);
}

static void what_is_said_is_consumed_in_the_next_turn_with_its_cause(void **state) {
        (void)state;
        struct lane *lane = kit_lane_open(NULL);
        struct notes notes;
        notes_init(&notes, lane);
        struct note_command add = note_command(&notes, &note_add, 1);
        assert_int_equal(lane_submit(lane, &add.command), 0);
        assert_true(lane_step(lane));
        assert_int_equal(notes_ask(lane, NOTES_HEARD), 0);
        assert_false(lane_is_idle(lane));
        assert_true(lane_step(lane));
        assert_int_equal(notes_ask(lane, NOTES_HEARD), 1);
        assert_int_equal(notes.echoes, 0);
        assert_true(lane_step(lane));
        assert_int_equal(notes.echoes, 1);
        assert_true(lane_is_idle(lane));
        assert_int_equal(notes_ask(lane, "SELECT count(*) FROM journal AS said JOIN journal AS heard "
                                         "ON heard.cause_id = said.id WHERE said.type = 1 AND heard.type = 2"),
                         1);
        lane_free(lane);
}

static void one_who_waits_is_woken_or_waits_until_its_time(void **state) {
        (void)state;
        struct lane *lane = kit_lane_open(NULL);
        struct notes notes;
        notes_init(&notes, lane);
        struct note_command woken = note_command(&notes, &note_wait, 5), late = note_command(&notes, &note_wait, 5),
                            add = note_command(&notes, &note_add, 5);
        late.wait_until = kit_now() + 100;
        assert_int_equal(lane_submit(lane, &woken.command), 0);
        assert_int_equal(lane_submit(lane, &late.command), 0);
        kit_lane_run(lane);
        assert_int_equal(woken.answers + late.answers, 0);
        assert_true(lane_is_idle(lane)); /* waiting ones do not count */

        kit_clock_add(99);
        assert_false(lane_step(lane));
        kit_clock_add(1);
        assert_true(lane_step(lane));
        assert_int_equal(late.answers, 1);
        assert_int_equal(late.command.outcome, LANE_WAITED);
        assert_int_equal(woken.answers, 0);

        assert_int_equal(kit_submit_and_run(lane, &add.command), NOTE_STORED);
        assert_int_equal(woken.answers, 1);
        assert_int_equal(woken.command.outcome, NOTE_WOKEN);
        assert_int_equal(late.answers, 1);
        lane_free(lane);
}

static void a_tick_runs_when_it_is_due(void **state) {
        (void)state;
        struct lane *lane = kit_lane_open(NULL);
        struct notes notes;
        notes_init(&notes, lane);
        notes.tick_at = kit_now() + 1000;
        assert_int_equal(kit_lane_run(lane), 0);
        kit_clock_add(999);
        assert_int_equal(kit_lane_run(lane), 0);
        kit_clock_add(1);
        kit_lane_run(lane);
        assert_int_equal(notes.ticks, 1);
        assert_int_equal(notes_ask(lane, NOTES_STORED), 1);
        assert_int_equal(notes_ask(lane, NOTES_HEARD), 1);
        lane_free(lane);
}

static void every_event_has_its_effect_once_over_a_restart_at_any_point(void **state) {
        (void)state;
        for (unsigned crash_after = 0, turns = 1; crash_after <= turns; crash_after++) {
                char path[KIT_PATH_MAX];
                kit_path_new(path);
                struct lane *lane = kit_lane_open(path);
                struct notes notes;
                notes_init(&notes, lane);
                struct note_command adds[MANY];
                unsigned steps = 0;
                for (int i = 0; i < MANY; i++) {
                        adds[i] = note_command(&notes, &note_add, i + 1);
                        assert_int_equal(lane_submit(lane, &adds[i].command), 0);
                        steps += steps < crash_after && lane_step(lane);
                }
                while (steps < crash_after && lane_step(lane))
                        steps++;
                turns = steps < crash_after ? steps : steps + 1; /* until the crash comes after everything */
                lane_free(lane);

                lane = kit_lane_open(path);
                notes_init(&notes, lane);
                kit_lane_run(lane);
                int64_t answered = 0;
                for (int i = 0; i < MANY; i++)
                        answered += adds[i].answers;
                assert_int_equal(notes_ask(lane, NOTES_STORED), answered);
                assert_int_equal(notes_ask(lane, NOTES_HEARD), answered);
                assert_int_equal(notes_ask(lane, NOTES_UNHEARD), 0);
                assert_true(lane_is_idle(lane));
                lane_free(lane);
                kit_path_remove(path);
        }
}

static void a_backlog_longer_than_the_tail_is_consumed_in_order(void **state) {
        (void)state;
        char path[KIT_PATH_MAX];
        kit_path_new(path);
        struct lane *lane = kit_lane_open(path);
        struct notes notes;
        notes_init(&notes, lane);
        struct note_command burst = note_command(&notes, &note_burst, LANE_TAIL_MAX + 1000);
        struct note_command more = note_command(&notes, &note_burst, 1000);
        assert_int_equal(lane_submit(lane, &burst.command), 0);
        assert_true(lane_step(lane));
        assert_int_equal(lane_submit(lane, &more.command), 0); /* behind the gap */
        for (int i = 0; i < 5; i++)
                assert_true(lane_step(lane));
        lane_free(lane); /* in the middle, and again from the table */

        lane = kit_lane_open(path);
        notes_init(&notes, lane);
        kit_lane_run(lane);
        assert_int_equal(notes_ask(lane, NOTES_HEARD), LANE_TAIL_MAX + 2000);
        assert_int_equal(notes_ask(lane, "SELECT count(*) FROM journal WHERE type = 2"), LANE_TAIL_MAX + 2000);
        assert_true(lane_is_idle(lane));
        lane_free(lane);
        kit_path_remove(path);
}

static void stop_finishes_what_was_taken_and_takes_nothing_more(void **state) {
        (void)state;
        struct lane *lane = kit_lane_open(NULL);
        struct notes notes;
        notes_init(&notes, lane);
        struct note_command adds[MANY], waits = note_command(&notes, &note_wait, 999);
        for (int i = 0; i < MANY; i++) {
                adds[i] = note_command(&notes, &note_add, i + 1);
                assert_int_equal(lane_submit(lane, &adds[i].command), 0);
        }
        assert_int_equal(lane_submit(lane, &waits.command), 0);
        notes.tick_at = kit_now(); /* ticks are over */
        lane_stop(lane);
        for (int i = 0; i < MANY; i++)
                assert_int_equal(adds[i].command.outcome, NOTE_STORED);
        assert_int_equal(waits.answers, 1);
        assert_int_equal(waits.command.fault, FAULT_BUSY);
        assert_int_equal(notes_ask(lane, NOTES_HEARD), MANY);
        assert_int_equal(notes.ticks, 0);
        assert_int_equal(lane_submit(lane, &adds[0].command), FAULT_BUSY);
        lane_stop(lane);
        assert_int_equal(notes_ask(lane, "SELECT count(DISTINCT position) FROM inbox"),
                         1); /* everybody is at the end */
        lane_free(lane);
}

static void a_full_queue_refuses(void **state) {
        (void)state;
        struct lane *lane = kit_lane_open(NULL);
        struct notes notes;
        notes_init(&notes, lane);
        static struct note_command counts[LANE_QUEUE_MAX + 1];
        for (int i = 0; i <= LANE_QUEUE_MAX; i++) {
                counts[i] = note_command(&notes, &note_count, 0);
                assert_int_equal(lane_submit(lane, &counts[i].command), i < LANE_QUEUE_MAX ? 0 : FAULT_BUSY);
        }
        kit_lane_run(lane);
        for (int i = 0; i < LANE_QUEUE_MAX; i++)
                assert_int_equal(counts[i].answers, 1);
        assert_int_equal(counts[LANE_QUEUE_MAX].answers, 0);
        struct lane_figures figures;
        lane_figures(lane, &figures);
        assert_int_equal(figures.commands, LANE_QUEUE_MAX);
        assert_int_equal(figures.turns, LANE_QUEUE_MAX / LANE_BATCH_MAX);
        lane_free(lane);
}

static void ids_go_on_above_the_journal_when_the_clock_was_set_back(void **state) {
        (void)state;
        char path[KIT_PATH_MAX];
        kit_path_new(path);
        struct lane *lane = kit_lane_open(path);
        struct notes notes;
        notes_init(&notes, lane);
        struct note_command add = note_command(&notes, &note_add, 1);
        kit_submit_and_run(lane, &add.command);
        lane_free(lane);

        kit_clock_add(-3600000);
        lane = kit_lane_open(path);
        notes_init(&notes, lane);
        add = note_command(&notes, &note_add, 2);
        assert_int_equal(kit_submit_and_run(lane, &add.command), NOTE_STORED);
        kit_clock_add(3600000);
        assert_int_equal(notes_ask(lane, NOTES_HEARD), 2);
        assert_int_equal(notes_ask(lane, "SELECT count(*) FROM journal WHERE type = 1 AND subject_id = 2 AND "
                                         "id > (SELECT max(id) FROM journal WHERE subject_id = 1)"),
                         1);
        lane_free(lane);
        kit_path_remove(path);
}

static void what_a_lane_does_is_counted(void **state) {
        (void)state;
        struct lane *lane = kit_lane_open(NULL);
        struct notes notes;
        notes_init(&notes, lane);
        struct metric *adds = lane_metrics_of_kind(&note_add);
        int64_t before = atomic_load(&adds->value);
        struct note_command commands[3];
        for (int i = 0; i < 3; i++) {
                commands[i] = note_command(&notes, &note_add, i);
                assert_int_equal(lane_submit(lane, &commands[i].command), 0);
        }
        kit_lane_run(lane);
        assert_int_equal(atomic_load(&adds->value), before + 3);
        struct buffer out;
        buffer_init(&out, 1 << 20);
        metrics_write(&out);
        buffer_add(&out, "", 1);
        assert_non_null(strstr(out.at, "\nticketrush_lane_commands_total{kind=\"note.add\"} "));
        assert_non_null(strstr(out.at, "\nticketrush_lane_journal_lag 0\n"));
        buffer_deinit(&out);
        struct lane_figures figures;
        lane_figures(lane, &figures);
        assert_int_equal(figures.commands, 3);
        assert_int_equal(figures.turns, 3); /* the commands, who heard them, who heard that */
        assert_int_equal(figures.events, 6);
        lane_free(lane);
}

int main(void) {
        log_set_level(LOG_ALARM + 1);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_lone_command_is_answered_after_its_commit),
                cmocka_unit_test(kinds_run_by_rank_with_all_of_a_turn_together),
                cmocka_unit_test(what_is_said_is_consumed_in_the_next_turn_with_its_cause),
                cmocka_unit_test(one_who_waits_is_woken_or_waits_until_its_time),
                cmocka_unit_test(a_tick_runs_when_it_is_due),
                cmocka_unit_test(every_event_has_its_effect_once_over_a_restart_at_any_point),
                cmocka_unit_test(a_backlog_longer_than_the_tail_is_consumed_in_order),
                cmocka_unit_test(stop_finishes_what_was_taken_and_takes_nothing_more),
                cmocka_unit_test(a_full_queue_refuses),
                cmocka_unit_test(what_a_lane_does_is_counted),
                cmocka_unit_test(ids_go_on_above_the_journal_when_the_clock_was_set_back),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
