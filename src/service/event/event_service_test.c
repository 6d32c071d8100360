/* event_service_test.c: the use cases on a lane and a database: who may, retries, several commands in one turn, faults of
 * the store, restarts, and what the catalogue tells. */
#include "base/unit_test.h"

#include <stdio.h>

#include "kit/kit_db_fault.h"
#include "kit/kit_lane.h"
#include "port/crypto.h"
#include "port/random.h"
#include "service/event/event_service.h"
#include "service/event/plan_memory.h"

enum { HOUR = 3600 * 1000, ARENA_MAX = 16 * 1024 * 1024 };

static const struct event_caller owner = {7, ROLE_ORGANISER}, stranger = {8, ROLE_ORGANISER}, boss = {9, ROLE_OPERATOR};
static const char document[] =
        "{\"name\":\"Hall\",\"size\":{\"width\":9,\"height\":9},\"categories\":[{\"name\":\"VIP\"},{\"name\":\"R\"},{\"name\":\"S\"}],"
        "\"zones\":[{\"name\":\"Z\",\"position\":{\"x\":0,\"y\":0},\"rows\":[{\"row_number\":\"1\",\"seats\":["
        "{\"seat_guid\":\"1\",\"seat_number\":\"1\",\"position\":{\"x\":0,\"y\":0},\"category\":\"VIP\"},"
        "{\"seat_guid\":\"2\",\"seat_number\":\"2\",\"position\":{\"x\":25,\"y\":0},\"category\":\"R\"},"
        "{\"seat_guid\":\"3\",\"seat_number\":\"3\",\"position\":{\"x\":50,\"y\":0},\"category\":\"S\"}]}]}]}";
static const struct grade_wish grades[] = {{{"VIP", 3}, 150000}, {{"R", 1}, 99000}};

/* --- a world: a lane, the service, and one of everything --- */

struct world {
        char path[KIT_PATH_MAX];
        struct db *db;
        struct lane *lane;
        struct event_service *service;
        struct arena memory;
        venue_id venue;
        plan_id plan;
        event_id event;
        schedule_id schedule;
};

static void fill_random(struct random_source *source, void *bytes, size_t n) {
        (void)source;
        memset(bytes, 0x5a, n);
}
static struct random_source random_source = {fill_random};

static void start(struct world *world) {
        const char *newer = NULL;
        world->db = kit_db_fault_new(kit_db_open(world->path));
        assert_int_equal(db_migrate(world->db, event_migrations, event_migration_count, &newer), 0);
        world->lane = kit_lane_open_on(world->db);
        const struct event_config config = {.lane = world->lane, .clock = kit_clock(), .random = &random_source};
        assert_int_equal(event_service_new(&world->service, &config), 0);
}

static void stop(struct world *world) {
        world->service = event_service_free(world->service);
        world->lane = lane_free(world->lane);
}

static int run(struct world *world, struct lane_command *command, const struct lane_kind *kind) {
        command->kind = kind;
        command->service = world->service;
        return kit_submit_and_run(world->lane, command);
}

static int make_venue(struct world *world, struct event_caller caller, struct idempotency key, struct venue *ret_venue) {
        struct venue_create_command command = {
                .caller = caller, .idempotency = key, .memory = &world->memory,
                .venue = {.name = TEXT("Hall"), .address = TEXT("1 Street"), .city = TEXT("서울")},
        };
        int r = run(world, &command.lane, &venue_create_kind);
        if (r == VENUE_CREATED)
                *ret_venue = command.venue;
        return r;
}

static int make_plan(struct world *world, struct event_caller caller, venue_id venue, struct idempotency key, plan_id *ret_plan) {
        struct plan *plan = NULL;
        struct plan_problems problems = {0};
        assert_int_equal(plan_read(&plan, &problems, text_of(document), false), PLAN_OK);
        struct buffer compiled, summary;
        buffer_init(&compiled, ARENA_MAX);
        buffer_init(&summary, ARENA_MAX);
        plan_pack(plan, &compiled);
        plan_describe(plan, &summary, true);
        struct plan_create_command command = {
                .caller = caller, .idempotency = key, .memory = &world->memory,
                .plan = {.venue = venue, .name = TEXT("Hall"), .seat_count = plan->seat_count, .document = text_of(document),
                         .compiled = buffer_text(&compiled), .summary = buffer_text(&summary)},
        };
        int r = run(world, &command.lane, &plan_create_kind);
        if (r == PLAN_CREATED)
                *ret_plan = command.plan.id;
        buffer_deinit(&compiled);
        buffer_deinit(&summary);
        plan_free(plan);
        return r;
}

