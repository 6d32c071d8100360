/* desk.c: the way of a command: request → lane → the request's loop → answer; and what all routes read alike.
 *
 * One piece of the request's arena holds the desk's own struct and, behind it, the command. The lane gives the command
 * back on its own thread; from there it travels as a parcel to the loop that owns the request. Nothing here is shared
 * between threads: the command belongs to one of them at a time, and the queues hand it over. */
#include "service/desk.h"

#include "base/assert.h"
#include "base/log.h"
#include "port/crypto.h"
#include "service/limits.h"

struct desk {
        _Alignas(16) struct edge_parcel parcel;
        struct request *request;
        desk_answer answer;
};

static struct desk *desk_of(struct lane_command *command) {
        return (struct desk *)(void *)((char *)command - sizeof(struct desk));
}

static struct lane_command *command_of(struct desk *desk) {
        return (struct lane_command *)(void *)((char *)desk + sizeof *desk);
}

static void desk_deliver(struct edge_parcel *parcel) {
        struct desk *desk = (struct desk *)(void *)parcel;
        struct lane_command *command = command_of(desk);
        if (command->fault)
                desk_answer_fault(desk->request, command->fault);
        else
                desk->answer(desk->request, command);
}

static void desk_done(struct lane_command *command) {
        desk_return(command, NULL);
}

void *desk_open(struct request *request, const struct lane_kind *kind, void *service, size_t size, desk_answer answer) {
        PRE(size >= sizeof(struct lane_command));
        struct desk *desk = arena_take(&request->arena, sizeof *desk + size);
        if (!desk) {
                edge_answer_problem(request, 413, "TOO_LARGE", "The request is too large; ask for less at once.", 0);
                return NULL;
        }
        *desk = (struct desk){.parcel.deliver = desk_deliver, .request = request, .answer = answer};
        *command_of(desk) = (struct lane_command){.kind = kind, .service = service, .done = desk_done};
        return command_of(desk);
}

void desk_submit(struct lane *lane, struct lane_command *command) {
        int fault = lane_submit(lane, command);
        if (fault) {
                command->fault = fault;
                desk_return(command, NULL);
        }
}

void desk_return(struct lane_command *command, desk_answer answer) {
        struct desk *desk = desk_of(command);
        if (answer)
                desk->answer = answer;
        edge_post(desk->request->loop, &desk->parcel);
}

struct request *desk_request(struct lane_command *command) {
        return desk_of(command)->request;
}

/* application/json, perhaps with charset=utf-8 (RFC 8259 has no other). */
static bool is_json(struct text type) {
        static const struct text json = {"application/json", sizeof "application/json" - 1};
        if (type.length < json.length || !text_equal_nocase((struct text){type.at, json.length}, json))
                return false;
        struct text rest = {type.at + json.length, type.length - json.length};
        while (rest.length > 0 && (rest.at[0] == ' ' || rest.at[0] == '\t' || rest.at[0] == ';'))
                rest = (struct text){rest.at + 1, rest.length - 1};
        return rest.length == 0 || text_equal_nocase(rest, TEXT("charset=utf-8")) ||
               text_equal_nocase(rest, TEXT("charset=\"utf-8\""));
}

bool desk_read_body(struct request *request, const struct json_field *fields, void *into) {
        if (!is_json(request_header(request, "content-type"))) {
                edge_answer_problem(request, 415, "UNSUPPORTED_MEDIA_TYPE",
                                    "Send the body as JSON, with the header Content-Type: application/json.", 0);
                return false;
        }
        char problem[JSON_PROBLEM_MAX];
        int r = json_read(request->body, fields, into, &request->arena, problem);
        if (r > 0)
                edge_answer_problem(request, 400, "INVALID_BODY", problem, 0);
        else if (r < 0)
                desk_answer_fault(request, r);
        return r == 0;
}

uint64_t desk_path_id(struct request *request, unsigned n, const char *prefix) {
        PRE(n < EDGE_PARAMETERS_MAX);
        uint64_t id = id_parse(request->parameters[n], prefix);
        if (!id)
                desk_not_found(request);
        return id;
}

static bool is_idempotency_key(struct text key) {
        if (key.length == 0 || key.length > IDEMPOTENCY_KEY_BYTES_MAX)
                return false;
        for (size_t i = 0; i < key.length; i++) {
                if (key.at[i] < '!' || key.at[i] > '~')
                        return false;
        }
        return true;
}

