/* inventory_world_test.h: a small world for tests: a lane on a file, an inventory, fakes of its neighbours (schedules,
 * passes), people who say events, and a judge of what stands in the database. */
#ifndef TICKETRUSH_SERVICE_INVENTORY_WORLD_TEST_H
#define TICKETRUSH_SERVICE_INVENTORY_WORLD_TEST_H

#include "kit/kit_db_fault.h"
#include "kit/kit_lane.h"
#include "service/event/event.h"
#include "service/inventory/inventory_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum {
        WORLD_SEATS_MAX = 50000,
        WORLD_SCHEDULE = 1001,
        WORLD_ORGANISER = 500,
        WORLD_CAP = 4,
        WORLD_HOLD_SECONDS = 300,
};

struct world {
        char path[KIT_PATH_MAX];
        struct db *db; /* the lane's, with a fault to be armed */
        struct lane *lane;
        struct inventory *inventory;
        struct plan plan;
        struct plan_row row;
        struct schedule schedule; /* the one that the fakes know; change it at will */
        bool nobody_admitted;
        purchase_id held;   /* the hold of the last world_hold that gave one */
        seat_mask culprits; /* of the last world_hold or world_change */
};

/* One world at a time. A schedule on sale, its seats made; categories: seat n has category n % 2, seats of both cost.
 */
void world_open(struct world *world, uint32_t seats);
void world_close(struct world *world);
/* The program dies and starts again on the same file. */
void world_restart(struct world *world);

/* One seat list, ended by -1. Outcome or fault. */
int world_hold(struct world *world, account_id account, struct idempotency key, ...);
int world_change(struct world *world, purchase_id hold, account_id account, ...);
int world_release(struct world *world, purchase_id hold, account_id account);
int world_block(struct world *world, account_id account, bool blocked, seat_index seat);
struct hold world_read(struct world *world, purchase_id hold);
/* What others say, and what follows from it. */
void world_say(struct world *world, enum event_type type, purchase_id subject);
/* The same for several events in one turn. */
void world_say_all(struct world *world, enum event_type type, const purchase_id *subjects, size_t count);
/* Said and committed, but nobody has consumed it yet. */
void world_say_unheard(struct world *world, enum event_type type, purchase_id subject);
/* Outcome 1, or the fault. `inventory`: the world's, or another one on its database. */
int world_lock(struct world *world, struct inventory *inventory, purchase_id hold);
/* Lets time pass, and what is due happen. */
void world_wait(struct world *world, int64_t seconds);

/* A number of the database. */
int64_t world_query(struct world *world, const char *sql);
/* How often an event of this type has been said about the subject. */
int64_t world_said(struct world *world, enum event_type type, uint64_t subject);
/* One letter a seat, from the database, and from the board. */
void world_states(struct world *world, char *states);
void world_assert_states(struct world *world, const char *states);
/* Wishes refused without a write, in this process. */
int64_t world_refused(void);
/* I1, I4, I5 and I8 by the rows alone; memory is what the rows say; the board shows it. */
void world_judge(struct world *world);

#endif
