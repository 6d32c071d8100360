/* order_store.c: the SQL of orders. One statement per table and call, run over all rows of a batch. */
#include "service/order/order_store.h"

#include <stdlib.h>

const struct db_migration order_migrations[] = {
        {"order", 1,
         "CREATE TABLE orders(id INTEGER PRIMARY KEY, schedule_id INTEGER NOT NULL, account_id INTEGER NOT NULL,"
         " state INTEGER NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, refund_amount INTEGER NOT NULL,"
         " seats BLOB NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, reason TEXT NOT NULL,"
         " idempotency_key INTEGER NOT NULL, idempotency_fingerprint INTEGER NOT NULL);"
         "CREATE INDEX orders_by_account ON orders(account_id, id);"
         "CREATE TABLE order_tally(schedule_id INTEGER PRIMARY KEY, pending INTEGER NOT NULL, paid INTEGER NOT NULL,"
         " confirmed INTEGER NOT NULL, cancelled INTEGER NOT NULL, refunding INTEGER NOT NULL,"
         " refunded INTEGER NOT NULL, money_captured INTEGER NOT NULL, money_refunded INTEGER NOT NULL);"},
};
const size_t order_migration_count = sizeof order_migrations / sizeof order_migrations[0];

/* A seat in the blob: number (4 bytes) and amount (8), little endian. */
enum { SEAT_BYTES = 12, SEATS_BYTES_MAX = SEAT_BYTES * HOLD_SEATS_MAX };
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the blob of seats is written as it stands in memory");

#define COLUMNS                                                                                                \
        "id, schedule_id, account_id, state, amount, currency, refund_amount, seats, created_at, updated_at, " \
        "reason, idempotency_key, idempotency_fingerprint"
enum { COLUMN_COUNT = 13 };

static const struct db_statement select_order = {"SELECT " COLUMNS " FROM orders WHERE id = $1", 1};
static const struct db_statement select_page = {
        "SELECT " COLUMNS " FROM orders WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3", 3};
static const struct db_statement select_key = {
        "SELECT id FROM orders WHERE account_id = $1 AND idempotency_key = $2 LIMIT 1", 2};
static const struct db_statement insert_order = {"INSERT INTO orders(" COLUMNS
                                                 ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                                                 COLUMN_COUNT};
static const struct db_statement update_order = {
        "UPDATE orders SET state = $2, refund_amount = $3, updated_at = $4, reason = $5 WHERE id = $1", 5};
static const struct db_statement add_tally = {
        "INSERT INTO order_tally(schedule_id, pending, paid, confirmed, cancelled, refunding, refunded, money_captured,"
        " money_refunded) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT(schedule_id) DO UPDATE SET"
        " pending = order_tally.pending + excluded.pending, paid = order_tally.paid + excluded.paid,"
        " confirmed = order_tally.confirmed + excluded.confirmed,"
        " cancelled = order_tally.cancelled + excluded.cancelled,"
        " refunding = order_tally.refunding + excluded.refunding, refunded = order_tally.refunded + excluded.refunded,"
        " money_captured = order_tally.money_captured + excluded.money_captured,"
        " money_refunded = order_tally.money_refunded + excluded.money_refunded",
        9};
static const struct db_statement select_tally = {
        "SELECT pending, paid, confirmed, cancelled, refunding, refunded, money_captured, money_refunded"
        " FROM order_tally WHERE schedule_id = $1",
        1};

int order_store_init(struct order_store *store) {
        store->recent = calloc(ORDER_RECENT_MAX, sizeof *store->recent);
        return store->recent ? 0 : -ENOMEM;
}

void order_store_deinit(struct order_store *store) {
        free(store->recent);
        *store = (struct order_store){0};
}

void order_store_forget(struct order_store *store) {
        for (size_t i = 0; i < ORDER_RECENT_MAX; i++)
                store->recent[i].id = 0;
}

static struct order *recent_place(struct order_store *store, purchase_id id) {
        uint64_t mixed = id * UINT64_C(0x9e3779b97f4a7c15);
        return &store->recent[(mixed ^ mixed >> 32) & (ORDER_RECENT_MAX - 1)];
}

