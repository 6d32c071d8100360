/* verb_token.c: `ticketrush token`: who has the data folder has its key, and is an operator. */
#include <stdio.h>
#include <unistd.h>

#include "adapter/system/clock_system.h"
#include "base/id.h"
#include "node/verbs.h"
#include "service/limits.h"
#include "service/user/user.h"

enum { PATH_BYTES = 4096 };

static int write_token(const char *data, account_id account, enum role role, int64_t seconds) {
        char path[PATH_BYTES];
        struct token_key key;
        struct buffer out;
        snprintf(path, sizeof path, "%s/keys/access.key", data);
        if (access(path, R_OK) != 0 || crypto_start() != 0 || token_key_load(&key, path, crypto_random()) != 0) {
                fprintf(stderr,
                        "ticketrush token: cannot read %s; start a server on that folder once, it makes the key\n",
                        path);
                return EXIT_CANNOT;
        }
        struct clock *clock = clock_system();
        buffer_init(&out, TOKEN_BYTES_MAX);
        token_issue(&out, &key, account, role, clock->now_ms(clock), seconds);
        printf("%.*s\n", (int)out.length, out.at);
        buffer_deinit(&out);
        return EXIT_DONE;
}

static enum role role_named(const char *name) {
        static const char *const names[] = {[ROLE_BUYER] = "buyer",
                                            [ROLE_ORGANISER] = "organiser",
                                            [ROLE_GATE] = "gate",
                                            [ROLE_OPERATOR] = "operator"};
        for (unsigned role = ROLE_BUYER; role <= ROLE_OPERATOR; role++)
                if (!strcmp(names[role], name))
                        return (enum role)role;
        return (enum role)0;
}

int verb_token(int argc, char **argv) {
        static const char usage[] = "usage: ticketrush token --data DIR [--role buyer|organiser|gate|operator] "
                                    "[--account acc_…] [--seconds N]\n\n"
                                    "Prints an access token, signed with the key of the data folder (default: an "
                                    "operator's, for an hour).\n";
        const char *data = 0;
        enum role role = ROLE_OPERATOR;
        account_id account = 1;
        uint64_t seconds = ACCESS_TOKEN_SECONDS;
        bool wrong = false;
        for (int i = 0; i < argc; i += 2) {
                const char *value = i + 1 < argc ? argv[i + 1] : "";
                if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
                        fputs(usage, stdout);
                        return EXIT_DONE;
                }
                if (!strcmp(argv[i], "--data"))
                        data = value;
                else if (!strcmp(argv[i], "--role"))
                        wrong |= (role = role_named(value)) == 0;
                else if (!strcmp(argv[i], "--account"))
                        wrong |= (account = id_parse(text_of(value), ID_ACCOUNT)) == 0;
                else if (!strcmp(argv[i], "--seconds"))
                        wrong |= !text_to_number(text_of(value), 365 * 86400, &seconds);
                else
                        wrong = true;
        }
        if (wrong || !data || !*data) {
                fputs(usage, stderr);
                return EXIT_USAGE;
        }
        return write_token(data, account, role, (int64_t)seconds);
}
