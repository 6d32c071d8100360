/* edge_kit_test.c: see edge_kit_test.h. */
#include "edge/edge_kit_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <strings.h>
#include <sys/time.h>
#include <time.h>

static char big[KIT_BIG];

static void ask_hello(void *service, struct request *request) {
        (void)service;
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_text(&json, "hello", request->parameters[0]);
        json_object_end(&json);
        edge_answer_json(request, 200);
}

static void ask_echo(void *service, struct request *request) {
        (void)service;
        edge_answer(request, 200, "text/plain", request->body, NULL, 0);
}

static void ask_big(void *service, struct request *request) {
        (void)service;
        edge_answer(request, 200, "text/plain", (struct text){big, sizeof big}, NULL, 0);
}

static void later_deliver(struct edge_parcel *parcel) {
        struct later *later = (struct later *)parcel;
        struct json_writer json = edge_json(later->request);
        json_object(&json, NULL);
        json_text(&json, "path", later->request->head.path); /* also when the client has gone */
        json_text(&json, "query", later->request->head.query);
        json_object_end(&json);
        edge_answer_json(later->request, 200);
}

static void ask_later(void *service, struct request *request) {
        struct kit *kit = service;
        struct later *later = arena_take(&request->arena, sizeof *later);
        *later = (struct later){.parcel.deliver = later_deliver, .request = request};
        (void)pthread_mutex_lock(&kit->mutex);
        struct later **end = &kit->held;
        while (*end)
                end = &(*end)->next;
        *end = later;
        (void)pthread_cond_broadcast(&kit->changed);
        (void)pthread_mutex_unlock(&kit->mutex);
}

static void ask_tag(void *service, struct request *request) {
        (void)service;
        struct answer_header headers[] = {{"ETag", TEXT("\"v1\"")}, {"cache-control", TEXT("max-age=5")}};
        if (!edge_answer_not_modified(request, TEXT("\"v1\"")))
                edge_answer(request, 200, "text/plain", TEXT("tagged"), headers, 2);
}

static void ask_gzip(void *service, struct request *request) {
        (void)service;
        edge_answer(request, 200, "text/plain", edge_accepts_gzip(request) ? TEXT("taken") : TEXT("refused"), NULL, 0);
}

static void ask_nothing(void *service, struct request *request) {
        (void)service;
        edge_answer_empty(request, 204, NULL, 0);
}

static const struct route routes[] = {
        {.operation = "hello", .method = HTTP_GET, .path = "/hello/{name}", .ask = ask_hello},
        {.operation = "echo", .method = HTTP_POST, .path = "/echo", .body_max = 1024, .ask = ask_echo},
        {.operation = "large", .method = HTTP_POST, .path = "/large", .body_max = KIT_LARGE_MAX, .ask = ask_echo},
        {.operation = "big", .method = HTTP_GET, .path = "/big", .ask = ask_big},
        {.operation = "later", .method = HTTP_GET, .path = "/later", .ask = ask_later},
        {.operation = "tag", .method = HTTP_GET, .path = "/tag", .ask = ask_tag},
        {.operation = "gzip", .method = HTTP_GET, .path = "/gzip", .ask = ask_gzip},
        {.operation = "nothing", .method = HTTP_POST, .path = "/nothing", .ask = ask_nothing},
};

static int admit(void *context, struct request *request) {
        (void)context;
        if (!request_header(request, "x-refuse").at)
                return 0;
        edge_answer_problem(request, 401, "UNAUTHENTICATED", "Log in first.", 7);
        return 1;
}

