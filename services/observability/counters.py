"""What a process counts: where its time goes, by the phases of the protocol, its calls and its retries."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from types import MappingProxyType
from typing import Any

from prometheus_client import Histogram

from services.records.round_checks import CODES_OF
from services.records.training_history import ROUND_ENDS, ROUND_STARTS

PHASES = ("start", "keys", "training", "refresh", "metric", "opening", "chain", "bus", "store")

_INPUTS_OF_PHASE = {
    "training": ("encrypted_model", "proven_update"),
    "refresh": ("moment_request", "moment_answer"),
    "metric": (
        *("attempt_announced", "round_evidence", "proven_metric", "shown_metrics", "check_verdict"),
        *("projection_request", "projection_answer"),
        *("zero_test_shown", "zero_test_consent", "zero_test_request", "zero_test_result"),
        *("zero_test_evidence_request", "zero_test_evidence"),
    ),
    "opening": (
        *("opening", "round_signature", "trained_model"),
        *("ring_committed", "ring_nonce", "ring_shared", "ring_consent"),
        *("ranges_asked", "ring_opening_request", "ring_opening", "opening_relayed"),
        *("shown_noise", "metric_consent", "metric_opening_request"),
    ),
}
_PHASE_OF_INPUT = {name: phase for phase, names in _INPUTS_OF_PHASE.items() for name in names}

STEP_BUCKETS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
"""Upper bounds in seconds: a step takes a millisecond, or minutes with large keys and wide models."""

ROUND_BUCKETS = (0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
"""Upper bounds in seconds: a round takes a second on one machine, or as long as its deadlines let it."""


OTHER_CODE = "other"
"""In the place of a code that no role of ours gives: a peer could make as many series as it likes."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Meter:
    """Seconds by phase, summed over tasks and worker processes: more than the wall's where they overlap.

    `transactions` and `gas` are by (call, outcome), `retries` by what was tried again,
    `set_aside` by what was given up because nothing could be done with it, `troubles` of rounds by
    (fact, code).
    """

    def __init__(self) -> None:
        self.steps = Histogram(
            "deltaml_step_seconds",
            "Steps and what they took, by the kind of input.",
            ["input"],
            buckets=STEP_BUCKETS,
            registry=None,
        )
        self.rounds = Histogram(
            "deltaml_round_seconds",
            "Rounds and what they took by the clock, from the end of the one before.",
            buckets=ROUND_BUCKETS,
            registry=None,
        )
        self._round_began: dict[tuple[str, str], float] = {}
        self.steps_failed = 0
        self.set_aside: Counter[str] = Counter(dict.fromkeys(("input", "message", "event", "effect"), 0))
        self.inputs_forgotten = 0
        self.troubles: Counter[tuple[str, str]] = Counter(
            {(fact, code): 0 for fact, codes in CODES_OF.items() for code in (*codes, OTHER_CODE)}
        )
        self.transactions: Counter[tuple[str, str]] = Counter()
        self.gas: Counter[tuple[str, str]] = Counter()
        self.retries: Counter[str] = Counter(
            dict.fromkeys(("step", "gate", "room", "event", "message", "letter", "call"), 0)
        )
        self.seconds: defaultdict[str, float] = defaultdict(float, dict.fromkeys(PHASES, 0.0))

    def step(self, input_name: str, seconds: float) -> None:
        """A transition of a role; those that only follow the chain or set a training up count as start."""
        self.seconds[_PHASE_OF_INPUT.get(input_name, "start")] += seconds
        self.steps.labels(input_name).observe(seconds)

    def noted(self, whose: tuple[str, str], fact: str, data: Mapping[str, Any] = _NOTHING) -> None:
        """A fact of the training `whose`; a round that spans a restart of the daemon is not timed."""
        if fact in CODES_OF:
            code = data.get("code", "")
            self.troubles[fact, code if code in CODES_OF[fact] else OTHER_CODE] += 1
        now = perf_counter()
        if fact in ROUND_ENDS and whose in self._round_began:
            self.rounds.observe(now - self._round_began[whose])
        if fact in ROUND_STARTS:
            self._round_began[whose] = now

    def ended(self, whose: tuple[str, str]) -> None:
        """A training is over."""
        self._round_began.pop(whose, None)

    def called(self, call: str, outcome: str, gas: int) -> None:
        """A contract call was tried; see `services.chain.contract.client.OnOutcome`."""
        self.transactions[call, outcome] += 1
        if gas:
            self.gas[call, outcome] += gas

    def retried(self, what: str) -> None:
        """Something could not be done yet and is tried again."""
        self.retries[what] += 1

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Take the time of a block."""
        started = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += perf_counter() - started
