/* event_store.h: the SQL of the event service, and its rows. */
#ifndef TICKETRUSH_SERVICE_EVENT_STORE_H
#define TICKETRUSH_SERVICE_EVENT_STORE_H

#include "base/arena.h"
#include "port/db.h"
#include "service/event/event.h"

struct venue {
        venue_id id;
        account_id owner;
        struct text name, address, city;
        int64_t created_at;
};

/* A row of table plan. */
struct plan_entry {
        plan_id id;
        venue_id venue;
        account_id owner;
        struct text name;
        bool by_uuid;
        uint32_t seat_count;
        struct text document; /* as it was sent */
        struct text compiled; /* plan_pack: a cache of the document */
        struct text summary;  /* plan_describe as JSON */
        int64_t created_at;
};

struct event_words { struct text title, description, city, category; };

/* A row of table event, in one piece of memory with its words. */
struct event_record {
        event_id id;
        account_id owner;
        int64_t created_at;
        struct event_words words;
        struct text folded; /* title, city and category in lower case, for searching; event_record_new makes it */
        struct event_record *next; /* of those that a turn has staged */
};

/* A row of table schedule. schedule.plan is not the row's: whoever has the plan sets it. */
struct schedule_record {
        struct schedule schedule;
        plan_id plan;
        int64_t created_at;
        struct schedule_record *older; /* the catalogue's: versions before this one */
        struct schedule_record *next;  /* of those that a turn has staged */
};

/* The row that was created with this key, if there is one: *ret_id 0 or its id, and the body's fingerprint. */
enum event_table { TABLE_VENUE, TABLE_PLAN, TABLE_EVENT, TABLE_SCHEDULE };
int store_find_key(struct db *db, enum event_table table, uint64_t key, uint64_t *ret_id, uint64_t *ret_fingerprint);

int store_insert_venue(struct db *db, const struct venue *venue, struct idempotency idempotency);
/* *ret_found; texts are copied into the arena. */
int store_select_venue(struct db *db, venue_id id, struct arena *arena, struct venue *ret_venue, bool *ret_found);
int store_list_venues(struct db *db, account_id owner, venue_id after, struct arena *arena, struct venue *venues, unsigned capacity,
                      unsigned *ret_count);

int store_insert_plan(struct db *db, const struct plan_entry *plan, struct idempotency idempotency);
/* Without document and compiled. */
int store_select_plan(struct db *db, plan_id id, struct arena *arena, struct plan_entry *ret_plan, bool *ret_found);
/* The plan itself, from its compiled form or else from its document; *ret_plan NULL: there is none. */
int store_load_plan(struct db *db, plan_id id, struct plan **ret_plan);

/* malloc; NULL without memory. */
struct event_record *event_record_new(const struct event_record *event);
int store_insert_event(struct db *db, const struct event_record *event, struct idempotency idempotency);
int store_update_event(struct db *db, const struct event_record *event);
/* Calls back with records that are valid during the call. id 0: all, in the order of ids. */
int store_select_events(struct db *db, event_id id, int (*each)(void *context, const struct event_record *event), void *context);

int store_insert_schedule(struct db *db, const struct schedule_record *record, struct idempotency idempotency);
/* What can change. */
int store_update_schedule(struct db *db, const struct schedule_record *record);
int store_select_schedules(struct db *db, schedule_id id, int (*each)(void *context, const struct schedule_record *record), void *context);

#endif
