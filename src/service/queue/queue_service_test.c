/* queue_service_test.c: stories of the waiting room on a real lane and a real database; the catalogue and the seats are
 * small fakes. The clock stands still until it is moved. */
#include "service/queue/queue_service.h"

#include "base/buffer.h"
#include "base/unit_test.h"
#include "kit/kit_db_fault.h"
#include "kit/kit_lane.h"
#include "service/inventory/inventory.h"

/* --- fakes: two schedules, and seats that are simply counted --- */

enum { SHOW = 5000, OTHER_SHOW = 6000, PEOPLE_MAX = 4096 };

static struct schedule schedules[2];
static uint32_t seats_available;
static const uint8_t pass_key[CRYPTO_MAC_KEY_BYTES] = {1, 2, 3};

static const struct schedule *find_schedule(schedule_id id) {
        for (size_t i = 0; i < 2; i++) {
                if (schedules[i].id == id)
                        return &schedules[i];
        }
        return NULL;
}

const struct schedule *event_schedule(struct event_service *service, struct db *db, schedule_id id) {
        (void)service;
        (void)db;
        return find_schedule(id);
}

const struct schedule *event_schedule_peek(struct event_service *service, schedule_id id) {
        (void)service;
        return find_schedule(id);
}

int event_live_schedules(struct event_service *service, struct db *db, int64_t now,
                         int (*each)(void *context, schedule_id id), void *context) {
        (void)service;
        (void)db;
        int r = 0;
        for (size_t i = 0; r == 0 && i < 2; i++) {
                if (schedules[i].id != 0 && now < schedules[i].ends_at)
                        r = each(context, schedules[i].id);
        }
        return r;
}

int inventory_counts_now(struct inventory *inventory, struct turn *turn, schedule_id schedule,
                         struct seat_counts *ret_counts) {
        (void)inventory;
        (void)turn;
        (void)schedule;
        *ret_counts = (struct seat_counts){.available = seats_available};
        return 0;
}

/* --- the world --- */

static char path[KIT_PATH_MAX];
static struct db *db; /* with faults */
static struct lane *lane;
static struct queue *queue;
static struct schedule *const show = &schedules[0];

static void world_start(void) {
        static int events, inventory;
        const char *newer = NULL;
        db = kit_db_fault_new(kit_db_open(path));
        assert_int_equal(db_migrate(db, queue_migrations, queue_migration_count, &newer), 0);
        lane = kit_lane_open_on(db);
        const struct queue_config config = {.lane = lane,
                                            .clock = kit_clock(),
                                            .events = (struct event_service *)(void *)&events,
                                            .pass_key = pass_key};
        assert_int_equal(queue_new(&queue, &config), 0);
        queue_set_inventory(queue, (struct inventory *)(void *)&inventory);
        kit_lane_run(lane);
}

/* As after a crash: nothing is finished, what was committed is there. */
static void world_restart(void) {
        lane_free(lane);
        queue_free(queue);
        world_start();
}

static int setup(int64_t opens_at) {
        kit_clock_set(KIT_NOW);
        schedules[0] = (struct schedule){
                .id = SHOW,
                .opens_at = opens_at,
                .ends_at = KIT_NOW + 3600 * 1000,
                .cap = 4,
                .line = {.capacity = 5, .pass_seconds = 60, .waiting_max = 1000, .enabled = true},
                .draw_seed = {9, 8, 7},
        };
        schedules[1] = schedules[0];
        schedules[1].id = OTHER_SHOW;
        seats_available = 1000;
        kit_path_new(path);
        world_start();
        return 0;
}

static int sale_setup(void **state) {
        (void)state;
        return setup(KIT_NOW);
}

static int lobby_setup(void **state) {
        (void)state;
        return setup(KIT_NOW + 10000);
}

static int world_teardown(void **state) {
        (void)state;
        lane_free(lane);
        queue_free(queue);
        kit_path_remove(path);
        return 0;
}

static struct line_command command_of(const struct lane_kind *kind, schedule_id schedule, account_id account) {
        return (struct line_command){
                .lane = {.kind = kind, .service = queue, .done = kit_done}, .schedule = schedule, .account = account};
}

static int run(const struct lane_kind *kind, schedule_id schedule, account_id account) {
        struct line_command command = command_of(kind, schedule, account);
        return kit_submit_and_run(lane, &command.lane);
}

static int enter(account_id account) {
        return run(&line_enter_kind, SHOW, account);
}

