/* event_catalogue.c: see event_catalogue.h. */
#include "service/event/event_catalogue.h"

#include "base/assert.h"
#include "port/gzip.h"
#include "service/event/event_json.h"

#include <stdio.h>
#include <stdlib.h>

enum { BODY_BYTES_MAX = 16 * 1024 * 1024, GZIP_BYTES_MIN = 512, GZIP_LEVEL = 6 };

/* --- locks --- */

static void lock_all(struct catalogue *catalogue) {
        INVARIANT(pthread_mutex_lock(&catalogue->lock) == 0);
        INVARIANT(pthread_rwlock_wrlock(&catalogue->peeking) == 0);
}

static void unlock_all(struct catalogue *catalogue) {
        INVARIANT(pthread_rwlock_unlock(&catalogue->peeking) == 0);
        INVARIANT(pthread_mutex_unlock(&catalogue->lock) == 0);
}

/* --- bodies --- */

static bool is_worth_it(struct text plain, const struct buffer *gzip) {
        return !gzip->overflowed && gzip->length < plain.length;
}

static int gzip_body(struct text plain, struct buffer *out) {
        struct gzip_part part;
        int fault = gzip_part_init(&part, plain, GZIP_LEVEL);
        if (fault)
                return fault;
        const struct gzip_part *const parts[] = {&part};
        fault = gzip_join(out, parts, 1);
        gzip_part_deinit(&part);
        return fault;
}

static struct catalogue_body *body_new(struct text plain, struct text gzip, int64_t fresh_until) {
        struct catalogue_body *body = malloc(sizeof *body + plain.length + gzip.length);
        if (!body)
                return NULL;
        char *bytes = (char *)(body + 1);
        *body = (struct catalogue_body){
                .holders = 1,
                .fresh_until = fresh_until,
                .plain = {bytes, plain.length},
                .gzip = {bytes + plain.length, gzip.length},
        };
        memcpy(bytes, plain.at, plain.length);
        if (gzip.length > 0)
                memcpy(bytes + plain.length, gzip.at, gzip.length);
        unsigned long long hash = text_hash(plain.at, plain.length, 0);
        snprintf(body->etag, sizeof body->etag, "\"%016llx\"", hash);
        snprintf(body->gzip_etag, sizeof body->gzip_etag, "\"%016llx-gzip\"", hash);
        return body;
}

/* What is written in `written` becomes the body in the slot. */
static int body_make(struct catalogue_body **slot, struct buffer *written, int64_t fresh_until) {
        struct text plain = buffer_text(written);
        struct buffer gzip;
        buffer_init(&gzip, BODY_BYTES_MAX);
        int fault = written->overflowed ? -ENOMEM : 0;
        if (!fault && plain.length >= GZIP_BYTES_MIN)
                fault = gzip_body(plain, &gzip);
        struct text packed = is_worth_it(plain, &gzip) ? buffer_text(&gzip) : (struct text){0};
        struct catalogue_body *body = fault ? NULL : body_new(plain, packed, fresh_until);
        buffer_deinit(&gzip);
        buffer_deinit(written);
        if (!body)
                return -ENOMEM;
        *slot = body;
        return CATALOGUE_FOUND;
}

void catalogue_release(struct catalogue_body *body) {
        if (body && atomic_fetch_sub(&body->holders, 1) == 1)
                free(body);
}

/* The catalogue's own hold ends; edges that are sending the body keep it a little longer. */
static void body_drop(struct catalogue_body **slot) {
        catalogue_release(*slot);
        *slot = NULL;
}

static bool body_is_fresh(struct catalogue_body **slot, int64_t now) {
        if (*slot && (*slot)->fresh_until <= now)
                body_drop(slot);
        return *slot != NULL;
}

static struct catalogue_body *body_hold(struct catalogue_body *body) {
        atomic_fetch_add(&body->holders, 1);
        return body;
}

/* --- entries --- */

int catalogue_init(struct catalogue *catalogue) {
        *catalogue = (struct catalogue){0};
        map_init(&catalogue->events);
        map_init(&catalogue->schedules);
        if (pthread_mutex_init(&catalogue->lock, NULL) != 0)
                return -ENOMEM;
        /* Readers come in a steady stream; the writer, who is the lane, shall not wait for a gap. */
        pthread_rwlockattr_t attributes;
        pthread_rwlockattr_init(&attributes);
        pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
        int r = pthread_rwlock_init(&catalogue->peeking, &attributes);
        pthread_rwlockattr_destroy(&attributes);
        return r == 0 ? 0 : -ENOMEM;
}

static void schedule_entry_free(struct schedule_entry *entry) {
        while (entry->record) {
                struct schedule_record *older = entry->record->older;
                free(entry->record);
                entry->record = older;
        }
        catalogue_release(entry->body);
        free(entry);
}

static void event_entry_free(struct event_entry *entry) {
        catalogue_release(entry->body);
        catalogue_release(entry->schedules_body);
        free(entry->record);
        free(entry);
}

