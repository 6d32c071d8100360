/* inventory_rules_test.c: every outcome of every rule, in its order of precedence.
 *
 * A ladder is tested with a list of faults in the ladder's order: with the k-th fault alone the outcome is the k-th,
 * and with the k-th and all later ones too. */
#include "service/inventory/inventory_rules.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { SEATS = 8, NOW = 1000000 };

struct scene {
        struct sale_terms terms;
        struct seat house[SEATS];
        seat_index seats[3];
        int64_t amounts[3];
        struct hold hold; /* the one that is changed, released, sold … */
        struct hold_wish wish;
        account_id account;
        int64_t now;
        bool no_hold;
};

/* A hold of seats 5 and 6, by account 7; the wish is for 0, 1, 2. */
static struct scene scene(void) {
        struct scene scene = {
                .terms = {.known = true,
                          .opens_at = NOW - 10,
                          .ends_at = NOW + 10,
                          .cap = 5,
                          .hold_seconds = 300,
                          .seat_count = SEATS},
                .seats = {0, 1, 2},
                .amounts = {100, 200, 0},
                .account = 7,
                .now = NOW,
                .hold = {.id = 70,
                         .account = 7,
                         .schedule = 3,
                         .expires_at = NOW + 100,
                         .idempotency = {11, 12},
                         .seat_count = 2,
                         .seats = {5, 6},
                         .versions = {4, 9}},
        };
        scene.house[1].version = 6;
        scene.house[5] = (struct seat){.hold = 70, .version = 4, .state = SEAT_HELD};
        scene.house[6] = (struct seat){.hold = 70, .version = 9, .state = SEAT_HELD};
        scene.wish = (struct hold_wish){
                .id = 80, .schedule = 3, .account = 7, .idempotency = {11, 12}, .now = NOW, .admitted = true};
        return scene;
}

static struct seat_choice choice_of(struct scene *s) {
        return (struct seat_choice){
                .house = s->house, .seats = s->seats, .amounts = s->amounts, .count = 3, .share = s->wish.choice.share};
}

typedef void (*set_fault)(struct scene *s);
typedef int (*decide)(struct scene *s);

struct step {
        set_fault fault;
        int outcome;
};

/* The last step has no fault: its outcome is success. */
static void check_ladder(const struct step *steps, size_t count, decide act) {
        for (size_t k = 0; k < count; k++) {
                struct scene alone = scene(), many = scene();
                if (steps[k].fault)
                        steps[k].fault(&alone);
                for (size_t i = k; i < count; i++) {
                        if (steps[i].fault)
                                steps[i].fault(&many);
                }
                assert_int_equal(act(&alone), steps[k].outcome);
                assert_int_equal(act(&many), steps[k].outcome);
        }
}
#define CHECK_LADDER(steps, act) check_ladder(steps, sizeof(steps) / sizeof *(steps), act)

static void unknown(struct scene *s) {
        s->terms.known = false;
}
static void cancelled(struct scene *s) {
        s->terms.cancelled = true;
}
static void not_open(struct scene *s) {
        s->terms.opens_at = NOW + 1;
}
static void ended(struct scene *s) {
        s->terms.ends_at = NOW;
}
static void paused(struct scene *s) {
        s->terms.paused = true;
}
static void not_admitted(struct scene *s) {
        s->wish.admitted = false;
}
static void key_reused(struct scene *s) {
        s->wish.earlier = &s->hold;
        s->wish.idempotency.fingerprint = 99;
}
static void replayed(struct scene *s) {
        s->wish.earlier = &s->hold;
}
static void seat_unknown(struct scene *s) {
        s->seats[2] = SEATS;
}
static void seat_repeated(struct scene *s) {
        s->seats[1] = s->seats[0];
}
static void not_for_sale(struct scene *s) {
        s->amounts[0] = -1;
}
static void over_cap(struct scene *s) {
        s->terms.cap = 2;
}
static void taken(struct scene *s) {
        s->house[0] = (struct seat){.hold = 1, .version = 1, .state = SEAT_HELD};
}

static int create(struct scene *s) {
        struct hold hold;
        seat_mask culprits;
        s->wish.terms = &s->terms;
        s->wish.choice = choice_of(s);
        return hold_decide_create(&s->wish, &hold, &culprits);
}