static int leave(account_id account) {
        return run(&line_leave_kind, SHOW, account);
}

static struct line_view view_of(account_id account) {
        struct line_view view;
        assert_int_equal(queue_status_committed(queue, SHOW, account, kit_now(), &view), STATUS_OK);
        return view;
}

static struct queue_figures figures(void) {
        struct queue_figures figures;
        queue_figures(queue, SHOW, &figures);
        return figures;
}

/* Accounts first … last, all in one turn. */
static void enter_all(account_id first, account_id last) {
        static struct line_command commands[PEOPLE_MAX];
        for (account_id account = first; account <= last; account++) {
                commands[account - first] = command_of(&line_enter_kind, SHOW, account);
                assert_int_equal(lane_submit(lane, &commands[account - first].lane), 0);
        }
        kit_lane_run(lane);
        for (account_id account = first; account <= last; account++)
                assert_int_equal(commands[account - first].lane.outcome, ENTER_OK);
}

static int read_number(void *context, size_t index, const struct db_row *row) {
        (void)index;
        *(int64_t *)context = db_row_int(row, 0);
        return 0;
}

/* A literal with one number as its answer. Drivers know statements by their address, so each literal keeps one. */
static int64_t ask_db(const char *sql) {
        static struct db_statement statements[64];
        size_t i = 0;
        while (statements[i].sql && statements[i].sql != sql)
                i++;
        assert_true(i + 1 < sizeof statements / sizeof *statements);
        statements[i].sql = sql;
        int64_t number = 0;
        assert_int_equal(db_run(lane_db(lane), &statements[i], NULL, 1, read_number, &number, NULL), 0);
        return number;
}

/* Others say something. */
struct say_command {
        struct lane_command lane;
        struct event event;
};

static int run_say(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        (void)service;
        for (size_t i = 0; i < count; i++) {
                int r = turn_say(turn, &((struct say_command *)(void *)commands[i])->event);
                if (r < 0)
                        return r;
                commands[i]->outcome = 1;
        }
        return 0;
}

static void others_say(unsigned type, account_id account) {
        static const struct lane_kind kind = {.name = "test.say", .rank = 50, .run = run_say};
        struct say_command say = {
                .lane = {.kind = &kind, .done = kit_done},
                .event = {.type = type, .schedule = SHOW, .subject = 1, .account = account, .payload = TEXT("{}")}};
        assert_int_equal(kit_submit_and_run(lane, &say.lane), 1);
}

/* --- entering --- */

static void each_refusal_has_its_outcome(void **state) {
        (void)state;
        assert_int_equal(run(&line_enter_kind, 404, 1), ENTER_NO_SCHEDULE);
        show->cancelled = true;
        assert_int_equal(enter(1), ENTER_CANCELLED);
        show->cancelled = false;
        show->ends_at = kit_now();
        assert_int_equal(enter(1), ENTER_SALE_ENDED);
        show->ends_at = kit_now() + 1000;
        show->line.lobby_opens_at = show->opens_at = kit_now() + 1;
        assert_int_equal(enter(1), ENTER_LOBBY_CLOSED);
        show->line.lobby_opens_at = kit_now();
        assert_int_equal(enter(1), ENTER_OK);
        assert_int_equal(enter(1), ENTER_AGAIN);
        show->line.waiting_max = 1;
        assert_int_equal(enter(1), ENTER_AGAIN);
        assert_int_equal(enter(2), ENTER_FULL);
        assert_int_equal(figures().entered, 1);
        assert_int_equal(ask_db("SELECT count(*) FROM line_entry"), 1);
}

static void a_schedule_without_a_line_has_no_lobby(void **state) {
        (void)state;
        show->line.enabled = false;
        show->line.rate = 1; /* does not count then */
        show->opens_at = kit_now() + 1000;
        assert_int_equal(enter(1), ENTER_LOBBY_CLOSED);
        kit_clock_add(1000);
        enter_all(1, 7);
        assert_int_equal(figures().admitted, 5);
}

