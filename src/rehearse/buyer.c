/* buyer.c: what a buyer says and hears, step by step.
 *
 *   sign in │ enter ─► line (polls) ─► pass ─► hold ─► [change] ─► order ─► pay ─► (asks) ─► tickets
 *                                                 └─► gives up: release ─► leave
 *
 * Each step is a row of `forms`: how its request looks and who hears its answer. A hearing tells the next step and how
 * long to wait before it. What is the same for all steps stands in buyer_hear: full servers, lost connections, commands
 * that are sent twice. */
#include <stdio.h>
#include <stdlib.h>

#include "adapter/system/clock_system.h"
#include "base/assert.h"
#include "rehearse/crowd.h"
#include "rehearse/json_scan.h"
#include "rehearse/scene.h"

enum {
        REQUEST_BYTES = 4096,
        TRIES_MAX = 250, /* of a step that the server puts off, or of finding free seats */
        LOST_MAX = 3,
        LOOK_AGAIN_MS = 150, /* for free seats */
        ASK_ORDER_MS = 300,
        ERRORS_TOLD = 5,
};

/* Where to go now, and when. */
struct move {
        enum step next;
        int64_t after_us;
};

#define GO(step) ((struct move){(step), 0})

enum of { OF_NOTHING, OF_SCHEDULE, OF_EVENT, OF_HOLD, OF_ORDER };
enum body { BODY_NONE, BODY_EMPTY, BODY_SEATS, BODY_OTHER_SEATS, BODY_FIXED_SEATS, BODY_HOLD };

struct form {
        const char *name, *start, *end; /* of the request line, around the id */
        enum of of;
        enum body body;
        bool key, pass;
        struct move (*heard)(struct crowd *crowd, uint32_t who, const struct http_answer *answer);
};

static const struct form forms[STEPS];

/* --- small parts --- */

static struct buyer *buyer_of(struct crowd *crowd, uint32_t who) {
        return &crowd->buyers[who];
}
static uint32_t *seats_of(struct crowd *crowd, uint32_t who) {
        return crowd->seats + (size_t)who * 2 * crowd->seats_each;
}
static uint32_t *other_seats_of(struct crowd *crowd, uint32_t who) {
        return seats_of(crowd, who) + crowd->seats_each;
}
static bool is_good(const struct http_answer *answer) {
        return answer->status >= 200 && answer->status < 300;
}

static bool has_code(const struct http_answer *answer, const char *code) {
        return text_equal(json_member(answer->body, "code"), text_of(code));
}

/* Between three quarters and the whole of it, so that waiters do not march in step. */
static int64_t jittered_us(struct crowd *crowd, int64_t ms) {
        return ms * 750 + (int64_t)(crowd_random(crowd) % (uint64_t)(ms * 250 + 1));
}

static struct move later(struct crowd *crowd, enum step step, int64_t ms) {
        return (struct move){step, jittered_us(crowd, ms)};
}

static void tell_error(struct crowd *crowd, uint32_t who, const struct http_answer *answer, const char *why) {
        char line[256];
        struct text code = json_member(answer->body, "code"), detail = json_member(answer->body, "detail");
        snprintf(line, sizeof line, "buyer %u, %s: %s; status %d %.*s %.*s", who,
                 forms[buyer_of(crowd, who)->step].name, why, answer->status, (int)code.length, code.at,
                 (int)(detail.length < 120 ? detail.length : 120), detail.at);
        if (crowd->counts.errors++ == 0)
                memcpy(crowd->first_error, line, sizeof line);
        if (crowd->counts.errors <= ERRORS_TOLD)
                fprintf(stderr, "rehearse: %s\n", line);
}

static struct move error(struct crowd *crowd, uint32_t who, const struct http_answer *answer, const char *why) {
        tell_error(crowd, who, answer, why);
        return GO(STEP_OVER);
}

static struct move go_home(struct crowd *crowd, uint32_t who) {
        struct buyer *buyer = buyer_of(crowd, who);
        crowd->counts.went_home++;
        return GO(buyer->has_pass && !crowd->deadline_us ? STEP_LEAVE : STEP_OVER);
}

