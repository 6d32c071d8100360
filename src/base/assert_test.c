#include "base/assert.h"
#include "base/fault.h"
#include "base/fsm.h"
#include "base/unit_test.h"

#include <limits.h>
#include <string.h>

static void kept_promises_cost_nothing(void **state) {
        (void)state;
        PRE(1 + 1 == 2);
        POST(state != (void **)1);
        INVARIANT(true);
        assert_true(IMPLIES(false, false) && IMPLIES(false, true) && IMPLIES(true, true));
        assert_false(IMPLIES(true, false));
}

static void broken_promises_abort(void **state) {
        (void)state;
        assert_true(ABORTS(PRE(1 + 1 == 3)));
        assert_true(ABORTS(POST(false)));
        assert_true(ABORTS(INVARIANT(false)));
        assert_true(ABORTS(IMPOSSIBLE("the seat is both free and sold")));
}

/* What standard error says when assert_failed is called in a child. */
static size_t message_of(const char *what, char *out, size_t capacity) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
                dup2(ends[1], STDERR_FILENO);
                assert_failed("precondition", what, "seat.c", 42);
        }
        close(ends[1]);
        size_t length = 0;
        for (ssize_t n; (n = read(ends[0], out + length, capacity - 1 - length)) > 0;)
                length += (size_t)n;
        close(ends[0]);
        out[length] = '\0';
        assert_int_equal(waitpid(child, NULL, 0), child);
        return length;
}

static void the_message_names_place_and_promise(void **state) {
        (void)state;
        char said[4096];
        message_of("seat != 0", said, sizeof said);
        assert_string_equal(said, "seat.c:42: precondition broken: seat != 0\n");

        char endless[2000];
        memset(endless, 'x', sizeof endless - 1);
        endless[sizeof endless - 1] = '\0';
        size_t length = message_of(endless, said, sizeof said);
        assert_int_equal(length, 511);
        assert_int_equal(said[length - 1], '\n');
}

static void every_fault_has_a_text(void **state) {
        (void)state;
        assert_string_equal(fault_text(FAULT_STORAGE), "the store cannot take writes now");
        assert_string_equal(fault_text(FAULT_CONSTRAINT), "the database refused a change that the rules had allowed");
        assert_string_equal(fault_text(FAULT_FORMAT), "the stored data is not what this version wrote");
        assert_string_equal(fault_text(FAULT_BUSY), "a queue or a pool is full");
        assert_string_equal(fault_text(-ENOMEM), "Cannot allocate memory");
        assert_string_equal(fault_text(-99999), "unknown fault");
        assert_string_equal(fault_text(INT_MIN), "unknown fault");
        assert_string_equal(fault_text(0), "no fault");
        assert_string_equal(fault_text(3), "an outcome, not a fault");
}

/* READY -> GOING -> DONE, and GOING -> READY */
enum { READY, GOING, DONE, STATE_COUNT };
static const char *const state_names[] = {"READY", "GOING", "DONE"};
static const uint32_t moves[] = {
        [READY] = FSM_TO(GOING),
        [GOING] = FSM_TO(DONE) | FSM_TO(READY),
        [DONE] = 0,
};
static const struct fsm machine = {"test", state_names, STATE_COUNT, moves};

static void a_machine_allows_the_listed_moves_only(void **state) {
        (void)state;
        static const bool allowed[STATE_COUNT][STATE_COUNT] = {{0, 1, 0}, {1, 0, 1}, {0, 0, 0}};
        for (unsigned from = 0; from < STATE_COUNT; from++) {
                for (unsigned to = 0; to < STATE_COUNT; to++)
                        assert_int_equal(fsm_may(&machine, from, to), allowed[from][to]);
        }
        assert_string_equal(fsm_state_name(&machine, DONE), "DONE");
        assert_true(ABORTS(fsm_may(&machine, READY, STATE_COUNT)));
        assert_true(ABORTS(fsm_may(&machine, STATE_COUNT, READY)));
        assert_true(ABORTS(fsm_state_name(&machine, STATE_COUNT)));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(kept_promises_cost_nothing),
                cmocka_unit_test(broken_promises_abort),
                cmocka_unit_test(the_message_names_place_and_promise),
                cmocka_unit_test(every_fault_has_a_text),
                cmocka_unit_test(a_machine_allows_the_listed_moves_only),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
