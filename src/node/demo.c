/* demo.c: a first day with everything on sale, made through the API as an organiser would make it.
 *
 * What was made is remembered in DATA/demo.json, so that a second start finds it. The operator's token is signed with
 * the folder's own key, which is what makes an operator. */
#include "node/demo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapter/system/clock_system.h"
#include "base/fault.h"
#include "base/json_writer.h"
#include "base/time_text.h"
#include "node/node.h"
#include "rehearse/api_call.h"
#include "rehearse/json_scan.h"
#include "rehearse/scene.h"
#include "service/limits.h"
#include "service/user/user.h"

#define PASSWORD "ticketrush-demo"
#define ORGANISER_EMAIL "organiser@demo.example"
#define BUYER_EMAIL "buyer@demo.example"

enum {
        PATH_BYTES = CONFIG_VALUE_MAX + 64,
        NOTE_BYTES_MAX = 4096,
        BODY_BYTES_MAX = 65536,
        TOKEN_SECONDS = 600,
        FIRST_STARTS_DAYS = 30,
        SECOND_STARTS_DAYS = 45,
        SECOND_OPENS_SECONDS = 120,
        OPERATOR_ACCOUNT = 1,
};

extern const char theatre_plan[], theatre_plan_end[];

struct demo {
        struct api_caller caller;
        struct token_key key;
        struct buffer token; /* of whoever is calling */
        char organiser[ID_TEXT_MAX], buyer[ID_TEXT_MAX], plan[ID_TEXT_MAX];
        char event[ID_TEXT_MAX], schedule[ID_TEXT_MAX];           /* on sale */
        char next_event[ID_TEXT_MAX], next_schedule[ID_TEXT_MAX]; /* opens in two minutes */
};

static int64_t now_ms(void) {
        struct clock *clock = clock_system();
        return clock->now_ms(clock);
}

static const char *reachable_host(const struct config *config) {
        if (!strcmp(config->host, "0.0.0.0"))
                return "127.0.0.1";
        return !strcmp(config->host, "::") ? "::1" : config->host;
}

static void call_as(struct demo *demo, account_id account, enum role role) {
        buffer_clear(&demo->token);
        token_issue(&demo->token, &demo->key, account, role, now_ms(), TOKEN_SECONDS);
        demo->caller.token = buffer_text(&demo->token);
}

/* --- what is remembered --- */

static void note_path(const struct node *node, const char *end, char out[static PATH_BYTES]) {
        snprintf(out, PATH_BYTES, "%s/demo.json%s", node_data(node), end);
}

static const struct note {
        const char *name;
        size_t offset;
} notes[] = {
        {"organiserId", offsetof(struct demo, organiser)},  {"buyerId", offsetof(struct demo, buyer)},
        {"eventId", offsetof(struct demo, event)},          {"scheduleId", offsetof(struct demo, schedule)},
        {"nextEventId", offsetof(struct demo, next_event)}, {"nextScheduleId", offsetof(struct demo, next_schedule)},
};
enum { NOTES = sizeof notes / sizeof notes[0] };

/* false: nothing has been made here yet. */
static bool read_note(struct demo *demo, const struct node *node) {
        char path[PATH_BYTES], text[NOTE_BYTES_MAX];
        note_path(node, "", path);
        int file = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t length = file >= 0 ? read(file, text, sizeof text) : -1;
        if (file >= 0)
                close(file);
        for (unsigned i = 0; i < NOTES; i++) {
                struct text id =
                        length > 0 ? json_member((struct text){text, (size_t)length}, notes[i].name) : (struct text){0};
                char *into = (char *)demo + notes[i].offset;
                if (!id.length || id.length >= ID_TEXT_MAX)
                        return false;
                memcpy(into, id.at, id.length);
                into[id.length] = 0;
        }
        return true;
}

static int write_note(const struct demo *demo, const struct node *node) {
        char path[PATH_BYTES], beside[PATH_BYTES];
        struct buffer out;
        struct json_writer json;
        buffer_init(&out, NOTE_BYTES_MAX);
        json_begin(&json, &out);
        json_object(&json, 0);
        json_string(&json, "organiser", ORGANISER_EMAIL);
        json_string(&json, "buyer", BUYER_EMAIL);
        json_string(&json, "password", PASSWORD);
        for (unsigned i = 0; i < NOTES; i++)
                json_string(&json, notes[i].name, (const char *)demo + notes[i].offset);
        json_object_end(&json);
        buffer_add_string(&out, "\n");
        note_path(node, "", path);
        note_path(node, ".new", beside);
        int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        bool written = file >= 0 && write(file, out.at, out.length) == (ssize_t)out.length && fsync(file) == 0;
        int fault = written ? 0 : -errno;
        if (file >= 0)
                close(file);
        if (!fault && rename(beside, path) != 0)
                fault = -errno;
        buffer_deinit(&out);
        if (fault)
                buffer_printf(demo->caller.problem, "cannot write %s: %s", path, strerror(-fault));
        return fault;
}

