/* user_service_test.c: accounts on a real lane, and their routes over a real edge (with a gate that only reads tokens).
 */
#include "service/user/user_service.h"

#include "base/id.h"
#include "kit/kit_http.h"
#include "kit/kit_lane.h"
#include "port/random.h"
#include "service/user/user_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* --- rules --- */

static void test_emails(void **state) {
        (void)state;
        char out[EMAIL_BYTES_MAX];
        size_t length;
        static const char *const right[][2] = {
                {"kim@example.com", "kim@example.com"},
                {"Kim.O'Neil+tickets@Mail.EXAMPLE.com", "Kim.O'Neil+tickets@mail.example.com"},
                {"a@b.c", "a@b.c"},
                {"1_{x}@xn--bcher-kva.example", "1_{x}@xn--bcher-kva.example"},
        };
        for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
                assert_true(email_normalise(text_of(right[i][0]), out, &length));
                assert_true(text_equal((struct text){out, length}, text_of(right[i][1])));
        }
        static const char *const wrong[] = {
                "",
                "@",
                "kim",
                "kim@",
                "@example.com",
                "kim@example",
                "kim@.com",
                "kim@example.",
                "kim@example..com",
                "kim@-a.com",
                "kim@a-.com",
                "kim@exa_mple.com",
                ".kim@example.com",
                "kim.@example.com",
                "k..m@example.com",
                "k m@example.com",
                "kim@exam ple.com",
                "kim@@example.com",
                "kim@a@example.com",
                "\"kim\"@example.com",
                "kim@[127.0.0.1]",
                "k\xc3\xafm@example.com",
                "kim@example.com\n",
                "kim<x>@example.com",
                "12345678901234567890123456789012345678901234567890123456789012345@example.com",
        };
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
                assert_false(email_normalise(text_of(wrong[i]), out, &length));
        assert_false(email_normalise((struct text){"a\0b@example.com", 15}, out, &length));
}

static void test_names_and_roles(void **state) {
        (void)state;
        assert_true(name_is_readable(TEXT("김민아")));
        assert_true(name_is_readable(TEXT(" M ")));
        assert_false(name_is_readable(TEXT("")));
        assert_false(name_is_readable(TEXT("  ")));
        assert_false(name_is_readable(TEXT("a\nb")));
        assert_false(name_is_readable(TEXT("a\x7f")));
        for (enum role role = ROLE_BUYER; role <= ROLE_OPERATOR; role++) {
                enum role again = 0;
                assert_true(role_parse(role_name(role), &again));
                assert_int_equal(again, role);
        }
        enum role unused;
        assert_false(role_parse(TEXT("Buyer"), &unused));
        assert_false(role_parse(TEXT(""), &unused));
}

/* --- the world --- */

static struct lane *lane;
static struct user *user;
static struct edge *edge;
static struct token_key key;

static int open_service(bool open_organiser_sign_up) {
        static const uint8_t seed[CRYPTO_SIGN_SEED_BYTES] = {9};
        const char *newer;
        if (crypto_start())
                return -1;
        crypto_sign_keys(key.public_key, key.secret, seed);
        memcpy(key.key_id, "0123456789abcdef", sizeof key.key_id);
        lane = kit_lane_open(NULL);
        if (db_migrate(lane_db(lane), user_migrations, user_migration_count, &newer))
                return -1;
        const struct user_config config = {
                .lane = lane, .clock = kit_clock(), .key = &key, .open_organiser_sign_up = open_organiser_sign_up};
        return user_new(&user, &config);
}

static int set_up(void **state) {
        (void)state;
        return open_service(false);
}

static int tear_down(void **state) {
        (void)state;
        user = user_free(user);
        lane = lane_free(lane);
        return 0;
}

/* --- use cases --- */

static struct account_create_command create(const char *email) {
        struct account_create_command command = {.lane = {.kind = &account_create_kind, .service = user},
                                                 .account = {.role = ROLE_BUYER, .email_length = strlen(email)}};
        memcpy(command.account.email, email, strlen(email));
        memcpy(command.account.name, "Kim", 3);
        command.account.name_length = 3;
        memcpy(command.account.password_hash, "$hash", 6);
        return command;
}

