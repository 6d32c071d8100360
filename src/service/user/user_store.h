/* user_store.h: the SQL of the user service. */
#ifndef TICKETRUSH_SERVICE_USER_STORE_H
#define TICKETRUSH_SERVICE_USER_STORE_H

#include "lane/turn.h"
#include "service/user/user_service.h"

/* Inserts each account whose e-mail is not taken; sets ret_created[i] of those. */
int account_insert(struct turn *turn, struct account *const *accounts, bool *ret_created, size_t count);
/* Fills accounts[i] (by id, or by e-mail if that is 0) and ret_found[i]. */
int account_select(struct turn *turn, struct account *const *accounts, bool *ret_found, size_t count);
int account_update_role(struct turn *turn, account_id id, enum role role, bool *ret_found);

#endif
