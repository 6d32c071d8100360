/* limit_sqlite.c: what the disk and SQLite allow, to compare the server with: the same rows in the same tables on the
 * same settings, as bare prepared statements in batches, without HTTP, rules, threads or events.
 *
 *   limit_sqlite [FOLDER] [holds|purchases] [COUNT]     FOLDER is where the file goes (default: here)
 *
 * A hold of two seats writes the hold and its index, two seats, and a row of the journal; a batch is one commit. A
 * whole purchase of two seats writes about thirty rows; a batch of purchases goes through six commits, like the
 * requests of one buyer: enter, hold, order, pay, the provider's answer, and the rest of the saga together. Every
 * commit is durable (synchronous=FULL) and the result is counted in the tables afterwards. One JSON line per batch
 * size. */
#include <sqlite3.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SEATS = 2, SCHEDULE_SEATS = 50000, WAL_PAGES_MAX = 4000, HOLDS = 100000, PURCHASES = 50000 };

static sqlite3 *connection;
static int wal_pages;
static int64_t longest_checkpoint_us;

static const char tables[] =
        "CREATE TABLE journal(id INTEGER PRIMARY KEY, at INTEGER, type INTEGER, schedule_id INTEGER, subject_id "
        "INTEGER,"
        " account_id INTEGER, cause_id INTEGER, payload TEXT);"
        "CREATE TABLE line_entry(schedule_id, number, account_id, state, entered_at, admitted_at, pass_ends_at, "
        "ended_at,"
        " PRIMARY KEY(schedule_id, number)) WITHOUT ROWID;"
        "CREATE TABLE seat(schedule_id, seat, state, hold_id, hold_version, PRIMARY KEY(schedule_id, seat)) WITHOUT "
        "ROWID;"
        "CREATE TABLE hold(id INTEGER PRIMARY KEY, schedule_id, account_id, state, paying, created_at, expires_at, "
        "ended_at,"
        " seats BLOB, idempotency_key, idempotency_fingerprint);"
        "CREATE INDEX hold_by_schedule ON hold(schedule_id, id);"
        "CREATE TABLE orders(id INTEGER PRIMARY KEY, schedule_id, account_id, state, amount, currency, refund_amount,"
        " seats BLOB, created_at, updated_at, reason, idempotency_key, idempotency_fingerprint);"
        "CREATE INDEX orders_by_account ON orders(account_id, id);"
        "CREATE TABLE payment(id INTEGER PRIMARY KEY, schedule_id, account_id, state, amount, currency, token, "
        "provider,"
        " reference, code, attempts, next_at, created_at, updated_at, idempotency_key, idempotency_fingerprint);"
        "CREATE INDEX payment_open ON payment(next_at) WHERE state IN (1, 4, 5, 6);"
        "CREATE TABLE ticket(order_id, place, schedule_id, account_id, seat, state, issued_at, used_at, used_by,"
        " PRIMARY KEY(order_id, place)) WITHOUT ROWID;"
        "CREATE UNIQUE INDEX ticket_of_seat ON ticket(schedule_id, seat) WHERE state <> 2;";

enum statement {
        BEGIN,
        COMMIT,
        JOURNAL,
        ENTER,
        LEAVE,
        HOLD,
        HOLD_SEAT,
        PAYING,
        CONSUME,
        SELL_SEAT,
        ORDER,
        ORDER_STATE,
        PAY,
        PAID,
        TICKET,
        STATEMENTS
};
static const char *const texts[STATEMENTS] = {
        [BEGIN] = "BEGIN",
        [COMMIT] = "COMMIT",
        [JOURNAL] = "INSERT INTO journal VALUES (?,?,?,?,?,?,?,?)",
        [ENTER] = "INSERT INTO line_entry VALUES (?,?,?,1,?,?,?,0)",
        [LEAVE] = "UPDATE line_entry SET state = 2, ended_at = ? WHERE schedule_id = ? AND number = ? AND state = 1",
        [HOLD] = "INSERT INTO hold VALUES (?,?,?,1,0,?,?,0,?,?,?)",
        [HOLD_SEAT] =
                ("UPDATE seat SET state = 1, hold_id = ?, hold_version = hold_version + 1 WHERE schedule_id = ? AND"
                 " seat = ? AND state = 0"),
        [PAYING] = "UPDATE hold SET paying = 1, expires_at = ? WHERE id = ? AND state = 1",
        [CONSUME] = "UPDATE hold SET state = 2, ended_at = ? WHERE id = ? AND state = 1",
        [SELL_SEAT] = "UPDATE seat SET state = 2 WHERE schedule_id = ? AND seat = ? AND hold_id = ? AND state = 1",
        [ORDER] = "INSERT INTO orders VALUES (?,?,?,0,110000,'KRW',0,?,?,?,'',?,?)",
        [ORDER_STATE] = "UPDATE orders SET state = ?, updated_at = ? WHERE id = ?",
        [PAY] = "INSERT INTO payment VALUES (?,?,?,1,110000,'KRW',?,'fake','','',1,?,?,?,?,?)",
        [PAID] = "UPDATE payment SET state = 2, reference = ?, next_at = 0, updated_at = ? WHERE id = ? AND state = 1",
        [TICKET] = "INSERT INTO ticket VALUES (?,?,?,?,?,0,?,0,0)",
};
static sqlite3_stmt *statements[STATEMENTS];

