/* event_service.c: the use cases of venues, plans, events and schedules. They run on the lane.
 *
 * A command decides on rows read in its own turn, so it sees what the commands before it changed. What it makes is staged
 * and enters the catalogue with the commit; a rollback throws it away. These commands are rare, so each is carried out by
 * itself: nothing here is on the way of a purchase but event_schedule and event_schedule_peek. */
#include "service/event/event_service.h"

#include "base/assert.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "port/crypto.h"
#include "port/random.h"

#include <stdlib.h>

enum { PAYLOAD_BYTES_MAX = 8192 };

/* --- staging --- */

static void staging_clear(struct staging *staging) {
        *staging = (struct staging){0};
        staging->events_end = &staging->events;
        staging->schedules_end = &staging->schedules;
}

static void stage_event(struct event_service *service, struct event_record *record) {
        *service->staging.events_end = record;
        service->staging.events_end = &record->next;
}

static void stage_schedule(struct event_service *service, struct schedule_record *record) {
        *service->staging.schedules_end = record;
        service->staging.schedules_end = &record->next;
}

static void event_committed(void *context) {
        struct event_service *service = context;
        struct staging staging = service->staging;
        staging_clear(&service->staging);
        while (staging.events) {
                struct event_record *record = staging.events;
                staging.events = record->next;
                record->next = NULL;
                catalogue_publish_event(&service->catalogue, record);
        }
        while (staging.schedules) {
                struct schedule_record *record = staging.schedules;
                staging.schedules = record->next;
                record->next = NULL;
                catalogue_publish_schedule(&service->catalogue, record);
        }
}

static int event_rolled_back(void *context, struct db *db) {
        (void)db;
        struct event_service *service = context;
        struct staging staging = service->staging;
        staging_clear(&service->staging);
        while (staging.schedules) {
                struct schedule_record *record = staging.schedules;
                staging.schedules = record->next;
                catalogue_unplace_schedule(&service->catalogue, record->schedule.id);
                free(record);
        }
        while (staging.events) {
                struct event_record *record = staging.events;
                staging.events = record->next;
                catalogue_unplace_event(&service->catalogue, record->id);
                free(record);
        }
        return 0;
}

/* --- start and end --- */

static int load_event(void *context, const struct event_record *event) {
        struct event_service *service = context;
        int fault = catalogue_place_event(&service->catalogue, event->id);
        if (fault)
                return fault;
        struct event_record *record = event_record_new(event);
        if (!record)
                return -ENOMEM;
        catalogue_publish_event(&service->catalogue, record);
        return 0;
}

static struct schedule_record *schedule_record_new(const struct schedule_record *from) {
        struct schedule_record *record = malloc(sizeof *record);
        if (record)
                *record = *from;
        return record;
}

static int load_schedule(void *context, const struct schedule_record *schedule) {
        struct event_service *service = context;
        if (!catalogue_event_entry(&service->catalogue, schedule->schedule.event))
                return FAULT_FORMAT;
        int fault = catalogue_place_schedule(&service->catalogue, schedule->schedule.id, schedule->schedule.event);
        if (fault)
                return fault;
        struct schedule_record *record = schedule_record_new(schedule);
        if (!record)
                return -ENOMEM;
        catalogue_publish_schedule(&service->catalogue, record);
        return 0;
}

int event_service_new(struct event_service **ret_service, const struct event_config *config) {
        struct event_service *service = calloc(1, sizeof *service);
        if (!service)
                return -ENOMEM;
        service->lane = config->lane;
        service->clock = config->clock;
        service->random = config->random;
        service->workers = config->workers;
        staging_clear(&service->staging);
        map_init(&service->plans);
        int fault = catalogue_init(&service->catalogue);
        if (!fault)
                fault = store_select_events(lane_db(config->lane), 0, load_event, service);
        if (!fault)
                fault = store_select_schedules(lane_db(config->lane), 0, load_schedule, service);
        if (fault) {
                event_service_free(service);
                return fault;
        }
        const struct lane_room room = {.name = "event", .service = service, .committed = event_committed, .rolled_back = event_rolled_back};
        lane_add_room(config->lane, &room);
        *ret_service = service;
        return 0;
}

