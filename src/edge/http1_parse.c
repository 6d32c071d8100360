/* http1_parse.c: the head of a request, line by line, left to right.
 *
 * A line is looked at when its end is there, and the first line that is wrong decides. So a head that comes byte by
 * byte meets the same verdict as one that comes whole, and a refusal never waits for what follows. What needs the whole
 * head (Host present, framing unambiguous) is judged at the empty line. Only the request line is looked at before its
 * end: who speaks another protocol (TLS) may never send one. */
#include "edge/http1.h"

#include "edge/http1_letters.h"

enum { METHOD_MAX = 32, HOST_MAX = 255, PORT_MAX = 65535 };

/* How many letters of the class stand at the beginning. */
static size_t span(struct text text, unsigned mask) {
        size_t n = 0;
        while (n < text.length && http1_is(text.at[n], mask))
                n++;
        return n;
}

static struct text text_from(struct text text, size_t from) {
        return (struct text){text.at + from, text.length - from};
}

static bool text_is(struct text text, const char *lower_case, size_t length) {
        if (text.length != length)
                return false;
        for (size_t i = 0; i < length; i++) {
                unsigned char c = (unsigned char)text.at[i];
                if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != lower_case[i])
                        return false;
        }
        return true;
}
#define TEXT_IS(text, literal) text_is(text, literal, sizeof(literal) - 1)

/* No control character but the tab? Eight bytes at a time: is any below blank, is any DEL. */
static bool value_is_clean(struct text value) {
        const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones * 0x80;
        size_t i = 0;
        while (i < value.length) {
                size_t step = 1;
                if (value.length - i >= 8) {
                        uint64_t x, del;
                        memcpy(&x, value.at + i, 8);
                        del = x ^ (ones * 0x7f);
                        step = 8;
                        if ((((x - ones * 0x20) & ~x) | ((del - ones) & ~del)) & highs)
                                step = 1;
                }
                if (step == 1 && !http1_is_value(value.at[i]))
                        return false;
                i += step;
        }
        return true;
}

/* Each % is followed by two hexadecimal digits? */
static bool escapes_are_whole(struct text text) {
        const char *at = text.at, *end = text.at + text.length;
        while (at < end && (at = memchr(at, '%', (size_t)(end - at))) != NULL) {
                if (end - at < 3 || !http1_is(at[1], IN_HEX) || !http1_is(at[2], IN_HEX))
                        return false;
                at += 3;
        }
        return true;
}

static bool port_is_well_formed(struct text port) {
        uint64_t number;
        return port.length == 0 || (port.length <= 5 && text_to_number(port, PORT_MAX, &number));
}

/* name-or-IPv4 [":" port] or "[" IPv6 "]" [":" port] */
static bool host_is_well_formed(struct text host) {
        if (host.length == 0 || host.length > HOST_MAX)
                return false;
        size_t n;
        if (host.at[0] == '[') {
                n = 1;
                while (n < host.length && (http1_is(host.at[n], IN_HEX) || host.at[n] == ':' || host.at[n] == '.'))
                        n++;
                if (n < 4 || n == host.length || host.at[n] != ']')
                        return false;
                n++;
        } else {
                n = span(host, IN_NAME);
                if (n == 0)
                        return false;
        }
        if (n == host.length)
                return true;
        return host.at[n] == ':' && port_is_well_formed(text_from(host, n + 1));
}

/* What the lines say that only the whole head can judge. */
struct marks {
        bool host_seen, length_seen, close, keep;
        struct text target_host; /* of a target in absolute form: it wins over Host */
};

/* 1 and the line without its end; 0: its end is not there; < 0: minus the status. */
static int line_take(const char *bytes, size_t n, size_t at, int too_long, struct text *ret_line) {
        const size_t most = HTTP_LINE_MAX + 2; /* with CR LF */
        size_t here = n - at < most ? n - at : most;
        const char *end = here > 0 ? memchr(bytes + at, '\n', here) : NULL;
        if (!end) {
                if (here == most)
                        return -too_long;
                return n > HTTP_HEAD_MAX ? -431 : 0;
        }
        size_t length = (size_t)(end - (bytes + at));
        if (at + length + 1 > HTTP_HEAD_MAX)
                return -431;
        if (length == 0 || end[-1] != '\r')
                return -400;
        *ret_line = (struct text){bytes + at, length - 1};
        return 1;
}

/* The request line as far as it has come: may it still become one? 1, or minus the status. What is refused here is
 * refused before anything else is looked at, so that the whole line meets the same verdict. */
