"""Verify a training from one party's transcript: round by round, and then what was paid."""

from collections.abc import Callable, Sequence

from protocol.crypto.commitment_group import RSA_2048, CommitmentGroup
from protocol.marketplace import RoundRecorded
from protocol.records import Market
from protocol.roles.engine.refusals import require
from protocol.verification.buyer import agreed_by_buyer
from protocol.verification.contents import Contents, contents_of
from protocol.verification.members import agreed_by_members
from protocol.verification.opening import opened_attempt, require_opening
from protocol.verification.payments import Paying, require_paid
from protocol.verification.report import (
    CANNOT_CHECK,
    Check,
    Report,
    RoundReport,
    VerificationFailed,
    naming,
)
from protocol.verification.trainer import require_own_update
from protocol.verification.training import VerifiedTraining, rebuilt
from protocol.verification.transcript import Entry, Header, Transcript

Told = Callable[[RoundReport], None]


def verify(
    transcript: Transcript,
    market: Market,
    seed: bytes,
    *,
    training: int,
    group: CommitmentGroup = RSA_2048,
    told: Told = lambda _round: None,
) -> Report:
    """What a transcript shows of this training of this market, up to the first thing that differs.

    `seed` is 32 bytes by chance that whoever made the transcript does not know; `told` hears of each round.
    """
    entries = [one.entry for one in transcript.entries]
    try:
        with naming("transcript"):
            transcript.require_unaltered()
    except VerificationFailed as failed:
        return _report(transcript.header, len(entries)).model_copy(update={"failure": failed.failure})
    return verify_entries(transcript.header, entries, market, seed, training=training, group=group, told=told)


def verify_entries(
    header: Header,
    entries: Sequence[Entry],
    market: Market,
    seed: bytes,
    *,
    training: int,
    group: CommitmentGroup = RSA_2048,
    told: Told = lambda _round: None,
) -> Report:
    """The same of what a party's own store keeps, which nobody has sealed yet."""
    rounds = list[RoundReport]()
    report = _report(header, len(entries))

    def tell(one: RoundReport) -> None:
        rounds.append(one)
        told(one)

    try:
        with naming("transcript"):
            require(header.market == market, "wrong_market", f"{header.contract} on chain {header.chain_id}")
            require(header.training == training, "other_training", f"of training {header.training}")
        checks = _verified(contents_of(header, entries), group, seed, tell)
    except VerificationFailed as failed:
        return report.model_copy(update={"rounds": tuple(rounds), "failure": failed.failure})
    return report.model_copy(update={"rounds": tuple(rounds), "checks": tuple(checks)})


def _report(header: Header, entries: int) -> Report:
    return Report(
        training=header.training,
        role=header.role,
        party=header.party,
        entries=entries,
        cannot_check=CANNOT_CHECK[header.role],
    )


def _verified(contents: Contents, group: CommitmentGroup, seed: bytes, told: Told) -> list[Check]:
    training, paying = rebuilt(contents, group, seed), Paying()
    for event in contents.of(RoundRecorded):
        with naming("RoundRecorded", event.round):
            _require_next(training, event)
            paying = paying.after(event, training)
        told(_round(contents, training, event))
        training = training.after(event.record)
    return [
        Check(name="request, key and terms"),
        Check(name="commitments, the chain's", count=sum(1 for one in training.parties.rows if one.rows)),
        *require_paid(contents, training, paying),
    ]


def _require_next(training: VerifiedTraining, event: RoundRecorded) -> None:
    """A record of the next round, by parties that were drawn, whose validators never return."""
    record, parties, link = event.record, training.parties, training.link
    require(record.training == training.training, "other_training", f"of training {record.training}")
    require(record.round == link.round + 1, "round_out_of_order", f"round {record.round} after {link.round}")
    standing = link.validators or parties.validators
    require(record.validators & ~standing == 0, "wrong_members", "a validator came back, or was never drawn")
    require(record.trainers & ~parties.trainers == 0, "not_a_trainer")


def _round(contents: Contents, training: VerifiedTraining, event: RoundRecorded) -> RoundReport:
    record, parties, header = event.record, training.parties, contents.header
    paid = Check(name="contributions and pay weights", count=len(event.shapley))
    is_member = header.party in parties.addresses(record.validators)
    if header.role == "data_owner" and not is_member:
        trained = header.party in parties.addresses(record.trainers)
        own = require_own_update(contents, training, record) if trained else []
        return RoundReport(round=event.round, attempt=0, checks=(*own, paid))
    with naming("opening", event.round):
        at = opened_attempt(contents, training, record)
    agreed_by = agreed_by_buyer if header.role == "model_buyer" else agreed_by_members
    agreed, checks = agreed_by(contents, training, record, at)
    checks += require_opening(contents, training, record, at, agreed)
    return RoundReport(round=event.round, attempt=at.attempt, checks=(*checks, paid))
