/* queue_service.c: the rooms, the commands of people about them, and the hooks by which the lane moves them.
 *
 * A room is loaded at the first touch, and at the start for every schedule that is still on sale, so that admission and
 * expiry go on after a crash. Whatever changes a line touches its room (the turn's commit publishes it, its rollback
 * undoes it) and stirs it (the turn's end looks whether somebody can be admitted). */
#include "service/queue/queue_service.h"

#include "base/assert.h"
#include "base/fault.h"
#include "base/metrics.h"
#include "service/queue/queue_store.h"

#include <stdlib.h>

static struct metric waiting_metric = {
        .name = "ticketrush_line_waiting", .help = "People who wait in lines that are loaded.", .kind = METRIC_GAUGE};
static struct metric admitted_metric = {.name = "ticketrush_line_passes_in_use",
                                        .help = "Passes in use in lines that are loaded.",
                                        .kind = METRIC_GAUGE};
static struct metric admissions_metric = {
        .name = "ticketrush_line_admissions_total", .help = "Passes that were given out.", .kind = METRIC_COUNTER};

/* --- rooms --- */

static _Atomic(struct waiting_room *) *bucket_of(struct queue *queue, schedule_id schedule) {
        return &queue->buckets[(schedule * UINT64_C(0x9e3779b97f4a7c15)) >> 32 & (QUEUE_BUCKETS - 1)];
}

struct waiting_room *room_find(const struct queue *queue, schedule_id schedule) {
        struct waiting_room *room =
                atomic_load_explicit(bucket_of((struct queue *)queue, schedule), memory_order_acquire);
        while (room && room->line.schedule != schedule)
                room = room->next_in_bucket;
        return room;
}

static struct waiting_room *room_free(struct waiting_room *room) {
        if (room) {
                metric_add(&waiting_metric, -(int64_t)room->line.committed.counts[ENTRY_WAITING]);
                metric_add(&admitted_metric, -(int64_t)room->line.committed.counts[ENTRY_ADMITTED]);
                line_deinit(&room->line);
                free(room);
        }
        return NULL;
}

int room_open(struct queue *queue, struct db *db, const struct schedule *schedule, struct waiting_room **ret_room) {
        struct waiting_room *room = room_find(queue, schedule->id);
        if (room) {
                *ret_room = room;
                return 0;
        }
        room = calloc(1, sizeof *room);
        if (!room)
                return -ENOMEM;
        room->due = INT64_MAX;
        int r = line_init(&room->line, schedule->id);
        if (r < 0) {
                free(room);
                return r;
        }
        r = line_load(&room->line, db, schedule->draw_seed);
        metric_add(&waiting_metric, room->line.committed.counts[ENTRY_WAITING]);
        metric_add(&admitted_metric, room->line.committed.counts[ENTRY_ADMITTED]);
        if (r < 0) {
                room_free(room);
                return r;
        }
        _Atomic(struct waiting_room *) *bucket = bucket_of(queue, schedule->id);
        room->next_in_bucket = atomic_load_explicit(bucket, memory_order_relaxed);
        atomic_store_explicit(bucket, room, memory_order_release);
        room_stir(queue, room);
        *ret_room = room;
        return 0;
}

void room_stir(struct queue *queue, struct waiting_room *room) {
        if (room->stirred)
                return;
        room->stirred = true;
        room->next_stirred = queue->stirred;
        queue->stirred = room;
}

void room_touch(struct queue *queue, struct waiting_room *room) {
        if (room->touched)
                return;
        room->touched = true;
        room->next_touched = queue->touched;
        queue->touched = room;
}

int room_look_at(struct queue *queue, struct waiting_room *room, int64_t at) {
        if (room->due <= at)
                return 0;
        int r = heap_push(&queue->dues, at, room->line.schedule);
        if (r == 0)
                room->due = at;
        return r;
}

