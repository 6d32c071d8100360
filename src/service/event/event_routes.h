/* event_routes.h: what the routes of the event service share. */
#ifndef TICKETRUSH_SERVICE_EVENT_ROUTES_H
#define TICKETRUSH_SERVICE_EVENT_ROUTES_H

#include "service/desk.h"
#include "service/event/event_service.h"
#include "service/gateway/gateway.h"

enum { EVENT_BODY_MAX = 65536 };

static inline struct event_caller event_caller_of(const struct request *request) {
        return (struct event_caller){request->caller.account, (enum role)request->caller.role};
}

static inline int64_t event_now(const struct event_service *service) {
        return service->clock->now_ms(service->clock);
}

/* An outcome and the problem it is answered with; a list ends with outcome 0. */
struct event_problem { int outcome, status; const char *code, *detail; };
void event_answer_problem(struct request *request, const struct event_problem *problems, int outcome);
/* 422: the Idempotency-Key came with another body before. */
#define EVENT_KEY_PROBLEM                                                                                        \
        {EVENT_KEY_REUSED, 422, "IDEMPOTENCY_KEY_REUSED",                                                        \
         "This Idempotency-Key was used with another request before; use a new key for a new request."}

void venue_add_routes(struct event_service *service, struct edge *edge);
void plan_add_routes(struct event_service *service, struct edge *edge);
void schedule_add_routes(struct event_service *service, struct edge *edge);

/* Catalogue answers: with ETag, compressed when that is wanted; gives the body back. */
void event_answer_body(struct request *request, struct catalogue_body *body);
/* The same body as the answer to a command: r of catalogue_…, FOUND is answered with the status. */
void event_answer_made(struct request *request, int status, int r, struct catalogue_body *body);

#endif
