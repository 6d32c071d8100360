/* ops_routes.c: what the people who run it ask: is it alive, may traffic come, how is it doing, what can it do.
 *
 * The OpenAPI document is part of the program (embed.sh). */
#include "base/metrics.h"
#include "edge/edge.h"
#include "lane/lane.h"
#include "node/node.h"
#include "service/gateway/gateway.h"

enum { METRICS_BYTES_MAX = 1024 * 1024 };

extern const char openapi_document[], openapi_document_end[];

static struct metric storage_refuses = {.name = "ticketrush_storage_refuses",
                                        .kind = METRIC_GAUGE,
                                        .help = "1 while the last write failed for lack of storage."};
static struct metric journal_lag = {.name = "ticketrush_journal_lag",
                                    .kind = METRIC_GAUGE,
                                    .help = "Journal rows that some consumer has still to take."};
static struct metric dead_letters = {.name = "ticketrush_dead_letters",
                                     .kind = METRIC_GAUGE,
                                     .help = "Events that failed for good since the start."};

static void health_ask(void *service, struct request *request) {
        (void)service;
        struct json_writer json = edge_json(request);
        json_object(&json, 0);
        json_string(&json, "status", "ok");
        json_object_end(&json);
        edge_answer_json(request, 200);
}

static void ready_ask(void *service, struct request *request) {
        struct lane_figures figures;
        lane_figures(service, &figures);
        if (figures.storage_refuses) {
                edge_answer_problem(request, 503, "STORAGE_UNAVAILABLE",
                                    "The store takes no writes (disk full or read-only). Reads go on.", 5);
                return;
        }
        health_ask(service, request);
}

static void metrics_ask(void *service, struct request *request) {
        struct lane_figures figures;
        lane_figures(service, &figures);
        metric_set(&storage_refuses, figures.storage_refuses);
        metric_set(&journal_lag, (int64_t)figures.journal_lag);
        metric_set(&dead_letters, (int64_t)figures.dead_letters);
        struct buffer out;
        buffer_init(&out, METRICS_BYTES_MAX);
        metrics_write(&out);
        edge_answer(request, 200, "text/plain; version=0.0.4; charset=utf-8", buffer_text(&out), 0, 0);
        buffer_deinit(&out);
}

static void openapi_ask(void *service, struct request *request) {
        (void)service;
        struct text document = {openapi_document, (size_t)(openapi_document_end - openapi_document)};
        edge_answer(request, 200, "application/yaml", document, 0, 0);
}

static const struct route routes[] = {
        {.operation = "healthz", .method = HTTP_GET, .path = "/healthz", .access = ACCESS_PUBLIC, .ask = health_ask},
        {.operation = "readyz", .method = HTTP_GET, .path = "/readyz", .access = ACCESS_PUBLIC, .ask = ready_ask},
        {.operation = "metrics", .method = HTTP_GET, .path = "/metrics", .access = ACCESS_PUBLIC, .ask = metrics_ask},
        {.operation = "openapi",
         .method = HTTP_GET,
         .path = "/api/v1/openapi.yaml",
         .access = ACCESS_PUBLIC,
         .ask = openapi_ask},
};

void node_add_ops_routes(struct edge *edge, struct lane *lane) {
        metrics_register(&storage_refuses);
        metrics_register(&journal_lag);
        metrics_register(&dead_letters);
        for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
                edge_add_route(edge, &routes[i], lane);
}