static struct waiting_room *stirred_take(struct queue *queue) {
        struct waiting_room *room = queue->stirred;
        if (room) {
                queue->stirred = room->next_stirred;
                room->stirred = false;
        }
        return room;
}

static struct waiting_room *touched_take(struct queue *queue) {
        struct waiting_room *room = queue->touched;
        if (room) {
                queue->touched = room->next_touched;
                room->touched = false;
        }
        return room;
}

/* --- commands --- */

const struct lane_kind line_status_kind = {.name = "line.status", .rank = 0, .read_only = true, .run = line_status};
const struct lane_kind line_leave_kind = {.name = "line.leave", .rank = 10, .run = line_leave};
const struct lane_kind line_enter_kind = {.name = "line.enter", .rank = 20, .run = line_enter};

/* Commands of a batch are mostly about one schedule: what was looked up for the last one serves for the next. */
struct batch {
        struct queue *queue;
        struct turn *turn;
        const struct schedule *schedule;
        struct waiting_room *room; /* of that schedule; NULL: not needed yet */
        uint64_t passes_free;
        struct endings endings;
};

static struct line_command *own(struct lane_command *command) {
        return (struct line_command *)(void *)command;
}

static void look_up_schedule(struct batch *batch, schedule_id id) {
        if (batch->schedule && batch->schedule->id == id)
                return;
        batch->schedule = event_schedule(batch->queue->config.events, batch->turn->db, id);
        batch->room = NULL;
}

static int count_passes(struct batch *batch) {
        struct admission_facts facts;
        int r = room_passes_free(batch->queue, batch->turn, batch->room, batch->schedule, &facts);
        if (r == 0)
                batch->passes_free = admission_free(&facts);
        return r;
}

static int look_up_room(struct batch *batch) {
        if (batch->room)
                return 0;
        int r = room_open(batch->queue, batch->turn->db, batch->schedule, &batch->room);
        if (r == 0)
                r = room_draw_if_due(batch->queue, batch->turn, batch->room, batch->schedule);
        return r < 0 ? r : count_passes(batch);
}

/* A pass or a seat is free: that matters to those who wait for it. */
static void stir_if_waiting(struct queue *queue, struct waiting_room *room) {
        PRE(room);
        if (room->line.now.drawn_at != 0 && room->line.now.counts[ENTRY_WAITING] > 0)
                room_stir(queue, room);
}

/* Ends an entry whose pass is over, if time has not swept it yet: its owner may enter again. */
static int end_if_overdue(struct batch *batch, uint32_t number) {
        const struct line *line = &batch->room->line;
        if (number == 0 || line_state(line, number) != ENTRY_ADMITTED || line_is_live(line, number, batch->turn->now))
                return 0;
        int r = endings_add(&batch->endings, batch->room, number, ENTRY_EXPIRED);
        return r < 0 ? r : count_passes(batch);
}

/* What can be told without the room. */
static struct enter_facts enter_facts_of(const struct schedule *schedule, int64_t now) {
        struct enter_facts facts = {.known = schedule != NULL, .now = now, .passes_free = UINT64_MAX};
        if (schedule) {
                facts.cancelled = schedule->cancelled;
                facts.doors_at = queue_doors_at(schedule);
                facts.ends_at = schedule->ends_at;
                facts.waiting_max = schedule->line.waiting_max;
        }
        return facts;
}

static int enter_one(struct batch *batch, struct line_command *command) {
        look_up_schedule(batch, command->schedule);
        struct enter_facts facts = enter_facts_of(batch->schedule, batch->turn->now);
        command->lane.outcome = enter_decide(&facts);
        if (command->lane.outcome != ENTER_OK)
                return 0;

        int r = look_up_room(batch);
        if (r < 0)
                return r;
        struct line *line = &batch->room->line;
        uint32_t number = line_find(line, command->account);
        r = end_if_overdue(batch, number);
        if (r < 0)
                return r;
        facts.in_line = number != 0 && line_is_live(line, number, facts.now);
        facts.waiting = line->now.counts[ENTRY_WAITING];
        facts.passes_free = batch->passes_free;
        command->lane.outcome = enter_decide(&facts);
        if (command->lane.outcome != ENTER_OK)
                return 0;

        room_touch(batch->queue, batch->room);
        return line_add(line, command->account, &number);
}

