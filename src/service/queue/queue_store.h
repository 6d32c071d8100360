/* queue_store.h: the SQL of the queue service: tables line and line_entry (ARCHITECTURE.md). */
#ifndef TICKETRUSH_SERVICE_QUEUE_STORE_H
#define TICKETRUSH_SERVICE_QUEUE_STORE_H

#include "service/queue/queue_line.h"

struct arena;

/* Fills a new line from its rows and commits it in memory. 0 or a negative fault; then throw the line away. */
int line_load(struct line *line, struct db *db, const uint8_t *seed);

/* Each writes many rows in one batch; memory comes from the arena. FAULT_CONSTRAINT when a row is not as memory had it. */
int line_entries_insert(struct db *db, struct arena *arena, schedule_id schedule, const struct line_row *rows, size_t count);
int line_entries_admit(struct db *db, struct arena *arena, schedule_id schedule, const struct line_row *rows, size_t count);
int line_entries_end(struct db *db, struct arena *arena, schedule_id schedule, const struct line_row *rows, size_t count);
int line_save_draw(struct db *db, schedule_id schedule, int64_t drawn_at, uint32_t lobby_last);

#endif
