/* event_json.c: see event_json.h. */
#include "service/event/event_json.h"

#include "service/desk.h"

int64_t schedule_fresh_until(const struct schedule *schedule, int64_t now) {
        switch (schedule_state_at(schedule, now)) {
        case SCHEDULE_UPCOMING:
                return schedule->opens_at;
        case SCHEDULE_ON_SALE:
                return schedule->ends_at;
        default:
                return INT64_MAX;
        }
}

int64_t event_fresh_until(const struct event_entry *event, int64_t now) {
        int64_t until = INT64_MAX;
        for (const struct schedule_entry *entry = event->first; entry; entry = entry->next) {
                int64_t its = schedule_fresh_until(&entry->record->schedule, now);
                until = its < until ? its : until;
        }
        return until;
}

static void write_words(struct json_writer *json, const struct event_record *record) {
        json_id(json, "eventId", ID_EVENT, record->id);
        json_text(json, "title", record->words.title);
        json_text(json, "city", record->words.city);
        json_text(json, "category", record->words.category);
        json_time(json, "createdAt", record->created_at);
}

void write_event_summary(struct json_writer *json, const struct event_entry *event) {
        int64_t first = 0, last = 0;
        unsigned count = 0;
        for (const struct schedule_entry *entry = event->first; entry; entry = entry->next, count++) {
                int64_t starts_at = entry->record->schedule.starts_at;
                first = first == 0 || starts_at < first ? starts_at : first;
                last = starts_at > last ? starts_at : last;
        }
        json_object(json, NULL);
        write_words(json, event->record);
        json_number(json, "scheduleCount", count);
        json_time(json, "firstStartsAt", first);
        json_time(json, "lastStartsAt", last);
        json_object_end(json);
}

/* The cheapest and the dearest seat that is for sale. */
static void write_price_range(struct json_writer *json, const struct schedule *schedule) {
        int64_t least = INT64_MAX, most = -1;
        for (size_t i = 0; i < PLAN_CATEGORIES_MAX; i++) {
                int64_t amount = schedule->amounts[i];
                if (amount < 0)
                        continue;
                least = amount < least ? amount : least;
                most = amount > most ? amount : most;
        }
        if (most < 0)
                return;
        desk_write_money(json, "priceFrom", least, schedule->currency);
        desk_write_money(json, "priceTo", most, schedule->currency);
}

static void write_times(struct json_writer *json, const struct schedule *schedule, int64_t now) {
        json_id(json, "scheduleId", ID_SCHEDULE, schedule->id);
        json_id(json, "eventId", ID_EVENT, schedule->event);
        json_string(json, "state", fsm_state_name(&schedule_fsm, schedule_state_at(schedule, now)));
        json_time(json, "startsAt", schedule->starts_at);
        json_time(json, "opensAt", schedule->opens_at);
        json_time(json, "endsAt", schedule->ends_at);
}

void write_schedules(struct json_writer *json, const struct event_entry *event, int64_t now) {
        json_array(json, "schedules");
        for (const struct schedule_entry *entry = event->first; entry; entry = entry->next) {
                json_object(json, NULL);
                write_times(json, &entry->record->schedule, now);
                write_price_range(json, &entry->record->schedule);
                json_object_end(json);
        }
        json_array_end(json);
}

void write_event(struct json_writer *json, const struct event_entry *event, int64_t now) {
        json_object(json, NULL);
        write_words(json, event->record);
        json_text(json, "description", event->record->words.description);
        write_schedules(json, event, now);
        json_object_end(json);
}

static void write_grades(struct json_writer *json, const struct schedule *schedule) {
        uint32_t seats[PLAN_CATEGORIES_MAX] = {0};
        for (uint32_t i = 0; i < schedule->plan->seat_count; i++)
                seats[schedule->plan->seats[i].category]++;
        json_array(json, "grades");
        for (uint32_t i = 0; i < schedule->plan->category_count; i++) {
                if (schedule->amounts[i] < 0)
                        continue;
                json_object(json, NULL);
                json_string(json, "category", schedule->plan->categories[i].name);
                json_string(json, "color", schedule->plan->categories[i].color);
                desk_write_money(json, "price", schedule->amounts[i], schedule->currency);
                json_number(json, "seats", seats[i]);
                json_object_end(json);
        }
        json_array_end(json);
}

static void write_line(struct json_writer *json, const struct line_settings *line) {
        json_object(json, "line");
        json_bool(json, "enabled", line->enabled);
        json_number(json, "capacity", line->capacity);
        json_number(json, "rate", line->rate);
        json_number(json, "passSeconds", line->pass_seconds);
        json_number(json, "waitingMax", line->waiting_max);
        json_time(json, "lobbyOpensAt", line->lobby_opens_at);
        json_object_end(json);
}

void write_schedule(struct json_writer *json, const struct schedule_record *record, int64_t now) {
        const struct schedule *schedule = &record->schedule;
        char commitment[2 * sizeof schedule->draw_commitment];
        text_hex(commitment, schedule->draw_commitment, sizeof schedule->draw_commitment);
        json_object(json, NULL);
        write_times(json, schedule, now);
        json_id(json, "planId", ID_PLAN, record->plan);
        json_number(json, "seats", schedule->plan->seat_count);
        json_time(json, "cancelUntil", schedule->cancel_until);
        json_number(json, "cancelRefundPercent", schedule->cancel_refund_percent);
        json_number(json, "cap", schedule->cap);
        json_number(json, "holdSeconds", schedule->hold_seconds);
        json_string(json, "currency", schedule->currency);
        write_grades(json, schedule);
        write_line(json, &schedule->line);
        json_bool(json, "admissionPaused", schedule->admission_paused);
        json_bool(json, "salePaused", schedule->sale_paused);
        json_text(json, "drawCommitment", (struct text){commitment, sizeof commitment});
        json_time(json, "createdAt", record->created_at);
        json_object_end(json);
}
