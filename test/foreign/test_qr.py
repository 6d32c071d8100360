"""Our QR codes are read by zbarimg, as a gate's camera would."""

import shutil
import subprocess

import pytest
from kit import Server


@pytest.mark.parametrize("accept, suffix", [("image/png", ".png")])
def test_zbarimg_reads_the_ticket(accept, suffix, tmp_path):
    if not shutil.which("zbarimg"):
        pytest.skip("zbarimg is not installed")
    with Server() as server:
        sale, buyer = server.organiser().sale(), server.buyer()
        order, paid = buyer.buy(sale, [0])
        ticket = paid.expect(200).json["tickets"][0]
        code = buyer.get(f"/tickets/{ticket}").expect(200).json["code"]
        picture = tmp_path / ("ticket" + suffix)
        picture.write_bytes(buyer.get(f"/tickets/{ticket}/qr", headers={"Accept": accept}).expect(200).raw)
        read = subprocess.run(["zbarimg", "--quiet", "--raw", str(picture)], capture_output=True, text=True)
        assert read.stdout.strip() == code
        assert (
            server.gate().post("/gate/scans", {"code": read.stdout.strip(), "gate": "A"}).expect(200).json["result"]
            == "ADMIT"
        )
        assert order
