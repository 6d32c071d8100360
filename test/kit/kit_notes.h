/* kit_notes.h: the smallest service that shows everything a lane promises.
 *
 *   note.add    stores a value, once (UNIQUE): the same value again is a constraint fault. Says NOTE_ADDED
 *   note.count  reads only; found = number of notes
 *   note.wait   waits for NOTE_HEARD of its value, or until its time has come
 *   note.burst  says NOTE_ADDED `value` times, for the values 1 … value, without storing anything
 *   listener    a consumer of NOTE_ADDED: one row per event, whose primary key would refuse a second time; says
 * NOTE_HEARD with its cause, wakes the waiting. Refuses the value `refused` echo        a second consumer, of
 * NOTE_HEARD, in memory only room        keeps the number of notes in memory; `tick_at`: adds the value -tick_at then;
 * refuses the first `ticks_refused` times */
#ifndef TICKETRUSH_TEST_KIT_NOTES_H
#define TICKETRUSH_TEST_KIT_NOTES_H

#include "kit/kit_lane.h"

enum { NOTE_ADDED = 1, NOTE_HEARD = 2 };
enum { NOTE_STORED = 1, NOTE_FOUND, NOTE_SPOKEN, NOTE_WOKEN };
enum { NOTES_TRACE_MAX = 64 };

struct notes {
        struct lane *lane;
        int64_t count;     /* mirrors the table */
        int64_t published; /* what edges would see */
        int64_t refused;   /* by the listener; 0: none */
        int64_t refused_tries;
        uint64_t echoes;
        int64_t tick_at;
        unsigned ticks_refused, ticks, rollbacks;
        bool ticked;                 /* in the turn under way */
        char trace[NOTES_TRACE_MAX]; /* "count:2 add:3 …": which kinds ran with how many */
};

struct note_command {
        struct lane_command command; /* first */
        int64_t value;
        int64_t wait_until; /* note.wait */
        int64_t found;      /* note.count */
        unsigned answers;   /* how often done was called by notes_done */
};

extern const struct lane_kind note_add, note_count, note_wait, note_burst;

/* Makes the tables, loads, registers room and consumers. Fails the test when it cannot. */
void notes_init(struct notes *notes, struct lane *lane);
struct note_command note_command(struct notes *notes, const struct lane_kind *kind, int64_t value);
/* Counts the answers. */
void notes_done(struct lane_command *command);

/* Questions to the tables, on the test's thread while the lane does not run. */
int64_t notes_ask(struct lane *lane, const char *sql);
#define NOTES_STORED "SELECT count(*) FROM note"
#define NOTES_HEARD "SELECT count(*) FROM heard"
#define NOTES_UNHEARD "SELECT count(*) FROM note WHERE value NOT IN (SELECT value FROM heard)"
#define NOTES_JOURNALED "SELECT count(*) FROM journal WHERE type = 1"
#define NOTES_DEAD "SELECT count(*) FROM dead_letter"

#endif
