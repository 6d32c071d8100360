/* json_jansson_test.c: what the json port promises, and how it words what is wrong. */
#include "base/unit_test.h"

#include <stdio.h>

#include "base/fault.h"
#include "port/json.h"

struct price { struct text name; int64_t amount; };
struct line { int64_t capacity; bool enabled; };

struct body {
        struct text title;
        int64_t count, at, flag;
        uint64_t hold;
        double x;
        bool open;
        struct line line;
        struct json_list prices, seats;
        struct text raw;
};

static const struct json_field price_fields[] = {
        {.name = "name", .type = JSON_TEXT, .offset = offsetof(struct price, name), .min = 1, .max = 4},
        {.name = "amount", .type = JSON_INTEGER, .offset = offsetof(struct price, amount), .min = 0, .max = 100},
        {0},
};
static const struct json_field price_item = {.type = JSON_OBJECT, .fields = price_fields};
static const struct json_field seat_item = {.type = JSON_INTEGER, .min = 0, .max = UINT32_MAX};
static const struct json_field line_fields[] = {
        {.name = "capacity", .type = JSON_INTEGER, .offset = offsetof(struct line, capacity), .min = 1, .max = 10},
        {.name = "enabled", .type = JSON_BOOL, .optional = true, .offset = offsetof(struct line, enabled)},
        {0},
};
#define OPTIONAL(field, kind, ...) {.name = #field, .type = kind, .optional = true, .offset = offsetof(struct body, field), __VA_ARGS__}
static const struct json_field fields[] = {
        {.name = "title", .type = JSON_TEXT, .offset = offsetof(struct body, title), .min = 1, .max = 5},
        OPTIONAL(count, JSON_INTEGER, .min = -5, .max = INT64_MAX),
        OPTIONAL(at, JSON_TIME),
        OPTIONAL(hold, JSON_ID, .prefix = "hold"),
        OPTIONAL(x, JSON_REAL, .min = -10, .max = 10),
        OPTIONAL(open, JSON_BOOL),
        OPTIONAL(flag, JSON_FLAG),
        OPTIONAL(line, JSON_OBJECT, .fields = line_fields),
        OPTIONAL(prices, JSON_LIST, .item = &price_item, .item_size = sizeof(struct price), .max = 3),
        OPTIONAL(seats, JSON_LIST, .item = &seat_item, .item_size = sizeof(int64_t), .min = 1, .max = 1000000),
        OPTIONAL(raw, JSON_RAW),
        {0},
};

static struct arena arena;
static char problem[JSON_PROBLEM_MAX];

static int arena_open(void **state) {
        (void)state;
        arena_init(&arena, 1 << 20);
        return 0;
}

static int arena_close(void **state) {
        (void)state;
        arena_deinit(&arena);
        return 0;
}

static int read_body(const char *body, struct body *into) {
        snprintf(problem, sizeof problem, "(none)");
        return json_read(text_of(body), fields, into, &arena, problem);
}

static void fills_the_struct(void **state) {
        (void)state;
        struct body body = {.count = 7, .raw = TEXT("kept")};
        char bytes[] = "{\"title\":\"\\uc11c\xec\x9a\xb8\",\"at\":\"2026-11-21T11:00:00Z\",\"hold\":\"hold_0000000000001\","
                       "\"x\":-1.5,\"open\":true,\"line\":{\"enabled\":true,\"capacity\":10},\"count\":null,"
                       "\"prices\":[{\"name\":\"VIP\",\"amount\":100},{\"amount\":0,\"name\":\"R\"}],\"seats\":[1,4294967295],"
                       "\"raw\":{ \"a\" : [1, 0.5, \"x\"] } }";
        assert_int_equal(read_body(bytes, &body), 0);
        memset(bytes, '!', sizeof bytes - 1); /* nothing points back into the body */
        assert_true(text_equal(body.title, TEXT("서울")));
        assert_int_equal(body.title.at[body.title.length], 0);
        assert_int_equal(body.count, 7);
        assert_int_equal(body.at, INT64_C(1795258800000));
        assert_int_equal(body.hold, 1);
        assert_true(body.x == -1.5 && body.open && body.line.enabled);
        assert_int_equal(body.line.capacity, 10);
        assert_int_equal(body.prices.count, 2);
        const struct price *prices = body.prices.items;
        assert_true(text_equal(prices[0].name, TEXT("VIP")) && text_equal(prices[1].name, TEXT("R")));
        assert_int_equal(prices[0].amount, 100);
        const int64_t *seats = body.seats.items;
        assert_int_equal(body.seats.count, 2);
        assert_int_equal(seats[1], UINT32_MAX);
        assert_true(text_equal(body.raw, TEXT("{\"a\":[1,0.5,\"x\"]}")));
}

