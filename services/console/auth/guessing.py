"""Guessing passwords: slow for strangers, and no lock in their hands.

Every attempt is counted before its password is looked at, so that a hundred at once are not a hundred tries.
Strangers' attempts count for the pair of account and address, for the address, and, with more patience, for
the account: whoever guesses from one address keeps nobody else out. A browser that has signed in to the
account before holds a cookie that counts for itself alone: it gets in however many guess.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network


class SignInLimit:
    """Back-off by key: free attempts, then waits that double up to a longest.

    Only so many keys are remembered, those of the last attempts.
    """

    def __init__(
        self,
        *,
        free: int,
        longest_seconds: float,
        most_keys: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`free` attempts cost nothing."""
        self._free, self._longest, self._most, self._clock = free, longest_seconds, most_keys, clock
        self._attempts: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, key: str) -> float:
        """Seconds until the next attempt is looked at; 0 for at once."""
        count, at = self._attempts.get(key, (0, 0.0))
        if count < self._free:
            return 0.0
        pause = min(self._longest, 2.0 ** (count - self._free))
        return max(0.0, at + pause - self._clock())

    def count(self, key: str) -> None:
        """Count an attempt; after a quiet time of twice the longest wait, from the beginning."""
        now = self._clock()
        count, at = self._attempts.pop(key, (0, now))
        count = 0 if now - at > 2 * self._longest else count
        self._attempts[key] = (min(count + 1, 64), now)
        while len(self._attempts) > self._most:
            self._attempts.popitem(last=False)

    def take_back(self, key: str) -> None:
        """One attempt less: it was right, or its password was never looked at."""
        count, at = self._attempts.get(key, (0, 0.0))
        if count > 1:
            self._attempts[key] = (count - 1, at)
        else:
            self.forget(key)

    def forget(self, key: str) -> None:
        """Forget a key's attempts."""
        self._attempts.pop(key, None)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who tries to sign in to which account; `device` is the mark of a browser that did so before."""

    account: str
    address: str
    device: str | None = None

    @property
    def network(self) -> str:
        """What counts as one address: in IPv6 a /64, which every customer is given whole."""
        try:
            address = ip_address(self.address.partition("%")[0])
        except ValueError:
            return self.address
        return str(address if address.version == 4 else ip_network((address, 64), strict=False))


class Guesses:
    """The limits of one console."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nobody has tried yet."""
        self.by_pair = SignInLimit(free=5, longest_seconds=300.0, clock=clock)
        self.by_address = SignInLimit(free=20, longest_seconds=900.0, clock=clock)
        # One address, which waits up to 300 s, cannot keep this full: it is forgotten after 120 quiet ones.
        self.by_account = SignInLimit(free=50, longest_seconds=60.0, clock=clock)
        self.by_device = SignInLimit(free=5, longest_seconds=300.0, clock=clock)

    def begin(self, attempt: Attempt) -> float:
        """Count an attempt, or the seconds until it may be made, and then it is not counted; 0 to go on."""
        keys = self._keys(attempt)
        wait = max(limit.wait(key) for limit, key in keys)
        if wait == 0:
            for limit, key in keys:
                limit.count(key)
        return wait

    def take_back(self, attempt: Attempt) -> None:
        """The attempt was not made after all."""
        for limit, key in self._keys(attempt):
            limit.take_back(key)

    def succeeded(self, attempt: Attempt) -> None:
        """Forget what its owner mistyped; what others tried from the address, or at the account, stays."""
        self.take_back(attempt)
        limit, key = self._keys(attempt)[0]
        limit.forget(key)

    def _keys(self, attempt: Attempt) -> list[tuple[SignInLimit, str]]:
        if attempt.device is not None:
            return [(self.by_device, attempt.device)]
        network = attempt.network
        return [
            (self.by_pair, f"{attempt.account} {network}"),
            (self.by_address, network),
            (self.by_account, attempt.account),
        ]
