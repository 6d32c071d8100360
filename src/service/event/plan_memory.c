/* plan_memory.c: see plan_memory.h. */
#include "service/event/plan_memory.h"

#include "base/assert.h"

#include <stdlib.h>

enum { PACKED_MARK = 0x54525031, NO_STRING = UINT32_MAX };

/* `memory` of a plan. */
struct plan_strings {
        size_t bytes;
        char at[];
};

/* Native byte order: `mark` reads otherwise on a machine of the other order. */
struct packed_head {
        uint32_t mark, width, height, name;
        uint32_t categories, zones, rows, seats, string_bytes;
};
struct packed_category { uint32_t name, color; };
struct packed_zone { uint32_t name; };
struct packed_row { uint32_t label, seat_label, zone, first_seat, seat_count; };
struct packed_seat { uint32_t guid, number, row, category; float x, y; };

static size_t aligned(size_t n) {
        return (n + 15) & ~(size_t)15;
}

struct plan *plan_new(const struct plan_sizes *sizes) {
        size_t categories = aligned(sizeof(struct plan));
        size_t zones = categories + aligned(sizes->categories * sizeof(struct plan_category));
        size_t rows = zones + aligned(sizes->zones * sizeof(struct plan_zone));
        size_t seats = rows + aligned(sizes->rows * sizeof(struct plan_row));
        size_t strings = seats + aligned(sizes->seats * sizeof(struct plan_seat));
        char *block = calloc(1, strings + sizeof(struct plan_strings) + sizes->string_bytes);
        if (!block)
                return NULL;
        struct plan *plan = (struct plan *)(void *)block;
        struct plan_strings *memory = (struct plan_strings *)(void *)(block + strings);
        memory->bytes = sizes->string_bytes;
        *plan = (struct plan){
                .seats = (struct plan_seat *)(void *)(block + seats),
                .rows = (struct plan_row *)(void *)(block + rows),
                .zones = (struct plan_zone *)(void *)(block + zones),
                .categories = (struct plan_category *)(void *)(block + categories),
                .seat_count = (uint32_t)sizes->seats,
                .row_count = (uint32_t)sizes->rows,
                .zone_count = (uint32_t)sizes->zones,
                .category_count = (uint32_t)sizes->categories,
                .memory = memory->at,
        };
        return plan;
}

struct plan *plan_free(struct plan *plan) {
        free(plan);
        return NULL;
}

static const struct plan_strings *strings_of(const struct plan *plan) {
        return (const struct plan_strings *)(const void *)((const char *)plan->memory - offsetof(struct plan_strings, at));
}

static uint32_t packed_string(const struct plan *plan, const char *string) {
        return string ? (uint32_t)(string - (const char *)plan->memory) : NO_STRING;
}

void plan_pack(const struct plan *plan, struct buffer *out) {
        size_t string_bytes = strings_of(plan)->bytes;
        const struct packed_head head = {
                PACKED_MARK, plan->width, plan->height, packed_string(plan, plan->name), plan->category_count, plan->zone_count,
                plan->row_count, plan->seat_count, (uint32_t)string_bytes,
        };
        buffer_add(out, &head, sizeof head);
        for (uint32_t i = 0; i < plan->category_count; i++) {
                const struct plan_category *category = &plan->categories[i];
                const struct packed_category packed = {packed_string(plan, category->name), packed_string(plan, category->color)};
                buffer_add(out, &packed, sizeof packed);
        }
        for (uint32_t i = 0; i < plan->zone_count; i++) {
                const struct packed_zone packed = {packed_string(plan, plan->zones[i].name)};
                buffer_add(out, &packed, sizeof packed);
        }
        for (uint32_t i = 0; i < plan->row_count; i++) {
                const struct plan_row *row = &plan->rows[i];
                const struct packed_row packed = {packed_string(plan, row->label), packed_string(plan, row->seat_label), row->zone,
                                                  row->first_seat, row->seat_count};
                buffer_add(out, &packed, sizeof packed);
        }
        for (uint32_t i = 0; i < plan->seat_count; i++) {
                const struct plan_seat *seat = &plan->seats[i];
                const struct packed_seat packed = {packed_string(plan, seat->guid), packed_string(plan, seat->number), seat->row,
                                                   seat->category, seat->x, seat->y};
                buffer_add(out, &packed, sizeof packed);
        }
        buffer_add(out, plan->memory, string_bytes);
}