static void check(int code, const char *what) {
        if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE)
                return;
        fprintf(stderr, "limit_sqlite: %s: %s\n", what, sqlite3_errmsg(connection));
        exit(1);
}

static int64_t now_us(void) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Runs one statement: 'i' a number (int64_t), 's' a text, 'b' bytes (pointer, int). */
static void run(enum statement which, const char *types, ...) {
        sqlite3_stmt *statement = statements[which];
        va_list values;
        va_start(values, types);
        for (int i = 1; *types; types++, i++) {
                if (*types == 'i') {
                        check(sqlite3_bind_int64(statement, i, va_arg(values, int64_t)), texts[which]);
                } else if (*types == 's') {
                        check(sqlite3_bind_text(statement, i, va_arg(values, const char *), -1, SQLITE_STATIC),
                              texts[which]);
                } else {
                        const void *bytes = va_arg(values, const void *);
                        check(sqlite3_bind_blob(statement, i, bytes, va_arg(values, int), SQLITE_STATIC), texts[which]);
                }
        }
        va_end(values);
        check(sqlite3_step(statement), texts[which]);
        sqlite3_reset(statement);
}

static int count_wal_pages(void *context, sqlite3 *of, const char *schema, int pages) {
        (void)context, (void)of, (void)schema;
        wal_pages = pages;
        return SQLITE_OK;
}

static void commit(void) {
        run(COMMIT, "");
        if (wal_pages < WAL_PAGES_MAX)
                return;
        int64_t before = now_us();
        check(sqlite3_wal_checkpoint_v2(connection, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL), "checkpoint");
        wal_pages = 0;
        if (now_us() - before > longest_checkpoint_us)
                longest_checkpoint_us = now_us() - before;
}

/* --- one purchase --- */

struct purchase {
        int64_t id, account, schedule, number, seat[SEATS];
};

static int64_t last_id, now_ms = 1795258800000;

/* Seats are taken all over the plan, not from its beginning: the n-th purchase of a schedule takes a row of two. */
static struct purchase purchase_new(int64_t n) {
        int64_t per_schedule = SCHEDULE_SEATS / SEATS, place = n % per_schedule * 7919 % per_schedule;
        struct purchase purchase = {.id = ++last_id << 8,
                                    .account = 1000000 + n * 31 % 1000000,
                                    .schedule = 1 + n / per_schedule,
                                    .number = n + 1};
        for (int i = 0; i < SEATS; i++)
                purchase.seat[i] = place * SEATS + i;
        return purchase;
}

static void say(int64_t type, const struct purchase *of) {
        static const char payload[] =
                "{\"holdId\":\"hold_0c1m8t3qk0g00\",\"seats\":[\"A-12-7\",\"A-12-8\"],\"amount\":110000,"
                "\"currency\":\"KRW\",\"expiresAt\":\"2026-11-21T11:05:00.000Z\"}";
        run(JOURNAL, "iiiiiiis", ++last_id << 8, now_ms, type, of->schedule, of->id, of->account, (int64_t)0, payload);
}

static void enter(const struct purchase *p) {
        run(ENTER, "iiiiii", p->schedule, p->number, p->account, now_ms, now_ms, now_ms + 600000);
        say(31, p);
}

static void hold(const struct purchase *p) {
        char seats[SEATS * 8] = {0};
        run(HOLD, "iiiiibii", p->id, p->schedule, p->account, now_ms, now_ms + 300000, (const void *)seats,
            (int)sizeof seats, p->id * 31, p->id * 37);
        for (int i = 0; i < SEATS; i++)
                run(HOLD_SEAT, "iii", p->id, p->schedule, p->seat[i]);
        say(21, p);
}

static void order(const struct purchase *p) {
        char seats[SEATS * 12] = {0};
        run(ORDER, "iiibiiii", p->id, p->schedule, p->account, (const void *)seats, (int)sizeof seats, now_ms, now_ms,
            p->id * 31, p->id * 37);
        say(40, p);
}

static void pay(const struct purchase *p) {
        run(PAY, "iiisiiiii", p->id, p->schedule, p->account, "tok_0123456789abcdef", now_ms + 10000, now_ms, now_ms,
            p->id * 31, p->id * 37);
        say(50, p);
}

static void captured(const struct purchase *p) {
        run(PAYING, "ii", now_ms + 900000, p->id);
        run(PAID, "sii", "fake_0123456789abcdef", now_ms, p->id);
        say(51, p);
        run(ORDER_STATE, "iii", (int64_t)1, now_ms, p->id);
        say(41, p);
}

