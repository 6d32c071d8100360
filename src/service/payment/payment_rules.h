/* payment_rules.h: what may happen to a payment, decided on plain facts.
 *
 * The provider is asked one of three questions (confirm, query, refund) and answers with one of five words. What a word
 * means depends on the question and on where the payment stands: payment_hears is that table. */
#ifndef TICKETRUSH_SERVICE_PAYMENT_RULES_H
#define TICKETRUSH_SERVICE_PAYMENT_RULES_H

#include "base/fsm.h"
#include "service/limits.h"
#include "service/vocabulary.h"

/* Stored: never change a number. */
enum payment_state {
        PAYMENT_IS_READY,
        PAYMENT_IS_CONFIRMING,
        PAYMENT_IS_UNKNOWN,
        PAYMENT_IS_PAID,
        PAYMENT_IS_DECLINED,
        PAYMENT_IS_REFUNDING,
        PAYMENT_IS_REFUND_UNKNOWN,
        PAYMENT_IS_REFUNDED
};
enum { PAYMENT_STATES = PAYMENT_IS_REFUNDED + 1 };
extern const struct fsm payment_fsm;

/* Is there still something to ask the provider? */
bool payment_is_open(enum payment_state state);
/* Is money perhaps being taken right now? */
bool payment_is_taking(enum payment_state state);

/* Starting a payment: every outcome, in the order in which it is checked. The waiting buyer is told one of CONFIRMED,
 * DECLINED and GIVEN_BACK in the end (turn_wake on the order's id). */
enum payment_start_outcome {
        PAYMENT_START_NOT_FOUND = 1, /* no such order, or somebody else's */
        PAYMENT_START_KEY_REUSED,    /* this Idempotency-Key came with another body */
        PAYMENT_START_CONFIRMED,     /* paid, and the tickets exist */
        PAYMENT_START_DECLINED,      /* the provider has refused it */
        PAYMENT_START_CANCELLED,     /* the order was given up, or its hold was over */
        PAYMENT_START_REFUNDED,      /* the order was paid, and its money given back or about to be */
        PAYMENT_START_IN_PROGRESS,
        PAYMENT_START_WAITS,      /* started: the provider is asked after the commit */
        PAYMENT_START_GIVEN_BACK, /* only as an end: paid, but the seats were gone; the money goes back */
};
struct payment_start_facts {
        bool found, key_reused;
        bool order_confirmed, order_cancelled, order_refunded;
        bool order_pending;       /* and nothing else stands in the way */
        bool exists;              /* a payment of this order */
        enum payment_state state; /* of the existing one */
};
enum payment_start_outcome payment_start_decide(const struct payment_start_facts *facts);

enum payment_question {
        PAYMENT_ASK_NOTHING,
        PAYMENT_ASK_CONFIRM,
        PAYMENT_ASK_QUERY,
        PAYMENT_ASK_REFUND,
        PAYMENT_QUESTIONS
};

enum payment_word {
        PAYMENT_WORD_TAKEN = 1, /* the money is ours */
        PAYMENT_WORD_REFUSED,   /* no: to a confirm for good, to a refund for now */
        PAYMENT_WORD_OPEN,      /* nobody knows yet */
        PAYMENT_WORD_ABSENT,    /* never heard of it: proves nothing while an earlier question may be on its way */
        PAYMENT_WORD_RETURNED,  /* taken, and given back in full */
};

struct payment_change {
        bool happens;
        enum payment_state to;
        unsigned says;              /* enum event_type, or 0 */
        enum payment_question asks; /* at once, after the commit */
        bool waits;                 /* ask again after payment_backoff_ms */
};
struct payment_change payment_hears(enum payment_state state, enum payment_question asked, enum payment_word word);

/* What the reconciler asks about an open payment, and the state in which it waits for the answer. */
enum payment_question payment_next_question(enum payment_state state, enum payment_state *ret_while_asking);

/* How long to wait after so many questions: 1 s, doubling to a minute; past PAY_ATTEMPTS_MAX ten minutes. */
int64_t payment_backoff_ms(uint32_t attempts);
/* A confirm or refund that was asked and of which nothing was heard for so long is asked about. */
enum { PAYMENT_PATIENCE_MS = 30000 };

#endif
