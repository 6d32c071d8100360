/* gateway_test.c: the gate, with a fake edge that only notes how it was answered. */
#include "service/gateway/gateway_service.h"

#include "edge/edge.h"
#include "port/random.h"
#include "service/gateway/gateway_limiter.h"
#include "service/gateway/gateway_tokens.h"
#include "service/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW INT64_C(1763726400000)

/* --- the fake edge --- */

static struct {
        int status;
        char code[32], detail[128], headers[256];
        unsigned retry_after;
} answered;

void edge_answer_problem_with(struct request *request, int status, const char *code, const char *detail,
                              unsigned retry_after_seconds, const struct answer_header *headers, size_t header_count) {
        (void)request;
        answered.status = status;
        answered.retry_after = retry_after_seconds;
        snprintf(answered.code, sizeof answered.code, "%s", code);
        snprintf(answered.detail, sizeof answered.detail, "%s", detail);
        size_t length = 0;
        answered.headers[0] = '\0';
        for (size_t i = 0; i < header_count; i++)
                length += (size_t)snprintf(answered.headers + length, sizeof answered.headers - length, "%s: %.*s\n",
                                           headers[i].name, (int)headers[i].value.length, headers[i].value.at);
}

void edge_answer_problem(struct request *request, int status, const char *code, const char *detail,
                         unsigned retry_after_seconds) {
        edge_answer_problem_with(request, status, code, detail, retry_after_seconds, NULL, 0);
}

struct text http_header_of(const struct http_head *head, const char *lower_case_name) {
        for (unsigned i = 0; i < head->header_count; i++) {
                if (text_equal_nocase(head->headers[i].name, text_of(lower_case_name)))
                        return head->headers[i].value;
        }
        return (struct text){0};
}

/* --- the world --- */

static int64_t now;
static int64_t clock_now(struct clock *clock) {
        (void)clock;
        return now;
}
static struct clock clock = {.now_ms = clock_now};
static struct token_key key;
static struct gateway *gateway;

static int set_up(void **state) {
        (void)state;
        char path[] = "gateway_test.XXXXXX";
        int file = mkstemp(path);
        if (crypto_start() || file < 0)
                return -1;
        close(file);
        unlink(path);
        int fault = token_key_load(&key, path, crypto_random());
        unlink(path);
        return fault;
}

static int open_gateway(void **state) {
        (void)state;
        now = NOW;
        answered.status = 0;
        struct gateway_config config = {.key = &key,
                                        .clock = &clock,
                                        .loops = 2,
                                        .limits = {[LIMIT_SIGN_IN] = {60, 3}, [LIMIT_COMMAND] = {600, 2}}};
        return gateway_new(&gateway, &config);
}

static int close_gateway(void **state) {
        (void)state;
        gateway = gateway_free(gateway);
        return 0;
}

struct ask {
        enum access access;
        enum limit_class limit;
        const char *authorization;
        uint64_t peer_hash;
        unsigned loop;
};

static struct caller caller;

/* 0 if the gate lets it pass, otherwise the status. */
static int pass(struct ask ask) {
        static char loops[2];
        struct route route = {.operation = "test", .access = (int)ask.access, .limit_class = ask.limit};
        struct request request = {
                .route = &route, .peer_hash = ask.peer_hash, .loop = (struct edge_loop *)(void *)&loops[ask.loop]};
        if (ask.authorization) {
                request.head.headers[0] = (struct http_header){TEXT("authorization"), text_of(ask.authorization)};
                request.head.header_count = 1;
        }
        struct edge_gate gate = gateway_gate(gateway);
        answered.status = 0;
        int refused = gate.admit(gate.context, &request);
        assert_int_equal(refused, answered.status != 0);
        caller = request.caller;
        return answered.status;
}

static const char *bearer(account_id account, enum role role, int64_t seconds) {
        static char text[TOKEN_BYTES_MAX + 8];
        struct buffer token;
        buffer_init(&token, TOKEN_BYTES_MAX);
        token_issue(&token, &key, account, role, now, seconds);
        snprintf(text, sizeof text, "Bearer %.*s", (int)token.length, token.at);
        buffer_deinit(&token);
        return text;
}

/* --- who --- */

static void test_without_a_token(void **state) {
        (void)state;
        assert_int_equal(pass((struct ask){.access = ACCESS_PUBLIC}), 0);
        assert_int_equal(pass((struct ask){.access = ACCESS_OPTIONAL}), 0);
        assert_int_equal(caller.account, 0);
        for (enum access access = ACCESS_ACCOUNT; access <= ACCESS_OPERATOR; access++) {
                assert_int_equal(pass((struct ask){.access = access}), 401);
                assert_string_equal(answered.code, "UNAUTHENTICATED");
                assert_string_equal(answered.headers, "WWW-Authenticate: Bearer\n");
        }
}

