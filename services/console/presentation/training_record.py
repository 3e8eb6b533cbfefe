"""What every role shows of one training."""

from dataclasses import dataclass

from protocol.request import Request
from services.console.presentation.timeline import Moment
from services.records.chain_history import ChainStory, Partner, curve, partners


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """What was asked, what the chain tells, what happened (the newest first), and why it failed if it did."""

    request: Request | None
    story: ChainStory
    timeline: tuple[Moment, ...]
    failure: str | None

    @property
    def curve(self) -> tuple[tuple[int, int], ...]:
        """(round, error × 1e18)."""
        return curve(self.story.rounds)

    @property
    def partners(self) -> tuple[Partner, ...]:
        """The owners' contributions and pay."""
        return () if self.request is None else partners(self.request, self.story)

    @property
    def settled(self) -> bool:
        """Whether the deposit was divided."""
        return self.story.settled is not None
