/* demo.h: what `serve --demo` makes through the API at the first start, and prints at every start. */
#ifndef TICKETRUSH_NODE_DEMO_H
#define TICKETRUSH_NODE_DEMO_H

#include "node/config.h"

struct node;

/* Through the node's own HTTP address: an organiser, a buyer, a venue with a real plan, an event whose schedule is on
 * sale and one that opens in two minutes; once per data folder. Prints addresses, sign-ins and curl lines that end with
 * a ticket. 0 or a negative fault with a sentence in problem. */
int demo_make(struct node *node, const struct config *config, struct buffer *problem);

#endif
