/* heap.h: deadlines, nearest first (a binary heap of time and payload). Nothing is ever removed from the middle:
 * whoever pops a deadline looks whether it still means something. */
#ifndef TICKETRUSH_BASE_HEAP_H
#define TICKETRUSH_BASE_HEAP_H

#include "base/text.h"

struct heap_entry { int64_t at; uint64_t payload; };
struct heap { struct heap_entry *entries; size_t count, capacity; };

void heap_init(struct heap *heap);
void heap_deinit(struct heap *heap);
void heap_clear(struct heap *heap);
int heap_push(struct heap *heap, int64_t at, uint64_t payload); /* negative fault without memory */
/* The nearest deadline, or INT64_MAX when empty. */
int64_t heap_nearest(const struct heap *heap);
/* Takes the nearest if it is due at or before now: true and *ret_entry. */
bool heap_pop_due(struct heap *heap, int64_t now, struct heap_entry *ret_entry);

#endif
