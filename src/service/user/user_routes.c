/* user_routes.c: sign up, log in, who am I, roles, and the public key.
 *
 *   sign up   loop: check → worker: hash → lane: insert → loop: answer
 *   log in    loop: check → lane: read → loop → worker: verify → loop: answer
 *
 * An unknown e-mail goes the same way as a wrong password, at the same cost, to the same answer. */
#include "base/assert.h"
#include "edge/edge.h"
#include "service/desk.h"
#include "service/gateway/gateway.h"
#include "service/limits.h"
#include "service/user/user_rules.h"
#include "service/user/user_service.h"

enum { BODY_MAX = 8192 };

/* --- what bodies have in common --- */

struct credentials {
        struct text email, password, name, role;
};

static bool take_email(struct request *request, struct text email, struct account *account) {
        if (email_normalise(email, account->email, &account->email_length))
                return true;
        edge_answer_problem(request, 400, "INVALID_BODY", "email: must be an e-mail address, such as kim@example.com",
                            0);
        return false;
}

static bool take_role(struct request *request, struct text text, enum role *ret_role) {
        if (role_parse(text, ret_role))
                return true;
        edge_answer_problem(request, 400, "INVALID_BODY", "role: must be buyer, organiser, gate or operator", 0);
        return false;
}

/* {"accountId":…,"email":…,"name":…,"role":…,"createdAt":…} */
static void answer_account(struct request *request, int status, const struct account *account) {
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_id(&json, "accountId", ID_ACCOUNT, account->id);
        json_text(&json, "email", (struct text){account->email, account->email_length});
        json_text(&json, "name", (struct text){account->name, account->name_length});
        json_text(&json, "role", role_name(account->role));
        json_time(&json, "createdAt", account->created_at);
        json_object_end(&json);
        edge_answer_json(request, status);
}

/* --- POST /api/v1/accounts --- */

struct sign_up {
        struct account_create_command create;
        struct worker_job job;
        struct user *user;
        struct text password;
};

static void sign_up_answer(struct request *request, struct lane_command *command) {
        const struct account *account = &((struct account_create_command *)(void *)command)->account;
        switch ((enum account_create_outcome)command->outcome) {
        case ACCOUNT_CREATED:
                answer_account(request, 201, account);
                return;
        case ACCOUNT_EMAIL_TAKEN:
                edge_answer_problem(request, 409, "EMAIL_TAKEN",
                                    "An account with this e-mail exists; log in, or use another e-mail.", 0);
                return;
        }
        IMPOSSIBLE("an outcome that account.create does not have");
}

static void sign_up_hash(struct worker_job *job) {
        struct sign_up *ask = (struct sign_up *)(void *)((char *)job - offsetof(struct sign_up, job));
        struct lane_command *command = &ask->create.lane;
        command->fault =
                crypto_password_hash(ask->create.account.password_hash, ask->password.at, ask->password.length);
        if (command->fault)
                desk_return(command, NULL);
        else
                desk_submit(ask->user->lane, command);
}

static bool sign_up_take(struct request *request, const struct credentials *body, struct account *account) {
        if (!take_email(request, body->email, account))
                return false;
        if (!name_is_readable(body->name)) {
                edge_answer_problem(request, 400, "INVALID_BODY", "name: must have letters, and no control characters",
                                    0);
                return false;
        }
        memcpy(account->name, body->name.at, body->name.length);
        account->name_length = body->name.length;
        account->role = ROLE_BUYER;
        if (body->role.at && !take_role(request, body->role, &account->role))
                return false;
        const struct user *user = request->service;
        if (account->role == ROLE_BUYER || (account->role == ROLE_ORGANISER && user->open_organiser_sign_up))
                return true;
        edge_answer_problem(request, 403, "ROLE_NOT_OPEN", "Sign up as a buyer, and ask an operator for this role.", 0);
        return false;
}

