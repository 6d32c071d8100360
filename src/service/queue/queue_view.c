/* queue_view.c: what any thread may ask of a line, answered from memory as it was last committed: a place in line costs
 * no turn of the lane, however many people ask. */
#include "service/queue/queue_service.h"

int64_t queue_doors_at(const struct schedule *schedule) {
        return schedule->line.enabled ? schedule->line.lobby_opens_at : schedule->opens_at;
}

static unsigned lobby_poll_seconds(int64_t opens_at, int64_t now) {
        int64_t left = (opens_at - now) / 1000;
        if (left >= LINE_POLL_SECONDS)
                return LINE_POLL_SECONDS;
        return left < 1 ? 1 : (unsigned)left;
}

void queue_view_of(const struct schedule *schedule, const struct line_glance *glance, int64_t now,
                   struct line_view *ret_view) {
        struct line_view view = {
                .state = glance->state,
                .number = glance->number,
                .open = glance->tally.drawn_at != 0,
                .place = glance->place,
                .opens_at = schedule->opens_at,
                .poll_seconds = LINE_POLL_SECONDS,
        };
        if (view.state == ENTRY_ADMITTED && glance->pass_ends_at <= now)
                view.state = ENTRY_EXPIRED; /* as the next turn will find */
        if (view.state == ENTRY_ADMITTED) {
                view.pass_ends_at = glance->pass_ends_at;
                view.has_ahead = true;
        } else if (view.state == ENTRY_WAITING && view.open) {
                view.has_ahead = true;
                view.ahead = glance->ahead;
                view.has_estimate = wait_estimate(glance->tally.pace, now, view.ahead, &view.wait_low, &view.wait_high);
                view.poll_seconds = poll_seconds(view.has_estimate ? view.wait_low : UINT64_MAX);
        } else if (view.state == ENTRY_WAITING) {
                view.poll_seconds = lobby_poll_seconds(schedule->opens_at, now);
        }
        *ret_view = view;
}

int queue_status_committed(const struct queue *queue, schedule_id id, account_id account, int64_t now,
                           struct line_view *ret_view) {
        const struct schedule *schedule = event_schedule_peek(queue->config.events, id);
        struct waiting_room *room = room_find(queue, id);
        struct line_glance glance;
        if (!schedule || !room || !line_glance_committed(&room->line, account, &glance))
                return 0;
        if (glance.number == 0)
                return STATUS_NOT_IN_LINE;
        queue_view_of(schedule, &glance, now, ret_view);
        return STATUS_OK;
}

int queue_enter_committed(const struct queue *queue, schedule_id id, account_id account, int64_t now,
                          struct line_view *ret_view) {
        const struct schedule *schedule = event_schedule_peek(queue->config.events, id);
        struct waiting_room *room = room_find(queue, id);
        struct line_glance glance = {0};
        if (!schedule || (room && !line_glance_committed(&room->line, account, &glance)))
                return 0;
        struct line_view view;
        queue_view_of(schedule, &glance, now, &view);
        uint64_t waiting = glance.tally.counts[ENTRY_WAITING];
        struct enter_facts facts = {
                .known = true,
                .cancelled = schedule->cancelled,
                .now = now,
                .doors_at = queue_doors_at(schedule),
                .ends_at = schedule->ends_at,
                .in_line = glance.number != 0 && (view.state == ENTRY_WAITING || view.state == ENTRY_ADMITTED),
                .waiting = waiting,
                .waiting_max = schedule->line.waiting_max,
                .passes_free =
                        waiting > 0 ? 0 : UINT64_MAX, /* while others wait, there is none; else the lane counts them */
        };
        int outcome = enter_decide(&facts);
        if (outcome == ENTER_OK)
                return 0;
        if (outcome == ENTER_AGAIN)
                *ret_view = view;
        return outcome;
}

bool queue_draw_committed(const struct queue *queue, schedule_id schedule, struct draw_view *ret_view) {
        struct waiting_room *room = room_find(queue, schedule);
        if (!room)
                return false;
        struct line_tally tally;
        line_tally_committed(&room->line, &tally);
        *ret_view = (struct draw_view){0};
        if (tally.drawn_at != 0)
                *ret_view = (struct draw_view){true,
                                               tally.drawn_at,
                                               tally.lobby_last,
                                               tally.lobby_drawn,
                                               room->line.left.at,
                                               room->line.left.count};
        return true;
}

void queue_figures(const struct queue *queue, schedule_id schedule, struct queue_figures *ret_figures) {
        *ret_figures = (struct queue_figures){0};
        struct waiting_room *room = room_find(queue, schedule);
        if (!room)
                return;
        struct line_tally tally;
        line_tally_committed(&room->line, &tally);
        *ret_figures = (struct queue_figures){
                .waiting = tally.counts[ENTRY_WAITING],
                .admitted = tally.counts[ENTRY_ADMITTED],
                .done = tally.counts[ENTRY_DONE],
                .expired = tally.counts[ENTRY_EXPIRED],
                .left = tally.counts[ENTRY_LEFT],
                .entered = tally.last,
        };
}
