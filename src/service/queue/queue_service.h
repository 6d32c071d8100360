/* queue_service.h: the waiting room of every schedule: use cases on the lane, and what any thread may ask. */
#ifndef TICKETRUSH_SERVICE_QUEUE_SERVICE_H
#define TICKETRUSH_SERVICE_QUEUE_SERVICE_H

#include "base/heap.h"
#include "lane/lane.h"
#include "port/crypto.h"
#include "service/event/event.h"
#include "service/queue/queue_line.h"

#include <stdatomic.h>

enum {
        QUEUE_BUCKETS = 1024,
        QUEUE_TURN_MAX = 4096,          /* admissions, and ended passes, of one line in one turn; the rest in the next */
        QUEUE_GAP_MS = 50,              /* what the clock alone brings is done at most so often: many people in one commit */
        QUEUE_RETRY_MS = 1000,          /* after a turn that failed, what time has to do is tried again */
        QUEUE_FULL_RETRY_SECONDS = 30,
        QUEUE_LEFT_SHOWN_MAX = 10000,   /* numbers of lobby leavers in one answer */
};

/* One line and its place in the service's lists. Rooms live until queue_free, so any thread may hold on to one. */
struct waiting_room {
        struct line line;
        struct waiting_room *next_in_bucket;
        struct waiting_room *next_stirred, *next_touched;
        bool stirred; /* something changed: admission has to look */
        bool touched; /* this turn changed it */
        int64_t due;  /* its valid entry in queue->dues; INT64_MAX: none */
};

struct queue {
        struct queue_config config;
        struct inventory *inventory;
        uint8_t pass_key[CRYPTO_MAC_KEY_BYTES];
        _Atomic(struct waiting_room *) buckets[QUEUE_BUCKETS]; /* the lane adds, any thread looks */
        /* The lane's: */
        struct waiting_room *stirred, *touched;
        struct heap dues;        /* payload: schedule id; stale entries are skipped */
        bool started;            /* lines of live schedules are loaded */
        int64_t start_at;        /* not before, when that has failed */
        int64_t admitted_in_turn;
};

/* queue_service.c. NULL if it is not loaded; any thread. */
struct waiting_room *room_find(const struct queue *queue, schedule_id schedule);
/* On the lane: loads it if needed. */
int room_open(struct queue *queue, struct db *db, const struct schedule *schedule, struct waiting_room **ret_room);
void room_stir(struct queue *queue, struct waiting_room *room);
void room_touch(struct queue *queue, struct waiting_room *room);
/* Stirs it at that time (ms), if it is not looked at before that anyway. */
int room_look_at(struct queue *queue, struct waiting_room *room, int64_t at);

/* queue_admission.c, on the lane. Draws the lobby when it is time. */
int room_draw_if_due(struct queue *queue, struct turn *turn, struct waiting_room *room, const struct schedule *schedule);
/* How many passes may be given out now. */
int room_passes_free(struct queue *queue, struct turn *turn, const struct waiting_room *room, const struct schedule *schedule,
                     struct admission_facts *ret_facts);
/* Gives passes to the first who wait, says so, and plans when to look again. Entries without a row yet change in memory only. */
int room_admit_and_plan(struct queue *queue, struct turn *turn, struct waiting_room *room, const struct schedule *schedule);
/* All that time and change may have brought: draw, ended passes, admission. */
int room_advance(struct queue *queue, struct turn *turn, struct waiting_room *room);

/* Entries that end, collected and written room by room. */
struct endings { struct queue *queue; struct turn *turn; struct waiting_room *room; struct line_row *rows; size_t count, capacity; };
int endings_begin(struct endings *endings, struct queue *queue, struct turn *turn, size_t capacity);
int endings_add(struct endings *endings, struct waiting_room *room, uint32_t number, enum entry_state how);
/* An entry that has ended in memory already. */
int endings_write(struct endings *endings, struct waiting_room *room, uint32_t number);
int endings_flush(struct endings *endings);

/* What a person is told. */
struct line_view {
        enum entry_state state;
        uint32_t number;
        bool open;                       /* drawn; false: the lobby */
        uint64_t place;                  /* 0: none yet */
        bool has_ahead, has_estimate;
        uint64_t ahead, wait_low, wait_high;
        int64_t opens_at;
        unsigned poll_seconds;
        int64_t pass_ends_at;            /* while ADMITTED */
};

enum status_outcome { STATUS_OK = 1, STATUS_NO_SCHEDULE, STATUS_NOT_IN_LINE };

/* One struct for the three commands of a person about a line. */
struct line_command {
        struct lane_command lane; /* outcome: enter_outcome, leave_outcome or status_outcome */
        schedule_id schedule;
        account_id account;
        struct line_view view; /* ENTER_OK, ENTER_AGAIN, STATUS_OK */
};
extern const struct lane_kind line_enter_kind, line_leave_kind, line_status_kind;
int line_enter(void *service, struct turn *turn, struct lane_command **commands, size_t count);
int line_leave(void *service, struct turn *turn, struct lane_command **commands, size_t count);
int line_status(void *service, struct turn *turn, struct lane_command **commands, size_t count);

/* queue_view.c. Any thread, from memory as committed: a status_outcome, or 0: ask the lane. */
int queue_status_committed(const struct queue *queue, schedule_id schedule, account_id account, int64_t now, struct line_view *ret_view);
/* Any thread: what entering would come to if it can be told without a write: an enter_outcome but ENTER_OK, or 0: ask the lane. */
int queue_enter_committed(const struct queue *queue, schedule_id schedule, account_id account, int64_t now, struct line_view *ret_view);
void queue_view_of(const struct schedule *schedule, const struct line_glance *glance, int64_t now, struct line_view *ret_view);
/* From when on people may enter (ms): a schedule without a line has no lobby. */
int64_t queue_doors_at(const struct schedule *schedule);

/* Any thread: how the lobby was drawn. `left` is valid until queue_free. */
struct draw_view { bool drawn; int64_t drawn_at; uint32_t lobby_count, drawn_count; const uint32_t *left; size_t left_count; };
/* false: the line is not loaded; ask the lane (line_status_kind loads it). */
bool queue_draw_committed(const struct queue *queue, schedule_id schedule, struct draw_view *ret_view);

struct pass { schedule_id schedule; account_id account; uint32_t number; int64_t ends_at; };
/* queue_pass.c: PASS_TEXT_LENGTH letters, not terminated. */
void queue_pass_write(const struct queue *queue, const struct pass *pass, char out[static PASS_TEXT_LENGTH]);

/* All memory of a loaded line, for the benchmark; 0 if it is not loaded. On the lane. */
size_t queue_line_bytes(const struct queue *queue, schedule_id schedule);

#endif
