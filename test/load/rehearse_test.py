#!/usr/bin/env python3
"""A small rehearsal with every kind of buyer: rehearse_test.py PROGRAM

Nothing here looks at a clock: only at what was sold, counted and audited."""
import json
import os
import subprocess
import sys
import tempfile


def rehearse(program, *flags):
    result = subprocess.run([program, "rehearse", "--json", *flags], capture_output=True, text=True, timeout=280)
    assert result.returncode == 0, f"{flags}: exit code {result.returncode}\n{result.stdout}\n{result.stderr}"
    lines = result.stdout.splitlines()
    assert len(lines) == 1, f"{flags}: not one line of JSON: {result.stdout}"
    figures = json.loads(lines[0])
    for what in ("oversold", "paidWithoutSeat", "errors"):
        assert figures[what] == 0, f"{flags}: {what} is {figures[what]}: {figures}"
    assert figures["auditOk"] is True, figures
    return figures


def whole_sale(program):
    """More buyers than seats, with every kind of trouble: every pair of seats finds its buyer in the end."""
    with tempfile.TemporaryDirectory() as folder:
        acks = os.path.join(folder, "acks.jsonl")
        figures = rehearse(program, "--seats", "2000", "--buyers", "2400", "--arrive-seconds", "0.5", "--connections", "128",
                           "--acks", acks, "--share-change", "60", "--share-abandon", "60", "--share-decline", "40", "--share-retry", "80",
                           "--share-double-click", "80", "--share-clash", "60", "--pass-seconds", "30")
        with open(acks) as file:
            told = [json.loads(line) for line in file]
    assert figures["seats"] == 2000 and figures["sold"] == 2 * figures["purchases"] == 2000, figures
    for what in ("abandoned", "declined", "clashes", "retries", "doubleClicks", "refusedWithoutWrite"):
        assert figures[what] > 0, f"nobody was among {what}: {figures}"
    bought = [ack["id"] for ack in told if ack["what"] == "tickets"]
    assert len(bought) == len(set(bought)) == figures["purchases"], (len(bought), figures)
    paid = {ack["id"] for ack in told if ack["what"] == "payment" and ack["state"] == "CONFIRMED"}
    assert paid <= set(bought), "a confirmed payment without tickets"


def lobby(program):
    """Everybody waits before the opening; the order is drawn, and the sale sells out."""
    figures = rehearse(program, "--plain", "--lobby", "--seats", "400", "--buyers", "300", "--arrive-seconds", "0.2", "--connections", "64")
    assert figures["sold"] == 400 and figures["entered"] == 300, figures


def other_modes(program):
    for mode in ("hold", "refuse", "status", "catalogue"):
        figures = rehearse(program, "--mode", mode, "--seats", "500", "--connections", "16", "--seconds", "1")
        assert figures["perSecond"] > 0 and figures["sold"] == 0, (mode, figures)


def main():
    for check in (whole_sale, lobby, other_modes):
        check(sys.argv[1])
        print(check.__name__, "ok", flush=True)


if __name__ == "__main__":
    main()
