/* The server as a client sees it, over real sockets: answers, framing, order, connections that go on or end. */
#include "base/metrics.h"
#include "edge/edge_kit_test.h"

#include <stdio.h>

#define HOST "Host: a.example\r\n"
#define HELLO "GET /hello/you HTTP/1.1\r\n" HOST "\r\n"

static void what_each_answer_says(void **state) {
        (void)state;
        struct kit kit;
        kit_open(&kit);
        int fd = client_open(&kit);
        struct heard heard;
        SAY(fd, HELLO);
        client_hear(fd, &heard, false);
        assert_int_equal(heard.status, 200);
        assert_string_equal(heard.body.at, "{\"hello\":\"you\"}");
        assert_memory_equal(heard_header(&heard, "Content-Type"), "application/json\r", 17);
        assert_memory_equal(heard_header(&heard, "Cache-Control"), "no-store\r", 9);
        assert_memory_equal(heard_header(&heard, "X-Content-Type-Options"), "nosniff\r", 8);
        assert_memory_equal(heard_header(&heard, "Server"), "kit\r", 4);
        assert_memory_equal(heard_header(&heard, "Date") + 25, " GMT\r", 5);
        assert_int_equal(strspn(heard_header(&heard, "X-Trace-Id"), "0123456789abcdef"), EDGE_TRACE_LENGTH);
        assert_null(heard_header(&heard, "Connection"));
        char trace[EDGE_TRACE_LENGTH];
        memcpy(trace, heard_header(&heard, "X-Trace-Id"), sizeof trace);
        buffer_deinit(&heard.body);
        SAY(fd, HELLO);
        client_hear(fd, &heard, false);
        assert_memory_not_equal(heard_header(&heard, "X-Trace-Id"), trace, sizeof trace);
        buffer_deinit(&heard.body);
        close(fd);
        kit_close(&kit);
}

static void trace_of_the_client(void **state) {
        (void)state;
        static const struct {
                const char *traceparent;
                bool taken;
        } rows[] = {
                {"00-0123456789abcdef0123456789abcdef-0123456789abcdef-01", true},
                {"00-0123456789abcdef0123456789abcdef-0123456789abcdef-00", true},
                {"cc-0123456789abcdef0123456789abcdef-0123456789abcdef-01-more", true},
                {"00-0123456789abcdef0123456789abcdef-0123456789abcdef-01-more", false},
                {"cc-0123456789abcdef0123456789abcdef-0123456789abcdef-01more", false},
                {"ff-0123456789abcdef0123456789abcdef-0123456789abcdef-01", false},
                {"00-0123456789ABCDEF0123456789abcdef-0123456789abcdef-01", false},
                {"00-00000000000000000000000000000000-0123456789abcdef-01", false},
                {"00-0123456789abcdef0123456789abcdef-0000000000000000-01", false},
                {"00-0123456789abcdef0123456789abcdef-0123456789abcdef-0", false},
                {"00_0123456789abcdef0123456789abcdef-0123456789abcdef-01", false},
                {"0123456789abcdef", false},
        };
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                char trace[EDGE_TRACE_LENGTH] = "";
                if (trace_parse(text_of(rows[i].traceparent), trace) != rows[i].taken)
                        fail_msg("%s", rows[i].traceparent);
                assert_int_equal(memcmp(trace, "0123456789abcdef0123456789abcdef", sizeof trace) == 0, rows[i].taken);
        }
        struct kit kit;
        kit_open(&kit);
        int fd = client_open(&kit);
        SAY(fd, "GET /x HTTP/1.1\r\n" HOST "traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01\r\n\r\n");
        client_hears(fd, 404, "\"traceId\":\"0123456789abcdef0123456789abcdef\"");
        close(fd);
        kit_close(&kit);
}

static void head_has_no_body(void **state) {
        (void)state;
        struct kit kit;
        kit_open(&kit);
        int fd = client_open(&kit);
        struct heard heard;
        SAY(fd, "HEAD /hello/you HTTP/1.1\r\n" HOST "\r\n"
                "HEAD /big HTTP/1.1\r\n" HOST "\r\n"
                "HEAD /nowhere HTTP/1.1\r\n" HOST "\r\n" HELLO);
        client_hear(fd, &heard, true);
        assert_int_equal(heard.status, 200);
        assert_memory_equal(heard_header(&heard, "Content-Length"), "15\r", 3);
        client_hear(fd, &heard, true);
        assert_memory_equal(heard_header(&heard, "Content-Length"), "8388608\r", 8);
        client_hear(fd, &heard, true);
        assert_int_equal(heard.status, 404);
        client_hears(fd, 200, "you");
        close(fd);
        kit_close(&kit);
}

