/* vocabulary.h: the words that all services share. One word for one thing, here, in the SQL, in the API and in the UI.
 *
 *   organiser  runs events at venues; buyer  buys; operator  runs the program
 *   venue      a place; plan  its seats, numbered 0 … n-1 in the order of the plan file ("seat" in the API)
 *   schedule   one performance of an event: when it is, when its sale opens, its prices, its line
 *   line       the waiting room of one schedule; entry  one person's place in it; pass  the admitted person's right to hold
 *   hold       seats kept for one person for some minutes; order  the wish to buy what is held; payment; ticket
 *
 * One number follows a purchase: the order of a hold, and the payment of that order, carry the number of the hold
 * (hold_…, order_…, pay_… are three spellings of one purchase_id). So "one order per hold" and "one payment per order"
 * are primary keys, and no service stores another's id. */
#ifndef TICKETRUSH_SERVICE_VOCABULARY_H
#define TICKETRUSH_SERVICE_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t account_id;  /* acc_…   */
typedef uint64_t venue_id;    /* venue_… */
typedef uint64_t plan_id;     /* plan_…  */
typedef uint64_t event_id;    /* event_… */
typedef uint64_t schedule_id; /* sched_… */
typedef uint64_t purchase_id; /* hold_…, order_…, pay_… */
typedef uint32_t seat_index;  /* 0 … n-1 on the schedule's plan */

#define ID_ACCOUNT "acc"
#define ID_VENUE "venue"
#define ID_EVENT "event"
#define ID_PLAN "plan"
#define ID_SCHEDULE "sched"
#define ID_HOLD "hold"
#define ID_ORDER "order"
#define ID_PAYMENT "pay"
#define ID_TICKET "ticket"
#define ID_JOURNAL "jrn"

enum role { ROLE_BUYER = 1, ROLE_ORGANISER, ROLE_GATE, ROLE_OPERATOR };

/* Minor units (KRW has none: 55000 is 55,000 won) and an ISO 4217 code. */
struct money {
        int64_t amount;
        char currency[4]; /* terminated */
};

/* An Idempotency-Key, hashed with its account and route, and the fingerprint of the body. It is stored as two columns of
 * the row that the command creates: a retry finds the row. key 0: none was sent. */
struct idempotency {
        uint64_t key;
        uint64_t fingerprint;
};

/* Events of the journal. Numbers are stored: never change one, never reuse one. */
enum event_type {
        EVENT_CREATED = 1,        /* event.created        subject event */
        SCHEDULE_CREATED = 10,    /* schedule.created     subject schedule: inventory makes its seats, queue its line */
        SCHEDULE_CHANGED = 11,    /* schedule.changed     prices, times, caps, line settings, pauses */
        SCHEDULE_CANCELLED = 12,
        SEATS_CREATED = 20,       /* seats.created        subject schedule */
        SEATS_HELD = 21,          /* seats.held           subject hold */
        SEATS_CHANGED = 22,       /* seats.changed        subject hold: other seats now */
        SEATS_RELEASED = 23,      /* seats.released       subject hold: by its owner, by expiry, or by the saga; code in payload */
        SEATS_SOLD = 24,          /* seats.sold           subject order */
        SEATS_LOST = 25,          /* seats.lost           subject order: paid, but the hold is gone and a seat is taken */
        SEATS_RETURNED = 26,      /* seats.returned       subject order: sold seats are free again after a refund */
        SEATS_BLOCKED = 27,       /* seats.blocked        subject schedule: by the organiser */
        LINE_OPENED = 30,         /* line.opened          subject schedule: drawn; seed revealed */
        QUEUE_ADMITTED = 31,      /* queue.admitted       subject schedule, account */
        ORDER_CREATED = 40,       /* order.created        subject order */
        ORDER_PAID = 41,          /* order.paid */
        ORDER_CONFIRMED = 42,     /* order.confirmed      tickets exist */
        ORDER_CANCELLED = 43,     /* order.cancelled      nothing was captured; reason in payload */
        ORDER_REFUNDING = 44,     /* order.refunding      payment gives the money back */
        ORDER_REFUNDED = 45,      /* order.refunded */
        PAYMENT_STARTED = 50,     /* payment.started      persisted before the provider is asked; inventory extends the hold */
        PAYMENT_CAPTURED = 51,    /* payment.captured */
        PAYMENT_DECLINED = 52,    /* payment.declined */
        PAYMENT_REFUNDED = 53,    /* payment.refunded */
        TICKET_ISSUED = 60,       /* ticket.issued        subject order: all its tickets */
        TICKET_VOIDED = 61,       /* ticket.voided        subject order */
        TICKET_SCANNED = 62,      /* ticket.scanned       subject order */
        EVENT_TYPE_MAX = 63,      /* a type fits a bit of a consumer's uint64_t */
};

#endif