static int read_seats(struct order *order, struct text blob) {
        if (blob.length % SEAT_BYTES != 0 || blob.length > SEATS_BYTES_MAX)
                return FAULT_FORMAT;
        order->seat_count = (uint32_t)(blob.length / SEAT_BYTES);
        for (uint32_t i = 0; i < order->seat_count; i++) {
                memcpy(&order->seats[i], blob.at + i * SEAT_BYTES, 4);
                memcpy(&order->amounts[i], blob.at + i * SEAT_BYTES + 4, 8);
        }
        return 0;
}

static struct text write_seats(const struct order *order, char *blob) {
        for (uint32_t i = 0; i < order->seat_count; i++) {
                memcpy(blob + i * SEAT_BYTES, &order->seats[i], 4);
                memcpy(blob + i * SEAT_BYTES + 4, &order->amounts[i], 8);
        }
        return (struct text){blob, order->seat_count * SEAT_BYTES};
}

static int read_order(const struct db_row *row, struct order *ret_order) {
        int64_t state = db_row_int(row, 3);
        struct text currency = db_row_bytes(row, 5);
        if (state < 0 || state >= ORDER_STATES || currency.length >= sizeof ret_order->amount.currency)
                return FAULT_FORMAT;
        *ret_order = (struct order){
                .id = db_row_id(row, 0),
                .schedule = db_row_id(row, 1),
                .account = db_row_id(row, 2),
                .state = (enum order_state)state,
                .amount.amount = db_row_int(row, 4),
                .refund_amount = db_row_int(row, 6),
                .created_at = db_row_int(row, 8),
                .updated_at = db_row_int(row, 9),
                .reason = order_reason_of(db_row_bytes(row, 10)),
                .idempotency = {db_row_id(row, 11), db_row_id(row, 12)},
        };
        if (currency.length > 0)
                memcpy(ret_order->amount.currency, currency.at, currency.length);
        return read_seats(ret_order, db_row_bytes(row, 7));
}

struct load {
        struct order_store *store;
        struct order *orders;
        const size_t *places; /* the n-th parameter row is orders[places[n]] */
};

static int on_order(void *context, size_t index, const struct db_row *row) {
        struct load *load = context;
        struct order *order = &load->orders[load->places[index]];
        int fault = read_order(row, order);
        if (!fault)
                *recent_place(load->store, order->id) = *order;
        return fault;
}

int order_store_load(struct order_store *store, struct turn *turn, const purchase_id *ids, struct order *ret_orders,
                     size_t count) {
        size_t *places = arena_take(turn->arena, count * sizeof *places);
        struct db_value *parameters = arena_take(turn->arena, count * sizeof *parameters);
        if (!places || !parameters)
                return -ENOMEM;
        size_t missing = 0;
        for (size_t i = 0; i < count; i++) {
                const struct order *recent = recent_place(store, ids[i]);
                if (ids[i] != 0 && recent->id == ids[i]) {
                        ret_orders[i] = *recent;
                        continue;
                }
                ret_orders[i].id = 0;
                places[missing] = i;
                parameters[missing++] = db_id(ids[i]);
        }
        struct load load = {.store = store, .orders = ret_orders, .places = places};
        return missing > 0 ? db_run(turn->db, &select_order, parameters, missing, on_order, &load, 0) : 0;
}

int order_store_insert(struct order_store *store, struct turn *turn, const struct order *const *orders, size_t count) {
        struct db_value *parameters = arena_take(turn->arena, count * COLUMN_COUNT * sizeof *parameters);
        char(*blobs)[SEATS_BYTES_MAX] = arena_take(turn->arena, count * sizeof *blobs);
        if (!parameters || !blobs)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
                const struct order *order = orders[i];
                struct text seats = write_seats(order, blobs[i]);
                const struct db_value row[COLUMN_COUNT] = {db_id(order->id),
                                                           db_id(order->schedule),
                                                           db_id(order->account),
                                                           db_int(order->state),
                                                           db_int(order->amount.amount),
                                                           db_text(text_of(order->amount.currency)),
                                                           db_int(order->refund_amount),
                                                           db_blob(seats.at, seats.length),
                                                           db_int(order->created_at),
                                                           db_int(order->updated_at),
                                                           db_text(text_of(order_reason_name(order->reason))),
                                                           db_id(order->idempotency.key),
                                                           db_id(order->idempotency.fingerprint)};
                memcpy(&parameters[i * COLUMN_COUNT], row, sizeof row);
                *recent_place(store, order->id) = *order;
        }
        return db_run(turn->db, &insert_order, parameters, count, 0, 0, 0);
}