struct event_service *event_service_free(struct event_service *service) {
        if (!service)
                return NULL;
        event_rolled_back(service, NULL);
        catalogue_deinit(&service->catalogue);
        struct map_entry found;
        for (size_t i = 0; (i = map_next(&service->plans, i, &found)) != 0;)
                plan_free((struct plan *)(uintptr_t)found.value);
        map_deinit(&service->plans);
        free(service);
        return NULL;
}

/* --- plans and schedules in memory --- */

/* *ret_plan NULL: there is none. */
static int find_plan(struct event_service *service, struct db *db, plan_id id, const struct plan **ret_plan) {
        const uint64_t *known = map_find(&service->plans, id);
        struct plan *plan = known ? (struct plan *)(uintptr_t)*known : NULL;
        if (!plan) {
                int fault = store_load_plan(db, id, &plan);
                if (!fault && plan)
                        fault = map_put(&service->plans, id, (uintptr_t)plan);
                if (fault) {
                        plan_free(plan);
                        return fault;
                }
        }
        *ret_plan = plan;
        return 0;
}

/* The plan of a row that another row names: it has to be there. */
static int require_plan(struct event_service *service, struct db *db, plan_id id, const struct plan **ret_plan) {
        const struct plan *plan = NULL;
        int fault = find_plan(service, db, id, &plan);
        if (fault)
                return fault;
        if (!plan)
                return FAULT_FORMAT;
        *ret_plan = plan;
        return 0;
}

const struct schedule *event_schedule(struct event_service *service, struct db *db, schedule_id id) {
        struct schedule_entry *entry = catalogue_schedule_entry(&service->catalogue, id);
        if (!entry)
                return NULL;
        struct schedule_record *record = entry->record;
        if (record->schedule.plan)
                return &record->schedule;
        const struct plan *plan;
        int fault = require_plan(service, db, record->plan, &plan);
        if (fault) {
                log_write(LOG_ALARM, "schedule.unreadable", "the plan %llu of schedule %llu: %s", (unsigned long long)record->plan,
                          (unsigned long long)id, fault_text(fault));
                return NULL;
        }
        catalogue_set_plan(&service->catalogue, record, plan);
        return &record->schedule;
}

const struct schedule *event_schedule_peek(struct event_service *service, schedule_id id) {
        return catalogue_peek(&service->catalogue, id);
}

int event_live_schedules(struct event_service *service, struct db *db, int64_t now, int (*each)(void *context, schedule_id id),
                         void *context) {
        (void)db;
        struct map_entry found;
        int r = 0;
        for (size_t i = 0; !r && (i = map_next(&service->catalogue.schedules, i, &found)) != 0;) {
                const struct schedule_entry *entry = catalogue_schedule_entry(&service->catalogue, found.key);
                enum schedule_state state = entry ? schedule_state_at(&entry->record->schedule, now) : SCHEDULE_ENDED;
                if (state == SCHEDULE_UPCOMING || state == SCHEDULE_ON_SALE)
                        r = each(context, found.key);
        }
        return r;
}

void event_draw_seed(struct event_service *service, struct schedule_create_command *command) {
        service->random->fill(service->random, command->draw_seed, sizeof command->draw_seed);
        crypto_sha256(command->draw_commitment, command->draw_seed, sizeof command->draw_seed);
}

/* --- what creating commands have in common --- */

/* Was the key seen before? *ret_id: the row it made, or 0; with another body the command has its outcome. */
static int find_first_time(struct turn *turn, enum event_table table, struct idempotency idempotency, struct lane_command *command,
                           uint64_t *ret_id) {
        uint64_t id = 0, fingerprint = 0;
        int fault = idempotency.key ? store_find_key(turn->db, table, idempotency.key, &id, &fingerprint) : 0;
        if (fault)
                return fault;
        if (id && fingerprint != idempotency.fingerprint)
                command->outcome = EVENT_KEY_REUSED;
        *ret_id = id;
        return 0;
}

