/* queue_routes.c: the line over HTTP.
 *
 *   POST   /api/v1/schedules/{scheduleId}/line        enterLine    201 new, 200 again (the place is kept)
 *   GET    /api/v1/schedules/{scheduleId}/line        lineStatus   from memory, on the edge's thread
 *   DELETE /api/v1/schedules/{scheduleId}/line        leaveLine    204
 *   GET    /api/v1/schedules/{scheduleId}/line/draw   lineDraw     public: how the lobby was drawn, to recompute
 *
 * What can be told without a write (a place, a refusal, a second click) is answered from what was committed last; the
 * lane is asked for new entries, for leaving, and when a line is not in memory yet. */
#include "service/desk.h"
#include "service/gateway/gateway.h"
#include "service/queue/queue_service.h"

static int64_t now_of(const struct queue *queue) {
        return queue->config.clock->now_ms(queue->config.clock);
}

static struct line_command *own(struct lane_command *command) {
        return (struct line_command *)(void *)command;
}

static void answer_view(struct request *request, int status, const struct queue *queue, schedule_id schedule,
                        const struct line_view *view) {
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_id(&json, "scheduleId", ID_SCHEDULE, schedule);
        json_string(&json, "state", fsm_state_name(&entry_fsm, view->state));
        json_number(&json, "number", view->number);
        if (view->place != 0)
                json_number(&json, "place", (int64_t)view->place);
        else
                json_null(&json, "place");
        if (view->has_ahead)
                json_number(&json, "ahead", (int64_t)view->ahead);
        else
                json_null(&json, "ahead");
        json_string(&json, "phase", view->open ? "OPEN" : "LOBBY");
        json_time(&json, "opensAt", view->opens_at);
        json_number(&json, "pollSeconds", view->poll_seconds);
        if (view->has_estimate) {
                json_object(&json, "estimatedWaitSeconds");
                json_number(&json, "low", (int64_t)view->wait_low);
                json_number(&json, "high", (int64_t)view->wait_high);
                json_object_end(&json);
        } else {
                json_null(&json, "estimatedWaitSeconds");
        }
        if (view->state == ENTRY_ADMITTED) {
                char text[PASS_TEXT_LENGTH];
                const struct pass pass = {schedule, request->caller.account, view->number, view->pass_ends_at};
                queue_pass_write(queue, &pass, text);
                json_text(&json, "pass", (struct text){text, sizeof text});
                json_time(&json, "passEndsAt", view->pass_ends_at);
        }
        json_object_end(&json);
        edge_answer_json(request, status);
}

/* --- enter --- */

static unsigned seconds_until(int64_t at, int64_t now) {
        int64_t seconds = (at - now + 999) / 1000;
        return seconds < 1 ? 1 : seconds > 3600 ? 3600 : (unsigned)seconds;
}

static void answer_lobby_closed(struct request *request, const struct queue *queue, schedule_id id) {
        const struct schedule *schedule = event_schedule_peek(queue->config.events, id);
        unsigned seconds = schedule ? seconds_until(queue_doors_at(schedule), now_of(queue)) : 1;
        edge_answer_problem(request, 409, "LOBBY_NOT_OPEN",
                            "The waiting room is not open yet; come back when it opens.", seconds);
}

static void answer_entered(struct request *request, const struct queue *queue, schedule_id schedule, int outcome,
                           const struct line_view *view) {
        switch ((enum enter_outcome)outcome) {
        case ENTER_OK:
                answer_view(request, 201, queue, schedule, view);
                return;
        case ENTER_NO_SCHEDULE:
                desk_not_found(request);
                return;
        case ENTER_CANCELLED:
                edge_answer_problem(request, 410, "SCHEDULE_CANCELLED",
                                    "This date has been cancelled; it is not sold any more.", 0);
                return;
        case ENTER_SALE_ENDED:
                edge_answer_problem(request, 410, "SALE_ENDED", "The sale for this date has ended.", 0);
                return;
        case ENTER_LOBBY_CLOSED:
                answer_lobby_closed(request, queue, schedule);
                return;
        case ENTER_AGAIN:
                answer_view(request, 200, queue, schedule, view);
                return;
        case ENTER_FULL:
                edge_answer_problem(request, 503, "LINE_FULL",
                                    "The line is full at the moment; try again in a little while.",
                                    QUEUE_FULL_RETRY_SECONDS);
                return;
        }
}

static void enter_answer(struct request *request, struct lane_command *command) {
        const struct line_command *enter = own(command);
        answer_entered(request, request->service, enter->schedule, command->outcome, &enter->view);
}

static void submit(struct request *request, const struct lane_kind *kind, schedule_id schedule,
                   void (*answer)(struct request *request, struct lane_command *command)) {
        struct queue *queue = request->service;
        struct line_command *command = desk_open(request, kind, queue, sizeof *command, answer);
        if (!command)
                return;
        command->schedule = schedule;
        command->account = request->caller.account;
        desk_submit(queue->config.lane, &command->lane);
}

static void enter_ask(void *service, struct request *request) {
        const struct queue *queue = service;
        schedule_id schedule = desk_path_id(request, 0, ID_SCHEDULE);
        if (!schedule)
                return;
        struct line_view view;
        int outcome = queue_enter_committed(queue, schedule, request->caller.account, now_of(queue), &view);
        if (outcome != 0)
                answer_entered(request, queue, schedule, outcome, &view);
        else
                submit(request, &line_enter_kind, schedule, enter_answer);
}

/* --- status --- */

static void answer_not_in_line(struct request *request) {
        edge_answer_problem(request, 404, "NOT_IN_LINE", "You are not in this line; enter it first.", 0);
}

