/* The purchase saga from the order to the ticket or to the money back: its ends, the provider's troubles, money that
 * comes late, and a crash after every single step. */
#include "saga_world_test.h"

#include "base/log.h"

static int64_t sum_of_charges(void) {
        struct pay_fake_sums sums;
        pay_fake_sums(world.provider, &sums);
        return sums.charged;
}

/* --- the straight way --- */

static void paying_ends_with_tickets(void **state) {
        (void)state;
        struct payment_start_command pay, again;
        purchase_id order = world_buy(&pay, 10, "");
        assert_int_equal(world_payment_state(order), PAYMENT_IS_CONFIRMING);
        assert_int_equal(sum_of_charges(), 0); /* stored before anybody is asked */
        assert_int_equal(world_pay(&again, order, ""), PAYMENT_START_IN_PROGRESS);
        world_rest();
        assert_int_equal(pay.lane.outcome, PAYMENT_START_CONFIRMED);
        assert_int_equal(pay.seat_count, 2);
        assert_int_equal(world_order_state(order), ORDER_IS_CONFIRMED);
        assert_int_equal(world_number("SELECT amount FROM orders WHERE id = $1", order), 2 * PRICE);
        assert_int_equal(world_tickets(order), 2);
        assert_int_equal(world_pay(&again, order, ""), PAYMENT_START_CONFIRMED);
        static const unsigned said[] = {ORDER_CREATED, PAYMENT_STARTED, PAYMENT_CAPTURED, ORDER_PAID,
                                        SEATS_SOLD,    TICKET_ISSUED,   ORDER_CONFIRMED};
        for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
                assert_int_equal(world_events(said[i], order), 1);
        world_explains_money();
}

static void many_are_bought_in_one_turn(void **state) {
        (void)state;
        enum { MANY = 700 };
        static struct order_create_command make[MANY];
        static struct payment_start_command pay[MANY];
        purchase_id holds[MANY];
        for (int i = 0; i < MANY; i++)
                holds[i] = world_hold(BUYER, (seat_index)(2 * i));
        for (int i = 0; i < MANY; i++) {
                make[i] = (struct order_create_command){
                        .lane = {.kind = &order_create_kind, .service = world.orders, .done = kit_done},
                        .account = BUYER,
                        .hold = holds[i]};
                assert_int_equal(lane_submit(world.lane, &make[i].lane), 0);
        }
        assert_true(lane_step(world.lane));
        for (int i = 0; i < MANY; i++) {
                assert_int_equal(make[i].lane.outcome, ORDER_CREATE_MADE);
                pay[i] = (struct payment_start_command){
                        .lane = {.kind = &payment_start_kind, .service = world.payment, .done = kit_done},
                        .account = BUYER,
                        .order = holds[i],
                        .token = text_of(i % 10 == 0 ? "decline" : "")};
                assert_int_equal(lane_submit(world.lane, &pay[i].lane), 0);
        }
        world_rest();
        for (int i = 0; i < MANY; i++)
                assert_int_equal(pay[i].lane.outcome, i % 10 == 0 ? PAYMENT_START_DECLINED : PAYMENT_START_CONFIRMED);
        world_explains_money();
        assert_int_equal(world_number("SELECT confirmed FROM order_tally WHERE schedule_id = $1", SCHEDULE),
                         MANY - MANY / 10);
}

static void two_clicks_in_one_turn_pay_once(void **state) {
        (void)state;
        purchase_id order = world_hold(BUYER, 10);
        struct order_create_command make[3];
        struct payment_start_command pay[3];
        for (int i = 0; i < 3; i++) {
                make[i] = (struct order_create_command){
                        .lane = {.kind = &order_create_kind, .service = world.orders, .done = kit_done},
                        .account = BUYER,
                        .hold = order};
                pay[i] = (struct payment_start_command){
                        .lane = {.kind = &payment_start_kind, .service = world.payment, .done = kit_done},
                        .account = BUYER,
                        .order = order};
                assert_int_equal(lane_submit(world.lane, &make[i].lane), 0);
                assert_int_equal(lane_submit(world.lane, &pay[i].lane), 0); /* orders are made before payments start */
        }
        assert_true(lane_step(world.lane));
        assert_int_equal(make[0].lane.outcome, ORDER_CREATE_MADE);
        assert_int_equal(make[1].lane.outcome, ORDER_CREATE_REPLAYED);
        assert_int_equal(make[2].order.id, order);
        assert_int_equal(pay[0].lane.outcome, LANE_WAIT);
        assert_int_equal(pay[1].lane.outcome, PAYMENT_START_IN_PROGRESS);
        world_rest();
        assert_int_equal(pay[0].lane.outcome, PAYMENT_START_CONFIRMED);
        world_explains_money();
}

