/* db_sqlite_test.c: the contract of the db port on SQLite, and what only a file can do: be locked, be full, be left
 * behind by a process that was killed. */
#include "adapter/sqlite/db_sqlite.h"
#include "contract/db_contract.h"
#include "kit/kit_lane.h"

#include "base/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { DURABLE_ROWS = 200, BLOB_BYTES = 4000, FILE_BYTES_MAX = 2 * 1024 * 1024 };

static char path[KIT_PATH_MAX];

static struct db *open_file(void) {
        return kit_db_open(path);
}

static struct db *open_new_file(void) {
        kit_path_new(path);
        return open_file();
}

static void remove_file(void) {
        kit_path_remove(path);
}

static int new_path(void **state) {
        (void)state;
        kit_path_new(path);
        return 0;
}

static int remove_path(void **state) {
        (void)state;
        kit_path_remove(path);
        return 0;
}

static int read_number(void *context, size_t index, const struct db_row *row) {
        (void)index;
        *(int64_t *)context = db_row_int(row, 0);
        return 0;
}

static int64_t rows_of(struct db *db) {
        static const struct db_statement count = {"SELECT count(*) FROM t", 0};
        int64_t number = -1;
        assert_int_equal(db_run(db, &count, NULL, 1, read_number, &number, NULL), 0);
        return number;
}

static int insert(struct db *db, int64_t id) {
        static const struct db_statement insert_row = {"INSERT INTO t(id, bytes) VALUES ($1, $2)", 2};
        static const char bytes[BLOB_BYTES];
        struct db_value row[] = {db_int(id), db_blob(bytes, sizeof bytes)};
        int fault = db_begin(db);
        if (!fault)
                fault = db_run(db, &insert_row, row, 1, NULL, NULL, NULL);
        if (!fault)
                fault = db_commit(db);
        if (fault)
                db_rollback(db);
        return fault;
}

#define CREATE "CREATE TABLE t(id INTEGER PRIMARY KEY, bytes BLOB)"

/* Runs in a child; its value is the exit status. */
static int in_child(int (*work)(void)) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
                _exit(work());
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static bool file_is_there(const char *ending, off_t *ret_bytes) {
        char name[KIT_PATH_MAX + 16];
        struct stat status;
        snprintf(name, sizeof name, "%s%s", path, ending);
        if (stat(name, &status) != 0)
                return false;
        *ret_bytes = status.st_size;
        return true;
}

/* --- one owner --- */

static int open_is_refused(void) {
        struct db *db = NULL;
        const struct db_sqlite_options reader = {.read_only = true};
        return db_sqlite_open(&db, path, NULL) == -EBUSY && db_sqlite_open(&db, path, &reader) == -EBUSY && !db ? 0 : 1;
}

static void a_second_process_is_refused(void **state) {
        (void)state;
        struct db *db = NULL;
        assert_int_equal(db_sqlite_open(&db, path, NULL), 0);
        assert_int_equal(in_child(open_is_refused), 0); /* before anything was written */
        assert_int_equal(db_script(db, CREATE), 0);
        assert_int_equal(insert(db, 1), 0);
        assert_int_equal(in_child(open_is_refused), 0);
        assert_int_equal(insert(db, 2), 0);
        off_t bytes;
        assert_false(file_is_there("-shm", &bytes));
        db_close(db);
        assert_int_equal(in_child(open_is_refused), 1);
}

static void what_is_not_a_database_is_refused(void **state) {
        (void)state;
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        for (int i = 0; i < 1000; i++)
                fputs("this is no database\n", file);
        fclose(file);
        struct db *db = NULL;
        const struct db_sqlite_options reader = {.read_only = true};
        assert_int_equal(db_sqlite_open(&db, path, NULL), FAULT_FORMAT);
        assert_int_equal(db_sqlite_open(&db, path, &reader), FAULT_FORMAT);
        assert_int_equal(db_sqlite_open(&db, "/nonexistent/folder/test.db", NULL), FAULT_STORAGE);
        assert_null(db);
}

/* --- kill -9 --- */

static int report;

/* Writes for ever, and reports each row after its commit. */
static int write_and_report(void) {
        struct db *db = NULL;
        if (db_sqlite_open(&db, path, NULL) || db_script(db, CREATE))
                return 1;
        for (int64_t id = 1;; id++) {
                if (insert(db, id) || write(report, &id, sizeof id) != (ssize_t)sizeof id)
                        return 1;
        }
}

/* The highest number that was acknowledged before the writer was killed in the middle. */
static int64_t kill_a_writer(void) {
        int pipes[2];
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                report = pipes[1];
                _exit(write_and_report());
        }
        close(pipes[1]);
        int64_t id = 0;
        while (id < DURABLE_ROWS)
                assert_int_equal(read(pipes[0], &id, sizeof id), sizeof id);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        int64_t late;
        while (read(pipes[0], &late, sizeof late) == (ssize_t)sizeof late)
                id = late;
        close(pipes[0]);
        return id;
}

static void what_was_committed_survives_kill_9(void **state) {
        (void)state;
        int64_t acknowledged = kill_a_writer();
        off_t before = 0, after = 0;
        assert_true(file_is_there("-wal", &before) && before > 0);

        struct db *db = NULL;
        const struct db_sqlite_options reader = {.read_only = true};
        assert_int_equal(db_sqlite_open(&db, path, &reader), 0);
        int64_t seen = rows_of(db);
        assert_true(seen == acknowledged || seen == acknowledged + 1); /* the last may not have been reported */
        assert_int_equal(insert(db, 1000000), FAULT_STORAGE);
        db_close(db);
        assert_true(file_is_there("-wal", &after) && after == before); /* the audit has changed nothing */

        assert_int_equal(db_sqlite_open(&db, path, NULL), 0);
        assert_int_equal(rows_of(db), seen);
        assert_int_equal(insert(db, 1000000), 0);
        db_close(db);
        assert_false(file_is_there("-wal", &after));
}

