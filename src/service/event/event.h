/* event.h: venues, seating plans, events, schedules, prices and the catalogue: the public face of the event service.
 *
 * A plan is immutable once loaded; a schedule refers to one. Plans and schedules in use are kept in memory and shared:
 * pointers from here stay valid until event_service_free, and what they point to never changes (a changed schedule is a
 * new struct; ask again each turn). Functions that take no turn may be called from any thread.
 *
 * What a turn changes is seen here once it is committed: within that turn, event_schedule still tells how it was. */
#ifndef TICKETRUSH_SERVICE_EVENT_H
#define TICKETRUSH_SERVICE_EVENT_H

#include "base/buffer.h"
#include "base/fsm.h"
#include "port/clock.h"
#include "port/db.h"
#include "service/limits.h"
#include "service/vocabulary.h"

struct edge;
struct event_service;
struct lane;
struct turn;
struct workers;

struct plan_seat {
        const char *guid;   /* identity in the plan file: seat_guid, or uuid if the organiser said so */
        const char *number; /* seat_number */
        uint32_t row;       /* index into plan->rows */
        uint16_t category;  /* index into plan->categories */
        float x, y;         /* absolute place */
};
struct plan_row {
        const char *label;      /* row_label with the row's number in it, or the number alone */
        const char *seat_label; /* as in the file: %s stands for the seat's number; NULL: none */
        uint32_t zone;
        uint32_t first_seat, seat_count;
};
struct plan_zone { const char *name; };
struct plan_category { const char *name, *color; };

struct plan {
        const char *name;
        uint32_t width, height;
        struct plan_seat *seats;
        struct plan_row *rows;
        struct plan_zone *zones;
        struct plan_category *categories;
        uint32_t seat_count, row_count, zone_count, category_count;
        void *memory; /* everything above, owned by the plan */
};

enum { PLAN_PROBLEMS_MAX = 1000, PLAN_PROBLEM_BYTES = 400 };
struct plan_problems {
        unsigned count; /* all that were found; the first PLAN_PROBLEMS_MAX are kept */
        char (*lines)[PLAN_PROBLEM_BYTES]; /* "zones[2].rows[0].seats[17].seat_guid: …", malloc, plan_problems_deinit */
};
void plan_problems_deinit(struct plan_problems *problems);

enum plan_outcome { PLAN_OK = 1, PLAN_REFUSED };
/* Reads the public seating-plan JSON (docs/plans.md). by_uuid takes `uuid` as the identity of a seat instead of
 * seat_guid. PLAN_REFUSED: *ret_problems tells path and reason of each. Any thread. */
int plan_read(struct plan **ret_plan, struct plan_problems *ret_problems, struct text json, bool by_uuid);
struct plan *plan_free(struct plan *plan);
/* "1층 A열 12번": zone, row and number for people. Returns the length written, terminated. */
size_t plan_seat_label(const struct plan *plan, seat_index seat, char *out, size_t capacity);
/* What is in it, seats counted by category and zone: for people, or one JSON object. */
void plan_describe(const struct plan *plan, struct buffer *out, bool json);

/*            opens_at            ends_at or all sold … organiser
 *  UPCOMING ──────────► ON_SALE ─────────► ENDED
 *     └──────────┬─────────┘
 *                ▼
 *            CANCELLED
 * UPCOMING, ON_SALE and ENDED follow from the clock; only CANCELLED is stored. */
enum schedule_state { SCHEDULE_UPCOMING, SCHEDULE_ON_SALE, SCHEDULE_ENDED, SCHEDULE_IS_CANCELLED };
extern const struct fsm schedule_fsm;

struct line_settings {
        uint32_t capacity;       /* passes in use at once */
        uint32_t rate;           /* admissions per second; 0: only capacity limits */
        uint32_t pass_seconds;
        uint32_t waiting_max;
        bool enabled;            /* false: entering admits at once while there is capacity, but passes are needed all the same */
        int64_t lobby_opens_at;  /* ms; before it entering is refused */
};

struct grade { uint16_t category; int64_t amount; const char *name; }; /* a price per plan category */

struct schedule {
        schedule_id id;
        event_id event;
        account_id organiser;
        const struct plan *plan;
        int64_t starts_at, opens_at, ends_at; /* performance; sale opens; sale ends */
        int64_t cancel_until;                 /* a buyer may cancel until then (ms) */
        uint32_t cancel_refund_percent;       /* of the amount, when a buyer cancels by the event's rule; rest is kept */
        uint32_t cap;                         /* seats per person, over holds and orders */
        uint32_t hold_seconds;
        struct line_settings line;
        char currency[4];
        bool cancelled, admission_paused, sale_paused;
        int64_t amounts[PLAN_CATEGORIES_MAX]; /* per category of the plan; -1: not for sale (blocked) */
        uint8_t draw_seed[32];                /* secret until opening */
        uint8_t draw_commitment[32];          /* SHA-256 of the seed: published from the start */
};

enum schedule_state schedule_state_at(const struct schedule *schedule, int64_t now);

extern const struct db_migration event_migrations[];
extern const size_t event_migration_count;
struct event_config {
        struct lane *lane;
        struct clock *clock;
        struct random_source *random;
        struct workers *workers; /* read seating plans; freed (its queue run dry) before the service is */
};
int event_service_new(struct event_service **ret_service, const struct event_config *config);
struct event_service *event_service_free(struct event_service *service);
void event_add_routes(struct event_service *service, struct edge *edge);

/* NULL if unknown. Loads it if needed (on the lane's thread). */
const struct schedule *event_schedule(struct event_service *service, struct db *db, schedule_id id);
/* From memory only, any thread; NULL: unknown or not loaded yet (then go through the lane). */
const struct schedule *event_schedule_peek(struct event_service *service, schedule_id id);
/* Schedules whose sale has not ended, for services that load state at start. Calls back on the lane's thread. */
int event_live_schedules(struct event_service *service, struct db *db, int64_t now,
                         int (*each)(void *context, schedule_id id), void *context);
/* Price of a seat, or -1 when it is not for sale. */
static inline int64_t schedule_price(const struct schedule *schedule, seat_index seat) {
        return schedule->amounts[schedule->plan->seats[seat].category];
}

#endif
