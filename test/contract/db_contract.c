/* db_contract.c: see db_contract.h. */
#include "contract/db_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { ROWS = 1000, STATEMENTS = 300 };

static const struct db_contract *contract;

static const struct db_statement insert_thing = {"INSERT INTO thing(id, number, words, bytes) VALUES ($1, $2, $3, $4)",
                                                 4};
static const struct db_statement select_thing = {"SELECT id, number, words, bytes FROM thing WHERE id = $1", 1};
static const struct db_statement count_things = {"SELECT count(*) FROM thing", 0};

static int open_new(void **state) {
        struct db *db = contract->open_new();
        assert_non_null(db);
        assert_int_equal(db_script(db, "CREATE TABLE thing(id INTEGER PRIMARY KEY, number BIGINT UNIQUE, words TEXT, "
                                       "bytes BLOB)"),
                         0);
        *state = db;
        return 0;
}

static int close_and_remove(void **state) {
        db_close(*state);
        contract->remove();
        return 0;
}

static int read_number(void *context, size_t index, const struct db_row *row) {
        (void)index;
        *(int64_t *)context = db_row_int(row, 0);
        return 0;
}

static int64_t things(struct db *db) {
        int64_t count = -1;
        assert_int_equal(db_run(db, &count_things, NULL, 1, read_number, &count, NULL), 0);
        return count;
}

static int insert_numbers(struct db *db, int64_t first, int64_t last) {
        for (int64_t i = first; i <= last; i++) {
                struct db_value row[] = {db_int(i), db_int(i), db_text(TEXT("x")), db_null()};
                int fault = db_run(db, &insert_thing, row, 1, NULL, NULL, NULL);
                if (fault)
                        return fault;
        }
        return 0;
}

/* --- values --- */

struct expected {
        struct db_value number, words, bytes;
        unsigned rows;
};

static void check_bytes(const struct db_row *row, unsigned column, const struct db_value *expected) {
        assert_int_equal(db_row_is_null(row, column), expected->type == DB_NULL);
        assert_true(text_equal(db_row_bytes(row, column), expected->bytes));
}

static int check_row(void *context, size_t index, const struct db_row *row) {
        struct expected *expected = context;
        assert_int_equal(index, 0);
        assert_int_equal(db_row_int(row, 0), 1);
        assert_int_equal(db_row_is_null(row, 1), expected->number.type == DB_NULL);
        assert_int_equal(db_row_int(row, 1), expected->number.number);
        check_bytes(row, 2, &expected->words);
        check_bytes(row, 3, &expected->bytes);
        expected->rows++;
        return 0;
}

static void values_come_back_as_they_went(void **state) {
        struct db *db = *state;
        static const char zeros[] = "\0a\0\0b\0";
        struct expected cases[] = {
                {db_int(0), db_text(TEXT("")), db_blob("", 0), 0},
                {db_int(INT64_MAX), db_text(TEXT("\xec\x95\x84\xeb\xac\xb4")), db_blob(zeros, sizeof zeros), 0},
                {db_int(INT64_MIN), db_text((struct text){NULL, 0}), db_blob(NULL, 0), 0},
                {db_int(-1), db_text(TEXT("it's 'quoted'; --")), db_blob("\xff\x00\xfe", 3), 0},
                {db_id(INT64_MAX), db_null(), db_null(), 0},
                {db_null(), db_null(), db_blob("x", 1), 0},
        };
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                struct db_value row[] = {db_int(1), cases[i].number, cases[i].words, cases[i].bytes};
                struct db_value one = db_int(1);
                assert_int_equal(db_script(db, "DELETE FROM thing"), 0);
                assert_int_equal(db_run(db, &insert_thing, row, 1, NULL, NULL, NULL), 0);
                assert_int_equal(db_run(db, &select_thing, &one, 1, check_row, &cases[i], NULL), 0);
                assert_int_equal(cases[i].rows, 1);
        }
}

