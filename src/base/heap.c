#include "base/heap.h"

#include "base/fault.h"

#include <stdlib.h>

void heap_init(struct heap *heap) {
        *heap = (struct heap){0};
}

void heap_deinit(struct heap *heap) {
        free(heap->entries);
        *heap = (struct heap){0};
}

void heap_clear(struct heap *heap) {
        heap->count = 0;
}

int heap_push(struct heap *heap, int64_t at, uint64_t payload) {
        if (heap->count == heap->capacity) {
                size_t capacity = heap->capacity > 0 ? heap->capacity * 2 : 16;
                struct heap_entry *entries = reallocarray(heap->entries, capacity, sizeof *entries);
                if (!entries)
                        return -ENOMEM;
                heap->entries = entries;
                heap->capacity = capacity;
        }
        size_t i = heap->count++;
        while (i > 0 && heap->entries[(i - 1) / 2].at > at) {
                heap->entries[i] = heap->entries[(i - 1) / 2];
                i = (i - 1) / 2;
        }
        heap->entries[i] = (struct heap_entry){at, payload};
        return 0;
}

int64_t heap_nearest(const struct heap *heap) {
        return heap->count > 0 ? heap->entries[0].at : INT64_MAX;
}

bool heap_pop_due(struct heap *heap, int64_t now, struct heap_entry *ret_entry) {
        if (heap->count == 0 || heap->entries[0].at > now)
                return false;
        *ret_entry = heap->entries[0];
        struct heap_entry last = heap->entries[--heap->count];
        size_t i = 0;
        for (size_t child; (child = 2 * i + 1) < heap->count; i = child) {
                if (child + 1 < heap->count && heap->entries[child + 1].at < heap->entries[child].at)
                        child++;
                if (heap->entries[child].at >= last.at)
                        break;
                heap->entries[i] = heap->entries[child];
        }
        heap->entries[i] = last;
        return true;
}
