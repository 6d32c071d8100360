"""The auditor catches each of the eight, shown on a damaged copy of a real sale's database."""

import json
import os
import shutil
import sqlite3
import subprocess

import pytest
from kit import PROGRAM, Server


@pytest.fixture(scope="module")
def sold(tmp_path_factory):
    """The folder of a stopped server after a small sale with a bit of everything."""
    folder = str(tmp_path_factory.mktemp("sold"))
    with Server(data=folder) as server:
        sale = server.organiser().sale(rows=4, seats_per_row=10)
        buyers = server.buyers(6)
        for i, buyer in enumerate(buyers):
            buyer.enter(sale)
            if i < 3:
                buyer.buy(sale, [4 * i, 4 * i + 1])[1].expect(200)
            elif i < 5:
                buyer.hold(sale, [4 * i, 4 * i + 1]).expect(201)
        server.stop_and_audit(at_rest=False)
    return folder


def audit(folder):
    result = subprocess.run([PROGRAM, "audit", "--data", folder, "--json"], capture_output=True, text=True)
    return result.returncode, json.loads(result.stdout)


@pytest.fixture
def copy(sold, tmp_path):
    folder = str(tmp_path / "copy")
    shutil.copytree(sold, folder)
    return folder


def damage(folder, *statements):
    database = sqlite3.connect(os.path.join(folder, "ticketrush.db"))
    for statement in statements:
        changed = database.execute(statement).rowcount
        assert changed != 0, "the damage did nothing: " + statement
    database.commit()
    database.close()


def test_a_sound_database_passes(copy):
    code, report = audit(copy)
    assert code == 0 and report["ok"] and report["sold"] == 6 and report["held"] == 4, report


@pytest.mark.parametrize(
    "invariant, statements",
    [
        (
            "I1",
            [
                "DROP INDEX IF EXISTS ticket_of_seat",
                "UPDATE ticket SET seat = (SELECT min(seat) FROM ticket) WHERE order_id = (SELECT max(order_id) FROM ticket) AND place = 0",
            ],
        ),
        (
            "I1",
            [
                "UPDATE hold SET seats = (SELECT seats FROM hold WHERE state = 0 ORDER BY id LIMIT 1) "
                "WHERE id = (SELECT max(id) FROM hold WHERE state = 0)"
            ],
        ),
        ("I2", ["DELETE FROM hold WHERE id = (SELECT max(id) FROM hold WHERE state = 0)"]),
        ("I2", ["DELETE FROM payment WHERE id = (SELECT max(id) FROM payment)"]),
        ("I3", ["DELETE FROM ticket WHERE order_id = (SELECT max(order_id) FROM ticket)"]),
        ("I3", ["UPDATE orders SET state = 5, refund_amount = 0 WHERE id = (SELECT max(id) FROM orders)"]),
        (
            "I4",
            [
                "UPDATE seat SET state = 0, hold_id = 0 WHERE state = 1 AND seat = (SELECT min(seat) FROM seat WHERE state = 1)"
            ],
        ),
        ("I5", ["UPDATE schedule SET cap = 1", "UPDATE journal SET payload = '{}' WHERE type IN (10, 11)"]),
        ("I6", ["DELETE FROM line_entry WHERE number = 1"]),
        ("I6", ["UPDATE schedule SET line_capacity = 1", "UPDATE journal SET payload = '{}' WHERE type IN (10, 11)"]),
        ("I6", ["UPDATE line_entry SET state = 0, admitted_at = 0, ended_at = 0 WHERE number = 2"]),
        (
            "I7",
            [
                "INSERT INTO journal(id, at, type, schedule_id, subject_id, account_id, cause_id, payload) "
                "SELECT (SELECT max(id) FROM journal) + 1, at, type, schedule_id, subject_id, account_id, cause_id, payload "
                "FROM journal WHERE type = 24 LIMIT 1"
            ],
        ),
        ("I7", ["DELETE FROM journal WHERE id = (SELECT max(id) FROM journal WHERE type = 60)"]),
        ("I8", ["DELETE FROM seat WHERE seat = 39"]),
        ("I8", ["UPDATE seat SET state = 1, hold_id = (SELECT max(id) FROM hold WHERE state = 0) WHERE seat = 38"]),
    ],
)
def test_each_violation_is_caught_and_explained(copy, invariant, statements):
    damage(copy, *statements)
    code, report = audit(copy)
    assert code == 1 and not report["ok"]
    assert report["violations"][invariant] > 0, report["violations"]
    assert any(finding["invariant"] == int(invariant[1]) for finding in report["findings"])


def test_a_folder_without_a_database_and_one_in_use_are_refused(tmp_path):
    result = subprocess.run([PROGRAM, "audit", "--data", str(tmp_path)], capture_output=True, text=True)
    assert result.returncode == 3 and "no database" in result.stderr
    with Server() as server:
        result = subprocess.run([PROGRAM, "audit", "--data", server.data], capture_output=True, text=True)
        assert result.returncode == 3 and "stop it first" in result.stderr


def test_what_is_not_a_database_is_refused(tmp_path):
    (tmp_path / "ticketrush.db").write_bytes(os.urandom(65536))
    result = subprocess.run([PROGRAM, "audit", "--data", str(tmp_path)], capture_output=True, text=True)
    assert result.returncode == 3 and result.stderr
