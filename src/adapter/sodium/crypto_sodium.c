/* crypto_sodium.c: the crypto port on libsodium. Stateless but for sodium_init, so any thread may call. */
#include "port/crypto.h"

#include "base/fault.h"
#include "port/random.h"

#include <sodium.h>

_Static_assert(CRYPTO_HASH_BYTES == crypto_hash_sha256_BYTES, "SHA-256");
_Static_assert(CRYPTO_HASH_BYTES == crypto_auth_hmacsha256_BYTES, "HMAC-SHA-256");
_Static_assert(CRYPTO_MAC_KEY_BYTES == crypto_auth_hmacsha256_KEYBYTES, "HMAC key");
_Static_assert(CRYPTO_SIGN_SEED_BYTES == crypto_sign_SEEDBYTES, "Ed25519 seed");
_Static_assert(CRYPTO_SIGN_PUBLIC_BYTES == crypto_sign_PUBLICKEYBYTES, "Ed25519 public key");
_Static_assert(CRYPTO_SIGN_SECRET_BYTES == crypto_sign_SECRETKEYBYTES, "Ed25519 secret key");
_Static_assert(CRYPTO_SIGNATURE_BYTES == crypto_sign_BYTES, "Ed25519 signature");
_Static_assert(CRYPTO_PASSWORD_TEXT_MAX == crypto_pwhash_argon2id_STRBYTES, "Argon2id text");
_Static_assert(CRYPTO_SHORT_HASH_BYTES == crypto_shorthash_siphashx24_BYTES, "SipHash");
_Static_assert(CRYPTO_SHORT_HASH_KEY_BYTES == crypto_shorthash_siphashx24_KEYBYTES, "SipHash key");

enum { PASSWORD_PASSES = 2, PASSWORD_MEMORY_BYTES = 19 * 1024 * 1024 };

static void fill(struct random_source *source, void *bytes, size_t n) {
        (void)source;
        randombytes_buf(bytes, n);
}

int crypto_start(void) {
        return sodium_init() < 0 ? -EIO : 0;
}

struct random_source *crypto_random(void) {
        static struct random_source source = {.fill = fill};
        return &source;
}

void crypto_sha256(uint8_t out[static CRYPTO_HASH_BYTES], const void *bytes, size_t n) {
        crypto_hash_sha256(out, bytes, n);
}

void crypto_hmac(uint8_t out[static CRYPTO_HASH_BYTES], const uint8_t key[static CRYPTO_MAC_KEY_BYTES],
                 const void *bytes, size_t n) {
        crypto_auth_hmacsha256(out, bytes, n, key);
}

void crypto_short_hash(uint8_t out[static CRYPTO_SHORT_HASH_BYTES],
                       const uint8_t key[static CRYPTO_SHORT_HASH_KEY_BYTES], const void *bytes, size_t n) {
        crypto_shorthash_siphashx24(out, bytes, n, key);
}

void crypto_sign_keys(uint8_t ret_public[static CRYPTO_SIGN_PUBLIC_BYTES],
                      uint8_t ret_secret[static CRYPTO_SIGN_SECRET_BYTES],
                      const uint8_t seed[static CRYPTO_SIGN_SEED_BYTES]) {
        crypto_sign_seed_keypair(ret_public, ret_secret, seed);
}

void crypto_signature(uint8_t out[static CRYPTO_SIGNATURE_BYTES], const void *bytes, size_t n,
                      const uint8_t secret[static CRYPTO_SIGN_SECRET_BYTES]) {
        crypto_sign_detached(out, NULL, bytes, n, secret);
}

bool crypto_verify(const uint8_t signature[static CRYPTO_SIGNATURE_BYTES], const void *bytes, size_t n,
                   const uint8_t public_key[static CRYPTO_SIGN_PUBLIC_BYTES]) {
        return crypto_sign_verify_detached(signature, bytes, n, public_key) == 0;
}

int crypto_password_hash(char out[static CRYPTO_PASSWORD_TEXT_MAX], const char *password, size_t n) {
        int r = crypto_pwhash_argon2id_str(out, password, n, PASSWORD_PASSES, PASSWORD_MEMORY_BYTES);
        return r == 0 ? 0 : -ENOMEM;
}

bool crypto_password_matches(const char *hash_text, const char *password, size_t n) {
        return crypto_pwhash_argon2id_str_verify(hash_text, password, n) == 0;
}

bool crypto_equal(const void *a, const void *b, size_t n) {
        return sodium_memcmp(a, b, n) == 0;
}
