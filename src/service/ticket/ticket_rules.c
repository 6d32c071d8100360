#include "service/ticket/ticket_rules.h"

static const char *const state_names[] = {
        [TICKET_IS_VALID] = "VALID", [TICKET_IS_USED] = "USED", [TICKET_IS_VOID] = "VOID"};
static const uint32_t moves[] = {
        [TICKET_IS_VALID] = FSM_TO(TICKET_IS_USED) | FSM_TO(TICKET_IS_VOID),
        [TICKET_IS_USED] = FSM_TO(TICKET_IS_VOID),
        [TICKET_IS_VOID] = 0,
};
const struct fsm ticket_fsm = {"ticket", state_names, sizeof moves / sizeof *moves, moves};

static void ticket_move(struct ticket *ticket, enum ticket_state to) {
        PRE(fsm_may(&ticket_fsm, ticket->state, to));
        ticket->state = (uint8_t)to;
}

bool scan_is_permitted(enum role role, account_id scanner, account_id organiser) {
        return role == ROLE_GATE || role == ROLE_OPERATOR || (role == ROLE_ORGANISER && scanner == organiser);
}

int ticket_scan(struct ticket *ticket, const struct ticket_claims *claims, bool permitted, int64_t now) {
        if (!ticket || ticket->schedule != claims->schedule || ticket->seat != claims->seat)
                return SCAN_UNKNOWN;
        if (!permitted)
                return SCAN_ELSEWHERE;
        if (ticket->state == TICKET_IS_VOID)
                return SCAN_VOID;
        if (ticket->state == TICKET_IS_USED)
                return SCAN_USED;

        ticket_move(ticket, TICKET_IS_USED);
        ticket->used_at = now;
        return SCAN_ADMITTED;
}

bool ticket_void(struct ticket *ticket) {
        if (ticket->state == TICKET_IS_VOID)
                return false;
        ticket_move(ticket, TICKET_IS_VOID);
        return true;
}