static void reentry_keeps_the_place(void **state) {
        (void)state;
        enter_all(1, 8);
        struct line_view before = view_of(8);
        assert_int_equal(before.state, ENTRY_WAITING);
        assert_int_equal(before.ahead, 2);
        assert_int_equal(enter(9), ENTER_OK);
        assert_int_equal(enter(8), ENTER_AGAIN);
        struct line_view again = view_of(8);
        assert_int_equal(again.number, before.number);
        assert_int_equal(again.place, before.place);
        assert_int_equal(again.ahead, before.ahead);
        struct line_view view;
        assert_int_equal(queue_enter_committed(queue, SHOW, 8, kit_now(), &view), ENTER_AGAIN); /* without the lane */
        assert_int_equal(view.number, before.number);
        assert_int_equal(enter(1), ENTER_AGAIN);
        assert_int_equal(view_of(1).state, ENTRY_ADMITTED);
        assert_int_equal(figures().entered, 9);
}

static void a_full_line_refuses_and_says_so_from_memory(void **state) {
        (void)state;
        show->line.waiting_max = 3;
        enter_all(1, 8); /* five at the door, three in line: one turn */
        struct line_view view;
        assert_int_equal(enter(9), ENTER_FULL);
        assert_int_equal(queue_enter_committed(queue, SHOW, 9, kit_now(), &view), ENTER_FULL);
        assert_int_equal(figures().waiting, 3);
        assert_int_equal(leave(7), LEAVE_OK);
        assert_int_equal(queue_enter_committed(queue, SHOW, 9, kit_now(), &view), 0);
        assert_int_equal(enter(9), ENTER_OK);
}

static void a_click_from_two_windows_in_one_turn_is_one_entry(void **state) {
        (void)state;
        struct line_command first = command_of(&line_enter_kind, SHOW, 1), second = first;
        assert_int_equal(lane_submit(lane, &first.lane), 0);
        assert_int_equal(lane_submit(lane, &second.lane), 0);
        kit_lane_run(lane);
        assert_int_equal(first.lane.outcome, ENTER_OK);
        assert_int_equal(second.lane.outcome, ENTER_AGAIN);
        assert_int_equal(first.view.number, second.view.number);
        assert_int_equal(ask_db("SELECT count(*) FROM line_entry"), 1);
}

static void entering_and_a_pass_at_once_is_one_row_and_one_event(void **state) {
        (void)state;
        struct line_command command = command_of(&line_enter_kind, SHOW, 1);
        assert_int_equal(kit_submit_and_run(lane, &command.lane), ENTER_OK);
        assert_int_equal(command.view.state, ENTRY_ADMITTED);
        assert_int_equal(command.view.pass_ends_at, kit_now() + 60000);
        assert_int_equal(ask_db("SELECT count(*) FROM line_entry WHERE state = 1 AND admitted_at = entered_at"), 1);
        assert_int_equal(
                ask_db("SELECT count(*) FROM journal WHERE type = 31 AND account_id = 1 AND schedule_id = 5000 AND "
                       "subject_id = 5000 AND payload = '{\"number\":1}'"),
                1);
}

static void two_lines_do_not_know_of_each_other(void **state) {
        (void)state;
        struct line_command commands[40];
        for (unsigned i = 0; i < 40; i++) {
                commands[i] = command_of(&line_enter_kind, i % 2 ? SHOW : OTHER_SHOW, 1 + i / 2);
                assert_int_equal(lane_submit(lane, &commands[i].lane), 0);
        }
        kit_lane_run(lane);
        for (unsigned i = 0; i < 40; i++) {
                assert_int_equal(commands[i].lane.outcome, ENTER_OK);
                assert_int_equal(commands[i].view.number, 1 + i / 2);
                assert_int_equal(commands[i].view.state, i / 2 < 5 ? ENTRY_ADMITTED : ENTRY_WAITING);
        }
        assert_int_equal(ask_db("SELECT count(*) FROM line_entry"), 40);
}

/* --- the lobby and the draw --- */

static uint64_t independent_rank(uint32_t number, uint32_t lobby, const bool *left) {
        uint64_t rank = 1;
        uint8_t own[CRYPTO_HASH_BYTES], other[CRYPTO_HASH_BYTES];
        for (uint32_t n = 0; n <= lobby; n++) {
                uint32_t of = n == 0 ? number : n;
                uint8_t text[40] = {0};
                memcpy(text, show->draw_seed, 32);
                text[38] = (uint8_t)(of >> 8);
                text[39] = (uint8_t)of;
                crypto_sha256(n == 0 ? own : other, text, sizeof text);
                if (n > 0 && !left[n] && memcmp(other, own, sizeof own) < 0)
                        rank++;
        }
        return rank;
}

