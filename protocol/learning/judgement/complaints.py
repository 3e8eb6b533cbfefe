"""Who is named when a checker does not find an attempt in order, or does not countersign a question.

A verdict stops the attempt and names nobody by itself: two against one would let two owners name a third,
and one against the aggregator anybody. What it complains of is there for all to look at.
"""

from collections.abc import Mapping
from enum import StrEnum

from protocol.learning.judgement.failed_checks import judge_next_model, judge_projections
from protocol.learning.judgement.faults import Fault, Findings, Judgement, Offence, Parties
from protocol.learning.projection.countersigning import Liar


class Ground(StrEnum):
    """What a verdict complains of."""

    START = "start"
    PROOF = "proof"
    REQUEST = "request"
    SUBTRACTION = "subtraction"
    PROJECTION = "projection"
    QUESTION = "question"
    NEXT_MODEL = "next_model"
    SHOWN = "shown"


OF_THE_AGGREGATOR = {
    Ground.START: Offence.OTHER_START,
    Ground.PROOF: Offence.UNPROVEN_UPDATE,
    Ground.REQUEST: Offence.OTHER_REQUEST,
    Ground.SUBTRACTION: Offence.WRONG_SUBTRACTION,
    Ground.SHOWN: Offence.TWO_VERSIONS,
}
"""What it has done where its own signed evidence bears a complaint out."""


def judge_evidence(parties: Parties, checker: str, ground: Ground, *, borne_out: bool) -> Judgement:
    """Who is named for a complaint about the aggregator's signed evidence, which everybody can look through.

    `borne_out` is what the judge found: the start is another than the public one or the last recorded, an
    update's proof fails, the request is not that of the shown masks, the next model not the answer's without
    them, or two were shown different things under its signature. Of an update whose proof fails it is
    the aggregator's fault that it passed it on. Raises KeyError for another ground.
    """
    offence = OF_THE_AGGREGATOR[ground]
    return (Fault(parties.aggregator, offence) if borne_out else Fault(checker, Offence.FALSE_COMPLAINT),)


def judge_complaint(
    parties: Parties,
    checker: str,
    ground: Ground,
    tests: Mapping[str, bool],
    findings: Findings,
    *,
    out_of_range: bool,
) -> Judgement:
    """Who is named for a complaint about what the buyer opened to the checkers.

    `tests` has for each checker whether the buyer proved its test zero (`projection.answer.is_zero`);
    `out_of_range` is whether the buyer itself signed that the next model is. Raises ValueError for a ground
    of `judge_evidence`, and for a question, which `judge_countersigning` is about.
    """
    if ground is Ground.NEXT_MODEL:
        return judge_next_model(parties, None if out_of_range else checker, findings)
    if ground is not Ground.PROJECTION:
        where = "the asker's seeds" if ground is Ground.QUESTION else "the aggregator's evidence"
        raise ValueError(f"{ground} is judged from {where}")
    if tests.get(checker) is True:
        return (Fault(checker, Offence.FALSE_COMPLAINT),)
    return judge_projections(parties, tests, findings)


def judge_countersigning(asker: str, countersigner: str, liar: Liar) -> Judgement:
    """Who is named for a question that was not countersigned, by what its seeds showed (`judge_refusal`)."""
    if liar is Liar.ASKER:
        return (Fault(asker, Offence.FALSE_QUESTION),)
    return (Fault(countersigner, Offence.FALSE_REFUSAL),)
