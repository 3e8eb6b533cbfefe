"""What all roles know of a training in the same words: its parties, its chain of rounds, its failure."""

from fractions import Fraction

from protocol.crypto.cipher import PublicKey
from protocol.errors import ProtocolViolation
from protocol.marketplace import Joined, Revealed, RolesDrawn, quorum
from protocol.messages import RowCount
from protocol.request import Request
from protocol.ridge_path import walks_last
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import replace
from protocol.types import Address, Digest, FrozenModel, Seats, mask_of, seats_of


class Parties(FrozenModel):
    """The owners by seat, who revealed its nonce, how the contract drew them, and the rows each says it has.

    With several folds the roles are those of the `fold` that is under way, from 0, `validated` is who
    validated in those before it, and `before` who did in the last one of them.

    `commitments` are what each seat was taken with on the chain, `nonces` those of the seats in
    `revealed`, in seat order. Once the roles are drawn a seat that has none is lost: its owner takes no part.
    """

    seats: tuple[Address, ...] = ()
    commitments: tuple[Digest, ...] = ()
    revealed: Seats = 0
    nonces: tuple[Digest, ...] = ()
    trainers: Seats = 0
    validators: Seats = 0
    rows: tuple[RowCount, ...] = ()
    fold: int = 0
    validated: Seats = 0
    before: Seats = 0

    def with_seat(self, event: Joined) -> "Parties":
        """With the owner that took the next seat; raises ProtocolViolation("seat_out_of_order")."""
        require(event.seat == len(self.seats), "seat_out_of_order")
        commitments = (*self.commitments, event.commitment)
        return replace(self, seats=(*self.seats, event.owner), commitments=commitments)

    def with_reveal(self, event: Revealed) -> "Parties":
        """With an owner that keeps its seat, and its nonce in the place of the seat, whatever came first."""
        if self.revealed >> event.seat & 1:
            return self
        place = (self.revealed & ((1 << event.seat) - 1)).bit_count()
        nonces = (*self.nonces[:place], event.nonce, *self.nonces[place:])
        return replace(self, revealed=self.revealed | 1 << event.seat, nonces=nonces)

    def in_next_fold(self, event: RolesDrawn) -> "Parties":
        """With the roles of the next fold; raises ProtocolViolation("wrong_roles") for other seats' ones."""
        drawn = event.trainers | event.validators
        fits = event.trainers & event.validators == 0 and drawn == self.drawn
        require(fits, "wrong_roles", "the next fold's roles are not those of the drawn seats")
        validated = self.validated | self.validators
        roles = {"trainers": event.trainers, "validators": event.validators}
        before = self.validators
        return replace(self, fold=self.fold + 1, validated=validated, before=before, **roles)

    @property
    def all_revealed(self) -> bool:
        """Whether no owner is left to reveal."""
        return self.revealed == self.all_seats()

    @property
    def drawn(self) -> Seats:
        """The seats that were given a role, as a mask; zero before the draw."""
        return self.trainers | self.validators

    def has_role(self, owner: str) -> bool:
        """Whether an owner with a seat was drawn."""
        return bool(self.drawn >> self.seats.index(owner) & 1)

    def taking_part(self) -> tuple[str, ...]:
        """The owners in seat order, once the roles are drawn without those who lost their seats."""
        return self.addresses(self.drawn) if self.drawn else self.seats

    def addresses(self, mask: int) -> tuple[str, ...]:
        """The owners in a mask, in seat order."""
        return tuple(self.seats[seat] for seat in seats_of(mask))

    def seat_of(self, address: str) -> int:
        """The owner's seat; raises ProtocolViolation("not_a_party")."""
        require(address in self.seats, "not_a_party")
        return self.seats.index(address)

    def mask(self, addresses: tuple[str, ...]) -> int:
        """The seats of these owners as a mask."""
        return mask_of([self.seat_of(address) for address in addresses])

    @property
    def quorum(self) -> int:
        """How many validators a round takes: more than half of the drawn ones, whoever is left out of it."""
        return quorum(self.validators.bit_count())

    def all_seats(self) -> int:
        """Every seat as a mask."""
        return (1 << len(self.seats)) - 1

    def rows_by_owner(self) -> dict[str, int]:
        """Rows by owner."""
        return {count.owner: count.rows for count in self.rows}

    def has_started(self) -> bool:
        """Whether the aggregator has told who has how many rows."""
        return bool(self.rows)


def is_last(request: Request, round_number: int, before: int, after: int, left: int) -> bool:
    """Whether a round with these MSEs (× 1e18) ends the training: the agreed number, or too little gained.

    A round that made the model worse is no sign of convergence, and one before the last λ of a path none of
    what the next λ gains; folds are equally long. Where nothing is
    `left` of the first error, as after a perfect round, nothing can be gained: the contract takes no other.
    """
    if round_number >= request.schedule.rounds or left == 0:
        return True
    if request.schedule.folds > 1:
        return False
    tolerance = Fraction(request.schedule.tolerance)
    if not walks_last(request.model, request.schedule, round_number):
        return False
    return tolerance > 0 and 0 <= before - after < tolerance * before


def model_holders(request: Request, parties: Parties) -> tuple[str, ...]:
    """Whom the buyer may ask for its model: who validates; with folds that is every owner at some time."""
    return parties.addresses(parties.validators if request.schedule.folds == 1 else parties.drawn)


def public_key_of(n: int) -> PublicKey:
    """The training's key, whose proof was verified when it arrived."""
    return PublicKey(n)


def require_sender(sender: str, expected: str) -> None:
    """Raise ProtocolViolation("wrong_sender") unless the one party that may send this did."""
    if sender != expected:
        raise ProtocolViolation("wrong_sender", f"{sender} may not send this")
