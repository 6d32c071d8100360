/* waiting.c: see waiting.h. */
#include "lane/waiting.h"

#include "base/assert.h"

void waiting_init(struct waiting *waiting) {
        *waiting = (struct waiting){0};
        map_init(&waiting->chains);
        heap_init(&waiting->deadlines);
}

void waiting_deinit(struct waiting *waiting) {
        map_deinit(&waiting->chains);
        heap_deinit(&waiting->deadlines);
}

static struct lane_command *first_of(uint64_t value) {
        return (struct lane_command *)(uintptr_t)value;
}

static void append(struct lane_command **chain, struct lane_command *command) {
        while (*chain)
                chain = &(*chain)->next;
        *chain = command;
}

int waiting_add(struct waiting *waiting, struct lane_command *command) {
        PRE(command->outcome == LANE_WAIT && command->wait_key != 0);
        if (waiting->count >= LANE_WAITING_MAX)
                return FAULT_BUSY;
        int fault = heap_push(&waiting->deadlines, command->wait_until, command->wait_key);
        if (fault)
                return fault;
        command->next = NULL;
        uint64_t *chain = map_find(&waiting->chains, command->wait_key);
        if (chain)
                append(&first_of(*chain)->next, command);
        else
                fault = map_put(&waiting->chains, command->wait_key, (uint64_t)(uintptr_t)command);
        waiting->count += !fault;
        return fault;
}

struct lane_command *waiting_take(struct waiting *waiting, uint64_t key) {
        uint64_t *chain = map_find(&waiting->chains, key);
        if (!chain)
                return NULL;
        struct lane_command *first = first_of(*chain);
        for (struct lane_command *command = first; command; command = command->next)
                waiting->count--;
        map_remove(&waiting->chains, key);
        return first;
}

/* Of those who wait for the key, the ones whose time has come move to the end of `due`. */
static void take_due_of_key(struct waiting *waiting, uint64_t key, int64_t now, struct lane_command **due) {
        uint64_t *chain = map_find(&waiting->chains, key);
        if (!chain)
                return;
        struct lane_command *first = first_of(*chain), **place = &first;
        while (*place) {
                struct lane_command *command = *place;
                if (command->wait_until > now) {
                        place = &command->next;
                        continue;
                }
                *place = command->next;
                command->next = NULL;
                append(due, command);
                waiting->count--;
        }
        if (first)
                *chain = (uint64_t)(uintptr_t)first;
        else
                map_remove(&waiting->chains, key);
}

struct lane_command *waiting_take_due(struct waiting *waiting, int64_t now) {
        struct lane_command *due = NULL, **end = &due;
        struct heap_entry entry;
        while (heap_pop_due(&waiting->deadlines, now, &entry)) {
                take_due_of_key(waiting, entry.payload, now, end);
                while (*end)
                        end = &(*end)->next;
        }
        return due;
}

struct lane_command *waiting_take_all(struct waiting *waiting) {
        return waiting_take_due(waiting, INT64_MAX);
}
