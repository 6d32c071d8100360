/* lane.h: one thread, one database connection, one transaction at a time.
 *
 *   submit (any thread) → queue → [ turn: consumers of the journal, then commands kind by kind, then ticks → journal
 *   rows → COMMIT ] → committed hooks (publish what edges read) → answers
 *
 * A turn takes what is there: at once when idle, up to LANE_BATCH_MAX under load, so batches form by themselves and a
 * lone command never waits. A command that makes its turn fail (a constraint, a bug) is isolated: the turn is rolled
 * back, services forget what they had in memory of it, and the commands are tried one by one; only the culprit gets
 * the fault. When the store takes no writes (FAULT_STORAGE), commands that only read still run.
 *
 * The lane knows no product words. It can run without a thread: lane_step does exactly one turn (tests, simulation). */
#ifndef TICKETRUSH_LANE_LANE_H
#define TICKETRUSH_LANE_LANE_H

#include "lane/turn.h"
#include "port/clock.h"

enum {
        LANE_BATCH_MAX = 4096,      /* commands of one turn */
        LANE_QUEUE_MAX = 131072,    /* waiting commands; then lane_submit refuses */
        LANE_KINDS_MAX = 96,
        LANE_ROOMS_MAX = 16,
        LANE_CONSUMERS_MAX = 16,
        LANE_EVENTS_MAX = 4096,     /* events given to one consumer in one turn */
        LANE_CONSUMER_ATTEMPTS_MAX = 3, /* at one event; then dead letter and alarm */
        LANE_WAITING_MAX = 131072,  /* commands with LANE_WAIT; then they are answered LANE_WAITED at once */
        LANE_LAG_MAX = 16384,       /* events before the slowest consumer; then a turn takes only … */
        LANE_LAGGING_BATCH_MAX = 512, /* … this many commands, so that consumers catch up */
        LANE_TAIL_MAX = 65536,      /* events kept in memory; consumers further behind read the table */
        LANE_PAGE_EVENTS = 4096,    /* … in pages of this many */
        LANE_SKIM_MAX = 16384,      /* events of other types that a consumer passes before its position is stored */
        LANE_RETRY_MS = 200,        /* until consumers and ticks are tried again after a fault of the store */
        LANE_TURN_BYTES_MAX = 256 * 1024 * 1024, /* turn->arena */
        LANE_TURN_BYTES_KEPT = 4 * 1024 * 1024,  /* of it, from turn to turn */
};

struct lane;
struct lane_command;

/* A kind of command: a constant of the service that owns it. Kinds with a lower rank run first in a turn, those of one rank
 * in the order of their names. `run` gets all commands of the kind (and service) in a turn, in order of arrival. It may be
 * run again for the same command, after a rollback: outcome and fault are 0 before each run, everything else is as the
 * last run left it. After it each command has an outcome, or a fault of its own. */
struct lane_kind {
        const char *name; /* hold.create; also a metric label */
        int rank;
        bool read_only;   /* writes nothing: allowed when the store takes no writes */
        int (*run)(void *service, struct turn *turn, struct lane_command **commands, size_t count);
};

/* outcome of a command that is to be answered later, when somebody says turn_wake(wait_key) or wait_until has come
 * (then outcome is LANE_WAITED). */
enum { LANE_WAIT = -1000000, LANE_WAITED = -1000001 };

/* Every command struct begins with this. The submitter owns it, sets kind, service and done, and keeps it until done; in
 * done it may free it or submit it again. */
struct lane_command {
        const struct lane_kind *kind;
        void *service;
        void (*done)(struct lane_command *command); /* on the lane's thread, after the commit; must not block */
        int outcome;        /* positive: the use case's answer; 0 never; LANE_WAIT while it waits */
        int fault;          /* 0, or why the command could not be carried out (nothing of it is stored) */
        uint64_t wait_key;  /* with LANE_WAIT; never 0 */
        int64_t wait_until; /* ms; with LANE_WAIT */
        struct lane_command *next; /* the lane's own */
};

/* A room: what a service registers besides its commands. Any function may be NULL. */
struct lane_room {
        const char *name;
        void *service;
        /* Time-driven work (expiry, admission), at the end of every turn in which it is due, after the commands. `due`
         * tells the next time in ms (INT64_MAX: none); asked after every turn. A value <= now makes a turn at once.
         * A tick that faults is tried again after LANE_RETRY_MS, with an alarm. */
        int64_t (*due)(void *service);
        int (*tick)(void *service, struct turn *turn);
        void (*committed)(void *service); /* publish to edges, hand work to workers. May not fail */
        /* Memory may be ahead of the database now: load again what this turn touched. A fault here stops the process. */
        int (*rolled_back)(void *service, struct db *db);
};

/* A consumer of the journal: runs events of the types in `types` (bit = enum event_type), in order. Its position is
 * stored in inbox(consumer, position) in the same transaction as its effect: exactly once in effect. What was said in one
 * turn is consumed in the next. Between consumers no order is promised. For what it says, a consumer sets turn->cause (or
 * event.cause) to the event that it answers. While the store takes no writes nothing counts as an attempt. An event that
 * fails LANE_CONSUMER_ATTEMPTS_MAX times goes to dead_letter with its reason, and an alarm. */
struct lane_consumer {
        const char *name; /* stored: never change it */
        void *service;
        uint64_t types;
        int (*consume)(void *service, struct turn *turn, const struct event *const *events, size_t count);
};
#define EVENT_BIT(type) (UINT64_C(1) << (type))

struct lane_config {
        struct db *db;       /* owned by the lane from here on */
        struct clock *clock;
        unsigned node;       /* for ids */
};

/* Makes the lane's tables (journal, inbox, dead_letter) and finds its place in the journal. */
int lane_new(struct lane **ret_lane, const struct lane_config *config);
/* Stops nothing: call lane_stop first. NULL is fine; returns NULL. Closes the database. */
struct lane *lane_free(struct lane *lane);

/* Before lane_start (or the first lane_step): */
void lane_add_room(struct lane *lane, const struct lane_room *room);
/* Reads the consumer's position: 0 or a negative fault. */
int lane_add_consumer(struct lane *lane, const struct lane_consumer *consumer);

int lane_start(struct lane *lane);
/* Takes no new commands, finishes those it has (and what they said), answers waiting ones with FAULT_BUSY, ends the thread.
 * Ticks are over. What cannot be consumed because the store takes no writes is consumed after the next start. */
void lane_stop(struct lane *lane);

/* Any thread, lock-free in the common case. FAULT_BUSY when the queue is full or the lane stops: the command was not taken. */
int lane_submit(struct lane *lane, struct lane_command *command);
/* Makes the lane look at its rooms' due times again (any thread): a worker has something for a tick. */
void lane_nudge(struct lane *lane);

/* One turn, on the caller's thread: true if it did something. For tests, the simulation and start-up. */
bool lane_step(struct lane *lane);
/* Is everything said also consumed, and no command queued (waiting ones do not count)? Any thread. */
bool lane_is_idle(const struct lane *lane);

/* For reads at start-up on the caller's thread, before lane_start. */
struct db *lane_db(struct lane *lane);
struct id_source *lane_ids(struct lane *lane);

struct lane_figures {
        uint64_t turns, commands, events, dead_letters, journal_lag;
        bool storage_refuses; /* the last write failed for lack of storage */
};
void lane_figures(struct lane *lane, struct lane_figures *ret_figures); /* any thread */

#endif
