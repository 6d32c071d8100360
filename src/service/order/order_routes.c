/* order_routes.c: HTTP of orders: POST and GET /orders, GET and cancel of one, and an organiser's figures of a sale.
 *
 * Order JSON is written in one place, write_order, so that an order reads the same wherever it is shown. */
#include "service/desk.h"
#include "service/event/event.h"
#include "service/gateway/gateway.h"
#include "service/inventory/inventory.h"
#include "service/order/order_service.h"
#include "service/payment/payment.h"
#include "service/queue/queue.h"

enum { LABEL_BYTES = 256, ORDER_BODY_MAX = 1024 };

/* --- order JSON --- */

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
                desk_write_money(json, "amount", order->amounts[i], order->amount.currency);
                json_object_end(json);
        }
        json_array_end(json);
}

/* The fields of an order, into an object that is open. */
static void write_order(struct json_writer *json, const struct order_service *service, const struct order *order) {
        json_id(json, "orderId", ID_ORDER, order->id);
        json_id(json, "scheduleId", ID_SCHEDULE, order->schedule);
        json_string(json, "state", fsm_state_name(&order_fsm, order->state));
        desk_write_money(json, "amount", order->amount.amount, order->amount.currency);
        if (order->state == ORDER_IS_REFUNDING || order->state == ORDER_IS_REFUNDED)
                desk_write_money(json, "refund", order->refund_amount, order->amount.currency);
        if (order->reason != ORDER_REASON_NONE)
                json_string(json, "reason", order_reason_name(order->reason));
        write_seats(json, service, order);
        json_time(json, "createdAt", order->created_at);
}

/* --- POST /api/v1/orders --- */

static const struct json_field create_fields[] = {
        {.name = "holdId", .type = JSON_ID, .offset = offsetof(struct order_create_command, hold), .prefix = ID_HOLD},
        {0},
};

static void answer_created(struct request *request, const struct order_create_command *command) {
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        write_order(&json, request->service, &command->order);
        json_time(&json, "holdExpiresAt", command->order.state == ORDER_IS_PENDING ? command->hold_expires_at : 0);
        json_object_end(&json);
        edge_answer_json(request, 201);
}

