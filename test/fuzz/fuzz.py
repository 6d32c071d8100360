#!/usr/bin/env python3
"""test/fuzz/fuzz.py: lets every libFuzzer program of a build look for inputs that break a promise, for a bounded time.

    test/fuzz/fuzz.py --build build-clang --seconds 60 [NAME…]

Each works on a copy of its corpus, so that the source tree stays as it is. An input that crashes, hangs or leaks stays
in BUILD/found and is shown; put it into test/fuzz/corpus/NAME together with the fix, and ordinary builds replay it.
"""

import argparse
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
INPUT_MAX = {"http1": 20000, "json": 4096, "plan": 8192, "config": 4096, "text": 128, "token": 1024}
INPUT_SECONDS, MEMORY_MB, START_SECONDS = 10, 1024, 60


def new_artifacts(prefix, before):
    return sorted(set(glob.glob(prefix + "*")) - before)


def fuzz(program, build, seconds):
    """(fine, text) of one fuzzer's run."""
    name = os.path.basename(program)[: -len("_fuzz")]
    found = os.path.join(build, "found")
    os.makedirs(found, exist_ok=True)
    prefix = os.path.join(found, name + "-")
    before = set(glob.glob(prefix + "*"))
    with tempfile.TemporaryDirectory(prefix="fuzz-") as corpus:
        seeds = os.path.join(HERE, "corpus", name)
        for seed in os.listdir(seeds):
            shutil.copy(os.path.join(seeds, seed), corpus)
        command = [program, f"-max_total_time={seconds}", f"-max_len={INPUT_MAX[name]}", f"-timeout={INPUT_SECONDS}"]
        command += [f"-rss_limit_mb={MEMORY_MB}", f"-artifact_prefix={prefix}", "-print_final_stats=1", corpus]
        try:
            result = subprocess.run(command, capture_output=True, timeout=seconds + START_SECONDS)
        except subprocess.TimeoutExpired:
            return False, f"{name}: did not come to an end"
        log = result.stderr.decode(errors="replace")
        kept = len(os.listdir(corpus))
    runs = re.search(r"number_of_executed_units:\s*(\d+)", log)
    if result.returncode == 0 and runs:
        return True, f"{name}: {int(runs.group(1))} inputs in {seconds} s, {kept} of them interesting"
    told = [line for line in log.splitlines() if not re.match(r"#\d+\s", line)]
    lines = [f"{name}: exit code {result.returncode}", *told[-40:]]
    for path in new_artifacts(prefix, before):
        with open(path, "rb") as file:
            lines.append(f"{os.path.relpath(path)}: {file.read(4096)!r}")
        lines.append(f"again: {os.path.relpath(program)} {os.path.relpath(path)}")
    return False, "\n  ".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="a build folder made with clang and -Dfuzzers=true")
    parser.add_argument("--seconds", type=int, default=10, help="for each")
    parser.add_argument("names", nargs="*", help="only these: " + " ".join(INPUT_MAX))
    arguments = parser.parse_args()
    programs = [os.path.join(arguments.build, "test", "fuzz", name + "_fuzz") for name in arguments.names or INPUT_MAX]
    missing = [program for program in programs if not os.path.exists(program)]
    if missing:
        print("not built: " + " ".join(missing))
        return 1
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for fine, text in pool.map(lambda program: fuzz(program, arguments.build, arguments.seconds), programs):
            failed += not fine
            print(text, flush=True)
    print(f"{failed} failed, {len(programs) - failed} passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
