/* crowd.h: the buyers of a rehearsal, and the loop that lets them arrive, ask, wait and leave.
 *
 * Each buyer is a small struct and walks through steps; each step is one request (buyer.c). All of them share one
 * thread, one engine and its connections: a buyer keeps a connection while there is something to ask, and gives it back
 * while waiting in line. Open model: a buyer arrives at its time whether or not the server keeps up, and latencies
 * count from the moment a request was wanted, not from when it could be sent.
 *
 * crowd.c owns the loop, the ready list and the timer wheel; buyer.c owns what a buyer says and hears. */
#ifndef TICKETRUSH_REHEARSE_CROWD_H
#define TICKETRUSH_REHEARSE_CROWD_H

#include "rehearse/acks.h"
#include "rehearse/engine.h"
#include "rehearse/histogram.h"
#include "rehearse/options.h"
#include "rehearse/seat_choice.h"
#include "service/user/user.h"

enum step {
        STEP_SIGN_IN,
        STEP_ENTER,
        STEP_LINE,
        STEP_HOLD,
        STEP_CHANGE,
        STEP_RELEASE,
        STEP_ORDER,
        STEP_PAY,
        STEP_ASK_ORDER,
        STEP_TICKETS,
        STEP_LEAVE,
        STEP_HOPELESS,
        STEP_EVENT,
        STEP_BARE,
        STEPS,
        STEP_OVER = STEPS,
};

enum {
        WHEEL_SLOTS = 16384 /* of a millisecond each */,
        NOBODY = UINT32_MAX,
        ECHO_TAG = 0x100,
        BOARD_TAG = 0x200,
        PASS_LENGTH = 64
};

enum { SERIES_SECONDS = 600 };

enum abandon {
        ABANDON_NEVER,
        ABANDON_PASS /* goes away with it */,
        ABANDON_HOLD /* goes away with it */,
        ABANDON_POLITELY
};

struct buyer {
        purchase_id purchase;
        int64_t arrived_us; /* when it meant to arrive */
        int64_t admitted_us;
        int64_t amount;    /* of the order */
        int64_t wanted_us; /* when the current step was wanted; while on the wheel, when it is due */
        uint32_t next;     /* on the ready list or in a slot of the wheel */
        uint16_t keys;     /* idempotency keys used so far */
        uint8_t step, next_step;
        uint8_t under_way; /* requests without answer: 2 after a double click */
        uint8_t tries;
        uint8_t abandon, double_step, retry_step;
        bool change, clash;                /* what it will do */
        bool has_pass, has_claim, repeats; /* how it stands; repeats: the retry is under way */
        bool succeeded;                    /* an answer of this step was good */
};

struct crowd_counts {
        uint64_t entered, admitted, held, purchases, seats_sold;
        int64_t money;
        uint64_t over, went_home, abandoned, declined, refunded, clashes, refused, repeats, double_clicks, throttled,
                lost, errors;
};

struct scene; /* scene.h */

struct crowd {
        const struct rehearse_options *options;
        const struct scene *scene;
        struct engine *engine;
        struct buyer *buyers;
        uint32_t count, seats_each;
        char *tokens; /* count × token_length */
        size_t token_length;
        char *passes;    /* count × PASS_LENGTH */
        uint32_t *seats; /* count × 2 × seats_each: the chosen ones, and the ones to change to */
        account_id *accounts;
        struct seat_choice choice;
        struct acks *acks;
        struct buffer common; /* from behind the path to the token */
        uint64_t run;         /* makes idempotency keys of two rehearsals differ */
        uint64_t random;      /* counts the draws */

        enum step first;                          /* of this phase */
        uint32_t arrived;                         /* buyers 0 … arrived-1 have arrived */
        int64_t start_us, spread_us, deadline_us; /* deadline 0: until everybody is done */
        uint32_t ready_first, ready_last;
        uint32_t wheel[WHEEL_SLOTS];
        uint64_t wheel_ms; /* slots up to here have been emptied */
        uint32_t on_wheel;

        bool board_wanted, board_asked, sold_out;
        int64_t board_version; /* of the board that has been seen; -1: take all of it anew */
        int64_t board_at_us, last_answer_us, last_purchase_us;
        struct crowd_counts counts;
        struct histogram steps[STEPS];   /* until the first good answer */
        struct histogram waiting;        /* from entering to the pass */
        struct histogram shopping;       /* from the pass to the tickets */
        struct histogram purchase;       /* from the arrival to the tickets */
        uint32_t series[SERIES_SECONDS]; /* what was done in each second of the phase */
        char first_error[256];
        void (*tick)(void *context, struct crowd *crowd, int64_t now_us); /* now and then, for the progress line */
        void *tick_context;
};

/* Signs the tokens. The scene must outlive the crowd. Negative fault. */
int crowd_new(struct crowd **ret_crowd, const struct rehearse_options *options, const struct scene *scene,
              const struct token_key *key, struct acks *acks);
struct crowd *crowd_free(struct crowd *crowd);
/* Lets everybody begin with this step, spread over so many milliseconds, and returns when all are done: every buyer's
 * steps ended, or, with a duration, when that is over. Returns the wall time in microseconds up to the last answer. */
int64_t crowd_run(struct crowd *crowd, enum step first, int64_t spread_ms, int64_t duration_ms);

/* --- between crowd.c and buyer.c --- */

/* Begins a step: a new command, with a key of its own. */
void buyer_begin(struct crowd *crowd, uint32_t who, enum step step, int64_t now_us);
/* Sends the request of the buyer's step on this connection. False: nothing was sent, the buyer waits or is over. */
bool buyer_ask(struct crowd *crowd, uint32_t who, struct engine_connection *connection);
/* An answer came (status 0: the connection was lost). */
void buyer_hear(struct crowd *crowd, uint32_t who, unsigned tag, struct engine_connection *connection,
                const struct http_answer *answer);
/* What this buyer will do, by the seed. */
void buyer_cast(const struct crowd *crowd, uint32_t who, struct buyer *buyer);
/* The seat map has been looked at. */
void buyer_hear_board(struct crowd *crowd, const struct http_answer *answer);
void buyer_ask_board(struct crowd *crowd, struct engine_connection *connection);

void crowd_wait(struct crowd *crowd, uint32_t who, int64_t due_us); /* goes on then */
void crowd_over(struct crowd *crowd, uint32_t who);
/* Something that this mode is about has been done. */
void crowd_did(struct crowd *crowd, int64_t now_us);
uint64_t crowd_random(struct crowd *crowd);

#endif