/* Reads on; the size of everything was compared before. */
struct unpacking {
        const char *at;
        struct plan *plan;
        size_t string_bytes;
        bool broken;
};

static void unpack_bytes(struct unpacking *from, void *into, size_t n) {
        memcpy(into, from->at, n);
        from->at += n;
}

static const char *unpack_string(struct unpacking *from, uint32_t offset, bool may_be_absent) {
        if (offset < from->string_bytes)
                return (const char *)from->plan->memory + offset;
        from->broken |= offset != NO_STRING || !may_be_absent;
        return NULL;
}

static void unpack_small(struct unpacking *from) {
        struct plan *plan = from->plan;
        for (uint32_t i = 0; i < plan->category_count; i++) {
                struct packed_category packed;
                unpack_bytes(from, &packed, sizeof packed);
                plan->categories[i] = (struct plan_category){
                        unpack_string(from, packed.name, false), unpack_string(from, packed.color, true)};
        }
        for (uint32_t i = 0; i < plan->zone_count; i++) {
                struct packed_zone packed;
                unpack_bytes(from, &packed, sizeof packed);
                plan->zones[i].name = unpack_string(from, packed.name, false);
        }
}

static void unpack_rows(struct unpacking *from) {
        struct plan *plan = from->plan;
        uint32_t next_seat = 0;
        for (uint32_t i = 0; i < plan->row_count; i++) {
                struct packed_row packed;
                unpack_bytes(from, &packed, sizeof packed);
                plan->rows[i] = (struct plan_row){unpack_string(from, packed.label, false), unpack_string(from, packed.seat_label, true),
                                                  packed.zone, packed.first_seat, packed.seat_count};
                from->broken |= packed.zone >= plan->zone_count || packed.first_seat != next_seat ||
                                packed.seat_count > plan->seat_count - next_seat;
                if (from->broken)
                        return;
                next_seat += packed.seat_count;
        }
        from->broken |= next_seat != plan->seat_count;
}

static void unpack_seats(struct unpacking *from) {
        struct plan *plan = from->plan;
        for (uint32_t i = 0; i < plan->seat_count; i++) {
                struct packed_seat packed;
                unpack_bytes(from, &packed, sizeof packed);
                plan->seats[i] = (struct plan_seat){unpack_string(from, packed.guid, false), unpack_string(from, packed.number, false),
                                                    packed.row, (uint16_t)packed.category, packed.x, packed.y};
                from->broken |= packed.row >= plan->row_count || packed.category >= plan->category_count;
        }
}

static size_t packed_size(const struct packed_head *head) {
        return sizeof *head + head->categories * sizeof(struct packed_category) + head->zones * sizeof(struct packed_zone) +
               head->rows * sizeof(struct packed_row) + head->seats * sizeof(struct packed_seat) + head->string_bytes;
}

static bool head_is_sound(const struct packed_head *head, struct text packed) {
        return head->mark == PACKED_MARK && head->categories <= PLAN_CATEGORIES_MAX && head->zones <= PLAN_ZONES_MAX &&
               head->rows <= PLAN_SEATS_MAX && head->seats <= PLAN_SEATS_MAX && head->string_bytes > 0 &&
               packed.length == packed_size(head) && packed.at[packed.length - 1] == '\0';
}

int plan_unpack(struct plan **ret_plan, struct text packed) {
        struct packed_head head;
        if (packed.length < sizeof head)
                return 1;
        memcpy(&head, packed.at, sizeof head);
        if (!head_is_sound(&head, packed))
                return 1;
        struct plan *plan = plan_new(&(struct plan_sizes){head.categories, head.zones, head.rows, head.seats, head.string_bytes});
        if (!plan)
                return -ENOMEM;
        memcpy(plan->memory, packed.at + packed.length - head.string_bytes, head.string_bytes);
        struct unpacking from = {.at = packed.at + sizeof head, .plan = plan, .string_bytes = head.string_bytes};
        plan->name = unpack_string(&from, head.name, false);
        plan->width = head.width;
        plan->height = head.height;
        unpack_small(&from);
        unpack_rows(&from);
        if (!from.broken)
                unpack_seats(&from);
        if (from.broken) {
                plan_free(plan);
                return 1;
        }
        *ret_plan = plan;
        return 0;
}
