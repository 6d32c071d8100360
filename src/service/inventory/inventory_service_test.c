/* inventory_service_test.c: the use cases on a lane and a database: what buyers do to each other, retries, faults of
 * the store, restarts, and the board. */
#include "service/inventory/inventory_world_test.h"

#include <stdlib.h>

#define NO_KEY ((struct idempotency){0})

static void test_seats_are_made(void **state) {
        (void)state;
        struct world world;
        world_open(&world, 6);
        world_assert_states(&world, "AAAAAA");
        assert_int_equal(world_said(&world, SEATS_CREATED, WORLD_SCHEDULE), 1);
        world_say(&world, SCHEDULE_CREATED, WORLD_SCHEDULE); /* again: nothing happens */
        assert_int_equal(world_said(&world, SEATS_CREATED, WORLD_SCHEDULE), 1);
        world_judge(&world);
        world_close(&world);
}

static void test_hold_and_release(void **state) {
        (void)state;
        struct world world;
        world_open(&world, 6);
        assert_int_equal(world_hold(&world, 7, NO_KEY, 4, 1, -1), HOLD_CREATED);
        purchase_id hold = world.held;
        world_assert_states(&world, "AHAAHA");
        world_judge(&world);
        assert_int_equal(world_said(&world, SEATS_HELD, hold), 1);
        struct hold read = world_read(&world, hold);
        assert_true(read.state == HOLD_ACTIVE && read.account == 7 && read.seat_count == 2 && read.seats[0] == 4 &&
                    read.seats[1] == 1);
        assert_int_equal(read.expires_at, KIT_NOW + WORLD_HOLD_SECONDS * 1000);

        assert_int_equal(world_hold(&world, 8, NO_KEY, 0, 1, 2, -1), HOLD_SEAT_TAKEN);
        assert_int_equal(world.culprits, 0b010);
        world_assert_states(&world, "AHAAHA");
        assert_int_equal(world_release(&world, hold, 8), RELEASE_HOLD_UNKNOWN);
        assert_int_equal(world_release(&world, 12345, 8), RELEASE_HOLD_UNKNOWN);
        assert_int_equal(world_release(&world, hold, 7), RELEASE_DONE);
        world_assert_states(&world, "AAAAAA");
        assert_int_equal(world_said(&world, SEATS_RELEASED, hold), 1);
        assert_int_equal(world_release(&world, hold, 7), RELEASE_REPEATED);
        assert_int_equal(world_said(&world, SEATS_RELEASED, hold), 1);
        assert_int_equal(world_read(&world, hold).state, HOLD_RELEASED);
        assert_int_equal(world_hold(&world, 8, NO_KEY, 0, 1, 2, -1), HOLD_CREATED);
        world_judge(&world);
        world_close(&world);
}

/* Commands of one turn: all are submitted before the lane takes a step. */
struct crowd {
        struct hold_create_command commands[80];
        size_t count;
};

static void crowd_wish(struct world *world, struct crowd *crowd, account_id account, const seat_index *seats,
                       uint32_t count) {
        struct hold_create_command *command = &crowd->commands[crowd->count++];
        *command = (struct hold_create_command){
                .lane = {.kind = &hold_create_kind, .service = world->inventory, .done = kit_done},
                .schedule_id = WORLD_SCHEDULE,
                .account = account,
                .seat_count = count,
        };
        memcpy(command->seats, seats, count * sizeof *seats);
        assert_int_equal(lane_submit(world->lane, &command->lane), 0);
}

static size_t crowd_run(struct world *world, struct crowd *crowd, int outcome) {
        kit_lane_run(world->lane);
        size_t n = 0;
        for (size_t i = 0; i < crowd->count; i++) {
                assert_int_equal(crowd->commands[i].lane.fault, 0);
                n += crowd->commands[i].lane.outcome == outcome;
        }
        return n;
}

