/* db.h: a relational database, used by one lane. SQLite now, PostgreSQL later.
 *
 * Statements are written in the subset that both share (ON CONFLICT, RETURNING, UPDATE … FROM, $1 …). The one way to
 * run one is db_run: the same statement over many rows of parameters, in order. A connection belongs to one thread.
 * Every call may block on the disk (or the server); none is ever made by an edge thread. */
#ifndef TICKETRUSH_PORT_DB_H
#define TICKETRUSH_PORT_DB_H

#include "base/fault.h"
#include "base/text.h"

enum { DB_PARAMETERS_MAX = 24, DB_COLUMNS_MAX = 32, DB_STATEMENTS_MAX = 256 };

enum db_type { DB_NULL, DB_INT, DB_TEXT, DB_BLOB };

struct db_value {
        enum db_type type;
        int64_t number;
        struct text bytes; /* DB_TEXT, DB_BLOB: borrowed until db_run returns */
};

static inline struct db_value db_int(int64_t number) { return (struct db_value){.type = DB_INT, .number = number}; }
static inline struct db_value db_id(uint64_t id) { return (struct db_value){.type = DB_INT, .number = (int64_t)id}; }
static inline struct db_value db_text(struct text text) { return (struct db_value){.type = DB_TEXT, .bytes = text}; }
static inline struct db_value db_blob(const void *at, size_t n) { return (struct db_value){.type = DB_BLOB, .bytes = {at, n}}; }
static inline struct db_value db_null(void) { return (struct db_value){.type = DB_NULL}; }

/* A statement is a constant of its store. The adapter prepares it at first use and remembers it by address. */
struct db_statement {
        const char *sql;
        unsigned parameters;
};

struct db;
struct db_row; /* the current row; valid inside the callback. Drivers begin it with a `const struct db_driver *` */

int64_t db_row_int(const struct db_row *row, unsigned column); /* 0 for NULL */
static inline uint64_t db_row_id(const struct db_row *row, unsigned column) { return (uint64_t)db_row_int(row, column); }
struct text db_row_bytes(const struct db_row *row, unsigned column); /* text or blob; length 0 for NULL */
bool db_row_is_null(const struct db_row *row, unsigned column);

/* Called for each row that comes back, with the index of the parameter row it belongs to. Non-zero stops and is
 * returned by db_run. */
typedef int (*db_on_row)(void *context, size_t index, const struct db_row *row);

struct db_driver {
        int (*run)(struct db *db, const struct db_statement *statement, const struct db_value *parameters, size_t rows,
                   db_on_row on_row, void *context, int64_t *ret_changed);
        int (*begin)(struct db *db);
        int (*commit)(struct db *db);
        void (*rollback)(struct db *db);
        void (*rest)(struct db *db); /* may be NULL */
        int64_t (*row_int)(const struct db_row *row, unsigned column);
        struct text (*row_bytes)(const struct db_row *row, unsigned column);
        bool (*row_is_null)(const struct db_row *row, unsigned column);
        int (*script)(struct db *db, const char *sql);
        void (*close)(struct db *db);
};

/* Adapters embed this first. */
struct db {
        const struct db_driver *driver;
};

/* Runs the statement once per row of `parameters` (rows × statement->parameters values, row after row). on_row may be
 * NULL; ret_changed (how many table rows were inserted, updated or deleted in all) may be NULL. A negative fault
 * (FAULT_CONSTRAINT, FAULT_STORAGE, …) spoils the transaction: roll back. */
int db_run(struct db *db, const struct db_statement *statement, const struct db_value *parameters, size_t rows,
           db_on_row on_row, void *context, int64_t *ret_changed);
int db_begin(struct db *db);
/* 0: durable. FAULT_STORAGE and others: nothing of the transaction is stored. */
int db_commit(struct db *db);
void db_rollback(struct db *db);
/* Between two transactions, after the answers: time for what a driver has to tidy up now and then. */
void db_rest(struct db *db);
/* Several statements without parameters (migrations). */
int db_script(struct db *db, const char *sql);
/* NULL is fine; returns NULL. */
struct db *db_close(struct db *db);

/* Migrations: each service brings its list; version numbers are per service and rise by one. */
struct db_migration {
        const char *service;
        unsigned version;
        const char *sql;
};
/* Applies what is missing, each in its own transaction, and records it in schema_version(service, version). A recorded
 * version above the newest known one: FAULT_FORMAT, "written by a newer version". */
int db_migrate(struct db *db, const struct db_migration *migrations, size_t count, const char **ret_newer_service);

#endif
