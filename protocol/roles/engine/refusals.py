"""The three ways in which a handler says no; each leaves the state as it was.

ProtocolViolation   a peer broke a rule: the message is dead-lettered and names its sender
StaleInput          the input came too late, which is nobody's fault: it is noted
EarlyInput          the input came too early: it is held and offered again after every change
"""

from protocol.errors import ProtocolViolation


class StaleInput(Exception):  # noqa: N818  a signal, not an error
    """The input's time is over, which is nobody's fault: note it."""


class EarlyInput(Exception):  # noqa: N818  a signal, not an error
    """The input is allowed later: hold it."""


def require(holds: bool, code: str, detail: str = "") -> None:
    """Raise ProtocolViolation(code) unless the peer kept the rule."""
    if not holds:
        raise ProtocolViolation(code, detail)
