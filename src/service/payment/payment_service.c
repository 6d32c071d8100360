/* payment_service.c: the use cases of payments: start, hear the provider's answers, give back, reconcile.
 *
 * Only the lane's thread comes here, but for two functions that say so: call_run (a worker's) and payment_knock (any).
 */
#include "service/payment/payment_service.h"

#include <stdlib.h>

#include "base/json_writer.h"
#include "base/log.h"
#include "base/metrics.h"

static struct metric answers[] = {
        {.name = "ticketrush_payments_total",
         .help = "Payments that came to an end, by how.",
         .labels = "end=\"paid\"",
         .kind = METRIC_COUNTER},
        {.name = "ticketrush_payments_total",
         .help = "Payments that came to an end, by how.",
         .labels = "end=\"declined\"",
         .kind = METRIC_COUNTER},
        {.name = "ticketrush_payments_total",
         .help = "Payments that came to an end, by how.",
         .labels = "end=\"refunded\"",
         .kind = METRIC_COUNTER},
};
static struct metric open_payments = {.name = "ticketrush_payments_open",
                                      .help = "Payments about which the provider still has to be asked.",
                                      .kind = METRIC_GAUGE};

/* --- asking --- */

static int note_question(struct payment *payment, const struct payment_row *row, enum payment_question question) {
        struct payment_notes *notes = &payment->notes[question];
        if (notes->count == notes->capacity) {
                size_t capacity = notes->capacity ? notes->capacity * 2 : 64;
                struct pay_order *orders = reallocarray(notes->orders, capacity, sizeof *orders);
                if (!orders)
                        return -ENOMEM;
                notes->orders = orders;
                notes->capacity = capacity;
        }
        struct pay_order *order = &notes->orders[notes->count++];
        *order = (struct pay_order){.order = row->id, .account = row->account, .amount = row->amount};
        if (question == PAYMENT_ASK_REFUND)
                order->amount.amount = row->refund_amount;
        memcpy(order->token, row->token, sizeof order->token);
        return 0;
}

static void wait_until(struct payment *payment, struct payment_row *row, int64_t at) {
        row->next_at = at;
        if (at < payment->soonest)
                payment->soonest = at;
}

static struct payment_call *call_take(struct payment *payment) {
        pthread_mutex_lock(&payment->lock);
        struct payment_call *call = payment->free_calls;
        if (call)
                payment->free_calls = call->next_free;
        pthread_mutex_unlock(&payment->lock);
        return call ? call : malloc(sizeof *call);
}

static void call_give_back(struct payment *payment, struct payment_call *call) {
        pthread_mutex_lock(&payment->lock);
        call->next_free = payment->free_calls;
        payment->free_calls = call;
        pthread_mutex_unlock(&payment->lock);
}

/* On a worker's thread. */
static void call_run(struct worker_job *job) {
        struct payment_call *call = (struct payment_call *)(void *)((char *)job - offsetof(struct payment_call, job));
        struct payment *payment = call->payment;
        struct pay_provider *provider = payment->provider;
        switch (call->question) {
        case PAYMENT_ASK_CONFIRM:
                provider->confirm(provider, call->orders, call->results, call->count);
                break;
        case PAYMENT_ASK_QUERY:
                provider->query(provider, call->orders, call->results, call->count);
                break;
        case PAYMENT_ASK_REFUND:
                provider->refund(provider, call->orders, call->results, call->count);
                break;
        case PAYMENT_ASK_NOTHING:
        case PAYMENT_QUESTIONS:
                IMPOSSIBLE("a call without a question");
        }
        if (lane_submit(payment->lane, &call->lane) == 0)
                return;
        for (size_t i = 0; i < call->count; i++)
                payment_knock(payment, call->orders[i].order);
        call_give_back(payment, call);
}

/* Something on our side failed: the reconciler comes back to those that are still open. */
static void retry_later(struct payment *payment, const struct pay_order *orders, size_t count) {
        int64_t retry_at = payment->clock->now_ms(payment->clock) + PAYMENT_RETRY_MS;
        for (size_t i = 0; i < count; i++) {
                struct payment_row *row = payment_store_open(&payment->store, orders[i].order);
                if (row)
                        wait_until(payment, row, retry_at);
        }
}

