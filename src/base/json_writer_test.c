#include "base/json_writer.h"
#include "base/unit_test.h"

#include <math.h>

struct fixture {
        struct buffer out;
        struct json_writer json;
};

static int setup(void **state) {
        struct fixture *fixture = calloc(1, sizeof *fixture);
        buffer_init(&fixture->out, 1 << 20);
        json_begin(&fixture->json, &fixture->out);
        *state = fixture;
        return 0;
}

static int teardown(void **state) {
        struct fixture *fixture = *state;
        buffer_deinit(&fixture->out);
        free(fixture);
        return 0;
}

static void assert_json(struct fixture *fixture, const char *expected) {
        assert_false(fixture->out.overflowed);
        buffer_add(&fixture->out, "", 1);
        assert_string_equal(fixture->out.at, expected);
        buffer_clear(&fixture->out);
        json_begin(&fixture->json, &fixture->out);
}

static void every_kind_of_value(void **state) {
        struct fixture *fixture = *state;
        struct json_writer *json = &fixture->json;
        json_object(json, NULL);
        json_text(json, "text", TEXT("seat"));
        json_string(json, "string", "map");
        json_string(json, "none", NULL);
        json_number(json, "number", -42);
        json_real(json, "real", 0.25);
        json_bool(json, "yes", true);
        json_bool(json, "no", false);
        json_null(json, "nothing");
        json_time(json, "at", INT64_C(1795258800000));
        json_time(json, "never", 0);
        json_id(json, "id", "hold", 1);
        json_id(json, "noId", "hold", 0);
        json_raw(json, "raw", TEXT("[1,2]"));
        json_raw(json, "noRaw", TEXT(""));
        json_object_end(json);
        assert_json(fixture,
                    "{\"text\":\"seat\",\"string\":\"map\",\"none\":null,\"number\":-42,\"real\":0.25,"
                    "\"yes\":true,\"no\":false,\"nothing\":null,\"at\":\"2026-11-21T11:00:00.000Z\","
                    "\"never\":null,\"id\":\"hold_0000000000001\",\"noId\":null,\"raw\":[1,2],\"noRaw\":null}");
}

static void nesting_and_commas(void **state) {
        struct fixture *fixture = *state;
        struct json_writer *json = &fixture->json;
        json_array(json, NULL);
        json_array(json, NULL);
        json_array_end(json);
        json_object(json, NULL);
        json_object(json, "a");
        json_object_end(json);
        json_array(json, "b");
        json_number(json, NULL, 1);
        json_number(json, NULL, 2);
        json_array_end(json);
        json_object_end(json);
        json_number(json, NULL, 3);
        json_array_end(json);
        assert_json(fixture, "[[],{\"a\":{},\"b\":[1,2]},3]");
}

static void a_lone_value_may_stand_at_the_top(void **state) {
        struct fixture *fixture = *state;
        json_number(&fixture->json, NULL, 7);
        assert_json(fixture, "7");
        json_text(&fixture->json, NULL, text_of(NULL));
        assert_json(fixture, "\"\"");
}

