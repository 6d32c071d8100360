/* inventory_world_test.c: see inventory_world_test.h. */
#include "service/inventory/inventory_world_test.h"

#include "service/queue/queue.h"

#include <stdlib.h>
#include <unistd.h>

static struct world *current;

/* --- fakes of the neighbours --- */

const struct schedule *event_schedule(struct event_service *service, struct db *db, schedule_id id) {
        (void)service, (void)db;
        return id == current->schedule.id ? &current->schedule : NULL;
}

bool queue_is_admitted(struct queue *queue, struct turn *turn, schedule_id schedule, account_id account) {
        (void)queue, (void)turn, (void)schedule, (void)account;
        return !current->nobody_admitted;
}

const struct schedule *event_schedule_peek(struct event_service *service, schedule_id id) {
        return event_schedule(service, NULL, id);
}

enum schedule_state schedule_state_at(const struct schedule *schedule, int64_t now) {
        if (schedule->cancelled)
                return SCHEDULE_IS_CANCELLED;
        return now < schedule->opens_at  ? SCHEDULE_UPCOMING
               : now < schedule->ends_at ? SCHEDULE_ON_SALE
                                         : SCHEDULE_ENDED;
}

size_t plan_seat_label(const struct plan *plan, seat_index seat, char *out, size_t capacity) {
        (void)plan;
        return (size_t)snprintf(out, capacity, "seat %u", seat);
}

int queue_pass_check(const struct queue *queue, struct text pass, schedule_id schedule, account_id account,
                     int64_t now) {
        (void)queue, (void)schedule, (void)account, (void)now;
        if (pass.length == 0)
                return PASS_MISSING;
        return text_equal(pass, TEXT("good")) ? PASS_OK : text_equal(pass, TEXT("old")) ? PASS_EXPIRED : PASS_FORGED;
}

/* --- somebody who says events --- */

struct say_command {
        struct lane_command lane;
        enum event_type type;
        const purchase_id *subjects;
        size_t count;
};

static int say_run(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        (void)service;
        for (size_t i = 0; i < count; i++) {
                struct say_command *command = (struct say_command *)(void *)commands[i];
                for (size_t j = 0; j < command->count; j++) {
                        struct event event = {.type = command->type,
                                              .schedule = WORLD_SCHEDULE,
                                              .subject = command->subjects[j],
                                              .payload = TEXT("{}")};
                        int r = turn_say(turn, &event);
                        if (r < 0)
                                return r;
                }
                command->lane.outcome = 1;
        }
        return 0;
}
static const struct lane_kind say_kind = {.name = "test.say", .rank = 1, .run = say_run};

void world_say_all(struct world *world, enum event_type type, const purchase_id *subjects, size_t count) {
        struct say_command command = {.lane = {.kind = &say_kind}, .type = type, .subjects = subjects, .count = count};
        assert_int_equal(kit_submit_and_run(world->lane, &command.lane), 1);
}

void world_say(struct world *world, enum event_type type, purchase_id subject) {
        world_say_all(world, type, &subject, 1);
}

void world_say_unheard(struct world *world, enum event_type type, purchase_id subject) {
        struct say_command command = {
                .lane = {.kind = &say_kind, .done = kit_done}, .type = type, .subjects = &subject, .count = 1};
        assert_int_equal(lane_submit(world->lane, &command.lane), 0);
        assert_true(lane_step(world->lane));
        assert_int_equal(command.lane.outcome, 1);
}

struct lock_command {
        struct lane_command lane;
        purchase_id hold;
};

static int lock_run(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        for (size_t i = 0; i < count; i++) {
                int r = inventory_lock_holds(service, turn, &((struct lock_command *)(void *)commands[i])->hold, 1);
                if (r < 0)
                        return r;
                commands[i]->outcome = 1;
        }
        return 0;
}
static const struct lane_kind lock_kind = {.name = "test.lock", .rank = 1, .run = lock_run};

int world_lock(struct world *world, struct inventory *inventory, purchase_id hold) {
        struct lock_command command = {.lane = {.kind = &lock_kind, .service = inventory}, .hold = hold};
        return kit_submit_and_run(world->lane, &command.lane);
}

/* --- opening and closing --- */

