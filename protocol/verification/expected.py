"""What a transcript is verified against, and how: one object for every way to verify."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from protocol.crypto.commitment_group import RSA_2048, CommitmentGroup
from protocol.records import Market
from protocol.verification.report import Failure, RoundReport
from protocol.verification.transcript import Transcript

Checked = RoundReport | Failure
Rounds = Callable[[Callable[[int], Checked], int], Iterator[Checked]]


def one_after_another(check: Callable[[int], Checked], count: int) -> Iterator[Checked]:
    """Rounds 1 … count in this process."""
    return map(check, range(1, count + 1))


@dataclass(frozen=True)
class Expected:
    """The training that a transcript is said to be of, and the verifier's own means.

    `market` is None for whatever market the transcript says. `seed` is 32 bytes by chance that whoever made
    the transcript does not know: batches of openings are checked under it. With `signing_key`, the party's
    own, boxes are opened (`hidden`). `told` hears of each round that holds, in order; `rounds` has them
    checked, in order or side by side. `against` are other parties' transcripts, which what this party sent
    and was told must agree with (`comparison`).
    """

    market: Market | None
    training: int
    seed: bytes = field(repr=False)
    signing_key: bytes | None = field(default=None, repr=False)
    group: CommitmentGroup = RSA_2048
    told: Callable[[RoundReport], None] = lambda _round: None
    rounds: Rounds = one_after_another
    against: tuple[Transcript, ...] = ()