static void keys_are_remembered(void **state) {
        (void)state;
        purchase_id first = world_hold(BUYER, 10), second = world_hold(BUYER, 12), third = world_hold(BUYER, 14);
        struct order_create_command make = {
                .lane = {.kind = &order_create_kind, .service = world.orders, .done = kit_done},
                .account = BUYER,
                .hold = first,
                .idempotency = {77, 1}};
        assert_int_equal(kit_submit_and_run(world.lane, &make.lane), ORDER_CREATE_MADE);
        assert_int_equal(kit_submit_and_run(world.lane, &make.lane), ORDER_CREATE_REPLAYED);
        assert_int_equal(make.order.id, first);
        make.hold = second;
        make.idempotency.fingerprint = 2;
        assert_int_equal(kit_submit_and_run(world.lane, &make.lane), ORDER_CREATE_KEY_REUSED);
        struct order_create_command twins[2] = {make, make}; /* one new key for two holds in one turn */
        for (int i = 0; i < 2; i++) {
                twins[i].idempotency = (struct idempotency){78, (uint64_t)i};
                twins[i].hold = i == 0 ? second : third;
                twins[i].lane.done = kit_done;
                assert_int_equal(lane_submit(world.lane, &twins[i].lane), 0);
        }
        kit_lane_run(world.lane);
        assert_int_equal(twins[0].lane.outcome, ORDER_CREATE_MADE);
        assert_int_equal(twins[1].lane.outcome, ORDER_CREATE_KEY_REUSED);
        struct payment_start_command pay = {.lane = {.kind = &payment_start_kind, .service = world.payment},
                                            .account = BUYER,
                                            .order = first,
                                            .idempotency = {79, 1}};
        assert_int_equal(kit_submit_and_run(world.lane, &pay.lane), LANE_WAIT);
        pay.lane.outcome = 0;
        struct payment_start_command other = pay;
        other.idempotency.fingerprint = 2;
        assert_int_equal(kit_submit_and_run(world.lane, &other.lane), PAYMENT_START_KEY_REUSED);
        world_rest();
        assert_int_equal(kit_submit_and_run(world.lane, &other.lane), PAYMENT_START_KEY_REUSED);
        assert_int_equal(pay.lane.outcome, PAYMENT_START_CONFIRMED);
        other.idempotency.fingerprint = 1;
        assert_int_equal(kit_submit_and_run(world.lane, &other.lane), PAYMENT_START_CONFIRMED);
        world_explains_money();
}

