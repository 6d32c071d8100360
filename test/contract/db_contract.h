/* db_contract.h: what every driver of the db port has to do, as tests that do not know which one it is. */
#ifndef TICKETRUSH_TEST_DB_CONTRACT_H
#define TICKETRUSH_TEST_DB_CONTRACT_H

#include "port/db.h"

struct db_contract {
        const char *name;
        /* An empty database, and the same one again after a close. */
        struct db *(*open_new)(void);
        struct db *(*open_again)(void);
        void (*remove)(void);
};

/* Number of failed tests. */
int db_contract_run(const struct db_contract *contract);

#endif
