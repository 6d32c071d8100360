/* gateway.h: the single entry: who asks (token, remembered once verified, in a bounded cache per loop), may they (role),
 * how often (GCRA per account or address). It is the edge's gate. */
#ifndef TICKETRUSH_SERVICE_GATEWAY_H
#define TICKETRUSH_SERVICE_GATEWAY_H

#include <stdint.h>

struct clock;
struct edge;
struct edge_gate;
struct gateway;
struct token_key;

/* route.access: */
enum access {
        ACCESS_PUBLIC,
        ACCESS_ACCOUNT,
        ACCESS_ORGANISER,
        ACCESS_GATE,     /* gate staff and organisers */
        ACCESS_OPERATOR, /* an operator may go everywhere */
        ACCESS_OPTIONAL, /* a token is used if given */
};
/* route.limit_class: */
enum limit_class { LIMIT_NONE, LIMIT_SIGN_IN /* per address */, LIMIT_COMMAND /* per account */, LIMIT_CLASSES };

struct gateway_limit { uint32_t per_minute, burst; }; /* per_minute 0: not limited */
struct gateway_config {
        const struct token_key *key;
        struct clock *clock;
        unsigned loops;
        struct gateway_limit limits[LIMIT_CLASSES];
};
int gateway_new(struct gateway **ret_gateway, const struct gateway_config *config);
struct gateway *gateway_free(struct gateway *gateway);
struct edge_gate gateway_gate(struct gateway *gateway);

#endif
