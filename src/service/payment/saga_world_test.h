/* saga_world_test.h: a small world for the purchase saga: real orders, payments, lane, SQLite and built-in provider;
 * fakes for the neighbours (one schedule, inventory and tickets as consumers with a table each). With saga_steps_test.c
 * also the workers are fakes: everything happens on one thread, step by step, and can crash between steps. */
#ifndef TICKETRUSH_SERVICE_PAYMENT_SAGA_WORLD_TEST_H
#define TICKETRUSH_SERVICE_PAYMENT_SAGA_WORLD_TEST_H

#include "base/unit_test.h"

#include "adapter/pay_fake/pay_fake.h"
#include "kit/kit_db_fault.h"
#include "kit/kit_lane.h"
#include "service/event/event.h"
#include "service/inventory/inventory.h"
#include "service/order/order_service.h"
#include "service/payment/payment_service.h"

enum { SCHEDULE = 500, ORGANISER = 9, BUYER = 7, OTHER = 8, SEATS = 4000, PRICE = 55000 };

struct world {
        char path[KIT_PATH_MAX], book[KIT_PATH_MAX + 8];
        struct lane *lane;
        struct db *faulty; /* the lane's database, which can be told to fail */
        struct pay_provider *provider;
        struct order_service *orders;
        struct payment *payment;
        struct schedule schedule;
        struct plan plan;
        struct plan_seat seats[SEATS];
        purchase_id last_hold;
};
extern struct world world;

/* cmocka setup and teardown. */
int world_begin(void **state);
int world_end(void **state);

/* Called before a lane ends, if somebody has set it. */
extern void (*world_before_close)(void);

/* --- saga_steps_test.c --- */

/* One thing happens: a worker does its job, or the lane a turn. False: nothing is left to do now. */
bool world_step(void);
/* The jobs that wait for a worker, the other way round. */
void world_reverse_jobs(void);
/* Everything that is to be done now, and then all that waits for a time, until every payment is closed. */
void world_rest(void);

/* --- saga_world_test.c --- */

/* The process ends here and now, and starts again on what is stored. */
void world_crash(void);

/* A live hold of two seats, `place` and the next. */
purchase_id world_hold(account_id account, seat_index place);
/* Its time is over: the seats are free, and seats.released is said. */
void world_expire(purchase_id hold);
/* Somebody else has bought the seat. */
void world_take_seat(seat_index place);
unsigned world_tickets(purchase_id order); /* that are valid */
unsigned world_events(unsigned type, purchase_id subject);
int64_t world_number(const char *sql, uint64_t parameter);

/* Commands, run to their outcome (or fault). */
int world_order(account_id account, purchase_id hold);
int world_pay(struct payment_start_command *command, purchase_id order,
              const char *token); /* LANE_WAIT: the answer comes later */
int world_cancel(account_id account, purchase_id order);
/* An order, made and being paid; everything else is up to the test. */
purchase_id world_buy(struct payment_start_command *command, seat_index place, const char *token);

enum order_state world_order_state(purchase_id order);
enum payment_state world_payment_state(purchase_id order);
/* Charges and refunds of the book, orders, payments, seats and tickets tell the same story, and it has ended. */
void world_explains_money(void);

#endif
