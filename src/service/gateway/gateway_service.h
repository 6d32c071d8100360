/* gateway_service.h: what the gate knows: tokens it has seen, and how often who has asked. No HTTP here. */
#ifndef TICKETRUSH_SERVICE_GATEWAY_SERVICE_H
#define TICKETRUSH_SERVICE_GATEWAY_SERVICE_H

#include "service/gateway/gateway.h"
#include "service/user/user.h"

/* The outcome of token_verify. `loop` is whoever asks, always the same pointer on one thread: each has its own table. */
int gateway_identify(struct gateway *gateway, const void *loop, struct text token, struct token_claims *ret_claims);
/* May a role go where `access` is asked for? */
bool gateway_permits(enum access access, enum role role);
/* 0: admitted. Otherwise microseconds to wait. account 0: the address counts. Any thread. */
int64_t gateway_pace(struct gateway *gateway, enum limit_class limit, account_id account, uint64_t address_hash);
/* As configured. */
struct gateway_limit gateway_limit_of(const struct gateway *gateway, enum limit_class limit);

#endif
