/* json_writer.h: writes JSON into a buffer, commas and quotes included. Nesting is asserted, text is escaped (RFC 8259),
 * invalid UTF-8 becomes U+FFFD. Built for hot answers: no allocation but the buffer's. */
#ifndef TICKETRUSH_BASE_JSON_WRITER_H
#define TICKETRUSH_BASE_JSON_WRITER_H

#include "base/buffer.h"

enum { JSON_WRITER_DEPTH_MAX = 32 };

struct json_writer {
        struct buffer *out;
        unsigned depth;
        bool comma[JSON_WRITER_DEPTH_MAX + 1];  /* a value stands before on this level */
        bool object[JSON_WRITER_DEPTH_MAX + 1]; /* values of this level have names */
};

void json_begin(struct json_writer *json, struct buffer *out);
/* An object or array; name is NULL in an array and at the top. Names are literals and are not escaped. */
void json_object(struct json_writer *json, const char *name);
void json_object_end(struct json_writer *json);
void json_array(struct json_writer *json, const char *name);
void json_array_end(struct json_writer *json);
void json_text(struct json_writer *json, const char *name, struct text value);
void json_string(struct json_writer *json, const char *name, const char *value); /* NULL writes null */
void json_number(struct json_writer *json, const char *name, int64_t value);
void json_real(struct json_writer *json, const char *name, double value); /* shortest of at most 6 decimals */
void json_bool(struct json_writer *json, const char *name, bool value);
void json_null(struct json_writer *json, const char *name);
/* Milliseconds since 1970 as "2026-11-21T11:00:00.000Z"; 0 writes null. */
void json_time(struct json_writer *json, const char *name, int64_t ms);
/* prefix_0123456789abc, see id.h; 0 writes null. */
void json_id(struct json_writer *json, const char *name, const char *prefix, uint64_t id);
/* A value that is JSON already. */
void json_raw(struct json_writer *json, const char *name, struct text value);

#endif
