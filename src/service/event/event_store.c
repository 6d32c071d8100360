/* event_store.c: the SQL of the event service. A row is written once, changes are rare: each statement is for one row. */
#include "service/event/event_store.h"

#include "service/event/plan_memory.h"

#include <stdlib.h>

const struct db_migration event_migrations[] = {
        {"event", 1,
         "CREATE TABLE venue(id INTEGER PRIMARY KEY, owner_id INTEGER NOT NULL, name TEXT NOT NULL, address TEXT NOT NULL, "
         "city TEXT NOT NULL, created_at INTEGER NOT NULL, idempotency_key INTEGER UNIQUE, idempotency_fingerprint INTEGER);"
         "CREATE INDEX venue_by_owner ON venue(owner_id, id);"
         "CREATE TABLE plan(id INTEGER PRIMARY KEY, venue_id INTEGER NOT NULL, owner_id INTEGER NOT NULL, name TEXT NOT NULL, "
         "by_uuid INTEGER NOT NULL, seat_count INTEGER NOT NULL, summary TEXT NOT NULL, created_at INTEGER NOT NULL, "
         "idempotency_key INTEGER UNIQUE, idempotency_fingerprint INTEGER, compiled BLOB NOT NULL, document BLOB NOT NULL);"
         "CREATE TABLE event(id INTEGER PRIMARY KEY, owner_id INTEGER NOT NULL, title TEXT NOT NULL, description TEXT NOT NULL, "
         "city TEXT NOT NULL, category TEXT NOT NULL, created_at INTEGER NOT NULL, idempotency_key INTEGER UNIQUE, "
         "idempotency_fingerprint INTEGER);"
         "CREATE TABLE schedule(id INTEGER PRIMARY KEY, event_id INTEGER NOT NULL, plan_id INTEGER NOT NULL, owner_id INTEGER NOT NULL, "
         "starts_at INTEGER NOT NULL, opens_at INTEGER NOT NULL, ends_at INTEGER NOT NULL, cancel_until INTEGER NOT NULL, "
         "cancel_refund_percent INTEGER NOT NULL, cap INTEGER NOT NULL, hold_seconds INTEGER NOT NULL, currency TEXT NOT NULL, "
         "line_capacity INTEGER NOT NULL, line_rate INTEGER NOT NULL, line_pass_seconds INTEGER NOT NULL, "
         "line_waiting_max INTEGER NOT NULL, line_enabled INTEGER NOT NULL, lobby_opens_at INTEGER NOT NULL, "
         "cancelled INTEGER NOT NULL DEFAULT 0, admission_paused INTEGER NOT NULL DEFAULT 0, sale_paused INTEGER NOT NULL DEFAULT 0, "
         "amounts TEXT NOT NULL, draw_seed BLOB NOT NULL, draw_commitment BLOB NOT NULL, created_at INTEGER NOT NULL, "
         "idempotency_key INTEGER UNIQUE, idempotency_fingerprint INTEGER);"},
};
const size_t event_migration_count = sizeof event_migrations / sizeof *event_migrations;

static struct db_value value_of_key(struct idempotency idempotency) {
        return idempotency.key ? db_id(idempotency.key) : db_null();
}

static struct db_value value_of_fingerprint(struct idempotency idempotency) {
        return idempotency.key ? db_id(idempotency.fingerprint) : db_null();
}

/* --- idempotency --- */

static int on_key(void *context, size_t index, const struct db_row *row) {
        (void)index;
        uint64_t *found = context;
        found[0] = db_row_id(row, 0);
        found[1] = db_row_id(row, 1);
        return 0;
}

int store_find_key(struct db *db, enum event_table table, uint64_t key, uint64_t *ret_id, uint64_t *ret_fingerprint) {
        static const struct db_statement find[] = {
                [TABLE_VENUE] = {"SELECT id, idempotency_fingerprint FROM venue WHERE idempotency_key = $1", 1},
                [TABLE_PLAN] = {"SELECT id, idempotency_fingerprint FROM plan WHERE idempotency_key = $1", 1},
                [TABLE_EVENT] = {"SELECT id, idempotency_fingerprint FROM event WHERE idempotency_key = $1", 1},
                [TABLE_SCHEDULE] = {"SELECT id, idempotency_fingerprint FROM schedule WHERE idempotency_key = $1", 1},
        };
        uint64_t found[2] = {0};
        struct db_value value = db_id(key);
        int fault = db_run(db, &find[table], &value, 1, on_key, found, NULL);
        if (fault)
                return fault;
        *ret_id = found[0];
        *ret_fingerprint = found[1];
        return 0;
}

