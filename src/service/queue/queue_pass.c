/* queue_pass.c: a pass is a right that proves itself: 48 bytes in base64url, signed with a key of the data folder.
 *
 *   | schedule 8 | account 8 | entry number 8 | ends at 8 | first 16 bytes of HMAC-SHA-256 of these 32 |   big endian
 *
 * Any thread checks one without the lane, so a request without a pass costs next to nothing. Whether the entry is still
 * admitted, the lane decides (queue_is_admitted). Each thread remembers the last passes that it signed: who polls gets
 * the same pass again, and the pass that was just given out comes back with the hold. */
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

/* What was signed, with which key (its first bytes tell), and the result. */
struct signed_pass {
        uint64_t key;
        uint8_t bytes[PASS_SIGNED_BYTES], mac[PASS_MAC_BYTES];
};
enum { SIGNED_PASSES_KEPT = 2048 }; /* per thread; a power of two */
static _Thread_local struct signed_pass signed_passes[SIGNED_PASSES_KEPT];

static const uint8_t *mac_of(const struct queue *queue, const uint8_t bytes[static PASS_SIGNED_BYTES]) {
        uint64_t key;
        memcpy(&key, queue->pass_key, sizeof key);
        key |= 1; /* never that of an empty place */
        struct signed_pass *kept = &signed_passes[text_hash(bytes, PASS_SIGNED_BYTES, key) & (SIGNED_PASSES_KEPT - 1)];
        if (kept->key != key || memcmp(kept->bytes, bytes, PASS_SIGNED_BYTES) != 0) {
                uint8_t mac[CRYPTO_HASH_BYTES];
                crypto_hmac(mac, queue->pass_key, bytes, PASS_SIGNED_BYTES);
                kept->key = key;
                memcpy(kept->bytes, bytes, PASS_SIGNED_BYTES);
                memcpy(kept->mac, mac, PASS_MAC_BYTES);
        }
        return kept->mac;
}

void queue_pass_write(const struct queue *queue, const struct pass *pass, char out[static PASS_TEXT_LENGTH]) {
        uint8_t bytes[PASS_BYTES];
        number_write(bytes, pass->schedule);
        number_write(bytes + 8, pass->account);
        number_write(bytes + 16, pass->number);
        number_write(bytes + 24, (uint64_t)pass->ends_at);
        memcpy(bytes + PASS_SIGNED_BYTES, mac_of(queue, bytes), PASS_MAC_BYTES);
        size_t length = text_base64url_encode(out, bytes, PASS_BYTES);
        POST(length == PASS_TEXT_LENGTH);
}

int queue_pass_check(const struct queue *queue, struct text pass, schedule_id schedule, account_id account,
                     int64_t now) {
        if (pass.length == 0)
                return PASS_MISSING;
        uint8_t bytes[PASS_BYTES];
        size_t length = 0;
        if (pass.length != PASS_TEXT_LENGTH || !text_base64url_decode(pass, bytes, sizeof bytes, &length) ||
            length != PASS_BYTES)
                return PASS_FORGED;
        if (!crypto_equal(mac_of(queue, bytes), bytes + PASS_SIGNED_BYTES, PASS_MAC_BYTES))
                return PASS_FORGED;
        if ((int64_t)number_read(bytes + 24) <= now)
                return PASS_EXPIRED;
        if (number_read(bytes) != schedule || number_read(bytes + 8) != account)
                return PASS_OTHERS;
        return PASS_OK;
}
