/* Every outcome of each decision about an order, in the order in which they are checked. */
#include "base/unit_test.h"

#include "service/order/order_rules.h"

static struct order order_in(enum order_state state) {
        return (struct order){
                .id = 1, .schedule = 2, .account = 3, .state = state, .amount = {110001, "KRW"}, .seat_count = 2};
}

/* --- making --- */

static void create_refuses_in_order(void **state) {
        (void)state;
        struct order existing = order_in(ORDER_IS_CONFIRMED);
        existing.idempotency = (struct idempotency){5, 6};
        /* Everything is wrong at once; each step puts the first thing right. */
        struct order_create_facts facts = {.key_made_another = true,
                                           .idempotency = {5, 7},
                                           .existing = &existing,
                                           .schedule_cancelled = true,
                                           .sale_ended = true,
                                           .sale_paused = true};
        assert_int_equal(order_create_decide(&facts), ORDER_CREATE_NO_HOLD);
        facts.hold_is_theirs = true;
        assert_int_equal(order_create_decide(&facts), ORDER_CREATE_KEY_REUSED);
        facts.key_made_another = false;
        assert_int_equal(order_create_decide(&facts), ORDER_CREATE_KEY_REUSED);
        facts.idempotency.fingerprint = 6;
        assert_int_equal(order_create_decide(&facts), ORDER_CREATE_REPLAYED);
        facts.existing = NULL;
        assert_int_equal(order_create_decide(&facts), ORDER_CREATE_HOLD_ENDED);
        facts.hold_is_live = true;
        assert_int_equal(order_create_decide(&facts), ORDER_CREATE_SCHEDULE_CANCELLED);
        facts.schedule_cancelled = false;
        assert_int_equal(order_create_decide(&facts), ORDER_CREATE_SALE_ENDED);
        facts.sale_ended = false;
        assert_int_equal(order_create_decide(&facts), ORDER_CREATE_SALE_PAUSED);
        facts.sale_paused = false;
        assert_int_equal(order_create_decide(&facts), ORDER_CREATE_NOT_FOR_SALE);
        facts.every_seat_has_price = true;
        assert_int_equal(order_create_decide(&facts), ORDER_CREATE_MADE);
}

static void a_hold_with_an_order_is_replayed_whatever_the_key(void **state) {
        (void)state;
        struct order existing = order_in(ORDER_IS_PENDING);
        struct order_create_facts facts = {.hold_is_theirs = true, .existing = &existing, .idempotency = {5, 7}};
        assert_int_equal(order_create_decide(&facts), ORDER_CREATE_REPLAYED); /* made without a key */
        existing.idempotency = (struct idempotency){9, 9};
        assert_int_equal(order_create_decide(&facts), ORDER_CREATE_REPLAYED); /* made with another */
        facts.idempotency = (struct idempotency){0};
        assert_int_equal(order_create_decide(&facts), ORDER_CREATE_REPLAYED);
}

/* --- giving up --- */

static void cancel_refuses_in_order(void **state) {
        (void)state;
        struct order_change change = {0};
        struct order_cancel_facts facts = {
                .payment_under_way = true, .now = 100, .cancel_until = 99, .refund_percent = 90};
        assert_int_equal(order_cancel_decide(NULL, &facts, &change), ORDER_CANCEL_NOT_FOUND);
        static const enum order_state ended[] = {ORDER_IS_CANCELLED, ORDER_IS_REFUNDING, ORDER_IS_REFUNDED};
        for (size_t i = 0; i < 3; i++) {
                struct order order = order_in(ended[i]);
                assert_int_equal(order_cancel_decide(&order, &facts, &change), ORDER_CANCEL_ALREADY);
        }
        struct order paid = order_in(ORDER_IS_PAID), pending = order_in(ORDER_IS_PENDING),
                     confirmed = order_in(ORDER_IS_CONFIRMED);
        assert_int_equal(order_cancel_decide(&paid, &facts, &change), ORDER_CANCEL_IN_PROGRESS);
        assert_int_equal(order_cancel_decide(&pending, &facts, &change), ORDER_CANCEL_IN_PROGRESS);
        assert_int_equal(order_cancel_decide(&confirmed, &facts, &change), ORDER_CANCEL_TOO_LATE);
        assert_false(change.happens);
        facts.payment_under_way = false;
        assert_int_equal(order_cancel_decide(&pending, &facts, &change), ORDER_CANCEL_DONE);
        assert_int_equal(change.to, ORDER_IS_CANCELLED);
        assert_int_equal(change.says, ORDER_CANCELLED);
        assert_int_equal(change.reason, ORDER_REASON_BUYER_CANCELLED);
        assert_int_equal(change.refund_amount, 0);
}