/* On the lane's thread, after the outcome has been stored, or could not be. */
static void call_done(struct lane_command *command) {
        struct payment_call *call = (struct payment_call *)(void *)command;
        if (command->fault)
                retry_later(call->payment, call->orders, call->count);
        call_give_back(call->payment, call);
}

static int hear_answers(void *service, struct turn *turn, struct lane_command **commands, size_t count);
static const struct lane_kind outcome_kind = {.name = "payment.outcome", .rank = 10, .run = hear_answers};

static void hand_out(struct payment *payment, enum payment_question question, const struct pay_order *orders,
                     size_t count) {
        struct payment_call *call = call_take(payment);
        if (call) {
                call->lane = (struct lane_command){.kind = &outcome_kind, .service = payment, .done = call_done};
                call->job.run = call_run;
                call->payment = payment;
                call->question = question;
                call->count = count;
                memcpy(call->orders, orders, count * sizeof *orders);
                if (workers_submit(payment->workers, &call->job) == 0)
                        return;
                call_give_back(payment, call);
        }
        retry_later(payment, orders, count);
}

static void payment_committed(void *service) {
        struct payment *payment = service;
        metric_set(&open_payments, (int64_t)payment->store.open.count);
        for (unsigned question = PAYMENT_ASK_CONFIRM; question < PAYMENT_QUESTIONS; question++) {
                struct payment_notes *notes = &payment->notes[question];
                /* Every worker gets its part, so that one slow answer does not hold up everybody's. */
                size_t share = (notes->count + payment->worker_count - 1) / payment->worker_count;
                if (share < PAYMENT_CALL_WHOLE)
                        share = PAYMENT_CALL_WHOLE;
                if (share > PAY_BATCH_MAX)
                        share = PAY_BATCH_MAX;
                for (size_t i = 0; i < notes->count; i += share)
                        hand_out(payment, (enum payment_question)question, notes->orders + i,
                                 notes->count - i < share ? notes->count - i : share);
                notes->count = 0;
        }
}

static int payment_rolled_back(void *service, struct db *db) {
        struct payment *payment = service;
        for (unsigned question = 0; question < PAYMENT_QUESTIONS; question++)
                payment->notes[question].count = 0;
        payment->soonest = 0; /* not known any more: the next look finds it */
        payment->quiet_until = payment->clock->now_ms(payment->clock) + PAYMENT_RETRY_MS;
        return payment_store_reload(&payment->store, db);
}

/* --- changing --- */

static int say(struct turn *turn, const struct payment_row *row, unsigned type, uint64_t cause, struct text payload) {
        struct event event = {.type = type,
                              .schedule = row->schedule,
                              .subject = row->id,
                              .account = row->account,
                              .cause = cause,
                              .payload = payload};
        return turn_say(turn, &event);
}

/* {"amount":…,"currency":…,"code":…} for whoever reads the journal from outside. */
static int tell(struct turn *turn, const struct payment_row *row, unsigned type, uint64_t cause) {
        enum { PAYLOAD_BYTES = 512 };
        char payload[PAYLOAD_BYTES];
        struct buffer buffer = {.at = payload, .capacity = PAYLOAD_BYTES, .max_bytes = PAYLOAD_BYTES};
        struct json_writer json;
        json_begin(&json, &buffer);
        json_object(&json, NULL);
        json_number(&json, "amount", type == PAYMENT_REFUNDED ? row->refund_amount : row->amount.amount);
        json_string(&json, "currency", row->amount.currency);
        if (type == PAYMENT_DECLINED)
                json_string(&json, "code", row->code);
        json_object_end(&json);
        return say(turn, row, type, cause, buffer_text(&buffer));
}

static void count_end(enum payment_state state) {
        if (state == PAYMENT_IS_PAID)
                metric_add(&answers[0], 1);
        else if (state == PAYMENT_IS_DECLINED)
                metric_add(&answers[1], 1);
        else if (state == PAYMENT_IS_REFUNDED)
                metric_add(&answers[2], 1);
}

