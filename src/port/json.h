/* json.h: reads a JSON body into a struct, as a table of fields describes. Bound at link time: src/adapter/jansson.
 *
 * Strict: one object at the top, no duplicate keys, no NUL byte anywhere, depth at most JSON_DEPTH_MAX, valid UTF-8, no
 * unknown field (the refusal names it), integers without fraction or exponent. The first thing that is wrong is
 * described with its path ("prices[2].amount: must be a whole number from 0 to 100000000").
 *
 * Everything lands in the caller's arena, what the parser needs on the way included: the arena's limit is the limit of
 * the document, and a document that needs more is refused. */
#ifndef TICKETRUSH_PORT_JSON_H
#define TICKETRUSH_PORT_JSON_H

#include "base/arena.h"

enum { JSON_DEPTH_MAX = 16, JSON_PROBLEM_MAX = 256 };

enum json_type {
        JSON_TEXT,    /* struct text, copied into the arena and terminated; min and max count code points */
        JSON_INTEGER, /* int64_t, min … max */
        JSON_REAL,    /* double, min … max; whole numbers too */
        JSON_BOOL,    /* bool */
        JSON_FLAG,    /* int64_t, 0 or 1, from true or false: for what may be absent, and that matters */
        JSON_TIME,    /* int64_t milliseconds, from RFC 3339 text */
        JSON_ID,      /* uint64_t, with `prefix` */
        JSON_OBJECT,  /* the struct that `fields` describes, in place at offset */
        JSON_LIST,    /* struct json_list; items as `item` describes; min … max items */
        JSON_RAW,     /* struct text: the value's own JSON, compact, copied into the arena (for documents kept as they are) */
};

struct json_list {
        void *items; /* count items of item_size bytes each, in the arena */
        size_t count;
};

struct json_field {
        const char *name;
        enum json_type type;
        bool optional;             /* absent or null leaves the struct's bytes as they were */
        size_t offset;             /* in the struct; 0 for a list's item */
        int64_t min, max;                    /* JSON_TEXT, JSON_INTEGER, JSON_REAL, JSON_LIST */
        const char *prefix;                  /* JSON_ID */
        const struct json_field *fields;     /* JSON_OBJECT: ends with a NULL name */
        const struct json_field *item;       /* JSON_LIST */
        size_t item_size;                    /* JSON_LIST */
};

/* 0; 1 when the body is refused (problem is a terminated sentence); negative fault without memory. */
int json_read(struct text body, const struct json_field *fields, void *into, struct arena *arena,
              char problem[static JSON_PROBLEM_MAX]);

/* Told of each thing that is wrong: path ("" for the document itself) and reason. False: enough, read no further. */
typedef bool (*json_on_problem)(void *context, const char *path, const char *reason);
/* The same, for documents whose writer wants to hear of everything at once: goes on after a field that is wrong (its
 * bytes in the struct mean nothing then). What is no JSON at all is one problem. 0; 1: refused; negative fault. */
int json_read_all(struct text body, const struct json_field *fields, void *into, struct arena *arena,
                  json_on_problem on_problem, void *context);

#endif
