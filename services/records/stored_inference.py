"""The standard errors of a bought model in its buyer's store, as the lines of a table."""

from collections.abc import Iterator
from dataclasses import dataclass

from protocol.codec import unpack
from protocol.learning.inference.estimates import (
    CONFIDENCE,
    CheckerWord,
    Coefficient,
    Inference,
    coefficients,
)
from services.common.errors import ConfigurationError
from services.records.stored_trainings import bought_model, training_number
from services.store import InstanceRow, Store


@dataclass(frozen=True, slots=True)
class CoefficientTable:
    """Each weight in the columns' own units, with standard error, interval, statistic and p-value."""

    lines: tuple[Coefficient, ...]
    inference: Inference
    confidence: float

    @property
    def statistic(self) -> str:
        """What the statistics are: Student's t, or z where they are normal."""
        return "z" if self.inference.degrees is None else "t"


def bought_inference(store: Store, instance: InstanceRow) -> Inference | None:
    """What came of standard errors; None where none were asked for, or they are still waited for."""
    content = store.result(instance.key, "inference")
    return None if content is None else unpack(Inference, content)


def coefficient_table(
    store: Store, instance: InstanceRow, confidence: float = CONFIDENCE
) -> CoefficientTable:
    """The table of a training's model.

    Raises ConfigurationError where there is none, saying why, MisuseError for a confidence not in 0 … 1.
    """
    model, inference = bought_model(store, instance), bought_inference(store, instance)
    number = training_number(instance)
    if inference is None:
        raise ConfigurationError(
            f"this store has no standard errors of training {number}: they come some minutes "
            "after the model where the request asks for them with `inference: true`"
        )
    if inference.missing is not None:
        raise ConfigurationError(f"training {number} has no standard errors: {why_missing(inference)}")
    return CoefficientTable(coefficients(model, inference, confidence), inference, confidence)


_WHY = {
    "ended_early": "it ended before its last round, and owners open nothing then",
    "too_few_trainers": "fewer than five owners trained its last round, and a sum over so few tells of each",
    "silent": "{silence}; they are made when the last answer comes, within 30 days",
    "implausible_sum": "what the owners sent cannot be of so many rows: one of them has sent something else",
    "singular": "some weights are determined only together, as those of columns that say the same",
}


def why_missing(inference: Inference) -> str:
    """A sentence about `Inference.missing`; "" where nothing is."""
    if inference.missing is None:
        return ""
    return _WHY[inference.missing].format(silence="; ".join(_silence(inference)))


def _silence(inference: Inference) -> Iterator[str]:
    """Who was not heard, and what checkers say: a word against another one is nobody's proven fault."""
    for checker in inference.silent:
        yield f"checker {checker} sent nothing in time"
    yield from map(_word, inference.told)


def _word(told: CheckerWord) -> str:
    if not told.lacks:
        return f"checker {told.checker} has sent the sum of all shares"
    return f"checker {told.checker} says that it got nothing from {', '.join(told.lacks)}"
