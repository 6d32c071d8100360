/* api_call.c: see api_call.h. */
#include "rehearse/api_call.h"

#include "base/fault.h"
#include "rehearse/json_scan.h"

enum { PROBLEM_BODY_MAX = 1000 };

static int refuse(const struct api_caller *caller, const char *method, const char *path,
                  const struct http_answer *answer) {
        size_t length = answer->body.length < PROBLEM_BODY_MAX ? answer->body.length : PROBLEM_BODY_MAX;
        buffer_printf(caller->problem, "%s %s: status %d: %.*s", method, path, answer->status, (int)length,
                      answer->body.at);
        return -EPROTO;
}

static int call(const struct api_caller *caller, const char *method, const char *path, struct text body,
                struct buffer *raw, struct http_answer *ret_answer) {
        buffer_init(raw, HTTP_CALL_BODY_MAX);
        int fault = http_call(&caller->place, method, path, caller->token, 0, body, raw, ret_answer);
        if (fault)
                buffer_printf(caller->problem, "%s %s: %s", method, path, fault_text(fault));
        return fault;
}

int api_make(const struct api_caller *caller, const char *path, struct text body, int status, const char *id_name,
             char ret_id[static ID_TEXT_MAX]) {
        struct buffer raw;
        struct http_answer answer;
        int fault = call(caller, "POST", path, body, &raw, &answer);
        if (!fault) {
                struct text id = json_member(answer.body, id_name);
                if (answer.status == status && id.length && id.length < ID_TEXT_MAX) {
                        memcpy(ret_id, id.at, id.length);
                        ret_id[id.length] = 0;
                } else {
                        fault = refuse(caller, "POST", path, &answer);
                }
        }
        buffer_deinit(&raw);
        return fault;
}

int api_do(const struct api_caller *caller, const char *method, const char *path, struct text body, int status) {
        struct buffer raw;
        struct http_answer answer;
        int fault = call(caller, method, path, body, &raw, &answer);
        if (!fault && answer.status != status)
                fault = refuse(caller, method, path, &answer);
        buffer_deinit(&raw);
        return fault;
}
