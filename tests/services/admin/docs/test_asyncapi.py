"""The AsyncAPI document is current, valid, and says what the bus does."""

import json
from pathlib import Path

import msgpack
import pytest
import yaml
from jsonschema import Draft7Validator

from contracts.build import FOLDER, install
from protocol.codec import pack
from protocol.messages import MESSAGE_TYPES
from services.admin.docs.asyncapi import asyncapi_document, asyncapi_text, summary_of
from services.admin.docs.message_schemas import wire_value
from services.bus.amqp.message_properties import message_of
from services.bus.broker.topology import ParticipantPlace, Places, topology_of
from tests.protocol.test_messages import SAMPLES
from tests.support.broker.bus_messages import outgoing
from tests.support.daemons.command_line import run

COMMITTED = Path(__file__).parents[4] / "protocol" / "asyncapi.yaml"
DOCUMENT = asyncapi_document()
EXAMPLES = [kind.catalogue.example() for kind in MESSAGE_TYPES.values()]
ADDRESS = "0x" + "a1" * 20


def validator(name):
    """Checks a value against a schema of the document."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return Draft7Validator(schema)


def test_the_committed_document_is_current():
    assert COMMITTED.read_text(encoding="utf-8") == asyncapi_text(), "run `make docs`"
    assert run("admin", "messages").stdout == asyncapi_text()


def test_the_document_is_valid_by_the_official_schema():
    install()
    schemas = FOLDER / "node_modules" / "@asyncapi" / "specs" / "schemas"
    official = json.loads((schemas / "3.0.0-without-$id.json").read_text())
    found = yaml.safe_load(COMMITTED.read_text(encoding="utf-8"))
    assert [error.message for error in Draft7Validator(official).iter_errors(found)] == []


def test_every_reference_leads_somewhere():
    def references(value):
        if isinstance(value, dict):
            if set(value) == {"$ref"}:
                yield value["$ref"]
            for inner in value.values():
                yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    found = set(references(DOCUMENT))
    assert found
    for reference in found:
        place = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            assert part in place, reference
            place = place[part]


def test_every_schema_is_one():
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)


@pytest.mark.parametrize("sample", [*SAMPLES, *EXAMPLES], ids=lambda sample: sample.type)
def test_a_message_off_the_wire_is_valid_and_a_damaged_one_is_not(sample):
    check = validator(type(sample).__name__)
    value = wire_value(sample)
    assert [error.message for error in check.iter_errors(value)] == []
    assert not check.is_valid({**value, "unheard": 1})
    for name in value:
        assert not check.is_valid({key: inner for key, inner in value.items() if key != name}), name


def test_byte_strings_are_shown_as_hexadecimal_text_and_nothing_else_changes():
    sample = MESSAGE_TYPES["model_received"].catalogue.example()
    assert wire_value(sample) == {"type": "model_received", "digest": sample.digest.hex()}
    assert msgpack.unpackb(pack(sample))["digest"] == sample.digest


@pytest.mark.parametrize("name", MESSAGE_TYPES)
def test_every_message_says_what_it_is_who_sends_it_and_when(name):
    message = DOCUMENT["components"]["messages"][name]
    assert message["summary"]
    assert "→" not in summary_of(MESSAGE_TYPES[name])
    assert message["description"].endswith(".")
    routes = {(route["sender"], route["recipient"]) for route in message.get("x-routes", [])}
    assert routes == set(MESSAGE_TYPES[name].catalogue.routes)
    assert message["examples"]


def test_headers_and_encoding_are_those_on_the_bus():
    sent = message_of(outgoing("data_owner", ADDRESS, ADDRESS).envelope, b"sealed", user=None)
    check = validator("Headers")
    assert [error.message for error in check.iter_errors(dict(sent.headers))] == []
    message = DOCUMENT["components"]["messages"]["model_request"]
    assert message["bindings"]["amqp"]["contentEncoding"] == sent.content_encoding
    assert DOCUMENT["defaultContentType"] == sent.content_type


def test_channels_are_what_an_administrator_provisions():
    places = [{"role": role, "address": ADDRESS} for role in ("model_buyer", "data_owner")]
    places.append({"role": "federated_aggregator", "address": ADDRESS})
    topology = topology_of(Places(participants=tuple(ParticipantPlace(**one) for one in places)))
    channels = DOCUMENT["channels"].values()
    bindings = [one["bindings"]["amqp"] for one in channels]
    queues = {one["queue"]["name"].format(address=ADDRESS) for one in bindings if one["is"] == "queue"}
    assert queues == set(topology.queues)
    exchanges = {one["exchange"]["name"] for one in bindings if one["is"] == "routingKey"}
    assert exchanges < set(topology.exchanges)


def test_what_answers_a_message_comes_back_to_its_sender():
    operation = DOCUMENT["operations"]["federated_aggregator_sends_metric_opening_request_to_model_buyer"]
    answers = [one["$ref"].rsplit("/", 1)[1] for one in operation["reply"]["messages"]]
    assert answers == ["opening", "opening_refused"]
    assert operation["reply"]["channel"] == {"$ref": "#/channels/to_federated_aggregator"}
