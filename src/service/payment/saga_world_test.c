/* saga_world_test.c: see saga_world_test.h. */
#include "saga_world_test.h"

#include <stdio.h>

struct world world;

/* --- neighbours --- */

const struct schedule *event_schedule(struct event_service *service, struct db *db, schedule_id id) {
        (void)service, (void)db;
        return id == SCHEDULE ? &world.schedule : NULL;
}

enum schedule_state schedule_state_at(const struct schedule *schedule, int64_t now) {
        return schedule->cancelled        ? SCHEDULE_IS_CANCELLED
               : now >= schedule->ends_at ? SCHEDULE_ENDED
                                          : SCHEDULE_ON_SALE;
}

static const char neighbours_sql[] = "CREATE TABLE IF NOT EXISTS w_hold(id INTEGER PRIMARY KEY, account INTEGER, state "
                                     "INTEGER, expires_at INTEGER, place INTEGER,"
                                     " ordered INTEGER);"
                                     "CREATE TABLE IF NOT EXISTS w_seat(place INTEGER PRIMARY KEY, owner INTEGER);"
                                     "CREATE TABLE IF NOT EXISTS w_ticket(id INTEGER PRIMARY KEY, valid INTEGER);";

static int on_hold(void *context, size_t index, const struct db_row *row) {
        (void)index;
        struct hold *hold = context;
        *hold = (struct hold){.id = db_row_id(row, 0),
                              .schedule = SCHEDULE,
                              .account = db_row_id(row, 1),
                              .state = (enum hold_state)db_row_int(row, 2),
                              .expires_at = db_row_int(row, 3),
                              .seat_count = 2};
        hold->seats[0] = (seat_index)db_row_int(row, 4);
        hold->seats[1] = hold->seats[0] + 1;
        return 0;
}

int inventory_hold(struct inventory *inventory, struct turn *turn, purchase_id id, struct hold *ret_hold) {
        (void)inventory;
        static const struct db_statement select = {
                "SELECT id, account, state, expires_at, place FROM w_hold WHERE id = $1", 1};
        struct db_value parameter = db_id(id);
        struct hold hold = {0};
        int fault = db_run(turn->db, &select, &parameter, 1, on_hold, &hold, 0);
        if (!fault && hold.id == 0)
                return -ENOENT;
        if (!fault)
                *ret_hold = hold;
        return fault;
}

int inventory_lock_holds(struct inventory *inventory, struct turn *turn, const purchase_id *ids, size_t count) {
        (void)inventory;
        static const struct db_statement lock = {"UPDATE w_hold SET ordered = 1 WHERE id = $1 AND state = 0", 1};
        int64_t changed = 0;
        int fault = 0;
        for (size_t i = 0; !fault && i < count; i++) {
                struct db_value parameter = db_id(ids[i]);
                int64_t n = 0;
                fault = db_run(turn->db, &lock, &parameter, 1, 0, 0, &n);
                changed += n;
        }
        return fault ? fault : changed == (int64_t)count ? 0 : -ENOENT;
}

static int change(struct turn *turn, const struct db_statement *statement, uint64_t a, uint64_t b,
                  int64_t *ret_changed) {
        struct db_value parameters[2] = {db_id(a), db_id(b)};
        return db_run(turn->db, statement, parameters, 1, 0, 0, ret_changed);
}

static int answer_event(struct turn *turn, const struct event *event, unsigned type) {
        struct event answer = {.type = type,
                               .schedule = event->schedule,
                               .subject = event->subject,
                               .account = event->account,
                               .cause = event->id};
        return turn_say(turn, &answer);
}

/* HELD → SOLD if the hold is live, or else if both seats are free; or else lost. */
static int sell(struct turn *turn, const struct event *event) {
        static const struct db_statement take = {
                "INSERT INTO w_seat(place, owner) SELECT place + $2, id FROM w_hold WHERE id = $1 AND NOT EXISTS"
                " (SELECT 1 FROM w_seat s WHERE s.place IN (w_hold.place, w_hold.place + 1) AND s.owner <> w_hold.id)",
                2};
        static const struct db_statement consume = {"UPDATE w_hold SET state = 1 WHERE id = $1 AND $2 = 0", 2};
        int64_t first = 0, second = 0;
        int fault = change(turn, &take, event->subject, 0, &first);
        if (!fault)
                fault = change(turn, &take, event->subject, 1, &second);
        if (!fault && first == 1)
                fault = change(turn, &consume, event->subject, 0, NULL);
        assert_true(fault || first == second);
        return fault ? fault : answer_event(turn, event, first == 1 ? SEATS_SOLD : SEATS_LOST);
}

