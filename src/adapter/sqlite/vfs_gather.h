/* vfs_gather.h: gathers what a commit writes into the WAL into one write.
 *
 * SQLite writes each frame of the WAL with two calls (24 bytes of header, then the page): some ten system calls for a
 * purchase, a quarter of what a lane costs. This VFS stands in front of the system's, keeps the contiguous writes of a
 * commit in memory, and hands them down in one piece when SQLite syncs, reads, or asks for the size. Nothing is promised
 * earlier than before: a write counts only when xSync has returned, and by then it is down and synced. Only the WAL is
 * gathered; every other file goes straight to the system. */
#ifndef TICKETRUSH_ADAPTER_SQLITE_VFS_GATHER_H
#define TICKETRUSH_ADAPTER_SQLITE_VFS_GATHER_H

/* Registers the VFS once per process and returns its name for sqlite3_open_v2, or NULL without memory. Thread-safe. */
const char *vfs_gather(void);

#endif