static void cancel_gives_back_the_rules_share(void **state) {
        (void)state;
        struct order confirmed = order_in(ORDER_IS_CONFIRMED);
        struct order_change change = {0};
        struct order_cancel_facts facts = {.now = 99, .cancel_until = 99, .refund_percent = 90};
        assert_int_equal(order_cancel_decide(&confirmed, &facts, &change), ORDER_CANCEL_REFUNDING);
        assert_int_equal(change.refund_amount, 99001); /* 99000.9: the fraction is the buyer's */
        assert_int_equal(change.reason, ORDER_REASON_BUYER_CANCELLED);
        assert_int_equal(change.says, ORDER_REFUNDING);
        facts.refund_percent = 100;
        order_cancel_decide(&confirmed, &facts, &change);
        assert_int_equal(change.refund_amount, 110001);
        facts.refund_percent = 0;
        assert_int_equal(order_cancel_decide(&confirmed, &facts, &change), ORDER_CANCEL_REFUNDING);
        assert_int_equal(change.refund_amount, 0);
        facts = (struct order_cancel_facts){.now = 100, .cancel_until = 99, .schedule_cancelled = true};
        assert_int_equal(order_cancel_decide(&confirmed, &facts, &change), ORDER_CANCEL_REFUNDING);
        assert_int_equal(change.refund_amount, 110001);
        assert_int_equal(change.reason, ORDER_REASON_SCHEDULE_CANCELLED);
}

/* --- hearing --- */

struct heard {
        unsigned event;
        struct order_facts facts;
        enum order_state from, to;
        unsigned says; /* 0: nothing happens */
};

static void events_change_what_they_may(void **state) {
        (void)state;
        static const struct heard table[] = {
                {PAYMENT_CAPTURED, {0}, ORDER_IS_PENDING, ORDER_IS_PAID, ORDER_PAID},
                {PAYMENT_CAPTURED, {0}, ORDER_IS_CANCELLED, ORDER_IS_PAID, ORDER_PAID},
                {PAYMENT_CAPTURED, {.schedule_cancelled = true}, ORDER_IS_PENDING, ORDER_IS_REFUNDING, ORDER_REFUNDING},
                {PAYMENT_CAPTURED,
                 {.schedule_cancelled = true},
                 ORDER_IS_CANCELLED,
                 ORDER_IS_REFUNDING,
                 ORDER_REFUNDING},
                {PAYMENT_DECLINED, {0}, ORDER_IS_PENDING, ORDER_IS_CANCELLED, ORDER_CANCELLED},
                {SEATS_RELEASED, {0}, ORDER_IS_PENDING, ORDER_IS_CANCELLED, ORDER_CANCELLED},
                {SEATS_RELEASED, {.payment_under_way = true}, ORDER_IS_PENDING, ORDER_IS_PENDING, 0},
                {SEATS_LOST, {0}, ORDER_IS_PAID, ORDER_IS_REFUNDING, ORDER_REFUNDING},
                {TICKET_ISSUED, {0}, ORDER_IS_PAID, ORDER_IS_CONFIRMED, ORDER_CONFIRMED},
                {PAYMENT_REFUNDED, {0}, ORDER_IS_REFUNDING, ORDER_IS_REFUNDED, ORDER_REFUNDED},
        };
        static const unsigned events[] = {PAYMENT_CAPTURED, PAYMENT_DECLINED, SEATS_RELEASED,
                                          SEATS_LOST,       TICKET_ISSUED,    PAYMENT_REFUNDED};
        enum { ROWS = sizeof table / sizeof table[0] };
        for (unsigned i = 0; i < ROWS; i++) {
                struct order order = order_in(table[i].from);
                struct order_change change = order_hears(&order, table[i].event, &table[i].facts);
                assert_int_equal(change.happens, table[i].says != 0);
                assert_int_equal(change.says, table[i].says);
                if (change.happens) {
                        order_apply(&order, &change, 77);
                        assert_int_equal(order.updated_at, 77);
                }
                assert_int_equal(order.state, table[i].to);
        }
        /* Every other event in every other state means nothing: it came twice, or too late. */
        for (unsigned event = 0; event < sizeof events / sizeof events[0]; event++) {
                for (unsigned from = 0; from < ORDER_STATES; from++) {
                        bool listed = false;
                        for (unsigned i = 0; i < ROWS; i++)
                                listed |= table[i].event == events[event] && table[i].from == from;
                        struct order order = order_in((enum order_state)from);
                        if (!listed)
                                assert_false(order_hears(&order, events[event], &(struct order_facts){0}).happens);
                }
        }
}

