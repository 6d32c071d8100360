/* report.c: see report.h. Rates are of what is durable: what the database holds, not what the client believes. */
#include "rehearse/report.h"

#include <stdio.h>

#include "base/json_writer.h"

bool figures_good(const struct figures *figures) {
        return !figures->crowd->counts.errors && !figures->oversold && !figures->paid_without_seat &&
               !figures->violations && !figures->server_ended_badly;
}

static double per_second(uint64_t count, int64_t us) {
        return us > 0 ? (double)count * 1e6 / (double)us : 0;
}

/* What this mode is about, and how often it was done. */
static uint64_t done(const struct figures *figures) {
        switch (figures->options->mode) {
        case MODE_PURCHASE:
                return figures->purchases;
        case MODE_HOLD:
                return figures->held;
        case MODE_ENTER:
                return figures->entered;
        default:
                return figures->requests;
        }
}

static void write_latency(struct json_writer *json, const char *name, const struct histogram *histogram) {
        json_object(json, name);
        json_number(json, "count", (int64_t)histogram->count);
        json_real(json, "p50", (double)histogram_quantile(histogram, 500) / 1000);
        json_real(json, "p95", (double)histogram_quantile(histogram, 950) / 1000);
        json_real(json, "p99", (double)histogram_quantile(histogram, 990) / 1000);
        json_real(json, "max", (double)histogram->max / 1000);
        json_object_end(json);
}

static void write_latencies(struct json_writer *json, const struct crowd *crowd) {
        json_object(json, "latencyMs");
        write_latency(json, "enter", &crowd->steps[STEP_ENTER]);
        write_latency(json, "waiting", &crowd->waiting);
        write_latency(json, "hold", &crowd->steps[STEP_HOLD]);
        write_latency(json, "order", &crowd->steps[STEP_ORDER]);
        write_latency(json, "pay", &crowd->steps[STEP_PAY]);
        write_latency(json, "tickets", &crowd->steps[STEP_TICKETS]);
        write_latency(json, "shopping", &crowd->shopping);
        write_latency(json, "purchase", &crowd->purchase);
        json_object_end(json);
}

/* What was done in each whole second. */
static void write_series(struct json_writer *json, const struct crowd *crowd) {
        unsigned last = SERIES_SECONDS;
        while (last && !crowd->series[last - 1])
                last--;
        json_array(json, "bySecond");
        for (unsigned i = 0; i < last; i++)
                json_number(json, 0, crowd->series[i]);
        json_array_end(json);
}

static void write_crowd(struct json_writer *json, const struct crowd_counts *counts) {
        json_number(json, "errors", (int64_t)counts->errors);
        json_number(json, "admitted", (int64_t)counts->admitted);
        json_number(json, "wentHome", (int64_t)counts->went_home);
        json_number(json, "abandoned", (int64_t)counts->abandoned);
        json_number(json, "declined", (int64_t)counts->declined);
        json_number(json, "clashes", (int64_t)counts->clashes);
        json_number(json, "retries", (int64_t)counts->repeats);
        json_number(json, "doubleClicks", (int64_t)counts->double_clicks);
        json_number(json, "throttled", (int64_t)counts->throttled);
        json_number(json, "lost", (int64_t)counts->lost);
}

void report_json(const struct figures *figures, struct buffer *out) {
        struct json_writer json;
        json_begin(&json, out);
        json_object(&json, 0);
        json_string(&json, "mode", rehearse_mode_names[figures->options->mode]);
        json_number(&json, "seats", figures->seats);
        json_number(&json, "buyers", figures->crowd->count);
        json_number(&json, "connections", figures->options->connections);
        json_number(&json, "sold", (int64_t)figures->sold);
        json_number(&json, "purchases", (int64_t)figures->purchases);
        json_number(&json, "holds", (int64_t)figures->held);
        json_number(&json, "entered", (int64_t)figures->entered);
        json_number(&json, "oversold", (int64_t)figures->oversold);
        json_number(&json, "paidWithoutSeat", (int64_t)figures->paid_without_seat);
        json_number(&json, "refunded", (int64_t)figures->refunded);
        json_number(&json, "refusedWithoutWrite", (int64_t)figures->refused_without_write);
        write_crowd(&json, &figures->crowd->counts);
        json_string(&json, "firstError", *figures->crowd->first_error ? figures->crowd->first_error : 0);
        json_number(&json, "requests", (int64_t)figures->requests);
        json_real(&json, "wallSeconds", (double)figures->wall_us / 1e6);
        json_real(&json, "signInSeconds", (double)figures->sign_in_us / 1e6);
        json_real(&json, "purchasesPerSecond", per_second(figures->purchases, figures->wall_us));
        json_real(&json, "perSecond", per_second(done(figures), figures->wall_us));
        write_series(&json, figures->crowd);
        write_latencies(&json, figures->crowd);
        json_number(&json, "serverPeakRssBytes", figures->server_peak_rss_bytes);
        json_real(&json, "serverCpuSeconds", (double)figures->server_cpu_us / 1e6);
        json_real(&json, "clientCpuSeconds", (double)figures->client_cpu_us / 1e6);
        double purchases = figures->purchases ? (double)figures->purchases : 1,
               count = done(figures) ? (double)done(figures) : 1;
        json_real(&json, "serverCpuMsPerPurchase",
                  figures->purchases ? (double)figures->server_cpu_us / 1e3 / purchases : 0);
        json_real(&json, "serverCpuMsEach", (double)figures->server_cpu_us / 1e3 / count);
        if (figures->counted)
                json_bool(&json, "auditOk", figures->violations == 0);
        else
                json_null(&json, "auditOk");
        json_object_end(&json);
        buffer_add_string(out, "\n");
}

