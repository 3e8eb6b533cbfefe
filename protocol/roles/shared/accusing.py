"""What the contract is shown of a fault that costs a bond: by whoever holds the proof of it.

Buyer and validators sign each round's record once, the buyer each opening. A party that is shown a second
record, or an opening that is false, has what the contract needs: it is sent there where a bond is at stake.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from gmpy2 import mpz

from protocol.accusations import AccuseOfFalseOpening, AccuseOfTwoRecords, SignedOpening, is_checkable
from protocol.crypto import cipher
from protocol.crypto.cipher import PublicKey, false_openings
from protocol.errors import ProtocolViolation
from protocol.marketplace import Opened
from protocol.messages import Opening, RoundSignature
from protocol.records import RoundRecord
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import RecordFact, ReportViolation, SubmitCall
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import PhaseState, replace
from protocol.roles.shared.parties import Parties
from protocol.signatures import recover_address, sign_digest
from protocol.types import Address, EcdsaSignature, Seats

Accusation = AccuseOfTwoRecords | AccuseOfFalseOpening

ACCUSES = (ReportViolation, SubmitCall, RecordFact)
"""The effects of `accuse`."""


class Attested(Protocol):
    """What the buyer opens for a round: the products of an attempt, whichever way they were measured."""

    @property
    def training(self) -> int:
        """The training."""

    @property
    def round(self) -> int:
        """The round."""

    @property
    def products(self) -> tuple[mpz, ...]:
        """The ciphertexts that are opened, in the order of their openings."""


class AccusingState(PhaseState):
    """Base of the phases in which faults are shown; `accused` are the accounts and faults that have been."""

    parties: Parties = Parties()
    accused: tuple[tuple[Address, str], ...] = ()


A = TypeVar("A", bound=AccusingState)


def accuse(state: A, accusation: Accusation, *, after: float = 0.0) -> Step[A]:
    """Show it to the contract after so many seconds (`deadlines.accuser_turn`), and tell people.

    The message that proves it is refused. An account has one bond in a training: another proof of the same
    against it would cost gas for nothing. The call waits apart from the training, whose end stops it not.
    """
    account, detail = accusation.account, f"{accusation.account} loses its bond for it"
    if isinstance(accusation, AccuseOfTwoRecords):
        fault, refused = "two_records", ReportViolation(code="second_record", detail=detail, accused=account)
    else:
        fault, refused = "false_opening", ReportViolation(code="bad_opening", detail=detail, accused=account)
    if (account, fault) in state.accused or not _is_of_drawn(accusation, state.parties):
        return Step.unchanged(state, refused)
    accusing = replace(state, accused=(*state.accused, (account, fault)))
    call = SubmitCall(call=accusation, after=after)
    return Step(accusing, (refused, call, facts.ACCUSED.of(accused=account, fault=fault)))


def _is_of_drawn(accusation: Accusation, parties: Parties) -> bool:
    """Whether records name drawn seats alone, in one fold's roles: else the contract sees no fault in them.

    The last round of the fold before is held as long as no other one is recorded.
    """
    if not isinstance(accusation, AccuseOfTwoRecords):
        return True
    records = (accusation.first, accusation.second)
    folds = [validators for validators in (parties.validators, parties.before) if validators]
    return any(all(_names(one, parties.drawn, validators) for one in records) for validators in folds)


def _names(record: RoundRecord, drawn: Seats, validators: Seats) -> bool:
    """Some trainers, all drawn and none a validator, and these validators alone."""
    others = record.trainers & ~(drawn & ~validators) | record.validators & ~validators
    return bool(record.trainers) and not others


# ---- openings ----


def sign_openings(
    key: PublicKey, checked: Attested, opened: Sequence[tuple[int, int]], context: Context
) -> tuple[EcdsaSignature, ...]:
    """The buyer's, of its openings of an attempt's products: plaintexts and roots."""
    shown = _signed(key, checked, opened)
    return tuple(sign_digest(context.signing_key, one.digest(context.market)) for one in shown)


def require_signed_openings(
    key: PublicKey, opened: Opened, checked: Attested, body: Opening, context: Context
) -> tuple[SignedOpening, ...]:
    """The openings of an attempt's products, which the buyer has signed.

    Raises ProtocolViolation("bad_opening", "bad_opening_signature") for what is none, and what it has not.
    """
    as_many = len(checked.products) == len(body.plaintexts) == len(body.roots)
    require(as_many, "bad_opening", "wrong number of openings")
    pairs = list(zip(body.plaintexts, body.roots, strict=True))
    require(all(0 <= m < key.n and 0 < r < key.n for m, r in pairs), "bad_opening", "not below the modulus")
    shown = _signed(key, checked, pairs)
    require(len(body.opening_signatures) == len(shown), "bad_opening_signature", "one for each opening")
    for one, signature in zip(shown, body.opening_signatures, strict=True):
        signer = recover_address(one.digest(context.market), signature)
        require(signer == opened.buyer, "bad_opening_signature")
    return shown


def false_opening(
    key: PublicKey, opened: Opened, checked: Attested, body: Opening, context: Context
) -> AccuseOfFalseOpening | None:
    """The first of the openings that is false and that the buyer has signed, where its bond is at stake."""
    if not opened.terms.buyer_bond or not is_checkable(int(key.n)):
        return None
    try:
        shown = require_signed_openings(key, opened, checked, body, context)
    except ProtocolViolation:
        return None
    pairs = zip(body.plaintexts, body.roots, strict=True)
    false = false_openings(key, checked.products, [cipher.Opening(mpz(m), mpz(r)) for m, r in pairs])
    if not false:
        return None
    first, signature = shown[false[0]], body.opening_signatures[false[0]]
    return AccuseOfFalseOpening(opening=first, signature=signature, account=opened.buyer)


def _signed(
    key: PublicKey, checked: Attested, opened: Sequence[tuple[int, int]]
) -> tuple[SignedOpening, ...]:
    return tuple(
        SignedOpening.of(
            checked.training,
            checked.round,
            n=int(key.n),
            ciphertext=int(product),
            plaintext=int(plaintext),
            root=int(root),
        )
        for product, (plaintext, root) in zip(checked.products, opened, strict=True)
    )


# ---- records ----


def second_record(
    opened: Opened,
    held: tuple[RoundRecord, EcdsaSignature],
    shown: tuple[RoundRecord, EcdsaSignature],
    context: Context,
) -> AccuseOfTwoRecords | None:
    """That the buyer has signed another record of a round than the one held, where a bond is at stake."""
    return _two_records(held, shown, opened.buyer, context) if opened.terms.buyer_bond else None


def accused_by(
    opened: Opened,
    record: RoundRecord,
    signatures: Iterable[tuple[Address, EcdsaSignature]],
    sender: Address,
    body: RoundSignature,
    context: Context,
) -> AccuseOfTwoRecords | None:
    """That a validator's message proves two records of a round: the buyer's, or its own.

    `record` is the one that is held, with the `signatures` of it that have come, the buyer's among them.
    """
    known = dict(signatures)
    shown = {opened.buyer: body.buyer_signature, sender: body.signature}
    bonds = {opened.buyer: opened.terms.buyer_bond, sender: opened.terms.owner_bond}
    if body.record is None:
        return None
    for account, signature in shown.items():
        if bonds[account] and signature is not None and account in known:
            accusation = _two_records((record, known[account]), (body.record, signature), account, context)
            if accusation is not None:
                return accusation
    return None


def _two_records(
    held: tuple[RoundRecord, EcdsaSignature],
    shown: tuple[RoundRecord, EcdsaSignature],
    account: Address,
    context: Context,
) -> AccuseOfTwoRecords | None:
    """None unless they are different ones of one round, both signed by the account."""
    (first, first_signature), (second, second_signature) = held, shown
    if first == second or (first.training, first.round) != (second.training, second.round):
        return None
    try:
        signers = {recover_address(one.digest(context.market), signature) for one, signature in (held, shown)}
    except ProtocolViolation:
        return None
    if signers != {account}:
        return None
    return AccuseOfTwoRecords(
        first=first,
        first_signature=first_signature,
        second=second,
        second_signature=second_signature,
        account=account,
    )
