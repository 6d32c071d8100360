/* inventory_rules.c: the ladders. See the header for the pictures. */
#include "service/inventory/inventory_rules.h"

static const char *const seat_names[] = {"AVAILABLE", "HELD", "SOLD", "BLOCKED"};
static const uint32_t seat_moves[] = {
        [SEAT_AVAILABLE] = FSM_TO(SEAT_HELD) | FSM_TO(SEAT_BLOCKED),
        [SEAT_HELD] = FSM_TO(SEAT_AVAILABLE) | FSM_TO(SEAT_SOLD),
        [SEAT_SOLD] = FSM_TO(SEAT_AVAILABLE),
        [SEAT_BLOCKED] = FSM_TO(SEAT_AVAILABLE),
};
const struct fsm seat_fsm = {.name = "seat", .state_names = seat_names, .state_count = 4, .moves = seat_moves};

static const char *const hold_names[] = {"ACTIVE", "CONSUMED", "RELEASED", "EXPIRED"};
static const uint32_t hold_moves[] = {
        [HOLD_ACTIVE] = FSM_TO(HOLD_CONSUMED) | FSM_TO(HOLD_RELEASED) | FSM_TO(HOLD_EXPIRED),
        [HOLD_CONSUMED] = FSM_TO(HOLD_RELEASED),
        [HOLD_RELEASED] = FSM_TO(HOLD_CONSUMED),
        [HOLD_EXPIRED] = FSM_TO(HOLD_CONSUMED),
};
const struct fsm hold_fsm = {.name = "hold", .state_names = hold_names, .state_count = 4, .moves = hold_moves};

static struct seat seat_move(struct seat seat, enum seat_state to) {
        PRE(fsm_may(&seat_fsm, seat.state, to));
        seat.state = (uint8_t)to;
        return seat;
}

struct seat seat_hold(struct seat seat, purchase_id hold) {
        PRE(hold != 0 && seat.version < UINT32_MAX);
        seat = seat_move(seat, SEAT_HELD);
        seat.hold = hold;
        seat.version++;
        return seat;
}

struct seat seat_sell(struct seat seat) {
        return seat_move(seat, SEAT_SOLD);
}

struct seat seat_free(struct seat seat) {
        PRE(seat.state == SEAT_HELD || seat.state == SEAT_SOLD);
        seat = seat_move(seat, SEAT_AVAILABLE);
        seat.hold = 0;
        return seat;
}

struct seat seat_block(struct seat seat, bool blocked) {
        return seat_move(seat, blocked ? SEAT_BLOCKED : SEAT_AVAILABLE);
}

bool hold_has_seats(const struct hold *hold, const struct seat *house, enum seat_state state) {
        for (uint32_t i = 0; i < hold->seat_count; i++) {
                const struct seat *seat = &house[hold->seats[i]];
                if (seat->state != state || seat->hold != hold->id || seat->version != hold->versions[i])
                        return false;
        }
        return true;
}

/* The seats that are there more than once, from their second time on. At most 16: comparing each with each is fast. */
static seat_mask choice_repeated(const struct seat_choice *choice) {
        seat_mask mask = 0;
        for (uint32_t i = 1; i < choice->count; i++) {
                for (uint32_t j = 0; j < i; j++) {
                        if (choice->seats[i] == choice->seats[j])
                                mask |= UINT32_C(1) << i;
                }
        }
        return mask;
}

static seat_mask choice_unknown(const struct seat_choice *choice, uint32_t seat_count) {
        seat_mask mask = 0;
        for (uint32_t i = 0; i < choice->count; i++) {
                if (choice->seats[i] >= seat_count)
                        mask |= UINT32_C(1) << i;
        }
        return mask;
}

static seat_mask choice_not_for_sale(const struct seat_choice *choice) {
        seat_mask mask = 0;
        for (uint32_t i = 0; i < choice->count; i++) {
                if (choice->amounts[i] < 0)
                        mask |= UINT32_C(1) << i;
        }
        return mask;
}

/* Neither free nor held by `own` (0: nobody's). */
static seat_mask choice_taken(const struct seat_choice *choice, purchase_id own) {
        seat_mask mask = 0;
        for (uint32_t i = 0; i < choice->count; i++) {
                const struct seat *seat = &choice->house[choice->seats[i]];
                bool ours = own != 0 && seat->state == SEAT_HELD && seat->hold == own;
                if (seat->state != SEAT_AVAILABLE && !ours)
                        mask |= UINT32_C(1) << i;
        }
        return mask;
}

