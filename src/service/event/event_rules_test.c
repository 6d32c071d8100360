/* event_rules_test.c: each outcome of a schedule's creation and change, in the order in which they are checked. */
#include "base/unit_test.h"

#include "service/event/event_rules.h"

#define NOW INT64_C(1795258800000)
enum { HOUR = 3600 * 1000 };

static const struct plan_category categories[] = {{"VIP", "#fff"}, {"R", NULL}, {"S", NULL}};
static const struct plan plan = {.categories = (struct plan_category *)(uintptr_t)categories, .category_count = 3};
static const struct grade_wish vip_and_r[] = {{{"VIP", 3}, 150000}, {{"R", 1}, 99000}};

static struct schedule_wish wish_of_tomorrow(void) {
        struct schedule_wish wish;
        schedule_wish_init(&wish);
        wish.starts_at = NOW + 24 * HOUR;
        wish.opens_at = NOW + 2 * HOUR;
        wish.grades = vip_and_r;
        wish.grade_count = 2;
        return wish;
}

static struct schedule schedule_of_tomorrow(void) {
        struct schedule_wish wish = wish_of_tomorrow();
        struct schedule schedule;
        assert_int_equal(schedule_create_decide(&wish, &plan, NOW, &schedule), SCHEDULE_ACCEPTED);
        schedule.plan = &plan;
        return schedule;
}

static int create(const struct schedule_wish *wish) {
        struct schedule schedule = {.cap = 77};
        int outcome = schedule_create_decide(wish, &plan, NOW, &schedule);
        if (outcome != SCHEDULE_ACCEPTED)
                assert_int_equal(schedule.cap, 77); /* untouched */
        return outcome;
}

static void defaults_are_filled_in(void **state) {
        (void)state;
        struct schedule schedule = schedule_of_tomorrow();
        assert_int_equal(schedule.ends_at, NOW + 24 * HOUR);
        assert_int_equal(schedule.cancel_until, NOW + 24 * HOUR);
        assert_int_equal(schedule.cancel_refund_percent, 100);
        assert_int_equal(schedule.cap, 4);
        assert_int_equal(schedule.hold_seconds, HOLD_SECONDS_DEFAULT);
        assert_int_equal(schedule.line.capacity, LINE_CAPACITY_DEFAULT);
        assert_int_equal(schedule.line.rate, LINE_RATE_DEFAULT);
        assert_int_equal(schedule.line.pass_seconds, PASS_SECONDS_DEFAULT);
        assert_int_equal(schedule.line.waiting_max, LINE_WAITING_DEFAULT);
        assert_int_equal(schedule.line.lobby_opens_at, NOW + HOUR);
        assert_true(schedule.line.enabled);
        assert_false(schedule.cancelled || schedule.admission_paused || schedule.sale_paused);
        assert_int_equal(schedule.amounts[0], 150000);
        assert_int_equal(schedule.amounts[1], 99000);
        assert_int_equal(schedule.amounts[2], -1); /* not named: not for sale */
        assert_int_equal(schedule.amounts[PLAN_CATEGORIES_MAX - 1], -1);
}

static void every_wish_is_granted(void **state) {
        (void)state;
        struct schedule_wish wish = {
                .starts_at = NOW + 9 * HOUR, .opens_at = NOW - HOUR, .ends_at = NOW + HOUR, .cancel_until = NOW + 2 * HOUR,
                .cancel_refund_percent = 70, .cap = 2, .hold_seconds = 60, .line_capacity = 11, .line_rate = 12, .line_pass_seconds = 13,
                .line_waiting_max = 14, .line_enabled = 0, .lobby_opens_at = NOW - 2 * HOUR, .grades = vip_and_r, .grade_count = 1,
        };
        struct schedule schedule;
        assert_int_equal(schedule_create_decide(&wish, &plan, NOW, &schedule), SCHEDULE_ACCEPTED);
        assert_int_equal(schedule.starts_at, NOW + 9 * HOUR);
        assert_int_equal(schedule.opens_at, NOW - HOUR);
        assert_int_equal(schedule.ends_at, NOW + HOUR);
        assert_int_equal(schedule.cancel_until, NOW + 2 * HOUR);
        assert_int_equal(schedule.cancel_refund_percent, 70);
        assert_int_equal(schedule.cap, 2);
        assert_int_equal(schedule.hold_seconds, 60);
        assert_int_equal(schedule.line.capacity, 11);
        assert_int_equal(schedule.line.rate, 12);
        assert_int_equal(schedule.line.pass_seconds, 13);
        assert_int_equal(schedule.line.waiting_max, 14);
        assert_int_equal(schedule.line.lobby_opens_at, NOW - 2 * HOUR);
        assert_false(schedule.line.enabled);
        assert_int_equal(schedule.amounts[1], -1);
}

