/* limit_http: how fast can one thread answer at all? A bare epoll program that answers every request with the same
 * bytes. It looks for the end of a head, and knows nothing else: no method, no path, no limits, no clock. What the
 * server reaches is measured as a share of this, in the same run.
 *
 *   limit_http [PORT]     prints its port, and answers until it is killed */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 256, READ_MAX = 16384, ANSWERS_MAX = 64, BACKLOG = 4096, FILES_MAX = 65536 };

static const char answer[] = "HTTP/1.1 200 OK\r\n"
                             "Content-Type: application/json\r\n"
                             "Content-Length: 100\r\n"
                             "\r\n"
                             "{\"id\":\"hold_0c1m8t3qk0g00\",\"state\":\"ACTIVE\",\"seats\":[\"A-1-1\",\"A-1-2\"],"
                             "\"expires\":1795259100000123456}";
static char answers[ANSWERS_MAX * (sizeof answer - 1)];
static unsigned char matched[FILES_MAX]; /* by descriptor: how much of the end of a head has been seen */

static void fail(const char *what) {
        perror(what);
        exit(1);
}

static int listen_on(unsigned short port) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
        socklen_t length = sizeof address;
        if (fd < 0)
                fail("socket");
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, BACKLOG) < 0)
                fail("bind");
        if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
                fail("getsockname");
        printf("%u\n", (unsigned)ntohs(address.sin_port));
        (void)fflush(stdout);
        return fd;
}

/* How many heads end in these bytes. */
static size_t heads_end(int fd, const char *bytes, size_t n) {
        static const char end[] = "\r\n\r\n";
        size_t count = 0;
        unsigned state = matched[fd];
        for (const char *at = bytes, *stop = bytes + n; at < stop;) {
                if (state == 0 && !(at = memchr(at, '\r', (size_t)(stop - at))))
                        break;
                state = *at == end[state] ? state + 1 : *at == '\r';
                at++;
                if (state == 4) {
                        count++;
                        state = 0;
                }
        }
        matched[fd] = (unsigned char)state;
        return count;
}

static void answer_all(int fd) {
        char bytes[READ_MAX];
        ssize_t n = recv(fd, bytes, sizeof bytes, 0);
        if (n <= 0) {
                close(fd);
                return;
        }
        for (size_t count = heads_end(fd, bytes, (size_t)n); count > 0;) {
                size_t now = count < ANSWERS_MAX ? count : ANSWERS_MAX;
                (void)send(fd, answers, now * (sizeof answer - 1), MSG_NOSIGNAL);
                count -= now;
        }
}

int main(int count, char **arguments) {
        int listener = listen_on((unsigned short)(count > 1 ? strtoul(arguments[1], NULL, 10) : 0));
        int epoll = epoll_create1(EPOLL_CLOEXEC);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
        if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) < 0)
                fail("epoll");
        for (size_t i = 0; i < ANSWERS_MAX; i++)
                memcpy(answers + i * (sizeof answer - 1), answer, sizeof answer - 1);
        for (;;) {
                struct epoll_event events[EVENTS_MAX];
                int ready = epoll_wait(epoll, events, EVENTS_MAX, -1);
                for (int i = 0; i < ready; i++) {
                        if (events[i].data.fd != listener) {
                                answer_all(events[i].data.fd);
                                continue;
                        }
                        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                        if (fd < 0 || fd >= FILES_MAX)
                                continue;
                        matched[fd] = 0;
                        event = (struct epoll_event){.events = EPOLLIN, .data.fd = fd};
                        (void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
                }
        }
}
