/* gateway_rules_test.c: the rate algorithm at its edges. */
#include "service/gateway/gateway_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define NOW (INT64_C(1763726400) * SECOND)

static void test_burst_then_evenly(void **state) {
        (void)state;
        struct gcra gcra = gcra_of(60, 5);
        int64_t tat = 0;
        for (unsigned i = 0; i < 5; i++) {
                assert_int_equal(gcra_remaining(&gcra, tat, NOW), 5 - i);
                assert_int_equal(gcra_admit(&gcra, &tat, NOW), 0);
        }
        assert_int_equal(gcra_remaining(&gcra, tat, NOW), 0);
        assert_int_equal(gcra_admit(&gcra, &tat, NOW), SECOND);
        assert_int_equal(gcra_admit(&gcra, &tat, NOW + SECOND - 1), 1);
        assert_int_equal(gcra_admit(&gcra, &tat, NOW + SECOND), 0);
        assert_int_equal(gcra_admit(&gcra, &tat, NOW + SECOND), SECOND);
}

static void test_refusal_costs_nothing(void **state) {
        (void)state;
        struct gcra gcra = gcra_of(60, 1);
        int64_t tat = 0;
        assert_int_equal(gcra_admit(&gcra, &tat, NOW), 0);
        int64_t before = tat;
        for (int i = 0; i < 1000; i++)
                assert_int_equal(gcra_admit(&gcra, &tat, NOW + SECOND / 2), SECOND / 2);
        assert_int_equal(tat, before);
        assert_int_equal(gcra_admit(&gcra, &tat, NOW + SECOND), 0);
}

static void test_waiting_gives_the_burst_back(void **state) {
        (void)state;
        struct gcra gcra = gcra_of(120, 10);
        int64_t tat = 0;
        while (gcra_admit(&gcra, &tat, NOW) == 0)
                ;
        assert_int_equal(gcra_remaining(&gcra, tat, NOW + 3 * SECOND), 6);
        assert_int_equal(gcra_remaining(&gcra, tat, NOW + 60 * SECOND), 10);
        assert_int_equal(gcra_remaining(&gcra, tat, NOW + 86400 * SECOND), 10);
}

/* Whatever the pattern, at most burst + rate × time get through. */
static void test_never_more_than_promised(void **state) {
        (void)state;
        struct gcra gcra = gcra_of(600, 7);
        int64_t tat = 0, admitted = 0;
        uint64_t random = 88172645463325252u;
        int64_t now = NOW;
        for (int i = 0; i < 200000; i++) {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                now += (int64_t)(random % 60000);
                admitted += gcra_admit(&gcra, &tat, now) == 0;
                assert_true(admitted <= 7 + (now - NOW) / gcra.interval_us);
        }
        assert_true(admitted >= (now - NOW) / gcra.interval_us * 9 / 10);
}

static void test_extremes(void **state) {
        (void)state;
        struct gcra fast = gcra_of(UINT32_MAX, UINT32_MAX), single = gcra_of(1, 0);
        int64_t tat = 0;
        assert_int_equal(fast.interval_us, 1);
        assert_int_equal(gcra_admit(&fast, &tat, NOW), 0);
        tat = 0;
        assert_int_equal(gcra_remaining(&single, tat, NOW), 1);
        assert_int_equal(gcra_admit(&single, &tat, NOW), 0);
        assert_int_equal(gcra_admit(&single, &tat, NOW), 60 * SECOND);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_burst_then_evenly),
                cmocka_unit_test(test_refusal_costs_nothing),
                cmocka_unit_test(test_waiting_gives_the_burst_back),
                cmocka_unit_test(test_never_more_than_promised),
                cmocka_unit_test(test_extremes),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
