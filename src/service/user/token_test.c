/* token_test.c: a token is accepted exactly as it was issued, and in no other way. */
#include "service/user/user.h"

#include "base/id.h"
#include "port/random.h"
#include "service/limits.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW INT64_C(1763726400000)
enum { ACCOUNT = 123456789 };

struct fixture {
        struct token_key key;
        struct buffer token;
        char folder[32], path[64];
};

static int set_up(void **state) {
        static struct fixture fixture;
        fixture = (struct fixture){.folder = "token_test.XXXXXX"};
        if (crypto_start() || !mkdtemp(fixture.folder))
                return -1;
        snprintf(fixture.path, sizeof fixture.path, "%s/access.key", fixture.folder);
        buffer_init(&fixture.token, TOKEN_BYTES_MAX);
        *state = &fixture;
        return token_key_load(&fixture.key, fixture.path, crypto_random());
}

static int tear_down(void **state) {
        struct fixture *fixture = *state;
        buffer_deinit(&fixture->token);
        unlink(fixture->path);
        return rmdir(fixture->folder);
}

static struct text issue(struct fixture *fixture, enum role role, int64_t seconds) {
        buffer_clear(&fixture->token);
        token_issue(&fixture->token, &fixture->key, ACCOUNT, role, NOW, seconds);
        return buffer_text(&fixture->token);
}

/* Any header and claims, signed with the right key. */
static struct text sign(struct fixture *fixture, const char *header, const char *claims) {
        struct buffer *out = &fixture->token;
        uint8_t signature[CRYPTO_SIGNATURE_BYTES];
        char text[256];
        buffer_clear(out);
        buffer_add(out, text, text_base64url_encode(text, header, strlen(header)));
        buffer_add(out, ".", 1);
        buffer_add(out, text, text_base64url_encode(text, claims, strlen(claims)));
        crypto_signature(signature, out->at, out->length, fixture->key.secret);
        buffer_add(out, ".", 1);
        buffer_add(out, text, text_base64url_encode(text, signature, sizeof signature));
        return buffer_text(out);
}

static int verify(struct fixture *fixture, struct text token, int64_t now) {
        struct token_claims untouched = {77, ROLE_GATE, 88}, claims = untouched;
        int outcome = token_verify(&fixture->key, token, now, &claims);
        if (outcome != TOKEN_OK)
                assert_memory_equal(&claims, &untouched, sizeof claims);
        return outcome;
}

static void test_round_trip(void **state) {
        struct fixture *fixture = *state;
        for (enum role role = ROLE_BUYER; role <= ROLE_OPERATOR; role++) {
                struct text token = issue(fixture, role, 3600);
                struct token_claims claims;
                assert_int_equal(token_verify(&fixture->key, token, NOW, &claims), TOKEN_OK);
                assert_int_equal(claims.account, ACCOUNT);
                assert_int_equal(claims.role, role);
                assert_int_equal(claims.expires_at, NOW + 3600 * 1000);
        }
}

/* The form that the API document promises to other programs. */
static void test_form(void **state) {
        struct fixture *fixture = *state;
        struct text token = issue(fixture, ROLE_BUYER, 60);
        char header[128], claims[256], account[ID_TEXT_MAX], expected[256];
        size_t header_length, claims_length;
        const char *dot = memchr(token.at, '.', token.length);
        const char *second = memchr(dot + 1, '.', token.length - (size_t)(dot + 1 - token.at));
        assert_true(text_base64url_decode((struct text){token.at, (size_t)(dot - token.at)}, header, sizeof header,
                                          &header_length));
        assert_true(text_base64url_decode((struct text){dot + 1, (size_t)(second - dot - 1)}, claims, sizeof claims,
                                          &claims_length));
        snprintf(expected, sizeof expected, "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"%s\"}", fixture->key.key_id);
        assert_int_equal(header_length, strlen(expected));
        assert_memory_equal(header, expected, header_length);
        id_format(account, ID_ACCOUNT, ACCOUNT);
        snprintf(expected, sizeof expected,
                 "{\"iss\":\"ticketrush\",\"sub\":\"%s\",\"role\":\"buyer\",\"iat\":1763726400,\"exp\":1763726460}",
                 account);
        assert_int_equal(claims_length, strlen(expected));
        assert_memory_equal(claims, expected, claims_length);

        uint8_t signature[CRYPTO_SIGNATURE_BYTES];
        size_t signature_length, signed_length = (size_t)(second - token.at);
        struct text signed_by = {second + 1, token.length - signed_length - 1};
        assert_true(text_base64url_decode(signed_by, signature, sizeof signature, &signature_length));
        assert_true(crypto_verify(signature, token.at, signed_length, fixture->key.public_key));
}

