/* router.c: the tree of router.h. Built once, before the loops start; read by all of them. */
#include "edge/router.h"

#include "base/assert.h"

#include <errno.h>
#include <stdlib.h>

enum { METHODS = HTTP_OPTIONS + 1 };

struct router_node {
        struct text segment; /* of the parent's literal child */
        struct router_node *literals, *next;
        struct router_node *parameter;
        const struct router_entry *entries[METHODS];
        unsigned allowed;
};

/* The first segment of a path that begins with a slash; *rest is what follows. */
static struct text segment_take(struct text *rest) {
        const char *from = rest->at + 1, *end = rest->at + rest->length;
        const char *slash = memchr(from, '/', (size_t)(end - from));
        const char *to = slash ? slash : end;
        *rest = (struct text){to, (size_t)(end - to)};
        return (struct text){from, (size_t)(to - from)};
}

static struct router_node *node_new(struct text segment) {
        struct router_node *node = calloc(1, sizeof *node);
        if (!node)
                IMPOSSIBLE("no memory for the routes");
        node->segment = segment;
        return node;
}

static void node_free(struct router_node *node) {
        while (node) {
                struct router_node *next = node->next;
                node_free(node->literals);
                node_free(node->parameter);
                free(node);
                node = next;
        }
}

int router_init(struct router *router) {
        *router = (struct router){.root = calloc(1, sizeof(struct router_node))};
        return router->root ? 0 : -ENOMEM;
}

void router_deinit(struct router *router) {
        node_free(router->root);
        router->root = NULL;
        router->count = 0;
}

static struct router_node *child_of(const struct router_node *node, struct text segment) {
        for (struct router_node *child = node->literals; child; child = child->next) {
                if (text_equal(child->segment, segment))
                        return child;
        }
        return NULL;
}

static struct router_node *child_make(struct router_node *node, struct text segment) {
        PRE(segment.length > 0);
        if (segment.at[0] == '{') {
                PRE(segment.length > 2 && segment.at[segment.length - 1] == '}');
                if (!node->parameter)
                        node->parameter = node_new(segment);
                return node->parameter;
        }
        struct router_node *child = child_of(node, segment);
        if (!child) {
                child = node_new(segment);
                child->next = node->literals;
                node->literals = child;
        }
        return child;
}

void router_add(struct router *router, const struct route *route, void *service) {
        PRE(router->count < EDGE_ROUTES_MAX);
        PRE(route->operation && route->ask && route->method >= HTTP_GET && route->method <= HTTP_OPTIONS);
        PRE(route->method != HTTP_HEAD && "GET answers it");
        PRE(route->path && route->path[0] == '/');
        struct router_node *node = router->root;
        struct text rest = text_of(route->path);
        unsigned parameters = 0;
        while (rest.length > 1 || (rest.length == 1 && node != router->root)) {
                struct text segment = segment_take(&rest);
                node = child_make(node, segment);
                parameters += segment.at[0] == '{';
        }
        PRE(parameters <= EDGE_PARAMETERS_MAX);
        PRE(!node->entries[route->method] && "one route for one method and path");

        struct router_entry *entry = &router->entries[router->count++];
        *entry = (struct router_entry){route, service};
        node->entries[route->method] = entry;
        node->allowed |= 1u << route->method;
        if (route->method == HTTP_GET)
                node->allowed |= 1u << HTTP_HEAD;
}

static bool node_find(const struct router_node *node, enum http_method method, struct text rest, unsigned depth,
                      struct router_match *match) {
        if (rest.length == 0) {
                match->entry = node->entries[method];
                match->allowed |= node->allowed;
                return match->entry != NULL;
        }
        struct text segment = segment_take(&rest);
        if (segment.length == 0)
                return false;
        const struct router_node *literal = child_of(node, segment);
        if (literal && node_find(literal, method, rest, depth, match))
                return true;
        if (!node->parameter)
                return false;
        match->parameters[depth] = segment;
        return node_find(node->parameter, method, rest, depth + 1, match);
}

void router_find(const struct router *router, enum http_method method, struct text path, struct router_match *ret_match) {
        *ret_match = (struct router_match){0};
        if (path.length == 0 || path.at[0] != '/' || memchr(path.at, '%', path.length))
                return;
        if (path.length == 1)
                path.length = 0; /* the root itself */
        node_find(router->root, method == HTTP_HEAD ? HTTP_GET : method, path, 0, ret_match);
}
