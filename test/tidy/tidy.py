#!/usr/bin/env python3
"""Style as a unit test over the source tree: tidy.py [root]

Prints one line per finding, "path:line: what is wrong and what to do", and fails if there is any. Each rule is a
function below that takes the tree and yields findings; tidy_test.py breaks each of them once.
"""
import fnmatch
import os
import re
import shutil
import subprocess
import sys
from collections import namedtuple

Finding = namedtuple("Finding", "path line text")

COLUMNS_MAX = 140
FUNCTION_SHORT, FUNCTION_LONG = 70, 110
LONG_FUNCTIONS = "test/tidy/long_functions.txt"
C_ROOMS = ("src/", "test/", "bench/")
CODE_ENDINGS = (".c", ".h", ".py", ".js", ".css", ".sql", ".sh", "meson.build")


class Tree:
    """The text files below a root, by path with forward slashes."""

    def __init__(self, root):
        self.root = root
        self.texts = {}
        for path in self.list_paths():
            with open(os.path.join(root, path), "rb") as file:
                content = file.read()
            if b"\0" not in content:
                self.texts[path] = content.decode("utf-8", "replace")
        self.codes = {path: strip_c(text) for path, text in self.texts.items() if is_c(path)}

    def list_paths(self):
        """What git knows or would add; in a tree without git, everything but build folders and hidden ones."""
        if os.path.exists(os.path.join(self.root, ".git")) and shutil.which("git"):
            command = ["git", "-C", self.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
            listed = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode().split("\0")
            return [path for path in sorted(set(listed)) if os.path.isfile(os.path.join(self.root, path))]

        paths = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if not name.startswith((".", "build", "__pycache__"))]
            paths += [os.path.relpath(os.path.join(folder, name), self.root).replace(os.sep, "/") for name in names]
        return sorted(paths)


def is_c(path):
    return path.startswith(C_ROOMS) and path.endswith((".c", ".h"))


def is_trial(path):
    """Tests and benchmarks, wherever they stand."""
    return path.startswith(("test/", "bench/")) or re.search(r"_(test|fuzz|bench)\.[ch]$", path) is not None