static int request_line_foresee(const char *bytes, size_t n, size_t at) {
        struct text line = {bytes + at, n - at < HTTP_LINE_MAX + 2 ? n - at : HTTP_LINE_MAX + 2};
        const char *end = line.length > 0 ? memchr(line.at, '\n', line.length) : NULL;
        if (end)
                line.length = (size_t)(end - line.at);
        if (line.length > 0 && line.at[line.length - 1] == '\r')
                line.length--; /* of the line's end, or of the empty line that is forgiven */
        size_t method_length = span(line, IN_TOKEN);
        if (method_length > METHOD_MAX)
                return -501;
        if (line.length > 0 && (method_length == 0 || (method_length < line.length && line.at[method_length] != ' ')))
                return -400;
        return value_is_clean(line) ? 1 : -400;
}

static enum http_method method_of(struct text text) {
        static const struct text names[] = {
                [HTTP_GET] = {"GET", 3},         [HTTP_HEAD] = {"HEAD", 4},       [HTTP_POST] = {"POST", 4},
                [HTTP_PUT] = {"PUT", 3},         [HTTP_PATCH] = {"PATCH", 5},     [HTTP_DELETE] = {"DELETE", 6},
                [HTTP_OPTIONS] = {"OPTIONS", 7},
        };
        for (unsigned method = HTTP_GET; method <= HTTP_OPTIONS; method++) {
                if (text_equal(text, names[method]))
                        return (enum http_method)method;
        }
        return (enum http_method)0;
}

static int version_parse(struct http_head *head, struct text version) {
        if (version.length != 8 || memcmp(version.at, "HTTP/", 5) != 0 || version.at[6] != '.')
                return -400;
        char major = version.at[5], minor = version.at[7];
        if (major < '0' || major > '9' || minor < '0' || minor > '9')
                return -400;
        if (major != '1' || (minor != '1' && minor != '0'))
                return -505;
        head->http_1_0 = minor == '0';
        return 1;
}

/* path [ "?" query ] */
static int path_parse(struct http_head *head, struct text target) {
        size_t n = span(target, IN_PATH);
        head->path = (struct text){target.at, n};
        head->query = text_from(target, n);
        if (n < target.length) {
                if (target.at[n] != '?')
                        return -400;
                head->query = text_from(target, n + 1);
                if (span(head->query, IN_QUERY) != head->query.length)
                        return -400;
        }
        if (!escapes_are_whole(head->path) || !escapes_are_whole(head->query))
                return -400;
        return 1;
}

static int target_parse(struct http_head *head, struct marks *marks, struct text target) {
        if (target.at[0] == '/')
                return path_parse(head, target);
        if (target.length == 1 && target.at[0] == '*' && head->method == HTTP_OPTIONS) {
                head->path = target;
                head->query = text_from(target, 1);
                return 1;
        }
        size_t scheme = 0;
        if (target.length > 7 && TEXT_IS(((struct text){target.at, 7}), "http://"))
                scheme = 7;
        else if (target.length > 8 && TEXT_IS(((struct text){target.at, 8}), "https://"))
                scheme = 8;
        if (scheme == 0)
                return -400;
        struct text rest = text_from(target, scheme);
        size_t n = 0;
        while (n < rest.length && rest.at[n] != '/' && rest.at[n] != '?')
                n++;
        marks->target_host = (struct text){rest.at, n};
        if (!host_is_well_formed(marks->target_host))
                return -400;
        int result = path_parse(head, text_from(rest, n));
        if (head->path.length == 0)
                head->path = TEXT("/");
        return result;
}

static int request_line_parse(struct http_head *head, struct marks *marks, struct text line) {
        size_t method_length = span(line, IN_TOKEN);
        if (method_length == 0 || method_length == line.length || line.at[method_length] != ' ')
                return -400;
        struct text rest = text_from(line, method_length + 1);
        const char *blank = memchr(rest.at, ' ', rest.length);
        if (!blank || blank == rest.at)
                return -400;
        struct text target = {rest.at, (size_t)(blank - rest.at)};
        int result = version_parse(head, text_from(rest, target.length + 1));
        if (result < 0)
                return result;
        head->method = method_of((struct text){line.at, method_length});
        if (head->method == 0)
                return -501;
        return target_parse(head, marks, target);
}

