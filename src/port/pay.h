/* pay.h: a payment provider. One interface that fits the built-in provider, Toss Payments, PortOne and Stripe
 * (reference: payments C4). Calls block; they are made by workers, never by an edge or a lane. Every call is
 * idempotent by its key: asking again with the same key has no second effect. */
#ifndef TICKETRUSH_PORT_PAY_H
#define TICKETRUSH_PORT_PAY_H

#include "service/vocabulary.h"

enum pay_answer {
        PAY_APPROVED = 1, /* money is taken (confirm) or given back (refund) */
        PAY_DECLINED,     /* definitely not, and it never will be under this key */
        PAY_PENDING,      /* the provider is still at it: ask again */
        PAY_UNKNOWN,      /* no answer, or one that proves nothing: ask again; never release a seat on it */
        PAY_NOT_FOUND,    /* query only: the provider has never heard of it */
        PAY_REFUNDED,     /* query only: money was taken and is given back in full */
};

enum { PAY_CODE_MAX = 48, PAY_REFERENCE_MAX = 64, PAY_BATCH_MAX = 256 };

struct pay_order {
        purchase_id order;
        account_id account;
        struct money amount;
        char token[PAY_REFERENCE_MAX]; /* what the buyer's side of the provider gave us; terminated */
};

struct pay_result {
        enum pay_answer answer;
        char code[PAY_CODE_MAX];           /* the provider's own reason; terminated */
        char reference[PAY_REFERENCE_MAX]; /* the provider's id of the transaction; terminated */
};

struct pay_provider {
        const char *name;
        /* A provider takes a batch where it can (the built-in one), or works one by one. results[i] answers orders[i]. */
        void (*confirm)(struct pay_provider *provider, const struct pay_order *orders, struct pay_result *results, size_t count);
        void (*query)(struct pay_provider *provider, const struct pay_order *orders, struct pay_result *results, size_t count);
        void (*refund)(struct pay_provider *provider, const struct pay_order *orders, struct pay_result *results, size_t count);
        /* Set by the payment service: the provider heard something about an order (a webhook). A hint, never proof: it
         * only wakes the reconciler. May be called from any thread, also before the answer to confirm, also twice. */
        void (*notify)(void *context, purchase_id order);
        void *notify_context;
        void (*close)(struct pay_provider *provider);
};

#endif
