/* config.c: one table of settings; see config.h for the order of the sources. */
#include "node/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "adapter/pay_fake/pay_fake.h"
#include "base/assert.h"
#include "service/limits.h"

enum kind { KIND_TEXT, KIND_NUMBER, KIND_SWITCH };

struct setting {
        const char *name;
        enum kind kind;
        size_t offset;
        const char *initial;
        int64_t min, max;
        const char *help;
};

#define AT(member) offsetof(struct config, member)
static const struct setting settings[] = {
        {"data", KIND_TEXT, AT(data), "data", 1, 0, "folder of the database and the keys; made if missing"},
        {"listen", KIND_TEXT, AT(listen), "127.0.0.1:8080", 1, 0, "HOST:PORT to serve on; port 0 takes a free one"},
        {"edges", KIND_NUMBER, AT(edges), "0", 0, 64, "event loops; 0: one less than there are cores, at least one"},
        {"connections", KIND_NUMBER, AT(connections), "65536", 16, 1000000, "open connections at once; then 503"},
        {"log-level", KIND_TEXT, AT(log_level), "info", 1, 0, "debug, info, warning or alarm"},
        {"organiser-sign-up", KIND_TEXT, AT(organiser_sign_up), "closed", 1, 0,
         "open: anyone may sign up as an organiser; closed: an operator names them"},
        {"sign-in-per-minute", KIND_NUMBER, AT(sign_in_per_minute), "10", 0, 1000000,
         "sign-ups and log-ins per minute and address; 0: no limit"},
        {"commands-per-minute", KIND_NUMBER, AT(commands_per_minute), "300", 0, 1000000,
         "holds, orders and payments per minute and account; 0: no limit"},
        {"pay-trouble", KIND_TEXT, AT(pay_trouble), "", 0, 0,
         "how the built-in provider misbehaves: trouble:permille[:delay-ms[:times]],… (docs/payments.md)"},
        {"pay-token-trouble", KIND_SWITCH, AT(pay_token_trouble), "no", 0, 0,
         "let a payment's token choose the trouble; for rehearsals and tests, never in production"},
        {"pay-workers", KIND_NUMBER, AT(pay_workers), "2", 1, 64, "threads that talk to the payment provider"},
        {"drain-seconds", KIND_NUMBER, AT(drain_seconds), "10", 0, 600, "how long a stop waits for requests in flight"},
        {"demo", KIND_SWITCH, AT(demo), "no", 0, 0, "make a demo organiser, venue and events at the first start"},
        {"config", KIND_TEXT, AT(config_file), "", 0, 0, "a file of name = value lines"},
        {"check-config", KIND_SWITCH, AT(check_config), "no", 0, 0,
         "say what is wrong with the configuration, and exit"},
};
enum { SETTINGS = sizeof settings / sizeof settings[0] };

static const struct setting *setting_named(const char *name, size_t length) {
        for (size_t i = 0; i < SETTINGS; i++)
                if (strlen(settings[i].name) == length && memcmp(settings[i].name, name, length) == 0)
                        return &settings[i];
        return 0;
}

/* What says where to read, or what to do, and not how to serve. */
static bool is_flag_only(const struct setting *setting) {
        return setting->offset == AT(config_file) || setting->offset == AT(check_config);
}

static void assign_number(struct config *config, const struct setting *setting, const char *source, const char *value,
                          struct buffer *problems) {
        uint64_t number;
        if (!text_to_number(text_of(value), (uint64_t)setting->max, &number) || (int64_t)number < setting->min) {
                buffer_printf(problems, "%s: %s must be a whole number from %lld to %lld, not \"%s\"\n", source,
                              setting->name, (long long)setting->min, (long long)setting->max, value);
                return;
        }
        *(int64_t *)(void *)((char *)config + setting->offset) = (int64_t)number;
}

static void assign(struct config *config, const struct setting *setting, const char *source, const char *value,
                   struct buffer *problems) {
        char *at = (char *)config + setting->offset;
        size_t length = strlen(value);
        if (length >= CONFIG_VALUE_MAX) {
                buffer_printf(problems, "%s: %s is longer than %d bytes\n", source, setting->name,
                              CONFIG_VALUE_MAX - 1);
        } else if (setting->kind == KIND_NUMBER) {
                assign_number(config, setting, source, value, problems);
        } else if (setting->kind == KIND_SWITCH) {
                bool yes = !strcmp(value, "yes") || !strcmp(value, "true") || !strcmp(value, "1");
                bool no = !strcmp(value, "no") || !strcmp(value, "false") || !strcmp(value, "0");
                if (!yes && !no)
                        buffer_printf(problems, "%s: %s must be yes or no, not \"%s\"\n", source, setting->name, value);
                else
                        *(bool *)at = yes;
        } else if ((int64_t)length < setting->min) {
                buffer_printf(problems, "%s: %s must not be empty\n", source, setting->name);
        } else {
                memcpy(at, value, length + 1);
        }
}

