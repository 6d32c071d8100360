"""The buyer's day, from the venue's plan to the gate; and what the organiser sees of it."""

import re

from kit import PROGRAM, iso, until


def test_line_hold_order_pay_ticket_gate(server):
    organiser, buyer, gate = server.organiser(), server.buyer(), server.gate()
    sale = organiser.sale(rows=2, seats_per_row=5, amount=55000)
    assert sale.states() == "A" * 10

    buyer.enter(sale)
    hold = buyer.hold(sale, [3, 4]).expect(201).json
    assert hold["state"] == "ACTIVE" and hold["total"] == {"amount": 110000, "currency": "KRW"}
    assert sale.states() == "AAAHHAAAAA"
    assert buyer.get(f"/holds/{hold['holdId']}").expect(200).json["state"] == "ACTIVE"

    order = buyer.order(hold["holdId"]).expect(201).json
    assert order["state"] == "PENDING" and order["amount"]["amount"] == 110000
    paid = buyer.pay(order["orderId"]).expect(200).json
    assert paid["state"] == "CONFIRMED" and len(paid["tickets"]) == 2
    assert sale.states() == "AAASSAAAAA"

    tickets = buyer.get(f"/orders/{order['orderId']}/tickets").expect(200).json["tickets"]
    assert [ticket["seat"] for ticket in tickets] == [3, 4]
    assert [ticket["ticketId"] for ticket in tickets] == paid["tickets"]
    ticket = buyer.get(f"/tickets/{tickets[0]['ticketId']}").expect(200).json
    assert ticket["code"].startswith("TR1.")
    picture = buyer.get(f"/tickets/{tickets[0]['ticketId']}/qr").expect(200)
    assert picture.headers["content-type"] == "image/png" and picture.raw.startswith(b"\x89PNG")

    scan = gate.post("/gate/scans", {"code": ticket["code"], "gate": "A"}).expect(200).json
    assert scan["result"] == "ADMIT" and scan["seat"] == 3
    assert gate.post("/gate/scans", {"code": ticket["code"], "gate": "B"}).expect(409).code == "TICKET_USED"
    forged = ticket["code"][:-4] + ("AAAA" if ticket["code"][-4:] != "AAAA" else "BBBB")
    assert gate.post("/gate/scans", {"code": forged, "gate": "A"}).expect(422).code == "TICKET_FORGED"

    # the pass is used up: its slot is free, and the person may stand in line again
    until(lambda: buyer.get(f"/schedules/{sale.id}/line").json["state"] == "DONE", "the pass to be given back")
    figures = organiser.get(f"/schedules/{sale.id}/figures").expect(200).json
    assert figures["seats"]["sold"] == 2 and figures["seats"]["available"] == 8, figures
    report = server.stop_and_audit()
    assert report["sold"] == 2 and report["tickets"] == 2 and report["captured"] == 110000


def test_catalogue_tells_what_is_on(server):
    organiser, stranger = server.organiser(), server.stranger()
    sale = organiser.sale()
    events = stranger.get("/events").expect(200).json["events"]
    assert sale.event in [event["eventId"] for event in events]
    assert stranger.get(f"/events/{sale.event}").expect(200).json["title"] == "A concert"
    schedules = stranger.get(f"/events/{sale.event}/schedules").expect(200).json["schedules"]
    assert [schedule["scheduleId"] for schedule in schedules] == [sale.id]
    detail = stranger.get(f"/schedules/{sale.id}").expect(200)
    assert detail.json["state"] == "ON_SALE" and detail.json["cap"] == 4
    assert re.fullmatch(r"[0-9a-f]{64}", detail.json["drawCommitment"])
    again = stranger.get(f"/schedules/{sale.id}", headers={"If-None-Match": detail.headers["etag"]})
    assert again.status == 304 and again.raw == b""


def test_seats_come_once_and_then_as_changes(server):
    organiser, buyer = server.organiser(), server.buyer()
    sale = organiser.sale(rows=3, seats_per_row=4)
    seats = buyer.get(f"/schedules/{sale.id}/seats", headers={"Accept-Encoding": "gzip"}).expect(200)
    assert seats.headers["content-encoding"] == "gzip" and seats.json["states"] == "A" * 12
    version = seats.json["version"]
    assert buyer.get(f"/schedules/{sale.id}/seats", headers={"If-None-Match": seats.headers["etag"]}).status == 304
    buyer.enter(sale)
    buyer.hold(sale, [0, 11]).expect(201)
    changes = buyer.get(f"/schedules/{sale.id}/seats/changes?since={version}").expect(200).json
    assert sorted(changes["changes"]) == [[0, "H"], [11, "H"]] and changes["to"] > version
    assert buyer.get(f"/schedules/{sale.id}/seats/changes?since={changes['to']}").expect(200).json["changes"] == []


def test_a_hold_changes_and_is_released(server):
    organiser, buyer = server.organiser(), server.buyer()
    sale = organiser.sale()
    buyer.enter(sale)
    hold = buyer.hold(sale, [0, 1]).expect(201).json["holdId"]
    changed = buyer.put(f"/holds/{hold}", {"seats": [1, 2, 3]}).expect(200).json
    assert [seat["seat"] for seat in changed["seats"]] == [1, 2, 3]
    assert sale.states() == "AHHHAAAAAA"
    buyer.delete(f"/holds/{hold}").expect(204)
    assert sale.states() == "A" * 10
    assert buyer.order(hold).status in (409, 410)


