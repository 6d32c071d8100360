#include "base/time_text.h"

#include "base/assert.h"

enum { DAY_SECONDS = 86400, ERA_DAYS = 146097, ERA_YEARS = 400 };
/* 9999-12-31T23:59:59.999Z */
#define TIME_MAX INT64_C(253402300799999)

struct date {
        int64_t year, month, day;
};

/* Counting a year from 1 March puts the leap day at its end; 400 such years (an era) have 146,097 days, and the months
 * from March on have 31 30 31 30 31 | 31 30 31 30 31 | 31 ... days, which (153 m + 2) / 5 counts. Day 0 is 1970-01-01,
 * which is day 719,468 of the count that starts on 1 March of year 0. */
enum { DAYS_BEFORE_1970 = 719468 };

static struct date date_of_days(int64_t days) {
        int64_t counted = days + DAYS_BEFORE_1970;
        int64_t era = counted / ERA_DAYS, day_of_era = counted % ERA_DAYS;
        int64_t year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / (ERA_DAYS - 1)) / 365;
        int64_t day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
        int64_t month = (5 * day_of_year + 2) / 153;
        int64_t day = day_of_year - (153 * month + 2) / 5 + 1;
        return (struct date){era * ERA_YEARS + year + (month >= 10), month < 10 ? month + 3 : month - 9, day};
}

static int64_t days_of_date(struct date date) {
        int64_t year = date.year - (date.month <= 2);
        int64_t month = date.month > 2 ? date.month - 3 : date.month + 9;
        int64_t era = year / ERA_YEARS, year_of_era = year % ERA_YEARS;
        int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
        int64_t day_of_era = 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + day_of_year;
        return era * ERA_DAYS + day_of_era - DAYS_BEFORE_1970;
}

static int64_t days_in_month(int64_t year, int64_t month) {
        if (month == 2)
                return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
        return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static void put_digits(char *out, unsigned width, int64_t number) {
        uint32_t rest = (uint32_t)number;
        for (unsigned i = width; i-- > 0; rest /= 10)
                out[i] = (char)('0' + rest % 10);
}

static void put_clock(char *out, int64_t second) {
        put_digits(out, 2, second / 3600);
        out[2] = ':';
        put_digits(out + 3, 2, second / 60 % 60);
        out[5] = ':';
        put_digits(out + 6, 2, second % 60);
}

void time_format(char out[static TIME_TEXT_LENGTH], int64_t ms) {
        PRE(ms >= 0 && ms <= TIME_MAX);
        int64_t seconds = ms / 1000;
        struct date date = date_of_days(seconds / DAY_SECONDS);
        put_digits(out, 4, date.year);
        out[4] = '-';
        put_digits(out + 5, 2, date.month);
        out[7] = '-';
        put_digits(out + 8, 2, date.day);
        out[10] = 'T';
        put_clock(out + 11, seconds % DAY_SECONDS);
        out[19] = '.';
        put_digits(out + 20, 3, ms % 1000);
        out[23] = 'Z';
}

void time_http_date(char out[static HTTP_DATE_LENGTH], int64_t ms) {
        PRE(ms >= 0 && ms <= TIME_MAX);
        int64_t seconds = ms / 1000, days = seconds / DAY_SECONDS;
        struct date date = date_of_days(days);
        memcpy(out, &"ThuFriSatSunMonTueWed"[3 * (days % 7)], 3); /* 1970-01-01 was a Thursday */
        memcpy(out + 3, ", ", 2);
        put_digits(out + 5, 2, date.day);
        out[7] = ' ';
        memcpy(out + 8, &"JanFebMarAprMayJunJulAugSepOctNovDec"[3 * (date.month - 1)], 3);
        out[11] = ' ';
        put_digits(out + 12, 4, date.year);
        out[16] = ' ';
        put_clock(out + 17, seconds % DAY_SECONDS);
        memcpy(out + 25, " GMT", 4);
}

/* `shape` in order: '0' a digit, 'T' that letter in either case, anything else itself. */
static bool has_shape(const char *at, const char *shape) {
        for (; *shape; at++, shape++) {
                bool fits = *shape == '0' ? *at >= '0' && *at <= '9' : *at == *shape || (*shape == 'T' && *at == 't');
                if (!fits)
                        return false;
        }
        return true;
}

static int64_t digits_at(const char *at, unsigned width) {
        int64_t number = 0;
        for (unsigned i = 0; i < width; i++)
                number = number * 10 + (at[i] - '0');
        return number;
}

/* "Z", "+09:00" and nothing behind: the minutes to subtract. */
static bool parse_offset(struct text text, int64_t *ret_minutes) {
        if (text.length == 1 && (*text.at == 'Z' || *text.at == 'z')) {
                *ret_minutes = 0;
                return true;
        }
        if (text.length != 6 || (*text.at != '+' && *text.at != '-') || !has_shape(text.at + 1, "00:00"))
                return false;
        int64_t hours = digits_at(text.at + 1, 2), minutes = digits_at(text.at + 4, 2);
        if (hours > 23 || minutes > 59)
                return false;
        *ret_minutes = (*text.at == '-' ? -1 : 1) * (hours * 60 + minutes);
        return true;
}

bool time_parse(struct text text, int64_t *ret_ms) {
        enum { SECONDS_LENGTH = 19 };
        if (text.length <= SECONDS_LENGTH || !has_shape(text.at, "0000-00-00T00:00:00"))
                return false;
        struct date date = {digits_at(text.at, 4), digits_at(text.at + 5, 2), digits_at(text.at + 8, 2)};
        int64_t hour = digits_at(text.at + 11, 2), minute = digits_at(text.at + 14, 2);
        int64_t second = digits_at(text.at + 17, 2);
        if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > days_in_month(date.year, date.month))
                return false;
        if (hour > 23 || minute > 59 || second > 59)
                return false;

        size_t at = SECONDS_LENGTH;
        int64_t fraction_ms = 0;
        if (text.at[at] == '.') {
                int64_t weight = 100;
                size_t first = ++at;
                for (; at < text.length && text.at[at] >= '0' && text.at[at] <= '9'; at++, weight /= 10)
                        fraction_ms += weight * (text.at[at] - '0');
                if (at == first)
                        return false;
        }
        int64_t offset_minutes;
        if (!parse_offset((struct text){text.at + at, text.length - at}, &offset_minutes))
                return false;
        int64_t seconds = days_of_date(date) * DAY_SECONDS + hour * 3600 + (minute - offset_minutes) * 60 + second;
        int64_t ms = seconds * 1000 + fraction_ms;
        if (ms < 0 || ms > TIME_MAX)
                return false;
        *ret_ms = ms;
        return true;
}
