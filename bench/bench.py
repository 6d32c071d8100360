#!/usr/bin/env python3
"""bench.py: every promised figure beside its target: `./dev bench [--quick] [--json] [--only WORD]`.

Rates of purchases and holds are of what the database holds after the run, audited. What is a share of a limit is
measured in the same run as the limit: limit_http answers every request with the same bytes, limit_sqlite writes the same
rows as bare batched statements. A part that is not built, or fails, is a line of the table that says so.
"""
import argparse
import json
import os
import re
import shutil
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MB = 1024 * 1024
PAST_SCHEDULES, PAST_SEATS, PAST_ORDERS_EACH = 100, 20000, 10000
ID_EPOCH_MS, DAY_MS = 1704067200000, 86400000
ID_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


class Missing(Exception):
    """A part that this figure needs is not there."""


class Table:
    def __init__(self, as_json):
        self.rows, self.as_json = [], as_json

    def add(self, figure, measured, target, unit="", at_least=True, note=""):
        met = None if target is None else (measured >= target if at_least else measured <= target)
        row = {"figure": figure, "measured": round(measured, 4), "target": target, "unit": unit,
               "bound": "at least" if at_least else "at most", "met": met, "note": note}
        self.rows.append(row)
        if not self.as_json:
            wish = "" if target is None else ("≥ " if at_least else "≤ ") + number(target)
            verdict = {True: "met", False: "MISSED", None: ""}[met]
            print(f"{figure:<58} {number(measured):>11} {unit:<11} {wish:>10}  {verdict:<7} {note}", flush=True)

    def missing(self, figure, why):
        self.rows.append({"figure": figure, "measured": None, "target": None, "met": None, "note": why})
        if not self.as_json:
            print(f"{figure:<58} {'-':>11} {'':<11} {'':>10}  {'MISSING':<7} {why}", flush=True)


