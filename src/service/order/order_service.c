/* order_service.c: the use cases of orders, and the order's part of the purchase saga.
 *
 * Every use case has the same three steps. Load: the orders of the whole batch into a `batch` (each order once, however
 * often it is named). Decide: one command or event after the other, by order_rules, against what the ones before it
 * changed. Save: made orders, changed orders and tallies, one statement each. Only the lane's thread comes here. */
#include "service/order/order_service.h"

#include <stdlib.h>

#include "base/json_writer.h"
#include "service/event/event.h"
#include "service/inventory/inventory.h"

struct batch {
        struct turn *turn;
        struct order *orders; /* each once; id 0: there is none (yet) */
        bool *changed;
        size_t count;
        struct order_tally *tallies; /* what this batch adds to each schedule's */
        size_t tally_count, tally_capacity;
};

/* --- the batch --- */

static int batch_begin(struct order_service *service, struct turn *turn, const purchase_id *ids, size_t count,
                       struct batch *ret_batch) {
        struct batch batch = {.turn = turn};
        purchase_id *distinct = arena_take(turn->arena, count * sizeof *distinct);
        batch.orders = arena_take(turn->arena, count * sizeof *batch.orders);
        batch.changed = arena_take(turn->arena, count * sizeof *batch.changed);
        if (!distinct || !batch.orders || !batch.changed)
                return -ENOMEM;
        map_clear(&service->places);
        for (size_t i = 0; i < count; i++) {
                if (ids[i] == 0 || map_find(&service->places, ids[i]))
                        continue;
                int fault = map_put(&service->places, ids[i], batch.count);
                if (fault)
                        return fault;
                distinct[batch.count++] = ids[i];
        }
        int fault = order_store_load(&service->store, turn, distinct, batch.orders, batch.count);
        if (!fault)
                *ret_batch = batch;
        return fault;
}

/* Where the order stands, or would stand; NULL for an id that was not among those of batch_begin. */
static struct order *batch_place(struct order_service *service, struct batch *batch, purchase_id id) {
        const uint64_t *place = map_find(&service->places, id);
        return place ? &batch->orders[*place] : NULL;
}

static struct order *batch_find(struct order_service *service, struct batch *batch, purchase_id id) {
        struct order *order = batch_place(service, batch, id);
        return order && order->id != 0 ? order : NULL;
}

static int batch_tally(struct batch *batch, schedule_id schedule, struct order_tally **ret_tally) {
        for (size_t i = batch->tally_count; i-- > 0;) {
                if (batch->tallies[i].schedule == schedule) {
                        *ret_tally = &batch->tallies[i];
                        return 0;
                }
        }
        if (batch->tally_count == batch->tally_capacity) {
                size_t capacity = batch->tally_capacity ? batch->tally_capacity * 2 : 8;
                struct order_tally *tallies = arena_take(batch->turn->arena, capacity * sizeof *tallies);
                if (!tallies)
                        return -ENOMEM;
                if (batch->tally_count > 0)
                        memcpy(tallies, batch->tallies, batch->tally_count * sizeof *tallies);
                batch->tallies = tallies;
                batch->tally_capacity = capacity;
        }
        batch->tallies[batch->tally_count] = (struct order_tally){.schedule = schedule};
        *ret_tally = &batch->tallies[batch->tally_count++];
        return 0;
}

static int say(struct turn *turn, const struct order *order, unsigned type, uint64_t cause, struct text payload) {
        struct event event = {.type = type,
                              .schedule = order->schedule,
                              .subject = order->id,
                              .account = order->account,
                              .cause = cause,
                              .payload = payload};
        return turn_say(turn, &event);
}

/* {"amount":…,"currency":…,"reason":…} for whoever reads the journal from outside. */
static struct text payload_of(const struct order *order, int64_t amount, char out[static 128]) {
        struct buffer buffer = {.at = out, .capacity = 128, .max_bytes = 128};
        struct json_writer json;
        json_begin(&json, &buffer);
        json_object(&json, NULL);
        json_number(&json, "amount", amount);
        json_string(&json, "currency", order->amount.currency);
        if (order->reason != ORDER_REASON_NONE)
                json_string(&json, "reason", order_reason_name(order->reason));
        json_object_end(&json);
        return buffer_text(&buffer);
}

