"""Why a message is a dead letter: the five kinds that an operator tells apart; the code says it exactly."""

from typing import Literal, get_args

from services.bus import port

Reason = Literal["invalid", "unauthenticated", "replayed", "oversized", "undeliverable"]

REASONS: tuple[Reason, ...] = get_args(Reason)


def reason_of(code: str) -> Reason:
    """The kind of a code; what is in no other kind broke a rule of form or order."""
    match code:
        case "bad_signature" | "wrong_user" | "not_registered" | "wrong_route" | "not_sealed_to_me":
            return "unauthenticated"
        case "copied" | "wrong_key":  # past what the broker lets its sender write
            return "unauthenticated"
        case _ if code.startswith("event_"):  # unsigned: the own node's word is their proof
            return "unauthenticated"
        case "replayed" | "oversized":
            return code
        case port.UNDELIVERABLE | "delivery_limit" | "expired" | "maxlen":
            return "undeliverable"
        case _:
            return "invalid"
