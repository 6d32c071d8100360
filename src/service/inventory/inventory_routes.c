/* inventory_routes.c: holds and seats over HTTP.
 *
 * A wish for a hold that cannot come true is refused right here, from the board, the schedule and the pass, without the
 * lane and without a write: that is what most of a crowd gets. What is let through is only a hint; the lane decides. */
#include "edge/edge.h"
#include "port/json.h"
#include "service/desk.h"
#include "service/event/event.h"
#include "service/gateway/gateway.h"
#include "service/inventory/inventory_service.h"
#include "service/queue/queue.h"

enum {
        HOLD_BODY_MAX = 16384,
        HOLD_SEATS_ASKED_MAX = 100, /* above the cap the answer is CAP_EXCEEDED, above this the body is nonsense */
        BLOCK_BODY_MAX = 1024 * 1024,
        SEAT_CHANGES_TOLD_MAX =
                4096, /* in one answer: above this a snapshot is the smaller answer, and is made already */
        LABEL_MAX = 256,
        PAUSE_SECONDS = 5,
};
/* Any number that fits is a seat to ask for; whether there is such a seat is another question. */
#define SEAT_NUMBER_MAX INT32_MAX

struct seats_body {
        struct json_list seats; /* of int64_t */
        bool blocked;
};

static const struct json_field seat_item = {.type = JSON_INTEGER, .min = 0, .max = SEAT_NUMBER_MAX};

static int64_t now_of(const struct inventory *inventory) {
        return inventory->config.clock->now_ms(inventory->config.clock);
}

static void copy_seats(seat_index *out, const struct json_list *list) {
        const int64_t *seats = list->items;
        for (size_t i = 0; i < list->count; i++)
                out[i] = (seat_index)seats[i];
}

/* --- a hold as JSON --- */

static int64_t write_seat(struct json_writer *json, const struct schedule *schedule, seat_index seat) {
        const struct plan *plan = schedule->plan;
        char label[LABEL_MAX];
        size_t length = plan_seat_label(plan, seat, label, sizeof label);
        int64_t price = schedule_price(schedule, seat);
        int64_t amount = price > 0 ? price : 0;
        json_object(json, NULL);
        json_number(json, "seat", seat);
        json_text(json, "label", (struct text){label, length});
        json_string(json, "category", plan->categories[plan->seats[seat].category].name);
        desk_write_money(json, "amount", amount, schedule->currency);
        json_object_end(json);
        return amount;
}

static void answer_hold(struct request *request, int status, const struct hold *hold, const struct schedule *schedule) {
        struct json_writer json = edge_json(request);
        int64_t total = 0;
        json_object(&json, NULL);
        json_id(&json, "holdId", ID_HOLD, hold->id);
        json_id(&json, "scheduleId", ID_SCHEDULE, hold->schedule);
        json_string(&json, "state", fsm_state_name(&hold_fsm, hold->state));
        json_array(&json, "seats");
        for (uint32_t i = 0; i < hold->seat_count; i++)
                total += write_seat(&json, schedule, hold->seats[i]);
        json_array_end(&json);
        desk_write_money(&json, "total", total, schedule->currency);
        json_time(&json, "createdAt", hold->created_at);
        json_time(&json, "expiresAt", hold->expires_at);
        json_object_end(&json);
        edge_answer_json(request, status);
}

/* --- refusals --- */

struct refusal {
        int status;
        const char *code, *detail;
        unsigned retry_after;
};

