#!/usr/bin/env python3
"""Small fake trees, each breaking one rule of tidy.py once."""
import os
import subprocess
import sys
import tempfile
import unittest

import purity
import tidy

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tidy.py")


def room(path, *names, system=()):
    """A source file that includes the given headers."""
    return {path: "".join(f'#include "{name}"\n' for name in names) + "".join(f"#include <{name}>\n" for name in system)}


class TreeTest(unittest.TestCase):
    def write(self, files):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for path, text in files.items():
            place = os.path.join(folder.name, path)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "w", encoding="utf-8") as file:
                file.write(text)
        return folder.name

    def check(self, rule, files):
        return list(rule(tidy.Tree(self.write(files))))

    def assert_clean(self, rule, files):
        self.assertEqual(self.check(rule, files), [])

    def assert_finding(self, rule, files, path, line, words):
        findings = self.check(rule, files)
        self.assertEqual([(finding.path, finding.line) for finding in findings], [(path, line)], findings)
        self.assertIn(words, findings[0].text)


class Rooms(TreeTest):
    HEADERS = {path: "" for path in (
        "src/base/text.h", "src/port/db.h", "src/port/json.h", "src/port/gzip.h", "src/lane/turn.h", "src/edge/edge.h",
        "src/adapter/sqlite/db_sqlite.h", "src/adapter/sodium/crypto_sodium.h", "src/service/vocabulary.h",
        "src/service/limits.h", "src/service/desk.h", "src/service/order/order.h", "src/service/order/order_store.h",
        "src/service/order/order_rules.h", "src/service/queue/queue.h", "src/service/queue/queue_rules.h",
        "src/service/queue/queue_store.h", "src/node/config.h")}
    ALL = [path[len("src/"):] for path in HEADERS]

    # Every row says all that a file may include; everything else in HEADERS must be refused.
    TABLE = {
        "src/base/x.c": ["base/text.h"],
        "src/port/x.c": ["base/text.h", "port/db.h", "port/json.h", "port/gzip.h", "service/vocabulary.h"],
        "src/lane/x.c": ["base/text.h", "port/db.h", "port/json.h", "port/gzip.h", "lane/turn.h"],
        "src/edge/x.c": ["base/text.h", "port/gzip.h", "edge/edge.h"],
        "src/adapter/sqlite/x.c": ["base/text.h", "port/db.h", "port/json.h", "port/gzip.h", "adapter/sqlite/db_sqlite.h"],
        "src/service/desk.c": ["base/text.h", "port/db.h", "port/json.h", "port/gzip.h", "lane/turn.h", "edge/edge.h",
                               "service/vocabulary.h", "service/limits.h", "service/desk.h"],
        "src/service/limits.h": ["base/text.h", "service/vocabulary.h", "service/limits.h"],
        "src/service/queue/queue_rules.c": ["base/text.h", "service/vocabulary.h", "service/limits.h",
                                            "service/queue/queue.h", "service/queue/queue_rules.h"],
        "src/service/queue/queue_store.c": ["base/text.h", "port/db.h", "port/json.h", "port/gzip.h", "lane/turn.h",
                                            "service/vocabulary.h", "service/limits.h", "service/order/order.h",
                                            "service/queue/queue.h", "service/queue/queue_rules.h",
                                            "service/queue/queue_store.h"],
        "src/service/queue/queue_routes.c": ["base/text.h", "port/json.h", "port/gzip.h", "lane/turn.h", "edge/edge.h",
                                             "service/vocabulary.h", "service/limits.h", "service/desk.h",
                                             "service/order/order.h", "service/queue/queue.h",
                                             "service/queue/queue_rules.h", "service/queue/queue_store.h"],
        "src/cellar/x.c": [],
        "src/node/x.c": ALL,
        "src/main.c": ALL,
        "src/base/x_test.c": ALL,
        "test/kit/x.c": ALL,
        "bench/x.c": ALL,
    }

    def test_the_whole_table(self):
        for path, allowed in self.TABLE.items():
            for name in self.ALL:
                with self.subTest(path=path, includes=name):
                    files = {**self.HEADERS, **room(path, name)}
                    if name in allowed:
                        self.assert_clean(tidy.check_rooms, files)
                    else:
                        self.assert_finding(tidy.check_rooms, files, path, 1, name)

    def test_headers_are_named_from_src(self):
        files = {**self.HEADERS, **room("src/base/x.c", "text.h")}
        self.assert_finding(tidy.check_rooms, files, "src/base/x.c", 1, "not a file below src")

    def test_the_line_is_told(self):
        files = {**self.HEADERS, "src/base/x.c": '/* x */\n\n#include "base/text.h"\n # include "port/db.h"\n'}
        self.assert_finding(tidy.check_rooms, files, "src/base/x.c", 4, "base may not include port/db.h")


