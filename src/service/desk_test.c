/* desk_test.c: the way of a command, and what all routes read alike. Edge and lane are fakes that note what they are
 * told. */
#include "service/desk.h"

#include "port/crypto.h"
#include "service/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* --- fakes --- */

static struct {
        unsigned times;
        int status;
        char code[48], detail[256];
        unsigned retry_after;
} answered;
static struct edge_parcel *posted;
static struct edge_loop *posted_to;
static struct lane_command *submitted;
static int submit_fault;

void edge_answer_problem(struct request *request, int status, const char *code, const char *detail,
                         unsigned retry_after_seconds) {
        (void)request;
        answered.times++;
        answered.status = status;
        answered.retry_after = retry_after_seconds;
        snprintf(answered.code, sizeof answered.code, "%s", code);
        snprintf(answered.detail, sizeof answered.detail, "%s", detail);
}

void edge_post(struct edge_loop *loop, struct edge_parcel *parcel) {
        assert_null(posted);
        posted_to = loop;
        posted = parcel;
}

int lane_submit(struct lane *lane, struct lane_command *command) {
        (void)lane;
        submitted = command;
        return submit_fault;
}

/* --- the world --- */

static struct request request;
static const struct route route = {.operation = "createThing"};
static char loop_place;

static int set_up(void **state) {
        (void)state;
        answered.times = 0;
        posted = NULL;
        submitted = NULL;
        submit_fault = 0;
        request =
                (struct request){.route = &route, .caller.account = 7, .loop = (struct edge_loop *)(void *)&loop_place};
        arena_init(&request.arena, EDGE_ARENA_MAX);
        return crypto_start();
}

static int tear_down(void **state) {
        (void)state;
        arena_deinit(&request.arena);
        return 0;
}

static void set_header(const char *name, const char *value) {
        request.head.headers[request.head.header_count++] = (struct http_header){text_of(name), text_of(value)};
}

static void assert_refused(int status, const char *code) {
        assert_int_equal(answered.times, 1);
        assert_int_equal(answered.status, status);
        assert_string_equal(answered.code, code);
        answered.times = 0;
}

/* --- the way of a command --- */

struct thing_command {
        struct lane_command lane;
        int wish;
        char more[100];
};

static const struct lane_kind kind = {.name = "thing.make"};
static int answers, other_answers;

static void thing_answer(struct request *asked, struct lane_command *command) {
        assert_ptr_equal(asked, &request);
        assert_int_equal(((struct thing_command *)(void *)command)->wish, 42);
        answers++;
}

static void other_answer(struct request *asked, struct lane_command *command) {
        (void)asked, (void)command;
        other_answers++;
}

static struct thing_command *open_thing(void) {
        struct thing_command *command = desk_open(&request, &kind, &answers, sizeof *command, thing_answer);
        assert_non_null(command);
        assert_ptr_equal(command->lane.kind, &kind);
        assert_ptr_equal(command->lane.service, &answers);
        assert_int_equal((uintptr_t)command % 16, 0);
        assert_int_equal(command->more[99], 0);
        assert_ptr_equal(desk_request(&command->lane), &request);
        command->wish = 42;
        answers = other_answers = 0;
        return command;
}

static void deliver(void) {
        struct edge_parcel *parcel = posted;
        assert_non_null(parcel);
        assert_ptr_equal(posted_to, request.loop);
        posted = NULL;
        parcel->deliver(parcel);
}

static void test_there_and_back(void **state) {
        (void)state;
        struct thing_command *command = open_thing();
        desk_submit(NULL, &command->lane);
        assert_ptr_equal(submitted, command);
        assert_null(posted);
        command->lane.outcome = 1;
        command->lane.done(&command->lane);
        assert_int_equal(answers, 0); /* not on the lane's thread */
        deliver();
        assert_int_equal(answers, 1);
        assert_int_equal(answered.times, 0);
}

