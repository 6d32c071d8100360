/* audit_lines.c: I6 from lines, entries and holds.
 *
 * The place of a lobby entry is the rank of SHA-256(seed || number, 8 bytes big endian) among all lobby entries; who
 * came after the draw stands behind in the order of numbers. Nobody is admitted while somebody before still waits.
 * Passes in use are swept over time. A hold falls into a pass of its owner. */
#include <inttypes.h>
#include <stdlib.h>

#include "audit/audit_model.h"
#include "port/crypto.h"

struct ranked {
        uint8_t hash[CRYPTO_HASH_BYTES];
        const struct audit_entry *entry;
};
struct moment {
        int64_t at;
        int change;
};
struct owned {
        uint64_t schedule, account;
        const struct audit_entry *entry;
};

static int by_hash(const void *a, const void *b) {
        return memcmp(a, b, CRYPTO_HASH_BYTES);
}

static int by_time(const void *a, const void *b) {
        const struct moment *x = a, *y = b;
        if (x->at != y->at)
                return x->at < y->at ? -1 : 1;
        return x->change - y->change; /* a pass that ends makes room for one that begins in the same turn */
}

static int by_owner(const void *a, const void *b) {
        const struct owned *x = a, *y = b;
        if (x->schedule != y->schedule)
                return x->schedule < y->schedule ? -1 : 1;
        if (x->account != y->account)
                return x->account < y->account ? -1 : 1;
        return x->entry->number < y->entry->number ? -1 : x->entry->number > y->entry->number;
}

/* In the order of places: the first that still waits, then anybody admitted behind: a violation. */
static void check_order_of(struct audit *audit, const struct audit_schedule *schedule, const struct audit_entry *entry,
                           const struct audit_entry **waiting) {
        if (entry->state == PLACE_WAITING && !*waiting)
                *waiting = entry;
        else if (*waiting && entry->admitted_at && entry->admitted_at > (*waiting)->entered_at)
                audit_found(audit, 6,
                            "schedule %" PRIu64 ": entry %" PRId64 " was admitted, and entry %" PRId64
                            " before it still waits",
                            schedule->id, entry->number, (*waiting)->number);
}

static int check_places(struct audit *audit, const struct audit_schedule *schedule) {
        const struct audit_entry *entries = &audit->model.entries[schedule->entry_first], *waiting = 0;
        size_t n = schedule->entry_count, lobby = 0;
        struct ranked *ranked = calloc(n, sizeof *ranked);
        if (!ranked)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                uint8_t input[sizeof schedule->seed + 8];
                if (entries[i].number > schedule->lobby_count || !schedule->drawn_at)
                        continue;
                memcpy(input, schedule->seed, sizeof schedule->seed);
                for (unsigned b = 0; b < 8; b++)
                        input[sizeof schedule->seed + b] = (uint8_t)((uint64_t)entries[i].number >> (56 - 8 * b));
                crypto_sha256(ranked[lobby].hash, input, sizeof input);
                ranked[lobby++].entry = &entries[i];
        }
        qsort(ranked, lobby, sizeof *ranked, by_hash);
        for (size_t i = 0; i < lobby; i++)
                check_order_of(audit, schedule, ranked[i].entry, &waiting);
        for (size_t i = 0; i < n; i++)
                if (entries[i].number > schedule->lobby_count || !schedule->drawn_at)
                        check_order_of(audit, schedule, &entries[i], &waiting);
        free(ranked);
        return 0;
}

