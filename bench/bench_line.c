/* bench_line.c: a million people in one line, on a real lane and a durable database.
 *
 *   bench_line [FOLDER] [PEOPLE]        FOLDER is where the file goes (default: here), PEOPLE default 1000000
 *
 * Everybody enters the lobby through the lane in batches (synchronous=FULL); it is drawn at opening, and a quarter as
 * many come later. Places are asked for as an edge does, and the file is opened again. The catalogue and the seats are
 * fakes: what is measured is the line. One JSON line. */
#include "adapter/sqlite/db_sqlite.h"
#include "adapter/system/clock_system.h"
#include "service/inventory/inventory.h"
#include "service/queue/queue_service.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SHOW = 5000, BATCH = 4096, STATUS_ASKED = 5000000, CAPACITY = 1000 };
static const account_id first_account = 1000000007;

/* --- fakes --- */

static int64_t now;
static struct schedule show = {
        .id = SHOW,
        .line = {.capacity = CAPACITY,
                 .pass_seconds = 600,
                 .waiting_max = LINE_WAITING_MAX,
                 .enabled = true,
                 .lobby_opens_at = 1},
        .draw_seed = {1, 2, 3},
};

static int64_t read_now(struct clock *clock) {
        (void)clock;
        return now;
}

const struct schedule *event_schedule(struct event_service *service, struct db *db, schedule_id id) {
        (void)service;
        (void)db;
        return id == SHOW ? &show : NULL;
}

const struct schedule *event_schedule_peek(struct event_service *service, schedule_id id) {
        (void)service;
        return id == SHOW ? &show : NULL;
}

int event_live_schedules(struct event_service *service, struct db *db, int64_t at,
                         int (*each)(void *context, schedule_id id), void *context) {
        (void)service;
        (void)db;
        (void)at;
        return each(context, SHOW);
}

int inventory_counts_now(struct inventory *inventory, struct turn *turn, schedule_id schedule,
                         struct seat_counts *ret_counts) {
        (void)inventory;
        (void)turn;
        (void)schedule;
        *ret_counts = (struct seat_counts){.available = 50000};
        return 0;
}

/* --- measuring --- */

static struct clock clock_of_bench = {.now_ms = read_now};
static struct lane *lane;
static struct queue *queue;
static size_t answered;

static void check(int r, const char *what) {
        if (r == 0)
                return;
        fprintf(stderr, "bench_line: %s: %s\n", what, fault_text(r));
        exit(1);
}

static double seconds_since(int64_t from_us) {
        return (double)(clock_monotonic_us() - from_us) / 1e6;
}

static void world_open(const char *path) {
        static const uint8_t key[CRYPTO_MAC_KEY_BYTES] = {1};
        static int events, inventory;
        const char *newer = NULL;
        struct db *db = NULL;
        check(db_sqlite_open(&db, path, &(struct db_sqlite_options){0}), "open");
        check(db_migrate(db, queue_migrations, queue_migration_count, &newer), "migrate");
        check(lane_new(&lane, &(struct lane_config){.db = db, .clock = &clock_of_bench, .node = 1}), "lane");
        const struct queue_config config = {.lane = lane,
                                            .clock = &clock_of_bench,
                                            .events = (struct event_service *)(void *)&events,
                                            .pass_key = key};
        check(queue_new(&queue, &config), "queue");
        queue_set_inventory(queue, (struct inventory *)(void *)&inventory);
        while (lane_step(lane)) {
        }
}

static void world_close(void) {
        lane_free(lane);
        queue_free(queue);
}

static void note_answer(struct lane_command *command) {
        answered += command->fault == 0 && command->outcome == ENTER_OK;
}

/* Seconds. */
static double enter(account_id from, size_t count) {
        static struct line_command commands[BATCH];
        int64_t start = clock_monotonic_us();
        for (size_t done = 0; done < count; now++) {
                size_t n = count - done < BATCH ? count - done : BATCH;
                answered = 0;
                for (size_t i = 0; i < n; i++) {
                        commands[i] = (struct line_command){
                                .lane = {.kind = &line_enter_kind, .service = queue, .done = note_answer},
                                .schedule = SHOW,
                                .account = from + done + i};
                        check(lane_submit(lane, &commands[i].lane), "submit");
                }
                while (answered < n && lane_step(lane)) {
                }
                if (answered < n)
                        check(-EIO, "somebody could not enter");
                done += n;
        }
        return seconds_since(start);
}

static uint64_t ask(size_t people, size_t times) {
        uint64_t sum = 0, random = 88172645463325252;
        for (size_t i = 0; i < times; i++) {
                struct line_view view;
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                if (queue_status_committed(queue, SHOW, first_account + random % people, now, &view) != STATUS_OK)
                        check(-EIO, "somebody is not in line");
                sum += view.ahead;
        }
        return sum;
}

int main(int argc, char **argv) {
        char path[4096], wal[4096 + 8];
        size_t people = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000, later = people / 4;
        snprintf(path, sizeof path, "%s/bench_line.db", argc > 1 ? argv[1] : ".");
        snprintf(wal, sizeof wal, "%s-wal", path);
        unlink(path);
        unlink(wal);
        check(crypto_start(), "crypto");
        now = INT64_C(1795258800000);
        show.opens_at = now + 3600 * 1000;
        show.ends_at = now + 7200 * 1000;
        world_open(path);

        size_t heap_before = mallinfo2().uordblks + mallinfo2().hblkhd;
        double lobby_seconds = enter(first_account, people);
        now = show.opens_at;
        int64_t start = clock_monotonic_us();
        while (lane_step(lane)) {
        }
        double draw_seconds = seconds_since(start); /* with admission and the commit */
        size_t heap = mallinfo2().uordblks + mallinfo2().hblkhd - heap_before;
        size_t bytes = queue_line_bytes(queue, SHOW);
        double later_seconds = enter(first_account + people, later);

        start = clock_monotonic_us();
        uint64_t sum = ask(people, STATUS_ASKED);
        double status_seconds = seconds_since(start);
        world_close();

        start = clock_monotonic_us();
        world_open(path);
        double load_seconds = seconds_since(start);
        if (ask(people, STATUS_ASKED) != sum)
                check(-EIO, "places changed over a restart");
        world_close();
        unlink(path);
        unlink(wal);
        printf("{\"people\":%zu,\"bytesPerPerson\":%.1f,\"heapBytesPerPerson\":%.1f,\"lobbyEntersPerSecond\":%.0f,"
               "\"drawSeconds\":%.3f,\"laterEntersPerSecond\":%.0f,\"statusPerSecond\":%.0f,\"loadSeconds\":%.3f}\n",
               people, (double)bytes / (double)people, (double)heap / (double)people, (double)people / lobby_seconds,
               draw_seconds, (double)later / later_seconds, STATUS_ASKED / status_seconds, load_seconds);
        return 0;
}