static void drop_claim(struct crowd *crowd, uint32_t who, bool known_free) {
        struct buyer *buyer = buyer_of(crowd, who);
        if (buyer->has_claim)
                seat_choice_drop(&crowd->choice, seats_of(crowd, who), crowd->seats_each, known_free);
        buyer->has_claim = false;
}

static void acknowledge(struct crowd *crowd, uint32_t who, struct ack ack) {
        ack.account = crowd->accounts[who];
        acks_add(crowd->acks, &ack);
}

void buyer_cast(const struct crowd *crowd, uint32_t who, struct buyer *buyer) {
        const struct rehearse_options *options = crowd->options;
        static const uint8_t commands[] = {STEP_HOLD, STEP_ORDER, STEP_PAY};
        static const uint8_t abandons[] = {ABANDON_PASS, ABANDON_HOLD, ABANDON_POLITELY};
        uint64_t base = mix_random((uint64_t)options->seed, who);
        uint64_t dice[6];
        for (unsigned i = 0; i < 6; i++)
                dice[i] = mix_random(base, i);
        *buyer = (struct buyer){.next = NOBODY, .double_step = STEPS, .retry_step = STEPS};
        if (options->mode != MODE_PURCHASE)
                return;
        if (dice[0] % 1000 < (uint64_t)options->share_abandon)
                buyer->abandon = abandons[dice[5] % 3];
        if (dice[1] % 1000 < (uint64_t)options->share_double_click)
                buyer->double_step = commands[dice[5] / 3 % 3];
        if (dice[2] % 1000 < (uint64_t)options->share_retry)
                buyer->retry_step = commands[dice[5] / 9 % 3];
        buyer->change = dice[3] % 1000 < (uint64_t)options->share_change;
        buyer->clash = dice[4] % 1000 < (uint64_t)options->share_clash;
}

/* --- writing a request --- */

struct request_text {
        size_t length;
        char at[REQUEST_BYTES];
};

static void put(struct request_text *request, struct text text) {
        INVARIANT(request->length + text.length <= sizeof request->at);
        memcpy(request->at + request->length, text.at, text.length);
        request->length += text.length;
}

static void put_string(struct request_text *request, const char *string) {
        put(request, text_of(string));
}

static void put_number(struct request_text *request, uint64_t number) {
        char digits[TEXT_NUMBER_MAX];
        put(request, (struct text){digits, text_from_number(digits, (int64_t)number)});
}

static void put_id(struct request_text *request, const char *prefix, uint64_t id) {
        char text[ID_TEXT_MAX];
        put(request, (struct text){text, id_format(text, prefix, id)});
}

static void put_target(struct crowd *crowd, uint32_t who, const struct form *form, struct request_text *request) {
        put_string(request, form->start);
        if (form->of == OF_SCHEDULE)
                put_string(request, crowd->scene->schedule);
        else if (form->of == OF_EVENT)
                put_string(request, crowd->scene->event);
        else if (form->of == OF_HOLD)
                put_id(request, ID_HOLD, buyer_of(crowd, who)->purchase);
        else if (form->of == OF_ORDER)
                put_id(request, ID_ORDER, buyer_of(crowd, who)->purchase);
        put_string(request, form->end);
}

static void put_body(struct crowd *crowd, uint32_t who, enum body body, struct request_text *request) {
        struct request_text out = {0};
        const uint32_t *seats = body == BODY_OTHER_SEATS ? other_seats_of(crowd, who) : seats_of(crowd, who);
        if (body == BODY_HOLD) {
                put_string(&out, "{\"holdId\":\"");
                put_id(&out, ID_HOLD, buyer_of(crowd, who)->purchase);
                put_string(&out, "\"}");
        } else if (body == BODY_EMPTY) {
                put_string(&out, "{}");
        } else {
                put_string(&out, "{\"seats\":[");
                for (uint32_t i = 0; i < crowd->seats_each; i++) {
                        if (i)
                                put_string(&out, ",");
                        put_number(&out, body == BODY_FIXED_SEATS ? i : seats[i]);
                }
                put_string(&out, "]}");
        }
        put_string(request, "Content-Type: application/json\r\nContent-Length: ");
        put_number(request, out.length);
        put_string(request, "\r\n\r\n");
        put(request, (struct text){out.at, out.length});
}

