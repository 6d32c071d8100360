/* plan_document.c: the public seating-plan format as tables of fields: what must be there, what may be, nothing else. */
#include "service/event/plan_document.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
        COORDINATE_MAX = 1000000, /* pixels */
        TEXT_POINTS_MAX = 200,
        UUID_POINTS_MAX = 64,
        COLOR_POINTS_MAX = 64,
        ROWS_MAX = 20000,     /* of a zone */
        AREAS_MAX = 20000,    /* of a zone */
        POINTS_MAX = 100000,  /* of a polygon */
        ROTATION_MAX = 1000000,
};

#define FIELD_TEXT(key, structure, member, least) \
        {.name = key, .type = JSON_TEXT, .offset = offsetof(structure, member), .min = least, .max = TEXT_POINTS_MAX}
#define MAY_TEXT(key, structure, member, most) \
        {.name = key, .type = JSON_TEXT, .optional = true, .offset = offsetof(structure, member), .max = most}
#define MAY_REAL(key, structure, member, least, most)                                                          \
        {.name = key, .type = JSON_REAL, .optional = true, .offset = offsetof(structure, member), .min = least, \
         .max = most}
#define PLACE(structure, member, may) \
        {.name = "position", .type = JSON_OBJECT, .optional = may, .offset = offsetof(structure, member), .fields = position_fields}

static const struct json_field position_fields[] = {
        {.name = "x", .type = JSON_REAL, .offset = offsetof(struct document_position, x), .min = -COORDINATE_MAX, .max = COORDINATE_MAX},
        {.name = "y", .type = JSON_REAL, .offset = offsetof(struct document_position, y), .min = -COORDINATE_MAX, .max = COORDINATE_MAX},
        {0},
};

static const struct json_field category_fields[] = {
        FIELD_TEXT("name", struct document_category, name, 1),
        MAY_TEXT("color", struct document_category, color, COLOR_POINTS_MAX),
        {0},
};

static const struct json_field seat_fields[] = {
        FIELD_TEXT("seat_guid", struct document_seat, guid, 0),
        FIELD_TEXT("seat_number", struct document_seat, number, 0),
        PLACE(struct document_seat, position, false),
        FIELD_TEXT("category", struct document_seat, category, 0),
        MAY_TEXT("uuid", struct document_seat, uuid, UUID_POINTS_MAX),
        MAY_TEXT("start_direction", struct document_seat, start_direction, 2),
        MAY_REAL("radius", struct document_seat, radius, 0, COORDINATE_MAX),
        {0},
};
static const struct json_field seat_item = {.type = JSON_OBJECT, .fields = seat_fields};

static const struct json_field row_fields[] = {
        FIELD_TEXT("row_number", struct document_row, number, 0),
        {.name = "seats", .type = JSON_LIST, .offset = offsetof(struct document_row, seats), .max = PLAN_SEATS_MAX, .item = &seat_item,
         .item_size = sizeof(struct document_seat)},
        PLACE(struct document_row, position, true),
        MAY_TEXT("row_label", struct document_row, label, TEXT_POINTS_MAX),
        MAY_TEXT("seat_label", struct document_row, seat_label, TEXT_POINTS_MAX),
        MAY_TEXT("row_number_position", struct document_row, number_position, TEXT_POINTS_MAX),
        MAY_TEXT("uuid", struct document_row, uuid, UUID_POINTS_MAX),
        {0},
};
static const struct json_field row_item = {.type = JSON_OBJECT, .fields = row_fields};

/* Decoration. Everything of an area may be missing, and nothing of it is kept but in the document itself. */
struct area {
        struct text color, border_color, uuid, shape;
        double rotation;
        struct document_position position, radii;
        struct json_list points;
        double width, height, radius, size;
        struct text text, text_color;
        struct document_position text_position;
};

