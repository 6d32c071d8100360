/* plan_read.c: from the public seating-plan JSON to a plan: read, check, build.
 *
 *   JSON ── plan_document.c: form ──► struct plan_document ── plan_check.c: sense ──► here: struct plan
 *
 * Seats are numbered in the order of the document. Their place becomes absolute: zone + row + seat. */
#include "service/event/plan_document.h"
#include "service/event/plan_memory.h"

#include "base/assert.h"

#include <stdio.h>

/* The parser's tree and the document of a plan with 100,000 seats need about 200 MiB while they are read. */
enum { PLAN_ARENA_MAX = 512 * 1024 * 1024 };

/* --- problems of form --- */

struct listener { struct plan_problems *problems; int fault; };

static bool hear_problem(void *context, const char *path, const char *reason) {
        struct listener *listener = context;
        listener->fault = plan_problem_add(listener->problems, "%s%s%s", *path ? path : "plan", *path ? ": " : ": the document ", reason);
        return !listener->fault;
}

/* --- the strings of a plan --- */

/* Without `plan` the writer only counts. */
struct string_writer { struct plan *plan; size_t used; };

static const char *write_joined(struct string_writer *writer, struct text first, struct text second, struct text third) {
        const struct text pieces[] = {first, second, third};
        char *string = writer->plan ? (char *)writer->plan->memory + writer->used : NULL;
        size_t length = 0;
        for (size_t i = 0; i < 3; i++) {
                if (string && pieces[i].length > 0)
                        memcpy(string + length, pieces[i].at, pieces[i].length);
                length += pieces[i].length;
        }
        writer->used += length + 1; /* plan_new has zeroed the end */
        return string;
}

static const char *write_string(struct string_writer *writer, struct text text) {
        return write_joined(writer, text, (struct text){0}, (struct text){0});
}

/* "%s열" and "A" → "A열"; a label without %s, or none: the number alone, or behind the label. */
static const char *write_row_label(struct string_writer *writer, const struct document_row *row) {
        if (row->label.length == 0)
                return write_string(writer, row->number);
        const char *mark = memmem(row->label.at, row->label.length, "%s", 2);
        if (!mark)
                return write_joined(writer, row->label, TEXT(" "), row->number);
        struct text before = {row->label.at, (size_t)(mark - row->label.at)};
        struct text after = {mark + 2, row->label.length - before.length - 2};
        return write_joined(writer, before, row->number, after);
}

/* --- building --- */

struct builder {
        const struct plan_document *document;
        struct string_writer strings;
        bool by_uuid;
        uint32_t zones, rows, seats;
};

static void build_seat(struct builder *builder, const struct document_seat *seat, struct document_position origin) {
        const char *guid = write_string(&builder->strings, builder->by_uuid ? seat->uuid : seat->guid);
        const char *number = write_string(&builder->strings, seat->number);
        if (builder->strings.plan)
                builder->strings.plan->seats[builder->seats] = (struct plan_seat){
                        .guid = guid,
                        .number = number,
                        .row = builder->rows,
                        .category = seat->category_index,
                        .x = (float)(origin.x + seat->position.x),
                        .y = (float)(origin.y + seat->position.y),
                };
        builder->seats++;
}

static void build_row(struct builder *builder, const struct document_zone *zone, const struct document_row *row) {
        const char *label = write_row_label(&builder->strings, row);
        const char *seat_label = row->seat_label.length > 0 ? write_string(&builder->strings, row->seat_label) : NULL;
        if (builder->strings.plan)
                builder->strings.plan->rows[builder->rows] =
                        (struct plan_row){label, seat_label, builder->zones, builder->seats, (uint32_t)row->seats.count};
        const struct document_seat *seats = row->seats.items;
        struct document_position origin = {zone->position.x + row->position.x, zone->position.y + row->position.y};
        for (size_t i = 0; i < row->seats.count; i++)
                build_seat(builder, &seats[i], origin);
        builder->rows++;
}

static void build_zone(struct builder *builder, const struct document_zone *zone) {
        const char *name = write_string(&builder->strings, zone->name.length > 0 ? zone->name : zone->id);
        if (builder->strings.plan)
                builder->strings.plan->zones[builder->zones].name = name;
        const struct document_row *rows = zone->rows.items;
        for (size_t i = 0; i < zone->rows.count; i++)
                build_row(builder, zone, &rows[i]);
        builder->zones++;
}

static void build(struct builder *builder) {
        const struct plan_document *document = builder->document;
        struct plan *plan = builder->strings.plan;
        const char *name = write_string(&builder->strings, document->name);
        if (plan) {
                plan->name = name;
                plan->width = (uint32_t)document->size.width;
                plan->height = (uint32_t)document->size.height;
        }
        const struct document_category *categories = document->categories.items;
        for (size_t i = 0; i < document->categories.count; i++) {
                struct plan_category category = {.name = write_string(&builder->strings, categories[i].name)};
                if (categories[i].color.length > 0)
                        category.color = write_string(&builder->strings, categories[i].color);
                if (plan)
                        plan->categories[i] = category;
        }
        const struct document_zone *zones = document->zones.items;
        for (size_t i = 0; i < document->zones.count; i++)
                build_zone(builder, &zones[i]);
}

/* Twice the same walk: first to count, then to write. */
static int plan_build(struct plan **ret_plan, const struct plan_document *document, bool by_uuid) {
        struct builder counter = {.document = document, .by_uuid = by_uuid};
        build(&counter);
        struct plan *plan = plan_new(&(struct plan_sizes){document->categories.count, counter.zones, counter.rows, counter.seats,
                                                          counter.strings.used});
        if (!plan)
                return -ENOMEM;
        struct builder writer = {.document = document, .by_uuid = by_uuid, .strings.plan = plan};
        build(&writer);
        POST(writer.strings.used == counter.strings.used);
        *ret_plan = plan;
        return 0;
}

static int read_document(struct plan_document *document, struct plan_problems *problems, struct text json, bool by_uuid,
                         struct arena *arena) {
        struct listener listener = {.problems = problems};
        int r = json_read_all(json, plan_document_fields, document, arena, hear_problem, &listener);
        if (listener.fault)
                return listener.fault;
        return r == 0 ? plan_check(document, by_uuid, arena, problems) : r < 0 ? r : 0;
}

int plan_read(struct plan **ret_plan, struct plan_problems *ret_problems, struct text json, bool by_uuid) {
        struct plan_problems problems = {0};
        struct plan_document document = {0};
        struct plan *plan = NULL;
        struct arena arena;
        arena_init(&arena, PLAN_ARENA_MAX);
        int fault = 0;
        if (json.length > PLAN_BYTES_MAX)
                fault = plan_problem_add(&problems, "plan: the document is larger than %d bytes", PLAN_BYTES_MAX);
        else
                fault = read_document(&document, &problems, json, by_uuid, &arena);
        if (!fault && problems.count == 0)
                fault = plan_build(&plan, &document, by_uuid);
        arena_deinit(&arena);
        if (fault || problems.count == 0) {
                plan_problems_deinit(&problems);
                if (fault)
                        return fault;
                *ret_plan = plan;
                return PLAN_OK;
        }
        *ret_problems = problems;
        return PLAN_REFUSED;
}
