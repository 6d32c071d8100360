/* event_service.h: the commands of the event service.
 *
 * Texts that go in stand in the request's arena; texts that come out are copied into `memory`, which is that arena too:
 * a request's memory is the lane's while its command is there. */
#ifndef TICKETRUSH_SERVICE_EVENT_SERVICE_H
#define TICKETRUSH_SERVICE_EVENT_SERVICE_H

#include "lane/lane.h"
#include "service/event/event.h"
#include "service/event/event_catalogue.h"
#include "service/event/event_rules.h"
#include "service/event/event_store.h"

/* What this turn publishes if it commits. */
struct staging {
        struct event_record *events, **events_end;
        struct schedule_record *schedules, **schedules_end;
};

struct event_service {
        struct lane *lane;
        struct clock *clock;
        struct random_source *random;
        struct workers *workers;
        struct catalogue catalogue;
        struct map plans;       /* plan id → struct plan *, loaded; the lane's */
        struct staging staging; /* the lane's */
};

/* Whose command it is. */
struct event_caller { account_id account; enum role role; };

/* Of all that creates: the key was seen with another body. Positive and above every other outcome here. */
enum { EVENT_KEY_REUSED = 100 };

enum venue_create_outcome { VENUE_CREATED = 1 };
/* in: caller, venue.name, address, city. out: venue. */
struct venue_create_command {
        struct lane_command lane;
        struct event_caller caller;
        struct idempotency idempotency;
        struct arena *memory;
        struct venue venue;
};
extern const struct lane_kind venue_create_kind;

enum venue_read_outcome { VENUE_FOUND = 1, VENUE_UNKNOWN };
struct venue_read_command { struct lane_command lane; struct event_caller caller; struct arena *memory; struct venue venue; };
extern const struct lane_kind venue_read_kind;

enum venue_list_outcome { VENUES_LISTED = 1 };
/* At most `limit` of the caller's own with ids above `after`. */
struct venue_list_command {
        struct lane_command lane;
        struct event_caller caller;
        struct arena *memory;
        uint64_t after;
        unsigned limit;
        struct venue *venues;
        unsigned count;
        bool more;
};
extern const struct lane_kind venue_list_kind;

enum plan_create_outcome { PLAN_CREATED = 1, PLAN_VENUE_UNKNOWN };
/* in: plan without id and created_at. out: plan, whose summary is that of the first time if the key was seen before. */
struct plan_create_command {
        struct lane_command lane;
        struct event_caller caller;
        struct idempotency idempotency;
        struct arena *memory;
        struct plan_entry plan;
};
extern const struct lane_kind plan_create_kind;

enum plan_read_outcome { PLAN_FOUND = 1, PLAN_UNKNOWN };
struct plan_read_command { struct lane_command lane; struct event_caller caller; struct arena *memory; struct plan_entry plan; };
extern const struct lane_kind plan_read_kind;

enum event_create_outcome { EVENT_IS_CREATED = 1, EVENT_TOO_MANY };
/* out: id; the catalogue has the rest. */
struct event_create_command {
        struct lane_command lane;
        struct event_caller caller;
        struct idempotency idempotency;
        struct event_words words;
        event_id id;
};
extern const struct lane_kind event_create_kind;

enum event_change_outcome { EVENT_CHANGED = 1, EVENT_UNKNOWN };
/* Words whose `at` is NULL stay as they are. */
struct event_change_command { struct lane_command lane; struct event_caller caller; event_id id; struct event_words words; };
extern const struct lane_kind event_change_kind;

/* Outcomes of enum schedule_outcome, and: */
enum { SCHEDULE_EVENT_UNKNOWN = 50, SCHEDULE_PLAN_UNKNOWN, SCHEDULE_UNKNOWN, SCHEDULE_TOO_MANY, SCHEDULE_CHANGED_TOO_OFTEN };
/* out: id; the catalogue has the rest. */
struct schedule_create_command {
        struct lane_command lane;
        struct event_caller caller;
        struct idempotency idempotency;
        event_id event;
        plan_id plan;
        struct schedule_wish wish;
        char currency[4];
        uint8_t draw_seed[32], draw_commitment[32];
        schedule_id id;
};
extern const struct lane_kind schedule_create_kind;

struct schedule_change_command {
        struct lane_command lane;
        struct event_caller caller;
        schedule_id id;
        struct schedule_wish wish;
};
extern const struct lane_kind schedule_change_kind;

struct schedule_control_command {
        struct lane_command lane;
        struct event_caller caller;
        schedule_id id;
        bool admission_paused, sale_paused;
};
extern const struct lane_kind schedule_control_kind;

enum schedule_load_outcome { SCHEDULE_LOADED = 1, SCHEDULE_NOT_THERE };
/* Brings a schedule's plan into memory, for edges. */
struct schedule_load_command { struct lane_command lane; schedule_id id; };
extern const struct lane_kind schedule_load_kind;

/* Fills the seed and its commitment. Any thread. */
void event_draw_seed(struct event_service *service, struct schedule_create_command *command);

#endif
