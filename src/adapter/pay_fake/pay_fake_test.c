/* The contract of the pay port, on the built-in provider, and the built-in provider's own troubles and book. */
#include "base/unit_test.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "adapter/pay_fake/pay_fake.h"
#include "base/fault.h"

static int64_t now = 1795258800000;

static int64_t read_now(struct clock *clock) {
        (void)clock;
        return now;
}
static struct clock test_clock = {.now_ms = read_now};

static char book[64];

static int make_folder(void **state) {
        (void)state;
        char folder[] = "/tmp/ticketrush-book-XXXXXX";
        assert_non_null(mkdtemp(folder));
        snprintf(book, sizeof book, "%s/provider.book", folder);
        return 0;
}

static int remove_folder(void **state) {
        (void)state;
        unlink(book);
        *strrchr(book, '/') = '\0';
        rmdir(book);
        return 0;
}

static struct pay_provider *open_with(const char *rules, const char *path) {
        struct pay_fake_config config = {.book_path = path, .clock = &test_clock, .token_rules = true};
        char problem[128];
        assert_true(pay_fake_parse(rules, &config, problem));
        struct pay_provider *provider = NULL;
        assert_int_equal(pay_fake_new(&provider, &config), 0);
        return provider;
}

static struct pay_order order_of(purchase_id id, int64_t amount, const char *token) {
        struct pay_order order = {.order = id, .account = 7, .amount = {amount, "KRW"}};
        snprintf(order.token, sizeof order.token, "%s", token);
        return order;
}

typedef void (*question)(struct pay_provider *, const struct pay_order *, struct pay_result *, size_t);

static enum pay_answer ask(struct pay_provider *provider, question asks, purchase_id id, int64_t amount,
                           const char *token) {
        struct pay_order order = order_of(id, amount, token);
        struct pay_result result = {0};
        asks(provider, &order, &result, 1);
        assert_non_null(memchr(result.code, 0, sizeof result.code));
        assert_non_null(memchr(result.reference, 0, sizeof result.reference));
        return result.answer;
}
#define CONFIRM(id, token) ask(provider, provider->confirm, id, 1000, token)
#define QUERY(id) ask(provider, provider->query, id, 1000, "")
#define REFUND(id, amount, token) ask(provider, provider->refund, id, amount, token)

static void assert_sums(struct pay_provider *provider, uint64_t charges, int64_t charged, uint64_t refunds,
                        int64_t refunded) {
        struct pay_fake_sums sums;
        pay_fake_sums(provider, &sums);
        assert_int_equal(sums.charges, charges);
        assert_int_equal(sums.charged, charged);
        assert_int_equal(sums.refunds, refunds);
        assert_int_equal(sums.refunded, refunded);
}

/* --- the contract of the port --- */

static void a_confirm_counts_once(void **state) {
        (void)state;
        struct pay_provider *provider = open_with("", NULL);
        assert_int_equal(QUERY(1), PAY_NOT_FOUND);
        assert_int_equal(CONFIRM(1, ""), PAY_APPROVED);
        assert_int_equal(CONFIRM(1, ""), PAY_APPROVED);
        assert_int_equal(QUERY(1), PAY_APPROVED);
        assert_sums(provider, 1, 1000, 0, 0);
        provider->close(provider);
}

static void a_refusal_stays_one(void **state) {
        (void)state;
        struct pay_provider *provider = open_with("", NULL);
        assert_int_equal(CONFIRM(1, "decline"), PAY_DECLINED);
        assert_int_equal(CONFIRM(1, ""), PAY_DECLINED);
        assert_int_equal(QUERY(1), PAY_DECLINED);
        assert_int_equal(REFUND(1, 1000, ""), PAY_DECLINED);
        assert_sums(provider, 0, 0, 0, 0);
        provider->close(provider);
}

static void a_refund_counts_once(void **state) {
        (void)state;
        struct pay_provider *provider = open_with("", NULL);
        assert_int_equal(REFUND(1, 1000, ""), PAY_DECLINED); /* nothing was taken */
        CONFIRM(1, "");
        assert_int_equal(REFUND(1, 1001, ""), PAY_DECLINED); /* more than was taken */
        assert_int_equal(REFUND(1, 1000, ""), PAY_APPROVED);
        assert_int_equal(REFUND(1, 1000, ""), PAY_APPROVED);
        assert_int_equal(QUERY(1), PAY_REFUNDED);
        assert_sums(provider, 1, 1000, 1, 1000);
        CONFIRM(2, "");
        assert_int_equal(REFUND(2, 900, ""), PAY_APPROVED);
        assert_int_equal(QUERY(2), PAY_APPROVED); /* not in full */
        assert_sums(provider, 2, 2000, 2, 1900);
        provider->close(provider);
}