/* The same for as long as the command is the same. */
static void put_key(struct crowd *crowd, uint32_t who, struct request_text *request) {
        char hex[2 * sizeof(uint64_t)];
        uint64_t number = mix_random(crowd->run, (uint64_t)who << 16 | buyer_of(crowd, who)->keys);
        text_hex(hex, &number, sizeof number);
        put_string(request, "Idempotency-Key: ");
        put(request, (struct text){hex, sizeof hex});
        put_string(request, "\r\n");
}

static void write_request(struct crowd *crowd, uint32_t who, struct request_text *request) {
        const struct buyer *buyer = buyer_of(crowd, who);
        const struct form *form = &forms[buyer->step];
        request->length = 0;
        put_target(crowd, who, form, request);
        put(request, buffer_text(&crowd->common));
        put(request, (struct text){crowd->tokens + who * crowd->token_length, crowd->token_length});
        put_string(request, "\r\n");
        bool without = buyer->step == STEP_HOPELESS && who % 2; /* every other one has no pass, the rest no seats */
        if (form->pass && buyer->has_pass && !without) {
                put_string(request, "X-Queue-Token: ");
                put(request, (struct text){crowd->passes + (size_t)who * PASS_LENGTH, PASS_LENGTH});
                put_string(request, "\r\n");
        }
        if (form->key)
                put_key(crowd, who, request);
        if (form->body != BODY_NONE)
                put_body(crowd, who, form->body, request);
        else
                put_string(request, form->start[0] == 'G' ? "\r\n" : "Content-Length: 0\r\n\r\n");
}

/* --- before a request --- */

void buyer_begin(struct crowd *crowd, uint32_t who, enum step step, int64_t now_us) {
        struct buyer *buyer = buyer_of(crowd, who);
        buyer->step = (uint8_t)step;
        buyer->wanted_us = now_us;
        buyer->succeeded = buyer->repeats = false;
        buyer->keys = (uint16_t)(buyer->keys + forms[step].key);
}

/* Picks seats for a hold; false: none are known to be free. */
static bool choose_seats(struct crowd *crowd, uint32_t who) {
        struct buyer *buyer = buyer_of(crowd, who);
        if (buyer->has_claim)
                return true;
        if (buyer->clash) {
                seat_choice_any(&crowd->choice, crowd->seats_each, crowd_random(crowd), seats_of(crowd, who));
                return true;
        }
        buyer->has_claim = seat_choice_take(&crowd->choice, crowd->seats_each, seats_of(crowd, who));
        return buyer->has_claim;
}

/* What keeps a buyer from asking: the sale is over for it, or there is nothing to choose. */
static bool holds_back(struct crowd *crowd, uint32_t who, int64_t now_us, struct move *ret_move) {
        struct buyer *buyer = buyer_of(crowd, who);
        if (crowd->deadline_us && now_us >= crowd->deadline_us) {
                *ret_move = GO(STEP_OVER);
                return true;
        }
        if (crowd->sold_out && (buyer->step == STEP_ENTER || buyer->step == STEP_LINE)) {
                *ret_move = go_home(crowd, who);
                return true;
        }
        if (buyer->step == STEP_CHANGE &&
            !seat_choice_take(&crowd->choice, crowd->seats_each, other_seats_of(crowd, who))) {
                *ret_move = GO(STEP_ORDER);
                return true;
        }
        if (buyer->step != STEP_HOLD || choose_seats(crowd, who))
                return false;
        crowd->board_wanted = true;
        bool give_up = crowd->sold_out || ++buyer->tries > TRIES_MAX;
        *ret_move = give_up ? go_home(crowd, who) : later(crowd, STEP_HOLD, LOOK_AGAIN_MS);
        return true;
}

