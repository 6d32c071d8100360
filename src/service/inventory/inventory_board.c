/* inventory_board.c: see the header for the picture. */
#include "service/inventory/inventory_board.h"

#include <stdlib.h>

enum { BOARD_RING_FIRST = 1024, BOARD_TABLE_FIRST = 64, BOARD_STATE_BITS = 2, BOARD_VERSIONS_PER_MS = 256 };
#define BOARD_STATE_MASK ((UINT32_C(1) << BOARD_STATE_BITS) - 1)

_Static_assert((SEAT_CHANGES_KEPT & (SEAT_CHANGES_KEPT - 1)) == 0, "the ring is indexed by a mask");
_Static_assert(PLAN_SEATS_MAX < 1 << 30, "a change is a seat and two bits");

static const char state_letters[] = {
        [SEAT_AVAILABLE] = 'A', [SEAT_HELD] = 'H', [SEAT_SOLD] = 'S', [SEAT_BLOCKED] = 'B'};

/* Open addressing, at most half full. A full table is replaced by a bigger one; the old one stays, for whoever reads
 * it. */
struct board_table {
        struct board_table *older;
        size_t count, capacity;
        _Atomic(struct board *) boards[];
};

static uint32_t board_tag(account_id account) {
        if (account == 0)
                return 0;
        uint32_t tag = (uint32_t)(account * UINT64_C(0x9e3779b97f4a7c15) >> 34);
        return tag ? tag : 1;
}

static uint32_t board_cell(enum seat_state state, account_id holder) {
        return board_tag(holder) << BOARD_STATE_BITS | (uint32_t)state;
}