void catalogue_deinit(struct catalogue *catalogue) {
        struct map_entry found;
        for (size_t i = 0; (i = map_next(&catalogue->schedules, i, &found)) != 0;)
                schedule_entry_free((struct schedule_entry *)(uintptr_t)found.value);
        for (size_t i = 0; (i = map_next(&catalogue->events, i, &found)) != 0;)
                event_entry_free((struct event_entry *)(uintptr_t)found.value);
        map_deinit(&catalogue->events);
        map_deinit(&catalogue->schedules);
        catalogue_release(catalogue->first_page);
        pthread_rwlock_destroy(&catalogue->peeking);
        pthread_mutex_destroy(&catalogue->lock);
}

static void *entry_in(const struct map *map, uint64_t id) {
        const uint64_t *found = map_find(map, id);
        return found ? (void *)(uintptr_t)*found : NULL;
}

struct event_entry *catalogue_event_entry(const struct catalogue *catalogue, event_id id) {
        struct event_entry *entry = entry_in(&catalogue->events, id);
        return entry && entry->record ? entry : NULL;
}

struct schedule_entry *catalogue_schedule_entry(const struct catalogue *catalogue, schedule_id id) {
        struct schedule_entry *entry = entry_in(&catalogue->schedules, id);
        return entry && entry->record ? entry : NULL;
}

int catalogue_place_event(struct catalogue *catalogue, event_id id) {
        struct event_entry *entry = calloc(1, sizeof *entry);
        if (!entry)
                return -ENOMEM;
        lock_all(catalogue);
        int fault = map_put(&catalogue->events, id, (uintptr_t)entry);
        unlock_all(catalogue);
        if (fault)
                free(entry);
        return fault;
}

int catalogue_place_schedule(struct catalogue *catalogue, schedule_id id, event_id event) {
        struct schedule_entry *entry = calloc(1, sizeof *entry);
        if (!entry)
                return -ENOMEM;
        entry->event = entry_in(&catalogue->events, event);
        PRE(entry->event);
        lock_all(catalogue);
        int fault = map_put(&catalogue->schedules, id, (uintptr_t)entry);
        unlock_all(catalogue);
        if (fault)
                free(entry);
        else
                entry->event->schedule_count++;
        return fault;
}

void catalogue_unplace_event(struct catalogue *catalogue, event_id id) {
        struct event_entry *entry = entry_in(&catalogue->events, id);
        if (!entry || entry->record)
                return;
        lock_all(catalogue);
        map_remove(&catalogue->events, id);
        unlock_all(catalogue);
        free(entry);
}

void catalogue_unplace_schedule(struct catalogue *catalogue, schedule_id id) {
        struct schedule_entry *entry = entry_in(&catalogue->schedules, id);
        if (!entry || entry->record)
                return;
        lock_all(catalogue);
        map_remove(&catalogue->schedules, id);
        unlock_all(catalogue);
        entry->event->schedule_count--;
        free(entry);
}

/* Ids rise, but a turn may publish in another order than it made them. */
static void link_event(struct catalogue *catalogue, struct event_entry *entry) {
        struct event_entry **place = &catalogue->newest;
        while (*place && (*place)->record->id > entry->record->id)
                place = &(*place)->older;
        entry->older = *place;
        *place = entry;
}

void catalogue_publish_event(struct catalogue *catalogue, struct event_record *record) {
        struct event_entry *entry = entry_in(&catalogue->events, record->id);
        PRE(entry);
        lock_all(catalogue);
        struct event_record *old = entry->record;
        entry->record = record;
        if (!old)
                link_event(catalogue, entry);
        body_drop(&entry->body);
        body_drop(&catalogue->first_page);
        unlock_all(catalogue);
        free(old);
}

void catalogue_publish_schedule(struct catalogue *catalogue, struct schedule_record *record) {
        struct schedule_entry *entry = entry_in(&catalogue->schedules, record->schedule.id);
        PRE(entry);
        struct event_entry *event = entry->event;
        lock_all(catalogue);
        if (!entry->record && event->last)
                event->last->next = entry;
        else if (!entry->record)
                event->first = entry;
        if (!entry->record)
                event->last = entry;
        record->older = entry->record;
        entry->record = record;
        entry->versions++;
        body_drop(&entry->body);
        body_drop(&event->body);
        body_drop(&event->schedules_body);
        body_drop(&catalogue->first_page);
        unlock_all(catalogue);
}

void catalogue_set_plan(struct catalogue *catalogue, struct schedule_record *record, const struct plan *plan) {
        lock_all(catalogue);
        record->schedule.plan = plan;
        unlock_all(catalogue);
}

/* --- reading --- */

const struct schedule *catalogue_peek(struct catalogue *catalogue, schedule_id id) {
        INVARIANT(pthread_rwlock_rdlock(&catalogue->peeking) == 0);
        const struct schedule_entry *entry = catalogue_schedule_entry(catalogue, id);
        const struct schedule *schedule = entry && entry->record->schedule.plan ? &entry->record->schedule : NULL;
        pthread_rwlock_unlock(&catalogue->peeking);
        return schedule;
}