static void orders_are_their_buyers_only(void **state) {
        (void)state;
        purchase_id order = world_hold(BUYER, 10);
        struct payment_start_command pay;
        assert_int_equal(world_order(OTHER, order), ORDER_CREATE_NO_HOLD);
        assert_int_equal(world_order(BUYER, 424242), ORDER_CREATE_NO_HOLD);
        assert_int_equal(world_pay(&pay, order, ""), PAYMENT_START_NOT_FOUND);
        assert_int_equal(world_order(BUYER, order), ORDER_CREATE_MADE);
        assert_int_equal(world_order(OTHER, order), ORDER_CREATE_NO_HOLD);
        assert_int_equal(world_cancel(OTHER, order), ORDER_CANCEL_NOT_FOUND);
        assert_int_equal(world_cancel(BUYER, 424242), ORDER_CANCEL_NOT_FOUND);
        pay = (struct payment_start_command){
                .lane = {.kind = &payment_start_kind, .service = world.payment}, .account = OTHER, .order = order};
        assert_int_equal(kit_submit_and_run(world.lane, &pay.lane), PAYMENT_START_NOT_FOUND);
        struct order_get_command get = {
                .lane = {.kind = &order_get_kind, .service = world.orders}, .account = OTHER, .id = order};
        assert_int_equal(kit_submit_and_run(world.lane, &get.lane), ORDER_READ_NOT_FOUND);
        get.account = BUYER;
        assert_int_equal(kit_submit_and_run(world.lane, &get.lane), ORDER_READ_FOUND);
        assert_int_equal(get.order.amount.amount, 2 * PRICE);
        assert_int_equal(get.hold_expires_at, kit_now() + 300000);
        assert_false(get.payment.exists);
        struct order_figures_command figures = {
                .lane = {.kind = &order_figures_kind, .service = world.orders}, .account = OTHER, .schedule = SCHEDULE};
        assert_int_equal(kit_submit_and_run(world.lane, &figures.lane), ORDER_READ_NOT_FOUND);
        figures.is_operator = true;
        assert_int_equal(kit_submit_and_run(world.lane, &figures.lane), ORDER_READ_FOUND);
        figures.account = ORGANISER;
        figures.is_operator = false;
        assert_int_equal(kit_submit_and_run(world.lane, &figures.lane), ORDER_READ_FOUND);
        assert_int_equal(figures.tally.orders[ORDER_IS_PENDING], 1);
}

static void the_sale_has_to_be_on(void **state) {
        (void)state;
        purchase_id hold = world_hold(BUYER, 10);
        world.schedule.amounts[0] = -1;
        assert_int_equal(world_order(BUYER, hold), ORDER_CREATE_NOT_FOR_SALE);
        world.schedule.amounts[0] = PRICE;
        world.schedule.sale_paused = true;
        assert_int_equal(world_order(BUYER, hold), ORDER_CREATE_SALE_PAUSED);
        world.schedule.ends_at = kit_now();
        assert_int_equal(world_order(BUYER, hold), ORDER_CREATE_SALE_ENDED);
        world.schedule.cancelled = true;
        assert_int_equal(world_order(BUYER, hold), ORDER_CREATE_SCHEDULE_CANCELLED);
        kit_clock_add(300000);
        assert_int_equal(world_order(BUYER, hold), ORDER_CREATE_HOLD_ENDED);
        world_expire(hold);
        assert_int_equal(world_order(BUYER, hold), ORDER_CREATE_HOLD_ENDED);
}

static void orders_come_in_pages(void **state) {
        (void)state;
        purchase_id made[5];
        for (seat_index i = 0; i < 5; i++) {
                made[i] = world_hold(BUYER, 2 * i);
                assert_int_equal(world_order(BUYER, made[i]), ORDER_CREATE_MADE);
        }
        struct order room[4];
        struct order_list_command list = {.lane = {.kind = &order_list_kind, .service = world.orders},
                                          .account = BUYER,
                                          .limit = 3,
                                          .orders = room};
        kit_submit_and_run(world.lane, &list.lane);
        assert_int_equal(list.count, 4); /* one more: there is a next page */
        assert_int_equal(room[0].id, made[4]);
        assert_int_equal(room[2].id, made[2]);
        list.before = made[2];
        kit_submit_and_run(world.lane, &list.lane);
        assert_int_equal(list.count, 2);
        assert_int_equal(room[1].id, made[0]);
        assert_int_equal(room[1].amounts[1], PRICE);
        list.account = OTHER;
        kit_submit_and_run(world.lane, &list.lane);
        assert_int_equal(list.count, 0);
}

/* --- giving up --- */

static void a_pending_order_can_be_given_up(void **state) {
        (void)state;
        purchase_id order = world_hold(BUYER, 10);
        struct payment_start_command pay;
        world_order(BUYER, order);
        assert_int_equal(world_cancel(BUYER, order), ORDER_CANCEL_DONE);
        assert_int_equal(world_cancel(BUYER, order), ORDER_CANCEL_ALREADY);
        world_rest();
        assert_int_equal(world_number("SELECT state FROM w_hold WHERE id = $1", order), HOLD_RELEASED);
        assert_int_equal(world_pay(&pay, order, ""), PAYMENT_START_CANCELLED);
        assert_int_equal(world_events(ORDER_CANCELLED, order), 1);
        world_explains_money();
}