static void a_whole_number_is_a_real_too(void **state) {
        (void)state;
        struct body body = {0};
        assert_int_equal(read_body("{\"title\":\"a\",\"x\":3}", &body), 0);
        assert_true(body.x == 3.0);
}

static void a_flag_tells_false_from_absent(void **state) {
        (void)state;
        static const struct { const char *body; int64_t flag; } rows[] = {
                {"{\"title\":\"a\"}", -7}, {"{\"title\":\"a\",\"flag\":false}", 0}, {"{\"title\":\"a\",\"flag\":true}", 1},
        };
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                struct body body = {.flag = -7};
                assert_int_equal(read_body(rows[i].body, &body), 0);
                assert_int_equal(body.flag, rows[i].flag);
        }
}

static void the_first_mistake_is_named_with_its_path(void **state) {
        (void)state;
        static const struct { const char *body, *problem; } rows[] = {
                {"{}", "title: is required"},
                {"{\"title\":null}", "title: must be text"},
                {"{\"title\":1}", "title: must be text"},
                {"{\"title\":\"\"}", "title: must have 1 to 5 characters"},
                {"{\"title\":\"서울시청앞역\"}", "title: must have 1 to 5 characters"},
                {"{\"title\":\"a\",\"colour\":1}", "colour: is not a field that is known here"},
                {"{\"title\":\"a\",\"count\":1.0}", "count: must be a whole number from -5 to 9223372036854775807"},
                {"{\"title\":\"a\",\"count\":1e2}", "count: must be a whole number from -5 to 9223372036854775807"},
                {"{\"title\":\"a\",\"count\":\"1\"}", "count: must be a whole number from -5 to 9223372036854775807"},
                {"{\"title\":\"a\",\"count\":-6}", "count: must be a whole number from -5 to 9223372036854775807"},
                {"{\"title\":\"a\",\"x\":10.5}", "x: must be a number from -10 to 10"},
                {"{\"title\":\"a\",\"x\":\"1\"}", "x: must be a number from -10 to 10"},
                {"{\"title\":\"a\",\"open\":0}", "open: must be true or false"},
                {"{\"title\":\"a\",\"at\":\"tomorrow\"}", "at: must be a time like \"2026-11-21T11:00:00Z\""},
                {"{\"title\":\"a\",\"at\":5}", "at: must be a time like \"2026-11-21T11:00:00Z\""},
                {"{\"title\":\"a\",\"hold\":\"order_0000000000001\"}", "hold: must be an id like \"hold_0123456789abc\""},
                {"{\"title\":\"a\",\"hold\":1}", "hold: must be an id like \"hold_0123456789abc\""},
                {"{\"title\":\"a\",\"line\":[]}", "line: must be an object"},
                {"{\"title\":\"a\",\"line\":{}}", "line.capacity: is required"},
                {"{\"title\":\"a\",\"line\":{\"capacity\":1,\"speed\":1}}", "line.speed: is not a field that is known here"},
                {"{\"title\":\"a\",\"prices\":{}}", "prices: must be a list"},
                {"{\"title\":\"a\",\"prices\":[{\"name\":\"a\",\"amount\":0},{\"name\":\"b\",\"amount\":101}]}",
                 "prices[1].amount: must be a whole number from 0 to 100"},
                {"{\"title\":\"a\",\"prices\":[1]}", "prices[0]: must be an object"},
                {"{\"title\":\"a\",\"prices\":[{},{},{},{}]}", "prices: must have 0 to 3 items"},
                {"{\"title\":\"a\",\"seats\":[]}", "seats: must have 1 to 1000000 items"},
                {"{\"title\":\"a\",\"seats\":[1,null]}", "seats[1]: must be a whole number from 0 to 4294967295"},
        };
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                struct body body = {0};
                assert_int_equal(read_body(rows[i].body, &body), 1);
                assert_string_equal(problem, rows[i].problem);
        }
}