static bool go_on(struct crowd *crowd, uint32_t who, struct engine_connection *connection, struct move move,
                  bool anew) {
        int64_t now = clock_monotonic_us();
        if (move.next == STEP_OVER) {
                crowd_over(crowd, who);
                return false;
        }
        if (anew)
                buyer_begin(crowd, who, move.next, now);
        if (!move.after_us)
                return buyer_ask(crowd, who, connection);
        crowd_wait(crowd, who, now + move.after_us);
        return false;
}

bool buyer_ask(struct crowd *crowd, uint32_t who, struct engine_connection *connection) {
        struct buyer *buyer = buyer_of(crowd, who);
        struct move move;
        if (!buyer->succeeded && holds_back(crowd, who, clock_monotonic_us(), &move))
                return go_on(crowd, who, connection, move, true);
        struct request_text request;
        write_request(crowd, who, &request);
        struct text bytes = {request.at, request.length};
        buyer->under_way = 1;
        engine_send(crowd->engine, connection, bytes, who, buyer->step);
        if (buyer->double_step != buyer->step)
                return true;
        buyer->double_step = STEPS;
        struct engine_connection *second = engine_take(crowd->engine);
        if (second) {
                buyer->under_way = 2;
                crowd->counts.double_clicks++;
                engine_send(crowd->engine, second, bytes, who, buyer->step | ECHO_TAG);
        }
        return true;
}

/* --- what each step hears --- */

static struct move heard_sign_in(struct crowd *crowd, uint32_t who, const struct http_answer *answer) {
        if (!is_good(answer) && answer->status != 404) /* an account that only its token knows */
                return error(crowd, who, answer, "the token was not accepted");
        return GO(STEP_OVER);
}

static struct move admitted(struct crowd *crowd, uint32_t who, const struct http_answer *answer) {
        struct buyer *buyer = buyer_of(crowd, who);
        struct text pass = json_member(answer->body, "pass");
        if (pass.length != PASS_LENGTH)
                return error(crowd, who, answer, "admitted, but there is no pass");
        memcpy(crowd->passes + (size_t)who * PASS_LENGTH, pass.at, PASS_LENGTH);
        buyer->admitted_us = clock_monotonic_us();
        if (!buyer->has_pass) {
                crowd->counts.admitted++;
                histogram_add(&crowd->waiting, buyer->admitted_us - buyer->arrived_us);
        }
        buyer->has_pass = true;
        if (crowd->options->mode != MODE_PURCHASE)
                return GO(crowd->deadline_us ? STEP_LINE : STEP_OVER);
        if (buyer->abandon == ABANDON_PASS) {
                crowd->counts.abandoned++;
                return GO(STEP_OVER);
        }
        return GO(STEP_HOLD);
}

static struct move heard_line(struct crowd *crowd, uint32_t who, const struct http_answer *answer) {
        struct buyer *buyer = buyer_of(crowd, who);
        if (!is_good(answer)) {
                if (answer->status == 409 || answer->status == 410) /* the sale has ended, or there is nothing left */
                        return go_home(crowd, who);
                return error(crowd, who, answer, "not in line");
        }
        struct text state = json_member(answer->body, "state");
        if (buyer->step == STEP_ENTER) {
                crowd->counts.entered++;
                uint64_t number = (uint64_t)json_member_number(answer->body, "number", 0);
                acknowledge(crowd, who, (struct ack){.what = "line", .state = state, .number = number});
        }
        if (crowd->options->mode == MODE_ENTER)
                return GO(STEP_OVER);
        if (text_equal(state, TEXT("ADMITTED")))
                return admitted(crowd, who, answer);
        if (crowd->deadline_us)
                return GO(STEP_LINE);
        if (!text_equal(state, TEXT("WAITING")))
                return go_home(crowd, who);
        return later(crowd, STEP_LINE, 1000 * json_member_number(answer->body, "pollSeconds", 1));
}

