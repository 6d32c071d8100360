#include "base/text.h"

#include "base/assert.h"

#include <endian.h>

static char lower(char letter) {
        return letter >= 'A' && letter <= 'Z' ? (char)(letter + ('a' - 'A')) : letter;
}

bool text_equal_nocase(struct text a, struct text b) {
        if (a.length != b.length)
                return false;
        for (size_t i = 0; i < a.length; i++) {
                if (lower(a.at[i]) != lower(b.at[i]))
                        return false;
        }
        return true;
}

int text_utf8_step(struct text text) {
        PRE(text.length > 0);
        const unsigned char *at = (const unsigned char *)text.at;
        unsigned char first = at[0];
        if (first < 0x80)
                return 1;
        if (first < 0xc2 || first > 0xf4)
                return -1;
        int length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
        /* Overlong forms, surrogates and what lies above U+10FFFF can be told by the second byte. */
        unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        for (int i = 1; i < length; i++) {
                if ((size_t)i >= text.length || at[i] < low || at[i] > high)
                        return -i;
                low = 0x80;
                high = 0xbf;
        }
        return length;
}

bool text_is_utf8(struct text text) {
        while (text.length > 0) {
                uint64_t eight;
                size_t step = sizeof eight;
                if (text.length >= step &&
                    (memcpy(&eight, text.at, step), (eight & UINT64_C(0x8080808080808080)) == 0)) {
                        text.at += step;
                        text.length -= step;
                        continue;
                }
                int r = text_utf8_step(text);
                if (r < 0)
                        return false;
                text.at += r;
                text.length -= (size_t)r;
        }
        return true;
}

size_t text_code_points(struct text text) {
        size_t count = 0;
        for (size_t i = 0; i < text.length; i++)
                count += ((unsigned char)text.at[i] & 0xc0) != 0x80;
        return count;
}

bool text_to_number(struct text text, uint64_t max, uint64_t *ret_number) {
        if (text.length == 0)
                return false;
        uint64_t number = 0;
        for (size_t i = 0; i < text.length; i++) {
                if (text.at[i] < '0' || text.at[i] > '9')
                        return false;
                uint64_t digit = (uint64_t)(text.at[i] - '0');
                if (digit > max || number > (max - digit) / 10)
                        return false;
                number = number * 10 + digit;
        }
        *ret_number = number;
        return true;
}

size_t text_from_number(char out[static TEXT_NUMBER_MAX], int64_t number) {
        uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
        char digits[TEXT_NUMBER_MAX];
        size_t start = sizeof digits;
        while (rest >= 100) {
                unsigned pair = (unsigned)(rest % 100);
                rest /= 100;
                digits[--start] = (char)('0' + pair % 10);
                digits[--start] = (char)('0' + pair / 10);
        }
        do {
                digits[--start] = (char)('0' + rest % 10);
                rest /= 10;
        } while (rest > 0);
        if (number < 0)
                digits[--start] = '-';
        memcpy(out, digits + start, sizeof digits - start);
        return sizeof digits - start;
}

static const char base64_letters[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/* One more than the value of a letter; 0 is a foreign letter. */
static const unsigned char base64_values[256] = {
        ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
        ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
        ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
        ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
        ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
        ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
        ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
        ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['-'] = 63, ['_'] = 64,
};

size_t text_base64url_encode(char *out, const void *bytes, size_t n) {
        const unsigned char *in = bytes;
        char *at = out;
        size_t i = 0;
        for (; n - i >= 3; i += 3) {
                uint32_t group = (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8 | in[i + 2];
                *at++ = base64_letters[group >> 18];
                *at++ = base64_letters[group >> 12 & 63];
                *at++ = base64_letters[group >> 6 & 63];
                *at++ = base64_letters[group & 63];
        }
        if (n - i > 0) {
                uint32_t group = (uint32_t)in[i] << 16 | (n - i == 2 ? (uint32_t)in[i + 1] << 8 : 0);
                *at++ = base64_letters[group >> 18];
                *at++ = base64_letters[group >> 12 & 63];
                if (n - i == 2)
                        *at++ = base64_letters[group >> 6 & 63];
        }
        return (size_t)(at - out);
}

bool text_base64url_decode(struct text text, void *out, size_t capacity, size_t *ret_length) {
        size_t length = text.length / 4 * 3 + (text.length % 4 > 0 ? text.length % 4 - 1 : 0);
        if (text.length % 4 == 1 || length > capacity)
                return false;
        unsigned char *at = out;
        uint32_t bits = 0;
        unsigned count = 0;
        for (size_t i = 0; i < text.length; i++) {
                unsigned value = base64_values[(unsigned char)text.at[i]];
                if (value == 0)
                        return false;
                bits = (bits << 6 | (value - 1)) & 0xffff;
                count += 6;
                if (count >= 8) {
                        count -= 8;
                        *at++ = (unsigned char)(bits >> count);
                }
        }
        if ((bits & ((1U << count) - 1)) != 0)
                return false;
        *ret_length = length;
        return true;
}

void text_hex(char *out, const void *bytes, size_t n) {
        static const char letters[16] = "0123456789abcdef";
        const unsigned char *in = bytes;
        for (size_t i = 0; i < n; i++) {
                out[2 * i] = letters[in[i] >> 4];
                out[2 * i + 1] = letters[in[i] & 15];
        }
}

/* Both halves of a 128-bit product folded together: every bit of the inputs reaches every bit of the result. */
static uint64_t fold(uint64_t a, uint64_t b) {
        unsigned __int128 product = (unsigned __int128)a * b;
        return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t eight_at(const unsigned char *at) {
        uint64_t number;
        memcpy(&number, at, sizeof number);
        return le64toh(number);
}

/* At most 8 bytes as a number, without reading beyond them. Lengths that give the same number are told apart by n. */
static uint64_t few_at(const unsigned char *at, size_t n) {
        uint64_t number = 0;
        for (size_t i = 0; i < n; i++)
                number |= (uint64_t)at[i] << 8 * i;
        return number;
}

uint64_t text_hash(const void *bytes, size_t n, uint64_t seed) {
        /* The fractions of pi in base 16, made odd: numbers with nothing up their sleeve. */
        const uint64_t k0 = UINT64_C(0x243f6a8885a308d3), k1 = UINT64_C(0x13198a2e03707345);
        const uint64_t k2 = UINT64_C(0xa4093822299f31d1), k3 = UINT64_C(0x082efa98ec4e6c89);
        const unsigned char *at = bytes;
        uint64_t hash = fold(seed ^ k0, k1);
        size_t rest = n;
        for (; rest > 16; at += 16, rest -= 16) {
                uint64_t a = eight_at(at), b = eight_at(at + 8);
                /* The sum keeps what came before even if a factor happens to be zero. */
                hash = (hash << 23 | hash >> 41) + fold(a ^ k1, b ^ hash ^ k2);
        }
        uint64_t a = rest >= 8 ? eight_at(at) : few_at(at, rest);
        uint64_t b = rest > 8 ? few_at(at + 8, rest - 8) : 0;
        hash = (hash << 23 | hash >> 41) + fold(a ^ k2, b ^ hash ^ k3);
        return fold(hash ^ k3, (uint64_t)n ^ k1);
}
