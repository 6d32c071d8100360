#include "base/arena.h"
#include "base/unit_test.h"

static void pieces_are_aligned_zeroed_and_apart(void **state) {
        (void)state;
        struct arena arena;
        arena_init(&arena, 1 << 20);
        uint64_t seed = 11;
        char *pieces[300];
        size_t sizes[300];
        for (int round = 0; round < 3; round++) {
                for (size_t i = 0; i < 300; i++) {
                        sizes[i] = test_random(&seed) % 700;
                        pieces[i] = arena_take(&arena, sizes[i]);
                        assert_non_null(pieces[i]);
                        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
                        for (size_t k = 0; k < sizes[i]; k++)
                                assert_int_equal(pieces[i][k], 0);
                        memset(pieces[i], (int)(i % 255 + 1), sizes[i]);
                }
                for (size_t i = 0; i < 300; i++) {
                        for (size_t k = 0; k < sizes[i]; k++)
                                assert_int_equal((unsigned char)pieces[i][k], i % 255 + 1);
                }
                arena_reset(&arena); /* the next round finds zeros again, also in the block that was kept */
                assert_int_equal(arena.used, 0);
        }
        arena_deinit(&arena);
}

static void empty_pieces_have_addresses(void **state) {
        (void)state;
        struct arena arena;
        arena_init(&arena, 64);
        void *first = arena_take(&arena, 0), *second = arena_take(&arena, 0);
        assert_non_null(first);
        assert_non_null(second);
        assert_ptr_not_equal(first, second);
        arena_deinit(&arena);
}

static void the_limit_holds_to_the_byte(void **state) {
        (void)state;
        static const size_t limits[] = {0, 16, 4096, 4112, 10000 * 16};
        for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
                struct arena arena;
                arena_init(&arena, limits[i]);
                for (size_t taken = 0; taken < limits[i]; taken += 16)
                        assert_non_null(arena_take(&arena, 16));
                assert_false(arena.overflowed);
                assert_int_equal(arena.used, limits[i]);
                assert_null(arena_take(&arena, 1));
                assert_true(arena.overflowed);
                arena_deinit(&arena);
        }
}

static void overflow_sticks_until_reset(void **state) {
        (void)state;
        struct arena arena;
        arena_init(&arena, 1000);
        assert_non_null(arena_take(&arena, 500));
        assert_null(arena_take(&arena, 501));
        assert_non_null(arena_take(&arena, 16));
        assert_true(arena.overflowed);
        arena_reset(&arena);
        assert_false(arena.overflowed);
        assert_non_null(arena_take(&arena, 900));
        arena_deinit(&arena);
}

static void absurd_sizes_are_refused(void **state) {
        (void)state;
        static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX - 16, SIZE_MAX / 2};
        struct arena arena;
        arena_init(&arena, SIZE_MAX);
        assert_non_null(arena_take(&arena, 1));
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
                assert_null(arena_take(&arena, sizes[i]));
        assert_null(arena_copy(&arena, (struct text){"", SIZE_MAX}));
        assert_true(arena.overflowed);
        arena_deinit(&arena);
}

static void a_large_piece_gets_a_block_of_its_own(void **state) {
        (void)state;
        struct arena arena;
        arena_init(&arena, 1 << 20);
        assert_non_null(arena_take(&arena, 100000));
        arena_reset(&arena);
        assert_non_null(arena_take(&arena, 16));
        assert_non_null(arena_take(&arena, 100000));
        arena_reset(&arena);
        arena_reset(&arena);
        arena_deinit(&arena);
        arena_deinit(&arena);
}

static void copies_are_terminated(void **state) {
        (void)state;
        struct arena arena;
        arena_init(&arena, 64);
        assert_string_equal(arena_copy(&arena, (struct text){"seat map", 4}), "seat");
        assert_string_equal(arena_copy(&arena, text_of(NULL)), "");
        assert_string_equal(arena_copy(&arena, TEXT("fifteen letters")), "fifteen letters");
        assert_null(arena_copy(&arena, TEXT("sixteen letters.")));
        assert_true(arena.overflowed);
        arena_deinit(&arena);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(pieces_are_aligned_zeroed_and_apart),
                cmocka_unit_test(empty_pieces_have_addresses),
                cmocka_unit_test(the_limit_holds_to_the_byte),
                cmocka_unit_test(overflow_sticks_until_reset),
                cmocka_unit_test(absurd_sizes_are_refused),
                cmocka_unit_test(a_large_piece_gets_a_block_of_its_own),
                cmocka_unit_test(copies_are_terminated),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
