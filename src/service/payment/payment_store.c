/* payment_store.c: the SQL of payments, and the mirror of the open ones. */
#include "service/payment/payment_store.h"

#include <stdlib.h>

#include "base/assert.h"

const struct db_migration payment_migrations[] = {
        {"payment", 1,
         "CREATE TABLE payment(id INTEGER PRIMARY KEY, schedule_id INTEGER NOT NULL, account_id INTEGER NOT NULL,"
         " state INTEGER NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, refund_amount INTEGER NOT NULL,"
         " token TEXT NOT NULL, provider TEXT NOT NULL, reference TEXT NOT NULL, code TEXT NOT NULL,"
         " attempts INTEGER NOT NULL, next_at INTEGER NOT NULL, created_at INTEGER NOT NULL,"
         " updated_at INTEGER NOT NULL,"
         " idempotency_key INTEGER NOT NULL, idempotency_fingerprint INTEGER NOT NULL);"
         /* next_at is 0 unless the payment is open. (A list of states would cost each write a small table: SQLite.) */
         "CREATE INDEX payment_open ON payment(next_at) WHERE next_at > 0;"},
};
const size_t payment_migration_count = sizeof payment_migrations / sizeof payment_migrations[0];

#define COLUMNS                                                                                                   \
        "id, schedule_id, account_id, state, amount, currency, refund_amount, token, reference, code, attempts, " \
        "next_at, created_at, updated_at, idempotency_key, idempotency_fingerprint"
enum { COLUMN_COUNT = 16, INSERT_COUNT = COLUMN_COUNT + 1, UPDATE_COUNT = 8 };