static struct text trim(struct text text) {
        while (text.length > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
                text = text_from(text, 1);
        while (text.length > 0 && (text.at[text.length - 1] == ' ' || text.at[text.length - 1] == '\t'))
                text.length--;
        return text;
}

static void connection_note(struct marks *marks, struct text value) {
        while (value.length > 0) {
                const char *comma = memchr(value.at, ',', value.length);
                size_t n = comma ? (size_t)(comma - value.at) : value.length;
                struct text word = trim((struct text){value.at, n});
                if (TEXT_IS(word, "close"))
                        marks->close = true;
                else if (TEXT_IS(word, "keep-alive"))
                        marks->keep = true;
                value = text_from(value, comma ? n + 1 : n);
        }
}

static int content_length_note(struct http_head *head, struct marks *marks, struct text value) {
        if (marks->length_seen || !text_to_number(value, INT64_MAX, &head->content_length))
                return -400;
        marks->length_seen = true;
        return 1;
}

/* The few headers that decide how the connection goes on. */
static int header_note(struct http_head *head, struct marks *marks, struct text name, struct text value) {
        if (TEXT_IS(name, "host")) {
                if (marks->host_seen || !host_is_well_formed(value))
                        return -400;
                marks->host_seen = true;
                head->host = value;
        } else if (TEXT_IS(name, "expect")) {
                if (!TEXT_IS(value, "100-continue"))
                        return -417;
                head->expect_continue = true;
        } else if (TEXT_IS(name, "connection")) {
                connection_note(marks, value);
        } else if (TEXT_IS(name, "content-length")) {
                return content_length_note(head, marks, value);
        } else if (TEXT_IS(name, "transfer-encoding")) {
                if (head->chunked || !TEXT_IS(value, "chunked"))
                        return -400;
                head->chunked = true;
        }
        return 1;
}

static int header_parse(struct http_head *head, struct marks *marks, struct text line) {
        size_t n = span(line, IN_TOKEN);
        if (n == 0 || n == line.length || line.at[n] != ':')
                return -400; /* also a folded line, and a blank before the colon */
        struct text name = {line.at, n}, value = trim(text_from(line, n + 1));
        if (!value_is_clean(value))
                return -400;
        if (head->header_count == HTTP_HEADERS_MAX)
                return -431;
        head->headers[head->header_count++] = (struct http_header){name, value};
        return header_note(head, marks, name, value);
}

/* The empty line has come. */
static int head_judge(struct http_head *head, const struct marks *marks) {
        if (!marks->host_seen && !head->http_1_0)
                return -400;
        if (head->chunked && (marks->length_seen || head->http_1_0))
                return -400;
        if (marks->target_host.length > 0)
                head->host = marks->target_host;
        head->keep_alive = !marks->close && (!head->http_1_0 || marks->keep);
        head->expect_continue = head->expect_continue && !head->http_1_0;
        return 1;
}

int http1_parse_head(struct http_head *ret_head, const char *bytes, size_t n) {
        struct http_head *head = ret_head;
        struct marks marks = {0};
        struct text line;
        /* One empty line before a request is forgiven (RFC 9112 section 2.2). */
        size_t at = n >= 2 && bytes[0] == '\r' && bytes[1] == '\n' ? 2 : 0;
        int result = request_line_foresee(bytes, n, at);
        if (result > 0)
                result = line_take(bytes, n, at, 414, &line);
        if (result <= 0)
                return result;
        head->header_count = 0;
        head->host = (struct text){0};
        head->content_length = 0;
        head->chunked = head->keep_alive = head->expect_continue = head->http_1_0 = false;
        result = request_line_parse(head, &marks, line);
        while (result > 0) {
                at = (size_t)(line.at - bytes) + line.length + 2;
                result = line_take(bytes, n, at, 431, &line);
                if (result <= 0)
                        return result;
                if (line.length == 0) {
                        head->length = at + 2;
                        result = head_judge(head, &marks);
                        return result < 0 ? result : (int)head->length;
                }
                result = header_parse(head, &marks, line);
        }
        return result;
}

struct text http_header_of(const struct http_head *head, const char *lower_case_name) {
        size_t length = strlen(lower_case_name);
        for (unsigned i = 0; i < head->header_count; i++) {
                if (text_is(head->headers[i].name, lower_case_name, length))
                        return head->headers[i].value;
        }
        return (struct text){0};
}

unsigned http_header_times(const struct http_head *head, const char *lower_case_name) {
        size_t length = strlen(lower_case_name);
        unsigned times = 0;
        for (unsigned i = 0; i < head->header_count; i++)
                times += text_is(head->headers[i].name, lower_case_name, length);
        return times;
}
