"""What all roles know of a training in the same words: its parties, its chain of rounds, its failure."""

from fractions import Fraction

from protocol.crypto.paillier import PublicKey
from protocol.errors import ProtocolViolation, WidthError
from protocol.learning.shapley import mse_after_fixed
from protocol.learning.widths import Widths
from protocol.messages import RowCount, TrainingStarted
from protocol.records import FIXED_POINT, RoundRecord
from protocol.request import Request
from protocol.roles.engine.machine import changed, require
from protocol.types import Address, BigInteger, Digest, FrozenModel, RoundNumber, Seats, mask_of, seats_of

LARGEST_ROW_COUNT = 1 << 40
CONTRACT_METRIC_BITS = 128


class Parties(FrozenModel):
    """The owners by seat, how the contract drew them, and how many rows each says it has."""

    seats: tuple[Address, ...] = ()
    trainers: Seats = 0
    validators: Seats = 0
    rows: tuple[RowCount, ...] = ()

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

    def validator_rows(self) -> int:
        """Rows of all drawn validators together: the opening's slots are sized for them."""
        held = dict(self.rows_by_owner())
        return sum(held.get(address, 0) for address in self.addresses(self.validators))

    def rows_by_owner(self) -> dict[str, int]:
        """Rows by owner."""
        return {count.owner: count.rows for count in self.rows}

    def has_started(self) -> bool:
        """Whether the aggregator has told who has how many rows."""
        return bool(self.rows)


class Link(FrozenModel):
    """Where the chain of opened rounds stands: the next record continues it."""

    round: RoundNumber = 0
    mse_after: BigInteger = 0
    best: BigInteger = 0
    validators: Seats = 0
    model_digest: Digest
    transcript: Digest

    def next(self, record: RoundRecord) -> "Link":
        """The chain after `record`."""
        after = mse_after_fixed(record.cross, len(record.own))
        return Link(
            round=record.round,
            mse_after=after,
            best=min(self.best, after) if self.round else min(record.mse_before, after),
            validators=record.validators,
            model_digest=record.model_digest,
            transcript=record.transcript_digest,
        )

    def measures_start(self, validators: int) -> bool:
        """Whether the next round measures the model it starts from.

        Only in the first round and for a new set of validators: otherwise v₀ is already public, and whoever
        can predict an opened number can hide another one in it.
        """
        return self.round == 0 or validators != self.validators


def started_parties(request: Request, parties: Parties, body: TrainingStarted) -> Parties:
    """The parties with their row counts.

    Raises ProtocolViolation where the roles differ from the chain's or the counts do not fit into the widths.
    """
    require(body.trainers == parties.addresses(parties.trainers), "wrong_roles")
    require(body.validators == parties.addresses(parties.validators), "wrong_roles")
    require(sorted(row.owner for row in body.rows) == sorted(parties.seats), "wrong_rows")
    started = changed(parties, rows=body.rows)
    try:
        training_widths(request, started)
    except WidthError as error:
        raise ProtocolViolation("widths_do_not_fit", str(error)) from None
    return started


def training_widths(request: Request, parties: Parties) -> Widths:
    """Every slot width of a running training, from its request and the drawn parties."""
    return Widths.fit(
        key_bits=request.key_bits,
        parameters=request.parameters,
        trainers=parties.trainers.bit_count(),
        validators=parties.validators.bit_count(),
        weight_bits=request.bounds.weight_bits,
        residual_bits=request.bounds.residual_bits,
        rows=parties.validator_rows(),
    )


def check_widths(request: Request) -> None:
    """Refuse, before anything is sent, a request whose numbers could overflow with the most owners it admits.

    Raises WidthError with the numbers.
    """
    owners = request.owners.maximum
    validators = validator_count(owners)
    _check_contract_bits(request.bounds.residual_bits, owners - validators)
    Widths.fit(
        key_bits=request.key_bits,
        parameters=request.parameters,
        trainers=owners - validators,
        validators=validators,
        weight_bits=request.bounds.weight_bits,
        residual_bits=request.bounds.residual_bits,
        rows=LARGEST_ROW_COUNT,
    )


def _check_contract_bits(residual_bits: int, trainers: int) -> None:
    """|c| < T·2^(2·residual bits)·1e18 must stay below the contract's bound, or no round can be recorded."""
    spare = CONTRACT_METRIC_BITS - FIXED_POINT.bit_length() - trainers.bit_length()
    if 2 * residual_bits > spare:
        raise WidthError(
            f"bounds.residual_bits is {residual_bits}; with {trainers} trainers the contract takes errors "
            f"of {spare // 2} bits: lower it, or owners.maximum"
        )


def validator_count(owners: int) -> int:
    """How many of n owners the contract draws as validators: max(2, 0.3·n rounded half up)."""
    return max(2, (3 * owners + 5) // 10)


def is_last(request: Request, round_number: int, before: int, after: int) -> bool:
    """Whether a round with these MSEs (× 1e18) ends the training: the agreed number, or too little gained."""
    if round_number >= request.schedule.rounds:
        return True
    tolerance = Fraction(request.schedule.tolerance)
    return tolerance > 0 and before - after < tolerance * before


def public_key_of(n: int) -> PublicKey:
    """The training's key, whose proof was verified when it arrived."""
    return PublicKey(n)


def require_sender(sender: str, expected: str) -> None:
    """Raise ProtocolViolation("wrong_sender") unless the one party that may send this did."""
    if sender != expected:
        raise ProtocolViolation("wrong_sender", f"{sender} may not send this")
