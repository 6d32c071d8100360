/* event_rules.c: see event_rules.h. */
#include "service/event/event_rules.h"

#include "base/assert.h"

enum { LOBBY_MS_DEFAULT = 3600 * 1000, CAP_DEFAULT = 4, REFUND_PERCENT_DEFAULT = 100 };

static const char *const schedule_names[] = {"UPCOMING", "ON_SALE", "ENDED", "CANCELLED"};
static const uint32_t schedule_moves[] = {
        [SCHEDULE_UPCOMING] = FSM_TO(SCHEDULE_ON_SALE) | FSM_TO(SCHEDULE_IS_CANCELLED),
        [SCHEDULE_ON_SALE] = FSM_TO(SCHEDULE_ENDED) | FSM_TO(SCHEDULE_IS_CANCELLED),
        [SCHEDULE_ENDED] = 0,
        [SCHEDULE_IS_CANCELLED] = 0,
};
const struct fsm schedule_fsm = {"schedule", schedule_names, 4, schedule_moves};

enum schedule_state schedule_state_at(const struct schedule *schedule, int64_t now) {
        if (schedule->cancelled)
                return SCHEDULE_IS_CANCELLED;
        if (now < schedule->opens_at)
                return SCHEDULE_UPCOMING;
        return now < schedule->ends_at ? SCHEDULE_ON_SALE : SCHEDULE_ENDED;
}

void schedule_wish_init(struct schedule_wish *wish) {
        *wish = (struct schedule_wish){
                WISH_NONE, WISH_NONE, WISH_NONE, WISH_NONE, WISH_NONE, WISH_NONE, WISH_NONE,
                WISH_NONE, WISH_NONE, WISH_NONE, WISH_NONE, WISH_NONE, WISH_NONE, NULL, 0,
        };
}

static int64_t wished(int64_t wish, int64_t otherwise) {
        return wish != WISH_NONE ? wish : otherwise;
}

/* Everything but the prices, over what *schedule holds. */
static void apply(struct schedule *schedule, const struct schedule_wish *wish) {
        schedule->starts_at = wished(wish->starts_at, schedule->starts_at);
        schedule->opens_at = wished(wish->opens_at, schedule->opens_at);
        schedule->ends_at = wished(wish->ends_at, schedule->ends_at);
        schedule->cancel_until = wished(wish->cancel_until, schedule->cancel_until);
        schedule->cancel_refund_percent = (uint32_t)wished(wish->cancel_refund_percent, schedule->cancel_refund_percent);
        schedule->cap = (uint32_t)wished(wish->cap, schedule->cap);
        schedule->hold_seconds = (uint32_t)wished(wish->hold_seconds, schedule->hold_seconds);
        struct line_settings *line = &schedule->line;
        line->capacity = (uint32_t)wished(wish->line_capacity, line->capacity);
        line->rate = (uint32_t)wished(wish->line_rate, line->rate);
        line->pass_seconds = (uint32_t)wished(wish->line_pass_seconds, line->pass_seconds);
        line->waiting_max = (uint32_t)wished(wish->line_waiting_max, line->waiting_max);
        line->enabled = wished(wish->line_enabled, line->enabled) != 0;
        line->lobby_opens_at = wished(wish->lobby_opens_at, line->lobby_opens_at);
}

static int check_times(const struct schedule *schedule, int64_t now) {
        if (schedule->ends_at <= schedule->opens_at)
                return SCHEDULE_ENDS_BEFORE_OPENING;
        if (schedule->ends_at <= now)
                return SCHEDULE_ENDS_IN_PAST;
        if (schedule->line.lobby_opens_at > schedule->opens_at)
                return SCHEDULE_LOBBY_AFTER_OPENING;
        return SCHEDULE_ACCEPTED;
}

static uint32_t category_of(const struct plan *plan, struct text name) {
        uint32_t i = 0;
        while (i < plan->category_count && !text_equal(text_of(plan->categories[i].name), name))
                i++;
        return i;
}

