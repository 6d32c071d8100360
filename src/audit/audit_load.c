/* audit_load.c: reads the tables into arrays, each once, in key order. */
#include <stdlib.h>

#include "audit/audit_model.h"

/* Grows an array by one zeroed item and returns it; NULL without memory. */
static void *one_more(void *array_at, size_t *count, size_t item) {
        void **array = array_at;
        size_t n = *count;
        if ((n & (n - 1)) == 0) {
                void *larger = realloc(*array, (n ? 2 * n : 1) * item);
                if (!larger)
                        return 0;
                *array = larger;
        }
        void *fresh = (char *)*array + n * item;
        memset(fresh, 0, item);
        *count = n + 1;
        return fresh;
}

static int on_schedule(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct audit_model *model = context;
        struct audit_schedule *schedule = one_more(&model->schedules, &model->schedule_count, sizeof *schedule);
        if (!schedule)
                return -ENOMEM;
        schedule->id = db_row_id(row, 0);
        schedule->cap = db_row_int(row, 1);
        schedule->capacity = db_row_int(row, 2);
        schedule->plan_seats = db_row_int(row, 3);
        schedule->drawn_at = db_row_int(row, 4);
        schedule->lobby_count = db_row_int(row, 5);
        struct text seed = db_row_bytes(row, 6);
        memcpy(schedule->seed, seed.at, seed.length < sizeof schedule->seed ? seed.length : sizeof schedule->seed);
        return 0;
}

static int on_seat(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct audit_model *model = context;
        struct audit_seat *seat = one_more(&model->seats, &model->seat_count, sizeof *seat);
        if (!seat)
                return -ENOMEM;
        *seat = (struct audit_seat){.schedule = db_row_id(row, 0),
                                    .seat = db_row_int(row, 1),
                                    .state = (int)db_row_int(row, 2),
                                    .hold = db_row_id(row, 3),
                                    .version = db_row_int(row, 4)};
        return 0;
}

static uint32_t number32(const char *at) {
        const unsigned char *byte = (const unsigned char *)at;
        return (uint32_t)byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16 | (uint32_t)byte[3] << 24;
}

static int on_hold(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct audit_model *model = context;
        struct audit_hold *hold = one_more(&model->holds, &model->hold_count, sizeof *hold);
        if (!hold)
                return -ENOMEM;
        *hold = (struct audit_hold){.id = db_row_id(row, 0),
                                    .schedule = db_row_id(row, 1),
                                    .account = db_row_id(row, 2),
                                    .state = (int)db_row_int(row, 3),
                                    .created_at = db_row_int(row, 4),
                                    .ended_at = db_row_int(row, 5),
                                    .seat_first = model->listed_count};
        struct text seats = db_row_bytes(row, 6);
        for (size_t at = 0; at + 8 <= seats.length; at += 8) {
                struct audit_listed *listed = one_more(&model->listed, &model->listed_count, sizeof *listed);
                if (!listed)
                        return -ENOMEM;
                *listed = (struct audit_listed){number32(seats.at + at), number32(seats.at + at + 4)};
                hold->seat_count++;
        }
        return 0;
}

static int on_order(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct audit_model *model = context;
        struct audit_order *order = one_more(&model->orders, &model->order_count, sizeof *order);
        if (!order)
                return -ENOMEM;
        *order = (struct audit_order){.id = db_row_id(row, 0),
                                      .schedule = db_row_id(row, 1),
                                      .account = db_row_id(row, 2),
                                      .state = (int)db_row_int(row, 3),
                                      .amount = db_row_int(row, 4),
                                      .refund_amount = db_row_int(row, 5)};
        struct text seats = db_row_bytes(row, 6);
        for (size_t at = 0; at + 12 <= seats.length; at += 12, order->seat_count++)
                order->seat_sum +=
                        (int64_t)((uint64_t)number32(seats.at + at + 4) | (uint64_t)number32(seats.at + at + 8) << 32);
        order->by_buyer = text_equal(db_row_bytes(row, 7), TEXT("buyer_cancelled"));
        return 0;
}

static int on_payment(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct audit_model *model = context;
        struct audit_payment *payment = one_more(&model->payments, &model->payment_count, sizeof *payment);
        if (!payment)
                return -ENOMEM;
        *payment = (struct audit_payment){db_row_id(row, 0), (int)db_row_int(row, 1), db_row_int(row, 2)};
        return 0;
}

static int on_ticket(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct audit_model *model = context;
        struct audit_ticket *ticket = one_more(&model->tickets, &model->ticket_count, sizeof *ticket);
        if (!ticket)
                return -ENOMEM;
        *ticket = (struct audit_ticket){.order = db_row_id(row, 0),
                                        .place = db_row_int(row, 1),
                                        .schedule = db_row_id(row, 2),
                                        .seat = db_row_int(row, 3),
                                        .state = (int)db_row_int(row, 4)};
        return 0;
}

