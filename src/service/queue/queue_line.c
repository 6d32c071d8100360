/* queue_line.c: see queue_line.h. */
#include "service/queue/queue_line.h"

#include "base/assert.h"
#include "base/fault.h"
#include "service/queue/queue_draw.h"

#include <stdlib.h>

enum { INDEX_FIRST = 16, NUMBERS_FIRST = 64 };

static const char *const state_names[] = {"WAITING", "ADMITTED", "DONE", "EXPIRED", "LEFT"};
static const uint32_t state_moves[] = {
        [ENTRY_WAITING] = FSM_TO(ENTRY_ADMITTED) | FSM_TO(ENTRY_LEFT),
        [ENTRY_ADMITTED] = FSM_TO(ENTRY_DONE) | FSM_TO(ENTRY_EXPIRED) | FSM_TO(ENTRY_LEFT),
        [ENTRY_DONE] = 0,
        [ENTRY_EXPIRED] = 0,
        [ENTRY_LEFT] = 0,
};
const struct fsm entry_fsm = {"line entry", state_names, ENTRY_STATES, state_moves};

/* --- lists of numbers --- */

static int numbers_reserve(struct line_numbers *numbers, size_t more) {
        if (numbers->count + more <= numbers->capacity)
                return 0;
        size_t capacity = numbers->capacity > 0 ? numbers->capacity * 2 : NUMBERS_FIRST;
        while (capacity < numbers->count + more)
                capacity *= 2;
        uint32_t *at = reallocarray(numbers->at, capacity, sizeof *at);
        if (!at)
                return -ENOMEM;
        numbers->at = at;
        numbers->capacity = capacity;
        return 0;
}

static void numbers_free(struct line_numbers *numbers) {
        free(numbers->at);
        *numbers = (struct line_numbers){0};
}

/* --- entries --- */

static struct line_chunk *chunk_of(const struct line *line, uint32_t number) {
        return line->chunks[(number - 1) / LINE_CHUNK];
}

static size_t slot_of(uint32_t number) {
        return (number - 1) % LINE_CHUNK;
}

account_id line_account(const struct line *line, uint32_t number) {
        PRE(number > 0 && number <= line->now.last);
        return chunk_of(line, number)->accounts[slot_of(number)];
}

enum entry_state line_state(const struct line *line, uint32_t number) {
        PRE(number > 0 && number <= line->now.last);
        return chunk_of(line, number)->states[slot_of(number)];
}

int64_t line_pass_ends_at(const struct line *line, uint32_t number) {
        PRE(number > 0 && number <= line->now.last);
        return chunk_of(line, number)->pass_ends_at[slot_of(number)];
}

bool line_is_live(const struct line *line, uint32_t number, int64_t now) {
        enum entry_state state = line_state(line, number);
        return state == ENTRY_WAITING || (state == ENTRY_ADMITTED && line_pass_ends_at(line, number) > now);
}

/* Room for one more entry. Edges look into the table of chunks, so it is exchanged under the lock. */
static int chunks_reserve(struct line *line) {
        if (line->now.last < line->chunk_count * LINE_CHUNK)
                return 0;
        if (line->chunk_count == line->chunk_capacity) {
                size_t capacity = line->chunk_capacity > 0 ? line->chunk_capacity * 2 : 8;
                struct line_chunk **chunks = calloc(capacity, sizeof *chunks), **old = line->chunks;
                if (!chunks)
                        return -ENOMEM;
                if (line->chunk_count > 0)
                        memcpy(chunks, old, line->chunk_count * sizeof *chunks);
                pthread_mutex_lock(&line->lock);
                line->chunks = chunks;
                pthread_mutex_unlock(&line->lock);
                line->chunk_capacity = capacity;
                free(old);
        }
        struct line_chunk *chunk = malloc(sizeof *chunk);
        if (!chunk)
                return -ENOMEM;
        line->chunks[line->chunk_count++] = chunk;
        return 0;
}

/* --- the index --- */

static size_t index_home(account_id account, size_t capacity) {
        uint64_t mixed = account * UINT64_C(0x9e3779b97f4a7c15);
        return (size_t)(mixed ^ mixed >> 32) & (capacity - 1);
}

/* The slot of the account, or the empty one where it would go. */
static size_t index_slot(const struct line *line, const uint32_t *index, size_t capacity, account_id account) {
        size_t slot = index_home(account, capacity);
        while (index[slot] != 0 && chunk_of(line, index[slot])->accounts[slot_of(index[slot])] != account)
                slot = (slot + 1) & (capacity - 1);
        return slot;
}

static uint32_t index_find(const struct line *line, account_id account) {
        return line->index_used == 0 ? 0 : line->index[index_slot(line, line->index, line->index_capacity, account)];
}

