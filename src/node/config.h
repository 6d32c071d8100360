/* config.h: what an operator can set, and where from.
 *
 * Four sources, each stronger than the one before: the default, the file (--config FILE: lines of `name = value`, # for
 * comments), the environment (TICKETRUSH_NAME), the flag (--name value or --name=value). One table describes every
 * setting; --help, the environment's names and the checks are made from it. */
#ifndef TICKETRUSH_NODE_CONFIG_H
#define TICKETRUSH_NODE_CONFIG_H

#include "base/buffer.h"

enum { CONFIG_VALUE_MAX = 1024, CONFIG_FILE_BYTES_MAX = 65536, CONFIG_LISTEN_MAX = 256 };

struct config {
        char data[CONFIG_VALUE_MAX];
        char listen[CONFIG_VALUE_MAX];
        char log_level[CONFIG_VALUE_MAX];
        char organiser_sign_up[CONFIG_VALUE_MAX];
        char pay_trouble[CONFIG_VALUE_MAX];
        int64_t edges; /* event loops; 0: cores - 1, at least 1 */
        int64_t connections;
        int64_t sign_in_per_minute;
        int64_t commands_per_minute;
        int64_t pay_workers;
        int64_t drain_seconds;
        bool pay_token_trouble;
        bool demo;
        bool check_config;
        char config_file[CONFIG_VALUE_MAX];
        /* derived by config_check */
        char host[CONFIG_LISTEN_MAX];
        uint16_t port;
};

enum config_outcome { CONFIG_OK = 1, CONFIG_REFUSED, CONFIG_HELP };

/* Reads all four sources. CONFIG_REFUSED: every problem is a line in `problems` that names the source, the setting, and
 * what would be right. CONFIG_HELP: --help was among the flags. */
enum config_outcome config_read(struct config *ret_config, int argc, char **argv, char **environment,
                                struct buffer *problems);
/* The settings as a table for people. */
void config_help(struct buffer *out);
/* The values in force, as a configuration file. */
void config_write(const struct config *config, struct buffer *out);

#endif
