/* inventory_chart.h: all seats of a schedule in one compact, compressed answer.
 *
 *   page = head (version, counts, prices, one letter a seat: A H S B)  +  geometry (zones, rows, numbers, places)
 *
 * The geometry belongs to the plan and never changes: it is written and compressed once per plan, which takes some
 * tens of milliseconds for a big house, so a worker draws it (charts_draw). The head is written and compressed anew
 * when the board has changed, but for a big house only a few times a second: drawing takes about 1/200 of a core at
 * most. Any thread may ask; a page, once given, does not change and lives until its last reader has put it back. */
#ifndef TICKETRUSH_SERVICE_INVENTORY_CHART_H
#define TICKETRUSH_SERVICE_INVENTORY_CHART_H

#include "base/buffer.h"
#include "base/map.h"
#include "service/inventory/inventory_board.h"

enum {
        CHARTS_WAITING_MAX = 1024, /* requests that wait for a worker to draw */
        CHART_SEATS_PER_MS = 200,  /* a page of so many seats may be a millisecond old before it is drawn again */
        CHART_TAG_MAX = 64,
};

struct plan;
struct schedule;

struct chart_page {
        atomic_uint readers;
        const struct schedule *schedule; /* the prices are its */
        uint64_t version;                /* of the board */
        int64_t drawn_at;
        struct buffer head;      /* plain */
        struct buffer gzip;      /* head and geometry */
        struct text geometry;    /* plain; of the plan */
        char tag[CHART_TAG_MAX]; /* entity tag of the plain answer, with quotes; terminated */
        char gzip_tag[CHART_TAG_MAX];
};

struct charts {
        pthread_mutex_t lock;
        struct map geometries; /* plan → struct chart_geometry */
        struct map charts;     /* schedule → struct chart */
};

void charts_init(struct charts *charts);
void charts_deinit(struct charts *charts);
/* Draws the plan's geometry, if it is not there yet. Slow: for a worker. 0 or a negative fault. */
int charts_draw(struct charts *charts, const struct plan *plan);
/* CHART_UNDRAWN: call charts_draw first. CHART_READY: *ret_page, to be put back. Or a negative fault. */
enum chart_outcome { CHART_UNDRAWN = 1, CHART_READY };
int charts_page(struct charts *charts, const struct schedule *schedule, struct board *board, int64_t now,
                struct chart_page **ret_page);
void chart_page_put_back(struct chart_page *page);

#endif