static void a_closed_database_is_read_without_a_trace(void **state) {
        (void)state;
        struct db *db = NULL;
        const struct db_sqlite_options reader = {.read_only = true};
        assert_int_equal(db_sqlite_open(&db, path, &reader), FAULT_STORAGE); /* nothing is created */
        off_t bytes;
        assert_false(file_is_there("", &bytes));
        assert_int_equal(db_sqlite_open(&db, path, NULL), 0);
        assert_int_equal(db_script(db, CREATE), 0);
        assert_int_equal(insert(db, 1), 0);
        db_close(db);

        assert_int_equal(db_sqlite_open(&db, path, &reader), 0);
        assert_int_equal(rows_of(db), 1);
        assert_int_equal(insert(db, 2), FAULT_STORAGE);
        assert_int_equal(rows_of(db), 1);
        db_close(db);
        assert_false(file_is_there("-wal", &bytes));
        assert_false(file_is_there("-shm", &bytes));
}

/* As somebody who may read the folder, but not write to it. */
static int read_as_nobody(void) {
        struct db *db = NULL;
        const struct db_sqlite_options reader = {.read_only = true};
        if (setgid(65534) || setuid(65534))
                return 77;
        if (db_sqlite_open(&db, path, &reader))
                return 2;
        bool right = rows_of(db) == 1;
        db_close(db);
        return right ? 0 : 3;
}

static void a_closed_database_is_read_where_nothing_can_be_written(void **state) {
        (void)state;
        if (geteuid() != 0) {
                print_message("skipped: only root can become nobody\n");
                skip();
        }
        struct db *db = NULL;
        assert_int_equal(db_sqlite_open(&db, path, NULL), 0);
        assert_int_equal(db_script(db, CREATE), 0);
        assert_int_equal(insert(db, 1), 0);
        db_close(db);
        char folder[KIT_PATH_MAX];
        snprintf(folder, sizeof folder, "%s", path);
        *strrchr(folder, '/') = '\0';
        assert_int_equal(chmod(folder, 0555), 0);
        assert_int_equal(chmod(path, 0444), 0);
        assert_int_equal(in_child(read_as_nobody), 0);
}

/* --- no room --- */

static int limit_files(rlim_t bytes) {
        struct rlimit limit;
        if (getrlimit(RLIMIT_FSIZE, &limit))
                return -1;
        limit.rlim_cur = bytes;
        return setrlimit(RLIMIT_FSIZE, &limit);
}

static int write_until_full(void) {
        struct db *db = NULL;
        signal(SIGXFSZ, SIG_IGN);
        if (db_sqlite_open(&db, path, NULL) || db_script(db, CREATE) || limit_files(FILE_BYTES_MAX))
                return 1;
        int64_t stored = 0;
        int fault = 0;
        while ((fault = insert(db, stored + 1)) == 0)
                stored++;
        if (fault != FAULT_STORAGE || stored == 0 || rows_of(db) != stored)
                return 2;
        for (int i = 0; i < 3; i++) { /* it stays full, and reads go on */
                if (insert(db, stored + 1) != FAULT_STORAGE || rows_of(db) != stored)
                        return 3;
        }
        if (limit_files(RLIM_INFINITY) || insert(db, stored + 1) || rows_of(db) != stored + 1)
                return 4;
        db_close(db);
        if (db_sqlite_open(&db, path, NULL) || rows_of(db) != stored + 1)
                return 5;
        db_close(db);
        return 0;
}

static void a_full_disk_refuses_writes_until_there_is_room(void **state) {
        (void)state;
        assert_int_equal(in_child(write_until_full), 0);
}

/* --- the WAL --- */

static void the_wal_is_copied_back_when_it_has_grown(void **state) {
        (void)state;
        struct db *db = NULL;
        const struct db_sqlite_options options = {.not_durable = true};
        assert_int_equal(db_sqlite_open(&db, path, &options), 0);
        assert_int_equal(db_script(db, CREATE), 0);
        off_t file = 0, wal = 0;
        for (int64_t id = 1; id <= 20000; id++) { /* 2 or 3 pages each, several times the limit */
                assert_int_equal(insert(db, id), 0);
                db_rest(db);
        }
        assert_true(file_is_there("", &file) && file_is_there("-wal", &wal));
        assert_true(wal < 3 * DB_SQLITE_WAL_PAGES_MAX / 2 * 4096);
        assert_true(file > wal);
        assert_int_equal(rows_of(db), 20000);
        db_close(db);
}

int main(void) {
        log_set_level(LOG_ALARM + 1);
        static const struct db_contract sqlite = {"db on SQLite", open_new_file, open_file, remove_file};
        const struct CMUnitTest tests[] = {
#define WITH_PATH(test) cmocka_unit_test_setup_teardown(test, new_path, remove_path)
                WITH_PATH(a_second_process_is_refused),
                WITH_PATH(what_is_not_a_database_is_refused),
                WITH_PATH(what_was_committed_survives_kill_9),
                WITH_PATH(a_closed_database_is_read_without_a_trace),
                WITH_PATH(a_closed_database_is_read_where_nothing_can_be_written),
                WITH_PATH(a_full_disk_refuses_writes_until_there_is_room),
                WITH_PATH(the_wal_is_copied_back_when_it_has_grown),
        };
        int failed = db_contract_run(&sqlite);
        return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
