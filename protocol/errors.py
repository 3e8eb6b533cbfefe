"""One hierarchy of errors, so that a caller always knows whose fault it was.

DeltaMLError
├── MisuseError         we asked for something impossible: nothing was done, change the request
│   ├── UnusableValue   a row has a value that the columns of a model do not map
│   └── WidthError      a number would not fit in the plaintext: refused before anything overflows
├── ProtocolViolation   a peer sent something it must not: its message is dropped, our state is unchanged
├── TrainingFailure     a training cannot go on; carries the code that everybody is told
└── ServiceError        something around the roles fails: services/common/errors.py draws that part
"""


class DeltaMLError(Exception):
    """Base of everything this product raises on purpose."""


class MisuseError(DeltaMLError, ValueError):
    """A value from our own side is out of its bound; the text names the value, the bound and the remedy."""


class WidthError(MisuseError):
    """The widths that a request implies do not fit in one plaintext of its key."""


class UnusableValue(MisuseError):  # noqa: N818
    """A row has a value that a model's columns do not map; `row` counts from 0, `reason` does not tell it."""

    def __init__(self, column: str, row: int, reason: str) -> None:
        """`reason` is what the value is, as in "has no value"."""
        super().__init__(f"row {row + 1}: column {column!r} {reason}")
        self.column = column
        self.row = row
        self.reason = reason


class ProtocolViolation(DeltaMLError):  # noqa: N818  the field's name for it
    """A peer broke the protocol.

    `code` is a stable snake_case name of the rule; `detail` holds public values only, since both are logged
    and travel in dead-letter headers and complaints.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        """`code` names the broken rule in snake_case."""
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail

    def __reduce__(self) -> tuple[type["ProtocolViolation"], tuple[str, str]]:
        """Survive the trip out of a worker process."""
        return type(self), (self.code, self.detail)


class TrainingFailure(DeltaMLError):  # noqa: N818
    """A training ends without a further round; `code` is the public reason, `fault` an address or None."""

    def __init__(self, code: str, fault: str | None = None) -> None:
        """`code` is the public reason in snake_case."""
        super().__init__(code)
        self.code = code
        self.fault = fault

    def __reduce__(self) -> tuple[type["TrainingFailure"], tuple[str, str | None]]:
        """Survive the trip out of a worker process."""
        return type(self), (self.code, self.fault)
