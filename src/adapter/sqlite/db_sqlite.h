/* db_sqlite.h: the db port on SQLite 3.40: one file, one connection.
 *
 * WAL, synchronous=FULL, locking_mode=EXCLUSIVE, no mmap, no checkpoint by any other connection: SQLite before 3.51.3
 * can corrupt a WAL database when two connections write or checkpoint at the same moment, so there is only one. */
#ifndef TICKETRUSH_ADAPTER_SQLITE_DB_SQLITE_H
#define TICKETRUSH_ADAPTER_SQLITE_DB_SQLITE_H

#include "port/db.h"

/* Then the WAL is copied back into the file, between transactions: 16 MB. Measured: 16 to 45 ms for that, once in about a
 * second of a sale; with twice the limit twice as long, and no more purchases per second. */
enum { DB_SQLITE_WAL_PAGES_MAX = 4000 };

struct db_sqlite_options {
        bool read_only;       /* for audit of a closed database; nothing is created or changed */
        bool not_durable;     /* synchronous=OFF: for tests that do not test durability */
};

/* Opens or creates the file. -EBUSY: another process has it; FAULT_FORMAT: not a database; other negative faults. */
int db_sqlite_open(struct db **ret_db, const char *path, const struct db_sqlite_options *options);

#endif
