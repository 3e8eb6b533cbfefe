"""What participants and brokers send: properties, envelopes, seals, chunks, bodies of every type, events."""

from collections.abc import Iterator
from functools import cache
from types import SimpleNamespace

import msgpack

from protocol.bodies import body_of
from protocol.codec import pack, unpack
from protocol.crypto.proofs.relation import read_proof
from protocol.crypto.proofs.validator import MetricClaim
from protocol.envelope import Envelope, SignedMessage
from protocol.errors import MisuseError, ProtocolViolation
from protocol.messages import MESSAGE_TYPES, ChainEvent, MessageBody, size_limit
from protocol.messages.examples import any_request
from protocol.request_parsing import parse_request
from services.bus.amqp.chunking import Assembler, check_chunk
from services.bus.amqp.message_properties import envelope_fields_of, message_of
from services.bus.port import read_envelope
from services.common.trace_context import context_in
from services.identity.sealing import seal
from tests.fuzz.parser import NoInput, Parser, mapping_of, tree_of
from tests.support.daemons.service_world import MARKET, Person
from tests.support.proofs import ProofWorld

SENDER, RECIPIENT = Person("data_owner"), Person("federated_aggregator")
KIND = "invitation_answer"
REFUSED = (ProtocolViolation, NoInput)


def parsers() -> Iterator[Parser]:
    """Each with valid inputs."""
    fields = SENDER.envelope(RECIPIENT, KIND).model_dump()
    yield Parser("envelope", _envelope, REFUSED, lambda: [msgpack.packb(fields)], "msgpack")
    yield Parser("properties", _properties, REFUSED, lambda: [_example_properties()], "msgpack")
    yield Parser("chunks", _chunks, REFUSED, _example_chunks, "msgpack")
    signed = SENDER.signed(RECIPIENT, MESSAGE_TYPES[KIND].catalogue.example())
    yield Parser("sealed part", _sealed_part, REFUSED, lambda: [signed.sealed_part()], "msgpack")
    sealed = seal(b"content", RECIPIENT.identity.exchange_key)
    yield Parser("seal", RECIPIENT.identity.unseal, REFUSED, lambda: [sealed])
    yield Parser("request", _request, (MisuseError, NoInput), _example_requests, "msgpack")
    yield Parser("proof", _proof, REFUSED, _example_proofs, "msgpack")
    for name, kind in MESSAGE_TYPES.items():
        yield _body_parser(name, kind)
    example = pack(ChainEvent.catalogue.example())
    yield Parser("bus event", _round_trip, REFUSED, lambda: [example], "msgpack")


@cache
def _proof_world() -> ProofWorld:
    return ProofWorld()


def _example_proofs() -> list[bytes]:
    world = _proof_world()
    proof = world.metric_claim(world.owners[0]).proof
    return [msgpack.packb(proof.write(world.key, world.metrics.bounds))]


def _proof(content: bytes) -> None:
    world, blobs = _proof_world(), tree_of(content)
    if not isinstance(blobs, list):
        raise NoInput
    claim = MetricClaim(
        world.owners[0].address,
        world.owners[0].commitments,
        world.metrics.metric(world.owners[0].gram, world.owners[0].commitments.base, world.stream)[0],
        read_proof(world.key, world.metrics.bounds, 2, blobs),
    )
    world.metrics.require(claim)
    assert world.metrics.unproven([claim]) == [world.owners[0].address]


def _envelope(content: bytes) -> None:
    envelope = read_envelope(mapping_of(content))
    assert read_envelope(envelope.model_dump()) == envelope


def _example_properties() -> bytes:
    message = message_of(SENDER.envelope(RECIPIENT, KIND), b"", user=None, headers={"part": 0, "parts": 2})
    names = ("message_id", "type", "correlation_id")
    properties = {name: getattr(message, name) for name in names}
    headers = {**message.headers, "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}
    return bytes(msgpack.packb({**properties, "headers": headers}))


def _properties(content: bytes) -> None:
    given = mapping_of(content)
    for name in ("message_id", "type", "correlation_id"):  # AMQP itself knows no other kind of value
        if not isinstance(given.setdefault(name, None), str | None):
            raise NoInput
    if not isinstance(given.get("headers"), dict):
        raise NoInput
    message = SimpleNamespace(**given)
    context_in(message.headers)
    fields = envelope_fields_of(message)  # type: ignore[arg-type]
    size_limit(str(fields.get("type")))
    read_envelope(fields)
    check_chunk(message.headers.get("part"), message.headers.get("parts"), b"", 64 << 20)


def _example_chunks() -> list[bytes]:
    return [msgpack.packb([["a", "m", number, 3, b"x"] for number in range(3)])]


def _chunks(content: bytes) -> None:
    assembler: Assembler[int] = Assembler(4096)
    rows = tree_of(content)
    if not isinstance(rows, list):
        raise NoInput
    for handle, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != 5 or not isinstance(row[4], bytes):
            raise NoInput
        peer, message_id, number, total, body = row
        number, total = check_chunk(number, total, body, 64 << 20)
        assembler.add(str(peer), str(message_id), number, total, body, handle)
    assert assembler.held <= len(rows)


def _sealed_part(content: bytes) -> None:
    SignedMessage.from_parts(SENDER.envelope(RECIPIENT, KIND), content).verify(MARKET)


def _example_requests() -> list[bytes]:
    return [msgpack.packb(any_request().model_dump(mode="json"))]


def _request(content: bytes) -> None:
    request = parse_request(mapping_of(content))
    assert parse_request(request.model_dump(mode="json")) == request


def _body_parser(name: str, kind: type[MessageBody]) -> Parser:
    envelopes: list[Envelope] = [
        SENDER.envelope(RECIPIENT, name),
        SENDER.envelope(RECIPIENT, name, version=_later(SENDER.envelope(RECIPIENT, name).version)),
    ]

    def run(content: bytes) -> None:
        for envelope in envelopes:
            body = body_of(SignedMessage(envelope=envelope, body=content, signature=b"\1" * 65), kind)
            assert unpack(kind, pack(body)) == body

    return Parser(f"body {name}", run, REFUSED, lambda: [pack(kind.catalogue.example())], "msgpack")


def _later(version: str) -> str:
    return f"{version.partition('.')[0]}.17"


def _round_trip(content: bytes) -> None:
    event = unpack(ChainEvent, content)
    assert unpack(ChainEvent, pack(event)) == event
