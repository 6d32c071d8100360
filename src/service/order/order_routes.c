/* order_routes.c: HTTP of orders: POST and GET /orders, GET and cancel of one, and an organiser's figures of a sale.
 *
 * Each route has a struct that begins with a desk and holds the use case's wish; its kind of command hands the wishes of
 * a batch to the use case. Order JSON is written in one place, write_order. */
#include "service/desk.h"
#include "service/event/event.h"
#include "service/gateway/gateway.h"
#include "service/inventory/inventory.h"
#include "service/order/order_service.h"
#include "service/payment/payment.h"
#include "service/queue/queue.h"

enum { RANK_CANCEL = 40, RANK_CREATE = 50, RANK_READ = 90, LABEL_BYTES = 256, ORDER_BODY_MAX = 1024 };

/* `struct order_x **wishes` of the commands of one kind. */
#define WISHES(wishes, type, turn, commands, count)                                                                  \
        struct order_##type **wishes = arena_take((turn)->arena, (count) * sizeof *wishes);                          \
        if (!wishes)                                                                                                 \
                return -ENOMEM;                                                                                      \
        for (size_t i = 0; i < (count); i++)                                                                         \
                wishes[i] = &((struct type##_ask *)(void *)(commands)[i])->wish

static void settle(struct lane_command **commands, size_t count) {
        for (size_t i = 0; i < count; i++)
                commands[i]->outcome = 1; /* the wish has the real one */
}

/* --- order JSON --- */

static void write_money(struct json_writer *json, const char *name, int64_t amount, const char *currency) {
        json_object(json, name);
        json_number(json, "amount", amount);
        json_string(json, "currency", currency);
        json_object_end(json);
}

static void write_seats(struct json_writer *json, const struct order_service *service, const struct order *order) {
        const struct schedule *schedule = event_schedule_peek(service->events, order->schedule);
        json_array(json, "seats");
        for (uint32_t i = 0; i < order->seat_count; i++) {
                char label[LABEL_BYTES];
                json_object(json, NULL);
                json_number(json, "seat", order->seats[i]);
                if (schedule) {
                        size_t length = plan_seat_label(schedule->plan, order->seats[i], label, sizeof label);
                        json_text(json, "label", (struct text){label, length});
                }
                write_money(json, "amount", order->amounts[i], order->amount.currency);
                json_object_end(json);
        }
        json_array_end(json);
}

/* The fields of an order, into an object that is open. */
static void write_order(struct json_writer *json, const struct order_service *service, const struct order *order) {
        json_id(json, "orderId", ID_ORDER, order->id);
        json_id(json, "scheduleId", ID_SCHEDULE, order->schedule);
        json_string(json, "state", fsm_state_name(&order_fsm, order->state));
        write_money(json, "amount", order->amount.amount, order->amount.currency);
        if (order->state == ORDER_IS_REFUNDING || order->state == ORDER_IS_REFUNDED)
                write_money(json, "refundAmount", order->refund_amount, order->amount.currency);
        if (order->reason != ORDER_REASON_NONE)
                json_string(json, "reason", order_reason_name(order->reason));
        write_seats(json, service, order);
        json_time(json, "createdAt", order->created_at);
}

/* --- POST /api/v1/orders --- */

struct create_ask {
        struct desk desk;
        struct order_create wish;
};

static const struct json_field create_fields[] = {
        {.name = "holdId", .type = JSON_ID, .offset = offsetof(struct order_create, hold), .prefix = ID_HOLD},
        {0},
};

static int run_create(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        WISHES(wishes, create, turn, commands, count);
        settle(commands, count);
        return order_create(service, turn, wishes, count);
}
static const struct lane_kind create_kind = {.name = "order.create", .rank = RANK_CREATE, .run = run_create};

static void answer_created(struct request *request, const struct order_create *wish) {
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        write_order(&json, request->service, &wish->order);
        json_time(&json, "holdExpiresAt", wish->order.state == ORDER_IS_PENDING ? wish->hold_expires_at : 0);
        json_object_end(&json);
        edge_answer_json(request, 201);
}

static void create_answer(struct request *request, struct lane_command *command) {
        const struct order_create *wish = &((struct create_ask *)(void *)command)->wish;
        switch (wish->outcome) {
        case ORDER_CREATE_NO_HOLD:
                desk_not_found(request);
                return;
        case ORDER_CREATE_KEY_REUSED:
                edge_answer_problem(request, 422, "IDEMPOTENCY_KEY_REUSED",
                                    "This Idempotency-Key was used for another order. Send a new key with a new wish.", 0);
                return;
        case ORDER_CREATE_REPLAYED:
        case ORDER_CREATE_MADE:
                answer_created(request, wish);
                return;
        case ORDER_CREATE_HOLD_ENDED:
                edge_answer_problem(request, 410, "HOLD_ENDED",
                                    "The time of this hold is over and its seats are free again. Choose seats once more.", 0);
                return;
        case ORDER_CREATE_SCHEDULE_CANCELLED:
                edge_answer_problem(request, 410, "SCHEDULE_CANCELLED", "The organiser has cancelled this performance.", 0);
                return;
        case ORDER_CREATE_SALE_ENDED:
                edge_answer_problem(request, 410, "SALE_ENDED", "The sale of this performance is over.", 0);
                return;
        case ORDER_CREATE_SALE_PAUSED:
                edge_answer_problem(request, 503, "SALE_PAUSED",
                                    "The organiser has paused the sale for a moment. Your seats are held; try again shortly.", 5);
                return;
        case ORDER_CREATE_NOT_FOR_SALE:
                edge_answer_problem(request, 410, "SEAT_NOT_FOR_SALE",
                                    "A seat of this hold is no longer for sale. Choose other seats.", 0);
                return;
        }
}

static void create_ask(void *service, struct request *request) {
        struct order_service *orders = service;
        struct create_ask *ask = desk_open(request, &create_kind, service, sizeof *ask, create_answer);
        if (!ask || !desk_read_body(request, create_fields, &ask->wish) || !desk_idempotency(request, &ask->wish.idempotency))
                return;
        ask->wish.account = request->caller.account;
        desk_submit(orders->lane, &ask->desk);
}

/* --- GET /api/v1/orders --- */

struct list_ask {
        struct desk desk;
        struct order_list wish;
};

static int run_list(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        WISHES(wishes, list, turn, commands, count);
        settle(commands, count);
        return order_list(service, turn, wishes, count);
}
static const struct lane_kind list_kind = {.name = "order.list", .rank = RANK_READ, .read_only = true, .run = run_list};

static void list_answer(struct request *request, struct lane_command *command) {
        const struct order_list *wish = &((struct list_ask *)(void *)command)->wish;
        size_t shown = wish->count < wish->limit ? wish->count : wish->limit;
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_array(&json, "items");
        for (size_t i = 0; i < shown; i++) {
                json_object(&json, NULL);
                write_order(&json, request->service, &wish->orders[i]);
                json_object_end(&json);
        }
        json_array_end(&json);
        json_id(&json, "nextCursor", ID_ORDER, wish->count > shown ? wish->orders[shown - 1].id : 0);
        json_object_end(&json);
        edge_answer_json(request, 200);
}

static void list_ask(void *service, struct request *request) {
        struct order_service *orders = service;
        struct list_ask *ask = desk_open(request, &list_kind, service, sizeof *ask, list_answer);
        if (!ask || !desk_page(request, ID_ORDER, &ask->wish.limit, &ask->wish.before))
                return;
        ask->wish.account = request->caller.account;
        ask->wish.orders = arena_take(&request->arena, (ask->wish.limit + 1) * sizeof *ask->wish.orders);
        if (!ask->wish.orders) {
                desk_answer_fault(request, -ENOMEM);
                return;
        }
        desk_submit(orders->lane, &ask->desk);
}

/* --- GET /api/v1/orders/{orderId} --- */

struct get_ask {
        struct desk desk;
        struct order_get wish;
};

static int run_get(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        WISHES(wishes, get, turn, commands, count);
        settle(commands, count);
        return order_get(service, turn, wishes, count);
}
static const struct lane_kind get_kind = {.name = "order.get", .rank = RANK_READ, .read_only = true, .run = run_get};

static void get_answer(struct request *request, struct lane_command *command) {
        const struct order_get *wish = &((struct get_ask *)(void *)command)->wish;
        if (!wish->found) {
                desk_not_found(request);
                return;
        }
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        write_order(&json, request->service, &wish->order);
        json_time(&json, "updatedAt", wish->order.updated_at);
        json_time(&json, "holdExpiresAt", wish->hold_expires_at);
        json_number(&json, "ticketCount", wish->order.state == ORDER_IS_CONFIRMED ? wish->order.seat_count : 0);
        if (wish->payment.exists) {
                json_object(&json, "payment");
                json_id(&json, "paymentId", ID_PAYMENT, wish->order.id);
                json_string(&json, "state", fsm_state_name(&payment_fsm, wish->payment.state));
                if (*wish->payment.code)
                        json_string(&json, "code", wish->payment.code);
                json_time(&json, "updatedAt", wish->payment.updated_at);
                json_object_end(&json);
        }
        json_object_end(&json);
        edge_answer_json(request, 200);
}

static void get_ask(void *service, struct request *request) {
        struct order_service *orders = service;
        struct get_ask *ask = desk_open(request, &get_kind, service, sizeof *ask, get_answer);
        if (!ask || (ask->wish.id = desk_path_id(request, 0, ID_ORDER)) == 0)
                return;
        ask->wish.account = request->caller.account;
        desk_submit(orders->lane, &ask->desk);
}

/* --- POST /api/v1/orders/{orderId}/cancel --- */

struct cancel_ask {
        struct desk desk;
        struct order_cancel wish;
};

static int run_cancel(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        WISHES(wishes, cancel, turn, commands, count);
        settle(commands, count);
        return order_cancel(service, turn, wishes, count);
}
static const struct lane_kind cancel_kind = {.name = "order.cancel", .rank = RANK_CANCEL, .run = run_cancel};

static void cancel_answer(struct request *request, struct lane_command *command) {
        const struct order_cancel *wish = &((struct cancel_ask *)(void *)command)->wish;
        switch (wish->outcome) {
        case ORDER_CANCEL_NOT_FOUND:
                desk_not_found(request);
                return;
        case ORDER_CANCEL_IN_PROGRESS:
                edge_answer_problem(request, 409, "PAYMENT_IN_PROGRESS",
                                    "The payment of this order is under way. Wait for its end, then decide again.", 1);
                return;
        case ORDER_CANCEL_TOO_LATE:
                edge_answer_problem(request, 409, "CANCEL_TOO_LATE",
                                    "The time in which this order could be cancelled is over. Ask the organiser.", 0);
                return;
        case ORDER_CANCEL_ALREADY:
        case ORDER_CANCEL_DONE:
        case ORDER_CANCEL_REFUNDING:
                break;
        }
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        write_order(&json, request->service, &wish->order);
        json_object_end(&json);
        edge_answer_json(request, 200);
}

static void cancel_ask(void *service, struct request *request) {
        struct order_service *orders = service;
        struct cancel_ask *ask = desk_open(request, &cancel_kind, service, sizeof *ask, cancel_answer);
        if (!ask || (ask->wish.id = desk_path_id(request, 0, ID_ORDER)) == 0)
                return;
        ask->wish.account = request->caller.account;
        desk_submit(orders->lane, &ask->desk);
}

/* --- GET /api/v1/schedules/{scheduleId}/figures --- */

struct figures_ask {
        struct desk desk;
        struct order_figures wish;
};

static int run_figures(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        WISHES(wishes, figures, turn, commands, count);
        settle(commands, count);
        return order_figures(service, turn, wishes, count);
}
static const struct lane_kind figures_kind = {.name = "sale.figures", .rank = RANK_READ, .read_only = true, .run = run_figures};

static void write_seat_counts(struct json_writer *json, const struct order_service *service, schedule_id schedule) {
        struct seat_counts seats;
        inventory_counts(service->inventory, schedule, &seats);
        json_object(json, "seats");
        json_number(json, "all", seats.seats);
        json_number(json, "available", seats.available);
        json_number(json, "held", seats.held);
        json_number(json, "sold", seats.sold);
        json_number(json, "blocked", seats.blocked);
        json_object_end(json);
}

static void write_line_counts(struct json_writer *json, const struct order_service *service, schedule_id schedule) {
        if (!service->queue)
                return;
        struct queue_figures line;
        queue_figures(service->queue, schedule, &line);
        json_object(json, "line");
        json_number(json, "entered", (int64_t)line.entered);
        json_number(json, "waiting", (int64_t)line.waiting);
        json_number(json, "admitted", (int64_t)line.admitted);
        json_number(json, "done", (int64_t)line.done);
        json_number(json, "expired", (int64_t)line.expired);
        json_number(json, "left", (int64_t)line.left);
        json_object_end(json);
}

static void figures_answer(struct request *request, struct lane_command *command) {
        static const char *const names[ORDER_STATES] = {"pending", "paid", "confirmed", "cancelled", "refunding", "refunded"};
        const struct order_service *service = request->service;
        const struct order_figures *wish = &((struct figures_ask *)(void *)command)->wish;
        if (!wish->found) {
                desk_not_found(request);
                return;
        }
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_id(&json, "scheduleId", ID_SCHEDULE, wish->schedule);
        write_seat_counts(&json, service, wish->schedule);
        write_line_counts(&json, service, wish->schedule);
        json_object(&json, "orders");
        for (unsigned state = 0; state < ORDER_STATES; state++)
                json_number(&json, names[state], wish->tally.orders[state]);
        json_object_end(&json);
        write_money(&json, "captured", wish->tally.captured, wish->currency);
        write_money(&json, "refunded", wish->tally.refunded, wish->currency);
        json_object_end(&json);
        edge_answer_json(request, 200);
}

static void figures_ask(void *service, struct request *request) {
        struct order_service *orders = service;
        struct figures_ask *ask = desk_open(request, &figures_kind, service, sizeof *ask, figures_answer);
        if (!ask || (ask->wish.schedule = desk_path_id(request, 0, ID_SCHEDULE)) == 0)
                return;
        ask->wish.account = request->caller.account;
        ask->wish.is_operator = request->caller.role == ROLE_OPERATOR;
        desk_submit(orders->lane, &ask->desk);
}

/* --- the table --- */

static const struct route routes[] = {
        {.operation = "createOrder", .method = HTTP_POST, .path = "/api/v1/orders", .access = ACCESS_ACCOUNT,
         .limit_class = LIMIT_COMMAND, .body_max = ORDER_BODY_MAX, .ask = create_ask},
        {.operation = "listOrders", .method = HTTP_GET, .path = "/api/v1/orders", .access = ACCESS_ACCOUNT, .ask = list_ask},
        {.operation = "getOrder", .method = HTTP_GET, .path = "/api/v1/orders/{orderId}", .access = ACCESS_ACCOUNT, .ask = get_ask},
        {.operation = "cancelOrder", .method = HTTP_POST, .path = "/api/v1/orders/{orderId}/cancel", .access = ACCESS_ACCOUNT,
         .limit_class = LIMIT_COMMAND, .body_max = ORDER_BODY_MAX, .ask = cancel_ask},
        {.operation = "saleFigures", .method = HTTP_GET, .path = "/api/v1/schedules/{scheduleId}/figures",
         .access = ACCESS_ORGANISER, .ask = figures_ask},
};

void order_add_routes(struct order_service *service, struct edge *edge) {
        for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
                edge_add_route(edge, &routes[i], service);
}