static void move(struct payment_row *row, enum payment_state to, int64_t now) {
        PRE(fsm_may(&payment_fsm, row->state, to));
        row->state = to;
        row->updated_at = now;
}

/* The rows changed by a use case, each once. */
struct changes {
        struct payment_row **rows;
        size_t count;
};

static void changes_add(struct changes *changes, struct payment_row *row) {
        if (!row->changed)
                changes->rows[changes->count++] = row;
        row->changed = true;
}

static int changes_save(struct payment *payment, struct turn *turn, struct changes *changes) {
        return changes->count > 0 ? payment_store_update(&payment->store, turn, changes->rows, changes->count) : 0;
}

/* --- starting --- */

static enum payment_start_outcome start_decide(const struct payment_start_command *command, const struct order *order,
                                               const struct payment_row *row) {
        struct payment_start_facts facts = {.found = order->id != 0 && order->account == command->account};
        if (facts.found) {
                facts.order_confirmed = order->state == ORDER_IS_CONFIRMED;
                facts.order_cancelled = order->state == ORDER_IS_CANCELLED;
                facts.order_refunded = order->state == ORDER_IS_REFUNDING || order->state == ORDER_IS_REFUNDED;
                facts.order_pending = order->state == ORDER_IS_PENDING;
        }
        if (row) {
                facts.exists = true;
                facts.state = row->state;
                facts.key_reused = command->idempotency.key != 0 && command->idempotency.key == row->idempotency.key &&
                                   command->idempotency.fingerprint != row->idempotency.fingerprint;
        }
        return payment_start_decide(&facts);
}

static struct payment_row row_of(const struct payment_start_command *command, const struct order *order, int64_t now) {
        struct payment_row row = {.id = order->id,
                                  .schedule = order->schedule,
                                  .account = order->account,
                                  .state = PAYMENT_IS_READY,
                                  .attempts = 1,
                                  .amount = order->amount,
                                  .next_at = now + PAYMENT_PATIENCE_MS,
                                  .created_at = now,
                                  .idempotency = command->idempotency};
        PRE(command->token.length < sizeof row.token);
        if (command->token.length > 0)
                memcpy(row.token, command->token.at, command->token.length);
        move(&row, PAYMENT_IS_CONFIRMING, now);
        return row;
}

/* The orders that the commands name, each once, and their payments; commands[i] is about orders[places[i]]. */
struct start_batch {
        struct order *orders;
        struct payment_row **rows;
        size_t *places;
        size_t count; /* distinct orders */
};

static int start_load(struct payment *payment, struct turn *turn, struct payment_start_command *const *commands,
                      size_t count, struct start_batch *ret_batch) {
        purchase_id *ids = arena_take(turn->arena, count * sizeof *ids);
        struct start_batch batch = {
                .orders = arena_take(turn->arena, count * sizeof *batch.orders),
                .rows = arena_take(turn->arena, count * sizeof *batch.rows),
                .places = arena_take(turn->arena, count * sizeof *batch.places),
        };
        if (!ids || !batch.orders || !batch.rows || !batch.places)
                return -ENOMEM;
        map_clear(&payment->places);
        for (size_t i = 0; i < count; i++) {
                const uint64_t *place = map_find(&payment->places, commands[i]->order);
                batch.places[i] = place ? *place : batch.count;
                if (place)
                        continue;
                int fault = map_put(&payment->places, commands[i]->order, batch.count);
                if (fault)
                        return fault;
                ids[batch.count++] = commands[i]->order;
        }
        int fault = order_read_many(payment->orders, turn, ids, batch.orders, batch.count);
        if (!fault)
                fault = payment_store_find(&payment->store, turn, ids, batch.rows, batch.count);
        if (!fault)
                *ret_batch = batch;
        return fault;
}

static int start_one(struct payment *payment, struct turn *turn, struct payment_start_command *command,
                     const struct order *order, struct payment_row *row) {
        *row = row_of(command, order, turn->now);
        wait_until(payment, row, row->next_at);
        command->lane.outcome = LANE_WAIT;
        command->lane.wait_key = order->id;
        command->lane.wait_until = turn->now + PAY_WAIT_SECONDS * 1000;
        int fault = say(turn, row, PAYMENT_STARTED, 0, TEXT("{}"));
        return fault ? fault : note_question(payment, row, PAYMENT_ASK_CONFIRM);
}