static void sign_up_ask(void *service, struct request *request) {
        static const struct json_field fields[] = {
                {"email", JSON_TEXT, .offset = offsetof(struct credentials, email), .min = 3, .max = EMAIL_BYTES_MAX},
                {"password", JSON_TEXT, .offset = offsetof(struct credentials, password),
                 .min = PASSWORD_CODE_POINTS_MIN, .max = PASSWORD_CODE_POINTS_MAX},
                {"name", JSON_TEXT, .offset = offsetof(struct credentials, name), .min = 1,
                 .max = NAME_CODE_POINTS_MAX},
                {"role", JSON_TEXT, .optional = true, .offset = offsetof(struct credentials, role), .min = 1,
                 .max = 16},
                {0},
        };
        struct user *user = service;
        struct credentials body = {0};
        struct account account = {0};
        if (!desk_read_body(request, fields, &body) || !sign_up_take(request, &body, &account))
                return;
        struct sign_up *ask = desk_open(request, &account_create_kind, user, sizeof *ask, sign_up_answer);
        if (!ask)
                return;
        ask->create.account = account;
        ask->user = user;
        ask->password = body.password;
        ask->job.run = sign_up_hash;
        int fault = workers_submit(user->passwords, &ask->job);
        if (fault)
                desk_answer_fault(request, fault);
}

/* --- POST /api/v1/sessions --- */

struct log_in {
        struct account_read_command read;
        struct worker_job job;
        struct text password;
        bool matches;
};

static void log_in_answer(struct request *request, struct lane_command *command) {
        const struct log_in *ask = (const struct log_in *)(void *)command;
        const struct user *user = request->service;
        const struct account *account = &ask->read.account;
        if (!ask->matches) {
                edge_answer_problem(request, 401, "SIGN_IN_REFUSED", "E-mail or password is wrong.", 0);
                return;
        }
        struct buffer token;
        buffer_init(&token, TOKEN_BYTES_MAX);
        int64_t now = user->clock->now_ms(user->clock);
        token_issue(&token, user->key, account->id, account->role, now, ACCESS_TOKEN_SECONDS);
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_text(&json, "accessToken", buffer_text(&token));
        json_string(&json, "tokenType", "Bearer");
        json_time(&json, "expiresAt", (now / 1000 + ACCESS_TOKEN_SECONDS) * 1000);
        json_id(&json, "accountId", ID_ACCOUNT, account->id);
        json_text(&json, "role", role_name(account->role));
        json_object_end(&json);
        bool whole = !token.overflowed;
        buffer_deinit(&token);
        if (whole)
                edge_answer_json(request, 200);
        else
                desk_answer_fault(request, -ENOMEM);
}

static void log_in_verify(struct worker_job *job) {
        struct log_in *ask = (struct log_in *)(void *)((char *)job - offsetof(struct log_in, job));
        struct lane_command *command = &ask->read.lane;
        char unused[CRYPTO_PASSWORD_TEXT_MAX];
        if (command->outcome == ACCOUNT_FOUND)
                ask->matches = crypto_password_matches(ask->read.account.password_hash, ask->password.at,
                                                       ask->password.length);
        else
                command->fault =
                        crypto_password_hash(unused, ask->password.at, ask->password.length); /* the same cost */
        desk_return(command, log_in_answer);
}

static void log_in_found(struct request *request, struct lane_command *command) {
        struct log_in *ask = (struct log_in *)(void *)command;
        const struct user *user = request->service;
        ask->job.run = log_in_verify;
        int fault = workers_submit(user->passwords, &ask->job);
        if (fault)
                desk_answer_fault(request, fault);
}

