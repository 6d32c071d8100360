/* text_fuzz: the small texts that strangers send in paths, headers and fields: ids, times, numbers, base64url, UTF-8,
 * tickets' names and queue passes. Each is taken only if it is, letter for letter, what we would have written (a time,
 * which may be written in several ways: if it means the same moment). And whatever a text is, what our writer of JSON
 * makes of it is read back. */
#include "base/assert.h"
#include "base/id.h"
#include "base/json_writer.h"
#include "base/time_text.h"
#include "fuzz.h"
#include "port/json.h"
#include "service/queue/queue_service.h"
#include "service/ticket/ticket.h"

#include <stdlib.h>

#define NOW INT64_C(1795258800000)
enum { WRITTEN_MAX = 65536 };

static void try_id(struct text text) {
        char again[ID_TEXT_MAX];
        uint64_t id = id_parse(text, "hold");
        INVARIANT(id <= INT64_MAX);
        INVARIANT(id == 0 || text_equal(text, (struct text){again, id_format(again, "hold", id)}));
}

static void try_time(struct text text) {
        char again[TIME_TEXT_LENGTH], date[HTTP_DATE_LENGTH];
        int64_t ms = -1, same = -1;
        if (!time_parse(text, &ms)) {
                INVARIANT(ms == -1);
                return;
        }
        time_format(again, ms);
        INVARIANT(time_parse((struct text){again, sizeof again}, &same) && same == ms);
        if (text.length == sizeof again && text.at[sizeof again - 1] == 'Z')
                INVARIANT(text_equal_nocase(text, (struct text){again, sizeof again}));
        time_http_date(date, ms);
}

static void try_number(struct text text) {
        char again[TEXT_NUMBER_MAX];
        uint64_t number = 0;
        if (!text_to_number(text, INT64_MAX, &number))
                return;
        struct text canonical = {again, text_from_number(again, (int64_t)number)};
        INVARIANT(canonical.length <= text.length);
        for (size_t i = 0; i < text.length - canonical.length; i++)
                INVARIANT(text.at[i] == '0');
        INVARIANT(text_equal((struct text){text.at + text.length - canonical.length, canonical.length}, canonical));
}

static void try_base64(struct text text) {
        size_t capacity = text.length, length = 0;
        char *out = malloc(capacity + 1), *again = malloc(TEXT_BASE64_LENGTH(capacity) + 1);
        if (text_base64url_decode(text, out, capacity, &length)) {
                INVARIANT(length <= capacity);
                INVARIANT(text_equal(text, (struct text){again, text_base64url_encode(again, out, length)}));
        }
        free(again);
        again = malloc(TEXT_BASE64_LENGTH(capacity) + 1);
        size_t encoded = text_base64url_encode(again, text.at, text.length);
        INVARIANT(text_base64url_decode((struct text){again, encoded}, out, capacity, &length));
        INVARIANT(text_equal(text, (struct text){out, length}));
        free(again);
        free(out);
}

static void try_utf8(struct text text) {
        bool valid = text_is_utf8(text);
        size_t points = 0;
        struct text rest = text;
        bool all = true;
        while (rest.length > 0) {
                int step = text_utf8_step(rest);
                size_t n = (size_t)(step < 0 ? -step : step);
                INVARIANT(n > 0 && n <= rest.length && n <= 4);
                all = all && step > 0;
                points++;
                rest = (struct text){rest.at + n, rest.length - n};
        }
        INVARIANT(all == valid);
        INVARIANT(!valid || text_code_points(text) == points);
}

static void try_ticket(struct text text) {
        char again[TICKET_TEXT_MAX];
        purchase_id order;
        unsigned place;
        if (ticket_parse(text, &order, &place))
                INVARIANT(text_equal(text, (struct text){again, ticket_format(again, order, place)}));
}

static void try_pass(struct text text) {
        static const struct queue queue = {.pass_key = {1, 2, 3}};
        int outcome = queue_pass_check(&queue, text, 1, 2, NOW);
        INVARIANT(outcome == (text.length == 0 ? PASS_MISSING : PASS_FORGED)); /* nobody guesses a key */
        /* A right pass with one letter replaced by one of the input's is forged, if it is another letter. */
        char pass[PASS_TEXT_LENGTH];
        if (text.length < 2)
                return;
        queue_pass_write(&queue, &(struct pass){.schedule = 1, .account = 2, .number = 3, .ends_at = NOW + 1}, pass);
        INVARIANT(queue_pass_check(&queue, (struct text){pass, sizeof pass}, 1, 2, NOW) == PASS_OK);
        char *letter = &pass[(uint8_t)text.at[0] % PASS_TEXT_LENGTH];
        bool same = *letter == text.at[1];
        *letter = text.at[1];
        INVARIANT(queue_pass_check(&queue, (struct text){pass, sizeof pass}, 1, 2, NOW) == (same ? PASS_OK : PASS_FORGED));
}

/* A NUL is written as \u0000, which the reader takes nowhere; what is no UTF-8 comes back as replacement characters. */
static void try_json(struct text text) {
        static const struct json_field fields[] = {{.name = "text", .type = JSON_TEXT, .max = INT64_MAX}, {0}};
        struct buffer out;
        struct json_writer json;
        struct arena arena;
        struct text back = {0};
        char problem[JSON_PROBLEM_MAX];
        buffer_init(&out, WRITTEN_MAX);
        json_begin(&json, &out);
        json_object(&json, NULL);
        json_text(&json, "text", text);
        json_object_end(&json);
        arena_init(&arena, WRITTEN_MAX);
        int r = json_read(buffer_text(&out), fields, &back, &arena, problem);
        INVARIANT(r == (text.length > 0 && memchr(text.at, '\0', text.length) ? 1 : 0));
        INVARIANT(r != 0 || text_is_utf8(back));
        INVARIANT(r != 0 || !text_is_utf8(text) || text_equal(text, back));
        arena_deinit(&arena);
        buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static bool started;
        if (!started)
                INVARIANT(crypto_start() == 0);
        started = true;
        char *bytes = malloc(size + 1); /* its own memory, so that a sanitizer sees a look outside */
        INVARIANT(bytes);
        if (size > 0)
                memcpy(bytes, data, size);
        struct text text = {bytes, size};
        try_id(text);
        try_time(text);
        try_number(text);
        try_base64(text);
        try_utf8(text);
        try_ticket(text);
        try_pass(text);
        try_json(text);
        free(bytes);
        return 0;
}
