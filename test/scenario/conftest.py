import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import pytest  # noqa: E402
from kit import Server  # noqa: E402


@pytest.fixture
def server():
    """A server with well-behaved payments; stopped and audited at the end of the story."""
    with Server() as running:
        yield running
        if running.process.poll() is None:
            running.stop_and_audit(at_rest=False)
