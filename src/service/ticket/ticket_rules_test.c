/* ticket_rules_test.c: who is let in, in order of precedence; and what a ticket's name and code look like. */
#include "service/ticket/ticket_code.h"

#include "port/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { ORDER = 4711, SCHEDULE = 99, ACCOUNT = 7, SEAT = 12, NOW = 1000 };

static struct ticket valid_ticket(void) {
        return (struct ticket){
                .order = ORDER, .schedule = SCHEDULE, .account = ACCOUNT, .issued_at = 1, .seat = SEAT, .place = 3};
}
static const struct ticket_claims right_claims = {.order = ORDER, .schedule = SCHEDULE, .seat = SEAT, .place = 3};

/* --- scanning --- */

static void test_admitted_once(void **state) {
        (void)state;
        struct ticket ticket = valid_ticket();
        assert_int_equal(ticket_scan(&ticket, &right_claims, true, NOW), SCAN_ADMITTED);
        assert_int_equal(ticket.state, TICKET_IS_USED);
        assert_int_equal(ticket.used_at, NOW);
        assert_int_equal(ticket_scan(&ticket, &right_claims, true, NOW + 1), SCAN_USED);
        assert_int_equal(ticket.used_at, NOW);
}

/* Everything that is wrong at once: each reason hides those after it. */
static void test_ladder(void **state) {
        (void)state;
        struct ticket ticket = valid_ticket(), before;
        struct ticket_claims wrong_seat = right_claims, wrong_schedule = right_claims;
        wrong_seat.seat++;
        wrong_schedule.schedule++;
        ticket.state = TICKET_IS_VOID;
        before = ticket;
        assert_int_equal(ticket_scan(NULL, &right_claims, false, NOW), SCAN_UNKNOWN);
        assert_int_equal(ticket_scan(&ticket, &wrong_seat, false, NOW), SCAN_UNKNOWN);
        assert_int_equal(ticket_scan(&ticket, &wrong_schedule, false, NOW), SCAN_UNKNOWN);
        assert_int_equal(ticket_scan(&ticket, &right_claims, false, NOW), SCAN_ELSEWHERE);
        assert_int_equal(ticket_scan(&ticket, &right_claims, true, NOW), SCAN_VOID);
        assert_memory_equal(&ticket, &before, sizeof ticket);
        ticket.state = TICKET_IS_USED;
        assert_int_equal(ticket_scan(&ticket, &right_claims, false, NOW), SCAN_ELSEWHERE);
        assert_int_equal(ticket_scan(&ticket, &right_claims, true, NOW), SCAN_USED);
        ticket.state = TICKET_IS_VALID;
        assert_int_equal(ticket_scan(&ticket, &right_claims, false, NOW), SCAN_ELSEWHERE);
        assert_int_equal(ticket.state, TICKET_IS_VALID);
}

static void test_who_may_scan(void **state) {
        (void)state;
        assert_true(scan_is_permitted(ROLE_GATE, 1, 2));
        assert_true(scan_is_permitted(ROLE_OPERATOR, 1, 2));
        assert_true(scan_is_permitted(ROLE_ORGANISER, 2, 2));
        assert_false(scan_is_permitted(ROLE_ORGANISER, 1, 2));
        assert_false(scan_is_permitted(ROLE_BUYER, 2, 2));
}

static void test_void(void **state) {
        (void)state;
        struct ticket ticket = valid_ticket();
        assert_true(ticket_void(&ticket));
        assert_int_equal(ticket.state, TICKET_IS_VOID);
        assert_false(ticket_void(&ticket));
        ticket.state = TICKET_IS_USED;
        assert_true(ticket_void(&ticket)); /* given back after all: the seat may be sold again */
}

static void test_lifecycle(void **state) {
        (void)state;
        static const bool allowed[3][3] = {
                [TICKET_IS_VALID] = {[TICKET_IS_USED] = true, [TICKET_IS_VOID] = true},
                [TICKET_IS_USED] = {[TICKET_IS_VOID] = true},
        };
        for (unsigned from = 0; from < ticket_fsm.state_count; from++) {
                for (unsigned to = 0; to < ticket_fsm.state_count; to++)
                        assert_int_equal(fsm_may(&ticket_fsm, from, to), allowed[from][to]);
        }
}

/* --- names --- */

static void test_names(void **state) {
        (void)state;
        char text[TICKET_TEXT_MAX];
        purchase_id order;
        unsigned place;
        for (unsigned i = 0; i < HOLD_SEATS_MAX; i++) {
                size_t length = ticket_format(text, INT64_MAX - i, i);
                assert_int_equal(length, strlen(text));
                assert_true(ticket_parse(text_of(text), &order, &place));
                assert_true(order == (purchase_id)INT64_MAX - i);
                assert_int_equal(place, i);
        }
        ticket_format(text, 1, 15);
        assert_string_equal(text, "ticket_0000000000001-15");
        static const char *const wrong[] = {
                "",
                "ticket_0000000000001",
                "ticket_0000000000001-",
                "ticket_0000000000001-16",
                "ticket_0000000000001-00",
                "ticket_0000000000001-01",
                "ticket_0000000000001--1",
                "ticket_0000000000001-1 ",
                "ticket_0000000000000-1",
                "order_0000000000001-1",
                "ticket_000000000001-1",
                "ticket_0000000000001_1",
                "ticket_0000000000001-1-1",
                "ticket_0000000000001-100000000000000000000",
        };
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
                assert_false(ticket_parse(text_of(wrong[i]), &order, &place));
}