static const struct db_statement select_payment = {"SELECT " COLUMNS " FROM payment WHERE id = $1", 1};
static const struct db_statement select_open = {"SELECT " COLUMNS " FROM payment WHERE next_at > 0", 0};
static const struct db_statement insert_payment = {
        "INSERT INTO payment(" COLUMNS ", provider)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        INSERT_COUNT};
static const struct db_statement update_payment = {
        "UPDATE payment SET state = $2, refund_amount = $3, reference = $4, code = $5, attempts = $6, next_at = $7,"
        " updated_at = $8 WHERE id = $1",
        UPDATE_COUNT};

/* --- the pool --- */

enum { POOL_ROWS = 128 };
struct payment_pool {
        struct payment_pool *next;
        struct payment_row rows[POOL_ROWS];
};

static int pool_grow(struct payment_store *store) {
        struct payment_pool *pool = malloc(sizeof *pool);
        if (!pool)
                return -ENOMEM;
        pool->next = store->pools;
        store->pools = pool;
        for (size_t i = POOL_ROWS; i-- > 0;) {
                pool->rows[i].next_free = store->free;
                store->free = &pool->rows[i];
        }
        return 0;
}

static int mirror_add(struct payment_store *store, const struct payment_row *row) {
        int fault = store->free ? 0 : pool_grow(store);
        if (!fault)
                fault = map_put(&store->open, row->id, (uint64_t)(uintptr_t)store->free);
        if (fault)
                return fault;
        struct payment_row *place = store->free;
        store->free = place->next_free;
        *place = *row;
        return 0;
}

static void mirror_remove(struct payment_store *store, struct payment_row *row) {
        map_remove(&store->open, row->id);
        row->next_free = store->free;
        store->free = row;
}

struct payment_row *payment_store_open(const struct payment_store *store, purchase_id id) {
        const uint64_t *place = map_find(&store->open, id);
        return place ? (struct payment_row *)(uintptr_t)*place : NULL;
}

int payment_store_init(struct payment_store *store, const char *provider) {
        *store = (struct payment_store){.provider = provider};
        map_init(&store->open);
        return 0;
}

void payment_store_deinit(struct payment_store *store) {
        while (store->pools) {
                struct payment_pool *pool = store->pools;
                store->pools = pool->next;
                free(pool);
        }
        map_deinit(&store->open);
        *store = (struct payment_store){0};
}

/* --- rows --- */

static bool read_text(const struct db_row *row, unsigned column, char *out, size_t capacity) {
        struct text text = db_row_bytes(row, column);
        if (text.length >= capacity)
                return false;
        if (text.length > 0)
                memcpy(out, text.at, text.length);
        out[text.length] = '\0';
        return true;
}

static int read_payment(const struct db_row *row, struct payment_row *ret_row) {
        int64_t state = db_row_int(row, 3);
        if (state < 0 || state >= PAYMENT_STATES)
                return FAULT_FORMAT;
        *ret_row = (struct payment_row){
                .id = db_row_id(row, 0),
                .schedule = db_row_id(row, 1),
                .account = db_row_id(row, 2),
                .state = (enum payment_state)state,
                .amount.amount = db_row_int(row, 4),
                .refund_amount = db_row_int(row, 6),
                .attempts = (uint32_t)db_row_int(row, 10),
                .next_at = db_row_int(row, 11),
                .created_at = db_row_int(row, 12),
                .updated_at = db_row_int(row, 13),
                .idempotency = {db_row_id(row, 14), db_row_id(row, 15)},
        };
        bool fits = read_text(row, 5, ret_row->amount.currency, sizeof ret_row->amount.currency) &&
                    read_text(row, 7, ret_row->token, sizeof ret_row->token) &&
                    read_text(row, 8, ret_row->reference, sizeof ret_row->reference) &&
                    read_text(row, 9, ret_row->code, sizeof ret_row->code);
        return fits ? 0 : FAULT_FORMAT;
}

static int on_open(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct payment_row payment;
        int fault = read_payment(row, &payment);
        return fault ? fault : mirror_add(context, &payment);
}

int payment_store_reload(struct payment_store *store, struct db *db) {
        struct map_entry entry;
        for (size_t i = 0; (i = map_next(&store->open, i, &entry)) != 0;) {
                struct payment_row *row = (struct payment_row *)(uintptr_t)entry.value;
                row->next_free = store->free;
                store->free = row;
        }
        map_clear(&store->open);
        return db_run(db, &select_open, NULL, 1, on_open, store, 0);
}

struct find {
        struct turn *turn;
        struct payment_row **rows;
        const size_t *places; /* the n-th parameter row is rows[places[n]] */
};

static int on_found(void *context, size_t index, const struct db_row *row) {
        struct find *find = context;
        struct payment_row *copy = arena_take(find->turn->arena, sizeof *copy);
        if (!copy)
                return -ENOMEM;
        find->rows[find->places[index]] = copy;
        return read_payment(row, copy);
}

int payment_store_find(struct payment_store *store, struct turn *turn, const purchase_id *ids,
                       struct payment_row **ret_rows, size_t count) {
        size_t *places = arena_take(turn->arena, count * sizeof *places);
        struct db_value *parameters = arena_take(turn->arena, count * sizeof *parameters);
        if (!places || !parameters)
                return -ENOMEM;
        size_t missing = 0;
        for (size_t i = 0; i < count; i++) {
                ret_rows[i] = payment_store_open(store, ids[i]);
                if (ret_rows[i])
                        continue;
                places[missing] = i;
                parameters[missing++] = db_id(ids[i]);
        }
        struct find find = {.turn = turn, .rows = ret_rows, .places = places};
        return missing > 0 ? db_run(turn->db, &select_payment, parameters, missing, on_found, &find, 0) : 0;
}

/* What payment_open finds; never 0 while there is something to ask. */
static int64_t stored_next_at(const struct payment_row *row) {
        if (!payment_is_open(row->state))
                return 0;
        return row->next_at > 0 ? row->next_at : 1;
}

int payment_store_insert(struct payment_store *store, struct turn *turn, const struct payment_row *rows, size_t count) {
        struct db_value *parameters = arena_take(turn->arena, count * INSERT_COUNT * sizeof *parameters);
        if (!parameters)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
                const struct payment_row *row = &rows[i];
                const struct db_value values[INSERT_COUNT] = {db_id(row->id),
                                                              db_id(row->schedule),
                                                              db_id(row->account),
                                                              db_int(row->state),
                                                              db_int(row->amount.amount),
                                                              db_text(text_of(row->amount.currency)),
                                                              db_int(row->refund_amount),
                                                              db_text(text_of(row->token)),
                                                              db_text(text_of(row->reference)),
                                                              db_text(text_of(row->code)),
                                                              db_int(row->attempts),
                                                              db_int(stored_next_at(row)),
                                                              db_int(row->created_at),
                                                              db_int(row->updated_at),
                                                              db_id(row->idempotency.key),
                                                              db_id(row->idempotency.fingerprint),
                                                              db_text(text_of(store->provider))};
                memcpy(&parameters[i * INSERT_COUNT], values, sizeof values);
        }
        int fault = db_run(turn->db, &insert_payment, parameters, count, 0, 0, 0);
        for (size_t i = 0; !fault && i < count; i++)
                if (payment_is_open(rows[i].state))
                        fault = mirror_add(store, &rows[i]);
        return fault;
}

static int mirror_follow(struct payment_store *store, struct payment_row *row) {
        struct payment_row *open = payment_store_open(store, row->id);
        row->changed = false;
        if (payment_is_open(row->state))
                return open ? 0 : mirror_add(store, row);
        if (open)
                mirror_remove(store, open);
        return 0;
}

int payment_store_update(struct payment_store *store, struct turn *turn, struct payment_row *const *rows,
                         size_t count) {
        struct db_value *parameters = arena_take(turn->arena, count * UPDATE_COUNT * sizeof *parameters);
        if (!parameters)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
                const struct payment_row *row = rows[i];
                const struct db_value values[UPDATE_COUNT] = {db_id(row->id),
                                                              db_int(row->state),
                                                              db_int(row->refund_amount),
                                                              db_text(text_of(row->reference)),
                                                              db_text(text_of(row->code)),
                                                              db_int(row->attempts),
                                                              db_int(stored_next_at(row)),
                                                              db_int(row->updated_at)};
                memcpy(&parameters[i * UPDATE_COUNT], values, sizeof values);
        }
        int fault = db_run(turn->db, &update_payment, parameters, count, 0, 0, 0);
        for (size_t i = 0; !fault && i < count; i++)
                fault = mirror_follow(store, rows[i]);
        return fault;
}