/* --- what is made --- */

/* Signs up, or finds who was there when an earlier first start was cut short. */
static int make_person(struct demo *demo, const char *email, const char *name, char ret_id[static ID_TEXT_MAX]) {
        struct buffer body, ignored;
        struct api_caller seeker = demo->caller;
        buffer_init(&body, BODY_BYTES_MAX);
        buffer_init(&ignored, BODY_BYTES_MAX);
        seeker.problem = &ignored;
        buffer_printf(&body, "{\"email\":\"%s\",\"password\":\"" PASSWORD "\"", email);
        size_t credentials = body.length;
        buffer_add_string(&body, "}");
        int fault = api_make(&seeker, "/api/v1/sessions", buffer_text(&body), 200, "accountId", ret_id);
        if (fault) {
                body.length = credentials;
                buffer_printf(&body, ",\"name\":\"%s\"}", name);
                fault = api_make(&demo->caller, "/api/v1/accounts", buffer_text(&body), 201, "accountId", ret_id);
        }
        buffer_deinit(&ignored);
        buffer_deinit(&body);
        return fault;
}

static int make_people(struct demo *demo) {
        char path[ID_TEXT_MAX + 32];
        int fault = make_person(demo, ORGANISER_EMAIL, "Demo organiser", demo->organiser);
        if (!fault)
                fault = make_person(demo, BUYER_EMAIL, "Demo buyer", demo->buyer);
        if (fault)
                return fault;
        snprintf(path, sizeof path, "/api/v1/accounts/%s/role", demo->organiser);
        call_as(demo, OPERATOR_ACCOUNT, ROLE_OPERATOR);
        return api_do(&demo->caller, "PUT", path, TEXT("{\"role\":\"organiser\"}"), 200);
}

static int make_plan(struct demo *demo) {
        char venue[ID_TEXT_MAX], path[ID_TEXT_MAX + 32];
        struct text plan = {theatre_plan, (size_t)(theatre_plan_end - theatre_plan)};
        int fault = api_make(&demo->caller, "/api/v1/venues",
                             TEXT("{\"name\":\"Demo theatre\",\"address\":\"12 Sejong-daero\",\"city\":\"Seoul\"}"),
                             201, "venueId", venue);
        snprintf(path, sizeof path, "/api/v1/venues/%s/plans", fault ? "" : venue);
        return fault ? fault : api_make(&demo->caller, path, plan, 201, "planId", demo->plan);
}

static int make_sale(struct demo *demo, const char *event_body, unsigned starts_days, int64_t opens_at, char *ret_event,
                     char *ret_schedule) {
        char path[ID_TEXT_MAX + 32], starts[TIME_TEXT_LENGTH], opens[TIME_TEXT_LENGTH], lobby[TIME_TEXT_LENGTH];
        struct buffer body;
        int fault = api_make(&demo->caller, "/api/v1/events", text_of(event_body), 201, "eventId", ret_event);
        if (fault)
                return fault;
        buffer_init(&body, BODY_BYTES_MAX);
        time_format(starts, opens_at + starts_days * INT64_C(86400000));
        time_format(opens, opens_at);
        time_format(lobby, opens_at - 3600 * 1000);
        buffer_printf(&body, "{\"planId\":\"%s\",\"startsAt\":\"%.*s\",\"opensAt\":\"%.*s\",\"cap\":%d,\"grades\":[",
                      demo->plan, TIME_TEXT_LENGTH, starts, TIME_TEXT_LENGTH, opens, HOLD_SEATS_MAX);
        scene_write_grades(&body, (struct text){theatre_plan, (size_t)(theatre_plan_end - theatre_plan)});
        buffer_printf(&body, "],\"line\":{\"lobbyOpensAt\":\"%.*s\"}}", TIME_TEXT_LENGTH, lobby);
        snprintf(path, sizeof path, "/api/v1/events/%s/schedules", ret_event);
        fault = api_make(&demo->caller, path, buffer_text(&body), 201, "scheduleId", ret_schedule);
        buffer_deinit(&body);
        return fault;
}

