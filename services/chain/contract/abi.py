"""The contract's ABI as data: selectors, topics and types, from the artifact that ships with the package."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from eth_hash.auto import keccak

ERROR_PREFIX = "Marketplace_"


@dataclass(frozen=True, slots=True)
class Layout:
    """A function or an error: its name and how its arguments and results are laid out."""

    name: str
    selector: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def encode(self, *arguments: Any) -> bytes:
        """Call data: the selector and the arguments."""
        from eth_abi.abi import encode  # noqa: PLC0415  its grammar takes half a second to build

        return self.selector + encode(self.inputs, arguments)

    def decode_outputs(self, data: bytes) -> tuple[Any, ...]:
        """A view's results in order; addresses in lower case."""
        return _decode(self.outputs, data)

    def decode_inputs(self, data: bytes) -> tuple[Any, ...]:
        """Arguments from the bytes after the selector."""
        return _decode(self.inputs, data)


@dataclass(frozen=True, slots=True)
class EventLayout:
    """An event: its topic, and which of its named fields are indexed."""

    name: str
    topic: bytes
    indexed: tuple[tuple[str, str], ...]
    plain: tuple[tuple[str, str], ...]

    def decode(self, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        """Every field by name."""
        values = dict(zip((name for name, _ in self.plain), _decode(_types(self.plain), data), strict=True))
        for (name, kind), topic in zip(self.indexed, topics[1:], strict=True):
            (values[name],) = _decode((kind,), topic)
        return values


@dataclass(frozen=True, slots=True)
class Interface:
    """Functions and errors of the contract, events by topic, and the code that creates it."""

    functions: Mapping[str, Layout]
    errors: Mapping[bytes, Layout]
    events: Mapping[bytes, EventLayout]
    creation_code: bytes


@cache
def marketplace_interface() -> Interface:
    """The interface from services/chain/artifacts/Marketplace.json."""
    text = files("services.chain").joinpath("artifacts/Marketplace.json").read_text(encoding="utf-8")
    artifact = json.loads(text)
    entries = artifact["abi"]
    code = artifact["bytecode"]
    return Interface(
        functions={entry["name"]: _callable(entry) for entry in entries if entry["type"] == "function"},
        errors={(error := _callable(entry)).selector: error for entry in entries if entry["type"] == "error"},
        events={(event := _event(entry)).topic: event for entry in entries if entry["type"] == "event"},
        creation_code=bytes.fromhex((code["object"] if isinstance(code, dict) else code).removeprefix("0x")),
    )


def snake_case(name: str) -> str:
    """`Marketplace_WrongStatus` → `wrong_status`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.removeprefix(ERROR_PREFIX)).lower()


def decode_revert(data: bytes) -> tuple[str, tuple[Any, ...]]:
    """The code and arguments of revert data; "reverted" for what is none of the contract's errors."""
    error = marketplace_interface().errors.get(data[:4])
    if error is None:
        return "reverted", (_reason(data),) if data else ()
    return snake_case(error.name), error.decode_inputs(data[4:])


def _reason(data: bytes) -> str:
    if data[:4] == keccak(b"Error(string)")[:4]:
        return str(_decode(("string",), data[4:])[0])
    return "0x" + data.hex()


def _callable(entry: Mapping[str, Any]) -> Layout:
    inputs = tuple(map(_type, entry["inputs"]))
    selector = keccak(f"{entry['name']}({','.join(inputs)})".encode())[:4]
    return Layout(entry["name"], selector, inputs, tuple(map(_type, entry.get("outputs", ()))))


def _event(entry: Mapping[str, Any]) -> EventLayout:
    fields = [(field["name"], _type(field), field["indexed"]) for field in entry["inputs"]]
    topic = keccak(f"{entry['name']}({','.join(kind for _, kind, _ in fields)})".encode())
    return EventLayout(
        entry["name"],
        topic,
        tuple((name, kind) for name, kind, indexed in fields if indexed),
        tuple((name, kind) for name, kind, indexed in fields if not indexed),
    )


def _type(field: Mapping[str, Any]) -> str:
    """The canonical type: a struct is the tuple of its members' types."""
    kind = str(field["type"])
    if kind.startswith("tuple"):
        return f"({','.join(map(_type, field['components']))}){kind[5:]}"
    return kind


def _types(fields: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(kind for _, kind in fields)


def _decode(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    from eth_abi.abi import decode  # noqa: PLC0415

    return tuple(decode(types, data))
