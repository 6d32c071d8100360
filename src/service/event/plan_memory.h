/* plan_memory.h: how a plan lies in memory, and its compiled form.
 *
 * A plan is one piece of memory: the struct, its arrays, and one stretch of terminated strings that all pointers of the
 * plan point into. The compiled form is the same with offsets in place of the pointers: it is stored beside the document,
 * so that a start need not read 100,000 seats from JSON. It is a cache: whatever does not fit exactly (another version,
 * another machine) is not taken, and the document is read instead. */
#ifndef TICKETRUSH_SERVICE_EVENT_PLAN_MEMORY_H
#define TICKETRUSH_SERVICE_EVENT_PLAN_MEMORY_H

#include "service/event/event.h"

struct plan_sizes { size_t categories, zones, rows, seats, string_bytes; };

/* A plan with its arrays and counts, everything else zero; NULL without memory. */
struct plan *plan_new(const struct plan_sizes *sizes);
/* Appends the compiled form. */
void plan_pack(const struct plan *plan, struct buffer *out);
/* 0; 1: not a compiled plan of this program and machine; -ENOMEM. */
int plan_unpack(struct plan **ret_plan, struct text packed);

#endif
