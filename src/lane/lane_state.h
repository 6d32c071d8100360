/* lane_state.h: what a lane consists of. Private: only lane.c and turn.c include it. Everything belongs to the lane's
 * thread but the queue, which has its own rules, and the figures, which anybody may read. */
#ifndef TICKETRUSH_LANE_LANE_STATE_H
#define TICKETRUSH_LANE_LANE_STATE_H

#include "lane/command_queue.h"
#include "lane/journal.h"
#include "lane/waiting.h"

#include <pthread.h>

struct metric;

struct room {
        struct lane_room is;
        int64_t retry_at; /* after a tick that failed */
        bool ticked;      /* in the turn under way */
};

/* The commands of one kind (and service) in a turn: a stretch of `sorted`. Groups stay known, in (rank, name) order. */
struct group {
        const struct lane_kind *kind;
        void *service;
        size_t begin, count;
        struct metric *commands; /* may be NULL */
};

struct wake {
        uint64_t key;
        int outcome;
};

/* Who made the turn fail, as far as it is known. */
struct blame {
        struct journal_consumer *consumer;
        size_t events; /* that it was given */
        struct room *room;
        bool commands;
};

struct lane {
        struct clock *clock;
        struct db *db;
        struct id_source ids;
        struct arena arena;
        struct command_queue queue;
        struct waiting waiting;
        struct journal journal;
        struct room rooms[LANE_ROOMS_MAX];
        size_t room_count;

        /* the turn under way */
        struct turn turn;
        struct event *said;
        size_t said_count, said_capacity;
        struct wake *wakes;
        size_t wake_count, wake_capacity;
        struct blame blame;
        size_t event_count;

        struct group groups[LANE_KINDS_MAX];
        size_t group_count;
        struct lane_command *batch[LANE_BATCH_MAX];  /* in order of arrival */
        struct lane_command *sorted[LANE_BATCH_MAX]; /* kind by kind */
        unsigned char group_of[LANE_BATCH_MAX];
        const struct event *events[LANE_EVENTS_MAX];

        bool store_refuses;
        int64_t store_retry_at;

        pthread_t thread;
        bool has_thread, stopped;

        struct {
                _Atomic uint64_t turns, commands, events, dead_letters, journal_lag;
                _Atomic bool storage_refuses;
        } figures;
};

/* What one turn is made of. */
struct turn_plan {
        struct lane_command **commands; /* in order of arrival */
        size_t count;
        struct journal_consumer *alone; /* this one only */
        bool consumers;                 /* those that are not in trouble */
        bool ticks;
        bool probe; /* write something in any case, to see whether the store takes it */
};

/* One transaction. 0: committed, published, everybody answered. A negative fault: rolled back, nobody answered, and
 * `blame` says whose fault it was. */
int turn_carry_out(struct lane *lane, const struct turn_plan *plan);
/* When the room's tick is due: what the room says, but not before its next attempt. */
int64_t room_due(const struct room *room);
/* Everybody in the chain is answered with this. */
void answer_chain(struct lane_command *chain, int outcome, int fault);

#endif