static int payment_start(void *service, struct turn *turn, struct lane_command **given, size_t count) {
        struct payment *payment = service;
        struct payment_start_command *const *commands = (struct payment_start_command *const *)(void *)given;
        struct start_batch batch = {0};
        struct payment_row *started = arena_take(turn->arena, count * sizeof *started);
        size_t started_count = 0;
        int fault = started ? start_load(payment, turn, commands, count, &batch) : -ENOMEM;
        for (size_t i = 0; !fault && i < count; i++) {
                const struct order *order = &batch.orders[batch.places[i]];
                struct payment_row **row = &batch.rows[batch.places[i]];
                enum payment_start_outcome outcome = start_decide(commands[i], order, *row);
                commands[i]->lane.outcome = (int)outcome;
                commands[i]->seat_count = outcome == PAYMENT_START_NOT_FOUND ? 0 : order->seat_count;
                if (outcome != PAYMENT_START_WAITS)
                        continue;
                *row = &started[started_count++];
                fault = start_one(payment, turn, commands[i], order, *row);
        }
        if (!fault && started_count > 0)
                fault = payment_store_insert(&payment->store, turn, started, started_count);
        return fault;
}
const struct lane_kind payment_start_kind = {.name = "payment.start", .rank = 60, .run = payment_start};

/* --- hearing --- */

static enum payment_word word_of(enum pay_answer answer) {
        switch (answer) {
        case PAY_APPROVED:
                return PAYMENT_WORD_TAKEN;
        case PAY_DECLINED:
                return PAYMENT_WORD_REFUSED;
        case PAY_PENDING:
        case PAY_UNKNOWN:
                return PAYMENT_WORD_OPEN;
        case PAY_NOT_FOUND:
                return PAYMENT_WORD_ABSENT;
        case PAY_REFUNDED:
                return PAYMENT_WORD_RETURNED;
        }
        return PAYMENT_WORD_OPEN; /* an adapter that says what it may not say has proved nothing */
}

/* Approving a refund means that the money has gone back. */
static enum payment_word word_to(enum payment_question question, enum pay_answer answer) {
        if (question == PAYMENT_ASK_REFUND && answer == PAY_APPROVED)
                return PAYMENT_WORD_RETURNED;
        return word_of(answer);
}

static int hear_answer(struct payment *payment, struct turn *turn, struct payment_row *row,
                       enum payment_question question, const struct pay_result *result, struct changes *changes) {
        struct payment_change change = payment_hears(row->state, question, word_to(question, result->answer));
        if (!change.happens)
                return 0;
        move(row, change.to, turn->now);
        memcpy(row->code, result->code, sizeof row->code);
        if (*result->reference)
                memcpy(row->reference, result->reference, sizeof row->reference);
        row->code[sizeof row->code - 1] = row->reference[sizeof row->reference - 1] = '\0';
        changes_add(changes, row);
        count_end(row->state);
        if (change.waits)
                wait_until(payment, row, turn->now + payment_backoff_ms(row->attempts));
        int fault = 0;
        if (change.asks) {
                wait_until(payment, row, turn->now + PAYMENT_PATIENCE_MS);
                fault = note_question(payment, row, change.asks);
        }
        if (!fault && change.says)
                fault = tell(turn, row, change.says, 0);
        return fault;
}

/* Answers about payments that are not open (any more), from the database: each once, in payment->places. */
static int find_strays(struct payment *payment, struct turn *turn, struct lane_command **commands, size_t count,
                       size_t answer_count, struct payment_row ***ret_rows) {
        purchase_id *ids = arena_take(turn->arena, answer_count * sizeof *ids);
        struct payment_row **rows = arena_take(turn->arena, answer_count * sizeof *rows);
        if (!ids || !rows)
                return -ENOMEM;
        size_t stray_count = 0;
        map_clear(&payment->places);
        for (size_t i = 0; i < count; i++) {
                const struct payment_call *call = (const struct payment_call *)(const void *)commands[i];
                for (size_t j = 0; j < call->count; j++) {
                        purchase_id id = call->orders[j].order;
                        if (payment_store_open(&payment->store, id) || map_find(&payment->places, id))
                                continue;
                        int fault = map_put(&payment->places, id, stray_count);
                        if (fault)
                                return fault;
                        ids[stray_count++] = id;
                }
        }
        *ret_rows = rows;
        return stray_count > 0 ? payment_store_find(&payment->store, turn, ids, rows, stray_count) : 0;
}