static const struct refusal hold_refusals[] = {
        [HOLD_SCHEDULE_UNKNOWN] = {404, "NOT_FOUND", "There is no such thing here, or it is not yours.", 0},
        [HOLD_SCHEDULE_CANCELLED] = {410, "SCHEDULE_CANCELLED",
                                     "This performance has been cancelled; choose another one.", 0},
        [HOLD_SALE_NOT_OPEN] = {409, "SALE_NOT_OPEN", "The sale has not opened yet; come back when it does.", 1},
        [HOLD_SALE_ENDED] = {410, "SALE_ENDED", "The sale of this performance is over.", 0},
        [HOLD_SALE_PAUSED] = {503, "SALE_PAUSED", "The organiser has paused the sale for a moment; try again shortly.",
                              PAUSE_SECONDS},
        [HOLD_NOT_ADMITTED] = {403, "PASS_REQUIRED", "Enter the line of this performance and come back with a pass.",
                               0},
        [HOLD_KEY_REUSED] = {422, "IDEMPOTENCY_KEY_REUSED",
                             "This Idempotency-Key was used for another wish; take a new one.", 0},
        [HOLD_SEAT_UNKNOWN] = {422, "SEAT_UNKNOWN", "There is no such seat in this house; look at the seat map.", 0},
        [HOLD_SEAT_REPEATED] = {422, "SEAT_REPEATED", "A seat is named twice; name each seat once.", 0},
        [HOLD_SEAT_NOT_FOR_SALE] = {422, "SEAT_NOT_FOR_SALE", "A seat is not for sale; choose others.", 0},
        [HOLD_OVER_CAP] = {409, "CAP_EXCEEDED",
                           "Together with the seats you hold or have bought these are too many; choose fewer.", 0},
        [HOLD_SEAT_TAKEN] = {409, "SEAT_TAKEN", "A seat is taken; choose others.", 0},
};

static const struct refusal change_refusals[] = {
        [CHANGE_HOLD_UNKNOWN] = {404, "NOT_FOUND", "There is no such thing here, or it is not yours.", 0},
        [CHANGE_HOLD_ENDED] = {409, "HOLD_ENDED", "This hold has ended; hold seats anew.", 0},
        [CHANGE_HOLD_IN_PAYMENT] = {409, "HOLD_IN_PAYMENT", "These seats are being paid for; wait for the outcome.", 0},
        [CHANGE_HOLD_ORDERED] = {409, "HOLD_ORDERED",
                                 "These seats have been ordered; cancel the order to choose others.", 0},
        [CHANGE_SALE_OVER] = {410, "SALE_ENDED", "The sale of this performance is over.", 0},
        [CHANGE_SALE_PAUSED] = {503, "SALE_PAUSED",
                                "The organiser has paused the sale for a moment; try again shortly.", PAUSE_SECONDS},
        [CHANGE_SEAT_UNKNOWN] = {422, "SEAT_UNKNOWN", "There is no such seat in this house; look at the seat map.", 0},
        [CHANGE_SEAT_REPEATED] = {422, "SEAT_REPEATED", "A seat is named twice; name each seat once.", 0},
        [CHANGE_SEAT_NOT_FOR_SALE] = {422, "SEAT_NOT_FOR_SALE", "A seat is not for sale; choose others.", 0},
        [CHANGE_OVER_CAP] = {409, "CAP_EXCEEDED",
                             "Together with the seats you hold or have bought these are too many; choose fewer.", 0},
        [CHANGE_SEAT_TAKEN] = {409, "SEAT_TAKEN", "A seat is taken; your hold is as it was. Choose others.", 0},
};

/* A problem document that also names the seats that are why. */
static void answer_seat_problem(struct request *request, const struct refusal *refusal, const seat_index *seats,
                                seat_mask culprits) {
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_string(&json, "type", "about:blank");
        json_string(&json, "title", refusal->status == 409 ? "Conflict" : "Unprocessable Content");
        json_number(&json, "status", refusal->status);
        json_string(&json, "code", refusal->code);
        json_string(&json, "detail", refusal->detail);
        json_text(&json, "traceId", (struct text){request->trace, EDGE_TRACE_LENGTH});
        json_array(&json, "seats");
        for (uint32_t i = 0; i < HOLD_SEATS_MAX; i++) {
                if (culprits & UINT32_C(1) << i)
                        json_number(&json, NULL, seats[i]);
        }
        json_array_end(&json);
        json_object_end(&json);
        edge_answer(request, refusal->status, "application/problem+json", buffer_text(&request->body_out), NULL, 0);
}

