/* pay_fake.h: the built-in payment provider: keeps its own book of what it charged and refunded, in its own file, as a
 * real provider would, and misbehaves as its configuration says (never as a request says).
 *
 * A rule applies to a share of the orders. The order's number, mixed, points at one of a thousand places; the rules
 * take their `permille` of places one after the other, so no order has two troubles. What once happened to an order
 * stays so in the book, also when a later run has other rules. Money promised (PENDING) is charged when its time has
 * come and somebody asks. docs/payments.md names the troubles for operators. */
#ifndef TICKETRUSH_ADAPTER_PAY_FAKE_PAY_FAKE_H
#define TICKETRUSH_ADAPTER_PAY_FAKE_PAY_FAKE_H

#include "port/clock.h"
#include "port/pay.h"

enum { PAY_FAKE_RULES_MAX = 16 };

enum pay_fake_trouble {
        PAY_FAKE_DECLINE = 1,         /* refuses: code CARD_DECLINED */
        PAY_FAKE_DELAY,               /* answers after delay_ms */
        PAY_FAKE_TIMEOUT_CHARGED,     /* charges, and answers UNKNOWN; query tells the truth after delay_ms */
        PAY_FAKE_TIMEOUT_NOT_CHARGED, /* does nothing, and answers UNKNOWN; query says NOT_FOUND, final after delay_ms
                                       */
        PAY_FAKE_PENDING,             /* PENDING until delay_ms have passed, then charged */
        PAY_FAKE_ANSWER_TWICE, /* the same confirm is answered a second time, as if the network doubled it: by notify */
        PAY_FAKE_NOTIFY_TWICE,
        PAY_FAKE_NOTIFY_EARLY,  /* notifies before the answer */
        PAY_FAKE_REFUSE_REFUND, /* the first `times` refunds of an order are refused, later ones work */
};

struct pay_fake_rule {
        enum pay_fake_trouble trouble;
        uint32_t permille;
        uint32_t delay_ms;
        uint32_t times;
};

struct pay_fake_config {
        const char *book_path; /* append-only file of charges and refunds; NULL: memory only */
        struct clock *clock;
        size_t rule_count;
        struct pay_fake_rule rules[PAY_FAKE_RULES_MAX];
        /* Test deployments only, off by default: a payment token chooses the order's trouble by the name it has in a
         * rule, with the delay (1000 ms if none) and the times: "decline", "timeout-charged:500", "refuse-refund:0:3".
         */
        bool token_rules;
};

/* Also reads back the book of an earlier run. Negative fault. */
int pay_fake_new(struct pay_provider **ret_provider, const struct pay_fake_config *config);
/* "decline:50,timeout-charged:20:3000,refuse-refund:10:0:2" (trouble:permille[:delay_ms[:times]]) → rules, in place of
 * those in `into`. False and a sentence in problem. */
bool pay_fake_parse(const char *text, struct pay_fake_config *into, char problem[static 128]);

struct pay_fake_sums {
        uint64_t charges, refunds;
        int64_t charged, refunded;
};
void pay_fake_sums(struct pay_provider *provider, struct pay_fake_sums *ret_sums);

#endif