static void the_lobby_is_drawn_at_opening_as_anyone_can_recompute(void **state) {
        (void)state;
        enum { LOBBY = 300 };
        static bool left[LOBBY + 1];
        enter_all(1, LOBBY);
        for (account_id account = 7; account <= LOBBY; account += 50) {
                assert_int_equal(leave(account), LEAVE_OK);
                left[account] = true;
        }
        struct line_view view = view_of(3);
        assert_true(!view.open && view.place == 0 && !view.has_ahead && view.state == ENTRY_WAITING);
        struct draw_view draw;
        assert_true(queue_draw_committed(queue, SHOW, &draw) && !draw.drawn);
        kit_clock_add(9999);
        kit_lane_run(lane);
        assert_false(view_of(3).open);
        kit_clock_add(1);
        kit_lane_run(lane);

        assert_int_equal(figures().admitted, 5);
        assert_int_equal(ask_db("SELECT count(*) FROM journal WHERE type = 30 AND schedule_id = 5000 AND "
                                "payload LIKE '{\"seed\":\"090807000%\",\"lobbyCount\":300,\"drawnCount\":294}'"),
                         1);
        assert_true(queue_draw_committed(queue, SHOW, &draw) && draw.drawn);
        assert_int_equal(draw.lobby_count, LOBBY);
        assert_int_equal(draw.left_count, 6);
        for (account_id account = 1; account <= LOBBY; account++) {
                view = view_of(account);
                uint64_t rank = independent_rank(view.number, LOBBY, left);
                assert_int_equal(view.place, left[account] ? 0 : rank);
                if (!left[account])
                        assert_int_equal(view.state, rank <= 5 ? ENTRY_ADMITTED : ENTRY_WAITING);
                if (view.state == ENTRY_WAITING)
                        assert_int_equal(view.ahead, rank - 6);
        }
}

static void places_of_the_draw_survive_a_crash(void **state) {
        (void)state;
        enum { LOBBY = 100 };
        struct line_view before[LOBBY + 3];
        enter_all(1, LOBBY);
        assert_int_equal(leave(10), LEAVE_OK);
        world_restart(); /* in the lobby */
        assert_int_equal(leave(11), LEAVE_OK);
        assert_int_equal(enter(10), ENTER_OK); /* again, with a new number */
        kit_clock_add(10000);
        kit_lane_run(lane);
        account_id leaver = 12;
        while (view_of(leaver).state != ENTRY_WAITING)
                leaver++;
        assert_int_equal(leave(leaver),
                         LEAVE_OK); /* in the very millisecond of the draw: took part in it all the same */
        enter_all(LOBBY + 1, LOBBY + 2);
        for (account_id account = 1; account <= LOBBY + 2; account++)
                before[account] = view_of(account);
        world_restart();
        for (account_id account = 1; account <= LOBBY + 2; account++) {
                struct line_view now = view_of(account);
                assert_int_equal(now.number, before[account].number);
                assert_int_equal(now.state, before[account].state);
                assert_int_equal(now.place, before[account].place);
                assert_int_equal(now.ahead, before[account].ahead);
                assert_int_equal(now.pass_ends_at, before[account].pass_ends_at);
        }
        assert_int_equal(view_of(LOBBY + 2).place, LOBBY + 1); /* 100 of the lobby, and one who came later before */
        struct draw_view draw;
        assert_true(queue_draw_committed(queue, SHOW, &draw));
        assert_int_equal(draw.left_count, 2);
        assert_int_equal(ask_db("SELECT count(*) FROM journal WHERE type = 30 AND schedule_id = 5000"),
                         1); /* drawn once */
}

static void who_comes_at_opening_stands_behind_the_lobby(void **state) {
        (void)state;
        enter_all(1, 10);
        kit_clock_add(10000); /* the tick has not come yet */
        struct line_command late = command_of(&line_enter_kind, SHOW, 11);
        assert_int_equal(kit_submit_and_run(lane, &late.lane), ENTER_OK);
        assert_int_equal(late.view.place, 11);
        assert_int_equal(late.view.state, ENTRY_WAITING);
        assert_int_equal(figures().admitted, 5);
}

static void a_cancelled_schedule_is_never_drawn(void **state) {
        (void)state;
        enter_all(1, 3);
        show->cancelled = true;
        others_say(SCHEDULE_CANCELLED, 0);
        kit_clock_add(20000);
        kit_lane_run(lane);
        assert_int_equal(ask_db("SELECT count(*) FROM line WHERE schedule_id = 5000"), 0);
        assert_false(view_of(1).open);
}

/* --- admission --- */