static int make_event(struct world *world, const char *title, const char *city, struct idempotency key, event_id *ret_event) {
        struct event_create_command command = {
                .caller = owner, .idempotency = key,
                .words = {.title = text_of(title), .description = TEXT("All of it"), .city = text_of(city), .category = TEXT("Concert")},
        };
        int r = run(world, &command.lane, &event_create_kind);
        if (r == EVENT_IS_CREATED)
                *ret_event = command.id;
        return r;
}

static struct schedule_create_command schedule_command(const struct world *world, struct event_caller caller) {
        struct schedule_create_command command = {.caller = caller, .event = world->event, .plan = world->plan, .currency = "KRW"};
        schedule_wish_init(&command.wish);
        command.wish.starts_at = KIT_NOW + 24 * HOUR;
        command.wish.opens_at = KIT_NOW + 2 * HOUR;
        command.wish.grades = grades;
        command.wish.grade_count = 2;
        event_draw_seed(world->service, &command);
        return command;
}

static int make_schedule(struct world *world, struct event_caller caller, struct idempotency key, schedule_id *ret_schedule) {
        struct schedule_create_command command = schedule_command(world, caller);
        command.idempotency = key;
        int r = run(world, &command.lane, &schedule_create_kind);
        if (r == SCHEDULE_ACCEPTED)
                *ret_schedule = command.id;
        return r;
}

#define NO_KEY ((struct idempotency){0})

static void open_world(struct world *world) {
        *world = (struct world){0};
        kit_clock_set(KIT_NOW);
        kit_path_new(world->path);
        arena_init(&world->memory, ARENA_MAX);
        assert_int_equal(crypto_start(), 0);
        start(world);
        struct venue venue;
        assert_int_equal(make_venue(world, owner, NO_KEY, &venue), VENUE_CREATED);
        world->venue = venue.id;
        assert_int_equal(make_plan(world, owner, world->venue, NO_KEY, &world->plan), PLAN_CREATED);
        assert_int_equal(make_event(world, "A Concert", "서울", NO_KEY, &world->event), EVENT_IS_CREATED);
        assert_int_equal(make_schedule(world, owner, NO_KEY, &world->schedule), SCHEDULE_ACCEPTED);
}

static void close_world(struct world *world) {
        stop(world);
        kit_path_remove(world->path);
        arena_deinit(&world->memory);
}

static int on_number(void *context, size_t index, const struct db_row *row) {
        (void)index;
        *(int64_t *)context = db_row_int(row, 0);
        return 0;
}

static int64_t count_said(struct world *world, enum event_type type, uint64_t subject) {
        static const struct db_statement count = {"SELECT count(*) FROM journal WHERE type = $1 AND subject_id = $2", 2};
        const struct db_value values[] = {db_int(type), db_id(subject)};
        int64_t said = 0;
        assert_int_equal(db_run(world->db, &count, values, 1, on_number, &said, NULL), 0);
        return said;
}

static int64_t count_rows(struct world *world, const struct db_statement *count) {
        int64_t rows = -1;
        assert_int_equal(db_run(world->db, count, NULL, 1, on_number, &rows, NULL), 0);
        return rows;
}

static const struct schedule *peek(struct world *world) {
        const struct schedule *schedule = event_schedule_peek(world->service, world->schedule);
        assert_non_null(schedule);
        return schedule;
}

/* --- tests --- */

static void everything_is_made_and_said(void **state) {
        (void)state;
        struct world world;
        open_world(&world);
        const struct schedule *schedule = peek(&world);
        assert_int_equal(schedule->id, world.schedule);
        assert_int_equal(schedule->event, world.event);
        assert_int_equal(schedule->organiser, owner.account);
        assert_int_equal(schedule->plan->seat_count, 3);
        assert_int_equal(schedule_price(schedule, 0), 150000);
        assert_int_equal(schedule_price(schedule, 2), -1);
        uint8_t commitment[CRYPTO_HASH_BYTES];
        crypto_sha256(commitment, schedule->draw_seed, sizeof schedule->draw_seed);
        assert_memory_equal(schedule->draw_commitment, commitment, sizeof commitment);
        assert_ptr_equal(event_schedule(world.service, world.db, world.schedule), schedule);
        assert_null(event_schedule(world.service, world.db, 12345));
        assert_null(event_schedule_peek(world.service, 12345));
        assert_int_equal(count_said(&world, EVENT_CREATED, world.event), 1);
        assert_int_equal(count_said(&world, SCHEDULE_CREATED, world.schedule), 1);
        close_world(&world);
}