/* One command after the other, each with the rows as the one before left them. */
#define EACH(name, structure)                                                                                            \
        static int name(void *service, struct turn *turn, struct lane_command **commands, size_t count) {                \
                int fault = 0;                                                                                           \
                for (size_t i = 0; !fault && i < count; i++)                                                             \
                        fault = name##_one(service, turn, (struct structure *)(void *)commands[i]);                      \
                return fault;                                                                                            \
        }

/* --- venues --- */

static int venue_create_one(struct event_service *service, struct turn *turn, struct venue_create_command *command) {
        (void)service;
        uint64_t first = 0;
        bool found;
        int fault = find_first_time(turn, TABLE_VENUE, command->idempotency, &command->lane, &first);
        if (fault || command->lane.outcome)
                return fault;
        command->lane.outcome = VENUE_CREATED;
        if (first)
                return store_select_venue(turn->db, first, command->memory, &command->venue, &found);
        command->venue.id = id_next(turn->ids, turn->now);
        command->venue.owner = command->caller.account;
        command->venue.created_at = turn->now;
        return store_insert_venue(turn->db, &command->venue, command->idempotency);
}
EACH(venue_create, venue_create_command)
const struct lane_kind venue_create_kind = {.name = "venue.create", .rank = 100, .run = venue_create};

static int venue_read_one(struct event_service *service, struct turn *turn, struct venue_read_command *command) {
        (void)service;
        bool found = false;
        int fault = store_select_venue(turn->db, command->venue.id, command->memory, &command->venue, &found);
        bool known = found && event_may_change(command->venue.owner, command->caller.account, command->caller.role);
        command->lane.outcome = known ? VENUE_FOUND : VENUE_UNKNOWN;
        return fault;
}
EACH(venue_read, venue_read_command)
const struct lane_kind venue_read_kind = {.name = "venue.read", .rank = 110, .read_only = true, .run = venue_read};

static int venue_list_one(struct event_service *service, struct turn *turn, struct venue_list_command *command) {
        (void)service;
        unsigned room = command->limit + 1; /* one more tells whether there is more */
        command->venues = arena_take(command->memory, room * sizeof *command->venues);
        if (!command->venues)
                return -ENOMEM;
        unsigned count = 0;
        int fault = store_list_venues(turn->db, command->caller.account, command->after, command->memory, command->venues, room, &count);
        command->more = count == room;
        command->count = command->more ? command->limit : count;
        command->lane.outcome = VENUES_LISTED;
        return fault;
}
EACH(venue_list, venue_list_command)
const struct lane_kind venue_list_kind = {.name = "venue.list", .rank = 110, .read_only = true, .run = venue_list};

/* --- plans --- */

static int plan_create_one(struct event_service *service, struct turn *turn, struct plan_create_command *command) {
        (void)service;
        struct plan_entry *plan = &command->plan;
        uint64_t first = 0;
        int fault = find_first_time(turn, TABLE_PLAN, command->idempotency, &command->lane, &first);
        if (fault || command->lane.outcome)
                return fault;
        struct venue venue = {0};
        bool found = false;
        if (first) {
                command->lane.outcome = PLAN_CREATED;
                return store_select_plan(turn->db, first, command->memory, plan, &found);
        }
        fault = store_select_venue(turn->db, plan->venue, command->memory, &venue, &found);
        if (fault)
                return fault;
        if (!found || !event_may_change(venue.owner, command->caller.account, command->caller.role)) {
                command->lane.outcome = PLAN_VENUE_UNKNOWN;
                return 0;
        }
        plan->id = id_next(turn->ids, turn->now);
        plan->owner = venue.owner;
        plan->created_at = turn->now;
        command->lane.outcome = PLAN_CREATED;
        return store_insert_plan(turn->db, plan, command->idempotency);
}
EACH(plan_create, plan_create_command)
const struct lane_kind plan_create_kind = {.name = "plan.create", .rank = 120, .run = plan_create};

