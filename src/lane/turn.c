/* turn.c: one turn = one transaction.
 *
 *   BEGIN → consumers (what earlier turns said) → commands, kind by kind → ticks that are due → rows of the journal →
 *   positions of consumers → COMMIT → tail → committed hooks → answers → those who waited for a word of this turn
 *
 * Everything here runs on the lane's thread. What a turn needs lives in the lane and is used again: no allocation for a
 * command, only the arena grows with what the use cases take. */
#include "base/assert.h"
#include "base/log.h"
#include "lane/lane_metrics.h"
#include "lane/lane_state.h"

#include <stdlib.h>

/* --- what a use case says --- */

/* Room for one more at the end of a vector that keeps its memory. */
static int grow(void **vector, size_t count, size_t *capacity, size_t size) {
        if (count < *capacity)
                return 0;
        size_t wider = *capacity > 0 ? *capacity * 2 : 64;
        void *moved = reallocarray(*vector, wider, size);
        if (!moved)
                return -ENOMEM;
        *vector = moved;
        *capacity = wider;
        return 0;
}

int turn_say(struct turn *turn, struct event *event) {
        struct lane *lane = turn->lane;
        PRE(event->type > 0 && event->type < 64); /* a bit of lane_consumer.types */
        char *payload = arena_copy(turn->arena, event->payload);
        if (!payload)
                return -ENOMEM;
        int fault = grow((void **)&lane->said, lane->said_count, &lane->said_capacity, sizeof *lane->said);
        if (fault)
                return fault;
        event->id = id_next(turn->ids, turn->now);
        event->at = turn->now;
        if (event->cause == 0)
                event->cause = turn->cause;
        struct event *said = &lane->said[lane->said_count++];
        *said = *event;
        said->payload.at = payload;
        return 0;
}

int turn_wake(struct turn *turn, uint64_t key, int outcome) {
        struct lane *lane = turn->lane;
        int fault = grow((void **)&lane->wakes, lane->wake_count, &lane->wake_capacity, sizeof *lane->wakes);
        if (!fault)
                lane->wakes[lane->wake_count++] = (struct wake){.key = key, .outcome = outcome};
        return fault;
}

/* --- consumers --- */

static int consume(struct lane *lane, struct journal_consumer *consumer) {
        size_t n = journal_take(consumer, lane->events);
        if (n == 0)
                return 0;
        lane->event_count += n;
        lane->turn.cause = 0;
        int fault = consumer->is.consume(consumer->is.service, &lane->turn, lane->events, n);
        PRE(fault <= 0);
        lane->turn.cause = 0;
        if (fault)
                lane->blame = (struct blame){.consumer = consumer, .events = n};
        return fault;
}

static int run_consumers(struct lane *lane, const struct turn_plan *plan) {
        if (plan->alone)
                return consume(lane, plan->alone);
        int fault = 0;
        for (size_t i = 0; !fault && plan->consumers && i < lane->journal.consumer_count; i++) {
                struct journal_consumer *consumer = &lane->journal.consumers[i];
                if (consumer->share == LANE_EVENTS_MAX)
                        fault = consume(lane, consumer);
        }
        return fault;
}

/* --- commands, kind by kind --- */

static bool stands_before(const struct lane_kind *a, const struct lane_kind *b) {
        return a->rank != b->rank ? a->rank < b->rank : strcmp(a->name, b->name) < 0;
}

/* The group of the command's kind; a new one is put where its rank and name belong. */
static size_t find_group(struct lane *lane, const struct lane_command *command) {
        for (size_t i = 0; i < lane->group_count; i++) {
                if (lane->groups[i].kind == command->kind && lane->groups[i].service == command->service)
                        return i;
        }
        PRE(lane->group_count < LANE_KINDS_MAX);
        size_t i = lane->group_count++;
        for (; i > 0 && stands_before(command->kind, lane->groups[i - 1].kind); i--)
                lane->groups[i] = lane->groups[i - 1];
        lane->groups[i] = (struct group){
                .kind = command->kind, .service = command->service, .commands = lane_metrics_of_kind(command->kind)};
        return i;
}

/* Every group is known before the first command is counted: a new one moves those behind it. */
static void meet_groups(struct lane *lane, const struct turn_plan *plan) {
        size_t known = 0;
        for (size_t i = 0; i < plan->count; i++) {
                const struct lane_command *command = plan->commands[i];
                if (known < lane->group_count && lane->groups[known].kind == command->kind &&
                    lane->groups[known].service == command->service)
                        continue; /* the same as the one before */
                known = find_group(lane, command);
        }
}

static void sort_commands(struct lane *lane, const struct turn_plan *plan) {
        meet_groups(lane, plan);
        for (size_t i = 0; i < lane->group_count; i++)
                lane->groups[i].count = 0;
        for (size_t i = 0; i < plan->count; i++) {
                lane->group_of[i] = (unsigned char)find_group(lane, plan->commands[i]);
                lane->groups[lane->group_of[i]].count++;
        }
        size_t begin = 0;
        for (size_t i = 0; i < lane->group_count; i++) {
                lane->groups[i].begin = begin;
                begin += lane->groups[i].count;
                lane->groups[i].count = 0;
        }
        for (size_t i = 0; i < plan->count; i++) {
                struct group *group = &lane->groups[lane->group_of[i]];
                lane->sorted[group->begin + group->count++] = plan->commands[i];
        }
}

