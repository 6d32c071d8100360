/* order_store.h: orders in the database, and the ones touched last in memory.
 *
 * An order is read three times within the second in which it is bought (to pay it, when it is paid, when it has its
 * tickets), so the last ORDER_RECENT_MAX orders loaded or saved are kept: an array in which an id has one place, and a
 * newer order takes the place of an older one. It mirrors what this transaction sees; after a rollback it is emptied.
 *
 * order_tally(schedule_id, …) counts each schedule's orders by state and its money, in the same transaction as the
 * orders themselves, so that an organiser's figures never need a walk over the orders. Only the lane's thread comes
 * here. */
#ifndef TICKETRUSH_SERVICE_ORDER_STORE_H
#define TICKETRUSH_SERVICE_ORDER_STORE_H

#include "lane/turn.h"
#include "service/order/order.h"

enum { ORDER_RECENT_MAX = 8192 }; /* a power of two */

struct order_store {
        struct order *recent;
};

int order_store_init(struct order_store *store);
void order_store_deinit(struct order_store *store);
/* After a rollback. */
void order_store_forget(struct order_store *store);

/* ret_orders[i] is the order of ids[i]; its id is 0 if there is none. */
int order_store_load(struct order_store *store, struct turn *turn, const purchase_id *ids, struct order *ret_orders,
                     size_t count);
int order_store_insert(struct order_store *store, struct turn *turn, const struct order *const *orders, size_t count);
int order_store_update(struct order_store *store, struct turn *turn, const struct order *const *orders, size_t count);

/* For each question: the id of the account's order that carries the key, or 0. */
struct order_key {
        account_id account;
        uint64_t key;
        purchase_id found;
};
int order_store_find_keys(struct turn *turn, struct order_key *keys, size_t count);

/* The account's orders before an id (0: from the newest), newest first; *ret_count of at most `limit`. */
int order_store_list(struct turn *turn, account_id account, purchase_id before, unsigned limit,
                     struct order *ret_orders, size_t *ret_count);

struct order_tally {
        schedule_id schedule;
        int64_t orders[ORDER_STATES]; /* by state */
        int64_t captured, refunded;   /* minor units: taken for orders, and given back */
};
/* Adds each tally to the stored one of its schedule. */
int order_store_add_tallies(struct turn *turn, const struct order_tally *tallies, size_t count);
/* Zeros if nobody has ordered yet. */
int order_store_tally(struct turn *turn, schedule_id schedule, struct order_tally *ret_tally);

#endif
