"""Who is at fault by what was opened of errors that the buyer says make no record: all see the same."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from protocol.crypto.cipher import Ciphertext, open_ciphertexts
from protocol.crypto.randomness import Randomness
from protocol.crypto.ring.context import Maker
from protocol.crypto.ring.shares import Share
from protocol.learning.checked_openings.errors import seen_parts, without_known
from protocol.learning.checked_openings.noise import noise_bound
from protocol.learning.judgement.negativity import MINIMUM_DEPTH
from protocol.messages.opening import ImplausibleError, NegativeError
from protocol.messages.rounds import RingOpening
from protocol.messages.rounds.ring import OpenedVector
from protocol.messages.rounds.values import Shown
from protocol.roles.rounds.implausible import depths_of
from protocol.roles.rounds.members import member_weights
from protocol.roles.rounds.opened_errors import SaidErrors
from protocol.roles.rounds.record import PRODUCT_SCALE
from tests.protocol.roles.rounds.test_record import WORLD

STREAM = Randomness(b"\x09" * 32)
EXCHANGE, SETS = WORLD.exchange, WORLD.exchange.sets
WEIGHTS: Mapping[str, int] = member_weights(WORLD.parties, WORLD.parties.validators)
MEMBERS, TRAINERS = list(WEIGHTS), WORLD.parties.addresses(WORLD.parties.trainers)
SAID = SaidErrors(
    exchange=EXCHANGE,
    weights=WEIGHTS,
    request=WORLD.request,
    parties=WORLD.parties,
    link=WORLD.link,
    trainers=WORLD.parties.trainers,
)
PLAUSIBLE = 0.2


def metric(error: float) -> list[Ciphertext]:
    """One member's sums, each of which is so large before it is weighted."""
    value, widths = int(error * 2.0**60) << (PRODUCT_SCALE - 60), EXCHANGE.widths
    return [
        WORLD.key.lift(sum(widths.at(slot, value) for slot in range(one.slots)) % WORLD.key.n) for one in SETS
    ]


def opened(
    said: SaidErrors, *errors: float, stream: Randomness = STREAM
) -> tuple[list[Ciphertext], RingOpening, dict[Maker, Share]]:
    """What a ring's makers have opened of members with these errors: product, opening, and their shares."""
    shares = {maker: Share(maker, (), said.form.draw(stream)) for maker in Maker}
    unmasked = said.opened([metric(one) for one in errors])
    masks = zip(*(one.plaintexts for one in shares.values()), strict=True)
    product = [WORLD.key.add(one, WORLD.key.lift(sum(of))) for one, of in zip(unmasked, masks, strict=True)]
    shown = tuple(
        Shown(plaintext=int(one.plaintext), root=int(one.root))
        for one in open_ciphertexts(WORLD.private, product)
    )
    return product, RingOpening(purpose="errors", vectors=(OpenedVector(openings=shown),)), shares


def faults(said: SaidErrors, *errors: float) -> set[tuple[str, str]]:
    """By each maker, and by somebody who knows no share: who is at fault; they agree."""
    product, body, shares = opened(said, *errors)
    known = [(shares[maker], shares[maker.next]) for maker in Maker]
    found = [set(said.judge(product, body, one, WORLD.buyer, STREAM).faults) for one in (*known, None)]
    assert all(one == found[0] for one in found)
    return {tuple(one) for one in found[0]}


def negative(error: float, *, trainer: str | None = TRAINERS[1], deeper: int = 0) -> SaidErrors:
    """Such an error of all members together, said as an honest buyer would, or deeper."""
    total = int(error * sum(WEIGHTS.values()) * 2.0**60) << (PRODUCT_SCALE - 60)
    depth = depths_of(WEIGHTS, SAID.trainers, SAID.request).depth_of(total)
    assert depth is not None
    return replace(SAID, negative=NegativeError(trainer=trainer, depth=depth + deeper))


def mean(*errors: float) -> float:
    weights = WEIGHTS.values()
    return sum(w * one for w, one in zip(weights, errors, strict=True)) / sum(weights)


HONEST = [PLAUSIBLE] * (len(MEMBERS) - 1)