static void page_latency(struct buffer *out, const char *name, const struct histogram *histogram) {
        if (histogram->count)
                buffer_printf(out, "  %-10s %9.1f %9.1f %9.1f %9.1f\n", name,
                              (double)histogram_quantile(histogram, 500) / 1000,
                              (double)histogram_quantile(histogram, 950) / 1000,
                              (double)histogram_quantile(histogram, 990) / 1000, (double)histogram->max / 1000);
}

static void page_latencies(struct buffer *out, const struct crowd *crowd) {
        buffer_printf(out, "\n  latency ms       p50       p95       p99       max\n");
        page_latency(out, "enter", &crowd->steps[STEP_ENTER]);
        page_latency(out, "in line", &crowd->waiting);
        page_latency(out, "status", &crowd->steps[STEP_LINE]);
        page_latency(out, "hold", &crowd->steps[STEP_HOLD]);
        page_latency(out, "order", &crowd->steps[STEP_ORDER]);
        page_latency(out, "pay", &crowd->steps[STEP_PAY]);
        page_latency(out, "tickets", &crowd->steps[STEP_TICKETS]);
        page_latency(out, "purchase", &crowd->purchase);
}

static void page_verdict(const struct figures *figures, struct buffer *out) {
        if (figures->counted)
                buffer_printf(out, "\n  oversold %llu, paid without a seat %llu, refunded %llu; audit: %s\n",
                              (unsigned long long)figures->oversold, (unsigned long long)figures->paid_without_seat,
                              (unsigned long long)figures->refunded,
                              figures->violations ? "VIOLATIONS" : "all eight invariants hold");
        else
                buffer_printf(out, "\n  not counted in the database: its server is still running\n");
        if (figures->violations)
                buffer_add_text(out, figures->audit);
        if (figures->crowd->counts.errors)
                buffer_printf(out, "  %llu ERRORS, the first: %s\n", (unsigned long long)figures->crowd->counts.errors,
                              figures->crowd->first_error);
        if (figures->server_ended_badly)
                buffer_add_string(out, "  the server did not stop as it should\n");
        buffer_printf(out, "  %s\n", figures_good(figures) ? "all went well" : "THIS WENT WRONG");
}

void report_people(const struct figures *figures, struct buffer *out) {
        const struct crowd_counts *counts = &figures->crowd->counts;
        double wall = (double)figures->wall_us / 1e6;
        buffer_printf(out, "  %u seats, %u buyers, %lld connections\n", figures->seats, figures->crowd->count,
                      (long long)figures->options->connections);
        if (figures->options->mode == MODE_PURCHASE)
                buffer_printf(out, "  %llu seats sold in %llu purchases in %.2f s: %.0f purchases/s\n",
                              (unsigned long long)figures->sold, (unsigned long long)figures->purchases, wall,
                              per_second(figures->purchases, figures->wall_us));
        else
                buffer_printf(out, "  %llu times in %.2f s: %.0f/s\n", (unsigned long long)done(figures), wall,
                              per_second(done(figures), figures->wall_us));
        buffer_printf(out,
                      "  %llu went home without, %llu abandoned, %llu were declined, %llu clashed over a seat, %llu "
                      "sent a command again,\n"
                      "  %llu clicked twice; %llu times the server was full\n",
                      (unsigned long long)counts->went_home, (unsigned long long)counts->abandoned,
                      (unsigned long long)counts->declined, (unsigned long long)counts->clashes,
                      (unsigned long long)counts->repeats, (unsigned long long)counts->double_clicks,
                      (unsigned long long)counts->throttled);
        buffer_printf(out, "  server: %.2f s of CPU, %.0f MB at most; client: %.2f s of CPU; signing in took %.2f s\n",
                      (double)figures->server_cpu_us / 1e6, (double)figures->server_peak_rss_bytes / 1048576,
                      (double)figures->client_cpu_us / 1e6, (double)figures->sign_in_us / 1e6);
        page_latencies(out, figures->crowd);
        page_verdict(figures, out);
}

void report_live(const struct crowd *crowd, int64_t now_us) {
        const struct crowd_counts *counts = &crowd->counts;
        double seconds = (double)(now_us - crowd->start_us) / 1e6;
        uint64_t waiting = counts->entered > counts->admitted ? counts->entered - counts->admitted : 0;
        fprintf(stderr,
                "\r\033[K%6.1f s  in line %llu  shopping %u  held %llu  sold %llu of %u seats  %.1f M  %.0f "
                "purchases/s",
                seconds, (unsigned long long)waiting, engine_busy(crowd->engine), (unsigned long long)counts->held,
                (unsigned long long)counts->seats_sold, crowd->choice.seats, (double)counts->money / 1e6,
                seconds > 0 ? (double)counts->purchases / seconds : 0);
}