static int plan_read_row_one(struct event_service *service, struct turn *turn, struct plan_read_command *command) {
        (void)service;
        bool found = false;
        int fault = store_select_plan(turn->db, command->plan.id, command->memory, &command->plan, &found);
        bool known = found && event_may_change(command->plan.owner, command->caller.account, command->caller.role);
        command->lane.outcome = known ? PLAN_FOUND : PLAN_UNKNOWN;
        return fault;
}
EACH(plan_read_row, plan_read_command)
const struct lane_kind plan_read_kind = {.name = "plan.read", .rank = 130, .read_only = true, .run = plan_read_row};

/* --- events --- */

static int say_event_created(struct turn *turn, const struct event_record *record) {
        struct buffer payload;
        struct json_writer json;
        buffer_init(&payload, PAYLOAD_BYTES_MAX);
        json_begin(&json, &payload);
        json_object(&json, NULL);
        json_id(&json, "eventId", ID_EVENT, record->id);
        json_text(&json, "title", record->words.title);
        json_object_end(&json);
        struct event event = {.type = EVENT_CREATED, .subject = record->id, .account = record->owner, .payload = buffer_text(&payload)};
        int fault = payload.overflowed ? -ENOMEM : turn_say(turn, &event);
        buffer_deinit(&payload);
        return fault;
}

/* Takes its place in the catalogue, its row in the table, and is staged. */
static int event_make(struct event_service *service, struct turn *turn, const struct event_create_command *command) {
        const struct event_record made = {
                .id = command->id, .owner = command->caller.account, .created_at = turn->now, .words = command->words};
        struct event_record *record = event_record_new(&made);
        if (!record)
                return -ENOMEM;
        int fault = catalogue_place_event(&service->catalogue, record->id);
        if (fault) {
                free(record);
                return fault;
        }
        stage_event(service, record);
        fault = store_insert_event(turn->db, record, command->idempotency);
        return fault ? fault : say_event_created(turn, record);
}

static int event_create_one(struct event_service *service, struct turn *turn, struct event_create_command *command) {
        uint64_t first = 0;
        int fault = find_first_time(turn, TABLE_EVENT, command->idempotency, &command->lane, &first);
        if (fault || command->lane.outcome)
                return fault;
        if (!first && service->catalogue.events.count >= EVENTS_MAX) {
                command->lane.outcome = EVENT_TOO_MANY;
                return 0;
        }
        command->lane.outcome = EVENT_IS_CREATED;
        command->id = first ? first : id_next(turn->ids, turn->now);
        return first ? 0 : event_make(service, turn, command);
}
EACH(event_create, event_create_command)
const struct lane_kind event_create_kind = {.name = "event.create", .rank = 140, .run = event_create};

struct event_change { struct event_service *service; struct event_change_command *command; struct event_record *changed; };

static struct text word_of(struct text wish, struct text otherwise) {
        return wish.at ? wish : otherwise;
}

static int on_event_to_change(void *context, const struct event_record *event) {
        struct event_change *change = context;
        const struct event_change_command *command = change->command;
        if (!event_may_change(event->owner, command->caller.account, command->caller.role))
                return 0;
        struct event_record changed = *event;
        changed.words = (struct event_words){
                .title = word_of(command->words.title, event->words.title),
                .description = word_of(command->words.description, event->words.description),
                .city = word_of(command->words.city, event->words.city),
                .category = word_of(command->words.category, event->words.category),
        };
        change->changed = event_record_new(&changed);
        return change->changed ? 0 : -ENOMEM;
}

static int event_change_one(struct event_service *service, struct turn *turn, struct event_change_command *command) {
        struct event_change change = {.service = service, .command = command};
        int fault = store_select_events(turn->db, command->id, on_event_to_change, &change);
        if (fault)
                return fault;
        command->lane.outcome = change.changed ? EVENT_CHANGED : EVENT_UNKNOWN;
        if (!change.changed)
                return 0;
        stage_event(service, change.changed);
        return store_update_event(turn->db, change.changed);
}
EACH(event_change, event_change_command)
const struct lane_kind event_change_kind = {.name = "event.change", .rank = 150, .run = event_change};

/* --- schedules --- */

