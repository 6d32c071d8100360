#include "base/id.h"
#include "base/unit_test.h"

#define EPOCH INT64_C(1704067200000)

static int64_t ms_of(uint64_t id) {
        return EPOCH + (int64_t)(id >> 22);
}
static unsigned node_of(uint64_t id) {
        return (unsigned)(id >> 14 & 255);
}
static unsigned sequence_of(uint64_t id) {
        return (unsigned)(id & 16383);
}

static void the_parts_of_an_id(void **state) {
        (void)state;
        struct id_source source;
        id_source_init(&source, 5, 0);
        uint64_t id = id_next(&source, EPOCH + 1000);
        assert_int_equal(ms_of(id), EPOCH + 1000);
        assert_int_equal(node_of(id), 5);
        assert_int_equal(sequence_of(id), 0);
        id = id_next(&source, EPOCH + 1000);
        assert_int_equal(ms_of(id), EPOCH + 1000);
        assert_int_equal(sequence_of(id), 1);
        id = id_next(&source, EPOCH + 1001);
        assert_int_equal(ms_of(id), EPOCH + 1001);
        assert_int_equal(sequence_of(id), 0);
}

static void rise_when_the_clock_steps_back(void **state) {
        (void)state;
        struct id_source source;
        id_source_init(&source, 255, 0);
        uint64_t last = id_next(&source, EPOCH + 60000);
        for (int64_t back = 59999; back > -5; back -= 7) {
                uint64_t id = id_next(&source, EPOCH + back);
                assert_true(id > last);
                assert_int_equal(node_of(id), 255);
                last = id;
        }
        assert_int_equal(ms_of(last), EPOCH + 60000);
}

static void rise_when_the_sequence_is_used_up(void **state) {
        (void)state;
        struct id_source source;
        id_source_init(&source, 3, 0);
        uint64_t last = 0;
        for (int i = 0; i < 3 * 16384; i++) {
                uint64_t id = id_next(&source, EPOCH + 77);
                assert_true(id > last);
                assert_int_equal(node_of(id), 3);
                assert_int_equal(ms_of(id), EPOCH + 77 + i / 16384);
                last = id;
        }
        /* The real clock catches up with the borrowed milliseconds. */
        uint64_t id = id_next(&source, EPOCH + 79);
        assert_true(id > last && ms_of(id) == EPOCH + 80);
        id = id_next(&source, EPOCH + 200);
        assert_true(ms_of(id) == EPOCH + 200 && sequence_of(id) == 0);
}

static void go_on_after_a_restart(void **state) {
        (void)state;
        static const unsigned nodes[] = {0, 7, 8, 9, 255};
        for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
                struct id_source before, source;
                id_source_init(&before, 8, 0);
                uint64_t highest = id_next(&before, EPOCH + 5000);
                id_source_init(&source, nodes[i], highest);
                for (int64_t now = 4990; now < 5010; now++) {
                        uint64_t id = id_next(&source, EPOCH + now);
                        assert_true(id > highest);
                        assert_int_equal(node_of(id), nodes[i]);
                        highest = id;
                }
        }
}

static void never_zero_even_before_the_epoch(void **state) {
        (void)state;
        struct id_source source;
        id_source_init(&source, 0, 0);
        assert_int_equal(id_next(&source, 0), 1);
        assert_int_equal(id_next(&source, -1), 2);
        assert_int_equal(id_next(&source, INT64_MIN), 3);
        assert_int_equal(id_next(&source, EPOCH), 4);
}

static void impossible_sources_are_asserted(void **state) {
        (void)state;
        struct id_source source;
        assert_true(ABORTS(id_source_init(&source, 256, 0)));
        assert_true(ABORTS(id_source_init(&source, 0, UINT64_C(1) << 63)));
        id_source_init(&source, 255, 0);
        assert_true(ABORTS(id_next(&source, EPOCH + (INT64_C(1) << 41))));
        assert_true(id_next(&source, EPOCH + (INT64_C(1) << 41) - 1) <= INT64_MAX);
}

static void format(void **state) {
        (void)state;
        char out[ID_TEXT_MAX];
        assert_int_equal(id_format(out, "hold", 1), 18);
        assert_string_equal(out, "hold_0000000000001");
        assert_int_equal(id_format(out, "o", INT64_MAX), 15);
        assert_string_equal(out, "o_7zzzzzzzzzzzz");
        assert_int_equal(id_format(out, "ninechars", 32), 23);
        assert_string_equal(out, "ninechars_0000000000010");
        assert_true(ABORTS(id_format(out, "hold", 0)));
        assert_true(ABORTS(id_format(out, "hold", UINT64_C(1) << 63)));
        assert_true(ABORTS(id_format(out, "ten_charsx", 1)));
}

static void parse(void **state) {
        (void)state;
        assert_int_equal(id_parse(TEXT("hold_0000000000001"), "hold"), 1);
        assert_int_equal(id_parse(TEXT("o_7zzzzzzzzzzzz"), "o"), INT64_MAX);
        assert_true(id_parse(TEXT("hold_0c1m8t3qk0g00"), "hold") != 0);
        static const char *const refused[] = {
                "",
                "hold",
                "hold_",
                "hold_0000000000000", /* zero is no id */
                "hold_8000000000000", /* beyond 63 bits */
                "hold_z000000000000",
                "hold_000000000001",   /* too short */
                "hold_00000000000001", /* too long */
                "hold-0000000000001",
                "Hold_0000000000001",
                "seat_0000000000001",
                "hold_000000000000A", /* upper case is a second spelling */
                "hold_000000000000i",
                "hold_000000000000l",
                "hold_000000000000o",
                "hold_000000000000u",
                "hold_000000000000-",
                "hold_ 000000000001",
                "hold_+00000000000a",
                "hold_000000000000\xc3",
        };
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
                if (id_parse(text_of(refused[i]), "hold") != 0)
                        fail_msg("%s was taken", refused[i]);
        }
        assert_int_equal(id_parse(text_of(NULL), "hold"), 0);
        assert_int_equal(id_parse((struct text){"hold_00000000000\0001", 18}, "hold"), 0);
}

static void text_round_trip_keeps_the_order(void **state) {
        (void)state;
        uint64_t seed = 5, before = 0;
        char out[ID_TEXT_MAX], out_before[ID_TEXT_MAX] = "s_";
        for (int i = 0; i < 20000; i++) {
                uint64_t id = test_random(&seed) >> (1 + test_random(&seed) % 62);
                if (id == 0)
                        continue;
                size_t length = id_format(out, "s", id);
                assert_true(id_parse((struct text){out, length}, "s") == id);
                assert_true((strcmp(out, out_before) > 0) == (id > before));
                memcpy(out_before, out, sizeof out);
                before = id;
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_parts_of_an_id),
                cmocka_unit_test(rise_when_the_clock_steps_back),
                cmocka_unit_test(rise_when_the_sequence_is_used_up),
                cmocka_unit_test(go_on_after_a_restart),
                cmocka_unit_test(never_zero_even_before_the_epoch),
                cmocka_unit_test(impossible_sources_are_asserted),
                cmocka_unit_test(format),
                cmocka_unit_test(parse),
                cmocka_unit_test(text_round_trip_keeps_the_order),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
