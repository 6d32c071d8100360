/* What base does when the n-th allocation fails: linked with --wrap, see meson.build. */
#include "base/arena.h"
#include "base/buffer.h"
#include "base/fault.h"
#include "base/heap.h"
#include "base/map.h"
#include "base/unit_test.h"

static int allocations_left = -1; /* negative: no limit */

static bool may_allocate(void) {
        if (allocations_left == 0)
                return false;
        if (allocations_left > 0)
                allocations_left--;
        return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *at, size_t size);
void *__real_reallocarray(void *at, size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *at, size_t size);
void *__wrap_reallocarray(void *at, size_t count, size_t size);

void *__wrap_malloc(size_t size) {
        return may_allocate() ? __real_malloc(size) : NULL;
}
void *__wrap_calloc(size_t count, size_t size) {
        return may_allocate() ? __real_calloc(count, size) : NULL;
}
void *__wrap_realloc(void *at, size_t size) {
        return may_allocate() ? __real_realloc(at, size) : NULL;
}
void *__wrap_reallocarray(void *at, size_t count, size_t size) {
        return may_allocate() ? __real_reallocarray(at, count, size) : NULL;
}

static int no_limit(void **state) {
        (void)state;
        allocations_left = -1;
        return 0;
}

static void a_map_stays_as_it_was(void **state) {
        (void)state;
        for (int allowed = 0; allowed < 6; allowed++) {
                struct map map;
                map_init(&map);
                allocations_left = allowed;
                uint64_t key = 1;
                while (map_put(&map, key, key) == 0)
                        key++;
                assert_int_equal(map_put(&map, key, key), -ENOMEM);
                assert_int_equal(map.count, key - 1);
                assert_null(map_find(&map, key));
                for (uint64_t i = 1; i < key; i++) {
                        assert_int_equal(map_put(&map, i, 2 * i), 0); /* replacing needs no memory */
                        assert_int_equal(*map_find(&map, i), 2 * i);
                }
                allocations_left = -1;
                assert_int_equal(map_put(&map, key, key), 0);
                map_deinit(&map);
        }
}

static void a_heap_stays_as_it_was(void **state) {
        (void)state;
        struct heap heap;
        struct heap_entry entry;
        heap_init(&heap);
        allocations_left = 2;
        int64_t at = 100;
        while (heap_push(&heap, at, 7) == 0)
                at--;
        size_t count = heap.count;
        assert_int_equal(heap_push(&heap, 0, 8), -ENOMEM);
        assert_int_equal(heap.count, count);
        for (at++; heap_pop_due(&heap, INT64_MAX, &entry); at++)
                assert_true(entry.at == at && entry.payload == 7);
        heap_deinit(&heap);
}

static void a_buffer_overflows(void **state) {
        (void)state;
        struct buffer buffer;
        buffer_init(&buffer, 1 << 20);
        allocations_left = 1;
        while (!buffer.overflowed)
                buffer_add_string(&buffer, "seat");
        assert_true(buffer.length > 0 && buffer.length % 4 == 0);
        allocations_left = -1;
        buffer_clear(&buffer);
        for (int i = 0; i < 1000; i++)
                buffer_add_string(&buffer, "seat");
        assert_false(buffer.overflowed);
        assert_int_equal(buffer.length, 4000);
        buffer_deinit(&buffer);
}

static void an_arena_overflows(void **state) {
        (void)state;
        struct arena arena;
        arena_init(&arena, 1 << 20);
        allocations_left = 2;
        size_t pieces = 0;
        while (arena_take(&arena, 64))
                pieces++;
        assert_true(arena.overflowed);
        assert_int_equal(arena.used, 64 * pieces);
        arena_reset(&arena);
        assert_non_null(arena_take(&arena, 64)); /* from the block that was kept */
        arena_deinit(&arena);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(a_map_stays_as_it_was, no_limit),
                cmocka_unit_test_teardown(a_heap_stays_as_it_was, no_limit),
                cmocka_unit_test_teardown(a_buffer_overflows, no_limit),
                cmocka_unit_test_teardown(an_arena_overflows, no_limit),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
