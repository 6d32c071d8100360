/* http1_query.c: one parameter of a query string, found and decoded. Nothing is kept between calls: a query has few
 * parameters and a route asks for few of them. */
#include "edge/http1.h"

#include "edge/http1_letters.h"

/* The next decoded byte and *at behind it; -1: malformed, or a NUL. */
static int byte_next(const char **at, const char *end) {
        char c = *(*at)++;
        if (c == '+')
                return ' ';
        if (c != '%')
                return c == 0 ? -1 : (unsigned char)c;
        if (end - *at < 2 || http1_hex_digit((*at)[0]) < 0 || http1_hex_digit((*at)[1]) < 0)
                return -1;
        int byte = http1_hex_digit((*at)[0]) * 16 + http1_hex_digit((*at)[1]);
        *at += 2;
        return byte == 0 ? -1 : byte;
}

/* 1: it decodes to name; 0: to something else; -1: malformed. */
static int name_matches(struct text encoded, const char *name) {
        const char *at = encoded.at, *end = encoded.at + encoded.length;
        bool same = true;
        while (at < end) {
                int byte = byte_next(&at, end);
                if (byte < 0)
                        return -1;
                same = same && *name != 0 && (unsigned char)*name == byte;
                name += same;
        }
        return same && *name == 0;
}

static int value_decode(struct text encoded, char *out, size_t capacity, size_t *ret_length) {
        const char *at = encoded.at, *end = encoded.at + encoded.length;
        size_t length = 0;
        while (at < end) {
                int byte = byte_next(&at, end);
                if (byte < 0 || length == capacity)
                        return -1;
                out[length++] = (char)byte;
        }
        *ret_length = length;
        return 1;
}

int http_query_value(struct text query, const char *name, char *out, size_t capacity, struct text *ret_value) {
        size_t length = 0;
        bool found = false;
        while (query.length > 0) {
                const char *and = memchr(query.at, '&', query.length);
                struct text pair = {query.at, and ? (size_t)(and - query.at) : query.length};
                size_t used = pair.length + (and ? 1 : 0);
                query = (struct text){query.at + used, query.length - used};

                const char *equals = pair.length > 0 ? memchr(pair.at, '=', pair.length) : NULL;
                size_t name_length = equals ? (size_t)(equals - pair.at) : pair.length;
                int match = name_matches((struct text){pair.at, name_length}, name);
                if (match < 0 || (match > 0 && found))
                        return -1;
                if (match == 0)
                        continue;
                found = true;
                size_t from = equals ? name_length + 1 : name_length;
                if (value_decode((struct text){pair.at + from, pair.length - from}, out, capacity, &length) < 0)
                        return -1;
        }
        if (!found)
                return 0;
        *ret_value = (struct text){out, length};
        return 1;
}
