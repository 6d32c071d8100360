/* kit_http.h: routes over real connections: an edge on a free port of this machine that tells the kit's time, and a
 * client with one connection a request.
 *
 *   struct edge *edge = kit_edge_open(admit);
 *   thing_add_routes(thing, edge);
 *   lane_start(lane), edge_start(edge);
 *   assert_int_equal(kit_ask(edge, "GET", "/things", "Accept: text/plain\r\n", NULL), 200);
 *   assert_true(kit_says("\"name\":\"…\""));
 *
 * Whatever does not work fails the test. */
#ifndef TICKETRUSH_TEST_KIT_HTTP_H
#define TICKETRUSH_TEST_KIT_HTTP_H

#include "edge/edge.h"

enum { KIT_ANSWER_MAX = 1 << 20 };

/* Two loops; the caller adds routes and starts it. */
struct edge *kit_edge_open(int (*admit)(void *context, struct request *request));

/* Sends a request and returns the connection. The path is below /api/v1, unless it is /.well-known/…. `headers`: whole lines, or "".
 * `body` NULL: none; otherwise it is JSON. */
int kit_request(struct edge *edge, const char *method, const char *path, const char *headers, const char *body);
/* Hears the answer to the end and closes the connection. The status. */
int kit_answer(int connection);
/* Both. */
int kit_ask(struct edge *edge, const char *method, const char *path, const char *headers, const char *body);

/* The last answer: status line, headers and body, as they came, terminated. */
extern char kit_heard[KIT_ANSWER_MAX];
/* Its body, in kit_heard. */
extern const char *kit_heard_body;
/* Is this in the last answer? */
bool kit_says(const char *piece);
/* The same, and the test fails with the whole answer if not. */
void kit_assert_says(const char *piece);
/* What stands in the last answer behind `before`, up to `end`: of a header or a JSON member. Good for sixteen more calls. */
const char *kit_value(const char *before, char end);

#endif
