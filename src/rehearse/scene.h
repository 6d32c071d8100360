/* scene.h: what a rehearsal happens on: a venue, its plan, an event and one schedule, made through the API. */
#ifndef TICKETRUSH_REHEARSE_SCENE_H
#define TICKETRUSH_REHEARSE_SCENE_H

#include "base/id.h"
#include "rehearse/http_client.h"
#include "rehearse/options.h"
#include "service/limits.h"
#include "service/user/user.h"

struct scene {
        struct http_place place;
        char organiser[TOKEN_BYTES_MAX + 1]; /* token that may make and see all this */
        char plan[ID_TEXT_MAX], event[ID_TEXT_MAX], schedule[ID_TEXT_MAX];
        struct buffer grades; /* a price for each category of the plan, as JSON */
        uint32_t seats;
        int64_t opens_at, version; /* of the seats, when they were all free */
};

/* Makes venue, plan and event, and waits for nothing. Negative fault, with a sentence in problem. */
int scene_prepare(struct scene *scene, const struct rehearse_options *options, struct buffer *problem);
void scene_deinit(struct scene *scene);
/* Makes the schedule, which opens then, and waits until its seats are there. */
int scene_open(struct scene *scene, const struct rehearse_options *options, int64_t now, int64_t opens_at,
               struct buffer *problem);
/* A plan of so many seats in rows of fifty and zones of a thousand, in three categories. */
void scene_write_plan(struct buffer *out, uint32_t seats);
/* {"category":…,"amount":…} for each category of a plan, with commas between them. */
void scene_write_grades(struct buffer *out, struct text plan);
/* GET with the organiser's token; 0, or a negative fault (also when the status is not 200). */
int scene_get(const struct scene *scene, const char *path, struct buffer *raw, struct http_answer *ret_answer);

#endif
