/* inventory_saga.c: what inventory does when others speak (its part of the purchase saga, ARCHITECTURE.md), and when
 * time is over. Events come in the journal's order, each at least once: a step that finds its work done does nothing.
 */
#include "service/inventory/inventory_service.h"

#include "base/log.h"
#include "service/event/event.h"

enum { EXPIRE_AT_ONCE = 1024 }; /* holds of one turn; the rest has the next */

struct saga {
        struct inventory *inventory;
        struct turn *turn;
        struct writes writes;
};

/* schedule.created: makes the seats. */
static int saga_make_seats(struct saga *saga, const struct event *event) {
        const struct schedule *schedule =
                event_schedule(saga->inventory->config.events, saga->turn->db, event->subject);
        if (!schedule)
                return -ENOENT;
        int64_t made;
        int r = store_make_seats(saga->turn->db, schedule->id, schedule->plan, schedule->amounts, &made);
        if (r < 0 || made == 0)
                return r;
        struct event said = {.type = SEATS_CREATED,
                             .schedule = schedule->id,
                             .subject = schedule->id,
                             .account = schedule->organiser,
                             .cause = event->id,
                             .payload = TEXT("{}")};
        return turn_say(saga->turn, &said);
}

/* payment.started: the hold outlives the provider's window. */
static int saga_extend(struct saga *saga, struct hold *hold) {
        int64_t expires_at;
        if (!hold || hold_decide_pay(hold, saga->turn->now, &expires_at) != PAY_HOLD_EXTENDED)
                return 0;
        struct halls *halls = &saga->inventory->halls;
        struct hall *hall;
        int r = halls_find(halls, saga->turn->db, saga->turn->now, hold->schedule, &hall);
        if (r < 0)
                return r;
        hold->paying = true;
        hold->expires_at = expires_at;
        hall_save_hold(halls, hall, &saga->writes, hold, HOLD_ACTIVE, false);
        return halls_set_deadline(halls, hold);
}

/* The hold's seats, HELD or free, are its for good. */
static int saga_take_for_good(struct saga *saga, struct hall *hall, struct hold *hold, enum hold_state before) {
        struct halls *halls = &saga->inventory->halls;
        bool retaken = before != HOLD_ACTIVE;
        int r = 0;
        for (uint32_t i = 0; i < hold->seat_count && r == 0; i++) {
                struct seat seat = hall->seats[hold->seats[i]];
                if (retaken)
                        seat = seat_hold(seat, hold->id);
                r = hall_move_seat(halls, hall, &saga->writes, hold->seats[i], seat_sell(seat), hold->account);
        }
        if (r == 0 && retaken)
                r = hall_add_share(hall, hold->account, (int32_t)hold->seat_count);
        hold->state = HOLD_CONSUMED;
        hold->paying = false;
        hold->ended_at = saga->turn->now;
        hall_save_hold(halls, hall, &saga->writes, hold, before, retaken);
        if (!retaken)
                hall_end_hold(halls, hold);
        metric_add(&inventory_seats_sold, hold->seat_count);
        return r;
}

static int saga_lose(struct saga *saga, const struct event *event) {
        struct event said = {.type = SEATS_LOST,
                             .schedule = event->schedule,
                             .subject = event->subject,
                             .account = event->account,
                             .cause = event->id,
                             .payload = TEXT("{}")};
        metric_add(&inventory_seats_lost, 1);
        return turn_say(saga->turn, &said);
}

/* order.paid: sold by fence; or taken again, if the hold is gone and all is free; or lost. */
static int saga_sell(struct saga *saga, const struct event *event, struct hold *hold) {
        if (!hold)
                return saga_lose(saga, event);
        const struct schedule *schedule;
        struct sale_terms terms;
        struct hall *hall;
        int r = inventory_find_hall(saga->inventory, saga->turn, hold->schedule, &schedule, &terms, &hall);
        if (r < 0)
                return r;
        if (!hall)
                return FAULT_FORMAT;
        enum hold_state before = hold->state;
        switch (hold_decide_sell(hold, &terms, hall->seats, hall_share(hall, hold->account), hold)) {
        case SELL_REPEATED:
                return 0;
        case SELL_LOST:
                return saga_lose(saga, event);
        case SELL_RETAKEN:
        case SELL_DONE:
                r = saga_take_for_good(saga, hall, hold, before);
                return r < 0 ? r : inventory_say(saga->turn, SEATS_SOLD, hold, NULL, event->id);
        default:
                return FAULT_CONSTRAINT;
        }
}

