"""Errors of the shells around the roles, each with a text for the operator: what happened and what to do.

DeltaMLError                    protocol/errors.py draws the protocol's own part of the tree
└── ServiceError                something outside this process is not as it must be
    ├── ConfigurationError      a configuration, a key file or an argument: a person has to mend it
    │   ├── StoreInUse          another process works on this store
    │   └── WrongChecksum       services/common/addresses.py
    ├── DataSetError            a file of rows cannot be used
    │   └── RevealingColumns    its card would show words of single rows
    ├── OutputFailed            standard output cannot be written
    ├── OrderUnanswered         the own daemon has not answered an order
    ├── StoreUnavailable        the database does not answer: ask again
    ├── StoreDamaged            the database cannot read its own file: only a backup helps
    ├── BusError                services/bus/port.py
    │   ├── Unroutable          no queue takes the message
    │   ├── BusUnavailable      the broker did not confirm: publish again
    │   │   └── QueueFull       the recipient reads too little
    │   └── BusRefused          the broker does not let this user do that
    └── ChainError              services/chain/errors.py
        ├── ChainUnavailable    the node gave no answer: ask again
        │   └── NodeOverloaded  it did not manage the request: ask for less
        ├── RpcError            the node refused a request
        ├── CallReverted        the contract refuses a call in its present state
        ├── InsufficientFunds   the account cannot pay for value and gas
        ├── WrongChain          the node serves another chain, or no contract where ours should be
        └── DeepReorganisation  the chain was rewritten further back than is remembered
"""

from collections.abc import Sequence

from protocol.errors import DeltaMLError


class ServiceError(DeltaMLError):
    """Something outside this process is not as it must be."""

    told: bool = False
    """Whether the log has it, or counts it, as part of an outage (services/common/outages.py)."""


class ConfigurationError(ServiceError):
    """A configuration, a key file or a command's argument cannot be used."""


class DataSetError(ServiceError):
    """A file of rows cannot be used."""


class RevealingColumns(DataSetError):  # noqa: N818
    """Words that describe single rows, on a card that would be shown to buyers."""

    def __init__(self, data_set: str, columns: Sequence[str]) -> None:
        """`columns` are those that nobody has named as ones that everybody may read."""
        self.columns = tuple(columns)
        named = " ".join(f"--publish {name}" for name in columns)
        super().__init__(
            f"most words of {', '.join(map(repr, columns))} describe single rows of {data_set!r}, as names "
            "and notes do, and a listed card shows every word to buyers. Leave such a column out "
            "(--columns), keep the card to yourself (--unlisted), or, where everybody may read the words: "
            f"{named}"
        )


class UnusableColumn(DataSetError):  # noqa: N818
    """One column of a file cannot be used; the others may."""


class OutputFailed(ServiceError):  # noqa: N818
    """Standard output cannot be written, for the given reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"standard output cannot be written ({reason}): what arrived there is not complete; what the "
            "command did before stands"
        )


class OrderUnanswered(ServiceError):  # noqa: N818
    """The daemon has not answered an order in so many seconds; it may still carry it out."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the daemon has not answered in {seconds:g} seconds: the order waits on its queue until the "
            "daemon takes it; `deltaml health` tells whether it runs, --wait waits longer"
        )


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