static void world_make_plan(struct world *world, uint32_t seats) {
        static struct plan_category categories[] = {{"R", "#f00"}, {"S", "#0f0"}};
        static struct plan_zone zones[] = {{"1F"}};
        struct plan_seat *list = calloc(seats, sizeof *list);
        assert_non_null(list);
        for (uint32_t i = 0; i < seats; i++)
                list[i] = (struct plan_seat){
                        .guid = "", .number = "1", .category = (uint16_t)(i % 2), .x = (float)i, .y = 1.25f};
        world->row = (struct plan_row){.label = "A", .seat_count = seats};
        world->plan = (struct plan){.name = "house",
                                    .seats = list,
                                    .rows = &world->row,
                                    .zones = zones,
                                    .categories = categories,
                                    .seat_count = seats,
                                    .row_count = 1,
                                    .zone_count = 1,
                                    .category_count = 2};
        world->schedule = (struct schedule){
                .id = WORLD_SCHEDULE,
                .organiser = WORLD_ORGANISER,
                .plan = &world->plan,
                .opens_at = kit_now() - 1000,
                .ends_at = kit_now() + 1000 * 86400000LL,
                .cap = WORLD_CAP,
                .hold_seconds = WORLD_HOLD_SECONDS,
                .currency = "KRW",
                .amounts = {50000, 30000},
        };
}

static void world_start(struct world *world) {
        const char *newer;
        world->db = kit_db_fault_new(kit_db_open(world->path));
        assert_int_equal(db_migrate(world->db, inventory_migrations, inventory_migration_count, &newer), 0);
        world->lane = kit_lane_open_on(world->db);
        struct inventory_config config = {.lane = world->lane,
                                          .clock = kit_clock(),
                                          .events = (struct event_service *)world,
                                          .queue = (struct queue *)world};
        assert_int_equal(inventory_new(&world->inventory, &config), 0);
        kit_lane_run(world->lane);
}

void world_open(struct world *world, uint32_t seats) {
        PRE(seats <= WORLD_SEATS_MAX);
        *world = (struct world){0};
        current = world;
        kit_clock_set(KIT_NOW);
        kit_path_new(world->path);
        world_make_plan(world, seats);
        world_start(world);
        world_say(world, SCHEDULE_CREATED, WORLD_SCHEDULE);
}

static void world_stop(struct world *world) {
        world->lane = lane_free(world->lane);
        world->inventory = inventory_free(world->inventory);
}

void world_close(struct world *world) {
        world_stop(world);
        kit_path_remove(world->path);
        free(world->plan.seats);
}

void world_restart(struct world *world) {
        world_stop(world);
        world_start(world);
}

/* --- what people do --- */

static uint32_t take_seats(va_list list, seat_index seats[static HOLD_SEATS_MAX]) {
        uint32_t count = 0;
        for (int seat; (seat = va_arg(list, int)) >= 0;)
                seats[count++] = (seat_index)seat;
        return count;
}

int world_hold(struct world *world, account_id account, struct idempotency key, ...) {
        struct hold_create_command command = {.lane = {.kind = &hold_create_kind, .service = world->inventory},
                                              .schedule_id = WORLD_SCHEDULE,
                                              .account = account,
                                              .idempotency = key};
        va_list list;
        va_start(list, key);
        command.seat_count = take_seats(list, command.seats);
        va_end(list);
        int outcome = kit_submit_and_run(world->lane, &command.lane);
        if (outcome == HOLD_CREATED || outcome == HOLD_REPLAYED)
                world->held = command.hold.id;
        world->culprits = command.culprits;
        return outcome;
}

int world_change(struct world *world, purchase_id hold, account_id account, ...) {
        struct hold_change_command command = {
                .lane = {.kind = &hold_change_kind, .service = world->inventory}, .id = hold, .account = account};
        va_list list;
        va_start(list, account);
        command.seat_count = take_seats(list, command.seats);
        va_end(list);
        int outcome = kit_submit_and_run(world->lane, &command.lane);
        world->culprits = command.culprits;
        return outcome;
}

int world_release(struct world *world, purchase_id hold, account_id account) {
        struct hold_release_command command = {
                .lane = {.kind = &hold_release_kind, .service = world->inventory}, .id = hold, .account = account};
        return kit_submit_and_run(world->lane, &command.lane);
}

int world_block(struct world *world, account_id account, bool blocked, seat_index seat) {
        struct seats_block_command command = {.lane = {.kind = &seats_block_kind, .service = world->inventory},
                                              .schedule_id = WORLD_SCHEDULE,
                                              .account = account,
                                              .blocked = blocked,
                                              .seats = &seat,
                                              .seat_count = 1};
        return kit_submit_and_run(world->lane, &command.lane);
}

struct read_command {
        struct lane_command lane;
        purchase_id id;
        struct hold hold;
};