/* The part of the ladder that is about seats, the same for a new hold and for a changed one. */
enum choice_outcome {
        CHOICE_SEAT_UNKNOWN = 1,
        CHOICE_SEAT_REPEATED,
        CHOICE_NOT_FOR_SALE,
        CHOICE_OVER_CAP,
        CHOICE_SEAT_TAKEN,
        CHOICE_FREE
};

static int choice_check(const struct seat_choice *choice, const struct sale_terms *terms, purchase_id own,
                        uint32_t own_count, seat_mask *ret_culprits) {
        PRE(choice->count > 0 && choice->count <= HOLD_SEATS_MAX);
        PRE(choice->share >= own_count);
        if ((*ret_culprits = choice_unknown(choice, terms->seat_count)) != 0)
                return CHOICE_SEAT_UNKNOWN;
        if ((*ret_culprits = choice_repeated(choice)) != 0)
                return CHOICE_SEAT_REPEATED;
        if ((*ret_culprits = choice_not_for_sale(choice)) != 0)
                return CHOICE_NOT_FOR_SALE;
        if (choice->share - own_count + choice->count > terms->cap)
                return CHOICE_OVER_CAP;
        if ((*ret_culprits = choice_taken(choice, own)) != 0)
                return CHOICE_SEAT_TAKEN;
        return CHOICE_FREE;
}

static struct hold wish_hold(const struct hold_wish *wish) {
        struct hold hold = {
                .id = wish->id,
                .schedule = wish->schedule,
                .account = wish->account,
                .state = HOLD_ACTIVE,
                .created_at = wish->now,
                .expires_at = wish->now + (int64_t)wish->terms->hold_seconds * 1000,
                .idempotency = wish->idempotency,
                .seat_count = wish->choice.count,
        };
        for (uint32_t i = 0; i < hold.seat_count; i++) {
                hold.seats[i] = wish->choice.seats[i];
                hold.versions[i] = wish->choice.house[hold.seats[i]].version + 1;
        }
        return hold;
}

static int wish_check_sale(const struct hold_wish *wish) {
        const struct sale_terms *terms = wish->terms;
        if (!terms->known)
                return HOLD_SCHEDULE_UNKNOWN;
        if (terms->cancelled)
                return HOLD_SCHEDULE_CANCELLED;
        if (wish->now < terms->opens_at)
                return HOLD_SALE_NOT_OPEN;
        if (wish->now >= terms->ends_at)
                return HOLD_SALE_ENDED;
        if (terms->paused)
                return HOLD_SALE_PAUSED;
        if (!wish->admitted)
                return HOLD_NOT_ADMITTED;
        return 0;
}

int hold_decide_create(const struct hold_wish *wish, struct hold *ret_hold, seat_mask *ret_culprits) {
        static const int outcomes[] = {
                [CHOICE_SEAT_UNKNOWN] = HOLD_SEAT_UNKNOWN,      [CHOICE_SEAT_REPEATED] = HOLD_SEAT_REPEATED,
                [CHOICE_NOT_FOR_SALE] = HOLD_SEAT_NOT_FOR_SALE, [CHOICE_OVER_CAP] = HOLD_OVER_CAP,
                [CHOICE_SEAT_TAKEN] = HOLD_SEAT_TAKEN,          [CHOICE_FREE] = HOLD_CREATED,
        };
        int outcome = wish_check_sale(wish);
        if (outcome != 0)
                return outcome;
        if (wish->earlier)
                return wish->earlier->idempotency.fingerprint == wish->idempotency.fingerprint ? HOLD_REPLAYED
                                                                                               : HOLD_KEY_REUSED;
        outcome = outcomes[choice_check(&wish->choice, wish->terms, 0, 0, ret_culprits)];
        if (outcome == HOLD_CREATED)
                *ret_hold = wish_hold(wish);
        return outcome;
}

static int change_check_hold(const struct hold *hold, account_id account, const struct sale_terms *terms, int64_t now) {
        if (!hold || hold->account != account)
                return CHANGE_HOLD_UNKNOWN;
        if (hold->state != HOLD_ACTIVE || hold->expires_at <= now)
                return CHANGE_HOLD_ENDED;
        if (hold->paying)
                return CHANGE_HOLD_IN_PAYMENT;
        if (hold->ordered)
                return CHANGE_HOLD_ORDERED;
        if (!terms->known || terms->cancelled || now >= terms->ends_at)
                return CHANGE_SALE_OVER;
        if (terms->paused)
                return CHANGE_SALE_PAUSED;
        return 0;
}

