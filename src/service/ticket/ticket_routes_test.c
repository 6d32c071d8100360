/* ticket_routes_test.c: tickets and the gate over a real edge and lane, with fakes of the order and event services, and
 * a gate that lets in whom the test names. */
#include "service/ticket/ticket_service.h"

#include "edge/edge.h"
#include "kit/kit_lane.h"
#include "port/random.h"
#include "service/event/event.h"
#include "service/order/order.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

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

static int64_t edge_now(void *context) {
        (void)context;
        return kit_now();
}

static void edge_random(void *context, void *bytes, size_t n) {
        (void)context;
        crypto_random()->fill(crypto_random(), bytes, n);
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

        const struct edge_config edge_config = {
                .host = "127.0.0.1", .loops = 1, .connections_max = 16, .now_ms = edge_now, .trace_fill = edge_random};
        const struct edge_gate gate = {.admit = admit};
        if (edge_new(&edge, &edge_config))
                return -1;
        edge_set_gate(edge, &gate);
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

static char answer[65536];
static size_t answer_length;

/* One request on a connection of its own; the status, the answer stands in `answer`. */
static int ask(const char *method, const char *path, const char *more, const char *body) {
        char text[4096];
        int connection = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in address = {
                .sin_family = AF_INET, .sin_port = htons(edge_port(edge)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        assert_int_equal(connect(connection, (struct sockaddr *)&address, sizeof address), 0);
        int length = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n%s", method,
                              path, more);
        if (body)
                length += snprintf(text + length, sizeof text - (size_t)length,
                                   "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
        length += snprintf(text + length, sizeof text - (size_t)length, "\r\n%s", body ? body : "");
        assert_true(length < (int)sizeof text);
        assert_int_equal(send(connection, text, (size_t)length, MSG_NOSIGNAL), length);
        answer_length = 0;
        ssize_t n;
        while ((n = recv(connection, answer + answer_length, sizeof answer - 1 - answer_length, 0)) > 0)
                answer_length += (size_t)n;
        answer[answer_length] = '\0';
        close(connection);
        int status = 0;
        assert_int_equal(sscanf(answer, "HTTP/1.1 %d", &status), 1);
        return status;
}

static int get(const char *path) {
        return ask("GET", path, "", NULL);
}

static void assert_has(const char *piece) {
        if (!memmem(answer, answer_length, piece, strlen(piece)))
                fail_msg("no %s in %s", piece, answer);
}

static void be(account_id account, enum role role) {
        caller = (struct caller){.account = account, .role = (int)role};
}

/* The code of the ticket, as its owner sees it. */
static void read_code(char code[static TICKET_CODE_LENGTH + 1]) {
        be(BUYER, ROLE_BUYER);
        assert_int_equal(get("/api/v1/tickets/" TICKET), 200);
        const char *at = strstr(answer, "\"code\":\"");
        assert_non_null(at);
        snprintf(code, TICKET_CODE_LENGTH + 1, "%s", at + strlen("\"code\":\""));
}

static int scan(const char *code, const char *gate) {
        char body[512];
        snprintf(body, sizeof body, "{\"code\":\"%s\",\"gate\":\"%s\"}", code, gate);
        return ask("POST", "/api/v1/gate/scans", "", body);
}

/* --- stories --- */

static void test_owner_sees_tickets(void **state) {
        (void)state;
        be(BUYER, ROLE_BUYER);
        assert_int_equal(get("/api/v1/orders/order_0000000000001/tickets"), 200);
        assert_has("{\"tickets\":[{\"ticketId\":\"" TICKET "\",\"orderId\":\"order_0000000000001\","
                   "\"scheduleId\":\"sched_0000000000033\",\"seat\":10,\"label\":\"1층 10번\",\"state\":\"VALID\","
                   "\"issuedAt\":\"2026-11-21T11:00:00.000Z\",\"usedAt\":null},");
        assert_int_equal(get("/api/v1/tickets"), 200);
        assert_has("{\"tickets\":[{\"ticketId\":\"" TICKET "\"");
        assert_has("\"nextCursor\":null}");
        assert_int_equal(get("/api/v1/tickets?limit=1"), 200);
        assert_has("\"nextCursor\":\"order_0000000000001\"}");
        assert_int_equal(get("/api/v1/tickets?limit=1&cursor=order_0000000000001"), 200);
        assert_has("{\"tickets\":[],\"nextCursor\":null}");
        assert_int_equal(get("/api/v1/tickets?limit=1000"), 400);
        assert_int_equal(get("/api/v1/tickets/" TICKET), 200);
        assert_has("\"code\":\"TR1.");
}

static void test_strangers_see_nothing(void **state) {
        (void)state;
        be(STRANGER, ROLE_BUYER);
        assert_int_equal(get("/api/v1/orders/order_0000000000001/tickets"), 404);
        assert_int_equal(get("/api/v1/tickets/" TICKET), 404);
        assert_int_equal(get("/api/v1/tickets/" TICKET "/qr"), 404);
        assert_int_equal(get("/api/v1/tickets"), 200);
        assert_has("{\"tickets\":[],\"nextCursor\":null}");
        be(BUYER, ROLE_BUYER);
        static const char *const paths[] = {
                "/api/v1/orders/order_0000000000002/tickets", "/api/v1/orders/hold_0000000000001/tickets",
                "/api/v1/tickets/ticket_0000000000001-2",     "/api/v1/tickets/ticket_0000000000001-16",
                "/api/v1/tickets/ticket_0000000000001",       "/api/v1/tickets/x/qr",
        };
        for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
                assert_int_equal(get(paths[i]), 404);
                assert_has("\"code\":\"NOT_FOUND\"");
        }
}

static void test_qr(void **state) {
        (void)state;
        be(BUYER, ROLE_BUYER);
        assert_int_equal(get("/api/v1/tickets/" TICKET "/qr"), 200);
        assert_has("Content-Type: image/png\r\n");
        assert_has("Vary: Accept\r\n");
        assert_has("\r\n\r\n\x89PNG");
        assert_int_equal(ask("GET", "/api/v1/tickets/" TICKET "/qr", "Accept: image/svg+xml\r\n", NULL), 200);
        assert_has("Content-Type: image/svg+xml\r\n");
        assert_has("\r\n\r\n<svg");
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
        assert_has("\"code\":\"TICKET_FORGED\"");
        assert_int_equal(scan(code, "North"), 200);
        assert_has("{\"result\":\"ADMIT\",\"ticketId\":\"" TICKET
                   "\",\"scheduleId\":\"sched_0000000000033\",\"seat\":10,"
                   "\"label\":\"1층 10번\"}");
        assert_int_equal(scan(code, "South"), 409);
        assert_has("Content-Type: application/problem+json\r\n");
        assert_has("\"code\":\"TICKET_USED\"");
        assert_has("\"usedAt\":\"2026-11-21T11:00:00.000Z\",\"usedBy\":\"North\"}");
        be(BUYER, ROLE_BUYER);
        assert_int_equal(get("/api/v1/tickets/" TICKET), 200);
        assert_has("\"state\":\"USED\"");
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
