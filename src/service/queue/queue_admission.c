/* queue_admission.c: what happens to a line by itself: the draw at opening, passes that end, and admission.
 *
 * Admission looks at a room whenever something stirred it: somebody entered or left, an order was confirmed, seats came
 * back, the organiser changed something, or a time that room_advance had asked for has come. It gives passes strictly
 * from the head of the line. Runs on the lane, inside the turn that stirred. */
#include "service/queue/queue_service.h"

#include "base/assert.h"
#include "base/fault.h"
#include "service/inventory/inventory.h"
#include "service/queue/queue_store.h"

#include <stdio.h>

static int64_t later(int64_t a, int64_t b) {
        return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b) {
        return a < b ? a : b;
}

/* --- entries that end --- */

int endings_begin(struct endings *endings, struct queue *queue, struct turn *turn, size_t capacity) {
        *endings = (struct endings){.queue = queue, .turn = turn, .capacity = capacity};
        endings->rows = arena_take(turn->arena, (capacity + 1) * sizeof *endings->rows);
        return endings->rows ? 0 : -ENOMEM;
}

int endings_flush(struct endings *endings) {
        size_t count = endings->count;
        endings->count = 0;
        if (count == 0)
                return 0;
        return line_entries_end(endings->turn->db, endings->turn->arena, endings->room->line.schedule, endings->rows,
                                count);
}

int endings_write(struct endings *endings, struct waiting_room *room, uint32_t number) {
        const struct line *line = &room->line;
        if (endings->room != room) {
                int r = endings_flush(endings);
                if (r < 0)
                        return r;
                endings->room = room;
        }
        PRE(endings->count < endings->capacity);
        /* Who leaves after the draw, without ever having had a pass, is told by the time from who left before it. */
        int64_t ended_at = endings->turn->now;
        if (line_state(line, number) == ENTRY_LEFT && line_pass_ends_at(line, number) == 0 && line->now.drawn_at != 0)
                ended_at = later(ended_at, line->now.drawn_at + 1);
        endings->rows[endings->count++] =
                (struct line_row){.number = number, .state = line_state(line, number), .ended_at = ended_at};
        return 0;
}

int endings_add(struct endings *endings, struct waiting_room *room, uint32_t number, enum entry_state how) {
        room_touch(endings->queue, room);
        int r = line_end(&room->line, number, how, endings->turn->now);
        return r < 0 ? r : endings_write(endings, room, number);
}

/* --- the draw --- */

static int say_opened(struct turn *turn, const struct line *line, const struct schedule *schedule) {
        char seed[2 * sizeof schedule->draw_seed], payload[160];
        text_hex(seed, schedule->draw_seed, sizeof schedule->draw_seed);
        int length = snprintf(payload, sizeof payload, "{\"seed\":\"%.*s\",\"lobbyCount\":%u,\"drawnCount\":%u}",
                              (int)sizeof seed, seed, line->now.lobby_last, line->now.lobby_drawn);
        struct event event = {.type = LINE_OPENED,
                              .schedule = line->schedule,
                              .subject = line->schedule,
                              .payload = {payload, (size_t)length}};
        return turn_say(turn, &event);
}

int room_draw_if_due(struct queue *queue, struct turn *turn, struct waiting_room *room,
                     const struct schedule *schedule) {
        struct line *line = &room->line;
        if (line->now.drawn_at != 0 || schedule->cancelled || turn->now < schedule->opens_at ||
            turn->now >= schedule->ends_at)
                return 0;
        room_touch(queue, room);
        int r = line_draw(line, schedule->draw_seed, turn->now);
        if (r == 0)
                r = line_save_draw(turn->db, line->schedule, line->now.drawn_at, line->now.lobby_last);
        if (r == 0)
                r = say_opened(turn, line, schedule);
        return r;
}

/* --- passes --- */

static int expire_passes(struct queue *queue, struct turn *turn, struct waiting_room *room) {
        if (line_next_deadline(&room->line) > turn->now)
                return 0;
        struct endings endings;
        int r = endings_begin(&endings, queue, turn, QUEUE_TURN_MAX);
        for (unsigned i = 0; r == 0 && i < QUEUE_TURN_MAX; i++) {
                uint32_t number;
                r = line_expire_one(&room->line, turn->now, &number);
                if (r < 0 || number == 0)
                        break;
                r = endings_write(&endings, room, number);
        }
        return r < 0 ? r : endings_flush(&endings);
}

static uint32_t rate_of(const struct schedule *schedule) {
        return schedule->line.enabled ? schedule->line.rate : 0;
}