/* The key is hashed so that nobody can find a second key for somebody else's row. */
static uint64_t idempotency_key_hash(const struct request *request, struct text key) {
        char bytes[sizeof(uint64_t) + 64 + 1 + IDEMPOTENCY_KEY_BYTES_MAX];
        struct text operation = text_of(request->route->operation);
        PRE(operation.length <= 64);
        size_t length = 0;
        memcpy(bytes, &request->caller.account, sizeof request->caller.account);
        length += sizeof request->caller.account;
        memcpy(bytes + length, operation.at, operation.length);
        length += operation.length;
        bytes[length++] = '\0';
        memcpy(bytes + length, key.at, key.length);
        length += key.length;
        uint8_t hash[CRYPTO_HASH_BYTES];
        crypto_sha256(hash, bytes, length);
        uint64_t number;
        memcpy(&number, hash, sizeof number);
        return number ? number : 1;
}

bool desk_idempotency(struct request *request, struct idempotency *ret_idempotency) {
        struct text key = request_header(request, "idempotency-key");
        if (!key.at) {
                *ret_idempotency = (struct idempotency){0};
                return true;
        }
        if (!is_idempotency_key(key) || http_header_times(&request->head, "idempotency-key") > 1) {
                edge_answer_problem(request, 400, "INVALID_IDEMPOTENCY_KEY",
                                    "Idempotency-Key must be given once, as 1 to 255 visible ASCII characters.", 0);
                return false;
        }
        /* The fingerprint only tells the caller's own bodies apart: a fast hash will do. */
        uint64_t path = text_hash(request->head.path.at, request->head.path.length, 0);
        *ret_idempotency = (struct idempotency){
                .key = idempotency_key_hash(request, key),
                .fingerprint = text_hash(request->body.at, request->body.length, path),
        };
        return true;
}

bool desk_page(struct request *request, const char *prefix, unsigned *ret_limit, uint64_t *ret_after) {
        char memory[ID_TEXT_MAX];
        struct text value;
        uint64_t limit = PAGE_DEFAULT, after = 0;
        int r = http_query_value(request->head.query, "limit", memory, sizeof memory, &value);
        if (r < 0 || (r > 0 && (!text_to_number(value, PAGE_MAX, &limit) || limit == 0))) {
                edge_answer_problem(request, 400, "INVALID_QUERY", "limit must be a whole number from 1 to 100.", 0);
                return false;
        }
        r = http_query_value(request->head.query, "cursor", memory, sizeof memory, &value);
        if (r < 0 || (r > 0 && (after = id_parse(value, prefix)) == 0)) {
                edge_answer_problem(request, 400, "INVALID_QUERY",
                                    "cursor must be the nextCursor of an earlier answer to this request.", 0);
                return false;
        }
        *ret_limit = (unsigned)limit;
        *ret_after = after;
        return true;
}
_Static_assert(PAGE_MAX == 100, "desk_page names the limit in its sentence");

void desk_not_found(struct request *request) {
        edge_answer_problem(request, 404, "NOT_FOUND", "There is no such thing here, or it is not yours.", 0);
}

void desk_answer_fault(struct request *request, int fault) {
        PRE(fault < 0);
        if (fault == FAULT_BUSY) {
                edge_answer_problem(request, 503, "OVERLOADED",
                                    "Too much is going on at the moment; try again shortly.", 1);
                return;
        }
        if (fault == FAULT_STORAGE) {
                edge_answer_problem(
                        request, 503, "STORAGE_UNAVAILABLE",
                        "Nothing can be stored at the moment; what was acknowledged is safe. Try again shortly.", 5);
                return;
        }
        log_write(LOG_ALARM, "request.failed", "%s failed: %s (trace %.*s)", request->route->operation,
                  fault_text(fault), EDGE_TRACE_LENGTH, request->trace);
        edge_answer_problem(
                request, 503, "INTERNAL_FAULT",
                "Something went wrong here, nothing of this request was stored. It has been reported; try again later.",
                5);
}

void desk_write_money(struct json_writer *json, const char *name, int64_t amount, const char *currency) {
        json_object(json, name);
        json_number(json, "amount", amount);
        json_string(json, "currency", currency);
        json_object_end(json);
}
