"""Trainers that cheat: no update but the committed map's is worth anything."""

from collections.abc import Sequence
from typing import Any

from protocol.envelope import SignedMessage
from tests.adversaries.arena import Arena
from tests.adversaries.declaration import Adversary, Money
from tests.adversaries.deeds import (
    changing,
    doubling,
    elsewhere,
    flipped,
    honestly,
    last_to_answer,
    shift,
    withholding,
)
from tests.adversaries.outcome import Outcome
from tests.adversaries.switches import Switch, answering, without_code
from tests.support.roles.small_markets import altered, body_of

IN_A_ROUND = "In a round"
UPDATE = "proven_update"
RANGES = answering(
    "ranges of updates",
    [],
    "protocol.roles.aggregator.rounds.ranges:_outside",
    "protocol.roles.owner.rounds.ranges:_outside",
)
UPDATE_PROOFS = answering("the proofs of updates", [], "protocol.crypto.proofs.trainer:UpdateProofs.unproven")


def copying(*, blinded: bool) -> Any:
    """The broker's eyes and a trainer's key: another's update, under fresh randomness or as it is."""

    def deed(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
        if message.envelope.type != UPDATE:
            return (message,)
        theirs = next(
            body_of(one) for one in arena.sent(UPDATE) if one.envelope.sender != message.envelope.sender
        )
        model = theirs.local_model
        if blinded:
            key = arena.key.public_key
            root = pow(int.from_bytes(arena.random.randbytes(64), "big"), int(key.n), int(key.n_squared))
            numbers = tuple(
                (int.from_bytes(one, "big") * root % int(key.n_squared)).to_bytes(len(one), "big")
                for one in model.ciphertexts
            )
            model = model.model_copy(update={"ciphertexts": numbers})
        return (altered(arena, message, local_model=model, proof=theirs.proof),)

    return deed


def moved(by: int) -> Any:
    """One weight shifted."""

    def change(arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
        numbers = shift(body.local_model.ciphertexts, arena, by)
        return {"local_model": body.local_model.model_copy(update={"ciphertexts": numbers})}

    return change


def _other_proof(_arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
    *others, last = body.proof
    return {"proof": (*others, flipped(last))}


def _first_rounds(*fields: str) -> Any:
    def change(arena: Arena, _body: Any, message: SignedMessage) -> dict[str, Any]:
        sender = message.envelope.sender
        first = next(body_of(one) for one in arena.sent(UPDATE) if one.envelope.sender == sender)
        return {field: getattr(first, field) for field in fields}

    return change


def _garbage(_arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
    zeros = tuple(bytes(len(one)) for one in body.local_model.ciphertexts)
    return {"local_model": body.local_model.model_copy(update={"ciphertexts": zeros})}


def _as_updates(outcome: Outcome) -> bool:
    return outcome.is_whole and outcome.is_wrong


UNPROVEN = {
    "caught": ("aggregator: left out, unproven_update",),
    "named": True,
    "left_out": True,
    "money": Money.UNPAID,
    "switch": UPDATE_PROOFS,
    "wins": _as_updates,
}


def _trainer(name: str, does: str, deed: Any, **more: Any) -> Adversary:
    return Adversary(name, "trainer", does, IN_A_ROUND, deed, **more)


SILENT = "silence is no message: the others' clocks stand against it"
BEHIND = "behind it stands the proof, which is of this round's model"


TRAINERS = (
    _trainer(
        "copied update",
        "sends another's update, proof and all",
        copying(blinded=False),
        redraws=last_to_answer("encrypted_model"),
        **UNPROVEN,
    ),
    _trainer(
        "re-blinded copy",
        "sends another's update under fresh randomness",
        copying(blinded=True),
        redraws=last_to_answer("encrypted_model"),
        **UNPROVEN,
    ),
    _trainer(
        "other proof",
        "changes the last bit of its proof",
        changing(UPDATE, _other_proof),
        **{**UNPROVEN, "wins": lambda outcome: outcome.is_whole and not outcome.named},
    ),
    _trainer(
        "shifted weight",
        "adds 2^-8 to one weight, under the honest one's proof",
        changing(UPDATE, moved(1 << 96)),
        **UNPROVEN,
    ),
    _trainer(
        "last digit",
        "adds the least to one weight",
        changing(UPDATE, moved(1)),
        **{**UNPROVEN, "wins": lambda outcome: outcome.is_whole and not outcome.named},
    ),
    _trainer(
        "out of range",
        "adds 2^40 times the largest weight",
        changing(UPDATE, moved(1 << 155)),
        **{
            **UNPROVEN,
            "switch": Switch("proofs and ranges of updates", (*UPDATE_PROOFS.replaced, *RANGES.replaced)),
            "wins": lambda outcome: outcome.arena.adversary not in outcome.named and not outcome.is_whole,
        },
    ),
    _trainer(
        "committed out of range",
        "commits to a map whose updates are 2^48 times as large as they may be",
        honestly,
        committed="widely",
        caught=("aggregator: ended, out_of_range",),
        named=True,
        money=Money.REFUNDED,
        switch=RANGES,
        wins=lambda outcome: outcome.arena.adversary not in outcome.named,
    ),
    _trainer(
        "stale proof",
        "proves the second round's update with the first one's proof",
        changing(UPDATE, _first_rounds("proof"), round_number=2),
        rounds=2,
        **{**UNPROVEN, "money": Money.PARTLY, "wins": lambda outcome: outcome.is_whole and not outcome.named},
    ),
    _trainer(
        "stale update",
        "sends the first round's update and proof again in the second",
        changing(UPDATE, _first_rounds("proof", "local_model"), round_number=2),
        rounds=2,
        **{**UNPROVEN, "money": Money.PARTLY},
    ),
    _trainer(
        "dual forgotten",
        "answers with what its first model makes of rows, and not with what it carries",
        changing(UPDATE, _first_rounds("proof", "local_model"), round_number=2),
        rounds=2,
        carries=True,
        **{**UNPROVEN, "money": Money.PARTLY},
    ),
    _trainer(
        "start of another round",
        "says that its update is of the first round's model",
        changing(UPDATE, _first_rounds("proof", "local_model", "start_digest"), round_number=2),
        caught=("aggregator: wrong_start_model", "aggregator: left out, update_late"),
        rounds=2,
        left_out=True,
        money=Money.PARTLY,
        unswitched=BEHIND,
    ),
    _trainer(
        "no numbers",
        "sends zeros for ciphertexts",
        changing(UPDATE, _garbage),
        caught=("aggregator: bad_ciphertext", "aggregator: left out, update_late"),
        left_out=True,
        money=Money.UNPAID,
        unswitched=BEHIND,
    ),
    _trainer(
        "half a proof",
        "leaves the last number of its proof out",
        changing(UPDATE, lambda _arena, body, _message: {"proof": tuple(body.proof[:-1])}),
        caught=("aggregator: bad_proof", "aggregator: left out, update_late"),
        left_out=True,
        money=Money.UNPAID,
        unswitched=BEHIND,
    ),
    _trainer(
        "another round's envelope",
        "sends its update for a round to come",
        elsewhere(UPDATE, round=2),
        caught=("aggregator: round_out_of_order", "aggregator: left out, update_late"),
        left_out=True,
        money=Money.UNPAID,
        unswitched=BEHIND,
    ),
    _trainer(
        "two updates",
        "sends a second one after the first, shifted",
        doubling(UPDATE, moved(1 << 96)),
        caught=("aggregator: updated_twice",),
        switch=without_code("one update of each trainer", "updated_twice", "aggregator.rounds.training"),
        crashes=True,
    ),
    _trainer(
        "silence",
        "does not answer",
        withholding(UPDATE),
        caught=("aggregator: left out, update_late",),
        left_out=True,
        money=Money.UNPAID,
        unswitched=SILENT,
    ),
    _trainer(
        "silence in the second round",
        "answers once",
        withholding(UPDATE, round_number=2),
        caught=("aggregator: left out, update_late",),
        left_out=True,
        money=Money.PARTLY,
        rounds=2,
        unswitched=SILENT,
    ),
)
