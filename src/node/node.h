/* node.h: the composition root: one running program, put together from its parts. */
#ifndef TICKETRUSH_NODE_NODE_H
#define TICKETRUSH_NODE_NODE_H

#include "node/config.h"

struct edge;
struct node;

/* Opens the data folder, migrates, wires every service and starts serving. On failure one sentence in `problem` says
 * what to do, and nothing is left running. */
int node_start(struct node **ret_node, const struct config *config, struct buffer *problem);
/* Stops accepting, lets what is in flight finish, stores it, frees everything. NULL is fine; returns NULL. */
struct node *node_stop(struct node *node);
uint16_t node_port(const struct node *node);
struct edge *node_edge(struct node *node);
/* Data folder of the node, for who signs tokens with its key. */
const char *node_data(const struct node *node);

/* ops_routes.c: /healthz, /readyz, /metrics and the OpenAPI document. */
struct lane;
void node_add_ops_routes(struct edge *edge, struct lane *lane);

#endif
