"""Verify a training from one party's transcript: round by round, what was paid, and who was blamed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from protocol.marketplace import RoundRecorded
from protocol.roles.engine.refusals import require
from protocol.verification.blame import require_blame
from protocol.verification.buyer import agreed_by_buyer
from protocol.verification.carried import carried_after
from protocol.verification.comparison import require_other
from protocol.verification.contents import Contents, contents_of
from protocol.verification.expected import Checked, Expected
from protocol.verification.heads import require_heads
from protocol.verification.members import agreed_by_members
from protocol.verification.opening import opened_attempt, require_opening
from protocol.verification.payments import Paying, require_paid
from protocol.verification.repetition import require_same_members
from protocol.verification.report import (
    CANNOT_CHECK,
    MASKS_IN_A_BOX,
    Check,
    Failure,
    Report,
    RoundReport,
    VerificationFailed,
    naming,
)
from protocol.verification.trainer import require_own_update
from protocol.verification.training import VerifiedTraining, in_next_fold, rebuilt
from protocol.verification.transcript import Entry, Header, Transcript


def verify(transcript: Transcript, expected: Expected) -> Report:
    """What a transcript shows of the training, up to the first thing that differs."""
    entries = [one.entry for one in transcript.entries]
    try:
        with naming("transcript"):
            transcript.require_unaltered()
    except VerificationFailed as failed:
        report = _report(transcript.header, len(entries), expected)
        return report.model_copy(update={"failure": failed.failure})
    return verify_entries(transcript.header, entries, expected)


def verify_entries(header: Header, entries: Sequence[Entry], expected: Expected) -> Report:
    """The same of what a party's own store keeps, which nobody has sealed yet."""
    report = _report(header, len(entries), expected)
    rounds = list[RoundReport]()
    try:
        with naming("transcript"):
            market = header.market
            where = f"{header.contract} on chain {header.chain_id}"
            require(expected.market in (None, market), "wrong_market", where)
            same = header.training == expected.training
            told = f"it is of training {header.training}, not {expected.training}"
            require(same, "other_training", told)
        contents = contents_of(header, entries, expected.signing_key)
        course = _course(contents, rebuilt(contents, expected.group, expected.seed))
        for one in _rounds(expected, course):
            rounds.append(one)
            expected.told(one)
        course.require_recorded()
        blames = require_blame(contents, course.trainings)
        checks = [*_checks(contents, course), require_heads(header, entries)]
        for other in expected.against:
            checks += require_other(contents, other)
    except VerificationFailed as failed:
        return report.model_copy(update={"rounds": tuple(rounds), "failure": failed.failure})
    found = {"rounds": tuple(rounds), "checks": tuple(checks), "blames": tuple(blames)}
    return report.model_copy(update=found)


def _report(header: Header, entries: int, expected: Expected) -> Report:
    in_boxes = header.role != "model_buyer" and expected.signing_key is None
    return Report(
        training=header.training,
        role=header.role,
        party=header.party,
        entries=entries,
        cannot_check=CANNOT_CHECK[header.role] + (MASKS_IN_A_BOX if in_boxes else ""),
    )


@dataclass(frozen=True)
class _Course:
    """Every recorded round with the training before it, up to the first record that does not follow.

    `trainings` has one more than `events`: that after the last round. `paying` is what the rounds come to,
    `failure` that of the record that does not follow.
    """

    contents: Contents
    events: tuple[RoundRecorded, ...]
    trainings: tuple[VerifiedTraining, ...]
    paying: Paying
    failure: Failure | None

    def checked(self, number: int) -> Checked:
        """What is left to check of a round, from 1, which depends on no other round."""
        try:
            return _round(self.contents, self.trainings[number - 1], self.events[number - 1])
        except VerificationFailed as failed:
            return failed.failure

    def require_recorded(self) -> None:
        """Raise VerificationFailed for a record that does not follow, now that all before it hold."""
        if self.failure is not None:
            raise VerificationFailed(self.failure)


def _course(contents: Contents, training: VerifiedTraining) -> _Course:
    events, trainings, paying = list[RoundRecorded](), [training], Paying()
    for event in contents.of(RoundRecorded):
        try:
            with naming("RoundRecorded", event.round):
                _require_next(trainings[-1], event)
                paying = paying.after(event, trainings[-1])
                carried = carried_after(contents, trainings[-1], event.record)
                following = in_next_fold(trainings[-1].after(event.record, carried), contents, event.record)
        except VerificationFailed as failed:
            return _Course(contents, tuple(events), tuple(trainings), paying, failed.failure)
        events.append(event)
        trainings.append(following)
    return _Course(contents, tuple(events), tuple(trainings), paying, None)


def _rounds(expected: Expected, course: _Course) -> Iterator[RoundReport]:
    """Every round that holds, up to the first one that does not, for which VerificationFailed is raised."""
    for one in expected.rounds(course.checked, len(course.events)):
        if isinstance(one, Failure):
            raise VerificationFailed(one)
        yield one


def _checks(contents: Contents, course: _Course) -> list[Check]:
    training = course.trainings[-1]
    return [
        Check(name="request, key and terms"),
        Check(name="commitments, the chain's", count=sum(1 for one in training.parties.rows if one.rows)),
        *require_paid(contents, training, course.paying),
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
    require_same_members(contents, training, record)
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