static void answer_refusal(struct request *request, const struct refusal *refusal, const seat_index *seats,
                           seat_mask culprits) {
        PRE(refusal->code);
        if (culprits)
                answer_seat_problem(request, refusal, seats, culprits);
        else
                edge_answer_problem(request, refusal->status, refusal->code, refusal->detail, refusal->retry_after);
}

/* --- POST /api/v1/schedules/{scheduleId}/holds --- */

static bool check_pass(struct request *request, const struct inventory *inventory, schedule_id schedule, int64_t now) {
        struct text pass = request_header(request, "x-queue-token");
        switch (queue_pass_check(inventory->config.queue, pass, schedule, request->caller.account, now)) {
        case PASS_OK:
                return true;
        case PASS_EXPIRED:
                edge_answer_problem(request, 403, "PASS_EXPIRED", "Your pass has run out; enter the line again.", 0);
                return false;
        default:
                edge_answer_problem(request, 403, "PASS_INVALID",
                                    "This pass is not valid for you and this performance.", 0);
                return false;
        }
}

static unsigned seconds_until(int64_t at, int64_t now) {
        int64_t seconds = (at - now + 999) / 1000;
        return seconds < 1 ? 1 : seconds > 86400 ? 86400 : (unsigned)seconds;
}

static void answer_hold_refusal(struct request *request, int outcome, const struct schedule *schedule, int64_t now,
                                const seat_index *seats, seat_mask culprits) {
        struct refusal refusal = hold_refusals[outcome];
        if (outcome == HOLD_SALE_NOT_OPEN)
                refusal.retry_after = seconds_until(schedule->opens_at, now);
        answer_refusal(request, &refusal, seats, culprits);
}

static int sale_refusal(const struct schedule *schedule, int64_t now) {
        switch (schedule_state_at(schedule, now)) {
        case SCHEDULE_IS_CANCELLED:
                return HOLD_SCHEDULE_CANCELLED;
        case SCHEDULE_UPCOMING:
                return HOLD_SALE_NOT_OPEN;
        case SCHEDULE_ENDED:
                return HOLD_SALE_ENDED;
        default:
                return schedule->sale_paused ? HOLD_SALE_PAUSED : 0;
        }
}

/* Why the wish cannot come true, as far as the board shows; 0: let the lane decide. */
static int board_refusal(const struct board *board, const struct hold_create_command *command,
                         seat_mask *ret_culprits) {
        seat_mask unknown = 0, repeated = 0, taken = 0, yours = 0;
        for (uint32_t i = 0; i < command->seat_count; i++) {
                seat_mask bit = UINT32_C(1) << i;
                for (uint32_t j = 0; j < i; j++)
                        repeated |= command->seats[i] == command->seats[j] ? bit : 0;
                if (command->seats[i] >= board->seat_count) {
                        unknown |= bit;
                        continue;
                }
                enum board_view view = board_look(board, command->seats[i], command->account);
                taken |= view == BOARD_TAKEN ? bit : 0;
                yours |= view == BOARD_PERHAPS_YOURS ? bit : 0;
        }
        if ((*ret_culprits = unknown) != 0)
                return HOLD_SEAT_UNKNOWN;
        if ((*ret_culprits = repeated) != 0)
                return HOLD_SEAT_REPEATED;
        *ret_culprits = taken;
        return taken && !yours ? HOLD_SEAT_TAKEN : 0; /* yours: perhaps an answer is waiting for its retry */
}

/* True: refused and answered, from memory. */
static bool refuse_from_memory(struct request *request, const struct inventory *inventory,
                               const struct hold_create_command *command, int64_t now) {
        const struct schedule *schedule = event_schedule_peek(inventory->config.events, command->schedule_id);
        const struct board *board = boards_find(&inventory->halls.boards, command->schedule_id);
        if (!schedule || !board)
                return false;
        seat_mask culprits = 0;
        int outcome = sale_refusal(schedule, now);
        if (outcome == 0)
                outcome = board_refusal(board, command, &culprits);
        if (outcome == 0)
                return false;
        answer_hold_refusal(request, outcome, schedule, now, command->seats, culprits);
        return true;
}

