/* fuzz_main: replays files through a fuzzer: NAME_fuzz FILE-OR-FOLDER… (folders with all that is in them). */
#include "fuzz.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDERS_OPEN_MAX = 16 };

static unsigned replayed;

static int replay(const char *path, const struct stat *about, int type, struct FTW *place) {
        (void)place;
        if (type != FTW_F)
                return 0;
        size_t size = (size_t)about->st_size;
        FILE *file = fopen(path, "rb");
        uint8_t *data = malloc(size + 1);
        if (!file || !data || fread(data, 1, size, file) != size) {
                (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
                exit(1);
        }
        (void)fclose(file);
        (void)LLVMFuzzerTestOneInput(data, size);
        free(data);
        replayed++;
        return 0;
}

int main(int count, char **arguments) {
        for (int i = 1; i < count; i++) {
                if (nftw(arguments[i], replay, FOLDERS_OPEN_MAX, FTW_PHYS) != 0) {
                        (void)fprintf(stderr, "%s: %s\n", arguments[i], strerror(errno));
                        return 1;
                }
        }
        printf("%u inputs replayed\n", replayed);
        return replayed > 0 ? 0 : 1;
}
