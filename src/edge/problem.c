/* problem.c: problem documents (RFC 9457). */
#include "edge/edge_private.h"

enum { PROBLEM_HEADERS_MAX = 16 };

void problem_write(struct json_writer *json, int status, const char *code, const char *detail, struct text trace) {
        json_object(json, NULL);
        json_text(json, "type", TEXT("about:blank"));
        json_text(json, "title", answer_reason(status));
        json_number(json, "status", status);
        json_string(json, "code", code);
        json_string(json, "detail", detail);
        json_text(json, "traceId", trace);
        json_object_end(json);
}

void edge_answer_problem(struct request *request, int status, const char *code, const char *detail,
                         unsigned retry_after_seconds) {
        edge_answer_problem_with(request, status, code, detail, retry_after_seconds, NULL, 0);
}

void edge_answer_problem_with(struct request *request, int status, const char *code, const char *detail,
                              unsigned retry_after_seconds, const struct answer_header *headers, size_t header_count) {
        struct answer_header all[PROBLEM_HEADERS_MAX];
        size_t count = 0;
        char seconds[TEXT_NUMBER_MAX];
        if (retry_after_seconds > 0)
                all[count++] = (struct answer_header){"Retry-After", {seconds, text_from_number(seconds, retry_after_seconds)}};
        for (size_t i = 0; i < header_count && count < PROBLEM_HEADERS_MAX; i++)
                all[count++] = headers[i];

        struct json_writer json = edge_json(request);
        problem_write(&json, status, code, detail, (struct text){request->trace, EDGE_TRACE_LENGTH});
        edge_answer(request, status, "application/problem+json", buffer_text(&request->body_out), all, count);
}
