/* inventory_store.c: statements, and rows in and out of structs. */
#include "service/inventory/inventory_store.h"

#include "service/event/event.h"
#include "service/inventory/inventory.h"

enum {
        STORE_ROWS_AT_ONCE = 512, /* parameters of so many rows are laid out at a time */
        SEAT_BYTES = 8,           /* of one seat in a hold's blob */
        HOLD_BYTES_MAX = HOLD_SEATS_MAX * SEAT_BYTES,
};

const struct db_migration inventory_migrations[] = {
        {"inventory", 1,
         "CREATE TABLE seat(schedule_id INTEGER NOT NULL, seat INTEGER NOT NULL, state INTEGER NOT NULL,"
         " hold_id INTEGER NOT NULL, hold_version INTEGER NOT NULL, PRIMARY KEY(schedule_id, seat)) WITHOUT ROWID;"
         "CREATE TABLE hold(id INTEGER PRIMARY KEY, schedule_id INTEGER NOT NULL, account_id INTEGER NOT NULL,"
         " state INTEGER NOT NULL, paying INTEGER NOT NULL, ordered INTEGER NOT NULL, created_at INTEGER NOT NULL,"
         " expires_at INTEGER NOT NULL, ended_at INTEGER NOT NULL, seats BLOB NOT NULL,"
         " idempotency_key INTEGER NOT NULL, idempotency_fingerprint INTEGER NOT NULL);"
         "CREATE INDEX hold_by_schedule ON hold(schedule_id, id);"
         /* Few rows, at the hot end: the holds that a start has to know, whatever the number of old ones. */
         "CREATE INDEX hold_active ON hold(schedule_id) WHERE state = 0;"},
};
const size_t inventory_migration_count = sizeof inventory_migrations / sizeof *inventory_migrations;
_Static_assert(HOLD_ACTIVE == 0, "the index hold_active says so");

#define HOLD_COLUMNS                                                                                     \
        "id, schedule_id, account_id, state, paying, ordered, created_at, expires_at, ended_at, seats, " \
        "idempotency_key,"                                                                               \
        " idempotency_fingerprint"

static const struct db_statement move_seat = {
        "UPDATE seat SET state = $3, hold_id = $4, hold_version = $5"
        " WHERE schedule_id = $1 AND seat = $2 AND state = $6 AND hold_id = $7 AND hold_version = $8",
        8};
static const struct db_statement insert_hold = {
        "INSERT INTO hold(" HOLD_COLUMNS ") VALUES($1, $2, $3, 0, 0, 0, $4, $5, 0, $6, $7, $8)", 8};
static const struct db_statement update_hold = {"UPDATE hold SET state = $3, paying = $4, ordered = $5, expires_at = "
                                                "$6, ended_at = $7 WHERE id = $1 AND state = $2",
                                                7};
static const struct db_statement update_hold_seats = {
        "UPDATE hold SET state = $3, paying = $4, ordered = $5, expires_at = $6, ended_at = $7, seats = $8"
        " WHERE id = $1 AND state = $2",
        8};
static const struct db_statement insert_seat = {
        "INSERT INTO seat(schedule_id, seat, state, hold_id, hold_version) VALUES($1, $2, $3, 0, 0)"
        " ON CONFLICT(schedule_id, seat) DO NOTHING",
        3};
static const struct db_statement select_seats = {
        "SELECT seat, state, hold_id, hold_version FROM seat WHERE schedule_id = $1 ORDER BY seat", 1};
static const struct db_statement select_schedule_holds = {"SELECT " HOLD_COLUMNS " FROM hold WHERE schedule_id = $1",
                                                          1};
static const struct db_statement select_hold = {"SELECT " HOLD_COLUMNS " FROM hold WHERE id = $1", 1};
static const struct db_statement select_busy_schedules = {"SELECT DISTINCT schedule_id FROM hold WHERE state = 0", 0};

static void put_u32(uint8_t *at, uint32_t number) {
        for (unsigned i = 0; i < 4; i++)
                at[i] = (uint8_t)(number >> 8 * i);
}

