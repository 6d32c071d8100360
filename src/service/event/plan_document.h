/* plan_document.h: a seating plan as its file says it, before anything is checked that the schema cannot say. */
#ifndef TICKETRUSH_SERVICE_EVENT_PLAN_DOCUMENT_H
#define TICKETRUSH_SERVICE_EVENT_PLAN_DOCUMENT_H

#include "port/json.h"
#include "service/event/event.h"

struct document_position { double x, y; };
struct document_category { struct text name, color; };

struct document_seat {
        struct text guid, number, uuid, category, start_direction;
        struct document_position position; /* relative to its row */
        double radius;
        uint16_t category_index; /* filled by plan_check */
};

struct document_row {
        struct text number, label, seat_label, uuid, number_position;
        struct document_position position; /* relative to its zone */
        struct json_list seats;            /* struct document_seat */
};

struct document_zone {
        struct text name, id, uuid;
        struct document_position position;
        struct json_list rows;  /* struct document_row */
        struct json_list areas; /* decoration: its form is checked, and no more */
};

struct document_size { int64_t width, height; };

struct plan_document {
        struct text name;
        struct document_size size;
        struct json_list categories; /* struct document_category */
        struct json_list zones;      /* struct document_zone */
};

extern const struct json_field plan_document_fields[];

/* Adds one line, cut to PLAN_PROBLEM_BYTES; beyond PLAN_PROBLEMS_MAX it is only counted. 0 or fault. */
int plan_problem_add(struct plan_problems *problems, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What the schema cannot say: identities are there and unique, categories exist, there is a seat, limits are kept.
 * Names every problem; fills category_index. 0 or fault. */
int plan_check(struct plan_document *document, bool by_uuid, struct arena *arena, struct plan_problems *problems);

#endif
