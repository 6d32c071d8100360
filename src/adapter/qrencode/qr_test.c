/* qr_test.c: the picture is a valid PNG, the SVG shows the same modules, and a foreign reader reads our text. */
#include "port/qr.h"

#include <endian.h>
#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

enum { PICTURE_MAX = 1 << 20, SIDE_MAX = 200, SCALE = 8 };

/* As long as a ticket's code. */
static const char code_text[] =
        "TR1.AAAAAAAAAB8BAAAAAAAAACAAAAAM."
        "QcXJ7mUQ0tYAfXjAK1R8jU1bUjA3m0b7UwX2C1u0Yk3f0GfZcVt8qYl1n9oJ2sK4dE6hR5wBxM7iPzLgT_OvAw";

struct picture {
        uint32_t side;
        uint8_t *rows;
        size_t row_bytes;
};

static uint32_t number_at(const char *at) {
        uint32_t number;
        memcpy(&number, at, sizeof number);
        return be32toh(number);
}

/* The chunk at `at`; its checksum is checked. */
static struct text chunk_at(struct text png, size_t at, const char *type) {
        assert_true(at + 12 <= png.length);
        uint32_t n = number_at(png.at + at);
        assert_true(at + 12 + n <= png.length);
        assert_memory_equal(png.at + at + 4, type, 4);
        assert_int_equal(number_at(png.at + at + 8 + n), crc32(0, (const Bytef *)png.at + at + 4, 4 + n));
        return (struct text){png.at + at + 8, n};
}

static struct picture png_read(struct text png) {
        assert_memory_equal(png.at, "\x89PNG\r\n\x1a\n", 8);
        struct text header = chunk_at(png, 8, "IHDR");
        assert_int_equal(header.length, 13);
        struct picture picture = {.side = number_at(header.at)};
        assert_int_equal(number_at(header.at + 4), picture.side);
        assert_memory_equal(header.at + 8, "\1\0\0\0\0", 5);
        struct text data = chunk_at(png, 8 + 12 + 13, "IDAT");
        size_t end = 8 + 12 + 13 + 12 + data.length;
        assert_int_equal(chunk_at(png, end, "IEND").length, 0);
        assert_int_equal(png.length, end + 12);

        picture.row_bytes = 1 + (picture.side + 7) / 8;
        uLongf length = picture.row_bytes * picture.side;
        picture.rows = malloc(length);
        assert_non_null(picture.rows);
        assert_int_equal(uncompress(picture.rows, &length, (const Bytef *)data.at, data.length), Z_OK);
        assert_int_equal(length, picture.row_bytes * picture.side);
        return picture;
}

static bool is_dark(const struct picture *picture, unsigned x, unsigned y) {
        const uint8_t *row = picture->rows + y * picture->row_bytes;
        assert_int_equal(row[0], 0);
        return !(row[1 + x / 8] & 0x80 >> x % 8);
}

/* The runs of the path as a grid; returns its side. */
static unsigned svg_read(struct text svg, bool grid[static SIDE_MAX * SIDE_MAX]) {
        unsigned side, x, y, width, back;
        char *terminated = strndup(svg.at, svg.length), *at;
        assert_non_null(at = strstr(terminated, "viewBox=\"0 0 "));
        assert_int_equal(sscanf(at, "viewBox=\"0 0 %u", &side), 1);
        assert_non_null(at = strstr(at, "/><path d=\""));
        at += strlen("/><path d=\"");
        int taken = 0;
        while (sscanf(at, "M%u %uh%uv1h-%uz%n", &x, &y, &width, &back, &taken) == 4) {
                assert_int_equal(width, back);
                assert_true(x + width <= side && y < side && side <= SIDE_MAX);
                for (unsigned i = 0; i < width; i++)
                        grid[y * SIDE_MAX + x + i] = true;
                at += taken;
        }
        assert_string_equal(at, "\"/></svg>");
        free(terminated);
        return side;
}

