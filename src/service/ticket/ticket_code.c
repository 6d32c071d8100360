#include "service/ticket/ticket_code.h"

#include "base/assert.h"
#include "base/fault.h"
#include "base/id.h"

#include <pthread.h>
#include <stdlib.h>

static const char code_prefix[4] = {'T', 'R', '1', '.'};
_Static_assert(HOLD_SEATS_MAX <= 16, "a place has one or two digits and is at most 15");

/* --- the name of a ticket --- */

size_t ticket_format(char out[static TICKET_TEXT_MAX], purchase_id order, unsigned place) {
        PRE(place < HOLD_SEATS_MAX);
        size_t length = id_format(out, ID_TICKET, order);
        out[length++] = '-';
        length += text_from_number(out + length, place);
        out[length] = '\0';
        return length;
}

bool ticket_parse(struct text text, purchase_id *ret_order, unsigned *ret_place) {
        static const size_t id_length = sizeof ID_TICKET "_" - 1 + ID_DIGITS;
        if (text.length < id_length + 2 || text.at[id_length] != '-')
                return false;
        purchase_id order = id_parse((struct text){text.at, id_length}, ID_TICKET);
        struct text digits = {text.at + id_length + 1, text.length - id_length - 1};
        uint64_t place;
        if (!order || !text_to_number(digits, HOLD_SEATS_MAX - 1, &place) || digits.length != (place < 10 ? 1 : 2))
                return false;
        *ret_order = order;
        *ret_place = (unsigned)place;
        return true;
}

/* --- the code --- */

static uint8_t *put_number(uint8_t *at, uint64_t number, unsigned bytes) {
        for (unsigned i = 0; i < bytes; i++)
                at[i] = (uint8_t)(number >> 8 * (bytes - 1 - i));
        return at + bytes;
}

static uint64_t get_number(const uint8_t **at, unsigned bytes) {
        uint64_t number = 0;
        for (unsigned i = 0; i < bytes; i++)
                number = number << 8 | (*at)[i];
        *at += bytes;
        return number;
}

void ticket_code_sign(char out[static TICKET_CODE_LENGTH], const struct token_key *key,
                      const struct ticket_claims *claims) {
        uint8_t bytes[TICKET_CODE_CLAIMS_BYTES], *at = bytes;
        at = put_number(at, claims->order, 8);
        at = put_number(at, claims->place, 1);
        at = put_number(at, claims->schedule, 8);
        put_number(at, claims->seat, 4);
        memcpy(out, code_prefix, sizeof code_prefix);
        text_base64url_encode(out + sizeof code_prefix, bytes, sizeof bytes);
        uint8_t signature[CRYPTO_SIGNATURE_BYTES];
        crypto_signature(signature, out, TICKET_CODE_SIGNED_LENGTH, key->secret);
        out[TICKET_CODE_SIGNED_LENGTH] = '.';
        text_base64url_encode(out + TICKET_CODE_SIGNED_LENGTH + 1, signature, sizeof signature);
}

bool ticket_code_verify(const struct token_key *key, struct text code, struct ticket_claims *ret_claims) {
        if (code.length != TICKET_CODE_LENGTH || memcmp(code.at, code_prefix, sizeof code_prefix) != 0 ||
            code.at[TICKET_CODE_SIGNED_LENGTH] != '.')
                return false;
        struct text claims = {code.at + sizeof code_prefix, TICKET_CODE_SIGNED_LENGTH - sizeof code_prefix};
        struct text signed_by = {code.at + TICKET_CODE_SIGNED_LENGTH + 1,
                                 TICKET_CODE_LENGTH - TICKET_CODE_SIGNED_LENGTH - 1};
        uint8_t bytes[TICKET_CODE_CLAIMS_BYTES], signature[CRYPTO_SIGNATURE_BYTES], right[CRYPTO_SIGNATURE_BYTES];
        size_t length;
        if (!text_base64url_decode(claims, bytes, sizeof bytes, &length) ||
            !text_base64url_decode(signed_by, signature, sizeof signature, &length))
                return false;
        /* Made again and compared, as in token.c. */
        crypto_signature(right, code.at, TICKET_CODE_SIGNED_LENGTH, key->secret);
        if (!crypto_equal(signature, right, sizeof right))
                return false;
        const uint8_t *at = bytes;
        struct ticket_claims read;
        read.order = get_number(&at, 8);
        read.place = (uint8_t)get_number(&at, 1);
        read.schedule = get_number(&at, 8);
        read.seat = (seat_index)get_number(&at, 4);
        if (!read.order || read.place >= HOLD_SEATS_MAX)
                return false;
        *ret_claims = read;
        return true;
}

/* --- codes shown lately --- */

struct code_place {
        struct ticket_claims claims;
        char code[TICKET_CODE_LENGTH];
};

struct ticket_codes {
        struct code_place *places;
        pthread_mutex_t locks[TICKET_CODE_LOCKS];
};

int ticket_codes_new(struct ticket_codes **ret_codes) {
        struct ticket_codes *codes = calloc(1, sizeof *codes);
        if (!codes)
                return -ENOMEM;
        codes->places = calloc(TICKET_CODES_MAX, sizeof *codes->places);
        if (!codes->places) {
                free(codes);
                return -ENOMEM;
        }
        for (unsigned i = 0; i < TICKET_CODE_LOCKS; i++)
                pthread_mutex_init(&codes->locks[i], NULL);
        *ret_codes = codes;
        return 0;
}

struct ticket_codes *ticket_codes_free(struct ticket_codes *codes) {
        if (!codes)
                return NULL;
        for (unsigned i = 0; i < TICKET_CODE_LOCKS; i++)
                pthread_mutex_destroy(&codes->locks[i]);
        free(codes->places);
        free(codes);
        return NULL;
}

static bool claims_equal(const struct ticket_claims *a, const struct ticket_claims *b) {
        return a->order == b->order && a->place == b->place && a->schedule == b->schedule && a->seat == b->seat;
}

void ticket_codes_show(struct ticket_codes *codes, char out[static TICKET_CODE_LENGTH], const struct token_key *key,
                       const struct ticket_claims *claims) {
        PRE(claims->order != 0);
        uint64_t name[2] = {claims->order, claims->place};
        size_t index = text_hash(name, sizeof name, 0) % TICKET_CODES_MAX;
        struct code_place *place = &codes->places[index];
        pthread_mutex_t *lock = &codes->locks[index % TICKET_CODE_LOCKS];
        pthread_mutex_lock(lock);
        bool known = claims_equal(&place->claims, claims);
        if (known)
                memcpy(out, place->code, TICKET_CODE_LENGTH);
        pthread_mutex_unlock(lock);
        if (known)
                return;

        ticket_code_sign(out, key, claims);
        pthread_mutex_lock(lock);
        place->claims = *claims;
        memcpy(place->code, out, TICKET_CODE_LENGTH);
        pthread_mutex_unlock(lock);
}