static void test_one_seat_and_eighty_buyers(void **state) {
        (void)state;
        struct world world;
        static struct crowd crowd;
        world_open(&world, 6);
        for (account_id buyer = 1; buyer <= 80; buyer++)
                crowd_wish(&world, &crowd, buyer, (seat_index[]){3}, 1);
        assert_int_equal(crowd_run(&world, &crowd, HOLD_CREATED), 1);
        assert_int_equal(crowd_run(&world, &crowd, HOLD_SEAT_TAKEN), 79);
        world_assert_states(&world, "AAAHAA");
        assert_int_equal(world_query(&world, "SELECT count(*) FROM hold"), 1);
        world_judge(&world);
        world_close(&world);
}

static void test_all_or_nothing_from_eight_sides(void **state) {
        (void)state;
        static const seat_index wishes[8][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 2, 3, 0}, {2, 3, 0, 1},
                                                {0, 2, 1, 3}, {3, 1, 2, 0}, {1, 0, 3, 2}, {2, 0, 3, 1}};
        struct world world;
        static struct crowd crowd;
        world_open(&world, 8);
        crowd.count = 0;
        for (size_t i = 0; i < 8; i++)
                crowd_wish(&world, &crowd, i + 1, wishes[i], 4);
        assert_int_equal(crowd_run(&world, &crowd, HOLD_CREATED), 1);
        assert_int_equal(crowd_run(&world, &crowd, HOLD_SEAT_TAKEN), 7);
        world_assert_states(&world, "HHHHAAAA");
        /* overlapping chains: each wants its own and its neighbour's */
        crowd.count = 0;
        for (seat_index i = 4; i < 7; i++)
                crowd_wish(&world, &crowd, i + 10, (seat_index[]){i, i + 1}, 2);
        assert_int_equal(crowd_run(&world, &crowd, HOLD_CREATED), 2);
        world_assert_states(&world, "HHHHHHHH");
        world_judge(&world);
        world_close(&world);
}

static void test_the_cap_whatever_in_parallel(void **state) {
        (void)state;
        struct world world;
        static struct crowd crowd;
        world_open(&world, 20);
        crowd.count = 0;
        for (seat_index i = 0; i < 10; i++)
                crowd_wish(&world, &crowd, 7, (seat_index[]){2 * i, 2 * i + 1}, 2);
        assert_int_equal(crowd_run(&world, &crowd, HOLD_CREATED), 2);
        assert_int_equal(crowd_run(&world, &crowd, HOLD_OVER_CAP), 8);
        purchase_id hold = crowd.commands[0].hold.id;
        /* bought seats count, and count no more when they are given back */
        world_say(&world, PAYMENT_STARTED, hold);
        world_say(&world, ORDER_PAID, hold);
        assert_int_equal(world_hold(&world, 7, NO_KEY, 10, -1), HOLD_OVER_CAP);
        world_say(&world, ORDER_REFUNDING, hold);
        assert_int_equal(world_hold(&world, 7, NO_KEY, 10, 11, -1), HOLD_CREATED);
        assert_int_equal(world_change(&world, world.held, 7, 10, 11, 12, -1), CHANGE_OVER_CAP);
        assert_int_equal(world_hold(&world, 8, NO_KEY, 12, 13, 14, 15, 16, -1), HOLD_OVER_CAP);
        world_judge(&world);
        world_close(&world);
}

static void test_who_may_hold(void **state) {
        (void)state;
        struct world world;
        world_open(&world, 6);
        world.nobody_admitted = true;
        assert_int_equal(world_hold(&world, 7, NO_KEY, 0, -1), HOLD_NOT_ADMITTED);
        world.nobody_admitted = false;
        world.schedule.sale_paused = true;
        assert_int_equal(world_hold(&world, 7, NO_KEY, 0, -1), HOLD_SALE_PAUSED);
        world.schedule.sale_paused = false;
        world.schedule.amounts[1] = -1;
        assert_int_equal(world_hold(&world, 7, NO_KEY, 0, 1, -1), HOLD_SEAT_NOT_FOR_SALE);
        assert_int_equal(world.culprits, 0b10);
        assert_int_equal(world_hold(&world, 7, NO_KEY, 0, 6, -1), HOLD_SEAT_UNKNOWN);
        world.schedule.id++;
        assert_int_equal(world_hold(&world, 7, NO_KEY, 0, -1), HOLD_SCHEDULE_UNKNOWN);
        world.schedule.id--;
        assert_int_equal(world_query(&world, "SELECT count(*) FROM hold"), 0);
        assert_int_equal(world_query(&world, "SELECT count(*) FROM journal WHERE type = 21"), 0);
        world_close(&world);
}