static int tell_change(struct turn *turn, const struct order *order, unsigned type, uint64_t cause) {
        char payload[128];
        switch (type) {
        case ORDER_CANCELLED:
                return say(turn, order, type, cause, payload_of(order, 0, payload));
        case ORDER_REFUNDING:
        case ORDER_REFUNDED:
                return say(turn, order, type, cause, payload_of(order, order->refund_amount, payload));
        default:
                return say(turn, order, type, cause, TEXT("{}"));
        }
}

static bool has_money(enum order_state state) {
        return state != ORDER_IS_PENDING && state != ORDER_IS_CANCELLED;
}

static int batch_change(struct batch *batch, struct order *order, const struct order_change *change, uint64_t cause) {
        PRE(order);
        struct order_tally *tally;
        int fault = batch_tally(batch, order->schedule, &tally);
        if (fault)
                return fault;
        tally->orders[order->state]--;
        tally->orders[change->to]++;
        if (!has_money(order->state) && has_money(change->to))
                tally->captured += order->amount.amount;
        if (change->to == ORDER_IS_REFUNDED)
                tally->refunded += change->refund_amount;
        order_apply(order, change, batch->turn->now);
        batch->changed[order - batch->orders] = true;
        return tell_change(batch->turn, order, change->says, cause);
}

/* Changed orders and tallies. Made ones have been inserted before. */
static int batch_save(struct order_service *service, struct batch *batch) {
        const struct order **changed = arena_take(batch->turn->arena, batch->count * sizeof *changed);
        if (!changed)
                return -ENOMEM;
        size_t count = 0;
        for (size_t i = 0; i < batch->count; i++)
                if (batch->changed[i])
                        changed[count++] = &batch->orders[i];
        int fault = count > 0 ? order_store_update(&service->store, batch->turn, changed, count) : 0;
        if (!fault && batch->tally_count > 0)
                fault = order_store_add_tallies(batch->turn, batch->tallies, batch->tally_count);
        return fault;
}

/* --- making --- */

static bool price_seats(const struct schedule *schedule, const struct hold *hold, struct order *order) {
        order->seat_count = hold->seat_count;
        for (uint32_t i = 0; i < hold->seat_count; i++) {
                INVARIANT(hold->seats[i] < schedule->plan->seat_count);
                order->seats[i] = hold->seats[i];
                order->amounts[i] = schedule_price(schedule, hold->seats[i]);
                if (order->amounts[i] < 0)
                        return false;
                order->amount.amount += order->amounts[i];
        }
        return true;
}

static struct order order_of_hold(const struct hold *hold, const struct schedule *schedule,
                                  const struct order_create_command *command, int64_t now) {
        struct order order = {.id = hold->id,
                              .schedule = hold->schedule,
                              .account = hold->account,
                              .state = ORDER_IS_PENDING,
                              .created_at = now,
                              .updated_at = now,
                              .idempotency = command->idempotency};
        memcpy(order.amount.currency, schedule->currency, sizeof order.amount.currency);
        return order;
}

/* Decides one command; *ret_made tells whether `place` now is an order that has to be inserted. */
static int create_one(struct order_service *service, struct batch *batch, struct order_create_command *command,
                      bool key_made_another, bool *ret_made) {
        struct hold hold = {0};
        int fault = inventory_hold(service->inventory, batch->turn, command->hold, &hold);
        if (fault && fault != -ENOENT)
                return fault;
        struct order *place = batch_place(service, batch, command->hold);
        struct order_create_facts facts = {
                .hold_is_theirs = !fault && hold.account == command->account,
                .key_made_another = key_made_another,
                .idempotency = command->idempotency,
                .existing = place && place->id != 0 ? place : NULL,
                .hold_is_live = hold.state == HOLD_ACTIVE && hold.expires_at > batch->turn->now,
        };
        struct order made = {0};
        if (facts.hold_is_theirs && !facts.existing) {
                const struct schedule *schedule = event_schedule(service->events, batch->turn->db, hold.schedule);
                if (!schedule)
                        return FAULT_FORMAT;
                facts.schedule_cancelled = schedule->cancelled;
                facts.sale_ended = schedule_state_at(schedule, batch->turn->now) == SCHEDULE_ENDED;
                facts.sale_paused = schedule->sale_paused;
                made = order_of_hold(&hold, schedule, command, batch->turn->now);
                facts.every_seat_has_price = price_seats(schedule, &hold, &made);
        }
        command->lane.outcome = (int)order_create_decide(&facts);
        *ret_made = command->lane.outcome == ORDER_CREATE_MADE;
        if (*ret_made)
                *place = made;
        if (*ret_made || command->lane.outcome == ORDER_CREATE_REPLAYED) {
                command->order = *place;
                command->hold_expires_at = hold.expires_at;
        }
        return 0;
}

