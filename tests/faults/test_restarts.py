"""After the restart of any one component the training moves again within ten seconds."""

import json
import subprocess
import sys

MOST_SECONDS = 10


def test_the_training_moves_again_soon_after_any_restart() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.restarts"],
        stdout=subprocess.PIPE,
        text=True,
        timeout=900,
        check=True,
    )
    seconds = json.loads(done.stdout)
    assert set(seconds) == {"listener", "buyer", "aggregator", "owner-1", "broker", "node"}
    assert max(seconds.values()) <= MOST_SECONDS, seconds
