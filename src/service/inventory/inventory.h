/* inventory.h: seats and holds of each schedule, and the live seat board: the public face of the inventory service.
 *
 *   seat  AVAILABLE ⇄ HELD → SOLD (→ AVAILABLE after a refund), AVAILABLE ⇄ BLOCKED
 *
 *            hold taken       paid, confirmed by fence
 *   (none) ────────► ACTIVE ────────────► CONSUMED
 *                       ├──► RELEASED  by its owner, or because the payment was declined
 *                       └──► EXPIRED   its time was over (never while a payment is on its way)
 *
 * Every time a seat is held its hold_version rises by one; a hold remembers the versions it was given, and a seat is
 * sold only while state is HELD and the version is still that one (fencing). RELEASED and EXPIRED holds may come back as
 * CONSUMED: late money takes the same seats again if all are free. */
#ifndef TICKETRUSH_SERVICE_INVENTORY_H
#define TICKETRUSH_SERVICE_INVENTORY_H

#include "base/fsm.h"
#include "port/clock.h"
#include "port/db.h"
#include "service/limits.h"
#include "service/vocabulary.h"

struct edge;
struct event_service;
struct inventory;
struct lane;
struct queue;
struct turn;

enum seat_state { SEAT_AVAILABLE, SEAT_HELD, SEAT_SOLD, SEAT_BLOCKED };
enum hold_state { HOLD_ACTIVE, HOLD_CONSUMED, HOLD_RELEASED, HOLD_EXPIRED };
extern const struct fsm seat_fsm;
extern const struct fsm hold_fsm;

struct hold {
        purchase_id id;
        schedule_id schedule;
        account_id account;
        enum hold_state state;
        int64_t created_at, expires_at;
        struct idempotency idempotency;
        uint32_t seat_count;
        bool paying; /* a payment is on its way: does not expire before expires_at, which was extended */
        seat_index seats[HOLD_SEATS_MAX];
        uint32_t versions[HOLD_SEATS_MAX];
};

extern const struct db_migration inventory_migrations[];
extern const size_t inventory_migration_count;

struct inventory_config { struct lane *lane; struct clock *clock; struct event_service *events; struct queue *queue; };
int inventory_new(struct inventory **ret_inventory, const struct inventory_config *config);
struct inventory *inventory_free(struct inventory *inventory);
void inventory_add_routes(struct inventory *inventory, struct edge *edge);

/* On the lane: the hold, from memory or from the database. 0, or negative fault; -ENOENT: there is none. */
int inventory_hold(struct inventory *inventory, struct turn *turn, purchase_id id, struct hold *ret_hold);

struct seat_counts { uint32_t available, held, sold, blocked, seats; };
/* Any thread: the last committed counts; zeros if not loaded. */
void inventory_counts(const struct inventory *inventory, schedule_id schedule, struct seat_counts *ret_counts);
/* On the lane: counts including this turn (loads the schedule if needed). */
int inventory_counts_now(struct inventory *inventory, struct turn *turn, schedule_id schedule, struct seat_counts *ret_counts);

#endif