static void a_batch_is_answered_one_by_one(void **state) {
        (void)state;
        struct pay_provider *provider = open_with("", NULL);
        struct pay_order orders[4] = {order_of(1, 10, ""), order_of(2, 20, "decline"), order_of(3, 30, ""),
                                      order_of(1, 10, "")};
        struct pay_result results[4];
        provider->confirm(provider, orders, results, 4);
        assert_int_equal(results[0].answer, PAY_APPROVED);
        assert_int_equal(results[1].answer, PAY_DECLINED);
        assert_int_equal(results[2].answer, PAY_APPROVED);
        assert_int_equal(results[3].answer, PAY_UNKNOWN); /* named twice in one call: counted once */
        assert_sums(provider, 2, 40, 0, 0);
        provider->refund(provider, orders, results, 4);
        assert_int_equal(results[0].answer, PAY_APPROVED);
        assert_sums(provider, 2, 40, 2, 40);
        provider->close(provider);
}

/* --- troubles --- */

static void a_timeout_after_charging_is_known_later(void **state) {
        (void)state;
        struct pay_provider *provider = open_with("", NULL);
        assert_int_equal(CONFIRM(1, "timeout-charged:500"), PAY_UNKNOWN);
        assert_sums(provider, 1, 1000, 0, 0);
        assert_int_equal(QUERY(1), PAY_UNKNOWN);
        now += 500;
        assert_int_equal(QUERY(1), PAY_APPROVED);
        assert_int_equal(CONFIRM(1, "timeout-charged:500"), PAY_APPROVED);
        assert_sums(provider, 1, 1000, 0, 0);
        provider->close(provider);
}

static void a_timeout_without_a_charge_is_never_heard_of(void **state) {
        (void)state;
        struct pay_provider *provider = open_with("", NULL);
        assert_int_equal(CONFIRM(1, "timeout-not-charged:500"), PAY_UNKNOWN);
        assert_int_equal(QUERY(1), PAY_NOT_FOUND);
        assert_int_equal(CONFIRM(1, "timeout-not-charged:500"), PAY_UNKNOWN);
        assert_sums(provider, 0, 0, 0, 0);
        now += 500;
        assert_int_equal(QUERY(1), PAY_NOT_FOUND);
        assert_int_equal(CONFIRM(1, "timeout-not-charged:500"), PAY_APPROVED);
        assert_sums(provider, 1, 1000, 0, 0);
        provider->close(provider);
}

static void a_promise_is_kept_when_its_time_has_come(void **state) {
        (void)state;
        struct pay_provider *provider = open_with("", NULL);
        assert_int_equal(CONFIRM(1, "pending:500"), PAY_PENDING);
        assert_int_equal(QUERY(1), PAY_PENDING);
        assert_int_equal(REFUND(1, 1000, ""), PAY_DECLINED);
        assert_sums(provider, 0, 0, 0, 0);
        now += 500;
        assert_int_equal(QUERY(1), PAY_APPROVED);
        assert_int_equal(QUERY(1), PAY_APPROVED);
        assert_sums(provider, 1, 1000, 0, 0);
        provider->close(provider);
}

static void a_refund_is_refused_some_times(void **state) {
        (void)state;
        struct pay_provider *provider = open_with("", NULL);
        CONFIRM(1, "refuse-refund:0:2");
        assert_int_equal(REFUND(1, 1000, "refuse-refund:0:2"), PAY_DECLINED);
        assert_int_equal(REFUND(1, 1000, "refuse-refund:0:2"), PAY_DECLINED);
        assert_int_equal(REFUND(1, 1000, "refuse-refund:0:2"), PAY_APPROVED);
        assert_sums(provider, 1, 1000, 1, 1000);
        provider->close(provider);
}

struct noise {
        unsigned count;
        purchase_id last;
};

static void hear(void *context, purchase_id order) {
        struct noise *noise = context;
        noise->count++;
        noise->last = order;
}

