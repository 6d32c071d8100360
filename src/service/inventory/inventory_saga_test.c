/* inventory_saga_test.c: inventory's part of the purchase saga: paid in time, late, twice, after a restart; what comes
 * back and what must not. */
#include "service/inventory/inventory_world_test.h"

#define NO_KEY ((struct idempotency){0})

/* A world of six seats in which account 7 holds 0 and 1. */
static purchase_id open_with_hold(struct world *world) {
        world_open(world, 6);
        assert_int_equal(world_hold(world, 7, NO_KEY, 0, 1, -1), HOLD_CREATED);
        return world->held;
}

static void close_judged(struct world *world) {
        world_judge(world);
        world_restart(world);
        world_judge(world);
        world_close(world);
}

static void test_paid_in_time(void **state) {
        (void)state;
        struct world world;
        purchase_id hold = open_with_hold(&world);
        world_say(&world, PAYMENT_STARTED, hold);
        assert_true(world_read(&world, hold).paying);
        world_say(&world, ORDER_PAID, hold);
        world_assert_states(&world, "SSAAAA");
        struct hold sold = world_read(&world, hold);
        assert_true(sold.state == HOLD_CONSUMED && !sold.paying && sold.ended_at == KIT_NOW);
        assert_int_equal(world_said(&world, SEATS_SOLD, hold), 1);
        assert_int_equal(world_query(&world, "SELECT count(*) FROM journal WHERE type = 24 AND cause_id IN"
                                             " (SELECT id FROM journal WHERE type = 41)"),
                         1);
        /* again, and everything else that could be said about it too late */
        world_say(&world, ORDER_PAID, hold);
        world_say(&world, PAYMENT_STARTED, hold);
        world_say(&world, ORDER_CANCELLED, hold);
        world_wait(&world, 100000);
        world_assert_states(&world, "SSAAAA");
        assert_int_equal(world_said(&world, SEATS_SOLD, hold), 1);
        assert_int_equal(world_release(&world, hold, 7), RELEASE_HOLD_CONSUMED);
        close_judged(&world);
}

/* While money is on its way a hold does not end sooner than the provider's window; and not later than that either. */
static void test_a_paying_hold_outlives_the_provider(void **state) {
        (void)state;
        struct world world;
        purchase_id hold = open_with_hold(&world);
        world_wait(&world, WORLD_HOLD_SECONDS - 1);
        world_say(&world, PAYMENT_STARTED, hold);
        world_wait(&world, PAYMENT_HOLD_SECONDS - 1);
        world_assert_states(&world, "HHAAAA");
        world_restart(&world);
        world_assert_states(&world, "HHAAAA");
        assert_int_equal(world_hold(&world, 8, NO_KEY, 1, -1), HOLD_SEAT_TAKEN);
        world_wait(&world, 1);
        world_assert_states(&world, "AAAAAA");
        assert_int_equal(world_read(&world, hold).state, HOLD_EXPIRED);
        world_say(&world, PAYMENT_STARTED, hold); /* too late to extend anything */
        assert_int_equal(world_read(&world, hold).state, HOLD_EXPIRED);
        close_judged(&world);
}

static void test_late_money_takes_the_seats_again(void **state) {
        (void)state;
        struct world world;
        purchase_id hold = open_with_hold(&world);
        world_wait(&world, WORLD_HOLD_SECONDS);
        assert_int_equal(world_hold(&world, 8, NO_KEY, 0, -1), HOLD_CREATED); /* came and went */
        assert_int_equal(world_release(&world, world.held, 8), RELEASE_DONE);
        world_say(&world, ORDER_PAID, hold);
        world_assert_states(&world, "SSAAAA");
        struct hold taken = world_read(&world, hold);
        assert_true(taken.state == HOLD_CONSUMED && taken.versions[0] == 3 && taken.versions[1] == 2);
        assert_int_equal(world_said(&world, SEATS_SOLD, hold), 1);
        assert_int_equal(world_said(&world, SEATS_LOST, hold), 0);
        world_say(&world, ORDER_PAID, hold);
        assert_int_equal(world_said(&world, SEATS_SOLD, hold), 1);
        assert_int_equal(world_hold(&world, 7, NO_KEY, 2, 3, 4, -1), HOLD_OVER_CAP);
        close_judged(&world);
}