static void parameters_are_counted_by_their_number(void **state) {
        static const struct db_statement difference = {"SELECT $2 - $1 - $1", 2};
        struct db_value values[] = {db_int(3), db_int(10)};
        int64_t result = 0;
        assert_int_equal(db_run(*state, &difference, values, 1, read_number, &result, NULL), 0);
        assert_int_equal(result, 4);
}

/* --- one statement, many rows --- */

struct seen {
        size_t rows, stop_at;
        size_t last_index;
        int64_t sum;
};

static int see(void *context, size_t index, const struct db_row *row) {
        struct seen *seen = context;
        if (seen->rows > 0)
                assert_true(index >= seen->last_index); /* in order */
        seen->last_index = index;
        seen->sum += db_row_int(row, 0);
        seen->rows++;
        return seen->stop_at > 0 && seen->rows == seen->stop_at ? 42 : 0;
}

static void a_statement_runs_over_many_rows_in_order(void **state) {
        struct db *db = *state;
        static struct db_value values[ROWS * 4];
        for (int i = 0; i < ROWS; i++) {
                values[4 * i] = db_int(i + 1);
                values[4 * i + 1] = db_int(-i);
                values[4 * i + 2] = db_text(TEXT("row"));
                values[4 * i + 3] = db_null();
        }
        int64_t changed = -1;
        assert_int_equal(db_run(db, &insert_thing, values, ROWS, NULL, NULL, &changed), 0);
        assert_int_equal(changed, ROWS);
        assert_int_equal(things(db), ROWS);

        struct db_value ids[ROWS];
        for (int i = 0; i < ROWS; i++)
                ids[i] = db_int(i % 2 == 0 ? i + 1 : 1000000 + i); /* every other one is not there */
        struct seen seen = {0};
        assert_int_equal(db_run(db, &select_thing, ids, ROWS, see, &seen, &changed), 0);
        assert_int_equal(seen.rows, ROWS / 2);
        assert_int_equal(seen.last_index, ROWS - 2);
        assert_int_equal(changed, 0);

        assert_int_equal(db_run(db, &insert_thing, values, 0, NULL, NULL, &changed), 0); /* no rows: nothing to do */
        assert_int_equal(changed, 0);
}

static void on_row_can_stop(void **state) {
        struct db *db = *state;
        static const struct db_statement select_all = {"SELECT id FROM thing ORDER BY id", 0};
        assert_int_equal(insert_numbers(db, 1, 10), 0);
        struct seen seen = {.stop_at = 3};
        assert_int_equal(db_run(db, &select_all, NULL, 1, see, &seen, NULL), 42);
        assert_int_equal(seen.sum, 1 + 2 + 3);
        seen = (struct seen){0};
        assert_int_equal(db_run(db, &select_all, NULL, 1, see, &seen, NULL), 0);
        assert_int_equal(seen.sum, 55);
}

static void returning_gives_rows_with_their_index(void **state) {
        struct db *db = *state;
        static const struct db_statement update = {
                "UPDATE thing SET words = $2 WHERE id = $1 AND words <> $2 RETURNING id", 2};
        assert_int_equal(insert_numbers(db, 1, 3), 0);
        struct db_value values[] = {db_int(1),          db_text(TEXT("y")), db_int(9),
                                    db_text(TEXT("y")), db_int(3),          db_text(TEXT("y"))};
        struct seen seen = {0};
        int64_t changed = 0;
        assert_int_equal(db_run(db, &update, values, 3, see, &seen, &changed), 0);
        assert_int_equal(seen.rows, 2);
        assert_int_equal(seen.sum, 1 + 3);
        assert_int_equal(seen.last_index, 2);
        assert_int_equal(changed, 2);
}

