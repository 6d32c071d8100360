/* Every outcome of each decision about a payment, in the order in which they are checked. */
#include "base/unit_test.h"

#include "service/payment/payment_rules.h"

static void start_refuses_in_order(void **state) {
        (void)state;
        /* Everything is wrong at once; each step puts the first thing right. */
        struct payment_start_facts facts = {.key_reused = true,
                                            .order_confirmed = true,
                                            .order_cancelled = true,
                                            .order_refunded = true,
                                            .exists = true,
                                            .state = PAYMENT_IS_DECLINED};
        assert_int_equal(payment_start_decide(&facts), PAYMENT_START_NOT_FOUND);
        facts.found = true;
        assert_int_equal(payment_start_decide(&facts), PAYMENT_START_KEY_REUSED);
        facts.key_reused = false;
        assert_int_equal(payment_start_decide(&facts), PAYMENT_START_CONFIRMED);
        facts.order_confirmed = false;
        assert_int_equal(payment_start_decide(&facts), PAYMENT_START_DECLINED);
        facts.state = PAYMENT_IS_CONFIRMING;
        assert_int_equal(payment_start_decide(&facts), PAYMENT_START_CANCELLED);
        facts.order_cancelled = false;
        assert_int_equal(payment_start_decide(&facts), PAYMENT_START_REFUNDED);
        facts.order_refunded = false;
        assert_int_equal(payment_start_decide(&facts), PAYMENT_START_IN_PROGRESS); /* paid, not yet confirmed */
        facts.order_pending = true;
        assert_int_equal(payment_start_decide(&facts), PAYMENT_START_IN_PROGRESS);
        facts.exists = false;
        assert_int_equal(payment_start_decide(&facts), PAYMENT_START_WAITS);
}

struct heard {
        enum payment_state from;
        enum payment_question asked;
        enum payment_word word;
        enum payment_state to;
        unsigned says;
        enum payment_question asks;
        bool waits;
};

/* All that changes anything. */
static const struct heard table[] = {
#define ABOUT_TAKING(from, asked)                                                                                       \
        {from, asked, PAYMENT_WORD_TAKEN, PAYMENT_IS_PAID, PAYMENT_CAPTURED, PAYMENT_ASK_NOTHING, false},               \
                {from, asked, PAYMENT_WORD_REFUSED, PAYMENT_IS_DECLINED, PAYMENT_DECLINED, PAYMENT_ASK_NOTHING, false}, \
                {from, asked, PAYMENT_WORD_OPEN, PAYMENT_IS_UNKNOWN, 0, PAYMENT_ASK_NOTHING, true},                     \
                {from, asked, PAYMENT_WORD_ABSENT, PAYMENT_IS_CONFIRMING, 0, PAYMENT_ASK_CONFIRM, false}, {             \
                from, asked, PAYMENT_WORD_RETURNED, PAYMENT_IS_DECLINED, PAYMENT_DECLINED, PAYMENT_ASK_NOTHING, false   \
        }
        ABOUT_TAKING(PAYMENT_IS_CONFIRMING, PAYMENT_ASK_CONFIRM),
        ABOUT_TAKING(PAYMENT_IS_CONFIRMING, PAYMENT_ASK_QUERY),
        ABOUT_TAKING(PAYMENT_IS_UNKNOWN, PAYMENT_ASK_CONFIRM),
        ABOUT_TAKING(PAYMENT_IS_UNKNOWN, PAYMENT_ASK_QUERY),
        {PAYMENT_IS_DECLINED, PAYMENT_ASK_CONFIRM, PAYMENT_WORD_TAKEN, PAYMENT_IS_PAID, PAYMENT_CAPTURED,
         PAYMENT_ASK_NOTHING, false},
        {PAYMENT_IS_DECLINED, PAYMENT_ASK_QUERY, PAYMENT_WORD_TAKEN, PAYMENT_IS_PAID, PAYMENT_CAPTURED,
         PAYMENT_ASK_NOTHING, false},
#define ABOUT_RETURN(from)                                                                                               \
        {from, PAYMENT_ASK_REFUND, PAYMENT_WORD_RETURNED, PAYMENT_IS_REFUNDED, PAYMENT_REFUNDED, PAYMENT_ASK_NOTHING,    \
         false},                                                                                                         \
                {from, PAYMENT_ASK_REFUND, PAYMENT_WORD_TAKEN, PAYMENT_IS_REFUND_UNKNOWN, 0, PAYMENT_ASK_NOTHING, true}, \
                {from, PAYMENT_ASK_REFUND, PAYMENT_WORD_REFUSED, PAYMENT_IS_REFUND_UNKNOWN, 0, PAYMENT_ASK_NOTHING,      \
                 true},                                                                                                  \
                {from, PAYMENT_ASK_REFUND, PAYMENT_WORD_OPEN, PAYMENT_IS_REFUND_UNKNOWN, 0, PAYMENT_ASK_NOTHING, true},  \
        {                                                                                                                \
                from, PAYMENT_ASK_REFUND, PAYMENT_WORD_ABSENT, PAYMENT_IS_REFUND_UNKNOWN, 0, PAYMENT_ASK_NOTHING, true   \
        }
        ABOUT_RETURN(PAYMENT_IS_REFUNDING),
        ABOUT_RETURN(PAYMENT_IS_REFUND_UNKNOWN),
};