static struct account_read_command read_by_email(const char *email) {
        struct account_read_command command = {.lane = {.kind = &account_read_kind, .service = user},
                                               .account.email_length = strlen(email)};
        memcpy(command.account.email, email, strlen(email));
        return command;
}

static void test_create_and_read(void **state) {
        (void)state;
        struct account_create_command made = create("kim@example.com");
        assert_int_equal(kit_submit_and_run(lane, &made.lane), ACCOUNT_CREATED);
        assert_true(made.account.id != 0);
        struct account_read_command by_email = read_by_email("kim@example.com");
        assert_int_equal(kit_submit_and_run(lane, &by_email.lane), ACCOUNT_FOUND);
        struct account_read_command by_id = {.lane = {.kind = &account_read_kind, .service = user},
                                             .account.id = made.account.id};
        assert_int_equal(kit_submit_and_run(lane, &by_id.lane), ACCOUNT_FOUND);
        assert_memory_equal(&by_id.account, &by_email.account, sizeof by_id.account);
        assert_int_equal(by_id.account.id, made.account.id);
        assert_int_equal(by_id.account.created_at, KIT_NOW);
        assert_int_equal(by_id.account.role, ROLE_BUYER);
        assert_string_equal(by_id.account.password_hash, "$hash");
        assert_true(text_equal((struct text){by_id.account.name, by_id.account.name_length}, TEXT("Kim")));
        struct account_read_command unknown = read_by_email("lee@example.com");
        assert_int_equal(kit_submit_and_run(lane, &unknown.lane), ACCOUNT_UNKNOWN);
        unknown.account = (struct account){.id = made.account.id + 1};
        assert_int_equal(kit_submit_and_run(lane, &unknown.lane), ACCOUNT_UNKNOWN);
}

/* Also when both come in one turn. */
static void test_an_email_is_taken_once(void **state) {
        (void)state;
        struct account_create_command first = create("kim@example.com"), second = create("kim@example.com"),
                                      other = create("lee@example.com");
        first.lane.done = second.lane.done = other.lane.done = kit_done;
        assert_int_equal(lane_submit(lane, &first.lane), 0);
        assert_int_equal(lane_submit(lane, &second.lane), 0);
        assert_int_equal(lane_submit(lane, &other.lane), 0);
        kit_lane_run(lane);
        assert_int_equal(first.lane.outcome, ACCOUNT_CREATED);
        assert_int_equal(second.lane.outcome, ACCOUNT_EMAIL_TAKEN);
        assert_int_equal(other.lane.outcome, ACCOUNT_CREATED);
        struct account_create_command later = create("lee@example.com");
        assert_int_equal(kit_submit_and_run(lane, &later.lane), ACCOUNT_EMAIL_TAKEN);
}

static void test_roles_change(void **state) {
        (void)state;
        struct account_create_command made = create("kim@example.com");
        assert_int_equal(kit_submit_and_run(lane, &made.lane), ACCOUNT_CREATED);
        struct account_role_command command = {
                .lane = {.kind = &account_role_kind, .service = user}, .account = made.account.id, .role = ROLE_GATE};
        assert_int_equal(kit_submit_and_run(lane, &command.lane), ACCOUNT_ROLE_SET);
        struct account_read_command read = read_by_email("kim@example.com");
        assert_int_equal(kit_submit_and_run(lane, &read.lane), ACCOUNT_FOUND);
        assert_int_equal(read.account.role, ROLE_GATE);
        command.account++;
        assert_int_equal(kit_submit_and_run(lane, &command.lane), ACCOUNT_ROLE_UNKNOWN);
}

/* --- over HTTP --- */

static int admit(void *context, struct request *request) {
        (void)context;
        struct text value = request_header(request, "authorization");
        struct token_claims claims;
        if (value.length > 7 &&
            token_verify(&key, (struct text){value.at + 7, value.length - 7}, kit_now(), &claims) == TOKEN_OK)
                request->caller = (struct caller){
                        .account = claims.account, .role = (int)claims.role, .expires_at = claims.expires_at};
        return 0;
}

static int start_edge(void) {
        edge = kit_edge_open(admit);
        user_add_routes(user, edge);
        return lane_start(lane) || edge_start(edge);
}

