/* inventory.h: seats and holds of each schedule, and the live seat board: the public face of the inventory service.
 * What a seat and a hold are, and how they live, is drawn in inventory_rules.h. */
#ifndef TICKETRUSH_SERVICE_INVENTORY_H
#define TICKETRUSH_SERVICE_INVENTORY_H

#include "port/clock.h"
#include "port/db.h"
#include "service/inventory/inventory_rules.h"

struct edge;
struct event_service;
struct inventory;
struct lane;
struct queue;
struct turn;

extern const struct db_migration inventory_migrations[];
extern const size_t inventory_migration_count;

struct inventory_config {
        struct lane *lane;
        struct clock *clock;
        struct event_service *events;
        struct queue *queue;
};
int inventory_new(struct inventory **ret_inventory, const struct inventory_config *config);
struct inventory *inventory_free(struct inventory *inventory);
void inventory_add_routes(struct inventory *inventory, struct edge *edge);

/* On the lane: the hold, from memory or from the database. 0, or negative fault; -ENOENT: there is none. */
int inventory_hold(struct inventory *inventory, struct turn *turn, purchase_id id, struct hold *ret_hold);
/* On the lane: orders have been made of these holds, so their seats are fixed from now on (changing them is refused).
 * Idempotent. 0, or negative fault; -ENOENT: one of them is not ACTIVE (then none is locked). */
int inventory_lock_holds(struct inventory *inventory, struct turn *turn, const purchase_id *ids, size_t count);

struct seat_counts {
        uint32_t available, held, sold, blocked, seats;
};
/* Any thread: the last committed counts; zeros if not loaded. */
void inventory_counts(const struct inventory *inventory, schedule_id schedule, struct seat_counts *ret_counts);
/* On the lane: counts including this turn (loads the schedule if needed). */
int inventory_counts_now(struct inventory *inventory, struct turn *turn, schedule_id schedule,
                         struct seat_counts *ret_counts);

#endif
