/* acks.c: see acks.h. */
#include "rehearse/acks.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/json_writer.h"

enum { LINES_BYTES_MAX = 64 * 1024 * 1024 };

int acks_open(struct acks *acks, const char *path) {
        *acks = (struct acks){.fd = -1};
        buffer_init(&acks->lines, LINES_BYTES_MAX);
        if (path)
                acks->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        return path && acks->fd < 0 ? -errno : 0;
}

void acks_close(struct acks *acks) {
        acks_flush(acks);
        buffer_deinit(&acks->lines);
        if (acks->fd >= 0)
                close(acks->fd);
        acks->fd = -1;
}

void acks_add(struct acks *acks, const struct ack *ack) {
        if (acks->fd < 0)
                return;
        struct json_writer json;
        json_begin(&json, &acks->lines);
        json_object(&json, 0);
        json_string(&json, "what", ack->what);
        json_id(&json, "account", ID_ACCOUNT, ack->account);
        if (ack->id)
                json_id(&json, "id", ack->prefix, ack->id);
        if (ack->state.length)
                json_text(&json, "state", ack->state);
        if (ack->number)
                json_number(&json, "number", (int64_t)ack->number);
        if (ack->tickets.length)
                json_raw(&json, "tickets", ack->tickets);
        if (ack->seat_count) {
                json_array(&json, "seats");
                for (uint32_t i = 0; i < ack->seat_count; i++)
                        json_number(&json, 0, ack->seats[i]);
                json_array_end(&json);
        }
        json_object_end(&json);
        buffer_add_string(&acks->lines, "\n");
}

void acks_flush(struct acks *acks) {
        struct text rest = buffer_text(&acks->lines);
        while (acks->fd >= 0 && rest.length) {
                ssize_t written = write(acks->fd, rest.at, rest.length);
                if (written < 0 && errno == EINTR)
                        continue;
                if (written <= 0)
                        break;
                rest.at += written;
                rest.length -= (size_t)written;
        }
        buffer_clear(&acks->lines);
}
