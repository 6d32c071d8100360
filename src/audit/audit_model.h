/* audit_model.h: what the auditor knows: the rows of a database as it reads them, in arrays sorted by key.
 *
 * The numbers of states and event types are written down here again on purpose: the auditor reads the tables as
 * ARCHITECTURE.md documents them, and would notice if the program's own idea of them drifted. */
#ifndef TICKETRUSH_AUDIT_AUDIT_MODEL_H
#define TICKETRUSH_AUDIT_AUDIT_MODEL_H

#include "audit/audit.h"
#include "port/db.h"

enum { SEAT_FREE = 0, SEAT_KEPT = 1, SEAT_TAKEN = 2, SEAT_SHUT = 3, SEAT_STATES = 4 };
enum { HOLD_LIVE = 0, HOLD_USED = 1, HOLD_GIVEN_BACK = 2, HOLD_RUN_OUT = 3 };
enum {
        ORDER_OPEN = 0,
        ORDER_MONEY_IN = 1,
        ORDER_DONE = 2,
        ORDER_DROPPED = 3,
        ORDER_MONEY_LEAVING = 4,
        ORDER_MONEY_BACK = 5
};
enum {
        PAY_NEW = 0,
        PAY_ASKING = 1,
        PAY_UNSURE = 2,
        PAY_TAKEN = 3,
        PAY_REFUSED = 4,
        PAY_RETURNING = 5,
        PAY_RETURN_UNSURE = 6,
        PAY_RETURNED = 7
};
enum { TICKET_GOOD = 0, TICKET_SEEN = 1, TICKET_DEAD = 2 };
enum { PLACE_WAITING = 0, PLACE_INSIDE = 1, PLACE_FINISHED = 2, PLACE_RUN_OUT = 3, PLACE_LEFT = 4 };
enum {
        SAID_SCHEDULE = 10,
        SAID_SCHEDULE_CHANGED = 11,
        SAID_HELD = 21,
        SAID_SEATS_CHANGED = 22,
        SAID_RELEASED = 23,
        SAID_SOLD = 24,
        SAID_LOST = 25,
        SAID_RETURNED = 26,
        SAID_ADMITTED = 31,
        SAID_ORDERED = 40,
        SAID_PAID = 41,
        SAID_CONFIRMED = 42,
        SAID_CANCELLED = 43,
        SAID_REFUNDING = 44,
        SAID_REFUNDED = 45,
        SAID_PAYING = 50,
        SAID_CAPTURED = 51,
        SAID_DECLINED = 52,
        SAID_MONEY_RETURNED = 53,
        SAID_ISSUED = 60,
        SAID_VOIDED = 61,
        SAID_SCANNED = 62,
};

struct audit_schedule {
        uint64_t id;
        int64_t cap;      /* the largest that was ever in force */
        int64_t capacity; /* likewise */
        int64_t plan_seats;
        int64_t drawn_at, lobby_count;
        uint8_t seed[32];
        size_t seat_first, seat_count;   /* in model->seats */
        size_t entry_first, entry_count; /* in model->entries */
};
struct audit_seat {
        uint64_t schedule, hold;
        int64_t seat, version;
        int state;
        unsigned claims;
};
struct audit_listed {
        uint32_t seat, version;
};
struct audit_hold {
        uint64_t id, schedule, account;
        int64_t created_at, ended_at;
        int state;
        size_t seat_first, seat_count; /* in model->listed */
        uint64_t said;                 /* bits of the event types seen about this purchase */
        uint64_t owed;                 /* bits of the causes whose consumer has passed them */
};
struct audit_order {
        uint64_t id, schedule, account;
        int state;
        int64_t amount, refund_amount, seat_sum;
        size_t seat_count;
        bool by_buyer; /* refunded because its buyer cancelled: the event's rule says how much */
        size_t tickets_alive, tickets_all;
};
struct audit_payment {
        uint64_t id;
        int state;
        int64_t amount;
};
struct audit_ticket {
        uint64_t order, schedule;
        int64_t place, seat;
        int state;
};
struct audit_entry {
        uint64_t schedule, account;
        int64_t number, entered_at, admitted_at, pass_ends_at, ended_at;
        int state;
};
struct audit_inbox {
        char consumer[32];
        uint64_t position;
};

enum { AUDIT_CONSUMERS_MAX = 32 };

struct audit_model {
        struct audit_schedule *schedules;
        size_t schedule_count;
        struct audit_seat *seats;
        size_t seat_count;
        struct audit_listed *listed;
        size_t listed_count;
        struct audit_hold *holds;
        size_t hold_count;
        struct audit_order *orders;
        size_t order_count;
        struct audit_payment *payments;
        size_t payment_count;
        struct audit_ticket *tickets;
        size_t ticket_count;
        struct audit_entry *entries;
        size_t entry_count;
        struct audit_inbox inbox[AUDIT_CONSUMERS_MAX];
        size_t inbox_count;
        uint64_t event_count, last_event;
};

struct audit {
        struct audit_model model;
        struct audit_report *report;
        const struct audit_options *options;
        unsigned findings_written;
};

/* Reads every table but the journal. 0 or fault. */
int audit_load(struct audit *audit, struct db *db);
void audit_unload(struct audit_model *model);

struct audit_hold *audit_hold_of(const struct audit_model *model, uint64_t id);
struct audit_order *audit_order_of(const struct audit_model *model, uint64_t id);
struct audit_payment *audit_payment_of(const struct audit_model *model, uint64_t id);
struct audit_schedule *audit_schedule_of(const struct audit_model *model, uint64_t id);
struct audit_seat *audit_seat_of(const struct audit_model *model, uint64_t schedule, int64_t seat);

/* A violation of invariant n, with the rows that show it. */
void audit_found(struct audit *audit, unsigned invariant, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Reads the journal once, in order: audit_journal.c. */
int audit_journal(struct audit *audit, struct db *db);
/* The checks over the model. */
void audit_seats(struct audit *audit); /* I1 I4 I5 I8: audit_seats.c */
void audit_money(struct audit *audit); /* I3, and tickets: audit_money.c */
int audit_lines(struct audit *audit);  /* I6: audit_lines.c; fault without memory */

#endif
