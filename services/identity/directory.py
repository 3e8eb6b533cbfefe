"""Who is who: roles and exchange keys as registered on chain, remembered by this process."""

import time
from typing import Protocol

from protocol.errors import ProtocolViolation
from services.common.lru_map import Recent

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

    def __init__(self, registry: Registry) -> None:
        """`registry` are MarketplaceViews deep enough to be final.

        A role that a reorganisation may still take back must be neither trusted nor remembered.
        """
        self._registry = registry
        self._roles: Recent[str, str] = Recent(_MOST_ACCOUNTS)
        self._keys: Recent[tuple[int, str], bytes] = Recent(_MOST_KEYS)
        self._lately: Recent[tuple[int, str], tuple[bytes, float]] = Recent(_MOST_ACCOUNTS)

    async def role_of(self, account: str) -> str:
        """The role; raises ProtocolViolation("not_registered")."""
        role = self._roles.get(account)
        if role is None:
            role = await self._registry.role_of(account)
            if role is None:
                raise ProtocolViolation("not_registered", account)
            self._roles.put(account, role)
        return role

    async def exchange_key_of(self, training: int, account: str) -> bytes:
        """The key as it was when the account entered the training, else as registered now.

        Raises ProtocolViolation("not_registered").
        """
        place = (training, account)
        known = self._keys.get(place)
        if known is not None:
            return known
        key = await self._registry.exchange_key_of(training, account) if training else None
        if key is not None:
            self._keys.put(place, key)
            return key
        key = await self._registry.exchange_key_of(0, account)
        if key is None:
            raise ProtocolViolation("not_registered", account)
        return key  # it may change until the account joins

    async def sealing_key_of(self, training: int, account: str) -> bytes:
        """A key that the account can open: as `exchange_key_of`, but one that may change is some seconds old.

        Who rotates its key keeps the old ones. The chain has no key for a training of its aggregator, nor of
        who has not joined: the node would be asked again for each message to them.
        Raises ProtocolViolation("not_registered").
        """
        place = (training, account)
        known, now = self._keys.get(place), time.monotonic()
        if known is not None:
            return known
        lately = self._lately.get(place)
        if lately is None or now - lately[1] > _LATELY_SECONDS:
            lately = await self.exchange_key_of(training, account), now
            self._lately.put(place, lately)
        return lately[0]
