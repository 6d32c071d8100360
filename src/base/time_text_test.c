#include "base/time_text.h"
#include "base/unit_test.h"

#include <stdio.h>
#include <time.h>

#define LAST_MS INT64_C(253402300799999)

static void format(void **state) {
        (void)state;
        static const struct {
                int64_t ms;
                const char *text;
        } rows[] = {
                {0, "1970-01-01T00:00:00.000Z"},
                {1, "1970-01-01T00:00:00.001Z"},
                {951782400000, "2000-02-29T00:00:00.000Z"},
                {1795258800000, "2026-11-21T11:00:00.000Z"},
                {4107542400000, "2100-03-01T00:00:00.000Z"},
                {LAST_MS, "9999-12-31T23:59:59.999Z"},
        };
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                char out[TIME_TEXT_LENGTH];
                time_format(out, rows[i].ms);
                assert_memory_equal(out, rows[i].text, TIME_TEXT_LENGTH);
        }
        char out[TIME_TEXT_LENGTH];
        assert_true(ABORTS(time_format(out, -1)));
        assert_true(ABORTS(time_format(out, LAST_MS + 1)));
}

static void agrees_with_the_c_library_on_every_week(void **state) {
        (void)state;
        int64_t step = INT64_C(6) * 86400000 + 3723457;
        for (int64_t ms = 0; ms <= LAST_MS; ms += step) {
                char out[TIME_TEXT_LENGTH], http[HTTP_DATE_LENGTH], expected[64];
                time_t seconds = (time_t)(ms / 1000);
                struct tm tm;
                gmtime_r(&seconds, &tm);
                time_format(out, ms);
                strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", &tm);
                assert_memory_equal(out, expected, 19);
                time_http_date(http, ms);
                strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", &tm);
                assert_memory_equal(http, expected, HTTP_DATE_LENGTH);
                int64_t back;
                assert_true(time_parse((struct text){out, sizeof out}, &back));
                assert_int_equal(back, ms);
        }
}

static void http_date(void **state) {
        (void)state;
        char out[HTTP_DATE_LENGTH];
        time_http_date(out, 1795258800999);
        assert_memory_equal(out, "Sat, 21 Nov 2026 11:00:00 GMT", HTTP_DATE_LENGTH);
        time_http_date(out, 0);
        assert_memory_equal(out, "Thu, 01 Jan 1970 00:00:00 GMT", HTTP_DATE_LENGTH);
        time_http_date(out, INT64_C(784111777000));
        assert_memory_equal(out, "Sun, 06 Nov 1994 08:49:37 GMT", HTTP_DATE_LENGTH); /* the example of RFC 9110 */
        assert_true(ABORTS(time_http_date(out, -1)));
}

static void parse(void **state) {
        (void)state;
        static const struct {
                const char *text;
                int64_t ms;
        } rows[] = {
                {"1970-01-01T00:00:00Z", 0},
                {"2026-11-21T11:00:00Z", 1795258800000},
                {"2026-11-21t11:00:00z", 1795258800000},
                {"2026-11-21T11:00:00.000Z", 1795258800000},
                {"2026-11-21T11:00:00.5Z", 1795258800500},
                {"2026-11-21T11:00:00.12Z", 1795258800120},
                {"2026-11-21T11:00:00.123456789123Z", 1795258800123}, /* cut, not rounded */
                {"2026-11-21T11:00:00.9999Z", 1795258800999},
                {"2026-11-21T20:00:00+09:00", 1795258800000},
                {"2026-11-21T20:00:00.25+09:00", 1795258800250},
                {"2026-11-21T07:30:00-03:30", 1795258800000},
                {"2026-11-22T10:59:00+23:59", 1795258800000},
                {"2026-11-21T11:00:00-00:00", 1795258800000},
                {"1970-01-01T09:00:00+09:00", 0},
                {"1969-12-31T23:00:00-01:00", 0},
                {"2000-02-29T00:00:00Z", 951782400000},
                {"2024-02-29T23:59:59Z", 1709251199000},
                {"9999-12-31T23:59:59.999Z", LAST_MS},
        };
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                int64_t ms = -1;
                if (!time_parse(text_of(rows[i].text), &ms) || ms != rows[i].ms)
                        fail_msg("%s gave %lld", rows[i].text, (long long)ms);
        }
}