static char *trimmed(char *text) {
        while (isspace((unsigned char)*text))
                text++;
        size_t length = strlen(text);
        while (length && isspace((unsigned char)text[length - 1]))
                text[--length] = 0;
        return text;
}

static void read_line(struct config *config, char *line, const char *source, struct buffer *problems) {
        line[strcspn(line, "#")] = 0;
        line = trimmed(line);
        if (!*line)
                return;
        char *equals = strchr(line, '=');
        if (!equals) {
                buffer_printf(problems, "%s: \"%s\" is not name = value\n", source, line);
                return;
        }
        *equals = 0;
        char *name = trimmed(line);
        const struct setting *setting = setting_named(name, strlen(name));
        if (!setting)
                buffer_printf(problems, "%s: there is no setting \"%s\" (see ticketrush serve --help)\n", source, name);
        else if (is_flag_only(setting))
                buffer_printf(problems, "%s: %s can be given as a flag only\n", source, setting->name);
        else
                assign(config, setting, source, trimmed(equals + 1), problems);
}

static void read_file(struct config *config, struct buffer *problems) {
        static char content[CONFIG_FILE_BYTES_MAX + 1];
        int file = open(config->config_file, O_RDONLY | O_CLOEXEC);
        ssize_t length = file < 0 ? -1 : read(file, content, sizeof content);
        if (file >= 0)
                close(file);
        if (length < 0 || (size_t)length > CONFIG_FILE_BYTES_MAX) {
                buffer_printf(problems, "--config: cannot read %s: %s\n", config->config_file,
                              length < 0 ? strerror(errno) : "it is larger than 64 KiB");
                return;
        }
        if (memchr(content, 0, (size_t)length)) {
                buffer_printf(problems, "--config: %s has a NUL byte in it: it is not a text\n", config->config_file);
                return;
        }
        content[length] = 0;
        unsigned number = 1;
        for (char *line = content, *end; line; line = end ? end + 1 : 0, number++) {
                char source[CONFIG_VALUE_MAX + 16];
                end = strchr(line, '\n');
                if (end)
                        *end = 0;
                snprintf(source, sizeof source, "%s:%u", config->config_file, number);
                read_line(config, line, source, problems);
        }
}

static void read_environment(struct config *config, char **environment, struct buffer *problems) {
        static const char prefix[] = "TICKETRUSH_";
        for (; environment && *environment; environment++) {
                char name[64], *equals = strchr(*environment, '=');
                if (strncmp(*environment, prefix, sizeof prefix - 1) != 0 || !equals)
                        continue;
                size_t length = (size_t)(equals - *environment) - (sizeof prefix - 1);
                if (length >= sizeof name)
                        length = sizeof name - 1;
                for (size_t i = 0; i < length; i++) {
                        char letter = (*environment)[sizeof prefix - 1 + i];
                        name[i] = letter == '_' ? '-' : (char)tolower((unsigned char)letter);
                }
                name[length] = 0;
                const struct setting *setting = setting_named(name, length);
                if (setting && is_flag_only(setting))
                        buffer_printf(problems, "environment: %s can be given as a flag only\n", setting->name);
                else if (setting)
                        assign(config, setting, "environment", equals + 1, problems);
                else
                        buffer_printf(problems, "environment: there is no setting for %s%.*s\n", prefix, (int)length,
                                      *environment + sizeof prefix - 1);
        }
}

/* Flags are read twice: once for --config alone, since the file is weaker than the other flags. */
static bool read_flags(struct config *config, int argc, char **argv, bool only_file, struct buffer *problems) {
        bool help = false;
        for (int i = 0; i < argc; i++) {
                const char *flag = argv[i];
                if (!strcmp(flag, "--help") || !strcmp(flag, "-h")) {
                        help = true;
                        continue;
                }
                const char *equals = strchr(flag, '=');
                size_t length = strncmp(flag, "--", 2) ? 0 : equals ? (size_t)(equals - flag) - 2 : strlen(flag) - 2;
                const struct setting *setting = length ? setting_named(flag + 2, length) : 0;
                const char *value = equals ? equals + 1 : 0;
                if (setting && !value)
                        value = setting->kind == KIND_SWITCH ? "yes" : i + 1 < argc ? argv[++i] : 0;
                bool is_file = setting && setting->offset == AT(config_file);
                if (only_file ? !is_file : is_file)
                        continue;
                if (!setting)
                        buffer_printf(problems, "there is no flag \"%s\" (see ticketrush serve --help)\n", flag);
                else if (!value)
                        buffer_printf(problems, "--%s needs a value\n", setting->name);
                else
                        assign(config, setting, "flag", value, problems);
        }
        return help;
}

