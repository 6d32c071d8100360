/* queue_pass.c: a pass is a right that proves itself: 48 bytes in base64url, signed with a key of the data folder.
 *
 *   | schedule 8 | account 8 | entry number 8 | ends at 8 | first 16 bytes of HMAC-SHA-256 of these 32 |   big endian
 *
 * Any thread checks one without memory or the lane, so a request without a pass costs next to nothing. Whether the
 * entry is still admitted, the lane decides (queue_is_admitted). */
#include "service/queue/queue_service.h"

#include "base/assert.h"

enum { PASS_SIGNED_BYTES = 32, PASS_MAC_BYTES = 16, PASS_BYTES = PASS_SIGNED_BYTES + PASS_MAC_BYTES };
_Static_assert(TEXT_BASE64_LENGTH(PASS_BYTES) == PASS_TEXT_LENGTH, "the header promises the length");

static void number_write(uint8_t *at, uint64_t number) {
        for (unsigned i = 0; i < 8; i++)
                at[i] = (uint8_t)(number >> 8 * (7 - i));
}

static uint64_t number_read(const uint8_t *at) {
        uint64_t number = 0;
        for (unsigned i = 0; i < 8; i++)
                number = number << 8 | at[i];
        return number;
}

void queue_pass_write(const struct queue *queue, const struct pass *pass, char out[static PASS_TEXT_LENGTH]) {
        uint8_t bytes[PASS_BYTES], mac[CRYPTO_HASH_BYTES];
        number_write(bytes, pass->schedule);
        number_write(bytes + 8, pass->account);
        number_write(bytes + 16, pass->number);
        number_write(bytes + 24, (uint64_t)pass->ends_at);
        crypto_hmac(mac, queue->pass_key, bytes, PASS_SIGNED_BYTES);
        memcpy(bytes + PASS_SIGNED_BYTES, mac, PASS_MAC_BYTES);
        size_t length = text_base64url_encode(out, bytes, PASS_BYTES);
        POST(length == PASS_TEXT_LENGTH);
}

int queue_pass_check(const struct queue *queue, struct text pass, schedule_id schedule, account_id account,
                     int64_t now) {
        if (pass.length == 0)
                return PASS_MISSING;
        uint8_t bytes[PASS_BYTES], mac[CRYPTO_HASH_BYTES];
        size_t length = 0;
        if (pass.length != PASS_TEXT_LENGTH || !text_base64url_decode(pass, bytes, sizeof bytes, &length) ||
            length != PASS_BYTES)
                return PASS_FORGED;
        crypto_hmac(mac, queue->pass_key, bytes, PASS_SIGNED_BYTES);
        if (!crypto_equal(mac, bytes + PASS_SIGNED_BYTES, PASS_MAC_BYTES))
                return PASS_FORGED;
        if ((int64_t)number_read(bytes + 24) <= now)
                return PASS_EXPIRED;
        if (number_read(bytes) != schedule || number_read(bytes + 8) != account)
                return PASS_OTHERS;
        return PASS_OK;
}