/* Room for one more account. The larger index is built beside the old one and exchanged under the lock. */
static int index_reserve(struct line *line) {
        if ((line->index_used + 1) * 4 <= line->index_capacity * 3)
                return 0;
        size_t capacity = line->index_capacity > 0 ? line->index_capacity * 2 : INDEX_FIRST;
        uint32_t *index = calloc(capacity, sizeof *index), *old = line->index;
        if (!index)
                return -ENOMEM;
        for (size_t i = 0; i < line->index_capacity; i++) {
                if (old[i] != 0)
                        index[index_slot(line, index, capacity, line_account(line, old[i]))] = old[i];
        }
        pthread_mutex_lock(&line->lock);
        line->index = index;
        line->index_capacity = capacity;
        pthread_mutex_unlock(&line->lock);
        free(old);
        return 0;
}

/* Under the lock. Whoever stands behind the hole and may stand in it moves up. */
static void index_remove(struct line *line, account_id account) {
        size_t mask = line->index_capacity - 1;
        size_t hole = index_slot(line, line->index, line->index_capacity, account);
        for (size_t i = (hole + 1) & mask; line->index[i] != 0; i = (i + 1) & mask) {
                size_t home = index_home(line_account(line, line->index[i]), line->index_capacity);
                if (((i - home) & mask) >= ((i - hole) & mask)) {
                        line->index[hole] = line->index[i];
                        hole = i;
                }
        }
        line->index[hole] = 0;
        line->index_used--;
}

uint32_t line_find(const struct line *line, account_id account) {
        return index_find(line, account);
}

/* --- life --- */

int line_init(struct line *line, schedule_id schedule) {
        *line = (struct line){.schedule = schedule, .now.head = 1, .committed.head = 1};
        heap_init(&line->deadlines);
        return -pthread_mutex_init(&line->lock, NULL);
}

static void forget_draw(struct line *line) {
        free(line->ranks);
        free(line->order);
        line->ranks = line->order = NULL;
        line->left.count = 0;
}

void line_deinit(struct line *line) {
        for (size_t i = 0; i < line->chunk_count; i++)
                free(line->chunks[i]);
        free(line->chunks);
        free(line->index);
        forget_draw(line);
        numbers_free(&line->left);
        numbers_free(&line->touched);
        numbers_free(&line->replaced);
        heap_deinit(&line->deadlines);
        pthread_mutex_destroy(&line->lock);
        *line = (struct line){0};
}

size_t line_bytes(const struct line *line) {
        size_t lobby = line->ranks ? (size_t)line->now.lobby_last + line->now.lobby_drawn : 0;
        size_t lists = line->left.capacity + line->touched.capacity + line->replaced.capacity;
        return sizeof *line + line->chunk_count * sizeof **line->chunks + line->chunk_capacity * sizeof *line->chunks +
               (line->index_capacity + lobby + lists) * sizeof(uint32_t) +
               line->deadlines.capacity * sizeof *line->deadlines.entries;
}

/* --- changes --- */

/* A new row in memory. After the reserves it cannot fail. */
static int append(struct line *line, account_id account, enum entry_state state, int64_t pass_ends_at) {
        PRE(account != 0 && line->now.last < UINT32_MAX);
        int r = chunks_reserve(line);
        if (r == 0)
                r = index_reserve(line);
        if (r == 0)
                r = numbers_reserve(&line->replaced, 2);
        if (r < 0)
                return r;

        uint32_t number = ++line->now.last;
        struct line_chunk *chunk = chunk_of(line, number);
        chunk->accounts[slot_of(number)] = account;
        chunk->pass_ends_at[slot_of(number)] = pass_ends_at;
        chunk->states[slot_of(number)] = (uint8_t)state;
        line->now.counts[state]++;
        pthread_mutex_lock(&line->lock);
        uint32_t *place = &line->index[index_slot(line, line->index, line->index_capacity, account)];
        uint32_t before = *place;
        *place = number;
        line->index_used += before == 0;
        pthread_mutex_unlock(&line->lock);
        if (before != 0) {
                line->replaced.at[line->replaced.count++] = number;
                line->replaced.at[line->replaced.count++] = before;
        }
        return 0;
}

int line_restore(struct line *line, const struct line_row *row) {
        if (row->number != line->now.last + 1 || row->state >= ENTRY_STATES || row->account == 0)
                return FAULT_FORMAT;
        enum entry_state state = row->state;
        int r = append(line, row->account, state, row->pass_ends_at);
        if (r == 0 && state == ENTRY_ADMITTED)
                r = heap_push(&line->deadlines, row->pass_ends_at, row->number);
        if (r < 0)
                return r;
        if (state == ENTRY_LEFT && line->now.drawn_at == 0 && row->ended_at > line->now.lobby_left_at)
                line->now.lobby_left_at = row->ended_at;
        bool left_waiting = state == ENTRY_LEFT && row->admitted_at == 0;
        if (left_waiting && row->number <= line->now.lobby_last && row->ended_at <= line->now.drawn_at)
                line->ranks[row->number - 1] = 0;
        line->now.saved = row->number;
        return 0;
}

