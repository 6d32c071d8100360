/* lane.c: the lane's thread: what the next turn is made of, and what happens when a turn fails.
 *
 * A turn is tried with everything that is there. When it fails, it is taken apart until the culprit stands alone:
 *   commands   are tried in halves, and halves of halves; the one that fails alone gets the fault
 *   consumer   runs in turns of its own, with half as many events each time it fails; one event that fails
 *              LANE_CONSUMER_ATTEMPTS_MAX times alone is buried. Each success doubles its share again
 *   tick       waits LANE_RETRY_MS
 * When the store takes no writes nobody is the culprit: commands that write get the fault, those that only read are run
 * without them, consumers and ticks wait LANE_RETRY_MS. */
#include "lane/lane.h"

#include "base/assert.h"
#include "base/log.h"
#include "lane/lane_metrics.h"
#include "lane/lane_state.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>

enum { SLEEP_MS_MAX = 3600 * 1000 };

/* --- making one --- */

int lane_new(struct lane **ret_lane, const struct lane_config *config) {
        struct lane *lane = calloc(1, sizeof *lane);
        if (!lane)
                return -ENOMEM;
        lane->clock = config->clock;
        lane->db = config->db;
        uint64_t newest = 0;
        int fault = command_queue_init(&lane->queue);
        if (!fault)
                fault = journal_init(&lane->journal, lane->db, &newest);
        if (fault) {
                command_queue_deinit(&lane->queue);
                free(lane);
                return fault;
        }
        arena_init(&lane->arena, LANE_TURN_BYTES_MAX);
        lane->arena.keep_bytes = LANE_TURN_BYTES_KEPT;
        waiting_init(&lane->waiting);
        id_source_init(&lane->ids, config->node, newest);
        lane_metrics_register();
        *ret_lane = lane;
        return 0;
}

struct lane *lane_free(struct lane *lane) {
        if (!lane)
                return NULL;
        PRE(!lane->has_thread);
        journal_deinit(&lane->journal);
        waiting_deinit(&lane->waiting);
        command_queue_deinit(&lane->queue);
        arena_deinit(&lane->arena);
        free(lane->said);
        free(lane->wakes);
        db_close(lane->db);
        free(lane);
        return NULL;
}

void lane_add_room(struct lane *lane, const struct lane_room *room) {
        PRE(lane->room_count < LANE_ROOMS_MAX);
        lane->rooms[lane->room_count++] = (struct room){.is = *room, .retry_at = INT64_MIN};
}

int lane_add_consumer(struct lane *lane, const struct lane_consumer *consumer) {
        int fault = journal_add_consumer(&lane->journal, consumer);
        atomic_store(&lane->figures.journal_lag, journal_lag(&lane->journal));
        return fault;
}

struct db *lane_db(struct lane *lane) {
        return lane->db;
}

struct id_source *lane_ids(struct lane *lane) {
        return &lane->ids;
}

/* --- the store --- */

static void store_failed(struct lane *lane, int fault) {
        if (!lane->store_refuses)
                log_write(LOG_ALARM, "store.refuses", "%s: writes are refused, reads go on", fault_text(fault));
        lane->store_refuses = true;
        lane->store_retry_at = lane->clock->now_ms(lane->clock) + LANE_RETRY_MS;
        atomic_store(&lane->figures.storage_refuses, true);
}

static void store_works(struct lane *lane) {
        if (!lane->store_refuses)
                return;
        log_write(LOG_INFO, "store.accepts", "writes are possible again");
        lane->store_refuses = false;
        atomic_store(&lane->figures.storage_refuses, false);
}

/* --- turns --- */

static int carry_out(struct lane *lane, const struct turn_plan *plan) {
        int fault = turn_carry_out(lane, plan);
        if (fault) {
                lane_metrics_failed_turn();
                return fault;
        }
        if (plan->probe || lane->said_count > 0)
                store_works(lane);
        atomic_fetch_add(&lane->figures.turns, 1);
        atomic_fetch_add(&lane->figures.commands, plan->count);
        atomic_fetch_add(&lane->figures.events, lane->event_count);
        lane_metrics_turn(plan->count, lane->event_count);
        return 0;
}

