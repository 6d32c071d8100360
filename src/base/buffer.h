/* buffer.h: bytes that grow, up to a limit. Overflow sticks and is checked once, at the end. */
#ifndef TICKETRUSH_BASE_BUFFER_H
#define TICKETRUSH_BASE_BUFFER_H

#include "base/text.h"

struct buffer {
        char *at;
        size_t length, capacity, max_bytes;
        bool overflowed; /* something did not fit: the content is useless */
};

void buffer_init(struct buffer *buffer, size_t max_bytes);
void buffer_deinit(struct buffer *buffer);
static inline void buffer_clear(struct buffer *buffer) { buffer->length = 0; buffer->overflowed = false; }
static inline struct text buffer_text(const struct buffer *buffer) { return (struct text){buffer->at, buffer->length}; }
/* Room for n more bytes at the end, or NULL (overflowed). The caller adds to length what it wrote. */
char *buffer_reserve(struct buffer *buffer, size_t n);
void buffer_add(struct buffer *buffer, const void *bytes, size_t n);
void buffer_add_text(struct buffer *buffer, struct text text);
void buffer_add_string(struct buffer *buffer, const char *terminated);
void buffer_add_number(struct buffer *buffer, int64_t number);
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
