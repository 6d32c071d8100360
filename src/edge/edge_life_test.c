/* The server when things take long, go away or come too often: other threads' answers, half-closed and vanished
 * clients, deadlines, limits, draining. Patience is shortened here, and every wait is one for an event. */
#include "edge/edge_kit_test.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>

#define HOST "Host: a.example\r\n"
#define HELLO "GET /hello/you HTTP/1.1\r\n" HOST "\r\n"
#define LATER "GET /later HTTP/1.1\r\n" HOST "\r\n"

enum { SHORT_US = 30000, IDLE_US = 300000 };

static void answers_of_other_threads(void **state) {
        (void)state;
        struct kit kit;
        kit_open(&kit);
        int fd = client_open(&kit);
        SAY(fd, LATER HELLO LATER);
        kit_answer(kit_held(&kit));
        client_hears(fd, 200, "/later"); /* first: the other one waited for it */
        client_hears(fd, 200, "you");
        kit_answer(kit_held(&kit));
        client_hears(fd, 200, "/later");
        close(fd);
        kit_close(&kit);
}

enum { CLIENTS = 64, REQUESTS = 50, ANSWERERS = 2 };

static void *answer_many(void *context) {
        for (unsigned i = 0; i < CLIENTS * REQUESTS / ANSWERERS; i++)
                kit_answer(kit_held(context));
        return NULL;
}

static void many_answers_of_other_threads(void **state) {
        (void)state;
        struct kit kit;
        kit_new(&kit, &(struct edge_config){.loops = 3});
        kit_start(&kit);
        pthread_t answerers[ANSWERERS];
        for (unsigned i = 0; i < ANSWERERS; i++)
                assert_int_equal(pthread_create(&answerers[i], NULL, answer_many, &kit), 0);
        int fds[CLIENTS];
        for (unsigned i = 0; i < CLIENTS; i++) {
                fds[i] = client_open(&kit);
                for (unsigned k = 0; k < REQUESTS; k++) {
                        char bytes[128];
                        size_t n = (size_t)snprintf(bytes, sizeof bytes, "GET /later?n%u.%u HTTP/1.1\r\n" HOST "\r\n", i, k);
                        client_say(fds[i], (struct text){bytes, n});
                }
        }
        for (unsigned k = 0; k < REQUESTS; k++) {
                for (unsigned i = 0; i < CLIENTS; i++) {
                        char name[32];
                        (void)snprintf(name, sizeof name, "\"n%u.%u\"", i, k);
                        client_hears(fds[i], 200, name);
                }
        }
        for (unsigned i = 0; i < ANSWERERS; i++)
                assert_int_equal(pthread_join(answerers[i], NULL), 0);
        for (unsigned i = 0; i < CLIENTS; i++)
                close(fds[i]);
        kit_wait_open(&kit, 0);
        struct edge_figures figures;
        edge_figures(kit.edge, &figures);
        assert_int_equal(figures.accepted, CLIENTS);
        assert_int_equal(figures.requests, CLIENTS * REQUESTS);
        kit_close(&kit);
}

