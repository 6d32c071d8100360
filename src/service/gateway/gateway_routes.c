/* gateway_routes.c: the edge's gate, passed by every request before its route.
 *
 *   who     Authorization: Bearer → claims (verified once, then remembered)
 *   may     the route's access word against the role
 *   often   the route's limit class against the account, or against the address of who has none
 *
 * Runs on the loops' threads; a known token costs a hash and a look. */
#include "edge/edge.h"
#include "service/gateway/gateway_service.h"
#include "service/gateway/gateway_tokens.h"

#define REFUSED(reason)                                                                                \
        {                                                                                              \
                .name = "ticketrush_gateway_refused_total", .help = "Requests that the gate refused.", \
                .labels = "reason=\"" reason "\""                                                      \
        }
static struct metric refused_unauthenticated = REFUSED("unauthenticated");
static struct metric refused_forbidden = REFUSED("forbidden");
static struct metric refused_rate = REFUSED("rate");

static int refuse_unauthenticated(struct request *request, const char *challenge, const char *detail) {
        struct answer_header header = {"WWW-Authenticate", text_of(challenge)};
        metric_add(&refused_unauthenticated, 1);
        edge_answer_problem_with(request, 401, "UNAUTHENTICATED", detail, 0, &header, 1);
        return 1;
}

static int refuse_token(struct request *request, int outcome) {
        static const char challenge[] = "Bearer error=\"invalid_token\"";
        if (outcome == TOKEN_EXPIRED)
                return refuse_unauthenticated(request, challenge, "The access token has ended; log in again.");
        return refuse_unauthenticated(request, challenge, "The access token is not one of ours; log in to get one.");
}

/* "Bearer <token>"; the scheme in any case (RFC 9110). */
static bool bearer_token(struct text value, struct text *ret_token) {
        static const size_t scheme = sizeof "Bearer " - 1;
        if (value.length <= scheme || !text_equal_nocase((struct text){value.at, scheme}, TEXT("Bearer ")))
                return false;
        *ret_token = (struct text){value.at + scheme, value.length - scheme};
        return true;
}

static int identify(struct gateway *gateway, struct request *request) {
        enum access access = (enum access)request->route->access;
        struct text value = request_header(request, "authorization"), token;
        if (!value.at) {
                if (access == ACCESS_OPTIONAL)
                        return 0;
                return refuse_unauthenticated(request, "Bearer",
                                              "Log in, and send the access token as Authorization: Bearer.");
        }
        if (!bearer_token(value, &token))
                return refuse_unauthenticated(request, "Bearer",
                                              "Authorization must be the word Bearer and an access token.");
        struct token_claims claims;
        int outcome = gateway_identify(gateway, request->loop, token, &claims);
        if (outcome != TOKEN_OK)
                return refuse_token(request, outcome);
        request->caller =
                (struct caller){.account = claims.account, .role = (int)claims.role, .expires_at = claims.expires_at};
        if (gateway_permits(access, claims.role))
                return 0;
        metric_add(&refused_forbidden, 1);
        edge_answer_problem(request, 403, "FORBIDDEN",
                            "This account's role may not do this; ask an operator for the role it needs.", 0);
        return 1;
}

static int refuse_pace(struct gateway *gateway, struct request *request, int64_t wait_us) {
        char limit_text[TEXT_NUMBER_MAX], reset_text[TEXT_NUMBER_MAX];
        unsigned seconds = (unsigned)((wait_us + 999999) / 1000000);
        struct gateway_limit limit = gateway_limit_of(gateway, (enum limit_class)request->route->limit_class);
        struct answer_header headers[] = {
                {"RateLimit-Limit", {limit_text, text_from_number(limit_text, limit.burst > 1 ? limit.burst : 1)}},
                {"RateLimit-Remaining", TEXT("0")},
                {"RateLimit-Reset", {reset_text, text_from_number(reset_text, seconds)}},
        };
        metric_add(&refused_rate, 1);
        edge_answer_problem_with(request, 429, "RATE_LIMITED", "That was too often; wait as long as Retry-After says.",
                                 seconds, headers, sizeof headers / sizeof *headers);
        return 1;
}

static int admit(void *context, struct request *request) {
        struct gateway *gateway = context;
        const struct route *route = request->route;
        request->caller = (struct caller){0};
        if (route->access != ACCESS_PUBLIC && identify(gateway, request))
                return 1;
        if (route->limit_class == LIMIT_NONE)
                return 0;
        int64_t wait = gateway_pace(gateway, (enum limit_class)route->limit_class, request->caller.account,
                                    request->peer_hash);
        return wait > 0 ? refuse_pace(gateway, request, wait) : 0;
}

struct edge_gate gateway_gate(struct gateway *gateway) {
        metrics_register(&refused_unauthenticated);
        metrics_register(&refused_forbidden);
        metrics_register(&refused_rate);
        metrics_register(&tokens_verified);
        return (struct edge_gate){.admit = admit, .context = gateway};
}
