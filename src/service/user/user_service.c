/* user_service.c: the use cases of accounts. They run on the lane; what is slow (hashing a password) has been done by a
 * worker before a command gets here, or is done by one afterwards. */
#include "service/user/user_service.h"

#include "base/json_writer.h"
#include "service/user/user_store.h"

#include <stdlib.h>

enum { JWKS_BYTES_MAX = 512 };

static void jwk_write(struct json_writer *json, const struct token_key *key) {
        char x[TEXT_BASE64_LENGTH(CRYPTO_SIGN_PUBLIC_BYTES)];
        size_t length = text_base64url_encode(x, key->public_key, sizeof key->public_key);
        json_object(json, NULL);
        json_string(json, "kty", "OKP");
        json_string(json, "crv", "Ed25519");
        json_text(json, "x", (struct text){x, length});
        json_string(json, "kid", key->key_id);
        json_string(json, "alg", "EdDSA");
        json_string(json, "use", "sig");
        json_object_end(json);
}

/* RFC 7517 and 8037: the keys of tokens and of tickets, for whoever wants to check them himself. */
static int jwks_write(struct buffer *out, const struct token_key *key, const struct token_key *ticket_key) {
        struct json_writer json;
        json_begin(&json, out);
        json_object(&json, NULL);
        json_array(&json, "keys");
        jwk_write(&json, key);
        if (ticket_key)
                jwk_write(&json, ticket_key);
        json_array_end(&json);
        json_object_end(&json);
        return out->overflowed ? -ENOMEM : 0;
}

int user_new(struct user **ret_user, const struct user_config *config) {
        struct user *user = calloc(1, sizeof *user);
        if (!user)
                return -ENOMEM;
        *user = (struct user){
                .lane = config->lane,
                .clock = config->clock,
                .key = config->key,
                .open_organiser_sign_up = config->open_organiser_sign_up,
        };
        buffer_init(&user->jwks, JWKS_BYTES_MAX);
        int fault = jwks_write(&user->jwks, config->key, config->ticket_key);
        if (!fault)
                fault = workers_new(&user->passwords, "password", PASSWORD_WORKERS, PASSWORD_QUEUE_MAX);
        if (fault) {
                user_free(user);
                return fault;
        }
        *ret_user = user;
        return 0;
}

struct user *user_free(struct user *user) {
        if (!user)
                return NULL;
        workers_free(user->passwords);
        buffer_deinit(&user->jwks);
        free(user);
        return NULL;
}

/* The accounts of commands that begin with a lane_command and an account, and a flag for each. */
struct batch {
        struct account **accounts;
        bool *flags;
};

static int batch_init(struct batch *batch, struct turn *turn, size_t count) {
        batch->accounts = arena_take(turn->arena, count * sizeof *batch->accounts);
        batch->flags = arena_take(turn->arena, count * sizeof *batch->flags);
        return batch->accounts && batch->flags ? 0 : -ENOMEM;
}

static int account_create(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        (void)service;
        struct batch batch;
        int fault = batch_init(&batch, turn, count);
        for (size_t i = 0; !fault && i < count; i++) {
                struct account *account = &((struct account_create_command *)(void *)commands[i])->account;
                account->id = id_next(turn->ids, turn->now);
                account->created_at = turn->now;
                batch.accounts[i] = account;
        }
        if (!fault)
                fault = account_insert(turn, batch.accounts, batch.flags, count);
        for (size_t i = 0; !fault && i < count; i++)
                commands[i]->outcome = batch.flags[i] ? ACCOUNT_CREATED : ACCOUNT_EMAIL_TAKEN;
        return fault;
}

static int account_read(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        (void)service;
        struct batch batch;
        int fault = batch_init(&batch, turn, count);
        for (size_t i = 0; !fault && i < count; i++)
                batch.accounts[i] = &((struct account_read_command *)(void *)commands[i])->account;
        if (!fault)
                fault = account_select(turn, batch.accounts, batch.flags, count);
        for (size_t i = 0; !fault && i < count; i++)
                commands[i]->outcome = batch.flags[i] ? ACCOUNT_FOUND : ACCOUNT_UNKNOWN;
        return fault;
}

static int account_role(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        (void)service;
        int fault = 0;
        for (size_t i = 0; !fault && i < count; i++) {
                struct account_role_command *command = (struct account_role_command *)(void *)commands[i];
                bool found = false;
                fault = account_update_role(turn, command->account, command->role, &found);
                commands[i]->outcome = found ? ACCOUNT_ROLE_SET : ACCOUNT_ROLE_UNKNOWN;
        }
        return fault;
}

const struct lane_kind account_create_kind = {.name = "account.create", .run = account_create};
const struct lane_kind account_read_kind = {.name = "account.read", .read_only = true, .run = account_read};
const struct lane_kind account_role_kind = {.name = "account.role", .run = account_role};
