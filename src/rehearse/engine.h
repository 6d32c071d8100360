/* engine.h: many HTTP requests over a fixed number of keep-alive connections, in one thread, without product words.
 *
 * The caller takes a free connection, sends a whole request on it, and hears the answer in its callback, where it may
 * send the next request on the same connection; otherwise the connection is free again. An answer costs one recv and a
 * request one send; nothing is allocated but for answers that come in pieces. A lost connection is an answer with
 * status 0; it is opened again at its next use, and if that fails the engine is down. */
#ifndef TICKETRUSH_REHEARSE_ENGINE_H
#define TICKETRUSH_REHEARSE_ENGINE_H

#include "rehearse/http_client.h"

struct engine;
struct engine_connection;

typedef void (*engine_on_answer)(void *context, struct engine_connection *connection, uint32_t who, unsigned tag,
                                 const struct http_answer *answer);

/* Opens all connections. Negative fault. */
int engine_new(struct engine **ret_engine, const struct http_place *place, unsigned connections,
               engine_on_answer on_answer, void *context);
struct engine *engine_free(struct engine *engine);
/* A free connection that stands, or NULL: none is free, or the server has gone (engine_is_down). */
struct engine_connection *engine_take(struct engine *engine);
/* Sends the request; `who` and `tag` come back with its answer. The bytes may change as soon as this returns. */
void engine_send(struct engine *engine, struct engine_connection *connection, struct text request, uint32_t who,
                 unsigned tag);
/* Gives back a connection that was taken and not used. */
void engine_give_back(struct engine *engine, struct engine_connection *connection);
/* Waits for answers, at most so long, and calls back for each. */
void engine_wait(struct engine *engine, int milliseconds);
unsigned engine_busy(const struct engine *engine); /* requests under way */
bool engine_is_down(const struct engine *engine);
uint64_t engine_answers(const struct engine *engine);

#endif
