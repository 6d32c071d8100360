/* http1_chunks.c: a chunked body (RFC 9112 section 7.1), joined in place.
 *
 *   SIZE → [EXTENSION] → SIZE_LF → DATA → DATA_CR → DATA_LF → SIZE …
 *                            └ size 0 → TRAILER ⇄ NAME → VALUE → VALUE_LF … → LAST_LF → DONE
 *
 * Everything outside the data is looked at letter by letter; extensions and trailers are checked and dropped. */
#include "edge/http1.h"

#include "base/assert.h"
#include "edge/http1_letters.h"

enum state {
        SIZE_FIRST, SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER, NAME, VALUE, VALUE_LF, LAST_LF, DONE,
};

/* Go on in `next` if the letter is as it should be. */
static int go(struct http1_chunks *chunks, bool right, enum state next) {
        chunks->state = next;
        return right ? 0 : -400;
}

static int size_step(struct http1_chunks *chunks, char c, size_t body_max) {
        int digit = http1_hex_digit(c);
        if (digit >= 0) {
                if (chunks->left == 0 && digit == 0)
                        chunks->trailer_bytes++; /* so that leading zeros have a limit */
                chunks->left = chunks->left * 16 + (unsigned)digit;
                return chunks->left > body_max - chunks->written ? -413 : go(chunks, true, SIZE);
        }
        if (chunks->state == SIZE_FIRST)
                return -400;
        if (c == ';')
                return go(chunks, true, EXTENSION);
        return go(chunks, c == '\r', SIZE_LF);
}

static int trailer_step(struct http1_chunks *chunks, char c) {
        chunks->trailer_bytes++;
        switch (chunks->state) {
        case TRAILER:
                return c == '\r' ? go(chunks, true, LAST_LF) : go(chunks, http1_is(c, IN_TOKEN), NAME);
        case NAME:
                return c == ':' ? go(chunks, true, VALUE) : go(chunks, http1_is(c, IN_TOKEN), NAME);
        case VALUE:
                return c == '\r' ? go(chunks, true, VALUE_LF) : go(chunks, http1_is_value(c), VALUE);
        case VALUE_LF:
                return go(chunks, c == '\n', TRAILER);
        default:
                return go(chunks, c == '\n', DONE);
        }
}

static int step(struct http1_chunks *chunks, char c, size_t body_max) {
        switch (chunks->state) {
        case SIZE_FIRST:
        case SIZE:
                return size_step(chunks, c, body_max);
        case EXTENSION:
                chunks->trailer_bytes++;
                return c == '\r' ? go(chunks, true, SIZE_LF) : go(chunks, http1_is_value(c), EXTENSION);
        case SIZE_LF:
                return go(chunks, c == '\n', chunks->left > 0 ? DATA : TRAILER);
        case DATA_CR:
                return go(chunks, c == '\r', DATA_LF);
        case DATA_LF:
                return go(chunks, c == '\n', SIZE_FIRST);
        default:
                return trailer_step(chunks, c);
        }
}

int http1_join_chunks(struct http1_chunks *chunks, char *bytes, size_t n, size_t body_max) {
        PRE(chunks->written <= chunks->read && chunks->read <= n && chunks->written <= body_max);
        while (chunks->read < n && chunks->state != DONE) {
                if (chunks->state == DATA) {
                        size_t here = n - chunks->read;
                        size_t piece = chunks->left < here ? (size_t)chunks->left : here;
                        memmove(bytes + chunks->written, bytes + chunks->read, piece);
                        chunks->written += piece;
                        chunks->read += piece;
                        chunks->left -= piece;
                        if (chunks->left == 0)
                                chunks->state = DATA_CR;
                        continue;
                }
                int fault = step(chunks, bytes[chunks->read], body_max);
                if (fault < 0)
                        return fault;
                if (chunks->trailer_bytes > HTTP_HEAD_MAX)
                        return -431;
                chunks->read++;
        }
        return chunks->state == DONE;
}