/* The command payment.outcome: what workers heard. */
static int hear_answers(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        struct payment *payment = service;
        size_t answer_count = 0;
        for (size_t i = 0; i < count; i++)
                answer_count += ((const struct payment_call *)(const void *)commands[i])->count;
        struct payment_row **strays = NULL;
        struct changes changes = {.rows = arena_take(turn->arena, answer_count * sizeof *changes.rows)};
        int fault = changes.rows ? find_strays(payment, turn, commands, count, answer_count, &strays) : -ENOMEM;
        for (size_t i = 0; !fault && i < count; i++) {
                const struct payment_call *call = (const struct payment_call *)(const void *)commands[i];
                for (size_t j = 0; !fault && j < call->count; j++) {
                        const uint64_t *place = map_find(&payment->places, call->orders[j].order);
                        struct payment_row *row =
                                place ? strays[*place] : payment_store_open(&payment->store, call->orders[j].order);
                        if (row)
                                fault = hear_answer(payment, turn, row, call->question, &call->results[j], &changes);
                }
                commands[i]->outcome = 1;
        }
        return fault ? fault : changes_save(payment, turn, &changes);
}

/* --- giving back --- */

static int give_back(struct payment *payment, struct turn *turn, struct payment_row *row, const struct order *order,
                     const struct event *event, struct changes *changes) {
        if (row->state == PAYMENT_IS_REFUNDING || row->state == PAYMENT_IS_REFUND_UNKNOWN ||
            row->state == PAYMENT_IS_REFUNDED)
                return 0;
        if (row->state != PAYMENT_IS_PAID) {
                log_write(LOG_ALARM, "payment.refund",
                          "order %llu is to be given back, but its payment is %s: look at both",
                          (unsigned long long)row->id, fsm_state_name(&payment_fsm, row->state));
                return 0;
        }
        move(row, PAYMENT_IS_REFUNDING, turn->now);
        row->refund_amount = order->refund_amount;
        row->attempts = 1;
        changes_add(changes, row);
        if (row->refund_amount > 0) {
                wait_until(payment, row, turn->now + PAYMENT_PATIENCE_MS);
                return note_question(payment, row, PAYMENT_ASK_REFUND);
        }
        move(row, PAYMENT_IS_REFUNDED, turn->now); /* by the event's rule nothing goes back: nobody to ask */
        return tell(turn, row, PAYMENT_REFUNDED, event->id);
}

/* The consumer "payment": order.refunding. An order is refunded once, so every event has its own payment. */
static int payment_consume(void *service, struct turn *turn, const struct event *const *events, size_t count) {
        struct payment *payment = service;
        purchase_id *ids = arena_take(turn->arena, count * sizeof *ids);
        struct order *orders = arena_take(turn->arena, count * sizeof *orders);
        struct payment_row **rows = arena_take(turn->arena, count * sizeof *rows);
        struct changes changes = {.rows = arena_take(turn->arena, count * sizeof *changes.rows)};
        if (!ids || !orders || !rows || !changes.rows)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++)
                ids[i] = events[i]->subject;
        int fault = order_read_many(payment->orders, turn, ids, orders, count);
        if (!fault)
                fault = payment_store_find(&payment->store, turn, ids, rows, count);
        for (size_t i = 0; !fault && i < count; i++)
                if (rows[i] && orders[i].id != 0)
                        fault = give_back(payment, turn, rows[i], &orders[i], events[i], &changes);
        return fault ? fault : changes_save(payment, turn, &changes);
}

/* --- reconciling --- */

