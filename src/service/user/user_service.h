/* user_service.h: the commands of the user service. Texts in and out stand in the command itself or in the request's
 * arena: they outlive the turn. */
#ifndef TICKETRUSH_SERVICE_USER_SERVICE_H
#define TICKETRUSH_SERVICE_USER_SERVICE_H

#include "lane/lane.h"
#include "lane/workers.h"
#include "service/limits.h"
#include "service/user/user.h"

enum { NAME_BYTES_MAX = 4 * NAME_CODE_POINTS_MAX };

struct user {
        struct lane *lane;
        struct clock *clock;
        const struct token_key *key;
        bool open_organiser_sign_up;
        struct workers *passwords; /* Argon2id runs here and nowhere else */
        struct buffer jwks;        /* the public key, as it is served */
};

struct account {
        account_id id;
        enum role role;
        int64_t created_at;
        size_t email_length, name_length;
        char email[EMAIL_BYTES_MAX];
        char name[NAME_BYTES_MAX];
        char password_hash[CRYPTO_PASSWORD_TEXT_MAX]; /* terminated */
};

enum account_create_outcome { ACCOUNT_CREATED = 1, ACCOUNT_EMAIL_TAKEN };
/* id and created_at are filled. */
struct account_create_command { struct lane_command lane; struct account account; };
extern const struct lane_kind account_create_kind;

enum account_read_outcome { ACCOUNT_FOUND = 1, ACCOUNT_UNKNOWN };
/* By account.id if that is not 0, otherwise by account.email; all else is filled if found. */
struct account_read_command { struct lane_command lane; struct account account; };
extern const struct lane_kind account_read_kind;

enum account_role_outcome { ACCOUNT_ROLE_SET = 1, ACCOUNT_ROLE_UNKNOWN };
/* Tokens that were issued before keep their role until they end (ACCESS_TOKEN_SECONDS). */
struct account_role_command { struct lane_command lane; account_id account; enum role role; };
extern const struct lane_kind account_role_kind;

#endif
