/* kit_http.c: see kit_http.h. */
#include "kit/kit_http.h"

#include "kit/kit_lane.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { REQUEST_MAX = 65536, VALUES = 16, VALUE_MAX = 512 };

char kit_heard[KIT_ANSWER_MAX];
const char *kit_heard_body = kit_heard;
static size_t heard_length;

static int64_t edge_now(void *context) {
        (void)context;
        return kit_now();
}

static void fill_trace(void *context, void *bytes, size_t n) {
        (void)context;
        memset(bytes, 7, n);
}

struct edge *kit_edge_open(int (*admit)(void *context, struct request *request)) {
        const struct edge_config config = {
                .host = "127.0.0.1", .loops = 2, .connections_max = 64, .now_ms = edge_now, .trace_fill = fill_trace};
        const struct edge_gate gate = {.admit = admit};
        struct edge *edge = NULL;
        assert_int_equal(edge_new(&edge, &config), 0);
        edge_set_gate(edge, &gate);
        return edge;
}

int kit_request(struct edge *edge, const char *method, const char *path, const char *headers, const char *body) {
        static char text[REQUEST_MAX];
        int length = snprintf(text, sizeof text, "%s %s%s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n%s", method,
                              path[1] == '.' ? "" : "/api/v1", path, headers);
        if (body)
                length += snprintf(text + length, sizeof text - (size_t)length,
                                   "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
        length += snprintf(text + length, sizeof text - (size_t)length, "\r\n%s", body ? body : "");
        assert_true(length < REQUEST_MAX);
        int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in to = {
                .sin_family = AF_INET, .sin_port = htons(edge_port(edge)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        assert_int_equal(connect(connection, (struct sockaddr *)(void *)&to, sizeof to), 0);
        assert_int_equal(send(connection, text, (size_t)length, MSG_NOSIGNAL), length);
        return connection;
}

int kit_answer(int connection) {
        ssize_t n;
        heard_length = 0;
        while ((n = recv(connection, kit_heard + heard_length, sizeof kit_heard - 1 - heard_length, 0)) > 0)
                heard_length += (size_t)n;
        close(connection);
        kit_heard[heard_length] = '\0';
        kit_heard_body = strstr(kit_heard, "\r\n\r\n");
        assert_non_null(kit_heard_body);
        kit_heard_body += 4;
        int status = 0;
        assert_int_equal(sscanf(kit_heard, "HTTP/1.1 %d", &status), 1);
        return status;
}

int kit_ask(struct edge *edge, const char *method, const char *path, const char *headers, const char *body) {
        return kit_answer(kit_request(edge, method, path, headers, body));
}

bool kit_says(const char *piece) {
        return memmem(kit_heard, heard_length, piece, strlen(piece)) != NULL;
}

void kit_assert_says(const char *piece) {
        if (!kit_says(piece))
                fail_msg("no %s in %s", piece, kit_heard);
}

const char *kit_value(const char *before, char end) {
        static char values[VALUES][VALUE_MAX];
        static unsigned next;
        char *out = values[next++ % VALUES];
        const char *at = strstr(kit_heard, before);
        if (!at)
                fail_msg("no %s in %s", before, kit_heard);
        at += strlen(before);
        size_t length = strcspn(at, (char[]){end, '\0'});
        assert_true(length < VALUE_MAX);
        memcpy(out, at, length);
        out[length] = '\0';
        return out;
}