void payment_knock(void *context, purchase_id order) {
        struct payment *payment = context;
        pthread_mutex_lock(&payment->lock);
        size_t count = atomic_load_explicit(&payment->knock_count, memory_order_relaxed);
        if (count < PAYMENT_KNOCKS_MAX) {
                payment->knocks[count] = order;
                atomic_store_explicit(&payment->knock_count, count + 1, memory_order_release);
        }
        pthread_mutex_unlock(&payment->lock);
        lane_nudge(payment->lane);
}

static int64_t payment_due(void *service) {
        struct payment *payment = service;
        bool knocked = atomic_load_explicit(&payment->knock_count, memory_order_acquire) > 0;
        int64_t at = knocked ? 0 : payment->soonest;
        if (at == INT64_MAX)
                return at;
        int64_t earliest = payment->looked_at + PAYMENT_LOOK_MS;
        if (payment->quiet_until > earliest)
                earliest = payment->quiet_until;
        return at > earliest ? at : earliest;
}

static int ask_again(struct payment *payment, struct turn *turn, struct payment_row *row, struct changes *changes) {
        enum payment_state to;
        enum payment_question question = payment_next_question(row->state, &to);
        if (row->attempts >= PAY_ATTEMPTS_MAX)
                log_write(LOG_ALARM, "payment.unresolved",
                          "payment of order %llu is %s after %u questions to %s (last: %s); asking on",
                          (unsigned long long)row->id, fsm_state_name(&payment_fsm, row->state), row->attempts,
                          payment->provider->name, row->code);
        move(row, to, turn->now);
        row->attempts++;
        int64_t pause = payment_backoff_ms(row->attempts);
        wait_until(payment, row, turn->now + (pause > PAYMENT_PATIENCE_MS ? pause : PAYMENT_PATIENCE_MS));
        changes_add(changes, row);
        return note_question(payment, row, question);
}

/* A provider knows something new. About a payment that is open: ask now. About one that was declined: ask as well, it
 * may have taken money after all. The row is not changed by asking. */
static int answer_knocks(struct payment *payment, struct turn *turn, struct changes *changes, size_t room) {
        purchase_id *ids = arena_take(turn->arena, PAYMENT_KNOCKS_MAX * sizeof *ids);
        struct payment_row **rows = arena_take(turn->arena, PAYMENT_KNOCKS_MAX * sizeof *rows);
        if (!ids || !rows)
                return -ENOMEM;
        pthread_mutex_lock(&payment->lock);
        size_t knocks = atomic_load_explicit(&payment->knock_count, memory_order_relaxed), count = 0;
        map_clear(&payment->places);
        int fault = 0;
        for (size_t i = 0; !fault && i < knocks; i++) {
                if (payment->knocks[i] == 0 || map_find(&payment->places, payment->knocks[i]))
                        continue;
                ids[count++] = payment->knocks[i];
                fault = map_put(&payment->places, payment->knocks[i], 1);
        }
        atomic_store_explicit(&payment->knock_count, 0, memory_order_relaxed);
        pthread_mutex_unlock(&payment->lock);
        if (!fault && count > 0)
                fault = payment_store_find(&payment->store, turn, ids, rows, count);
        for (size_t i = 0; !fault && i < count; i++) {
                if (!rows[i])
                        continue;
                if (rows[i]->state == PAYMENT_IS_DECLINED)
                        fault = note_question(payment, rows[i], PAYMENT_ASK_QUERY);
                else if (payment_is_open(rows[i]->state) && changes->count < room)
                        fault = ask_again(payment, turn, rows[i], changes);
        }
        return fault;
}

static int payment_tick(void *service, struct turn *turn) {
        struct payment *payment = service;
        if (payment_due(payment) > turn->now)
                return 0;
        struct changes changes = {.rows = arena_take(turn->arena, PAYMENT_LOOKS_MAX * sizeof *changes.rows)};
        if (!changes.rows)
                return -ENOMEM;
        payment->looked_at = turn->now;
        int fault = answer_knocks(payment, turn, &changes, PAYMENT_LOOKS_MAX);
        if (!fault && payment->soonest <= turn->now) {
                payment->soonest = INT64_MAX;
                struct map_entry entry;
                for (size_t i = 0; !fault && (i = map_next(&payment->store.open, i, &entry)) != 0;) {
                        struct payment_row *row = (struct payment_row *)(uintptr_t)entry.value;
                        if (row->next_at <= turn->now && !row->changed && changes.count < PAYMENT_LOOKS_MAX)
                                fault = ask_again(payment, turn, row, &changes);
                        else if (row->next_at < payment->soonest)
                                payment->soonest = row->next_at;
                }
        }
        return fault ? fault : changes_save(payment, turn, &changes);
}

