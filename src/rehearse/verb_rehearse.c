/* verb_rehearse.c: `ticketrush rehearse`: a server, a scene, a crowd; then counting, and the verdict. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "adapter/system/clock_system.h"
#include "audit/audit.h"
#include "node/verbs.h"
#include "port/crypto.h"
#include "rehearse/report.h"
#include "rehearse/scene.h"
#include "rehearse/server.h"

enum {
        PROBLEM_BYTES_MAX = 65536,
        REPORT_BYTES_MAX = 1024 * 1024,
        HOST_BYTES = 256,
        ORGANISER_SECONDS = 12 * 3600,
        ORGANISER_NODE = 251,
        LOBBY_MS = 3000, /* until the sale opens, and more for many buyers: */
        LOBBY_BUYERS_PER_MS = 8,
        ENTER_MS = 3600 * 1000, /* when everybody only enters, it does not open */
        LIVE_MS = 200,
        CPU_SAMPLE_MS = 50,
};

struct rehearsal {
        struct rehearse_options options;
        struct server server;
        struct scene scene;
        struct token_key key;
        struct acks acks;
        struct crowd *crowd;
        struct audit_report before, after; /* of the database */
        struct figures figures;
        char host[HOST_BYTES];
        bool live;
        int64_t live_at_us, sampled_at_us, cpu_start_us, cpu_end_us, client_start_us;
        struct buffer problem;
};

static int64_t now_ms(void) {
        struct clock *clock = clock_system();
        return clock->now_ms(clock);
}

static int64_t client_cpu_us(void) {
        struct rusage usage;
        getrusage(RUSAGE_SELF, &usage);
        return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
               usage.ru_stime.tv_usec;
}

/* http://HOST:PORT */
static int read_url(struct rehearsal *rehearsal) {
        static const char scheme[] = "http://";
        const char *url = rehearsal->options.url;
        bool http = strncmp(url, scheme, sizeof scheme - 1) == 0;
        struct text rest = text_of(http ? url + sizeof scheme - 1 : "");
        rest.length = strcspn(rest.at, "/");
        const char *colon = memrchr(rest.at, ':', rest.length);
        uint64_t port = 80;
        struct text host = {rest.at, colon ? (size_t)(colon - rest.at) : rest.length};
        if (colon && !text_to_number((struct text){colon + 1, rest.length - host.length - 1}, UINT16_MAX, &port))
                host.length = 0;
        if (host.length > 2 && host.at[0] == '[')
                host = (struct text){host.at + 1, host.length - 2};
        if (!host.length || host.length >= HOST_BYTES) {
                buffer_printf(&rehearsal->problem, "--url must look like http://127.0.0.1:8080, not %s", url);
                return -EINVAL;
        }
        memcpy(rehearsal->host, host.at, host.length);
        rehearsal->scene.place = (struct http_place){.host = rehearsal->host, .port = (uint16_t)port};
        return 0;
}

static int load_key(struct rehearsal *rehearsal) {
        char path[SERVER_PATH_BYTES + 32];
        if (rehearsal->options.key)
                snprintf(path, sizeof path, "%s", rehearsal->options.key);
        else
                snprintf(path, sizeof path, "%s/keys/access.key", rehearsal->server.data);
        int fault = access(path, R_OK) != 0 ? -errno : token_key_load(&rehearsal->key, path, crypto_random());
        if (fault)
                buffer_printf(&rehearsal->problem, "cannot read the key %s: %s", path, fault_text(fault));
        return fault;
}

/* The organiser of the rehearsal: a token of the operator, or an organiser's of our own making. */
static void make_organiser(struct rehearsal *rehearsal) {
        struct buffer token;
        struct id_source ids;
        buffer_init(&token, TOKEN_BYTES_MAX);
        id_source_init(&ids, ORGANISER_NODE, 0);
        if (rehearsal->options.token)
                buffer_add_string(&token, rehearsal->options.token);
        else
                token_issue(&token, &rehearsal->key, id_next(&ids, now_ms()), ROLE_ORGANISER, now_ms(),
                            ORGANISER_SECONDS);
        snprintf(rehearsal->scene.organiser, sizeof rehearsal->scene.organiser, "%.*s", (int)token.length, token.at);
        buffer_deinit(&token);
}

