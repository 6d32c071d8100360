/* ticket_service.c: tickets come into being when seats are sold, end when their order is given back, and are used once.
 *
 * Everything here runs on the lane, on rows of its own table; there is no memory to keep in step. */
#include "service/ticket/ticket_service.h"

#include "base/assert.h"
#include "base/json_writer.h"
#include "service/event/event.h"
#include "service/order/order.h"

#include <stdlib.h>

enum {
        ISSUE_BATCH = 256 /* orders read at once */,
        SCAN_PAYLOAD_MAX = 1024,
        READ_RANK = 90 /* after what a turn writes */
};

int ticket_service_new(struct ticket_service **ret_service, const struct ticket_config *config) {
        struct ticket_service *service = calloc(1, sizeof *service);
        if (!service)
                return -ENOMEM;
        *service = (struct ticket_service){
                .lane = config->lane,
                .clock = config->clock,
                .events = config->events,
                .orders = config->orders,
                .key = config->key,
        };
        const struct lane_consumer consumer = {
                .name = "ticket",
                .service = service,
                .types = EVENT_BIT(SEATS_SOLD) | EVENT_BIT(ORDER_REFUNDING),
                .consume = ticket_consume,
        };
        int fault = ticket_codes_new(&service->codes);
        if (!fault)
                fault = lane_add_consumer(config->lane, &consumer);
        if (fault) {
                ticket_service_free(service);
                return fault;
        }
        *ret_service = service;
        return 0;
}

struct ticket_service *ticket_service_free(struct ticket_service *service) {
        if (!service)
                return NULL;
        ticket_codes_free(service->codes);
        free(service);
        return NULL;
}

/* --- the saga's steps --- */

static int say(struct turn *turn, unsigned type, const struct event *cause) {
        struct event event = {
                .type = type,
                .schedule = cause->schedule,
                .subject = cause->subject,
                .account = cause->account,
                .cause = cause->id,
        };
        return turn_say(turn, &event);
}

/* One ticket for each seat. An order that is no longer PAID is on its way back, or has its tickets already. */
static int issue(struct turn *turn, const struct event *sold, const struct order *order) {
        if (!order->id)
                return -ENOENT;
        if (order->state != ORDER_IS_PAID)
                return 0;
        struct ticket tickets[HOLD_SEATS_MAX];
        for (unsigned place = 0; place < order->seat_count; place++)
                tickets[place] = (struct ticket){
                        .order = order->id,
                        .schedule = order->schedule,
                        .account = order->account,
                        .issued_at = turn->now,
                        .seat = order->seats[place],
                        .place = (uint8_t)place,
                };
        int64_t issued = 0;
        int fault = ticket_insert(turn, tickets, order->seat_count, &issued);
        return fault || issued == 0 ? fault : say(turn, TICKET_ISSUED, sold);
}

static int issue_all(struct ticket_service *service, struct turn *turn, const struct event *const *sold, size_t count) {
        purchase_id *ids = arena_take(turn->arena, ISSUE_BATCH * sizeof *ids);
        struct order *orders = arena_take(turn->arena, ISSUE_BATCH * sizeof *orders);
        int fault = ids && orders ? 0 : -ENOMEM;
        for (size_t done = 0; !fault && done < count;) {
                size_t batch = count - done < ISSUE_BATCH ? count - done : ISSUE_BATCH;
                for (size_t i = 0; i < batch; i++)
                        ids[i] = sold[done + i]->subject;
                fault = order_read_many(service->orders, turn, ids, orders, batch);
                for (size_t i = 0; !fault && i < batch; i++)
                        fault = issue(turn, sold[done + i], &orders[i]);
                done += batch;
        }
        return fault;
}

/* Says so only if there were tickets: money can go back before any was issued. */
static int void_all(struct turn *turn, const struct event *refunding) {
        struct order_tickets order = {.order = refunding->subject}, *const list[] = {&order};
        int fault = ticket_select_orders(turn, list, 1);
        if (fault)
                return fault;
        unsigned voided = 0;
        for (unsigned i = 0; i < order.count; i++)
                voided += ticket_void(&order.tickets[i]);
        if (voided == 0)
                return 0;
        int64_t changed = 0;
        fault = ticket_update_void(turn, order.order, &changed);
        if (!fault && changed != voided)
                fault = FAULT_CONSTRAINT;
        return fault ? fault : say(turn, TICKET_VOIDED, refunding);
}

int ticket_consume(void *service, struct turn *turn, const struct event *const *events, size_t count) {
        int fault = 0;
        for (size_t from = 0, to; !fault && from < count; from = to) {
                for (to = from + 1; to < count && events[to]->type == events[from]->type; to++)
                        ;
                if (events[from]->type == SEATS_SOLD)
                        fault = issue_all(service, turn, events + from, to - from);
                for (size_t i = from; !fault && events[from]->type == ORDER_REFUNDING && i < to; i++)
                        fault = void_all(turn, events[i]);
        }
        return fault;
}

/* --- reading --- */

static int of_order(void *context, struct turn *turn, struct lane_command **commands, size_t count) {
        struct ticket_service *service = context;
        struct order_tickets **orders = arena_take(turn->arena, count * sizeof(struct order_tickets *));
        if (!orders)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++)
                orders[i] = &((struct ticket_of_order_command *)(void *)commands[i])->order;
        int fault = ticket_select_orders(turn, orders, count);
        for (size_t i = 0; !fault && i < count; i++) {
                struct ticket_of_order_command *command = (struct ticket_of_order_command *)(void *)commands[i];
                account_id owner = command->order.tickets[0].account;
                if (command->order.count > 0) {
                        command->schedule =
                                event_schedule(service->events, turn->db, command->order.tickets[0].schedule);
                } else {
                        struct order order = {0};
                        fault = order_read_many(service->orders, turn, &command->order.order, &order, 1);
                        owner = order.id ? order.account : 0;
                }
                commands[i]->outcome = owner == command->account ? TICKETS_FOUND : TICKETS_UNKNOWN_ORDER;
        }
        return fault;
}

