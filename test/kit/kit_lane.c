/* kit_lane.c: see kit_lane.h. */
#include "kit/kit_lane.h"

#include "adapter/sqlite/db_sqlite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { STEPS_MAX = 1000000 };

/* --- the clock --- */

static _Atomic int64_t now = KIT_NOW;

static int64_t read_now(struct clock *clock) {
        (void)clock;
        return atomic_load(&now);
}

struct clock *kit_clock(void) {
        static struct clock clock = {.now_ms = read_now};
        return &clock;
}

int64_t kit_now(void) {
        return atomic_load(&now);
}
void kit_clock_set(int64_t now_ms) {
        atomic_store(&now, now_ms);
}
void kit_clock_add(int64_t ms) {
        atomic_fetch_add(&now, ms);
}

/* --- files --- */

void kit_path_new(char ret_path[static KIT_PATH_MAX]) {
        char folder[] = "/tmp/ticketrush-test-XXXXXX";
        assert_non_null(mkdtemp(folder));
        snprintf(ret_path, KIT_PATH_MAX, "%s/test.db", folder);
}

void kit_path_remove(const char *path) {
        static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
        char name[KIT_PATH_MAX + 16];
        for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
                snprintf(name, sizeof name, "%s%s", path, endings[i]);
                unlink(name);
        }
        snprintf(name, sizeof name, "%s", path);
        char *slash = strrchr(name, '/');
        assert_non_null(slash);
        *slash = '\0';
        rmdir(name);
}

struct db *kit_db_open(const char *path) {
        const struct db_sqlite_options options = {.not_durable = true};
        char own[KIT_PATH_MAX];
        struct db *db = NULL;
        if (!path)
                kit_path_new(own);
        assert_int_equal(db_sqlite_open(&db, path ? path : own, &options), 0);
        if (!path)
                kit_path_remove(own); /* the open files live on without a name, and vanish with the process */
        return db;
}

/* --- lanes --- */

struct lane *kit_lane_open_on(struct db *db) {
        const struct lane_config config = {.db = db, .clock = kit_clock(), .node = 1};
        struct lane *lane = NULL;
        assert_int_equal(lane_new(&lane, &config), 0);
        return lane;
}

struct lane *kit_lane_open(const char *path) {
        return kit_lane_open_on(kit_db_open(path));
}

unsigned kit_lane_run(struct lane *lane) {
        unsigned steps = 0;
        while (lane_step(lane)) {
                steps++;
                assert_true(steps < STEPS_MAX);
        }
        return steps;
}

/* The done of commands under way; the outcome tells the rest. */
void kit_done(struct lane_command *command) {
        (void)command;
}

static struct lane_command *answered;

static void note_answer(struct lane_command *command) {
        answered = command;
}

int kit_submit_and_run(struct lane *lane, struct lane_command *command) {
        command->done = note_answer;
        answered = NULL;
        assert_int_equal(lane_submit(lane, command), 0);
        kit_lane_run(lane);
        if (command->outcome == LANE_WAIT)
                return LANE_WAIT;
        assert_ptr_equal(answered, command);
        return command->fault ? command->fault : command->outcome;
}