int line_add(struct line *line, account_id account, uint32_t *ret_number) {
        int r = append(line, account, ENTRY_WAITING, 0);
        if (r == 0)
                *ret_number = line->now.last;
        return r;
}

static int move(struct line *line, uint32_t number, enum entry_state to) {
        enum entry_state from = line_state(line, number);
        PRE(fsm_may(&entry_fsm, from, to));
        if (number <= line->committed.last) {
                int r = numbers_reserve(&line->touched, 1);
                if (r < 0)
                        return r;
                line->touched.at[line->touched.count++] = number;
        }
        chunk_of(line, number)->states[slot_of(number)] = (uint8_t)to;
        line->now.counts[from]--;
        line->now.counts[to]++;
        return 0;
}

int line_admit(struct line *line, uint32_t number, int64_t pass_ends_at) {
        PRE(line_state(line, number) == ENTRY_WAITING);
        int r = heap_push(&line->deadlines, pass_ends_at, number);
        if (r == 0)
                r = move(line, number, ENTRY_ADMITTED);
        if (r == 0)
                chunk_of(line, number)->pass_ends_at[slot_of(number)] = pass_ends_at;
        return r;
}

int line_end(struct line *line, uint32_t number, enum entry_state how, int64_t now) {
        int r = move(line, number, how);
        if (r == 0 && line->now.drawn_at == 0)
                line->now.lobby_left_at = now;
        return r;
}

static uint32_t number_at(const struct line *line, uint32_t ordinal) {
        if (ordinal <= line->now.lobby_drawn)
                return line->order[ordinal - 1];
        return ordinal - line->now.lobby_drawn + line->now.lobby_last;
}

uint32_t line_first_waiting(struct line *line) {
        PRE(line->now.drawn_at != 0);
        uint32_t end = line->now.last - line->now.lobby_last + line->now.lobby_drawn;
        for (; line->now.head <= end; line->now.head++) {
                uint32_t number = number_at(line, line->now.head);
                if (line_state(line, number) == ENTRY_WAITING)
                        return number;
        }
        return 0;
}

/* Does this deadline still mean something? Numbers beyond `last` were rolled back. */
static bool deadline_is_real(const struct line *line, const struct heap_entry *entry) {
        uint32_t number = (uint32_t)entry->payload;
        return number <= line->now.last && line_state(line, number) == ENTRY_ADMITTED &&
               line_pass_ends_at(line, number) == entry->at;
}

int line_expire_one(struct line *line, int64_t now, uint32_t *ret_number) {
        int r = numbers_reserve(&line->touched, 1); /* so that no deadline is lost */
        if (r < 0)
                return r;
        struct heap_entry entry;
        while (heap_pop_due(&line->deadlines, now, &entry)) {
                if (deadline_is_real(line, &entry)) {
                        *ret_number = (uint32_t)entry.payload;
                        return line_end(line, *ret_number, ENTRY_EXPIRED, now);
                }
        }
        *ret_number = 0;
        return 0;
}

int64_t line_next_deadline(struct line *line) {
        struct heap_entry entry;
        while (line->deadlines.count > 0 && !deadline_is_real(line, &line->deadlines.entries[0]))
                heap_pop_due(&line->deadlines, INT64_MAX, &entry);
        return heap_nearest(&line->deadlines);
}

/* --- the draw --- */

int line_close_lobby(struct line *line, int64_t drawn_at, uint32_t lobby_last) {
        PRE(!line->ranks && drawn_at > 0);
        line->ranks = reallocarray(NULL, (size_t)lobby_last + 1, sizeof *line->ranks);
        if (!line->ranks)
                return -ENOMEM;
        for (uint32_t i = 0; i < lobby_last; i++)
                line->ranks[i] = 1;
        line->now.drawn_at = drawn_at;
        line->now.lobby_last = lobby_last;
        return 0;
}

int line_order_lobby(struct line *line, const uint8_t *seed) {
        if (line->now.last < line->now.lobby_last)
                return FAULT_FORMAT;
        uint32_t taking_part = 0;
        for (uint32_t i = 0; i < line->now.lobby_last; i++) {
                taking_part += line->ranks[i] != 0;
                if (line->ranks[i] == 0) {
                        int r = numbers_reserve(&line->left, 1);
                        if (r < 0)
                                return r;
                        line->left.at[line->left.count++] = i + 1;
                }
        }
        line->order = reallocarray(NULL, (size_t)taking_part + 1, sizeof *line->order);
        if (!line->order)
                return -ENOMEM;
        return draw_order(seed, line->ranks, line->now.lobby_last, line->order, &line->now.lobby_drawn);
}