/* Takes whole orders into the page. False when the next one does not fit any more. */
static bool page_add(struct ticket_list_command *page, const struct order_tickets *order,
                     const struct schedule *schedule) {
        if (page->count > 0 && page->count + order->count > page->limit)
                return false;
        for (unsigned i = 0; i < order->count; i++) {
                page->tickets[page->count] = order->tickets[i];
                page->schedules[page->count++] = schedule;
        }
        return true;
}

static int list_one(struct ticket_service *service, struct turn *turn, struct ticket_list_command *page) {
        struct order *orders = arena_take(turn->arena, page->limit * sizeof *orders);
        struct order_tickets *tickets = arena_take(turn->arena, page->limit * sizeof *tickets);
        struct order_tickets **list = arena_take(turn->arena, page->limit * sizeof(struct order_tickets *));
        size_t count = 0;
        page->count = 0;
        if (!orders || !tickets || !list)
                return -ENOMEM;
        int fault = order_read_newest(service->orders, turn, page->account, page->before, page->limit, orders, &count);
        if (fault)
                return fault;
        for (size_t i = 0; i < count; i++) {
                tickets[i].order = orders[i].id;
                list[i] = &tickets[i];
        }
        fault = ticket_select_orders(turn, list, count);
        purchase_id last = 0;
        bool full = false;
        for (size_t i = 0; !fault && !full && i < count; i++) {
                full = !page_add(page, &tickets[i], event_schedule(service->events, turn->db, orders[i].schedule));
                if (!full)
                        last = orders[i].id;
        }
        page->next_before = full || count == page->limit ? last : 0;
        return fault;
}

static int list(void *context, struct turn *turn, struct lane_command **commands, size_t count) {
        int fault = 0;
        for (size_t i = 0; !fault && i < count; i++) {
                fault = list_one(context, turn, (struct ticket_list_command *)(void *)commands[i]);
                commands[i]->outcome = TICKETS_LISTED;
        }
        return fault;
}

static int read_tickets(void *context, struct turn *turn, struct lane_command **commands, size_t count) {
        struct ticket_service *service = context;
        int fault = 0;
        for (size_t i = 0; !fault && i < count; i++) {
                struct ticket_read_command *command = (struct ticket_read_command *)(void *)commands[i];
                bool found = false;
                fault = ticket_select(turn, command->order, command->place, &command->ticket, NULL, &found);
                commands[i]->outcome =
                        found && command->ticket.account == command->account ? TICKET_FOUND : TICKET_UNKNOWN;
                if (!fault && commands[i]->outcome == TICKET_FOUND)
                        command->schedule = event_schedule(service->events, turn->db, command->ticket.schedule);
        }
        return fault;
}

/* --- the gate --- */

static int say_scanned(struct turn *turn, const struct ticket_scan_command *command) {
        char memory[SCAN_PAYLOAD_MAX], name[TICKET_TEXT_MAX];
        struct buffer payload = {.at = memory, .capacity = sizeof memory - 1, .max_bytes = sizeof memory - 1};
        struct json_writer json;
        json_begin(&json, &payload);
        json_object(&json, NULL);
        json_text(&json, "ticketId",
                  (struct text){name, ticket_format(name, command->ticket.order, command->ticket.place)});
        json_text(&json, "gate", command->gate);
        json_id(&json, "scannedBy", ID_ACCOUNT, command->scanner);
        json_object_end(&json);
        struct event event = {
                .type = TICKET_SCANNED,
                .schedule = command->ticket.schedule,
                .subject = command->ticket.order,
                .account = command->ticket.account,
                .payload = payload.overflowed ? TEXT("{}") : buffer_text(&payload),
        };
        return turn_say(turn, &event);
}

static int scan_one(struct ticket_service *service, struct turn *turn, struct ticket_scan_command *command) {
        bool found = false;
        int fault = ticket_select(turn, command->claims.order, command->claims.place, &command->ticket,
                                  &command->used_by, &found);
        if (fault)
                return fault;
        if (found)
                command->schedule = event_schedule(service->events, turn->db, command->ticket.schedule);
        account_id organiser = command->schedule ? command->schedule->organiser : 0;
        bool permitted = scan_is_permitted(command->role, command->scanner, organiser);
        command->lane.outcome = ticket_scan(found ? &command->ticket : NULL, &command->claims, permitted, turn->now);
        if (command->lane.outcome != SCAN_ADMITTED)
                return 0;
        fault = ticket_update_used(turn, &command->ticket, command->gate);
        return fault ? fault : say_scanned(turn, command);
}

/* One after the other: the same ticket may be shown at two gates in one turn. */
static int scan(void *context, struct turn *turn, struct lane_command **commands, size_t count) {
        int fault = 0;
        for (size_t i = 0; !fault && i < count; i++)
                fault = scan_one(context, turn, (struct ticket_scan_command *)(void *)commands[i]);
        return fault;
}

const struct lane_kind ticket_of_order_kind = {
        .name = "ticket.of_order", .rank = READ_RANK, .read_only = true, .run = of_order};
const struct lane_kind ticket_list_kind = {.name = "ticket.list", .rank = READ_RANK, .read_only = true, .run = list};
const struct lane_kind ticket_read_kind = {
        .name = "ticket.read", .rank = READ_RANK, .read_only = true, .run = read_tickets};
const struct lane_kind ticket_scan_kind = {.name = "ticket.scan", .run = scan};
