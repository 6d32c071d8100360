/* order_rules.c: the decisions of order_rules.h: ladders of refusals, and the order's lifecycle as a table. */
#include "service/order/order_rules.h"

static const char *const state_names[ORDER_STATES] = {"PENDING",   "PAID",      "CONFIRMED",
                                                      "CANCELLED", "REFUNDING", "REFUNDED"};
/* Drawn in order.h. */
static const uint32_t moves[ORDER_STATES] = {
        [ORDER_IS_PENDING] = FSM_TO(ORDER_IS_PAID) | FSM_TO(ORDER_IS_CANCELLED) | FSM_TO(ORDER_IS_REFUNDING),
        [ORDER_IS_PAID] = FSM_TO(ORDER_IS_CONFIRMED) | FSM_TO(ORDER_IS_REFUNDING),
        [ORDER_IS_CONFIRMED] = FSM_TO(ORDER_IS_REFUNDING),
        [ORDER_IS_CANCELLED] = FSM_TO(ORDER_IS_PAID) | FSM_TO(ORDER_IS_REFUNDING),
        [ORDER_IS_REFUNDING] = FSM_TO(ORDER_IS_REFUNDED),
        [ORDER_IS_REFUNDED] = 0,
};
const struct fsm order_fsm = {.name = "order", .state_names = state_names, .state_count = ORDER_STATES, .moves = moves};

static const char *const reason_names[ORDER_REASONS] = {
        "", "declined", "hold_ended", "buyer_cancelled", "seats_lost", "schedule_cancelled"};

const char *order_reason_name(enum order_reason reason) {
        PRE(reason < ORDER_REASONS);
        return reason_names[reason];
}

enum order_reason order_reason_of(struct text name) {
        for (unsigned i = 0; i < ORDER_REASONS; i++)
                if (text_equal(name, text_of(reason_names[i])))
                        return (enum order_reason)i;
        return ORDER_REASON_NONE;
}

static bool is_key_of_another_body(const struct idempotency *stored, const struct idempotency *sent) {
        return sent->key != 0 && stored->key == sent->key && stored->fingerprint != sent->fingerprint;
}

enum order_create_outcome order_create_decide(const struct order_create_facts *facts) {
        if (!facts->hold_is_theirs)
                return ORDER_CREATE_NO_HOLD;
        if (facts->key_made_another)
                return ORDER_CREATE_KEY_REUSED;
        if (facts->existing && is_key_of_another_body(&facts->existing->idempotency, &facts->idempotency))
                return ORDER_CREATE_KEY_REUSED;
        if (facts->existing)
                return ORDER_CREATE_REPLAYED;
        if (!facts->hold_is_live)
                return ORDER_CREATE_HOLD_ENDED;
        if (facts->schedule_cancelled)
                return ORDER_CREATE_SCHEDULE_CANCELLED;
        if (facts->sale_ended)
                return ORDER_CREATE_SALE_ENDED;
        if (facts->sale_paused)
                return ORDER_CREATE_SALE_PAUSED;
        if (!facts->every_seat_has_price)
                return ORDER_CREATE_NOT_FOR_SALE;
        return ORDER_CREATE_MADE;
}

/* A fraction of the smallest unit goes to the buyer. */
static int64_t share_of(int64_t amount, uint32_t percent) {
        PRE(percent <= 100);
        return (amount * percent + 99) / 100;
}

static struct order_change cancelled(enum order_reason reason) {
        return (struct order_change){
                .happens = true, .to = ORDER_IS_CANCELLED, .reason = reason, .says = ORDER_CANCELLED};
}

static struct order_change refunding(int64_t amount, enum order_reason reason) {
        return (struct order_change){.happens = true,
                                     .to = ORDER_IS_REFUNDING,
                                     .reason = reason,
                                     .refund_amount = amount,
                                     .says = ORDER_REFUNDING};
}

enum order_cancel_outcome order_cancel_decide(const struct order *order, const struct order_cancel_facts *facts,
                                              struct order_change *ret_change) {
        if (!order)
                return ORDER_CANCEL_NOT_FOUND;
        if (order->state == ORDER_IS_CANCELLED || order->state == ORDER_IS_REFUNDING ||
            order->state == ORDER_IS_REFUNDED)
                return ORDER_CANCEL_ALREADY;
        if (order->state == ORDER_IS_PAID || (order->state == ORDER_IS_PENDING && facts->payment_under_way))
                return ORDER_CANCEL_IN_PROGRESS;
        if (order->state == ORDER_IS_PENDING) {
                *ret_change = cancelled(ORDER_REASON_BUYER_CANCELLED);
                return ORDER_CANCEL_DONE;
        }
        if (facts->schedule_cancelled) {
                *ret_change = refunding(order->amount.amount, ORDER_REASON_SCHEDULE_CANCELLED);
                return ORDER_CANCEL_REFUNDING;
        }
        if (facts->now > facts->cancel_until)
                return ORDER_CANCEL_TOO_LATE;
        *ret_change = refunding(share_of(order->amount.amount, facts->refund_percent), ORDER_REASON_BUYER_CANCELLED);
        return ORDER_CANCEL_REFUNDING;
}

static struct order_change hears_captured(const struct order *order, const struct order_facts *facts) {
        if (order->state != ORDER_IS_PENDING && order->state != ORDER_IS_CANCELLED)
                return (struct order_change){0};
        if (facts->schedule_cancelled)
                return refunding(order->amount.amount, ORDER_REASON_SCHEDULE_CANCELLED);
        return (struct order_change){.happens = true, .to = ORDER_IS_PAID, .says = ORDER_PAID};
}

struct order_change order_hears(const struct order *order, unsigned event_type, const struct order_facts *facts) {
        switch (event_type) {
        case PAYMENT_CAPTURED:
                return hears_captured(order, facts);
        case PAYMENT_DECLINED:
                if (order->state == ORDER_IS_PENDING)
                        return cancelled(ORDER_REASON_DECLINED);
                break;
        case SEATS_RELEASED:
                if (order->state == ORDER_IS_PENDING && !facts->payment_under_way)
                        return cancelled(ORDER_REASON_HOLD_ENDED);
                break;
        case SEATS_LOST:
                if (order->state == ORDER_IS_PAID)
                        return refunding(order->amount.amount, ORDER_REASON_SEATS_LOST);
                break;
        case TICKET_ISSUED:
                if (order->state == ORDER_IS_PAID)
                        return (struct order_change){
                                .happens = true, .to = ORDER_IS_CONFIRMED, .says = ORDER_CONFIRMED};
                break;
        case PAYMENT_REFUNDED:
                if (order->state == ORDER_IS_REFUNDING)
                        return (struct order_change){.happens = true,
                                                     .to = ORDER_IS_REFUNDED,
                                                     .reason = order->reason,
                                                     .refund_amount = order->refund_amount,
                                                     .says = ORDER_REFUNDED};
                break;
        default:
                IMPOSSIBLE("an order was told an event it does not listen to");
        }
        return (struct order_change){0};
}

void order_apply(struct order *order, const struct order_change *change, int64_t now) {
        PRE(change->happens && fsm_may(&order_fsm, order->state, change->to));
        PRE(change->refund_amount >= 0 && change->refund_amount <= order->amount.amount);
        order->state = change->to;
        order->reason = change->reason;
        order->refund_amount = change->refund_amount;
        order->updated_at = now;
}
