/* vfs_gather.c: see vfs_gather.h.
 *
 *   struct gather_file { SQLite's part | the pending bytes and where they belong | the system's file … }
 *
 * A failed hand-down drops what was pending: SQLite hears the error from xSync and rolls the transaction back, and the
 * next commit writes the same place anew. */
#include "adapter/sqlite/vfs_gather.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* SQLite's own file layer takes the lowest 17 bits of a length for the length (seekAndWriteFd): never hand down more. */
enum { GATHER_BYTES_MAX = 120 * 1024 };
_Static_assert(GATHER_BYTES_MAX < 0x20000, "a longer write is cut");

struct gather_file {
        sqlite3_file base; /* first: SQLite sees this */
        char *pending;     /* GATHER_BYTES_MAX bytes, from the first write on */
        size_t length;
        sqlite3_int64 offset; /* where pending[0] belongs */
};

static sqlite3_file *system_file(sqlite3_file *file) {
        return (sqlite3_file *)(void *)((struct gather_file *)(void *)file + 1);
}

static int hand_down(sqlite3_file *base) {
        struct gather_file *file = (struct gather_file *)(void *)base;
        if (file->length == 0)
                return SQLITE_OK;
        sqlite3_file *below = system_file(base);
        int code = below->pMethods->xWrite(below, file->pending, (int)file->length, file->offset);
        file->length = 0;
        return code;
}

static int gather_close(sqlite3_file *base) {
        struct gather_file *file = (struct gather_file *)(void *)base;
        sqlite3_file *below = system_file(base);
        int written = hand_down(base);
        int closed = below->pMethods->xClose(below);
        free(file->pending);
        file->pending = NULL;
        return written != SQLITE_OK ? written : closed;
}

static int gather_read(sqlite3_file *base, void *into, int amount, sqlite3_int64 offset) {
        sqlite3_file *below = system_file(base);
        int code = hand_down(base);
        return code != SQLITE_OK ? code : below->pMethods->xRead(below, into, amount, offset);
}

static int gather_write(sqlite3_file *base, const void *bytes, int amount, sqlite3_int64 offset) {
        struct gather_file *file = (struct gather_file *)(void *)base;
        sqlite3_file *below = system_file(base);
        size_t n = (size_t)amount;
        bool follows = file->length > 0 && offset == file->offset + (sqlite3_int64)file->length;
        if (!follows || n > GATHER_BYTES_MAX - file->length) {
                int code = hand_down(base);
                if (code != SQLITE_OK)
                        return code;
        }
        if (!file->pending)
                file->pending = malloc(GATHER_BYTES_MAX);
        if (!file->pending || n > GATHER_BYTES_MAX)
                return below->pMethods->xWrite(below, bytes, amount, offset);
        if (file->length == 0)
                file->offset = offset;
        memcpy(file->pending + file->length, bytes, n);
        file->length += n;
        return SQLITE_OK;
}

static int gather_truncate(sqlite3_file *base, sqlite3_int64 size) {
        sqlite3_file *below = system_file(base);
        int code = hand_down(base);
        return code != SQLITE_OK ? code : below->pMethods->xTruncate(below, size);
}

static int gather_sync(sqlite3_file *base, int flags) {
        sqlite3_file *below = system_file(base);
        int code = hand_down(base);
        return code != SQLITE_OK ? code : below->pMethods->xSync(below, flags);
}

static int gather_file_size(sqlite3_file *base, sqlite3_int64 *ret_size) {
        sqlite3_file *below = system_file(base);
        int code = hand_down(base);
        return code != SQLITE_OK ? code : below->pMethods->xFileSize(below, ret_size);
}

static int gather_lock(sqlite3_file *base, int level) {
        sqlite3_file *below = system_file(base);
        return below->pMethods->xLock(below, level);
}

static int gather_unlock(sqlite3_file *base, int level) {
        sqlite3_file *below = system_file(base);
        return below->pMethods->xUnlock(below, level);
}

static int gather_check_reserved(sqlite3_file *base, int *ret_reserved) {
        sqlite3_file *below = system_file(base);
        return below->pMethods->xCheckReservedLock(below, ret_reserved);
}

static int gather_control(sqlite3_file *base, int op, void *argument) {
        sqlite3_file *below = system_file(base);
        return below->pMethods->xFileControl(below, op, argument);
}

static int gather_sector_size(sqlite3_file *base) {
        sqlite3_file *below = system_file(base);
        return below->pMethods->xSectorSize(below);
}

static int gather_characteristics(sqlite3_file *base) {
        sqlite3_file *below = system_file(base);
        return below->pMethods->xDeviceCharacteristics(below);
}

static const sqlite3_io_methods methods = {
        .iVersion = 1, /* no shared memory, no mapping: a WAL needs neither */
        .xClose = gather_close,
        .xRead = gather_read,
        .xWrite = gather_write,
        .xTruncate = gather_truncate,
        .xSync = gather_sync,
        .xFileSize = gather_file_size,
        .xLock = gather_lock,
        .xUnlock = gather_unlock,
        .xCheckReservedLock = gather_check_reserved,
        .xFileControl = gather_control,
        .xSectorSize = gather_sector_size,
        .xDeviceCharacteristics = gather_characteristics,
};

static sqlite3_vfs *system_vfs;

static int gather_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *ret_flags) {
        (void)vfs;
        if (!(flags & SQLITE_OPEN_WAL))
                return system_vfs->xOpen(system_vfs, name, base, flags, ret_flags);
        struct gather_file *file = (struct gather_file *)(void *)base;
        *file = (struct gather_file){0};
        sqlite3_file *below = system_file(base);
        int code = system_vfs->xOpen(system_vfs, name, below, flags, ret_flags);
        if (code == SQLITE_OK)
                file->base.pMethods = &methods;
        return code;
}

static sqlite3_vfs gather;

static void start(void) {
        if (sqlite3_initialize() != SQLITE_OK)
                return;
        system_vfs = sqlite3_vfs_find(NULL);
        gather = *system_vfs;
        gather.szOsFile += (int)sizeof(struct gather_file);
        gather.zName = "gather";
        gather.pNext = NULL;
        gather.xOpen = gather_open;
        if (sqlite3_vfs_register(&gather, 0) != SQLITE_OK)
                gather.zName = NULL;
}

const char *vfs_gather(void) {
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        pthread_once(&once, start);
        return gather.zName;
}
