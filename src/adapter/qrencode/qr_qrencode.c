/* qr_qrencode.c: the QR port on libqrencode, drawn as PNG or SVG.
 *
 * The PNG is the smallest honest one (ISO/IEC 15948): one bit a pixel, grey, three chunks; zlib brings deflate and the
 * checksum. All rows of one line of modules are equal, so they pack to almost nothing. Stateless; any thread. */
#include "port/qr.h"

#include "base/assert.h"
#include "base/fault.h"

#include <endian.h>
#include <qrencode.h>
#include <stdlib.h>
#include <zlib.h>

enum { QUIET_ZONE = 4, SCALE_MAX = 64, TEXT_BYTES_MAX = 2331 /* of the largest code at M */ };

/* Byte mode keeps every character as it is; error correction M restores 15 %. */
static QRcode *encode(struct text text) {
        PRE(text.length > 0 && text.length <= TEXT_BYTES_MAX);
        return QRcode_encodeData((int)text.length, (const unsigned char *)text.at, 0, QR_ECLEVEL_M);
}

static unsigned side_of(const QRcode *code) {
        return (unsigned)code->width + 2 * QUIET_ZONE;
}

/* Dark or light, with the quiet zone around. */
static bool is_dark(const QRcode *code, unsigned x, unsigned y) {
        unsigned width = (unsigned)code->width;
        if (x < QUIET_ZONE || y < QUIET_ZONE || x >= width + QUIET_ZONE || y >= width + QUIET_ZONE)
                return false;
        return code->data[(y - QUIET_ZONE) * width + (x - QUIET_ZONE)] & 1;
}

static void add_number(struct buffer *out, uint32_t number) {
        uint32_t big_endian = htobe32(number);
        buffer_add(out, &big_endian, sizeof big_endian);
}

static void add_chunk(struct buffer *out, const char type[static 4], const void *bytes, uint32_t n) {
        uLong sum = crc32(crc32(0, Z_NULL, 0), (const Bytef *)type, 4);
        if (n > 0)
                sum = crc32(sum, bytes, n);
        add_number(out, n);
        buffer_add(out, type, 4);
        buffer_add(out, bytes, n);
        add_number(out, (uint32_t)sum);
}

/* Each row begins with its filter (0: none); a set bit is white. */
static size_t draw(const QRcode *code, unsigned scale, uint8_t *rows) {
        unsigned side = side_of(code);
        size_t row_bytes = 1 + (side * scale + 7) / 8;
        uint8_t *row = rows;
        for (unsigned y = 0; y < side; y++) {
                for (unsigned x = 0; x < side * scale; x++) {
                        if (!is_dark(code, x / scale, y))
                                row[1 + x / 8] |= (uint8_t)(0x80 >> x % 8);
                }
                for (unsigned copy = 1; copy < scale; copy++)
                        memcpy(row + copy * row_bytes, row, row_bytes);
                row += scale * row_bytes;
        }
        return (size_t)(row - rows);
}

static int add_png(struct buffer *out, const QRcode *code, unsigned scale) {
        static const char signature[8] = {'\x89', 'P', 'N', 'G', '\r', '\n', '\x1a', '\n'};
        uint32_t side = side_of(code) * scale;
        size_t rows_bytes = (size_t)side * (1 + (side + 7) / 8);
        uLongf packed_bytes = compressBound(rows_bytes);
        uint8_t *rows = calloc(1, rows_bytes);
        Bytef *packed = malloc(packed_bytes);
        int fault = rows && packed ? 0 : -ENOMEM;
        if (!fault && compress2(packed, &packed_bytes, rows, draw(code, scale, rows), Z_DEFAULT_COMPRESSION) != Z_OK)
                fault = -ENOMEM;
        if (!fault) {
                uint32_t size = htobe32(side);
                uint8_t header[13] = {[8] = 1 /* bit a pixel */, [9] = 0 /* grey */};
                memcpy(header, &size, 4);
                memcpy(header + 4, &size, 4);
                buffer_add(out, signature, sizeof signature);
                add_chunk(out, "IHDR", header, sizeof header);
                add_chunk(out, "IDAT", packed, (uint32_t)packed_bytes);
                add_chunk(out, "IEND", NULL, 0);
        }
        free(rows);
        free(packed);
        return fault;
}

/* Runs of dark modules as one path: h draws along a row. */
static void add_svg(struct buffer *out, const QRcode *code) {
        unsigned side = side_of(code);
        buffer_printf(out,
                      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %u %u\" shape-rendering=\"crispEdges\">"
                      "<path fill=\"#fff\" d=\"M0 0h%uv%uH0z\"/><path d=\"",
                      side, side, side, side);
        for (unsigned y = 0; y < side; y++) {
                for (unsigned x = 0, end; x < side; x = end) {
                        bool dark = is_dark(code, x, y);
                        for (end = x + 1; end < side && is_dark(code, end, y) == dark; end++)
                                ;
                        if (dark)
                                buffer_printf(out, "M%u %uh%uv1h-%uz", x, y, end - x, end - x);
                }
        }
        buffer_add_string(out, "\"/></svg>");
}

int qr_png(struct buffer *out, struct text text, unsigned scale) {
        PRE(scale > 0 && scale <= SCALE_MAX);
        QRcode *code = encode(text);
        if (!code)
                return -errno;
        int fault = add_png(out, code, scale);
        QRcode_free(code);
        return fault ? fault : out->overflowed ? -ENOBUFS : 0;
}

int qr_svg(struct buffer *out, struct text text) {
        QRcode *code = encode(text);
        if (!code)
                return -errno;
        add_svg(out, code);
        QRcode_free(code);
        return out->overflowed ? -ENOBUFS : 0;
}
