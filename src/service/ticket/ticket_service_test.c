/* ticket_service_test.c: tickets on a real lane, with fakes of the order and event services. */
#include "service/ticket/ticket_service.h"

#include "kit/kit_lane.h"
#include "service/event/event.h"
#include "service/order/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { SCHEDULE = 99, BUYER = 7, STRANGER = 8, ORGANISER = 50, OTHER_ORGANISER = 51, ORDERS_MAX = 64 };

/* --- fakes of the neighbours --- */

static struct order orders[ORDERS_MAX];
static unsigned order_count;

int order_read_many(struct order_service *service, struct turn *turn, const purchase_id *ids, struct order *ret_orders,
                    size_t count) {
        (void)service, (void)turn;
        for (size_t i = 0; i < count; i++) {
                ret_orders[i].id = 0;
                for (unsigned n = 0; n < order_count; n++) {
                        if (orders[n].id == ids[i])
                                ret_orders[i] = orders[n];
                }
        }
        return 0;
}

int order_read_newest(struct order_service *service, struct turn *turn, account_id account, purchase_id before,
                      unsigned limit, struct order *ret_orders, size_t *ret_count) {
        (void)service, (void)turn;
        size_t count = 0;
        for (unsigned n = order_count; n-- > 0 && count < limit;) {
                if (orders[n].account == account && (!before || orders[n].id < before))
                        ret_orders[count++] = orders[n];
        }
        *ret_count = count;
        return 0;
}

static struct schedule schedule = {.id = SCHEDULE, .organiser = ORGANISER};

const struct schedule *event_schedule(struct event_service *service, struct db *db, schedule_id id) {
        (void)service, (void)db;
        return id == SCHEDULE ? &schedule : NULL;
}

static struct order *make_order(purchase_id id, account_id account, uint32_t seats, seat_index first) {
        struct order *order = &orders[order_count++];
        *order = (struct order){
                .id = id, .schedule = SCHEDULE, .account = account, .state = ORDER_IS_PAID, .seat_count = seats};
        for (uint32_t i = 0; i < seats; i++)
                order->seats[i] = first + i;
        return order;
}

/* --- the world --- */

struct heard {
        uint64_t issued, voided, scanned;
        purchase_id last;
        uint64_t last_cause;
};

static struct lane *lane;
static struct ticket_service *service;
static struct heard heard;

static int listen(void *context, struct turn *turn, const struct event *const *events, size_t count) {
        (void)context, (void)turn;
        for (size_t i = 0; i < count; i++) {
                heard.issued += events[i]->type == TICKET_ISSUED;
                heard.voided += events[i]->type == TICKET_VOIDED;
                heard.scanned += events[i]->type == TICKET_SCANNED;
                heard.last = events[i]->subject;
                heard.last_cause = events[i]->cause;
                assert_int_equal(events[i]->schedule, SCHEDULE);
                assert_int_equal(events[i]->account, BUYER);
        }
        return 0;
}

/* The other services' part of the saga: says what it is told to. */
struct saying {
        struct lane_command lane;
        unsigned type;
        purchase_id order;
        unsigned times;
};

static int speak(void *context, struct turn *turn, struct lane_command **commands, size_t count) {
        (void)context;
        int fault = 0;
        for (size_t i = 0; i < count; i++) {
                struct saying *saying = (struct saying *)(void *)commands[i];
                for (unsigned time = 0; !fault && time < saying->times; time++) {
                        struct event event = {
                                .type = saying->type, .schedule = SCHEDULE, .subject = saying->order, .account = BUYER};
                        fault = turn_say(turn, &event);
                }
                commands[i]->outcome = 1;
        }
        return fault;
}
static const struct lane_kind speak_kind = {.name = "test.speak", .run = speak};

static void say(unsigned type, purchase_id order, unsigned times) {
        struct saying saying = {.lane = {.kind = &speak_kind}, .type = type, .order = order, .times = times};
        assert_int_equal(kit_submit_and_run(lane, &saying.lane), 1);
        kit_lane_run(lane);
}

static int set_up(void **state) {
        (void)state;
        order_count = 0;
        heard = (struct heard){0};
        static struct token_key key;
        uint8_t seed[CRYPTO_SIGN_SEED_BYTES] = {3};
        if (crypto_start())
                return -1;
        crypto_sign_keys(key.public_key, key.secret, seed);
        lane = kit_lane_open(NULL);
        const char *newer;
        if (db_migrate(lane_db(lane), ticket_migrations, ticket_migration_count, &newer))
                return -1;
        const struct ticket_config config = {.lane = lane, .clock = kit_clock(), .key = &key};
        const struct lane_consumer listener = {.name = "test",
                                               .types = EVENT_BIT(TICKET_ISSUED) | EVENT_BIT(TICKET_VOIDED) |
                                                        EVENT_BIT(TICKET_SCANNED),
                                               .consume = listen};
        return ticket_service_new(&service, &config) || lane_add_consumer(lane, &listener);
}

