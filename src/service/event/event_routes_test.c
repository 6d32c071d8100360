/* event_routes_test.c: the routes over real connections, the lane on its thread: an organiser's day, what is refused,
 * and how the catalogue is told. */
#include "base/unit_test.h"

#include <stdio.h>

#include "kit/kit_http.h"
#include "kit/kit_lane.h"
#include "lane/workers.h"
#include "port/crypto.h"
#include "service/event/event_service.h"
#include "service/gateway/gateway.h"

enum { OWNER = 500, STRANGER = 501, BUYER = 7, OPERATOR = 900 };

static struct lane *lane;
static struct edge *edge;
static struct workers *workers;
static struct event_service *service;

/* --- a gate that believes "Authorization: 500"; below 500 are buyers, 900 is an operator --- */

static int admit(void *context, struct request *request) {
        (void)context;
        uint64_t account = 0;
        assert_true(text_to_number(request_header(request, "authorization"), 999, &account));
        enum role role = account >= OPERATOR ? ROLE_OPERATOR : account >= OWNER ? ROLE_ORGANISER : ROLE_BUYER;
        if (request->route->access == ACCESS_ORGANISER && role == ROLE_BUYER) {
                edge_answer_problem(request, 403, "FORBIDDEN", "Not you.", 0);
                return 1;
        }
        request->caller = (struct caller){.account = account, .role = (int)role};
        return 0;
}

static int open_office(void **state) {
        (void)state;
        const char *newer = NULL;
        struct db *db = kit_db_open(NULL);
        kit_clock_set(KIT_NOW);
        assert_int_equal(crypto_start(), 0);
        assert_int_equal(db_migrate(db, event_migrations, event_migration_count, &newer), 0);
        lane = kit_lane_open_on(db);
        assert_int_equal(workers_new(&workers, "plan", 1, 4), 0);
        const struct event_config config = {.lane = lane, .clock = kit_clock(), .random = crypto_random(), .workers = workers};
        assert_int_equal(event_service_new(&service, &config), 0);
        edge = kit_edge_open(admit);
        event_add_routes(service, edge);
        assert_int_equal(lane_start(lane), 0);
        assert_int_equal(edge_start(edge), 0);
        return 0;
}

static int close_office(void **state) {
        (void)state;
        edge_stop(edge, 1);
        lane_stop(lane);
        workers = workers_free(workers);
        edge = edge_free(edge);
        service = event_service_free(service);
        lane = lane_free(lane);
        return 0;
}

static int ask(const char *method, const char *path, int account, const char *headers, const char *content) {
        char all[512];
        snprintf(all, sizeof all, "Authorization: %d\r\n%s", account, headers);
        return kit_ask(edge, method, path, all, content);
}

static int get(const char *path) {
        return ask("GET", path, BUYER, "", "");
}

static const char *path_of(const char *format, const char *id) {
        static char paths[16][256];
        static unsigned next;
        char *out = paths[next++ % 16];
        int length = snprintf(out, sizeof paths[0], format, id);
        assert_true(length > 0 && (size_t)length < sizeof paths[0]);
        return out;
}

/* --- an organiser's things --- */

static const char small_plan[] =
        "{\"name\":\"Hall\",\"size\":{\"width\":9,\"height\":9},\"categories\":[{\"name\":\"VIP\",\"color\":\"#fff\"},{\"name\":\"R\"}],"
        "\"zones\":[{\"name\":\"Z\",\"position\":{\"x\":0,\"y\":0},\"rows\":[{\"row_number\":\"1\",\"seats\":["
        "{\"seat_guid\":\"1\",\"seat_number\":\"1\",\"uuid\":\"a\",\"position\":{\"x\":0,\"y\":0},\"category\":\"VIP\"},"
        "{\"seat_guid\":\"1\",\"seat_number\":\"2\",\"uuid\":\"b\",\"position\":{\"x\":25,\"y\":0},\"category\":\"R\"}]}]}]}";

static const char *make_venue(void) {
        assert_int_equal(ask("POST", "/venues", OWNER, "", "{\"name\":\"Hall\",\"address\":\"1 Street\",\"city\":\"Seoul\"}"), 201);
        return kit_value("\"venueId\":\"", '"');
}

static const char *make_plan(const char *venue) {
        assert_int_equal(ask("POST", path_of("/venues/%s/plans?identity=uuid", venue), OWNER, "", small_plan), 201);
        return kit_value("\"planId\":\"", '"');
}

static const char *make_event(const char *title) {
        char content[512];
        snprintf(content, sizeof content, "{\"title\":\"%s\",\"city\":\"Seoul\",\"category\":\"concert\"}", title);
        assert_int_equal(ask("POST", "/events", OWNER, "", content), 201);
        return kit_value("\"eventId\":\"", '"');
}

