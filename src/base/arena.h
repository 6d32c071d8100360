/* arena.h: memory of one request or one batch: taken piece by piece, given back at once.
 *
 * Pieces are aligned to 16 bytes and zeroed. arena_reset keeps one block for reuse, the largest of at most keep_bytes,
 * and frees the rest. There is one limit (arena_init's max_bytes); beyond it arena_take returns NULL and `overflowed` sticks. */
#ifndef TICKETRUSH_BASE_ARENA_H
#define TICKETRUSH_BASE_ARENA_H

#include "base/text.h"

struct arena_block;

struct arena {
        struct arena_block *blocks; /* newest first */
        size_t used;                /* in all blocks */
        size_t max_bytes;
        size_t keep_bytes;          /* 4 KiB unless the owner sets more: a busy lane's batches then cost no malloc */
        bool overflowed;
};

void arena_init(struct arena *arena, size_t max_bytes);
void arena_deinit(struct arena *arena);
/* Forget every piece; one block of at most keep_bytes is kept for the next use. */
void arena_reset(struct arena *arena);
/* n bytes of zeros, or NULL beyond the limit or without memory. */
void *arena_take(struct arena *arena, size_t n);
/* A terminated copy, or NULL. */
char *arena_copy(struct arena *arena, struct text text);

#endif
