#include "service/ticket/ticket_store.h"

#include "base/assert.h"
#include "service/ticket/ticket.h"

const struct db_migration ticket_migrations[] = {
        {"ticket", 1,
         "CREATE TABLE ticket(order_id INTEGER NOT NULL, place INTEGER NOT NULL, schedule_id INTEGER NOT NULL, "
         "account_id INTEGER NOT NULL, seat INTEGER NOT NULL, state INTEGER NOT NULL, issued_at INTEGER NOT NULL, "
         "used_at INTEGER NOT NULL DEFAULT 0, used_by TEXT NOT NULL DEFAULT '', PRIMARY KEY(order_id, place)) WITHOUT "
         "ROWID;"
         "CREATE UNIQUE INDEX ticket_of_seat ON ticket(schedule_id, seat) WHERE state <> 2"},
};
const size_t ticket_migration_count = sizeof ticket_migrations / sizeof *ticket_migrations;
_Static_assert(TICKET_IS_VALID == 0 && TICKET_IS_VOID == 2, "the statements below spell the states as numbers");

/* order_id, place, schedule_id, account_id, seat, state, issued_at, used_at */
static int ticket_of_row(struct ticket *ticket, const struct db_row *row) {
        int64_t place = db_row_int(row, 1), seat = db_row_int(row, 4), state = db_row_int(row, 5);
        if (place < 0 || place >= HOLD_SEATS_MAX || seat < 0 || seat > UINT32_MAX || state < 0 ||
            state > TICKET_IS_VOID)
                return FAULT_FORMAT;
        *ticket = (struct ticket){
                .order = db_row_id(row, 0),
                .schedule = db_row_id(row, 2),
                .account = db_row_id(row, 3),
                .issued_at = db_row_int(row, 6),
                .used_at = db_row_int(row, 7),
                .seat = (seat_index)seat,
                .place = (uint8_t)place,
                .state = (uint8_t)state,
        };
        return 0;
}

static int on_order_ticket(void *context, size_t index, const struct db_row *row) {
        struct order_tickets *order = ((struct order_tickets *const *)context)[index];
        if (order->count == HOLD_SEATS_MAX)
                return FAULT_FORMAT;
        return ticket_of_row(&order->tickets[order->count++], row);
}

int ticket_select_orders(struct turn *turn, struct order_tickets *const *orders, size_t count) {
        static const struct db_statement select = {
                "SELECT order_id, place, schedule_id, account_id, seat, state, issued_at, used_at "
                "FROM ticket WHERE order_id = $1 ORDER BY place",
                1};
        struct db_value *values = arena_take(turn->arena, count * sizeof *values);
        if (!values)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
                orders[i]->count = 0;
                values[i] = db_id(orders[i]->order);
        }
        return db_run(turn->db, &select, values, count, on_order_ticket, (void *)(uintptr_t)orders, NULL);
}

int ticket_insert(struct turn *turn, const struct ticket *tickets, size_t count, int64_t *ret_new) {
        static const struct db_statement insert = {
                "INSERT INTO ticket(order_id, place, schedule_id, account_id, seat, state, issued_at) "
                "VALUES ($1, $2, $3, $4, $5, 0, $6) ON CONFLICT(order_id, place) DO NOTHING",
                6};
        PRE(count <= HOLD_SEATS_MAX);
        struct db_value values[6 * HOLD_SEATS_MAX], *row = values;
        for (size_t i = 0; i < count; i++, row += insert.parameters) {
                PRE(tickets[i].state == TICKET_IS_VALID);
                row[0] = db_id(tickets[i].order);
                row[1] = db_int(tickets[i].place);
                row[2] = db_id(tickets[i].schedule);
                row[3] = db_id(tickets[i].account);
                row[4] = db_int(tickets[i].seat);
                row[5] = db_int(tickets[i].issued_at);
        }
        return db_run(turn->db, &insert, values, count, NULL, NULL, ret_new);
}

int ticket_update_void(struct turn *turn, purchase_id order, int64_t *ret_voided) {
        static const struct db_statement update = {"UPDATE ticket SET state = 2 WHERE order_id = $1 AND state <> 2", 1};
        struct db_value value = db_id(order);
        return db_run(turn->db, &update, &value, 1, NULL, NULL, ret_voided);
}

struct selection {
        struct ticket ticket;
        struct gate_name used_by;
        bool found;
};

static int on_ticket(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct selection *selection = context;
        struct text used_by = db_row_bytes(row, 8);
        if (used_by.length > sizeof selection->used_by.bytes)
                return FAULT_FORMAT;
        selection->used_by.length = used_by.length;
        if (used_by.length > 0)
                memcpy(selection->used_by.bytes, used_by.at, used_by.length);
        selection->found = true;
        return ticket_of_row(&selection->ticket, row);
}

int ticket_select(struct turn *turn, purchase_id order, unsigned place, struct ticket *ret_ticket,
                  struct gate_name *ret_used_by, bool *ret_found) {
        static const struct db_statement select = {
                "SELECT order_id, place, schedule_id, account_id, seat, state, issued_at, used_at, used_by "
                "FROM ticket WHERE order_id = $1 AND place = $2",
                2};
        struct db_value values[] = {db_id(order), db_int(place)};
        struct selection selection = {.found = false};
        int fault = db_run(turn->db, &select, values, 1, on_ticket, &selection, NULL);
        if (fault)
                return fault;
        *ret_found = selection.found;
        if (selection.found) {
                *ret_ticket = selection.ticket;
                if (ret_used_by)
                        *ret_used_by = selection.used_by;
        }
        return 0;
}

int ticket_update_used(struct turn *turn, const struct ticket *ticket, struct text used_by) {
        static const struct db_statement update = {"UPDATE ticket SET state = 1, used_at = $3, used_by = $4 WHERE "
                                                   "order_id = $1 AND place = $2 AND state = 0",
                                                   4};
        PRE(ticket->state == TICKET_IS_USED);
        struct db_value values[] = {db_id(ticket->order), db_int(ticket->place), db_int(ticket->used_at),
                                    db_text(used_by)};
        int64_t changed = 0;
        int fault = db_run(turn->db, &update, values, 1, NULL, NULL, &changed);
        return fault ? fault : changed == 1 ? 0 : FAULT_CONSTRAINT;
}