static void what_is_being_paid_cannot_be_given_up(void **state) {
        (void)state;
        struct payment_start_command pay;
        purchase_id order = world_buy(&pay, 10, "");
        unsigned refusals = 0;
        int outcome;
        /* A command runs after the events of its turn: in the end it finds the order confirmed. */
        while ((outcome = world_cancel(BUYER, order)) == ORDER_CANCEL_IN_PROGRESS) {
                refusals++;
                assert_true(world_step());
        }
        assert_int_equal(outcome, ORDER_CANCEL_REFUNDING);
        assert_in_range(refusals, 3, 100);
        world_rest();
        assert_int_equal(world_order_state(order), ORDER_IS_REFUNDED);
        world_explains_money();
}

static void a_confirmed_order_is_given_back_by_the_rule(void **state) {
        (void)state;
        struct payment_start_command pay;
        purchase_id order = world_buy(&pay, 10, "refuse-refund:0:3");
        world_rest();
        assert_int_equal(world_cancel(BUYER, order), ORDER_CANCEL_REFUNDING);
        assert_int_equal(world_pay(&pay, order, ""), PAYMENT_START_REFUNDED);
        world_rest();
        assert_int_equal(world_order_state(order), ORDER_IS_REFUNDED);
        assert_int_equal(world_number("SELECT refund_amount FROM orders WHERE id = $1", order), 2 * PRICE * 9 / 10);
        assert_int_equal(
                world_number("SELECT count(*) FROM orders WHERE id = $1 AND reason = 'buyer_cancelled'", order), 1);
        assert_int_equal(world_pay(&pay, order, ""), PAYMENT_START_REFUNDED);
        assert_int_equal(world_tickets(order), 0);
        world_explains_money();
        purchase_id late = world_buy(&pay, 12, "");
        world_rest();
        kit_clock_set(world.schedule.cancel_until + 1);
        assert_int_equal(world_cancel(BUYER, late), ORDER_CANCEL_TOO_LATE);
        world.schedule.cancelled = true; /* by the organiser: everything, whenever */
        assert_int_equal(world_cancel(BUYER, late), ORDER_CANCEL_REFUNDING);
        world_rest();
        assert_int_equal(world_number("SELECT refund_amount FROM orders WHERE id = $1", late), 2 * PRICE);
        world_explains_money();
}

static void a_rule_that_gives_nothing_back_asks_nobody(void **state) {
        (void)state;
        world.schedule.cancel_refund_percent = 0;
        struct payment_start_command pay;
        purchase_id order = world_buy(&pay, 10, "");
        world_rest();
        assert_int_equal(world_cancel(BUYER, order), ORDER_CANCEL_REFUNDING);
        world_rest();
        assert_int_equal(world_order_state(order), ORDER_IS_REFUNDED);
        assert_int_equal(world_payment_state(order), PAYMENT_IS_REFUNDED);
        world_explains_money();
}

static void an_expired_hold_ends_its_order(void **state) {
        (void)state;
        purchase_id order = world_hold(BUYER, 10);
        struct payment_start_command pay;
        world_order(BUYER, order);
        world_expire(order);
        world_rest();
        assert_int_equal(world_order_state(order), ORDER_IS_CANCELLED);
        assert_int_equal(world_number("SELECT count(*) FROM orders WHERE id = $1 AND reason = 'hold_ended'", order), 1);
        assert_int_equal(world_pay(&pay, order, ""), PAYMENT_START_CANCELLED);
        world_explains_money();
}

/* --- troubles --- */

static const char *const troubles[] = {"",
                                       "decline",
                                       "delay:1",
                                       "timeout-charged:3000",
                                       "timeout-charged:0",
                                       "timeout-not-charged:3000",
                                       "timeout-not-charged:0",
                                       "pending:7000",
                                       "answer-twice",
                                       "notify-twice",
                                       "notify-early",
                                       "refuse-refund:0:2"};