static int audit(struct rehearsal *rehearsal, struct audit_report *ret_report) {
        const struct audit_options options = {.at_rest = rehearsal->options.server_arg_count == 0};
        int fault = audit_run(rehearsal->server.data, &options, ret_report);
        if (fault)
                buffer_printf(&rehearsal->problem, "cannot audit %s: %s", rehearsal->server.data, fault_text(fault));
        return fault;
}

static int open_server(struct rehearsal *rehearsal) {
        if (rehearsal->options.url)
                return read_url(rehearsal);
        if (rehearsal->options.data) { /* what is there already is not of this rehearsal */
                const struct audit_options options = {0};
                int fault = audit_run(rehearsal->options.data, &options, &rehearsal->before);
                if (fault && fault != -ENOENT) {
                        buffer_printf(&rehearsal->problem, "cannot use the folder %s: %s", rehearsal->options.data,
                                      fault_text(fault));
                        return fault;
                }
        }
        int fault = server_start(&rehearsal->server, &rehearsal->options, &rehearsal->problem);
        rehearsal->scene.place = rehearsal->server.place;
        return fault;
}

static int set_scene(struct rehearsal *rehearsal) {
        const struct rehearse_options *options = &rehearsal->options;
        int fault = open_server(rehearsal);
        if (!fault && options->mode == MODE_BARE) { /* there are no seats there, and nobody looks at the token */
                rehearsal->scene.seats = (uint32_t)options->seats_per_buyer;
                return 0;
        }
        if (!fault)
                fault = load_key(rehearsal);
        if (fault)
                return fault;
        make_organiser(rehearsal);
        fault = scene_prepare(&rehearsal->scene, options, &rehearsal->problem);
        int64_t lobby_ms = options->mode == MODE_ENTER ? ENTER_MS
                           : options->lobby ? LOBBY_MS + options->arrive_ms + options->buyers / LOBBY_BUYERS_PER_MS
                                            : 0;
        if (!fault)
                fault = scene_open(&rehearsal->scene, options, now_ms(), now_ms() + lobby_ms, &rehearsal->problem);
        if (!fault && rehearsal->scene.seats < options->seats_per_buyer) {
                buffer_add_string(&rehearsal->problem, "the plan has fewer seats than one buyer wants");
                fault = -EINVAL;
        }
        return fault;
}

static void tick(void *context, struct crowd *crowd, int64_t now_us) {
        struct rehearsal *rehearsal = context;
        if (now_us - rehearsal->sampled_at_us >= CPU_SAMPLE_MS * 1000) {
                if (rehearsal->options.mode != MODE_PURCHASE || crowd->last_purchase_us >= rehearsal->sampled_at_us)
                        rehearsal->cpu_end_us = server_cpu_us(&rehearsal->server);
                rehearsal->sampled_at_us = now_us;
        }
        if (rehearsal->live && now_us - rehearsal->live_at_us >= LIVE_MS * 1000) {
                rehearsal->live_at_us = now_us;
                report_live(crowd, now_us);
        }
}

/* Modes other than purchase: everybody gets a pass first, outside of what is measured. */
static int64_t run_mode(struct rehearsal *rehearsal) {
        static const enum step steps[] = {
                [MODE_HOLD] = STEP_HOLD,       [MODE_REFUSE] = STEP_HOPELESS, [MODE_STATUS] = STEP_LINE,
                [MODE_CATALOGUE] = STEP_EVENT, [MODE_ENTER] = STEP_ENTER,     [MODE_BARE] = STEP_BARE};
        enum rehearse_mode mode = rehearsal->options.mode;
        if (mode == MODE_HOLD || mode == MODE_REFUSE || mode == MODE_STATUS)
                crowd_run(rehearsal->crowd, STEP_ENTER, 0, 0);
        rehearsal->figures.requests = engine_answers(rehearsal->crowd->engine);
        rehearsal->cpu_start_us = server_cpu_us(&rehearsal->server);
        rehearsal->client_start_us = client_cpu_us();
        return crowd_run(rehearsal->crowd, steps[mode], 0, mode == MODE_ENTER ? 0 : rehearsal->options.seconds * 1000);
}

