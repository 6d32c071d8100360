/* event_rules.h: what a schedule may be and how it may change, as pure functions of plain structs. Whoever calls them has
 * loaded what they look at and stores what they make.
 *
 * A wish is what a person asks for; a number that is WISH_NONE, a list that is NULL was not asked for, and stays as it is
 * (a change) or gets its default (a new schedule). That each number is in its range is the body reader's business; rules
 * are about how the numbers fit each other, the plan and the clock. */
#ifndef TICKETRUSH_SERVICE_EVENT_RULES_H
#define TICKETRUSH_SERVICE_EVENT_RULES_H

#include "base/text.h"
#include "service/event/event.h"

#define WISH_NONE INT64_MIN

struct grade_wish { struct text category; int64_t amount; };

struct schedule_wish {
        int64_t starts_at, opens_at, ends_at, cancel_until, cancel_refund_percent, cap, hold_seconds;
        int64_t line_capacity, line_rate, line_pass_seconds, line_waiting_max, line_enabled, lobby_opens_at;
        const struct grade_wish *grades;
        size_t grade_count;
};

/* A wish of nothing. */
void schedule_wish_init(struct schedule_wish *wish);

/* In the order in which they are checked. */
enum schedule_outcome {
        SCHEDULE_ACCEPTED = 1,
        SCHEDULE_CANNOT_CHANGE,       /* it is cancelled, or its sale has ended */
        SCHEDULE_OPENING_FIXED,       /* the sale is open: opensAt and lobbyOpensAt have done their work */
        SCHEDULE_PRICES_FIXED,        /* the sale is open: somebody may be looking at the prices */
        SCHEDULE_ENDS_BEFORE_OPENING, /* endsAt has to be after opensAt */
        SCHEDULE_ENDS_IN_PAST,
        SCHEDULE_LOBBY_AFTER_OPENING,
        SCHEDULE_CATEGORY_UNKNOWN,    /* of the plan */
        SCHEDULE_CATEGORY_TWICE,
        SCHEDULE_CATEGORY_NOT_FOR_SALE, /* a change cannot put a category on sale: its seats are blocked */
};

/* *ret_schedule: defaults and wishes in one; id, event, organiser, plan, currency and draw are the caller's to fill.
 * starts_at and opens_at have to be wished. */
int schedule_create_decide(const struct schedule_wish *wish, const struct plan *plan, int64_t now, struct schedule *ret_schedule);
/* *ret_schedule: the schedule as it is to be. */
int schedule_change_decide(const struct schedule *schedule, const struct schedule_wish *wish, int64_t now, struct schedule *ret_schedule);

/* May this person change a thing of that owner? Others are told that it is not there. */
bool event_may_change(account_id owner, account_id account, enum role role);
/* Three capital letters (ISO 4217). */
bool currency_is_sound(struct text currency);

#endif