/* Admits from the head, and writes the rows of those who are new: once, also of those with a pass at the door. */
static int save_entered(struct batch *batch, struct waiting_room *room) {
        struct turn *turn = batch->turn;
        struct line *line = &room->line;
        size_t count = line->now.last - line->now.saved;
        if (count == 0)
                return 0;
        look_up_schedule(batch, line->schedule);
        int r = room_admit_and_plan(batch->queue, turn, room, batch->schedule);
        if (r < 0)
                return r;
        struct line_row *rows = arena_take(turn->arena, count * sizeof *rows);
        if (!rows)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
                uint32_t number = line->now.saved + 1 + (uint32_t)i;
                rows[i] = (struct line_row){
                        .number = number,
                        .account = line_account(line, number),
                        .state = line_state(line, number),
                        .entered_at = turn->now,
                        .admitted_at = line_state(line, number) == ENTRY_ADMITTED ? turn->now : 0,
                        .pass_ends_at = line_pass_ends_at(line, number),
                };
        }
        line->now.saved = line->now.last;
        return line_entries_insert(turn->db, turn->arena, line->schedule, rows, count);
}

static int fill_view(struct batch *batch, struct line_command *command) {
        look_up_schedule(batch, command->schedule);
        int r = look_up_room(batch);
        if (r < 0)
                return r;
        struct line_glance glance;
        line_glance_now(&batch->room->line, command->account, &glance);
        queue_view_of(batch->schedule, &glance, batch->turn->now, &command->view);
        return 0;
}

int line_enter(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        struct batch batch = {.queue = service, .turn = turn};
        int r = endings_begin(&batch.endings, service, turn, count);
        for (size_t i = 0; r == 0 && i < count; i++)
                r = enter_one(&batch, own(commands[i]));
        if (r == 0)
                r = endings_flush(&batch.endings);
        for (struct waiting_room *room = batch.queue->touched; r == 0 && room; room = room->next_touched)
                r = save_entered(&batch, room);
        for (size_t i = 0; r == 0 && i < count; i++) {
                if (commands[i]->outcome == ENTER_OK || commands[i]->outcome == ENTER_AGAIN)
                        r = fill_view(&batch, own(commands[i]));
        }
        return r;
}

static int leave_one(struct batch *batch, struct line_command *command) {
        look_up_schedule(batch, command->schedule);
        struct leave_facts facts = {.known = batch->schedule != NULL};
        uint32_t number = 0;
        if (facts.known) {
                int r = look_up_room(batch);
                if (r < 0)
                        return r;
                number = line_find(&batch->room->line, command->account);
                facts.has_entry = number != 0;
                facts.live = number != 0 && line_is_live(&batch->room->line, number, batch->turn->now);
        }
        command->lane.outcome = leave_decide(&facts);
        if (command->lane.outcome != LEAVE_OK)
                return 0;
        stir_if_waiting(batch->queue, batch->room);
        return endings_add(&batch->endings, batch->room, number, ENTRY_LEFT);
}

int line_leave(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        struct batch batch = {.queue = service, .turn = turn};
        int r = endings_begin(&batch.endings, service, turn, count);
        for (size_t i = 0; r == 0 && i < count; i++)
                r = leave_one(&batch, own(commands[i]));
        return r < 0 ? r : endings_flush(&batch.endings);
}

