/* limits.h: everything that can grow has its named limit here, with its unit in the name. */
#ifndef TICKETRUSH_SERVICE_LIMITS_H
#define TICKETRUSH_SERVICE_LIMITS_H

enum {
        PLAN_BYTES_MAX = 32 * 1024 * 1024,
        PLAN_SEATS_MAX = 100000,
        PLAN_CATEGORIES_MAX = 64,
        PLAN_ZONES_MAX = 2000,
        EVENTS_MAX = 20000,               /* in one catalogue, which is kept in memory */
        SCHEDULES_MAX = 50000,            /* … of all events together */
        SCHEDULES_OF_EVENT_MAX = 500,
        SCHEDULE_CHANGES_MAX = 10000,     /* of one schedule between two starts: old versions stay in memory */
        TITLE_CODE_POINTS_MAX = 200,
        DESCRIPTION_CODE_POINTS_MAX = 10000,
        EMAIL_BYTES_MAX = 254,
        PASSWORD_CODE_POINTS_MIN = 8,
        PASSWORD_CODE_POINTS_MAX = 128,
        NAME_CODE_POINTS_MAX = 100,
        AMOUNT_MAX = 1000000000,          /* minor units of one seat */
        HOLD_SEATS_MAX = 16,              /* hard limit of one hold; a schedule's cap per person is 1 … this */
        HOLD_SECONDS_DEFAULT = 300,
        HOLD_SECONDS_MIN = 10,
        HOLD_SECONDS_MAX = 3600,
        PAYMENT_HOLD_SECONDS = 900,       /* a hold outlives the provider's window (Toss: 10 minutes) */
        PASS_SECONDS_DEFAULT = 600,
        PASS_SECONDS_MIN = 10,
        PASS_SECONDS_MAX = 7200,
        LINE_CAPACITY_DEFAULT = 1000,     /* passes in use at once */
        LINE_CAPACITY_MAX = 1000000,
        LINE_RATE_DEFAULT = 0,            /* admissions per second; 0: no limit but capacity */
        LINE_WAITING_DEFAULT = 1000000,   /* then 503 with Retry-After */
        LINE_WAITING_MAX = 5000000,
        LINE_POLL_SECONDS = 5,            /* what a waiting client is told to wait at most */
        SEAT_CHANGES_KEPT = 65536,        /* per schedule, for "changes since version N" */
        LOADED_SCHEDULES_MAX = 1000,
        PAGE_DEFAULT = 20,
        PAGE_MAX = 100,
        ACCESS_TOKEN_SECONDS = 3600,
        TOKEN_BYTES_MAX = 1024,
        IDEMPOTENCY_KEY_BYTES_MAX = 255,
        PAY_ATTEMPTS_MAX = 12,            /* questions to the provider before an alarm; it goes on asking, slower */
        PAY_WAIT_SECONDS = 10,            /* how long POST …/pay waits for the end before it answers 202 */
        CONSUMER_ATTEMPTS_MAX = 3,        /* then dead letter and alarm */
        PASSWORD_QUEUE_MAX = 256,         /* waiting for a hash; then 503 */
        PASSWORD_WORKERS = 2,
};

_Static_assert(PAYMENT_HOLD_SECONDS > 600, "a hold has to outlive the provider's ten minutes");
_Static_assert(HOLD_SEATS_MAX <= 16, "a ticket id has four bits for the seat's place in the order");

#endif
