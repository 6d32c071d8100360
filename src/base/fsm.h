/* fsm.h: a lifecycle as a table of allowed moves.
 *
 * States are small numbers from 0. `moves[from]` is the set of states that may follow, as a bit mask. A lifecycle is
 * drawn in a comment next to its table, and every change of a state goes through fsm_may. */
#ifndef TICKETRUSH_BASE_FSM_H
#define TICKETRUSH_BASE_FSM_H

#include "base/assert.h"
#include <stdbool.h>
#include <stdint.h>

struct fsm {
        const char *name;
        const char *const *state_names; /* as the API and the database explain them */
        uint32_t state_count;
        const uint32_t *moves;
};

#define FSM_TO(state) (UINT32_C(1) << (state))

static inline bool fsm_may(const struct fsm *fsm, unsigned from, unsigned to) {
        PRE(from < fsm->state_count && to < fsm->state_count);
        return (fsm->moves[from] & FSM_TO(to)) != 0;
}

static inline const char *fsm_state_name(const struct fsm *fsm, unsigned state) {
        PRE(state < fsm->state_count);
        return fsm->state_names[state];
}

#endif