static void test_faults_become_503(void **state) {
        (void)state;
        static const struct {
                int fault;
                const char *code;
        } faults[] = {{FAULT_BUSY, "OVERLOADED"},
                      {FAULT_STORAGE, "STORAGE_UNAVAILABLE"},
                      {FAULT_CONSTRAINT, "INTERNAL_FAULT"},
                      {-EIO, "INTERNAL_FAULT"}};
        for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
                struct thing_command *command = open_thing();
                command->lane.fault = faults[i].fault;
                command->lane.done(&command->lane);
                deliver();
                assert_int_equal(answers, 0);
                assert_true(answered.retry_after > 0);
                assert_refused(503, faults[i].code);
        }
}

/* The caller may stand on any thread, so even this answer goes by way of the loop. */
static void test_a_full_lane(void **state) {
        (void)state;
        struct thing_command *command = open_thing();
        submit_fault = FAULT_BUSY;
        desk_submit(NULL, &command->lane);
        assert_int_equal(answered.times, 0);
        deliver();
        assert_refused(503, "OVERLOADED");
}

static void test_another_answer_for_a_chain(void **state) {
        (void)state;
        struct thing_command *command = open_thing();
        desk_return(&command->lane, other_answer);
        deliver();
        assert_int_equal(answers, 0);
        assert_int_equal(other_answers, 1);
}

static void test_too_large_for_the_arena(void **state) {
        (void)state;
        assert_null(desk_open(&request, &kind, NULL, EDGE_ARENA_MAX, thing_answer));
        assert_refused(413, "TOO_LARGE");
}

/* --- bodies --- */

struct body {
        int64_t count;
};
static const struct json_field fields[] = {
        {"count", JSON_INTEGER, .offset = offsetof(struct body, count), .min = 1, .max = 9}, {0}};

static void test_body(void **state) {
        (void)state;
        static const char *const types[] = {"application/json", "Application/JSON", "application/json; charset=utf-8",
                                            "application/json;charset=UTF-8", "application/json; charset=\"utf-8\""};
        for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
                struct body body = {0};
                request.head.header_count = 0;
                set_header("Content-Type", types[i]);
                request.body = TEXT("{\"count\":3}");
                assert_true(desk_read_body(&request, fields, &body));
                assert_int_equal(body.count, 3);
        }
}

static void test_body_of_another_type(void **state) {
        (void)state;
        static const char *const types[] = {"",
                                            "text/plain",
                                            "application/jsonp",
                                            "application/json; charset=latin1",
                                            "application/xml",
                                            "application/x-www-form-urlencoded",
                                            "application/json, text/plain"};
        struct body body = {0};
        request.body = TEXT("{\"count\":3}");
        assert_false(desk_read_body(&request, fields, &body));
        assert_refused(415, "UNSUPPORTED_MEDIA_TYPE");
        for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
                request.head.header_count = 0;
                set_header("Content-Type", types[i]);
                assert_false(desk_read_body(&request, fields, &body));
                assert_refused(415, "UNSUPPORTED_MEDIA_TYPE");
        }
}

static void test_body_that_is_wrong(void **state) {
        (void)state;
        struct body body = {0};
        set_header("Content-Type", "application/json");
        request.body = TEXT("{\"count\":10}");
        assert_false(desk_read_body(&request, fields, &body));
        assert_non_null(strstr(answered.detail, "count"));
        assert_refused(400, "INVALID_BODY");
        request.body = (struct text){0};
        assert_false(desk_read_body(&request, fields, &body));
        assert_refused(400, "INVALID_BODY");
}

/* --- paths and pages --- */

static void test_path_id(void **state) {
        (void)state;
        request.parameters[0] = TEXT("venue_0000000000001");
        request.parameters[1] = TEXT("venue_000000000000");
        assert_int_equal(desk_path_id(&request, 0, ID_VENUE), 1);
        assert_int_equal(desk_path_id(&request, 0, ID_EVENT), 0);
        assert_refused(404, "NOT_FOUND");
        assert_int_equal(desk_path_id(&request, 1, ID_VENUE), 0);
        assert_refused(404, "NOT_FOUND");
}

