#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Noreturn void assert_failed(const char *kind, const char *what, const char *file, int line) {
        /* Without stdio's locks and buffers: the broken promise may be that one of those is in a bad state. */
        char message[512];
        int length = snprintf(message, sizeof message, "%s:%d: %s broken: %s\n", file, line, kind, what);
        if (length > 0) {
                size_t n = (size_t)length < sizeof message ? (size_t)length : sizeof message - 1;
                message[n - 1] = '\n';
                ssize_t written = write(STDERR_FILENO, message, n);
                (void)written;
        }
        abort();
}
