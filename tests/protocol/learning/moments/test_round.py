"""The parts of a round together: rows, commitments, proven updates, products, proven metrics, errors."""

import numpy as np
import pytest

from protocol.crypto.blinding import ShortExponentBlinder, draw_base
from protocol.crypto.commitments import CommittedVector, OwnerCommitments, TrainingIdentity, gram_limits
from protocol.crypto.fixed_point import encode, encode_matrix
from protocol.crypto.proofs.trainer import UpdateClaim, UpdateProofs
from protocol.crypto.proofs.transcript import Occasion
from protocol.crypto.proofs.validator import MetricClaim, MetricProofs
from protocol.crypto.randomness import Randomness
from protocol.learning.descent import affine_map
from protocol.learning.gram import gram_triangle
from protocol.learning.moments.exchange import MomentMask, moment_answer, moment_request
from protocol.learning.moments.products import next_model, products
from protocol.learning.moments.widths import MomentWidths, Start
from protocol.learning.scales import COEFFICIENT_SCALE, ENTRY_SCALE, MODEL_SCALE, UPDATE_SCALE
from protocol.learning.statistic import triangular
from tests.support.proofs import private_key

P, TRAINERS, VALIDATORS, WEIGHT_BITS = 4, 3, 2, 6
SIZES = (40, 55, 33, 25, 60)
STREAM = Randomness(b"r" * 32)


class Round:
    """One round of linear regression on rows in [−1, 1], every party in one process."""

    def __init__(self, bits: int) -> None:
        self.private = private_key(bits)
        self.key = self.private.public_key
        self.identity = TrainingIdentity(1, "0x" + "c0" * 20, 3, self.key.key_id)
        rng = np.random.default_rng(11)
        self.rows = [np.column_stack([rng.uniform(-1, 1, (m, P - 1)), np.ones(m)]) for m in SIZES]
        weights = rng.uniform(-0.3, 0.3, P)
        self.targets = [rows @ weights + rng.uniform(-0.1, 0.1, len(rows)) for rows in self.rows]
        self.maps, self.owners = [], []
        for index in range(len(SIZES)):
            self._join(index)
        self.start = rng.uniform(-0.5, 0.5, P)

    def _join(self, index: int) -> None:
        factor = triangular(np.column_stack([self.rows[index], self.targets[index]])) / np.sqrt(SIZES[index])
        matrix, offset = affine_map(factor, step_size=1.5, l2=0.01, local_steps=20)
        rows = zip(encode_matrix(matrix, COEFFICIENT_SCALE), encode(offset, UPDATE_SCALE), strict=True)
        limits = UpdateProofs(
            self.key, self.identity, Occasion(1, 0), (1,) * P, COEFFICIENT_SCALE, UPDATE_SCALE + WEIGHT_BITS
        ).limits
        maps = [CommittedVector.draw([*row, last], limits, self.identity.group, STREAM) for row, last in rows]
        entries = gram_triangle(factor)
        gram = CommittedVector.draw(entries, gram_limits(P, ENTRY_SCALE), self.identity.group, STREAM)
        base = draw_base(self.key, STREAM)
        address = f"0x{index + 1:040x}"
        shown = OwnerCommitments.of(self.identity, address, SIZES[index], base, maps, gram)
        shown.require(self.key, self.identity.group, P)
        self.maps.append((matrix, offset))
        self.owners.append((maps, gram, shown))

    def updates(self) -> list[tuple[int, ...]]:
        """Proven and checked."""
        model = tuple(self.private.encrypt(one, STREAM) for one in encode(self.start, MODEL_SCALE))
        bits = UPDATE_SCALE + WEIGHT_BITS
        proofs, claims = (
            UpdateProofs(self.key, self.identity, Occasion(1, 0), model, COEFFICIENT_SCALE, bits),
            [],
        )
        for maps, _, shown in self.owners[:TRAINERS]:
            update, exponents = proofs.update(maps, shown.base, STREAM)
            masks = proofs.draw_masks(STREAM)
            proof = proofs.prove(shown, maps, update, exponents, masks)
            claims.append(UpdateClaim(shown.owner, shown, update, proof))
        assert proofs.unproven(claims) == []
        return [claim.update for claim in claims]

    def metric(self, sets) -> list[int]:
        """The validators' metrics, proven and checked, in one product under their rows' weights."""
        proofs, claims = MetricProofs(self.key, self.identity, Occasion(1, 0, 1), P, sets, ENTRY_SCALE), []
        for _, gram, shown in self.owners[TRAINERS:]:
            metric, exponents = proofs.metric(gram, shown.base, STREAM)
            proof = proofs.prove(shown, gram, metric, exponents, proofs.draw_masks(STREAM))
            claims.append(MetricClaim(shown.owner, shown, metric, proof))
        assert proofs.unproven(claims) == []
        weighted = [[self.key.multiply(x, one.commitments.rows) for x in one.metric] for one in claims]
        return [self.key.add(*column) for column in zip(*weighted, strict=True)]


@pytest.mark.parametrize("bits", [1536, 2304])
def test_a_round_gives_the_errors_and_the_model_of_plain_numbers(bits: int) -> None:
    world, key = Round(bits), private_key(bits).public_key
    widths = MomentWidths.fit(
        key_bits=bits,
        parameters=P,
        trainers=TRAINERS,
        weights=sum(SIZES[TRAINERS:]),
        weight_bits=WEIGHT_BITS,
        residual_bits=3,
    )
    sets = widths.sets(TRAINERS, Start.PUBLIC)
    assert len(sets) == (1 if bits == 2304 else 2)
    updates = world.updates()
    mask = MomentMask.draw(key, TRAINERS * P, widths.request, STREAM)
    answer = moment_answer(
        world.private, moment_request(key, updates, widths, mask), TRAINERS, sets, widths, STREAM
    )
    digits = mask.digits(TRAINERS, widths)
    start = [one << COEFFICIENT_SCALE for one in encode(world.start, MODEL_SCALE)]
    public = products(key, answer, digits, TRAINERS, sets, widths, start)
    opened: list[int] = []
    for one, total in zip(sets, world.metric(public), strict=True):
        shifted = key.add(total, key.lift(widths.offset(one)))
        *values, above = widths.values(one, int(world.private.decrypt(shifted)))
        assert above == 0
        opened += values
    local = [matrix @ world.start + offset for matrix, offset in world.maps[:TRAINERS]]
    measured = list(zip(world.rows[TRAINERS:], world.targets[TRAINERS:], strict=True))
    residuals = [np.concatenate([x @ w - y for x, y in measured]) for w in (world.start, *local)]
    total = sum(residuals[1:])
    expected = [residuals[0] @ residuals[0]]
    for one in residuals[1:]:
        expected += [one @ one, one @ total]
    got = [value / 2 ** (2 * UPDATE_SCALE + ENTRY_SCALE) for value in opened]
    assert got == pytest.approx(expected, rel=1e-9)
    model = next_model(key, answer, digits, TRAINERS, ShortExponentBlinder(key, b"b" * 32), STREAM)
    weights = [key.signed(world.private.decrypt(one)) / 2**MODEL_SCALE for one in model]
    assert weights == pytest.approx(np.mean(local, axis=0), abs=1e-8 * np.abs(local).max())
