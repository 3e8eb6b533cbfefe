"""The other checker's part: a question is opened only if it is the one that everybody may ask.

A checker that could have anything opened would learn whether any number of its choice is zero, a weight for
instance, and a yes would not even show. So the other checker, to whom the seeds tell nothing once the answer
is given, holds request and test against them and signs their digest, and the key's holder opens nothing else.
One that refuses shows everybody what the asker has signed for it, seeds with it, before anything is opened:
the question is given up, and what it was made of tells no more.
"""

from collections.abc import Sequence
from enum import StrEnum

from protocol.crypto.cipher import Ciphertext, PublicKey, RootedClaim, all_hold, write_ciphertexts
from protocol.learning.moments.exchange import SetAnswer
from protocol.learning.projection.answer import flat_answer
from protocol.learning.projection.question import Projection, Seeds
from protocol.types import digest_of


class Refusal(StrEnum):
    """Why a question is not countersigned."""

    NO_SEEDS = "no_seeds"
    OTHER_ANSWER = "other_answer"
    OTHER_REQUEST = "other_request"
    OTHER_ZERO_TEST = "other_zero_test"


class Liar(StrEnum):
    """Whom a refusal turns out to accuse."""

    ASKER = "asker"
    COUNTERSIGNER = "countersigner"


def refusal(
    projection: Projection,
    request: Sequence[Ciphertext],
    answer: Sequence[SetAnswer],
    zero: Ciphertext,
    seeds: Seeds,
) -> Refusal | None:
    """Why signed request and test are not those of the seeds, up to a factor −1; None where they are.

    Both are held against the seeds in one equation.
    """
    if not seeds.are_seeds():
        return Refusal.NO_SEEDS
    key, products = projection.key, projection.request_products(seeds.question)
    if len(request) != len(products):
        return Refusal.OTHER_REQUEST
    asked = [RootedClaim(one, product) for one, product in zip(request, products, strict=True)]
    tested = RootedClaim(zero, projection.zero_product(seeds, answer))
    if all_hold(key, [*asked, tested]):
        return None
    return Refusal.OTHER_ZERO_TEST if all_hold(key, asked) else Refusal.OTHER_REQUEST


def consent(
    projection: Projection, request: Sequence[Ciphertext], answer: Sequence[SetAnswer], zero: Ciphertext
) -> bytes:
    """The digest that both checkers sign, and without which the key's holder opens no test."""
    return zero_test_digest(projection.key, request, flat_answer(answer), zero)


def zero_test_digest(
    key: PublicKey, request: Sequence[Ciphertext], answer: Sequence[Ciphertext], zero: Ciphertext
) -> bytes:
    """The same for who has no projection but all ciphertexts: the key's holder."""
    parts = (request, answer, [zero])
    return digest_of(b"deltaml zero test", *(digest_of(*write_ciphertexts(key, one)) for one in parts))