static void test_retries(void **state) {
        (void)state;
        struct world world;
        const struct idempotency key = {5, 50}, other = {5, 51};
        world_open(&world, 6);
        assert_int_equal(world_hold(&world, 7, key, 0, 1, -1), HOLD_CREATED);
        purchase_id hold = world.held;
        assert_int_equal(world_hold(&world, 7, key, 0, 1, -1), HOLD_REPLAYED);
        assert_int_equal(world.held, hold);
        assert_int_equal(world_hold(&world, 7, other, 3, -1), HOLD_KEY_REUSED);
        world_restart(&world);
        assert_int_equal(world_hold(&world, 7, key, 0, 1, -1), HOLD_REPLAYED);
        assert_int_equal(world_release(&world, hold, 7), RELEASE_DONE);
        assert_int_equal(world_hold(&world, 7, key, 0, 1, -1), HOLD_REPLAYED); /* the thing as it now is */
        assert_int_equal(world.held, hold);
        world_restart(&world);
        assert_int_equal(world_hold(&world, 7, key, 0, 1, -1), HOLD_REPLAYED);
        assert_int_equal(world_hold(&world, 7, other, 3, -1), HOLD_KEY_REUSED);
        world_assert_states(&world, "AAAAAA");

        /* a double click within one turn */
        static struct crowd crowd;
        crowd.count = 0;
        for (int i = 0; i < 3; i++) {
                crowd_wish(&world, &crowd, 7, (seat_index[]){4, 5}, 2);
                crowd.commands[i].idempotency = (struct idempotency){6, 60};
        }
        assert_int_equal(crowd_run(&world, &crowd, HOLD_CREATED), 1);
        assert_int_equal(crowd_run(&world, &crowd, HOLD_REPLAYED), 2);
        assert_int_equal(crowd.commands[2].hold.id, crowd.commands[0].hold.id);
        world_judge(&world);
        world_close(&world);
}

static void test_change_all_or_nothing(void **state) {
        (void)state;
        struct world world;
        world_open(&world, 8);
        assert_int_equal(world_hold(&world, 8, NO_KEY, 7, -1), HOLD_CREATED);
        assert_int_equal(world_hold(&world, 7, NO_KEY, 0, 1, -1), HOLD_CREATED);
        purchase_id hold = world.held;
        int64_t expires_at = world_read(&world, hold).expires_at;
        kit_clock_add(1000);
        assert_int_equal(world_change(&world, hold, 7, 1, 2, 7, -1), CHANGE_SEAT_TAKEN);
        assert_int_equal(world.culprits, 0b100);
        world_assert_states(&world, "HHAAAAAH");
        assert_int_equal(world_change(&world, hold, 7, 1, 2, 3, -1), CHANGE_DONE);
        world_assert_states(&world, "AHHHAAAH");
        struct hold read = world_read(&world, hold);
        assert_true(read.seat_count == 3 && read.seats[0] == 1 && read.versions[0] == 1 &&
                    read.expires_at == expires_at);
        assert_int_equal(world_said(&world, SEATS_CHANGED, hold), 1);
        assert_int_equal(world_change(&world, hold, 9, 4, -1), CHANGE_HOLD_UNKNOWN);
        assert_int_equal(world_change(&world, 4711, 7, 4, -1), CHANGE_HOLD_UNKNOWN);
        world_judge(&world);
        world_restart(&world);
        world_judge(&world);
        assert_int_equal(world_lock(&world, world.inventory, hold), 1);
        assert_int_equal(world_lock(&world, world.inventory, hold), 1);
        assert_int_equal(world_lock(&world, world.inventory, 4711), -ENOENT);
        assert_int_equal(world_change(&world, hold, 7, 4, -1), CHANGE_HOLD_ORDERED);
        world_restart(&world);
        assert_int_equal(world_change(&world, hold, 7, 4, -1), CHANGE_HOLD_ORDERED);
        world_say(&world, PAYMENT_STARTED, hold);
        assert_int_equal(world_change(&world, hold, 7, 4, -1), CHANGE_HOLD_IN_PAYMENT);
        assert_int_equal(world_release(&world, hold, 7), RELEASE_HOLD_IN_PAYMENT);
        world_say(&world, ORDER_CANCELLED, hold);
        assert_int_equal(world_change(&world, hold, 7, 4, -1), CHANGE_HOLD_ENDED);
        world_judge(&world);
        world_close(&world);
}