static void test_times(void **state) {
        struct fixture *fixture = *state;
        struct text token = issue(fixture, ROLE_BUYER, 60);
        assert_int_equal(verify(fixture, token, NOW + 59999), TOKEN_OK);
        assert_int_equal(verify(fixture, token, NOW + 60000), TOKEN_EXPIRED);
        assert_int_equal(verify(fixture, token, NOW - 60000), TOKEN_OK);
        assert_int_equal(verify(fixture, token, NOW - 61000), TOKEN_EXPIRED);
}

static void test_every_flipped_bit_is_refused(void **state) {
        struct fixture *fixture = *state;
        struct text token = issue(fixture, ROLE_BUYER, 60);
        for (size_t bit = 0; bit < 8 * token.length; bit++) {
                fixture->token.at[bit / 8] = (char)(fixture->token.at[bit / 8] ^ (1 << bit % 8));
                int outcome = verify(fixture, token, NOW);
                assert_true(outcome == TOKEN_MALFORMED || outcome == TOKEN_FORGED);
                fixture->token.at[bit / 8] = (char)(fixture->token.at[bit / 8] ^ (1 << bit % 8));
        }
        assert_int_equal(verify(fixture, token, NOW), TOKEN_OK);
}

static void test_truncated_and_extended(void **state) {
        struct fixture *fixture = *state;
        struct text token = issue(fixture, ROLE_BUYER, 60);
        for (size_t length = 0; length < token.length; length++)
                assert_int_equal(verify(fixture, (struct text){token.at, length}, NOW), TOKEN_MALFORMED);
        static const char *const tails[] = {"=", "==", "A", ".", " ", ".e30"};
        for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
                issue(fixture, ROLE_BUYER, 60);
                buffer_add_string(&fixture->token, tails[i]);
                assert_int_equal(verify(fixture, buffer_text(&fixture->token), NOW), TOKEN_MALFORMED);
        }
        char long_token[TOKEN_BYTES_MAX + 1];
        memset(long_token, 'e', sizeof long_token);
        assert_int_equal(verify(fixture, (struct text){long_token, sizeof long_token}, NOW), TOKEN_MALFORMED);
        assert_int_equal(verify(fixture, (struct text){NULL, 0}, NOW), TOKEN_MALFORMED);
}

static const char good_claims[] = "{\"iss\":\"ticketrush\",\"sub\":\"acc_000000000001f\",\"role\":\"operator\",\"iat\":"
                                  "1763726400,\"exp\":1763726460}";

static void test_other_headers(void **state) {
        struct fixture *fixture = *state;
        char header[128];
        static const char *const forms[] = {
                "{\"alg\":\"none\",\"typ\":\"JWT\",\"kid\":\"%s\"}",
                "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"%s\"}",
                "{\"alg\":\"eddsa\",\"typ\":\"JWT\",\"kid\":\"%s\"}",
                "{\"typ\":\"JWT\",\"alg\":\"EdDSA\",\"kid\":\"%s\"}",
                "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"%s\",\"crit\":[\"b64\"]}",
                "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"0%s\"}",
                "{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}",
                "{}",
        };
        for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
                snprintf(header, sizeof header, forms[i], fixture->key.key_id);
                assert_int_equal(verify(fixture, sign(fixture, header, good_claims), NOW), TOKEN_MALFORMED);
        }
        snprintf(header, sizeof header, "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"%s\"}", fixture->key.key_id);
        assert_int_equal(verify(fixture, sign(fixture, header, good_claims), NOW), TOKEN_OK);
        /* alg none as it is usually tried: no signature at all. */
        struct text token = sign(fixture, "{\"alg\":\"none\"}", good_claims);
        token.length -= TEXT_BASE64_LENGTH(CRYPTO_SIGNATURE_BYTES);
        assert_int_equal(verify(fixture, token, NOW), TOKEN_MALFORMED);
}