static int tear_down(void **state) {
        (void)state;
        lane = lane_free(lane);
        service = ticket_service_free(service);
        return 0;
}

/* --- questions --- */

static struct ticket_of_order_command tickets_of(purchase_id order, account_id account, int expected) {
        struct ticket_of_order_command command = {.lane = {.kind = &ticket_of_order_kind, .service = service},
                                                  .account = account,
                                                  .order = {.order = order}};
        assert_int_equal(kit_submit_and_run(lane, &command.lane), expected);
        return command;
}

static struct ticket_scan_command scan(purchase_id order, unsigned place, seat_index seat, enum role role,
                                       account_id scanner) {
        struct ticket_scan_command command = {
                .lane = {.kind = &ticket_scan_kind, .service = service},
                .claims = {.order = order, .schedule = SCHEDULE, .seat = seat, .place = (uint8_t)place},
                .scanner = scanner,
                .role = role,
                .gate = TEXT("North \"3\""),
        };
        kit_submit_and_run(lane, &command.lane);
        kit_lane_run(lane);
        return command;
}

static uint64_t dead_letters(void) {
        struct lane_figures figures;
        lane_figures(lane, &figures);
        return figures.dead_letters;
}

/* --- stories --- */

static void test_issued_when_sold(void **state) {
        (void)state;
        make_order(1, BUYER, 3, 10);
        assert_int_equal(tickets_of(1, BUYER, TICKETS_FOUND).order.count, 0);
        kit_clock_add(5);
        say(SEATS_SOLD, 1, 1);
        struct ticket_of_order_command command = tickets_of(1, BUYER, TICKETS_FOUND);
        assert_int_equal(command.order.count, 3);
        assert_ptr_equal(command.schedule, &schedule);
        for (unsigned place = 0; place < 3; place++) {
                const struct ticket *ticket = &command.order.tickets[place];
                assert_int_equal(ticket->order, 1);
                assert_int_equal(ticket->place, place);
                assert_int_equal(ticket->seat, 10 + place);
                assert_int_equal(ticket->schedule, SCHEDULE);
                assert_int_equal(ticket->account, BUYER);
                assert_int_equal(ticket->state, TICKET_IS_VALID);
                assert_int_equal(ticket->issued_at, kit_now());
                assert_int_equal(ticket->used_at, 0);
        }
        assert_int_equal(heard.issued, 1);
        assert_int_equal(heard.last, 1);
        assert_true(heard.last_cause != 0);
}

static void test_issued_once_though_said_twice(void **state) {
        (void)state;
        make_order(1, BUYER, 2, 10);
        say(SEATS_SOLD, 1, 2); /* twice in one turn */
        kit_clock_add(1000);
        say(SEATS_SOLD, 1, 1); /* and again in a later one */
        struct ticket_of_order_command command = tickets_of(1, BUYER, TICKETS_FOUND);
        assert_int_equal(command.order.count, 2);
        assert_true(command.order.tickets[0].issued_at < kit_now());
        assert_int_equal(heard.issued, 1);
        assert_int_equal(dead_letters(), 0);
}

static void test_many_orders_in_one_turn(void **state) {
        (void)state;
        for (purchase_id id = 1; id <= ORDERS_MAX; id++)
                make_order(id, BUYER, 4, (seat_index)id * 4);
        struct saying sayings[ORDERS_MAX];
        for (unsigned i = 0; i < ORDERS_MAX; i++) {
                sayings[i] = (struct saying){.lane = {.kind = &speak_kind, .done = kit_done},
                                             .type = SEATS_SOLD,
                                             .order = i + 1,
                                             .times = 1};
                assert_int_equal(lane_submit(lane, &sayings[i].lane), 0);
        }
        kit_lane_run(lane);
        assert_int_equal(heard.issued, ORDERS_MAX);
        for (purchase_id id = 1; id <= ORDERS_MAX; id++)
                assert_int_equal(tickets_of(id, BUYER, TICKETS_FOUND).order.count, 4);
}

static void test_not_issued_when_money_goes_back(void **state) {
        (void)state;
        make_order(1, BUYER, 2, 10)->state = ORDER_IS_REFUNDING;
        say(SEATS_SOLD, 1, 1);
        say(ORDER_REFUNDING, 1, 1);
        assert_int_equal(tickets_of(1, BUYER, TICKETS_FOUND).order.count, 0);
        assert_int_equal(heard.issued + heard.voided, 0);
}

