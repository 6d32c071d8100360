/* inventory_chart.c: see the header for the picture. */
#include "service/inventory/inventory_chart.h"

#include "base/id.h"
#include "base/json_writer.h"
#include "port/gzip.h"
#include "service/event/event.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHART_BYTES_MAX = 64 * 1024 * 1024, GEOMETRY_LEVEL = 6, HEAD_LEVEL = 1 };

struct chart_geometry {
        struct buffer plain;
        struct gzip_part part;
};

struct chart {
        pthread_mutex_t lock;
        struct chart_page *page; /* the newest; one reader is the chart itself */
        unsigned edition;        /* how often the schedule (its prices) has changed */
};

void charts_init(struct charts *charts) {
        pthread_mutex_init(&charts->lock, NULL);
        map_init(&charts->geometries);
        map_init(&charts->charts);
}

static void geometry_free(struct chart_geometry *geometry) {
        gzip_part_deinit(&geometry->part);
        buffer_deinit(&geometry->plain);
        free(geometry);
}

void chart_page_put_back(struct chart_page *page) {
        if (!page || atomic_fetch_sub(&page->readers, 1) > 1)
                return;
        buffer_deinit(&page->head);
        buffer_deinit(&page->gzip);
        free(page);
}

void charts_deinit(struct charts *charts) {
        struct map_entry entry;
        for (size_t i = 0; (i = map_next(&charts->geometries, i, &entry)) != 0;)
                geometry_free((struct chart_geometry *)(uintptr_t)entry.value);
        for (size_t i = 0; (i = map_next(&charts->charts, i, &entry)) != 0;) {
                struct chart *chart = (struct chart *)(uintptr_t)entry.value;
                chart_page_put_back(chart->page);
                pthread_mutex_destroy(&chart->lock);
                free(chart);
        }
        map_deinit(&charts->geometries);
        map_deinit(&charts->charts);
        pthread_mutex_destroy(&charts->lock);
}

/* --- geometry: "plan":{"name","width","height","categories","zones","rows"} } --- */

static double coordinate(float pixels) {
        return (double)lround((double)pixels * 100) / 100;
}

static void write_row(struct json_writer *json, const struct plan *plan, const struct plan_row *row) {
        uint32_t end = row->first_seat + row->seat_count;
        json_object(json, NULL);
        json_string(json, "label", row->label);
        json_number(json, "zone", row->zone);
        json_number(json, "first", row->first_seat);
        json_array(json, "numbers");
        for (uint32_t i = row->first_seat; i < end; i++)
                json_string(json, NULL, plan->seats[i].number);
        json_array_end(json);
        json_array(json, "x");
        for (uint32_t i = row->first_seat; i < end; i++)
                json_real(json, NULL, coordinate(plan->seats[i].x));
        json_array_end(json);
        json_array(json, "y");
        for (uint32_t i = row->first_seat; i < end; i++)
                json_real(json, NULL, coordinate(plan->seats[i].y));
        json_array_end(json);
        json_array(json, "categories");
        for (uint32_t i = row->first_seat; i < end; i++)
                json_number(json, NULL, plan->seats[i].category);
        json_array_end(json);
        json_object_end(json);
}

static void write_plan(struct buffer *out, const struct plan *plan) {
        struct json_writer json;
        buffer_add_string(out, ",\"plan\":");
        json_begin(&json, out);
        json_object(&json, NULL);
        json_string(&json, "name", plan->name);
        json_number(&json, "width", plan->width);
        json_number(&json, "height", plan->height);
        json_array(&json, "categories");
        for (uint32_t i = 0; i < plan->category_count; i++) {
                json_object(&json, NULL);
                json_string(&json, "name", plan->categories[i].name);
                json_string(&json, "color", plan->categories[i].color);
                json_object_end(&json);
        }
        json_array_end(&json);
        json_array(&json, "zones");
        for (uint32_t i = 0; i < plan->zone_count; i++)
                json_string(&json, NULL, plan->zones[i].name);
        json_array_end(&json);
        json_array(&json, "rows");
        for (uint32_t i = 0; i < plan->row_count; i++)
                write_row(&json, plan, &plan->rows[i]);
        json_array_end(&json);
        json_object_end(&json);
        buffer_add_string(out, "}");
}

static struct chart_geometry *find_geometry(struct charts *charts, const struct plan *plan) {
        uint64_t *found = map_find(&charts->geometries, (uint64_t)(uintptr_t)plan);
        return found ? (struct chart_geometry *)(uintptr_t)*found : NULL;
}

static int geometry_new(struct chart_geometry **ret_geometry, const struct plan *plan) {
        struct chart_geometry *geometry = calloc(1, sizeof *geometry);
        if (!geometry)
                return -ENOMEM;
        buffer_init(&geometry->plain, CHART_BYTES_MAX);
        write_plan(&geometry->plain, plan);
        int r = geometry->plain.overflowed
                        ? -ENOMEM
                        : gzip_part_init(&geometry->part, buffer_text(&geometry->plain), GEOMETRY_LEVEL);
        if (r < 0) {
                buffer_deinit(&geometry->plain);
                free(geometry);
                return r;
        }
        *ret_geometry = geometry;
        return 0;
}

int charts_draw(struct charts *charts, const struct plan *plan) {
        pthread_mutex_lock(&charts->lock);
        bool drawn = find_geometry(charts, plan) != NULL;
        pthread_mutex_unlock(&charts->lock);
        if (drawn)
                return 0;
        struct chart_geometry *geometry;
        int r = geometry_new(&geometry, plan);
        if (r < 0)
                return r;
        pthread_mutex_lock(&charts->lock);
        drawn = find_geometry(charts, plan) != NULL;
        if (!drawn)
                r = map_put(&charts->geometries, (uint64_t)(uintptr_t)plan, (uint64_t)(uintptr_t)geometry);
        pthread_mutex_unlock(&charts->lock);
        if (drawn || r < 0)
                geometry_free(geometry);
        return r;
}

