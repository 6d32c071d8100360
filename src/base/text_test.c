#include "base/text.h"
#include "base/unit_test.h"

static void equality(void **state) {
        (void)state;
        assert_true(text_equal(TEXT("seat"), text_of("seat")));
        assert_false(text_equal(TEXT("seat"), TEXT("seats")));
        assert_false(text_equal(TEXT("seat"), TEXT("Seat")));
        assert_true(text_equal(text_of(NULL), TEXT("")));
        assert_true(text_equal_nocase(TEXT("Content-Type"), TEXT("cONTENT-tYPE")));
        assert_false(text_equal_nocase(TEXT("Content-Type"), TEXT("Content-Typ")));
        assert_false(text_equal_nocase(TEXT("@"), TEXT("`")));
        assert_false(text_equal_nocase(TEXT("["), TEXT("{")));
        assert_false(text_equal_nocase(TEXT("\xc3\x84"), TEXT("\xc3\xa4"))); /* ASCII only */
        assert_true(text_equal_nocase(text_of(NULL), TEXT("")));
}

static const struct {
        struct text text;
        int step;
} utf8_rows[] = {
        {TEXT("A"), 1},
        {TEXT("\x7f"), 1},
        {{"\0", 1}, 1},
        {TEXT("\xc2\x80"), 2},         /* U+0080 */
        {TEXT("\xdf\xbf"), 2},         /* U+07FF */
        {TEXT("\xe0\xa0\x80"), 3},     /* U+0800 */
        {TEXT("\xed\x95\x9c"), 3},     /* U+D55C, a Korean syllable */
        {TEXT("\xed\x9f\xbf"), 3},     /* U+D7FF, the last before the surrogates */
        {TEXT("\xee\x80\x80"), 3},     /* U+E000, the first behind them */
        {TEXT("\xef\xbf\xbf"), 3},     /* U+FFFF */
        {TEXT("\xf0\x90\x80\x80"), 4}, /* U+10000 */
        {TEXT("\xf4\x8f\xbf\xbf"), 4}, /* U+10FFFF */
        {TEXT("\x80"), -1},            /* continuation without a start */
        {TEXT("\xbf\xbf"), -1},
        {TEXT("\xc0\x80"), -1},         /* overlong zero */
        {TEXT("\xc1\xbf"), -1},         /* overlong U+007F */
        {TEXT("\xe0\x9f\xbf"), -1},     /* overlong U+07FF */
        {TEXT("\xf0\x8f\xbf\xbf"), -1}, /* overlong U+FFFF */
        {TEXT("\xed\xa0\x80"), -1},     /* surrogates */
        {TEXT("\xed\xbf\xbf"), -1},
        {TEXT("\xf4\x90\x80\x80"), -1}, /* U+110000 */
        {TEXT("\xf5\x80\x80\x80"), -1},
        {TEXT("\xff"), -1},
        {TEXT("\xfe"), -1},
        {TEXT("\xc2"), -1}, /* cut short */
        {TEXT("\xe0"), -1},
        {TEXT("\xe0\xa0"), -2},
        {TEXT("\xf0\x90\x80"), -3},
        {TEXT("\xf0\x90"), -2},
        {TEXT("\xc2"
              "A"),
         -1}, /* broken off by a letter */
        {TEXT("\xe0\xa0"
              "A"),
         -2},
        {TEXT("\xf0\x90\x80"
              "A"),
         -3},
};

static void utf8_forms(void **state) {
        (void)state;
        for (size_t i = 0; i < sizeof utf8_rows / sizeof *utf8_rows; i++) {
                struct text text = utf8_rows[i].text;
                if (text_utf8_step(text) != utf8_rows[i].step)
                        fail_msg("row %zu: step %d, not %d", i, text_utf8_step(text), utf8_rows[i].step);
                assert_int_equal(text_is_utf8(text), utf8_rows[i].step > 0);

                /* The same at each place of a longer text: around the path that looks at eight bytes at once. */
                for (size_t before = 0; before < 18; before++) {
                        char longer[40];
                        memset(longer, 'x', sizeof longer);
                        memcpy(longer + before, text.at, text.length);
                        struct text whole = {longer, sizeof longer};
                        assert_int_equal(text_is_utf8(whole), utf8_rows[i].step > 0);
                }
        }
        assert_true(text_is_utf8(text_of(NULL)));
        assert_true(ABORTS(text_utf8_step(TEXT(""))));
}

