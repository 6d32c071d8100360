/* kit_db_fault.c: see kit_db_fault.h. */
#include "kit/kit_db_fault.h"

#include "base/assert.h"

#include <stdlib.h>

struct db_fault {
        struct db db; /* first */
        struct db *real;
        unsigned countdown; /* 0: none will fail */
        int fault;
        bool always, struck;
};

static struct db_fault *fault_of(struct db *db) {
        return (struct db_fault *)(void *)db;
}

/* The fault of this call, or 0. */
static int strike(struct db_fault *db) {
        if (db->countdown == 0 || --db->countdown > 0)
                return 0;
        db->struck = true;
        return db->fault;
}

static int fault_run(struct db *base, const struct db_statement *statement, const struct db_value *parameters,
                     size_t rows, db_on_row on_row, void *context, int64_t *ret_changed) {
        struct db_fault *db = fault_of(base);
        int fault = strike(db);
        if (!fault && db->always && strncmp(statement->sql, "SELECT", 6) != 0) {
                db->struck = true;
                fault = db->fault;
        }
        return fault ? fault : db_run(db->real, statement, parameters, rows, on_row, context, ret_changed);
}

static int fault_begin(struct db *base) {
        struct db_fault *db = fault_of(base);
        int fault = strike(db);
        return fault ? fault : db_begin(db->real);
}

static int fault_commit(struct db *base) {
        struct db_fault *db = fault_of(base);
        int fault = strike(db);
        return fault ? fault : db_commit(db->real);
}

static void fault_rollback(struct db *base) {
        db_rollback(fault_of(base)->real);
}

static void fault_rest(struct db *base) {
        db_rest(fault_of(base)->real);
}

static int fault_script(struct db *base, const char *sql) {
        return db_script(fault_of(base)->real, sql);
}

static void fault_close(struct db *base) {
        struct db_fault *db = fault_of(base);
        db_close(db->real);
        free(db);
}

/* Rows come from the real driver and name it themselves. */
static const struct db_driver driver = {
        .run = fault_run,
        .begin = fault_begin,
        .commit = fault_commit,
        .rollback = fault_rollback,
        .rest = fault_rest,
        .script = fault_script,
        .close = fault_close,
};

struct db *kit_db_fault_new(struct db *real) {
        struct db_fault *db = calloc(1, sizeof *db);
        PRE(db);
        db->db.driver = &driver;
        db->real = real;
        return &db->db;
}

void kit_db_fault_arm(struct db *base, unsigned n, int fault) {
        struct db_fault *db = fault_of(base);
        db->countdown = n;
        db->fault = fault;
        db->always = db->struck = false;
}

void kit_db_fault_always(struct db *base, int fault) {
        kit_db_fault_arm(base, 0, fault);
        fault_of(base)->always = true;
}

bool kit_db_fault_struck(const struct db *base) {
        return ((const struct db_fault *)(const void *)base)->struck;
}
