/* http1_fuzz: whatever comes, in whatever pieces: HTTP's parsers stay inside their bytes, and what comes in pieces meets
 * the same verdict as what comes whole.
 *
 * The first byte says how large a piece is; the others are taken as a head, as a chunked body and as a query. */
#include "base/assert.h"
#include "edge/http1.h"
#include "fuzz.h"

#include <stdlib.h>

enum { INPUT_MAX = 3 * HTTP_HEAD_MAX, PIECES_MAX = 64 };

static bool is_within(struct text text, const char *bytes, size_t n) {
        return text.length == 0 || (text.at >= bytes && text.length <= n && (size_t)(text.at - bytes) <= n - text.length);
}

static void check_head(const struct http_head *head, const char *bytes, size_t n) {
        INVARIANT(head->length <= n && head->length <= HTTP_HEAD_MAX);
        INVARIANT(head->method >= HTTP_GET && head->method <= HTTP_OPTIONS);
        INVARIANT(head->path.length > 0 && (head->path.at[0] == '/' || head->path.at[0] == '*'));
        INVARIANT(is_within(head->path, bytes, head->length) || text_equal(head->path, TEXT("/")));
        INVARIANT(is_within(head->query, bytes, head->length) && is_within(head->host, bytes, head->length));
        INVARIANT(head->host.length > 0 || head->http_1_0);
        INVARIANT(!head->chunked || (head->content_length == 0 && !head->http_1_0));
        INVARIANT(head->header_count <= HTTP_HEADERS_MAX);
        for (unsigned i = 0; i < head->header_count; i++) {
                INVARIANT(head->headers[i].name.length > 0 && is_within(head->headers[i].name, bytes, head->length));
                INVARIANT(is_within(head->headers[i].value, bytes, head->length));
                INVARIANT(!head->headers[i].value.at || !memchr(head->headers[i].value.at, '\n', head->headers[i].value.length));
        }
}

static void fuzz_head(const char *bytes, size_t n, size_t piece) {
        struct http_head head;
        int whole = http1_parse_head(&head, bytes, n);
        if (whole > 0)
                check_head(&head, bytes, n);
        int slowly = 0;
        for (size_t now = piece; now < n && slowly == 0; now += piece)
                slowly = http1_parse_head(&head, bytes, now);
        INVARIANT(slowly == 0 || slowly == whole);
}

static int join(char *out, const char *bytes, size_t n, size_t piece, size_t body_max, size_t *ret_length) {
        struct http1_chunks chunks = {0};
        size_t length = 0, taken = 0;
        int result = 0;
        while (result == 0 && taken < n) {
                size_t now = n - taken < piece ? n - taken : piece;
                memcpy(out + length, bytes + taken, now);
                length += now;
                taken += now;
                result = http1_join_chunks(&chunks, out, length, body_max);
                INVARIANT(chunks.written <= body_max && chunks.written <= chunks.read && chunks.read <= length);
                if (result == 0)
                        length = chunks.read = chunks.written;
        }
        *ret_length = chunks.written;
        return result;
}

static void fuzz_chunks(const char *bytes, size_t n, size_t piece) {
        char *one = malloc(n + 1), *two = malloc(n + 1);
        size_t body_max = piece * 37, one_length, two_length;
        int whole = join(one, bytes, n, n, body_max, &one_length), slowly = join(two, bytes, n, piece, body_max, &two_length);
        INVARIANT(whole == slowly);
        INVARIANT(whole < 0 || (one_length == two_length && memcmp(one, two, one_length) == 0));
        free(one);
        free(two);
}

static void fuzz_query(const char *bytes, size_t n, size_t piece) {
        char *out = malloc(piece);
        struct text value = {0};
        int found = http_query_value((struct text){bytes, n}, "cursor", out, piece, &value);
        INVARIANT(found >= -1 && found <= 1);
        INVARIANT(found == 1 ? value.at == out && value.length <= piece && value.length <= n : value.at == NULL);
        free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        if (size < 2 || size > INPUT_MAX)
                return 0;
        size_t n = size - 1;
        char *bytes = malloc(n); /* its own memory, so that a sanitizer sees a look outside */
        memcpy(bytes, data + 1, n);
        size_t piece = 1 + data[0] + n / PIECES_MAX;
        fuzz_head(bytes, n, piece);
        fuzz_chunks(bytes, n, piece);
        fuzz_query(bytes, n, piece);
        free(bytes);
        return 0;
}
