"""A round's exchange between honest parties up to the products, on a small key, for checks of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from protocol.crypto.cipher import Ciphertext, PrivateKey
from protocol.crypto.randomness import Randomness
from protocol.learning.moments.exchange import (
    MomentAnswer,
    MomentMask,
    SetAnswer,
    moment_answer,
    moment_request,
    vector_count,
)
from protocol.learning.moments.products import Products, products
from protocol.learning.moments.widths import MomentWidths, Start
from protocol.learning.projection.answer import Asked, projection_answer
from protocol.learning.projection.question import Projection, Seeds, projection_widths
from protocol.learning.scales import UPDATE_SCALE

WEIGHT_BITS = 6
BOUND = 1 << (UPDATE_SCALE + WEIGHT_BITS)


def seed(number: int) -> bytes:
    return number.to_bytes(32, "big")


@dataclass(frozen=True)
class Question:
    """A request to the key's holder, and the seed that it was made from."""

    request: tuple[Ciphertext, ...]
    seed: bytes


@dataclass(frozen=True)
class ZeroTest:
    """Enc(Z·a) for the key's holder, and both seeds of the question."""

    ciphertext: Ciphertext
    seeds: Seeds


def ask(projection: Projection, secret: bytes) -> Question:
    """A checker's question from its seed."""
    return Question(tuple(projection.request(secret)), secret)


def zero_test(
    projection: Projection, question: Question, answer: Sequence[SetAnswer], secret: bytes
) -> ZeroTest:
    """What is opened, from a seed that was drawn after the answer."""
    seeds = Seeds(question.seed, secret)
    return ZeroTest(projection.zero(seeds, answer), seeds)


@dataclass
class ProjectedRound:
    """`models` at the updates' scale, p weights each: the trainers', and an encrypted start's after them."""

    private: PrivateKey
    models: Sequence[Sequence[int]]
    trainers: int
    start: Start = Start.UNMEASURED
    public: Sequence[int] = ()
    targets: int = 1

    def __post_init__(self) -> None:
        self.key = self.private.public_key
        self.stream = Randomness(seed(7))
        self.widths = MomentWidths.fit(
            key_bits=self.key.bits,
            parameters=len(self.models[0]),
            trainers=self.trainers,
            weights=1 << 10,
            weight_bits=WEIGHT_BITS,
            residual_bits=3,
            targets=self.targets,
        )
        self.sets = self.widths.sets(self.trainers, self.start)
        self.vectors = [[self.private.encrypt(one, self.stream) for one in model] for model in self.models]
        values = vector_count(self.sets) * self.widths.parameters
        self.mask = MomentMask.draw(self.key, values, self.widths.request, self.stream)
        self.request = moment_request(self.key, self.vectors, self.widths, self.mask)

    @cached_property
    def answer(self) -> MomentAnswer:
        return self.answer_to(self.request)

    def answer_to(self, request: Sequence[Ciphertext]) -> MomentAnswer:
        return moment_answer(self.private, request, self.trainers, self.sets, self.widths, self.stream)

    def products(self, answer: MomentAnswer, mask: MomentMask) -> tuple[Products, ...]:
        digits = mask.digits(vector_count(self.sets), self.widths)
        return products(self.key, answer, digits, self.trainers, self.sets, self.widths, self.public)

    def projection(self, answer: MomentAnswer | None = None, mask: MomentMask | None = None) -> Projection:
        moments = self.products(answer or self.answer, mask or self.mask)
        return Projection(self.vectors, moments, projection_widths(self.widths, self.key.bits))

    def reply(self, projection: Projection, request: Sequence[Ciphertext]):
        """The key holder's honest answer to a checker."""
        return projection_answer(
            self.private, request, self.trainers, self.sets, projection.widths, self.stream
        )

    def asked(self, projection: Projection, question: Question, answer, zero: Ciphertext) -> Asked:
        return Asked(
            self.key, question.request, tuple(answer), zero, self.trainers, self.sets, projection.widths
        )

    def tested(self, projection: Projection, number: int = 1) -> tuple[Question, list, ZeroTest]:
        """A checker's question from seeds made of a number, its answer and its test."""
        question = ask(projection, seed(2 * number))
        answer = self.reply(projection, question.request)
        return question, answer, zero_test(projection, question, answer, seed(2 * number + 1))

    def shifted(self, ciphertext: Ciphertext, by: int = 1) -> Ciphertext:
        return ciphertext * self.key.lift(by) % self.key.n_squared