static void methods_and_allow(void **state) {
        (void)state;
        static const struct {
                const char *request;
                int status;
                const char *allow;
        } rows[] = {
                {"PUT /hello/you", 405, "GET, HEAD, OPTIONS\r"},
                {"HEAD /echo", 405, "POST, OPTIONS\r"},
                {"OPTIONS /hello/you", 204, "GET, HEAD, OPTIONS\r"},
                {"OPTIONS *", 204, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r"},
                {"OPTIONS /nowhere", 404, NULL},
                {"DELETE /nowhere", 404, NULL},
                {"GET /hello/you/", 404, NULL},
                {"GET /hello/y%6fu", 404, NULL},
        };
        struct kit kit;
        kit_open(&kit);
        int fd = client_open(&kit);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                char bytes[256];
                size_t n = (size_t)snprintf(bytes, sizeof bytes, "%s HTTP/1.1\r\n" HOST "\r\n", rows[i].request);
                client_say(fd, (struct text){bytes, n});
                struct heard heard;
                client_hear(fd, &heard, strncmp(rows[i].request, "HEAD", 4) == 0);
                if (heard.status != rows[i].status)
                        fail_msg("%s: %d", rows[i].request, heard.status);
                const char *allow = heard_header(&heard, "Allow");
                assert_int_equal(allow != NULL, rows[i].allow != NULL);
                if (allow)
                        assert_memory_equal(allow, rows[i].allow, strlen(rows[i].allow));
                if (heard.status == 204)
                        assert_null(heard_header(&heard, "Content-Length"));
                buffer_deinit(&heard.body);
        }
        close(fd);
        kit_close(&kit);
}

