/* json_scan.h: finds the few members of an answer that a client needs, without building a tree.
 *
 * For answers of our own API: it trusts that the JSON is well-formed where it does not look, and finds nothing where it
 * is not. Values are borrowed from the text; strings come without their quotes and with their escapes as written. */
#ifndef TICKETRUSH_REHEARSE_JSON_SCAN_H
#define TICKETRUSH_REHEARSE_JSON_SCAN_H

#include "base/text.h"

/* The value of a member of this object (not of objects inside it): text, number, object, array, true, false. {NULL, 0}:
 * absent, null, or not an object. */
struct text json_member(struct text object, const char *name);
/* The same, as a whole number; `missing` if it is absent or anything else. */
int64_t json_member_number(struct text object, const char *name, int64_t missing);
/* The items of an array, one after the other; *at is 0 before the first. False: no more. */
bool json_item(struct text array, size_t *at, struct text *ret_item);

#endif
