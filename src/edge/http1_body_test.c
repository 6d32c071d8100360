/* Chunked bodies and query parameters: rows and their verdicts, whole and in pieces. */
#include "base/unit_test.h"
#include "edge/http1.h"

#include <stdlib.h>

enum { BODY_MAX = 32, DONE = 1, MORE = 0 };

static const struct {
        const char *why;
        struct text bytes;
        int verdict;
        struct text body; /* of a whole one */
        size_t behind;    /* bytes that belong to the next request */
} rows[] = {
        {"an empty body", TEXT("0\r\n\r\n"), DONE, TEXT(""), 0},
        {"one chunk", TEXT("5\r\nhello\r\n0\r\n\r\n"), DONE, TEXT("hello"), 0},
        {"three chunks", TEXT("5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n"), DONE, TEXT("hello world"), 0},
        {"the next request", TEXT("1\r\na\r\n0\r\n\r\nGET / HTTP/1.1"), DONE, TEXT("a"), 14},
        {"hexadecimal sizes", TEXT("0a\r\n0123456789\r\nB\r\nabcdefghijk\r\n000\r\n\r\n"), DONE, TEXT("0123456789abcdefghijk"), 0},
        {"line ends in the data", TEXT("4\r\n\r\n\r\n\r\n0\r\n\r\n"), DONE, TEXT("\r\n\r\n"), 0},
        {"extensions are dropped", TEXT("5;a=b;c=\"d\"\r\nhello\r\n0;e\r\n\r\n"), DONE, TEXT("hello"), 0},
        {"trailers are dropped", TEXT("1\r\na\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\n"), DONE, TEXT("a"), 0},
        {"as much as may be", TEXT("20\r\n01234567890123456789012345678901\r\n0\r\n\r\n"), DONE,
         TEXT("01234567890123456789012345678901"), 0},
        {"not all of it", TEXT("5\r\nhel"), MORE, {0}, 0},
        {"no last line", TEXT("5\r\nhello\r\n0\r\n"), MORE, {0}, 0},
        {"one byte too many", TEXT("21\r\n"), -413, {0}, 0},
        {"too many in two chunks", TEXT("1f\r\n0123456789012345678901234567890\r\n2\r\n"), -413, {0}, 0},
        {"a huge size", TEXT("ffffffffffffffffffff\r\n"), -413, {0}, 0},
        {"no size", TEXT("\r\nhello\r\n0\r\n\r\n"), -400, {0}, 0},
        {"a size that is none", TEXT("g\r\n"), -400, {0}, 0},
        {"a negative size", TEXT("-1\r\n"), -400, {0}, 0},
        {"0x", TEXT("0x5\r\nhello\r\n"), -400, {0}, 0},
        {"a blank before the size", TEXT(" 5\r\nhello\r\n"), -400, {0}, 0},
        {"a blank after the size", TEXT("5 \r\nhello\r\n"), -400, {0}, 0},
        {"bare LF after the size", TEXT("5\nhello\r\n0\r\n\r\n"), -400, {0}, 0},
        {"bare CR after the size", TEXT("5\rhello\r\n0\r\n\r\n"), -400, {0}, 0},
        {"bare LF after the data", TEXT("5\r\nhello\n0\r\n\r\n"), -400, {0}, 0},
        {"more data than said", TEXT("4\r\nhello\r\n0\r\n\r\n"), -400, {0}, 0},
        {"less data than said", TEXT("6\r\nhello\r\n0\r\n\r\n"), -400, {0}, 0},
        {"a control character in an extension", TEXT("5;a\x01\r\nhello\r\n"), -400, {0}, 0},
        {"bare LF in an extension", TEXT("5;a\nhello\r\n"), -400, {0}, 0},
        {"a trailer without colon", TEXT("0\r\nA\r\n\r\n"), -400, {0}, 0},
        {"a trailer without name", TEXT("0\r\n: b\r\n\r\n"), -400, {0}, 0},
        {"a folded trailer", TEXT("0\r\nA: b\r\n c\r\n\r\n"), -400, {0}, 0},
        {"NUL in a trailer", TEXT("0\r\nA: \0\r\n\r\n"), -400, {0}, 0},
        {"bare LF after the trailers", TEXT("0\r\nA: b\r\n\n"), -400, {0}, 0},
};

/* As a connection does it: `piece` bytes at a time, and what is used up is dropped in between. */
static int join(struct text bytes, size_t piece, char *out, size_t *ret_length, size_t *ret_behind) {
        struct http1_chunks chunks = {0};
        size_t n = 0, taken = 0;
        int result = 0;
        while (result == 0 && taken < bytes.length) {
                size_t now = bytes.length - taken < piece ? bytes.length - taken : piece;
                memcpy(out + n, bytes.at + taken, now);
                n += now;
                taken += now;
                result = http1_join_chunks(&chunks, out, n, BODY_MAX);
                if (result == 0)
                        n = chunks.read = chunks.written;
        }
        *ret_length = chunks.written;
        *ret_behind = n - chunks.read + bytes.length - taken;
        return result;
}

