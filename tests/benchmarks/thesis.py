"""Time the thesis' way for some iterations, check it against numpy, and scale it to the whole training."""

from statistics import median

import numpy as np
from pydantic import BaseModel

from tests.benchmarks.data import STEP_SIZE, STEPS, Split, descend, error, federated
from tests.support.thesis.thesis_way import STEPS_PER_METRIC, Clock, Errors, Matrix, ThesisTraining

RANDOMISING = "randomising what is sent"


class ThesisReport(BaseModel):
    """Scaled from `iterations_timed` to `iterations`, but for the errors and what is called measured."""

    key_bits: int
    iterations: int
    iterations_timed: int
    metrics_timed: int
    seconds_by_phase: dict[str, float]
    seconds_total: float
    seconds_without_randomising: float
    seconds_measured: float
    processor_seconds_total: float
    bytes_on_bus: int
    weights_max_abs_error: float
    metric_max_relative_error: float


def measure(split: Split, *, key_bits: int, iterations: int) -> ThesisReport:
    """Run at least two iterations, so that a metric is among them."""
    training = ThesisTraining(split.trainers, split.validators, key_bits=key_bits, step_size=STEP_SIZE)
    setup, plain = training.clock, federated(split, rounds=iterations, local_steps=1)
    clocks: list[Clock] = []
    sent: list[int] = []
    metric_error, weights_error = 0.0, 0.0
    for iteration in range(1, iterations + 1):
        training.clock, before = Clock(), training.bytes_sent
        training.step()
        expected = plain[iteration]
        if iteration % STEPS_PER_METRIC == 0:
            measured = training.metric()
            metric_error = max(metric_error, _metric_error(split, plain[iteration - 1], expected, measured))
        clocks.append(training.clock)
        sent.append(training.bytes_sent - before)
        weights_error = max(weights_error, float(np.abs(training.weights() - expected).max()))
    by_phase = _scale(setup, clocks)
    total = sum(by_phase.values())
    return ThesisReport(
        key_bits=key_bits,
        iterations=STEPS,
        iterations_timed=iterations,
        metrics_timed=iterations // STEPS_PER_METRIC,
        seconds_by_phase=by_phase,
        seconds_total=total,
        seconds_without_randomising=total - by_phase[RANDOMISING],
        seconds_measured=sum(sum(clock.seconds.values()) for clock in (setup, *clocks)),
        processor_seconds_total=setup.processor_seconds + _scaled([c.processor_seconds for c in clocks]),
        bytes_on_bus=round(_scaled([float(size) for size in sent])),
        weights_max_abs_error=weights_error,
        metric_max_relative_error=metric_error,
    )


def _scale(setup: Clock, clocks: list[Clock]) -> dict[str, float]:
    phases = dict.fromkeys(phase for clock in (setup, *clocks) for phase in clock.seconds)
    return {
        phase: setup.seconds[phase] + _scaled([clock.seconds[phase] for clock in clocks]) for phase in phases
    }


def _scaled(values: list[float]) -> float:
    """The median by position between two metrics, times how often that position comes in the whole training.

    Positions differ: phe's exponents grow until the refresh, and the metric comes at the last position only.
    """
    positions = [median(values[i::STEPS_PER_METRIC]) for i in range(STEPS_PER_METRIC)]
    return sum(positions) * STEPS / STEPS_PER_METRIC


def _metric_error(split: Split, before: Matrix, after: Matrix, measured: Errors) -> float:
    """The largest relative error of the measured mean squared errors against numpy's on the rows."""
    one_step = [descend(rows, before, 1) for rows in split.trainers]
    without = [np.mean(np.delete(one_step, i, axis=0), axis=0) for i in range(len(one_step))]
    expected = np.array([error(split.validators, model) for model in (after, *without)])
    return float(np.max(np.abs(np.array([measured.average, *measured.without]) - expected) / expected))