class Technology(TreeTest):
    def test_only_in_adapters(self):
        for header in ("sqlite3.h", "sodium.h", "jansson.h", "libpq-fe.h", "qrencode.h", "zlib.h", "curl/curl.h",
                       "hiredis/hiredis.h"):
            with self.subTest(header=header):
                self.assert_clean(tidy.check_technology, room("src/adapter/x/x.c", system=[header]))
                self.assert_clean(tidy.check_technology, room("test/kit/x.c", system=[header]))
                for path in ("src/lane/x.c", "src/node/x.c", "src/main.c", "src/service/order/order_store.h"):
                    self.assert_finding(tidy.check_technology, room(path, system=[header]), path, 1, header)

    def test_libc_is_for_everybody(self):
        self.assert_clean(tidy.check_technology, room("src/base/x.c", system=["stdio.h", "sys/socket.h"]))


class Files(TreeTest):
    def test_names_are_unique(self):
        files = {"src/base/text.h": "", "src/edge/text.h": ""}
        self.assert_finding(tidy.check_unique_names, files, "src/edge/text.h", 1, "src/base/text.h")
        self.assert_clean(tidy.check_unique_names, {"src/a/meson.build": "", "src/b/meson.build": "",
                                                    "src/a/README.md": "", "src/b/README.md": "", "test/a.c": "",
                                                    "bench/a.c": ""})

    def test_dead_source(self):
        files = {"src/base/a.c": "", "src/base/b.c": "", "src/base/meson.build": "lib = static_library('base', 'a.c')\n"}
        self.assert_finding(tidy.check_dead_files, files, "src/base/b.c", 1, "no meson.build")

    def test_a_comment_does_not_build(self):
        files = {"src/base/a.c": "", "src/base/meson.build": "# 'a.c'\n"}
        self.assert_finding(tidy.check_dead_files, files, "src/base/a.c", 1, "no meson.build")

    def test_another_folder_does_not_build(self):
        files = {"src/base/a.c": "", "src/edge/meson.build": "x = ['a.c']\n"}
        self.assert_finding(tidy.check_dead_files, files, "src/base/a.c", 1, "no meson.build")

    def test_the_name_of_a_library_does_not_build(self):
        files = {"src/edge/edge.c": "", "src/edge/meson.build": "edge = static_library('edge')\n"}
        self.assert_finding(tidy.check_dead_files, files, "src/edge/edge.c", 1, "no meson.build")

    def test_ways_to_be_built(self):
        self.assert_clean(tidy.check_dead_files, {
            "src/main.c": "", "src/a/direct.c": "", "src/a/looped.c": "", "src/a/one_fuzz.c": "", "src/a/templated.c": "",
            "src/a/globbed_x.c": "", "src/a/pasted.c": "", "test/deep/from_above.c": '#include "a/pasted.c"\n',
            "meson.build": "executable('x', 'src/main.c')\n",
            "src/a/meson.build": "x = ['direct.c', 'globbed_*.c']\n"
                                 "foreach name : ['looped']\nexecutable(name, name + '.c')\nendforeach\n"
                                 "foreach name : ['one']\nexecutable(name, name + '_fuzz.c')\nendforeach\n"
                                 "foreach name : ['templated']\nexecutable(name, '@0@.c'.format(name))\nendforeach\n",
            "test/meson.build": "executable('y', 'deep/from_above.c')\n"})

    def test_dead_header(self):
        files = {"src/base/a.h": "", "src/base/b.h": "", "src/main.c": '#include "base/a.h"\n',
                 "meson.build": "executable('x', 'src/main.c')"}
        self.assert_finding(tidy.check_dead_files, files, "src/base/b.h", 1, "nobody includes")


