/* main.c: finds the verb. */
#include <stdio.h>
#include <string.h>

#include "node/verbs.h"

static const struct {
        const char *name, *help;
        int (*run)(int argc, char **argv);
} verbs[] = {
        {"serve", "serve the sale: --data DIR --listen HOST:PORT", verb_serve},
        {"rehearse", "a dress rehearsal with crowds of buyers, and the load test", verb_rehearse},
        {"audit", "check the eight invariants on a database: --data DIR", verb_audit},
        {"plan", "check and describe a seating plan: plan FILE", verb_plan},
        {"token", "an access token signed with the key of a data folder: token --data DIR --role ROLE", verb_token},
        {"version", "the version of the program and its libraries", verb_version},
};
enum { VERBS = sizeof verbs / sizeof verbs[0] };

static void usage(FILE *out) {
        fputs("ticketrush sells reserved seats to far more people than there are seats.\n\nusage: ticketrush VERB "
              "[flags]\n\n",
              out);
        for (size_t i = 0; i < VERBS; i++)
                fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].help);
        fputs("\n`ticketrush VERB --help` tells the flags of a verb.\n"
              "exit codes: 0 done, 1 the answer is no, 2 used wrongly, 3 could not be done\n",
              out);
}

int main(int argc, char **argv) {
        if (argc < 2) {
                usage(stderr);
                return EXIT_USAGE;
        }
        for (size_t i = 0; i < VERBS; i++)
                if (!strcmp(argv[1], verbs[i].name))
                        return verbs[i].run(argc - 2, argv + 2);
        if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
                usage(stdout);
                return EXIT_DONE;
        }
        if (!strcmp(argv[1], "--version"))
                return verb_version(0, 0);
        fprintf(stderr, "ticketrush: there is no verb \"%s\"; `ticketrush --help` lists them\n", argv[1]);
        return EXIT_USAGE;
}
