/* server.c: fork, exec, read the port from the first line; see server.h. Its log is DATA/server.log. */
#include "rehearse/server.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 24 + OPTIONS_SERVER_ARGS_MAX, SAYS_BYTES = 1024, LOG_TAIL_BYTES = 2000, TREE_FILES_OPEN = 16 };

static int make_folder(struct server *server, const struct rehearse_options *options) {
        const char *temporary = getenv("TMPDIR");
        if (options->data) {
                snprintf(server->data, sizeof server->data, "%s", options->data);
                return mkdir(server->data, 0700) == 0 || errno == EEXIST ? 0 : -errno;
        }
        snprintf(server->data, sizeof server->data, "%s/ticketrush-rehearsal-XXXXXX",
                 temporary && *temporary ? temporary : "/tmp");
        if (!mkdtemp(server->data))
                return -errno;
        server->temporary = true;
        return 0;
}

/* In the child. Arguments of the user come last: the last of a flag counts. */
static _Noreturn void become_server(const struct server *server, const struct rehearse_options *options, int output) {
        char trouble[64], log[SERVER_PATH_BYTES + 16], program[SERVER_PATH_BYTES];
        ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1); /* by its name, for ps and perf */
        program[length > 0 ? length : 0] = 0;
        const char *arguments[ARGUMENTS_MAX] = {"ticketrush",
                                                "serve",
                                                "--data",
                                                server->data,
                                                "--listen",
                                                "127.0.0.1:0",
                                                "--organiser-sign-up",
                                                "open",
                                                "--commands-per-minute",
                                                "0",
                                                "--sign-in-per-minute",
                                                "0",
                                                "--log-level",
                                                "warning",
                                                "--demo=no"};
        unsigned count = 15;
        snprintf(trouble, sizeof trouble, "decline:%lld", (long long)options->share_decline);
        snprintf(log, sizeof log, "%s/server.log", server->data);
        if (options->share_decline) {
                arguments[count++] = "--pay-trouble";
                arguments[count++] = trouble;
        }
        for (unsigned i = 0; i < options->server_arg_count; i++)
                arguments[count++] = options->server_args[i];
        if (!options->keep_server)
                prctl(PR_SET_PDEATHSIG, SIGTERM);
        else
                setsid();
        int errors = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        dup2(output, STDOUT_FILENO);
        if (errors >= 0)
                dup2(errors, STDERR_FILENO);
        execv(program, (char *const *)arguments);
        _exit(127);
}

static void tell_log(const struct server *server, struct buffer *problem) {
        char path[SERVER_PATH_BYTES + 16], tail[LOG_TAIL_BYTES];
        snprintf(path, sizeof path, "%s/server.log", server->data);
        int file = open(path, O_RDONLY | O_CLOEXEC);
        off_t end = file >= 0 ? lseek(file, 0, SEEK_END) : 0;
        ssize_t n = file >= 0 ? pread(file, tail, sizeof tail, end > LOG_TAIL_BYTES ? end - LOG_TAIL_BYTES : 0) : 0;
        if (file >= 0)
                close(file);
        buffer_printf(problem, "the server did not start: %.*s", (int)(n > 0 ? n : 0), tail);
}

/* "ticketrush: serving on http://127.0.0.1:PORT, data in …" */
static int read_port(struct server *server, struct buffer *problem) {
        char says[SAYS_BYTES];
        size_t length = 0;
        while (length < sizeof says - 1 && !memchr(says, '\n', length)) {
                ssize_t n = read(server->output, says + length, sizeof says - 1 - length);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        break;
                length += (size_t)n;
        }
        says[length] = 0;
        const char *colon = strstr(says, "http://127.0.0.1:");
        struct text digits = text_of(colon ? colon + sizeof "http://127.0.0.1:" - 1 : "");
        digits.length = digits.length ? strspn(digits.at, "0123456789") : 0;
        uint64_t port;
        if (!text_to_number(digits, UINT16_MAX, &port)) {
                tell_log(server, problem);
                return -EPROTO;
        }
        server->place = (struct http_place){.host = "127.0.0.1", .port = (uint16_t)port};
        return 0;
}

int server_start(struct server *server, const struct rehearse_options *options, struct buffer *problem) {
        *server = (struct server){.output = -1};
        int fault = make_folder(server, options), output[2];
        if (fault) {
                buffer_printf(problem, "cannot make the folder %s: %s", server->data, strerror(-fault));
                return fault;
        }
        if (pipe2(output, O_CLOEXEC) != 0)
                return -errno;
        server->pid = fork();
        if (server->pid == 0)
                become_server(server, options, output[1]);
        close(output[1]);
        server->output = output[0];
        if (server->pid < 0) {
                server->pid = 0;
                return -errno;
        }
        return read_port(server, problem);
}

int64_t server_cpu_us(const struct server *server) {
        char path[64], stat[1024];
        snprintf(path, sizeof path, "/proc/%d/stat", (int)server->pid);
        int file = server->pid ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        ssize_t n = file >= 0 ? read(file, stat, sizeof stat - 1) : -1;
        if (file >= 0)
                close(file);
        stat[n > 0 ? n : 0] = 0;
        unsigned long long user, system;
        const char *behind_name = strrchr(stat, ')'); /* then come field 3 and following; 14 and 15 are the times */
        if (!behind_name ||
            sscanf(behind_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) != 2)
                return 0;
        return (int64_t)(user + system) * 1000000 / sysconf(_SC_CLK_TCK);
}

static void drain(int output) {
        char says[SAYS_BYTES];
        while (read(output, says, sizeof says) > 0)
                ;
        close(output);
}

int server_stop(struct server *server) {
        if (!server->pid)
                return 0;
        struct rusage usage = {0};
        int status = 0;
        kill(server->pid, SIGTERM);
        drain(server->output); /* until it ends: it must not be held up by a full pipe */
        pid_t ended;
        do
                ended = wait4(server->pid, &status, 0, &usage);
        while (ended < 0 && errno == EINTR);
        server->pid = 0;
        server->peak_rss_bytes = (int64_t)usage.ru_maxrss * 1024;
        server->cpu_us = (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
                         usage.ru_stime.tv_usec;
        return ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

static int remove_entry(const char *path, const struct stat *about, int kind, struct FTW *walk) {
        (void)about;
        (void)kind;
        (void)walk;
        return remove(path);
}

void server_close(struct server *server) {
        if (server->temporary)
                nftw(server->data, remove_entry, TREE_FILES_OPEN, FTW_DEPTH | FTW_PHYS);
        server->temporary = false;
}
