"""A checked market with one adversary in it, from the draw of the roles to the end.

What honest parties send reaches the adversary's hands only where it is the recipient, or the broker. What it
sends in place of its own messages is signed with its own keys; anything else is refused as a daemon's
admission refuses it. A *wrapped* role takes its own steps with some of its functions replaced, a *switched
off* check is replaced for everybody.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any, Literal, NamedTuple
from unittest.mock import patch

from protocol.crypto.commitments import CommittedVector
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.learning.gram import gram_triangle
from protocol.learning.scales import COEFFICIENT_SCALE
from protocol.roles import dispatch
from protocol.roles.engine.inputs import Input, MessageReceived
from protocol.roles.engine.worked_out import WORK
from protocol.roles.owner import commitments, committing
from protocol.roles.rounds.members import attempt_checkers, draw_hash
from protocol.roles.shared.parties import Parties
from protocol.types import RoundAttempt
from tests.support.roles.checked_markets import ROLES, checked_market
from tests.support.roles.depositors import make_willing, payment_in
from tests.support.roles.pure_contract import MARKET, TRAINING
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import small_data

TRAINERS, VALIDATORS, PAIR = (0, 1, 2), (3, 4, 5), (3, 4)
_FEATURE = {"name": "x0", "minimum": -10, "maximum": 10}
_INDEFINITE = -40
"""Times the matrix of its rows: whatever the others', every error is negative."""

Committed = Literal["honestly", "widely", "indefinitely"]

_SCHEDULE = {"local_steps": 2, "step_size": "0.05", "tolerance": 0}
_ADMM = {"method": "admm", "rho": "0.1", "tolerance": 0}


class Replaced(NamedTuple):
    """A function in another's place: where it is looked up, its name there, and what stands there instead."""

    holder: Any
    name: str
    replacement: Any


Deed = Callable[["Arena", SignedMessage], Sequence[SignedMessage]]
"""What becomes of a message that the adversary sends, or, of the broker, of any message."""


class Arena(PureMarket):
    """A pure market in which one party, or the broker, is not honest."""

    def enter(
        self, who: str, deed: Deed, wrapped: Sequence[Replaced] = (), *, redraws: Callable[..., Any] | None
    ) -> None:
        """The adversary takes its place; `redraws` chooses the next delivery, in the broker's stead."""
        self.who = who
        self.adversary = self.address_of(who)
        self.wrapped = wrapped
        self.turned_away: list[str] = []
        self.memory: dict[str, Any] = {}
        self.intercept = lambda message: deed(self, message) if self._is_its(message) else (message,)
        self.choose = redraws(self) if redraws else self.choose

    def _is_its(self, message: SignedMessage) -> bool:
        return self.adversary in ("", message.envelope.sender)

    def address_of(self, who: str) -> str:
        """The address of a part in the first attempt; of the broker and of strangers, nothing."""
        if who in ("broker", "stranger"):
            return ""
        if who in ("buyer", "aggregator"):
            return str(getattr(self, who).address)
        if who == "trainer":
            return self.trainers()[0].address
        first, second = self.checkers()
        others = (one.address for one in self.validators() if one.address not in (first, second))
        return {"first checker": first, "second checker": second}.get(who) or next(others)

    def checkers(self, round_number: int = 1, attempt: int = 1) -> tuple[str, str]:
        """Of an attempt by all drawn validators, in the order of the ring."""
        contract, at = self.contract, RoundAttempt(round_number, attempt)
        nonces = tuple(nonce for _seat, nonce in sorted(contract.nonces.items()))
        parties = Parties(seats=tuple(contract.seats), revealed=contract.revealed, nonces=nonces)
        return attempt_checkers(parties, contract.validators, at, draw_hash(MARKET, TRAINING, parties))

    def honest(self) -> list[Party]:
        """Everybody else."""
        return [party for party in self.parties.values() if party.address != self.adversary]

    def role_of(self, address: str) -> str:
        """A party by what it is in the training."""
        if address == self.buyer.address:
            return "buyer"
        if address == self.aggregator.address:
            return "aggregator"
        seat = self.contract.seats.index(address)
        return "trainer" if self.contract.trainers >> seat & 1 else "validator"

    def post(self, message: SignedMessage) -> None:
        """As a daemon's admission: what its sender did not sign for this market goes no further."""
        try:
            message.verify(MARKET)
        except ProtocolViolation as violation:
            self.turned_away.append(violation.code)
            return
        super().post(message)

    def deliver(self, party: Party, item: Input) -> Any:
        """One step; the adversary's own with what it has replaced."""
        if party.address != self.adversary:
            return super().deliver(party, item)
        with replaced(self.wrapped):
            return super().deliver(party, item)


@contextmanager
def replaced(what: Sequence[Replaced]) -> Iterator[None]:
    """These functions are others for a while; what was worked out by either is not known to the other."""
    with ExitStack() as stack:
        for holder, name, replacement in what:
            stack.enter_context(patch.object(holder, name, replacement))
        WORK.clear()
        stack.callback(WORK.clear)
        yield


