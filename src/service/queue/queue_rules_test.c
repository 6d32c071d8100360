/* queue_rules_test.c: every outcome in the order in which it is checked, and the arithmetic of admission. */
#include "service/queue/queue_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Everything is wrong at once; each test puts right what was told before. */
static const struct enter_facts all_wrong = {
        .known = false,
        .cancelled = true,
        .now = 2000,
        .doors_at = 3000,
        .ends_at = 1000,
        .in_line = true,
        .waiting = 10,
        .waiting_max = 10,
        .passes_free = 0,
};

static void entering_is_refused_in_order(void **state) {
        (void)state;
        struct enter_facts facts = all_wrong;
        assert_int_equal(enter_decide(&facts), ENTER_NO_SCHEDULE);
        facts.known = true;
        assert_int_equal(enter_decide(&facts), ENTER_CANCELLED);
        facts.cancelled = false;
        assert_int_equal(enter_decide(&facts), ENTER_SALE_ENDED);
        facts.ends_at = 2000;
        assert_int_equal(enter_decide(&facts), ENTER_SALE_ENDED);
        facts.ends_at = 2001;
        assert_int_equal(enter_decide(&facts), ENTER_LOBBY_CLOSED);
        facts.doors_at = 2001;
        assert_int_equal(enter_decide(&facts), ENTER_LOBBY_CLOSED);
        facts.doors_at = 2000;
        assert_int_equal(enter_decide(&facts), ENTER_AGAIN);
        facts.in_line = false;
        assert_int_equal(enter_decide(&facts), ENTER_FULL);
        facts.waiting = 9;
        assert_int_equal(enter_decide(&facts), ENTER_OK);
}

static void who_gets_a_pass_at_the_door_does_not_fill_the_line(void **state) {
        (void)state;
        struct enter_facts facts = {.known = true, .now = 5, .ends_at = 10, .waiting_max = 2, .passes_free = 3};
        for (facts.waiting = 0; facts.waiting < 5; facts.waiting++)
                assert_int_equal(enter_decide(&facts), ENTER_OK);
        assert_int_equal(enter_decide(&facts), ENTER_FULL);
        facts.waiting_max = 0;
        facts.waiting = 2;
        assert_int_equal(enter_decide(&facts), ENTER_OK);
        facts.waiting = 3;
        assert_int_equal(enter_decide(&facts), ENTER_FULL);
        facts.passes_free = UINT64_MAX;
        assert_int_equal(enter_decide(&facts), ENTER_OK);
}

static void leaving_is_refused_in_order(void **state) {
        (void)state;
        struct leave_facts facts = {0};
        assert_int_equal(leave_decide(&facts), LEAVE_NO_SCHEDULE);
        facts.known = true;
        assert_int_equal(leave_decide(&facts), LEAVE_NOT_IN_LINE);
        facts.has_entry = true;
        assert_int_equal(leave_decide(&facts), LEAVE_OVER);
        facts.live = true;
        assert_int_equal(leave_decide(&facts), LEAVE_OK);
}

static const struct admission_facts open_sale = {
        .drawn = true,
        .now = 100,
        .opens_at = 100,
        .ends_at = 200,
        .capacity = 10,
        .in_use = 4,
        .rate_allowance = UINT64_MAX,
        .seats_available = 1000,
};

static void admission_takes_the_smallest_limit(void **state) {
        (void)state;
        struct admission_facts facts = open_sale;
        assert_int_equal(admission_free(&facts), 6);
        facts.rate_allowance = 5;
        assert_int_equal(admission_free(&facts), 5);
        facts.seats_available = 3;
        assert_int_equal(admission_free(&facts), 3);
        facts.seats_available = 0;
        assert_int_equal(admission_free(&facts), 0);
        facts = open_sale;
        facts.rate_allowance = 0;
        assert_int_equal(admission_free(&facts), 0);
        facts = open_sale;
        facts.in_use = 10;
        assert_int_equal(admission_free(&facts), 0);
        facts.in_use = 12; /* the organiser has lowered the capacity */
        assert_int_equal(admission_free(&facts), 0);
}

static void nobody_is_admitted_while_the_sale_does_not_run(void **state) {
        (void)state;
        struct admission_facts facts = open_sale;
        facts.drawn = false;
        assert_int_equal(admission_free(&facts), 0);
        facts = open_sale;
        facts.cancelled = true;
        assert_int_equal(admission_free(&facts), 0);
        facts = open_sale;
        facts.admission_paused = true;
        assert_int_equal(admission_free(&facts), 0);
        facts = open_sale;
        facts.sale_paused = true;
        assert_int_equal(admission_free(&facts), 0);
        facts = open_sale;
        facts.now = 99;
        assert_int_equal(admission_free(&facts), 0);
        facts.now = 200;
        assert_int_equal(admission_free(&facts), 0);
        facts.now = 199;
        assert_int_equal(admission_free(&facts), 6);
}