static void hold_create_answer(struct request *request, struct lane_command *lane_command) {
        const struct hold_create_command *command = (const struct hold_create_command *)(const void *)lane_command;
        const struct inventory *inventory = request->service;
        if (lane_command->outcome == HOLD_CREATED || lane_command->outcome == HOLD_REPLAYED)
                answer_hold(request, 201, &command->hold, command->schedule);
        else
                answer_hold_refusal(request, lane_command->outcome, command->schedule, now_of(inventory),
                                    command->seats, command->culprits);
}

/* Seats into the command; false: answered. */
static bool take_seats(struct request *request, uint32_t cap, uint32_t *ret_count,
                       seat_index seats[static HOLD_SEATS_MAX]) {
        static const struct json_field fields[] = {
                {"seats", JSON_LIST, .offset = offsetof(struct seats_body, seats), .min = 1,
                 .max = HOLD_SEATS_ASKED_MAX, .item = &seat_item, .item_size = sizeof(int64_t)},
                {0},
        };
        struct seats_body body = {0};
        if (!desk_read_body(request, fields, &body))
                return false;
        if (body.seats.count > cap) {
                edge_answer_problem(request, 422, "CAP_EXCEEDED",
                                    "These are more seats than one person may have; choose fewer.", 0);
                return false;
        }
        *ret_count = (uint32_t)body.seats.count;
        copy_seats(seats, &body.seats);
        return true;
}

static uint32_t cap_of(const struct inventory *inventory, schedule_id schedule) {
        const struct schedule *known = event_schedule_peek(inventory->config.events, schedule);
        return known && known->cap < HOLD_SEATS_MAX ? known->cap : HOLD_SEATS_MAX;
}

static bool has_pass(struct request *request) {
        if (request_header(request, "x-queue-token").length > 0)
                return true;
        answer_refusal(request, &hold_refusals[HOLD_NOT_ADMITTED], NULL, 0);
        return false;
}

/* What can be checked before the lane is asked. True: the command is filled; false: answered. Whether the pass is
 * genuine costs more than all the rest together, so only a wish that might come true has it looked at. */
static bool hold_create_prepare(struct request *request, const struct inventory *inventory,
                                struct hold_create_command *command) {
        int64_t now = now_of(inventory);
        command->account = request->caller.account;
        return (command->schedule_id = desk_path_id(request, 0, ID_SCHEDULE)) != 0 && has_pass(request) &&
               take_seats(request, cap_of(inventory, command->schedule_id), &command->seat_count, command->seats) &&
               !refuse_from_memory(request, inventory, command, now) &&
               check_pass(request, inventory, command->schedule_id, now) &&
               desk_idempotency(request, &command->idempotency);
}

static void hold_create_ask(void *service, struct request *request) {
        struct inventory *inventory = service;
        struct hold_create_command wish = {0};
        if (!hold_create_prepare(request, inventory, &wish)) {
                metric_add(&inventory_holds_refused, 1);
                return;
        }
        struct hold_create_command *command =
                desk_open(request, &hold_create_kind, inventory, sizeof *command, hold_create_answer);
        if (!command)
                return;
        wish.lane = command->lane;
        *command = wish;
        desk_submit(inventory->config.lane, &command->lane);
}

/* --- GET, PUT, DELETE /api/v1/holds/{holdId} --- */

static void hold_read_answer(struct request *request, struct lane_command *lane_command) {
        const struct hold_read_command *command = (const struct hold_read_command *)(const void *)lane_command;
        if (lane_command->outcome == READ_DONE)
                answer_hold(request, 200, &command->hold, command->schedule);
        else
                desk_not_found(request);
}

static void hold_read_ask(void *service, struct request *request) {
        struct inventory *inventory = service;
        purchase_id id = desk_path_id(request, 0, ID_HOLD);
        struct hold_read_command *command =
                id ? desk_open(request, &hold_read_kind, inventory, sizeof *command, hold_read_answer) : NULL;
        if (!command)
                return;
        command->id = id;
        command->account = request->caller.account;
        desk_submit(inventory->config.lane, &command->lane);
}