static void capacity_five_goes_on_after_five_abandoned_passes(void **state) {
        (void)state;
        enter_all(1, 23);
        for (account_id account = 1; account <= 20; account++) {
                assert_int_equal(view_of(account).state, ENTRY_ADMITTED);
                assert_int_equal(figures().admitted, account <= 20 ? 5 : 3);
                if (account % 5 != 0)
                        continue;
                kit_clock_add(60000);
                kit_lane_run(lane);
                assert_int_equal(view_of(account).state, ENTRY_EXPIRED);
        }
        assert_int_equal(figures().admitted, 3);
        assert_int_equal(figures().expired, 20);
        assert_int_equal(enter(1), ENTER_OK); /* again, at the end */
        assert_int_equal(view_of(1).number, 24);
}

static void a_pass_that_is_over_but_not_swept_yet_does_not_count(void **state) {
        (void)state;
        enter_all(1, 6);
        kit_clock_add(60000);
        assert_int_equal(view_of(1).state, ENTRY_EXPIRED); /* for edges by the clock alone */
        struct line_command again = command_of(&line_enter_kind, SHOW, 1);
        again.lane.done = kit_done;
        assert_int_equal(lane_submit(lane, &again.lane), 0);
        kit_lane_run(lane);
        assert_int_equal(again.lane.outcome, ENTER_OK);
        assert_int_equal(view_of(6).state, ENTRY_ADMITTED);
        assert_int_equal(view_of(1).state, ENTRY_ADMITTED);
        assert_int_equal(ask_db("SELECT count(*) FROM line_entry WHERE state = 3"), 5);
}

static void a_confirmed_order_gives_its_slot_to_the_next(void **state) {
        (void)state;
        enter_all(1, 7);
        others_say(ORDER_CONFIRMED, 3);
        assert_int_equal(view_of(3).state, ENTRY_DONE);
        assert_int_equal(view_of(6).state, ENTRY_ADMITTED);
        assert_int_equal(view_of(7).state, ENTRY_WAITING);
        others_say(ORDER_CONFIRMED, 7); /* of an earlier pass: who waits goes on waiting */
        assert_int_equal(view_of(7).state, ENTRY_WAITING);
        others_say(ORDER_CONFIRMED, 3);
        others_say(ORDER_CONFIRMED, 99);
        assert_int_equal(figures().done, 1);
        assert_int_equal(enter(3), ENTER_OK);
}

static void leaving_is_for_good_and_says_so_once(void **state) {
        (void)state;
        enter_all(1, 7);
        assert_int_equal(run(&line_leave_kind, 404, 1), LEAVE_NO_SCHEDULE);
        assert_int_equal(leave(99), LEAVE_NOT_IN_LINE);
        assert_int_equal(leave(2), LEAVE_OK);
        assert_int_equal(leave(2), LEAVE_OVER);
        assert_int_equal(view_of(6).state, ENTRY_ADMITTED);
        assert_int_equal(leave(7), LEAVE_OK);
        assert_int_equal(view_of(7).state, ENTRY_LEFT);
        assert_int_equal(figures().left, 2);
}

static void nobody_is_admitted_without_a_seat_to_win(void **state) {
        (void)state;
        seats_available = 0;
        enter_all(1, 10);
        assert_int_equal(figures().admitted, 0);
        seats_available = 2;
        others_say(SEATS_RELEASED, 0);
        assert_int_equal(figures().admitted, 2);
        seats_available = 100;
        others_say(SEATS_RETURNED, 0);
        assert_int_equal(figures().admitted, 5);
}

static void the_organiser_pauses_and_resumes(void **state) {
        (void)state;
        bool *const pauses[] = {&show->admission_paused, &show->sale_paused};
        for (size_t i = 0; i < 2; i++) {
                *pauses[i] = true;
                enter_all(100 * i + 1, 100 * i + 10);
                assert_int_equal(figures().admitted, 5 * i);
                *pauses[i] = false;
                others_say(SCHEDULE_CHANGED, 0);
                show->line.capacity += 5;
                assert_int_equal(figures().admitted, 5 * (i + 1));
        }
}

static void a_rate_admits_over_time_by_itself(void **state) {
        (void)state;
        show->line.capacity = 1000;
        show->line.rate = 10;
        enter_all(1, 100);
        uint64_t first = figures().admitted;
        assert_in_range(first, 1, 2);
        for (int ms = 0; ms < 5000; ms++) {
                kit_clock_add(1);
                kit_lane_run(lane);
                assert_true(figures().admitted <= first + (uint64_t)ms / 100 + 1);
        }
        assert_in_range(figures().admitted, first + 49, first + 50);
        struct line_view view = view_of(100);
        assert_true(view.has_estimate && view.wait_low <= 5 && view.wait_high >= 5 && view.wait_high < 20);
}