/* --- rows with texts --- */

/* Copies columns into an arena; the first that does not fit is a fault of all. */
struct copying { struct arena *arena; const struct db_row *row; bool failed; };

static struct text copy_column(struct copying *copying, unsigned column) {
        struct text bytes = db_row_bytes(copying->row, column);
        bytes.at = arena_copy(copying->arena, bytes);
        copying->failed |= !bytes.at;
        return bytes;
}

/* --- venues --- */

int store_insert_venue(struct db *db, const struct venue *venue, struct idempotency idempotency) {
        static const struct db_statement insert = {"INSERT INTO venue(id, owner_id, name, address, city, created_at, idempotency_key, "
                                                   "idempotency_fingerprint) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", 8};
        const struct db_value values[] = {
                db_id(venue->id), db_id(venue->owner), db_text(venue->name), db_text(venue->address), db_text(venue->city),
                db_int(venue->created_at), value_of_key(idempotency), value_of_fingerprint(idempotency),
        };
        return db_run(db, &insert, values, 1, NULL, NULL, NULL);
}

struct venues { struct arena *arena; struct venue *venues; unsigned count; };

static int on_venue(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct venues *list = context;
        struct copying copying = {.arena = list->arena, .row = row};
        list->venues[list->count++] = (struct venue){
                .id = db_row_id(row, 0),
                .owner = db_row_id(row, 1),
                .name = copy_column(&copying, 2),
                .address = copy_column(&copying, 3),
                .city = copy_column(&copying, 4),
                .created_at = db_row_int(row, 5),
        };
        return copying.failed ? -ENOMEM : 0;
}

int store_select_venue(struct db *db, venue_id id, struct arena *arena, struct venue *ret_venue, bool *ret_found) {
        static const struct db_statement select = {"SELECT id, owner_id, name, address, city, created_at FROM venue WHERE id = $1", 1};
        struct venue venue;
        struct venues list = {.arena = arena, .venues = &venue};
        struct db_value value = db_id(id);
        int fault = db_run(db, &select, &value, 1, on_venue, &list, NULL);
        if (fault)
                return fault;
        *ret_found = list.count > 0;
        if (list.count > 0)
                *ret_venue = venue;
        return 0;
}

int store_list_venues(struct db *db, account_id owner, venue_id after, struct arena *arena, struct venue *venues, unsigned capacity,
                      unsigned *ret_count) {
        static const struct db_statement select = {"SELECT id, owner_id, name, address, city, created_at FROM venue "
                                                   "WHERE owner_id = $1 AND id > $2 ORDER BY id LIMIT $3", 3};
        struct venues list = {.arena = arena, .venues = venues};
        const struct db_value values[] = {db_id(owner), db_id(after), db_int(capacity)};
        int fault = db_run(db, &select, values, 1, on_venue, &list, NULL);
        if (!fault)
                *ret_count = list.count;
        return fault;
}

/* --- plans --- */

int store_insert_plan(struct db *db, const struct plan_entry *plan, struct idempotency idempotency) {
        static const struct db_statement insert = {
                "INSERT INTO plan(id, venue_id, owner_id, name, by_uuid, seat_count, summary, created_at, idempotency_key, "
                "idempotency_fingerprint, compiled, document) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)", 12};
        const struct db_value values[] = {
                db_id(plan->id), db_id(plan->venue), db_id(plan->owner), db_text(plan->name), db_int(plan->by_uuid),
                db_int(plan->seat_count), db_text(plan->summary), db_int(plan->created_at), value_of_key(idempotency),
                value_of_fingerprint(idempotency), db_blob(plan->compiled.at, plan->compiled.length),
                db_blob(plan->document.at, plan->document.length),
        };
        return db_run(db, &insert, values, 1, NULL, NULL, NULL);
}

struct plan_selection { struct arena *arena; struct plan_entry plan; };

static int on_plan(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct plan_selection *selection = context;
        struct copying copying = {.arena = selection->arena, .row = row};
        selection->plan = (struct plan_entry){
                .id = db_row_id(row, 0),
                .venue = db_row_id(row, 1),
                .owner = db_row_id(row, 2),
                .name = copy_column(&copying, 3),
                .by_uuid = db_row_int(row, 4) != 0,
                .seat_count = (uint32_t)db_row_int(row, 5),
                .summary = copy_column(&copying, 6),
                .created_at = db_row_int(row, 7),
        };
        return copying.failed ? -ENOMEM : 0;
}

