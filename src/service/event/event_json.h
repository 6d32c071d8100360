/* event_json.h: how events and schedules are written for the world. */
#ifndef TICKETRUSH_SERVICE_EVENT_JSON_H
#define TICKETRUSH_SERVICE_EVENT_JSON_H

#include "base/json_writer.h"
#include "service/event/event_catalogue.h"

/* A line of a list. */
void write_event_summary(struct json_writer *json, const struct event_entry *event);
/* {"eventId":…,…,"schedules":[…]} */
void write_event(struct json_writer *json, const struct event_entry *event, int64_t now);
/* "schedules":[…] as a member. */
void write_schedules(struct json_writer *json, const struct event_entry *event, int64_t now);
/* All that the public may know; the record has its plan. */
void write_schedule(struct json_writer *json, const struct schedule_record *record, int64_t now);
/* When a state in it changes by itself; INT64_MAX: never. */
int64_t schedule_fresh_until(const struct schedule *schedule, int64_t now);
int64_t event_fresh_until(const struct event_entry *event, int64_t now);

#endif
