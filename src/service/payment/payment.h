/* payment.h: payments, refunds and the providers behind them: the public face of the payment service.
 *
 *   READY → CONFIRMING → PAID → REFUNDING → REFUNDED
 *              │  ▲ └──► DECLINED        └──► REFUND_UNKNOWN → …
 *              ▼  │ asked again until known
 *            UNKNOWN
 * CONFIRMING is committed before the provider is asked (journal payment.started); a worker asks; what it heard comes
 * back as a command. UNKNOWN never releases a seat: the reconciler asks with backoff until it knows, raises an alarm
 * after PAY_ATTEMPTS_MAX, and goes on. A provider that refuses and takes the money all the same is believed: DECLINED →
 * PAID (late money; the order takes the seats again, or the money goes back). The key of a confirm is confirm:order_…,
 * of a refund refund:order_…, always the same. */
#ifndef TICKETRUSH_SERVICE_PAYMENT_H
#define TICKETRUSH_SERVICE_PAYMENT_H

#include "port/clock.h"
#include "port/db.h"
#include "port/pay.h"
#include "service/payment/payment_rules.h" /* states and their table, outcomes of POST …/pay */

struct edge;
struct lane;
struct order_service;
struct payment;
struct turn;

extern const struct db_migration payment_migrations[];
extern const size_t payment_migration_count;

struct payment_config {
        struct lane *lane;
        struct clock *clock;
        struct order_service *orders;
        struct pay_provider *provider;
        unsigned workers;
};
int payment_new(struct payment **ret_payment, const struct payment_config *config);
struct payment *payment_free(struct payment *payment);
void payment_add_routes(struct payment *payment, struct edge *edge); /* POST /orders/{orderId}/pay */

/* On the lane: is a provider (perhaps) taking money for this order now? Then it may not be cancelled. 1, 0 or fault. */
int payment_is_under_way(struct payment *payment, struct turn *turn, purchase_id order);

struct payment_view {
        bool exists; /* false: nobody has begun to pay the order */
        enum payment_state state;
        char code[PAY_CODE_MAX]; /* the provider's own reason; terminated */
        int64_t updated_at;
};
/* On the lane: how the payment of an order stands. 0 or fault. */
int payment_look(struct payment *payment, struct turn *turn, purchase_id order, struct payment_view *ret_view);

#endif
