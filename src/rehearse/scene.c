/* scene.c: four POSTs, each with what the one before answered. */
#include "rehearse/scene.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapter/system/clock_system.h"
#include "base/json_writer.h"
#include "base/time_text.h"
#include "rehearse/api_call.h"
#include "rehearse/json_scan.h"

enum {
        ROW_SEATS = 50,
        ZONE_SEATS = 1000,
        CATEGORIES = 3,
        PATH_BYTES = 256,
        SEATS_WAIT_MS = 60000,
        STARTS_AFTER_DAYS = 30,
};
static const int64_t amounts[CATEGORIES] = {132000, 99000, 66000};
static const char *const names[CATEGORIES] = {"R", "S", "A"};

static void write_position(struct json_writer *json, int64_t x, int64_t y) {
        json_object(json, "position");
        json_number(json, "x", x);
        json_number(json, "y", y);
        json_object_end(json);
}

static void write_row(struct json_writer *json, uint32_t first, uint32_t count, unsigned row, const char *category) {
        char text[32];
        json_object(json, 0);
        snprintf(text, sizeof text, "%u", row + 1);
        json_string(json, "row_number", text);
        write_position(json, 0, (int64_t)row * 30);
        json_array(json, "seats");
        for (uint32_t i = 0; i < count; i++) {
                json_object(json, 0);
                snprintf(text, sizeof text, "s%u", first + i);
                json_string(json, "seat_guid", text);
                snprintf(text, sizeof text, "%u", i + 1);
                json_string(json, "seat_number", text);
                write_position(json, (int64_t)i * 25, 0);
                json_string(json, "category", category);
                json_object_end(json);
        }
        json_array_end(json);
        json_object_end(json);
}

static void write_zone(struct json_writer *json, uint32_t zone, uint32_t first, uint32_t count) {
        char text[32];
        json_object(json, 0);
        snprintf(text, sizeof text, "Block %u", zone + 1);
        json_string(json, "name", text);
        write_position(json, 100 + (int64_t)(zone % 10) * 1400, 100 + (int64_t)(zone / 10) * 700);
        json_array(json, "rows");
        for (uint32_t at = 0; at < count; at += ROW_SEATS)
                write_row(json, first + at, count - at < ROW_SEATS ? count - at : ROW_SEATS, at / ROW_SEATS,
                          names[zone % CATEGORIES]);
        json_array_end(json);
        json_object_end(json);
}

void scene_write_plan(struct buffer *out, uint32_t seats) {
        struct json_writer json;
        json_begin(&json, out);
        json_object(&json, 0);
        json_string(&json, "name", "Rehearsal hall");
        json_object(&json, "size");
        json_number(&json, "width", 14200);
        json_number(&json, "height", 200 + (seats / (10 * ZONE_SEATS) + 1) * 700);
        json_object_end(&json);
        json_array(&json, "categories");
        uint32_t zones = (seats + ZONE_SEATS - 1) / ZONE_SEATS;
        for (unsigned i = 0; i < CATEGORIES && i < zones; i++) {
                json_object(&json, 0);
                json_string(&json, "name", names[i]);
                json_object_end(&json);
        }
        json_array_end(&json);
        json_array(&json, "zones");
        for (uint32_t zone = 0; zone < zones; zone++) {
                uint32_t first = zone * ZONE_SEATS;
                write_zone(&json, zone, first, seats - first < ZONE_SEATS ? seats - first : ZONE_SEATS);
        }
        json_array_end(&json);
        json_object_end(&json);
}

static int read_plan(struct buffer *out, const char *path, struct buffer *problem) {
        struct stat about;
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0 || fstat(file, &about) != 0) {
                buffer_printf(problem, "cannot read the plan %s: %s", path, strerror(errno));
                return -errno;
        }
        size_t size = (size_t)about.st_size;
        char *room = buffer_reserve(out, size);
        ssize_t n = room ? read(file, room, size) : -1;
        close(file);
        if (n != (ssize_t)size) {
                buffer_printf(problem, "cannot read the plan %s", path);
                return -EIO;
        }
        out->length += size;
        return 0;
}

static struct api_caller caller_of(const struct scene *scene, struct buffer *problem) {
        return (struct api_caller){.place = scene->place, .token = text_of(scene->organiser), .problem = problem};
}

int scene_get(const struct scene *scene, const char *path, struct buffer *raw, struct http_answer *ret_answer) {
        int fault =
                http_call(&scene->place, "GET", path, text_of(scene->organiser), 0, (struct text){0}, raw, ret_answer);
        return fault ? fault : ret_answer->status == 200 ? 0 : -EPROTO;
}

void scene_write_grades(struct buffer *out, struct text plan) {
        struct text categories = json_member(plan, "categories"), category;
        size_t at = 0;
        for (unsigned i = 0; json_item(categories, &at, &category); i++) {
                struct text name = json_member(category, "name");
                buffer_printf(out, "%s{\"category\":\"%.*s\",\"amount\":%lld}", i ? "," : "", (int)name.length, name.at,
                              (long long)amounts[i % CATEGORIES]);
        }
}