static void chunked_bodies(void **state) {
        (void)state;
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                for (size_t piece = 1; piece <= rows[i].bytes.length; piece++) {
                        char *out = malloc(rows[i].bytes.length + 1);
                        size_t length, behind;
                        int verdict = join(rows[i].bytes, piece, out, &length, &behind);
                        if (verdict != rows[i].verdict)
                                fail_msg("%s, %zu at a time: %d, not %d", rows[i].why, piece, verdict, rows[i].verdict);
                        if (verdict == DONE && (!text_equal((struct text){out, length}, rows[i].body) || behind != rows[i].behind))
                                fail_msg("%s, %zu at a time: body \"%.*s\", %zu bytes behind", rows[i].why, piece, (int)length,
                                         out, behind);
                        free(out);
                }
        }
}

/* What surrounds the data has a limit, too. */
static void chunk_overhead(void **state) {
        (void)state;
        static const struct {
                const char *begin;
                char fill;
                int verdict;
        } cases[] = {{"5;", 'a', -431}, {"0", '0', -431}, {"0\r\n", 'a', -431}, {"0\r\na:", 'a', -431}};
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                size_t begin = strlen(cases[i].begin);
                char *bytes = malloc(begin + HTTP_HEAD_MAX + 1);
                memcpy(bytes, cases[i].begin, begin);
                memset(bytes + begin, cases[i].fill, HTTP_HEAD_MAX + 1);
                struct http1_chunks chunks = {0};
                assert_int_equal(http1_join_chunks(&chunks, bytes, begin + HTTP_HEAD_MAX - 8, BODY_MAX), MORE);
                assert_int_equal(http1_join_chunks(&chunks, bytes, begin + HTTP_HEAD_MAX + 1, BODY_MAX), cases[i].verdict);
                free(bytes);
        }
        /* But a body may have as many chunks as it likes. */
        enum { CHUNKS = 2 * HTTP_HEAD_MAX };
        char *bytes = malloc(CHUNKS * 6 + 5);
        for (size_t i = 0; i < CHUNKS; i++)
                memcpy(bytes + 6 * i, "1\r\na\r\n", 6);
        memcpy(bytes + CHUNKS * 6, "0\r\n\r\n", 5);
        struct http1_chunks chunks = {0};
        assert_int_equal(http1_join_chunks(&chunks, bytes, CHUNKS * 6 + 5, CHUNKS), DONE);
        assert_int_equal(chunks.written, CHUNKS);
        free(bytes);
}

static const struct {
        struct text query;
        int verdict;
        const char *value;
} queries[] = {
        {TEXT(""), 0, NULL},
        {TEXT("b=1"), 0, NULL},
        {TEXT("ab=1&b=a"), 0, NULL},
        {TEXT("a=1"), 1, "1"},
        {TEXT("b=2&a=1&c=3"), 1, "1"},
        {TEXT("a="), 1, ""},
        {TEXT("a"), 1, ""},
        {TEXT("&&a=1&&"), 1, "1"},
        {TEXT("a=b=c"), 1, "b=c"},
        {TEXT("a=x+y%20z"), 1, "x y z"},
        {TEXT("a=%EC%9E%90"), 1, "\xec\x9e\x90"},
        {TEXT("%61=1"), 1, "1"},
        {TEXT("a=%26%3d"), 1, "&="},
        {TEXT("a=1&a=1"), -1, NULL},
        {TEXT("a=1&%61=1"), -1, NULL},
        {TEXT("a=%"), -1, NULL},
        {TEXT("a=%4"), -1, NULL},
        {TEXT("a=%4x"), -1, NULL},
        {TEXT("a=%00"), -1, NULL},
        {TEXT("%zz=1&a=1"), -1, NULL},
        {TEXT("b=%zz&a=1"), 1, "1"}, /* another's value is not our business */
        {TEXT("a=12345678"), 1, "12345678"},
        {TEXT("a=123456789"), -1, NULL},
};

static void query_values(void **state) {
        (void)state;
        for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
                char out[8];
                struct text value = {0};
                int verdict = http_query_value(queries[i].query, "a", out, sizeof out, &value);
                if (verdict != queries[i].verdict || (verdict == 1 && !text_equal(value, text_of(queries[i].value))))
                        fail_msg("\"%.*s\": %d \"%.*s\"", (int)queries[i].query.length, queries[i].query.at, verdict,
                                 (int)value.length, value.at ? value.at : "");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(chunked_bodies),
                cmocka_unit_test(chunk_overhead),
                cmocka_unit_test(query_values),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