/* A seat has one ticket that is not void, whatever goes wrong above: the event ends among the dead letters. */
static void test_a_seat_has_one_ticket(void **state) {
        (void)state;
        make_order(1, BUYER, 2, 10);
        make_order(2, BUYER, 2, 11);
        make_order(3, BUYER, 2, 20);
        say(SEATS_SOLD, 1, 1);
        say(SEATS_SOLD, 2, 1);
        say(SEATS_SOLD, 3, 1);
        assert_int_equal(tickets_of(1, BUYER, TICKETS_FOUND).order.count, 2);
        assert_int_equal(tickets_of(2, BUYER, TICKETS_FOUND).order.count, 0);
        assert_int_equal(tickets_of(3, BUYER, TICKETS_FOUND).order.count, 2);
        assert_int_equal(dead_letters(), 1);
}

static void test_sold_for_an_unknown_order(void **state) {
        (void)state;
        make_order(2, BUYER, 1, 10);
        say(SEATS_SOLD, 1, 1);
        say(SEATS_SOLD, 2, 1);
        assert_int_equal(dead_letters(), 1);
        assert_int_equal(heard.issued, 1);
}

static void test_void_when_given_back(void **state) {
        (void)state;
        make_order(1, BUYER, 2, 10);
        say(SEATS_SOLD, 1, 1);
        assert_int_equal(scan(1, 0, 10, ROLE_GATE, 1).lane.outcome, SCAN_ADMITTED);
        orders[0].state = ORDER_IS_REFUNDING;
        say(ORDER_REFUNDING, 1, 2);
        struct ticket_of_order_command command = tickets_of(1, BUYER, TICKETS_FOUND);
        assert_int_equal(command.order.tickets[0].state, TICKET_IS_VOID);
        assert_int_equal(command.order.tickets[1].state, TICKET_IS_VOID);
        assert_int_equal(heard.voided, 1);
        assert_int_equal(scan(1, 1, 11, ROLE_GATE, 1).lane.outcome, SCAN_VOID);
        /* The same seats may be sold again. */
        make_order(2, BUYER, 2, 10);
        say(SEATS_SOLD, 2, 1);
        assert_int_equal(tickets_of(2, BUYER, TICKETS_FOUND).order.count, 2);
        assert_int_equal(dead_letters(), 0);
}

static void test_scanned_once(void **state) {
        (void)state;
        make_order(1, BUYER, 2, 10);
        say(SEATS_SOLD, 1, 1);
        kit_clock_add(60000);
        struct ticket_scan_command first = scan(1, 1, 11, ROLE_GATE, 1);
        assert_int_equal(first.lane.outcome, SCAN_ADMITTED);
        assert_int_equal(first.ticket.used_at, kit_now());
        assert_ptr_equal(first.schedule, &schedule);
        assert_int_equal(heard.scanned, 1);
        int64_t used_at = kit_now();
        kit_clock_add(1000);
        struct ticket_scan_command second = scan(1, 1, 11, ROLE_GATE, 1);
        assert_int_equal(second.lane.outcome, SCAN_USED);
        assert_int_equal(second.ticket.used_at, used_at);
        assert_true(text_equal((struct text){second.used_by.bytes, second.used_by.length}, TEXT("North \"3\"")));
        assert_int_equal(heard.scanned, 1);
        assert_int_equal(tickets_of(1, BUYER, TICKETS_FOUND).order.tickets[0].state, TICKET_IS_VALID);
        assert_int_equal(tickets_of(1, BUYER, TICKETS_FOUND).order.tickets[1].state, TICKET_IS_USED);
}

/* The same ticket at two gates in the same turn: one gets in. */
static void test_scanned_at_two_gates_at_once(void **state) {
        (void)state;
        make_order(1, BUYER, 1, 10);
        say(SEATS_SOLD, 1, 1);
        struct ticket_scan_command commands[2];
        for (unsigned i = 0; i < 2; i++) {
                commands[i] = (struct ticket_scan_command){
                        .lane = {.kind = &ticket_scan_kind, .service = service, .done = kit_done},
                        .claims = {.order = 1, .schedule = SCHEDULE, .seat = 10},
                        .role = ROLE_GATE,
                        .gate = TEXT("A"),
                };
                assert_int_equal(lane_submit(lane, &commands[i].lane), 0);
        }
        kit_lane_run(lane);
        assert_int_equal(commands[0].lane.outcome, SCAN_ADMITTED);
        assert_int_equal(commands[1].lane.outcome, SCAN_USED);
        assert_int_equal(commands[1].used_by.length, 1);
}

