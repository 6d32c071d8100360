/* wire_single.c: the single shape: one process, one lane, one SQLite file, everything else in memory.
 *
 * The only place that knows every concrete part. Parts are made from the bottom up (lane, services in the order of who
 * asks whom, edge) and taken down from the top: first no new requests, then no new commands, then the workers, then the
 * services, and the database last. */
#include "node/node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapter/pay_fake/pay_fake.h"
#include "adapter/sqlite/db_sqlite.h"
#include "adapter/system/clock_system.h"
#include "base/log.h"
#include "edge/edge.h"
#include "lane/lane.h"
#include "lane/workers.h"
#include "port/crypto.h"
#include "port/random.h"
#include "service/event/event.h"
#include "service/gateway/gateway.h"
#include "service/inventory/inventory.h"
#include "service/order/order.h"
#include "service/payment/payment.h"
#include "service/queue/queue.h"
#include "service/ticket/ticket.h"
#include "service/user/user.h"

enum { PATH_BYTES = CONFIG_VALUE_MAX + 64, PLAN_WORKERS = 1, PLAN_QUEUE_MAX = 16 };

struct node {
        struct config config;
        int lock;      /* the data folder's */
        struct db *db; /* the lane's */
        struct lane *lane;
        struct workers *plan_workers;
        struct pay_provider *provider;
        struct token_key access_key, ticket_key;
        uint8_t pass_key[CRYPTO_MAC_KEY_BYTES];
        struct event_service *events;
        struct queue *queue;
        struct inventory *inventory;
        struct order_service *orders;
        struct payment *payment;
        struct ticket_service *tickets;
        struct user *user;
        struct gateway *gateway;
        struct edge *edge;
};

static void path_in(const struct node *node, const char *name, char out[static PATH_BYTES]) {
        snprintf(out, PATH_BYTES, "%s/%s", node->config.data, name);
}

static int refuse(struct buffer *problem, int fault, const char *what, const char *path) {
        buffer_printf(problem, "%s %s: %s", what, path, strerror(-fault));
        return fault;
}

static int make_folder(const char *path, struct buffer *problem) {
        if (mkdir(path, 0700) == 0 || errno == EEXIST)
                return 0;
        return refuse(problem, -errno, "cannot make the folder", path);
}

static int open_folder(struct node *node, struct buffer *problem) {
        char path[PATH_BYTES];
        int fault = make_folder(node->config.data, problem);
        if (fault)
                return fault;
        path_in(node, "keys", path);
        fault = make_folder(path, problem);
        if (fault)
                return fault;
        path_in(node, "lock", path);
        node->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (node->lock < 0)
                return refuse(problem, -errno, "cannot write in the data folder; tried", path);
        if (flock(node->lock, LOCK_EX | LOCK_NB) != 0) {
                buffer_printf(problem,
                              "another server is using the data folder %s; stop it, or give this one another "
                              "folder with --data",
                              node->config.data);
                return -EBUSY;
        }
        return 0;
}

static int load_key(struct node *node, const char *name, struct token_key *ret_key, struct buffer *problem) {
        char path[PATH_BYTES];
        path_in(node, name, path);
        int fault = token_key_load(ret_key, path, crypto_random());
        return fault ? refuse(problem, fault, "cannot read or make the key", path) : 0;
}

static int load_keys(struct node *node, struct buffer *problem) {
        struct token_key pass_key;
        int fault = load_key(node, "keys/access.key", &node->access_key, problem);
        if (!fault)
                fault = load_key(node, "keys/ticket.key", &node->ticket_key, problem);
        if (!fault)
                fault = load_key(node, "keys/pass.key", &pass_key, problem);
        if (!fault)
                crypto_sha256(node->pass_key, pass_key.secret, sizeof pass_key.secret);
        return fault;
}

