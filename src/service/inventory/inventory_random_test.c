/* inventory_random_test.c: random buyers, organisers, payments, clocks, faults and restarts, with fixed seeds, against
 * a small model that knows nothing of the rules' code: who has which seat, by the answers that were given. After each
 * turn the judge looks at the rows (I1, I4, I5, I8), and compares them with memory and the board. */
#include "service/inventory/inventory_world_test.h"

#include <stdlib.h>

enum { SEATS = 24, PEOPLE = 6, STEPS = 1500, BATCH_MAX = 12, HOLDS_MAX = 4096 };

struct model_hold {
        purchase_id id;
        account_id account;
        char state; /* A active, P active and paying, O active and ordered, C consumed, G gone (its seats are free) */
        int64_t ends_at;
        uint32_t count;
        seat_index seats[HOLD_SEATS_MAX];
};

struct model {
        struct model_hold holds[HOLDS_MAX];
        size_t hold_count;
        size_t owner[SEATS]; /* 1 + index of the hold, 0: free, SIZE_MAX: blocked */
        uint64_t random;
};

static struct model model;
static struct world world;

static uint32_t dice(uint32_t sides) {
        model.random ^= model.random << 13;
        model.random ^= model.random >> 7;
        model.random ^= model.random << 17;
        return (uint32_t)((model.random * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % sides;
}

static bool is_live(const struct model_hold *hold) {
        return hold->state == 'A' || hold->state == 'P' || hold->state == 'O';
}

static uint32_t model_share(account_id account) {
        uint32_t share = 0;
        for (size_t i = 0; i < model.hold_count; i++) {
                const struct model_hold *hold = &model.holds[i];
                share += hold->account == account && hold->state != 'G' ? hold->count : 0;
        }
        return share;
}

static void model_own(size_t index, bool mine) {
        for (uint32_t i = 0; i < model.holds[index].count; i++)
                model.owner[model.holds[index].seats[i]] = mine ? index + 1 : 0;
}

static void model_end(size_t index) {
        model_own(index, false);
        model.holds[index].state = 'G';
}

static uint32_t random_seats(seat_index *seats) {
        uint32_t count = 1 + dice(3);
        for (uint32_t i = 0; i < count;) {
                seats[i] = dice(SEATS);
                bool repeated = false;
                for (uint32_t j = 0; j < i; j++)
                        repeated = repeated || seats[j] == seats[i];
                i += !repeated;
        }
        return count;
}

/* May `own` (0: nobody yet) have these seats? */
static bool model_free(const seat_index *seats, uint32_t count, size_t own) {
        for (uint32_t i = 0; i < count; i++) {
                if (model.owner[seats[i]] != 0 && model.owner[seats[i]] != own)
                        return false;
        }
        return true;
}

static void model_add(const struct hold *hold) {
        assert_true(model.hold_count < HOLDS_MAX);
        struct model_hold *mine = &model.holds[model.hold_count];
        *mine = (struct model_hold){.id = hold->id,
                                    .account = hold->account,
                                    .state = 'A',
                                    .ends_at = hold->expires_at,
                                    .count = hold->seat_count};
        memcpy(mine->seats, hold->seats, hold->seat_count * sizeof *hold->seats);
        model_own(model.hold_count++, true);
}

/* Several wishes in one turn: they are taken in the order of arrival. */
static void step_hold(void) {
        static struct hold_create_command commands[BATCH_MAX];
        uint32_t count = 1 + dice(BATCH_MAX);
        for (uint32_t i = 0; i < count; i++) {
                commands[i] = (struct hold_create_command){
                        .lane = {.kind = &hold_create_kind, .service = world.inventory, .done = kit_done},
                        .schedule_id = WORLD_SCHEDULE,
                        .account = 1 + dice(PEOPLE)};
                commands[i].seat_count = random_seats(commands[i].seats);
                assert_int_equal(lane_submit(world.lane, &commands[i].lane), 0);
        }
        kit_lane_run(world.lane);
        for (uint32_t i = 0; i < count; i++) {
                const struct hold_create_command *command = &commands[i];
                bool capped = model_share(command->account) + command->seat_count > WORLD_CAP;
                bool possible = model_free(command->seats, command->seat_count, 0);
                int expected = capped ? HOLD_OVER_CAP : possible ? HOLD_CREATED : HOLD_SEAT_TAKEN;
                assert_int_equal(command->lane.outcome, expected);
                if (expected == HOLD_CREATED)
                        model_add(&command->hold);
        }
}

static struct model_hold *random_hold(size_t *ret_index) {
        if (model.hold_count == 0)
                return NULL;
        /* young ones rather than old ones */
        size_t back = dice(2) ? dice(10) : dice((uint32_t)model.hold_count);
        *ret_index = back < model.hold_count ? model.hold_count - 1 - back : 0;
        return &model.holds[*ret_index];
}

static void step_change(size_t index, struct model_hold *hold) {
        struct hold_change_command command = {.lane = {.kind = &hold_change_kind, .service = world.inventory},
                                              .id = hold->id,
                                              .account = hold->account};
        command.seat_count = random_seats(command.seats);
        int outcome = kit_submit_and_run(world.lane, &command.lane);
        bool capped = model_share(hold->account) - hold->count + command.seat_count > WORLD_CAP;
        bool possible = model_free(command.seats, command.seat_count, index + 1);
        int expected = !is_live(hold)       ? CHANGE_HOLD_ENDED
                       : hold->state == 'P' ? CHANGE_HOLD_IN_PAYMENT
                       : hold->state == 'O' ? CHANGE_HOLD_ORDERED
                       : capped             ? CHANGE_OVER_CAP
                       : possible           ? CHANGE_DONE
                                            : CHANGE_SEAT_TAKEN;
        assert_int_equal(outcome, expected);
        if (outcome != CHANGE_DONE)
                return;
        model_own(index, false);
        hold->count = command.seat_count;
        memcpy(hold->seats, command.seats, command.seat_count * sizeof *command.seats);
        model_own(index, true);
}

static void step_release(size_t index, struct model_hold *hold) {
        int outcome = world_release(&world, hold->id, hold->account);
        int expected = hold->state == 'C'   ? RELEASE_HOLD_CONSUMED
                       : hold->state == 'P' ? RELEASE_HOLD_IN_PAYMENT
                       : hold->state == 'G' ? RELEASE_REPEATED
                                            : RELEASE_DONE;
        assert_int_equal(outcome, expected);
        if (outcome == RELEASE_DONE)
                model_end(index);
}

static void step_pay(struct model_hold *hold) {
        world_say(&world, PAYMENT_STARTED, hold->id);
        if (!is_live(hold))
                return;
        hold->state = 'P';
        int64_t extended = kit_now() + PAYMENT_HOLD_SECONDS * 1000;
        hold->ends_at = extended > hold->ends_at ? extended : hold->ends_at;
}

static void step_paid(size_t index, struct model_hold *hold) {
        int64_t sold = world_said(&world, SEATS_SOLD, hold->id), lost = world_said(&world, SEATS_LOST, hold->id);
        world_say(&world, ORDER_PAID, hold->id);
        bool sells = hold->state != 'C';
        if (hold->state == 'G')
                sells = model_free(hold->seats, hold->count, 0) &&
                        model_share(hold->account) + hold->count <= WORLD_CAP;
        bool loses = hold->state == 'G' && !sells;
        assert_int_equal(world_said(&world, SEATS_SOLD, hold->id), sold + sells);
        assert_int_equal(world_said(&world, SEATS_LOST, hold->id), lost + loses);
        if (!sells)
                return;
        hold->state = 'C';
        model_own(index, true);
}

static void step_refund(size_t index, struct model_hold *hold) {
        world_say(&world, dice(2) && hold->state != 'C' ? ORDER_CANCELLED : ORDER_REFUNDING, hold->id);
        if (hold->state != 'G')
                model_end(index);
}

static void step_lock(struct model_hold *hold) {
        if (!is_live(hold))
                return;
        assert_int_equal(world_lock(&world, world.inventory, hold->id), 1);
        if (hold->state == 'A')
                hold->state = 'O';
}

static void step_time(void) {
        world_wait(&world, 1 + dice(dice(8) ? 30 : 600));
        for (size_t i = 0; i < model.hold_count; i++) {
                if (is_live(&model.holds[i]) && model.holds[i].ends_at <= kit_now())
                        model_end(i);
        }
}

static void step_block(void) {
        seat_index seat = dice(SEATS);
        bool blocked = dice(2);
        bool taken = model.owner[seat] != 0 && model.owner[seat] != SIZE_MAX;
        int outcome = world_block(&world, WORLD_ORGANISER, blocked, seat);
        assert_int_equal(outcome, taken && blocked ? BLOCK_SEAT_TAKEN : BLOCK_DONE);
        if (!taken)
                model.owner[seat] = blocked ? SIZE_MAX : 0;
}

/* A turn whose n-th call of the store fails: whoever was told of a fault has got nothing. */
static void step_fault(void) {
        struct hold_create_command command = {.lane = {.kind = &hold_create_kind, .service = world.inventory},
                                              .schedule_id = WORLD_SCHEDULE,
                                              .account = 1 + dice(PEOPLE)};
        command.seat_count = random_seats(command.seats);
        kit_db_fault_arm(world.db, 1 + dice(8), dice(2) ? FAULT_STORAGE : FAULT_CONSTRAINT);
        int outcome = kit_submit_and_run(world.lane, &command.lane);
        kit_db_fault_arm(world.db, 0, 0);
        step_time();
        if (outcome == HOLD_CREATED) {
                struct hold hold = world_read(&world, command.hold.id);
                if (hold.state == HOLD_ACTIVE)
                        model_add(&command.hold);
        }
}

static void step(void) {
        size_t index;
        struct model_hold *hold = random_hold(&index);
        uint32_t kind = dice(100);
        if (kind < 25 || !hold)
                step_hold();
        else if (kind < 40)
                step_change(index, hold);
        else if (kind < 48)
                step_release(index, hold);
        else if (kind < 58)
                step_pay(hold);
        else if (kind < 70)
                step_paid(index, hold);
        else if (kind < 78)
                step_refund(index, hold);
        else if (kind < 82)
                step_lock(hold);
        else if (kind < 90)
                step_time();
        else if (kind < 94)
                step_block();
        else if (kind < 98)
                step_fault();
        else
                world_restart(&world);
}

static void check_model(void) {
        char expected[SEATS + 1] = {0};
        for (seat_index i = 0; i < SEATS; i++) {
                size_t owner = model.owner[i];
                expected[i] = owner == 0                            ? 'A'
                              : owner == SIZE_MAX                   ? 'B'
                              : model.holds[owner - 1].state == 'C' ? 'S'
                                                                    : 'H';
        }
        world_assert_states(&world, expected);
}

static void run_seed(uint64_t seed) {
        model = (struct model){.random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
        world_open(&world, SEATS);
        for (int i = 0; i < STEPS; i++) {
                if (seed % 3 == 0) /* every hall without live holds is forgotten at once */
                        world.inventory->halls.loaded_max = 0;
                step();
                check_model();
                world_judge(&world);
        }
        assert_int_equal(world_query(&world, "SELECT count(*) FROM dead_letter"), 0);
        assert_true(world_query(&world, "SELECT count(*) FROM journal WHERE type = 25") > 0); /* seats were lost, too */
        assert_true(world_query(&world, "SELECT count(*) FROM journal WHERE type = 26") > 0);
        world_close(&world);
}

static void test_random_days(void **state) {
        (void)state;
        for (uint64_t seed = 1; seed <= 6; seed++) {
                print_message("seed %u\n", (unsigned)seed);
                run_seed(seed);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_days)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