static int run_commands(struct lane *lane, const struct turn_plan *plan) {
        for (size_t i = 0; i < plan->count; i++)
                plan->commands[i]->outcome = plan->commands[i]->fault = 0;
        sort_commands(lane, plan);
        for (size_t i = 0; i < lane->group_count; i++) {
                struct group *group = &lane->groups[i];
                if (group->count == 0)
                        continue;
                int fault = group->kind->run(group->service, &lane->turn, lane->sorted + group->begin, group->count);
                PRE(fault <= 0);
                if (fault) {
                        lane->blame = (struct blame){.commands = true};
                        return fault;
                }
        }
        return 0;
}

/* --- ticks --- */

int64_t room_due(const struct room *room) {
        if (!room->is.due || !room->is.tick)
                return INT64_MAX;
        int64_t due = room->is.due(room->is.service);
        return due > room->retry_at ? due : room->retry_at;
}

static int run_ticks(struct lane *lane) {
        for (size_t i = 0; i < lane->room_count; i++) {
                struct room *room = &lane->rooms[i];
                if (room_due(room) > lane->turn.now)
                        continue;
                room->ticked = true;
                int fault = room->is.tick(room->is.service, &lane->turn);
                PRE(fault <= 0);
                if (fault) {
                        lane->blame = (struct blame){.room = room};
                        return fault;
                }
        }
        return 0;
}

/* --- the transaction --- */

static int commit(struct lane *lane) {
        if (!lane->clock->now_us)
                return db_commit(lane->db);
        int64_t before = lane->clock->now_us(lane->clock);
        int fault = db_commit(lane->db);
        lane_metrics_commit(lane->clock->now_us(lane->clock) - before);
        return fault;
}

static int run_transaction(struct lane *lane, const struct turn_plan *plan) {
        int fault = db_begin(lane->db);
        if (!fault)
                fault = run_consumers(lane, plan);
        if (!fault)
                fault = run_commands(lane, plan);
        if (!fault && plan->ticks)
                fault = run_ticks(lane);
        if (!fault)
                fault = journal_write(&lane->journal, lane->said, lane->said_count);
        if (!fault)
                fault = journal_store_positions(&lane->journal, plan->probe);
        if (!fault)
                fault = commit(lane);
        return fault;
}

static void begin_turn(struct lane *lane) {
        lane->turn = (struct turn){
                .now = lane->clock->now_ms(lane->clock),
                .db = lane->db,
                .ids = &lane->ids,
                .arena = &lane->arena,
                .lane = lane,
        };
        lane->said_count = lane->wake_count = lane->event_count = 0;
        lane->blame = (struct blame){0};
        for (size_t i = 0; i < lane->room_count; i++)
                lane->rooms[i].ticked = false;
}

static void undo(struct lane *lane) {
        db_rollback(lane->db);
        journal_rolled_back(&lane->journal);
        for (size_t i = 0; i < lane->room_count; i++) {
                const struct lane_room *room = &lane->rooms[i].is;
                int fault = room->rolled_back ? room->rolled_back(room->service, lane->db) : 0;
                if (fault) {
                        log_write(LOG_ALARM, "room.lost", "%s cannot load its memory again after a rollback: %s",
                                  room->name, fault_text(fault));
                        IMPOSSIBLE("memory is ahead of the database");
                }
        }
        arena_reset(&lane->arena);
}

/* --- answers --- */

void answer_chain(struct lane_command *chain, int outcome, int fault) {
        while (chain) {
                struct lane_command *command = chain;
                chain = command->next;
                command->outcome = outcome;
                command->fault = fault;
                command->done(command);
        }
}

static void answer(struct lane *lane, struct lane_command *command) {
        POST(command->outcome > 0 || command->outcome == LANE_WAIT || command->fault < 0);
        if (command->outcome == LANE_WAIT && command->fault == 0) {
                if (waiting_add(&lane->waiting, command) == 0)
                        return;
                command->outcome = LANE_WAITED; /* what it began goes on, only nobody waits for it here */
        }
        command->done(command);
}

static void count_commands(struct lane *lane) {
        for (size_t i = 0; i < lane->group_count; i++) {
                if (lane->groups[i].commands)
                        metric_add(lane->groups[i].commands, (int64_t)lane->groups[i].count);
        }
}

static void answer_all(struct lane *lane, const struct turn_plan *plan) {
        if (plan->count > 0)
                count_commands(lane);
        for (size_t i = 0; i < plan->count; i++)
                answer(lane, plan->commands[i]);
        for (size_t i = 0; i < lane->wake_count; i++)
                answer_chain(waiting_take(&lane->waiting, lane->wakes[i].key), lane->wakes[i].outcome, 0);
}

int turn_carry_out(struct lane *lane, const struct turn_plan *plan) {
        begin_turn(lane);
        int fault = run_transaction(lane, plan);
        if (fault) {
                undo(lane);
                return fault;
        }
        journal_committed(&lane->journal);
        journal_append(&lane->journal, lane->said, lane->said_count);
        for (size_t i = 0; i < lane->room_count; i++) {
                if (lane->rooms[i].is.committed)
                        lane->rooms[i].is.committed(lane->rooms[i].is.service);
        }
        answer_all(lane, plan);
        arena_reset(&lane->arena);
        return 0;
}
