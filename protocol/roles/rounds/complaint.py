"""A checker's word against an attempt, as everybody notes it who hears it."""

from protocol.messages.rounds import CheckVerdict
from protocol.roles.engine import facts
from protocol.roles.engine.effects import RecordFact
from protocol.types import RoundAttempt


def check_failed(checker: str, at: RoundAttempt, verdict: CheckVerdict) -> RecordFact:
    """Who says what of which attempt; `verdict` does not find it in order."""
    match verdict.ground:
        case "start":
            code = "start_contested"
        case "proof":
            code = "proof_contested"
        case "request":
            code = "request_contested"
        case "subtraction":
            code = "subtraction_contested"
        case "projection":
            code = "products_contested"
        case "question":
            code = "question_contested"
        case "next_model":
            code = "next_model_contested"
        case "shown":
            code = "shown_contested"
        case None:
            code = "no_ground"
    return facts.CHECK_FAILED.of(checker=checker, round=at.round, attempt=at.attempt, code=code)
