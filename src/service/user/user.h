/* user.h: accounts and access tokens: the public face of the user service.
 *
 * An access token is a JWT (RFC 7519, RFC 8725): header {"alg":"EdDSA","typ":"JWT","kid":…}, claims iss "ticketrush",
 * sub acc_…, role, iat, exp. One algorithm, fixed. The key is a file of the data folder (keys/access.key: 32 bytes seed,
 * made at first start, mode 0600): whoever has the file is an operator. */
#ifndef TICKETRUSH_SERVICE_USER_H
#define TICKETRUSH_SERVICE_USER_H

#include "base/buffer.h"
#include "port/clock.h"
#include "port/db.h"
#include "port/crypto.h"
#include "service/vocabulary.h"

struct edge;
struct lane;
struct user;

/* What tokens are signed with, and (another one) tickets. */
struct token_key {
        uint8_t public_key[CRYPTO_SIGN_PUBLIC_BYTES];
        uint8_t secret[CRYPTO_SIGN_SECRET_BYTES];
        char key_id[17]; /* first 16 hex letters of SHA-256 of the public key; terminated */
};

/* Reads the seed file, or makes it (folder must exist). Negative fault. */
int token_key_load(struct token_key *ret_key, const char *path, struct random_source *random);
/* Appends a signed token to out. Any thread. */
void token_issue(struct buffer *out, const struct token_key *key, account_id account, enum role role, int64_t now, int64_t seconds);

enum token_outcome { TOKEN_OK = 1, TOKEN_MALFORMED, TOKEN_FORGED, TOKEN_EXPIRED };
struct token_claims { account_id account; enum role role; int64_t expires_at; };
/* Checks form, algorithm, key id, signature, issuer and times. Pure; costs one Ed25519 signature. */
int token_verify(const struct token_key *key, struct text token, int64_t now, struct token_claims *ret_claims);

extern const struct db_migration user_migrations[];
extern const size_t user_migration_count;

struct user_config {
        struct lane *lane;
        struct clock *clock;
        const struct token_key *key;
        const struct token_key *ticket_key; /* only to publish its public half; NULL: it is `key` */
        bool open_organiser_sign_up;
};
int user_new(struct user **ret_user, const struct user_config *config);
struct user *user_free(struct user *user);
void user_add_routes(struct user *user, struct edge *edge); /* sign up, log in, me, roles, jwks */

#endif
