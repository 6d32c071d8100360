/* inventory_hall.c: see the header for the picture. */
#include "service/inventory/inventory_hall.h"

#include <stdlib.h>

enum { SLOTS_AT_ONCE = 128 };

struct slot_block {
        struct slot_block *next;
        struct hold_slot slots[SLOTS_AT_ONCE];
};

static void *map_pointer(const struct map *map, uint64_t key) {
        uint64_t *value = map_find(map, key);
        return value ? (void *)(uintptr_t)*value : NULL;
}

static int map_put_pointer(struct map *map, uint64_t key, void *pointer) {
        return map_put(map, key, (uint64_t)(uintptr_t)pointer);
}

void halls_init(struct halls *halls) {
        *halls = (struct halls){.loaded_max = LOADED_SCHEDULES_MAX};
        map_init(&halls->by_schedule);
        map_init(&halls->live);
        heap_init(&halls->deadlines);
        boards_init(&halls->boards);
}

static void hall_free(struct halls *halls, struct hall *hall) {
        if (hall->board && !hall->board->shown)
                boards_drop(&halls->boards, hall->board);
        map_deinit(&hall->shares);
        map_deinit(&hall->keys);
        free(hall->changes);
        free(hall->seats);
        free(hall);
}

void halls_deinit(struct halls *halls) {
        struct map_entry entry;
        for (size_t i = 0; (i = map_next(&halls->by_schedule, i, &entry)) != 0;)
                hall_free(halls, (struct hall *)(uintptr_t)entry.value);
        while (halls->blocks) {
                struct slot_block *next = halls->blocks->next;
                free(halls->blocks);
                halls->blocks = next;
        }
        map_deinit(&halls->by_schedule);
        map_deinit(&halls->live);
        heap_deinit(&halls->deadlines);
        boards_deinit(&halls->boards);
}

/* --- slots: memory of live holds, never given back, used again --- */

static void slot_link(struct hold_slot *slot, struct hold_slot **list) {
        slot->next = *list;
        slot->link = list;
        if (slot->next)
                slot->next->link = &slot->next;
        *list = slot;
}

static void slot_unlink(struct hold_slot *slot) {
        *slot->link = slot->next;
        if (slot->next)
                slot->next->link = slot->link;
}

static struct hold_slot *slot_take(struct halls *halls) {
        if (!halls->spare) {
                struct slot_block *block = malloc(sizeof *block);
                if (!block)
                        return NULL;
                block->next = halls->blocks;
                halls->blocks = block;
                for (size_t i = SLOTS_AT_ONCE; i-- > 0;)
                        slot_link(&block->slots[i], &halls->spare);
        }
        struct hold_slot *slot = halls->spare;
        slot_unlink(slot);
        return slot;
}

static void slots_recycle(struct halls *halls) {
        while (halls->ended) {
                struct hold_slot *slot = halls->ended;
                slot_unlink(slot);
                slot_link(slot, &halls->spare);
        }
}

static struct hold_slot *slot_of(struct hold *hold) {
        return (struct hold_slot *)(void *)hold; /* its first member */
}
_Static_assert(offsetof(struct hold_slot, hold) == 0, "slot_of relies on it");

/* --- one hall --- */

uint32_t hall_share(const struct hall *hall, account_id account) {
        uint64_t *share = map_find(&hall->shares, account);
        return share ? (uint32_t)*share : 0;
}

purchase_id hall_keyed(const struct hall *hall, uint64_t idempotency_key) {
        uint64_t *hold = map_find(&hall->keys, idempotency_key);
        return hold ? *hold : 0;
}

static void hall_touch(struct halls *halls, struct hall *hall) {
        if (hall->touched)
                return;
        hall->touched = true;
        hall->next_touched = halls->touched;
        halls->touched = hall;
}

static int hall_add_change(struct hall *hall, const struct board_change *change) {
        if (hall->change_count == hall->change_capacity) {
                size_t capacity = hall->change_capacity ? hall->change_capacity * 2 : 64;
                struct board_change *changes = reallocarray(hall->changes, capacity, sizeof *changes);
                if (!changes)
                        return -ENOMEM;
                hall->changes = changes;
                hall->change_capacity = capacity;
        }
        hall->changes[hall->change_count++] = *change;
        return 0;
}

