/* gzip_zlib.c: the gzip port on zlib.
 *
 * A part is raw deflate data of a stream of its own that was flushed to a byte boundary and not finished, so parts can
 * stand behind one another; gzip_join puts the header before them, an empty last block behind them, and combines their
 * checksums without touching their bytes. */
#include <zlib.h>

#include <errno.h>
#include <stdlib.h>

#include "base/assert.h"
#include "port/gzip.h"

enum { RAW_WINDOW_BITS = -15, MEMORY_LEVEL = 9, FLUSH_BYTES = 64 };

static int deflate_into(struct gzip_part *part, z_stream *stream, struct text plain) {
        size_t capacity = deflateBound(stream, plain.length) + FLUSH_BYTES;
        char *deflated = malloc(capacity);
        if (!deflated)
                return -ENOMEM;
        stream->next_in = (Bytef *)(uintptr_t)plain.at;
        stream->avail_in = (uInt)plain.length;
        stream->next_out = (Bytef *)deflated;
        stream->avail_out = (uInt)capacity;
        int r = deflate(stream, Z_FULL_FLUSH);
        INVARIANT(r == Z_OK && stream->avail_in == 0 && stream->avail_out > 0);
        size_t length = capacity - stream->avail_out;
        char *smaller = realloc(deflated, length);
        *part = (struct gzip_part){
                .deflated = smaller ? smaller : deflated,
                .deflated_length = length,
                .plain_length = plain.length,
                .crc = (uint32_t)crc32_z(0, (const Bytef *)plain.at, plain.length),
        };
        return 0;
}

int gzip_part_init(struct gzip_part *part, struct text plain, int level) {
        PRE(level >= 1 && level <= 9);
        PRE(plain.length <= INT32_MAX);
        if (plain.length == 0) {
                *part = (struct gzip_part){0};
                return 0;
        }
        z_stream stream = {0};
        int r = deflateInit2(&stream, level, Z_DEFLATED, RAW_WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
        if (r != Z_OK)
                return -ENOMEM;
        int fault = deflate_into(part, &stream, plain);
        deflateEnd(&stream);
        return fault;
}

void gzip_part_deinit(struct gzip_part *part) {
        free(part->deflated);
        *part = (struct gzip_part){0};
}

static void add_little_endian(struct buffer *out, uint32_t number) {
        const unsigned char bytes[4] = {(unsigned char)number, (unsigned char)(number >> 8), (unsigned char)(number >> 16),
                                        (unsigned char)(number >> 24)};
        buffer_add(out, bytes, sizeof bytes);
}

int gzip_join(struct buffer *out, const struct gzip_part *const *parts, size_t count) {
        /* Magic, deflate, no flags, no time, no extra flags, unknown system (RFC 1952 section 2.3). */
        static const unsigned char header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
        static const unsigned char last_block[2] = {0x03, 0x00};
        uLong crc = 0;
        size_t plain_length = 0;
        buffer_add(out, header, sizeof header);
        for (size_t i = 0; i < count; i++) {
                buffer_add(out, parts[i]->deflated, parts[i]->deflated_length);
                crc = crc32_combine(crc, parts[i]->crc, (z_off_t)parts[i]->plain_length);
                plain_length += parts[i]->plain_length;
        }
        buffer_add(out, last_block, sizeof last_block);
        add_little_endian(out, (uint32_t)crc);
        add_little_endian(out, (uint32_t)plain_length);
        return out->overflowed ? -ENOMEM : 0;
}
