/* edge.c: the server: one listener and one thread per loop, routes shared by all of them.
 *
 * The listeners share the port (SO_REUSEPORT), and the kernel spreads the clients. As that would also let a second
 * server share it, the port is first tried without. */
#include "edge/edge_private.h"

#include "base/assert.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BACKLOG = 4096, LINGER_SECONDS = 2, SERVER_NAME_MAX = 64, KERNEL_UNSENT_MAX = 262144 };

int64_t edge_now_us(const struct edge *edge) {
        const struct edge_config *config = &edge->config;
        return config->monotonic_us ? config->monotonic_us() : config->now_ms(config->now_context) * 1000;
}

static int listener_open(const struct addrinfo *address, bool shared, int *ret_fd) {
        int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        int on = 1, off = 0, unsent_max = KERNEL_UNSENT_MAX;
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        /* Clients' sockets inherit these. The second keeps what a slow reader has not taken here, not in the kernel, so
         * that it shows when one takes nothing at all. */
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_max, sizeof unsent_max);
        if (address->ai_family == AF_INET6)
                (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
        if ((shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0) ||
            bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
                int fault = -errno;
                close(fd);
                return fault;
        }
        *ret_fd = fd;
        return 0;
}

static uint16_t port_of(const struct sockaddr *address) {
        return ntohs(address->sa_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port
                                                     : ((const struct sockaddr_in *)address)->sin_port);
}

/* Finds out whether the port is free, or a free one, and writes it into the address. */
static int port_try(struct addrinfo *address, uint16_t *ret_port) {
        int fd = -1;
        int result = listener_open(address, false, &fd);
        if (result < 0)
                return result;
        socklen_t length = address->ai_addrlen;
        result = getsockname(fd, address->ai_addr, &length) < 0 ? -errno : 0;
        close(fd);
        if (result == 0)
                *ret_port = port_of(address->ai_addr);
        return result;
}

static int loops_open(struct edge *edge, struct addrinfo *address) {
        int result = port_try(address, &edge->port);
        for (unsigned i = 0; i < edge->config.loops && result == 0; i++) {
                int fd = -1;
                result = listener_open(address, true, &fd);
                if (result < 0)
                        return result;
                result = loop_new(&edge->loops[i], edge, i, fd);
                if (result < 0)
                        close(fd);
                metrics_of_loop_register(i);
        }
        return result;
}

static int edge_listen(struct edge *edge) {
        char port[TEXT_NUMBER_MAX];
        (void)snprintf(port, sizeof port, "%u", (unsigned)edge->config.port);
        struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
        struct addrinfo *address;
        int error = getaddrinfo(edge->config.host, port, &hints, &address);
        if (error != 0)
                return error == EAI_MEMORY ? -ENOMEM : error == EAI_SYSTEM ? -errno : -EADDRNOTAVAIL;
        int result = loops_open(edge, address);
        freeaddrinfo(address);
        return result;
}

int edge_new(struct edge **ret_edge, const struct edge_config *config) {
        PRE(config->host && config->loops >= 1 && config->loops <= EDGE_LOOPS_MAX && config->now_ms && config->trace_fill);
        PRE(!config->server_name || strlen(config->server_name) <= SERVER_NAME_MAX);
        struct edge *edge = calloc(1, sizeof *edge);
        if (!edge)
                return -ENOMEM;
        edge->config = *config;
        if (edge->config.connections_max == 0)
                edge->config.connections_max = EDGE_CONNECTIONS_MAX;
        static const int64_t seconds[DEADLINES] = {
                [DEADLINE_IDLE] = EDGE_IDLE_SECONDS,   [DEADLINE_HEAD] = EDGE_HEAD_SECONDS, [DEADLINE_BODY] = EDGE_BODY_SECONDS,
                [DEADLINE_WRITE] = EDGE_WRITE_SECONDS, [DEADLINE_LINGER] = LINGER_SECONDS,
        };
        for (unsigned i = 0; i < DEADLINES; i++)
                edge->deadlines_us[i] = seconds[i] * 1000000;
        int result = router_init(&edge->router);
        if (result == 0)
                result = edge_listen(edge);
        if (result < 0) {
                edge_free(edge);
                return result;
        }
        *ret_edge = edge;
        return 0;
}

struct edge *edge_free(struct edge *edge) {
        if (!edge)
                return NULL;
        PRE(!edge->started);
        for (unsigned i = 0; i < edge->config.loops; i++)
                edge->loops[i] = loop_free(edge->loops[i]);
        router_deinit(&edge->router);
        free(edge);
        return NULL;
}

void edge_add_route(struct edge *edge, const struct route *route, void *service) {
        PRE(!edge->started);
        router_add(&edge->router, route, service);
}

void edge_set_gate(struct edge *edge, const struct edge_gate *gate) {
        PRE(!edge->started);
        edge->gate = *gate;
}

size_t edge_routes(const struct edge *edge, const struct route **ret_routes, size_t capacity) {
        for (size_t i = 0; i < edge->router.count && i < capacity; i++)
                ret_routes[i] = edge->router.entries[i].route;
        return edge->router.count;
}

uint16_t edge_port(const struct edge *edge) {
        return edge->port;
}

static void loops_stop(struct edge *edge, unsigned count) {
        atomic_store(&edge->stopping, true);
        for (unsigned i = 0; i < count; i++)
                loop_wake(edge->loops[i]);
        for (unsigned i = 0; i < count; i++)
                (void)pthread_join(edge->loops[i]->thread, NULL);
}

int edge_start(struct edge *edge) {
        PRE(!edge->started);
        sigset_t all, before;
        sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
        int result = 0;
        unsigned count = 0;
        while (count < edge->config.loops && result == 0) {
                result = -pthread_create(&edge->loops[count]->thread, NULL, loop_run, edge->loops[count]);
                count += result == 0;
        }
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (result < 0)
                loops_stop(edge, count);
        edge->started = result == 0;
        return result;
}

void edge_stop(struct edge *edge, unsigned drain_seconds) {
        if (!edge->started)
                return;
        edge->drain_us = (int64_t)drain_seconds * 1000000;
        loops_stop(edge, edge->config.loops);
        edge->started = false;
}

void edge_figures(const struct edge *edge, struct edge_figures *ret_figures) {
        *ret_figures = (struct edge_figures){0};
        for (unsigned i = 0; i < edge->config.loops; i++) {
                const struct edge_loop *loop = edge->loops[i];
                ret_figures->accepted += atomic_load_explicit(&loop->accepted, memory_order_relaxed);
                ret_figures->open += atomic_load_explicit(&loop->open, memory_order_relaxed);
                ret_figures->requests += atomic_load_explicit(&loop->asked, memory_order_relaxed);
                ret_figures->refused_connections += atomic_load_explicit(&loop->refused_connections, memory_order_relaxed);
                ret_figures->bad_requests += atomic_load_explicit(&loop->bad_requests, memory_order_relaxed);
        }
}
