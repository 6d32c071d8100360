/* db.c: the thin dispatch from the port to whichever driver is behind it. */
#include "port/db.h"

#include "base/assert.h"

int64_t db_row_int(const struct db_row *row, unsigned column) {
        const struct db_driver *const *driver = (const struct db_driver *const *)(const void *)row;
        return (*driver)->row_int(row, column);
}

struct text db_row_bytes(const struct db_row *row, unsigned column) {
        const struct db_driver *const *driver = (const struct db_driver *const *)(const void *)row;
        return (*driver)->row_bytes(row, column);
}

bool db_row_is_null(const struct db_row *row, unsigned column) {
        const struct db_driver *const *driver = (const struct db_driver *const *)(const void *)row;
        return (*driver)->row_is_null(row, column);
}

int db_run(struct db *db, const struct db_statement *statement, const struct db_value *parameters, size_t rows,
           db_on_row on_row, void *context, int64_t *ret_changed) {
        PRE(statement->parameters <= DB_PARAMETERS_MAX);
        return db->driver->run(db, statement, parameters, rows, on_row, context, ret_changed);
}

int db_begin(struct db *db) {
        return db->driver->begin(db);
}
int db_commit(struct db *db) {
        return db->driver->commit(db);
}
void db_rollback(struct db *db) {
        db->driver->rollback(db);
}

void db_rest(struct db *db) {
        if (db->driver->rest)
                db->driver->rest(db);
}

int db_script(struct db *db, const char *sql) {
        return db->driver->script(db, sql);
}

struct db *db_close(struct db *db) {
        if (db)
                db->driver->close(db);
        return 0;
}

static int greatest_version(void *context, size_t index, const struct db_row *row) {
        (void)index;
        *(int64_t *)context = db_row_int(row, 0);
        return 0;
}

static int version_of(struct db *db, const char *service, int64_t *ret_version) {
        static const struct db_statement read = {
                "SELECT coalesce(max(version), 0) FROM schema_version WHERE service = $1", 1};
        struct db_value parameter = db_text(text_of(service));
        return db_run(db, &read, &parameter, 1, greatest_version, ret_version, 0);
}

static int apply(struct db *db, const struct db_migration *migration) {
        static const struct db_statement record = {"INSERT INTO schema_version(service, version) VALUES ($1, $2)", 2};
        struct db_value parameters[2] = {db_text(text_of(migration->service)), db_int(migration->version)};
        int fault = db_begin(db);
        if (fault)
                return fault;
        fault = db_script(db, migration->sql);
        if (!fault)
                fault = db_run(db, &record, parameters, 1, 0, 0, 0);
        if (!fault)
                fault = db_commit(db);
        if (fault)
                db_rollback(db);
        return fault;
}

int db_migrate(struct db *db, const struct db_migration *migrations, size_t count, const char **ret_newer_service) {
        int fault = db_script(db, "CREATE TABLE IF NOT EXISTS schema_version(service TEXT NOT NULL, "
                                  "version INTEGER NOT NULL, PRIMARY KEY(service, version))");
        for (size_t i = 0; !fault && i < count; i++) {
                int64_t stored = 0;
                fault = version_of(db, migrations[i].service, &stored);
                bool newest = i + 1 == count || strcmp(migrations[i].service, migrations[i + 1].service) != 0;
                if (!fault && newest && stored > migrations[i].version) {
                        *ret_newer_service = migrations[i].service;
                        return FAULT_FORMAT;
                }
                if (!fault && stored < migrations[i].version)
                        fault = apply(db, &migrations[i]);
        }
        return fault;
}
