#include "base/id.h"

#include "base/assert.h"

/* 2024-01-01T00:00:00Z */
#define ID_EPOCH_MS INT64_C(1704067200000)

enum { ID_SEQUENCE_BITS = 14, ID_NODE_BITS = 8, ID_LOW_BITS = ID_SEQUENCE_BITS + ID_NODE_BITS, ID_TIME_BITS = 41 };
#define ID_SEQUENCE_MAX ((UINT64_C(1) << ID_SEQUENCE_BITS) - 1)

static const char id_letters[32] = "0123456789abcdefghjkmnpqrstvwxyz";

void id_source_init(struct id_source *source, unsigned node, uint64_t after) {
        PRE(node <= ID_NODE_MAX);
        PRE(after <= INT64_MAX);
        *source = (struct id_source){.last = after, .node = node};
}

uint64_t id_next(struct id_source *source, int64_t now_ms) {
        uint64_t ms = now_ms > ID_EPOCH_MS ? (uint64_t)(now_ms - ID_EPOCH_MS) : 0;
        uint64_t node = (uint64_t)source->node << ID_SEQUENCE_BITS;
        uint64_t next = ms << ID_LOW_BITS | node;
        PRE(ms >> ID_TIME_BITS == 0);
        if (next <= source->last) {
                /* The same millisecond again, or the clock stepped back: count on from the last id. When its sequence
                 * is used up, or when another node gave it, borrow the next millisecond. */
                bool ours = (source->last & ((uint64_t)ID_NODE_MAX << ID_SEQUENCE_BITS)) == node;
                if (ours && (source->last & ID_SEQUENCE_MAX) < ID_SEQUENCE_MAX)
                        next = source->last + 1;
                else
                        next = ((source->last >> ID_LOW_BITS) + 1) << ID_LOW_BITS | node;
        }
        POST(next > source->last && next <= INT64_MAX);
        source->last = next;
        return next;
}

size_t id_format(char out[static ID_TEXT_MAX], const char *prefix, uint64_t id) {
        size_t length = strlen(prefix);
        PRE(length > 0 && length + 1 + ID_DIGITS < ID_TEXT_MAX);
        PRE(id > 0 && id <= INT64_MAX);
        memcpy(out, prefix, length);
        out[length++] = '_';
        for (unsigned i = ID_DIGITS; i-- > 0; id >>= 5)
                out[length + i] = id_letters[id & 31];
        length += ID_DIGITS;
        out[length] = '\0';
        return length;
}

/* The value of a digit; 32 and above for anything that id_format does not write. */
static uint64_t id_digit(char letter) {
        if (letter >= '0' && letter <= '9')
                return (uint64_t)(letter - '0');
        if (letter < 'a' || letter > 'z')
                return 32;
        static const unsigned char values[26] = {10, 11, 12, 13, 14, 15, 16, 17, 32, 18, 19, 32, 20,
                                                 21, 32, 22, 23, 24, 25, 26, 32, 27, 28, 29, 30, 31};
        return values[letter - 'a'];
}

uint64_t id_parse(struct text text, const char *prefix) {
        size_t length = strlen(prefix);
        if (text.length != length + 1 + ID_DIGITS || memcmp(text.at, prefix, length) != 0 || text.at[length] != '_')
                return 0;
        uint64_t id = id_digit(text.at[length + 1]);
        if (id > 7) /* the first of 13 digits has three bits left */
                return 0;
        for (size_t i = 1; i < ID_DIGITS; i++) {
                uint64_t digit = id_digit(text.at[length + 1 + i]);
                if (digit > 31)
                        return 0;
                id = id << 5 | digit;
        }
        return id;
}