static bool is_named_before(const struct schedule_wish *wish, size_t grade) {
        for (size_t i = 0; i < grade; i++) {
                if (text_equal(wish->grades[i].category, wish->grades[grade].category))
                        return true;
        }
        return false;
}

/* `on_sale`: amounts before the wish; NULL: any category may be priced. */
static int price(struct schedule *schedule, const struct schedule_wish *wish, const struct plan *plan, const int64_t *on_sale) {
        for (size_t i = 0; i < wish->grade_count; i++) {
                uint32_t category = category_of(plan, wish->grades[i].category);
                if (category == plan->category_count)
                        return SCHEDULE_CATEGORY_UNKNOWN;
                if (is_named_before(wish, i))
                        return SCHEDULE_CATEGORY_TWICE;
                if (on_sale && on_sale[category] < 0)
                        return SCHEDULE_CATEGORY_NOT_FOR_SALE;
                schedule->amounts[category] = wish->grades[i].amount;
        }
        return SCHEDULE_ACCEPTED;
}

int schedule_create_decide(const struct schedule_wish *wish, const struct plan *plan, int64_t now, struct schedule *ret_schedule) {
        PRE(wish->starts_at != WISH_NONE && wish->opens_at != WISH_NONE);
        struct schedule schedule = {
                .ends_at = wish->starts_at,
                .cancel_until = wish->starts_at,
                .cancel_refund_percent = REFUND_PERCENT_DEFAULT,
                .cap = CAP_DEFAULT,
                .hold_seconds = HOLD_SECONDS_DEFAULT,
                .line = {
                        .capacity = LINE_CAPACITY_DEFAULT,
                        .rate = LINE_RATE_DEFAULT,
                        .pass_seconds = PASS_SECONDS_DEFAULT,
                        .waiting_max = LINE_WAITING_DEFAULT,
                        .enabled = true,
                        .lobby_opens_at = wish->opens_at > LOBBY_MS_DEFAULT ? wish->opens_at - LOBBY_MS_DEFAULT : 0,
                },
        };
        for (size_t i = 0; i < PLAN_CATEGORIES_MAX; i++)
                schedule.amounts[i] = -1;
        apply(&schedule, wish);
        int outcome = check_times(&schedule, now);
        if (outcome == SCHEDULE_ACCEPTED)
                outcome = price(&schedule, wish, plan, NULL);
        if (outcome == SCHEDULE_ACCEPTED)
                *ret_schedule = schedule;
        return outcome;
}

int schedule_change_decide(const struct schedule *schedule, const struct schedule_wish *wish, int64_t now, struct schedule *ret_schedule) {
        enum schedule_state state = schedule_state_at(schedule, now);
        if (state == SCHEDULE_ENDED || state == SCHEDULE_IS_CANCELLED)
                return SCHEDULE_CANNOT_CHANGE;
        struct schedule changed = *schedule;
        apply(&changed, wish);
        bool opens_otherwise = changed.opens_at != schedule->opens_at || changed.line.lobby_opens_at != schedule->line.lobby_opens_at;
        if (state == SCHEDULE_ON_SALE && opens_otherwise)
                return SCHEDULE_OPENING_FIXED;
        if (state == SCHEDULE_ON_SALE && wish->grades)
                return SCHEDULE_PRICES_FIXED;
        int outcome = check_times(&changed, now);
        if (outcome == SCHEDULE_ACCEPTED)
                outcome = price(&changed, wish, schedule->plan, schedule->amounts);
        if (outcome == SCHEDULE_ACCEPTED)
                *ret_schedule = changed;
        return outcome;
}

bool event_may_change(account_id owner, account_id account, enum role role) {
        return owner == account || role == ROLE_OPERATOR;
}

bool currency_is_sound(struct text currency) {
        bool sound = currency.length == 3;
        for (size_t i = 0; sound && i < currency.length; i++)
                sound = currency.at[i] >= 'A' && currency.at[i] <= 'Z';
        return sound;
}
