/* payment_store.h: payments in the database, and the open ones in memory.
 *
 * Open is a payment about which the provider still has to be asked (payment_is_open): those of the last moments, and
 * the few that are in trouble. They are mirrored in rows of a pool, found by a map; addresses stay the same while a
 * row is open. The partial index payment_open finds them again at a start and after a rollback, however many payments
 * lie behind. Everything else is read from the database when it is asked for. Only the lane's thread comes here. */
#ifndef TICKETRUSH_SERVICE_PAYMENT_STORE_H
#define TICKETRUSH_SERVICE_PAYMENT_STORE_H

#include "base/map.h"
#include "lane/turn.h"
#include "service/payment/payment.h"

struct payment_row {
        purchase_id id;
        schedule_id schedule;
        account_id account;
        enum payment_state state;
        uint32_t attempts; /* questions asked since the last news */
        struct money amount;
        int64_t refund_amount;
        int64_t next_at; /* when to ask again, if open */
        int64_t created_at, updated_at;
        struct idempotency idempotency;
        char token[PAY_REFERENCE_MAX];
        char code[PAY_CODE_MAX];
        char reference[PAY_REFERENCE_MAX];
        bool changed;                  /* by the use case at work: has to be written */
        struct payment_row *next_free; /* the pool's own */
};

struct payment_pool;
struct payment_store {
        struct map open; /* id → struct payment_row * */
        struct payment_pool *pools;
        struct payment_row *free;
        const char *provider; /* its name, written into each row */
};

int payment_store_init(struct payment_store *store, const char *provider);
void payment_store_deinit(struct payment_store *store);
/* The mirror as the database has it: at a start and after a rollback. */
int payment_store_reload(struct payment_store *store, struct db *db);

/* From memory: NULL if it is not open. */
struct payment_row *payment_store_open(const struct payment_store *store, purchase_id id);
/* For each n: open in memory, else a copy in the turn's arena read from the database, else NULL. Each id once. */
int payment_store_find(struct payment_store *store, struct turn *turn, const purchase_id *ids,
                       struct payment_row **ret_rows, size_t count);

/* Writes new rows. Those that are open are mirrored. */
int payment_store_insert(struct payment_store *store, struct turn *turn, const struct payment_row *rows, size_t count);
/* Writes changed rows (of payment_store_find), each at most once, clears `changed`, and puts them into the mirror or
 * out of it: rows that are no longer open are gone afterwards. */
int payment_store_update(struct payment_store *store, struct turn *turn, struct payment_row *const *rows, size_t count);

#endif
