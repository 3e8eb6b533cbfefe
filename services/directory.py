"""Who is who: roles and exchange keys as registered on chain, remembered by this process."""

from typing import Protocol

from protocol.errors import ProtocolViolation


class Registry(Protocol):
    """The two views of the contract that a directory asks."""

    async def role_of(self, account: str) -> str:
        """The registered role or "none"."""
        ...

    async def exchange_key_of(self, training: int, account: str) -> bytes:
        """The X25519 key; zeros for none."""
        ...


class Directory:
    """A cache over the chain. A role never changes; a training's keys never change."""

    def __init__(self, registry: Registry) -> None:
        """`registry` is a MarketplaceClient."""
        self._registry = registry
        self._roles: dict[str, str] = {}
        self._keys: dict[tuple[int, str], bytes] = {}

    async def role_of(self, account: str) -> str:
        """The role; raises ProtocolViolation("not_registered")."""
        if account not in self._roles:
            role = await self._registry.role_of(account)
            if role == "none":
                raise ProtocolViolation("not_registered", account)
            self._roles[account] = role
        return self._roles[account]

    async def exchange_key_of(self, training: int, account: str) -> bytes:
        """The key to seal to: as it was when the account entered the training, else as registered now."""
        place = (training, account)
        if place not in self._keys:
            key = await self._registry.exchange_key_of(training, account)
            if not any(key):
                key = await self._registry.exchange_key_of(0, account)
                if not any(key):
                    raise ProtocolViolation("not_registered", account)
                return key  # it may change until the account joins
            if training == 0:
                return key
            self._keys[place] = key
        return self._keys[place]
