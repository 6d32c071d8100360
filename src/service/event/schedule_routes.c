/* schedule_routes.c: schedules over HTTP: their prices, times, line settings and pauses. */
#include "service/event/event_routes.h"

#include "base/assert.h"

struct schedule_body {
        plan_id plan;
        struct text currency;
        struct json_list grades; /* struct grade_wish */
        struct schedule_wish wish;
};

#define WISH(key, kind, member, may, least, most)                                                                         \
        {.name = key, .type = kind, .optional = may, .offset = offsetof(struct schedule_body, wish.member), .min = least, \
         .max = most}
#define LINE(key, kind, member, least, most)                                                                      \
        {.name = key, .type = kind, .optional = true, .offset = offsetof(struct schedule_wish, member), .min = least, \
         .max = most}

static const struct json_field line_fields[] = {
        LINE("capacity", JSON_INTEGER, line_capacity, 1, LINE_CAPACITY_MAX),
        LINE("rate", JSON_INTEGER, line_rate, 0, LINE_CAPACITY_MAX),
        LINE("passSeconds", JSON_INTEGER, line_pass_seconds, PASS_SECONDS_MIN, PASS_SECONDS_MAX),
        LINE("waitingMax", JSON_INTEGER, line_waiting_max, 1, LINE_WAITING_MAX),
        LINE("enabled", JSON_FLAG, line_enabled, 0, 0),
        LINE("lobbyOpensAt", JSON_TIME, lobby_opens_at, 0, 0),
        {0},
};

static const struct json_field grade_fields[] = {
        {.name = "category", .type = JSON_TEXT, .offset = offsetof(struct grade_wish, category), .min = 1, .max = TITLE_CODE_POINTS_MAX},
        {.name = "amount", .type = JSON_INTEGER, .offset = offsetof(struct grade_wish, amount), .max = AMOUNT_MAX},
        {0},
};
static const struct json_field grade_item = {.type = JSON_OBJECT, .fields = grade_fields};

#define COMMON_FIELDS(may)                                                                                               \
        WISH("startsAt", JSON_TIME, starts_at, may, 0, 0), WISH("opensAt", JSON_TIME, opens_at, may, 0, 0),              \
                WISH("endsAt", JSON_TIME, ends_at, true, 0, 0), WISH("cancelUntil", JSON_TIME, cancel_until, true, 0, 0), \
                WISH("cancelRefundPercent", JSON_INTEGER, cancel_refund_percent, true, 0, 100),                          \
                WISH("cap", JSON_INTEGER, cap, true, 1, HOLD_SEATS_MAX),                                                 \
                WISH("holdSeconds", JSON_INTEGER, hold_seconds, true, HOLD_SECONDS_MIN, HOLD_SECONDS_MAX),               \
        {.name = "grades", .type = JSON_LIST, .optional = may, .offset = offsetof(struct schedule_body, grades), .min = 1, \
         .max = PLAN_CATEGORIES_MAX, .item = &grade_item, .item_size = sizeof(struct grade_wish)},                       \
        {.name = "line", .type = JSON_OBJECT, .optional = true, .offset = offsetof(struct schedule_body, wish), .fields = line_fields}

static const struct json_field create_fields[] = {
        {.name = "planId", .type = JSON_ID, .offset = offsetof(struct schedule_body, plan), .prefix = ID_PLAN},
        {.name = "currency", .type = JSON_TEXT, .optional = true, .offset = offsetof(struct schedule_body, currency), .min = 3, .max = 3},
        COMMON_FIELDS(false),
        {0},
};
static const struct json_field change_fields[] = {COMMON_FIELDS(true), {0}};

