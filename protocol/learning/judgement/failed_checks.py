"""Who is named when a check of a round fails: the order in which things are shown.

1. The aggregator's request is made again from the masks it shows. With a wrong one all that follows is wrong.
2. Where a projection failed: what the buyer was asked, answered and opened.
3. The trainers' ranges are opened. A weight some 2^64 times its bound passes its proof, and carries into the
   next slot of a request under one mask and not under another: so before any other party is named, and also
   where one checker's test alone failed.
4. Where one test alone failed: its checker, whose question the other one has countersigned.
5. The aggregator's subtraction of the masks, for the next model.
6. Where a checker says that the next model is out of range, and the buyer does not: its shares. They are
   shown last, when all that an opening without them could still show is the buyer's own doing.
7. The buyer, whose answer is what is left.
"""

from collections.abc import Collection, Mapping

from protocol.errors import MisuseError
from protocol.learning.judgement.faults import Demand, Fault, Findings, Judgement, Offence, Parties
from protocol.learning.projection.answer import Finding

_OF_THE_BUYER = {
    Finding.FALSE_OPENING: Offence.FALSE_OPENING,
    Finding.WRONG_PRODUCTS: Offence.WRONG_PRODUCTS,
    Finding.ZERO: Offence.ZERO_DENIED,
}


def judge_projections(parties: Parties, tests: Mapping[str, bool], findings: Findings) -> Judgement:
    """Who is named when the buyer says that a checker's test is not zero.

    `tests` has for each checker whether the buyer proved its test to be zero. Raises MisuseError where it did
    so for both.
    """
    failed = [checker for checker in parties.checkers if tests.get(checker) is False]
    if not failed and len(tests) == len(parties.checkers):
        raise MisuseError("both tests are zero; nobody is named for that")
    return (
        _request(parties, findings)
        or (Demand.TESTS if len(tests) < len(parties.checkers) else None)
        or _evidence(parties, failed, findings)
        or _ranges(findings)
        or _one_alone(parties, failed)
        or _subtraction(parties, findings)
        or (Fault(parties.buyer, Offence.WRONG_MOMENTS),)
    )


def judge_next_model(parties: Parties, complaining: str | None, findings: Findings) -> Judgement:
    """Who is named when the next model is said to be out of range, by a checker or, None, by the buyer."""
    return (
        _request(parties, findings)
        or _ranges(findings)
        or _subtraction(parties, findings)
        or (_shares(complaining, findings) if complaining is not None else None)
        or (Fault(parties.buyer, Offence.WRONG_MOMENTS),)
    )


def ranges_allow(
    in_range: Mapping[str, bool] | None, trainers: Collection[str] | None = None
) -> Judgement | None:
    """None where all trainers' updates are in range, or those of some; else who is named, or what to show."""
    if in_range is None or not set(trainers or ()) <= set(in_range):
        return Demand.RANGES
    outside = [
        one for one, inside in in_range.items() if not inside and (trainers is None or one in trainers)
    ]
    return tuple(Fault(one, Offence.OUT_OF_RANGE) for one in outside) or None


def _request(parties: Parties, findings: Findings) -> Judgement | None:
    if findings.request is None:
        return Demand.REQUEST_MASKS
    return None if findings.request else (Fault(parties.aggregator, Offence.OTHER_REQUEST),)


def _evidence(parties: Parties, failed: Collection[str], findings: Findings) -> Judgement | None:
    for checker in failed:
        finding = findings.evidence.get(checker)
        if finding is None:
            return Demand.EVIDENCE
        if finding is not Finding.NOT_ZERO:
            return (Fault(parties.buyer, _OF_THE_BUYER[finding]),)
    return None


def _ranges(findings: Findings) -> Judgement | None:
    return ranges_allow(findings.in_range)


def _one_alone(parties: Parties, failed: Collection[str]) -> Judgement | None:
    if len(failed) == len(parties.checkers):
        return None
    return tuple(Fault(checker, Offence.FALSE_QUESTION) for checker in failed)


def _subtraction(parties: Parties, findings: Findings) -> Judgement | None:
    if findings.subtraction is None:
        return Demand.SUBTRACTION_ROOTS
    return None if findings.subtraction else (Fault(parties.aggregator, Offence.WRONG_SUBTRACTION),)


def _shares(complaining: str, findings: Findings) -> Judgement | None:
    if findings.shares is None:
        return Demand.SHARES
    return None if findings.shares else (Fault(complaining, Offence.FALSE_COMPLAINT),)
