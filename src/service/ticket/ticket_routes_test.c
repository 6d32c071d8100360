/* ticket_routes_test.c: tickets and the gate over a real edge and lane, with fakes of the order and event services, and
 * a gate that lets in whom the test names. */
#include "service/ticket/ticket_service.h"

#include "kit/kit_http.h"
#include "kit/kit_lane.h"
#include "service/event/event.h"
#include "service/order/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { SCHEDULE = 99, ORDER = 1, BUYER = 7, STRANGER = 8, ORGANISER = 50 };
#define TICKET "ticket_0000000000001-0"

/* --- fakes of the neighbours --- */

static struct plan plan = {.seat_count = 100};
static struct schedule schedule = {.id = SCHEDULE, .organiser = ORGANISER, .plan = &plan};
static const struct order order = {.id = ORDER,
                                   .schedule = SCHEDULE,
                                   .account = BUYER,
                                   .state = ORDER_IS_PAID,
                                   .seat_count = 2,
                                   .seats = {10, 11}};

int order_read_many(struct order_service *service, struct turn *turn, const purchase_id *ids, struct order *ret_orders,
                    size_t count) {
        (void)service, (void)turn;
        for (size_t i = 0; i < count; i++)
                ret_orders[i] = ids[i] == ORDER ? order : (struct order){0};
        return 0;
}

int order_read_newest(struct order_service *service, struct turn *turn, account_id account, purchase_id before,
                      unsigned limit, struct order *ret_orders, size_t *ret_count) {
        (void)service, (void)turn, (void)limit;
        *ret_count = account == BUYER && (!before || before > ORDER);
        if (*ret_count)
                ret_orders[0] = order;
        return 0;
}

const struct schedule *event_schedule(struct event_service *service, struct db *db, schedule_id id) {
        (void)service, (void)db;
        return id == SCHEDULE ? &schedule : NULL;
}

size_t plan_seat_label(const struct plan *asked, seat_index seat, char *out, size_t capacity) {
        assert_ptr_equal(asked, &plan);
        return (size_t)snprintf(out, capacity, "1층 %u번", seat);
}

/* --- the world --- */

static struct lane *lane;
static struct ticket_service *service;
static struct edge *edge;
static struct token_key key;
static struct caller caller; /* of the next request */

static int admit(void *context, struct request *request) {
        (void)context;
        request->caller = caller;
        return 0;
}

static int say(void *context, struct turn *turn, struct lane_command **commands, size_t count) {
        (void)context, (void)count;
        struct event event = {.type = SEATS_SOLD, .schedule = SCHEDULE, .subject = ORDER, .account = BUYER};
        commands[0]->outcome = 1;
        return turn_say(turn, &event);
}

static int set_up(void **state) {
        (void)state;
        static const uint8_t seed[CRYPTO_SIGN_SEED_BYTES] = {4};
        static const struct lane_kind say_kind = {.name = "test.say", .run = say};
        const char *newer;
        if (crypto_start())
                return -1;
        crypto_sign_keys(key.public_key, key.secret, seed);
        lane = kit_lane_open(NULL);
        const struct ticket_config config = {.lane = lane, .clock = kit_clock(), .key = &key};
        if (db_migrate(lane_db(lane), ticket_migrations, ticket_migration_count, &newer) ||
            ticket_service_new(&service, &config))
                return -1;
        struct lane_command sold = {.kind = &say_kind};
        kit_submit_and_run(lane, &sold);

        edge = kit_edge_open(admit);
        ticket_add_routes(service, edge);
        return lane_start(lane) || edge_start(edge);
}

static int tear_down(void **state) {
        (void)state;
        edge_stop(edge, 5);
        lane_stop(lane);
        edge = edge_free(edge);
        lane = lane_free(lane);
        service = ticket_service_free(service);
        return 0;
}

static int get(const char *path) {
        return kit_ask(edge, "GET", path, "", NULL);
}

static void be(account_id account, enum role role) {
        caller = (struct caller){.account = account, .role = (int)role};
}

/* The code of the ticket, as its owner sees it. */
static void read_code(char code[static TICKET_CODE_LENGTH + 1]) {
        be(BUYER, ROLE_BUYER);
        assert_int_equal(get("/tickets/" TICKET), 200);
        snprintf(code, TICKET_CODE_LENGTH + 1, "%s", kit_value("\"code\":\"", '"'));
}

