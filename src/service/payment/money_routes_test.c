/* money_routes_test.c: orders and payments over real connections: edge, lane and workers with their threads, the
 * saga's world behind them, and a gate that lets in whom the test names. */
#include "saga_world_test.h"

#include <stdio.h>

#include "kit/kit_http.h"
#include "port/crypto.h"
#include "service/queue/queue.h"
#include "service/ticket/ticket.h"

/* --- neighbours that only routes ask --- */

const struct schedule *event_schedule_peek(struct event_service *service, schedule_id id) {
        return event_schedule(service, NULL, id);
}

size_t plan_seat_label(const struct plan *plan, seat_index seat, char *out, size_t capacity) {
        (void)plan;
        return (size_t)snprintf(out, capacity, "1층 %u번", seat);
}

size_t ticket_format(char out[static TICKET_TEXT_MAX], purchase_id order, unsigned place) {
        return (size_t)snprintf(out, TICKET_TEXT_MAX, "ticket_%llu-%u", (unsigned long long)order, place);
}

void inventory_counts(const struct inventory *inventory, schedule_id schedule, struct seat_counts *ret_counts) {
        (void)inventory, (void)schedule;
        *ret_counts = (struct seat_counts){.available = 1, .held = 2, .sold = 3, .blocked = 4, .seats = 10};
}

void queue_figures(const struct queue *queue, schedule_id schedule, struct queue_figures *ret_figures) {
        (void)queue, (void)schedule;
        *ret_figures = (struct queue_figures){.waiting = 5, .admitted = 6, .done = 7};
}

/* --- the server --- */

static struct edge *edge;
static struct caller caller; /* of the next request */

static int admit(void *context, struct request *request) {
        (void)context;
        request->caller = caller;
        return 0;
}

static purchase_id holds[20];

static int set_up(void **state) {
        if (crypto_start() || world_begin(state))
                return -1;
        for (seat_index i = 0; i < 20; i++)
                holds[i] = world_hold(BUYER, 2 * i);
        edge = kit_edge_open(admit);
        order_add_routes(world.orders, edge);
        payment_add_routes(world.payment, edge);
        caller = (struct caller){.account = BUYER, .role = ROLE_BUYER};
        return lane_start(world.lane) || edge_start(edge);
}

static int tear_down(void **state) {
        edge_stop(edge, 5);
        lane_stop(world.lane);
        edge = edge_free(edge);
        return world_end(state);
}

static int ask(const char *method, const char *path, const char *more, const char *body) {
        return kit_ask(edge, method, path, more, body);
}

/* "/orders/order_…/pay" */
static const char *path_of(purchase_id order, const char *rest) {
        static char path[64];
        char id[ID_TEXT_MAX];
        id_format(id, ID_ORDER, order);
        snprintf(path, sizeof path, "/orders/%s%s", id, rest);
        return path;
}

static int make(purchase_id hold, const char *more) {
        char body[64], id[ID_TEXT_MAX];
        id_format(id, ID_HOLD, hold);
        snprintf(body, sizeof body, "{\"holdId\":\"%s\"}", id);
        return ask("POST", "/orders", more, body);
}

static int pay(purchase_id order, const char *body) {
        return ask("POST", path_of(order, "/pay"), "", body);
}

/* Time passes until the order has the state. */
static void await_state(purchase_id order, const char *state) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "\"state\":\"%s\"", state);
        for (int i = 0; i < 20000; i++) {
                assert_int_equal(ask("GET", path_of(order, ""), "", NULL), 200);
                if (kit_says(wanted))
                        return;
                kit_clock_add(1000);
                lane_nudge(world.lane);
        }
        fail_msg("never %s: %s", state, kit_heard);
}

/* --- stories --- */

