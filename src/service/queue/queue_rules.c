/* queue_rules.c: see queue_rules.h. Ladders of refusals in fixed order, then arithmetic. No state, no clock. */
#include "service/queue/queue_rules.h"

#include "base/assert.h"

enum { PACE_SECONDS = 16, PACE_FORGETS_SECONDS = 400, RATE_BURSTS_PER_SECOND = 10 };
#define SECOND_NS INT64_C(1000000000)
#define MS_NS INT64_C(1000000)

static uint64_t least(uint64_t a, uint64_t b) {
        return a < b ? a : b;
}

int enter_decide(const struct enter_facts *facts) {
        if (!facts->known)
                return ENTER_NO_SCHEDULE;
        if (facts->cancelled)
                return ENTER_CANCELLED;
        if (facts->now >= facts->ends_at)
                return ENTER_SALE_ENDED;
        if (facts->now < facts->doors_at)
                return ENTER_LOBBY_CLOSED;
        if (facts->in_line)
                return ENTER_AGAIN;
        if (facts->waiting >= facts->passes_free && facts->waiting - facts->passes_free >= facts->waiting_max)
                return ENTER_FULL;
        return ENTER_OK;
}

int leave_decide(const struct leave_facts *facts) {
        if (!facts->known)
                return LEAVE_NO_SCHEDULE;
        if (!facts->has_entry)
                return LEAVE_NOT_IN_LINE;
        if (!facts->live)
                return LEAVE_OVER;
        return LEAVE_OK;
}

uint64_t admission_free(const struct admission_facts *facts) {
        if (!facts->drawn || facts->cancelled || facts->admission_paused || facts->sale_paused)
                return 0;
        if (facts->now < facts->opens_at || facts->now >= facts->ends_at)
                return 0;
        if (facts->in_use >= facts->capacity)
                return 0;
        return least(least(facts->capacity - facts->in_use, facts->rate_allowance), facts->seats_available);
}

/* Time never used is lost, but for the burst. */
static int64_t rate_from(int64_t spent_ns, uint32_t rate, int64_t now) {
        int64_t step = SECOND_NS / rate, burst = SECOND_NS / RATE_BURSTS_PER_SECOND;
        int64_t earliest = now * MS_NS - step - burst;
        return spent_ns > earliest ? spent_ns : earliest;
}

uint64_t rate_allowance(int64_t spent_ns, uint32_t rate, int64_t now) {
        PRE(rate > 0);
        int64_t from = rate_from(spent_ns, rate, now);
        return from >= now * MS_NS ? 0 : (uint64_t)((now * MS_NS - from) / (SECOND_NS / rate));
}

int64_t rate_spend(int64_t spent_ns, uint32_t rate, int64_t now, uint64_t admitted) {
        PRE(rate > 0);
        return rate_from(spent_ns, rate, now) + (int64_t)admitted * (SECOND_NS / rate);
}

int64_t rate_next_at(int64_t spent_ns, uint32_t rate) {
        PRE(rate > 0);
        return (spent_ns + SECOND_NS / rate + MS_NS - 1) / MS_NS;
}

/* Closes the seconds that are over. */
static struct pace pace_roll(struct pace pace, int64_t now) {
        int64_t second = now / 1000;
        if (pace.second == 0 || second <= pace.second)
                return pace;
        if (second - pace.second > PACE_FORGETS_SECONDS)
                return (struct pace){.second = second};
        for (; pace.second < second; pace.second++) {
                pace.seconds += pace.seconds < PACE_SECONDS;
                pace.milli = (pace.milli * (pace.seconds - 1) + pace.in_second * 1000) / pace.seconds;
                pace.in_second = 0;
        }
        return pace;
}

struct pace pace_add(struct pace pace, int64_t now, uint64_t admitted) {
        if (pace.second == 0)
                return (struct pace){.second = now / 1000 + 1};
        pace = pace_roll(pace, now);
        if (now / 1000 == pace.second)
                pace.in_second += admitted;
        return pace;
}

bool wait_estimate(struct pace pace, int64_t now, uint64_t ahead, uint64_t *ret_low, uint64_t *ret_high) {
        pace = pace_roll(pace, now);
        if (pace.milli == 0)
                return false;
        *ret_low = ahead * 750 / pace.milli;
        *ret_high = ahead * 1500 / pace.milli + 1;
        return true;
}

unsigned poll_seconds(uint64_t low) {
        if (low / 4 >= LINE_POLL_SECONDS)
                return LINE_POLL_SECONDS;
        return low < 4 ? 1 : (unsigned)(low / 4);
}