static int scan(const char *code, const char *gate) {
        char body[512];
        snprintf(body, sizeof body, "{\"code\":\"%s\",\"gate\":\"%s\"}", code, gate);
        return kit_ask(edge, "POST", "/gate/scans", "", body);
}

/* --- stories --- */

static void test_owner_sees_tickets(void **state) {
        (void)state;
        be(BUYER, ROLE_BUYER);
        assert_int_equal(get("/orders/order_0000000000001/tickets"), 200);
        kit_assert_says("{\"tickets\":[{\"ticketId\":\"" TICKET "\",\"orderId\":\"order_0000000000001\","
                   "\"scheduleId\":\"sched_0000000000033\",\"seat\":10,\"label\":\"1층 10번\",\"state\":\"VALID\","
                   "\"issuedAt\":\"2026-11-21T11:00:00.000Z\",\"usedAt\":null},");
        assert_int_equal(get("/tickets"), 200);
        kit_assert_says("{\"tickets\":[{\"ticketId\":\"" TICKET "\"");
        kit_assert_says("\"nextCursor\":null}");
        assert_int_equal(get("/tickets?limit=1"), 200);
        kit_assert_says("\"nextCursor\":\"order_0000000000001\"}");
        assert_int_equal(get("/tickets?limit=1&cursor=order_0000000000001"), 200);
        kit_assert_says("{\"tickets\":[],\"nextCursor\":null}");
        assert_int_equal(get("/tickets?limit=1000"), 400);
        assert_int_equal(get("/tickets/" TICKET), 200);
        kit_assert_says("\"code\":\"TR1.");
}

static void test_strangers_see_nothing(void **state) {
        (void)state;
        be(STRANGER, ROLE_BUYER);
        assert_int_equal(get("/orders/order_0000000000001/tickets"), 404);
        assert_int_equal(get("/tickets/" TICKET), 404);
        assert_int_equal(get("/tickets/" TICKET "/qr"), 404);
        assert_int_equal(get("/tickets"), 200);
        kit_assert_says("{\"tickets\":[],\"nextCursor\":null}");
        be(BUYER, ROLE_BUYER);
        static const char *const paths[] = {
                "/orders/order_0000000000002/tickets", "/orders/hold_0000000000001/tickets",
                "/tickets/ticket_0000000000001-2",     "/tickets/ticket_0000000000001-16",
                "/tickets/ticket_0000000000001",       "/tickets/x/qr",
        };
        for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
                assert_int_equal(get(paths[i]), 404);
                kit_assert_says("\"code\":\"NOT_FOUND\"");
        }
}

static void test_qr(void **state) {
        (void)state;
        be(BUYER, ROLE_BUYER);
        assert_int_equal(get("/tickets/" TICKET "/qr"), 200);
        kit_assert_says("Content-Type: image/png\r\n");
        kit_assert_says("Vary: Accept\r\n");
        kit_assert_says("\r\n\r\n\x89PNG");
        assert_int_equal(kit_ask(edge, "GET", "/tickets/" TICKET "/qr", "Accept: image/svg+xml\r\n", NULL), 200);
        kit_assert_says("Content-Type: image/svg+xml\r\n");
        kit_assert_says("\r\n\r\n<svg");
}

static void test_gate(void **state) {
        (void)state;
        char code[TICKET_CODE_LENGTH + 1];
        read_code(code);
        be(51, ROLE_ORGANISER);
        assert_int_equal(scan(code, "A"), 404);
        be(60, ROLE_GATE);
        assert_int_equal(scan(code, ""), 400);
        assert_int_equal(scan("TR1.x", "A"), 422);
        kit_assert_says("\"code\":\"TICKET_FORGED\"");
        assert_int_equal(scan(code, "North"), 200);
        kit_assert_says("{\"result\":\"ADMIT\",\"ticketId\":\"" TICKET
                   "\",\"scheduleId\":\"sched_0000000000033\",\"seat\":10,"
                   "\"label\":\"1층 10번\"}");
        assert_int_equal(scan(code, "South"), 409);
        kit_assert_says("Content-Type: application/problem+json\r\n");
        kit_assert_says("\"code\":\"TICKET_USED\"");
        kit_assert_says("\"usedAt\":\"2026-11-21T11:00:00.000Z\",\"usedBy\":\"North\"}");
        be(BUYER, ROLE_BUYER);
        assert_int_equal(get("/tickets/" TICKET), 200);
        kit_assert_says("\"state\":\"USED\"");
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                STORY(test_owner_sees_tickets),
                STORY(test_strangers_see_nothing),
                STORY(test_qr),
                STORY(test_gate),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