static void refuses_what_is_no_json(void **state) {
        (void)state;
        static const char *const rows[] = {
                "", " ", "{", "{\"title\"", "{\"title\":\"a\"", "{\"title\":\"a\",}", "{\"title\":\"a\"}}", "{\"title\":\"a\"} x",
                "{title:\"a\"}", "{'title':'a'}", "{\"title\":\"a\",\"title\":\"b\"}", "{\"title\":\"\\ud800\"}", "{\"title\":\"\\u0000\"}",
                "{\"title\":\"\xc0\xaf\"}", "{\"title\":\"\xed\xa0\x80\"}", "{\"title\":\"a\xff\"}", "{\"title\":\"a\nb\"}",
                "{\"title\":\"a\",\"count\":01}", "{\"title\":\"a\",\"count\":+1}", "{\"title\":\"a\",\"count\":0x1}",
                "{\"title\":\"a\",\"count\":99999999999999999999}", "{\"title\":\"a\",\"x\":1e999}", "{\"title\":\"a\",\"x\":NaN}",
                "{\"title\":\"a\",\"open\":True}", "{\"title\":\"a\" /* */}", "\xef\xbb\xbf{\"title\":\"a\"}", "[{\"title\":\"a\"}",
        };
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                struct body body = {0};
                assert_int_equal(read_body(rows[i], &body), 1);
                assert_ptr_equal(strstr(problem, "The body is not valid JSON: line "), problem);
        }
        static const char *const others[] = {"null", "1", "\"a\""};
        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
                struct body body = {0};
                assert_int_equal(read_body(others[i], &body), 1);
        }
        struct body body = {0};
        assert_int_equal(read_body("[]", &body), 1);
        assert_string_equal(problem, "The body must be an object");
}

static void refuses_a_nul_byte_wherever_it_is(void **state) {
        (void)state;
        static const char bytes[] = "{\"title\":\"a\"}\0";
        struct body body = {0};
        assert_int_equal(json_read((struct text){bytes, sizeof bytes - 1}, fields, &body, &arena, problem), 1);
        assert_string_equal(problem, "The body must not contain a NUL byte");
}

static void depth_is_limited_before_parsing(void **state) {
        (void)state;
        static char deep[2000000];
        struct body body = {0};
        memset(deep, '[', sizeof deep - 1);
        assert_int_equal(read_body(deep, &body), 1);
        assert_string_equal(problem, "The body is nested too deeply");
        char bytes[128] = "{\"title\":\"a\",\"raw\":";
        for (int levels = 1; levels <= JSON_DEPTH_MAX; levels++) {
                char *end = bytes + strlen("{\"title\":\"a\",\"raw\":");
                memset(end, '[', (size_t)levels);
                memset(end + levels, ']', (size_t)levels);
                memcpy(end + 2 * levels, "}", 2);
                assert_int_equal(read_body(bytes, &body), levels < JSON_DEPTH_MAX ? 0 : 1);
        }
        assert_string_equal(problem, "The body is nested too deeply");
        assert_int_equal(read_body("{\"title\":\"a\",\"raw\":\"\\\"[[[[[[[[[[[[[[[[[[[[[[[\"}", &body), 0);
}