/* Refused, told so in a problem document, and the connection ends. */
static void refusals(void **state) {
        (void)state;
        static const struct {
                const char *bytes;
                int status;
                const char *code;
        } rows[] = {
                {"GET / HTTP/1.1\r\n\r\n", 400, "MALFORMED_REQUEST"},
                {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400, "MALFORMED_REQUEST"},
                {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc", 400, "MALFORMED_REQUEST"},
                {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, "MALFORMED_REQUEST"},
                {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n401\r\n", 413, "BODY_TOO_LARGE"},
                {"POST /nothing HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413, "BODY_TOO_LARGE"},
                {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 100000000\r\n\r\n", 413, "BODY_TOO_LARGE"},
                {"POST /echo HTTP/1.1\r\n" HOST "Expect: miracles\r\n\r\n", 417, "EXPECTATION_FAILED"},
                {"BREW /echo HTTP/1.1\r\n" HOST "\r\n", 501, "METHOD_NOT_IMPLEMENTED"},
                {"GET / HTTP/3.0\r\n" HOST "\r\n", 505, "HTTP_VERSION_NOT_SUPPORTED"},
                {"POST /nowhere HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 404, "NOT_FOUND"},
        };
        struct kit kit;
        kit_open(&kit);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                int fd = client_open(&kit);
                client_say(fd, text_of(rows[i].bytes));
                struct heard heard;
                client_hear(fd, &heard, false);
                if (heard.status != rows[i].status || !strstr(heard.body.at, rows[i].code))
                        fail_msg("%s\n%d %s", rows[i].bytes, heard.status, heard.body.at);
                assert_memory_equal(heard_header(&heard, "Content-Type"), "application/problem+json\r", 25);
                assert_memory_equal(heard_header(&heard, "Connection"), "close\r", 6);
                assert_non_null(strstr(heard.body.at, "\"type\":\"about:blank\",\"title\":\""));
                buffer_deinit(&heard.body);
                client_hears_end(fd);
                close(fd);
        }
        kit_close(&kit);
}

static void heads_that_are_too_long(void **state) {
        (void)state;
        static const struct {
                const char *begin;
                int status;
                const char *code;
        } rows[] = {
                {"GET /", 414, "URI_TOO_LONG"},
                {"GET / HTTP/1.1\r\n" HOST "A: ", 431, "HEAD_TOO_LARGE"},
        };
        struct kit kit;
        kit_open(&kit);
        static char letters[HTTP_LINE_MAX + 2];
        memset(letters, 'a', sizeof letters);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                int fd = client_open(&kit);
                client_say(fd, text_of(rows[i].begin));
                client_say(fd, (struct text){letters, sizeof letters});
                client_hears(fd, rows[i].status, rows[i].code);
                client_hears_end(fd);
                close(fd);
        }
        kit_close(&kit);
}

/* A body that nobody read must not become the next request. */
static void bodies_of_refused_requests(void **state) {
        (void)state;
        struct kit kit;
        kit_open(&kit);
        int fd = client_open(&kit);
        SAY(fd, "POST /nowhere HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello" HELLO);
        client_hears(fd, 404, "NOT_FOUND");
        client_hears(fd, 200, "you");
        SAY(fd, "POST /echo HTTP/1.1\r\n" HOST "X-Refuse: 1\r\nContent-Length: 43\r\n\r\nGET /big");
        client_hears(fd, 401, "UNAUTHENTICATED"); /* before the body is there */
        SAY(fd, " HTTP/1.1\r\n" HOST "12345");
        SAY(fd, "\r\n" HELLO);
        client_hears(fd, 200, "you");
        SAY(fd, "POST /nothing HTTP/1.1\r\n" HOST "Content-Length: 70000\r\n\r\n");
        client_hears(fd, 413, "BODY_TOO_LARGE"); /* more than is worth reading */
        client_hears_end(fd);
        close(fd);
        kit_close(&kit);
}

static void bodies(void **state) {
        (void)state;
        struct kit kit;
        kit_open(&kit);
        int fd = client_open(&kit);
        SAY(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello");
        client_hears(fd, 200, "hello");
        SAY(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");
        client_hears(fd, 200, "");
        SAY(fd, "POST /nothing HTTP/1.1\r\n" HOST "\r\n");
        client_hears(fd, 204, "");
        SAY(fd, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                "6;x=y\r\nhello \r\n5\r\nworld\r\n0\r\nX-Sum: 1\r\n\r\n" HELLO);
        client_hears(fd, 200, "hello world");
        client_hears(fd, 200, "you");
        close(fd);
        kit_close(&kit);
}

/* Every way to cut the bytes gives the same answers. */
static void byte_by_byte(void **state) {
        (void)state;
        static const char bytes[] = "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello" HELLO
                                    "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                                    "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n" HELLO;
        struct kit kit;
        kit_open(&kit);
        for (size_t piece = 1; piece < sizeof bytes; piece += piece < 4 ? 1 : 37) {
                int fd = client_open(&kit);
                for (size_t at = 0; at < sizeof bytes - 1; at += piece) {
                        size_t rest = sizeof bytes - 1 - at;
                        client_say(fd, (struct text){bytes + at, piece < rest ? piece : rest});
                        sched_yield(); /* so that some pieces arrive on their own */
                }
                client_hears(fd, 200, "hello");
                client_hears(fd, 200, "you");
                client_hears(fd, 200, "abcde");
                client_hears(fd, 200, "you");
                close(fd);
        }
        kit_close(&kit);
}

static void large_bodies(void **state) {
        (void)state;
        struct kit kit;
        kit_open(&kit);
        size_t length = KIT_LARGE_MAX - 3;
        char *body = malloc(length);
        for (size_t i = 0; i < length; i++)
                body[i] = (char)('A' + i % 29);
        int fd = client_open(&kit);
        struct heard heard;
        for (unsigned chunked = 0; chunked < 2; chunked++) {
                char head[256];
                size_t n = (size_t)snprintf(head, sizeof head, "POST /large HTTP/1.1\r\n" HOST "%s%zu\r\n\r\n",
                                            chunked ? "Transfer-Encoding: chunked\r\nX-Length: " : "Content-Length: ", length);
                client_say(fd, (struct text){head, n});
                for (size_t at = 0, piece; at < length; at += piece) {
                        piece = length - at < 100000 ? length - at : 100000;
                        n = (size_t)snprintf(head, sizeof head, "%zx\r\n", piece);
                        client_say(fd, (struct text){head, chunked ? n : 0});
                        client_say(fd, (struct text){body + at, piece});
                        client_say(fd, (struct text){"\r\n", chunked ? 2 : 0});
                }
                client_say(fd, (struct text){"0\r\n\r\n", chunked ? 5 : 0});
                client_hear(fd, &heard, false);
                assert_int_equal(heard.status, 200);
                assert_int_equal(heard.body.length, length);
                assert_memory_equal(heard.body.at, body, length);
                buffer_deinit(&heard.body);
        }
        free(body);
        close(fd);
        kit_close(&kit);
}

static void expect_100_continue(void **state) {
        (void)state;
        struct kit kit;
        kit_open(&kit);
        int fd = client_open(&kit);
        SAY(fd, "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
        client_hears(fd, 100, "");
        SAY(fd, "hello");
        client_hears(fd, 200, "hello");
        SAY(fd, "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");
        client_hears(fd, 200, "hello"); /* there is nothing to wait for */
        SAY(fd, "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nX-Refuse: 1\r\nContent-Length: 5\r\n\r\n");
        client_hears(fd, 401, "UNAUTHENTICATED"); /* and nobody knows whether the body will come */
        client_hears_end(fd);
        close(fd);
        kit_close(&kit);
}

static void keep_alive_and_close(void **state) {
        (void)state;
        static const struct {
                const char *bytes;
                const char *connection; /* NULL: no such header */
                bool goes_on;
        } rows[] = {
                {HELLO, NULL, true},
                {"GET /hello/a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", "close\r", false},
                {"GET /hello/a HTTP/1.0\r\n" HOST "\r\n", "close\r", false},
                {"GET /hello/a HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n\r\n", "keep-alive\r", true},
        };
        struct kit kit;
        kit_open(&kit);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                int fd = client_open(&kit);
                struct heard heard;
                client_say(fd, text_of(rows[i].bytes));
                client_hear(fd, &heard, false);
                const char *connection = heard_header(&heard, "Connection");
                assert_int_equal(connection != NULL, rows[i].connection != NULL);
                if (connection)
                        assert_memory_equal(connection, rows[i].connection, strlen(rows[i].connection));
                buffer_deinit(&heard.body);
                if (rows[i].goes_on) {
                        SAY(fd, HELLO);
                        client_hears(fd, 200, "you");
                } else {
                        client_hears_end(fd);
                }
                close(fd);
        }
        /* What comes behind the last request is not answered. */
        int fd = client_open(&kit);
        SAY(fd, "GET /hello/a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n" HELLO);
        client_hears(fd, 200, "a");
        client_hears_end(fd);
        close(fd);
        kit_close(&kit);
}

static void pipelining(void **state) {
        (void)state;
        enum { REQUESTS = 2000 };
        struct kit kit;
        kit_open(&kit);
        struct buffer bytes;
        buffer_init(&bytes, 1 << 20);
        for (unsigned i = 0; i < REQUESTS; i++)
                buffer_printf(&bytes, "GET /hello/n%u HTTP/1.1\r\n" HOST "\r\n", i);
        int fd = client_open(&kit);
        client_say(fd, buffer_text(&bytes));
        for (unsigned i = 0; i < REQUESTS; i++) {
                char name[32];
                (void)snprintf(name, sizeof name, "\"n%u\"", i);
                client_hears(fd, 200, name);
        }
        buffer_deinit(&bytes);
        close(fd);
        kit_close(&kit);
}

static void conditions_and_codings(void **state) {
        (void)state;
        static const struct {
                const char *path, *header;
                int status;
                const char *body;
        } rows[] = {
                {"/tag", "A: b", 200, "tagged"},
                {"/tag", "If-None-Match: \"v1\"", 304, ""},
                {"/tag", "If-None-Match: W/\"v1\"", 304, ""},
                {"/tag", "If-None-Match: \"v0\" , \"v1\"", 304, ""},
                {"/tag", "If-None-Match: *", 304, ""},
                {"/tag", "If-None-Match: \"v2\"", 200, "tagged"},
                {"/tag", "If-None-Match: v1", 200, "tagged"},
                {"/gzip", "A: b", 200, "refused"},
                {"/gzip", "Accept-Encoding: br, GZIP", 200, "taken"},
                {"/gzip", "Accept-Encoding: gzip;q=0.5, br", 200, "taken"},
                {"/gzip", "Accept-Encoding: gzip;q=0", 200, "refused"},
                {"/gzip", "Accept-Encoding: gzip; q=0.000, *", 200, "refused"},
                {"/gzip", "Accept-Encoding: *", 200, "taken"},
                {"/gzip", "Accept-Encoding: identity", 200, "refused"},
                {"/gzip", "Accept-Encoding: xgzip", 200, "refused"},
        };
        struct kit kit;
        kit_open(&kit);
        int fd = client_open(&kit);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                char bytes[256];
                size_t n = (size_t)snprintf(bytes, sizeof bytes, "GET %s HTTP/1.1\r\n" HOST "%s\r\n\r\n", rows[i].path, rows[i].header);
                client_say(fd, (struct text){bytes, n});
                struct heard heard;
                client_hear(fd, &heard, false);
                if (heard.status != rows[i].status || strcmp(heard.body.at ? heard.body.at : "", rows[i].body) != 0)
                        fail_msg("%s %s: %d %s", rows[i].path, rows[i].header, heard.status, heard.body.at);
                if (rows[i].path[1] == 't') {
                        assert_memory_equal(heard_header(&heard, "ETag"), "\"v1\"\r", 5);
                        assert_null(strstr(heard.head, "no-store"));
                }
                buffer_deinit(&heard.body);
        }
        SAY(fd, "GET /tag HTTP/1.1\r\n" HOST "X-Refuse: 1\r\n\r\n");
        struct heard heard;
        client_hear(fd, &heard, false);
        assert_memory_equal(heard_header(&heard, "Retry-After"), "7\r", 2);
        buffer_deinit(&heard.body);
        close(fd);
        kit_close(&kit);
}

static void ports(void **state) {
        (void)state;
        struct kit kit;
        kit_open(&kit);
        assert_true(edge_port(kit.edge) > 0);
        struct edge_config config = kit.edge->config;
        config.port = edge_port(kit.edge);
        struct edge *other = NULL;
        assert_int_equal(edge_new(&other, &config), -EADDRINUSE);
        config.host = "no such host";
        assert_int_equal(edge_new(&other, &config), -EADDRNOTAVAIL);
        assert_null(other);
        const struct route *routes[2];
        assert_int_equal(edge_routes(kit.edge, routes, 2), 8);
        assert_string_equal(routes[1]->operation, "echo");
        uint16_t port = config.port;
        int fd = client_open(&kit);
        SAY(fd, HELLO);
        client_hears(fd, 200, "you");
        kit_close(&kit);
        close(fd);
        /* Ended connections do not keep the port. */
        kit_new(&kit, &(struct edge_config){.port = port});
        kit_close(&kit);
}

static int64_t metric_value(const char *line) {
        struct buffer out;
        buffer_init(&out, 1 << 20);
        metrics_write(&out);
        buffer_add(&out, "", 1);
        const char *at = strstr(out.at, line);
        int64_t value = at ? strtoll(at + strlen(line), NULL, 10) : -1;
        buffer_deinit(&out);
        return value;
}

static void metrics_are_counted(void **state) {
        (void)state;
        static const char *const lines[] = {
                "ticketrush_http_requests_total{class=\"2xx\",loop=\"0\"} ", "ticketrush_http_requests_total{class=\"4xx\",loop=\"0\"} ",
                "ticketrush_http_bad_requests_total{loop=\"0\"} ", "ticketrush_http_request_seconds_count{loop=\"0\"} "};
        static const int64_t more[] = {2, 2, 1, 4};
        struct kit kit;
        kit_open(&kit);
        int64_t before[4];
        for (unsigned i = 0; i < 4; i++)
                before[i] = metric_value(lines[i]);
        int fd = client_open(&kit);
        SAY(fd, HELLO HELLO "GET /nowhere HTTP/1.1\r\n" HOST "\r\nGET / HTTP/1.1\r\n\r\n");
        client_hears(fd, 200, "you");
        client_hears(fd, 200, "you");
        client_hears(fd, 404, "NOT_FOUND");
        client_hears(fd, 400, "MALFORMED_REQUEST");
        for (unsigned i = 0; i < 4; i++)
                assert_int_equal(metric_value(lines[i]) - before[i], more[i]);
        assert_int_equal(metric_value("ticketrush_http_connections{loop=\"0\"} "), 1);
        close(fd);
        kit_wait_open(&kit, 0);
        kit_close(&kit);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_each_answer_says),
                cmocka_unit_test(trace_of_the_client),
                cmocka_unit_test(head_has_no_body),
                cmocka_unit_test(methods_and_allow),
                cmocka_unit_test(refusals),
                cmocka_unit_test(heads_that_are_too_long),
                cmocka_unit_test(bodies_of_refused_requests),
                cmocka_unit_test(bodies),
                cmocka_unit_test(byte_by_byte),
                cmocka_unit_test(large_bodies),
                cmocka_unit_test(expect_100_continue),
                cmocka_unit_test(keep_alive_and_close),
                cmocka_unit_test(pipelining),
                cmocka_unit_test(conditions_and_codings),
                cmocka_unit_test(ports),
                cmocka_unit_test(metrics_are_counted),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