/* order.cancelled: nothing was captured. */
static int saga_release(struct saga *saga, const struct event *event, struct hold *hold) {
        if (!hold || hold->state != HOLD_ACTIVE)
                return 0;
        return inventory_end_hold(saga->inventory, saga->turn, &saga->writes, hold, HOLD_RELEASED, "cancelled",
                                  event->id);
}

/* The sold seats are free again. */
static int saga_give_back(struct saga *saga, const struct event *event, struct hold *hold, struct hall *hall) {
        struct halls *halls = &saga->inventory->halls;
        int r = 0;
        for (uint32_t i = 0; i < hold->seat_count && r == 0; i++)
                r = hall_move_seat(halls, hall, &saga->writes, hold->seats[i], seat_free(hall->seats[hold->seats[i]]),
                                   0);
        if (r == 0)
                r = hall_add_share(hall, hold->account, -(int32_t)hold->seat_count);
        hold->state = HOLD_RELEASED;
        hold->ended_at = saga->turn->now;
        hall_save_hold(halls, hall, &saga->writes, hold, HOLD_CONSUMED, false);
        return r < 0 ? r : inventory_say(saga->turn, SEATS_RETURNED, hold, NULL, event->id);
}

/* order.refunding: seats come back only from the hold that has them; after seats.lost it has none. */
static int saga_return(struct saga *saga, const struct event *event, struct hold *hold) {
        if (!hold)
                return 0;
        struct hall *hall;
        int r = halls_find(&saga->inventory->halls, saga->turn->db, saga->turn->now, hold->schedule, &hall);
        if (r < 0)
                return r;
        switch (hold_decide_return(hold, hall->seats)) {
        case RETURN_NOTHING:
                return 0;
        case RETURN_RELEASED:
                return saga_release(saga, event, hold);
        case RETURN_DONE:
                return saga_give_back(saga, event, hold, hall);
        default:
                return FAULT_CONSTRAINT;
        }
}

static int saga_step(struct saga *saga, const struct event *event, struct hold *hold) {
        switch (event->type) {
        case SCHEDULE_CREATED:
                return saga_make_seats(saga, event);
        case PAYMENT_STARTED:
                return saga_extend(saga, hold);
        case ORDER_PAID:
                return saga_sell(saga, event, hold);
        case ORDER_CANCELLED:
                return saga_release(saga, event, hold);
        case ORDER_REFUNDING:
                return saga_return(saga, event, hold);
        default:
                IMPOSSIBLE("the consumer asked for these types only");
        }
}

int inventory_consume(void *service, struct turn *turn, const struct event *const *events, size_t count) {
        struct saga saga = {.inventory = service, .turn = turn};
        writes_init(&saga.writes, turn->arena);
        int r = inventory_open(saga.inventory, turn);
        purchase_id *ids = arena_take(turn->arena, count * sizeof *ids);
        struct hold **holds = arena_take(turn->arena, count * sizeof *holds);
        if (!ids || !holds)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++)
                ids[i] = events[i]->type == SCHEDULE_CREATED ? 0 : events[i]->subject;
        if (r == 0)
                r = inventory_gather_holds(saga.inventory, turn, ids, count, holds);
        for (size_t i = 0; i < count && r == 0; i++)
                r = saga_step(&saga, events[i], holds[i]);
        return r < 0 ? r : writes_save(&saga.writes, turn->db);
}

int64_t inventory_due(void *service) {
        struct inventory *inventory = service;
        return inventory->opened ? heap_nearest(&inventory->halls.deadlines) : 0;
}

int inventory_expire(void *service, struct turn *turn) {
        struct inventory *inventory = service;
        int r = inventory_open(inventory, turn);
        struct writes writes;
        writes_init(&writes, turn->arena);
        struct heap_entry due;
        for (unsigned n = 0; n < EXPIRE_AT_ONCE && r == 0 && heap_pop_due(&inventory->halls.deadlines, turn->now, &due);
             n++) {
                struct hold *hold = halls_live(&inventory->halls, due.payload);
                if (!hold || hold_decide_expire(hold, turn->now) != EXPIRE_DONE)
                        continue; /* it has ended, or was extended: then another deadline stands for it */
                metric_add(&inventory_holds_expired, 1);
                r = inventory_end_hold(inventory, turn, &writes, hold, HOLD_EXPIRED, "expired", 0);
        }
        return r < 0 ? r : writes_save(&writes, turn->db);
}
