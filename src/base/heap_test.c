#include "base/heap.h"
#include "base/unit_test.h"

static void empty(void **state) {
        (void)state;
        struct heap heap;
        struct heap_entry entry = {1, 2};
        heap_init(&heap);
        assert_int_equal(heap_nearest(&heap), INT64_MAX);
        assert_false(heap_pop_due(&heap, INT64_MAX, &entry));
        assert_true(entry.at == 1 && entry.payload == 2);
        heap_clear(&heap);
        heap_deinit(&heap);
        heap_deinit(&heap);
}

static void due_means_at_or_before_now(void **state) {
        (void)state;
        struct heap heap;
        struct heap_entry entry;
        heap_init(&heap);
        assert_int_equal(heap_push(&heap, 100, 1), 0);
        assert_int_equal(heap_push(&heap, 50, 2), 0);
        assert_int_equal(heap_nearest(&heap), 50);
        assert_false(heap_pop_due(&heap, 49, &entry));
        assert_true(heap_pop_due(&heap, 50, &entry));
        assert_true(entry.at == 50 && entry.payload == 2);
        assert_false(heap_pop_due(&heap, 99, &entry));
        assert_true(heap_pop_due(&heap, 1000, &entry));
        assert_true(entry.at == 100 && entry.payload == 1);
        assert_int_equal(heap_nearest(&heap), INT64_MAX);

        assert_int_equal(heap_push(&heap, INT64_MIN, 3), 0);
        assert_int_equal(heap_push(&heap, INT64_MAX, 4), 0);
        assert_true(heap_pop_due(&heap, INT64_MIN, &entry) && entry.payload == 3);
        assert_true(heap_pop_due(&heap, INT64_MAX, &entry) && entry.payload == 4);
        heap_deinit(&heap);
}

static void everything_comes_out_in_order(void **state) {
        (void)state;
        enum { COUNT = 5000 };
        for (uint64_t seed = 1; seed <= 5; seed++) {
                struct heap heap;
                struct heap_entry entry;
                heap_init(&heap);
                uint64_t random = seed, sum = 0;
                int64_t range = seed % 2 ? 100 : 1000000; /* many equal times, and few */
                for (uint64_t i = 1; i <= COUNT; i++) {
                        assert_int_equal(heap_push(&heap, (int64_t)(test_random(&random) % (uint64_t)range), i), 0);
                        sum += i;
                }
                int64_t before = -1;
                for (size_t i = 0; i < COUNT; i++) {
                        assert_int_equal(heap.count, COUNT - i);
                        int64_t nearest = heap_nearest(&heap);
                        assert_true(heap_pop_due(&heap, INT64_MAX, &entry));
                        assert_true(entry.at == nearest && entry.at >= before);
                        before = entry.at;
                        sum -= entry.payload;
                }
                assert_int_equal(sum, 0);
                heap_deinit(&heap);
        }
}

static void pushes_between_pops(void **state) {
        (void)state;
        /* A clock that goes on while new deadlines arrive: nothing is taken early, nothing due is left. */
        struct heap heap;
        struct heap_entry entry;
        heap_init(&heap);
        uint64_t seed = 42, pushed = 0, popped = 0;
        for (int64_t now = 0; now < 20000; now++) {
                for (uint64_t n = test_random(&seed) % 3; n > 0; n--, pushed++)
                        assert_int_equal(heap_push(&heap, now + (int64_t)(test_random(&seed) % 500), pushed), 0);
                for (; heap_pop_due(&heap, now, &entry); popped++)
                        assert_int_equal(entry.at, now);
                assert_true(heap_nearest(&heap) > now);
        }
        assert_int_equal(pushed, popped + heap.count);
        heap_clear(&heap);
        assert_int_equal(heap_nearest(&heap), INT64_MAX);
        heap_deinit(&heap);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(empty),
                cmocka_unit_test(due_means_at_or_before_now),
                cmocka_unit_test(everything_comes_out_in_order),
                cmocka_unit_test(pushes_between_pops),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