static void notifications_come_early_and_twice(void **state) {
        (void)state;
        struct pay_provider *provider = open_with("", NULL);
        struct noise noise = {0};
        provider->notify = hear;
        provider->notify_context = &noise;
        CONFIRM(1, "");
        assert_int_equal(noise.count, 0);
        CONFIRM(2, "notify-early");
        assert_int_equal(noise.count, 1);
        assert_int_equal(noise.last, 2);
        CONFIRM(3, "answer-twice");
        assert_int_equal(noise.count, 2);
        CONFIRM(4, "notify-twice");
        assert_int_equal(noise.count, 4);
        assert_int_equal(CONFIRM(5, "delay:1"), PAY_APPROVED);
        provider->close(provider);
}

static void tokens_mean_nothing_unless_allowed(void **state) {
        (void)state;
        struct pay_fake_config config = {.clock = &test_clock};
        struct pay_provider *provider = NULL;
        assert_int_equal(pay_fake_new(&provider, &config), 0);
        assert_int_equal(CONFIRM(1, "decline"), PAY_APPROVED);
        provider->close(provider);
}

static void rules_take_their_share(void **state) {
        (void)state;
        struct pay_provider *provider = open_with("decline:100,pending:200:1000,timeout-charged:0:5", NULL);
        unsigned declined = 0, pending = 0;
        for (purchase_id id = 1; id <= 10000; id++) {
                enum pay_answer answer = CONFIRM(id, "");
                declined += answer == PAY_DECLINED;
                pending += answer == PAY_PENDING;
                assert_true(answer == PAY_DECLINED || answer == PAY_PENDING || answer == PAY_APPROVED);
        }
        assert_in_range(declined, 900, 1100);
        assert_in_range(pending, 1850, 2150);
        provider->close(provider);
}

static void rules_are_read_strictly(void **state) {
        (void)state;
        static const char *const wrong[] = {"nonsense:5",
                                            "decline",
                                            "decline:1001",
                                            "decline:x",
                                            "decline:5:x",
                                            "delay:5:3600001",
                                            "decline:600,delay:600",
                                            "refuse-refund:5:0:0",
                                            "refuse-refund:5:0:x",
                                            ",",
                                            "decline:5,,"};
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
                struct pay_fake_config config = {.rule_count = 1};
                char problem[128] = "";
                assert_false(pay_fake_parse(wrong[i], &config, problem));
                assert_true(strlen(problem) > 10 && strlen(problem) < sizeof problem);
                assert_int_equal(config.rule_count, 1); /* untouched */
        }
        struct pay_fake_config config = {0};
        char problem[128];
        assert_true(pay_fake_parse("decline:50,timeout-charged:20:3000,refuse-refund:10:0:2", &config, problem));
        assert_int_equal(config.rule_count, 3);
        assert_int_equal(config.rules[1].trouble, PAY_FAKE_TIMEOUT_CHARGED);
        assert_int_equal(config.rules[1].delay_ms, 3000);
        assert_int_equal(config.rules[2].times, 2);
        char many[17 * 10 + 1] = "";
        for (int i = 0; i < 17; i++)
                snprintf(many + strlen(many), sizeof many - strlen(many), "decline:1,");
        assert_false(pay_fake_parse(many, &config, problem));
}

/* --- the book --- */

static void the_book_survives(void **state) {
        (void)state;
        struct pay_provider *provider = open_with("", book);
        CONFIRM(1, "");
        CONFIRM(2, "decline");
        CONFIRM(3, "pending:500");
        CONFIRM(4, "timeout-charged:500");
        CONFIRM(5, "");
        REFUND(5, 400, "");
        provider->close(provider);
        provider = open_with("decline:1000", book); /* other rules change nothing that has been */
        assert_sums(provider, 3, 3000, 1, 400);
        assert_int_equal(QUERY(1), PAY_APPROVED);
        assert_int_equal(CONFIRM(1, ""), PAY_APPROVED);
        assert_int_equal(QUERY(2), PAY_DECLINED);
        assert_int_equal(QUERY(3), PAY_PENDING);
        assert_int_equal(QUERY(4), PAY_UNKNOWN);
        now += 500;
        assert_int_equal(QUERY(3), PAY_APPROVED);
        assert_int_equal(QUERY(4), PAY_APPROVED);
        assert_int_equal(REFUND(5, 400, ""), PAY_APPROVED);
        assert_sums(provider, 4, 4000, 1, 400);
        provider->close(provider);
}