int room_passes_free(struct queue *queue, struct turn *turn, const struct waiting_room *room,
                     const struct schedule *schedule, struct admission_facts *ret_facts) {
        const struct line_tally *tally = &room->line.now;
        uint32_t rate = rate_of(schedule);
        *ret_facts = (struct admission_facts){
                .drawn = tally->drawn_at != 0,
                .cancelled = schedule->cancelled,
                .admission_paused = schedule->admission_paused,
                .sale_paused = schedule->sale_paused,
                .now = turn->now,
                .opens_at = schedule->opens_at,
                .ends_at = schedule->ends_at,
                .capacity = schedule->line.capacity,
                .in_use = tally->counts[ENTRY_ADMITTED],
                .rate_allowance = UINT64_MAX,
                .seats_available = UINT64_MAX,
        };
        struct seat_counts seats = {0};
        if (admission_free(ret_facts) > 0) {
                int r = inventory_counts_now(queue->inventory, turn, schedule->id, &seats);
                if (r < 0)
                        return r;
        }
        ret_facts->seats_available = seats.available;
        if (rate != 0)
                ret_facts->rate_allowance = rate_allowance(tally->rate_spent_ns, rate, turn->now);
        return 0;
}

static int say_admitted(struct turn *turn, const struct line *line, uint32_t number) {
        char payload[32];
        int length = snprintf(payload, sizeof payload, "{\"number\":%u}", number);
        struct event event = {.type = QUEUE_ADMITTED,
                              .schedule = line->schedule,
                              .subject = line->schedule,
                              .account = line_account(line, number),
                              .payload = {payload, (size_t)length}};
        return turn_say(turn, &event);
}

/* Gives passes to the first who wait, as far as the facts allow, and says so. */
static int admit(struct queue *queue, struct turn *turn, struct waiting_room *room, const struct schedule *schedule,
                 struct admission_facts *facts, uint64_t *ret_admitted) {
        struct line *line = &room->line;
        uint64_t most = admission_free(facts), waiting = line->now.counts[ENTRY_WAITING];
        most = most < waiting ? most : waiting;
        most = most < QUEUE_TURN_MAX ? most : QUEUE_TURN_MAX;
        if (most == 0)
                return 0;
        struct line_row *rows = arena_take(turn->arena, most * sizeof *rows);
        if (!rows)
                return -ENOMEM;

        room_touch(queue, room);
        int64_t ends_at = turn->now + (int64_t)schedule->line.pass_seconds * 1000;
        size_t count = 0;
        for (uint64_t i = 0; i < most; i++) {
                uint32_t number = line_first_waiting(line);
                int r = line_admit(line, number, ends_at);
                if (r == 0)
                        r = say_admitted(turn, line, number);
                if (r < 0)
                        return r;
                if (number <= line->now.saved)
                        rows[count++] =
                                (struct line_row){.number = number, .admitted_at = turn->now, .pass_ends_at = ends_at};
        }
        facts->in_use += most;
        if (rate_of(schedule) != 0) {
                facts->rate_allowance -= most;
                line->now.rate_spent_ns = rate_spend(line->now.rate_spent_ns, rate_of(schedule), turn->now, most);
        }
        line->now.pace = pace_add(line->now.pace, turn->now, most);
        queue->admitted_in_turn += (int64_t)most;
        *ret_admitted = most;
        return line_entries_admit(turn->db, turn->arena, line->schedule, rows, count);
}

/* --- when to look again --- */

/* INT64_MAX: not before something stirs the room. */
static int64_t next_look(struct line *line, const struct schedule *schedule, const struct admission_facts *facts) {
        int64_t now = facts->now, deadline = line_next_deadline(line);
        if (deadline <= now)
                return now; /* more have ended than one turn may sweep */
        bool waiting = line->now.counts[ENTRY_WAITING] > 0;
        int64_t due = deadline == INT64_MAX ? INT64_MAX : later(deadline, now + QUEUE_GAP_MS);
        if (!schedule->cancelled && now < schedule->opens_at && (waiting || line->now.drawn_at == 0))
                due = sooner(due, schedule->opens_at);
        struct admission_facts unlimited = *facts;
        unlimited.rate_allowance = UINT64_MAX;
        if (waiting && facts->rate_allowance == 0 && admission_free(&unlimited) > 0)
                due = sooner(due, later(rate_next_at(line->now.rate_spent_ns, rate_of(schedule)), now + QUEUE_GAP_MS));
        return due;
}

int room_admit_and_plan(struct queue *queue, struct turn *turn, struct waiting_room *room,
                        const struct schedule *schedule) {
        struct admission_facts facts;
        uint64_t admitted = 0;
        int r = room_passes_free(queue, turn, room, schedule, &facts);
        if (r == 0)
                r = admit(queue, turn, room, schedule, &facts, &admitted);
        if (r < 0)
                return r;
        int64_t due = admitted == QUEUE_TURN_MAX ? turn->now : next_look(&room->line, schedule, &facts);
        return due == INT64_MAX ? 0 : room_look_at(queue, room, due);
}

int room_advance(struct queue *queue, struct turn *turn, struct waiting_room *room) {
        const struct schedule *schedule = event_schedule(queue->config.events, turn->db, room->line.schedule);
        if (!schedule)
                return 0;
        room_touch(queue, room);
        int r = room_draw_if_due(queue, turn, room, schedule);
        if (r == 0)
                r = expire_passes(queue, turn, room);
        return r < 0 ? r : room_admit_and_plan(queue, turn, room, schedule);
}
