/* plan_routes.c: seating plans over HTTP.
 *
 *   create   loop: who, which venue → worker: read and check the plan, compile it → lane: insert → loop: answer
 *
 * Reading a large plan takes most of a second, so a worker does it. What it makes stands in the request's arena, which
 * belongs to one of them at a time. */
#include "service/event/event_routes.h"

#include "base/assert.h"
#include "lane/workers.h"
#include "service/event/plan_memory.h"

#include <stdlib.h>

enum { COMPILED_BYTES_MAX = 64 * 1024 * 1024, SUMMARY_BYTES_MAX = 4 * 1024 * 1024 };

/* {"planId":…,"venueId":…,"identity":…,"createdAt":…, and the summary's own members} */
static void answer_plan(struct request *request, int status, const struct plan_entry *plan) {
        struct buffer *out = &request->body_out;
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_id(&json, "planId", ID_PLAN, plan->id);
        json_id(&json, "venueId", ID_VENUE, plan->venue);
        json_string(&json, "identity", plan->by_uuid ? "uuid" : "guid");
        json_time(&json, "createdAt", plan->created_at);
        json_object_end(&json);
        if (!out->overflowed) {
                out->at[out->length - 1] = ',';
                buffer_add(out, plan->summary.at + 1, plan->summary.length - 1);
        }
        edge_answer_json(request, status);
}

/* --- POST /api/v1/venues/{venueId}/plans --- */

struct plan_ask {
        struct plan_create_command create;
        struct worker_job job;
        struct event_service *service;
        struct plan_problems problems; /* malloc: from the worker to plan_refused */
};

/* "path: reason" in two members. */
static void write_problem(struct json_writer *json, const char *line) {
        const char *colon = strstr(line, ": ");
        json_object(json, NULL);
        json_text(json, "path", (struct text){line, colon ? (size_t)(colon - line) : 0});
        json_string(json, "reason", colon ? colon + 2 : line);
        json_object_end(json);
}

static void plan_refused(struct request *request, struct lane_command *command) {
        struct plan_ask *ask = (struct plan_ask *)(void *)command;
        unsigned kept = ask->problems.count < PLAN_PROBLEMS_MAX ? ask->problems.count : PLAN_PROBLEMS_MAX;
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_string(&json, "type", "about:blank");
        json_string(&json, "title", "Unprocessable Content");
        json_number(&json, "status", 422);
        json_string(&json, "code", "PLAN_REFUSED");
        json_string(&json, "detail", "The seating plan has mistakes, which are listed in problems. Correct them and send it again; "
                                     "if seat_guid is repeated, ?identity=uuid takes the seats' uuid in its place.");
        json_text(&json, "traceId", (struct text){request->trace, EDGE_TRACE_LENGTH});
        json_number(&json, "problemCount", ask->problems.count);
        json_array(&json, "problems");
        for (unsigned i = 0; i < kept; i++)
                write_problem(&json, ask->problems.lines[i]);
        json_array_end(&json);
        json_object_end(&json);
        plan_problems_deinit(&ask->problems);
        edge_answer(request, 422, "application/problem+json", buffer_text(&request->body_out), NULL, 0);
}

static void plan_create_answer(struct request *request, struct lane_command *command) {
        static const struct event_problem problems[] = {EVENT_KEY_PROBLEM, {PLAN_VENUE_UNKNOWN, 404, NULL, NULL}, {0}};
        if (command->outcome == PLAN_CREATED)
                answer_plan(request, 201, &((struct plan_create_command *)(void *)command)->plan);
        else
                event_answer_problem(request, problems, command->outcome);
}

/* What a writer appends, copied into the arena. */
static int keep(struct arena *arena, struct buffer *written, struct text *ret_text) {
        struct text text = buffer_text(written);
        text.at = written->overflowed ? NULL : arena_copy(arena, text);
        buffer_deinit(written);
        if (!text.at)
                return -ENOMEM;
        *ret_text = text;
        return 0;
}