static void log_in_ask(void *service, struct request *request) {
        static const struct json_field fields[] = {
                {"email", JSON_TEXT, .offset = offsetof(struct credentials, email), .min = 3, .max = EMAIL_BYTES_MAX},
                {"password", JSON_TEXT, .offset = offsetof(struct credentials, password), .min = 1,
                 .max = PASSWORD_CODE_POINTS_MAX},
                {0},
        };
        struct user *user = service;
        struct credentials body = {0};
        struct account account = {0};
        if (!desk_read_body(request, fields, &body) || !take_email(request, body.email, &account))
                return;
        struct log_in *ask = desk_open(request, &account_read_kind, user, sizeof *ask, log_in_found);
        if (!ask)
                return;
        ask->read.account = account;
        ask->password = body.password;
        desk_submit(user->lane, &ask->read.lane);
}

/* --- GET /api/v1/me --- */

static void me_answer(struct request *request, struct lane_command *command) {
        struct account *account = &((struct account_read_command *)(void *)command)->account;
        if (command->outcome == ACCOUNT_FOUND) {
                answer_account(request, 200, account);
                return;
        }
        /* A token made from the key file alone (an operator's, a rehearsal's) has no account behind it. */
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_id(&json, "accountId", ID_ACCOUNT, request->caller.account);
        json_text(&json, "role", role_name((enum role)request->caller.role));
        json_object_end(&json);
        edge_answer_json(request, 200);
}

static void me_ask(void *service, struct request *request) {
        struct user *user = service;
        struct account_read_command *command = desk_open(request, &account_read_kind, user, sizeof *command, me_answer);
        if (!command)
                return;
        command->account.id = request->caller.account;
        desk_submit(user->lane, &command->lane);
}

/* --- PUT /api/v1/accounts/{accountId}/role --- */

static void role_answer(struct request *request, struct lane_command *command) {
        const struct account_role_command *ask = (const struct account_role_command *)(void *)command;
        if (command->outcome != ACCOUNT_ROLE_SET) {
                desk_not_found(request);
                return;
        }
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_id(&json, "accountId", ID_ACCOUNT, ask->account);
        json_text(&json, "role", role_name(ask->role));
        json_object_end(&json);
        edge_answer_json(request, 200);
}

static void role_ask(void *service, struct request *request) {
        static const struct json_field fields[] = {
                {"role", JSON_TEXT, .offset = offsetof(struct credentials, role), .min = 1, .max = 16}, {0}};
        struct user *user = service;
        struct credentials body = {0};
        enum role role;
        account_id account = desk_path_id(request, 0, ID_ACCOUNT);
        if (!account || !desk_read_body(request, fields, &body) || !take_role(request, body.role, &role))
                return;
        struct account_role_command *command =
                desk_open(request, &account_role_kind, user, sizeof *command, role_answer);
        if (!command)
                return;
        command->account = account;
        command->role = role;
        desk_submit(user->lane, &command->lane);
}

/* --- GET /.well-known/jwks.json --- */

static void jwks_ask(void *service, struct request *request) {
        const struct user *user = service;
        struct answer_header cache = {"Cache-Control", TEXT("public, max-age=300")};
        edge_answer(request, 200, "application/jwk-set+json", buffer_text(&user->jwks), &cache, 1);
}

void user_add_routes(struct user *user, struct edge *edge) {
        static const struct route routes[] = {
                {"signUp", HTTP_POST, "/api/v1/accounts", ACCESS_PUBLIC, LIMIT_SIGN_IN, BODY_MAX, sign_up_ask},
                {"logIn", HTTP_POST, "/api/v1/sessions", ACCESS_PUBLIC, LIMIT_SIGN_IN, BODY_MAX, log_in_ask},
                {"getMe", HTTP_GET, "/api/v1/me", ACCESS_ACCOUNT, LIMIT_COMMAND, 0, me_ask},
                {"setRole", HTTP_PUT, "/api/v1/accounts/{accountId}/role", ACCESS_OPERATOR, LIMIT_COMMAND, BODY_MAX,
                 role_ask},
                {"jwks", HTTP_GET, "/.well-known/jwks.json", ACCESS_PUBLIC, LIMIT_NONE, 0, jwks_ask},
        };
        for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
                edge_add_route(edge, &routes[i], user);
}
