/* gzip_zlib_test.c: parts joined inflate to what was put in, in zlib and in the system's gzip. */
#include "base/unit_test.h"

#include <stdio.h>
#include <zlib.h>

#include "port/gzip.h"

enum { AUTOMATIC_GZIP = 15 + 16, PLAIN_MAX = 1 << 20 };

/* One gzip member and nothing behind it; the trailer's checksum and length are checked by zlib. */
static size_t inflate_all(struct text packed, char *out, size_t capacity) {
        z_stream stream = {0};
        assert_int_equal(inflateInit2(&stream, AUTOMATIC_GZIP), Z_OK);
        stream.next_in = (Bytef *)(uintptr_t)packed.at;
        stream.avail_in = (uInt)packed.length;
        stream.next_out = (Bytef *)out;
        stream.avail_out = (uInt)capacity;
        assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
        assert_int_equal(stream.avail_in, 0);
        size_t length = stream.total_out;
        inflateEnd(&stream);
        return length;
}

/* Half text that repeats, half noise. */
static void fill(char *bytes, size_t n, uint64_t seed) {
        for (size_t i = 0; i < n; i++)
                bytes[i] = i % 2048 < 1024 ? "seat,row,zone;"[i % 14] : (char)test_random(&seed);
}

static void check_joined(const size_t *lengths, size_t count, int level) {
        static char plain[PLAIN_MAX], back[PLAIN_MAX];
        struct gzip_part parts[4];
        const struct gzip_part *pointers[4];
        size_t total = 0;
        fill(plain, sizeof plain, 5);
        for (size_t i = 0; i < count; i++) {
                assert_int_equal(gzip_part_init(&parts[i], (struct text){plain + total, lengths[i]}, level), 0);
                assert_int_equal(parts[i].plain_length, lengths[i]);
                pointers[i] = &parts[i];
                total += lengths[i];
        }
        struct buffer out;
        buffer_init(&out, 2 * PLAIN_MAX);
        assert_int_equal(gzip_join(&out, pointers, count), 0);
        assert_int_equal(inflate_all(buffer_text(&out), back, sizeof back), total);
        assert_memory_equal(plain, back, total);
        buffer_deinit(&out);
        for (size_t i = 0; i < count; i++)
                gzip_part_deinit(&parts[i]);
}

static void joined_parts_inflate_to_the_whole(void **state) {
        (void)state;
        static const size_t lengths[][4] = {
                {0, 0, 0, 0}, {1, 0, 0, 0}, {0, 1, 0, 1}, {1, 2, 3, 4}, {100000, 1, 0, 70000}, {65535, 65536, 65537, 32768},
                {0, 400000, 1, 0},
        };
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
                for (size_t count = 0; count <= 4; count++) {
                        for (int level = 1; level <= 9; level += 4)
                                check_joined(lengths[i], count, level);
                }
        }
}

static void a_part_may_be_joined_again_and_again(void **state) {
        (void)state;
        struct gzip_part head, tail;
        assert_int_equal(gzip_part_init(&head, TEXT("{\"seats\":["), 6), 0);
        assert_int_equal(gzip_part_init(&tail, TEXT("1,2,3]}"), 6), 0);
        for (int round = 0; round < 3; round++) {
                const struct gzip_part *const parts[] = {&head, &tail};
                struct buffer out;
                buffer_init(&out, 4096);
                assert_int_equal(gzip_join(&out, parts, 2), 0);
                char back[64];
                size_t length = inflate_all(buffer_text(&out), back, sizeof back);
                assert_true(text_equal((struct text){back, length}, TEXT("{\"seats\":[1,2,3]}")));
                buffer_deinit(&out);
        }
        gzip_part_deinit(&head);
        gzip_part_deinit(&tail);
}

static void a_full_buffer_is_a_fault(void **state) {
        (void)state;
        struct gzip_part part;
        assert_int_equal(gzip_part_init(&part, TEXT("text"), 6), 0);
        const struct gzip_part *const parts[] = {&part};
        struct buffer out;
        buffer_init(&out, 20);
        assert_true(gzip_join(&out, parts, 1) < 0);
        buffer_deinit(&out);
        gzip_part_deinit(&part);
}

static void the_system_s_gzip_reads_it_too(void **state) {
        (void)state;
        struct gzip_part parts[2];
        assert_int_equal(gzip_part_init(&parts[0], TEXT("one "), 6), 0);
        assert_int_equal(gzip_part_init(&parts[1], TEXT("two"), 6), 0);
        const struct gzip_part *const pointers[] = {&parts[0], &parts[1]};
        struct buffer out;
        buffer_init(&out, 4096);
        assert_int_equal(gzip_join(&out, pointers, 2), 0);
        /* gzip reads a file of ours and writes into a pipe. */
        char path[] = "/tmp/ticketrush_gzip_XXXXXX", said[16] = "";
        int file = mkstemp(path), pipes[2];
        assert_true(file >= 0);
        unlink(path);
        assert_int_equal(write(file, out.at, out.length), (ssize_t)out.length);
        assert_int_equal(lseek(file, 0, SEEK_SET), 0);
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        if (child == 0) {
                dup2(file, STDIN_FILENO);
                dup2(pipes[1], STDOUT_FILENO);
                execlp("gzip", "gzip", "-dc", (char *)NULL);
                _exit(127);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_int_equal(read(pipes[0], said, sizeof said - 1), 7);
        assert_string_equal(said, "one two");
        close(pipes[0]);
        close(pipes[1]);
        close(file);
        buffer_deinit(&out);
        gzip_part_deinit(&parts[0]);
        gzip_part_deinit(&parts[1]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(joined_parts_inflate_to_the_whole),
                cmocka_unit_test(a_part_may_be_joined_again_and_again),
                cmocka_unit_test(a_full_buffer_is_a_fault),
                cmocka_unit_test(the_system_s_gzip_reads_it_too),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