int line_status(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        struct queue *queue = service;
        for (size_t i = 0; i < count; i++) {
                struct line_command *command = own(commands[i]);
                struct waiting_room *room;
                struct line_glance glance;
                command->lane.outcome = STATUS_NO_SCHEDULE;
                const struct schedule *schedule = event_schedule(queue->config.events, turn->db, command->schedule);
                if (!schedule)
                        continue;
                int r = room_open(queue, turn->db, schedule, &room);
                if (r < 0)
                        return r;
                line_glance_now(&room->line, command->account, &glance);
                queue_view_of(schedule, &glance, turn->now, &command->view);
                command->lane.outcome = glance.number == 0 ? STATUS_NOT_IN_LINE : STATUS_OK;
        }
        return 0;
}

bool queue_is_admitted(struct queue *queue, struct turn *turn, schedule_id id, account_id account) {
        struct waiting_room *room = room_find(queue, id);
        if (!room) {
                const struct schedule *schedule = event_schedule(queue->config.events, turn->db, id);
                if (!schedule || room_open(queue, turn->db, schedule, &room) < 0)
                        return false;
        }
        uint32_t number = line_find(&room->line, account);
        return number != 0 && line_state(&room->line, number) == ENTRY_ADMITTED &&
               line_is_live(&room->line, number, turn->now);
}

/* --- what the others say --- */

static int hear_confirmed(struct batch *batch, const struct event *event) {
        look_up_schedule(batch, event->schedule);
        if (!batch->schedule)
                return 0;
        int r = look_up_room(batch);
        if (r < 0)
                return r;
        uint32_t number = line_find(&batch->room->line, event->account);
        if (number == 0 || line_state(&batch->room->line, number) != ENTRY_ADMITTED)
                return 0;
        stir_if_waiting(batch->queue, batch->room);
        return endings_add(&batch->endings, batch->room, number, ENTRY_DONE);
}

/* A line for a new schedule, or another look at one: settings have changed, seats have come back. */
static int hear_other(struct batch *batch, const struct event *event) {
        struct waiting_room *room = room_find(batch->queue, event->schedule);
        if (!room) {
                look_up_schedule(batch, event->schedule);
                return batch->schedule ? room_open(batch->queue, batch->turn->db, batch->schedule, &room) : 0;
        }
        if (event->type == SCHEDULE_CREATED || event->type == SCHEDULE_CHANGED || event->type == SCHEDULE_CANCELLED)
                room_stir(batch->queue, room);
        else
                stir_if_waiting(batch->queue, room);
        return 0;
}

static int queue_consume(void *service, struct turn *turn, const struct event *const *events, size_t count) {
        struct batch batch = {.queue = service, .turn = turn};
        int r = endings_begin(&batch.endings, service, turn, count);
        for (size_t i = 0; r == 0 && i < count; i++)
                r = events[i]->type == ORDER_CONFIRMED ? hear_confirmed(&batch, events[i])
                                                       : hear_other(&batch, events[i]);
        return r < 0 ? r : endings_flush(&batch.endings);
}

/* --- the lane's hooks --- */

static int64_t queue_due(void *service) {
        const struct queue *queue = service;
        if (!queue->started)
                return queue->start_at;
        return queue->stirred ? 0 : heap_nearest(&queue->dues);
}

struct starting {
        struct queue *queue;
        struct turn *turn;
};

static int start_line(void *context, schedule_id id) {
        const struct starting *starting = context;
        const struct schedule *schedule = event_schedule(starting->queue->config.events, starting->turn->db, id);
        struct waiting_room *room;
        return schedule ? room_open(starting->queue, starting->turn->db, schedule, &room) : 0;
}