static void test_bad_tokens(void **state) {
        (void)state;
        static const char *const bad[] = {"",         "Bearer",       "Bearer ", "Basic dXNlcjpwYXNz",
                                          "Bearer x", "Bearer a.b.c", "token"};
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                assert_int_equal(pass((struct ask){.access = ACCESS_ACCOUNT, .authorization = bad[i]}), 401);
                assert_int_equal(pass((struct ask){.access = ACCESS_OPTIONAL, .authorization = bad[i]}), 401);
                assert_non_null(strstr(answered.headers, "WWW-Authenticate: Bearer"));
                assert_int_equal(pass((struct ask){.access = ACCESS_PUBLIC, .authorization = bad[i]}), 0);
        }
        char forged[TOKEN_BYTES_MAX + 16];
        snprintf(forged, sizeof forged, "%s", bearer(5, ROLE_BUYER, 60));
        char *last = &forged[strlen(forged) - 3];
        *last = *last == 'A' ? 'B' : 'A';
        assert_int_equal(pass((struct ask){.access = ACCESS_ACCOUNT, .authorization = forged}), 401);
        assert_string_equal(answered.headers, "WWW-Authenticate: Bearer error=\"invalid_token\"\n");
        assert_int_equal(pass((struct ask){.access = ACCESS_ACCOUNT, .authorization = forged}), 401);
}

static void test_claims_reach_the_route(void **state) {
        (void)state;
        const char *authorization = bearer(42, ROLE_ORGANISER, 60);
        for (int i = 0; i < 2; i++) {
                assert_int_equal(pass((struct ask){.access = ACCESS_ACCOUNT, .authorization = authorization}), 0);
                assert_int_equal(caller.account, 42);
                assert_int_equal(caller.role, ROLE_ORGANISER);
                assert_int_equal(caller.expires_at, NOW + 60000);
        }
}

static void test_a_token_is_verified_once_per_loop(void **state) {
        (void)state;
        const char *authorization = bearer(43, ROLE_BUYER, 60);
        int64_t before = tokens_verified.value;
        for (int i = 0; i < 100; i++)
                assert_int_equal(pass((struct ask){.access = ACCESS_ACCOUNT, .authorization = authorization}), 0);
        assert_int_equal(tokens_verified.value, before + 1);
        for (int i = 0; i < 100; i++)
                assert_int_equal(
                        pass((struct ask){.access = ACCESS_ACCOUNT, .authorization = authorization, .loop = 1}), 0);
        assert_int_equal(tokens_verified.value, before + 2);
}

static void test_a_remembered_token_ends(void **state) {
        (void)state;
        const char *authorization = bearer(44, ROLE_BUYER, 60);
        assert_int_equal(pass((struct ask){.access = ACCESS_ACCOUNT, .authorization = authorization}), 0);
        now = NOW + 59999;
        assert_int_equal(pass((struct ask){.access = ACCESS_ACCOUNT, .authorization = authorization}), 0);
        int64_t before = tokens_verified.value;
        now = NOW + 60000;
        assert_int_equal(pass((struct ask){.access = ACCESS_ACCOUNT, .authorization = authorization}), 401);
        assert_int_equal(pass((struct ask){.access = ACCESS_OPTIONAL, .authorization = authorization}), 401);
        assert_int_equal(tokens_verified.value, before);
}

static int verify(struct token_table *table, account_id account, int64_t seconds) {
        struct token_claims claims;
        enum role role = account % 2 ? ROLE_BUYER : ROLE_GATE;
        struct text token = text_of(bearer(account, role, seconds) + sizeof "Bearer " - 1);
        int64_t before = tokens_verified.value;
        assert_int_equal(token_table_verify(table, &key, token, now, &claims), TOKEN_OK);
        assert_int_equal(claims.account, account);
        assert_int_equal(claims.role, role);
        return (int)(tokens_verified.value - before);
}

/* More tokens than there are places: one that ends first is forgotten, and none is mistaken for another. */
static void test_table_forgets_but_never_mixes(void **state) {
        (void)state;
        uint8_t hash_key[CRYPTO_SHORT_HASH_KEY_BYTES] = {1};
        struct token_table table;
        assert_int_equal(token_table_init(&table, GATEWAY_TOKEN_WAYS, hash_key), 0);
        assert_int_equal(verify(&table, 1, 100), 1);
        assert_int_equal(verify(&table, 2, 50), 1);
        assert_int_equal(verify(&table, 3, 300), 1);
        assert_int_equal(verify(&table, 4, 400), 1);
        assert_int_equal(verify(&table, 5, 500), 1); /* in place of 2 */
        assert_int_equal(
                verify(&table, 1, 100) + verify(&table, 3, 300) + verify(&table, 4, 400) + verify(&table, 5, 500), 0);
        assert_int_equal(verify(&table, 2, 50), 1); /* in place of 1 */
        assert_int_equal(verify(&table, 3, 300) + verify(&table, 4, 400) + verify(&table, 5, 500), 0);
        for (account_id account = 1; account <= 100; account++)
                verify(&table, account, 60);
        token_table_deinit(&table);
}