static int set_up_http(void **state) {
        (void)state;
        return open_service(false) || start_edge();
}

static int set_up_http_open(void **state) {
        (void)state;
        return open_service(true) || start_edge();
}

static int tear_down_http(void **state) {
        edge_stop(edge, 5);
        lane_stop(lane);
        int r = tear_down(state); /* its workers may still be waking a loop */
        edge = edge_free(edge);
        return r;
}

static char token[TOKEN_BYTES_MAX];

static int ask(const char *method, const char *path, const char *body) {
        char headers[TOKEN_BYTES_MAX + 64] = "";
        if (token[0])
                snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", token);
        return kit_ask(edge, method, path, headers, body);
}

/* The text behind "name": in the answer. */
static void take(const char *name, char *out, size_t capacity) {
        char mark[64];
        snprintf(mark, sizeof mark, "\"%s\":\"", name);
        snprintf(out, capacity, "%s", kit_value(mark, '"'));
}

static void be(account_id account, enum role role) {
        struct buffer out = {.at = token, .capacity = sizeof token - 1, .max_bytes = sizeof token - 1};
        token_issue(&out, &key, account, role, kit_now(), 60);
        token[out.length] = '\0';
}

#define KIM "{\"email\":\"Kim@Example.com\",\"password\":\"correct horse\",\"name\":\"김\"}"

static void test_sign_up_and_log_in(void **state) {
        (void)state;
        char account[ID_TEXT_MAX], again[ID_TEXT_MAX];
        token[0] = '\0';
        assert_int_equal(ask("POST", "/accounts", KIM), 201);
        kit_assert_says("\"email\":\"Kim@example.com\"");
        kit_assert_says("\"name\":\"김\"");
        kit_assert_says("\"role\":\"buyer\"");
        take("accountId", account, sizeof account);
        assert_null(strstr(kit_heard, "argon2"));
        assert_int_equal(ask("POST", "/accounts", KIM), 409);
        kit_assert_says("EMAIL_TAKEN");

        assert_int_equal(
                ask("POST", "/sessions", "{\"email\":\"Kim@EXAMPLE.com\",\"password\":\"correct horse\"}"), 200);
        kit_assert_says("\"tokenType\":\"Bearer\"");
        kit_assert_says("Cache-Control: no-store");
        take("accessToken", token, sizeof token);
        take("accountId", again, sizeof again);
        assert_string_equal(account, again);
        assert_int_equal(ask("GET", "/me", NULL), 200);
        take("accountId", again, sizeof again);
        assert_string_equal(account, again);
        kit_assert_says("\"email\":\"Kim@example.com\"");
}

/* The same words for whoever is unknown and whoever mistypes. */
static void test_refused_log_ins_look_alike(void **state) {
        (void)state;
        static char first[8192];
        token[0] = '\0';
        assert_int_equal(ask("POST", "/accounts", KIM), 201);
        assert_int_equal(
                ask("POST", "/sessions", "{\"email\":\"Kim@example.com\",\"password\":\"wrong horse\"}"), 401);
        kit_assert_says("SIGN_IN_REFUSED");
        snprintf(first, sizeof first, "%.*s", (int)(strstr(kit_heard, "\"traceId\"") - strstr(kit_heard, "\r\n\r\n")),
                 strstr(kit_heard, "\r\n\r\n"));
        assert_int_equal(
                ask("POST", "/sessions", "{\"email\":\"lee@example.com\",\"password\":\"wrong horse\"}"), 401);
        kit_assert_says(first);
}

