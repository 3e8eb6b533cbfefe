"""JSON Schemas of what is inside the messages, and values in the form that these schemas describe.

The bus carries msgpack, which has byte strings; JSON has none, so they are shown as hexadecimal text here.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgpack  # type: ignore[import-untyped]
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import to_jsonable_python
from typing_extensions import override

from protocol.codec import pack

_HEXADECIMAL = "^([0-9a-f]{2})*$"
_BOUNDS = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}", "lt": "less than {}"}


class _WireSchema(GenerateJsonSchema):
    """Every field is there on the wire, with a default too, unless a serializer or field leaves it out."""

    _leaves_defaults_out = False

    @override
    def model_schema(self, schema: Any) -> JsonSchemaValue:
        outer = self._leaves_defaults_out
        self._leaves_defaults_out = schema.get("serialization", {}).get("type") == "function-wrap"
        try:
            return super().model_schema(schema)
        finally:
            self._leaves_defaults_out = outer

    @override
    def ser_schema(self, schema: Any) -> JsonSchemaValue | None:
        """A serializer that wraps a model's own chooses among its fields."""
        return None if schema["type"] == "function-wrap" else super().ser_schema(schema)

    @override
    def field_is_required(self, field: Any, total: bool) -> bool:
        if field.get("serialization_exclude_if") is not None:
            return False
        return not self._leaves_defaults_out or field["schema"]["type"] != "default"


def schemas_of(kinds: Iterable[type[BaseModel]]) -> dict[str, Any]:
    """JSON Schema (draft 7) by name of type, for these types on the wire and all that they refer to."""
    wanted = [(kind, "serialization") for kind in kinds]
    _, document = models_json_schema(
        wanted,  # type: ignore[arg-type]
        schema_generator=_WireSchema,
        ref_template="#/components/schemas/{model}",
    )
    schemas: dict[str, Any] = _plain(document["$defs"])
    return schemas


def wire_value(value: BaseModel) -> dict[str, Any]:
    """What `value` is on the wire, with byte strings as hexadecimal text."""
    plain: dict[str, Any] = to_jsonable_python(msgpack.unpackb(pack(value)), bytes_mode="hex")
    return plain


def _plain(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    if schema.get("format") == "binary":
        return _byte_string(schema)
    plain = {
        name: _plain(value)
        for name, value in schema.items()
        if not (name == "title" and isinstance(value, str))
    }
    if isinstance(plain.get("discriminator"), dict):
        plain["discriminator"] = plain["discriminator"]["propertyName"]
    return plain


def _byte_string(schema: Mapping[str, Any]) -> dict[str, Any]:
    shown = {"type": "string", "contentEncoding": "base16", "pattern": _HEXADECIMAL}
    shown |= {name: 2 * schema[name] for name in ("minLength", "maxLength") if name in schema}
    bounds = [text.format(schema[name]) for name, text in _BOUNDS.items() if name in schema]
    words = [schema["description"]] if "description" in schema else []
    if bounds:
        words.append(f"An integer, {' and '.join(bounds)}, in two's complement, big-endian.")
    return {**shown, "description": " ".join(words)} if words else shown
