/* inventory_service.c: the use cases of buyers and organisers. Each takes a batch of one kind of command: decides each
 * in turn against what those before it have changed in memory, and saves all changes with one statement per table. */
#include "service/inventory/inventory_service.h"

#include "base/buffer.h"
#include "service/event/event.h"
#include "service/queue/queue.h"

#include <stdlib.h>

struct metric inventory_holds_created = {
        .name = "ticketrush_holds_created_total", .help = "Holds given.", .kind = METRIC_COUNTER};
struct metric inventory_holds_refused = {.name = "ticketrush_holds_refused_without_write_total",
                                         .help = "Wishes for a hold that were refused without a write.",
                                         .kind = METRIC_COUNTER};
struct metric inventory_holds_expired = {
        .name = "ticketrush_holds_expired_total", .help = "Holds whose time was over.", .kind = METRIC_COUNTER};
struct metric inventory_seats_sold = {
        .name = "ticketrush_seats_sold_total", .help = "Seats sold.", .kind = METRIC_COUNTER};
struct metric inventory_seats_lost = {.name = "ticketrush_seats_lost_total",
                                      .help = "Paid orders whose seats were gone: refunded in full.",
                                      .kind = METRIC_COUNTER};

/* --- what the use cases share --- */

int inventory_open(struct inventory *inventory, struct turn *turn) {
        if (inventory->opened)
                return 0;
        int r = halls_read_busy(&inventory->halls, turn->db, turn->now);
        inventory->opened = r == 0;
        return r;
}

static struct sale_terms terms_of(const struct schedule *schedule, const struct hall *hall) {
        return (struct sale_terms){
                .known = true,
                .cancelled = schedule->cancelled,
                .paused = schedule->sale_paused,
                .opens_at = schedule->opens_at,
                .ends_at = schedule->ends_at,
                .cap = schedule->cap < HOLD_SEATS_MAX ? schedule->cap : HOLD_SEATS_MAX,
                .hold_seconds = schedule->hold_seconds,
                .seat_count = hall->seat_count,
        };
}

int inventory_find_hall(struct inventory *inventory, struct turn *turn, schedule_id id,
                        const struct schedule **ret_schedule, struct sale_terms *ret_terms, struct hall **ret_hall) {
        struct hall *hall = NULL;
        const struct schedule *schedule = event_schedule(inventory->config.events, turn->db, id);
        int r = schedule ? halls_find(&inventory->halls, turn->db, turn->now, id, &hall) : 0;
        if (r < 0 && r != -ENOENT)
                return r;
        *ret_schedule = schedule;
        *ret_hall = r == 0 ? hall : NULL;
        *ret_terms = *ret_hall ? terms_of(schedule, hall) : (struct sale_terms){0};
        return 0;
}

struct gathering {
        struct arena *arena;
        struct map found; /* number → struct hold, of those that are not live */
};

static int gather_hold(void *context, const struct hold *hold) {
        struct gathering *gathering = context;
        struct hold *copy = arena_take(gathering->arena, sizeof *copy);
        if (!copy)
                return -ENOMEM;
        *copy = *hold;
        return map_put(&gathering->found, hold->id, (uint64_t)(uintptr_t)copy);
}

static int gather_absent(struct turn *turn, const purchase_id *ids, size_t count, struct hold **ret_holds) {
        struct gathering gathering = {.arena = turn->arena};
        purchase_id *absent = arena_take(turn->arena, count * sizeof *absent);
        if (!absent)
                return -ENOMEM;
        map_init(&gathering.found);
        size_t absent_count = 0;
        int r = 0;
        for (size_t i = 0; i < count && r == 0; i++) {
                if (ret_holds[i] || ids[i] == 0 || map_find(&gathering.found, ids[i]))
                        continue;
                absent[absent_count++] = ids[i];
                r = map_put(&gathering.found, ids[i], 0);
        }
        if (r == 0)
                r = store_read_holds(turn->db, turn->arena, absent, absent_count, gather_hold, &gathering);
        for (size_t i = 0; i < count && r == 0; i++) {
                uint64_t *found = ret_holds[i] ? NULL : map_find(&gathering.found, ids[i]);
                if (found)
                        ret_holds[i] = (struct hold *)(uintptr_t)*found;
        }
        map_deinit(&gathering.found);
        return r;
}

