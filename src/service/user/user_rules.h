/* user_rules.h: what an e-mail address, a name and a role are. Pure. */
#ifndef TICKETRUSH_SERVICE_USER_RULES_H
#define TICKETRUSH_SERVICE_USER_RULES_H

#include "base/text.h"
#include "service/limits.h"
#include "service/vocabulary.h"

/* buyer, organiser, gate, operator: as the API and tokens spell it. */
struct text role_name(enum role role);
bool role_parse(struct text text, enum role *ret_role);

/* local@domain: the local part as RFC 5321 allows without quotes, a domain of at least two labels, put into lower case.
 * False if it is anything else; otherwise *ret_length bytes at out. */
bool email_normalise(struct text email, char out[static EMAIL_BYTES_MAX], size_t *ret_length);
/* A name people can read: not only blanks, no control characters. (Its length is the body reader's business.) */
bool name_is_readable(struct text name);

#endif