static int post_schedule(const char *event, int account, const char *headers, const char *plan, const char *more) {
        char content[2048];
        snprintf(content, sizeof content,
                 "{\"planId\":\"%s\",\"startsAt\":\"2026-12-24T19:00:00+09:00\",\"opensAt\":\"2026-11-21T12:00:00Z\"%s}", plan, more);
        return ask("POST", path_of("/events/%s/schedules", event), account, headers, content);
}

#define GRADES ",\"grades\":[{\"category\":\"VIP\",\"amount\":150000}]"

/* --- stories --- */

static void test_venues(void **state) {
        (void)state;
        const char *venue = make_venue();
        assert_true(kit_says("\"createdAt\":\"2026-11-21T11:00:00.000Z\""));
        assert_int_equal(ask("GET", path_of("/venues/%s", venue), OWNER, "", ""), 200);
        assert_true(kit_says("\"name\":\"Hall\"") && kit_says("\"city\":\"Seoul\""));
        assert_int_equal(ask("GET", path_of("/venues/%s", venue), STRANGER, "", ""), 404);
        assert_int_equal(ask("GET", path_of("/venues/%s", venue), OPERATOR, "", ""), 200);
        assert_int_equal(ask("GET", "/venues", STRANGER, "", ""), 200);
        assert_string_equal(kit_heard_body, "{\"venues\":[],\"nextCursor\":null}");
        make_venue();
        assert_int_equal(ask("GET", "/venues?limit=1", OWNER, "", ""), 200);
        assert_int_equal(ask("GET", path_of("/venues?limit=100&cursor=%s", kit_value("\"nextCursor\":\"", '"')), OWNER, "", ""), 200);
        assert_true(kit_says("\"venueId\"") && kit_says("\"nextCursor\":null"));
        assert_int_equal(ask("POST", "/venues", OWNER, "", "{\"name\":\"\",\"address\":\"1\",\"city\":\"S\"}"), 400);
        assert_true(kit_says("INVALID_BODY") && kit_says("name: must have 1 to 200 characters"));
        assert_int_equal(ask("POST", "/venues", OWNER, "Idempotency-Key: v\r\n", "{\"name\":\"V\",\"address\":\"1\",\"city\":\"S\"}"), 201);
        venue = kit_value("\"venueId\":\"", '"');
        assert_int_equal(ask("POST", "/venues", OWNER, "Idempotency-Key: v\r\n", "{\"name\":\"V\",\"address\":\"1\",\"city\":\"S\"}"), 201);
        assert_string_equal(venue, kit_value("\"venueId\":\"", '"'));
        assert_int_equal(ask("POST", "/venues", OWNER, "Idempotency-Key: v\r\n", "{\"name\":\"W\",\"address\":\"1\",\"city\":\"S\"}"), 422);
        assert_true(kit_says("IDEMPOTENCY_KEY_REUSED"));
}

static void test_plans(void **state) {
        (void)state;
        const char *venue = make_venue();
        assert_int_equal(ask("POST", path_of("/venues/%s/plans", venue), OWNER, "", small_plan), 422);
        assert_true(kit_says("application/problem+json") && kit_says("PLAN_REFUSED") && kit_says("\"problemCount\":1"));
        assert_true(kit_says("{\"path\":\"zones[0].rows[0].seats[0].seat_guid\",\"reason\":\"\\\"1\\\" is used by 2 seats: "
                         "zones[0].rows[0].seats[0], zones[0].rows[0].seats[1]\"}"));
        assert_int_equal(ask("POST", path_of("/venues/%s/plans?identity=name", venue), OWNER, "", small_plan), 400);
        assert_int_equal(ask("POST", path_of("/venues/%s/plans?identity=uuid", venue), STRANGER, "", small_plan), 404);
        const char *plan = make_plan(venue);
        assert_true(kit_says("\"identity\":\"uuid\"") && kit_says("\"seats\":2"));
        assert_true(kit_says("{\"index\":1,\"name\":\"R\",\"color\":null,\"seats\":1}"));
        assert_int_equal(ask("GET", path_of("/plans/%s", plan), OWNER, "", ""), 200);
        assert_true(kit_says(plan) && kit_says(venue) && kit_says("\"zones\":[{\"name\":\"Z\",\"rows\":1,\"seats\":2}]"));
        assert_int_equal(ask("GET", path_of("/plans/%s", plan), STRANGER, "", ""), 404);
        assert_int_equal(ask("GET", "/plans/plan_0000000000001", OWNER, "", ""), 404);
        assert_int_equal(ask("POST", path_of("/venues/%s/plans", venue), BUYER, "", small_plan), 403);
}