static void on_conflict_updates_or_does_nothing(void **state) {
        struct db *db = *state;
        static const struct db_statement upsert = {"INSERT INTO thing(id, number) VALUES ($1, $2) "
                                                   "ON CONFLICT(id) DO UPDATE SET number = excluded.number",
                                                   2};
        static const struct db_statement ignore = {"INSERT INTO thing(id, number) VALUES ($1, $2) "
                                                   "ON CONFLICT DO NOTHING",
                                                   2};
        static const struct db_statement sum = {"SELECT sum(number) FROM thing", 0};
        struct db_value values[] = {db_int(1), db_int(10), db_int(2), db_int(20), db_int(1), db_int(11)};
        int64_t changed = 0, total = 0;
        assert_int_equal(db_run(db, &upsert, values, 3, NULL, NULL, &changed), 0);
        assert_int_equal(changed, 3);
        assert_int_equal(db_run(db, &ignore, values, 3, NULL, NULL, &changed), 0);
        assert_int_equal(changed, 0);
        assert_int_equal(db_run(db, &sum, NULL, 1, read_number, &total, NULL), 0);
        assert_int_equal(total, 31);
}

static void more_statements_than_are_remembered_work(void **state) {
        struct db *db = *state;
        static char texts[STATEMENTS][64];
        static struct db_statement statements[STATEMENTS];
        for (int i = 0; i < STATEMENTS; i++) {
                snprintf(texts[i], sizeof texts[i], "SELECT $1 + %d", i);
                statements[i] = (struct db_statement){texts[i], 1};
        }
        for (int round = 0; round < 2; round++) {
                for (int i = 0; i < STATEMENTS; i++) {
                        struct db_value value = db_int(1000);
                        int64_t result = 0;
                        assert_int_equal(db_run(db, &statements[i], &value, 1, read_number, &result, NULL), 0);
                        assert_int_equal(result, 1000 + i);
                }
        }
}

/* --- transactions and faults --- */

static void a_transaction_is_stored_as_a_whole_or_not_at_all(void **state) {
        struct db *db = *state;
        assert_int_equal(db_begin(db), 0);
        assert_int_equal(insert_numbers(db, 1, 5), 0);
        assert_int_equal(things(db), 5); /* it sees its own changes */
        db_rollback(db);
        assert_int_equal(things(db), 0);
        assert_int_equal(db_begin(db), 0);
        assert_int_equal(insert_numbers(db, 1, 5), 0);
        assert_int_equal(db_commit(db), 0);
        assert_int_equal(db_begin(db), 0);
        assert_int_equal(insert_numbers(db, 6, 9), 0);
        db_close(db); /* in the middle */
        *state = db = contract->open_again();
        assert_int_equal(things(db), 5);
}

static void a_constraint_spoils_the_transaction(void **state) {
        struct db *db = *state;
        assert_int_equal(insert_numbers(db, 1, 1), 0);
        assert_int_equal(db_begin(db), 0);
        assert_int_equal(insert_numbers(db, 2, 3), 0);
        struct db_value rows[] = {db_int(4), db_int(4), db_null(), db_null(),  /* new */
                                  db_int(5), db_int(1), db_null(), db_null(),  /* its number is taken */
                                  db_int(6), db_int(6), db_null(), db_null()}; /* never tried */
        int64_t changed = 77;
        assert_int_equal(db_run(db, &insert_thing, rows, 3, NULL, NULL, &changed), FAULT_CONSTRAINT);
        assert_int_equal(changed, 77);
        assert_true(db_commit(db) < 0); /* a fault that was overlooked does no harm */
        db_rollback(db);
        assert_int_equal(things(db), 1);
        assert_int_equal(db_begin(db), 0);
        assert_int_equal(insert_numbers(db, 2, 3), 0);
        assert_int_equal(db_commit(db), 0);
        assert_int_equal(things(db), 3);
}

static void wrong_statements_are_faults(void **state) {
        struct db *db = *state;
        static const struct db_statement nonsense = {"SELEKT 1", 0}, unknown = {"SELECT 1 FROM nowhere", 0},
                                         miscounted = {"SELECT $1 + $2", 1},
                                         later = {"SELECT count(*) FROM made_later", 0};
        struct db_value value = db_int(1);
        assert_true(db_run(db, &nonsense, NULL, 1, NULL, NULL, NULL) < 0);
        assert_true(db_run(db, &unknown, NULL, 1, NULL, NULL, NULL) < 0);
        assert_true(db_run(db, &miscounted, &value, 1, NULL, NULL, NULL) < 0);
        assert_true(db_run(db, &later, NULL, 1, NULL, NULL, NULL) < 0);
        assert_true(db_script(db, "CREATE TABLE made_later(x INTEGER); CREATE nonsense;") < 0);
        assert_int_equal(db_script(db, "CREATE TABLE IF NOT EXISTS made_later(x INTEGER)"), 0);
        assert_int_equal(db_run(db, &later, NULL, 1, NULL, NULL, NULL), 0); /* a fault is not remembered */
}

