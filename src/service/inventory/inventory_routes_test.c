/* inventory_routes_test.c: the routes over real connections, the lane on its thread, the neighbours faked: what is
 * refused from memory, what reaches the lane, and how the seats of a house are told. */
#include "kit/kit_http.h"
#include "service/gateway/gateway.h"
#include "service/inventory/inventory_world_test.h"

#include <sched.h>
#include <stdlib.h>

static struct world world;
static struct edge *edge;

/* --- a gate that believes "Authorization: 7" or "Authorization: 500 organiser" --- */

static int admit(void *context, struct request *request) {
        (void)context;
        struct text who = request_header(request, "authorization");
        uint64_t account = 0;
        struct text digits = {who.at, who.length < 3 ? who.length : 3};
        while (digits.length > 0 && (digits.at[digits.length - 1] < '0' || digits.at[digits.length - 1] > '9'))
                digits.length--;
        if (digits.length > 0)
                assert_true(text_to_number(digits, 999, &account));
        if (request->route->access != ACCESS_PUBLIC && account == 0) {
                edge_answer_problem(request, 401, "TOKEN_REQUIRED", "Log in first.", 0);
                return 1;
        }
        request->caller =
                (struct caller){.account = account, .role = account == WORLD_ORGANISER ? ROLE_ORGANISER : ROLE_BUYER};
        return 0;
}

static int open_shop(void **state) {
        (void)state;
        world_open(&world, 12);
        edge = kit_edge_open(admit);
        inventory_add_routes(world.inventory, edge);
        assert_int_equal(lane_start(world.lane), 0);
        assert_int_equal(edge_start(edge), 0);
        return 0;
}

static int close_shop(void **state) {
        (void)state;
        edge_stop(edge, 1);
        lane_stop(world.lane);
        world_close(&world); /* its workers may still be waking a loop */
        edge = edge_free(edge);
        return 0;
}

static int ask(const char *method, const char *path, int account, const char *headers, const char *content) {
        char all[512];
        snprintf(all, sizeof all, "Authorization: %d\r\n%s", account, headers);
        return kit_ask(edge, method, path, all, content);
}

static void schedule_path(char *out, size_t capacity, const char *rest) {
        char id[ID_TEXT_MAX];
        id_format(id, ID_SCHEDULE, WORLD_SCHEDULE);
        snprintf(out, capacity, "/schedules/%s%s", id, rest);
}

static int hold_with(int account, const char *headers, const char *content) {
        char path[128];
        schedule_path(path, sizeof path, "/holds");
        return ask("POST", path, account, headers, content);
}

static int hold(int account, const char *content) {
        return hold_with(account, "X-Queue-Token: good\r\n", content);
}

static int get_schedule(const char *rest, const char *headers) {
        char path[128];
        schedule_path(path, sizeof path, rest);
        return ask("GET", path, 7, headers, "");
}

/* How many commands the lane has carried out; a client may have its answer a moment before they are counted. */
static uint64_t lane_commands(void) {
        struct lane_figures figures;
        while (!lane_is_idle(world.lane))
                sched_yield();
        lane_figures(world.lane, &figures);
        return figures.commands;
}

/* --- stories --- */