int inventory_gather_holds(struct inventory *inventory, struct turn *turn, const purchase_id *ids, size_t count,
                           struct hold **ret_holds) {
        bool complete = true;
        for (size_t i = 0; i < count; i++) {
                ret_holds[i] = halls_live(&inventory->halls, ids[i]);
                complete = complete && (ret_holds[i] || ids[i] == 0);
        }
        return complete ? 0 : gather_absent(turn, ids, count, ret_holds);
}

/* The list of seats as JSON, into at least 11 bytes a seat. */
static size_t write_seats(char *out, const seat_index *seats, size_t count) {
        size_t length = 0;
        for (size_t i = 0; i < count; i++) {
                char number[TEXT_NUMBER_MAX];
                size_t digits = text_from_number(number, seats[i]);
                if (i > 0)
                        out[length++] = ',';
                memcpy(out + length, number, digits);
                length += digits;
        }
        return length;
}

static size_t append(char *out, size_t length, const char *string) {
        size_t n = strlen(string);
        memcpy(out + length, string, n);
        return length + n;
}

int inventory_say(struct turn *turn, enum event_type type, const struct hold *hold, const char *code, uint64_t cause) {
        char payload[64 + HOLD_SEATS_MAX * 11];
        size_t length = 0;
        length = append(payload, length, "{");
        if (code) {
                PRE(strlen(code) < 32);
                length = append(payload, length, "\"code\":\"");
                length = append(payload, length, code);
                length = append(payload, length, "\",");
        }
        length = append(payload, length, "\"seats\":[");
        length += write_seats(payload + length, hold->seats, hold->seat_count);
        length = append(payload, length, "]}");
        struct event event = {.type = type,
                              .schedule = hold->schedule,
                              .subject = hold->id,
                              .account = hold->account,
                              .cause = cause,
                              .payload = {payload, length}};
        return turn_say(turn, &event);
}

int inventory_end_hold(struct inventory *inventory, struct turn *turn, struct writes *writes, struct hold *hold,
                       enum hold_state state, const char *code, uint64_t cause) {
        PRE(hold->state == HOLD_ACTIVE && state != HOLD_ACTIVE);
        struct hall *hall;
        int r = halls_find(&inventory->halls, turn->db, turn->now, hold->schedule, &hall);
        if (r < 0)
                return r;
        bool owned = hold_has_seats(hold, hall->seats, SEAT_HELD);
        hold->state = state;
        hold->paying = false;
        hold->ended_at = turn->now;
        hall_save_hold(&inventory->halls, hall, writes, hold, HOLD_ACTIVE, false);
        hall_end_hold(&inventory->halls, hold);
        if (!owned) /* memory lies: the turn is rolled back and the hall read again */
                return FAULT_CONSTRAINT;
        for (uint32_t i = 0; i < hold->seat_count && r == 0; i++) {
                struct seat after = seat_free(hall->seats[hold->seats[i]]);
                r = hall_move_seat(&inventory->halls, hall, writes, hold->seats[i], after, 0);
        }
        if (r == 0)
                r = hall_add_share(hall, hold->account, -(int32_t)hold->seat_count);
        return r < 0 ? r : inventory_say(turn, SEATS_RELEASED, hold, code, cause);
}

static void choose(struct seat_choice *choice, int64_t *amounts, const struct schedule *schedule,
                   const struct hall *hall, const seat_index *seats, uint32_t count, account_id account) {
        for (uint32_t i = 0; i < count; i++)
                amounts[i] = hall && seats[i] < hall->seat_count ? schedule_price(schedule, seats[i]) : -1;
        *choice = (struct seat_choice){.house = hall ? hall->seats : NULL,
                                       .seats = seats,
                                       .amounts = amounts,
                                       .count = count,
                                       .share = hall ? hall_share(hall, account) : 0};
}

/* --- hold.create --- */

static int create_carry_out(struct inventory *inventory, struct turn *turn, struct writes *writes, struct hall *hall,
                            const struct hold *hold) {
        PRE(hall);
        struct hold *live;
        int r = hall_add_hold(&inventory->halls, hall, hold, &live);
        for (uint32_t i = 0; i < hold->seat_count && r == 0; i++) {
                struct seat after = seat_hold(hall->seats[hold->seats[i]], hold->id);
                r = hall_move_seat(&inventory->halls, hall, writes, hold->seats[i], after, hold->account);
        }
        if (r == 0)
                r = hall_add_share(hall, hold->account, (int32_t)hold->seat_count);
        if (r < 0)
                return r;
        writes_add_insert(writes, hold);
        metric_add(&inventory_holds_created, 1);
        return inventory_say(turn, SEATS_HELD, hold, NULL, 0);
}

