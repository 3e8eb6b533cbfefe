"""Errors of the shells around the roles, each with a text for the operator: what happened and what to do."""

from protocol.errors import DeltaMLError


class ServiceError(DeltaMLError):
    """Something outside this process is not as it must be."""


class ConfigurationError(ServiceError):
    """A configuration, a key file or a command's argument cannot be used."""


class DataSetError(ServiceError):
    """A file of rows cannot be used."""


class StoreUnavailable(ServiceError):  # noqa: N818
    """The database does not answer, or cannot write now: what was asked of it may be asked again later.

    A transaction whose commit was not confirmed may have taken place all the same. The database is left alone
    for `rest_seconds`.
    """

    def __init__(self, text: str, rest_seconds: float = 2.0) -> None:
        super().__init__(text)
        self.rest_seconds = rest_seconds


class StoreInUse(ConfigurationError):  # noqa: N818
    """Another process works on this store; trying again changes nothing until that one ends."""


class StoreDamaged(ServiceError):  # noqa: N818
    """The database cannot read its own file: only a backup helps."""