int order_store_update(struct order_store *store, struct turn *turn, const struct order *const *orders, size_t count) {
        enum { VALUES = 5 };
        struct db_value *parameters = arena_take(turn->arena, count * VALUES * sizeof *parameters);
        if (!parameters)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
                const struct order *order = orders[i];
                const struct db_value row[VALUES] = {db_id(order->id), db_int(order->state),
                                                     db_int(order->refund_amount), db_int(order->updated_at),
                                                     db_text(text_of(order_reason_name(order->reason)))};
                memcpy(&parameters[i * VALUES], row, sizeof row);
                *recent_place(store, order->id) = *order;
        }
        return db_run(turn->db, &update_order, parameters, count, 0, 0, 0);
}

static int on_key(void *context, size_t index, const struct db_row *row) {
        ((struct order_key *)context)[index].found = db_row_id(row, 0);
        return 0;
}

int order_store_find_keys(struct turn *turn, struct order_key *keys, size_t count) {
        struct db_value *parameters = arena_take(turn->arena, count * 2 * sizeof *parameters);
        if (!parameters)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
                keys[i].found = 0;
                parameters[2 * i] = db_id(keys[i].account);
                parameters[2 * i + 1] = db_id(keys[i].key);
        }
        return db_run(turn->db, &select_key, parameters, count, on_key, keys, 0);
}

struct page {
        struct order *orders;
        size_t count;
};

static int on_page(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct page *page = context;
        return read_order(row, &page->orders[page->count++]);
}

int order_store_list(struct turn *turn, account_id account, purchase_id before, unsigned limit,
                     struct order *ret_orders, size_t *ret_count) {
        struct page page = {.orders = ret_orders};
        const struct db_value parameters[] = {db_id(account), db_int(before ? (int64_t)before : INT64_MAX),
                                              db_int(limit)};
        int fault = db_run(turn->db, &select_page, parameters, 1, on_page, &page, 0);
        if (!fault)
                *ret_count = page.count;
        return fault;
}

int order_store_add_tallies(struct turn *turn, const struct order_tally *tallies, size_t count) {
        enum { VALUES = 9 };
        struct db_value *parameters = arena_take(turn->arena, count * VALUES * sizeof *parameters);
        if (!parameters)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
                struct db_value *row = &parameters[i * VALUES];
                row[0] = db_id(tallies[i].schedule);
                for (unsigned state = 0; state < ORDER_STATES; state++)
                        row[1 + state] = db_int(tallies[i].orders[state]);
                row[1 + ORDER_STATES] = db_int(tallies[i].captured);
                row[2 + ORDER_STATES] = db_int(tallies[i].refunded);
        }
        return db_run(turn->db, &add_tally, parameters, count, 0, 0, 0);
}

static int on_tally(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct order_tally *tally = context;
        for (unsigned state = 0; state < ORDER_STATES; state++)
                tally->orders[state] = db_row_int(row, state);
        tally->captured = db_row_int(row, ORDER_STATES);
        tally->refunded = db_row_int(row, ORDER_STATES + 1);
        return 0;
}

int order_store_tally(struct turn *turn, schedule_id schedule, struct order_tally *ret_tally) {
        struct order_tally tally = {.schedule = schedule};
        const struct db_value parameter = db_id(schedule);
        int fault = db_run(turn->db, &select_tally, &parameter, 1, on_tally, &tally, 0);
        if (!fault)
                *ret_tally = tally;
        return fault;
}
