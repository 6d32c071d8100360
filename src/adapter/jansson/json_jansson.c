/* json_jansson.c: the json port on jansson.
 *
 * Three passes. A scan over the bytes refuses what must not even reach the parser: a NUL byte, nesting beyond
 * JSON_DEPTH_MAX. Jansson makes its tree. The tree is bound to the caller's struct by the table of fields.
 *
 * The tree is never taken down: while a thread reads, jansson's allocator takes from the caller's arena (tree_arena,
 * thread-local) and its free does nothing. That makes a small body cheap and gives a large one a limit. Outside of a
 * read jansson allocates as usual, so that it may be used elsewhere in the process too. */
/* Three of jansson's words are the port's words too; here jansson's are spelled differently. (Its macros that use them,
 * json_is_object and the like, would see the port's: is_of does their work.) */
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_INTEGER JANSSON_INTEGER
#define JSON_REAL JANSSON_REAL
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_INTEGER
#undef JSON_REAL

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/fault.h"
#include "base/id.h"
#include "base/time_text.h"
#include "port/json.h"

/* One step of the way from the document to a value: a field of an object, or an item of a list (name is NULL). */
struct place {
        const struct place *above; /* NULL: a field of the document */
        const char *name;
        size_t index;
};

struct reader {
        json_on_problem on_problem;
        void *context;
        bool refused;
};

/* What binding says besides faults: the caller has heard enough. */
enum { READ_ON = 0, STOP = 1 };

enum { FIELDS_MAX = 64, REASON_MAX = 160, ROUNDING = 16 /* the arena's */ };

static _Thread_local struct arena *tree_arena;
static _Thread_local bool tree_at_limit; /* it is the arena's limit that was met, not the machine's */

static void *tree_malloc(size_t n) {
        if (!tree_arena)
                return malloc(n);
        void *at = arena_take(tree_arena, n);
        if (!at)
                tree_at_limit = n + ROUNDING > tree_arena->max_bytes - tree_arena->used;
        return at;
}

static void tree_free(void *at) {
        if (!tree_arena)
                free(at);
}

static void use_tree_memory(void) { json_set_alloc_funcs(tree_malloc, tree_free); }

static void path_write(const struct place *place, char *out, size_t *length) {
        if (!place)
                return;
        path_write(place->above, out, length);
        size_t room = JSON_PROBLEM_MAX - *length;
        int n = place->name ? snprintf(out + *length, room, "%s%s", *length > 0 ? "." : "", place->name)
                            : snprintf(out + *length, room, "[%zu]", place->index);
        *length = (size_t)n < room ? *length + (size_t)n : JSON_PROBLEM_MAX - 1;
}

__attribute__((format(printf, 3, 4))) static int refuse(struct reader *reader, const struct place *place,
                                                        const char *format, ...) {
        char path[JSON_PROBLEM_MAX] = "", reason[REASON_MAX];
        size_t length = 0;
        path_write(place, path, &length);
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(reason, sizeof reason, format, arguments);
        va_end(arguments);
        reader->refused = true;
        return reader->on_problem(reader->context, path, reason) ? READ_ON : STOP;
}

static int bind_object(struct reader *reader, const struct place *place, const json_t *value,
                       const struct json_field *fields, char *into);

static bool is_of(const json_t *value, json_type type) {
        return json_typeof(value) == type;
}

static struct text text_of_value(const json_t *value) {
        return (struct text){json_string_value(value), json_string_length(value)};
}

static int bind_text(struct reader *reader, const struct place *place, const json_t *value,
                     const struct json_field *field, void *into) {
        if (!json_is_string(value))
                return refuse(reader, place, "must be text");
        struct text text = text_of_value(value);
        size_t points = text_code_points(text);
        if (points < (uint64_t)field->min || points > (uint64_t)field->max)
                return refuse(reader, place, "must have %" PRId64 " to %" PRId64 " characters", field->min, field->max);
        char *copy = tree_malloc(text.length + 1);
        if (!copy)
                return -ENOMEM;
        memcpy(copy, text.at, text.length + 1);
        *(struct text *)into = (struct text){copy, text.length};
        return READ_ON;
}

