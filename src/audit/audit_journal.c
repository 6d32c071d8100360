/* audit_journal.c: I2 and I7 from the journal, read once in order.
 *
 * I2: what the journal says happened was acknowledged, so its row must be there. I7: an event about a purchase that can
 * happen only once is said only once; and when a consumer's position has passed an event, its effect has been said. The
 * largest cap and capacity ever in force stand in the payloads of schedule.*. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "audit/audit_model.h"

#define BIT(type) (UINT64_C(1) << (type))

/* What may be said about one purchase more than once. */
static const uint64_t repeatable = BIT(SAID_SEATS_CHANGED) | BIT(SAID_SCANNED) | BIT(SAID_RELEASED);
static const uint64_t about_purchase =
        BIT(SAID_HELD) | BIT(SAID_SEATS_CHANGED) | BIT(SAID_RELEASED) | BIT(SAID_SOLD) | BIT(SAID_LOST) |
        BIT(SAID_RETURNED) | BIT(SAID_ORDERED) | BIT(SAID_PAID) | BIT(SAID_CONFIRMED) | BIT(SAID_CANCELLED) |
        BIT(SAID_REFUNDING) | BIT(SAID_REFUNDED) | BIT(SAID_PAYING) | BIT(SAID_CAPTURED) | BIT(SAID_DECLINED) |
        BIT(SAID_MONEY_RETURNED) | BIT(SAID_ISSUED) | BIT(SAID_VOIDED) | BIT(SAID_SCANNED);
static const uint64_t about_order = BIT(SAID_ORDERED) | BIT(SAID_PAID) | BIT(SAID_CONFIRMED) | BIT(SAID_CANCELLED) |
                                    BIT(SAID_REFUNDING) | BIT(SAID_REFUNDED);
static const uint64_t about_payment =
        BIT(SAID_PAYING) | BIT(SAID_CAPTURED) | BIT(SAID_DECLINED) | BIT(SAID_MONEY_RETURNED);

/* Once the consumer has passed the cause, one of the effects has been said. */
static const struct {
        int cause;
        const char *consumer;
        uint64_t effects;
        const char *expected;
} duties[] = {
        {SAID_CAPTURED, "order", BIT(SAID_PAID) | BIT(SAID_REFUNDING), "order.paid or order.refunding"},
        {SAID_PAID, "inventory", BIT(SAID_SOLD) | BIT(SAID_LOST), "seats.sold or seats.lost"},
        {SAID_SOLD, "ticket", BIT(SAID_ISSUED), "ticket.issued"},
        {SAID_ISSUED, "order", BIT(SAID_CONFIRMED) | BIT(SAID_REFUNDING), "order.confirmed"},
        {SAID_LOST, "order", BIT(SAID_REFUNDING), "order.refunding"},
        {SAID_MONEY_RETURNED, "order", BIT(SAID_REFUNDED), "order.refunded"},
        {SAID_DECLINED, "order", BIT(SAID_CANCELLED), "order.cancelled"},
};
enum { DUTIES = sizeof duties / sizeof duties[0] };

static uint64_t position_of(const struct audit_model *model, const char *consumer) {
        for (size_t i = 0; i < model->inbox_count; i++)
                if (!strcmp(model->inbox[i].consumer, consumer))
                        return model->inbox[i].position;
        return 0;
}

/* The whole number behind "name": in a flat payload; -1 if it is not there. */
static int64_t number_in(struct text payload, const char *name) {
        char quoted[48];
        size_t length = (size_t)snprintf(quoted, sizeof quoted, "\"%s\":", name);
        const char *at = payload.length ? memmem(payload.at, payload.length, quoted, length) : 0;
        int64_t number = -1;
        for (at = at ? at + length : 0; at && at < payload.at + payload.length && *at >= '0' && *at <= '9'; at++)
                number = (number < 0 ? 0 : number) * 10 + (*at - '0');
        return number;
}

static void note_settings(struct audit *audit, uint64_t subject, struct text payload) {
        struct audit_schedule *schedule = audit_schedule_of(&audit->model, subject);
        if (!schedule)
                return;
        int64_t cap = number_in(payload, "cap"), capacity = number_in(payload, "capacity");
        if (cap > schedule->cap)
                schedule->cap = cap;
        if (capacity > schedule->capacity)
                schedule->capacity = capacity;
}

