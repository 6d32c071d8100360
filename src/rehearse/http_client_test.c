/* The blocking client against a server of a few lines that plays back bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rehearse/http_client.h"

/* Accepts one connection, reads up to the last bytes of the request, sends the pieces one by one, closes. */
struct player {
        int listener;
        pthread_t thread;
        const char *request_ends;
        const char *pieces[4];
        char seen[1024];
        size_t seen_length;
};

static void *play(void *context) {
        struct player *player = context;
        int fd = accept(player->listener, 0, 0);
        size_t end = strlen(player->request_ends);
        for (;;) {
                ssize_t n =
                        recv(fd, player->seen + player->seen_length, sizeof player->seen - 1 - player->seen_length, 0);
                if (n <= 0)
                        break;
                player->seen_length += (size_t)n;
                if (player->seen_length >= end &&
                    !memcmp(player->seen + player->seen_length - end, player->request_ends, end))
                        break;
        }
        for (unsigned i = 0; i < 4 && player->pieces[i]; i++)
                send(fd, player->pieces[i], strlen(player->pieces[i]), MSG_NOSIGNAL);
        close(fd);
        return 0;
}

static uint16_t player_start(struct player *player) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof address;
        player->listener = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(bind(player->listener, (struct sockaddr *)&address, sizeof address), 0);
        assert_int_equal(listen(player->listener, 1), 0);
        assert_int_equal(getsockname(player->listener, (struct sockaddr *)&address, &length), 0);
        assert_int_equal(pthread_create(&player->thread, 0, play, player), 0);
        return ntohs(address.sin_port);
}

static void player_end(struct player *player) {
        pthread_join(player->thread, 0);
        close(player->listener);
}

static void test_call(void **state) {
        (void)state;
        struct player player = {.request_ends = "{\"x\":1}",
                                .pieces = {"HTTP/1.1 201 Crea", "ted\r\nContent-Length: 5\r\n", "\r\nhel", "lo"}};
        struct http_place place = {.host = "127.0.0.1", .port = player_start(&player)};
        struct http_answer answer;
        struct buffer raw;
        buffer_init(&raw, 4096 * 1024);
        assert_int_equal(http_call(&place, "POST", "/p", TEXT("tok"), "A: b\r\n", TEXT("{\"x\":1}"), &raw, &answer), 0);
        player_end(&player);
        assert_int_equal(answer.status, 201);
        assert_int_equal(answer.body.length, 5);
        assert_memory_equal(answer.body.at, "hello", 5);
        player.seen[player.seen_length] = 0;
        assert_non_null(strstr(player.seen, "POST /p HTTP/1.1\r\n"));
        assert_non_null(strstr(player.seen, "Authorization: Bearer tok\r\nA: b\r\n"));
        assert_non_null(strstr(player.seen, "Content-Length: 7\r\n\r\n{\"x\":1}"));
        buffer_deinit(&raw);
}

static void test_cut_off_and_nonsense(void **state) {
        (void)state;
        static const struct {
                const char *piece;
                int fault;
        } cases[] = {
                {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", -ECONNRESET},
                {"SMTP ready\r\n", -EPROTO},
        };
        for (unsigned i = 0; i < 2; i++) {
                struct player player = {.request_ends = "\r\n\r\n", .pieces = {cases[i].piece}};
                struct http_place place = {.host = "127.0.0.1", .port = player_start(&player)};
                struct http_answer answer;
                struct buffer raw;
                buffer_init(&raw, 4096 * 1024);
                assert_int_equal(http_call(&place, "GET", "/", (struct text){0}, 0, (struct text){0}, &raw, &answer),
                                 cases[i].fault);
                player_end(&player);
                buffer_deinit(&raw);
        }
}

static void test_nobody_there(void **state) {
        (void)state;
        struct player player = {.request_ends = "", .pieces = {0}};
        struct http_place place = {.host = "127.0.0.1", .port = player_start(&player)};
        int fd = http_connect(&place);
        assert_true(fd >= 0);
        close(fd);
        player_end(&player);
        assert_int_equal(http_connect(&place), -ECONNREFUSED);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_call),
                cmocka_unit_test(test_cut_off_and_nonsense),
                cmocka_unit_test(test_nobody_there),
        };
        return cmocka_run_group_tests(tests, 0, 0);
}