static void many_are_admitted_over_several_turns(void **state) {
        (void)state;
        show->admission_paused = true;
        show->line.capacity = seats_available = show->line.waiting_max = 20000;
        for (account_id first = 1; first < 12288; first += PEOPLE_MAX)
                enter_all(first, first + PEOPLE_MAX - 1);
        show->admission_paused = false;
        others_say(SCHEDULE_CHANGED, 0);
        assert_int_equal(figures().admitted, 12288);
        kit_clock_add(60000);
        kit_lane_run(lane);
        assert_int_equal(figures().expired, 12288);
        assert_int_equal(ask_db("SELECT count(*) FROM line_entry WHERE state = 3 AND ended_at = pass_ends_at"), 12288);
}

static void a_hold_asks_who_is_admitted(void **state) {
        (void)state;
        enter_all(1, 6);
        struct db *plain = lane_db(lane);
        struct turn turn = {.now = kit_now(), .db = plain};
        assert_true(queue_is_admitted(queue, &turn, SHOW, 1));
        assert_false(queue_is_admitted(queue, &turn, SHOW, 6));
        assert_false(queue_is_admitted(queue, &turn, SHOW, 99));
        assert_false(queue_is_admitted(queue, &turn, OTHER_SHOW, 1));
        assert_false(queue_is_admitted(queue, &turn, 404, 1));
        turn.now += 59999;
        assert_true(queue_is_admitted(queue, &turn, SHOW, 1));
        turn.now += 1;
        assert_false(queue_is_admitted(queue, &turn, SHOW, 1));
}

/* --- crashes and rollbacks --- */

static void passes_end_and_admission_goes_on_after_a_restart(void **state) {
        (void)state;
        enter_all(1, 8);
        world_restart();
        assert_int_equal(view_of(1).state, ENTRY_ADMITTED);
        assert_int_equal(view_of(8).ahead, 2);
        lane_free(lane);
        queue_free(queue);
        kit_clock_add(60000); /* nobody was there when the passes ended */
        world_start();
        assert_int_equal(figures().expired, 5);
        assert_int_equal(figures().admitted, 3);
}

/* A command that makes its turn fail, after everything else has been done. */
static int run_fail(void *service, struct turn *turn, struct lane_command **commands, size_t count) {
        (void)service;
        (void)turn;
        (void)commands;
        (void)count;
        return FAULT_CONSTRAINT;
}

static void a_turn_that_fails_takes_nobody_with_it(void **state) {
        (void)state;
        static const struct lane_kind failing = {.name = "test.fail", .rank = 90, .run = run_fail};
        enter_all(1, 6);
        struct line_command commands[4] = {
                command_of(&line_enter_kind, SHOW, 7),
                command_of(&line_leave_kind, SHOW, 2),
                command_of(&line_enter_kind, SHOW, 8),
                {.lane = {.kind = &failing, .done = kit_done}},
        };
        for (size_t i = 0; i < 4; i++)
                assert_int_equal(lane_submit(lane, &commands[i].lane), 0);
        kit_lane_run(lane);
        assert_int_equal(commands[3].lane.fault, FAULT_CONSTRAINT);
        assert_int_equal(commands[0].lane.outcome, ENTER_OK);
        assert_int_equal(commands[2].lane.outcome, ENTER_OK);
        assert_int_equal(commands[1].lane.outcome, LEAVE_OK);
        kit_clock_add(QUEUE_RETRY_MS);
        kit_lane_run(lane);
        assert_int_equal(figures().entered, 8);
        assert_int_equal(figures().admitted, 5);
        assert_int_equal(figures().waiting, 2);
        assert_int_equal(view_of(7).number + view_of(8).number, 15);
        assert_int_equal(ask_db("SELECT count(*) FROM line_entry"), 8);
        assert_int_equal(ask_db("SELECT count(*) FROM line_entry WHERE state = 1"), 5);
}

