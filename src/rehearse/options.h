/* options.h: what a rehearsal can be told. One table describes every flag; --help and the checks are made from it. */
#ifndef TICKETRUSH_REHEARSE_OPTIONS_H
#define TICKETRUSH_REHEARSE_OPTIONS_H

#include "base/buffer.h"

enum { OPTIONS_SERVER_ARGS_MAX = 32 };

enum rehearse_mode {
        MODE_PURCHASE,  /* line → pass → hold → order → pay → tickets, buyers arriving on a schedule */
        MODE_HOLD,      /* hold and release, over and over */
        MODE_REFUSE,    /* requests that cannot win: half on taken seats, half without a pass */
        MODE_STATUS,    /* place in line, over and over */
        MODE_CATALOGUE, /* one event's page, over and over */
        MODE_ENTER,     /* everybody enters the line once, before the sale opens */
        MODE_BARE,      /* GET / over and over, from whatever answers at --url: what the client itself can do */
};
enum { REHEARSE_MODES = MODE_BARE + 1 };
extern const char *const rehearse_mode_names[REHEARSE_MODES];

struct rehearse_options {
        int64_t seats, buyers, seats_per_buyer, connections, line_capacity, hold_seconds, pass_seconds, seed, seconds;
        int64_t arrive_ms;
        int64_t share_change, share_abandon, share_decline, share_retry, share_double_click,
                share_clash; /* per 1,000 buyers */
        bool plain, lobby, json, keep_server;
        enum rehearse_mode mode;
        const char *mode_name, *arrive, *plan, *data, *url, *key, *token, *acks; /* NULL: not given */
        const char *server_args[OPTIONS_SERVER_ARGS_MAX];
        unsigned server_arg_count;
};

enum options_outcome { OPTIONS_OK = 1, OPTIONS_REFUSED, OPTIONS_HELP };

/* OPTIONS_REFUSED: problems has a line for each thing that is wrong. Texts are borrowed from argv. */
enum options_outcome options_read(struct rehearse_options *ret_options, int argc, char **argv, struct buffer *problems);
void options_help(struct buffer *out);

#endif