static void test_create(void **state) {
        (void)state;
        static const struct step steps[] = {
                {unknown, HOLD_SCHEDULE_UNKNOWN},
                {cancelled, HOLD_SCHEDULE_CANCELLED},
                {not_open, HOLD_SALE_NOT_OPEN},
                {ended, HOLD_SALE_ENDED},
                {paused, HOLD_SALE_PAUSED},
                {not_admitted, HOLD_NOT_ADMITTED},
                {key_reused, HOLD_KEY_REUSED},
                {seat_unknown, HOLD_SEAT_UNKNOWN},
                {seat_repeated, HOLD_SEAT_REPEATED},
                {not_for_sale, HOLD_SEAT_NOT_FOR_SALE},
                {over_cap, HOLD_OVER_CAP},
                {taken, HOLD_SEAT_TAKEN},
                {NULL, HOLD_CREATED},
        };
        CHECK_LADDER(steps, create);
        static const struct step replay[] = {
                {not_admitted, HOLD_NOT_ADMITTED}, {replayed, HOLD_REPLAYED}, {seat_unknown, HOLD_SEAT_UNKNOWN},
                {over_cap, HOLD_OVER_CAP},         {taken, HOLD_SEAT_TAKEN},  {NULL, HOLD_CREATED},
        };
        CHECK_LADDER(replay, create);
}

static void test_create_makes_the_hold(void **state) {
        (void)state;
        struct scene s = scene();
        struct hold hold;
        seat_mask culprits;
        s.wish.terms = &s.terms;
        s.wish.choice = choice_of(&s);
        s.wish.choice.share = 2; /* and three more: exactly the cap */
        assert_int_equal(hold_decide_create(&s.wish, &hold, &culprits), HOLD_CREATED);
        assert_int_equal(hold.id, 80);
        assert_int_equal(hold.schedule, 3);
        assert_int_equal(hold.account, 7);
        assert_int_equal(hold.state, HOLD_ACTIVE);
        assert_int_equal(hold.created_at, NOW);
        assert_int_equal(hold.expires_at, NOW + 300000);
        assert_int_equal(hold.idempotency.key, 11);
        assert_int_equal(hold.seat_count, 3);
        assert_int_equal(hold.seats[1], 1);
        assert_int_equal(hold.versions[0], 1);
        assert_int_equal(hold.versions[1], 7);
        assert_false(hold.paying || hold.ordered);
        s.wish.choice.share = 3;
        assert_int_equal(hold_decide_create(&s.wish, &hold, &culprits), HOLD_OVER_CAP);
        assert_int_equal(culprits, 0);
}

static void test_culprits_are_named(void **state) {
        (void)state;
        struct scene s = scene();
        struct hold hold;
        seat_mask culprits;
        s.wish.terms = &s.terms;
        s.wish.choice = choice_of(&s);
        s.house[0].state = SEAT_BLOCKED;
        s.house[2] = (struct seat){.hold = 9, .version = 1, .state = SEAT_SOLD};
        assert_int_equal(hold_decide_create(&s.wish, &hold, &culprits), HOLD_SEAT_TAKEN);
        assert_int_equal(culprits, 0b101);
        s.seats[1] = s.seats[2] = s.seats[0];
        assert_int_equal(hold_decide_create(&s.wish, &hold, &culprits), HOLD_SEAT_REPEATED);
        assert_int_equal(culprits, 0b110);
        s.seats[1] = 1000000000;
        assert_int_equal(hold_decide_create(&s.wish, &hold, &culprits), HOLD_SEAT_UNKNOWN);
        assert_int_equal(culprits, 0b010);
}

static void no_hold(struct scene *s) {
        s->no_hold = true;
}
static void somebody_elses(struct scene *s) {
        s->account = 8;
}
static void hold_released(struct scene *s) {
        s->hold.state = HOLD_RELEASED;
}
static void hold_late(struct scene *s) {
        s->hold.expires_at = NOW;
}
static void in_payment(struct scene *s) {
        s->hold.paying = true;
}
static void ordered(struct scene *s) {
        s->hold.ordered = true;
}

static int change_into(struct scene *s, struct hold *ret_hold) {
        seat_mask culprits;
        s->wish.choice.share = 2;
        struct seat_choice choice = choice_of(s);
        return hold_decide_change(s->no_hold ? NULL : &s->hold, s->account, &s->terms, &choice, s->now, ret_hold,
                                  &culprits);
}

static int change(struct scene *s) {
        struct hold hold;
        return change_into(s, &hold);
}

static void test_change(void **state) {
        (void)state;
        static const struct step steps[] = {
                {no_hold, CHANGE_HOLD_UNKNOWN},
                {somebody_elses, CHANGE_HOLD_UNKNOWN},
                {hold_released, CHANGE_HOLD_ENDED},
                {hold_late, CHANGE_HOLD_ENDED},
                {in_payment, CHANGE_HOLD_IN_PAYMENT},
                {ordered, CHANGE_HOLD_ORDERED},
                {cancelled, CHANGE_SALE_OVER},
                {ended, CHANGE_SALE_OVER},
                {paused, CHANGE_SALE_PAUSED},
                {seat_unknown, CHANGE_SEAT_UNKNOWN},
                {seat_repeated, CHANGE_SEAT_REPEATED},
                {not_for_sale, CHANGE_SEAT_NOT_FOR_SALE},
                {over_cap, CHANGE_OVER_CAP},
                {taken, CHANGE_SEAT_TAKEN},
                {NULL, CHANGE_DONE},
        };
        CHECK_LADDER(steps, change);
}

