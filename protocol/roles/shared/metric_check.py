"""What buyer, validators and aggregator each work out for themselves from the signed metrics of a round.

They all form the same product of ciphertexts, check the same opening and build the same record, so that
nobody needs to be believed: the aggregator only relays.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gmpy2 import mpz

from protocol.bodies import body_of
from protocol.crypto.cipher import Opening, PublicKey, verify_openings
from protocol.envelope import SignedMessage
from protocol.learning.metric import combine, decode_metrics
from protocol.learning.shapley import mse_after_fixed
from protocol.learning.widths import Widths
from protocol.messages import EncryptedMetric, UpdateDigest
from protocol.records import METRIC_BOUND, Market, RoundRecord
from protocol.request import Request
from protocol.roles.engine.context import Context
from protocol.roles.engine.refusals import require
from protocol.roles.shared.parties import Parties, is_last
from protocol.roles.shared.transcript import TranscriptHead
from protocol.types import digest_of


@dataclass(frozen=True, slots=True)
class CheckedMetrics:
    """The agreed facts of one evaluation attempt and the product of its ciphertexts."""

    training: int
    round: int
    attempt: int
    trainers: int
    validators: int
    rows: int
    measure_start: bool
    start_digest: bytes
    updates: tuple[UpdateDigest, ...]
    refreshed_digest: bytes
    transcript: bytes
    products: tuple[mpz, ...]


def check_metrics(
    relayed: Sequence[SignedMessage],
    *,
    market: Market,
    training: int,
    round_number: int,
    attempt: int,
    parties: Parties,
    widths: Widths,
    key: PublicKey,
    link: TranscriptHead,
) -> CheckedMetrics:
    """The signed metrics of one attempt, checked against each other and against the chain of rounds.

    More than half of the drawn validators, each once, in seat order, all naming the same start, updates and
    refreshed model. Raises ProtocolViolation naming the rule that is broken.
    """
    named = training, round_number, attempt
    bodies = [_metric(message, market, named) for message in relayed]
    validators = parties.mask(tuple(message.envelope.sender for message in relayed))
    seats = [parties.seat_of(message.envelope.sender) for message in relayed]
    require(seats == sorted(set(seats)), "metrics_out_of_order")
    require(validators & ~parties.validators == 0, "not_a_validator")
    least = parties.quorum
    require(len(bodies) >= least, "too_few_validators", f"{len(bodies)} metrics; at least {least}")
    first = bodies[0]
    _check_link(first, round_number, validators, link)
    trainers = _check_updates(first.updates, parties)
    for message, body in zip(relayed, bodies, strict=True):
        require(_facts(body) == _facts(first), "validators_disagree", f"{message.envelope.sender} differs")
    vectors = [
        read_values(body, message.envelope.sender, parties=parties, widths=widths, key=key)
        for message, body in zip(relayed, bodies, strict=True)
    ]
    count = widths.metric_count(trainers.bit_count(), start=first.measure_start)
    return CheckedMetrics(
        training=training,
        round=round_number,
        attempt=attempt,
        trainers=trainers,
        validators=validators,
        rows=sum(body.rows for body in bodies),
        measure_start=first.measure_start,
        start_digest=first.start_digest,
        updates=first.updates,
        refreshed_digest=first.refreshed_digest,
        transcript=digest_of(link.transcript, *(message.digest() for message in relayed)),
        products=tuple(combine(key, vectors, count, widths)),
    )


def read_values(
    body: EncryptedMetric, sender: str, *, parties: Parties, widths: Widths, key: PublicKey
) -> list[mpz]:
    """The checked ciphertexts of one validator's metric; its weight is the row count that it announced."""
    announced = parties.rows_by_owner().get(sender)
    require(body.rows == announced, "wrong_row_count", f"{body.rows} rows, {announced} announced")
    count = widths.metric_count(len(body.updates), start=body.measure_start)
    return body.values.read(
        key,
        scale=widths.metric_scale,
        count=count,
        slot_bits=widths.opening.slot_bits,
        ciphertexts=widths.opening.plaintexts(count),
    )


def check_openings(
    key: PublicKey,
    products: Sequence[mpz],
    plaintexts: Sequence[int],
    roots: Sequence[int],
    context: Context,
) -> None:
    """Raise ProtocolViolation("bad_opening") unless every product opens as shown."""
    require(len(products) == len(plaintexts) == len(roots), "bad_opening", "wrong number of openings")
    openings = [Opening(mpz(m), mpz(root)) for m, root in zip(plaintexts, roots, strict=True)]
    fits = verify_openings(key, products, openings, context.randomness("openings"))
    require(fits, "bad_opening", "an opening does not fit its ciphertext")


def build_record(
    checked: CheckedMetrics,
    plaintexts: Sequence[int],
    *,
    request: Request,
    widths: Widths,
    link: TranscriptHead,
) -> RoundRecord | None:
    """The record that follows from the opened plaintexts, or None if they are implausible.

    Implausible: a bit above the last slot or a slot out of its range; publishing those would open a channel
    of hundreds of bits. So is what the contract would refuse.
    """
    metrics = decode_metrics(
        plaintexts,
        widths=widths,
        trainers=checked.trainers.bit_count(),
        rows=checked.rows,
        start=checked.measure_start,
    )
    if metrics is None:
        return None
    before = link.mse_after if metrics.start is None else metrics.start
    after = mse_after_fixed(metrics.cross, len(metrics.own))
    if before <= 0 or after < 0 or min(metrics.own) < 0:
        return None
    left = link.left_after(before, after)
    if max(before, left, *metrics.own, *map(abs, metrics.cross)) >= METRIC_BOUND:
        return None
    return RoundRecord(
        training=checked.training,
        round=checked.round,
        last=is_last(request, checked.round, before, after, left),
        trainers=checked.trainers,
        validators=checked.validators,
        mse_before=before,
        own=tuple(metrics.own),
        cross=tuple(metrics.cross),
        model_digest=checked.refreshed_digest,
        delivered_digest=link.delivered_after(checked.refreshed_digest, left, request.schedule),
        transcript_digest=checked.transcript,
    )


def _metric(message: SignedMessage, market: Market, named: tuple[int, int, int]) -> EncryptedMetric:
    envelope = message.envelope
    require(envelope.type == "encrypted_metric", "wrong_evidence", envelope.type)
    place = (envelope.training, envelope.round, envelope.attempt)
    require(place == named, "wrong_evidence", "of another round or attempt")
    message.verify(market)
    return body_of(message, EncryptedMetric)


def _facts(body: EncryptedMetric) -> tuple[object, ...]:
    return (body.measure_start, body.start_digest, body.updates, body.refreshed_digest)


def _check_link(body: EncryptedMetric, round_number: int, validators: int, link: TranscriptHead) -> None:
    require(round_number == link.round + 1, "round_out_of_order", f"round {round_number} after {link.round}")
    require(body.measure_start == link.measures_start(validators), "wrong_start_measurement")
    require(not link.names(body.refreshed_digest), "model_of_an_earlier_round")


def _check_updates(updates: tuple[UpdateDigest, ...], parties: Parties) -> int:
    seats = [parties.seat_of(update.trainer) for update in updates]
    require(seats == sorted(set(seats)), "updates_out_of_order")
    trainers = parties.mask(tuple(update.trainer for update in updates))
    require(trainers & ~parties.trainers == 0, "not_a_trainer")
    return trainers