def number(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 10 else f"{value:.1f}"


class Bench:
    def __init__(self, build, table, seconds):
        self.build, self.table, self.seconds = build, table, seconds
        self.program = os.path.join(build, "ticketrush")
        self.work = tempfile.mkdtemp(prefix="ticketrush-bench-")
        self.limits = {}

    def tool(self, name):
        path = os.path.join(self.build, "bench", name)
        if not os.path.exists(path):
            raise Missing(f"{name} is not built")
        return path

    def rehearse(self, *flags):
        command = [self.program, "rehearse", "--json", "--plain", *map(str, flags)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=900)
        try:
            figures = json.loads(result.stdout)
        except ValueError:
            raise Missing(f"rehearse failed: {(result.stderr or result.stdout).strip()[-300:]}") from None
        if result.returncode != 0:
            raise Missing(f"the rehearsal went wrong: {figures.get('firstError') or 'oversold, unpaid or audit'}")
        return figures

    def lines(self, name, *arguments):
        """A measuring program prints a line of JSON for each thing it measured."""
        result = subprocess.run([self.tool(name), *arguments], capture_output=True, text=True, timeout=900)
        found = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
        if result.returncode != 0 or not found:
            raise Missing(f"{name} failed: {result.stderr.strip()[-200:]}")
        return found

    # --- limits of the machine ---

    def http_limit(self):
        if "http" not in self.limits:
            server = subprocess.Popen([self.tool("limit_http")], stdout=subprocess.PIPE, text=True)
            try:
                port = int(server.stdout.readline())
                url = f"http://127.0.0.1:{port}"
                figures = self.rehearse("--mode", "bare", "--url", url, "--connections", 64, "--seconds", self.seconds)
            finally:
                server.kill()
                server.wait()
            self.limits["http"] = figures["perSecond"]
        return self.limits["http"]

    def sqlite_limit(self, what):
        if what not in self.limits:
            self.limits[what] = max(line["perSecond"] for line in self.lines("limit_sqlite", self.work, what) if line["what"] == what)
        return self.limits[what]

    # --- figures ---

    def purchases(self):
        figures = self.rehearse("--seats", 100000, "--buyers", 50000, "--arrive-seconds", 1, "--connections", 512)
        self.table.add("whole purchases, 2 seats each", figures["purchasesPerSecond"], 12000, "/s",
                       note=f"{figures['purchases']} counted, audit {'ok' if figures['auditOk'] else 'FAILED'}")
        self.table.add("  server CPU per purchase", figures["serverCpuMsPerPurchase"], 0.12, "ms", at_least=False)
        self.table.add("  client CPU per request", figures["clientCpuSeconds"] * 1e6 / figures["requests"], None, "us")
        for step in ("enter", "hold", "order", "pay", "tickets"):
            self.table.add(f"  p99 of {step}", figures["latencyMs"][step]["p99"], 100 if step == "hold" else None, "ms", at_least=False)
        self.table.add("  resident at most", figures["serverPeakRssBytes"] / MB, None, "MB")
        self.rate = figures["purchasesPerSecond"]
        share = figures["purchasesPerSecond"] / self.sqlite_limit("purchases")
        self.table.add("  share of bare SQLite with the same rows", share * 100, 40, "%",
                       note=f"of {self.sqlite_limit('purchases'):,.0f}/s")

    def profile(self):
        """Where the server's time goes while it sells: by thread and library, and the functions that take most of it."""
        if not shutil.which("perf"):
            raise Missing("perf is not installed")
        recorded = os.path.join(self.work, "perf.data")
        rehearsal = subprocess.Popen([self.program, "rehearse", "--json", "--plain", "--seats", "100000", "--buyers", "50000",
                                      "--arrive-seconds", "1", "--connections", "512"], stdout=subprocess.PIPE, text=True)
        try:
            server = server_of(rehearsal.pid)
            subprocess.run(["perf", "record", "-q", "-F", "997", "-o", recorded, "-p", server], check=True, stderr=subprocess.DEVNULL)
            rehearsal.communicate(timeout=300)
        finally:
            rehearsal.kill()
        for keys, most in (("comm,dso", 12), ("comm,sym", 15)):
            for share, what in profile_lines(recorded, keys)[:most]:
                self.table.add("  profile: " + what, share, None, "%")

    def sold_out(self):
        self.data = os.path.join(self.work, "sold-out")
        figures = self.rehearse("--seats", 50000, "--buyers", 60000, "--arrive-seconds", 1, "--connections", 512,
                                "--data", self.data)
        self.table.add("50,000 seats sold out to a crowd of 60,000", figures["wallSeconds"], 3, "s", at_least=False,
                       note=f"{figures['sold']} sold, {figures['wentHome']} went home without")

    def holds(self):
        figures = self.rehearse("--mode", "hold", "--seats", 50000, "--connections", 512, "--seconds", max(self.seconds, 5))
        commands = figures["requests"] / figures["wallSeconds"]
        self.table.add("durable holds, each released again", figures["perSecond"], None, "/s", note=f"{commands:,.0f} commands/s")
        self.table.add("  server CPU per hold and release", figures["serverCpuMsEach"], 0.06, "ms", at_least=False,
                       note="0.03 for each of the two")
        series = figures["bySecond"]
        if len(series) > 3:
            share = series[0] / statistics.median(series[1:-1])
            self.table.add("  first second after a start, of the steady rate", share * 100, 90, "%")
        self.table.add("  commands as a share of bare SQLite's holds", commands * 100 / self.sqlite_limit("holds"), 50, "%",
                       note=f"of {self.sqlite_limit('holds'):,.0f}/s")

    def cheap(self):
        limit = self.http_limit()
        self.table.add("bare epoll program with a fixed answer", limit, None, "/s")
        kinds = (("refuse", "requests that cannot win, refused", 60, 80000), ("catalogue", "an event's page", 80, None),
                 ("status", "place in line", 80, None))
        for mode, name, share, rate in kinds:
            try:
                figures = self.rehearse("--mode", mode, "--seats", 1000, "--connections", 64, "--seconds", self.seconds)
            except Missing as why:
                self.table.missing(name, str(why))
                continue
            self.table.add(name, figures["perSecond"], rate, "/s")
            self.table.add("  share of the bare program", figures["perSecond"] * 100 / limit, share, "%")

    def rules(self):
        for line in self.lines("bench_rules"):
            self.table.add("rules alone, decisions on one core", line["decisionsPerSecond"], 1000000, "/s")

    def line(self):
        for line in self.lines("bench_line"):
            self.table.add(f"a line of {line['people']:,} people, in memory each", line["heapBytesPerPerson"], 100, "bytes",
                           at_least=False)
            self.table.add("  a place in it, in memory", line["statusPerSecond"], None, "/s")
        people = 100000 if self.seconds < 5 else 300000
        figures = self.rehearse("--mode", "enter", "--seats", 1000, "--buyers", people, "--connections", 512)
        self.table.add("  entering it, durable", figures["perSecond"], 60000, "/s", note=f"{figures['entered']} counted")

    def size(self):
        stripped = os.path.join(self.work, "stripped")
        subprocess.run(["strip", "-o", stripped, self.program], check=True)
        self.table.add("the stripped program", os.path.getsize(stripped) / MB, 5, "MB", at_least=False)

    def start(self):
        folder = getattr(self, "data", None)
        if not folder or not os.path.isdir(folder):
            folder = os.path.join(self.work, "start")
            self.rehearse("--seats", 50000, "--buyers", 5000, "--data", folder)
        times = []
        for _ in range(5):
            server = Server(self.program, folder)
            times.append(server.started_ms)
            server.stop()
        self.table.add("start on a database with 50,000 seats", statistics.median(times), 100, "ms", at_least=False)
        server = Server(self.program, os.path.join(self.work, "empty"))
        self.table.add("idle, resident", server.resident() / MB, 20, "MB", at_least=False)
        server.stop()

    def with_a_past(self):
        folder = os.path.join(self.work, "past")
        make_past(self.program, folder)
        size = os.path.getsize(os.path.join(folder, "ticketrush.db")) / MB
        figures = self.rehearse("--seats", 100000, "--buyers", 50000, "--arrive-seconds", 1, "--connections", 512, "--data", folder)
        rate = getattr(self, "rate", None)
        self.table.add("purchases beside a million past ones on 100 schedules", figures["purchasesPerSecond"], rate and rate * 0.9,
                       "/s", note=f"in a file of {size:,.0f} MB" + ("; target: within 10 % of without" if rate else ""))

    def close(self):
        shutil.rmtree(self.work, ignore_errors=True)


def server_of(pid):
    """The child of a rehearsal, once all its threads have been there for a while: perf sees no later ones."""
    seen = (None, 0)
    for _ in range(200):
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            found = children.read().split()
        threads = (found[0], len(os.listdir(f"/proc/{found[0]}/task"))) if found else (None, 0)
        if threads == seen and threads[1] > 2:
            return found[0]
        seen = threads
        time.sleep(0.05)
    raise Missing("the rehearsal started no server")


def profile_lines(recorded, keys):
    report = subprocess.run(["perf", "report", "-i", recorded, "--no-children", "-g", "none", "-s", keys], capture_output=True, text=True)
    found = re.findall(r"^\s*([0-9.]+)%\s+(\S.*?)\s*$", report.stdout, re.M)
    return [(float(share), " ".join(what.split())) for share, what in found]


class Server:
    """serve on a folder, for what needs no crowd."""

    def __init__(self, program, folder):
        began = time.monotonic()
        self.process = subprocess.Popen([program, "serve", "--data", folder, "--listen", "127.0.0.1:0", "--log-level", "warning",
                                         "--commands-per-minute", "0"], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.started_ms = (time.monotonic() - began) * 1000
        found = re.search(r":(\d+),", line)
        if not found:
            raise Missing("the server did not start: " + line.strip())
        self.url = f"http://127.0.0.1:{found.group(1)}"

    def call(self, method, path, token, body=None):
        request = urllib.request.Request(self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": "Bearer " + token, "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)

    def resident(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) * 1024

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=120)


# --- a past: a hundred sold-out schedules, filled in offline ---


def spell(prefix, value):
    digits = ""
    for _ in range(13):
        digits = ID_DIGITS[value % 32] + digits
        value //= 32
    return f"{prefix}_{digits}"


def value_of(text):
    value = 0
    for digit in text.split("_")[1]:
        value = value * 32 + ID_DIGITS.index(digit)
    return value


def past_plan():
    row = lambda r: {"row_number": str(r + 1), "position": {"x": 0, "y": 30 * r}, "seats": [
        {"seat_guid": f"{r}-{s}", "seat_number": str(s + 1), "position": {"x": 25 * s, "y": 0}, "category": "A"} for s in range(100)]}
    return {"name": "Old hall", "size": {"width": 3000, "height": 6100}, "categories": [{"name": "A"}],
            "zones": [{"name": "Floor", "position": {"x": 0, "y": 0}, "rows": [row(r) for r in range(PAST_SEATS // 100)]}]}


def iso(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(ms / 1000))


def make_schedules(program, folder):
    """Through the API, as an organiser would: the service makes their seats."""
    server = Server(program, folder)
    try:
        command = [program, "token", "--data", folder, "--role", "organiser", "--account", spell("acc", 77)]
        token = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        now = int(time.time() * 1000)
        venue = server.call("POST", "/api/v1/venues", token, {"name": "Old hall", "address": "1 Past Street", "city": "Seoul"})["venueId"]
        plan = server.call("POST", f"/api/v1/venues/{venue}/plans", token, past_plan())["planId"]
        schedules = []
        for i in range(PAST_SCHEDULES):
            event = server.call("POST", "/api/v1/events", token,
                                {"title": f"Past {i}", "description": "", "city": "Seoul", "category": "concert"})
            schedules.append(server.call("POST", f"/api/v1/events/{event['eventId']}/schedules", token, {
                "planId": plan, "startsAt": iso(now + 30 * DAY_MS), "opensAt": iso(now), "cap": 2,
                "grades": [{"category": "A", "amount": 50000}], "line": {"capacity": 1000000}})["scheduleId"])
        for schedule in schedules:
            ends = time.monotonic() + 120
            while not server.call("GET", f"/api/v1/schedules/{schedule}/seats", token).get("states"):
                if time.monotonic() > ends:
                    raise Missing("the seats of the past did not appear")
        return [value_of(schedule) for schedule in schedules]
    finally:
        server.stop()


def make_past(program, folder):
    schedules = make_schedules(program, folder)
    database = sqlite3.connect(os.path.join(folder, "ticketrush.db"), isolation_level=None)
    database.execute("PRAGMA synchronous = OFF")
    database.execute("BEGIN")
    last_event, = database.execute("SELECT coalesce(max(id), 0) FROM journal").fetchone()
    began = int(time.time() * 1000)
    for place, schedule in enumerate(schedules):
        fill_schedule(database, schedule, place * PAST_ORDERS_EACH, began, last_event)
    last_event += len(schedules) * PAST_ORDERS_EACH
    database.execute("UPDATE inbox SET position = ?", (last_event,))
    database.execute("COMMIT")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def fill_schedule(database, schedule, first, at, last_event):
    """Sold out: 10,000 people with two seats each, their places in line, holds, orders, payments and tickets."""
    people = range(first, first + PAST_ORDERS_EACH)
    seats = lambda i: (2 * (i - first), 2 * (i - first) + 1)
    # Numbers of the past are lower than any that will be given out.
    order = lambda i: ((at - ID_EPOCH_MS - 2000000 + i) << 22) | 1
    account = lambda i: ((at - ID_EPOCH_MS - 4000000 + i) << 22) | 1
    run = database.executemany
    run("INSERT INTO account (id, email, name, password_hash, role, created_at) VALUES (?, ?, ?, ?, 1, ?)",
        ((account(i), f"person{i}@past.example", f"Person {i}", "$argon2id$v=19$m=19456,t=2,p=1$none", at) for i in people))
    run("INSERT INTO line_entry (schedule_id, number, account_id, state, entered_at, admitted_at, pass_ends_at, ended_at)"
        " VALUES (?, ?, ?, 2, ?, ?, ?, ?)",
        ((schedule, i - first + 1, account(i), at, at, at + 600000, at) for i in people))
    run("INSERT INTO hold (id, schedule_id, account_id, state, paying, ordered, created_at, expires_at, ended_at, seats, idempotency_key,"
        " idempotency_fingerprint) VALUES (?, ?, ?, 1, 0, 1, ?, ?, ?, ?, 0, 0)",
        ((order(i), schedule, account(i), at, at + 900000, at, struct.pack("<IIII", seats(i)[0], 1, seats(i)[1], 1)) for i in people))
    run("UPDATE seat SET state = 2, hold_id = ?, hold_version = 1 WHERE schedule_id = ? AND seat = ?",
        ((order(i), schedule, seat) for i in people for seat in seats(i)))
    run("INSERT INTO orders (id, schedule_id, account_id, state, amount, currency, refund_amount, seats, created_at, updated_at,"
        " reason, idempotency_key, idempotency_fingerprint) VALUES (?, ?, ?, 2, 100000, 'KRW', 0, ?, ?, ?, '', 0, 0)",
        ((order(i), schedule, account(i), struct.pack("<IqIq", seats(i)[0], 50000, seats(i)[1], 50000), at, at) for i in people))
    run("INSERT INTO payment (id, schedule_id, account_id, state, amount, currency, refund_amount, token, provider, reference, code,"
        " attempts, next_at, created_at, updated_at, idempotency_key, idempotency_fingerprint)"
        " VALUES (?, ?, ?, 3, 100000, 'KRW', 0, '', 'builtin', ?, '', 1, 0, ?, ?, 0, 0)",
        ((order(i), schedule, account(i), f"past-{i}", at, at) for i in people))
    run("INSERT INTO ticket (order_id, place, schedule_id, account_id, seat, state, issued_at, used_at, used_by)"
        " VALUES (?, ?, ?, ?, ?, 0, ?, 0, '')",
        ((order(i), place, schedule, account(i), seats(i)[place], at) for i in people for place in (0, 1)))
    run("INSERT INTO order_tally VALUES (?, 0, 0, ?, 0, 0, 0, ?, 0)", [(schedule, PAST_ORDERS_EACH, PAST_ORDERS_EACH * 100000)])
    run("INSERT INTO journal (id, at, type, schedule_id, subject_id, account_id, cause_id, payload) VALUES (?, ?, 21, ?, ?, ?, 0, '')",
        ((last_event + 1 + i, at, schedule, order(i), account(i)) for i in people))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), help="the build folder")
    parser.add_argument("--quick", action="store_true", help="without the million past orders, and shorter")
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of the table")
    parser.add_argument("--only", default="", help="parts whose name has this word: purchases, profile, sold_out, holds, cheap, rules, "
                                                   "line, size, start, with_a_past")
    arguments = parser.parse_args()
    table = Table(arguments.json)
    bench = Bench(os.path.abspath(arguments.build), table, 2 if arguments.quick else 5)
    parts = [bench.size, bench.purchases, bench.profile, bench.sold_out, bench.holds, bench.cheap, bench.rules, bench.line, bench.start]
    if not arguments.quick:
        parts.append(bench.with_a_past)
    try:
        for part in parts:
            if arguments.only not in part.__name__:
                continue
            try:
                part()
            except (Missing, OSError, KeyError, ValueError, subprocess.SubprocessError, sqlite3.Error) as why:
                table.missing(part.__name__.replace("_", " "), str(why))
    finally:
        bench.close()
    if arguments.json:
        print(json.dumps({"figures": table.rows}, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