int store_select_plan(struct db *db, plan_id id, struct arena *arena, struct plan_entry *ret_plan, bool *ret_found) {
        static const struct db_statement select = {
                "SELECT id, venue_id, owner_id, name, by_uuid, seat_count, summary, created_at FROM plan WHERE id = $1", 1};
        struct plan_selection selection = {.arena = arena};
        struct db_value value = db_id(id);
        int fault = db_run(db, &select, &value, 1, on_plan, &selection, NULL);
        if (fault)
                return fault;
        *ret_found = selection.plan.id != 0;
        if (*ret_found)
                *ret_plan = selection.plan;
        return 0;
}

static int on_compiled(void *context, size_t index, const struct db_row *row) {
        (void)index;
        int r = plan_unpack(context, db_row_bytes(row, 0));
        return r < 0 ? r : 0;
}

static int on_document(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct plan_problems problems = {0};
        int r = plan_read(context, &problems, db_row_bytes(row, 0), db_row_int(row, 1) != 0);
        plan_problems_deinit(&problems);
        return r < 0 ? r : r == PLAN_OK ? 0 : FAULT_FORMAT;
}

int store_load_plan(struct db *db, plan_id id, struct plan **ret_plan) {
        static const struct db_statement compiled = {"SELECT compiled FROM plan WHERE id = $1", 1};
        static const struct db_statement document = {"SELECT document, by_uuid FROM plan WHERE id = $1", 1};
        struct plan *plan = NULL;
        struct db_value value = db_id(id);
        int fault = db_run(db, &compiled, &value, 1, on_compiled, &plan, NULL);
        if (!fault && !plan)
                fault = db_run(db, &document, &value, 1, on_document, &plan, NULL);
        if (!fault)
                *ret_plan = plan;
        return fault;
}

/* --- events --- */

static char *put_text(char *at, struct text from, struct text *ret_text) {
        if (from.length > 0)
                memcpy(at, from.at, from.length);
        at[from.length] = '\0';
        *ret_text = (struct text){at, from.length};
        return at + from.length + 1;
}

/* Lines do not occur within what is searched for: no match goes over the end of a text. */
static char *put_folded(char *at, struct text from) {
        for (size_t i = 0; i < from.length; i++)
                *at++ = (char)(from.at[i] >= 'A' && from.at[i] <= 'Z' ? from.at[i] + ('a' - 'A') : from.at[i]);
        *at++ = '\n';
        return at;
}

struct event_record *event_record_new(const struct event_record *event) {
        const struct event_words *words = &event->words;
        size_t searched = words->title.length + words->city.length + words->category.length + 3;
        struct event_record *record = malloc(sizeof *record + 2 * searched + words->description.length + 1);
        if (!record)
                return NULL;
        *record = *event;
        char *at = (char *)(record + 1);
        at = put_text(at, words->title, &record->words.title);
        at = put_text(at, words->description, &record->words.description);
        at = put_text(at, words->city, &record->words.city);
        at = put_text(at, words->category, &record->words.category);
        record->folded = (struct text){at, searched};
        at = put_folded(at, words->title);
        at = put_folded(at, words->city);
        put_folded(at, words->category);
        return record;
}

int store_insert_event(struct db *db, const struct event_record *event, struct idempotency idempotency) {
        static const struct db_statement insert = {
                "INSERT INTO event(id, owner_id, title, description, city, category, created_at, idempotency_key, "
                "idempotency_fingerprint) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", 9};
        const struct db_value values[] = {
                db_id(event->id), db_id(event->owner), db_text(event->words.title), db_text(event->words.description),
                db_text(event->words.city), db_text(event->words.category), db_int(event->created_at), value_of_key(idempotency),
                value_of_fingerprint(idempotency),
        };
        return db_run(db, &insert, values, 1, NULL, NULL, NULL);
}

int store_update_event(struct db *db, const struct event_record *event) {
        static const struct db_statement update = {
                "UPDATE event SET title = $2, description = $3, city = $4, category = $5 WHERE id = $1", 5};
        const struct db_value values[] = {
                db_id(event->id), db_text(event->words.title), db_text(event->words.description), db_text(event->words.city),
                db_text(event->words.category),
        };
        return db_run(db, &update, values, 1, NULL, NULL, NULL);
}

struct event_listener { int (*each)(void *context, const struct event_record *event); void *context; };