static int compile(struct plan_entry *into, const struct plan *plan, struct arena *arena) {
        struct buffer compiled, summary;
        buffer_init(&compiled, COMPILED_BYTES_MAX);
        plan_pack(plan, &compiled);
        int fault = keep(arena, &compiled, &into->compiled);
        if (fault)
                return fault;
        buffer_init(&summary, SUMMARY_BYTES_MAX);
        plan_describe(plan, &summary, true);
        fault = keep(arena, &summary, &into->summary);
        if (fault)
                return fault;
        into->seat_count = plan->seat_count;
        into->name = (struct text){arena_copy(arena, text_of(plan->name)), strlen(plan->name)};
        return into->name.at ? 0 : -ENOMEM;
}

static void plan_create_read(struct worker_job *job) {
        struct plan_ask *ask = (struct plan_ask *)(void *)((char *)job - offsetof(struct plan_ask, job));
        struct plan_create_command *create = &ask->create;
        struct plan *plan = NULL;
        int r = plan_read(&plan, &ask->problems, create->plan.document, create->plan.by_uuid);
        if (r == PLAN_OK)
                create->lane.fault = compile(&create->plan, plan, create->memory);
        else if (r < 0)
                create->lane.fault = r;
        plan_free(plan);
        if (r == PLAN_REFUSED)
                desk_return(&create->lane, plan_refused);
        else if (create->lane.fault)
                desk_return(&create->lane, NULL);
        else
                desk_submit(ask->service->lane, &create->lane);
}

/* False: answered 400. */
static bool take_identity(struct request *request, bool *ret_by_uuid) {
        char memory[8];
        struct text value;
        int r = http_query_value(request->head.query, "identity", memory, sizeof memory, &value);
        *ret_by_uuid = r > 0 && text_equal(value, TEXT("uuid"));
        if (r == 0 || *ret_by_uuid || (r > 0 && text_equal(value, TEXT("guid"))))
                return true;
        edge_answer_problem(request, 400, "INVALID_QUERY", "identity must be guid or uuid.", 0);
        return false;
}

static void plan_create_ask(void *context, struct request *request) {
        struct event_service *service = context;
        struct idempotency idempotency;
        bool by_uuid;
        venue_id venue = desk_path_id(request, 0, ID_VENUE);
        if (!venue || !take_identity(request, &by_uuid) || !desk_idempotency(request, &idempotency))
                return;
        struct plan_ask *ask = desk_open(request, &plan_create_kind, service, sizeof *ask, plan_create_answer);
        if (!ask)
                return;
        ask->create.caller = event_caller_of(request);
        ask->create.idempotency = idempotency;
        ask->create.memory = &request->arena;
        ask->create.plan.venue = venue;
        ask->create.plan.by_uuid = by_uuid;
        ask->create.plan.document = request->body;
        ask->service = service;
        ask->job.run = plan_create_read;
        int fault = workers_submit(service->workers, &ask->job);
        if (fault)
                desk_answer_fault(request, fault);
}

/* --- GET /api/v1/plans/{planId} --- */

static void plan_get_answer(struct request *request, struct lane_command *command) {
        if (command->outcome == PLAN_FOUND)
                answer_plan(request, 200, &((struct plan_read_command *)(void *)command)->plan);
        else
                desk_not_found(request);
}

static void plan_get_ask(void *context, struct request *request) {
        struct event_service *service = context;
        plan_id id = desk_path_id(request, 0, ID_PLAN);
        if (!id)
                return;
        struct plan_read_command *command = desk_open(request, &plan_read_kind, service, sizeof *command, plan_get_answer);
        if (!command)
                return;
        command->caller = event_caller_of(request);
        command->memory = &request->arena;
        command->plan.id = id;
        desk_submit(service->lane, &command->lane);
}

void plan_add_routes(struct event_service *service, struct edge *edge) {
        static const struct route routes[] = {
                {"createPlan", HTTP_POST, "/api/v1/venues/{venueId}/plans", ACCESS_ORGANISER, LIMIT_COMMAND, PLAN_BYTES_MAX,
                 plan_create_ask},
                {"getPlan", HTTP_GET, "/api/v1/plans/{planId}", ACCESS_ORGANISER, LIMIT_COMMAND, 0, plan_get_ask},
        };
        for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
                edge_add_route(edge, &routes[i], service);
}