static int load_plan(struct scene *scene, const struct rehearse_options *options, const char *venue,
                     struct buffer *problem) {
        const struct api_caller caller = caller_of(scene, problem);
        char path[PATH_BYTES];
        struct buffer plan;
        buffer_init(&plan, PLAN_BYTES_MAX);
        int fault = 0;
        if (options->plan)
                fault = read_plan(&plan, options->plan, problem);
        else
                scene_write_plan(&plan, (uint32_t)options->seats);
        snprintf(path, sizeof path, "/api/v1/venues/%s/plans", venue);
        if (!fault)
                fault = api_make(&caller, path, buffer_text(&plan), 201, "planId", scene->plan);
        scene_write_grades(&scene->grades, buffer_text(&plan));
        buffer_deinit(&plan);
        return fault;
}

int scene_prepare(struct scene *scene, const struct rehearse_options *options, struct buffer *problem) {
        const struct api_caller caller = caller_of(scene, problem);
        char venue[ID_TEXT_MAX];
        buffer_init(&scene->grades, PLAN_BYTES_MAX);
        int fault = api_make(&caller, "/api/v1/venues",
                             TEXT("{\"name\":\"Rehearsal hall\",\"address\":\"1 Stage Street\",\"city\":\"Seoul\"}"),
                             201, "venueId", venue);
        if (!fault)
                fault = load_plan(scene, options, venue, problem);
        if (!fault)
                fault = api_make(
                        &caller, "/api/v1/events",
                        TEXT("{\"title\":\"Dress rehearsal\",\"description\":\"Nobody plays, everybody buys.\","
                             "\"city\":\"Seoul\",\"category\":\"concert\"}"),
                        201, "eventId", scene->event);
        return fault;
}

void scene_deinit(struct scene *scene) {
        buffer_deinit(&scene->grades);
}

static int await_seats(struct scene *scene, struct buffer *problem) {
        char path[PATH_BYTES];
        struct buffer raw;
        struct http_answer answer;
        snprintf(path, sizeof path, "/api/v1/schedules/%s/seats", scene->schedule);
        buffer_init(&raw, HTTP_CALL_BODY_MAX);
        size_t seats = 0;
        int64_t until = clock_monotonic_us() + SEATS_WAIT_MS * INT64_C(1000);
        int fault = -ETIMEDOUT;
        for (; !seats && clock_monotonic_us() < until; clock_sleep_ms(5)) {
                fault = scene_get(scene, path, &raw, &answer);
                seats = fault ? 0 : json_member(answer.body, "states").length;
                scene->version = fault ? -1 : json_member_number(answer.body, "version", -1);
        }
        scene->seats = (uint32_t)seats;
        if (!seats)
                buffer_printf(problem, "the seats of %s have not appeared (GET %s)", scene->schedule, path);
        buffer_deinit(&raw);
        return seats ? 0 : fault ? fault : -ETIMEDOUT;
}

int scene_open(struct scene *scene, const struct rehearse_options *options, int64_t now, int64_t opens_at,
               struct buffer *problem) {
        const struct api_caller caller = caller_of(scene, problem);
        char path[PATH_BYTES], starts[TIME_TEXT_LENGTH], opens[TIME_TEXT_LENGTH], lobby[TIME_TEXT_LENGTH];
        struct buffer body;
        time_format(starts, now + STARTS_AFTER_DAYS * INT64_C(86400000));
        time_format(opens, opens_at);
        time_format(lobby, opens_at - 3600 * 1000);
        scene->opens_at = opens_at;
        snprintf(path, sizeof path, "/api/v1/events/%s/schedules", scene->event);
        buffer_init(&body, PLAN_BYTES_MAX);
        buffer_printf(&body,
                      "{\"planId\":\"%s\",\"startsAt\":\"%.*s\",\"opensAt\":\"%.*s\",\"cap\":%lld,\"holdSeconds\":%lld,"
                      "\"grades\":[%.*s],"
                      "\"line\":{\"capacity\":%lld,\"rate\":0,\"passSeconds\":%lld,\"waitingMax\":%d,\"enabled\":true,"
                      "\"lobbyOpensAt\":\"%.*s\"}}",
                      scene->plan, TIME_TEXT_LENGTH, starts, TIME_TEXT_LENGTH, opens,
                      (long long)options->seats_per_buyer, (long long)options->hold_seconds, (int)scene->grades.length,
                      scene->grades.at, (long long)options->line_capacity, (long long)options->pass_seconds,
                      LINE_WAITING_MAX, TIME_TEXT_LENGTH, lobby);
        int fault = api_make(&caller, path, buffer_text(&body), 201, "scheduleId", scene->schedule);
        buffer_deinit(&body);
        return fault ? fault : await_seats(scene, problem);
}
