"""Many hands on few seats: exactly one wins, nobody gets half, nobody gets more than the cap."""

from kit import at_once, iso, until


def outcomes(answers):
    tally = {}
    for answer in answers:
        key = answer.status if answer.status < 400 else answer.code
        tally[key] = tally.get(key, 0) + 1
    return tally


def test_one_seat_and_eighty_buyers(server):
    sale = server.organiser().sale(rows=8, seats_per_row=10)
    buyers = server.buyers(80)
    for buyer in buyers:
        buyer.enter(sale)
    assert outcomes(at_once(buyers, lambda buyer: buyer.hold(sale, [7]))) == {201: 1, "SEAT_TAKEN": 79}
    assert server.stop_and_audit()["held"] == 1


def test_ten_seats_and_a_hundred_buyers(server):
    sale = server.organiser().sale(rows=1, seats_per_row=10)
    buyers = server.buyers(100)

    def whole_purchase(buyer):
        buyer.post(f"/schedules/{sale.id}/line").expect(201)
        for seat in range(10):
            state = buyer.get(f"/schedules/{sale.id}/line").expect(200).json
            if state["state"] != "ADMITTED":
                return 0
            hold = buyer.hold(sale, [seat], queue_pass=state["pass"])
            if hold.status == 201:
                order = buyer.order(hold.json["holdId"]).expect(201).json["orderId"]
                buyer.pay(order).expect(200)
                return 1
            assert hold.code in ("SEAT_TAKEN", "PASS_REQUIRED", "CAP_EXCEEDED"), hold.raw
        return 0

    assert sum(at_once(buyers, whole_purchase)) == 10
    report = server.stop_and_audit()
    assert report["sold"] == 10 and report["confirmedOrders"] == 10 and report["oversold"] == 0


def test_four_seats_all_or_nothing_from_eight_sides(server):
    room = server.organiser().sale(rows=4, seats_per_row=4)
    buyers = server.buyers(8)
    for buyer in buyers:
        buyer.enter(room)
    wishes = iter(
        [[0, 1, 2, 3], [3, 2, 1, 0], [1, 2, 3, 0], [2, 3, 0, 1], [0, 2, 1, 3], [3, 1, 2, 0], [1, 0, 3, 2], [2, 0, 3, 1]]
    )
    for buyer in buyers:
        buyer.wish = next(wishes)
    assert outcomes(at_once(buyers, lambda buyer: buyer.hold(room, buyer.wish))) == {201: 1, "SEAT_TAKEN": 7}
    assert room.states() == "HHHH" + "A" * 12


def test_nobody_exceeds_the_cap_whatever_they_do_at_once(server):
    sale = server.organiser().sale(rows=2, seats_per_row=10, cap=4)
    buyer = server.buyer()
    buyer.enter(sale)
    windows = [type(buyer)(server, buyer.token) for _ in range(10)]
    for i, window in enumerate(windows):
        window.passes, window.seat = buyer.passes, 2 * i
    tally = outcomes(at_once(windows, lambda window: window.hold(sale, [window.seat, window.seat + 1])))
    assert tally == {201: 2, "CAP_EXCEEDED": 8}
    assert sale.states().count("H") == 4
    # bought seats count too, and a refund gives them back
    sale = server.organiser().sale(rows=1, seats_per_row=10, cap=2, cancelUntil=iso(86400))
    buyer.buy(sale, [0, 1])[1].expect(200)
    until(lambda: buyer.get(f"/schedules/{sale.id}/line").json["state"] == "DONE", "the used pass to be given back")
    buyer.enter(sale)
    assert buyer.hold(sale, [2]).code == "CAP_EXCEEDED"


def test_a_double_click_on_everything(server):
    sale = server.organiser().sale(rows=1, seats_per_row=10)
    buyer = server.buyer()
    windows = [type(buyer)(server, buyer.token) for _ in range(6)]

    entries = at_once(windows, lambda window: window.post(f"/schedules/{sale.id}/line").expect(200, 201))
    assert len({entry.json["number"] for entry in entries}) == 1
    buyer.enter(sale)
    for window in windows:
        window.passes = buyer.passes

    holds = at_once(windows, lambda window: window.hold(sale, [0, 1], key="click-1").expect(201))
    assert len({hold.json["holdId"] for hold in holds}) == 1
    hold = holds[0].json["holdId"]
    assert buyer.hold(sale, [5], key="click-1").expect(422).code == "IDEMPOTENCY_KEY_REUSED"
    assert sale.states() == "HH" + "A" * 8

    orders = at_once(windows, lambda window: window.order(hold, key="click-2").expect(201))
    assert {order.json["orderId"] for order in orders} == {orders[0].json["orderId"]}
    order = orders[0].json["orderId"]

    payments = at_once(windows, lambda window: window.pay(order, key="click-3"))
    assert {answer.status for answer in payments} <= {200, 409}
    assert [answer for answer in payments if answer.status == 200]
    assert all(answer.code == "PAYMENT_IN_PROGRESS" for answer in payments if answer.status == 409)
    buyer.pay(order, key="click-3").expect(200)
    buyer.pay(order).expect(200)
    report = server.stop_and_audit()
    assert report["capturedPayments"] == 1 and report["tickets"] == 2 and report["sold"] == 2


def test_release_twice_and_change_at_once(server):
    sale = server.organiser().sale(rows=1, seats_per_row=10)
    buyer = server.buyer()
    buyer.enter(sale)
    hold = buyer.hold(sale, [0, 1]).expect(201).json["holdId"]
    windows = [type(buyer)(server, buyer.token) for _ in range(4)]
    for i, window in enumerate(windows):
        window.wish = [2 * i + 2, 2 * i + 3]
    at_once(windows, lambda window: window.put(f"/holds/{hold}", {"seats": window.wish}).expect(200))
    assert sale.states().count("H") == 2
    assert (
        sorted(answer.status for answer in at_once(windows, lambda window: window.delete(f"/holds/{hold}"))).count(204)
        >= 1
    )
    assert sale.states() == "A" * 10