static int queue_tick(void *service, struct turn *turn) {
        struct queue *queue = service;
        if (!queue->started) {
                struct starting starting = {queue, turn};
                int r = event_live_schedules(queue->config.events, turn->db, turn->now, start_line, &starting);
                if (r < 0)
                        return r;
                queue->started = true;
        }
        struct heap_entry due;
        while (heap_pop_due(&queue->dues, turn->now, &due)) {
                struct waiting_room *room = room_find(queue, due.payload);
                if (room && room->due == due.at) {
                        room->due = INT64_MAX;
                        room_stir(queue, room);
                }
        }
        for (struct waiting_room *room; (room = stirred_take(queue));) {
                room_touch(queue, room); /* so that a rollback finds it */
                int r = room_advance(queue, turn, room);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void queue_committed(void *service) {
        struct queue *queue = service;
        for (struct waiting_room *room; (room = touched_take(queue));) {
                const struct line_tally *now = &room->line.now, *before = &room->line.committed;
                metric_add(&waiting_metric, (int64_t)now->counts[ENTRY_WAITING] - before->counts[ENTRY_WAITING]);
                metric_add(&admitted_metric, (int64_t)now->counts[ENTRY_ADMITTED] - before->counts[ENTRY_ADMITTED]);
                line_commit(&room->line);
        }
        metric_add(&admissions_metric, queue->admitted_in_turn);
        queue->admitted_in_turn = 0;
}

static int queue_rolled_back(void *service, struct db *db) {
        (void)db;
        struct queue *queue = service;
        int fault = 0;
        /* Not at once: a store that takes no writes must not make the lane spin. */
        int64_t later = queue->config.clock->now_ms(queue->config.clock) + QUEUE_RETRY_MS;
        for (struct waiting_room *room; fault == 0 && (room = touched_take(queue));) {
                fault = line_rollback(&room->line);
                if (fault == 0)
                        fault = room_look_at(queue, room, later);
        }
        for (struct waiting_room *room; fault == 0 && (room = stirred_take(queue));)
                fault = room_look_at(queue, room, later);
        queue->admitted_in_turn = 0;
        queue->start_at = later;
        return fault;
}

/* --- life --- */

int queue_new(struct queue **ret_queue, const struct queue_config *config) {
        PRE(config->lane && config->clock && config->events && config->pass_key);
        struct queue *queue = calloc(1, sizeof *queue);
        if (!queue)
                return -ENOMEM;
        queue->config = *config;
        memcpy(queue->pass_key, config->pass_key, sizeof queue->pass_key);
        heap_init(&queue->dues);
        metrics_register(&waiting_metric);
        metrics_register(&admitted_metric);
        metrics_register(&admissions_metric);

        const struct lane_consumer consumer = {
                .name = "queue",
                .service = queue,
                .types = EVENT_BIT(ORDER_CONFIRMED) | EVENT_BIT(SCHEDULE_CREATED) | EVENT_BIT(SCHEDULE_CHANGED) |
                         EVENT_BIT(SCHEDULE_CANCELLED) | EVENT_BIT(SEATS_CREATED) | EVENT_BIT(SEATS_RELEASED) |
                         EVENT_BIT(SEATS_RETURNED) | EVENT_BIT(SEATS_CHANGED) | EVENT_BIT(SEATS_BLOCKED),
                .consume = queue_consume,
        };
        const struct lane_room room = {
                .name = "queue",
                .service = queue,
                .due = queue_due,
                .tick = queue_tick,
                .committed = queue_committed,
                .rolled_back = queue_rolled_back,
        };
        int r = lane_add_consumer(config->lane, &consumer);
        if (r < 0) {
                queue_free(queue);
                return r;
        }
        lane_add_room(config->lane, &room);
        *ret_queue = queue;
        return 0;
}

struct queue *queue_free(struct queue *queue) {
        if (!queue)
                return NULL;
        for (size_t i = 0; i < QUEUE_BUCKETS; i++) {
                struct waiting_room *room = atomic_load_explicit(&queue->buckets[i], memory_order_relaxed);
                while (room) {
                        struct waiting_room *next = room->next_in_bucket;
                        room_free(room);
                        room = next;
                }
        }
        heap_deinit(&queue->dues);
        free(queue);
        return NULL;
}

void queue_set_inventory(struct queue *queue, struct inventory *inventory) {
        queue->inventory = inventory;
}

size_t queue_line_bytes(const struct queue *queue, schedule_id schedule) {
        const struct waiting_room *room = room_find(queue, schedule);
        return room ? line_bytes(&room->line) : 0;
}