static void the_arena_s_limit_is_the_document_s(void **state) {
        (void)state;
        char bytes[4096] = "{\"title\":\"a\",\"raw\":[";
        size_t length = strlen(bytes);
        for (; length < sizeof bytes - 8; length += 3)
                memcpy(bytes + length, "{},", 3);
        memcpy(bytes + length, "{}]}", 5);
        /* Whatever the limit, the answer is a refusal or the whole, never a fault or half of it. */
        unsigned refused = 0;
        for (size_t limit = 0; limit < 1 << 20; limit += 4099) {
                struct arena small;
                arena_init(&small, limit);
                struct body body = {0};
                int r = json_read(text_of(bytes), fields, &body, &small, problem);
                if (r == 1)
                        assert_string_equal(problem, "The body holds more values than are taken here");
                else
                        assert_int_equal(r, 0);
                refused += (unsigned)r;
                arena_deinit(&small);
        }
        assert_in_range(refused, 10, 250);
}

struct heard { unsigned count; char all[1024]; };

static bool hear(void *context, const char *path, const char *reason) {
        struct heard *heard = context;
        heard->count++;
        size_t length = strlen(heard->all);
        snprintf(heard->all + length, sizeof heard->all - length, "%s|%s\n", path, reason);
        return true;
}

static void every_mistake_is_told_to_whoever_wants_them_all(void **state) {
        (void)state;
        struct body body = {0};
        struct heard heard = {0};
        struct text bytes = TEXT("{\"x\":\"a\",\"y\":1,\"prices\":[{\"name\":\"a\",\"amount\":-1},{}],\"line\":{\"capacity\":11}}");
        assert_int_equal(json_read_all(bytes, fields, &body, &arena, hear, &heard), 1);
        assert_string_equal(heard.all, "x|must be a number from -10 to 10\n"
                                       "y|is not a field that is known here\n"
                                       "prices[0].amount|must be a whole number from 0 to 100\n"
                                       "prices[1].name|is required\n"
                                       "prices[1].amount|is required\n"
                                       "line.capacity|must be a whole number from 1 to 10\n"
                                       "title|is required\n");
        heard = (struct heard){0};
        assert_int_equal(json_read_all(TEXT("{"), fields, &body, &arena, hear, &heard), 1);
        assert_int_equal(heard.count, 1);
        heard = (struct heard){0};
        assert_int_equal(json_read_all(TEXT("{\"title\":\"a\"}"), fields, &body, &arena, hear, &heard), 0);
        assert_int_equal(heard.count, 0);
}

static void long_names_are_cut(void **state) {
        (void)state;
        char bytes[2048] = "{\"";
        memset(bytes + 2, 'n', 1500);
        memcpy(bytes + 1502, "\":1}", 5);
        struct body body = {0};
        assert_int_equal(read_body(bytes, &body), 1);
        assert_int_equal(strlen(problem), JSON_PROBLEM_MAX - 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(fills_the_struct),
                cmocka_unit_test(a_whole_number_is_a_real_too),
                cmocka_unit_test(a_flag_tells_false_from_absent),
                cmocka_unit_test(the_first_mistake_is_named_with_its_path),
                cmocka_unit_test(refuses_what_is_no_json),
                cmocka_unit_test(refuses_a_nul_byte_wherever_it_is),
                cmocka_unit_test(depth_is_limited_before_parsing),
                cmocka_unit_test(the_arena_s_limit_is_the_document_s),
                cmocka_unit_test(every_mistake_is_told_to_whoever_wants_them_all),
                cmocka_unit_test(long_names_are_cut),
        };
        return cmocka_run_group_tests(tests, arena_open, arena_close);
}