static void hold_change_answer(struct request *request, struct lane_command *lane_command) {
        const struct hold_change_command *command = (const struct hold_change_command *)(const void *)lane_command;
        if (lane_command->outcome == CHANGE_DONE)
                answer_hold(request, 200, &command->hold, command->schedule);
        else
                answer_refusal(request, &change_refusals[lane_command->outcome], command->seats, command->culprits);
}

static void hold_change_ask(void *service, struct request *request) {
        struct inventory *inventory = service;
        uint32_t count;
        seat_index seats[HOLD_SEATS_MAX];
        purchase_id id = desk_path_id(request, 0, ID_HOLD);
        if (!id || !take_seats(request, HOLD_SEATS_MAX, &count, seats))
                return;
        struct hold_change_command *command =
                desk_open(request, &hold_change_kind, inventory, sizeof *command, hold_change_answer);
        if (!command)
                return;
        command->id = id;
        command->account = request->caller.account;
        command->seat_count = count;
        memcpy(command->seats, seats, count * sizeof *seats);
        desk_submit(inventory->config.lane, &command->lane);
}

static void hold_release_answer(struct request *request, struct lane_command *command) {
        switch ((enum hold_release_outcome)command->outcome) {
        case RELEASE_HOLD_UNKNOWN:
                desk_not_found(request);
                return;
        case RELEASE_HOLD_CONSUMED:
                edge_answer_problem(request, 409, "HOLD_ENDED",
                                    "These seats are bought; cancel the order to give them back.", 0);
                return;
        case RELEASE_HOLD_IN_PAYMENT:
                edge_answer_problem(request, 409, "HOLD_IN_PAYMENT",
                                    "These seats are being paid for; wait for the outcome.", 0);
                return;
        case RELEASE_REPEATED:
        case RELEASE_DONE:
                edge_answer_empty(request, 204, NULL, 0);
                return;
        }
        IMPOSSIBLE("an outcome that hold.release does not have");
}

static void hold_release_ask(void *service, struct request *request) {
        struct inventory *inventory = service;
        purchase_id id = desk_path_id(request, 0, ID_HOLD);
        struct hold_release_command *command =
                id ? desk_open(request, &hold_release_kind, inventory, sizeof *command, hold_release_answer) : NULL;
        if (!command)
                return;
        command->id = id;
        command->account = request->caller.account;
        desk_submit(inventory->config.lane, &command->lane);
}

/* --- GET /api/v1/schedules/{scheduleId}/seats and …/seats/changes --- */

/* What both need is in memory; if not, the lane loads it, and the plan's geometry is drawn by a worker. */
struct seats_ask {
        struct seats_open_command open;
        struct worker_job job;
        struct inventory *inventory;
        const struct plan *plan;
        uint64_t since;
        void (*show)(struct request *request, struct seats_ask *ask);
};

static void seats_opened(struct request *request, struct lane_command *command) {
        struct seats_ask *ask = (struct seats_ask *)(void *)command;
        if (command->outcome == OPEN_DONE)
                ask->show(request, ask);
        else
                desk_not_found(request);
}

static void seats_ask_open(struct request *request, struct seats_ask *ask) {
        bool opened = ask->open.lane.outcome == OPEN_DONE;
        if (opened) /* and yet it is not there */
                desk_answer_fault(request, FAULT_BUSY);
        else
                desk_submit(ask->inventory->config.lane, &ask->open.lane);
}

static void answer_page(struct request *request, struct chart_page *page) {
        bool gzip = edge_accepts_gzip(request);
        struct text tag = text_of(gzip ? page->gzip_tag : page->tag);
        /* Either tag tells that the client has these seats. */
        if (edge_answer_not_modified(request, text_of(page->gzip_tag)) ||
            edge_answer_not_modified(request, text_of(page->tag)))
                return;
        struct answer_header headers[] = {{"ETag", tag},
                                          {"Cache-Control", TEXT("public, max-age=1")},
                                          {"Vary", TEXT("Accept-Encoding")},
                                          {"Content-Encoding", TEXT("gzip")}};
        if (gzip) {
                edge_answer(request, 200, "application/json", buffer_text(&page->gzip), headers, 4);
                return;
        }
        buffer_clear(&request->body_out);
        buffer_add_text(&request->body_out, buffer_text(&page->head));
        buffer_add_text(&request->body_out, page->geometry);
        edge_answer(request, 200, "application/json", buffer_text(&request->body_out), headers, 3);
}

