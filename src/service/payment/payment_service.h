/* payment_service.h: the use cases of payments, as kinds of commands, and how the provider is asked.
 *
 *   turn: row CONFIRMING, "ask confirm" noted ──commit──► call (up to PAY_BATCH_MAX payments) ──► worker: provider
 *   turn: payment.outcome ◄── the same call, with answers, as ONE lane command ◄──────────────────────┘
 *
 * What is to be asked is noted during a turn and handed out in the room's committed hook, so nobody is ever asked about
 * something that is not stored. An answer that gets lost (the lane is full, the process ends) is no trouble: the row is
 * still open, and the reconciler asks again when next_at has come.
 *
 * The reconciler is the room's tick. The open payments are few, so it looks through all of them, and only when the
 * soonest next_at has come or a provider has knocked (payment_knock). */
#ifndef TICKETRUSH_SERVICE_PAYMENT_SERVICE_H
#define TICKETRUSH_SERVICE_PAYMENT_SERVICE_H

#include <pthread.h>
#include <stdatomic.h>

#include "lane/lane.h"
#include "lane/workers.h"
#include "service/order/order.h"
#include "service/payment/payment_store.h"

enum {
        PAYMENT_CALLS_QUEUED_MAX = 1024, /* calls waiting for a worker; then the reconciler has to come again */
        PAYMENT_KNOCKS_MAX = 1024,       /* remembered hints; those beyond are dropped: they are only hints */
        PAYMENT_LOOKS_MAX = 2048,        /* payments asked about in one tick */
        PAYMENT_LOOK_MS = 100,           /* the reconciler looks through the open ones at most so often */
        PAYMENT_RETRY_MS = 1000,         /* after something on our side failed */
        PAYMENT_CALL_WHOLE = 64,         /* so many payments are one call; more are shared among the workers */
};

/* One question about several payments: a job for a worker, then a command for the lane. */
struct payment_call {
        struct lane_command lane; /* first: the lane gives it back */
        struct worker_job job;
        struct payment *payment;
        struct payment_call *next_free;
        enum payment_question question;
        size_t count;
        struct pay_order orders[PAY_BATCH_MAX];
        struct pay_result results[PAY_BATCH_MAX];
};

/* What one question is to be asked about after this turn's commit. */
struct payment_notes {
        struct pay_order *orders;
        size_t count, capacity;
};

struct payment {
        struct lane *lane;
        struct clock *clock;
        struct order_service *orders;
        struct pay_provider *provider;
        struct workers *workers;
        unsigned worker_count;
        struct payment_store store;
        struct map places;                             /* of the batch in hand: payment → its place */
        struct payment_notes notes[PAYMENT_QUESTIONS]; /* by question */
        int64_t soonest; /* no open payment has a next_at before this; INT64_MAX: none is open */
        int64_t looked_at, quiet_until;
        pthread_mutex_t lock; /* of the two below: workers and providers come here too */
        struct payment_call *free_calls;
        purchase_id knocks[PAYMENT_KNOCKS_MAX];
        _Atomic size_t knock_count;
};

/* POST /orders/{orderId}/pay. A payment that was started answers LANE_WAIT: the end is told by turn_wake on the order's
 * id, or after PAY_WAIT_SECONDS LANE_WAITED. */
struct payment_start_command {
        struct lane_command lane; /* outcome: enum payment_start_outcome */
        account_id account;
        purchase_id order;
        struct idempotency idempotency;
        struct text token;   /* what the buyer's side of the provider gave; shorter than PAY_REFERENCE_MAX */
        uint32_t seat_count; /* of the order, if found: its tickets are 0 … seat_count - 1 */
};
extern const struct lane_kind payment_start_kind;

/* pay_provider.notify: any thread, any time, any number of times. */
void payment_knock(void *payment, purchase_id order);

#endif
