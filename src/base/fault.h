/* fault.h: two kinds of failure, visible in the sign.
 *
 * Every function that can fail returns int.
 *   0         it worked
 *   positive  an outcome of this very module, listed in its header as an enum; the caller answers it
 *   negative  a fault: something below is broken (a negated errno value); it goes up unchanged and becomes 503 in one place
 * Outputs are called ret_x and are untouched on failure. */
#ifndef TICKETRUSH_BASE_FAULT_H
#define TICKETRUSH_BASE_FAULT_H

#include <errno.h>
#include <stdbool.h>

/* The store cannot take writes now (disk full, read-only folder, I/O error); reads go on. */
#define FAULT_STORAGE (-ENOSPC)
/* The database refused a change that the rules had allowed: a unique constraint or a fence. */
#define FAULT_CONSTRAINT (-EILSEQ)
/* The stored data is not what this program wrote, or was written by a newer version. */
#define FAULT_FORMAT (-EBADMSG)
/* A queue or a pool has reached its named limit. */
#define FAULT_BUSY (-EAGAIN)

/* A sentence for logs; never NULL. */
const char *fault_text(int fault);

#endif
