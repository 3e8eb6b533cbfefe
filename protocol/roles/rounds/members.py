"""An attempt's members: what each one's errors weigh, and which two of them check. Everybody derives both."""

from eth_hash.auto import keccak

from protocol.learning.judgement.members import Absence, Attempt, LeftOut, checkers, row_weights
from protocol.messages.rounds.moments import LeftOutMember
from protocol.records import Market, address_word, number_word
from protocol.roles.engine.refusals import require
from protocol.roles.shared.parties import Parties
from protocol.types import RoundAttempt, seats_of

_DRAW = keccak(b"DeltaML order of checkers")


def draw_hash(market: Market, training: int, parties: Parties) -> bytes:
    """What the order of checkers follows from: keccak256 of market, training and all revealed nonces.

    Nobody knows it before the last nonce is revealed, which its owner has committed to with its seat. So no
    seat is worth more than another, and who reveals last chooses between two orders, as between two draws.
    The nonces are those of the drawn seats in their order, whose events stand before the draw's on the chain.
    """
    words = number_word(market.chain_id), address_word(market.contract), number_word(training)
    return keccak(b"".join((_DRAW, *words, *parties.nonces)))


def member_weights(parties: Parties, members: int) -> dict[str, int]:
    """w_v = min(m_v, 4 × the lower median of the members' rows) by address, in seat order.

    `members` is their mask.
    """
    rows, addresses = parties.rows_by_owner(), parties.addresses(members)
    weights = row_weights([rows[one] for one in addresses])
    return dict(zip(addresses, weights, strict=True))


def attempt_checkers(parties: Parties, members: int, at: RoundAttempt, hashed: bytes) -> tuple[str, str]:
    """The addresses of the two members that check an attempt, first and second in the ring.

    `members` is their mask, `hashed` `draw_hash`. Raises MisuseError for fewer than two members.
    """
    first, second = checkers(seats_of(members), hashed, at.round, at.attempt - 1)
    return parties.seats[first], parties.seats[second]


def read_attempt(
    parties: Parties, number: int, members: tuple[str, ...], left_out: tuple[LeftOutMember, ...]
) -> Attempt:
    """An attempt as `judgement.members.require_attempt` checks it; `number` is the envelope's, from 1.

    Raises ProtocolViolation: "not_a_party" for an address without a seat, "nothing_committed" for a member
    that has shown no commitments, and has no rows to weigh by.
    """
    rows = parties.rows_by_owner()
    for member in members:
        require(rows.get(member, 0) > 0, "nothing_committed", f"{member} cannot be a member")
    absent = tuple(LeftOut(parties.seat_of(one.member), Absence(one.why)) for one in left_out)
    return Attempt(number - 1, tuple(map(parties.seat_of, members)), absent)
