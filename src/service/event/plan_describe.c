/* plan_describe.c: a plan in words: the label of a seat, and what is in the whole. */
#include "service/event/event.h"

#include "base/assert.h"
#include "base/json_writer.h"

#include <stdio.h>

/* --- labels --- */

struct label { char *out; size_t capacity, length; };

/* What does not fit is cut between characters, and nothing follows. */
static void label_add(struct label *label, const char *at, size_t n) {
        size_t room = label->capacity - 1 - label->length;
        if (n > room) {
                n = room;
                while (n > 0 && ((unsigned char)at[n] & 0xc0) == 0x80)
                        n--;
                label->capacity = label->length + n + 1;
        }
        memcpy(label->out + label->length, at, n);
        label->length += n;
}

static void label_add_word(struct label *label, const char *word) {
        if (!*word)
                return;
        if (label->length > 0)
                label_add(label, " ", 1);
        label_add(label, word, strlen(word));
}

static void label_add_seat(struct label *label, const char *format, const char *number) {
        const char *mark = format ? strstr(format, "%s") : NULL;
        if (!mark) {
                label_add_word(label, format ? format : "");
                label_add_word(label, number);
                return;
        }
        if (label->length > 0)
                label_add(label, " ", 1);
        label_add(label, format, (size_t)(mark - format));
        label_add(label, number, strlen(number));
        label_add(label, mark + 2, strlen(mark + 2));
}

size_t plan_seat_label(const struct plan *plan, seat_index seat, char *out, size_t capacity) {
        PRE(seat < plan->seat_count && capacity > 0);
        const struct plan_row *row = &plan->rows[plan->seats[seat].row];
        struct label label = {.out = out, .capacity = capacity};
        label_add_word(&label, plan->zones[row->zone].name);
        label_add_word(&label, row->label);
        label_add_seat(&label, row->seat_label, plan->seats[seat].number);
        out[label.length] = '\0';
        return label.length;
}

/* --- the whole --- */

static uint32_t seats_of_category(const struct plan *plan, uint32_t category) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < plan->seat_count; i++)
                count += plan->seats[i].category == category;
        return count;
}

struct zone_counts { uint32_t next_row, rows, seats; };

/* The rows of a zone stand together, zone after zone: goes on where the zone before ended. */
static void count_zone(const struct plan *plan, uint32_t zone, struct zone_counts *counts) {
        counts->rows = counts->seats = 0;
        while (counts->next_row < plan->row_count && plan->rows[counts->next_row].zone == zone) {
                counts->rows++;
                counts->seats += plan->rows[counts->next_row++].seat_count;
        }
}

static void describe_json(const struct plan *plan, struct buffer *out) {
        struct json_writer json;
        json_begin(&json, out);
        json_object(&json, NULL);
        json_string(&json, "name", plan->name);
        json_number(&json, "width", plan->width);
        json_number(&json, "height", plan->height);
        json_number(&json, "seats", plan->seat_count);
        json_number(&json, "rows", plan->row_count);
        json_array(&json, "categories");
        for (uint32_t i = 0; i < plan->category_count; i++) {
                json_object(&json, NULL);
                json_number(&json, "index", i);
                json_string(&json, "name", plan->categories[i].name);
                json_string(&json, "color", plan->categories[i].color);
                json_number(&json, "seats", seats_of_category(plan, i));
                json_object_end(&json);
        }
        json_array_end(&json);
        json_array(&json, "zones");
        struct zone_counts counts = {0};
        for (uint32_t i = 0; i < plan->zone_count; i++) {
                count_zone(plan, i, &counts);
                json_object(&json, NULL);
                json_string(&json, "name", plan->zones[i].name);
                json_number(&json, "rows", counts.rows);
                json_number(&json, "seats", counts.seats);
                json_object_end(&json);
        }
        json_array_end(&json);
        json_object_end(&json);
}

static void describe_words(const struct plan *plan, struct buffer *out) {
        buffer_printf(out, "%s: %u seats in %u rows and %u zones, %u by %u\n\n", plan->name, plan->seat_count, plan->row_count,
                      plan->zone_count, plan->width, plan->height);
        buffer_printf(out, "  seats  category\n");
        for (uint32_t i = 0; i < plan->category_count; i++)
                buffer_printf(out, "%7u  %s\n", seats_of_category(plan, i), plan->categories[i].name);
        buffer_printf(out, "\n  seats   rows  zone\n");
        struct zone_counts counts = {0};
        for (uint32_t i = 0; i < plan->zone_count; i++) {
                count_zone(plan, i, &counts);
                buffer_printf(out, "%7u%7u  %s\n", counts.seats, counts.rows, plan->zones[i].name);
        }
}

void plan_describe(const struct plan *plan, struct buffer *out, bool json) {
        if (json)
                describe_json(plan, out);
        else
                describe_words(plan, out);
}