static void whichever_write_fails_memory_stays_what_the_database_is(void **state) {
        (void)state;
        show->line.capacity = 3;
        enter_all(1, 6);
        account_id next = 7;
        for (unsigned n = 1;; n++) {
                struct line_command commands[3] = {command_of(&line_leave_kind, SHOW, next - 6),
                                                   command_of(&line_enter_kind, SHOW, next),
                                                   command_of(&line_enter_kind, SHOW, next + 1)};
                for (size_t i = 0; i < 3; i++)
                        assert_int_equal(lane_submit(lane, &commands[i].lane), 0);
                kit_db_fault_arm(db, n, FAULT_CONSTRAINT);
                kit_lane_run(lane);
                bool struck = kit_db_fault_struck(db);
                kit_db_fault_arm(db, 0, 0);
                kit_clock_add(2000); /* what ticks had to do is done now */
                kit_lane_run(lane);
                struct queue_figures now = figures();
                assert_int_equal(now.admitted,
                                 ask_db("SELECT count(*) FROM line_entry WHERE state = 1 AND schedule_id = 5000"));
                assert_int_equal(now.waiting,
                                 ask_db("SELECT count(*) FROM line_entry WHERE state = 0 AND schedule_id = 5000"));
                assert_int_equal(now.entered, ask_db("SELECT count(*) FROM line_entry WHERE schedule_id = 5000"));
                assert_int_equal(now.admitted, 3);
                if (!struck) {
                        assert_true(n > 8);
                        break;
                }
                assert_true(n < 100);
                next++;
        }
}

/* --- a random life --- */

static void check_line(void) {
        assert_true(figures().admitted <= show->line.capacity);
        /* Nobody was admitted over somebody who still waits. */
        assert_int_equal(ask_db("SELECT coalesce((SELECT max(number) FROM line_entry WHERE admitted_at > 0), 0) > "
                                "coalesce((SELECT min(number) FROM line_entry WHERE state = 0), 1000000000)"),
                         0);
        assert_int_equal(ask_db("SELECT count(*) FROM line_entry WHERE state = 1"), figures().admitted);
        assert_int_equal(
                ask_db("SELECT count(*) FROM (SELECT account_id FROM line_entry WHERE state < 2 GROUP BY account_id "
                       "HAVING count(*) > 1)"),
                0);
}

static void one_random_step(uint64_t *random, struct line_command *commands, size_t *count, account_id people) {
        account_id account = 1 + test_random(random) % people;
        switch (test_random(random) % 8) {
        case 0:
        case 1:
        case 2:
        case 3:
                commands[*count] = command_of(&line_enter_kind, SHOW, account);
                assert_int_equal(lane_submit(lane, &commands[(*count)++].lane), 0);
                break;
        case 4:
                commands[*count] = command_of(&line_leave_kind, SHOW, account);
                assert_int_equal(lane_submit(lane, &commands[(*count)++].lane), 0);
                break;
        case 5:
                others_say(ORDER_CONFIRMED, account);
                break;
        case 6:
                kit_clock_add((int64_t)(test_random(random) % 9000));
                break;
        case 7:
                show->admission_paused = test_random(random) % 4 == 0;
                seats_available = (uint32_t)(test_random(random) % 4 * 5);
                others_say(SCHEDULE_CHANGED, 0);
                break;
        }
}

static void no_random_life_exceeds_capacity_or_jumps_the_line(void **state) {
        (void)state;
        enum { PEOPLE = 60, STEPS = 40 };
        static struct line_command commands[STEPS];
        show->line.waiting_max = 30;
        show->ends_at += 24 * 3600 * 1000;
        for (uint64_t seed = 1; seed <= 60; seed++) {
                uint64_t random = seed * 104729;
                size_t count = 0;
                show->line.capacity = 1 + (uint32_t)(seed % 7);
                if (figures().admitted > show->line.capacity) {
                        kit_clock_add(60000); /* lowered: let the passes run out first */
                        kit_lane_run(lane);
                        show->line.capacity = 7;
                }
                for (int step = 0; step < STEPS; step++) {
                        one_random_step(&random, commands, &count, PEOPLE);
                        if (test_random(&random) % 3 == 0)
                                kit_lane_run(lane);
                        if (test_random(&random) % 5 == 0)
                                kit_lane_run(lane), check_line();
                }
                kit_lane_run(lane);
                check_line();
                if (seed % 10 == 0)
                        world_restart();
                check_line();
        }
        assert_true(figures().entered > 500 && figures().done > 20 && figures().expired > 20);
}

/* --- passes --- */

