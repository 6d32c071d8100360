#include "base/buffer.h"

#include "base/assert.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUFFER_FIRST = 256 };

void buffer_init(struct buffer *buffer, size_t max_bytes) {
        /* One byte behind the end is always there, so that buffer_printf can fill a buffer to the brim. */
        size_t possible = PTRDIFF_MAX - 1;
        *buffer = (struct buffer){.max_bytes = max_bytes < possible ? max_bytes : possible};
}

void buffer_deinit(struct buffer *buffer) {
        free(buffer->at);
        buffer->at = NULL;
        buffer->length = buffer->capacity = 0;
        buffer->overflowed = false;
}

static bool buffer_grow(struct buffer *buffer, size_t need) {
        size_t capacity = buffer->capacity > 0 ? buffer->capacity : BUFFER_FIRST;
        while (capacity < need)
                capacity *= 2; /* need is at most PTRDIFF_MAX: this cannot wrap */
        if (capacity > buffer->max_bytes)
                capacity = buffer->max_bytes;
        char *at = realloc(buffer->at, capacity + 1);
        if (!at)
                return false;
        buffer->at = at;
        buffer->capacity = capacity;
        return true;
}

char *buffer_reserve(struct buffer *buffer, size_t n) {
        if (buffer->overflowed)
                return NULL;
        if (n > buffer->capacity - buffer->length || !buffer->at) {
                if (n > buffer->max_bytes - buffer->length || !buffer_grow(buffer, buffer->length + n)) {
                        buffer->overflowed = true;
                        return NULL;
                }
        }
        return buffer->at + buffer->length;
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t n) {
        if (n == 0)
                return;
        char *at = buffer_reserve(buffer, n);
        if (!at)
                return;
        memcpy(at, bytes, n);
        buffer->length += n;
}

void buffer_add_text(struct buffer *buffer, struct text text) {
        buffer_add(buffer, text.at, text.length);
}

void buffer_add_string(struct buffer *buffer, const char *terminated) {
        buffer_add(buffer, terminated, strlen(terminated));
}

void buffer_add_number(struct buffer *buffer, int64_t number) {
        char digits[TEXT_NUMBER_MAX];
        buffer_add(buffer, digits, text_from_number(digits, number));
}

void buffer_printf(struct buffer *buffer, const char *format, ...) {
        char *at = buffer_reserve(buffer, 0);
        if (!at)
                return;
        size_t room = buffer->capacity - buffer->length;
        va_list arguments, again;
        va_start(arguments, format);
        va_copy(again, arguments);
        int length = vsnprintf(at, room + 1, format, arguments);
        va_end(arguments);
        if (length < 0) {
                buffer->overflowed = true;
        } else if ((size_t)length <= room) {
                buffer->length += (size_t)length;
        } else if ((at = buffer_reserve(buffer, (size_t)length)) != NULL) {
                int second = vsnprintf(at, (size_t)length + 1, format, again);
                POST(second == length);
                buffer->length += (size_t)length;
        }
        va_end(again);
}
