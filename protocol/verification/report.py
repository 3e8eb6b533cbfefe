"""What was rebuilt of a training, or the first thing that differs."""

from collections.abc import Iterator
from contextlib import contextmanager

from protocol.errors import DeltaMLError, MisuseError, ProtocolViolation
from protocol.roles.engine.refusals import EarlyInput, StaleInput
from protocol.types import Address, FrozenModel

CANNOT_CHECK = {
    "model_buyer": "The buyer is shown neither updates nor metrics: that proofs hold and products are of the "
    "updates is what the members' signatures say.",
    "data_owner": "A trainer is shown its own update alone, a member no share of others: how the next model "
    "was tested is what the two checkers' verdicts say.",
    "federated_aggregator": "The aggregator is shown no question of a checker: that projections are zero is "
    "what the two checkers' verdicts say.",
}
"""By role, what its transcript cannot show."""


class Check(FrozenModel):
    """One thing that was checked, and of how many."""

    name: str
    count: int = 1


class RoundReport(FrozenModel):
    """One recorded round; `attempt` is 0 where the party took no part in measuring it."""

    round: int
    attempt: int
    checks: tuple[Check, ...]


class Failure(FrozenModel):
    """The first thing that is not as it was signed; `round` is 0 outside rounds."""

    code: str
    round: int
    message: str
    detail: str


class Report(FrozenModel):
    """What a transcript showed. It verifies where `failure` is None."""

    training: int
    role: str
    party: Address
    entries: int
    checks: tuple[Check, ...] = ()
    rounds: tuple[RoundReport, ...] = ()
    cannot_check: str = ""
    failure: Failure | None = None


class VerificationFailed(DeltaMLError):  # noqa: N818  as the report names it
    """Something differs; carries the failure."""

    def __init__(self, failure: Failure) -> None:
        """`failure` says what, and where."""
        super().__init__(f"{failure.code}: {failure.detail}")
        self.failure = failure


@contextmanager
def naming(message: str, round_number: int = 0) -> Iterator[None]:
    """Have whatever is refused inside named by this message and round; the innermost name counts."""
    try:
        yield
    except ProtocolViolation as error:
        raise _failed(error.code, message, round_number, error.detail) from None
    except (EarlyInput, StaleInput):
        raise _failed("missing_message", message, round_number, "what it follows from is not there") from None
    except MisuseError as error:
        raise _failed("cannot_be_rebuilt", message, round_number, str(error)) from None


def _failed(code: str, message: str, round_number: int, detail: str) -> VerificationFailed:
    return VerificationFailed(Failure(code=code, round=round_number, message=message, detail=detail))
