/* turn.h: one turn of a lane = one transaction. This is all that a use case sees of the lane.
 *
 * A use case is a plain synchronous function `int noun_verb(struct service *, struct turn *, struct noun_verb_command
 * **commands, size_t count)`: load the rows of all commands, decide each in turn against what the ones before it
 * changed, save changes and journal rows with one statement per table. It returns 0 or a negative fault; each command
 * carries its own positive outcome. Memory from turn->arena lives until the turn has been answered. */
#ifndef TICKETRUSH_LANE_TURN_H
#define TICKETRUSH_LANE_TURN_H

#include "base/arena.h"
#include "base/id.h"
#include "port/db.h"

/* A row of the journal: outbox, audit trail and change feed in one. */
struct event {
        uint64_t id;       /* rises in commit order on one lane */
        int64_t at;        /* ms */
        unsigned type;     /* service/vocabulary.h enum event_type */
        uint64_t schedule; /* the key: order is promised per schedule; 0: none */
        uint64_t subject;  /* what it is about */
        uint64_t account;  /* whose; 0: nobody's */
        uint64_t cause;    /* id of the event that this one answers; 0: a command from outside */
        struct text payload; /* a JSON object for outsiders; our own consumers need only the fields above */
};

struct turn {
        int64_t now; /* ms, read once */
        struct db *db;
        struct id_source *ids;
        struct arena *arena;
        uint64_t cause;  /* 0; a consumer sets it to the event that it answers, and it is copied into what is said */
        struct lane *lane;
};

/* Says an event: fills id and at (and cause, if 0), copies the payload into the turn's arena; the row is written with
 * the turn's others in one batch before the commit. 0 or fault. */
int turn_say(struct turn *turn, struct event *event);
/* After this turn's commit, commands that wait for the key (lane.h, LANE_WAIT) are answered with this outcome. */
int turn_wake(struct turn *turn, uint64_t key, int outcome);

#endif
