"""The key holder's part: products of what a question asks, and whether its test is zero, with proof.

Where a test is not zero somebody was wrong, and its numbers may depend on the models through more than
whether: so the checkers, who know β and the seeds, are told that and shown nothing. The aggregator is shown
all plaintexts with their roots: to it, without the seeds, they are uniform numbers. It sees whether the key's
holder answered what it was asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import TypeVar

from protocol.crypto.cipher import (
    Ciphertext,
    Opening,
    PrivateKey,
    PublicKey,
    open_ciphertext,
    open_ciphertexts,
    verify_openings,
)
from protocol.crypto.randomness import Randomness
from protocol.errors import ProtocolViolation
from protocol.learning.moments.exchange import (
    SetAnswer,
    SetPlaintexts,
    answer_plaintexts,
    encrypt_set,
    read_digits,
    vector_count,
)
from protocol.learning.moments.widths import MomentWidths, SlotSet

_Item = TypeVar("_Item")


class Finding(StrEnum):
    """What evidence about a test said not to be zero comes to; all but the last name the key's holder."""

    FALSE_OPENING = "false_opening"
    WRONG_PRODUCTS = "wrong_products"
    ZERO = "zero"
    NOT_ZERO = "not_zero"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Openings of a question's request, of its answer in the order of `flat_answer`, and of the zero test."""

    request: tuple[Opening, ...] = field(repr=False)
    answer: tuple[Opening, ...] = field(repr=False)
    zero: Opening = field(repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as the aggregator judges it: the ciphertexts that were signed, and how they are laid out.

    `trainers`, `sets` and `widths` are the `Projection`'s.
    """

    key: PublicKey
    request: tuple[Ciphertext, ...] = field(repr=False)
    answer: tuple[SetAnswer, ...]
    zero: Ciphertext
    trainers: int
    sets: tuple[SlotSet, ...]
    widths: MomentWidths

    def judge(self, evidence: Evidence | None, randomness: Randomness) -> Finding:
        """Whether the key's holder was right that this test is not zero.

        `evidence` is what it showed, None for something that is none; `randomness` is the aggregator's own.
        """
        if evidence is None or not self._opened(evidence, randomness):
            return Finding.FALSE_OPENING
        plain = _projected(self._digits(evidence), self.trainers, self.sets, self.widths)
        expected = [value % self.key.n for one in plain for value in _flat(one)]
        if expected != [opening.plaintext for opening in evidence.answer]:
            return Finding.WRONG_PRODUCTS
        return Finding.NOT_ZERO if evidence.zero.plaintext else Finding.ZERO

    def _opened(self, evidence: Evidence, randomness: Randomness) -> bool:
        ciphertexts = [*self.request, *flat_answer(self.answer), self.zero]
        openings = [*evidence.request, *evidence.answer, evidence.zero]
        if len(evidence.request) != len(self.request) or len(openings) != len(ciphertexts):
            return False
        return verify_openings(self.key, ciphertexts, openings, randomness)

    def _digits(self, evidence: Evidence) -> list[list[int]]:
        plaintexts = [int(opening.plaintext) for opening in evidence.request]
        return read_digits(plaintexts, vector_count(self.sets), self.widths)


def projection_answer(
    private_key: PrivateKey,
    request: Sequence[Ciphertext],
    trainers: int,
    sets: Sequence[SlotSet],
    widths: MomentWidths,
    randomness: Randomness,
) -> list[SetAnswer]:
    """One product, and what takes masks out of it, for each slot set.

    `request` are checked ciphertexts, `request_length` of them: a vector has an entry for each target.
    """
    plaintexts = [int(one) for one in private_key.decrypt_all(request)]
    digits = read_digits(plaintexts, vector_count(sets), widths)
    plain = _projected(digits, trainers, sets, widths)
    return [encrypt_set(private_key, one, randomness) for one in plain]


def open_zero(private_key: PrivateKey, zero: Ciphertext) -> Opening | None:
    """For the checkers: the proof that a countersigned test is zero, or None, that it is not."""
    opening = open_ciphertext(private_key, zero)
    return None if opening.plaintext else opening


def is_zero(key: PublicKey, zero: Ciphertext, opening: Opening, randomness: Randomness) -> bool:
    """Whether an opening proves that a test is zero."""
    return opening.plaintext == 0 and verify_openings(key, [zero], [opening], randomness)


def show_evidence(
    private_key: PrivateKey, request: Sequence[Ciphertext], answer: Sequence[SetAnswer], zero: Ciphertext
) -> Evidence:
    """For the aggregator, of a test that is not zero, and never for a checker."""

    def opened(ciphertexts: Sequence[Ciphertext]) -> tuple[Opening, ...]:
        return tuple(open_ciphertexts(private_key, ciphertexts))

    return Evidence(opened(request), opened(flat_answer(answer)), open_ciphertext(private_key, zero))


def flat_answer(answer: Sequence[SetAnswer]) -> list[Ciphertext]:
    """All ciphertexts of an answer, in the order that `read_projection_answer` takes."""
    return [c for one in answer for c in (*one.products, *_all(one.singles), *one.rest)]


def projection_answer_length(sets: Sequence[SlotSet], targets: int = 1) -> int:
    """How many ciphertexts an answer has."""
    return sum(1 + targets * (len(one.members) + int(len(sets) > 1)) for one in sets)


def read_projection_answer(
    flat: Sequence[Ciphertext], sets: Sequence[SlotSet], targets: int = 1
) -> tuple[SetAnswer, ...]:
    """The answer from checked ciphertexts; raises ProtocolViolation("wrong_count") for too few or many."""
    rest = targets * int(len(sets) > 1)
    expected = projection_answer_length(sets, targets)
    if len(flat) != expected:
        raise ProtocolViolation("wrong_count", f"{len(flat)} ciphertexts; {expected} expected")
    given = iter(flat)
    return tuple(
        SetAnswer(
            list(islice(given, 1)),
            [list(islice(given, targets)) for _ in one.members],
            list(islice(given, rest)),
        )
        for one in sets
    )


def _all(rows: Sequence[Sequence[_Item]]) -> Iterator[_Item]:
    return (one for row in rows for one in row)


def _projected(
    digits: Sequence[Sequence[int]], trainers: int, sets: Sequence[SlotSet], widths: MomentWidths
) -> list[SetPlaintexts]:
    """Without what stands beside the last entry, −1, which a question has no use for."""
    found = answer_plaintexts(digits, trainers, sets, widths)
    return [one._replace(products=one.products[:1]) for one in found]


def _flat(plain: SetPlaintexts) -> list[int]:
    return [*plain.products, *_all(plain.singles), *plain.rest]
