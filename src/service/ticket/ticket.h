/* ticket.h: signed tickets, QR and gate scans: the public face of the ticket service. Its states are in ticket_rules.h.
 *
 * A ticket is named by its order's number and the seat's place in the order (0 … 15): ticket_<13 digits>-<place>.
 * The code in the QR is signed when it is first shown: TR1.<base64url(order 8, place 1, schedule 8, seat 4, big
 * endian)>.<base64url signature>, an Ed25519 signature of all that stands before the second dot. It can be verified
 * offline with a public key of /.well-known/jwks.json. */
#ifndef TICKETRUSH_SERVICE_TICKET_H
#define TICKETRUSH_SERVICE_TICKET_H

#include "base/text.h"
#include "port/clock.h"
#include "port/db.h"
#include "service/ticket/ticket_rules.h"

struct edge;
struct event_service;
struct lane;
struct order_service;
struct ticket_service;
struct token_key;

/* ticket_0c1m8t3qk0g00-0 and back; false if it is anything else. */
enum { TICKET_TEXT_MAX = 32 };
size_t ticket_format(char out[static TICKET_TEXT_MAX], purchase_id order, unsigned place);
bool ticket_parse(struct text text, purchase_id *ret_order, unsigned *ret_place);

extern const struct db_migration ticket_migrations[];
extern const size_t ticket_migration_count;

struct ticket_config {
        struct lane *lane;
        struct clock *clock;
        struct event_service *events;
        struct order_service *orders;
        const struct token_key *key;
};
int ticket_service_new(struct ticket_service **ret_service, const struct ticket_config *config);
struct ticket_service *ticket_service_free(struct ticket_service *service);
void ticket_add_routes(struct ticket_service *service, struct edge *edge);

#endif