enum { TROUBLES = sizeof troubles / sizeof troubles[0] };

static void every_trouble_ends(void **state) {
        (void)state;
        struct payment_start_command pay[TROUBLES];
        purchase_id orders[TROUBLES];
        for (seat_index i = 0; i < TROUBLES; i++)
                orders[i] = world_buy(&pay[i], 2 * i, troubles[i]);
        world_rest();
        for (int i = 0; i < TROUBLES; i++) {
                bool declined = strcmp(troubles[i], "decline") == 0;
                assert_int_equal(pay[i].lane.outcome, declined ? PAYMENT_START_DECLINED : PAYMENT_START_CONFIRMED);
                assert_int_equal(world_order_state(orders[i]), declined ? ORDER_IS_CANCELLED : ORDER_IS_CONFIRMED);
        }
        struct payment_start_command again;
        assert_int_equal(world_pay(&again, orders[1], ""), PAYMENT_START_DECLINED);
        world_explains_money();
}

static void a_long_wait_is_told_and_ends_all_the_same(void **state) {
        (void)state;
        struct payment_start_command pay, again;
        purchase_id order = world_buy(&pay, 10, "pending:60000");
        while (pay.lane.outcome == LANE_WAIT) {
                while (world_step())
                        ;
                kit_clock_add(500);
        }
        assert_int_equal(pay.lane.outcome, LANE_WAITED);
        assert_int_equal(world_payment_state(order), PAYMENT_IS_UNKNOWN);
        assert_int_equal(world_pay(&again, order, ""), PAYMENT_START_IN_PROGRESS);
        assert_int_equal(world_cancel(BUYER, order), ORDER_CANCEL_IN_PROGRESS);
        world_expire(order); /* what is not known is not given up, whatever the hold says */
        while (world_step())
                ;
        assert_int_equal(world_order_state(order), ORDER_IS_PENDING);
        world_rest();
        assert_int_equal(world_order_state(order), ORDER_IS_CONFIRMED);
        world_explains_money();
}

static void an_alarm_is_raised_and_asking_goes_on(void **state) {
        (void)state;
        struct payment_start_command pay;
        unsigned long long alarms = log_alarms();
        purchase_id order = world_buy(&pay, 10, "timeout-charged:3600000");
        unsigned seconds = 0;
        for (; log_alarms() == alarms && seconds < 3600; seconds++) {
                while (world_step())
                        ;
                kit_clock_add(1000);
        }
        assert_true(seconds < 3600);
        assert_true(world_number("SELECT attempts FROM payment WHERE id = $1", order) > PAY_ATTEMPTS_MAX);
        assert_int_equal(world_order_state(order), ORDER_IS_PENDING);
        world_rest();
        assert_int_equal(world_order_state(order), ORDER_IS_CONFIRMED);
        world_explains_money();
}

static void a_knock_is_answered_before_its_time(void **state) {
        (void)state;
        struct payment_start_command pay;
        purchase_id order = world_buy(&pay, 10, "pending:300");
        while (world_step())
                ;
        assert_int_equal(world_payment_state(order), PAYMENT_IS_UNKNOWN);
        kit_clock_add(300); /* next_at is at 1000 */
        while (world_step())
                ;
        assert_int_equal(world_payment_state(order), PAYMENT_IS_UNKNOWN);
        for (int i = 0; i < 3000; i++) /* any number of times, also about nothing */
                payment_knock(world.payment, i % 3 == 0 ? order : i % 3 == 1 ? 424242 : 0);
        while (world_step())
                ;
        assert_int_equal(world_payment_state(order), PAYMENT_IS_PAID);
        world_rest();
        world_explains_money();
}