/* From the opening, or the first arrival if that is later, to the last purchase. */
static int64_t run_sale(struct rehearsal *rehearsal) {
        struct crowd *crowd = rehearsal->crowd;
        int64_t until_open_us = (rehearsal->scene.opens_at - now_ms()) * 1000;
        rehearsal->cpu_start_us = server_cpu_us(&rehearsal->server);
        rehearsal->client_start_us = client_cpu_us();
        rehearsal->figures.requests = engine_answers(crowd->engine);
        int64_t wall_us = crowd_run(crowd, STEP_ENTER, rehearsal->options.arrive_ms, 0);
        if (crowd->last_purchase_us)
                wall_us = crowd->last_purchase_us - crowd->start_us;
        return until_open_us > 0 && wall_us > until_open_us ? wall_us - until_open_us : wall_us;
}

/* Connections are files; the own server inherits what we may have. */
static void raise_file_limit(void) {
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
                limit.rlim_cur = limit.rlim_max;
                setrlimit(RLIMIT_NOFILE, &limit);
        }
}

static int run(struct rehearsal *rehearsal) {
        struct figures *figures = &rehearsal->figures;
        int fault = acks_open(&rehearsal->acks, rehearsal->options.acks);
        if (fault) {
                buffer_printf(&rehearsal->problem, "cannot write %s: %s", rehearsal->options.acks, strerror(-fault));
                return fault;
        }
        fault = crowd_new(&rehearsal->crowd, &rehearsal->options, &rehearsal->scene, &rehearsal->key, &rehearsal->acks);
        if (fault) {
                buffer_printf(&rehearsal->problem, "cannot gather the crowd: %s", fault_text(fault));
                return fault;
        }
        if (rehearsal->options.mode != MODE_BARE)
                figures->sign_in_us = crowd_run(rehearsal->crowd, STEP_SIGN_IN, 0, 0);
        rehearsal->live = isatty(STDERR_FILENO) == 1;
        rehearsal->crowd->tick = tick;
        rehearsal->crowd->tick_context = rehearsal;
        figures->wall_us = rehearsal->options.mode == MODE_PURCHASE ? run_sale(rehearsal) : run_mode(rehearsal);
        figures->requests = engine_answers(rehearsal->crowd->engine) - figures->requests;
        figures->client_cpu_us = client_cpu_us() - rehearsal->client_start_us;
        figures->server_cpu_us = rehearsal->cpu_end_us - rehearsal->cpu_start_us;
        if (rehearsal->live)
                fputs("\r\033[K", stderr);
        return 0;
}

/* The value in a line "name 5" or "name{label=…} 5"; 0 if the line is about something else. */
static uint64_t metric_value(struct text line, const char *name) {
        size_t length = strlen(name);
        uint64_t value;
        if (line.length <= length || memcmp(line.at, name, length) != 0 ||
            (line.at[length] != ' ' && line.at[length] != '{'))
                return 0;
        const char *blank = memrchr(line.at, ' ', line.length);
        struct text digits = {blank ? blank + 1 : 0, blank ? line.length - (size_t)(blank + 1 - line.at) : 0};
        return text_to_number(digits, INT64_MAX, &value) ? value : 0;
}

/* The sum of a counter over its labels. */
static uint64_t metric_sum(struct text metrics, const char *name) {
        uint64_t sum = 0;
        for (size_t at = 0, length; at < metrics.length; at += length + 1) {
                const char *newline = memchr(metrics.at + at, '\n', metrics.length - at);
                length = newline ? (size_t)(newline - metrics.at) - at : metrics.length - at;
                sum += metric_value((struct text){metrics.at + at, length}, name);
        }
        return sum;
}

static void read_metrics(struct rehearsal *rehearsal) {
        struct buffer raw;
        struct http_answer answer;
        buffer_init(&raw, REPORT_BYTES_MAX);
        if (scene_get(&rehearsal->scene, "/metrics", &raw, &answer) == 0)
                rehearsal->figures.refused_without_write =
                        metric_sum(answer.body, "ticketrush_holds_refused_without_write_total") +
                        metric_sum(answer.body, "ticketrush_gateway_refused_total");
        buffer_deinit(&raw);
}

