/* qr.h: a QR code (ISO/IEC 18004) as modules or PNG. Bound at link time: src/adapter/qrencode. */
#ifndef TICKETRUSH_PORT_QR_H
#define TICKETRUSH_PORT_QR_H

#include "base/buffer.h"

/* A PNG of text (error correction M, quiet zone of 4 modules, `scale` pixels a module) appended to out. 0 or fault. */
int qr_png(struct buffer *out, struct text text, unsigned scale);
/* The same as SVG. */
int qr_svg(struct buffer *out, struct text text);

#endif