static size_t table_home(schedule_id schedule, size_t capacity) {
        return (size_t)(schedule * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (capacity - 1);
}

static struct board_table *table_new(size_t capacity, struct board_table *older) {
        struct board_table *table = calloc(1, sizeof *table + capacity * sizeof table->boards[0]);
        if (table) {
                table->capacity = capacity;
                table->older = older;
        }
        return table;
}

static void table_put(struct board_table *table, struct board *board) {
        size_t i = table_home(board->schedule, table->capacity);
        while (atomic_load_explicit(&table->boards[i], memory_order_relaxed))
                i = (i + 1) & (table->capacity - 1);
        atomic_store_explicit(&table->boards[i], board, memory_order_release);
        table->count++;
}

void boards_init(struct boards *boards) {
        atomic_init(&boards->table, NULL);
        boards->hidden = 0;
}

static void board_free(struct board *board) {
        if (!board)
                return;
        pthread_mutex_destroy(&board->lock);
        free(board->ring);
        free(board->cells);
        free(board);
}

void boards_deinit(struct boards *boards) {
        struct board_table *table = atomic_load(&boards->table);
        for (size_t i = 0; table && i < table->capacity; i++)
                board_free(atomic_load(&table->boards[i]));
        while (table) {
                struct board_table *older = table->older;
                free(table);
                table = older;
        }
        atomic_store(&boards->table, NULL);
}

struct board *boards_find(const struct boards *boards, schedule_id schedule) {
        struct board_table *table = atomic_load_explicit(&boards->table, memory_order_acquire);
        if (!table)
                return NULL;
        for (size_t i = table_home(schedule, table->capacity);; i = (i + 1) & (table->capacity - 1)) {
                struct board *board = atomic_load_explicit(&table->boards[i], memory_order_acquire);
                if (!board || board->schedule == schedule)
                        return board;
        }
}

/* A table with room for one more, so that showing it cannot fail. */
static int boards_reserve(struct boards *boards) {
        struct board_table *table = atomic_load(&boards->table);
        if (table && (table->count + boards->hidden + 1) * 2 <= table->capacity)
                return 0;
        struct board_table *bigger = table_new(table ? table->capacity * 2 : BOARD_TABLE_FIRST, table);
        if (!bigger)
                return -ENOMEM;
        for (size_t i = 0; table && i < table->capacity; i++) {
                struct board *board = atomic_load(&table->boards[i]);
                if (board)
                        table_put(bigger, board);
        }
        atomic_store_explicit(&boards->table, bigger, memory_order_release);
        return 0;
}

int boards_add(struct boards *boards, schedule_id schedule, uint32_t seat_count, int64_t now,
               struct board **ret_board) {
        PRE(schedule != 0 && seat_count > 0 && now > 0);
        PRE(!boards_find(boards, schedule));
        int r = boards_reserve(boards);
        if (r < 0)
                return r;
        struct board *board = calloc(1, sizeof *board);
        if (!board)
                return -ENOMEM;
        board->schedule = schedule;
        board->seat_count = seat_count;
        board->first = board->version = (uint64_t)now * BOARD_VERSIONS_PER_MS;
        board->counts = (struct seat_counts){.available = seat_count, .seats = seat_count};
        board->cells = calloc(seat_count, sizeof *board->cells);
        board->ring = calloc(BOARD_RING_FIRST, sizeof *board->ring);
        board->ring_capacity = BOARD_RING_FIRST;
        pthread_mutex_init(&board->lock, NULL);
        if (!board->cells || !board->ring) {
                board_free(board);
                return -ENOMEM;
        }
        boards->hidden++;
        *ret_board = board;
        return 0;
}

void boards_show(struct boards *boards, struct board *board) {
        PRE(!board->shown && boards->hidden > 0);
        table_put(atomic_load(&boards->table), board);
        board->shown = true;
        boards->hidden--;
}

void boards_drop(struct boards *boards, struct board *board) {
        if (!board)
                return;
        PRE(!board->shown && boards->hidden > 0);
        boards->hidden--;
        board_free(board);
}

uint32_t *seat_count_of(struct seat_counts *counts, enum seat_state state) {
        switch (state) {
        case SEAT_AVAILABLE:
                return &counts->available;
        case SEAT_HELD:
                return &counts->held;
        case SEAT_SOLD:
                return &counts->sold;
        case SEAT_BLOCKED:
                return &counts->blocked;
        }
        IMPOSSIBLE("a seat has one of four states");
}

/* The oldest version from which changes can be told. */
static uint64_t board_oldest(const struct board *board) {
        uint64_t told = board->version - board->first;
        return told > board->ring_capacity ? board->version - board->ring_capacity : board->first;
}

/* Twice the ring, while that is allowed and has to be; without memory it stays and forgets sooner. */
static void board_grow_ring(struct board *board, size_t more) {
        uint64_t told = board->version - board->first;
        uint32_t capacity = board->ring_capacity;
        while (capacity < SEAT_CHANGES_KEPT && told + more > capacity)
                capacity *= 2;
        if (capacity == board->ring_capacity)
                return;
        uint32_t *ring = calloc(capacity, sizeof *ring);
        if (!ring)
                return;
        for (uint64_t v = board_oldest(board) + 1; v <= board->version; v++)
                ring[v & (capacity - 1)] = board->ring[v & (board->ring_capacity - 1)];
        free(board->ring);
        board->ring = ring;
        board->ring_capacity = capacity;
}

void board_publish(struct board *board, const struct board_change *changes, size_t count) {
        pthread_mutex_lock(&board->lock);
        board_grow_ring(board, count);
        for (size_t i = 0; i < count; i++) {
                const struct board_change *change = &changes[i];
                PRE(change->seat < board->seat_count);
                uint32_t old = atomic_load_explicit(&board->cells[change->seat], memory_order_relaxed);
                atomic_store_explicit(&board->cells[change->seat], board_cell(change->state, change->holder),
                                      memory_order_relaxed);
                board->version++;
                board->ring[board->version & (board->ring_capacity - 1)] =
                        change->seat << BOARD_STATE_BITS | (uint32_t)change->state;
                --*seat_count_of(&board->counts, old & BOARD_STATE_MASK);
                ++*seat_count_of(&board->counts, change->state);
        }
        pthread_mutex_unlock(&board->lock);
}

void board_forget_changes(struct board *board) {
        uint32_t *ring = calloc(BOARD_RING_FIRST, sizeof *ring);
        if (!ring)
                return;
        pthread_mutex_lock(&board->lock);
        free(board->ring);
        board->ring = ring;
        board->ring_capacity = BOARD_RING_FIRST;
        board->first = board->version;
        pthread_mutex_unlock(&board->lock);
}

bool board_shows(const struct board *board, const struct board_change *change) {
        return atomic_load_explicit(&board->cells[change->seat], memory_order_relaxed) ==
               board_cell(change->state, change->holder);
}

enum board_view board_look(const struct board *board, seat_index seat, account_id account) {
        PRE(seat < board->seat_count);
        uint32_t cell = atomic_load_explicit(&board->cells[seat], memory_order_relaxed);
        if ((cell & BOARD_STATE_MASK) == SEAT_AVAILABLE)
                return BOARD_FREE;
        return cell >> BOARD_STATE_BITS == board_tag(account) ? BOARD_PERHAPS_YOURS : BOARD_TAKEN;
}

void board_counts(struct board *board, struct seat_counts *ret_counts) {
        pthread_mutex_lock(&board->lock);
        *ret_counts = board->counts;
        pthread_mutex_unlock(&board->lock);
}

uint64_t board_version(struct board *board) {
        pthread_mutex_lock(&board->lock);
        uint64_t version = board->version;
        pthread_mutex_unlock(&board->lock);
        return version;
}

uint64_t board_snapshot(struct board *board, char *states, struct seat_counts *ret_counts) {
        pthread_mutex_lock(&board->lock);
        for (uint32_t i = 0; i < board->seat_count; i++)
                states[i] =
                        state_letters[atomic_load_explicit(&board->cells[i], memory_order_relaxed) & BOARD_STATE_MASK];
        *ret_counts = board->counts;
        uint64_t version = board->version;
        pthread_mutex_unlock(&board->lock);
        return version;
}

char board_change_letter(uint32_t change) {
        return state_letters[change & BOARD_STATE_MASK];
}

/* Keeps the last change of each seat, in the order of those, in place: returns how many stay. */
static size_t changes_coalesce(uint32_t *changes, size_t count, uint8_t *seen) {
        size_t kept = count;
        for (size_t i = count; i-- > 0;) {
                seat_index seat = board_change_seat(changes[i]);
                uint8_t bit = (uint8_t)(1u << (seat & 7));
                if (seen[seat >> 3] & bit)
                        continue;
                seen[seat >> 3] |= bit;
                changes[--kept] = changes[i];
        }
        memmove(changes, changes + kept, (count - kept) * sizeof *changes);
        return count - kept;
}

int board_changes_since(struct board *board, uint64_t since, struct arena *arena, struct board_changes *ret_changes) {
        /* The arena is asked before the lock is taken; what is said in between is told next time. */
        uint64_t to = board_version(board);
        if (since > to || to - since > SEAT_CHANGES_KEPT)
                return BOARD_CHANGES_GONE;
        size_t count = (size_t)(to - since);
        if (count == 0) {
                *ret_changes = (struct board_changes){.to = to};
                return BOARD_CHANGES_TOLD;
        }
        uint32_t *changes = arena_take(arena, count * sizeof *changes);
        uint8_t *seen = arena_take(arena, board->seat_count / 8 + 1);
        if (!changes || !seen)
                return -ENOMEM;

        pthread_mutex_lock(&board->lock);
        bool gone = since < board_oldest(board);
        for (size_t i = 0; i < count && !gone; i++)
                changes[i] = board->ring[(since + 1 + i) & (board->ring_capacity - 1)];
        pthread_mutex_unlock(&board->lock);
        if (gone)
                return BOARD_CHANGES_GONE;
        *ret_changes =
                (struct board_changes){.to = to, .seats = changes, .count = changes_coalesce(changes, count, seen)};
        return BOARD_CHANGES_TOLD;
}
