/* id.h: 63-bit numbers that rise with time, and how the API spells them.
 *
 *   | 41 bits: ms since 2024-01-01 | 8 bits: node | 14 bits: sequence |
 *
 * Rising ids keep new rows at the end of a table's tree (a page is written once, not once a row). An id is not a
 * secret: whoever asks for somebody else's thing gets 404. In text: a prefix that says the kind, "_", and 13 letters of
 * Crockford base32 in lower case, e.g. hold_0c1m8t3qk0g00. */
#ifndef TICKETRUSH_BASE_ID_H
#define TICKETRUSH_BASE_ID_H

#include "base/text.h"

enum { ID_DIGITS = 13, ID_TEXT_MAX = 24, ID_NODE_MAX = 255 };

struct id_source {
        uint64_t last;
        unsigned node;
};

/* Ids of one source rise strictly, also when the clock steps back or the sequence of a millisecond is used up. `after`
 * is the highest id known from before (0: none). */
void id_source_init(struct id_source *source, unsigned node, uint64_t after);
uint64_t id_next(struct id_source *source, int64_t now_ms);
/* Writes a terminated text of at most ID_TEXT_MAX bytes and returns its length. */
size_t id_format(char out[static ID_TEXT_MAX], const char *prefix, uint64_t id);
/* The id, or 0 if the text is not "prefix_" and 13 canonical digits of a number from 1 to 2^63-1. */
uint64_t id_parse(struct text text, const char *prefix);

#endif