static void create_answer(struct request *request, struct lane_command *lane) {
        const struct order_create_command *command = (struct order_create_command *)(void *)lane;
        switch (command->lane.outcome) {
        case ORDER_CREATE_NO_HOLD:
                desk_not_found(request);
                return;
        case ORDER_CREATE_KEY_REUSED:
                edge_answer_problem(request, 422, "IDEMPOTENCY_KEY_REUSED",
                                    "This Idempotency-Key was used for another order. Send a new key with a new wish.",
                                    0);
                return;
        case ORDER_CREATE_REPLAYED:
        case ORDER_CREATE_MADE:
                answer_created(request, command);
                return;
        case ORDER_CREATE_HOLD_ENDED:
                edge_answer_problem(
                        request, 410, "HOLD_ENDED",
                        "The time of this hold is over and its seats are free again. Choose seats once more.", 0);
                return;
        case ORDER_CREATE_SCHEDULE_CANCELLED:
                edge_answer_problem(request, 410, "SCHEDULE_CANCELLED", "The organiser has cancelled this performance.",
                                    0);
                return;
        case ORDER_CREATE_SALE_ENDED:
                edge_answer_problem(request, 410, "SALE_ENDED", "The sale of this performance is over.", 0);
                return;
        case ORDER_CREATE_SALE_PAUSED:
                edge_answer_problem(
                        request, 503, "SALE_PAUSED",
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
        struct order_create_command *command =
                desk_open(request, &order_create_kind, service, sizeof *command, create_answer);
        if (!command || !desk_read_body(request, create_fields, command) ||
            !desk_idempotency(request, &command->idempotency))
                return;
        command->account = request->caller.account;
        desk_submit(orders->lane, &command->lane);
}

/* --- GET /api/v1/orders --- */

static void list_answer(struct request *request, struct lane_command *lane) {
        const struct order_list_command *command = (struct order_list_command *)(void *)lane;
        size_t shown = command->count < command->limit ? command->count : command->limit;
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_array(&json, "orders");
        for (size_t i = 0; i < shown; i++) {
                json_object(&json, NULL);
                write_order(&json, request->service, &command->orders[i]);
                json_object_end(&json);
        }
        json_array_end(&json);
        json_id(&json, "nextCursor", ID_ORDER, command->count > shown ? command->orders[shown - 1].id : 0);
        json_object_end(&json);
        edge_answer_json(request, 200);
}

static void list_ask(void *service, struct request *request) {
        struct order_service *orders = service;
        struct order_list_command *command =
                desk_open(request, &order_list_kind, service, sizeof *command, list_answer);
        if (!command || !desk_page(request, ID_ORDER, &command->limit, &command->before))
                return;
        command->account = request->caller.account;
        command->orders = arena_take(&request->arena, (command->limit + 1) * sizeof *command->orders);
        if (!command->orders) {
                desk_answer_fault(request, -ENOMEM);
                return;
        }
        desk_submit(orders->lane, &command->lane);
}

/* --- GET /api/v1/orders/{orderId} --- */

static void get_answer(struct request *request, struct lane_command *lane) {
        const struct order_get_command *command = (struct order_get_command *)(void *)lane;
        if (command->lane.outcome == ORDER_READ_NOT_FOUND) {
                desk_not_found(request);
                return;
        }
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        write_order(&json, request->service, &command->order);
        json_time(&json, "updatedAt", command->order.updated_at);
        json_time(&json, "holdExpiresAt", command->hold_expires_at);
        json_number(&json, "ticketCount", command->order.state == ORDER_IS_CONFIRMED ? command->order.seat_count : 0);
        if (command->payment.exists) {
                json_object(&json, "payment");
                json_id(&json, "paymentId", ID_PAYMENT, command->order.id);
                json_string(&json, "state", fsm_state_name(&payment_fsm, command->payment.state));
                if (*command->payment.code)
                        json_string(&json, "code", command->payment.code);
                json_time(&json, "updatedAt", command->payment.updated_at);
                json_object_end(&json);
        }
        json_object_end(&json);
        edge_answer_json(request, 200);
}

static void get_ask(void *service, struct request *request) {
        struct order_service *orders = service;
        struct order_get_command *command = desk_open(request, &order_get_kind, service, sizeof *command, get_answer);
        if (!command || (command->id = desk_path_id(request, 0, ID_ORDER)) == 0)
                return;
        command->account = request->caller.account;
        desk_submit(orders->lane, &command->lane);
}

/* --- POST /api/v1/orders/{orderId}/cancel --- */

static void cancel_answer(struct request *request, struct lane_command *lane) {
        const struct order_cancel_command *command = (struct order_cancel_command *)(void *)lane;
        switch (command->lane.outcome) {
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
        write_order(&json, request->service, &command->order);
        json_object_end(&json);
        edge_answer_json(request, 200);
}

static void cancel_ask(void *service, struct request *request) {
        struct order_service *orders = service;
        struct order_cancel_command *command =
                desk_open(request, &order_cancel_kind, service, sizeof *command, cancel_answer);
        if (!command || (command->id = desk_path_id(request, 0, ID_ORDER)) == 0)
                return;
        command->account = request->caller.account;
        desk_submit(orders->lane, &command->lane);
}

/* --- GET /api/v1/schedules/{scheduleId}/figures --- */

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

static void figures_answer(struct request *request, struct lane_command *lane) {
        static const char *const names[ORDER_STATES] = {"pending",   "paid",      "confirmed",
                                                        "cancelled", "refunding", "refunded"};
        const struct order_service *service = request->service;
        const struct order_figures_command *command = (struct order_figures_command *)(void *)lane;
        if (command->lane.outcome == ORDER_READ_NOT_FOUND) {
                desk_not_found(request);
                return;
        }
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_id(&json, "scheduleId", ID_SCHEDULE, command->schedule);
        write_seat_counts(&json, service, command->schedule);
        write_line_counts(&json, service, command->schedule);
        json_object(&json, "orders");
        for (unsigned state = 0; state < ORDER_STATES; state++)
                json_number(&json, names[state], command->tally.orders[state]);
        json_object_end(&json);
        desk_write_money(&json, "captured", command->tally.captured, command->currency);
        desk_write_money(&json, "refunded", command->tally.refunded, command->currency);
        json_object_end(&json);
        edge_answer_json(request, 200);
}

static void figures_ask(void *service, struct request *request) {
        struct order_service *orders = service;
        struct order_figures_command *command =
                desk_open(request, &order_figures_kind, service, sizeof *command, figures_answer);
        if (!command || (command->schedule = desk_path_id(request, 0, ID_SCHEDULE)) == 0)
                return;
        command->account = request->caller.account;
        command->is_operator = request->caller.role == ROLE_OPERATOR;
        desk_submit(orders->lane, &command->lane);
}

/* --- the table --- */

static const struct route routes[] = {
        {.operation = "createOrder",
         .method = HTTP_POST,
         .path = "/api/v1/orders",
         .access = ACCESS_ACCOUNT,
         .limit_class = LIMIT_COMMAND,
         .body_max = ORDER_BODY_MAX,
         .ask = create_ask},
        {.operation = "listOrders",
         .method = HTTP_GET,
         .path = "/api/v1/orders",
         .access = ACCESS_ACCOUNT,
         .ask = list_ask},
        {.operation = "getOrder",
         .method = HTTP_GET,
         .path = "/api/v1/orders/{orderId}",
         .access = ACCESS_ACCOUNT,
         .ask = get_ask},
        {.operation = "cancelOrder",
         .method = HTTP_POST,
         .path = "/api/v1/orders/{orderId}/cancel",
         .access = ACCESS_ACCOUNT,
         .limit_class = LIMIT_COMMAND,
         .body_max = ORDER_BODY_MAX,
         .ask = cancel_ask},
        {.operation = "saleFigures",
         .method = HTTP_GET,
         .path = "/api/v1/schedules/{scheduleId}/figures",
         .access = ACCESS_ORGANISER,
         .ask = figures_ask},
};

void order_add_routes(struct order_service *service, struct edge *edge) {
        for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
                edge_add_route(edge, &routes[i], service);
}