static int migrate(struct node *node, struct db *db, struct buffer *problem) {
        const struct {
                const struct db_migration *list;
                size_t count;
        } all[] = {
                {user_migrations, user_migration_count},     {event_migrations, event_migration_count},
                {queue_migrations, queue_migration_count},   {inventory_migrations, inventory_migration_count},
                {order_migrations, order_migration_count},   {payment_migrations, payment_migration_count},
                {ticket_migrations, ticket_migration_count},
        };
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
                const char *newer = "";
                int fault = db_migrate(db, all[i].list, all[i].count, &newer);
                if (fault == FAULT_FORMAT && *newer)
                        buffer_printf(problem,
                                      "the database in %s was written by a newer ticketrush (its %s tables): "
                                      "start that version, or restore a backup",
                                      node->config.data, newer);
                else if (fault)
                        buffer_printf(problem, "cannot bring the database in %s up to date: %s", node->config.data,
                                      fault_text(fault));
                if (fault)
                        return fault;
        }
        return 0;
}

static int open_lane(struct node *node, struct buffer *problem) {
        char path[PATH_BYTES];
        path_in(node, "ticketrush.db", path);
        const struct db_sqlite_options options = {0};
        int fault = db_sqlite_open(&node->db, path, &options);
        if (fault == -EBUSY)
                buffer_printf(problem, "another program has the database %s open; stop it first", path);
        else if (fault)
                buffer_printf(problem, "cannot open the database %s: %s", path, fault_text(fault));
        if (!fault)
                fault = migrate(node, node->db, problem);
        if (fault) {
                node->db = db_close(node->db);
                return fault;
        }
        const struct lane_config lane = {.db = node->db, .clock = clock_system(), .node = 0};
        fault = lane_new(&node->lane, &lane);
        if (fault) {
                node->db = db_close(node->db);
                buffer_printf(problem, "cannot read the journal in %s: %s", path, fault_text(fault));
                return fault;
        }
        return 0;
}

static int open_provider(struct node *node, struct buffer *problem) {
        char path[PATH_BYTES];
        path_in(node, "provider.book", path);
        struct pay_fake_config config = {
                .book_path = path, .clock = clock_system(), .token_rules = node->config.pay_token_trouble};
        char why[128];
        if (*node->config.pay_trouble && !pay_fake_parse(node->config.pay_trouble, &config, why)) {
                buffer_printf(problem, "pay-trouble: %s", why);
                return -EINVAL;
        }
        int fault = pay_fake_new(&node->provider, &config);
        return fault ? refuse(problem, fault, "cannot open the built-in provider's book", path) : 0;
}

static int open_services(struct node *node) {
        struct clock *clock = clock_system();
        int fault = workers_new(&node->plan_workers, "plan", PLAN_WORKERS, PLAN_QUEUE_MAX);
        if (!fault)
                fault = event_service_new(&node->events, &(struct event_config){.lane = node->lane,
                                                                                .clock = clock,
                                                                                .random = crypto_random(),
                                                                                .workers = node->plan_workers});
        if (!fault)
                fault = queue_new(&node->queue, &(struct queue_config){.lane = node->lane,
                                                                       .clock = clock,
                                                                       .events = node->events,
                                                                       .pass_key = node->pass_key});
        if (!fault)
                fault = inventory_new(&node->inventory, &(struct inventory_config){.lane = node->lane,
                                                                                   .clock = clock,
                                                                                   .events = node->events,
                                                                                   .queue = node->queue});
        if (!fault)
                fault = order_service_new(&node->orders, &(struct order_config){.lane = node->lane,
                                                                                .clock = clock,
                                                                                .events = node->events,
                                                                                .inventory = node->inventory,
                                                                                .queue = node->queue});
        if (!fault)
                fault = payment_new(&node->payment,
                                    &(struct payment_config){.lane = node->lane,
                                                             .clock = clock,
                                                             .orders = node->orders,
                                                             .provider = node->provider,
                                                             .workers = (unsigned)node->config.pay_workers});
        if (!fault)
                fault = ticket_service_new(&node->tickets, &(struct ticket_config){.lane = node->lane,
                                                                                   .clock = clock,
                                                                                   .events = node->events,
                                                                                   .orders = node->orders,
                                                                                   .key = &node->ticket_key});
        if (!fault)
                fault = user_new(&node->user, &(struct user_config){.lane = node->lane,
                                                                    .clock = clock,
                                                                    .key = &node->access_key,
                                                                    .ticket_key = &node->ticket_key,
                                                                    .open_organiser_sign_up = !strcmp(
                                                                            node->config.organiser_sign_up, "open")});
        if (!fault) {
                queue_set_inventory(node->queue, node->inventory);
                order_set_payment(node->orders, node->payment);
        }
        return fault;
}