static const struct event_problem schedule_problems[] = {
        EVENT_KEY_PROBLEM,
        {SCHEDULE_EVENT_UNKNOWN, 404, NULL, NULL},
        {SCHEDULE_UNKNOWN, 404, NULL, NULL},
        {SCHEDULE_PLAN_UNKNOWN, 422, "PLAN_UNKNOWN", "planId: there is no such plan, or it is not yours."},
        {SCHEDULE_TOO_MANY, 409, "TOO_MANY_SCHEDULES", "This event, or the whole catalogue, has as many schedules as it can have."},
        {SCHEDULE_CHANGED_TOO_OFTEN, 429, "CHANGED_TOO_OFTEN", "This schedule has been changed too often; ask the operator."},
        {SCHEDULE_CANNOT_CHANGE, 409, "SALE_ENDED", "The sale of this schedule has ended or was cancelled; it cannot be changed any more."},
        {SCHEDULE_OPENING_FIXED, 409, "OPENING_FIXED", "The sale is open; opensAt and lobbyOpensAt can no longer be changed."},
        {SCHEDULE_PRICES_FIXED, 409, "PRICES_FIXED", "The sale is open; prices can be changed only before."},
        {SCHEDULE_ENDS_BEFORE_OPENING, 422, "ENDS_BEFORE_OPENING",
         "The sale has to end after it opens: endsAt (or startsAt, if endsAt is not given) must be later than opensAt."},
        {SCHEDULE_ENDS_IN_PAST, 422, "ENDS_IN_PAST",
         "The end of the sale (endsAt, or startsAt if that is not given) must be in the future."},
        {SCHEDULE_LOBBY_AFTER_OPENING, 422, "LOBBY_AFTER_OPENING", "line.lobbyOpensAt must not be later than opensAt."},
        {SCHEDULE_CATEGORY_UNKNOWN, 422, "CATEGORY_UNKNOWN", "grades: each category must be one of the plan's; GET the plan to see them."},
        {SCHEDULE_CATEGORY_TWICE, 422, "CATEGORY_TWICE", "grades: a category may have one price only."},
        {SCHEDULE_CATEGORY_NOT_FOR_SALE, 422, "CATEGORY_NOT_FOR_SALE",
         "grades: a category that was not for sale when the schedule was created cannot be put on sale by a price."},
        {0},
};

/* The schedule after a command, or the command's refusal. */
static void answer_schedule(struct request *request, int status, int outcome, schedule_id id) {
        struct event_service *service = request->service;
        if (outcome != SCHEDULE_ACCEPTED) {
                event_answer_problem(request, schedule_problems, outcome);
                return;
        }
        struct catalogue_body *body = NULL;
        int r = catalogue_schedule(&service->catalogue, id, event_now(service), &body);
        event_answer_made(request, status, r, body);
}

static bool take_body(struct request *request, const struct json_field *fields, struct schedule_body *body) {
        schedule_wish_init(&body->wish);
        if (!desk_read_body(request, fields, body))
                return false;
        body->wish.grades = body->grades.items;
        body->wish.grade_count = body->grades.count;
        return true;
}

/* --- POST /api/v1/events/{eventId}/schedules --- */

static void schedule_create_answer(struct request *request, struct lane_command *command) {
        answer_schedule(request, 201, command->outcome, ((struct schedule_create_command *)(void *)command)->id);
}

/* The first time's schedule may not be in memory with its plan yet, when the key of a retry is older than this start. */
static void schedule_create_loaded(struct request *request, struct lane_command *command) {
        if (command->outcome == SCHEDULE_LOADED)
                answer_schedule(request, 201, SCHEDULE_ACCEPTED, ((struct schedule_load_command *)(void *)command)->id);
        else
                desk_answer_fault(request, FAULT_FORMAT);
}

static void schedule_created(struct request *request, struct lane_command *command) {
        struct event_service *service = request->service;
        schedule_id id = ((struct schedule_create_command *)(void *)command)->id;
        if (command->outcome != SCHEDULE_ACCEPTED || event_schedule_peek(service, id)) {
                schedule_create_answer(request, command);
                return;
        }
        struct schedule_load_command *load = desk_open(request, &schedule_load_kind, service, sizeof *load, schedule_create_loaded);
        if (!load)
                return;
        load->id = id;
        desk_submit(service->lane, &load->lane);
}

static void schedule_create_ask(void *context, struct request *request) {
        struct event_service *service = context;
        struct schedule_body body = {.currency = TEXT("KRW")};
        struct idempotency idempotency;
        event_id event = desk_path_id(request, 0, ID_EVENT);
        if (!event || !desk_idempotency(request, &idempotency) || !take_body(request, create_fields, &body))
                return;
        if (!currency_is_sound(body.currency)) {
                edge_answer_problem(request, 400, "INVALID_BODY", "currency: must be three capital letters, such as KRW", 0);
                return;
        }
        struct schedule_create_command *command =
                desk_open(request, &schedule_create_kind, service, sizeof *command, schedule_created);
        if (!command)
                return;
        command->caller = event_caller_of(request);
        command->idempotency = idempotency;
        command->event = event;
        command->plan = body.plan;
        command->wish = body.wish;
        memcpy(command->currency, body.currency.at, body.currency.length);
        event_draw_seed(service, command);
        desk_submit(service->lane, &command->lane);
}

