"""Why a message is a dead letter: the five kinds that an operator tells apart; the code says it exactly."""

from typing import Literal, get_args

from services.bus.port import UNDELIVERABLE

Reason = Literal["invalid", "unauthenticated", "replayed", "oversized", "undeliverable"]

REASONS: tuple[Reason, ...] = get_args(Reason)

_REASONS: dict[str, Reason] = {
    "bad_signature": "unauthenticated",
    "wrong_user": "unauthenticated",
    "not_registered": "unauthenticated",
    "wrong_route": "unauthenticated",
    "not_sealed_to_me": "unauthenticated",
    "replayed": "replayed",
    "oversized": "oversized",
    UNDELIVERABLE: "undeliverable",
    "delivery_limit": "undeliverable",
    "expired": "undeliverable",
    "maxlen": "undeliverable",
}


def reason_of(code: str) -> Reason:
    """The kind of a code; what is in no other kind broke a rule of form or order."""
    return _REASONS.get(code, "invalid")
