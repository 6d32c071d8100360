/* db_sqlite.c: one SQLite file behind the db port.
 *
 * One connection, one thread, and nobody else in the file: locking_mode=EXCLUSIVE is set before WAL, so the index of
 * the WAL lives in our memory (no -shm file) and a second process is refused at open. Statements are prepared at first
 * use and found again by the address of their constant in a table of open addressing; parameters are bound without
 * copying. The WAL is copied back by ourselves, between transactions, when it has grown beyond DB_SQLITE_WAL_PAGES_MAX.
 */
#include "adapter/sqlite/db_sqlite.h"
#include "adapter/sqlite/vfs_gather.h"

#include "base/assert.h"
#include "base/log.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        PAGE_BYTES = 4096,
        CACHE_KIBIBYTES_MAX = 128 * 1024, /* grows on demand */
        PATH_BYTES_MAX = 4096,
        URI_BYTES_MAX = 3 * PATH_BYTES_MAX + 32,
        SLOTS = 2 * DB_STATEMENTS_MAX, /* a power of two */
};
_Static_assert((SLOTS & (SLOTS - 1)) == 0, "slots are found by a mask");

struct prepared {
        const struct db_statement *statement; /* NULL: an empty slot */
        const char *sql;
        sqlite3_stmt *stmt;
        bool running;
        unsigned char place[DB_PARAMETERS_MAX]; /* $1 is parameter place[0]: SQLite counts in order of appearance */
};

struct db_sqlite {
        struct db db; /* first */
        sqlite3 *connection;
        bool read_only;
        int spoiled; /* the fault that a statement of this transaction met: it cannot be committed any more */
        int wal_pages;
        unsigned prepared_count;
        struct prepared prepared[SLOTS];
};

struct db_row {
        const struct db_driver *driver; /* first: see db.h */
        sqlite3_stmt *stmt;
};

static const struct db_driver driver;

static struct db_sqlite *sqlite_of(struct db *db) {
        PRE(db->driver == &driver);
        return (struct db_sqlite *)(void *)db;
}

static int fault_of(int code) {
        switch (code & 0xff) {
        case SQLITE_OK:
        case SQLITE_ROW:
        case SQLITE_DONE:
                return 0;
        case SQLITE_CONSTRAINT:
                return FAULT_CONSTRAINT;
        case SQLITE_FULL:
        case SQLITE_IOERR:
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
                return (code & 0xff) == SQLITE_IOERR && code == SQLITE_IOERR_NOMEM ? -ENOMEM : FAULT_STORAGE;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_FORMAT:
                return FAULT_FORMAT;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return -EBUSY;
        case SQLITE_NOMEM:
                return -ENOMEM;
        default:
                return -EINVAL;
        }
}

/* What SQLite has to say about a fault; storage faults come in floods and are the lane's to report. */
static int explain(struct db_sqlite *db, int code, const char *sql) {
        int fault = fault_of(code);
        if (fault && fault != FAULT_STORAGE && fault != -EBUSY)
                log_write(LOG_WARNING, "db.fault", "%s (%d) in: %s", sqlite3_errmsg(db->connection),
                          sqlite3_extended_errcode(db->connection), sql);
        return fault;
}

/* --- statements --- */

/* Where $1 … $n stand. False if the text and the count of parameters disagree. */
static bool find_places(struct prepared *prepared) {
        unsigned n = prepared->statement->parameters;
        if (sqlite3_bind_parameter_count(prepared->stmt) != (int)n)
                return false;
        for (unsigned i = 0; i < n; i++) {
                char name[16];
                snprintf(name, sizeof name, "$%u", i + 1);
                int place = sqlite3_bind_parameter_index(prepared->stmt, name);
                if (place == 0)
                        return false;
                prepared->place[i] = (unsigned char)place;
        }
        return true;
}