static void half_closed_clients_get_their_answers(void **state) {
        (void)state;
        struct kit kit;
        kit_open(&kit);
        int fd = client_open(&kit);
        SAY(fd, HELLO LATER HELLO);
        client_end(fd);
        client_hears(fd, 200, "you");
        kit_answer(kit_held(&kit));
        client_hears(fd, 200, "/later");
        client_hears(fd, 200, "you");
        client_hears_end(fd);
        close(fd);

        fd = client_open(&kit); /* in the middle of a head: nothing to answer */
        SAY(fd, "GET / HT");
        client_end(fd);
        client_hears_end(fd);
        close(fd);
        fd = client_open(&kit); /* in the middle of a body */
        SAY(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhel");
        client_end(fd);
        client_hears_end(fd);
        close(fd);
        kit_wait_open(&kit, 0);
        kit_close(&kit);
}

static void vanished_clients(void **state) {
        (void)state;
        struct kit kit;
        kit_open(&kit);
        int fd = client_open(&kit);
        SAY(fd, LATER HELLO);
        struct later *later = kit_held(&kit);
        client_vanish(fd);
        kit_wait_open(&kit, 0);
        kit_answer(later); /* nobody hears it; its texts are still there */
        fd = client_open(&kit);
        SAY(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhel");
        client_vanish(fd);
        kit_wait_open(&kit, 0);
        fd = client_open(&kit);
        SAY(fd, HELLO);
        client_hears(fd, 200, "you");
        close(fd);
        kit_close(&kit); /* waits for requests in flight: there is none */
        assert_null(kit.held);
}

/* A client that sends a byte now and then is as late as one that sends nothing. */
static void say_slowly_until_answered(int fd) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        while (poll(&poll_fd, 1, 1) == 0 && send(fd, "a", 1, MSG_NOSIGNAL) == 1)
                ;
}

static void slow_senders(void **state) {
        (void)state;
        struct kit kit;
        kit_new(&kit, NULL);
        kit.edge->deadlines_us[DEADLINE_HEAD] = kit.edge->deadlines_us[DEADLINE_BODY] = SHORT_US;
        kit_start(&kit);
        int fd = client_open(&kit);
        SAY(fd, HELLO "GET /");
        client_hears(fd, 200, "you");
        say_slowly_until_answered(fd);
        client_hears(fd, 408, "REQUEST_TIMEOUT");
        close(fd);
        fd = client_open(&kit);
        SAY(fd, "POST /large HTTP/1.1\r\n" HOST "Content-Length: 4000000\r\n\r\n");
        say_slowly_until_answered(fd);
        client_hears(fd, 408, "REQUEST_TIMEOUT");
        close(fd);
        kit_wait_open(&kit, 0);
        kit_close(&kit);
}

static void idle_connections_end(void **state) {
        (void)state;
        struct kit kit;
        kit_new(&kit, NULL);
        kit.edge->deadlines_us[DEADLINE_IDLE] = IDLE_US;
        kit_start(&kit);
        int busy = client_open(&kit), idle[3];
        SAY(busy, LATER);
        struct later *later = kit_held(&kit);
        for (unsigned i = 0; i < 3; i++) {
                idle[i] = client_open(&kit);
                if (i > 0)
                        SAY(idle[i], HELLO);
                if (i > 0)
                        client_hears(idle[i], 200, "you");
                client_hears_end(idle[i]);
                close(idle[i]);
        }
        /* A request in flight is not idle, however long it takes. */
        kit_answer(later);
        client_hears(busy, 200, "/later");
        client_hears_end(busy);
        close(busy);
        kit_close(&kit);
}

static int client_open_narrow(const struct kit *kit, int bytes) {
        int fd = client_open(kit);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes), 0);
        return fd;
}

static void slow_readers(void **state) {
        (void)state;
        struct kit kit;
        kit_new(&kit, NULL);
        kit.edge->deadlines_us[DEADLINE_WRITE] = SHORT_US;
        kit_start(&kit);
        int fd = client_open_narrow(&kit, 4096);
        SAY(fd, "GET /big HTTP/1.1\r\n" HOST "\r\nGET /big HTTP/1.1\r\n" HOST "\r\n");
        char byte;
        assert_int_equal(recv(fd, &byte, 1, 0), 1);
        kit_wait_open(&kit, 0); /* has taken nothing for too long */
        close(fd);
        kit_close(&kit);
}

/* Large answers to one who reads in small pieces, one behind the other, arrive whole. */
static void narrow_readers(void **state) {
        (void)state;
        struct kit kit;
        kit_open(&kit);
        int fd = client_open_narrow(&kit, 65536);
        SAY(fd, "GET /big HTTP/1.1\r\n" HOST "\r\nGET /big HTTP/1.1\r\n" HOST "\r\n" HELLO);
        for (unsigned i = 0; i < 2; i++) {
                struct heard heard;
                client_hear(fd, &heard, false);
                assert_int_equal(heard.body.length, KIT_BIG);
                for (size_t at = 0; at < KIT_BIG; at++) {
                        if (heard.body.at[at] != (char)('a' + at % 23))
                                fail_msg("byte %zu is wrong", at);
                }
                buffer_deinit(&heard.body);
        }
        client_hears(fd, 200, "you");
        close(fd);
        kit_close(&kit);
}

