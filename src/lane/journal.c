/* journal.c: see journal.h. */
#include "lane/journal.h"

#include "base/assert.h"
#include "base/log.h"

#include <stdlib.h>

enum { ROWS = 256, COLUMNS = 8 };

static const struct db_migration migrations[] = {
        {"lane", 1,
         "CREATE TABLE journal(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, type INTEGER NOT NULL,"
         " schedule_id INTEGER NOT NULL, subject_id INTEGER NOT NULL, account_id INTEGER NOT NULL,"
         " cause_id INTEGER NOT NULL, payload TEXT NOT NULL);"
         "CREATE TABLE inbox(consumer TEXT PRIMARY KEY, position INTEGER NOT NULL);"
         "CREATE TABLE dead_letter(consumer TEXT NOT NULL, event_id INTEGER NOT NULL, at INTEGER NOT NULL,"
         " attempts INTEGER NOT NULL, reason TEXT NOT NULL, PRIMARY KEY(consumer, event_id));"},
};

static const struct db_statement insert_row = {
        "INSERT INTO journal(id, at, type, schedule_id, subject_id, account_id, cause_id, payload)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        COLUMNS};
static const struct db_statement select_newest = {"SELECT coalesce(max(id), 0) FROM journal", 0};
static const struct db_statement select_page = {
        "SELECT id, at, type, schedule_id, subject_id, account_id, cause_id, payload FROM journal"
        " WHERE id > $1 ORDER BY id LIMIT $2",
        2};
static const struct db_statement select_position = {"SELECT position FROM inbox WHERE consumer = $1", 1};
static const struct db_statement upsert_position = {"INSERT INTO inbox(consumer, position) VALUES ($1, $2)"
                                                    " ON CONFLICT(consumer) DO UPDATE SET position = excluded.position",
                                                    2};
static const struct db_statement insert_dead_letter = {
        "INSERT INTO dead_letter(consumer, event_id, at, attempts, reason) VALUES ($1, $2, $3, $4, $5)", 5};

static int read_id(void *context, size_t index, const struct db_row *row) {
        (void)index;
        *(uint64_t *)context = db_row_id(row, 0);
        return 0;
}

int journal_init(struct journal *journal, struct db *db, uint64_t *ret_newest_id) {
        *journal = (struct journal){.db = db};
        const char *newer = NULL;
        int fault = db_migrate(db, migrations, sizeof migrations / sizeof *migrations, &newer);
        if (fault)
                return fault;
        return db_run(db, &select_newest, NULL, 1, read_id, ret_newest_id, NULL);
}

void journal_deinit(struct journal *journal) {
        while (journal->oldest) {
                struct journal_chunk *newer = journal->oldest->newer;
                free(journal->oldest);
                journal->oldest = newer;
        }
        journal->newest = NULL;
}

int journal_add_consumer(struct journal *journal, const struct lane_consumer *consumer) {
        PRE(journal->consumer_count < LANE_CONSUMERS_MAX && !journal->oldest);
        uint64_t position = 0;
        struct db_value name = db_text(text_of(consumer->name));
        int fault = db_run(journal->db, &select_position, &name, 1, read_id, &position, NULL);
        if (fault)
                return fault;
        struct journal_consumer *added = &journal->consumers[journal->consumer_count];
        *added = (struct journal_consumer){.is = *consumer, .share = LANE_EVENTS_MAX};
        added->at = added->next = (struct journal_place){.position = position};
        /* The tail begins behind whoever has come least far. */
        if (journal->consumer_count == 0 || position < journal->newest_id)
                journal->newest_id = position;
        journal->consumer_count++;
        journal->missing = 1;
        return 0;
}

/* --- places --- */

static bool place_at_end(struct journal_place *place) {
        while (place->chunk && place->index == place->chunk->count && place->chunk->newer) {
                place->chunk = place->chunk->newer;
                place->index = 0;
        }
        return !place->chunk || place->index == place->chunk->count;
}

static const struct event *place_event(const struct journal_place *place) {
        return &place->chunk->events[place->index];
}

static void place_pass(struct journal_place *place) {
        uint64_t id = place_event(place)->id;
        if (id > place->position) /* else consumed before the restart: the tail begins behind the slowest */
                place->position = id;
        place->index++;
        place->passed++;
}

static bool wants(const struct lane_consumer *consumer, const struct journal_place *place) {
        const struct event *event = place_event(place);
        return event->id > place->position && (consumer->types & EVENT_BIT(event->type)) != 0;
}

static void pass_unwanted(const struct lane_consumer *consumer, struct journal_place *place) {
        while (!place_at_end(place) && !wants(consumer, place))
                place_pass(place);
}

bool journal_has(const struct journal_consumer *consumer) {
        struct journal_place place = consumer->at;
        return !place_at_end(&place);
}

size_t journal_take(struct journal_consumer *consumer, const struct event **ret_events) {
        size_t n = 0;
        consumer->next = consumer->at;
        while (n < consumer->share && !place_at_end(&consumer->next)) {
                if (wants(&consumer->is, &consumer->next))
                        ret_events[n++] = place_event(&consumer->next);
                place_pass(&consumer->next);
        }
        consumer->moved = n > 0;
        return n;
}

/* --- the tail --- */

static void drop_passed(struct journal *journal) {
        while (journal->oldest && journal->oldest != journal->newest) {
                for (size_t i = 0; i < journal->consumer_count; i++) {
                        if (journal->consumers[i].at.chunk == journal->oldest)
                                return;
                }
                struct journal_chunk *newer = journal->oldest->newer;
                free(journal->oldest);
                journal->oldest = newer;
        }
}

static struct journal_chunk *chunk_new(const struct event *events, size_t count) {
        size_t bytes = 0;
        for (size_t i = 0; i < count; i++)
                bytes += events[i].payload.length;
        struct journal_chunk *chunk = malloc(sizeof *chunk + count * sizeof *events + bytes);
        if (!chunk)
                return NULL;
        *chunk = (struct journal_chunk){.count = count};
        char *payload = (char *)(chunk->events + count);
        for (size_t i = 0; i < count; i++) {
                chunk->events[i] = events[i];
                chunk->events[i].payload.at = payload;
                if (events[i].payload.length > 0)
                        memcpy(payload, events[i].payload.at, events[i].payload.length);
                payload += events[i].payload.length;
        }
        return chunk;
}

static int tail_add(struct journal *journal, const struct event *events, size_t count) {
        if (count == 0)
                return 0;
        struct journal_chunk *chunk = chunk_new(events, count);
        if (!chunk)
                return -ENOMEM;
        if (journal->newest)
                journal->newest->newer = chunk;
        else
                journal->oldest = chunk;
        journal->newest = chunk;
        journal->newest_id = events[count - 1].id;
        journal->added += count;
        for (size_t i = 0; i < journal->consumer_count; i++) {
                struct journal_consumer *consumer = &journal->consumers[i];
                if (!consumer->at.chunk)
                        consumer->at.chunk = chunk;
                pass_unwanted(&consumer->is, &consumer->at);
                consumer->next = consumer->at;
        }
        drop_passed(journal);
        return 0;
}

/* Events of the tail that the slowest consumer has not passed. */
static uint64_t tail_length(const struct journal *journal) {
        uint64_t length = 0;
        for (size_t i = 0; i < journal->consumer_count; i++) {
                uint64_t behind = journal->added - journal->consumers[i].at.passed;
                if (behind > length)
                        length = behind;
        }
        return length;
}

uint64_t journal_lag(const struct journal *journal) {
        return tail_length(journal) + journal->missing;
}

void journal_append(struct journal *journal, const struct event *events, size_t count) {
        if (count == 0 || journal->consumer_count == 0)
                return;
        bool room = journal->whole && tail_length(journal) + count <= LANE_TAIL_MAX;
        if (room && tail_add(journal, events, count) == 0)
                return;
        /* Not lost: they stand in the table, and are read from there when the consumers have come this far. */
        journal->whole = false;
        journal->missing += count;
}

struct page {
        struct arena *arena;
        struct event events[LANE_PAGE_EVENTS];
        size_t count;
};

static int read_event(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct page *page = context;
        struct text payload = db_row_bytes(row, 7);
        char *copy = arena_copy(page->arena, payload);
        if (!copy)
                return -ENOMEM;
        page->events[page->count++] = (struct event){
                .id = db_row_id(row, 0),
                .at = db_row_int(row, 1),
                .type = (unsigned)db_row_int(row, 2),
                .schedule = db_row_id(row, 3),
                .subject = db_row_id(row, 4),
                .account = db_row_id(row, 5),
                .cause = db_row_id(row, 6),
                .payload = {copy, payload.length},
        };
        return 0;
}

static bool somebody_waits(struct journal *journal) {
        for (size_t i = 0; i < journal->consumer_count; i++) {
                if (place_at_end(&journal->consumers[i].at))
                        return true;
        }
        return false;
}

int journal_refill(struct journal *journal, struct arena *arena) {
        if (journal->whole || !somebody_waits(journal) || tail_length(journal) > LANE_TAIL_MAX)
                return 0;
        struct page *page = arena_take(arena, sizeof *page);
        if (!page)
                return -ENOMEM;
        page->arena = arena;
        struct db_value from[2] = {db_id(journal->newest_id), db_int(LANE_PAGE_EVENTS)};
        int fault = db_run(journal->db, &select_page, from, 1, read_event, page, NULL);
        if (!fault)
                fault = tail_add(journal, page->events, page->count);
        if (fault)
                return fault;
        journal->whole = page->count < LANE_PAGE_EVENTS;
        if (journal->whole)
                journal->missing = 0;
        else if (journal->missing > page->count)
                journal->missing -= page->count;
        else
                journal->missing = 1;
        return 0;
}

bool journal_is_behind(const struct journal *journal) {
        return journal->consumer_count > 0 && !journal->whole;
}

/* --- rows --- */

int journal_write(struct journal *journal, const struct event *events, size_t count) {
        struct db_value values[ROWS * COLUMNS];
        while (count > 0) {
                size_t rows = count < ROWS ? count : ROWS;
                struct db_value *value = values;
                for (size_t i = 0; i < rows; i++) {
                        *value++ = db_id(events[i].id);
                        *value++ = db_int(events[i].at);
                        *value++ = db_int(events[i].type);
                        *value++ = db_id(events[i].schedule);
                        *value++ = db_id(events[i].subject);
                        *value++ = db_id(events[i].account);
                        *value++ = db_id(events[i].cause);
                        *value++ = db_text(events[i].payload);
                }
                int fault = db_run(journal->db, &insert_row, values, rows, NULL, NULL, NULL);
                if (fault)
                        return fault;
                events += rows;
                count -= rows;
        }
        return 0;
}

static bool to_be_stored(const struct journal_consumer *consumer) {
        return consumer->moved || consumer->next.passed - consumer->stored_passed >= LANE_SKIM_MAX;
}

int journal_store_positions(struct journal *journal, bool all) {
        struct db_value values[LANE_CONSUMERS_MAX * 2];
        size_t rows = 0;
        for (size_t i = 0; i < journal->consumer_count; i++) {
                struct journal_consumer *consumer = &journal->consumers[i];
                if (!all && !to_be_stored(consumer))
                        continue;
                consumer->moved = true;
                values[2 * rows] = db_text(text_of(consumer->is.name));
                values[2 * rows + 1] = db_id(consumer->next.position);
                rows++;
        }
        return rows > 0 ? db_run(journal->db, &upsert_position, values, rows, NULL, NULL, NULL) : 0;
}

void journal_committed(struct journal *journal) {
        for (size_t i = 0; i < journal->consumer_count; i++) {
                struct journal_consumer *consumer = &journal->consumers[i];
                if (consumer->moved) {
                        consumer->stored_passed = consumer->next.passed;
                        consumer->moved = false;
                }
                consumer->at = consumer->next;
                pass_unwanted(&consumer->is, &consumer->at);
                consumer->next = consumer->at;
        }
        drop_passed(journal);
}

void journal_rolled_back(struct journal *journal) {
        for (size_t i = 0; i < journal->consumer_count; i++) {
                journal->consumers[i].next = journal->consumers[i].at;
                journal->consumers[i].moved = false;
        }
}

static int write_dead_letter(struct journal *journal, const struct journal_consumer *consumer, int64_t now,
                             const char *reason) {
        struct db_value values[] = {db_text(text_of(consumer->is.name)), db_id(consumer->next.position), db_int(now),
                                    db_int(consumer->attempts), db_text(text_of(reason))};
        int fault = db_begin(journal->db);
        if (!fault)
                fault = db_run(journal->db, &insert_dead_letter, values, 1, NULL, NULL, NULL);
        if (!fault)
                fault = journal_store_positions(journal, false);
        if (!fault)
                fault = db_commit(journal->db);
        return fault;
}

int journal_bury(struct journal *journal, struct journal_consumer *consumer, int64_t now, const char *reason) {
        PRE(journal_has(consumer));
        const struct event *event = place_event(&consumer->at);
        log_write(LOG_ALARM, "consumer.gave_up", "%s cannot consume event %llu of type %u after %u attempts: %s",
                  consumer->is.name, (unsigned long long)event->id, event->type, consumer->attempts, reason);
        journal_rolled_back(journal);
        place_pass(&consumer->next);
        consumer->moved = true;
        int fault = write_dead_letter(journal, consumer, now, reason);
        if (fault) {
                db_rollback(journal->db);
                journal_rolled_back(journal);
                return fault;
        }
        consumer->attempts = 0;
        journal_committed(journal);
        return 0;
}
