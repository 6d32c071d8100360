"""The program as its operator meets it: starting, stopping, being refused, running out of disk."""

import json
import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import tempfile

import pytest
from kit import PROGRAM, ROOT, Server, until


def run(*arguments, environment=None):
    return subprocess.run(
        [PROGRAM, *arguments], capture_output=True, text=True, timeout=60, env={**os.environ, **(environment or {})}
    )


def test_a_second_start_keeps_the_data(server):
    sale, buyer = server.organiser().sale(), server.buyer()
    order, paid = buyer.buy(sale, [0, 1])
    paid.expect(200)
    assert server.stop() == 0
    server.start()
    buyer.connection = None
    assert buyer.order_state(order) == "CONFIRMED"
    assert sale.states()[:2] == "SS"


def test_a_second_server_on_the_same_folder_says_so(server):
    result = run("serve", "--data", server.data, "--listen", "127.0.0.1:0")
    assert result.returncode == 3 and "another server is using the data folder" in result.stderr
    server.stranger().get("/healthz").expect(200)


def test_a_port_in_use_is_told(server):
    with tempfile.TemporaryDirectory() as folder:
        result = run("serve", "--data", folder, "--listen", f"127.0.0.1:{server.port}")
        assert result.returncode == 3 and "cannot listen" in result.stderr


def test_a_database_of_a_newer_version_is_refused(server):
    server.stop()
    database = sqlite3.connect(os.path.join(server.data, "ticketrush.db"))
    database.execute("INSERT INTO schema_version(service, version) VALUES ('inventory', 999)")
    database.commit()
    database.close()
    result = run("serve", "--data", server.data, "--listen", "127.0.0.1:0")
    assert result.returncode == 3 and "newer" in result.stderr and "inventory" in result.stderr


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "ticketrush.db").write_bytes(b"this is not a database, it is a letter" * 1000)
    result = run("serve", "--data", str(tmp_path), "--listen", "127.0.0.1:0")
    assert result.returncode == 3 and "database" in result.stderr


def test_configuration_is_checked_by_file_environment_and_flag(tmp_path):
    config = tmp_path / "ticketrush.conf"
    config.write_text("# a comment\nlisten = 127.0.0.1:9000\nedges = 2\npay-workers = 3\n")
    result = run(
        "serve",
        "--config",
        str(config),
        "--check-config",
        "--edges",
        "4",
        environment={"TICKETRUSH_PAY_WORKERS": "5", "TICKETRUSH_EDGES": "3"},
    )
    assert result.returncode == 0, result.stderr
    assert {"listen = 127.0.0.1:9000", "edges = 4", "pay-workers = 5"} <= set(result.stdout.splitlines())
    config.write_text("listen = nowhere\ncolour = blue\nedges = many\njust words\n")
    result = run(
        "serve",
        "--config",
        str(config),
        "--check-config",
        "--connections",
        "1",
        "--nonsense",
        "--pay-trouble",
        "decline:x",
    )
    assert result.returncode == 2
    for word in [
        "listen must be",
        f"{config}:2",
        "colour",
        "edges must be",
        "just words",
        "connections must be",
        "--nonsense",
        "pay-trouble",
    ]:
        assert word in result.stderr, (word, result.stderr)


@pytest.mark.parametrize(
    "arguments, code",
    [
        ([], 2),
        (["dance"], 2),
        (["--help"], 0),
        (["serve", "--help"], 0),
        (["audit", "--help"], 0),
        (["plan", "--help"], 0),
        (["rehearse", "--help"], 0),
        (["token", "--help"], 0),
        (["plan"], 2),
        (["plan", "/nowhere/plan.json"], 3),
        (["audit"], 2),
        (["token"], 2),
    ],
)
def test_every_verb_explains_itself(arguments, code):
    result = run(*arguments)
    assert result.returncode == code and (result.stdout + result.stderr).strip()


def test_a_plan_is_described_or_refused(tmp_path):
    described = run("plan", os.path.join(ROOT, "deploy", "plans", "theatre-2300.json"), "--json")
    assert described.returncode == 0 and json.loads(described.stdout)["seats"] == 2300
    (tmp_path / "bad.json").write_text('{"name":"x","size":{"width":1,"height":1},"categories":[],"zones":[]}')
    refused = run("plan", str(tmp_path / "bad.json"))
    assert refused.returncode == 1 and "refused" in refused.stderr
    real = os.path.join(os.path.dirname(ROOT), "shared", "data", "plans", "real-export-738.json")
    if os.path.exists(real):
        refused = run("plan", real, "--json")
        assert refused.returncode == 1 and json.loads(refused.stdout)["problemCount"] >= 126
        assert json.loads(run("plan", real, "--json", "--identity", "uuid").stdout)["seats"] == 738


def mounted(kind, options):
    folder = tempfile.mkdtemp(prefix="ticketrush-mount-")
    result = subprocess.run(["mount", "-t", kind, "-o", options, kind, folder], capture_output=True, text=True)
    if result.returncode != 0:
        os.rmdir(folder)
        pytest.skip("mounting a small file system is not permitted here: " + result.stderr.strip())
    return folder


