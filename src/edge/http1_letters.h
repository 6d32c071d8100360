/* http1_letters.h: which letters may stand where (RFC 9110 section 5.6.2, RFC 3986). The edge's own. */
#ifndef TICKETRUSH_EDGE_HTTP1_LETTERS_H
#define TICKETRUSH_EDGE_HTTP1_LETTERS_H

#include <stdbool.h>
#include <stdint.h>

/* A token; a path; a query; a host's name; a hexadecimal digit. */
enum { IN_TOKEN = 1, IN_PATH = 2, IN_QUERY = 4, IN_NAME = 8, IN_HEX = 16 };

extern const uint8_t http1_classes[256];

static inline bool http1_is(char c, unsigned mask) {
        return (http1_classes[(uint8_t)c] & mask) != 0;
}

/* May it stand in a header's value? Everything but control characters; the tab may. */
static inline bool http1_is_value(char c) {
        return (uint8_t)c >= ' ' ? c != 0x7f : c == '\t';
}

/* 0 … 15, or -1. */
static inline int http1_hex_digit(char c) {
        if (!http1_is(c, IN_HEX))
                return -1;
        return c <= '9' ? c - '0' : (c & 7) + 9; /* the letters A and a end in 001 */
}

#endif
