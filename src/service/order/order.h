/* order.h: orders and the purchase saga: the public face of the order service, which conducts.
 *
 *            order.created   payment.captured      seats.sold, tickets
 *   (none) ───────► PENDING ─────────► PAID ───────────────────────► CONFIRMED
 *                      │                 │ seats.lost                     │ buyer cancels by the rule, organiser
 *                      ▼                 ▼                                ▼
 *                  CANCELLED         REFUNDING ◄──────────────────────────┘
 *         declined, hold ended,          │ payment.refunded
 *         or given up by the buyer       ▼
 *                                    REFUNDED
 * CANCELLED → PAID is the late-money move: a capture that arrives after the order was cancelled. Money for a schedule
 * that its organiser has cancelled buys nothing: PENDING or CANCELLED → REFUNDING. */
#ifndef TICKETRUSH_SERVICE_ORDER_H
#define TICKETRUSH_SERVICE_ORDER_H

#include "port/clock.h"
#include "port/db.h"
#include "service/order/order_rules.h" /* struct order, its states and their table */

struct edge;
struct event_service;
struct inventory;
struct lane;
struct order_service;
struct payment;
struct queue;
struct turn;

extern const struct db_migration order_migrations[];
extern const size_t order_migration_count;

struct order_config {
        struct lane *lane;
        struct clock *clock;
        struct event_service *events;
        struct inventory *inventory;
        struct queue *queue; /* for figures; NULL: they have no line */
};
int order_service_new(struct order_service **ret_service, const struct order_config *config);
struct order_service *order_service_free(struct order_service *service);
void order_set_payment(struct order_service *service, struct payment *payment);
void order_add_routes(struct order_service *service, struct edge *edge);

/* On the lane. 0, -ENOENT, or another negative fault. */
int order_read(struct order_service *service, struct turn *turn, purchase_id id, struct order *ret_order);
/* The same for many: ret_orders[i] is the order of ids[i]; its id is 0 if there is none. */
int order_read_many(struct order_service *service, struct turn *turn, const purchase_id *ids, struct order *ret_orders,
                    size_t count);
/* The account's orders before an id (0: from the newest), newest first; *ret_count of at most `limit`. */
int order_read_newest(struct order_service *service, struct turn *turn, account_id account, purchase_id before,
                      unsigned limit, struct order *ret_orders, size_t *ret_count);

#endif