static void a_restart_finds_everything(void **state) {
        (void)state;
        struct world world;
        open_world(&world);
        struct schedule before = *peek(&world);
        stop(&world);
        start(&world);
        assert_null(event_schedule_peek(world.service, world.schedule)); /* known, its plan not loaded yet */
        struct catalogue_body *body = NULL;
        assert_int_equal(catalogue_schedule(&world.service->catalogue, world.schedule, KIT_NOW, &body), CATALOGUE_NOT_LOADED);
        struct schedule_load_command load = {.id = world.schedule};
        assert_int_equal(run(&world, &load.lane, &schedule_load_kind), SCHEDULE_LOADED);
        load.id = 12345;
        assert_int_equal(run(&world, &load.lane, &schedule_load_kind), SCHEDULE_NOT_THERE);
        struct schedule after = *peek(&world);
        assert_int_equal(after.plan->seat_count, 3);
        after.plan = before.plan;
        assert_memory_equal(&before, &after, sizeof before);
        close_world(&world);
}

static void a_plan_without_its_compiled_form_is_read_again(void **state) {
        (void)state;
        struct world world;
        open_world(&world);
        assert_int_equal(db_script(world.db, "UPDATE plan SET compiled = x'0102'"), 0);
        stop(&world);
        start(&world);
        const struct schedule *schedule = event_schedule(world.service, world.db, world.schedule);
        assert_non_null(schedule);
        assert_string_equal(schedule->plan->seats[2].guid, "3");
        close_world(&world);
}

static void a_plan_that_is_gone_makes_no_schedule(void **state) {
        (void)state;
        struct world world;
        open_world(&world);
        assert_int_equal(db_script(world.db, "DELETE FROM plan"), 0);
        stop(&world);
        start(&world);
        assert_null(event_schedule(world.service, world.db, world.schedule));
        close_world(&world);
}

static void a_retry_finds_the_first_time(void **state) {
        (void)state;
        struct world world;
        open_world(&world);
        const struct idempotency keys[] = {{11, 1}, {12, 1}, {13, 1}, {14, 1}};
        struct venue venue, venue_again;
        assert_int_equal(make_venue(&world, owner, keys[0], &venue), VENUE_CREATED);
        assert_int_equal(make_venue(&world, owner, keys[0], &venue_again), VENUE_CREATED);
        assert_int_equal(venue.id, venue_again.id);
        assert_true(text_equal(venue_again.city, TEXT("서울")) && venue_again.created_at == KIT_NOW);
        assert_int_equal(make_venue(&world, owner, (struct idempotency){11, 2}, &venue), EVENT_KEY_REUSED);

        uint64_t first = 0, again = 0;
        assert_int_equal(make_plan(&world, owner, world.venue, keys[1], &first), PLAN_CREATED);
        assert_int_equal(make_plan(&world, owner, world.venue, keys[1], &again), PLAN_CREATED);
        assert_int_equal(first, again);
        assert_int_equal(make_plan(&world, owner, world.venue, (struct idempotency){12, 2}, &first), EVENT_KEY_REUSED);

        assert_int_equal(make_event(&world, "Twice", "x", keys[2], &first), EVENT_IS_CREATED);
        assert_int_equal(make_event(&world, "Twice", "x", keys[2], &again), EVENT_IS_CREATED);
        assert_int_equal(first, again);
        assert_int_equal(count_said(&world, EVENT_CREATED, first), 1);
        assert_int_equal(make_event(&world, "Other", "x", (struct idempotency){13, 2}, &first), EVENT_KEY_REUSED);

        assert_int_equal(make_schedule(&world, owner, keys[3], &first), SCHEDULE_ACCEPTED);
        assert_int_equal(make_schedule(&world, owner, keys[3], &again), SCHEDULE_ACCEPTED);
        assert_int_equal(first, again);
        assert_int_equal(count_said(&world, SCHEDULE_CREATED, first), 1);
        assert_int_equal(make_schedule(&world, owner, (struct idempotency){14, 2}, &first), EVENT_KEY_REUSED);
        close_world(&world);
}

