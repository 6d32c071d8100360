#include "base/map.h"
#include "base/unit_test.h"

static void put_find_replace_remove(void **state) {
        (void)state;
        struct map map;
        map_init(&map);
        assert_null(map_find(&map, 1));
        assert_false(map_remove(&map, 1));
        assert_int_equal(map_put(&map, 1, 10), 0);
        assert_int_equal(map_put(&map, UINT64_MAX, 20), 0);
        assert_int_equal(map.count, 2);
        assert_int_equal(*map_find(&map, 1), 10);
        assert_int_equal(*map_find(&map, UINT64_MAX), 20);
        assert_int_equal(map_put(&map, 1, 11), 0);
        assert_int_equal(map.count, 2);
        *map_find(&map, 1) += 1;
        assert_int_equal(*map_find(&map, 1), 12);
        assert_true(map_remove(&map, 1));
        assert_false(map_remove(&map, 1));
        assert_null(map_find(&map, 1));
        assert_int_equal(*map_find(&map, UINT64_MAX), 20);
        assert_int_equal(map.count, 1);
        map_deinit(&map);
        map_deinit(&map);
}

static void zero_is_no_key(void **state) {
        (void)state;
        struct map map;
        map_init(&map);
        assert_true(ABORTS(map_put(&map, 0, 1)));
        map_put(&map, 1, 1);
        assert_null(map_find(&map, 0));
        assert_false(map_remove(&map, 0));
        map_deinit(&map);
}

static void clear_keeps_the_memory(void **state) {
        (void)state;
        struct map map;
        map_init(&map);
        map_clear(&map);
        for (uint64_t key = 1; key <= 100; key++)
                assert_int_equal(map_put(&map, key, key), 0);
        size_t capacity = map.capacity;
        map_clear(&map);
        assert_int_equal(map.count, 0);
        assert_int_equal(map.capacity, capacity);
        for (uint64_t key = 1; key <= 100; key++)
                assert_null(map_find(&map, key));
        map_deinit(&map);
}

static void at_most_three_quarters_full(void **state) {
        (void)state;
        struct map map;
        map_init(&map);
        for (uint64_t key = 1; key <= 5000; key++) {
                assert_int_equal(map_put(&map, key << 22, key), 0);
                assert_int_equal(map.count, key);
                assert_true(map.count * 4 <= map.capacity * 3);
                assert_true((map.capacity & (map.capacity - 1)) == 0);
        }
        assert_true(map.capacity <= 8192);
        for (uint64_t key = 1; key <= 5000; key++)
                assert_int_equal(*map_find(&map, key << 22), key);
        map_deinit(&map);
}

/* Random puts and removals, compared with a plain array after each step that matters. The keys are few and the map is
 * small, so that runs of neighbours, wrapping around the end included, form and break up all the time. */
static void model_run(uint64_t seed, uint64_t key_count, unsigned key_shift, size_t steps) {
        uint64_t model[256] = {0};
        size_t model_count = 0;
        struct map map;
        map_init(&map);
        for (size_t step = 0; step < steps; step++) {
                uint64_t pick = test_random(&seed) % key_count, key = (pick + 1) << key_shift;
                if (test_random(&seed) % 2) {
                        uint64_t value = test_random(&seed) | 1;
                        assert_int_equal(map_put(&map, key, value), 0);
                        model_count += model[pick] == 0;
                        model[pick] = value;
                } else {
                        assert_int_equal(map_remove(&map, key), model[pick] != 0);
                        model_count -= model[pick] != 0;
                        model[pick] = 0;
                }
                assert_int_equal(map.count, model_count);
                for (uint64_t i = 0; i < key_count; i++) {
                        uint64_t *found = map_find(&map, (i + 1) << key_shift);
                        assert_true(model[i] == 0 ? found == NULL : found && *found == model[i]);
                }
        }
        map_deinit(&map);
}

static void agrees_with_a_model(void **state) {
        (void)state;
        model_run(1, 12, 0, 20000);
        model_run(2, 24, 0, 20000);
        model_run(3, 48, 14, 20000);
        model_run(4, 200, 22, 10000);
}

static void iteration_sees_everything_once(void **state) {
        (void)state;
        struct map map;
        struct map_entry entry;
        map_init(&map);
        assert_int_equal(map_next(&map, 0, &entry), 0);
        for (uint64_t key = 1; key <= 1000; key++)
                assert_int_equal(map_put(&map, key, key * 3), 0);
        bool seen[1001] = {false};
        size_t count = 0;
        for (size_t i = 0; (i = map_next(&map, i, &entry)) != 0; count++) {
                assert_in_range(entry.key, 1, 1000);
                assert_int_equal(entry.value, entry.key * 3);
                assert_false(seen[entry.key]);
                seen[entry.key] = true;
        }
        assert_int_equal(count, 1000);
        map_deinit(&map);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(put_find_replace_remove), cmocka_unit_test(zero_is_no_key),
                cmocka_unit_test(clear_keeps_the_memory),  cmocka_unit_test(at_most_three_quarters_full),
                cmocka_unit_test(agrees_with_a_model),     cmocka_unit_test(iteration_sees_everything_once),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
