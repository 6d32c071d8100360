/* answer.c: heads and bodies of answers.
 *
 * The head is put together from pieces that are ready: the status line, what is the same for all answers of this
 * second (loop_date makes it), the trace id, the headers of this answer, the framing. Head and body go behind each
 * other into the connection's `out`; only a large body is sent from where it lies, and what the client does not take at
 * once is copied. */
#include "edge/edge_private.h"

#include "base/assert.h"
#include "base/time_text.h"
#include "edge/http1_letters.h"

enum { HEAD_ROOM = 512 };

struct answer {
        int status;
        const char *content_type; /* NULL: no body */
        struct text body;
        const struct answer_header *headers;
        size_t header_count;
};

static struct text status_line(int status) {
        switch (status) {
        case 200: return TEXT("HTTP/1.1 200 OK\r\n");
        case 201: return TEXT("HTTP/1.1 201 Created\r\n");
        case 202: return TEXT("HTTP/1.1 202 Accepted\r\n");
        case 204: return TEXT("HTTP/1.1 204 No Content\r\n");
        case 301: return TEXT("HTTP/1.1 301 Moved Permanently\r\n");
        case 302: return TEXT("HTTP/1.1 302 Found\r\n");
        case 303: return TEXT("HTTP/1.1 303 See Other\r\n");
        case 304: return TEXT("HTTP/1.1 304 Not Modified\r\n");
        case 307: return TEXT("HTTP/1.1 307 Temporary Redirect\r\n");
        case 308: return TEXT("HTTP/1.1 308 Permanent Redirect\r\n");
        case 400: return TEXT("HTTP/1.1 400 Bad Request\r\n");
        case 401: return TEXT("HTTP/1.1 401 Unauthorized\r\n");
        case 402: return TEXT("HTTP/1.1 402 Payment Required\r\n");
        case 403: return TEXT("HTTP/1.1 403 Forbidden\r\n");
        case 404: return TEXT("HTTP/1.1 404 Not Found\r\n");
        case 405: return TEXT("HTTP/1.1 405 Method Not Allowed\r\n");
        case 406: return TEXT("HTTP/1.1 406 Not Acceptable\r\n");
        case 408: return TEXT("HTTP/1.1 408 Request Timeout\r\n");
        case 409: return TEXT("HTTP/1.1 409 Conflict\r\n");
        case 410: return TEXT("HTTP/1.1 410 Gone\r\n");
        case 412: return TEXT("HTTP/1.1 412 Precondition Failed\r\n");
        case 413: return TEXT("HTTP/1.1 413 Content Too Large\r\n");
        case 414: return TEXT("HTTP/1.1 414 URI Too Long\r\n");
        case 415: return TEXT("HTTP/1.1 415 Unsupported Media Type\r\n");
        case 417: return TEXT("HTTP/1.1 417 Expectation Failed\r\n");
        case 422: return TEXT("HTTP/1.1 422 Unprocessable Content\r\n");
        case 423: return TEXT("HTTP/1.1 423 Locked\r\n");
        case 425: return TEXT("HTTP/1.1 425 Too Early\r\n");
        case 428: return TEXT("HTTP/1.1 428 Precondition Required\r\n");
        case 429: return TEXT("HTTP/1.1 429 Too Many Requests\r\n");
        case 431: return TEXT("HTTP/1.1 431 Request Header Fields Too Large\r\n");
        case 500: return TEXT("HTTP/1.1 500 Internal Server Error\r\n");
        case 501: return TEXT("HTTP/1.1 501 Not Implemented\r\n");
        case 502: return TEXT("HTTP/1.1 502 Bad Gateway\r\n");
        case 503: return TEXT("HTTP/1.1 503 Service Unavailable\r\n");
        case 504: return TEXT("HTTP/1.1 504 Gateway Timeout\r\n");
        case 505: return TEXT("HTTP/1.1 505 HTTP Version Not Supported\r\n");
        default: IMPOSSIBLE("a status that nobody has named; add it to status_line");
        }
}

struct text answer_reason(int status) {
        struct text line = status_line(status);
        const size_t before = sizeof "HTTP/1.1 200 " - 1, after = 2;
        return (struct text){line.at + before, line.length - before - after};
}

static char *put(char *to, struct text text) {
        if (text.length > 0)
                memcpy(to, text.at, text.length);
        return to + text.length;
}

