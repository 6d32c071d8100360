/* api_call.h: a call of our own API that makes something, as setting a scene takes it: JSON in, the new thing's id out.
 */
#ifndef TICKETRUSH_REHEARSE_API_CALL_H
#define TICKETRUSH_REHEARSE_API_CALL_H

#include "base/id.h"
#include "rehearse/http_client.h"

struct api_caller {
        struct http_place place;
        struct text token;
        struct buffer *problem; /* gets a sentence when a call fails */
};

/* POST path; this status is expected, and a member with this name. 0 or a negative fault. */
int api_make(const struct api_caller *caller, const char *path, struct text body, int status, const char *id_name,
             char ret_id[static ID_TEXT_MAX]);
/* Any method; the status is expected. */
int api_do(const struct api_caller *caller, const char *method, const char *path, struct text body, int status);

#endif