def test_a_full_disk_refuses_writes_and_recovers():
    folder = mounted("tmpfs", "size=6m")
    try:
        with Server(data=folder) as server:
            organiser, buyer = server.organiser(), server.buyer()
            sale = organiser.sale(rows=4, seats_per_row=10, cap=16)
            buyer.enter(sale)
            kept = buyer.hold(sale, [0]).expect(201).json["holdId"]
            ballast = os.path.join(folder, "ballast")
            filler = os.open(ballast, os.O_WRONLY | os.O_CREAT)
            try:
                while True:
                    os.write(filler, b"x" * 4096)
            except OSError:
                os.close(filler)
            refused = None
            for seat in range(1, 40):
                answer = buyer.hold(sale, [seat % 15 + 1])
                if answer.status == 503:
                    refused = answer
                    break
                if answer.status == 201:
                    buyer.delete(f"/holds/{answer.json['holdId']}")
            assert refused is not None and refused.code == "STORAGE_UNAVAILABLE" and refused.headers["retry-after"]
            assert buyer.get(f"/holds/{kept}").expect(200).json["state"] == "ACTIVE"
            assert sale.states()[0] == "H"
            assert server.stranger().get("/readyz").status == 503
            os.unlink(ballast)

            def works():
                return buyer.hold(sale, [39]).status == 201

            until(works, "the server to take writes again")
            until(lambda: server.stranger().get("/readyz").status == 200, "readiness")
            server.stop_and_audit(at_rest=False)
    finally:
        subprocess.run(["umount", "-l", folder])
        shutil.rmtree(folder, ignore_errors=True)


def immutable(paths, on):
    """A file system is not made read-only under open files; an immutable file refuses every write, through those too."""
    result = subprocess.run(["chattr", "+i" if on else "-i", *paths], capture_output=True, text=True)
    if on and result.returncode != 0:
        pytest.skip("files cannot be made immutable here: " + result.stderr.strip())


def test_a_folder_that_becomes_read_only_refuses_writes_and_recovers():
    with Server() as server:
        organiser, buyer = server.organiser(), server.buyer()
        sale = organiser.sale(rows=4, seats_per_row=10)
        buyer.enter(sale)
        buyer.hold(sale, [0]).expect(201)
        paths = [server.data] + [os.path.join(server.data, name) for name in ("ticketrush.db", "ticketrush.db-wal")]
        try:
            immutable(paths, True)
            assert buyer.hold(sale, [1]).expect(503).code == "STORAGE_UNAVAILABLE"
            assert sale.states()[0] == "H"
            assert server.stranger().get("/readyz").status == 503
        finally:
            immutable(paths, False)
        until(lambda: buyer.hold(sale, [1]).status == 201, "the server to take writes again")
        server.stop_and_audit(at_rest=False)


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "data").write_text("a file, not a folder")
    result = run("serve", "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0")
    assert result.returncode == 3 and "data" in result.stderr


def test_ten_thousand_idle_connections_cost_little(server):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 10_500:
        pytest.skip(f"this machine allows {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    connections = []
    try:
        for _ in range(10_000):
            connections.append(socket.create_connection(("127.0.0.1", server.port), timeout=10))
        until(lambda: server.stranger().get("/healthz").status == 200, "an answer beside ten thousand idle connections")
        sale, buyer = server.organiser().sale(), server.buyer()
        buyer.buy(sale, [0])[1].expect(200)
        with open(f"/proc/{server.process.pid}/status") as status:
            resident = int(next(line for line in status if line.startswith("VmRSS")).split()[1])
        assert resident < 100 * 1024, f"{resident} KiB resident"
    finally:
        for connection in connections:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_health_and_metrics(server):
    stranger = server.stranger()
    assert stranger.get("/healthz").expect(200).json["status"] == "ok"
    assert stranger.get("/readyz").expect(200)
    metrics = stranger.get("/metrics").expect(200)
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert b"# TYPE ticketrush_" in metrics.raw
    if shutil.which("promtool"):
        judged = subprocess.run(["promtool", "check", "metrics"], input=metrics.raw, capture_output=True)
        assert judged.returncode == 0, judged.stdout + judged.stderr


def test_the_key_set_is_standard(server):
    keys = server.stranger().get("/.well-known/jwks.json").expect(200).json["keys"]
    assert all(
        key["kty"] == "OKP" and key["crv"] == "Ed25519" and key["alg"] == "EdDSA" and key["use"] == "sig"
        for key in keys
    )
    import base64
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    buyer = server.buyer()
    header, claims, signature = buyer.token.split(".")
    decode = lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    kid = json.loads(decode(header))["kid"]
    key = next(key for key in keys if key["kid"] == kid)
    Ed25519PublicKey.from_public_bytes(decode(key["x"])).verify(decode(signature), f"{header}.{claims}".encode())
    assert json.loads(decode(claims))["sub"] == buyer.account


def test_stopping_lets_requests_finish(server):
    sale, buyer = server.organiser().sale(), server.buyer()
    buyer.enter(sale)
    buyer.hold(sale, [0]).expect(201)
    assert server.stop() == 0
    assert any("stopped" in line for line in server.lines) or until(
        lambda: any("stopped" in line for line in server.lines), "the last line"
    )
