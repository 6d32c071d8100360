/* kit_db_fault.h: a database whose n-th write to come fails, in front of a real one.
 *
 * Counted are the calls that could fail in the field: db_begin, each db_run and db_commit. "Fail the n-th for n = 1, 2,
 * 3, … until everything goes through" visits every place where a fault can strike:
 *
 *   for (unsigned n = 1; ; n++) {
 *           … kit_db_fault_arm(db, n, FAULT_STORAGE);
 *           … act …
 *           if (!kit_db_fault_struck(db)) break;
 *           … state must be as if nothing had happened …
 *   }
 */
#ifndef TICKETRUSH_TEST_KIT_DB_FAULT_H
#define TICKETRUSH_TEST_KIT_DB_FAULT_H

#include "port/db.h"

/* Owns `real` from here on and closes it with itself. */
struct db *kit_db_fault_new(struct db *real);
/* The n-th call from now on fails with `fault` (n = 0: none). A failing commit stores nothing. */
void kit_db_fault_arm(struct db *db, unsigned n, int fault);
/* Every statement but SELECT fails from now on, as on a full disk, until armed again. */
void kit_db_fault_always(struct db *db, int fault);
bool kit_db_fault_struck(const struct db *db);

#endif
