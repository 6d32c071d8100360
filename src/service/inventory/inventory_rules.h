/* inventory_rules.h: every decision about a seat or a hold, as pure functions of plain structs: no I/O, clock,
 * allocation or logging. Whoever calls them has loaded what they look at, carries out what they decide and stores it.
 *
 *   seat  AVAILABLE ⇄ HELD → SOLD (→ AVAILABLE after a refund), AVAILABLE ⇄ BLOCKED
 *
 *            hold taken       paid, confirmed by fence
 *   (none) ────────► ACTIVE ────────────► CONSUMED ──► RELEASED  refunded: its seats are free again
 *                       ├──► RELEASED  by its owner, or because the payment was declined   ┐ late money may take the
 *                       └──► EXPIRED   its time was over                                   ┘ same seats again: CONSUMED
 *
 * Fencing. Every time a seat is held its version rises by one, and a hold remembers the versions it was given. A seat
 * is sold only while it is HELD, by this hold, at that version: a hold that has lost its seats cannot sell them,
 * however late it wakes up, and however the seats have changed hands since.
 *
 * A rule is a ladder of refusals in a fixed order, each its own outcome, listed in that order; the last outcome of each
 * list says that it may happen, and then nothing can fail any more. */
#ifndef TICKETRUSH_SERVICE_INVENTORY_RULES_H
#define TICKETRUSH_SERVICE_INVENTORY_RULES_H

#include "base/fsm.h"
#include "service/limits.h"
#include "service/vocabulary.h"

enum seat_state { SEAT_AVAILABLE, SEAT_HELD, SEAT_SOLD, SEAT_BLOCKED };
enum hold_state { HOLD_ACTIVE, HOLD_CONSUMED, HOLD_RELEASED, HOLD_EXPIRED };
extern const struct fsm seat_fsm;
extern const struct fsm hold_fsm;

/* A row of table seat. */
struct seat {
        purchase_id hold; /* HELD or SOLD by; else 0 */
        uint32_t version; /* how often it has been held */
        uint8_t state;    /* enum seat_state */
};

/* A row of table hold. */
struct hold {
        purchase_id id;
        schedule_id schedule;
        account_id account;
        enum hold_state state;
        int64_t created_at, expires_at;
        int64_t ended_at; /* 0 while ACTIVE */
        struct idempotency idempotency;
        uint32_t seat_count;
        bool paying;  /* a payment is on its way: may not be released or changed; expires_at was extended */
        bool ordered; /* an order has been made of it: its seats are fixed */
        seat_index seats[HOLD_SEATS_MAX];
        uint32_t versions[HOLD_SEATS_MAX];
};

/* What a schedule's sale allows. */
struct sale_terms {
        bool known; /* false: there is no such schedule, the rest means nothing */
        bool cancelled, paused;
        int64_t opens_at, ends_at;
        uint32_t cap; /* seats per person, over holds and orders */
        uint32_t hold_seconds;
        uint32_t seat_count;
};

/* The seats that a command is about. */
struct seat_choice {
        const struct seat *house; /* all seats of the schedule: terms.seat_count of them */
        const seat_index *seats;  /* the chosen ones, not checked yet */
        const int64_t *amounts;   /* the price of each chosen one; -1: not for sale (or not a seat) */
        uint32_t count;           /* at most HOLD_SEATS_MAX */
        uint32_t share;           /* seats that this person holds or has bought here */
};

/* Which of the chosen seats an outcome is about: bit i is chosen seat i. */
typedef uint32_t seat_mask;

enum hold_create_outcome {
        HOLD_SCHEDULE_UNKNOWN = 1,
        HOLD_SCHEDULE_CANCELLED,
        HOLD_SALE_NOT_OPEN,
        HOLD_SALE_ENDED,
        HOLD_SALE_PAUSED,
        HOLD_NOT_ADMITTED,
        HOLD_KEY_REUSED, /* the idempotency key belongs to another body */
        HOLD_REPLAYED,   /* the same command again: the answer is the hold as it is */
        HOLD_SEAT_UNKNOWN,
        HOLD_SEAT_REPEATED,
        HOLD_SEAT_NOT_FOR_SALE,
        HOLD_OVER_CAP,
        HOLD_SEAT_TAKEN,
        HOLD_CREATED,
};

struct hold_wish {
        const struct sale_terms *terms;
        struct seat_choice choice;
        const struct hold *earlier; /* the hold that this idempotency key has made, or NULL */
        purchase_id id;             /* of the hold to be */
        schedule_id schedule;
        account_id account;
        struct idempotency idempotency;
        int64_t now;
        bool admitted; /* the person has a pass in use */
};

