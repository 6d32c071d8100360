/* list_routes.c: starts the program's parts on a folder and prints its routes, one a line: operation METHOD path. The test
 * that compares the router with the OpenAPI document reads this. */
#include <stdio.h>

#include "edge/edge.h"
#include "node/node.h"

int main(int argc, char **argv) {
        static const char *const methods[] = {[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD", [HTTP_POST] = "POST", [HTTP_PUT] = "PUT",
                                              [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS"};
        const struct route *routes[EDGE_ROUTES_MAX];
        struct buffer problem;
        struct config config;
        struct node *node;
        char *flags[] = {"--data", argc > 1 ? argv[1] : "", "--listen", "127.0.0.1:0"};
        buffer_init(&problem, 65536);
        if (argc != 2 || config_read(&config, 4, flags, 0, &problem) != CONFIG_OK || node_start(&node, &config, &problem) != 0) {
                fprintf(stderr, "usage: list_routes FOLDER\n%.*s\n", (int)problem.length, problem.at);
                return 2;
        }
        size_t n = edge_routes(node_edge(node), routes, EDGE_ROUTES_MAX);
        for (size_t i = 0; i < n; i++)
                printf("%s %s %s\n", routes[i]->operation, methods[routes[i]->method], routes[i]->path);
        node_stop(node);
        buffer_deinit(&problem);
        return 0;
}