/* Takes all that is allowed, every so many ms, and counts. */
static uint64_t admitted_in(uint32_t rate, int64_t from, int64_t ms, int64_t every) {
        int64_t spent = 0;
        uint64_t admitted = 0;
        for (int64_t now = from; now < from + ms; now += every) {
                uint64_t n = rate_allowance(spent, rate, now);
                spent = rate_spend(spent, rate, now, n);
                admitted += n;
        }
        return admitted;
}

static void a_rate_is_kept_over_time(void **state) {
        (void)state;
        const int64_t from = INT64_C(1795258800000);
        static const uint32_t rates[] = {1, 3, 10, 300, 1000, 100000};
        for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
                uint32_t rate = rates[i];
                uint64_t most = rate / 10 + 1; /* the burst */
                uint64_t admitted = admitted_in(rate, from, 10000, 50);
                assert_in_range(admitted, 10 * (uint64_t)rate - rate / 20, 10 * (uint64_t)rate + most + 1);
        }
        assert_int_equal(rate_allowance(0, 3, from), 1); /* a long rest saves up a burst, no more */
        assert_int_equal(rate_allowance(0, 1000, from), 101);
}

static void the_next_one_of_a_rate_comes_when_it_says(void **state) {
        (void)state;
        const int64_t from = INT64_C(1795258800000);
        for (uint32_t rate = 1; rate <= 2000; rate = rate * 3 + 1) {
                int64_t spent = rate_spend(0, rate, from, rate_allowance(0, rate, from));
                int64_t next = rate_next_at(spent, rate);
                assert_int_equal(rate_allowance(spent, rate, next - 1), 0);
                assert_true(rate_allowance(spent, rate, next) >= 1);
        }
}

static void waiting_time_follows_the_measured_pace(void **state) {
        (void)state;
        struct pace pace = {0};
        uint64_t low = 7, high = 7;
        int64_t now = INT64_C(1795258800000);
        assert_false(wait_estimate(pace, now, 100, &low, &high));
        assert_true(low == 7 && high == 7);
        pace = pace_add(pace, now, 5000); /* the capacity is filled: that says nothing */
        now += 1000;
        assert_false(wait_estimate(pace, now, 100, &low, &high));
        for (int second = 0; second < 60; second++, now += 1000) {
                if (second == 2) {
                        assert_true(wait_estimate(pace, now, 1000, &low, &high));
                        assert_in_range(low, 50, 100);
                        assert_in_range(high, 100, 200);
                }
                pace = pace_add(pace, now, 6);
                pace = pace_add(pace, now + 500, 4);
        }
        assert_true(wait_estimate(pace, now, 1000, &low, &high));
        assert_in_range(low, 50, 100);
        assert_in_range(high, 100, 200);
        uint64_t slower;
        assert_true(wait_estimate(pace, now + 20000, 1000, &slower, &high)); /* nobody was admitted for a while */
        assert_true(slower > low);
        assert_false(wait_estimate(pace, now + 3600000, 1000, &low, &high));
        assert_true(wait_estimate(pace, now, 0, &low, &high));
        assert_int_equal(low, 0);
}

static void whoever_is_near_asks_more_often(void **state) {
        (void)state;
        assert_int_equal(poll_seconds(0), 1);
        assert_int_equal(poll_seconds(8), 2);
        assert_int_equal(poll_seconds(1000), LINE_POLL_SECONDS);
        assert_int_equal(poll_seconds(UINT64_MAX), LINE_POLL_SECONDS);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(entering_is_refused_in_order),
                cmocka_unit_test(who_gets_a_pass_at_the_door_does_not_fill_the_line),
                cmocka_unit_test(leaving_is_refused_in_order),
                cmocka_unit_test(admission_takes_the_smallest_limit),
                cmocka_unit_test(nobody_is_admitted_while_the_sale_does_not_run),
                cmocka_unit_test(a_rate_is_kept_over_time),
                cmocka_unit_test(the_next_one_of_a_rate_comes_when_it_says),
                cmocka_unit_test(waiting_time_follows_the_measured_pace),
                cmocka_unit_test(whoever_is_near_asks_more_often),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
