/* audit.c: opens the database read-only, reads it once, judges, and writes the report. */
#include "audit/audit.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "adapter/sqlite/db_sqlite.h"
#include "audit/audit_model.h"
#include "base/assert.h"
#include "base/json_writer.h"

enum { REPORT_BYTES_MAX = 4 * 1024 * 1024, LINE_BYTES = 512, PATH_BYTES = 4096 };

static const char *const promises[AUDIT_INVARIANTS + 1] = {
        "",
        "a seat is sold at most once and held by at most one hold",
        "what was acknowledged is there",
        "every captured won ends in a ticket or in a full refund",
        "a group hold has all its seats or none",
        "nobody exceeds the cap",
        "places never get worse, passes never exceed capacity, no pass, no hold",
        "every event takes effect exactly once",
        "available + held + sold + blocked = seats",
};

void audit_found(struct audit *audit, unsigned invariant, const char *format, ...) {
        struct audit_report *report = audit->report;
        char line[LINE_BYTES];
        va_list arguments;
        PRE(invariant >= 1 && invariant <= AUDIT_INVARIANTS);
        report->violations[invariant]++;
        report->violations_total++;
        if (audit->findings_written == AUDIT_FINDINGS_MAX)
                return;
        audit->findings_written++;
        va_start(arguments, format);
        vsnprintf(line, sizeof line, format, arguments);
        va_end(arguments);
        if (audit->options->json) {
                /* findings become the array that the report ends with */
                struct json_writer json;
                buffer_add_string(&report->text, audit->findings_written == 1 ? "" : ",");
                json_begin(&json, &report->text);
                json_object(&json, 0);
                json_number(&json, "invariant", invariant);
                json_string(&json, "finding", line);
                json_object_end(&json);
        } else {
                buffer_printf(&report->text, "I%u  %s\n", invariant, line);
        }
}

static void write_json(struct audit_report *report) {
        struct buffer findings = report->text;
        struct json_writer json;
        buffer_init(&report->text, REPORT_BYTES_MAX);
        json_begin(&json, &report->text);
        json_object(&json, 0);
        json_bool(&json, "ok", report->violations_total == 0);
        json_object(&json, "violations");
        for (unsigned i = 1; i <= AUDIT_INVARIANTS; i++) {
                char name[4] = {'I', (char)('0' + i), 0, 0};
                json_number(&json, name, (int64_t)report->violations[i]);
        }
        json_object_end(&json);
        const struct {
                const char *name;
                int64_t value;
        } figures[] = {
                {"seats", (int64_t)report->seats},
                {"available", (int64_t)report->available},
                {"held", (int64_t)report->held},
                {"sold", (int64_t)report->sold},
                {"blocked", (int64_t)report->blocked},
                {"holds", (int64_t)report->holds},
                {"orders", (int64_t)report->orders},
                {"confirmedOrders", (int64_t)report->confirmed_orders},
                {"payments", (int64_t)report->payments},
                {"capturedPayments", (int64_t)report->captured_payments},
                {"refundedPayments", (int64_t)report->refunded_payments},
                {"tickets", (int64_t)report->tickets},
                {"lineEntries", (int64_t)report->line_entries},
                {"events", (int64_t)report->events},
                {"oversold", (int64_t)report->oversold},
                {"paidWithoutSeat", (int64_t)report->paid_without_seat},
                {"captured", report->captured},
                {"refunded", report->refunded},
        };
        for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
                json_number(&json, figures[i].name, figures[i].value);
        buffer_add_string(&report->text, ",\"findings\":[");
        buffer_add_text(&report->text, buffer_text(&findings));
        buffer_add_string(&report->text, "]}");
        buffer_deinit(&findings);
}

static void write_text(struct audit_report *report) {
        struct buffer *out = &report->text;
        for (unsigned i = 1; i <= AUDIT_INVARIANTS; i++)
                buffer_printf(out, "I%u  %-9s %s\n", i, report->violations[i] ? "VIOLATED" : "holds", promises[i]);
        buffer_printf(out,
                      "%llu seats: %llu available, %llu held, %llu sold, %llu blocked; %llu holds, %llu orders (%llu "
                      "confirmed), "
                      "%llu payments (%llu captured, %llu refunded), %llu tickets, %llu line entries, %llu events\n",
                      (unsigned long long)report->seats, (unsigned long long)report->available,
                      (unsigned long long)report->held, (unsigned long long)report->sold,
                      (unsigned long long)report->blocked, (unsigned long long)report->holds,
                      (unsigned long long)report->orders, (unsigned long long)report->confirmed_orders,
                      (unsigned long long)report->payments, (unsigned long long)report->captured_payments,
                      (unsigned long long)report->refunded_payments, (unsigned long long)report->tickets,
                      (unsigned long long)report->line_entries, (unsigned long long)report->events);
        buffer_printf(out, "%s\n",
                      report->violations_total ? "The audit found violations." : "The audit found nothing.");
}

static int judge(struct audit *audit, struct db *db) {
        struct audit_model *model = &audit->model;
        struct audit_report *report = audit->report;
        int fault = audit_load(audit, db);
        if (!fault)
                fault = audit_journal(audit, db);
        if (!fault) {
                audit_seats(audit);
                fault = audit_lines(audit);
        }
        if (fault)
                return fault;
        report->holds = model->hold_count;
        report->orders = model->order_count;
        report->payments = model->payment_count;
        report->tickets = model->ticket_count;
        report->line_entries = model->entry_count;
        report->events = model->event_count;
        audit_money(audit);
        return 0;
}

int audit_run(const char *data, const struct audit_options *options, struct audit_report *ret_report) {
        char path[PATH_BYTES];
        struct stat about;
        struct db *db = 0;
        struct audit_report report = {0};
        struct audit audit = {.report = &report, .options = options};
        snprintf(path, sizeof path, "%s/ticketrush.db", data);
        if (stat(path, &about) != 0)
                return -errno;
        int fault = db_sqlite_open(&db, path, &(struct db_sqlite_options){.read_only = true});
        if (fault)
                return fault;
        buffer_init(&report.text, REPORT_BYTES_MAX);
        fault = judge(&audit, db);
        audit_unload(&audit.model);
        db_close(db);
        if (fault) {
                audit_report_deinit(&report);
                return fault;
        }
        if (options->json)
                write_json(&report);
        else
                write_text(&report);
        *ret_report = report;
        return 0;
}

void audit_report_deinit(struct audit_report *report) {
        buffer_deinit(&report->text);
}