/* From the last refusal to the first: each new mistake comes before those that are there already. */
static void creation_is_refused_in_order(void **state) {
        (void)state;
        static const struct grade_wish twice[] = {{{"R", 1}, 1}, {{"R", 1}, 2}}, unknown[] = {{{"R", 1}, 1}, {{"RR", 2}, 2}, {{"R", 1}, 3}};
        struct schedule_wish wish = wish_of_tomorrow();
        wish.grades = twice;
        assert_int_equal(create(&wish), SCHEDULE_CATEGORY_TWICE);
        wish.grades = unknown;
        wish.grade_count = 3;
        assert_int_equal(create(&wish), SCHEDULE_CATEGORY_UNKNOWN);
        wish.lobby_opens_at = wish.opens_at + 1;
        assert_int_equal(create(&wish), SCHEDULE_LOBBY_AFTER_OPENING);
        wish.opens_at = NOW - HOUR;
        wish.ends_at = NOW;
        assert_int_equal(create(&wish), SCHEDULE_ENDS_IN_PAST);
        wish.opens_at = NOW;
        assert_int_equal(create(&wish), SCHEDULE_ENDS_BEFORE_OPENING);
}

static void bounds_are_exact(void **state) {
        (void)state;
        struct schedule_wish wish = wish_of_tomorrow();
        wish.ends_at = wish.opens_at + 1;
        wish.lobby_opens_at = wish.opens_at;
        assert_int_equal(create(&wish), SCHEDULE_ACCEPTED);
        wish.opens_at = wish.lobby_opens_at = NOW - HOUR;
        wish.ends_at = NOW + 1;
        assert_int_equal(create(&wish), SCHEDULE_ACCEPTED);
}

static void a_change_changes_what_it_names(void **state) {
        (void)state;
        struct schedule schedule = schedule_of_tomorrow(), changed;
        struct schedule_wish wish;
        schedule_wish_init(&wish);
        assert_int_equal(schedule_change_decide(&schedule, &wish, NOW, &changed), SCHEDULE_ACCEPTED);
        assert_memory_equal(&changed, &schedule, sizeof schedule);

        static const struct grade_wish cheaper[] = {{{"R", 1}, 0}};
        wish.grades = cheaper;
        wish.grade_count = 1;
        wish.line_rate = 5;
        wish.cap = 1;
        assert_int_equal(schedule_change_decide(&schedule, &wish, NOW, &changed), SCHEDULE_ACCEPTED);
        assert_int_equal(changed.amounts[0], 150000);
        assert_int_equal(changed.amounts[1], 0);
        assert_int_equal(changed.line.rate, 5);
        assert_int_equal(changed.cap, 1);
        changed.amounts[1] = 99000;
        changed.line.rate = LINE_RATE_DEFAULT;
        changed.cap = 4;
        assert_memory_equal(&changed, &schedule, sizeof schedule);
}

static int change(const struct schedule *schedule, const struct schedule_wish *wish, int64_t now) {
        struct schedule changed = {.cap = 77};
        int outcome = schedule_change_decide(schedule, wish, now, &changed);
        if (outcome != SCHEDULE_ACCEPTED)
                assert_int_equal(changed.cap, 77);
        return outcome;
}

