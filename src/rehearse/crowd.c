/* crowd.c: arrivals, the ready list, the timer wheel and the loop; see crowd.h.
 *
 *   arrivals ──► ready list ──► a connection ──► answer ──► next step on the same connection
 *                    ▲                                └──► wheel (waits) ─┐
 *                    └─────────────────────────────────────────────────────┘ */
#include "rehearse/crowd.h"

#include <stdio.h>
#include <stdlib.h>

#include "adapter/system/clock_system.h"
#include "base/assert.h"
#include "rehearse/scene.h"

enum {
        CONNECTIONS_SPARE = 16, /* for second clicks and the seat map */
        TOKEN_SECONDS = 12 * 3600,
        BOARD_MS = 150,
        SILENCE_SECONDS = 60,
        ACCOUNT_NODE = 250, /* of the buyers' account numbers: never the server's own */
};

static void on_answer(void *context, struct engine_connection *connection, uint32_t who, unsigned tag,
                      const struct http_answer *answer) {
        struct crowd *crowd = context;
        crowd->last_answer_us = clock_monotonic_us();
        bool entering = crowd->options->mode == MODE_ENTER && tag == STEP_ENTER;
        if (entering || (crowd->deadline_us && tag != STEP_RELEASE))
                crowd_did(crowd, crowd->last_answer_us);
        if (tag & BOARD_TAG)
                buyer_hear_board(crowd, answer);
        else
                buyer_hear(crowd, who, tag, connection, answer);
}

static int sign_tokens(struct crowd *crowd, const struct token_key *key) {
        struct id_source ids;
        struct buffer token;
        struct clock *clock = clock_system();
        int64_t now = clock->now_ms(clock);
        id_source_init(&ids, ACCOUNT_NODE, 0);
        buffer_init(&token, TOKEN_BYTES_MAX);
        for (uint32_t i = 0; i < crowd->count; i++) {
                crowd->accounts[i] = id_next(&ids, now);
                buffer_clear(&token);
                token_issue(&token, key, crowd->accounts[i], ROLE_BUYER, now, TOKEN_SECONDS);
                if (!crowd->tokens) {
                        crowd->token_length = token.length;
                        crowd->tokens = calloc(crowd->count, token.length);
                }
                if (!crowd->tokens || token.overflowed)
                        break;
                INVARIANT(token.length == crowd->token_length); /* ids and times have a fixed length */
                memcpy(crowd->tokens + i * crowd->token_length, token.at, token.length);
        }
        buffer_deinit(&token);
        return crowd->tokens ? 0 : -ENOMEM;
}

static int take_memory(struct crowd *crowd) {
        size_t count = crowd->count, seats = 2 * (size_t)crowd->seats_each;
        crowd->buyers = calloc(count, sizeof *crowd->buyers);
        crowd->accounts = calloc(count, sizeof *crowd->accounts);
        crowd->passes = calloc(count, PASS_LENGTH);
        crowd->seats = calloc(count, seats * sizeof *crowd->seats);
        bool all = crowd->buyers && crowd->accounts && crowd->passes && crowd->seats;
        all = all &&
              seat_choice_init(&crowd->choice, crowd->scene->seats, crowd->seats_each, (uint64_t)crowd->options->seed);
        return all ? 0 : -ENOMEM;
}

int crowd_new(struct crowd **ret_crowd, const struct rehearse_options *options, const struct scene *scene,
              const struct token_key *key, struct acks *acks) {
        struct crowd *crowd = calloc(1, sizeof *crowd);
        if (!crowd)
                return -ENOMEM;
        struct clock *clock = clock_system();
        crowd->options = options;
        crowd->scene = scene;
        crowd->acks = acks;
        crowd->board_version = scene->version;
        crowd->count = (uint32_t)options->buyers;
        crowd->seats_each = (uint32_t)options->seats_per_buyer;
        crowd->run = mix_random((uint64_t)options->seed, (uint64_t)clock->now_ms(clock));
        buffer_init(&crowd->common, 4096);
        buffer_add_string(&crowd->common, " HTTP/1.1\r\n");
        http_write_host(&crowd->common, &scene->place);
        buffer_add_string(&crowd->common, "Authorization: Bearer ");
        int fault = take_memory(crowd);
        if (!fault)
                fault = sign_tokens(crowd, key);
        if (!fault)
                fault = engine_new(&crowd->engine, &scene->place, (unsigned)options->connections + CONNECTIONS_SPARE,
                                   on_answer, crowd);
        if (fault) {
                crowd_free(crowd);
                return fault;
        }
        for (uint32_t who = 0; who < crowd->count; who++)
                buyer_cast(crowd, who, &crowd->buyers[who]);
        *ret_crowd = crowd;
        return 0;
}

