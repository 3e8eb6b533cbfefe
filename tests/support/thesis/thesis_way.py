"""The training of the 2019 thesis, written anew on phe: the yardstick for speed and why there is a protocol.

Thesis, chapters 7.1 and 7.6. Every trainer works row by row on encrypted numbers: Enc(x·θ) − y for each row,
the gradient out of those, one step; the aggregator averages. Every second step the validators send one
encrypted residual per row, for the average and for each average without one trainer; the aggregator adds
noise, the buyer decrypts the residuals, and decrypts the model and encrypts it again, which keeps phe's
exponents from growing. What is sent is randomised anew, as phe's `ciphertext()` does by default.

It is kinder to the thesis than its code was: that code randomised residuals twice, and rounded the weights to
three decimals at every refresh. It is for comparison alone: its buyer sees the model and the residuals.
"""

import json
import secrets
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from phe import paillier

Matrix = NDArray[np.float64]
Encrypted = NDArray[Any]
"""A vector of phe.EncryptedNumber."""

STEPS_PER_METRIC = 2
_NOISE = 10


class Rows(NamedTuple):
    """One owner's data: `features` m×p, a column of ones last, and `target`, m."""

    features: Matrix
    target: Matrix


class Errors(NamedTuple):
    """Mean squared error over all validators' rows: of the average, and of it without each trainer."""

    average: float
    without: list[float]


@dataclass
class Clock:
    """Seconds of one iteration by phase, and the processor's part of them."""

    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    processor_seconds: float = 0.0

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time of a block."""
        started, busy = perf_counter(), process_time()
        try:
            yield
        finally:
            self.seconds[name] += perf_counter() - started
            self.processor_seconds += process_time() - busy


class ThesisTraining:
    """All parties in one process: `step` is one iteration, `metric` comes after every second one.

    `clock` may be replaced between iterations; `bytes_sent` counts JSON of decimal numbers, as in 2019.
    """

    def __init__(
        self, trainers: Sequence[Rows], validators: Sequence[Rows], *, key_bits: int, step_size: float
    ) -> None:
        """Make the key and the model of zeros."""
        self.trainers, self.validators, self.step_size = trainers, validators, step_size
        self.bytes_sent = 0
        self.clock = Clock()
        with self.clock.phase("keys"):
            self.public_key, self._private_key = paillier.generate_paillier_keypair(n_length=key_bits)
        self.locals: list[Encrypted] = []
        with self.clock.phase("refresh"):
            self.model = self._encrypt(np.zeros(trainers[0].features.shape[1]))

    def step(self) -> None:
        """One gradient step at every trainer, and their average."""
        sent = self._send(self.model, recipients=len(self.trainers))
        self.locals = []
        for rows in self.trainers:
            with self.clock.phase("residuals"):
                residual = rows.features.dot(sent) - rows.target
            with self.clock.phase("gradient"):
                gradient = residual.dot(rows.features) / len(rows.target)
            with self.clock.phase("step and average"):
                local = sent - self.step_size * gradient
            self.locals.append(self._send(local))
        with self.clock.phase("step and average"):
            self.model = _mean(self.locals)

    def metric(self) -> Errors:
        """Measure the average and what it would be without each trainer, then refresh the average."""
        with self.clock.phase("step and average"):
            without = [_mean(self.locals[:i] + self.locals[i + 1 :]) for i in range(len(self.locals))]
        errors = [self._error(model) for model in (self.model, *without)]
        sent = self._send(self.model)
        with self.clock.phase("refresh"):
            self.model = self._encrypt(self._decrypt(sent))
        self._send(self.model)
        return Errors(errors[0], errors[1:])

    def weights(self) -> Matrix:
        """The model in clear, p numbers."""
        return self._decrypt(self.model)

    def _error(self, model: Encrypted) -> float:
        sent = self._send(model, recipients=len(self.validators))
        squares, count = 0.0, 0
        for rows in self.validators:
            with self.clock.phase("metric: residuals"):
                residual = rows.features.dot(sent) - rows.target
            noise = [secrets.randbelow(_NOISE) for _ in rows.target]
            received = self._send(residual)
            with self.clock.phase("metric: noise"):
                noisy = received + np.array(noise, dtype=object)
            with self.clock.phase("metric: decryption"):
                opened = self._decrypt(noisy) - np.array(noise)
            squares, count = squares + float(opened @ opened), count + len(opened)
        return squares / count

    def _send(self, numbers: Encrypted, *, recipients: int = 1) -> Encrypted:
        """What the recipients read: numbers randomised where their maker has not done so yet."""
        with self.clock.phase("randomising what is sent"):
            pairs = [(number.ciphertext(), number.exponent) for number in numbers]
        body = json.dumps([{"ciphertext": str(c), "exponent": exponent} for c, exponent in pairs])
        self.bytes_sent += recipients * len(body)
        return np.array([paillier.EncryptedNumber(self.public_key, c, exponent) for c, exponent in pairs])

    def _encrypt(self, values: Matrix) -> Encrypted:
        return np.array([self.public_key.encrypt(float(value)) for value in values])

    def _decrypt(self, numbers: Encrypted) -> Matrix:
        return np.array([self._private_key.decrypt(number) for number in numbers], dtype=np.float64)


def _mean(models: Sequence[Encrypted]) -> Encrypted:
    total = models[0]
    for model in models[1:]:
        total = total + model
    return total / len(models)
