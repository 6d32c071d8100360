/* payment.h: payments, refunds and the providers behind them: the public face of the payment service.
 *
 *   READY → CONFIRMING → PAID → REFUNDING → REFUNDED
 *              │  ▲ └──► DECLINED        └──► REFUND_UNKNOWN → …
 *              ▼  │ asked again until known
 *            UNKNOWN
 * CONFIRMING is committed before the provider is asked (journal payment.started); a worker asks; what it heard comes back
 * as a command. UNKNOWN never releases a seat: the reconciler asks with backoff until it knows, raises an alarm after
 * PAY_ATTEMPTS_MAX, and goes on. The key of a confirm is confirm:order_…, of a refund refund:order_…, always the same. */
#ifndef TICKETRUSH_SERVICE_PAYMENT_H
#define TICKETRUSH_SERVICE_PAYMENT_H

#include "base/fsm.h"
#include "port/clock.h"
#include "port/db.h"
#include "port/pay.h"
#include "service/limits.h"
#include "service/vocabulary.h"

struct edge;
struct lane;
struct order_service;
struct payment;
struct turn;

enum payment_state {
        PAYMENT_IS_READY, PAYMENT_IS_CONFIRMING, PAYMENT_IS_UNKNOWN, PAYMENT_IS_PAID, PAYMENT_IS_DECLINED,
        PAYMENT_IS_REFUNDING, PAYMENT_IS_REFUND_UNKNOWN, PAYMENT_IS_REFUNDED
};
extern const struct fsm payment_fsm;

extern const struct db_migration payment_migrations[];
extern const size_t payment_migration_count;

struct payment_config { struct lane *lane; struct clock *clock; struct order_service *orders; struct pay_provider *provider; unsigned workers; };
int payment_new(struct payment **ret_payment, const struct payment_config *config);
struct payment *payment_free(struct payment *payment);
void payment_add_routes(struct payment *payment, struct edge *edge); /* POST /orders/{orderId}/pay */

/* On the lane: is a provider (perhaps) taking money for this order now? Then it may not be cancelled. 1, 0 or fault. */
int payment_is_under_way(struct payment *payment, struct turn *turn, purchase_id order);

#endif