static int make_all(struct demo *demo) {
        int fault = make_people(demo);
        if (fault)
                return fault;
        call_as(demo, id_parse(text_of(demo->organiser), ID_ACCOUNT), ROLE_ORGANISER);
        fault = make_plan(demo);
        if (!fault)
                fault = make_sale(
                        demo,
                        "{\"title\":\"An evening of songs\",\"description\":\"On sale now.\",\"city\":\"Seoul\","
                        "\"category\":\"concert\"}",
                        FIRST_STARTS_DAYS, now_ms(), demo->event, demo->schedule);
        if (!fault)
                fault = make_sale(demo,
                                  "{\"title\":\"The last tour\",\"description\":\"The sale opens two minutes after the "
                                  "first start.\","
                                  "\"city\":\"Seoul\",\"category\":\"concert\"}",
                                  SECOND_STARTS_DAYS, now_ms() + SECOND_OPENS_SECONDS * 1000, demo->next_event,
                                  demo->next_schedule);
        return fault;
}

/* --- what is said --- */

static void tell(const struct demo *demo) {
        const struct http_place *place = &demo->caller.place;
        bool v6 = strchr(place->host, ':') != 0;
        char base[CONFIG_LISTEN_MAX + 32];
        snprintf(base, sizeof base, "http://%s%s%s:%u", v6 ? "[" : "", place->host, v6 ? "]" : "", place->port);
        printf("\n"
               "  API        %s/api/v1   its document %s/api/v1/openapi.yaml\n"
               "  operators  %s/healthz  /readyz  /metrics\n"
               "  organiser  " ORGANISER_EMAIL "   password " PASSWORD "\n"
               "  buyer      " BUYER_EMAIL "       password " PASSWORD "\n"
               "  on sale    %s/api/v1/events/%s\n"
               "  opens two minutes after the first start\n"
               "             %s/api/v1/events/%s\n",
               base, base, base, base, demo->event, base, demo->next_event);
        printf("\nA ticket, line by line (paste it into bash; up to %d times):\n\n"
               "API=%s/api/v1 SALE=%s\n"
               "TOKEN=$(curl -s $API/sessions -H 'Content-Type: application/json' "
               "-d '{\"email\":\"" BUYER_EMAIL "\",\"password\":\"" PASSWORD
               "\"}' | sed 's/.*\"accessToken\":\"\\([^\"]*\\)\".*/\\1/')\n"
               "ask() { curl -s -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \"$@\"; }\n",
               HOLD_SEATS_MAX, base, demo->schedule);
        printf("PASS=; until [ \"$PASS\" ]; do PASS=$(ask -X POST $API/schedules/$SALE/line | "
               "sed -n 's/.*\"pass\":\"\\([^\"]*\\)\".*/\\1/p'); sleep 0.1; done\n"
               "SEATS=$(ask $API/schedules/$SALE/seats | sed 's/.*\"states\":\"\\([^\"]*\\)\".*/\\1/'); "
               "SEAT=${SEATS%%%%A*}\n"
               "HOLD=$(ask $API/schedules/$SALE/holds -H \"X-Queue-Token: $PASS\" -d \"{\\\"seats\\\":[${#SEAT}]}\" | "
               "sed 's/.*\"holdId\":\"\\([^\"]*\\)\".*/\\1/')\n"
               "ORDER=$(ask $API/orders -d \"{\\\"holdId\\\":\\\"$HOLD\\\"}\" | sed "
               "'s/.*\"orderId\":\"\\([^\"]*\\)\".*/\\1/')\n"
               "ask $API/orders/$ORDER/pay -d '{}'; echo\n"
               "ask $API/orders/$ORDER/tickets; echo\n\n");
}

int demo_make(struct node *node, const struct config *config, struct buffer *problem) {
        char path[PATH_BYTES];
        struct demo demo = {
                .caller = {.place = {.host = reachable_host(config), .port = node_port(node)}, .problem = problem}};
        int fault = 0;
        buffer_init(&demo.token, TOKEN_BYTES_MAX);
        if (!read_note(&demo, node)) {
                snprintf(path, sizeof path, "%s/keys/access.key", node_data(node));
                fault = token_key_load(&demo.key, path, crypto_random());
                if (!fault)
                        fault = make_all(&demo);
                if (!fault)
                        fault = write_note(&demo, node);
        }
        if (!fault)
                tell(&demo);
        buffer_deinit(&demo.token);
        return fault;
}
