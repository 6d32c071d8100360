/* time_text.h: times are int64_t milliseconds since 1970-01-01T00:00:00Z; outside they are ISO 8601 in UTC. */
#ifndef TICKETRUSH_BASE_TIME_TEXT_H
#define TICKETRUSH_BASE_TIME_TEXT_H

#include "base/text.h"

enum { TIME_TEXT_LENGTH = 24, HTTP_DATE_LENGTH = 29 };

/* "2026-11-21T11:00:00.000Z", not terminated. Years 1970 to 9999. */
void time_format(char out[static TIME_TEXT_LENGTH], int64_t ms);
/* RFC 3339 with Z or an offset, seconds and an optional fraction (cut to milliseconds); real dates from 1970 to 9999, no
 * leap seconds. False if it is anything else. */
bool time_parse(struct text text, int64_t *ret_ms);
/* "Sat, 21 Nov 2026 11:00:00 GMT" (RFC 9110 section 5.6.7), not terminated. */
void time_http_date(char out[static HTTP_DATE_LENGTH], int64_t ms);

#endif
