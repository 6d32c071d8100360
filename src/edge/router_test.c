/* Which route answers which path, and what a path without one is told. */
#include "base/unit_test.h"
#include "edge/router.h"

#include <stdio.h>

static void ask(void *service, struct request *request) {
        (void)service;
        (void)request;
}

static const struct route routes[] = {
        {.operation = "root", .method = HTTP_GET, .path = "/", .ask = ask},
        {.operation = "list", .method = HTTP_GET, .path = "/api/v1/holds", .ask = ask},
        {.operation = "create", .method = HTTP_POST, .path = "/api/v1/holds", .ask = ask},
        {.operation = "read", .method = HTTP_GET, .path = "/api/v1/holds/{holdId}", .ask = ask},
        {.operation = "release", .method = HTTP_DELETE, .path = "/api/v1/holds/{holdId}", .ask = ask},
        {.operation = "best", .method = HTTP_POST, .path = "/api/v1/holds/best", .ask = ask},
        {.operation = "seat", .method = HTTP_GET, .path = "/api/v1/holds/{holdId}/seats/{seat}", .ask = ask},
        {.operation = "bestTest", .method = HTTP_GET, .path = "/api/v1/holds/best/test", .ask = ask},
        {.operation = "deep", .method = HTTP_GET, .path = "/{a}/{b}/{c}/{d}", .ask = ask},
};

static const struct {
        enum http_method method;
        const char *path;
        const char *operation; /* NULL: none */
        unsigned allowed;      /* then */
        const char *first, *second;
} rows[] = {
#define BIT(method) (1u << (method))
        {HTTP_GET, "/", "root", 0, NULL, NULL},
        {HTTP_GET, "/api/v1/holds", "list", 0, NULL, NULL},
        {HTTP_HEAD, "/api/v1/holds", "list", 0, NULL, NULL},
        {HTTP_POST, "/api/v1/holds", "create", 0, NULL, NULL},
        {HTTP_GET, "/api/v1/holds/hold_1", "read", 0, "hold_1", NULL},
        {HTTP_DELETE, "/api/v1/holds/hold_1", "release", 0, "hold_1", NULL},
        {HTTP_GET, "/api/v1/holds/hold_1/seats/A-1", "seat", 0, "hold_1", "A-1"},
        {HTTP_POST, "/api/v1/holds/best", "best", 0, NULL, NULL},
        {HTTP_GET, "/api/v1/holds/best", "read", 0, "best", NULL}, /* turns back: the literal has no GET */
        {HTTP_GET, "/api/v1/holds/best/test", "bestTest", 0, NULL, NULL},
        {HTTP_GET, "/api/v1/holds/best/seats/B-2", "seat", 0, "best", "B-2"},
        {HTTP_GET, "/api/v1/x/y", "deep", 0, "api", "v1"},
        {HTTP_GET, "/api/v1/holds/", NULL, 0, NULL, NULL},
        {HTTP_GET, "/api/v1/holds/a/seats", NULL, 0, NULL, NULL},
        {HTTP_GET, "/api/v1/holds/a/seats/", NULL, 0, NULL, NULL},
        {HTTP_GET, "/api/v1//holds", NULL, 0, NULL, NULL},
        {HTTP_GET, "//", NULL, 0, NULL, NULL},
        {HTTP_GET, "/api", NULL, 0, NULL, NULL},
        {HTTP_GET, "/API/v1/holds", NULL, 0, NULL, NULL},
        {HTTP_GET, "/api/v1/hold", NULL, 0, NULL, NULL},
        {HTTP_GET, "/api/v1/holdss", NULL, 0, NULL, NULL},
        {HTTP_GET, "/api/v1/holds/hold%5f1", NULL, 0, NULL, NULL},
        {HTTP_GET, "/a/b/c/d/e", NULL, 0, NULL, NULL},
        {HTTP_OPTIONS, "*", NULL, 0, NULL, NULL},
        {HTTP_PUT, "/api/v1/holds", NULL, BIT(HTTP_GET) | BIT(HTTP_HEAD) | BIT(HTTP_POST), NULL, NULL},
        {HTTP_PUT, "/api/v1/holds/best", NULL, BIT(HTTP_GET) | BIT(HTTP_HEAD) | BIT(HTTP_POST) | BIT(HTTP_DELETE), NULL, NULL},
        {HTTP_OPTIONS, "/", NULL, BIT(HTTP_GET) | BIT(HTTP_HEAD), NULL, NULL},
};

static void paths(void **state) {
        (void)state;
        struct router *router = malloc(sizeof *router);
        assert_int_equal(router_init(router), 0);
        for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
                router_add(router, &routes[i], NULL);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                struct router_match match;
                router_find(router, rows[i].method, text_of(rows[i].path), &match);
                const char *operation = match.entry ? match.entry->route->operation : "none";
                if (strcmp(operation, rows[i].operation ? rows[i].operation : "none") != 0)
                        fail_msg("%d %s: %s", (int)rows[i].method, rows[i].path, operation);
                if (!match.entry)
                        assert_int_equal(match.allowed, rows[i].allowed);
                if (rows[i].first)
                        assert_true(text_equal(match.parameters[0], text_of(rows[i].first)));
                if (rows[i].second)
                        assert_true(text_equal(match.parameters[1], text_of(rows[i].second)));
        }
        router_deinit(router);
        free(router);
}

static void promises(void **state) {
        (void)state;
        struct router *router = malloc(sizeof *router);
        assert_int_equal(router_init(router), 0);
        router_add(router, &routes[1], NULL);
        static const struct route wrong[] = {
                {.operation = "twice", .method = HTTP_GET, .path = "/api/v1/holds", .ask = ask},
                {.operation = "slash", .method = HTTP_GET, .path = "/api/", .ask = ask},
                {.operation = "empty", .method = HTTP_GET, .path = "/api//v1", .ask = ask},
                {.operation = "open", .method = HTTP_GET, .path = "/api/{id", .ask = ask},
                {.operation = "nameless", .method = HTTP_GET, .path = "/api/{}", .ask = ask},
                {.operation = "relative", .method = HTTP_GET, .path = "api", .ask = ask},
                {.operation = "head", .method = HTTP_HEAD, .path = "/x", .ask = ask},
                {.operation = "many", .method = HTTP_GET, .path = "/{a}/{b}/{c}/{d}/{e}", .ask = ask},
                {.operation = "silent", .method = HTTP_GET, .path = "/y"},
        };
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
                if (!ABORTS(router_add(router, &wrong[i], NULL)))
                        fail_msg("%s was taken", wrong[i].operation);
        }
        router_deinit(router);
        free(router);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(paths), cmocka_unit_test(promises)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