static struct move after_hold(struct crowd *crowd, uint32_t who) {
        struct buyer *buyer = buyer_of(crowd, who);
        if (crowd->options->mode == MODE_HOLD || buyer->abandon == ABANDON_POLITELY)
                return GO(STEP_RELEASE);
        if (buyer->abandon == ABANDON_HOLD) {
                crowd->counts.abandoned++;
                drop_claim(crowd, who, false); /* free when it expires: the board will tell */
                return GO(STEP_OVER);
        }
        return GO(buyer->change ? STEP_CHANGE : STEP_ORDER);
}

static struct move refused_hold(struct crowd *crowd, uint32_t who, const struct http_answer *answer) {
        struct buyer *buyer = buyer_of(crowd, who);
        drop_claim(crowd, who, false);
        if (has_code(answer, "SEAT_TAKEN")) {
                crowd->counts.clashes++;
                buyer->clash = false;
                return GO(++buyer->tries > TRIES_MAX ? STEP_LEAVE : STEP_HOLD);
        }
        bool pass_ended = answer->status == 403, sale_over = answer->status == 410;
        if (pass_ended || sale_over)
                return go_home(crowd, who);
        return error(crowd, who, answer, "no hold");
}

static struct move heard_hold(struct crowd *crowd, uint32_t who, const struct http_answer *answer) {
        struct buyer *buyer = buyer_of(crowd, who);
        if (!is_good(answer))
                return refused_hold(crowd, who, answer);
        buyer->purchase = id_parse(json_member(answer->body, "holdId"), ID_HOLD);
        if (!buyer->purchase)
                return error(crowd, who, answer, "a hold without id");
        seat_choice_claim(&crowd->choice, seats_of(crowd, who), crowd->seats_each);
        buyer->has_claim = true;
        crowd->counts.held++;
        acknowledge(crowd, who,
                    (struct ack){.what = "hold",
                                 .prefix = ID_HOLD,
                                 .id = buyer->purchase,
                                 .seats = seats_of(crowd, who),
                                 .seat_count = crowd->seats_each});
        return after_hold(crowd, who);
}

static struct move heard_change(struct crowd *crowd, uint32_t who, const struct http_answer *answer) {
        struct buyer *buyer = buyer_of(crowd, who);
        uint32_t *mine = seats_of(crowd, who), *others = other_seats_of(crowd, who), n = crowd->seats_each;
        buyer->change = false;
        if (!is_good(answer)) {
                seat_choice_drop(&crowd->choice, others, n, false);
                if (has_code(answer, "SEAT_TAKEN"))
                        return GO(STEP_ORDER);
                drop_claim(crowd, who, false);
                return answer->status == 409 || answer->status == 410 ? go_home(crowd, who)
                                                                      : error(crowd, who, answer, "no change of seats");
        }
        seat_choice_drop(&crowd->choice, mine, n, true);
        memcpy(mine, others, n * sizeof *mine);
        acknowledge(
                crowd, who,
                (struct ack){.what = "hold", .prefix = ID_HOLD, .id = buyer->purchase, .seats = mine, .seat_count = n});
        return GO(STEP_ORDER);
}

static struct move heard_release(struct crowd *crowd, uint32_t who, const struct http_answer *answer) {
        if (!is_good(answer))
                return error(crowd, who, answer, "the hold was not released");
        drop_claim(crowd, who, true);
        acknowledge(crowd, who,
                    (struct ack){.what = "release", .prefix = ID_HOLD, .id = buyer_of(crowd, who)->purchase});
        if (crowd->options->mode == MODE_HOLD)
                return GO(STEP_HOLD);
        crowd->counts.abandoned++;
        return GO(STEP_LEAVE);
}

static struct move heard_leave(struct crowd *crowd, uint32_t who, const struct http_answer *answer) {
        if (!is_good(answer) && answer->status != 404 && answer->status != 409 && answer->status != 410)
                return error(crowd, who, answer, "could not leave the line");
        return GO(STEP_OVER);
}

