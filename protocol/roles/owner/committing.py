"""What an owner commits to: as a trainer its affine map, as a validator its Gram matrix, in integers.

Made once, when it accepts, and stored before anything is sent: after that an owner can lie about its rows
consistently and in advance, and about nothing else.
"""

from collections.abc import Iterator
from typing import Annotated

import numpy as np
from pydantic import Field

from protocol.crypto.cipher import PublicKey, draw_base
from protocol.crypto.commitments import (
    CommittedVector,
    OwnerCommitments,
    TrainingIdentity,
    gram_limits,
    map_limits,
)
from protocol.crypto.fixed_point import encode, encode_matrix
from protocol.crypto.randomness import Randomness
from protocol.learning.gram import gram_triangle
from protocol.learning.inference.sharing import information_triangle
from protocol.learning.kinds.registry import kind_of
from protocol.learning.scales import COEFFICIENT_SCALE, ENTRY_SCALE, UPDATE_SCALE
from protocol.learning.statistic import Statistic
from protocol.request import Request
from protocol.types import BigInteger, FrozenModel


class SecretVector(FrozenModel):
    """The integers of a commitment and its κ, as they are stored: never sent, never shown."""

    values: Annotated[tuple[BigInteger, ...], Field(repr=False)]
    hiding: Annotated[BigInteger, Field(repr=False)]

    @classmethod
    def of(cls, vector: CommittedVector) -> "SecretVector":
        """Of one that was drawn."""
        return cls(values=vector.values, hiding=vector.hiding)

    def vector(self) -> CommittedVector:
        """As the proofs take it."""
        return CommittedVector(self.values, self.hiding)


class OwnerSecrets(FrozenModel):
    """The content of a blob: what stands behind an owner's commitments, p rows and the Gram triangle.

    Of a path of penalties p rows for each λ, in its order.
    `information` is nothing that is committed to: of a request with `inference`, m·RᵀR for i ≤ j.
    """

    maps: Annotated[tuple[SecretVector, ...], Field(repr=False)]
    gram: Annotated[SecretVector, Field(repr=False)]
    information: Annotated[
        tuple[BigInteger, ...], Field(repr=False, exclude_if=lambda triangle: not triangle)
    ] = ()

    def map_rows(self) -> tuple[CommittedVector, ...]:
        """Each row of M with its entry of v, of one map after the other."""
        return tuple(row.vector() for row in self.maps)


def commit_to(
    request: Request,
    statistic: Statistic,
    key: PublicKey,
    identity: TrainingIdentity,
    owner: str,
    randomness: Randomness,
) -> tuple[OwnerCommitments, OwnerSecrets]:
    """Draw every κ and the base, and commit to the map of each λ and the Gram matrix of a statistic.

    Raises MisuseError where the rows' second moments are beyond what is committed to, which rows within
    ranges of [−1, 1] never are, and of rows that were not fitted where the kind of model needs it.
    """
    p = request.parameters
    limits = map_limits(p, COEFFICIENT_SCALE, UPDATE_SCALE + request.weight_bits)
    maps = tuple(
        CommittedVector.draw(row, limits, identity.group, randomness)
        for ridge in range(len(request.model.ridges))
        for row in _fitting_rows(request, statistic, limits, ridge)
    )
    factor, targets = kind_of(request).measuring_factor(request, statistic), len(request.outputs)
    entry_limits = gram_limits(p, ENTRY_SCALE + request.gram_bits, targets)
    gram = CommittedVector.draw(gram_triangle(factor, targets), entry_limits, identity.group, randomness)
    base = draw_base(key, randomness)
    commitments = OwnerCommitments.of(identity, owner, statistic.rows, base, maps, gram)
    secrets = OwnerSecrets(
        maps=tuple(map(SecretVector.of, maps)),
        gram=SecretVector.of(gram),
        information=_information(request, statistic),
    )
    return commitments, secrets


def _information(request: Request, statistic: Statistic) -> tuple[int, ...]:
    """Made with the commitments, while the rows' statistic is at hand; shared after the settlement alone."""
    if not request.inference:
        return ()
    return information_triangle(kind_of(request).information_factor(request, statistic), statistic.rows)


def _fitting_rows(
    request: Request, statistic: Statistic, limits: tuple[int, ...], ridge: int
) -> list[list[int]]:
    """The rows of M with v beside them, of as many of the local steps as stay within the limits.

    A proof hides what is within them alone. Who learned that fewer steps were taken would learn of rows.
    """
    return next(rows for rows in _maps(request, statistic, ridge) if _fits(rows, limits))


def _maps(request: Request, statistic: Statistic, ridge: int) -> Iterator[list[list[int]]]:
    """Of all local steps, of half as many, and so on; of none at last, which change nothing."""
    steps = request.schedule.local_steps
    while steps:
        schedule = request.schedule.model_copy(update={"local_steps": steps})
        fewer = request.model_copy(update={"schedule": schedule})
        matrix, offset = kind_of(request).training_map(fewer, statistic, ridge)
        if np.isfinite(matrix).all() and np.isfinite(offset).all():
            pairs = zip(encode_matrix(matrix, COEFFICIENT_SCALE), encode(offset, UPDATE_SCALE), strict=True)
            yield [[*row, constant] for row, constant in pairs]
        steps //= 2
    p = request.parameters
    yield [[int(i == j) << COEFFICIENT_SCALE for j in range(p)] + [0] for i in range(p)]


def _fits(rows: list[list[int]], limits: tuple[int, ...]) -> bool:
    return all(abs(value) <= limit for row in rows for value, limit in zip(row, limits, strict=True))