static void test_late_money_finds_the_seats_gone(void **state) {
        (void)state;
        struct world world;
        purchase_id hold = open_with_hold(&world);
        assert_int_equal(world_release(&world, hold, 7), RELEASE_DONE);
        assert_int_equal(world_hold(&world, 8, NO_KEY, 1, -1), HOLD_CREATED);
        purchase_id other = world.held;
        world_say(&world, ORDER_PAID, hold);
        world_assert_states(&world, "AHAAAA"); /* not even the free one is taken */
        assert_int_equal(world_said(&world, SEATS_LOST, hold), 1);
        assert_int_equal(world_said(&world, SEATS_SOLD, hold), 0);
        /* the refund that follows must not free what somebody else has */
        world_say(&world, ORDER_PAID, other);
        world_say(&world, ORDER_REFUNDING, hold);
        world_assert_states(&world, "ASAAAA");
        assert_int_equal(world_said(&world, SEATS_RETURNED, hold), 0);
        close_judged(&world);
}

static void test_late_money_respects_cap_blocks_and_cancellation(void **state) {
        (void)state;
        struct world world;
        purchase_id hold = open_with_hold(&world);
        assert_int_equal(world_release(&world, hold, 7), RELEASE_DONE);
        assert_int_equal(world_hold(&world, 7, NO_KEY, 2, 3, 4, -1), HOLD_CREATED);
        world_say(&world, ORDER_PAID, hold);
        world_assert_states(&world, "AAHHHA");
        assert_int_equal(world_said(&world, SEATS_LOST, hold), 1);
        assert_int_equal(world_release(&world, world.held, 7), RELEASE_DONE);

        assert_int_equal(world_block(&world, WORLD_ORGANISER, true, 1), BLOCK_DONE);
        world_say(&world, ORDER_PAID, hold);
        assert_int_equal(world_said(&world, SEATS_LOST, hold), 2);
        assert_int_equal(world_block(&world, WORLD_ORGANISER, false, 1), BLOCK_DONE);

        world.schedule.cancelled = true;
        world_say(&world, ORDER_PAID, hold);
        assert_int_equal(world_said(&world, SEATS_LOST, hold), 3);
        world_assert_states(&world, "AAAAAA");
        close_judged(&world);
}

static void test_declined(void **state) {
        (void)state;
        struct world world;
        purchase_id hold = open_with_hold(&world);
        world_say(&world, PAYMENT_STARTED, hold);
        world_say(&world, ORDER_CANCELLED, hold);
        world_assert_states(&world, "AAAAAA");
        assert_int_equal(world_read(&world, hold).state, HOLD_RELEASED);
        assert_int_equal(world_said(&world, SEATS_RELEASED, hold), 1);
        world_say(&world, ORDER_CANCELLED, hold);
        assert_int_equal(world_said(&world, SEATS_RELEASED, hold), 1);
        close_judged(&world);
}

static void test_sold_seats_come_back_once(void **state) {
        (void)state;
        struct world world;
        purchase_id hold = open_with_hold(&world);
        world_say(&world, ORDER_PAID, hold);
        world_restart(&world);
        world_say(&world, ORDER_REFUNDING, hold);
        world_assert_states(&world, "AAAAAA");
        assert_int_equal(world_said(&world, SEATS_RETURNED, hold), 1);
        assert_int_equal(world_read(&world, hold).state, HOLD_RELEASED);
        assert_int_equal(world_hold(&world, 8, NO_KEY, 0, 1, -1), HOLD_CREATED);
        world_say(&world, ORDER_REFUNDING, hold);
        world_assert_states(&world, "HHAAAA");
        assert_int_equal(world_said(&world, SEATS_RETURNED, hold), 1);
        /* a refund while the hold is still there ends it */
        world_say(&world, ORDER_REFUNDING, world.held);
        world_assert_states(&world, "AAAAAA");
        assert_int_equal(world_said(&world, SEATS_RETURNED, world.held), 0);
        close_judged(&world);
}

