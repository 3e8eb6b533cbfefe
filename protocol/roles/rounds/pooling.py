"""Whose information matrices are added up after the settlement, and by whom: everybody works it out alike."""

from typing import NamedTuple

from protocol.inference_terms import FEWEST_TRAINERS
from protocol.records import Market
from protocol.roles.rounds.members import attempt_checkers, draw_hash
from protocol.roles.shared.parties import Parties
from protocol.types import Address, RoundAttempt, RoundNumber, Seats


class Pool(NamedTuple):
    """Trainers in seat order, and the two checkers; each gets one share of every trainer's matrix."""

    trainers: tuple[Address, ...]
    checkers: tuple[Address, Address]


def pool_of(
    parties: Parties, market: Market, training: int, last_round: RoundNumber, trainers: Seats, members: Seats
) -> Pool | None:
    """That of a training's last round, as the chain has recorded it; None where too few have trained it.

    There is one such set in a training: of two sets' sums the difference would be one owner's matrix. The
    checkers are the two that come first, among those who measured, in the order of that round: it follows
    from the draw, and the aggregator moves them only by leaving out validators as silent.
    """
    if trainers.bit_count() < FEWEST_TRAINERS:
        return None
    hashed = draw_hash(market, training, parties)
    checkers = attempt_checkers(parties, members, RoundAttempt(last_round, 1), hashed)
    return Pool(parties.addresses(trainers), checkers)