int hold_decide_change(const struct hold *hold, account_id account, const struct sale_terms *terms,
                       const struct seat_choice *choice, int64_t now, struct hold *ret_hold, seat_mask *ret_culprits) {
        static const int outcomes[] = {
                [CHOICE_SEAT_UNKNOWN] = CHANGE_SEAT_UNKNOWN,      [CHOICE_SEAT_REPEATED] = CHANGE_SEAT_REPEATED,
                [CHOICE_NOT_FOR_SALE] = CHANGE_SEAT_NOT_FOR_SALE, [CHOICE_OVER_CAP] = CHANGE_OVER_CAP,
                [CHOICE_SEAT_TAKEN] = CHANGE_SEAT_TAKEN,          [CHOICE_FREE] = CHANGE_DONE,
        };
        int outcome = change_check_hold(hold, account, terms, now);
        if (outcome != 0)
                return outcome;
        outcome = outcomes[choice_check(choice, terms, hold->id, hold->seat_count, ret_culprits)];
        if (outcome != CHANGE_DONE)
                return outcome;

        struct hold changed = *hold;
        changed.seat_count = choice->count;
        for (uint32_t i = 0; i < choice->count; i++) {
                const struct seat *seat = &choice->house[choice->seats[i]];
                changed.seats[i] = choice->seats[i];
                changed.versions[i] = seat->hold == hold->id ? seat->version : seat->version + 1;
        }
        *ret_hold = changed;
        return CHANGE_DONE;
}

int hold_decide_release(const struct hold *hold, account_id account) {
        if (!hold || hold->account != account)
                return RELEASE_HOLD_UNKNOWN;
        if (hold->state == HOLD_CONSUMED)
                return RELEASE_HOLD_CONSUMED;
        if (hold->state == HOLD_ACTIVE && hold->paying)
                return RELEASE_HOLD_IN_PAYMENT;
        return hold->state == HOLD_ACTIVE ? RELEASE_DONE : RELEASE_REPEATED;
}

int hold_decide_pay(const struct hold *hold, int64_t now, int64_t *ret_expires_at) {
        if (hold->state != HOLD_ACTIVE)
                return PAY_HOLD_ENDED;
        int64_t extended = now + (int64_t)PAYMENT_HOLD_SECONDS * 1000;
        *ret_expires_at = extended > hold->expires_at ? extended : hold->expires_at;
        return PAY_HOLD_EXTENDED;
}

int hold_decide_sell(const struct hold *hold, const struct sale_terms *terms, const struct seat *house, uint32_t share,
                     struct hold *ret_hold) {
        if (hold->state == HOLD_CONSUMED)
                return SELL_REPEATED;
        if (hold->state == HOLD_ACTIVE)
                return hold_has_seats(hold, house, SEAT_HELD) ? SELL_DONE : SELL_FENCED;
        if (!terms->known || terms->cancelled || share + hold->seat_count > terms->cap)
                return SELL_LOST;

        struct hold retaken = *hold;
        for (uint32_t i = 0; i < hold->seat_count; i++) {
                const struct seat *seat = &house[hold->seats[i]];
                if (seat->state != SEAT_AVAILABLE)
                        return SELL_LOST;
                retaken.versions[i] = seat->version + 1;
        }
        *ret_hold = retaken;
        return SELL_RETAKEN;
}

int hold_decide_return(const struct hold *hold, const struct seat *house) {
        if (hold->state == HOLD_ACTIVE)
                return RETURN_RELEASED;
        if (hold->state != HOLD_CONSUMED)
                return RETURN_NOTHING;
        return hold_has_seats(hold, house, SEAT_SOLD) ? RETURN_DONE : RETURN_FENCED;
}

int hold_decide_expire(const struct hold *hold, int64_t now) {
        if (hold->state != HOLD_ACTIVE)
                return EXPIRE_ENDED;
        return hold->expires_at > now ? EXPIRE_NOT_YET : EXPIRE_DONE;
}

int seat_decide_block(const struct seat *house, uint32_t seat_count, seat_index seat, bool blocked) {
        if (seat >= seat_count)
                return BLOCK_SEAT_UNKNOWN;
        if (house[seat].state == SEAT_HELD || house[seat].state == SEAT_SOLD)
                return blocked ? BLOCK_SEAT_TAKEN : BLOCK_DONE;
        return BLOCK_DONE;
}