static void refuse(struct lane_command *command, int fault) {
        command->next = NULL;
        answer_chain(command, 0, fault);
}

static void run_commands_apart(struct lane *lane, struct lane_command **commands, size_t count, int fault);

static void run_commands_only(struct lane *lane, struct lane_command **commands, size_t count) {
        const struct turn_plan plan = {.commands = commands, .count = count};
        int fault = count > 0 ? carry_out(lane, &plan) : 0;
        if (fault)
                run_commands_apart(lane, commands, count, fault);
}

/* The store takes no writes: those who write are told so, the others are run without them. */
static void run_readers(struct lane *lane, struct lane_command **commands, size_t count, int fault) {
        size_t readers = 0;
        for (size_t i = 0; i < count; i++) {
                if (commands[i]->kind->read_only)
                        commands[readers++] = commands[i];
                else
                        refuse(commands[i], fault);
        }
        if (readers < count) {
                run_commands_only(lane, commands, readers);
                return;
        }
        for (size_t i = 0; i < readers; i++) /* not even reading works */
                refuse(commands[i], fault);
}

/* These commands, and nothing else, made a turn fail. */
static void run_commands_apart(struct lane *lane, struct lane_command **commands, size_t count, int fault) {
        if (fault == FAULT_STORAGE) {
                store_failed(lane, fault);
                run_readers(lane, commands, count, fault);
        } else if (count == 1) {
                log_write(LOG_ALARM, "command.failed", "%s: %s", commands[0]->kind->name, fault_text(fault));
                refuse(commands[0], fault);
        } else {
                run_commands_only(lane, commands, count / 2);
                run_commands_only(lane, commands + count / 2, count - count / 2);
        }
}

static void consumer_failed(struct journal_consumer *consumer, size_t events) {
        if (events > 1) {
                consumer->share = events / 2;
                return;
        }
        consumer->share = 1;
        consumer->attempts++;
}

static void room_failed(struct lane *lane, struct room *room, int fault) {
        log_write(LOG_ALARM, "room.failed", "the tick of %s: %s", room->is.name, fault_text(fault));
        room->retry_at = lane->turn.now + LANE_RETRY_MS;
}

/* A turn of several parts failed: whoever is to blame, or may be, does not take part in the next one. */
static void set_apart(struct lane *lane, const struct turn_plan *plan, int fault) {
        const struct blame *blame = &lane->blame;
        if (blame->consumer)
                consumer_failed(blame->consumer, blame->events);
        else if (blame->room)
                room_failed(lane, blame->room, fault);
        if (blame->consumer || blame->room || blame->commands)
                return;
        for (size_t i = 0; plan->consumers && i < lane->journal.consumer_count; i++) {
                if (journal_has(&lane->journal.consumers[i]))
                        lane->journal.consumers[i].share = LANE_EVENTS_MAX / 2;
        }
        for (size_t i = 0; i < lane->room_count; i++) {
                if (lane->rooms[i].ticked)
                        room_failed(lane, &lane->rooms[i], fault);
        }
}

static void failed(struct lane *lane, const struct turn_plan *plan, int fault) {
        if (fault == FAULT_STORAGE)
                store_failed(lane, fault);
        else
                set_apart(lane, plan, fault);
}

