/* ticket_routes.c: tickets for their owners, and the gate.
 *
 * A code is signed where it is shown and verified where it is scanned, on the loop; the lane only hears of codes that
 * are ours. */
#include "base/assert.h"
#include "edge/edge.h"
#include "port/qr.h"
#include "service/desk.h"
#include "service/event/event.h"
#include "service/gateway/gateway.h"
#include "service/ticket/ticket_service.h"

enum { LABEL_MAX = 256, QR_SCALE = 8, SCAN_BODY_MAX = 2048, CODE_TEXT_MAX = 512 };

/* --- a ticket as JSON --- */

static void write_seat(struct json_writer *json, const struct ticket *ticket, const struct schedule *schedule) {
        char label[LABEL_MAX];
        json_id(json, "scheduleId", ID_SCHEDULE, ticket->schedule);
        json_number(json, "seat", ticket->seat);
        if (schedule && ticket->seat < schedule->plan->seat_count)
                json_text(json, "label",
                          (struct text){label, plan_seat_label(schedule->plan, ticket->seat, label, sizeof label)});
        else
                json_null(json, "label");
}

static void write_ticket(struct json_writer *json, const struct ticket *ticket, const struct schedule *schedule) {
        char name[TICKET_TEXT_MAX];
        json_text(json, "ticketId", (struct text){name, ticket_format(name, ticket->order, ticket->place)});
        json_id(json, "orderId", ID_ORDER, ticket->order);
        write_seat(json, ticket, schedule);
        json_string(json, "state", fsm_state_name(&ticket_fsm, ticket->state));
        json_time(json, "issuedAt", ticket->issued_at);
        json_time(json, "usedAt", ticket->used_at);
}

/* --- GET /api/v1/orders/{orderId}/tickets --- */

static void of_order_answer(struct request *request, struct lane_command *command) {
        const struct ticket_of_order_command *ask = (const struct ticket_of_order_command *)(void *)command;
        if (command->outcome != TICKETS_FOUND) {
                desk_not_found(request);
                return;
        }
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_array(&json, "tickets");
        for (unsigned i = 0; i < ask->order.count; i++) {
                json_object(&json, NULL);
                write_ticket(&json, &ask->order.tickets[i], ask->schedule);
                json_object_end(&json);
        }
        json_array_end(&json);
        json_object_end(&json);
        edge_answer_json(request, 200);
}

static void of_order_ask(void *context, struct request *request) {
        struct ticket_service *service = context;
        purchase_id order = desk_path_id(request, 0, ID_ORDER);
        if (!order)
                return;
        struct ticket_of_order_command *command =
                desk_open(request, &ticket_of_order_kind, service, sizeof *command, of_order_answer);
        if (!command)
                return;
        command->account = request->caller.account;
        command->order.order = order;
        desk_submit(service->lane, &command->lane);
}

/* --- GET /api/v1/tickets --- */

static void list_answer(struct request *request, struct lane_command *command) {
        const struct ticket_list_command *page = (const struct ticket_list_command *)(void *)command;
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_array(&json, "tickets");
        for (unsigned i = 0; i < page->count; i++) {
                json_object(&json, NULL);
                write_ticket(&json, &page->tickets[i], page->schedules[i]);
                json_object_end(&json);
        }
        json_array_end(&json);
        json_id(&json, "nextCursor", ID_ORDER, page->next_before);
        json_object_end(&json);
        edge_answer_json(request, 200);
}

static void list_ask(void *context, struct request *request) {
        struct ticket_service *service = context;
        unsigned limit;
        purchase_id before;
        if (!desk_page(request, ID_ORDER, &limit, &before))
                return;
        struct ticket_list_command *command =
                desk_open(request, &ticket_list_kind, service, sizeof *command, list_answer);
        if (!command)
                return;
        command->account = request->caller.account;
        command->before = before;
        command->limit = limit;
        desk_submit(service->lane, &command->lane);
}

/* --- GET /api/v1/tickets/{ticketId}, and its QR --- */

static void show_code(struct ticket_service *service, const struct ticket *ticket,
                      char out[static TICKET_CODE_LENGTH]) {
        const struct ticket_claims claims = {
                .order = ticket->order, .schedule = ticket->schedule, .seat = ticket->seat, .place = ticket->place};
        ticket_codes_show(service->codes, out, service->key, &claims);
}

static void read_answer(struct request *request, struct lane_command *command) {
        const struct ticket_read_command *ask = (const struct ticket_read_command *)(void *)command;
        if (command->outcome != TICKET_FOUND) {
                desk_not_found(request);
                return;
        }
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        write_ticket(&json, &ask->ticket, ask->schedule);
        if (ask->ticket.state == TICKET_IS_VOID) {
                json_null(&json, "code");
        } else {
                char code[TICKET_CODE_LENGTH];
                show_code(request->service, &ask->ticket, code);
                json_text(&json, "code", (struct text){code, sizeof code});
        }
        json_object_end(&json);
        edge_answer_json(request, 200);
}

static bool wants_svg(const struct request *request) {
        struct text accept = request_header(request, "accept");
        return accept.length > 0 && memmem(accept.at, accept.length, "image/svg+xml", sizeof "image/svg+xml" - 1);
}