static void too_many_connections(void **state) {
        (void)state;
        struct kit kit;
        kit_new(&kit, &(struct edge_config){.connections_max = 2});
        kit_start(&kit);
        int one = client_open(&kit), two = client_open(&kit);
        kit_wait_open(&kit, 2);
        int three = client_open(&kit);
        struct heard heard;
        client_hear(three, &heard, false);
        assert_int_equal(heard.status, 503);
        assert_non_null(strstr(heard.body.at, "TOO_MANY_CONNECTIONS"));
        assert_memory_equal(heard_header(&heard, "Retry-After"), "1\r", 2);
        assert_non_null(heard_header(&heard, "X-Trace-Id"));
        buffer_deinit(&heard.body);
        client_hears_end(three);
        close(three);
        close(two);
        kit_wait_open(&kit, 1);
        two = client_open(&kit);
        SAY(two, HELLO);
        client_hears(two, 200, "you");
        SAY(one, HELLO);
        client_hears(one, 200, "you");
        struct edge_figures figures;
        edge_figures(kit.edge, &figures);
        assert_int_equal(figures.refused_connections, 1);
        close(one);
        close(two);
        kit_close(&kit);
}

/* When the process has no descriptors left, a client is turned away instead of left waiting. */
static void no_descriptors_left(void **state) {
        (void)state;
        struct kit kit;
        kit_open(&kit);
        int fds[3];
        for (unsigned i = 0; i < 3; i++)
                fds[i] = client_open(&kit);
        kit_wait_open(&kit, 3);
        int last = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct rlimit before, none;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        none = (struct rlimit){.rlim_cur = (rlim_t)last + 1, .rlim_max = before.rlim_max};
        close(last);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        int fd = client_open(&kit); /* takes the last one */
        client_hears(fd, 503, "TOO_MANY_CONNECTIONS");
        SAY(fds[0], HELLO);
        client_hears(fds[0], 200, "you");
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        close(fd);
        for (unsigned i = 0; i < 3; i++)
                close(fds[i]);
        kit_close(&kit);
}

static void *stop(void *kit) {
        edge_stop(((struct kit *)kit)->edge, KIT_PATIENCE_SECONDS);
        return NULL;
}

static void draining(void **state) {
        (void)state;
        struct kit kit;
        kit_open(&kit);
        int busy = client_open(&kit), idle = client_open(&kit);
        SAY(busy, LATER HELLO);
        struct later *later = kit_held(&kit);
        SAY(idle, HELLO);
        client_hears(idle, 200, "you");
        pthread_t stopper;
        assert_int_equal(pthread_create(&stopper, NULL, stop, &kit), 0);
        client_hears_end(idle); /* so the loop drains */
        kit_answer(later);
        struct heard heard;
        client_hear(busy, &heard, false);
        assert_int_equal(heard.status, 200);
        assert_memory_equal(heard_header(&heard, "Connection"), "close\r", 6);
        buffer_deinit(&heard.body);
        client_hears_end(busy);
        assert_int_equal(pthread_join(stopper, NULL), 0);
        close(busy);
        close(idle);
        kit_close(&kit);
}

/* Who is not answered in time does not hold up the end, and may still be answered afterwards. */
static void draining_has_an_end(void **state) {
        (void)state;
        struct kit kit;
        kit_open(&kit);
        int one = client_open(&kit), two = client_open(&kit), three = client_open(&kit);
        SAY(one, LATER);
        struct later *later = kit_held(&kit);
        SAY(two, LATER);
        (void)kit_held(&kit);
        SAY(three, "GET /");
        edge_stop(kit.edge, 0);
        client_hears_end(one);
        client_hears_end(two);
        kit_answer(later);
        kit.edge = edge_free(kit.edge);
        close(one);
        close(two);
        close(three);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(answers_of_other_threads),
                cmocka_unit_test(many_answers_of_other_threads),
                cmocka_unit_test(half_closed_clients_get_their_answers),
                cmocka_unit_test(vanished_clients),
                cmocka_unit_test(slow_senders),
                cmocka_unit_test(idle_connections_end),
                cmocka_unit_test(slow_readers),
                cmocka_unit_test(narrow_readers),
                cmocka_unit_test(too_many_connections),
                cmocka_unit_test(no_descriptors_left),
                cmocka_unit_test(draining),
                cmocka_unit_test(draining_has_an_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