static int read_run(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        for (size_t i = 0; i < count; i++) {
                struct read_command *command = (struct read_command *)(void *)commands[i];
                int r = inventory_hold(service, turn, command->id, &command->hold);
                if (r < 0)
                        return r;
                command->lane.outcome = 1;
        }
        return 0;
}
static const struct lane_kind read_kind = {.name = "test.read", .rank = 1, .read_only = true, .run = read_run};

struct hold world_read(struct world *world, purchase_id hold) {
        struct read_command command = {.lane = {.kind = &read_kind, .service = world->inventory}, .id = hold};
        assert_int_equal(kit_submit_and_run(world->lane, &command.lane), 1);
        return command.hold;
}

void world_wait(struct world *world, int64_t seconds) {
        kit_clock_add(seconds * 1000);
        kit_lane_run(world->lane);
}

/* --- what the database says --- */

static int take_number(void *context, size_t index, const struct db_row *row) {
        (void)index;
        *(int64_t *)context = db_row_int(row, 0);
        return 0;
}

int64_t world_query(struct world *world, const char *sql) {
        /* A statement is remembered by its address, so each text has to stay. */
        static struct db_statement known[64];
        size_t i = 0;
        while (i < 64 && known[i].sql && strcmp(known[i].sql, sql) != 0)
                i++;
        assert_true(i < 64);
        if (!known[i].sql)
                known[i].sql = strdup(sql);
        int64_t number = -1;
        assert_int_equal(db_run(world->db, &known[i], NULL, 1, take_number, &number, NULL), 0);
        return number;
}

int64_t world_said(struct world *world, enum event_type type, uint64_t subject) {
        static const struct db_statement count = {"SELECT count(*) FROM journal WHERE type = $1 AND subject_id = $2",
                                                  2};
        struct db_value values[] = {db_int((int64_t)type), db_id(subject)};
        int64_t number = -1;
        assert_int_equal(db_run(world->db, &count, values, 1, take_number, &number, NULL), 0);
        return number;
}

static int take_state(void *context, size_t index, const struct db_row *row) {
        (void)index;
        char *states = context;
        states[db_row_int(row, 0)] = "AHSB"[db_row_int(row, 1)];
        return 0;
}

void world_states(struct world *world, char *states) {
        static const struct db_statement all = {"SELECT seat, state FROM seat WHERE schedule_id = 1001", 0};
        assert_int_equal(db_run(world->db, &all, NULL, 1, take_state, states, NULL), 0);
}

void world_assert_states(struct world *world, const char *states) {
        char stored[WORLD_SEATS_MAX + 1] = {0}, shown[WORLD_SEATS_MAX + 1] = {0};
        struct seat_counts counts;
        world_states(world, stored);
        assert_string_equal(stored, states);
        struct board *board = boards_find(&world->inventory->halls.boards, WORLD_SCHEDULE);
        if (!board)
                return;
        board_snapshot(board, shown, &counts);
        assert_string_equal(shown, states);
}

/* --- the judge --- */

struct claim {
        purchase_id hold;
        uint32_t version;
        int state;
};

struct judging {
        struct claim *claims; /* per seat: what the holds say */
        uint32_t *bought;     /* seats per account (accounts below 1000) */
        struct world *world;
};

enum { JUDGE_ACCOUNTS = 1000 };

static int judge_hold(void *context, const struct hold *hold) {
        struct judging *judging = context;
        assert_true(hold->seat_count > 0);
        assert_int_equal(hold->state == HOLD_ACTIVE, hold->ended_at == 0);
        if (hold->state != HOLD_ACTIVE && hold->state != HOLD_CONSUMED)
                return 0;
        for (uint32_t i = 0; i < hold->seat_count; i++) {
                struct claim *claim = &judging->claims[hold->seats[i]];
                assert_int_equal(claim->hold, 0); /* I1 */
                *claim = (struct claim){hold->id, hold->versions[i], hold->state == HOLD_ACTIVE ? 'H' : 'S'};
        }
        assert_true(hold->account < JUDGE_ACCOUNTS);
        judging->bought[hold->account] += hold->seat_count;
        assert_true(judging->bought[hold->account] <= judging->world->schedule.cap); /* I5 */
        return 0;
}

