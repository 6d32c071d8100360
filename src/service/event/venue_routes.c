/* venue_routes.c: venues over HTTP. */
#include "service/event/event_routes.h"

#include "base/assert.h"

enum { ADDRESS_CODE_POINTS_MAX = 300 };

static void write_venue(struct json_writer *json, const struct venue *venue) {
        json_object(json, NULL);
        json_id(json, "venueId", ID_VENUE, venue->id);
        json_text(json, "name", venue->name);
        json_text(json, "address", venue->address);
        json_text(json, "city", venue->city);
        json_time(json, "createdAt", venue->created_at);
        json_object_end(json);
}

static void venue_create_answer(struct request *request, struct lane_command *command) {
        static const struct event_problem problems[] = {EVENT_KEY_PROBLEM, {0}};
        if (command->outcome != VENUE_CREATED) {
                event_answer_problem(request, problems, command->outcome);
                return;
        }
        struct json_writer json = edge_json(request);
        write_venue(&json, &((struct venue_create_command *)(void *)command)->venue);
        edge_answer_json(request, 201);
}

static void venue_create_ask(void *context, struct request *request) {
        static const struct json_field fields[] = {
                {"name", JSON_TEXT, .offset = offsetof(struct venue, name), .min = 1, .max = TITLE_CODE_POINTS_MAX},
                {"address", JSON_TEXT, .offset = offsetof(struct venue, address), .min = 1, .max = ADDRESS_CODE_POINTS_MAX},
                {"city", JSON_TEXT, .offset = offsetof(struct venue, city), .min = 1, .max = NAME_CODE_POINTS_MAX},
                {0},
        };
        struct event_service *service = context;
        struct venue venue = {0};
        struct idempotency idempotency;
        if (!desk_idempotency(request, &idempotency) || !desk_read_body(request, fields, &venue))
                return;
        struct venue_create_command *command =
                desk_open(request, &venue_create_kind, service, sizeof *command, venue_create_answer);
        if (!command)
                return;
        command->caller = event_caller_of(request);
        command->idempotency = idempotency;
        command->memory = &request->arena;
        command->venue = venue;
        desk_submit(service->lane, &command->lane);
}

static void venue_get_answer(struct request *request, struct lane_command *command) {
        if (command->outcome != VENUE_FOUND) {
                desk_not_found(request);
                return;
        }
        struct json_writer json = edge_json(request);
        write_venue(&json, &((struct venue_read_command *)(void *)command)->venue);
        edge_answer_json(request, 200);
}

static void venue_get_ask(void *context, struct request *request) {
        struct event_service *service = context;
        venue_id id = desk_path_id(request, 0, ID_VENUE);
        if (!id)
                return;
        struct venue_read_command *command = desk_open(request, &venue_read_kind, service, sizeof *command, venue_get_answer);
        if (!command)
                return;
        command->caller = event_caller_of(request);
        command->memory = &request->arena;
        command->venue.id = id;
        desk_submit(service->lane, &command->lane);
}

static void venue_list_answer(struct request *request, struct lane_command *command) {
        const struct venue_list_command *list = (const struct venue_list_command *)(void *)command;
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_array(&json, "venues");
        for (unsigned i = 0; i < list->count; i++)
                write_venue(&json, &list->venues[i]);
        json_array_end(&json);
        json_id(&json, "nextCursor", ID_VENUE, list->more ? list->venues[list->count - 1].id : 0);
        json_object_end(&json);
        edge_answer_json(request, 200);
}

static void venue_list_ask(void *context, struct request *request) {
        struct event_service *service = context;
        unsigned limit;
        uint64_t after;
        if (!desk_page(request, ID_VENUE, &limit, &after))
                return;
        struct venue_list_command *command = desk_open(request, &venue_list_kind, service, sizeof *command, venue_list_answer);
        if (!command)
                return;
        command->caller = event_caller_of(request);
        command->memory = &request->arena;
        command->limit = limit;
        command->after = after;
        desk_submit(service->lane, &command->lane);
}

void venue_add_routes(struct event_service *service, struct edge *edge) {
        static const struct route routes[] = {
                {"createVenue", HTTP_POST, "/api/v1/venues", ACCESS_ORGANISER, LIMIT_COMMAND, EVENT_BODY_MAX, venue_create_ask},
                {"getVenue", HTTP_GET, "/api/v1/venues/{venueId}", ACCESS_ORGANISER, LIMIT_COMMAND, 0, venue_get_ask},
                {"listVenues", HTTP_GET, "/api/v1/venues", ACCESS_ORGANISER, LIMIT_COMMAND, 0, venue_list_ask},
        };
        for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
                edge_add_route(edge, &routes[i], service);
}
