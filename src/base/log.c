#include "base/log.h"

#include "base/json_writer.h"
#include "base/metrics.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LOG_TEXT_MAX = 1024, LOG_EVENT_MAX = 128 };
/* Every byte may become \u00XX. */
enum { LOG_LINE_MAX = 6 * (LOG_TEXT_MAX + LOG_EVENT_MAX) + 256 };

static _Atomic int log_lowest = LOG_INFO;
static struct metric log_alarms_total = {
        .name = "ticketrush_alarms_total",
        .help = "Records that ask for a person.",
        .kind = METRIC_COUNTER,
};

void log_set_level(enum log_level lowest) {
        atomic_store_explicit(&log_lowest, (int)lowest, memory_order_relaxed);
}

void log_register(void) {
        metrics_register(&log_alarms_total);
}

unsigned long long log_alarms(void) {
        return (unsigned long long)atomic_load_explicit(&log_alarms_total.value, memory_order_relaxed);
}

static const char *log_level_name(enum log_level level) {
        switch (level) {
        case LOG_DEBUG:
                return "debug";
        case LOG_INFO:
                return "info";
        case LOG_WARNING:
                return "warning";
        case LOG_ALARM:
                return "alarm";
        }
        return "unknown";
}

/* The text as far as it fits, cut between two characters and then marked. */
static struct text log_text(char out[static LOG_TEXT_MAX], const char *format, va_list arguments) {
        static const char mark[] = "\xe2\x80\xa6";
        int length = vsnprintf(out, LOG_TEXT_MAX, format, arguments);
        if (length < 0)
                return TEXT("(unprintable)");
        if (length < LOG_TEXT_MAX)
                return (struct text){out, (size_t)length};
        size_t cut = LOG_TEXT_MAX - sizeof mark;
        while (cut > 0 && ((unsigned char)out[cut] & 0xc0) == 0x80)
                cut--;
        memcpy(out + cut, mark, sizeof mark - 1);
        return (struct text){out, cut + sizeof mark - 1};
}

void log_write(enum log_level level, const char *event, const char *format, ...) {
        if (level == LOG_ALARM)
                metric_add(&log_alarms_total, 1);
        if ((int)level < atomic_load_explicit(&log_lowest, memory_order_relaxed))
                return;
        int caller_errno = errno;
        char text[LOG_TEXT_MAX], line[LOG_LINE_MAX + 1];
        va_list arguments;
        va_start(arguments, format);
        struct text what = log_text(text, format, arguments);
        va_end(arguments);

        struct timespec now = {0};
        clock_gettime(CLOCK_REALTIME, &now);
        /* A buffer that is as large as it may become never moves, so it may stand on the stack. */
        struct buffer out = {.at = line, .capacity = LOG_LINE_MAX, .max_bytes = LOG_LINE_MAX};
        struct json_writer json;
        json_begin(&json, &out);
        json_object(&json, NULL);
        json_time(&json, "at", (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
        json_string(&json, "level", log_level_name(level));
        json_text(&json, "event", (struct text){event, strnlen(event, LOG_EVENT_MAX)});
        json_text(&json, "text", what);
        json_object_end(&json);
        buffer_add(&out, "\n", 1);
        while (write(STDERR_FILENO, out.at, out.length) < 0 && errno == EINTR)
                ;
        errno = caller_errno;
}
