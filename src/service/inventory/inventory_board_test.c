/* inventory_board_test.c: the published board alone: numbering, the ring and its end, tags, tables that grow, and
 * readers while the lane publishes. */
#include "service/inventory/inventory_board.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { NOW = 1000000, FIRST = NOW * 256 };

static struct boards boards;

static struct board *open_board(uint32_t seats) {
        struct board *board = NULL;
        boards_init(&boards);
        assert_int_equal(boards_add(&boards, 7, seats, NOW, &board), 0);
        assert_null(boards_find(&boards, 7));
        boards_show(&boards, board);
        assert_ptr_equal(boards_find(&boards, 7), board);
        return board;
}

static void publish(struct board *board, seat_index seat, enum seat_state state, account_id holder) {
        board_publish(board, &(struct board_change){seat, state, holder}, 1);
}

static void test_views_and_counts(void **state) {
        (void)state;
        struct board *board = open_board(4);
        struct seat_counts counts;
        char states[5] = {0};
        publish(board, 1, SEAT_HELD, 5);
        publish(board, 2, SEAT_SOLD, 6);
        publish(board, 3, SEAT_BLOCKED, 0);
        assert_int_equal(board_look(board, 0, 5), BOARD_FREE);
        assert_int_equal(board_look(board, 1, 5), BOARD_PERHAPS_YOURS);
        assert_int_equal(board_look(board, 1, 6), BOARD_TAKEN);
        assert_int_equal(board_look(board, 2, 6), BOARD_PERHAPS_YOURS);
        assert_int_equal(board_look(board, 3, 5), BOARD_TAKEN);
        assert_int_equal(board_snapshot(board, states, &counts), FIRST + 3);
        assert_string_equal(states, "AHSB");
        assert_true(counts.available == 1 && counts.held == 1 && counts.sold == 1 && counts.blocked == 1 &&
                    counts.seats == 4);
        assert_true(board_shows(board, &(struct board_change){1, SEAT_HELD, 5}));
        assert_false(board_shows(board, &(struct board_change){1, SEAT_HELD, 6}));
        assert_false(board_shows(board, &(struct board_change){1, SEAT_SOLD, 5}));
        boards_deinit(&boards);
}

static int changes_since(struct board *board, uint64_t since, struct arena *arena, struct board_changes *ret_changes) {
        arena_reset(arena);
        return board_changes_since(board, since, arena, ret_changes);
}

static void test_changes_are_told_once_a_seat(void **state) {
        (void)state;
        struct board *board = open_board(4);
        struct board_changes changes;
        struct arena arena;
        arena_init(&arena, 1 << 24);
        publish(board, 1, SEAT_HELD, 5);
        publish(board, 2, SEAT_HELD, 5);
        publish(board, 1, SEAT_AVAILABLE, 0);
        assert_int_equal(changes_since(board, FIRST, &arena, &changes), BOARD_CHANGES_TOLD);
        assert_int_equal(changes.to, FIRST + 3);
        assert_int_equal(changes.count, 2);
        assert_int_equal(board_change_seat(changes.seats[0]), 2);
        assert_int_equal(board_change_letter(changes.seats[0]), 'H');
        assert_int_equal(board_change_seat(changes.seats[1]), 1);
        assert_int_equal(board_change_letter(changes.seats[1]), 'A');
        assert_int_equal(changes_since(board, FIRST + 3, &arena, &changes), BOARD_CHANGES_TOLD);
        assert_int_equal(changes.count, 0);
        assert_int_equal(changes_since(board, FIRST + 4, &arena, &changes), BOARD_CHANGES_GONE);
        assert_int_equal(changes_since(board, FIRST - 1, &arena, &changes), BOARD_CHANGES_GONE);
        assert_int_equal(changes_since(board, 0, &arena, &changes), BOARD_CHANGES_GONE);
        arena_deinit(&arena);
        boards_deinit(&boards);
}

