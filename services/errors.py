"""Errors of the shells around the roles, each with a text for the operator: what happened and what to do."""

from protocol.errors import DeltaMLError


class ServiceError(DeltaMLError):
    """Something outside this process is not as it must be."""


class ConfigurationError(ServiceError):
    """A configuration, a key file or a command's argument cannot be used."""


class DataSetError(ServiceError):
    """A file of rows cannot be used."""