/* Which orders did the wishes' keys make? keys[i] belongs to commands[i]; key 0 was not asked for. */
static int find_keys(struct turn *turn, struct order_create_command *const *commands, size_t count,
                     struct order_key **ret_keys) {
        struct order_key *keys = arena_take(turn->arena, count * sizeof *keys);
        struct order_key *asked = arena_take(turn->arena, count * sizeof *asked);
        if (!keys || !asked)
                return -ENOMEM;
        size_t asked_count = 0;
        for (size_t i = 0; i < count; i++)
                if (commands[i]->idempotency.key != 0)
                        asked[asked_count++] =
                                (struct order_key){commands[i]->account, commands[i]->idempotency.key, 0};
        int fault = asked_count > 0 ? order_store_find_keys(turn, asked, asked_count) : 0;
        if (fault)
                return fault;
        asked_count = 0;
        for (size_t i = 0; i < count; i++)
                if (commands[i]->idempotency.key != 0)
                        keys[i] = asked[asked_count++];
        *ret_keys = keys;
        return 0;
}

static int save_made(struct order_service *service, struct batch *batch, const struct order **made,
                     const purchase_id *holds, size_t count) {
        if (count == 0)
                return 0;
        int fault = order_store_insert(&service->store, batch->turn, made, count);
        if (!fault)
                fault = inventory_lock_holds(service->inventory, batch->turn, holds, count);
        for (size_t i = 0; !fault && i < count; i++) {
                char payload[128];
                struct order_tally *tally;
                fault = batch_tally(batch, made[i]->schedule, &tally);
                if (fault)
                        break;
                tally->orders[ORDER_IS_PENDING]++;
                fault = say(batch->turn, made[i], ORDER_CREATED, 0,
                            payload_of(made[i], made[i]->amount.amount, payload));
        }
        return fault ? fault : batch_save(service, batch);
}

static int order_create(void *context, struct turn *turn, struct lane_command **given, size_t count) {
        struct order_service *service = context;
        struct order_create_command *const *commands = (struct order_create_command *const *)(void *)given;
        purchase_id *ids = arena_take(turn->arena, count * sizeof *ids);
        purchase_id *holds = arena_take(turn->arena, count * sizeof *holds);
        const struct order **made = arena_take(turn->arena, count * sizeof *made);
        if (!ids || !holds || !made)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++)
                ids[i] = commands[i]->hold;
        struct batch batch;
        struct order_key *keys = NULL;
        int fault = batch_begin(service, turn, ids, count, &batch);
        if (!fault)
                fault = find_keys(turn, commands, count, &keys);
        size_t made_count = 0;
        map_clear(&service->fresh_keys);
        for (size_t i = 0; !fault && i < count; i++) {
                const uint64_t *fresh = map_find(&service->fresh_keys, commands[i]->idempotency.key);
                purchase_id holder = fresh ? *fresh : keys[i].found;
                bool is_made = false;
                fault = create_one(service, &batch, commands[i], holder != 0 && holder != commands[i]->hold, &is_made);
                if (fault || !is_made)
                        continue;
                made[made_count] = batch_place(service, &batch, commands[i]->hold);
                holds[made_count++] = commands[i]->hold;
                if (commands[i]->idempotency.key != 0)
                        fault = map_put(&service->fresh_keys, commands[i]->idempotency.key, commands[i]->hold);
        }
        return fault ? fault : save_made(service, &batch, made, holds, made_count);
}

/* --- giving up --- */

static int cancel_one(struct order_service *service, struct batch *batch, struct order_cancel_command *command) {
        struct order *order = batch_find(service, batch, command->id);
        if (order && order->account != command->account)
                order = NULL;
        struct order_cancel_facts facts = {.now = batch->turn->now};
        if (order && order->state == ORDER_IS_PENDING) {
                int under_way = payment_is_under_way(service->payment, batch->turn, order->id);
                if (under_way < 0)
                        return under_way;
                facts.payment_under_way = under_way > 0;
        }
        if (order && order->state == ORDER_IS_CONFIRMED) {
                const struct schedule *schedule = event_schedule(service->events, batch->turn->db, order->schedule);
                if (!schedule)
                        return FAULT_FORMAT;
                facts.schedule_cancelled = schedule->cancelled;
                facts.cancel_until = schedule->cancel_until;
                facts.refund_percent = schedule->cancel_refund_percent;
        }
        struct order_change change = {0};
        command->lane.outcome = (int)order_cancel_decide(order, &facts, &change);
        int fault = change.happens ? batch_change(batch, order, &change, 0) : 0;
        if (!fault && order)
                command->order = *order;
        return fault;
}