def test_a_hold_runs_out_by_itself(server):
    organiser, buyer, other = server.organiser(), server.buyer(), server.buyer()
    sale = organiser.sale(hold_seconds=10)
    buyer.enter(sale)
    hold = buyer.hold(sale, [0]).expect(201).json["holdId"]
    order = buyer.order(hold).expect(201).json["orderId"]
    until(lambda: sale.states()[0] == "A", "the hold to run out", seconds=30)
    assert buyer.get(f"/holds/{hold}").expect(200).json["state"] == "EXPIRED"
    until(lambda: buyer.order_state(order) == "CANCELLED", "the order to be cancelled")
    assert buyer.pay(order).expect(409).code == "ORDER_CANCELLED"
    other.buy(sale, [0])[1].expect(200)


def test_the_buyer_cancels_by_the_events_rule(server):
    organiser, buyer = server.organiser(), server.buyer()
    sale = organiser.sale(cancelUntil=iso(86400), cancelRefundPercent=90)
    order, paid = buyer.buy(sale, [0, 1])
    paid.expect(200)
    answer = buyer.post(f"/orders/{order}/cancel").expect(200).json
    assert answer["refund"]["amount"] == 99000
    until(lambda: buyer.order_state(order) == "REFUNDED", "the refund")
    until(lambda: sale.states()[:2] == "AA", "the seats to come back")
    assert buyer.get(f"/orders/{order}/tickets").json["tickets"][0]["state"] == "VOID"
    late = organiser.sale(cancelUntil=iso(-60))
    order, paid = buyer.buy(late, [0])
    paid.expect(200)
    assert buyer.post(f"/orders/{order}/cancel").expect(409).code == "CANCEL_TOO_LATE"
    server.stop_and_audit()


def test_the_organiser_pauses_the_sale_and_blocks_seats(server):
    organiser, buyer, other = server.organiser(), server.buyer(), server.buyer()
    sale = organiser.sale()
    buyer.enter(sale)
    organiser.put(f"/schedules/{sale.id}/controls", {"admissionPaused": True, "salePaused": False}).expect(200)
    assert other.post(f"/schedules/{sale.id}/line").expect(201).json["state"] == "WAITING"
    buyer.hold(sale, [0]).expect(201)
    organiser.put(f"/schedules/{sale.id}/controls", {"admissionPaused": True, "salePaused": True}).expect(200)
    assert buyer.hold(sale, [1]).expect(503).code == "SALE_PAUSED"
    organiser.put(f"/schedules/{sale.id}/controls", {"admissionPaused": False, "salePaused": False}).expect(200)
    other.enter(sale)
    other.hold(sale, [1]).expect(201)
    organiser.put(f"/schedules/{sale.id}/seats/blocked", {"seats": [9], "blocked": True}).expect(200, 204)
    assert other.hold(sale, [9]).expect(409).code == "SEAT_TAKEN"
    assert organiser.put(f"/schedules/{sale.id}/seats/blocked", {"seats": [0], "blocked": True}).status == 409
    organiser.put(f"/schedules/{sale.id}/seats/blocked", {"seats": [9], "blocked": False}).expect(200, 204)
    other.hold(sale, [9]).expect(201)


def test_sign_up_and_log_in(server):
    stranger = server.stranger()
    made = (
        stranger.post("/accounts", {"email": "Mina@Example.com", "password": "correct horse battery", "name": "Mina"})
        .expect(201)
        .json
    )
    assert (
        stranger.post("/accounts", {"email": "Mina@example.com", "password": "another password", "name": "M"})
        .expect(409)
        .code
        == "EMAIL_TAKEN"
    )
    session = (
        stranger.post("/sessions", {"email": "Mina@example.com", "password": "correct horse battery"}).expect(200).json
    )
    assert session["accountId"] == made["accountId"]
    assert (
        stranger.post("/sessions", {"email": "Mina@example.com", "password": "wrong horse"}).expect(401).code
        == "SIGN_IN_REFUSED"
    )
    assert (
        stranger.post("/sessions", {"email": "nobody@example.com", "password": "wrong horse"}).expect(401).code
        == "SIGN_IN_REFUSED"
    )
    stranger.token = session["accessToken"]
    assert stranger.get("/me").expect(200).json["accountId"] == made["accountId"]
    assert stranger.post("/venues", {"name": "x", "address": "y", "city": "z"}).expect(403).code == "FORBIDDEN"
    server.operator().put(f"/accounts/{made['accountId']}/role", {"role": "organiser"}).expect(200, 204)
    session = (
        stranger.post("/sessions", {"email": "Mina@example.com", "password": "correct horse battery"}).expect(200).json
    )
    stranger.token = session["accessToken"]
    stranger.post("/venues", {"name": "x", "address": "y", "city": "z"}).expect(201)


def test_version_is_told():
    import subprocess

    assert subprocess.run([PROGRAM, "version"], capture_output=True, text=True, check=True).stdout.startswith(
        "ticketrush "
    )