/* earlier: the hold of the same key, if it was there before this batch. */
static int create_one(struct inventory *inventory, struct turn *turn, struct writes *writes,
                      struct hold_create_command *command, const struct hold *earlier) {
        struct sale_terms terms;
        struct hall *hall;
        command->culprits = 0;
        int r = inventory_find_hall(inventory, turn, command->schedule_id, &command->schedule, &terms, &hall);
        if (r < 0)
                return r;
        if (!earlier && hall && command->idempotency.key)
                earlier = halls_live(&inventory->halls, hall_keyed(hall, command->idempotency.key));
        int64_t amounts[HOLD_SEATS_MAX];
        struct hold_wish wish = {
                .terms = &terms,
                .earlier = earlier,
                .id = id_next(turn->ids, turn->now),
                .schedule = command->schedule_id,
                .account = command->account,
                .idempotency = command->idempotency,
                .now = turn->now,
                .admitted = terms.known &&
                            queue_is_admitted(inventory->config.queue, turn, command->schedule_id, command->account),
        };
        choose(&wish.choice, amounts, command->schedule, hall, command->seats, command->seat_count, command->account);
        command->lane.outcome = hold_decide_create(&wish, &command->hold, &command->culprits);
        if (command->lane.outcome == HOLD_CREATED)
                return create_carry_out(inventory, turn, writes, hall, &command->hold);
        INVARIANT(IMPLIES(command->lane.outcome == HOLD_REPLAYED, earlier));
        if (command->lane.outcome == HOLD_REPLAYED)
                command->hold = *earlier;
        else
                metric_add(&inventory_holds_refused, 1);
        return 0;
}

/* The holds that the commands' keys have made before this batch; NULL without. */
static int create_find_earlier(struct inventory *inventory, struct turn *turn, struct lane_command **commands,
                               size_t count, struct hold **ret_holds) {
        purchase_id *ids = arena_take(turn->arena, count * sizeof *ids);
        if (!ids)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
                struct hold_create_command *command = (struct hold_create_command *)(void *)commands[i];
                PRE(command->seat_count > 0 && command->seat_count <= HOLD_SEATS_MAX);
                const struct schedule *schedule;
                struct sale_terms terms;
                struct hall *hall = NULL;
                int r = command->idempotency.key
                                ? inventory_find_hall(inventory, turn, command->schedule_id, &schedule, &terms, &hall)
                                : 0;
                if (r < 0)
                        return r;
                ids[i] = hall ? hall_keyed(hall, command->idempotency.key) : 0;
        }
        return inventory_gather_holds(inventory, turn, ids, count, ret_holds);
}

static int hold_create(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        struct inventory *inventory = service;
        int r = inventory_open(inventory, turn);
        if (r < 0)
                return r;
        struct hold **earlier = arena_take(turn->arena, count * sizeof *earlier);
        r = earlier ? create_find_earlier(inventory, turn, commands, count, earlier) : -ENOMEM;
        struct writes writes;
        writes_init(&writes, turn->arena);
        for (size_t i = 0; i < count && r == 0; i++)
                r = create_one(inventory, turn, &writes, (struct hold_create_command *)(void *)commands[i], earlier[i]);
        return r < 0 ? r : writes_save(&writes, turn->db);
}
const struct lane_kind hold_create_kind = {.name = "hold.create", .rank = 320, .run = hold_create};

/* --- hold.change --- */

static bool hold_names(const struct hold *hold, seat_index seat) {
        for (uint32_t i = 0; i < hold->seat_count; i++) {
                if (hold->seats[i] == seat)
                        return true;
        }
        return false;
}

/* The holds that the commands name, each in its command's place; NULL: there is none. `id_at`: where a command has the id. */
static int find_holds(struct inventory *inventory, struct turn *turn, struct lane_command **commands, size_t count,
                      size_t id_at, struct hold ***ret_holds) {
        int r = inventory_open(inventory, turn);
        if (r < 0)
                return r;
        purchase_id *ids = arena_take(turn->arena, count * sizeof *ids);
        struct hold **holds = arena_take(turn->arena, count * sizeof *holds);
        if (!ids || !holds)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++)
                memcpy(&ids[i], (const char *)commands[i] + id_at, sizeof ids[i]);
        *ret_holds = holds;
        return inventory_gather_holds(inventory, turn, ids, count, holds);
}

