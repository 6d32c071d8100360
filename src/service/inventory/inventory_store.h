/* inventory_store.h: the SQL of tables seat and hold.
 *
 * A use case collects what it changes in struct writes and saves it with one statement per table. Every change of a
 * seat is one and the same fenced statement: it names the state and the version that the seat had in memory, and a row
 * that does not look like that is not changed. A fence that finds nothing is FAULT_CONSTRAINT: memory was wrong,
 * nothing of the turn is stored, and memory is loaded again. So the database refuses to sell a seat twice even if all
 * layers above it are mistaken. */
#ifndef TICKETRUSH_SERVICE_INVENTORY_STORE_H
#define TICKETRUSH_SERVICE_INVENTORY_STORE_H

#include "base/arena.h"
#include "port/db.h"
#include "service/inventory/inventory_rules.h"

struct plan;

struct seat_move {
        schedule_id schedule;
        seat_index seat;
        struct seat before, after;
};

/* What an UPDATE of a hold says; the seats only when they have changed. */
struct hold_update {
        purchase_id id;
        enum hold_state before, state;
        bool paying, ordered;
        int64_t expires_at, ended_at;
        struct text seats; /* encoded; length 0: unchanged */
};

struct hold_insert {
        purchase_id id;
        schedule_id schedule;
        account_id account;
        int64_t created_at, expires_at;
        struct idempotency idempotency;
        struct text seats;
};

/* Grows in the turn's arena. A failed addition sticks: writes_save returns it. */
struct writes {
        struct arena *arena;
        int fault;
        struct seat_move *moves;
        struct hold_insert *inserts;
        struct hold_update *updates;
        size_t move_count, move_capacity, insert_count, insert_capacity, update_count, update_capacity;
};

void writes_init(struct writes *writes, struct arena *arena);
void writes_add_move(struct writes *writes, const struct seat_move *move);
void writes_add_insert(struct writes *writes, const struct hold *hold);
/* before: the state that the row has now. */
void writes_add_update(struct writes *writes, const struct hold *hold, enum hold_state before, bool seats_changed);
int writes_save(struct writes *writes, struct db *db);

/* Each seat of a schedule, in order. */
typedef int (*store_on_seat)(void *context, seat_index index, const struct seat *seat);
int store_read_seats(struct db *db, schedule_id schedule, store_on_seat on_seat, void *context);
typedef int (*store_on_hold)(void *context, const struct hold *hold);
/* Every hold that the schedule ever had. */
int store_read_schedule_holds(struct db *db, schedule_id schedule, store_on_hold on_hold, void *context);
/* The holds with these numbers, those that there are. */
int store_read_holds(struct db *db, struct arena *arena, const purchase_id *ids, size_t count, store_on_hold on_hold,
                     void *context);
/* Schedules that have an ACTIVE hold. */
int store_read_busy_schedules(struct db *db, int (*on_schedule)(void *context, schedule_id schedule), void *context);
/* Makes the seats that are not there yet; amounts: the price per category of the plan, -1: blocked. */
int store_make_seats(struct db *db, schedule_id schedule, const struct plan *plan, const int64_t *amounts,
                     int64_t *ret_made);

#endif
