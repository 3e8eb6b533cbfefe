"""Who was blamed in a training, and whether what was signed and shown convicts them.

The aggregator tells everybody whom it leaves out, and who is to blame for the end; a checker tells what it
found. Silence leaves nothing to show, and is nobody's proven fault. Of the rest a transcript holds what its
party was shown: where that convicts somebody else, or acquits the accused, the aggregator has misnamed.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from protocol.bodies import body_of
from protocol.errors import ProtocolViolation
from protocol.messages import ParticipantDropped, TrainingFailed
from protocol.messages.rounds import CheckVerdict
from protocol.roles.rounds.faults import OF_COMPLAINTS, OF_PROOFS
from protocol.types import Address, RoundAttempt
from protocol.verification.complaints import judged
from protocol.verification.contents import Contents
from protocol.verification.finding import Judged
from protocol.verification.own_work import evidence_at, own_metric, own_openings, own_update
from protocol.verification.repetition import sat_out
from protocol.verification.report import Blame, naming
from protocol.verification.training import VerifiedTraining

_OF_AN_END = {
    "too_few_validators": (*sorted(OF_COMPLAINTS), "unproven_metric"),
    "too_few_trainers": ("unproven_update",),
}
"""What whoever is to blame for such an end has done."""

_SILENT = "nothing that anybody signed shows silence"
_NOT_HERE = "what it follows from was not shown to this party, or is in a box"
_TOLD_OTHERWISE = (
    "what this party was told acquits it; whoever complained may have told the aggregator otherwise"
)
_SAT_OUT = "it is nobody's fault: what its model errs by was too much to be published"
_NOBODY = "nobody is named"


class _Said(NamedTuple):
    """What the aggregator has told of somebody."""

    kind: str
    at: RoundAttempt
    accused: Address | None
    code: str


def require_blame(contents: Contents, trainings: Sequence[VerifiedTraining]) -> list[Blame]:
    """Judge everybody that the aggregator blamed, and find whom it should have; in the order of rounds.

    `trainings` are those before each recorded round, and after the last one. Raises VerificationFailed,
    "misnamed", where what is shown acquits the accused.
    """
    if not trainings[-1].parties.drawn:
        return []
    said = _once((*_dropped(contents, trainings), *_ended(contents, trainings)))
    found = list[Blame]()
    for one in said:
        with naming(one.kind, one.at.round):
            found.append(_blame(contents, trainings, one))
    named = {(one.accused, one.at) for one in said}
    for at in _complained(contents):
        for verdict in _of_attempt(contents, trainings, at):
            if verdict.accused is not None and (verdict.accused, at) not in named:
                named.add((verdict.accused, at))
                why = "what a checker shows convicts it; the aggregator has not said so here"
                found.append(_entry(_Said("", at, verdict.accused, verdict.code), "convicted", why))
    return sorted(found, key=lambda one: (one.round, one.attempt))


def _once(told: Sequence[_Said]) -> list[_Said]:
    """Each once; an end that names nobody only where no notice of it names somebody."""
    said = list(dict.fromkeys(told))
    named = {(one.kind, one.code) for one in said if one.accused is not None}
    return [one for one in said if one.accused is not None or (one.kind, one.code) not in named]


def _dropped(contents: Contents, trainings: Sequence[VerifiedTraining]) -> Iterator[_Said]:
    aggregator = trainings[-1].request.aggregator
    for (name, at), messages in contents.messages.items():
        for signed in messages if name == "participant_dropped" else ():
            if signed.envelope.sender == aggregator:
                body = body_of(signed, ParticipantDropped)
                yield _Said(name, at, body.participant, body.code)


def _ended(contents: Contents, trainings: Sequence[VerifiedTraining]) -> Iterator[_Said]:
    """The end of the training, placed at the last attempt that anybody complained of in the open round."""
    aggregator = trainings[-1].request.aggregator
    for (name, _at), messages in list(contents.messages.items()):
        for signed in messages if name == "training_failed" else ():
            if signed.envelope.sender == aggregator:
                body = body_of(signed, TrainingFailed)
                number = body.last_round + 1
                attempts = [at.attempt for at in _attempts(contents) if at.round == number]
                yield _Said(name, RoundAttempt(number, max(attempts, default=0)), body.fault, body.code)


def _attempts(contents: Contents) -> list[RoundAttempt]:
    names = ("check_verdict", "ring_consent", "round_evidence", "zero_test_result", "proven_metric")
    places = (*contents.messages, *contents.closed)
    return sorted({at for name, at in places if name in names})


def _complained(contents: Contents) -> list[RoundAttempt]:
    name = CheckVerdict.model_fields["type"].default
    return sorted(at for kind, at in contents.messages if kind == name)


# ---- one blame ----


def _blame(contents: Contents, trainings: Sequence[VerifiedTraining], said: _Said) -> Blame:
    if said.accused is None or said.code == "sat_out":
        return _not_judged(contents, trainings[-1], said)
    codes = _OF_AN_END.get(said.code, (said.code,))
    if not set(codes) & (OF_COMPLAINTS | OF_PROOFS):
        return _entry(said, "open", _SILENT)
    if not 1 <= said.at.round <= len(trainings):
        return _entry(said, "open", _NOT_HERE)
    found = [one for one in _shown_of(contents, trainings, said, codes) if said.accused in one.about]
    if any(one.accused == said.accused and one.code in codes for one in found):
        return _entry(said, "convicted", "what was signed and shown convicts it")
    if not found:
        return _entry(said, "open", _NOT_HERE)
    if contents.header.party not in (trainings[-1].request.aggregator, said.accused):
        return _entry(said, "open", _TOLD_OTHERWISE)
    convicted = next(
        (f"it is {one.accused}, {one.code}" for one in found if one.accused is not None), "nobody"
    )
    raise ProtocolViolation("misnamed", f"{said.accused} for {said.code}; by what is shown {convicted}")


def _not_judged(contents: Contents, training: VerifiedTraining, said: _Said) -> Blame:
    """Where nobody is named, or a trainer sits out, which is no fault where the buyer's signed word names it.

    For nothing less may one be left out so: raises ProtocolViolation, "misnamed", to whom the word would have
    come, or who would have said it.
    """
    if said.accused is None or said.accused in sat_out(contents, training, said.at):
        return _entry(said, "open", _NOBODY if said.accused is None else _SAT_OUT)
    if contents.header.party in (training.request.aggregator, training.opened.buyer):
        raise ProtocolViolation("misnamed", f"{said.accused} for {said.code}; the buyer has not named it")
    return _entry(said, "open", _NOT_HERE)


def _shown_of(
    contents: Contents, trainings: Sequence[VerifiedTraining], said: _Said, codes: Sequence[str]
) -> Iterator[Judged]:
    training, accused = trainings[said.at.round - 1], said.accused
    assert accused is not None
    if set(codes) & OF_COMPLAINTS:
        yield from _of_attempt(contents, trainings, said.at)
    if "bad_opening" in codes and accused == contents.header.party:
        yield from own_openings(contents, training, said.at)
    if "unproven_metric" in codes:
        metrics = own_metric(contents, training, said.at, accused)
        # An end does not say what for: whose metric is proven may have done something else.
        yield from (one for one in metrics if one.accused is not None or len(codes) == 1)
    if "unproven_update" in codes:
        yield from own_update(contents, training, said.at.round, accused)


def _of_attempt(contents: Contents, trainings: Sequence[VerifiedTraining], at: RoundAttempt) -> list[Judged]:
    """What an attempt's complaints come to; nothing without its evidence."""
    if not 1 <= at.round <= len(trainings):
        return []
    shown = evidence_at(contents, trainings[at.round - 1], at)
    return [] if shown is None else list(judged(contents, shown))


def _entry(said: _Said, finding: str, why: str) -> Blame:
    return Blame(
        round=said.at.round,
        attempt=said.at.attempt,
        accused=said.accused,
        code=said.code,
        finding="convicted" if finding == "convicted" else "open",
        why=why,
    )