/* --- head: {"scheduleId","version","counts","currency","grades","states" --- */

static void write_head(struct buffer *out, const struct schedule *schedule, uint64_t version,
                       const struct seat_counts *counts, struct text states) {
        struct json_writer json;
        json_begin(&json, out);
        json_object(&json, NULL);
        json_id(&json, "scheduleId", ID_SCHEDULE, schedule->id);
        json_number(&json, "version", (int64_t)version);
        json_object(&json, "counts");
        json_number(&json, "available", counts->available);
        json_number(&json, "held", counts->held);
        json_number(&json, "sold", counts->sold);
        json_number(&json, "blocked", counts->blocked);
        json_number(&json, "seats", counts->seats);
        json_object_end(&json);
        json_string(&json, "currency", schedule->currency);
        json_array(&json, "grades");
        for (uint32_t i = 0; i < schedule->plan->category_count; i++) {
                json_object(&json, NULL);
                json_number(&json, "category", i);
                json_string(&json, "name", schedule->plan->categories[i].name);
                if (schedule->amounts[i] >= 0)
                        json_number(&json, "amount", schedule->amounts[i]);
                else
                        json_null(&json, "amount");
                json_object_end(&json);
        }
        json_array_end(&json);
        json_text(&json, "states", states);
        /* The geometry follows, and closes the object. */
}

static int page_compress(struct chart_page *page, const struct chart_geometry *geometry) {
        struct gzip_part head;
        int r = gzip_part_init(&head, buffer_text(&page->head), HEAD_LEVEL);
        if (r < 0)
                return r;
        const struct gzip_part *parts[] = {&head, &geometry->part};
        r = gzip_join(&page->gzip, parts, 2);
        gzip_part_deinit(&head);
        return r;
}

static int page_fill(struct chart_page *page, const struct schedule *schedule, struct board *board,
                     const struct chart_geometry *geometry, unsigned edition) {
        char *states = malloc(board->seat_count);
        if (!states)
                return -ENOMEM;
        struct seat_counts counts;
        page->version = board_snapshot(board, states, &counts);
        write_head(&page->head, schedule, page->version, &counts, (struct text){states, board->seat_count});
        free(states);
        int r = page->head.overflowed ? -ENOMEM : page_compress(page, geometry);
        char id[ID_TEXT_MAX];
        id_format(id, ID_SCHEDULE, schedule->id);
        snprintf(page->tag, sizeof page->tag, "\"%s-%" PRIu64 ".%u\"", id, page->version, edition);
        snprintf(page->gzip_tag, sizeof page->gzip_tag, "\"%s-%" PRIu64 ".%u-gz\"", id, page->version, edition);
        return r;
}

static int page_new(struct chart_page **ret_page, const struct schedule *schedule, struct board *board,
                    const struct chart_geometry *geometry, unsigned edition, int64_t now) {
        struct chart_page *page = calloc(1, sizeof *page);
        if (!page)
                return -ENOMEM;
        atomic_init(&page->readers, 1);
        page->schedule = schedule;
        page->drawn_at = now;
        page->geometry = buffer_text(&geometry->plain);
        buffer_init(&page->head, CHART_BYTES_MAX);
        buffer_init(&page->gzip, CHART_BYTES_MAX);
        int r = page_fill(page, schedule, board, geometry, edition);
        if (r < 0) {
                chart_page_put_back(page);
                return r;
        }
        *ret_page = page;
        return 0;
}

static bool page_is_good(const struct chart_page *page, const struct schedule *schedule, struct board *board,
                         int64_t now) {
        if (!page || page->schedule != schedule)
                return false;
        return now - page->drawn_at < board->seat_count / CHART_SEATS_PER_MS || page->version == board_version(board);
}

static int chart_renew(struct chart *chart, const struct schedule *schedule, struct board *board,
                       const struct chart_geometry *geometry, int64_t now) {
        if (page_is_good(chart->page, schedule, board, now))
                return 0;
        if (chart->page && chart->page->schedule != schedule)
                chart->edition++;
        struct chart_page *page;
        int r = page_new(&page, schedule, board, geometry, chart->edition, now);
        if (r < 0)
                return r;
        chart_page_put_back(chart->page);
        chart->page = page;
        return 0;
}

static struct chart *find_chart(struct charts *charts, schedule_id schedule) {
        uint64_t *found = map_find(&charts->charts, schedule);
        if (found)
                return (struct chart *)(uintptr_t)*found;
        struct chart *chart = calloc(1, sizeof *chart);
        if (!chart || map_put(&charts->charts, schedule, (uint64_t)(uintptr_t)chart) < 0) {
                free(chart);
                return NULL;
        }
        pthread_mutex_init(&chart->lock, NULL);
        return chart;
}

int charts_page(struct charts *charts, const struct schedule *schedule, struct board *board, int64_t now,
                struct chart_page **ret_page) {
        pthread_mutex_lock(&charts->lock);
        struct chart_geometry *geometry = find_geometry(charts, schedule->plan);
        struct chart *chart = geometry ? find_chart(charts, schedule->id) : NULL;
        pthread_mutex_unlock(&charts->lock);
        if (!geometry)
                return CHART_UNDRAWN;
        if (!chart)
                return -ENOMEM;

        pthread_mutex_lock(&chart->lock);
        int r = chart_renew(chart, schedule, board, geometry, now);
        if (r == 0) {
                atomic_fetch_add(&chart->page->readers, 1);
                *ret_page = chart->page;
        }
        pthread_mutex_unlock(&chart->lock);
        return r < 0 ? r : CHART_READY;
}