static struct move heard_order(struct crowd *crowd, uint32_t who, const struct http_answer *answer) {
        struct buyer *buyer = buyer_of(crowd, who);
        if (answer->status == 409 || answer->status == 410) { /* the hold's time was over */
                drop_claim(crowd, who, false);
                return go_home(crowd, who);
        }
        if (!is_good(answer))
                return error(crowd, who, answer, "no order");
        if (id_parse(json_member(answer->body, "orderId"), ID_ORDER) != buyer->purchase)
                return error(crowd, who, answer, "an order with another number than its hold");
        buyer->amount = json_member_number(json_member(answer->body, "amount"), "amount", 0);
        acknowledge(crowd, who,
                    (struct ack){.what = "order",
                                 .prefix = ID_ORDER,
                                 .id = buyer->purchase,
                                 .seats = seats_of(crowd, who),
                                 .seat_count = crowd->seats_each});
        return GO(STEP_PAY);
}

static struct move declined(struct crowd *crowd, uint32_t who) {
        crowd->counts.declined++;
        drop_claim(crowd, who, false);
        return GO(STEP_LEAVE);
}

/* How the order stands decides, whether it was said by the payment or by the order itself. */
static struct move by_order_state(struct crowd *crowd, uint32_t who, const struct http_answer *answer) {
        struct text state = json_member(answer->body, "state");
        if (text_equal(state, TEXT("CONFIRMED")))
                return GO(STEP_TICKETS);
        if (text_equal(state, TEXT("CANCELLED")))
                return declined(crowd, who);
        if (text_equal(state, TEXT("REFUNDED"))) {
                crowd->counts.refunded++;
                drop_claim(crowd, who, false);
                return GO(STEP_LEAVE);
        }
        return later(crowd, STEP_ASK_ORDER, ASK_ORDER_MS);
}

static struct move heard_pay(struct crowd *crowd, uint32_t who, const struct http_answer *answer) {
        struct buyer *buyer = buyer_of(crowd, who);
        if (is_good(answer) || answer->status == 402) {
                struct text state = answer->status == 402 ? TEXT("DECLINED") : json_member(answer->body, "state");
                acknowledge(crowd, who,
                            (struct ack){.what = "payment", .prefix = ID_ORDER, .id = buyer->purchase, .state = state});
        }
        if (answer->status == 402)
                return declined(crowd, who);
        if (answer->status == 409)
                return later(crowd, STEP_ASK_ORDER, ASK_ORDER_MS);
        if (!is_good(answer))
                return error(crowd, who, answer, "no payment");
        return by_order_state(crowd, who, answer);
}

static struct move heard_ask_order(struct crowd *crowd, uint32_t who, const struct http_answer *answer) {
        if (!is_good(answer))
                return error(crowd, who, answer, "the order cannot be read");
        return by_order_state(crowd, who, answer);
}

static struct move heard_tickets(struct crowd *crowd, uint32_t who, const struct http_answer *answer) {
        struct buyer *buyer = buyer_of(crowd, who);
        struct text tickets = json_member(answer->body, "tickets"), ticket;
        size_t at = 0;
        uint32_t count = 0;
        while (json_item(tickets, &at, &ticket))
                count++;
        if (!is_good(answer) || count != crowd->seats_each)
                return error(crowd, who, answer, "not as many tickets as seats");
        acknowledge(crowd, who,
                    (struct ack){.what = "tickets", .prefix = ID_ORDER, .id = buyer->purchase, .tickets = tickets});
        crowd->last_purchase_us = clock_monotonic_us();
        crowd->counts.purchases++;
        crowd_did(crowd, crowd->last_purchase_us);
        crowd->counts.seats_sold += count;
        crowd->counts.money += buyer->amount;
        histogram_add(&crowd->shopping, crowd->last_purchase_us - buyer->admitted_us);
        histogram_add(&crowd->purchase, crowd->last_purchase_us - buyer->arrived_us);
        if (crowd->counts.seats_sold + crowd->seats_each > crowd->scene->seats)
                crowd->sold_out = true;
        return GO(STEP_OVER);
}