int line_draw(struct line *line, const uint8_t *seed, int64_t now) {
        PRE(line->now.drawn_at == 0);
        /* Who left before has to be told from who leaves after by the time alone, also if the clock went back. */
        int64_t drawn_at = now > line->now.lobby_left_at ? now : line->now.lobby_left_at;
        int r = line_close_lobby(line, drawn_at, line->now.last);
        if (r < 0)
                return r;
        for (uint32_t number = 1; number <= line->now.last; number++)
                line->ranks[number - 1] = line_state(line, number) == ENTRY_WAITING;
        return line_order_lobby(line, seed);
}

/* --- commit and rollback --- */

static void publish(struct line *line, uint32_t number) {
        struct line_chunk *chunk = chunk_of(line, number);
        chunk->committed[slot_of(number)] = chunk->states[slot_of(number)];
}

void line_commit(struct line *line) {
        if (line->now.drawn_at != 0)
                line_first_waiting(line); /* moves the head over those who left */
        pthread_mutex_lock(&line->lock);
        for (size_t i = 0; i < line->touched.count; i++)
                publish(line, line->touched.at[i]);
        for (uint32_t number = line->committed.last + 1; number <= line->now.last; number++)
                publish(line, number);
        line->committed = line->now;
        pthread_mutex_unlock(&line->lock);
        line->touched.count = line->replaced.count = 0;
}

int line_rollback(struct line *line) {
        int fault = 0;
        for (size_t i = 0; i < line->touched.count; i++) {
                uint32_t number = line->touched.at[i];
                struct line_chunk *chunk = chunk_of(line, number);
                enum entry_state state = chunk->states[slot_of(number)] = chunk->committed[slot_of(number)];
                if (state == ENTRY_WAITING)
                        chunk->pass_ends_at[slot_of(number)] = 0;
                if (state == ENTRY_ADMITTED && fault == 0)
                        fault = heap_push(&line->deadlines, chunk->pass_ends_at[slot_of(number)], number);
        }
        pthread_mutex_lock(&line->lock);
        for (size_t i = line->replaced.count; i > 0; i -= 2) {
                account_id account = line_account(line, line->replaced.at[i - 2]);
                line->index[index_slot(line, line->index, line->index_capacity, account)] = line->replaced.at[i - 1];
        }
        for (uint32_t number = line->now.last; number > line->committed.last; number--) {
                account_id account = line_account(line, number);
                if (line_find(line, account) == number)
                        index_remove(line, account);
        }
        pthread_mutex_unlock(&line->lock);
        if (line->committed.drawn_at == 0)
                forget_draw(line);
        line->now = line->committed;
        line->touched.count = line->replaced.count = 0;
        return fault;
}

/* --- looking --- */

static void glance(const struct line *line, const struct line_tally *tally, uint32_t number, enum entry_state state,
                   struct line_glance *ret_glance) {
        *ret_glance = (struct line_glance){.tally = *tally, .number = number, .state = state};
        if (number == 0)
                return;
        if (state != ENTRY_WAITING)
                ret_glance->pass_ends_at = chunk_of(line, number)->pass_ends_at[slot_of(number)];
        if (tally->drawn_at == 0)
                return;
        if (number <= tally->lobby_last)
                ret_glance->place = line->ranks[number - 1];
        else
                ret_glance->place = (uint64_t)number - tally->lobby_last + tally->lobby_drawn;
        if (state == ENTRY_WAITING && ret_glance->place > tally->head)
                ret_glance->ahead = ret_glance->place - tally->head;
}

void line_glance_now(const struct line *line, account_id account, struct line_glance *ret_glance) {
        uint32_t number = index_find(line, account);
        glance(line, &line->now, number, number == 0 ? ENTRY_WAITING : line_state(line, number), ret_glance);
}

bool line_glance_committed(struct line *line, account_id account, struct line_glance *ret_glance) {
        pthread_mutex_lock(&line->lock);
        uint32_t number = index_find(line, account);
        bool settled = number <= line->committed.last;
        if (settled) {
                enum entry_state state =
                        number == 0 ? ENTRY_WAITING : chunk_of(line, number)->committed[slot_of(number)];
                glance(line, &line->committed, number, state, ret_glance);
        }
        pthread_mutex_unlock(&line->lock);
        return settled;
}

void line_tally_committed(struct line *line, struct line_tally *ret_tally) {
        pthread_mutex_lock(&line->lock);
        *ret_tally = line->committed;
        pthread_mutex_unlock(&line->lock);
}
