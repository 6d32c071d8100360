/* ticket_rules.h: a ticket's life, and who is let in. Pure.
 *
 *   VALID ──► USED   scanned in at a gate
 *     │        │
 *     └──► VOID ◄┘   the order is refunded; the seat may get another ticket
 */
#ifndef TICKETRUSH_SERVICE_TICKET_RULES_H
#define TICKETRUSH_SERVICE_TICKET_RULES_H

#include "base/fsm.h"
#include "service/limits.h"
#include "service/vocabulary.h"

enum ticket_state { TICKET_IS_VALID, TICKET_IS_USED, TICKET_IS_VOID };
extern const struct fsm ticket_fsm;

struct ticket {
        purchase_id order;
        schedule_id schedule;
        account_id account;
        int64_t issued_at, used_at; /* used_at 0: not yet */
        seat_index seat;
        uint8_t place; /* of the seat in its order, 0 … HOLD_SEATS_MAX - 1 */
        uint8_t state; /* enum ticket_state */
};

/* What the code in a QR says. */
struct ticket_claims {
        purchase_id order;
        schedule_id schedule;
        seat_index seat;
        uint8_t place;
};

/* In the order in which they are checked. */
enum scan_outcome {
        SCAN_UNKNOWN = 1, /* no such ticket, or the code tells another schedule or seat */
        SCAN_ELSEWHERE,   /* of a schedule that is not this scanner's business */
        SCAN_VOID,
        SCAN_USED,
        SCAN_ADMITTED,    /* the ticket is USED now */
};

/* Gate staff and operators scan anywhere, an organiser at his own schedules. */
bool scan_is_permitted(enum role role, account_id scanner, account_id organiser);
/* ticket NULL: there is none. Changes the ticket only if it admits. */
int ticket_scan(struct ticket *ticket, const struct ticket_claims *claims, bool permitted, int64_t now);
/* The order is given back: true if the ticket has become void by that. */
bool ticket_void(struct ticket *ticket);

#endif