static struct move heard_hopeless(struct crowd *crowd, uint32_t who, const struct http_answer *answer) {
        if (answer->status == 409 || answer->status == 403)
                crowd->counts.refused++;
        else if (!is_good(answer)) /* the first one gets them */
                return error(crowd, who, answer, "not the refusal that was due");
        return GO(STEP_HOPELESS);
}

static struct move heard_page(struct crowd *crowd, uint32_t who, const struct http_answer *answer) {
        return is_good(answer) ? GO((enum step)buyer_of(crowd, who)->step)
                               : error(crowd, who, answer, "the page cannot be read");
}

#define SCHEDULES "/api/v1/schedules/"
#define HOLDS "/api/v1/holds/"
#define ORDERS "/api/v1/orders/"
static const struct form forms[STEPS] = {
        [STEP_SIGN_IN] = {"sign in", "GET /api/v1/me", "", OF_NOTHING, .heard = heard_sign_in},
        [STEP_ENTER] = {"enter", "POST " SCHEDULES, "/line", OF_SCHEDULE, .heard = heard_line},
        [STEP_LINE] = {"line", "GET " SCHEDULES, "/line", OF_SCHEDULE, .heard = heard_line},
        [STEP_HOLD] = {"hold", "POST " SCHEDULES, "/holds", OF_SCHEDULE, BODY_SEATS, true, true, heard_hold},
        [STEP_CHANGE] = {"change", "PUT " HOLDS, "", OF_HOLD, BODY_OTHER_SEATS, false, true, heard_change},
        [STEP_RELEASE] = {"release", "DELETE " HOLDS, "", OF_HOLD, .heard = heard_release},
        [STEP_ORDER] = {"order", "POST /api/v1/orders", "", OF_NOTHING, BODY_HOLD, true, false, heard_order},
        [STEP_PAY] = {"pay", "POST " ORDERS, "/pay", OF_ORDER, BODY_EMPTY, true, false, heard_pay},
        [STEP_ASK_ORDER] = {"ask order", "GET " ORDERS, "", OF_ORDER, .heard = heard_ask_order},
        [STEP_TICKETS] = {"tickets", "GET " ORDERS, "/tickets", OF_ORDER, .heard = heard_tickets},
        [STEP_LEAVE] = {"leave", "DELETE " SCHEDULES, "/line", OF_SCHEDULE, .heard = heard_leave},
        [STEP_HOPELESS] = {"hopeless hold", "POST " SCHEDULES, "/holds", OF_SCHEDULE, BODY_FIXED_SEATS, true, true,
                           heard_hopeless},
        [STEP_EVENT] = {"event", "GET /api/v1/events/", "", OF_EVENT, .heard = heard_page},
        [STEP_BARE] = {"bare", "GET /", "", OF_NOTHING, .heard = heard_page},
};

/* --- what all steps have in common --- */

/* The server is full or the connection was lost: the same request again, with the same key. True: put off. */
static bool put_off(struct crowd *crowd, uint32_t who, const struct http_answer *answer, struct move *ret_move) {
        struct buyer *buyer = buyer_of(crowd, who);
        bool lost = answer->status == 0, full = answer->status == 503 || answer->status == 429;
        if (!lost && !full)
                return false;
        if (lost)
                crowd->counts.lost++;
        else
                crowd->counts.throttled++;
        if (engine_is_down(crowd->engine) || ++buyer->tries > (lost ? LOST_MAX : TRIES_MAX)) {
                *ret_move = error(crowd, who, answer, lost ? "the connection was lost" : "the server stays full");
                return true;
        }
        unsigned seconds = answer->retry_after ? answer->retry_after : 1;
        *ret_move = later(crowd, (enum step)buyer->step, lost ? 100 : 1000 * seconds);
        return true;
}

