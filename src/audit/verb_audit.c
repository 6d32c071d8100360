/* verb_audit.c: `ticketrush audit`. */
#include <stdio.h>

#include "audit/audit.h"
#include "base/fault.h"
#include "node/verbs.h"
#include "port/crypto.h"

static int tell_fault(const char *data, int fault) {
        if (fault == -ENOENT)
                fprintf(stderr, "ticketrush audit: there is no database in %s\n", data);
        else if (fault == -EBUSY)
                fprintf(stderr,
                        "ticketrush audit: a server is running on %s; stop it first, or audit a copy of the folder\n",
                        data);
        else if (fault == FAULT_FORMAT)
                fprintf(stderr, "ticketrush audit: the database in %s is damaged, or was not written by ticketrush\n",
                        data);
        else
                fprintf(stderr, "ticketrush audit: cannot read the database in %s: %s\n", data, fault_text(fault));
        return EXIT_CANNOT;
}

int verb_audit(int argc, char **argv) {
        static const char usage[] =
                "usage: ticketrush audit --data DIR [--at-rest] [--json]\n\n"
                "Checks the eight invariants on the database of a stopped server, and explains each violation with the "
                "rows that\n"
                "show it. --at-rest also minds what is half-way: no payment may be unknown, no order on its way.\n"
                "exit codes: 0 nothing found, 1 violations, 2 used wrongly, 3 could not look\n";
        const char *data = 0;
        struct audit_options options = {0};
        bool wrong = false;
        for (int i = 0; i < argc; i++) {
                if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
                        fputs(usage, stdout);
                        return EXIT_DONE;
                }
                if (!strcmp(argv[i], "--data") && i + 1 < argc)
                        data = argv[++i];
                else if (!strcmp(argv[i], "--json"))
                        options.json = true;
                else if (!strcmp(argv[i], "--at-rest"))
                        options.at_rest = true;
                else
                        wrong = true;
        }
        if (wrong || !data) {
                fputs(usage, stderr);
                return EXIT_USAGE;
        }
        struct audit_report report;
        int fault = crypto_start();
        if (!fault)
                fault = audit_run(data, &options, &report);
        if (fault)
                return tell_fault(data, fault);
        printf("%.*s%s", (int)report.text.length, report.text.at, options.json ? "\n" : "");
        int code = report.violations_total ? EXIT_NO : EXIT_DONE;
        audit_report_deinit(&report);
        return code;
}
