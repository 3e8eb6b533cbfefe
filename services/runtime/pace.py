"""How long a daemon waits before it looks, or tries, again."""

from dataclasses import dataclass

from services.common.tasks import IDLE_SECONDS


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds; a test's daemon is less patient."""

    retry: float = 1.0
    """Before a step, or the check of a message, is tried again that had to wait for the chain."""
    beat: float = 5.0
    """How often is noted that the daemon is there; by so much a stop may be counted as longer than it was."""
    idle: float = IDLE_SECONDS
    """The longest that the outbox waits to be woken."""
    first_pause: float = 0.5
    """After the first failure of an effect; it doubles with each."""
    longest_pause: float = 60.0
    away_pause: float = 4.0
    """The longest while broker or node are away: what waits for them goes on soon after they are back."""
    unroutable: float = 24 * 3600.0
    """For how long a recipient may be without a queue: long enough for an administrator to notice."""

    def pause_after(self, attempts: int, *, away: bool) -> float:
        """How long to wait after so many failed attempts and one more."""
        longest = min(self.away_pause, self.longest_pause) if away else self.longest_pause
        return min(longest, self.first_pause * 2.0 ** min(attempts, 16))


PACE = Pace()
"""What daemons keep to."""
