/* queue_rules.h: what the waiting room decides, as pure functions: who may enter and leave, how many are admitted, how
 * long the others will wait. Facts go in, an outcome or a number comes out; time is an argument. */
#ifndef TICKETRUSH_SERVICE_QUEUE_RULES_H
#define TICKETRUSH_SERVICE_QUEUE_RULES_H

#include "service/limits.h"

#include <stdbool.h>
#include <stdint.h>

/* In the order in which they are checked; ENTER_OK comes last. */
enum enter_outcome {
        ENTER_OK = 1,        /* a new entry at the end */
        ENTER_NO_SCHEDULE,
        ENTER_CANCELLED,
        ENTER_SALE_ENDED,
        ENTER_LOBBY_CLOSED,  /* too early */
        ENTER_AGAIN,         /* already in line: the place is kept */
        ENTER_FULL,
};

struct enter_facts {
        bool known, cancelled;
        int64_t now, doors_at /* entering is allowed from then on */, ends_at;
        bool in_line; /* with an entry that waits, or a pass that has not ended */
        uint64_t waiting, waiting_max;
        uint64_t passes_free; /* could be given out at once: who gets one does not wait */
};
int enter_decide(const struct enter_facts *facts);

enum leave_outcome {
        LEAVE_OK = 1,
        LEAVE_NO_SCHEDULE,
        LEAVE_NOT_IN_LINE,
        LEAVE_OVER, /* the entry has ended already: nothing to do */
};
struct leave_facts { bool known, has_entry, live; };
int leave_decide(const struct leave_facts *facts);

/* How many passes may be given out now, if enough people wait. */
struct admission_facts {
        bool drawn, cancelled, admission_paused, sale_paused;
        int64_t now, opens_at, ends_at;
        uint64_t capacity, in_use;
        uint64_t rate_allowance; /* UINT64_MAX without a rate */
        uint64_t seats_available;
};
uint64_t admission_free(const struct admission_facts *facts);

/* Admissions per second, as GCRA: `spent_ns` is the time until which the rate is used up (0: never used). While
 * nobody is admitted, one person and those of a tenth of a second are saved up, not more. rate is at least 1. */
uint64_t rate_allowance(int64_t spent_ns, uint32_t rate, int64_t now);
int64_t rate_spend(int64_t spent_ns, uint32_t rate, int64_t now, uint64_t admitted);
/* The first ms in which one more is allowed. */
int64_t rate_next_at(int64_t spent_ns, uint32_t rate);

/* How fast the line moves: the average of admissions per second so far, and later one in which the last second counts a
 * sixteenth. The second in which it began does not count: then the capacity is filled, which says nothing of what follows. */
struct pace {
        int64_t second; /* the one being counted; 0: nobody was admitted yet */
        uint64_t in_second;
        uint64_t seconds; /* counted before, at most sixteen */
        uint64_t milli;   /* thousandths of an admission per second, over them */
};
struct pace pace_add(struct pace pace, int64_t now, uint64_t admitted);
/* Seconds that somebody with so many before him will wait, as a range; false: unknown, the line has not moved. */
bool wait_estimate(struct pace pace, int64_t now, uint64_t ahead, uint64_t *ret_low, uint64_t *ret_high);

/* When to ask again: soon if it may soon be one's turn. `low` is the estimate, or UINT64_MAX. */
unsigned poll_seconds(uint64_t low);

#endif