static void test_events(void **state) {
        (void)state;
        const char *event = make_event("<b>\\\"서울\\\"</b>");
        const char *tag;
        assert_true(kit_says("\"title\":\"<b>\\\"서울\\\"</b>\"") && kit_says("\"description\":\"\"") && kit_says("\"schedules\":[]"));
        assert_int_equal(get(path_of("/events/%s", event)), 200);
        tag = path_of("If-None-Match: %s\r\n", kit_value("ETag: ", '\r'));
        assert_int_equal(ask("GET", path_of("/events/%s", event), BUYER, tag, ""), 304);
        assert_int_equal(ask("PATCH", path_of("/events/%s", event), OWNER, "", "{\"title\":\"Other\",\"description\":\"More\"}"), 200);
        assert_true(kit_says("\"title\":\"Other\"") && kit_says("\"description\":\"More\"") && kit_says("\"city\":\"Seoul\""));
        assert_int_equal(ask("GET", path_of("/events/%s", event), BUYER, tag, ""), 200);
        assert_true(kit_says("\"title\":\"Other\""));
        assert_int_equal(ask("PATCH", path_of("/events/%s", event), STRANGER, "", "{\"title\":\"Mine\"}"), 404);
        assert_int_equal(ask("PATCH", path_of("/events/%s", event), OWNER, "", "{\"title\":\"\"}"), 400);
        assert_int_equal(get("/events/event_0000000000001"), 404);
        assert_int_equal(get("/events/nonsense"), 404);
        assert_int_equal(get("/events/event_0000000000001/schedules"), 404);
        assert_int_equal(get(path_of("/events/%s/schedules", event)), 200);
        assert_string_equal(kit_heard_body, "{\"schedules\":[]}");
}

static void test_the_list(void **state) {
        (void)state;
        for (unsigned i = 0; i < 5; i++)
                make_event("Findable Thing");
        assert_int_equal(get("/events"), 200);
        assert_true(kit_says("\"title\":\"Findable Thing\"") && kit_says("\"firstStartsAt\":null"));
        assert_true(kit_says("Vary: Accept-Encoding\r\n"));
        const char *tag = path_of("If-None-Match: %s\r\n", kit_value("ETag: ", '\r'));
        assert_int_equal(ask("GET", "/events", BUYER, tag, ""), 304);
        assert_int_equal(ask("GET", "/events", BUYER, "Accept-Encoding: gzip\r\n", ""), 200);
        assert_true(kit_says("Content-Encoding: gzip\r\n"));
        assert_memory_equal(kit_heard_body, "\x1f\x8b\x08", 3);
        assert_int_equal(get("/events?q=findABLE%20th&city=seoul&limit=4"), 200);
        const char *cursor = kit_value("\"nextCursor\":\"", '"');
        assert_int_equal(get(path_of("/events?q=findable&limit=4&cursor=%s", cursor)), 200);
        assert_true(kit_says("\"nextCursor\":null"));
        assert_int_equal(get("/events?q=nowhere"), 200);
        assert_string_equal(kit_heard_body, "{\"events\":[],\"nextCursor\":null}");
        assert_int_equal(get("/events?city=Seou"), 200);
        assert_string_equal(kit_heard_body, "{\"events\":[],\"nextCursor\":null}");
        assert_int_equal(get("/events?limit=0"), 400);
        assert_int_equal(get("/events?q=%zz"), 400);
        assert_int_equal(get("/events?q=%ff"), 400);
        assert_int_equal(get("/events?q=a&q=b"), 400);
        assert_int_equal(get("/events?cursor=order_0000000000001"), 400);
}