static int bind_integer(struct reader *reader, const struct place *place, const json_t *value,
                        const struct json_field *field, void *into) {
        int64_t number = json_integer_value(value);
        if (!is_of(value, JANSSON_INTEGER) || number < field->min || number > field->max)
                return refuse(reader, place, "must be a whole number from %" PRId64 " to %" PRId64, field->min, field->max);
        *(int64_t *)into = number;
        return READ_ON;
}

static int bind_real(struct reader *reader, const struct place *place, const json_t *value,
                     const struct json_field *field, void *into) {
        double number = json_number_value(value);
        bool is_number = is_of(value, JANSSON_INTEGER) || is_of(value, JANSSON_REAL);
        if (!is_number || number < (double)field->min || number > (double)field->max)
                return refuse(reader, place, "must be a number from %" PRId64 " to %" PRId64, field->min, field->max);
        *(double *)into = number;
        return READ_ON;
}

static int bind_time(struct reader *reader, const struct place *place, const json_t *value, void *into) {
        if (!json_is_string(value) || !time_parse(text_of_value(value), into))
                return refuse(reader, place, "must be a time like \"2026-11-21T11:00:00Z\"");
        return READ_ON;
}

static int bind_id(struct reader *reader, const struct place *place, const json_t *value,
                   const struct json_field *field, void *into) {
        uint64_t id = json_is_string(value) ? id_parse(text_of_value(value), field->prefix) : 0;
        if (!id)
                return refuse(reader, place, "must be an id like \"%s_0123456789abc\"", field->prefix);
        *(uint64_t *)into = id;
        return READ_ON;
}

static int bind_raw(const json_t *value, void *into) {
        char *written = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
        if (!written)
                return -ENOMEM;
        *(struct text *)into = text_of(written); /* in the arena, as the tree is */
        return READ_ON;
}

static int bind_value(struct reader *reader, const struct place *place, const json_t *value,
                      const struct json_field *field, char *into);

static int bind_list(struct reader *reader, const struct place *place, const json_t *value,
                     const struct json_field *field, void *into) {
        if (!json_is_array(value))
                return refuse(reader, place, "must be a list");
        size_t count = json_array_size(value);
        if (count < (uint64_t)field->min || count > (uint64_t)field->max)
                return refuse(reader, place, "must have %" PRId64 " to %" PRId64 " items", field->min, field->max);
        char *items = tree_malloc(count * field->item_size); /* of zeros; as the values exist, this cannot wrap */
        if (!items)
                return -ENOMEM;
        int r = READ_ON;
        for (size_t i = 0; r == READ_ON && i < count; i++) {
                const struct place item = {place, NULL, i};
                r = bind_value(reader, &item, json_array_get(value, i), field->item,
                               items + i * field->item_size + field->item->offset);
        }
        *(struct json_list *)into = (struct json_list){items, count};
        return r;
}

static int bind_value(struct reader *reader, const struct place *place, const json_t *value,
                      const struct json_field *field, char *into) {
        void *at = into;
        switch (field->type) {
        case JSON_TEXT:
                return bind_text(reader, place, value, field, at);
        case JSON_INTEGER:
                return bind_integer(reader, place, value, field, at);
        case JSON_REAL:
                return bind_real(reader, place, value, field, at);
        case JSON_BOOL:
        case JSON_FLAG:
                if (!json_is_boolean(value))
                        return refuse(reader, place, "must be true or false");
                if (field->type == JSON_BOOL)
                        *(bool *)at = json_is_true(value);
                else
                        *(int64_t *)at = json_is_true(value);
                return READ_ON;
        case JSON_TIME:
                return bind_time(reader, place, value, at);
        case JSON_ID:
                return bind_id(reader, place, value, field, at);
        case JSON_OBJECT:
                return bind_object(reader, place, value, field->fields, into);
        case JSON_LIST:
                return bind_list(reader, place, value, field, at);
        case JSON_RAW:
                return bind_raw(value, at);
        }
        IMPOSSIBLE("a field of no type");
}

