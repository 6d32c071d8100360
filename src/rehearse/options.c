/* options.c: the table of flags, and what follows from the ones that were given. */
#include "rehearse/options.h"

#include "service/limits.h"

enum kind { KIND_NUMBER, KIND_TEXT, KIND_SWITCH, KIND_SERVER_ARG };

struct flag {
        const char *name;
        enum kind kind;
        size_t offset;
        int64_t initial, min, max;
        const char *help;
};

#define AT(member) offsetof(struct rehearse_options, member)
static const struct flag flags[] = {
        {"seats", KIND_NUMBER, AT(seats), 5000, 1, PLAN_SEATS_MAX, "seats of the generated plan"},
        {"buyers", KIND_NUMBER, AT(buyers), 0, 0, 5000000, "people who come (0: a fifth more than seats)"},
        {"seats-per-buyer", KIND_NUMBER, AT(seats_per_buyer), 2, 1, HOLD_SEATS_MAX / 2, "seats each of them wants"},
        {"arrive-seconds", KIND_TEXT, AT(arrive), 0, 0, 0,
         "they arrive evenly over so many seconds, such as 2.5 (default: 2)"},
        {"lobby", KIND_SWITCH, AT(lobby), 0, 0, 0, "everybody is there before the sale opens, and the order is drawn"},
        {"connections", KIND_NUMBER, AT(connections), 512, 1, 20000,
         "keep-alive connections that their requests travel on"},
        {"line-capacity", KIND_NUMBER, AT(line_capacity), 20000, 1, LINE_CAPACITY_MAX, "passes in use at once"},
        {"hold-seconds", KIND_NUMBER, AT(hold_seconds), HOLD_SECONDS_MIN, HOLD_SECONDS_MIN, HOLD_SECONDS_MAX,
         "time of a hold"},
        {"pass-seconds", KIND_NUMBER, AT(pass_seconds), 120, PASS_SECONDS_MIN, PASS_SECONDS_MAX, "time of a pass"},
        {"share-change", KIND_NUMBER, AT(share_change), 20, 0, 1000, "of 1,000 buyers: change their seats"},
        {"share-abandon", KIND_NUMBER, AT(share_abandon), 30, 0, 1000,
         "of 1,000: give their seats back, or just go away"},
        {"share-decline", KIND_NUMBER, AT(share_decline), 20, 0, 1000,
         "of 1,000: their card is declined (own server only)"},
        {"share-retry", KIND_NUMBER, AT(share_retry), 20, 0, 1000, "of 1,000: send a command again with the same key"},
        {"share-double-click", KIND_NUMBER, AT(share_double_click), 20, 0, 1000,
         "of 1,000: send a command twice at once"},
        {"share-clash", KIND_NUMBER, AT(share_clash), 30, 0, 1000, "of 1,000: first try seats that may be taken"},
        {"plain", KIND_SWITCH, AT(plain), 0, 0, 0, "all these shares are 0"},
        {"plan", KIND_TEXT, AT(plan), 0, 0, 0, "a seating plan file instead of a generated one"},
        {"data", KIND_TEXT, AT(data), 0, 0, 0,
         "folder for the server's data, kept afterwards (default: one that is removed)"},
        {"url", KIND_TEXT, AT(url), 0, 0, 0,
         "a server that is running, such as http://127.0.0.1:8080, instead of an own one"},
        {"key", KIND_TEXT, AT(key), 0, 0, 0,
         "with --url: keys/access.key of its data folder, to sign the buyers' tokens"},
        {"token", KIND_TEXT, AT(token), 0, 0, 0, "with --url: the operator's token (default: one signed with --key)"},
        {"seed", KIND_NUMBER, AT(seed), 1, 0, INT64_MAX, "of everything that is random"},
        {"mode", KIND_TEXT, AT(mode_name), 0, 0, 0,
         "purchase, hold, refuse, status, catalogue, enter or bare (default: purchase)"},
        {"seconds", KIND_NUMBER, AT(seconds), 5, 1, 3600, "how long the modes other than purchase last"},
        {"acks", KIND_TEXT, AT(acks), 0, 0, 0, "append every acknowledged answer to this file, one JSON line each"},
        {"keep-server", KIND_SWITCH, AT(keep_server), 0, 0, 0,
         "let the own server run on afterwards; nothing is counted in its database"},
        {"server-arg", KIND_SERVER_ARG, 0, 0, 0, 0,
         "an argument for the own server, such as --edges=2; may be repeated"},
        {"json", KIND_SWITCH, AT(json), 0, 0, 0, "print the figures as one line of JSON"},
};
enum { FLAGS = sizeof flags / sizeof flags[0] };

const char *const rehearse_mode_names[REHEARSE_MODES] = {"purchase",  "hold",  "refuse", "status",
                                                         "catalogue", "enter", "bare"};

static const struct flag *flag_named(const char *name, size_t length) {
        for (size_t i = 0; i < FLAGS; i++)
                if (strlen(flags[i].name) == length && !memcmp(flags[i].name, name, length))
                        return &flags[i];
        return 0;
}

