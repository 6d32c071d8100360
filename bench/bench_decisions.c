/* bench_decisions.c: how many holds the rule alone decides in a second on one core; one line of JSON.
 *
 * A house of 50,000 seats, wishes for two neighbouring seats at random places; what is granted is carried out, so that
 * the house fills and refusals come up as in a sale; a full house is emptied and filled again. */
#include "service/inventory/inventory_rules.h"

#include "adapter/system/clock_system.h"

#include <inttypes.h>
#include <stdio.h>

enum { SEATS = 50000, SECONDS = 2, ROUND = 100000 };

static struct seat house[SEATS];

static uint64_t random_next(uint64_t *state) {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        return *state;
}

static bool decide_one(uint64_t *random, purchase_id id) {
        static const struct sale_terms terms = {
                .known = true, .opens_at = 0, .ends_at = INT64_MAX, .cap = 4, .hold_seconds = 300, .seat_count = SEATS};
        static const int64_t amounts[2] = {55000, 55000};
        seat_index first = (seat_index)(random_next(random) % (SEATS - 1));
        const seat_index seats[2] = {first, first + 1};
        const struct hold_wish wish = {
                .terms = &terms,
                .choice = {.house = house, .seats = seats, .amounts = amounts, .count = 2},
                .id = id,
                .schedule = 1,
                .account = id,
                .now = 1000,
                .admitted = true,
        };
        struct hold hold;
        seat_mask culprits;
        if (hold_decide_create(&wish, &hold, &culprits) != HOLD_CREATED)
                return false;
        for (uint32_t i = 0; i < hold.seat_count; i++)
                house[hold.seats[i]] = seat_hold(house[hold.seats[i]], hold.id);
        return true;
}

static void empty_house(void) {
        for (size_t i = 0; i < SEATS; i++) {
                if (house[i].state == SEAT_HELD)
                        house[i] = seat_free(house[i]);
        }
}

int main(void) {
        uint64_t random = UINT64_C(0x9e3779b97f4a7c15);
        int64_t decisions = 0, granted = 0, spent = 0;
        int64_t begin = clock_monotonic_us();
        while (spent < SECONDS * 1000000) {
                for (int i = 0; i < ROUND; i++)
                        granted += decide_one(&random, (purchase_id)(decisions + i + 1));
                decisions += ROUND;
                empty_house();
                spent = clock_monotonic_us() - begin;
        }
        printf("{\"bench\":\"rules\",\"decisions\":%" PRId64 ",\"granted\":%" PRId64
               ",\"seconds\":%.3f,\"decisionsPerSecond\":%.0f,\"target\":1000000}\n",
               decisions, granted, (double)spent / 1e6, (double)decisions * 1e6 / (double)spent);
        return 0;
}
