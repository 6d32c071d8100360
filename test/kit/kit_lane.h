/* kit_lane.h: a lane for tests: a file of its own, a clock that stands still until it is moved, and no thread.
 *
 *   struct lane *lane = kit_lane_open(NULL);
 *   thing_register(thing, lane);
 *   kit_submit_and_run(lane, &command.command);
 *   assert_int_equal(command.command.outcome, THING_DONE);
 *   lane_free(lane);
 */
#ifndef TICKETRUSH_TEST_KIT_LANE_H
#define TICKETRUSH_TEST_KIT_LANE_H

#include "lane/lane.h"

/* 2026-11-21T11:00:00.000Z, where the clock stands at first. */
#define KIT_NOW INT64_C(1795258800000)

/* One for the whole test program; any thread may read it. */
struct clock *kit_clock(void);
int64_t kit_now(void);
void kit_clock_set(int64_t now_ms);
void kit_clock_add(int64_t ms);

enum { KIT_PATH_MAX = 64 };
/* A path in a new folder of its own; kit_path_remove deletes the folder and what SQLite has left in it. */
void kit_path_new(char ret_path[static KIT_PATH_MAX]);
void kit_path_remove(const char *path);

/* A database that is not durable (tests of durability open their own). NULL: a temporary file that is already deleted.
 * Fails the test when it cannot. db_close closes it. */
struct db *kit_db_open(const char *path);

/* A lane on kit_clock and such a database. lane_free without lane_stop is like a crash: nothing is finished, everything
 * committed stands in the file. */
struct lane *kit_lane_open(const char *path);
/* The same on a database that was opened (or wrapped) before; the lane owns it. */
struct lane *kit_lane_open_on(struct db *db);

/* Steps until nothing is left to do now; returns the number of turns. Fails the test if that never happens. */
unsigned kit_lane_run(struct lane *lane);
/* Submits, runs, and fails the test unless the command has been answered (or waits: then outcome is LANE_WAIT). Sets
 * `done` itself. Returns the outcome, or the fault. */
int kit_submit_and_run(struct lane *lane, struct lane_command *command);
/* A `done` for commands that nobody needs to be told about. */
void kit_done(struct lane_command *command);

#endif