static int order_cancel(void *context, struct turn *turn, struct lane_command **given, size_t count) {
        struct order_service *service = context;
        struct order_cancel_command *const *commands = (struct order_cancel_command *const *)(void *)given;
        purchase_id *ids = arena_take(turn->arena, count * sizeof *ids);
        if (!ids)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++)
                ids[i] = commands[i]->id;
        struct batch batch;
        int fault = batch_begin(service, turn, ids, count, &batch);
        for (size_t i = 0; !fault && i < count; i++)
                fault = cancel_one(service, &batch, commands[i]);
        return fault ? fault : batch_save(service, &batch);
}

/* --- reading --- */

int order_read_many(struct order_service *service, struct turn *turn, const purchase_id *ids, struct order *ret_orders,
                    size_t count) {
        return order_store_load(&service->store, turn, ids, ret_orders, count);
}

int order_read_newest(struct order_service *service, struct turn *turn, account_id account, purchase_id before,
                      unsigned limit, struct order *ret_orders, size_t *ret_count) {
        (void)service;
        return order_store_list(turn, account, before, limit, ret_orders, ret_count);
}

int order_read(struct order_service *service, struct turn *turn, purchase_id id, struct order *ret_order) {
        struct order order;
        int fault = order_store_load(&service->store, turn, &id, &order, 1);
        if (!fault && order.id == 0)
                return -ENOENT;
        if (!fault)
                *ret_order = order;
        return fault;
}

static int get_one(struct order_service *service, struct turn *turn, const struct order *order,
                   struct order_get_command *command) {
        bool found = order->id != 0 && order->account == command->account;
        command->lane.outcome = found ? ORDER_READ_FOUND : ORDER_READ_NOT_FOUND;
        if (!found)
                return 0;
        command->hold_expires_at = 0;
        command->order = *order;
        int fault = payment_look(service->payment, turn, command->id, &command->payment);
        if (fault || order->state != ORDER_IS_PENDING)
                return fault;
        struct hold hold;
        fault = inventory_hold(service->inventory, turn, command->id, &hold);
        if (!fault && hold.state == HOLD_ACTIVE)
                command->hold_expires_at = hold.expires_at;
        return fault == -ENOENT ? 0 : fault;
}

static int order_get(void *context, struct turn *turn, struct lane_command **given, size_t count) {
        struct order_service *service = context;
        struct order_get_command *const *commands = (struct order_get_command *const *)(void *)given;
        purchase_id *ids = arena_take(turn->arena, count * sizeof *ids);
        struct order *orders = arena_take(turn->arena, count * sizeof *orders);
        if (!ids || !orders)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++)
                ids[i] = commands[i]->id;
        int fault = order_store_load(&service->store, turn, ids, orders, count);
        for (size_t i = 0; !fault && i < count; i++)
                fault = get_one(service, turn, &orders[i], commands[i]);
        return fault;
}

static int order_list(void *context, struct turn *turn, struct lane_command **given, size_t count) {
        (void)context;
        int fault = 0;
        for (size_t i = 0; !fault && i < count; i++) {
                struct order_list_command *command = (struct order_list_command *)(void *)given[i];
                command->lane.outcome = ORDER_READ_FOUND;
                fault = order_store_list(turn, command->account, command->before, command->limit + 1, command->orders,
                                         &command->count);
        }
        return fault;
}

static int order_figures(void *context, struct turn *turn, struct lane_command **given, size_t count) {
        struct order_service *service = context;
        int fault = 0;
        for (size_t i = 0; !fault && i < count; i++) {
                struct order_figures_command *command = (struct order_figures_command *)(void *)given[i];
                const struct schedule *schedule = event_schedule(service->events, turn->db, command->schedule);
                bool found = schedule && (command->is_operator || schedule->organiser == command->account);
                command->lane.outcome = found ? ORDER_READ_FOUND : ORDER_READ_NOT_FOUND;
                if (!found)
                        continue;
                memcpy(command->currency, schedule->currency, sizeof command->currency);
                fault = order_store_tally(turn, command->schedule, &command->tally);
        }
        return fault;
}