static void test_change_keeps_what_stays(void **state) {
        (void)state;
        struct scene s = scene();
        struct hold hold;
        s.seats[0] = 6;
        s.terms.cap = 3; /* its own two do not count twice */
        assert_int_equal(change_into(&s, &hold), CHANGE_DONE);
        assert_int_equal(hold.id, 70);
        assert_int_equal(hold.seat_count, 3);
        assert_int_equal(hold.versions[0], 9);
        assert_int_equal(hold.versions[1], 7);
        assert_int_equal(hold.expires_at, s.hold.expires_at);
}

static int release(struct scene *s) {
        return hold_decide_release(s->no_hold ? NULL : &s->hold, s->account);
}
static void consumed(struct scene *s) {
        s->hold.state = HOLD_CONSUMED;
}

static void test_release(void **state) {
        (void)state;
        static const struct step steps[] = {
                {no_hold, RELEASE_HOLD_UNKNOWN},
                {somebody_elses, RELEASE_HOLD_UNKNOWN},
                {consumed, RELEASE_HOLD_CONSUMED},
                {in_payment, RELEASE_HOLD_IN_PAYMENT},
                {NULL, RELEASE_DONE},
        };
        CHECK_LADDER(steps, release);
        struct scene s = scene();
        s.hold.paying = true;
        s.hold.state = HOLD_EXPIRED;
        assert_int_equal(release(&s), RELEASE_REPEATED);
        s.hold.state = HOLD_RELEASED;
        assert_int_equal(release(&s), RELEASE_REPEATED);
}

static void test_pay(void **state) {
        (void)state;
        struct scene s = scene();
        int64_t expires_at = 0;
        assert_int_equal(hold_decide_pay(&s.hold, NOW, &expires_at), PAY_HOLD_EXTENDED);
        assert_int_equal(expires_at, NOW + PAYMENT_HOLD_SECONDS * 1000);
        s.hold.expires_at = NOW + 10000000;
        assert_int_equal(hold_decide_pay(&s.hold, NOW, &expires_at), PAY_HOLD_EXTENDED);
        assert_int_equal(expires_at, s.hold.expires_at);
        for (int ended_state = HOLD_CONSUMED; ended_state <= HOLD_EXPIRED; ended_state++) {
                s.hold.state = (enum hold_state)ended_state;
                assert_int_equal(hold_decide_pay(&s.hold, NOW, &expires_at), PAY_HOLD_ENDED);
        }
}

static int sell_share(struct scene *s, uint32_t share) {
        struct hold hold;
        return hold_decide_sell(&s->hold, &s->terms, s->house, share, &hold);
}

static void test_sell_by_fence(void **state) {
        (void)state;
        struct scene s = scene();
        assert_int_equal(sell_share(&s, 2), SELL_DONE);
        s.house[6].version++; /* it has changed hands */
        assert_int_equal(sell_share(&s, 2), SELL_FENCED);
        s = scene();
        s.house[5].hold = 71;
        assert_int_equal(sell_share(&s, 2), SELL_FENCED);
        s = scene();
        s.house[5].state = SEAT_SOLD;
        assert_int_equal(sell_share(&s, 2), SELL_FENCED);
        s.hold.state = HOLD_CONSUMED;
        assert_int_equal(sell_share(&s, 2), SELL_REPEATED);
}

static void free_house(struct scene *s) {
        s->hold.state = HOLD_EXPIRED;
        for (int i = 5; i < 7; i++)
                s->house[i] = seat_free(s->house[i]);
}

static void test_sell_late(void **state) {
        (void)state;
        struct scene s = scene();
        struct hold hold;
        free_house(&s);
        s.house[5].version = 40;
        assert_int_equal(hold_decide_sell(&s.hold, &s.terms, s.house, 3, &hold), SELL_RETAKEN);
        assert_int_equal(hold.versions[0], 41);
        assert_int_equal(hold.versions[1], 10);
        assert_int_equal(sell_share(&s, 4), SELL_LOST); /* over the cap by now */
        s.hold.state = HOLD_RELEASED;
        assert_int_equal(sell_share(&s, 0), SELL_RETAKEN);
        s.house[6].state = SEAT_BLOCKED;
        assert_int_equal(sell_share(&s, 0), SELL_LOST);
        s.house[6] = (struct seat){.hold = 99, .version = 10, .state = SEAT_HELD};
        assert_int_equal(sell_share(&s, 0), SELL_LOST);
        s = scene();
        free_house(&s);
        s.terms.cancelled = true;
        assert_int_equal(sell_share(&s, 0), SELL_LOST);
        s.terms.cancelled = false;
        s.terms.ends_at = NOW - 1; /* the sale is over, but this was bought in time */
        assert_int_equal(sell_share(&s, 0), SELL_RETAKEN);
}