static void qr_answer(struct request *request, struct lane_command *command) {
        const struct ticket_read_command *ask = (const struct ticket_read_command *)(void *)command;
        if (command->outcome != TICKET_FOUND) {
                desk_not_found(request);
                return;
        }
        if (ask->ticket.state == TICKET_IS_VOID) {
                edge_answer_problem(request, 409, "TICKET_VOID", "This ticket is void: its order was given back.", 0);
                return;
        }
        char code[TICKET_CODE_LENGTH];
        show_code(request->service, &ask->ticket, code);
        struct text text = {code, sizeof code};
        bool svg = wants_svg(request);
        buffer_clear(&request->body_out);
        int fault = svg ? qr_svg(&request->body_out, text) : qr_png(&request->body_out, text, QR_SCALE);
        if (fault) {
                desk_answer_fault(request, fault);
                return;
        }
        struct answer_header headers[] = {{"Cache-Control", TEXT("private, no-cache")}, {"Vary", TEXT("Accept")}};
        edge_answer(request, 200, svg ? "image/svg+xml" : "image/png", buffer_text(&request->body_out), headers,
                    sizeof headers / sizeof *headers);
}

static void ticket_ask(struct ticket_service *service, struct request *request, desk_answer answer) {
        purchase_id order;
        unsigned place;
        if (!ticket_parse(request->parameters[0], &order, &place)) {
                desk_not_found(request);
                return;
        }
        struct ticket_read_command *command = desk_open(request, &ticket_read_kind, service, sizeof *command, answer);
        if (!command)
                return;
        command->account = request->caller.account;
        command->order = order;
        command->place = place;
        desk_submit(service->lane, &command->lane);
}

static void read_ask(void *service, struct request *request) {
        ticket_ask(service, request, read_answer);
}

static void qr_ask(void *service, struct request *request) {
        ticket_ask(service, request, qr_answer);
}

/* --- POST /api/v1/gate/scans --- */

static void answer_admitted(struct request *request, const struct ticket_scan_command *scan) {
        char name[TICKET_TEXT_MAX];
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_string(&json, "result", "ADMIT");
        json_text(&json, "ticketId", (struct text){name, ticket_format(name, scan->ticket.order, scan->ticket.place)});
        write_seat(&json, &scan->ticket, scan->schedule);
        json_object_end(&json);
        edge_answer_json(request, 200);
}

/* A problem document that also tells when and where. */
static void answer_used(struct request *request, const struct ticket_scan_command *scan) {
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_string(&json, "type", "about:blank");
        json_string(&json, "title", "Conflict");
        json_number(&json, "status", 409);
        json_string(&json, "code", "TICKET_USED");
        json_string(&json, "detail", "Somebody has been let in with this ticket already; see usedAt and usedBy.");
        json_text(&json, "traceId", (struct text){request->trace, EDGE_TRACE_LENGTH});
        json_time(&json, "usedAt", scan->ticket.used_at);
        json_text(&json, "usedBy", (struct text){scan->used_by.bytes, scan->used_by.length});
        json_object_end(&json);
        edge_answer(request, 409, "application/problem+json", buffer_text(&request->body_out), NULL, 0);
}

static void scan_answer(struct request *request, struct lane_command *command) {
        const struct ticket_scan_command *scan = (const struct ticket_scan_command *)(void *)command;
        switch ((enum scan_outcome)command->outcome) {
        case SCAN_UNKNOWN:
        case SCAN_ELSEWHERE:
                desk_not_found(request);
                return;
        case SCAN_VOID:
                edge_answer_problem(request, 409, "TICKET_VOID",
                                    "This ticket is void: its order was given back. Do not let in.", 0);
                return;
        case SCAN_USED:
                answer_used(request, scan);
                return;
        case SCAN_ADMITTED:
                answer_admitted(request, scan);
                return;
        }
        IMPOSSIBLE("an outcome that ticket.scan does not have");
}

struct scan_body {
        struct text code, gate;
};

static void scan_ask(void *context, struct request *request) {
        static const struct json_field fields[] = {
                {"code", JSON_TEXT, .offset = offsetof(struct scan_body, code), .min = 1, .max = CODE_TEXT_MAX},
                {"gate", JSON_TEXT, .offset = offsetof(struct scan_body, gate), .min = 1,
                 .max = GATE_NAME_CODE_POINTS_MAX},
                {0},
        };
        struct ticket_service *service = context;
        struct scan_body body = {0};
        struct ticket_claims claims;
        if (!desk_read_body(request, fields, &body))
                return;
        if (!ticket_code_verify(service->key, body.code, &claims)) {
                edge_answer_problem(request, 422, "TICKET_FORGED", "This is not a ticket of ours. Do not let in.", 0);
                return;
        }
        struct ticket_scan_command *command =
                desk_open(request, &ticket_scan_kind, service, sizeof *command, scan_answer);
        if (!command)
                return;
        command->claims = claims;
        command->scanner = request->caller.account;
        command->role = (enum role)request->caller.role;
        command->gate = body.gate;
        desk_submit(service->lane, &command->lane);
}

void ticket_add_routes(struct ticket_service *service, struct edge *edge) {
        static const struct route routes[] = {
                {"orderTickets", HTTP_GET, "/api/v1/orders/{orderId}/tickets", ACCESS_ACCOUNT, LIMIT_COMMAND, 0,
                 of_order_ask},
                {"listTickets", HTTP_GET, "/api/v1/tickets", ACCESS_ACCOUNT, LIMIT_COMMAND, 0, list_ask},
                {"getTicket", HTTP_GET, "/api/v1/tickets/{ticketId}", ACCESS_ACCOUNT, LIMIT_COMMAND, 0, read_ask},
                {"ticketQr", HTTP_GET, "/api/v1/tickets/{ticketId}/qr", ACCESS_ACCOUNT, LIMIT_COMMAND, 0, qr_ask},
                {"scanTicket", HTTP_POST, "/api/v1/gate/scans", ACCESS_GATE, LIMIT_COMMAND, SCAN_BODY_MAX, scan_ask},
        };
        for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
                edge_add_route(edge, &routes[i], service);
}
