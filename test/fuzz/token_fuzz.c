/* token_fuzz: what strangers send as a token, a ticket's code, a ticket's name or an e-mail is read within its bytes,
 * and is taken only if it is, letter for letter, what we would have written.
 *
 * The first byte says whether the rest comes as it is, or as claims (of a token, of a code) that are signed with the
 * right key, so that the readers behind the signature are reached too. */
#include "base/assert.h"
#include "fuzz.h"
#include "service/limits.h"
#include "service/ticket/ticket_code.h"
#include "service/user/user_rules.h"

#include <stdio.h>
#include <stdlib.h>

#define NOW INT64_C(1795258800000)
enum { SIGNED_MAX = 600, HEADER_MAX = 128 };

static const struct token_key *fuzz_key(void) {
        static struct token_key key;
        static const uint8_t seed[CRYPTO_SIGN_SEED_BYTES] = {1, 2, 3};
        if (key.key_id[0] == '\0') {
                INVARIANT(crypto_start() == 0);
                crypto_sign_keys(key.public_key, key.secret, seed);
                memcpy(key.key_id, "0011223344556677", sizeof key.key_id);
        }
        return &key;
}

static void try_token(struct text token) {
        struct token_claims claims;
        int outcome = token_verify(fuzz_key(), token, NOW, &claims);
        INVARIANT(outcome >= TOKEN_OK && outcome <= TOKEN_EXPIRED);
        INVARIANT(outcome != TOKEN_OK ||
                  (claims.account > 0 && claims.expires_at > NOW && role_name(claims.role).length > 0));
}

static void try_code(struct text code) {
        struct ticket_claims claims;
        char again[TICKET_CODE_LENGTH];
        if (!ticket_code_verify(fuzz_key(), code, &claims))
                return;
        ticket_code_sign(again, fuzz_key(), &claims);
        INVARIANT(text_equal(code, (struct text){again, sizeof again}));
}

static void try_name(struct text name) {
        char again[TICKET_TEXT_MAX];
        purchase_id order;
        unsigned place;
        if (ticket_parse(name, &order, &place))
                INVARIANT(text_equal(name, (struct text){again, ticket_format(again, order, place)}));
}

static void try_email(struct text email) {
        char out[EMAIL_BYTES_MAX], again[EMAIL_BYTES_MAX];
        size_t length, again_length;
        if (!email_normalise(email, out, &length))
                return;
        INVARIANT(length == email.length && text_equal_nocase(email, (struct text){out, length}));
        INVARIANT(email_normalise((struct text){out, length}, again, &again_length));
        INVARIANT(text_equal((struct text){out, length}, (struct text){again, again_length}));
}

/* prefix.claims.signature, or prefix claims.signature where the prefix brings its own dot. */
static struct text sign(char out[static TOKEN_BYTES_MAX], struct text prefix, struct text claims) {
        uint8_t signature[CRYPTO_SIGNATURE_BYTES];
        memcpy(out, prefix.at, prefix.length);
        size_t n = prefix.length + text_base64url_encode(out + prefix.length, claims.at, claims.length);
        crypto_signature(signature, out, n, fuzz_key()->secret);
        out[n++] = '.';
        n += text_base64url_encode(out + n, signature, sizeof signature);
        return (struct text){out, n};
}

static void try_signed(struct text claims) {
        char header[HEADER_MAX], prefix[HEADER_MAX * 2], out[TOKEN_BYTES_MAX];
        if (claims.length > SIGNED_MAX)
                return;
        int length = snprintf(header, sizeof header, "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"%s\"}",
                              fuzz_key()->key_id);
        size_t prefix_length = text_base64url_encode(prefix, header, (size_t)length);
        prefix[prefix_length++] = '.';
        try_token(sign(out, (struct text){prefix, prefix_length}, claims));
        try_code(sign(out, TEXT("TR1."), claims));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        if (size == 0)
                return 0;
        /* Bytes of their own, so that a sanitizer sees every step beyond them. */
        char *bytes = malloc(size);
        INVARIANT(bytes);
        memcpy(bytes, data + 1, size - 1);
        struct text text = {bytes, size - 1};
        if (data[0] == 's') {
                try_signed(text);
        } else {
                try_token(text);
                try_code(text);
                try_name(text);
                try_email(text);
        }
        free(bytes);
        return 0;
}