static void test_other_claims(void **state) {
        struct fixture *fixture = *state;
        char header[128];
        snprintf(header, sizeof header, "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"%s\"}", fixture->key.key_id);
        static const char *const others[] = {
                "",
                "{}",
                "{\"iss\":\"other\",\"sub\":\"acc_000000000001f\",\"role\":\"buyer\",\"iat\":1763726400,\"exp\":"
                "1763726460}",
                "{\"iss\":\"ticketrush\",\"sub\":\"hold_000000000001f\",\"role\":\"buyer\",\"iat\":1763726400,\"exp\":"
                "1763726460}",
                "{\"iss\":\"ticketrush\",\"sub\":\"acc_0000000000000\",\"role\":\"buyer\",\"iat\":1763726400,\"exp\":"
                "1763726460}",
                "{\"iss\":\"ticketrush\",\"sub\":\"acc_000000000001f\",\"role\":\"root\",\"iat\":1763726400,\"exp\":"
                "1763726460}",
                "{\"iss\":\"ticketrush\",\"sub\":\"acc_000000000001f\",\"role\":\"buyer\",\"exp\":1763726460}",
                "{\"iss\":\"ticketrush\",\"sub\":\"acc_000000000001f\",\"role\":\"buyer\",\"iat\":1763726400}",
                "{\"iss\":\"ticketrush\",\"sub\":\"acc_000000000001f\",\"role\":\"buyer\",\"iat\":1763726400,\"exp\":-"
                "1}",
                "{\"iss\":\"ticketrush\",\"sub\":\"acc_000000000001f\",\"role\":\"buyer\",\"iat\":1763726400,"
                "\"exp\":9223372036854775807}",
                "{\"iss\":\"ticketrush\",\"sub\":\"acc_000000000001f\",\"role\":\"buyer\",\"iat\":1763726400,\"exp\":"
                "1763726460} ",
                "{\"iss\":\"ticketrush\",\"sub\":\"acc_000000000001f\",\"role\":\"buyer\",\"iat\":1763726400,\"exp\":"
                "1763726460,"
                "\"exp\":1}",
        };
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
                assert_int_equal(verify(fixture, sign(fixture, header, others[i]), NOW), TOKEN_MALFORMED);
}

static void test_another_key(void **state) {
        struct fixture *fixture = *state;
        struct token_key other;
        char path[64];
        snprintf(path, sizeof path, "%s/other.key", fixture->folder);
        assert_int_equal(token_key_load(&other, path, crypto_random()), 0);
        unlink(path);
        struct text token = issue(fixture, ROLE_BUYER, 60);
        struct token_claims claims;
        assert_int_equal(token_verify(&other, token, NOW, &claims), TOKEN_MALFORMED);
        /* Even one that lies about its name. */
        memcpy(other.key_id, fixture->key.key_id, sizeof other.key_id);
        assert_int_equal(token_verify(&other, token, NOW, &claims), TOKEN_FORGED);
}

static void test_key_file(void **state) {
        struct fixture *fixture = *state;
        struct token_key again;
        struct stat about;
        assert_int_equal(stat(fixture->path, &about), 0);
        assert_int_equal(about.st_mode & 07777, 0600);
        assert_int_equal(about.st_size, CRYPTO_SIGN_SEED_BYTES);
        assert_int_equal(about.st_nlink, 1);
        assert_int_equal(token_key_load(&again, fixture->path, crypto_random()), 0);
        assert_memory_equal(&again, &fixture->key, sizeof again);

        char path[64];
        snprintf(path, sizeof path, "%s/missing/access.key", fixture->folder);
        assert_int_equal(token_key_load(&again, path, crypto_random()), -ENOENT);
        for (int bytes = 0; bytes <= CRYPTO_SIGN_SEED_BYTES + 1; bytes++) {
                snprintf(path, sizeof path, "%s/damaged.key", fixture->folder);
                int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
                assert_int_equal(ftruncate(file, bytes), 0);
                close(file);
                assert_int_equal(token_key_load(&again, path, crypto_random()),
                                 bytes == CRYPTO_SIGN_SEED_BYTES ? 0 : FAULT_FORMAT);
                unlink(path);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_form),
                cmocka_unit_test(test_times),
                cmocka_unit_test(test_every_flipped_bit_is_refused),
                cmocka_unit_test(test_truncated_and_extended),
                cmocka_unit_test(test_other_headers),
                cmocka_unit_test(test_other_claims),
                cmocka_unit_test(test_another_key),
                cmocka_unit_test(test_key_file),
        };
        return cmocka_run_group_tests(tests, set_up, tear_down);
}
