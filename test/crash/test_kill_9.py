"""kill -9 at a random moment of a rehearsal: nothing that was acknowledged is lost, and the audit finds nothing.

The rehearsal writes down every acknowledged answer after it came in. Its server is killed, started again on the same
folder, given time to come to rest, stopped and audited; then each acknowledged answer is looked up in the database.
A few rounds in CI, fifty behind `./dev test --long`. The seed of each round is printed when it fails.
"""

import json
import os
import random
import sqlite3
import subprocess
import time

import pytest
from kit import PROGRAM, Server, until

ROUNDS = 50 if os.environ.get("TEST_LONG") else 4
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


def kill_at(server, acks, seconds):
    """When the first acknowledgements are in, and then a random while later."""
    until(lambda: os.path.exists(acks) and os.path.getsize(acks) > 0, "the first acknowledged answer", seconds=60)
    time.sleep(seconds)  # the random moment itself: nothing to await
    server.kill()


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_nothing_acknowledged_is_lost(round_number, tmp_path):
    seed = random.SystemRandom().randrange(1 << 30) if os.environ.get("TEST_LONG") else 1000 + round_number
    chance = random.Random(seed)
    acks = str(tmp_path / "acks.jsonl")
    with Server("--pay-trouble", "decline:30,timeout-charged:20:300,notify-twice:50,delay:20:50") as server:
        rehearsal = subprocess.Popen(
            [
                PROGRAM,
                "rehearse",
                "--url",
                f"http://127.0.0.1:{server.port}",
                "--key",
                f"{server.data}/keys/access.key",
                "--seats",
                "20000",
                "--buyers",
                "12000",
                "--arrive-seconds",
                "4",
                "--connections",
                "128",
                "--seed",
                str(seed),
                "--acks",
                acks,
                "--json",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            kill_at(server, acks, chance.uniform(0.05, 3.5))
            rehearsal.wait(timeout=120)
        finally:
            if rehearsal.poll() is None:
                rehearsal.kill()
                rehearsal.wait()
        told = acknowledged(acks)
        assert told, f"seed {seed}: the rehearsal was acknowledged nothing"
        crashed = server.audit(at_rest=False)
        assert crashed["ok"], (seed, json.dumps(crashed, indent=1)[:4000])
        server.start()
        operator = server.operator()

        def at_rest():
            metrics = operator.get("/metrics").expect(200).raw.decode()
            lag = next(line for line in metrics.splitlines() if line.startswith("ticketrush_journal_lag "))
            open_payments = next(
                (line for line in metrics.splitlines() if line.startswith("ticketrush_payments_open ")), "x 0"
            )
            return lag.split()[1] == "0" and open_payments.split()[1] == "0"

        until(at_rest, f"the sale to come to rest (seed {seed})", seconds=90, every=0.1)
        assert server.stop() == 0, server.log()[-2000:]
        report = server.audit(at_rest=True)
        assert report["ok"], (seed, json.dumps(report, indent=1)[:4000])
        missing = lost(server.data, told)
        assert (
            not missing
        ), f"seed {seed}: {len(missing)} of {len(told)} acknowledged answers are lost, such as {missing[:5]}"
