#include "base/buffer.h"
#include "base/unit_test.h"

#include <stdio.h>

static void assert_content(const struct buffer *buffer, const char *expected) {
        assert_false(buffer->overflowed);
        assert_true(text_equal(buffer_text(buffer), text_of(expected)));
}

static void adds_in_order(void **state) {
        (void)state;
        struct buffer buffer;
        buffer_init(&buffer, 1000);
        assert_content(&buffer, "");
        buffer_add(&buffer, "seat", 4);
        buffer_add(&buffer, NULL, 0);
        buffer_add_text(&buffer, TEXT(" A-"));
        buffer_add_text(&buffer, text_of(NULL));
        buffer_add_number(&buffer, 12);
        buffer_add_string(&buffer, ": ");
        buffer_printf(&buffer, "%d of %s", -3, "four");
        assert_content(&buffer, "seat A-12: -3 of four");
        buffer_clear(&buffer);
        assert_content(&buffer, "");
        buffer_add_number(&buffer, INT64_MIN);
        assert_content(&buffer, "-9223372036854775808");
        buffer_deinit(&buffer);
        buffer_deinit(&buffer);
}

static void reserve_gives_room_at_the_end(void **state) {
        (void)state;
        struct buffer buffer;
        buffer_init(&buffer, 1 << 20);
        assert_non_null(buffer_reserve(&buffer, 0));
        size_t total = 0;
        for (size_t n = 1; n < 900; n++) {
                char *at = buffer_reserve(&buffer, n);
                assert_ptr_equal(at, buffer.at + buffer.length);
                memset(at, (int)(n % 251), n);
                buffer.length += n;
                total += n;
        }
        assert_int_equal(buffer.length, total);
        const char *at = buffer.at;
        for (size_t n = 1; n < 900; n++) {
                for (size_t i = 0; i < n; i++)
                        assert_int_equal((unsigned char)*at++, n % 251);
        }
        buffer_deinit(&buffer);
}

static void the_limit_holds_to_the_byte(void **state) {
        (void)state;
        for (size_t limit = 0; limit < 600; limit += 7) {
                struct buffer buffer;
                buffer_init(&buffer, limit);
                for (size_t i = 0; i < limit; i++)
                        buffer_add(&buffer, "x", 1);
                assert_false(buffer.overflowed);
                assert_int_equal(buffer.length, limit);
                assert_non_null(buffer_reserve(&buffer, 0));
                buffer_add(&buffer, "x", 1);
                assert_true(buffer.overflowed);
                assert_int_equal(buffer.length, limit);
                buffer_deinit(&buffer);
        }
}

static void overflow_sticks(void **state) {
        (void)state;
        struct buffer buffer;
        buffer_init(&buffer, 10);
        buffer_add_string(&buffer, "12345");
        buffer_add_string(&buffer, "123456");
        assert_true(buffer.overflowed);
        buffer_add_string(&buffer, "1"); /* would fit, but comes after a gap */
        assert_null(buffer_reserve(&buffer, 0));
        buffer_printf(&buffer, "%s", "");
        assert_int_equal(buffer.length, 5);
        buffer_clear(&buffer);
        buffer_add_string(&buffer, "1234567890");
        assert_content(&buffer, "1234567890");
        buffer_deinit(&buffer);
}

static void printf_fills_to_the_brim(void **state) {
        (void)state;
        char long_text[2000];
        memset(long_text, 'y', sizeof long_text - 1);
        long_text[sizeof long_text - 1] = '\0';
        for (size_t limit = 1996; limit < 2004; limit++) {
                struct buffer buffer;
                buffer_init(&buffer, limit);
                buffer_printf(&buffer, "%s", long_text);
                assert_int_equal(buffer.overflowed, limit < 1999);
                if (!buffer.overflowed)
                        assert_content(&buffer, long_text);
                buffer_deinit(&buffer);
        }
}

static void absurd_sizes_are_refused(void **state) {
        (void)state;
        struct buffer buffer;
        buffer_init(&buffer, SIZE_MAX);
        buffer_add_string(&buffer, "x");
        assert_null(buffer_reserve(&buffer, SIZE_MAX));
        assert_true(buffer.overflowed);
        buffer_deinit(&buffer);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(adds_in_order),
                cmocka_unit_test(reserve_gives_room_at_the_end),
                cmocka_unit_test(the_limit_holds_to_the_byte),
                cmocka_unit_test(overflow_sticks),
                cmocka_unit_test(printf_fills_to_the_brim),
                cmocka_unit_test(absurd_sizes_are_refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