static void code_points(void **state) {
        (void)state;
        assert_int_equal(text_code_points(text_of(NULL)), 0);
        assert_int_equal(text_code_points(TEXT("abc")), 3);
        assert_int_equal(text_code_points(TEXT("\xed\x95\x9c\xea\xb8\x80")), 2);
        assert_int_equal(text_code_points(TEXT("a\xc2\xa2\xe2\x82\xac\xf0\x9f\x98\x80")), 4);
}

static void numbers_from_text(void **state) {
        (void)state;
        uint64_t number = 77;
        assert_true(text_to_number(TEXT("0"), 0, &number) && number == 0);
        assert_true(text_to_number(TEXT("007"), 7, &number) && number == 7);
        assert_true(text_to_number(TEXT("255"), 255, &number) && number == 255);
        assert_true(text_to_number(TEXT("18446744073709551615"), UINT64_MAX, &number) && number == UINT64_MAX);
        assert_true(text_to_number(TEXT("9223372036854775807"), INT64_MAX, &number) && number == INT64_MAX);

        static const char *const refused[] = {"", "-1", "+1", " 1", "1 ", "1.0", "0x10", "1e3", "\xd9\xa1"};
        number = 77;
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
                assert_false(text_to_number(text_of(refused[i]), UINT64_MAX, &number));
        assert_false(text_to_number(TEXT("256"), 255, &number));
        assert_false(text_to_number(TEXT("1"), 0, &number));
        assert_false(text_to_number(TEXT("9"), 5, &number));
        assert_false(text_to_number(TEXT("18446744073709551616"), UINT64_MAX, &number));
        assert_false(text_to_number(TEXT("99999999999999999999999"), UINT64_MAX, &number));
        assert_false(text_to_number((struct text){"1\0", 2}, UINT64_MAX, &number));
        assert_int_equal(number, 77); /* untouched by refusals */
}

static void numbers_to_text(void **state) {
        (void)state;
        static const struct {
                int64_t number;
                const char *text;
        } rows[] = {
                {0, "0"},
                {7, "7"},
                {10, "10"},
                {99, "99"},
                {100, "100"},
                {101, "101"},
                {-1, "-1"},
                {-10, "-10"},
                {12345, "12345"},
                {-999, "-999"},
                {1000, "1000"},
                {INT64_MAX, "9223372036854775807"},
                {INT64_MIN, "-9223372036854775808"},
        };
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                char out[TEXT_NUMBER_MAX];
                struct text text = {out, text_from_number(out, rows[i].number)};
                assert_true(text_equal(text, text_of(rows[i].text)));
        }
}

static void base64url(void **state) {
        (void)state;
        /* RFC 4648 section 10, without padding; and the two letters that differ from plain base64. */
        static const struct {
                struct text bytes, letters;
        } rows[] = {
                {TEXT(""), TEXT("")},
                {TEXT("f"), TEXT("Zg")},
                {TEXT("fo"), TEXT("Zm8")},
                {TEXT("foo"), TEXT("Zm9v")},
                {TEXT("foob"), TEXT("Zm9vYg")},
                {TEXT("fooba"), TEXT("Zm9vYmE")},
                {TEXT("foobar"), TEXT("Zm9vYmFy")},
                {TEXT("\xfb\xff\xfe"), TEXT("-__-")},
                {{"\0\0\0\0", 4}, TEXT("AAAAAA")},
        };
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                char letters[16], bytes[16];
                size_t length = text_base64url_encode(letters, rows[i].bytes.at, rows[i].bytes.length);
                assert_int_equal(length, TEXT_BASE64_LENGTH(rows[i].bytes.length));
                assert_true(text_equal((struct text){letters, length}, rows[i].letters));
                assert_true(text_base64url_decode(rows[i].letters, bytes, rows[i].bytes.length, &length));
                assert_true(text_equal((struct text){bytes, length}, rows[i].bytes));
        }
}

static void base64url_refusals(void **state) {
        (void)state;
        static const char *const refused[] = {
                "A",       "AAAAA", /* six bits alone are no byte */
                "Zh",      "Zm9",   "Zm9vYh",
                "Zm9vYmF",               /* spare bits are not zero: a second spelling of the same bytes */
                "Zg==",    "Zm8=",  "=", /* padding */
                "+/+/",    "Zm9 ",  "Zm\n9",
                "Zm9.", /* foreign letters */
                "\377AAA",
        };
        char out[16];
        size_t length = 77;
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
                if (text_base64url_decode(text_of(refused[i]), out, sizeof out, &length))
                        fail_msg("%s was taken", refused[i]);
        }
        assert_false(text_base64url_decode((struct text){"AA\0A", 4}, out, sizeof out, &length));
        assert_false(text_base64url_decode(TEXT("Zm9v"), out, 2, &length)); /* no room */
        assert_int_equal(length, 77);
}