static off_t book_length(void) {
        struct stat info;
        assert_int_equal(stat(book, &info), 0);
        return info.st_size;
}

static void write_at(off_t at, const char *bytes, size_t n) {
        int file = open(book, O_WRONLY | O_CLOEXEC);
        assert_true(file >= 0);
        assert_int_equal(pwrite(file, bytes, n, at), n);
        close(file);
}

static void a_torn_end_is_cut_off(void **state) {
        (void)state;
        struct pay_provider *provider = open_with("", book);
        CONFIRM(1, "");
        CONFIRM(2, "");
        CONFIRM(3, "");
        provider->close(provider);
        off_t length = book_length(), record = length / 3;
        for (off_t cut = length - 1; cut > length - record; cut -= 7) {
                assert_int_equal(truncate(book, cut), 0);
                provider = open_with("", book);
                assert_sums(provider, 2, 2000, 0, 0);
                assert_int_equal(QUERY(3), PAY_NOT_FOUND);
                assert_int_equal(CONFIRM(3, ""), PAY_APPROVED); /* written where the torn one stood */
                provider->close(provider);
                assert_int_equal(book_length(), length);
        }
        write_at(length - 10, "garbage", 7);
        provider = open_with("", book);
        assert_sums(provider, 2, 2000, 0, 0);
        provider->close(provider);
        assert_int_equal(book_length(), length - record);
}

static void a_damaged_middle_is_refused(void **state) {
        (void)state;
        struct pay_provider *provider = open_with("", book);
        CONFIRM(1, "");
        CONFIRM(2, "");
        provider->close(provider);
        write_at(8, "garbage", 7);
        struct pay_fake_config config = {.book_path = book, .clock = &test_clock};
        assert_int_equal(pay_fake_new(&provider, &config), FAULT_FORMAT);
        config.book_path = "/nowhere/at/all";
        assert_int_equal(pay_fake_new(&provider, &config), -ENOENT);
}

static void what_cannot_be_written_is_not_charged(void **state) {
        (void)state;
        struct pay_provider *provider = open_with("", book);
        assert_int_equal(CONFIRM(1, ""), PAY_APPROVED);
        off_t length = book_length();
        struct rlimit before, none;
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        none = before;
        none.rlim_cur = (rlim_t)length + 20; /* a record fits in part */
        signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
        assert_int_equal(CONFIRM(2, ""), PAY_UNKNOWN);
        assert_int_equal(CONFIRM(2, ""), PAY_UNKNOWN);
        assert_int_equal(QUERY(2), PAY_NOT_FOUND);
        assert_int_equal(REFUND(1, 1000, ""), PAY_UNKNOWN);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(book_length(), length);
        assert_sums(provider, 1, 1000, 0, 0);
        assert_int_equal(CONFIRM(2, ""), PAY_APPROVED);
        assert_int_equal(REFUND(1, 1000, ""), PAY_APPROVED);
        assert_sums(provider, 2, 2000, 1, 1000);
        provider->close(provider);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_confirm_counts_once),
                cmocka_unit_test(a_refusal_stays_one),
                cmocka_unit_test(a_refund_counts_once),
                cmocka_unit_test(a_batch_is_answered_one_by_one),
                cmocka_unit_test(a_timeout_after_charging_is_known_later),
                cmocka_unit_test(a_timeout_without_a_charge_is_never_heard_of),
                cmocka_unit_test(a_promise_is_kept_when_its_time_has_come),
                cmocka_unit_test(a_refund_is_refused_some_times),
                cmocka_unit_test(notifications_come_early_and_twice),
                cmocka_unit_test(tokens_mean_nothing_unless_allowed),
                cmocka_unit_test(rules_take_their_share),
                cmocka_unit_test(rules_are_read_strictly),
                cmocka_unit_test_setup_teardown(the_book_survives, make_folder, remove_folder),
                cmocka_unit_test_setup_teardown(a_torn_end_is_cut_off, make_folder, remove_folder),
                cmocka_unit_test_setup_teardown(a_damaged_middle_is_refused, make_folder, remove_folder),
                cmocka_unit_test_setup_teardown(what_cannot_be_written_is_not_charged, make_folder, remove_folder),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
