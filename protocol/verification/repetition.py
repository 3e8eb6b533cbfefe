"""The buyer's signed words against attempts, and what a round that was repeated for one must keep to.

What is refused is opened all the same, for the buyer alone. Were the round measured again by fewer members,
the buyer would have the numbers of those who are missing as a difference.
"""

from collections.abc import Iterator

from protocol.bodies import body_of
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.messages import EncryptedModel, OpeningRefused
from protocol.messages.rounds import AttemptAnnounced, RoundEvidence
from protocol.records import RoundRecord
from protocol.roles.engine.refusals import require
from protocol.roles.rounds.implausible import read_refusal
from protocol.types import Address, RoundAttempt, Seats
from protocol.verification.contents import Contents
from protocol.verification.report import naming
from protocol.verification.training import VerifiedTraining


def sat_out(contents: Contents, training: VerifiedTraining, at: RoundAttempt) -> frozenset[Address]:
    """Whom the buyer has named of an attempt's trainers, in a signed word that is here."""
    return frozenset(name for one, names in _refusals(contents, training) if one == at for name in names)


def require_same_members(contents: Contents, training: VerifiedTraining, record: RoundRecord) -> None:
    """Raise VerificationFailed, "wrong_members", where a refused attempt at the round had other members.

    As far as they are known from here.
    """
    with naming("opening_refused", record.round):
        for at, _names in _refusals(contents, training):
            if at.round == record.round:
                members = _members(contents, training, at)
                same = members in (None, record.validators)
                require(same, "wrong_members", f"attempt {at.attempt}, which was refused, had others")


def _refusals(
    contents: Contents, training: VerifiedTraining
) -> Iterator[tuple[RoundAttempt, tuple[Address, ...]]]:
    """Each attempt of which the buyer has named trainers, with their names."""
    for signed in _words(contents):
        at = RoundAttempt(signed.envelope.round, signed.envelope.attempt)
        market, buyer = contents.header.market, training.opened.buyer
        try:
            yield at, read_refusal(signed, market, training.training, at, buyer)
        except ProtocolViolation:
            continue  # nobody is named in it, or it is not the buyer's


def _words(contents: Contents) -> Iterator[SignedMessage]:
    """What is shown as such a word: as it was sent, or within what only it allows."""
    for (name, _at), messages in contents.messages.items():
        for signed in messages:
            if name == _name(OpeningRefused):
                yield signed
            elif name == _name(EncryptedModel) and (told := body_of(signed, EncryptedModel).refused):
                yield told
    for at in _places(contents, RoundEvidence):
        yield from (one.refused for one in _evidence(contents, at) if one.refused is not None)


def _members(contents: Contents, training: VerifiedTraining, at: RoundAttempt) -> Seats | None:
    """An attempt's, as the aggregator has told them; None where it has told nobody here."""
    told = contents.said(AttemptAnnounced, at, training.request.aggregator)
    shown = [one.members for one in told] + [one.members for one in _evidence(contents, at)]
    return training.parties.mask(shown[0]) if shown else None


def _evidence(contents: Contents, at: RoundAttempt) -> Iterator[RoundEvidence]:
    place = (_name(RoundEvidence), at)
    yield from (body_of(one, RoundEvidence) for one in contents.messages.get(place, ()))
    yield from (one.shown for one in contents.closed.get(place, ()) if one.shown is not None)


def _places(contents: Contents, kind: type[RoundEvidence]) -> list[RoundAttempt]:
    return sorted({at for name, at in (*contents.messages, *contents.closed) if name == _name(kind)})


def _name(kind: type[OpeningRefused | EncryptedModel | RoundEvidence]) -> str:
    return str(kind.model_fields["type"].default)