static void test_hopeless_wishes_never_reach_the_lane(void **state) {
        (void)state;
        assert_int_equal(hold(8, "{\"seats\":[2,3]}"), 201); /* loads the board */
        uint64_t commands = lane_commands();
        int64_t refused = world_refused();

        assert_int_equal(hold_with(7, "", "{\"seats\":[0]}"), 403);
        assert_true(kit_says("PASS_REQUIRED"));
        assert_int_equal(hold_with(7, "X-Queue-Token: forged\r\n", "{\"seats\":[0]}"), 403);
        assert_true(kit_says("PASS_INVALID"));
        assert_int_equal(hold_with(7, "X-Queue-Token: old\r\n", "{\"seats\":[0]}"), 403);
        assert_true(kit_says("PASS_EXPIRED"));
        assert_int_equal(hold(7, "{\"seats\":[0}"), 400);
        assert_int_equal(hold(7, "{\"seats\":[]}"), 400);
        assert_int_equal(hold(7, "{\"seats\":[0,1,4,5,6]}"), 422);
        assert_true(kit_says("CAP_EXCEEDED"));
        assert_int_equal(hold(7, "{\"seats\":[0,99]}"), 422);
        assert_true(kit_says("SEAT_UNKNOWN") && kit_says("\"seats\":[99]"));
        assert_int_equal(hold(7, "{\"seats\":[0,1,0]}"), 422);
        assert_true(kit_says("SEAT_REPEATED") && kit_says("\"seats\":[0]"));
        assert_int_equal(hold(7, "{\"seats\":[1,2,3]}"), 409);
        assert_true(kit_says("SEAT_TAKEN") && kit_says("\"seats\":[2,3]") && kit_says("application/problem+json") &&
                    kit_says("\"traceId\":\""));

        world.schedule.opens_at = kit_now() + 2500;
        assert_int_equal(hold(7, "{\"seats\":[0]}"), 409);
        assert_true(kit_says("SALE_NOT_OPEN") && kit_says("Retry-After: 3\r\n"));
        world.schedule.opens_at = kit_now() - 1000;
        world.schedule.sale_paused = true;
        assert_int_equal(hold(7, "{\"seats\":[0]}"), 503);
        assert_true(kit_says("SALE_PAUSED") && kit_says("Retry-After: "));
        world.schedule.sale_paused = false;
        int64_t ends_at = world.schedule.ends_at;
        world.schedule.ends_at = kit_now();
        assert_int_equal(hold(7, "{\"seats\":[0]}"), 410);
        assert_true(kit_says("SALE_ENDED"));
        world.schedule.ends_at = ends_at;
        world.schedule.cancelled = true;
        assert_int_equal(hold(7, "{\"seats\":[0]}"), 410);
        assert_true(kit_says("SCHEDULE_CANCELLED"));
        world.schedule.cancelled = false;

        assert_int_equal(lane_commands(), commands);
        assert_int_equal(world_refused() - refused, 13);
        assert_int_equal(
                ask("POST", "/schedules/sched_0000000000zzz/holds", 7, "X-Queue-Token: good\r\n", "{\"seats\":[0]}"),
                404);
}

static void test_a_hold_lives(void **state) {
        (void)state;
        char path[80], id[64];
        assert_int_equal(hold_with(7, "X-Queue-Token: good\r\nIdempotency-Key: a\r\n", "{\"seats\":[4,5]}"), 201);
        assert_true(kit_says("\"state\":\"ACTIVE\"") && kit_says("\"label\":\"seat 4\"") && kit_says("\"category\":\"S\""));
        assert_true(kit_says("\"total\":{\"amount\":80000,\"currency\":\"KRW\"}") &&
                    kit_says("\"expiresAt\":\"2026-11-21T11:05:00.000Z\""));
        snprintf(id, sizeof id, "%s", kit_value("\"holdId\":\"", '"'));
        /* the seats are taken, but by whom? the lane knows */
        assert_int_equal(hold_with(7, "X-Queue-Token: good\r\nIdempotency-Key: a\r\n", "{\"seats\":[4,5]}"), 201);
        assert_string_equal(kit_value("\"holdId\":\"", '"'), id);
        assert_int_equal(hold_with(7, "X-Queue-Token: good\r\nIdempotency-Key: a\r\n", "{\"seats\":[6]}"), 422);
        assert_true(kit_says("IDEMPOTENCY_KEY_REUSED"));
        assert_int_equal(hold(7, "{\"seats\":[4]}"), 409);
        assert_int_equal(hold(7, "{\"seats\":[6,7,8]}"), 409);
        assert_true(kit_says("CAP_EXCEEDED"));

        snprintf(path, sizeof path, "/holds/%s", id);
        assert_int_equal(ask("GET", path, 7, "", ""), 200);
        assert_int_equal(ask("GET", path, 8, "", ""), 404);
        assert_int_equal(ask("PUT", path, 8, "", "{\"seats\":[5,6]}"), 404);
        assert_int_equal(ask("DELETE", path, 8, "", ""), 404);
        assert_int_equal(ask("PUT", path, 7, "", "{\"seats\":[5,6,2]}"), 409);
        assert_true(kit_says("SEAT_TAKEN") && kit_says("\"seats\":[2]"));
        assert_int_equal(ask("PUT", path, 7, "", "{\"seats\":[5,6]}"), 200);
        assert_true(kit_says("\"seat\":6") && !kit_says("\"seat\":4"));
        assert_int_equal(ask("DELETE", path, 7, "", ""), 204);
        assert_int_equal(ask("DELETE", path, 7, "", ""), 204);
        assert_int_equal(ask("PUT", path, 7, "", "{\"seats\":[5]}"), 409);
        assert_true(kit_says("HOLD_ENDED"));
        assert_int_equal(ask("GET", path, 7, "", ""), 200);
        assert_true(kit_says("\"state\":\"RELEASED\""));
        assert_int_equal(ask("GET", "/holds/hold_0000000000zzz", 7, "", ""), 404);
        assert_int_equal(ask("GET", path, 0, "", ""), 401);
}