static void test_expiry(void **state) {
        (void)state;
        struct world world;
        world_open(&world, 6);
        assert_int_equal(world_hold(&world, 7, NO_KEY, 0, -1), HOLD_CREATED);
        purchase_id first = world.held;
        world_wait(&world, 100);
        assert_int_equal(world_hold(&world, 8, NO_KEY, 1, -1), HOLD_CREATED);
        purchase_id second = world.held;
        world_wait(&world, 199);
        world_assert_states(&world, "HHAAAA");
        world_wait(&world, 1);
        world_assert_states(&world, "AHAAAA");
        assert_int_equal(world_read(&world, first).state, HOLD_EXPIRED);
        assert_int_equal(world_said(&world, SEATS_RELEASED, first), 1);
        world_judge(&world);
        /* the time of the second is over while the program is down */
        kit_clock_add(1000000);
        world_restart(&world);
        world_assert_states(&world, "AAAAAA");
        assert_int_equal(world_read(&world, second).state, HOLD_EXPIRED);
        world_judge(&world);
        world_close(&world);
}

static void test_the_organiser_blocks_seats(void **state) {
        (void)state;
        struct world world;
        world_open(&world, 4);
        assert_int_equal(world_block(&world, 7, true, 0), BLOCK_SCHEDULE_UNKNOWN);
        assert_int_equal(world_block(&world, WORLD_ORGANISER, true, 4), BLOCK_SEAT_UNKNOWN);
        assert_int_equal(world_block(&world, WORLD_ORGANISER, true, 0), BLOCK_DONE);
        assert_int_equal(world_block(&world, WORLD_ORGANISER, true, 0), BLOCK_DONE);
        assert_int_equal(world_said(&world, SEATS_BLOCKED, WORLD_SCHEDULE), 1);
        world_assert_states(&world, "BAAA");
        assert_int_equal(world_hold(&world, 7, NO_KEY, 0, -1), HOLD_SEAT_TAKEN);
        assert_int_equal(world_hold(&world, 7, NO_KEY, 1, -1), HOLD_CREATED);
        assert_int_equal(world_block(&world, WORLD_ORGANISER, true, 1), BLOCK_SEAT_TAKEN);
        world_judge(&world);
        world_restart(&world);
        assert_int_equal(world_block(&world, WORLD_ORGANISER, false, 0), BLOCK_DONE);
        world_assert_states(&world, "AHAA");
        world_judge(&world);
        world_close(&world);
}

/* Every call of the store fails once: nothing of the command is left, and the next try goes through. */
static void test_a_fault_of_the_store_leaves_nothing(void **state) {
        (void)state;
        static const int faults[] = {FAULT_STORAGE, FAULT_CONSTRAINT};
        for (size_t f = 0; f < sizeof faults / sizeof *faults; f++) {
                struct world world;
                world_open(&world, 6);
                assert_int_equal(world_hold(&world, 7, NO_KEY, 0, 1, -1), HOLD_CREATED);
                purchase_id hold = world.held;
                for (unsigned n = 1;; n++) {
                        kit_db_fault_arm(world.db, n, faults[f]);
                        int outcome = world_change(&world, hold, 7, 1, 2, -1);
                        bool struck = kit_db_fault_struck(world.db);
                        kit_db_fault_arm(world.db, 0, 0);
                        kit_clock_add(LANE_RETRY_MS);
                        kit_lane_run(world.lane);
                        world_judge(&world);
                        assert_true(outcome == CHANGE_DONE || (struck && outcome == faults[f]));
                        world_assert_states(&world, outcome == CHANGE_DONE ? "AHHAAA" : "HHAAAA");
                        if (!struck)
                                break;
                        assert_true(n < 100);
                        if (outcome ==
                            CHANGE_DONE) /* it was something else that failed, or a second try went through */
                                assert_int_equal(world_change(&world, hold, 7, 0, 1, -1), CHANGE_DONE);
                }
                world_close(&world);
        }
}

