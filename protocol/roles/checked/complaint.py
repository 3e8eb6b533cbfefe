"""A checker's word against an attempt, as everybody notes it who hears it."""

from protocol.messages.checked import CheckVerdict
from protocol.roles.engine import facts
from protocol.roles.engine.effects import RecordFact
from protocol.types import RoundAttempt


def check_failed(checker: str, at: RoundAttempt, verdict: CheckVerdict) -> RecordFact:
    """Who says what of which attempt; `verdict` does not find it in order."""
    code = _code_of(verdict.ground)
    return facts.CHECK_FAILED.of(checker=checker, round=at.round, attempt=at.attempt, code=code)


def _code_of(ground: str | None) -> str:
    """What is said not to be in order."""
    match ground:
        case "start":
            return "start_contested"
        case "proof":
            return "proof_contested"
        case "request":
            return "request_contested"
        case "projection":
            return "products_contested"
        case "next_model":
            return "next_model_contested"
        case _:
            return "no_ground"
