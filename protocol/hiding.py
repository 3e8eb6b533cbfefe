"""Named tuples without what is not to be shown: in a log, a failed assertion, an error's frames."""

from typing import Any


def without(value: Any, *names: str) -> str:
    """The repr of a named tuple without these fields, as that of a dataclass with `field(repr=False)`."""
    kept = (f"{name}={getattr(value, name)!r}" for name in value._fields if name not in names)
    return f"{type(value).__name__}({', '.join(kept)})"
