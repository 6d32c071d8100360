#include "base/arena.h"

#include <stdlib.h>

enum { ARENA_ALIGN = 16, ARENA_FIRST_BLOCK = 4096 };

struct arena_block {
        _Alignas(ARENA_ALIGN) struct arena_block *older;
        size_t used, capacity; /* of the bytes that follow */
};

static char *arena_block_bytes(struct arena_block *block) {
        return (char *)(block + 1);
}

void arena_init(struct arena *arena, size_t max_bytes) {
        *arena = (struct arena){.max_bytes = max_bytes, .keep_bytes = ARENA_FIRST_BLOCK};
}

void arena_deinit(struct arena *arena) {
        while (arena->blocks) {
                struct arena_block *older = arena->blocks->older;
                free(arena->blocks);
                arena->blocks = older;
        }
        arena->used = 0;
        arena->overflowed = false;
}

void arena_reset(struct arena *arena) {
        struct arena_block *kept = NULL;
        while (arena->blocks) {
                struct arena_block *block = arena->blocks;
                arena->blocks = block->older;
                /* blocks grow, so the newest that may be kept is the largest */
                if (!kept && block->capacity <= arena->keep_bytes)
                        kept = block;
                else
                        free(block);
        }
        if (kept) {
                kept->older = NULL;
                kept->used = 0;
                arena->blocks = kept;
        }
        arena->used = 0;
        arena->overflowed = false;
}

static struct arena_block *arena_add_block(struct arena *arena, size_t n) {
        size_t capacity = ARENA_FIRST_BLOCK - sizeof(struct arena_block);
        if (arena->blocks) {
                size_t rest = arena->max_bytes - arena->used;
                capacity = 2 * (arena->blocks->capacity + sizeof(struct arena_block)) - sizeof(struct arena_block);
                if (capacity > rest)
                        capacity = rest;
        }
        if (capacity < n)
                capacity = n;
        struct arena_block *block = malloc(sizeof *block + capacity);
        if (!block)
                return NULL;
        *block = (struct arena_block){.older = arena->blocks, .capacity = capacity};
        arena->blocks = block;
        return block;
}

void *arena_take(struct arena *arena, size_t n) {
        /* Every piece has an address of its own, also an empty one. */
        size_t room = n == 0 ? ARENA_ALIGN : (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
        size_t rest = arena->max_bytes - arena->used;
        if (room < n || room > rest || room > PTRDIFF_MAX - sizeof(struct arena_block)) {
                arena->overflowed = true;
                return NULL;
        }
        struct arena_block *block = arena->blocks;
        if (!block || block->capacity - block->used < room) {
                block = arena_add_block(arena, room);
                if (!block) {
                        arena->overflowed = true;
                        return NULL;
                }
        }
        char *piece = arena_block_bytes(block) + block->used;
        block->used += room;
        arena->used += room;
        return memset(piece, 0, room);
}

char *arena_copy(struct arena *arena, struct text text) {
        if (text.length == SIZE_MAX) {
                arena->overflowed = true;
                return NULL;
        }
        char *copy = arena_take(arena, text.length + 1);
        if (copy && text.length > 0)
                memcpy(copy, text.at, text.length);
        return copy;
}
