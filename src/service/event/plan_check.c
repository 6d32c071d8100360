/* plan_check.c: what an importer has to check itself, because the format's schema cannot say it.
 *
 * Real exports repeat seat ids; trusting them would merge two seats into one and sell it to the wrong person. So every
 * id that is used twice is named, with all the seats that use it. */
#include "service/event/plan_document.h"

#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

enum { PATH_MAX_BYTES = 80 };

/* Where a seat stands in the document, and what it is known by. */
struct seat_place {
        struct text identity;
        uint64_t hash;
        uint32_t order; /* in the document */
        uint32_t zone, row, seat;
};

struct check {
        struct plan_document *document;
        struct plan_problems *problems;
        struct seat_place *places;
        size_t seat_count, row_count;
        bool by_uuid;
};

static const char *identity_field(const struct check *check) {
        return check->by_uuid ? "uuid" : "seat_guid";
}

static void path_of(const struct seat_place *place, char out[static PATH_MAX_BYTES]) {
        snprintf(out, PATH_MAX_BYTES, "zones[%u].rows[%u].seats[%u]", place->zone, place->row, place->seat);
}

static int check_categories(const struct check *check) {
        const struct document_category *categories = check->document->categories.items;
        int fault = 0;
        for (size_t i = 0; !fault && i < check->document->categories.count; i++) {
                for (size_t k = 0; !fault && k < i; k++) {
                        if (text_equal(categories[i].name, categories[k].name))
                                fault = plan_problem_add(check->problems, "categories[%zu].name: \"%s\" is the name of categories[%zu] too",
                                                         i, categories[i].name.at, k);
                }
        }
        return fault;
}

static bool identity_is_sound(struct text identity) {
        for (size_t i = 0; i < identity.length; i++) {
                if ((unsigned char)identity.at[i] < ' ' || identity.at[i] == 0x7f)
                        return false;
        }
        return identity.length > 0 && identity.at[0] != ' ' && identity.at[identity.length - 1] != ' ';
}

static int check_seat(const struct check *check, struct document_seat *seat, const struct seat_place *place) {
        const struct document_category *categories = check->document->categories.items;
        size_t count = check->document->categories.count;
        char path[PATH_MAX_BYTES];
        int fault = 0;
        while (seat->category_index < count && !text_equal(categories[seat->category_index].name, seat->category))
                seat->category_index++;
        if (seat->category_index == count) {
                path_of(place, path);
                fault = plan_problem_add(check->problems, "%s.category: there is no category \"%s\"", path, seat->category.at);
        }
        if (!fault && check->by_uuid && !seat->uuid.at) {
                path_of(place, path);
                fault = plan_problem_add(check->problems, "%s.uuid: is required, as seats are to be known by it", path);
        } else if (!fault && !identity_is_sound(place->identity)) {
                path_of(place, path);
                fault = plan_problem_add(check->problems, "%s.%s: must not be empty, begin or end with a blank, or hold control characters",
                                         path, identity_field(check));
        }
        return fault;
}

/* Every seat in turn, and its place noted. */
static int check_seats(struct check *check) {
        const struct document_zone *zones = check->document->zones.items;
        uint32_t order = 0;
        int fault = 0;
        for (uint32_t z = 0; z < check->document->zones.count; z++) {
                const struct document_row *rows = zones[z].rows.items;
                for (uint32_t r = 0; r < zones[z].rows.count; r++) {
                        struct document_seat *seats = rows[r].seats.items;
                        for (uint32_t s = 0; !fault && s < rows[r].seats.count; s++, order++) {
                                struct text identity = check->by_uuid ? seats[s].uuid : seats[s].guid;
                                struct seat_place *place = &check->places[order];
                                *place = (struct seat_place){identity, text_hash(identity.at, identity.length, 0), order, z, r, s};
                                fault = check_seat(check, &seats[s], place);
                        }
                }
        }
        return fault;
}

static int compare_texts(struct text a, struct text b) {
        size_t both = a.length < b.length ? a.length : b.length;
        int order = both > 0 ? memcmp(a.at, b.at, both) : 0; /* what is absent is NULL */
        return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

/* The hash first: it tells most apart without looking at the bytes. */
static int by_identity(const void *left, const void *right) {
        const struct seat_place *a = left, *b = right;
        if (a->hash != b->hash)
                return a->hash < b->hash ? -1 : 1;
        int order = compare_texts(a->identity, b->identity);
        return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

static int by_order_of_first(const void *left, const void *right) {
        const struct seat_place *a = *(const struct seat_place *const *)left, *b = *(const struct seat_place *const *)right;
        return (a->order > b->order) - (a->order < b->order);
}

static size_t group_length(const struct check *check, const struct seat_place *first) {
        const struct seat_place *end = check->places + check->seat_count, *at = first + 1;
        while (at < end && text_equal(at->identity, first->identity))
                at++;
        return (size_t)(at - first);
}

static int name_repeated(const struct check *check, const struct seat_place *first, size_t length) {
        char path[PATH_MAX_BYTES], all[PLAN_PROBLEM_BYTES] = "";
        size_t used = 0;
        for (size_t i = 0; i < length && used < sizeof all - PATH_MAX_BYTES; i++) {
                path_of(&first[i], path);
                used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", path);
        }
        path_of(first, path);
        return plan_problem_add(check->problems, "%s.%s: \"%s\" is used by %zu seats: %s", path, identity_field(check),
                                first->identity.at, length, all);
}

static int check_unique(struct check *check, struct arena *arena) {
        qsort(check->places, check->seat_count, sizeof *check->places, by_identity);
        const struct seat_place **repeated = arena_take(arena, check->seat_count / 2 * sizeof(struct seat_place *));
        if (!repeated)
                return -ENOMEM;
        size_t count = 0;
        for (size_t i = 0, length; i < check->seat_count; i += length) {
                length = group_length(check, &check->places[i]);
                if (length > 1 && check->places[i].identity.length > 0)
                        repeated[count++] = &check->places[i];
        }
        qsort(repeated, count, sizeof(struct seat_place *), by_order_of_first);
        int fault = 0;
        for (size_t i = 0; !fault && i < count; i++)
                fault = name_repeated(check, repeated[i], group_length(check, repeated[i]));
        return fault;
}

static void count_seats(struct check *check) {
        const struct document_zone *zones = check->document->zones.items;
        for (size_t z = 0; z < check->document->zones.count; z++) {
                const struct document_row *rows = zones[z].rows.items;
                for (size_t r = 0; r < zones[z].rows.count; r++)
                        check->seat_count += rows[r].seats.count;
                check->row_count += zones[z].rows.count;
        }
}

int plan_check(struct plan_document *document, bool by_uuid, struct arena *arena, struct plan_problems *problems) {
        struct check check = {.document = document, .problems = problems, .by_uuid = by_uuid};
        count_seats(&check);
        if (check.seat_count == 0)
                return plan_problem_add(problems, "zones: there is no seat in the plan");
        if (check.seat_count > PLAN_SEATS_MAX || check.row_count > PLAN_SEATS_MAX)
                return plan_problem_add(problems, "zones: there are %zu seats in %zu rows, and a plan may have %d of each",
                                        check.seat_count, check.row_count, PLAN_SEATS_MAX);
        check.places = arena_take(arena, check.seat_count * sizeof *check.places);
        if (!check.places)
                return -ENOMEM;
        int fault = check_categories(&check);
        if (!fault)
                fault = check_seats(&check);
        return fault ? fault : check_unique(&check, arena);
}