/* --- codes --- */

static struct token_key key;

static int make_key(void **state) {
        (void)state;
        char path[] = "/tmp/ticket_rules_test.XXXXXX";
        int file = mkstemp(path);
        if (crypto_start() || file < 0)
                return -1;
        close(file);
        unlink(path);
        int fault = token_key_load(&key, path, crypto_random());
        unlink(path);
        return fault;
}

static void test_code_round_trip(void **state) {
        (void)state;
        char code[TICKET_CODE_LENGTH];
        struct ticket_claims claims,
                most = {.order = INT64_MAX, .schedule = INT64_MAX, .seat = UINT32_MAX, .place = 15};
        ticket_code_sign(code, &key, &most);
        assert_memory_equal(code, "TR1.", 4);
        assert_true(ticket_code_verify(&key, (struct text){code, sizeof code}, &claims));
        assert_true(claims.order == most.order && claims.schedule == most.schedule);
        assert_true(claims.seat == most.seat && claims.place == most.place);
        /* Anybody can check it offline with the public key. */
        uint8_t signature[CRYPTO_SIGNATURE_BYTES];
        size_t length;
        struct text signed_by = {code + TICKET_CODE_SIGNED_LENGTH + 1, sizeof code - TICKET_CODE_SIGNED_LENGTH - 1};
        assert_true(text_base64url_decode(signed_by, signature, sizeof signature, &length));
        assert_true(crypto_verify(signature, code, TICKET_CODE_SIGNED_LENGTH, key.public_key));
}

static void test_code_refuses(void **state) {
        (void)state;
        char code[TICKET_CODE_LENGTH + 1] = {0};
        struct ticket_claims claims;
        ticket_code_sign(code, &key, &right_claims);
        for (size_t bit = 0; bit < (size_t)8 * TICKET_CODE_LENGTH; bit++) {
                code[bit / 8] = (char)(code[bit / 8] ^ (1 << bit % 8));
                assert_false(ticket_code_verify(&key, (struct text){code, TICKET_CODE_LENGTH}, &claims));
                code[bit / 8] = (char)(code[bit / 8] ^ (1 << bit % 8));
        }
        for (size_t length = 0; length < TICKET_CODE_LENGTH; length++)
                assert_false(ticket_code_verify(&key, (struct text){code, length}, &claims));
        assert_false(ticket_code_verify(&key, (struct text){code, TICKET_CODE_LENGTH + 1}, &claims));
        assert_true(ticket_code_verify(&key, (struct text){code, TICKET_CODE_LENGTH}, &claims));

        struct token_key other;
        uint8_t seed[CRYPTO_SIGN_SEED_BYTES] = {1};
        crypto_sign_keys(other.public_key, other.secret, seed);
        assert_false(ticket_code_verify(&other, (struct text){code, TICKET_CODE_LENGTH}, &claims));
}

/* The same text whether it was remembered or made, also when two tickets share a place of the table. */
static void test_codes_shown_again(void **state) {
        (void)state;
        struct ticket_codes *codes;
        char shown[TICKET_CODE_LENGTH], made[TICKET_CODE_LENGTH];
        assert_int_equal(ticket_codes_new(&codes), 0);
        for (int round = 0; round < 2; round++) {
                for (purchase_id order = 1; order <= 300; order++) {
                        struct ticket_claims claims = {.order = order,
                                                       .schedule = 5,
                                                       .seat = (seat_index)order,
                                                       .place = (uint8_t)(order % 16)};
                        ticket_codes_show(codes, shown, &key, &claims);
                        ticket_code_sign(made, &key, &claims);
                        assert_memory_equal(shown, made, sizeof made);
                        claims.seat++;
                        ticket_codes_show(codes, shown, &key, &claims);
                        assert_memory_not_equal(shown, made, sizeof made);
                }
        }
        ticket_codes_free(codes);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_admitted_once),     cmocka_unit_test(test_ladder),
                cmocka_unit_test(test_who_may_scan),      cmocka_unit_test(test_void),
                cmocka_unit_test(test_lifecycle),         cmocka_unit_test(test_names),
                cmocka_unit_test(test_code_round_trip),   cmocka_unit_test(test_code_refuses),
                cmocka_unit_test(test_codes_shown_again),
        };
        return cmocka_run_group_tests(tests, make_key, NULL);
}
