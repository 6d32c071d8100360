/* payment_rules.c: the decisions of payment_rules.h, and the payment's lifecycle as a table. */
#include "service/payment/payment_rules.h"

static const char *const state_names[PAYMENT_STATES] = {"READY",    "CONFIRMING", "UNKNOWN",        "PAID",
                                                        "DECLINED", "REFUNDING",  "REFUND_UNKNOWN", "REFUNDED"};
/* Drawn in payment.h. */
static const uint32_t moves[PAYMENT_STATES] = {
        [PAYMENT_IS_READY] = FSM_TO(PAYMENT_IS_CONFIRMING),
        [PAYMENT_IS_CONFIRMING] = FSM_TO(PAYMENT_IS_CONFIRMING) | FSM_TO(PAYMENT_IS_PAID) |
                                  FSM_TO(PAYMENT_IS_DECLINED) | FSM_TO(PAYMENT_IS_UNKNOWN),
        [PAYMENT_IS_UNKNOWN] = FSM_TO(PAYMENT_IS_UNKNOWN) | FSM_TO(PAYMENT_IS_PAID) | FSM_TO(PAYMENT_IS_DECLINED) |
                               FSM_TO(PAYMENT_IS_CONFIRMING),
        [PAYMENT_IS_PAID] = FSM_TO(PAYMENT_IS_REFUNDING),
        [PAYMENT_IS_DECLINED] = FSM_TO(PAYMENT_IS_PAID),
        [PAYMENT_IS_REFUNDING] =
                FSM_TO(PAYMENT_IS_REFUNDING) | FSM_TO(PAYMENT_IS_REFUNDED) | FSM_TO(PAYMENT_IS_REFUND_UNKNOWN),
        [PAYMENT_IS_REFUND_UNKNOWN] =
                FSM_TO(PAYMENT_IS_REFUNDING) | FSM_TO(PAYMENT_IS_REFUNDED) | FSM_TO(PAYMENT_IS_REFUND_UNKNOWN),
        [PAYMENT_IS_REFUNDED] = 0,
};
const struct fsm payment_fsm = {
        .name = "payment", .state_names = state_names, .state_count = PAYMENT_STATES, .moves = moves};

bool payment_is_open(enum payment_state state) {
        return payment_is_taking(state) || state == PAYMENT_IS_REFUNDING || state == PAYMENT_IS_REFUND_UNKNOWN;
}

bool payment_is_taking(enum payment_state state) {
        return state == PAYMENT_IS_CONFIRMING || state == PAYMENT_IS_UNKNOWN;
}

enum payment_start_outcome payment_start_decide(const struct payment_start_facts *facts) {
        if (!facts->found)
                return PAYMENT_START_NOT_FOUND;
        if (facts->key_reused)
                return PAYMENT_START_KEY_REUSED;
        if (facts->order_confirmed)
                return PAYMENT_START_CONFIRMED;
        if (facts->exists && facts->state == PAYMENT_IS_DECLINED)
                return PAYMENT_START_DECLINED;
        if (facts->order_cancelled)
                return PAYMENT_START_CANCELLED;
        if (facts->order_refunded)
                return PAYMENT_START_REFUNDED;
        if (!facts->order_pending || facts->exists)
                return PAYMENT_START_IN_PROGRESS;
        return PAYMENT_START_WAITS;
}

static struct payment_change becomes(enum payment_state to, unsigned says) {
        return (struct payment_change){.happens = true, .to = to, .says = says};
}

static struct payment_change hears_about_taking(enum payment_word word) {
        switch (word) {
        case PAYMENT_WORD_TAKEN:
                return becomes(PAYMENT_IS_PAID, PAYMENT_CAPTURED);
        case PAYMENT_WORD_REFUSED:
        case PAYMENT_WORD_RETURNED: /* somebody gave it back at the provider's: nothing is ours, as if refused */
                return becomes(PAYMENT_IS_DECLINED, PAYMENT_DECLINED);
        case PAYMENT_WORD_OPEN:
                return (struct payment_change){.happens = true, .to = PAYMENT_IS_UNKNOWN, .waits = true};
        case PAYMENT_WORD_ABSENT: /* the same key again: harmless if the first one is still on its way */
                return (struct payment_change){
                        .happens = true, .to = PAYMENT_IS_CONFIRMING, .asks = PAYMENT_ASK_CONFIRM};
        }
        IMPOSSIBLE("a word that no provider speaks");
}

static struct payment_change hears_about_return(enum payment_word word) {
        if (word == PAYMENT_WORD_RETURNED)
                return becomes(PAYMENT_IS_REFUNDED, PAYMENT_REFUNDED);
        return (struct payment_change){.happens = true, .to = PAYMENT_IS_REFUND_UNKNOWN, .waits = true};
}

struct payment_change payment_hears(enum payment_state state, enum payment_question asked, enum payment_word word) {
        bool about_taking = asked != PAYMENT_ASK_REFUND;
        if (payment_is_taking(state) && about_taking)
                return hears_about_taking(word);
        /* Refused for good, and taken all the same: late money is money. */
        if (state == PAYMENT_IS_DECLINED && about_taking && word == PAYMENT_WORD_TAKEN)
                return becomes(PAYMENT_IS_PAID, PAYMENT_CAPTURED);
        if (payment_is_open(state) && !payment_is_taking(state) && !about_taking)
                return hears_about_return(word);
        return (struct payment_change){0}; /* an answer that came twice, or too late */
}

enum payment_question payment_next_question(enum payment_state state, enum payment_state *ret_while_asking) {
        PRE(payment_is_open(state));
        if (payment_is_taking(state)) {
                *ret_while_asking = state;
                return PAYMENT_ASK_QUERY;
        }
        *ret_while_asking = PAYMENT_IS_REFUNDING;
        return PAYMENT_ASK_REFUND;
}

int64_t payment_backoff_ms(uint32_t attempts) {
        if (attempts > PAY_ATTEMPTS_MAX)
                return 600000;
        if (attempts > 6)
                return 60000;
        return attempts > 1 ? INT64_C(1000) << (attempts - 1) : 1000;
}