static void seats_draw(struct worker_job *job) {
        struct seats_ask *ask = (struct seats_ask *)(void *)((char *)job - offsetof(struct seats_ask, job));
        ask->open.lane.fault = charts_draw(&ask->inventory->charts, ask->plan);
        ask->open.lane.outcome = OPEN_DONE;
        desk_return(&ask->open.lane, NULL);
}

static void seats_show(struct request *request, struct seats_ask *ask) {
        struct inventory *inventory = ask->inventory;
        const struct schedule *schedule = event_schedule_peek(inventory->config.events, ask->open.schedule_id);
        struct board *board = boards_find(&inventory->halls.boards, ask->open.schedule_id);
        if (!schedule || !board) {
                seats_ask_open(request, ask);
                return;
        }
        struct chart_page *page;
        int r = charts_page(&inventory->charts, schedule, board, now_of(inventory), &page);
        if (r == CHART_READY) {
                answer_page(request, page);
                chart_page_put_back(page);
                return;
        }
        if (r == CHART_UNDRAWN) {
                ask->plan = schedule->plan;
                ask->job.run = seats_draw;
                r = workers_submit(inventory->workers, &ask->job);
        }
        if (r < 0)
                desk_answer_fault(request, r);
}

static void changes_show(struct request *request, struct seats_ask *ask) {
        struct board *board = boards_find(&ask->inventory->halls.boards, ask->open.schedule_id);
        if (!board) {
                seats_ask_open(request, ask);
                return;
        }
        struct board_changes changes;
        int r = board_changes_since(board, ask->since, &request->arena, &changes);
        if (r < 0) {
                desk_answer_fault(request, r);
                return;
        }
        if (r == BOARD_CHANGES_GONE || changes.count > SEAT_CHANGES_TOLD_MAX) {
                edge_answer_problem(
                        request, 410, "CHANGES_GONE",
                        "Changes since this version are not kept; take all seats again, and go on from there.", 0);
                return;
        }
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_number(&json, "from", (int64_t)ask->since);
        json_number(&json, "to", (int64_t)changes.to);
        json_array(&json, "changes");
        for (size_t i = 0; i < changes.count; i++) {
                char letter = board_change_letter(changes.seats[i]);
                json_array(&json, NULL);
                json_number(&json, NULL, board_change_seat(changes.seats[i]));
                json_text(&json, NULL, (struct text){&letter, 1});
                json_array_end(&json);
        }
        json_array_end(&json);
        json_object_end(&json);
        edge_answer_json(request, 200);
}

static void seats_ask_with(struct inventory *inventory, struct request *request, uint64_t since,
                           void (*show)(struct request *request, struct seats_ask *ask)) {
        schedule_id schedule = desk_path_id(request, 0, ID_SCHEDULE);
        struct seats_ask *ask =
                schedule ? desk_open(request, &seats_open_kind, inventory, sizeof *ask, seats_opened) : NULL;
        if (!ask)
                return;
        ask->open.schedule_id = schedule;
        ask->inventory = inventory;
        ask->since = since;
        ask->show = show;
        show(request, ask);
}

static void seats_list_ask(void *service, struct request *request) {
        seats_ask_with(service, request, 0, seats_show);
}

static void seats_changes_ask(void *service, struct request *request) {
        char memory[TEXT_NUMBER_MAX];
        struct text value;
        uint64_t since;
        if (http_query_value(request->head.query, "since", memory, sizeof memory, &value) != 1 ||
            !text_to_number(value, UINT64_C(1) << 53, &since)) {
                edge_answer_problem(request, 400, "INVALID_QUERY",
                                    "since must be the version of an earlier answer, a whole number.", 0);
                return;
        }
        seats_ask_with(service, request, since, changes_show);
}