static void an_order_is_made_and_paid(void **state) {
        (void)state;
        assert_int_equal(make(holds[0], ""), 201);
        kit_assert_says("\"scheduleId\":\"sched_00000000000fm\",\"state\":\"PENDING\",\"amount\":{\"amount\":110000,"
                   "\"currency\":\"KRW\"},\"seats\":[{\"seat\":0,\"label\":\"1층 0번\",\"amount\":{\"amount\":55000,"
                   "\"currency\":\"KRW\"}},{\"seat\":1,");
        kit_assert_says("\"createdAt\":\"2026-11-21T11:00:00.000Z\",\"holdExpiresAt\":\"2026-11-21T11:05:00.000Z\"}");
        assert_int_equal(make(holds[0], ""), 201);
        assert_int_equal(pay(holds[0], "{\"paymentToken\":\"card-1\"}"), 200);
        char tickets[128];
        snprintf(tickets, sizeof tickets, "\"state\":\"CONFIRMED\",\"tickets\":[\"ticket_%llu-0\",\"ticket_%llu-1\"]}",
                 (unsigned long long)holds[0], (unsigned long long)holds[0]);
        kit_assert_says(tickets);
        assert_int_equal(pay(holds[0], NULL), 200);
        kit_assert_says(tickets);
        assert_int_equal(make(holds[0], ""), 201);
        kit_assert_says("\"state\":\"CONFIRMED\"");
        kit_assert_says("\"holdExpiresAt\":null}");
        assert_int_equal(ask("GET", path_of(holds[0], ""), "", NULL), 200);
        kit_assert_says("\"ticketCount\":2,\"payment\":{\"paymentId\":\"pay_");
        kit_assert_says("\"state\":\"PAID\"");
}

static void wrong_requests_are_told_why(void **state) {
        (void)state;
        assert_int_equal(make(424242, ""), 404);
        kit_assert_says("\"code\":\"NOT_FOUND\"");
        assert_int_equal(ask("POST", "/orders", "", "{\"holdId\":\"order_0000000000001\"}"), 400);
        assert_int_equal(ask("POST", "/orders", "", "{}"), 400);
        assert_int_equal(pay(holds[1], NULL), 404);
        assert_int_equal(ask("GET", "/orders/hold_0000000000001", "", NULL), 404);
        assert_int_equal(make(holds[1], "Idempotency-Key: k1\r\n"), 201);
        assert_int_equal(make(holds[2], "Idempotency-Key: k1\r\n"), 422);
        kit_assert_says("\"code\":\"IDEMPOTENCY_KEY_REUSED\"");
        char body[128];
        snprintf(body, sizeof body, "{\"paymentToken\":\"%064d\"}", 1);
        assert_int_equal(pay(holds[1], body), 400);
        kit_assert_says("paymentToken");
        assert_int_equal(pay(holds[1],
                             "{\"paymentToken\":\"\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80"
                             "\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80"
                             "\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80"
                             "\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80\"}"),
                         400); /* 22 letters, 66 bytes */
        caller.account = OTHER;
        assert_int_equal(ask("GET", path_of(holds[1], ""), "", NULL), 404);
        assert_int_equal(pay(holds[1], NULL), 404);
        assert_int_equal(ask("POST", path_of(holds[1], "/cancel"), "", NULL), 404);
        world.schedule.sale_paused = true;
        caller.account = BUYER;
        assert_int_equal(make(holds[3], ""), 503);
        kit_assert_says("\"code\":\"SALE_PAUSED\"");
        kit_assert_says("Retry-After: ");
        kit_clock_add(300000);
        assert_int_equal(make(holds[3], ""), 410);
        kit_assert_says("\"code\":\"HOLD_ENDED\"");
}

static void the_end_of_a_payment_is_told(void **state) {
        (void)state;
        make(holds[0], "");
        assert_int_equal(pay(holds[0], "{\"paymentToken\":\"decline\"}"), 402);
        kit_assert_says("\"code\":\"PAYMENT_DECLINED\"");
        assert_int_equal(pay(holds[0], NULL), 402);
        make(holds[1], "");
        int waiting = kit_request(edge, "POST", path_of(holds[1], "/pay"), "", "{\"paymentToken\":\"pending:60000\"}");
        await_state(holds[1], "UNKNOWN"); /* the payment's, in the order */
        assert_int_equal(pay(holds[1], NULL), 409);
        kit_assert_says("\"code\":\"PAYMENT_IN_PROGRESS\"");
        kit_assert_says("Retry-After: 1");
        assert_int_equal(ask("POST", path_of(holds[1], "/cancel"), "", NULL), 409);
        kit_clock_add(PAY_WAIT_SECONDS * 1000);
        lane_nudge(world.lane);
        assert_int_equal(kit_answer(waiting), 202);
        kit_assert_says("\"state\":\"PENDING\",\"detail\":\"We are still asking");
        world.schedule.cancelled = true; /* the money that comes then goes back */
        await_state(holds[1], "REFUNDED");
        kit_assert_says("\"reason\":\"schedule_cancelled\"");
        assert_int_equal(pay(holds[1], NULL), 409);
        kit_assert_says("\"code\":\"ORDER_REFUNDED\"");
}