static int inventory_consume(void *service, struct turn *turn, const struct event *const *events, size_t count) {
        (void)service;
        static const struct db_statement extend = {"UPDATE w_hold SET expires_at = $2 WHERE id = $1 AND state = 0", 2};
        static const struct db_statement release = {"UPDATE w_hold SET state = 2 WHERE id = $1 AND state = $2", 2};
        static const struct db_statement give_back = {"DELETE FROM w_seat WHERE owner = $1 AND $2 = 0", 2};
        int fault = 0;
        for (size_t i = 0; !fault && i < count; i++) {
                int64_t changed = 0;
                uint64_t id = events[i]->subject;
                switch (events[i]->type) {
                case PAYMENT_STARTED:
                        fault = change(turn, &extend, id, (uint64_t)(turn->now + PAYMENT_HOLD_SECONDS * 1000), NULL);
                        break;
                case ORDER_PAID:
                        fault = sell(turn, events[i]);
                        break;
                case ORDER_CANCELLED:
                        fault = change(turn, &release, id, HOLD_ACTIVE, &changed);
                        if (!fault && changed)
                                fault = answer_event(turn, events[i], SEATS_RELEASED);
                        break;
                case ORDER_REFUNDING:
                        fault = change(turn, &give_back, id, 0, &changed);
                        if (!fault && changed)
                                fault = answer_event(turn, events[i], SEATS_RETURNED);
                        break;
                }
        }
        return fault;
}

static int ticket_consume(void *service, struct turn *turn, const struct event *const *events, size_t count) {
        (void)service;
        static const struct db_statement issue = {"INSERT INTO w_ticket(id, valid) VALUES ($1, $2)", 2};
        static const struct db_statement annul = {"UPDATE w_ticket SET valid = $2 WHERE id = $1", 2};
        int fault = 0;
        for (size_t i = 0; !fault && i < count; i++) {
                bool sold = events[i]->type == SEATS_SOLD;
                fault = change(turn, sold ? &issue : &annul, events[i]->subject, sold ? 2 : 0, NULL);
                if (!fault)
                        fault = answer_event(turn, events[i], sold ? TICKET_ISSUED : TICKET_VOIDED);
        }
        return fault;
}

/* --- life --- */

static void world_open(void) {
        struct pay_fake_config provider = {.book_path = world.book, .clock = kit_clock(), .token_rules = true};
        assert_int_equal(pay_fake_new(&world.provider, &provider), 0);
        struct db *db = kit_db_open(world.path);
        const char *newer = NULL;
        assert_int_equal(db_migrate(db, order_migrations, order_migration_count, &newer), 0);
        assert_int_equal(db_migrate(db, payment_migrations, payment_migration_count, &newer), 0);
        assert_int_equal(db_script(db, neighbours_sql), 0);
        world.faulty = kit_db_fault_new(db);
        world.lane = kit_lane_open_on(world.faulty);
        struct order_config orders = {.lane = world.lane, .clock = kit_clock()};
        assert_int_equal(order_service_new(&world.orders, &orders), 0);
        struct payment_config payment = {.lane = world.lane,
                                         .clock = kit_clock(),
                                         .orders = world.orders,
                                         .provider = world.provider,
                                         .workers = 1};
        assert_int_equal(payment_new(&world.payment, &payment), 0);
        order_set_payment(world.orders, world.payment);
        const struct lane_consumer inventory = {.name = "inventory",
                                                .consume = inventory_consume,
                                                .types = EVENT_BIT(PAYMENT_STARTED) | EVENT_BIT(ORDER_PAID) |
                                                         EVENT_BIT(ORDER_CANCELLED) | EVENT_BIT(ORDER_REFUNDING)};
        const struct lane_consumer ticket = {.name = "ticket",
                                             .consume = ticket_consume,
                                             .types = EVENT_BIT(SEATS_SOLD) | EVENT_BIT(ORDER_REFUNDING)};
        assert_int_equal(lane_add_consumer(world.lane, &inventory), 0);
        assert_int_equal(lane_add_consumer(world.lane, &ticket), 0);
}

void (*world_before_close)(void);

/* Without a word to anybody: jobs and answers under way are lost. */
static void world_close(void) {
        if (world_before_close)
                world_before_close();
        world.lane = lane_free(world.lane);
        world.payment = payment_free(world.payment);
        world.orders = order_service_free(world.orders);
        world.provider->close(world.provider);
}

void world_crash(void) {
        world_close();
        world_open();
}

