/* audit_money.c: I3: every captured won ends in tickets or in a full refund; and tickets agree with orders and seats.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "audit/audit_model.h"

static void count_tickets(struct audit *audit) {
        struct audit_model *model = &audit->model;
        for (size_t i = 0; i < model->ticket_count; i++) {
                const struct audit_ticket *ticket = &model->tickets[i];
                struct audit_order *order = audit_order_of(model, ticket->order);
                if (!order) {
                        audit_found(audit, 3, "ticket %" PRIu64 "/%" PRId64 " belongs to no order", ticket->order,
                                    ticket->place);
                        continue;
                }
                order->tickets_all++;
                order->tickets_alive += ticket->state != TICKET_DEAD;
        }
}

static int by_seat_alive(const void *a, const void *b) {
        const struct audit_ticket *x = a, *y = b;
        if (x->schedule != y->schedule)
                return x->schedule < y->schedule ? -1 : 1;
        return x->seat < y->seat ? -1 : x->seat > y->seat;
}

/* Two tickets that are not void for one seat; and a living ticket whose seat is not sold to its order. Sorts the
 * tickets. */
static void check_ticket_seats(struct audit *audit) {
        struct audit_model *model = &audit->model;
        size_t alive = 0;
        for (size_t i = 0; i < model->ticket_count; i++)
                if (model->tickets[i].state != TICKET_DEAD)
                        model->tickets[alive++] = model->tickets[i];
        if (alive > 1)
                qsort(model->tickets, alive, sizeof *model->tickets, by_seat_alive);
        for (size_t i = 0; i < alive; i++) {
                const struct audit_ticket *ticket = &model->tickets[i];
                if (i > 0 && by_seat_alive(ticket, ticket - 1) == 0) {
                        audit->report->oversold++;
                        audit_found(audit, 1,
                                    "seat %" PRId64 " of schedule %" PRIu64 " has two valid tickets: %" PRIu64
                                    "/%" PRId64 " and %" PRIu64 "/%" PRId64,
                                    ticket->seat, ticket->schedule, ticket[-1].order, ticket[-1].place, ticket->order,
                                    ticket->place);
                }
                const struct audit_seat *seat = audit_seat_of(model, ticket->schedule, ticket->seat);
                const struct audit_order *order = audit_order_of(model, ticket->order);
                bool leaving = order && (order->state == ORDER_MONEY_LEAVING || order->state == ORDER_MONEY_BACK);
                if (!leaving && (!seat || seat->state != SEAT_TAKEN || seat->hold != ticket->order))
                        audit_found(audit, 1,
                                    "ticket %" PRIu64 "/%" PRId64 " is valid for seat %" PRId64 " of schedule %" PRIu64
                                    ", which is not sold to that order",
                                    ticket->order, ticket->place, ticket->seat, ticket->schedule);
        }
}

static bool was_captured(const struct audit_payment *payment) {
        return payment && (payment->state == PAY_TAKEN || payment->state == PAY_RETURNING ||
                           payment->state == PAY_RETURN_UNSURE || payment->state == PAY_RETURNED);
}

/* Where the captured money went. */
static void check_captured(struct audit *audit, const struct audit_order *order, const struct audit_payment *payment) {
        bool lost = false, rest = audit->options->at_rest;
        if (payment->amount != order->amount)
                audit_found(audit, 3, "payment %" PRIu64 " took %" PRId64 ", and its order is of %" PRId64, payment->id,
                            payment->amount, order->amount);
        switch (order->state) {
        case ORDER_DONE:
                lost = payment->state != PAY_TAKEN || order->tickets_alive != order->seat_count;
                break;
        case ORDER_MONEY_BACK:
                lost = payment->state != PAY_RETURNED || order->tickets_alive != 0 ||
                       (order->refund_amount != order->amount && !order->by_buyer);
                break;
        case ORDER_MONEY_LEAVING:
                lost = rest || (order->refund_amount != order->amount && !order->by_buyer);
                break;
        default: /* the saga is still on its way from the capture to the tickets */
                lost = rest;
        }
        if (!lost)
                return;
        audit->report->paid_without_seat++;
        audit_found(audit, 3,
                    "order %" PRIu64 " (state %d, amount %" PRId64 ", refund %" PRId64
                    ") has %zu of %zu tickets, and payment state %d",
                    order->id, order->state, order->amount, order->refund_amount, order->tickets_alive,
                    order->seat_count, payment->state);
}

static void check_order(struct audit *audit, const struct audit_order *order) {
        const struct audit_model *model = &audit->model;
        const struct audit_hold *hold = audit_hold_of(model, order->id);
        const struct audit_payment *payment = audit_payment_of(model, order->id);
        if (!hold || hold->account != order->account || hold->schedule != order->schedule ||
            hold->seat_count != order->seat_count)
                audit_found(audit, 4,
                            "order %" PRIu64 " does not agree with its hold on account, schedule or number of seats",
                            order->id);
        if (order->seat_sum != order->amount)
                audit_found(audit, 3, "order %" PRIu64 " is of %" PRId64 ", and its seats cost %" PRId64, order->id,
                            order->amount, order->seat_sum);
        if (was_captured(payment))
                check_captured(audit, order, payment);
        else if (order->state == ORDER_MONEY_IN || order->state == ORDER_DONE || order->state == ORDER_MONEY_LEAVING ||
                 order->state == ORDER_MONEY_BACK)
                audit_found(audit, 3, "order %" PRIu64 " has state %d, and no captured payment", order->id,
                            order->state);
        else if (order->tickets_alive)
                audit_found(audit, 3, "order %" PRIu64 " has %zu valid tickets, and no captured payment", order->id,
                            order->tickets_alive);
        if (order->state == ORDER_DONE && order->tickets_all != order->seat_count)
                audit_found(audit, 4, "order %" PRIu64 " is confirmed with %zu tickets for %zu seats", order->id,
                            order->tickets_all, order->seat_count);
}

void audit_money(struct audit *audit) {
        struct audit_model *model = &audit->model;
        struct audit_report *report = audit->report;
        count_tickets(audit);
        for (size_t i = 0; i < model->order_count; i++) {
                check_order(audit, &model->orders[i]);
                report->confirmed_orders += model->orders[i].state == ORDER_DONE;
        }
        for (size_t i = 0; i < model->payment_count; i++) {
                const struct audit_payment *payment = &model->payments[i];
                const struct audit_order *order = audit_order_of(model, payment->id);
                if (!order)
                        audit_found(audit, 3, "payment %" PRIu64 " (state %d) belongs to no order", payment->id,
                                    payment->state);
                if (was_captured(payment)) {
                        report->captured_payments++;
                        report->captured += payment->amount;
                }
                if (payment->state == PAY_RETURNED) {
                        report->refunded_payments++;
                        report->refunded += order ? order->refund_amount : payment->amount;
                }
                if (audit->options->at_rest && (payment->state == PAY_ASKING || payment->state == PAY_UNSURE))
                        audit_found(audit, 3, "payment %" PRIu64 " is still not known (state %d)", payment->id,
                                    payment->state);
        }
        check_ticket_seats(audit);
}
