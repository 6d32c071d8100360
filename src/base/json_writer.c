#include "base/json_writer.h"

#include "base/assert.h"
#include "base/id.h"
#include "base/time_text.h"

#include <math.h>
#include <stdio.h>

void json_begin(struct json_writer *json, struct buffer *out) {
        json->out = out;
        json->depth = 0;
        json->comma[0] = false;
        json->object[0] = false;
}

/* Writes what stands before a value and returns the place for `room` bytes of it, or NULL (overflowed). Whoever writes
 * there calls value_written with the place behind the last byte. */
static char *value_place(struct json_writer *json, const char *name, size_t room) {
        unsigned depth = json->depth;
        PRE(json->object[depth] == (name != NULL));
        PRE(IMPLIES(depth == 0, !json->comma[0]));
        size_t name_length = name ? strlen(name) : 0;
        char *at = buffer_reserve(json->out, name_length + (name ? 3 : 0) + json->comma[depth] + room);
        bool comma = json->comma[depth];
        json->comma[depth] = true;
        if (!at)
                return NULL;
        if (comma)
                *at++ = ',';
        if (name) {
                *at++ = '"';
                memcpy(at, name, name_length);
                at += name_length;
                *at++ = '"';
                *at++ = ':';
        }
        return at;
}

static void value_written(struct json_writer *json, const char *end) {
        json->out->length = (size_t)(end - json->out->at);
}

static void json_plain(struct json_writer *json, const char *name, const void *bytes, size_t n) {
        char *at = value_place(json, name, n);
        if (!at)
                return;
        memcpy(at, bytes, n);
        value_written(json, at + n);
}

static void json_open(struct json_writer *json, const char *name, bool object) {
        json_plain(json, name, object ? "{" : "[", 1);
        PRE(json->depth < JSON_WRITER_DEPTH_MAX);
        json->depth++;
        json->comma[json->depth] = false;
        json->object[json->depth] = object;
}

static void json_close(struct json_writer *json, bool object) {
        PRE(json->depth > 0 && json->object[json->depth] == object);
        json->depth--;
        buffer_add(json->out, object ? "}" : "]", 1);
}

void json_object(struct json_writer *json, const char *name) {
        json_open(json, name, true);
}
void json_object_end(struct json_writer *json) {
        json_close(json, true);
}
void json_array(struct json_writer *json, const char *name) {
        json_open(json, name, false);
}
void json_array_end(struct json_writer *json) {
        json_close(json, false);
}

/* How many bytes at the start may be written as they are. */
static size_t plain_length(struct text text) {
        const uint64_t ones = UINT64_C(0x0101010101010101), highs = UINT64_C(0x8080808080808080);
        size_t i = 0;
        while (i < text.length) {
                uint64_t eight;
                if (text.length - i >= sizeof eight) {
                        memcpy(&eight, text.at + i, sizeof eight);
                        /* A high bit is set for bytes from 0x80 on, for blanks' lower neighbours (below 0x20), and
                         * where the byte minus one borrows after quotes and backslashes were turned into zero. A borrow
                         * may also mark a harmless neighbour; then the bytes are looked at one by one. */
                        uint64_t quote = eight ^ ones * '"', backslash = eight ^ ones * '\\';
                        uint64_t marks = eight | (eight - ones * 0x20) | (quote - ones) | (backslash - ones);
                        if ((marks & highs) == 0) {
                                i += sizeof eight;
                                continue;
                        }
                }
                unsigned char byte = (unsigned char)text.at[i];
                if (byte < 0x20 || byte == '"' || byte == '\\')
                        break;
                int step = byte < 0x80 ? 1 : text_utf8_step((struct text){text.at + i, text.length - i});
                if (step < 0)
                        break;
                i += (size_t)step;
        }
        return i;
}

/* Writes the first character, which cannot stand as it is, and returns how many bytes it took. */
static size_t add_escaped(struct buffer *out, struct text text) {
        unsigned char byte = (unsigned char)*text.at;
        if (byte >= 0x80) {
                buffer_add(out, "\xef\xbf\xbd", 3);
                return (size_t)-text_utf8_step(text);
        }
        static const char short_forms[0x20] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
        char form[6] = {'\\', (char)byte};
        size_t length = 2;
        if (byte < 0x20 && short_forms[byte]) {
                form[1] = short_forms[byte];
        } else if (byte < 0x20) {
                memcpy(form + 1, "u00", 3);
                text_hex(form + 4, &byte, 1);
                length = 6;
        }
        buffer_add(out, form, length);
        return 1;
}

void json_text(struct json_writer *json, const char *name, struct text value) {
        /* No escape is shorter than what it stands for, so this much is needed in any case. */
        char *at = value_place(json, name, value.length + 2);
        if (!at)
                return;
        *at++ = '"';
        size_t plain = plain_length(value);
        if (plain > 0)
                memcpy(at, value.at, plain);
        at += plain;
        if (plain == value.length) {
                *at++ = '"';
                value_written(json, at);
                return;
        }
        value_written(json, at);
        while (plain < value.length) {
                struct text rest = {value.at + plain, value.length - plain};
                plain += add_escaped(json->out, rest);
                rest = (struct text){value.at + plain, value.length - plain};
                size_t run = plain_length(rest);
                buffer_add(json->out, rest.at, run);
                plain += run;
        }
        buffer_add(json->out, "\"", 1);
}

void json_string(struct json_writer *json, const char *name, const char *value) {
        if (value)
                json_text(json, name, text_of(value));
        else
                json_null(json, name);
}

void json_number(struct json_writer *json, const char *name, int64_t value) {
        char digits[TEXT_NUMBER_MAX];
        size_t length = text_from_number(digits, value);
        json_plain(json, name, digits, length);
}

void json_real(struct json_writer *json, const char *name, double value) {
        if (!isfinite(value)) {
                json_null(json, name);
                return;
        }
        char digits[330]; /* 309 before the point */
        size_t length = (size_t)snprintf(digits, sizeof digits, "%.6f", value);
        POST(length < sizeof digits);
        while (digits[length - 1] == '0')
                length--;
        if (digits[length - 1] == '.')
                length--;
        struct text text = {digits, length};
        if (text_equal(text, TEXT("-0")))
                text = TEXT("0");
        json_plain(json, name, text.at, text.length);
}

void json_bool(struct json_writer *json, const char *name, bool value) {
        json_plain(json, name, value ? "true" : "false", value ? 4 : 5);
}

void json_null(struct json_writer *json, const char *name) {
        json_plain(json, name, "null", 4);
}

void json_time(struct json_writer *json, const char *name, int64_t ms) {
        if (ms == 0) {
                json_null(json, name);
                return;
        }
        char *at = value_place(json, name, TIME_TEXT_LENGTH + 2);
        if (!at)
                return;
        at[0] = '"';
        time_format(at + 1, ms);
        at[TIME_TEXT_LENGTH + 1] = '"';
        value_written(json, at + TIME_TEXT_LENGTH + 2);
}

void json_id(struct json_writer *json, const char *name, const char *prefix, uint64_t id) {
        if (id == 0) {
                json_null(json, name);
                return;
        }
        char text[ID_TEXT_MAX + 2] = "\"";
        size_t length = 1 + id_format(text + 1, prefix, id);
        text[length++] = '"';
        json_plain(json, name, text, length);
}

void json_raw(struct json_writer *json, const char *name, struct text value) {
        if (value.length > 0)
                json_plain(json, name, value.at, value.length);
        else
                json_null(json, name);
}