int hall_move_seat(struct halls *halls, struct hall *hall, struct writes *writes, seat_index index, struct seat after,
                   account_id holder) {
        PRE(index < hall->seat_count);
        PRE((after.hold != 0) == (holder != 0));
        struct seat_move move = {
                .schedule = hall->schedule, .seat = index, .before = hall->seats[index], .after = after};
        hall_touch(halls, hall);
        hall->seats[index] = after;
        --*seat_count_of(&hall->counts, (enum seat_state)move.before.state);
        ++*seat_count_of(&hall->counts, (enum seat_state)after.state);
        writes_add_move(writes, &move);
        struct board_change change = {.seat = index, .state = (enum seat_state)after.state, .holder = holder};
        return hall_add_change(hall, &change);
}

int hall_add_share(struct hall *hall, account_id account, int32_t seats) {
        int64_t share = (int64_t)hall_share(hall, account) + seats;
        INVARIANT(share >= 0);
        if (share > 0)
                return map_put(&hall->shares, account, (uint64_t)share);
        map_remove(&hall->shares, account);
        return 0;
}

int halls_set_deadline(struct halls *halls, const struct hold *hold) {
        return heap_push(&halls->deadlines, hold->expires_at, hold->id);
}

static int hall_link_hold(struct halls *halls, struct hall *hall, const struct hold *hold, struct hold **ret_hold) {
        struct hold_slot *slot = slot_take(halls);
        if (!slot)
                return -ENOMEM;
        slot->hold = *hold;
        slot_link(slot, &hall->live);
        *ret_hold = &slot->hold;
        int r = map_put_pointer(&halls->live, hold->id, slot);
        return r < 0 ? r : halls_set_deadline(halls, hold);
}

int hall_add_hold(struct halls *halls, struct hall *hall, const struct hold *hold, struct hold **ret_hold) {
        PRE(hold->state == HOLD_ACTIVE && hold->schedule == hall->schedule);
        hall_touch(halls, hall);
        int r = hall_link_hold(halls, hall, hold, ret_hold);
        if (r == 0 && hold->idempotency.key)
                r = map_put(&hall->keys, hold->idempotency.key, hold->id);
        return r;
}

void hall_save_hold(struct halls *halls, struct hall *hall, struct writes *writes, const struct hold *hold,
                    enum hold_state before, bool seats_changed) {
        PRE(hold->state == before || fsm_may(&hold_fsm, before, hold->state));
        hall_touch(halls, hall);
        writes_add_update(writes, hold, before, seats_changed);
}

void hall_end_hold(struct halls *halls, struct hold *hold) {
        PRE(hold->state != HOLD_ACTIVE);
        struct hold_slot *slot = slot_of(hold);
        bool was_live = map_remove(&halls->live, hold->id);
        PRE(was_live);
        slot_unlink(slot);
        slot_link(slot, &halls->ended);
}

struct hold *halls_live(const struct halls *halls, purchase_id id) {
        struct hold_slot *slot = map_pointer(&halls->live, id);
        return slot ? &slot->hold : NULL;
}

/* --- reading a hall from the database --- */

struct hall_reading {
        struct halls *halls;
        struct hall *hall;
        struct map holders; /* hold → account, of those that have seats */
        uint32_t capacity;
};

static int reading_seat(void *context, seat_index index, const struct seat *seat) {
        struct hall_reading *reading = context;
        struct hall *hall = reading->hall;
        if (index != hall->seat_count || index >= PLAN_SEATS_MAX)
                return FAULT_FORMAT;
        if (hall->seat_count == reading->capacity) {
                uint32_t capacity = reading->capacity ? reading->capacity * 2 : 512;
                struct seat *seats = reallocarray(hall->seats, capacity, sizeof *seats);
                if (!seats)
                        return -ENOMEM;
                hall->seats = seats;
                reading->capacity = capacity;
        }
        hall->seats[hall->seat_count++] = *seat;
        hall->counts.seats++;
        ++*seat_count_of(&hall->counts, (enum seat_state)seat->state);
        return 0;
}

static int reading_hold(void *context, const struct hold *hold) {
        struct hall_reading *reading = context;
        struct hold *live;
        int r = 0;
        if (hold->state == HOLD_ACTIVE)
                r = hall_link_hold(reading->halls, reading->hall, hold, &live);
        if (r == 0 && (hold->state == HOLD_ACTIVE || hold->state == HOLD_CONSUMED))
                r = map_put(&reading->holders, hold->id, hold->account);
        if (r == 0 && hold->idempotency.key)
                r = map_put(&reading->hall->keys, hold->idempotency.key, hold->id);
        return r;
}

