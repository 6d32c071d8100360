/* queue_line.h: one line in memory: a million people in less than 100 bytes each.
 *
 * People get entry numbers 1, 2, 3 … and their rows stand in chunks of arrays. An index (open addressing, 4 bytes a slot)
 * finds the newest number of an account. Who waits is ordered by ordinals 1, 2, 3 …:
 *
 *   ordinals 1 … lobby_drawn     the lobby, as drawn at opening: order[ordinal - 1] = number, ranks[number - 1] = ordinal
 *   ordinals after that          who came later: ordinal = number - lobby_last + lobby_drawn
 *
 * `head` is the first ordinal that may still wait, so the people ahead of somebody are at most ordinal - head: constant
 * time, and it never rises.
 *
 * Two truths. `now` and `states` are the lane's, ahead of the database during a turn; `committed` is what edges see.
 * line_commit publishes the one as the other; line_rollback goes back: nothing has to be read again. Only the lane's thread
 * changes a line; what edges read, it changes under `lock`, which nobody keeps for long. */
#ifndef TICKETRUSH_SERVICE_QUEUE_LINE_H
#define TICKETRUSH_SERVICE_QUEUE_LINE_H

#include "base/heap.h"
#include "service/queue/queue.h"
#include "service/queue/queue_rules.h"

#include <pthread.h>

enum { LINE_CHUNK = 1024, ENTRY_STATES = ENTRY_LEFT + 1 };

struct line_tally {
        int64_t drawn_at;     /* 0: the lobby is open, nobody has a place */
        int64_t lobby_left_at; /* when somebody left the lobby last */
        uint32_t last;        /* numbers 1 … last are given out */
        uint32_t saved;       /* numbers 1 … saved have their row */
        uint32_t lobby_last;  /* numbers 1 … lobby_last were in the lobby */
        uint32_t lobby_drawn; /* that many of them were still there at the draw */
        uint32_t head;
        uint32_t counts[ENTRY_STATES];
        struct pace pace;
        int64_t rate_spent_ns;
};

struct line_chunk {
        account_id accounts[LINE_CHUNK];
        int64_t pass_ends_at[LINE_CHUNK]; /* means something once admitted, and does not change afterwards */
        uint8_t states[LINE_CHUNK];
        uint8_t committed[LINE_CHUNK];
};

struct line_numbers { uint32_t *at; size_t count, capacity; };

struct line {
        schedule_id schedule;
        struct line_tally now, committed;
        pthread_mutex_t lock;
        struct line_chunk **chunks;
        size_t chunk_count, chunk_capacity;
        uint32_t *index; /* 0: empty; else the newest number of an account */
        size_t index_capacity, index_used;
        uint32_t *ranks, *order;  /* of the lobby, since the draw */
        struct line_numbers left; /* numbers that had left the lobby before the draw */
        struct heap deadlines;    /* ends of passes; stale ones are skipped */
        struct line_numbers touched;  /* numbers up to committed.last that this turn changed */
        struct line_numbers replaced; /* pairs: a new number of this turn, and the number its account had before */
};

int line_init(struct line *line, schedule_id schedule);
void line_deinit(struct line *line);
size_t line_bytes(const struct line *line); /* all memory of the line */

/* Loading: line_close_lobby if it was drawn, the rows in the order of their numbers, then line_order_lobby if it was drawn,
 * then line_commit. FAULT_FORMAT if a row cannot be. */
struct line_row {
        uint32_t number;
        account_id account;
        unsigned state;
        int64_t entered_at, admitted_at, pass_ends_at, ended_at;
};
int line_restore(struct line *line, const struct line_row *row);

/* On the lane. The newest number of an account, or 0. */
uint32_t line_find(const struct line *line, account_id account);
enum entry_state line_state(const struct line *line, uint32_t number);
account_id line_account(const struct line *line, uint32_t number);
int64_t line_pass_ends_at(const struct line *line, uint32_t number);
/* WAITING, or ADMITTED with a pass that has not ended? */
bool line_is_live(const struct line *line, uint32_t number, int64_t now);

/* A new entry at the end, WAITING. */
int line_add(struct line *line, account_id account, uint32_t *ret_number);
/* WAITING → ADMITTED. */
int line_admit(struct line *line, uint32_t number, int64_t pass_ends_at);
/* → DONE, EXPIRED or LEFT. `now` matters to who leaves the lobby. */
int line_end(struct line *line, uint32_t number, enum entry_state how, int64_t now);
/* The first who waits, or 0. The line has been drawn. */
uint32_t line_first_waiting(struct line *line);
/* Ends the pass that is longest over, if one is: *ret_number is its number, or 0. */
int line_expire_one(struct line *line, int64_t now, uint32_t *ret_number);
/* When the next pass ends, or INT64_MAX. */
int64_t line_next_deadline(struct line *line);

/* The draw, live: who waits in the lobby is ordered. */
int line_draw(struct line *line, const uint8_t *seed, int64_t now);
/* The draw in two steps, for loading: numbers 1 … lobby_last take part, but for those that left (line_restore). */
int line_close_lobby(struct line *line, int64_t drawn_at, uint32_t lobby_last);
int line_order_lobby(struct line *line, const uint8_t *seed);

void line_commit(struct line *line);
int line_rollback(struct line *line);

/* What there is to know about one person. */
struct line_glance {
        struct line_tally tally;
        uint32_t number; /* 0: not in line */
        enum entry_state state;
        int64_t pass_ends_at; /* 0: no pass */
        uint64_t place;       /* ordinal; 0: none (the lobby) */
        uint64_t ahead;       /* while WAITING with a place */
};
/* On the lane: including this turn. */
void line_glance_now(const struct line *line, account_id account, struct line_glance *ret_glance);
/* Any thread: as committed. False: this very turn gives the account a new number; ask the lane. */
bool line_glance_committed(struct line *line, account_id account, struct line_glance *ret_glance);
void line_tally_committed(struct line *line, struct line_tally *ret_tally);

#endif