static void statements_survive_a_change_of_the_schema(void **state) {
        struct db *db = *state;
        assert_int_equal(insert_numbers(db, 1, 1), 0);
        assert_int_equal(things(db), 1);
        assert_int_equal(
                db_script(db, "ALTER TABLE thing ADD COLUMN more INTEGER; CREATE INDEX thing_more ON thing(more)"), 0);
        assert_int_equal(insert_numbers(db, 2, 2), 0);
        assert_int_equal(things(db), 2);
}

/* --- migrations --- */

static const struct db_migration migrations[] = {
        {"alpha", 1, "CREATE TABLE alpha(x INTEGER)"},
        {"alpha", 2, "ALTER TABLE alpha ADD COLUMN y INTEGER; INSERT INTO alpha VALUES (1, 2)"},
        {"beta", 1, "CREATE TABLE beta(x INTEGER)"},
};

static void migrations_run_once_and_in_order(void **state) {
        struct db *db = *state;
        static const struct db_statement select_alpha = {"SELECT sum(y) FROM alpha", 0};
        const char *newer = NULL;
        int64_t sum = 0;
        assert_int_equal(db_migrate(db, migrations, 1, &newer), 0);
        assert_int_equal(db_migrate(db, migrations, 3, &newer), 0);
        assert_int_equal(db_migrate(db, migrations, 3, &newer), 0);
        assert_null(newer);
        assert_int_equal(db_run(db, &select_alpha, NULL, 1, read_number, &sum, NULL), 0);
        assert_int_equal(sum, 2);
}

static void a_failing_migration_leaves_nothing(void **state) {
        struct db *db = *state;
        const struct db_migration failing[] = {{"gamma", 1, "CREATE TABLE gamma(x INTEGER); CREATE nonsense"}};
        const struct db_migration repaired[] = {{"gamma", 1, "CREATE TABLE gamma(x INTEGER)"}};
        const char *newer = NULL;
        assert_true(db_migrate(db, failing, 1, &newer) < 0);
        assert_int_equal(db_migrate(db, repaired, 1, &newer), 0);
}

static void a_newer_version_is_refused(void **state) {
        struct db *db = *state;
        const char *newer = NULL;
        assert_int_equal(db_migrate(db, migrations, 3, &newer), 0);
        assert_int_equal(db_migrate(db, migrations, 1, &newer), FAULT_FORMAT);
        assert_string_equal(newer, "alpha");
}

int db_contract_run(const struct db_contract *which) {
        contract = which;
        const struct CMUnitTest tests[] = {
#define CONTRACT(test) cmocka_unit_test_setup_teardown(test, open_new, close_and_remove)
                CONTRACT(values_come_back_as_they_went),
                CONTRACT(parameters_are_counted_by_their_number),
                CONTRACT(a_statement_runs_over_many_rows_in_order),
                CONTRACT(on_row_can_stop),
                CONTRACT(returning_gives_rows_with_their_index),
                CONTRACT(on_conflict_updates_or_does_nothing),
                CONTRACT(more_statements_than_are_remembered_work),
                CONTRACT(a_transaction_is_stored_as_a_whole_or_not_at_all),
                CONTRACT(a_constraint_spoils_the_transaction),
                CONTRACT(wrong_statements_are_faults),
                CONTRACT(statements_survive_a_change_of_the_schema),
                CONTRACT(migrations_run_once_and_in_order),
                CONTRACT(a_failing_migration_leaves_nothing),
                CONTRACT(a_newer_version_is_refused),
        };
        return cmocka_run_group_tests_name(which->name, tests, NULL, NULL);
}
