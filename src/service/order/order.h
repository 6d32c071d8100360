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
 * CANCELLED → PAID is the late-money move: a capture that arrives after the order was cancelled. */
#ifndef TICKETRUSH_SERVICE_ORDER_H
#define TICKETRUSH_SERVICE_ORDER_H

#include "base/fsm.h"
#include "port/clock.h"
#include "port/db.h"
#include "service/limits.h"
#include "service/vocabulary.h"

struct edge;
struct event_service;
struct inventory;
struct lane;
struct order_service;
struct payment;
struct turn;

enum order_state { ORDER_IS_PENDING, ORDER_IS_PAID, ORDER_IS_CONFIRMED, ORDER_IS_CANCELLED, ORDER_IS_REFUNDING, ORDER_IS_REFUNDED };
extern const struct fsm order_fsm;

struct order {
        purchase_id id;
        schedule_id schedule;
        account_id account;
        enum order_state state;
        struct money amount;
        int64_t refund_amount; /* what is (to be) given back */
        int64_t created_at, updated_at;
        uint32_t seat_count;
        seat_index seats[HOLD_SEATS_MAX];
        int64_t amounts[HOLD_SEATS_MAX]; /* price per seat, fixed when the order was made */
};

extern const struct db_migration order_migrations[];
extern const size_t order_migration_count;

struct order_config {
        struct lane *lane;
        struct clock *clock;
        struct event_service *events;
        struct inventory *inventory;
};
int order_service_new(struct order_service **ret_service, const struct order_config *config);
struct order_service *order_service_free(struct order_service *service);
void order_set_payment(struct order_service *service, struct payment *payment);
void order_add_routes(struct order_service *service, struct edge *edge);

/* On the lane. 0, -ENOENT, or another negative fault. */
int order_read(struct order_service *service, struct turn *turn, purchase_id id, struct order *ret_order);

#endif
