/* audit.h: the auditor: checks the eight invariants on a database, offline, in one pass over the data.
 *
 * It shares no code with the rules that it judges: it reads the tables, keeps its own tiny model, and explains each
 * violation with the rows that show it. It changes nothing. */
#ifndef TICKETRUSH_AUDIT_AUDIT_H
#define TICKETRUSH_AUDIT_AUDIT_H

#include "base/buffer.h"

enum { AUDIT_INVARIANTS = 8, AUDIT_FINDINGS_MAX = 1000 };

struct audit_options {
        bool json;    /* one JSON object instead of lines */
        bool at_rest; /* the sale has come to rest: no payment or order may be half-way */
};

struct audit_report {
        uint64_t violations[AUDIT_INVARIANTS + 1]; /* [1] … [8] */
        uint64_t violations_total;
        uint64_t seats, available, held, sold, blocked;
        uint64_t holds, orders, confirmed_orders, payments, captured_payments, refunded_payments, tickets, line_entries,
                events;
        uint64_t oversold;          /* seats with more than one valid ticket or sold to two orders */
        uint64_t paid_without_seat; /* captured orders that end neither in tickets nor in a refund */
        int64_t captured, refunded; /* minor units */
        struct buffer text;         /* for people, or JSON; audit_report_deinit frees it */
};

/* data is the folder. 0: looked at everything (also when violations were found); -ENOENT, -EBUSY (a server is running
 * on it), FAULT_FORMAT (not ours, damaged, or newer) and others: could not look. */
int audit_run(const char *data, const struct audit_options *options, struct audit_report *ret_report);
void audit_report_deinit(struct audit_report *report);

#endif