static int prepare(struct db_sqlite *db, const struct db_statement *statement, struct prepared *prepared) {
        *prepared = (struct prepared){.statement = statement, .sql = statement->sql};
        int code = sqlite3_prepare_v3(db->connection, statement->sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared->stmt,
                                      NULL);
        int fault = explain(db, code, statement->sql);
        if (!fault && !find_places(prepared)) {
                log_write(LOG_WARNING, "db.fault", "the parameters are not $1 … $%u in: %s", statement->parameters,
                          statement->sql);
                fault = -EINVAL;
        }
        if (fault) {
                sqlite3_finalize(prepared->stmt);
                *prepared = (struct prepared){0};
        }
        return fault;
}

/* The slot of the statement, or the empty one where it would go. */
static struct prepared *slot_of(struct db_sqlite *db, const struct db_statement *statement) {
        size_t slot = ((uintptr_t)statement >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (SLOTS - 1);
        while (db->prepared[slot].statement && db->prepared[slot].statement != statement)
                slot = (slot + 1) & (SLOTS - 1);
        return &db->prepared[slot];
}

/* A prepared statement: remembered, or beyond DB_STATEMENTS_MAX in `spare`, which the caller finalizes. */
static int find_prepared(struct db_sqlite *db, const struct db_statement *statement, struct prepared *spare,
                         struct prepared **ret_prepared) {
        struct prepared *slot = slot_of(db, statement);
        if (slot->statement) {
                PRE(slot->sql == statement->sql); /* remembered by address: a statement has to be a constant */
                *ret_prepared = slot;
                return 0;
        }
        bool room = db->prepared_count < DB_STATEMENTS_MAX;
        int fault = prepare(db, statement, room ? slot : spare);
        if (fault)
                return fault;
        db->prepared_count += room;
        *ret_prepared = room ? slot : spare;
        return 0;
}

/* The parameters of the row; `parameters` is NULL when a statement has none. */
static int bind(const struct prepared *prepared, const struct db_value *parameters, size_t row) {
        int code = SQLITE_OK;
        const unsigned count = prepared->statement->parameters;
        PRE(parameters || count == 0);
        for (unsigned i = 0; code == SQLITE_OK && i < count; i++) {
                const struct db_value *value = &parameters[row * count + i];
                const char *bytes = value->bytes.length > 0 ? value->bytes.at : ""; /* a NULL pointer would bind NULL */
                int place = prepared->place[i];
                switch (value->type) {
                case DB_NULL:
                        code = sqlite3_bind_null(prepared->stmt, place);
                        break;
                case DB_INT:
                        code = sqlite3_bind_int64(prepared->stmt, place, value->number);
                        break;
                case DB_TEXT:
                        code = sqlite3_bind_text64(prepared->stmt, place, bytes, value->bytes.length, SQLITE_STATIC,
                                                   SQLITE_UTF8);
                        break;
                case DB_BLOB:
                        code = sqlite3_bind_blob64(prepared->stmt, place, bytes, value->bytes.length, SQLITE_STATIC);
                        break;
                }
        }
        return code;
}

/* All rows that come back for one row of parameters. Non-zero: a fault, or what on_row wanted to stop with. */
static int step(struct db_sqlite *db, const struct prepared *prepared, db_on_row on_row, void *context, size_t index) {
        struct db_row row = {.driver = &driver, .stmt = prepared->stmt};
        for (;;) {
                int code = sqlite3_step(prepared->stmt);
                if (code != SQLITE_ROW)
                        return code == SQLITE_DONE ? 0 : explain(db, code, prepared->sql);
                int stop = on_row ? on_row(context, index, &row) : 0;
                if (stop)
                        return stop;
        }
}

static int sqlite_run(struct db *base, const struct db_statement *statement, const struct db_value *parameters,
                      size_t rows, db_on_row on_row, void *context, int64_t *ret_changed) {
        struct db_sqlite *db = sqlite_of(base);
        struct prepared spare, *prepared = NULL;
        int r = find_prepared(db, statement, &spare, &prepared);
        if (r != 0) {
                db->spoiled = r;
                return r;
        }
        PRE(!prepared->running); /* not from inside its own on_row */
        prepared->running = true;
        int64_t before = sqlite3_total_changes64(db->connection);
        for (size_t i = 0; r == 0 && i < rows; i++) {
                r = explain(db, bind(prepared, parameters, i), statement->sql);
                if (r == 0)
                        r = step(db, prepared, on_row, context, i);
                sqlite3_reset(prepared->stmt); /* its code is the one that step has had */
        }
        prepared->running = false;
        if (prepared == &spare)
                sqlite3_finalize(spare.stmt);
        if (r < 0)
                db->spoiled = r;
        else if (ret_changed)
                *ret_changed = sqlite3_total_changes64(db->connection) - before;
        return r;
}

static int64_t sqlite_row_int(const struct db_row *row, unsigned column) {
        return sqlite3_column_int64(row->stmt, (int)column);
}

static struct text sqlite_row_bytes(const struct db_row *row, unsigned column) {
        const char *at = sqlite3_column_blob(row->stmt, (int)column); /* for a text: its UTF-8 */
        return (struct text){at, (size_t)sqlite3_column_bytes(row->stmt, (int)column)};
}

static bool sqlite_row_is_null(const struct db_row *row, unsigned column) {
        return sqlite3_column_type(row->stmt, (int)column) == SQLITE_NULL;
}

/* --- transactions --- */

static const struct db_statement begin = {"BEGIN", 0}; /* deferred: a turn that only reads takes no write lock */
static const struct db_statement commit = {"COMMIT", 0};
static const struct db_statement rollback = {"ROLLBACK", 0};

static int sqlite_begin(struct db *base) {
        struct db_sqlite *db = sqlite_of(base);
        PRE(sqlite3_get_autocommit(db->connection));
        db->spoiled = 0;
        return sqlite_run(base, &begin, NULL, 1, NULL, NULL, NULL);
}

static int sqlite_commit(struct db *base) {
        struct db_sqlite *db = sqlite_of(base);
        if (db->spoiled)
                return db->spoiled;
        return sqlite_run(base, &commit, NULL, 1, NULL, NULL, NULL);
}

static void sqlite_rollback(struct db *base) {
        struct db_sqlite *db = sqlite_of(base);
        if (!sqlite3_get_autocommit(db->connection)) /* some faults have rolled back already */
                sqlite_run(base, &rollback, NULL, 1, NULL, NULL, NULL);
        POST(sqlite3_get_autocommit(db->connection));
        db->spoiled = 0;
}

static int count_wal_pages(void *context, sqlite3 *connection, const char *schema, int pages) {
        (void)connection;
        (void)schema;
        ((struct db_sqlite *)context)->wal_pages = pages;
        return SQLITE_OK;
}

static void sqlite_rest(struct db *base) {
        struct db_sqlite *db = sqlite_of(base);
        if (db->wal_pages < DB_SQLITE_WAL_PAGES_MAX)
                return;
        PRE(sqlite3_get_autocommit(db->connection));
        int code = sqlite3_wal_checkpoint_v2(db->connection, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        if (code == SQLITE_OK)
                db->wal_pages = 0; /* the next commit begins at the start of the WAL again */
}

static int sqlite_script(struct db *base, const char *sql) {
        struct db_sqlite *db = sqlite_of(base);
        int fault = explain(db, sqlite3_exec(db->connection, sql, NULL, NULL, NULL), sql);
        if (fault)
                db->spoiled = fault;
        return fault;
}

static void sqlite_close(struct db *base) {
        struct db_sqlite *db = sqlite_of(base);
        for (size_t i = 0; i < SLOTS; i++)
                sqlite3_finalize(db->prepared[i].stmt);
        int code = sqlite3_close(db->connection);
        POST(code == SQLITE_OK);
        free(db);
}

static const struct db_driver driver = {
        .run = sqlite_run,
        .begin = sqlite_begin,
        .commit = sqlite_commit,
        .rollback = sqlite_rollback,
        .rest = sqlite_rest,
        .row_int = sqlite_row_int,
        .row_bytes = sqlite_row_bytes,
        .row_is_null = sqlite_row_is_null,
        .script = sqlite_script,
        .close = sqlite_close,
};

/* --- opening --- */

static bool may_write(const char *path) {
        char folder[PATH_BYTES_MAX];
        snprintf(folder, sizeof folder, "%s", path);
        char *slash = strrchr(folder, '/');
        if (slash)
                slash[slash == folder] = '\0';
        return access(path, W_OK) == 0 && access(slash ? folder : ".", W_OK) == 0;
}

/* "file:…?immutable=1" with the letters escaped that mean something in a URI. */
static void immutable_uri(char out[static URI_BYTES_MAX], const char *path) {
        size_t n = (size_t)snprintf(out, URI_BYTES_MAX, "file:");
        for (; *path; path++)
                n += (size_t)snprintf(out + n, URI_BYTES_MAX - n, strchr("%?#", *path) ? "%%%02x" : "%c",
                                      (unsigned)(unsigned char)*path);
        snprintf(out + n, URI_BYTES_MAX - n, "?immutable=1");
}

/* How a file is opened for reading only depends on how it was left. With a WAL beside it (kill -9, or its owner is
 * alive): for writing, but query_only, so that its lock is respected and the WAL is read; it stays where it is. Without
 * one, in a place where we may not write: as immutable; then no lock can be had and none is needed, a living owner has
 * a WAL. */
static int open_to_read(struct db_sqlite *db, const char *path) {
        char name[URI_BYTES_MAX];
        struct stat status;
        snprintf(name, sizeof name, "%s-wal", path);
        bool wal = stat(name, &status) == 0;
        if (!wal && !may_write(path)) {
                immutable_uri(name, path);
                return sqlite3_open_v2(name, &db->connection,
                                       SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
        }
        int code = sqlite3_open_v2(path, &db->connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
        if (code == SQLITE_OK && wal)
                sqlite3_db_config(db->connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        return code;
}

static int open_connection(struct db_sqlite *db, const char *path) {
        if (db->read_only)
                return open_to_read(db, path);
        int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
        return sqlite3_open_v2(path, &db->connection, flags, vfs_gather());
}

static int configure(struct db_sqlite *db, bool durable) {
        char pragmas[512];
        snprintf(
                pragmas, sizeof pragmas,
                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA page_size = %d; PRAGMA cache_size = -%d; PRAGMA mmap_size = 0;"
                "PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF; PRAGMA secure_delete = OFF; PRAGMA synchronous "
                "= %s;",
                PAGE_BYTES, CACHE_KIBIBYTES_MAX, durable ? "FULL" : "OFF");
        int code = sqlite3_exec(db->connection, pragmas, NULL, NULL, NULL);
        if (code != SQLITE_OK)
                return code;
        if (db->read_only) /* a read takes the lock, and finds out whether this is a database */
                return sqlite3_exec(db->connection, "PRAGMA query_only = ON; SELECT count(*) FROM sqlite_schema;", NULL,
                                    NULL, NULL);
        sqlite3_wal_hook(db->connection, count_wal_pages, db); /* takes the place of the automatic checkpoint */
        return sqlite3_exec(db->connection, "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; COMMIT;", NULL, NULL, NULL);
}

/* SQLite's own count of its memory takes a process-wide mutex at every allocation: 8 % of the time of a purchase. */
static void configure_process(void) {
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* refused when SQLite is in use already: then it only costs time */
}

int db_sqlite_open(struct db **ret_db, const char *path, const struct db_sqlite_options *options) {
        static const struct db_sqlite_options usual = {0};
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        pthread_once(&once, configure_process);
        const struct db_sqlite_options *how = options ? options : &usual;
        if (strlen(path) >= PATH_BYTES_MAX)
                return -ENAMETOOLONG;
        struct db_sqlite *db = calloc(1, sizeof *db);
        if (!db)
                return -ENOMEM;
        db->db.driver = &driver;
        db->read_only = how->read_only;
        int code = open_connection(db, path);
        if (code == SQLITE_OK) {
                sqlite3_extended_result_codes(db->connection, 1);
                code = configure(db, !how->not_durable);
        }
        if (code != SQLITE_OK) {
                sqlite3_close(db->connection);
                free(db);
                return fault_of(code);
        }
        *ret_db = &db->db;
        return 0;
}
