/* inventory_board.h: what edges may know of a schedule's seats: the published, committed copy.
 *
 * One 32-bit cell a seat: its state (2 bits) and a tag of the person who holds or has bought it (30 bits of a hash: it
 * only says "perhaps yours, ask the lane"). Cells are atomics, so that refusing a hopeless wish takes no lock. Every
 * change of a cell has a number, the board's version; the last SEAT_CHANGES_KEPT are kept in a ring, so that a client
 * that knows version N can be told what has changed since. Versions begin at the time of loading × 256 and so go on
 * rising across restarts, which forget the ring.
 *
 * The lane publishes (board_publish, in its committed hook) and makes boards; any thread reads. A board, once made,
 * stays until boards_deinit. */
#ifndef TICKETRUSH_SERVICE_INVENTORY_BOARD_H
#define TICKETRUSH_SERVICE_INVENTORY_BOARD_H

#include "base/arena.h"
#include "service/inventory/inventory.h"

#include <pthread.h>
#include <stdatomic.h>

/* Why this seat cannot be had, seen from an edge. */
enum board_view { BOARD_FREE, BOARD_TAKEN, BOARD_PERHAPS_YOURS };

struct board {
        schedule_id schedule;
        uint32_t seat_count;
        _Atomic uint32_t *cells;
        pthread_mutex_t lock; /* of what follows; held for microseconds */
        uint64_t version;     /* number of the last change */
        uint64_t first;       /* no change up to this version is known */
        uint32_t *ring;       /* change number v is at ring[v % ring_capacity]: state and seat << 2 */
        uint32_t ring_capacity;
        struct seat_counts counts;
        bool shown; /* stands in the table */
};

/* A change to publish. */
struct board_change {
        seat_index seat;
        enum seat_state state;
        account_id holder; /* 0: nobody */
};

/* All boards, by schedule: a table that only grows, read without a lock. */
struct board_table;
struct boards {
        _Atomic(struct board_table *) table;
        size_t hidden; /* made, but not shown yet */
};

void boards_init(struct boards *boards);
void boards_deinit(struct boards *boards);
/* Any thread: NULL if there is none. */
struct board *boards_find(const struct boards *boards, schedule_id schedule);
/* The lane: makes a board of free seats, which nobody finds before it is shown. Negative fault without memory. */
int boards_add(struct boards *boards, schedule_id schedule, uint32_t seat_count, int64_t now, struct board **ret_board);
void boards_show(struct boards *boards, struct board *board);
/* Only a board that has never been shown. NULL is fine. */
void boards_drop(struct boards *boards, struct board *board);

/* The lane: every change becomes visible, and gets its number, at once. */
void board_publish(struct board *board, const struct board_change *changes, size_t count);
/* The lane: gives back the ring's memory; who asks for changes has to take a snapshot. */
void board_forget_changes(struct board *board);
/* Any thread, no lock. The seat exists. */
enum board_view board_look(const struct board *board, seat_index seat, account_id account);
/* Does the board show this already? For comparing a whole board with the truth. */
bool board_shows(const struct board *board, const struct board_change *change);

/* The number of seats in a state. */
uint32_t *seat_count_of(struct seat_counts *counts, enum seat_state state);
void board_counts(struct board *board, struct seat_counts *ret_counts);
uint64_t board_version(struct board *board);
/* One letter a seat (A H S B) into states (seat_count bytes, not terminated), and the version and counts they belong
 * to. */
uint64_t board_snapshot(struct board *board, char *states, struct seat_counts *ret_counts);

/* What has changed after version `since`, each seat once, with its last state. */
enum board_changes_outcome {
        BOARD_CHANGES_TOLD = 1,
        BOARD_CHANGES_GONE /* too old, or from the future: take a snapshot */
};
struct board_changes {
        uint64_t to;     /* the version they lead to */
        uint32_t *seats; /* state and seat << 2, in the arena */
        size_t count;
};
int board_changes_since(struct board *board, uint64_t since, struct arena *arena, struct board_changes *ret_changes);
static inline seat_index board_change_seat(uint32_t change) {
        return change >> 2;
}
char board_change_letter(uint32_t change);

#endif