static int bind_object(struct reader *reader, const struct place *place, const json_t *value,
                       const struct json_field *fields, char *into) {
        if (!is_of(value, JANSSON_OBJECT))
                return refuse(reader, place, "must be an object");
        /* The iterator's functions want a value they might change; these do not. */
        json_t *object = (json_t *)(uintptr_t)value;
        uint64_t seen = 0;
        int r = READ_ON;
        for (void *at = json_object_iter(object); r == READ_ON && at; at = json_object_iter_next(object, at)) {
                const struct place member = {place, json_object_iter_key(at), 0};
                const json_t *given = json_object_iter_value(at);
                size_t i = 0;
                while (fields[i].name && strcmp(fields[i].name, member.name) != 0)
                        i++;
                PRE(i < FIELDS_MAX);
                if (!fields[i].name) {
                        r = refuse(reader, &member, "is not a field that is known here");
                        continue;
                }
                seen |= UINT64_C(1) << i;
                if (!fields[i].optional || !json_is_null(given))
                        r = bind_value(reader, &member, given, &fields[i], into + fields[i].offset);
        }
        for (size_t i = 0; r == READ_ON && fields[i].name; i++) {
                const struct place missing = {place, fields[i].name, 0};
                if (!fields[i].optional && !(seen >> i & 1))
                        r = refuse(reader, &missing, "is required");
        }
        return r;
}

/* Before the parser sees it: no NUL byte, no nesting that makes it recurse deeply. Brackets in strings do not count;
 * in what is no JSON at all the count may be off, which the parser refuses anyway. */
static const char *scan(struct text body) {
        if (body.length > 0 && memchr(body.at, '\0', body.length))
                return "must not contain a NUL byte";
        unsigned depth = 0;
        bool quoted = false;
        for (size_t i = 0; i < body.length; i++) {
                char c = body.at[i];
                if (quoted && c == '\\')
                        i++;
                else if (c == '"')
                        quoted = !quoted;
                else if (!quoted && (c == '{' || c == '[') && ++depth > JSON_DEPTH_MAX)
                        return "is nested too deeply";
                else if (!quoted && (c == '}' || c == ']') && depth > 0)
                        depth--;
        }
        return NULL;
}
_Static_assert(JSON_DEPTH_MAX < JSON_PARSER_MAX_DEPTH, "the parser has to take what the scan lets pass");

/* READ_ON with the tree; STOP when the bytes were refused; negative fault. */
static int parse(struct reader *reader, struct text body, json_t **ret_tree) {
        const char *reason = scan(body);
        if (reason) {
                refuse(reader, NULL, "%s", reason);
                return STOP;
        }
        json_error_t error;
        json_t *tree = json_loadb(body.at ? body.at : "", body.length, JSON_REJECT_DUPLICATES, &error);
        if (!tree && tree_arena->overflowed)
                return -ENOMEM;
        if (!tree) {
                refuse(reader, NULL, "is not valid JSON: line %d, column %d: %s", error.line, error.column, error.text);
                return STOP;
        }
        *ret_tree = tree;
        return READ_ON;
}

int json_read_all(struct text body, const struct json_field *fields, void *into, struct arena *arena,
                  json_on_problem on_problem, void *context) {
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        PRE(pthread_once(&once, use_tree_memory) == 0);
        PRE(!tree_arena);
        struct reader reader = {.on_problem = on_problem, .context = context};
        json_t *tree = NULL;
        tree_arena = arena;
        tree_at_limit = false;
        int r = parse(&reader, body, &tree);
        if (r == READ_ON)
                r = bind_object(&reader, NULL, tree, fields, into);
        if (r == -ENOMEM && tree_at_limit)
                r = refuse(&reader, NULL, "holds more values than are taken here");
        tree_arena = NULL;
        return r < 0 ? r : reader.refused;
}

static bool keep_first(void *context, const char *path, const char *reason) {
        snprintf(context, JSON_PROBLEM_MAX, "%s%s%s", *path ? path : "The body", *path ? ": " : " ", reason);
        return false;
}

int json_read(struct text body, const struct json_field *fields, void *into, struct arena *arena,
              char problem[static JSON_PROBLEM_MAX]) {
        return json_read_all(body, fields, into, arena, keep_first, problem);
}