/* The provider has charged and knocks; what it says then overtakes its answer to the confirm. */
static void news_overtake_the_answer(void **state) {
        (void)state;
        struct payment_start_command pay;
        purchase_id order = world_buy(&pay, 10, "");
        struct pay_order asked = {.order = order, .account = BUYER, .amount = {2 * PRICE, "KRW"}};
        struct pay_result result;
        world.provider->confirm(world.provider, &asked, &result, 1);
        payment_knock(world.payment, order);
        kit_lane_run(world.lane); /* asks: the query waits behind the confirm */
        world_reverse_jobs();
        world_rest();
        assert_int_equal(pay.lane.outcome, PAYMENT_START_CONFIRMED);
        assert_int_equal(world_events(PAYMENT_CAPTURED, order), 1);
        world_explains_money();
}

/* --- late money --- */

static void lost_seats_give_the_money_back(void **state) {
        (void)state;
        struct payment_start_command pay;
        purchase_id order = world_buy(&pay, 10, "pending:2000");
        while (world_step())
                ;
        world_expire(order);
        world_take_seat(11);
        world_rest();
        assert_int_equal(pay.lane.outcome, PAYMENT_START_GIVEN_BACK);
        assert_int_equal(world_order_state(order), ORDER_IS_REFUNDED);
        assert_int_equal(world_number("SELECT count(*) FROM orders WHERE id = $1 AND reason = 'seats_lost'", order), 1);
        struct pay_fake_sums sums;
        pay_fake_sums(world.provider, &sums);
        assert_int_equal(sums.refunded, 2 * PRICE);
        world_explains_money();
}

static void money_for_a_cancelled_performance_goes_back(void **state) {
        (void)state;
        struct payment_start_command pay;
        purchase_id order = world_buy(&pay, 10, "pending:2000");
        while (world_step())
                ;
        world.schedule.cancelled = true;
        world_rest();
        assert_int_equal(pay.lane.outcome, PAYMENT_START_GIVEN_BACK);
        assert_int_equal(world_order_state(order), ORDER_IS_REFUNDED);
        assert_int_equal(world_events(ORDER_PAID, order), 0);
        world_explains_money();
}

/* A provider that says no and takes the money all the same, and tells so when asked again. */
static void (*honest_confirm)(struct pay_provider *, const struct pay_order *, struct pay_result *, size_t);

static void confirm_and_deny(struct pay_provider *provider, const struct pay_order *orders, struct pay_result *results,
                             size_t count) {
        honest_confirm(provider, orders, results, count);
        for (size_t i = 0; i < count; i++)
                results[i].answer = PAY_DECLINED;
}

static purchase_id buy_from_a_liar(struct payment_start_command *pay) {
        honest_confirm = world.provider->confirm;
        world.provider->confirm = confirm_and_deny;
        purchase_id order = world_buy(pay, 10, "");
        while (world_step())
                ;
        assert_int_equal(pay->lane.outcome, PAYMENT_START_DECLINED);
        assert_int_equal(world_order_state(order), ORDER_IS_CANCELLED);
        assert_int_equal(sum_of_charges(), 2 * PRICE);
        return order;
}

static void late_money_takes_the_same_seats_again(void **state) {
        (void)state;
        struct payment_start_command pay;
        purchase_id order = buy_from_a_liar(&pay);
        payment_knock(world.payment, order);
        kit_clock_add(1000);
        world_rest();
        assert_int_equal(world_order_state(order), ORDER_IS_CONFIRMED);
        assert_int_equal(world_tickets(order), 2);
        world_explains_money();
}

static void late_money_goes_back_when_the_seats_are_gone(void **state) {
        (void)state;
        struct payment_start_command pay;
        purchase_id order = buy_from_a_liar(&pay);
        world_take_seat(10);
        payment_knock(world.payment, order);
        kit_clock_add(1000);
        world_rest();
        assert_int_equal(world_order_state(order), ORDER_IS_REFUNDED);
        assert_int_equal(world_tickets(order), 0);
        world_explains_money();
}

/* --- crashes and faults --- */

/* A purchase with the trouble, and (if it may) a cancellation after it; crashes after so many steps, and again after
 * some more. Returns false when the story was over before the first crash. */
