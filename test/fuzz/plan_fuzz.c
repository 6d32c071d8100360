/* plan_fuzz: whatever a seating plan is, it is refused with at least one problem, or it is a plan whose every index is in
 * range, and which its compiled form gives back.
 *
 * The first byte says how the rest is read: c, as a compiled form; u, as a document whose seats are known by uuid; else
 * as a document whose seats are known by seat_guid. */
#include "base/assert.h"
#include "fuzz.h"
#include "service/event/plan_memory.h"

#include <stdlib.h>

enum { PACKED_MAX = 64 * 1024 * 1024 };

static void check(const struct plan *plan) {
        uint32_t seats = 0;
        for (uint32_t i = 0; i < plan->row_count; i++) {
                INVARIANT(plan->rows[i].zone < plan->zone_count && plan->rows[i].first_seat == seats);
                seats += plan->rows[i].seat_count;
        }
        INVARIANT(seats == plan->seat_count);
        for (uint32_t i = 0; i < plan->seat_count; i++) {
                char label[64];
                INVARIANT(plan->seats[i].category < plan->category_count && plan->seats[i].row < plan->row_count);
                size_t length = plan_seat_label(plan, i, label, sizeof label);
                INVARIANT(length == strlen(label) && length < sizeof label);
        }
}

/* Texts have one place each in the plan's memory, in the order in which they were written: the same plan is the same bytes. */
static void check_compiled(const struct plan *plan) {
        struct buffer packed, again, words;
        struct plan *other = NULL;
        buffer_init(&packed, PACKED_MAX);
        buffer_init(&again, PACKED_MAX);
        buffer_init(&words, PACKED_MAX);
        plan_pack(plan, &packed);
        INVARIANT(plan_unpack(&other, buffer_text(&packed)) == 0);
        check(other);
        plan_pack(other, &again);
        INVARIANT(text_equal(buffer_text(&packed), buffer_text(&again)));
        plan_describe(other, &words, true);
        plan_describe(other, &words, false);
        INVARIANT(words.length > 0 && !words.overflowed);
        plan_free(other);
        buffer_deinit(&packed);
        buffer_deinit(&again);
        buffer_deinit(&words);
}

static void try_document(struct text json, bool by_uuid) {
        struct plan *plan = NULL;
        struct plan_problems problems = {0};
        int outcome = plan_read(&plan, &problems, json, by_uuid);
        INVARIANT(outcome == PLAN_OK || outcome == PLAN_REFUSED);
        INVARIANT((outcome == PLAN_OK) == (plan != NULL) && (outcome == PLAN_REFUSED) == (problems.count > 0));
        if (plan) {
                INVARIANT(plan->seat_count > 0);
                check(plan);
                check_compiled(plan);
        }
        for (unsigned i = 0; i < problems.count && i < PLAN_PROBLEMS_MAX; i++)
                INVARIANT(strlen(problems.lines[i]) < PLAN_PROBLEM_BYTES);
        plan_problems_deinit(&problems);
        plan_free(plan);
}

static void try_compiled(struct text packed) {
        struct plan *plan = NULL;
        int r = plan_unpack(&plan, packed);
        INVARIANT(r == 0 || r == 1);
        if (r == 0)
                check(plan);
        plan_free(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        if (size == 0)
                return 0;
        /* Bytes of their own, so that a sanitizer sees every step beyond them. */
        char *bytes = malloc(size);
        INVARIANT(bytes);
        memcpy(bytes, data + 1, size - 1);
        struct text text = {bytes, size - 1};
        if (data[0] == 'c')
                try_compiled(text);
        else
                try_document(text, data[0] == 'u');
        free(bytes);
        return 0;
}
