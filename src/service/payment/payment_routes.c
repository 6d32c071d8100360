/* payment_routes.c: HTTP of payments: POST /api/v1/orders/{orderId}/pay.
 *
 * The answer waits for the end of the saga (tickets, a refusal, or money on its way back), PAY_WAIT_SECONDS at most;
 * after that it is 202, and the order itself tells the end. */
#include "service/desk.h"
#include "service/gateway/gateway.h"
#include "service/payment/payment_service.h"
#include "service/ticket/ticket.h"

enum { PAY_BODY_MAX = 1024 };

static const struct json_field pay_fields[] = {
        {.name = "paymentToken",
         .type = JSON_TEXT,
         .optional = true,
         .offset = offsetof(struct payment_start_command, token),
         .min = 0,
         .max = PAY_REFERENCE_MAX - 1},
        {0},
};

static void answer_confirmed(struct request *request, const struct payment_start_command *command) {
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_id(&json, "orderId", ID_ORDER, command->order);
        json_string(&json, "state", "CONFIRMED");
        json_array(&json, "tickets");
        for (unsigned place = 0; place < command->seat_count; place++) {
                char ticket[TICKET_TEXT_MAX];
                size_t length = ticket_format(ticket, command->order, place);
                json_text(&json, NULL, (struct text){ticket, length});
        }
        json_array_end(&json);
        json_object_end(&json);
        edge_answer_json(request, 200);
}

static void answer_pending(struct request *request, const struct payment_start_command *command) {
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_id(&json, "orderId", ID_ORDER, command->order);
        json_string(&json, "state", "PENDING");
        json_string(&json, "detail",
                    "We are still asking the payment provider. Your seats are kept; do not pay again. "
                    "Look at the order in a moment.");
        json_object_end(&json);
        edge_answer_json(request, 202);
}

static void pay_answer(struct request *request, struct lane_command *lane) {
        const struct payment_start_command *command = (struct payment_start_command *)(void *)lane;
        switch (lane->outcome) {
        case PAYMENT_START_NOT_FOUND:
                desk_not_found(request);
                return;
        case PAYMENT_START_KEY_REUSED:
                edge_answer_problem(request, 422, "IDEMPOTENCY_KEY_REUSED",
                                    "This Idempotency-Key was used with another body. Send a new key with a new wish.",
                                    0);
                return;
        case PAYMENT_START_CONFIRMED:
                answer_confirmed(request, command);
                return;
        case PAYMENT_START_DECLINED:
                edge_answer_problem(
                        request, 402, "PAYMENT_DECLINED",
                        "The payment was declined and nothing was taken. Choose seats again and pay another way.", 0);
                return;
        case PAYMENT_START_CANCELLED:
                edge_answer_problem(request, 409, "ORDER_CANCELLED",
                                    "This order was cancelled and its seats are free again. Choose seats once more.",
                                    0);
                return;
        case PAYMENT_START_REFUNDED:
                edge_answer_problem(
                        request, 409, "ORDER_REFUNDED",
                        "This order was paid and its money is given back. Choose seats again for a new order.", 0);
                return;
        case PAYMENT_START_IN_PROGRESS:
                edge_answer_problem(
                        request, 409, "PAYMENT_IN_PROGRESS",
                        "The payment of this order is under way. Do not pay again; ask for its end in a moment.", 1);
                return;
        case PAYMENT_START_GIVEN_BACK:
                edge_answer_problem(request, 409, "PAYMENT_REFUNDED",
                                    "The seats were gone; your money is being returned in full.", 0);
                return;
        default: /* LANE_WAITED */
                answer_pending(request, command);
        }
}

static void pay_ask(void *service, struct request *request) {
        struct payment *payment = service;
        struct payment_start_command *command =
                desk_open(request, &payment_start_kind, service, sizeof *command, pay_answer);
        if (!command || (command->order = desk_path_id(request, 0, ID_ORDER)) == 0)
                return;
        if (request->body.length > 0 && !desk_read_body(request, pay_fields, command))
                return;
        if (!desk_idempotency(request, &command->idempotency))
                return;
        if (command->token.length >= PAY_REFERENCE_MAX) {
                edge_answer_problem(request, 400, "INVALID_BODY", "paymentToken: must be at most 63 bytes", 0);
                return;
        }
        command->account = request->caller.account;
        desk_submit(payment->lane, &command->lane);
}

static const struct route pay_route = {.operation = "payOrder",
                                       .method = HTTP_POST,
                                       .path = "/api/v1/orders/{orderId}/pay",
                                       .access = ACCESS_ACCOUNT,
                                       .limit_class = LIMIT_COMMAND,
                                       .body_max = PAY_BODY_MAX,
                                       .ask = pay_ask};

void payment_add_routes(struct payment *payment, struct edge *edge) {
        edge_add_route(edge, &pay_route, payment);
}