static void test_whose_gate(void **state) {
        (void)state;
        make_order(1, BUYER, 4, 10);
        say(SEATS_SOLD, 1, 1);
        assert_int_equal(scan(2, 0, 10, ROLE_GATE, 1).lane.outcome, SCAN_UNKNOWN);
        assert_int_equal(scan(1, 4, 14, ROLE_GATE, 1).lane.outcome, SCAN_UNKNOWN);
        assert_int_equal(scan(1, 0, 11, ROLE_GATE, 1).lane.outcome, SCAN_UNKNOWN);
        assert_int_equal(scan(1, 0, 10, ROLE_ORGANISER, OTHER_ORGANISER).lane.outcome, SCAN_ELSEWHERE);
        assert_int_equal(scan(1, 0, 10, ROLE_ORGANISER, ORGANISER).lane.outcome, SCAN_ADMITTED);
        assert_int_equal(scan(1, 1, 11, ROLE_OPERATOR, 1).lane.outcome, SCAN_ADMITTED);
        assert_int_equal(scan(1, 2, 12, ROLE_GATE, 1).lane.outcome, SCAN_ADMITTED);
}

static void test_nobody_sees_anothers(void **state) {
        (void)state;
        make_order(1, BUYER, 1, 10);
        make_order(2, BUYER, 1, 11);
        say(SEATS_SOLD, 1, 1);
        tickets_of(1, STRANGER, TICKETS_UNKNOWN_ORDER);
        tickets_of(2, STRANGER, TICKETS_UNKNOWN_ORDER); /* no tickets yet */
        tickets_of(2, BUYER, TICKETS_FOUND);
        tickets_of(3, BUYER, TICKETS_UNKNOWN_ORDER);
        static const struct {
                purchase_id order;
                unsigned place;
                account_id account;
                int expected;
        } reads[] = {{1, 0, BUYER, TICKET_FOUND},
                     {1, 0, STRANGER, TICKET_UNKNOWN},
                     {1, 1, BUYER, TICKET_UNKNOWN},
                     {2, 0, BUYER, TICKET_UNKNOWN}};
        for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
                struct ticket_read_command command = {
                        .lane = {.kind = &ticket_read_kind, .service = service},
                        .account = reads[i].account,
                        .order = reads[i].order,
                        .place = reads[i].place,
                };
                assert_int_equal(kit_submit_and_run(lane, &command.lane), reads[i].expected);
                if (reads[i].expected == TICKET_FOUND)
                        assert_int_equal(command.ticket.seat, 10);
        }
}

static struct ticket_list_command *list(account_id account, purchase_id before, unsigned limit) {
        static struct ticket_list_command command;
        command = (struct ticket_list_command){.lane = {.kind = &ticket_list_kind, .service = service},
                                               .account = account,
                                               .before = before,
                                               .limit = limit};
        assert_int_equal(kit_submit_and_run(lane, &command.lane), TICKETS_LISTED);
        return &command;
}

/* Page by page every ticket comes exactly once, newest order first, whatever the size of a page. */
static void test_pages(void **state) {
        (void)state;
        unsigned expected = 0;
        for (purchase_id id = 1; id <= 20; id++) {
                struct order *order = make_order(id, BUYER, (uint32_t)(1 + id % 4), (seat_index)id * 10);
                if (id % 5 == 0)
                        order->state = ORDER_IS_CANCELLED;
                else
                        expected += order->seat_count;
                say(SEATS_SOLD, id, 1);
        }
        for (unsigned limit = 1; limit <= PAGE_MAX; limit += 3) {
                purchase_id before = 0, last = UINT64_MAX;
                unsigned seen = 0, pages = 0;
                do {
                        struct ticket_list_command *page = list(BUYER, before, limit);
                        assert_true(page->count <= limit ||
                                    page->tickets[0].order == page->tickets[page->count - 1].order);
                        for (unsigned i = 0; i < page->count; i++) {
                                assert_true(page->tickets[i].order <= last);
                                assert_ptr_equal(page->schedules[i], &schedule);
                                last = page->tickets[i].order;
                        }
                        seen += page->count;
                        before = page->next_before;
                        assert_true(++pages <= 21);
                } while (before);
                assert_int_equal(seen, expected);
        }
        assert_int_equal(list(STRANGER, 0, 20)->count, 0);
        assert_int_equal(list(STRANGER, 0, 20)->next_before, 0);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                STORY(test_issued_when_sold),
                STORY(test_issued_once_though_said_twice),
                STORY(test_many_orders_in_one_turn),
                STORY(test_not_issued_when_money_goes_back),
                STORY(test_a_seat_has_one_ticket),
                STORY(test_sold_for_an_unknown_order),
                STORY(test_void_when_given_back),
                STORY(test_scanned_once),
                STORY(test_scanned_at_two_gates_at_once),
                STORY(test_whose_gate),
                STORY(test_nobody_sees_anothers),
                STORY(test_pages),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
