/* order_service.h: the use cases of orders, as kinds of commands. Submit them with a lane, service = the order service.
 */
#ifndef TICKETRUSH_SERVICE_ORDER_SERVICE_H
#define TICKETRUSH_SERVICE_ORDER_SERVICE_H

#include "base/map.h"
#include "lane/lane.h"
#include "service/order/order.h"
#include "service/order/order_store.h"
#include "service/payment/payment.h"

struct order_service {
        struct lane *lane;
        struct clock *clock;
        struct event_service *events;
        struct inventory *inventory;
        struct queue *queue;
        struct payment *payment;
        struct order_store store;
        struct map places;     /* of the batch in hand: order → its place */
        struct map fresh_keys; /* of the orders made in the batch in hand: Idempotency-Key → order */
};

/* POST /orders: an order of a hold, priced now. */
struct order_create_command {
        struct lane_command lane; /* outcome: enum order_create_outcome */
        account_id account;
        purchase_id hold;
        struct idempotency idempotency;
        struct order order;      /* when made or replayed */
        int64_t hold_expires_at; /* the same */
};
extern const struct lane_kind order_create_kind;

/* POST /orders/{orderId}/cancel */
struct order_cancel_command {
        struct lane_command lane; /* outcome: enum order_cancel_outcome */
        account_id account;
        purchase_id id;
        struct order order; /* as it stands now, if found */
};
extern const struct lane_kind order_cancel_kind;

/* The outcomes of the commands that read. */
enum order_read_outcome { ORDER_READ_NOT_FOUND = 1, ORDER_READ_FOUND };

/* GET /orders/{orderId} */
struct order_get_command {
        struct lane_command lane;
        account_id account;
        purchase_id id;
        struct order order;
        struct payment_view payment;
        int64_t hold_expires_at; /* 0: the hold is over, or used up */
};
extern const struct lane_kind order_get_kind;

/* GET /orders: who asks brings room for limit + 1 orders; one more than the limit says that there is a next page. */
struct order_list_command {
        struct lane_command lane; /* always ORDER_READ_FOUND */
        account_id account;
        purchase_id before; /* 0: from the newest */
        unsigned limit;
        struct order *orders;
        size_t count;
};
extern const struct lane_kind order_list_kind;

/* GET /schedules/{scheduleId}/figures: the orders' share of them. */
struct order_figures_command {
        struct lane_command lane;
        account_id account;
        bool is_operator; /* may see every schedule; others their own */
        schedule_id schedule;
        char currency[4];
        struct order_tally tally;
};
extern const struct lane_kind order_figures_kind;

#endif
