/* http_client.c: connect, send, read until the answer is whole, close. */
#include "rehearse/http_client.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { READ_BYTES = 65536 };

static int connect_to(const struct addrinfo *address) {
        int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        const int one = 1;
        const struct timeval patience = {.tv_sec = HTTP_CALL_SECONDS};
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
                return fd;
        int fault = -errno;
        close(fd);
        return fault;
}

int http_connect(const struct http_place *place) {
        const struct addrinfo wish = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
        struct addrinfo *addresses = 0;
        char port[8];
        snprintf(port, sizeof port, "%u", place->port);
        if (getaddrinfo(place->host, port, &wish, &addresses) != 0)
                return -ENOENT;
        int fd = -ENOENT;
        for (const struct addrinfo *each = addresses; each && fd < 0; each = each->ai_next)
                fd = connect_to(each);
        freeaddrinfo(addresses);
        return fd;
}

static int send_all(int fd, struct text bytes) {
        while (bytes.length) {
                ssize_t sent = send(fd, bytes.at, bytes.length, MSG_NOSIGNAL);
                if (sent < 0 && errno == EINTR)
                        continue;
                if (sent <= 0)
                        return errno == EAGAIN ? -ETIMEDOUT : -errno;
                bytes.at += sent;
                bytes.length -= (size_t)sent;
        }
        return 0;
}

static int receive_answer(int fd, struct buffer *raw, struct http_answer *ret_answer) {
        for (;;) {
                int64_t length = http_answer_parse(ret_answer, raw->at, raw->length);
                if (length)
                        return length < 0 ? -EPROTO : 0;
                char *room = buffer_reserve(raw, READ_BYTES);
                if (!room)
                        return -ENOMEM;
                ssize_t n = recv(fd, room, READ_BYTES, 0);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EAGAIN ? -ETIMEDOUT : -errno;
                if (n == 0)
                        return -ECONNRESET;
                raw->length += (size_t)n;
        }
}

void http_write_host(struct buffer *out, const struct http_place *place) {
        bool v6 = strchr(place->host, ':') != 0;
        buffer_printf(out, "Host: %s%s%s:%u\r\n", v6 ? "[" : "", place->host, v6 ? "]" : "", place->port);
}

int http_call(const struct http_place *place, const char *method, const char *path, struct text token,
              const char *headers, struct text body, struct buffer *raw, struct http_answer *ret_answer) {
        int fd = http_connect(place);
        if (fd < 0)
                return fd;
        struct buffer request;
        buffer_init(&request, HTTP_CALL_BODY_MAX);
        buffer_printf(&request, "%s %s HTTP/1.1\r\nConnection: close\r\n", method, path);
        http_write_host(&request, place);
        if (token.length)
                buffer_printf(&request, "Authorization: Bearer %.*s\r\n", (int)token.length, token.at);
        buffer_add_string(&request, headers ? headers : "");
        if (body.at)
                buffer_printf(&request, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body.length);
        else if (strcmp(method, "GET") != 0)
                buffer_add_string(&request, "Content-Length: 0\r\n");
        buffer_add_string(&request, "\r\n");
        buffer_add_text(&request, body);
        buffer_clear(raw);
        int fault = request.overflowed ? -ENOMEM : send_all(fd, buffer_text(&request));
        if (!fault || fault == -EPIPE || fault == -ECONNRESET) /* refused early: the answer may be there all the same */
                fault = receive_answer(fd, raw, ret_answer);
        buffer_deinit(&request);
        close(fd);
        return fault;
}