/* The ring keeps SEAT_CHANGES_KEPT changes, also while it grows, and not one more. */
static void test_the_end_of_the_ring(void **state) {
        (void)state;
        struct board *board = open_board(100);
        struct board_changes changes;
        struct arena arena;
        arena_init(&arena, 1 << 24);
        for (uint64_t n = 1; n <= SEAT_CHANGES_KEPT + 5000; n++) {
                publish(board, (seat_index)(n % 100), n % 2 ? SEAT_HELD : SEAT_AVAILABLE, n % 2 ? 5 : 0);
                uint64_t oldest = n > SEAT_CHANGES_KEPT ? FIRST + n - SEAT_CHANGES_KEPT : FIRST;
                if (n % 997 != 0 && n < SEAT_CHANGES_KEPT + 4990)
                        continue;
                assert_int_equal(changes_since(board, oldest, &arena, &changes), BOARD_CHANGES_TOLD);
                assert_int_equal(changes.count, n < 100 ? n : 100);
                assert_int_equal(board_change_seat(changes.seats[changes.count - 1]), n % 100);
                if (oldest > FIRST)
                        assert_int_equal(changes_since(board, oldest - 1, &arena, &changes), BOARD_CHANGES_GONE);
                assert_int_equal(changes_since(board, FIRST + n - 1, &arena, &changes), BOARD_CHANGES_TOLD);
                assert_int_equal(changes.count, 1);
        }
        arena_deinit(&arena);
        boards_deinit(&boards);
}

static void test_many_boards(void **state) {
        (void)state;
        boards_init(&boards);
        for (schedule_id id = 1; id <= 500; id++) {
                struct board *board;
                assert_int_equal(boards_add(&boards, id << 22, 1, NOW, &board), 0);
                if (id % 5 == 0) {
                        boards_drop(&boards, board); /* thought better of it */
                        continue;
                }
                boards_show(&boards, board);
        }
        for (schedule_id id = 1; id <= 500; id++) {
                struct board *board = boards_find(&boards, id << 22);
                assert_int_equal(board != NULL, id % 5 != 0);
                assert_true(!board || board->schedule == id << 22);
        }
        assert_null(boards_find(&boards, 12345));
        boards_deinit(&boards);
}

enum { WATCHED_SEATS = 64, TOGGLES = 20000 };

/* Two seats change together, in one publication: nobody may see one without the other. */
static void *watch(void *context) {
        struct board *board = context;
        char states[WATCHED_SEATS];
        struct seat_counts counts;
        uint64_t version = 0;
        while (version < FIRST + 2 * TOGGLES) {
                uint64_t next = board_snapshot(board, states, &counts);
                if (next < version || (next - FIRST) % 2 != 0 || states[3] != states[40] ||
                    counts.available + counts.held != WATCHED_SEATS || counts.held != (states[3] == 'H' ? 2u : 0u))
                        return context;
                version = next;
        }
        return NULL;
}

static void test_readers_see_whole_publications(void **state) {
        (void)state;
        struct board *board = open_board(WATCHED_SEATS);
        pthread_t watchers[2];
        for (size_t i = 0; i < 2; i++)
                assert_int_equal(pthread_create(&watchers[i], NULL, watch, board), 0);
        for (int n = 0; n < TOGGLES; n++) {
                enum seat_state next = n % 2 ? SEAT_AVAILABLE : SEAT_HELD;
                account_id holder = n % 2 ? 0 : 9;
                board_publish(board, (struct board_change[]){{3, next, holder}, {40, next, holder}}, 2);
        }
        for (size_t i = 0; i < 2; i++) {
                void *wrong;
                pthread_join(watchers[i], &wrong);
                assert_null(wrong);
        }
        boards_deinit(&boards);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_views_and_counts),
                cmocka_unit_test(test_changes_are_told_once_a_seat),
                cmocka_unit_test(test_the_end_of_the_ring),
                cmocka_unit_test(test_many_boards),
                cmocka_unit_test(test_readers_see_whole_publications),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