static void refunds_keep_amount_and_reason(void **state) {
        (void)state;
        struct order order = order_in(ORDER_IS_PAID);
        struct order_change change = order_hears(&order, SEATS_LOST, &(struct order_facts){0});
        order_apply(&order, &change, 1);
        assert_int_equal(order.refund_amount, 110001);
        assert_int_equal(order.reason, ORDER_REASON_SEATS_LOST);
        change = order_hears(&order, PAYMENT_REFUNDED, &(struct order_facts){0});
        order_apply(&order, &change, 2);
        assert_int_equal(order.refund_amount, 110001);
        assert_int_equal(order.reason, ORDER_REASON_SEATS_LOST);
        order = order_in(ORDER_IS_CANCELLED);
        order.reason = ORDER_REASON_HOLD_ENDED;
        change = order_hears(&order, PAYMENT_CAPTURED, &(struct order_facts){0});
        order_apply(&order, &change, 3);
        assert_int_equal(order.reason, ORDER_REASON_NONE); /* it has not ended after all */
}

static void forbidden_moves_stop_the_process(void **state) {
        (void)state;
        struct order order = order_in(ORDER_IS_REFUNDED);
        struct order_change change = {.happens = true, .to = ORDER_IS_PAID};
        assert_true(ABORTS(order_apply(&order, &change, 1)));
        order = order_in(ORDER_IS_PENDING);
        change.to = ORDER_IS_CONFIRMED;
        assert_true(ABORTS(order_apply(&order, &change, 1)));
        order = order_in(ORDER_IS_PAID);
        change = (struct order_change){.happens = true, .to = ORDER_IS_REFUNDING, .refund_amount = 110002};
        assert_true(ABORTS(order_apply(&order, &change, 1))); /* more than was paid */
        assert_true(ABORTS(order_hears(&order, TICKET_SCANNED, &(struct order_facts){0})));
}

static void reasons_have_names(void **state) {
        (void)state;
        for (unsigned i = 0; i < ORDER_REASONS; i++)
                assert_int_equal(order_reason_of(text_of(order_reason_name((enum order_reason)i))), i);
        assert_int_equal(order_reason_of(TEXT("something else")), ORDER_REASON_NONE);
        assert_string_equal(order_reason_name(ORDER_REASON_BUYER_CANCELLED),
                            "buyer_cancelled"); /* the auditor looks for it */
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(create_refuses_in_order),
                cmocka_unit_test(a_hold_with_an_order_is_replayed_whatever_the_key),
                cmocka_unit_test(cancel_refuses_in_order),
                cmocka_unit_test(cancel_gives_back_the_rules_share),
                cmocka_unit_test(events_change_what_they_may),
                cmocka_unit_test(refunds_keep_amount_and_reason),
                cmocka_unit_test(forbidden_moves_stop_the_process),
                cmocka_unit_test(reasons_have_names),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