static void test_return(void **state) {
        (void)state;
        struct scene s = scene();
        assert_int_equal(hold_decide_return(&s.hold, s.house), RETURN_RELEASED);
        s.hold.state = HOLD_EXPIRED;
        assert_int_equal(hold_decide_return(&s.hold, s.house), RETURN_NOTHING);
        s.hold.state = HOLD_RELEASED;
        assert_int_equal(hold_decide_return(&s.hold, s.house), RETURN_NOTHING);
        s.hold.state = HOLD_CONSUMED;
        assert_int_equal(hold_decide_return(&s.hold, s.house), RETURN_FENCED);
        s.house[5] = seat_sell(s.house[5]);
        s.house[6] = seat_sell(s.house[6]);
        assert_int_equal(hold_decide_return(&s.hold, s.house), RETURN_DONE);
        s.house[6].hold = 71;
        assert_int_equal(hold_decide_return(&s.hold, s.house), RETURN_FENCED);
}

static void test_expire(void **state) {
        (void)state;
        struct scene s = scene();
        assert_int_equal(hold_decide_expire(&s.hold, NOW + 99), EXPIRE_NOT_YET);
        assert_int_equal(hold_decide_expire(&s.hold, NOW + 100), EXPIRE_DONE);
        s.hold.state = HOLD_CONSUMED;
        assert_int_equal(hold_decide_expire(&s.hold, NOW + 100), EXPIRE_ENDED);
}

static void test_block(void **state) {
        (void)state;
        struct scene s = scene();
        assert_int_equal(seat_decide_block(s.house, SEATS, SEATS, true), BLOCK_SEAT_UNKNOWN);
        assert_int_equal(seat_decide_block(s.house, SEATS, 5, true), BLOCK_SEAT_TAKEN);
        assert_int_equal(seat_decide_block(s.house, SEATS, 5, false), BLOCK_DONE);
        assert_int_equal(seat_decide_block(s.house, SEATS, 0, true), BLOCK_DONE);
        s.house[0] = seat_block(s.house[0], true);
        assert_int_equal(s.house[0].state, SEAT_BLOCKED);
        assert_int_equal(seat_decide_block(s.house, SEATS, 0, true), BLOCK_DONE);
        assert_int_equal(seat_block(s.house[0], false).state, SEAT_AVAILABLE);
}

static void test_steps_of_a_seat(void **state) {
        (void)state;
        struct seat seat = {.version = 3};
        seat = seat_hold(seat, 70);
        assert_true(seat.state == SEAT_HELD && seat.hold == 70 && seat.version == 4);
        seat = seat_sell(seat);
        assert_true(seat.state == SEAT_SOLD && seat.hold == 70 && seat.version == 4);
        seat = seat_free(seat);
        assert_true(seat.state == SEAT_AVAILABLE && seat.hold == 0 && seat.version == 4);
        seat = seat_hold(seat, 71);
        assert_int_equal(seat.version, 5);
        assert_int_equal(seat_free(seat).version, 5);
}

/* The tables of moves, written out by hand. */
static void test_lifecycles(void **state) {
        (void)state;
        static const bool seat_may[4][4] = {{0, 1, 0, 1}, {1, 0, 1, 0}, {1, 0, 0, 0}, {1, 0, 0, 0}};
        static const bool hold_may[4][4] = {{0, 1, 1, 1}, {0, 0, 1, 0}, {0, 1, 0, 0}, {0, 1, 0, 0}};
        for (unsigned from = 0; from < 4; from++) {
                for (unsigned to = 0; to < 4; to++) {
                        assert_int_equal(fsm_may(&seat_fsm, from, to), seat_may[from][to]);
                        assert_int_equal(fsm_may(&hold_fsm, from, to), hold_may[from][to]);
                }
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_create),
                cmocka_unit_test(test_create_makes_the_hold),
                cmocka_unit_test(test_culprits_are_named),
                cmocka_unit_test(test_change),
                cmocka_unit_test(test_change_keeps_what_stays),
                cmocka_unit_test(test_release),
                cmocka_unit_test(test_pay),
                cmocka_unit_test(test_sell_by_fence),
                cmocka_unit_test(test_sell_late),
                cmocka_unit_test(test_return),
                cmocka_unit_test(test_expire),
                cmocka_unit_test(test_block),
                cmocka_unit_test(test_steps_of_a_seat),
                cmocka_unit_test(test_lifecycles),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
