/* token.c: access tokens (JWT), written and read in exactly one form.
 *
 * We accept what we issue and nothing else: the header is compared byte for byte with the one we write (so there is no
 * algorithm to confuse), the claims are read in the order in which we write them, and base64url is strict. That makes
 * the reader short enough to check by eye, and cheap. Ed25519 is deterministic and the key is ours, so the signature is
 * made again and compared, in constant time: 17 instead of 43 microseconds, and stricter than verifying. Whoever has
 * the public key only can verify it as usual. Pure but for token_key_load. */
#include "service/user/user.h"

#include "base/assert.h"
#include "base/id.h"
#include "base/log.h"
#include "port/random.h"
#include "service/limits.h"
#include "service/user/user_rules.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        KEY_ID_LENGTH = 16,
        HEADER_MAX = 64,
        HEADER_TEXT_MAX = TEXT_BASE64_LENGTH(HEADER_MAX),
        CLAIMS_MAX = 192,
        CLAIMS_TEXT_MAX = TEXT_BASE64_LENGTH(CLAIMS_MAX),
        SIGNATURE_TEXT_LENGTH = TEXT_BASE64_LENGTH(CRYPTO_SIGNATURE_BYTES),
        CLOCKS_APART_SECONDS = 60, /* a token from a machine whose clock is ahead */
};
_Static_assert(HEADER_TEXT_MAX + CLAIMS_TEXT_MAX + SIGNATURE_TEXT_LENGTH + 2 <= TOKEN_BYTES_MAX,
               "a token of ours fits");

/* --- the key --- */

static void token_key_of_seed(struct token_key *ret_key, const uint8_t seed[static CRYPTO_SIGN_SEED_BYTES]) {
        uint8_t hash[CRYPTO_HASH_BYTES];
        crypto_sign_keys(ret_key->public_key, ret_key->secret, seed);
        crypto_sha256(hash, ret_key->public_key, sizeof ret_key->public_key);
        text_hex(ret_key->key_id, hash, KEY_ID_LENGTH / 2);
        ret_key->key_id[KEY_ID_LENGTH] = '\0';
}

static int seed_read(uint8_t seed[static CRYPTO_SIGN_SEED_BYTES], const char *path) {
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0)
                return -errno;
        uint8_t bytes[CRYPTO_SIGN_SEED_BYTES + 1];
        struct stat about = {0};
        int fault = 0;
        ssize_t n = read(file, bytes, sizeof bytes);
        if (n < 0 || fstat(file, &about) < 0)
                fault = -errno;
        else if (n != CRYPTO_SIGN_SEED_BYTES)
                fault = FAULT_FORMAT;
        close(file);
        if (fault)
                return fault;
        if (about.st_mode & (S_IRWXG | S_IRWXO))
                log_write(LOG_WARNING, "key.exposed", "others may read %s; whoever has it is an operator: chmod 600 it",
                          path);
        memcpy(seed, bytes, CRYPTO_SIGN_SEED_BYTES);
        return 0;
}

static int folder_sync(const char *path) {
        const char *slash = strrchr(path, '/');
        char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
        if (!folder)
                return -ENOMEM;
        int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        free(folder);
        if (file < 0)
                return -errno;
        int fault = fsync(file) < 0 ? -errno : 0;
        close(file);
        return fault;
}

static int file_write(const char *path, const void *bytes, size_t n) {
        int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
        if (file < 0)
                return -errno;
        ssize_t written = write(file, bytes, n);
        int fault = written < 0 ? -errno : (size_t)written != n ? FAULT_STORAGE : fsync(file) < 0 ? -errno : 0;
        close(file);
        return fault;
}

/* Written beside and linked into place: the file is there whole or not at all, and never replaces another's. */
static int seed_make(const char *path, struct random_source *random) {
        uint8_t seed[CRYPTO_SIGN_SEED_BYTES], nonce[8];
        char nonce_text[2 * sizeof nonce], *beside;
        random->fill(random, seed, sizeof seed);
        random->fill(random, nonce, sizeof nonce);
        text_hex(nonce_text, nonce, sizeof nonce);
        if (asprintf(&beside, "%s.%.*s", path, (int)sizeof nonce_text, nonce_text) < 0)
                return -ENOMEM;
        int fault = file_write(beside, seed, sizeof seed);
        if (!fault && link(beside, path) < 0 && errno != EEXIST)
                fault = -errno;
        unlink(beside);
        free(beside);
        return fault ? fault : folder_sync(path);
}

int token_key_load(struct token_key *ret_key, const char *path, struct random_source *random) {
        uint8_t seed[CRYPTO_SIGN_SEED_BYTES];
        int fault = seed_read(seed, path);
        if (fault == -ENOENT) {
                fault = seed_make(path, random);
                if (!fault)
                        fault = seed_read(seed, path);
        }
        if (!fault)
                token_key_of_seed(ret_key, seed);
        return fault;
}

/* --- writing --- */

