/* json_scan.c: walks over values by counting brackets outside of strings. */
#include "rehearse/json_scan.h"

static size_t skip_blank(struct text json, size_t at) {
        while (at < json.length &&
               (json.at[at] == ' ' || json.at[at] == '\n' || json.at[at] == '\r' || json.at[at] == '\t'))
                at++;
        return at;
}

/* From the opening quote to behind the closing one; 0 if there is none. */
static size_t skip_string(struct text json, size_t at) {
        for (at++; at < json.length; at++) {
                if (json.at[at] == '\\')
                        at++;
                else if (json.at[at] == '"')
                        return at + 1;
        }
        return 0;
}

/* Behind the value that begins at `at`; 0 if it does not end. */
static size_t skip_value(struct text json, size_t at) {
        unsigned depth = 0;
        while (at < json.length) {
                char letter = json.at[at];
                if (letter == '"') {
                        at = skip_string(json, at);
                        if (at == 0 || depth == 0)
                                return at;
                        continue;
                }
                if (letter == '{' || letter == '[') {
                        depth++;
                } else if (letter == '}' || letter == ']') {
                        if (depth == 0)
                                return at;
                        if (--depth == 0)
                                return at + 1;
                } else if (depth == 0 && (letter == ',' || letter == ' ' || letter == '\n' || letter == '\r')) {
                        return at;
                }
                at++;
        }
        return depth ? 0 : at;
}

static struct text value_between(struct text json, size_t from, size_t to) {
        struct text value = {json.at + from, to - from};
        if (value.length >= 2 && value.at[0] == '"')
                return (struct text){value.at + 1, value.length - 2};
        return text_equal(value, TEXT("null")) ? (struct text){0} : value;
}

struct text json_member(struct text object, const char *name) {
        size_t at = skip_blank(object, 0), length = strlen(name);
        if (at >= object.length || object.at[at] != '{')
                return (struct text){0};
        at = skip_blank(object, at + 1);
        while (at < object.length && object.at[at] == '"') {
                size_t key = at + 1, behind = skip_string(object, at);
                at = behind ? skip_blank(object, behind) : object.length;
                if (at >= object.length || object.at[at] != ':')
                        break;
                size_t from = skip_blank(object, at + 1), to = skip_value(object, from);
                if (to <= from)
                        break;
                if (behind - 1 - key == length && memcmp(object.at + key, name, length) == 0)
                        return value_between(object, from, to);
                at = skip_blank(object, to);
                if (at >= object.length || object.at[at] != ',')
                        break;
                at = skip_blank(object, at + 1);
        }
        return (struct text){0};
}

int64_t json_member_number(struct text object, const char *name, int64_t missing) {
        uint64_t number;
        struct text value = json_member(object, name);
        return value.length && text_to_number(value, INT64_MAX, &number) ? (int64_t)number : missing;
}

bool json_item(struct text array, size_t *at, struct text *ret_item) {
        size_t from = skip_blank(array, *at);
        if (from >= array.length || array.at[from] != (*at ? ',' : '['))
                return false;
        from = skip_blank(array, from + 1);
        size_t to = from < array.length ? skip_value(array, from) : 0;
        if (to <= from)
                return false;
        *ret_item = value_between(array, from, to);
        *at = to;
        return true;
}