static void assign(struct rehearse_options *options, const struct flag *flag, const char *value,
                   struct buffer *problems) {
        char *at = (char *)options + flag->offset;
        uint64_t number;
        switch (flag->kind) {
        case KIND_TEXT:
                *(const char **)(void *)at = value;
                break;
        case KIND_SWITCH:
                *(bool *)at = true;
                break;
        case KIND_SERVER_ARG:
                if (options->server_arg_count == OPTIONS_SERVER_ARGS_MAX)
                        buffer_printf(problems, "--server-arg can be given %d times at most\n",
                                      OPTIONS_SERVER_ARGS_MAX);
                else
                        options->server_args[options->server_arg_count++] = value;
                break;
        case KIND_NUMBER:
                if (!text_to_number(text_of(value), (uint64_t)flag->max, &number) || (int64_t)number < flag->min)
                        buffer_printf(problems, "--%s must be a whole number from %lld to %lld, not \"%s\"\n",
                                      flag->name, (long long)flag->min, (long long)flag->max, value);
                else
                        *(int64_t *)(void *)at = (int64_t)number;
                break;
        }
}

static bool read_flags(struct rehearse_options *options, int argc, char **argv, struct buffer *problems) {
        bool help = false;
        for (int i = 0; i < argc; i++) {
                const char *word = argv[i], *equals = strchr(word, '=');
                if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
                        help = true;
                        continue;
                }
                size_t length = strncmp(word, "--", 2) ? 0 : equals ? (size_t)(equals - word) - 2 : strlen(word) - 2;
                const struct flag *flag = length ? flag_named(word + 2, length) : 0;
                const char *value = equals ? equals + 1 : 0;
                if (flag && flag->kind != KIND_SWITCH && !value)
                        value = i + 1 < argc ? argv[++i] : 0;
                if (!flag)
                        buffer_printf(problems, "there is no flag \"%s\" (see ticketrush rehearse --help)\n", word);
                else if (flag->kind == KIND_SWITCH ? value != 0 : value == 0)
                        buffer_printf(problems, "--%s %s\n", flag->name, value ? "takes no value" : "needs a value");
                else
                        assign(options, flag, value, problems);
        }
        return help;
}

/* "2", "0.25": up to three decimals. */
static bool read_milliseconds(const char *value, int64_t *ret_ms) {
        const char *point = strchr(value, '.');
        struct text whole = {value, point ? (size_t)(point - value) : strlen(value)};
        struct text fraction = point ? text_of(point + 1) : TEXT("0");
        uint64_t seconds, part;
        if (fraction.length > 3 || !text_to_number(whole, 86400, &seconds) || !text_to_number(fraction, 999, &part))
                return false;
        for (size_t i = fraction.length; i < 3; i++)
                part *= 10;
        *ret_ms = (int64_t)(seconds * 1000 + part);
        return true;
}

static void conclude(struct rehearse_options *options, struct buffer *problems) {
        if (options->arrive && !read_milliseconds(options->arrive, &options->arrive_ms))
                buffer_printf(problems, "--arrive-seconds must be a number such as 2 or 0.25, not \"%s\"\n",
                              options->arrive);
        unsigned mode = 0, modes = REHEARSE_MODES;
        while (options->mode_name && mode < modes && strcmp(rehearse_mode_names[mode], options->mode_name))
                mode++;
        if (mode == modes)
                buffer_printf(problems,
                              "--mode must be purchase, hold, refuse, status, catalogue, enter or bare, not \"%s\"\n",
                              options->mode_name);
        options->mode = (enum rehearse_mode)mode;
        bool bare = mode == MODE_BARE;
        if (bare && !options->url)
                buffer_add_string(problems, "--mode bare needs --url\n");
        if (options->url && !options->key && !bare)
                buffer_add_string(problems, "--url needs --key: keys/access.key of that server's data folder\n");
        if (!options->url && (options->key || options->token))
                buffer_add_string(problems, "--key and --token are for --url; an own server has its own key\n");
        if (options->plain)
                options->share_change = options->share_abandon = options->share_decline = options->share_retry =
                        options->share_double_click = options->share_clash = 0;
        if (options->buyers == 0)
                options->buyers = options->seats + (options->seats + 4) / 5;
        if (options->mode != MODE_PURCHASE && options->mode != MODE_ENTER)
                options->buyers = options->connections;
        if (options->connections > options->buyers)
                options->connections = options->buyers;
}

enum options_outcome options_read(struct rehearse_options *ret_options, int argc, char **argv,
                                  struct buffer *problems) {
        struct rehearse_options options = {.arrive_ms = 2000, .mode_name = rehearse_mode_names[MODE_PURCHASE]};
        for (size_t i = 0; i < FLAGS; i++)
                if (flags[i].kind == KIND_NUMBER)
                        *(int64_t *)(void *)((char *)&options + flags[i].offset) = flags[i].initial;
        bool help = read_flags(&options, argc, argv, problems);
        conclude(&options, problems);
        *ret_options = options;
        return help ? OPTIONS_HELP : problems->length ? OPTIONS_REFUSED : OPTIONS_OK;
}

void options_help(struct buffer *out) {
        for (size_t i = 0; i < FLAGS; i++) {
                buffer_printf(out, "  --%-20s %s", flags[i].name, flags[i].help);
                if (flags[i].kind == KIND_NUMBER && flags[i].initial)
                        buffer_printf(out, " (default: %lld)", (long long)flags[i].initial);
                buffer_add_string(out, "\n");
        }
}