static void a_double_click_in_one_turn_makes_one_row(void **state) {
        (void)state;
        struct world world;
        open_world(&world);
        struct event_create_command commands[2];
        for (size_t i = 0; i < 2; i++) {
                commands[i] = (struct event_create_command){
                        .lane = {.kind = &event_create_kind, .service = world.service, .done = kit_done},
                        .caller = owner, .idempotency = {21, 1}, .words = {TEXT("Clicked"), TEXT(""), TEXT("x"), TEXT("y")},
                };
                assert_int_equal(lane_submit(world.lane, &commands[i].lane), 0);
        }
        kit_lane_run(world.lane);
        assert_int_equal(commands[0].lane.outcome, EVENT_IS_CREATED);
        assert_int_equal(commands[1].lane.outcome, EVENT_IS_CREATED);
        assert_int_equal(commands[0].id, commands[1].id);
        close_world(&world);
}

static void others_are_told_there_is_nothing(void **state) {
        (void)state;
        struct world world;
        open_world(&world);
        struct venue_read_command venue = {.caller = stranger, .memory = &world.memory, .venue.id = world.venue};
        assert_int_equal(run(&world, &venue.lane, &venue_read_kind), VENUE_UNKNOWN);
        struct plan_read_command plan = {.caller = stranger, .memory = &world.memory, .plan.id = world.plan};
        assert_int_equal(run(&world, &plan.lane, &plan_read_kind), PLAN_UNKNOWN);
        uint64_t id;
        assert_int_equal(make_plan(&world, stranger, world.venue, NO_KEY, &id), PLAN_VENUE_UNKNOWN);
        struct event_change_command event = {.caller = stranger, .id = world.event, .words.title = TEXT("Mine")};
        assert_int_equal(run(&world, &event.lane, &event_change_kind), EVENT_UNKNOWN);
        assert_int_equal(make_schedule(&world, stranger, NO_KEY, &id), SCHEDULE_EVENT_UNKNOWN);
        struct schedule_change_command change = {.caller = stranger, .id = world.schedule};
        schedule_wish_init(&change.wish);
        assert_int_equal(run(&world, &change.lane, &schedule_change_kind), SCHEDULE_UNKNOWN);
        struct schedule_control_command control = {.caller = stranger, .id = world.schedule, .sale_paused = true};
        assert_int_equal(run(&world, &control.lane, &schedule_control_kind), SCHEDULE_UNKNOWN);
        assert_false(peek(&world)->sale_paused);
        /* The same, for what is not there at all; and an operator may. */
        control.caller = boss;
        control.id = 12345;
        assert_int_equal(run(&world, &control.lane, &schedule_control_kind), SCHEDULE_UNKNOWN);
        control.id = world.schedule;
        assert_int_equal(run(&world, &control.lane, &schedule_control_kind), SCHEDULE_ACCEPTED);
        venue.caller = boss;
        venue.venue.id = world.venue;
        assert_int_equal(run(&world, &venue.lane, &venue_read_kind), VENUE_FOUND);
        close_world(&world);
}

static void another_s_plan_cannot_be_used(void **state) {
        (void)state;
        struct world world;
        open_world(&world);
        struct venue venue;
        plan_id plan, own = world.plan;
        assert_int_equal(make_venue(&world, stranger, NO_KEY, &venue), VENUE_CREATED);
        assert_int_equal(make_plan(&world, stranger, venue.id, NO_KEY, &plan), PLAN_CREATED);
        schedule_id schedule;
        world.plan = plan;
        assert_int_equal(make_schedule(&world, owner, NO_KEY, &schedule), SCHEDULE_PLAN_UNKNOWN);
        world.plan = 12345;
        assert_int_equal(make_schedule(&world, owner, NO_KEY, &schedule), SCHEDULE_PLAN_UNKNOWN);
        world.plan = own;
        assert_int_equal(make_schedule(&world, owner, NO_KEY, &schedule), SCHEDULE_ACCEPTED);
        close_world(&world);
}

