/* crypto.h: the few primitives the product uses. Bound at link time: src/adapter/sodium. All are thread-safe after
 * crypto_start, none blocks, none fails but where it says so. */
#ifndef TICKETRUSH_PORT_CRYPTO_H
#define TICKETRUSH_PORT_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
        CRYPTO_HASH_BYTES = 32,
        CRYPTO_MAC_KEY_BYTES = 32,
        CRYPTO_SIGN_SEED_BYTES = 32,
        CRYPTO_SIGN_PUBLIC_BYTES = 32,
        CRYPTO_SIGN_SECRET_BYTES = 64,
        CRYPTO_SIGNATURE_BYTES = 64,
        CRYPTO_PASSWORD_TEXT_MAX = 128,
        CRYPTO_SHORT_HASH_BYTES = 16,
        CRYPTO_SHORT_HASH_KEY_BYTES = 16,
};

struct random_source;

/* Once, before anything else here; 0 or a negative fault. */
int crypto_start(void);
/* The system's random source. */
struct random_source *crypto_random(void);
/* SHA-256 (FIPS 180-4). */
void crypto_sha256(uint8_t out[static CRYPTO_HASH_BYTES], const void *bytes, size_t n);
/* HMAC-SHA-256 (RFC 2104). */
void crypto_hmac(uint8_t out[static CRYPTO_HASH_BYTES], const uint8_t key[static CRYPTO_MAC_KEY_BYTES], const void *bytes, size_t n);
/* SipHash-2-4 with 128 bits: for tables whose keys strangers choose; 0.1 microseconds for a token. */
void crypto_short_hash(uint8_t out[static CRYPTO_SHORT_HASH_BYTES], const uint8_t key[static CRYPTO_SHORT_HASH_KEY_BYTES],
                       const void *bytes, size_t n);
/* Ed25519 (RFC 8032). A seed makes the key pair. */
void crypto_sign_keys(uint8_t ret_public[static CRYPTO_SIGN_PUBLIC_BYTES], uint8_t ret_secret[static CRYPTO_SIGN_SECRET_BYTES],
                      const uint8_t seed[static CRYPTO_SIGN_SEED_BYTES]);
void crypto_signature(uint8_t out[static CRYPTO_SIGNATURE_BYTES], const void *bytes, size_t n,
                      const uint8_t secret[static CRYPTO_SIGN_SECRET_BYTES]);
bool crypto_verify(const uint8_t signature[static CRYPTO_SIGNATURE_BYTES], const void *bytes, size_t n,
                   const uint8_t public_key[static CRYPTO_SIGN_PUBLIC_BYTES]);
/* Argon2id, 19 MiB, t=2, p=1 (OWASP): 10 to 40 ms of CPU, so only on a worker. Hash: terminated text; fault without memory. */
int crypto_password_hash(char out[static CRYPTO_PASSWORD_TEXT_MAX], const char *password, size_t n);
bool crypto_password_matches(const char *hash_text, const char *password, size_t n);
/* Constant time. */
bool crypto_equal(const void *a, const void *b, size_t n);

#endif
