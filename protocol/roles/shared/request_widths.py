"""The slot widths of a training, and whether a request's numbers can overflow."""

from protocol.errors import ProtocolViolation, WidthError
from protocol.learning.widths import Widths
from protocol.marketplace import validator_count
from protocol.messages import TrainingStarted
from protocol.records import FIXED_POINT
from protocol.request import Request
from protocol.roles.engine.refusals import EarlyInput, require
from protocol.roles.engine.state import replace
from protocol.roles.shared.parties import Parties

LARGEST_ROW_COUNT = 1 << 40
CONTRACT_METRIC_BITS = 128


def started_parties(request: Request, parties: Parties, body: TrainingStarted) -> Parties:
    """The parties with their row counts.

    Raises ProtocolViolation where the roles differ from the chain's or the counts do not fit into the widths.
    """
    require(body.trainers == parties.addresses(parties.trainers), "wrong_roles")
    require(body.validators == parties.addresses(parties.validators), "wrong_roles")
    require(sorted(row.owner for row in body.rows) == sorted(parties.seats), "wrong_rows")
    started = replace(parties, rows=body.rows)
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
        weight_bits=request.weight_bits,
        residual_bits=request.residual_bits,
        rows=parties.validator_rows(),
    )


def started_widths(request: Request, parties: Parties) -> Widths:
    """Every slot width; raises EarlyInput until the aggregator has told the row counts.

    A validator may be faster than the aggregator's start.
    """
    if not parties.has_started():
        raise EarlyInput
    return training_widths(request, parties)


def check_widths(request: Request) -> None:
    """Refuse, before anything is sent, a request whose numbers could overflow with the most owners it admits.

    Raises WidthError with the numbers.
    """
    owners = request.owners.maximum
    validators = validator_count(owners)
    _check_contract_bits(request, owners - validators)
    Widths.fit(
        key_bits=request.key_bits,
        parameters=request.parameters,
        trainers=owners - validators,
        validators=validators,
        weight_bits=request.weight_bits,
        residual_bits=request.residual_bits,
        rows=LARGEST_ROW_COUNT,
    )


def _check_contract_bits(request: Request, trainers: int) -> None:
    """|c| < T·2^(2·residual bits)·1e18 must stay below the contract's bound, or no round can be recorded."""
    spare = CONTRACT_METRIC_BITS - FIXED_POINT.bit_length() - trainers.bit_length()
    if 2 * request.residual_bits <= spare:
        return
    if request.bounds.residual_bits is None:
        found = f"this start and schedule may need errors of {request.residual_bits} bits"
        remedy = "ask for fewer rounds or local steps, or smaller weights to start from"
    else:
        found, remedy = f"bounds.residual_bits is {request.residual_bits}", "lower it, or owners.maximum"
    raise WidthError(
        f"{found}; with {trainers} trainers the contract takes errors of {spare // 2} bits: {remedy}"
    )