static void test_schedules(void **state) {
        (void)state;
        const char *plan = make_plan(make_venue());
        const char *event = make_event("Played");
        assert_int_equal(post_schedule(event, OWNER, "Idempotency-Key: s\r\n", plan, GRADES), 201);
        const char *schedule = kit_value("\"scheduleId\":\"", '"');
        assert_true(kit_says("\"state\":\"UPCOMING\"") && kit_says("\"startsAt\":\"2026-12-24T10:00:00.000Z\"") && kit_says("\"cap\":4"));
        assert_true(kit_says("\"grades\":[{\"category\":\"VIP\",\"color\":\"#fff\",\"price\":{\"amount\":150000,\"currency\":\"KRW\"},"
                         "\"seats\":1}]"));
        assert_true(kit_says("\"line\":{\"enabled\":true,\"capacity\":1000,\"rate\":0,\"passSeconds\":600,\"waitingMax\":1000000,"
                         "\"lobbyOpensAt\":\"2026-11-21T11:00:00.000Z\"}"));
        assert_int_equal(strlen(kit_value("\"drawCommitment\":\"", '"')), 64);
        assert_false(kit_says("seed"));
        assert_int_equal(post_schedule(event, OWNER, "Idempotency-Key: s\r\n", plan, GRADES), 201);
        assert_string_equal(schedule, kit_value("\"scheduleId\":\"", '"'));
        assert_int_equal(post_schedule(event, STRANGER, "", plan, GRADES), 404);
        assert_int_equal(get(path_of("/events/%s/schedules", event)), 200);
        assert_true(kit_says(schedule) && kit_says("\"priceFrom\":{\"amount\":150000,"));
        assert_int_equal(get("/schedules/sched_0000000000001"), 404);

        assert_int_equal(get(path_of("/schedules/%s", schedule)), 200);
        const char *tag = path_of("If-None-Match: %s\r\n", kit_value("ETag: ", '\r'));
        assert_int_equal(ask("GET", path_of("/schedules/%s", schedule), BUYER, tag, ""), 304);
        assert_int_equal(ask("PATCH", path_of("/schedules/%s", schedule), OWNER, "",
                             "{\"cap\":2,\"line\":{\"enabled\":false},\"grades\":[{\"category\":\"VIP\",\"amount\":1}]}"), 200);
        assert_true(kit_says("\"cap\":2") && kit_says("\"enabled\":false,\"capacity\":1000") && kit_says("\"amount\":1,"));
        assert_int_equal(ask("PATCH", path_of("/schedules/%s", schedule), STRANGER, "", "{\"cap\":2}"), 404);
        assert_int_equal(ask("PUT", path_of("/schedules/%s/controls", schedule), OWNER, "", "{\"admissionPaused\":true}"), 400);
        assert_int_equal(ask("PUT", path_of("/schedules/%s/controls", schedule), OWNER, "",
                             "{\"admissionPaused\":true,\"salePaused\":false}"), 200);
        assert_true(kit_says("\"admissionPaused\":true,\"salePaused\":false"));
        assert_int_equal(ask("PUT", path_of("/schedules/%s/controls", schedule), OPERATOR, "",
                             "{\"admissionPaused\":false,\"salePaused\":true}"), 200);

        kit_clock_add(3600 * 1000); /* open */
        assert_int_equal(ask("GET", path_of("/schedules/%s", schedule), BUYER, tag, ""), 200);
        assert_true(kit_says("\"state\":\"ON_SALE\""));
        assert_int_equal(ask("PATCH", path_of("/schedules/%s", schedule), OWNER, "",
                             "{\"grades\":[{\"category\":\"VIP\",\"amount\":1}]}"), 409);
        assert_true(kit_says("PRICES_FIXED"));
        kit_clock_set(KIT_NOW);
}

static void test_schedules_that_are_refused(void **state) {
        (void)state;
        static const struct { const char *more; int status; const char *code; } rows[] = {
                {"", 400, "grades: is required"},
                {",\"grades\":[]", 400, "grades: must have 1 to 64 items"},
                {GRADES ",\"cap\":17", 400, "cap: must be a whole number from 1 to 16"},
                {GRADES ",\"line\":{\"speed\":1}", 400, "line.speed: is not a field that is known here"},
                {GRADES ",\"currency\":\"won\"", 400, "currency: must be three capital letters"},
                {GRADES ",\"endsAt\":\"2026-11-21T12:00:00Z\"", 422, "ENDS_BEFORE_OPENING"},
                {GRADES ",\"line\":{\"lobbyOpensAt\":\"2026-11-21T12:00:00.001Z\"}", 422, "LOBBY_AFTER_OPENING"},
                {",\"grades\":[{\"category\":\"Gold\",\"amount\":1}]", 422, "CATEGORY_UNKNOWN"},
                {",\"grades\":[{\"category\":\"R\",\"amount\":1},{\"category\":\"R\",\"amount\":1}]", 422, "CATEGORY_TWICE"},
        };
        const char *plan = make_plan(make_venue());
        const char *event = make_event("Refused");
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                assert_int_equal(post_schedule(event, OWNER, "", plan, rows[i].more), rows[i].status);
                assert_true(kit_says(rows[i].code));
        }
        assert_int_equal(post_schedule(event, OWNER, "", "plan_0000000000001", GRADES), 422);
        assert_true(kit_says("PLAN_UNKNOWN"));
        assert_int_equal(post_schedule("event_0000000000001", OWNER, "", plan, GRADES), 404);
        assert_int_equal(get(path_of("/events/%s/schedules", event)), 200);
        assert_string_equal(kit_heard_body, "{\"schedules\":[]}");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_venues),
                cmocka_unit_test(test_plans),
                cmocka_unit_test(test_events),
                cmocka_unit_test(test_the_list),
                cmocka_unit_test(test_schedules),
                cmocka_unit_test(test_schedules_that_are_refused),
        };
        return cmocka_run_group_tests(tests, open_office, close_office);
}