/* --- may --- */

static void test_roles(void **state) {
        (void)state;
        static const bool allowed[][ROLE_OPERATOR + 1] = {
                [ACCESS_ACCOUNT] = {false, true, true, true, true},
                [ACCESS_ORGANISER] = {false, false, true, false, true},
                [ACCESS_GATE] = {false, false, true, true, true},
                [ACCESS_OPERATOR] = {false, false, false, false, true},
                [ACCESS_OPTIONAL] = {false, true, true, true, true},
        };
        for (enum access access = ACCESS_ACCOUNT; access <= ACCESS_OPTIONAL; access++) {
                for (enum role role = ROLE_BUYER; role <= ROLE_OPERATOR; role++) {
                        int status = pass((struct ask){.access = access, .authorization = bearer(7, role, 60)});
                        assert_int_equal(status, allowed[access][role] ? 0 : 403);
                        if (status)
                                assert_string_equal(answered.code, "FORBIDDEN");
                }
        }
}

/* --- how often --- */

static void test_sign_in_is_limited_by_address(void **state) {
        (void)state;
        struct ask ask = {.access = ACCESS_PUBLIC, .limit = LIMIT_SIGN_IN, .peer_hash = 1};
        for (int i = 0; i < 3; i++)
                assert_int_equal(pass(ask), 0);
        ask.loop = 1; /* another connection, on another loop, does not help */
        assert_int_equal(pass(ask), 429);
        assert_string_equal(answered.code, "RATE_LIMITED");
        assert_int_equal(answered.retry_after, 1);
        assert_string_equal(answered.headers, "RateLimit-Limit: 3\nRateLimit-Remaining: 0\nRateLimit-Reset: 1\n");
        ask.peer_hash = 2;
        assert_int_equal(pass(ask), 0);
        ask.peer_hash = 1;
        now += 1000;
        assert_int_equal(pass(ask), 0);
}

static void test_commands_are_limited_by_account(void **state) {
        (void)state;
        struct ask ask = {.access = ACCESS_ACCOUNT, .limit = LIMIT_COMMAND, .peer_hash = 1};
        ask.authorization = bearer(8, ROLE_BUYER, 60);
        assert_int_equal(pass(ask), 0);
        ask.peer_hash = 2;
        assert_int_equal(pass(ask), 0);
        ask.peer_hash = 3;
        assert_int_equal(pass(ask), 429);
        ask.authorization = bearer(9, ROLE_BUYER, 60);
        assert_int_equal(pass(ask), 0);
}

/* Many askers: those who ask too often stay limited, as long as their set does not overflow with others like them. */
static void test_limiter_with_many_askers(void **state) {
        (void)state;
        struct limiter *limiter;
        struct gcra gcra = gcra_of(60, 1);
        assert_int_equal(limiter_new(&limiter), 0);
        uint64_t seed = 42;
        for (int i = 0; i < 1000000; i++) {
                seed += UINT64_C(0x9e3779b97f4a7c15);
                assert_int_equal(limiter_admit(limiter, &gcra, text_hash(&seed, sizeof seed, 1) | 1, now * 1000 + i),
                                 0);
        }
        /* The last one is still known. */
        assert_true(limiter_admit(limiter, &gcra, text_hash(&seed, sizeof seed, 1) | 1, now * 1000 + 1000000) > 0);
        limiter_free(limiter);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_without_a_token, open_gateway, close_gateway),
                cmocka_unit_test_setup_teardown(test_bad_tokens, open_gateway, close_gateway),
                cmocka_unit_test_setup_teardown(test_claims_reach_the_route, open_gateway, close_gateway),
                cmocka_unit_test_setup_teardown(test_a_token_is_verified_once_per_loop, open_gateway, close_gateway),
                cmocka_unit_test_setup_teardown(test_a_remembered_token_ends, open_gateway, close_gateway),
                cmocka_unit_test_setup_teardown(test_table_forgets_but_never_mixes, open_gateway, close_gateway),
                cmocka_unit_test_setup_teardown(test_roles, open_gateway, close_gateway),
                cmocka_unit_test_setup_teardown(test_sign_in_is_limited_by_address, open_gateway, close_gateway),
                cmocka_unit_test_setup_teardown(test_commands_are_limited_by_account, open_gateway, close_gateway),
                cmocka_unit_test_setup_teardown(test_limiter_with_many_askers, open_gateway, close_gateway),
        };
        return cmocka_run_group_tests(tests, set_up, NULL);
}
