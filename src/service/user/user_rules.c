#include "service/user/user_rules.h"

#include "base/assert.h"

static const struct text role_names[] = {
        [ROLE_BUYER] = {"buyer", 5},
        [ROLE_ORGANISER] = {"organiser", 9},
        [ROLE_GATE] = {"gate", 4},
        [ROLE_OPERATOR] = {"operator", 8},
};

struct text role_name(enum role role) {
        PRE(role >= ROLE_BUYER && role <= ROLE_OPERATOR);
        return role_names[role];
}

bool role_parse(struct text text, enum role *ret_role) {
        for (enum role role = ROLE_BUYER; role <= ROLE_OPERATOR; role++) {
                if (text_equal(text, role_names[role])) {
                        *ret_role = role;
                        return true;
                }
        }
        return false;
}

static bool is_letter_or_digit(char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9');
}

/* Dot-atom of RFC 5322: no dot at an end, no two in a row. */
static bool is_local_part(struct text local) {
        static const char others[] = "!#$%&'*+-/=?^_`{|}~";
        if (local.length == 0 || local.length > 64 || local.at[0] == '.' || local.at[local.length - 1] == '.')
                return false;
        for (size_t i = 0; i < local.length; i++) {
                char letter = local.at[i];
                if (letter == '.' && local.at[i + 1] == '.')
                        return false;
                if (letter != '.' && !is_letter_or_digit(letter) && (letter == '\0' || !strchr(others, letter)))
                        return false;
        }
        return true;
}

static bool is_domain_label(struct text label) {
        if (label.length == 0 || label.length > 63 || label.at[0] == '-' || label.at[label.length - 1] == '-')
                return false;
        for (size_t i = 0; i < label.length; i++) {
                if (label.at[i] != '-' && !is_letter_or_digit(label.at[i]))
                        return false;
        }
        return true;
}

static bool is_domain(struct text domain) {
        unsigned labels = 0;
        for (;;) {
                const char *dot = domain.length ? memchr(domain.at, '.', domain.length) : NULL;
                struct text label = {domain.at, dot ? (size_t)(dot - domain.at) : domain.length};
                if (!is_domain_label(label))
                        return false;
                labels++;
                if (!dot)
                        return labels >= 2;
                domain = (struct text){dot + 1, domain.length - label.length - 1};
        }
}

bool email_normalise(struct text email, char out[static EMAIL_BYTES_MAX], size_t *ret_length) {
        if (email.length == 0 || email.length > EMAIL_BYTES_MAX)
                return false;
        const char *at = memchr(email.at, '@', email.length);
        if (!at)
                return false;
        struct text local = {email.at, (size_t)(at - email.at)};
        struct text domain = {at + 1, email.length - local.length - 1};
        if (!is_local_part(local) || !is_domain(domain))
                return false;
        memcpy(out, email.at, email.length);
        for (size_t i = local.length + 1; i < email.length; i++) {
                if (out[i] >= 'A' && out[i] <= 'Z')
                        out[i] = (char)(out[i] + ('a' - 'A'));
        }
        *ret_length = email.length;
        return true;
}

bool name_is_readable(struct text name) {
        bool readable = false;
        for (size_t i = 0; i < name.length; i++) {
                unsigned char byte = (unsigned char)name.at[i];
                if (byte < 0x20 || byte == 0x7f)
                        return false;
                readable = readable || byte != ' ';
        }
        return readable;
}
