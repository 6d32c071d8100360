/* The buyers' idea of the seats, and the flags of a rehearsal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rehearse/options.h"
#include "rehearse/seat_choice.h"

static void test_groups_are_neighbours_and_disjoint(void **state) {
        (void)state;
        struct seat_choice choice;
        assert_true(seat_choice_init(&choice, 101, 2, 7));
        bool seen[101] = {false};
        uint32_t seats[2];
        for (unsigned i = 0; i < 50; i++) {
                assert_true(seat_choice_take(&choice, 2, seats));
                assert_int_equal(seats[1], seats[0] + 1);
                for (unsigned j = 0; j < 2; j++) {
                        assert_false(seen[seats[j]]);
                        seen[seats[j]] = true;
                }
        }
        assert_false(seat_choice_take(&choice, 2, seats)); /* one is left */
        assert_true(seat_choice_take(&choice, 1, seats));
        assert_int_equal(seats[0], 100);
        seat_choice_deinit(&choice);
}

static void test_what_comes_back_is_handed_out_again(void **state) {
        (void)state;
        struct seat_choice choice;
        uint32_t seats[4], again[2];
        assert_true(seat_choice_init(&choice, 4, 2, 1));
        assert_true(seat_choice_take(&choice, 4, seats));
        seat_choice_drop(&choice, seats, 2, true);
        seat_choice_drop(&choice, seats + 2, 2, false); /* perhaps free: the board has to say so */
        assert_true(seat_choice_take(&choice, 2, again));
        assert_false(seat_choice_take(&choice, 1, again));
        seat_choice_see(&choice, seats[2], 'S');
        assert_int_equal(seat_choice_renew(&choice), 3);
        assert_true(seat_choice_take(&choice, 1, again));
        assert_int_equal(again[0], seats[3]);
        assert_false(seat_choice_take(&choice, 1, again));
        seat_choice_deinit(&choice);
}

static void test_any_is_inside(void **state) {
        (void)state;
        struct seat_choice choice;
        uint32_t seats[3];
        assert_true(seat_choice_init(&choice, 5, 2, 1));
        for (uint64_t random = 0; random < 20; random++) {
                seat_choice_any(&choice, 3, random, seats);
                for (unsigned i = 0; i < 3; i++)
                        assert_true(seats[i] < 5);
                assert_true(seats[0] != seats[1] && seats[1] != seats[2] && seats[0] != seats[2]);
        }
        seat_choice_deinit(&choice);
}

static enum options_outcome read_words(struct rehearse_options *options, struct buffer *problems, const char *a,
                                       const char *b) {
        char *words[] = {(char *)(uintptr_t)a, (char *)(uintptr_t)b};
        buffer_clear(problems);
        return options_read(options, b ? 2 : a ? 1 : 0, words, problems);
}

static void test_options(void **state) {
        (void)state;
        struct rehearse_options options;
        struct buffer problems;
        buffer_init(&problems, 65536);
        assert_int_equal(read_words(&options, &problems, 0, 0), OPTIONS_OK);
        assert_int_equal(options.seats, 5000);
        assert_int_equal(options.buyers, 6000);
        assert_int_equal(options.arrive_ms, 2000);
        assert_int_equal(read_words(&options, &problems, "--arrive-seconds=0.25", "--plain"), OPTIONS_OK);
        assert_int_equal(options.arrive_ms, 250);
        assert_int_equal(options.share_change + options.share_abandon + options.share_retry + options.share_clash, 0);
        assert_int_equal(read_words(&options, &problems, "--mode=hold", "--connections=8"), OPTIONS_OK);
        assert_int_equal(options.mode, MODE_HOLD);
        assert_int_equal(options.buyers, 8);
        assert_int_equal(read_words(&options, &problems, "--help", 0), OPTIONS_HELP);
        static const char *const wrong[] = {"--seats=0",      "--seats=x", "--seats",    "--plain=1",
                                            "--sets=1",       "seats",     "--mode=fly", "--arrive-seconds=1.2345",
                                            "--url=http://x", "--key=k"};
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
                assert_int_equal(read_words(&options, &problems, wrong[i], 0), OPTIONS_REFUSED);
                assert_true(problems.length > 0);
        }
        buffer_deinit(&problems);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_groups_are_neighbours_and_disjoint),
                cmocka_unit_test(test_what_comes_back_is_handed_out_again),
                cmocka_unit_test(test_any_is_inside),
                cmocka_unit_test(test_options),
        };
        return cmocka_run_group_tests(tests, 0, 0);
}
