/* http_answer.c: status line, headers up to the empty line, Content-Length bytes of body. */
#include "rehearse/http_answer.h"

enum { STATUS_LINE_MIN = 13 /* "HTTP/1.1 200 " */ };

struct head {
        int status;
        bool close, has_length;
        unsigned retry_after;
        uint64_t content_length;
};

static bool parse_status_line(struct head *head, struct text line) {
        if (line.length < STATUS_LINE_MIN || memcmp(line.at, "HTTP/1.1 ", 9) != 0 || line.at[12] != ' ')
                return false;
        uint64_t status;
        if (!text_to_number((struct text){line.at + 9, 3}, 599, &status) || status < 200)
                return false;
        head->status = (int)status;
        return true;
}

static struct text trimmed(struct text text) {
        while (text.length && (*text.at == ' ' || *text.at == '\t')) {
                text.at++;
                text.length--;
        }
        while (text.length && (text.at[text.length - 1] == ' ' || text.at[text.length - 1] == '\t'))
                text.length--;
        return text;
}

/* Framing and the two headers we act on; the rest is skipped by its first letter. */
static bool parse_header(struct head *head, struct text line) {
        const char *colon = memchr(line.at, ':', line.length);
        if (!colon || colon == line.at || line.at[0] == ' ' || line.at[0] == '\t')
                return false;
        char letter = (char)(line.at[0] | 0x20);
        if (letter != 'c' && letter != 'r' && letter != 't')
                return true;
        struct text name = {line.at, (size_t)(colon - line.at)};
        struct text value = trimmed((struct text){colon + 1, line.length - name.length - 1});
        uint64_t seconds;
        if (text_equal_nocase(name, TEXT("content-length"))) {
                if (head->has_length || !text_to_number(value, HTTP_ANSWER_BODY_MAX, &head->content_length))
                        return false;
                head->has_length = true;
        } else if (text_equal_nocase(name, TEXT("transfer-encoding"))) {
                return false;
        } else if (text_equal_nocase(name, TEXT("connection"))) {
                head->close = text_equal_nocase(value, TEXT("close"));
        } else if (text_equal_nocase(name, TEXT("retry-after"))) {
                if (!text_to_number(value, 86400, &seconds))
                        return false;
                head->retry_after = (unsigned)seconds;
        }
        return true;
}

int64_t http_answer_parse(struct http_answer *ret_answer, const char *bytes, size_t n) {
        struct head head = {0};
        size_t at = 0;
        for (bool first = true;; first = false) {
                const char *newline = at < n ? memchr(bytes + at, '\n', n - at) : 0;
                if (!newline)
                        return n - at > HTTP_ANSWER_HEAD_MAX || n > HTTP_ANSWER_HEAD_MAX ? -1 : 0;
                struct text line = {bytes + at, (size_t)(newline - (bytes + at))};
                at += line.length + 1;
                if (line.length == 0 || line.at[line.length - 1] != '\r' || at > HTTP_ANSWER_HEAD_MAX)
                        return -1;
                line.length--;
                if (!first && line.length == 0)
                        break;
                if (first ? !parse_status_line(&head, line) : !parse_header(&head, line))
                        return -1;
        }
        bool bodiless = head.status == 204 || head.status == 304;
        if (!bodiless && !head.has_length)
                return -1;
        uint64_t length = bodiless ? 0 : head.content_length;
        if (n - at < length)
                return 0;
        *ret_answer = (struct http_answer){.status = head.status,
                                           .close = head.close,
                                           .retry_after = head.retry_after,
                                           .body = {bytes + at, (size_t)length}};
        return (int64_t)(at + length);
}
