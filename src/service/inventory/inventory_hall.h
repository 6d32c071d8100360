/* inventory_hall.h: a schedule's seats and holds in the lane's memory: the mirror of the rows.
 *
 *   halls ─ by schedule ──► hall: seats[], share of each person, idempotency keys, list of its live holds, board
 *         ─ by number ────► hold_slot (ACTIVE holds, of all halls)
 *         ─ by deadline ──► heap of (expires_at, number); an outdated entry means nothing when it comes up
 *
 * Only the lane's thread comes here. The rules decide on what stands here; hall_move carries a decision out, in memory
 * and in the turn's struct writes. Until the commit the board (which edges read) does not know; halls_committed tells
 * it. When a turn is rolled back, the halls it touched are read again from the database (halls_rolled_back), so that
 * memory is never wrong for longer than a turn: the fences in the store find out, and this repairs it.
 *
 * A fault in the middle of a move (no memory) fails the turn, and so is repaired in the same way.
 *
 * At most LOADED_SCHEDULES_MAX halls stay loaded: beyond that those without live holds that have been idle longest are
 * forgotten. Their boards stay and stay right, because whatever changes a seat loads its hall first. */
#ifndef TICKETRUSH_SERVICE_INVENTORY_HALL_H
#define TICKETRUSH_SERVICE_INVENTORY_HALL_H

#include "base/heap.h"
#include "base/map.h"
#include "service/inventory/inventory_board.h"
#include "service/inventory/inventory_store.h"

/* An ACTIVE hold; or one that ended in this turn, until the turn is over. */
struct hold_slot {
        struct hold hold;
        struct hold_slot *next, **link; /* list of the hall, or of the spare ones */
};

struct hall {
        schedule_id schedule;
        struct seat *seats;
        uint32_t seat_count; /* 0: forgotten; read it again */
        struct seat_counts counts;
        struct map shares; /* account → seats that it holds or has bought */
        struct map keys;   /* idempotency key → hold, of every hold the schedule ever had */
        struct hold_slot *live;
        struct board *board;
        struct board_change *changes; /* of this turn, for the board */
        size_t change_count, change_capacity;
        size_t read_count; /* the first so many of them were read from the database: the board may show them already */
        uint64_t used;     /* when it was last asked for, in halls->asked */
        bool loaded;       /* counted in halls->loaded */
        bool touched;      /* in this turn: stands in halls->touched */
        struct hall *next_touched;
};

struct slot_block;

struct halls {
        struct map by_schedule; /* → struct hall */
        struct map live;        /* → struct hold_slot */
        struct heap deadlines;
        uint64_t asked; /* counts halls_find */
        size_t loaded, loaded_max;
        struct hall *touched;
        struct hold_slot *ended, *spare;
        struct slot_block *blocks;
        struct boards boards;
};

void halls_init(struct halls *halls);
void halls_deinit(struct halls *halls);

/* The hall, read from the database if it is not here yet. 0, -ENOENT (no seats have been made), or another fault. */
int halls_find(struct halls *halls, struct db *db, int64_t now, schedule_id schedule, struct hall **ret_hall);
/* The counts as this turn has them. A forgotten hall is not loaded for it: then its board knows. */
int halls_counts(struct halls *halls, struct db *db, int64_t now, schedule_id schedule, struct seat_counts *ret_counts);
/* NULL: not ACTIVE (or not there at all; look into the database). */
struct hold *halls_live(const struct halls *halls, purchase_id id);
/* Every hall that has an ACTIVE hold: for the first turn. */
int halls_read_busy(struct halls *halls, struct db *db, int64_t now);

/* Publishes what this turn has changed; forgets idle halls beyond the limit. */
void halls_committed(struct halls *halls);
/* Reads again what this turn has touched. */
int halls_rolled_back(struct halls *halls, struct db *db);

uint32_t hall_share(const struct hall *hall, account_id account);
purchase_id hall_keyed(const struct hall *hall, uint64_t idempotency_key); /* 0: none */

/* Steps of a turn. holder: whose the seat is after the move (0: nobody's). */
int hall_move_seat(struct halls *halls, struct hall *hall, struct writes *writes, seat_index index, struct seat after,
                   account_id holder);
int hall_add_share(struct hall *hall, account_id account, int32_t seats);
/* A new live hold (its seats are moved by the caller); *ret_hold is the copy in memory. */
int hall_add_hold(struct halls *halls, struct hall *hall, const struct hold *hold, struct hold **ret_hold);
/* A hold (live, or read from the database) has changed: its row follows. before: its state before that. */
void hall_save_hold(struct halls *halls, struct hall *hall, struct writes *writes, const struct hold *hold,
                    enum hold_state before, bool seats_changed);
/* The hold is not ACTIVE any more; its memory stays until the turn is over. */
void hall_end_hold(struct halls *halls, struct hold *hold);
/* expires_at has changed. */
int halls_set_deadline(struct halls *halls, const struct hold *hold);

#endif