/* cap and capacity are what the auditor needs: it looks at the largest that were ever in force. */
static int say_schedule(struct turn *turn, enum event_type type, const struct schedule *schedule, account_id account) {
        struct buffer payload;
        struct json_writer json;
        buffer_init(&payload, PAYLOAD_BYTES_MAX);
        json_begin(&json, &payload);
        json_object(&json, NULL);
        json_id(&json, "scheduleId", ID_SCHEDULE, schedule->id);
        json_id(&json, "eventId", ID_EVENT, schedule->event);
        json_time(&json, "startsAt", schedule->starts_at);
        json_time(&json, "opensAt", schedule->opens_at);
        json_time(&json, "endsAt", schedule->ends_at);
        json_number(&json, "seats", schedule->plan->seat_count);
        json_number(&json, "cap", schedule->cap);
        json_number(&json, "capacity", schedule->line.capacity);
        json_bool(&json, "admissionPaused", schedule->admission_paused);
        json_bool(&json, "salePaused", schedule->sale_paused);
        json_object_end(&json);
        struct event event = {.type = type, .schedule = schedule->id, .subject = schedule->id, .account = account,
                              .payload = buffer_text(&payload)};
        int fault = payload.overflowed ? -ENOMEM : turn_say(turn, &event);
        buffer_deinit(&payload);
        return fault;
}

static int schedule_make(struct event_service *service, struct turn *turn, struct schedule_create_command *command,
                         const struct schedule_record *made) {
        struct schedule_record *record = schedule_record_new(made);
        if (!record)
                return -ENOMEM;
        int fault = catalogue_place_schedule(&service->catalogue, record->schedule.id, record->schedule.event);
        if (fault) {
                free(record);
                return fault;
        }
        stage_schedule(service, record);
        fault = store_insert_schedule(turn->db, record, command->idempotency);
        return fault ? fault : say_schedule(turn, SCHEDULE_CREATED, &record->schedule, command->caller.account);
}

/* The plan, if it is there and the caller's. */
static int find_callers_plan(struct event_service *service, struct turn *turn, const struct schedule_create_command *command,
                             const struct plan **ret_plan) {
        struct plan_entry row;
        bool found = false;
        int fault = store_select_plan(turn->db, command->plan, turn->arena, &row, &found);
        if (fault)
                return fault;
        if (found && event_may_change(row.owner, command->caller.account, command->caller.role))
                return require_plan(service, turn->db, command->plan, ret_plan);
        *ret_plan = NULL;
        return 0;
}

static int schedule_decide_and_make(struct event_service *service, struct turn *turn, struct schedule_create_command *command,
                                    const struct event_record *event) {
        const struct plan *plan;
        int fault = find_callers_plan(service, turn, command, &plan);
        if (fault)
                return fault;
        if (!plan) {
                command->lane.outcome = SCHEDULE_PLAN_UNKNOWN;
                return 0;
        }
        struct schedule_record made = {.plan = command->plan, .created_at = turn->now};
        command->lane.outcome = schedule_create_decide(&command->wish, plan, turn->now, &made.schedule);
        if (command->lane.outcome != SCHEDULE_ACCEPTED)
                return 0;
        command->id = made.schedule.id = id_next(turn->ids, turn->now);
        made.schedule.event = event->id;
        made.schedule.organiser = event->owner;
        made.schedule.plan = plan;
        memcpy(made.schedule.currency, command->currency, sizeof made.schedule.currency);
        memcpy(made.schedule.draw_seed, command->draw_seed, sizeof made.schedule.draw_seed);
        memcpy(made.schedule.draw_commitment, command->draw_commitment, sizeof made.schedule.draw_commitment);
        return schedule_make(service, turn, command, &made);
}

