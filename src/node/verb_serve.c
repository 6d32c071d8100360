/* verb_serve.c: `ticketrush serve`: start, tell where, wait for a signal, drain, stop. */
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "node/demo.h"
#include "node/node.h"
#include "node/verbs.h"

enum { PROBLEM_BYTES_MAX = 65536, HEAP_STEP_BYTES = 8 * 1024 * 1024 };

static void set_log_level(const char *level) {
        static const char *const names[] = {"debug", "info", "warning", "alarm"};
        for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
                if (!strcmp(level, names[i]))
                        log_set_level((enum log_level)i);
}

static int help(void) {
        struct buffer out;
        buffer_init(&out, PROBLEM_BYTES_MAX);
        config_help(&out);
        printf("usage: ticketrush serve [flags]\n\nServes the sale from one folder and one port. Ctrl-C drains and "
               "stops.\n\n%.*s",
               (int)out.length, out.at);
        buffer_deinit(&out);
        return EXIT_DONE;
}

static int check(const struct config *config) {
        struct buffer out;
        buffer_init(&out, PROBLEM_BYTES_MAX);
        config_write(config, &out);
        printf("%.*s", (int)out.length, out.at);
        buffer_deinit(&out);
        return EXIT_DONE;
}

static sigset_t block_signals(void) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGHUP);
        pthread_sigmask(SIG_BLOCK, &set, 0);
        signal(SIGPIPE, SIG_IGN);
        return set;
}

/* The lane's memory grows by millions of small pieces: in the main heap it grows in large steps, in a thread's own heap
 * glibc would ask the kernel for every page. */
static void settle_memory(void) {
        mallopt(M_ARENA_MAX, 1);
        mallopt(M_TOP_PAD, HEAP_STEP_BYTES);
}

/* Loops and lane wake each other all the time. As batch threads they finish what they are at before the other one gets
 * the core: larger batches, a tenth more purchases. Without it everything works as well. */
static void settle_threads(void) {
        const struct sched_param none = {0};
        (void)sched_setscheduler(0, SCHED_BATCH, &none);
}

static int serve(const struct config *config, struct buffer *problem) {
        settle_memory();
        settle_threads();
        umask(0077); /* what is written here is nobody else's business */
        sigset_t signals = block_signals();
        struct node *node;
        set_log_level(config->log_level);
        log_register();
        if (node_start(&node, config, problem) != 0) {
                fprintf(stderr, "ticketrush: %.*s\n", (int)problem->length, problem->at);
                return EXIT_CANNOT;
        }
        printf("ticketrush: serving on http://%s:%u, data in %s\n", config->host, node_port(node), config->data);
        fflush(stdout);
        if (config->demo && demo_make(node, config, problem) != 0)
                fprintf(stderr, "ticketrush: the demo could not be made: %.*s\n", (int)problem->length, problem->at);
        fflush(stdout);
        int signal_number;
        sigwait(&signals, &signal_number);
        printf("ticketrush: finishing what is in flight (again: stop at once)\n");
        fflush(stdout);
        pthread_sigmask(SIG_UNBLOCK, &signals, 0);
        node_stop(node);
        printf("ticketrush: stopped\n");
        return EXIT_DONE;
}

int verb_serve(int argc, char **argv) {
        struct buffer problems;
        struct config config;
        buffer_init(&problems, PROBLEM_BYTES_MAX);
        enum config_outcome outcome = config_read(&config, argc, argv, environ, &problems);
        int code = EXIT_USAGE;
        if (outcome == CONFIG_HELP)
                code = help();
        else if (outcome == CONFIG_REFUSED)
                fprintf(stderr, "%.*s", (int)problems.length, problems.at);
        else
                code = config.check_config ? check(&config) : serve(&config, &problems);
        buffer_deinit(&problems);
        return code;
}