/* What all answers of this second share. Asked for once a turn; the wall clock is read ten times a second. */
void loop_date(struct edge_loop *loop) {
        const struct edge_config *config = &loop->edge->config;
        if (loop->common_length > 0 && loop->now_us - loop->dated_us < 100000)
                return;
        loop->dated_us = loop->now_us;
        int64_t now_ms = config->now_ms(config->now_context), now_s = now_ms / 1000;
        if (loop->common_length > 0 && now_s == loop->date_s)
                return;
        loop->date_s = now_s;
        char *to = put(loop->common, TEXT("Date: "));
        time_http_date(to, now_ms);
        to = put(to + HTTP_DATE_LENGTH, TEXT("\r\n"));
        if (config->server_name) {
                to = put(to, TEXT("Server: "));
                to = put(to, text_of(config->server_name));
                to = put(to, TEXT("\r\n"));
        }
        to = put(to, TEXT("X-Content-Type-Options: nosniff\r\nX-Trace-Id: "));
        loop->common_length = (size_t)(to - loop->common);
}

static char *put_headers(char *to, const struct answer *answer) {
        bool cached = false;
        for (size_t i = 0; i < answer->header_count; i++) {
                const struct answer_header *header = &answer->headers[i];
                struct text name = text_of(header->name);
                cached = cached || text_equal_nocase(name, TEXT("cache-control"));
                to = put(to, name);
                to = put(to, TEXT(": "));
                to = put(to, header->value);
                to = put(to, TEXT("\r\n"));
        }
        return cached ? to : put(to, TEXT("Cache-Control: no-store\r\n"));
}

static size_t head_room(const struct answer *answer) {
        size_t room = HEAD_ROOM + (answer->content_type ? strlen(answer->content_type) : 0);
        for (size_t i = 0; i < answer->header_count; i++) {
                PRE(!memchr(answer->headers[i].value.at ? answer->headers[i].value.at : "", '\n',
                            answer->headers[i].value.length));
                room += strlen(answer->headers[i].name) + answer->headers[i].value.length + 4;
        }
        return room;
}

enum persistence { GOES_ON, GOES_ON_AS_1_0, ENDS };

static void head_write(const struct edge_loop *loop, struct buffer *out, const struct answer *answer,
                       const char trace[static EDGE_TRACE_LENGTH], enum persistence persistence) {
        char *to = buffer_reserve(out, head_room(answer));
        if (!to)
                return;
        to = put(to, status_line(answer->status));
        to = put(to, (struct text){loop->common, loop->common_length});
        to = put(to, (struct text){trace, EDGE_TRACE_LENGTH});
        to = put(to, TEXT("\r\n"));
        to = put_headers(to, answer);
        if (answer->content_type) {
                to = put(to, TEXT("Content-Type: "));
                to = put(to, text_of(answer->content_type));
                to = put(to, TEXT("\r\n"));
        }
        if (persistence == ENDS)
                to = put(to, TEXT("Connection: close\r\n"));
        else if (persistence == GOES_ON_AS_1_0)
                to = put(to, TEXT("Connection: keep-alive\r\n"));
        if (answer->status != 204 && answer->status != 304) {
                to = put(to, TEXT("Content-Length: "));
                to += text_from_number(to, (int64_t)answer->body.length);
                to = put(to, TEXT("\r\n"));
        }
        to = put(to, TEXT("\r\n"));
        out->length = (size_t)(to - out->at);
}

static void answer_write(struct connection *connection, const struct request *request, const struct answer *answer) {
        bool ends = connection_ends(connection);
        enum persistence persistence = ends ? ENDS : request->head.http_1_0 ? GOES_ON_AS_1_0 : GOES_ON;
        loop_buffer_take(connection->loop, &connection->out);
        head_write(connection->loop, &connection->out, answer, request->trace, persistence);
        struct text body = answer->body;
        if (request->head.method == HTTP_HEAD || answer->status == 204 || answer->status == 304)
                body.length = 0;
        if (body.length > ANSWER_JOINED_MAX && !connection->blocked && !connection->out.overflowed) {
                size_t sent = connection_send(connection, body);
                body = (struct text){body.at + sent, body.length - sent};
        }
        buffer_add_text(&connection->out, body);
        connection_answered(connection, ends);
}

static void answer_make(struct request *request, const struct answer *answer) {
        struct edge_loop *loop = request->loop;
        metrics_count(loop->number, answer->status, edge_now_us(loop->edge) - request->arrived_us);
        if (request->connection)
                answer_write(request->connection, request, answer);
        request_end(request);
}