struct crowd *crowd_free(struct crowd *crowd) {
        if (!crowd)
                return 0;
        engine_free(crowd->engine);
        seat_choice_deinit(&crowd->choice);
        buffer_deinit(&crowd->common);
        free(crowd->buyers);
        free(crowd->accounts);
        free(crowd->tokens);
        free(crowd->passes);
        free(crowd->seats);
        free(crowd);
        return 0;
}

uint64_t crowd_random(struct crowd *crowd) {
        return mix_random((uint64_t)crowd->options->seed, ++crowd->random);
}

static void make_ready(struct crowd *crowd, uint32_t who) {
        crowd->buyers[who].next = NOBODY;
        if (crowd->ready_first == NOBODY)
                crowd->ready_first = who;
        else
                crowd->buyers[crowd->ready_last].next = who;
        crowd->ready_last = who;
}

static uint64_t due_ms(const struct buyer *buyer) {
        return ((uint64_t)buyer->wanted_us + 999) / 1000;
}

void crowd_wait(struct crowd *crowd, uint32_t who, int64_t due_us) {
        struct buyer *buyer = &crowd->buyers[who];
        buyer->wanted_us = due_us;
        uint64_t slot_ms = due_ms(buyer) > crowd->wheel_ms ? due_ms(buyer) : crowd->wheel_ms + 1;
        uint32_t *slot = &crowd->wheel[slot_ms % WHEEL_SLOTS];
        buyer->next = *slot;
        *slot = who;
        crowd->on_wheel++;
}

void crowd_over(struct crowd *crowd, uint32_t who) {
        crowd->buyers[who].step = STEP_OVER;
        crowd->counts.over++;
}

void crowd_did(struct crowd *crowd, int64_t now_us) {
        int64_t second = (now_us - crowd->start_us) / 1000000;
        if (second < SERIES_SECONDS)
                crowd->series[second]++;
}

/* Empties a slot: who is due becomes ready, who is due in a later round goes back. */
static void empty_slot(struct crowd *crowd, unsigned slot, uint64_t now_ms) {
        uint32_t who = crowd->wheel[slot];
        crowd->wheel[slot] = NOBODY;
        while (who != NOBODY) {
                struct buyer *buyer = &crowd->buyers[who];
                uint32_t next = buyer->next;
                crowd->on_wheel--;
                bool waits_for_seats =
                        buyer->step == STEP_ENTER || buyer->step == STEP_LINE || buyer->step == STEP_HOLD;
                if (due_ms(buyer) <= now_ms || (crowd->sold_out && waits_for_seats))
                        make_ready(crowd, who);
                else
                        crowd_wait(crowd, who, buyer->wanted_us);
                who = next;
        }
}

static void turn_wheel(struct crowd *crowd, int64_t now_us) {
        uint64_t now_ms = (uint64_t)now_us / 1000;
        if (now_ms > crowd->wheel_ms + WHEEL_SLOTS)
                crowd->wheel_ms = now_ms - WHEEL_SLOTS;
        while (crowd->wheel_ms < now_ms && crowd->on_wheel) {
                crowd->wheel_ms++;
                empty_slot(crowd, (unsigned)(crowd->wheel_ms % WHEEL_SLOTS), now_ms);
        }
        crowd->wheel_ms = now_ms;
}

static void arrive(struct crowd *crowd, int64_t now_us) {
        while (crowd->arrived < crowd->count) {
                uint32_t who = crowd->arrived;
                int64_t due_us = crowd->start_us + crowd->spread_us * who / crowd->count;
                if (due_us > now_us)
                        return;
                buyer_begin(crowd, who, crowd->first, due_us);
                crowd->buyers[who].arrived_us = due_us;
                make_ready(crowd, who);
                crowd->arrived++;
        }
}