def committing_widely(owner: Callable[[], str]) -> Sequence[Replaced]:
    """One owner's map has constants 2^48 times as large as its proof is made for, whose slack is 2^64."""
    honest = commitments.commit_to

    def rows(request: Any, _statistic: Any, limits: Sequence[int], _ridge: int) -> list[list[int]]:
        p = request.parameters
        return [[int(i == j) << COEFFICIENT_SCALE for j in range(p)] + [limits[-1] << 48] for i in range(p)]

    def commit(*arguments: Any) -> Any:
        if arguments[4] != owner():
            return honest(*arguments)
        unbounded = Replaced(committing, "_fitting_rows", rows)
        with replaced((unbounded, Replaced(CommittedVector, "draw", unlimited))):
            return honest(*arguments)

    return (Replaced(commitments, "commit_to", commit),)


def committing_to_a_multiple(owner: Callable[[], str], times: int) -> Sequence[Replaced]:
    """One owner has so many times the matrix of its rows: of a negative number it is no sum of squares."""
    honest = commitments.commit_to

    def multiplied(factor: Any, targets: int = 1) -> list[int]:
        return [times * int(one) for one in gram_triangle(factor, targets)]

    def commit(*arguments: Any) -> Any:
        if arguments[4] != owner():
            return honest(*arguments)
        matrix = Replaced(committing, "gram_triangle", multiplied)
        with replaced((matrix, Replaced(CommittedVector, "draw", unlimited))):
            return honest(*arguments)

    return (Replaced(commitments, "commit_to", commit),)


def unlimited(values: Any, _limits: Any, group: Any, randomness: Any) -> CommittedVector:
    return CommittedVector(tuple(map(int, values)), randomness.bits(group.exponent_bits))


@cache
def _drawn(
    rounds: int,
    twins: bool,
    validators: tuple[int, ...],
    coin: str | None,
    committed: Committed = "honestly",
    carries: bool = False,
) -> PureMarket:
    data = small_data(owners=len(TRAINERS) + len(validators))
    schedule = {"rounds": rounds, **(_ADMM if carries else _SCHEDULE)}
    if twins:
        data[1] = data[0]
    payment = {"payment": payment_in(coin)} if coin else {}
    market = checked_market(validators, data=data, schedule=schedule, features=[_FEATURE], **payment)
    make_willing(market)
    if committed != "honestly":
        market.run_step = dispatch.run_step  # what honest owners do is remembered otherwise
    with replaced(_committing(market, committed, lambda: _drawn(rounds, twins, validators, coin))):
        while market.contract.status != "running":
            market.deliver_next()
    return market


def _committing(
    market: PureMarket, committed: Committed, honest: Callable[[], PureMarket]
) -> Sequence[Replaced]:
    """The first trainer's part in it, or the one's who will be a validator that does not check at first."""
    if committed == "widely":
        return committing_widely(lambda: market.owners[0].address)
    if committed == "indefinitely":
        liar = arena_of(honest()).address_of("validator")
        return committing_to_a_multiple(lambda: liar, _INDEFINITE)
    return ()


@cache
def _answered(rounds: int, validators: tuple[int, ...], coin: str | None) -> Arena:
    """The same when the buyer's first products are on their way to the aggregator."""
    arena = arena_of(_drawn(rounds, False, validators, coin))
    arena.adversary = "nobody"
    arena.turned_away = []
    arena.wrapped = ()
    answer = arena.run_until("moment_answer")
    arena.pending.insert(0, (answer.envelope.recipient, MessageReceived(signed=answer)))
    return arena


def prepared(
    rounds: int,
    *,
    twins: bool = False,
    late: bool = False,
    pair: bool = False,
    coin: str | None = None,
    committed: Committed = "honestly",
    carries: bool = False,
) -> Arena:
    """A market of three trainers and three validators, whose roles have just been drawn.

    `twins`: the first two trainers have the same rows. `pair`: there are two validators. `late`: the first
    round is trained, and its products are there. `coin`: everybody has deposited a bond in it. `committed`
    widely: the first trainer to a map whose updates are out of range; indefinitely: the validator that does
    not check at first to a matrix that is no sum of squares. `carries`: trainers carry duals.
    """
    validators = PAIR if pair else VALIDATORS
    if late:
        return arena_of(_answered(rounds, validators, coin))
    return arena_of(_drawn(rounds, twins, validators, coin, committed, carries))


def arena_of(market: PureMarket) -> Arena:
    shared = (ROLES, market.key, market.request, market.group)
    copied = copy.deepcopy(market, {id(one): one for one in shared})
    copied.__class__ = Arena
    assert isinstance(copied, Arena)
    copied.run_step = dispatch.run_step  # a check that is left out changes what a step comes to
    return copied
