"""Errors of the shells around the roles, each with a text for the operator: what happened and what to do."""

from typing import Any

from protocol.errors import DeltaMLError


class ServiceError(DeltaMLError):
    """Something outside this process is not as it must be."""


class ConfigurationError(ServiceError):
    """A configuration, a key file or a command's argument cannot be used."""


class DataSetError(ServiceError):
    """A file of rows cannot be used."""


class ChainError(ServiceError):
    """The node cannot be reached or is not the one that was configured; worth another try."""


class CallReverted(ServiceError):  # noqa: N818  the chain's word for it
    """The contract refused a call for good.

    `code` is the custom error's name in snake_case without its prefix, `arguments` its arguments.
    """

    def __init__(self, code: str, arguments: dict[str, Any] | None = None) -> None:
        """`code` in snake_case."""
        details = ", ".join(f"{name}={value}" for name, value in (arguments or {}).items())
        super().__init__(f"the contract refused: {code}({details})")
        self.code = code
        self.arguments = arguments or {}
