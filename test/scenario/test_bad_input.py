"""Input that hurts: each gets a clear problem document, nothing changes, and the server goes on."""

import base64
import json
import socket

import pytest
from kit import spell, until


@pytest.fixture
def shop(server):
    server.sale = server.organiser().sale(rows=2, seats_per_row=5)
    server.customer = server.buyer()
    server.customer.enter(server.sale)
    return server


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"17",
        b'"x"',
        b'{"seats":[1,2}',
        b'{"seats":"1"}',
        b'{"seats":[1.5]}',
        b'{"seats":[-1]}',
        b'{"seats":[1e3]}',
        b'{"seats":[99999999999999999999]}',
        b'{"seats":[]}',
        b'{"seats":[1],"seats":[2]}',
        b'{"seats":[1],"price":1}',
        b'{"seats":[1]}\x00',
        b'{"seats":[1]} x',
        b'{"seats":[1],"\xff":1}',
        b'{"seats":[' + b"[" * 200 + b"]" * 200 + b"]}",
        b'{"seats":[true]}',
        b'{"seats":[null]}',
        b"\xef\xbb\xbf{}",
        b'{"seats":[' + b",".join(b"1" for _ in range(200)) + b"]}",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_malformed_bodies_are_refused_with_a_reason(shop, body):
    answer = shop.customer.post(
        f"/schedules/{shop.sale.id}/holds", body, headers={"X-Queue-Token": shop.customer.passes[shop.sale.id]}
    )
    assert answer.status in (400, 422), (answer.status, answer.raw)
    problem = answer.json
    assert problem["code"] and len(problem["detail"]) > 10 and problem["traceId"] and problem["status"] == answer.status
    assert "A" * 10 == shop.sale.states()


def test_a_foreign_content_type_is_refused(shop):
    answer = shop.customer.post("/orders", b"holdId=1", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.expect(415).code


def test_seats_that_make_no_sense(shop):
    customer, sale = shop.customer, shop.sale
    assert customer.hold(sale, [10]).expect(422).code == "SEAT_UNKNOWN"
    assert customer.hold(sale, [1, 1]).expect(422).code
    assert customer.hold(sale, [0, 1, 2, 3, 4]).expect(409, 422).code == "CAP_EXCEEDED"


def test_passes_that_are_not_ones_own(shop):
    customer, sale = shop.customer, shop.sale
    other = shop.buyer()
    stolen = customer.passes[sale.id]
    assert other.hold(sale, [0], queue_pass=stolen).expect(403).code in ("PASS_INVALID", "PASS_REQUIRED")
    assert other.hold(sale, [0], queue_pass="").expect(403).code == "PASS_REQUIRED"
    for position in range(0, len(stolen), 7):
        letter = "A" if stolen[position] != "A" else "B"
        damaged = stolen[:position] + letter + stolen[position + 1 :]
        assert customer.hold(sale, [0], queue_pass=damaged).expect(403).code == "PASS_INVALID"
    elsewhere = shop.organiser().sale()
    assert customer.hold(elsewhere, [0], queue_pass=stolen).expect(403).code in ("PASS_INVALID", "PASS_REQUIRED")


def test_tokens_that_are_not_ours(shop):
    customer = shop.customer
    good = customer.token
    header, claims, signature = good.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    for token in [
        "",
        "x",
        "a.b.c",
        f"{header}.{claims}.",
        f"{none}.{claims}.",
        f"{header}.{claims}.{signature[:-2]}AA",
        good + "=",
        f"{header}.{claims[:-2]}AA.{signature}",
        "A" * 5000,
        shop.token(seconds=1, account=customer.account),
    ]:
        customer.token = token
        status = until(
            lambda: customer.get("/me").status in (400, 401, 431) and customer.get("/me").status,
            "a refusal of the token",
            seconds=5,
        )
        assert status in (400, 401, 431)
    customer.token = good
    customer.get("/me").expect(200)


def test_somebody_elses_things_do_not_exist(shop):
    customer, other, sale = shop.customer, shop.buyer(), shop.sale
    hold = customer.hold(sale, [0, 1]).expect(201).json["holdId"]
    order = customer.order(hold).expect(201).json["orderId"]
    customer.pay(order).expect(200)
    ticket = customer.get(f"/orders/{order}/tickets").json["tickets"][0]["ticketId"]
    held = (
        customer.hold(sale, [2]).expect(201).json["holdId"]
        if customer.get(f"/schedules/{sale.id}/line").json["state"] == "ADMITTED"
        else hold
    )
    attempts = [
        ("GET", f"/holds/{held}"),
        ("PUT", f"/holds/{held}"),
        ("DELETE", f"/holds/{held}"),
        ("GET", f"/orders/{order}"),
        ("POST", f"/orders/{order}/pay"),
        ("POST", f"/orders/{order}/cancel"),
        ("GET", f"/orders/{order}/tickets"),
        ("GET", f"/tickets/{ticket}"),
        ("GET", f"/tickets/{ticket}/qr"),
    ]
    bodies = {"PUT": {"seats": [5]}, "POST": {}}
    for method, path in attempts:
        answers = [other.call(method, path, bodies.get(method) if "cancel" not in path else None)]
        unknown = path.replace(order[6:], "0" * 11 + "zz").replace(held[5:], "0" * 11 + "zz")
        answers.append(other.call(method, unknown, bodies.get(method) if "cancel" not in path else None))
        assert [answer.status for answer in answers] == [404, 404], (method, path, answers)
        assert answers[0].json["code"] == answers[1].json["code"] == "NOT_FOUND"
    assert other.order(hold).expect(404).code == "NOT_FOUND"
    assert other.get("/orders").expect(200).json["orders"] == []
    stranger_organiser = shop.organiser()
    for method, path, body in [
        ("PATCH", f"/schedules/{sale.id}", {"cap": 2}),
        ("GET", f"/schedules/{sale.id}/figures", None),
        ("PUT", f"/schedules/{sale.id}/controls", {"admissionPaused": True, "salePaused": True}),
    ]:
        assert stranger_organiser.call(method, path, body).status == 404, path


@pytest.mark.parametrize(
    "path",
    [
        "/orders/x",
        "/orders/order_",
        "/orders/order_" + "0" * 13,
        "/orders/ORDER_0c1m8t3qk0g00",
        "/orders/order_0c1m8t3qk0g0u",
        "/orders/hold_0c1m8t3qk0g00",
        "/orders/%00",
        "/tickets/ticket_0c1m8t3qk0g00",
        "/tickets/ticket_0c1m8t3qk0g00-16",
        "/schedules/" + "s" * 500,
        "/events/event_zzzzzzzzzzzzz",
        "/nothing",
        "/orders/",
    ],
)
def test_ids_that_are_none(server, path):
    assert server.buyer().get(path).expect(404).code == "NOT_FOUND"


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "limit=101", "limit=1&limit=2", "cursor=x", "limit=%zz", "cursor=" + "a" * 3000]
)
def test_pages_that_are_none(server, query):
    assert server.buyer().get("/orders?" + query).expect(400).code


