/* verb_plan.c: `ticketrush plan FILE`: check a seating plan and describe it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_writer.h"
#include "node/verbs.h"
#include "service/event/event.h"

enum { DESCRIPTION_BYTES_MAX = 4 * 1024 * 1024 };

static int read_whole(const char *path, struct buffer *into) {
        int file = open(path, O_RDONLY | O_CLOEXEC);
        struct stat about;
        if (file < 0 || fstat(file, &about) != 0) {
                int fault = -errno;
                if (file >= 0)
                        close(file);
                return fault;
        }
        int fault = S_ISREG(about.st_mode) && about.st_size <= PLAN_BYTES_MAX ? 0 : -EFBIG;
        while (!fault) {
                char *room = buffer_reserve(into, 65536);
                ssize_t n = room ? read(file, room, 65536) : -1;
                if (n < 0)
                        fault = room ? -errno : -EFBIG;
                if (n <= 0)
                        break;
                into->length += (size_t)n;
        }
        close(file);
        return fault;
}

static void write_problems(const struct plan_problems *problems, const char *path, bool json) {
        unsigned kept = problems->count < PLAN_PROBLEMS_MAX ? problems->count : PLAN_PROBLEMS_MAX;
        if (!json) {
                fprintf(stderr, "%s: refused, %u problems\n", path, problems->count);
                for (unsigned i = 0; i < kept; i++)
                        fprintf(stderr, "  %s\n", problems->lines[i]);
                if (kept < problems->count)
                        fprintf(stderr, "  … and %u more\n", problems->count - kept);
                return;
        }
        struct buffer out;
        struct json_writer writer;
        buffer_init(&out, DESCRIPTION_BYTES_MAX);
        json_begin(&writer, &out);
        json_object(&writer, 0);
        json_bool(&writer, "accepted", false);
        json_number(&writer, "problemCount", problems->count);
        json_array(&writer, "problems");
        for (unsigned i = 0; i < kept; i++)
                json_string(&writer, 0, problems->lines[i]);
        json_array_end(&writer);
        json_object_end(&writer);
        printf("%.*s\n", (int)out.length, out.at);
        buffer_deinit(&out);
}

static int describe(const char *path, bool by_uuid, bool json) {
        struct buffer document, out;
        struct plan_problems problems = {0};
        struct plan *plan = 0;
        buffer_init(&document, (size_t)PLAN_BYTES_MAX + 65536);
        int fault = read_whole(path, &document);
        if (fault) {
                fprintf(stderr, "ticketrush plan: cannot read %s: %s\n", path, strerror(-fault));
                buffer_deinit(&document);
                return EXIT_CANNOT;
        }
        int outcome = plan_read(&plan, &problems, buffer_text(&document), by_uuid);
        buffer_deinit(&document);
        if (outcome == PLAN_OK) {
                buffer_init(&out, DESCRIPTION_BYTES_MAX);
                plan_describe(plan, &out, json);
                printf("%.*s\n", (int)out.length, out.at);
                buffer_deinit(&out);
        } else if (outcome == PLAN_REFUSED) {
                write_problems(&problems, path, json);
        } else {
                fprintf(stderr, "ticketrush plan: %s\n", fault_text(outcome));
        }
        plan_problems_deinit(&problems);
        plan_free(plan);
        return outcome == PLAN_OK ? EXIT_DONE : outcome == PLAN_REFUSED ? EXIT_NO : EXIT_CANNOT;
}

int verb_plan(int argc, char **argv) {
        static const char usage[] =
                "usage: ticketrush plan FILE [--identity guid|uuid] [--json]\n\n"
                "Checks a seating plan (docs/plans.md) and describes it, or lists what is wrong with it.\n"
                "--identity uuid takes the seats' uuid as their identity, for exports that repeat seat_guid.\n";
        const char *path = 0;
        bool by_uuid = false, json = false;
        for (int i = 0; i < argc; i++) {
                if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
                        fputs(usage, stdout);
                        return EXIT_DONE;
                }
                bool identity = !strcmp(argv[i], "--identity") && i + 1 < argc;
                if (identity && (!strcmp(argv[i + 1], "uuid") || !strcmp(argv[i + 1], "guid")))
                        by_uuid = !strcmp(argv[++i], "uuid");
                else if (!strcmp(argv[i], "--json"))
                        json = true;
                else if (argv[i][0] != '-' && !path)
                        path = argv[i];
                else
                        path = "";
        }
        if (!path || !*path) {
                fputs(usage, stderr);
                return EXIT_USAGE;
        }
        return describe(path, by_uuid, json);
}
