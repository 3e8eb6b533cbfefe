"""The end of a round: the product that all signed opens as the buyer says, and the chain has what follows."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from protocol.bodies import body_of
from protocol.crypto.cipher import Ciphertext
from protocol.crypto.ring.context import RingContext
from protocol.errors import ProtocolViolation
from protocol.messages import Opening, RoundSignature
from protocol.messages.rounds import MetricConsent
from protocol.messages.rounds.values import AttemptFacts
from protocol.records import RoundRecord
from protocol.roles.engine.refusals import require
from protocol.roles.rounds.attempt import consent_digest
from protocol.roles.rounds.record import OpenedProduct, record_of, require_facts
from protocol.roles.rounds.widths import checked_widths
from protocol.roles.shared.accusing import require_signed_openings
from protocol.roles.shared.openings import check_openings
from protocol.signatures import recover_address
from protocol.types import RoundAttempt
from protocol.verification.contents import Contents
from protocol.verification.report import Check, naming
from protocol.verification.training import VerifiedTraining


@dataclass(frozen=True)
class Agreed:
    """What every member signed before the buyer opened anything: product under noise, facts, whose ring."""

    product: Sequence[Ciphertext] = field(repr=False)
    facts: AttemptFacts
    makers: RingContext

    def digest(self, training: VerifiedTraining) -> bytes:
        """What each one's signature is of."""
        return consent_digest(training.key, self.makers, self.product, self.facts)


def opened_attempt(contents: Contents, training: VerifiedTraining, record: RoundRecord) -> RoundAttempt:
    """The attempt whose opening has the chain's record.

    Raises ProtocolViolation: "missing_message" without an opening of the round, "other_record" where none has
    this record.
    """
    attempts = [RoundAttempt(record.round, one) for one in contents.attempts(Opening, record.round)]
    require(bool(attempts), "missing_message", f"no opening of round {record.round}")
    for at in attempts:
        body = contents.only(Opening, at, training.opened.buyer)
        if body.record == record:
            return at
    # One that was opened is for good: the chain has another than the buyer signed to this party.
    raise ProtocolViolation("other_record", "the chain's is not the one that the buyer signed")


def require_opening(
    contents: Contents, training: VerifiedTraining, record: RoundRecord, at: RoundAttempt, agreed: Agreed
) -> list[Check]:
    """Check openings, record and all signatures of an attempt; raises VerificationFailed."""
    with naming("opening", at.round):
        _require_record(contents, training, record, at, agreed)
    with naming("metric_consent", at.round):
        consents = _require_consents(contents, training, at, agreed)
    with naming("round_signature", at.round):
        signatures = _require_signatures(contents, training, record)
    opened = Check(name="openings", count=len(agreed.product))
    made = Check(name="record rebuilt, the chain's")
    counted = (("members' consents", consents), ("record signatures", signatures))
    return [opened, made, *(Check(name=name, count=count) for name, count in counted if count)]


def _require_record(
    contents: Contents, training: VerifiedTraining, record: RoundRecord, at: RoundAttempt, agreed: Agreed
) -> None:
    body = contents.only(Opening, at, training.opened.buyer)
    context = training.chance(f"opening {at}")
    attested = OpenedProduct(training.training, at.round, tuple(agreed.product))
    check_openings(training.key, attested.products, body.plaintexts, body.roots, context)
    require_signed_openings(training.key, training.opened, attested, body, context)
    require_facts(agreed.facts, training.parties, training.link, at)
    made = record_of(
        agreed.facts,
        body.plaintexts,
        training=training.training,
        at=at,
        request=training.request,
        parties=training.parties,
        widths=checked_widths(training.request, training.parties).moments,
        link=training.link,
    )
    require(made is not None and made == body.record, "wrong_record", "not what the opened sums come to")
    require(made == record, "other_record", "the chain's is not what the opened sums come to")
    signer = recover_address(record.digest(context.market), body.signature)
    require(signer == training.opened.buyer, "bad_record_signature", f"signed by {signer}")


def _require_consents(
    contents: Contents, training: VerifiedTraining, at: RoundAttempt, agreed: Agreed
) -> int:
    """Those in the transcript, and how many: a member's has its own, the aggregator's everybody's."""
    digest, found = agreed.digest(training), 0
    for member in training.parties.addresses(agreed.facts.members):
        for signed in contents.signed(MetricConsent, at, member):
            signature = body_of(signed, MetricConsent).signature
            require(recover_address(digest, signature) == member, "bad_consent", f"{member} signed another")
        found += bool(contents.signed(MetricConsent, at, member))
    role, party = contents.header.role, contents.header.party
    members = training.parties.addresses(agreed.facts.members)
    due = len(members) if role == "federated_aggregator" else int(party in members)
    require(found >= due, "missing_message", f"{found} of {due} consents")
    return found


def _require_signatures(contents: Contents, training: VerifiedTraining, record: RoundRecord) -> int:
    """Every member's signature of the record that came, at whatever attempt, is of the chain's."""
    digest, found = record.digest(contents.header.market), set[str]()
    for attempt in contents.attempts(RoundSignature, record.round):
        for member in training.parties.addresses(record.validators):
            for signed in contents.signed(RoundSignature, RoundAttempt(record.round, attempt), member):
                signature = body_of(signed, RoundSignature).signature
                require(recover_address(digest, signature) == member, "other_record", f"signed by {member}")
                found.add(member)
    own = contents.header.party
    if own in training.parties.addresses(record.validators):
        require(own in found, "missing_message", "its own signature of the record")
    return len(found)