static void a_change_is_a_new_struct(void **state) {
        (void)state;
        struct world world;
        open_world(&world);
        const struct schedule *before = peek(&world);
        struct schedule copy = *before;
        struct schedule_change_command change = {.caller = owner, .id = world.schedule};
        schedule_wish_init(&change.wish);
        change.wish.cap = 2;
        change.wish.line_capacity = 5000;
        assert_int_equal(run(&world, &change.lane, &schedule_change_kind), SCHEDULE_ACCEPTED);
        const struct schedule *after = peek(&world);
        assert_ptr_not_equal(before, after);
        assert_memory_equal(before, &copy, sizeof copy); /* whoever holds the old one holds what it was */
        assert_int_equal(after->cap, 2);
        assert_int_equal(after->line.capacity, 5000);
        assert_int_equal(count_said(&world, SCHEDULE_CHANGED, world.schedule), 1);
        change.wish.cancel_until = KIT_NOW;
        change.wish.ends_at = KIT_NOW + HOUR;
        assert_int_equal(run(&world, &change.lane, &schedule_change_kind), SCHEDULE_ENDS_BEFORE_OPENING);
        assert_ptr_equal(peek(&world), after);
        stop(&world);
        start(&world);
        after = event_schedule(world.service, world.db, world.schedule);
        assert_true(after->cap == 2 && after->line.capacity == 5000 && after->hold_seconds == copy.hold_seconds);
        close_world(&world);
}

static void changes_of_one_turn_build_on_each_other(void **state) {
        (void)state;
        struct world world;
        open_world(&world);
        struct schedule_change_command commands[3];
        for (size_t i = 0; i < 3; i++) {
                commands[i] = (struct schedule_change_command){
                        .lane = {.kind = &schedule_change_kind, .service = world.service, .done = kit_done},
                        .caller = owner,
                        .id = world.schedule,
                };
                schedule_wish_init(&commands[i].wish);
        }
        commands[0].wish.cap = 1;
        commands[1].wish.hold_seconds = 77;
        commands[2].wish.cap = 3;
        for (size_t i = 0; i < 3; i++)
                assert_int_equal(lane_submit(world.lane, &commands[i].lane), 0);
        kit_lane_run(world.lane);
        for (size_t i = 0; i < 3; i++)
                assert_int_equal(commands[i].lane.outcome, SCHEDULE_ACCEPTED);
        assert_int_equal(peek(&world)->cap, 3);
        assert_int_equal(peek(&world)->hold_seconds, 77);
        close_world(&world);
}

/* Each call to the store fails once: nothing of the command is there, in memory or in the tables; then it goes through. */
static void a_fault_leaves_nothing(void **state) {
        (void)state;
        static const struct db_statement rows = {"SELECT (SELECT count(*) FROM event) + (SELECT count(*) FROM schedule)", 0};
        struct world world;
        open_world(&world);
        size_t events = world.service->catalogue.events.count, schedules = world.service->catalogue.schedules.count;
        int64_t stored = count_rows(&world, &rows);
        uint64_t id;
        for (unsigned n = 1;; n++) {
                kit_db_fault_arm(world.db, n, FAULT_STORAGE);
                int r = make_event(&world, "Fault", "x", NO_KEY, &id);
                bool struck = kit_db_fault_struck(world.db);
                kit_db_fault_arm(world.db, 0, 0);
                if (!struck)
                        break;
                assert_true(r < 0);
                assert_int_equal(world.service->catalogue.events.count, events);
                assert_int_equal(count_rows(&world, &rows), stored);
        }
        for (unsigned n = 1;; n++) {
                kit_db_fault_arm(world.db, n, FAULT_STORAGE);
                int r = make_schedule(&world, owner, NO_KEY, &id);
                bool struck = kit_db_fault_struck(world.db);
                kit_db_fault_arm(world.db, 0, 0);
                if (!struck)
                        break;
                assert_true(r < 0);
                assert_int_equal(world.service->catalogue.schedules.count, schedules);
                assert_int_equal(catalogue_event_entry(&world.service->catalogue, world.event)->schedule_count, 1);
                assert_int_equal(count_rows(&world, &rows), stored + 1);
        }
        assert_int_equal(count_rows(&world, &rows), stored + 2);
        const struct schedule *before = peek(&world);
        struct schedule_control_command control = {.caller = owner, .id = world.schedule, .sale_paused = true};
        kit_db_fault_always(world.db, FAULT_STORAGE);
        assert_int_equal(run(&world, &control.lane, &schedule_control_kind), FAULT_STORAGE);
        assert_ptr_equal(peek(&world), before);
        kit_db_fault_arm(world.db, 0, 0);
        assert_int_equal(run(&world, &control.lane, &schedule_control_kind), SCHEDULE_ACCEPTED);
        assert_true(peek(&world)->sale_paused);
        close_world(&world);
}

