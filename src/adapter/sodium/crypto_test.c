/* crypto_test.c: the crypto port against published vectors, so that a wrong binding cannot pass. */
#include "port/crypto.h"
#include "port/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void from_hex(uint8_t *out, const char *hex) {
        for (; *hex; hex += 2, out++) {
                unsigned byte;
                assert_int_equal(sscanf(hex, "%2x", &byte), 1);
                *out = (uint8_t)byte;
        }
}

static void assert_hex(const void *bytes, const char *hex) {
        uint8_t expected[128];
        from_hex(expected, hex);
        assert_memory_equal(bytes, expected, strlen(hex) / 2);
}

static int start(void **state) {
        (void)state;
        return crypto_start();
}

/* FIPS 180-4: the examples of NIST. */
static void test_sha256(void **state) {
        (void)state;
        uint8_t out[CRYPTO_HASH_BYTES];
        crypto_sha256(out, "abc", 3);
        assert_hex(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        crypto_sha256(out, "", 0);
        assert_hex(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        const char *two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        crypto_sha256(out, two_blocks, strlen(two_blocks));
        assert_hex(out, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* RFC 4231: shorter keys are filled with zeros by HMAC itself, so they fit our 32 bytes. */
static void test_hmac(void **state) {
        (void)state;
        uint8_t out[CRYPTO_HASH_BYTES], key[CRYPTO_MAC_KEY_BYTES] = {0};
        memset(key, 0x0b, 20);
        crypto_hmac(out, key, "Hi There", 8);
        assert_hex(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        memset(key, 0, sizeof key);
        memcpy(key, "Jefe", 4);
        crypto_hmac(out, key, "what do ya want for nothing?", 28);
        assert_hex(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        memset(key, 0, sizeof key);
        memset(key, 0xaa, 20);
        uint8_t message[50];
        memset(message, 0xdd, sizeof message);
        crypto_hmac(out, key, message, sizeof message);
        assert_hex(out, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
}

/* The vectors of the SipHash reference code (key 00 … 0f, message 00, 01, …). */
static void test_short_hash(void **state) {
        (void)state;
        uint8_t key[CRYPTO_SHORT_HASH_KEY_BYTES], message[15], out[CRYPTO_SHORT_HASH_BYTES];
        for (unsigned i = 0; i < sizeof key; i++)
                key[i] = (uint8_t)i;
        for (unsigned i = 0; i < sizeof message; i++)
                message[i] = (uint8_t)i;
        crypto_short_hash(out, key, message, 0);
        assert_hex(out, "a3817f04ba25a8e66df67214c7550293");
        crypto_short_hash(out, key, message, sizeof message);
        assert_hex(out, "5493e99933b0a8117e08ec0f97cfc3d9");
}

struct sign_vector {
        const char *seed, *public_key, *message, *signature;
};

/* RFC 8032 section 7.1, tests 1 to 3. */
static const struct sign_vector sign_vectors[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
         "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
         "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
         "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

static void test_sign(void **state) {
        (void)state;
        for (size_t i = 0; i < sizeof sign_vectors / sizeof *sign_vectors; i++) {
                const struct sign_vector *vector = &sign_vectors[i];
                uint8_t seed[CRYPTO_SIGN_SEED_BYTES], public_key[CRYPTO_SIGN_PUBLIC_BYTES],
                        secret[CRYPTO_SIGN_SECRET_BYTES];
                uint8_t message[8], signature[CRYPTO_SIGNATURE_BYTES];
                size_t length = strlen(vector->message) / 2;
                from_hex(seed, vector->seed);
                from_hex(message, vector->message);
                crypto_sign_keys(public_key, secret, seed);
                assert_hex(public_key, vector->public_key);
                crypto_signature(signature, message, length, secret);
                assert_hex(signature, vector->signature);
                assert_true(crypto_verify(signature, message, length, public_key));
        }
}

static void test_verify_refuses(void **state) {
        (void)state;
        uint8_t seed[CRYPTO_SIGN_SEED_BYTES] = {7}, public_key[CRYPTO_SIGN_PUBLIC_BYTES],
                secret[CRYPTO_SIGN_SECRET_BYTES];
        uint8_t signature[CRYPTO_SIGNATURE_BYTES];
        char message[] = "seat 12";
        crypto_sign_keys(public_key, secret, seed);
        crypto_signature(signature, message, sizeof message, secret);
        for (unsigned bit = 0; bit < 8 * sizeof signature; bit++) {
                signature[bit / 8] ^= (uint8_t)(1U << bit % 8);
                assert_false(crypto_verify(signature, message, sizeof message, public_key));
                signature[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
        message[0] = 'S';
        assert_false(crypto_verify(signature, message, sizeof message, public_key));
}

static void test_password(void **state) {
        (void)state;
        char hash[CRYPTO_PASSWORD_TEXT_MAX], again[CRYPTO_PASSWORD_TEXT_MAX];
        assert_int_equal(crypto_password_hash(hash, "correct horse", 13), 0);
        assert_int_equal(crypto_password_hash(again, "correct horse", 13), 0);
        assert_memory_equal(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31);
        assert_string_not_equal(hash, again);
        assert_true(crypto_password_matches(hash, "correct horse", 13));
        assert_false(crypto_password_matches(hash, "correct horsf", 13));
        assert_false(crypto_password_matches(hash, "correct horse", 12));
        assert_false(crypto_password_matches("", "correct horse", 13));
}

static void test_random_and_equal(void **state) {
        (void)state;
        uint8_t a[32] = {0}, b[32] = {0};
        assert_true(crypto_equal(a, b, sizeof a));
        crypto_random()->fill(crypto_random(), a, sizeof a);
        crypto_random()->fill(crypto_random(), b, sizeof b);
        assert_memory_not_equal(a, b, sizeof a);
        assert_false(crypto_equal(a, b, sizeof a));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sha256),           cmocka_unit_test(test_hmac),
                cmocka_unit_test(test_short_hash),       cmocka_unit_test(test_sign),
                cmocka_unit_test(test_verify_refuses),   cmocka_unit_test(test_password),
                cmocka_unit_test(test_random_and_equal),
        };
        return cmocka_run_group_tests(tests, start, NULL);
}