/* --- PUT /api/v1/schedules/{scheduleId}/seats/blocked --- */

static void seats_block_answer(struct request *request, struct lane_command *lane_command) {
        const struct seats_block_command *command = (const struct seats_block_command *)(const void *)lane_command;
        static const struct refusal unknown = {422, "SEAT_UNKNOWN",
                                               "There is no such seat in this house; nothing was changed.", 0};
        static const struct refusal taken = {409, "SEAT_TAKEN", "A seat is held or sold; nothing was changed.", 0};
        if (lane_command->outcome == BLOCK_SCHEDULE_UNKNOWN) {
                desk_not_found(request);
                return;
        }
        if (lane_command->outcome != BLOCK_DONE) {
                answer_seat_problem(request, lane_command->outcome == BLOCK_SEAT_TAKEN ? &taken : &unknown,
                                    &command->culprit, 1);
                return;
        }
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_id(&json, "scheduleId", ID_SCHEDULE, command->schedule_id);
        json_bool(&json, "blocked", command->blocked);
        json_number(&json, "changed", (int64_t)command->changed);
        json_object_end(&json);
        edge_answer_json(request, 200);
}

static void seats_block_ask(void *service, struct request *request) {
        static const struct json_field fields[] = {
                {"seats", JSON_LIST, .offset = offsetof(struct seats_body, seats), .min = 1, .max = PLAN_SEATS_MAX,
                 .item = &seat_item, .item_size = sizeof(int64_t)},
                {"blocked", JSON_BOOL, .offset = offsetof(struct seats_body, blocked)},
                {0},
        };
        struct inventory *inventory = service;
        struct seats_body body = {0};
        schedule_id schedule = desk_path_id(request, 0, ID_SCHEDULE);
        if (!schedule || !desk_read_body(request, fields, &body))
                return;
        struct seats_block_command *command =
                desk_open(request, &seats_block_kind, inventory,
                          sizeof *command + body.seats.count * sizeof(seat_index), seats_block_answer);
        if (!command)
                return;
        seat_index *seats = (seat_index *)(command + 1);
        copy_seats(seats, &body.seats);
        command->schedule_id = schedule;
        command->account = request->caller.account;
        command->operator= request->caller.role == ROLE_OPERATOR;
        command->blocked = body.blocked;
        command->seats = seats;
        command->seat_count = body.seats.count;
        desk_submit(inventory->config.lane, &command->lane);
}

void inventory_add_routes(struct inventory *inventory, struct edge *edge) {
        static const struct route routes[] = {
                {"createHold", HTTP_POST, "/api/v1/schedules/{scheduleId}/holds", ACCESS_ACCOUNT, LIMIT_COMMAND,
                 HOLD_BODY_MAX, hold_create_ask},
                {"getHold", HTTP_GET, "/api/v1/holds/{holdId}", ACCESS_ACCOUNT, LIMIT_NONE, 0, hold_read_ask},
                {"changeHold", HTTP_PUT, "/api/v1/holds/{holdId}", ACCESS_ACCOUNT, LIMIT_COMMAND, HOLD_BODY_MAX,
                 hold_change_ask},
                {"releaseHold", HTTP_DELETE, "/api/v1/holds/{holdId}", ACCESS_ACCOUNT, LIMIT_COMMAND, 0,
                 hold_release_ask},
                {"listSeats", HTTP_GET, "/api/v1/schedules/{scheduleId}/seats", ACCESS_PUBLIC, LIMIT_NONE, 0,
                 seats_list_ask},
                {"seatChanges", HTTP_GET, "/api/v1/schedules/{scheduleId}/seats/changes", ACCESS_PUBLIC, LIMIT_NONE, 0,
                 seats_changes_ask},
                {"blockSeats", HTTP_PUT, "/api/v1/schedules/{scheduleId}/seats/blocked", ACCESS_ORGANISER,
                 LIMIT_COMMAND, BLOCK_BODY_MAX, seats_block_ask},
        };
        for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
                edge_add_route(edge, &routes[i], inventory);
}
