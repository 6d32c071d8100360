/* ticket_store.h: the SQL of the ticket service. Only the lane's thread comes here. */
#ifndef TICKETRUSH_SERVICE_TICKET_STORE_H
#define TICKETRUSH_SERVICE_TICKET_STORE_H

#include "lane/turn.h"
#include "service/ticket/ticket_rules.h"

enum { GATE_NAME_CODE_POINTS_MAX = 64, GATE_NAME_BYTES_MAX = 4 * GATE_NAME_CODE_POINTS_MAX };

/* Where a ticket was used; the bytes stand in the array. */
struct gate_name { size_t length; char bytes[GATE_NAME_BYTES_MAX]; };

/* The tickets of an order, in their places' order. Set order; the rest is filled. */
struct order_tickets {
        purchase_id order;
        uint32_t count;
        struct ticket tickets[HOLD_SEATS_MAX];
};
int ticket_select_orders(struct turn *turn, struct order_tickets *const *orders, size_t count);
/* Inserts tickets of one order; those that are there already stay. *ret_new: how many were not. */
int ticket_insert(struct turn *turn, const struct ticket *tickets, size_t count, int64_t *ret_new);
/* Makes every ticket of the order void that is not; *ret_voided: how many. */
int ticket_update_void(struct turn *turn, purchase_id order, int64_t *ret_voided);
/* One ticket, and where it was used (may be NULL). *ret_found false: there is none. */
int ticket_select(struct turn *turn, purchase_id order, unsigned place, struct ticket *ret_ticket, struct gate_name *ret_used_by,
                  bool *ret_found);
int ticket_update_used(struct turn *turn, const struct ticket *ticket, struct text used_by);

#endif
