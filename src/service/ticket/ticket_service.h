/* ticket_service.h: the commands of the ticket service, and what its routes need of it. */
#ifndef TICKETRUSH_SERVICE_TICKET_SERVICE_H
#define TICKETRUSH_SERVICE_TICKET_SERVICE_H

#include "lane/lane.h"
#include "service/ticket/ticket.h"
#include "service/ticket/ticket_code.h"
#include "service/ticket/ticket_store.h"

struct schedule;

struct ticket_service {
        struct lane *lane;
        struct clock *clock;
        struct event_service *events;
        struct order_service *orders;
        const struct token_key *key;
        struct ticket_codes *codes;
};

/* The tickets of an order of the account's; none yet if it is not paid. */
enum ticket_of_order_outcome { TICKETS_FOUND = 1, TICKETS_UNKNOWN_ORDER };
struct ticket_of_order_command {
        struct lane_command lane;
        account_id account;
        struct order_tickets order;
        const struct schedule *schedule; /* of the tickets, for their labels; NULL if there are none */
};
extern const struct lane_kind ticket_of_order_kind;

/* The account's tickets, order by order, newest first: whole orders, as many as fit into `limit` tickets but at least one. */
enum ticket_list_outcome { TICKETS_LISTED = 1 };
struct ticket_list_command {
        struct lane_command lane;
        account_id account;
        purchase_id before; /* 0: from the newest */
        unsigned limit;     /* 1 … PAGE_MAX */
        unsigned count;
        purchase_id next_before; /* 0: that was all */
        struct ticket tickets[PAGE_MAX + HOLD_SEATS_MAX];
        const struct schedule *schedules[PAGE_MAX + HOLD_SEATS_MAX]; /* of each ticket */
};
extern const struct lane_kind ticket_list_kind;

enum ticket_read_outcome { TICKET_FOUND = 1, TICKET_UNKNOWN };
struct ticket_read_command {
        struct lane_command lane;
        account_id account;
        purchase_id order;
        unsigned place;
        struct ticket ticket;
        const struct schedule *schedule;
};
extern const struct lane_kind ticket_read_kind;

/* Outcome: enum scan_outcome. claims are those of a verified code. */
struct ticket_scan_command {
        struct lane_command lane;
        struct ticket_claims claims;
        account_id scanner;
        enum role role;
        struct text gate;
        struct ticket ticket;      /* unless SCAN_UNKNOWN: as it is now */
        struct gate_name used_by;  /* SCAN_USED: where */
        const struct schedule *schedule;
};
extern const struct lane_kind ticket_scan_kind;

/* The consumer of seats.sold and order.refunding. */
int ticket_consume(void *service, struct turn *turn, const struct event *const *events, size_t count);

#endif