void answer_turn_away(struct edge_loop *loop, struct buffer *out) {
        char trace[EDGE_TRACE_LENGTH];
        trace_next(loop, trace);
        struct buffer body;
        buffer_init(&body, HTTP_BODY_MAX);
        struct json_writer json;
        json_begin(&json, &body);
        problem_write(&json, 503, "TOO_MANY_CONNECTIONS", "The server has as many connections as it can take. Try again soon.",
                      (struct text){trace, sizeof trace});
        struct answer_header retry = {"Retry-After", TEXT("1")};
        struct answer answer = {.status = 503, .content_type = "application/problem+json", .body = buffer_text(&body),
                                .headers = &retry, .header_count = 1};
        head_write(loop, out, &answer, trace, ENDS);
        buffer_add_text(out, answer.body);
        buffer_deinit(&body);
}

void edge_answer(struct request *request, int status, const char *content_type, struct text body,
                 const struct answer_header *headers, size_t header_count) {
        PRE(content_type);
        answer_make(request, &(struct answer){status, content_type, body, headers, header_count});
}

void edge_answer_empty(struct request *request, int status, const struct answer_header *headers, size_t header_count) {
        answer_make(request, &(struct answer){status, NULL, {0}, headers, header_count});
}

struct json_writer edge_json(struct request *request) {
        struct json_writer json;
        buffer_clear(&request->body_out);
        json_begin(&json, &request->body_out);
        return json;
}

void edge_answer_json(struct request *request, int status) {
        edge_answer_json_with(request, status, NULL, 0);
}

void edge_answer_json_with(struct request *request, int status, const struct answer_header *headers, size_t header_count) {
        if (request->body_out.overflowed) {
                edge_answer_problem(request, 500, "ANSWER_TOO_LARGE", "The answer would be too large. Ask for less of it.", 0);
                return;
        }
        edge_answer(request, status, "application/json", buffer_text(&request->body_out), headers, header_count);
}

/* The next member of a comma separated list, without the blanks around it; false at the end. */
static bool list_next(struct text *list, struct text *ret_member) {
        if (list->length == 0)
                return false;
        const char *comma = memchr(list->at, ',', list->length);
        size_t n = comma ? (size_t)(comma - list->at) : list->length;
        struct text member = {list->at, n};
        size_t used = comma ? n + 1 : n;
        *list = (struct text){list->at + used, list->length - used};
        while (member.length > 0 && (member.at[0] == ' ' || member.at[0] == '\t'))
                member = (struct text){member.at + 1, member.length - 1};
        while (member.length > 0 && (member.at[member.length - 1] == ' ' || member.at[member.length - 1] == '\t'))
                member.length--;
        *ret_member = member;
        return true;
}

bool edge_answer_not_modified(struct request *request, struct text etag) {
        struct text list = request_header(request, "if-none-match"), tag;
        while (list_next(&list, &tag)) {
                if (tag.length > 2 && tag.at[0] == 'W' && tag.at[1] == '/')
                        tag = (struct text){tag.at + 2, tag.length - 2};
                if (!text_equal(tag, etag) && !text_equal(tag, TEXT("*")))
                        continue;
                struct answer_header headers[] = {{"ETag", etag}, {"Cache-Control", TEXT("no-cache")}};
                edge_answer_empty(request, 304, headers, 2);
                return true;
        }
        return false;
}

/* ";q=0", ";q=0.0" …: not wanted. */
static bool quality_is_zero(struct text parameters) {
        const char *q = memchr(parameters.at, '=', parameters.length);
        if (!q)
                return false;
        for (const char *at = q + 1; at < parameters.at + parameters.length; at++) {
                if (*at >= '1' && *at <= '9')
                        return false;
        }
        return true;
}

bool edge_accepts_gzip(const struct request *request) {
        struct text list = request_header(request, "accept-encoding"), member;
        bool any = false;
        while (list_next(&list, &member)) {
                size_t n = 0;
                while (n < member.length && http1_is(member.at[n], IN_TOKEN))
                        n++;
                struct text coding = {member.at, n}, parameters = {member.at + n, member.length - n};
                bool wanted = parameters.length == 0 || !quality_is_zero(parameters);
                if (text_equal_nocase(coding, TEXT("gzip")))
                        return wanted;
                if (text_equal(coding, TEXT("*")))
                        any = wanted;
        }
        return any;
}