static bool story_with_crash(const char *trouble, unsigned first, unsigned second) {
        purchase_id order = world_hold(BUYER, 10);
        struct payment_start_command pay;
        unsigned steps = 0;
        bool crashed = false;
        world_order(BUYER, order);
        world_pay(&pay, order, trouble);
        for (bool gave_up = false; !crashed;) {
                if (steps++ == first) {
                        world_crash();
                        crashed = true;
                } else if (!world_step()) {
                        if (world.payment->store.open.count > 0)
                                kit_clock_add(1000);
                        else if (!gave_up && (gave_up = true))
                                world_cancel(BUYER, order);
                        else
                                break;
                }
        }
        for (unsigned i = 0; crashed && second > 0 && i < second; i++)
                if (!world_step())
                        kit_clock_add(1000);
        if (crashed && second > 0)
                world_crash();
        world_rest();
        world_explains_money();
        return crashed;
}

static void a_crash_after_any_step_loses_nothing(void **state) {
        static const unsigned seconds[] = {0, 2, 5}; /* steps until it crashes again; 0: it does not */
        for (int i = 0; i < TROUBLES; i++) {
                for (size_t again = 0; again < sizeof seconds / sizeof seconds[0]; again++) {
                        bool crashed = true;
                        for (unsigned first = 0; crashed; first++) {
                                crashed = story_with_crash(troubles[i], first, seconds[again]);
                                world_end(state);
                                world_begin(state);
                        }
                }
        }
}

/* The n-th call of the database fails, for every n; then the story goes on. */
static void a_fault_anywhere_loses_nothing(void **state) {
        static const int faults[] = {FAULT_STORAGE, FAULT_CONSTRAINT};
        for (int i = 0; i < TROUBLES; i += 2) {
                for (size_t kind = 0; kind < 2; kind++) {
                        bool struck = true;
                        for (unsigned n = 1; struck; n++) {
                                purchase_id order = world_hold(BUYER, 10);
                                struct payment_start_command pay;
                                kit_db_fault_arm(world.faulty, n, faults[kind]);
                                int made = world_order(BUYER, order);
                                assert_true(made == ORDER_CREATE_MADE || made == faults[kind]);
                                int paid = world_pay(&pay, order, troubles[i]);
                                assert_true(paid == LANE_WAIT || made < 0 ? true : paid == faults[kind]);
                                world_rest();
                                struck = kit_db_fault_struck(world.faulty);
                                kit_db_fault_arm(world.faulty, 0, 0);
                                world_rest();
                                world_explains_money();
                                world_end(state);
                                world_begin(state);
                        }
                }
        }
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, world_begin, world_end)

int main(void) {
        const struct CMUnitTest tests[] = {
                WORLD_TEST(paying_ends_with_tickets),
                WORLD_TEST(many_are_bought_in_one_turn),
                WORLD_TEST(two_clicks_in_one_turn_pay_once),
                WORLD_TEST(keys_are_remembered),
                WORLD_TEST(orders_are_their_buyers_only),
                WORLD_TEST(the_sale_has_to_be_on),
                WORLD_TEST(orders_come_in_pages),
                WORLD_TEST(a_pending_order_can_be_given_up),
                WORLD_TEST(what_is_being_paid_cannot_be_given_up),
                WORLD_TEST(a_confirmed_order_is_given_back_by_the_rule),
                WORLD_TEST(a_rule_that_gives_nothing_back_asks_nobody),
                WORLD_TEST(an_expired_hold_ends_its_order),
                WORLD_TEST(every_trouble_ends),
                WORLD_TEST(a_long_wait_is_told_and_ends_all_the_same),
                WORLD_TEST(an_alarm_is_raised_and_asking_goes_on),
                WORLD_TEST(a_knock_is_answered_before_its_time),
                WORLD_TEST(news_overtake_the_answer),
                WORLD_TEST(lost_seats_give_the_money_back),
                WORLD_TEST(money_for_a_cancelled_performance_goes_back),
                WORLD_TEST(late_money_takes_the_same_seats_again),
                WORLD_TEST(late_money_goes_back_when_the_seats_are_gone),
                WORLD_TEST(a_crash_after_any_step_loses_nothing),
                WORLD_TEST(a_fault_anywhere_loses_nothing),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