def test_unknown_and_wrong_methods(server):
    answer = server.buyer().call("PATCH", "/orders")
    assert answer.status == 405 and {"GET", "POST"} <= {word.strip() for word in answer.headers["allow"].split(",")}
    assert server.buyer().call("BREW", "/orders").status == 501


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n",
        b"POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\n folded: x\r\n\r\n",
        b"GET  /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /healthz\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
    ],
)
def test_requests_that_are_not_http_are_refused_and_closed(server, raw):
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as connection:
        connection.sendall(raw)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 400 "), answer[:200]
    body = answer.split(b"\r\n\r\n", 1)[1]
    assert json.loads(body)["status"] == 400
    assert server.stranger().get("/healthz").status == 200


def test_plans_with_mistakes_are_refused_by_path_and_reason(server):
    organiser = server.organiser()
    venue = organiser.venue()
    plan = organiser.plan(rows=2, seats_per_row=3)
    plan["zones"][0]["rows"][1]["seats"][2]["seat_guid"] = "1-1"
    plan["zones"][0]["rows"][0]["seats"][1]["category"] = "Gold"
    answer = organiser.post(f"/venues/{venue}/plans", plan).expect(422)
    assert answer.code == "PLAN_REFUSED"
    told = json.dumps(answer.json["problems"])
    assert "zones[0].rows[0].seats[1].category" in told and "1-1" in told and "zones[0].rows[1].seats[2]" in told
    del plan["size"]
    assert "size" in json.dumps(organiser.post(f"/venues/{venue}/plans", plan).expect(422, 400).json)


def test_words_from_everywhere_come_back_unharmed(server):
    organiser = server.organiser()
    title = "\u200f\u05e9\u05dc\u05d5\u05dd \U0001f3ab <script>alert('x')</script> 서울 \"quoted\" \\ \u202e"
    event = organiser.event(title)
    assert server.stranger().get(f"/events/{event}").expect(200).json["title"] == title
    assert (
        organiser.post("/events", {"title": "x" * 4000, "description": "", "city": "", "category": ""}).expect(400).code
    )
    assert spell("acc", 1) == "acc_0000000000001"
