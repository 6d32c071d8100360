/* queue_line_test.c: the line in memory: places, the draw, commit and rollback, and what a person costs. */
#include "service/queue/queue_line.h"

#include "base/unit_test.h"
#include "port/crypto.h"
#include "service/queue/queue_draw.h"

#include <stdatomic.h>

enum { NOW = 1000000 };

static const uint8_t seed[DRAW_SEED_BYTES] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                              16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

static uint32_t add(struct line *line, account_id account) {
        uint32_t number = 0;
        assert_int_equal(line_add(line, account, &number), 0);
        return number;
}

/* Numbers 1 … last for accounts 101 …; drawn before any of them came if `open`. */
static void line_open(struct line *line, uint32_t last, bool open) {
        assert_int_equal(line_init(line, 77), 0);
        if (open)
                assert_int_equal(line_draw(line, seed, NOW), 0);
        for (uint32_t number = 1; number <= last; number++)
                assert_int_equal(add(line, 100 + number), number);
        line_commit(line);
}

static struct line_glance glance_of(struct line *line, account_id account) {
        struct line_glance glance;
        assert_true(line_glance_committed(line, account, &glance));
        return glance;
}

static void everybody_is_found_and_stands_in_the_order_of_entering(void **state) {
        (void)state;
        enum { PEOPLE = 20000 };
        struct line line;
        line_open(&line, PEOPLE, true);
        for (uint32_t number = 1; number <= PEOPLE; number++) {
                assert_int_equal(line_find(&line, 100 + number), number);
                struct line_glance glance = glance_of(&line, 100 + number);
                assert_int_equal(glance.place, number);
                assert_int_equal(glance.ahead, number - 1);
        }
        assert_int_equal(line_find(&line, 99), 0);
        assert_int_equal(glance_of(&line, 99).number, 0);
        line_deinit(&line);
}

static void admission_and_leaving_bring_the_others_forward(void **state) {
        (void)state;
        struct line line;
        line_open(&line, 10, true);
        assert_int_equal(line_end(&line, 2, ENTRY_LEFT, NOW), 0);
        line_commit(&line);
        assert_int_equal(glance_of(&line, 105).ahead, 4); /* the gap counts until it is passed */
        assert_int_equal(line_first_waiting(&line), 1);
        assert_int_equal(line_admit(&line, 1, NOW + 500), 0);
        line_commit(&line);
        assert_int_equal(line_first_waiting(&line), 3);
        assert_int_equal(glance_of(&line, 105).ahead, 2);
        assert_int_equal(glance_of(&line, 105).place, 5);
        assert_int_equal(glance_of(&line, 101).state, ENTRY_ADMITTED);
        assert_int_equal(glance_of(&line, 101).pass_ends_at, NOW + 500);
        line_deinit(&line);
}

static void passes_end_in_time_and_only_once(void **state) {
        (void)state;
        struct line line;
        uint32_t number = 0;
        line_open(&line, 4, true);
        assert_int_equal(line_next_deadline(&line), INT64_MAX);
        for (uint32_t i = 1; i <= 3; i++)
                assert_int_equal(line_admit(&line, i, NOW + 100 * i), 0);
        assert_int_equal(line_end(&line, 1, ENTRY_DONE, NOW), 0);
        line_commit(&line);
        assert_int_equal(line_next_deadline(&line), NOW + 200);
        assert_true(line_is_live(&line, 2, NOW + 199));
        assert_false(line_is_live(&line, 2, NOW + 200));
        assert_int_equal(line_expire_one(&line, NOW + 199, &number), 0);
        assert_int_equal(number, 0);
        assert_int_equal(line_expire_one(&line, NOW + 200, &number), 0);
        assert_int_equal(number, 2);
        assert_int_equal(line_state(&line, 2), ENTRY_EXPIRED);

        assert_int_equal(line_rollback(&line), 0); /* the pass has not ended after all: its deadline is not lost */
        assert_int_equal(line_state(&line, 2), ENTRY_ADMITTED);
        assert_int_equal(line_next_deadline(&line), NOW + 200);
        for (uint32_t i = 2; i <= 3; i++) {
                assert_int_equal(line_expire_one(&line, NOW + 1000, &number), 0);
                assert_int_equal(number, i);
        }
        assert_int_equal(line_expire_one(&line, NOW + 1000, &number), 0);
        assert_int_equal(number, 0);
        assert_int_equal(line.now.counts[ENTRY_EXPIRED], 2);
        line_deinit(&line);
}