static void check_words(struct config *config, struct buffer *problems) {
        if (strcmp(config->organiser_sign_up, "open") && strcmp(config->organiser_sign_up, "closed"))
                buffer_printf(problems, "organiser-sign-up must be open or closed, not \"%s\"\n",
                              config->organiser_sign_up);
        if (strcmp(config->log_level, "debug") && strcmp(config->log_level, "info") &&
            strcmp(config->log_level, "warning") && strcmp(config->log_level, "alarm"))
                buffer_printf(problems, "log-level must be debug, info, warning or alarm, not \"%s\"\n",
                              config->log_level);
        struct pay_fake_config provider = {0};
        char problem[128];
        if (*config->pay_trouble && !pay_fake_parse(config->pay_trouble, &provider, problem))
                buffer_printf(problems, "pay-trouble: %s\n", problem);
}

static void check_listen(struct config *config, struct buffer *problems) {
        char *colon = strrchr(config->listen, ':');
        uint64_t port;
        size_t length = colon ? (size_t)(colon - config->listen) : 0;
        bool bracketed = length > 2 && config->listen[0] == '[' && config->listen[length - 1] == ']';
        if (!colon || length == 0 || length >= CONFIG_LISTEN_MAX || !text_to_number(text_of(colon + 1), 65535, &port)) {
                buffer_printf(problems, "listen must be HOST:PORT, such as 127.0.0.1:8080 or [::]:8080, not \"%s\"\n",
                              config->listen);
                return;
        }
        memcpy(config->host, config->listen + bracketed, length - 2 * (size_t)bracketed);
        config->host[length - 2 * (size_t)bracketed] = 0;
        config->port = (uint16_t)port;
}

enum config_outcome config_read(struct config *ret_config, int argc, char **argv, char **environment,
                                struct buffer *problems) {
        struct config config = {0};
        for (size_t i = 0; i < SETTINGS; i++)
                if (*settings[i].initial)
                        assign(&config, &settings[i], "default", settings[i].initial, problems);
        read_flags(&config, argc, argv, true, problems);
        if (*config.config_file)
                read_file(&config, problems);
        read_environment(&config, environment, problems);
        bool help = read_flags(&config, argc, argv, false, problems);
        check_listen(&config, problems);
        check_words(&config, problems);
        if (config.edges == 0) {
                long cores = sysconf(_SC_NPROCESSORS_ONLN);
                config.edges = cores > 2 ? (cores > 64 ? 64 : cores - 1) : 1;
        }
        *ret_config = config;
        return help ? CONFIG_HELP : problems->length ? CONFIG_REFUSED : CONFIG_OK;
}

void config_help(struct buffer *out) {
        for (size_t i = 0; i < SETTINGS; i++) {
                const struct setting *setting = &settings[i];
                buffer_printf(out, "  --%-20s %s", setting->name, setting->help);
                if (*setting->initial)
                        buffer_printf(out, " (default: %s)", setting->initial);
                buffer_add_string(out, "\n");
        }
        buffer_add_string(
                out, "\nEach but the last two can also stand in the file of --config as `name = value`, and in the environment as\n"
                     "TICKETRUSH_NAME (TICKETRUSH_LISTEN, TICKETRUSH_PAY_TROUBLE, …). A flag beats the environment,\n"
                     "the environment beats the file.\n");
}

void config_write(const struct config *config, struct buffer *out) {
        for (size_t i = 0; i < SETTINGS; i++) {
                const struct setting *setting = &settings[i];
                const char *at = (const char *)config + setting->offset;
                if (is_flag_only(setting))
                        continue;
                if (setting->kind == KIND_TEXT)
                        buffer_printf(out, "%s = %s\n", setting->name, at);
                else if (setting->kind == KIND_SWITCH)
                        buffer_printf(out, "%s = %s\n", setting->name, *(const bool *)at ? "yes" : "no");
                else
                        buffer_printf(out, "%s = %lld\n", setting->name, (long long)*(const int64_t *)(const void *)at);
        }
}