static void finish(const struct purchase *p) {
        for (int i = 0; i < SEATS; i++)
                run(SELL_SEAT, "iii", p->schedule, p->seat[i], p->id);
        run(CONSUME, "ii", now_ms, p->id);
        say(24, p);
        for (int i = 0; i < SEATS; i++)
                run(TICKET, "iiiiii", p->id, (int64_t)i, p->schedule, p->account, p->seat[i], now_ms);
        say(60, p);
        run(ORDER_STATE, "iii", (int64_t)2, now_ms, p->id);
        say(42, p);
        run(LEAVE, "iii", now_ms, p->schedule, p->number);
}

/* --- a run --- */

static void open_database(const char *path, int64_t count) {
        unlink(path);
        check(sqlite3_open(path, &connection), "open");
        check(sqlite3_exec(connection,
                           "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -65536; PRAGMA mmap_size = 0;"
                           "PRAGMA temp_store = MEMORY; PRAGMA secure_delete = OFF;"
                           "PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL",
                           NULL, NULL, NULL),
              "settings");
        sqlite3_wal_hook(connection, count_wal_pages, NULL);
        check(sqlite3_exec(connection, tables, NULL, NULL, NULL), "tables");
        char seats[512];
        snprintf(seats, sizeof seats,
                 "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %lld) "
                 "INSERT INTO seat SELECT 1 + i / %d, i %% %d, 0, 0, 0 FROM n",
                 (long long)count * SEATS, SCHEDULE_SEATS, SCHEDULE_SEATS);
        check(sqlite3_exec(connection, seats, NULL, NULL, NULL), "seats");
        for (int i = 0; i < STATEMENTS; i++)
                check(sqlite3_prepare_v3(connection, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &statements[i], NULL),
                      texts[i]);
        check(sqlite3_wal_checkpoint_v2(connection, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL), "checkpoint");
        wal_pages = 0;
        longest_checkpoint_us = 0;
}

static int64_t ask(const char *sql) {
        sqlite3_stmt *statement;
        check(sqlite3_prepare_v2(connection, sql, -1, &statement, NULL), sql);
        check(sqlite3_step(statement), sql);
        int64_t number = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
        return number;
}

static void close_database(const char *path) {
        char wal[4096];
        for (int i = 0; i < STATEMENTS; i++)
                sqlite3_finalize(statements[i]);
        check(sqlite3_close(connection), "close");
        snprintf(wal, sizeof wal, "%s-wal", path);
        unlink(path);
        unlink(wal);
}

static void run_batches(const char *path, bool whole, int64_t count, int64_t batch) {
        static void (*const whole_steps[])(const struct purchase *) = {enter, hold, order, pay, captured, finish, NULL};
        static void (*const hold_steps[])(const struct purchase *) = {hold, NULL};
        void (*const *steps)(const struct purchase *) = whole ? whole_steps : hold_steps;
        struct purchase *purchases = calloc((size_t)batch, sizeof *purchases);
        if (!purchases)
                exit(1);
        open_database(path, count);
        int64_t began = now_us(), commits = 0;
        for (int64_t done = 0; done < count; done += batch) {
                int64_t n = count - done < batch ? count - done : batch;
                for (int64_t i = 0; i < n; i++)
                        purchases[i] = purchase_new(done + i);
                for (size_t step = 0; steps[step]; step++, commits++) {
                        run(BEGIN, "");
                        for (int64_t i = 0; i < n; i++)
                                steps[step](&purchases[i]);
                        commit();
                        now_ms++;
                }
        }
        double seconds = (double)(now_us() - began) / 1e6;
        int64_t durable = whole ? ask("SELECT count(*) FROM orders JOIN hold USING (id) WHERE orders.state = 2 AND "
                                      "hold.state = 2")
                                : ask("SELECT count(*) FROM hold WHERE state = 1");
        int64_t seats = ask(whole ? "SELECT count(*) FROM ticket" : "SELECT count(*) FROM seat WHERE state = 1");
        printf("{\"limit\":\"sqlite\",\"what\":\"%s\",\"batch\":%lld,\"perSecond\":%.0f,\"durable\":%lld,\"seats\":%"
               "lld,"
               "\"commits\":%lld,\"wallSeconds\":%.3f,\"longestCheckpointMs\":%.1f}\n",
               whole ? "purchases" : "holds", (long long)batch, (double)durable / seconds, (long long)durable,
               (long long)seats, (long long)commits, seconds, (double)longest_checkpoint_us / 1000);
        fflush(stdout);
        close_database(path);
        free(purchases);
        if (durable != count || seats != count * SEATS)
                exit(1);
}

int main(int argc, char **argv) {
        static const int64_t batches[] = {128, 512, 2048};
        const char *folder = argc > 1 ? argv[1] : ".", *what = argc > 2 ? argv[2] : "";
        char path[4096];
        snprintf(path, sizeof path, "%s/limit_sqlite.db", folder);
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
        for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
                if (strcmp(what, "purchases") != 0)
                        run_batches(path, false, argc > 3 ? strtoll(argv[3], NULL, 10) : HOLDS, batches[i]);
        }
        for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
                if (strcmp(what, "holds") != 0)
                        run_batches(path, true, argc > 3 ? strtoll(argv[3], NULL, 10) : PURCHASES, batches[i]);
        }
        return 0;
}