static void test_the_house_is_told_once_and_then_as_changes(void **state) {
        (void)state;
        char since[64], tag[160];
        assert_int_equal(get_schedule("/seats", ""), 200);
        assert_true(kit_says("\"states\":\"AAHHAAAAAAAA\"") && kit_says("\"x\":[0,1,2,") && kit_says("\"y\":[1.25,") &&
                    kit_says("\"rows\":[{\"label\":\"A\""));
        assert_true(kit_says("{\"category\":1,\"name\":\"S\",\"amount\":30000}") &&
                    kit_says("Cache-Control: public, max-age=1\r\n"));
        assert_int_equal(kit_heard_body[strlen(kit_heard_body) - 1], '}');
        snprintf(since, sizeof since, "/seats/changes?since=%s", kit_value("\"version\":", ','));
        snprintf(tag, sizeof tag, "If-None-Match: %s\r\n", kit_value("ETag: ", '\r'));
        assert_int_equal(get_schedule("/seats", tag), 304);
        assert_int_equal(get_schedule("/seats", "Accept-Encoding: gzip\r\n"), 200);
        assert_true(kit_says("Content-Encoding: gzip\r\n"));
        assert_memory_equal(kit_heard_body, "\x1f\x8b\x08", 3);
        assert_int_equal(get_schedule(since, ""), 200);
        assert_true(kit_says("\"changes\":[]"));

        assert_int_equal(hold(9, "{\"seats\":[11,0]}"), 201);
        assert_int_equal(get_schedule(since, ""), 200);
        assert_true(kit_says("[11,\"H\"]") && kit_says("[0,\"H\"]"));
        assert_int_equal(get_schedule("/seats", tag), 200);
        assert_true(kit_says("\"states\":\"HAHHAAAAAAAH\"") && kit_says("\"held\":4"));
        world.schedule.amounts[0] =
                99000; /* a changed schedule is another struct: here the same place, so nothing new */
        assert_int_equal(get_schedule("/seats/changes?since=1", ""), 410);
        assert_true(kit_says("CHANGES_GONE"));
        assert_int_equal(get_schedule("/seats/changes", ""), 400);
        assert_int_equal(get_schedule("/seats/changes?since=-1", ""), 400);
        assert_int_equal(ask("GET", "/schedules/sched_0000000000zzz/seats", 7, "", ""), 404);
        assert_int_equal(ask("GET", "/schedules/sched_0000000000zzz/seats/changes?since=1", 7, "", ""), 404);
}

static void test_the_organiser_blocks(void **state) {
        (void)state;
        char path[128];
        schedule_path(path, sizeof path, "/seats/blocked");
        assert_int_equal(ask("PUT", path, WORLD_ORGANISER, "", "{\"seats\":[8,9],\"blocked\":true}"), 200);
        assert_true(kit_says("\"changed\":2"));
        assert_int_equal(hold(7, "{\"seats\":[9]}"), 409);
        assert_int_equal(ask("PUT", path, WORLD_ORGANISER, "", "{\"seats\":[10,2],\"blocked\":true}"), 409);
        assert_true(kit_says("SEAT_TAKEN") && kit_says("\"seats\":[2]"));
        assert_int_equal(ask("PUT", path, WORLD_ORGANISER, "", "{\"seats\":[12],\"blocked\":true}"), 422);
        assert_int_equal(ask("PUT", path, 501, "", "{\"seats\":[10],\"blocked\":true}"), 404);
        assert_int_equal(ask("PUT", path, WORLD_ORGANISER, "", "{\"seats\":[9]}"), 400);
        assert_int_equal(ask("PUT", path, WORLD_ORGANISER, "", "{\"seats\":[9,8],\"blocked\":false}"), 200);
        assert_int_equal(hold(7, "{\"seats\":[9]}"), 201);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_hopeless_wishes_never_reach_the_lane),
                cmocka_unit_test(test_a_hold_lives),
                cmocka_unit_test(test_the_house_is_told_once_and_then_as_changes),
                cmocka_unit_test(test_the_organiser_blocks),
        };
        return cmocka_run_group_tests(tests, open_shop, close_shop);
}
