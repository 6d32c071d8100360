/* event_catalogue.h: events and schedules as the last commit left them, in memory, and the answers about them, ready.
 *
 * All events and schedules (not their plans, which are loaded when first used) are here from the start. The lane's
 * thread alone changes the catalogue: it takes a place for what it is going to store (which may fail), and fills it after
 * the commit (which may not). Edges read.
 *
 *   lock     events, bodies: whoever finds a body stale or missing builds it, the others wait that long
 *   peeking  schedule entries and their records: a reader's lock, as every hold looks a schedule up
 *   A change takes both, lock first. The lane's thread reads without any.
 *
 * An entry whose record is NULL is a place taken: for readers it is not there. A schedule's old records stay until the
 * end (at most SCHEDULE_CHANGES_MAX of each): others hold pointers to them. */
#ifndef TICKETRUSH_SERVICE_EVENT_CATALOGUE_H
#define TICKETRUSH_SERVICE_EVENT_CATALOGUE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buffer.h"
#include "base/map.h"
#include "service/event/event_store.h"

enum { ETAG_MAX = 32 };

/* An answer that is ready: it never changes; who holds it gives it back. */
struct catalogue_body {
        _Atomic unsigned holders;
        int64_t fresh_until; /* ms: then a state in it changes by itself */
        struct text plain, gzip; /* gzip.length 0: not worth it */
        char etag[ETAG_MAX], gzip_etag[ETAG_MAX];
};

struct schedule_entry {
        struct schedule_record *record;
        unsigned versions;
        struct event_entry *event;
        struct schedule_entry *next; /* of the event */
        struct catalogue_body *body;
};

struct event_entry {
        struct event_record *record;
        struct event_entry *older;
        struct schedule_entry *first, *last;
        unsigned schedule_count; /* with places taken */
        struct catalogue_body *body, *schedules_body;
};

struct catalogue {
        pthread_mutex_t lock;
        pthread_rwlock_t peeking;
        struct map events, schedules; /* id → entry */
        struct event_entry *newest;
        struct catalogue_body *first_page;
};

int catalogue_init(struct catalogue *catalogue);
void catalogue_deinit(struct catalogue *catalogue);

/* --- the lane's thread --- */

/* A place for a new one: 0 or fault. The event's schedule needs the event's place. */
int catalogue_place_event(struct catalogue *catalogue, event_id id);
int catalogue_place_schedule(struct catalogue *catalogue, schedule_id id, event_id event);
/* Gives an unfilled place back; nothing happens if it is filled or was never taken. */
void catalogue_unplace_event(struct catalogue *catalogue, event_id id);
void catalogue_unplace_schedule(struct catalogue *catalogue, schedule_id id);
/* Fills a place, or replaces what is there. The record is the catalogue's from here on. */
void catalogue_publish_event(struct catalogue *catalogue, struct event_record *record);
void catalogue_publish_schedule(struct catalogue *catalogue, struct schedule_record *record);
/* The plan of a record that was published without one. */
void catalogue_set_plan(struct catalogue *catalogue, struct schedule_record *record, const struct plan *plan);
/* NULL: there is none. */
struct event_entry *catalogue_event_entry(const struct catalogue *catalogue, event_id id);
struct schedule_entry *catalogue_schedule_entry(const struct catalogue *catalogue, schedule_id id);

/* --- any thread --- */

/* NULL: unknown, or its plan is not loaded. */
const struct schedule *catalogue_peek(struct catalogue *catalogue, schedule_id id);

enum catalogue_outcome { CATALOGUE_FOUND = 1, CATALOGUE_UNKNOWN, CATALOGUE_NOT_LOADED };
/* CATALOGUE_FOUND: *ret_body is held by the caller. NOT_LOADED: the schedule's plan has to be loaded by the lane first. */
int catalogue_event(struct catalogue *catalogue, event_id id, int64_t now, struct catalogue_body **ret_body);
int catalogue_event_schedules(struct catalogue *catalogue, event_id id, int64_t now, struct catalogue_body **ret_body);
int catalogue_schedule(struct catalogue *catalogue, schedule_id id, int64_t now, struct catalogue_body **ret_body);
/* The newest events, PAGE_DEFAULT of them. */
int catalogue_first_page(struct catalogue *catalogue, struct catalogue_body **ret_body);
void catalogue_release(struct catalogue_body *body);

struct event_query {
        struct text city;  /* the whole city, ASCII case ignored; length 0: any */
        struct text words; /* in lower case, somewhere in title, city or category; length 0: any */
        event_id before;   /* the last one seen; 0: from the newest */
        unsigned limit;
};
/* {"events":[…],"nextCursor":…}, newest first. */
void catalogue_list(struct catalogue *catalogue, const struct event_query *query, struct buffer *out);

#endif