static void the_draw_is_what_anybody_computes(void **state) {
        (void)state;
        /* python3: sorted(range(1, 17), key=lambda n: sha256(bytes(range(32)) + n.to_bytes(8, "big")).digest()) */
        static const uint32_t expected[16] = {12, 6, 13, 10, 3, 14, 1, 2, 4, 15, 5, 11, 16, 8, 9, 7};
        static const uint8_t key_of_7[4] = {0xe1, 0x98, 0xa0, 0x92};
        uint8_t key[CRYPTO_HASH_BYTES];
        draw_key(key, seed, 7);
        assert_memory_equal(key, key_of_7, sizeof key_of_7);

        struct line line;
        line_open(&line, 16, false);
        assert_int_equal(glance_of(&line, 101).place, 0);
        assert_int_equal(line_draw(&line, seed, NOW), 0);
        add(&line, 500);
        line_commit(&line);
        for (uint32_t place = 1; place <= 16; place++) {
                struct line_glance glance = glance_of(&line, 100 + expected[place - 1]);
                assert_int_equal(glance.place, place);
                assert_int_equal(glance.ahead, place - 1);
        }
        assert_int_equal(glance_of(&line, 500).place, 17);
        for (uint32_t place = 1; place <= 16; place++) {
                assert_int_equal(line_first_waiting(&line), expected[place - 1]);
                assert_int_equal(line_admit(&line, expected[place - 1], NOW + 1), 0);
        }
        assert_int_equal(line_first_waiting(&line), 17);
        line_deinit(&line);
}

static void who_left_the_lobby_has_no_place_in_the_draw(void **state) {
        (void)state;
        struct line line;
        line_open(&line, 16, false);
        assert_int_equal(line_end(&line, 12, ENTRY_LEFT, NOW - 5), 0);
        assert_int_equal(line_end(&line, 3, ENTRY_LEFT, NOW + 7), 0); /* by a clock that then went back */
        assert_int_equal(line_draw(&line, seed, NOW), 0);
        line_commit(&line);
        assert_int_equal(line.committed.drawn_at, NOW + 7);
        assert_int_equal(glance_of(&line, 106).place, 1);
        assert_int_equal(glance_of(&line, 110).place, 3);
        assert_int_equal(glance_of(&line, 114).place, 4);
        assert_int_equal(glance_of(&line, 112).place, 0);
        assert_int_equal(line.committed.lobby_last, 16);
        assert_int_equal(line.committed.lobby_drawn, 14);
        assert_int_equal(line.left.count, 2);
        assert_int_equal(line.left.at[0], 3);
        assert_int_equal(add(&line, 900), 17);
        line_commit(&line);
        assert_int_equal(glance_of(&line, 900).place, 15);
        line_deinit(&line);
}

static void edges_see_what_is_committed_and_nothing_else(void **state) {
        (void)state;
        struct line line;
        struct line_glance glance;
        line_open(&line, 3, true);
        assert_int_equal(line_admit(&line, 1, NOW + 10), 0);
        add(&line, 200);
        assert_int_equal(glance_of(&line, 101).state, ENTRY_WAITING);
        assert_int_equal(glance_of(&line, 103).ahead, 2);
        assert_false(line_glance_committed(&line, 200, &glance)); /* this turn knows more: ask the lane */
        line_glance_now(&line, 200, &glance);
        assert_int_equal(glance.number, 4);
        line_glance_now(&line, 101, &glance);
        assert_int_equal(glance.state, ENTRY_ADMITTED);
        line_commit(&line);
        assert_int_equal(glance_of(&line, 101).state, ENTRY_ADMITTED);
        assert_int_equal(glance_of(&line, 200).number, 4);
        line_deinit(&line);
}

/* --- random life, undone --- */

enum { CROWD = 300 };

