"""kit.py: a server of its own for each story, and people who talk to it.

    with Server() as server:
        organiser = server.organiser()
        sale = organiser.sale(rows=2, seats_per_row=5, cap=4)
        buyer = server.buyer()
        answer = buyer.post(f"/schedules/{sale.id}/line")

Every person is an account number with a token that `ticketrush token` signed (or that a log-in gave). Requests are plain
http.client: one connection a person, JSON in and out. Nothing here sleeps for a fixed time: `until` awaits a condition.
"""

import contextlib
import dataclasses
import datetime
import gzip
import http.client
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("TEST_PROGRAM", os.path.join(ROOT, "build", "ticketrush"))
API = "/api/v1"
ID_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def spell(prefix, number):
    """An id as the API spells it: prefix_ and 13 digits of Crockford base32."""
    digits = ""
    for _ in range(13):
        digits = ID_DIGITS[number % 32] + digits
        number //= 32
    return f"{prefix}_{digits}"


def iso(seconds_from_now=0.0):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds_from_now)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def until(condition, what, seconds=20.0, every=0.02):
    """The first true value of condition(); fails with `what` after so many seconds."""
    ends = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < ends, f"waited {seconds} s for {what}"
        time.sleep(every)


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict
    raw: bytes

    @property
    def json(self):
        return json.loads(self.raw)

    @property
    def code(self):
        """The stable code of a problem document."""
        assert self.headers.get("content-type", "").startswith("application/problem+json"), (
            self.status,
            self.raw[:300],
        )
        return self.json["code"]

    def expect(self, *statuses):
        assert self.status in statuses, f"{self.status} instead of {statuses}: {self.raw[:600]!r}"
        return self


class Person:
    def __init__(self, server, token=None, account=None):
        self.server, self.token, self.account = server, token, account
        self.connection = None
        self.passes = {}

    def call(self, method, path, body=None, headers=None):
        sent = dict(headers or {})
        if self.token:
            sent.setdefault("Authorization", "Bearer " + self.token)
        payload = None
        if body is not None:
            payload = body if isinstance(body, (bytes, str)) else json.dumps(body, ensure_ascii=False)
            payload = payload.encode() if isinstance(payload, str) else payload
            sent.setdefault("Content-Type", "application/json")
        target = path if path.startswith(("/healthz", "/readyz", "/metrics", "/.well-known", API)) else API + path
        for attempt in (0, 1):
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
            try:
                self.connection.request(method, target, payload, sent)
                response = self.connection.getresponse()
                raw = response.read()
                break
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # a kept connection that the server had closed meanwhile: only then once more
                fresh = attempt == 1
                self.connection.close()
                self.connection = None
                if fresh or method != "GET":
                    raise
        found = {name.lower(): value for name, value in response.getheaders()}
        if found.get("content-encoding") == "gzip":
            raw = gzip.decompress(raw)
        return Answer(response.status, found, raw)

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.call("POST", path, body, **more)

    def put(self, path, body=None, **more):
        return self.call("PUT", path, body, **more)

    def patch(self, path, body=None, **more):
        return self.call("PATCH", path, body, **more)

    def delete(self, path, **more):
        return self.call("DELETE", path, **more)

    # what a buyer does

    def enter(self, sale):
        """Enters the line and waits for the pass."""
        self.post(f"/schedules/{sale.id}/line").expect(200, 201)

        def admitted():
            answer = self.get(f"/schedules/{sale.id}/line").expect(200)
            return answer.json if answer.json["state"] == "ADMITTED" else None

        self.passes[sale.id] = until(admitted, "a pass")["pass"]
        return self.passes[sale.id]

    def hold(self, sale, seats, key=None, queue_pass=None):
        headers = {"X-Queue-Token": queue_pass or self.passes.get(sale.id, "")}
        if key:
            headers["Idempotency-Key"] = key
        return self.post(f"/schedules/{sale.id}/holds", {"seats": seats}, headers=headers)

    def order(self, hold_id, key=None):
        return self.post("/orders", {"holdId": hold_id}, headers={"Idempotency-Key": key} if key else None)

    def pay(self, order_id, token=None, key=None):
        body = {"paymentToken": token} if token else {}
        return self.post(f"/orders/{order_id}/pay", body, headers={"Idempotency-Key": key} if key else None)

    def buy(self, sale, seats, token=None):
        """Line, hold, order, pay: the order's id and the answer to the payment."""
        if sale.id not in self.passes:
            self.enter(sale)
        hold = self.hold(sale, seats).expect(201).json
        order = self.order(hold["holdId"]).expect(201).json
        return order["orderId"], self.pay(order["orderId"], token)

    def order_state(self, order_id):
        return self.get(f"/orders/{order_id}").expect(200).json["state"]


