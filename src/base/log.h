/* log.h: one line of JSON per record on standard error. Library code below the services does not log. */
#ifndef TICKETRUSH_BASE_LOG_H
#define TICKETRUSH_BASE_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ALARM };

void log_set_level(enum log_level lowest);
/* {"at":…,"level":…,"event":"noun.verb","text":…}. Thread-safe; one write(2) per line; long texts are cut. An ALARM
 * asks for a person, and is counted in ticketrush_alarms_total. */
void log_write(enum log_level level, const char *event, const char *format, ...) __attribute__((format(printf, 3, 4)));
unsigned long long log_alarms(void);
/* Registers ticketrush_alarms_total (see metrics.h; before threads start). */
void log_register(void);

#endif