static void answer_status(struct request *request, const struct queue *queue, schedule_id schedule, int outcome,
                          const struct line_view *view) {
        switch ((enum status_outcome)outcome) {
        case STATUS_OK:
                answer_view(request, 200, queue, schedule, view);
                return;
        case STATUS_NO_SCHEDULE:
                desk_not_found(request);
                return;
        case STATUS_NOT_IN_LINE:
                answer_not_in_line(request);
                return;
        }
}

static void status_answer(struct request *request, struct lane_command *command) {
        const struct line_command *status = own(command);
        answer_status(request, request->service, status->schedule, command->outcome, &status->view);
}

static void status_ask(void *service, struct request *request) {
        const struct queue *queue = service;
        schedule_id schedule = desk_path_id(request, 0, ID_SCHEDULE);
        if (!schedule)
                return;
        struct line_view view;
        int outcome = queue_status_committed(queue, schedule, request->caller.account, now_of(queue), &view);
        if (outcome != 0)
                answer_status(request, queue, schedule, outcome, &view);
        else
                submit(request, &line_status_kind, schedule, status_answer);
}

/* --- leave --- */

static void leave_answer(struct request *request, struct lane_command *command) {
        switch ((enum leave_outcome)command->outcome) {
        case LEAVE_OK:
        case LEAVE_OVER:
                edge_answer_empty(request, 204, NULL, 0);
                return;
        case LEAVE_NO_SCHEDULE:
                desk_not_found(request);
                return;
        case LEAVE_NOT_IN_LINE:
                answer_not_in_line(request);
                return;
        }
}

static void leave_ask(void *service, struct request *request) {
        (void)service;
        schedule_id schedule = desk_path_id(request, 0, ID_SCHEDULE);
        if (schedule)
                submit(request, &line_leave_kind, schedule, leave_answer);
}

/* --- the draw --- */

static void write_left(struct json_writer *json, const struct draw_view *draw) {
        if (draw->left_count > QUEUE_LEFT_SHOWN_MAX) {
                json_null(json, "left");
                return;
        }
        json_array(json, "left");
        for (size_t i = 0; i < draw->left_count; i++)
                json_number(json, NULL, draw->left[i]);
        json_array_end(json);
}

static void answer_draw(struct request *request, const struct schedule *schedule, const struct draw_view *draw) {
        char hex[2 * sizeof schedule->draw_seed];
        struct json_writer json = edge_json(request);
        json_object(&json, NULL);
        json_id(&json, "scheduleId", ID_SCHEDULE, schedule->id);
        text_hex(hex, schedule->draw_commitment, sizeof schedule->draw_commitment);
        json_text(&json, "commitment", (struct text){hex, sizeof hex});
        json_time(&json, "opensAt", schedule->opens_at);
        json_time(&json, "drawnAt", draw->drawn_at);
        if (draw->drawn) {
                text_hex(hex, schedule->draw_seed, sizeof schedule->draw_seed);
                json_text(&json, "seed", (struct text){hex, sizeof hex});
                json_number(&json, "lobbyCount", draw->lobby_count);
                json_number(&json, "drawnCount", draw->drawn_count);
                json_number(&json, "leftCount", (int64_t)draw->left_count);
                write_left(&json, draw);
        } else {
                json_null(&json, "seed");
                json_null(&json, "lobbyCount");
                json_null(&json, "drawnCount");
                json_null(&json, "leftCount");
                json_null(&json, "left");
        }
        json_string(&json, "method",
                    "commitment = SHA-256(seed). Entry numbers 1 to lobbyCount, without those in left, are sorted by "
                    "SHA-256(seed followed by the number as 8 bytes, big endian); the place of a number is its rank, "
                    "from 1. "
                    "Later numbers n have the place n - lobbyCount + drawnCount.");
        json_object_end(&json);
        edge_answer_json(request, 200);
}

static bool answer_draw_committed(struct request *request, const struct queue *queue, schedule_id id) {
        const struct schedule *schedule = event_schedule_peek(queue->config.events, id);
        struct draw_view draw;
        if (!schedule || !queue_draw_committed(queue, id, &draw))
                return false;
        answer_draw(request, schedule, &draw);
        return true;
}

static void draw_answer(struct request *request, struct lane_command *command) {
        if (!answer_draw_committed(request, request->service, own(command)->schedule))
                desk_not_found(request);
}

static void draw_ask(void *service, struct request *request) {
        schedule_id schedule = desk_path_id(request, 0, ID_SCHEDULE);
        if (schedule && !answer_draw_committed(request, service, schedule))
                submit(request, &line_status_kind, schedule, draw_answer);
}

void queue_add_routes(struct queue *queue, struct edge *edge) {
        static const struct route routes[] = {
                {.operation = "enterLine",
                 .method = HTTP_POST,
                 .path = "/api/v1/schedules/{scheduleId}/line",
                 .access = ACCESS_ACCOUNT,
                 .limit_class = LIMIT_COMMAND,
                 .ask = enter_ask},
                {.operation = "lineStatus",
                 .method = HTTP_GET,
                 .path = "/api/v1/schedules/{scheduleId}/line",
                 .access = ACCESS_ACCOUNT,
                 .ask = status_ask},
                {.operation = "leaveLine",
                 .method = HTTP_DELETE,
                 .path = "/api/v1/schedules/{scheduleId}/line",
                 .access = ACCESS_ACCOUNT,
                 .limit_class = LIMIT_COMMAND,
                 .ask = leave_ask},
                {.operation = "lineDraw",
                 .method = HTTP_GET,
                 .path = "/api/v1/schedules/{scheduleId}/line/draw",
                 .access = ACCESS_PUBLIC,
                 .ask = draw_ask},
        };
        for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
                edge_add_route(edge, &routes[i], queue);
}