static int schedule_create_one(struct event_service *service, struct turn *turn, struct schedule_create_command *command) {
        int fault = find_first_time(turn, TABLE_SCHEDULE, command->idempotency, &command->lane, &command->id);
        if (fault || command->lane.outcome)
                return fault;
        const struct event_entry *event = catalogue_event_entry(&service->catalogue, command->event);
        if (command->id)
                command->lane.outcome = SCHEDULE_ACCEPTED;
        else if (!event || !event_may_change(event->record->owner, command->caller.account, command->caller.role))
                command->lane.outcome = SCHEDULE_EVENT_UNKNOWN;
        else if (event->schedule_count >= SCHEDULES_OF_EVENT_MAX || service->catalogue.schedules.count >= SCHEDULES_MAX)
                command->lane.outcome = SCHEDULE_TOO_MANY;
        else
                return schedule_decide_and_make(service, turn, command, event->record);
        return 0;
}
EACH(schedule_create, schedule_create_command)
const struct lane_kind schedule_create_kind = {.name = "schedule.create", .rank = 160, .run = schedule_create};

static int copy_schedule(void *context, const struct schedule_record *record) {
        *(struct schedule_record *)context = *record;
        return 0;
}

/* The row as this turn has it, with its plan; or the command's refusal as *ret_outcome. */
static int load_to_change(struct event_service *service, struct turn *turn, schedule_id id, struct event_caller caller,
                          struct schedule_record *ret_record, int *ret_outcome) {
        struct schedule_record record = {0};
        const struct schedule_entry *entry = catalogue_schedule_entry(&service->catalogue, id);
        int fault = entry ? store_select_schedules(turn->db, id, copy_schedule, &record) : 0;
        if (fault)
                return fault;
        *ret_outcome = 0;
        if (!entry || !event_may_change(record.schedule.organiser, caller.account, caller.role))
                *ret_outcome = SCHEDULE_UNKNOWN;
        else if (entry->versions >= SCHEDULE_CHANGES_MAX)
                *ret_outcome = SCHEDULE_CHANGED_TOO_OFTEN;
        if (*ret_outcome)
                return 0;
        fault = require_plan(service, turn->db, record.plan, &record.schedule.plan);
        if (!fault)
                *ret_record = record;
        return fault;
}

static int schedule_store_change(struct event_service *service, struct turn *turn, const struct schedule_record *changed,
                                 account_id account) {
        struct schedule_record *record = schedule_record_new(changed);
        if (!record)
                return -ENOMEM;
        stage_schedule(service, record);
        int fault = store_update_schedule(turn->db, record);
        return fault ? fault : say_schedule(turn, SCHEDULE_CHANGED, &record->schedule, account);
}

static int schedule_change_one(struct event_service *service, struct turn *turn, struct schedule_change_command *command) {
        struct schedule_record record;
        int *outcome = &command->lane.outcome;
        int fault = load_to_change(service, turn, command->id, command->caller, &record, outcome);
        if (fault || *outcome)
                return fault;
        struct schedule changed;
        *outcome = schedule_change_decide(&record.schedule, &command->wish, turn->now, &changed);
        if (*outcome != SCHEDULE_ACCEPTED)
                return 0;
        record.schedule = changed;
        return schedule_store_change(service, turn, &record, command->caller.account);
}
EACH(schedule_change, schedule_change_command)
const struct lane_kind schedule_change_kind = {.name = "schedule.change", .rank = 170, .run = schedule_change};

static int schedule_control_one(struct event_service *service, struct turn *turn, struct schedule_control_command *command) {
        struct schedule_record record;
        int *outcome = &command->lane.outcome;
        int fault = load_to_change(service, turn, command->id, command->caller, &record, outcome);
        if (fault || *outcome)
                return fault;
        *outcome = SCHEDULE_ACCEPTED;
        record.schedule.admission_paused = command->admission_paused;
        record.schedule.sale_paused = command->sale_paused;
        return schedule_store_change(service, turn, &record, command->caller.account);
}
EACH(schedule_control, schedule_control_command)
const struct lane_kind schedule_control_kind = {.name = "schedule.control", .rank = 180, .run = schedule_control};

static int schedule_load_one(struct event_service *service, struct turn *turn, struct schedule_load_command *command) {
        command->lane.outcome = event_schedule(service, turn->db, command->id) ? SCHEDULE_LOADED : SCHEDULE_NOT_THERE;
        return 0;
}
EACH(schedule_load, schedule_load_command)
const struct lane_kind schedule_load_kind = {.name = "schedule.load", .rank = 190, .read_only = true, .run = schedule_load};