static void test_png_and_svg_agree(void **state) {
        (void)state;
        static bool grid[SIDE_MAX * SIDE_MAX];
        struct buffer png, svg;
        buffer_init(&png, PICTURE_MAX);
        buffer_init(&svg, PICTURE_MAX);
        assert_int_equal(qr_png(&png, text_of(code_text), SCALE), 0);
        assert_int_equal(qr_svg(&svg, text_of(code_text)), 0);
        struct picture picture = png_read(buffer_text(&png));
        unsigned side = svg_read(buffer_text(&svg), grid);
        assert_int_equal(picture.side, side * SCALE);
        unsigned dark = 0;
        for (unsigned y = 0; y < picture.side; y++) {
                for (unsigned x = 0; x < picture.side; x++)
                        assert_int_equal(is_dark(&picture, x, y), grid[y / SCALE * SIDE_MAX + x / SCALE]);
        }
        for (unsigned i = 0; i < side; i++) {
                dark += grid[4 * SIDE_MAX + i];
                assert_false(grid[3 * SIDE_MAX + i] || grid[i * SIDE_MAX + 3]); /* the quiet zone */
        }
        assert_true(grid[4 * SIDE_MAX + 4] && dark > 14); /* two finder patterns */
        free(picture.rows);
        buffer_deinit(&png);
        buffer_deinit(&svg);
}

static void write_file(const char *path, struct text bytes) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes.at, 1, bytes.length, file), bytes.length);
        assert_int_equal(fclose(file), 0);
}

/* What zbarimg reads in the file; false when it is not installed. */
static bool read_with_zbar(const char *path, const char *out_path, char *out, size_t capacity) {
        char *arguments[] = {"zbarimg", "--quiet", "--raw", (char *)(uintptr_t)path, NULL}, *environment[] = {NULL};
        char program[] = "/usr/bin/zbarimg";
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        pid_t child;
        int status = -1, r = posix_spawn(&child, program, &actions, NULL, arguments, environment);
        posix_spawn_file_actions_destroy(&actions);
        if (r != 0)
                return false;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        FILE *file = fopen(out_path, "r");
        assert_non_null(file);
        size_t n = fread(out, 1, capacity - 1, file);
        out[n] = '\0';
        fclose(file);
        return true;
}

static void test_a_foreign_reader_reads_it(void **state) {
        (void)state;
        char folder[] = "/tmp/qr_test.XXXXXX", path[64], out_path[64], read[512];
        static const unsigned scales[] = {2, 3, 8};
        bool installed = true;
        assert_non_null(mkdtemp(folder));
        snprintf(path, sizeof path, "%s/code.png", folder);
        snprintf(out_path, sizeof out_path, "%s/out", folder);
        for (size_t i = 0; installed && i < sizeof scales / sizeof *scales; i++) {
                struct buffer png;
                buffer_init(&png, PICTURE_MAX);
                assert_int_equal(qr_png(&png, text_of(code_text), scales[i]), 0);
                write_file(path, buffer_text(&png));
                buffer_deinit(&png);
                installed = read_with_zbar(path, out_path, read, sizeof read);
                if (installed) {
                        read[strcspn(read, "\n")] = '\0';
                        assert_string_equal(read, code_text);
                }
        }
        unlink(path);
        unlink(out_path);
        rmdir(folder);
        if (!installed) {
                print_message("zbarimg is not installed: no foreign reader has looked at the picture\n");
                skip();
        }
}

static void test_too_small_a_buffer(void **state) {
        (void)state;
        struct buffer out;
        buffer_init(&out, 100);
        assert_true(qr_png(&out, text_of(code_text), SCALE) < 0);
        buffer_clear(&out);
        assert_true(qr_svg(&out, text_of(code_text)) < 0);
        buffer_deinit(&out);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_png_and_svg_agree),
                cmocka_unit_test(test_a_foreign_reader_reads_it),
                cmocka_unit_test(test_too_small_a_buffer),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
