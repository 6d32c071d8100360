/* kit_notes.c: see kit_notes.h. */
#include "kit/kit_notes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct db_migration migrations[] = {
        {"notes", 1,
         "CREATE TABLE note(id INTEGER PRIMARY KEY, value INTEGER NOT NULL UNIQUE);"
         "CREATE TABLE heard(event_id INTEGER PRIMARY KEY, value INTEGER NOT NULL);"},
};
static const struct db_statement insert_note = {"INSERT INTO note(id, value) VALUES ($1, $2)", 2};
static const struct db_statement insert_heard = {"INSERT INTO heard(event_id, value) VALUES ($1, $2)", 2};
static const struct db_statement select_count = {"SELECT count(*) FROM note", 0};

static int read_number(void *context, size_t index, const struct db_row *row) {
        (void)index;
        *(int64_t *)context = db_row_int(row, 0);
        return 0;
}

static void trace(struct notes *notes, const char *kind, size_t n) {
        size_t at = strlen(notes->trace);
        snprintf(notes->trace + at, sizeof notes->trace - at, "%s:%zu ", kind, n);
}

static struct note_command *of(struct lane_command *command) {
        return (struct note_command *)(void *)command;
}

static int say(struct turn *turn, unsigned type, int64_t value) {
        struct event event = {.type = type, .subject = (uint64_t)value, .payload = TEXT("{\"note\":true}")};
        return turn_say(turn, &event);
}

static int store_note(struct notes *notes, struct turn *turn, int64_t value) {
        struct db_value values[2] = {db_id(id_next(turn->ids, turn->now)), db_int(value)};
        notes->count++; /* before the database says yes: rolled_back has to put it right */
        int fault = db_run(turn->db, &insert_note, values, 1, NULL, NULL, NULL);
        return fault ? fault : say(turn, NOTE_ADDED, value);
}

static int run_add(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        trace(service, "add", count);
        for (size_t i = 0; i < count; i++) {
                int fault = store_note(service, turn, of(commands[i])->value);
                if (fault)
                        return fault;
                commands[i]->outcome = NOTE_STORED;
        }
        return 0;
}

static int run_count(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        trace(service, "count", count);
        for (size_t i = 0; i < count; i++) {
                int fault = db_run(turn->db, &select_count, NULL, 1, read_number, &of(commands[i])->found, NULL);
                if (fault)
                        return fault;
                commands[i]->outcome = NOTE_FOUND;
        }
        return 0;
}

static int run_wait(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        (void)turn;
        trace(service, "wait", count);
        for (size_t i = 0; i < count; i++) {
                commands[i]->outcome = LANE_WAIT;
                commands[i]->wait_key = (uint64_t)of(commands[i])->value;
                commands[i]->wait_until = of(commands[i])->wait_until;
        }
        return 0;
}

static int run_burst(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        (void)service;
        for (size_t i = 0; i < count; i++) {
                for (int64_t value = 1; value <= of(commands[i])->value; value++) {
                        int fault = say(turn, NOTE_ADDED, value);
                        if (fault)
                                return fault;
                }
                commands[i]->outcome = NOTE_SPOKEN;
        }
        return 0;
}

const struct lane_kind note_count = {.name = "note.count", .rank = 0, .read_only = true, .run = run_count};
const struct lane_kind note_add = {.name = "note.add", .rank = 1, .run = run_add};
const struct lane_kind note_burst = {.name = "note.burst", .rank = 1, .run = run_burst};
const struct lane_kind note_wait = {.name = "note.wait", .rank = 2, .read_only = true, .run = run_wait};

static int listen(void *service, struct turn *turn, const struct event *const *events, size_t count) {
        struct notes *notes = service;
        uint64_t last = 0;
        for (size_t i = 0; i < count; i++) {
                assert_true(events[i]->type == NOTE_ADDED && events[i]->id > last);
                assert_true(text_equal(events[i]->payload, TEXT("{\"note\":true}")));
                last = events[i]->id;
                int64_t value = (int64_t)events[i]->subject;
                if (value == notes->refused && value != 0) {
                        notes->refused_tries++;
                        return FAULT_CONSTRAINT;
                }
                struct db_value values[2] = {db_id(events[i]->id), db_int(value)};
                int fault = db_run(turn->db, &insert_heard, values, 1, NULL, NULL, NULL);
                turn->cause = events[i]->id;
                if (!fault)
                        fault = say(turn, NOTE_HEARD, value);
                if (!fault)
                        fault = turn_wake(turn, (uint64_t)value, NOTE_WOKEN);
                if (fault)
                        return fault;
        }
        return 0;
}

static int echo(void *service, struct turn *turn, const struct event *const *events, size_t count) {
        struct notes *notes = service;
        (void)turn;
        for (size_t i = 0; i < count; i++)
                assert_true(events[i]->type == NOTE_HEARD && events[i]->cause != 0 && events[i]->cause < events[i]->id);
        notes->echoes += count;
        return 0;
}

static int64_t due(void *service) {
        const struct notes *notes = service;
        return notes->tick_at > 0 ? notes->tick_at : INT64_MAX;
}

static int tick(void *service, struct turn *turn) {
        struct notes *notes = service;
        notes->ticks++;
        if (notes->ticks <= notes->ticks_refused)
                return FAULT_CONSTRAINT;
        notes->ticked = true;
        return store_note(notes, turn, -notes->tick_at);
}

static void committed(void *service) {
        struct notes *notes = service;
        notes->published = notes->count;
        if (notes->ticked)
                notes->tick_at = 0;
        notes->ticked = false;
}

static int load(struct notes *notes, struct db *db) {
        return db_run(db, &select_count, NULL, 1, read_number, &notes->count, NULL);
}

static int rolled_back(void *service, struct db *db) {
        struct notes *notes = service;
        notes->rollbacks++;
        notes->ticked = false;
        return load(notes, db);
}

void notes_init(struct notes *notes, struct lane *lane) {
        *notes = (struct notes){.lane = lane};
        const char *newer;
        assert_int_equal(db_migrate(lane_db(lane), migrations, 1, &newer), 0);
        assert_int_equal(load(notes, lane_db(lane)), 0);
        notes->published = notes->count;
        const struct lane_room room = {.name = "notes",
                                       .service = notes,
                                       .due = due,
                                       .tick = tick,
                                       .committed = committed,
                                       .rolled_back = rolled_back};
        lane_add_room(lane, &room);
        const struct lane_consumer listener = {"notes.listener", notes, EVENT_BIT(NOTE_ADDED), listen};
        const struct lane_consumer second = {"notes.echo", notes, EVENT_BIT(NOTE_HEARD), echo};
        assert_int_equal(lane_add_consumer(lane, &listener), 0);
        assert_int_equal(lane_add_consumer(lane, &second), 0);
}

struct note_command note_command(struct notes *notes, const struct lane_kind *kind, int64_t value) {
        return (struct note_command){
                .command = {.kind = kind, .service = notes, .done = notes_done},
                .value = value,
                .wait_until = INT64_MAX,
        };
}

void notes_done(struct lane_command *command) {
        of(command)->answers++;
}

int64_t notes_ask(struct lane *lane, const char *sql) {
        /* A statement is remembered by its address, so each question needs one of its own. */
        static struct db_statement questions[16];
        size_t i = 0;
        while (questions[i].sql && strcmp(questions[i].sql, sql) != 0)
                assert_true(++i < 16);
        if (!questions[i].sql)
                questions[i].sql = sql;
        int64_t number = -1;
        assert_int_equal(db_run(lane_db(lane), &questions[i], NULL, 1, read_number, &number, NULL), 0);
        return number;
}
