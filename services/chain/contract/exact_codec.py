"""eth-abi's codec, but exact: too few bytes for a `bytes32` are an error, and not filled up with zeros."""

from typing import Any

from eth_abi import registry as abi_types
from eth_abi.codec import ABICodec
from eth_abi.decoding import BytesDecoder
from eth_abi.encoding import BytesEncoder
from typing_extensions import override

_LABEL = "bytes<M>"
"""Under which eth-abi's registry has the types of so many bytes."""


class _ExactBytesEncoder(BytesEncoder):
    """Bytes of the type's own length alone: a digest that was cut would be one that nobody made."""

    @override
    def validate_value(self, value: Any) -> None:
        super().validate_value(value)  # type: ignore[no-untyped-call]
        due = (self.value_bit_size or 0) // 8
        if len(value) != due:
            self.invalidate_value(value, msg=f"{len(value)} bytes; bytes{due} has {due}")


def exact_codec() -> ABICodec:
    """The codec with all of eth-abi's types. It raises eth_abi.exceptions.EncodingError and DecodingError."""
    types: Any = abi_types.registry.copy()  # type: ignore[no-untyped-call]
    types.unregister(_LABEL)
    of_bytes: Any = abi_types.BaseEquals
    types.register(of_bytes("bytes", with_sub=True), _ExactBytesEncoder, BytesDecoder, label=_LABEL)
    return ABICodec(types)