static void test_a_lock_that_fails_is_no_lock(void **state) {
        (void)state;
        struct world world;
        world_open(&world, 6);
        assert_int_equal(world_hold(&world, 7, NO_KEY, 0, 1, -1), HOLD_CREATED);
        int outcome = 0;
        for (unsigned n = 1; outcome != 1; n++) {
                kit_db_fault_arm(world.db, n, FAULT_STORAGE);
                outcome = world_lock(&world, world.inventory, world.held);
                kit_db_fault_arm(world.db, 0, 0);
                kit_clock_add(LANE_RETRY_MS);
                kit_lane_run(world.lane);
                world_judge(&world);
                assert_int_equal(world_read(&world, world.held).ordered, outcome == 1);
                assert_true(n < 100);
        }
        world_close(&world);
}

/* The same with a whole crowd in the turn: whoever was told yes has it, whoever was told of a fault has nothing. */
static void test_a_fault_in_a_crowd(void **state) {
        (void)state;
        static struct crowd crowd;
        for (unsigned n = 1;; n++) {
                struct world world;
                world_open(&world, 40);
                crowd.count = 0;
                for (seat_index i = 0; i < 20; i++)
                        crowd_wish(&world, &crowd, i + 1, (seat_index[]){2 * i, 2 * i + 1}, 2);
                kit_db_fault_arm(world.db, n, FAULT_CONSTRAINT);
                kit_lane_run(world.lane);
                bool struck = kit_db_fault_struck(world.db);
                kit_db_fault_arm(world.db, 0, 0);
                int64_t given = 0;
                for (size_t i = 0; i < crowd.count; i++)
                        given += crowd.commands[i].lane.outcome == HOLD_CREATED;
                assert_int_equal(world_query(&world, "SELECT count(*) FROM hold"), given);
                assert_true(given >= 19);
                world_judge(&world);
                world_close(&world);
                if (!struck)
                        break;
                assert_true(n < 100);
        }
}

/* Memory says that the seat is free (or still this hold's), and is wrong: the fence in the database refuses, memory is
 * read again, and the next try gets the right answer. */
static void test_the_fence_holds_when_memory_lies(void **state) {
        (void)state;
        struct world world;
        struct hall *hall;
        world_open(&world, 6);
        assert_int_equal(world_hold(&world, 7, NO_KEY, 0, 1, -1), HOLD_CREATED);
        purchase_id hold = world.held;
        assert_int_equal(halls_find(&world.inventory->halls, world.db, kit_now(), WORLD_SCHEDULE, &hall), 0);
        hall->seats[1] = (struct seat){.version = 1, .state = SEAT_AVAILABLE};
        assert_int_equal(world_hold(&world, 8, NO_KEY, 1, 2, -1), FAULT_CONSTRAINT);
        world_judge(&world);
        assert_int_equal(world_hold(&world, 8, NO_KEY, 1, 2, -1), HOLD_SEAT_TAKEN);

        /* the row has moved on behind memory's back: another hold has the seat now */
        assert_int_equal(db_script(world.db, "UPDATE hold SET state = 2, ended_at = 1 WHERE state = 0;"
                                             "UPDATE seat SET state = 0, hold_id = 0 WHERE state = 1;"),
                         0);
        world_say(&world, ORDER_PAID, hold);
        assert_int_equal(world_read(&world, hold).state, HOLD_CONSUMED); /* read again: gone, but free: retaken */
        assert_int_equal(world_said(&world, SEATS_SOLD, hold), 1);
        world_assert_states(&world, "SSAAAA");
        world_judge(&world);
        world_close(&world);
}

