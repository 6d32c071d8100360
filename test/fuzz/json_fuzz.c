/* json_fuzz: whatever a body is, it is refused with a sentence, or every value of the struct keeps what its field
 * promises; and whoever wants to hear of all mistakes hears of at least one exactly when there is one. */
#include "base/assert.h"
#include "fuzz.h"
#include "port/json.h"

#include <stdlib.h>

enum { ARENA_MAX = 64 * 1024 * 1024, UNTOUCHED = 77 };

struct item { struct text name; int64_t amount; };
struct body {
        struct text title, raw;
        int64_t number, at, flag;
        uint64_t id;
        double real;
        bool truth;
        struct item one;
        struct json_list many, numbers;
};

static const struct json_field item_fields[] = {
        {.name = "n", .type = JSON_TEXT, .offset = offsetof(struct item, name), .min = 1, .max = 8},
        {.name = "a", .type = JSON_INTEGER, .offset = offsetof(struct item, amount), .min = -3, .max = 1000},
        {0},
};
static const struct json_field item_item = {.type = JSON_OBJECT, .fields = item_fields};
static const struct json_field number_item = {.type = JSON_INTEGER, .min = 0, .max = UINT32_MAX};

#define FIELD(key, kind, member, ...) {.name = key, .type = kind, .optional = true, .offset = offsetof(struct body, member), __VA_ARGS__}
static const struct json_field fields[] = {
        FIELD("t", JSON_TEXT, title, .min = 2, .max = 5),
        FIELD("w", JSON_RAW, raw),
        FIELD("n", JSON_INTEGER, number, .min = -10, .max = INT64_MAX),
        FIELD("r", JSON_REAL, real, .min = -10, .max = 10),
        FIELD("b", JSON_BOOL, truth),
        FIELD("f", JSON_FLAG, flag),
        FIELD("d", JSON_TIME, at),
        FIELD("i", JSON_ID, id, .prefix = "hold"),
        FIELD("o", JSON_OBJECT, one, .fields = item_fields),
        FIELD("l", JSON_LIST, many, .item = &item_item, .item_size = sizeof(struct item), .max = 4),
        FIELD("s", JSON_LIST, numbers, .item = &number_item, .item_size = sizeof(int64_t), .min = 1, .max = 100000),
        {0},
};

static void check_item(const struct item *item) {
        INVARIANT(item->name.length == 0 || (text_is_utf8(item->name) && text_code_points(item->name) <= 8));
        INVARIANT(item->amount >= -3 && item->amount <= 1000);
}

static void check(const struct body *body) {
        INVARIANT(!body->title.at || (text_is_utf8(body->title) && text_code_points(body->title) >= 2 &&
                                      text_code_points(body->title) <= 5 && !memchr(body->title.at, 0, body->title.length) &&
                                      body->title.at[body->title.length] == '\0'));
        INVARIANT(!body->raw.at || text_is_utf8(body->raw));
        INVARIANT(body->number >= -10 && body->real >= -10 && body->real <= 10);
        INVARIANT(body->flag == UNTOUCHED || body->flag == 0 || body->flag == 1);
        INVARIANT(body->at >= 0 && body->id <= INT64_MAX);
        check_item(&body->one);
        INVARIANT(body->many.count <= 4 && body->numbers.count <= 100000);
        for (size_t i = 0; i < body->many.count; i++)
                check_item(&((const struct item *)body->many.items)[i]);
        for (size_t i = 0; i < body->numbers.count; i++)
                INVARIANT(((const int64_t *)body->numbers.items)[i] >= 0 && ((const int64_t *)body->numbers.items)[i] <= UINT32_MAX);
}

static bool count_problem(void *context, const char *path, const char *reason) {
        INVARIANT(strlen(path) < JSON_PROBLEM_MAX && strlen(reason) > 0);
        ++*(unsigned *)context;
        return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        /* Bytes of their own, so that a sanitizer sees every step beyond them. */
        char *bytes = malloc(size + 1);
        INVARIANT(bytes);
        if (size > 0)
                memcpy(bytes, data, size);
        struct text text = {bytes, size};
        struct body body = {.flag = UNTOUCHED}, other = {.flag = UNTOUCHED};
        char problem[JSON_PROBLEM_MAX] = "";
        unsigned problems = 0;
        struct arena arena;
        arena_init(&arena, ARENA_MAX);
        int first = json_read(text, fields, &body, &arena, problem);
        int all = json_read_all(text, fields, &other, &arena, count_problem, &problems);
        INVARIANT(first == all && (first == 0 || first == 1));
        INVARIANT((first == 1) == (problem[0] != '\0') && (first == 1) == (problems > 0));
        if (first == 0)
                check(&body);
        arena_deinit(&arena);
        free(bytes);
        return 0;
}
