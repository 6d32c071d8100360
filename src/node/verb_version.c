/* verb_version.c: `ticketrush version`. */
#include <stdio.h>
#include <string.h>

#include "node/verbs.h"

int verb_version(int argc, char **argv) {
        if (argc > 0 && !strcmp(argv[0], "--json"))
                printf("{\"name\":\"ticketrush\",\"version\":\"" TICKETRUSH_VERSION "\",\"compiler\":\"" __VERSION__
                       "\"}\n");
        else if (argc > 0)
                printf("usage: ticketrush version [--json]\n");
        else
                printf("ticketrush " TICKETRUSH_VERSION "\n");
        return argc > 0 && strcmp(argv[0], "--json") && strcmp(argv[0], "--help") ? EXIT_USAGE : EXIT_DONE;
}