class Organiser(Person):
    def plan(self, rows=2, seats_per_row=5, categories=("R",)):
        """A plan whose seats are numbered row by row; the categories take turns by row."""
        return {
            "name": "Small hall",
            "size": {"width": 1000, "height": 1000},
            "categories": [{"name": name, "color": "#336699"} for name in categories],
            "zones": [
                {
                    "name": "Floor",
                    "position": {"x": 0, "y": 0},
                    "rows": [
                        {
                            "row_number": str(row + 1),
                            "position": {"x": 0, "y": 30 * row},
                            "seats": [
                                {
                                    "seat_guid": f"{row + 1}-{seat + 1}",
                                    "seat_number": str(seat + 1),
                                    "position": {"x": 25 * seat, "y": 0},
                                    "category": categories[row % len(categories)],
                                }
                                for seat in range(seats_per_row)
                            ],
                        }
                        for row in range(rows)
                    ],
                }
            ],
        }

    def venue(self):
        return (
            self.post("/venues", {"name": "Hall", "address": "1 Street", "city": "Seoul"}).expect(201).json["venueId"]
        )

    def event(self, title="A concert"):
        return (
            self.post("/events", {"title": title, "description": "", "city": "Seoul", "category": "concert"})
            .expect(201)
            .json["eventId"]
        )

    def sale(
        self,
        rows=2,
        seats_per_row=5,
        categories=("R",),
        amount=55000,
        opens_in=-1.0,
        lobby_opens_in=None,
        cap=4,
        hold_seconds=300,
        line=None,
        plan=None,
        **more,
    ):
        document = plan or self.plan(rows, seats_per_row, categories)
        plan_id = self.post(f"/venues/{self.venue()}/plans", document).expect(201).json["planId"]
        settings = {"capacity": 1000, **(line or {})}
        if lobby_opens_in is not None:
            settings["lobbyOpensAt"] = iso(lobby_opens_in)
        event_id = self.event()
        schedule = (
            self.post(
                f"/events/{event_id}/schedules",
                {
                    "planId": plan_id,
                    "startsAt": iso(30 * 86400),
                    "opensAt": iso(opens_in),
                    "cap": cap,
                    "holdSeconds": hold_seconds,
                    "grades": [{"category": category["name"], "amount": amount} for category in document["categories"]],
                    "line": settings,
                    **more,
                },
            )
            .expect(201)
            .json
        )
        sale = Sale(self.server, schedule["scheduleId"], event_id, plan_id, schedule)
        until(lambda: self.get(f"/schedules/{sale.id}/seats").status == 200 and sale.states(), "the seats to be made")
        return sale


@dataclasses.dataclass
class Sale:
    server: object
    id: str
    event: str
    plan: str
    schedule: dict

    def states(self):
        """One letter a seat: A H S B."""
        return Person(self.server).get(f"/schedules/{self.id}/seats").expect(200).json["states"]


class Server:
    """A server on a folder of its own. `keep` a folder to start again on it."""

    accounts = itertools.count(1_000_000)

    def __init__(self, *flags, data=None, environment=None, prefix=()):
        self.flags, self.environment, self.prefix = flags, environment or {}, list(prefix)
        self.own_folder = data is None
        self.data = data or tempfile.mkdtemp(prefix="ticketrush-story-")
        self.process = self.port = None
        self.lines = []

    def start(self):
        command = [
            *self.prefix,
            PROGRAM,
            "serve",
            "--data",
            self.data,
            "--listen",
            "127.0.0.1:0",
            "--sign-in-per-minute",
            "0",
            "--commands-per-minute",
            "0",
            "--log-level",
            "warning",
            *self.flags,
        ]
        self.errors = open(self.data + ".stderr", "ab")
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            stdin=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **self.environment},
        )
        for line in self.process.stdout:
            self.lines.append(line)
            serving = re.search(r"serving on http://[^:]+:(\d+)", line)
            if serving:
                self.port = int(serving.group(1))
                break
        else:
            self.process.wait()
            raise AssertionError("the server did not start: " + self.log()[-2000:])
        threading.Thread(target=lambda: [self.lines.append(line) for line in self.process.stdout], daemon=True).start()
        return self

    def log(self):
        self.errors.flush()
        with open(self.data + ".stderr", errors="replace") as log:
            return log.read()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)
        return self.process.returncode if self.process else None

    def restart(self):
        self.stop()
        return self.start()

    def audit(self, at_rest=True):
        """The auditor's report of the stopped server's folder."""
        command = [PROGRAM, "audit", "--data", self.data, "--json"] + (["--at-rest"] if at_rest else [])
        result = subprocess.run(command, capture_output=True, text=True)
        assert result.returncode in (0, 1), result.stderr
        return json.loads(result.stdout)

    def stop_and_audit(self, at_rest=True):
        assert self.stop() == 0, self.log()[-3000:]
        report = self.audit(at_rest)
        assert report["ok"], json.dumps(report, indent=1)[:4000]
        return report

    def token(self, role="buyer", account=None, seconds=3600):
        command = [PROGRAM, "token", "--data", self.data, "--role", role, "--seconds", str(seconds)]
        if account:
            command += ["--account", account]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def person(self, role="buyer", kind=Person):
        account = spell("acc", next(Server.accounts))
        return kind(self, self.token(role, account), account)

    def buyer(self):
        return self.person("buyer")

    def buyers(self, n):
        return [self.buyer() for _ in range(n)]

    def organiser(self):
        return self.person("organiser", Organiser)

    def operator(self):
        return self.person("operator")

    def gate(self):
        return self.person("gate")

    def stranger(self):
        return Person(self)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.kill()
        with contextlib.suppress(OSError):
            self.errors.close()
        if self.own_folder:
            shutil.rmtree(self.data, ignore_errors=True)
            with contextlib.suppress(OSError):
                os.unlink(self.data + ".stderr")


def at_once(people, do):
    """Runs do(person) for everybody at the same moment; the results in order."""
    barrier, results = threading.Barrier(len(people)), [None] * len(people)

    def run(i):
        barrier.wait()
        results[i] = do(people[i])

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(people))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
