/* audit_seats.c: I1, I4, I5 and I8 from seats, holds and orders.
 *
 * A hold claims its seats while it is ACTIVE, and when CONSUMED until its order is being refunded. Every seat has at
 * most one claim, and carries the number and version of who claims it. */
#include <inttypes.h>
#include <stdlib.h>

#include "audit/audit_model.h"
#include "base/map.h"

static bool claims(const struct audit_model *model, const struct audit_hold *hold) {
        if (hold->state == HOLD_LIVE)
                return true;
        if (hold->state != HOLD_USED)
                return false;
        const struct audit_order *order = audit_order_of(model, hold->id);
        return !order || (order->state != ORDER_MONEY_LEAVING && order->state != ORDER_MONEY_BACK);
}

/* How many of the hold's seats carry its number and version in this state. */
static size_t carried(struct audit *audit, const struct audit_hold *hold, int state, bool claim) {
        size_t n = 0;
        for (size_t i = 0; i < hold->seat_count; i++) {
                const struct audit_listed *listed = &audit->model.listed[hold->seat_first + i];
                struct audit_seat *seat = audit_seat_of(&audit->model, hold->schedule, listed->seat);
                if (!seat) {
                        audit_found(audit, 8,
                                    "hold %" PRIu64 " lists seat %u of schedule %" PRIu64 ", and there is no such seat",
                                    hold->id, listed->seat, hold->schedule);
                        continue;
                }
                if (claim && seat->claims++)
                        audit_found(audit, 1,
                                    "seat %u of schedule %" PRIu64 " is claimed by hold %" PRIu64
                                    " and by another (the row says hold %" PRIu64 ", state %d)",
                                    listed->seat, hold->schedule, hold->id, seat->hold, seat->state);
                n += seat->hold == hold->id && seat->version == listed->version && seat->state == state;
        }
        return n;
}

static void check_hold(struct audit *audit, const struct audit_hold *hold, struct map *bought) {
        bool claim = claims(&audit->model, hold);
        int state = hold->state == HOLD_LIVE ? SEAT_KEPT : SEAT_TAKEN;
        size_t n = carried(audit, hold, state, claim);
        if (claim && n != hold->seat_count)
                audit_found(audit, 4, "hold %" PRIu64 " (state %d) has %zu of its %zu seats on schedule %" PRIu64,
                            hold->id, hold->state, n, hold->seat_count, hold->schedule);
        if (hold->seat_count == 0)
                audit_found(audit, 4, "hold %" PRIu64 " has no seats", hold->id);
        if (!claim)
                return;
        uint64_t key = hold->account * UINT64_C(0x9e3779b97f4a7c15) ^ hold->schedule;
        uint64_t *known = map_find(bought, key ? key : 1);
        if (known)
                *known += hold->seat_count;
        else
                map_put(bought, key ? key : 1, hold->seat_count);
        const struct audit_schedule *schedule = audit_schedule_of(&audit->model, hold->schedule);
        uint64_t total = known ? *known : hold->seat_count;
        if (schedule && (int64_t)total > schedule->cap)
                audit_found(audit, 5,
                            "account %" PRIu64 " has %" PRIu64 " seats on schedule %" PRIu64 " (hold %" PRIu64
                            " among them), and the cap is %" PRId64,
                            hold->account, total, hold->schedule, hold->id, schedule->cap);
}

/* A seat row on its own: who it names must know of it. */
static void check_seat(struct audit *audit, const struct audit_seat *seat) {
        if (seat->state < 0 || seat->state >= SEAT_STATES) {
                audit_found(audit, 8, "seat %" PRId64 " of schedule %" PRIu64 " has the unknown state %d", seat->seat,
                            seat->schedule, seat->state);
                return;
        }
        if (seat->state != SEAT_KEPT && seat->state != SEAT_TAKEN)
                return;
        const struct audit_hold *hold = audit_hold_of(&audit->model, seat->hold);
        if (!hold || hold->schedule != seat->schedule)
                audit_found(audit, 1,
                            "seat %" PRId64 " of schedule %" PRIu64 " is %s by hold %" PRIu64
                            ", and there is no such hold on it",
                            seat->seat, seat->schedule, seat->state == SEAT_KEPT ? "held" : "sold", seat->hold);
        else if (!seat->claims)
                audit_found(audit, seat->state == SEAT_KEPT ? 8 : 1,
                            "seat %" PRId64 " of schedule %" PRIu64 " is %s by hold %" PRIu64
                            ", and that hold (state %d) does not claim it",
                            seat->seat, seat->schedule, seat->state == SEAT_KEPT ? "held" : "sold", seat->hold,
                            hold->state);
}

static void count_schedule(struct audit *audit, struct audit_schedule *schedule) {
        struct audit_report *report = audit->report;
        uint64_t counts[SEAT_STATES] = {0};
        for (size_t i = 0; i < schedule->seat_count; i++) {
                const struct audit_seat *seat = &audit->model.seats[schedule->seat_first + i];
                if (seat->state >= 0 && seat->state < SEAT_STATES)
                        counts[seat->state]++;
        }
        if (schedule->seat_count && (int64_t)schedule->seat_count != schedule->plan_seats)
                audit_found(audit, 8, "schedule %" PRIu64 " has %zu seat rows, and its plan has %" PRId64 " seats",
                            schedule->id, schedule->seat_count, schedule->plan_seats);
        report->seats += schedule->seat_count;
        report->available += counts[SEAT_FREE];
        report->held += counts[SEAT_KEPT];
        report->sold += counts[SEAT_TAKEN];
        report->blocked += counts[SEAT_SHUT];
}

static void find_ranges(struct audit *audit) {
        struct audit_model *model = &audit->model;
        struct audit_schedule *schedule = 0;
        for (size_t i = 0; i < model->seat_count; i++) {
                if (!schedule || schedule->id != model->seats[i].schedule) {
                        schedule = audit_schedule_of(model, model->seats[i].schedule);
                        if (!schedule) {
                                audit_found(audit, 8,
                                            "seat %" PRId64 " stands on schedule %" PRIu64
                                            ", and there is no such schedule",
                                            model->seats[i].seat, model->seats[i].schedule);
                                continue;
                        }
                        schedule->seat_first = i;
                }
                schedule->seat_count++;
        }
}

void audit_seats(struct audit *audit) {
        struct audit_model *model = &audit->model;
        struct map bought; /* (account, schedule) → seats */
        map_init(&bought);
        find_ranges(audit);
        for (size_t i = 0; i < model->hold_count; i++)
                check_hold(audit, &model->holds[i], &bought);
        for (size_t i = 0; i < model->seat_count; i++)
                check_seat(audit, &model->seats[i]);
        for (size_t i = 0; i < model->schedule_count; i++)
                count_schedule(audit, &model->schedules[i]);
        map_deinit(&bought);
}
