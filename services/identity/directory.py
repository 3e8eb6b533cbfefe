"""Who is who: roles and exchange keys as registered on chain, remembered by this process."""

import time
from collections.abc import Callable
from typing import Protocol

from cachetools import LRUCache, TTLCache

from protocol.crypto.exchange import require_usable
from protocol.errors import ProtocolViolation

_MOST_ACCOUNTS, _MOST_KEYS = 4096, 16384
"""What is remembered: some megabytes, and enough for hundreds of trainings at once."""

_LATELY_SECONDS = 5.0


class Registry(Protocol):
    """The two views of the contract that a directory asks."""

    async def role_of(self, account: str) -> str | None:
        """The registered role."""
        ...

    async def exchange_key_of(self, training: int, account: str) -> bytes | None:
        """The X25519 key as it was when the account entered the training; training 0: as registered now."""
        ...


class Directory:
    """A cache over the chain. A role never changes; a training's keys never change."""

    def __init__(self, registry: Registry, clock: Callable[[], float] = time.monotonic) -> None:
        """`registry` are MarketplaceViews deep enough to be final.

        A role that a reorganisation may still take back must be neither trusted nor remembered.
        """
        self._registry = registry
        self._roles: LRUCache[str, str] = LRUCache(_MOST_ACCOUNTS)
        self._keys: LRUCache[tuple[int, str], bytes] = LRUCache(_MOST_KEYS)
        self._lately: TTLCache[tuple[int, str], bytes] = TTLCache(
            _MOST_ACCOUNTS, _LATELY_SECONDS, timer=clock
        )

    async def role_of(self, account: str) -> str:
        """The role; raises ProtocolViolation("not_registered")."""
        role = self._roles.get(account)
        if role is None:
            role = await self._registry.role_of(account)
            if role is None:
                raise ProtocolViolation("not_registered", account)
            self._roles[account] = role
        return role

    async def exchange_key_of(self, training: int, account: str) -> bytes:
        """The key as it was when the account entered the training, else as registered now.

        Raises ProtocolViolation("not_registered") or, for one that nothing can be sealed to,
        ("unusable_exchange_key").
        """
        entry = (training, account)
        known = self._keys.get(entry)
        if known is not None:
            return known
        key = await self._registry.exchange_key_of(training, account) if training else None
        if key is not None:
            require_usable(key)
            self._keys[entry] = key
            return key
        key = await self._registry.exchange_key_of(0, account)
        if key is None:
            raise ProtocolViolation("not_registered", account)
        require_usable(key)
        return key  # it may change until the account joins

    async def sealing_key_of(self, training: int, account: str) -> bytes:
        """A key that the account can open: as `exchange_key_of`, but one that may change is some seconds old.

        Who rotates its key keeps the old ones. The chain has no key for a training of its aggregator, nor of
        who has not joined: the node would be asked again for each message to them.
        Raises ProtocolViolation as `exchange_key_of` does.
        """
        entry = (training, account)
        known = self._keys.get(entry) or self._lately.get(entry)
        if known is None:
            known = self._lately[entry] = await self.exchange_key_of(training, account)
        return known