static void look_at_seats(struct crowd *crowd, int64_t now_us) {
        if (!crowd->board_wanted || crowd->board_asked || now_us - crowd->board_at_us < BOARD_MS * 1000)
                return;
        struct engine_connection *connection = engine_take(crowd->engine);
        if (!connection)
                return;
        crowd->board_asked = true;
        crowd->board_wanted = false;
        crowd->board_at_us = now_us;
        buyer_ask_board(crowd, connection);
}

/* Whoever is ready gets a connection, as long as there are some. */
static void send_ready(struct crowd *crowd) {
        while (crowd->ready_first != NOBODY && engine_busy(crowd->engine) < (unsigned)crowd->options->connections) {
                struct engine_connection *connection = engine_take(crowd->engine);
                if (!connection)
                        return;
                uint32_t who = crowd->ready_first;
                crowd->ready_first = crowd->buyers[who].next;
                if (!buyer_ask(crowd, who, connection))
                        engine_give_back(crowd->engine, connection);
        }
}

static void send_home(struct crowd *crowd) {
        for (unsigned slot = 0; slot < WHEEL_SLOTS && crowd->on_wheel; slot++)
                empty_slot(crowd, slot, crowd->wheel_ms);
}

static bool is_done(const struct crowd *crowd, int64_t now_us) {
        if (engine_busy(crowd->engine))
                return false;
        bool time_over = crowd->deadline_us && now_us >= crowd->deadline_us;
        return crowd->counts.over == crowd->count || time_over || engine_is_down(crowd->engine);
}

static void fail(struct crowd *crowd, unsigned errors, const char *why) {
        if (crowd->counts.errors == 0)
                snprintf(crowd->first_error, sizeof crowd->first_error, "%s", why);
        crowd->counts.errors += errors;
}

static bool is_silent(struct crowd *crowd, int64_t now_us) {
        if (!engine_busy(crowd->engine) || now_us - crowd->last_answer_us < SILENCE_SECONDS * INT64_C(1000000))
                return false;
        fail(crowd, engine_busy(crowd->engine), "the server has not answered anything for a minute");
        return true;
}

static void begin_phase(struct crowd *crowd, enum step first, int64_t spread_ms, int64_t duration_ms) {
        crowd->first = first;
        memset(crowd->series, 0, sizeof crowd->series);
        crowd->arrived = 0;
        crowd->counts.over = 0;
        crowd->ready_first = NOBODY;
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
                crowd->wheel[slot] = NOBODY;
        crowd->on_wheel = 0;
        crowd->start_us = crowd->last_answer_us = clock_monotonic_us();
        crowd->wheel_ms = (uint64_t)crowd->start_us / 1000;
        crowd->spread_us = spread_ms * 1000;
        crowd->deadline_us = duration_ms ? crowd->start_us + duration_ms * 1000 : 0;
}

int64_t crowd_run(struct crowd *crowd, enum step first, int64_t spread_ms, int64_t duration_ms) {
        bool sent_home = false;
        begin_phase(crowd, first, spread_ms, duration_ms);
        for (int64_t now = crowd->start_us; !is_done(crowd, now) && !is_silent(crowd, now);
             now = clock_monotonic_us()) {
                arrive(crowd, now);
                turn_wheel(crowd, now);
                if (crowd->sold_out && !sent_home)
                        send_home(crowd);
                sent_home = crowd->sold_out;
                look_at_seats(crowd, now);
                send_ready(crowd);
                if (crowd->tick)
                        crowd->tick(crowd->tick_context, crowd, now);
                engine_wait(crowd->engine,
                            crowd->on_wheel || crowd->arrived < crowd->count || crowd->board_wanted ? 1 : 100);
                acks_flush(crowd->acks);
        }
        if (engine_is_down(crowd->engine) && crowd->counts.over < crowd->count)
                fail(crowd, 1, "the server has gone");
        return crowd->last_answer_us - crowd->start_us;
}