static void escapes(void **state) {
        struct fixture *fixture = *state;
        static const struct {
                struct text value;
                const char *json;
        } rows[] = {
                {TEXT(""), "\"\""},
                {TEXT("\""), "\"\\\"\""},
                {TEXT("\\"), "\"\\\\\""},
                {TEXT("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
                {{"\0\1\x1f", 3}, "\"\\u0000\\u0001\\u001f\""},
                {TEXT(" /<>&'\x7f"), "\" /<>&'\x7f\""},
                {TEXT("\xed\x95\x9c\xf0\x9f\x98\x80"), "\"\xed\x95\x9c\xf0\x9f\x98\x80\""},
                {TEXT("\xff"), "\"\xef\xbf\xbd\""},
                {TEXT("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
                {TEXT("a\xe2\x82"), "\"a\xef\xbf\xbd\""},
                {TEXT("\xf0\x9f\x98\""), "\"\xef\xbf\xbd\\\"\""},
        };
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                json_text(&fixture->json, NULL, rows[i].value);
                assert_json(fixture, rows[i].json);
        }
}

/* Slow and obvious, to compare with. */
static size_t reference(char *out, struct text text) {
        char *at = out;
        *at++ = '"';
        for (size_t i = 0; i < text.length;) {
                unsigned char byte = (unsigned char)text.at[i];
                int step = text_utf8_step((struct text){text.at + i, text.length - i});
                if (step < 0) {
                        memcpy(at, "\xef\xbf\xbd", 3);
                        at += 3;
                } else if (byte == '"' || byte == '\\') {
                        *at++ = '\\';
                        *at++ = (char)byte;
                } else if (byte < 0x20) {
                        static const char names[] = "01234567btn0fr";
                        if (byte >= 8 && byte <= 13 && byte != 11) {
                                *at++ = '\\';
                                *at++ = names[byte];
                        } else {
                                memcpy(at, "\\u00", 4);
                                text_hex(at + 4, &byte, 1);
                                at += 6;
                        }
                } else {
                        memcpy(at, text.at + i, (size_t)step);
                        at += step;
                }
                i += (size_t)(step < 0 ? -step : step);
        }
        *at++ = '"';
        return (size_t)(at - out);
}

static void each_byte_at_each_place(void **state) {
        struct fixture *fixture = *state;
        char expected[128], text[20];
        for (unsigned byte = 0; byte < 256; byte++) {
                for (size_t place = 0; place < sizeof text; place++) {
                        memset(text, ' ', sizeof text); /* the lowest plain byte: sensitive to borrows */
                        text[place] = (char)byte;
                        struct text value = {text, sizeof text};
                        json_text(&fixture->json, NULL, value);
                        assert_int_equal(fixture->out.length, reference(expected, value));
                        assert_memory_equal(fixture->out.at, expected, fixture->out.length);
                        buffer_clear(&fixture->out);
                        json_begin(&fixture->json, &fixture->out);
                }
        }
}

static void random_bytes(void **state) {
        struct fixture *fixture = *state;
        static const unsigned char favourites[] = {0x00, 0x1f, 0x20, '"',  '\\', 'a', 0x80,
                                                   0xc2, 0xe2, 0x82, 0xed, 0xf0, 0x9f};
        uint64_t seed = 99;
        for (int round = 0; round < 20000; round++) {
                char text[40], expected[6 * sizeof text + 2];
                size_t n = test_random(&seed) % sizeof text;
                for (size_t i = 0; i < n; i++)
                        text[i] = (char)favourites[test_random(&seed) % sizeof favourites];
                struct text value = {text, n};
                json_text(&fixture->json, NULL, value);
                assert_int_equal(fixture->out.length, reference(expected, value));
                assert_memory_equal(fixture->out.at, expected, fixture->out.length);
                assert_true(text_is_utf8(buffer_text(&fixture->out)));
                buffer_clear(&fixture->out);
                json_begin(&fixture->json, &fixture->out);
        }
}

static void reals(void **state) {
        struct fixture *fixture = *state;
        static const struct {
                double value;
                const char *json;
        } rows[] = {
                {0.0, "0"},
                {-0.0, "0"},
                {1.0, "1"},
                {100.0, "100"},
                {1.5, "1.5"},
                {-2.25, "-2.25"},
                {1.0 / 3, "0.333333"},
                {0.1 + 0.2, "0.3"},
                {1e-7, "0"},
                {-1e-7, "0"},
                {1e15, "1000000000000000"},
                {123456.654321, "123456.654321"},
                {INFINITY, "null"},
                {-INFINITY, "null"},
                {(double)NAN, "null"},
        };
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                json_real(&fixture->json, NULL, rows[i].value);
                assert_json(fixture, rows[i].json);
        }
        json_real(&fixture->json, NULL, -1.7976931348623157e308);
        assert_int_equal(fixture->out.length, 310);
}

static void overflow_sticks_and_nesting_goes_on(void **state) {
        (void)state;
        /* For every limit: either the whole document or overflowed, and never a byte beyond. */
        const char *whole = "{\"list\":[\"a\\nb\",12],\"at\":\"1970-01-01T00:00:00.001Z\"}";
        for (size_t limit = 0; limit <= strlen(whole); limit++) {
                struct buffer out;
                buffer_init(&out, limit);
                struct json_writer json;
                json_begin(&json, &out);
                json_object(&json, NULL);
                json_array(&json, "list");
                json_text(&json, NULL, TEXT("a\nb"));
                json_number(&json, NULL, 12);
                json_array_end(&json);
                json_time(&json, "at", 1);
                json_object_end(&json);
                assert_int_equal(out.overflowed, limit < strlen(whole));
                assert_true(out.length <= limit);
                if (!out.overflowed)
                        assert_true(text_equal(buffer_text(&out), text_of(whole)));
                buffer_deinit(&out);
        }
}

static void in_object(struct fixture *fixture) {
        json_object(&fixture->json, NULL);
}

static void too_deep(struct fixture *fixture) {
        for (unsigned i = 0; i <= JSON_WRITER_DEPTH_MAX; i++)
                json_array(&fixture->json, NULL);
}

static void wrong_nesting_is_asserted(void **state) {
        struct fixture *fixture = *state;
        struct json_writer *json = &fixture->json;
        assert_true(ABORTS(json_object_end(json)));
        assert_true(ABORTS(json_number(json, "named", 1)));
        assert_true(ABORTS((in_object(fixture), json_array_end(json))));
        assert_true(ABORTS((in_object(fixture), json_number(json, NULL, 1))));
        assert_true(ABORTS((json_number(json, NULL, 1), json_number(json, NULL, 2))));
        assert_true(ABORTS(too_deep(fixture)));
        for (unsigned i = 0; i < JSON_WRITER_DEPTH_MAX; i++)
                json_array(json, NULL);
        for (unsigned i = 0; i < JSON_WRITER_DEPTH_MAX; i++)
                json_array_end(json);
        assert_false(fixture->out.overflowed);
        assert_int_equal(fixture->out.length, 2 * JSON_WRITER_DEPTH_MAX);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(every_kind_of_value, setup, teardown),
                cmocka_unit_test_setup_teardown(nesting_and_commas, setup, teardown),
                cmocka_unit_test_setup_teardown(a_lone_value_may_stand_at_the_top, setup, teardown),
                cmocka_unit_test_setup_teardown(escapes, setup, teardown),
                cmocka_unit_test_setup_teardown(each_byte_at_each_place, setup, teardown),
                cmocka_unit_test_setup_teardown(random_bytes, setup, teardown),
                cmocka_unit_test_setup_teardown(reals, setup, teardown),
                cmocka_unit_test(overflow_sticks_and_nesting_goes_on),
                cmocka_unit_test_setup_teardown(wrong_nesting_is_asserted, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