static void one_random_change(struct line *line, uint64_t *random, int64_t now) {
        account_id account = 1 + test_random(random) % CROWD;
        uint32_t number = line_find(line, account), first = 0;
        switch (test_random(random) % 5) {
        case 0:
        case 1:
                if (number == 0 || !line_is_live(line, number, now))
                        add(line, account);
                break;
        case 2:
                if (line->now.drawn_at != 0 && (first = line_first_waiting(line)) != 0)
                        assert_int_equal(line_admit(line, first, now + (int64_t)(test_random(random) % 50)), 0);
                break;
        case 3:
                if (number != 0 && line_state(line, number) <= ENTRY_ADMITTED)
                        assert_int_equal(line_end(line, number, ENTRY_LEFT, now), 0);
                break;
        case 4:
                assert_int_equal(line_expire_one(line, now, &first), 0);
                break;
        }
}

static void count_again(const struct line *line, uint32_t ret_counts[static ENTRY_STATES]) {
        memset(ret_counts, 0, ENTRY_STATES * sizeof *ret_counts);
        for (uint32_t number = 1; number <= line->now.last; number++)
                ret_counts[line_state(line, number)]++;
}

struct picture {
        struct line_tally tally;
        struct line_glance people[CROWD + 1];
};

static void picture_take(struct picture *picture, struct line *line) {
        memset(picture, 0, sizeof *picture);
        picture->tally = line->now;
        for (account_id account = 1; account <= CROWD; account++)
                line_glance_now(line, account, &picture->people[account]);
}

static void assert_same_picture(const struct picture *a, const struct picture *b) {
        assert_memory_equal(&a->tally, &b->tally, sizeof a->tally);
        for (account_id account = 1; account <= CROWD; account++) {
                const struct line_glance *one = &a->people[account], *other = &b->people[account];
                assert_true(one->number == other->number && one->state == other->state);
                assert_true(one->place == other->place && one->ahead == other->ahead);
                assert_true(one->pass_ends_at == other->pass_ends_at || one->state == ENTRY_WAITING);
        }
}

static void a_rollback_leaves_no_trace(void **state) {
        (void)state;
        static struct picture before, after;
        for (uint64_t round = 1; round <= 20; round++) {
                struct line line;
                uint64_t random = round * 7919;
                uint32_t counts[ENTRY_STATES];
                assert_int_equal(line_init(&line, 1), 0);
                for (int turn = 0; turn < 200; turn++) {
                        int64_t now = NOW + turn;
                        picture_take(&before, &line);
                        if (line.now.drawn_at == 0 && turn >= 40)
                                assert_int_equal(line_draw(&line, seed, now), 0);
                        for (uint64_t i = test_random(&random) % 20; i > 0; i--)
                                one_random_change(&line, &random, now);
                        count_again(&line, counts);
                        assert_memory_equal(counts, line.now.counts, sizeof counts);
                        if (test_random(&random) % 3 != 0) {
                                line_commit(&line);
                                continue;
                        }
                        assert_int_equal(line_rollback(&line), 0);
                        picture_take(&after, &line);
                        assert_same_picture(&before, &after);
                }
                line_deinit(&line);
        }
}

static void nobody_ever_falls_back(void **state) {
        (void)state;
        struct line line;
        uint64_t random = 4711;
        uint64_t ahead[CROWD + 1];
        uint32_t numbers[CROWD + 1] = {0};
        assert_int_equal(line_init(&line, 1), 0);
        assert_int_equal(line_draw(&line, seed, NOW), 0);
        for (int turn = 0; turn < 5000; turn++) {
                for (uint64_t i = test_random(&random) % 4; i > 0; i--)
                        one_random_change(&line, &random, NOW + turn);
                line_commit(&line);
                for (account_id account = 1; account <= CROWD; account++) {
                        struct line_glance glance = glance_of(&line, account);
                        if (glance.number == 0 || glance.state != ENTRY_WAITING)
                                continue;
                        assert_true(glance.ahead < line.now.last);
                        assert_true(glance.number != numbers[account] || glance.ahead <= ahead[account]);
                        numbers[account] = glance.number;
                        ahead[account] = glance.ahead;
                }
        }
        line_deinit(&line);
}

/* --- edges look while the lane works --- */

struct looking {
        struct line *line;
        atomic_bool over;
        _Atomic uint64_t looks;
};