class Calls(TreeTest):
    def source(self, call):
        return f"void f(void);\n\nvoid f(void) {{\n        {call};\n}}\n"

    def test_banned(self):
        for name in ("strcpy", "strcat", "sprintf", "gets", "strtok", "atoi", "rand", "srand", "system", "popen", "alloca"):
            for path in ("src/base/x.c", "src/base/x.h", "test/x.c", "bench/x.c"):
                with self.subTest(name=name, path=path):
                    self.assert_finding(tidy.check_calls, {path: self.source(f"(void){name} (x)")}, path, 4, f"{name}()")

    def test_other_words_that_look_alike(self):
        for call in ("snprintf(x)", "my_rand(x)", "x->system(1)", "x.time(1)", "x = time", "timegm(x)", "rand_x(1)",
                     'say("rand(x)")', "/* rand(x) */", "// rand(x)\n        ", "say('\"', \"rand(\\\"x)\")"):
            with self.subTest(call=call):
                self.assert_clean(tidy.check_calls, {"src/base/x.c": self.source(call)})

    def test_clocks(self):
        for call in ("time(NULL)", "gettimeofday(&x, 0)", "clock_gettime(1, &x)"):
            with self.subTest(call=call):
                for path in ("src/adapter/system/x.c", "src/base/log.c", "src/base/x_test.c", "test/x.c", "bench/x.c"):
                    self.assert_clean(tidy.check_calls, {path: self.source(call)})
                for path in ("src/lane/x.c", "src/adapter/sqlite/x.c", "src/node/x.c"):
                    self.assert_finding(tidy.check_calls, {path: self.source(call)}, path, 4, "reads the clock")

    def test_rules_are_pure(self):
        for name in ("malloc", "calloc", "free", "printf", "log_write"):
            path = "src/service/order/order_rules.c"
            with self.subTest(name=name):
                self.assert_finding(tidy.check_calls, {path: self.source(f"{name}(x)")}, path, 4, "rules only decide")
                self.assert_clean(tidy.check_calls, {"src/service/order/order_service.c": self.source(f"{name}(x)")})
                self.assert_clean(tidy.check_calls, {"src/service/order/order_rules_test.c": self.source(f"{name}(x)")})


class Lines(TreeTest):
    def test_leftovers(self):
        for word in ("TO" "DO", "FIX" "ME", "X" "XX"):
            with self.subTest(word=word):
                self.assert_finding(tidy.check_lines, {"src/a.c": f"\n/* {word}: later */\n"}, "src/a.c", 2, word)
                self.assert_clean(tidy.check_lines, {"src/a.c": f"/* {word}S {word.lower()} */\n", "docs/a.md": word})

    def test_columns(self):
        self.assert_clean(tidy.check_lines, {"src/a.c": "x" * 140 + "\n", "README.md": "x" * 500})
        self.assert_clean(tidy.check_lines, {"src/a.c": "\u2026" * 140})
        self.assert_finding(tidy.check_lines, {"src/a.c": "x" * 141 + "\n"}, "src/a.c", 1, "141 columns")

    def test_tabs(self):
        self.assert_finding(tidy.check_lines, {"src/a/meson.build": "\n\n\tx = 1\n"}, "src/a/meson.build", 3, "tab")

    def test_places_and_registries(self):
        for words in ("see /wo" "rk/main/x", '"/ro' 'ot/x"', "http://registry.n" "pmjs.org/x", "https://p" "ypi.org/x",
                      "https://deb.de" "bian.org/x"):
            with self.subTest(words=words):
                self.assert_finding(tidy.check_lines, {"docs/a.md": f"a\n{words}\n"}, "docs/a.md", 2, "")
                self.assert_clean(tidy.check_lines, {"web/package-lock.json": words})
        self.assert_clean(tidy.check_lines, {"docs/a.md": "src/wo" "rk/x ./ro" "ot/x https://example.com/n" "pm\n"})