static const struct heard *row_of(unsigned from, unsigned asked, unsigned word) {
        for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
                if (table[i].from == from && table[i].asked == asked && table[i].word == word)
                        return &table[i];
        return NULL;
}

static void answers_change_what_they_may(void **state) {
        (void)state;
        unsigned changes = 0;
        for (unsigned from = 0; from < PAYMENT_STATES; from++) {
                for (unsigned asked = PAYMENT_ASK_CONFIRM; asked < PAYMENT_QUESTIONS; asked++) {
                        for (unsigned word = PAYMENT_WORD_TAKEN; word <= PAYMENT_WORD_RETURNED; word++) {
                                const struct heard *row = row_of(from, asked, word);
                                struct payment_change change =
                                        payment_hears((enum payment_state)from, (enum payment_question)asked,
                                                      (enum payment_word)word);
                                assert_int_equal(change.happens, row != NULL);
                                if (!row)
                                        continue;
                                changes++;
                                assert_int_equal(change.to, row->to);
                                assert_int_equal(change.says, row->says);
                                assert_int_equal(change.asks, row->asks);
                                assert_int_equal(change.waits, row->waits);
                                assert_true(fsm_may(&payment_fsm, from, change.to));
                                /* Nothing is ever given up: an open payment waits for something. */
                                assert_true(!payment_is_open(change.to) || change.asks || change.waits);
                        }
                }
        }
        assert_int_equal(changes, sizeof table / sizeof table[0]);
}

static void the_reconciler_knows_what_to_ask(void **state) {
        (void)state;
        enum payment_state to;
        assert_int_equal(payment_next_question(PAYMENT_IS_CONFIRMING, &to), PAYMENT_ASK_QUERY);
        assert_int_equal(to, PAYMENT_IS_CONFIRMING);
        assert_int_equal(payment_next_question(PAYMENT_IS_UNKNOWN, &to), PAYMENT_ASK_QUERY);
        assert_int_equal(to, PAYMENT_IS_UNKNOWN);
        assert_int_equal(payment_next_question(PAYMENT_IS_REFUNDING, &to), PAYMENT_ASK_REFUND);
        assert_int_equal(to, PAYMENT_IS_REFUNDING);
        assert_int_equal(payment_next_question(PAYMENT_IS_REFUND_UNKNOWN, &to), PAYMENT_ASK_REFUND);
        assert_int_equal(to, PAYMENT_IS_REFUNDING);
        static const enum payment_state closed[] = {PAYMENT_IS_READY, PAYMENT_IS_PAID, PAYMENT_IS_DECLINED,
                                                    PAYMENT_IS_REFUNDED};
        for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++) {
                assert_false(payment_is_open(closed[i]));
                assert_true(ABORTS(payment_next_question(closed[i], &to)));
        }
}

static void questions_become_rarer(void **state) {
        (void)state;
        assert_int_equal(payment_backoff_ms(0), 1000);
        assert_int_equal(payment_backoff_ms(1), 1000);
        assert_int_equal(payment_backoff_ms(2), 2000);
        assert_int_equal(payment_backoff_ms(6), 32000);
        assert_int_equal(payment_backoff_ms(7), 60000);
        assert_int_equal(payment_backoff_ms(PAY_ATTEMPTS_MAX), 60000);
        assert_int_equal(payment_backoff_ms(PAY_ATTEMPTS_MAX + 1), 600000);
        assert_int_equal(payment_backoff_ms(UINT32_MAX), 600000);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(start_refuses_in_order),
                cmocka_unit_test(answers_change_what_they_may),
                cmocka_unit_test(the_reconciler_knows_what_to_ask),
                cmocka_unit_test(questions_become_rarer),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
