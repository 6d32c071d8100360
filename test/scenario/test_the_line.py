"""The waiting room: lobby, draw, first come first served, passes, and none of it is lost."""

import hashlib
import time

from kit import at_once, iso, until


def place_of(seed, numbers):
    """The published method, recomputed: rank by SHA-256(seed || number)."""
    ranked = sorted(numbers, key=lambda number: hashlib.sha256(seed + number.to_bytes(8, "big")).digest())
    return {number: place for place, number in enumerate(ranked)}


def test_the_lobby_is_drawn_at_opening_and_anyone_can_check(server):
    organiser = server.organiser()
    sale = organiser.sale(rows=4, seats_per_row=10, opens_in=3.0, lobby_opens_in=-10, line={"capacity": 5})
    buyers = server.buyers(20)
    numbers = {}
    for buyer in buyers:
        entry = buyer.post(f"/schedules/{sale.id}/line").expect(201).json
        assert entry["state"] == "WAITING" and entry["phase"] == "LOBBY" and entry.get("place") is None
        numbers[buyer.account] = entry["number"]
    before = server.stranger().get(f"/schedules/{sale.id}/line/draw").expect(200).json
    assert not before.get("seed")
    until(lambda: server.stranger().get(f"/schedules/{sale.id}/line/draw").json.get("seed"), "the draw")
    draw = server.stranger().get(f"/schedules/{sale.id}/line/draw").json
    seed = bytes.fromhex(draw["seed"])
    assert hashlib.sha256(seed).hexdigest() == before["commitment"] == sale.schedule["drawCommitment"]
    places = place_of(seed, numbers.values())
    until(
        lambda: sum(buyer.get(f"/schedules/{sale.id}/line").json["state"] == "ADMITTED" for buyer in buyers) == 5,
        "five passes",
    )
    for buyer in buyers:
        entry = buyer.get(f"/schedules/{sale.id}/line").expect(200).json
        assert (entry["state"] == "ADMITTED") == (places[numbers[buyer.account]] < 5), (
            entry,
            places[numbers[buyer.account]],
        )
    server.stop_and_audit(at_rest=False)


def test_places_and_passes_survive_kill_9(server):
    organiser = server.organiser()
    sale = organiser.sale(rows=4, seats_per_row=10, line={"capacity": 3})
    buyers = server.buyers(10)
    for buyer in buyers:
        buyer.post(f"/schedules/{sale.id}/line").expect(201)
    before = [buyer.get(f"/schedules/{sale.id}/line").expect(200).json for buyer in buyers]
    server.kill()
    server.start()
    for buyer, then in zip(buyers, before):
        buyer.connection = None
        now = buyer.get(f"/schedules/{sale.id}/line").expect(200).json
        assert (now["number"], now["state"]) == (then["number"], then["state"])
        assert (now["place"] or 0) <= (then["place"] or 0)
    holder = buyers[0]
    holder.hold(sale, [0], queue_pass=before[0]["pass"]).expect(201)


def test_first_come_first_served_and_reentry_keeps_the_place(server):
    sale = server.organiser().sale(rows=4, seats_per_row=10, line={"capacity": 1})
    buyers = server.buyers(5)
    numbers = [buyer.post(f"/schedules/{sale.id}/line").expect(201).json["number"] for buyer in buyers]
    assert numbers == sorted(numbers)
    again = [buyer.post(f"/schedules/{sale.id}/line").expect(200).json["number"] for buyer in buyers]
    assert again == numbers
    for buyer in buyers:  # one after another, as the one before leaves
        until(
            lambda person=buyer: person.get(f"/schedules/{sale.id}/line").json["state"] == "ADMITTED",
            "the next one's turn",
        )
        buyer.delete(f"/schedules/{sale.id}/line").expect(200, 204)


def test_abandoned_passes_are_given_back_and_the_sale_goes_on(server):
    """A line of capacity five that sells five and stops: not this one."""
    sale = server.organiser().sale(rows=4, seats_per_row=10, line={"capacity": 2, "passSeconds": 10})
    buyers = server.buyers(4)
    for buyer in buyers:
        buyer.post(f"/schedules/{sale.id}/line").expect(201)
    states = lambda: [buyer.get(f"/schedules/{sale.id}/line").json["state"] for buyer in buyers]
    assert states() == ["ADMITTED", "ADMITTED", "WAITING", "WAITING"]
    until(lambda: states() == ["EXPIRED", "EXPIRED", "ADMITTED", "ADMITTED"], "the passes to run out", seconds=30)
    assert buyers[0].hold(sale, [0], queue_pass="").expect(403).code == "PASS_REQUIRED"


def test_a_full_line_says_so(server):
    sale = server.organiser().sale(rows=1, seats_per_row=10, line={"capacity": 1, "waitingMax": 2})
    answers = [buyer.post(f"/schedules/{sale.id}/line") for buyer in server.buyers(5)]
    assert [answer.status for answer in answers] == [201, 201, 201, 503, 503]
    assert answers[-1].code == "LINE_FULL" and int(answers[-1].headers["retry-after"]) > 0


def test_capacity_is_never_exceeded_by_a_crowd(server):
    sale = server.organiser().sale(rows=10, seats_per_row=10, line={"capacity": 7})
    buyers = server.buyers(60)
    at_once(buyers, lambda buyer: buyer.post(f"/schedules/{sale.id}/line").expect(201))
    admitted = [buyer for buyer in buyers if buyer.get(f"/schedules/{sale.id}/line").json["state"] == "ADMITTED"]
    assert len(admitted) == 7
    figures = server.organiser()
    server.stop_and_audit(at_rest=False)
    assert figures


def test_nobody_enters_before_the_lobby_or_after_the_end(server):
    organiser, buyer = server.organiser(), server.buyer()
    early = organiser.sale(opens_in=3600, lobby_opens_in=1800)
    assert buyer.post(f"/schedules/{early.id}/line").expect(409).code == "LOBBY_NOT_OPEN"
    assert buyer.hold(early, [0], queue_pass="x").status in (403, 409)
    short = organiser.sale(endsAt=iso(2.0))
    ends = time.monotonic() + 30
    while buyer.post(f"/schedules/{short.id}/line").status != 410:
        assert time.monotonic() < ends, "the sale never ended"
    assert buyer.post(f"/schedules/{short.id}/line").code == "SALE_ENDED"


def test_a_pass_that_ends_in_mid_purchase_lets_the_buyer_pay(server):
    sale = server.organiser().sale(line={"passSeconds": 10})
    buyer = server.buyer()
    buyer.enter(sale)
    hold = buyer.hold(sale, [0]).expect(201).json["holdId"]
    until(lambda: buyer.get(f"/schedules/{sale.id}/line").json["state"] == "EXPIRED", "the pass to run out", seconds=30)
    assert buyer.hold(sale, [1]).expect(403).code == "PASS_EXPIRED"
    order = buyer.order(hold).expect(201).json["orderId"]
    assert buyer.pay(order).expect(200).json["state"] == "CONFIRMED"
    server.stop_and_audit()