static void parse_refusals(void **state) {
        (void)state;
        static const char *const refused[] = {
                "",
                "2026-11-21",
                "2026-11-21T11:00:00", /* no zone */
                "2026-11-21T11:00Z",   /* no seconds */
                "2026-11-21 11:00:00Z",
                " 2026-11-21T11:00:00Z",
                "2026-11-21T11:00:00Z ",
                "2026-11-21T11:00:00ZZ",
                "2026-11-21T11:00:00.Z", /* a point without digits */
                "2026-11-21T11:00:00.5",
                "2026-11-21T11:00:00,5Z",
                "2026-11-21T11:00:00.5.5Z",
                "2026-11-21T11:00:00+9:00",
                "2026-11-21T11:00:00+0900",
                "2026-11-21T11:00:00+09",
                "2026-11-21T11:00:00+24:00",
                "2026-11-21T11:00:00+09:60",
                "2026-11-21T11:00:00+09:00Z",
                "2026-11-21T11:00:00 09:00",
                "2026-00-21T11:00:00Z", /* unreal dates */
                "2026-13-21T11:00:00Z",
                "2026-11-00T11:00:00Z",
                "2026-11-31T11:00:00Z",
                "2026-04-31T11:00:00Z",
                "2026-01-32T11:00:00Z",
                "2026-02-29T11:00:00Z",
                "2024-02-30T11:00:00Z",
                "2100-02-29T11:00:00Z",
                "2026-11-21T24:00:00Z", /* unreal times */
                "2026-11-21T11:60:00Z",
                "2026-11-21T11:00:60Z",
                "2016-12-31T23:59:60Z", /* real, but we have no number for it */
                "1969-12-31T23:59:59Z", /* outside the years we can write */
                "1969-12-31T23:59:59.999Z",
                "1970-01-01T00:00:00+00:01",
                "9999-12-31T23:59:59-00:01",
                "0000-01-01T00:00:00Z",
                "10000-01-01T00:00:00Z",
                "+2026-11-21T11:00:00Z",
                "2026-1a-21T11:00:00Z",
                "2026/11/21T11:00:00Z",
                "2026-11-21T-1:00:00Z",
        };
        int64_t ms = 77;
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
                if (time_parse(text_of(refused[i]), &ms))
                        fail_msg("%s was taken", refused[i]);
        }
        assert_false(time_parse(text_of(NULL), &ms));
        assert_false(time_parse((struct text){"2026-11-21T11:00:00\0", 20}, &ms));
        assert_int_equal(ms, 77);
}

static void only_real_dates(void **state) {
        (void)state;
        /* All day numbers of all months of years that test each leap rule: taken exactly if the C library agrees. */
        static const int years[] = {1970, 1972, 2000, 2023, 2024, 2100, 2400, 9999};
        for (size_t i = 0; i < sizeof years / sizeof *years; i++) {
                for (int month = 0; month <= 13; month++) {
                        for (int day = 0; day <= 32; day++) {
                                char text[64];
                                snprintf(text, sizeof text, "%04d-%02d-%02dT12:34:56Z", years[i], month, day);
                                struct tm tm = {.tm_year = years[i] - 1900,
                                                .tm_mon = month - 1,
                                                .tm_mday = day,
                                                .tm_hour = 12,
                                                .tm_min = 34,
                                                .tm_sec = 56};
                                int64_t expected = (int64_t)timegm(&tm) * 1000, ms = -1;
                                bool real = month >= 1 && month <= 12 && tm.tm_mon == month - 1 && tm.tm_mday == day;
                                assert_int_equal(time_parse(text_of(text), &ms), real);
                                assert_true(!real || ms == expected);
                        }
                }
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(format),         cmocka_unit_test(agrees_with_the_c_library_on_every_week),
                cmocka_unit_test(http_date),      cmocka_unit_test(parse),
                cmocka_unit_test(parse_refusals), cmocka_unit_test(only_real_dates),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
