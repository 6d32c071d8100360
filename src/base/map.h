/* map.h: uint64_t key (never 0) to uint64_t value. Open addressing, linear probing, backward-shift deletion, at most
 * three quarters full. The keys are our own ids, or hashes; they are mixed again here. */
#ifndef TICKETRUSH_BASE_MAP_H
#define TICKETRUSH_BASE_MAP_H

#include "base/text.h"

struct map_entry { uint64_t key, value; };

struct map {
        struct map_entry *entries; /* NULL until the first put */
        size_t count, capacity;    /* capacity is a power of two */
};

void map_init(struct map *map);
void map_deinit(struct map *map);
void map_clear(struct map *map); /* keeps the memory */
/* The place of the value, valid until the next put or remove; NULL if absent. */
uint64_t *map_find(const struct map *map, uint64_t key);
/* Inserts or replaces. Negative fault without memory (the map is unchanged). */
int map_put(struct map *map, uint64_t key, uint64_t value);
bool map_remove(struct map *map, uint64_t key);
/* Iterate: for (size_t i = 0; (i = map_next(map, i, &entry)) != 0;) — the order is arbitrary. */
size_t map_next(const struct map *map, size_t after, struct map_entry *ret_entry);

#endif