static int64_t now_ms(void *context) {
        (void)context;
        struct timespec now;
        (void)clock_gettime(CLOCK_REALTIME, &now);
        return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t monotonic_us(void) {
        struct timespec now;
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void fill(void *context, void *bytes, size_t n) {
        (void)context;
        memset(bytes, 7, n);
}

void kit_new(struct kit *kit, const struct edge_config *config) {
        struct edge_config whole = config ? *config : (struct edge_config){0};
        whole.host = "127.0.0.1";
        whole.loops = whole.loops > 0 ? whole.loops : 1;
        whole.server_name = "kit";
        whole.now_ms = now_ms;
        whole.monotonic_us = monotonic_us;
        whole.trace_fill = fill;
        *kit = (struct kit){.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
        assert_int_equal(edge_new(&kit->edge, &whole), 0);
        for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
                edge_add_route(kit->edge, &routes[i], kit);
        edge_set_gate(kit->edge, &(struct edge_gate){.admit = admit});
        for (size_t i = 0; i < sizeof big; i++)
                big[i] = (char)('a' + i % 23);
}

void kit_start(struct kit *kit) {
        assert_int_equal(edge_start(kit->edge), 0);
}

void kit_open(struct kit *kit) {
        kit_new(kit, NULL);
        kit_start(kit);
}

void kit_close(struct kit *kit) {
        edge_stop(kit->edge, KIT_PATIENCE_SECONDS);
        kit->edge = edge_free(kit->edge);
}

struct later *kit_held(struct kit *kit) {
        struct timespec until;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += KIT_PATIENCE_SECONDS;
        (void)pthread_mutex_lock(&kit->mutex);
        while (!kit->held && pthread_cond_timedwait(&kit->changed, &kit->mutex, &until) == 0)
                ;
        struct later *later = kit->held;
        if (later)
                kit->held = later->next;
        (void)pthread_mutex_unlock(&kit->mutex);
        assert_non_null(later);
        return later;
}

void kit_answer(struct later *later) {
        edge_post(later->request->loop, &later->parcel);
}

void kit_wait_open(struct kit *kit, uint64_t open) {
        int64_t until = monotonic_us() + KIT_PATIENCE_SECONDS * 1000000;
        struct edge_figures figures;
        edge_figures(kit->edge, &figures);
        while (figures.open != open && monotonic_us() < until) {
                (void)poll(NULL, 0, 1);
                edge_figures(kit->edge, &figures);
        }
        assert_int_equal(figures.open, open);
}

/* --- the client --- */

int client_open(const struct kit *kit) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(edge_port(kit->edge)),
                                      .sin_addr = {htonl(INADDR_LOOPBACK)}};
        struct timeval patience = {.tv_sec = KIT_PATIENCE_SECONDS};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
        return fd;
}

void client_say(int fd, struct text bytes) {
        while (bytes.length > 0) {
                ssize_t n = send(fd, bytes.at, bytes.length, MSG_NOSIGNAL);
                assert_true(n > 0);
                bytes = (struct text){bytes.at + n, bytes.length - (size_t)n};
        }
}

void client_end(int fd) {
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
}

void client_vanish(int fd) {
        struct linger none = {.l_onoff = 1, .l_linger = 0};
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none), 0);
        close(fd);
}

static void hear_exactly(int fd, char *to, size_t n) {
        for (size_t have = 0; have < n;) {
                ssize_t now = recv(fd, to + have, n - have, 0);
                if (now <= 0)
                        fail_msg("the connection ended in the middle of an answer: %s", now < 0 ? strerror(errno) : "closed");
                have += (size_t)now;
        }
}

const char *heard_header(const struct heard *heard, const char *name) {
        size_t length = strlen(name);
        for (const char *line = strchr(heard->head, '\n'); line; line = strchr(line, '\n')) {
                line++;
                if (strncasecmp(line, name, length) == 0 && line[length] == ':')
                        return line + length + 2;
        }
        return NULL;
}

void client_hear(int fd, struct heard *heard, bool head_only) {
        size_t n = 0;
        do {
                assert_true(n + 1 < sizeof heard->head);
                hear_exactly(fd, heard->head + n, 1);
                n++;
        } while (n < 4 || memcmp(heard->head + n - 4, "\r\n\r\n", 4) != 0);
        heard->head[n] = 0;
        assert_memory_equal(heard->head, "HTTP/1.1 ", 9);
        heard->status = (int)strtol(heard->head + 9, NULL, 10);
        buffer_init(&heard->body, 64 * 1024 * 1024);
        const char *length = heard_header(heard, "Content-Length");
        if (!head_only && length) {
                size_t body = strtoul(length, NULL, 10);
                hear_exactly(fd, buffer_reserve(&heard->body, body + 1), body);
                heard->body.length = body;
                heard->body.at[body] = 0;
        }
}

void client_hears(int fd, int status, const char *in_body) {
        struct heard heard;
        client_hear(fd, &heard, false);
        const char *body = heard.body.at ? heard.body.at : "";
        if (heard.status != status || !strstr(body, in_body))
                fail_msg("not %d with \"%s\" but:\n%s%s", status, in_body, heard.head, body);
        buffer_deinit(&heard.body);
}

void client_hears_end(int fd) {
        char byte;
        ssize_t n = recv(fd, &byte, 1, 0);
        if (n != 0)
                fail_msg("not the end of the connection but %s", n < 0 ? strerror(errno) : "a byte");
}