static void *look(void *context) {
        struct looking *looking = context;
        uint64_t random = 99, ahead[CROWD + 1];
        uint32_t numbers[CROWD + 1] = {0};
        while (!atomic_load(&looking->over)) {
                account_id account = 1 + test_random(&random) % CROWD;
                struct line_glance glance;
                atomic_fetch_add(&looking->looks, 1);
                if (!line_glance_committed(looking->line, account, &glance) || glance.number == 0)
                        continue;
                if (glance.state == ENTRY_ADMITTED && glance.pass_ends_at != NOW + glance.number)
                        abort();
                if (glance.number < numbers[account])
                        abort();
                if (glance.state == ENTRY_WAITING && glance.number == numbers[account] && glance.ahead > ahead[account])
                        abort();
                if (glance.state == ENTRY_WAITING) {
                        numbers[account] = glance.number;
                        ahead[account] = glance.ahead;
                }
        }
        return NULL;
}

static void work(struct line *line, uint64_t *random) {
        for (uint64_t i = test_random(random) % 30; i > 0; i--) {
                account_id account = 1 + test_random(random) % CROWD;
                uint32_t number = line_find(line, account), first = line_first_waiting(line);
                if (number == 0 || line_state(line, number) > ENTRY_ADMITTED)
                        add(line, account);
                else if (test_random(random) % 2)
                        assert_int_equal(line_end(line, number, ENTRY_LEFT, NOW), 0);
                else if (first != 0)
                        assert_int_equal(line_admit(line, first, NOW + first), 0);
        }
        if (test_random(random) % 4 != 0)
                line_commit(line);
        else
                assert_int_equal(line_rollback(line), 0);
}

static void edges_look_while_the_lane_works(void **state) {
        (void)state;
        struct line line;
        struct looking looking = {.line = &line};
        pthread_t threads[2];
        uint64_t random = 5;
        assert_int_equal(line_init(&line, 1), 0);
        assert_int_equal(line_draw(&line, seed, NOW), 0);
        line_commit(&line);
        for (size_t i = 0; i < 2; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, look, &looking), 0);
        for (int turn = 0; turn < 3000 || atomic_load(&looking.looks) < 3000; turn++)
                work(&line, &random);
        atomic_store(&looking.over, true);
        for (size_t i = 0; i < 2; i++)
                pthread_join(threads[i], NULL);
        line_deinit(&line);
}

static void a_row_that_cannot_be_is_refused(void **state) {
        (void)state;
        struct line line;
        assert_int_equal(line_init(&line, 1), 0);
        struct line_row row = {.number = 2, .account = 5};
        assert_int_equal(line_restore(&line, &row), FAULT_FORMAT);
        row = (struct line_row){.number = 1, .account = 5, .state = ENTRY_STATES};
        assert_int_equal(line_restore(&line, &row), FAULT_FORMAT);
        row = (struct line_row){.number = 1};
        assert_int_equal(line_restore(&line, &row), FAULT_FORMAT);
        assert_int_equal(line_close_lobby(&line, NOW, 1), 0);
        assert_int_equal(line_order_lobby(&line, seed), FAULT_FORMAT); /* a lobby of one, and there is no row */
        line_deinit(&line);
}

static void a_person_costs_less_than_100_bytes(void **state) {
        (void)state;
        enum { PEOPLE = 220000 }; /* just after the index has grown: the worst case */
        struct line line;
        line_open(&line, PEOPLE, false);
        assert_int_equal(line_draw(&line, seed, NOW), 0);
        line_commit(&line);
        assert_true(line_bytes(&line) / PEOPLE < 50);
        for (uint32_t number; (number = line_first_waiting(&line)) != 0;)
                assert_int_equal(line_admit(&line, number, NOW + number), 0);
        line_commit(&line);
        assert_true(line_bytes(&line) / PEOPLE < 100);
        line_deinit(&line);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(everybody_is_found_and_stands_in_the_order_of_entering),
                cmocka_unit_test(admission_and_leaving_bring_the_others_forward),
                cmocka_unit_test(passes_end_in_time_and_only_once),
                cmocka_unit_test(the_draw_is_what_anybody_computes),
                cmocka_unit_test(who_left_the_lobby_has_no_place_in_the_draw),
                cmocka_unit_test(edges_see_what_is_committed_and_nothing_else),
                cmocka_unit_test(a_rollback_leaves_no_trace),
                cmocka_unit_test(nobody_ever_falls_back),
                cmocka_unit_test(edges_look_while_the_lane_works),
                cmocka_unit_test(a_row_that_cannot_be_is_refused),
                cmocka_unit_test(a_person_costs_less_than_100_bytes),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