static void venues_are_listed_page_by_page(void **state) {
        (void)state;
        struct world world;
        open_world(&world);
        struct venue venue;
        for (unsigned i = 0; i < 4; i++)
                assert_int_equal(make_venue(&world, owner, NO_KEY, &venue), VENUE_CREATED);
        assert_int_equal(make_venue(&world, stranger, NO_KEY, &venue), VENUE_CREATED);
        struct venue_list_command list = {.caller = owner, .memory = &world.memory, .limit = 3};
        assert_int_equal(run(&world, &list.lane, &venue_list_kind), VENUES_LISTED);
        assert_true(list.count == 3 && list.more && list.venues[0].id == world.venue);
        list.after = list.venues[2].id;
        assert_int_equal(run(&world, &list.lane, &venue_list_kind), VENUES_LISTED);
        assert_true(list.count == 2 && !list.more);
        close_world(&world);
}

static unsigned count_in(struct text text, const char *word) {
        unsigned count = 0;
        const char *at = text.at, *end = text.at + text.length;
        while ((at = memmem(at, (size_t)(end - at), word, strlen(word))) != NULL) {
                count++;
                at += strlen(word);
        }
        return count;
}

static void the_catalogue_follows_the_clock(void **state) {
        (void)state;
        struct world world;
        open_world(&world);
        struct catalogue *catalogue = &world.service->catalogue;
        static const struct { int64_t after; const char *state; } rows[] = {
                {0, "\"state\":\"UPCOMING\""}, {2 * HOUR - 1, "\"state\":\"UPCOMING\""}, {2 * HOUR, "\"state\":\"ON_SALE\""},
                {24 * HOUR - 1, "\"state\":\"ON_SALE\""}, {24 * HOUR, "\"state\":\"ENDED\""},
        };
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                struct catalogue_body *schedule, *event, *schedules;
                int64_t now = KIT_NOW + rows[i].after;
                assert_int_equal(catalogue_schedule(catalogue, world.schedule, now, &schedule), CATALOGUE_FOUND);
                assert_int_equal(catalogue_event(catalogue, world.event, now, &event), CATALOGUE_FOUND);
                assert_int_equal(catalogue_event_schedules(catalogue, world.event, now, &schedules), CATALOGUE_FOUND);
                assert_int_equal(count_in(schedule->plain, rows[i].state), 1);
                assert_int_equal(count_in(event->plain, rows[i].state), 1);
                assert_int_equal(count_in(schedules->plain, rows[i].state), 1);
                catalogue_release(schedule);
                catalogue_release(event);
                catalogue_release(schedules);
        }
        struct catalogue_body *body;
        assert_int_equal(catalogue_event(catalogue, 12345, KIT_NOW, &body), CATALOGUE_UNKNOWN);
        assert_int_equal(catalogue_schedule(catalogue, 12345, KIT_NOW, &body), CATALOGUE_UNKNOWN);
        close_world(&world);
}

static void a_body_is_made_once_and_survives_a_change(void **state) {
        (void)state;
        struct world world;
        open_world(&world);
        struct catalogue *catalogue = &world.service->catalogue;
        struct catalogue_body *first, *second, *third;
        assert_int_equal(catalogue_event(catalogue, world.event, KIT_NOW, &first), CATALOGUE_FOUND);
        assert_int_equal(catalogue_event(catalogue, world.event, KIT_NOW, &second), CATALOGUE_FOUND);
        assert_ptr_equal(first, second);
        struct event_change_command change = {.caller = owner, .id = world.event, .words.title = TEXT("Another Title")};
        assert_int_equal(run(&world, &change.lane, &event_change_kind), EVENT_CHANGED);
        assert_int_equal(catalogue_event(catalogue, world.event, KIT_NOW, &third), CATALOGUE_FOUND);
        assert_int_equal(count_in(first->plain, "\"A Concert\""), 1); /* still held by us */
        assert_int_equal(count_in(third->plain, "\"Another Title\""), 1);
        assert_int_equal(count_in(third->plain, "\"All of it\""), 1);
        assert_string_not_equal(first->etag, third->etag);
        catalogue_release(first);
        catalogue_release(second);
        catalogue_release(third);
        stop(&world);
        start(&world);
        assert_int_equal(catalogue_event(&world.service->catalogue, world.event, KIT_NOW, &third), CATALOGUE_FOUND);
        assert_int_equal(count_in(third->plain, "\"Another Title\""), 1);
        catalogue_release(third);
        close_world(&world);
}