static void orders_are_given_up(void **state) {
        (void)state;
        make(holds[0], "");
        assert_int_equal(ask("POST", path_of(holds[0], "/cancel"), "", NULL), 200);
        kit_assert_says("\"state\":\"CANCELLED\"");
        kit_assert_says("\"reason\":\"buyer_cancelled\"");
        assert_int_equal(pay(holds[0], NULL), 409);
        kit_assert_says("\"code\":\"ORDER_CANCELLED\"");
        make(holds[1], "");
        assert_int_equal(pay(holds[1], "{}"), 200);
        assert_int_equal(ask("POST", path_of(holds[1], "/cancel"), "", "{}"), 200);
        kit_assert_says("\"state\":\"REFUNDING\"");
        kit_assert_says("\"refund\":{\"amount\":99000,\"currency\":\"KRW\"}");
        await_state(holds[1], "REFUNDED");
        make(holds[2], "");
        assert_int_equal(pay(holds[2], "{}"), 200);
        kit_clock_set(world.schedule.cancel_until + 1);
        assert_int_equal(ask("POST", path_of(holds[2], "/cancel"), "", NULL), 409);
        kit_assert_says("\"code\":\"CANCEL_TOO_LATE\"");
}

static void lists_and_figures(void **state) {
        (void)state;
        for (int i = 0; i < 3; i++)
                make(holds[i], "");
        assert_int_equal(pay(holds[0], NULL), 200);
        assert_int_equal(ask("GET", "/orders?limit=2", "", NULL), 200);
        char cursor[64], id[ID_TEXT_MAX];
        id_format(id, ID_ORDER, holds[1]);
        snprintf(cursor, sizeof cursor, "\"nextCursor\":\"%s\"}", id);
        kit_assert_says("{\"orders\":[{\"orderId\":\"");
        kit_assert_says(cursor);
        snprintf(cursor, sizeof cursor, "/orders?limit=2&cursor=%s", id);
        assert_int_equal(ask("GET", cursor, "", NULL), 200);
        kit_assert_says("\"state\":\"CONFIRMED\"");
        kit_assert_says("\"nextCursor\":null}");
        assert_int_equal(ask("GET", "/orders?limit=x", "", NULL), 400);
        const char *figures = "/schedules/sched_00000000000fm/figures";
        assert_int_equal(ask("GET", figures, "", NULL), 404);
        caller = (struct caller){.account = ORGANISER, .role = ROLE_ORGANISER};
        assert_int_equal(ask("GET", figures, "", NULL), 200);
        kit_assert_says(
                "\"seats\":{\"all\":10,\"available\":1,\"held\":2,\"sold\":3,\"blocked\":4},\"orders\":{\"pending\":2,"
                "\"paid\":0,\"confirmed\":1,\"cancelled\":0,\"refunding\":0,\"refunded\":0},\"captured\":{\"amount\":"
                "110000,"
                "\"currency\":\"KRW\"},\"refunded\":{\"amount\":0,\"currency\":\"KRW\"}}");
        caller = (struct caller){.account = OTHER, .role = ROLE_OPERATOR};
        assert_int_equal(ask("GET", figures, "", NULL), 200);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(an_order_is_made_and_paid, set_up, tear_down),
                cmocka_unit_test_setup_teardown(wrong_requests_are_told_why, set_up, tear_down),
                cmocka_unit_test_setup_teardown(the_end_of_a_payment_is_told, set_up, tear_down),
                cmocka_unit_test_setup_teardown(orders_are_given_up, set_up, tear_down),
                cmocka_unit_test_setup_teardown(lists_and_figures, set_up, tear_down),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
