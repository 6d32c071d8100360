#!/usr/bin/env python3
"""test/tidy/purity.py [ROOT]: rules only decide. The symbols of each *_rules.c, compiled alone, are the proof:
what it needs from elsewhere must be on a short list, and it may have no variable that lives on between two calls."""

import glob
import os
import re
import subprocess
import sys
import tempfile

NEEDS = re.compile(r"assert_failed|mem(chr|cmp|cpy|move|set)|str(chr|len|cmp)|__stack_chk_fail|(text|time)_\w+")
COMPILE = ["-std=gnu17", "-D_GNU_SOURCE", "-O1", "-fno-pic", "-fno-common", "-c"]


def findings_of(root, path):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "rules.o")
        compiler = os.environ.get("CC", "gcc").split()
        subprocess.run([*compiler, *COMPILE, "-I", os.path.join(root, "src"), path, "-o", out], check=True)
        symbols = subprocess.run(["nm", out], check=True, capture_output=True, text=True).stdout
    name = os.path.relpath(path, root)
    for line in symbols.splitlines():
        kind, symbol = line.split()[-2:]
        if kind == "U" and not NEEDS.fullmatch(symbol):
            yield f"{name}: needs {symbol}; rules only decide: take what it tells as an argument"
        if kind in "bBdDC":
            yield f"{name}: {symbol} is a variable that outlives a call; rules have no memory: make it const, or an argument"


def check(root):
    paths = sorted(glob.glob(os.path.join(root, "src", "service", "*", "*_rules.c")))
    return [finding for path in paths for finding in findings_of(root, path)], len(paths)


def main(arguments):
    root = arguments[1] if len(arguments) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    findings, files = check(root)
    print("\n".join(findings) or f"{files} files of rules are pure")
    return 1 if findings or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