/* Seats that stay do not move. */
static int change_carry_out(struct inventory *inventory, struct turn *turn, struct writes *writes, struct hall *hall,
                            struct hold *hold, const struct hold *changed) {
        PRE(hold && hall);
        int r = hold_has_seats(hold, hall->seats, SEAT_HELD) ? 0 : FAULT_CONSTRAINT;
        for (uint32_t i = 0; i < hold->seat_count && r == 0; i++) {
                if (!hold_names(changed, hold->seats[i]))
                        r = hall_move_seat(&inventory->halls, hall, writes, hold->seats[i],
                                           seat_free(hall->seats[hold->seats[i]]), 0);
        }
        for (uint32_t i = 0; i < changed->seat_count && r == 0; i++) {
                seat_index seat = changed->seats[i];
                if (!hold_names(hold, seat))
                        r = hall_move_seat(&inventory->halls, hall, writes, seat,
                                           seat_hold(hall->seats[seat], hold->id), hold->account);
        }
        if (r == 0)
                r = hall_add_share(hall, hold->account, (int32_t)changed->seat_count - (int32_t)hold->seat_count);
        *hold = *changed;
        hall_save_hold(&inventory->halls, hall, writes, hold, HOLD_ACTIVE, true);
        return r < 0 ? r : inventory_say(turn, SEATS_CHANGED, hold, NULL, 0);
}

static int change_one(struct inventory *inventory, struct turn *turn, struct writes *writes,
                      struct hold_change_command *command, struct hold *hold) {
        struct sale_terms terms = {0};
        struct hall *hall = NULL;
        command->culprits = 0;
        int r = hold ? inventory_find_hall(inventory, turn, hold->schedule, &command->schedule, &terms, &hall) : 0;
        if (r < 0)
                return r;
        int64_t amounts[HOLD_SEATS_MAX];
        struct seat_choice choice;
        choose(&choice, amounts, command->schedule, hall, command->seats, command->seat_count, command->account);
        command->lane.outcome = hold_decide_change(hold, command->account, &terms, &choice, turn->now, &command->hold,
                                                   &command->culprits);
        return command->lane.outcome == CHANGE_DONE
                       ? change_carry_out(inventory, turn, writes, hall, hold, &command->hold)
                       : 0;
}

static int hold_change(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        struct inventory *inventory = service;
        struct hold **holds;
        int r = find_holds(inventory, turn, commands, count, offsetof(struct hold_change_command, id), &holds);
        if (r < 0)
                return r;
        struct writes writes;
        writes_init(&writes, turn->arena);
        for (size_t i = 0; i < count && r == 0; i++)
                r = change_one(inventory, turn, &writes, (struct hold_change_command *)(void *)commands[i], holds[i]);
        return r < 0 ? r : writes_save(&writes, turn->db);
}
const struct lane_kind hold_change_kind = {.name = "hold.change", .rank = 310, .run = hold_change};

/* --- hold.release --- */

static int hold_release(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        struct inventory *inventory = service;
        struct hold **holds;
        int r = find_holds(inventory, turn, commands, count, offsetof(struct hold_release_command, id), &holds);
        if (r < 0)
                return r;
        struct writes writes;
        writes_init(&writes, turn->arena);
        for (size_t i = 0; i < count && r == 0; i++) {
                struct hold_release_command *command = (struct hold_release_command *)(void *)commands[i];
                command->lane.outcome = hold_decide_release(holds[i], command->account);
                if (command->lane.outcome == RELEASE_DONE)
                        r = inventory_end_hold(inventory, turn, &writes, holds[i], HOLD_RELEASED, "released", 0);
        }
        return r < 0 ? r : writes_save(&writes, turn->db);
}
const struct lane_kind hold_release_kind = {.name = "hold.release", .rank = 300, .run = hold_release};

/* --- hold.read --- */