/* Two programs on one database (which its lock forbids): what one has sold, the other cannot sell again. */
static void test_two_services_on_one_database(void **state) {
        (void)state;
        struct world world;
        world_open(&world, 6);
        assert_int_equal(world_hold(&world, 7, NO_KEY, 0, 1, -1), HOLD_CREATED);
        purchase_id mine = world.held;
        struct inventory *first = world.inventory, *second;
        struct lane *other_lane = kit_lane_open(NULL); /* it only registers there; its commands run on the first lane */
        struct inventory_config config = first->config;
        config.lane = other_lane;
        assert_int_equal(inventory_new(&second, &config), 0);

        struct hold_create_command command = {.lane = {.kind = &hold_create_kind, .service = second},
                                              .schedule_id = WORLD_SCHEDULE,
                                              .account = 8,
                                              .seat_count = 1,
                                              .seats = {2}};
        assert_int_equal(kit_submit_and_run(world.lane, &command.lane), HOLD_CREATED); /* the first does not know */
        assert_int_equal(world_hold(&world, 9, NO_KEY, 2, -1), FAULT_CONSTRAINT);
        assert_int_equal(world_hold(&world, 9, NO_KEY, 2, -1), HOLD_SEAT_TAKEN);
        world_assert_states(&world, "HHHAAA");
        world_say(&world, ORDER_PAID, mine); /* the first sells; the second still thinks it is held */
        struct hold_release_command release = {
                .lane = {.kind = &hold_release_kind, .service = second}, .id = mine, .account = 7};
        assert_int_equal(kit_submit_and_run(world.lane, &release.lane), FAULT_CONSTRAINT);
        world_assert_states(&world, "SSHAAA");
        /* nor can it order what the first has let go */
        assert_int_equal(kit_submit_and_run(world.lane, &command.lane), HOLD_SEAT_TAKEN);
        assert_int_equal(halls_rolled_back(&second->halls, world.db), 0);
        assert_int_equal(world_release(&world, command.hold.id, 8), RELEASE_DONE);
        assert_int_equal(world_lock(&world, second, command.hold.id), FAULT_CONSTRAINT);
        assert_int_equal(world_read(&world, command.hold.id).state, HOLD_RELEASED);
        inventory_free(second);
        lane_free(other_lane);
        world_judge(&world);
        world_close(&world);
}

/* What a client knows from a snapshot and the changes since is what a new snapshot says. */
static void apply_changes(struct board *board, char *known, uint64_t *version) {
        struct arena arena;
        struct board_changes changes;
        arena_init(&arena, 1 << 20);
        assert_int_equal(board_changes_since(board, *version, &arena, &changes), BOARD_CHANGES_TOLD);
        for (size_t i = 0; i < changes.count; i++)
                known[board_change_seat(changes.seats[i])] = board_change_letter(changes.seats[i]);
        *version = changes.to;
        arena_deinit(&arena);
}

static void test_snapshot_and_changes(void **state) {
        (void)state;
        struct world world;
        struct seat_counts counts;
        char known[7] = {0}, snapshot[7] = {0};
        world_open(&world, 6);
        assert_int_equal(world_hold(&world, 7, NO_KEY, 0, 1, -1), HOLD_CREATED);
        purchase_id hold = world.held;
        struct board *board = boards_find(&world.inventory->halls.boards, WORLD_SCHEDULE);
        uint64_t version = board_snapshot(board, known, &counts), begin = version;
        assert_string_equal(known, "HHAAAA");
        world_change(&world, hold, 7, 1, 2, -1);
        world_hold(&world, 8, NO_KEY, 5, -1);
        apply_changes(board, known, &version);
        assert_int_equal(version, board_snapshot(board, snapshot, &counts));
        assert_string_equal(known, snapshot);
        assert_string_equal(known, "AHHAAH");
        world_say(&world, ORDER_PAID, hold);
        world_release(&world, world.held, 8);
        apply_changes(board, known, &version);
        assert_string_equal(known, "ASSAAA");
        assert_int_equal(counts.seats, 6);
        /* after a restart versions go on rising, and what was before is gone */
        kit_clock_add(1);
        world_restart(&world);
        world_hold(&world, 9, NO_KEY, 4, -1);
        board = boards_find(&world.inventory->halls.boards, WORLD_SCHEDULE);
        assert_true(board_snapshot(board, snapshot, &counts) > version);
        struct arena arena;
        struct board_changes changes;
        arena_init(&arena, 1 << 20);
        assert_int_equal(board_changes_since(board, begin, &arena, &changes), BOARD_CHANGES_GONE);
        assert_int_equal(board_changes_since(board, version + 1000000, &arena, &changes), BOARD_CHANGES_GONE);
        arena_deinit(&arena);
        world_close(&world);
}

