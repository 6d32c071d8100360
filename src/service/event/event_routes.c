/* event_routes.c: events over HTTP. Reads are answered on the loop from the catalogue, without the lane. */
#include "service/event/event_routes.h"

#include "base/assert.h"

enum { QUERY_BYTES_MAX = 512 };

/* --- what all of them share --- */

void event_answer_problem(struct request *request, const struct event_problem *problems, int outcome) {
        while (problems->outcome && problems->outcome != outcome)
                problems++;
        PRE(problems->outcome);
        if (problems->status == 404)
                desk_not_found(request);
        else
                edge_answer_problem(request, problems->status, problems->code, problems->detail, problems->status == 429 ? 60 : 0);
}

void event_answer_body(struct request *request, struct catalogue_body *body) {
        bool gzip = body->gzip.length > 0 && edge_accepts_gzip(request);
        struct text etag = text_of(gzip ? body->gzip_etag : body->etag);
        const struct answer_header headers[] = {
                {"ETag", etag},
                {"Cache-Control", TEXT("no-cache")},
                {"Vary", TEXT("Accept-Encoding")},
                {"Content-Encoding", TEXT("gzip")},
        };
        if (!edge_answer_not_modified(request, etag))
                edge_answer(request, 200, "application/json", gzip ? body->gzip : body->plain, headers, gzip ? 4 : 3);
        catalogue_release(body);
}

void event_answer_made(struct request *request, int status, int r, struct catalogue_body *body) {
        if (r < 0) {
                desk_answer_fault(request, r);
                return;
        }
        PRE(r == CATALOGUE_FOUND);
        edge_answer(request, status, "application/json", body->plain, NULL, 0);
        catalogue_release(body);
}

static void answer_read(struct request *request, int r, struct catalogue_body *body) {
        if (r < 0)
                desk_answer_fault(request, r);
        else if (r == CATALOGUE_FOUND)
                event_answer_body(request, body);
        else
                desk_not_found(request);
}

/* --- POST /api/v1/events, PATCH /api/v1/events/{eventId} --- */

static void event_create_answer(struct request *request, struct lane_command *command) {
        static const struct event_problem problems[] = {
                EVENT_KEY_PROBLEM,
                {EVENT_TOO_MANY, 409, "TOO_MANY_EVENTS", "The catalogue is full; ask the operator."},
                {0},
        };
        struct event_service *service = request->service;
        const struct event_create_command *made = (const struct event_create_command *)(void *)command;
        if (command->outcome != EVENT_IS_CREATED) {
                event_answer_problem(request, problems, command->outcome);
                return;
        }
        struct catalogue_body *body = NULL;
        int r = catalogue_event(&service->catalogue, made->id, event_now(service), &body);
        event_answer_made(request, 201, r, body);
}

static void event_create_ask(void *context, struct request *request) {
        static const struct json_field fields[] = {
                {"title", JSON_TEXT, .offset = offsetof(struct event_words, title), .min = 1, .max = TITLE_CODE_POINTS_MAX},
                {"description", JSON_TEXT, .optional = true, .offset = offsetof(struct event_words, description),
                 .max = DESCRIPTION_CODE_POINTS_MAX},
                {"city", JSON_TEXT, .offset = offsetof(struct event_words, city), .min = 1, .max = NAME_CODE_POINTS_MAX},
                {"category", JSON_TEXT, .offset = offsetof(struct event_words, category), .min = 1, .max = NAME_CODE_POINTS_MAX},
                {0},
        };
        struct event_service *service = context;
        struct event_words words = {0};
        struct idempotency idempotency;
        if (!desk_idempotency(request, &idempotency) || !desk_read_body(request, fields, &words))
                return;
        struct event_create_command *command =
                desk_open(request, &event_create_kind, service, sizeof *command, event_create_answer);
        if (!command)
                return;
        command->caller = event_caller_of(request);
        command->idempotency = idempotency;
        command->words = words;
        desk_submit(service->lane, &command->lane);
}

static void event_change_answer(struct request *request, struct lane_command *command) {
        struct event_service *service = request->service;
        const struct event_change_command *change = (const struct event_change_command *)(void *)command;
        if (command->outcome != EVENT_CHANGED) {
                desk_not_found(request);
                return;
        }
        struct catalogue_body *body = NULL;
        int r = catalogue_event(&service->catalogue, change->id, event_now(service), &body);
        event_answer_made(request, 200, r, body);
}