static uint32_t get_u32(const uint8_t *at) {
        return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static struct text encode_seats(struct arena *arena, const struct hold *hold) {
        uint8_t *bytes = arena_take(arena, hold->seat_count * SEAT_BYTES);
        if (!bytes)
                return (struct text){0};
        for (uint32_t i = 0; i < hold->seat_count; i++) {
                put_u32(bytes + i * SEAT_BYTES, hold->seats[i]);
                put_u32(bytes + i * SEAT_BYTES + 4, hold->versions[i]);
        }
        return (struct text){(const char *)bytes, hold->seat_count * SEAT_BYTES};
}

static int decode_seats(struct text blob, struct hold *hold) {
        if (blob.length == 0 || blob.length > HOLD_BYTES_MAX || blob.length % SEAT_BYTES != 0)
                return FAULT_FORMAT;
        hold->seat_count = (uint32_t)(blob.length / SEAT_BYTES);
        for (uint32_t i = 0; i < hold->seat_count; i++) {
                const uint8_t *at = (const uint8_t *)blob.at + i * SEAT_BYTES;
                hold->seats[i] = get_u32(at);
                hold->versions[i] = get_u32(at + 4);
        }
        return 0;
}

static int decode_hold(const struct db_row *row, struct hold *ret_hold) {
        int64_t state = db_row_int(row, 3);
        if (state < HOLD_ACTIVE || state > HOLD_EXPIRED)
                return FAULT_FORMAT;
        *ret_hold = (struct hold){
                .id = db_row_id(row, 0),
                .schedule = db_row_id(row, 1),
                .account = db_row_id(row, 2),
                .state = (enum hold_state)state,
                .paying = db_row_int(row, 4) != 0,
                .ordered = db_row_int(row, 5) != 0,
                .created_at = db_row_int(row, 6),
                .expires_at = db_row_int(row, 7),
                .ended_at = db_row_int(row, 8),
                .idempotency = {db_row_id(row, 10), db_row_id(row, 11)},
        };
        return decode_seats(db_row_bytes(row, 9), ret_hold);
}

void writes_init(struct writes *writes, struct arena *arena) {
        *writes = (struct writes){.arena = arena};
}

/* Room for one more item at the end of a list in the arena, or NULL: then the fault sticks. */
static void *writes_grow(struct writes *writes, void *items, size_t count, size_t *capacity, size_t size) {
        if (count < *capacity)
                return items;
        size_t more = *capacity ? *capacity * 2 : 64;
        void *bigger = arena_take(writes->arena, more * size);
        if (!bigger) {
                writes->fault = -ENOMEM;
                return NULL;
        }
        if (count > 0)
                memcpy(bigger, items, count * size);
        *capacity = more;
        return bigger;
}

void writes_add_move(struct writes *writes, const struct seat_move *move) {
        struct seat_move *moves =
                writes_grow(writes, writes->moves, writes->move_count, &writes->move_capacity, sizeof *moves);
        if (!moves)
                return;
        writes->moves = moves;
        moves[writes->move_count++] = *move;
}

void writes_add_insert(struct writes *writes, const struct hold *hold) {
        struct hold_insert *inserts =
                writes_grow(writes, writes->inserts, writes->insert_count, &writes->insert_capacity, sizeof *inserts);
        struct text seats = encode_seats(writes->arena, hold);
        if (!inserts || !seats.at) {
                writes->fault = -ENOMEM;
                return;
        }
        writes->inserts = inserts;
        inserts[writes->insert_count++] = (struct hold_insert){
                .id = hold->id,
                .schedule = hold->schedule,
                .account = hold->account,
                .created_at = hold->created_at,
                .expires_at = hold->expires_at,
                .idempotency = hold->idempotency,
                .seats = seats,
        };
}

void writes_add_update(struct writes *writes, const struct hold *hold, enum hold_state before, bool seats_changed) {
        struct hold_update *updates =
                writes_grow(writes, writes->updates, writes->update_count, &writes->update_capacity, sizeof *updates);
        struct text seats = seats_changed ? encode_seats(writes->arena, hold) : (struct text){0};
        if (!updates || (seats_changed && !seats.at)) {
                writes->fault = -ENOMEM;
                return;
        }
        writes->updates = updates;
        updates[writes->update_count++] = (struct hold_update){
                .id = hold->id,
                .before = before,
                .state = hold->state,
                .paying = hold->paying,
                .ordered = hold->ordered,
                .expires_at = hold->expires_at,
                .ended_at = hold->ended_at,
                .seats = seats,
        };
}

/* Runs a statement whose every row has to change exactly one row of its table. */
static int run_exactly(struct db *db, const struct db_statement *statement, const struct db_value *values,
                       size_t rows) {
        int64_t changed = 0;
        int r = rows > 0 ? db_run(db, statement, values, rows, NULL, NULL, &changed) : 0;
        if (r < 0)
                return r;
        return changed == (int64_t)rows ? 0 : FAULT_CONSTRAINT;
}

static int save_moves(const struct writes *writes, struct db *db, struct db_value *values) {
        size_t rows = 0;
        for (size_t i = 0; i < writes->move_count; i++) {
                const struct seat_move *move = &writes->moves[i];
                struct db_value *at = values + rows * 8;
                at[0] = db_id(move->schedule);
                at[1] = db_int(move->seat);
                at[2] = db_int(move->after.state);
                at[3] = db_id(move->after.hold);
                at[4] = db_int(move->after.version);
                at[5] = db_int(move->before.state);
                at[6] = db_id(move->before.hold);
                at[7] = db_int(move->before.version);
                if (++rows < STORE_ROWS_AT_ONCE && i + 1 < writes->move_count)
                        continue;
                int r = run_exactly(db, &move_seat, values, rows);
                if (r < 0)
                        return r;
                rows = 0;
        }
        return 0;
}

static int save_inserts(const struct writes *writes, struct db *db, struct db_value *values) {
        size_t rows = 0;
        for (size_t i = 0; i < writes->insert_count; i++) {
                const struct hold_insert *insert = &writes->inserts[i];
                struct db_value *at = values + rows * 8;
                at[0] = db_id(insert->id);
                at[1] = db_id(insert->schedule);
                at[2] = db_id(insert->account);
                at[3] = db_int(insert->created_at);
                at[4] = db_int(insert->expires_at);
                at[5] = db_blob(insert->seats.at, insert->seats.length);
                at[6] = db_id(insert->idempotency.key);
                at[7] = db_id(insert->idempotency.fingerprint);
                if (++rows < STORE_ROWS_AT_ONCE && i + 1 < writes->insert_count)
                        continue;
                int r = run_exactly(db, &insert_hold, values, rows);
                if (r < 0)
                        return r;
                rows = 0;
        }
        return 0;
}

static size_t put_update(struct db_value *at, const struct hold_update *update) {
        at[0] = db_id(update->id);
        at[1] = db_int((int64_t)update->before);
        at[2] = db_int((int64_t)update->state);
        at[3] = db_int(update->paying);
        at[4] = db_int(update->ordered);
        at[5] = db_int(update->expires_at);
        at[6] = db_int(update->ended_at);
        if (update->seats.length == 0)
                return 7;
        at[7] = db_blob(update->seats.at, update->seats.length);
        return 8;
}

/* Updates of one hold have to stay in order, so a run of equal statements goes at once. */
static int save_updates(const struct writes *writes, struct db *db, struct db_value *values) {
        size_t rows = 0, used = 0;
        for (size_t i = 0; i < writes->update_count; i++) {
                const struct hold_update *update = &writes->updates[i];
                bool with_seats = update->seats.length > 0;
                used += put_update(values + used, update);
                bool last = i + 1 == writes->update_count || (writes->updates[i + 1].seats.length > 0) != with_seats;
                if (++rows < STORE_ROWS_AT_ONCE && !last)
                        continue;
                int r = run_exactly(db, with_seats ? &update_hold_seats : &update_hold, values, rows);
                if (r < 0)
                        return r;
                rows = used = 0;
        }
        return 0;
}

int writes_save(struct writes *writes, struct db *db) {
        if (writes->fault)
                return writes->fault;
        if (writes->move_count + writes->insert_count + writes->update_count == 0)
                return 0;
        struct db_value *values = arena_take(writes->arena, STORE_ROWS_AT_ONCE * 8 * sizeof *values);
        if (!values)
                return -ENOMEM;
        int r = save_inserts(writes, db, values);
        if (r == 0)
                r = save_moves(writes, db, values);
        return r == 0 ? save_updates(writes, db, values) : r;
}

struct read_seats {
        store_on_seat on_seat;
        void *context;
};

static int read_seat(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct read_seats *read = context;
        int64_t state = db_row_int(row, 1), version = db_row_int(row, 3);
        if (state < SEAT_AVAILABLE || state > SEAT_BLOCKED || version < 0 || version > UINT32_MAX)
                return FAULT_FORMAT;
        struct seat seat = {.hold = db_row_id(row, 2), .version = (uint32_t)version, .state = (uint8_t)state};
        return read->on_seat(read->context, (seat_index)db_row_int(row, 0), &seat);
}

int store_read_seats(struct db *db, schedule_id schedule, store_on_seat on_seat, void *context) {
        struct read_seats read = {on_seat, context};
        struct db_value value = db_id(schedule);
        return db_run(db, &select_seats, &value, 1, read_seat, &read, NULL);
}

struct read_holds {
        store_on_hold on_hold;
        void *context;
};

static int read_hold(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct read_holds *read = context;
        struct hold hold;
        int r = decode_hold(row, &hold);
        return r < 0 ? r : read->on_hold(read->context, &hold);
}

int store_read_schedule_holds(struct db *db, schedule_id schedule, store_on_hold on_hold, void *context) {
        struct read_holds read = {on_hold, context};
        struct db_value value = db_id(schedule);
        return db_run(db, &select_schedule_holds, &value, 1, read_hold, &read, NULL);
}

int store_read_holds(struct db *db, struct arena *arena, const purchase_id *ids, size_t count, store_on_hold on_hold,
                     void *context) {
        if (count == 0)
                return 0;
        struct read_holds read = {on_hold, context};
        struct db_value *values = arena_take(arena, count * sizeof *values);
        if (!values)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++)
                values[i] = db_id(ids[i]);
        return db_run(db, &select_hold, values, count, read_hold, &read, NULL);
}

