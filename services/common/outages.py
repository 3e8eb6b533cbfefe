"""What fails again and again is told once with its cause, then counted, and told once more when it is over.

A broker that is away or a disk that is full is met by every task of a daemon at every attempt: a line for
each would hide what else happens, and fill the disk that the log is on.
"""

import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from services.common.errors import ServiceError

FIRST_INTERVAL_SECONDS, LONGEST_INTERVAL_SECONDS = 60.0, 3600.0
"""Between two lines that count one outage: it doubles from line to line."""

LINES_AT_ONCE = 8
"""Of one outage, for causes that are new and for what fails anew, before its interval is over."""

Failure = TypeVar("Failure", bound=BaseException)


class Log(Protocol):
    """A logger of structlog's."""

    def warning(self, event: str, /, **about: Any) -> Any:
        """A line that somebody should see."""

    def info(self, event: str, /, **about: Any) -> Any:
        """A line for those who look."""


class Outage:
    """The outages of one thing, one after another. What is quiet for an interval begins anew."""

    def __init__(
        self,
        log: Log,
        began: str,
        ended: str,
        *,
        calm_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        **about: Any,
    ) -> None:
        """`began` and `ended` are the events of its lines, `about` what stands in each of them.

        What is tried all the time is over only when it works and has not failed for `calm_seconds`.
        """
        self._log, self._began, self._ended, self._about = log, began, ended, about
        self._calm_seconds, self._clock = calm_seconds, clock
        self._failing: dict[object, float] = {}
        self._ended_at = float("-inf")
        self._is_told = False
        self._start_anew(0.0)

    @property
    def is_on(self) -> bool:
        """Whether something has failed that has not worked since."""
        return bool(self._failing)

    @property
    def attempts(self) -> int:
        """How many attempts have failed in this outage, or in the last one."""
        return self._attempts

    def failed(self, error: Failure, *, part: object = "", reason: str | None = None) -> Failure:
        """Count an attempt that failed; returns the error, which is told from now on.

        `part` is what failed of several that may: the outage is over when all of them work. `reason` takes
        the place of an error's text that may hold a secret. Whoever meets an error that is told already need
        not tell it again: its line is that of another outage.
        """
        now = self._clock()
        if not self._failing and now - self._ended_at >= self._interval:
            self._start_anew(now)
        self._failing[part] = now
        self._attempts += 1
        if isinstance(error, ServiceError):
            if error.told:
                return error
            error.told = True
        self._tell(reason or str(error) or type(error).__name__, now)
        return error

    def works(self, part: object = "") -> None:
        """Something worked, or is not tried any more: costs nothing where it did not fail."""
        if part not in self._failing or self._clock() - self._failing[part] < self._calm_seconds:
            return
        del self._failing[part]
        if self._failing:
            return
        self._ended_at = self._clock()
        if self._is_told:
            self._is_told = False
            self._log.info(self._ended, **self._counted(self._ended_at), **self._about)

    def _start_anew(self, now: float) -> None:
        self._since = self._due_at = now
        self._attempts, self._left = 0, LINES_AT_ONCE
        self._interval = FIRST_INTERVAL_SECONDS
        self._causes: set[str] = set()

    def _tell(self, cause: str, now: float) -> None:
        is_due = now >= self._due_at
        if is_due:
            self._due_at = now + self._interval
            self._interval = min(2 * self._interval, LONGEST_INTERVAL_SECONDS)
        elif self._left and (not self._is_told or cause not in self._causes):
            self._left -= 1
        else:
            return
        self._is_told = True
        self._causes.add(cause)
        counted = self._counted(now) if self._attempts > 1 else {}
        self._log.warning(self._began, reason=cause, **counted, **self._about)

    def _counted(self, now: float) -> dict[str, Any]:
        return {"attempts": self._attempts, "seconds": round(now - self._since)}
