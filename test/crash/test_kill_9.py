"""kill -9 at a random moment of a rehearsal: nothing that was acknowledged is lost, and the audit finds nothing.

The rehearsal writes down every acknowledged answer after it came in. Its server is killed, started again on the same
folder, given time to come to rest, stopped and audited; then each acknowledged answer is looked up in the database.
A few rounds in CI, seventy behind `./dev test --long`. The seed of each round is printed when it fails.
"""

import datetime
import hashlib
import json
import os
import random
import sqlite3
import subprocess
import time

import pytest
from kit import PROGRAM, Server, until

LONG = bool(os.environ.get("TEST_LONG"))
DIGITS = {letter: value for value, letter in enumerate("0123456789abcdefghjkmnpqrstvwxyz")}
ORDER_DONE, ORDER_REFUNDED = 2, 5


def number(text):
    value = 0
    for letter in text.split("_", 1)[1].split("-")[0]:
        value = value * 32 + DIGITS[letter]
    return value


def acknowledged(path):
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    return [json.loads(line) for line in lines if line]


def lost(folder, acks):
    """Every acknowledged answer that the database does not bear out."""
    database = sqlite3.connect(f"file:{folder}/ticketrush.db?mode=ro", uri=True)
    holds = {row[0]: row for row in database.execute("SELECT id, account_id, state FROM hold")}
    orders = {row[0]: row for row in database.execute("SELECT id, account_id, state FROM orders")}
    tickets = {}
    for order, place in database.execute("SELECT order_id, place FROM ticket"):
        tickets.setdefault(order, set()).add(place)
    entries = {(row[0], row[1]) for row in database.execute("SELECT account_id, number FROM line_entry")}
    database.close()
    missing = []
    for ack in acks:
        account = number(ack["account"])
        if ack["what"] == "line":
            fine = (account, ack["number"]) in entries
        elif ack["what"] in ("hold", "release"):
            fine = holds.get(number(ack["id"]), (0, 0))[1] == account
        elif ack["what"] == "order":
            fine = orders.get(number(ack["id"]), (0, 0))[1] == account
        elif ack["what"] == "payment":
            settled = (
                orders.get(number(ack["id"]), (0, 0, 0))[2] in (ORDER_DONE, ORDER_REFUNDED)
                and number(ack["id"]) in tickets
            )
            fine = settled or ack.get("state") != "CONFIRMED"
        elif ack["what"] == "tickets":
            fine = number(ack["id"]) in tickets
        else:
            raise AssertionError(f"an acknowledgement of an unknown kind: {ack}")
        if not fine:
            missing.append(ack)
    return missing


CROWD = ["--seats", "20000", "--buyers", "12000", "--arrive-seconds", "4", "--connections", "128"]
LOBBY = ["--lobby", "--seats", "6000", "--buyers", "2500", "--arrive-seconds", "0.5", "--connections", "128"]
LOBBY += ["--line-capacity", "400"]


def rehearse(server, acks, seed, *flags):
    command = [PROGRAM, "rehearse", "--url", f"http://127.0.0.1:{server.port}", "--key", f"{server.data}/keys/access.key"]
    command += ["--seed", str(seed), "--acks", acks, "--json", *flags]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def acknowledged_something(acks):
    until(lambda: os.path.exists(acks) and os.path.getsize(acks) > 0, "the first acknowledged answer", seconds=60)


def draw_of(server):
    """The draw of the only schedule there is."""
    stranger = server.stranger()
    event = stranger.get("/events").expect(200).json["events"][0]["eventId"]
    schedule = stranger.get(f"/events/{event}/schedules").expect(200).json["schedules"][0]
    return schedule, stranger.get(f"/schedules/{schedule['scheduleId']}/line/draw").expect(200).json


def come_to_rest(server, seed):
    operator = server.operator()

    def at_rest():
        lines = operator.get("/metrics").expect(200).raw.decode().splitlines()
        figures = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return figures["ticketrush_journal_lag"] == figures["ticketrush_payments_open"] == "0"

    until(at_rest, f"the sale to come to rest (seed {seed})", seconds=90, every=0.1)


def check_after_the_crash(server, acks, seed):
    told = acknowledged(acks)
    assert told, f"seed {seed}: the rehearsal was acknowledged nothing"
    crashed = server.audit(at_rest=False)
    assert crashed["ok"], (seed, json.dumps(crashed, indent=1)[:4000])
    server.start()
    come_to_rest(server, seed)
    return told


def check_at_rest(server, told, seed):
    assert server.stop() == 0, server.log()[-2000:]
    report = server.audit(at_rest=True)
    assert report["ok"], (seed, json.dumps(report, indent=1)[:4000])
    missing = lost(server.data, told)
    assert not missing, f"seed {seed}: {len(missing)} of {len(told)} acknowledged answers are lost: {missing[:5]}"


def seed_of(round_number):
    return random.SystemRandom().randrange(1 << 30) if LONG else 1000 + round_number


@pytest.mark.parametrize("round_number", range(50 if LONG else 4))
def test_nothing_acknowledged_is_lost(round_number, tmp_path):
    seed = seed_of(round_number)
    acks = str(tmp_path / "acks.jsonl")
    with Server("--pay-trouble", "decline:30,timeout-charged:20:300,notify-twice:50,delay:20:50") as server:
        with rehearse(server, acks, seed, *CROWD) as rehearsal:
            acknowledged_something(acks)
            time.sleep(random.Random(seed).uniform(0.05, 3.5))  # the random moment itself: nothing to await
            server.kill()
            rehearsal.wait(timeout=120)
        told = check_after_the_crash(server, acks, seed)
        check_at_rest(server, told, seed)


@pytest.mark.parametrize("round_number", range(20 if LONG else 3))
def test_the_draw_survives(round_number, tmp_path):
    """Killed around the moment of opening: everybody keeps the number, and the order is that of the published seed."""
    seed = seed_of(round_number)
    acks = str(tmp_path / "acks.jsonl")
    with Server() as server:
        with rehearse(server, acks, seed, *LOBBY) as rehearsal:
            acknowledged_something(acks)
            schedule, before = draw_of(server)
            opens_at = datetime.datetime.fromisoformat(schedule["opensAt"].replace("Z", "+00:00")).timestamp()
            moment = opens_at + random.Random(seed).uniform(-0.1, 0.5)
            time.sleep(max(0.0, moment - time.time()))
            server.kill()
            rehearsal.wait(timeout=120)
        told = check_after_the_crash(server, acks, seed)
        until(lambda: draw_of(server)[1].get("seed"), "the draw")
        draw = draw_of(server)[1]
        assert hashlib.sha256(bytes.fromhex(draw["seed"])).hexdigest() == before["commitment"] == draw["commitment"]
        assert draw["lobbyCount"] >= len({ack["account"] for ack in told if ack["what"] == "line"}) > 0
        check_at_rest(server, told, seed)