/* A command that was sent twice has one effect: both answers name the same thing. */
static void check_same(struct crowd *crowd, uint32_t who, const struct http_answer *answer) {
        const struct buyer *buyer = buyer_of(crowd, who);
        bool hold = buyer->step == STEP_HOLD;
        uint64_t id = id_parse(json_member(answer->body, hold ? "holdId" : "orderId"), hold ? ID_HOLD : ID_ORDER);
        if (id != buyer->purchase)
                tell_error(crowd, who, answer, "the same command with the same key made another thing");
}

void buyer_hear(struct crowd *crowd, uint32_t who, unsigned tag, struct engine_connection *connection,
                const struct http_answer *answer) {
        struct buyer *buyer = buyer_of(crowd, who);
        INVARIANT((tag & 0xff) == buyer->step && buyer->under_way > 0);
        buyer->under_way--;
        bool good = is_good(answer);
        struct move move;
        if (buyer->succeeded) { /* of a retry, or of a second click, whose first answer is known */
                if (good)
                        check_same(crowd, who, answer);
                else if (answer->status != 409 && answer->status != 503 && answer->status != 0)
                        tell_error(crowd, who, answer, "the same command with the same key was refused");
        } else if (good || !buyer->under_way) {
                if (!good && put_off(crowd, who, answer, &move)) {
                        go_on(crowd, who, connection, move, false);
                        return;
                }
                if (good) {
                        histogram_add(&crowd->steps[buyer->step], crowd->last_answer_us - buyer->wanted_us);
                        buyer->tries = 0;
                }
                move = forms[buyer->step].heard(crowd, who, answer);
                buyer->succeeded = good;
                buyer->next_step = (uint8_t)move.next;
                if (move.after_us && !buyer->under_way) {
                        go_on(crowd, who, connection, move, true);
                        return;
                }
        }
        if (buyer->under_way)
                return;
        if (good && buyer->retry_step == buyer->step) {
                buyer->retry_step = STEPS;
                crowd->counts.repeats++;
                buyer_ask(crowd, who, connection);
                return;
        }
        go_on(crowd, who, connection, GO((enum step)buyer->next_step), true);
}

void buyer_ask_board(struct crowd *crowd, struct engine_connection *connection) {
        struct request_text request = {0};
        put_string(&request, "GET " SCHEDULES);
        put_string(&request, crowd->scene->schedule);
        put_string(&request, "/seats");
        if (crowd->board_version >= 0) {
                put_string(&request, "/changes?since=");
                put_number(&request, (uint64_t)crowd->board_version);
        }
        put(&request, buffer_text(&crowd->common));
        put(&request, (struct text){crowd->tokens, crowd->token_length});
        put_string(&request, "\r\n\r\n");
        engine_send(crowd->engine, connection, (struct text){request.at, request.length}, NOBODY, BOARD_TAG);
}

/* [[seat, "H"], …] */
static void see_changes(struct crowd *crowd, struct text changes) {
        struct text change, seat, state;
        uint64_t number;
        for (size_t at = 0; json_item(changes, &at, &change);) {
                size_t in = 0;
                bool both = json_item(change, &in, &seat) && json_item(change, &in, &state) && state.length == 1;
                if (both && text_to_number(seat, UINT32_MAX, &number))
                        seat_choice_see(&crowd->choice, (uint32_t)number, *state.at);
        }
}

void buyer_hear_board(struct crowd *crowd, const struct http_answer *answer) {
        crowd->board_asked = false;
        if (!is_good(answer)) { /* too many changes since: take it all */
                crowd->board_version = -1;
                return;
        }
        if (crowd->board_version < 0) {
                struct text states = json_member(answer->body, "states");
                for (size_t seat = 0; seat < states.length; seat++)
                        seat_choice_see(&crowd->choice, (uint32_t)seat, states.at[seat]);
                crowd->board_version = json_member_number(answer->body, "version", -1);
        } else {
                see_changes(crowd, json_member(answer->body, "changes"));
                crowd->board_version = json_member_number(answer->body, "to", -1);
        }
        if (seat_choice_renew(&crowd->choice) < crowd->seats_each)
                crowd->sold_out = true;
}