static int64_t edge_now(void *context) {
        struct clock *clock = context;
        return clock->now_ms(clock);
}

static void edge_fill(void *context, void *bytes, size_t n) {
        struct random_source *source = context;
        source->fill(source, bytes, n);
}

static int open_edge(struct node *node, struct buffer *problem) {
        const struct config *config = &node->config;
        const struct edge_config edge = {.host = config->host,
                                         .port = config->port,
                                         .loops = (unsigned)config->edges,
                                         .connections_max = (unsigned)config->connections,
                                         .now_ms = edge_now,
                                         .now_context = clock_system(),
                                         .monotonic_us = clock_monotonic_us,
                                         .trace_fill = edge_fill,
                                         .trace_context = crypto_random()};
        int fault = edge_new(&node->edge, &edge);
        if (fault)
                return refuse(problem, fault, "cannot listen on", config->listen);
        const struct gateway_config gateway = {.key = &node->access_key,
                                               .clock = clock_system(),
                                               .loops = edge.loops,
                                               .limits = {[LIMIT_SIGN_IN] = {(uint32_t)config->sign_in_per_minute,
                                                                             (uint32_t)config->sign_in_per_minute},
                                                          [LIMIT_COMMAND] = {(uint32_t)config->commands_per_minute,
                                                                             (uint32_t)config->commands_per_minute}}};
        fault = gateway_new(&node->gateway, &gateway);
        if (fault)
                return refuse(problem, fault, "cannot make the gateway for", config->listen);
        struct edge_gate gate = gateway_gate(node->gateway);
        edge_set_gate(node->edge, &gate);
        user_add_routes(node->user, node->edge);
        event_add_routes(node->events, node->edge);
        queue_add_routes(node->queue, node->edge);
        inventory_add_routes(node->inventory, node->edge);
        order_add_routes(node->orders, node->edge);
        payment_add_routes(node->payment, node->edge);
        ticket_add_routes(node->tickets, node->edge);
        node_add_ops_routes(node->edge, node->lane);
        return 0;
}

int node_start(struct node **ret_node, const struct config *config, struct buffer *problem) {
        struct node *node = calloc(1, sizeof *node);
        if (!node)
                return -ENOMEM;
        node->config = *config;
        node->lock = -1;
        int fault = crypto_start();
        if (!fault)
                fault = open_folder(node, problem);
        if (!fault)
                fault = load_keys(node, problem);
        if (!fault)
                fault = open_lane(node, problem);
        if (!fault)
                fault = open_provider(node, problem);
        if (!fault)
                fault = open_services(node);
        if (!fault)
                fault = open_edge(node, problem);
        if (!fault)
                fault = lane_start(node->lane);
        if (!fault)
                fault = edge_start(node->edge);
        if (fault) {
                if (!problem->length)
                        buffer_printf(problem, "cannot start: %s", fault_text(fault));
                node_stop(node);
                return fault;
        }
        *ret_node = node;
        return 0;
}

struct node *node_stop(struct node *node) {
        if (!node)
                return 0;
        if (node->edge)
                edge_stop(node->edge, (unsigned)node->config.drain_seconds);
        node->plan_workers = workers_free(node->plan_workers);
        if (node->lane)
                lane_stop(node->lane);
        node->payment = payment_free(node->payment);
        node->user = user_free(node->user);
        node->tickets = ticket_service_free(node->tickets);
        node->orders = order_service_free(node->orders);
        node->inventory = inventory_free(node->inventory);
        node->queue = queue_free(node->queue);
        node->events = event_service_free(node->events);
        node->gateway = gateway_free(node->gateway);
        node->edge = edge_free(node->edge);
        node->lane = lane_free(node->lane);
        if (node->provider)
                node->provider->close(node->provider);
        if (node->lock >= 0)
                close(node->lock);
        free(node);
        return 0;
}

uint16_t node_port(const struct node *node) {
        return edge_port(node->edge);
}
struct edge *node_edge(struct node *node) {
        return node->edge;
}
const char *node_data(const struct node *node) {
        return node->config.data;
}