static int on_event(void *context, size_t index, const struct db_row *row) {
        (void)index;
        const struct event_listener *listener = context;
        const struct event_record event = {
                .id = db_row_id(row, 0),
                .owner = db_row_id(row, 1),
                .words = {db_row_bytes(row, 2), db_row_bytes(row, 3), db_row_bytes(row, 4), db_row_bytes(row, 5)},
                .created_at = db_row_int(row, 6),
        };
        return listener->each(listener->context, &event);
}

#define EVENT_COLUMNS "SELECT id, owner_id, title, description, city, category, created_at FROM event "

int store_select_events(struct db *db, event_id id, int (*each)(void *context, const struct event_record *event), void *context) {
        static const struct db_statement one = {EVENT_COLUMNS "WHERE id = $1", 1};
        static const struct db_statement all = {EVENT_COLUMNS "ORDER BY id", 0};
        struct event_listener listener = {each, context};
        struct db_value value = db_id(id);
        return db_run(db, id ? &one : &all, &value, 1, on_event, &listener, NULL);
}

/* --- schedules --- */

/* Amounts by category, separated by commas; -1: not for sale. */
enum { AMOUNTS_BYTES_MAX = PLAN_CATEGORIES_MAX * (TEXT_NUMBER_MAX + 1) };

static struct text amounts_write(const struct schedule *schedule, char out[static AMOUNTS_BYTES_MAX]) {
        size_t length = 0;
        for (uint32_t i = 0; i < schedule->plan->category_count; i++) {
                if (i > 0)
                        out[length++] = ',';
                length += text_from_number(out + length, schedule->amounts[i]);
        }
        return (struct text){out, length};
}

static bool amounts_parse(struct text text, int64_t amounts[static PLAN_CATEGORIES_MAX]) {
        for (size_t i = 0; i < PLAN_CATEGORIES_MAX; i++)
                amounts[i] = -1;
        for (size_t i = 0; i < PLAN_CATEGORIES_MAX && text.length > 0; i++) {
                const char *comma = memchr(text.at, ',', text.length);
                struct text number = {text.at, comma ? (size_t)(comma - text.at) : text.length};
                uint64_t amount;
                if (text_to_number(number, AMOUNT_MAX, &amount))
                        amounts[i] = (int64_t)amount;
                else if (!text_equal(number, TEXT("-1")))
                        return false;
                size_t used = number.length + (comma ? 1 : 0);
                text = (struct text){text.at + used, text.length - used};
        }
        return text.length == 0;
}

int store_insert_schedule(struct db *db, const struct schedule_record *record, struct idempotency idempotency) {
        static const struct db_statement insert = {
                "INSERT INTO schedule(id, event_id, plan_id, owner_id, starts_at, opens_at, ends_at, cancel_until, cancel_refund_percent, "
                "cap, hold_seconds, currency, line_capacity, line_rate, line_pass_seconds, line_waiting_max, line_enabled, lobby_opens_at, "
                "amounts, draw_seed, draw_commitment, created_at, idempotency_key, idempotency_fingerprint) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)",
                24};
        const struct schedule *schedule = &record->schedule;
        const struct line_settings *line = &schedule->line;
        char amounts[AMOUNTS_BYTES_MAX];
        const struct db_value values[] = {
                db_id(schedule->id), db_id(schedule->event), db_id(record->plan), db_id(schedule->organiser),
                db_int(schedule->starts_at), db_int(schedule->opens_at), db_int(schedule->ends_at), db_int(schedule->cancel_until),
                db_int(schedule->cancel_refund_percent), db_int(schedule->cap), db_int(schedule->hold_seconds),
                db_text(text_of(schedule->currency)), db_int(line->capacity), db_int(line->rate), db_int(line->pass_seconds),
                db_int(line->waiting_max), db_int(line->enabled), db_int(line->lobby_opens_at), db_text(amounts_write(schedule, amounts)),
                db_blob(schedule->draw_seed, sizeof schedule->draw_seed),
                db_blob(schedule->draw_commitment, sizeof schedule->draw_commitment), db_int(record->created_at),
                value_of_key(idempotency), value_of_fingerprint(idempotency),
        };
        return db_run(db, &insert, values, 1, NULL, NULL, NULL);
}