static void test_idle_halls_are_forgotten(void **state) {
        (void)state;
        struct world world;
        world_open(&world, 6);
        struct halls *halls = &world.inventory->halls;
        halls->loaded_max = 0;
        assert_int_equal(world_hold(&world, 7, ((struct idempotency){5, 50}), 0, 1, -1), HOLD_CREATED);
        assert_int_equal(halls->loaded, 1); /* not while somebody holds a seat there */
        purchase_id hold = world.held;
        world_say(&world, ORDER_PAID, hold);
        assert_int_equal(halls->loaded, 0);
        world_assert_states(&world, "SSAAAA"); /* the board is right all the same */
        struct seat_counts counts;
        inventory_counts(world.inventory, WORLD_SCHEDULE, &counts);
        assert_true(counts.sold == 2 && counts.available == 4);
        assert_int_equal(halls_counts(halls, world.db, kit_now(), WORLD_SCHEDULE, &counts), 0);
        assert_true(counts.sold == 2 && counts.available == 4 && halls->loaded == 0);
        assert_int_equal(world_hold(&world, 7, ((struct idempotency){5, 50}), 0, 1, -1), HOLD_REPLAYED);
        assert_int_equal(world_hold(&world, 8, NO_KEY, 1, 2, -1), HOLD_SEAT_TAKEN);
        assert_int_equal(world_hold(&world, 7, NO_KEY, 2, 3, 4, -1), HOLD_OVER_CAP);
        assert_int_equal(halls->loaded, 0);
        world_say(&world, ORDER_REFUNDING, hold);
        world_assert_states(&world, "AAAAAA");
        world_judge(&world);
        world_close(&world);
}

static void test_counts(void **state) {
        (void)state;
        struct world world;
        struct seat_counts counts;
        world_open(&world, 6);
        inventory_counts(world.inventory, WORLD_SCHEDULE, &counts);
        assert_int_equal(counts.seats, 0); /* not loaded yet */
        world_hold(&world, 7, NO_KEY, 0, 1, -1);
        world_say(&world, ORDER_PAID, world.held);
        world_hold(&world, 8, NO_KEY, 2, -1);
        world_block(&world, WORLD_ORGANISER, true, 5);
        inventory_counts(world.inventory, WORLD_SCHEDULE, &counts);
        assert_true(counts.available == 2 && counts.held == 1 && counts.sold == 2 && counts.blocked == 1 &&
                    counts.seats == 6);
        inventory_counts(world.inventory, 99, &counts);
        assert_int_equal(counts.seats, 0);
        world_close(&world);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_seats_are_made),
                cmocka_unit_test(test_hold_and_release),
                cmocka_unit_test(test_one_seat_and_eighty_buyers),
                cmocka_unit_test(test_all_or_nothing_from_eight_sides),
                cmocka_unit_test(test_the_cap_whatever_in_parallel),
                cmocka_unit_test(test_who_may_hold),
                cmocka_unit_test(test_retries),
                cmocka_unit_test(test_change_all_or_nothing),
                cmocka_unit_test(test_expiry),
                cmocka_unit_test(test_the_organiser_blocks_seats),
                cmocka_unit_test(test_a_fault_of_the_store_leaves_nothing),
                cmocka_unit_test(test_a_lock_that_fails_is_no_lock),
                cmocka_unit_test(test_a_fault_in_a_crowd),
                cmocka_unit_test(test_the_fence_holds_when_memory_lies),
                cmocka_unit_test(test_two_services_on_one_database),
                cmocka_unit_test(test_snapshot_and_changes),
                cmocka_unit_test(test_idle_halls_are_forgotten),
                cmocka_unit_test(test_counts),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
