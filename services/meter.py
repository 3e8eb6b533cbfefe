"""Where a process's time goes, by the phases of the protocol."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

PHASES = ("start", "keys", "training", "refresh", "metric", "opening", "chain", "bus", "store")

_PHASE_OF_INPUT = {
    "encrypted_model": "training",
    "gradient_update": "training",
    "refresh_request": "refresh",
    "refresh_answer": "refresh",
    "local_models": "metric",
    "noisy_metric": "metric",
    "metric_products": "metric",
    "encrypted_metric": "metric",
    "opening_request": "opening",
    "opening": "opening",
    "round_signature": "opening",
    "trained_model": "opening",
}


class Meter:
    """Seconds by phase, summed over tasks and worker processes: more than the wall's where they overlap."""

    def __init__(self) -> None:
        """All phases at zero."""
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.seconds.update(dict.fromkeys(PHASES, 0.0))

    def step(self, input_name: str, seconds: float) -> None:
        """A transition of a role; those that only follow the chain or set a training up count as start."""
        self.seconds[_PHASE_OF_INPUT.get(input_name, "start")] += seconds

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Take the time of a block."""
        started = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += perf_counter() - started