/* {"alg":"EdDSA","typ":"JWT","kid":"…"}, encoded. */
static size_t header_encode(char out[static HEADER_TEXT_MAX], const struct token_key *key) {
        char header[HEADER_MAX];
        int length = snprintf(header, sizeof header, "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"%s\"}", key->key_id);
        POST(length > 0 && length < HEADER_MAX);
        return text_base64url_encode(out, header, (size_t)length);
}

void token_issue(struct buffer *out, const struct token_key *key, account_id account, enum role role, int64_t now,
                 int64_t seconds) {
        PRE(now >= 0 && seconds > 0);
        char sub[ID_TEXT_MAX], claims[CLAIMS_MAX], text[HEADER_TEXT_MAX + 1 + CLAIMS_TEXT_MAX];
        id_format(sub, ID_ACCOUNT, account);
        int length = snprintf(claims, sizeof claims,
                              "{\"iss\":\"ticketrush\",\"sub\":\"%s\",\"role\":\"%s\",\"iat\":%lld,\"exp\":%lld}", sub,
                              role_name(role).at, (long long)now / 1000, (long long)now / 1000 + seconds);
        POST(length > 0 && length < CLAIMS_MAX);
        size_t n = header_encode(text, key);
        text[n++] = '.';
        n += text_base64url_encode(text + n, claims, (size_t)length);

        uint8_t signature[CRYPTO_SIGNATURE_BYTES];
        char signature_text[SIGNATURE_TEXT_LENGTH];
        crypto_signature(signature, text, n, key->secret);
        text_base64url_encode(signature_text, signature, sizeof signature);
        buffer_add(out, text, n);
        buffer_add(out, ".", 1);
        buffer_add(out, signature_text, sizeof signature_text);
}

/* --- reading --- */

static bool take_literal(struct text *rest, const char *literal) {
        size_t length = strlen(literal);
        if (rest->length < length || memcmp(rest->at, literal, length) != 0)
                return false;
        *rest = (struct text){rest->at + length, rest->length - length};
        return true;
}

/* Everything before the mark; the mark is taken too. */
static bool take_until(struct text *rest, char mark, struct text *ret_value) {
        const char *end = rest->length ? memchr(rest->at, mark, rest->length) : NULL;
        if (!end)
                return false;
        *ret_value = (struct text){rest->at, (size_t)(end - rest->at)};
        *rest = (struct text){end + 1, rest->length - ret_value->length - 1};
        return true;
}

static bool take_seconds(struct text *rest, char mark, int64_t *ret_seconds) {
        struct text digits;
        uint64_t number;
        if (!take_until(rest, mark, &digits) || !text_to_number(digits, INT64_MAX / 1000, &number))
                return false;
        *ret_seconds = (int64_t)number;
        return true;
}

struct claims_read {
        account_id account;
        enum role role;
        int64_t issued_s, expires_s;
};

static bool claims_parse(struct text rest, struct claims_read *ret_claims) {
        struct text sub, role;
        if (!take_literal(&rest, "{\"iss\":\"ticketrush\",\"sub\":\"") || !take_until(&rest, '"', &sub) ||
            (ret_claims->account = id_parse(sub, ID_ACCOUNT)) == 0)
                return false;
        if (!take_literal(&rest, ",\"role\":\"") || !take_until(&rest, '"', &role) ||
            !role_parse(role, &ret_claims->role))
                return false;
        return take_literal(&rest, ",\"iat\":") && take_seconds(&rest, ',', &ret_claims->issued_s) &&
               take_literal(&rest, "\"exp\":") && take_seconds(&rest, '}', &ret_claims->expires_s) && rest.length == 0;
}

int token_verify(const struct token_key *key, struct text token, int64_t now, struct token_claims *ret_claims) {
        struct text rest = token, header, claims;
        char ours[HEADER_TEXT_MAX];
        if (token.length > TOKEN_BYTES_MAX || !take_until(&rest, '.', &header) || !take_until(&rest, '.', &claims) ||
            !text_equal(header, (struct text){ours, header_encode(ours, key)}))
                return TOKEN_MALFORMED;

        uint8_t signature[CRYPTO_SIGNATURE_BYTES], right[CRYPTO_SIGNATURE_BYTES];
        char plain[CLAIMS_MAX];
        size_t signature_length, plain_length;
        struct claims_read read;
        if (!text_base64url_decode(rest, signature, sizeof signature, &signature_length) ||
            signature_length != sizeof signature ||
            !text_base64url_decode(claims, plain, sizeof plain, &plain_length) ||
            !claims_parse((struct text){plain, plain_length}, &read))
                return TOKEN_MALFORMED;
        crypto_signature(right, token.at, header.length + 1 + claims.length, key->secret);
        if (!crypto_equal(signature, right, sizeof right))
                return TOKEN_FORGED;
        if (now / 1000 >= read.expires_s || read.issued_s > now / 1000 + CLOCKS_APART_SECONDS)
                return TOKEN_EXPIRED;
        *ret_claims = (struct token_claims){read.account, read.role, read.expires_s * 1000};
        return TOKEN_OK;
}