static void a_pass_proves_itself(void **state) {
        (void)state;
        char text[PASS_TEXT_LENGTH];
        const struct pass pass = {SHOW, 42, 7, KIT_NOW + 1000};
        queue_pass_write(queue, &pass, text);
        struct text whole = {text, sizeof text};
        assert_int_equal(queue_pass_check(queue, whole, SHOW, 42, KIT_NOW), PASS_OK);
        assert_int_equal(queue_pass_check(queue, (struct text){0}, SHOW, 42, KIT_NOW), PASS_MISSING);
        assert_int_equal(queue_pass_check(queue, TEXT("nonsense"), SHOW, 42, KIT_NOW), PASS_FORGED);
        assert_int_equal(queue_pass_check(queue, (struct text){text, 63}, SHOW, 42, KIT_NOW), PASS_FORGED);
        assert_int_equal(queue_pass_check(queue, whole, SHOW, 43, KIT_NOW + 999), PASS_OTHERS);
        assert_int_equal(queue_pass_check(queue, whole, OTHER_SHOW, 42, KIT_NOW + 999), PASS_OTHERS);
        assert_int_equal(queue_pass_check(queue, whole, OTHER_SHOW, 42, KIT_NOW + 1000), PASS_EXPIRED);
        for (size_t i = 0; i < sizeof text; i++) {
                char was = text[i];
                text[i] = was == 'A' ? 'B' : 'A';
                assert_int_equal(queue_pass_check(queue, whole, SHOW, 42, KIT_NOW), PASS_FORGED);
                text[i] = was;
        }
        assert_int_equal(queue_pass_check(queue, whole, SHOW, 42, KIT_NOW), PASS_OK);
}

static void what_is_not_loaded_is_asked_of_the_lane(void **state) {
        (void)state;
        struct line_view view;
        struct draw_view draw;
        show->ends_at = kit_now(); /* not live any more: not loaded at the start */
        enter_all(1, 0);
        world_restart();
        assert_int_equal(queue_status_committed(queue, SHOW, 1, kit_now(), &view), 0);
        assert_false(queue_draw_committed(queue, SHOW, &draw));
        assert_int_equal(figures().entered, 0);
        assert_int_equal(run(&line_status_kind, 404, 1), STATUS_NO_SCHEDULE);
        assert_int_equal(run(&line_status_kind, SHOW, 1), STATUS_NOT_IN_LINE);
        assert_int_equal(queue_status_committed(queue, SHOW, 1, kit_now(), &view), STATUS_NOT_IN_LINE);
        assert_true(queue_draw_committed(queue, SHOW, &draw));
}

int main(void) {
        const struct CMUnitTest tests[] = {
#define SALE(test) cmocka_unit_test_setup_teardown(test, sale_setup, world_teardown)
#define LOBBY(test) cmocka_unit_test_setup_teardown(test, lobby_setup, world_teardown)
                SALE(each_refusal_has_its_outcome),
                SALE(a_schedule_without_a_line_has_no_lobby),
                SALE(reentry_keeps_the_place),
                SALE(a_full_line_refuses_and_says_so_from_memory),
                SALE(a_click_from_two_windows_in_one_turn_is_one_entry),
                SALE(entering_and_a_pass_at_once_is_one_row_and_one_event),
                SALE(two_lines_do_not_know_of_each_other),
                LOBBY(the_lobby_is_drawn_at_opening_as_anyone_can_recompute),
                LOBBY(places_of_the_draw_survive_a_crash),
                LOBBY(who_comes_at_opening_stands_behind_the_lobby),
                LOBBY(a_cancelled_schedule_is_never_drawn),
                SALE(capacity_five_goes_on_after_five_abandoned_passes),
                SALE(a_pass_that_is_over_but_not_swept_yet_does_not_count),
                SALE(a_confirmed_order_gives_its_slot_to_the_next),
                SALE(leaving_is_for_good_and_says_so_once),
                SALE(nobody_is_admitted_without_a_seat_to_win),
                SALE(the_organiser_pauses_and_resumes),
                SALE(a_rate_admits_over_time_by_itself),
                SALE(many_are_admitted_over_several_turns),
                SALE(a_hold_asks_who_is_admitted),
                SALE(passes_end_and_admission_goes_on_after_a_restart),
                SALE(a_turn_that_fails_takes_nobody_with_it),
                SALE(whichever_write_fails_memory_stays_what_the_database_is),
                SALE(no_random_life_exceeds_capacity_or_jumps_the_line),
                SALE(a_pass_proves_itself),
                SALE(what_is_not_loaded_is_asked_of_the_lane),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