class FunctionLengths(TreeTest):
    def function(self, lines, name="long_one", before=""):
        return before + f"int {name}(int a,\n        int b) {{\n" + "        a++;\n" * (lines - 3) + "}\n"

    def test_short_ones(self):
        self.assert_clean(tidy.check_function_lengths, {"src/a.c": self.function(3) + self.function(70)})

    def test_just_above(self):
        for lines in (71, 110):
            self.assert_finding(tidy.check_function_lengths, {"src/a.c": self.function(lines, before="int x;\n\n")},
                                "src/a.c", 3, f"{lines} lines, just above 70")

    def test_just_above_cannot_be_listed(self):
        files = {"src/a.c": self.function(71), tidy.LONG_FUNCTIONS: "src/a.c long_one 71\n"}
        self.assertEqual(len(self.check(tidy.check_function_lengths, files)), 2)

    def test_long_ones_are_listed_and_do_not_grow(self):
        long_one = {"src/a.c": self.function(111)}
        self.assert_finding(tidy.check_function_lengths, long_one, "src/a.c", 1, "split it")
        for listed, path, line, words in ((110, "src/a.c", 1, "has grown from 110 to 111"),
                                          (112, tidy.LONG_FUNCTIONS, 2, "lower the number")):
            files = {**long_one, tidy.LONG_FUNCTIONS: f"# why\nsrc/a.c long_one {listed}\n"}
            self.assert_finding(tidy.check_function_lengths, files, path, line, words)
        self.assert_clean(tidy.check_function_lengths, {**long_one, tidy.LONG_FUNCTIONS: "src/a.c long_one 111\n"})

    def test_what_is_gone_is_not_listed(self):
        files = {"src/a.c": self.function(70), tidy.LONG_FUNCTIONS: "src/a.c long_one 120\n"}
        self.assert_finding(tidy.check_function_lengths, files, tidy.LONG_FUNCTIONS, 1, "delete this line")

    def test_what_a_function_is(self):
        code = tidy.strip_c(
            "struct a { int b; };\n"
            "#define LOOP(x) \\\n        while (x) { \\\n        }\n"
            "static const int table[] = {\n        1,\n};\n"
            "enum { A = sizeof(int) };\n"
            "static inline int one(void) { return '}'; }\n"
            "/* { */\n"
            "__attribute__((format(printf, 1, 2))) void two(const char *s, ...) {\n"
            "#if X\n        if (s) {\n#else\n        if (!s) {\n#endif\n        }\n"
            "}\n"
            "int (*three(int (*f)(void)))(void) {\n        struct a x = {1};\n        return f;\n}\n")
        found = [(name, lines) for _, name, lines in tidy.functions(code)]
        self.assertEqual(found[:2], [("one", 1), ("two", 8)])
        self.assertEqual(found[2][1], 4)
        self.assertEqual(len(found), 3)


class Program(TreeTest):
    def run_tidy(self, files):
        return subprocess.run([sys.executable, "-B", SCRIPT, self.write(files)], stdout=subprocess.PIPE, text=True, check=False)

    def test_clean_tree(self):
        done = self.run_tidy({"src/main.c": "int main(void) {\n        return 0;\n}\n",
                              "meson.build": "executable('x', 'src/main.c')\n", "build/junk.c": "\t"})
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_findings_are_told_in_order(self):
        done = self.run_tidy({"src/b.c": "\tint x;\n", "src/a.c": "\n\n\tint y;\n",
                              "meson.build": "executable('x', 'src/a.c', 'src/b.c')\n"})
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, "src/a.c:3: a tab; indent with blanks\nsrc/b.c:1: a tab; indent with blanks\n")

    def test_git_decides_what_belongs_to_the_tree(self):
        root = self.write({".gitignore": "scratch.c\n", "src/a.c": "", "src/scratch.c": "\t",
                           "meson.build": "executable('x', 'src/a.c')\n"})
        subprocess.run(["git", "init", "-q", root], check=True)
        self.assertEqual(tidy.check(root), [])


class PurityTest(TreeTest):
    def findings(self, code):
        return purity.check(self.write({"src/service/x/x_rules.c": code}))[0]

    def test_a_decision_is_pure(self):
        self.assertEqual(self.findings("static const int most[] = {3};\nint x(int a) { return a < most[0]; }\n"), [])

    def test_a_clock_is_not(self):
        self.assertIn("needs clock", self.findings("#include <time.h>\nlong x(void) { return clock(); }\n")[0])

    def test_memory_is_not(self):
        self.assertIn("calls is a variable", self.findings("static int calls;\nint x(void) { return ++calls; }\n")[0])


if __name__ == "__main__":
    unittest.main()