/* --- GET /api/v1/schedules/{scheduleId} --- */

static void schedule_loaded(struct request *request, struct lane_command *command) {
        struct event_service *service = request->service;
        struct catalogue_body *body = NULL;
        schedule_id id = ((struct schedule_load_command *)(void *)command)->id;
        int r = command->outcome == SCHEDULE_LOADED ? catalogue_schedule(&service->catalogue, id, event_now(service), &body) : FAULT_FORMAT;
        if (r == CATALOGUE_FOUND)
                event_answer_body(request, body);
        else
                desk_answer_fault(request, r);
}

static void schedule_get_ask(void *context, struct request *request) {
        struct event_service *service = context;
        schedule_id id = desk_path_id(request, 0, ID_SCHEDULE);
        if (!id)
                return;
        struct catalogue_body *body = NULL;
        int r = catalogue_schedule(&service->catalogue, id, event_now(service), &body);
        if (r == CATALOGUE_FOUND) {
                event_answer_body(request, body);
        } else if (r == CATALOGUE_UNKNOWN) {
                desk_not_found(request);
        } else if (r < 0) {
                desk_answer_fault(request, r);
        } else {
                struct schedule_load_command *load = desk_open(request, &schedule_load_kind, service, sizeof *load, schedule_loaded);
                if (!load)
                        return;
                load->id = id;
                desk_submit(service->lane, &load->lane);
        }
}

/* --- PATCH /api/v1/schedules/{scheduleId}, PUT …/controls --- */

static void schedule_change_answer(struct request *request, struct lane_command *command) {
        answer_schedule(request, 200, command->outcome, ((struct schedule_change_command *)(void *)command)->id);
}

static void schedule_change_ask(void *context, struct request *request) {
        struct event_service *service = context;
        struct schedule_body body = {0};
        schedule_id id = desk_path_id(request, 0, ID_SCHEDULE);
        if (!id || !take_body(request, change_fields, &body))
                return;
        struct schedule_change_command *command =
                desk_open(request, &schedule_change_kind, service, sizeof *command, schedule_change_answer);
        if (!command)
                return;
        command->caller = event_caller_of(request);
        command->id = id;
        command->wish = body.wish;
        desk_submit(service->lane, &command->lane);
}

static void schedule_control_answer(struct request *request, struct lane_command *command) {
        answer_schedule(request, 200, command->outcome, ((struct schedule_control_command *)(void *)command)->id);
}

struct controls { bool admission_paused, sale_paused; };

static void schedule_control_ask(void *context, struct request *request) {
        static const struct json_field fields[] = {
                {.name = "admissionPaused", .type = JSON_BOOL, .offset = offsetof(struct controls, admission_paused)},
                {.name = "salePaused", .type = JSON_BOOL, .offset = offsetof(struct controls, sale_paused)},
                {0},
        };
        struct event_service *service = context;
        struct controls controls;
        schedule_id id = desk_path_id(request, 0, ID_SCHEDULE);
        if (!id || !desk_read_body(request, fields, &controls))
                return;
        struct schedule_control_command *command =
                desk_open(request, &schedule_control_kind, service, sizeof *command, schedule_control_answer);
        if (!command)
                return;
        command->caller = event_caller_of(request);
        command->id = id;
        command->admission_paused = controls.admission_paused;
        command->sale_paused = controls.sale_paused;
        desk_submit(service->lane, &command->lane);
}

void schedule_add_routes(struct event_service *service, struct edge *edge) {
        static const struct route routes[] = {
                {"createSchedule", HTTP_POST, "/api/v1/events/{eventId}/schedules", ACCESS_ORGANISER, LIMIT_COMMAND, EVENT_BODY_MAX,
                 schedule_create_ask},
                {"getSchedule", HTTP_GET, "/api/v1/schedules/{scheduleId}", ACCESS_PUBLIC, LIMIT_NONE, 0, schedule_get_ask},
                {"changeSchedule", HTTP_PATCH, "/api/v1/schedules/{scheduleId}", ACCESS_ORGANISER, LIMIT_COMMAND, EVENT_BODY_MAX,
                 schedule_change_ask},
                {"controlSchedule", HTTP_PUT, "/api/v1/schedules/{scheduleId}/controls", ACCESS_ORGANISER, LIMIT_COMMAND, EVENT_BODY_MAX,
                 schedule_control_ask},
        };
        for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
                edge_add_route(edge, &routes[i], service);
}