static int hold_read(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        struct inventory *inventory = service;
        struct hold **holds;
        int r = find_holds(inventory, turn, commands, count, offsetof(struct hold_read_command, id), &holds);
        if (r < 0)
                return r;
        for (size_t i = 0; i < count && r == 0; i++) {
                struct hold_read_command *command = (struct hold_read_command *)(void *)commands[i];
                command->lane.outcome = READ_HOLD_UNKNOWN;
                if (!holds[i] || holds[i]->account != command->account)
                        continue;
                command->schedule = event_schedule(inventory->config.events, turn->db, holds[i]->schedule);
                if (!command->schedule)
                        return FAULT_FORMAT;
                command->hold = *holds[i];
                command->lane.outcome = READ_DONE;
        }
        return r;
}
const struct lane_kind hold_read_kind = {.name = "hold.read", .rank = 330, .read_only = true, .run = hold_read};

/* --- seats.block --- */

static int block_say(struct turn *turn, const struct seats_block_command *command) {
        char *payload = arena_take(turn->arena, 64 + command->seat_count * 11);
        if (!payload)
                return -ENOMEM;
        size_t length = append(payload, 0,
                               command->blocked ? "{\"blocked\":true,\"seats\":[" : "{\"blocked\":false,\"seats\":[");
        length += write_seats(payload + length, command->seats, command->seat_count);
        length = append(payload, length, "]}");
        struct event event = {.type = SEATS_BLOCKED,
                              .schedule = command->schedule_id,
                              .subject = command->schedule_id,
                              .account = command->account,
                              .payload = {payload, length}};
        return turn_say(turn, &event);
}

static int block_carry_out(struct inventory *inventory, struct turn *turn, struct writes *writes, struct hall *hall,
                           struct seats_block_command *command) {
        enum seat_state from = command->blocked ? SEAT_AVAILABLE : SEAT_BLOCKED;
        for (size_t i = 0; i < command->seat_count; i++) {
                struct seat seat = hall->seats[command->seats[i]];
                if (seat.state != from)
                        continue;
                int r = hall_move_seat(&inventory->halls, hall, writes, command->seats[i],
                                       seat_block(seat, command->blocked), 0);
                if (r < 0)
                        return r;
                command->changed++;
        }
        return command->changed > 0 ? block_say(turn, command) : 0;
}

static int block_one(struct inventory *inventory, struct turn *turn, struct writes *writes,
                     struct seats_block_command *command) {
        const struct schedule *schedule;
        struct sale_terms terms;
        struct hall *hall;
        int r = inventory_find_hall(inventory, turn, command->schedule_id, &schedule, &terms, &hall);
        if (r < 0)
                return r;
        command->changed = 0;
        command->lane.outcome = BLOCK_DONE;
        if (!hall || (schedule->organiser != command->account && !command->operator))
                command->lane.outcome = BLOCK_SCHEDULE_UNKNOWN;
        for (size_t i = 0; i < command->seat_count && command->lane.outcome == BLOCK_DONE; i++) {
                command->lane.outcome =
                        seat_decide_block(hall->seats, hall->seat_count, command->seats[i], command->blocked);
                command->culprit = command->seats[i];
        }
        return command->lane.outcome == BLOCK_DONE ? block_carry_out(inventory, turn, writes, hall, command) : 0;
}

static int seats_block(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        struct inventory *inventory = service;
        int r = inventory_open(inventory, turn);
        struct writes writes;
        writes_init(&writes, turn->arena);
        for (size_t i = 0; i < count && r == 0; i++)
                r = block_one(inventory, turn, &writes, (struct seats_block_command *)(void *)commands[i]);
        return r < 0 ? r : writes_save(&writes, turn->db);
}
const struct lane_kind seats_block_kind = {.name = "seats.block", .rank = 290, .run = seats_block};

/* --- seats.open --- */

static int seats_open(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        struct inventory *inventory = service;
        int r = inventory_open(inventory, turn);
        for (size_t i = 0; i < count && r == 0; i++) {
                struct seats_open_command *command = (struct seats_open_command *)(void *)commands[i];
                const struct schedule *schedule;
                struct sale_terms terms;
                struct hall *hall;
                r = inventory_find_hall(inventory, turn, command->schedule_id, &schedule, &terms, &hall);
                command->lane.outcome = r == 0 && hall ? OPEN_DONE : OPEN_SCHEDULE_UNKNOWN;
        }
        return r;
}
const struct lane_kind seats_open_kind = {.name = "seats.open", .rank = 280, .read_only = true, .run = seats_open};

/* --- the public face --- */