static void test_page(void **state) {
        (void)state;
        unsigned limit;
        uint64_t after;
        assert_true(desk_page(&request, ID_ORDER, &limit, &after));
        assert_int_equal(limit, PAGE_DEFAULT);
        assert_int_equal(after, 0);
        request.head.query = TEXT("limit=100&cursor=order_000000000001f");
        assert_true(desk_page(&request, ID_ORDER, &limit, &after));
        assert_int_equal(limit, PAGE_MAX);
        assert_int_equal(after, 47);
        static const char *const wrong[] = {"limit=0",   "limit=101",
                                            "limit=",    "limit=-1",
                                            "limit=1.5", "limit=20&limit=20",
                                            "limit=%zz", "cursor=hold_000000000001f",
                                            "cursor=",   "cursor=order_000000000001f000000000000"};
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
                request.head.query = text_of(wrong[i]);
                assert_false(desk_page(&request, ID_ORDER, &limit, &after));
                assert_refused(400, "INVALID_QUERY");
        }
}

/* --- idempotency --- */

static struct idempotency idempotency_of(const char *key, const char *body) {
        struct idempotency idempotency = {1, 1};
        request.head.header_count = 0;
        if (key)
                set_header("Idempotency-Key", key);
        request.body = text_of(body);
        request.head.path = TEXT("/api/v1/things");
        assert_true(desk_idempotency(&request, &idempotency));
        return idempotency;
}

static void test_idempotency(void **state) {
        (void)state;
        struct idempotency none = idempotency_of(NULL, "{}");
        assert_true(none.key == 0 && none.fingerprint == 0);
        struct idempotency first = idempotency_of("one", "{}");
        struct idempotency again = idempotency_of("one", "{}");
        assert_true(first.key != 0 && first.key == again.key && first.fingerprint == again.fingerprint);
        assert_true(idempotency_of("two", "{}").key != first.key);
        struct idempotency other_body = idempotency_of("one", "{ }");
        assert_true(other_body.key == first.key && other_body.fingerprint != first.fingerprint);
        /* The same key of somebody else, and of another operation, is another key. */
        request.caller.account = 8;
        assert_true(idempotency_of("one", "{}").key != first.key);
        request.caller.account = 7;
        const struct route other = {.operation = "createOther"};
        request.route = &other;
        assert_true(idempotency_of("one", "{}").key != first.key);
}

static void test_idempotency_key_that_is_wrong(void **state) {
        (void)state;
        char longest[IDEMPOTENCY_KEY_BYTES_MAX + 2];
        struct idempotency idempotency;
        memset(longest, 'k', sizeof longest);
        longest[IDEMPOTENCY_KEY_BYTES_MAX] = '\0';
        idempotency_of(longest, "");
        longest[IDEMPOTENCY_KEY_BYTES_MAX] = 'k';
        longest[IDEMPOTENCY_KEY_BYTES_MAX + 1] = '\0';
        const char *const wrong[] = {"", "a b", "\x7f", "k\xc3\xa4", "\t", longest};
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
                request.head.header_count = 0;
                set_header("idempotency-key", wrong[i]);
                assert_false(desk_idempotency(&request, &idempotency));
                assert_refused(400, "INVALID_IDEMPOTENCY_KEY");
        }
        request.head.header_count = 0;
        set_header("idempotency-key", "one");
        set_header("Idempotency-Key", "two");
        assert_false(desk_idempotency(&request, &idempotency));
        assert_refused(400, "INVALID_IDEMPOTENCY_KEY");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_there_and_back),
                TEST(test_faults_become_503),
                TEST(test_a_full_lane),
                TEST(test_another_answer_for_a_chain),
                TEST(test_too_large_for_the_arena),
                TEST(test_body),
                TEST(test_body_of_another_type),
                TEST(test_body_that_is_wrong),
                TEST(test_path_id),
                TEST(test_page),
                TEST(test_idempotency),
                TEST(test_idempotency_key_that_is_wrong),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