static void test_sign_up_refusals(void **state) {
        (void)state;
        token[0] = '\0';
        static const struct {
                const char *body;
                int status;
                const char *piece;
        } refusals[] = {
                {"{\"email\":\"kim\",\"password\":\"correct horse\",\"name\":\"K\"}", 400, "email"},
                {"{\"email\":\"kim@example.com\",\"password\":\"1234567\",\"name\":\"K\"}", 400, "password"},
                {"{\"email\":\"kim@example.com\",\"password\":\"correct horse\",\"name\":\"\\u0000\"}", 400,
                 "INVALID_BODY"},
                {"{\"email\":\"kim@example.com\",\"password\":\"correct horse\",\"name\":\"a\\nb\"}", 400, "name"},
                {"{\"email\":\"kim@example.com\",\"password\":\"correct horse\"}", 400, "name"},
                {"{\"email\":\"kim@example.com\",\"password\":\"correct horse\",\"name\":\"K\",\"role\":\"king\"}", 400,
                 "role"},
                {"{\"email\":\"kim@example.com\",\"password\":\"correct horse\",\"name\":\"K\",\"role\":\"organiser\"}",
                 403, "ROLE_NOT_OPEN"},
                {"{\"email\":\"kim@example.com\",\"password\":\"correct horse\",\"name\":\"K\",\"role\":\"operator\"}",
                 403, "ROLE_NOT_OPEN"},
                {"{", 400, "INVALID_BODY"},
        };
        for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
                assert_int_equal(ask("POST", "/accounts", refusals[i].body), refusals[i].status);
                kit_assert_says(refusals[i].piece);
        }
}

static void test_organisers_may_sign_up_where_that_is_open(void **state) {
        (void)state;
        token[0] = '\0';
        assert_int_equal(ask("POST", "/accounts",
                             "{\"email\":\"o@example.com\",\"password\":\"correct "
                             "horse\",\"name\":\"O\",\"role\":\"organiser\"}"),
                         201);
        kit_assert_says("\"role\":\"organiser\"");
        assert_int_equal(ask("POST", "/accounts",
                             "{\"email\":\"p@example.com\",\"password\":\"correct "
                             "horse\",\"name\":\"P\",\"role\":\"operator\"}"),
                         403);
}

static void test_operator_sets_roles(void **state) {
        (void)state;
        char account[ID_TEXT_MAX], path[128];
        token[0] = '\0';
        assert_int_equal(ask("POST", "/accounts", KIM), 201);
        take("accountId", account, sizeof account);
        be(1, ROLE_OPERATOR);
        snprintf(path, sizeof path, "/accounts/%s/role", account);
        assert_int_equal(ask("PUT", path, "{\"role\":\"gate\"}"), 200);
        assert_int_equal(ask("PUT", path, "{\"role\":\"queen\"}"), 400);
        assert_int_equal(ask("PUT", "/accounts/acc_000000000000z/role", "{\"role\":\"gate\"}"), 404);
        assert_int_equal(ask("PUT", "/accounts/nonsense/role", "{\"role\":\"gate\"}"), 404);
        assert_int_equal(ask("GET", "/me", NULL), 200); /* a token without an account */
        kit_assert_says("\"role\":\"operator\"");
        token[0] = '\0';
        assert_int_equal(
                ask("POST", "/sessions", "{\"email\":\"Kim@example.com\",\"password\":\"correct horse\"}"), 200);
        kit_assert_says("\"role\":\"gate\"");
}

static void test_public_key(void **state) {
        (void)state;
        char x[64];
        uint8_t public_key[CRYPTO_SIGN_PUBLIC_BYTES];
        size_t length;
        assert_int_equal(ask("GET", "/.well-known/jwks.json", NULL), 200);
        kit_assert_says("Cache-Control: public");
        kit_assert_says("\"kty\":\"OKP\",\"crv\":\"Ed25519\"");
        kit_assert_says("\"kid\":\"0123456789abcdef\",\"alg\":\"EdDSA\",\"use\":\"sig\"");
        take("x", x, sizeof x);
        assert_true(text_base64url_decode(text_of(x), public_key, sizeof public_key, &length));
        assert_memory_equal(public_key, key.public_key, sizeof public_key);
}

#define LANE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define HTTP(name) cmocka_unit_test_setup_teardown(name, set_up_http, tear_down_http)

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_emails),
                cmocka_unit_test(test_names_and_roles),
                LANE(test_create_and_read),
                LANE(test_an_email_is_taken_once),
                LANE(test_roles_change),
                HTTP(test_sign_up_and_log_in),
                HTTP(test_refused_log_ins_look_alike),
                HTTP(test_sign_up_refusals),
                HTTP(test_operator_sets_roles),
                HTTP(test_public_key),
                cmocka_unit_test_setup_teardown(test_organisers_may_sign_up_where_that_is_open, set_up_http_open,
                                                tear_down_http),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
