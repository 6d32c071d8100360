/* queue.h: the line of each schedule: lobby, draw, admission, passes: the public face of the queue service.
 *
 *            enter            admission              order confirmed, sold out
 *   (none) ────────► WAITING ───────────► ADMITTED ────────────► DONE
 *                       │ leave              │ pass ran out → EXPIRED (may enter again, at the end)
 *                       └──► LEFT ◄──────────┘ leave
 *
 * Before opening everybody in the lobby waits without a place; at opening the order is drawn: place = rank of
 * SHA-256(seed || entry number as 8 bytes big endian), so it is a pure function of the published seed and the numbers,
 * nothing else is stored, and anyone can recompute it. Who enters after opening stands behind, first come first served. */
#ifndef TICKETRUSH_SERVICE_QUEUE_H
#define TICKETRUSH_SERVICE_QUEUE_H

#include "base/fsm.h"
#include "base/text.h"
#include "port/clock.h"
#include "port/db.h"
#include "service/vocabulary.h"

struct edge;
struct event_service;
struct inventory;
struct lane;
struct queue;
struct turn;

enum entry_state { ENTRY_WAITING, ENTRY_ADMITTED, ENTRY_DONE, ENTRY_EXPIRED, ENTRY_LEFT };
extern const struct fsm entry_fsm;

extern const struct db_migration queue_migrations[];
extern const size_t queue_migration_count;

struct queue_config {
        struct lane *lane;
        struct clock *clock;
        struct event_service *events;
        const uint8_t *pass_key; /* CRYPTO_MAC_KEY_BYTES, of the data folder */
};
int queue_new(struct queue **ret_queue, const struct queue_config *config);
struct queue *queue_free(struct queue *queue);
void queue_set_inventory(struct queue *queue, struct inventory *inventory); /* admission looks at seats left */
void queue_add_routes(struct queue *queue, struct edge *edge);

/* A pass: base64url(schedule 8, account 8, entry number 8, ends at 8 || first 16 bytes of HMAC). Any thread, no memory. */
enum pass_outcome { PASS_OK = 1, PASS_MISSING, PASS_FORGED, PASS_EXPIRED, PASS_OTHERS };
enum { PASS_TEXT_LENGTH = 64 };
int queue_pass_check(const struct queue *queue, struct text pass, schedule_id schedule, account_id account, int64_t now);

/* Decides for the truth (on the lane): is this person admitted now? */
bool queue_is_admitted(struct queue *queue, struct turn *turn, schedule_id schedule, account_id account);

struct queue_figures { uint64_t waiting, admitted, done, expired, left, entered; };
/* Any thread; zeros if the line is not loaded. */
void queue_figures(const struct queue *queue, schedule_id schedule, struct queue_figures *ret_figures);

#endif