static int make_event(struct event_entry *event, int64_t now) {
        struct buffer written;
        struct json_writer json;
        buffer_init(&written, BODY_BYTES_MAX);
        json_begin(&json, &written);
        write_event(&json, event, now);
        return body_make(&event->body, &written, event_fresh_until(event, now));
}

static int make_event_schedules(struct event_entry *event, int64_t now) {
        struct buffer written;
        struct json_writer json;
        buffer_init(&written, BODY_BYTES_MAX);
        json_begin(&json, &written);
        json_object(&json, NULL);
        write_schedules(&json, event, now);
        json_object_end(&json);
        return body_make(&event->schedules_body, &written, event_fresh_until(event, now));
}

static int make_schedule(struct schedule_entry *entry, int64_t now) {
        struct buffer written;
        struct json_writer json;
        buffer_init(&written, BODY_BYTES_MAX);
        json_begin(&json, &written);
        write_schedule(&json, entry->record, now);
        return body_make(&entry->body, &written, schedule_fresh_until(&entry->record->schedule, now));
}

int catalogue_event(struct catalogue *catalogue, event_id id, int64_t now, struct catalogue_body **ret_body) {
        INVARIANT(pthread_mutex_lock(&catalogue->lock) == 0);
        struct event_entry *event = catalogue_event_entry(catalogue, id);
        int r = event ? CATALOGUE_FOUND : CATALOGUE_UNKNOWN;
        if (event && !body_is_fresh(&event->body, now))
                r = make_event(event, now);
        if (r == CATALOGUE_FOUND)
                *ret_body = body_hold(event->body);
        pthread_mutex_unlock(&catalogue->lock);
        return r;
}

int catalogue_event_schedules(struct catalogue *catalogue, event_id id, int64_t now, struct catalogue_body **ret_body) {
        INVARIANT(pthread_mutex_lock(&catalogue->lock) == 0);
        struct event_entry *event = catalogue_event_entry(catalogue, id);
        int r = event ? CATALOGUE_FOUND : CATALOGUE_UNKNOWN;
        if (event && !body_is_fresh(&event->schedules_body, now))
                r = make_event_schedules(event, now);
        if (r == CATALOGUE_FOUND)
                *ret_body = body_hold(event->schedules_body);
        pthread_mutex_unlock(&catalogue->lock);
        return r;
}

int catalogue_schedule(struct catalogue *catalogue, schedule_id id, int64_t now, struct catalogue_body **ret_body) {
        INVARIANT(pthread_mutex_lock(&catalogue->lock) == 0);
        struct schedule_entry *entry = catalogue_schedule_entry(catalogue, id);
        int r = !entry ? CATALOGUE_UNKNOWN : !entry->record->schedule.plan ? CATALOGUE_NOT_LOADED : CATALOGUE_FOUND;
        if (r == CATALOGUE_FOUND && !body_is_fresh(&entry->body, now))
                r = make_schedule(entry, now);
        if (r == CATALOGUE_FOUND)
                *ret_body = body_hold(entry->body);
        pthread_mutex_unlock(&catalogue->lock);
        return r;
}

static bool event_matches(const struct event_record *record, const struct event_query *query) {
        if (query->city.length > 0 && !text_equal_nocase(query->city, record->words.city))
                return false;
        return query->words.length == 0 || memmem(record->folded.at, record->folded.length, query->words.at, query->words.length);
}

static void list_events(const struct catalogue *catalogue, const struct event_query *query, struct buffer *out) {
        struct json_writer json;
        const struct event_entry *event = catalogue->newest;
        while (query->before && event && event->record->id >= query->before)
                event = event->older;
        unsigned count = 0;
        event_id last = 0;
        json_begin(&json, out);
        json_object(&json, NULL);
        json_array(&json, "events");
        for (; event && count <= query->limit; event = event->older) {
                if (!event_matches(event->record, query))
                        continue;
                if (count++ == query->limit)
                        break; /* there is more: last is where to go on */
                write_event_summary(&json, event);
                last = event->record->id;
        }
        json_array_end(&json);
        json_id(&json, "nextCursor", ID_EVENT, count > query->limit ? last : 0);
        json_object_end(&json);
}

void catalogue_list(struct catalogue *catalogue, const struct event_query *query, struct buffer *out) {
        INVARIANT(pthread_mutex_lock(&catalogue->lock) == 0);
        list_events(catalogue, query, out);
        pthread_mutex_unlock(&catalogue->lock);
}

int catalogue_first_page(struct catalogue *catalogue, struct catalogue_body **ret_body) {
        static const struct event_query newest = {.limit = PAGE_DEFAULT};
        INVARIANT(pthread_mutex_lock(&catalogue->lock) == 0);
        int r = CATALOGUE_FOUND;
        if (!catalogue->first_page) {
                struct buffer written;
                buffer_init(&written, BODY_BYTES_MAX);
                list_events(catalogue, &newest, &written);
                r = body_make(&catalogue->first_page, &written, INT64_MAX);
        }
        if (r == CATALOGUE_FOUND)
                *ret_body = body_hold(catalogue->first_page);
        pthread_mutex_unlock(&catalogue->lock);
        return r;
}