/* What the client knows, and, if the database can be looked at, what is true. */
static int count(struct rehearsal *rehearsal) {
        struct figures *figures = &rehearsal->figures;
        const struct crowd_counts *counts = &rehearsal->crowd->counts;
        figures->options = &rehearsal->options;
        figures->crowd = rehearsal->crowd;
        figures->seats = rehearsal->scene.seats;
        figures->sold = counts->seats_sold;
        figures->purchases = counts->purchases;
        figures->held = counts->held;
        figures->entered = counts->entered;
        figures->refunded = counts->refunded;
        if (rehearsal->options.mode != MODE_BARE)
                read_metrics(rehearsal);
        if (rehearsal->options.url || rehearsal->options.keep_server)
                return 0;
        figures->server_ended_badly = server_stop(&rehearsal->server) != 0;
        figures->server_peak_rss_bytes = rehearsal->server.peak_rss_bytes;
        int fault = audit(rehearsal, &rehearsal->after);
        if (fault)
                return fault;
        const struct audit_report *after = &rehearsal->after, *before = &rehearsal->before;
        figures->counted = true;
        figures->sold = after->sold - before->sold;
        figures->purchases = after->confirmed_orders - before->confirmed_orders;
        figures->held = after->holds - before->holds;
        figures->entered = after->line_entries - before->line_entries;
        figures->refunded = after->refunded_payments - before->refunded_payments;
        figures->oversold = after->oversold;
        figures->paid_without_seat = after->paid_without_seat;
        figures->violations = after->violations_total;
        figures->audit = buffer_text(&after->text);
        return 0;
}

static int print_report(struct rehearsal *rehearsal) {
        struct buffer out;
        buffer_init(&out, REPORT_BYTES_MAX);
        if (rehearsal->options.json)
                report_json(&rehearsal->figures, &out);
        else
                report_people(&rehearsal->figures, &out);
        fwrite(out.at, 1, out.length, stdout);
        if (rehearsal->options.keep_server && !rehearsal->options.url && !rehearsal->options.json)
                printf("  the server goes on: http://127.0.0.1:%u, process %d, data in %s\n",
                       rehearsal->server.place.port, (int)rehearsal->server.pid, rehearsal->server.data);
        buffer_deinit(&out);
        return figures_good(&rehearsal->figures) ? EXIT_DONE : EXIT_NO;
}

static void tidy_up(struct rehearsal *rehearsal) {
        rehearsal->crowd = crowd_free(rehearsal->crowd);
        if (!rehearsal->options.keep_server) {
                server_stop(&rehearsal->server);
                server_close(&rehearsal->server);
        }
        audit_report_deinit(&rehearsal->before);
        audit_report_deinit(&rehearsal->after);
        scene_deinit(&rehearsal->scene);
        acks_close(&rehearsal->acks);
        buffer_deinit(&rehearsal->problem);
}

static int help(void) {
        struct buffer out;
        buffer_init(&out, PROBLEM_BYTES_MAX);
        options_help(&out);
        printf("usage: ticketrush rehearse [flags]\n\nA dress rehearsal: sends a crowd of buyers through a whole sale "
               "over HTTP, counts in the database what\n"
               "was sold, and audits it. Starts a server of its own unless --url names one.\n\n%.*s\n"
               "exit codes: 0 all went well, 1 it went wrong, 2 used wrongly, 3 could not be done\n",
               (int)out.length, out.at);
        buffer_deinit(&out);
        return EXIT_DONE;
}

int verb_rehearse(int argc, char **argv) {
        struct rehearsal rehearsal = {.acks.fd = -1, .server.output = -1};
        buffer_init(&rehearsal.problem, PROBLEM_BYTES_MAX);
        signal(SIGPIPE, SIG_IGN);
        raise_file_limit();
        enum options_outcome outcome = options_read(&rehearsal.options, argc, argv, &rehearsal.problem);
        int code = EXIT_USAGE;
        if (outcome == OPTIONS_HELP) {
                code = help();
        } else if (outcome == OPTIONS_REFUSED) {
                fprintf(stderr, "%.*s", (int)rehearsal.problem.length, rehearsal.problem.at);
        } else {
                int fault = crypto_start();
                if (!fault)
                        fault = set_scene(&rehearsal);
                if (!fault)
                        fault = run(&rehearsal);
                if (!fault)
                        fault = count(&rehearsal);
                if (fault)
                        fprintf(stderr, "ticketrush rehearse: %.*s\n", (int)rehearsal.problem.length,
                                rehearsal.problem.at);
                code = fault ? EXIT_CANNOT : print_report(&rehearsal);
        }
        tidy_up(&rehearsal);
        return code;
}