static void a_change_is_refused_in_order(void **state) {
        (void)state;
        static const struct grade_wish blocked[] = {{{"S", 1}, 1}}, twice[] = {{{"R", 1}, 1}, {{"R", 1}, 1}}, unknown[] = {{{"X", 1}, 1}};
        struct schedule schedule = schedule_of_tomorrow();
        struct schedule_wish wish;
        schedule_wish_init(&wish);
        wish.grade_count = 1;
        wish.grades = blocked;
        assert_int_equal(change(&schedule, &wish, NOW), SCHEDULE_CATEGORY_NOT_FOR_SALE);
        wish.grades = twice;
        wish.grade_count = 2;
        assert_int_equal(change(&schedule, &wish, NOW), SCHEDULE_CATEGORY_TWICE);
        wish.grades = unknown;
        wish.grade_count = 1;
        assert_int_equal(change(&schedule, &wish, NOW), SCHEDULE_CATEGORY_UNKNOWN);
        wish.lobby_opens_at = schedule.opens_at + 1;
        assert_int_equal(change(&schedule, &wish, NOW), SCHEDULE_LOBBY_AFTER_OPENING);
        wish.opens_at = NOW - 2;
        wish.ends_at = NOW - 1;
        assert_int_equal(change(&schedule, &wish, NOW), SCHEDULE_ENDS_IN_PAST);
        wish.ends_at = NOW - 2;
        assert_int_equal(change(&schedule, &wish, NOW), SCHEDULE_ENDS_BEFORE_OPENING);
        int64_t on_sale = schedule.opens_at;
        wish.opens_at = WISH_NONE;
        wish.lobby_opens_at = WISH_NONE;
        assert_int_equal(change(&schedule, &wish, on_sale), SCHEDULE_PRICES_FIXED);
        wish.lobby_opens_at = schedule.line.lobby_opens_at - 1;
        assert_int_equal(change(&schedule, &wish, on_sale), SCHEDULE_OPENING_FIXED);
        wish.lobby_opens_at = WISH_NONE;
        wish.opens_at = schedule.opens_at + 1;
        assert_int_equal(change(&schedule, &wish, on_sale), SCHEDULE_OPENING_FIXED);
        assert_int_equal(change(&schedule, &wish, schedule.ends_at), SCHEDULE_CANNOT_CHANGE);
        schedule.cancelled = true;
        assert_int_equal(change(&schedule, &wish, NOW), SCHEDULE_CANNOT_CHANGE);
}

static void on_sale_the_same_opening_may_be_named_again(void **state) {
        (void)state;
        struct schedule schedule = schedule_of_tomorrow();
        struct schedule_wish wish;
        schedule_wish_init(&wish);
        wish.opens_at = schedule.opens_at;
        wish.ends_at = schedule.ends_at + HOUR;
        wish.line_capacity = 5;
        assert_int_equal(change(&schedule, &wish, schedule.opens_at), SCHEDULE_ACCEPTED);
}

static void states_follow_the_clock(void **state) {
        (void)state;
        struct schedule schedule = {.opens_at = 10, .ends_at = 20};
        assert_int_equal(schedule_state_at(&schedule, 9), SCHEDULE_UPCOMING);
        assert_int_equal(schedule_state_at(&schedule, 10), SCHEDULE_ON_SALE);
        assert_int_equal(schedule_state_at(&schedule, 19), SCHEDULE_ON_SALE);
        assert_int_equal(schedule_state_at(&schedule, 20), SCHEDULE_ENDED);
        schedule.cancelled = true;
        assert_int_equal(schedule_state_at(&schedule, 9), SCHEDULE_IS_CANCELLED);
        assert_true(fsm_may(&schedule_fsm, SCHEDULE_UPCOMING, SCHEDULE_ON_SALE));
        assert_true(fsm_may(&schedule_fsm, SCHEDULE_ON_SALE, SCHEDULE_IS_CANCELLED));
        assert_false(fsm_may(&schedule_fsm, SCHEDULE_ENDED, SCHEDULE_ON_SALE));
        assert_false(fsm_may(&schedule_fsm, SCHEDULE_IS_CANCELLED, SCHEDULE_UPCOMING));
        assert_string_equal(fsm_state_name(&schedule_fsm, SCHEDULE_ON_SALE), "ON_SALE");
}

static void only_the_owner_or_an_operator_may_change(void **state) {
        (void)state;
        assert_true(event_may_change(7, 7, ROLE_ORGANISER));
        assert_false(event_may_change(7, 8, ROLE_ORGANISER));
        assert_true(event_may_change(7, 8, ROLE_OPERATOR));
        assert_true(currency_is_sound(TEXT("KRW")));
        assert_false(currency_is_sound(TEXT("krw")) || currency_is_sound(TEXT("KR")) || currency_is_sound(TEXT("KRWW")));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(defaults_are_filled_in),
                cmocka_unit_test(every_wish_is_granted),
                cmocka_unit_test(creation_is_refused_in_order),
                cmocka_unit_test(bounds_are_exact),
                cmocka_unit_test(a_change_changes_what_it_names),
                cmocka_unit_test(a_change_is_refused_in_order),
                cmocka_unit_test(on_sale_the_same_opening_may_be_named_again),
                cmocka_unit_test(states_follow_the_clock),
                cmocka_unit_test(only_the_owner_or_an_operator_may_change),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