static void check_list(struct world *world, struct event_query query, unsigned expected, bool more) {
        struct buffer out;
        buffer_init(&out, ARENA_MAX);
        catalogue_list(&world->service->catalogue, &query, &out);
        assert_int_equal(count_in(buffer_text(&out), "\"eventId\""), expected);
        assert_int_equal(count_in(buffer_text(&out), "\"nextCursor\":null"), !more);
        buffer_deinit(&out);
}

static void events_are_listed_and_found(void **state) {
        (void)state;
        struct world world;
        open_world(&world);
        event_id ids[30];
        for (unsigned i = 0; i < 30; i++)
                assert_int_equal(make_event(&world, i % 3 ? "Rock NIGHT" : "뮤지컬 밤", i % 2 ? "Busan" : "Seoul", NO_KEY, &ids[i]),
                                 EVENT_IS_CREATED);
        check_list(&world, (struct event_query){.limit = 20}, 20, true);
        check_list(&world, (struct event_query){.limit = 31}, 31, false);
        check_list(&world, (struct event_query){.limit = 30}, 30, true);
        check_list(&world, (struct event_query){.limit = 100, .before = ids[5]}, 6, false);
        check_list(&world, (struct event_query){.limit = 100, .city = TEXT("bUSAN")}, 15, false);
        check_list(&world, (struct event_query){.limit = 100, .city = TEXT("Bus")}, 0, false);
        check_list(&world, (struct event_query){.limit = 100, .words = TEXT("night")}, 20, false);
        check_list(&world, (struct event_query){.limit = 100, .words = TEXT("지컬")}, 10, false);
        check_list(&world, (struct event_query){.limit = 100, .words = TEXT("concert")}, 31, false); /* the category */
        check_list(&world, (struct event_query){.limit = 3, .words = TEXT("night"), .city = TEXT("Seoul")}, 3, true);
        struct catalogue_body *page;
        assert_int_equal(catalogue_first_page(&world.service->catalogue, &page), CATALOGUE_FOUND);
        assert_int_equal(count_in(page->plain, "\"eventId\""), PAGE_DEFAULT);
        assert_true(page->gzip.length > 0 && page->gzip.length < page->plain.length);
        catalogue_release(page);
        close_world(&world);
}

static int note_live(void *context, schedule_id id) {
        uint64_t *noted = context;
        noted[0]++;
        noted[1] = id;
        return 0;
}

static int stop_at_once(void *context, schedule_id id) {
        (void)context;
        (void)id;
        return -EIO;
}

static void live_schedules_are_those_not_ended(void **state) {
        (void)state;
        struct world world;
        open_world(&world);
        uint64_t noted[2] = {0};
        assert_int_equal(event_live_schedules(world.service, world.db, KIT_NOW + 24 * HOUR - 1, note_live, noted), 0);
        assert_true(noted[0] == 1 && noted[1] == world.schedule);
        assert_int_equal(event_live_schedules(world.service, world.db, KIT_NOW + 24 * HOUR, note_live, noted), 0);
        assert_int_equal(noted[0], 1);
        assert_int_equal(event_live_schedules(world.service, world.db, KIT_NOW, stop_at_once, NULL), -EIO);
        close_world(&world);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(everything_is_made_and_said),
                cmocka_unit_test(a_restart_finds_everything),
                cmocka_unit_test(a_plan_without_its_compiled_form_is_read_again),
                cmocka_unit_test(a_plan_that_is_gone_makes_no_schedule),
                cmocka_unit_test(a_retry_finds_the_first_time),
                cmocka_unit_test(a_double_click_in_one_turn_makes_one_row),
                cmocka_unit_test(others_are_told_there_is_nothing),
                cmocka_unit_test(another_s_plan_cannot_be_used),
                cmocka_unit_test(a_change_is_a_new_struct),
                cmocka_unit_test(changes_of_one_turn_build_on_each_other),
                cmocka_unit_test(a_fault_leaves_nothing),
                cmocka_unit_test(venues_are_listed_page_by_page),
                cmocka_unit_test(the_catalogue_follows_the_clock),
                cmocka_unit_test(a_body_is_made_once_and_survives_a_change),
                cmocka_unit_test(events_are_listed_and_found),
                cmocka_unit_test(live_schedules_are_those_not_ended),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