int inventory_hold(struct inventory *inventory, struct turn *turn, purchase_id id, struct hold *ret_hold) {
        int r = inventory_open(inventory, turn);
        struct hold *hold;
        if (r == 0)
                r = inventory_gather_holds(inventory, turn, &id, 1, &hold);
        if (r == 0 && !hold)
                r = -ENOENT;
        if (r == 0)
                *ret_hold = *hold;
        return r;
}

int inventory_lock_holds(struct inventory *inventory, struct turn *turn, const purchase_id *ids, size_t count) {
        int r = inventory_open(inventory, turn);
        for (size_t i = 0; i < count && r == 0; i++)
                r = halls_live(&inventory->halls, ids[i]) ? 0 : -ENOENT;
        if (r < 0)
                return r;
        struct writes writes;
        writes_init(&writes, turn->arena);
        for (size_t i = 0; i < count && r == 0; i++) {
                struct hold *hold = halls_live(&inventory->halls, ids[i]);
                if (hold->ordered)
                        continue;
                struct hall *hall;
                r = halls_find(&inventory->halls, turn->db, turn->now, hold->schedule, &hall);
                if (r < 0)
                        return r;
                hold->ordered = true;
                hall_save_hold(&inventory->halls, hall, &writes, hold, HOLD_ACTIVE, false);
        }
        return writes_save(&writes, turn->db);
}

void inventory_counts(const struct inventory *inventory, schedule_id schedule, struct seat_counts *ret_counts) {
        struct board *board = boards_find(&inventory->halls.boards, schedule);
        *ret_counts = (struct seat_counts){0};
        if (board)
                board_counts(board, ret_counts);
}

int inventory_counts_now(struct inventory *inventory, struct turn *turn, schedule_id schedule,
                         struct seat_counts *ret_counts) {
        int r = inventory_open(inventory, turn);
        if (r == 0)
                r = halls_counts(&inventory->halls, turn->db, turn->now, schedule, ret_counts);
        if (r == -ENOENT)
                *ret_counts = (struct seat_counts){0};
        return r == -ENOENT ? 0 : r;
}

static void inventory_committed(void *service) {
        struct inventory *inventory = service;
        halls_committed(&inventory->halls);
}

static int inventory_rolled_back(void *service, struct db *db) {
        struct inventory *inventory = service;
        return halls_rolled_back(&inventory->halls, db);
}

static int inventory_register(struct inventory *inventory) {
        struct lane_room room = {.name = "inventory",
                                 .service = inventory,
                                 .due = inventory_due,
                                 .tick = inventory_expire,
                                 .committed = inventory_committed,
                                 .rolled_back = inventory_rolled_back};
        struct lane_consumer consumer = {.name = "inventory",
                                         .service = inventory,
                                         .consume = inventory_consume,
                                         .types = EVENT_BIT(SCHEDULE_CREATED) | EVENT_BIT(PAYMENT_STARTED) |
                                                  EVENT_BIT(ORDER_PAID) | EVENT_BIT(ORDER_CANCELLED) |
                                                  EVENT_BIT(ORDER_REFUNDING)};
        struct metric *metrics[] = {&inventory_holds_created, &inventory_holds_refused, &inventory_holds_expired,
                                    &inventory_seats_sold, &inventory_seats_lost};
        for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
                metrics_register(metrics[i]);
        lane_add_room(inventory->config.lane, &room);
        return lane_add_consumer(inventory->config.lane, &consumer);
}

int inventory_new(struct inventory **ret_inventory, const struct inventory_config *config) {
        PRE(config->lane && config->clock && config->events && config->queue);
        struct inventory *inventory = calloc(1, sizeof *inventory);
        if (!inventory)
                return -ENOMEM;
        inventory->config = *config;
        halls_init(&inventory->halls);
        charts_init(&inventory->charts);
        int r = workers_new(&inventory->workers, "charts", 1, CHARTS_WAITING_MAX);
        if (r == 0)
                r = inventory_register(inventory);
        if (r < 0) {
                inventory_free(inventory);
                return r;
        }
        *ret_inventory = inventory;
        return 0;
}

struct inventory *inventory_free(struct inventory *inventory) {
        if (!inventory)
                return NULL;
        workers_free(inventory->workers);
        charts_deinit(&inventory->charts);
        halls_deinit(&inventory->halls);
        free(inventory);
        return NULL;
}