static void event_change_ask(void *context, struct request *request) {
        static const struct json_field fields[] = {
                {"title", JSON_TEXT, .optional = true, .offset = offsetof(struct event_words, title), .min = 1,
                 .max = TITLE_CODE_POINTS_MAX},
                {"description", JSON_TEXT, .optional = true, .offset = offsetof(struct event_words, description),
                 .max = DESCRIPTION_CODE_POINTS_MAX},
                {"city", JSON_TEXT, .optional = true, .offset = offsetof(struct event_words, city), .min = 1, .max = NAME_CODE_POINTS_MAX},
                {"category", JSON_TEXT, .optional = true, .offset = offsetof(struct event_words, category), .min = 1,
                 .max = NAME_CODE_POINTS_MAX},
                {0},
        };
        struct event_service *service = context;
        struct event_words words = {0};
        event_id id = desk_path_id(request, 0, ID_EVENT);
        if (!id || !desk_read_body(request, fields, &words))
                return;
        struct event_change_command *command =
                desk_open(request, &event_change_kind, service, sizeof *command, event_change_answer);
        if (!command)
                return;
        command->caller = event_caller_of(request);
        command->id = id;
        command->words = words;
        desk_submit(service->lane, &command->lane);
}

/* --- GET /api/v1/events?city=&q=&limit=&cursor= --- */

/* False: answered 400. */
static bool take_query(struct request *request, const char *name, char out[static QUERY_BYTES_MAX], struct text *ret_value) {
        struct text value = {0};
        int r = http_query_value(request->head.query, name, out, QUERY_BYTES_MAX, &value);
        if (r < 0 || !text_is_utf8(value)) {
                edge_answer_problem(request, 400, "INVALID_QUERY", "city and q may each be given once, as UTF-8 of at most 512 bytes.", 0);
                return false;
        }
        *ret_value = value;
        return true;
}

static void fold(char *at, size_t n) {
        for (size_t i = 0; i < n; i++) {
                if (at[i] >= 'A' && at[i] <= 'Z')
                        at[i] = (char)(at[i] + ('a' - 'A'));
        }
}

static void event_list_ask(void *context, struct request *request) {
        struct event_service *service = context;
        if (request->head.query.length == 0) {
                struct catalogue_body *body = NULL;
                int r = catalogue_first_page(&service->catalogue, &body);
                answer_read(request, r, body);
                return;
        }
        char city[QUERY_BYTES_MAX], words[QUERY_BYTES_MAX];
        struct event_query query = {0};
        if (!desk_page(request, ID_EVENT, &query.limit, &query.before) || !take_query(request, "city", city, &query.city) ||
            !take_query(request, "q", words, &query.words))
                return;
        fold(words, query.words.length);
        edge_json(request);
        catalogue_list(&service->catalogue, &query, &request->body_out);
        edge_answer_json(request, 200);
}

/* --- GET /api/v1/events/{eventId}, …/schedules --- */

static void event_get_ask(void *context, struct request *request) {
        struct event_service *service = context;
        event_id id = desk_path_id(request, 0, ID_EVENT);
        if (!id)
                return;
        struct catalogue_body *body = NULL;
        int r = catalogue_event(&service->catalogue, id, event_now(service), &body);
        answer_read(request, r, body);
}

static void event_schedules_ask(void *context, struct request *request) {
        struct event_service *service = context;
        event_id id = desk_path_id(request, 0, ID_EVENT);
        if (!id)
                return;
        struct catalogue_body *body = NULL;
        int r = catalogue_event_schedules(&service->catalogue, id, event_now(service), &body);
        answer_read(request, r, body);
}

void event_add_routes(struct event_service *service, struct edge *edge) {
        static const struct route routes[] = {
                {"createEvent", HTTP_POST, "/api/v1/events", ACCESS_ORGANISER, LIMIT_COMMAND, EVENT_BODY_MAX, event_create_ask},
                {"changeEvent", HTTP_PATCH, "/api/v1/events/{eventId}", ACCESS_ORGANISER, LIMIT_COMMAND, EVENT_BODY_MAX, event_change_ask},
                {"listEvents", HTTP_GET, "/api/v1/events", ACCESS_PUBLIC, LIMIT_NONE, 0, event_list_ask},
                {"getEvent", HTTP_GET, "/api/v1/events/{eventId}", ACCESS_PUBLIC, LIMIT_NONE, 0, event_get_ask},
                {"listSchedules", HTTP_GET, "/api/v1/events/{eventId}/schedules", ACCESS_PUBLIC, LIMIT_NONE, 0, event_schedules_ask},
        };
        for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
                edge_add_route(edge, &routes[i], service);
        venue_add_routes(service, edge);
        plan_add_routes(service, edge);
        schedule_add_routes(service, edge);
}