static void base64url_round_trip(void **state) {
        (void)state;
        uint64_t seed = 20260101;
        for (size_t round = 0; round < 2000; round++) {
                unsigned char bytes[64], back[64];
                size_t n = test_random(&seed) % sizeof bytes, length;
                for (size_t i = 0; i < n; i++)
                        bytes[i] = (unsigned char)test_random(&seed);
                char letters[TEXT_BASE64_LENGTH(sizeof bytes)];
                struct text text = {letters, text_base64url_encode(letters, bytes, n)};
                assert_int_equal(text.length, TEXT_BASE64_LENGTH(n));
                assert_true(text_base64url_decode(text, back, n, &length));
                assert_int_equal(length, n);
                assert_memory_equal(back, bytes, n);
        }
}

static void hex(void **state) {
        (void)state;
        char out[9] = "........";
        text_hex(out, "\x00\x9f\xa0\xff", 4);
        assert_string_equal(out, "009fa0ff");
        text_hex(out, NULL, 0);
        assert_string_equal(out, "009fa0ff");
}

static void hash_is_the_same_everywhere(void **state) {
        (void)state;
        /* Frozen: stored hashes would no longer be found if these changed. */
        assert_true(text_hash(NULL, 0, 0) == UINT64_C(0x84b67dfd3fa1f7ee));
        assert_true(text_hash("seat", 4, 0) == UINT64_C(0x185522447a3312c1));
        assert_true(text_hash("seat", 4, 1) == UINT64_C(0xa31d865cd5bbae0b));
        assert_true(text_hash("the quick brown fox jumps over", 30, 7) == UINT64_C(0x47796d7e791873ca));
}

static int compare_numbers(const void *a, const void *b) {
        uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
        return left < right ? -1 : left > right;
}

static void hash_tells_texts_apart(void **state) {
        (void)state;
        enum { COUNT = 100000, LENGTHS = 64 };
        uint64_t *hashes = calloc(COUNT + LENGTHS, sizeof *hashes);
        assert_non_null(hashes);
        for (uint32_t i = 0; i < COUNT; i++)
                hashes[i] = text_hash(&i, sizeof i, 0);
        /* Zeros of each length, too. */
        static const char zeros[LENGTHS];
        for (size_t n = 0; n < LENGTHS; n++)
                hashes[COUNT + n] = n == 4 ? 1 : text_hash(zeros, n, 0); /* four zeros stand above as i = 0 */
        qsort(hashes, COUNT + LENGTHS, sizeof *hashes, compare_numbers);
        for (size_t i = 1; i < COUNT + LENGTHS; i++)
                assert_true(hashes[i] != hashes[i - 1]);
        free(hashes);
}

static void hash_spreads_each_bit(void **state) {
        (void)state;
        /* Flipping one bit of the input, at any length and place, flips about half of the output. */
        uint64_t seed = 7;
        for (size_t n = 1; n <= 48; n++) {
                unsigned char bytes[48];
                size_t flipped = 0, samples = 0;
                for (size_t round = 0; round < 4; round++) {
                        for (size_t i = 0; i < n; i++)
                                bytes[i] = (unsigned char)test_random(&seed);
                        uint64_t hash = text_hash(bytes, n, 0);
                        for (size_t bit = 0; bit < 8 * n; bit++, samples++) {
                                bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
                                uint64_t difference = hash ^ text_hash(bytes, n, 0);
                                bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
                                assert_true(difference != 0);
                                flipped += (size_t)__builtin_popcountll(difference);
                        }
                }
                size_t mean_times_100 = flipped * 100 / samples;
                assert_in_range(mean_times_100, 2900, 3500);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(equality),
                cmocka_unit_test(utf8_forms),
                cmocka_unit_test(code_points),
                cmocka_unit_test(numbers_from_text),
                cmocka_unit_test(numbers_to_text),
                cmocka_unit_test(base64url),
                cmocka_unit_test(base64url_refusals),
                cmocka_unit_test(base64url_round_trip),
                cmocka_unit_test(hex),
                cmocka_unit_test(hash_is_the_same_everywhere),
                cmocka_unit_test(hash_tells_texts_apart),
                cmocka_unit_test(hash_spreads_each_bit),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
