/* router.h: which route answers a path. The edge's own.
 *
 * A tree of path segments: literal children by name, and at most one child that takes any segment (a parameter). A
 * literal wins over a parameter, and the search turns back where a branch has no route for the method. */
#ifndef TICKETRUSH_EDGE_ROUTER_H
#define TICKETRUSH_EDGE_ROUTER_H

#include "edge/edge.h"

struct router_node;

struct router_entry {
        const struct route *route;
        void *service;
};

struct router {
        struct router_node *root;
        struct router_entry entries[EDGE_ROUTES_MAX]; /* in the order they were added */
        size_t count;
};

struct router_match {
        const struct router_entry *entry; /* NULL: no route for this method */
        unsigned allowed;                 /* then: which methods the path knows, as bits 1 << method; 0: nobody knows it */
        struct text parameters[EDGE_PARAMETERS_MAX];
};

int router_init(struct router *router);
void router_deinit(struct router *router);
/* The route's path is a constant: "/", or segments that are literal or {parameter}; no two routes are the same. */
void router_add(struct router *router, const struct route *route, void *service);
/* HEAD finds the route of GET. A path with an escape, an empty segment or a slash at its end is nobody's. */
void router_find(const struct router *router, enum http_method method, struct text path, struct router_match *ret_match);

#endif
