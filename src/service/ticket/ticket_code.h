/* ticket_code.h: the signed text in a ticket's QR (its form: ticket.h), and the codes that were shown lately.
 *
 * Signing costs 17 microseconds and always gives the same text, so a code is made when its ticket is first shown and
 * kept in a table of 16,384 places; a newer one takes the place of an older one. Any thread: a lock covers every 16th place. */
#ifndef TICKETRUSH_SERVICE_TICKET_CODE_H
#define TICKETRUSH_SERVICE_TICKET_CODE_H

#include "port/crypto.h"
#include "service/ticket/ticket.h"
#include "service/user/user.h"

enum {
        TICKET_CODE_CLAIMS_BYTES = 8 + 1 + 8 + 4,
        TICKET_CODE_SIGNED_LENGTH = 4 + TEXT_BASE64_LENGTH(TICKET_CODE_CLAIMS_BYTES),
        TICKET_CODE_LENGTH = TICKET_CODE_SIGNED_LENGTH + 1 + TEXT_BASE64_LENGTH(CRYPTO_SIGNATURE_BYTES),
        TICKET_CODES_MAX = 16384,
        TICKET_CODE_LOCKS = 16,
};

/* Not terminated. */
void ticket_code_sign(char out[static TICKET_CODE_LENGTH], const struct token_key *key, const struct ticket_claims *claims);
/* Is it a code of ours? Pure; costs one Ed25519 signature if it looks like one. */
bool ticket_code_verify(const struct token_key *key, struct text code, struct ticket_claims *ret_claims);

struct ticket_codes;
int ticket_codes_new(struct ticket_codes **ret_codes);
struct ticket_codes *ticket_codes_free(struct ticket_codes *codes);
/* As ticket_code_sign, but a code that was shown lately costs a look. */
void ticket_codes_show(struct ticket_codes *codes, char out[static TICKET_CODE_LENGTH], const struct token_key *key,
                       const struct ticket_claims *claims);

#endif
