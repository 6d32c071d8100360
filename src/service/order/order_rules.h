/* order_rules.h: what may happen to an order, decided on plain facts.
 *
 * Two people decide about an order: its buyer, by commands (make, cancel), and the rest of the house, by events. Each
 * decision is a function from the order and some facts to an outcome or a change; nothing here knows where facts come
 * from. A change names the next state, what is given back and why, and the event that tells the others. */
#ifndef TICKETRUSH_SERVICE_ORDER_RULES_H
#define TICKETRUSH_SERVICE_ORDER_RULES_H

#include "base/fsm.h"
#include "base/text.h"
#include "service/limits.h"
#include "service/vocabulary.h"

/* Stored: never change a number. */
enum order_state {
        ORDER_IS_PENDING,
        ORDER_IS_PAID,
        ORDER_IS_CONFIRMED,
        ORDER_IS_CANCELLED,
        ORDER_IS_REFUNDING,
        ORDER_IS_REFUNDED
};
enum { ORDER_STATES = ORDER_IS_REFUNDED + 1 };
extern const struct fsm order_fsm;

/* Why an order ended without tickets. Stored and shown as text (order_reason_name): "" for none, "declined",
 * "hold_ended", "buyer_cancelled", "seats_lost", "schedule_cancelled". */
enum order_reason {
        ORDER_REASON_NONE,
        ORDER_REASON_DECLINED,
        ORDER_REASON_HOLD_ENDED,
        ORDER_REASON_BUYER_CANCELLED,
        ORDER_REASON_SEATS_LOST,
        ORDER_REASON_SCHEDULE_CANCELLED,
        ORDER_REASONS
};
const char *order_reason_name(enum order_reason reason);
/* ORDER_REASON_NONE for a text that is none of the names. */
enum order_reason order_reason_of(struct text name);

struct order {
        purchase_id id;
        schedule_id schedule;
        account_id account;
        enum order_state state;
        enum order_reason reason;
        struct money amount;
        int64_t refund_amount; /* what is (to be) given back */
        int64_t created_at, updated_at;
        struct idempotency idempotency;
        uint32_t seat_count;
        seat_index seats[HOLD_SEATS_MAX];
        int64_t amounts[HOLD_SEATS_MAX]; /* price per seat, fixed when the order was made */
};

/* Making an order of a hold: every outcome, in the order in which it is checked. */
enum order_create_outcome {
        ORDER_CREATE_NO_HOLD = 1, /* there is none, or it is somebody else's */
        ORDER_CREATE_KEY_REUSED,  /* this Idempotency-Key made another order */
        ORDER_CREATE_REPLAYED,    /* the hold has its order already: here it is */
        ORDER_CREATE_HOLD_ENDED,
        ORDER_CREATE_SCHEDULE_CANCELLED,
        ORDER_CREATE_SALE_ENDED,
        ORDER_CREATE_SALE_PAUSED,
        ORDER_CREATE_NOT_FOR_SALE, /* a seat has lost its price since it was held */
        ORDER_CREATE_MADE,
};
struct order_create_facts {
        bool hold_is_theirs;   /* it exists and belongs to who asks */
        bool key_made_another; /* the key stands in another order of theirs */
        struct idempotency idempotency;
        const struct order *existing; /* the hold's order, or NULL */
        bool hold_is_live;
        bool schedule_cancelled, sale_ended, sale_paused;
        bool every_seat_has_price;
};
enum order_create_outcome order_create_decide(const struct order_create_facts *facts);

/* A change of an order's state. `happens` false: the event or the wish means nothing (any more). */
struct order_change {
        bool happens;
        enum order_state to;
        enum order_reason reason;
        int64_t refund_amount;
        unsigned says; /* enum event_type */
};

/* Giving an order up: every outcome, in the order in which it is checked. */
enum order_cancel_outcome {
        ORDER_CANCEL_NOT_FOUND = 1,
        ORDER_CANCEL_ALREADY,     /* cancelled or given back before: here it is */
        ORDER_CANCEL_IN_PROGRESS, /* a payment is on its way, or paid and not yet confirmed */
        ORDER_CANCEL_TOO_LATE,    /* the event's rule allows it no more */
        ORDER_CANCEL_DONE,        /* nothing was paid: the seats are free */
        ORDER_CANCEL_REFUNDING,   /* paid: the rule's share is given back */
};
struct order_cancel_facts {
        bool payment_under_way;
        bool schedule_cancelled; /* by the organiser: then everything is given back, whenever */
        int64_t now, cancel_until;
        uint32_t refund_percent;
};
/* order NULL: not found. ret_change is filled for the last two outcomes. */
enum order_cancel_outcome order_cancel_decide(const struct order *order, const struct order_cancel_facts *facts,
                                              struct order_change *ret_change);

/* What an event of the saga does to the order it is about. */
struct order_facts {
        bool payment_under_way;  /* asked for SEATS_RELEASED only */
        bool schedule_cancelled; /* asked for PAYMENT_CAPTURED only */
};
struct order_change order_hears(const struct order *order, unsigned event_type, const struct order_facts *facts);

/* Carries a change out. The move must be one of order_fsm's. */
void order_apply(struct order *order, const struct order_change *change, int64_t now);

#endif