/* What a turn runs first: what changes orders before what reads them. */
const struct lane_kind order_cancel_kind = {.name = "order.cancel", .rank = 40, .run = order_cancel};
const struct lane_kind order_create_kind = {.name = "order.create", .rank = 50, .run = order_create};
const struct lane_kind order_get_kind = {.name = "order.get", .rank = 90, .read_only = true, .run = order_get};
const struct lane_kind order_list_kind = {.name = "order.list", .rank = 90, .read_only = true, .run = order_list};
const struct lane_kind order_figures_kind = {
        .name = "sale.figures", .rank = 90, .read_only = true, .run = order_figures};

/* --- the saga --- */

/* Who waits for the end of POST …/pay hears it once the order's fate is settled. */
static int wake_waiting(struct turn *turn, const struct order *order) {
        switch (order->state) {
        case ORDER_IS_CONFIRMED:
                return turn_wake(turn, order->id, PAYMENT_START_CONFIRMED);
        case ORDER_IS_CANCELLED:
                return turn_wake(turn, order->id, PAYMENT_START_DECLINED);
        case ORDER_IS_REFUNDING:
        case ORDER_IS_REFUNDED:
                return turn_wake(turn, order->id, PAYMENT_START_GIVEN_BACK);
        default:
                return 0;
        }
}

static int hear_one(struct order_service *service, struct batch *batch, const struct event *event) {
        struct order *order = batch_find(service, batch, event->subject);
        if (!order)
                return 0; /* a hold that nobody ordered */
        struct order_facts facts = {0};
        if (event->type == SEATS_RELEASED && order->state == ORDER_IS_PENDING) {
                int under_way = payment_is_under_way(service->payment, batch->turn, order->id);
                if (under_way < 0)
                        return under_way;
                facts.payment_under_way = under_way > 0;
        }
        if (event->type == PAYMENT_CAPTURED) {
                const struct schedule *schedule = event_schedule(service->events, batch->turn->db, order->schedule);
                facts.schedule_cancelled = schedule && schedule->cancelled;
        }
        struct order_change change = order_hears(order, event->type, &facts);
        if (!change.happens)
                return 0;
        int fault = batch_change(batch, order, &change, event->id);
        return fault ? fault : wake_waiting(batch->turn, order);
}

static int order_consume(void *context, struct turn *turn, const struct event *const *events, size_t count) {
        struct order_service *service = context;
        purchase_id *ids = arena_take(turn->arena, count * sizeof *ids);
        if (!ids)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++)
                ids[i] = events[i]->subject;
        struct batch batch;
        int fault = batch_begin(service, turn, ids, count, &batch);
        for (size_t i = 0; !fault && i < count; i++)
                fault = hear_one(service, &batch, events[i]);
        return fault ? fault : batch_save(service, &batch);
}

static int order_rolled_back(void *context, struct db *db) {
        (void)db;
        struct order_service *service = context;
        order_store_forget(&service->store);
        return 0;
}

/* --- life --- */

int order_service_new(struct order_service **ret_service, const struct order_config *config) {
        struct order_service *service = calloc(1, sizeof *service);
        if (!service)
                return -ENOMEM;
        *service = (struct order_service){.lane = config->lane,
                                          .clock = config->clock,
                                          .events = config->events,
                                          .inventory = config->inventory,
                                          .queue = config->queue};
        map_init(&service->places);
        map_init(&service->fresh_keys);
        int fault = order_store_init(&service->store);
        if (!fault)
                fault = lane_add_consumer(
                        config->lane,
                        &(struct lane_consumer){.name = "order",
                                                .service = service,
                                                .consume = order_consume,
                                                .types = EVENT_BIT(PAYMENT_CAPTURED) | EVENT_BIT(PAYMENT_DECLINED) |
                                                         EVENT_BIT(PAYMENT_REFUNDED) | EVENT_BIT(TICKET_ISSUED) |
                                                         EVENT_BIT(SEATS_LOST) | EVENT_BIT(SEATS_RELEASED)});
        if (fault) {
                order_service_free(service);
                return fault;
        }
        lane_add_room(config->lane,
                      &(struct lane_room){.name = "order", .service = service, .rolled_back = order_rolled_back});
        *ret_service = service;
        return 0;
}

struct order_service *order_service_free(struct order_service *service) {
        if (service) {
                order_store_deinit(&service->store);
                map_deinit(&service->places);
                map_deinit(&service->fresh_keys);
                free(service);
        }
        return NULL;
}

void order_set_payment(struct order_service *service, struct payment *payment) {
        service->payment = payment;
}
