/* qr.h: a QR code (ISO/IEC 18004) as a picture. Bound at link time: src/adapter/qrencode. */
#ifndef TICKETRUSH_PORT_QR_H
#define TICKETRUSH_PORT_QR_H

#include "base/buffer.h"

/* A PNG of text (error correction M, quiet zone of 4 modules, `scale` pixels a module, at most 64) appended to out.
 * The text has 1 to 2,331 bytes. 0 or fault. */
int qr_png(struct buffer *out, struct text text, unsigned scale);
/* The same as SVG. */
int qr_svg(struct buffer *out, struct text text);

#endif
