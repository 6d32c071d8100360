"""Money that comes late, twice, early, or not at all; and money that has to go back. Each story ends with an audit at rest."""

from kit import Server, until

TROUBLE = ["--pay-token-trouble"]


def rest(buyer, order, *states, seconds=40):
    return until(
        lambda: (state := buyer.order_state(order)) in states and state,
        f"the order to become {states}",
        seconds=seconds,
    )


def test_declined_frees_the_seats_at_once():
    with Server(*TROUBLE) as server:
        sale, buyer, other = server.organiser().sale(), server.buyer(), server.buyer()
        order, answer = buyer.buy(sale, [0, 1], token="decline")
        assert answer.expect(402).code == "PAYMENT_DECLINED"
        assert rest(buyer, order, "CANCELLED") and until(lambda: sale.states()[:2] == "AA", "the seats to be free")
        other.buy(sale, [0, 1])[1].expect(200)
        report = server.stop_and_audit()
        assert report["sold"] == 2 and report["capturedPayments"] == 1


def test_a_timeout_after_charging_keeps_the_seats_until_it_is_known():
    with Server(*TROUBLE) as server:
        sale, buyer, other = server.organiser().sale(), server.buyer(), server.buyer()
        order, answer = buyer.buy(sale, [0, 1], token="timeout-charged")
        assert answer.status in (200, 202)
        assert sale.states()[:2] in ("HH", "SS")
        other.enter(sale)
        assert other.hold(sale, [0]).code == "SEAT_TAKEN"
        assert rest(buyer, order, "CONFIRMED")
        assert server.stop_and_audit()["capturedPayments"] == 1


def test_a_timeout_without_a_charge_is_asked_again_and_ends():
    with Server(*TROUBLE) as server:
        sale, buyer = server.organiser().sale(), server.buyer()
        order, _ = buyer.buy(sale, [0, 1], token="timeout-not-charged")
        rest(buyer, order, "CONFIRMED", "CANCELLED")
        server.stop_and_audit()


def test_pending_twice_early_and_doubled_notifications_change_nothing():
    with Server(*TROUBLE) as server:
        sale = server.organiser().sale(rows=4)
        for i, token in enumerate(["pending", "answer-twice", "notify-twice", "notify-early", "delay"]):
            buyer = server.buyer()
            order, _ = buyer.buy(sale, [2 * i, 2 * i + 1], token=token)
            assert rest(buyer, order, "CONFIRMED"), token
        report = server.stop_and_audit()
        assert report["capturedPayments"] == 5 and report["tickets"] == 10


def test_known_only_after_a_crash():
    """Charged, no answer, and then the power goes: the restarted server asks, and the buyer has tickets."""
    with Server(*TROUBLE) as server:
        sale, buyer = server.organiser().sale(), server.buyer()
        buyer.enter(sale)
        hold = buyer.hold(sale, [0, 1]).expect(201).json["holdId"]
        order = buyer.order(hold).expect(201).json["orderId"]
        import threading

        threading.Thread(target=lambda: _quietly(buyer.pay, order, "timeout-charged"), daemon=True).start()
        watcher = type(buyer)(server, buyer.token)
        until(
            lambda: watcher.get(f"/orders/{order}").json.get("payment", {}).get("state")
            in ("CONFIRMING", "UNKNOWN", "PAID"),
            "the payment to start",
        )
        server.kill()
        server.start()
        again = type(buyer)(server, buyer.token)
        assert rest(again, order, "CONFIRMED")
        assert server.stop_and_audit()["capturedPayments"] == 1


def _quietly(do, *arguments):
    try:
        do(*arguments)
    except OSError:
        pass


def test_a_refused_refund_is_asked_again():
    with Server(*TROUBLE) as server:
        from kit import iso

        sale, buyer = server.organiser().sale(cancelUntil=iso(86400)), server.buyer()
        order, paid = buyer.buy(sale, [0, 1], token="refuse-refund")
        paid.expect(200)
        buyer.post(f"/orders/{order}/cancel").expect(200)
        assert rest(buyer, order, "REFUNDED")
        assert server.stop_and_audit()["refundedPayments"] == 1


def test_no_header_and_no_token_misbehaves_in_production(server):
    sale, buyer = server.organiser().sale(), server.buyer()
    buyer.buy(sale, [0, 1], token="decline")[1].expect(200)


def test_a_share_of_all_payments_can_be_made_to_fail():
    with Server("--pay-trouble", "decline:1000") as server:
        sale, buyer = server.organiser().sale(), server.buyer()
        assert buyer.buy(sale, [0])[1].expect(402).code == "PAYMENT_DECLINED"
        server.stop_and_audit()