/* --- looking --- */

int payment_look(struct payment *payment, struct turn *turn, purchase_id order, struct payment_view *ret_view) {
        struct payment_row *row = NULL;
        int fault = payment_store_find(&payment->store, turn, &order, &row, 1);
        if (fault)
                return fault;
        *ret_view = (struct payment_view){.exists = row != NULL};
        if (row) {
                ret_view->state = row->state;
                ret_view->updated_at = row->updated_at;
                memcpy(ret_view->code, row->code, sizeof ret_view->code);
        }
        return 0;
}

int payment_is_under_way(struct payment *payment, struct turn *turn, purchase_id order) {
        struct payment_view view;
        int fault = payment_look(payment, turn, order, &view);
        if (fault)
                return fault;
        /* PAID: the money is there, the order only has not heard of it yet. */
        return view.exists && (payment_is_taking(view.state) || view.state == PAYMENT_IS_PAID);
}

/* --- life --- */

static int payment_begin(struct payment *payment, const struct payment_config *config) {
        for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
                metrics_register(&answers[i]);
        metrics_register(&open_payments);
        int fault = payment_store_init(&payment->store, config->provider->name);
        if (!fault)
                fault = payment_store_reload(&payment->store, lane_db(config->lane));
        if (!fault)
                fault = lane_add_consumer(config->lane, &(struct lane_consumer){.name = "payment",
                                                                                .service = payment,
                                                                                .types = EVENT_BIT(ORDER_REFUNDING),
                                                                                .consume = payment_consume});
        if (!fault)
                fault = workers_new(&payment->workers, "pay", payment->worker_count, PAYMENT_CALLS_QUEUED_MAX);
        struct map_entry entry;
        /* Nobody knows what became of the questions of an earlier run: ask about every open payment now. */
        for (size_t i = 0; !fault && (i = map_next(&payment->store.open, i, &entry)) != 0;)
                wait_until(payment, (struct payment_row *)(uintptr_t)entry.value, 0);
        metric_set(&open_payments, (int64_t)payment->store.open.count);
        return fault;
}

int payment_new(struct payment **ret_payment, const struct payment_config *config) {
        struct payment *payment = calloc(1, sizeof *payment);
        if (!payment)
                return -ENOMEM;
        *payment = (struct payment){.lane = config->lane,
                                    .clock = config->clock,
                                    .orders = config->orders,
                                    .provider = config->provider,
                                    .worker_count = config->workers > 0 ? config->workers : 1,
                                    .soonest = INT64_MAX};
        pthread_mutex_init(&payment->lock, NULL);
        map_init(&payment->places);
        int fault = payment_begin(payment, config);
        if (fault) {
                payment_free(payment);
                return fault;
        }
        payment->provider->notify = payment_knock;
        payment->provider->notify_context = payment;
        lane_add_room(config->lane, &(struct lane_room){.name = "payment",
                                                        .service = payment,
                                                        .due = payment_due,
                                                        .tick = payment_tick,
                                                        .committed = payment_committed,
                                                        .rolled_back = payment_rolled_back});
        *ret_payment = payment;
        return 0;
}

struct payment *payment_free(struct payment *payment) {
        if (!payment)
                return NULL;
        payment->workers = workers_free(payment->workers);
        if (payment->provider->notify_context == payment)
                payment->provider->notify = NULL;
        while (payment->free_calls) {
                struct payment_call *call = payment->free_calls;
                payment->free_calls = call->next_free;
                free(call);
        }
        payment_store_deinit(&payment->store);
        map_deinit(&payment->places);
        for (unsigned question = 0; question < PAYMENT_QUESTIONS; question++)
                free(payment->notes[question].orders);
        pthread_mutex_destroy(&payment->lock);
        free(payment);
        return NULL;
}
