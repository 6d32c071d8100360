/* desk.h: carries a command from a request to the lane, and its outcome back to the request's loop.
 *
 * A route is a pair: `ask` reads the request into a command (or refuses it), `answer` turns the outcome into an answer.
 * A service knows its commands only; the desk's own memory stands hidden in front of the command:
 *
 *   struct hold_create_command { struct lane_command lane; …inputs… …outputs… };    in inventory_service.h
 *   ask:    command = desk_open(request, &hold_create_kind, inventory, sizeof *command, hold_create_answer);
 *           fill command; desk_submit(lane, &command->lane)
 *   answer: (request, lane_command *) → outcome → edge_answer…  (faults never come here: they become 503 in one place,
 *           desk_answer_fault)
 */
#ifndef TICKETRUSH_SERVICE_DESK_H
#define TICKETRUSH_SERVICE_DESK_H

#include "edge/edge.h"
#include "lane/lane.h"
#include "port/json.h"
#include "service/vocabulary.h"

typedef void (*desk_answer)(struct request *request, struct lane_command *command);

/* Zeroed memory of `size` bytes in the request's arena for a struct that begins with struct lane_command; kind, service
 * and done are set. NULL when the arena is at its limit (the request has been answered 413). */
void *desk_open(struct request *request, const struct lane_kind *kind, void *service, size_t size, desk_answer answer);
/* Submits to the lane; when it cannot take the command, the request is answered 503 with Retry-After. The request belongs
 * to the lane now. Any thread. */
void desk_submit(struct lane *lane, struct lane_command *command);
/* Gives the command back to its request's loop, which answers (with `answer`, or the one of desk_open if NULL). This is
 * what happens by itself after the lane's commit; a chain with a worker in it calls it. Any thread. */
void desk_return(struct lane_command *command, desk_answer answer);
/* The request that a command of desk_open belongs to. */
struct request *desk_request(struct lane_command *command);

/* The body into a struct; on refusal the request has been answered (400 INVALID_BODY with the path and the reason, or 415) and
 * the result is false. */
bool desk_read_body(struct request *request, const struct json_field *fields, void *into);
/* The n-th path parameter as an id; else answered 404 NOT_FOUND and 0. */
uint64_t desk_path_id(struct request *request, unsigned n, const char *prefix);
/* Idempotency-Key and body, hashed with account and operation. False: malformed or too long, answered 400. Absent: key 0. */
bool desk_idempotency(struct request *request, struct idempotency *ret_idempotency);
/* ?limit=&cursor= — cursor is an id text of `prefix`, ret_after 0 from the start. False: answered 400. */
bool desk_page(struct request *request, const char *prefix, unsigned *ret_limit, uint64_t *ret_after);
/* The same 404 for what is not there and what is somebody else's. */
void desk_not_found(struct request *request);
/* A fault as an answer: FAULT_BUSY and FAULT_STORAGE 503 with Retry-After, others 503 with an alarm in the log. */
void desk_answer_fault(struct request *request, int fault);

/* {"amount":55000,"currency":"KRW"} */
void desk_write_money(struct json_writer *json, const char *name, int64_t amount, const char *currency);

#endif