int world_begin(void **state) {
        (void)state;
        kit_clock_set(KIT_NOW);
        world = (struct world){.last_hold = 1000};
        world.plan = (struct plan){.seats = world.seats, .seat_count = SEATS};
        world.schedule = (struct schedule){.id = SCHEDULE,
                                           .organiser = ORGANISER,
                                           .plan = &world.plan,
                                           .ends_at = KIT_NOW + 86400000,
                                           .cancel_until = KIT_NOW + 86400000,
                                           .cancel_refund_percent = 90,
                                           .cap = 4,
                                           .hold_seconds = 300,
                                           .currency = "KRW",
                                           .amounts = {PRICE}};
        kit_path_new(world.path);
        snprintf(world.book, sizeof world.book, "%s.book", world.path);
        world_open();
        return 0;
}

int world_end(void **state) {
        (void)state;
        world_close();
        unlink(world.book);
        kit_path_remove(world.path);
        return 0;
}

/* --- seats and tickets --- */

/* Neighbours change their tables in turns of their own, as commands. */
struct neighbour_command {
        struct lane_command lane;
        const struct db_statement *statement;
        uint64_t a, b, c;
        unsigned says;
};

static int run_neighbour(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        (void)service;
        int fault = 0;
        for (size_t i = 0; !fault && i < count; i++) {
                struct neighbour_command *command = (struct neighbour_command *)(void *)commands[i];
                struct db_value parameters[3] = {db_id(command->a), db_id(command->b), db_id(command->c)};
                fault = db_run(turn->db, command->statement, parameters, 1, 0, 0, 0);
                struct event event = {
                        .type = command->says, .schedule = SCHEDULE, .subject = command->a, .account = BUYER};
                if (!fault && command->says)
                        fault = turn_say(turn, &event);
                command->lane.outcome = 1;
        }
        return fault;
}
static const struct lane_kind neighbour_kind = {.name = "neighbour", .run = run_neighbour};

static int run_command(struct lane_command *command) {
        command->done = kit_done;
        command->outcome = command->fault = 0;
        assert_int_equal(lane_submit(world.lane, command), 0);
        while (command->outcome == 0 && command->fault == 0)
                lane_step(world.lane);
        return command->fault ? command->fault : command->outcome;
}

static void neighbour(const struct db_statement *statement, uint64_t a, uint64_t b, uint64_t c, unsigned says) {
        struct neighbour_command command = {
                .lane.kind = &neighbour_kind, .statement = statement, .a = a, .b = b, .c = c, .says = says};
        assert_int_equal(run_command(&command.lane), 1);
}

purchase_id world_hold(account_id account, seat_index place) {
        static const struct db_statement hold = {
                "INSERT INTO w_hold(id, account, state, expires_at, place, ordered) VALUES ($1, $2, 0, 0, $3, 0)", 3};
        static const struct db_statement until = {"UPDATE w_hold SET expires_at = $2 WHERE id = $1 AND $3 = 0", 3};
        purchase_id id = ++world.last_hold;
        neighbour(&hold, id, account, place, 0);
        neighbour(&until, id, (uint64_t)(kit_now() + 300000), 0, 0);
        return id;
}

void world_expire(purchase_id hold) {
        static const struct db_statement expire = {
                "UPDATE w_hold SET state = 3 WHERE id = $1 AND state = 0 AND $2 = $3", 3};
        neighbour(&expire, hold, 0, 0, SEATS_RELEASED);
}

void world_take_seat(seat_index place) {
        static const struct db_statement take = {"INSERT INTO w_seat(place, owner) VALUES ($1, $2 + $3)", 3};
        neighbour(&take, place, 1, 0, 0);
}

static int on_number(void *context, size_t index, const struct db_row *row) {
        (void)index;
        *(int64_t *)context = db_row_int(row, 0);
        return 0;
}

/* On a connection that knows what has been committed: the lane's own, between turns. */
int64_t world_number(const char *sql, uint64_t parameter) {
        static struct db_statement statements[32]; /* the adapter remembers statements by address */
        size_t i = 0;
        while (i < 32 && statements[i].sql && statements[i].sql != sql)
                i++;
        assert_true(i < 32);
        statements[i] = (struct db_statement){sql, 1};
        struct db_value value = db_id(parameter);
        int64_t number = -1;
        assert_int_equal(db_run(lane_db(world.lane), &statements[i], &value, 1, on_number, &number, 0), 0);
        return number;
}

unsigned world_tickets(purchase_id order) {
        return (unsigned)world_number("SELECT coalesce(sum(valid), 0) FROM w_ticket WHERE id = $1", order);
}

unsigned world_events(unsigned type, purchase_id subject) {
        return (unsigned)world_number("SELECT count(*) FROM journal WHERE type * 1000000 + subject_id = $1",
                                      type * 1000000 + subject);
}

/* --- commands --- */

int world_order(account_id account, purchase_id hold) {
        struct order_create_command command = {
                .lane = {.kind = &order_create_kind, .service = world.orders}, .account = account, .hold = hold};
        return run_command(&command.lane);
}