int store_update_schedule(struct db *db, const struct schedule_record *record) {
        static const struct db_statement update = {
                "UPDATE schedule SET starts_at = $2, opens_at = $3, ends_at = $4, cancel_until = $5, cancel_refund_percent = $6, cap = $7, "
                "hold_seconds = $8, line_capacity = $9, line_rate = $10, line_pass_seconds = $11, line_waiting_max = $12, "
                "line_enabled = $13, lobby_opens_at = $14, admission_paused = $15, sale_paused = $16, amounts = $17 WHERE id = $1", 17};
        const struct schedule *schedule = &record->schedule;
        const struct line_settings *line = &schedule->line;
        char amounts[AMOUNTS_BYTES_MAX];
        const struct db_value values[] = {
                db_id(schedule->id), db_int(schedule->starts_at), db_int(schedule->opens_at), db_int(schedule->ends_at),
                db_int(schedule->cancel_until), db_int(schedule->cancel_refund_percent), db_int(schedule->cap),
                db_int(schedule->hold_seconds), db_int(line->capacity), db_int(line->rate), db_int(line->pass_seconds),
                db_int(line->waiting_max), db_int(line->enabled), db_int(line->lobby_opens_at), db_int(schedule->admission_paused),
                db_int(schedule->sale_paused), db_text(amounts_write(schedule, amounts)),
        };
        return db_run(db, &update, values, 1, NULL, NULL, NULL);
}

struct schedule_listener { int (*each)(void *context, const struct schedule_record *record); void *context; };

static bool bytes_column(const struct db_row *row, unsigned column, void *into, size_t n) {
        struct text bytes = db_row_bytes(row, column);
        if (bytes.length != n)
                return false;
        memcpy(into, bytes.at, n);
        return true;
}

static int on_schedule(void *context, size_t index, const struct db_row *row) {
        (void)index;
        const struct schedule_listener *listener = context;
        struct schedule_record record = {
                .schedule = {
                        .id = db_row_id(row, 0),
                        .event = db_row_id(row, 1),
                        .organiser = db_row_id(row, 3),
                        .starts_at = db_row_int(row, 4),
                        .opens_at = db_row_int(row, 5),
                        .ends_at = db_row_int(row, 6),
                        .cancel_until = db_row_int(row, 7),
                        .cancel_refund_percent = (uint32_t)db_row_int(row, 8),
                        .cap = (uint32_t)db_row_int(row, 9),
                        .hold_seconds = (uint32_t)db_row_int(row, 10),
                        .line = {
                                .capacity = (uint32_t)db_row_int(row, 12),
                                .rate = (uint32_t)db_row_int(row, 13),
                                .pass_seconds = (uint32_t)db_row_int(row, 14),
                                .waiting_max = (uint32_t)db_row_int(row, 15),
                                .enabled = db_row_int(row, 16) != 0,
                                .lobby_opens_at = db_row_int(row, 17),
                        },
                        .cancelled = db_row_int(row, 18) != 0,
                        .admission_paused = db_row_int(row, 19) != 0,
                        .sale_paused = db_row_int(row, 20) != 0,
                },
                .plan = db_row_id(row, 2),
                .created_at = db_row_int(row, 24),
        };
        struct schedule *schedule = &record.schedule;
        bool whole = bytes_column(row, 11, schedule->currency, sizeof schedule->currency - 1) &&
                     amounts_parse(db_row_bytes(row, 21), schedule->amounts) &&
                     bytes_column(row, 22, schedule->draw_seed, sizeof schedule->draw_seed) &&
                     bytes_column(row, 23, schedule->draw_commitment, sizeof schedule->draw_commitment);
        return whole ? listener->each(listener->context, &record) : FAULT_FORMAT;
}

#define SCHEDULE_COLUMNS                                                                                                  \
        "SELECT id, event_id, plan_id, owner_id, starts_at, opens_at, ends_at, cancel_until, cancel_refund_percent, cap, " \
        "hold_seconds, currency, line_capacity, line_rate, line_pass_seconds, line_waiting_max, line_enabled, "             \
        "lobby_opens_at, cancelled, admission_paused, sale_paused, amounts, draw_seed, draw_commitment, created_at "        \
        "FROM schedule "

int store_select_schedules(struct db *db, schedule_id id, int (*each)(void *context, const struct schedule_record *record), void *context) {
        static const struct db_statement one = {SCHEDULE_COLUMNS "WHERE id = $1", 1};
        static const struct db_statement all = {SCHEDULE_COLUMNS "ORDER BY id", 0};
        struct schedule_listener listener = {each, context};
        struct db_value value = db_id(id);
        return db_run(db, id ? &one : &all, &value, 1, on_schedule, &listener, NULL);
}