/* Every live hold has its seats, and no other seat is held: else the rows are not ours, and nobody may go on from here.
 */
static int hall_check_holds(const struct hall *hall) {
        uint32_t held = 0;
        for (const struct hold_slot *slot = hall->live; slot; slot = slot->next) {
                for (uint32_t i = 0; i < slot->hold.seat_count; i++) {
                        if (slot->hold.seats[i] >= hall->seat_count)
                                return FAULT_FORMAT;
                }
                if (!hold_has_seats(&slot->hold, hall->seats, SEAT_HELD))
                        return FAULT_FORMAT;
                held += slot->hold.seat_count;
        }
        return held == hall->counts.held ? 0 : FAULT_FORMAT;
}

/* Who has the seat: needs the holds. Also counts each person's share. */
static int hall_settle_shares(struct hall_reading *reading) {
        struct hall *hall = reading->hall;
        for (seat_index i = 0; i < hall->seat_count; i++) {
                struct seat *seat = &hall->seats[i];
                if (seat->state != SEAT_HELD && seat->state != SEAT_SOLD)
                        continue;
                uint64_t *holder = map_find(&reading->holders, seat->hold);
                if (!holder)
                        return FAULT_FORMAT;
                struct board_change change = {.seat = i, .state = (enum seat_state)seat->state, .holder = *holder};
                int r = hall_add_share(hall, *holder, 1);
                if (r == 0)
                        r = hall_add_change(hall, &change);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* An empty hall is filled. Free and blocked seats stand in the list of changes too, so that it tells the whole board.
 */
static int hall_read(struct halls *halls, struct hall *hall, struct db *db) {
        struct hall_reading reading = {.halls = halls, .hall = hall};
        map_init(&reading.holders);
        int r = store_read_seats(db, hall->schedule, reading_seat, &reading);
        if (r == 0)
                r = hall->seat_count > 0 ? store_read_schedule_holds(db, hall->schedule, reading_hold, &reading)
                                         : -ENOENT;
        if (r == 0)
                r = hall_check_holds(hall);
        if (r == 0)
                r = hall_settle_shares(&reading);
        for (seat_index i = 0; i < hall->seat_count && r == 0; i++) {
                struct board_change change = {.seat = i, .state = (enum seat_state)hall->seats[i].state};
                if (hall->seats[i].hold == 0)
                        r = hall_add_change(hall, &change);
        }
        map_deinit(&reading.holders);
        hall->read_count = hall->change_count;
        hall_touch(halls, hall);
        hall->loaded = r == 0;
        halls->loaded += hall->loaded;
        return r;
}

/* Forgets everything but the schedule and the board. */
static void hall_empty(struct halls *halls, struct hall *hall) {
        while (hall->live) {
                struct hold_slot *slot = hall->live;
                map_remove(&halls->live, slot->hold.id);
                slot_unlink(slot);
                slot_link(slot, &halls->spare);
        }
        map_deinit(&hall->shares);
        map_deinit(&hall->keys);
        free(hall->seats);
        halls->loaded -= hall->loaded;
        hall->loaded = false;
        hall->seats = NULL;
        hall->seat_count = 0;
        hall->counts = (struct seat_counts){0};
        hall->change_count = hall->read_count = 0;
}

static int hall_new(struct halls *halls, schedule_id schedule, struct hall **ret_hall) {
        struct hall *hall = calloc(1, sizeof *hall);
        if (!hall)
                return -ENOMEM;
        hall->schedule = schedule;
        map_init(&hall->shares);
        map_init(&hall->keys);
        int r = map_put_pointer(&halls->by_schedule, schedule, hall);
        if (r < 0) {
                hall_free(halls, hall);
                return r;
        }
        *ret_hall = hall;
        return 0;
}

int halls_find(struct halls *halls, struct db *db, int64_t now, schedule_id schedule, struct hall **ret_hall) {
        struct hall *hall = map_pointer(&halls->by_schedule, schedule);
        int r = hall ? 0 : hall_new(halls, schedule, &hall);
        if (r < 0)
                return r;
        hall->used = ++halls->asked;
        if (hall->loaded) {
                *ret_hall = hall;
                return 0;
        }
        r = hall_read(halls, hall, db);
        if (r == 0 && !hall->board)
                r = boards_add(&halls->boards, schedule, hall->seat_count, now, &hall->board);
        if (r == 0 && hall->board->seat_count != hall->seat_count)
                r = FAULT_FORMAT;
        if (r < 0) {
                hall_empty(halls, hall);
                return r;
        }
        *ret_hall = hall;
        return 0;
}

int halls_counts(struct halls *halls, struct db *db, int64_t now, schedule_id schedule,
                 struct seat_counts *ret_counts) {
        struct hall *hall = map_pointer(&halls->by_schedule, schedule);
        if (hall && !hall->loaded && hall->board && hall->board->shown) {
                board_counts(hall->board, ret_counts);
                return 0;
        }
        int r = halls_find(halls, db, now, schedule, &hall);
        if (r == 0)
                *ret_counts = hall->counts;
        return r;
}

struct schedule_list {
        schedule_id *ids;
        size_t count, capacity;
};

static int list_schedule(void *context, schedule_id schedule) {
        struct schedule_list *list = context;
        if (list->count == list->capacity) {
                size_t capacity = list->capacity ? list->capacity * 2 : 16;
                schedule_id *ids = reallocarray(list->ids, capacity, sizeof *ids);
                if (!ids)
                        return -ENOMEM;
                list->ids = ids;
                list->capacity = capacity;
        }
        list->ids[list->count++] = schedule;
        return 0;
}

int halls_read_busy(struct halls *halls, struct db *db, int64_t now) {
        struct schedule_list list = {0};
        int r = store_read_busy_schedules(db, list_schedule, &list);
        for (size_t i = 0; i < list.count && r == 0; i++) {
                struct hall *hall;
                r = halls_find(halls, db, now, list.ids[i], &hall);
        }
        free(list.ids);
        return r;
}

/* --- the end of a turn --- */

/* A hall that has been read lists every seat: of those only the ones that the board shows differently are published. */
static void hall_drop_shown(struct hall *hall) {
        size_t kept = 0;
        for (size_t i = 0; i < hall->change_count; i++) {
                if (i >= hall->read_count || !board_shows(hall->board, &hall->changes[i]))
                        hall->changes[kept++] = hall->changes[i];
        }
        hall->change_count = kept;
}

static void hall_publish(struct halls *halls, struct hall *hall) {
        hall_drop_shown(hall);
        if (hall->change_count > 0)
                board_publish(hall->board, hall->changes, hall->change_count);
        if (!hall->board->shown)
                boards_show(&halls->boards, hall->board);
        if (hall->read_count > 0) { /* as long as the house: not needed so big again soon */
                free(hall->changes);
                hall->changes = NULL;
                hall->change_capacity = 0;
        }
        hall->change_count = hall->read_count = 0;
}

static struct hall *halls_idlest(const struct halls *halls) {
        struct hall *idlest = NULL;
        struct map_entry entry;
        for (size_t i = 0; (i = map_next(&halls->by_schedule, i, &entry)) != 0;) {
                struct hall *hall = (struct hall *)(uintptr_t)entry.value;
                if (hall->loaded && !hall->live && (!idlest || hall->used < idlest->used))
                        idlest = hall;
        }
        return idlest;
}

static void halls_forget_idle(struct halls *halls) {
        struct hall *hall;
        while (halls->loaded > halls->loaded_max && (hall = halls_idlest(halls)) != NULL) {
                hall_empty(halls, hall);
                board_forget_changes(hall->board);
        }
}

void halls_committed(struct halls *halls) {
        for (struct hall *hall = halls->touched; hall; hall = hall->next_touched) {
                if (hall->loaded)
                        hall_publish(halls, hall);
                hall->touched = false;
        }
        halls->touched = NULL;
        slots_recycle(halls);
        halls_forget_idle(halls);
}

int halls_rolled_back(struct halls *halls, struct db *db) {
        struct hall *hall = halls->touched;
        halls->touched = NULL;
        slots_recycle(halls);
        while (hall) {
                struct hall *next = hall->next_touched;
                hall->touched = false;
                hall_empty(halls, hall);
                int r = hall->board ? hall_read(halls, hall, db) : 0; /* without a board it was never read to the end */
                if (r < 0 && r != -ENOENT)                            /* its seats were made in this very turn */
                        return r;
                hall = next;
        }
        return 0;
}