static void turn_failed(struct lane *lane, const struct turn_plan *plan, int fault) {
        bool only_commands = !plan->consumers && !plan->ticks;
        bool by_commands = lane->blame.commands || fault == FAULT_STORAGE;
        failed(lane, plan, fault);
        if (fault != FAULT_STORAGE && by_commands && !only_commands) {
                /* Commands that fail again and again must not keep the others from their turn. */
                const struct turn_plan others = {.consumers = plan->consumers, .ticks = plan->ticks};
                int other = carry_out(lane, &others);
                if (other)
                        failed(lane, &others, other);
        }
        if (plan->count > 0 && (only_commands || by_commands))
                run_commands_apart(lane, plan->commands, plan->count, fault);
        else
                run_commands_only(lane, plan->commands, plan->count);
}

/* --- consumers in trouble --- */

static void bury(struct lane *lane, struct journal_consumer *consumer, int reason) {
        int fault = journal_bury(&lane->journal, consumer, lane->turn.now, fault_text(reason));
        if (fault) {
                store_failed(lane, fault);
                return;
        }
        atomic_fetch_add(&lane->figures.dead_letters, 1);
        lane_metrics_dead_letter();
}

static void run_alone(struct lane *lane, struct journal_consumer *consumer) {
        const struct turn_plan plan = {.alone = consumer};
        int fault = carry_out(lane, &plan);
        if (!fault) {
                consumer->attempts = 0;
                consumer->share = consumer->share < LANE_EVENTS_MAX / 2 ? consumer->share * 2 : LANE_EVENTS_MAX;
        } else if (fault == FAULT_STORAGE) {
                store_failed(lane, fault);
        } else {
                /* Without blame it was the commit: of what this consumer said. */
                consumer_failed(consumer, lane->event_count);
                if (consumer->attempts >= LANE_CONSUMER_ATTEMPTS_MAX)
                        bury(lane, consumer, fault);
        }
}

static bool run_troubled(struct lane *lane) {
        bool did = false;
        for (size_t i = 0; i < lane->journal.consumer_count && !lane->store_refuses; i++) {
                struct journal_consumer *consumer = &lane->journal.consumers[i];
                if (consumer->share < LANE_EVENTS_MAX && journal_has(consumer)) {
                        run_alone(lane, consumer);
                        did = true;
                }
        }
        return did;
}

/* --- one step --- */

static bool consumers_ready(const struct lane *lane) {
        for (size_t i = 0; i < lane->journal.consumer_count; i++) {
                const struct journal_consumer *consumer = &lane->journal.consumers[i];
                if (consumer->share == LANE_EVENTS_MAX && journal_has(consumer))
                        return true;
        }
        return false;
}

static int64_t rooms_due(const struct lane *lane) {
        int64_t nearest = INT64_MAX;
        for (size_t i = 0; i < lane->room_count; i++) {
                int64_t due = room_due(&lane->rooms[i]);
                if (due < nearest)
                        nearest = due;
        }
        return nearest;
}

static bool held_back(const struct lane *lane, int64_t now) {
        return lane->store_refuses && now < lane->store_retry_at;
}

static bool one_turn(struct lane *lane, int64_t now) {
        bool apart = held_back(lane, now);
        struct turn_plan plan = {
                .commands = lane->batch,
                .consumers = !apart && consumers_ready(lane),
                .ticks = !apart && !command_queue_is_closed(&lane->queue) && rooms_due(lane) <= now,
                .probe = !apart && lane->store_refuses,
        };
        bool lagging = plan.consumers && journal_lag(&lane->journal) > LANE_LAG_MAX;
        size_t max = lagging ? LANE_LAGGING_BATCH_MAX : LANE_BATCH_MAX;
        size_t taken = plan.count = command_queue_take(&lane->queue, lane->batch, max);
        if (taken == 0 && !plan.consumers && !plan.ticks && !plan.probe)
                return false;
        int fault = carry_out(lane, &plan);
        if (fault)
                turn_failed(lane, &plan, fault);
        atomic_store(&lane->figures.journal_lag, journal_lag(&lane->journal));
        command_queue_answered(&lane->queue, taken);
        db_rest(lane->db);
        return true;
}

