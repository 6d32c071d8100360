/* queue_store.c: see queue_store.h. An entry is written once when it is made, once when it is admitted (if that is
 * later) and once when it ends. Nothing of the order is stored but when it was drawn and how many numbers the lobby
 * had. */
#include "service/queue/queue_store.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/fault.h"

const struct db_migration queue_migrations[] = {
        {"queue", 1,
         "CREATE TABLE line(schedule_id INTEGER PRIMARY KEY, drawn_at INTEGER NOT NULL, lobby_count INTEGER NOT NULL);"
         "CREATE TABLE line_entry(schedule_id INTEGER NOT NULL, number INTEGER NOT NULL, account_id INTEGER NOT NULL,"
         " state INTEGER NOT NULL, entered_at INTEGER NOT NULL, admitted_at INTEGER NOT NULL,"
         " pass_ends_at INTEGER NOT NULL, ended_at INTEGER NOT NULL, PRIMARY KEY(schedule_id, number)) WITHOUT ROWID;"},
};
const size_t queue_migration_count = sizeof queue_migrations / sizeof *queue_migrations;

static int on_line(void *context, size_t index, const struct db_row *row) {
        (void)index;
        int64_t drawn_at = db_row_int(row, 0), lobby_last = db_row_int(row, 1);
        if (drawn_at <= 0 || lobby_last < 0 || lobby_last >= UINT32_MAX)
                return FAULT_FORMAT;
        return line_close_lobby(context, drawn_at, (uint32_t)lobby_last);
}

static int on_entry(void *context, size_t index, const struct db_row *row) {
        (void)index;
        int64_t number = db_row_int(row, 0), state = db_row_int(row, 2);
        if (number <= 0 || number >= UINT32_MAX || state < 0 || state >= ENTRY_STATES)
                return FAULT_FORMAT;
        struct line_row entry = {
                .number = (uint32_t)number,
                .account = db_row_id(row, 1),
                .state = (unsigned)state,
                .admitted_at = db_row_int(row, 3),
                .pass_ends_at = db_row_int(row, 4),
                .ended_at = db_row_int(row, 5),
        };
        return line_restore(context, &entry);
}

int line_load(struct line *line, struct db *db, const uint8_t *seed) {
        static const struct db_statement read_line = {"SELECT drawn_at, lobby_count FROM line WHERE schedule_id = $1",
                                                      1};
        static const struct db_statement read_entries = {
                "SELECT number, account_id, state, admitted_at, pass_ends_at, ended_at FROM line_entry "
                "WHERE schedule_id = $1 ORDER BY number",
                1};
        PRE(line->now.last == 0 && line->now.drawn_at == 0);
        struct db_value schedule = db_id(line->schedule);
        int r = db_run(db, &read_line, &schedule, 1, on_line, line, NULL);
        if (r == 0)
                r = db_run(db, &read_entries, &schedule, 1, on_entry, line, NULL);
        if (r == 0 && line->now.drawn_at != 0)
                r = line_order_lobby(line, seed);
        if (r == 0)
                line_commit(line);
        return r;
}

int line_entries_insert(struct db *db, struct arena *arena, schedule_id schedule, const struct line_row *rows,
                        size_t count) {
        static const struct db_statement insert = {
                "INSERT INTO line_entry(schedule_id, number, account_id, state, entered_at, admitted_at, pass_ends_at, "
                "ended_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                8};
        if (count == 0)
                return 0;
        struct db_value *parameters = arena_take(arena, count * insert.parameters * sizeof *parameters),
                        *at = parameters;
        if (!parameters)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
                *at++ = db_id(schedule);
                *at++ = db_int(rows[i].number);
                *at++ = db_id(rows[i].account);
                *at++ = db_int(rows[i].state);
                *at++ = db_int(rows[i].entered_at);
                *at++ = db_int(rows[i].admitted_at);
                *at++ = db_int(rows[i].pass_ends_at);
                *at++ = db_int(rows[i].ended_at);
        }
        return db_run(db, &insert, parameters, count, NULL, NULL, NULL);
}

/* Runs an UPDATE that must change each of the rows. */
static int update_all(struct db *db, const struct db_statement *update, const struct db_value *parameters,
                      size_t count) {
        int64_t changed = 0;
        int r = db_run(db, update, parameters, count, NULL, NULL, &changed);
        if (r == 0 && changed != (int64_t)count)
                return FAULT_CONSTRAINT;
        return r;
}

int line_entries_admit(struct db *db, struct arena *arena, schedule_id schedule, const struct line_row *rows,
                       size_t count) {
        static const struct db_statement update = {
                "UPDATE line_entry SET state = 1, admitted_at = $3, pass_ends_at = $4 "
                "WHERE schedule_id = $1 AND number = $2 AND state = 0",
                4};
        _Static_assert(ENTRY_WAITING == 0 && ENTRY_ADMITTED == 1, "as the statement says");
        if (count == 0)
                return 0;
        struct db_value *parameters = arena_take(arena, count * update.parameters * sizeof *parameters),
                        *at = parameters;
        if (!parameters)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
                *at++ = db_id(schedule);
                *at++ = db_int(rows[i].number);
                *at++ = db_int(rows[i].admitted_at);
                *at++ = db_int(rows[i].pass_ends_at);
        }
        return update_all(db, &update, parameters, count);
}

int line_entries_end(struct db *db, struct arena *arena, schedule_id schedule, const struct line_row *rows,
                     size_t count) {
        static const struct db_statement update = {"UPDATE line_entry SET state = $3, ended_at = $4 "
                                                   "WHERE schedule_id = $1 AND number = $2 AND state IN (0, 1)",
                                                   4};
        if (count == 0)
                return 0;
        struct db_value *parameters = arena_take(arena, count * update.parameters * sizeof *parameters),
                        *at = parameters;
        if (!parameters)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
                *at++ = db_id(schedule);
                *at++ = db_int(rows[i].number);
                *at++ = db_int(rows[i].state);
                *at++ = db_int(rows[i].ended_at);
        }
        return update_all(db, &update, parameters, count);
}

int line_save_draw(struct db *db, schedule_id schedule, int64_t drawn_at, uint32_t lobby_last) {
        static const struct db_statement insert = {
                "INSERT INTO line(schedule_id, drawn_at, lobby_count) VALUES ($1, $2, $3)", 3};
        struct db_value parameters[3] = {db_id(schedule), db_int(drawn_at), db_int(lobby_last)};
        return db_run(db, &insert, parameters, 1, NULL, NULL, NULL);
}