/* HOLD_CREATED: *ret_hold is the new hold, with the versions that its seats get. Else *ret_culprits tells the seats
 * that are why, if it was about seats. */
int hold_decide_create(const struct hold_wish *wish, struct hold *ret_hold, seat_mask *ret_culprits);

enum hold_change_outcome {
        CHANGE_HOLD_UNKNOWN = 1, /* or somebody else's */
        CHANGE_HOLD_ENDED,
        CHANGE_HOLD_IN_PAYMENT,
        CHANGE_HOLD_ORDERED,
        CHANGE_SALE_OVER, /* cancelled or ended */
        CHANGE_SALE_PAUSED,
        CHANGE_SEAT_UNKNOWN,
        CHANGE_SEAT_REPEATED,
        CHANGE_SEAT_NOT_FOR_SALE,
        CHANGE_OVER_CAP,
        CHANGE_SEAT_TAKEN,
        CHANGE_DONE,
};

/* CHANGE_DONE: *ret_hold is the hold with its new seats; seats that stay keep their versions. hold may be NULL. */
int hold_decide_change(const struct hold *hold, account_id account, const struct sale_terms *terms,
                       const struct seat_choice *choice, int64_t now, struct hold *ret_hold, seat_mask *ret_culprits);

enum hold_release_outcome {
        RELEASE_HOLD_UNKNOWN = 1, /* or somebody else's */
        RELEASE_HOLD_CONSUMED,
        RELEASE_HOLD_IN_PAYMENT,
        RELEASE_REPEATED, /* it has ended already: nothing to do */
        RELEASE_DONE,
};
int hold_decide_release(const struct hold *hold, account_id account);

enum hold_pay_outcome { PAY_HOLD_ENDED = 1, PAY_HOLD_EXTENDED };
/* A payment has started: *ret_expires_at is when the hold ends now (never sooner than before). */
int hold_decide_pay(const struct hold *hold, int64_t now, int64_t *ret_expires_at);

enum hold_sell_outcome {
        SELL_REPEATED = 1, /* sold by this very hold already */
        SELL_FENCED,       /* ACTIVE, but a seat is not its own any more: memory or database lies */
        SELL_LOST,         /* the hold is gone, and its seats cannot all be taken again */
        SELL_RETAKEN,      /* the hold is gone, but every seat is free and the cap allows: taken again, and sold */
        SELL_DONE,
};
/* The order of this hold has been paid. SELL_RETAKEN: *ret_hold has the seats' new versions. share: seats that the
 * person holds or has bought here, without this hold's when it is gone. */
int hold_decide_sell(const struct hold *hold, const struct sale_terms *terms, const struct seat *house, uint32_t share,
                     struct hold *ret_hold);

enum hold_return_outcome {
        RETURN_NOTHING = 1, /* this hold has no seats: they were lost, or are back already */
        RETURN_FENCED,      /* CONSUMED, but a seat is not sold by it: memory or database lies */
        RETURN_RELEASED,    /* the hold was still ACTIVE: it ends */
        RETURN_DONE,        /* its sold seats are free again */
};
/* The order of this hold gets its money back. */
int hold_decide_return(const struct hold *hold, const struct seat *house);

enum hold_expire_outcome { EXPIRE_ENDED = 1, EXPIRE_NOT_YET, EXPIRE_DONE };
int hold_decide_expire(const struct hold *hold, int64_t now);

enum seats_block_outcome {
        BLOCK_SCHEDULE_UNKNOWN = 1 /* or somebody else's */,
        BLOCK_SEAT_UNKNOWN,
        BLOCK_SEAT_TAKEN,
        BLOCK_DONE
};
/* May the organiser block (or unblock) a seat? BLOCK_DONE also when it is so already. */
int seat_decide_block(const struct seat *house, uint32_t seat_count, seat_index seat, bool blocked);

/* The steps: a seat after a move. Each asserts that the lifecycle allows it. */
struct seat seat_hold(struct seat seat, purchase_id hold); /* AVAILABLE → HELD, next version */
struct seat seat_sell(struct seat seat);                   /* HELD → SOLD */
struct seat seat_free(struct seat seat);                   /* HELD or SOLD → AVAILABLE, same version */
struct seat seat_block(struct seat seat, bool blocked);    /* AVAILABLE ⇄ BLOCKED */
/* Does this hold have every one of its seats, in that state, at the versions it was given? */
bool hold_has_seats(const struct hold *hold, const struct seat *house, enum seat_state state);

#endif