bool lane_step(struct lane *lane) {
        int64_t now = lane->clock->now_ms(lane->clock);
        struct lane_command *late = waiting_take_due(&lane->waiting, now);
        bool did = late != NULL;
        answer_chain(late, LANE_WAITED, 0);
        if (!held_back(lane, now)) {
                int fault = journal_refill(&lane->journal, &lane->arena);
                arena_reset(&lane->arena);
                if (fault)
                        store_failed(lane, fault);
        }
        did |= run_troubled(lane);
        did |= one_turn(lane, now);
        did |= journal_is_behind(&lane->journal) && !lane->store_refuses;
        uint64_t lag = journal_lag(&lane->journal);
        atomic_store(&lane->figures.journal_lag, lag);
        lane_metrics_now(lag, lane->waiting.count);
        return did;
}

/* --- the thread --- */

static int until_next(const struct lane *lane) {
        int64_t at = lane->store_refuses ? lane->store_retry_at : rooms_due(lane);
        int64_t waits = heap_nearest(&lane->waiting.deadlines);
        if (waits < at)
                at = waits;
        if (at == INT64_MAX)
                return -1;
        int64_t rest = at - lane->clock->now_ms(lane->clock);
        return rest < 0 ? 0 : rest > SLEEP_MS_MAX ? SLEEP_MS_MAX : (int)rest;
}

/* Everything that was taken is answered, and everything said is consumed, unless the store refuses. */
static void finish(struct lane *lane) {
        while (command_queue_count(&lane->queue) > 0 || (journal_lag(&lane->journal) > 0 && !lane->store_refuses)) {
                if (!lane_step(lane))
                        sched_yield(); /* somebody has reserved a place and is about to push */
        }
        answer_chain(waiting_take_all(&lane->waiting), 0, FAULT_BUSY);
        int fault = db_begin(lane->db);
        if (!fault)
                fault = journal_store_positions(&lane->journal, true);
        if (!fault)
                fault = db_commit(lane->db);
        if (fault) { /* the next start passes some events again, no more */
                db_rollback(lane->db);
                journal_rolled_back(&lane->journal);
        } else {
                journal_committed(&lane->journal);
        }
}

static void *run_thread(void *context) {
        struct lane *lane = context;
        while (!command_queue_is_closed(&lane->queue)) {
                if (!lane_step(lane))
                        command_queue_sleep(&lane->queue, until_next(lane));
        }
        finish(lane);
        return NULL;
}

int lane_start(struct lane *lane) {
        PRE(!lane->has_thread && !lane->stopped);
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the thread that waits for them */
        int code = pthread_create(&lane->thread, NULL, run_thread, lane);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (code)
                return -code;
        pthread_setname_np(lane->thread, "lane");
        lane->has_thread = true;
        return 0;
}

void lane_stop(struct lane *lane) {
        if (lane->stopped)
                return;
        command_queue_close(&lane->queue);
        if (lane->has_thread)
                pthread_join(lane->thread, NULL);
        else
                finish(lane);
        lane->has_thread = false;
        lane->stopped = true;
}

int lane_submit(struct lane *lane, struct lane_command *command) {
        PRE(command->kind && command->done);
        return command_queue_push(&lane->queue, command);
}

void lane_nudge(struct lane *lane) {
        command_queue_nudge(&lane->queue);
}

bool lane_is_idle(const struct lane *lane) {
        return command_queue_count(&lane->queue) == 0 && atomic_load(&lane->figures.journal_lag) == 0;
}

void lane_figures(struct lane *lane, struct lane_figures *ret_figures) {
        *ret_figures = (struct lane_figures){
                .turns = atomic_load(&lane->figures.turns),
                .commands = atomic_load(&lane->figures.commands),
                .events = atomic_load(&lane->figures.events),
                .dead_letters = atomic_load(&lane->figures.dead_letters),
                .journal_lag = atomic_load(&lane->figures.journal_lag),
                .storage_refuses = atomic_load(&lane->figures.storage_refuses),
        };
}