@pytest.mark.parametrize("trainer", [TRAINERS[0], TRAINERS[-1], None])
@pytest.mark.parametrize("liar", range(len(MEMBERS)))
def test_the_member_whose_part_is_negative_is_at_fault_and_no_other(liar, trainer):
    errors = [*HONEST[:liar], -3.0, *HONEST[liar:]]
    said = negative(mean(*errors), trainer=trainer)
    assert faults(said, *errors) == {(MEMBERS[liar], "indefinite_matrix")}


def test_a_buyer_that_says_so_of_errors_that_are_plausible_is_at_fault():
    assert faults(negative(-0.5), PLAUSIBLE, *HONEST) == {(WORLD.buyer, "errors_denied")}


@pytest.mark.parametrize("trainer", [TRAINERS[0], None])
def test_what_is_seen_of_an_innocent_members_part_is_off_by_more_than_a_thousandth_of_the_range(trainer):
    """Of a member's error, in squares of the target's range: some 8 bits; of a recorded sum it is 24."""
    said = replace(SAID, negative=NegativeError(trainer=trainer, depth=MINIMUM_DEPTH))
    stream, errors = Randomness(b"\x0a" * 32), (PLAUSIBLE, *HONEST)
    tries = [_off(said, errors, stream) for _ in range(12)]
    for viewer in (*Maker, None):
        for place in range(len(MEMBERS)):
            off = [one[viewer][place] for one in tries]
            assert sum(off) / len(off) > 2**-10
            assert max(off) - min(off) > 2**-10


def _off(said: SaidErrors, errors: Sequence[float], stream: Randomness) -> dict[Maker | None, list[float]]:
    """By who sees it, the buyer last: how far each member's part is from its error."""
    _, body, shares = opened(said, *errors, stream=stream)
    plaintexts = [int(one.plaintext) for vector in body.vectors for one in vector.openings]
    assert said.negative is not None
    vector = TRAINERS.index(said.negative.trainer) if said.negative.trainer is not None else None
    found: dict[Maker | None, list[float]] = {}
    for viewer in (*Maker, None):
        known = None if viewer is None else (shares[viewer], shares[viewer.next])
        parts = seen_parts(EXCHANGE.widths, SETS, without_known(plaintexts, known), vector)
        weighted = zip(parts, WEIGHTS.values(), errors, strict=True)
        square = float(SAID.request.target_range) ** 2
        found[viewer] = [(part / (w << PRODUCT_SCALE) - error) / square for part, w, error in weighted]
    return found


@pytest.mark.parametrize("deeper", [16, -8])
def test_so_is_one_that_says_more_than_is_true_or_less(deeper):
    """More would hide who it is, and less show more digits of each member's part."""
    errors = [-60.0, *HONEST]
    assert faults(negative(mean(*errors), deeper=deeper), *errors) == {(WORLD.buyer, "errors_denied")}


def named(power: int) -> SaidErrors:
    return replace(SAID, named=(ImplausibleError(trainer=TRAINERS[0], power=power),))


def test_a_buyer_that_names_a_trainer_truly_is_not_at_fault():
    limit = (
        4 * mean(*[1.0] * len(MEMBERS)) * (1 + sum(map(abs, map(float, SAID.request.start_weights())))) ** 2
    )
    assert faults(named(8), *[2 * limit] * len(MEMBERS)) == set()
    assert faults(named(16), *[2 * limit] * len(MEMBERS)) == {(WORLD.buyer, "errors_denied")}


@pytest.mark.parametrize("power", [8, 24, 48])
def test_one_that_names_a_plausible_error_is(power):
    assert faults(named(power), PLAUSIBLE, *HONEST) == {(WORLD.buyer, "errors_denied")}


@pytest.mark.parametrize("said", [negative(-0.5), named(8)])
def test_an_opening_of_something_else_is_the_buyers_fault(said):
    product, body, shares = opened(said, PLAUSIBLE, *HONEST)
    known = (shares[Maker.AGGREGATOR], shares[Maker.FIRST_CHECKER])
    moved = [WORLD.key.add(product[0], WORLD.key.lift(1)), *product[1:]]
    for other in (moved, product[1:]):
        assert list(said.judge(other, body, known, WORLD.buyer, STREAM).faults) == [
            (WORLD.buyer, "bad_opening")
        ]


def test_noise_is_what_an_error_is_opened_under():
    depths = depths_of(WEIGHTS, SAID.trainers, SAID.request)
    assert depths.share(0) == noise_bound(sum(WEIGHTS.values()), SAID.request.target_range)
