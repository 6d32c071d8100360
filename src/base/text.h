/* text.h: a borrowed stretch of bytes with its length. Whoever made it owns the bytes. */
#ifndef TICKETRUSH_BASE_TEXT_H
#define TICKETRUSH_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
        const char *at; /* not terminated; may be NULL when length is 0 */
        size_t length;
};

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

static inline struct text text_of(const char *terminated) {
        return (struct text){terminated, terminated ? strlen(terminated) : 0};
}

static inline bool text_equal(struct text a, struct text b) {
        return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

/* ASCII case is ignored (HTTP header names and tokens). */
bool text_equal_nocase(struct text a, struct text b);
/* Valid UTF-8 (RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF)? */
bool text_is_utf8(struct text text);
/* How the first character stands: n > 0, it is valid and n bytes long; -n < 0, n bytes are invalid and are replaced by
 * one U+FFFD together (the longest start of a valid form, or one byte). The text is not empty. */
int text_utf8_step(struct text text);
/* Number of code points of valid UTF-8. */
size_t text_code_points(struct text text);
/* Decimal digits only, no sign, no blank, at most max: true and *ret_number. */
bool text_to_number(struct text text, uint64_t max, uint64_t *ret_number);
/* Writes the number in decimal, not terminated, and returns its length. */
enum { TEXT_NUMBER_MAX = 20 };
size_t text_from_number(char out[static TEXT_NUMBER_MAX], int64_t number);
/* Base64url without padding (RFC 4648 section 5). Encode writes TEXT_BASE64_LENGTH(n) bytes and returns that.
 * Decode refuses foreign letters, padding and non-zero spare bits: false; *ret_length bytes at out otherwise. */
#define TEXT_BASE64_LENGTH(n) (((n) * 4 + 2) / 3)
size_t text_base64url_encode(char *out, const void *bytes, size_t n);
bool text_base64url_decode(struct text text, void *out, size_t capacity, size_t *ret_length);
/* Lower-case hexadecimal: writes 2 n letters. */
void text_hex(char *out, const void *bytes, size_t n);
/* A 64-bit hash that is the same on every machine and run (for tables; not against adversaries). */
uint64_t text_hash(const void *bytes, size_t n, uint64_t seed);

#endif