int world_pay(struct payment_start_command *command, purchase_id order, const char *token) {
        *command = (struct payment_start_command){.lane = {.kind = &payment_start_kind, .service = world.payment},
                                                  .account = BUYER,
                                                  .order = order,
                                                  .token = text_of(token)};
        return run_command(&command->lane);
}

int world_cancel(account_id account, purchase_id order) {
        struct order_cancel_command command = {
                .lane = {.kind = &order_cancel_kind, .service = world.orders}, .account = account, .id = order};
        return run_command(&command.lane);
}

purchase_id world_buy(struct payment_start_command *command, seat_index place, const char *token) {
        purchase_id order = world_hold(BUYER, place);
        assert_int_equal(world_order(BUYER, order), ORDER_CREATE_MADE);
        assert_int_equal(world_pay(command, order, token), LANE_WAIT);
        return order;
}

/* --- judgement --- */

enum order_state world_order_state(purchase_id order) {
        return (enum order_state)world_number("SELECT state FROM orders WHERE id = $1", order);
}

enum payment_state world_payment_state(purchase_id order) {
        return (enum payment_state)world_number("SELECT state FROM payment WHERE id = $1", order);
}

static void assert_none(const char *sql) {
        int64_t rows = world_number(sql, 0);
        if (rows != 0)
                fail_msg("%lld rows: %s", (long long)rows, sql);
}

void world_explains_money(void) {
        struct pay_fake_sums book;
        pay_fake_sums(world.provider, &book);
        /* What the provider took and gave back is what our payments say, won by won. */
        assert_int_equal(world_number("SELECT count(*) FROM payment WHERE state IN (3, 7) AND $1 = 0", 0),
                         book.charges);
        assert_int_equal(
                world_number("SELECT coalesce(sum(amount), 0) FROM payment WHERE state IN (3, 7) AND $1 = 0", 0),
                book.charged);
        assert_int_equal(
                world_number("SELECT coalesce(sum(refund_amount), 0) FROM payment WHERE state = 7 AND $1 = 0", 0),
                book.refunded);
        assert_none("SELECT count(*) FROM payment WHERE state NOT IN (3, 4, 7) AND $1 = 0");
        /* Every order has come to its end, and the payment that belongs to it. */
        assert_none("SELECT count(*) FROM orders WHERE state NOT IN (0, 2, 3, 5) AND $1 = 0");
        assert_none("SELECT count(*) FROM orders o WHERE state = 0 AND EXISTS (SELECT 1 FROM payment p WHERE p.id = "
                    "o.id) AND $1 = 0");
        assert_none("SELECT count(*) FROM orders o WHERE state = 2 AND $1 = 0 AND NOT EXISTS"
                    " (SELECT 1 FROM payment p WHERE p.id = o.id AND p.state = 3 AND p.amount = o.amount)");
        assert_none("SELECT count(*) FROM orders o WHERE state = 3 AND $1 = 0 AND EXISTS"
                    " (SELECT 1 FROM payment p WHERE p.id = o.id AND p.state <> 4)");
        assert_none(
                "SELECT count(*) FROM orders o WHERE state = 5 AND $1 = 0 AND NOT EXISTS"
                " (SELECT 1 FROM payment p WHERE p.id = o.id AND p.state = 7 AND p.refund_amount = o.refund_amount)");
        /* Tickets and seats: exactly those of confirmed orders. */
        assert_none("SELECT count(*) FROM orders o WHERE $1 = 0 AND (state = 2) <> EXISTS"
                    " (SELECT 1 FROM w_ticket t WHERE t.id = o.id AND t.valid = 2)");
        assert_none("SELECT count(*) FROM orders o WHERE $1 = 0 AND (CASE state WHEN 2 THEN 2 ELSE 0 END) <>"
                    " (SELECT count(*) FROM w_seat s WHERE s.owner = o.id)");
        assert_none("SELECT count(*) FROM dead_letter WHERE $1 = 0");
        /* The tally counts what stands in the orders. */
        assert_none("SELECT count(*) FROM order_tally WHERE $1 = 0 AND ("
                    " pending <> (SELECT count(*) FROM orders WHERE state = 0) OR paid <> 0 OR refunding <> 0 OR"
                    " confirmed <> (SELECT count(*) FROM orders WHERE state = 2) OR"
                    " cancelled <> (SELECT count(*) FROM orders WHERE state = 3) OR"
                    " refunded <> (SELECT count(*) FROM orders WHERE state = 5) OR"
                    " money_captured <> (SELECT coalesce(sum(amount), 0) FROM orders WHERE state IN (2, 5)) OR"
                    " money_refunded <> (SELECT coalesce(sum(refund_amount), 0) FROM orders WHERE state = 5))");
}
