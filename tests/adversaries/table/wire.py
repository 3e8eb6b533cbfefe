"""Who stands between the parties, or beside them: the broker, strangers, and an owner under two names."""

from collections.abc import Sequence
from random import Random
from typing import Any

from protocol.envelope import SignedMessage
from tests.adversaries.arena import Arena, Deed
from tests.adversaries.declaration import Adversary, Money
from tests.adversaries.deeds import changing, forging, honestly
from tests.support.roles.small_markets import body_of

SIGNED = "roles believe nothing that admission has not let in: the signature is the check"


def _broker(name: str, does: str, deed: Deed, **more: Any) -> Adversary:
    return Adversary(name, more.pop("who", "broker"), does, "On the wire", deed, unswitched=SIGNED, **more)


def twice(_arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
    """Every message once more, at once."""
    return message, message


def stale(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
    """With each message of the second round, its sender's first one of that type once more."""
    envelope = message.envelope
    if envelope.round != 2:
        return (message,)
    place = envelope.type, envelope.sender, envelope.recipient
    first = (
        one
        for one in arena.sent(envelope.type)
        if (one.envelope.type, one.envelope.sender, one.envelope.recipient) == place
    )
    return next(first), message


def shuffled(arena: Arena) -> Any:
    """Whatever may come next comes in any order."""
    return Random(5).choice


def _another_owners(arena: Arena, _body: Any, message: SignedMessage) -> dict[str, Any]:
    theirs = next(
        one for one in arena.sent("checked_ready") if one.envelope.sender != message.envelope.sender
    )
    return {"card": body_of(theirs).card, "committed": body_of(theirs).committed}


WIRE = (
    _broker(
        "everything twice",
        "delivers every message twice, past the inboxes that know their ids",
        twice,
        caught=("aggregator: updated_twice", "buyer: asked_twice", "validator: shown_twice"),
    ),
    _broker("any order", "delivers in any order", honestly, redraws=shuffled),
    _broker(
        "old messages",
        "delivers the first round's messages again in the second, past the inboxes",
        stale,
        rounds=2,
        caught=("buyer: asked_twice", "validator: already_opened"),
    ),
    _broker(
        "another market",
        "passes on what was signed for another contract",
        forging("proven_update", contract="0x" + "22" * 20),
        who="stranger",
        caught=("admission: wrong_market",),
    ),
    _broker(
        "forged sender",
        "signs in another's name",
        forging("proven_metric", sender="0x" + "33" * 20),
        who="stranger",
        caught=("admission: bad_signature",),
    ),
    _broker(
        "another training",
        "passes a message on for another training",
        forging("check_verdict", training=2),
        who="stranger",
        caught=("admission: bad_signature",),
    ),
    _broker(
        "another round",
        "passes an update on for a later round",
        forging("proven_update", round=2),
        who="stranger",
        caught=("admission: bad_signature",),
    ),
    _broker(
        "another attempt",
        "passes evidence on for a later attempt",
        forging("round_evidence", attempt=2),
        who="stranger",
        caught=("admission: bad_signature",),
    ),
    _broker(
        "another recipient",
        "passes one checker's seed on to somebody else",
        forging("ring_shared", recipient="0x" + "33" * 20),
        who="stranger",
        caught=("admission: bad_signature",),
    ),
    _broker(
        "another kind",
        "passes a consent on as a signature of the record",
        forging("metric_consent", type="round_signature"),
        who="stranger",
        caught=("admission: bad_signature",),
    ),
    Adversary(
        "two names",
        "trainer",
        "has the same rows in two seats",
        "What stays, whatever is checked",
        honestly,
        twins=True,
        unswitched="admission is the only defence",
    ),
    Adversary(
        "another's commitments",
        "validator",
        "shows another owner's commitments as its own",
        "Before a round",
        changing("checked_ready", _another_owners),
        caught=("aggregator: wrong_commitment", "aggregator: left out, no_row_count"),
        left_out=True,
        money=Money.UNPAID,
        unswitched="the digest on the chain names its owner",
    ),
)
