/* Raw requests and the verdict each must get, whole and byte by byte. */
#include "base/unit_test.h"
#include "edge/http1.h"

#include <stdio.h>
#include <stdlib.h>

#define HOST "Host: a.example\r\n"
#define GET11 "GET / HTTP/1.1\r\n"
#define POST11 "POST / HTTP/1.1\r\n"

enum { WHOLE = 1, MORE = 0 };

/* verdict: WHOLE, MORE, or minus the status. */
static const struct {
        const char *why;
        struct text bytes;
        int verdict;
} rows[] = {
        {"the shortest request", TEXT(GET11 HOST "\r\n"), WHOLE},
        {"bytes behind the head are not looked at", TEXT(GET11 HOST "\r\n\0\1\2"), WHOLE},
        {"nothing yet", TEXT(""), MORE},
        {"one empty line before is forgiven", TEXT("\r\n" GET11 HOST "\r\n"), WHOLE},
        {"two are not", TEXT("\r\n\r\n" GET11 HOST "\r\n"), -400},
        {"a half empty line before", TEXT("\r"), MORE},
        {"no empty line at the end", TEXT(GET11 HOST), MORE},
        {"a half empty line at the end", TEXT(GET11 HOST "\r"), MORE},

        {"bare LF after the request line", TEXT("GET / HTTP/1.1\n" HOST "\r\n"), -400},
        {"bare LF after a header", TEXT(GET11 "Host: a.example\n\r\n"), -400},
        {"bare LF at the end", TEXT(GET11 HOST "\n"), -400},
        {"bare LF before", TEXT("\n" GET11 HOST "\r\n"), -400},
        {"bare CR in the request line", TEXT("GET /\r HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"bare CR in a value", TEXT(GET11 HOST "A: b\rc\r\n\r\n"), -400},
        {"bare CR before the end of a value", TEXT(GET11 HOST "A: b\r\r\n\r\n"), -400},
        {"NUL in the target", TEXT("GET /\0 HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"NUL in a name", TEXT(GET11 HOST "A\0: b\r\n\r\n"), -400},
        {"NUL in a value", TEXT(GET11 HOST "A: b\0\r\n\r\n"), -400},
        {"a control character in a value", TEXT(GET11 HOST "A: b\x01\r\n\r\n"), -400},
        {"a control character in a long value", TEXT(GET11 HOST "A: abcdefghijklmnop\x1fqrstuvwxyz\r\n\r\n"), -400},
        {"DEL in a value", TEXT(GET11 HOST "A: abcdefgh\x7f\r\n\r\n"), -400},
        {"a tab in a value", TEXT(GET11 HOST "A: abcd\tefghijkl\r\n\r\n"), WHOLE},
        {"bytes above 127 in a value", TEXT(GET11 HOST "A: \xc3\xa4\xff\r\n\r\n"), WHOLE},
        {"an escape character in the method", TEXT("G\x1bT / HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"the greeting of TLS", TEXT("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n"), -400},

        {"the greeting of TLS, without any line end", TEXT("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), -400},
        {"a control character in a line without end", TEXT("GET /a\x01"), -400},
        {"a control character before an unknown version", TEXT("GET /\x01 HTTP/2.0\r\n" HOST "\r\n"), -400},
        {"bare CR in a line without end", TEXT("GET /\rb"), -400},
        {"half a line end", TEXT("GET / HTTP/1.1\r"), MORE},
        {"a method that ends with a quote", TEXT("GET\""), -400},
        {"a blank first", TEXT(" "), -400},
        {"a method that does not end", TEXT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), -501},
        {"a long method", TEXT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), MORE},
        {"a too long method decides first", TEXT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"), -501},

        {"two blanks after the method", TEXT("GET  / HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"two blanks after the target", TEXT("GET /  HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"a tab instead of a blank", TEXT("GET\t/ HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"a blank at the end of the request line", TEXT("GET / HTTP/1.1 \r\n" HOST "\r\n"), -400},
        {"a blank before the method", TEXT(" GET / HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"no target", TEXT("GET HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"no version", TEXT("GET /\r\n" HOST "\r\n"), -400},
        {"no method", TEXT(" / HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"version in lower case", TEXT("GET / http/1.1\r\n" HOST "\r\n"), -400},
        {"version with two digits", TEXT("GET / HTTP/1.10\r\n" HOST "\r\n"), -400},
        {"version with a comma", TEXT("GET / HTTP/1,1\r\n" HOST "\r\n"), -400},
        {"HTTP/2.0", TEXT("GET / HTTP/2.0\r\n" HOST "\r\n"), -505},
        {"HTTP/0.9", TEXT("GET / HTTP/0.9\r\n" HOST "\r\n"), -505},
        {"HTTP/1.2", TEXT("GET / HTTP/1.2\r\n" HOST "\r\n"), -505},
        {"the preface of HTTP/2", TEXT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), -505},
        {"HTTP/1.0 without Host", TEXT("GET / HTTP/1.0\r\n\r\n"), WHOLE},

        {"method in lower case", TEXT("get / HTTP/1.1\r\n" HOST "\r\n"), -501},
        {"unknown method", TEXT("BREW / HTTP/1.1\r\n" HOST "\r\n"), -501},
        {"TRACE", TEXT("TRACE / HTTP/1.1\r\n" HOST "\r\n"), -501},
        {"CONNECT", TEXT("CONNECT a.example:80 HTTP/1.1\r\n" HOST "\r\n"), -501},
        {"a method that only begins like one", TEXT("GETS / HTTP/1.1\r\n" HOST "\r\n"), -501},
        {"OPTIONS *", TEXT("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), WHOLE},
        {"GET *", TEXT("GET * HTTP/1.1\r\n" HOST "\r\n"), -400},

        {"a relative target", TEXT("GET a HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"a fragment", TEXT("GET /a#b HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"a quote in the path", TEXT("GET /\"a HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"a backslash in the path", TEXT("GET /a\\b HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"a byte above 127 in the path", TEXT("GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"whole escapes", TEXT("GET /a%2Fb?c=%c3%a4 HTTP/1.1\r\n" HOST "\r\n"), WHOLE},
        {"a cut escape in the path", TEXT("GET /a%2 HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"a wrong escape in the path", TEXT("GET /a%zzb HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"a cut escape in the query", TEXT("GET /?a=% HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"what browsers leave in a query", TEXT("GET /?a[]={b|c}&d=e?f HTTP/1.1\r\n" HOST "\r\n"), WHOLE},
        {"an angle bracket in a query", TEXT("GET /?a=<b> HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"absolute form", TEXT("GET http://b.example:81/c?d HTTP/1.1\r\n" HOST "\r\n"), WHOLE},
        {"absolute form, https, without path", TEXT("GET HTTPS://b.example HTTP/1.1\r\n" HOST "\r\n"), WHOLE},
        {"absolute form without host", TEXT("GET http:///c HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"absolute form with user", TEXT("GET http://u@b.example/ HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"absolute form of another scheme", TEXT("GET ftp://b.example/ HTTP/1.1\r\n" HOST "\r\n"), -400},
        {"absolute form does not replace Host", TEXT("GET http://b.example/ HTTP/1.1\r\n\r\n"), -400},

        {"no Host", TEXT(GET11 "\r\n"), -400},
        {"two Hosts", TEXT(GET11 HOST HOST "\r\n"), -400},
        {"two Hosts, one in other letters", TEXT(GET11 HOST "hOST: b\r\n\r\n"), -400},
        {"empty Host", TEXT(GET11 "Host:\r\n\r\n"), -400},
        {"Host with port", TEXT(GET11 "Host: a.example:8080\r\n\r\n"), WHOLE},
        {"Host with empty port", TEXT(GET11 "Host: a.example:\r\n\r\n"), WHOLE},
        {"Host with too high a port", TEXT(GET11 "Host: a.example:65536\r\n\r\n"), -400},
        {"Host with letters as port", TEXT(GET11 "Host: a.example:http\r\n\r\n"), -400},
        {"Host with only a port", TEXT(GET11 "Host: :80\r\n\r\n"), -400},
        {"Host with IPv6", TEXT(GET11 "Host: [::1]:80\r\n\r\n"), WHOLE},
        {"Host with open IPv6", TEXT(GET11 "Host: [::1\r\n\r\n"), -400},
        {"Host with something behind IPv6", TEXT(GET11 "Host: [::1]a\r\n\r\n"), -400},
        {"Host with a path", TEXT(GET11 "Host: a.example/b\r\n\r\n"), -400},
        {"Host with a user", TEXT(GET11 "Host: u@a.example\r\n\r\n"), -400},
        {"Host with a blank", TEXT(GET11 "Host: a b\r\n\r\n"), -400},
        {"two hosts in one Host", TEXT(GET11 "Host: a, b\r\n\r\n"), -400},

        {"a blank before the colon", TEXT(GET11 HOST "A : b\r\n\r\n"), -400},
        {"a tab before the colon", TEXT(GET11 HOST "A\t: b\r\n\r\n"), -400},
        {"no colon", TEXT(GET11 HOST "A\r\n\r\n"), -400},
        {"no name", TEXT(GET11 HOST ": b\r\n\r\n"), -400},
        {"a name with a slash", TEXT(GET11 HOST "A/B: c\r\n\r\n"), -400},
        {"a folded header", TEXT(GET11 HOST "A: b\r\n c\r\n\r\n"), -400},
        {"a header folded with a tab", TEXT(GET11 HOST "A: b\r\n\tc\r\n\r\n"), -400},
        {"a blank before the first header", TEXT(GET11 " " HOST "\r\n"), -400},
        {"an empty value", TEXT(GET11 HOST "A:\r\n\r\n"), WHOLE},

        {"Content-Length", TEXT(POST11 HOST "Content-Length: 5\r\n\r\n"), WHOLE},
        {"Content-Length twice", TEXT(POST11 HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"), -400},
        {"Content-Length as a list", TEXT(POST11 HOST "Content-Length: 5, 5\r\n\r\n"), -400},
        {"Content-Length with a sign", TEXT(POST11 HOST "Content-Length: +5\r\n\r\n"), -400},
        {"negative Content-Length", TEXT(POST11 HOST "Content-Length: -5\r\n\r\n"), -400},
        {"hexadecimal Content-Length", TEXT(POST11 HOST "Content-Length: 0x5\r\n\r\n"), -400},
        {"empty Content-Length", TEXT(POST11 HOST "Content-Length:\r\n\r\n"), -400},
        {"Content-Length with a fraction", TEXT(POST11 HOST "Content-Length: 5.0\r\n\r\n"), -400},
        {"Content-Length beyond 64 bits", TEXT(POST11 HOST "Content-Length: 18446744073709551621\r\n\r\n"), -400},
        {"chunked", TEXT(POST11 HOST "Transfer-Encoding: Chunked\r\n\r\n"), WHOLE},
        {"chunked and Content-Length", TEXT(POST11 HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"), -400},
        {"Content-Length and chunked", TEXT(POST11 HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"), -400},
        {"chunked twice", TEXT(POST11 HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), -400},
        {"gzip, chunked", TEXT(POST11 HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"), -400},
        {"identity", TEXT(POST11 HOST "Transfer-Encoding: identity\r\n\r\n"), -400},
        {"chunked with a vertical tab", TEXT(POST11 HOST "Transfer-Encoding: \x0b" "chunked\r\n\r\n"), -400},
        {"xchunked", TEXT(POST11 HOST "Transfer-Encoding: xchunked\r\n\r\n"), -400},
        {"chunked in HTTP/1.0", TEXT("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"), -400},

        {"Expect", TEXT(POST11 HOST "Expect: 100-Continue\r\n\r\n"), WHOLE},
        {"another expectation", TEXT(POST11 HOST "Expect: 200-ok\r\n\r\n"), -417},
        {"the first wrong line decides", TEXT("BREW / HTTP/1.1\r\nA b\r\n\r\n"), -501},
        {"and what follows is not waited for", TEXT("GET / HTTP/1.1\r\nA b\r\n"), -400},
};

static int verdict_of(int result) {
        return result > 0 ? WHOLE : result;
}

/* Copies, so that a look behind the end is a look outside the memory (sanitizers see it). */
static int parse_copy(struct http_head *head, struct text bytes) {
        char *copy = malloc(bytes.length > 0 ? bytes.length : 1);
        memcpy(copy, bytes.at, bytes.length);
        int result = http1_parse_head(head, copy, bytes.length);
        free(copy);
        return result;
}

static int parse_byte_by_byte(struct text bytes) {
        struct http_head head;
        for (size_t n = 0; n < bytes.length; n++) {
                int result = parse_copy(&head, (struct text){bytes.at, n});
                if (result != 0)
                        return result;
        }
        return parse_copy(&head, bytes);
}

static void verdicts(void **state) {
        (void)state;
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                struct http_head head;
                int whole = parse_copy(&head, rows[i].bytes), slowly = parse_byte_by_byte(rows[i].bytes);
                if (verdict_of(whole) != rows[i].verdict)
                        fail_msg("%s: %d, not %d", rows[i].why, whole, rows[i].verdict);
                if (whole != slowly)
                        fail_msg("%s: %d whole, %d byte by byte", rows[i].why, whole, slowly);
        }
}

static void fields(void **state) {
        (void)state;
        struct text bytes = TEXT("POST /a/b?c=d HTTP/1.1\r\nHOST: x.example:1\r\nContent-Length: 42\r\nExpect: 100-continue\r\n"
                                 "X-Two: \t one \t\r\nx-two: two\r\n\r\nbody");
        struct http_head head;
        assert_int_equal(http1_parse_head(&head, bytes.at, bytes.length), bytes.length - 4);
        assert_int_equal(head.length, bytes.length - 4);
        assert_int_equal(head.method, HTTP_POST);
        assert_true(text_equal(head.path, TEXT("/a/b")));
        assert_true(text_equal(head.query, TEXT("c=d")));
        assert_true(text_equal(head.host, TEXT("x.example:1")));
        assert_int_equal(head.content_length, 42);
        assert_true(head.keep_alive && head.expect_continue && !head.chunked && !head.http_1_0);
        assert_int_equal(head.header_count, 5);
        assert_true(text_equal(http_header_of(&head, "x-two"), TEXT("one")));
        assert_int_equal(http_header_times(&head, "x-two"), 2);
        assert_null(http_header_of(&head, "x-three").at);

        bytes = TEXT("GET http://y.example?q HTTP/1.1\r\n" HOST "\r\n");
        assert_true(http1_parse_head(&head, bytes.at, bytes.length) > 0);
        assert_true(text_equal(head.path, TEXT("/")));
        assert_true(text_equal(head.query, TEXT("q")));
        assert_true(text_equal(head.host, TEXT("y.example")));
        assert_int_equal(head.content_length, 0);
        assert_false(head.expect_continue);
}

static void methods(void **state) {
        (void)state;
        static const char *const names[] = {NULL, "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
        for (unsigned method = HTTP_GET; method <= HTTP_OPTIONS; method++) {
                char bytes[64];
                int n = snprintf(bytes, sizeof bytes, "%s / HTTP/1.1\r\n" HOST "\r\n", names[method]);
                struct http_head head;
                assert_int_equal(http1_parse_head(&head, bytes, (size_t)n), n);
                assert_int_equal(head.method, method);
        }
}

static void persistence(void **state) {
        (void)state;
        static const struct {
                const char *bytes;
                bool keeps;
        } cases[] = {
                {GET11 HOST "\r\n", true},
                {GET11 HOST "Connection: close\r\n\r\n", false},
                {GET11 HOST "Connection: Close\r\n\r\n", false},
                {GET11 HOST "Connection: TE, close\r\n\r\n", false},
                {GET11 HOST "Connection: TE\r\nConnection: close\r\n\r\n", false},
                {GET11 HOST "Connection: keep-alive, close\r\n\r\n", false},
                {GET11 HOST "Connection: closed\r\n\r\n", true},
                {"GET / HTTP/1.0\r\n\r\n", false},
                {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
                {"GET / HTTP/1.0\r\nConnection: ,, Keep-Alive ,\r\n\r\n", true},
        };
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                struct http_head head;
                assert_true(http1_parse_head(&head, cases[i].bytes, strlen(cases[i].bytes)) > 0);
                if (head.keep_alive != cases[i].keeps)
                        fail_msg("keep_alive of %s", cases[i].bytes);
        }
}

/* A request with `fill` letters in one place must get the verdict, and the same byte by byte. */
static int limit_verdict(const char *before, size_t fill, const char *after) {
        size_t before_length = strlen(before), after_length = strlen(after), length = before_length + fill + after_length;
        char *bytes = malloc(length);
        memcpy(bytes, before, before_length);
        memset(bytes + before_length, 'a', fill);
        memcpy(bytes + before_length + fill, after, after_length);
        int whole = parse_byte_by_byte((struct text){bytes, length});
        struct http_head head;
        assert_int_equal(http1_parse_head(&head, bytes, length), whole);
        free(bytes);
        return verdict_of(whole);
}

static void limits_of_lines(void **state) {
        (void)state;
        const size_t target = HTTP_LINE_MAX - (sizeof "GET / HTTP/1.1" - 1);
        assert_int_equal(limit_verdict("GET /", target, " HTTP/1.1\r\n" HOST "\r\n"), WHOLE);
        assert_int_equal(limit_verdict("GET /", target + 1, " HTTP/1.1\r\n" HOST "\r\n"), -414);
        assert_int_equal(limit_verdict("GET /", HTTP_LINE_MAX * 4, ""), -414);
        assert_int_equal(limit_verdict("\r\nGET /", target, " HTTP/1.1\r\n" HOST "\r\n"), WHOLE);

        const size_t value = HTTP_LINE_MAX - (sizeof "A: " - 1);
        assert_int_equal(limit_verdict(GET11 HOST "A: ", value, "\r\n\r\n"), WHOLE);
        assert_int_equal(limit_verdict(GET11 HOST "A: ", value + 1, "\r\n\r\n"), -431);
        assert_int_equal(limit_verdict(GET11 HOST, HTTP_LINE_MAX * 2, ""), -431);
        assert_int_equal(limit_verdict(GET11 "Host: ", 255, "\r\n\r\n"), WHOLE);
        assert_int_equal(limit_verdict(GET11 "Host: ", 256, "\r\n\r\n"), -400);
}

/* Heads of three lines of 'a' that end exactly so many bytes from the limit. */
static void limit_of_the_head(void **state) {
        (void)state;
        char before[HTTP_HEAD_MAX];
        const size_t line = 5000;
        size_t n = 0;
        n += (size_t)snprintf(before + n, sizeof before - n, GET11 HOST);
        for (unsigned i = 0; i < 3; i++)
                n += (size_t)snprintf(before + n, sizeof before - n, "A: %0*d\r\n", (int)line, 0);
        n += (size_t)snprintf(before + n, sizeof before - n, "B: ");
        size_t fill = HTTP_HEAD_MAX - n - 4;
        assert_int_equal(limit_verdict(before, fill, "\r\n\r\n"), WHOLE);
        assert_int_equal(limit_verdict(before, fill + 1, "\r\n\r\n"), -431);
        assert_int_equal(limit_verdict(before, fill + 3, "\r\n\r\n"), -431);
        assert_int_equal(limit_verdict(before, fill + 3, "\n\n"), -400);
        assert_int_equal(limit_verdict(before, fill + 4, "\n\n"), -431);
}

static void limit_of_headers(void **state) {
        (void)state;
        for (unsigned more = 0; more < 2; more++) {
                struct http_head head;
                char bytes[2048];
                size_t n = (size_t)snprintf(bytes, sizeof bytes, GET11 HOST);
                for (unsigned i = 1; i < HTTP_HEADERS_MAX + more; i++)
                        n += (size_t)snprintf(bytes + n, sizeof bytes - n, "a: b\r\n");
                n += (size_t)snprintf(bytes + n, sizeof bytes - n, "\r\n");
                assert_int_equal(verdict_of(http1_parse_head(&head, bytes, n)), more ? -431 : WHOLE);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(verdicts),        cmocka_unit_test(fields),
                cmocka_unit_test(methods),         cmocka_unit_test(persistence),
                cmocka_unit_test(limits_of_lines), cmocka_unit_test(limit_of_the_head),
                cmocka_unit_test(limit_of_headers),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
