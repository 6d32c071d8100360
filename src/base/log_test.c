#include "base/log.h"
#include "base/text.h"
#include "base/time_text.h"
#include "base/unit_test.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

/* What is written to standard error between begin and end. */
struct capture {
        FILE *file;
        int kept;
};

static void capture_begin(struct capture *capture) {
        capture->file = tmpfile();
        assert_non_null(capture->file);
        capture->kept = dup(STDERR_FILENO);
        dup2(fileno(capture->file), STDERR_FILENO);
        /* As a service's log would be: each write goes to the end. */
        fcntl(STDERR_FILENO, F_SETFL, O_APPEND);
}

static char *capture_end(struct capture *capture) {
        dup2(capture->kept, STDERR_FILENO);
        close(capture->kept);
        long size = lseek(fileno(capture->file), 0, SEEK_END);
        assert_true(size >= 0);
        char *said = calloc(1, (size_t)size + 1);
        assert_int_equal(pread(fileno(capture->file), said, (size_t)size, 0), size);
        fclose(capture->file);
        return said;
}

/* {"at":"2026-11-21T11:00:00.000Z", and then `rest`. */
static void assert_line(const char *line, const char *rest) {
        int64_t ms;
        assert_memory_equal(line, "{\"at\":\"", 7);
        assert_true(time_parse((struct text){line + 7, TIME_TEXT_LENGTH}, &ms));
        assert_true(ms > INT64_C(1700000000000));
        assert_string_equal(line + 7 + TIME_TEXT_LENGTH, rest);
}

static void one_record_is_one_line_of_json(void **state) {
        (void)state;
        struct capture capture;
        capture_begin(&capture);
        errno = ENOENT;
        log_write(LOG_INFO, "store.open", "opened \"%s\" in %d ms\n", "a\\b", 12);
        int errno_after = errno;
        char *said = capture_end(&capture);
        assert_int_equal(errno_after, ENOENT);
        assert_line(said,
                    "\",\"level\":\"info\",\"event\":\"store.open\",\"text\":\"opened \\\"a\\\\b\\\" in 12 ms\\n\"}\n");
        free(said);
}

static size_t lines_in(const char *text) {
        size_t count = 0;
        for (; *text; text++)
                count += *text == '\n';
        return count;
}

static void levels(void **state) {
        (void)state;
        static const size_t expected[] = {[LOG_DEBUG] = 4, [LOG_INFO] = 3, [LOG_WARNING] = 2, [LOG_ALARM] = 1};
        for (int lowest = LOG_DEBUG; lowest <= LOG_ALARM; lowest++) {
                struct capture capture;
                unsigned long long alarms = log_alarms();
                capture_begin(&capture);
                log_set_level((enum log_level)lowest);
                log_write(LOG_DEBUG, "a.b", "c");
                log_write(LOG_INFO, "a.b", "c");
                log_write(LOG_WARNING, "a.b", "c");
                log_write(LOG_ALARM, "a.b", "c");
                char *said = capture_end(&capture);
                assert_int_equal(lines_in(said), expected[lowest]);
                assert_non_null(strstr(said, "\"level\":\"alarm\""));
                assert_int_equal(log_alarms(), alarms + 1);
                free(said);
        }
        log_set_level(LOG_INFO);
}

static void long_texts_are_cut_between_characters(void **state) {
        (void)state;
        char endless[8000];
        for (size_t offset = 0; offset < 3; offset++) {
                /* Syllables of three bytes, shifted, so that the cut falls on each of them in turn. */
                memset(endless, 'x', offset);
                for (size_t i = offset; i + 3 < sizeof endless; i += 3)
                        memcpy(endless + i, "\xed\x95\x9c", 4);
                struct capture capture;
                capture_begin(&capture);
                log_write(LOG_INFO, "a.b", "%s", endless);
                char *said = capture_end(&capture);
                size_t length = strlen(said);
                assert_int_equal(lines_in(said), 1);
                assert_in_range(length, 1000, 1200);
                assert_true(text_is_utf8(text_of(said)));
                assert_null(strstr(said, "\xef\xbf\xbd"));
                assert_string_equal(said + length - 9, "\xed\x95\x9c\xe2\x80\xa6\"}\n");
                free(said);
        }
        /* The worst case: each byte grows sixfold, and the line is still whole. */
        memset(endless, 1, sizeof endless - 1);
        endless[sizeof endless - 1] = '\0';
        struct capture capture;
        capture_begin(&capture);
        log_write(LOG_INFO, endless, "%s", endless);
        char *said = capture_end(&capture);
        assert_string_equal(said + strlen(said) - 12, "\\u0001\xe2\x80\xa6\"}\n");
        free(said);
}

enum { THREADS = 4, LINES = 500 };

static void *write_lines(void *letter) {
        char text[301];
        memset(text, *(const char *)letter, 300);
        text[300] = '\0';
        for (int i = 0; i < LINES; i++)
                log_write(LOG_INFO, "a.b", "%s", text);
        return NULL;
}

static void threads_do_not_mix_their_lines(void **state) {
        (void)state;
        struct capture capture;
        pthread_t threads[THREADS];
        static const char letters[THREADS] = "abcd";
        capture_begin(&capture);
        for (size_t i = 0; i < THREADS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, write_lines, (void *)(uintptr_t)&letters[i]), 0);
        for (size_t i = 0; i < THREADS; i++)
                pthread_join(threads[i], NULL);
        char *said = capture_end(&capture);
        assert_int_equal(lines_in(said), THREADS * LINES);
        char *rest = said;
        for (char *line; (line = strsep(&rest, "\n")) != NULL && *line;) {
                const char *text = strstr(line, "\"text\":\"");
                assert_non_null(text);
                text += 8;
                assert_int_equal(strspn(text, (char[]){*text, '\0'}), 300);
                assert_string_equal(text + 300, "\"}");
        }
        free(said);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_record_is_one_line_of_json),
                cmocka_unit_test(levels),
                cmocka_unit_test(long_texts_are_cut_between_characters),
                cmocka_unit_test(threads_do_not_mix_their_lines),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
