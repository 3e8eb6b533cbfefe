"""What was rebuilt of a training, or the first thing that differs."""

from typing import Literal

from protocol.errors import DeltaMLError, MisuseError, ProtocolViolation
from protocol.roles.engine.refusals import EarlyInput, StaleInput
from protocol.types import Address, FrozenModel

CANNOT_CHECK = {
    "model_buyer": "The buyer is shown neither updates nor metrics: that proofs hold and products are of the "
    "updates is what the members' signatures say.",
    "data_owner": "A trainer is shown its own update alone, and takes the other numbers of records as the "
    "chain has them. A member that is no checker is shown no question: that projections are zero, and to any "
    "member that the next model is in range, is what the two checkers' verdicts say.",
    "federated_aggregator": "The aggregator is shown no question of a checker: that projections are zero is "
    "what the two checkers' verdicts say.",
}
"""By role, what its transcript cannot show."""

MASKS_IN_A_BOX = (
    " Masks and seeds are in boxes that this party's key alone opens: that the request was of the updates, "
    "that metrics are proven of its products, and that questions were honest is what signatures say."
)
"""What a transcript of a member, a checker or the aggregator does not show to others."""


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


class Blame(FrozenModel):
    """Somebody who was said to be at fault, and what the transcript shows of it.

    `accused` is None where the training's end names nobody. "convicted": what was signed and shown here
    convicts the accused of this; "open": nothing here decides it, for the reason in `why`. A blame that what
    is shown speaks against is no entry here but the report's failure, `misnamed`.
    """

    round: int
    attempt: int
    accused: Address | None
    code: str
    finding: Literal["convicted", "open"]
    why: str


class Report(FrozenModel):
    """What a transcript showed. It verifies where `failure` is None."""

    training: int
    role: str
    party: Address
    entries: int
    checks: tuple[Check, ...] = ()
    rounds: tuple[RoundReport, ...] = ()
    blames: tuple[Blame, ...] = ()
    cannot_check: str = ""
    failure: Failure | None = None


class VerificationFailed(DeltaMLError):  # noqa: N818  as the report names it
    """Something differs; carries the failure."""

    def __init__(self, failure: Failure) -> None:
        """`failure` says what, and where."""
        super().__init__(f"{failure.code}: {failure.detail}")
        self.failure = failure


class naming:  # noqa: N801  read as a word of the sentence it stands in
    """Have whatever is refused inside named by this message and round; the innermost name counts."""

    def __init__(self, message: str, round_number: int = 0) -> None:
        """`message` is a type of messages or an event, `round_number` 0 outside rounds."""
        self._message, self._round = message, round_number

    def __enter__(self) -> None:
        """Nothing is to be done before."""

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> None:
        """Raise VerificationFailed in place of a refusal; anything else goes on as it is."""
        match error:
            case ProtocolViolation(code=code, detail=detail):
                raise self._failed(code, detail) from None
            case EarlyInput() | StaleInput():
                raise self._failed("missing_message", "what it follows from is not there") from None
            case MisuseError():
                raise self._failed("cannot_be_rebuilt", str(error)) from None

    def _failed(self, code: str, detail: str) -> VerificationFailed:
        return VerificationFailed(Failure(code=code, round=self._round, message=self._message, detail=detail))