/* I1, I4: a seat is held or sold exactly by the hold that claims it. */
static int judge_seat(void *context, seat_index index, const struct seat *seat) {
        struct judging *judging = context;
        const struct claim *claim = &judging->claims[index];
        int letter = "AHSB"[seat->state];
        if (claim->hold == 0) {
                assert_true(letter == 'A' || letter == 'B');
                assert_int_equal(seat->hold, 0);
                return 0;
        }
        assert_int_equal(letter, claim->state);
        assert_int_equal(seat->hold, claim->hold);
        assert_int_equal(seat->version, claim->version);
        return 0;
}

static void assert_maps_equal(const struct map *a, const struct map *b) {
        struct map_entry entry;
        assert_int_equal(a->count, b->count);
        for (size_t i = 0; (i = map_next(a, i, &entry)) != 0;) {
                uint64_t *other = map_find(b, entry.key);
                assert_non_null(other);
                assert_int_equal(*other, entry.value);
        }
}

static void assert_holds_equal(const struct hold *a, const struct hold *b) {
        assert_int_equal(a->id, b->id);
        assert_int_equal(a->account, b->account);
        assert_int_equal(a->state, b->state);
        assert_int_equal(a->created_at, b->created_at);
        assert_int_equal(a->expires_at, b->expires_at);
        assert_int_equal(a->ended_at, b->ended_at);
        assert_int_equal(a->paying, b->paying);
        assert_int_equal(a->ordered, b->ordered);
        assert_int_equal(a->idempotency.key, b->idempotency.key);
        assert_int_equal(a->idempotency.fingerprint, b->idempotency.fingerprint);
        assert_int_equal(a->seat_count, b->seat_count);
        assert_memory_equal(a->seats, b->seats, a->seat_count * sizeof *a->seats);
        assert_memory_equal(a->versions, b->versions, a->seat_count * sizeof *a->versions);
}

/* A hall read anew is the hall that memory has; and every live hold will come up when its time is over. */
static void judge_memory(struct world *world) {
        struct halls fresh;
        struct hall *mine, *read;
        halls_init(&fresh);
        assert_int_equal(halls_find(&world->inventory->halls, world->db, kit_now(), WORLD_SCHEDULE, &mine), 0);
        assert_int_equal(halls_find(&fresh, world->db, kit_now(), WORLD_SCHEDULE, &read), 0);
        assert_int_equal(mine->seat_count, read->seat_count);
        for (uint32_t i = 0; i < mine->seat_count; i++) {
                assert_int_equal(mine->seats[i].state, read->seats[i].state);
                assert_int_equal(mine->seats[i].hold, read->seats[i].hold);
                assert_int_equal(mine->seats[i].version, read->seats[i].version);
        }
        assert_memory_equal(&mine->counts, &read->counts, sizeof mine->counts);
        assert_maps_equal(&mine->shares, &read->shares);
        assert_maps_equal(&mine->keys, &read->keys);
        assert_int_equal(world->inventory->halls.live.count, fresh.live.count);
        for (struct hold_slot *slot = read->live; slot; slot = slot->next) {
                const struct hold *live = halls_live(&world->inventory->halls, slot->hold.id);
                assert_non_null(live);
                assert_holds_equal(live, &slot->hold);
                assert_true(heap_nearest(&world->inventory->halls.deadlines) <= live->expires_at);
        }
        halls_deinit(&fresh);
}

void world_judge(struct world *world) {
        uint32_t seats = world->plan.seat_count;
        struct judging judging = {.claims = calloc(seats, sizeof(struct claim)),
                                  .bought = calloc(JUDGE_ACCOUNTS, sizeof(uint32_t)),
                                  .world = world};
        char *states = calloc(seats + 1, 1), *shown = calloc(seats + 1, 1);
        assert_true(judging.claims && judging.bought && states && shown);
        assert_int_equal(store_read_schedule_holds(world->db, WORLD_SCHEDULE, judge_hold, &judging), 0);
        assert_int_equal(store_read_seats(world->db, WORLD_SCHEDULE, judge_seat, &judging), 0);
        assert_int_equal(world_query(world, "SELECT count(*) FROM seat"), seats); /* I8 */
        judge_memory(world);
        struct board *board = boards_find(&world->inventory->halls.boards, WORLD_SCHEDULE);
        if (board) {
                struct seat_counts counts;
                board_snapshot(board, shown, &counts);
                world_states(world, states);
                assert_string_equal(shown, states);
                assert_int_equal(counts.available + counts.held + counts.sold + counts.blocked, counts.seats);
        }
        free(judging.claims);
        free(judging.bought);
        free(states);
        free(shown);
}

int64_t world_refused(void) {
        return atomic_load(&inventory_holds_refused.value);
}
