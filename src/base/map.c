#include "base/map.h"

#include "base/assert.h"
#include "base/fault.h"

#include <stdlib.h>

enum { MAP_FIRST = 16 };

void map_init(struct map *map) {
        *map = (struct map){0};
}

void map_deinit(struct map *map) {
        free(map->entries);
        *map = (struct map){0};
}

void map_clear(struct map *map) {
        if (map->count > 0)
                memset(map->entries, 0, map->capacity * sizeof *map->entries);
        map->count = 0;
}

static size_t map_home(uint64_t key, size_t capacity) {
        /* Our ids end in zeros most of the time; the upper half of the product has seen every bit. */
        uint64_t mixed = key * UINT64_C(0x9e3779b97f4a7c15);
        return (size_t)(mixed ^ mixed >> 32) & (capacity - 1);
}

/* The slot of the key, or the empty one where it would go. */
static size_t map_slot(const struct map_entry *entries, size_t capacity, uint64_t key) {
        size_t slot = map_home(key, capacity);
        while (entries[slot].key != 0 && entries[slot].key != key)
                slot = (slot + 1) & (capacity - 1);
        return slot;
}

static int map_grow(struct map *map) {
        size_t capacity = map->capacity > 0 ? map->capacity * 2 : MAP_FIRST;
        struct map_entry *entries = calloc(capacity, sizeof *entries);
        if (!entries)
                return -ENOMEM;
        for (size_t i = 0; i < map->capacity; i++) {
                if (map->entries[i].key != 0)
                        entries[map_slot(entries, capacity, map->entries[i].key)] = map->entries[i];
        }
        free(map->entries);
        map->entries = entries;
        map->capacity = capacity;
        return 0;
}

uint64_t *map_find(const struct map *map, uint64_t key) {
        if (map->count == 0 || key == 0)
                return NULL;
        struct map_entry *entry = &map->entries[map_slot(map->entries, map->capacity, key)];
        return entry->key == key ? &entry->value : NULL;
}

int map_put(struct map *map, uint64_t key, uint64_t value) {
        PRE(key != 0);
        uint64_t *found = map_find(map, key);
        if (found) {
                *found = value;
                return 0;
        }
        if ((map->count + 1) * 4 > map->capacity * 3) {
                int r = map_grow(map);
                if (r < 0)
                        return r;
        }
        map->entries[map_slot(map->entries, map->capacity, key)] = (struct map_entry){key, value};
        map->count++;
        return 0;
}

bool map_remove(struct map *map, uint64_t key) {
        if (map->count == 0 || key == 0)
                return false;
        size_t mask = map->capacity - 1;
        size_t hole = map_slot(map->entries, map->capacity, key);
        if (map->entries[hole].key != key)
                return false;
        /* Whoever stands behind the hole and may stand in it (its home is not between the two) moves up. */
        for (size_t i = (hole + 1) & mask; map->entries[i].key != 0; i = (i + 1) & mask) {
                size_t home = map_home(map->entries[i].key, map->capacity);
                if (((i - home) & mask) >= ((i - hole) & mask)) {
                        map->entries[hole] = map->entries[i];
                        hole = i;
                }
        }
        map->entries[hole] = (struct map_entry){0};
        map->count--;
        return true;
}

size_t map_next(const struct map *map, size_t after, struct map_entry *ret_entry) {
        for (size_t i = after; i < map->capacity; i++) {
                if (map->entries[i].key != 0) {
                        *ret_entry = map->entries[i];
                        return i + 1;
                }
        }
        return 0;
}