static int on_entry(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct audit_model *model = context;
        struct audit_entry *entry = one_more(&model->entries, &model->entry_count, sizeof *entry);
        if (!entry)
                return -ENOMEM;
        *entry = (struct audit_entry){.schedule = db_row_id(row, 0),
                                      .number = db_row_int(row, 1),
                                      .account = db_row_id(row, 2),
                                      .state = (int)db_row_int(row, 3),
                                      .entered_at = db_row_int(row, 4),
                                      .admitted_at = db_row_int(row, 5),
                                      .pass_ends_at = db_row_int(row, 6),
                                      .ended_at = db_row_int(row, 7)};
        return 0;
}

static int on_inbox(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct audit_model *model = context;
        if (model->inbox_count == AUDIT_CONSUMERS_MAX)
                return FAULT_FORMAT;
        struct audit_inbox *inbox = &model->inbox[model->inbox_count++];
        struct text name = db_row_bytes(row, 0);
        size_t length = name.length < sizeof inbox->consumer ? name.length : sizeof inbox->consumer - 1;
        memcpy(inbox->consumer, name.at, length);
        inbox->position = db_row_id(row, 1);
        return 0;
}

int audit_load(struct audit *audit, struct db *db) {
        static const struct {
                struct db_statement read;
                db_on_row on_row;
        } tables[] = {
                {{"SELECT s.id, s.cap, s.line_capacity, p.seat_count, coalesce(l.drawn_at, 0), coalesce(l.lobby_count, "
                  "0), s.draw_seed "
                  "FROM schedule s LEFT JOIN plan p ON p.id = s.plan_id LEFT JOIN line l ON l.schedule_id = s.id ORDER "
                  "BY s.id",
                  0},
                 on_schedule},
                {{"SELECT schedule_id, seat, state, hold_id, hold_version FROM seat ORDER BY schedule_id, seat", 0},
                 on_seat},
                {{"SELECT id, schedule_id, account_id, state, created_at, ended_at, seats FROM hold ORDER BY id", 0},
                 on_hold},
                {{"SELECT id, schedule_id, account_id, state, amount, refund_amount, seats, reason FROM orders ORDER "
                  "BY id",
                  0},
                 on_order},
                {{"SELECT id, state, amount FROM payment ORDER BY id", 0}, on_payment},
                {{"SELECT order_id, place, schedule_id, seat, state FROM ticket ORDER BY order_id, place", 0},
                 on_ticket},
                {{"SELECT schedule_id, number, account_id, state, entered_at, admitted_at, pass_ends_at, ended_at FROM "
                  "line_entry "
                  "ORDER BY schedule_id, number",
                  0},
                 on_entry},
                {{"SELECT consumer, position FROM inbox", 0}, on_inbox},
        };
        int fault = 0;
        for (size_t i = 0; !fault && i < sizeof tables / sizeof tables[0]; i++)
                fault = db_run(db, &tables[i].read, 0, 1, tables[i].on_row, &audit->model, 0);
        return fault;
}

void audit_unload(struct audit_model *model) {
        free(model->schedules);
        free(model->seats);
        free(model->listed);
        free(model->holds);
        free(model->orders);
        free(model->payments);
        free(model->tickets);
        free(model->entries);
}

static int by_first_id(const void *key, const void *item) {
        uint64_t a = *(const uint64_t *)key, b = *(const uint64_t *)item;
        return a < b ? -1 : a > b;
}

#define FIND(array, count, id) ((array) ? bsearch(&(id), (array), (count), sizeof *(array), by_first_id) : 0)

struct audit_hold *audit_hold_of(const struct audit_model *model, uint64_t id) {
        return FIND(model->holds, model->hold_count, id);
}
struct audit_order *audit_order_of(const struct audit_model *model, uint64_t id) {
        return FIND(model->orders, model->order_count, id);
}
struct audit_payment *audit_payment_of(const struct audit_model *model, uint64_t id) {
        return FIND(model->payments, model->payment_count, id);
}
struct audit_schedule *audit_schedule_of(const struct audit_model *model, uint64_t id) {
        return FIND(model->schedules, model->schedule_count, id);
}

static int by_seat(const void *key, const void *item) {
        const struct audit_seat *a = key, *b = item;
        if (a->schedule != b->schedule)
                return a->schedule < b->schedule ? -1 : 1;
        return a->seat < b->seat ? -1 : a->seat > b->seat;
}

struct audit_seat *audit_seat_of(const struct audit_model *model, uint64_t schedule, int64_t seat) {
        const struct audit_seat key = {.schedule = schedule, .seat = seat};
        return model->seats ? bsearch(&key, model->seats, model->seat_count, sizeof key, by_seat) : 0;
}