static const struct json_field point_item = {.type = JSON_OBJECT, .fields = position_fields};
static const struct json_field polygon_fields[] = {
        {.name = "points", .type = JSON_LIST, .offset = offsetof(struct area, points), .max = POINTS_MAX, .item = &point_item,
         .item_size = sizeof(struct document_position)},
        {0},
};
static const struct json_field rectangle_fields[] = {
        {.name = "width", .type = JSON_REAL, .offset = offsetof(struct area, width), .min = -COORDINATE_MAX, .max = COORDINATE_MAX},
        {.name = "height", .type = JSON_REAL, .offset = offsetof(struct area, height), .min = -COORDINATE_MAX, .max = COORDINATE_MAX},
        {0},
};
static const struct json_field ellipse_fields[] = {
        {.name = "radius", .type = JSON_OBJECT, .offset = offsetof(struct area, radii), .fields = position_fields},
        {0},
};
static const struct json_field circle_fields[] = {
        {.name = "radius", .type = JSON_REAL, .offset = offsetof(struct area, radius), .min = 0, .max = COORDINATE_MAX},
        {0},
};
static const struct json_field text_fields[] = {
        FIELD_TEXT("text", struct area, text, 0),
        PLACE(struct area, text_position, false),
        MAY_TEXT("color", struct area, text_color, COLOR_POINTS_MAX),
        MAY_REAL("size", struct area, size, 0, COORDINATE_MAX),
        {0},
};
#define SHAPE(key, its_fields) {.name = key, .type = JSON_OBJECT, .optional = true, .fields = its_fields}
static const struct json_field area_fields[] = {
        MAY_TEXT("color", struct area, color, COLOR_POINTS_MAX),
        MAY_TEXT("border_color", struct area, border_color, COLOR_POINTS_MAX),
        MAY_REAL("rotation", struct area, rotation, -ROTATION_MAX, ROTATION_MAX),
        PLACE(struct area, position, true),
        MAY_TEXT("uuid", struct area, uuid, UUID_POINTS_MAX),
        MAY_TEXT("shape", struct area, shape, UUID_POINTS_MAX),
        SHAPE("polygon", polygon_fields),
        SHAPE("rectangle", rectangle_fields),
        SHAPE("ellipse", ellipse_fields),
        SHAPE("circle", circle_fields),
        SHAPE("text", text_fields),
        {0},
};
static const struct json_field area_item = {.type = JSON_OBJECT, .fields = area_fields};

static const struct json_field zone_fields[] = {
        PLACE(struct document_zone, position, false),
        {.name = "rows", .type = JSON_LIST, .offset = offsetof(struct document_zone, rows), .max = ROWS_MAX, .item = &row_item,
         .item_size = sizeof(struct document_row)},
        MAY_TEXT("name", struct document_zone, name, TEXT_POINTS_MAX),
        MAY_TEXT("zone_id", struct document_zone, id, TEXT_POINTS_MAX),
        MAY_TEXT("uuid", struct document_zone, uuid, UUID_POINTS_MAX),
        {.name = "areas", .type = JSON_LIST, .optional = true, .offset = offsetof(struct document_zone, areas), .max = AREAS_MAX,
         .item = &area_item, .item_size = sizeof(struct area)},
        {0},
};
static const struct json_field zone_item = {.type = JSON_OBJECT, .fields = zone_fields};
static const struct json_field category_item = {.type = JSON_OBJECT, .fields = category_fields};

static const struct json_field size_fields[] = {
        {.name = "width", .type = JSON_INTEGER, .offset = offsetof(struct document_size, width), .min = 1, .max = COORDINATE_MAX},
        {.name = "height", .type = JSON_INTEGER, .offset = offsetof(struct document_size, height), .min = 1, .max = COORDINATE_MAX},
        {0},
};

const struct json_field plan_document_fields[] = {
        FIELD_TEXT("name", struct plan_document, name, 0),
        {.name = "size", .type = JSON_OBJECT, .offset = offsetof(struct plan_document, size), .fields = size_fields},
        {.name = "categories", .type = JSON_LIST, .offset = offsetof(struct plan_document, categories), .max = PLAN_CATEGORIES_MAX,
         .item = &category_item, .item_size = sizeof(struct document_category)},
        {.name = "zones", .type = JSON_LIST, .offset = offsetof(struct plan_document, zones), .max = PLAN_ZONES_MAX, .item = &zone_item,
         .item_size = sizeof(struct document_zone)},
        {0},
};

/* Room for 2^k lines, doubled when they are full. */
static int problems_grow(struct plan_problems *problems) {
        unsigned kept = problems->count;
        if (kept > 0 && (kept & (kept - 1)) != 0)
                return 0;
        void *more = realloc(problems->lines, (kept > 0 ? 2 * (size_t)kept : 1) * sizeof *problems->lines);
        if (!more)
                return -ENOMEM;
        problems->lines = more;
        return 0;
}

int plan_problem_add(struct plan_problems *problems, const char *format, ...) {
        if (problems->count < PLAN_PROBLEMS_MAX) {
                int fault = problems_grow(problems);
                if (fault)
                        return fault;
                va_list arguments;
                va_start(arguments, format);
                vsnprintf(problems->lines[problems->count], PLAN_PROBLEM_BYTES, format, arguments);
                va_end(arguments);
        }
        problems->count++;
        return 0;
}

void plan_problems_deinit(struct plan_problems *problems) {
        free(problems->lines);
        *problems = (struct plan_problems){0};
}