static int check_passes(struct audit *audit, const struct audit_schedule *schedule) {
        const struct audit_entry *entries = &audit->model.entries[schedule->entry_first];
        struct moment *moments = calloc(2 * schedule->entry_count + 1, sizeof *moments);
        size_t n = 0;
        int64_t in_use = 0, most = 0, when = 0;
        if (!moments)
                return -ENOMEM;
        for (size_t i = 0; i < schedule->entry_count; i++) {
                if (!entries[i].admitted_at)
                        continue;
                moments[n++] = (struct moment){entries[i].admitted_at, +1};
                if (entries[i].state != PLACE_INSIDE)
                        moments[n++] = (struct moment){entries[i].ended_at, -1};
        }
        qsort(moments, n, sizeof *moments, by_time);
        for (size_t i = 0; i < n; i++) {
                in_use += moments[i].change;
                if (in_use > most) {
                        most = in_use;
                        when = moments[i].at;
                }
        }
        free(moments);
        if (most > schedule->capacity)
                audit_found(audit, 6,
                            "schedule %" PRIu64 ": %" PRId64 " passes were in use at %" PRId64
                            ", and the capacity is %" PRId64,
                            schedule->id, most, when, schedule->capacity);
        return 0;
}

static void check_owners(struct audit *audit, const struct owned *owned, size_t n) {
        for (size_t i = 1; i < n; i++) {
                const struct audit_entry *a = owned[i - 1].entry, *b = owned[i].entry;
                bool same = owned[i - 1].schedule == owned[i].schedule && owned[i - 1].account == owned[i].account;
                if (same && (a->state == PLACE_WAITING || a->state == PLACE_INSIDE) &&
                    (b->state == PLACE_WAITING || b->state == PLACE_INSIDE))
                        audit_found(audit, 6,
                                    "schedule %" PRIu64 ": account %" PRIu64 " stands in the line twice, as %" PRId64
                                    " and %" PRId64,
                                    a->schedule, a->account, a->number, b->number);
        }
}

static void check_hold_passes(struct audit *audit, const struct owned *owned, size_t n) {
        const struct audit_model *model = &audit->model;
        for (size_t h = 0; h < model->hold_count; h++) {
                const struct audit_hold *hold = &model->holds[h];
                size_t low = 0, high = n;
                while (low < high) {
                        size_t middle = low + (high - low) / 2;
                        bool before =
                                owned[middle].schedule < hold->schedule ||
                                (owned[middle].schedule == hold->schedule && owned[middle].account < hold->account);
                        if (before)
                                low = middle + 1;
                        else
                                high = middle;
                }
                bool passed = false;
                for (; low < n && owned[low].schedule == hold->schedule && owned[low].account == hold->account; low++) {
                        const struct audit_entry *entry = owned[low].entry;
                        passed |= entry->admitted_at && entry->admitted_at <= hold->created_at &&
                                  (entry->state == PLACE_INSIDE || entry->ended_at >= hold->created_at);
                }
                if (!passed)
                        audit_found(audit, 6,
                                    "hold %" PRIu64 " of account %" PRIu64 " on schedule %" PRIu64
                                    " was taken without a pass",
                                    hold->id, hold->account, hold->schedule);
        }
}

static void find_ranges(struct audit *audit) {
        struct audit_model *model = &audit->model;
        struct audit_schedule *schedule = 0;
        for (size_t i = 0; i < model->entry_count; i++) {
                if (!schedule || schedule->id != model->entries[i].schedule) {
                        schedule = audit_schedule_of(model, model->entries[i].schedule);
                        if (!schedule)
                                continue;
                        schedule->entry_first = i;
                }
                schedule->entry_count++;
        }
}

int audit_lines(struct audit *audit) {
        struct audit_model *model = &audit->model;
        struct owned *owned = calloc(model->entry_count + 1, sizeof *owned);
        int fault = owned ? 0 : -ENOMEM;
        find_ranges(audit);
        for (size_t i = 0; !fault && i < model->schedule_count; i++) {
                if (model->schedules[i].entry_count == 0)
                        continue;
                fault = check_places(audit, &model->schedules[i]);
                if (!fault)
                        fault = check_passes(audit, &model->schedules[i]);
        }
        if (!fault) {
                for (size_t i = 0; i < model->entry_count; i++)
                        owned[i] = (struct owned){model->entries[i].schedule, model->entries[i].account,
                                                  &model->entries[i]};
                qsort(owned, model->entry_count, sizeof *owned, by_owner);
                check_owners(audit, owned, model->entry_count);
                check_hold_passes(audit, owned, model->entry_count);
        }
        free(owned);
        return fault;
}