struct read_schedules {
        int (*on_schedule)(void *context, schedule_id schedule);
        void *context;
};

static int read_schedule(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct read_schedules *read = context;
        return read->on_schedule(read->context, db_row_id(row, 0));
}

int store_read_busy_schedules(struct db *db, int (*on_schedule)(void *context, schedule_id schedule), void *context) {
        struct read_schedules read = {on_schedule, context};
        return db_run(db, &select_busy_schedules, NULL, 1, read_schedule, &read, NULL);
}

int store_make_seats(struct db *db, schedule_id schedule, const struct plan *plan, const int64_t *amounts,
                     int64_t *ret_made) {
        struct db_value values[STORE_ROWS_AT_ONCE * 3];
        size_t rows = 0;
        *ret_made = 0;
        for (seat_index seat = 0; seat < plan->seat_count; seat++) {
                bool for_sale = amounts[plan->seats[seat].category] >= 0;
                values[rows * 3] = db_id(schedule);
                values[rows * 3 + 1] = db_int(seat);
                values[rows * 3 + 2] = db_int(for_sale ? SEAT_AVAILABLE : SEAT_BLOCKED);
                if (++rows < STORE_ROWS_AT_ONCE && seat + 1 < plan->seat_count)
                        continue;
                int64_t made = 0;
                int r = db_run(db, &insert_seat, values, rows, NULL, NULL, &made);
                if (r < 0)
                        return r;
                *ret_made += made;
                rows = 0;
        }
        return 0;
}
