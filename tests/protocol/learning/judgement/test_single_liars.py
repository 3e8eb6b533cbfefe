"""Whoever single party lies, and in whatever step of a round's checks: nobody who is honest is named.

A round on a small key in which each party may do one thing otherwise, judged from what is shown. Who lied
must be named wherever the round is not as it should be.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pytest
from gmpy2 import mpz

from protocol.crypto.cipher import Mask, Opening, PrivateKey, ShortExponentBlinder
from protocol.crypto.randomness import Randomness
from protocol.crypto.secrets import OneUse
from protocol.errors import ProtocolViolation
from protocol.learning.judgement.complaints import (
    Ground,
    judge_complaint,
    judge_countersigning,
    judge_evidence,
)
from protocol.learning.judgement.faults import Demand, Fault, Findings, Judgement, Offence, Parties
from protocol.learning.moments.exchange import MomentAnswer, MomentMask, moment_request
from protocol.learning.moments.products import next_model
from protocol.learning.moments.recomputation import is_subtraction, require_request
from protocol.learning.moments.widths import Start
from protocol.learning.projection.answer import Evidence, Finding, is_zero, open_zero, show_evidence
from protocol.learning.projection.countersigning import judge_refusal, refusal
from protocol.learning.projection.question import Seeds
from protocol.learning.scales import COEFFICIENT_SCALE
from tests.support.projections import BOUND, ProjectedRound, seed

BUYER, AGGREGATOR, TRAINERS, CHECKERS = "buyer", "aggregator", ("t0", "t1"), ("v0", "v1")
PARTIES = Parties(BUYER, AGGREGATOR, CHECKERS)
OPENED = (Ground.PROJECTION, Ground.NEXT_MODEL)
_FALSE = {Ground.QUESTION: Offence.FALSE_REFUSAL}
LIES: Mapping[str, tuple[str, Offence | None]] = {
    "nothing": ("nobody", None),
    "products of other numbers": (BUYER, Offence.WRONG_MOMENTS),
    "products that cancel over sets": (BUYER, Offence.WRONG_MOMENTS),
    "what takes masks out": (BUYER, Offence.WRONG_MOMENTS),
    "next model": (BUYER, Offence.WRONG_MOMENTS),
    "answer to a question": (BUYER, Offence.WRONG_PRODUCTS),
    "answers to both questions": (BUYER, Offence.WRONG_PRODUCTS),
    "denies a zero": (BUYER, Offence.ZERO_DENIED),
    "denies both zeros": (BUYER, Offence.ZERO_DENIED),
    "denies a zero and shows nothing": (BUYER, Offence.FALSE_OPENING),
    "denies a zero and shows another number": (BUYER, Offence.FALSE_OPENING),
    "calls the next model out of range": (BUYER, Offence.WRONG_MOMENTS),
    "request of other updates": (AGGREGATOR, Offence.OTHER_REQUEST),
    "shows another mask": (AGGREGATOR, Offence.OTHER_REQUEST),
    "subtracts something else": (AGGREGATOR, Offence.WRONG_SUBTRACTION),
    "subtracts something else and shows other roots": (AGGREGATOR, Offence.WRONG_SUBTRACTION),
    "carries": ("t0", Offence.OUT_OF_RANGE),
    "carries in one question": ("t0", Offence.OUT_OF_RANGE),
    "has a weight tested": ("v0", Offence.FALSE_QUESTION),
    "asks about something else": ("v0", Offence.FALSE_QUESTION),
    "shows the other checker wrong seeds": ("v0", Offence.FALSE_QUESTION),
    "refuses to countersign": ("v1", Offence.FALSE_REFUSAL),
    **{f"complains of {ground}": ("v1", _FALSE.get(ground, Offence.FALSE_COMPLAINT)) for ground in Ground},
}


@dataclass
class Course:
    """The checks of one attempt, in which somebody does what `lie` names."""

    private: PrivateKey
    lie: str
    start: Start

    def __post_init__(self) -> None:
        models = [[BOUND // 3], [7 - BOUND], *([[BOUND // 9]] if self.start is Start.ENCRYPTED else [])]
        if self.lie.startswith("carries"):
            models[0] = [BOUND << 64]
        self.models = models
        self.round = ProjectedRound(self.private, models, 2, self.start, [BOUND // 5])
        self.key, self.stream = self.round.key, self.round.stream
        self.numbers = {"v0": 1, "v1": 2}
        self._request()
        self.answer = self._answer()
        self.projection = self.round.projection(self.answer, self.shown)
        self.model, self.roots = self._next_model()
        if self.lie == "carries in one question":
            self.numbers = self._one_that_carries()

    def _request(self) -> None:
        one = self.round
        if self.lie.startswith("carries"):
            while self._carries(one.mask) is not (self.lie == "carries"):
                one.mask = MomentMask.draw(self.key, len(self.models), one.widths.request, self.stream)
        vectors = one.vectors
        if self.lie == "request of other updates":
            vectors = [[one.shifted(vectors[0][0], 1 << 90)], *vectors[1:]]
        self.request, self.shown = moment_request(self.key, vectors, one.widths, one.mask), one.mask
        if self.lie == "shows another mask":
            rhos = one.mask.mask.rhos
            self.shown = replace(one.mask, mask=Mask((rhos[0] + 1, *rhos[1:])))

    def _carries(self, mask: MomentMask) -> bool:
        widths = self.round.widths
        digit = mask.digits(len(self.models), widths)[0][0]
        return bool(digit + self.models[0][0] >> widths.request.slot_bits)

    def _answer(self) -> MomentAnswer:
        honest, moved = self.round.answer_to(self.request), self.round.shifted
        first, *rest = honest.sets
        match self.lie:
            case "products of other numbers":
                return honest._replace(
                    sets=[first._replace(products=[moved(c) for c in first.products]), *rest]
                )
            case "products that cancel over sets":
                last = rest.pop()
                up = [moved(first.products[0], 1), *first.products[1:]]
                down = [moved(last.products[0], -1), *last.products[1:]]
                sets = [first._replace(products=up), *rest, last._replace(products=down)]
                return honest._replace(sets=sets)
            case "what takes masks out":
                singles = [[moved(c) for c in row] for row in first.singles]
                return honest._replace(sets=[first._replace(singles=singles), *rest])
            case "next model":
                return honest._replace(quotients=[moved(c, 1 << 62) for c in honest.quotients])
        return honest

    def _next_model(self) -> tuple[list[mpz], list[mpz]]:
        blinder, digits = ShortExponentBlinder(self.key, b"b" * 32), self.digits
        model = next_model(self.key, self.answer, digits, 2, blinder, Randomness(seed(5)))
        roots = blinder.roots(len(model), Randomness(seed(5)))
        if self.lie.startswith("subtracts something else"):
            model = [self.round.shifted(c, 5 << 64) for c in model]
        if self.lie.endswith("other roots"):
            roots = [root + 1 for root in roots]
        return model, roots

    def _one_that_carries(self) -> dict[str, int]:
        found: dict[bool, int] = {}
        number = 1
        while len(found) < 2:
            test = self.round.tested(self.projection, number)[2]
            found.setdefault(open_zero(self.private, test.ciphertext) is not None, number)
            number += 1
        return {"v0": found[False], "v1": found[True]}

    @property
    def digits(self) -> list[list[int]]:
        return self.shown.digits(len(self.models), self.round.widths)

    def judgements(self) -> Iterator[Judgement]:
        """What whoever looks at what is shown comes to, for everything that there is to judge."""
        try:
            require_request(self.key, self.round.vectors, self.round.widths, self.shown, self.request)
        except ProtocolViolation:
            yield judge_evidence(PARTIES, "v0", Ground.REQUEST, borne_out=True)
            return
        if self.lie.startswith("complains of") and self._complaint() not in (*OPENED, Ground.QUESTION):
            yield judge_evidence(PARTIES, "v1", self._complaint(), borne_out=False)
            return
        self.questions = {checker: self._asked(checker) for checker in CHECKERS}
        refused = [one for one in map(self._countersigning, CHECKERS) if one is not None]
        yield from refused or self._after_openings()

    def _complaint(self) -> Ground:
        return Ground(self.lie.removeprefix("complains of "))

    def _asked(self, checker: str):
        number = self.numbers[checker]
        question = self.projection.ask(OneUse(seed(2 * number)))
        if self.lie == "asks about something else" and checker == "v0":
            request = tuple(self.round.shifted(c, 1 << 64) for c in question.request)
            question = replace(question, request=request)
        answer = self.round.reply(self.projection, question.request)
        if self.lie == "answers to both questions" or (
            self.lie == "answer to a question" and checker == "v1"
        ):
            answer[0] = answer[0]._replace(products=[self.round.shifted(answer[0].products[0])])
        test = self.projection.zero_test(question, answer, OneUse(seed(2 * number + 1)))
        if self.lie == "has a weight tested" and checker == "v0":
            test = replace(test, ciphertext=self.round.vectors[0][0])
        return question, answer, test

    def _countersigning(self, asker: str) -> Judgement | None:
        """By the other checker; judged by those who check nothing, from what they are shown then."""
        question, answer, test = self.questions[asker]
        countersigner = CHECKERS[1 - CHECKERS.index(asker)]
        shown = test.seeds
        if self.lie == "shows the other checker wrong seeds" and asker == "v0":
            shown = Seeds(shown.question, seed(77))
        reason = refusal(self.projection, question.request, answer, test.ciphertext, shown)
        lies = self.lie in ("refuses to countersign", f"complains of {Ground.QUESTION}")
        if reason is None and not (lies and countersigner == "v1"):
            return None
        liar = judge_refusal(
            self.projection, question.request, answer, test.ciphertext, test.seeds, shown.digest()
        )
        return judge_countersigning(asker, countersigner, liar)

    def _after_openings(self) -> Iterator[Judgement]:
        tests = {checker: self._proven_zero(checker) for checker in CHECKERS}
        said = self._out_of_range() or self.lie == "calls the next model out of range"
        complaints = [(c, Ground.PROJECTION) for c in CHECKERS if not tests[c]]
        complaints += [(c, Ground.NEXT_MODEL) for c in CHECKERS if said]
        if self.lie.startswith("complains of"):
            complaints.append(("v1", self._complaint()))
        for checker, ground in complaints:
            yield self._judged(checker, ground, tests, said=said)

    def _proven_zero(self, checker: str) -> bool:
        ciphertext = self.questions[checker][2].ciphertext
        opening = open_zero(self.private, ciphertext)
        if self.lie == "denies both zeros" or (self.lie.startswith("denies a zero") and checker == "v0"):
            opening = None
        return opening is not None and is_zero(self.key, ciphertext, opening, self.stream)

    def _out_of_range(self) -> bool:
        model = [self.key.signed(self.private.decrypt(c)) for c in self.model]
        sums = [sum(column) for column in zip(*self.models[:2], strict=True)]
        unit = 2 << COEFFICIENT_SCALE
        return any(abs(x * unit - total) > 2 * unit for x, total in zip(model, sums, strict=True))

    def _judged(self, checker: str, ground: Ground, tests: Mapping[str, bool], *, said: bool) -> Judgement:
        findings = Findings()
        while True:
            found = judge_complaint(PARTIES, checker, ground, tests, findings, out_of_range=said)
            if not isinstance(found, Demand):
                return found
            findings = replace(findings, **self._shown(found))

    def _shown(self, demand: Demand) -> dict[str, object]:
        match demand:
            case Demand.REQUEST_MASKS:
                return {"request": True}
            case Demand.EVIDENCE:
                return {"evidence": {checker: self._finding(checker) for checker in CHECKERS}}
            case Demand.RANGES:
                inside = [abs(model[0]) <= 4 * BOUND for model in self.models[:2]]
                return {"in_range": dict(zip(TRAINERS, inside, strict=True))}
            case Demand.SUBTRACTION_ROOTS:
                right = is_subtraction(
                    self.key, self.answer, self.digits, 2, self.model, self.roots, self.stream
                )
                return {"subtraction": right}
            case Demand.SHARES:
                return {"shares": self._out_of_range()}
        raise AssertionError(demand)

    def _finding(self, checker: str) -> Finding:
        question, answer, test = self.questions[checker]
        asked = self.round.asked(self.projection, question, answer, test.ciphertext)
        return asked.judge(self._evidence(checker), self.stream)

    def _evidence(self, checker: str) -> Evidence | None:
        question, answer, test = self.questions[checker]
        honest = show_evidence(self.private, question.request, answer, test.ciphertext)
        if self.lie.endswith("shows nothing"):
            return None
        if self.lie.endswith("shows another number"):
            return replace(honest, zero=Opening(mpz(5), honest.zero.root))
        return honest


STARTS = list(Start)
CASES = [(lie, STARTS[index % len(STARTS)]) for index, lie in enumerate(LIES)]


@pytest.mark.parametrize(("lie", "start"), CASES, ids=[lie for lie, _ in CASES])
def test_who_lies_is_named_and_nobody_else(wide_private_key: PrivateKey, lie: str, start: Start) -> None:
    liar, offence = LIES[lie]
    judged = {fault for faults in Course(wide_private_key, lie, start).judgements() for fault in faults}
    assert judged == ({Fault(liar, offence)} if offence else set())


class Believing(Course):
    """Judges that take it that all trainers are in range."""

    def _shown(self, demand: Demand) -> dict[str, object]:
        if demand is Demand.RANGES:
            return {"in_range": dict.fromkeys(TRAINERS, True)}
        return super()._shown(demand)


@pytest.mark.parametrize(("lie", "framed"), [("carries", BUYER), ("carries in one question", "v0")])
def test_without_range_openings_a_trainer_has_the_buyer_or_a_checker_named(
    wide_private_key: PrivateKey, lie: str, framed: str
) -> None:
    course = Believing(wide_private_key, lie, Start.UNMEASURED)
    assert {fault.accused for faults in course.judgements() for fault in faults} == {framed}


class Trusting(Course):
    """Judges that do not ask for what a complaint or the aggregator's work rests on."""

    def _shown(self, demand: Demand) -> dict[str, object]:
        unseen = {Demand.SUBTRACTION_ROOTS: {"subtraction": True}, Demand.SHARES: {"shares": True}}
        return unseen.get(demand) or super()._shown(demand)


@pytest.mark.parametrize("lie", ["subtracts something else", f"complains of {Ground.NEXT_MODEL}"])
def test_without_looking_the_honest_buyer_is_named(wide_private_key: PrivateKey, lie: str) -> None:
    course = Trusting(wide_private_key, lie, Start.UNMEASURED)
    assert {fault.accused for faults in course.judgements() for fault in faults} == {BUYER}
