/* journal.h: the rows of the journal, and how far each consumer has come. A private part of the lane.
 *
 * What a turn says becomes rows and, after the commit, one chunk of the tail: a chain of chunks in memory, oldest
 * first, in which each consumer has a place. A chunk goes when everybody has passed it. The tail is *whole* when
 * nothing is missing between its end and the end of the table; after a start, and when consumers have fallen
 * LANE_TAIL_MAX behind, it is not, and is continued page by page from the table.
 *
 *   table   … 4 5 6 7 8 9 10 11 12
 *   tail          [6 7][8][9 10 11]     not whole yet: 12 is missing
 *   order              ^ position 7
 *
 * A consumer passes events that are not its type in memory only, and stores its position with its effects, or when
 * it has passed LANE_SKIM_MAX events: a restart passes those again, in memory again. */
#ifndef TICKETRUSH_LANE_JOURNAL_H
#define TICKETRUSH_LANE_JOURNAL_H

#include "lane/lane.h"

struct journal_chunk {
        struct journal_chunk *newer;
        size_t count;
        struct event events[]; /* then the bytes of their payloads */
};

/* A place in the tail. */
struct journal_place {
        struct journal_chunk *chunk; /* NULL: the tail was empty so far */
        size_t index;                /* in the chunk; its count: behind its last */
        uint64_t position;           /* id of the event before the place */
        uint64_t passed;             /* events passed so far, to tell the lag */
};

struct journal_consumer {
        struct lane_consumer is;
        struct journal_place at;   /* committed */
        struct journal_place next; /* where the turn under way will have brought it */
        uint64_t stored_passed;    /* `passed` then */
        size_t share;              /* events in one turn; below LANE_EVENTS_MAX it is in trouble and runs alone */
        unsigned attempts;         /* at the event before it, alone */
        bool moved;                /* in the turn under way */
};

struct journal {
        struct db *db;
        struct journal_chunk *oldest, *newest;
        bool whole;
        uint64_t newest_id; /* in the tail, or known to be committed before it */
        uint64_t added;     /* events ever put into the tail */
        uint64_t missing;   /* events known to be in the table behind the tail */
        struct journal_consumer consumers[LANE_CONSUMERS_MAX];
        size_t consumer_count;
};

/* Makes the tables; *ret_newest_id is the highest id in them. */
int journal_init(struct journal *journal, struct db *db, uint64_t *ret_newest_id);
void journal_deinit(struct journal *journal);
/* Reads its position from the inbox. */
int journal_add_consumer(struct journal *journal, const struct lane_consumer *consumer);

/* Continues a tail that is not whole by one page, if a consumer has come to its end. */
int journal_refill(struct journal *journal, struct arena *arena);
/* Are there more pages to read? */
bool journal_is_behind(const struct journal *journal);
/* Rows for events in the order of their ids; inside a transaction. */
int journal_write(struct journal *journal, const struct event *events, size_t count);
/* After the commit of journal_write. */
void journal_append(struct journal *journal, const struct event *events, size_t count);

/* Is there an event for the consumer in the tail? (It has passed by those that are not.) */
bool journal_has(const struct journal_consumer *consumer);
/* The next events for the consumer, at most its share; next is the place behind them. */
size_t journal_take(struct journal_consumer *consumer, const struct event **ret_events);
/* Stores the position of every consumer that moved, or has passed much; or of all. Inside a transaction. */
int journal_store_positions(struct journal *journal, bool all);
/* After the commit: places of the turn become theirs; or after a rollback: they are forgotten. */
void journal_committed(struct journal *journal);
void journal_rolled_back(struct journal *journal);
/* Puts the event before the consumer aside, with the reason, and moves past it, in a transaction of its own. */
int journal_bury(struct journal *journal, struct journal_consumer *consumer, int64_t now, const char *reason);

/* Events that the slowest consumer has still before it. */
uint64_t journal_lag(const struct journal *journal);

#endif
