/* report.h: the figures of a rehearsal, as one line of JSON and as a page for people; and the live line while it runs.
 */
#ifndef TICKETRUSH_REHEARSE_REPORT_H
#define TICKETRUSH_REHEARSE_REPORT_H

#include "rehearse/crowd.h"

struct figures {
        const struct rehearse_options *options;
        const struct crowd *crowd;
        uint32_t seats;
        int64_t wall_us, sign_in_us, client_cpu_us, server_cpu_us, server_peak_rss_bytes;
        uint64_t sold, purchases, held, entered, oversold, paid_without_seat, refunded,
                violations; /* durable, of this rehearsal */
        uint64_t refused_without_write;
        uint64_t requests;
        bool counted; /* the database was counted and audited */
        bool server_ended_badly;
        struct text audit; /* what the auditor said */
};

/* Did all go as it has to? */
bool figures_good(const struct figures *figures);
void report_json(const struct figures *figures, struct buffer *out);
void report_people(const struct figures *figures, struct buffer *out);
/* Of a running crowd, one line that replaces itself. */
void report_live(const struct crowd *crowd, int64_t now_us);

#endif
