#include "base/log.h"
#include "base/metrics.h"
#include "base/unit_test.h"

#include <pthread.h>

static struct metric taken = {
        .name = "t_holds_total", .help = "Holds.", .labels = "outcome=\"taken\"", .kind = METRIC_COUNTER};
static struct metric depth = {.name = "t_queue_depth", .help = "Commands waiting.", .kind = METRIC_GAUGE};
static struct metric refused = {
        .name = "t_holds_total", .help = "Holds.", .labels = "outcome=\"refused\"", .kind = METRIC_COUNTER};
static struct metric lasted = {.name = "t_hold_seconds", .help = "How long a hold takes.", .kind = METRIC_HISTOGRAM};
static struct metric routed = {
        .name = "t_route_seconds", .help = "By route.", .labels = "route=\"/holds\"", .kind = METRIC_HISTOGRAM};
static struct metric wrong = {.name = "t_queue_depth", .help = "Not a gauge.", .kind = METRIC_COUNTER};

static const char empty_text[] = "# HELP t_holds_total Holds.\n"
                                 "# TYPE t_holds_total counter\n"
                                 "t_holds_total{outcome=\"taken\"} 3\n"
                                 "t_holds_total{outcome=\"refused\"} 40\n"
                                 "# HELP t_queue_depth Commands waiting.\n"
                                 "# TYPE t_queue_depth gauge\n"
                                 "t_queue_depth -2\n"
                                 "# HELP t_hold_seconds How long a hold takes.\n"
                                 "# TYPE t_hold_seconds histogram\n"
                                 "t_hold_seconds_bucket{le=\"0.00005\"} 2\n"
                                 "t_hold_seconds_bucket{le=\"0.0001\"} 3\n"
                                 "t_hold_seconds_bucket{le=\"0.00025\"} 3\n"
                                 "t_hold_seconds_bucket{le=\"0.0005\"} 3\n"
                                 "t_hold_seconds_bucket{le=\"0.001\"} 3\n"
                                 "t_hold_seconds_bucket{le=\"0.0025\"} 3\n"
                                 "t_hold_seconds_bucket{le=\"0.005\"} 3\n"
                                 "t_hold_seconds_bucket{le=\"0.01\"} 3\n"
                                 "t_hold_seconds_bucket{le=\"0.025\"} 4\n"
                                 "t_hold_seconds_bucket{le=\"0.05\"} 4\n"
                                 "t_hold_seconds_bucket{le=\"0.1\"} 4\n"
                                 "t_hold_seconds_bucket{le=\"0.25\"} 4\n"
                                 "t_hold_seconds_bucket{le=\"0.5\"} 4\n"
                                 "t_hold_seconds_bucket{le=\"1\"} 4\n"
                                 "t_hold_seconds_bucket{le=\"2.5\"} 5\n"
                                 "t_hold_seconds_bucket{le=\"+Inf\"} 6\n"
                                 "t_hold_seconds_sum 5.010152\n"
                                 "t_hold_seconds_count 6\n";

static void text_format(void **state) {
        (void)state;
        metrics_register(&taken);
        metrics_register(&depth);
        metrics_register(&refused); /* goes next to the other metric of its name */
        metrics_register(&lasted);
        metrics_register(&lasted); /* a second time: nothing happens */
        metric_add(&taken, 1);
        metric_add(&taken, 2);
        metric_add(&refused, 40);
        metric_set(&depth, 9);
        metric_add(&depth, -11);
        static const int64_t observed[] = {0, 50, 51, 10051, 2500000, 2500001};
        for (size_t i = 0; i < sizeof observed / sizeof *observed; i++)
                metric_observe(&lasted, observed[i]);
        atomic_fetch_sub(&lasted.value, 1); /* a sum that is easy to read */

        struct buffer out;
        buffer_init(&out, 1 << 16);
        metrics_write(&out);
        buffer_add(&out, "", 1);
        assert_false(out.overflowed);
        assert_string_equal(out.at, empty_text);
        buffer_deinit(&out);
}

static void labels_of_a_histogram(void **state) {
        (void)state;
        metrics_register(&routed);
        metric_observe(&routed, 1000000);
        struct buffer out;
        buffer_init(&out, 1 << 16);
        metrics_write(&out);
        buffer_add(&out, "", 1);
        assert_non_null(strstr(out.at, "\nt_route_seconds_bucket{route=\"/holds\",le=\"0.5\"} 0\n"));
        assert_non_null(strstr(out.at, "\nt_route_seconds_bucket{route=\"/holds\",le=\"1\"} 1\n"));
        assert_non_null(strstr(out.at, "\nt_route_seconds_sum{route=\"/holds\"} 1.000000\n"));
        assert_non_null(strstr(out.at, "\nt_route_seconds_count{route=\"/holds\"} 1\n"));
        buffer_deinit(&out);
}

static void each_bound_belongs_to_its_bucket(void **state) {
        (void)state;
        static const int64_t bounds[] = {50,    100,   250,    500,    1000,   2500,    5000,   10000,
                                         25000, 50000, 100000, 250000, 500000, 1000000, 2500000};
        for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
                struct metric metric = {.kind = METRIC_HISTOGRAM};
                metric_observe(&metric, bounds[i]);
                metric_observe(&metric, bounds[i] + 1);
                assert_int_equal(metric.buckets[i], 1);
                assert_int_equal(metric.buckets[i + 1], 1);
        }
}

static void misuse_is_asserted(void **state) {
        (void)state;
        assert_true(ABORTS(metrics_register(&wrong)));
        assert_true(ABORTS(metric_observe(&depth, 1)));
}

static void alarms_are_among_the_metrics(void **state) {
        (void)state;
        log_register();
        struct buffer out;
        buffer_init(&out, 1 << 16);
        metrics_write(&out);
        buffer_add(&out, "", 1);
        assert_non_null(strstr(out.at, "# TYPE ticketrush_alarms_total counter\nticketrush_alarms_total 0\n"));
        buffer_deinit(&out);
}

static void *observe_often(void *metric) {
        for (int64_t i = 0; i < 10000; i++) {
                metric_observe(metric, i);
                metric_add(&taken, 1);
        }
        return NULL;
}

static void threads_lose_nothing(void **state) {
        (void)state;
        static struct metric shared = {.name = "t_shared_seconds", .help = "Shared.", .kind = METRIC_HISTOGRAM};
        int64_t taken_before = taken.value;
        pthread_t threads[4];
        for (size_t i = 0; i < 4; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, observe_often, &shared), 0);
        for (size_t i = 0; i < 4; i++)
                pthread_join(threads[i], NULL);
        int64_t count = 0;
        for (size_t i = 0; i < METRIC_BUCKETS; i++)
                count += shared.buckets[i];
        assert_int_equal(count, 40000);
        assert_int_equal(shared.value, 4 * (int64_t)9999 * 10000 / 2);
        assert_int_equal(taken.value, taken_before + 40000);
}

static void a_small_buffer_overflows(void **state) {
        (void)state;
        struct buffer out;
        buffer_init(&out, 100);
        metrics_write(&out);
        assert_true(out.overflowed);
        buffer_deinit(&out);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(text_format),
                cmocka_unit_test(labels_of_a_histogram),
                cmocka_unit_test(each_bound_belongs_to_its_bucket),
                cmocka_unit_test(misuse_is_asserted),
                cmocka_unit_test(alarms_are_among_the_metrics),
                cmocka_unit_test(threads_lose_nothing),
                cmocka_unit_test(a_small_buffer_overflows),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