static void test_an_unknown_order_is_not_paid_for_nothing(void **state) {
        (void)state;
        struct world world;
        open_with_hold(&world);
        world_say(&world, ORDER_PAID, 4711);
        assert_int_equal(world_said(&world, SEATS_LOST, 4711), 1);
        world_say(&world, ORDER_CANCELLED, 4711);
        world_say(&world, ORDER_REFUNDING, 4711);
        world_say(&world, PAYMENT_STARTED, 4711);
        assert_int_equal(world_query(&world, "SELECT count(*) FROM dead_letter"), 0);
        close_judged(&world);
}

/* The same hold several times in one batch: each step sees what the one before has done. */
static void test_one_hold_many_times_in_a_batch(void **state) {
        (void)state;
        struct world world;
        purchase_id hold = open_with_hold(&world);
        const purchase_id thrice[] = {hold, hold, hold};
        world_say_all(&world, ORDER_PAID, thrice, 3);
        assert_int_equal(world_said(&world, SEATS_SOLD, hold), 1);
        world_say_all(&world, ORDER_REFUNDING, thrice, 3);
        assert_int_equal(world_said(&world, SEATS_RETURNED, hold), 1);
        world_say_all(&world, ORDER_PAID, thrice, 3); /* absurd, but harmless: retaken once */
        assert_int_equal(world_said(&world, SEATS_SOLD, hold), 2);
        world_assert_states(&world, "SSAAAA");
        assert_int_equal(world_query(&world, "SELECT count(*) FROM dead_letter"), 0);
        close_judged(&world);
}

/* Every call of the store fails once while an event takes effect: it takes effect exactly once all the same. */
static bool say_with_fault(struct world *world, enum event_type type, purchase_id hold, unsigned n, int fault) {
        world_say_unheard(world, type, hold);
        kit_db_fault_arm(world->db, n, fault);
        kit_lane_run(world->lane);
        bool struck = kit_db_fault_struck(world->db);
        kit_db_fault_arm(world->db, 0, 0);
        world_wait(world, 1); /* the lane tries again by itself */
        world_judge(world);
        return struck;
}

static void test_every_step_survives_every_fault(void **state) {
        (void)state;
        static const int faults[] = {FAULT_STORAGE, FAULT_CONSTRAINT};
        bool struck = true;
        for (unsigned n = 1; struck; n++) {
                struct world world;
                purchase_id hold = open_with_hold(&world);
                struck = say_with_fault(&world, PAYMENT_STARTED, hold, n, faults[n % 2]);
                assert_true(world_read(&world, hold).paying);
                struck |= say_with_fault(&world, ORDER_PAID, hold, n, faults[n % 2]);
                world_assert_states(&world, "SSAAAA");
                struck |= say_with_fault(&world, ORDER_REFUNDING, hold, n, faults[n % 2]);
                world_assert_states(&world, "AAAAAA");
                struck |= say_with_fault(&world, ORDER_PAID, hold, n, faults[n % 2]);
                world_assert_states(&world, "SSAAAA");
                assert_int_equal(world_said(&world, SEATS_SOLD, hold), 2);
                assert_int_equal(world_said(&world, SEATS_RETURNED, hold), 1);
                close_judged(&world);
                assert_true(n < 100);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_paid_in_time),
                cmocka_unit_test(test_a_paying_hold_outlives_the_provider),
                cmocka_unit_test(test_late_money_takes_the_seats_again),
                cmocka_unit_test(test_late_money_finds_the_seats_gone),
                cmocka_unit_test(test_late_money_respects_cap_blocks_and_cancellation),
                cmocka_unit_test(test_declined),
                cmocka_unit_test(test_sold_seats_come_back_once),
                cmocka_unit_test(test_an_unknown_order_is_not_paid_for_nothing),
                cmocka_unit_test(test_one_hold_many_times_in_a_batch),
                cmocka_unit_test(test_every_step_survives_every_fault),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
