/* The answer parser and the JSON scan, with whole, cut and broken answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rehearse/http_answer.h"
#include "rehearse/json_scan.h"

static int64_t parse(const char *bytes, struct http_answer *ret_answer) {
        return http_answer_parse(ret_answer, bytes, strlen(bytes));
}

static const char whole[] = "HTTP/1.1 201 Created\r\nDate: now\r\nContent-Type: application/json\r\nContent-Length: "
                            "12\r\n\r\n{\"a\":\"b\\\"c\"}";

static void test_whole_answer(void **state) {
        (void)state;
        struct http_answer answer;
        assert_int_equal(parse(whole, &answer), sizeof whole - 1);
        assert_int_equal(answer.status, 201);
        assert_false(answer.close);
        assert_int_equal(answer.body.length, 12);
        assert_memory_equal(answer.body.at, "{\"a\":\"b\\\"c\"}", 12);
}

static void test_every_cut_needs_more(void **state) {
        (void)state;
        struct http_answer answer;
        for (size_t n = 0; n < sizeof whole - 1; n++)
                assert_int_equal(http_answer_parse(&answer, whole, n), 0);
}

static void test_next_answer_is_left_alone(void **state) {
        (void)state;
        struct http_answer answer;
        const char *two = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\n";
        assert_int_equal(parse(two, &answer), strstr(two, "\r\n\r\n") - two + 4);
        assert_int_equal(answer.status, 204);
        assert_true(answer.close);
        assert_int_equal(answer.body.length, 0);
}

static void test_retry_after(void **state) {
        (void)state;
        struct http_answer answer;
        assert_true(parse("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", &answer) > 0);
        assert_int_equal(answer.retry_after, 7);
}

static void test_what_is_no_answer(void **state) {
        (void)state;
        static const char *const wrong[] = {
                "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 100 Continue\r\n\r\n",
                "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 200 OK\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
                "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "HTTP/1.1 200 OK\r\n folded: 1\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
                "HTTP/1.1 200 OK\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n",
        };
        struct http_answer answer;
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
                assert_true(parse(wrong[i], &answer) < 0);
}

static void assert_text(struct text text, const char *expected) {
        assert_int_equal(text.length, strlen(expected));
        assert_memory_equal(text.at, expected, text.length);
}

static void test_members(void **state) {
        (void)state;
        struct text json = TEXT(" {\"in\":{\"a\":1,\"s\":\"}\"},\"a\": 2 "
                                ",\"s\":\"x\\\"]\",\"n\":null,\"list\":[1,[2],{\"a\":3}],\"t\":true}");
        assert_text(json_member(json, "in"), "{\"a\":1,\"s\":\"}\"}");
        assert_int_equal(json_member_number(json, "a", -1), 2);
        assert_int_equal(json_member_number(json_member(json, "in"), "a", -1), 1);
        assert_text(json_member(json, "s"), "x\\\"]");
        assert_null(json_member(json, "n").at);
        assert_null(json_member(json, "absent").at);
        assert_int_equal(json_member_number(json, "s", -1), -1);
        assert_text(json_member(json, "t"), "true");
}

static void test_items(void **state) {
        (void)state;
        struct text list = json_member(TEXT("{\"list\":[1,[2,3] , {\"a\":4},\"x,y\"]}"), "list"), item;
        static const char *const expected[] = {"1", "[2,3]", "{\"a\":4}", "x,y"};
        size_t at = 0;
        for (unsigned i = 0; i < 4; i++) {
                assert_true(json_item(list, &at, &item));
                assert_text(item, expected[i]);
        }
        assert_false(json_item(list, &at, &item));
        at = 0;
        assert_false(json_item(TEXT("[]"), &at, &item));
        at = 0;
        assert_false(json_item(TEXT(""), &at, &item));
}

static void test_broken_json_finds_nothing(void **state) {
        (void)state;
        static const char *const broken[] = {
                "", "{", "[1]", "{\"a\"", "{\"a\":", "{\"a\":\"x", "{\"a\":[1", "{\"b\":1 \"a\":2}", "{a:1}"};
        for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
                assert_null(json_member(text_of(broken[i]), "a").at);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_whole_answer),
                cmocka_unit_test(test_every_cut_needs_more),
                cmocka_unit_test(test_next_answer_is_left_alone),
                cmocka_unit_test(test_retry_after),
                cmocka_unit_test(test_what_is_no_answer),
                cmocka_unit_test(test_members),
                cmocka_unit_test(test_items),
                cmocka_unit_test(test_broken_json_finds_nothing),
        };
        return cmocka_run_group_tests(tests, 0, 0);
}
