"""Checking passwords a few at a time: each takes 64 MiB and a core."""

import asyncio

from services.console.auth.accounts import Account, Accounts

MOST_WAITING = 8


class TooBusyError(Exception):
    """So many passwords wait to be checked that another would wait too long."""


class PasswordCheck:
    """One check at a time for strangers, and one for browsers that are known: these never queue."""

    def __init__(self, accounts: Accounts) -> None:
        """Against these accounts."""
        self._accounts = accounts
        self._places = {known: asyncio.Semaphore(1) for known in (False, True)}
        self._under_way: dict[bool, set[asyncio.Task[Account | None]]] = {False: set(), True: set()}

    async def verify(self, name: str, password: str, *, known: bool) -> Account | None:
        """The account, if this is its password; raises TooBusyError.

        Who hangs up does not make room: the thread that computes cannot be stopped.
        """
        under_way = self._under_way[known]
        if len(under_way) >= MOST_WAITING:
            raise TooBusyError
        task = asyncio.create_task(self._verified(name, password, self._places[known]))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        return await asyncio.shield(task)

    async def _verified(self, name: str, password: str, place: asyncio.Semaphore) -> Account | None:
        async with place:
            return await asyncio.to_thread(self._accounts.verify, name, password)