def strip_c(text):
    """The same text with comments and the insides of literals blanked; lines and columns stay where they are."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)

    def blank(match):
        piece = match.group()
        if piece[0] == "/":
            return re.sub(r"[^\n]", " ", piece)
        return piece[0] + re.sub(r"[^\n]", " ", piece[1:-1]) + piece[-1]

    return pattern.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def includes(text):
    """(line, name, quoted) of each include directive."""
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">\n]+)[">]', text, re.MULTILINE):
        yield line_of(text, match.start()), match.group(2), match.group(1) == '"'


# --- the rooms, and who may include whom (ARCHITECTURE.md) ---

VOCABULARY, LIMITS, DESK = "service/vocabulary.h", "service/limits.h", "service/desk.h"
PUBLIC_FACES = "service/*/*.h"  # narrowed to <name>/<name>.h by may_include


def room_of(path):
    """The name of the room and the patterns of what it may include; None for the rooms that may include everything."""
    parts = path.split("/")
    if parts[0] != "src" or len(parts) < 3 or is_trial(path) or parts[1] == "node":
        return None
    if parts[1] == "adapter":
        own = "/".join(parts[1:-1]) + "/*"
        return "an adapter", ["base/*", "port/*", own]
    if parts[1] != "service":
        return {
            "base": ("base", ["base/*"]),
            "port": ("port", ["base/*", "port/*", VOCABULARY]),
            "lane": ("lane", ["base/*", "port/*", "lane/*"]),
            "edge": ("edge", ["base/*", "edge/*", "port/gzip.h"]),
            "audit": ("audit", ["base/*", "port/*", "audit/*", "adapter/sqlite/db_sqlite.h", "node/verbs.h"]),
            "rehearse": ("rehearse", ["base/*", "port/*", "rehearse/*", "audit/audit.h", "adapter/system/*", "node/verbs.h",
                                      "service/user/user.h", VOCABULARY, LIMITS]),
        }.get(parts[1], ("an unknown room", []))
    if len(parts) == 3:
        if "service/" + parts[2] in (VOCABULARY, LIMITS):
            return "the vocabulary", ["base/*", VOCABULARY, LIMITS]
        return "the desk", ["base/*", "port/*", "edge/*", "lane/*", "service/*.h"]
    own = "/".join(parts[1:-1])
    if re.search(r"_rules\.[ch]$", path):
        face = f"{own}/{parts[2]}.h"
        return "a rules file", ["base/*", VOCABULARY, LIMITS, own + "/*_rules.h", face]
    if re.search(r"_(routes|json)\.[ch]$", path):
        ports = ["port/json.h", "port/qr.h", "port/gzip.h"]
        return "a routes file", ["base/*", "edge/*", "lane/*", *ports, VOCABULARY, LIMITS, DESK, own + "/*", PUBLIC_FACES]
    return "a service file", ["base/*", "port/*", "lane/*", VOCABULARY, LIMITS, own + "/*", PUBLIC_FACES]


def may_include(pattern, name):
    if pattern == PUBLIC_FACES:
        return re.fullmatch(r"service/(\w+)/\1\.h", name) is not None
    if pattern == "service/*.h":
        return re.fullmatch(r"service/\w+\.h", name) is not None
    return fnmatch.fnmatchcase(name, pattern)


def check_rooms(tree):
    for path in tree.codes:
        room = room_of(path)
        if room is None:
            continue
        name, allowed = room
        for line, included, quoted in includes(tree.texts[path]):
            if not quoted:
                continue
            if "src/" + included not in tree.texts:
                yield Finding(path, line, f'"{included}" is not a file below src; name the header from src on, '
                                          'or use <> for a foreign one')
            elif not any(may_include(pattern, included) for pattern in allowed):
                yield Finding(path, line, f"{name} may not include {included}, only {', '.join(allowed)}; "
                                          "move the code to the room it belongs to (ARCHITECTURE.md)")


TECHNOLOGY = re.compile(
    r"(sqlite3|sodium|jansson|libpq-fe|qrencode|zlib|png)\.h$|(sodium|curl|openssl|hiredis|librdkafka|grpc|postgresql)/")


def check_technology(tree):
    for path in tree.codes:
        if path.startswith("src/adapter/") or path.startswith(("test/", "bench/")):
            continue
        for line, included, _ in includes(tree.texts[path]):
            if TECHNOLOGY.match(included):
                yield Finding(path, line, f"<{included}> belongs in src/adapter only; go through the header of a port")


# --- files ---

def check_unique_names(tree):
    seen = {}
    for path in tree.texts:
        name = path.rsplit("/", 1)[-1]
        if not path.startswith("src/") or name in ("meson.build", "README.md"):
            continue
        if name in seen:
            yield Finding(path, 1, f"{seen[name]} has the same file name; give this one a name of its own")
        seen.setdefault(name, path)


def named_in_build(text):
    """The names of files in a meson.build: literal, 'stem' + '.c' of a loop, '@0@.c' templates; and globs."""
    text = re.sub(r"#[^\n]*", "", text)
    strings = re.findall(r"'([^'\n]*)'", text)
    names = set(strings)
    for ending in re.findall(r"\+\s*'([^'\n]*\.[ch])'", text):
        names.update(string + ending for string in strings)
    for template in [string for string in strings if "@" in string]:
        names.update(re.sub(r"@\w+@", lambda _, s=string: s, template) for string in strings)
    return names, [string for string in strings if "*" in string]


def is_built(path, builds):
    """Named in the meson.build of its folder or of one above."""
    folder = path
    while "/" in folder:
        folder = folder.rsplit("/", 1)[0]
        if folder + "/meson.build" in builds:
            names, globs = builds[folder + "/meson.build"]
            relative = path[len(folder) + 1:]
            if relative in names or any(fnmatch.fnmatchcase(relative, glob) for glob in globs):
                return True
    names, globs = builds.get("meson.build", ((), ()))
    return path in names or any(fnmatch.fnmatchcase(path, glob) for glob in globs)


def check_dead_files(tree):
    builds = {path: named_in_build(text) for path, text in tree.texts.items() if path.endswith("meson.build")}
    used = set()
    for path in tree.codes:
        used.update(included.rsplit("/", 1)[-1] for _, included, _ in includes(tree.texts[path]))
    for path in tree.codes:
        name = path.rsplit("/", 1)[-1]
        if name in used:
            continue
        if path.endswith(".h"):
            yield Finding(path, 1, "nobody includes this header; use it or delete it")
        elif not is_built(path, builds):
            yield Finding(path, 1, "no meson.build names this file; add it to the one of its folder or delete it")


# --- calls ---

BANNED = {
    "strcpy": "memcpy with a checked length", "strcat": "a buffer (base/buffer.h)", "sprintf": "snprintf or buffer_printf",
    "gets": "read with a length", "strtok": "strsep or a loop", "atoi": "text_to_number", "rand": "the random port",
    "srand": "the random port", "system": "posix_spawn", "popen": "posix_spawn", "alloca": "an arena (base/arena.h)",
}
CLOCKS = ("time", "gettimeofday", "clock_gettime")
# The log stamps its own lines: they are read by people, no decision depends on them.
CLOCK_ROOMS = ("src/adapter/system/", "src/base/log.c")
IMPURE = ("malloc", "calloc", "realloc", "reallocarray", "free", "strdup", "printf", "fprintf", "fopen", "getenv", "log_write")


def calls(code):
    """(line, name) of what looks like a call of a plain function; x->name( and x.name( are members."""
    for match in re.finditer(r"(?<![\w.])(?<!->)([A-Za-z_]\w*)\s*\(", code):
        yield line_of(code, match.start()), match.group(1)


def check_calls(tree):
    for path, code in tree.codes.items():
        rules = re.search(r"_rules\.[ch]$", path) is not None
        clock_allowed = path.startswith(CLOCK_ROOMS) or is_trial(path)
        for line, name in calls(code):
            if name in BANNED:
                yield Finding(path, line, f"{name}() is banned; use {BANNED[name]}")
            elif name in CLOCKS and not clock_allowed:
                yield Finding(path, line, f"{name}() reads the clock; take the time as an argument or ask the clock port")
            elif rules and name in IMPURE:
                yield Finding(path, line, f"{name}() in a rules file; rules only decide: leave this to their caller")


# --- lines ---

LEFTOVER = re.compile(r"\b(FIX" r"ME|X" r"XX|TO" r"DO)\b")
PLACE = re.compile(r"(?<![\w.])/(?:work|root)/")
REGISTRY = re.compile(r"https?://[a-z0-9.-]*(?:npm|p[y]pi|pythonhosted|crates|golang|maven|debian)[a-z0-9.-]*/", re.IGNORECASE)


def check_lines(tree):
    for path, text in tree.texts.items():
        code = path.endswith(CODE_ENDINGS)
        words = "lock" not in path.rsplit("/", 1)[-1]
        for line, content in enumerate(text.split("\n"), 1):
            if code and len(content) > COLUMNS_MAX:
                yield Finding(path, line, f"{len(content)} columns; break the line at {COLUMNS_MAX} or before")
            if code and "\t" in content:
                yield Finding(path, line, "a tab; indent with blanks")
            leftover = LEFTOVER.search(content) if code else None
            if leftover:
                yield Finding(path, line, f"{leftover.group()} left over; do it now or open an issue")
            if words and PLACE.search(content):
                yield Finding(path, line, "a path of somebody's machine; name it relative to the repository")
            if words and REGISTRY.search(content):
                yield Finding(path, line, "the address of a package registry; name the package only")


# --- functions ---

def functions(code):
    """(first line, name, number of lines) of each function: from its signature to the brace that closes it."""
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda match: re.sub(r"[^\n]", " ", match.group()), code, flags=re.MULTILINE)
    depth = 0
    head_start = 0  # of what may become a signature
    function = None
    for match in re.finditer(r"[{};]", code):
        at, mark = match.start(), match.group()
        if mark == "{":
            if depth == 0:
                function = signature_name(code[head_start:at])
            depth += 1
            continue
        if mark == "}":
            # A brace in the first column closes everything: branches of #if may have opened the same block twice.
            depth = 0 if at == 0 or code[at - 1] == "\n" else max(depth - 1, 0)
        if depth == 0:
            if mark == "}" and function:
                head = code[head_start:at]
                first = line_of(code, head_start + len(head) - len(head.lstrip()))
                yield first, function, line_of(code, at) - first + 1
            function = None
            head_start = at + 1


def signature_name(head):
    head = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", head, flags=re.DOTALL).strip()
    match = re.search(r"([A-Za-z_]\w*)\s*\(", head)
    return match.group(1) if match and head.endswith(")") and "=" not in head else None


def read_long_functions(tree):
    listed = {}
    for line, content in enumerate(tree.texts.get(LONG_FUNCTIONS, "").split("\n"), 1):
        words = content.split("#")[0].split()
        if words:
            path, name, length = words
            listed[path, name] = int(length), line
    return listed


def check_function_lengths(tree):
    listed = read_long_functions(tree)
    for path, code in tree.codes.items():
        for line, name, length in functions(code):
            limit, listed_at = listed.get((path, name), (None, None))
            if length > FUNCTION_LONG:
                listed.pop((path, name), None)
                if limit is None:
                    yield Finding(path, line, f"{name} has {length} lines; split it, or list it in {LONG_FUNCTIONS} "
                                              "if it is better in one piece")
                elif length > limit:
                    yield Finding(path, line, f"{name} has grown from {limit} to {length} lines; move something out of it")
                elif length < limit:
                    yield Finding(LONG_FUNCTIONS, listed_at, f"{name} has shrunk to {length} lines; lower the number")
            elif length > FUNCTION_SHORT:
                yield Finding(path, line, f"{name} has {length} lines, just above {FUNCTION_SHORT}; make it shorter")
    for (path, name), (_, line) in listed.items():
        yield Finding(LONG_FUNCTIONS, line, f"{path} has no function {name} above {FUNCTION_LONG} lines; delete this line")


RULES = (check_rooms, check_technology, check_unique_names, check_dead_files, check_calls, check_lines, check_function_lengths)


def check(root):
    tree = Tree(root)
    return sorted(finding for rule in RULES for finding in rule(tree))


def main(arguments):
    root = arguments[1] if len(arguments) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    findings = check(root)
    for finding in findings:
        print(f"{finding.path}:{finding.line}: {finding.text}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