static void note_purchase(struct audit *audit, uint64_t id, int type, uint64_t subject) {
        const struct audit_model *model = &audit->model;
        struct audit_hold *hold = audit_hold_of(model, subject);
        if (!hold) {
                audit_found(audit, 2,
                            "journal row %" PRIu64 " (type %d) speaks of hold %" PRIu64
                            ", and there is no such row in hold",
                            id, type, subject);
                return;
        }
        if (BIT(type) & about_order && !audit_order_of(model, subject))
                audit_found(audit, 2,
                            "journal row %" PRIu64 " (type %d) speaks of order %" PRIu64
                            ", and there is no such row in orders",
                            id, type, subject);
        if (BIT(type) & about_payment && !audit_payment_of(model, subject))
                audit_found(audit, 2,
                            "journal row %" PRIu64 " (type %d) speaks of payment %" PRIu64
                            ", and there is no such row in payment",
                            id, type, subject);
        if (hold->said & BIT(type) & ~repeatable)
                audit_found(audit, 7,
                            "journal row %" PRIu64 " says event type %d about purchase %" PRIu64 " a second time", id,
                            type, subject);
        hold->said |= BIT(type);
        for (size_t i = 0; i < DUTIES; i++)
                if (duties[i].cause == type && id <= position_of(model, duties[i].consumer))
                        hold->owed |= BIT(i);
}

static int on_event(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct audit *audit = context;
        uint64_t id = db_row_id(row, 0), subject = db_row_id(row, 2);
        int64_t type = db_row_int(row, 1);
        audit->model.event_count++;
        audit->model.last_event = id;
        if (type <= 0 || type >= 64)
                audit_found(audit, 7, "journal row %" PRIu64 " has the unknown event type %" PRId64, id, type);
        else if (type == SAID_SCHEDULE || type == SAID_SCHEDULE_CHANGED)
                note_settings(audit, subject, db_row_bytes(row, 3));
        else if (BIT(type) & about_purchase)
                note_purchase(audit, id, (int)type, subject);
        return 0;
}

static int on_dead_letter(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct text reason = db_row_bytes(row, 2);
        audit_found(context, 7, "dead letter: consumer %.*s never took the effect of journal row %" PRIu64 ": %.*s",
                    (int)db_row_bytes(row, 0).length, db_row_bytes(row, 0).at, db_row_id(row, 1), (int)reason.length,
                    reason.at);
        return 0;
}

int audit_journal(struct audit *audit, struct db *db) {
        static const struct db_statement read = {"SELECT id, type, subject_id, payload FROM journal ORDER BY id", 0};
        static const struct db_statement dead = {"SELECT consumer, event_id, reason FROM dead_letter ORDER BY event_id",
                                                 0};
        struct audit_model *model = &audit->model;
        int fault = db_run(db, &read, 0, 1, on_event, audit, 0);
        if (!fault)
                fault = db_run(db, &dead, 0, 1, on_dead_letter, audit, 0);
        if (fault)
                return fault;
        for (size_t i = 0; i < model->inbox_count; i++)
                if (model->inbox[i].position > model->last_event)
                        audit_found(audit, 7, "consumer %s stands at %" PRIu64 ", behind the journal's end %" PRIu64,
                                    model->inbox[i].consumer, model->inbox[i].position, model->last_event);
        for (size_t h = 0; h < model->hold_count; h++) {
                const struct audit_hold *hold = &model->holds[h];
                if (!(hold->said & BIT(SAID_HELD)))
                        audit_found(audit, 7, "hold %" PRIu64 " exists, and the journal never said seats.held about it",
                                    hold->id);
                for (size_t i = 0; i < DUTIES; i++)
                        if (hold->owed & BIT(i) && !(hold->said & duties[i].effects))
                                audit_found(audit, 7,
                                            "purchase %" PRIu64
                                            ": consumer %s has passed event type %d, and never said %s",
                                            hold->id, duties[i].consumer, duties[i].cause, duties[i].expected);
        }
        return 0;
}
