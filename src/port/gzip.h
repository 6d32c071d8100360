/* gzip.h: gzip (RFC 1952) in two parts, so that what never changes is compressed once. Bound at link time: src/adapter/zlib.
 *
 * gzip_part deflates bytes into a part that ends on a byte boundary (full flush); gzip_join strings parts together
 * behind one header, with the combined CRC: cheap, whatever their size. */
#ifndef TICKETRUSH_PORT_GZIP_H
#define TICKETRUSH_PORT_GZIP_H

#include "base/buffer.h"

struct gzip_part {
        char *deflated;      /* malloc; freed by gzip_part_deinit */
        size_t deflated_length;
        size_t plain_length;
        uint32_t crc;
};

int gzip_part_init(struct gzip_part *part, struct text plain, int level); /* level 1 … 9; negative fault without memory */
void gzip_part_deinit(struct gzip_part *part);
int gzip_join(struct buffer *out, const struct gzip_part *const *parts, size_t count);

#endif
