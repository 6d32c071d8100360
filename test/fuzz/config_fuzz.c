/* config_fuzz: whatever stands in a configuration's file, environment and flags: it is taken with every number within
 * its bounds, or refused with at least one line that says why; and what was taken is taken again when it is written
 * out and read as a file.
 *
 * The first byte says whether the lines of the rest are a file, the environment, or flags. */
#include "base/assert.h"
#include "fuzz.h"
#include "node/config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WORDS_MAX = 64, PROBLEMS_MAX = 1 << 20 };

static void check_config(const struct config *config) {
        INVARIANT(*config->data && *config->host && config->edges >= 1 && config->edges <= 64);
        INVARIANT(config->connections >= 16 && config->pay_workers >= 1 && config->drain_seconds >= 0);
        INVARIANT(strlen(config->host) < sizeof config->host && strlen(config->data) < sizeof config->data);
}

/* A file in memory; its path goes to `path`. */
static int memory_file(struct text content, char path[static 32]) {
        int file = memfd_create("config", MFD_CLOEXEC);
        INVARIANT(file >= 0);
        INVARIANT(content.length == 0 || write(file, content.at, content.length) == (ssize_t)content.length);
        INVARIANT(lseek(file, 0, SEEK_SET) == 0);
        (void)snprintf(path, 32, "/proc/self/fd/%d", file);
        return file;
}

static enum config_outcome read_file(struct config *ret_config, struct text content) {
        struct buffer problems;
        char path[32], flag[] = "--config";
        char *flags[] = {flag, path, NULL}, *nothing[] = {NULL};
        int file = memory_file(content, path);
        buffer_init(&problems, PROBLEMS_MAX);
        enum config_outcome outcome = config_read(ret_config, 2, flags, nothing, &problems);
        INVARIANT(outcome == CONFIG_OK || outcome == CONFIG_REFUSED);
        INVARIANT((outcome == CONFIG_REFUSED) == (problems.length > 0 || problems.overflowed));
        INVARIANT(outcome == CONFIG_REFUSED || content.length == 0 || !memchr(content.at, '\0', content.length));
        buffer_deinit(&problems);
        close(file);
        return outcome;
}

static void check_again(const struct config *config) {
        struct config again;
        struct buffer written;
        buffer_init(&written, PROBLEMS_MAX);
        config_write(config, &written);
        INVARIANT(read_file(&again, buffer_text(&written)) == CONFIG_OK);
        INVARIANT(strcmp(config->data, again.data) == 0 && strcmp(config->listen, again.listen) == 0);
        INVARIANT(config->edges == again.edges && config->port == again.port && config->demo == again.demo);
        buffer_deinit(&written);
}

/* '#' begins a comment and blanks at the ends are cut: from flags and the environment such values come, from a file not. */
static bool is_writable_as_file(const struct config *config) {
        const char *const values[] = {config->data, config->listen, config->log_level, config->organiser_sign_up, config->pay_trouble};
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
                const char *value = values[i];
                size_t length = strlen(value);
                if (strpbrk(value, "#\n") || (length > 0 && (strchr(" \t\v\f\r", value[0]) || strchr(" \t\v\f\r", value[length - 1]))))
                        return false;
        }
        return true;
}

/* Its lines as terminated words, as main and the environment have them. */
static size_t split(char *text, char *words[static WORDS_MAX + 1]) {
        size_t count = 0;
        for (char *line = text, *end; line && count < WORDS_MAX; line = end ? end + 1 : NULL) {
                end = strchr(line, '\n');
                if (end)
                        *end = '\0';
                words[count++] = line;
        }
        words[count] = NULL;
        return count;
}

static void fuzz_words(char *text, bool environment) {
        char *words[WORDS_MAX + 1], *nothing[] = {NULL};
        struct config config;
        struct buffer problems;
        size_t count = split(text, words);
        for (size_t i = 0; !environment && i < count; i++) {
                if (strncmp(words[i], "--config", 8) == 0)
                        return; /* files of this machine are not the fuzzer's business */
        }
        buffer_init(&problems, PROBLEMS_MAX);
        enum config_outcome outcome = environment ? config_read(&config, 0, nothing, words, &problems)
                                                  : config_read(&config, (int)count, words, nothing, &problems);
        INVARIANT(outcome == CONFIG_HELP || (outcome == CONFIG_REFUSED) == (problems.length > 0 || problems.overflowed));
        if (outcome == CONFIG_OK) {
                check_config(&config);
                if (is_writable_as_file(&config))
                        check_again(&config);
        }
        buffer_deinit(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        if (size == 0)
                return 0;
        char *text = malloc(size); /* its own memory, so that a sanitizer sees a look outside */
        INVARIANT(text);
        memcpy(text, data + 1, size - 1);
        text[size - 1] = '\0';
        struct config config;
        if (data[0] == 'e' || data[0] == 'f') {
                fuzz_words(text, data[0] == 'e');
        } else if (read_file(&config, (struct text){text, size - 1}) == CONFIG_OK) {
                check_config(&config);
                if (is_writable_as_file(&config))
                        check_again(&config);
        }
        free(text);
        return 0;
}
