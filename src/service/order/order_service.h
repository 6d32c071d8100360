/* order_service.h: the use cases of orders. Each takes a batch of one kind; routes wrap them into commands.
 *
 * A use case returns 0 or a fault (then nothing of the turn is stored); each wish carries its own positive outcome. */
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
        struct payment *payment;
        struct order_store store;
        struct map places;     /* of the batch in hand: order → its place */
        struct map fresh_keys; /* of the orders made in the batch in hand: Idempotency-Key → order */
};

/* POST /orders: an order of a hold, priced now. */
struct order_create {
        account_id account;
        purchase_id hold;
        struct idempotency idempotency;
        enum order_create_outcome outcome;
        struct order order;      /* when made or replayed */
        int64_t hold_expires_at; /* the same */
};
int order_create(struct order_service *service, struct turn *turn, struct order_create **wishes, size_t count);

/* POST /orders/{orderId}/cancel */
struct order_cancel {
        account_id account;
        purchase_id id;
        enum order_cancel_outcome outcome;
        struct order order; /* as it stands now, if found */
};
int order_cancel(struct order_service *service, struct turn *turn, struct order_cancel **wishes, size_t count);

/* GET /orders/{orderId} */
struct order_get {
        account_id account;
        purchase_id id;
        bool found;
        struct order order;
        struct payment_view payment;
        int64_t hold_expires_at; /* 0: the hold is over, or used up */
};
int order_get(struct order_service *service, struct turn *turn, struct order_get **wishes, size_t count);

/* GET /orders: the wish brings room for limit + 1 orders; one more than the limit says that there is a next page. */
struct order_list {
        account_id account;
        purchase_id before; /* 0: from the newest */
        unsigned limit;
        struct order *orders;
        size_t count;
};
int order_list(struct order_service *service, struct turn *turn, struct order_list **wishes, size_t count);

/* GET /schedules/{scheduleId}/figures: the order's share of them. */
struct order_figures {
        account_id account;
        bool is_operator; /* may see every schedule; others their own */
        schedule_id schedule;
        bool found;
        char currency[4];
        struct order_tally tally;
};
int order_figures(struct order_service *service, struct turn *turn, struct order_figures **wishes, size_t count);

#endif
