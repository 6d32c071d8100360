#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rehearse/histogram.h"

static void test_empty(void **state) {
        (void)state;
        struct histogram histogram = {0};
        assert_int_equal(histogram_quantile(&histogram, 500), 0);
        assert_int_equal(histogram_quantile(&histogram, 1000), 0);
}

static void test_small_values_are_exact(void **state) {
        (void)state;
        struct histogram histogram = {0};
        for (int64_t value = 1; value <= 100; value++)
                histogram_add(&histogram, value);
        assert_int_equal(histogram_quantile(&histogram, 500), 50);
        assert_int_equal(histogram_quantile(&histogram, 950), 95);
        assert_int_equal(histogram_quantile(&histogram, 990), 99);
        assert_int_equal(histogram_quantile(&histogram, 1000), 100);
        assert_int_equal(histogram.max, 100);
}

/* Every magnitude: a lone value comes back within one percent, never below itself but for the largest. */
static void test_large_values_are_within_a_percent(void **state) {
        (void)state;
        for (int64_t value = 1; value < HISTOGRAM_VALUE_MAX / 3; value = value * 3 + 1) {
                struct histogram histogram = {0};
                histogram_add(&histogram, value);
                histogram_add(&histogram, HISTOGRAM_VALUE_MAX);
                int64_t half = histogram_quantile(&histogram, 500);
                assert_true(half >= value);
                assert_true(half - value <= value / 63);
        }
}

static void test_bounds(void **state) {
        (void)state;
        struct histogram histogram = {0};
        histogram_add(&histogram, -5);
        assert_int_equal(histogram_quantile(&histogram, 1000), 0);
        histogram_add(&histogram, INT64_MAX);
        assert_int_equal(histogram.max, HISTOGRAM_VALUE_MAX);
        assert_int_equal(histogram_quantile(&histogram, 1000), HISTOGRAM_VALUE_MAX);
        assert_int_equal(histogram.count, 2);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_small_values_are_exact),
                cmocka_unit_test(test_large_values_are_within_a_percent),
                cmocka_unit_test(test_bounds),
        };
        return cmocka_run_group_tests(tests, 0, 0);
}
