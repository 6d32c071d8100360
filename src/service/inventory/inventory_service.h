/* inventory_service.h: the use cases of inventory: commands, their outcomes, and what runs them.
 *
 * A command's struct begins with its lane_command; who submits it fills the inputs and reads the outputs when it is
 * done. Outcomes are the enums of inventory_rules.h. */
#ifndef TICKETRUSH_SERVICE_INVENTORY_SERVICE_H
#define TICKETRUSH_SERVICE_INVENTORY_SERVICE_H

#include "base/metrics.h"
#include "lane/lane.h"
#include "lane/workers.h"
#include "service/inventory/inventory_chart.h"
#include "service/inventory/inventory_hall.h"

struct schedule;

struct inventory {
        struct inventory_config config;
        struct halls halls;
        struct charts charts;
        struct workers *workers; /* draw charts */
        bool opened;             /* the halls with live holds are here */
};

struct hold_create_command {
        struct lane_command lane; /* outcome: enum hold_create_outcome */
        schedule_id schedule_id;
        account_id account;
        struct idempotency idempotency;
        uint32_t seat_count; /* 1 … HOLD_SEATS_MAX */
        seat_index seats[HOLD_SEATS_MAX];
        /* out: */
        struct hold hold;                /* HOLD_CREATED, HOLD_REPLAYED */
        seat_mask culprits;              /* the seats that are why */
        const struct schedule *schedule; /* NULL: unknown */
};

struct hold_change_command {
        struct lane_command lane; /* outcome: enum hold_change_outcome */
        purchase_id id;
        account_id account;
        uint32_t seat_count; /* 1 … HOLD_SEATS_MAX */
        seat_index seats[HOLD_SEATS_MAX];
        /* out: */
        struct hold hold; /* CHANGE_DONE */
        seat_mask culprits;
        const struct schedule *schedule;
};

struct hold_release_command {
        struct lane_command lane; /* outcome: enum hold_release_outcome */
        purchase_id id;
        account_id account;
};

enum hold_read_outcome { READ_HOLD_UNKNOWN = 1 /* or somebody else's */, READ_DONE };
struct hold_read_command {
        struct lane_command lane;
        purchase_id id;
        account_id account;
        /* out: */
        struct hold hold;
        const struct schedule *schedule;
};

struct seats_block_command {
        struct lane_command lane; /* outcome: enum seats_block_outcome */
        schedule_id schedule_id;
        account_id account;
        bool operator; /* may do it for any organiser */
        bool blocked;
        const seat_index *seats; /* the submitter's */
        size_t seat_count;
        /* out: */
        size_t changed;
        seat_index culprit; /* the first seat that is why */
};

/* Loads what edges read of a schedule. */
enum seats_open_outcome { OPEN_SCHEDULE_UNKNOWN = 1, OPEN_DONE };
struct seats_open_command {
        struct lane_command lane;
        schedule_id schedule_id;
};

extern const struct lane_kind hold_create_kind, hold_change_kind, hold_release_kind, hold_read_kind, seats_block_kind,
        seats_open_kind;

/* The halls with live holds, once. Every way into the service on the lane begins with it. */
int inventory_open(struct inventory *inventory, struct turn *turn);
/* The terms of the schedule's sale, and its hall: *ret_hall is NULL (and the terms are unknown) when there is no such
 * schedule, or its seats have not been made yet. */
int inventory_find_hall(struct inventory *inventory, struct turn *turn, schedule_id id,
                        const struct schedule **ret_schedule, struct sale_terms *ret_terms, struct hall **ret_hall);
/* The holds with these numbers: live ones as they stand in memory, others as copies in the turn's arena (one for all
 * that ask for the same), NULL for those that do not exist. */
int inventory_gather_holds(struct inventory *inventory, struct turn *turn, const purchase_id *ids, size_t count,
                           struct hold **ret_holds);
/* Ends an ACTIVE hold and frees its seats; says seats.released with the code. */
int inventory_end_hold(struct inventory *inventory, struct turn *turn, struct writes *writes, struct hold *hold,
                       enum hold_state state, const char *code, uint64_t cause);
/* Says what happened to a hold's seats: {"seats":[17,18]}, with "code" if there is one. */
int inventory_say(struct turn *turn, enum event_type type, const struct hold *hold, const char *code, uint64_t cause);

/* inventory_saga.c: the consumer of the journal, and expiry. */
int inventory_consume(void *service, struct turn *turn, const struct event *const *events, size_t count);
int inventory_expire(void *service, struct turn *turn);
int64_t inventory_due(void *service);

extern struct metric inventory_holds_created, inventory_holds_refused, inventory_holds_expired, inventory_seats_sold,
        inventory_seats_lost;

#endif
